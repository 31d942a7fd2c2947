"""Pure values without I/O: what both sides of the wire agree on."""
