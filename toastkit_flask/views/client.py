"""Serve the browser's client."""

from __future__ import annotations

from pathlib import Path

from flask import Response, request, send_from_directory

from ..door import Door
from ..operations import Operation
from ..policies import Policy

STATIC = Path(__file__).parent.parent / "static"

client = Door("toastkit_client")


@client.get(
    "/toastkit/toastkit.js",
    policy=Policy.OPEN,
    operation=Operation("get_client", str, media="text/javascript", unchanged=True),
)
def script() -> Response:
    """Return ``toastkit.js``; a browser asks again each time whether it has changed."""
    # Whole or unchanged: no browser asks for a part of a script.
    whole = send_from_directory(
        STATIC, "toastkit.js", mimetype="text/javascript", max_age=0, conditional=False
    )
    whole.make_conditional(request)
    return whole
