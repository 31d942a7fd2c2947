"""The agent: a small program on the VPS that owns deployments. It never imports the bridge."""

__version__ = "0.1.0"
