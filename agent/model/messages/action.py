"""What the Action says of its own inputs."""

from agent.model.messages import Message

MESSAGES = {
    "action.inputs": Message(
        "The inputs of the Action are not right ({count}). Nothing was done.\n{problems}",
        "Les entrées de l'Action ne conviennent pas ({count}). Rien n'a été fait.\n{problems}",
        "Correct them in the workflow; docs/action.md lists every input.",
        "Corrigez-les dans le workflow ; docs/action.md décrit chaque entrée.",
    ),
    "action.folder": Message(
        "`working-directory` must be a folder inside the workspace, not {folder}.",
        "`working-directory` doit être un dossier de l'espace de travail, pas {folder}.",
        "Check the repository out first (actions/checkout), and give the app's folder in it.",
        "Récupérez d'abord le dépôt (actions/checkout), et donnez le dossier de l'application.",
    ),
    "action.handed": Message(
        "{file} is no report of an earlier check: {reason}. Nothing was published.",
        "{file} n'est pas le rapport d'un contrôle précédent : {reason}. Rien n'a été publié.",
        "Keep the file that the output `report` of the check names, and hand it on unchanged.",
        "Gardez le fichier que nomme la sortie `report` du contrôle, et transmettez-le tel quel.",
    ),
    "action.no_tag": Message(
        "A release is attached to the GitHub release of a tag; this run is about {ref}.",
        "On attache une version à la release GitHub d'un tag ; ce run concerne {ref}.",
        "Run `attach` in a workflow that a tag starts.",
        "Lancez `attach` dans un workflow démarré par un tag.",
    ),
    "action.attached": Message(
        "{file} is attached to the GitHub release of {tag}.", "{file} est attaché à la release GitHub de {tag}."
    ),
    "action.no_release": Message(
        "There is no GitHub release of {tag}: nothing was attached.",
        "Il n'y a pas de release GitHub pour {tag} : rien n'a été attaché.",
    ),
    "action.not_attached": Message(
        "GitHub did not take {file} for the release of {tag} ({reason}). What was deployed stands; repeat this job to attach the file.",
        "GitHub n'a pas pris {file} pour la release de {tag} ({reason}). Ce qui est déployé reste ; relancez ce job pour attacher le fichier.",
    ),
}
