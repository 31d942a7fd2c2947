"""Apps and what they run."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "apps.status",
        role="observer",
        changes=False,
        module="agent.capabilities.apps_status",
        summary_en="What runs: the release, since when, each service.",
        summary_fr="Ce qui tourne : la livraison, depuis quand, chaque service.",
    ),
    Capability(
        "apps.health",
        role="observer",
        changes=False,
        module="agent.capabilities.apps_health",
        summary_en="Whether all services of an app are well.",
        summary_fr="Si tous les services d'une application vont bien.",
    ),
    Capability(
        "apps.logs",
        role="observer",
        changes=False,
        module="agent.capabilities.apps_logs",
        summary_en="The last lines of an app's services (service=NAME, tail=100).",
        summary_fr="Les dernières lignes des services d'une application (service=NOM, tail=100).",
        takes=("service", "tail"),
    ),
    Capability(
        "apps.releases",
        role="observer",
        changes=False,
        module="agent.capabilities.apps_releases",
        summary_en="The releases that were healthy on this host, the latest first.",
        summary_fr="Les livraisons saines sur cet hôte, la plus récente en premier.",
    ),
    Capability(
        "artifact.verify_release",
        role="observer",
        changes=False,
        module="agent.capabilities.artifact_verify_release",
        summary_en="Whether what runs is what was recorded; otherwise what differs.",
        summary_fr="Si ce qui tourne est ce qui a été enregistré ; sinon ce qui diffère.",
    ),
)
