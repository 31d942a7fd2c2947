"""The folder of an app on the host."""

from agent.model.messages import Message

MESSAGES = {
    "apps.no_compose": Message(
        "{target} has neither a release nor a docker-compose.yml in {folder}.",
        "{target} n'a ni livraison ni docker-compose.yml dans {folder}.",
        "Make its folder with apps.init, or deploy it: python -m bridge pipeline run{of}",
        "Créez son dossier avec apps.init, ou déployez-la : python -m bridge pipeline run{of}",
    ),
    "apps.no_services": Message(
        "{file} describes no service.",
        "{file} ne décrit aucun service.",
        "Write the app's services into it.",
        "Écrivez-y les services de l'application.",
    ),
    "apps.build": Message(
        "The service {service} of {file} has no image; what lies in an app's folder is not built.",
        "Le service {service} de {file} n'a pas d'image ; ce qui se trouve dans le dossier d'une application n'est pas construit.",
        "Name the image that CI pushed, or deploy from the repository: python -m bridge pipeline run",
        "Nommez l'image que la CI a poussée, ou déployez depuis le dépôt : python -m bridge pipeline run",
    ),
    "apps.outside": Message(
        "{file} mounts {path}, which does not lie in the folder config/.",
        "{file} monte {path}, qui ne se trouve pas dans le dossier config/.",
        "Put the file into config/ and mount it from there.",
        "Mettez le fichier dans config/ et montez-le de là.",
    ),
    "gather.done": Message("{release}, from {folder}", "{release}, depuis {folder}"),
    "apps.other_contract": Message(
        "{file} is the contract of {found}, not of {app}.",
        "{file} est le contrat de {found}, pas de {app}.",
        "Put the contract of {app} there, or remove it.",
        "Mettez-y le contrat de {app}, ou retirez-le.",
    ),
    "apps.env_head": Message(
        "Values of {target}, as {source} names them. Fill them in, then: python -m bridge env push --app {app} --env {environment}",
        "Valeurs de {target}, telles que {source} les nomme. Remplissez-les, puis : python -m bridge env push --app {app} --env {environment}",
    ),
    "apps.env_required": Message("Needed: there is no default.", "Nécessaire : il n'y a pas de valeur par défaut."),
    "apps.env_database": Message(
        "db.create writes this one by itself, where the host makes databases.",
        "db.create écrit celle-ci elle-même, là où l'hôte crée les bases.",
    ),
}
