"""Values of conditions, and their bytes. docs/snapshot-conditions.md#values."""

import dataclasses
import struct

from body import ascending, utf8
from refusal import body as refuse
from refusal import need

ANY, BOOL, DOUBLE, DURATION, INT, ADDRESS, LIST, MAP, STRING, TIMESTAMP, UINT, NULL, TYPE = range(13)
ERROR = "error"
DEEPEST_TYPE, DEEPEST_VALUE = 8, 32
FARTHEST_SECOND, WIDEST_OFFSET = 253_402_400_000, 90_000


@dataclasses.dataclass(frozen=True)
class Value:
    """`data` is a tuple of values for a list, of pairs for a map; (seconds, nanoseconds, offset) for
    a timestamp, (version, number) for an address, a phrase for an error."""

    kind: object
    data: object


def boolean(data):
    return Value(BOOL, data)


def error(phrase):
    return Value(ERROR, phrase)


class Bytes:
    """Reads forward; what is not there, or does not have its form, is refused as of a part."""

    def __init__(self, data, part):
        self.data, self.part, self.at = data, part, 0

    def is_at_end(self):
        return self.at == len(self.data)

    def take(self, count):
        self.need(self.at + count <= len(self.data), "cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize(form)))[0]

    def block(self):
        return self.take(self.number("I"))

    def text(self):
        return utf8(self.block(), self.part)

    def need(self, holds, detail):
        need(holds, self.part, detail)

    def type(self):
        """A type after its length."""
        levels = self.take(self.number("B"))
        self.need(1 <= len(levels) <= DEEPEST_TYPE, "the levels of a type")
        outer, last = levels[:-1], levels[-1]
        self.need(last <= TYPE and last not in (LIST, MAP), "an unknown type")
        self.need(all(level in (LIST, MAP) for level in outer), "an unknown type")
        return levels

    def value(self, of, level=1):
        """A value of a type, checked whole."""
        self.need(level <= DEEPEST_VALUE, "a value is nested too deep")
        kind, inner = of[0], of[1:]
        if kind == ANY:
            kind, inner = self.number("B"), bytes([ANY])
        if kind in (LIST, MAP):
            return Value(kind, self.elements(kind, inner, level))
        return Value(kind, self.scalar(kind))

    def scalar(self, kind):
        if kind == BOOL:
            byte = self.number("B")
            self.need(byte <= 1, "a bool is neither 0 nor 1")
            return byte == 1
        if kind in (INT, DURATION):
            return self.number("q")
        if kind == UINT:
            return self.number("Q")
        if kind == DOUBLE:
            return self.number("d")
        if kind == STRING:
            return self.text()
        if kind == NULL:
            return None
        if kind == TYPE:
            byte = self.number("B")
            self.need(ANY < byte <= TYPE, "a type is no type of a value")
            return byte
        if kind == TIMESTAMP:
            seconds, nanoseconds, offset = self.number("q"), self.number("I"), self.number("i")
            within = abs(seconds) <= FARTHEST_SECOND and abs(offset) <= WIDEST_OFFSET
            self.need(within and nanoseconds < 10**9, "a timestamp is out of range")
            return seconds, nanoseconds, offset
        if kind == ADDRESS:
            return self.address()
        raise refuse(self.part, "a value of no kind")

    def address(self):
        version = self.number("B")
        number = int.from_bytes(self.take(16), "little")
        canonical = number < 1 << 32 if version == 4 else version == 6 and number >> 32 != 0xFFFF
        self.need(canonical, "an address is not in its canonical form")
        return version, number

    def elements(self, kind, inner, level):
        block = Bytes(self.block(), self.part)
        count = block.number("I")
        self.need(4 * count <= len(block.data), "cut off")
        starts = [block.number("I") for _ in range(count)]
        first, elements = block.at, []
        for start in starts:
            self.need(block.at == first + start, "an element is not where its offset says")
            key = Value(STRING, block.text()) if kind == MAP else None
            value = block.value(inner, level + 1)
            elements.append(value if key is None else (key, value))
        self.need(block.is_at_end(), "bytes after the last element")
        if kind == MAP:
            self.need(ascending([key.data for key, _ in elements]), "keys out of order")
        return tuple(elements)
