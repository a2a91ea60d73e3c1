"""Serve the browser's client."""

from __future__ import annotations

from pathlib import Path

from flask import Response, send_from_directory

from ..door import Door
from ..operations import Operation
from ..policies import Policy

STATIC = Path(__file__).parent.parent / "static"

client = Door("toastkit_client")


@client.get(
    "/toastkit/toastkit.js",
    policy=Policy.OPEN,
    operation=Operation("get_client", str, media="text/javascript"),
)
def script() -> Response:
    """Return ``toastkit.js``; a browser asks again each time whether it has changed."""
    return send_from_directory(STATIC, "toastkit.js", mimetype="text/javascript", max_age=0)
