"""Runs the instructions of a condition: docs/snapshot-conditions.md#instructions."""

import operators as do
from values import BOOL, ERROR, INT, LIST, MAP, NULL, STRING, Value, boolean, error

NO_OVERLOAD = do.NO_OVERLOAD
ONE = {0x20: do.negation, 0x21: do.negate, 0x22: do.size, 0x23: do.to_bool, 0x24: do.to_double}
ONE |= {0x25: do.to_duration, 0x26: do.to_int, 0x27: do.to_address, 0x28: do.to_string}
ONE |= {0x29: do.to_timestamp, 0x2A: do.to_uint, 0x2B: do.type_of}
ORDERS = {0x44: (-1,), 0x45: (-1, 0), 0x46: (1,), 0x47: (0, 1)}
SEARCHES = {0x4F: "__contains__", 0x50: "endswith", 0x51: "startswith"}
EXACT = {0x49: do.subtract, 0x4A: do.multiply, 0x4B: do.divide, 0x4C: do.remainder, 0x52: do.in_cidr}
COUNTED = {0x43: do.not_equal, 0x48: do.add, 0x4D: do.is_in, 0x4E: do.index, 0x53: do.push}


class OutOfSteps(Exception):
    """No steps are left."""


class Steps:
    def __init__(self, left):
        self.left = left

    def take(self, count):
        self.left -= count
        if self.left < 0:
            self.left = 0
            raise OutOfSteps


class Machine:
    def __init__(self, code, values, steps):
        self.code, self.steps, self.stack, self.at = code, steps, [], 0
        self.slots = values + [Value(NULL, None)] * (code.slots - len(values))

    def run(self):
        """The value that is left."""
        while self.at < self.code.end:
            self.steps.take(1)
            first, operands, self.at = self.code.instructions[self.at]
            if first >= 0x20:
                self.stack.append(self.operation(first, operands))
            elif first >= 0x14:
                self.loop(first, *operands)
            else:
                self.flow(first, *operands)
        return self.stack.pop()

    def operation(self, first, operands):
        if first == 0x64:
            value, key, into = self.stack.pop(), self.stack.pop(), self.stack.pop()
            return do.result(lambda *three: do.insert(*three, self.steps), into, key, value)
        right = self.stack.pop()
        if first in ONE:
            return self.one(first, right)
        if first == 0x63:
            return do.result(lambda value: do.part(value, *operands), right)
        if first in (0x60, 0x61, 0x62):
            return do.result(lambda value: self.named(first, value, *operands), right)
        left = self.stack.pop()
        if first in (0x40, 0x41):
            return do.logic(left, right, first == 0x41)
        return do.result(lambda a, b: self.two(first, a, b), left, right)

    def one(self, first, operand):
        if first == 0x22 and operand.kind == STRING:
            self.steps.take(len(operand.data.encode()) // 64)
        made = do.result(ONE[first], operand)
        if first == 0x28 and operand.kind not in (BOOL, STRING) and made.kind == STRING:
            self.steps.take(-(-len(made.data) // 32))
        return made

    def two(self, first, left, right):
        if first == 0x42:
            return boolean(do.equal(left, right, self.steps))
        if first in ORDERS:
            return boolean(do.order(left, right, self.steps) in ORDERS[first])
        if first in SEARCHES:
            return do.search(left, right, SEARCHES[first], self.steps)
        if first in EXACT:
            return EXACT[first](left, right)
        return COUNTED[first](left, right, self.steps)

    def named(self, first, value, operand):
        if first == 0x62:
            if value.kind != STRING:
                return do.no_overload(value)
            self.steps.take(len(value.data.encode()) // 16)
            return boolean(occurs(operand, value.data.encode()))
        key = Value(STRING, operand)
        if value.kind != MAP:
            return NO_OVERLOAD if first == 0x60 or value.kind == LIST else boolean(False)
        if first == 0x61:
            return boolean(do.find(value, key, self.steps) is not None)
        return do.index(value, key, self.steps)

    def flow(self, first, operand, *more):
        if first == 0x01:
            self.stack.append(operand)
        elif first == 0x02:
            self.stack.append(self.slots[operand])
        elif first == 0x03:
            self.slots[operand] = self.stack.pop()
        elif first == 0x10:
            self.at = operand
        elif first in (0x11, 0x12):
            if self.stack[-1] == boolean(first == 0x12):
                self.at = operand
        else:
            condition = self.stack.pop()
            if condition == boolean(False):
                self.at = operand
            elif condition != boolean(True):
                self.stack.append(as_error(condition))
                self.at = more[0]

    def loop(self, first, operand, target=None):
        if first == 0x14:
            self.start_loop(operand, target)
        elif first == 0x15:
            elements, at = self.slots[operand], self.slots[operand + 1]
            if elements.kind != LIST or at.kind != INT:
                raise do.Fatal("no loop was started")
            if at.data >= len(elements.data):
                self.at = target
            else:
                self.slots[operand + 2] = elements.data[at.data]
                self.slots[operand + 1] = Value(INT, at.data + 1)
        elif first == 0x16:
            if self.stack.pop() == boolean(False):
                self.at = operand
        elif first == 0x17:
            condition = self.stack.pop()
            if condition != boolean(True):
                self.at = target
                if condition != boolean(False):
                    self.slots[operand] = as_error(condition)
        elif first == 0x18:
            element = self.stack.pop()
            pushed = do.result(lambda a, b: do.push(a, b, self.steps), self.slots[operand], element)
            self.slots[operand] = pushed
        else:
            self.at = operand

    def start_loop(self, base, end):
        elements = self.stack.pop()
        if elements.kind == MAP:
            self.steps.take(len(elements.data))
            elements = Value(LIST, tuple(key for key, _ in elements.data))
        if elements.kind == LIST:
            self.slots[base], self.slots[base + 1] = elements, Value(INT, 0)
        else:
            self.stack.append(as_error(elements))
            self.at = end


def as_error(value):
    return value if value.kind == ERROR else error("no such overload")


def occurs(pattern, text):
    state, class_of, rows = pattern
    for byte in text:
        if state < 2:
            return state == 1
        state = rows[state - 2][class_of[byte]]
    return (rows[state - 2][-1] if state >= 2 else state) == 1
