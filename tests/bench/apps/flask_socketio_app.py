"""The same with Flask-SocketIO, as its documentation has it: a room for each user."""

from flask import Flask, request
from flask_socketio import SocketIO, join_room

from tests.bench.apps.heartbeat import heartbeat

app = Flask(__name__)
app.secret_key = "bench"
app.register_blueprint(heartbeat)
socketio = SocketIO(app, async_mode="gevent")
clients = set()


@socketio.on("connect")
def connect():
    clients.add(request.sid)
    join_room(request.args["user"])


@socketio.on("disconnect")
def disconnect():
    clients.discard(request.sid)


@app.get("/connections")
def connections():
    return {"connections": len(clients)}


@app.post("/broadcast")
def broadcast():
    socketio.emit("control", request.get_json())
    return "", 204


@app.post("/publish")
def publish():
    body = request.get_json()
    socketio.emit("toast", body["toast"], to=body["user_id"])
    return {"delivered": True}, 202
