-- A database of revision 0005, at 1767225605000. Never changed: see __main__.py
CREATE TABLE toastkit_alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT toastkit_alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE toastkit_anonymous (
    device_hash TEXT NOT NULL, 
    anon_uuid TEXT NOT NULL, 
    created_at BIGINT NOT NULL, 
    rebound_to TEXT, 
    rebound_at BIGINT, 
    app_id TEXT, 
    PRIMARY KEY (device_hash)
)
 WITHOUT ROWID;

CREATE UNIQUE INDEX toastkit_anonymous_uuid ON toastkit_anonymous (anon_uuid);

CREATE TABLE toastkit_dedupe (
    user_id TEXT NOT NULL, 
    "key" TEXT NOT NULL, 
    toast_id TEXT NOT NULL, 
    until BIGINT NOT NULL, 
    app_id TEXT, 
    PRIMARY KEY (user_id, "key")
)
 WITHOUT ROWID;

CREATE TABLE toastkit_deliveries (
    id TEXT NOT NULL, 
    kind TEXT NOT NULL, 
    target TEXT NOT NULL, 
    toast_id TEXT, 
    user_id TEXT, 
    payload TEXT NOT NULL, 
    state TEXT NOT NULL, 
    attempts INTEGER NOT NULL, 
    next_attempt_at BIGINT, 
    lease_until BIGINT, 
    expires_at BIGINT, 
    last_answer TEXT, 
    app_id TEXT, 
    PRIMARY KEY (id)
);

CREATE INDEX toastkit_deliveries_due ON toastkit_deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE INDEX toastkit_deliveries_toast ON toastkit_deliveries (toast_id) WHERE toast_id IS NOT NULL;

CREATE INDEX toastkit_deliveries_user ON toastkit_deliveries (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE toastkit_devices (
    user_id TEXT NOT NULL, 
    device_id TEXT NOT NULL, 
    bundle_id TEXT NOT NULL, 
    push_token TEXT, 
    environment TEXT NOT NULL, 
    registered_at BIGINT NOT NULL, 
    app_id TEXT, 
    PRIMARY KEY (user_id, device_id)
)
 WITHOUT ROWID;

CREATE UNIQUE INDEX toastkit_devices_device ON toastkit_devices (device_id);

CREATE UNIQUE INDEX toastkit_devices_push_token ON toastkit_devices (push_token);

CREATE TABLE toastkit_principals (
    user_id TEXT NOT NULL, 
    seq BIGINT NOT NULL, 
    epoch TEXT NOT NULL, 
    app_id TEXT, 
    PRIMARY KEY (user_id)
)
 WITHOUT ROWID;

CREATE TABLE toastkit_sessions (
    token_hash TEXT NOT NULL, 
    user_id TEXT NOT NULL, 
    kind TEXT NOT NULL, 
    created_at BIGINT NOT NULL, 
    expires_at BIGINT NOT NULL, 
    revoked_at BIGINT, 
    app_id TEXT, 
    PRIMARY KEY (token_hash)
)
 WITHOUT ROWID;

CREATE INDEX toastkit_sessions_expiry ON toastkit_sessions (expires_at);

CREATE INDEX toastkit_sessions_user ON toastkit_sessions (user_id);

CREATE TABLE toastkit_tickets (
    token_hash TEXT NOT NULL, 
    user_id TEXT NOT NULL, 
    device_id TEXT NOT NULL, 
    topics TEXT NOT NULL, 
    session_hash TEXT, 
    expires_at BIGINT NOT NULL, 
    app_id TEXT, 
    PRIMARY KEY (token_hash)
)
 WITHOUT ROWID;

CREATE INDEX toastkit_tickets_expiry ON toastkit_tickets (expires_at);

CREATE INDEX toastkit_tickets_user ON toastkit_tickets (user_id);

CREATE TABLE toastkit_toasts (
    id TEXT NOT NULL, 
    user_id TEXT NOT NULL, 
    seq BIGINT NOT NULL, 
    topic TEXT NOT NULL, 
    title TEXT NOT NULL, 
    body TEXT, 
    style TEXT NOT NULL, 
    priority TEXT NOT NULL, 
    deeplink TEXT, 
    data TEXT, 
    dedupe_key TEXT, 
    collapse_key TEXT, 
    created_at BIGINT NOT NULL, 
    expires_at BIGINT, 
    state TEXT NOT NULL, 
    due_at BIGINT, 
    lease_until BIGINT, 
    fallback BOOLEAN NOT NULL, 
    transport TEXT, 
    delivered_at BIGINT, 
    seen_at BIGINT, 
    read_at BIGINT, 
    deleted_at BIGINT, 
    replaced_by TEXT, 
    app_id TEXT, 
    PRIMARY KEY (id)
)
 WITHOUT ROWID;

CREATE UNIQUE INDEX toastkit_toasts_position ON toastkit_toasts (user_id, seq);

CREATE INDEX toastkit_toasts_collapse ON toastkit_toasts (user_id, collapse_key, seq) WHERE collapse_key IS NOT NULL AND replaced_by IS NULL;

CREATE INDEX toastkit_toasts_due ON toastkit_toasts (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX toastkit_toasts_expiry ON toastkit_toasts (expires_at) WHERE expires_at IS NOT NULL;

INSERT INTO toastkit_alembic_version (version_num) VALUES ('0001') RETURNING version_num;

-- Running upgrade 0001 -> 0002

ALTER TABLE toastkit_toasts ADD COLUMN acked_at BIGINT;

ALTER TABLE toastkit_toasts ADD COLUMN reason TEXT;

ALTER TABLE toastkit_toasts ADD COLUMN session_count INTEGER;

CREATE TABLE toastkit_outbox (
    number INTEGER NOT NULL, 
    id TEXT NOT NULL, 
    user_id TEXT NOT NULL, 
    event TEXT NOT NULL, 
    created_at BIGINT NOT NULL, 
    app_id TEXT, 
    PRIMARY KEY (number)
);

CREATE UNIQUE INDEX toastkit_outbox_id ON toastkit_outbox (id);

CREATE INDEX toastkit_outbox_user ON toastkit_outbox (user_id);

DROP INDEX toastkit_toasts_due;

CREATE INDEX toastkit_toasts_due ON toastkit_toasts (state, due_at) WHERE due_at IS NOT NULL;

UPDATE toastkit_alembic_version SET version_num='0002' WHERE toastkit_alembic_version.version_num = '0001';

-- Running upgrade 0002 -> 0003

ALTER TABLE toastkit_anonymous ADD COLUMN secret_hash TEXT;

CREATE INDEX toastkit_sessions_revoked ON toastkit_sessions (revoked_at) WHERE revoked_at IS NOT NULL;

DROP INDEX toastkit_deliveries_due;

CREATE INDEX toastkit_deliveries_due ON toastkit_deliveries (kind, next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE INDEX toastkit_deliveries_expiry ON toastkit_deliveries (expires_at) WHERE next_attempt_at IS NOT NULL;

UPDATE toastkit_alembic_version SET version_num='0003' WHERE toastkit_alembic_version.version_num = '0002';

-- Running upgrade 0003 -> 0004

ALTER TABLE toastkit_deliveries ADD COLUMN seq BIGINT;

ALTER TABLE toastkit_deliveries ADD COLUMN despite_ack BOOLEAN;

ALTER TABLE toastkit_devices ADD COLUMN taken_at BIGINT;

ALTER TABLE toastkit_devices ADD COLUMN refused INTEGER DEFAULT '0' NOT NULL;

ALTER TABLE toastkit_devices ADD COLUMN refused_at BIGINT;

CREATE INDEX toastkit_devices_taken ON toastkit_devices (bundle_id, environment, taken_at) WHERE taken_at IS NOT NULL;

UPDATE toastkit_alembic_version SET version_num='0004' WHERE toastkit_alembic_version.version_num = '0003';

-- Running upgrade 0004 -> 0005

CREATE INDEX toastkit_dedupe_until ON toastkit_dedupe (until);

CREATE INDEX toastkit_anonymous_rebound ON toastkit_anonymous (rebound_to) WHERE rebound_to IS NOT NULL;

UPDATE toastkit_alembic_version SET version_num='0005' WHERE toastkit_alembic_version.version_num = '0004';

INSERT INTO toastkit_anonymous (device_hash, anon_uuid, created_at, rebound_to, rebound_at, app_id, secret_hash) VALUES ('5f14f9e6d80f802a65269804f2552ef9889f2c7ccec5067214e58a1e48e0b3ff', 'db6c4176-9b7e-4d04-8109-1a890876dc05', 1767225604000, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_anonymous (device_hash, anon_uuid, created_at, rebound_to, rebound_at, app_id, secret_hash) VALUES ('85d49bf65aa433919389d84f6a0eba1aa98c5a6355d894e4f5420b8794c2f98e', 'e7ed43ca-2e8b-47ea-aebb-1c43648e58d4', 1767225604000, 'erin', 1767225604000, NULL, NULL);
INSERT INTO toastkit_dedupe (user_id, "key", toast_id, until, app_id) VALUES ('ada', 'key-Acked', '01KDVDNBYG5CPFSPBNPMEFEXG0', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, "key", toast_id, until, app_id) VALUES ('ada', 'key-Deleted', '01KDVDNBYG5CPFSPBNPMEFEXG3', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, "key", toast_id, until, app_id) VALUES ('ada', 'key-Read', '01KDVDNBYG5CPFSPBNPMEFEXG2', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, "key", toast_id, until, app_id) VALUES ('ada', 'key-Seen', '01KDVDNBYG5CPFSPBNPMEFEXG1', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, "key", toast_id, until, app_id) VALUES ('ada', 'key-Shown', '01KDVDNBYG5CPFSPBNPMEFEXFZ', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, "key", toast_id, until, app_id) VALUES ('ada', 'late', '01KDVDNEW8X810X90NBRKCBK78', 1767225905000, NULL);
INSERT INTO toastkit_dedupe (user_id, "key", toast_id, until, app_id) VALUES ('cleo', 'refused', '01KDVDNBYG5CPFSPBNPMEFEXGF', -1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, "key", toast_id, until, app_id) VALUES ('nobody', 'released', '01KDVDNBYG5CPFSPBNPMEFEXGB', -1767225902000, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGE', 'apns', 'phone-of-bob', '01KDVDNBYG5CPFSPBNPMEFEXGD', 'bob', '{"toast":{"id":"01KDVDNBYG5CPFSPBNPMEFEXGD","topic":"user:bob","title":"Pushed","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":null}}', 'sent', 1, NULL, NULL, 1767229202000, 'taken', NULL, 1, 0);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGG', 'apns', 'phone-of-cleo', '01KDVDNBYG5CPFSPBNPMEFEXGF', 'cleo', '{"toast":{"id":"01KDVDNBYG5CPFSPBNPMEFEXGF","topic":"user:cleo","title":"Refused","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":null}}', 'failed', 1, NULL, NULL, 1767229202000, 'BadDeviceToken', NULL, 1, 0);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGJ', 'apns', 'phone-of-dora', '01KDVDNBYG5CPFSPBNPMEFEXGH', 'dora', '{"toast":{"id":"01KDVDNBYG5CPFSPBNPMEFEXGH","topic":"user:dora","title":"Dropped","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":null}}', 'dropped', 0, NULL, NULL, 1767229202000, 'read', NULL, 1, 0);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGN', 'apns', 'phone-of-bob', '01KDVDNBYG5CPFSPBNPMEFEXGM', 'bob', '{"toast":{"id":"01KDVDNBYG5CPFSPBNPMEFEXGM","topic":"user:bob","title":"Superseded","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":"bob"}}', 'dropped', 0, NULL, NULL, 1767229202000, 'replaced', NULL, 2, 0);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGQ', 'mail', '', NULL, 'bob', '{"subject":"Expired"}', 'expired', 0, NULL, NULL, 1767225603000, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNDX0DT3TESTYRDMPCJK4', 'apns', 'phone-of-bob', '01KDVDNDX0DT3TESTYRDMPCJK3', 'bob', '{"toast":{"id":"01KDVDNDX0DT3TESTYRDMPCJK3","topic":"user:bob","title":"Owed and tried","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225604000,"expires_at":null,"collapse_key":null}}', 'waiting', 1, 1767225665772, NULL, 1767229204000, 'busy', NULL, 4, 0);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNDX0DT3TESTYRDMPCJK6', 'apns', 'phone-of-bob', '01KDVDNDX0DT3TESTYRDMPCJK5', 'bob', '{"toast":{"id":"01KDVDNDX0DT3TESTYRDMPCJK5","topic":"user:bob","title":"Owed","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225604000,"expires_at":null,"collapse_key":null}}', 'waiting', 0, 1767225604000, NULL, 1767229204000, NULL, NULL, 5, 0);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNDX0DT3TESTYRDMPCJK7', 'mail', '', NULL, 'bob', '{"subject":"Held"}', 'waiting', 1, 1767225605000, 1767225605000, 1767484804000, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNDX0DT3TESTYRDMPCJK8', 'mail', 'bob@example.com', NULL, NULL, '{"subject":"Waiting"}', 'waiting', 0, 1767225604000, NULL, 1767484804000, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id, taken_at, refused, refused_at) VALUES ('ada', 'tablet-of-ada', 'com.example.app', NULL, 'production', 1767225602000, NULL, NULL, 0, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id, taken_at, refused, refused_at) VALUES ('bob', 'phone-of-bob', 'com.bairisland.manticscore', '1111111111111111111111111111111111111111111111111111111111111111', 'production', 1767225602000, NULL, 1767225602000, 0, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id, taken_at, refused, refused_at) VALUES ('cleo', 'phone-of-cleo', 'com.bairisland.manticscore', '2222222222222222222222222222222222222222222222222222222222222222', 'production', 1767225602000, NULL, NULL, 1, 1767225602000);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id, taken_at, refused, refused_at) VALUES ('dora', 'phone-of-dora', 'com.bairisland.manticscore', '3333333333333333333333333333333333333333333333333333333333333333', 'production', 1767225602000, NULL, NULL, 0, NULL);
INSERT INTO toastkit_outbox (number, id, user_id, event, created_at, app_id) VALUES (1, '01KDVDNEW8X810X90NBRKCBK77', 'ada', '{"kind":"toast","id":"01KDVDNEW8X810X90NBRKCBK77","route":"user:ada","name":"toast","data":{"title":"Committed","body":null,"style":"info","priority":"normal","deeplink":null,"data":null},"created_at":1767225605000,"topic":"user:ada","user_id":"ada","expires_at":null,"dedupe_key":null,"dedupe_ms":300000,"collapse_key":null,"fallback":true,"exclude":null,"seq":null,"epoch":null,"replayed":false}', 1767225605000, NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('ada', 11, '5f7fc9be', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('anon:db6c4176-9b7e-4d04-8109-1a890876dc05', 1, '62e0c9fe', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('bob', 5, '8a07ae01', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('cleo', 1, '4fda0129', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('dora', 1, 'bffac833', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('erin', 1, '85486af9', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('nobody', 2, 'ee73dc73', NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('0a0930ff3d145ace05e40005b784267a5ac66b9848f762ae5918a20b2bb438fb', 'bob', 'user', 1767225604000, 1767227404000, NULL, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('2fe97e01026f1c5bb5539f78b04297dffbd12702391508e9880444d3d629beca', 'ada', 'user', 1767225604000, 1767227404000, 1767225604000, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('762a6f7d859d9117bb202a7c704d5fba71223f443dcd973259f5c921bbba704f', 'ada', 'user', 1767225604000, 1767227404000, NULL, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('9bbf60d5a28fe25c2070d37052337c507c08c9acdcc8ba4f9a0d4e18f869261f', 'anon:e7ed43ca-2e8b-47ea-aebb-1c43648e58d4', 'anonymous', 1767225604000, 1767227404000, 1767225604000, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('c69535b251835a01ea847195c11b7d9f5fa6bd6f236e64581f091f72934269eb', 'anon:db6c4176-9b7e-4d04-8109-1a890876dc05', 'anonymous', 1767225604000, 1767227404000, NULL, NULL);
INSERT INTO toastkit_tickets (token_hash, user_id, device_id, topics, session_hash, expires_at, app_id) VALUES ('6bc53aa2483ea9e0ff44d6f1324b2f939509e1f2489e0b6e601265e3010c673f', 'ada', 'default', '["user:ada"]', '2fe97e01026f1c5bb5539f78b04297dffbd12702391508e9880444d3d629beca', 1767226504000, NULL);
INSERT INTO toastkit_tickets (token_hash, user_id, device_id, topics, session_hash, expires_at, app_id) VALUES ('ca4b57ac7aa8f13596c14a35c349742654ab4413b6b34117b8dde009a3a9cd62', 'ada', 'tablet-of-ada', '["user:ada"]', NULL, 1767226504000, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNA00ECHRKDNNS86MCK19', 'ada', 1, 'user:ada', 'Expired', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225600000, 1767225601000, 'expired', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'expired', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXFZ', 'ada', 2, 'user:ada', 'Shown', NULL, 'info', 'normal', NULL, NULL, 'key-Shown', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, 1, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXG0', 'ada', 3, 'user:ada', 'Acked', NULL, 'info', 'normal', NULL, NULL, 'key-Acked', NULL, 1767225602000, NULL, 'acked', NULL, NULL, 1, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL, 1767225602000, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXG1', 'ada', 4, 'user:ada', 'Seen', NULL, 'info', 'normal', NULL, NULL, 'key-Seen', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, 1, 'websocket', 1767225602000, 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXG2', 'ada', 5, 'user:ada', 'Read', NULL, 'info', 'normal', NULL, NULL, 'key-Read', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, 1, 'websocket', 1767225602000, 1767225602000, 1767225602000, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXG3', 'ada', 6, 'user:ada', 'Deleted', NULL, 'info', 'normal', NULL, NULL, 'key-Deleted', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, 1, 'websocket', 1767225602000, NULL, NULL, 1767225602000, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXG4', 'ada', 7, 'project:7:ada', 'Replaced', NULL, 'info', 'normal', NULL, NULL, NULL, 'build', 1767225602000, NULL, 'undelivered', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'not_subscribed', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXG5', 'ada', 8, 'user:ada', 'Replaced', NULL, 'info', 'normal', NULL, NULL, NULL, 'order', 1767225602000, NULL, 'written', 1767225607000, NULL, 1, 'websocket', 1767225602000, NULL, NULL, NULL, '01KDVDNBYG5CPFSPBNPMEFEXG7', NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXG6', 'ada', 9, 'project:7:ada', 'Newer', NULL, 'info', 'normal', NULL, NULL, NULL, 'build', 1767225602000, NULL, 'undelivered', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'not_subscribed', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXG7', 'ada', 10, 'user:ada', 'Newer', NULL, 'info', 'normal', NULL, NULL, NULL, 'order', 1767225602000, NULL, 'written', 1767225607000, NULL, 1, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGB', 'nobody', 1, 'user:nobody', 'No device', NULL, 'info', 'normal', NULL, NULL, 'released', NULL, 1767225602000, NULL, 'undelivered', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'no_device', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGC', 'nobody', 2, 'user:nobody', 'No push', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225602000, NULL, 'undelivered', NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'fallback_disabled', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGD', 'bob', 1, 'user:bob', 'Pushed', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225602000, NULL, 'sent', NULL, NULL, 1, 'apns', 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGF', 'cleo', 1, 'user:cleo', 'Refused', NULL, 'info', 'normal', NULL, NULL, 'refused', NULL, 1767225602000, NULL, 'failed', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'provider_error', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGH', 'dora', 1, 'user:dora', 'Dropped', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225602000, NULL, 'acked', NULL, NULL, 1, NULL, 1767225602000, 1767225602000, 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGM', 'bob', 2, 'user:bob', 'Superseded', NULL, 'info', 'normal', NULL, NULL, NULL, 'bob', 1767225602000, NULL, 'superseded', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, '01KDVDNBYG5CPFSPBNPMEFEXGP', NULL, NULL, 'superseded', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYG5CPFSPBNPMEFEXGP', 'bob', 3, 'user:bob', 'In its place', NULL, 'info', 'normal', NULL, NULL, NULL, 'bob', 1767225602000, NULL, 'written', 1767225607000, NULL, 1, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNDX0DT3TESTYRDMPCJK3', 'bob', 4, 'user:bob', 'Owed and tried', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'owed', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNDX0DT3TESTYRDMPCJK5', 'bob', 5, 'user:bob', 'Owed', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'owed', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNDX0DT3TESTYRDMPCJK9', 'anon:db6c4176-9b7e-4d04-8109-1a890876dc05', 1, 'user:anon:db6c4176-9b7e-4d04-8109-1a890876dc05', 'For a visitor', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'undelivered', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'no_device', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNDX0DT3TESTYRDMPCJKA', 'erin', 1, 'user:erin', 'Before she signed in', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'undelivered', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'no_device', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNEW8X810X90NBRKCBK78', 'ada', 11, 'user:ada', 'Everything', 'It''s "ä": 100%', 'warning', 'high', '/orders/1', '{"n":[1,null]}', 'late', NULL, 1767225605000, NULL, 'accepted', 1767225605000, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
