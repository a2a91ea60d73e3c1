"""Beside the extensions an app has already: they go on, and its users see toasts.

Those that are not installed are skipped; ``nox -s extensions`` has them all.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask, jsonify, request, session
from flask.testing import FlaskClient

from toastkit import publish_toast
from toastkit.errors import InvalidToken
from toastkit.testing import Toasts
from toastkit.verifiers.contract import Claims
from toastkit_flask import ToastKit

pytestmark = pytest.mark.plain

OWN = {"X-ToastKit": "1"}
BOOTSTRAP = "/v1/sessions/toast-bootstrap"
SECRET = "32 bytes at least, and no secret at all"
in_either_order = pytest.mark.parametrize("first", [True, False], ids=["before", "after"])


def found(name: str) -> Any:
    """Return an extension's module, or skip the test."""
    pytest.importorskip(name)
    return importlib.import_module(name)


def make(kind: type[Flask] = Flask, **config: Any) -> Flask:
    app = kind("host")
    app.config.update(SECRET_KEY=SECRET, TESTING=True, **config)
    return app


def add_pages(app: Flask) -> None:
    """Give an app a login and an order, as hosts have them."""

    @app.get("/login/<name>")
    def login(name: str) -> str:
        session["user"] = name
        return "<html><body>in</body></html>"

    @app.get("/order")
    def order() -> str:
        publish_toast(session["user"], "Order received")
        return "<html><body>done</body></html>"


def set_up(app: Flask) -> ToastKit:
    toastkit = ToastKit(app)
    toastkit.user_loader(lambda: session.get("user"))
    return toastkit


def limited(app: Flask) -> None:
    limits = found("flask_limiter")
    own = limits.Limiter(lambda: "all", app=app, default_limits=["1/hour"], storage_uri="memory://")
    own.request_filter(lambda: (request.endpoint or "").startswith("toastkit_"))  # as documented


def cached(app: Flask) -> None:
    found("flask_caching").Cache(app, config={"CACHE_TYPE": "SimpleCache"})


def server_side(app: Flask) -> None:
    store = found("cachelib").SimpleCache()
    app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=store)
    found("flask_session").Session(app)


def toolbar(app: Flask) -> None:
    app.config["DEBUG_TB_ENABLED"] = True
    found("flask_debugtoolbar").DebugToolbarExtension(app)


QUIET: dict[str, Callable[[Flask], object]] = {
    "admin": lambda app: found("flask_admin").Admin(app),
    "caching": cached,
    "compress": lambda app: found("flask_compress").Compress(app),
    "cors": lambda app: found("flask_cors").CORS(app),
    "debugtoolbar": toolbar,
    "limiter": limited,
    "session": server_side,
    "talisman": lambda app: found("flask_talisman").Talisman(app, force_https=False),
}


@in_either_order
@pytest.mark.parametrize("extension", QUIET)
def test_it_goes_on_and_a_page_is_told(extension: str, first: bool, toasts: Toasts) -> None:
    app = make()
    for step in (set_up, QUIET[extension]) if first else (QUIET[extension], set_up):
        step(app)
    add_pages(app)
    client = app.test_client()
    assert client.get("/login/ada").status_code == 200
    for _ in "12":
        with client.get("/toastkit/toastkit.js") as script:
            assert script.status_code == 200
        assert client.get("/v1/toasts", headers=OWN).json is not None
    with toasts.websocket(client) as page:
        assert client.get("/order").status_code == 200
        assert page.receive()["toast"]["title"] == "Order received"


def restx(app: Flask) -> str:
    api = found("flask_restx").Api(app, title="theirs")

    @api.route("/things")
    class Things(found("flask_restx").Resource):  # type: ignore[misc]
        def get(self) -> dict[str, int]:
            return {"things": 1}

    return "/swagger.json"


def smorest(app: Flask) -> str:
    app.config.update(API_TITLE="theirs", API_VERSION="1", OPENAPI_VERSION="3.0.2")
    app.config["OPENAPI_URL_PREFIX"] = "/"
    theirs = found("flask_smorest")
    api, things = theirs.Api(app), theirs.Blueprint("things", "things")
    things.route("/things")(things.response(200)(lambda: {"things": 1}))
    api.register_blueprint(things)
    return "/openapi.json"


def apiflask(app: Flask) -> str:
    app.add_url_rule("/things", "things", lambda: {"things": 1})
    return "/openapi.json"


@in_either_order
@pytest.mark.parametrize("describe", [restx, smorest, apiflask], ids=lambda each: each.__name__)
def test_what_describes_the_apps_paths_describes_those_alone(
    describe: Callable[[Flask], str], first: bool
) -> None:
    kind = found("apiflask").APIFlask if describe is apiflask else Flask
    app = make(kind)
    if first:
        set_up(app)
    place = describe(app)
    if not first:
        set_up(app)
    document = app.test_client().get(place).json
    assert document is not None
    assert [path.rstrip("/") for path in document["paths"]] == ["/things"]


@pytest.fixture
def secured() -> Iterator[Flask]:
    """Make an app of Flask-Security, as its quickstart does."""
    security, db = found("flask_security"), found("flask_sqlalchemy").SQLAlchemy()
    app = make(SECURITY_PASSWORD_SALT="1", SQLALCHEMY_DATABASE_URI="sqlite://")
    db.init_app(app)
    models = found("flask_security.models.fsqla_v3")
    models.FsModels.set_db_info(db)
    user = type("User", (db.Model, models.FsUserMixin), {})
    role = type("Role", (db.Model, models.FsRoleMixin), {})
    store = security.SQLAlchemyUserDatastore(db, user, role)
    security.Security(app, store)
    with app.app_context():
        db.create_all()
        ada = store.create_user(email="ada@example.com")
        db.session.commit()
        assert ada.id == 1

    @app.get("/login/ada")
    def login() -> str:
        security.login_user(store.find_user(id=1))
        return "in"

    yield app
    with app.app_context():
        db.engine.dispose()


def greet(app: Flask, client: FlaskClient) -> int:
    """Publish to user 1 of an app, and tell how many toasts the page then has."""
    with app.app_context():
        publish_toast(1, "Welcome")
    answer = client.get("/v1/toasts", headers=OWN).json
    assert answer is not None
    return len(answer["items"])


def test_a_user_of_flask_security_is_reached_by_the_line_that_the_log_names(
    secured: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    toastkit = ToastKit(secured)
    client = secured.test_client()
    assert client.get("/login/ada").text == "in"
    assert greet(secured, client) == 0
    assert "Flask-Security" in caplog.text
    user = found("flask_security").current_user
    toastkit.user_loader(lambda: user.is_authenticated and user.id)
    assert greet(secured, client) == 2
    assert secured.test_client().get("/v1/toasts", headers=OWN).status_code == 401


class OwnTokens:
    """Believe what Flask-JWT-Extended has signed."""

    def verify(self, token: str) -> Claims:
        try:
            claims = found("flask_jwt_extended").decode_token(token)
        except found("jwt").PyJWTError as error:
            raise InvalidToken("this app has not signed it") from error
        return Claims(claims["sub"], claims["exp"] * 1000, claims)


def jwt_app(where: str) -> tuple[Flask, FlaskClient]:
    tokens = found("flask_jwt_extended")
    app = make(JWT_SECRET_KEY=SECRET, JWT_TOKEN_LOCATION=[where], JWT_COOKIE_SECURE=False)
    tokens.JWTManager(app)
    login = Blueprint("login", __name__)

    @login.get("/login/<name>")
    def sign_in(name: str) -> Any:
        token = tokens.create_access_token(identity=name)
        answer = jsonify(token=token)
        if where == "cookies":
            tokens.set_access_cookies(answer, token)
        return answer

    app.register_blueprint(login)
    return app, app.test_client()


def test_a_bearer_of_flask_jwt_extended_signs_in() -> None:
    app, client = jwt_app("headers")
    ToastKit(app, verifiers=[OwnTokens()])
    told = client.get("/login/ada").json
    assert told is not None
    for token, status in ((told["token"], 200), (told["token"][:-5] + "wrong", 401)):
        bearer = {"Authorization": f"Bearer {token}"}
        assert client.post(BOOTSTRAP, json={}, headers=bearer).status_code == status


def test_a_cookie_of_flask_jwt_extended_signs_in() -> None:
    app, client = jwt_app("cookies")
    tokens = found("flask_jwt_extended")

    @ToastKit(app).user_loader
    def signed_in() -> Any:
        tokens.verify_jwt_in_request(optional=True)
        return tokens.get_jwt_identity()

    assert client.post(BOOTSTRAP, json={}, headers=OWN).status_code == 401
    client.get("/login/ada")
    cookie = client.get_cookie("csrf_access_token")
    assert cookie is not None
    own = {**OWN, "X-CSRF-TOKEN": cookie.value}
    assert client.post(BOOTSTRAP, json={}, headers=own).status_code == 200
