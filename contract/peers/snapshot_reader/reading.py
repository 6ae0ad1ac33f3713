"""What a snapshot holds, in JSON that another reader's can be compared with."""

import ipaddress

from body import EVERYBODY, OBJECT, USERSET
from texts import write_duration, write_timestamp
from values import ADDRESS, DURATION, LIST, MAP, TIMESTAMP


def reading(snapshot):
    texts = Texts(snapshot)
    model, objects = snapshot.model, snapshot.objects
    stores = {t.name: [model.relations[column].name for column in t.columns] for t in model.types}
    stored = [
        (texts.relationship(kind, local, column, row), row)
        for (kind, local), rows in objects.rows.items()
        for column in rows
        for row in rows[column]
    ]
    conditioned = [(text, row) for text, row in stored if row.restriction.condition]
    return {
        "header": header(snapshot.header),
        "stores": stores,
        "objects": {
            t.name: {name: texts.tenant(kind, local) for local, name in enumerate(objects.ids[kind])}
            for kind, t in enumerate(model.types)
        },
        "parents": texts.parents(),
        "relationships": sorted(text for text, _ in stored),
        "contexts": {text: values(row.context) for text, row in conditioned},
        "context_bytes": {text: row.stored.hex() for text, row in conditioned},
        "identities": [texts.identity(identity) for identity in snapshot.records.identities],
        "credentials": [texts.credential(one) for one in snapshot.records.credentials],
    }


def header(read):
    return {
        "raw": read.raw,
        "deployment": read.deployment,
        "slice": read.slice,
        "era": read.era,
        "epoch": read.end,
        "contract": read.contract,
        "issued_at": read.issued_at,
    }


class Texts:
    """Names in place of numbers."""

    def __init__(self, snapshot):
        self.model, self.objects = snapshot.model, snapshot.objects

    def object(self, handle):
        kind, local = handle
        return f"{self.model.types[kind].name}:{self.objects.ids[kind][local]}"

    def tenant(self, kind, local):
        tenant = self.objects.tenants[kind][local]
        if tenant is None or isinstance(tenant, str):
            return f"({tenant or 'unknown'})"
        return self.objects.ids[self.objects.tenant_type][tenant]

    def parents(self):
        """The objects above those that have any."""
        found = {}
        for kind, local in self.objects.rows:
            relations = [self.model.parents[parent] for parent in self.model.types[kind].parents]
            rows = self.objects.rows[kind, local]
            above = [row for relation in relations for row in rows.get(relation, ())]
            parents = [self.subject(row) for row in above if row.restriction.form == OBJECT]
            if parents:
                found[self.object((kind, local))] = parents
        return found

    def relationship(self, kind, local, column, row):
        relation = self.model.relations[column].name
        condition = row.restriction.condition
        under = f" with {self.model.conditions[condition - 1][0]}" if condition else ""
        return f"{self.object((kind, local))}#{relation}@{self.subject(row)}{under}"

    def subject(self, row):
        stored = row.restriction
        if stored.form == EVERYBODY:
            return f"{self.model.types[stored.type].name}:*"
        text = self.object((stored.type, row.local))
        return f"{text}#{self.model.relations[stored.relation].name}" if stored.form == USERSET else text

    def identity(self, identity):
        sole = identity.sole_user
        return {
            **vars(identity),
            "object": self.object(identity.object),
            "tenants": [self.object(tenant).partition(":")[2] for tenant in identity.tenants],
            "sole_user": sole and self.object(sole),
        }

    def credential(self, credential):
        return {**vars(credential), "identity": self.object(credential.identity)}


def values(context):
    return {name: plain(value) for name, value in context.items()}


def plain(value):
    if value.kind == LIST:
        return [plain(element) for element in value.data]
    if value.kind == MAP:
        return {key.data: plain(element) for key, element in value.data}
    if value.kind == TIMESTAMP:
        return write_timestamp(value.data)
    if value.kind == DURATION:
        return write_duration(value.data)
    if value.kind == ADDRESS:
        version, number = value.data
        return str((ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address)(number))
    return value.data
