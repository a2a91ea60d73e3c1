"""gunicorn, as a start in this folder would configure it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from .findings import Finding, fail, info, ok, warn
from .patching import REMEDY
from .patient import Facts, GunicornFacts, Patient
from .probe import FOLDER, HOOKS, MARK, OURS

NAME = "gunicorn"

SECONDS = 8.0
"""How long a configuration file may run."""

NATIVE = frozenset({"gevent", "gthread"})
KNOWN = NATIVE | {"sync", "gevent_pywsgi"}
STAR = f"from {OURS} import *"
CURE = f"{STAR} in gunicorn.conf.py"


def gather(patient: Patient) -> GunicornFacts:
    """Read the configuration in a process of its own, without starting anything."""
    if importlib.util.find_spec("gunicorn") is None:
        return GunicornFacts(installed=False, asked=False)
    named = {"GUNICORN_CMD_ARGS", "WEB_CONCURRENCY"} & set(patient.environ)
    if not (patient.words or named or Path("gunicorn.conf.py").exists()):
        return GunicornFacts(asked=False)
    text = Path(__file__).with_name("probe.py").read_text(encoding="utf-8")
    try:
        done = _run(text, patient.words, {**os.environ, **patient.environ})
    except subprocess.TimeoutExpired:
        return GunicornFacts(trouble=f"its configuration was not read within {SECONDS:.0f} s")
    answers = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode != 0 or not answers:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        return GunicornFacts(trouble=(said or ["it ended without a word"])[-1])
    return msgspec.json.decode(answers[-1].removeprefix(MARK), type=GunicornFacts)


def _run(
    text: str, words: Sequence[str], environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory(prefix="toastkit-doctor-") as empty:
        # share_metrics() empties the folder that is named, and a service that runs counts in it.
        apart = {FOLDER: empty} if environ.get(FOLDER) else {}
        return subprocess.run(  # noqa: S603  # our own file; the words are the operator's
            # -P: as under the command gunicorn, no json.py of this folder is taken for Python's.
            [sys.executable, "-P", "-c", text, *words],
            env={**environ, **apart},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


def check(facts: Facts) -> Iterator[Finding]:
    """Say whether its workers suit toastkit."""
    found = facts.gunicorn
    if found is None or not found.installed:
        return
    if found.trouble:
        yield fail(NAME, f"its configuration cannot be read: {found.trouble}", "correct that first")
        return
    if not found.asked:
        yield info(
            NAME,
            "neither gunicorn.conf.py nor GUNICORN_CMD_ARGS is here, so nobody knows how it is started",
            f"to check that, name its words: {facts.patient.command} doctor --gunicorn '-k gevent'",
        )
        return
    yield ok(NAME, f"it would start {_what(found)}{_by(found)}")
    if not facts.patient.config.redis_url:
        yield from _check_workers(found)
    if "metrics" in facts.patient.config.surfaces:
        yield from _check_metrics(found)
    if found.worker_class:
        yield from _check_class(found, portable=facts.patient.config.gateway == "portable")
    else:
        yield info(
            NAME,
            "neither its file nor GUNICORN_CMD_ARGS names a worker class",
            f"if its command line does: {facts.patient.command} doctor --gunicorn '-k gevent'; "
            "else name one in gunicorn.conf.py: without, it is sync",
        )
    yield from _check_patch(found)
    yield from _check_hooks(found, facts.patient.config.close_seconds)


def _what(found: GunicornFacts) -> str:
    workers = "one worker" if found.workers == 1 else f"{found.workers} workers"
    return f"{workers} of class {found.worker_class}" if found.worker_class else workers


def _by(found: GunicornFacts) -> str:
    return f" ({found.file})" if found.file else ""


def _check_workers(found: GunicornFacts) -> Iterator[Finding]:
    if found.workers > 1:
        yield fail(
            NAME,
            f"{found.workers} workers: each knows its own clients only, so a toast reaches some of "
            "them late or not at all",
            "put Redis between them (TOASTKIT_REDIS_URL), or run one",
        )


def _check_metrics(found: GunicornFacts) -> Iterator[Finding]:
    if found.workers > 1 and not found.together:
        yield warn(
            NAME,
            f"{found.workers} workers: each counts for itself, so that the metrics tell of whichever "
            "was asked",
            f"in gunicorn.conf.py share_metrics(), below {STAR}",
        )


def _check_class(found: GunicornFacts, *, portable: bool) -> Iterator[Finding]:
    kind = found.worker_class
    if kind == "sync":
        yield warn(
            NAME,
            "a sync worker answers one request at a time, and a slow one holds up everybody's",
            "worker_class = 'gevent' for many clients, 'gthread' with threads = 20 for few",
        )
    elif kind == "gevent_pywsgi":
        yield warn(
            NAME,
            "gevent_pywsgi is slower and calls no hooks, so its clients are not told of a stop",
            "worker_class = 'gevent'",
        )
    elif kind not in KNOWN and not portable and "gevent" not in kind.lower():
        yield warn(
            NAME,
            f"{kind} workers may give no sockets that can be taken over",
            "worker_class = 'gevent' or 'gthread', or TOASTKIT_GATEWAY=portable",
        )


def _check_patch(found: GunicornFacts) -> Iterator[Finding]:
    patched = "socket" in found.gevent.patched
    # Who has it patched, and names no class, means to name one on the command line.
    green = "gevent" in found.worker_class.lower() or (patched and not found.worker_class)
    early = ", ".join(found.gevent.early[:5])
    if not green:
        if patched:
            yield fail(
                NAME,
                f"its configuration lets gevent replace sockets, but {found.worker_class} workers "
                "reset connections then",
                "take monkey.patch_all() out of it, or set worker_class = 'gevent'",
            )
    elif not patched:
        if found.preload:
            yield fail(
                NAME,
                "preload_app imports the app before the worker lets gevent replace anything",
                f"in gunicorn.conf.py {REMEDY}",
            )
        elif early:
            yield fail(
                NAME,
                f"its configuration imports {early} before gevent replaces what they keep",
                f"in gunicorn.conf.py {REMEDY}",
            )
    elif early:
        yield fail(
            NAME,
            f"its configuration lets gevent replace sockets and locks too late: {early} keep the old",
            f"in gunicorn.conf.py {REMEDY}",
        )


def _check_hooks(found: GunicornFacts, close_seconds: int) -> Iterator[Finding]:
    if found.worker_class == "gevent_pywsgi":
        return
    others = [name for name in HOOKS if found.hooks.get(name) != OURS]
    if len(others) == len(HOOKS) and not found.helped:
        yield warn(
            NAME,
            "it does not use toastkit's hooks: a worker that stops is held by idle connections for "
            f"up to {found.graceful_timeout} s and may tell its clients nothing",
            CURE,
        )
    elif others:
        yield info(
            NAME,
            f"your own {', '.join(others)} take the place of toastkit's",
            f"call those of {OURS} from them",
        )
    if found.graceful_timeout <= close_seconds:
        yield warn(
            NAME,
            f"graceful_timeout {found.graceful_timeout} s ends a worker before its clients are told",
            f"set it above TOASTKIT_CLOSE_SECONDS ({close_seconds}); 5 is a good value",
        )
