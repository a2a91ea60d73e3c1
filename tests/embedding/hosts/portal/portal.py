"""A portal inside a company: behind a proxy, below a prefix, behind a login, and strict to browsers."""

from flask import Blueprint, Flask, redirect, render_template, request, session, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

from toastkit import publish_toast  # toastkit
from toastkit_flask import ToastKit  # toastkit

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
PUBLIC = {"portal.login", "static"}

portal = Blueprint("portal", __name__)


class NotAllowed(Exception):
    """Somebody asked for what is not theirs."""


@portal.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        session["user"] = request.form["user"]
        return redirect(url_for("portal.index"))
    return render_template("login.html")


@portal.get("/")
def index():
    return render_template("index.html", user=session["user"])


@portal.post("/approve/<user>")
def approve(user):
    if session["user"] != "boss":
        raise NotAllowed
    publish_toast(user, "Your holiday is approved")  # toastkit
    return redirect(url_for("portal.index"))


def everybody_signs_in():
    if session.get("user") == "intruder":
        raise NotAllowed
    open_to_all = request.endpoint in PUBLIC
    open_to_all = open_to_all or (request.endpoint or "").startswith("toastkit_")  # toastkit
    if "user" not in session and not open_to_all:
        return redirect(url_for("portal.login", next=request.full_path))
    return None


def be_strict(response):
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Access-Control-Allow-Origin"] = "https://intranet.example"
    return response


def create_app(**config):
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="change me", SESSION_COOKIE_SECURE=True, APPLICATION_ROOT="/portal"
    )
    app.config.update(config)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
    app.before_request(everybody_signs_in)
    app.after_request(be_strict)
    app.register_blueprint(portal)
    app.register_error_handler(NotAllowed, lambda _: (render_template("sorry.html"), 403))
    app.register_error_handler(404, lambda _: (render_template("sorry.html"), 404))
    app.register_error_handler(Exception, lambda _: (render_template("sorry.html"), 500))
    ToastKit(app).user_loader(lambda: session.get("user"))  # toastkit
    return app
