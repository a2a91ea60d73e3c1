"""Apps as their users write them: toastkit costs at most ten lines, and breaks nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.embedding.harness import OWN, PLUGIN, ROOT, TOASTS, Host, every, run

pytestmark = pytest.mark.plain  # each in a process of its own

LINES = 10

each_host = pytest.mark.parametrize("host", every(), ids=lambda host: host.name)


@each_host
def test_toastkit_costs_at_most_ten_lines(host: Host) -> None:
    assert 0 < len(host.added()) <= LINES


@each_host
def test_the_documentation_shows_what_was_added(host: Host) -> None:
    assert f"\n{host.shown()}" in (ROOT / "docs" / "embedding.rst").read_text(), host.shown()


@each_host
def test_the_host_before_toastkit_knows_nothing_of_it(host: Host, tmp_path: Path) -> None:
    copy = host.before(tmp_path)
    assert not [path for path in Host(copy).sources() if "toastkit" in path.read_text()]


@each_host
def test_its_own_tests_pass_as_before_and_its_users_see_toasts(host: Host, tmp_path: Path) -> None:
    before = run(host.before(tmp_path / "before"), OWN)
    after = run(host.after(tmp_path / "after"), *PLUGIN, OWN, TOASTS)
    assert before[OWN] == after[OWN] > 0
    assert after[TOASTS] > 0
