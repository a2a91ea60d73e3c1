"""Note what became of attempts: of a delivery, of its toast, and of the device it went to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, update

from ..deliveries import Carried, Delivery
from ..records import StateChange
from .concluding import conclude
from .learning import learn, teaches
from .marking import mark
from .spelling import as_json, run
from .tables import deliveries

SETTLE = """
UPDATE toastkit_deliveries
SET state = wanted.state, next_attempt_at = wanted.at, lease_until = NULL,
    last_answer = wanted.answer
FROM (SELECT value ->> 0 AS id, CAST(value ->> 1 AS INTEGER) AS attempts, value ->> 2 AS state,
             CAST(value ->> 3 AS BIGINT) AS at, value ->> 4 AS answer
      FROM json_each(?)) AS wanted
WHERE toastkit_deliveries.id = wanted.id
  AND CASE WHEN wanted.state = 'sent' THEN toastkit_deliveries.state <> 'sent'
      ELSE toastkit_deliveries.state = 'waiting'
        AND toastkit_deliveries.attempts = wanted.attempts END
RETURNING toastkit_deliveries.id, user_id, toast_id, seq
"""
"""What was sent was sent, whoever has taken it meanwhile; anything else is for the one who holds
the claim to say: claims are counted."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one attempt, and when that was known."""

    carried: Carried
    at: int

    @property
    def about(self) -> list[str]:
        """Return what is locked while this is written down."""
        delivery = self.carried.delivery
        whose = [delivery.user_id or delivery.id]
        # A device may be leaving for another user: whoever registers one holds this word.
        return [*whose, "devices"] if teaches(self.carried, self.at) else whose


def renew(connection: Connection, claimed: Sequence[tuple[Delivery, int]]) -> list[None]:
    """Keep claims that are still the one's who was given them."""
    for delivery, until in claimed:
        renewal = update(deliveries).values(next_attempt_at=until, lease_until=until)
        connection.execute(renewal.where(_own(delivery)))
    return [None] * len(claimed)


def settle(connection: Connection, members: Sequence[Settlement]) -> list[None]:
    """Carry out one group's settlements, in order for each delivery."""
    for some in _rounds(members):
        _settle(connection, some)
    return [None] * len(members)


def _settle(connection: Connection, settlements: dict[str, Settlement]) -> None:
    wanted = [_wanted(each.carried) for each in settlements.values()]
    given = list(run(connection, SETTLE, (as_json(wanted),)))
    # Whose it is, and of which position, is the row's to say: a rebind may have moved it since.
    owed = [(settlements[id], user_id, toast_id, seq) for id, user_id, toast_id, seq in given]
    sent = [
        StateChange(
            toast_id, user_id, "sent", each.at, transport=each.carried.delivery.kind, seq=seq
        )
        for each, user_id, toast_id, seq in owed
        if seq is not None and each.carried.state == "sent"
    ]
    if sent:
        mark(connection, [sent])
    learn(connection, [(settlements[id].carried, settlements[id].at) for id, *_ in given])
    ended = {
        toast_id: each.at
        for each, _, toast_id, seq in owed
        if seq is not None and each.carried.state not in ("sent", "waiting")
    }
    conclude(connection, ended)


def _wanted(carried: Carried) -> tuple[Any, ...]:
    delivery = carried.delivery
    return (
        *(delivery.id, delivery.attempts + 1, carried.state),
        *(carried.next_attempt_at, carried.answer),
    )


def _rounds(members: Sequence[Settlement]) -> Iterator[dict[str, Settlement]]:
    """Return members by delivery, so that no delivery is twice in one statement."""
    round_: dict[str, Settlement] = {}
    for each in members:
        if each.carried.delivery.id in round_:
            yield round_
            round_ = {}
        round_[each.carried.delivery.id] = each
    if round_:
        yield round_


def _own(delivery: Delivery) -> ColumnElement[bool]:
    """Choose a delivery as long as it is claimed by who was given it: claims are counted."""
    column = deliveries.c
    claimed = column.attempts == delivery.attempts + 1
    return (column.id == delivery.id) & (column.state == "waiting") & claimed
