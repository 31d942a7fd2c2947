"""Facts about a monorepo, read-only."""
