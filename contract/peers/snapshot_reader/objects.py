"""Names, tenants and relationships of objects. docs/snapshot.md."""

import dataclasses

from body import EVERYBODY, OF_RECORDS, SHARED, TENANT, ascending, table, utf8, words
from refusal import need
from siphash import halves, siphash13

FREE = 0xFFFFFFFF
SEVERAL = 0xFFFFFFFF


@dataclasses.dataclass
class Row:
    """One relationship: what is stored, and what its context gives to its condition."""

    restriction: object
    local: int
    context: dict = None
    stored: bytes = None


class Objects:
    """The objects of a model: `ids` by type, and in each the local numbers in order."""

    def __init__(self, sections, model, conditions):
        self.model, self.conditions = model, conditions
        self.ids, starts = self.read_names(sections)
        self.locals = [{name: local for local, name in enumerate(ids)} for ids in self.ids]
        for t, ids, by_name in zip(model.types, self.ids, self.locals):
            need(len(ids) == len(by_name), "names", f"one id twice in {t.name}")
        self.check_slots(sections, starts)
        tenant_types = [number for number, t in enumerate(model.types) if t.flags & TENANT]
        self.tenant_type = tenant_types[0] if tenant_types else None
        self.tenants = [self.read_tenants(t, sections) for t in model.types]
        self.rows = self.read_rows(sections)

    def read_names(self, sections):
        data, part = sections["names"], "names"
        need(len(data) % 4 == 0, part, "its length is no multiple of four")
        offsets = words(sections["name-offsets"], "name-offsets")
        need(len(offsets) == -(-self.model.objects // 4), "name-offsets", "their number")
        ids, starts, at = [[] for _ in self.model.types], [], 0
        for kind, t in enumerate(self.model.types):
            for number in range(t.first, t.first + t.count):
                need(at + 6 <= len(data), part, "cut off")
                need(int.from_bytes(data[at : at + 4], "little") == number, part, "another number")
                if number % 4 == 0:
                    need(offsets[number // 4] * 4 == at, "name-offsets", "not where a name starts")
                end = at + 6 + int.from_bytes(data[at + 4 : at + 6], "little")
                padded = end + -end % 4
                need(at + 6 < end and padded <= len(data), part, "empty, or cut off")
                need(not any(data[end:padded]), part, "what follows an id is not zero")
                ids[kind].append(utf8(data[at + 6 : end], part))
                starts.append((at // 4, kind))
                at = padded
        need(at == len(data), part, "bytes after the last name")
        return ids, starts

    def check_slots(self, sections, starts):
        """Every name is found where the search looks for it; nothing else is in the table."""
        data, part = sections["slots"], "slots"
        need(len(data) >= 16, part, "cut off")
        first, second = halves(data[:16])
        slots = words(data[16:], part)
        need(len(slots) > len(starts), part, "too few slots")
        bits = min(max((len(sections["names"]) // 4 + 1).bit_length(), 1), 31)
        taken = [slot for slot in slots if slot != FREE]
        need(len(taken) == len(starts), part, "a name without its slot")
        where = {slot & ((1 << bits) - 1) for slot in taken}
        need(where == {start for start, _ in starts}, part, "a slot of no name")
        for (start, kind), name in zip(starts, (name for ids in self.ids for name in ids)):
            hashed = siphash13(first ^ kind, second, name.encode())
            wanted = start | (hashed & 0xFFFFFFFF) >> bits << bits
            at = (hashed >> 32) * len(slots) >> 32
            while slots[at] not in (FREE, wanted):
                at = (at + 1) % len(slots)
            need(slots[at] == wanted, part, "a name that is not found")

    def read_tenants(self, t, sections):
        """The tenant of each object of a type: a local number, None, or "several"."""
        part = "runs"
        runs = [table(sections["runs"], 2, part)[run] for run in t.runs]
        starts = [start for start, _ in runs]
        need(ascending(starts + [t.count]), part, "out of order")
        need(starts[:1] in ([], [0]), part, "objects before the first run")
        tenant_type = self.tenant_type
        count = 0 if tenant_type is None else self.model.types[tenant_type].count
        tenants = []
        for (start, tenant), end in zip(runs, starts[1:] + [t.count]):
            if tenant == SEVERAL:
                need(t.flags & OF_RECORDS, part, "several tenants outside of records")
            else:
                need(tenant <= count, part, "a tenant beyond the tenants")
            meaning = "several" if tenant == SEVERAL else tenant - 1 if tenant else None
            tenants += [meaning] * (end - start)
        if t.flags & SHARED:
            return ["shared"] * t.count
        return list(range(t.count)) if t.flags & TENANT else tenants or [None] * t.count

    def read_rows(self, sections):
        """The relationships by (type, local number), then by relation."""
        data, part = sections["rows"], "rows"
        flat = words(data, part)
        offsets = words(sections["offsets"], "offsets")
        contexts = Contexts(sections, self.conditions)
        blocks = sum(t.count for t in self.model.types if t.columns)
        need(len(offsets) == blocks + 1, "offsets", "their number")
        need(offsets[0] == 0 and offsets[-1] == len(flat), "offsets", "blocks do not fill the rows")
        need(all(a <= b for a, b in zip(offsets, offsets[1:])), "offsets", "out of order")
        rows, block = {}, 0
        for kind, t in enumerate(self.model.types):
            for local in range(t.count if t.columns else 0):
                start, end = offsets[block : block + 2]
                if start < end:
                    rows[kind, local] = self.read_block(t, data, flat, (start, end), contexts)
                block += 1
        contexts.check_end()
        return rows

    def read_block(self, t, data, flat, block, contexts):
        start, end = block
        size = t.width * len(t.columns)
        first = start + -(-size // 4)
        need(first <= end, "rows", "a block is cut off")
        head = data[start * 4 : first * 4]
        need(not any(head[size:]), "rows", "what follows the ends is not zero")
        ends = [int.from_bytes(head[a : a + t.width], "little") for a in range(0, size, t.width)]
        need(ends == sorted(ends) and ends[-1] == end - first > 0, "rows", "the ends of a block")
        rows = {}
        for column, a, b in zip(t.columns, [0] + ends, ends):
            subjects = flat[first + a : first + b]
            need(ascending(subjects), "rows", "subjects out of order")
            rows[column] = [
                self.read_subject(column, subject, first + a + at, contexts)
                for at, subject in enumerate(subjects)
            ]
        return rows

    def read_subject(self, column, subject, at, contexts):
        restrictions = self.model.relations[column].restrictions
        shift = 32 - (len(restrictions) - 1).bit_length()
        position, local = subject >> shift, subject & ((1 << shift) - 1)
        need(position < len(restrictions), "rows", "a restriction beyond the relation's")
        restriction = restrictions[position]
        count = 1 if restriction.form == EVERYBODY else self.model.types[restriction.type].count
        need(local < count, "rows", "a subject beyond its type")
        taken = contexts.take(at, restriction.condition) if restriction.condition else ()
        return Row(restriction, local, *taken)


class Contexts:
    """The contexts of conditioned relationships, taken in the order of the rows."""

    def __init__(self, sections, conditions):
        self.conditions = conditions
        self.entries = table(sections["conditioned"], 2, "conditioned")
        self.data = sections["contexts"]
        starts = [start for _, start in self.entries] + [len(self.data)]
        need(starts[0] == 0 and starts == sorted(starts), "contexts", "out of order")
        self.ends = starts[1:]
        self.next = 0

    def take(self, at, condition):
        need(self.next < len(self.entries), "contexts", "a relationship without its entry")
        where, start = self.entries[self.next]
        need(where == at, "contexts", "an entry of another place")
        end = self.ends[self.next]
        self.next += 1
        data = self.data[start:end]
        return self.conditions.context(condition - 1, data), data

    def check_end(self):
        need(self.next == len(self.entries), "contexts", "an entry of no relationship")
