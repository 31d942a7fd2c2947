"""The host, its settings, its keys, and installing the agent on it."""

from agent.model.messages import Message

MESSAGES = {
    "settings.invalid": Message(
        "The host settings {file} are not valid: {reason}.",
        "Les réglages de l'hôte {file} ne sont pas valables : {reason}.",
        "Correct the file as root, or write it again: python -m bridge host bootstrap --settings FILE",
        "Corrigez le fichier en tant que root, ou réécrivez-le : python -m bridge host bootstrap --settings FILE",
    ),
}
