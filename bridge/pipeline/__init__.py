"""The stages in order: check, plan, build, deploy."""
