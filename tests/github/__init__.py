"""Reports against a double of GitHub whose every request and answer is judged by GitHub's own description."""
