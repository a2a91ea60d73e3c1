"""What is told at ``/api/metrics/prometheus``: no names, and a page that does not grow (C9)."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes import Client
from tests.flask.conftest import MakeApp
from toastkit import publish_toast
from toastkit.closing import CloseReason
from toastkit.errors import ConfigError
from toastkit.metrics import FOLDER
from toastkit.testing import Toasts
from toastkit_flask import ToastKit, metering

PATH = "/api/metrics/prometheus"


@pytest.fixture(autouse=True)
def no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(surfaces="toasts,auth,metrics")


def told(
    client: FlaskClient, **headers: str
) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get(PATH, headers=headers)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    each = [sample for family in families for sample in family.samples]
    found = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in each}
    assert len(found) == len(each)
    return found


def requests(client: FlaskClient) -> dict[tuple[str, str], float]:
    """Return how many requests were answered, by operation and status."""
    return {
        (dict(labels)["operation"], dict(labels)["status"]): value
        for (name, labels), value in told(client).items()
        if name == "toastkit_http_requests_total"
    }


def test_C9_anybody_may_read_it_as_prometheus_text(client: FlaskClient) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "# TYPE toastkit_workers gauge" in answer.text


def test_a_request_is_counted_by_operation_and_kind_of_status(
    client: FlaskClient, ada: dict[str, str], publisher: dict[str, str]
) -> None:
    toast = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "Hi"}}
    for _ in range(2):
        client.post("/v1/toasts/publish", json=toast, headers=publisher)
    client.post("/v1/toasts/publish", json=toast)
    client.get("/v1/toasts", headers=ada)
    client.get("/api/v1/toasts", headers=ada)
    client.delete("/v1/toasts/01J00000000000000000000000", headers=ada)
    client.get("/v1/realtime")
    client.patch("/v1/toasts")
    client.get("/nowhere")
    assert requests(client) == {
        ("publish_toast", "2xx"): 2,
        ("publish_toast", "4xx"): 1,
        ("list_toasts", "2xx"): 2,
        ("delete_toast", "4xx"): 1,
        ("connect", "4xx"): 1,
        (metering.OTHER, "4xx"): 1,
    }


def test_who_is_refused_at_the_door_is_counted(make_app: MakeApp) -> None:
    client = make_app(surfaces="toasts,metrics", trusted_hosts="localhost").test_client()
    assert client.get("/health", headers={"Host": "evil.example"}).status_code == 403
    assert requests(client) == {("get_health", "4xx"): 1}


def test_how_long_requests_took_is_told(client: FlaskClient, clock: Any) -> None:
    client.get("/health")
    found = told(client)
    operation = ("operation", "get_health")
    assert found["toastkit_http_request_seconds_count", (operation,)] == 1
    assert found["toastkit_http_request_seconds_sum", (operation,)] == 0  # by the app's own clock


@pytest.mark.parametrize("folder", [False, True], ids=["alone", "in a folder"])
def test_a_thousand_users_and_topics_add_no_series_and_none_is_named(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    if folder:
        monkeypatch.setenv(FOLDER, str(tmp_path))
    app = make_app(surfaces="toasts,auth,metrics", fallback="")
    client, kit = app.test_client(), app.extensions["toastkit"].kit
    words = random.Random(7)

    def canary() -> str:
        return f"canary-{words.randrange(10**12)}"

    def act(users: int) -> None:
        names = [canary() for _ in range(users)]
        kit.publish_toasts(names, {"title": canary(), "body": canary()}, collapse_key=canary())
        for name in names[: users // 10]:
            kit.publish_toast(name, canary(), topic=f"news:{canary()}", dedupe_key=canary())
            kit.publish_control(f"canary.{words.choice('abcdefgh')}", {"canary": canary()}, name)
            headers = {"X-ToastKit": "1", "X-User": name, "Authorization": f"Bearer {canary()}"}
            client.get(f"/v1/toasts?topic={canary()}", headers=headers)
            client.get(f"/v1/realtime?token={canary()}")
            client.delete(f"/v1/toasts/{canary()}", headers=headers)
            client.open("/v1/toasts", method="CANARY")

    kit.node.serve()
    act(10)
    told(client)  # of itself it tells the next time
    first = set(told(client))
    act(1000)
    page = client.get(PATH).text
    assert "canary" not in page.lower()
    assert set(told(client)) == first


@pytest.mark.usefixtures("app")
def test_what_a_client_says_when_it_goes_is_no_label(
    client: FlaskClient, connect: Callable[[str], Client]
) -> None:
    for code in (1000, 1001, 4321, 4999):
        bird = connect("ada")
        node: Any = bird.connection.node
        node.runtime.ask(lambda code=code, bird=bird: bird.connection.peer_closed(code))
    bird = connect("ada")
    node.runtime.ask(lambda: bird.connection.end(CloseReason.NO_PONG))
    closed = {
        dict(labels)["reason"]: value
        for (name, labels), value in told(client).items()
        if name == "toastkit_connections_closed_total"
    }
    assert closed == {"closed": 4, "no_pong": 1}


def test_with_a_secret_only_its_bearer_reads_it(make_app: MakeApp) -> None:
    client = make_app(surfaces="metrics", metrics_secret="one,two").test_client()
    for secret in ("one", "two"):
        assert client.get(PATH, headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    for garbage in ("onetwo", "\xff"):
        wrong = client.get(PATH, headers={"Authorization": f"Bearer {garbage}"})
        assert (wrong.status_code, wrong.json["code"]) == (401, "invalid_token")
        assert "toastkit_" not in wrong.text
    assert client.get(PATH).status_code == 401


def test_where_nobody_wants_it_there_is_none_and_nothing_is_counted(make_app: MakeApp) -> None:
    app = make_app()
    assert app.test_client().get(PATH).status_code == 404
    here = app.extensions["toastkit"]
    assert here.metrics is None
    assert here.kit._ground.teller is here.kit._ground.announcer
    assert here.kit._ground.timed_backplane is here.kit._ground.backplane
    called = app.before_request_funcs["toastkit_toasts"]
    assert metering.__name__ not in {each.__module__ for each in called}


def test_without_its_package_the_surface_is_refused(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"toastkit\[metrics\]"):
        make_app(surfaces="metrics")
    make_app(surfaces="toasts")


def test_a_host_that_answers_before_us_is_not_counted(tmp_path: Path) -> None:
    app = Flask("host", instance_path=str(tmp_path))
    toastkit = ToastKit(app, surfaces=("toasts", "metrics"), rate_limits=False)

    @app.before_request
    def refuse() -> Any:
        return ("no", 403) if request.path == "/health" else None

    client = app.test_client()
    assert client.get("/health").status_code == 403
    assert requests(client) == {}
    with app.app_context():
        toastkit.kit.close()


def test_an_app_that_counts_is_tested_like_any_other(app: Flask, toasts: Toasts) -> None:
    with app.app_context():
        publish_toast("ada", "Hi")
    toasts.settle()
    assert toasts.to("ada").titles == ["Hi"]
    assert "toastkit_published_total{" in app.test_client().get(PATH).text
