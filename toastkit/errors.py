"""Every error toastkit raises, in one tree.

- ``ToastKitError``: the root; ``code`` is stable, the message tells the remedy
    - ``UsageError``: the calling program must change
        - ``NoKit`` (``no_kit``)
        - ``ConfigError`` (``config_error``)
        - ``NotServing`` (``not_serving``)
        - ``CannotJoin`` (``cannot_join``)
        - ``UnsupportedServer`` (``unsupported_server``)
    - ``Refused``: this request must change before it can succeed
        - ``Invalid`` (``invalid``)
        - ``TooLarge`` (``too_large``)
        - ``TopicNotAllowed`` (``topic_not_allowed``)
        - ``UnknownToast`` (``toast_not_found``)
        - ``UnknownDevice`` (``device_not_found``)
        - ``OriginNotAllowed`` (``origin_not_allowed``)
        - ``InvalidPublishKey`` (``invalid_publish_key``)
        - ``AlreadyRebound`` (``already_rebound``)
        - ``RebindClash`` (``rebind_clash``)
        - ``RateLimited`` (``rate_limited``)
        - ``Unauthenticated``
            - ``MissingToken`` (``missing_token``)
            - ``TokenExpired`` (``token_expired``)
            - ``InvalidToken`` (``invalid_token``)
                - ``SessionRevoked`` (``session_revoked``)
            - ``UserRequired`` (``user_required``)
        - ``CommandRefused``: one message of a live client
            - ``BadMessage`` (``bad_message``)
            - ``UnknownMessageType`` (``unknown_message_type``)
            - ``TooManyTopics`` (``too_many_topics``)
    - ``Unavailable``: the same request may succeed later (``retry_after`` seconds)
        - ``PublishDisabled`` (``toast_publish_disabled``)
        - ``StorageUnavailable`` (``storage_unavailable``)
        - ``BackplaneUnavailable`` (``backplane_unavailable``)
        - ``KeysNotLoaded`` (``jwks_not_loaded``)

``detail`` is what an HTTP body of the documents calls ``detail``; it is the message unless the
contract fixes another text.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ToastKitError(Exception):
    """Root of every error toastkit raises on purpose."""

    code: ClassVar[str] = "internal_error"

    @property
    def detail(self) -> str:
        """Text of ``detail`` in an HTTP error body."""
        return str(self)


class UsageError(ToastKitError):
    """The calling program must change."""

    code = "usage_error"


class NoKit(UsageError):
    """No kit could be found, and one is never built silently."""

    code = "no_kit"


class ConfigError(UsageError):
    """A setting is missing, contradictory or not understood."""

    code = "config_error"


class NotServing(UsageError):
    """This process serves no sockets and cannot reach those that do."""

    code = "not_serving"


class CannotJoin(UsageError):
    """A publish can neither join the caller's transaction nor go beside it."""

    code = "cannot_join"


class UnsupportedServer(UsageError):
    """The web server gives no socket that can be taken over."""

    code = "unsupported_server"


class Refused(ToastKitError):
    """This request must change before it can succeed."""

    code = "refused"


class Invalid(Refused):
    """A field is missing or has a wrong value.

    ``loc`` is the path to the field from the outside in; ``type`` a short word for the rule.
    """

    code = "invalid"

    def __init__(self, detail: str, loc: tuple[str | int, ...] = (), type: str = "value") -> None:
        super().__init__(detail)
        self.loc = loc
        self.type = type


class TooLarge(Refused):
    """The request is larger than the limit its message names."""

    code = "too_large"


class TopicNotAllowed(Refused):
    """The topic belongs to somebody else or is not a topic (A.3, A.4)."""

    code = "topic_not_allowed"

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"topic {topic[:200]!r} is not allowed: use user:<id>, user:<id>:<name> of the same "
            "user, or a topic outside user:"
        )
        self.topic = topic

    @property
    def detail(self) -> str:
        return self.code


class UnknownToast(Refused):
    """The user has no such toast: it never was theirs, or was deleted or pruned (A.22)."""

    code = "toast_not_found"

    def __init__(self, message: str = "this user has no toast with that id") -> None:
        super().__init__(message)

    @property
    def detail(self) -> str:
        return self.code


class UnknownDevice(Refused):
    """The user has no such device: it was removed, or has become somebody else's (A.27)."""

    code = "device_not_found"

    def __init__(self) -> None:
        super().__init__("this user has no device with that id")

    @property
    def detail(self) -> str:
        return self.code


class OriginNotAllowed(Refused):
    """A browser of another origin tried to act here."""

    code = "origin_not_allowed"


class InvalidPublishKey(Refused):
    """The bearer of a publish is not the publish secret (A17)."""

    code = "invalid_publish_key"

    @property
    def detail(self) -> str:
        return self.code


class AlreadyRebound(Refused):
    """The device's anonymous principal belongs to another user by now (B14)."""

    code = "already_rebound"

    def __init__(self, device_id: str) -> None:
        super().__init__(f"device {device_id} already rebound to a different user")


class RebindClash(Refused):
    """A registered table has a row of the user where the anonymous principal's would go (B.10)."""

    code = "rebind_clash"


class RateLimited(Refused):
    """More requests came than the limit allows; ``retry_after`` is in seconds."""

    code = "rate_limited"

    def __init__(self, limit: int, retry_after: int) -> None:
        super().__init__("Rate limit exceeded")
        self.limit = limit
        self.retry_after = retry_after


class Unauthenticated(Refused):
    """Nobody is known to be asking."""

    code = "unauthenticated"


class MissingToken(Unauthenticated):
    """The request carries no credential (B17)."""

    code = "missing_token"
    detail = "Missing Bearer token"

    def __init__(self, remedy: str = "") -> None:
        super().__init__(f"{self.detail}: {remedy}" if remedy else self.detail)


class TokenExpired(Unauthenticated):
    """The credential was good once (B17)."""

    code = "token_expired"

    def __init__(self) -> None:
        super().__init__("Token expired")


class InvalidToken(Unauthenticated):
    """The credential is not one of ours, or not for this use (B17).

    ``foreign``: it is another provider's, of which another verifier may know more.
    """

    code = "invalid_token"

    def __init__(self, why: str, *, foreign: bool = False) -> None:
        super().__init__(f"Invalid token: {why}")
        self.foreign = foreign


class SessionRevoked(InvalidToken):
    """The session was good and has been ended; it must not look expired, or clients loop (B5)."""

    code = "session_revoked"

    def __init__(self) -> None:
        super().__init__("session revoked")


class UserRequired(Unauthenticated):
    """An anonymous session asked for what only a signed-in user may do (B13)."""

    code = "user_required"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} requires an authenticated user token; got anonymous session")


class CommandRefused(Refused):
    """One message of a live client cannot be carried out; the connection goes on.

    ``id`` is the client's own request id, echoed; ``topic`` the topic it is about.
    """

    code = "command_refused"

    def __init__(self, message: str, id: Any = None, topic: str | None = None) -> None:
        super().__init__(message)
        self.id = id
        self.topic = topic


class BadMessage(CommandRefused):
    """The message is not JSON, not an object, or has a wrong field."""

    code = "bad_message"


class UnknownMessageType(CommandRefused):
    """The message's ``type`` is none of the dialect's words."""

    code = "unknown_message_type"


class TooManyTopics(CommandRefused):
    """The message or the connection names more topics than one may."""

    code = "too_many_topics"


class Unavailable(ToastKitError):
    """The same request may succeed after ``retry_after`` seconds."""

    code = "unavailable"
    retry_after: ClassVar[int] = 1


class PublishDisabled(Unavailable):
    """No publish secret is set on this server (A17)."""

    code = "toast_publish_disabled"
    retry_after = 60

    @property
    def detail(self) -> str:
        return self.code


class StorageUnavailable(Unavailable):
    """The database is locked, full or unreadable; nothing was kept."""

    code = "storage_unavailable"


class BackplaneUnavailable(Unavailable):
    """Redis cannot be reached, and what was asked needs it; nothing was done."""

    code = "backplane_unavailable"


class KeysNotLoaded(Unavailable):
    """An identity provider's keys cannot be had, and without them no token can be checked (B17)."""

    code = "jwks_not_loaded"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("JWKS not loaded")
