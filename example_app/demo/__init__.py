"""Demo mode: its own identity provider, a page, and a guard that keeps it on this machine."""

from .install import install

__all__ = ["install"]
