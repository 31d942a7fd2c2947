"""``python -m bridge``."""

import gc

# Importing the libraries makes a hundred thousand objects that all stay: looking for garbage among them costs a fifth
# of the time of a short command.
gc.set_threshold(100_000, 50, 50)

from bridge.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
