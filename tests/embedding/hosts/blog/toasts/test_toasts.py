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
