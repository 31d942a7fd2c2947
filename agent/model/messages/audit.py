"""Keys, roles, and the history of calls."""

from agent.model.messages import Message

MESSAGES = {
    "keys.invalid": Message(
        "The keys in {file} are not valid: {reason}.",
        "Les clés dans {file} ne sont pas valables : {reason}.",
        "Correct it as root: ikoma-agent keys list",
        "Corrigez-le en tant que root : ikoma-agent keys list",
    ),
    "keys.unknown": Message(
        "There is no key named {key}.",
        "Il n'y a pas de clé nommée {key}.",
        "List them: ikoma-agent keys list",
        "Listez-les : ikoma-agent keys list",
    ),
    "audit.broken": Message(
        "The history {file} was changed at line {line}: {reason}.",
        "L'historique {file} a été modifié à la ligne {line} : {reason}.",
        "Compare it with the heads that earlier runs printed, and with a copy from elsewhere.",
        "Comparez-le aux têtes imprimées par des exécutions antérieures, et à une copie prise ailleurs.",
    ),
}
