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
        "Run it by hand on the same machine to see what it waits for (a full disk, a busy machine, a network that does not "
        "answer), then try again.",
        "Lancez-le à la main sur la même machine pour voir ce qu'il attend (disque plein, machine chargée, réseau muet), puis "
        "réessayez.",
    ),
    "process.failed": Message(
        "{program} ended with code {code}: {said}",
        "{program} s'est terminé avec le code {code} : {said}",
        "Its own last lines say why. Run it by hand on the same machine until it ends with code 0, then try again.",
        "Ses dernières lignes disent pourquoi. Lancez-le à la main sur la même machine jusqu'à obtenir le code 0, puis "
        "réessayez.",
    ),
}
