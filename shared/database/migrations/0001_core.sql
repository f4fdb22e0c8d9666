-- Tenants and their keys. Every row below carries user_id; children reference (user_id, parent_id), so that no row can ever
-- point into another tenant.

CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key_id text NOT NULL UNIQUE,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_keys_user ON api_keys (user_id);

-- Accounts, groups, media, posts: what people keep.

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    instagram_user_id text NOT NULL CHECK (instagram_user_id ~ '^[0-9]{1,32}$'),
    username text NOT NULL,
    state text NOT NULL CHECK (
        state IN ('NEW', 'WARMING_UP', 'ACTIVE', 'PAUSED', 'NEEDS_REAUTH', 'RESTRICTED', 'DISCONNECTED')
    ),
    state_reason text,
    -- The state before, kept while the account is paused.
    paused_from text CHECK (paused_from IN ('NEW', 'WARMING_UP', 'ACTIVE')),
    tags text[] NOT NULL DEFAULT '{}',
    token_expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id),
    UNIQUE (user_id, instagram_user_id),
    CHECK ((state = 'PAUSED') = (paused_from IS NOT NULL))
);
CREATE INDEX accounts_page ON accounts (user_id, created_at DESC, id DESC);

CREATE TABLE account_tokens (
    account_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (user_id, account_id) REFERENCES accounts (user_id, id) ON DELETE CASCADE
);

CREATE TABLE groups (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    color text,
    tags text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id),
    UNIQUE (user_id, name)
);
CREATE INDEX groups_page ON groups (user_id, created_at DESC, id DESC);

CREATE TABLE group_members (
    user_id uuid NOT NULL,
    group_id uuid NOT NULL,
    account_id uuid NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, account_id),
    FOREIGN KEY (user_id, group_id) REFERENCES groups (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, account_id) REFERENCES accounts (user_id, id) ON DELETE CASCADE
);
CREATE INDEX group_members_account ON group_members (account_id);

CREATE TABLE media (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('image')),
    mime text NOT NULL,
    bytes integer NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    sha256 text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id)
);

CREATE TABLE posts (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    type text NOT NULL CHECK (type IN ('image')),
    caption text NOT NULL,
    media_ids uuid[] NOT NULL,
    overrides jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id)
);
CREATE INDEX posts_page ON posts (user_id, created_at DESC, id DESC);

CREATE TABLE distributions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    post_id uuid NOT NULL,
    group_id uuid,
    window_from timestamptz NOT NULL,
    window_to timestamptz NOT NULL CHECK (window_to >= window_from),
    min_gap_s double precision NOT NULL,
    max_lateness_s integer,
    seed bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id),
    FOREIGN KEY (user_id, post_id) REFERENCES posts (user_id, id),
    FOREIGN KEY (user_id, group_id) REFERENCES groups (user_id, id) ON DELETE SET NULL (group_id)
);
CREATE INDEX distributions_page ON distributions (user_id, created_at DESC, id DESC);

-- Publications: one post on one account at one time. States and arrows: shared/publications/states.py.

CREATE TABLE publications (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    account_id uuid NOT NULL,
    post_id uuid NOT NULL,
    distribution_id uuid,
    state text NOT NULL CHECK (
        state IN ('scheduled', 'publishing', 'published', 'failed', 'held', 'canceled', 'missed', 'outcome_unknown')
    ),
    reason text,
    priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 5),
    publish_at timestamptz NOT NULL,
    max_lateness_s integer CHECK (max_lateness_s >= 0),
    -- A person's edit or retry makes a new revision; a message that carries an older one is void.
    revision integer NOT NULL DEFAULT 1,
    -- Each claim makes a new epoch; a worker that writes under an older one is refused.
    epoch integer NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL CHECK (max_attempts >= 1),
    next_attempt_at timestamptz NOT NULL,
    lease_until timestamptz,
    lease_owner text,
    -- How far the platform's steps have come: committed before the next call is made.
    step text CHECK (step IN ('container_created', 'publish_sent')),
    container_id text,
    container_created_at timestamptz,
    publish_sent_at timestamptz,
    publish_sends integer NOT NULL DEFAULT 0,
    media_id text,
    permalink text,
    published_at timestamptz,
    error jsonb,
    rescue_at timestamptz NOT NULL,
    rescues integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id),
    UNIQUE (distribution_id, account_id),
    FOREIGN KEY (user_id, account_id) REFERENCES accounts (user_id, id),
    FOREIGN KEY (user_id, post_id) REFERENCES posts (user_id, id),
    FOREIGN KEY (user_id, distribution_id) REFERENCES distributions (user_id, id),
    CHECK ((state = 'publishing') = (lease_until IS NOT NULL AND lease_owner IS NOT NULL)),
    CHECK (step IS NULL OR container_id IS NOT NULL),
    CHECK (step IS DISTINCT FROM 'publish_sent' OR publish_sent_at IS NOT NULL)
);
-- One publication at a time per account. lease_until is renewed every few seconds and stays out of every index.
CREATE UNIQUE INDEX publications_publishing ON publications (account_id) WHERE state = 'publishing';
CREATE INDEX publications_rescue ON publications (rescue_at) WHERE state = 'scheduled';
CREATE INDEX publications_waiting ON publications (publish_at) WHERE state IN ('scheduled', 'held');
CREATE INDEX publications_page ON publications (user_id, created_at DESC, id DESC);
CREATE INDEX publications_account ON publications (account_id, post_id);
CREATE INDEX publications_post ON publications (post_id);

CREATE TABLE publication_attempts (
    publication_id uuid NOT NULL,
    epoch integer NOT NULL,
    user_id uuid NOT NULL,
    attempt integer NOT NULL,
    worker text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    outcome text,
    step text,
    error jsonb,
    PRIMARY KEY (publication_id, epoch),
    FOREIGN KEY (user_id, publication_id) REFERENCES publications (user_id, id) ON DELETE CASCADE
);

-- Jobs and events that are not sent yet, and so also the timetable.

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL,
    subject text NOT NULL,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 5),
    payload jsonb NOT NULL,
    headers jsonb NOT NULL,
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (type, subject)
);
CREATE INDEX outbox_due ON outbox (priority, due_at);

-- What happened, kept seven days for whoever resumes. A day is dropped whole, never deleted row by row.

CREATE TABLE events (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (created_at, seq)
) PARTITION BY RANGE (created_at);
CREATE INDEX events_user ON events (user_id, seq);
-- Takes rows only if the days ahead were not made in time; nothing is ever refused for want of a partition.
CREATE TABLE events_default PARTITION OF events DEFAULT;

CREATE FUNCTION roll_event_partitions(keep_days integer, ahead_days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    day date;
    part record;
    dropped integer := 0;
BEGIN
    FOR day IN SELECT generate_series(today, today + ahead_days, interval '1 day')::date LOOP
        CONTINUE WHEN to_regclass('events_' || to_char(day, 'YYYYMMDD')) IS NOT NULL;
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM events_default WHERE created_at >= day::timestamp AT TIME ZONE 'UTC'
                                           AND created_at < (day + 1)::timestamp AT TIME ZONE 'UTC'
        );
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
            'events_' || to_char(day, 'YYYYMMDD'),
            day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC'
        );
    END LOOP;
    FOR part IN
        SELECT inhrelid::regclass::text AS name FROM pg_inherits
        WHERE inhparent = 'events'::regclass AND inhrelid::regclass::text ~ '^events_[0-9]{8}$'
    LOOP
        IF to_date(right(part.name, 8), 'YYYYMMDD') < today - keep_days THEN
            EXECUTE format('DROP TABLE %I', part.name);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    DELETE FROM events_default WHERE created_at < now() - make_interval(days => keep_days);
    RETURN dropped;
END
$$;
SELECT roll_event_partitions(7, 3);

-- Jobs that come again, and jobs that never got through.

CREATE TABLE recurring_jobs (
    name text PRIMARY KEY,
    type text NOT NULL,
    user_id uuid REFERENCES users ON DELETE CASCADE,
    account_id uuid REFERENCES accounts ON DELETE CASCADE,
    payload jsonb NOT NULL,
    every_ms bigint NOT NULL CHECK (every_ms > 0),
    next_due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX recurring_jobs_due ON recurring_jobs (next_due_at);
CREATE INDEX recurring_jobs_account ON recurring_jobs (account_id);

CREATE TABLE dead_jobs (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    error text,
    attempt integer NOT NULL,
    payload bytea NOT NULL,
    headers jsonb NOT NULL,
    died_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_jobs_page ON dead_jobs (died_at DESC, id DESC);

-- The newest judgement of each account.

CREATE TABLE health_scores (
    account_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    score smallint NOT NULL CHECK (score BETWEEN 0 AND 100),
    band text NOT NULL,
    confidence double precision NOT NULL,
    components jsonb NOT NULL,
    gates jsonb NOT NULL,
    reasons jsonb NOT NULL,
    formula_version integer NOT NULL,
    computed_at timestamptz NOT NULL,
    FOREIGN KEY (user_id, account_id) REFERENCES accounts (user_id, id) ON DELETE CASCADE
);
CREATE INDEX health_scores_user ON health_scores (user_id, score);
