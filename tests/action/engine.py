"""GitHub's own expression engine, one process for a whole test session."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent / "node"
PACKAGES: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ikoma-bridge/node"


class Engine:
    """Evaluates what stands between ``${{`` and ``}}``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            ["node", str(HERE / "expressions.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "IKOMA_NODE": str(PACKAGES)},
        )

    def text(self, text: str, contexts: dict[str, Any]) -> str:
        """Return ``text`` with its expressions replaced by what they are."""
        return str(self._ask({"text": text, "contexts": contexts})) if "${{" in text else text

    def condition(self, text: str, contexts: dict[str, Any], *, failed: bool) -> bool:
        """Return whether a step with ``if: text`` runs."""
        return bool(self._ask({"condition": text, "contexts": contexts, "failed": failed}))

    def _ask(self, request: dict[str, Any]) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._lock:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
            answer = json.loads(stdout.readline())
        if "error" in answer:
            raise ValueError(f"{answer['error']} in {request.get('text', request.get('condition'))}")
        return answer["value"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
