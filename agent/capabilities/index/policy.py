"""When and by whom releases may be deployed."""

from agent.capabilities.index import Capability

TABLE = (
    Capability(
        "policy.get",
        role="observer",
        changes=False,
        module="agent.capabilities.policy_get",
        summary_en="When an app may be deployed to, whether it is frozen, and which releases a second key agreed to.",
        summary_fr="Quand on peut déployer une application, si elle est gelée, et les livraisons approuvées.",
    ),
    Capability(
        "policy.freeze",
        role="operator",
        changes=False,
        module="agent.capabilities.policy_freeze",
        summary_en="Let nothing be deployed (reason=TEXT, until=2026-12-31T08:00+01:00); a rollback still is.",
        summary_fr="Interdire tout déploiement (reason=TEXTE, until=2026-12-31T08:00+01:00), sauf un retour arrière.",
        takes=("reason", "until"),
        writes=True,
    ),
    Capability(
        "policy.thaw",
        role="builder",
        changes=False,
        module="agent.capabilities.policy_thaw",
        summary_en="Lift a freeze.",
        summary_fr="Lever le gel.",
        writes=True,
    ),
    Capability(
        "deploy.approve",
        role="operator",
        changes=False,
        module="agent.capabilities.policy_approve",
        summary_en="Agree to a release as a second key (release=r-…); good for a day.",
        summary_fr="Approuver une livraison en tant que seconde clé (release=r-…) ; valable un jour.",
        takes=("release",),
        writes=True,
    ),
)
