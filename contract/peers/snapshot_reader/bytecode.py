"""The code of a condition, decoded and checked: docs/snapshot-conditions.md#code."""

import dataclasses

from body import ascending, utf8
from refusal import need
from values import NULL, TYPE, Bytes

PART = "conditions"
LARGEST_CODE, MOST_SLOTS, DEEPEST_STACK = 262_144, 512, 256
# What follows the first byte: a slot, a target (as many as there are letters), or something else.
OPERANDS = {0x01: "constant", 0x02: "s", 0x03: "s", 0x10: "t", 0x11: "t", 0x12: "t", 0x13: "tt"}
OPERANDS |= {0x14: "st", 0x15: "st", 0x16: "t", 0x17: "st", 0x18: "s", 0x19: "t"}
OPERANDS |= {0x60: "name", 0x61: "name", 0x62: "pattern", 0x63: "part", 0x64: ""}
OPERANDS |= {byte: "" for byte in range(0x20, 0x2C)} | {byte: "" for byte in range(0x40, 0x54)}


@dataclasses.dataclass
class Code:
    """`instructions` by where they start: the first byte, its operands, where the next one is."""

    parameters: list
    slots: int
    instructions: dict
    end: int


def decode(data):
    need(len(data) <= LARGEST_CODE, PART, "the code is too long")
    frame = Bytes(data, PART)
    version, count, variables, stack = (frame.number("H") for _ in range(4))
    sizes = frame.number("I"), frame.number("I")
    need(version == 1, PART, "another version of code")
    need(count + variables <= MOST_SLOTS and stack <= DEEPEST_STACK, PART, "too many slots")
    parameters, instructions = Bytes(frame.take(sizes[0]), PART), frame.take(sizes[1])
    need(frame.is_at_end(), PART, "bytes after the instructions")
    code = Code([read_parameter(parameters) for _ in range(count)], count + variables, {}, sizes[1])
    need(parameters.is_at_end(), PART, "bytes after the parameters")
    need(ascending([name for name, _ in code.parameters]), PART, "parameters out of order")
    reader = Bytes(instructions, PART)
    while not reader.is_at_end():
        start = reader.at
        first = reader.number("B")
        operands = read_operands(reader, first, code.slots)
        code.instructions[start] = first, operands, reader.at
    check_flow(code, stack)
    return code


def read_parameter(data):
    name = utf8(data.take(data.number("H")), PART)
    of = data.type()
    need(of[-1] not in (NULL, TYPE), PART, "a type of no parameter")
    return name, of


def read_operands(reader, first, slots):
    need(first in OPERANDS, PART, "an unknown instruction")
    form = OPERANDS[first]
    if form == "constant":
        of = reader.type()
        constant = Bytes(reader.block(), PART)
        value = constant.value(of)
        need(constant.is_at_end(), PART, "bytes after a constant")
        return (value,)
    if form == "name":
        return (reader.text(),)
    if form == "pattern":
        return (read_pattern(reader.block()),)
    if form == "part":
        number, offset = reader.number("B"), reader.number("i")
        need(number <= 9, PART, "an unknown part")
        return number, offset
    operands = tuple(reader.number("H" if letter == "s" else "I") for letter in form)
    if form.startswith("s"):
        last = operands[0] + (2 if first in (0x14, 0x15) else 0)
        need(last < slots, PART, "there is no such slot")
    return operands


def read_pattern(data):
    """First state, classes by byte, and the rows of the states from 2 on."""
    reader = Bytes(data, PART)
    states, classes, first = (reader.number("H") for _ in range(3))
    class_of = reader.take(256)
    need(states >= 2 and 1 <= classes <= 256, PART, "the size of a pattern")
    need(max(class_of) < classes and first < states, PART, "a class or state that is not there")
    rows = [[reader.number("H") for _ in range(classes + 1)] for _ in range(states - 2)]
    need(reader.is_at_end(), PART, "bytes after a pattern")
    need(all(state < states for row in rows for state in row), PART, "a state that is not there")
    return first, class_of, rows


def check_flow(code, declared):
    """Every way to an instruction has one depth of the stack, and the end has one value."""
    depths = {0: 0}
    deepest = 0
    arriving = 0
    places = [*code.instructions, code.end]
    for place, following in zip(places, [*places[1:], None]):
        depth = arrive(depths, place, arriving)
        if following is None:
            need(depth == 1, PART, "the code does not end with one value")
            break
        first, operands, _ = code.instructions[place]
        arriving, ways = effect(first, operands, depth)
        for target, there in ways:
            if first == 0x19:
                need(target in code.instructions and target <= place, PART, "a jump back to nothing")
            else:
                need(following <= target <= code.end, PART, "a jump does not go ahead")
                need(target in code.instructions or target == code.end, PART, "a jump into one")
            need(depths.setdefault(target, there) == there, PART, "ways differ in depth")
        deepest = max(deepest, arriving or 0)
    need(deepest <= declared, PART, "the stack grows beyond its declared depth")


def arrive(depths, place, arriving):
    if arriving is None:
        need(place in depths, PART, "no way leads to an instruction")
        return depths[place]
    need(depths.setdefault(place, arriving) == arriving, PART, "ways differ in depth")
    return arriving


def effect(first, operands, depth):
    """The depth after an instruction, None if it never goes on; and where it jumps, with that depth."""
    pops = {0x01: 0, 0x02: 0, 0x10: 0, 0x15: 0, 0x19: 0, 0x64: 3}.get(first, 1)
    if 0x40 <= first <= 0x53:
        pops = 2
    need(depth >= pops, PART, "the stack has too few values")
    if first in (0x10, 0x19):
        return None, [(operands[0], depth)]
    if first in (0x11, 0x12):
        return depth, [(operands[0], depth)]
    if first == 0x13:
        return depth - 1, [(operands[0], depth - 1), (operands[1], depth)]
    if first == 0x14:
        return depth - 1, [(operands[1], depth)]
    if first == 0x15:
        return depth, [(operands[1], depth)]
    if first == 0x16:
        return depth - 1, [(operands[0], depth - 1)]
    if first == 0x17:
        return depth - 1, [(operands[1], depth - 1)]
    if first in (0x03, 0x18):
        return depth - 1, []
    return depth - pops + 1, []
