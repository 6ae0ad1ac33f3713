"""Identities and credentials: docs/snapshot-records.md."""

import dataclasses
import struct

from body import ascending, utf8, words
from refusal import body as refuse
from refusal import need
from siphash import halves, siphash13

PART = "records"
NONE = 0xFFFFFFFF
KINDS, STATUSES = ("agent", "service", "user"), ("active", "retired", "suspended")
MODES = ("read", "write", "admin", "*")
LONGEST_BUCKET, MOST_BITS = 64, 28
WIDTHS = {"identities": 13, "holders": 4, "handles": 2, "scopes": 7, "names": 2, "credentials": 26}


@dataclasses.dataclass
class Identity:
    object: tuple
    kind: str
    status: str
    delegation: str
    expires_at: int
    tenants: list
    sole_user: tuple
    subjects: list
    clients: list
    scope: dict


@dataclasses.dataclass
class Credential:
    identity: tuple
    id: str
    thumbprint: str
    token_ids: list
    client: tuple
    subject: tuple
    context_key: str
    expires_at: int
    revoked_at: int


class Records:
    """The section, read and checked; `count_of` says how many objects a type has."""

    def __init__(self, data, counts):
        self.counts = counts
        self.identities, self.credentials = [], []
        if data:
            self.read_parts(data)
            self.read_identities()
            self.check_indexes()

    def read_parts(self, data):
        need(len(data) >= 64, PART, "cut off")
        header = struct.unpack_from("<16I", data)
        need(header[0] == 1, PART, "another version")
        self.key = halves(data[4:20])
        sizes = dict(zip(WIDTHS, header[5:11]))
        bits = self.identity_bits, self.credential_bits = header[11], header[13]
        identity_entries, credential_entries, text = header[12], header[14], header[15]
        need(max(bits) <= MOST_BITS, PART, "the bits of an index")
        at = 64
        self.parts = {}
        parts = [(name, WIDTHS[name], size) for name, size in sizes.items()]
        parts += [("identity buckets", 1, 2 ** bits[0] + 1)]
        parts += [("identity entries", 2, identity_entries)]
        parts += [("credential buckets", 1, 2 ** bits[1] + 1)]
        parts += [("credential entries", 2, credential_entries)]
        for name, width, size in parts:
            end = at + 4 * width * size
            need(end <= len(data), PART, f"{name} are cut off")
            flat = words(data[at:end], PART)
            self.parts[name] = [flat[i : i + width] for i in range(0, len(flat), width)]
            at = end
        need(at + text == len(data), PART, "the parts do not fill the section")
        self.text = data[at:]
        utf8(self.text, PART)
        self.names = [self.read_text(name) for name in self.parts["names"]]

    def read_text(self, place):
        start, length = place
        need(start + length <= len(self.text), PART, "a text beyond the text")
        return utf8(self.text[start : start + length], PART)

    def name(self, number):
        need(number < len(self.names), PART, "a name beyond the names")
        return self.names[number]

    def read_list(self, first, count):
        need(first + count <= len(self.names), PART, "a list beyond the names")
        names = self.names[first : first + count]
        need(ascending(names), PART, "a list out of order")
        return names

    def read_handle(self, handle):
        kind, local = handle
        need(kind < len(self.counts) and local < self.counts[kind], PART, "a handle of no object")
        return (kind, local)

    def read_identities(self):
        self.next = {"handles": 0, "holders": 0, "credentials": 0}
        self.holders = []
        for number, row in enumerate(self.parts["identities"]):
            identity = self.read_identity(number, row)
            before = self.identities[-1:]
            need(all(one.object < identity.object for one in before), PART, "identities out of order")
            self.identities.append(identity)
            rows = self.take("credentials", row[11], row[12])
            read = [self.read_credential(number, credential, identity.object) for credential in rows]
            need(ascending([credential.id for credential in read]), PART, "credentials out of order")
            self.credentials += read
        for name, used in self.next.items():
            need(used == len(self.parts[name]), PART, f"{name} of no identity")

    def take(self, name, first, count):
        """The rows of an identity, which follow those of the identity before."""
        need(first == self.next[name], PART, f"{name} do not follow each other")
        need(first + count <= len(self.parts[name]), PART, f"{name} beyond the part")
        self.next[name] += count
        return self.parts[name][first : first + count]

    def read_identity(self, number, row):
        flags = row[2]
        need(flags < 64, PART, "an unknown flag")
        kind, status = flags & 3, flags >> 2 & 3
        need(kind < len(KINDS) and status < len(STATUSES), PART, "an unknown kind or status")
        scope = None
        if row[3] != NONE:
            need(row[3] < len(self.parts["scopes"]), PART, "a scope beyond the scopes")
            scope = self.read_scope(self.parts["scopes"][row[3]])
        sole = flags >> 5 & 1
        handles = [self.read_handle(h) for h in self.take("handles", row[6], row[7] + sole)]
        holders = [self.read_holder(number, h) for h in self.take("holders", row[8], row[9] + row[10])]
        self.holders += holders
        return Identity(
            self.read_handle(row[0:2]),
            KINDS[kind],
            STATUSES[status],
            "on-invoke" if flags & 16 else "stored",
            moment(row[4:6]),
            handles[: row[7]],
            handles[-1] if sole else None,
            holders[: row[9]],
            holders[row[9] :],
            scope,
        )

    def read_holder(self, number, row):
        need(row[3] == number, PART, "a holder of another identity")
        return (self.name(row[0]), self.read_text(row[1:3]))

    def read_scope(self, row):
        need(row[6] < 16, PART, "an unknown mode")
        grants = {
            name: "*" if count == NONE else self.read_list(first, count)
            for name, first, count in zip(("workspaces", "boards", "actions"), row[0:6:2], row[1:6:2])
        }
        modes = [mode for bit, mode in enumerate(MODES) if row[6] >> bit & 1]
        return {**grants, "modes": "*" if "*" in modes else modes}

    def read_credential(self, number, row, handle):
        need(row[0] == number, PART, "a credential of another identity")
        flags = row[3]
        need(flags < 16, PART, "an unknown flag")
        return Credential(
            handle,
            self.read_text(row[1:3]),
            struct.pack("<8I", *row[4:12]).hex() if flags & 1 else None,
            self.read_list(*row[12:14]),
            (self.name(row[14]), self.read_text(row[15:17])) if flags & 2 else None,
            (self.name(row[17]), self.read_text(row[18:20])) if flags & 4 else None,
            self.read_text(row[20:22]) if flags & 8 else None,
            moment(row[22:24]),
            moment(row[24:26]),
        )

    def check_indexes(self):
        index = Index(self.key, self.identity_bits, self.parts, "identity")
        limits = (len(self.identities), len(self.holders), len(self.holders))
        index.check(limits)
        for number, identity in enumerate(self.identities):
            index.expect(0, struct.pack("<2I", *identity.object), number)
        number = 0
        for identity in self.identities:
            for tag, holders in ((1, identity.subjects), (2, identity.clients)):
                for issuer, name in holders:
                    key = len(issuer.encode()).to_bytes(4, "little") + issuer.encode()
                    index.expect(tag, key + name.encode(), number)
                    number += 1
        index.check_all_expected()
        index = Index(self.key, self.credential_bits, self.parts, "credential")
        index.check((len(self.credentials), len(self.credentials)))
        owners = {}
        for number, credential in enumerate(self.credentials):
            index.expect(0, credential.id.encode(), number)
            if credential.thumbprint is not None:
                owners.setdefault(credential.thumbprint, []).append(number)
        for thumbprint, numbers in owners.items():
            same = {self.credentials[number].identity for number in numbers}
            need(len(same) == 1, PART, "a thumbprint of two identities")
            index.expect_one_of(1, bytes.fromhex(thumbprint), numbers)
        index.check_all_expected()


class Index:
    """Buckets and entries of a hash index."""

    def __init__(self, key, bits, parts, name):
        self.key, self.bits = key, bits
        self.starts = [start for (start,) in parts[f"{name} buckets"]]
        self.entries = parts[f"{name} entries"]
        self.left = len(self.entries)

    def check(self, limits):
        starts = self.starts
        need(starts[0] == 0 and starts[-1] == len(self.entries), PART, "buckets of an index")
        for a, b in zip(starts, starts[1:]):
            need(a <= b <= a + LONGEST_BUCKET, PART, "a bucket out of order, or too long")
            need(ascending(self.entries[a:b]), PART, "entries out of order")
        for _, word in self.entries:
            tag = word & 3
            need(tag < len(limits) and word >> 2 < limits[tag], PART, "an entry of no record")

    def expect(self, tag, key, number):
        self.expect_one_of(tag, key, [number])

    def expect_one_of(self, tag, key, numbers):
        hashed = siphash13(*self.key, bytes([tag]) + key)
        bucket = hashed >> (64 - self.bits)
        entries = self.entries[self.starts[bucket] : self.starts[bucket + 1]]
        found = [n for n in numbers if (hashed & 0xFFFFFFFF, n << 2 | tag) in entries]
        if len(found) != 1:
            raise refuse(PART, "a record that is not found, or twice")
        self.left -= 1

    def check_all_expected(self):
        need(self.left == 0, PART, "an entry that nothing looks for")


def moment(two):
    low, high = two
    return None if low == high == NONE else high << 32 | low
