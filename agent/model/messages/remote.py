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
    "remote.no_python": Message(
        "The host has no Python 3, which the agent is written in.",
        "L'hôte n'a pas Python 3, dans lequel l'agent est écrit.",
        "Install it there: apt-get install python3",
        "Installez-le là-bas : apt-get install python3",
    ),
    "remote.python_unsupported": Message(
        "The agent runs on Python 3.11, 3.12 or 3.13; the host has {found}.",
        "L'agent tourne sur Python 3.11, 3.12 ou 3.13 ; l'hôte a {found}.",
        "Install one of them beside the host's own (Debian 12 and 13 and Ubuntu 24.04 bring one), for example: apt-get install python3.12",
        "Installez l'un d'eux à côté de celui de l'hôte (Debian 12 et 13 et Ubuntu 24.04 en ont un), par exemple : apt-get install python3.12",
    ),
    "remote.machine_unsupported": Message(
        "The agent is built for {supported}; the host is {machine}.",
        "L'agent est construit pour {supported} ; l'hôte est {machine}.",
        "Use a host of one of these architectures.",
        "Utilisez un hôte de l'une de ces architectures.",
    ),
    "remote.no_docker": Message(
        "There is no Docker Engine on this host ({system}).",
        "Il n'y a pas de Docker Engine sur cet hôte ({system}).",
        "Install Docker Engine with Compose 2.20 or newer there (Debian 13: apt-get install docker.io docker-cli docker-compose), then try again.",
        "Installez-y Docker Engine avec Compose 2.20 ou plus récent (Debian 13 : apt-get install docker.io docker-cli docker-compose), puis réessayez.",
    ),
    "remote.sudo": Message(
        "{user} may not use sudo without a password on this host.",
        "{user} ne peut pas utiliser sudo sans mot de passe sur cet hôte.",
        "Log in as root (--admin-user root), or allow it there: echo '{user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{user}",
        "Connectez-vous en root (--admin-user root), ou autorisez-le là-bas : echo '{user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{user}",
    ),
    "remote.host_program": Message(
        "A step on the host ended in a way it should not: {said}",
        "Une étape sur l'hôte s'est terminée de manière inattendue : {said}",
        "Read what it said, then try again; every step may be repeated.",
        "Lisez ce qu'elle a dit, puis réessayez ; chaque étape peut être répétée.",
    ),
    "remote.action_failed": Message(
        "This failed on the host: {action}. {reason}",
        "Ceci a échoué sur l'hôte : {action}. {reason}",
        "Correct the cause and run the command again; what is done already is left alone.",
        "Corrigez la cause et relancez la commande ; ce qui est déjà fait reste en place.",
    ),
    "remote.sshd_refused": Message(
        "sshd does not accept the new settings, they were taken back: {reason}",
        "sshd n'accepte pas les nouveaux réglages, ils ont été retirés : {reason}",
        "See what sshd says on the host (sshd -t), and that /etc/ssh/sshd_config has the line: Include /etc/ssh/sshd_config.d/*.conf",
        "Voyez ce que dit sshd sur l'hôte (sshd -t), et que /etc/ssh/sshd_config contient : Include /etc/ssh/sshd_config.d/*.conf",
    ),
    "remote.login_failed": Message(
        "The second login failed, so sshd was put back as it was: {reason}",
        "La seconde connexion a échoué, sshd a donc été remis en l'état : {reason}",
        "Check AllowUsers, AllowGroups and DenyUsers in sshd's configuration (sshd -T), then run the command again.",
        "Vérifiez AllowUsers, AllowGroups et DenyUsers dans la configuration de sshd (sshd -T), puis relancez la commande.",
    ),
    "remote.host_busy": Message(
        "An operation is running for {target}: {holder}",
        "Une opération est en cours pour {target} : {holder}",
        "Wait for its end (python -m bridge status), then try again.",
        "Attendez sa fin (python -m bridge status), puis réessayez.",
    ),
    "remote.not_installed": Message(
        "There is no agent on this host.",
        "Il n'y a pas d'agent sur cet hôte.",
        "Install it: python -m bridge host bootstrap",
        "Installez-le : python -m bridge host bootstrap",
    ),
    "remote.no_previous": Message(
        "There is no former version on this host to go back to.",
        "Il n'y a pas de version antérieure sur cet hôte à laquelle revenir.",
        "Install the wanted version: python -m bridge host upgrade, with the bridge of that version.",
        "Installez la version voulue : python -m bridge host upgrade, avec le bridge de cette version.",
    ),
    "remote.keys_damaged": Message(
        "The table of keys {file} on the host is damaged.",
        "La table des clés {file} de l'hôte est endommagée.",
        "Correct it as root, or remove it and register every key again.",
        "Corrigez-la en tant que root, ou supprimez-la et enregistrez de nouveau chaque clé.",
    ),
    "remote.role_unknown": Message(
        "There is no role “{role}”.",
        "Il n'y a pas de rôle « {role} ».",
        "Choose one of: {roles}",
        "Choisissez l'un de : {roles}",
    ),
    "remote.package": Message(
        "The agent's package could not be made: {reason}.",
        "Le paquet de l'agent n'a pas pu être construit : {reason}.",
        "Try again.",
        "Réessayez.",
    ),
    "remote.need_yes": Message(
        "Nobody is there to answer the question, so nothing was changed.",
        "Personne n'est là pour répondre à la question, rien n'a donc été modifié.",
        "Say it beforehand: --yes, or only look: --dry-run",
        "Dites-le d'avance : --yes, ou regardez seulement : --dry-run",
    ),
    "remote.changes": Message("Changes on {host}:", "Modifications sur {host} :"),
    "remote.nothing": Message(
        "{host} is as wanted; nothing to change.", "{host} est dans l'état voulu ; rien à changer."
    ),
    "remote.ask": Message("Make these changes?", "Appliquer ces modifications ?"),
    "remote.removed": Message(
        "The agent is gone from {host}. Apps, data and backups are where they were.",
        "L'agent a quitté {host}. Applications, données et sauvegardes sont restées en place.",
    ),
    "remote.done": Message("{host} is ready.", "{host} est prêt."),
    "remote.plan.user": Message(
        "system user {name}, in group {group}", "utilisateur système {name}, du groupe {group}"
    ),
    "remote.plan.folder": Message("folder {path} ({owner}:{group} {mode})", "dossier {path} ({owner}:{group} {mode})"),
    "remote.plan.file": Message("file {path} ({owner}:{group} {mode})", "fichier {path} ({owner}:{group} {mode})"),
    "remote.plan.link": Message("link {path} → {target}", "lien {path} → {target}"),
    "remote.plan.idle": Message("make sure that no operation runs", "vérifier qu'aucune opération n'est en cours"),
    "remote.plan.install": Message(
        "agent {version} in {folder}, tested there", "agent {version} dans {folder}, testé sur place"
    ),
    "remote.plan.prune": Message(
        "keep the latest {keep} versions of the agent", "garder les {keep} dernières versions de l'agent"
    ),
    "remote.plan.sshd": Message(
        "sshd: rules for the user {user} in {path}, after sshd -t; reload",
        "sshd : règles de l'utilisateur {user} dans {path}, après sshd -t ; rechargement",
    ),
    "remote.plan.no_sshd": Message(
        "remove sshd's rules for the user {user} in {path}; reload",
        "supprimer les règles de sshd pour l'utilisateur {user} dans {path} ; rechargement",
    ),
    "remote.plan.command": Message("{command}", "{command}"),
    "remote.plan.remove": Message("remove {path}", "supprimer {path}"),
    "remote.plan.drop_user": Message(
        "remove the user {name}; its data stays and goes to root",
        "supprimer l'utilisateur {name} ; ses données restent et passent à root",
    ),
    "remote.row.system": Message("System", "Système"),
    "remote.row.python": Message("Python", "Python"),
    "remote.row.engine": Message("Docker Engine", "Docker Engine"),
    "remote.row.compose": Message("Docker Compose", "Docker Compose"),
    "remote.row.port_80": Message("Port 80", "Port 80"),
    "remote.row.port_443": Message("Port 443", "Port 443"),
    "remote.row.disk": Message("Free disk", "Disque libre"),
    "remote.row.database": Message("Database", "Base de données"),
    "remote.row.clock": Message("Clock", "Horloge"),
    "remote.row.agent": Message("Agent", "Agent"),
    "remote.advice.said": Message("{said}", "{said}"),
    "remote.advice.install_docker": Message(
        "Install Docker Engine with Compose 2.20 or newer.", "Installez Docker Engine avec Compose 2.20 ou plus récent."
    ),
    "remote.advice.newer": Message("{oldest} or newer is needed.", "Il faut {oldest} ou plus récent."),
    "remote.advice.port": Message(
        "Needed for routes: free port {port}, or set http_port and https_port in the host settings.",
        "Nécessaire aux routes : libérez le port {port}, ou fixez http_port et https_port dans les réglages de l'hôte.",
    ),
    "remote.advice.disk": Message(
        "Less than 5 GiB: images of a release and its predecessor may not fit.",
        "Moins de 5 Gio : les images d'une version et de la précédente risquent de ne pas tenir.",
    ),
    "remote.advice.database": Message(
        "None found here; a database elsewhere is given by SUPABASE_DB_DSN (python -m bridge env push).",
        "Aucune trouvée ici ; une base située ailleurs se donne par SUPABASE_DB_DSN (python -m bridge env push).",
    ),
    "remote.advice.clock": Message(
        "Let the host keep time: apt-get install systemd-timesyncd",
        "Mettez l'hôte à l'heure : apt-get install systemd-timesyncd",
    ),
    "remote.advice.agent": Message(
        "Install it: python -m bridge host bootstrap", "Installez-le : python -m bridge host bootstrap"
    ),
}
