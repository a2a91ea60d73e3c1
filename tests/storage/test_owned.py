"""What a host may register, and what it is told when it cannot."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from toastkit import Owned, OwnedMixin, register_owned
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


# Tables of one kit


def names(chosen: Any) -> list[str]:
    return [each.name for each in chosen() if not each.name.startswith("toastkit_")]


def test_a_kit_with_tables_of_its_own_knows_no_registered_ones() -> None:
    register_owned(orders(), "by")
    theirs = Table("notes", MetaData(), Column("user_id", Text))
    assert names(owned.chosen([theirs])) == ["notes"]
    assert names(owned.chosen([])) == []
    assert names(owned.chosen(None)) == ["orders"]
    assert owned.chosen([])() == [each for each in owned.owned() if owned.is_own(each)]


def test_what_is_registered_later_counts_for_a_kit_without_tables_of_its_own() -> None:
    chosen = owned.chosen(None)
    register_owned(orders(), "by")
    assert names(chosen) == ["orders"]


def test_a_table_of_one_kit_is_registered_nowhere() -> None:
    Owned.of(orders(), "by", on_clash="keep", hidden=["id"])
    assert found("orders") == []


def test_a_column_that_is_named_twice_is_told() -> None:
    with pytest.raises(ConfigError, match=r"orders\.by is named twice"):
        owned.chosen([Owned.of(orders(), "by"), Owned.of(orders(), "by", on_clash="keep")])
    table = Table("mail", MetaData(), Column("a", Text), Column("b", Text))
    assert names(owned.chosen([Owned.of(table, "a"), Owned.of(table, "b")])) == ["mail", "mail"]


@pytest.mark.parametrize("given", [object, "orders", None])
def test_a_kit_takes_only_tables_and_mapped_classes(given: Any) -> None:
    with pytest.raises(ConfigError, match="neither a Table nor a mapped class"):
        owned.chosen([given])


def test_a_function_may_say_what_becomes_of_the_rows() -> None:
    def move(*_: Any) -> int:
        return 0

    register_owned(orders(), "by", on_clash=move)
    assert [each.on_clash for each in owned.owned() if each.name == "orders"] == [move]
    with pytest.raises(ConfigError, match="or a function that moves the rows"):
        Owned.of(orders(), "by", on_clash="move")  # type: ignore[arg-type]
