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
-- One that is paused or removed stays in it for what came due before that.
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at <= least(paused_at, removed_at, 'infinity');
CREATE INDEX schedules_post ON schedules (post_id) WHERE post_id IS NOT NULL AND removed_at IS NULL;
-- Removed ones too: with the row of a queue or a group every reference to it goes.
CREATE INDEX schedules_queue ON schedules (post_queue_id) WHERE post_queue_id IS NOT NULL;
CREATE INDEX schedules_group ON schedules (group_id) WHERE group_id IS NOT NULL;
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
    -- When it was last given a job.
    asked_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    UNIQUE (schedule_id, local_date, slot),
    FOREIGN KEY (user_id, schedule_id) REFERENCES schedules (user_id, id) ON DELETE CASCADE
);
CREATE INDEX schedule_occurrences_page ON schedule_occurrences (user_id, schedule_id, due_at DESC, id DESC);
CREATE INDEX schedule_occurrences_pending ON schedule_occurrences (asked_at) WHERE state = 'pending';
CREATE INDEX schedule_occurrences_age ON schedule_occurrences (due_at);

ALTER TABLE distributions
    ADD COLUMN schedule_id uuid,
    ADD FOREIGN KEY (user_id, schedule_id) REFERENCES schedules (user_id, id);
CREATE INDEX distributions_schedule ON distributions (user_id, schedule_id, created_at DESC, id DESC)
    WHERE schedule_id IS NOT NULL;

-- Health: what the platform last said of an account, and when it is asked again.

CREATE TABLE health_checks (
    account_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    -- The next look. Whoever takes it sets this ahead, and writes only while it stands as set.
    next_check_at timestamptz NOT NULL DEFAULT now(),
    -- Looks before that only judge the account anew; from then on the platform is asked as well.
    ask_at timestamptz NOT NULL DEFAULT now(),
    -- When the platform answered last.
    checked_at timestamptz,
    -- Looks in a row that brought no answer; they say nothing of the account.
    unanswered smallint NOT NULL DEFAULT 0,
    -- What the last answer said: NULL before the first.
    finding text CHECK (finding IN ('ok', 'reauth', 'checkpoint', 'permission', 'other_account')),
    -- Since when the platform refuses a token that it had taken before; NULL where it takes it, or never did.
    refused_at timestamptz,
    quota_used integer,
    -- Share of the call limit in use, in percent, as its headers told.
    usage_percent smallint,
    followers_count bigint,
    media_count bigint,
    -- Numbers are collected on a rhythm of their own.
    analytics_due_at timestamptz NOT NULL DEFAULT now(),
    -- The permission to read insights was missing then: they are asked for again with a newer token.
    insights_refused_at timestamptz,
    FOREIGN KEY (user_id, account_id) REFERENCES accounts (user_id, id) ON DELETE CASCADE
);
CREATE INDEX health_checks_due ON health_checks (next_check_at);
-- What hits many accounts at once: those that are refused since so long, of those that were answered.
CREATE INDEX health_checks_refused ON health_checks (refused_at) WHERE refused_at IS NOT NULL;
CREATE INDEX health_checks_answered ON health_checks (checked_at);
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
    -- How much each component counted in it; together 1.
    ADD COLUMN weights jsonb NOT NULL DEFAULT '{}',
    -- Publications due within seven days, at least 1: how much hangs on the account.
    ADD COLUMN exposure integer NOT NULL DEFAULT 1 CHECK (exposure >= 1);
-- All accounts are seen together from the index alone.
DROP INDEX health_scores_worst;
CREATE INDEX health_scores_worst ON health_scores (user_id, score, account_id) INCLUDE (band, exposure);

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
CREATE INDEX accounts_waived ON accounts (caution_waived_until) WHERE caution_waived_until IS NOT NULL;
-- What waits for a halved cap goes on when the account is at risk no more.
CREATE INDEX IF NOT EXISTS publications_health_cap ON publications (account_id)
    WHERE state = 'scheduled' AND reason = 'health_cap';
-- Which tokens end soon.
CREATE INDEX accounts_token_expiry ON accounts (user_id, token_expires_at) WHERE removed_at IS NULL;
-- When all accounts of a tenant are looked at together again, whatever happens.
ALTER TABLE users ADD COLUMN monitor_at timestamptz NOT NULL DEFAULT now();
UPDATE users SET monitor_at = now() + random() * interval '15 minutes';

-- Alerts: one live one for each thing that is wrong with each subject.

CREATE TABLE alerts (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    code text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    -- How far it has come within its severity.
    stage smallint NOT NULL DEFAULT 0,
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'resolved')),
    text text NOT NULL,
    advice text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    -- How often something new was said of it while it was live, and when last.
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
CREATE UNIQUE INDEX alerts_live ON alerts (user_id, code, subject_id) INCLUDE (severity) WHERE state <> 'resolved';
CREATE INDEX alerts_page ON alerts (user_id, opened_at DESC, id DESC);
CREATE INDEX alerts_state_page ON alerts (user_id, state, opened_at DESC, id DESC);
CREATE INDEX alerts_code_page ON alerts (user_id, code, opened_at DESC, id DESC);
CREATE INDEX alerts_subject_page ON alerts (user_id, subject_id, opened_at DESC, id DESC);
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE state = 'resolved';

-- Incidents: one class of error that hits many accounts at once is the app's trouble, and no account's.

CREATE TABLE incidents (
    id uuid PRIMARY KEY,
    error_class text NOT NULL,
    accounts integer NOT NULL,
    -- Of the accounts that tried to publish.
    share double precision NOT NULL,
    -- The tenants with accounts that it hit.
    user_ids uuid[] NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    -- The app calls nobody until then.
    paused_until timestamptz NOT NULL,
    pauses smallint NOT NULL DEFAULT 1,
    closed_at timestamptz
);
CREATE UNIQUE INDEX incidents_open ON incidents (error_class) WHERE closed_at IS NULL;
CREATE INDEX incidents_recent ON incidents (opened_at);
-- What was still open at a time, and what is over since a while.
CREATE INDEX incidents_end ON incidents (coalesce(closed_at, 'infinity'));
CREATE INDEX IF NOT EXISTS publication_attempts_started ON publication_attempts (started_at);

-- What scores are made of, account by account: refusals of tries, what ended without being live, what is due.

ALTER TABLE publication_attempts ADD COLUMN account_id uuid;
UPDATE publication_attempts AS attempts SET account_id = publications.account_id
FROM publications
WHERE publications.id = attempts.publication_id AND attempts.error IS NOT NULL
  AND attempts.started_at > now() - interval '14 days';
CREATE INDEX publication_attempts_refused ON publication_attempts (account_id, started_at) WHERE error IS NOT NULL;
CREATE INDEX IF NOT EXISTS publications_ended_badly ON publications (account_id, updated_at)
    WHERE state IN ('failed', 'outcome_unknown');
CREATE INDEX IF NOT EXISTS publications_due ON publications (account_id, publish_at) WHERE state IN ('scheduled', 'held');
-- A better band that has lasted is taken.
CREATE INDEX health_scores_rising ON health_scores (rising_since) WHERE rising_since IS NOT NULL;

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
    until_day date NOT NULL GENERATED ALWAYS AS ((window_to AT TIME ZONE 'UTC')::date) STORED,
    -- Of a publication: the age that it was due at, in seconds.
    due_age_s integer,
    -- Every metric that was asked for; null where the platform had no number, which is not 0.
    metrics jsonb NOT NULL,
    captured_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (user_id, account_id) REFERENCES accounts (user_id, id) ON DELETE CASCADE,
    CHECK ((publication_id IS NULL) = (due_age_s IS NULL))
);
CREATE INDEX analytics_snapshots_page ON analytics_snapshots (user_id, account_id, captured_at DESC, id DESC);
-- However often a job is repeated, each number is kept once: of an account one a day from each source, of a publication
-- one at each age. The one before is found by the same.
CREATE UNIQUE INDEX analytics_snapshots_daily ON analytics_snapshots (account_id, source, until_day)
    WHERE publication_id IS NULL;
CREATE UNIQUE INDEX analytics_snapshots_publication ON analytics_snapshots (publication_id, due_age_s)
    WHERE publication_id IS NOT NULL;
CREATE INDEX analytics_snapshots_age ON analytics_snapshots (captured_at);

-- When an account's numbers are collected next: each day of UTC at a time of its own.
CREATE FUNCTION next_analytics_at(account_id uuid) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN at > now() THEN at ELSE at + interval '24 hours' END
    FROM (
        SELECT date_trunc('day', now(), 'UTC')
               + (get_byte(uuid_send(account_id), 14) * 256 + get_byte(uuid_send(account_id), 15)) / 65536::float8
                 * interval '24 hours' AS at
    ) AS today
$$;

-- Finished publications move out of the table that is written most, and so its queries stay as fast as they are. What
-- clients may still ask is kept, tries and all; by the month in which they ended, so that a month is dropped whole. No
-- foreign keys: to drop a month would lock the tables they point to.

CREATE TABLE publications_archive (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
    post_id uuid NOT NULL,
    distribution_id uuid,
    state text NOT NULL CHECK (state IN ('published', 'failed', 'canceled', 'missed')),
    reason text,
    publish_at timestamptz NOT NULL,
    max_lateness_s integer,
    revision integer NOT NULL,
    attempt integer NOT NULL,
    max_attempts integer NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    media_id text,
    permalink text,
    published_at timestamptz,
    error jsonb,
    created_at timestamptz NOT NULL,
    -- When it ended: nothing changes it after that.
    updated_at timestamptz NOT NULL,
    -- The newest hundred tries, the newest first.
    attempts jsonb NOT NULL,
    PRIMARY KEY (id, updated_at)
) PARTITION BY RANGE (updated_at);
CREATE INDEX publications_archive_page ON publications_archive (user_id, created_at DESC, id DESC);
CREATE INDEX publications_archive_account_page ON publications_archive (user_id, account_id, created_at DESC, id DESC);
-- Also the accounts on which a post was published, for the check for duplicates.
CREATE INDEX publications_archive_post_page ON publications_archive (user_id, post_id, created_at DESC, id DESC)
    INCLUDE (account_id, state);
CREATE INDEX publications_archive_distribution_page
    ON publications_archive (user_id, distribution_id, created_at DESC, id DESC) WHERE distribution_id IS NOT NULL;
-- Takes rows only if their month was not made in time; nothing is ever refused for want of a partition.
CREATE TABLE publications_archive_default PARTITION OF publications_archive DEFAULT;

-- What is to be moved: one entry, written once, when a publication ends.
CREATE INDEX IF NOT EXISTS publications_ended ON publications (updated_at)
    WHERE state IN ('published', 'failed', 'canceled', 'missed');

-- What is in the archive still counts; what the archive has dropped, too.
ALTER TABLE posts ADD COLUMN archived_counts jsonb NOT NULL DEFAULT '{}';
ALTER TABLE distributions ADD COLUMN archived_counts jsonb NOT NULL DEFAULT '{}';
CREATE FUNCTION add_counts(known jsonb, more jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(key, number), '{}')
    FROM (
        SELECT key, sum(value::bigint) AS number
        FROM (SELECT * FROM jsonb_each_text(known) UNION ALL SELECT * FROM jsonb_each_text(more)) AS counts
        GROUP BY key
    ) AS sums
$$;

-- Makes the months from that of the oldest finished publication to this one, and drops those that ended `keep_days` ago;
-- 0 keeps them all. Returns how many were dropped.
CREATE FUNCTION roll_archive_partitions(keep_days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    oldest timestamptz := (
        SELECT min(updated_at) FROM publications WHERE state IN ('published', 'failed', 'canceled', 'missed')
    );
    month timestamp;
    part record;
    dropped integer := 0;
BEGIN
    FOR month IN
        SELECT generate_series(
            greatest(
                date_trunc('month', least(oldest AT TIME ZONE 'UTC', this_month)), this_month - interval '10 years'
            ),
            this_month, interval '1 month'
        )
    LOOP
        CONTINUE WHEN to_regclass('publications_archive_' || to_char(month, 'YYYYMM')) IS NOT NULL;
        CONTINUE WHEN keep_days > 0 AND (month + interval '1 month') AT TIME ZONE 'UTC'
                                        < now() - make_interval(days => keep_days);
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM publications_archive_default
            WHERE updated_at >= month AT TIME ZONE 'UTC'
              AND updated_at < (month + interval '1 month') AT TIME ZONE 'UTC'
        );
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF publications_archive FOR VALUES FROM (%L) TO (%L)',
            'publications_archive_' || to_char(month, 'YYYYMM'),
            month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC'
        );
    END LOOP;
    IF keep_days = 0 THEN
        RETURN 0;
    END IF;
    FOR part IN
        SELECT inhrelid::regclass::text AS name FROM pg_inherits
        WHERE inhparent = 'publications_archive'::regclass
          AND inhrelid::regclass::text ~ '^publications_archive_[0-9]{6}$'
    LOOP
        month := to_date(right(part.name, 6), 'YYYYMM');
        IF (month + interval '1 month') AT TIME ZONE 'UTC' < now() - make_interval(days => keep_days) THEN
            EXECUTE format('DROP TABLE %I', part.name);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    DELETE FROM publications_archive_default WHERE updated_at < now() - make_interval(days => keep_days);
    RETURN dropped;
END
$$;
SELECT roll_archive_partitions(0);
