"""The document of every described path, as OpenAPI 3.1 spells it."""

from .document import document

__all__ = ["document"]
