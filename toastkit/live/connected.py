"""Who is connected to this process: asked where a toast is explained."""

from __future__ import annotations

from .. import principals
from ..publishing.hints import Here
from .node import Node


def connections_of(node: Node, user_id: str) -> list[Here] | None:
    """Return a principal's connections to this process, or ``None`` where it serves nobody."""
    if not node.serving:
        return None
    route = principals.route(user_id)
    return node.runtime.ask(
        lambda: [
            Here(connection.foreground, connection.topics)
            for connection in node.roster.members(route)
            if not connection.ending
        ]
    )
