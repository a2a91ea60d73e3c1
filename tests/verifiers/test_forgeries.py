"""Tokens that must not open anything: no verifier accepts one, and no door answers 500."""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from tests.verifiers.endpoint import Endpoint, document, endpoint
from tests.verifiers.forgeries import forgeries, misdirected
from tests.verifiers.signing import AUDIENCE, ISSUER, NOW, PARTY, jwks, pem, token
from toastkit.errors import InvalidToken
from toastkit.testing import ManualClock
from toastkit.verifiers import ClerkVerifier, JwksVerifier, StaticVerifier
from toastkit.verifiers.contract import Verifier
from toastkit_flask import ToastKit

pytestmark = pytest.mark.plain

FORGERIES = forgeries() | misdirected()
KINDS = ("jwks", "clerk", "clerk by key", "static", "static by key")
ONE_KEY = {"no kid among several keys"}
each_kind = pytest.mark.parametrize("verifier", KINDS, indirect=True)
each_forgery = pytest.mark.parametrize("name", FORGERIES)


@pytest.fixture(scope="module")
def provider() -> Iterator[Endpoint]:
    with endpoint() as here:
        here.answer = document(jwks())
        yield here


@pytest.fixture(scope="module")
def verifiers(provider: Endpoint) -> dict[str, Verifier]:
    clock = ManualClock(NOW * 1000)
    ours = {"issuer": ISSUER, "audience": AUDIENCE, "authorized_parties": [PARTY], "clock": clock}
    sound = [key for key in jwks()["keys"] if key["kid"] != "weak"]
    return {
        "jwks": JwksVerifier(provider.url, **ours),
        "clerk": ClerkVerifier(jwks_url=provider.url, **ours),
        "clerk by key": ClerkVerifier(jwt_key=pem(), **ours),
        "static": StaticVerifier({"keys": sound}, **ours),
        "static by key": StaticVerifier(pem(), **ours),
    }


@pytest.fixture
def verifier(verifiers: dict[str, Verifier], request: pytest.FixtureRequest) -> Verifier:
    return verifiers[request.param]


@pytest.fixture(scope="module")
def client(
    verifiers: dict[str, Verifier], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """Log on at an app that believes two of the verifiers."""
    app = Flask(__name__, instance_path=str(tmp_path_factory.mktemp("forgeries")))
    both = (verifiers["clerk"], verifiers["jwks"])
    toastkit = ToastKit(app, verifiers=both, clock=ManualClock(NOW * 1000), rate_limits=False)
    yield app.test_client()
    with app.app_context():
        toastkit.kit.close()


def test_the_corpus_is_large() -> None:
    assert len(set(FORGERIES.values())) >= 150


@each_kind
def test_the_token_they_are_made_of_is_good(verifier: Verifier) -> None:
    assert verifier.verify(token()).user_id == "ada"


@each_kind
@each_forgery
def test_a_forgery_is_refused_and_nothing_of_it_repeated(
    verifier: Verifier, name: str, request: pytest.FixtureRequest
) -> None:
    if name in ONE_KEY and request.node.callspec.params["verifier"].endswith("by key"):
        return  # there is no other key that could be meant
    with pytest.raises(InvalidToken, match=r"^Invalid token: ") as caught:
        verifier.verify(FORGERIES[name])
    assert len(str(caught.value)) < 120
    assert caught.value.__cause__ is None


def test_however_many_keys_they_name_they_cost_two_fetches(provider: Endpoint) -> None:
    fresh = JwksVerifier(
        provider.url, issuer=ISSUER, audience=AUDIENCE, clock=ManualClock(NOW * 1000)
    )
    before = len(provider.asked)
    for forged in FORGERIES.values():
        with contextlib.suppress(InvalidToken):
            fresh.verify(forged)
    assert len(provider.asked) == before + 2


def send(client: FlaskClient, path: str, bearer: str) -> int:
    # As a server hands a header over: the bytes that came, one character for each.
    header = f"Bearer {bearer}".encode("utf-8", "surrogateescape").decode("latin-1")
    answer = client.open(
        path,
        method="GET" if path == "/v1/toasts" else "POST",
        environ_overrides={"HTTP_AUTHORIZATION": header},
    )
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json["detail"].startswith(("Invalid token: ", "Missing Bearer token"))
    return answer.status_code


@pytest.mark.parametrize("path", ["/auth/session", "/v1/toasts"])
@each_forgery
def test_B17_no_door_lets_a_forgery_in_or_answers_500(
    client: FlaskClient, name: str, path: str
) -> None:
    # A header ends with its line, and white space around it is none of it.
    sent = FORGERIES[name]
    if sent.strip() == token() or "\n" in sent:
        return
    assert send(client, path, sent) == 401


@contextlib.contextmanager
def served(app: Flask) -> Iterator[tuple[str, int]]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def test_B17_over_the_wire_too(client: FlaskClient) -> None:
    answers: Counter[int] = Counter()
    with served(client.application) as address:
        for forged in FORGERIES.values():
            # What a header cannot carry never comes so far; white space around one is none of it.
            if forged.strip() == token() or {"\n", "\0"} & set(forged) or len(forged) > 60_000:
                continue
            raw = forged.encode("utf-8", "surrogateescape")
            with socket.create_connection(address, timeout=10) as wire:
                wire.sendall(b"POST /auth/session HTTP/1.0\r\nAuthorization: Bearer " + raw)
                wire.sendall(b"\r\nContent-Length: 0\r\n\r\n")
                answers[int(wire.makefile("rb").readline().split()[1])] += 1
    assert set(answers) == {401}, answers
    assert answers[401] >= 250


def test_B1_the_token_they_are_made_of_opens_a_session(client: FlaskClient) -> None:
    assert send(client, "/auth/session", token()) == 200
