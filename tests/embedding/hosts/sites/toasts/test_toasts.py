from tests.embedding.browser import Browser, served


def test_members_and_staff_with_the_same_numbers_hear_their_own_site(sites):
    with served(sites.site) as url:
        member, clerk = Browser(url), Browser(url)
        member.post("/login", number="1")
        clerk.post("/staff/login", number="1")
        with member.page("/") as page, clerk.page("/staff/") as staff_page:
            member.post("/ask")
            assert staff_page.title() == "A question of member 1"
            clerk.post("/staff/answer/1")
            assert page.title() == "You have an answer"


def test_the_gateway_is_told_with_its_mount(sites):
    with served(sites.site) as url:
        clerk = Browser(url)
        clerk.post("/staff/login", number="1")
        assert "/staff/api/v1/realtime?" in clerk.bootstrap("/staff/")["ws_url"]
