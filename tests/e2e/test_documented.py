"""What the documentation shows, done as a reader would: with curl, node and a browser."""

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests import wheel_check
from tests.e2e.browser import CHROMIUM, browse
from tests.pages import PAGES, blocks, furnish, modules

pytestmark = pytest.mark.plain

CURL, NODE = shutil.which("curl"), shutil.which("node")

APP = """
import sys

from flask import request, session

import example
from shop import create_app, toastkit

port = sys.argv[-1]
example.PAGE = f"http://localhost:{port}"
app = create_app(TOASTKIT_ALLOWED_ORIGINS=[example.PAGE], TOASTKIT_PUBLISH_SECRET="publish-secret")
example.allow_the_page(app)

@app.get("/login/<name>")
def login_page(name):
    session["user"] = name
    return app.config.get("HTML", "")

@app.post("/html")
def html():
    app.config["HTML"] = request.get_data(as_text=True)
    return ""
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Serve the shop of the pages; return where."""
    place = furnish("howto/page.rst", tmp_path_factory.mktemp("shop"))
    with wheel_check.serving(APP, place) as origin:
        yield origin


@pytest.fixture
def session(shop):
    """Mint a session for Ada."""
    with urllib.request.urlopen(urllib.request.Request(f"{shop}/token", b"")) as answer:
        return json.load(answer)["token"]


def curls() -> list[tuple[str, str]]:
    """Return every call of curl that is a command of a reader, with the page that shows it."""
    shape = r"^(?:   \$ )?(curl (?:[^'\n\\]|\\\n|'[^']*')*)$"
    return [
        (page, command)
        for page, text in PAGES.items()
        for command in re.findall(shape, text, re.MULTILINE)
    ]


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
@pytest.mark.parametrize(("page", "command"), curls())
def test_what_curl_is_shown_to_say_is_answered(shop, session, page, command):
    known = {
        "$TOASTKIT_PUBLISH_SECRET": "publish-secret",
        "$TOAST_PUBLISH_SECRET_KEY": "publish-secret",
    }
    known |= {"toast_publish_secret": "publish-secret", "ms_sess_...": session, "<hex>": "ab" * 32}
    for word, meant in known.items():
        command = command.replace(word, meant)
    command = re.sub(r"http://127\.0\.0\.1:\d+", shop, command)
    if "/stream" in command:
        command = command.replace("curl -N", "curl -N --max-time 1")
    done = subprocess.run(
        ["bash", "-c", f"{command} --silent --write-out '\\n%{{http_code}}'"],
        capture_output=True,
        text=True,
        check=False,
    )
    answer, _, status = done.stdout.rpartition("\n")
    assert status in {"200", "202"}, done.stdout + done.stderr
    assert json.loads(answer.splitlines()[0])


def test_pages_in_one_process_are_told_by_the_sockets_of_another(tmp_path):
    place = furnish("howto/workers.rst", tmp_path)
    url = f"sqlite:///{tmp_path}/toasts.db"
    sockets = f"from example import create_sockets\napp = create_sockets({url!r})\n"
    web = f"from example import create_web\napp = create_web({url!r})\n"
    apart = tmp_path / "web"
    apart.mkdir()
    shutil.copy(place / "example.py", apart)
    with wheel_check.serving(sockets, place) as there, wheel_check.serving(web, apart) as here:
        browser = wheel_check.Browser(here)
        browser.ask("/login/ada", {})
        browser.origin = there  # cookies know no ports
        ticket = json.loads(browser.ask("/v1/sessions/toast-bootstrap", {}))
        listener = wheel_check.Listener(ticket["ws_url"])
        with listener.sock:
            listener.wait_for("connection_ack")
            browser.origin = here
            assert json.loads(browser.ask("/orders", {})) == {"status": "queued"}
            listener.wait_for('"type":"toast"', "Order received")


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_a_bundle_and_a_client_of_ones_own_hear_a_toast(shop, session, tmp_path):
    script = Path(__file__).parents[2] / "toastkit_flask/static/toastkit.js"
    (tmp_path / "toastkit.js").write_text(script.read_text())
    shown = modules("howto/page.rst", "javascript")
    bundled = shown["bundled.js"].replace("https://api.example.com", shop)
    (tmp_path / "bundled.mjs").write_text(bundled)
    (tmp_path / "alone.mjs").write_text(shown["alone.js"])
    (tmp_path / "main.mjs").write_text(
        f"""
import {{ client }} from "./bundled.mjs";
import {{ listen }} from "./alone.mjs";
client.close();
const socket = await listen("{shop}", "{session}", (toast) => {{
  console.log(client.options.base, toast.title);
  socket.close();
}});
socket.onopen = () => fetch("{shop}/v1/toasts/publish", {{
  method: "POST",
  headers: {{ Authorization: "Bearer publish-secret", "Content-Type": "application/json" }},
  body: JSON.stringify({{ user_id: "ada", topic: "user:ada", toast: {{ title: "Heard" }} }}),
}});
"""
    )
    done = subprocess.run(
        [str(NODE), "--experimental-websocket", "--no-warnings", str(tmp_path / "main.mjs")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == f"{shop} Heard\n", done.stderr


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_pages_of_the_pages_work_in_a_browser(shop, tmp_path):
    script = '<script src="/toastkit/toastkit.js"></script>\n'
    told = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "Hello", "style": "success"}}

    def publish():
        body, kind = json.dumps(told).encode(), {"Content-Type": "application/json"}
        kind["Authorization"] = "Bearer publish-secret"
        urllib.request.urlopen(
            urllib.request.Request(f"{shop}/v1/toasts/publish", body, kind)
        ).close()

    plain, bell, missed, foreign = (code for _, code in blocks("howto/page.rst", "html"))
    elsewhere = shop.replace("127.0.0.1", "localhost")
    foreign = foreign.replace("https://api.example.com", shop)
    drawn = "document.querySelector('.toastkit-toast')?.textContent.includes('Hello')"
    publish()
    with browse(f"{shop}/login/ada", tmp_path / "browser") as page:

        def show(html, origin=shop):
            html = html if "toastkit.js" in html else script + html
            request = urllib.request.Request(f"{shop}/html", html.encode())
            request.add_header("Content-Type", "text/html")
            urllib.request.urlopen(request).close()
            page.ask("Page.navigate", url=f"{origin}/login/ada")
            page.until("document.readyState === 'complete' && self.toastkit")

        show(missed)
        page.until("/Hello/.test(document.getElementById('missed').textContent)")
        show(bell)
        page.until("+document.getElementById('bell').textContent > 0")
        before = page.run("+document.getElementById('bell').textContent")
        publish()
        page.until(f"+document.getElementById('bell').textContent === {before + 1}")
        page.press("#list .unread")
        page.until(f"+document.getElementById('bell').textContent === {before}")
        for html, origin in [(plain, shop), (foreign, elsewhere)]:
            show(
                html.replace("connect({", "connect({ onState: (s) => (self.said = s.state),"),
                origin,
            )
            page.until("self.said === 'connected'")
            publish()
            page.until(drawn)
        [(_, anonymous)] = blocks("howto/anonymous.rst", "html")
        show(anonymous)
        assert page.run("anonymous()").startswith("ms_sess_")
        assert page.run("post('/auth/rebind')")["rebound"] is True
        assert [each for each in page.complaints if "favicon" not in each] == []
