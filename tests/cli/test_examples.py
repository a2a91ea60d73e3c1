"""What docs/cli.rst shows is what the commands print, and what their help shows can be called."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.cli.conftest import runner
from toastkit.cli import group
from toastkit.senders import RecordingSender
from toastkit.storage.upgrade import HEAD
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

PAGE = (Path(__file__).parents[2] / "docs" / "cli.rst").read_text()
AT = 1_777_970_100_000
"""2026-05-05T08:35:00+00:00."""


def examples(command: str) -> list[tuple[list[str], list[str]]]:
    """Return what the page shows of a command: its words, and what it prints."""
    found = []
    for block in re.findall(r"\.\. code-block:: console\n\n((?:   .*\n|\n)+)", PAGE):
        for call in re.split(r"^   \$ ", block, flags=re.MULTILINE)[1:]:
            line, *printed = [each.removeprefix("   ") for each in call.rstrip().splitlines()]
            words = shlex.split(line)
            if "toastkit" not in words:
                continue
            words = words[words.index("toastkit") + 1 :]
            if words[0] == command:
                found.append((words, printed))
    assert found, f"docs/cli.rst shows no example of {command}"
    return found


def alike(text: str) -> list[str]:
    """Return lines without what no two runs have in common."""
    text = re.sub(r"\b01[0-9A-Z]{7,24}(\.\.\.)?", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:+]+", "TIME", text)
    return [re.sub(r"  +", "  ", line) for line in text.rstrip("\n").splitlines()]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(AT)


@pytest.fixture
def shop(make_kit, tmp_path, monkeypatch):
    """A shop whose database has what the page's examples are about; return its kit."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "users.txt").write_text("ada\nbob\n")
    kit = make_kit(senders=[RecordingSender("apns")], default_bundle_id="com.example.shop")
    yield kit
    assert not list(tmp_path.glob(".*"))


def shown(kit, command, place=0):
    """Run an example; return what it printed and what the page says it does."""
    words, printed = examples(command)[place]
    _, said, told = runner(kit)(*words)
    return alike(said + told), alike("\n".join(printed))


def test_upgrade(shop, make_kit):
    said, page = shown(shop, "upgrade")
    assert said == page
    words, printed = examples("upgrade")[1]
    said = runner(make_kit(database_url="postgresql://localhost/shop"))(*words)[1]
    assert said.splitlines()[: len(printed) - 1] == printed[:-1]
    assert HEAD in PAGE


def test_publish(shop):
    said, page = shown(shop, "publish", 2)
    assert said == page
    shop.publish_toast("ada", "We are back", dedupe_key="back-1")
    said, page = shown(shop, "publish", 3)
    assert said == page


def test_control(shop):
    said, page = shown(shop, "control")
    assert said == page


def test_control_with_redis(make_kit, redis_server, redis_prefix):
    shop = make_kit(redis_url=redis_server.url, redis_prefix=redis_prefix)
    said, page = shown(shop, "control", 1)
    assert said == page


def test_tail_and_explain(make_kit):
    server = make_kit(senders=[RecordingSender("apns")])
    server.node.serve()
    id = server.publish_toast("ada", "Order placed").id
    server.toasts.explain(id)
    shop = make_kit()
    said, page = shown(shop, "tail")
    assert said == page
    printed = examples("explain")[0][1]
    assert alike(runner(shop)("explain", id)[1]) == alike("\n".join(printed))


def test_prune_forget_and_export(shop, tmp_path):
    said, page = shown(shop, "prune")
    assert said == page
    for title in ("One", "Two"):
        shop.publish_toast("ada", title)
    assert runner(shop)(*examples("export")[-1][0])[0] == 0
    assert (tmp_path / "ada.json").exists()
    said, page = shown(shop, "forget")
    assert said == page


def test_devices(shop):
    shop.devices.register("ada", "phone", None, {"token": "ab" * 32})
    shop.devices.register("ada", "pad", None, None)
    said, page = shown(shop, "devices")
    never_pushed = [line.partition(", taken at")[0] for line in page]
    assert sorted(said) == sorted(never_pushed)


def test_deliveries(shop):
    shop.deliveries.owe("apns", {}, target="pad", user_id="bob")
    said, page = shown(shop, "deliveries")
    assert said[-1] == page[-1]
    assert said[0].split()[:5] == page[1].split()[:5]


@pytest.mark.parametrize("command", sorted(group.commands))
def test_every_example_of_a_help_page_can_be_called(shop, command, monkeypatch):
    """Its words are understood; what the command does is another test's."""
    page = CliRunner().invoke(group, [command, "--help"]).stdout
    _, _, lines = page.partition("  Examples:\n")
    for line in lines.strip().splitlines():
        words = shlex.split(re.split(r" [|>] ", line)[0])
        words = words[words.index("toastkit") + 1 :]
        assert words[0] == command
        with group.commands[command].make_context(command, words[1:], parent=click.Context(group)):
            pass
