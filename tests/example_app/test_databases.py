"""The whole service under gevent, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import Start, serving
from .test_service import ask, session_of

pytestmark = pytest.mark.plain

DEVICE = {"device_id": "6f9619ff-8b86-4011-b42d-00cf4fc964ff"}


@pytest.fixture
def base(start: Start, url: str, tmp_path: Path) -> Iterator[str]:
    given = {"DATABASE_URL": url, "INSTANCE_PATH": str(tmp_path / "i"), "RATE_LIMITS": "0"}
    with serving(start("-m", "example_app", **given)) as base:
        yield base


def test_many_projects_at_once_and_a_rebind(base: str) -> None:
    visitor, ada = ask(f"{base}/auth/anonymous", DEVICE)["token"], session_of(base, "ada")

    def make(number: int) -> str:
        return str(ask(f"{base}/projects", {"name": f"p{number}"}, visitor)["id"])

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(make, range(20)))
    rebound = ask(f"{base}/auth/rebind", DEVICE, ada)
    assert rebound["rebound"] is True
    assert {each["id"] for each in ask(f"{base}/projects", None, ada)["items"]} == made
    usage = ask(f"{base}/v1/usage", None, ada)
    assert (usage["credits_used"], usage["credits_total"]) == (20, 20)
