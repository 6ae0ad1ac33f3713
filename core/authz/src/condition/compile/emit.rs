//! Writing a checked expression as instructions.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other expressions are written in the general way"
)]

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr,
    SelectExpr, operators,
};

use super::assembler::{Assembler, Label};
use super::check::{qualified_type, type_named};
use super::fold;
use super::{Checked, Refused};
use crate::condition::code::VERSION;
use crate::condition::encode::type_code;
use crate::condition::instruction::{Binary, Part, Unary, code};
use crate::condition::value::{List, Value};
use crate::condition::{ParameterType, validate};

/// The code of an expression.
pub(super) fn emit(
    expression: &IdedExpr,
    parameters: &[&(String, ParameterType)],
) -> Checked<Vec<u8>> {
    let scope = parameters.iter().zip(0_u16..).map(|((name, _), slot)| (name.clone(), slot));
    let scope: Vec<_> = scope.collect();
    let first_local = u16::try_from(scope.len()).unwrap_or(u16::MAX);
    let mut emitter = Emitter {
        assembler: Assembler::default(),
        parameters: scope.len(),
        scope,
        next_slot: first_local,
        slots: first_local,
    };
    emitter.expression(expression)?;
    let too_large = || Refused::new(expression.id, "the expression is too large");
    let locals = emitter.slots.saturating_sub(first_local);
    let instructions = emitter.assembler.finish().ok_or_else(too_large)?;
    let stack = validate::deepest(&instructions, emitter.slots).ok_or_else(too_large)?;
    framed(parameters, locals, stack, &instructions).ok_or_else(too_large)
}

fn framed(
    parameters: &[&(String, ParameterType)],
    locals: u16,
    stack: u16,
    instructions: &[u8],
) -> Option<Vec<u8>> {
    let mut table = Vec::new();
    for (name, of) in parameters {
        table.extend(u16::try_from(name.len()).ok()?.to_le_bytes());
        table.extend(name.as_bytes());
        let of = type_code(of);
        table.push(u8::try_from(of.len()).ok()?);
        table.extend(of);
    }
    let count = u16::try_from(parameters.len()).ok()?;
    let mut bytes = Vec::new();
    for word in [VERSION, count, locals, stack] {
        bytes.extend(word.to_le_bytes());
    }
    for length in [table.len(), instructions.len()] {
        bytes.extend(u32::try_from(length).ok()?.to_le_bytes());
    }
    bytes.extend(table);
    bytes.extend(instructions);
    Some(bytes)
}

struct Emitter {
    assembler: Assembler,
    parameters: usize,
    /// Names and their slots, innermost last.
    scope: Vec<(String, u16)>,
    next_slot: u16,
    /// Slots that were ever in use.
    slots: u16,
}

impl Emitter {
    fn expression(&mut self, node: &IdedExpr) -> Checked<()> {
        if let Some(value) = fold::constant(node)? {
            return self.constant(&value, node.id);
        }
        match &node.expr {
            Expr::Ident(name) => self.identifier(name, node.id),
            Expr::Select(select) => self.select(select, node.id),
            Expr::Call(call) => self.call(call, node.id),
            Expr::List(list) => self.list(list, node.id),
            Expr::Map(map) => self.map(map, node.id),
            Expr::Comprehension(loops) => self.comprehension(loops, node.id),
            Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err(Refused::new(node.id, "the expression is not supported"))
            }
        }
    }

    fn constant(&mut self, value: &Value<'_>, node: u64) -> Checked<()> {
        let encoded = fold::encoded(value);
        encoded
            .and_then(|(of, bytes)| self.assembler.constant(&of, &bytes))
            .ok_or_else(|| Refused::new(node, "the constant is too large"))
    }

    fn identifier(&mut self, name: &str, node: u64) -> Checked<()> {
        if let Some((_, slot)) = self.scope.iter().rev().find(|(known, _)| known == name) {
            self.assembler.slot(code::LOAD, *slot);
            return Ok(());
        }
        match type_named(name) {
            Some(kind) => self.constant(&Value::Type(kind), node),
            None => Err(Refused::new(node, format!("undeclared reference to `{name}`"))),
        }
    }

    fn select(&mut self, select: &SelectExpr, node: u64) -> Checked<()> {
        let loops = self.scope.get(self.parameters..).unwrap_or_default();
        let is_variable = |root: &str| loops.iter().any(|(name, _)| name == root);
        if let Some(kind) = qualified_type(select, is_variable) {
            return self.constant(&Value::Type(kind), node);
        }
        self.expression(&select.operand)?;
        let first = if select.test { code::HAS } else { code::SELECT };
        self.with_block(first, select.field.as_bytes(), node)
    }

    fn with_block(&mut self, first: u8, bytes: &[u8], node: u64) -> Checked<()> {
        let written = self.assembler.with_block(first, bytes);
        written.ok_or_else(|| Refused::new(node, "the constant is too large"))
    }

    fn call(&mut self, call: &CallExpr, node: u64) -> Checked<()> {
        let name = call.func_name.as_str();
        let operands: Vec<&IdedExpr> =
            call.target.as_deref().into_iter().chain(&call.args).collect();
        match (name, operands.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => {
                self.logic(left, right, code::JUMP_FALSE, Binary::And)
            }
            (operators::LOGICAL_OR, [left, right]) => {
                self.logic(left, right, code::JUMP_TRUE, Binary::Or)
            }
            (operators::CONDITIONAL, [condition, yes, no]) => self.ternary(condition, yes, no),
            (operators::IN, [element, list]) if is_empty_list(list) => {
                // OpenFGA answers before it evaluates the element, but compiles it.
                let written = std::mem::take(&mut self.assembler);
                self.expression(element)?;
                self.assembler = written;
                self.constant(&Value::Bool(false), node)
            }
            (operators::INDEX, [_, key]) if !may_be_key(fold::constant(key)?.as_ref()) => {
                Err(Refused::new(key.id, "a constant of this type is neither a key nor an index"))
            }
            ("dyn", [operand]) => self.expression(operand),
            ("matches", [text, pattern]) => {
                let table = table_of(pattern)?;
                self.expression(text)?;
                self.with_block(code::MATCHES, &table, pattern.id)
            }
            (_, [operand, zone @ ..]) if part_named(name).is_some() => {
                self.expression(operand)?;
                let offset = zone.first().map_or(Ok(0), |zone| offset_of(zone))?;
                if let Some(part) = part_named(name) {
                    self.assembler.part(part, offset);
                }
                Ok(())
            }
            (_, [operand]) => {
                self.expression(operand)?;
                let unary = unary_named(name).ok_or_else(|| unsupported(name, node))?;
                self.assembler.unary(unary);
                Ok(())
            }
            (_, [left, right]) => {
                self.expression(left)?;
                self.expression(right)?;
                let binary = binary_named(name).ok_or_else(|| unsupported(name, node))?;
                self.assembler.binary(binary);
                Ok(())
            }
            _ => Err(unsupported(name, node)),
        }
    }

    fn logic(
        &mut self,
        left: &IdedExpr,
        right: &IdedExpr,
        jump: u8,
        binary: Binary,
    ) -> Checked<()> {
        let end = self.assembler.label();
        self.expression(left)?;
        self.assembler.jump(jump, end);
        self.expression(right)?;
        self.assembler.binary(binary);
        self.assembler.place(end);
        Ok(())
    }

    fn ternary(&mut self, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Checked<()> {
        let (otherwise, end) = (self.assembler.label(), self.assembler.label());
        self.expression(condition)?;
        self.assembler.branch(otherwise, end);
        self.expression(yes)?;
        self.assembler.jump(code::JUMP, end);
        self.assembler.place(otherwise);
        self.expression(no)?;
        self.assembler.place(end);
        Ok(())
    }

    fn list(&mut self, list: &ListExpr, node: u64) -> Checked<()> {
        self.constant(&Value::List(List::Built(std::rc::Rc::default())), node)?;
        for element in &list.elements {
            self.expression(element)?;
            self.assembler.binary(Binary::Push);
        }
        Ok(())
    }

    fn map(&mut self, map: &MapExpr, node: u64) -> Checked<()> {
        let empty = crate::condition::value::Map::Built(std::rc::Rc::default());
        self.constant(&Value::Map(empty), node)?;
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(Refused::new(node, "messages are not supported"));
            };
            self.expression(&entry.key)?;
            self.expression(&entry.value)?;
            self.assembler.insert();
        }
        Ok(())
    }

    /// A macro: range, accumulator, and a step for every element.
    fn comprehension(&mut self, loops: &ComprehensionExpr, node: u64) -> Checked<()> {
        let (exit, end) = (self.assembler.label(), self.assembler.label());
        let base = self.next_slot;
        let (element, accumulator) = (base.saturating_add(2), base.saturating_add(3));
        self.expression(&loops.iter_range)?;
        self.assembler.slot_and_jump(code::LOOP_START, base, end);
        self.next_slot = base
            .checked_add(4)
            .filter(|slots| *slots <= validate::SLOTS)
            .ok_or_else(|| Refused::new(node, "macros within macros need too many variables"))?;
        self.slots = self.slots.max(self.next_slot);
        self.expression(&loops.accu_init)?;
        self.assembler.slot(code::STORE, accumulator);
        self.scope.push((loops.accu_var.clone(), accumulator));
        self.scope.push((loops.iter_var.clone(), element));
        let head = self.assembler.label();
        self.assembler.place(head);
        self.assembler.slot_and_jump(code::LOOP_NEXT, base, exit);
        self.loop_condition(&loops.loop_cond, exit)?;
        self.step(&loops.loop_step, &loops.accu_var, accumulator)?;
        self.assembler.jump(code::REPEAT, head);
        self.assembler.place(exit);
        self.scope.pop();
        self.expression(&loops.result)?;
        self.scope.pop();
        self.assembler.place(end);
        self.next_slot = base;
        Ok(())
    }

    /// A loop goes on unless its condition is false; an error goes on.
    fn loop_condition(&mut self, condition: &IdedExpr, exit: Label) -> Checked<()> {
        let condition = match &condition.expr {
            Expr::Call(call) if call.func_name == operators::NOT_STRICTLY_FALSE => {
                call.args.first().unwrap_or(condition)
            }
            Expr::Literal(LiteralValue::Boolean(always)) if always.into_inner() => return Ok(()),
            _ => condition,
        };
        self.expression(condition)?;
        self.assembler.jump(code::LOOP_WHILE, exit);
        Ok(())
    }

    /// Stores the next value of the accumulator. `filter` and `map` add to its list in place.
    fn step(&mut self, step: &IdedExpr, name: &str, slot: u16) -> Checked<()> {
        if let Expr::Call(call) = &step.expr {
            match (call.func_name.as_str(), call.args.as_slice()) {
                (operators::ADD, [list, added]) if is_variable(list, name) => {
                    if let Expr::List(ListExpr { elements, .. }) = &added.expr
                        && let [element] = elements.as_slice()
                    {
                        self.expression(element)?;
                        self.assembler.slot(code::APPEND, slot);
                        return Ok(());
                    }
                }
                (operators::CONDITIONAL, [condition, yes, no]) if is_variable(no, name) => {
                    let skip = self.assembler.label();
                    self.expression(condition)?;
                    self.assembler.slot_and_jump(code::STEP_IF, slot, skip);
                    self.step(yes, name, slot)?;
                    self.assembler.place(skip);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.expression(step)?;
        self.assembler.slot(code::STORE, slot);
        Ok(())
    }
}

fn unsupported(name: &str, node: u64) -> Refused {
    Refused::new(node, format!("`{name}` is not supported"))
}

fn is_variable(node: &IdedExpr, name: &str) -> bool {
    matches!(&node.expr, Expr::Ident(found) if found == name)
}

/// Whether a constant, or what is none, can be a key or an index.
const fn may_be_key(constant: Option<&Value<'_>>) -> bool {
    matches!(
        constant,
        None | Some(
            Value::Bool(_)
                | Value::Int(_)
                | Value::UInt(_)
                | Value::Double(_)
                | Value::String(_)
                // OpenFGA does not compute this one, and fails at evaluation.
                | Value::Address(_)
        )
    )
}

fn is_empty_list(node: &IdedExpr) -> bool {
    matches!(&node.expr, Expr::List(list) if list.elements.is_empty())
}

/// The table of a pattern, which must be known now: a guest has no parser of patterns.
fn table_of(pattern: &IdedExpr) -> Checked<Vec<u8>> {
    let refused = |message: String| Refused::new(pattern.id, message);
    match fold::constant(pattern)? {
        Some(Value::String(text)) => super::pattern::table(text.as_str()).map_err(refused),
        _ => Err(refused("the pattern of `matches` must be a constant".to_owned())),
    }
}

/// Seconds east of UTC of a time zone, which must be known now: a guest has no zone database.
fn offset_of(zone: &IdedExpr) -> Checked<i32> {
    let unsupported = || {
        let message = "a time zone must be a constant: `UTC` or an offset such as `+02:00`";
        Refused::new(zone.id, message)
    };
    let Some(Value::String(text)) = fold::constant(zone)? else { return Err(unsupported()) };
    let text = text.as_str();
    if text == "UTC" || text.is_empty() {
        return Ok(0);
    }
    fixed_offset(text).ok_or_else(unsupported)
}

/// cel-go's: hours with or without a sign, a colon, minutes.
fn fixed_offset(text: &str) -> Option<i32> {
    let (hours, minutes) = text.split_once(':')?;
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits = hours.strip_prefix(['+', '-']).unwrap_or(hours);
    if !is_number(digits) || !is_number(minutes) {
        return None;
    }
    let hours: i32 = digits.parse().ok().filter(|hours| *hours <= 23)?;
    let minutes: i32 = minutes.parse().ok().filter(|minutes| *minutes <= 59)?;
    let seconds = hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60)?;
    if text.starts_with('-') { seconds.checked_neg() } else { Some(seconds) }
}

fn unary_named(name: &str) -> Option<Unary> {
    Some(match name {
        operators::LOGICAL_NOT => Unary::Not,
        operators::NEGATE => Unary::Negate,
        "size" => Unary::Size,
        "type" => Unary::TypeOf,
        _ => return fold::conversion_named(name),
    })
}

fn binary_named(name: &str) -> Option<Binary> {
    Some(match name {
        operators::EQUALS => Binary::Equal,
        operators::NOT_EQUALS => Binary::NotEqual,
        operators::LESS => Binary::Less,
        operators::LESS_EQUALS => Binary::LessOrEqual,
        operators::GREATER => Binary::Greater,
        operators::GREATER_EQUALS => Binary::GreaterOrEqual,
        operators::ADD => Binary::Add,
        operators::SUBSTRACT => Binary::Subtract,
        operators::MULTIPLY => Binary::Multiply,
        operators::DIVIDE => Binary::Divide,
        operators::MODULO => Binary::Remainder,
        operators::IN => Binary::In,
        operators::INDEX => Binary::Index,
        "contains" => Binary::Contains,
        "endsWith" => Binary::EndsWith,
        "startsWith" => Binary::StartsWith,
        "in_cidr" => Binary::InCidr,
        _ => return None,
    })
}

fn part_named(name: &str) -> Option<Part> {
    Some(match name {
        "getDate" => Part::Date,
        "getDayOfMonth" => Part::DayOfMonth,
        "getDayOfWeek" => Part::DayOfWeek,
        "getDayOfYear" => Part::DayOfYear,
        "getFullYear" => Part::FullYear,
        "getMonth" => Part::Month,
        "getHours" => Part::Hours,
        "getMinutes" => Part::Minutes,
        "getSeconds" => Part::Seconds,
        "getMilliseconds" => Part::Milliseconds,
        _ => return None,
    })
}
