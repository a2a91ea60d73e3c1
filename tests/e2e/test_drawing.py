"""Toasts as a browser draws them: what no document made of nothing shows."""

import shutil

import pytest

from tests.e2e.browser import CHROMIUM, browse
from tests.e2e.conftest import ROOT

pytestmark = [
    pytest.mark.plain,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

PAGE = """<!doctype html><html><body><input id="field">
<script src="toastkit.js"></script><script>
  const told = [];
  const draw = (id, more) =>
    self.stack.show({ id, title: id, style: "error", ...more }, (deed) => told.push(id + " " + deed));
  const titles = () => [...document.querySelectorAll(".toastkit-title")].map((each) => each.textContent).join();
  const focused = () => document.activeElement.getAttribute("aria-label") || document.activeElement.id;
  self.stack = new toastkit.Stack(document);
</script></body></html>"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    place = tmp_path_factory.mktemp("page")
    shutil.copy(ROOT / "toastkit_flask/static/toastkit.js", place)
    (place / "page.html").write_text(PAGE)
    with browse(f"file://{place}/page.html", place / "browser") as page:
        yield page


@pytest.fixture
def page(browser):
    browser.run("self.left = true")
    browser.ask("Page.reload")
    browser.until("!self.left && self.stack")
    browser.run("field.focus()")
    yield browser
    assert browser.complaints == []


def press(page, key, code):
    for kind in ("rawKeyDown", "keyUp"):
        page.ask("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code)


def click(page, place):
    page.until("document.getAnimations().length === 0")  # where it is going to be
    for kind in ("mousePressed", "mouseReleased"):
        page.ask("Input.dispatchMouseEvent", type=kind, **place, button="left", clickCount=1)


def test_who_dismisses_by_keyboard_goes_through_them_and_back(page):
    page.run("['a', 'b', 'c'].forEach((id) => draw(id)), 0")
    page.run("addEventListener('keydown', ({ key }) => self.heard = key), 0")
    press(page, "Tab", 9)
    assert page.run("focused()") == "Dismiss: a"
    press(page, "Escape", 27)
    assert page.run("[titles(), focused()]") == ["b,c", "Dismiss: b"]
    page.run("stack.withdraw((id) => id === 'b')")  # read elsewhere, just now
    assert page.run("focused()") == "Dismiss: c"
    press(page, "Escape", 27)
    assert page.run("[titles(), focused()]") == ["", "field"]
    assert page.run("heard") == "Tab", "a dialog of the page stays open"
    assert page.run("told") == ["a seen", "c seen"]


def test_who_dismisses_by_pointer_goes_on_where_they_were(page):
    page.run("['a', 'b'].forEach((id) => draw(id)), 0")
    place = "(({ x, y }) => ({ x: x + 9, y: y + 9 }))(document.querySelector('.toastkit-close').getBoundingClientRect())"
    page.until("document.getAnimations().length === 0")
    page.run("document.body.style.height = '5000px', scrollTo(0, 3000)")
    click(page, page.run(place))
    assert page.run("[titles(), focused(), scrollY]") == ["b", "field", 3000], "and see the same"


def test_a_toast_that_is_replaced_keeps_the_focus(page):
    page.run("draw('a', { collapse_key: 'k' }), 0")
    press(page, "Tab", 9)
    page.run("draw('b', { collapse_key: 'k' }), 0")
    assert page.run("[titles(), focused()]") == ["b", "Dismiss: b"]


def test_toasts_stay_on_the_screen_however_long_and_whichever_way_they_are_read(page):
    page.run("document.documentElement.dir = 'rtl'")
    page.run("draw('\\u0645\\u0631\\u062d\\u0628\\u0627', { body: 'word '.repeat(400) }), 0")
    page.until("document.getAnimations().length === 0")
    box = page.run(
        "(({ left, right, top, bottom }) => [left, innerWidth - right, top, innerHeight - bottom])"
        "(document.querySelector('.toastkit-toast').getBoundingClientRect())"
    )
    assert box[0] == 16, "at the end of the line, which is on the left"
    assert min(box) >= 0
    page.run("document.documentElement.dir = 'ltr'")
    assert page.run("getComputedStyle(document.querySelector('strong')).direction") == "rtl"


def test_a_page_that_takes_another_body_draws_there(page):
    page.run("draw('a'), document.body = document.createElement('body'), 0")
    page.run("draw('b'), 0")
    assert page.run("titles()") == "a,b"


def test_two_clients_draw_into_one_place_and_a_toast_once(page):
    page.run(
        "self.never = { environment: { fetch: () => new Promise(() => {}) } };"
        "[toastkit.connect(never), toastkit.connect(never)].forEach("
        "(client) => client.options.stack.show({ id: 'a', title: 'a' }))"
    )
    assert page.run("titles()") == "a"
    assert page.run("document.querySelectorAll('.toastkit').length") == 2  # the page's own is one
