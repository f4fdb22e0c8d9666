-- Every format, egress, warm-up, and tokens that renew themselves.

-- Media: videos beside pictures. `facts` holds what a look into the bytes found (shared/instagram/media_rules.py).

ALTER TABLE media
    DROP CONSTRAINT media_kind_check,
    ADD CONSTRAINT media_kind_check CHECK (kind IN ('image', 'video')),
    ALTER COLUMN bytes TYPE bigint,
    ADD COLUMN duration_ms integer CHECK (duration_ms >= 0),
    ADD COLUMN facts jsonb NOT NULL DEFAULT '{}',
    -- What the last fetch through the public address found.
    ADD COLUMN fetched_at timestamptz,
    ADD COLUMN unreachable_since timestamptz,
    ADD COLUMN unreachable_reason text;

-- Posts: the other formats, and what can be said beside caption and media (shared/publications/content.py).

ALTER TABLE posts
    DROP CONSTRAINT posts_type_check,
    ADD CONSTRAINT posts_type_check CHECK (type IN ('image', 'carousel', 'reel', 'story')),
    ADD COLUMN options jsonb NOT NULL DEFAULT '{}';

-- Publications: the items of a carousel have containers of their own, by position; NULL where one is still to be made.

ALTER TABLE publications
    ADD COLUMN child_container_ids text[],
    DROP CONSTRAINT publications_step_check,
    ADD CONSTRAINT publications_step_check CHECK (step IN ('children_created', 'container_created', 'publish_sent')),
    DROP CONSTRAINT publications_check1,
    ADD CONSTRAINT publications_container CHECK (
        step IS NULL OR container_id IS NOT NULL OR (step = 'children_created' AND child_container_ids IS NOT NULL)
    );
-- What an account published lately: caps, and when the platform's quota has room again.
CREATE INDEX IF NOT EXISTS publications_published ON publications (account_id, published_at)
    WHERE state = 'published';
-- Outcomes that nobody knows are looked up again at `rescue_at`.
CREATE INDEX IF NOT EXISTS publications_unknown ON publications (rescue_at) WHERE state = 'outcome_unknown';
-- What waits for the platform to come back is brought forward when it does.
CREATE INDEX IF NOT EXISTS publications_platform_down ON publications (next_attempt_at)
    WHERE state = 'scheduled' AND reason = 'platform_down';

-- Egress: the way out that some accounts must take. An account keeps its proxy: to publish past it would break the
-- policy it was given for.

CREATE TABLE proxies (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    scheme text NOT NULL CHECK (scheme IN ('http', 'https')),
    host text NOT NULL,
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    -- User name and password, encrypted like a token; NULL for a proxy without.
    key_id text,
    sealed bytea,
    state text NOT NULL DEFAULT 'unknown' CHECK (state IN ('unknown', 'up', 'down')),
    state_reason text,
    checked_at timestamptz,
    next_check_at timestamptz NOT NULL DEFAULT now(),
    failures integer NOT NULL DEFAULT 0,
    latency_ms integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id),
    UNIQUE (user_id, name),
    CHECK ((key_id IS NULL) = (sealed IS NULL))
);
CREATE INDEX proxies_check ON proxies (next_check_at);

-- Warm-up: our own caution with new accounts, opt-in. The protocols are reference data.

CREATE TABLE warmup_protocols (
    id text PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    daily_caps integer[] NOT NULL CHECK (cardinality(daily_caps) > 0 AND 0 < ALL (daily_caps)),
    min_gap_s integer NOT NULL CHECK (min_gap_s >= 0),
    -- A day counts only if so many of its publications succeeded, and at least one did.
    success_ratio double precision NOT NULL CHECK (success_ratio BETWEEN 0 AND 1)
);
INSERT INTO warmup_protocols (id, name, description, daily_caps, min_gap_s, success_ratio) VALUES
    ('cautious', 'Cautious', 'Ten days from 2 posts a day to 20, half an hour apart.',
     '{2,2,3,4,5,7,9,12,15,20}', 1800, 0.95),
    ('quick', 'Quick', 'Five days from 3 posts a day to 20, ten minutes apart.', '{3,5,8,12,20}', 600, 0.95);

ALTER TABLE accounts
    ADD COLUMN proxy_id uuid,
    ADD COLUMN protocol_id text REFERENCES warmup_protocols,
    -- Which day of the protocol it is, from 0, and when that day began; a day is 24 hours from then.
    ADD COLUMN warmup_day smallint NOT NULL DEFAULT 0,
    ADD COLUMN warmup_day_began_at timestamptz,
    -- When the account last needed its owner: no day of a warm-up counts in which that happened.
    ADD COLUMN flagged_at timestamptz,
    -- What the platform lets the account publish in 24 hours, as it last said, and until when that is used up.
    ADD COLUMN quota_total integer CHECK (quota_total >= 0),
    ADD COLUMN quota_until timestamptz,
    ADD FOREIGN KEY (user_id, proxy_id) REFERENCES proxies (user_id, id);
CREATE INDEX accounts_proxy ON accounts (proxy_id) WHERE proxy_id IS NOT NULL;

-- Tokens: when each was obtained, what it allows, and when it is to be renewed.

ALTER TABLE account_tokens
    ADD COLUMN obtained_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN scopes text[],
    ADD COLUMN refresh_at timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    -- A worker asks the platform for the next one; after this time it is dead.
    ADD COLUMN refreshing_until timestamptz;
CREATE INDEX account_tokens_refresh ON account_tokens (refresh_at);
CREATE INDEX account_tokens_key ON account_tokens (key_id, account_id);

-- When a token is to be renewed: at half of its life, but no younger than a day, which the platform refuses; one whose
-- end nobody knows after a day. No life is believed to be longer than the platform's 60 days. At the latest when it
-- ends, so that the end is noticed. Each account has a place of its own in the tenth of the life that follows: tokens
-- that were stored together are not renewed together.
CREATE FUNCTION token_refresh_at(account_id uuid, obtained_at timestamptz, expires_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT least(expires_at, earliest + place * coalesce(
        least(life / 10, (expires_at - earliest) / 2), interval '6 hours'
    ))
    FROM (
        SELECT CASE WHEN expires_at IS NOT NULL THEN least(expires_at - obtained_at, interval '60 days') END AS life
    ) AS known
    CROSS JOIN LATERAL (
        SELECT greatest(obtained_at + life / 2, obtained_at + interval '24 hours') AS earliest,
               (get_byte(uuid_send(account_id), 14) * 256 + get_byte(uuid_send(account_id), 15)) / 65536::float8
                   AS place
    ) AS plan
$$;
