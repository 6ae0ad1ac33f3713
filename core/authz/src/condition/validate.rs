//! Checking code before it is used: one pass over the instructions, with the depth of the stack at
//! every one of them.

use super::CodeError;
use super::code::Code;
use super::instruction::Instruction;
use super::reader::Reader;
use super::stored::{VALUE_LEVELS, check_value};

pub(super) fn validate(code: &[u8]) -> Result<(), CodeError> {
    let code = Code::read(code)?;
    code.check_table()?;
    let slots = code.parameters.checked_add(code.locals);
    let slots = slots.ok_or(CodeError { at: 4, problem: "there are too many slots" })?;
    if slots > SLOTS || code.stack > STACK {
        return Err(CodeError { at: 4, problem: "there are too many slots" });
    }
    let mut flow = Flow::new(code.instructions, slots);
    let walked = flow.walk(code.instructions);
    let error = |problem| CodeError { at: code.place(flow.at), problem };
    walked.map_err(error)?;
    if flow.deepest > code.stack {
        return Err(CodeError { at: 6, problem: "the stack grows beyond its declared depth" });
    }
    Ok(())
}

/// How deep the stack gets, `None` where the instructions are not sound.
#[cfg(feature = "builder")]
pub(super) fn deepest(instructions: &[u8], slots: u16) -> Option<u16> {
    let mut flow = Flow::new(instructions, slots);
    flow.walk(instructions).ok().map(|()| flow.deepest)
}

/// What is known of a place among the instructions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Unknown,
    /// A jump from before comes here with so many values on the stack.
    Target(u16),
    /// An instruction starts here with so many values on the stack.
    Start(u16),
}

struct Flow {
    depths: Vec<Depth>,
    slots: u16,
    /// The depth that the stack gets.
    deepest: u16,
    /// Where the instruction starts that is looked at, and where the next one does.
    at: usize,
    next: usize,
}

type Checked<T = ()> = Result<T, &'static str>;

impl Flow {
    fn new(instructions: &[u8], slots: u16) -> Self {
        let depths = vec![Depth::Unknown; instructions.len().saturating_add(1)];
        Self { depths, slots, deepest: 0, at: 0, next: 0 }
    }

    fn walk(&mut self, instructions: &[u8]) -> Checked {
        let mut reader = Reader::new(instructions);
        // The depth when the instruction before goes on to this one; `None` after one that never does.
        let mut arriving = Some(0);
        while !reader.is_at_end() {
            self.at = reader.position();
            let instruction =
                Instruction::decode(&mut reader).ok_or("an instruction does not have its form")?;
            self.next = reader.position();
            let depth = self.start(arriving)?;
            arriving = self.step(instruction, depth)?;
        }
        self.at = reader.position();
        if self.start(arriving)? != 1 {
            return Err("the code does not end with one value");
        }
        let is_inside = |depth: &Depth| matches!(depth, Depth::Target(_));
        match self.depths.iter().position(is_inside) {
            Some(place) => {
                self.at = place;
                Err("a jump goes into an instruction")
            }
            None => Ok(()),
        }
    }

    /// Marks the start of an instruction and gives the depth there.
    fn start(&mut self, arriving: Option<u16>) -> Checked<u16> {
        let place = self.depths.get_mut(self.at).ok_or("a place is out of range")?;
        let depth = match (*place, arriving) {
            (Depth::Target(jumped), Some(arriving)) if jumped != arriving => {
                return Err("the ways to an instruction differ in depth");
            }
            (Depth::Target(depth), _) | (Depth::Unknown | Depth::Start(_), Some(depth)) => depth,
            (Depth::Unknown | Depth::Start(_), None) => {
                return Err("no way leads to an instruction");
            }
        };
        *place = Depth::Start(depth);
        Ok(depth)
    }

    /// Checks one instruction; gives the depth at the next one, where it goes on.
    fn step(&mut self, instruction: Instruction<'_>, depth: u16) -> Checked<Option<u16>> {
        let after = match instruction {
            Instruction::Constant { of, value } => {
                let mut reader = Reader::new(value);
                check_value(&mut reader, of, VALUE_LEVELS)?;
                if !reader.is_at_end() {
                    return Err("bytes follow a constant");
                }
                pushed(depth, 0)?
            }
            Instruction::Load { slot } => {
                self.slot(slot, 0)?;
                pushed(depth, 0)?
            }
            Instruction::Store { slot } | Instruction::Append { slot } => {
                self.slot(slot, 0)?;
                popped(depth, 1)?
            }
            Instruction::Matches { pattern } => {
                if !pattern.is_sound() {
                    return Err("a pattern names a state or class that is not there");
                }
                pushed(depth, 1)?
            }
            Instruction::Unary(_)
            | Instruction::Select { .. }
            | Instruction::Has { .. }
            | Instruction::Part { .. } => pushed(depth, 1)?,
            Instruction::Binary(_) => pushed(depth, 2)?,
            Instruction::Insert => pushed(depth, 3)?,
            Instruction::Jump { .. }
            | Instruction::JumpFalse { .. }
            | Instruction::JumpTrue { .. }
            | Instruction::Branch { .. }
            | Instruction::LoopStart { .. }
            | Instruction::LoopNext { .. }
            | Instruction::LoopWhile { .. }
            | Instruction::StepIf { .. }
            | Instruction::Repeat { .. } => return self.jump(instruction, depth),
        };
        if after > STACK {
            return Err("the stack grows too deep");
        }
        self.deepest = self.deepest.max(after);
        Ok(Some(after))
    }

    fn jump(&mut self, instruction: Instruction<'_>, depth: u16) -> Checked<Option<u16>> {
        if let Instruction::Jump { target } = instruction {
            self.forward(target, depth)?;
            return Ok(None);
        }
        if let Instruction::Repeat { target } = instruction {
            self.backward(target, depth)?;
            return Ok(None);
        }
        if let Instruction::LoopNext { base, exit } = instruction {
            self.slot(base, 2)?;
            self.forward(exit, depth)?;
            return Ok(Some(depth));
        }
        let after = popped(depth, 1)?;
        if let Instruction::JumpFalse { target } | Instruction::JumpTrue { target } = instruction {
            self.forward(target, depth)?;
            return Ok(Some(depth));
        }
        if let Instruction::Branch { otherwise, end } = instruction {
            self.forward(otherwise, after)?;
            self.forward(end, depth)?;
        } else if let Instruction::LoopStart { base, end } = instruction {
            self.slot(base, 2)?;
            self.forward(end, depth)?;
        } else if let Instruction::LoopWhile { exit } = instruction {
            self.forward(exit, after)?;
        } else if let Instruction::StepIf { slot, skip } = instruction {
            self.slot(slot, 0)?;
            self.forward(skip, after)?;
        }
        Ok(Some(after))
    }

    fn slot(&self, slot: u16, beyond: u16) -> Checked {
        match slot.checked_add(beyond) {
            Some(last) if last < self.slots => Ok(()),
            _ => Err("there is no such slot"),
        }
    }

    /// A jump ahead: to the next instruction or a later one.
    fn forward(&mut self, target: u32, depth: u16) -> Checked {
        let target = usize::try_from(target).map_err(|_| "a jump leaves the code")?;
        if target < self.next {
            return Err("a jump does not go ahead");
        }
        match self.depths.get_mut(target).ok_or("a jump leaves the code")? {
            Depth::Target(known) | Depth::Start(known) if *known != depth => {
                Err("the ways to an instruction differ in depth")
            }
            place @ (Depth::Unknown | Depth::Target(_) | Depth::Start(_)) => {
                *place = Depth::Target(depth);
                Ok(())
            }
        }
    }

    /// A jump back, to an instruction that was seen.
    fn backward(&self, target: u32, depth: u16) -> Checked {
        let place = usize::try_from(target).ok().and_then(|target| self.depths.get(target));
        match place {
            Some(Depth::Start(known)) if *known == depth => Ok(()),
            Some(Depth::Start(_)) => Err("the ways to an instruction differ in depth"),
            _ => Err("a jump back goes to no instruction"),
        }
    }
}

/// The depth after an instruction that pops so many values.
fn popped(depth: u16, count: u16) -> Checked<u16> {
    depth.checked_sub(count).ok_or("the stack has too few values")
}

/// The depth after an instruction that pops so many values and pushes one.
fn pushed(depth: u16, count: u16) -> Checked<u16> {
    popped(depth, count)?.checked_add(1).ok_or("the stack grows too deep")
}

/// Parameters and local variables of one condition.
pub(super) const SLOTS: u16 = 512;

/// Values on the stack of one condition.
pub(super) const STACK: u16 = 256;
