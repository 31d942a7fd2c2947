"""Apps and what they run."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "apps.init",
        role="builder",
        changes=True,
        module="agent.capabilities.apps_init",
        summary_en="Make the folder of an app: config, migrations, seeds, a compose file to fill in.",
        summary_fr="Créer le dossier d'une application : config, migrations, seeds, un fichier compose à remplir.",
        additive=True,
    ),
    Capability(
        "apps.env.example",
        role="observer",
        changes=False,
        module="agent.capabilities.apps_env_example",
        summary_en="A template of the app's environment file: what its compose file names, without values.",
        summary_fr="Un modèle du fichier d'environnement : ce que nomme le fichier compose, sans les valeurs.",
    ),
    Capability(
        "apps.validate",
        role="observer",
        changes=False,
        module="agent.capabilities.apps_validate",
        summary_en="Whether contract, compose file, environment and ports are valid, before anything starts.",
        summary_fr="Si contrat, fichier compose, environnement et ports sont valables, avant tout démarrage.",
    ),
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
