"""One request of a client that does not wait for ever: a frozen worker answers nobody."""

import json
from http.client import HTTPConnection, HTTPException

PATIENCE = 5.0

AWAY = (OSError, HTTPException)
"""What a request ends with that nobody answers."""


def ask(address, method, path, body=None, headers=None):
    """Return ``(status, answer)``.

    Raises:
        ConnectionRefusedError: nobody has heard it.
        OSError, HTTPException: nobody has answered; it may have been heard.
    """
    link = HTTPConnection(*address, timeout=PATIENCE)
    data = None if body is None else json.dumps(body)
    try:
        link.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        with link.getresponse() as response:
            text = response.read()
            kind = response.headers.get_content_type()
    finally:
        link.close()
    return response.status, json.loads(text) if kind == "application/json" else text
