"""Who signed this token: one adapter per kind of identity provider."""

from .static import StaticVerifier

__all__ = ["StaticVerifier"]
