"""What ``bridge check`` says about its own use; what it finds is said by its rules."""

from agent.model.messages import Message

MESSAGES = {
    "check.said": Message(
        "check: errors {errors}, warnings {warnings} ({seconds} s)",
        "vérification : erreurs {errors}, avertissements {warnings} ({seconds} s)",
    ),
    "check.left_out": Message(
        "check: left out, as --no-check asks",
        "vérification : omise, comme --no-check le demande",
        "See what it would say: python -m bridge check",
        "Voyez ce qu'elle dirait : python -m bridge check",
    ),
    "check.errors": Message(
        "Nothing was built, for the check found what would stop it ({count}). The first: {first}",
        "Rien n'a été construit, car la vérification a trouvé ce qui l'arrêterait ({count}). Le premier point : {first}",
        "See all with: python -m bridge check --repo {repo} (repair with --fix), or go on with --no-check.",
        "Voyez tout avec : python -m bridge check --repo {repo} (réparez avec --fix), ou continuez avec --no-check.",
    ),
    "check.no_folder": Message(
        "{path} is no folder.",
        "{path} n'est pas un dossier.",
        "Give the repository with --repo DIR.",
        "Indiquez le dépôt avec --repo DOSSIER.",
    ),
    "check.format": Message(
        "{format} is no format of this command.",
        "{format} n'est pas un format de cette commande.",
        "Give --format with one of: {known}.",
        "Donnez --format avec l'un de : {known}.",
    ),
    "check.no_rule": Message(
        "There is no rule {rule}.",
        "Il n'y a pas de règle {rule}.",
        "Try: python -m bridge check --explain {near}",
        "Essayez : python -m bridge check --explain {near}",
    ),
    "check.no_app": Message(
        "No image and no package of this repository is called {app}.",
        "Aucune image ni aucun paquet de ce dépôt ne s'appelle {app}.",
        "Give --app with one of: {known}.",
        "Donnez --app avec l'un de : {known}.",
    ),
    "check.no_revision": Message(
        "{revision} is no commit of the repository in {repo}.",
        "{revision} n'est pas un commit du dépôt dans {repo}.",
        "Fetch it (git fetch origin {revision}), or name a commit that git log shows.",
        "Récupérez-le (git fetch origin {revision}), ou nommez un commit que git log montre.",
    ),
    "check.dry_run": Message(
        "--dry-run shows what --fix would change.",
        "--dry-run montre ce que --fix changerait.",
        "Add --fix: python -m bridge check --fix --dry-run",
        "Ajoutez --fix : python -m bridge check --fix --dry-run",
    ),
}
