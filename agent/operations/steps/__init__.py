"""The steps of a deployment, one small class each."""
