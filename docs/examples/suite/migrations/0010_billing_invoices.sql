CREATE TYPE billing.invoice_status AS ENUM ('draft', 'open', 'paid', 'void');

CREATE TABLE billing.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES app.accounts (id),
    status billing.invoice_status NOT NULL DEFAULT 'draft',
    due_on date,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (status = 'draft' OR due_on IS NOT NULL)
);

CREATE TABLE billing.invoice_lines (
    invoice_id bigint NOT NULL REFERENCES billing.invoices (id) ON DELETE CASCADE,
    position bigint NOT NULL CHECK (position > 0),
    description text NOT NULL,
    quantity bigint NOT NULL DEFAULT 1 CHECK (quantity > 0),
    unit_cents bigint NOT NULL,
    PRIMARY KEY (invoice_id, position)
);

CREATE INDEX invoices_account ON billing.invoices (account_id, created_at DESC);

CREATE TRIGGER invoices_touch_updated_at
BEFORE UPDATE ON billing.invoices
FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

ALTER TABLE billing.invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.invoice_lines ENABLE ROW LEVEL SECURITY;

CREATE POLICY invoices_of_account ON billing.invoices
USING (account_id = (SELECT app.current_account()));

CREATE POLICY lines_of_visible_invoices ON billing.invoice_lines
USING (EXISTS (SELECT FROM billing.invoices AS i WHERE i.id = invoice_id));
