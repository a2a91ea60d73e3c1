"""``toastkit publish`` and ``control``: from a shell to one user, or to as many as a file names."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.conftest import one_line
from toastkit.errors import StorageUnavailable
from toastkit.kit import SLICE

pytestmark = pytest.mark.plain

MANY = [f"user{number}" for number in range(2 * SLICE + 1)]


def titles(kit, user):
    return [each.title for each in kit.toasts.list(user).items]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("".join(f"{user}\r\n\n" for user in MANY), encoding="utf-8-sig")
    return str(path)


def test_a_receipt_is_printed(kit, run):
    code, said, complaint = run("publish", "ada", "Order placed")
    (toast,) = kit.toasts.list("ada").items
    assert (code, complaint) == (0, "")
    assert said == f"{toast.id}  ada  queued\n"
    assert not kit.node.serving


def test_every_option_is_what_it_is_in_python(kit, run):
    words = ["--body", "B", "--style", "error", "--priority", "high", "--deeplink", "/a"]
    words += ["--data", '{"order": [7]}', "--topic", "orders", "--collapse-key", "c"]
    code, _, complaint = run("publish", "ada", "T", *words, "--dedupe-key", "k", "--ttl-ms", "9000")
    assert (code, complaint) == (0, "")
    (toast,) = kit.toasts.list("ada").items
    assert (toast.title, toast.body, toast.style, toast.priority) == ("T", "B", "error", "high")
    assert (toast.deeplink, toast.data, toast.topic) == ("/a", {"order": [7]}, "orders")
    facts = kit.data.export("ada")["toastkit_toasts"][0]
    assert (facts["collapse_key"], facts["dedupe_key"], facts["fallback"]) == ("c", "k", True)
    assert facts["expires_at"] - facts["created_at"] == 9000


def test_no_phone_may_be_wanted_to_ring(kit, run):
    run("publish", "ada", "T", "--no-fallback")
    assert not kit.data.export("ada")["toastkit_toasts"][0]["fallback"]


@pytest.mark.parametrize(
    ("receipt", "shown"),
    [
        (("delivered", "websocket", 1, None), "delivered to 1 connection"),
        (("delivered", "websocket", 2, None), "delivered to 2 connections"),
        (("queued", "apns", 0, None), "queued by apns"),
        (("duplicate", "none", 0, "duplicate"), "duplicate"),
        (("undelivered", "none", 0, "no_device"), "undelivered (no_device)"),
    ],
)
def test_what_became_of_it_is_said(kit, run, monkeypatch, receipt, shown):
    from toastkit import Receipt

    status, transport, count, reason = receipt
    given = Receipt(
        delivered=status == "delivered",
        transport=transport,
        session_count=count,
        id="7" * 26,
        status=status,
        reason=reason,
    )
    monkeypatch.setattr(kit, "publish_toast", lambda *_, **__: given)
    assert run("publish", "ada", "T")[1] == f"{'7' * 26}  ada  {shown}\n"


def test_programs_get_a_line_of_json_for_each(kit, run):
    code, said, _ = run("publish", "ada", "bob", "T", "--json")
    lines = [json.loads(line) for line in said.splitlines()]
    assert (code, [line["user_id"] for line in lines]) == (0, ["ada", "bob"])
    assert lines[0]["id"] == kit.toasts.list("ada").items[0].id
    assert (lines[0]["status"], lines[0]["reason"]) == ("queued", None)


@pytest.mark.parametrize("user", ["--json", "-x", "--"])
def test_a_user_may_look_like_an_option(kit, run, user):
    assert run("publish", "--", user, "Hello")[0] == 0
    assert titles(kit, user) == ["Hello"]
    assert run("export", "--", user)[0] == 0


def test_a_file_names_many_and_how_far_it_is_is_told(kit, run, file, at_once):
    code, said, told = run("publish", "--users-from", file, "We are back")
    assert (code, len(said.splitlines())) == (0, len(MANY))
    assert [line.split()[1] for line in said.splitlines()] == MANY
    assert f"published {SLICE} of {len(MANY)}\n" in told
    assert told.endswith(f"published {len(MANY)}: {len(MANY)} queued\n")
    assert titles(kit, MANY[-1]) == ["We are back"]


def test_users_come_from_stdin_and_beside_those_named(kit, run):
    assert run("publish", "ada", "T", "--users-from", "-", answer="bob\nÅsa\n")[0] == 0
    assert [titles(kit, user) for user in ("ada", "bob", "Åsa")] == [["T"]] * 3


def test_with_a_user_that_is_none_nothing_is_published(kit, run, tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("ada\n" * SLICE + "a:b\n")
    code, said, complaint = run("publish", "--users-from", str(path), "T")
    assert (code, said, one_line(complaint)) == (2, "", True)
    assert f"users.txt, line {SLICE + 1}" in complaint
    assert titles(kit, "ada") == []
    code, _, complaint = run("publish", "bob", "a:b", "T")
    assert (code, "USER" in complaint, titles(kit, "bob")) == (2, True, [])
    assert run("publish", "bob", "ada", "T", "--topic", "user:bob")[0] == 2
    assert titles(kit, "bob") == []


def test_with_a_topic_of_one_of_them_nothing_is_published(kit, run, tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("ada\n" * SLICE + "bob\n")
    code, said, complaint = run("publish", "--users-from", str(path), "T", "--topic", "user:ada")
    assert (code, said, one_line(complaint)) == (2, "", True)
    assert titles(kit, "ada") == []


def test_a_file_that_is_no_text_is_one_line_and_2(run, tmp_path):
    path = tmp_path / "users.txt"
    path.write_bytes(b"ada\n\xff\xfe\n")
    code, said, complaint = run("publish", "--users-from", str(path), "T")
    assert (code, said, one_line(complaint)) == (2, "", True)


@pytest.mark.parametrize("end", [KeyboardInterrupt(), StorageUnavailable("the disk is full")])
def test_broken_off_it_says_how_many_and_can_be_run_again(kit, run, file, monkeypatch, end):
    publish, calls = kit.publish_toasts, []

    def ending(some, *args, **options):
        calls.append(some)
        if len(calls) == 2:
            raise end
        return publish(some, *args, **options)

    monkeypatch.setattr(kit, "publish_toasts", ending)
    words = ("publish", "--users-from", file, "T", "--dedupe-key", "back-1")
    code, said, complaint = run(*words)
    assert (code, len(said.splitlines()), one_line(complaint)) == (1, SLICE, True)
    assert f"{SLICE} of {len(MANY)} were published" in complaint
    code, _, told = run(*words)
    assert code == 0
    assert told == f"published {len(MANY)}: {SLICE} duplicate, {len(MANY) - SLICE} queued\n"
    assert all(titles(kit, user) == ["T"] for user in (MANY[0], MANY[SLICE], MANY[-1]))


def test_a_command_may_run_in_any_thread(kit, run, file):
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(run, "publish", "--users-from", file, "T").result()[0] == 0


def test_a_control_is_told_by_who_serves(kit, run, monkeypatch):
    told = []
    monkeypatch.setattr(kit, "publish_control", lambda *given: told.append(given))
    assert run("control", "flags.changed") == (0, "told flags.changed to everybody\n", "")
    words = ["--user", "ada", "--params", '{"used": 7, "plan": "free"}', "--param", "plan=pro=x"]
    code, said, _ = run("control", "usage.changed", *words, "--json")
    assert (code, json.loads(said)["user_id"]) == (0, "ada")
    assert told == [
        ("flags.changed", {}, None),
        ("usage.changed", {"used": 7, "plan": "pro=x"}, "ada"),
    ]


def test_a_control_beside_a_server_says_why_it_is_told_to_nobody(kit, run, caplog):
    code, said, complaint = run("control", "flags.changed")
    assert (code, said, one_line(complaint)) == (1, "", True)
    assert "a process that serves" in complaint
    assert not kit.node.serving


def test_a_reader_that_goes_does_not_stop_a_publish(kit, run, file, monkeypatch):
    from toastkit.cli import words

    def closed(*_, **how):
        if not how.get("err"):
            raise BrokenPipeError

    monkeypatch.setattr(words.click, "echo", closed)
    monkeypatch.setattr(words, "gone", lambda: None)
    assert run("publish", "--users-from", file, "T")[0] == 0
    assert titles(kit, MANY[-1]) == ["T"]


def test_a_file_of_users_that_cannot_be_read_is_one_line(run):
    code, said, complaint = run("publish", "--users-from", "/proc/self/mem", "T")
    assert (code, said) == (2, "")
    assert complaint == "Error: /proc/self/mem cannot be read: Input/output error\n"
