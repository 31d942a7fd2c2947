"""When and by whom releases may be deployed."""

from agent.model.messages import Message

MESSAGES = {
    "policy.invalid": Message(
        "The policies in {file} are not valid: {reason}.",
        "Les règles dans {file} ne sont pas valables : {reason}.",
        'Correct the file as root, such as {{"*": {{"zone": "Europe/Paris", "windows": ["mon-fri 09:00-17:00"]}}}}.',
        'Corrigez le fichier en tant que root, par exemple {{"*": {{"zone": "Europe/Paris", "windows": ["mon-fri 09:00-17:00"]}}}}.',
    ),
    "policy.closed": Message(
        "This is outside the deployment windows ({windows}, {zone}); the next one opens {opens}.",
        "On est hors des fenêtres de déploiement ({windows}, {zone}) ; la prochaine ouvre {opens}.",
        "Wait, or say why it cannot wait: python -m bridge deploy apply --override REASON{of}",
        "Attendez, ou dites pourquoi cela ne peut attendre : python -m bridge deploy apply --override RAISON{of}",
    ),
    "policy.frozen": Message(
        "{target} is frozen until {until} by {key}: {reason}.",
        "{target} est gelé jusqu'à {until} par {key} : {reason}.",
        "Lift it: python -m bridge call policy.thaw --app {app} --env {environment}. Or say why: deploy apply --override REASON",
        "Levez le gel : python -m bridge call policy.thaw --app {app} --env {environment}. Ou dites pourquoi : deploy apply --override RAISON",
    ),
    "policy.approval": Message(
        "The release {release} of {target} needs the agreement of a key other than {key}.",
        "La livraison {release} de {target} demande l'accord d'une autre clé que {key}.",
        "With another key: python -m bridge deploy approve {release}{of}",
        "Avec une autre clé : python -m bridge deploy approve {release}{of}",
    ),
    "policy.reason": Message(
        "A reason is missing: it goes into the history for those who come later.",
        "Il manque une raison : elle va dans l'historique pour ceux qui viendront après.",
        "Say it in a few words.",
        "Dites-la en quelques mots.",
    ),
    "policy.until": Message(
        "{until} is no time with its zone.",
        "{until} n'est pas une date avec son fuseau.",
        "Write it like 2026-12-31T08:00+01:00.",
        "Écrivez-la comme 2026-12-31T08:00+01:00.",
    ),
    "policy.approved": Message("{key} agrees to {release}.", "{key} approuve {release}."),
}
