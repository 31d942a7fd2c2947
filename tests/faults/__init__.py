"""Faults, for real: kills, cuts, bad releases, a full disk, a stopped registry."""
