def test_login(author):
    assert "<span>ada</span>" in author("ada").get("/").text


def test_wrong_password(app):
    answer = app.test_client().post("/auth/login", data={"username": "a", "password": "b"})
    assert "Incorrect username or password." in answer.text


def test_logout(author):
    ada = author("ada")
    assert "Log In" in ada.get("/auth/logout", follow_redirects=True).text


def test_username_is_taken(author, app):
    author("ada")
    form = {"username": "ada", "password": "other"}
    assert "already registered" in app.test_client().post("/auth/register", data=form).text
