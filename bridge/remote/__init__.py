"""The SSH connection, the agent's client, host bootstrap."""
