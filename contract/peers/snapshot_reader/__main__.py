"""A second reader of snapshots, written from docs/snapshot.md and the pages that it names.

One JSON request a line, one answer a line; the protocol is in docs/snapshot.md.
Run: python snapshot_reader
"""

import base64
import json
import sys

from body import Model, split
from conditions import Conditions
from container import DELTA, open_container
from evaluation import FAILED, YES, Question, Subject, Unknown, Ways
from machine import Steps
from objects import Objects
from reading import reading
from records import Records
from refusal import Refused, need


class Snapshot:
    """Everything of one snapshot, read and checked."""

    def __init__(self, data, configuration):
        self.header, body = open_container(data, configuration)
        need(self.header.kind != DELTA, "container", "a delta")
        sections = split(body)
        self.model = Model(sections)
        self.conditions = Conditions(self.model.conditions)
        self.objects = Objects(sections, self.model, self.conditions)
        self.ways = Ways(self.model)
        self.records = Records(sections["records"], [t.count for t in self.model.types])

    def check(self, question):
        """yes, no, cycle or failed."""
        kind, name, relation = self.parse(question["object"] + "#" + question["relation"])
        subject = Subject(*self.parse(question["user"]))
        asked = Question(self, subject, question.get("context", {}))
        return asked.holds(kind, name, relation)

    def parse(self, text):
        """`type:id` or `type:id#relation`."""
        kind, _, rest = text.partition(":")
        name, _, relation = rest.partition("#")
        if kind not in self.model.type_named:
            raise Unknown(kind)
        number = self.model.type_named[kind]
        if not relation:
            return number, name, None
        for position in self.model.types[number].relations:
            if self.model.relations[position].name == relation:
                return number, name, position
        raise Unknown(relation)


def answer(line):
    request = json.loads(line)
    known = {"id": request["id"]}
    if "conditions" in request:
        return {**known, "answers": [condition(asked) for asked in request["conditions"]]}
    try:
        snapshot = Snapshot(base64.b64decode(request["snapshot"]), request["configuration"])
    except Refused as refused:
        return {**known, "refused": refused.reason, "part": refused.part, "detail": refused.detail}
    if request.get("read", True):
        known["reading"] = reading(snapshot)
    return {**known, "answers": [verdict(snapshot, q) for q in request.get("checks", [])]}


def condition(asked):
    """true, false, null where the condition fails; or that the bytes are refused."""
    try:
        conditions = Conditions([("", base64.b64decode(asked["code"]))])
        stored = conditions.context(0, base64.b64decode(asked["stored"]))
    except Refused:
        return "refused"
    return conditions.holds(0, stored, asked["context"], Steps(asked["steps"]))


def verdict(snapshot, question):
    """true, false, or null for what cannot be told."""
    try:
        told = snapshot.check(question)
    except Unknown:
        return None
    return None if told == FAILED else told == YES


def main():
    sys.setrecursionlimit(10_000)  # 512 plans within plans, a few calls each
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()


main()
