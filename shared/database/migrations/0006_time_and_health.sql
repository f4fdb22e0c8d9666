-- Time and health: schedules that make distributions, scores with their history, alerts, incidents, numbers over time.

-- Post queues: what is published next, one post after the other.

CREATE TABLE post_queues (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    -- What comes after the last post: nothing, or the first one again.
    on_empty text NOT NULL DEFAULT 'wait' CHECK (on_empty IN ('wait', 'repeat')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id),
    UNIQUE (user_id, name)
);
CREATE INDEX post_queues_page ON post_queues (user_id, created_at DESC, id DESC);

-- What waits in a queue. A post that was taken has left it; the occurrence that took it tells of it.
CREATE TABLE post_queue_items (
    queue_id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    user_id uuid NOT NULL,
    post_id uuid NOT NULL,
    PRIMARY KEY (queue_id, position),
    FOREIGN KEY (user_id, queue_id) REFERENCES post_queues (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, post_id) REFERENCES posts (user_id, id) ON DELETE CASCADE
);
CREATE INDEX post_queue_items_post ON post_queue_items (post_id);

-- Schedules: a rule in the wall clock of a zone.

CREATE TABLE schedules (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    -- Either five fields of cron, or [{"weekday": "mon", "time": "09:30"}, ...].
    cron text,
    slots jsonb,
    timezone text NOT NULL,
    -- A wall time that does not exist comes later by the length of the gap, or not at all.
    dst_gap text NOT NULL CHECK (dst_gap IN ('shift', 'skip')),
    -- A wall time that comes twice.
    dst_overlap text NOT NULL CHECK (dst_overlap IN ('first', 'second', 'both')),
    starts_at timestamptz,
    ends_at timestamptz,
    -- Of what was slept through the newest is made up for, or nothing.
    misfire text NOT NULL CHECK (misfire IN ('once', 'skip')),
    account_id uuid,
    group_id uuid,
    post_id uuid,
    post_queue_id uuid,
    -- How the accounts of an occurrence are spread.
    window_s integer NOT NULL CHECK (window_s >= 0),
    min_gap_s double precision NOT NULL CHECK (min_gap_s >= 0),
    max_lateness_s integer CHECK (max_lateness_s >= 0),
    paused_at timestamptz,
    -- Set with paused_at where the scheduler itself gave up: what a person must mend.
    error text,
    removed_at timestamptz,
    -- All occurrences up to and including this moment have their rows.
    made_until timestamptz NOT NULL,
    -- When the next one is due; NULL: none is left.
    next_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, id),
    FOREIGN KEY (user_id, account_id) REFERENCES accounts (user_id, id),
    FOREIGN KEY (user_id, group_id) REFERENCES groups (user_id, id) ON DELETE SET NULL (group_id),
    FOREIGN KEY (user_id, post_id) REFERENCES posts (user_id, id),
    FOREIGN KEY (user_id, post_queue_id) REFERENCES post_queues (user_id, id) ON DELETE SET NULL (post_queue_id),
    CHECK ((cron IS NULL) <> (slots IS NULL)),
    CHECK (account_id IS NULL OR group_id IS NULL),
    CHECK (post_id IS NULL OR post_queue_id IS NULL)
);
CREATE INDEX schedules_page ON schedules (user_id, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX schedules_due ON schedules (next_at) WHERE paused_at IS NULL AND removed_at IS NULL AND next_at IS NOT NULL;
CREATE INDEX schedules_post ON schedules (post_id) WHERE post_id IS NOT NULL AND removed_at IS NULL;
CREATE INDEX schedules_queue ON schedules (post_queue_id) WHERE post_queue_id IS NOT NULL AND removed_at IS NULL;
CREATE INDEX schedules_group ON schedules (group_id) WHERE group_id IS NOT NULL AND removed_at IS NULL;
CREATE INDEX schedules_account ON schedules (account_id) WHERE account_id IS NOT NULL AND removed_at IS NULL;

-- Each due time of a schedule, whatever came of it. Its natural key is what the rule names by the wall clock: however
-- many schedulers run, and however often they are restarted or the rule is edited, it comes once.
CREATE TABLE schedule_occurrences (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    local_date date NOT NULL,
    -- `09:30`; `02:30/2` is the second run of a doubled time.
    slot text NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'distributed', 'skipped', 'failed')),
    reason text,
    post_id uuid,
    distribution_id uuid,
    publications integer NOT NULL DEFAULT 0,
    -- The accounts that are not in it, and why: [{"account_id", "code"}], the first hundred of `conflict_count`.
    conflicts jsonb NOT NULL DEFAULT '[]',
    conflict_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    UNIQUE (schedule_id, local_date, slot),
    FOREIGN KEY (user_id, schedule_id) REFERENCES schedules (user_id, id) ON DELETE CASCADE
);
CREATE INDEX schedule_occurrences_page ON schedule_occurrences (user_id, schedule_id, due_at DESC, id DESC);
CREATE INDEX schedule_occurrences_pending ON schedule_occurrences (created_at) WHERE state = 'pending';
CREATE INDEX schedule_occurrences_age ON schedule_occurrences (due_at);

ALTER TABLE distributions
    ADD COLUMN schedule_id uuid,
    ADD FOREIGN KEY (user_id, schedule_id) REFERENCES schedules (user_id, id);

-- Health: what the platform last said of an account, and when it is asked again.

CREATE TABLE health_checks (
    account_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    next_check_at timestamptz NOT NULL DEFAULT now(),
    checked_at timestamptz,
    -- Looks in a row that brought no answer; they say nothing of the account.
    unanswered smallint NOT NULL DEFAULT 0,
    -- What the last answer said: NULL before the first.
    finding text CHECK (finding IN ('ok', 'reauth', 'checkpoint', 'permission', 'other_account')),
    quota_used integer,
    -- Share of the call limit in use, in percent, as its headers told.
    usage_percent smallint,
    followers_count bigint,
    media_count bigint,
    -- Numbers are collected on a rhythm of their own.
    analytics_due_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (user_id, account_id) REFERENCES accounts (user_id, id) ON DELETE CASCADE
);
CREATE INDEX health_checks_due ON health_checks (next_check_at);
CREATE INDEX health_checks_analytics ON health_checks (analytics_due_at);
-- Spread over the first hour and the first day: they do not come all at once.
INSERT INTO health_checks (account_id, user_id, next_check_at, analytics_due_at)
    SELECT id, user_id, now() + random() * interval '1 hour', now() + random() * interval '1 day'
    FROM accounts
    WHERE removed_at IS NULL;
DELETE FROM recurring_jobs WHERE type = 'health:check';

-- How many renewals of the token failed in a row.
ALTER TABLE account_tokens ADD COLUMN refresh_failures smallint NOT NULL DEFAULT 0;

ALTER TABLE health_scores
    -- A better band counts only when it has lasted: which one is waiting, and since when.
    ADD COLUMN rising_band text,
    ADD COLUMN rising_since timestamptz,
    -- Publications due within seven days, at least 1: how much hangs on the account.
    ADD COLUMN exposure integer NOT NULL DEFAULT 1 CHECK (exposure >= 1);

CREATE TABLE health_history (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
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
CREATE INDEX health_history_page ON health_history (user_id, account_id, computed_at DESC, id DESC);
CREATE INDEX health_history_age ON health_history (computed_at);

-- What follows from the score: half of the cap, or nothing at all; and until when a person lets it go on all the same.
ALTER TABLE accounts
    ADD COLUMN caution text NOT NULL DEFAULT 'none' CHECK (caution IN ('none', 'halved', 'held')),
    ADD COLUMN caution_waived_until timestamptz;

-- Alerts: one live one for each thing that is wrong with each subject.

CREATE TABLE alerts (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    code text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'resolved')),
    text text NOT NULL,
    advice text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    -- How often it was raised while it was live, and when last.
    count integer NOT NULL DEFAULT 1,
    seen_at timestamptz NOT NULL DEFAULT now(),
    opened_at timestamptz NOT NULL DEFAULT now(),
    escalated_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    resolved_at timestamptz,
    -- The key of the person; NULL: what it told of is over.
    resolved_by text
);
CREATE UNIQUE INDEX alerts_live ON alerts (user_id, code, subject_id) WHERE state <> 'resolved';
CREATE INDEX alerts_page ON alerts (user_id, opened_at DESC, id DESC);
CREATE INDEX alerts_state_page ON alerts (user_id, state, opened_at DESC, id DESC);
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE state = 'resolved';

-- Incidents: one class of error that hits many accounts at once is the app's trouble, and no account's.

CREATE TABLE incidents (
    id uuid PRIMARY KEY,
    error_class text NOT NULL,
    accounts integer NOT NULL,
    -- Of the accounts that tried to publish.
    share double precision NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    -- The app calls nobody until then.
    paused_until timestamptz NOT NULL,
    pauses smallint NOT NULL DEFAULT 1,
    closed_at timestamptz
);
CREATE UNIQUE INDEX incidents_open ON incidents (error_class) WHERE closed_at IS NULL;
CREATE INDEX incidents_recent ON incidents (opened_at);
CREATE INDEX IF NOT EXISTS publication_attempts_started ON publication_attempts (started_at);

-- Numbers over time, as the platform gave them.

CREATE TABLE analytics_snapshots (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
    -- NULL: the account's own numbers.
    publication_id uuid,
    source text NOT NULL CHECK (source IN ('profile', 'account_insights', 'media_insights')),
    -- What the numbers cover; without a begin: all there was until then.
    window_from timestamptz,
    window_to timestamptz NOT NULL,
    -- Every metric that was asked for; null where the platform had no number, which is not 0.
    metrics jsonb NOT NULL,
    captured_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (user_id, account_id) REFERENCES accounts (user_id, id) ON DELETE CASCADE
);
CREATE INDEX analytics_snapshots_page
    ON analytics_snapshots (user_id, account_id, source, captured_at DESC, id DESC);
CREATE INDEX analytics_snapshots_publication ON analytics_snapshots (publication_id, captured_at DESC)
    WHERE publication_id IS NOT NULL;
CREATE INDEX analytics_snapshots_age ON analytics_snapshots (captured_at);
