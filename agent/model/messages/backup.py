"""Restore points, backups, restoring, backup sets."""

from __future__ import annotations

from typing import Final

from agent.model.messages import Message

_LIST_EN: Final = "See what there is: python -m bridge call db.list_backups{of}"
_LIST_FR: Final = "Voyez ce qu'il y a : python -m bridge call db.list_backups{of}"
_WAYS_EN: Final = (
    "Raise backups.max_minutes or backups.max_gb in the contract. Or choose, for this deployment: only the tables that its migrations touch "
    "(--accept restore-point:tables), a snapshot that you have made yourself (--accept restore-point:snapshot:NAME), a named point in the "
    "server's log where that is archived and the cluster serves this app alone (--accept restore-point:wal), or, where the migrations only "
    "add, none (--accept restore-point:skip; it is audited)."
)
_WAYS_FR: Final = (
    "Augmentez backups.max_minutes ou backups.max_gb dans le contrat. Ou choisissez, pour ce déploiement : les seules tables touchées par "
    "ses migrations (--accept restore-point:tables), un instantané que vous avez fait vous-même (--accept restore-point:snapshot:NOM), un "
    "point nommé dans le journal du serveur si celui-ci est archivé et que le serveur ne sert que cette application (--accept "
    "restore-point:wal) ou, si les migrations ne font qu'ajouter, aucun (--accept restore-point:skip ; c'est consigné)."
)

MESSAGES: Final[dict[str, Message]] = {
    "backup.name": Message(
        "“{name}” is no name of a backup.",
        "« {name} » n'est pas un nom de sauvegarde.",
        "A name has letters, digits, “.”, “_” and “-”; it is never a path: backupName=shop-20260101",
        "Un nom a des lettres, des chiffres, « . », « _ » et « - » ; ce n'est jamais un chemin : backupName=shop-20260101",
    ),
    "backup.exists": Message(
        "There is a backup named {name} already.",
        "Il y a déjà une sauvegarde nommée {name}.",
        "Choose another name; none is ever overwritten.",
        "Choisissez un autre nom ; aucune n'est jamais écrasée.",
    ),
    "restore_point.environment": Message(
        "none: the connection is the environment's, not the app's own",
        "aucun : la connexion est celle de l'environnement, pas celle de l'application",
    ),
    "backup.unknown": Message(
        "There is no backup named {name}.", "Il n'y a pas de sauvegarde nommée {name}.", _LIST_EN, _LIST_FR
    ),
    "backup.no_programs": Message(
        "This host has no pg_dump and pg_restore of PostgreSQL {major}, the server's major version.",
        "Cet hôte n'a ni pg_dump ni pg_restore de PostgreSQL {major}, la version majeure du serveur.",
        "Install them: apt-get install postgresql-client-{major}",
        "Installez-les : apt-get install postgresql-client-{major}",
    ),
    "backup.disk_full": Message(
        "The disk is full: the backup could not be written, and nothing of it was left.",
        "Le disque est plein : la sauvegarde n'a pas pu être écrite, et rien n'en est resté.",
        "Free space in /var/backups/ikoma, then run the command again.",
        "Libérez de la place dans /var/backups/ikoma, puis relancez la commande.",
    ),
    "backup.failed": Message(
        "{program} failed: {said}",
        "{program} a échoué : {said}",
        "If it may not read something, grant it to the role of SUPABASE_DB_DSN, or give the host an “admin_dsn”; then run the command again.",
        "S'il n'a pas le droit de lire, accordez-le au rôle de SUPABASE_DB_DSN, ou donnez à l'hôte un « admin_dsn » ; puis relancez la commande.",
    ),
    "backup.damaged": Message(
        "The backup {name} is not what was written: {file} is missing, or its checksum differs.",
        "La sauvegarde {name} n'est pas ce qui a été écrit : {file} manque, ou sa somme de contrôle diffère.",
        "Take another one (python -m bridge call db.list_backups{of}), or fetch one from outside (python -m bridge call backup.list{of}).",
        "Prenez-en une autre (python -m bridge call db.list_backups{of}), ou faites-en venir une de l'extérieur (python -m bridge call backup.list{of}).",
    ),
    "backup.partial": Message(
        "The backup {name} holds a few tables alone: {tables}.",
        "La sauvegarde {name} ne contient que quelques tables : {tables}.",
        "Take rows from it by hand: pg_restore --data-only --table=NAME on the host.",
        "Reprenez-en des lignes à la main : pg_restore --data-only --table=NOM sur l'hôte.",
    ),
    "backup.not_same": Message(
        "Restored somewhere else, the backup {name} is not what the database was ({count}): {objects}.",
        "Restaurée ailleurs, la sauvegarde {name} n'est pas ce que la base était ({count}) : {objects}.",
        "The live database was not touched. Make another backup: python -m bridge call db.backup{of}",
        "La base en service n'a pas été touchée. Faites une autre sauvegarde : python -m bridge call db.backup{of}",
    ),
    "backup.no_scratch_disk": Message(
        "To restore the backup for a trial, {needed} MB must be free; {free} MB are.",
        "Pour restaurer la sauvegarde à l'essai, il faut {needed} Mo libres ; il y en a {free}.",
        "Free space, or set backups.verify to “never”.",
        "Libérez de la place, ou mettez backups.verify à « never ».",
    ),
    "backup.over_trial": Message(
        "Restored for a trial, the backup {name} filled {used} MB of disk, of {most} MB that it may: its database had {size} MB. The trial was stopped.",
        "Restaurée à l'essai, la sauvegarde {name} a rempli {used} Mo de disque, sur {most} Mo permis : sa base avait {size} Mo. L'essai a été arrêté.",
        "The live database was not touched. Make another backup, for this one does not say how big it is: python -m bridge call db.backup{of}",
        "La base en service n'a pas été touchée. Faites une autre sauvegarde, car celle-ci ne dit pas sa taille : python -m bridge call db.backup{of}",
    ),
    "backup.would_lose": Message(
        "Since the backup {name} ({created}), {count} rows were written; they would be lost: {tables}.",
        "Depuis la sauvegarde {name} ({created}), {count} lignes ont été écrites ; elles seraient perdues : {tables}.",
        "If that is meant, say how many you accept to lose: discard={count}",
        "Si c'est voulu, dites combien vous acceptez d'en perdre : discard={count}",
    ),
    "backup.may_lose": Message(
        "Since the backup {name} ({created}), at least {count} rows were written, and the server's counters do not reach back to it: {tables}.",
        "Depuis la sauvegarde {name} ({created}), au moins {count} lignes ont été écrites, et les compteurs du serveur ne remontent pas jusque-là : {tables}.",
        "If whatever was written since may be lost, say so: discard=all",
        "Si tout ce qui a été écrit depuis peut être perdu, dites-le : discard=all",
    ),
    "backup.discard": Message(
        "“{value}” is neither a number of rows nor “all”.",
        "« {value} » n'est ni un nombre de lignes ni « all ».",
        "Write discard=120, or discard=all.",
        "Écrivez discard=120, ou discard=all.",
    ),
    "backup.other_schema": Message(
        "The release that serves needs migrations that the backup {name} does not have: {migrations}.",
        "La livraison en service exige des migrations que la sauvegarde {name} n'a pas : {migrations}.",
        "Go back to the release together with its data, or choose a later backup (python -m bridge call db.list_backups{of}).",
        "Revenez à la livraison avec ses données, ou choisissez une sauvegarde plus récente (python -m bridge call db.list_backups{of}).",
    ),
    "backup.busy": Message(
        "{count} sessions of the database {database} did not end.",
        "{count} sessions de la base {database} ne se sont pas terminées.",
        "See whose they are (select * from pg_stat_activity), end them, then run the command again.",
        "Voyez à qui elles sont (select * from pg_stat_activity), terminez-les, puis relancez la commande.",
    ),
    "backup.entangled": Message(
        "The schemas {schemas} cannot be replaced: what lies outside holds on to them ({count}): {objects}.",
        "Les schémas {schemas} ne peuvent pas être remplacés : des objets extérieurs s'y accrochent ({count}) : {objects}.",
        "Give the host an “admin_dsn” that may rename the database, or drop these objects and make them again afterwards.",
        "Donnez à l'hôte un « admin_dsn » qui peut renommer la base, ou supprimez ces objets et refaites-les ensuite.",
    ),
    "backup.no_mover": Message(
        "Nobody here may rename the database {database} back.",
        "Personne ici ne peut rendre son nom à la base {database}.",
        "Give the host its administrator's connection again (“admin_dsn”); the agent then finishes by itself.",
        "Rendez à l'hôte sa connexion d'administrateur (« admin_dsn ») ; l'agent terminera alors de lui-même.",
    ),
    "backup.over_minutes": Message(
        "{what} of the database ({size} MB) would take about {minutes} minutes; the contract allows {allowed}.",
        "{what} de la base ({size} Mo) durerait environ {minutes} minutes ; le contrat en permet {allowed}.",
        _WAYS_EN,
        _WAYS_FR,
    ),
    "backup.over_gb": Message(
        "{what} of the database ({size} MB) would take about {gb} GB; the contract allows {allowed}.",
        "{what} de la base ({size} Mo) prendrait environ {gb} Go ; le contrat en permet {allowed}.",
        _WAYS_EN,
        _WAYS_FR,
    ),
    "backup.no_space": Message(
        "{what} would take about {needed} MB in {folder}, where {free} MB are free.",
        "{what} prendrait environ {needed} Mo dans {folder}, où {free} Mo sont libres.",
        "Free space there. " + _WAYS_EN,
        "Libérez-y de la place. " + _WAYS_FR,
    ),
    "backup.what.dump": Message("The restore point", "Le point de restauration"),
    "backup.what.proof": Message("The proof of rebuild", "La preuve de reconstruction"),
    "backup.what.verify": Message("The verification of the restore point", "La vérification du point de restauration"),
    "backup.not_additive": Message(
        "Without a restore point only migrations may run that surely add; {file}:{line} may do more: {statement}",
        "Sans point de restauration, seules des migrations qui ajoutent à coup sûr peuvent s'exécuter ; {file}:{line} peut faire plus : {statement}",
        "Take a restore point, or name a snapshot of your own: --accept restore-point:snapshot:NAME",
        "Prenez un point de restauration, ou nommez un instantané à vous : --accept restore-point:snapshot:NOM",
    ),
    "backup.untold": Message(
        "Which tables the migrations touch cannot be told from {file}:{line}: {statement}",
        "On ne peut pas dire quelles tables les migrations touchent d'après {file}:{line} : {statement}",
        "Take a whole restore point, or name a snapshot of your own: --accept restore-point:snapshot:NAME",
        "Prenez un point de restauration entier, ou nommez un instantané à vous : --accept restore-point:snapshot:NOM",
    ),
    "backup.choice": Message(
        "“restore-point:{choice}” is no choice.",
        "« restore-point:{choice} » n'est pas un choix.",
        "Choose restore-point:tables, restore-point:snapshot:NAME, restore-point:wal or restore-point:skip.",
        "Choisissez restore-point:tables, restore-point:snapshot:NOM, restore-point:wal ou restore-point:skip.",
    ),
    "backup.estimate": Message(
        "Restore point: about {dump_seconds} s and {dump_mb} MB; verification ({policy}): about {verify_seconds} s and {verify_mb} MB; proof: about {proof_seconds} s (budget {minutes} min, {gb} GB each).",
        "Point de restauration : environ {dump_seconds} s et {dump_mb} Mo ; vérification ({policy}) : environ {verify_seconds} s et {verify_mb} Mo ; preuve : environ {proof_seconds} s (budget {minutes} min, {gb} Go chacun).",
    ),
    "backup.done": Message("{name}: {mb} MB", "{name} : {mb} Mo"),
    "backup.verified": Message(
        "restored for a trial, {tables} tables and {rows} rows equal",
        "restaurée à l'essai, {tables} tables et {rows} lignes égales",
    ),
    "backup.skipped": Message(
        "No restore point is taken, as was asked: going back to the data of before will not be possible.",
        "Aucun point de restauration n'est pris, comme demandé : revenir aux données d'avant ne sera pas possible.",
    ),
    "backup.trusted": Message(
        "the snapshot {name}, which somebody made elsewhere", "l'instantané {name}, fait ailleurs par quelqu'un"
    ),
    "backup.no_wal": Message(
        "A named point in the server's log is no restore point here: {reason}.",
        "Un point nommé dans le journal du serveur n'est pas ici un point de restauration : {reason}.",
        "Leave --accept restore-point:wal away: the database is then saved by pg_dump.",
        "Retirez --accept restore-point:wal : la base est alors sauvegardée par pg_dump.",
    ),
    "backup.wal.off": Message(
        "the server does not archive its log (archive_mode, archive_command)",
        "le serveur n'archive pas son journal (archive_mode, archive_command)",
    ),
    "backup.wal.failing": Message(
        "nothing was archived since the last failure ({file}; see pg_stat_archiver)",
        "rien n'a été archivé depuis le dernier échec ({file} ; voir pg_stat_archiver)",
    ),
    "backup.wal.rights": Message(
        "the role {role} may not call pg_create_restore_point and pg_switch_wal",
        "le rôle {role} ne peut appeler ni pg_create_restore_point ni pg_switch_wal",
    ),
    "backup.wal.shared": Message(
        "going back to it would turn back other databases of the cluster too ({databases})",
        "y revenir ramènerait aussi en arrière d'autres bases du serveur ({databases})",
    ),
    "backup.wal_not_archived": Message(
        "The server named the point but did not archive its log ({file}).",
        "Le serveur a nommé le point mais n'a pas archivé son journal ({file}).",
        "See select * from pg_stat_archiver and the server's log; or leave --accept restore-point:wal away.",
        "Voyez select * from pg_stat_archiver et le journal du serveur ; ou retirez --accept restore-point:wal.",
    ),
    "backup.marked": Message(
        "{name} in the server's archive ({lsn}); recovery_target_name of your archive's tool goes back to it",
        "{name} dans l'archive du serveur ({lsn}) ; recovery_target_name de votre outil d'archive y revient",
    ),
    "restore.filling": Message(
        "Restoring {name} into {database}, beside live.",
        "Restauration de {name} dans {database}, à côté de la base en service.",
    ),
    "restore.swapped": Message(
        "{database} is the restored database now; what it was is kept as {old}.",
        "{database} est désormais la base restaurée ; l'ancienne est gardée sous le nom {old}.",
    ),
    "restore.schemas": Message(
        "Replacing the schemas {schemas} by those of {name}, in one transaction.",
        "Remplacement des schémas {schemas} par ceux de {name}, en une transaction.",
    ),
    "restore.weighed": Message("{count} rows written since {created}", "{count} lignes écrites depuis {created}"),
    "restore.done": Message(
        "{name}; what was live is kept as {kept}", "{name} ; l'ancien état est gardé sous le nom {kept}"
    ),
    "backup.no_repository": Message(
        "This host has no place for backup sets: its settings name no repository.",
        "Cet hôte n'a pas de lieu pour les jeux de sauvegarde : ses réglages ne nomment aucun dépôt.",
        "Set “backup_repository” and “backup_password”: python -m bridge host bootstrap --settings FILE",
        "Définissez « backup_repository » et « backup_password » : python -m bridge host bootstrap --settings FICHIER",
    ),
    "backup.no_restic": Message(
        "restic is not installed on this host.",
        "restic n'est pas installé sur cet hôte.",
        "Install it: apt-get install restic",
        "Installez-le : apt-get install restic",
    ),
    "backup.repository": Message(
        "The repository of backup sets could not be used: {said}",
        "Le dépôt des jeux de sauvegarde n'a pas pu être utilisé : {said}",
        "Check that it can be reached, and “backup_repository”, “backup_password” and {file} on the host.",
        "Vérifiez qu'il est joignable, ainsi que « backup_repository », « backup_password » et {file} sur l'hôte.",
    ),
    "backup.loose": Message(
        "Others may read {file}: it holds passwords.",
        "D'autres peuvent lire {file} : il contient des mots de passe.",
        "On the host: chmod 600 {file}",
        "Sur l'hôte : chmod 600 {file}",
    ),
    "backup.no_set": Message(
        "There is no backup set {snapshot} of {slug} in the repository.",
        "Il n'y a pas de jeu de sauvegarde {snapshot} de {slug} dans le dépôt.",
        "See what there is: python -m bridge call backup.list{of}",
        "Voyez ce qu'il y a : python -m bridge call backup.list{of}",
    ),
    "backup.stale": Message(
        "The newest backup set of {slug} is {age} hours old (wanted: every {every}).",
        "Le jeu de sauvegarde le plus récent de {slug} a {age} heures (voulu : toutes les {every}).",
        "Make one now, and see why none came: python -m bridge call backup.push{of}",
        "Faites-en un maintenant, et voyez pourquoi il n'en est pas venu : python -m bridge call backup.push{of}",
    ),
    "backup.never": Message(
        "No backup set of {slug} has ever left this host.",
        "Aucun jeu de sauvegarde de {slug} n'a jamais quitté cet hôte.",
        "Make one now: python -m bridge call backup.push{of}",
        "Faites-en un maintenant : python -m bridge call backup.push{of}",
    ),
    "backup.pushed": Message("{snapshot}: {count} parts, {mb} MB", "{snapshot} : {count} parties, {mb} Mo"),
    "backup.fetched": Message("{snapshot} in {folder}", "{snapshot} dans {folder}"),
}
