"""What a reader says when it does not take the bytes."""


class Refused(Exception):
    """Nothing is loaded. `reason` is a code of docs/reason-codes.md, `part` says where it is wrong."""

    def __init__(self, reason, part, detail):
        super().__init__(f"{part}: {detail}")
        self.reason, self.part, self.detail = reason, part, detail


def body(part, detail):
    """Of a signed body that cannot be read."""
    return Refused("snapshot-missing", part, detail)


def need(holds, part, detail):
    if not holds:
        raise body(part, detail)
