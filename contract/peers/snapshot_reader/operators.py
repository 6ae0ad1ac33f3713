"""What instructions do to values: docs/snapshot-conditions.md#evaluation."""

import fractions
import math

from texts import (
    FIRST_SECOND,
    LAST_SECOND,
    LARGEST,
    SECOND,
    civil,
    read_address,
    read_double,
    read_duration,
    read_network,
    read_timestamp,
    units,
    write_double,
    write_duration,
    write_timestamp,
)
from values import (
    ADDRESS,
    BOOL,
    DEEPEST_VALUE,
    DOUBLE,
    DURATION,
    ERROR,
    INT,
    LIST,
    MAP,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Value,
    boolean,
    error,
)

NUMBERS = (INT, UINT, DOUBLE)
ORDERED = NUMBERS + (BOOL, STRING, TIMESTAMP, DURATION)
TRUE, FALSE = "1 t T TRUE true True".split(), "0 f F FALSE false False".split()
NO_OVERLOAD = error("no such overload")


class Fatal(Exception):
    """What nothing absorbs: the evaluation fails."""


class Problem(Exception):
    """An error in the midst of an operation, which is then its result."""


def no_overload(value):
    if value.kind == ADDRESS:
        raise Fatal("an address")
    raise Problem("no such overload")


def result(operation, *operands):
    """The operation's result; an error where an operand is one, or there is none."""
    for operand in operands:
        if operand.kind == ERROR:
            return operand
    try:
        return operation(*operands)
    except Problem as problem:
        return error(str(problem))


def read_digits(text):
    """The number of ASCII digits, or one that fits nowhere: Python refuses to read very many."""
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) <= 20 else 1 << 80


def integer(kind, number):
    low, high = (0, 2 * LARGEST) if kind == UINT else (-LARGEST, LARGEST)
    if not low <= number < high:
        raise Problem("overflow")
    return Value(kind, number)


def read(parse, text, kind):
    found = parse(text)
    if found is None:
        raise Problem("a text is none")
    return Value(kind, found)


# One operand.


def negate(value):
    if value.kind in (INT, DURATION):
        return integer(value.kind, -value.data)
    return Value(DOUBLE, -value.data) if value.kind == DOUBLE else no_overload(value)


def size(value):
    return Value(INT, len(value.data)) if value.kind in (STRING, LIST, MAP) else no_overload(value)


def negation(value):
    return boolean(not value.data) if value.kind == BOOL else NO_OVERLOAD


def to_bool(value):
    if value.kind == BOOL:
        return value
    if value.kind == STRING and value.data in TRUE + FALSE:
        return boolean(value.data in TRUE)
    return NO_OVERLOAD


def to_double(value):
    if value.kind in NUMBERS:
        return Value(DOUBLE, float(value.data))
    return read(read_double, value.data, DOUBLE) if value.kind == STRING else NO_OVERLOAD


def to_duration(value):
    if value.kind == DURATION:
        return value
    return read(read_duration, value.data, DURATION) if value.kind == STRING else NO_OVERLOAD


def to_int(value):
    if value.kind in (INT, DURATION, UINT):
        return integer(INT, value.data)
    if value.kind == DOUBLE:
        within = -float(LARGEST) < value.data < float(LARGEST)
        return Value(INT, int(value.data)) if within else error("overflow")
    if value.kind == TIMESTAMP:
        return Value(INT, value.data[0])
    if value.kind == STRING:
        digits = value.data[1:] if value.data[:1] in ("+", "-") else value.data
        if digits.isascii() and digits.isdigit():
            number = read_digits(digits)
            return integer(INT, -number if value.data[0] == "-" else number)
        return error("a text is no int")
    return NO_OVERLOAD


def to_uint(value):
    if value.kind in (INT, UINT):
        return integer(UINT, value.data)
    if value.kind == DOUBLE:
        within = 0 <= value.data < 2.0 * LARGEST
        return Value(UINT, int(value.data)) if within else error("overflow")
    if value.kind == STRING and value.data.isascii() and value.data.isdigit():
        return integer(UINT, read_digits(value.data))
    return NO_OVERLOAD


def to_address(value):
    return read(read_address, value.data, ADDRESS) if value.kind == STRING else NO_OVERLOAD


def to_timestamp(value):
    if value.kind == TIMESTAMP:
        return value
    if value.kind == INT:
        return instant(value.data, 0, 0)
    if value.kind == STRING:
        return read(lambda text: read_timestamp(text, strictly=True), value.data, TIMESTAMP)
    return NO_OVERLOAD


def instant(seconds, nanoseconds, offset):
    if not FIRST_SECOND <= seconds <= LAST_SECOND:
        raise Problem("a time is out of range")
    return Value(TIMESTAMP, (seconds, nanoseconds, offset))


def to_string(value):
    if value.kind == BOOL:
        return Value(STRING, "true" if value.data else "false")
    writers = {STRING: str, INT: str, UINT: str, DOUBLE: write_double}
    writers |= {TIMESTAMP: write_timestamp, DURATION: write_duration}
    writer = writers.get(value.kind)
    return Value(STRING, writer(value.data)) if writer else NO_OVERLOAD


def type_of(value):
    return Value(TYPE, value.kind)


def part(value, number, offset):
    if value.kind == DURATION and 6 <= number <= 9:
        if number == 9:
            return Value(INT, int(math.copysign(abs(value.data) // 10**6, value.data)))
        unit = {6: 3600 * SECOND, 7: 60 * SECOND, 8: SECOND}[number]
        return Value(INT, int(units(value.data, unit)))
    if value.kind != TIMESTAMP:
        return NO_OVERLOAD
    seconds, nanoseconds, _ = value.data
    date, year, of_day = civil(seconds, offset)
    day_of_week, day_of_year = date.isoweekday() % 7, date.timetuple().tm_yday - 1
    parts = [date.day, date.day - 1, day_of_week, day_of_year, year, date.month - 1]
    parts += [of_day // 3600, of_day // 60 % 60, of_day % 60, nanoseconds // 10**6]
    return Value(INT, parts[number])


# Two operands.


def logic(left, right, deciding):
    for operand in (left, right):
        if operand == boolean(deciding):
            return operand
    for operand in (left, right):
        if operand.kind != BOOL:
            return operand if operand.kind == ERROR else NO_OVERLOAD
    return boolean(not deciding)


def compare_numbers(left, right):
    """Below, equal, above: -1, 0, 1; None with NaN, and with what is no number."""
    if left.kind not in NUMBERS or right.kind not in NUMBERS:
        return None
    a, b = left.data, right.data
    if (left.kind == DOUBLE) != (right.kind == DOUBLE):
        double, other = (left, right) if left.kind == DOUBLE else (right, left)
        low, high = (0.0, 2.0 * LARGEST) if other.kind == UINT else (-float(LARGEST), float(LARGEST))
        if low <= double.data <= high:
            a, b = float(a), float(b)
    if a != a or b != b:
        return None
    return (a > b) - (a < b)


def equal(left, right, steps, level=1):
    if level > DEEPEST_VALUE:
        raise Problem("values are nested too deep")
    if ERROR in (left.kind, right.kind):
        raise Problem("an element is an error")
    if NULL in (left.kind, right.kind):
        return left.kind == right.kind
    if left.kind == ADDRESS != right.kind:
        raise Problem("no such overload")
    if left.kind == right.kind == LIST:
        return all_equal(list(zip(left.data, right.data)), left, right, steps, level)
    if left.kind == right.kind == MAP:
        if len(left.data) != len(right.data):
            return False
        steps.take(len(left.data))
        pairs = ((value, find(right, key, steps)) for key, value in left.data)
        return all_equal(pairs, left, right, steps, level)
    if left.kind == right.kind == TIMESTAMP:
        return left.data[:2] == right.data[:2]
    if left.kind in NUMBERS and right.kind in NUMBERS:
        return compare_numbers(left, right) == 0
    if left.kind == right.kind == STRING:
        steps.take(min(len(left.data.encode()), len(right.data.encode())) // 64)
    return left.kind == right.kind and left.data == right.data


def all_equal(pairs, left, right, steps, level):
    if len(left.data) != len(right.data):
        return False
    problem = None
    for a, b in pairs:
        steps.take(1)
        try:
            if b is None or not equal(a, b, steps, level + 1):
                return False
        except Problem as found:
            problem = found
    if problem:
        raise problem
    return True


def not_equal(left, right, steps):
    if left.kind == ADDRESS != right.kind:
        return boolean(True)
    return boolean(not equal(left, right, steps))


def order(left, right, steps):
    """-1, 0, 1; None where NaN stands."""
    nan = any(v.kind == DOUBLE and math.isnan(v.data) for v in (left, right))
    if nan and left.kind in ORDERED:
        return None
    if left.kind == right.kind and left.kind in (BOOL, STRING, TIMESTAMP, DURATION):
        a, b = left.data, right.data
        if left.kind == TIMESTAMP:
            a, b = a[:2], b[:2]
        if left.kind == STRING:
            steps.take(min(len(a.encode()), len(b.encode())) // 64)
        return (a > b) - (a < b)
    compared = compare_numbers(left, right)
    return no_overload(left) if compared is None else compared


def add(left, right, steps):
    kinds = (left.kind, right.kind)
    if kinds in ((INT, INT), (UINT, UINT), (DURATION, DURATION)):
        return integer(left.kind, left.data + right.data)
    if kinds == (DOUBLE, DOUBLE):
        return Value(DOUBLE, left.data + right.data)
    if kinds == (TIMESTAMP, DURATION):
        return moved(left, right.data)
    if kinds == (DURATION, TIMESTAMP):
        return moved(right, left.data)
    if kinds == (STRING, STRING):
        steps.take(-(-len((left.data + right.data).encode()) // 32))
        return Value(STRING, left.data + right.data)
    if kinds == (LIST, LIST):
        steps.take(len(left.data) + len(right.data))
        return Value(LIST, left.data + right.data)
    return no_overload(left)


def moved(time, nanoseconds):
    seconds, before, offset = time.data
    more, after = divmod(before + nanoseconds, SECOND)
    return instant(seconds + more, after, offset)


def subtract(left, right):
    kinds = (left.kind, right.kind)
    if kinds in ((INT, INT), (UINT, UINT), (DURATION, DURATION)):
        return integer(left.kind, left.data - right.data)
    if kinds == (DOUBLE, DOUBLE):
        return Value(DOUBLE, left.data - right.data)
    if kinds == (TIMESTAMP, TIMESTAMP):
        between = (left.data[0] - right.data[0]) * SECOND
        integer(DURATION, between)
        return integer(DURATION, between + left.data[1] - right.data[1])
    if kinds == (TIMESTAMP, DURATION):
        return moved(left, integer(DURATION, -right.data).data)
    return no_overload(left)


def multiply(left, right):
    if left.kind == right.kind and left.kind in (INT, UINT):
        return integer(left.kind, left.data * right.data)
    if left.kind == right.kind == DOUBLE:
        return Value(DOUBLE, left.data * right.data)
    return no_overload(left)


def divide(left, right):
    if left.kind == right.kind and left.kind in (INT, UINT):
        return integer(left.kind, towards_zero(left.data, right.data))
    if left.kind == right.kind == DOUBLE:
        if right.data:
            return Value(DOUBLE, left.data / right.data)
        if not left.data or math.isnan(left.data):
            return Value(DOUBLE, math.nan)
        sign = math.copysign(1, left.data) * math.copysign(1, right.data)
        return Value(DOUBLE, sign * math.inf)
    return no_overload(left)


def remainder(left, right):
    if left.kind == right.kind and left.kind in (INT, UINT):
        quotient = integer(left.kind, towards_zero(left.data, right.data))
        return integer(left.kind, left.data - quotient.data * right.data)
    return no_overload(left)


def towards_zero(dividend, divisor):
    if divisor == 0:
        raise Problem("division by zero")
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def is_in(left, right, steps):
    if right.kind == MAP:
        return boolean(find(right, left, steps) is not None)
    if right.kind != LIST:
        return NO_OVERLOAD
    for element in right.data:
        steps.take(1)
        try:
            if equal(left, element, steps):
                return boolean(True)
        except Problem:
            continue
    return boolean(False)


def find(where, key, steps):
    """The value of a key of a map, or None."""
    if where.data and any(k.kind != STRING for k, _ in where.data):
        steps.take(len(where.data))
    return next((value for known, value in where.data if same_key(known, key)), None)


def same_key(known, key):
    if known.kind in (INT, UINT) and key.kind == DOUBLE:
        low, high = (0.0, 2.0 * LARGEST) if known.kind == UINT else (-float(LARGEST), float(LARGEST))
        within = low <= key.data < high if known.kind == UINT else low < key.data < high
        return within and fractions.Fraction(key.data) == known.data
    if known.kind in (INT, UINT) and key.kind in (INT, UINT):
        return known.data == key.data
    return known.kind == key.kind and known.kind in (BOOL, STRING) and known.data == key.data


def index(left, right, steps):
    if left.kind == MAP:
        found = find(left, right, steps)
        return error("no such key") if found is None else found
    if left.kind != LIST or right.kind not in NUMBERS:
        return NO_OVERLOAD
    place = right.data
    if right.kind == DOUBLE:
        if not -float(LARGEST) < place < float(LARGEST) or place != int(place):
            return error("no such index")
        place = int(place)
    return left.data[place] if 0 <= place < len(left.data) else error("no such index")


def search(left, right, how, steps):
    if left.kind != STRING or right.kind != STRING:
        return NO_OVERLOAD
    sizes = len(left.data.encode()), len(right.data.encode())
    steps.take((sum(sizes) if how == "__contains__" else min(sizes)) // 64)
    return boolean(getattr(left.data, how)(right.data))


def in_cidr(left, right):
    if left.kind != ADDRESS or right.kind != STRING:
        return NO_OVERLOAD
    network = read_network(right.data)
    if network is None:
        return error("a text is no CIDR network")
    version, number, length = network
    host_bits = (32 if version == 4 else 128) - length
    return boolean(left.data[0] == version and left.data[1] >> host_bits == number >> host_bits)


def push(left, right, steps):
    if left.kind != LIST:
        return NO_OVERLOAD
    steps.take(1)
    return Value(LIST, left.data + (right,))


def insert(into, key, value, steps):
    if key.kind not in (BOOL, INT, UINT, STRING) or into.kind != MAP:
        return NO_OVERLOAD
    steps.take(len(into.data) + 1)
    entries = list(into.data)
    for place, (known, _) in enumerate(entries):
        if known == key:
            entries[place] = (known, value)
            return Value(MAP, tuple(entries))
    return Value(MAP, (*entries, (key, value)))
