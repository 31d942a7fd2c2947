"""Who may call the agent."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "keys.list",
        role="observer",
        changes=False,
        module="agent.capabilities.keys_list",
        summary_en="The keys, what each may do, and how many API secrets of it are valid; never a secret.",
        summary_fr="Les clés, ce que chacune peut faire, et combien de secrets d'API sont valables ; jamais un secret.",
        needs_target=False,
    ),
    Capability(
        "keys.rotate",
        role="observer",
        changes=False,
        module="agent.capabilities.keys_rotate",
        summary_en="Make a new API secret for this key (or key=NAME) and show it once; the one before stays valid.",
        summary_fr="Créer un secret d'API pour cette clé (ou key=NOM), montré une fois ; le précédent reste valable.",
        needs_target=False,
        takes=("key",),
        writes=True,
    ),
    Capability(
        "keys.revoke",
        role="observer",
        changes=False,
        module="agent.capabilities.keys_revoke",
        summary_en="Take back this key's secret from before a rotation (previous=true), or a whole key (key=NAME).",
        summary_fr="Révoquer le secret d'avant une rotation (previous=true), ou une clé entière (key=NOM).",
        needs_target=False,
        takes=("key", "previous"),
        writes=True,
    ),
)
