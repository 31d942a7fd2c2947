"""Ledger and applying of migrations."""
