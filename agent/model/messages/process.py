"""Programs that were run."""

from agent.model.messages import Message

MESSAGES = {
    "process.missing": Message(
        "The program {program} is not installed.",
        "Le programme {program} n'est pas installé.",
        "Install it, then try again.",
        "Installez-le, puis réessayez.",
    ),
    "process.timeout": Message(
        "{program} did not end within {seconds} s and was stopped.",
        "{program} ne s'est pas terminé en {seconds} s et a été arrêté.",
    ),
    "process.failed": Message(
        "{program} ended with code {code}: {said}",
        "{program} s'est terminé avec le code {code} : {said}",
    ),
}
