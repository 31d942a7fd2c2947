"""Rules over the facts of a monorepo."""
