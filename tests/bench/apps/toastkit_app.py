"""An ordinary Flask app with toastkit in it, and the views that the benchmark alone needs."""

import os
from time import perf_counter

import gevent
from flask import Flask, request

from tests.bench.apps.heartbeat import heartbeat
from tests.bench.apps.toastkit_pushes import pushes
from tests.bench.bodies import publish, toast, user
from toastkit import publish_control
from toastkit_flask import ToastKit

app = Flask(__name__)
app.secret_key = "bench"
app.config.update({k: v for k, v in os.environ.items() if k.startswith("TOASTKIT_")})
app.register_blueprint(heartbeat)
app.register_blueprint(pushes)
toastkit = ToastKit(app)


@app.get("/connections")
def connections():
    return {"connections": len(toastkit.kit.node.roster.connections)}


@app.post("/broadcast")
def broadcast():
    control = request.get_json()
    publish_control(control["kind"], control["params"])
    return "", 204


@app.post("/calls")
def calls():
    """Have so many greenlets publish, each its next toast when it has the last one's receipt."""
    wanted, kit = request.get_json(), toastkit.kit
    jobs, started = enumerate(wanted["users"], wanted["first"]), []

    def caller():
        for number, user_id in jobs:
            started.append(perf_counter())
            kit.publish_toast(**publish(user_id, number))

    began = perf_counter()
    callers = [gevent.spawn(caller) for _ in range(wanted["callers"])]
    gevent.joinall(callers, raise_error=True)
    # The clock is the machine's: the client subtracts these from when the toasts came.
    return {"seconds": perf_counter() - began, "started": started}


@app.post("/many")
def many():
    """Publish one toast to many users."""
    wanted = request.get_json()
    users = [user(number) for number in range(wanted["users"])]
    began = perf_counter()
    toastkit.kit.publish_toasts(users, toast(wanted["number"]))
    return {"seconds": perf_counter() - began, "started": began}


@app.post("/sessions")
def sessions():
    """Mint sessions, and find a hundred at a time: first they must be read, then they need not."""
    wanted, kit = request.get_json(), toastkit.kit
    users = iter(range(wanted["sessions"]))

    def mint():
        return [kit.sessions.mint(user(number))[0] for number in users]

    began = perf_counter()
    callers = [gevent.spawn(mint) for _ in range(wanted["callers"])]
    gevent.joinall(callers, raise_error=True)
    seconds = perf_counter() - began
    tokens = [token for caller in callers for token in caller.value]
    read, remembered = [], []
    for place in range(0, len(tokens), 100):
        for found in (read, remembered):
            for token in tokens[place : place + 100]:
                at = perf_counter()
                kit.sessions.find(token)
                found.append(perf_counter() - at)
    return {"seconds": seconds, "read": read, "remembered": remembered}
