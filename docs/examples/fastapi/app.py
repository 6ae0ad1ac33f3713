"""A service that asks Mandate before it answers: FastAPI and HTTP, nothing else.

    MANDATE_URL=https://pdp.example MANDATE_TOKEN=... uvicorn app:app
"""

import json
import os
import urllib.error
import urllib.request

from fastapi import Depends, FastAPI, Header, HTTPException

MANDATE = os.environ["MANDATE_URL"]
# The service's own access token, whose audience is the server's.
TOKEN = os.environ["MANDATE_TOKEN"]

app = FastAPI()


def allowed(token: str, subject: str, action: str, resource: tuple[str, str]) -> bool:
    """What the server decides (AuthZEN 1.0). Whatever is no decision is an error, never a yes."""
    kind, name = subject.split(":", 1)
    question = {
        "subject": {"type": kind, "id": name},
        "action": {"name": action},
        "resource": {"type": resource[0], "id": resource[1]},
    }
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json",
        # Who the subject is, is not believed: its own token proves it.
        "Mandate-Subject-Token": token,
    }
    body = json.dumps(question).encode()
    request = urllib.request.Request(f"{MANDATE}/access/v1/evaluation", body, headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)["decision"] is True


def may(action: str, kind: str):
    """Lets through who may do this to the object that the path names."""

    def ask(id: str, authorization: str = Header(), subject: str = Header()) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or ":" not in subject:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        try:
            answer = allowed(token, subject, action, (kind, id))
        except (OSError, ValueError, KeyError):
            raise HTTPException(503, "no decision is possible now") from None
        if not answer:
            raise HTTPException(403)

    return Depends(ask)


@app.get("/boards/{id}", dependencies=[may("view", "board")])
def board(id: str) -> dict[str, str]:
    return {"board": id}
