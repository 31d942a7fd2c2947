"""The commands, one file each. A module here imports little: its work is imported when it is called."""
