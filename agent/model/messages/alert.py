"""Alerts between deployments."""

from agent.model.messages import Message

MESSAGES = {
    "alert.title.raised": Message("[{host}] Alert: {subject}", "[{host}] Alerte : {subject}"),
    "alert.title.reminder": Message("[{host}] Still: {subject}", "[{host}] Toujours : {subject}"),
    "alert.title.recovered": Message("[{host}] Over: {subject}", "[{host}] Terminé : {subject}"),
    "alert.title.ended": Message("[{host}] {slug} {release}: {status}", "[{host}] {slug} {release} : {status}"),
    "alert.title.test": Message("[{host}] Test of alerts", "[{host}] Essai des alertes"),
    "alert.subject.health": Message("health of {what}", "santé de {what}"),
    "alert.subject.engine": Message("Docker", "Docker"),
    "alert.subject.deploy": Message("deployment of {what}", "déploiement de {what}"),
    "alert.subject.disk": Message("disk of {what}", "disque de {what}"),
    "alert.subject.backup": Message("backup of {what}", "sauvegarde de {what}"),
    "alert.since": Message("Since {since}.", "Depuis le {since}."),
    "alert.recovered": Message(
        "All is well again; it was not for {minutes} min, since {since}:",
        "Tout va bien de nouveau ; ce n'était pas le cas pendant {minutes} min, depuis le {since} :",
    ),
    "alert.ended": Message("{capability} by the key {key}.", "{capability} par la clé {key}."),
    "alert.test": Message(
        "Alerts of this host reach you. Nothing is wrong.", "Les alertes de cet hôte vous parviennent. Tout va bien."
    ),
    "alert.health": Message(
        "{slug} is not well: {services}.",
        "{slug} ne va pas bien : {services}.",
        "Look: ikoma apps logs --app {app} --env {environment}. Go back: ikoma deploy rollback --app {app} --env {environment}",
        "Regardez : ikoma apps logs --app {app} --env {environment}. Revenez en arrière : ikoma deploy rollback --app {app} --env {environment}",
    ),
    "alert.disk": Message(
        "{free} MiB are free on the disk of {folder}, fewer than {limit}.",
        "Il reste {free} Mio sur le disque de {folder}, moins de {limit}.",
        "See what takes the space: docker system df; du -xsh /var/backups/ikoma/* /srv/apps/*. Below {needed} MiB no deployment starts.",
        "Voyez ce qui prend la place : docker system df ; du -xsh /var/backups/ikoma/* /srv/apps/*. Sous {needed} Mio, aucun déploiement ne démarre.",
    ),
    "alert.backup": Message(
        "The newest backup of the database of {slug} is {age} hours old; {limit} is the most.",
        "La dernière sauvegarde de la base de {slug} a {age} heures ; {limit} au plus.",
        "Make one: ikoma db backup --app {app} --env {environment}",
        "Faites-en une : ikoma db backup --app {app} --env {environment}",
    ),
    "alert.no_backup": Message(
        "The database of {slug} has no backup.",
        "La base de {slug} n'a aucune sauvegarde.",
        "Make one: ikoma db backup --app {app} --env {environment}",
        "Faites-en une : ikoma db backup --app {app} --env {environment}",
    ),
    "alert.address": Message(
        "Line {number} is no address that alerts can go to.",
        "La ligne {number} n'est pas une adresse à laquelle des alertes peuvent aller.",
        "Write it as Apprise has it, such as slack://TOKEN_A/TOKEN_B/TOKEN_C, jsons://hook.example.com/path or mailtos://USER:PASSWORD@example.com. Known: {sorts}.",
        "Écrivez-la comme le veut Apprise, par exemple slack://JETON_A/JETON_B/JETON_C, jsons://hook.example.com/chemin ou mailtos://NOM:MOTDEPASSE@example.com. Connues : {sorts}.",
    ),
    "alert.many": Message(
        "Alerts go to at most {most} addresses.",
        "Les alertes vont à {most} adresses au plus.",
        "Let one of them spread them further.",
        "Laissez l'une d'elles les diffuser.",
    ),
    "alert.nobody": Message(
        "This host has nobody to tell.",
        "Cet hôte n'a personne à prévenir.",
        "Say who: ikoma alerts set --receivers @FILE, an address a line",
        "Dites qui : ikoma alerts set --receivers @FICHIER, une adresse par ligne",
    ),
    "alert.host": Message(
        "The key {key} is limited to some apps or environments; alerts are the host's.",
        "La clé {key} est limitée à certaines applications ou environnements ; les alertes sont celles de l'hôte.",
        "Use a key that is granted everything.",
        "Utilisez une clé à laquelle tout est accordé.",
    ),
}
