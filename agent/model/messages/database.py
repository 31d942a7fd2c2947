"""Connections, migrations, provisioning."""

from agent.model.messages import Message

_PUSH_EN = "Correct it: python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN"
_PUSH_FR = "Corrigez-la : python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN"
_REVIEW_EN = "Put a new file after the last one instead, then run the command again."
_REVIEW_FR = "Ajoutez plutôt un nouveau fichier après le dernier, puis relancez la commande."

MESSAGES = {
    "dsn.invalid": Message(
        "The value of {name} is no database connection: {reason}. It is not shown here.",
        "La valeur de {name} n'est pas une connexion à une base : {reason}. Elle n'est pas affichée ici.",
        "Write postgresql://user:password@host:5432/database, odd characters of the password as %XX.",
        "Écrivez postgresql://utilisateur:motdepasse@hôte:5432/base, les caractères spéciaux du mot de passe en %XX.",
    ),
    "database.no_dsn": Message(
        "The host has no database connection for {target} (SUPABASE_DB_DSN).",
        "L'hôte n'a pas de connexion à la base pour {target} (SUPABASE_DB_DSN).",
        "Give it one: python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN, or let the host make databases: “provision” in its settings.",
        "Donnez-lui-en une : python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN, ou laissez l'hôte créer les bases : « provision » dans ses réglages.",
    ),
    "database.no_release": Message(
        "No release of {target} serves yet, and none was sent along: there are no migrations to apply.",
        "Aucune livraison de {target} n'est en service, et aucune n'a été envoyée : il n'y a pas de migrations à appliquer.",
        "Deploy one: python -m bridge pipeline run{of}",
        "Déployez-en une : python -m bridge pipeline run{of}",
    ),
    "database.pooler": Message(
        "{where} is a transaction pooler; migrations need sessions and locks of their own.",
        "{where} est un pooler de transactions ; les migrations exigent une session et des verrous à elles.",
        "Use the direct connection, or the session pooler (port 5432), in SUPABASE_DB_DSN.",
        "Utilisez la connexion directe, ou le pooler de sessions (port 5432), dans SUPABASE_DB_DSN.",
    ),
    "database.unreachable": Message(
        "PostgreSQL cannot be reached at {where}: {reason}",
        "PostgreSQL est injoignable à {where} : {reason}",
        "Start it, or correct host and port: python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN",
        "Démarrez-le, ou corrigez hôte et port : python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN",
    ),
    "database.which_container": Message(
        "{host} is the service of several running containers ({containers}): which of them holds the database cannot be told.",
        "{host} est le service de plusieurs conteneurs en marche ({containers}) : on ne sait lequel contient la base.",
        "Name the container itself as host: python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN",
        "Nommez le conteneur lui-même comme hôte : python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN",
    ),
    "database.password": Message(
        "PostgreSQL refused the password or the role of {where}.",
        "PostgreSQL a refusé le mot de passe ou le rôle de {where}.",
        _PUSH_EN,
        _PUSH_FR,
    ),
    "database.not_allowed": Message(
        "PostgreSQL lets nobody connect as {where} from this host: {reason}",
        "PostgreSQL n'accepte pas de connexion {where} depuis cet hôte : {reason}",
        "Add a line for it to pg_hba.conf, or use another role in SUPABASE_DB_DSN.",
        "Ajoutez une ligne à pg_hba.conf, ou utilisez un autre rôle dans SUPABASE_DB_DSN.",
    ),
    "database.absent": Message(
        "The database of {where} does not exist.",
        "La base de {where} n'existe pas.",
        "Create it: python -m bridge call db.create{of}, or correct SUPABASE_DB_DSN.",
        "Créez-la : python -m bridge call db.create{of}, ou corrigez SUPABASE_DB_DSN.",
    ),
    "database.too_many": Message(
        "PostgreSQL at {where} has no connection left.",
        "PostgreSQL à {where} n'a plus de connexion disponible.",
        "Close idle ones or raise max_connections, then run the command again.",
        "Fermez les connexions inactives ou augmentez max_connections, puis relancez la commande.",
    ),
    "database.starting": Message(
        "PostgreSQL at {where} is starting up or shutting down.",
        "PostgreSQL à {where} démarre ou s'arrête.",
        "Wait a moment, then run the command again.",
        "Attendez un instant, puis relancez la commande.",
    ),
    "database.read_only": Message(
        "The database {where} takes no changes: it is a replica or set to read-only.",
        "La base {where} n'accepte pas de modification : c'est une réplique, ou elle est en lecture seule.",
        "Put the primary server into SUPABASE_DB_DSN, or unset default_transaction_read_only.",
        "Mettez le serveur primaire dans SUPABASE_DB_DSN, ou retirez default_transaction_read_only.",
    ),
    "database.rights": Message(
        "The role {role} lacks a right on the database {database}: {right}.",
        "Il manque au rôle {role} un droit sur la base {database} : {right}.",
        "As an administrator of the database: {grant}",
        "En tant qu'administrateur de la base : {grant}",
    ),
    "database.denied": Message(
        "PostgreSQL denied it to the role {role}: {reason}",
        "PostgreSQL l'a refusé au rôle {role} : {reason}",
        "Grant the right, or use the owner's connection in SUPABASE_DB_DSN.",
        "Accordez le droit, ou utilisez la connexion du propriétaire dans SUPABASE_DB_DSN.",
    ),
    "database.disk_full": Message(
        "The disk of PostgreSQL at {where} is full.",
        "Le disque de PostgreSQL à {where} est plein.",
        "Free space on the database's disk, then run the command again.",
        "Libérez de la place sur le disque de la base, puis relancez la commande.",
    ),
    "database.lost": Message(
        "The connection to {where} broke: {reason}",
        "La connexion à {where} s'est rompue : {reason}",
        "Nothing is lost: what is done is recorded. Run the command again; it goes on there.",
        "Rien n'est perdu : ce qui est fait est enregistré. Relancez la commande ; elle reprend là.",
    ),
    "database.failed": Message(
        "PostgreSQL at {where} answered: {reason} ({code})",
        "PostgreSQL à {where} a répondu : {reason} ({code})",
    ),
    "database.foreign": Message(
        "A database named {database} exists already and belongs to {owner}.",
        "Une base nommée {database} existe déjà et appartient à {owner}.",
        "Give its connection: python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN, or name the app otherwise.",
        "Donnez sa connexion : python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN, ou nommez l'application autrement.",
    ),
    "database.no_admin": Message(
        "This host may not make databases: its settings hold no administrator's connection.",
        "Cet hôte ne peut pas créer de bases : ses réglages n'ont pas de connexion d'administrateur.",
        "Set “provision” and “admin_dsn”: python -m bridge host bootstrap --settings FILE",
        "Définissez « provision » et « admin_dsn » : python -m bridge host bootstrap --settings FICHIER",
    ),
    "migration.bad_name": Message(
        "“{file}” is no name of a migration.",
        "« {file} » n'est pas un nom de migration.",
        "Name it 0001_what_it_does.sql: digits, “_”, then letters, digits, “_”, “-” and “.”.",
        "Nommez-le 0001_ce_que_ca_fait.sql : chiffres, « _ », puis lettres, chiffres, « _ », « - » et « . ».",
    ),
    "migration.duplicate": Message(
        "The number {version} stands twice: {first} and {second}.",
        "Le numéro {version} figure deux fois : {first} et {second}.",
        "Give one of them the next free number.",
        "Donnez à l'un d'eux le prochain numéro libre.",
    ),
    "migration.edited": Message(
        "Already applied, but changed since: {files}.",
        "Déjà appliquées, mais modifiées depuis : {files}.",
        "Restore the file as it was applied (git log -- migrations). " + _REVIEW_EN,
        "Rétablissez le fichier tel qu'il a été appliqué (git log -- migrations). " + _REVIEW_FR,
    ),
    "migration.reformatted": Message(
        "Already applied; since then only comments or white space were changed: {files}.",
        "Déjà appliquées ; depuis, seuls des commentaires ou des espaces ont changé : {files}.",
    ),
    "migration.progress_edited": Message(
        "{file} was applied up to statement {done}, and what is above that was changed since.",
        "{file} a été appliqué jusqu'à l'instruction {done}, et ce qui précède a été modifié depuis.",
        "Restore the statements that stand (git log -- migrations); only those after them may be corrected.",
        "Rétablissez les instructions acquises (git log -- migrations) ; seules les suivantes peuvent être corrigées.",
    ),
    "migration.sql.hint_parts": Message(
        "The first {count} statements of {file} stand, for it cannot be one transaction. Correct what follows, then run the command again: it goes on there.",
        "Les {count} premières instructions de {file} sont acquises, car il ne peut pas être une seule transaction. Corrigez la suite, puis relancez la commande : elle reprend là.",
    ),
    "migration.missing": Message(
        "Applied to the database, but in no file of this release: {files}.",
        "Appliquées à la base, mais absentes de cette version : {files}.",
        "Bring the files back (git log --diff-filter=D -- migrations), then run the command again.",
        "Rétablissez les fichiers (git log --diff-filter=D -- migrations), puis relancez la commande.",
    ),
    "migration.ahead": Message(
        "The database is newer than this release; it already has: {files}.",
        "La base est plus récente que cette version ; elle a déjà : {files}.",
        "Deploy a release that holds these files.",
        "Déployez une version qui contient ces fichiers.",
    ),
    "migration.out_of_order": Message(
        "Numbered before a migration that is already applied: {files}.",
        "Numérotées avant une migration déjà appliquée : {files}.",
        "Give them the next free numbers, then run the command again.",
        "Donnez-leur les prochains numéros libres, puis relancez la commande.",
    ),
    "migration.by_hand": Message(
        "The database has what came by db.migrate, and this release lacks it: {files}.",
        "La base a reçu par db.migrate ce que cette version n'a pas : {files}.",
        "Fetch the text and commit it as migrations/{first}.sql: python -m bridge call db.migration --app {app} --env {environment} name={first}",
        "Récupérez le texte et ajoutez-le comme migrations/{first}.sql : python -m bridge call db.migration --app {app} --env {environment} name={first}",
    ),
    "migration.no_text": Message(
        "{target} keeps no migration called {file}.",
        "{target} ne garde pas de migration nommée {file}.",
        "See what the database has: python -m bridge call db.status{of}",
        "Voyez ce que la base contient : python -m bridge call db.status{of}",
    ),
    "collect.done": Message("{count} migrations", "{count} migrations"),
    "migration.altered": Message(
        "{file} is not the file that the release was built with.",
        "{file} n'est pas le fichier avec lequel la version a été construite.",
        "Build the release again: python -m bridge pipeline run{of}",
        "Reconstruisez la version : python -m bridge pipeline run{of}",
    ),
    "migration.encoding": Message(
        "{file}:{line}: this is not UTF-8 text.",
        "{file}:{line} : ce n'est pas du texte UTF-8.",
        "Save the file as UTF-8.",
        "Enregistrez le fichier en UTF-8.",
    ),
    "migration.syntax": Message(
        "{file}:{line}: {reason}: {statement}",
        "{file}:{line} : {reason} : {statement}",
        "Correct the statement; nothing was applied.",
        "Corrigez l'instruction ; rien n'a été appliqué.",
    ),
    "migration.meta_command": Message(
        "{file}:{line}: {command} is a command of psql, not SQL.",
        "{file}:{line} : {command} est une commande de psql, pas du SQL.",
        "Remove it, or write the SQL it stands for.",
        "Retirez-la, ou écrivez le SQL équivalent.",
    ),
    "database.ensured": Message("{where} answers and may be migrated", "{where} répond et peut être migrée"),
    "migration.copy_data": Message(
        "{file}:{line}: this COPY finds no rows in the file, or none that end, or sends its rows to nobody.",
        "{file}:{line} : ce COPY ne trouve pas de lignes dans le fichier, ou sans fin, ou n'envoie les siennes à personne.",
        "Put the rows behind it and a line with \\. at their end, as pg_dump does, or write INSERT (pg_dump --inserts).",
        "Placez les lignes à sa suite, puis une ligne avec \\., comme pg_dump, ou écrivez des INSERT (pg_dump --inserts).",
    ),
    "migration.transaction_control": Message(
        "{file}:{line}: {word} would end the transaction that makes the file all or nothing.",
        "{file}:{line} : {word} mettrait fin à la transaction qui rend le fichier indivisible.",
        "Remove BEGIN, COMMIT and ROLLBACK: each file is one transaction already.",
        "Retirez BEGIN, COMMIT et ROLLBACK : chaque fichier est déjà une transaction.",
    ),
    "migration.sql": Message(
        "{file}:{line}: {reason} ({code}). Statement: {statement}. {done}",
        "{file}:{line} : {reason} ({code}). Instruction : {statement}. {done}",
        "{hint}",
        "{hint}",
    ),
    "migration.sql.hint": Message(
        "Correct {file}, which was undone whole, then run the command again.",
        "Corrigez {file}, entièrement annulé, puis relancez la commande.",
    ),
    "migration.none_stand": Message(
        "No file of this run was applied.",
        "Aucun fichier de cette exécution n'a été appliqué.",
    ),
    "migration.stand": Message(
        "The database keeps what was applied before: {names}.",
        "La base garde ce qui a été appliqué avant : {names}.",
    ),
    "migration.locked": Message(
        "Another migration of this database is running since {seconds} s: {holder}.",
        "Une autre migration de cette base est en cours depuis {seconds} s : {holder}.",
        "Wait for it to end, then run the command again.",
        "Attendez qu'elle se termine, puis relancez la commande.",
    ),
    "migration.blocked": Message(
        "{file}:{line}: a lock could not be had within {seconds} s; it is held by {holder}.",
        "{file}:{line} : un verrou n'a pas pu être obtenu en {seconds} s ; il est tenu par {holder}.",
        "End that session (select pg_terminate_backend({pid})), then run the command again.",
        "Terminez cette session (select pg_terminate_backend({pid})), puis relancez la commande.",
    ),
    "migration.waiting": Message(
        "{file}: waiting for a lock held by {holder}",
        "{file} : en attente d'un verrou tenu par {holder}",
    ),
    "migration.queued": Message(
        "Waiting for another migration: {holder}",
        "En attente d'une autre migration : {holder}",
    ),
    "migration.applying": Message("Applying {file}", "Application de {file}"),
    "migration.nothing": Message("nothing pending", "rien en attente"),
    "migration.none": Message("the release has no migrations", "la version n'a pas de migrations"),
    "migration.applied": Message("{count} applied, last {last}", "{count} appliquée(s), dernière : {last}"),
    "migration.foreign_ledger": Message(
        "The database was migrated by another tool ({kind}, {count} files), which is not adopted yet.",
        "La base a été migrée par un autre outil ({kind}, {count} fichiers), qui n'est pas encore adopté.",
        "Adopt its ledger: python -m bridge db adopt --app {app} --env {environment}",
        "Adoptez son registre : python -m bridge db adopt --app {app} --env {environment}",
    ),
    "adoption.none": Message(
        "The database has no ledger of the Supabase CLI or dbmate.",
        "La base n'a pas de registre de la CLI Supabase ou de dbmate.",
        "Record what was applied by hand instead: python -m bridge db baseline --through 0001{of}",
        "Enregistrez plutôt ce qui a été appliqué à la main : python -m bridge db baseline --through 0001{of}",
    ),
    "adoption.unknown": Message(
        "{kind} has applied versions that no file has: {versions}.",
        "{kind} a appliqué des versions qu'aucun fichier ne porte : {versions}.",
        "Bring the files back (git log --diff-filter=D -- migrations), then run the command again.",
        "Rétablissez les fichiers (git log --diff-filter=D -- migrations), puis relancez la commande.",
    ),
    "adoption.edited": Message(
        "{kind} has applied something else than what stands in: {files}.",
        "{kind} a appliqué autre chose que ce qui figure dans : {files}.",
        "Restore the files as they were applied (git log -- migrations), then run the command again.",
        "Rétablissez les fichiers tels qu'ils ont été appliqués (git log -- migrations), puis relancez la commande.",
    ),
    "adoption.done": Message("{count} adopted from {kind}", "{count} adoptée(s) de {kind}"),
    "baseline.history": Message(
        "The database has a ledger already: {count} migrations.",
        "La base a déjà un registre : {count} migrations.",
        "See it: python -m bridge call db.status{of}",
        "Consultez-le : python -m bridge call db.status{of}",
    ),
    "baseline.no_file": Message(
        "No migration has the number {through}.",
        "Aucune migration ne porte le numéro {through}.",
        "Name the last file that the database has: --through 0013",
        "Nommez le dernier fichier que la base contient : --through 0013",
    ),
    "baseline.differs": Message(
        "The database is not what the files through {through} make ({count}): {objects}.",
        "La base n'est pas ce que font les fichiers jusqu'à {through} ({count}) : {objects}.",
        "Write the differences as the next migration: db baseline --repair. Or accept each by name: --accept “{first}”. Nothing was recorded.",
        "Écrivez les différences comme prochaine migration : db baseline --repair. Ou acceptez chacune par son nom : --accept « {first} ». Rien n'a été enregistré.",
    ),
    "baseline.dry": Message(
        "dry run: {count} files, {differences} differences; nothing was recorded",
        "essai : {count} fichiers, {differences} différences ; rien n'a été enregistré",
    ),
    "baseline.done": Message(
        "{count} recorded as applied, {accepted} differences accepted",
        "{count} enregistrées comme appliquées, {accepted} différences acceptées",
    ),
    "seed.none": Message("there are no seeds", "il n'y a pas de données de départ"),
    "seed.done": Message("{count} files of seeds", "{count} fichiers de données de départ"),
    "seed.applying": Message("Sowing {file}", "Semis de {file}"),
    "seed.production": Message(
        "Seeds are not for production.",
        "Les données de départ ne sont pas pour la production.",
        "If they are meant for it: python -m bridge db seed --production{of}",
        "Si elles y sont destinées : python -m bridge db seed --production{of}",
    ),
    "database.foreign_dsn": Message(
        "Only the host's own terminal may name another database.",
        "Seul le terminal de l'hôte peut nommer une autre base.",
        "Give the target its connection: python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN",
        "Donnez sa connexion à la cible : python -m bridge env push --scope agent{of} --from-env SUPABASE_DB_DSN",
    ),
    "db.console": Message(
        "A console is not opened through this door: what is typed there would be in no history.",
        "Aucune console ne s'ouvre par cette porte : ce qui y est tapé ne serait dans aucun historique.",
        "On the host, as an administrator: ikoma db console --app {app} --env {environment}. To change the schema: python -m bridge call db.migrate{of} sql=@file.sql",
        "Sur l'hôte, en administrateur : ikoma db console --app {app} --env {environment}. Pour changer le schéma : python -m bridge call db.migrate{of} sql=@fichier.sql",
    ),
    "supabase.done": Message("Supabase migration finished", "Migration Supabase terminée"),
    "supabase.no_folder": Message(
        "{folder} holds no migrations.",
        "{folder} ne contient pas de migrations.",
        "Name the repository: ikoma supabase migrate --app NAME --repo DIR",
        "Nommez le dépôt : ikoma supabase migrate --app NOM --repo DOSSIER",
    ),
    "provision.done": Message(
        "database {database}, roles {migrator} and {app}",
        "base {database}, rôles {migrator} et {app}",
    ),
    "provision.exists": Message("the connection exists", "la connexion existe"),
}
