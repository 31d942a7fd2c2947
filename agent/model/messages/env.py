"""Environment files of a target."""

from agent.model.messages import Message

MESSAGES = {
    "env.key": Message(
        "“{key}” is no name of an environment variable.",
        "« {key} » n'est pas un nom de variable d'environnement.",
        "Use letters, digits and “_”, no digit first.",
        "Utilisez des lettres, des chiffres et « _ », sans commencer par un chiffre.",
    ),
    "env.value": Message(
        "The value of {key} cannot be stored: it must be text of at most 128 KiB without NUL characters.",
        "La valeur de {key} ne peut pas être enregistrée : il faut un texte de 128 Kio au plus, sans caractère NUL.",
        "A binary value: encode it as base64.",
        "Une valeur binaire : encodez-la en base64.",
    ),
    "env.empty": Message(
        "No values were given.",
        "Aucune valeur n'a été donnée.",
        "Name some: python -m bridge env push{of}",
        "Donnez-en : python -m bridge env push{of}",
    ),
    "env.agent_only": Message(
        "{key} belongs to the agent alone; containers must not see it.",
        "{key} appartient à l'agent seul ; les conteneurs ne doivent pas la voir.",
        "Send it with --scope agent.",
        "Envoyez-la avec --scope agent.",
    ),
    "env.app_only": Message(
        "{key} is no value of the agent (those are: {known}).",
        "{key} n'est pas une valeur de l'agent (qui sont : {known}).",
        "Send it without --scope agent.",
        "Envoyez-la sans --scope agent.",
    ),
    "env.database_host": Message(
        "The key {key} may not connect an app to {host}: it is limited to some apps, and this server is not on the host's list.",
        "La clé {key} ne peut pas connecter une application à {host} : elle est limitée à certaines applications, et ce serveur n'est pas dans la liste de l'hôte.",
        "Add it to database_hosts in /etc/ikoma/settings.json, or send it with a key that is granted every app.",
        "Ajoutez-le à database_hosts dans /etc/ikoma/settings.json, ou envoyez-la avec une clé qui a accès à tout.",
    ),
    "env.database_option": Message(
        "The key {key} may not set “{option}” in a connection: it is limited to some apps.",
        "La clé {key} ne peut pas définir « {option} » dans une connexion : elle est limitée à certaines applications.",
        "Leave it out, or send it with a key that is granted every app.",
        "Retirez-le, ou envoyez-la avec une clé qui a accès à tout.",
    ),
    "env.scope": Message(
        "“{scope}” is no scope; there are “app” and “agent”.",
        "« {scope} » n'est pas une portée ; il y a « app » et « agent ».",
    ),
    "env.done": Message(
        "{added} added, {changed} changed, {removed} removed, {unchanged} unchanged",
        "{added} ajoutée(s), {changed} modifiée(s), {removed} retirée(s), {unchanged} inchangée(s)",
    ),
}
