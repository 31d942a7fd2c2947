-- The application says on whose behalf it asks: SET LOCAL app.account_id = '...'. Without it no row is visible.
CREATE FUNCTION app.current_account() RETURNS uuid
LANGUAGE sql STABLE
SET search_path = ''
AS $$ SELECT nullif(current_setting('app.account_id', true), '')::uuid $$;
