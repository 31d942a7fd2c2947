"""The host itself."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "platform.capabilities",
        role="observer",
        changes=False,
        module="agent.capabilities.platform_capabilities",
        summary_en="Everything this agent can do, and the role it takes.",
        summary_fr="Tout ce que cet agent sait faire, et le rôle exigé.",
        needs_target=False,
    ),
    Capability(
        "platform.check",
        role="observer",
        changes=False,
        module="agent.capabilities.platform_check",
        summary_en="Whether this host is fit to be deployed to: engine, compose, database, disk, ports, clock.",
        summary_fr="Si l'hôte est prêt pour un déploiement : moteur, compose, base, disque, ports, horloge.",
        needs_target=False,
    ),
)
