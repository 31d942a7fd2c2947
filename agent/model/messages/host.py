"""The host, its settings, its keys, and installing the agent on it."""

from agent.model.messages import Message

MESSAGES = {
    "host.clean": Message("{target} is gone from this host.", "{target} n'est plus sur cet hôte."),
    "compose.by_hand": Message(
        "“{verb}” by hand would be undone a moment later: the agent starts what is meant to run.",
        "« {verb} » à la main serait défait peu après : l'agent démarre ce qui doit tourner.",
        "Say that it is meant: {instead}",
        "Dites que c'est voulu : {instead}",
    ),
    "settings.invalid": Message(
        "The host settings {file} are not valid: {reason}.",
        "Les réglages de l'hôte {file} ne sont pas valables : {reason}.",
        "Correct the file as root, or write it again: python -m bridge host bootstrap --settings FILE",
        "Corrigez le fichier en tant que root, ou réécrivez-le : python -m bridge host bootstrap --settings FILE",
    ),
}
