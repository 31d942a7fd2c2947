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
    "keys.foreign": Message(
        "The key {key} may not touch the key {name}: that takes the role builder on every app.",
        "La clé {key} ne peut pas toucher à la clé {name} : il faut le rôle builder sur toutes les applications.",
        "Do it on the host: ikoma keys rotate --key {name}",
        "Faites-le sur l'hôte : ikoma keys rotate --key {name}",
    ),
    "keys.unnamed": Message(
        "It is not said which key is meant.",
        "La clé visée n'est pas indiquée.",
        "Name it: ikoma keys rotate --key NAME",
        "Nommez-la : ikoma keys rotate --key NOM",
    ),
    "keys.no_other": Message(
        "The key {key} has one valid secret: there is no earlier one to take back.",
        "La clé {key} n'a qu'un secret valable : il n'y en a pas d'antérieur à révoquer.",
        "Make a new one first: ikoma keys rotate --key {key}",
        "Créez-en d'abord un nouveau : ikoma keys rotate --key {key}",
    ),
    "audit.whole": Message(
        "The history is whole: {count} lines.",
        "L'historique est entier : {count} lignes.",
    ),
    "audit.changed": Message(
        "Line {seq} of the history was changed (found in {file} at line {line}).",
        "La ligne {seq} de l'historique a été modifiée (trouvé dans {file}, ligne {line}).",
        "Compare it with a copy from elsewhere, and find out who was root on the host.",
        "Comparez-la à une copie prise ailleurs, et cherchez qui était root sur l'hôte.",
    ),
    "audit.removed": Message(
        "Lines {seq} to {until} of the history are missing (before line {line} of {file}).",
        "Les lignes {seq} à {until} de l'historique manquent (avant la ligne {line} de {file}).",
        "Compare it with a copy from elsewhere, and find out who was root on the host.",
        "Comparez-le à une copie prise ailleurs, et cherchez qui était root sur l'hôte.",
    ),
    "audit.inserted": Message(
        "A line numbered {seq} was put into the history (line {line} of {file}).",
        "Une ligne numérotée {seq} a été insérée dans l'historique (ligne {line} de {file}).",
        "Compare it with a copy from elsewhere, and find out who was root on the host.",
        "Comparez-le à une copie prise ailleurs, et cherchez qui était root sur l'hôte.",
    ),
    "audit.truncated": Message(
        "The end of the history is missing: lines {seq} to {until} were there.",
        "La fin de l'historique manque : les lignes {seq} à {until} s'y trouvaient.",
        "Compare it with a copy from elsewhere, and find out who was root on the host.",
        "Comparez-le à une copie prise ailleurs, et cherchez qui était root sur l'hôte.",
    ),
    "audit.unreadable": Message(
        "Line {line} of {file} is no line of the history (line {seq} was expected).",
        "La ligne {line} de {file} n'est pas une ligne de l'historique (la ligne {seq} était attendue).",
        "Compare it with a copy from elsewhere.",
        "Comparez-la à une copie prise ailleurs.",
    ),
    "audit.not_extended": Message(
        "The history of {host} does not continue what was seen there before ({seen}): it says {said}. It was cut or rewritten.",
        "L'historique de {host} ne prolonge pas ce qui y a été vu ({seen}) : il annonce {said}. Il a été coupé ou réécrit.",
        "Find out where: python -m bridge audit --verify. After a host was built anew: python -m bridge audit --forget",
        "Cherchez où : python -m bridge audit --verify. Si l'hôte a été reconstruit : python -m bridge audit --forget",
    ),
    "audit.anchor": Message(
        "{anchor} is no head of a history: it looks like 12:9f86d0…, a number and 64 hex digits.",
        "{anchor} n'est pas une tête d'historique : cela ressemble à 12:9f86d0…, un nombre et 64 chiffres hexadécimaux.",
        "Read the present one: ikoma audit verify",
        "Lisez l'actuelle : ikoma audit verify",
    ),
    "audit.result": Message(
        "{result} is no result of a call: {known}.",
        "{result} n'est pas le résultat d'un appel : {known}.",
        "Ask for one of them: ikoma audit query --result error",
        "Demandez l'un d'eux : ikoma audit query --result error",
    ),
}
