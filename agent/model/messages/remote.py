"""Reaching a host over SSH, and installing the agent on it."""

from agent.model.messages import Message

_KEYSCAN_EN = "Compare it with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on the host)"
_KEYSCAN_FR = "Comparez-la à celle de l'hôte (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub sur l'hôte)"

MESSAGES = {
    "remote.dns": Message(
        "The name {host} is not known to DNS ({reason}).",
        "Le nom {host} est inconnu du DNS ({reason}).",
        "Check BRIDGE_HOST or --host, or give the host's address.",
        "Vérifiez BRIDGE_HOST ou --host, ou donnez l'adresse de l'hôte.",
    ),
    "remote.refused": Message(
        "{host} answers, but nothing listens on port {port}.",
        "{host} répond, mais rien n'écoute sur le port {port}.",
        "Check that sshd runs there and on which port, then set BRIDGE_PORT or --port.",
        "Vérifiez que sshd y tourne et sur quel port, puis fixez BRIDGE_PORT ou --port.",
    ),
    "remote.timeout": Message(
        "{host} did not answer on port {port} within {seconds} s.",
        "{host} n'a pas répondu sur le port {port} en {seconds} s.",
        "Check that the host is up and that its firewall lets this machine reach port {port}.",
        "Vérifiez que l'hôte est allumé et que son pare-feu laisse cette machine atteindre le port {port}.",
    ),
    "remote.unreachable": Message(
        "{host} cannot be reached on port {port}: {reason}.",
        "{host} est injoignable sur le port {port} : {reason}.",
        "Check the address and this machine's network.",
        "Vérifiez l'adresse et le réseau de cette machine.",
    ),
    "remote.no_ssh": Message(
        "Port {port} of {host} is open, but no SSH session came about: {reason}.",
        "Le port {port} de {host} est ouvert, mais aucune session SSH n'a pu s'établir : {reason}.",
        "Check that this is the port of sshd, and its log on the host: journalctl -u ssh",
        "Vérifiez que c'est bien le port de sshd, et son journal sur l'hôte : journalctl -u ssh",
    ),
    "remote.auth_refused": Message(
        "{destination} refused the key {fingerprint}.",
        "{destination} a refusé la clé {fingerprint}.",
        "Check the user and the key (BRIDGE_USER, BRIDGE_SSH_KEY), or register the key: python -m bridge host bootstrap --public-key FILE.pub",
        "Vérifiez l'utilisateur et la clé (BRIDGE_USER, BRIDGE_SSH_KEY), ou enregistrez la clé : python -m bridge host bootstrap --public-key FICHIER.pub",
    ),
    "remote.host_key_unknown": Message(
        "The host key of {host} is not known. It shows {shown}; trusted: {trusted}.",
        "La clé d'hôte de {host} est inconnue. Il présente {shown} ; de confiance : {trusted}.",
        _KEYSCAN_EN + ", then add this line to {source}: {line}",
        _KEYSCAN_FR + ", puis ajoutez cette ligne à {source} : {line}",
    ),
    "remote.host_key_changed": Message(
        "The host key of {host} has CHANGED. It shows {shown}; {source} trusts {trusted}. Nothing was sent.",
        "La clé d'hôte de {host} a CHANGÉ. Il présente {shown} ; {source} fait confiance à {trusted}. Rien n'a été envoyé.",
        _KEYSCAN_EN
        + "; if it was reinstalled, replace the line of {host} in {source}, otherwise someone may be in between.",
        _KEYSCAN_FR
        + " ; s'il a été réinstallé, remplacez la ligne de {host} dans {source}, sinon quelqu'un s'interpose peut-être.",
    ),
    "remote.known_hosts_missing": Message(
        "The file of known hosts {file} cannot be read: {reason}.",
        "Le fichier d'hôtes connus {file} est illisible : {reason}.",
        "Set BRIDGE_KNOWN_HOSTS to such a file or to its text, or BRIDGE_HOST_KEY to the host's key.",
        "Donnez à BRIDGE_KNOWN_HOSTS un tel fichier ou son texte, ou à BRIDGE_HOST_KEY la clé de l'hôte.",
    ),
    "remote.host_key_invalid": Message(
        "“{value}” is not a host key.",
        "« {value} » n'est pas une clé d'hôte.",
        "Give it as in /etc/ssh/ssh_host_ed25519_key.pub: ssh-ed25519 AAAA…",
        "Donnez-la comme dans /etc/ssh/ssh_host_ed25519_key.pub : ssh-ed25519 AAAA…",
    ),
    "remote.key_missing": Message(
        "The key {key} cannot be read: {reason}.",
        "La clé {key} est illisible : {reason}.",
        "Set BRIDGE_SSH_KEY (or BRIDGE_ADMIN_KEY) to the path of a private key, or to the key itself.",
        "Donnez à BRIDGE_SSH_KEY (ou BRIDGE_ADMIN_KEY) le chemin d'une clé privée, ou la clé elle-même.",
    ),
    "remote.key_passphrase": Message(
        "The private key ({key}) is protected by a passphrase; nobody is there to type it.",
        "La clé privée ({key}) est protégée par une phrase secrète ; personne n'est là pour la taper.",
        "Make a key of its own for deployments: ssh-keygen -t ed25519 -N '' -f deploy_key",
        "Créez une clé dédiée aux déploiements : ssh-keygen -t ed25519 -N '' -f deploy_key",
    ),
    "remote.key_invalid": Message(
        "{key} is not a private key that can be used (ed25519, ecdsa or rsa).",
        "{key} n'est pas une clé privée utilisable (ed25519, ecdsa ou rsa).",
        "Give the whole file, from -----BEGIN to -----END, or make one: ssh-keygen -t ed25519 -N '' -f deploy_key",
        "Donnez le fichier entier, de -----BEGIN à -----END, ou créez-en une : ssh-keygen -t ed25519 -N '' -f deploy_key",
    ),
    "remote.public_key_invalid": Message(
        "{key} is not one public key in OpenSSH's format.",
        "{key} n'est pas une clé publique unique au format d'OpenSSH.",
        "Give the .pub file that ssh-keygen wrote: ssh-ed25519 AAAA…",
        "Donnez le fichier .pub écrit par ssh-keygen : ssh-ed25519 AAAA…",
    ),
    "remote.no_agent": Message(
        "The host accepted the key but no agent answered. It said: {said}",
        "L'hôte a accepté la clé mais aucun agent n'a répondu. Il a dit : {said}",
        "Install or repair it: python -m bridge host bootstrap",
        "Installez-le ou réparez-le : python -m bridge host bootstrap",
    ),
    "remote.garbled": Message(
        "The agent's answer is damaged: {said}",
        "La réponse de l'agent est endommagée : {said}",
        "Try again; if it stays, repair the agent: python -m bridge host bootstrap",
        "Réessayez ; si cela persiste, réparez l'agent : python -m bridge host bootstrap",
    ),
    "remote.line_too_long": Message(
        "The host sent a line of more than {limit} bytes.",
        "L'hôte a envoyé une ligne de plus de {limit} octets.",
        "Repair the agent: python -m bridge host bootstrap",
        "Réparez l'agent : python -m bridge host bootstrap",
    ),
    "remote.lost": Message(
        "The connection to {destination} was lost before the answer: {reason}.",
        "La connexion à {destination} s'est perdue avant la réponse : {reason}.",
        "Nothing was changed by this call; try again.",
        "Cet appel n'a rien modifié ; réessayez.",
    ),
    "remote.detached": Message(
        "The connection to {destination} was lost ({reason}). Operation {operation} goes on there without us.",
        "La connexion à {destination} s'est perdue ({reason}). L'opération {operation} continue là-bas sans nous.",
        "See how it went: {command}",
        "Voyez ce qu'elle est devenue : {command}",
    ),
    "remote.interrupted": Message(
        "Interrupted here. Operation {operation} goes on at {destination}.",
        "Interrompu ici. L'opération {operation} continue sur {destination}.",
        "See how it went: {command}",
        "Voyez ce qu'elle est devenue : {command}",
    ),
}
