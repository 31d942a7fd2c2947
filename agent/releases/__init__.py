"""The plan, roll-out, health gate, release records."""
