"""The proof that a database can be rebuilt from its migrations alone, in a throw-away cluster."""
