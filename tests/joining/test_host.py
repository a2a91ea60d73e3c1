"""A host says where its sessions come from."""

from __future__ import annotations

import gc
import weakref

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm import scoped_session as scoped

from toastkit import Config, ConfigError, Host, Kit


def test_looking_for_the_current_session_makes_none(kit: Kit, db: scoped[Session]) -> None:
    kit.publish_toast("ada", "Hello")
    assert not db.registry.has()


def test_a_host_says_which_session_is_the_callers() -> None:
    with pytest.raises(ConfigError, match="current="):
        Host(sessionmaker())
    assert Host(sessionmaker(), current=lambda: None).session() is None


def test_a_host_keeps_no_kit_alive(url: str, db: scoped[Session]) -> None:
    kit = Kit(Config(database_url=url), host=Host(db))
    known = weakref.ref(kit)
    del kit
    gc.collect()
    assert known() is None


def test_a_host_knows_its_engine(engine: Engine, db: scoped[Session]) -> None:
    assert Host(db).bound_to() is engine
    assert Host(sessionmaker(engine), current=lambda: None).bound_to() is engine
    assert Host(Session, current=lambda: None).bound_to() is None
    assert Host(scoped(sessionmaker()), engine=engine).bound_to() is engine
