"""Look at everything a kit stands on, and say what is wrong with it and what to do.

``current`` finds who is examined, a ``patient``; ``examining`` gathers facts of it and checks them, with
one module for each matter; ``findings`` are what comes of it. ``probe`` is run in another process.
"""

from .current import current_patient, register_patient
from .examining import examine
from .findings import Finding, Level, Report, Setting, fail, info, ok, warn
from .patient import Check, Facts, Patient

__all__ = [
    "Check",
    "Facts",
    "Finding",
    "Level",
    "Patient",
    "Report",
    "Setting",
    "current_patient",
    "examine",
    "fail",
    "info",
    "ok",
    "register_patient",
    "warn",
]
