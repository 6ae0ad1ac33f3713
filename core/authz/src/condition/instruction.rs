//! The instructions of a condition: one byte, then what the instruction says it has. One decoder
//! serves validation and evaluation, so that both see the same instructions.

use super::kind::TypeCode;
use super::pattern::Pattern;
use super::reader::Reader;

/// An instruction. Targets are offsets from the first instruction; slots count the parameters first,
/// then the local variables.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instruction<'a> {
    /// Pushes a value in the form of a stored one.
    Constant {
        of: TypeCode<'a>,
        value: &'a [u8],
    },
    /// Pushes a slot.
    Load {
        slot: u16,
    },
    /// Pops into a slot.
    Store {
        slot: u16,
    },
    Jump {
        target: u32,
    },
    /// Leaves the top, and jumps where it is `false`.
    JumpFalse {
        target: u32,
    },
    /// Leaves the top, and jumps where it is `true`.
    JumpTrue {
        target: u32,
    },
    /// Pops the condition of a ternary: `true` goes on, `false` jumps, an error is pushed at the end.
    Branch {
        otherwise: u32,
        end: u32,
    },
    /// Pops the range of a loop into the slots `base` (a list) and `base + 1` (the next index); what
    /// is no range is an error, pushed at the end.
    LoopStart {
        base: u16,
        end: u32,
    },
    /// Puts the next element into slot `base + 2`, or jumps where there is none.
    LoopNext {
        base: u16,
        exit: u32,
    },
    /// Pops, and jumps where that is `false`.
    LoopWhile {
        exit: u32,
    },
    /// Pops the condition of a step: `true` goes on, `false` jumps, an error goes to the slot and
    /// jumps.
    StepIf {
        slot: u16,
        skip: u32,
    },
    /// Pops an element onto the list in a slot.
    Append {
        slot: u16,
    },
    /// Goes back to the head of a loop.
    Repeat {
        target: u32,
    },
    /// Pops one, pushes one.
    Unary(Unary),
    /// Pops two, pushes one.
    Binary(Binary),
    /// Pops a map, pushes the value of a name.
    Select {
        name: &'a str,
    },
    /// Pops a map, pushes whether it has a name.
    Has {
        name: &'a str,
    },
    /// Pops a string, pushes whether the pattern occurs in it.
    Matches {
        pattern: Pattern<'a>,
    },
    /// Pops a timestamp or duration, pushes a part of it; `offset` is seconds east of UTC.
    Part {
        part: Part,
        offset: i32,
    },
    /// Pops a value and a key, and puts them into the map that is then on top.
    Insert,
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            pub(super) const fn from_code(code: u8) -> Option<Self> {
                Some(match code {
                    $($code => Self::$variant,)+
                    _ => return None,
                })
            }

            #[cfg(feature = "builder")]
            pub(super) const fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)+
                }
            }
        }
    };
}

codes! {
    /// What pops one value and pushes one.
    Unary {
        Not = 0x20,
        Negate = 0x21,
        Size = 0x22,
        ToBool = 0x23,
        ToDouble = 0x24,
        ToDuration = 0x25,
        ToInt = 0x26,
        ToAddress = 0x27,
        ToString = 0x28,
        ToTimestamp = 0x29,
        ToUInt = 0x2a,
        TypeOf = 0x2b,
    }
}

codes! {
    /// What pops two values and pushes one.
    Binary {
        And = 0x40,
        Or = 0x41,
        Equal = 0x42,
        NotEqual = 0x43,
        Less = 0x44,
        LessOrEqual = 0x45,
        Greater = 0x46,
        GreaterOrEqual = 0x47,
        Add = 0x48,
        Subtract = 0x49,
        Multiply = 0x4a,
        Divide = 0x4b,
        Remainder = 0x4c,
        In = 0x4d,
        Index = 0x4e,
        Contains = 0x4f,
        EndsWith = 0x50,
        StartsWith = 0x51,
        InCidr = 0x52,
        /// A list and an element make the list with it.
        Push = 0x53,
    }
}

codes! {
    /// A part of a timestamp; the last four are of a duration as well.
    Part {
        Date = 0,
        DayOfMonth = 1,
        DayOfWeek = 2,
        DayOfYear = 3,
        FullYear = 4,
        Month = 5,
        Hours = 6,
        Minutes = 7,
        Seconds = 8,
        Milliseconds = 9,
    }
}

/// The first bytes of instructions that have more.
pub(super) mod code {
    pub(in crate::condition) const CONSTANT: u8 = 0x01;
    pub(in crate::condition) const LOAD: u8 = 0x02;
    pub(in crate::condition) const STORE: u8 = 0x03;
    pub(in crate::condition) const JUMP: u8 = 0x10;
    pub(in crate::condition) const JUMP_FALSE: u8 = 0x11;
    pub(in crate::condition) const JUMP_TRUE: u8 = 0x12;
    pub(in crate::condition) const BRANCH: u8 = 0x13;
    pub(in crate::condition) const LOOP_START: u8 = 0x14;
    pub(in crate::condition) const LOOP_NEXT: u8 = 0x15;
    pub(in crate::condition) const LOOP_WHILE: u8 = 0x16;
    pub(in crate::condition) const STEP_IF: u8 = 0x17;
    pub(in crate::condition) const APPEND: u8 = 0x18;
    pub(in crate::condition) const REPEAT: u8 = 0x19;
    pub(in crate::condition) const SELECT: u8 = 0x60;
    pub(in crate::condition) const HAS: u8 = 0x61;
    pub(in crate::condition) const MATCHES: u8 = 0x62;
    pub(in crate::condition) const PART: u8 = 0x63;
    pub(in crate::condition) const INSERT: u8 = 0x64;
}

impl<'a> Instruction<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>) -> Option<Self> {
        let first = reader.u8()?;
        Some(match first {
            code::CONSTANT => {
                let levels = usize::from(reader.u8()?);
                let of = TypeCode::parse(reader.bytes(levels)?)?;
                Self::Constant { of, value: reader.block()? }
            }
            code::LOAD => Self::Load { slot: reader.u16()? },
            code::STORE => Self::Store { slot: reader.u16()? },
            code::JUMP => Self::Jump { target: reader.u32()? },
            code::JUMP_FALSE => Self::JumpFalse { target: reader.u32()? },
            code::JUMP_TRUE => Self::JumpTrue { target: reader.u32()? },
            code::BRANCH => Self::Branch { otherwise: reader.u32()?, end: reader.u32()? },
            code::LOOP_START => Self::LoopStart { base: reader.u16()?, end: reader.u32()? },
            code::LOOP_NEXT => Self::LoopNext { base: reader.u16()?, exit: reader.u32()? },
            code::LOOP_WHILE => Self::LoopWhile { exit: reader.u32()? },
            code::STEP_IF => Self::StepIf { slot: reader.u16()?, skip: reader.u32()? },
            code::APPEND => Self::Append { slot: reader.u16()? },
            code::REPEAT => Self::Repeat { target: reader.u32()? },
            code::SELECT => Self::Select { name: reader.text()? },
            code::HAS => Self::Has { name: reader.text()? },
            code::MATCHES => Self::Matches { pattern: Pattern::read(reader.block()?)? },
            code::PART => {
                Self::Part { part: Part::from_code(reader.u8()?)?, offset: reader.i32()? }
            }
            code::INSERT => Self::Insert,
            _ => match Unary::from_code(first) {
                Some(unary) => Self::Unary(unary),
                None => Self::Binary(Binary::from_code(first)?),
            },
        })
    }
}
