"""The page and the doors of demo mode's identity provider."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response, jsonify, render_template, request, send_from_directory
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from toastkit.dialects.bodies import read_body
from toastkit.dialects.errors import http_error
from toastkit.dialects.shapes import text
from toastkit.errors import Invalid, ToastKitError
from toastkit_flask import current_principal, described, session_required
from toastkit_flask.bodies import answer
from toastkit_flask.errors import tell_http
from toastkit_flask.policies import Policy, declared
from toastkit_flask.state import current_kit

from ..settings import DEMO_SECRET, Settings
from .identity import IdentityProvider
from .pushes import Shelf, shown

STATIC = Path(__file__).parent / "static"
USER_ID = r"^[^\s:*\x00-\x1f\x7f]+$"
MAX_BODY = 4096
NEWEST = 200
"""How many pushes, of everybody, are looked through for one's own."""


class SignIn(msgspec.Struct, frozen=True):
    """Say who one wants to be."""

    name: Annotated[str, text("Any user id: anyone may be anyone.", pattern=USER_ID)]


class SignedIn(msgspec.Struct, frozen=True):
    """A token that says who its bearer is; it lives for a minute."""

    jwt: str
    user_id: str


class Keys(msgspec.Struct, frozen=True):
    """The public keys of those tokens (RFC 7517)."""

    keys: list[dict[str, Any]]


class Pushes(msgspec.Struct, frozen=True):
    """Pushes of whoever asks, newest first; ``recorded``: none was sent."""

    recorded: bool
    items: list[dict[str, Any]]


def demo_pages(provider: IdentityProvider, settings: Settings, shelf: Shelf) -> Blueprint:
    """Return the page, the sign-in, the public keys, and one's own pushes."""
    pages = Blueprint("demo", __name__)
    pages.template_folder = "templates"
    _page(pages, settings)
    _provider(pages, provider)
    _pushes(pages, settings, shelf)
    pages.register_error_handler(ToastKitError, _explain)
    pages.register_error_handler(HTTPException, tell_http)
    pages.after_request(_seal)
    return pages


def _page(pages: Blueprint, settings: Settings) -> None:
    # Told the publish secret only when it is the one everybody knows.
    config = settings.config
    known = {
        "secret": DEMO_SECRET if DEMO_SECRET in config.publish_secret else "",
        "prefix": config.url_prefix,
        "pushes_to": config.apns_host if settings.pushes else "",
    }

    @pages.get("/")
    @declared(Policy.OPEN)
    @described("get_page", str, media="text/html")
    def page() -> str:
        """Return the page."""
        return render_template("page.html", **known)

    @pages.get("/demo/static/<path:filename>", endpoint="static")
    @declared(Policy.OPEN)
    @described(
        "get_file",
        path={"filename": Annotated[str, text("Which file.")]},
        codes={404: ("not_found",)},
    )
    def file(filename: str) -> Response:
        """Return a file of the page."""
        return send_from_directory(STATIC, filename)


def _provider(pages: Blueprint, provider: IdentityProvider) -> None:
    @pages.post("/demo/sign-in")
    @declared(Policy.OPEN)
    @described("sign_in", SignedIn, body=SignIn)
    def sign_in() -> ResponseReturnValue:
        """Sign in as anyone."""
        asked = read_body(_json(), SignIn)
        return jsonify(jwt=provider.sign_in(asked.name), user_id=asked.name)

    @pages.get("/.well-known/jwks.json")
    @declared(Policy.OPEN)
    @described("get_keys", Keys)
    def jwks() -> ResponseReturnValue:
        """Return the public keys that verify a sign-in's tokens."""
        return jsonify(provider.jwks())


def _pushes(pages: Blueprint, settings: Settings, shelf: Shelf) -> None:
    @pages.get("/demo/pushes")
    @session_required
    @described("list_pushes", Pushes)
    def pushes() -> Response:
        """Return the newest pushes of whoever asks, and the request each of them was."""
        user_id = current_principal().user_id
        newest = current_kit().deliveries.recent(NEWEST, kind="apns")
        own = [each for each in newest if each.user_id == user_id]
        return answer({"recorded": not settings.pushes, "items": shown(own, shelf)})


def _json() -> bytes:
    # A page of another site cannot send this type without asking first, and nobody says yes.
    if request.mimetype != "application/json":
        raise Invalid("Content-Type must be application/json", ("Content-Type",), "json")
    request.max_content_length = MAX_BODY
    return request.get_data()


def _explain(error: ToastKitError) -> ResponseReturnValue:
    status, body, headers = http_error(error)
    return jsonify(body), status, headers


def _seal(response: Response) -> Response:
    # The page shows what others wrote: even if a text became markup, it could run nothing.
    socket = request.host_url.replace("http", "ws", 1).rstrip("/")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
