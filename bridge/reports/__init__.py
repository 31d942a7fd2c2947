"""One report model, many faces."""
