"""The kit that is meant is found, or its absence is explained; one is never built silently."""

from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

import pytest

import toastkit
from toastkit import Config, Kit, NoKit, current_kit
from toastkit import current as module

OPTIONS = {
    "topic": "news",
    "dedupe_key": "d",
    "collapse_key": "c",
    "ttl_ms": 5,
    "fallback_apns": False,
    "db": None,
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the kits and finders of other tests."""
    known: WeakSet[Kit] = WeakSet()
    monkeypatch.setattr(module, "_finders", [])
    monkeypatch.setattr("toastkit.kit.open_kits", known)
    monkeypatch.setattr(module, "open_kits", known)


def make() -> Kit:
    return Kit(Config(database_url="sqlite:///never-opened.db"))


@pytest.fixture
def kit() -> Iterator[Kit]:
    with make() as kit:
        yield kit


class Recorder:
    """Stand in for a kit and remember what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        def ask(*given: Any, **options: Any) -> str:
            self.asked.append((name, given, options))
            return name

        return ask


@pytest.fixture
def recorder() -> Recorder:
    recorder = Recorder()
    module.register_finder(lambda: recorder)  # type: ignore[arg-type,return-value]
    return recorder


def test_no_kit_names_the_remedy() -> None:
    with pytest.raises(NoKit, match=r"ToastKit\(app\).*with Kit\(Config\.from_env\(\)\) as kit"):
        current_kit()


def test_the_only_kit_of_the_process_is_meant(kit: Kit) -> None:
    assert current_kit() is kit


def test_two_kits_are_one_too_many(kit: Kit) -> None:
    with make(), pytest.raises(NoKit, match="2 kits are open"):
        current_kit()
    assert current_kit() is kit


def test_a_closed_kit_is_not_meant() -> None:
    make().close()
    with pytest.raises(NoKit):
        current_kit()


def test_a_finder_is_asked_first(kit: Kit) -> None:
    with make() as other:
        module.register_finder(lambda: other)
        assert current_kit() is other


def test_a_finder_that_finds_nothing_is_passed_over(kit: Kit) -> None:
    module.register_finder(lambda: None)
    assert current_kit() is kit


def test_a_finder_registered_twice_is_asked_once() -> None:
    asked: list[None] = []

    def finder() -> None:
        asked.append(None)

    module.register_finder(finder)
    module.register_finder(finder)
    with pytest.raises(NoKit):
        current_kit()
    assert len(asked) == 1


def test_A18_publish_toast_is_the_kits_own(recorder: Recorder) -> None:
    assert toastkit.publish_toast("u1", "Hello", **OPTIONS) == "publish_toast"
    assert recorder.asked == [("publish_toast", ("u1", "Hello"), OPTIONS)]


def test_publish_toasts_is_the_kits_own(recorder: Recorder) -> None:
    assert toastkit.publish_toasts(["u1"], "Hello", **OPTIONS) == "publish_toasts"
    assert recorder.asked == [("publish_toasts", (["u1"], "Hello"), OPTIONS)]


def test_publish_control_is_the_kits_own(recorder: Recorder) -> None:
    toastkit.publish_control("flags.changed", {"a": 1}, user_id="u1")
    assert recorder.asked == [("publish_control", ("flags.changed", {"a": 1}, "u1"), {})]


@pytest.mark.parametrize("name", ["publish_toast", "publish_toasts"])
def test_the_functions_have_the_methods_options(name: str) -> None:
    function, method = getattr(toastkit, name), getattr(Kit, name)
    assert function.__kwdefaults__ == method.__kwdefaults__ | {}
