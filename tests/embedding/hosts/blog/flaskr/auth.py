import functools

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from .db import get_db

bp = Blueprint("auth", __name__, url_prefix="/auth")


@bp.before_app_request
def load_logged_in_user():
    user_id = session.get("user_id")
    g.user = None
    if user_id is not None:
        g.user = get_db().execute("SELECT * FROM user WHERE id = ?", (user_id,)).fetchone()


def login_required(view):
    @functools.wraps(view)
    def wrapped_view(**kwargs):
        if g.user is None:
            return redirect(url_for("auth.login"))
        return view(**kwargs)

    return wrapped_view


@bp.route("/register", methods=("GET", "POST"))
def register():
    if request.method == "POST":
        db, username = get_db(), request.form["username"]
        password = generate_password_hash(request.form["password"], "pbkdf2:sha256:1")
        try:
            db.execute("INSERT INTO user (username, password) VALUES (?, ?)", (username, password))
            db.commit()
        except db.IntegrityError:
            flash(f"User {username} is already registered.")
        else:
            return redirect(url_for("auth.login"))
    return render_template("auth/login.html", what="Register")


@bp.route("/login", methods=("GET", "POST"))
def login():
    if request.method == "POST":
        found = "SELECT * FROM user WHERE username = ?"
        user = get_db().execute(found, (request.form["username"],)).fetchone()
        if user and check_password_hash(user["password"], request.form["password"]):
            session.clear()
            session["user_id"] = user["id"]
            return redirect(url_for("index"))
        flash("Incorrect username or password.")
    return render_template("auth/login.html", what="Log In")


@bp.route("/logout")
def logout():
    session.clear()
    return redirect(url_for("index"))
