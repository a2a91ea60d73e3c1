"""Find who is to be examined: the Flask app's kit, the only one there is, or the environment's."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields

from ..config import ENVIRONMENT, Config, sources_of_env
from ..current import current_kit
from ..errors import ConfigError, NoKit
from ..kit import Kit
from .patient import Patient

PatientFinder = Callable[[], Patient | None]

_finders: list[PatientFinder] = []


def register_patient(finder: PatientFinder) -> None:
    """Ask ``finder`` first who is to be examined, such as the current Flask app."""
    if finder not in _finders:
        _finders.append(finder)


def current_patient() -> Patient:
    """Return who is to be examined; where no kit can be made, that is the trouble it has."""
    for finder in _finders:
        patient = finder()
        if patient is not None:
            return patient
    return _of_this_process(os.environ)


def _of_this_process(environ: Mapping[str, str]) -> Patient:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is no setting is among the findings
        try:
            kit: Kit | None = current_kit()
            trouble = ""
        except (ConfigError, NoKit, ImportError) as error:
            kit, trouble = None, str(error)
        config = _understood(environ) if kit is None else kit.config
    return Patient(
        config=config,
        sources=_sources(config, environ),
        said={ENVIRONMENT: environ},
        kit=kit,
        trouble=trouble,
        environ=environ,
    )


def _understood(environ: Mapping[str, str]) -> Config:
    """Read what can be read: one setting that is wrong must not hide how the others are."""
    good = {}
    for key, value in environ.items():
        try:
            Config.from_env({key: value})
        except ConfigError:
            continue
        good[key] = value
    return Config.from_env(good)


def _sources(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    said = sources_of_env(environ)
    changed = [each.name for each in fields(config) if getattr(config, each.name) != each.default]
    return said | {name: "Config(...)" for name in changed if name not in said}
