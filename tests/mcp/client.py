"""PyPI `mcp` as a client: plays what standard input tells, and prints what the SDK reports.

Asked a list of plays, `{"url", "token", "generation", "steps"}`, each step a list of words. Answers a
list for each play, of `{"ok": …}` or `{"error": {"type", "code", "message"}}` as the SDK raises it: for
connecting first, and then for each step. A play that does not connect ends there.
"""

import asyncio
import json
import sys
import warnings

import mcp_types as types
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

# Pings and the rest of what 2026-07-28 deprecates are played on purpose.
warnings.filterwarnings("ignore")

PATIENCE = 20


def dumped(value):
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


class Player:
    """One connection."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.tools_changed = asyncio.Event()

    async def heard(self, message) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.tools_changed.set()

    async def play(self, word: str, *rest: str):
        client = self.client
        match word:
            case "ping":
                return dumped(await client.send_ping())
            case "tools":
                return dumped(await client.list_tools(cache_mode="bypass"))
            case "resources":
                return dumped(await client.list_resources(cache_mode="bypass"))
            case "prompts":
                return dumped(await client.list_prompts(cache_mode="bypass"))
            case "call":
                names = ("board", "text")
                return dumped(await client.call_tool(rest[0], dict(zip(names, rest[1:]))))
            case "read":
                return dumped(await client.read_resource(rest[0], cache_mode="bypass"))
            case "prompt":
                return dumped(await client.get_prompt(rest[0]))
            case "watch":
                return await self.watch(rest[0])
            case "publish":
                return await self.publish(rest[0])
        raise ValueError(word)

    async def watch(self, board: str):
        steps = []

        async def progress(done, total, message):
            steps.append([done, total, message])

        arguments = {"board": board}
        result = await self.client.call_tool("watch_board", arguments, progress_callback=progress)
        return {"progress": steps, "result": dumped(result)}

    async def publish(self, board: str):
        """The tools change, and who listens is told."""
        call = self.client.call_tool("publish_board", {"board": board})
        if self.client.protocol_version < "2026":
            result = await call
            await asyncio.wait_for(self.tools_changed.wait(), PATIENCE)
            return {"told": "ToolListChangedNotification", "result": dumped(result)}
        async with self.client.listen(tools_list_changed=True) as listening:
            result = await call
            event = await asyncio.wait_for(anext(aiter(listening)), PATIENCE)
            return {"told": type(event).__name__, "result": dumped(result)}


def reported(error: Exception) -> dict:
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return {"type": type(error).__name__, "code": getattr(error, "code", None), "message": str(error)}


async def play(asked: dict) -> list:
    players: list[Player] = []

    async def heard(message) -> None:
        for player in players:
            await player.heard(message)

    async with create_mcp_http_client(headers={"authorization": f"Bearer {asked['token']}"}) as http:
        client = Client(
            streamable_http_client(asked["url"], http_client=http),
            mode="legacy" if asked["generation"] == "2025-11-25" else "auto",
            read_timeout_seconds=PATIENCE,
            message_handler=heard,
        )
        players.append(Player(client))
        try:
            await client.__aenter__()
        except Exception as error:
            return [{"error": reported(error)}]
        server = dumped(client.server_info) if client.server_info else None
        capabilities = dumped(client.server_capabilities)
        answers = [{"ok": {"version": client.protocol_version, "server": server, "can": capabilities}}]
        for step in asked["steps"]:
            try:
                answers.append({"ok": await players[0].play(*step)})
            except Exception as error:
                answers.append({"error": reported(error)})
        await client.__aexit__(None, None, None)
        return answers


async def main() -> None:
    print(json.dumps([await play(asked) for asked in json.load(sys.stdin)]))


asyncio.run(main())
