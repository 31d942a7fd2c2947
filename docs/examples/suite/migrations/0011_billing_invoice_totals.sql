-- Asks with the rights of whoever reads it, so that row level security holds behind the view as well.
CREATE VIEW billing.invoice_totals WITH (security_invoker = true) AS
SELECT
    i.id AS invoice_id,
    i.account_id,
    i.status,
    coalesce(sum(l.quantity * l.unit_cents), 0)::bigint AS total_cents
FROM billing.invoices AS i
LEFT JOIN billing.invoice_lines AS l ON l.invoice_id = i.id
GROUP BY i.id;

COMMENT ON VIEW billing.invoice_totals IS 'Each invoice with the sum of its lines.';
