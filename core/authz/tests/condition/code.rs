//! What validation refuses, byte by byte.

use mandate_authz::condition::{CodeError, encode_context, validate, validate_context};
use serde_json::json;

use super::support::{compiled, framed, object};

/// Where the instructions of [`framed`] code start.
const START: usize = 16 + 17;

const TRUE: &[u8] = &[1, 1, 1, 1, 0, 0, 0, 1];

fn refused(instructions: &[&[u8]]) -> (usize, &'static str) {
    let CodeError { at, problem } = validate(&framed(&instructions.concat())).unwrap_err();
    (at - START, problem)
}

/// An instruction with a target: counted from the first instruction.
fn to(first: u8, target: u8) -> [u8; 5] {
    [first, target, 0, 0, 0]
}

/// A constant of a type.
fn constant(of: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1, u8::try_from(of.len()).unwrap()];
    bytes.extend(of);
    bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    bytes.extend(value);
    bytes
}

#[test]
fn the_smallest_code_is_a_constant() {
    assert_eq!(validate(&framed(TRUE)), Ok(()));
    assert_eq!(refused(&[]), (0, "the code does not end with one value"));
    assert_eq!(refused(&[TRUE, TRUE]), (16, "the code does not end with one value"));
}

#[test]
fn the_frame_is_checked() {
    let frame = "the header does not fit the bytes";
    let code = framed(TRUE);
    let with = |place: usize, value: u8| {
        let mut changed = code.clone();
        changed[place] = value;
        validate(&changed).map_err(|error| (error.at, error.problem))
    };
    assert_eq!(with(0, 2), Err((0, frame)));
    assert_eq!(with(1, 1), Err((0, frame)));
    assert_eq!(with(8, 16), Err((0, frame)));
    assert_eq!(with(12, 9), Err((0, frame)));
    assert_eq!(with(2, 4), Err((START, "a parameter does not have its form")));
    assert_eq!(with(2, 2), Err((START - 6, "bytes follow the last parameter")));
    assert_eq!(with(5, 2), Err((4, "there are too many slots")));
    assert_eq!(with(7, 2), Err((4, "there are too many slots")));
    assert_eq!(with(6, 0), Err((6, "the stack grows beyond its declared depth")));
    assert_eq!(with(18, b'c'), Err((21, "the parameters are not in the order of their names")));
    assert_eq!(with(18, b'b'), Err((21, "the parameters are not in the order of their names")));
    assert_eq!(with(18, 0xff), Err((16, "a parameter does not have its form")));
    assert_eq!(with(20, 11), Err((16, "a parameter does not have its form")));
    assert_eq!(with(20, 6), Err((16, "a parameter does not have its form")));
    assert_eq!(with(25, 4), Err((21, "a parameter does not have its form")));
}

#[test]
fn instructions_have_their_form() {
    let form = "an instruction does not have its form";
    assert_eq!(refused(&[&[0]]), (0, form));
    assert_eq!(refused(&[TRUE, &[0x2c]]), (8, form));
    assert_eq!(refused(&[TRUE, &[0x54]]), (8, form));
    assert_eq!(refused(&[&[2, 0]]), (0, form));
    assert_eq!(refused(&[TRUE, &[0x10, 0, 0]]), (8, form));
    assert_eq!(refused(&[TRUE, &[0x63, 10, 0, 0, 0, 0]]), (8, form));
    assert_eq!(refused(&[TRUE, &[0x60, 1, 0, 0, 0, 0xff]]), (8, form));
    assert_eq!(refused(&[TRUE, &[0x62, 1, 0, 0, 0, 0]]), (8, form));
    assert_eq!(refused(&[&constant(&[13], &[1])]), (0, form));
    assert_eq!(refused(&[&constant(&[1, 1], &[1])]), (0, form));
    assert_eq!(refused(&[&constant(&[6; 9], &[1])]), (0, form));
}

#[test]
fn the_stack_is_followed() {
    let few = "the stack has too few values";
    for instruction in [0x20, 0x2b, 0x40, 0x53, 0x64] {
        assert_eq!(refused(&[&[instruction]]), (0, few), "{instruction:x}");
    }
    assert_eq!(refused(&[TRUE, &[0x42]]), (8, few));
    assert_eq!(refused(&[TRUE, TRUE, &[0x64]]), (16, few));
    assert_eq!(refused(&[&[3, 0, 0]]), (0, few));
    assert_eq!(refused(&[&to(0x11, 5)]), (0, few));
    assert_eq!(refused(&[&to(0x16, 5)]), (0, few));
    assert_eq!(refused(&[&[0x17, 0, 0, 7, 0, 0, 0]]), (0, few));
    let deep: Vec<u8> = (0..257).flat_map(|_| [2, 0, 0]).collect();
    assert_eq!(refused(&[&deep]), (256 * 3, "the stack grows too deep"));
}

#[test]
fn slots_are_there() {
    let slot = "there is no such slot";
    assert_eq!(validate(&framed(&[2, 6, 0])), Ok(()));
    assert_eq!(refused(&[&[2, 7, 0]]), (0, slot));
    assert_eq!(refused(&[TRUE, &[3, 7, 0]]), (8, slot));
    assert_eq!(refused(&[TRUE, &[0x18, 7, 0]]), (8, slot));
    assert_eq!(refused(&[TRUE, &[0x14, 5, 0, 15, 0, 0, 0]]), (8, slot));
    assert_eq!(refused(&[&[0x15, 5, 0, 7, 0, 0, 0], TRUE]), (0, slot));
    assert_eq!(refused(&[TRUE, &[0x17, 7, 0, 15, 0, 0, 0]]), (8, slot));
}

#[test]
fn jumps_go_to_instructions_of_one_depth() {
    let depth = "the ways to an instruction differ in depth";
    assert_eq!(validate(&framed(&[TRUE, &to(0x11, 13)].concat())), Ok(()));
    assert_eq!(validate(&framed(&[TRUE, &to(0x10, 13)].concat())), Ok(()));
    assert_eq!(refused(&[TRUE, &to(0x10, 14)]), (8, "a jump leaves the code"));
    assert_eq!(refused(&[TRUE, &to(0x10, 99)]), (8, "a jump leaves the code"));
    assert_eq!(refused(&[TRUE, &to(0x11, 0)]), (8, "a jump does not go ahead"));
    assert_eq!(refused(&[TRUE, &to(0x11, 8)]), (8, "a jump does not go ahead"));
    assert_eq!(
        refused(&[TRUE, &to(0x11, 15), TRUE, &[0x40]]),
        (15, "a jump goes into an instruction")
    );
    assert_eq!(refused(&[TRUE, &to(0x11, 21), TRUE]), (21, depth));
    assert_eq!(refused(&[TRUE, &to(0x10, 21), TRUE]), (13, "no way leads to an instruction"));
    assert_eq!(refused(&[TRUE, &to(0x19, 0)]), (8, depth));
    assert_eq!(
        refused(&[TRUE, &[3, 3, 0], &to(0x19, 1)]),
        (11, "a jump back goes to no instruction")
    );
    assert_eq!(refused(&[TRUE, &[3, 3, 0], &to(0x19, 11)]), (16, "no way leads to an instruction"));
    assert_eq!(
        refused(&[TRUE, &[3, 3, 0], &to(0x19, 99)]),
        (11, "a jump back goes to no instruction")
    );
    let branch = [0x13, 30, 0, 0, 0, 38, 0, 0, 0];
    let ternary = [TRUE, &branch, TRUE, &to(0x10, 38), TRUE].concat();
    assert_eq!(validate(&framed(&ternary)), Ok(()));
    let same_end = [0x13, 30, 0, 0, 0, 30, 0, 0, 0];
    assert_eq!(refused(&[TRUE, &same_end, TRUE, &to(0x10, 38), TRUE]), (8, depth));
}

#[test]
fn constants_are_whole_and_canonical() {
    let form = "a value does not have its form";
    let cases: &[(&[u8], &[u8], &str)] = &[
        (&[1], &[], form),
        (&[1], &[2], "a bool is neither 0 nor 1"),
        (&[1], &[1, 1], "bytes follow a constant"),
        (&[4], &[0; 7], form),
        (&[8], &[2, 0, 0, 0, b'a'], form),
        (&[8], &[1, 0, 0, 0, 0xff], form),
        (&[0], &[0], form),
        (&[0], &[13], form),
        (&[0], &[12, 0], "a type is no type of a value"),
        (&[5], &[5; 17], form),
        (&[5], &[4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], NOT_CANONICAL),
        (&[5], &[6, 1, 2, 3, 4, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], NOT_CANONICAL),
        (
            &[9],
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0xca, 0x9a, 0x3b, 0, 0, 0, 0],
            "a timestamp is out of range",
        ),
        (&[9], &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], "a timestamp is out of range"),
        (&[9], &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "a timestamp is out of range"),
        (&[6, 1], &[4, 0, 0, 0, 1, 0, 0, 0], "a list or map does not have its form"),
        (&[6, 1], &[3, 0, 0, 0, 1, 0, 0], "a list or map does not have its form"),
        (
            &[6, 1],
            &[9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1],
            "an element is not where its offset says",
        ),
        (&[6, 1], &[10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1], "bytes follow the last element"),
        (&[6, 1], &[9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7], "a bool is neither 0 nor 1"),
        (&[7, 1], &[9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1], "a key of a map is no text"),
    ];
    for (of, value, problem) in cases {
        assert_eq!(refused(&[&constant(of, value)]), (0, *problem), "{of:?} {value:?}");
    }
    let entry = |key: u8| [1, 0, 0, 0, key, 1];
    let map = |first: u8, second: u8| {
        let block =
            [&[2, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0][..], &entry(first), &entry(second)].concat();
        constant(&[7, 1], &[&[24, 0, 0, 0][..], &block].concat())
    };
    assert_eq!(validate(&framed(&map(b'a', b'b'))), Ok(()));
    assert_eq!(refused(&[&map(b'b', b'a')]), (0, "the keys of a map are not in order"));
    assert_eq!(refused(&[&map(b'a', b'a')]), (0, "the keys of a map are not in order"));
}

const NOT_CANONICAL: &str = "an address is not in its canonical form";

#[test]
fn values_are_nested_only_so_deep() {
    let nested = |levels: usize| {
        let mut value = vec![1, 1];
        for _ in 1..levels {
            let length = u32::try_from(value.len() + 8).unwrap();
            value = [&[6][..], &length.to_le_bytes(), &[1, 0, 0, 0, 0, 0, 0, 0], &value].concat();
        }
        constant(&[0], &value)
    };
    assert_eq!(validate(&framed(&nested(32))), Ok(()));
    assert_eq!(refused(&[&nested(33)]), (0, "a value is nested too deep"));
}

#[test]
fn a_stored_context_is_checked() {
    let code = compiled("a: bool, b: list<int>", "a && b[0] == 1");
    let stored = encode_context(&code, &object(json!({"a": true, "b": [1]}))).unwrap();
    assert_eq!(stored[..3], [0, 0, 1]);
    assert_eq!(validate_context(&code, &stored), Ok(()));
    assert_eq!(validate_context(&code, &[]), Ok(()));
    let said =
        |stored: &[u8]| validate_context(&code, stored).map_err(|error| (error.at, error.problem));
    assert_eq!(said(&[0]), Err((0, "a parameter's number is cut off")));
    assert_eq!(said(&[2, 0, 1]), Err((0, "there is no such parameter")));
    assert_eq!(said(&[0, 0, 2]), Err((0, "a bool is neither 0 nor 1")));
    assert_eq!(said(&[0, 0, 1, 0, 0, 1]), Err((3, "the parameters are not in order")));
    let swapped = [&stored[3..], &stored[..3]].concat();
    assert_eq!(said(&swapped), Err((stored.len() - 3, "the parameters are not in order")));
    assert_eq!(said(&stored[..stored.len() - 1]), Err((3, "a value does not have its form")));
}

#[test]
fn an_error_is_one_line() {
    let error = validate(b"no code").unwrap_err();
    assert_eq!(error.to_string(), "the header does not fit the bytes at byte 0");
}
