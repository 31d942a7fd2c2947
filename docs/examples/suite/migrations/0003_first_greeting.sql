INSERT INTO app.greetings (audience, body)
VALUES ('visitor', 'Hello from PostgreSQL')
ON CONFLICT (audience) DO NOTHING;
