"""Check, as docs/snapshot.md says under Evaluation."""

import dataclasses

from body import EVERYBODY, OBJECT, USERSET
from machine import Steps

YES, NO, CYCLE, FAILED = "yes", "no", "cycle", "failed"
DEEPEST, NESTED, MOST, PLANS = 24, 512, 10_000, 250_000
STEPS, STEPS_OF_ONE = 1_000, 100


@dataclasses.dataclass(frozen=True)
class Subject:
    """An object, the users of a relation of it, or everybody of a type (the id is `*`)."""

    type: int
    id: str
    relation: int = None


class Unknown(Exception):
    """A question about a type or a relation that the model does not have."""


class Ways:
    """Which subjects the model may give a relation to."""

    def __init__(self, model):
        self.model = model
        self.to = [set() for _ in model.relations]
        changed = True
        while changed:
            changed = False
            for number, relation in enumerate(model.relations):
                found = self.of(relation.plan, relation)
                changed |= not found <= self.to[number]
                self.to[number] |= found

    def of(self, plan, relation):
        """Types as ("type", number), relations of usersets as ("relation", number)."""
        what, rest = plan[0], plan[1:]
        if what == "stored":
            stored = relation.restrictions
            found = {("type", r.type) for r in stored if r.form != USERSET}
            return found.union(*(self.over(r.relation) for r in stored if r.form == USERSET))
        if what == "same":
            return self.over(rest[0])
        if what == "from":
            return set().union(*(self.over(target) for target in rest[1].values()))
        parts = rest if what == "but not" else rest[0]
        return set().union(*(self.of(part, relation) for part in parts))

    def over(self, relation):
        return {("relation", relation)} | self.to[relation]

    def lead(self, subject, relation):
        if subject.relation is None:
            return ("type", subject.type) in self.to[relation]
        return ("relation", subject.relation) in self.to[relation]


class Question:
    """One check: its subject, the context of conditions, and what it has cost."""

    def __init__(self, snapshot, subject, context):
        self.model, self.objects = snapshot.model, snapshot.objects
        self.conditions, self.ways = snapshot.conditions, snapshot.ways
        self.subject, self.context = subject, context
        self.open, self.looked_at, self.nested, self.plans = [], 0, 0, 0

    def holds(self, kind, name, relation, level=0):
        """Whether the subject has a relation to the object."""
        if level > DEEPEST:
            return FAILED
        if Subject(kind, name, relation) == self.subject:
            return YES
        step = (kind, name, relation)
        if step in self.open:
            return CYCLE
        if not self.ways.lead(self.subject, relation):
            return NO
        self.open.append(step)
        answer = self.run(self.model.relations[relation].plan, step, level)
        self.open.pop()
        return answer

    def run(self, plan, step, level):
        if self.nested == NESTED:
            return FAILED
        if plan[0] == "stored":
            return one_of(self.stored(*step, level))
        self.plans += 1
        if self.plans > PLANS:
            return FAILED
        self.nested += 1
        answer = self.operation(plan, step, level)
        self.nested -= 1
        return answer

    def operation(self, plan, step, level):
        what = plan[0]
        kind, name, _ = step
        if what == "same":
            return self.holds(kind, name, plan[1], level)
        if what == "from":
            return one_of(self.through(plan, kind, name, level))
        if what == "one of":
            return one_of(self.run(part, step, level) for part in plan[1])
        if what == "all of":
            return all_of(self.run(part, step, level) for part in plan[1])
        return all_of(self.but_not(*plan[1:], step, level))

    def but_not(self, first, second, step, level):
        yield self.run(first, step, level)
        yield contrary(self.run(second, step, level))

    def rows(self, kind, name, relation):
        local = self.objects.locals[kind].get(name)
        return self.objects.rows.get((kind, local), {}).get(relation, ())

    def condition(self, row):
        """Looks at a relationship: what its condition says."""
        self.looked_at += 1
        if self.looked_at > MOST:
            return FAILED
        number = row.restriction.condition
        if not number:
            return YES
        steps = Steps(STEPS)
        told = self.conditions.holds(number - 1, row.context, self.context, steps)
        self.looked_at += (STEPS - steps.left) // STEPS_OF_ONE
        if told is None or self.looked_at > MOST:
            return FAILED
        return YES if told else NO

    def stored(self, kind, name, relation, level):
        rows = self.rows(kind, name, relation)
        for row in rows:
            if self.names_the_subject(row):
                yield self.condition(row)
        for row in rows:
            stored = row.restriction
            if stored.form == USERSET and not self.names_the_subject(row):
                yield from self.follow(row, stored.relation, level)

    def names_the_subject(self, row):
        stored = row.restriction
        if stored.form == EVERYBODY:
            return self.subject.relation is None and stored.type == self.subject.type
        relation = stored.relation if stored.form == USERSET else None
        return self.subject == Subject(stored.type, self.objects.ids[stored.type][row.local], relation)

    def through(self, plan, kind, name, level):
        _, tupleset, relations = plan
        for row in self.rows(kind, name, tupleset):
            if row.restriction.form == OBJECT and row.restriction.type in relations:
                yield from self.follow(row, relations[row.restriction.type], level)

    def follow(self, row, relation, level):
        """What a relation of the object of a relationship says, if its condition holds."""
        own = relation == self.subject.relation
        if not own and not self.ways.lead(self.subject, relation):
            return
        condition = self.condition(row)
        if condition != YES:
            yield condition
            return
        kind = row.restriction.type
        yield self.holds(kind, self.objects.ids[kind][row.local], relation, level + 1)


def one_of(answers):
    return strongest(answers, (YES, FAILED, CYCLE, NO))


def all_of(answers):
    return strongest(answers, (NO, CYCLE, FAILED, YES))


def strongest(answers, order):
    """The answer that comes first in the order; the last one when there is none."""
    best = len(order) - 1
    for answer in answers:
        best = min(best, order.index(answer))
        if best == 0:
            break
    return order[best]


def contrary(answer):
    return {YES: NO, NO: YES}.get(answer, answer)
