CREATE SCHEMA billing;

COMMENT ON SCHEMA billing IS 'Plans, subscriptions and invoices.';

CREATE TABLE billing.plans (
    code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9-]*$'),
    title text NOT NULL,
    monthly_cents bigint NOT NULL CHECK (monthly_cents >= 0),
    currency text NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$')
);

COMMENT ON COLUMN billing.plans.monthly_cents IS 'Price of one month in the hundredth part of the currency.';

INSERT INTO billing.plans (code, title, monthly_cents)
VALUES ('free', 'Free', 0), ('team', 'Team', 1900)
ON CONFLICT (code) DO NOTHING;
