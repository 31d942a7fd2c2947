"""The Docker Engine, Compose, and what a compose file may ask of a host."""

from agent.model.messages import Message

_ALLOW_EN = "Remove it from the compose file, or have the administrator allow it in /etc/ikoma/settings.json (“allow”)."
_ALLOW_FR = "Retirez-le du fichier compose, ou faites-le autoriser par l'administrateur dans /etc/ikoma/settings.json (« allow »)."

MESSAGES = {
    "engine.absent": Message(
        "The Docker Engine does not answer on {socket}: {reason}.",
        "Le moteur Docker ne répond pas sur {socket} : {reason}.",
        "Start it on the host (systemctl start docker), then try again.",
        "Démarrez-le sur l'hôte (systemctl start docker), puis réessayez.",
    ),
    "engine.silent": Message(
        "The Docker Engine on {socket} did not answer in time.",
        "Le moteur Docker sur {socket} n'a pas répondu à temps.",
        "Look at the host's load and at the Engine's log (journalctl -u docker), then try again.",
        "Regardez la charge de l'hôte et le journal du moteur (journalctl -u docker), puis réessayez.",
    ),
    "engine.refused": Message(
        "The Docker Engine refused {what} ({status}): {reason}",
        "Le moteur Docker a refusé {what} ({status}) : {reason}",
    ),
    "compose.invalid": Message(
        "Compose does not accept the release on this host: {reason}",
        "Compose n'accepte pas la livraison sur cet hôte : {reason}",
        "Correct the compose file or the values in app.env (python -m bridge env diff{of}).",
        "Corrigez le fichier compose ou les valeurs d'app.env (python -m bridge env diff{of}).",
    ),
    "policy.key": Message(
        "Service {service}: “{key}” is not allowed on this host.",
        "Service {service} : « {key} » n'est pas autorisé sur cet hôte.",
        _ALLOW_EN,
        _ALLOW_FR,
    ),
    "policy.value": Message(
        "Service {service}: “{key}: {value}” is not allowed on this host.",
        "Service {service} : « {key} : {value} » n'est pas autorisé sur cet hôte.",
        _ALLOW_EN,
        _ALLOW_FR,
    ),
    "policy.bind": Message(
        "Service {service}: {key} mounts {value}, which lies outside the application's folder.",
        "Service {service} : {key} monte {value}, qui est hors du dossier de l'application.",
        "Mount a file of the repository or a named volume, or have the administrator allow “bind:{value}” in /etc/ikoma/settings.json.",
        "Montez un fichier du dépôt ou un volume nommé, ou faites autoriser « bind:{value} » dans /etc/ikoma/settings.json.",
    ),
    "policy.nested": Message(
        "Service {service}: {key} mounts {value}, which lies inside a folder that a container of this application writes to.",
        "Service {service} : {key} monte {value}, situé dans un dossier où un conteneur de cette application écrit.",
        "Mount folders side by side instead of one inside the other, or the outer one read-only; stop the application first (deploy.down) if only the release that serves mounts the outer one.",
        "Montez les dossiers côte à côte plutôt que l'un dans l'autre, ou l'extérieur en lecture seule ; arrêtez d'abord l'application (deploy.down) si seule la livraison en service monte l'extérieur.",
    ),
    "policy.foreign": Message(
        "{key} is named {value}, which does not belong to this application.",
        "{key} s'appelle {value}, qui n'appartient pas à cette application.",
        "Remove “name:” or “external:”, or have the administrator allow it in /etc/ikoma/settings.json.",
        "Retirez « name: » ou « external: », ou faites-le autoriser dans /etc/ikoma/settings.json.",
    ),
    "policy.label": Message(
        "Service {service}: the label {value} is reserved.",
        "Service {service} : le label {value} est réservé.",
        "Remove it from the compose file.",
        "Retirez-le du fichier compose.",
    ),
    "policy.name": Message(
        "The compose project calls itself {value}, which is not this application.",
        "Le projet compose s'appelle {value}, ce qui n'est pas cette application.",
        "Remove “name:” from the compose file.",
        "Retirez « name: » du fichier compose.",
    ),
    "network.overlap": Message(
        "The network {network} asks for {subnet}, but this host reaches {route} another way.",
        "Le réseau {network} demande {subnet}, mais cet hôte atteint {route} par un autre chemin.",
        "Remove “ipam” from the compose file (the host chooses a free subnet), or state one that nobody uses.",
        "Retirez « ipam » du fichier compose (l'hôte choisit un sous-réseau libre), ou indiquez-en un que rien n'utilise.",
    ),
    "network.exhausted": Message(
        "The address pool {pool} has no free subnet left.",
        "La plage d'adresses {pool} n'a plus de sous-réseau libre.",
        "Remove applications that are no longer used, or give “address_pool” in /etc/ikoma/settings.json a larger network.",
        "Retirez les applications inutilisées, ou donnez une plage plus grande à « address_pool » dans /etc/ikoma/settings.json.",
    ),
}
