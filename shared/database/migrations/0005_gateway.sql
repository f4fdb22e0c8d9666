-- The gateway, whole: keys that are limited and rotated, requests that may be repeated, operations, webhooks, an audit log.

-- Keys: with a name, limited to some accounts, and two of them live while one takes over from the other.

ALTER TABLE api_keys
    ADD COLUMN name text NOT NULL DEFAULT '',
    -- The accounts it may see and act on; NULL: all of the user's, those to come included.
    ADD COLUMN account_ids uuid[],
    -- Written rarely: about when, not exactly.
    ADD COLUMN last_used_at timestamptz,
    -- The key that it takes over from.
    ADD COLUMN replaces uuid REFERENCES api_keys ON DELETE SET NULL;
-- Every key made so far was its owner's own.
UPDATE api_keys SET scopes = array_append(scopes, 'admin') WHERE NOT 'admin' = ANY (scopes);
CREATE INDEX IF NOT EXISTS api_keys_page ON api_keys (user_id, created_at DESC, id DESC);
DROP INDEX api_keys_user;

-- What was removed keeps its row, for the sake of what was published with it; nobody is shown it any more.

ALTER TABLE accounts ADD COLUMN removed_at timestamptz;
CREATE INDEX IF NOT EXISTS accounts_username ON accounts (user_id, lower(username));
CREATE INDEX IF NOT EXISTS accounts_protocol_page ON accounts (user_id, protocol_id, created_at DESC, id DESC)
    WHERE protocol_id IS NOT NULL;
ALTER TABLE media
    ADD COLUMN removed_at timestamptz,
    -- When the bytes of a medium that was removed were gone too.
    ADD COLUMN dropped_at timestamptz;
ALTER TABLE posts ADD COLUMN removed_at timestamptz;
CREATE INDEX media_page ON media (user_id, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX media_kind_page ON media (user_id, kind, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX media_content ON media (user_id, sha256) WHERE removed_at IS NULL;
CREATE INDEX media_to_drop ON media (removed_at) WHERE removed_at IS NOT NULL AND dropped_at IS NULL;
DROP INDEX posts_page;
CREATE INDEX posts_page ON posts (user_id, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX posts_type_page ON posts (user_id, type, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX posts_updated_page ON posts (user_id, updated_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX IF NOT EXISTS posts_media ON posts USING gin (media_ids);
CREATE INDEX IF NOT EXISTS proxies_page ON proxies (user_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS posts_cover ON posts (user_id, (options ->> 'cover_media_id'))
    WHERE options ->> 'cover_media_id' IS NOT NULL;

-- Distributions can be stopped and go on.

ALTER TABLE distributions
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN canceled_at timestamptz;

-- What a person wished while a worker had the publication: the worker obeys before its irreversible call, or was before it.

ALTER TABLE publications
    ADD COLUMN halt text CHECK (halt IN ('hold', 'cancel'));

-- Events are read in the order (tx, seq), and only below the oldest transaction that still runs: a number that is drawn
-- early may be committed late, and would be passed over.

ALTER TABLE events ADD COLUMN tx xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX IF NOT EXISTS events_stream ON events (user_id, tx, seq);

-- Requests that may be repeated: the answer is written in the transaction of what it tells of.

CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key text NOT NULL,
    -- Of method, path, query, body, and what the caller may see.
    fingerprint bytea NOT NULL,
    -- NULL: the request runs, and its process is believed to live until `reserved_until`.
    status smallint,
    reserved_until timestamptz,
    headers jsonb,
    body bytea,
    -- The key of the ring, where the body is encrypted for the secret it holds.
    key_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key),
    CHECK ((status IS NULL) = (reserved_until IS NOT NULL))
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Long work that somebody may watch.

CREATE TABLE operations (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    type text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'running', 'succeeded', 'failed')),
    done integer NOT NULL DEFAULT 0 CHECK (done >= 0),
    total integer CHECK (total >= 0),
    result jsonb,
    problem jsonb,
    -- What is still to be worked on, encrypted under this key of the ring; NULL as soon as the work has ended.
    key_id text,
    input bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    UNIQUE (user_id, id),
    CHECK ((key_id IS NULL) = (input IS NULL))
);
CREATE INDEX operations_page ON operations (user_id, created_at DESC, id DESC);
CREATE INDEX operations_age ON operations (created_at);
CREATE INDEX operations_unfinished ON operations (updated_at) WHERE state IN ('pending', 'running');

-- Who changed what.

CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The key that asked, by the part that is no secret; NULL where no key did.
    actor text,
    action text NOT NULL,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    before jsonb,
    after jsonb,
    request_id text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_page ON audit_log (user_id, created_at DESC, id DESC);
CREATE INDEX audit_log_subject ON audit_log (user_id, subject_type, subject_id, created_at DESC, id DESC);
CREATE INDEX audit_log_age ON audit_log (created_at);

-- Webhooks out.

CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    url text NOT NULL,
    description text NOT NULL DEFAULT '',
    -- Types such as `publication.failed`, or `publication.*`; empty: all.
    events text[] NOT NULL DEFAULT '{}',
    -- The signing secret, encrypted; the one before it signs too until its time is over.
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    previous_key_id text,
    previous_sealed bytea,
    previous_until timestamptz,
    state text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
    state_reason text,
    -- When deliveries began to fail without one that got through since.
    failing_since timestamptz,
    -- The last event that was made a delivery of.
    position_tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    position_seq bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id)
);
CREATE INDEX webhooks_page ON webhooks (user_id, created_at DESC, id DESC);

CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    -- What is sent, byte for byte at each try.
    payload bytea NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    status smallint,
    error text,
    latency_ms integer,
    attempted_at timestamptz,
    next_attempt_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    FOREIGN KEY (user_id, webhook_id) REFERENCES webhooks (user_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_page ON webhook_deliveries (user_id, webhook_id, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_state_page
    ON webhook_deliveries (user_id, webhook_id, state, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);
-- Whose job may have been lost with the broker.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE state = 'pending';
-- Not tried yet: a receiver that is slow is given no more of them.
CREATE INDEX webhook_deliveries_fresh ON webhook_deliveries (webhook_id) WHERE state = 'pending' AND attempts = 0;

-- Connecting an account: what was begun and may be ended once.

CREATE TABLE oauth_states (
    -- A hash: who reads the table can end nobody's connection.
    state_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The key that began it.
    actor text,
    protocol_id text REFERENCES warmup_protocols,
    proxy_id uuid,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);
