"""Say what is wrong, before somebody else does."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from ..errors import Invalid
from .words import as_json, columns, examples, say, say_json, shown, told

if TYPE_CHECKING:
    from ..doctor import Finding, Level, Report, Setting

COLOURS: dict[Level, str] = {"ok": "green", "info": "blue", "warn": "yellow", "fail": "red"}
INDENT = " " * 17


@click.command(
    epilog=examples(
        "toastkit doctor",
        "toastkit doctor --gunicorn '-k gevent -b 127.0.0.1:8000'",
        "toastkit doctor --strict --json",
    )
)
@click.option("--settings", "-v", "every", is_flag=True, help="Show every setting.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings, too.")
@click.option(
    "--gunicorn", "words", metavar="WORDS", default="", help="What gunicorn's command line says."
)
@as_json
@told
def doctor(every: bool, strict: bool, words: str, as_json: bool) -> None:
    """Say what is wrong, and what to do about it.

    Looks at settings, database, clock, server and limits. Changes nothing, and starts nothing:
    gunicorn's configuration is read as a start in this folder would read it; what its command line
    says, name in --gunicorn. Exits with 1 when something fails.
    """
    # Only here: an app has this command, and a worker of it never runs it.
    from ..doctor import current_patient, examine

    patient = current_patient()
    report = examine(replace(patient, words=_split(words)) if words else patient)
    if as_json:
        say_json(_json(report, strict=strict))
    else:
        say(_text(report, every=every))
    if not _is_well(report, strict=strict):
        raise SystemExit(1)


def _split(words: str) -> list[str]:
    try:
        return shlex.split(words)
    except ValueError as error:
        raise Invalid(f"--gunicorn: {error}") from None


def _is_well(report: Report, *, strict: bool) -> bool:
    return not (report.count("fail") or (strict and report.count("warn")))


def _json(report: Report, *, strict: bool) -> dict[str, object]:
    return {
        "well": _is_well(report, strict=strict),
        "findings": [asdict(each) for each in report.findings],
        "settings": [asdict(each) for each in report.settings],
    }


def _text(report: Report, *, every: bool) -> str:
    settings = [each for each in report.settings if every or each.changed]
    lines = [line for each in report.findings for line in _lines(each)]
    table = ["", columns(_rows(settings))] if settings else []
    return "\n".join([*lines, *table, "", _sum(report)])


def _lines(finding: Finding) -> Iterator[str]:
    # Colours are dropped by click where nobody looks at them.
    level = click.style(f"{finding.level:4}", fg=COLOURS[finding.level])
    yield f"{level}  {finding.name:11}{shown(finding.text)}"
    if finding.remedy:
        yield f"{INDENT}-> {shown(finding.remedy)}"


def _rows(settings: Iterable[Setting]) -> Iterator[tuple[str, ...]]:
    for each in settings:
        yield each.name, each.value or "(empty)", each.source


def _sum(report: Report) -> str:
    fails, warns = report.count("fail"), report.count("warn")
    if not fails and not warns:
        return "all is well"
    return f"{fails} {'failure' if fails == 1 else 'failures'}, {_warnings(warns)}"


def _warnings(count: int) -> str:
    return "1 warning" if count == 1 else f"{count} warnings"
