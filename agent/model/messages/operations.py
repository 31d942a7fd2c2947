"""Operations: how they end, who is in the way, what a crash left."""

from agent.model.messages import Message

MESSAGES = {
    "operation.end.healthy": Message(
        "Deployment validated by health check",
        "Déploiement validé par healthcheck",
    ),
    "operation.end.done": Message("Done", "Terminé"),
    "operation.end.failed": Message(
        "{target}: failed in {step}; the release that was serving goes on serving",
        "{target} : échec à l'étape {step} ; la livraison en service le reste",
    ),
    "operation.end.refused": Message(
        "{target}: not begun; nothing was changed",
        "{target} : pas commencé ; rien n'a été modifié",
    ),
    "operation.end.rolled_back": Message(
        "{target}: failed in {step}; every service is back on the previous release",
        "{target} : échec à l'étape {step} ; tous les services sont revenus à la livraison précédente",
    ),
    "operation.end.interrupted": Message(
        "{target}: the operation was interrupted in {step}; what it had begun was taken back",
        "{target} : l'opération a été interrompue à l'étape {step} ; ce qui était commencé a été annulé",
    ),
    "operation.busy": Message(
        "{target} is held by the operation {holder} since {since}, for {client}.",
        "{target} est occupée par l'opération {holder} depuis {since}, pour {client}.",
        "Wait for it: python -m bridge attach {holder}{of}",
        "Attendez sa fin : python -m bridge attach {holder}{of}",
    ),
    "operation.cancelled": Message(
        "The operation was cancelled.",
        "L'opération a été annulée.",
        "See who asked for it: ikoma audit query --capability operations.cancel",
        "Voyez qui l'a demandé : ikoma audit query --capability operations.cancel",
    ),
    "operation.interrupted": Message(
        "The agent's process ended in the step {at}; the operation was taken back.",
        "Le processus de l'agent s'est arrêté à l'étape {at} ; l'opération a été annulée.",
        "Run the command again; why it ended may stand in the host's log (out of memory, reboot).",
        "Relancez la commande ; la cause figure peut-être au journal de l'hôte (mémoire épuisée, redémarrage).",
    ),
    "operation.never_started": Message(
        "The agent's process ended before the operation began. Nothing was changed.",
        "Le processus de l'agent s'est arrêté avant le début de l'opération. Rien n'a été modifié.",
        "Run the command again.",
        "Relancez la commande.",
    ),
    "operation.unsettled": Message(
        "The operation {operation} was interrupted and could not be settled yet.",
        "L'opération {operation} a été interrompue et n'a pas encore pu être réglée.",
        "The host tries again every 10 s; see what hinders it: python -m bridge attach {operation}{of}",
        "L'hôte réessaie toutes les 10 s ; voyez ce qui l'en empêche : python -m bridge attach {operation}{of}",
    ),
    "operation.undo_failed": Message(
        "{at} could not be taken back: {reason}",
        "{at} n'a pas pu être annulé : {reason}",
        "Look at the target's state, then deploy again: python -m bridge status{of}",
        "Regardez l'état de la cible, puis redéployez : python -m bridge status{of}",
    ),
    "operation.after_commit": Message(
        "{at} failed after the release was recorded, which does not change the outcome: {reason}",
        "{at} a échoué après l'enregistrement de la livraison, ce qui ne change pas l'issue : {reason}",
    ),
    "operation.disk_full": Message(
        "The host's disk is full.",
        "Le disque de l'hôte est plein.",
        "Free some space (docker system prune, old logs), then run the command again.",
        "Libérez de la place (docker system prune, vieux journaux), puis relancez la commande.",
    ),
    "operation.journal": Message(
        "The agent's journal {file} cannot be used: {reason}.",
        "Le journal de l'agent {file} est inutilisable : {reason}.",
        "Free disk space, or look at the disk; then run the command again.",
        "Libérez de l'espace disque, ou vérifiez le disque ; puis relancez la commande.",
    ),
}
