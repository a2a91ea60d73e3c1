from __future__ import annotations

PATH = "/toastkit/toastkit.js"


def test_the_browsers_client_is_served_as_a_script(client):
    with client.get(PATH) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/javascript"
        assert "toastkit" in answer.text


def test_a_browser_that_has_it_is_told_so(client):
    with client.get(PATH) as first:
        etag = first.headers["ETag"]
    with client.get(PATH, headers={"If-None-Match": etag}) as again:
        assert again.status_code == 304
