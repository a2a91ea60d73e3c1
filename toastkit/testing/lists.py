"""What a test asks about: lists that say in a failing assert what is in them, and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex, TypeVar, overload

from msgspec import Struct

from ..events import Event, Toast
from ..receipts import Receipt
from ..senders.apns import Recorded

T = TypeVar("T")

MOST_SHOWN = 5
"""Things one list names in a failing assert, which shows little more."""


class PublishedToast(Toast, frozen=True, kw_only=True, repr_omit_defaults=True):
    """A toast, whom it was published to, and its receipt."""

    user_id: str
    topic: str
    receipt: Receipt
    dedupe_key: str | None = None
    collapse_key: str | None = None

    @classmethod
    def of_event(cls, event: Event, receipt: Receipt) -> PublishedToast:
        """Return what was published as a test asks for it."""
        return cls(
            **event.data,
            user_id=event.user_id or "",
            topic=event.topic or "",
            receipt=receipt,
            dedupe_key=event.dedupe_key,
            collapse_key=event.collapse_key,
        )

    def __repr__(self) -> str:
        return f"{self.title!r} ({became(self.receipt)})"


class ToldControl(Struct, frozen=True, kw_only=True):
    """A control, and whom it was told to: ``None`` is everybody."""

    kind: str
    params: dict[str, Any]
    user_id: str | None = None

    def __repr__(self) -> str:
        whom = "everybody" if self.user_id is None else self.user_id
        return f"{self.kind} {json.dumps(self.params)} to {whom}"


class Push(Struct, frozen=True, kw_only=True):
    """A push as Apple would have got it: ``request`` is what would have been posted, and when."""

    user_id: str
    device_id: str
    title: str
    body: str | None
    toast_id: str
    sent: Recorded

    @classmethod
    def of(cls, sent: Recorded) -> Push:
        """Return a push that was recorded as a test asks for it."""
        delivery, toast = sent.delivery, sent.delivery.payload["toast"]
        return cls(
            user_id=delivery.user_id or "",
            device_id=delivery.device.device_id if delivery.device else "",
            title=toast["title"],
            body=toast["body"],
            toast_id=delivery.toast_id or "",
            sent=sent,
        )

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the request, such as ``apns-priority``."""
        return dict(self.sent.request.headers)

    @property
    def payload(self) -> dict[str, Any]:
        """Return the JSON of the request: ``aps`` and what is beside it."""
        found: dict[str, Any] = json.loads(self.sent.request.body)
        return found

    def __repr__(self) -> str:
        return f"{self.title!r} to {self.user_id}"


class Shown(list[T]):
    """A list with words of its own for a failing assert: ``whose`` it is, and what is ``beside``."""

    def __init__(
        self, items: Iterable[T], whose: str, beside: Callable[[], str] = lambda: ""
    ) -> None:
        super().__init__(items)
        self._whose = whose
        self._beside = beside

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: Any) -> Any:
        __tracebackhide__ = True
        try:
            return super().__getitem__(index)
        except IndexError:
            raise IndexError(f"no [{index}] in {self!r}") from None

    def __repr__(self) -> str:
        named = ", ".join(map(repr, self[:MOST_SHOWN])) or "nothing"
        more = f" and {len(self) - MOST_SHOWN} more" if len(self) > MOST_SHOWN else ""
        beside = self._beside()
        return f"<{self._whose}: {named}{more}{beside and '; '}{beside}>"


class Column(list[T]):
    """One field of each of a list; ``toastkit_note`` is what pytest says beside a failing assert."""

    toastkit_note = ""

    def __init__(self, items: Iterable[T], of: Shown[Any]) -> None:
        super().__init__(items)
        self.toastkit_note = repr(of)


class PublishedToasts(Shown[PublishedToast]):
    """Toasts in the order they were published."""

    @property
    def titles(self) -> list[str]:
        """Return their titles."""
        return Column((toast.title for toast in self), self)

    @property
    def bodies(self) -> list[str | None]:
        """Return their bodies."""
        return Column((toast.body for toast in self), self)

    @property
    def topics(self) -> list[str]:
        """Return their topics."""
        return Column((toast.topic for toast in self), self)

    @property
    def receipts(self) -> list[Receipt]:
        """Return their receipts."""
        return Column((toast.receipt for toast in self), self)


class ToldControls(Shown[ToldControl]):
    """Controls in the order they were told."""

    @property
    def kinds(self) -> list[str]:
        """Return their kinds."""
        return Column((control.kind for control in self), self)

    def to(self, user_id: object) -> ToldControls:
        """Return those a user was told, with everybody or alone."""
        mine = [control for control in self if control.user_id in (None, str(user_id))]
        return ToldControls(mine, f"controls to {user_id}", lambda: f"of {len(self)} in all")


class Pushes(Shown[Push]):
    """Pushes in the order they would have been posted."""

    @property
    def titles(self) -> list[str]:
        """Return the titles of their toasts."""
        return Column((push.title for push in self), self)

    def to(self, user_id: object) -> Pushes:
        """Return those to phones of a user."""
        mine = [push for push in self if push.user_id == str(user_id)]
        return Pushes(mine, f"pushed to {user_id}", lambda: f"of {len(self)} in all")


def became(receipt: Receipt) -> str:
    """Say in a few words what became of a toast."""
    if receipt.transport == "websocket":
        pages = "page" if receipt.session_count == 1 else "pages"
        return f"shown on {receipt.session_count} {pages}"
    via = "" if receipt.transport == "none" else f" by {receipt.transport}"
    why = f": {receipt.reason}" if receipt.reason else ""
    return f"{receipt.status}{via}{why}"
