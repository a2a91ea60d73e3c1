"""Post pushes to Apple's push service, or to one that speaks like it."""

from __future__ import annotations

import logging
import threading

from ...clock import Clock, SystemClock
from ...deliveries import Delivery, Gone, Later, Outcome, Refusal, Sent
from ...errors import ConfigError
from ...records import Device, Environment
from .answers import EXPIRED, LEAVING, Answer, is_fault, outcome
from .faults import AnswerLost, NotTaken, Refused, Unanswered, Untrusted
from .request import PushRequest, device_of, push_request
from .settings import ApnsSettings
from .token import ProviderToken

ROOM = 64
ANSWER_SECONDS = 10.0
PATIENCE = 3
"""How many connections may end on a push without an answer to anybody, or refuse it."""

TOLD_SECONDS = 3600.0
"""Time after which a fault that goes on is told again."""

MOST_TOLD = 100

_KEY = "are apns_team_id and apns_key_id those of apns_key_file, and is that key still valid?"
_APP = "is that an app of this team which may get pushes, and may this key post them?"
REMEDIES = {
    "InvalidProviderToken": _KEY,
    "MissingProviderToken": _KEY,
    "UnrelatedKeyIdInToken": _KEY,
    "BadEnvironmentKeyIdInToken": "the key is of the other environment only",
    "Forbidden": _KEY,
    "ExpiredProviderToken": "does the clock of this machine go right?",
    "TooManyProviderTokenUpdates": "do the clocks of all who have this key go right, and does "
    "anybody else post pushes with it?",
    "BadTopic": _APP,
    "MissingTopic": _APP,
    "TopicDisallowed": _APP,
}

log = logging.getLogger(__name__)


class ApnsSender:
    """Post pushes over one connection per process and host, signed with the team's token.

    May be called from any number of threads or greenlets at once. An attempt whose answer is lost
    is repeated once, at once, as the same push: it replaces the first if both were taken.
    ``seconds`` is the longest time for one answer, and for a connection.

    Raises:
        ConfigError: ``toastkit[apns]`` is not installed.
    """

    kind = "apns"
    room = ROOM

    def __init__(
        self, settings: ApnsSettings, clock: Clock | None = None, seconds: float = ANSWER_SECONDS
    ) -> None:
        try:
            from .lines import Lines
        except ImportError as error:
            raise ConfigError(
                f"pushes need the package {error.name}: pip install 'toastkit[apns]'"
            ) from None
        # What hpack tells at DEBUG holds every header: our credential, and the tokens of phones.
        if not (headers := logging.getLogger("hpack")).level:
            headers.setLevel(logging.INFO)
        self._settings = settings
        self._clock = clock or SystemClock()
        self._token = ProviderToken(settings, self._clock)
        self._lines = Lines(settings.trust(), seconds)
        self._lock = threading.Lock()
        self._told: dict[str, float] = {}

    def post(self, delivery: Delivery) -> Outcome:
        """Make one attempt."""
        device = device_of(delivery)
        if isinstance(device, Refusal):
            return device
        said = self._post(delivery, device, device.environment)
        if not (isinstance(said, Refusal) and said.suspect):
            return said
        # Whoever builds an app registers tokens of the sandbox as if they were of production.
        other: Environment = "sandbox" if device.environment == "production" else "production"
        if self._settings.host_of(other) == self._settings.host_of(device.environment):
            return said
        answer = self._post(delivery, device, other)
        if isinstance(answer, Sent):
            return Sent(answer.answer, other)
        return answer if isinstance(answer, Gone | Later) else said

    def close(self) -> None:
        """Give the connections back."""
        self._lines.close()

    def _post(self, delivery: Delivery, device: Device, environment: Environment) -> Outcome:
        host = self._settings.host_of(environment)
        # The phone of one who builds an app, whose host cannot be reached, stops nobody else's.
        main = host == self._settings.host
        request = push_request(delivery, device, host)
        token = self._token.current()
        try:
            answer = self._ask(request, token)
            if answer.reason == EXPIRED:
                answer = self._ask(request, self._token.renew(token))
        except Unanswered as error:
            if isinstance(error, Untrusted):
                self._tell(f"{error}; if that is as it should be, name who vouches: apns_ca_file")
            return Later(f"no answer: {error}", away=error.away and main)
        if is_fault(answer):
            remedy = REMEDIES.get(answer.reason, "this version of toastkit may be too old")
            self._tell(f"{host} answers {answer} to a push for {device.bundle_id}: {remedy}")
        made = outcome(answer)
        if isinstance(made, Later) and made.away and not main:
            return Later(made.answer, made.seconds)
        return made

    def _ask(self, request: PushRequest, token: str) -> Answer:
        """Post a request until it has an answer, on a fresh connection where that is needed.

        Raises:
            Unanswered: it has none.
        """
        headers = (("authorization", f"bearer {token}"), *request.headers)
        lost, barren = False, 0
        while True:
            line = self._lines.line(request.host)
            try:
                answer = line.ask(request.path, headers, request.body)
            except NotTaken as error:
                # One that answers some and then ends is followed by the next, however often. One
                # that goes on, and looks at nothing, would be asked for ever.
                barren += not line.answers or isinstance(error, Refused)
                if barren > PATIENCE:
                    raise
            except AnswerLost:
                if lost:
                    raise
                lost = True
            else:
                if answer.reason not in LEAVING:
                    return answer
                line.retire()
                barren += 1
                if barren > PATIENCE:
                    return answer

    def _tell(self, fault: str) -> None:
        """Tell an operator of what only they can mend; of the same, once an hour."""
        now = self._clock.monotonic()
        with self._lock:
            told = self._told.get(fault)
            if told is not None and now - told < TOLD_SECONDS:
                return
            if len(self._told) >= MOST_TOLD:
                self._told.clear()
            self._told[fault] = now
        log.error("%s", fault)
