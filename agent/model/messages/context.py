"""Contexts, history and doctor: what a person keeps and looks up."""

from agent.model.messages import Message

MESSAGES = {
    "context.invalid": Message(
        "The contexts in {file} cannot be read: {reason}.",
        "Les contextes dans {file} sont illisibles : {reason}.",
        "Remove the file and add them again: python -m bridge context add NAME --host HOST",
        "Supprimez le fichier et recréez-les : python -m bridge context add NOM --host HÔTE",
    ),
    "context.name": Message(
        "“{name}” is no name for a context: use small letters, digits, “.”, “_” and “-”.",
        "« {name} » n'est pas un nom de contexte : minuscules, chiffres, « . », « _ » et « - ».",
        "Choose another one, such as prod.",
        "Choisissez-en un autre, par exemple prod.",
    ),
    "context.unknown_setting": Message(
        "A context holds no “{setting}” (it may hold {known}).",
        "Un contexte ne contient pas « {setting} » (il peut contenir {known}).",
        "Tokens stay in variables: export BRIDGE_REGISTRY_TOKEN=…",
        "Les jetons restent dans des variables : export BRIDGE_REGISTRY_TOKEN=…",
    ),
    "context.secret": Message(
        "The setting “{setting}” looks like a secret: a context never holds one.",
        "Le réglage « {setting} » ressemble à un secret : un contexte n'en contient jamais.",
        "Name the file that holds the key: --key ~/.ssh/deploy",
        "Nommez le fichier qui contient la clé : --key ~/.ssh/deploy",
    ),
    "context.unknown": Message(
        "There is no context “{name}” (known: {known}).",
        "Il n'y a pas de contexte « {name} » (connus : {known}).",
        "Add it: python -m bridge context add {name} --host HOST",
        "Ajoutez-le : python -m bridge context add {name} --host HÔTE",
    ),
    "context.nowhere": Message(
        "There is no place for contexts: neither HOME nor BRIDGE_CONFIG is set.",
        "Il n'y a pas d'endroit pour les contextes : ni HOME ni BRIDGE_CONFIG n'est défini.",
        "Name a folder: export BRIDGE_CONFIG=/some/folder",
        "Nommez un dossier : export BRIDGE_CONFIG=/un/dossier",
    ),
    "context.none": Message("No contexts yet.", "Aucun contexte pour l'instant."),
    "context.used": Message("The context {name} is used now.", "Le contexte {name} est maintenant utilisé."),
    "context.unused": Message("No context is used now.", "Aucun contexte n'est utilisé maintenant."),
    "context.added": Message("The context {name} is kept.", "Le contexte {name} est enregistré."),
    "context.removed": Message("The context {name} is forgotten.", "Le contexte {name} est oublié."),
    "history.none": Message("Nothing ran here yet.", "Rien n'a encore tourné ici."),
    "audit.forgotten": Message(
        "What was seen of this host's history is forgotten; the next answer is taken as its beginning.",
        "Ce qui a été vu de l'historique de cet hôte est oublié ; la prochaine réponse en sera le début.",
    ),
    "audit.none": Message("No line fits.", "Aucune ligne ne correspond."),
    "doctor.well": Message("Nothing is wrong.", "Tout va bien."),
    "doctor.program": Message(
        "{program} is not installed here; without it images cannot be built on this machine.",
        "{program} n'est pas installé ici ; sans lui, aucune image ne peut être construite sur cette machine.",
        "Install it, or build in CI and use: python -m bridge deploy apply",
        "Installez-le, ou construisez en CI et utilisez : python -m bridge deploy apply",
    ),
    "doctor.key_mode": Message(
        "The key {file} can be read by others (mode {mode}).",
        "La clé {file} est lisible par d'autres (mode {mode}).",
        "chmod 600 {file}",
        "chmod 600 {file}",
    ),
    "doctor.unhealthy": Message(
        "The service {service} of {target} is {state}.",
        "Le service {service} de {target} est {state}.",
        "See why: python -m bridge logs {service} {options}",
        "Voyez pourquoi : python -m bridge logs {service} {options}",
    ),
    "doctor.stopped": Message(
        "{target} is not healthy: its last state is {status}.",
        "{target} n'est pas sain : son dernier état est {status}.",
        "See what ran: python -m bridge history {options}",
        "Voyez ce qui a tourné : python -m bridge history {options}",
    ),
}
