CREATE TABLE billing.payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    invoice_id bigint NOT NULL REFERENCES billing.invoices (id),
    cents bigint NOT NULL CHECK (cents <> 0),
    provider_reference text NOT NULL UNIQUE,
    received_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN billing.payments.cents IS 'Negative where money went back.';

CREATE INDEX payments_invoice ON billing.payments (invoice_id);

ALTER TABLE billing.payments ENABLE ROW LEVEL SECURITY;

CREATE POLICY payments_of_visible_invoices ON billing.payments
USING (EXISTS (SELECT FROM billing.invoices AS i WHERE i.id = invoice_id));
