"""Deploying: images, the plan, the roll-out, the proxy, records."""

from agent.model.messages import Message

MESSAGES = {
    "pull.done": Message("{count} of {total} image(s) pulled", "{count} image(s) sur {total} téléchargée(s)"),
    "pull.nothing": Message("all {total} image(s) are here", "les {total} image(s) sont là"),
    "pull.waiting": Message(
        "waiting: other deployments are pulling, and this host pulls {count} image(s) at a time (“parallel_pulls”)",
        "en attente : d'autres déploiements téléchargent, et cet hôte télécharge {count} image(s) à la fois (« parallel_pulls »)",
    ),
    "pull.brought": Message(
        "{brought} of {total} image(s) came with the release, {count} were missing",
        "{brought} image(s) sur {total} venue(s) avec la livraison, {count} manquai(en)t",
    ),
    "image.incomplete": Message(
        "The release does not bring the whole image {image}: {reason}. Nothing of it was taken.",
        "La livraison n'apporte pas l'image {image} en entier : {reason}. Rien n'en a été pris.",
        "Send it again: python -m bridge deploy apply --release FILE --bundle{of}",
        "Renvoyez-la : python -m bridge deploy apply --release FICHIER --bundle{of}",
    ),
    "image.not_kept": Message(
        "The Engine took the image {image} and does not know it by its digest.",
        "Le moteur a pris l'image {image} et ne la connaît pas par son empreinte.",
        "Look at what it has: docker images --digests",
        "Regardez ce qu'il a : docker images --digests",
    ),
    "image.classic_store": Message(
        "The Engine's classic image store forgets the digest of an image that does not come from a registry.",
        "Le stockage d'images classique du moteur oublie l'empreinte d'une image qui ne vient pas d'un registre.",
        "Deploy when the registry is back. Containerd's store (“containerd-snapshotter” in /etc/docker/daemon.json, Engine 25 "
        "or later) is to be chosen when a host is set up: switching hides the images and containers that are there.",
        "Déployez quand le registre est revenu. Le stockage de containerd (« containerd-snapshotter » dans "
        "/etc/docker/daemon.json, moteur 25 ou plus) se choisit à l'installation d'un hôte : en changer cache les images et "
        "les conteneurs qui s'y trouvent.",
    ),
    "roll_out.done": Message("{count} of {total} service(s) changed", "{count} service(s) sur {total} modifié(s)"),
    "retire.done": Message(
        "removed: {containers} old container(s), {releases} old release(s), {images} image(s), {backups} restore point(s)",
        "retiré : {containers} ancien(s) conteneur(s), {releases} ancienne(s) livraison(s), {images} image(s), {backups} point(s) de "
        "restauration",
    ),
    "schema.ahead": Message("the database stays ahead by: {names}", "la base reste en avance de : {names}"),
    "rollback.schema": Message(
        "Release {release} cannot live with what was migrated since: {names}.",
        "La livraison {release} ne peut pas vivre avec ce qui a été migré depuis : {names}.",
        "Deploy a release that can, or go back with the database: python -m bridge rollback --restore-database{of}",
        "Déployez une livraison qui le peut, ou revenez avec la base : python -m bridge rollback --restore-database{of}",
    ),
    "sync.commit": Message("{ref} is the commit {commit}", "{ref} est le commit {commit}"),
    "sync.done": Message("release {release}, published for {commit}", "livraison {release}, publiée pour {commit}"),
    "sync.building": Message(
        "CI published nothing for {commit}; building it on this host, as its settings allow",
        "La CI n'a rien publié pour {commit} ; construction sur cet hôte, comme ses réglages le permettent",
    ),
    "sync.built": Message(
        "release {release}, built on this host from {commit}",
        "livraison {release}, construite sur cet hôte depuis {commit}",
    ),
    "homemade.outside": Message(
        "“{path}” leads out of the app's repository; a build on this host reaches nothing else.",
        "« {path} » mène hors du dépôt de l'application ; une construction sur cet hôte n'atteint rien d'autre.",
        "Keep it inside the repository, or let CI build the release: python -m bridge pipeline run{of}",
        "Gardez-le dans le dépôt, ou laissez la CI construire la livraison : python -m bridge pipeline run{of}",
    ),
    "homemade.refused": Message(
        "The build of {service} asks for “{key}”, which no build on this host is given.",
        "La construction de {service} demande « {key} », qu'aucune construction sur cet hôte ne reçoit.",
        "Let CI build the release: python -m bridge pipeline run{of}",
        "Laissez la CI construire la livraison : python -m bridge pipeline run{of}",
    ),
    "homemade.failed": Message(
        "The build on this host failed: {said}",
        "La construction sur cet hôte a échoué : {said}",
        "Correct it, push, and try again. Nothing that runs was touched.",
        "Corrigez, poussez et réessayez. Rien de ce qui tourne n'a été touché.",
    ),
    "source.ref": Message(
        "“{ref}” is no branch, tag or commit.",
        "« {ref} » n'est ni une branche, ni une étiquette, ni un commit.",
        "For example: --ref main",
        "Par exemple : --ref main",
    ),
    "source.none": Message(
        "This host knows no repository of {app}.",
        "Cet hôte ne connaît pas de dépôt pour {app}.",
        "Add it to “repositories” in /etc/ikoma/settings.json: {{app: {{url, key}}}}, the key read-only.",
        "Ajoutez-le à « repositories » dans /etc/ikoma/settings.json : {{app: {{url, key}}}}, la clé en lecture seule.",
    ),
    "source.no_registry": Message(
        "This host has no registry of its own to take releases from.",
        "Cet hôte n'a pas de registre d'où prendre des livraisons.",
        "Set “registry”, “registry_user” and “registry_token” in /etc/ikoma/settings.json.",
        "Définissez « registry », « registry_user » et « registry_token » dans /etc/ikoma/settings.json.",
    ),
    "source.git": Message(
        "The repository of {app} cannot be read: {said}",
        "Le dépôt de {app} ne peut pas être lu : {said}",
        "Check its url and key in /etc/ikoma/settings.json, and the host key in /etc/ikoma/git_known_hosts.",
        "Vérifiez son url et sa clé dans /etc/ikoma/settings.json, et la clé d'hôte dans /etc/ikoma/git_known_hosts.",
    ),
    "source.other_app": Message(
        "The repository is that of {found}, not of {app}.",
        "Le dépôt est celui de {found}, pas de {app}.",
        "Correct “repositories” in /etc/ikoma/settings.json.",
        "Corrigez « repositories » dans /etc/ikoma/settings.json.",
    ),
    "source.not_published": Message(
        "CI published no release of {target} for the commit {commit}. Nothing is built on this host.",
        "La CI n'a publié aucune livraison de {target} pour le commit {commit}. Rien n'est construit sur cet hôte.",
        "Let it build the commit (python -m bridge pipeline run{of}), then try again.",
        "Laissez-la construire le commit (python -m bridge pipeline run{of}), puis réessayez.",
    ),
    "source.registry": Message(
        "The release cannot be had from {registry}: {reason}",
        "La livraison ne peut pas être obtenue de {registry} : {reason}",
        "Check “registry” and its login in /etc/ikoma/settings.json.",
        "Vérifiez « registry » et son accès dans /etc/ikoma/settings.json.",
    ),
    "adopt.first": Message(
        "A compose project named {slug} is here already ({services}), and no deployment made it.",
        "Un projet compose nommé {slug} existe déjà ({services}), et aucun déploiement ne l'a créé.",
        "Take it over, so that its volumes are kept: python -m bridge call apps.adopt --app {app}",
        "Reprenez-le, pour que ses volumes soient conservés : python -m bridge call apps.adopt --app {app}",
    ),
    "adopt.empty_volume": Message(
        "The volume {volume} ({name}) would start empty, while {other} exists outside this application.",
        "Le volume {volume} ({name}) démarrerait vide, alors que {other} existe hors de cette application.",
        "Name it in the compose file (“name: {other}”, allowed by the host settings as volume:{other}), or say that it may "
        "start empty: --accept empty:{volume}",
        "Nommez-le dans le fichier compose (« name: {other} », permis par les réglages de l'hôte : volume:{other}), ou "
        "acceptez qu'il démarre vide : --accept empty:{volume}",
    ),
    "adopt.ours": Message(
        "{slug} is deployed by this agent already.",
        "{slug} est déjà déployée par cet agent.",
        "See it: python -m bridge status{of}",
        "Voyez-la : python -m bridge status{of}",
    ),
    "adopt.nothing": Message(
        "No compose project named {slug} runs here. Those that run: {projects}.",
        "Aucun projet compose nommé {slug} ne tourne ici. Ceux qui tournent : {projects}.",
        "An app is taken over under the project's own name: call the app so in ikoma.release.json.",
        "Une application est reprise sous le nom du projet : nommez-la ainsi dans ikoma.release.json.",
    ),
    "adopt.volume": Message("keeps the volume {name}", "conserve le volume {name}"),
    "adopt.network": Message("keeps the network {name}", "conserve le réseau {name}"),
    "adopt.done": Message(
        "{services} service(s) taken over, with {volumes} volume(s) and {networks} network(s)",
        "{services} service(s) repris, avec {volumes} volume(s) et {networks} réseau(x)",
    ),
    "remove.confirm": Message(
        "Removing {slug} takes its name typed again.",
        "Pour retirer {slug}, tapez son nom encore une fois.",
        "Add: confirm={slug} (and volumes=true, database=true if they are to go too).",
        "Ajoutez : confirm={slug} (et volumes=true, database=true s'ils doivent partir aussi).",
    ),
    "remove.no_admin": Message(
        "This host has no administrator's connection to drop a database with.",
        "Cet hôte n'a pas de connexion d'administrateur pour supprimer une base.",
        "Set “admin_dsn” in /etc/ikoma/settings.json, or remove the app without database=true.",
        "Définissez « admin_dsn » dans /etc/ikoma/settings.json, ou retirez l'application sans database=true.",
    ),
    "remove.left": Message(
        "The app is removed, but for files in {folder} that belong to somebody else.",
        "L'application est retirée, sauf des fichiers de {folder} qui appartiennent à quelqu'un d'autre.",
        "Remove the folder as root: rm -r {folder}",
        "Supprimez le dossier en tant que root : rm -r {folder}",
    ),
    "remove.done": Message(
        "removed: {containers} container(s), {networks} network(s), {volumes} volume(s), {images} image(s)",
        "retiré : {containers} conteneur(s), {networks} réseau(x), {volumes} volume(s), {images} image(s)",
    ),
    "rollback.no_restore_point": Message(
        "No restore point is recorded from before what release {release} does not know.",
        "Aucun point de restauration n'est enregistré d'avant ce que la livraison {release} ignore.",
        "Name a backup: --restore-database --backup NAME (list them: python -m bridge call db.list_backups{of})",
        "Nommez une sauvegarde : --restore-database --backup NOM (liste : python -m bridge call db.list_backups{of})",
    ),
    "rollback.lacking": Message(
        "Release {release} needs migrations that the database does not have: {names}.",
        "La livraison {release} a besoin de migrations que la base n'a pas : {names}.",
        "Somebody put an older database back. Deploy the release again: python -m bridge pipeline run{of}",
        "Une base plus ancienne a été remise. Redéployez la livraison : python -m bridge pipeline run{of}",
    ),
    "release.unknown": Message(
        "{slug} has no recorded release {release}.",
        "{slug} n'a pas de livraison enregistrée {release}.",
        "See those it has: python -m bridge call apps.releases{of}",
        "Voyez celles qui existent : python -m bridge call apps.releases{of}",
    ),
    "release.other": Message(
        "The release that came is {found}; the request is about {wanted}.",
        "La livraison reçue est {found} ; la requête concerne {wanted}.",
        "Send the release that belongs to the request.",
        "Envoyez la livraison qui correspond à la requête.",
    ),
    "release.bundle": Message(
        "The release is damaged: {reason}.",
        "La livraison est endommagée : {reason}.",
        "Send it again: python -m bridge pipeline run{of}",
        "Renvoyez-la : python -m bridge pipeline run{of}",
    ),
    "release.none": Message(
        "{slug} has no release on this host yet.",
        "{slug} n'a pas encore de livraison sur cet hôte.",
        "Deploy one: python -m bridge pipeline run{of}",
        "Déployez-en une : python -m bridge pipeline run{of}",
    ),
    "release.no_previous": Message(
        "{slug} has no earlier release to go back to.",
        "{slug} n'a pas de livraison antérieure à laquelle revenir.",
        "Name one that is recorded: --to r-…",
        "Nommez-en une qui est enregistrée : --to r-…",
    ),
    "release.service_unknown": Message(
        "{slug} has no service named {service}.",
        "{slug} n'a pas de service nommé {service}.",
        "See its services: python -m bridge status{of}",
        "Voyez ses services : python -m bridge status{of}",
    ),
    "image.denied": Message(
        "The registry {registry} refuses access to {image}: {reason}",
        "Le registre {registry} refuse l'accès à {image} : {reason}",
        "Check BRIDGE_REGISTRY_USER and BRIDGE_REGISTRY_TOKEN: the token must be allowed to read the package.",
        "Vérifiez BRIDGE_REGISTRY_USER et BRIDGE_REGISTRY_TOKEN : le jeton doit pouvoir lire le paquet.",
    ),
    "image.missing": Message(
        "The registry {registry} does not have {image}.",
        "Le registre {registry} n'a pas {image}.",
        "Build and push it again: python -m bridge pipeline run{of}",
        "Reconstruisez et poussez-la : python -m bridge pipeline run{of}",
    ),
    "image.disk_full": Message(
        "The host's disk is full; {image} could not be stored.",
        "Le disque de l'hôte est plein ; {image} n'a pas pu être enregistrée.",
        "Free space on the host (docker image prune), then deploy again.",
        "Libérez de la place sur l'hôte (docker image prune), puis relancez le déploiement.",
    ),
    "image.platform": Message(
        "{image} was not built for this host: {reason}",
        "{image} n'a pas été construite pour cet hôte : {reason}",
        "Set “platform” in ikoma.release.json to the host's architecture and run the pipeline again.",
        "Mettez « platform » d'ikoma.release.json à l'architecture de l'hôte et relancez le pipeline.",
    ),
    "image.untrusted": Message(
        "The host does not trust the registry {registry}: {reason}",
        "L'hôte ne fait pas confiance au registre {registry} : {reason}",
        "Install the registry's certificate authority on the host (/etc/docker/certs.d/{registry}/ca.crt).",
        "Installez l'autorité de certification du registre sur l'hôte (/etc/docker/certs.d/{registry}/ca.crt).",
    ),
    "image.unreachable": Message(
        "{image} could not be pulled from {registry}: {reason}",
        "{image} n'a pas pu être tirée de {registry} : {reason}",
        "Check that the host reaches the registry, then deploy again; what is already here is not pulled twice.",
        "Vérifiez que l'hôte joint le registre, puis relancez ; ce qui est déjà là ne sera pas tiré deux fois.",
    ),
    "plan.unchanged": Message("{service}: unchanged", "{service} : inchangé"),
    "plan.unchanged.held": Message(
        "{service}: keeps running as it is (holds data; replaced only when named: --accept replace:{service})",
        "{service} : continue tel quel (contient des données ; remplacé seulement si nommé : --accept replace:{service})",
    ),
    "plan.started.held": Message(
        "{service}: starts again as it is (holds data; replaced only when named: --accept replace:{service})",
        "{service} : redémarre tel quel (contient des données ; remplacé seulement si nommé : --accept replace:{service})",
    ),
    "plan.started.again": Message("{service}: starts again", "{service} : redémarre"),
    "plan.unchanged.left": Message(
        "{service}: is no longer part of the release and keeps running (holds data; removed only when named: --accept "
        "replace:{service})",
        "{service} : ne fait plus partie de la livraison et continue (contient des données ; retiré seulement si nommé : "
        "--accept replace:{service})",
    ),
    "plan.started.left": Message(
        "{service}: is no longer part of the release and starts again (holds data; removed only when named: --accept "
        "replace:{service})",
        "{service} : ne fait plus partie de la livraison et redémarre (contient des données ; retiré seulement si nommé : "
        "--accept replace:{service})",
    ),
    "plan.removed.moved": Message(
        "{service}: stops first; another service takes its data over",
        "{service} : s'arrête d'abord ; un autre service reprend ses données",
    ),
    "plan.data_dropped": Message(
        "{service} holds data and is no longer part of the release.",
        "{service} contient des données et ne fait plus partie de la livraison.",
        "Put it back into the compose file, or say that its containers may go (named volumes stay): --accept "
        "replace:{service}",
        "Remettez-le dans le fichier compose, ou dites que ses conteneurs peuvent partir (les volumes nommés restent) : "
        "--accept replace:{service}",
    ),
    "plan.started.start-first": Message("{service}: starts", "{service} : démarre"),
    "plan.started.stop-first": Message("{service}: starts", "{service} : démarre"),
    "plan.started.run": Message("{service}: runs to its end", "{service} : s'exécute jusqu'à son terme"),
    "plan.replaced.run": Message("{service}: runs to its end", "{service} : s'exécute jusqu'à son terme"),
    "plan.replaced.start-first": Message(
        "{service}: the new one starts beside the old one", "{service} : le nouveau démarre à côté de l'ancien"
    ),
    "plan.replaced.stop-first": Message(
        "{service}: the old one stops, then the new one starts{reason}",
        "{service} : l'ancien s'arrête, puis le nouveau démarre{reason}",
    ),
    "plan.restarted.start-first": Message(
        "{service}: a fresh one starts beside the old one", "{service} : un neuf démarre à côté de l'ancien"
    ),
    "plan.restarted.stop-first": Message(
        "{service}: the old one stops, then a fresh one starts{reason}",
        "{service} : l'ancien s'arrête, puis un neuf démarre{reason}",
    ),
    "plan.removed": Message(
        "{service}: is no longer part of the release", "{service} : ne fait plus partie de la livraison"
    ),
    "plan.own_proxy": Message(
        "Users come in through {services}, which publishes its port itself; no route of this host leads there. What stands "
        "behind it is switched without a gap if it asks for the service's name with each connection, and keeps no address "
        "(in nginx: a variable in proxy_pass, and a resolver). When it is replaced itself, there is a gap.",
        "Les utilisateurs entrent par {services}, qui publie lui-même son port ; aucune route de cet hôte n'y mène. Ce qui "
        "est derrière bascule sans coupure s'il demande le nom du service à chaque connexion et ne garde aucune adresse "
        "(dans nginx : une variable dans proxy_pass, et un resolver). Quand il est remplacé lui-même, il y a une coupure.",
    ),
    "plan.gap.measured": Message(
        "; a gap of about {seconds} s, as last time", " ; coupure d'environ {seconds} s, comme la dernière fois"
    ),
    "plan.gap.at_most": Message("; a gap of {seconds} s at most", " ; coupure de {seconds} s au plus"),
    "plan.reason.port": Message(" (it publishes a port)", " (il publie un port)"),
    "plan.reason.address": Message(" (it has a fixed address)", " (adresse fixe)"),
    "plan.reason.stated": Message(" (as the contract states)", " (selon le contrat)"),
    "rollout.one_shot": Message("running {what}", "exécution de {what}"),
    "rollout.beside": Message("starting beside the old ones: {what}", "démarrage à côté des anciens : {what}"),
    "rollout.wake": Message("starting again: {what}", "redémarrage : {what}"),
    "rollout.switch": Message("all passed; switching: {what}", "tous validés ; bascule : {what}"),
    "rollout.replace": Message("replacing: {what}", "remplacement : {what}"),
    "rollout.routes": Message("routes: {what}", "routes : {what}"),
    "rollout.create": Message(
        "Compose could not create the containers: {reason}",
        "Compose n'a pas pu créer les conteneurs : {reason}",
    ),
    "rollout.start": Message(
        "The container of service {service} does not start: {reason}",
        "Le conteneur du service {service} ne démarre pas : {reason}",
        "Check its command, its ports and what it mounts in the compose file.",
        "Vérifiez sa commande, ses ports et ce qu'il monte dans le fichier compose.",
    ),
    "maintenance.planned": Message(
        "Maintenance: for {names} the app is closed (503, Retry-After) from the restore point until the new release serves.",
        "Maintenance : pour {names}, l'application est fermée (503, Retry-After) du point de restauration jusqu'à la nouvelle livraison.",
    ),
    "maintenance.closed": Message(
        "closed for {names}: routes answer 503, services stand still",
        "fermée pour {names} : les routes répondent 503, les services sont arrêtés",
    ),
    "maintenance.restoring": Message(
        "Putting {name} back: the former release cannot live with what was migrated.",
        "Remise en place de {name} : la livraison précédente ne peut pas vivre avec ce qui a été migré.",
    ),
    "maintenance.no_restore_point": Message(
        "The app would be closed for {names}, and only a whole restore point can bring it back if the deployment fails.",
        "L'application serait fermée pour {names}, et seul un point de restauration entier peut la ramener si le déploiement échoue.",
        "Leave --accept restore-point:… away.",
        "Retirez --accept restore-point:….",
    ),
    "proxy.no_image": Message(
        "The host settings name no image for the reverse proxy.",
        "Les réglages de l'hôte ne nomment pas d'image pour le proxy.",
        "Set “caddy_image” in /etc/ikoma/settings.json, or remove “routes” from ikoma.release.json.",
        "Définissez « caddy_image » dans /etc/ikoma/settings.json, ou retirez « routes » d'ikoma.release.json.",
    ),
    "proxy.foreign": Message(
        "A container named {name} is there that this agent did not make.",
        "Un conteneur nommé {name} est là, que cet agent n'a pas créé.",
        "Rename it: docker rename {name} NEW-NAME",
        "Renommez-le : docker rename {name} NOUVEAU-NOM",
    ),
    "proxy.start": Message(
        "The reverse proxy does not start: {reason}",
        "Le proxy ne démarre pas : {reason}",
        "See what holds its ports: python -m bridge host check",
        "Voyez ce qui occupe ses ports : python -m bridge host check",
    ),
    "proxy.refused": Message(
        "The reverse proxy does not accept the routes: {said}",
        "Le proxy n'accepte pas les routes : {said}",
        "Check “routes” in ikoma.release.json.",
        "Vérifiez « routes » dans ikoma.release.json.",
    ),
    "port.held": Message(
        "Port {port} of the host is held by {holder}; service {service} needs it.",
        "Le port {port} de l'hôte est occupé par {holder} ; le service {service} en a besoin.",
        "Stop what holds it, or choose another port (host settings “http_port”/“https_port”, or the compose file).",
        "Arrêtez ce qui l'occupe, ou choisissez un autre port (réglages « http_port »/« https_port », ou le fichier compose).",
    ),
    "route.taken": Message(
        "The host name {host} already belongs to {owner}.",
        "Le nom d'hôte {host} appartient déjà à {owner}.",
        "Choose another host name, or remove the route from {owner}.",
        "Choisissez un autre nom d'hôte, ou retirez la route de {owner}.",
    ),
}
