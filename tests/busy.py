"""How much longer everything may take while other tests run on the same machine."""

import os

BUSY = 1.6 if "PYTEST_XDIST_WORKER" in os.environ else 1.0
"""Alone (``nox -s faults``) what is promised is held to the promised seconds."""
