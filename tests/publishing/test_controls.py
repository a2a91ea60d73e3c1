"""Which kinds of controls there are, and what is said of one that nobody registered."""

import logging
from typing import Any

import pytest

from toastkit.errors import ConfigError
from toastkit.hooks import Hooks
from toastkit.publishing.controls import MOST_WARNINGS, OWN_CONTROLS, Controls, register


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_A27_an_unregistered_kind_is_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    controls = Controls(Hooks())
    controls.note("usage.changed")
    controls.note("usage.changed")
    controls.note("flags.changed")
    assert len(warned(caplog)) == 2
    assert "'usage.changed' is not registered" in warned(caplog)[0]
    assert "register_control('usage.changed'" in warned(caplog)[0]


def test_A27_a_registered_kind_is_not(caplog: pytest.LogCaptureFixture) -> None:
    hooks = Hooks(controls={"flags.changed": "/v1/flags"})
    register(hooks, "usage.changed", "/v1/usage")
    controls = Controls(hooks)
    for kind in ("usage.changed", "flags.changed", *OWN_CONTROLS):
        controls.note(kind)
    assert warned(caplog) == []


def test_A27_every_kind_of_toastkits_own_is_refetched_at_the_list() -> None:
    assert (
        dict.fromkeys(
            [
                "toast.read",
                "toast.unread",
                "toast.seen",
                "toast.deleted",
                "toasts.read_all",
                "toasts.rebound",
            ],
            "/v1/toasts",
        )
        == OWN_CONTROLS
    )


def test_kinds_made_of_input_fill_neither_memory_nor_log(caplog: pytest.LogCaptureFixture) -> None:
    controls = Controls(Hooks())
    for number in range(MOST_WARNINGS + 50):
        controls.note(f"k{number}")
    assert len(warned(caplog)) == len(controls._warned) == MOST_WARNINGS


def test_registering_the_same_again_is_harmless() -> None:
    hooks = Hooks()
    for _ in range(2):
        register(hooks, "usage.changed", "/v1/usage")
    assert hooks.controls == {"usage.changed": "/v1/usage"}


@pytest.mark.parametrize(
    ("kind", "refetch", "said"),
    [
        ("usage.changed", "/v2/usage", "registered already, for /v1/usage"),
        ("toast.read", "/v1/toasts", "registered already, for /v1/toasts"),
        ("toasts.rebound", "/mine", "registered already, for /v1/toasts"),
        ("usage changed", "/v1/usage", "kind must be words"),
        (7, "/v1/usage", "kind must be words"),
        ("other", "v1/usage", "begins with /"),
        ("other", "javascript:alert(1)", "begins with /"),
        ("other", None, "begins with /"),
    ],
)
def test_what_cannot_be_registered_says_why(kind: Any, refetch: Any, said: str) -> None:
    hooks = Hooks(controls={"usage.changed": "/v1/usage"})
    with pytest.raises(ConfigError, match=said):
        register(hooks, kind, refetch)
    assert hooks.controls == {"usage.changed": "/v1/usage"}
