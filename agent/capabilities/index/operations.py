"""What ran, what runs."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "status.get",
        role="observer",
        changes=False,
        module="agent.capabilities.status_get",
        summary_en="The release that serves, its services, and the operation that runs.",
        summary_fr="La livraison en service, ses services et l'opération en cours.",
    ),
    Capability(
        "operations.list",
        role="observer",
        changes=False,
        module="agent.capabilities.operations_list",
        summary_en="The latest operations of a target, newest first.",
        summary_fr="Les dernières opérations d'une cible, la plus récente en premier.",
        takes=("limit",),
    ),
)
