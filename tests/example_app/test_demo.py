"""Demo mode: the guard that keeps it on this machine, the page, and its doors."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from example_app.factory import create_app
from example_app.settings import DEMO_SECRET

from .conftest import ROOT

SCRIPTS = sorted(path.name for path in ROOT.glob("example_app/demo/static/*.js"))


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_is_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.",
        "",
        "[::2]",
        "[::1%x; script-src *]",
        "[127.0.0.1]",
        "]127.0.0.1[",
    ],
)
@pytest.mark.parametrize("path", ["/", "/health", "/v1/toasts", "/demo/static/page.js", "/nowhere"])
def test_a_foreign_host_is_refused(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["code"] == "demo_mode_is_local"


@pytest.mark.parametrize(
    "header",
    [
        "Forwarded",
        "X-Forwarded-For",
        "x-forwarded-proto",
        "X-Forwarded-Host",
        "X-Real-IP",
        "Via",
        "CF-Connecting-IP",
    ],
)
def test_a_proxy_is_refused(client: FlaskClient, header: str) -> None:
    assert client.get("/health", headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize("address", ["192.168.1.7", "", "::ffff:10.0.0.1"])
def test_another_machine_is_refused(client: FlaskClient, address: str) -> None:
    answer = client.get("/health", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 403


def test_the_page_shows_the_demo_secret(client: FlaskClient) -> None:
    answer = client.get("/")
    assert f'data-secret="{DEMO_SECRET}"' in answer.text
    assert "anyone on this machine may sign in as anyone" in answer.text


def test_the_page_never_shows_a_secret_of_the_operators(tmp_path: Path) -> None:
    given = {"TOASTKIT_DEMO": "1", "TOAST_PUBLISH_SECRET_KEY": "mine"}
    app = create_app(given | {"INSTANCE_PATH": str(tmp_path)})
    text = app.test_client().get("/").text
    assert "mine" not in text
    assert 'data-secret=""' in text


def test_the_page_may_run_its_own_scripts_only(client: FlaskClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_page_makes_no_markup_of_data(client: FlaskClient, name: str) -> None:
    with client.get(f"/demo/static/{name}") as answer:
        script = answer.text
    assert "innerHTML" not in script
    assert "insertAdjacentHTML" not in script


def test_the_page_loads_each_of_its_scripts_and_has_none_inside(client: FlaskClient) -> None:
    text = client.get("/").text
    assert sorted(re.findall(r'src="/demo/static/(\w+\.js)"', text)) == SCRIPTS
    assert not re.search(r"<script>|<style|\son\w+=|style=", text)


@pytest.mark.parametrize("path", ["/demo/static/page.css", "/demo/static/mark.svg"])
def test_what_the_page_needs_is_served(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        assert answer.status_code == 200


def test_a_name_buys_a_token_and_the_token_a_session(client: FlaskClient) -> None:
    signed = client.post("/demo/sign-in", json={"name": "ada"}).json
    assert signed is not None
    bearer = {"Authorization": f"Bearer {signed['jwt']}"}
    session = client.post("/auth/session", headers=bearer).json
    assert session is not None
    assert session["token"].startswith("ms_sess_")
    assert session["expires_in"] == 1800


@pytest.mark.parametrize("body", [{}, {"name": "a b"}, {"name": 7}, []])
def test_a_wrong_name_is_explained(client: FlaskClient, body: object) -> None:
    answer = client.post("/demo/sign-in", json=body)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["detail"]


def test_a_form_of_another_site_gets_nothing(client: FlaskClient) -> None:
    answer = client.post("/demo/sign-in", data='{"name": "ada"}', content_type="text/plain")
    assert answer.status_code == 422


def test_the_public_keys_are_served(client: FlaskClient) -> None:
    document = client.get("/.well-known/jwks.json").json
    assert document is not None
    assert document["keys"][0]["kty"] == "RSA"
