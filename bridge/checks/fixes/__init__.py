"""Safe changes: what a finding can carry so that ``--fix`` repairs it."""
