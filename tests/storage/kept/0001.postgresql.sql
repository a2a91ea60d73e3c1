-- A database of revision 0001, at 1767225605000. Never changed: see __main__.py
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

CREATE INDEX toastkit_toasts_collapse ON toastkit_toasts (user_id, collapse_key, seq) WHERE collapse_key IS NOT NULL AND replaced_by IS NULL;

CREATE INDEX toastkit_toasts_due ON toastkit_toasts (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX toastkit_toasts_expiry ON toastkit_toasts (expires_at) WHERE expires_at IS NOT NULL;

CREATE UNIQUE INDEX toastkit_toasts_position ON toastkit_toasts (user_id, seq);

INSERT INTO toastkit_alembic_version (version_num) VALUES ('0001') RETURNING toastkit_alembic_version.version_num;

INSERT INTO toastkit_anonymous (device_hash, anon_uuid, created_at, rebound_to, rebound_at, app_id) VALUES ('5f14f9e6d80f802a65269804f2552ef9889f2c7ccec5067214e58a1e48e0b3ff', 'c1c0fe9a-d049-48e8-a664-6bd31a45d194', 1767225604000, NULL, NULL, NULL);
INSERT INTO toastkit_anonymous (device_hash, anon_uuid, created_at, rebound_to, rebound_at, app_id) VALUES ('85d49bf65aa433919389d84f6a0eba1aa98c5a6355d894e4f5420b8794c2f98e', '8ae7d212-a28a-45f3-aa68-735dfe07731b', 1767225604000, 'erin', 1767225604000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Acked', '01KDVDNBYGKKA96BCP22TDB4G5', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Deleted', '01KDVDNBYGKKA96BCP22TDB4G8', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Read', '01KDVDNBYGKKA96BCP22TDB4G7', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Seen', '01KDVDNBYGKKA96BCP22TDB4G6', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'key-Shown', '01KDVDNBYGKKA96BCP22TDB4G4', 1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('ada', 'late', '01KDVDNEW8GWKDQQQYB07PG5EM', 1767225905000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('cleo', 'refused', '01KDVDNBYGKKA96BCP22TDB4GM', -1767225902000, NULL);
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until, app_id) VALUES ('nobody', 'released', '01KDVDNBYGKKA96BCP22TDB4GG', -1767225902000, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GK', 'apns', 'phone-of-bob', '01KDVDNBYGKKA96BCP22TDB4GJ', 'bob', '{"toast":{"id":"01KDVDNBYGKKA96BCP22TDB4GJ","topic":"user:bob","title":"Pushed","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":null}}', 'sent', 1, NULL, NULL, 1767229202000, 'taken', NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GN', 'apns', 'phone-of-cleo', '01KDVDNBYGKKA96BCP22TDB4GM', 'cleo', '{"toast":{"id":"01KDVDNBYGKKA96BCP22TDB4GM","topic":"user:cleo","title":"Refused","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":null}}', 'failed', 1, NULL, NULL, 1767229202000, 'BadDeviceToken', NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GQ', 'apns', 'phone-of-dora', '01KDVDNBYGKKA96BCP22TDB4GP', 'dora', '{"toast":{"id":"01KDVDNBYGKKA96BCP22TDB4GP","topic":"user:dora","title":"Dropped","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":null}}', 'dropped', 0, NULL, NULL, 1767229202000, 'read', NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GT', 'apns', 'phone-of-bob', '01KDVDNBYGKKA96BCP22TDB4GS', 'bob', '{"toast":{"id":"01KDVDNBYGKKA96BCP22TDB4GS","topic":"user:bob","title":"Superseded","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225602000,"expires_at":null,"collapse_key":"bob"}}', 'dropped', 0, NULL, NULL, 1767229202000, 'replaced', NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GW', 'mail', '', NULL, 'bob', '{"subject":"Expired"}', 'expired', 0, NULL, NULL, 1767225603000, NULL, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id) VALUES ('01KDVDNDX09ZCN3K7CD6CKKYN5', 'apns', 'phone-of-bob', '01KDVDNDX09ZCN3K7CD6CKKYN4', 'bob', '{"toast":{"id":"01KDVDNDX09ZCN3K7CD6CKKYN4","topic":"user:bob","title":"Owed and tried","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225604000,"expires_at":null,"collapse_key":null}}', 'waiting', 1, 1767225668303, NULL, 1767229204000, 'busy', NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id) VALUES ('01KDVDNDX09ZCN3K7CD6CKKYN7', 'apns', 'phone-of-bob', '01KDVDNDX09ZCN3K7CD6CKKYN6', 'bob', '{"toast":{"id":"01KDVDNDX09ZCN3K7CD6CKKYN6","topic":"user:bob","title":"Owed","body":null,"style":"info","priority":"normal","deeplink":null,"data":null,"created_at":1767225604000,"expires_at":null,"collapse_key":null}}', 'waiting', 0, 1767225604000, NULL, 1767229204000, NULL, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id) VALUES ('01KDVDNDX09ZCN3K7CD6CKKYN8', 'mail', '', NULL, 'bob', '{"subject":"Held"}', 'waiting', 1, 1767225605000, 1767225605000, 1767484804000, NULL, NULL);
INSERT INTO toastkit_deliveries (id, kind, target, toast_id, user_id, payload, state, attempts, next_attempt_at, lease_until, expires_at, last_answer, app_id) VALUES ('01KDVDNDX09ZCN3K7CD6CKKYN9', 'mail', 'bob@example.com', NULL, NULL, '{"subject":"Waiting"}', 'waiting', 0, 1767225604000, NULL, 1767484804000, NULL, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id) VALUES ('ada', 'tablet-of-ada', 'com.example.app', NULL, 'production', 1767225602000, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id) VALUES ('bob', 'phone-of-bob', 'com.bairisland.manticscore', '1111111111111111111111111111111111111111111111111111111111111111', 'production', 1767225602000, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id) VALUES ('cleo', 'phone-of-cleo', 'com.bairisland.manticscore', '2222222222222222222222222222222222222222222222222222222222222222', 'production', 1767225602000, NULL);
INSERT INTO toastkit_devices (user_id, device_id, bundle_id, push_token, environment, registered_at, app_id) VALUES ('dora', 'phone-of-dora', 'com.bairisland.manticscore', '3333333333333333333333333333333333333333333333333333333333333333', 'production', 1767225602000, NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('ada', 11, 'ff128028', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('anon:c1c0fe9a-d049-48e8-a664-6bd31a45d194', 1, '37fcab7f', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('bob', 5, 'ff72afa9', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('cleo', 1, '05950916', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('dora', 1, 'fdce99e4', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('erin', 1, 'a0704d1d', NULL);
INSERT INTO toastkit_principals (user_id, seq, epoch, app_id) VALUES ('nobody', 2, 'b816bd7d', NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('1b24c3f293ebfe7ebcb9b0f1e7c25cdaeaf0f1b00b9d9a9bdc2c7bc2a2c13120', 'ada', 'user', 1767225604000, 1767227404000, 1767225604000, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('6d29fda8d3eaa477e057bcced51ecba531b8473c5eda0e6bf2a0f1f61c835b3c', 'anon:8ae7d212-a28a-45f3-aa68-735dfe07731b', 'anonymous', 1767225604000, 1767227404000, 1767225604000, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('798670966f2db8fed4edbeb9dd059d3f523eabac0237c7b910217bd3a59a6fb2', 'bob', 'user', 1767225604000, 1767227404000, NULL, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('85547a598fa1cfae9e104f7770aa3e05944b4e1b9d549f8555acde40e7b07751', 'anon:c1c0fe9a-d049-48e8-a664-6bd31a45d194', 'anonymous', 1767225604000, 1767227404000, NULL, NULL);
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at, app_id) VALUES ('b83bcef00f18d993836528e7634b70b064b6e6a19b6704a8cccccb82f85c181f', 'ada', 'user', 1767225604000, 1767227404000, NULL, NULL);
INSERT INTO toastkit_tickets (token_hash, user_id, device_id, topics, session_hash, expires_at, app_id) VALUES ('412d9e61c94573c921b199b5931bfd55253c8e2d4655f3ae38f9c2da49f78bb8', 'ada', 'default', '["user:ada"]', '1b24c3f293ebfe7ebcb9b0f1e7c25cdaeaf0f1b00b9d9a9bdc2c7bc2a2c13120', 1767226504000, NULL);
INSERT INTO toastkit_tickets (token_hash, user_id, device_id, topics, session_hash, expires_at, app_id) VALUES ('6cd3d25babfc83e8d779241ad79e09fadfc67817d142299e986443455642d3b7', 'ada', 'tablet-of-ada', '["user:ada"]', NULL, 1767226504000, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNA00CWQ0PF033NNDQQRJ', 'ada', 1, 'user:ada', 'Expired', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225600000, 1767225601000, 'expired', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4G4', 'ada', 2, 'user:ada', 'Shown', NULL, 'info', 'normal', NULL, NULL, 'key-Shown', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4G5', 'ada', 3, 'user:ada', 'Acked', NULL, 'info', 'normal', NULL, NULL, 'key-Acked', NULL, 1767225602000, NULL, 'acked', NULL, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4G6', 'ada', 4, 'user:ada', 'Seen', NULL, 'info', 'normal', NULL, NULL, 'key-Seen', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, 1767225602000, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4G7', 'ada', 5, 'user:ada', 'Read', NULL, 'info', 'normal', NULL, NULL, 'key-Read', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, 1767225602000, 1767225602000, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4G8', 'ada', 6, 'user:ada', 'Deleted', NULL, 'info', 'normal', NULL, NULL, 'key-Deleted', NULL, 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, 1767225602000, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4G9', 'ada', 7, 'project:7:ada', 'Replaced', NULL, 'info', 'normal', NULL, NULL, NULL, 'build', 1767225602000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GA', 'ada', 8, 'user:ada', 'Replaced', NULL, 'info', 'normal', NULL, NULL, NULL, 'order', 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, '01KDVDNBYGKKA96BCP22TDB4GC', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GB', 'ada', 9, 'project:7:ada', 'Newer', NULL, 'info', 'normal', NULL, NULL, NULL, 'build', 1767225602000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GC', 'ada', 10, 'user:ada', 'Newer', NULL, 'info', 'normal', NULL, NULL, NULL, 'order', 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GG', 'nobody', 1, 'user:nobody', 'No device', NULL, 'info', 'normal', NULL, NULL, 'released', NULL, 1767225602000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GH', 'nobody', 2, 'user:nobody', 'No push', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225602000, NULL, 'undelivered', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GJ', 'bob', 1, 'user:bob', 'Pushed', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225602000, NULL, 'sent', NULL, NULL, true, 'apns', 1767225602000, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GM', 'cleo', 1, 'user:cleo', 'Refused', NULL, 'info', 'normal', NULL, NULL, 'refused', NULL, 1767225602000, NULL, 'failed', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GP', 'dora', 1, 'user:dora', 'Dropped', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225602000, NULL, 'acked', NULL, NULL, true, NULL, 1767225602000, 1767225602000, 1767225602000, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GS', 'bob', 2, 'user:bob', 'Superseded', NULL, 'info', 'normal', NULL, NULL, NULL, 'bob', 1767225602000, NULL, 'superseded', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, '01KDVDNBYGKKA96BCP22TDB4GV', NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNBYGKKA96BCP22TDB4GV', 'bob', 3, 'user:bob', 'In its place', NULL, 'info', 'normal', NULL, NULL, NULL, 'bob', 1767225602000, NULL, 'written', 1767225607000, NULL, true, 'websocket', 1767225602000, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNDX09ZCN3K7CD6CKKYN4', 'bob', 4, 'user:bob', 'Owed and tried', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'owed', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNDX09ZCN3K7CD6CKKYN6', 'bob', 5, 'user:bob', 'Owed', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'owed', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNDX09ZCN3K7CD6CKKYNA', 'anon:c1c0fe9a-d049-48e8-a664-6bd31a45d194', 1, 'user:anon:c1c0fe9a-d049-48e8-a664-6bd31a45d194', 'For a visitor', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNDX09ZCN3K7CD6CKKYNB', 'erin', 1, 'user:erin', 'Before she signed in', NULL, 'info', 'normal', NULL, NULL, NULL, NULL, 1767225604000, NULL, 'undelivered', NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO toastkit_toasts (id, user_id, seq, topic, title, body, style, priority, deeplink, data, dedupe_key, collapse_key, created_at, expires_at, state, due_at, lease_until, fallback, transport, delivered_at, seen_at, read_at, deleted_at, replaced_by, app_id) VALUES ('01KDVDNEW8GWKDQQQYB07PG5EM', 'ada', 11, 'user:ada', 'Everything', 'It''s "ä": 100%', 'warning', 'high', '/orders/1', '{"n":[1,null]}', 'late', NULL, 1767225605000, NULL, 'accepted', 1767225605000, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
