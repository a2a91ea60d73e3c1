"""Our Apple is as strict as the real one, and has its moods."""

import json
import ssl
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx2
import jwt
import pytest

from tests.apple.answers import REASONS, TAKEN, Answer, because
from tests.apple.papers import KEY_ID, TEAM_ID

TOKEN = "a1" * 32
BODY = {"aps": {"alert": {"title": "Hello"}}}


class Provider:
    """The plainest client there is; ``push`` returns the answer."""

    def __init__(self, apple):
        self.apple = apple
        context = ssl.create_default_context(cafile=apple.papers.ca_file)
        self.client = httpx2.Client(
            base_url=f"https://{apple.host}", verify=context, http1=False, http2=True, timeout=5
        )

    def provider_token(self, age=0, team=TEAM_ID, kid=KEY_ID):
        said = {"iss": team, "iat": int(time.time()) - age}
        return jwt.encode(said, self.apple.papers.key_file.read_bytes(), "ES256", {"kid": kid})

    def headers(self):
        return {
            "authorization": f"bearer {self.provider_token()}",
            "apns-topic": "com.example.app",
            "apns-push-type": "alert",
            "apns-id": str(uuid.uuid4()),
        }

    def push(self, token=TOKEN, *, content=None, **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        wanted = {**self.headers(), **given}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        body = json.dumps(BODY).encode() if content is None else content
        return self.client.post(f"/3/device/{token}", headers=wanted, content=body)


@pytest.fixture
def provider(apple):
    provider = Provider(apple)
    yield provider
    provider.client.close()


def reason(answer):
    return answer.json()["reason"]


def test_a_right_push_is_taken_and_written_down(apple, provider):
    answer = provider.push(apns_expiration="1999999999", apns_collapse_id="c" * 64)
    (request,) = apple.requests
    assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
    assert answer.headers["apns-id"] == request.id
    assert (request.token, request.json, request.taken) == (TOKEN, BODY, True)
    assert apple.faults() == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"authorization": None}, "MissingProviderToken"),
        ({"authorization": "bearer a.b.c"}, "InvalidProviderToken"),
        ({"apns_topic": None}, "MissingTopic"),
        ({"apns_topic": "com/example"}, "BadTopic"),
        ({"apns_push_type": None}, "InvalidPushType"),
        ({"apns_id": "no-uuid"}, "BadMessageId"),
        ({"apns_expiration": "3600"}, "BadExpirationDate"),
        ({"apns_expiration": "1799999999000"}, "BadExpirationDate"),
        ({"apns_priority": "7"}, "BadPriority"),
        ({"apns_collapse_id": "c" * 65}, "BadCollapseId"),
        ({"content": b"x" * 4097}, "PayloadTooLarge"),
        ({"content": b"{}"}, "PayloadEmpty"),
        ({"token": "xyz"}, "BadDeviceToken"),
        ({"token": "../etc"}, "BadPath"),
    ],
)
def test_a_wrong_push_is_refused(apple, provider, headers, expected):
    answer = provider.push(**headers)
    assert (answer.status_code, reason(answer)) == (REASONS[expected], expected)
    assert apple.faults() == [expected]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ({"age": 3700}, "ExpiredProviderToken"),
        ({"age": -3600}, "InvalidProviderToken"),
        ({"team": "OTHERTEAM1"}, "InvalidProviderToken"),
        ({"kid": "OTHERKEY12"}, "InvalidProviderToken"),
    ],
)
def test_a_wrong_provider_token_is_refused(apple, provider, token, expected):
    bearer = f"bearer {provider.provider_token(**token)}"
    assert reason(provider.push(authorization=bearer)) == expected


def test_provider_tokens_may_not_change_often(apple, provider):
    apple.providers.strict = True
    bearers = [f"bearer {provider.provider_token(age)}" for age in (60, 0)]
    assert provider.push(authorization=bearers[0]).status_code == 200
    assert reason(provider.push(authorization=bearers[1])) == "TooManyProviderTokenUpdates"


def test_answers_come_as_arranged(apple, provider):
    apple.script(TOKEN, because("Unregistered"), Answer(status=503, retry_after="7"))
    apple.always(because("BadTopic"))
    first, second, third = (provider.push() for _ in range(3))
    assert (first.status_code, reason(first)) == (410, "Unregistered")
    assert (second.status_code, second.headers["retry-after"]) == (503, "7")
    assert reason(third) == "BadTopic"
    apple.always(None)
    assert provider.push().status_code == 200


@pytest.mark.parametrize("way", ["reset", "drop", "goaway"])
def test_what_has_no_answer_is_written_down(apple, provider, way):
    apple.script(TOKEN, Answer(way=way, taken=way != "goaway"))
    with pytest.raises(httpx2.TransportError):
        provider.push()
    (request,) = apple.requests
    assert (request.taken, request.lost) == (way != "goaway", way != "goaway")


def test_one_stream_until_the_first_push_was_taken(apple, provider):
    apple.streams = 10
    apple.script(TOKEN, Answer(status=500), TAKEN)
    apple.hold()
    with ThreadPoolExecutor(20) as threads:
        pushes = [threads.submit(provider.push) for _ in range(20)]
        time.sleep(0.1)
        assert len(apple.requests) == 1
        apple.release()
        assert sorted({push.result().status_code for push in pushes}) == [200, 500]
    assert (apple.connections, apple.faults()) == (1, [])


def test_connections_go_away_after_so_many(apple, provider):
    apple.goaway_every, unanswered = 5, 0
    for _ in range(20):
        try:
            provider.push()
        except httpx2.RemoteProtocolError:  # the one that was answered after the farewell
            unanswered += 1
    assert apple.connections == 4
    assert len(apple.requests) == 20
    assert unanswered == sum(request.late for request in apple.requests)


def test_it_may_be_away_and_come_back(apple, provider):
    assert provider.push().status_code == 200
    apple.leave()
    for _ in range(2):
        with pytest.raises(httpx2.TransportError):
            provider.push()
    apple.come_back()
    assert provider.push().status_code == 200


def test_it_may_swallow_everything(apple, provider):
    apple.freeze()
    with pytest.raises(httpx2.TimeoutException):
        provider.client.post("/", timeout=0.1)
    apple.thaw()
    assert provider.push().status_code == 200
