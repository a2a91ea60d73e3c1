"""The settings as they are, where each was said, and what looks like one and is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, fields
from typing import Any

from ..config import unknown
from ..storage import place_of
from . import redis
from .findings import Finding, Setting, fail, ok, warn
from .patient import Facts, Patient

NAME = "settings"

NONE_NEAR = "take it out, or see what there is: toastkit doctor --settings"

MAX_PATH = 150
"""A key that was set in the place of its path is longer."""


def check(facts: Facts) -> Iterator[Finding]:
    """Say what is no setting, and what keeps a kit from being made of the others."""
    patient = facts.patient
    if patient.trouble:
        yield fail(NAME, patient.trouble, "")
    for place, said in patient.said.items():
        for key, near in unknown(said).items():
            text = f"{key} in {place} is no setting of toastkit"
            yield warn(NAME, text, f"did you mean {near}?" if near else NONE_NEAR)
    if not patient.trouble:
        count = sum(each.changed for each in shown(patient))
        yield ok(NAME, f"{count or 'none'} set to other than the default")


def shown(patient: Patient) -> tuple[Setting, ...]:
    """Return every setting as it may be shown: never a secret."""
    return tuple(_setting(each, patient) for each in fields(patient.config))


def _setting(setting: Field[Any], patient: Patient) -> Setting:
    value = getattr(patient.config, setting.name)
    source = patient.sources.get(setting.name, "default")
    return Setting(setting.name, _spelled(setting, value), source, value != setting.default)


def _spelled(setting: Field[Any], value: Any) -> str:
    if setting.name == "database_url" and value:
        return place_of(value)
    if setting.name == "redis_url" and value:
        return redis.place_of(value)
    if not setting.repr:
        return "set" if value else "not set"
    if setting.name.endswith("_file") and (len(value) > MAX_PATH or "KEY" in value.split("\n")[0]):
        return "set"
    if isinstance(value, bool):
        return str(int(value))
    return ",".join(value) if isinstance(value, tuple) else str(value)
