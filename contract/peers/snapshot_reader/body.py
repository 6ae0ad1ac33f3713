"""The body of a snapshot: sections and the model. docs/snapshot.md."""

import dataclasses
import struct

from refusal import body as refuse
from refusal import need

SECTIONS = (
    "strings types relations restrictions plans conditions code parents runs offsets rows conditioned"
    " contexts name-offsets names slots records"
).split()
DEEPEST_PLAN = 64
SHARED, OF_RECORDS, TENANT = 1, 2, 4
OBJECT, USERSET, EVERYBODY = 0, 1, 2


def words(data, part):
    need(len(data) % 4 == 0, part, "its length is no multiple of four")
    return struct.unpack(f"<{len(data) // 4}I", data)


def table(data, width, part):
    flat = words(data, part)
    need(len(flat) % width == 0, part, "its length is no multiple of its rows'")
    return [flat[at : at + width] for at in range(0, len(flat), width)]


def split(data):
    """The sections by name."""
    need(len(data) >= 80 and data[:4] == b"MSNB", "body", "this is no body")
    need(data[4:8] == b"\1\0\0\0", "body", "another format version")
    need(data[8:12] == b"\x11\0\0\0", "body", "another number of sections")
    sections, at = {}, 80
    for name, length in zip(SECTIONS, struct.unpack_from("<17I", data, 12)):
        end = at + length
        padded = end + -end % 4
        need(padded <= len(data), "body", f"the section {name} is cut off")
        need(not any(data[end:padded]), "body", f"what follows the section {name} is not zero")
        sections[name], at = data[at:end], padded
    need(at == len(data), "body", "bytes after the last section")
    return sections


@dataclasses.dataclass
class Type:
    name: str
    flags: int
    count: int
    relations: range
    runs: range
    parents: range
    width: int
    first: int = 0
    columns: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Relation:
    type: int
    name: str
    plan: tuple
    restrictions: list


@dataclasses.dataclass
class Restriction:
    type: int
    form: int
    relation: int
    condition: int


class Model:
    """What the first eight sections say."""

    def __init__(self, sections):
        self.strings = read_strings(sections["strings"])
        self.types = self.read_types(sections)
        self.conditions = self.read_conditions(sections)
        self.relations = self.read_relations(sections)
        self.parents = [self.relation(p, "parents") for p in words(sections["parents"], "parents")]
        self.type_named = {t.name: number for number, t in enumerate(self.types)}
        self.check_parents()

    def text(self, number, part):
        need(number < len(self.strings), part, "a name beyond the strings")
        return self.strings[number]

    def relation(self, number, part):
        need(number < len(self.relations), part, "a relation beyond the relations")
        return number

    def read_types(self, sections):
        types, first = [], 0
        relations = runs = 0
        parents = len(words(sections["parents"], "parents"))
        for row in table(sections["types"], 10, "types"):
            name, flags, count, r, r_count, t, t_count, p, p_count, width = row
            need(flags < 8 and width in (1, 2, 4), "types", "an unknown flag or width")
            need(r == relations and t == runs, "types", "a gap in relations or runs")
            need(p + p_count <= parents, "types", "parents beyond the parents")
            relations, runs = r + r_count, t + t_count
            ranges = (range(r, relations), range(t, runs), range(p, p + p_count))
            types.append(Type(self.text(name, "types"), flags, count, *ranges, width, first))
            first += count
        need(relations * 24 == len(sections["relations"]), "types", "relations of no type")
        need(runs * 8 == len(sections["runs"]), "types", "runs of no type")
        need(ascending([t.name for t in types]), "types", "the names are out of order")
        need(sum(t.flags & TENANT != 0 for t in types) <= 1, "types", "two tenant types")
        self.objects = first
        return types

    def read_conditions(self, sections):
        code, conditions = sections["code"], []
        for name, start, length in table(sections["conditions"], 3, "conditions"):
            need(start + length <= len(code), "conditions", "code beyond the code")
            conditions.append((self.text(name, "conditions"), code[start : start + length]))
        return conditions

    def read_relations(self, sections):
        rows = table(sections["relations"], 6, "relations")
        plans = words(sections["plans"], "plans")
        restrictions = table(sections["restrictions"], 4, "restrictions")
        relations = []
        for number, (owner, name, start, length, first, count) in enumerate(rows):
            need(owner < len(self.types), "relations", "a type beyond the types")
            need(number in self.types[owner].relations, "relations", "a relation of another type")
            need(start + length <= len(plans), "relations", "a plan beyond the plans")
            need(first + count <= len(restrictions), "relations", "restrictions beyond the section")
            plan, rest = self.read_plan(plans[start : start + length], self.types[owner].relations, 1)
            need(not rest, "plans", "words after a plan")
            stores = [
                self.read_restriction(row, rows) for row in restrictions[first : first + count]
            ]
            relations.append(Relation(owner, self.text(name, "relations"), plan, stores))
            need(stores or not stores_something(plan), "plans", "no restrictions for what is stored")
            if stores:
                self.types[owner].columns.append(number)
        for tupleset in (t for relation in relations for t in tuplesets(relation.plan)):
            need(relations[tupleset].restrictions, "plans", "a tupleset that stores nothing")
        for t in self.types:
            names = [relations[number].name for number in t.relations]
            need(ascending(names), "relations", "the names are out of order")
        return relations

    def read_restriction(self, row, relations):
        subject, form, relation, condition = row
        part = "restrictions"
        need(subject < len(self.types) and form <= EVERYBODY, part, "an unknown type or form")
        if form == USERSET:
            need(relation in self.types[subject].relations, part, "a relation of another type")
        else:
            need(relation == 0, part, "a relation that means nothing")
        need(condition <= len(self.conditions), part, "a condition beyond the conditions")
        return Restriction(subject, form, relation, condition)

    def read_plan(self, rest, own, level):
        """A plan over the relations of a type as nested tuples, and the words that follow it."""
        need(level <= DEEPEST_PLAN and rest, "plans", "too deep, or cut off")
        kind, rest = rest[0], rest[1:]
        if kind == 0:
            return ("stored",), rest
        if kind == 5:
            first, rest = self.read_plan(rest, own, level + 1)
            second, rest = self.read_plan(rest, own, level + 1)
            return ("but not", first, second), rest
        need(kind <= 4 and rest, "plans", "an unknown plan, or cut off")
        number, rest = rest[0], rest[1:]
        if kind in (1, 2):
            need(number in own, "plans", "a relation of another type")
        if kind == 1:
            return ("same", number), rest
        if kind == 2:
            need(rest and 2 * rest[0] < len(rest), "plans", "cut off")
            end = 1 + 2 * rest[0]
            pairs = dict(zip(rest[1:end:2], rest[2:end:2]))
            need(len(pairs) == rest[0], "plans", "one type twice")
            for owner, relation in pairs.items():
                need(owner < len(self.types), "plans", "a type beyond the types")
                need(relation in self.types[owner].relations, "plans", "a relation of another type")
            return ("from", number, pairs), rest[end:]
        need(number > 0, "plans", "no parts")
        parts = []
        for _ in range(number):
            part, rest = self.read_plan(rest, own, level + 1)
            parts.append(part)
        return ("one of" if kind == 3 else "all of", parts), rest

    def check_parents(self):
        for number, t in enumerate(self.types):
            for relation in (self.relations[self.parents[p]] for p in t.parents):
                fits = relation.type == number and relation.restrictions
                need(fits, "parents", "of another type, or one that stores nothing")


def parts_of(plan):
    """A plan with all plans within it."""
    yield plan
    inner = {"one of": plan[1:2], "all of": plan[1:2], "but not": (plan[1:],)}.get(plan[0], ())
    for part in (part for parts in inner for part in parts):
        yield from parts_of(part)


def stores_something(plan):
    return any(part[0] == "stored" for part in parts_of(plan))


def tuplesets(plan):
    return [part[1] for part in parts_of(plan) if part[0] == "from"]


def read_strings(data):
    part = "strings"
    need(len(data) >= 4, part, "cut off")
    count = int.from_bytes(data[:4], "little")
    start = 8 + 4 * count
    need(start <= len(data), part, "cut off")
    offsets = struct.unpack_from(f"<{count + 1}I", data, 4)
    texts = data[start:]
    need(offsets[0] == 0 and offsets[-1] == len(texts), part, "texts do not fill the section")
    need(ascending(offsets), part, "an empty text, or one out of order")
    return [utf8(texts[a:b], part) for a, b in zip(offsets, offsets[1:])]


def utf8(data, part):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise refuse(part, "a text is not UTF-8") from None


def ascending(items):
    """Whether each is above the one before. Texts compare as their UTF-8 does."""
    return all(a < b for a, b in zip(items, items[1:]))
