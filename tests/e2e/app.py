"""A small host of toastkit: its users name themselves, its doors publish what they are told."""

import os
import threading

from flask import Flask, jsonify, request
from msgspec.structs import asdict

from toastkit.identity.tickets import TicketRequest
from toastkit_flask import ToastKit, current_principal, session_required


def create_app():
    """Make the app; the tests pass settings as ``TOASTKIT_`` variables."""
    app = Flask(__name__)
    app.config.update(
        {key: value for key, value in os.environ.items() if key.startswith("TOASTKIT_")}
    )
    toastkit = ToastKit(app)

    @toastkit.user_loader
    def whoever():
        return request.headers.get("X-User")

    @app.post("/tickets")
    def tickets():
        """Mint a ticket for each user, in one go."""
        users = request.json["users"]
        mint = toastkit.kit.identity.tickets.mint
        wanted = [TicketRequest(user, f"device-{user}", (f"user:{user}",)) for user in users]
        return jsonify([mint(each)[0] for each in wanted])

    @app.post("/sessions")
    def sessions():
        """Mint a session for each user, in one go."""
        return jsonify([toastkit.kit.sessions.mint(user)[0] for user in request.json["users"]])

    @app.post("/toast")
    def toast():
        return jsonify(asdict(toastkit.kit.publish_toast(**request.json)))

    @app.post("/control")
    def control():
        toastkit.kit.publish_control(**request.json)
        return "", 204

    begun, go_on = threading.Event(), threading.Event()

    @app.get("/long")
    @session_required
    def long():
        """Take as long as somebody wants it to."""
        begun.set()
        go_on.wait(20)
        begun.clear(), go_on.clear()
        return current_principal().user_id

    @app.post("/long/begun")
    def wait_until_begun():
        return jsonify(begun.wait(20))

    @app.post("/long/go-on")
    def let_go_on():
        go_on.set()
        return "", 204

    @app.get("/threads")
    def threads():
        return jsonify(threading.active_count())

    return app
