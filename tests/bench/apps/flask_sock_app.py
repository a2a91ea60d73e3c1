"""What one writes first: flask-sock, a receive loop, and a send to each."""

import json

from flask import Flask, request
from flask_sock import Sock

from tests.bench.apps.heartbeat import heartbeat
from tests.bench.apps.naive_pushes import pushes

app = Flask(__name__)
app.secret_key = "bench"
app.register_blueprint(heartbeat)
app.register_blueprint(pushes)
sock = Sock(app)
clients = {}


@sock.route("/realtime")
def realtime(ws):
    user = request.args["user"]
    clients[user] = ws
    try:
        while True:
            ws.receive()
    finally:
        clients.pop(user)


@app.get("/connections")
def connections():
    return {"connections": len(clients)}


@app.post("/broadcast")
def broadcast():
    text = json.dumps({"type": "control", "control": request.get_json()})
    for ws in list(clients.values()):
        ws.send(text)
    return "", 204


@app.post("/publish")
def publish():
    body = request.get_json()
    clients[body["user_id"]].send(json.dumps({"type": "toast", "toast": body["toast"]}))
    return {"delivered": True}, 202
