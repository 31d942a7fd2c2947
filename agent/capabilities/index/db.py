"""Databases."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "db.status",
        role="observer",
        changes=False,
        module="agent.capabilities.db_status",
        summary_en="Which migrations the database has, which are pending, and whether the agent may apply them.",
        summary_fr="Les migrations que la base a, celles en attente, et si l'agent peut les appliquer.",
    ),
    Capability(
        "db.create",
        role="builder",
        changes=True,
        module="agent.capabilities.db_create",
        summary_en="Make the app's database, its roles and both connections, where the host allows it.",
        summary_fr="Créer la base de l'application, ses rôles et les deux connexions, si l'hôte le permet.",
        additive=True,
    ),
    Capability(
        "db.migrate",
        role="builder",
        changes=True,
        module="agent.capabilities.db_migrate",
        summary_en="Apply the pending migrations of the serving release, or of the one that is sent along.",
        summary_fr="Appliquer les migrations en attente de la livraison en service, ou de celle envoyée.",
        takes=("release",),
    ),
    Capability(
        "db.diff",
        role="observer",
        changes=False,
        module="agent.capabilities.db_diff",
        summary_en="What somebody changed by hand in the database since the last deployment, with the SQL for it.",
        summary_fr="Ce que quelqu'un a modifié à la main dans la base depuis le dernier déploiement, avec le SQL.",
    ),
    Capability(
        "db.verify_rebuild",
        role="observer",
        changes=False,
        module="agent.capabilities.db_verify_rebuild",
        summary_en="Rebuild the database somewhere else from its migrations alone, and compare it with the live one.",
        summary_fr="Reconstruire la base ailleurs à partir de ses seules migrations, et la comparer à la vraie.",
    ),
)
