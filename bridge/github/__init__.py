"""Pull requests, deployments, check runs, the Actions environment."""
