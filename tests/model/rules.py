"""What may happen, in any order."""

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.failpoints import POINTS, PUSH_POINTS
from tests.model.service import MOODS, Client
from tests.model.truth import USERS, Truth, topic_of
from toastkit.errors import UnknownDevice, UnknownToast

KEYS = st.sampled_from((None, None, "k1", "k2"))
COLLAPSE = st.sampled_from((None, None, "c1"))
TTL = st.sampled_from((None, None, None, 0, 1500, 4000))
SUBTOPICS = st.sampled_from(("", "", ":x", "news"))
PAUSES = st.sampled_from((0.3, 1.0, 2.5, 6.0))


class Delivery(Truth):
    """Publish, listen, read and crash."""

    # Publishing

    @rule(user=st.sampled_from(USERS), tail=SUBTOPICS, key=KEYS, collapse=COLLAPSE, ttl=TTL)
    def publish(self, user, tail, key, collapse, ttl):
        wish = self.wish(user, tail, key, collapse, ttl)
        listening, present = self.audience(wish)
        fallback = self.fallback(self.reachable(user))
        foreseen = self.model.foresee(user, key, self.clock.now())
        kit = self.service.serving
        receipt = self.act(lambda: kit.publish_toast(user, wish.title, **wish.given()))
        if receipt is None:
            self.wishes.append(wish)
        elif self.settle(wish, receipt, foreseen):
            expected = fallback
            if listening:
                expected = [("delivered", None)]
            elif present:
                expected = [("undelivered", "not_subscribed")]
            assert (receipt.status, receipt.reason) in expected, (receipt, wish)
            assert receipt.session_count == listening
        self.check()

    @rule(key=KEYS, ttl=TTL)
    def publish_to_all(self, key, ttl):
        title = f"t{next(self.numbers)}"
        wishes = [self.wish(user, "", key, None, ttl, title) for user in USERS]
        foreseen = [self.model.foresee(user, key, self.clock.now()) for user in USERS]
        given = {"dedupe_key": key, "ttl_ms": ttl}
        kit = self.service.serving
        receipts = self.act(lambda: kit.publish_toasts(USERS, title, **given))
        if receipts is None:
            self.wishes += wishes
        else:
            for each in zip(wishes, receipts, foreseen, strict=True):
                self.settle(*each)
        self.check()

    @rule(user=st.sampled_from(USERS), tail=SUBTOPICS, key=KEYS, collapse=COLLAPSE, ttl=TTL)
    def publish_elsewhere(self, user, tail, key, collapse, ttl):
        wish = self.wish(user, tail, key, collapse, ttl)
        foreseen = self.model.foresee(user, key, self.clock.now())
        kit = self.service.elsewhere
        receipt = self.act(lambda: kit.publish_toast(user, wish.title, **wish.given()), kit)
        if self.settle(wish, receipt, foreseen):
            assert (receipt.status, receipt.session_count) == ("queued", 0)
        self.check()

    @rule(
        user=st.sampled_from(USERS),
        key=KEYS,
        fates=st.lists(st.sampled_from(("plain", "kept", "undone")), min_size=1, max_size=3),
        commit=st.booleans(),
        elsewhere=st.booleans(),
    )
    def publish_joined(self, user, key, fates, commit, elsewhere):
        wishes = [
            self.wish(user, "", key if n == 0 else None, None, None) for n in range(len(fates))
        ]
        kit = self.service.elsewhere if elsewhere else self.service.serving
        pairs = list(zip(wishes, fates, strict=True))
        if commit:
            self.wishes += [wish for wish, fate in pairs if fate != "undone"]
        self.act(lambda: self.transact(kit, pairs, commit), kit)
        self.check()

    # Reading

    @rule(
        user=st.sampled_from(USERS),
        what=st.sampled_from(("read", "unread", "seen", "delete")),
        n=st.integers(0, 20),
    )
    @precondition(lambda self: self.model.rows)
    def note(self, user, what, n):
        rows = sorted(self.model.rows.values(), key=lambda row: row.title)
        row = rows[n % len(rows)]
        toasts = self.service.serving.toasts
        known = row.user == user and not row.deleted
        try:
            done = self.act(lambda: getattr(toasts, what)(user, row.id) or True)
        except UnknownToast:
            assert not known, f"{user} has {row}"
            done = False
        else:
            assert known or done is None, f"{user} may not {what} {row}"
        if done:
            row.read = what == "read" or (row.read and what != "unread")
            row.found = row.found or row.read or what == "seen"
            row.deleted = row.deleted or what == "delete"
        elif done is None:
            self.relearn()
        self.check()

    @rule(user=st.sampled_from(USERS), n=st.none() | st.integers(0, 20))
    def read_all(self, user, n):
        rows = self.model.of(user)
        up_to = rows[n % len(rows)] if rows and n is not None else None
        toasts = self.service.serving.toasts
        last = None if up_to is None else up_to.id
        if self.act(lambda: (toasts.read_all(user, up_to=last), 1)) is None:
            self.relearn()
        else:
            for row in rows:
                row.read = row.read or up_to is None or row.seq <= up_to.seq
                row.found = row.found or row.read
        self.check()

    # Clients

    @rule(user=st.sampled_from(USERS), foreground=st.booleans(), tail=SUBTOPICS)
    @precondition(lambda self: len(self.service.clients) < 4)
    def connect(self, user, foreground, tail):
        client = Client(user, len(self.service.clients), foreground=foreground)
        self.service.clients.append(client)
        self.greet(client, (topic_of(user, tail),), None)

    @rule(n=st.integers(0, 3), recover=st.sampled_from(("", "position", "id")))
    @precondition(lambda self: any(not each.here for each in self.service.clients))
    def come_back(self, n, recover):
        away = [each for each in self.service.clients if not each.here]
        client = away[n % len(away)]
        known = client.last_id if recover == "id" else client.position
        topics = client.topics or (f"user:{client.user}",)
        self.greet(client, topics, recover if recover and known else None)

    @rule(n=st.integers(0, 3))
    @precondition(lambda self: self.here())
    def drop(self, n):
        self.act_on(self.here()[n % len(self.here())], self.service.drop)

    @rule(n=st.integers(0, 3), tail=SUBTOPICS, recover=st.booleans())
    @precondition(lambda self: self.here())
    def subscribe(self, n, tail, recover):
        client = self.here()[n % len(self.here())]
        message = {"type": "subscribe", "topics": [topic_of(client.user, tail)]}
        if recover:
            message["since"] = {"seq": client.position.seq, "epoch": client.position.epoch}
        self.steps += 1
        self.service.say(client, **message)
        self.check()

    @rule(n=st.integers(0, 3), tail=SUBTOPICS)
    @precondition(lambda self: self.here())
    def unsubscribe(self, n, tail):
        client = self.here()[n % len(self.here())]
        topic = topic_of(client.user, tail)
        self.steps += 1
        self.service.say(client, type="unsubscribe", topics=[topic])
        self.check()
        client.whole.pop(topic, None)

    @rule(n=st.integers(0, 3), foreground=st.booleans())
    @precondition(lambda self: self.here())
    def turn(self, n, foreground):
        client = self.here()[n % len(self.here())]
        client.foreground = foreground
        for id in client.shown if foreground else ():
            self.model.rows[id].faced = True
        state = "foreground" if foreground else "background"
        self.service.say(client, type="state", state=state)
        self.check()

    @rule(n=st.integers(0, 3), many=st.integers(1, 5))
    @precondition(lambda self: self.here())
    def ack(self, n, many):
        client = self.here()[n % len(self.here())]
        rows = [self.model.rows[id] for id in list(client.shown)[-many:]]
        for row in rows:
            row.acked = True
        self.service.say(client, type="ack", ids=[row.id for row in rows])
        for row in rows if not self.service.crashed else ():
            row.noted = True
        self.check()

    # Phones

    @rule(user=st.sampled_from(USERS), n=st.integers(0, 1))
    def register(self, user, n):
        devices = self.service.serving.devices
        token = {"token": f"{n:064x}"}
        self.act(lambda: devices.register(user, f"phone{n}", None, token))
        self.check()

    @rule(user=st.sampled_from(USERS), n=st.integers(0, 1))
    def remove(self, user, n):
        devices = self.service.serving.devices
        with suppress(UnknownDevice):
            self.act(lambda: devices.remove(user, f"phone{n}"))
        self.check()

    @rule(mood=st.sampled_from(tuple(MOODS)))
    def push_service(self, mood):
        self.phones.mood = mood

    # What happens anyway

    @rule(seconds=PAUSES)
    def wait(self, seconds):
        while seconds > 0:
            self.service.pass_time(min(0.5, seconds))
            seconds -= 0.5
            self.listen()
        self.check()

    @rule(point=st.sampled_from(POINTS + PUSH_POINTS), hits=st.integers(1, 3))
    def arm(self, point, hits):
        self.service.arm(point, hits)

    @rule()
    def crash(self):
        self.service.crash()
        self.check()
