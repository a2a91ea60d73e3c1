"""Who signed this token: one adapter per kind of identity provider.

``static``, ``jwks`` and ``clerk`` are verifiers. Each has an ``examiner``, which reads a token
(``tokens``), finds its key and judges its ``claims``; ``keys`` reads keys, ``remote`` keeps those that
are fetched (``fetching``).
"""

from .clerk import ClerkVerifier
from .jwks import JwksVerifier
from .remote import JwksLimits
from .static import StaticVerifier

__all__ = ["ClerkVerifier", "JwksLimits", "JwksVerifier", "StaticVerifier"]
