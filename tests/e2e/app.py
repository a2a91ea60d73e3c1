"""A small host of toastkit: its users name themselves, its doors publish what they are told."""

import os
import threading

from flask import Flask, jsonify, request
from msgspec.structs import asdict

from toastkit.identity.tickets import TicketRequest
from toastkit_flask import ToastKit


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

    @app.post("/toast")
    def toast():
        return jsonify(asdict(toastkit.kit.publish_toast(**request.json)))

    @app.post("/control")
    def control():
        toastkit.kit.publish_control(**request.json)
        return "", 204

    @app.get("/threads")
    def threads():
        return jsonify(threading.active_count())

    return app
