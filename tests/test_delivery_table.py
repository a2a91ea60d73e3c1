"""The table of docs/delivery.rst, walked through real kits: each row, and every combination."""

import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from tests.model.service import Client, Service
from toastkit.deliveries import Later, Refusal, Sent
from toastkit.senders import RecordingSender
from toastkit.storage import upgrade
from toastkit.testing import ManualClock

pytestmark = [pytest.mark.plain, pytest.mark.timeout(400)]
PAGE = Path(__file__).parents[1] / "docs" / "delivery.rst"
VALUES = {
    "Dedupe": ("none", "first", "repeat", "retry"),
    "Collapse": ("none", "newer"),
    "TTL": ("none", "running", "over", "0"),
    "Client": ("front", "back", "gone"),
    "Hears": ("yes", "no"),
    "Device": ("yes", "no"),
}
TTL_MS = {"none": None, "running": 60_000, "over": 50, "0": 0}
CASES = [
    dict(zip(VALUES, values, strict=True))
    for values in product(*VALUES.values())
    if values[3] != "gone" or values[4] == "no"  # nobody hears who is not there
]


def rows(name):
    """Read a table: one dict of words by column for each row."""
    text = PAGE.read_text().partition(f":name: {name}")[2].partition(".. list-table")[0]
    found = []
    for line in text.splitlines():
        cell = re.fullmatch(r"   (\* -|  -) (.*)", line)
        if cell and cell[1] == "* -":
            found.append([])
        if cell:
            found[-1].append(cell[2].strip("`"))
    names, *table = found
    return [dict(zip(names, row, strict=True)) for row in table]


TABLE = rows("delivery-table")
OUTCOME = ("Receipt", "Socket", "List", "Phone")


def fits(row, case):
    return all(row[name] in ("any", value) for name, value in case.items())


def said(case):
    """Return what the page says of a case: the first row that fits."""
    row = next(row for row in TABLE if fits(row, case))
    return {name: row[name] for name in OUTCOME}


def rule(case):
    """Return what becomes of a case, from the promises alone."""
    if case["Dedupe"] == "repeat":
        return outcome("duplicate", "nothing", "as before")
    if case["TTL"] == "over":
        return outcome("expired", "nothing", "as before")
    shown = "toast" if case["Hears"] == "yes" else "nothing"
    kept = "as before" if case["TTL"] == "0" else "added"
    reached = "instead" if case["Collapse"] == "newer" else "added"
    if case["Client"] == "front":
        if case["Hears"] == "yes":
            return outcome("delivered", shown, reached)
        return outcome("not_subscribed", shown, kept)
    if case["Device"] == "yes":
        return outcome("pushed", shown, reached, "rings")
    return outcome("no_device", shown, kept)


def outcome(*words):
    return dict(zip(OUTCOME, (*words, "nothing"), strict=False))


@dataclass
class Stage:
    """Play cases, each with a user of its own, and say what came of them."""

    service: Service
    number: int = 0

    def play(self, case):
        self.number += 1
        user = f"user{self.number}"
        given = {"dedupe_key": None if case["Dedupe"] == "none" else "key"}
        older = self._prepare(user, case)
        client = self._client(user, case)
        given["collapse_key"] = "place" if case["Collapse"] == "newer" else None
        given["ttl_ms"] = TTL_MS[case["TTL"]]
        before = self.listed(user)
        if case["TTL"] == "over":
            self.service.slow = 1.0  # the commit takes longer than the toast is worth
        receipt = self._publish(user, "new", **given)
        told = [got.frame["toast"]["title"] for got in client.inbox if "toast" in got.frame]
        after = self.listed(user)
        if client.here:
            self.service.drop(client)
        self._check(case, receipt, older)
        return {
            "Receipt": "pushed"
            if receipt.transport == "apns"
            else receipt.reason or receipt.status,
            "Socket": "toast" if told == ["new"] else told or "nothing",
            "List": self._change(before, after, older, receipt),
            "Phone": self._rung(user, case),
        }, (user, receipt.id)

    def _rung(self, user, case):
        """Say whether the phone rang for the new toast: not for another's, and not for no phone."""
        [push] = self.service.senders
        rung = [each.payload["toast"]["title"] for each in push.posted if each.user_id == user]
        push.posted.clear()
        assert not rung or case["Device"] == "yes"
        return "rings" if rung == ["new"] else rung or "nothing"

    def _prepare(self, user, case):
        """Publish what was before; return the ids that an ``instead`` removes, or a retry."""
        older = {}
        if case["Collapse"] == "newer" or case["Dedupe"] == "repeat":
            client = Client(user, 0)
            self.service.connect(client, (f"user:{user}",))
            if case["Collapse"] == "newer":
                older["collapse"] = self._publish(user, "old", collapse_key="place").id
            if case["Dedupe"] == "repeat":
                older["dedupe"] = self._publish(user, "first", dedupe_key="key").id
            self.service.drop(client)
        if case["Dedupe"] == "retry":
            older["dedupe"] = self._publish(user, "first", dedupe_key="key").id
        if case["Device"] == "yes":
            token = {"token": f"{self.number:064x}"}
            register = self.service.serving.devices.register
            self.service.do(lambda: register(user, f"phone{self.number}", None, token))
        return older

    def _client(self, user, case):
        client = Client(user, 1, foreground=case["Client"] == "front")
        if case["Client"] != "gone":
            topic = f"user:{user}" if case["Hears"] == "yes" else f"user:{user}:else"
            self.service.connect(client, (topic,))
            client.inbox.clear()
        return client

    def _publish(self, user, title, **given):
        kit = self.service.serving
        return self.service.do(lambda: kit.publish_toast(user, title, **given))

    def listed(self, user, **given):
        kit = self.service.serving
        page = self.service.do(lambda: kit.toasts.list(user, **given))
        return [(toast.id, toast.title) for toast in page.items]

    def _change(self, before, after, older, receipt):
        # Where a retry took a place, what was there is gone whatever becomes of the retry.
        kept = [line for line in before if line[0] != receipt.id or receipt.status == "duplicate"]
        new = (receipt.id, "new")
        if after == kept:
            return "as before"
        if after == [new, *kept]:
            return "added"
        if after == [new, *(line for line in kept if line[0] != older.get("collapse"))]:
            return "instead"
        return after

    def _check(self, case, receipt, older):
        delivered = receipt.status == "delivered"
        assert receipt.delivered == delivered
        on_socket = delivered and case["Client"] == "front"
        assert receipt.session_count == on_socket
        by = "websocket" if on_socket else "apns"
        assert receipt.transport == (by if delivered else "none")
        # A repeat is told the first one's id, a retry takes it.
        assert "dedupe" not in older or receipt.id == older["dedupe"]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_service(request, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/toastkit.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").fresh()
    else:
        upgrade(url)
    opened = []

    def open_service(*senders):
        opened.append(Service(monkeypatch, ManualClock(), url, *senders))
        return opened[-1]

    yield open_service
    for each in opened:
        each.close()


@pytest.fixture
def stage(open_service):
    return Stage(open_service(RecordingSender("apns")))


def test_the_table_says_what_the_promises_say():
    assert len(TABLE) == 14
    for case in CASES:
        assert said(case) == rule(case), case


def test_every_row_of_the_table_is_needed():
    used = [next(row for row in TABLE if fits(row, case)) for case in CASES]
    assert all(row in used for row in TABLE)


class Push:
    """Answer what a test says."""

    kind = "apns"
    answer = None

    def post(self, _delivery):
        return self.answer


ANSWERS = {
    "takes it in time": Sent(),
    'says "later", or nothing in time': Later("busy"),
    "refuses every phone for good": Refusal("no"),
    "is away": Later("nobody answers", away=True),
}


def test_what_the_push_service_does_is_in_receipt_and_toast(open_service):
    push, answers = Push(), dict(ANSWERS)
    service = open_service(push)
    kit = service.serving
    for number, row in enumerate(rows("push-table")):
        push.answer = answers.pop(row["What the push service does"])
        user, token = f"user{number}", {"token": f"{number:064x}"}
        service.do(lambda: kit.devices.register(user, user, None, token))  # noqa: B023
        receipt = service.do(lambda: kit.publish_toast(user, "Hello"))  # noqa: B023
        words = row["Receipt"].replace("`", "").split(", ")
        assert words[0] in (receipt.status, receipt.reason)
        assert receipt.transport == ("apns" if "apns" in words else "none")
        state = service.do(lambda: kit.toasts.explain(receipt.id)).state  # noqa: B023
        assert state == row["Toast"]
    assert not answers


def test_every_row_and_every_combination_is_what_happens(stage):
    running = []
    for case in CASES:
        outcome, toast = stage.play(case)
        assert outcome == rule(case), case
        if case["TTL"] == "running" and case["Dedupe"] != "repeat":
            running.append((toast, outcome["Receipt"] in ("delivered", "pushed")))
    stage.service.pass_time(61)
    for (user, id), delivered in running:
        assert (id in dict(stage.listed(user))) == delivered
