"""One deployment as a durable thing: journal, lock, steps with undo, recovery."""
