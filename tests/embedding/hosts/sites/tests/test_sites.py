from werkzeug.test import Client


def test_a_question_and_its_answer(sites):
    browser = Client(sites.site)
    browser.post("/login", data={"number": "7"})
    browser.post("/staff/login", data={"number": "1"})
    browser.post("/ask")
    assert "1: A question of member 7" in browser.get("/staff/").text
    browser.post("/staff/answer/7")
    assert "7: You have an answer" in browser.get("/").text
    assert "You have an answer" not in browser.get("/staff/").text
