"""What is published, by clients and by the servers themselves."""

import json
from typing import Any

PAD = "x" * 84


def user(number: int) -> str:
    return f"user_{number:05d}"


def push_token(number: int) -> str:
    return f"{number:064x}"


def broadcast_body(number: int) -> bytes:
    """Return a control that is about 200 bytes long on the wire."""
    params = {"n": f"bench-{number:08d}", "pad": PAD}
    return json.dumps({"kind": "bench.tick", "params": params}).encode()


def toast(number: int) -> dict[str, Any]:
    return {
        "title": "Research complete",
        "body": "AI expense tracker for freelancers",
        "style": "success",
        "data": {"n": f"bench-{number:08d}"},
    }


def publish(user_id: str, number: int) -> dict[str, Any]:
    """Return a publish with a dedupe key, as the documents have it."""
    return {
        "user_id": user_id,
        "topic": f"user:{user_id}:builds",
        "toast": toast(number),
        "dedupe_key": f"build-{number}",
    }
