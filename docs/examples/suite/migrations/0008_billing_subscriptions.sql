CREATE TABLE billing.subscriptions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES app.accounts (id),
    plan_code text NOT NULL REFERENCES billing.plans (code),
    started_on date NOT NULL DEFAULT current_date,
    ended_on date,
    CHECK (ended_on IS NULL OR ended_on >= started_on)
);

-- An account has any number of past subscriptions and one present one.
CREATE UNIQUE INDEX subscriptions_one_present
ON billing.subscriptions (account_id) WHERE ended_on IS NULL;

CREATE INDEX subscriptions_plan ON billing.subscriptions (plan_code);
