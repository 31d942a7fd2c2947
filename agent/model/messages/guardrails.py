"""Sentences of the guard-rails: one a rule (``guard.<rule>``), with the way round and the way to allow it."""

from __future__ import annotations

from typing import Final

from agent.model.messages import Message

_ALLOW_EN: Final = (
    " Or allow it above the statement: -- ikoma-allow {rule}: REASON (for one deployment: --accept {stem})"
)
_ALLOW_FR: Final = " Ou autorisez-le au-dessus de l'instruction : -- ikoma-allow {rule}: RAISON (pour un seul déploiement : --accept {stem})"

_CLOSE_EN: Final = " Or let the app be closed while it is applied: “maintenance”: true in the contract."
_CLOSE_FR: Final = " Ou laissez fermer l'application pendant son application : « maintenance » : true dans le contrat."


def _blocks(en: str, fr: str, remedy_en: str, remedy_fr: str) -> Message:
    return Message(
        "{file}:{line}: " + en + " [{rule}] {statement}", "{file}:{line} : " + fr + " [{rule}] {statement}",
        remedy_en + _ALLOW_EN, remedy_fr + _ALLOW_FR,
    )  # fmt: skip


def _breaks(en: str, fr: str, remedy_en: str, remedy_fr: str) -> Message:
    """What maintenance mode answers as well."""
    return _blocks(en, fr, remedy_en + _CLOSE_EN, remedy_fr + _CLOSE_FR)


def _warns(en: str, fr: str, remedy_en: str, remedy_fr: str) -> Message:
    return Message("{file}:{line}: " + en + " [{rule}]", "{file}:{line} : " + fr + " [{rule}]", remedy_en, remedy_fr)


_LATER_EN: Final = "Let one release stop using it, and remove it with the next."
_LATER_FR: Final = "Laissez une livraison cesser de l'utiliser, et supprimez-le avec la suivante."

MESSAGES: Final[dict[str, Message]] = {
    "guard.drop-table": _blocks(
        "this removes the table {thing} with its rows.", "ceci supprime la table {thing} et ses lignes.",
        _LATER_EN, _LATER_FR,
    ),
    "guard.drop-column": _blocks(
        "this removes the column {thing} with what it holds; the running release may still use it.",
        "ceci supprime la colonne {thing} et son contenu ; la livraison en service peut encore l'utiliser.",
        _LATER_EN, _LATER_FR,
    ),
    "guard.drop-schema": _blocks(
        "this removes the schema {thing}.", "ceci supprime le schéma {thing}.", _LATER_EN, _LATER_FR,
    ),
    "guard.drop-database": _blocks(
        "this removes the database {thing}.", "ceci supprime la base {thing}.",
        "A migration has no business with databases: remove it.", "Une migration n'a rien à faire des bases : retirez-la.",
    ),
    "guard.drop-cascade": _blocks(
        "CASCADE also removes every column that uses {thing}.", "CASCADE supprime aussi toutes les colonnes qui utilisent {thing}.",
        "Drop or change those columns by name first, then leave CASCADE out.",
        "Supprimez ou modifiez d'abord ces colonnes par leur nom, puis enlevez CASCADE.",
    ),
    "guard.truncate": _blocks(
        "this removes all rows of {thing}.", "ceci supprime toutes les lignes de {thing}.",
        "Delete what is meant: DELETE … WHERE …", "Supprimez ce qui est visé : DELETE … WHERE …",
    ),
    "guard.delete-all": _blocks(
        "DELETE without a condition removes all rows of {thing}.",
        "DELETE sans condition supprime toutes les lignes de {thing}.",
        "Say which rows: DELETE … WHERE …", "Dites quelles lignes : DELETE … WHERE …",
    ),
    "guard.update-all": _blocks(
        "UPDATE without a condition overwrites all rows of {thing}.",
        "UPDATE sans condition écrase toutes les lignes de {thing}.",
        "Say which rows: UPDATE … WHERE …", "Dites quelles lignes : UPDATE … WHERE …",
    ),
    "guard.loses-rows": _blocks(
        "rows of {thing} are removed or overwritten, and only the restore point has them afterwards.",
        "des lignes de {thing} sont supprimées ou écrasées, et seul le point de restauration les a ensuite.",
        "Look which rows these are, and say why they may go.", "Regardez quelles lignes, et dites pourquoi elles peuvent partir.",
    ),
    "guard.drop-owned": _blocks(
        "this removes all that {thing} owns, tables with their rows as well.",
        "ceci supprime tout ce que possède {thing}, y compris les tables et leurs lignes.",
        "Drop by its name what is meant.", "Supprimez par son nom ce qui est visé.",
    ),
    "guard.drop-object": _breaks(
        "the running release may still use {thing}.", "la livraison en service peut encore utiliser {thing}.",
        _LATER_EN, _LATER_FR,
    ),
    "guard.rename": _breaks(
        "the running release knows {thing} by its old name.", "la livraison en service connaît {thing} sous son ancien nom.",
        "Add the new name beside the old one (a column, a view), and remove the old one a release later.",
        "Ajoutez le nouveau nom à côté de l'ancien (une colonne, une vue), et supprimez l'ancien une livraison plus tard.",
    ),
    "guard.column-type": _breaks(
        "the running release reads and writes {thing} with its old type.",
        "la livraison en service lit et écrit {thing} avec son ancien type.",
        "Add a column of the new type, fill it, and change over in the next release.",
        "Ajoutez une colonne du nouveau type, remplissez-la, et basculez à la livraison suivante.",
    ),
    "guard.not-null": _breaks(
        "the running release may still write NULL into {thing}.", "la livraison en service peut encore écrire NULL dans {thing}.",
        "Deploy the code that always fills it first, then this.", "Déployez d'abord le code qui le remplit toujours, puis ceci.",
    ),
    "guard.column-required": _breaks(
        "the running release does not fill the new column {thing}: its INSERTs fail.",
        "la livraison en service ne remplit pas la nouvelle colonne {thing} : ses INSERT échouent.",
        "Give it a DEFAULT, or leave NOT NULL for a later release.", "Donnez-lui un DEFAULT, ou laissez NOT NULL à une livraison ultérieure.",
    ),
    "guard.new-constraint": _breaks(
        "rows that the running release writes into {thing} may break the new constraint.",
        "les lignes que la livraison en service écrit dans {thing} peuvent violer la nouvelle contrainte.",
        "Deploy the code that respects it first, then this.", "Déployez d'abord le code qui la respecte, puis ceci.",
    ),
    "guard.drop-constraint": _breaks(
        "the running release may rely on the constraint of {thing} (ON CONFLICT, or never reading NULL).",
        "la livraison en service peut compter sur la contrainte de {thing} (ON CONFLICT, ou ne jamais lire NULL).",
        _LATER_EN, _LATER_FR,
    ),
    "guard.default": _breaks(
        "rows that the running release writes get another default in {thing}.",
        "les lignes que la livraison en service écrit reçoivent une autre valeur par défaut dans {thing}.",
        "Deploy the code that can live with both values first, then this.",
        "Déployez d'abord le code qui s'accommode des deux valeurs, puis ceci.",
    ),
    "guard.replace": _breaks(
        "the running release calls {thing} as it was.", "la livraison en service appelle {thing} tel qu'il était.",
        "Give the new one a name of its own, and remove the old one a release later.",
        "Donnez un nom propre au nouveau, et supprimez l'ancien une livraison plus tard.",
    ),
    "guard.trigger": _breaks(
        "a trigger on {thing} changes what the running release writes.",
        "un déclencheur sur {thing} change ce que la livraison en service écrit.",
        "Make sure it lets the old release's rows pass, and say so.",
        "Assurez-vous qu'il laisse passer les lignes de l'ancienne livraison, et dites-le.",
    ),
    "guard.row-security": _breaks(
        "another policy on {thing} changes which rows the running release sees and writes.",
        "une autre politique sur {thing} change les lignes que la livraison en service voit et écrit.",
        "Make sure the old release's queries still pass, and say so.",
        "Assurez-vous que les requêtes de l'ancienne livraison passent encore, et dites-le.",
    ),
    "guard.revoke": _breaks(
        "the running release may need the right on {thing}.", "la livraison en service peut avoir besoin du droit sur {thing}.",
        _LATER_EN, _LATER_FR,
    ),
    "guard.changes-rows": _breaks(
        "the running release may not understand the rows of {thing} afterwards, and no rollback brings them back.",
        "la livraison en service peut ne plus comprendre les lignes de {thing} ensuite, et aucun retour arrière ne les rend.",
        "Write the new value into a column of its own.", "Écrivez la nouvelle valeur dans une colonne à part.",
    ),
    "guard.dynamic-sql": _breaks(
        "what this block runs is only known when it runs.", "ce que ce bloc exécute n'est connu qu'à l'exécution.",
        "Write the statements themselves.", "Écrivez les instructions elles-mêmes.",
    ),
    "guard.unsure": _breaks(
        "it is not sure that the running release lives on after this.",
        "il n'est pas sûr que la livraison en service y survive.",
        "Look whether it does, and say why.", "Vérifiez-le, et dites pourquoi.",
    ),
    "guard.platform-schema": _blocks(
        "{thing} belongs to the platform, whose next update expects it unchanged.",
        "{thing} appartient à la plateforme, dont la prochaine mise à jour l'attend inchangé.",
        "Keep your own tables in a schema of the app, and refer to the platform's.",
        "Gardez vos tables dans un schéma de l'application, et référencez celles de la plateforme.",
    ),
    "guard.copy-program": _blocks(
        "COPY of {thing} runs a program or opens a file of the database's host.",
        "COPY de {thing} lance un programme ou ouvre un fichier de l'hôte de la base.",
        "Write INSERT statements, or COPY … FROM stdin with its rows.",
        "Écrivez des INSERT, ou COPY … FROM stdin avec ses lignes.",
    ),
    "guard.alter-system": _blocks(
        "this changes the settings of the whole cluster.", "ceci change les réglages de toute l'instance.",
        "Set it for the database or the role: ALTER DATABASE … SET …",
        "Réglez-le pour la base ou le rôle : ALTER DATABASE … SET …",
    ),
    "guard.table-without-rls": _blocks(
        "everybody with the public key reads and writes {thing}: it has no row-level security.",
        "quiconque a la clé publique lit et écrit {thing} : elle n'a pas de sécurité par ligne.",
        "Add: alter table {thing} enable row level security;", "Ajoutez : alter table {thing} enable row level security;",
    ),
    "guard.rls-off": _blocks(
        "without row-level security everybody with the public key reads and writes {thing}.",
        "sans sécurité par ligne, quiconque a la clé publique lit et écrit {thing}.",
        "Write a policy that allows what is meant.", "Écrivez une politique qui autorise ce qui est voulu.",
    ),
    "guard.index-blocks": _warns(
        "nobody can write to {thing} while the index is built.", "personne ne peut écrire dans {thing} pendant la construction de l'index.",
        "CREATE INDEX CONCURRENTLY …", "CREATE INDEX CONCURRENTLY …",
    ),
    "guard.constraint-scans": _warns(
        "{thing} is locked while all its rows are checked.", "{thing} est verrouillée pendant la vérification de toutes ses lignes.",
        "ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT in a file of its own.",
        "ADD CONSTRAINT … NOT VALID, puis VALIDATE CONSTRAINT dans un fichier à part.",
    ),
    "guard.constraint-builds-index": _warns(
        "{thing} is locked while an index is built.", "{thing} est verrouillée pendant la construction d'un index.",
        "CREATE UNIQUE INDEX CONCURRENTLY …, then ADD CONSTRAINT … USING INDEX.",
        "CREATE UNIQUE INDEX CONCURRENTLY …, puis ADD CONSTRAINT … USING INDEX.",
    ),
    "guard.not-null-scans": _warns(
        "{thing} is locked while all its rows are checked.", "{thing} est verrouillée pendant la vérification de toutes ses lignes.",
        "ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID, validate it, then SET NOT NULL.",
        "ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID, validez-la, puis SET NOT NULL.",
    ),
    "guard.table-rewrite": _warns(
        "{thing} may be written anew while nobody can read it.", "{thing} peut être réécrite pendant que personne ne peut la lire.",
        "Add a column, fill it in parts, and change over.", "Ajoutez une colonne, remplissez-la par parties, puis basculez.",
    ),
    "guard.lock-table": _warns(
        "{thing} stays locked until the file is done.", "{thing} reste verrouillée jusqu'à la fin du fichier.",
        "Leave the lock to the statements that need it.", "Laissez le verrou aux instructions qui en ont besoin.",
    ),
    "guard.refresh-blocks": _warns(
        "nobody can read {thing} while it is refreshed.", "personne ne peut lire {thing} pendant son actualisation.",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY …", "REFRESH MATERIALIZED VIEW CONCURRENTLY …",
    ),
    "guard.attach-scans": _warns(
        "the partition's rows are checked while {thing} is locked.", "les lignes de la partition sont vérifiées pendant que {thing} est verrouillée.",
        "Give the partition a CHECK constraint with the same bounds first.",
        "Donnez d'abord à la partition une contrainte CHECK de mêmes bornes.",
    ),
    "guard.index-drop-blocks": _warns(
        "dropping {thing} waits for every query on its table, and all later ones wait for it.",
        "la suppression de {thing} attend chaque requête de sa table, et toutes les suivantes l'attendent.",
        "DROP INDEX CONCURRENTLY …", "DROP INDEX CONCURRENTLY …",
    ),
    "guard.fills-column": _warns(
        "every row of {thing} is written and stays locked until the file is done.",
        "chaque ligne de {thing} est réécrite et reste verrouillée jusqu'à la fin du fichier.",
        "Fill it in parts, from the application.", "Remplissez-la par parties, depuis l'application.",
    ),
    "guard.squawk": Message("{file}:{line}: {note} [squawk: {thing}]", "{file}:{line} : {note} [squawk : {thing}]"),
    "guard.grant-anon": _warns(
        "strangers get a right: {thing}.", "des inconnus reçoivent un droit : {thing}.",
        "Make sure that policies limit which rows.", "Assurez-vous que des politiques limitent les lignes.",
    ),
    "guard.grant-public": _warns(
        "every role of the cluster gets a right on {thing}.", "chaque rôle de l'instance reçoit un droit sur {thing}.",
        "Name the roles that need it.", "Nommez les rôles qui en ont besoin.",
    ),
    "guard.security-definer": _warns(
        "{thing} runs with its owner's rights and looks names up wherever its caller says.",
        "{thing} s'exécute avec les droits de son propriétaire et cherche les noms là où l'appelant le dit.",
        "Add to the function: SET search_path = ''", "Ajoutez à la fonction : SET search_path = ''",
    ),
    "guard.default-privileges": _warns(
        "all that is made from now on is open to {thing}.", "tout ce qui sera créé désormais est ouvert à {thing}.",
        "Grant the rights on each table.", "Accordez les droits table par table.",
    ),
    "guard.view-invoker": _warns(
        "{thing} shows its readers what its owner may see, past row-level security.",
        "{thing} montre à ses lecteurs ce que son propriétaire peut voir, sans la sécurité par ligne.",
        "CREATE VIEW … WITH (security_invoker = true)", "CREATE VIEW … WITH (security_invoker = true)",
    ),
    "guard.set-role": _warns(
        "what follows belongs to another role.", "ce qui suit appartient à un autre rôle.",
        "Let the migrating role own what it makes.", "Laissez le rôle qui migre posséder ce qu'il crée.",
    ),
    "guard.triggers-off": _warns(
        "triggers and foreign keys do not run for what follows.", "déclencheurs et clés étrangères ne s'appliquent pas à la suite.",
        "Check the rows that were written meanwhile.", "Vérifiez les lignes écrites entre-temps.",
    ),
    "guard.allow-no-reason": _warns(
        "{thing} is not allowed, for no reason is given.", "{thing} n'est pas autorisé, car aucune raison n'est donnée.",
        "Write one: -- ikoma-allow {thing}: REASON", "Écrivez-en une : -- ikoma-allow {thing}: RAISON",
    ),
    "guard.allow-unused": _warns(
        "there is no rule called {thing}.", "il n'y a pas de règle appelée {thing}.",
        "Take its name from the finding's brackets.", "Reprenez le nom entre crochets du constat.",
    ),
    "check.no_database": Message(
        "The variable {variable} holds no connection.", "La variable {variable} ne contient pas de connexion.",
        "Give the connection of a server that may be tried on: {variable}=postgresql://… python -m bridge check --with-database {variable}",
        "Donnez la connexion d'un serveur d'essai : {variable}=postgresql://… python -m bridge check --with-database {variable}",
    ),
    "guard.squawk_failed": Message(
        "squawk does not answer: {reason}", "squawk ne répond pas : {reason}",
        "Install the version that the requirements name: pip install -r bridge/requirements.txt",
        "Installez la version que nomment les dépendances : pip install -r bridge/requirements.txt",
    ),
    "guard.done": Message("{count} pending, nothing stops them", "{count} en attente, rien ne les arrête"),
    "guard.allowed": Message(
        "{file}:{line}: {rule} is allowed in the file: {reason}", "{file}:{line} : {rule} est autorisé dans le fichier : {reason}",
    ),
    "guard.maintained": Message(
        "{file}:{line}: the running release may not live with this; the app is closed while it is applied.",
        "{file}:{line} : la livraison en service peut ne pas y survivre ; l'application est fermée pendant son application.",
    ),
    "guard.accepted": Message(
        "{file} is applied although the running release may not live with it: it was accepted for this deployment.",
        "{file} est appliqué bien que la livraison en service puisse ne pas y survivre : il a été accepté pour ce déploiement.",
    ),
    "guard.stands": Message(
        "Release {release} serves, and may not live with what this operation applied and what stays: {files}.",
        "La livraison {release} est en service, et peut ne pas survivre à ce que cette opération a appliqué et qui reste : {files}.",
        "Deploy a release that lives with it, or put the database back as it was (db.restore; its backups: python -m bridge call "
        "db.list_backups{of}).",
        "Déployez une livraison qui y survit, ou remettez la base comme elle était (db.restore ; ses sauvegardes : python -m bridge "
        "call db.list_backups{of}).",
    ),
    "guard.breaking": Message(
        "An earlier release may not live with: {names}. Going back needs the restore point.",
        "Une livraison antérieure peut ne pas survivre à : {names}. Revenir en arrière demande le point de restauration.",
    ),
}  # fmt: skip
