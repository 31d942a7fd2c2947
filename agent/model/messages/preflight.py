"""What stops a deployment before it starts."""

from agent.model.messages import Message

MESSAGES = {
    "preflight.failed": Message(
        "Nothing was changed; {count} reason(s) not to start:\n{reasons}",
        "Rien n'a été modifié ; {count} raison(s) de ne pas commencer :\n{reasons}",
        "Remove the reasons, then run the command again.",
        "Levez ces raisons, puis relancez la commande.",
    ),
    "preflight.disk": Message(
        "Only {free} MiB are free in {folder}; {needed} are needed.",
        "Il ne reste que {free} Mio dans {folder} ; il en faut {needed}.",
        "Free space (docker image prune --all), or lower “min_free_mb” in the host's settings.",
        "Libérez de la place (docker image prune --all), ou abaissez « min_free_mb » dans les réglages de l'hôte.",
    ),
    "preflight.environment": Message(
        "The host lacks values that the compose file asks for: {keys}.",
        "Il manque à l'hôte des valeurs que le fichier compose demande : {keys}.",
        "Send them: python -m bridge env push --app {app} --env {environment} (python -m bridge env diff{of} compares)",
        "Envoyez-les : python -m bridge env push --app {app} --env {environment} (python -m bridge env diff{of} compare)",
    ),
    "preflight.platform": Message(
        "The release is built for {release}, this host is {host}.",
        "La version est construite pour {release}, cet hôte est {host}.",
        "Set “platform”: “{host}” in ikoma.release.json, then build again.",
        "Mettez « platform » : « {host} » dans ikoma.release.json, puis reconstruisez.",
    ),
    "preflight.part": Message(
        "Only {only} would be deployed, and the services that stay may not survive {file}:{line} ({statement}).",
        "Seul {only} serait déployé, et les services qui restent pourraient ne pas survivre à {file}:{line} ({statement}).",
        "Deploy everything together: python -m bridge pipeline run{of}, without --only.",
        "Déployez tout ensemble : python -m bridge pipeline run{of}, sans --only.",
    ),
    "preflight.done": Message(
        "{pending} migration(s) pending, {free} MiB free",
        "{pending} migration(s) en attente, {free} Mio libres",
    ),
    "platform.folder": Message(
        "The agent cannot write into {folder}.",
        "L'agent ne peut pas écrire dans {folder}.",
        "Repair the installation: python -m bridge host bootstrap",
        "Réparez l'installation : python -m bridge host bootstrap",
    ),
    "platform.disk": Message(
        "Only {free} MiB are free in {folder}; {needed} are needed. Backups take {backups} MiB, images that no container "
        "uses up to {images} MiB.",
        "Il ne reste que {free} Mio dans {folder} ; il en faut {needed}. Les sauvegardes prennent {backups} Mio, les "
        "images qu'aucun conteneur n'utilise jusqu'à {images} Mio.",
        "Remove old backups from /var/backups/ikoma (ikoma db list_backups --app NAME) or old images (docker image prune "
        "--all; a rollback pulls what it needs), or lower “min_free_mb” in the host's settings.",
        "Supprimez de vieilles sauvegardes de /var/backups/ikoma (ikoma db list_backups --app NOM) ou de vieilles images "
        "(docker image prune --all ; un retour arrière tire ce qu'il lui faut), ou abaissez « min_free_mb » dans les "
        "réglages de l'hôte.",
    ),
    "platform.port": Message(
        "Port {port} is held by {holder}, so that the reverse proxy cannot have it.",
        "Le port {port} est tenu par {holder} ; le proxy ne peut pas l'avoir.",
        "Stop that program, or give the proxy other ports in the host's settings.",
        "Arrêtez ce programme, ou donnez d'autres ports au proxy dans les réglages de l'hôte.",
    ),
    "image.lost": Message(
        "{slug} keeps {releases}, whose image {image} is no longer on this host: a rollback would have to fetch it.",
        "{slug} garde {releases}, dont l'image {image} n'est plus sur cet hôte : un retour arrière devrait la chercher.",
        "Fetch it on the host while the registry has it: docker pull {image}. Where the registry has it no more, a release "
        "that was saved brings it: python -m bridge deploy apply{of} --release FILE --bundle",
        "Tirez-la sur l'hôte tant que le registre l'a : docker pull {image}. Si le registre ne l'a plus, une livraison "
        "gardée l'apporte : python -m bridge deploy apply{of} --release FILE --bundle",
    ),
    "image.lost_homemade": Message(
        "{slug} keeps {releases}, whose image {image} was built on this host and is gone: no rollback can fetch it.",
        "{slug} garde {releases}, dont l'image {image}, construite sur cet hôte, n'y est plus : aucun retour arrière ne "
        "peut la chercher.",
        "To have it again, build and deploy its commit: python -m bridge call deploy.up{of} ref={commit}",
        "Pour l'avoir de nouveau, construisez et déployez son commit : python -m bridge call deploy.up{of} ref={commit}",
    ),
}
