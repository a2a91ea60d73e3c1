"""Opaque sessions (B1-B5)."""

from __future__ import annotations

from flask import Response

from toastkit.errors import StorageUnavailable

from ..answers import SessionClosed, SessionOpened, SessionsClosed
from ..bodies import answer
from ..door import Door
from ..guards import claims, leaving_principal, required_bearer
from ..operations import Operation
from ..policies import Policy
from ..state import current_kit, state

auth = Door("toastkit_auth")


@auth.post(
    "/auth/session",
    policy=Policy.PROVIDER,
    rate="session",
    operation=Operation("open_session", SessionOpened, errors=(StorageUnavailable,)),
)
def open_session() -> Response:
    """Exchange the identity provider's token for an opaque session."""
    kit, said, signed_in = current_kit(), claims(), state().hooks.signed_in
    if signed_in is not None:
        signed_in(said.user_id, said.all)
    token, _ = kit.sessions.mint(said.user_id)
    return answer(SessionOpened(token, kit.config.session_seconds))


@auth.delete(
    "/auth/session", policy=Policy.SESSION, operation=Operation("close_session", SessionClosed)
)
def close_session() -> Response:
    """Revoke the session that asks."""
    current_kit().sessions.revoke(required_bearer())
    return answer(SessionClosed(success=True))


@auth.delete(
    "/auth/sessions",
    policy=Policy.PRINCIPAL,
    rate="session",
    operation=Operation("close_sessions", SessionsClosed),
)
def close_sessions() -> Response:
    """Revoke every session of whoever asks, the one that asks too."""
    ended = current_kit().sessions.revoke_all(leaving_principal().user_id)
    return answer(SessionsClosed(success=True, sessions=ended))
