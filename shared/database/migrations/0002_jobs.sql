-- Recurring jobs: cron beside a fixed rhythm, what to do about due times that were slept through, a pause.

ALTER TABLE recurring_jobs
    ALTER COLUMN every_ms DROP NOT NULL,
    ADD COLUMN cron text,
    ADD COLUMN zone text,
    ADD COLUMN misfire text NOT NULL DEFAULT 'once' CHECK (misfire IN ('skip', 'once', 'catch_up')),
    -- The version of the payload; a firing is upcast like any other job.
    ADD COLUMN version smallint NOT NULL DEFAULT 1,
    -- Where the job's options differ from those of its type.
    ADD COLUMN options jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN paused_at timestamptz,
    -- Set with paused_at when the scheduler itself gave up on the row: a cron line or zone nobody can compute any more.
    ADD COLUMN error text,
    ADD COLUMN last_fired_at timestamptz,
    ADD CONSTRAINT recurring_jobs_rhythm CHECK ((every_ms IS NULL) = (cron IS NOT NULL AND zone IS NOT NULL)),
    ADD CONSTRAINT recurring_jobs_zone CHECK (cron IS NOT NULL OR zone IS NULL);
DROP INDEX recurring_jobs_due;
CREATE INDEX recurring_jobs_due ON recurring_jobs (next_due_at) WHERE paused_at IS NULL;
CREATE INDEX recurring_jobs_type ON recurring_jobs (type);

-- Dead jobs: with every attempt, and with what a second life needs. The id is the job's own.

ALTER TABLE dead_jobs
    ADD COLUMN priority smallint NOT NULL DEFAULT 3 CHECK (priority BETWEEN 1 AND 5),
    -- [{"attempt", "at", "error"}], oldest first.
    ADD COLUMN failures jsonb NOT NULL DEFAULT '[]';
CREATE INDEX dead_jobs_filter ON dead_jobs (type, reason, died_at DESC);

-- How often a job began whose worker may have died of it. A row lives from such a start to the job's orderly end.

CREATE TABLE job_starts (
    type text NOT NULL,
    subject text NOT NULL,
    starts integer NOT NULL,
    last_started_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (type, subject)
);

-- What each process counted of its jobs, written every few seconds.

CREATE TABLE job_stats (
    worker text NOT NULL,
    type text NOT NULL,
    completed bigint NOT NULL,
    failed bigint NOT NULL,
    active integer NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (worker, type)
);
