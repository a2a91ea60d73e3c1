"""A monitor of machines: one module, its own login by JSON, its own WebSocket, its own API document."""

import os
import sqlite3

from flask import Flask, g, jsonify, render_template, request, session
from flask_sock import Sock

from toastkit import publish_toast  # toastkit
from toastkit_flask import ToastKit  # toastkit

app = Flask(__name__)
app.config["SECRET_KEY"] = "change me"
app.config["DATABASE"] = os.environ.get("MONITOR_DATABASE", "monitor.sqlite")
app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": 25, "max_message_size": 1024}
app.config["TOASTKIT_SURFACES"] = "toasts"  # toastkit

sock = Sock(app)
toastkit = ToastKit(app)  # toastkit
toastkit.user_loader(lambda: session.get("operator"))  # toastkit

OPERATORS = {"ada": "secret", "grace": "secret"}


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(app.config["DATABASE"])
        g.db.execute(
            "CREATE TABLE IF NOT EXISTS machine (name TEXT PRIMARY KEY, state TEXT, owner TEXT)"
        )
    return g.db


@app.teardown_appcontext
def close_db(exception):
    db = g.pop("db", None)
    if db is not None:
        db.close()


@app.get("/")
def index():
    return render_template("index.html")


@app.get("/health")
def health():
    return jsonify(
        status="up", machines=get_db().execute("SELECT count(*) FROM machine").fetchone()[0]
    )


@app.get("/openapi.json")
def openapi():
    return jsonify(openapi="3.0.3", info={"title": "Monitor", "version": "7"}, paths={})


@app.post("/auth/session")
def log_in():
    name = request.json["name"]
    if OPERATORS.get(name) != request.json["password"]:
        return jsonify(error="wrong name or password"), 403
    session["operator"] = name
    return jsonify(operator=name)


@app.delete("/auth/session")
def log_out():
    session.clear()
    return "", 204


@app.put("/machines/<name>")
def report(name):
    state, owner = request.json["state"], request.json["owner"]
    db = get_db()
    db.execute("REPLACE INTO machine VALUES (?, ?, ?)", (name, state, owner))
    db.commit()
    if state == "down":
        app.logger.info("%s is down", name)
        publish_toast(owner, {"title": f"{name} is down", "style": "error"})  # toastkit
    return jsonify(name=name, state=state)


@sock.route("/machines/<name>/watch")
def watch(ws, name):
    """Answer each question with the machine's state."""
    while True:
        ws.receive()
        row = get_db().execute("SELECT state FROM machine WHERE name = ?", (name,)).fetchone()
        ws.send(row[0] if row else "unknown")


@app.errorhandler(404)
def not_found(error):
    return jsonify(error="no such thing"), 404


@app.errorhandler(Exception)
def failed(error):
    app.logger.error("unexpected: %r", error)
    return jsonify(error="internal"), 500
