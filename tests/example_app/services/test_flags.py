"""Flags are everybody's."""

from example_app.database import Database
from example_app.services.flags import Flags


def test_a_flag_is_set_and_listed(database: Database) -> None:
    flags = Flags(database)
    assert flags.list() == {}
    flags.set("new_editor", True)
    flags.set("beta", False)
    assert flags.list() == {"beta": False, "new_editor": True}
    flags.set("new_editor", False)
    assert flags.list()["new_editor"] is False
