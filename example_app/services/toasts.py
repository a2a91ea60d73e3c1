"""Publish from inside the process: no HTTP, no shared secret (A18)."""

from __future__ import annotations

from toastkit import publish_toast

__all__ = ["publish_toast"]
