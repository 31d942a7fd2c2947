-- The default keeps releases working that know nothing of languages.
ALTER TABLE app.greetings ADD COLUMN language text NOT NULL DEFAULT 'en';

COMMENT ON COLUMN app.greetings.language IS 'BCP 47 tag of the language that the body is written in.';
