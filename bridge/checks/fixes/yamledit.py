"""Changes to YAML that keep comments, order and quotes, by ruamel.yaml."""

from __future__ import annotations

import io
import re
from typing import Any


def set_build(text: str, service: str, context: str, dockerfile: str) -> str:
    """Return a compose file with the build of ``service`` set to this context and Dockerfile."""

    def change(document: Any) -> None:
        entry = document["services"][service]
        build = entry.get("build")
        if isinstance(build, dict):
            build["context"], build["dockerfile"] = context, dockerfile
        else:
            entry["build"] = {"context": context, "dockerfile": dockerfile}

    return edited(text, change)


def edited(text: str, change: Any) -> str:
    """Return ``text`` after ``change`` was applied to its document; unchanged when it does not load."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    dash = re.search(r"^( *)[\w.\"-]+:[^\n]*\n( *)- ", text, re.MULTILINE)
    nested = re.search(r"^[\w.-]+:\n( +)", text, re.MULTILINE)
    step = len(nested[1]) if nested else 2
    offset = len(dash[2]) - len(dash[1]) if dash else step
    yaml.indent(mapping=step, sequence=offset + 2, offset=offset)
    try:
        document = yaml.load(text)
        change(document)
    except (YAMLError, KeyError, TypeError, AttributeError):
        return text
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def remove(text: str, *keys: str) -> str:
    """Return ``text`` without the entry under these keys."""

    def change(document: Any) -> None:
        holder = document
        for key in keys[:-1]:
            holder = holder[key]
        holder.pop(keys[-1], None)

    return edited(text, change)
