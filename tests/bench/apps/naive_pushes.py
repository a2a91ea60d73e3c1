"""Pushes as one writes them first: a client for each, in as many greenlets as toastkit has."""

import os
import ssl
import time
from time import perf_counter

import httpx2
import jwt
from flask import Blueprint, request
from gevent.pool import Pool

from tests.bench.bodies import push_token, toast

AT_ONCE = 64

pushes = Blueprint("pushes", __name__, url_prefix="/push")


@pushes.post("")
def push():
    """Push one toast to so many phones."""
    began = perf_counter()
    # Shared, which is kind: most read the certificates of the system for each push.
    trust = ssl.create_default_context(cafile=_setting("CA_FILE"))
    bearer = f"bearer {_provider_token()}"

    def post(number):
        with httpx2.Client(verify=trust, http1=False, http2=True) as client:
            answer = client.post(
                f"https://{_setting('HOST')}/3/device/{push_token(number)}",
                headers={
                    "authorization": bearer,
                    "apns-topic": "com.example.app",
                    "apns-push-type": "alert",
                },
                json={"aps": {"alert": toast(0)}},
            )
            answer.raise_for_status()

    for _ in Pool(AT_ONCE).imap_unordered(post, range(request.get_json()["users"])):
        pass
    return {"seconds": perf_counter() - began}


def _provider_token():
    with open(_setting("KEY_FILE"), encoding="ascii") as file:
        key = file.read()
    said = {"iss": _setting("TEAM_ID"), "iat": int(time.time())}
    return jwt.encode(said, key, "ES256", {"kid": _setting("KEY_ID")})


def _setting(name):
    return os.environ[f"TOASTKIT_APNS_{name}"]
