CREATE TYPE app.member_role AS ENUM ('owner', 'member', 'guest');

CREATE TABLE app.accounts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE app.members (
    account_id uuid NOT NULL REFERENCES app.accounts (id) ON DELETE CASCADE,
    email text NOT NULL CHECK (email LIKE '%_@_%'),
    role app.member_role NOT NULL DEFAULT 'member',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, email)
);

-- One person may belong to several accounts; signing in asks for them by address, in any case.
CREATE INDEX members_email ON app.members (lower(email));

CREATE TRIGGER accounts_touch_updated_at
BEFORE UPDATE ON app.accounts
FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();
