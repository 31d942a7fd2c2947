"""Backups of a target's database: made, kept, verified, and put back beside live, never over it.

What an operation's steps use:

``source.of(ctx) -> Source``
    the database, its folder below ``/var/backups/ikoma``, and who may rename it.
``store.find(folder, name) -> Backup`` and ``store.all_of(folder) -> list[Backup]``
    what there is. A release's record names the restore point taken before its migrations: ``record["restore_point"]``.
``restore.weigh(source, backup) -> Loss``
    what was written since the backup, counted; reads only.
``restore.restore(source, backup, discard, note, say) -> Restored``
    put it back. Services are stopped by the caller before, and started after. ``discard`` is how many written rows one
    accepts to lose (``"all"``: whatever it is); ``note(**facts)`` makes facts durable before each effect.
``restore.take_back(source, notes) -> str``
    the undo, from what was noted, by any process, as often as one likes; returns the name that serves again or "".

``agent.operations.steps.restore_database.RestoreDatabase(name, discard)`` is all of this as a step named
``restore-database``: ``[Weigh(name, discard), Stop(), RestoreDatabase(name, discard), …]``.
"""
