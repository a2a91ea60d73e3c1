"""Put the doors into an app, and keep out of the host's way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from flask import Blueprint, Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect, Rule

from toastkit import Config
from toastkit.errors import ConfigError

from . import metering, views
from .clashes import clashes, hidden_files
from .door import add_other_methods

SURFACES: dict[str, tuple[Blueprint, ...]] = {
    "toasts": (
        *(views.sessions, views.devices, views.toasts),
        *(views.realtime, views.stream, views.client),
    ),
    "auth": (views.auth, views.anonymous, views.account),
    "metrics": (views.metrics,),
}
ALWAYS = (views.health, views.openapi)
_HOST = "toastkit_host"
BELOW_API = (views.sessions, views.devices, views.toasts, views.realtime, views.stream)
"""What the documents show below ``/v1``, and the gateway below ``/api/v1``: both answer."""


def mount(app: Flask, config: Config) -> None:
    """Register the doors of the wanted surfaces.

    Raises:
        ConfigError: a surface is unknown, the prefix is none, or the app has one of the paths.
    """
    theirs = list(app.url_map.iter_rules())
    with _on_every_host(app):
        for blueprint, name, prefix in _registrations(config):
            app.register_blueprint(blueprint, name=name, url_prefix=prefix)
        for clash in collisions(app, theirs):
            raise ConfigError(clash)
        for _, name, _ in _registrations(config):
            add_other_methods(app, name)
            if metering.SURFACE in config.surfaces:
                metering.install(app, name)


@contextmanager
def _on_every_host(app: Flask) -> Iterator[None]:
    """Let what is mounted answer on each host of an app that tells them apart.

    Without a host of its own a rule matches none there.
    """
    if not app.url_map.host_matching:
        yield
        return
    kind = app.url_rule_class
    app.url_rule_class = partial(kind, host=f"<{_HOST}>")  # type: ignore[assignment]
    try:
        yield
    finally:
        app.url_rule_class = kind

    @app.url_value_preprocessor
    def forget(endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values and endpoint and _owns(endpoint):
            values.pop(_HOST, None)

    @app.url_defaults
    def stay(endpoint: str, values: dict[str, Any]) -> None:
        if _owns(endpoint):
            values.setdefault(_HOST, request.host)


def settle(app: Flask) -> None:
    """Look once more when the first request has come and the host has said everything.

    A host route that was added later and is never reached is reported, except ``/health``: there
    the host's own is what its operator watches. Our views, which authenticate by header alone, are
    taken out of the host's CSRF protection.
    """
    theirs = [rule for rule in app.url_map.iter_rules() if not is_ours(rule)]
    for clash in collisions(app, theirs):
        app.logger.error("%s", clash)
    for mine, their, _ in clashes(_ours(app), theirs):
        if _gives_way(mine):
            _give_way(app, mine, their)
    _route_again(app)
    exempt = getattr(app.extensions.get("csrf"), "exempt", None)
    if exempt is not None:
        for endpoint, view in app.view_functions.items():
            if _owns(endpoint):
                exempt(view)


def _route_again(app: Flask) -> None:
    # This very request has its rule already, which may have given way just now.
    mine = request.url_rule
    if mine is None or mine.methods is None or request.method in mine.methods:
        return
    found = app.create_url_adapter(request)
    if found is not None:
        request.url_rule, values = found.match(return_rule=True)
        request.view_args = dict(values)


def warn_of_nowhere(app: Flask, controls: Mapping[str, str]) -> None:
    """Warn about each registered control whose path no route of the app answers."""
    routes = app.url_map.bind("localhost")
    for kind, path in controls.items():
        if path.startswith("/") and not _is_answered(routes, path.partition("?")[0]):
            app.logger.warning(
                "control %r says to fetch %s again, but no route of this app answers GET there: "
                "see register_control",
                kind,
                path,
            )


def collisions(app: Flask, theirs: list[Rule]) -> Iterator[str]:
    """Tell each path that is both the host's and ours, with the setting that cures it."""
    ours = _ours(app)
    found = [each for each in clashes(ours, theirs) if not _gives_way(each[0])]
    for mine, their, shared in (*found, *hidden_files(app, ours, theirs)):
        yield (
            f"{' '.join(sorted(shared))} {mine.rule} is a path of toastkit and of this app "
            f"({their.endpoint}): set TOASTKIT_URL_PREFIX to move toastkit's paths, such as "
            f"/toastkit, or leave this surface out: TOASTKIT_SURFACES={_others(app, mine)}"
        )


def _others(app: Flask, mine: Rule) -> str:
    """Name the surfaces that are mounted without that of a path."""
    door = mine.endpoint.partition(".")[0].removesuffix("_api")
    doors = {name: {each.name for each in some} for name, some in SURFACES.items()}
    mounted = {name: some & set(app.blueprints) for name, some in doors.items()}
    return ",".join(name for name, some in mounted.items() if some and door not in some)


def _is_answered(routes: MapAdapter, path: str) -> bool:
    try:
        endpoint, _ = routes.match(path, "GET")
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return ".other:" not in endpoint  # those are doors of ours for other methods


def _ours(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if is_ours(rule)]


def _gives_way(mine: Rule) -> bool:
    return mine.endpoint.partition(".")[0] in {door.name for door in ALWAYS}


def _give_way(app: Flask, mine: Rule, their: Rule) -> None:
    """Let a path be the host's own: with its view goes whatever the host has look first who asks.

    Rules cannot be taken back, but one that has no methods matches no request.
    """
    if app.url_map.host_matching and "<" not in (their.host or "<"):
        return  # it is the host's on that one host, and goes before ours there
    for each in _ours(app):
        if each.rule == mine.rule and each.methods is not None:
            each.methods -= their.methods or each.methods


def _registrations(config: Config) -> Iterator[tuple[Blueprint, str, str]]:
    unknown = set(config.surfaces) - set(SURFACES)
    if unknown:
        known = ", ".join(SURFACES)
        raise ConfigError(f"surfaces: {', '.join(sorted(unknown))} unknown; there are {known}")
    prefix = config.url_prefix
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise ConfigError(f"url_prefix: {prefix!r} must begin with / and not end with it")
    wanted = [door for name in SURFACES if name in config.surfaces for door in SURFACES[name]]
    for door in (*wanted, *ALWAYS):
        yield door, door.name, prefix
        if door in BELOW_API:
            yield door, f"{door.name}_api", f"{prefix}/api"


def is_ours(rule: Rule) -> bool:
    """Tell whether a rule of an app is a path of toastkit's."""
    return _owns(rule.endpoint)


def _owns(endpoint: str) -> bool:
    blueprint, dot, _ = endpoint.partition(".")
    names = {door.name for doors in (*SURFACES.values(), ALWAYS) for door in doors}
    return bool(dot) and blueprint.removesuffix("_api") in names
