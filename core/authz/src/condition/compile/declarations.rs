//! The functions and operators of OpenFGA's environment: cel-go's standard library, `ipaddress` and
//! `in_cidr`. Comparisons across number kinds are not declared, as in cel-go by default.

use cel::common::ast::operators;

use super::types::Type;

/// One way to call a function.
#[derive(Debug)]
pub(super) struct Overload {
    pub(super) parameters: Vec<Type>,
    pub(super) result: Type,
}

/// The overloads of a name, `None` where it is not declared at all. `Type::Variable(0)` and
/// `Type::Variable(1)` stand for any type.
pub(super) fn overloads(name: &str, is_member: bool) -> Option<Vec<Overload>> {
    let (functions, members) = if let Some(operator) = operator(name) {
        (operator, Vec::new())
    } else if let Some(conversion) = conversion(name) {
        (conversion, Vec::new())
    } else if let Some(part) = part(name) {
        (Vec::new(), part)
    } else {
        function(name)?
    };
    Some(if is_member { members } else { functions })
}

fn overload(parameters: &[Type], result: Type) -> Overload {
    Overload { parameters: parameters.to_vec(), result }
}

const A: Type = Type::Variable(0);
const B: Type = Type::Variable(1);

fn list() -> Type {
    Type::list(A)
}

fn map() -> Type {
    Type::map(A, B)
}

/// The same type twice gives it.
fn same(of: Type) -> Overload {
    overload(&[of.clone(), of.clone()], of)
}

fn operator(name: &str) -> Option<Vec<Overload>> {
    use Type::{Bool, Bytes, Double, Duration, Int, String, Timestamp, UInt};
    Some(match name {
        operators::CONDITIONAL => vec![overload(&[Bool, A, A], A)],
        operators::LOGICAL_AND | operators::LOGICAL_OR => vec![same(Bool)],
        operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE => vec![overload(&[Bool], Bool)],
        operators::EQUALS | operators::NOT_EQUALS => vec![overload(&[A, A], Bool)],
        operators::LESS
        | operators::LESS_EQUALS
        | operators::GREATER
        | operators::GREATER_EQUALS => {
            [Bool, Int, UInt, Double, String, Bytes, Timestamp, Duration]
                .map(|of| overload(&[of.clone(), of], Bool))
                .into()
        }
        operators::ADD => vec![
            same(Bytes),
            same(Double),
            same(Duration),
            overload(&[Duration, Timestamp], Timestamp),
            overload(&[Timestamp, Duration], Timestamp),
            same(Int),
            same(list()),
            same(String),
            same(UInt),
        ],
        operators::SUBSTRACT => vec![
            same(Double),
            same(Duration),
            same(Int),
            overload(&[Timestamp, Duration], Timestamp),
            overload(&[Timestamp, Timestamp], Duration),
            same(UInt),
        ],
        operators::MULTIPLY | operators::DIVIDE => vec![same(Double), same(Int), same(UInt)],
        operators::MODULO => vec![same(Int), same(UInt)],
        operators::NEGATE => vec![overload(&[Double], Double), overload(&[Int], Int)],
        operators::INDEX => vec![overload(&[list(), Int], A), overload(&[map(), A], B)],
        operators::IN => vec![overload(&[A, list()], Bool), overload(&[A, map()], Bool)],
        _ => return None,
    })
}

/// Functions with the name of their result.
fn conversion(name: &str) -> Option<Vec<Overload>> {
    use Type::{Address, Bool, Bytes, Double, Duration, Dyn, Int, String, Timestamp, UInt};
    let (from, to): (&[Type], Type) = match name {
        "bool" => (&[Bool, String], Bool),
        "double" => (&[Double, Int, String, UInt], Double),
        "duration" => (&[Duration, String], Duration),
        "dyn" => (&[A], Dyn),
        "int" => (&[Int, Double, Duration, String, Timestamp, UInt], Int),
        "ipaddress" => (&[String], Address),
        "string" => (&[String, Bool, Bytes, Double, Duration, Int, Timestamp, UInt], String),
        "timestamp" => (&[Timestamp, Int, String], Timestamp),
        "type" => (&[A], Type::Meta),
        "uint" => (&[UInt, Double, Int, String], UInt),
        _ => return None,
    };
    Some(from.iter().map(|of| overload(std::slice::from_ref(of), to.clone())).collect())
}

/// Members of timestamps and durations.
fn part(name: &str) -> Option<Vec<Overload>> {
    use Type::{Duration, Int, String, Timestamp};
    let mut overloads = vec![overload(&[Timestamp], Int), overload(&[Timestamp, String], Int)];
    match name {
        "getDate" | "getDayOfMonth" | "getDayOfWeek" | "getDayOfYear" | "getFullYear"
        | "getMonth" => {}
        "getHours" | "getMinutes" | "getSeconds" | "getMilliseconds" => {
            overloads.push(overload(&[Duration], Int));
        }
        _ => return None,
    }
    Some(overloads)
}

/// The functions and the members of a name.
fn function(name: &str) -> Option<(Vec<Overload>, Vec<Overload>)> {
    use Type::{Address, Bool, Bytes, Int, String};
    let texts = || vec![overload(&[String, String], Bool)];
    let sizes = || [Bytes, list(), map(), String].map(|of| overload(&[of], Int)).into();
    Some(match name {
        "contains" | "endsWith" | "startsWith" => (Vec::new(), texts()),
        "in_cidr" => (Vec::new(), vec![overload(&[Address, String], Bool)]),
        "matches" => (texts(), texts()),
        "size" => (sizes(), sizes()),
        _ => return None,
    })
}
