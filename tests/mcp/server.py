"""An MCP server of boards: PyPI `mcp`, Streamable HTTP, both generations at every path.

Prints `{"url": …}` once it listens, then one line for each request that has reached it, and ends when
standard input does. It knows nothing of who may do what: that is the gate's.
"""

import asyncio
import json
import socket
import sys
import warnings

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.streamable_http import EventMessage, EventStore

# What 2026-07-28 deprecates is what 2025-11-25 is tested with.
warnings.filterwarnings("ignore")

server = MCPServer("boards", version="1.0.0", log_level="CRITICAL")
sessions_with_a_stream: set[str] = set()


@server.tool()
def get_board(board: str) -> str:
    """Shows a board."""
    return f"{board}: ship it"


@server.tool()
def edit_board(board: str, text: str) -> str:
    """Writes on a board."""
    return f"{board}: {text}"


@server.tool()
def export_board(board: str) -> str:
    """Exports a board."""
    return f"{board}.pdf"


@server.tool()
def draw_board(board: str) -> str:
    """Draws a board."""
    return f"{board}.svg"


@server.tool()
async def watch_board(board: str, ctx: Context) -> str:
    """Tells what happens on a board, and goes away in the middle: a client comes back and resumes."""
    await ctx.report_progress(1, 3, "before")
    await ctx.close_sse_stream()
    await asyncio.sleep(0.2)
    await ctx.report_progress(2, 3, "while away")
    await asyncio.sleep(0.5)
    await ctx.report_progress(3, 3, "after")
    return f"{board}: nothing else"


@server.tool()
async def publish_board(board: str, ctx: Context) -> str:
    """Tells everybody who listens that there are other tools: in the session's stream, or to who has
    subscribed."""
    session = (ctx.headers or {}).get("mcp-session-id")
    if session is None:
        await ctx.notify_tools_changed()
        return f"{board}: published"
    while session not in sessions_with_a_stream:
        await asyncio.sleep(0.01)
    await ctx.session.send_tool_list_changed()
    return f"{board}: published"


@server.resource("board://roadmap", mime_type="text/plain")
def roadmap() -> str:
    """The roadmap."""
    return "ship it"


@server.resource("board://salaries", mime_type="text/plain")
def salaries() -> str:
    """What everybody earns."""
    return "secret"


@server.prompt(name="roadmap")
def ask_about_the_roadmap() -> str:
    """Asks about the roadmap."""
    return "What is on the roadmap?"


@server.prompt(name="salaries")
def ask_about_salaries() -> str:
    """Asks about salaries."""
    return "Who earns most?"


class Events(EventStore):
    """Every event of this process, to resume streams with."""

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    async def store_event(self, stream_id, message):
        self.events.append((stream_id, message))
        return str(len(self.events))

    async def replay_events_after(self, last_event_id, send_callback):
        place = int(last_event_id)
        stream = self.events[place - 1][0]
        for number, (other, message) in enumerate(self.events[place:], start=place + 1):
            if other == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


inner = server.streamable_http_app(event_store=Events(), retry_interval=100)


def received(scope, body: bytes) -> dict:
    """What the test compares: who asks for what, and whether anything came that should not."""
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    message = json.loads(body) if body else {}
    said = {"http": scope["method"], "path": scope["path"], "rpc": message.get("method")}
    said["name"] = (message.get("params") or {}).get("name")
    said["resumed"] = "last-event-id" in headers
    said["version"] = headers.get("mcp-protocol-version")
    said["authorization"] = "authorization" in headers
    said["user"] = headers.get("x-mandate-user")
    said["agent"] = headers.get("x-mandate-agent")
    return said


async def app(scope, receive, send):
    """Every path is the endpoint: the gate has a route for each form of denial."""
    if scope["type"] != "http":
        return await inner(scope, receive, send)
    body = b""
    ended = False

    async def heard():
        nonlocal body, ended
        message = await receive()
        if message["type"] == "http.request" and not ended:
            body += message.get("body", b"")
            if not message.get("more_body", False):
                ended = True
                print(json.dumps(received(scope, body)), flush=True)
        return message

    async def said(message):
        await send(message)
        session = dict(scope["headers"]).get(b"mcp-session-id")
        if message["type"] == "http.response.start" and scope["method"] == "GET" and session:
            sessions_with_a_stream.add(session.decode())

    if scope["method"] != "POST":
        ended = True
        print(json.dumps(received(scope, b"")), flush=True)
    await inner({**scope, "path": "/mcp", "raw_path": b"/mcp"}, heard, said)


async def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="on", timeout_graceful_shutdown=0)
    running = uvicorn.Server(config)
    serving = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.started:
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    print(json.dumps({"url": url}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    running.should_exit = True
    await serving


asyncio.run(main())
