"""Asks PyPI `permit` the checks of standard input, and prints what it answers."""

import asyncio
import json
import sys

from permit import Permit


async def main() -> None:
    asked = json.load(sys.stdin)
    permit = Permit(token=asked["token"], pdp=asked["pdp"])
    answers = [
        await permit.check(one["user"], one["action"], one["resource"], one["context"])
        for one in asked["checks"]
    ]
    bulk = await permit.bulk_check(asked["checks"])
    print(json.dumps({"check": answers, "bulk": bulk}))


asyncio.run(main())
