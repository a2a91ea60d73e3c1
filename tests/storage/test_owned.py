"""What a host may register, and what it is told when it cannot."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from toastkit import OwnedMixin, register_owned
from toastkit.errors import ConfigError
from toastkit.storage import owned


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owned, "_registered", dict(owned._registered))


def orders() -> Table:
    return Table("orders", MetaData(), Column("id", Integer, primary_key=True), Column("by", Text))


def found(name: str) -> list[tuple[str, str]]:
    return [(each.column.name, each.on_clash) for each in owned.owned() if each.name == name]


def test_a_table_is_registered_once_however_often_it_is_named() -> None:
    table = orders()
    register_owned(table, "by", on_clash="keep")
    register_owned(table, "by", on_clash="keep")
    assert found("orders") == [("by", "keep")]


def test_a_table_that_was_built_anew_takes_the_place_of_the_old_one() -> None:
    register_owned(orders(), "by")
    fresh = orders()
    register_owned(fresh, "by")
    assert [each.table for each in owned.owned() if each.name == "orders"] == [fresh]


@pytest.mark.parametrize("other", [{"on_clash": "keep"}, {"hidden": ("id",)}])
def test_who_contradicts_is_told(other: dict[str, Any]) -> None:
    table = orders()
    register_owned(table, "by")
    with pytest.raises(ConfigError, match="registered already, with on_clash"):
        register_owned(table, "by", **other)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"column": "user_id"}, "orders has no column 'user_id'"),
        ({"column": "by", "hidden": ("secret",)}, "orders has no column 'secret'"),
        ({"column": "by", "on_clash": "forget"}, "on_clash must be one of keep, replace, error"),
    ],
)
def test_what_cannot_be_registered_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        register_owned(orders(), **given)


@pytest.mark.parametrize("given", [object, dict, "orders"])
def test_only_tables_and_mapped_classes_are_registered(given: Any) -> None:
    with pytest.raises(ConfigError, match="neither a Table nor a mapped class"):
        register_owned(given)


def test_a_mapped_class_is_registered_by_its_attribute_or_its_column() -> None:
    class Base(DeclarativeBase):
        pass

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        buyer: Mapped[str] = mapped_column("buyer_id")

    register_owned(Order, "buyer")
    register_owned(Order, "buyer_id")
    assert found("orders") == [("buyer_id", "error")]
    with pytest.raises(ConfigError, match="no column 'seller'"):
        register_owned(Order, "seller")


def test_a_model_with_the_mixin_has_an_indexed_column_and_is_registered() -> None:
    class Base(DeclarativeBase):
        pass

    class Draft(OwnedMixin, Base):
        __tablename__ = "drafts"
        __on_clash__ = "replace"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert found("drafts") == [("user_id", "replace")]
    column = Draft.__table__.c["user_id"]
    assert column.index
    assert not column.nullable


def test_a_subclass_of_a_model_with_the_mixin_is_registered_by_its_parent() -> None:
    class Base(DeclarativeBase):
        pass

    class Paper(OwnedMixin, Base):
        __tablename__ = "papers"
        __mapper_args__: ClassVar[Any] = {"polymorphic_on": "kind", "polymorphic_identity": "paper"}
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]

    class Note(Paper):
        __mapper_args__: ClassVar[Any] = {"polymorphic_identity": "note"}

    class Letter(Paper):
        __tablename__ = "letters"
        __mapper_args__: ClassVar[Any] = {"polymorphic_identity": "letter"}
        id: Mapped[int] = mapped_column(ForeignKey("papers.id"), primary_key=True)

    assert found("papers") == [("user_id", "error")]
    assert found("letters") == []
    assert Letter.__table__.c.keys() == ["id"]
    assert Note.__table__ is Paper.__table__


def test_the_librarys_own_tables_are_registered_first() -> None:
    register_owned(orders(), "by")
    names = [each.name for each in owned.owned()]
    assert names[-1] == "orders"
    assert all(name.startswith("toastkit_") for name in names[:-1])
