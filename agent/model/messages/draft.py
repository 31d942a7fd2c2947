"""Drafts of an assistant: what they may change, and what became of them."""

from __future__ import annotations

from agent.model.messages import Message

MESSAGES: dict[str, Message] = {
    "draft.name": Message(
        "{name} cannot be the name of a draft.",
        "{name} ne peut pas être le nom d'un brouillon.",
        "Take up to 48 lower-case letters, digits and dashes: it becomes the branch draft/<name>.",
        "Prendre au plus 48 minuscules, chiffres et tirets : cela devient la branche draft/<nom>.",
    ),
    "draft.title": Message(
        "A draft needs a title of one line and at most {most} characters.",
        "Un brouillon a besoin d'un titre d'une ligne et d'au plus {most} caractères.",
    ),
    "draft.size": Message(
        "The draft has {files} files and {bytes} bytes; {most_files} files and {most_bytes} bytes are allowed.",
        "Le brouillon a {files} fichiers et {bytes} octets ; {most_files} fichiers et {most_bytes} octets sont permis.",
        "Write several drafts.",
        "Écrire plusieurs brouillons.",
    ),
    "draft.names": Message(
        "The paths of the draft are too long together: {bytes} bytes with the folders above them, {most} are allowed.",
        "Les chemins du brouillon sont trop longs ensemble : {bytes} octets avec les dossiers au-dessus, {most} sont permis.",
        "Write several drafts.",
        "Écrire plusieurs brouillons.",
    ),
    "draft.path": Message(
        "{path} is no path inside the repository.",
        "{path} n'est pas un chemin dans le dépôt.",
        "Name files from the top of the repository, with single slashes and without `..`.",
        "Nommer les fichiers depuis la racine du dépôt, avec des barres simples et sans `..`.",
    ),
    "draft.closed": Message(
        "A draft may not change {path} ({why}).",
        "Un brouillon ne peut pas changer {path} ({why}).",
        "What workflows do, they do with the repository's rights, and secrets never belong into git: a person does this by hand.",
        "Les workflows agissent avec les droits du dépôt, et un secret n'a pas sa place dans git : une personne le fait à la main.",
    ),
    "draft.not_a_file": Message(
        "{path} is no file but a folder, a link or a submodule, or lies below a file: a draft does not replace it.",
        "{path} n'est pas un fichier mais un dossier, un lien ou un sous-module, ou bien un fichier est au-dessus : un brouillon ne le remplace pas.",
    ),
    "draft.not_there": Message(
        "{path} cannot be removed: {branch} has no such file.",
        "{path} ne peut pas être supprimé : {branch} n'a pas ce fichier.",
    ),
    "draft.nothing": Message(
        "The draft changes nothing: its files are what {branch} has.",
        "Le brouillon ne change rien : ses fichiers sont ceux de {branch}.",
    ),
    "draft.errors": Message(
        "The draft was not pushed: `bridge check` finds {count} errors in what it changes, the first: {first}",
        "Le brouillon n'a pas été envoyé : `bridge check` y trouve {count} erreurs, la première : {first}",
        "Mend them, or say `despite_errors: true` to show people what is not finished.",
        "Les corriger, ou dire `despite_errors: true` pour montrer ce qui n'est pas fini.",
    ),
    "draft.moved": Message(
        "{branch} moved on GitHub while the draft was written: {said}",
        "{branch} a changé sur GitHub pendant l'écriture du brouillon : {said}",
        "Read the draft again (`draft_show`), then write it once more.",
        "Relire le brouillon (`draft_show`), puis l'écrire à nouveau.",
    ),
    "draft.unknown": Message(
        "There is no draft {name} on GitHub.",
        "Il n'y a pas de brouillon {name} sur GitHub.",
        "`drafts` lists those that are open.",
        "`drafts` donne la liste de ceux qui sont ouverts.",
    ),
    "draft.git": Message(
        "git failed in {repo}: {said}",
        "git a échoué dans {repo} : {said}",
        "Try it by hand: git -C {repo} ls-remote {remote}",
        "L'essayer à la main : git -C {repo} ls-remote {remote}",
    ),
    "draft.no_identity": Message(
        "git does not know who commits in {repo}.",
        "git ne sait pas qui valide dans {repo}.",
        "git config --global user.name NAME && git config --global user.email ADDRESS",
        "git config --global user.name NOM && git config --global user.email ADRESSE",
    ),
    "draft.no_repository": Message(
        "{repo} has no remote {remote} on GitHub ({address}).",
        "{repo} n'a pas de dépôt distant {remote} sur GitHub ({address}).",
        "Name the remote with --remote, or the repository with GITHUB_REPOSITORY=owner/name.",
        "Nommer le dépôt distant par --remote, ou le dépôt par GITHUB_REPOSITORY=propriétaire/nom.",
    ),
    "draft.no_token": Message(
        "No token for GitHub: GITHUB_TOKEN and GH_TOKEN are empty.",
        "Pas de jeton pour GitHub : GITHUB_TOKEN et GH_TOKEN sont vides.",
        "Give the server one that may write pull requests and contents: GITHUB_TOKEN=$(gh auth token) python -m bridge mcp",
        "En donner un au serveur, qui peut écrire des pull requests et des contenus : GITHUB_TOKEN=$(gh auth token) python -m bridge mcp",
    ),
    "draft.reads_only": Message(
        "{tool} writes, and this server only reads.",
        "{tool} écrit, et ce serveur ne fait que lire.",
        "Whoever starts it decides: python -m bridge mcp --write",
        "Qui le démarre en décide : python -m bridge mcp --write",
    ),
    "draft.tool": Message(
        "There is no tool {tool}.",
        "Il n'y a pas d'outil {tool}.",
        "The tools are: {known}.",
        "Les outils sont : {known}.",
    ),
    "draft.arguments": Message(
        "{tool}: {problems}",
        "{tool} : {problems}",
    ),
    "draft.check": Message(
        "`bridge check` did not end as it should: {said}",
        "`bridge check` ne s'est pas terminé comme prévu : {said}",
    ),
    "draft.no_mcp": Message(
        "The MCP library is not installed here.",
        "La bibliothèque MCP n'est pas installée ici.",
        "pip install 'ikoma-bridge[doors]', or in a checkout: scripts/setup",
        "pip install 'ikoma-bridge[doors]', ou dans un clone : scripts/setup",
    ),
    "draft.internal": Message(
        "A fault of the authoring server itself ({kind}).",
        "Une faute du serveur lui-même ({kind}).",
    ),
    "version.tag": Message(
        "{tag} is no release tag.",
        "{tag} n'est pas une étiquette de version.",
        "Take the form v1.2.3, or v1.2.3-rc.1 for one that is not final.",
        "Prendre la forme v1.2.3, ou v1.2.3-rc.1 pour une version non finale.",
    ),
    "version.published": Message(
        "{tag} is published already; what people may have deployed is not rewritten.",
        "{tag} est déjà publiée ; ce qui a pu être déployé n'est pas réécrit.",
        "Draft the next version.",
        "Préparer la version suivante.",
    ),
}
