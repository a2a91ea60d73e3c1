"""Pushes of the ordinary app: everybody has a phone, and nobody is there."""

from time import perf_counter

import gevent
from flask import Blueprint, request
from gevent.pool import Pool

from tests.bench.bodies import push_token, toast, user
from toastkit import current_kit

pushes = Blueprint("pushes", __name__, url_prefix="/push")


@pushes.post("/phones")
def phones():
    """Give so many users a phone each."""
    kit = current_kit()

    def register(number):
        apns = {"token": push_token(number)}
        kit.devices.register(user(number), f"phone-{number}", None, apns)

    Pool(64).map(register, range(request.get_json()["users"]))
    return {}


@pushes.post("")
def push():
    """Publish one toast to so many users; return when each phone has been reached."""
    users = [user(number) for number in range(request.get_json()["users"])]
    began = perf_counter()
    current_kit().publish_toasts(users, toast(0))
    _wait()
    return {"seconds": perf_counter() - began}


@pushes.post("/absent")
def absent():
    """Publish to so many users, one after the other; return how long each took."""
    wanted, kit, seconds = request.get_json(), current_kit(), []
    for number in range(wanted["users"]):
        began = perf_counter()
        kit.publish_toast(user(number), toast(number), fallback_apns=wanted["fallback"])
        seconds.append(perf_counter() - began)
    return {"seconds": seconds}


@pushes.post("/wait")
def wait():
    """Return when nothing is owed any more."""
    _wait()
    return {}


def _wait():
    while current_kit().deliveries.waiting():
        gevent.sleep(0.01)
