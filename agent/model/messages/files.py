"""Files people write: JSON, the contract."""

from agent.model.messages import Message

MESSAGES = {
    "json.broken": Message(
        "{file}:{line}:{column}: this is not JSON ({reason}).",
        "{file}:{line}:{column} : ce n'est pas du JSON ({reason}).",
        "Correct the line, then run the command again.",
        "Corrigez la ligne, puis relancez la commande.",
    ),
    "json.duplicate": Message(
        "{file}: the key “{key}” stands twice.",
        "{file} : la clé « {key} » figure deux fois.",
        "Keep one of them.",
        "N'en gardez qu'une.",
    ),
    "contract.missing": Message(
        "There is no {file}.",
        "Il n'y a pas de {file}.",
        "Write one: python -m bridge init --repo {repo}",
        "Créez-en un : python -m bridge init --repo {repo}",
    ),
    "contract.invalid": Message(
        "{file}:{line}: {reason}",
        "{file}:{line} : {reason}",
        "The keys and their meaning: docs/contract.md",
        "Les clés et leur sens : docs/contract.md",
    ),
    "contract.environment": Message(
        "{file} describes no environment “{environment}” (there are: {known}).",
        "{file} ne décrit pas d'environnement « {environment} » (il y a : {known}).",
        "Add it under “environments”, or name one of these with --env.",
        "Ajoutez-le sous « environments », ou nommez l'un de ceux-ci avec --env.",
    ),
    "release.invalid": Message(
        "The release manifest is not valid: {reason}.",
        "Le manifeste de livraison n'est pas valable : {reason}.",
        "Build it again: python -m bridge pipeline run",
        "Reconstruisez-le : python -m bridge pipeline run",
    ),
}
