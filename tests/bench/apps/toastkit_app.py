"""An ordinary Flask app with toastkit in it, and one view that the benchmark alone needs."""

import os

from flask import Flask, request

from toastkit import publish_control
from toastkit_flask import ToastKit

app = Flask(__name__)
app.secret_key = "bench"
app.config.update({k: v for k, v in os.environ.items() if k.startswith("TOASTKIT_")})
toastkit = ToastKit(app)


@app.get("/connections")
def connections():
    return {"connections": len(toastkit.kit.node.roster.connections)}


@app.post("/broadcast")
def broadcast():
    control = request.get_json()
    publish_control(control["kind"], control["params"])
    return "", 204
