CREATE SCHEMA app;

COMMENT ON SCHEMA app IS 'What the application itself needs: greetings, accounts, heartbeats.';
