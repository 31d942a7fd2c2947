CREATE TABLE app.greetings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    audience text NOT NULL UNIQUE,
    body text NOT NULL CHECK (body <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE app.greetings IS 'One greeting an audience; the website shows the one for visitors.';
