"""``toastkit courier``: a process that carries, tells of it, and ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import one_line, runner
from toastkit import Config, Kit
from toastkit.deliveries import Later, Refusal, Sent
from toastkit.senders import RecordingSender
from toastkit.senders.apns import RecordingApns

ROOT = Path(__file__).parents[2]


class Answers:
    """A sender that answers what a delivery says."""

    kind = "answers"

    def post(self, delivery):
        return {"sent": Sent("200"), "refused": Refusal("no"), "later": Later("busy", 90)}[
            delivery.target
        ]


@pytest.fixture
def database(tmp_path):
    return f"sqlite:///{tmp_path}/toasts.db"


def states(database):
    with Kit(Config(database_url=database)) as kit:
        return {each.target: (each.state, each.last_answer) for each in kit.deliveries.recent()}


def test_without_a_sender_it_says_what_to_do(run):
    for words in (["courier"], ["courier", "--once"]):
        code, said, complaint = run(*words)
        assert (code, said) == (1, "")
        assert one_line(complaint)
        assert "senders=" in complaint
        assert "TOASTKIT_APNS_KEY_FILE" in complaint


def test_once_carries_what_is_due_tells_each_attempt_and_ends(make_kit, database):
    kit = make_kit(senders=[Answers(), RecordingSender("email")], database_url=database)
    ids = {
        target: kit.deliveries.owe("answers", {}, target=target, user_id="ada")
        for target in ("sent", "refused", "later")
    }
    code, said, told = runner(kit)("courier", "--once")
    assert (code, told) == (0, "carrying answers, email\n")
    lines = {line.split()[3]: line for line in said.splitlines()}
    assert lines["sent"] == f"answers  {ids['sent']}  ada  sent  sent: 200"
    assert lines["refused"] == f"answers  {ids['refused']}  ada  refused  failed: no"
    assert lines["later"].startswith(f"answers  {ids['later']}  ada  later  waiting: busy  next ")
    assert states(database) == {
        "sent": ("sent", "200"),
        "refused": ("failed", "no"),
        "later": ("waiting", "busy"),
    }


def test_programs_get_a_line_of_json_for_each_attempt(make_kit, database):
    kit = make_kit(senders=[Answers()], database_url=database)
    id = kit.deliveries.owe("answers", {"secret": "4711"}, target="refused")
    code, said, _ = runner(kit)("courier", "--once", "--json")
    assert (code, json.loads(said)) == (
        0,
        {
            "id": id,
            "kind": "answers",
            "user_id": None,
            "target": "refused",
            "state": "failed",
            "answer": "no",
            "next_attempt_at": None,
        },
    )


def test_once_carries_more_than_it_has_room_for(make_kit, database):
    sender = RecordingSender("email")
    kit = make_kit(senders=[sender], database_url=database)
    for _ in range(20):
        kit.deliveries.owe("email", {})
    assert runner(kit)("courier", "--once")[0] == 0
    assert len(sender.posted) == 20


def test_once_ends_though_the_other_side_is_away(make_kit, database):
    class Away:
        kind = "email"
        asked = 0

        def post(self, delivery):
            self.asked += 1
            raise ConnectionRefusedError

    sender = Away()
    kit = make_kit(senders=[sender], database_url=database)
    for _ in range(20):
        kit.deliveries.owe("email", {})
    code, said, _ = runner(kit)("courier", "--once")
    assert (code, said.count("waiting: ConnectionRefusedError")) == (0, sender.asked)
    assert 1 <= sender.asked < 20
    with Kit(Config(database_url=database)) as kit:
        assert kit.deliveries.waiting() == {"email": 20}


def test_once_without_its_database_is_one_line_and_1(make_kit, tmp_path):
    url = f"sqlite:///{tmp_path}/nowhere/toasts.db"
    kit = make_kit(senders=[RecordingSender("email")], database_url=url)
    code, said, complaint = runner(kit)("courier", "--once")
    assert (code, said) == (1, "")
    assert one_line(complaint.removeprefix("carrying email\n"))


def test_it_carries_where_the_setting_says_that_serving_processes_do_not(make_kit, database):
    sender = RecordingSender("email")
    kit = make_kit(senders=[sender], database_url=database, carry=False)
    kit.deliveries.owe("email", {})
    assert runner(kit)("courier", "--once")[0] == 0
    assert len(sender.posted) == 1


def test_it_sends_the_pushes_of_those_who_serve_and_do_not_carry(make_kit, database, clock):
    kit = make_kit(senders=[RecordingSender("apns")], database_url=database, carry=False)
    kit.node.serve()
    kit.devices.register("ada", "phone", None, {"token": "ab" * 32})
    receipt = kit.publish_toast("ada", "Hello")
    assert (receipt.transport, receipt.status) == ("apns", "queued")
    sender = RecordingApns(clock)
    assert runner(make_kit(senders=[sender], database_url=database))("courier", "--once")[0] == 0
    (pushed,) = sender.posted
    assert pushed.request.path == "/3/device/" + "ab" * 32
    assert kit.toasts.explain(receipt.id).why == "sent"


SHOP = """
import time
from flask import Flask
from toastkit.deliveries import Sent
from toastkit_flask import ToastKit

class Email:
    kind = "email"
    def post(self, delivery):
        if delivery.target == "hangs":
            print("hanging", flush=True)
            time.sleep(600)
        return Sent("200")

app = Flask(__name__)
ToastKit(app, senders=[Email()], database_url={database!r}, sweep_ms=50, close_seconds=1)
"""


@pytest.fixture
def courier(tmp_path, database):
    (tmp_path / "shop.py").write_text(SHOP.format(database=database))
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "shop", "toastkit", "courier"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.plain
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_carries_what_another_process_owes_until_it_is_told_to_end(courier, database, number):
    with Kit(Config(database_url=database)) as kit:
        for name in ("one", "two"):
            id = kit.deliveries.owe("email", {}, target=name)
            assert courier.stdout.readline() == f"email  {id}  -  {name}  sent: 200\n"
    courier.send_signal(number)
    said, told = courier.communicate(timeout=50)
    assert (courier.returncode, said, told) == (0, "", "carrying email\nstopped\n")
    assert states(database) == {"one": ("sent", "200"), "two": ("sent", "200")}


@pytest.mark.plain
def test_whoever_reads_its_lines_may_go(courier, database):
    with Kit(Config(database_url=database)) as kit:
        courier.stdout.close()
        for name in ("one", "two"):
            kit.deliveries.owe("email", {}, target=name)
        deadline = time.monotonic() + 20
        while kit.deliveries.waiting() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert kit.deliveries.waiting() == {}
    courier.send_signal(signal.SIGTERM)
    assert "Traceback" not in courier.stderr.read()


@pytest.mark.plain
def test_a_sender_that_hangs_does_not_keep_it(courier, database):
    with Kit(Config(database_url=database)) as kit:
        kit.deliveries.owe("email", {}, target="hangs")
        assert courier.stdout.readline() == "hanging\n"
    began = time.monotonic()
    courier.send_signal(signal.SIGTERM)
    courier.communicate(timeout=50)
    assert courier.returncode == 0
    assert time.monotonic() - began < 10
    assert states(database) == {"hangs": ("waiting", None)}


@pytest.mark.parametrize(
    ("words", "code", "said"), [([], 0, "stopped\n"), (["--once"], 1, "before everything")]
)
def test_broken_off_it_is_done_unless_all_was_to_be_carried(
    make_kit, monkeypatch, words, code, said
):
    def ctrl_c(*_, **__):
        raise KeyboardInterrupt

    kit = make_kit(senders=[Answers()])
    monkeypatch.setattr(kit.deliveries, "carry", ctrl_c)
    assert (answer := runner(kit)("courier", *words))[0] == code
    assert said in answer[2]
