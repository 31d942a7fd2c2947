"""Building images and the release manifest."""

from agent.model.messages import Message

MESSAGES = {
    "carry.image": Message("{image}: {size} MB go along", "{image} : {size} Mo partent avec"),
    "carry.sending": Message("sending {size} MB to the host", "envoi de {size} Mo à l'hôte"),
    "carry.missing": Message(
        "The image {image} is neither in the engine here nor to be had from its registry: {reason}",
        "L'image {image} n'est ni dans le moteur d'ici ni accessible dans son registre : {reason}",
        "Run this where the release was built, or where its images were pulled (docker pull {image}).",
        "Lancez ceci là où la livraison a été construite, ou ses images tirées (docker pull {image}).",
    ),
    "dockerfile.missing": Message(
        "The service {service} is built from {file}, which does not exist.",
        "Le service {service} se construit à partir de {file}, qui n'existe pas.",
        "Correct “build” of {service} in the compose file.",
        "Corrigez « build » de {service} dans le fichier compose.",
    ),
    "dockerfile.broken": Message(
        "{file}:{line}: {reason}.",
        "{file}:{line} : {reason}.",
        "Correct the Dockerfile, then run the command again.",
        "Corrigez le Dockerfile, puis relancez la commande.",
    ),
    "dockerfile.stage": Message(
        "{file} has no stage “{target}” (there are: {known}).",
        "{file} n'a pas d'étape « {target} » (il y a : {known}).",
        "Correct “target” in the compose file.",
        "Corrigez « target » dans le fichier compose.",
    ),
    "dockerfile.base": Message(
        "{file}:{line}: the base image has no name.",
        "{file}:{line} : l'image de base n'a pas de nom.",
        "Give the build argument a value, or a default in the Dockerfile.",
        "Donnez une valeur à l'argument de construction, ou une valeur par défaut dans le Dockerfile.",
    ),
    "build.variable": Message(
        "{where} needs the variable {name}, which has no value.",
        "{where} a besoin de la variable {name}, qui n'a pas de valeur.",
        "Set it where the bridge runs (export {name}=…), or write a default: ${{{name}:-…}}",
        "Définissez-la là où tourne le bridge (export {name}=…), ou écrivez une valeur par défaut : ${{{name}:-…}}",
    ),
    "build.context": Message(
        "The service {service} is built from {context}, which is no folder of the repository.",
        "Le service {service} se construit à partir de {context}, qui n'est pas un dossier du dépôt.",
        "Use a folder of the repository as “build.context”.",
        "Utilisez un dossier du dépôt comme « build.context ».",
    ),
    "build.unsupported": Message(
        "The service {service} builds with “{key}”, which is not supported.",
        "Le service {service} se construit avec « {key} », ce qui n'est pas pris en charge.",
        "Remove the key from “build” of {service}, or build that image elsewhere and name it with “image”.",
        "Retirez cette clé de « build » de {service}, ou construisez l'image ailleurs et nommez-la avec « image ».",
    ),
    "build.failed": Message(
        "The image build failed: {said}",
        "La construction des images a échoué : {said}",
        "The lines above show the step; repeat it with: python -m bridge pipeline run",
        "Les lignes ci-dessus montrent l'étape ; recommencez avec : python -m bridge pipeline run",
    ),
    "build.no_builder": Message(
        "No image builder answers: {said}",
        "Aucun constructeur d'images ne répond : {said}",
        "Start Docker, or name a reachable one: export DOCKER_HOST=… (see: docker buildx ls)",
        "Démarrez Docker, ou nommez-en un qui répond : export DOCKER_HOST=… (voyez : docker buildx ls)",
    ),
    "build.no_buildx": Message(
        "This Docker has no buildx.",
        "Ce Docker n'a pas buildx.",
        "Install the package docker-buildx (or docker-buildx-plugin).",
        "Installez le paquet docker-buildx (ou docker-buildx-plugin).",
    ),
    "build.incomplete": Message(
        "The build ended without a digest for: {services}.",
        "La construction s'est terminée sans empreinte pour : {services}.",
        "Run it again: python -m bridge pipeline run",
        "Relancez-la : python -m bridge pipeline run",
    ),
    "build.no_cache": Message(
        "The builder ({driver}) cannot keep its cache in the registry; unchanged layers are rebuilt elsewhere.",
        "Le constructeur ({driver}) ne peut pas garder son cache dans le registre ; ailleurs, les couches inchangées seront reconstruites.",
    ),
    "build.git_folder": Message(
        "{service}: .git is not in .dockerignore; it is copied into the build but does not count for the content tag.",
        "{service} : .git ne figure pas dans .dockerignore ; il est copié dans la construction mais ne compte pas pour l'étiquette de contenu.",
    ),
    "build.present": Message(
        "{service}: {tag} is in the registry, not built",
        "{service} : {tag} est dans le registre, pas de construction",
    ),
    "build.turn": Message(
        "waiting: another build of {app} is running on this machine",
        "attente : une autre construction de {app} est en cours sur cette machine",
    ),
    "build.pushed": Message(
        "{service}: {tag} built and pushed in {seconds} s",
        "{service} : {tag} construite et poussée en {seconds} s",
    ),
    "build.unknown_service": Message(
        "There is no service “{service}” in {file}{nearest}.",
        "Il n'y a pas de service « {service} » dans {file}{nearest}.",
        "The services are: {known}",
        "Les services sont : {known}",
    ),
    "build.only_first": Message(
        "{app} is not deployed yet, so there is nothing to which a part could be added.",
        "{app} n'est pas encore déployée : il n'y a rien à quoi ajouter une partie.",
        "Deploy it whole first: python -m bridge pipeline run",
        "Déployez-la d'abord entière : python -m bridge pipeline run",
    ),
    "build.image_name": Message(
        "“{name}” is no valid image name.",
        "« {name} » n'est pas un nom d'image valable.",
        "Registry, app and service names may hold a-z, 0-9, “.”, “_” and “-”.",
        "Les noms de registre, d'application et de service peuvent contenir a-z, 0-9, « . », « _ » et « - ».",
    ),
    "compose.missing": Message(
        "There is no compose file {file}.",
        "Il n'y a pas de fichier compose {file}.",
        "Write it, or name another one under “compose” in {contract}.",
        "Créez-le, ou nommez-en un autre sous « compose » dans {contract}.",
    ),
    "compose.broken": Message(
        "docker compose does not accept {file}: {said}",
        "docker compose n'accepte pas {file} : {said}",
        "See it for yourself: docker compose -f {file} config --no-interpolate",
        "Voyez par vous-même : docker compose -f {file} config --no-interpolate",
    ),
    "compose.no_image": Message(
        "The service {service} has neither “build” nor “image”.",
        "Le service {service} n'a ni « build » ni « image ».",
        "Add one of them in {file}.",
        "Ajoutez l'un des deux dans {file}.",
    ),
    "compose.profile": Message(
        "The service {service} needs {other}, which is only started with a profile.",
        "Le service {service} a besoin de {other}, qui ne démarre qu'avec un profil.",
        "Take the profile off {other}, or the dependency off {service}.",
        "Retirez le profil de {other}, ou la dépendance de {service}.",
    ),
    "release.no_file": Message(
        "The compose file uses {path} ({where}), which is not in the repository.",
        "Le fichier compose utilise {path} ({where}), qui n'est pas dans le dépôt.",
        "Commit the file, or put the value into app.env: python -m bridge env push",
        "Enregistrez le fichier dans le dépôt, ou placez la valeur dans app.env : python -m bridge env push",
    ),
    "release.outside": Message(
        "The compose file uses {path} ({where}), which is outside its own folder.",
        "Le fichier compose utilise {path} ({where}), qui est hors de son propre dossier.",
        "Move the file below the folder of the compose file.",
        "Déplacez le fichier sous le dossier du fichier compose.",
    ),
    "release.too_large": Message(
        "The files of the release are {megabytes} MB; more than {limit} MB are not sent.",
        "Les fichiers de la livraison font {megabytes} Mo ; au-delà de {limit} Mo, rien n'est envoyé.",
        "Put large files into an image instead of mounting them.",
        "Placez les gros fichiers dans une image au lieu de les monter.",
    ),
    "release.no_migrations": Message(
        "The migrations folder {folder} does not exist.",
        "Le dossier de migrations {folder} n'existe pas.",
        "Make it, or write “migrations”: false in {file}.",
        "Créez-le, ou écrivez « migrations » : false dans {file}.",
    ),
    "release.changed": Message(
        "{path} changed while the release was being made.",
        "{path} a changé pendant la préparation de la livraison.",
        "Run the command again.",
        "Relancez la commande.",
    ),
    "release.only_files": Message(
        "{path} changed since {release} was deployed, and services that are not part of --only mount it.",
        "{path} a changé depuis le déploiement de {release}, et des services hors de --only le montent.",
        "Deploy the whole app: python -m bridge pipeline run",
        "Déployez toute l'application : python -m bridge pipeline run",
    ),
    "guess.exists": Message(
        "{file} exists already.",
        "{file} existe déjà.",
        "Edit it, or remove it first.",
        "Modifiez-le, ou supprimez-le d'abord.",
    ),
    "guess.no_compose": Message(
        "No compose file was found in {repo}.",
        "Aucun fichier compose n'a été trouvé dans {repo}.",
        "Write docker-compose.yml, or name the folder that holds it with --repo.",
        "Créez docker-compose.yml, ou nommez avec --repo le dossier qui le contient.",
    ),
    "guess.app": Message(
        "app “{value}”: {why}",
        "app « {value} » : {why}",
    ),
    "guess.compose": Message(
        "compose “{value}”: of the compose files here, the one most likely meant for production",
        "compose « {value} » : parmi les fichiers compose présents, le plus probable pour la production",
    ),
    "guess.migrations": Message(
        "migrations “{value}”: the folder with the most numbered .sql files ({count})",
        "migrations « {value} » : le dossier qui a le plus de fichiers .sql numérotés ({count})",
    ),
    "guess.no_migrations": Message(
        "migrations false: no folder with numbered .sql files (0001_name.sql) was found",
        "migrations false : aucun dossier de fichiers .sql numérotés (0001_nom.sql) n'a été trouvé",
    ),
    "guess.schemas": Message(
        "schemas {value}: the migrations create them",
        "schemas {value} : les migrations les créent",
    ),
    "guess.route": Message(
        "route {host} → {upstream}: the service that looks like the public face; put your own host name",
        "route {host} → {upstream} : le service qui semble être la face publique ; mettez votre propre nom d'hôte",
    ),
    "guess.no_route": Message(
        "no route: no single service looks like the public face (candidates: {services})",
        "pas de route : aucun service ne semble seul être la face publique (candidats : {services})",
    ),
    "guess.ports": Message(
        "{service} publishes a port: behind the proxy it needs none, and without one it is replaced without a gap",
        "{service} publie un port : derrière le proxy c'est inutile, et sans cela il est remplacé sans coupure",
    ),
    "guess.no_health": Message(
        "{service} has no health check: add one to the compose file, or services.{service}.probe to the contract",
        "{service} n'a pas de contrôle de santé : ajoutez-en un au fichier compose, ou services.{service}.probe au contrat",
    ),
    "guess.worker": Message(
        "{service} counts as a worker: nothing reaches it over the network (not written, it is inferred)",
        "{service} compte comme worker : rien ne l'atteint par le réseau (non écrit, c'est déduit)",
    ),
    "guess.asked": Message("as you said", "comme vous l'avez dit"),
    "guess.folder_name": Message("the name of the folder", "le nom du dossier"),
    "guess.package_name": Message("the name in package.json", "le nom dans package.json"),
    "build.again": Message(
        "The push broke off in a way that may pass; attempt {attempt} of 3.",
        "L'envoi s'est interrompu d'une façon peut-être passagère ; essai {attempt} sur 3.",
    ),
}
