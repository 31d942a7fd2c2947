"""Why a release did not become healthy."""

from agent.model.messages import Message

_SEE_EN = "Correct the service, then run the command again. The last lines it wrote:\n{log}"
_SEE_FR = "Corrigez le service, puis relancez la commande. Les dernières lignes qu'il a écrites :\n{log}"

MESSAGES = {
    "health.gone": Message(
        "Service {service}: its container disappeared.",
        "Service {service} : son conteneur a disparu.",
        "Somebody else may be working on this host's containers; then deploy again.",
        "Quelqu'un d'autre agit peut-être sur les conteneurs de cet hôte ; puis relancez le déploiement.",
    ),
    "health.memory": Message(
        "Service {service} was killed because it used more memory than it may.",
        "Service {service} : arrêté parce qu'il utilisait plus de mémoire que permis.",
        "Raise mem_limit in the compose file, or free memory on the host. The last lines:\n{log}",
        "Augmentez mem_limit dans le fichier compose, ou libérez de la mémoire. Les dernières lignes :\n{log}",
    ),
    "health.exited": Message(
        "Service {service} ended with code {code} instead of running.",
        "Service {service} : terminé avec le code {code} au lieu de tourner.",
        _SEE_EN,
        _SEE_FR,
    ),
    "health.restarts": Message(
        "Service {service} crashed and was restarted (code {code}).",
        "Service {service} : planté puis redémarré (code {code}).",
        _SEE_EN,
        _SEE_FR,
    ),
    "health.not_running": Message(
        "Service {service} does not run ({state}).",
        "Service {service} : ne tourne pas ({state}).",
        _SEE_EN,
        _SEE_FR,
    ),
    "health.unhealthy": Message(
        "Service {service}: its health check fails: {said}",
        "Service {service} : son contrôle de santé échoue : {said}",
        _SEE_EN,
        _SEE_FR,
    ),
    "health.starting": Message(
        "Service {service} is still starting: {said}",
        "Service {service} : démarre encore : {said}",
    ),
    "health.wavering": Message(
        "Service {service}: its last health check failed: {said}",
        "Service {service} : son dernier contrôle de santé a échoué : {said}",
    ),
    "health.probe": Message(
        "Service {service} does not answer GET {path} as expected: {said}",
        "Service {service} : ne répond pas comme attendu à GET {path} : {said}",
        _SEE_EN,
        _SEE_FR,
    ),
    "health.timeout": Message(
        "Service {service} did not become healthy within {seconds} s: {said}",
        "Service {service} : n'est pas devenu sain en {seconds} s : {said}",
        _SEE_EN,
        _SEE_FR,
    ),
    "health.relapse": Message(
        "Service {service} became healthy and failed shortly after: {said}",
        "Service {service} : devenu sain, puis en échec peu après : {said}",
        _SEE_EN,
        _SEE_FR,
    ),
    "health.one_shot": Message(
        "Service {service}, which must run to its end, ended with code {code}.",
        "Service {service}, qui doit aller à son terme, a fini avec le code {code}.",
        _SEE_EN,
        _SEE_FR,
    ),
    "health.one_shot_timeout": Message(
        "Service {service}, which must run to its end, did not end within {seconds} s.",
        "Service {service}, qui doit aller à son terme, n'a pas fini en {seconds} s.",
        _SEE_EN,
        _SEE_FR,
    ),
    "health.route": Message(
        "The release runs, but {host} does not answer through the reverse proxy: {said}",
        "La livraison tourne, mais {host} ne répond pas à travers le proxy : {said}",
        "Check that {upstream} is the port on which the service listens.",
        "Vérifiez que {upstream} est bien le port sur lequel le service écoute.",
    ),
    "health.certificate": Message(
        "{host} has no certificate yet, so the release was not asked through it: {said}",
        "{host} n'a pas encore de certificat, la livraison n'a donc pas été interrogée par ce nom : {said}",
        "See that the name leads to this host and that ports 80 and 443 are reached from outside; docker logs ikoma-proxy says what the authority answered.",
        "Voyez que le nom mène à cet hôte et que les ports 80 et 443 sont atteints de l'extérieur ; docker logs ikoma-proxy dit ce que l'autorité a répondu.",
    ),
    "health.unwatched": Message(
        "Service {service} declares neither a health check nor a probe; it counts as healthy because it stays up.",
        "Le service {service} ne déclare ni contrôle de santé ni sonde ; il passe pour sain parce qu'il reste debout.",
        "Add “healthcheck:” to the compose file, or a probe to ikoma.release.json.",
        "Ajoutez « healthcheck: » au fichier compose, ou une sonde à ikoma.release.json.",
    ),
}
