"""What a name looks like to whoever takes it for a path or a header."""

import pytest

from toastkit.texts import climbs, parts, plain


@pytest.mark.parametrize("text", ["", "a", "a b", "größer", "100%", "%", "%zz", "%41", "a%20b"])
def test_what_is_plain(text: str) -> None:
    assert plain(text)


@pytest.mark.parametrize("text", ["\n", "\x00", "a\u202e", "\ud800", "%0a", "%00", "%7f", "%ff%0D"])
def test_what_is_not(text: str) -> None:
    assert not plain(text)


def test_parts_are_those_of_any_system_decoded_once() -> None:
    assert parts("a/b\\c%2fd%5Ce%252f") == ["a", "b", "c", "d", "e%2f"]


@pytest.mark.parametrize(
    ("text", "it_does"),
    [("a/../b", True), ("%2e", True), (".", True), ("...", False), ("a/.b", False), ("a..", False)],
)
def test_what_climbs(text: str, it_does: bool) -> None:
    assert climbs(text) is it_does
