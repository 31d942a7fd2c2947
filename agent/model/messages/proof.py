"""Sentences about the fingerprint of a schema and the proof that it can be rebuilt."""

from __future__ import annotations

from typing import Final

from agent.model.messages import Message

MESSAGES: Final[dict[str, Message]] = {
    "database.fingerprint": Message(
        "The stored fingerprint of the database cannot be read: {reason}.",
        "L'empreinte enregistrée de la base est illisible : {reason}.",
        "Compare live with a rebuild instead: python -m bridge call db.verify_rebuild{of}",
        "Comparez plutôt la base à une reconstruction : python -m bridge call db.verify_rebuild{of}",
    ),
    "database.drift": Message(
        "Somebody changed the database {database} by hand ({count}): {objects}.",
        "La base {database} a été modifiée à la main ({count}) : {objects}.",
        "See what, and the SQL that explains it: python -m bridge call db.diff --app {app} --env {environment}. Then take it back. Or write it as a migration that runs with and without it (if exists), and deploy it once with migrations.proof set to “warn”.",
        "Voyez quoi, et le SQL qui l'explique : python -m bridge call db.diff --app {app} --env {environment}. Puis annulez-le. Ou écrivez-le comme migration qui s'exécute avec ou sans (if exists), et déployez-la une fois avec migrations.proof à « warn ».",
    ),
    "database.not_empty": Message(
        "The database {database} holds what no migration has made ({count}): {objects}.",
        "La base {database} contient ce qu'aucune migration n'a créé ({count}) : {objects}.",
        "Deploy into an empty database; or write what is there as the first migration, with “if not exists”, and deploy it once with migrations.proof set to “warn”.",
        "Déployez dans une base vide ; ou écrivez ce qui s'y trouve comme première migration, avec « if not exists », et déployez-la une fois avec migrations.proof à « warn ».",
    ),
    "database.not_rebuildable": Message(
        "{file}:{line}: the database cannot be rebuilt from its migrations: {reason}. Statement: {statement}",
        "{file}:{line} : la base ne peut pas être reconstruite à partir de ses migrations : {reason}. Instruction : {statement}",
        "The live database was not touched. Make the files run in an empty database, then run the command again: python -m bridge call db.verify_rebuild --app {app} --env {environment}",
        "La base en service n'a pas été touchée. Faites en sorte que les fichiers s'exécutent dans une base vide, puis relancez : python -m bridge call db.verify_rebuild --app {app} --env {environment}",
    ),
    "database.promise_broken": Message(
        "After the migrations the database {database} is not what the proof promised ({count}): {objects}.",
        "Après les migrations, la base {database} n'est pas ce que la preuve promettait ({count}) : {objects}.",
        "See what: python -m bridge call db.diff --app {app} --env {environment}. No container was touched.",
        "Voyez quoi : python -m bridge call db.diff --app {app} --env {environment}. Aucun conteneur n'a été touché.",
    ),
    "proof.no_baseline": Message(
        "The release {release} has kept nothing that its database could be rebuilt on.",
        "La livraison {release} n'a rien gardé sur quoi reconstruire sa base.",
        "Deploy it once with migrations.proof other than “off”; or ask the live database: python -m bridge call db.verify_rebuild",
        "Déployez-la une fois avec migrations.proof autre que « off » ; ou interrogez la base : python -m bridge call db.verify_rebuild",
    ),
    "proof.no_server": Message(
        "That the database can be rebuilt is not proven: this host has no server programs of PostgreSQL {major}.",
        "Il n'est pas prouvé que la base peut être reconstruite : cet hôte n'a pas les programmes serveur de PostgreSQL {major}.",
        "Install them on the host: apt-get install postgresql-{major} (no cluster is needed); or set migrations.proof to “off” in ikoma.release.json.",
        "Installez-les sur l'hôte : apt-get install postgresql-{major} (aucune instance n'est nécessaire) ; ou mettez migrations.proof à « off » dans ikoma.release.json.",
    ),
    "proof.no_container": Message(
        "That the database can be rebuilt is not proven: a throw-away container of the server's own image ({image}) does not serve: {reason}",
        "Il n'est pas prouvé que la base peut être reconstruite : un conteneur jetable de l'image du serveur ({image}) ne répond pas : {reason}",
        "Look at disk and memory of the host: python -m bridge call platform.check. Or install PostgreSQL's programs of the same major on the host; or set migrations.proof to “off” in ikoma.release.json.",
        "Regardez le disque et la mémoire de l'hôte : python -m bridge call platform.check. Ou installez sur l'hôte les programmes de PostgreSQL de même version majeure ; ou mettez migrations.proof à « off » dans ikoma.release.json.",
    ),
    "proof.no_extension": Message(
        "That the database can be rebuilt is not proven: the server programs on this host lack the extension {extension}.",
        "Il n'est pas prouvé que la base peut être reconstruite : l'extension {extension} manque aux programmes serveur de cet hôte.",
        "Install its package for PostgreSQL {major} on the host; or set migrations.proof to “off” in ikoma.release.json.",
        "Installez son paquet pour PostgreSQL {major} sur l'hôte ; ou mettez migrations.proof à « off » dans ikoma.release.json.",
    ),
    "proof.no_cage": Message(
        "The database was not rebuilt elsewhere: {role} or another role may run programs, and this kernel does not let the agent lock a throw-away PostgreSQL in.",
        "La base n'a pas été reconstruite ailleurs : {role} ou un autre rôle peut lancer des programmes, et ce noyau ne permet pas à l'agent d'enfermer un PostgreSQL jetable.",
        "Let migrations connect as a role that is no superuser, or allow unprivileged user namespaces (kernel.apparmor_restrict_unprivileged_userns=0).",
        "Faites passer les migrations par un rôle qui n'est pas superutilisateur, ou autorisez les espaces de noms utilisateur (kernel.apparmor_restrict_unprivileged_userns=0).",
    ),
    "proof.no_platform": Message(
        "The platform's schemas ({schemas}) could not be copied for the proof: {reason}",
        "Les schémas de la plateforme ({schemas}) n'ont pas pu être copiés pour la preuve : {reason}",
        "Let the migrating role read them: grant select on all tables in schema … to …; see python -m bridge call db.status{of}",
        "Laissez le rôle qui migre les lire : grant select on all tables in schema … to … ; voyez python -m bridge call db.status{of}",
    ),
    "proof.no_start": Message(
        "The throw-away PostgreSQL for the proof did not start: {reason}",
        "Le PostgreSQL jetable de la preuve n'a pas démarré : {reason}",
        "Look at disk and memory of the host: python -m bridge call platform.check",
        "Regardez le disque et la mémoire de l'hôte : python -m bridge call platform.check",
    ),
    "proof.no_disk": Message(
        "The proof needs {needed} MB of disk in {folder}; {free} MB are free.",
        "La preuve demande {needed} Mo de disque dans {folder} ; {free} Mo sont libres.",
        "Free space on the host, then run the command again.",
        "Libérez de la place sur l'hôte, puis relancez la commande.",
    ),
    "proof.over_disk": Message(
        "The throw-away PostgreSQL was stopped: it had filled {used} MB of the host's disk, of {most} MB that it may.",
        "Le PostgreSQL jetable a été arrêté : il avait rempli {used} Mo du disque de l'hôte, sur {most} Mo permis.",
        "The live database was not touched. Let the migrations write fewer rows; or, if they need that many, raise backups.max_gb in ikoma.release.json.",
        "La base en service n'a pas été touchée. Faites écrire moins de lignes aux migrations ; ou, s'il en faut autant, augmentez backups.max_gb dans ikoma.release.json.",
    ),
    "proof.disk_low": Message(
        "The throw-away PostgreSQL was stopped at {used} MB: {free} MB of disk were left in {folder}, and {reserve} MB stay the host's own.",
        "Le PostgreSQL jetable a été arrêté à {used} Mo : il restait {free} Mo de disque dans {folder}, et {reserve} Mo restent à l'hôte.",
        "The live database was not touched. Free space on the host, then run the command again.",
        "La base en service n'a pas été touchée. Libérez de la place sur l'hôte, puis relancez la commande.",
    ),
    "proof.building": Message(
        "Rebuilding the database somewhere else from {count} files (PostgreSQL {major})",
        "Reconstruction de la base ailleurs à partir de {count} fichiers (PostgreSQL {major})",
    ),
    "proof.proven": Message(
        "rebuilt from {count} files, equal to live; fingerprint {digest}",
        "reconstruite à partir de {count} fichiers, égale à la base en service ; empreinte {digest}",
    ),
    "proof.unchanged": Message(
        "nothing pending; the schema is the one of the last migration, fingerprint {digest}",
        "rien en attente ; le schéma est celui de la dernière migration, empreinte {digest}",
    ),
    "proof.off": Message("switched off in the contract", "désactivée dans le contrat"),
    "proof.warned": Message("not proven, see the warning", "non prouvée, voir l'avertissement"),
    "proof.no_release": Message(
        "No release of {target} serves yet: there are no migrations to rebuild the database from.",
        "Aucune livraison de {target} n'est en service : il n'y a pas de migrations pour reconstruire la base.",
        "Deploy one: python -m bridge pipeline run{of}",
        "Déployez-en une : python -m bridge pipeline run{of}",
    ),
}
