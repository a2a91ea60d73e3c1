"""An operator's commands: what they print, what they refuse, how they exit."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import get_args

import pytest

from tests.cli.conftest import one_line, runner
from toastkit.cli import group
from toastkit.ids import toast_id
from toastkit.publishing.verdict import Why

PAGE = (Path(__file__).parents[2] / "docs" / "cli.rst").read_text()
UNKNOWN = toast_id(1_767_225_600_000)


def decided(kit):
    """Publish a toast that nobody will ever look at again; what is undecided is kept."""
    kit.node.serve()
    id = kit.publish_toast("ada", "Hello").id
    assert kit.toasts.explain(id).state == "undelivered"


def test_explain_says_why_a_toast_was_not_seen(kit, run):
    kit.node.serve()
    id = kit.publish_toast("ada", "Hello").id
    code, said, complaint = run("explain", id)
    assert (code, complaint) == (0, "")
    assert said.startswith("ada was not shown it: nobody was in front of the app.\n")
    assert f"toast  {id}\nuser   ada\nstate  undelivered (no_session)\n" in said
    assert "2026-01-01T00:00:00+00:00  published, on user:ada\n" in said
    assert "- it is in the list\n" in said


def test_explain_answers_programs_in_json(kit, run):
    id = kit.publish_toast("ada", "Hello").id
    code, said, _ = run("explain", id, "--json")
    explanation = json.loads(said)
    assert code == 0
    assert list(explanation) == [
        *("id", "user_id", "state", "why", "verdict", "timeline", "hints"),
    ]
    assert (explanation["id"], explanation["why"]) == (id, "undecided")


@pytest.mark.parametrize("id", [UNKNOWN, "7" + "Z" * 25, "x", "", "x" * 10_000, "\u0661"])
def test_explain_of_nobodys_toast_is_one_line_and_1(run, id):
    code, said, complaint = run("explain", id)
    assert (code, said) == (1, "")
    assert one_line(complaint)


def test_prune_says_what_it_deleted(kit, run, clock, at_once):
    decided(kit)
    clock.advance(91 * 86_400)
    code, said, progress = run("prune")
    assert code == 0
    assert re.fullmatch(r"deleted .*\b1 of toastkit_toasts\b.*\n", said)
    assert "toastkit_toasts: 1\n" in progress
    assert kit.toasts.list("ada").items == []
    assert run("prune")[:2] == (0, "deleted nothing\n")


def test_prune_answers_programs_in_json(kit, run, clock):
    decided(kit)
    clock.advance(91 * 86_400)
    code, said, progress = run("prune", "--json")
    assert (code, progress) == (0, "")
    assert json.loads(said)["toastkit_toasts"] == 1


def test_of_what_is_done_soon_no_progress_is_told(kit, run, clock):
    decided(kit)
    clock.advance(91 * 86_400)
    assert run("prune")[2] == ""
    assert run("forget", "ada", "--yes")[2] == ""
    assert run("export", "ada")[2] == ""


def test_forget_and_export_tell_how_far_they_are(kit, run, at_once):
    kit.publish_toast("ada", "Hello")
    assert "toastkit_toasts: 1\n" in run("export", "ada")[2]
    assert "toastkit_toasts: 1\n" in run("forget", "ada", "--yes")[2]


def test_forget_answers_programs_in_json(kit, run):
    kit.publish_toast("ada", "Hello")
    code, said, _ = run("forget", "ada", "--json", answer="y\n")
    assert (code, json.loads(said.removeprefix("y\n"))["toastkit_toasts"]) == (0, 1)


def test_forget_asks_first(kit, run):
    kit.publish_toast("ada", "Hello")
    for answer in ("n\n", "", "\n"):
        assert run("forget", "ada", answer=answer)[0] == 1
    assert len(kit.toasts.list("ada").items) == 1
    assert run("forget", "ada", answer="y\n")[0] == 0
    assert kit.toasts.list("ada").items == []


def test_forget_need_not_ask_and_says_what_it_deleted(kit, run):
    kit.publish_toast("ada", "Hello")
    kit.publish_toast("bob", "Hello")
    code, said, _ = run("forget", "ada", "--yes")
    assert code == 0
    assert "1 of toastkit_toasts" in said
    assert len(kit.toasts.list("bob").items) == 1
    assert run("forget", "ada", "--yes")[:2] == (0, "deleted nothing\n")


def test_export_writes_everything_of_one_user(kit, run):
    kit.publish_toast("ada", "Hello")
    kit.publish_toast("bob", "Not yours")
    code, said, _ = run("export", "ada")
    assert code == 0
    assert [row["title"] for row in json.loads(said)["toastkit_toasts"]] == ["Hello"]
    assert "Not yours" not in said


def test_export_writes_a_file_for_its_owner_alone(kit, run, tmp_path):
    kit.publish_toast("ada", "Größe")
    path = tmp_path / "ada.json"
    path.write_text("older")
    assert run("export", "ada", "--output", str(path)) == (0, "", "")
    assert json.loads(path.read_text(encoding="utf-8"))["toastkit_toasts"][0]["title"] == "Größe"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["ada.json"]


def test_an_export_is_one_json_object_of_every_table(kit, run):
    for _ in range(3):
        kit.publish_toast("ada", "Hello")
    said = run("export", "ada")[1]
    assert json.loads(said) == kit.data.export("ada")
    assert json.loads(run("export", "nobody")[1]) == kit.data.export("nobody")


def test_a_file_that_cannot_be_written_is_one_line_and_1(kit, run, tmp_path):
    code, _, complaint = run("export", "ada", "--output", str(tmp_path / "nowhere" / "ada.json"))
    assert code == 1
    assert one_line(complaint)


@pytest.mark.parametrize("name", ["pipe", "link", "dangling", ""])
def test_what_is_no_file_is_not_replaced(kit, run, tmp_path, name):
    os.mkfifo(tmp_path / "pipe")  # as good as /dev/null, which no test may put at stake
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    before = [each.lstat() for each in sorted(tmp_path.iterdir())]
    code, said, complaint = run("export", "ada", "--output", name and str(tmp_path / name))
    assert (code, said) == (2, "")
    assert "is no file to replace" in complaint
    assert [each.lstat() for each in sorted(tmp_path.iterdir())] == before


def test_nothing_is_left_of_a_file_that_could_not_be_finished(kit, run, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    code, _, complaint = run("export", "ada", "--output", str(tmp_path / "ada.json"))
    assert (code, one_line(complaint)) == (1, True)
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == []


@pytest.mark.parametrize("command", [("forget", "--yes"), ("export",), ("devices",)])
@pytest.mark.parametrize("user", ["", "a:b", "anon", "a b", "x" * 201])
def test_a_user_id_that_is_none_was_called_wrongly(run, command, user):
    code, said, complaint = run(*command, user)
    assert (code, said) == (2, "")
    assert one_line(complaint)


@pytest.mark.parametrize(
    "words",
    [
        *(("explain",), ("explain", "a", "b"), ("prune", "x"), ("forget",), ("x",), ("export",)),
        *(("devices",), ("devices", "ada", "--remove"), ("deliveries", "x"), ("courier", "x")),
        *(("deliveries", "--state", "lost"), ("deliveries", "--limit", "many")),
        *(("publish",), ("publish", "ada"), ("publish", "ada", "Hi", "--style", "loud")),
        *(("publish", "ada", "Hi", "--data", "{"), ("publish", "ada", "Hi", "--data", "[1]")),
        *(
            ("publish", "ada", "Hi", "--ttl-ms", "-1"),
            ("publish", "ada", "Hi", "--topic", "user:bob"),
        ),
        *(("publish", "ada", "a:b", "Hi"), ("publish", "--users-from", "/nowhere", "Hi")),
        *(("control",), ("control", "no words"), ("control", "a.b", "--param", "x")),
        *(("control", "a.b", "--params", "1"), ("control", "a.b", "--user", "a:b")),
        *(("tail", "--since", "soon"), ("tail", "--last", "-1"), ("tail", "--user", "a:b")),
        *(("tail", "--topic", "user:*"), ("upgrade", "--from", "0001"), ("upgrade", "x")),
    ],
)
def test_words_that_are_none_are_2(run, words):
    code, said, complaint = run(*words)
    assert (code, said) == (2, "")
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    "words",
    [
        *(("explain", UNKNOWN), ("prune",), ("export", "ada")),
        *(("devices", "ada"), ("devices", "ada", "--remove", "phone"), ("deliveries",)),
        *(("publish", "ada", "Hi"), ("publish", "ada", "bob", "Hi"), ("tail", "--once")),
        *(("tail",), ("upgrade",), ("forget", "ada", "--yes")),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_line_and_1(make_kit, tmp_path, words):
    kit = make_kit(database_url=f"sqlite:///{tmp_path}/nowhere/toasts.db")
    code, _, complaint = runner(kit)(*words)
    assert code == 1
    assert one_line(complaint)


@pytest.mark.parametrize("command", sorted(group.commands))
def test_every_command_explains_itself(run, command):
    code, said, _ = run(command, "--help")
    assert code == 0
    assert re.search(r"\n\n  [A-Z].*\.", said)
    assert f"\n  Examples:\n    toastkit {command}" in said
    (line,) = re.findall(rf"^  {command} +(.+)$", run("--help")[1], re.MULTILINE)
    assert line.endswith(".")
    assert not line.endswith("...")


@pytest.mark.parametrize("command", sorted(group.commands))
def test_every_command_and_option_is_documented(command):
    section = re.search(
        rf"^``toastkit {command}\b.*``\n-+\n(?:.|\n)*?(?=\n\n.+\n---|\Z)", PAGE, re.MULTILINE
    )
    assert section is not None, f"docs/cli.rst lacks toastkit {command}"
    for parameter in group.commands[command].params:
        name = max(parameter.opts, key=len)
        wanted = rf"[`[]{name}\b" if name.startswith("--") else rf"\b{parameter.name.upper()}\b"
        wanted = wanted.replace("USERS", "USER")
        assert re.search(wanted, section[0]), f"docs/cli.rst lacks {name} of {command}"


def test_no_command_or_option_is_documented_that_is_none():
    titles = re.findall(r"^``toastkit (\w+)\b.*``\n-", PAGE, re.MULTILINE)
    assert sorted(titles) == sorted(group.commands)
    known = {name for each in group.commands.values() for one in each.params for name in one.opts}
    said = set(re.findall(r"``(--[a-z-]+)", PAGE))
    assert said <= known | {"--help", "--version", "--app"}


@pytest.mark.parametrize("word", get_args(Why))
def test_every_word_of_explain_is_documented(word):
    assert f"``{word}``" in PAGE
