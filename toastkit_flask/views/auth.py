"""Opaque sessions (B1-B5)."""

from __future__ import annotations

from flask import Response

from ..bodies import answer
from ..door import Door
from ..guards import address, bearer, limit, required_bearer
from ..state import current_kit

auth = Door("toastkit_auth")


@auth.post("/auth/session")
def open_session() -> Response:
    """Exchange the identity provider's token for an opaque session."""
    limit("session", address())
    kit = current_kit()
    token, _ = kit.sessions.mint(kit.authenticator.verify(bearer()).user_id)
    return answer({"token": token, "expires_in": kit.config.session_seconds})


@auth.delete("/auth/session")
def close_session() -> Response:
    """Revoke the session that asks."""
    current_kit().sessions.revoke(required_bearer())
    return answer({"success": True})
