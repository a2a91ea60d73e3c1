from tests.embedding.browser import Browser, served


def signed_in(url, username):
    browser = Browser(url)
    browser.post("/auth/register", username=username, password="secret")
    browser.post("/auth/login", username=username, password="secret")
    return browser


def test_an_author_sees_that_somebody_commented(app):
    with served(app) as url:
        ada, grace = signed_in(url, "ada"), signed_in(url, "grace")
        ada.post("/create", title="Engines", body="They can weave.")
        with ada.page("/") as page:
            grace.post("/1/comment", body="Indeed.")
            assert page.title() == "New comment on Engines"


def test_the_author_of_the_post_is_told_and_nobody_else(author, toasts):
    ada, grace = author("ada"), author("grace")
    ada.post("/create", data={"title": "Engines", "body": "They can weave."})
    grace.post("/1/comment", data={"body": "Indeed."})
    assert toasts.to(1).titles == ["New comment on Engines"]
    assert toasts.to(2).titles == []


def test_a_page_hears_it(author, toasts):
    ada, grace = author("ada"), author("grace")
    ada.post("/create", data={"title": "Engines", "body": "They can weave."})
    with toasts.websocket(ada) as page:
        grace.post("/1/comment", data={"body": "Indeed."})
        assert page.receive()["toast"]["title"] == "New comment on Engines"
