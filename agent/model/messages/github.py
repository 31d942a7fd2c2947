"""Reports on GitHub."""

from agent.model.messages import Message

MESSAGES = {
    "github.outage": Message(
        "warning: GitHub did not take {face} ({reason}). The work goes on; it is tried again at the end.",
        "attention : GitHub n'a pas pris {face} ({reason}). Le travail continue ; nouvel essai à la fin.",
    ),
    "github.missing": Message(
        "warning: {face} is missing on GitHub. This log and the exit code stand.",
        "attention : il manque {face} sur GitHub. Ce journal et le code de sortie font foi.",
    ),
    "github.face.comment": Message("the comment", "le commentaire"),
    "github.face.check": Message("the check run", "la vérification"),
    "github.face.deployment": Message("the deployment", "le déploiement"),
    "github.face.summary": Message("the job summary", "le résumé du job"),
}
