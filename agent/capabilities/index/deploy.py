"""Releases."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "deploy.apply",
        role="builder",
        changes=True,
        module="agent.capabilities.deploy_apply",
        summary_en="Deploy a release: migrate, roll out behind its health gate, record; or put everything back.",
        summary_fr="Déployer une livraison : migrer, basculer si elle est saine, enregistrer ; ou tout remettre.",
        ends="HEALTHY",
    ),
    Capability(
        "deploy.plan",
        role="observer",
        changes=False,
        module="agent.capabilities.deploy_plan",
        summary_en="What deploying a release would do, and what would stop it (manifest=@release.json).",
        summary_fr="Ce que ferait le déploiement d'une livraison, et ce qui l'arrêterait (manifest=@release.json).",
    ),
    Capability(
        "deploy.manifest",
        role="observer",
        changes=False,
        module="agent.capabilities.deploy_manifest",
        summary_en="The manifest of the release that serves, or of a recorded one (release=r-…).",
        summary_fr="Le manifeste de la livraison en service, ou d'une livraison enregistrée (release=r-…).",
    ),
    Capability(
        "deploy.rollback",
        role="operator",
        changes=True,
        module="agent.capabilities.deploy_rollback",
        summary_en="Go back to the release before, or to a recorded one (to=r-…).",
        summary_fr="Revenir à la livraison précédente, ou à une livraison enregistrée (to=r-…).",
        ends="HEALTHY",
    ),
    Capability(
        "deploy.up",
        role="operator",
        changes=True,
        module="agent.capabilities.deploy_up",
        summary_en="Start what is stopped of the release that serves.",
        summary_fr="Démarrer ce qui est arrêté de la livraison en service.",
        ends="HEALTHY",
    ),
    Capability(
        "deploy.down",
        role="operator",
        changes=True,
        module="agent.capabilities.deploy_down",
        summary_en="Stop all services of an app; nothing is removed.",
        summary_fr="Arrêter tous les services d'une application ; rien n'est supprimé.",
    ),
    Capability(
        "deploy.restart",
        role="operator",
        changes=True,
        module="agent.capabilities.deploy_restart",
        summary_en="Replace the containers of a service, or of all, by fresh ones (service=NAME).",
        summary_fr="Remplacer les conteneurs d'un service, ou de tous, par des neufs (service=NOM).",
        ends="HEALTHY",
    ),
)
