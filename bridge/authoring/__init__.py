"""What an assistant may write: drafts that people read, on branches of their own, and notes of versions to come."""
