//! The machine: one instruction after the other, each for a step.

#![expect(clippy::wildcard_enum_match_arm, reason = "all other kinds of values are one error")]

use std::rc::Rc;

use serde_json::{Map as JsonMap, Value as Json};

use super::code::Code;
use super::context;
use super::instruction::{Binary, Instruction};
use super::reader::Reader;
use super::steps::{Steps, Trouble};
use super::stored::{StoredContext, read_value};
use super::value::{List, Value};
use super::{ConditionFailure, operator};

/// Evaluates code that was validated.
pub(super) fn evaluate(
    code: &[u8],
    stored: &[u8],
    request: &JsonMap<String, Json>,
    steps: &mut u32,
) -> Result<bool, ConditionFailure> {
    let code = Code::read(code).map_err(|_| BROKEN)?;
    let slots = usize::from(code.parameters).saturating_add(usize::from(code.locals));
    let frame = slots.saturating_add(usize::from(code.stack));
    if frame <= SMALL_FRAME {
        // Most conditions fit, and cost no memory.
        let mut small = [const { Value::Null }; SMALL_FRAME];
        run(&code, stored, request, steps, small.split_at_mut(slots))
    } else {
        let mut large = vec![Value::Null; frame];
        run(&code, stored, request, steps, large.split_at_mut(slots))
    }
}

fn run<'a>(
    code: &Code<'a>,
    stored: &'a [u8],
    request: &'a JsonMap<String, Json>,
    steps: &mut u32,
    (slots, stack): (&mut [Value<'a>], &mut [Value<'a>]),
) -> Result<bool, ConditionFailure> {
    let mut steps = Steps::new(steps);
    bind(code, stored, request, &mut steps, slots)?;
    let reader = Reader::new(code.instructions);
    let mut machine = Machine { code: *code, reader, slots, stack, top: 0, steps };
    Ok(machine.run()?)
}

/// Puts every parameter into its slot: the relationship's own value, else the request's.
///
/// As OpenFGA does, whether the expression needs them or not: a value of the wrong type fails, and
/// then a value that nobody gives.
fn bind<'a>(
    code: &Code<'a>,
    stored: &'a [u8],
    request: &'a JsonMap<String, Json>,
    steps: &mut Steps<'_>,
    slots: &mut [Value<'a>],
) -> Result<(), ConditionFailure> {
    if code.parameters == 0 && !request.is_empty() {
        // OpenFGA refuses any context for a condition that declares no parameters.
        return Err(ConditionFailure::Expression { problem: "the condition has no parameters" });
    }
    let mut stored = StoredContext::new(stored);
    let mut missing = None;
    for (index, ((name, of), slot)) in (0_u16..).zip(code.parameters().zip(slots)) {
        if let Some(value) = stored.value(index, of).ok_or(BROKEN)? {
            *slot = value;
        } else if let Some(json) = request.get(name) {
            let value = context::checked(json, of, steps)?;
            *slot = value.ok_or_else(|| ConditionFailure::Type { parameter: name.to_owned() })?;
        } else if missing.is_none() {
            missing = Some(name);
        }
    }
    match missing {
        Some(name) => Err(ConditionFailure::Missing { parameter: name.to_owned() }),
        None => Ok(()),
    }
}

struct Machine<'a, 'f> {
    code: Code<'a>,
    reader: Reader<'a>,
    slots: &'f mut [Value<'a>],
    stack: &'f mut [Value<'a>],
    /// How many values the stack holds.
    top: usize,
    steps: Steps<'f>,
}

impl<'a> Machine<'a, '_> {
    fn run(&mut self) -> Result<bool, Trouble> {
        while !self.reader.is_at_end() {
            self.steps.take(1)?;
            let instruction = Instruction::decode(&mut self.reader).ok_or(BROKEN)?;
            self.execute(instruction)?;
        }
        match self.pop()? {
            Value::Bool(answer) => Ok(answer),
            Value::Error(problem) => Err(Trouble::Problem(problem)),
            _ => Err(Trouble::Problem("the result is no bool")),
        }
    }

    fn execute(&mut self, instruction: Instruction<'a>) -> Result<(), Trouble> {
        match instruction {
            Instruction::Constant { of, value } => {
                let value = read_value(&mut Reader::new(value), of).ok_or(BROKEN)?;
                self.push(value)
            }
            Instruction::Load { slot } => {
                let value = self.slot(slot)?.clone();
                self.push(value)
            }
            Instruction::Store { slot } => {
                let value = self.pop()?;
                *self.slot(slot)? = value;
                Ok(())
            }
            Instruction::Unary(unary) => {
                let operand = self.pop()?;
                let result = operator::unary(unary, operand, &mut self.steps);
                self.finish(result)
            }
            Instruction::Binary(binary) => self.binary(binary),
            Instruction::Select { name } => {
                let operand = self.pop()?;
                let result = operator::select(&operand, name, &mut self.steps);
                self.finish(result)
            }
            Instruction::Has { name } => {
                let operand = self.pop()?;
                let result = operator::has(&operand, name, &mut self.steps);
                self.finish(result)
            }
            Instruction::Matches { pattern } => {
                let operand = self.pop()?;
                let result = operator::matches(&operand, &pattern, &mut self.steps);
                self.finish(result)
            }
            Instruction::Part { part, offset } => {
                let operand = self.pop()?;
                let result = operator::part(&operand, part, offset);
                self.finish(result)
            }
            Instruction::Insert => {
                let (value, key) = (self.pop()?, self.pop()?);
                let map = self.pop()?;
                let result = operator::insert(map, key, value, &mut self.steps);
                self.finish(result)
            }
            Instruction::Jump { .. }
            | Instruction::JumpFalse { .. }
            | Instruction::JumpTrue { .. }
            | Instruction::Branch { .. }
            | Instruction::LoopStart { .. }
            | Instruction::LoopNext { .. }
            | Instruction::LoopWhile { .. }
            | Instruction::StepIf { .. }
            | Instruction::Append { .. }
            | Instruction::Repeat { .. } => self.flow(instruction),
        }
    }

    fn binary(&mut self, binary: Binary) -> Result<(), Trouble> {
        let right = self.pop()?;
        let left = self.pop()?;
        let result = operator::binary(binary, left, right, &mut self.steps);
        self.finish(result)
    }

    /// What may jump.
    fn flow(&mut self, instruction: Instruction<'a>) -> Result<(), Trouble> {
        match instruction {
            Instruction::Jump { target } | Instruction::Repeat { target } => self.jump(target),
            Instruction::JumpFalse { target } => match self.peek()? {
                Value::Bool(false) => self.jump(target),
                _ => Ok(()),
            },
            Instruction::JumpTrue { target } => match self.peek()? {
                Value::Bool(true) => self.jump(target),
                _ => Ok(()),
            },
            Instruction::Branch { otherwise, end } => match self.condition()? {
                Ok(true) => Ok(()),
                Ok(false) => self.jump(otherwise),
                Err(problem) => self.push(Value::Error(problem)).and_then(|()| self.jump(end)),
            },
            Instruction::LoopStart { base, end } => self.start_loop(base, end),
            Instruction::LoopNext { base, exit } => self.next_element(base, exit),
            Instruction::LoopWhile { exit } => match self.pop()? {
                Value::Bool(false) => self.jump(exit),
                _ => Ok(()),
            },
            Instruction::StepIf { slot, skip } => match self.condition()? {
                Ok(true) => Ok(()),
                Ok(false) => self.jump(skip),
                Err(problem) => {
                    *self.slot(slot)? = Value::Error(problem);
                    self.jump(skip)
                }
            },
            Instruction::Append { slot } => {
                let element = self.pop()?;
                let list = std::mem::replace(self.slot(slot)?, Value::Null);
                let longer = operator::push(list, element, &mut self.steps);
                *self.slot(slot)? = settle(longer)?;
                Ok(())
            }
            _ => Err(BROKEN),
        }
    }

    /// Pops a condition: a bool or a problem.
    fn condition(&mut self) -> Result<Result<bool, &'static str>, Trouble> {
        Ok(match self.pop()? {
            Value::Bool(condition) => Ok(condition),
            Value::Error(problem) => Err(problem),
            _ => Err(operator::NO_OVERLOAD),
        })
    }

    fn start_loop(&mut self, base: u16, end: u32) -> Result<(), Trouble> {
        let range = match self.pop()? {
            Value::List(list) => list,
            Value::Map(map) => {
                self.steps.take(map.len())?;
                List::Built(Rc::new(map.keys().ok_or(BROKEN)?))
            }
            Value::Error(problem) => {
                return self.push(Value::Error(problem)).and_then(|()| self.jump(end));
            }
            _ => {
                return self
                    .push(Value::Error("no range to loop over"))
                    .and_then(|()| self.jump(end));
            }
        };
        *self.slot(base)? = Value::List(range);
        *self.slot(base.saturating_add(1))? = Value::Int(0);
        Ok(())
    }

    fn next_element(&mut self, base: u16, exit: u32) -> Result<(), Trouble> {
        let Value::Int(index) = *self.slot(base.saturating_add(1))? else { return Err(NO_LOOP) };
        let Value::List(range) = self.slot(base)? else { return Err(NO_LOOP) };
        let place = usize::try_from(index).map_err(|_| NO_LOOP)?;
        if place >= range.len() {
            return self.jump(exit);
        }
        let element = range.get(place).ok_or(BROKEN)?;
        *self.slot(base.saturating_add(2))? = element;
        *self.slot(base.saturating_add(1))? = Value::Int(index.saturating_add(1));
        Ok(())
    }

    fn jump(&mut self, target: u32) -> Result<(), Trouble> {
        let target = usize::try_from(target).map_err(|_| BROKEN)?;
        self.reader = Reader::at(self.code.instructions, target);
        Ok(())
    }

    fn finish(&mut self, result: Result<Value<'a>, Trouble>) -> Result<(), Trouble> {
        self.push(settle(result)?)
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), Trouble> {
        *self.stack.get_mut(self.top).ok_or(BROKEN)? = value;
        self.top = self.top.saturating_add(1);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value<'a>, Trouble> {
        self.top = self.top.checked_sub(1).ok_or(BROKEN)?;
        let place = self.stack.get_mut(self.top).ok_or(BROKEN)?;
        Ok(std::mem::replace(place, Value::Null))
    }

    fn peek(&self) -> Result<&Value<'a>, Trouble> {
        let place = self.top.checked_sub(1).ok_or(BROKEN)?;
        self.stack.get(place).ok_or(BROKEN)
    }

    fn slot(&mut self, slot: u16) -> Result<&mut Value<'a>, Trouble> {
        self.slots.get_mut(usize::from(slot)).ok_or(BROKEN)
    }
}

/// An error of an operation is a value; what nothing absorbs ends the evaluation.
fn settle<'a>(result: Result<Value<'a>, Trouble>) -> Result<Value<'a>, Trouble> {
    match result {
        Ok(value) => Ok(value),
        Err(Trouble::Problem(problem)) => Ok(Value::Error(problem)),
        Err(trouble @ (Trouble::Fatal(_) | Trouble::Steps)) => Err(trouble),
    }
}

/// What validated code never gives.
const BROKEN: Trouble = Trouble::Fatal("the code is broken");

/// Code may be sound and use the slots of a loop that it never started; compiled code never does.
const NO_LOOP: Trouble = Trouble::Fatal("no loop was started");

/// Slots and stack that are kept without an allocation.
const SMALL_FRAME: usize = 8;
