"""Programs that run on the host itself, sent over standard input: standard library only, Python 3.8 and newer."""
