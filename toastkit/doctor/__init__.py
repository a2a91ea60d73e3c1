"""Look at everything a kit stands on, and say what is wrong with it and what to do."""

from .examining import examine
from .finding import current_patient, register_patient
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
