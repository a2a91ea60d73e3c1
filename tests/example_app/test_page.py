"""The demo page in a real browser: what only both together show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.browser import CHROMIUM, Page, browse

from .conftest import Start, serving

pytestmark = [
    pytest.mark.plain,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here"),
]

BANNERS = "Array.from(document.querySelectorAll('#banners b'), each => each.textContent).join()"


def text(page: Page, id: str) -> str:
    return str(page.run(f"document.getElementById({id!r}).textContent"))


def publish(page: Page, title: str, verdict: str) -> None:
    page.fill("[name=title]", title)
    page.press("#publish .primary")
    page.until(f"document.querySelector('#verdict').textContent === {verdict!r}")


def test_a_phone_rings_for_who_is_in_the_background(start: Start, tmp_path: Path) -> None:
    with (
        serving(start("-m", "example_app", TOASTKIT_CONFIRM_MS="5000")) as base,
        browse(f"{base}/", tmp_path / "profile") as page,
    ):
        page.fill("#name", "ada")
        page.press("#sign-in .primary")
        page.until("document.querySelector('#lamp.connected')")
        publish(page, "Seen", "Shown in 1 place")
        page.press("#foreground")
        page.until("document.querySelector('#foreground-text').textContent === 'In the background'")
        publish(page, "For nobody", "Undelivered: no device")
        page.press("#register")
        page.until("document.querySelector('#devices button')")
        assert "You are away" in text(page, "phone-hint")
        publish(page, "It rings", "Pushed to a phone")
        page.until(f"{BANNERS} === 'It rings'")
        assert "Would have been sent" in text(page, "pushes")
        assert '"title": "It rings"' in text(page, "pushes")
        page.press("#devices button")
        page.until("!document.querySelector('#devices button')")
        assert "None yet" in text(page, "phone-hint")
        _fits_a_phone(page)
        assert page.complaints == []


def _fits_a_phone(page: Page) -> None:
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.ask("Emulation.setDeviceMetricsOverride", **size)
    assert page.run("document.documentElement.scrollWidth") <= 390
