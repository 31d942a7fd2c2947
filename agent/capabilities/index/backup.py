"""Backups: of the database on the host, and of everything off the host."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "db.backup",
        role="operator",
        changes=True,
        module="agent.capabilities.db_backup",
        summary_en="Save the database under a name (backupName=NAME; by default a name made of the time).",
        summary_fr="Sauvegarder la base sous un nom (backupName=NOM ; par défaut un nom fait de l'heure).",
        takes=("backupName",),
    ),
    Capability(
        "db.list_backups",
        role="observer",
        changes=False,
        module="agent.capabilities.db_list_backups",
        summary_en="The backups of the database on this host, and what earlier restores have kept.",
        summary_fr="Les sauvegardes de la base sur cet hôte, et ce que des restaurations ont gardé.",
    ),
    Capability(
        "db.verify_backup",
        role="operator",
        changes=True,
        module="agent.capabilities.db_verify_backup",
        summary_en="Restore a backup somewhere else and compare it with what the database was (backupName=NAME).",
        summary_fr="Restaurer une sauvegarde ailleurs et la comparer à ce que la base était (backupName=NOM).",
        takes=("backupName",),
    ),
    Capability(
        "db.restore",
        role="operator",
        changes=True,
        module="agent.capabilities.db_restore",
        summary_en="Put a backup in the database's place; live is kept (backupName=NAME discard=ROWS).",
        summary_fr="Mettre une sauvegarde à la place de la base, gardée à côté (backupName=NOM discard=LIGNES).",
        takes=("backupName", "discard"),
    ),
    Capability(
        "backup.push",
        role="operator",
        changes=True,
        module="agent.capabilities.backup_push",
        summary_en="Send database, roles, volumes and environment files off this host, encrypted.",
        summary_fr="Envoyer base, rôles, volumes et fichiers d'environnement hors de l'hôte, chiffrés.",
    ),
    Capability(
        "backup.list",
        role="observer",
        changes=False,
        module="agent.capabilities.backup_list",
        summary_en="The backup sets of an app that are off this host.",
        summary_fr="Les jeux de sauvegarde d'une application hors de l'hôte.",
    ),
    Capability(
        "backup.fetch",
        role="operator",
        changes=True,
        module="agent.capabilities.backup_fetch",
        summary_en="Bring a backup set back to this host, beside what is there (snapshot=ID; default: the newest).",
        summary_fr="Rapporter un jeu de sauvegarde sur l'hôte, à côté de l'existant (snapshot=ID, sinon le dernier).",
        takes=("snapshot",),
    ),
)
