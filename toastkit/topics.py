"""Scoped names. Whose a topic is, is decided here alone; nobody else takes a topic apart."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from . import principals
from .errors import Invalid, TopicNotAllowed

MAX_TOPIC = 200


@dataclass(frozen=True, slots=True)
class Topic:
    """Name something one can subscribe to, with the principal it belongs to (or nobody).

    ``user:<id>`` is matched exactly; ``user:<id>:*`` is a wildcard over everything below one's
    own namespace (A.2).
    """

    text: str
    owner: str | None = None
    wildcard: bool = False

    @classmethod
    def parse(cls, text: object) -> Topic:
        """Read a topic.

        Segments are compared, never prefixes: ``user:u10`` is not in the namespace of ``u1``.
        What only looks like ``user:`` after case folding or Unicode normalisation is refused, or
        a font could spell somebody else's namespace.

        Raises:
            TopicNotAllowed: the text is not a topic.
        """
        if not isinstance(text, str):
            raise TopicNotAllowed(type(text).__name__)
        if not 1 <= len(text) <= MAX_TOPIC:
            raise TopicNotAllowed(text)
        if not text.isprintable() or any(char.isspace() for char in text):
            raise TopicNotAllowed(text)
        segments = text.split(":")
        if "" in segments:
            raise TopicNotAllowed(text)
        if _looks_like_user(text):
            return cls._of_user(text, segments)
        if "*" in text:
            raise TopicNotAllowed(text)
        return cls(text)

    @classmethod
    def _of_user(cls, text: str, segments: list[str]) -> Topic:
        anonymous = segments[1:2] == ["anon"]
        size = 3 if anonymous else 2
        owner, rest = ":".join(segments[1:size]), segments[size:]
        wildcard = rest == ["*"]
        if segments[0] != "user" or ("*" in text and not (wildcard and text.count("*") == 1)):
            raise TopicNotAllowed(text)
        try:
            owner = principals.user_id(owner)
        except Invalid:
            raise TopicNotAllowed(text) from None
        return cls(text, owner, wildcard)

    def open_to(self, user_id: str) -> bool:
        """Tell whether a principal may subscribe by namespace alone (A5, A24)."""
        return self.owner is None or self.owner == user_id


def own(user_id: str) -> str:
    """Return the topic a first connect hears: ``user:<id>`` (A5)."""
    return f"user:{user_id}"


def hears(topics: tuple[str, ...], topic: str) -> bool:
    """Tell whether a subscriber to ``topics`` hears what is published on ``topic`` (A31)."""
    if topic in topics:
        return True
    return any(mine[-2:] == ":*" and topic.startswith(mine[:-1]) for mine in topics)


def _looks_like_user(text: str) -> bool:
    seen = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return seen.casefold().split(":", 1)[0].strip() == "user"
