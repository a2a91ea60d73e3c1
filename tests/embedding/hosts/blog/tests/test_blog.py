def test_who_is_not_logged_in_writes_nothing(app):
    answer = app.test_client().post("/create", data={"title": "t", "body": "b"})
    assert answer.headers["Location"] == "/auth/login"


def test_a_post_has_comments(author):
    ada, grace = author("ada"), author("grace")
    ada.post("/create", data={"title": "Engines", "body": "They can weave."})
    assert "Engines</a> by ada" in grace.get("/").text
    answer = grace.post("/1/comment", data={"body": "Indeed."}, follow_redirects=True)
    assert "Indeed. <cite>grace</cite>" in answer.text


def test_missing_post(author):
    answer = author("ada").get("/7")
    assert answer.status_code == 404
    assert "Post id 7 doesn&#39;t exist." in answer.text


def test_init_db_command(app):
    assert "Initialized" in app.test_cli_runner().invoke(args=["init-db"]).output
