"""Talking to image registries."""

from agent.model.messages import Message

MESSAGES = {
    "registry.denied": Message(
        "The registry {registry} refuses {what} on {repository} ({said}).",
        "Le registre {registry} refuse {what} sur {repository} ({said}).",
        "Check BRIDGE_REGISTRY_USER and BRIDGE_REGISTRY_TOKEN; on GitHub the job needs “permissions: packages: write”.",
        "Vérifiez BRIDGE_REGISTRY_USER et BRIDGE_REGISTRY_TOKEN ; sur GitHub, il faut « permissions: packages: write ».",
    ),
    "registry.bad_login": Message(
        "The registry {registry} does not accept the user “{user}” with this token.",
        "Le registre {registry} n'accepte pas l'utilisateur « {user} » avec ce jeton.",
        "Check BRIDGE_REGISTRY_USER and BRIDGE_REGISTRY_TOKEN; the token may have expired.",
        "Vérifiez BRIDGE_REGISTRY_USER et BRIDGE_REGISTRY_TOKEN ; le jeton a peut-être expiré.",
    ),
    "registry.unknown": Message(
        "The registry {registry} has no image {repository}:{wanted}.",
        "Le registre {registry} n'a pas d'image {repository}:{wanted}.",
        "Check the name and the tag; a private image also looks like this without a login.",
        "Vérifiez le nom et l'étiquette ; une image privée se présente aussi ainsi sans connexion.",
    ),
    "registry.unreachable": Message(
        "The registry {registry} does not answer: {reason}.",
        "Le registre {registry} ne répond pas : {reason}.",
        "Check the address and the network, then run the command again; what was built is kept.",
        "Vérifiez l'adresse et le réseau, puis relancez la commande ; ce qui a été construit est conservé.",
    ),
    "registry.untrusted": Message(
        "The certificate of {registry} is not trusted: {reason}.",
        "Le certificat de {registry} n'est pas reconnu : {reason}.",
        "For an authority of your own: export SSL_CERT_FILE=/path/to/ca-bundle.crt",
        "Pour une autorité à vous : export SSL_CERT_FILE=/chemin/vers/ca-bundle.crt",
    ),
    "registry.odd": Message(
        "The registry {registry} answered {status} to a question about {repository}.",
        "Le registre {registry} a répondu {status} à une question sur {repository}.",
        "Try again later; if it stays, look at the registry's own log.",
        "Réessayez plus tard ; si cela persiste, consultez le journal du registre.",
    ),
    "registry.no_release": Message(
        "The registry has no release of {target} for the commit {commit}.",
        "Le registre n'a aucune version de {target} pour le commit {commit}.",
        "A deployment of a clean work tree publishes one. Build and deploy that commit: python -m bridge pipeline run",
        "Déployer un arbre de travail propre en publie une. Construisez et déployez ce commit : python -m bridge pipeline run",
    ),
    "registry.half_login": Message(
        "There is a registry token but no user.",
        "Il y a un jeton de registre mais pas d'utilisateur.",
        "Set it: export BRIDGE_REGISTRY_USER=…",
        "Définissez-le : export BRIDGE_REGISTRY_USER=…",
    ),
}
