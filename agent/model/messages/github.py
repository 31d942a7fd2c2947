"""Reports on GitHub."""

from agent.model.messages import Message

MESSAGES = {
    "github.outage": Message(
        "warning: GitHub did not take {face} ({reason}). The work goes on; it is tried again at the end.",
        "attention : GitHub n'a pas pris {face} ({reason}). Le travail continue ; nouvel essai à la fin.",
    ),
    "github.denied": Message(
        "The token of this job may not write {face} ({reason}). The job summary has the whole report.",
        "Le jeton de ce job n'a pas le droit d'écrire {face} ({reason}). Le résumé du job contient tout le rapport.",
    ),
    "github.missing": Message(
        "warning: {face} is missing on GitHub. This log and the exit code stand.",
        "attention : il manque {face} sur GitHub. Ce journal et le code de sortie font foi.",
    ),
    "github.unreachable": Message("no answer: {reason}", "pas de réponse : {reason}"),
    "github.refused": Message("answer {status}: {reason}", "réponse {status} : {reason}"),
    "github.limited": Message(
        "rate limit: asked to wait {seconds} s, which is too long",
        "limite de débit : {seconds} s d'attente, c'est trop",
    ),
    "github.face.comment": Message("the comment", "le commentaire"),
    "github.face.check": Message("the check run", "la vérification"),
    "github.face.scanning": Message("the analysis for code scanning", "l'analyse pour code scanning"),
    "github.face.deployment": Message("the deployment", "le déploiement"),
    "github.face.summary": Message("the job summary", "le résumé du job"),
    "report.about": Message("The findings and the plan of this commit.", "Les constats et le plan de ce commit."),
    "report.findings": Message("Findings", "Constats"),
    "report.error.one": Message("{count} error", "{count} erreur"),
    "report.error.many": Message("{count} errors", "{count} erreurs"),
    "report.warning.one": Message("{count} warning", "{count} avertissement"),
    "report.warning.many": Message("{count} warnings", "{count} avertissements"),
    "report.info.one": Message("{count} note", "{count} remarque"),
    "report.info.many": Message("{count} notes", "{count} remarques"),
    "report.nothing_found": Message("nothing found", "rien à signaler"),
    "report.not_checked": Message("not checked", "non vérifié"),
    "report.head.rule": Message("Rule", "Règle"),
    "report.head.where": Message("Where", "Où"),
    "report.head.what": Message("What", "Quoi"),
    "report.head.fix": Message("Fix", "Remède"),
    "report.head.step": Message("Step", "Étape"),
    "report.head.time": Message("Time", "Durée"),
    "report.head.detail": Message("Detail", "Détail"),
    "report.more": Message("… and {count} more: {where}", "… et {count} de plus : {where}"),
    "report.and_more": Message("and {count} more", "et {count} de plus"),
    "report.log": Message("log and summary", "journal et résumé"),
    "report.commit": Message("commit", "commit"),
    "report.tag": Message("tag", "tag"),
    "report.release": Message("release", "version"),
    "report.operation": Message("operation", "opération"),
    "report.running": Message("under way", "en cours"),
    "report.plan": Message("Plan", "Plan"),
    "report.no_plan": Message("No plan could be made:", "Aucun plan n'a pu être établi :"),
    "report.refused": Message("the host would refuse this", "l'hôte refuserait ceci"),
    "report.details": Message("Line by line", "Ligne par ligne"),
    "report.plan.builds": Message(
        "builds {count} of {all} images, reuses {kept}", "construit {count} images sur {all}, en réutilise {kept}"
    ),
    "report.plan.reuses": Message(
        "builds nothing, reuses {count} images", "ne construit rien, réutilise {count} images"
    ),
    "report.plan.later": Message(
        "what the host would change is known once these images exist",
        "ce que l'hôte changerait sera connu quand ces images existeront",
    ),
    "report.plan.migration.one": Message("{count} migration", "{count} migration"),
    "report.plan.migration.many": Message("{count} migrations", "{count} migrations"),
    "report.plan.compatible": Message(
        "nothing known to break what serves now", "rien de connu ne casse ce qui sert aujourd'hui"
    ),
    "report.plan.breaking": Message(
        "**{names} may break what serves now**", "**{names} peut casser ce qui sert aujourd'hui**"
    ),
    "report.plan.applies": Message("applies migration {name}", "applique la migration {name}"),
    "report.plan.started": Message("starts {services}", "démarre {services}"),
    "report.plan.replaced": Message("replaces {services} without a gap", "remplace {services} sans interruption"),
    "report.plan.restarted": Message("restarts {services} without a gap", "redémarre {services} sans interruption"),
    "report.plan.replaced.gap": Message("replaces {services}, {gap}", "remplace {services}, {gap}"),
    "report.plan.restarted.gap": Message("restarts {services}, {gap}", "redémarre {services}, {gap}"),
    "report.plan.gap.measured": Message("{seconds} gap", "{seconds} d'interruption"),
    "report.plan.gap.at_most": Message("a gap of at most {seconds}", "{seconds} d'interruption au plus"),
    "report.plan.gap.unknown": Message("a short gap", "une courte interruption"),
    "report.plan.removed": Message("removes {services}", "supprime {services}"),
    "report.plan.untouched": Message("the rest is untouched", "le reste n'est pas touché"),
    "report.plan.untouched.all": Message("every service stays as it is", "aucun service n'est touché"),
    "report.result": Message("What happened", "Ce qui s'est passé"),
    "report.ending.HEALTHY": Message("**{release}** serves, after {time}.", "**{release}** sert, après {time}."),
    "report.ending.DONE": Message("Done, after {time}.", "Fait, après {time}."),
    "report.ending.FAILED": Message(
        "Failed after {time}, before any container was touched: what served before still serves.",
        "Échec après {time}, avant qu'un conteneur soit touché : ce qui servait sert encore.",
    ),
    "report.ending.FAILED.unsent": Message(
        "Failed after {time}; nothing was sent to the host.", "Échec après {time} ; rien n'a été envoyé à l'hôte."
    ),
    "report.ending.ROLLED_BACK": Message(
        "Rolled back after {time}: every service is back at **{previous}**.",
        "Annulé après {time} : tous les services sont revenus à **{previous}**.",
    ),
    "report.ending.INTERRUPTED": Message(
        "The host's worker died and the host has cleaned up after it ({time}). Ask `status` for what serves.",
        "Le processus de l'hôte est mort et l'hôte a remis de l'ordre ({time}). `status` dit ce qui sert.",
    ),
    "report.ending.ROLLED_BACK.first": Message(
        "Undone after {time}: nothing served before, so nothing serves now.",
        "Annulé après {time} : rien ne servait avant, donc rien ne sert.",
    ),
    "report.ending.RUNNING": Message(
        "The connection was lost after {time}. **The operation was still running on the host**, which ends it by itself. "
        "See how it went:",
        "La connexion s'est perdue après {time}. **L'opération était encore en cours sur l'hôte**, qui la termine seul. "
        "Voyez ce qu'elle est devenue :",
    ),
    "report.ending.RUNNING.left": Message(
        "This run stopped following it after {time}. **The operation was still running on the host**, which ends it by "
        "itself. See how it went:",
        "Ce run a cessé de la suivre après {time}. **L'opération était encore en cours sur l'hôte**, qui la termine seul. "
        "Voyez ce qu'elle est devenue :",
    ),
    "report.ending.other": Message("Ended as {status} after {time}.", "Terminé par {status} après {time}."),
    "report.under_way.deploy": Message(
        "The host is deploying {release}. If this stays, the runner has ended before the deployment; see how it went:",
        "L'hôte déploie {release}. Si ce texte reste, le runner s'est arrêté avant la fin ; voyez où cela en est :",
    ),
    "report.under_way.rollback": Message(
        "The host is going back to {release}. If this stays, the runner has ended first; see how it went:",
        "L'hôte revient à {release}. Si ce texte reste, le runner s'est arrêté avant la fin ; voyez où cela en est :",
    ),
    "report.services": Message("Services", "Services"),
    "report.cut.one": Message("{count} connection cut at the end of its drain", "{count} connexion coupée"),
    "report.cut.many": Message("{count} connections cut at the end of its drain", "{count} connexions coupées"),
    "report.routes": Message("It answers at:", "Adresses :"),
    "report.warnings": Message("Warnings", "Avertissements"),
    "report.remedy": Message("What to do:", "Que faire :"),
    "report.back": Message("The way back:", "Pour revenir en arrière :"),
    "report.here": Message("bridge", "bridge"),
    "report.there": Message("host", "hôte"),
    "report.deployment.started": Message("under way", "en cours"),
    "report.deployment.lost": Message(
        "no longer followed; the host ends it by itself", "n'est plus suivi ; l'hôte le termine seul"
    ),
}
