CREATE TABLE app.heartbeats (
    worker text PRIMARY KEY,
    beats bigint NOT NULL DEFAULT 1 CHECK (beats > 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    beaten_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE app.heartbeats IS 'When each worker last did its work.';
