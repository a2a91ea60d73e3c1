"""Projects cost credits, also when many are made at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from example_app.database import Database
from example_app.services.accounts import FREE_CREDITS, Accounts, Grant, NoCreditsLeft
from example_app.services.projects import MOST_SHOWN, Projects
from toastkit.testing import ManualClock


@pytest.fixture
def projects(database: Database, clock: ManualClock) -> Projects:
    return Projects(database, clock)


@pytest.fixture
def accounts(database: Database, clock: ManualClock) -> Accounts:
    return Accounts(database, clock)


def test_a_project_is_listed_newest_first_and_for_its_user_alone(
    projects: Projects, clock: ManualClock
) -> None:
    first = projects.create("ada", "one")
    clock.advance(1)
    second = projects.create("ada", "two")
    assert projects.list("ada") == [second, first]
    assert set(first) == {"id", "name", "created_at"}
    assert projects.list("grace") == []


def test_a_project_costs_a_credit(projects: Projects, accounts: Accounts) -> None:
    projects.create("ada", "one")
    assert accounts.subscription("ada")["credits_used"] == 1
    assert accounts.subscription("grace")["credits_used"] == 0


def test_without_credits_nothing_is_kept(projects: Projects, accounts: Accounts) -> None:
    for number in range(FREE_CREDITS):
        projects.create("ada", f"p{number}")
    with pytest.raises(NoCreditsLeft, match="all 20 credits have been used"):
        projects.create("ada", "one too many")
    assert len(projects.list("ada")) == accounts.subscription("ada")["credits_used"] == 20
    accounts.grant(Grant("g", "ada", 1))
    assert projects.create("ada", "granted")


def test_of_many_at_once_only_so_many_get_a_credit(projects: Projects, accounts: Accounts) -> None:
    for number in range(FREE_CREDITS - 3):
        projects.create("ada", f"p{number}")

    def create(number: int) -> bool:
        try:
            projects.create("ada", f"at once {number}")
        except NoCreditsLeft:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(create, range(16)))
    assert made == 3
    assert len(projects.list("ada")) == accounts.subscription("ada")["credits_used"] == 20


def test_a_project_that_cannot_be_kept_costs_nothing(
    projects: Projects, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = text("INSERT INTO projects (id) VALUES (:id)")
    monkeypatch.setattr("example_app.services.projects._MAKE", broken)
    with pytest.raises(IntegrityError):
        projects.create("ada", "one")
    assert accounts.subscription("ada")["credits_used"] == 0


def test_the_list_has_an_end(database: Database, projects: Projects) -> None:
    rows = [{"id": str(number), "number": number} for number in range(MOST_SHOWN + 5)]
    insert = text("INSERT INTO projects VALUES (:id, 'ada', 'p', :number)")
    database.write("ada", lambda connection: connection.execute(insert, rows))
    assert len(projects.list("ada")) == MOST_SHOWN
