"""Names people type."""

from agent.model.messages import Message

MESSAGES = {
    "name.bad": Message(
        "“{value}” is no valid name for {what}.",
        "« {value} » n'est pas un nom valable pour {what}.",
        "App and environment names start with a letter and hold up to 31 of a-z, 0-9 and “-”.",
        "Les noms d'application et d'environnement commencent par une lettre et ont 31 caractères au plus : a-z, 0-9 et « - ».",
    ),
    "name.operation": Message(
        "“{value}” is no operation's id.",
        "« {value} » n'est pas l'identifiant d'une opération.",
        "See the latest ones: python -m bridge call operations.list",
        "Voyez les dernières : python -m bridge call operations.list",
    ),
}
