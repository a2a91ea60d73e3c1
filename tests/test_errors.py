"""One tree of errors, each with a code of its own, drawn as it is."""

import inspect
import re

import pytest

from toastkit import errors
from toastkit.errors import ToastKitError

ALL = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)
]
DRAWN = re.compile(r"^( *)- ``(\w+)``(?: \(``(\w+)``\))?", re.MULTILINE)


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)


def drawn() -> dict[str, tuple[str, str | None]]:
    """Return what the module's docstring says: each error's parent and code."""
    found, path = {}, ["Exception"]
    for indent, name, code in DRAWN.findall(errors.__doc__ or ""):
        depth = len(indent) // 4
        path[depth + 1 :] = [name]
        found[name] = (path[depth], code or None)
    return found


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    real = {kind.__name__: kind.__bases__[0].__name__ for kind in ALL}
    assert {name: parent for name, (parent, _) in drawn().items()} == real


def test_the_codes_in_the_docstring_are_the_real_ones() -> None:
    told = {name: code for name, (_, code) in drawn().items() if code}
    assert told == {name: getattr(errors, name).code for name in told}


@pytest.mark.parametrize("kind", ALL)
def test_every_error_says_what_it_means(kind: type[ToastKitError]) -> None:
    assert "__doc__" in vars(kind)
    assert re.fullmatch("[a-z]+(_[a-z]+)*", kind.code)


def test_B17_the_documents_texts() -> None:
    assert errors.MissingToken().detail == "Missing Bearer token"
    assert errors.TokenExpired().detail == "Token expired"
    assert errors.InvalidToken("not a session token").detail == "Invalid token: not a session token"


def test_A17_the_documents_codes_are_their_details() -> None:
    assert errors.InvalidPublishKey("anything").detail == "invalid_publish_key"
    assert errors.PublishDisabled("anything").detail == "toast_publish_disabled"
    assert errors.TopicNotAllowed("user:u2").detail == "topic_not_allowed"


def test_a_topic_is_told_shortened_and_printable() -> None:
    error = errors.TopicNotAllowed("\ud800\n" + "x" * 10_000)
    assert len(str(error)) < 400
    assert str(error).isprintable()
