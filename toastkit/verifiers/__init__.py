"""Who signed this token: one adapter per kind of identity provider."""

from .clerk import ClerkVerifier
from .jwks import JwksVerifier
from .remote import JwksLimits
from .static import StaticVerifier

__all__ = ["ClerkVerifier", "JwksLimits", "JwksVerifier", "StaticVerifier"]
