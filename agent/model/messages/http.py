"""What the HTTP door and the MCP door say."""

from agent.model.messages import Message

MESSAGES = {
    "http.unknown_key": Message(
        "The API key is missing, or this host does not know it.",
        "La clé d'API manque, ou cet hôte ne la connaît pas.",
        "Send it in the header X-Api-Key; list the keys on the host: ikoma-agent keys list",
        "Envoyez-la dans l'en-tête X-Api-Key ; listez les clés sur l'hôte : ikoma-agent keys list",
    ),
    "http.role": Message(
        "The key {key} has the role {role}; it cannot act as {asked}.",
        "La clé {key} a le rôle {role} ; elle ne peut pas agir comme {asked}.",
        "Leave X-Role out, or name {role} or less.",
        "Omettez X-Role, ou nommez {role} ou moins.",
    ),
    "http.too_many": Message(
        "There were too many requests; the next one is answered in {seconds} s.",
        "Il y a eu trop de requêtes ; la prochaine aura une réponse dans {seconds} s.",
        "Wait as long as Retry-After says, or have door_rate raised in the host settings.",
        "Attendez le temps indiqué par Retry-After, ou faites augmenter door_rate dans les réglages de l'hôte.",
    ),
    "http.body_too_large": Message(
        "The request has more than {most} bytes.",
        "La requête fait plus de {most} octets.",
        "Send less; a release goes over SSH: python -m bridge deploy apply",
        "Envoyez-en moins ; une livraison passe par SSH : python -m bridge deploy apply",
    ),
    "http.slow": Message(
        "The request did not arrive within {seconds} s.",
        "La requête n'est pas arrivée en {seconds} s.",
        "Send it again.",
        "Renvoyez-la.",
    ),
    "http.argument": Message(
        "{capability} cannot work with {argument}: {reason}.",
        "{capability} ne peut rien faire de {argument} : {reason}.",
        "Its arguments stand in the OpenAPI document: GET /openapi.json",
        "Ses arguments figurent dans le document OpenAPI : GET /openapi.json",
    ),
    "http.not_found": Message(
        "There is nothing at {path}.",
        "Il n'y a rien à {path}.",
        "Capabilities are called by POST /execute/<capability>; all addresses: GET /openapi.json",
        "Les capacités s'appellent par POST /execute/<capacité> ; toutes les adresses : GET /openapi.json",
    ),
    "http.method": Message(
        "{method} is not for {path}.",
        "{method} n'est pas fait pour {path}.",
        "Use {allowed}.",
        "Utilisez {allowed}.",
    ),
    "http.off": Message(
        "The HTTP door is off on this host.",
        "La porte HTTP est fermée sur cet hôte.",
        'Turn it on with "http_door": true in /etc/ikoma/settings.json.',
        'Ouvrez-la avec "http_door": true dans /etc/ikoma/settings.json.',
    ),
    "http.port": Message(
        "Port {port} of the HTTP door is taken: {reason}.",
        "Le port {port} de la porte HTTP est pris : {reason}.",
        "Free it, or set another door_port in /etc/ikoma/settings.json.",
        "Libérez-le, ou fixez un autre door_port dans /etc/ikoma/settings.json.",
    ),
    "mcp.resource": Message(
        "There is no resource {uri}.",
        "Il n'y a pas de ressource {uri}.",
        "Use ikoma://<app>/<environment>/status, releases or logs.",
        "Utilisez ikoma://<application>/<environnement>/status, releases ou logs.",
    ),
}
