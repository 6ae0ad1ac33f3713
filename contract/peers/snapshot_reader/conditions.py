"""Conditions on relationships: docs/snapshot-conditions.md."""

import bytecode
from machine import Machine, OutOfSteps
from operators import Fatal
from texts import exact_double, read_address, read_decimal, read_duration, read_timestamp, whole
from values import (
    ADDRESS,
    ANY,
    BOOL,
    DOUBLE,
    DURATION,
    INT,
    LIST,
    MAP,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    Bytes,
    Value,
    boolean,
)

PARSERS = {DURATION: read_duration, TIMESTAMP: read_timestamp, ADDRESS: read_address}


class Unfit(Exception):
    """A request's value does not have the type of its parameter."""


class Conditions:
    def __init__(self, conditions):
        self.codes = [bytecode.decode(code) for _, code in conditions]

    def context(self, number, data):
        """The values that a relationship's context gives, by the parameters' names."""
        parameters = self.codes[number].parameters
        reader, following, context = Bytes(data, "contexts"), 0, {}
        while not reader.is_at_end():
            parameter = reader.number("H")
            reader.need(following <= parameter < len(parameters), "no such parameter, or out of order")
            name, of = parameters[parameter]
            context[name] = reader.value(of)
            following = parameter + 1
        return context

    def holds(self, number, stored, asked, steps):
        """True or false; None where the condition fails."""
        code = self.codes[number]
        if not code.parameters and asked:
            return None
        try:
            values = [
                stored[name] if name in stored else typed(asked[name], of, steps)
                for name, of in code.parameters
                if name in stored or name in asked
            ]
            if len(values) < len(code.parameters):
                return None
            answer = Machine(code, values, steps).run()
        except (Unfit, Fatal, OutOfSteps):
            return None
        return answer.data if answer.kind == BOOL else None


def typed(json, of, steps):
    """A request's JSON as a value of a parameter's type."""
    kind, inner = of[0], of[1:]
    if kind == ANY:
        return anything(json)
    if kind in (LIST, MAP) and isinstance(json, list if kind == LIST else dict):
        if inner[0] == ANY:
            return anything(json)
        steps.take(len(json))
        if kind == LIST:
            return Value(LIST, tuple(typed(element, inner, steps) for element in json))
        members = ((Value(STRING, key), typed(json[key], inner, steps)) for key in json)
        return Value(MAP, tuple(members))
    return Value(kind, scalar(kind, json))


def scalar(kind, json):
    is_text = isinstance(json, str)
    is_number = isinstance(json, (int, float)) and not isinstance(json, bool)
    if kind == BOOL and isinstance(json, bool) or kind == STRING and is_text:
        return json
    data = None
    if kind in PARSERS and is_text:
        data = PARSERS[kind](json)
    elif kind in (DOUBLE, INT, UINT) and (is_text or is_number):
        number = read_decimal(json) if is_text else double(json)
        convert = exact_double if kind == DOUBLE else whole
        data = None if number is None else convert(number)
        if kind == UINT and data is not None and data < 0:
            data = None
    if data is None:
        raise Unfit
    return data


def anything(json):
    if json is None:
        return Value(NULL, None)
    if isinstance(json, bool):
        return boolean(json)
    if isinstance(json, (int, float)):
        return Value(DOUBLE, double(json))
    if isinstance(json, str):
        return Value(STRING, json)
    if isinstance(json, list):
        return Value(LIST, tuple(anything(element) for element in json))
    return Value(MAP, tuple((Value(STRING, key), anything(json[key])) for key in json))


def double(number):
    """A number of JSON: the nearest double."""
    try:
        return float(number)
    except OverflowError:
        raise Unfit from None
