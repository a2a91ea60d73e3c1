"""What the service knows of a user: a profile, and the credits that were granted and used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from toastkit.clock import Clock

from ..database import Database

FREE_CREDITS = 20
MOST_CHARACTERS = 200

_MAKE = text(
    """
INSERT INTO profiles (user_id, name, email, plan, has_github_pat, has_anthropic_key, created_at)
VALUES (:user_id, :name, :email, 'free', false, false, :now)
ON CONFLICT (user_id) DO UPDATE SET
    name = coalesce(excluded.name, profiles.name), email = coalesce(excluded.email, profiles.email)
"""
)
_PROFILE = text("SELECT * FROM profiles WHERE user_id = :user_id")
_CREDITS = text(
    "SELECT coalesce(sum(used), 0), coalesce(sum(granted), 0) FROM credits WHERE user_id = :user_id"
)
_NOTE = text(
    """
INSERT INTO credits (id, user_id, used, granted, reason, created_at)
VALUES (:id, :user_id, :used, :granted, :reason, :now) ON CONFLICT (id) DO NOTHING
"""
)


class NoCreditsLeft(Exception):
    """Everything that was granted has been used."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Give a user credits; a grant with an id counts once, however often it is sent."""

    id: str
    user_id: str
    credits: int


class Accounts:
    """Know profiles and credits; a profile is made the first time somebody asks (B6)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def signed_in(self, user_id: str, claims: Mapping[str, Any]) -> None:
        """Make the profile of somebody who signs in, and take over a name and address."""
        name, email = (_text(claims.get(claim)) for claim in ("name", "email"))
        self._make(user_id, name, email)

    def profile(self, user_id: str) -> dict[str, Any]:
        """Return name and email; an anonymous principal has neither."""
        row = self._row(user_id)
        return {"name": row["name"], "email": row["email"]}

    def subscription(self, user_id: str) -> dict[str, Any]:
        """Return the plan, and the credits used and granted in all."""
        plan = self._row(user_id)["plan"]
        used, total = self._database.read(lambda connection: _credits(connection, user_id))
        return {"plan": plan, "credits_used": used, "credits_total": total}

    def secrets(self, user_id: str) -> dict[str, Any]:
        """Return which keys of other services were deposited; not the keys."""
        row = self._row(user_id)
        return {name: bool(row[name]) for name in ("has_github_pat", "has_anthropic_key")}

    def grant(self, grant: Grant) -> bool:
        """Give credits, at most once for each id; tell whether this call did."""
        given = {"user_id": grant.user_id, "used": 0, "granted": grant.credits, "reason": "grant"}
        given |= {"id": f"grant:{grant.id}", "now": self._clock.now()}
        return self._database.write(
            grant.user_id, lambda connection: connection.execute(_NOTE, given).rowcount == 1
        )

    def _row(self, user_id: str) -> RowMapping:
        row = self._database.read(lambda connection: _find(connection, user_id))
        return row if row is not None else self._make(user_id)

    def _make(self, user_id: str, name: str | None = None, email: str | None = None) -> RowMapping:
        given = {"user_id": user_id, "name": name, "email": email, "now": self._clock.now()}

        def make(connection: Connection) -> RowMapping:
            connection.execute(_MAKE, given)
            return connection.execute(_PROFILE, given).mappings().one()

        return self._database.write(user_id, make)


def spend(connection: Connection, user_id: str, id: str, now: int) -> None:
    """Use one credit, in the transaction of what it is used for.

    Raises:
        NoCreditsLeft: there is none.
    """
    used, total = _credits(connection, user_id)
    if used >= total:
        raise NoCreditsLeft(f"all {total} credits have been used")
    given = {"id": id, "user_id": user_id, "used": 1, "granted": 0, "reason": "project", "now": now}
    connection.execute(_NOTE, given)


def _find(connection: Connection, user_id: str) -> RowMapping | None:
    return connection.execute(_PROFILE, {"user_id": user_id}).mappings().first()


def _credits(connection: Connection, user_id: str) -> tuple[int, int]:
    used, granted = connection.execute(_CREDITS, {"user_id": user_id}).one()
    return int(used), FREE_CREDITS + int(granted)


def _text(value: object) -> str | None:
    # Claims are the provider's words: whatever is no plain text is no name.
    if not isinstance(value, str) or not value.isprintable():
        return None
    return value.strip()[:MOST_CHARACTERS] or None
