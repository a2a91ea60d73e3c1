"""What a visitor of the service made is the user's who signs in: rows of its own tables, too."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from example_app.factory import create_app
from example_app.tables import OWNED, metadata
from tests.postgres import ask
from toastkit import Kit

DEVICE = {"device_id": "6f9619ff-8b86-4011-b42d-00cf4fc964ff"}


@pytest.fixture
def client(url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    given = {"TOASTKIT_DEMO": "1", "INSTANCE_PATH": str(tmp_path / "i"), "DATABASE_URL": url}
    app = create_app(given)
    yield app.test_client()
    kit_of(app).close()


def kit_of(app: Any) -> Kit:
    kit: Kit = app.extensions["toastkit"].kit
    return kit


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def visit(client: FlaskClient) -> dict[str, str]:
    return bearer(client.post("/auth/anonymous", json=DEVICE).json["token"])


def sign_in(client: FlaskClient, name: str) -> dict[str, str]:
    jwt = client.post("/demo/sign-in", json={"name": name}).json["jwt"]
    return bearer(client.post("/auth/session", headers=bearer(jwt)).json["token"])


def make(client: FlaskClient, headers: dict[str, str], name: str) -> Any:
    return client.post("/projects", json={"name": name}, headers=headers).json


def test_B11_projects_credits_and_toasts_come_along(client: FlaskClient) -> None:
    visitor, ada = visit(client), sign_in(client, "ada")
    mine = make(client, ada, "mine")
    made = [make(client, visitor, name) for name in ("one", "two")]
    assert client.get("/auth/bootstrap", headers=visitor).json["profile"]["name"] is None
    answer = client.post("/auth/rebind", json=DEVICE, headers=ada).json
    assert answer["rebound"] is True
    assert answer["rows_updated"] >= 2 * 3, "two projects, their credits and their toasts"
    listed = client.get("/projects", headers=ada).json["items"]
    assert {each["id"] for each in listed} == {mine["id"], *(each["id"] for each in made)}
    assert client.get("/v1/usage", headers=ada).json["credits_used"] == 3
    titles = [item["body"] for item in client.get("/v1/toasts", headers=ada).json["items"]]
    assert sorted(titles) == ["mine", "one", "two"]
    assert client.get("/projects", headers=visitor).status_code == 401


def test_B12_a_second_rebind_moves_nothing(client: FlaskClient) -> None:
    make(client, visit(client), "one")
    ada = sign_in(client, "ada")
    first = client.post("/auth/rebind", json=DEVICE, headers=ada).json
    again = client.post("/auth/rebind", json=DEVICE, headers=ada).json
    assert again == {"rebound": False, "rows_updated": 0, "anon_uuid": first["anon_uuid"]}


def test_resolution_8_what_is_made_anonymously_later_comes_along_too(client: FlaskClient) -> None:
    make(client, visit(client), "one")
    ada = sign_in(client, "ada")
    client.post("/auth/rebind", json=DEVICE, headers=ada)
    make(client, visit(client), "two")
    assert client.post("/auth/rebind", json=DEVICE, headers=ada).json["rebound"] is True
    names = {each["name"] for each in client.get("/projects", headers=ada).json["items"]}
    assert names == {"one", "two"}


def test_B14_another_user_gets_nothing_of_it(client: FlaskClient) -> None:
    make(client, visit(client), "one")
    client.post("/auth/rebind", json=DEVICE, headers=sign_in(client, "ada"))
    eve = sign_in(client, "eve")
    assert client.post("/auth/rebind", json=DEVICE, headers=eve).status_code == 409
    assert client.get("/projects", headers=eve).json == {"items": []}


def test_the_profile_of_who_signs_in_stays(client: FlaskClient, url: str) -> None:
    visitor, ada = visit(client), sign_in(client, "ada")
    for headers in (visitor, ada):
        client.get("/auth/bootstrap", headers=headers)
    ask(url, "UPDATE profiles SET email = 'ada@example.com' WHERE user_id = 'ada'")
    assert client.post("/auth/rebind", json=DEVICE, headers=ada).status_code == 200
    assert ask(url, "SELECT user_id, email FROM profiles") == [("ada", "ada@example.com")]


def test_every_table_of_the_service_that_names_users_is_owned() -> None:
    named = {name for name, table in metadata.tables.items() if "user_id" in table.c}
    assert {each.name for each in OWNED} == named


def test_a_user_is_forgotten_with_everything_the_service_knows(client: FlaskClient) -> None:
    ada = sign_in(client, "ada")
    make(client, ada, "one")
    data = kit_of(client.application).data
    exported = data.export("ada")
    assert [row["name"] for row in exported["projects"]] == ["one"]
    assert data.forget("ada")["credits"] == 1
    assert not any(data.export("ada").values())


def test_whatever_is_made_during_a_rebind_is_whole_and_nothing_is_lost(
    client: FlaskClient, url: str
) -> None:
    app, visitor, ada = client.application, visit(client), sign_in(client, "ada")
    begun = threading.Barrier(5)

    def make_some(number: int) -> int:
        begun.wait()
        own = app.test_client()
        sent = [
            own.post("/projects", json={"name": f"{number}-{each}"}, headers=visitor)
            for each in range(4)
        ]
        assert {answer.status_code for answer in sent} <= {201, 401}
        return sum(answer.status_code == 201 for answer in sent)

    with ThreadPoolExecutor(4) as pool:
        making = [pool.submit(make_some, number) for number in range(4)]
        begun.wait()
        assert client.post("/auth/rebind", json=DEVICE, headers=ada).status_code == 200
        made = sum(each.result() for each in making)
    spent = "SELECT user_id, sum(used) FROM credits GROUP BY user_id ORDER BY user_id"
    kept = "SELECT user_id, count(*) FROM projects GROUP BY user_id ORDER BY user_id"
    assert ask(url, spent) == ask(url, kept)
    client.post("/auth/rebind", json=DEVICE, headers=ada)
    ((owner, count),) = ask(url, kept)
    assert owner == "ada"
    assert count >= made
