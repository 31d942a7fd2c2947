"""The history of calls."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "audit.query",
        role="observer",
        changes=False,
        module="agent.capabilities.audit_query",
        summary_en="Who called what, newest first (result=error, capability=NAME, key=NAME, limit=100).",
        summary_fr="Qui a appelé quoi, du plus récent au plus ancien (result=error, capability=NOM, key=NOM, limit=100).",  # noqa: E501
        needs_target=False,
        takes=("result", "capability", "key", "operation", "before", "limit"),
    ),
    Capability(
        "audit.verify",
        role="observer",
        changes=False,
        module="agent.capabilities.audit_verify",
        summary_en="Whether the history is whole: a changed, removed, inserted or cut line is found and named.",
        summary_fr="Si l'historique est entier : une ligne modifiée, retirée, insérée ou coupée est trouvée et nommée.",
        needs_target=False,
        takes=("anchor",),
    ),
)
