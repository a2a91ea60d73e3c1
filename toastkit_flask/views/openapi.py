"""Tell what there is to ask for."""

from __future__ import annotations

import msgspec
from flask import Response, current_app, request

from ..answers import Document
from ..bodies import answer
from ..door import Door
from ..operations import Operation
from ..policies import Policy
from ..state import state

openapi = Door("toastkit_openapi")


@openapi.get("/openapi.json", policy=Policy.OPEN, operation=Operation("get_openapi", Document))
def described() -> Response:
    """Return this document: every path that is mounted, as OpenAPI 3.1."""
    known = state().documents
    if "openapi" not in known:
        # Only here: a worker that is never asked neither imports nor keeps any of it.
        from ..openapi import document

        known["openapi"] = msgspec.json.encode(document(current_app))
    # Where the app is mounted is the server's to say, and may differ by request.
    servers = msgspec.json.encode([{"url": request.root_path or "/"}])
    return answer(msgspec.Raw(known["openapi"][:-1] + b',"servers":' + servers + b"}"))
