"""The page in a real browser, under the portal's own Content-Security-Policy."""

import time

import pytest
from portal import create_app

from tests.e2e.browser import CHROMIUM, browse
from tests.embedding.browser import served

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")


def test_a_toast_is_drawn_without_a_complaint_of_the_browser(tmp_path):
    app = create_app(TESTING=True, SESSION_COOKIE_SECURE=False, APPLICATION_ROOT="/")
    kit = app.extensions["toastkit"].kit
    with served(app) as url, browse(f"{url}/login", tmp_path / "browser") as page:
        page.fill("input", "boss")
        page.press("button")
        until = time.monotonic() + 20
        while not kit.node.online("boss"):
            assert time.monotonic() < until, page.complaints
            page.run("0")
        page.run("fetch('/approve/boss', {method: 'POST'}).then(() => 0)")
        page.until("document.querySelector('.toastkit-toast')?.innerText.includes('approved')")
        assert (
            page.run("getComputedStyle(document.querySelector('.toastkit-toast')).boxShadow")
            != "none"
        )
        assert page.complaints == []
