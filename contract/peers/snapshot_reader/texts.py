"""Texts of numbers, times and addresses: docs/snapshot-conditions.md#texts. None for what is none."""

import datetime
import fractions
import ipaddress
import math
import re

SECOND = 10**9
DAY = 86_400
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
LARGEST = 1 << 63
UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": SECOND, "m": 60 * SECOND}
UNITS["h"] = 3600 * SECOND
DECIMAL = re.compile(r"([+-]?)(?:([Ii]nf)|([0-9]*)(?:\.([0-9]*))?(?:([eEpP])([+-]?[0-9]+))?)\Z")
DOUBLE = re.compile(r"[+-]?(?:inf(?:inity)?|nan|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)\Z", re.I)
PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^.0-9]+)")
TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))\Z"
)
STRICT = re.compile(r".{10}T[0-9]{2}:[^,]*(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])\Z")


def read_decimal(text):
    """A fraction rounded to 64 bits, or an infinite float."""
    found = DECIMAL.match(text) if len(text.encode()) <= 64 else None
    if not found:
        return None
    sign, infinite, whole, part, base, power = found.groups()
    if infinite:
        return -math.inf if sign == "-" else math.inf
    digits, power = (whole or "") + (part or ""), int(power or 0)
    if not digits:
        return None
    number = int(digits)
    if not number:
        return -0.0 if sign == "-" else 0.0
    if abs(power) > 600_000_000:
        return None
    # Beyond every bound, or nearer to zero than every double: how far does not matter.
    power = min(max(power, -4000), 4000)
    value = fractions.Fraction(number, 10 ** len(part or ""))
    value *= fractions.Fraction(2 if base in ("p", "P") else 10) ** power
    return round_to_64_bits(-value if sign == "-" else value)


def round_to_64_bits(value):
    """Half to even."""
    shift = 64 - (abs(value.numerator).bit_length() - value.denominator.bit_length())
    scale = fractions.Fraction(2) ** shift
    if abs(value) * scale >= 1 << 64:
        scale /= 2
    return round(value * scale) / scale


def whole(number):
    """The int of a decimal or double that is whole; the nearest bound where it does not fit."""
    if isinstance(number, float) and not math.isfinite(number):
        return None
    if number != int(number):
        return None
    return min(max(int(number), -LARGEST), LARGEST - 1)


def exact_double(number):
    if isinstance(number, float):
        return number
    try:
        double = float(number)
    except OverflowError:
        return None
    return double if fractions.Fraction(double) == number else None


def read_double(text):
    """Go's ParseFloat: a number beyond the doubles, and a NaN with a sign, are none."""
    if len(text.encode()) > 1024 or not text.isascii() or not DOUBLE.match(text):
        return None
    double = float(text)
    if math.isinf(double) and any(c.isdigit() for c in text) or math.isnan(double) and len(text) > 3:
        return None
    return double


def write_double(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "-Inf" if value < 0 else "+Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    digits, exponent = shortest(value)
    if not -4 <= exponent < 6:
        return f"{digits}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"
    return plain(value)


def shortest(value):
    """The fewest digits with one before the point, and the exponent of ten."""
    sign = "-" if value < 0 else ""
    mantissa, _, power = repr(abs(value)).partition("e")
    whole_part, _, part = mantissa.partition(".")
    digits = whole_part + part
    power = int(power or 0) + len(whole_part) - 1
    stripped = digits.lstrip("0")
    power -= len(digits) - len(stripped)
    stripped = stripped.rstrip("0")
    return sign + stripped[0] + ("." + stripped[1:] if stripped[1:] else ""), power


def plain(value):
    """The fewest digits without an exponent."""
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    digits, power = shortest(value)
    sign = "-" if digits.startswith("-") else ""
    digits = digits.lstrip("-").replace(".", "")
    if power < 0:
        return sign + "0." + "0" * (-power - 1) + digits
    digits = digits.ljust(power + 1, "0")
    rest = digits[power + 1 :]
    return sign + digits[: power + 1] + ("." + rest if rest else "")


def read_duration(text):
    """Nanoseconds, unit by unit as Go adds them up."""
    if len(text.encode()) > 128:
        return None
    sign, rest = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
    if rest == "0":
        return 0
    if not rest:
        return None
    total = 0
    while rest:
        found = PART.match(rest)
        if not found or found[3] not in UNITS or not (found[1] or found[2]):
            return None
        unit = UNITS[found[3]]
        nanoseconds = int(found[1] or 0) * unit
        numerator, scale = fraction(found[2] or "")
        extra = int(float(numerator) * (float(unit) / scale))
        if nanoseconds > LARGEST or nanoseconds + extra > LARGEST:
            return None
        total += nanoseconds + extra
        if total > LARGEST:
            return None
        rest = rest[found.end() :]
    if sign == "-":
        return -total
    return total if total < LARGEST else None


def fraction(digits):
    """Numerator and scale of the digits after a point; those beyond 63 bits are dropped."""
    numerator, scale = 0, 1.0
    for digit in digits:
        following = numerator * 10 + int(digit)
        if numerator > (LARGEST - 1) // 10 or following > LARGEST:
            break
        numerator, scale = following, scale * 10.0
    return numerator, scale


def units(nanoseconds, unit):
    """Go's `Hours()` and so on: a double."""
    count = abs(nanoseconds) // unit
    rest = abs(nanoseconds) % unit
    sign = -1 if nanoseconds < 0 else 1
    return float(sign * count) + float(sign * rest) / float(unit)


def write_duration(nanoseconds):
    return plain(units(nanoseconds, SECOND)) + "s"


def read_timestamp(text, strictly=False):
    """Seconds since 1970, nanoseconds, and seconds east of UTC."""
    found = TIME.match(text) if len(text.encode()) <= 128 else None
    if not found or strictly and not STRICT.match(text):
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    digits, sign, east_hours, east_minutes = found.groups()[6:]
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= month <= 12 or not 1 <= day <= longest[month - 1]:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    if int(east_hours or 0) > 24 or int(east_minutes or 0) > 60:
        return None
    offset = int(east_hours or 0) * 3600 + int(east_minutes or 0) * 60
    offset = -offset if sign == "-" else offset
    # Python has no year 0, which repeats every 400 years.
    days = datetime.date(year or 400, month, day).toordinal() - (0 if year else 146_097)
    seconds = (days - 719_163) * DAY + hour * 3600 + minute * 60 + second - offset
    if strictly and not FIRST_SECOND <= seconds <= LAST_SECOND:
        return None
    return seconds, int((digits or "")[:9].ljust(9, "0")), offset


def civil(seconds, offset):
    """The date in the calendar and the second of the day, `offset` seconds east of UTC."""
    days, of_day = divmod(seconds + offset, DAY)
    # Python knows the years 1 to 9999; the calendar repeats every 400.
    cycles, day = divmod(days + 719_162, 146_097)
    date = datetime.date.fromordinal(day + 1)
    return date, date.year + 400 * cycles, of_day


def write_timestamp(time):
    seconds, nanoseconds, offset = time
    date, year, of_day = civil(seconds, offset)
    text = f"{year:04}-{date.month:02}-{date.day:02}"
    text += f"T{of_day // 3600:02}:{of_day // 60 % 60:02}:{of_day % 60:02}"
    if nanoseconds:
        text += "." + f"{nanoseconds:09}".rstrip("0")
    minutes = abs(offset) // 60
    if minutes == 0:
        return text + "Z"
    return text + f"{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def read_address(text):
    """Version and number; an IPv6 address that maps an IPv4 one is that."""
    address = any_address(text)
    if address is None:
        return None
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.version, int(mapped)


def any_address(text):
    if len(text) > 45 or "%" in text:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def read_network(text):
    """Version, number, and the length of the prefix."""
    address, slash, length = text.rpartition("/")
    found = any_address(address) if slash else None
    if found is None or not re.fullmatch(r"0|[1-9][0-9]{0,2}", length):
        return None
    length = int(length)
    if length > found.max_prefixlen:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None and length >= 96:
        return 4, int(mapped), length - 96
    return found.version, int(found), length
