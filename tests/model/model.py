"""What delivery means, small: what the list shows, who holds a key, which change is allowed.

The model does not guess when something is decided: it looks at the states of the rows, and says
whether each is justified by what clients were told.
"""

from collections import defaultdict
from dataclasses import dataclass, field

DELIVERED = ("written", "acked", "sent")
RELEASED = ("undelivered", "expired", "failed")
NOTED = (*DELIVERED, "superseded")
ENDED = (*DELIVERED, *RELEASED, "superseded")


@dataclass
class Row:
    """One accepted toast; ``told``: it reached a client in the foreground."""

    id: str
    user: str
    seq: int
    topic: str
    title: str
    key: str | None
    collapse: str | None
    created: int
    expires: int | None
    step: int
    state: str = "accepted"
    again: bool = False  # a retry has taken the place of what had this id
    told: bool = False
    faced: bool = False  # a client that was told it came to the foreground: it counts from then on
    acked: bool = False
    noted: bool = False  # an ack has arrived in a process that lived on
    unsure: bool = False  # told by a process that crashed before it could note that
    read: bool = False
    found: bool = False  # it was read or seen, whether it is to be read again or not
    deleted: bool = False
    pushed: bool = False  # the push service has taken it
    refused: bool = False  # and this it has not
    quiet: bool = False  # before this step began it was known that no phone is to ring for it

    def late(self, now):
        return self.expires is not None and now >= self.expires

    @property
    def delivered(self):
        return self.state in DELIVERED


@dataclass
class Model:
    """All rows by id, positions by user, and who claimed a key until when."""

    window: int
    rows: dict = field(default_factory=dict)
    seqs: dict = field(default_factory=lambda: defaultdict(int))
    claims: dict = field(default_factory=dict)

    # Accepting

    def holder(self, user, key, now):
        """Return the row that makes another of the key a duplicate, or that it overwrites."""
        id, until = self.claims.get((user, key), (None, 0))
        return self.rows[id] if now < until else None

    def foresee(self, user, key, now):
        """Return ``(duplicate, id)``: what becomes of one more toast; no id: a new one."""
        row = self.holder(user, key, now) if key else None
        if row is None:
            return False, None
        return row.state not in RELEASED, row.id

    def accept(self, id, wish, now, step):
        """Store what ``foresee`` says is no duplicate."""
        self.seqs[wish.user] += 1
        expires = None if wish.ttl is None else wish.made + wish.ttl
        again = id in self.rows
        self.rows[id] = Row(
            id,
            wish.user,
            self.seqs[wish.user],
            wish.topic,
            wish.title,
            wish.key,
            wish.collapse,
            wish.made,
            expires,
            step,
            again=again,
        )
        if wish.key:
            self.claims[wish.user, wish.key] = (id, wish.made + self.window)
        return self.rows[id]

    # Looking

    def of(self, user):
        return sorted((row for row in self.rows.values() if row.user == user), key=_seq)

    def replaced(self, row):
        """Tell whether a newer one of its collapse key was delivered."""
        return row.collapse is not None and any(
            each.delivered and each.collapse == row.collapse and each.seq > row.seq
            for each in self.of(row.user)
        )

    def alive(self, row, now):
        """Tell whether a toast is still worth showing to somebody who has not got it."""
        ended = row.state in ("expired", "superseded") or row.late(now)
        return not (ended or row.deleted or self.replaced(row))

    def listed(self, user, now, collapsed=False):
        """Return the rows a user's list shows, newest first."""
        shown = []
        for row in reversed(self.of(user)):
            gone = row.deleted or row.state == "expired" or (row.late(now) and not row.delivered)
            hidden = row.state == "superseded" or self.replaced(row)
            if not gone and (collapsed or not hidden):
                shown.append(row)
        return shown

    def missed(self, user, seq, topics, now):
        """Return what a client that knows all up to ``seq`` is to be replayed, in order."""
        return [
            row
            for row in self.of(user)
            if row.seq > seq and hears(topics, row.topic) and not row.read and self.alive(row, now)
        ]

    # What is allowed

    def follow(self, id, state, now, crashed):
        """Take a row's new state, which must be allowed and justified."""
        row = self.rows[id]
        if "owed" in (state, row.state):
            # Who came while a push was on its way was told it, too; only their ack counts then.
            row.unsure = row.unsure or row.told
        if state == row.state:
            noted = not row.told or row.state in NOTED or row.late(now)
            row.unsure = row.unsure or (crashed and not noted)
            assert noted or row.unsure, f"{row} was told, but nobody noted it"
            return
        late = state == "sent" and row.pushed  # what was sent was sent
        ended = ("acked",) if late else ("acked", "expired", "superseded")
        assert row.state not in ended, f"{row} ended, then {state}"
        assert state != "accepted", f"{row} was decided and is undecided again"
        if state == "sent":
            assert row.pushed, f"{row}: no push was taken, but it counts as sent"
        elif state in DELIVERED:
            # Who has read it in the list has it: a client that came later is not told it again.
            reached = row.told or row.faced or row.acked or row.found
            assert reached, f"{row}: nobody was told, but it counts as {state}"
            assert state != "acked" or row.acked or row.found, f"nobody acked {row}"
        elif state == "owed":
            assert row.state == "accepted", f"{row} became owed"
        elif state == "failed":
            never = row.expires == row.created  # it was now, and nobody took it
            assert row.refused or never, f"nobody refused a push of {row}"
        elif state == "undelivered":
            assert row.state in ("accepted", "owed"), f"{row} became undelivered"
            assert not row.told or row.unsure or crashed, f"{row} was told, then undelivered"
        elif state == "expired":
            assert row.late(now), f"{row} expired too early"
        elif state == "superseded":
            row.state = state
            assert row.deleted or self.replaced(row), f"{row} superseded by nothing"
        row.state = state


def hears(topics, topic):
    """Tell whether one of the topics, wildcards included, is or covers a topic."""
    return any(
        topic == each or (each.endswith(":*") and topic.startswith(each[:-1])) for each in topics
    )


def _seq(row):
    return row.seq
