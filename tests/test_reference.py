"""The pages for who writes a client say what the documents say."""

from __future__ import annotations

import json
import re

import pytest

from tests import reference
from tests.frames import DOCUMENT, ROOT, judge, mistakes

pytestmark = pytest.mark.plain

MESSAGES = DOCUMENT["components"]["messages"]
PAGE = (ROOT / "docs/frames.rst").read_text()


def test_the_page_of_endpoints_is_that_of_the_document() -> None:
    text = reference.PAGE.read_text()
    made = reference.page(text, reference.described())
    assert text == made, "run: python -m tests.reference"


def test_a_page_that_lags_behind_is_noticed() -> None:
    found = reference.described()
    found["paths"]["/health"]["get"]["summary"] = "Something else"
    assert "Something else" in reference.page(reference.PAGE.read_text(), found)


@pytest.mark.parametrize("name", MESSAGES)
def test_every_kind_of_frame_is_on_the_page(name: str) -> None:
    said = re.sub(r"\s+", " ", PAGE).replace("``", "`")
    kind = name.removeprefix("command_")
    assert f"* - `{kind}` - {MESSAGES[name]['summary']}" in said


def test_every_frame_that_is_shown_is_one() -> None:
    shown = re.findall(r"^   ([<>]) (\{.*\})$", PAGE, re.MULTILINE)
    assert len(shown) > 10
    for side, text in shown:
        frame = json.loads(text)
        wrong = judge(frame) if side == "<" else mistakes(f"command_{frame['type']}", frame)
        assert not wrong, text
