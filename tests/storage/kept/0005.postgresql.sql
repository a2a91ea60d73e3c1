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
);

CREATE UNIQUE INDEX toastkit_anonymous_uuid ON toastkit_anonymous (anon_uuid);

CREATE TABLE toastkit_dedupe (
    user_id TEXT NOT NULL, 
    key TEXT NOT NULL, 
    toast_id TEXT NOT NULL, 
    until BIGINT NOT NULL, 
    app_id TEXT, 
    PRIMARY KEY (user_id, key)
);

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
);

CREATE UNIQUE INDEX toastkit_devices_device ON toastkit_devices (device_id);

CREATE UNIQUE INDEX toastkit_devices_push_token ON toastkit_devices (push_token);

CREATE TABLE toastkit_principals (
    user_id TEXT NOT NULL, 
    seq BIGINT NOT NULL, 
    epoch TEXT NOT NULL, 
    app_id TEXT, 
    PRIMARY KEY (user_id)
);

CREATE TABLE toastkit_sessions (
    token_hash TEXT NOT NULL, 
    user_id TEXT NOT NULL, 
    kind TEXT NOT NULL, 
    created_at BIGINT NOT NULL, 
    expires_at BIGINT NOT NULL, 
    revoked_at BIGINT, 
    app_id TEXT, 
    PRIMARY KEY (token_hash)
);

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
);

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
);

CREATE UNIQUE INDEX toastkit_toasts_position ON toastkit_toasts (user_id, seq);

CREATE INDEX toastkit_toasts_collapse ON toastkit_toasts (user_id, collapse_key, seq) WHERE collapse_key IS NOT NULL AND replaced_by IS NULL;

CREATE INDEX toastkit_toasts_due ON toastkit_toasts (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX toastkit_toasts_expiry ON toastkit_toasts (expires_at) WHERE expires_at IS NOT NULL;

INSERT INTO toastkit_alembic_version (version_num) VALUES ('0001') RETURNING toastkit_alembic_version.version_num;

-- Running upgrade 0001 -> 0002

ALTER TABLE toastkit_toasts ADD COLUMN acked_at BIGINT;

ALTER TABLE toastkit_toasts ADD COLUMN reason TEXT;

ALTER TABLE toastkit_toasts ADD COLUMN session_count INTEGER;

CREATE TABLE toastkit_outbox (
    number BIGSERIAL NOT NULL, 
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

INSERT INTO toastkit_anonymous (device_hash, anon_uuid, created_at, rebound_to, rebound_at, app_id, secret_hash) VALUES ('5f14f9e6d80f802a65269804f2552ef9889f2c7ccec5067214e58a1e48e0b3ff', 'a820b5f9-3e01-4cce-a6c7-2c3726f19389', 1767225604000, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_anonymous (device_hash, anon_uuid, created_at, rebound_to, rebound_at, app_id, secret_hash) VALUES ('85d49bf65aa433919389d84f6a0eba1aa98c5a6355d894e4f5420b8794c2f98e', 'e43b20af-339f-4645-a49f-a9e8792367b0', 1767225604000, 'erin', 1767225604000, NULL, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Acked', '01KDVDNBYGZCMRSDDK07YSBG8G', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Deleted', '01KDVDNBYGZCMRSDDK07YSBG8K', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Read', '01KDVDNBYGZCMRSDDK07YSBG8J', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Seen', '01KDVDNBYGZCMRSDDK07YSBG8H', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Shown', '01KDVDNBYGZCMRSDDK07YSBG8F', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'late', '01KDVDNEW804RHA00PCK7RF4ZZ', 1767225905000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('cleo', 'refused', '01KDVDNBYGZCMRSDDK07YSBG8Z', -1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('nobody', 'released', '01KDVDNBYGZCMRSDDK07YSBG8V', -1767225902000, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8Y', 'apns', 'phone-of-bob', '01KDVDNBYGZCMRSDDK07YSBG8X', 'bob', '{"toast":{"id":"01KDVDNBYGZCMRSDDK07YSBG8X","topic":"user:bob","title":"Pushed","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":null}}', 'sent', 1, NULL, NULL, 1767229202000, 'taken', NULL, 1, false);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYGZCMRSDDK07YSBG90', 'apns', 'phone-of-cleo', '01KDVDNBYGZCMRSDDK07YSBG8Z', 'cleo', '{"toast":{"id":"01KDVDNBYGZCMRSDDK07YSBG8Z","topic":"user:cleo","title":"Refused","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":null}}', 'failed', 1, NULL, NULL, 1767229202000, 'BadDeviceToken', NULL, 1, false);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYGZCMRSDDK07YSBG92', 'apns', 'phone-of-dora', '01KDVDNBYGZCMRSDDK07YSBG91', 'dora', '{"toast":{"id":"01KDVDNBYGZCMRSDDK07YSBG91","topic":"user:dora","title":"Dropped","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":null}}', 'dropped', 0, NULL, NULL, 1767229202000, 'read', NULL, 1, false);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYGZCMRSDDK07YSBG95', 'apns', 'phone-of-bob', '01KDVDNBYGZCMRSDDK07YSBG94', 'bob', '{"toast":{"id":"01KDVDNBYGZCMRSDDK07YSBG94","topic":"user:bob","title":"Superseded","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":"bob"}}', 'dropped', 0, NULL, NULL, 1767229202000, 'replaced', NULL, 2, false);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNBYGZCMRSDDK07YSBG97', 'mail', '', NULL, 'bob', '{"subject":"Expired"}', 'expired', 0, NULL, NULL, 1767225603000, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNDX0YT9MS3T7BKKHS2K8', 'apns', 'phone-of-bob', '01KDVDNDX0YT9MS3T7BKKHS2K7', 'bob', '{"toast":{"id":"01KDVDNDX0YT9MS3T7BKKHS2K7","topic":"user:bob","title":"Owed and tried","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225604000,"expires_at":null,"collapse_key":null}}', 'waiting', 1, 1767225667263, NULL, 1767229204000, 'busy', NULL, 4, false);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNDX0YT9MS3T7BKKHS2KA', 'apns', 'phone-of-bob', '01KDVDNDX0YT9MS3T7BKKHS2K9', 'bob', '{"toast":{"id":"01KDVDNDX0YT9MS3T7BKKHS2K9","topic":"user:bob","title":"Owed","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225604000,"expires_at":null,"collapse_key":null}}', 'waiting', 0, 1767225604000, NULL, 1767229204000, NULL, NULL, 5, false);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNDX0YT9MS3T7BKKHS2KB', 'mail', '', NULL, 'bob', '{"subject":"Held"}', 'waiting', 1, 1767225605000, 1767225605000, 1767484804000, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id, seq, despite_ack) VALUES ('01KDVDNDX0YT9MS3T7BKKHS2KC', 'mail', 'bob@example.com', NULL, NULL, '{"subject":"Waiting"}', 'waiting', 0, 1767225604000, NULL, 1767484804000, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id, taken_at, refused, refused_at) VALUES ('ada', 'tablet-of-ada', 'com.example.app', NULL, 'production', 1767225602000, NULL, NULL, 0, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id, taken_at, refused, refused_at) VALUES ('bob', 'phone-of-bob', 'com.bairisland.manticscore', '1111111111111111111111111111111111111111111111111111111111111111', 'production', 1767225602000, NULL, 1767225602000, 0, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id, taken_at, refused, refused_at) VALUES ('cleo', 'phone-of-cleo', 'com.bairisland.manticscore', '2222222222222222222222222222222222222222222222222222222222222222', 'production', 1767225602000, NULL, NULL, 1, 1767225602000);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id, taken_at, refused, refused_at) VALUES ('dora', 'phone-of-dora', 'com.bairisland.manticscore', '3333333333333333333333333333333333333333333333333333333333333333', 'production', 1767225602000, NULL, NULL, 0, NULL);
INSERT INTO toastkit_outbox (number, id, user_id, event, created_at, app_id) VALUES (1, '01KDVDNEW804RHA00PCK7RF4ZY', 'ada', '{"kind":"toast","id":"01KDVDNEW804RHA00PCK7RF4ZY","route":"user:ada","name":"toast","data":{"title":"Committed","body":null,"style":"info","priority":"normal","deeplink":null,"data":null},"created_at":1767225605000,"topic":"user:ada","user_id":"ada","expires_at":null,"dedupe_key":null,"dedupe_ms":300000,"collapse_key":null,"fallback":true,"exclude":null,"seq":null,"epoch":null,"replayed":false}', 1767225605000, NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('ada', 11, '31393757', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('anon:a820b5f9-3e01-4cce-a6c7-2c3726f19389', 1, 'ef7c3878', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('bob', 5, '0b40d1a5', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('cleo', 1, '31c43eea', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('dora', 1, 'a09aace5', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('erin', 1, '5c1d0429', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('nobody', 2, 'bc1c0789', NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('099166f4251cd9127e44ace7c2de3a8487bf41608180e46add8483da1e03453b', 'anon:a820b5f9-3e01-4cce-a6c7-2c3726f19389', 'anonymous', 1767225604000, 1767227404000, NULL, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('14e5767a679964e5ddc29093246ac5d29880100042246f17e88efb20456116b7', 'ada', 'user', 1767225604000, 1767227404000, 1767225604000, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('27433b1736ddf59d10c3b60f7f02349904a18a7695aaa37a3a5366e0185df363', 'bob', 'user', 1767225604000, 1767227404000, NULL, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('78052f52080649000a7e75ecce37f6161ce63eeba4452bdad6ce24dcde949bb0', 'ada', 'user', 1767225604000, 1767227404000, NULL, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('c5e7d3579aa30a302e451a9b9e23e52cb7fc0f00dad6ad788637aa6740246412', 'anon:e43b20af-339f-4645-a49f-a9e8792367b0', 'anonymous', 1767225604000, 1767227404000, 1767225604000, NULL);
INSERT INTO toastkit_tickets (token_hash, user_id, device_id, topics, session_hash, expires_at, app_id) VALUES ('382e8e01b03e613f9eaf9f9d953656509ddb648552094230e7c4c4902db4f0e0', 'ada', 'tablet-of-ada', '["user:ada"]', NULL, 1767226504000, NULL);
INSERT INTO toastkit_tickets (token_hash, user_id, device_id, topics, session_hash, expires_at, app_id) VALUES ('99f9a8e279e0876e9caaf8f71278e8e885d2ec63d9a0f304ccf768ac532c36c7', 'ada', 'default', '["user:ada"]', '14e5767a679964e5ddc29093246ac5d29880100042246f17e88efb20456116b7', 1767226504000, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNA00MRGZJBMRW1PCQWD8', 'ada', 1, 'user:ada', 'Expired', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225600000, 1767225601000, 'expired', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'expired', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8F', 'ada', 2, 'user:ada', 'Shown', NULL, 'info', 'normal', NULL, NULL, 'key-Shown', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8G', 'ada', 3, 'user:ada', 'Acked', NULL, 'info', 'normal', NULL, NULL, 'key-Acked', NULL, 1767225602000, NULL, 'acked', NULL, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL, 1767225602000, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8H', 'ada', 4, 'user:ada', 'Seen', NULL, 'info', 'normal', NULL, NULL, 'key-Seen', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8J', 'ada', 5, 'user:ada', 'Read', NULL, 'info', 'normal', NULL, NULL, 'key-Read', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, 1767225602000, 1767225602000, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8K', 'ada', 6, 'user:ada', 'Deleted', NULL, 'info', 'normal', NULL, NULL, 'key-Deleted', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, 1767225602000, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8M', 'ada', 7, 'project:7:ada', 'Replaced', NULL, 'info', 'normal', NULL, NULL, NULL, 'build', 1767225602000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'not_subscribed', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8N', 'ada', 8, 'user:ada', 'Replaced', NULL, 'info', 'normal', NULL, NULL, NULL, 'order', 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, '01KDVDNBYGZCMRSDDK07YSBG8Q', NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8P', 'ada', 9, 'project:7:ada', 'Newer', NULL, 'info', 'normal', NULL, NULL, NULL, 'build', 1767225602000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'not_subscribed', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8Q', 'ada', 10, 'user:ada', 'Newer', NULL, 'info', 'normal', NULL, NULL, NULL, 'order', 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8V', 'nobody', 1, 'user:nobody', 'No device', NULL, 'info', 'normal', NULL, NULL, 'released', NULL, 1767225602000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'no_device', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8W', 'nobody', 2, 'user:nobody', 'No push', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225602000, NULL, 'undelivered', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'fallback_disabled', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8X', 'bob', 1, 'user:bob', 'Pushed', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225602000, NULL, 'sent', NULL, NULL, true, 'apns', 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG8Z', 'cleo', 1, 'user:cleo', 'Refused', NULL, 'info', 'normal', NULL, NULL, 'refused', NULL, 1767225602000, NULL, 'failed', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'provider_error', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG91', 'dora', 1, 'user:dora', 'Dropped', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225602000, NULL, 'acked', NULL, NULL, true, NULL, 1767225602000, 1767225602000, 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG94', 'bob', 2, 'user:bob', 'Superseded', NULL, 'info', 'normal', NULL, NULL, NULL, 'bob', 1767225602000, NULL, 'superseded', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, '01KDVDNBYGZCMRSDDK07YSBG96', NULL, NULL, 'superseded', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNBYGZCMRSDDK07YSBG96', 'bob', 3, 'user:bob', 'In its place', NULL, 'info', 'normal', NULL, NULL, NULL, 'bob', 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNDX0YT9MS3T7BKKHS2K7', 'bob', 4, 'user:bob', 'Owed and tried', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'owed', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNDX0YT9MS3T7BKKHS2K9', 'bob', 5, 'user:bob', 'Owed', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'owed', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNDX0YT9MS3T7BKKHS2KD', 'anon:a820b5f9-3e01-4cce-a6c7-2c3726f19389', 1, 'user:anon:a820b5f9-3e01-4cce-a6c7-2c3726f19389', 'For a visitor', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'no_device', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNDX0YT9MS3T7BKKHS2KE', 'erin', 1, 'user:erin', 'Before she signed in', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'no_device', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id, acked_at, reason, session_count) VALUES ('01KDVDNEW804RHA00PCK7RF4ZZ', 'ada', 11, 'user:ada', 'Everything', 'It''s "ä": 100%', 'warning', 'high', '/orders/1', '{"n":[1,null]}', 'late', NULL, 1767225605000, NULL, 'accepted', 1767225605000, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
