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
    Capability(
        "operations.cancel",
        role="operator",
        changes=False,
        module="agent.capabilities.operations_cancel",
        summary_en="End an operation that hangs (operation=ID): its worker is asked, then killed; all is put back.",
        summary_fr="Mettre fin à une opération bloquée (operation=ID) : arrêt demandé, puis forcé ; tout est remis.",
        needs_target=False,
        takes=("operation",),
        writes=True,
    ),
)
