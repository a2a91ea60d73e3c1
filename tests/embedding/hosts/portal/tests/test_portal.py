def test_who_is_not_signed_in_is_sent_to_the_form_below_the_prefix(client):
    where = client.get("/").headers["Location"]
    assert where.startswith("/portal/login")


def test_signing_in(client, sign_in):
    answer = sign_in("ada")
    assert answer.headers["Location"] == "/portal/"
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Path=/portal" in answer.headers["Set-Cookie"]


def test_browsers_are_told_to_be_strict(client):
    policy = client.get("/login").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy


def test_what_is_not_there_is_told_nicely(client):
    assert client.get("/static/nothing.js").status_code == 404
    assert "Sorry" in client.get("/static/nothing.js").text
