"""What can go wrong between the bridge and the agent."""

from agent.model.messages import Message

MESSAGES = {
    "wire.bad_request": Message(
        "The request was not understood: {reason}.",
        "La requête n'a pas été comprise : {reason}.",
        "Use the bridge of the same version as the agent: python -m bridge host check",
        "Utilisez le bridge de la même version que l'agent : python -m bridge host check",
    ),
    "wire.no_app": Message(
        "{capability} needs an app.",
        "{capability} exige une application.",
        "Name it with --app, or run this in the app's repository.",
        "Nommez-la avec --app, ou lancez ceci dans le dépôt de l'application.",
    ),
    "wire.unknown_argument": Message(
        "{capability} takes no argument {argument}.",
        "{capability} n'accepte pas d'argument {argument}.",
        "These it takes: {takes}",
        "Ceux qu'elle accepte : {takes}",
    ),
    "wire.missing_argument": Message(
        "{capability} needs the argument {argument}.",
        "{capability} exige l'argument {argument}.",
        "Add it: python -m bridge call {capability} {argument}=…",
        "Ajoutez-le : python -m bridge call {capability} {argument}=…",
    ),
    "wire.number": Message(
        "{argument} is a number from 1 to {most}.",
        "{argument} est un nombre de 1 à {most}.",
        "Correct it, then run the command again.",
        "Corrigez-le, puis relancez la commande.",
    ),
    "wire.version": Message(
        "The agent speaks protocol {theirs}, this bridge speaks {ours}.",
        "L'agent parle le protocole {theirs}, ce bridge parle {ours}.",
        "Bring them together: python -m bridge host upgrade",
        "Mettez-les au même niveau : python -m bridge host upgrade",
    ),
    "wire.unknown_capability": Message(
        "There is no capability named {capability}{nearest}.",
        "Il n'y a pas de capacité nommée {capability}{nearest}.",
        "List them: python -m bridge call platform.capabilities",
        "Listez-les : python -m bridge call platform.capabilities",
    ),
    "wire.forbidden": Message(
        "The key {key} has the role {role}; {capability} needs {needed}.",
        "La clé {key} a le rôle {role} ; {capability} exige {needed}.",
        "Use a key with the role {needed}, or have an administrator grant it: python -m bridge host bootstrap --role {needed}",
        "Utilisez une clé de rôle {needed}, ou faites-la accorder : python -m bridge host bootstrap --role {needed}",
    ),
    "wire.foreign_app": Message(
        "The key {key} may not act on {slug}.",
        "La clé {key} ne peut pas agir sur {slug}.",
        "Use a key that is granted this app and environment.",
        "Utilisez une clé qui a accès à cette application et à cet environnement.",
    ),
    "wire.unknown_key": Message(
        "This host knows no key named {key}.",
        "Cet hôte ne connaît aucune clé nommée {key}.",
        "Register it: python -m bridge host bootstrap --key-name {key}",
        "Enregistrez-la : python -m bridge host bootstrap --key-name {key}",
    ),
    "wire.body": Message(
        "The body of the request is damaged: {reason}. Nothing was changed.",
        "Le corps de la requête est endommagé : {reason}. Rien n'a été modifié.",
        "Send it again.",
        "Renvoyez-la.",
    ),
    "wire.too_large": Message(
        "The release with its images has {megabytes} MB; this host takes {limit} MB at most. Nothing was changed.",
        "La livraison et ses images font {megabytes} Mo ; cet hôte accepte {limit} Mo au plus. Rien n'a été modifié.",
        "Raise “max_bundle_mb” in /etc/ikoma/settings.json.",
        "Augmentez « max_bundle_mb » dans /etc/ikoma/settings.json.",
    ),
    "wire.argument_value": Message(
        "The value {value} cannot be read: {reason}.",
        "La valeur {value} est illisible : {reason}.",
        "Type name=text, name=@file or name:=json.",
        "Saisissez nom=texte, nom=@fichier ou nom:=json.",
    ),
    "wire.operation_reused": Message(
        "The operation {operation} was already used for another request.",
        "L'opération {operation} a déjà servi pour une autre requête.",
        "Start it under a new operation id.",
        "Lancez-la sous un nouvel identifiant d'opération.",
    ),
    "wire.unknown_operation": Message(
        "This host knows no operation {operation}.",
        "Cet hôte ne connaît pas l'opération {operation}.",
        "See the latest ones: python -m bridge call operations.list",
        "Voyez les dernières : python -m bridge call operations.list",
    ),
    "wire.internal": Message(
        "The agent failed in a way it did not foresee ({kind}); reference {reference}.",
        "L'agent a échoué d'une manière imprévue ({kind}) ; référence {reference}.",
        "Read the agent's log for the reference: /var/log/ikoma/agent.log",
        "Lisez le journal de l'agent pour cette référence : /var/log/ikoma/agent.log",
    ),
}
