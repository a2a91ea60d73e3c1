"""Ask every path of an app what its ``/openapi.json`` says may be asked, and look at the answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks

from tests.matrix import Headers, Wallet

CONFORMS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
"""What every answer must do, whoever asked for whatever."""

REFUSES = [checks.negative_data_rejection]
LENIENT = {
    # What a handshake cannot say, a frame says; topics of somebody else are dropped (A5).
    *("bootstrap", "connect", "stream_toasts"),
    # A secret is not even looked at where none is needed.
    *("begin_anonymous_session", "rebind"),
}

KINDS = {
    "session": "session",
    "provider": "jwt",
    "publish_secret": "secret",
    "login": "login",
    "ticket": "nothing",
}
"""Which credential of a wallet is what a security scheme means."""
STRANGERS = ("nothing", "session", "anonymous", "revoked", "garbage", "jwt", "secret", "login")

UNSAYABLE = {"topic_not_allowed", "no_credits_left"}
SAID_BY_NO_SCHEMA = {
    ("device_id", "owner"),
    ("device_id", "characters"),
    ("collapse_key", "characters"),
    ("toast.data", "length"),
    ("toast.deeplink", "value"),
    ("apns.token", "value"),
    ("cursor", "value"),
}
"""Whose a topic, a device or a secret is no schema can say, nor what a text may be taken for."""


@dataclass
class Asking:
    """Ask an app, ``examples`` times each way; what it does wrong is in ``wrong``."""

    app: Flask
    wallet: Wallet
    examples: int
    conforms: list[Any] = field(default_factory=lambda: list(CONFORMS))
    wrong: list[str] = field(default_factory=list)
    asked: int = 0
    statuses: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = SchemathesisConfig()
        # Beyond ASCII only Unicode's own tables say what is printable, and no pattern repeats them.
        generation = config.projects.default.generation
        generation.update(codec="ascii", with_security_parameters=False)
        path = self.wallet.kit.config.url_prefix + "/openapi.json"
        self.schema = schemathesis.openapi.from_wsgi(path, self._serve, config=config)

    def everything(self) -> None:
        """Ask for every operation, with a credential that is good for it and with the others."""
        for operation in self.operations():
            ways = self._ways(operation)
            self.ask(operation, self.shown(operation), self.examples, good=True)
            for kind in STRANGERS:
                if kind != ways[0]:
                    self.ask(operation, self._shown(kind), 1 + self.examples // 20, good=False)
            if "nothing" not in ways:
                self._believes(operation, ways)

    def never_accepted(self) -> set[str]:
        """Return the operations of which no request was ever accepted."""
        return {id for id, seen in self.statuses.items() if min(seen) >= 300}

    def operations(self) -> Iterator[Any]:
        """Return every operation that is described."""
        for result in self.schema.get_all_operations():
            yield result.ok()

    def ask(self, operation: Any, headers: Headers, examples: int, *, good: bool) -> None:
        """Ask with what fits the document, and with what does not."""

        def fitting(case: Case) -> None:
            if good:
                # What is there to be asked for, or nothing but 404s would be seen.
                case.path_parameters = {name: self._there(name) for name in case.path_parameters}
            self._look(case, headers, self.conforms, accepted if good else None)

        def other(case: Case) -> None:
            strict = good and case.operation.definition.raw["operationId"] not in LENIENT
            self._look(case, headers, [*self.conforms, *(REFUSES if strict else [])])

        positive = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        _run(fitting, positive, examples)
        takes = operation.body or operation.query or operation.path_parameters
        if takes and (good or examples > 1):
            negative = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
            _run(other, negative, examples)

    def _believes(self, operation: Any, ways: list[str]) -> None:
        """See that each way in that is described is one, and that no other is."""
        path = operation.path.replace("{id}", "x").replace("{device_id}", "x")
        for kind in set(STRANGERS) - {"anonymous"}:  # a session, but not everywhere
            client = self.app.test_client()
            answer = client.open(path, method=operation.method, headers=self._shown(kind))
            if answer.status_code < 500 and (answer.status_code == 401) == (kind in ways):
                self.wrong.append(f"{operation.label} with {kind}: {answer.status_code}")
            answer.close()

    def _there(self, name: str) -> str:
        kit = self.wallet.kit
        match name:
            case "id":
                return kit.publish_toast("ada", "Asked for").id
            case "device_id":
                return kit.devices.register("ada", "phone", None, None).device_id
        return "page.css"

    def shown(self, operation: Any) -> Headers:
        """Return a credential that is good for an operation."""
        return self._shown(self._ways(operation)[0])

    def _ways(self, operation: Any) -> list[str]:
        said = operation.definition.raw.get("security") or []
        return [KINDS[name] for each in said for name in each if name in KINDS] or ["nothing"]

    def _shown(self, kind: str) -> Headers:
        """Return a fresh credential of a kind, for some of them end what they are shown to."""
        wallet = self.wallet
        match kind:
            case "login":
                return wallet.login("ada") if wallet.login else {}
            case "session" | "anonymous":
                user = "ada" if kind == "session" else wallet.visitor
                bearer = wallet.kit.sessions.mint(user)[0]
            case "jwt":
                bearer = wallet.jwt("ada")
            case "secret":
                bearer = wallet.secret
            case "revoked":
                bearer = wallet.kit.sessions.mint("ada")[0]
                wallet.kit.sessions.revoke(bearer)
            case "garbage":
                bearer = "x.y.z"
            case _:
                return {}
        return {"Authorization": f"Bearer {bearer}"}

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ.setdefault("REMOTE_ADDR", "127.0.0.1")  # as a server would
        answer = self.app(environ, start_response)
        try:
            # A stream goes on for as long as it is read: its first line will do.
            endless = environ["PATH_INFO"].endswith("/stream")
            return list(islice(answer, 1 if endless else None))
        finally:
            getattr(answer, "close", lambda: None)()

    def _look(
        self,
        case: Case,
        headers: Headers,
        wanted: list[Any],
        then: Callable[[Any], str | None] | None = None,
    ) -> None:
        response = case.call(headers=dict(headers))
        self.asked += 1
        id = case.operation.definition.raw["operationId"]
        self.statuses.setdefault(id, set()).add(response.status_code)
        if _is_no_path(case, response):
            return
        try:
            case.validate_response(response, checks=wanted, headers=dict(headers))
        except (Failure, FailureGroup) as failure:
            for each in getattr(failure, "exceptions", [failure]):
                self._note(case, response, f"{type(each).__name__}: {each}")
        if then is not None and (said := then(response)):
            self._note(case, response, said)

    def _note(self, case: Case, response: Any, said: str) -> None:
        asked = f"{case.method} {case.path} {case.path_parameters} {case.query} {case.body!r}"
        self.wrong.append(f"{asked}\n  {response.status_code} {response.content[:300]!r}\n  {said}")


def accepted(response: Any) -> str | None:
    """Say what is wrong when something that fits the document is refused, or nothing."""
    if response.status_code not in {400, 413, 422}:
        return None
    body = json.loads(response.content)
    if "Expected `int`, got `float`" in body["message"]:
        return None  # 1.0 is a whole number to JSON Schema; nobody who means one writes it so
    mistakes = {(".".join(map(str, each["loc"])), each["type"]) for each in body.get("errors", [])}
    if body["code"] in UNSAYABLE or (mistakes and mistakes <= SAID_BY_NO_SCHEMA):
        return None
    return f"refused although it fits: {body}"


def _run(look: Callable[[Case], None], strategy: Any, examples: int) -> None:
    chosen = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    # Where everything fits, there is nothing that does not.
    with suppress(Unsatisfiable):
        chosen(given(case=strategy)(look))()


def _is_no_path(case: Case, response: Any) -> bool:
    """Tell whether what was made up for a part of a path is no path of this app any more."""
    html = response.headers.get("content-type", [""])[0].startswith("text/html")
    return bool(case.path_parameters) and response.status_code == 404 and html
