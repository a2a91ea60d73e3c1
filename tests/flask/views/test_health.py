from __future__ import annotations

import pytest

from toastkit.errors import StorageUnavailable


def test_a_ready_worker_is_ok(client):
    answer = client.get("/health")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_closing_worker_still_serves_what_reaches_it(app, client):
    client.get("/health")
    app.extensions["toastkit"].kit.node.closing = True
    assert client.get("/health").status_code == 200


def test_a_folder_that_is_not_there_is_503_and_logged(make_app, tmp_path, caplog):
    url = f"sqlite:///{tmp_path}/no/such/folder/toastkit.db"
    answer = make_app(database_url=url).test_client().get("/health")
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert "no/such" in caplog.text
    assert "no/such" not in answer.text


def test_a_file_that_is_no_database_is_503(make_app, tmp_path):
    (tmp_path / "text.db").write_text("this is no database" * 100)
    answer = make_app(database_url=f"sqlite:///{tmp_path}/text.db").test_client().get("/health")
    assert (answer.status_code, answer.json["code"]) == (503, "storage_unavailable")


@pytest.mark.parametrize("part", ["read", "write"])
def test_what_can_be_read_or_written_no_more_is_503(app, client, monkeypatch, part):
    client.get("/health")
    storage = app.extensions["toastkit"].kit._ground.storage

    def refuse(*_given):
        raise StorageUnavailable("the disk is gone; nothing was kept")

    parts = {"read": (storage.inbox, "page"), "write": (storage, "ensure_writable")}
    monkeypatch.setattr(*parts[part], refuse)
    answer = client.get("/health")
    assert (answer.status_code, answer.json["code"]) == (503, "storage_unavailable")
    assert answer.headers["Retry-After"]


def test_what_is_degraded_is_named_without_its_address(app, client, monkeypatch):
    client.get("/health")
    backplane = app.extensions["toastkit"].kit._ground.backplane
    monkeypatch.setattr(backplane, "trouble", "redis.internal:6379 refuses connections")
    answer = client.get("/health")
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    assert [each["name"] for each in answer.json["degraded"]] == ["redis"]
    assert "internal" not in answer.text
