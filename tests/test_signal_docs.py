"""The page about signals names each of them with its arguments, and its examples do what they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.hearing import Heard
from tests.pages import PAGES, furnish, run
from tests.test_kit import connect, eventually
from toastkit import Config, Kit, signals
from toastkit.senders import RecordingSender

pytestmark = pytest.mark.plain

NAMES = {name for name in vars(signals) if hasattr(getattr(signals, name), "receivers_for")}


def rows() -> dict[str, set[str]]:
    """Return the arguments the page names, by signal."""
    row = r"   \* - ``(\w+)``\n     - ((?:``\w+``(?:, )?)+)\n     - "
    return {
        name: set(re.findall(r"\w+", found))
        for name, found in re.findall(row, PAGES["signals.rst"])
    }


def sent(tmp_path: Path) -> dict[str, set[str]]:
    """Do everything that is told, and return the arguments that came, by signal."""
    config = Config(database_url=f"sqlite:///{tmp_path}/toastkit.db")
    with Kit(config, senders=[RecordingSender("mail")]) as kit:
        heard = {name: Heard(getattr(signals, name), kit) for name in NAMES}
        connect(kit, "ada")
        kit.publish_toast("ada", "Hello")
        kit.publish_control("flags.changed")
        kit.deliveries.owe("mail", {})
        kit.deliveries.carry(once=True)
        kit.identity.anonymous.begin("phone")
        kit.identity.anonymous.rebind("ada", "phone")
    eventually(lambda: all(each.told for each in heard.values()))
    return {name: set(each.told[0]) for name, each in heard.items()}


def test_every_signal_is_documented_with_its_arguments(tmp_path: Path) -> None:
    assert rows() == sent(tmp_path)
    assert set(rows()) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_signal_says_what_it_tells(name: str) -> None:
    source = Path(signals.__file__).read_text()
    said = re.search(rf'^{name} = .*\n"""((?:.|\n)*?)"""', source, re.MULTILINE)
    assert said is not None
    assert set(re.findall(r"``(\w+)``", said[1])) >= rows()[name]


def test_the_examples_do_what_they_say(tmp_path: Path) -> None:
    code = """
import time
from flask import Flask
import metrics
from audit import Audit, Message, create_app, db, toastkit
from tests.test_kit import connect

app = create_app(SQLALCHEMY_DATABASE_URI="sqlite:///audit.db")
metrics.watch(app)
with app.app_context():
    db.create_all()
    kit = toastkit.kit
    connect(kit, "ada")
    first = kit.publish_toast("ada", "Hello")
    kit.publish_toast("bob", "For bob")
    db.session.add_all(Message(user_id="ada", toast_id=id) for id in (first.id, "another"))
    joined = kit.publish_toast("ada", "Joined")
    db.session.commit()
    while Audit.query.count() < 3:
        time.sleep(0.01)
    db.session.rollback()
    print(sorted((row.user_id, row.title, row.became) for row in Audit.query))
    kit.toasts.read("ada", first.id)
    db.session.rollback()
    print([row.read for row in Message.query.order_by(Message.id)])
    db.session.rollback()
    kit.toasts.read_all("ada")
    print([row.read for row in Message.query.order_by(Message.id)])
    db.session.rollback()
    while metrics.counts["connections"] != 1:
        time.sleep(0.01)
    print(sorted(metrics.counts.items()))
    kit.close()
    print(metrics.counts["connections"])
"""
    place = furnish("signals.rst", tmp_path)
    audit = [("ada", "Hello", "delivered"), ("ada", "Joined", "delivered")]
    counts: list[Any] = [("connections", 1), ("toasts_delivered", 2), ("toasts_undelivered", 1)]
    assert run(code, place).splitlines() == [
        str([*audit, ("bob", "For bob", "undelivered")]),
        "[True, False]",
        "[True, True]",
        str(counts),
        "0",
    ]
