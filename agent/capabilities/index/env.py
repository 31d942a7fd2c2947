"""Environment files of a target."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "env.push",
        role="builder",
        changes=True,
        module="agent.capabilities.env_push",
        summary_en="Set values of the app (or, with scope=agent, of the agent); the next deployment uses them.",
        summary_fr="Définir des valeurs de l'application (ou, avec scope=agent, de l'agent) ; servent dès le prochain déploiement.",  # noqa: E501
        takes=("scope", "values", "remove"),
        secret_args=("values",),
    ),
    Capability(
        "env.keys",
        role="observer",
        changes=False,
        module="agent.capabilities.env_keys",
        summary_en="The names of all values, each with a fingerprint; never the values.",
        summary_fr="Les noms de toutes les valeurs, chacun avec une empreinte ; jamais les valeurs.",
    ),
)
