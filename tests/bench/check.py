"""How long a check takes, with which memory, beside other tools where they are installed.

    scripts/bench check FOLDER [--runs 5] [--tools DIR] [--output FILE]

FOLDER is one repository. DIR holds ``node_modules/.bin`` with knip, depcheck, biome and turbo; a tool that is not there
is not measured. Each is run from outside, the same way: wall and CPU seconds (median) and peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SECONDS = 900


def commands(repo: Path, tools: Path | None) -> dict[str, list[str]]:
    """Return tool → command line, of those that are installed."""
    found = {"bridge check": [sys.executable, "-m", "bridge", "check", "--repo", str(repo), "--format", "json"]}
    binaries = tools / "node_modules" / ".bin" if tools else Path("/nonexistent")
    wanted = {
        "knip": ["knip", "--dependencies", "--no-exit-code", "--reporter", "json", "--directory", str(repo)],
        "depcheck": ["depcheck", str(repo), "--json"],
        "biome": ["biome", "lint", "--only=correctness/noUndeclaredDependencies", "--max-diagnostics=none", str(repo)],
        "turbo boundaries": ["turbo", "boundaries", "--cwd", str(repo)],
    }
    for name, words in wanted.items():
        program = shutil.which(words[0], path=str(binaries))
        if program is not None:
            found[name] = [program, *words[1:]]
    return found


def once(words: list[str]) -> tuple[float, float, float, int]:
    """Run a command and return wall seconds, CPU seconds, peak memory in MB and the exit code."""
    with tempfile.TemporaryFile() as sink:
        began = time.monotonic()
        child = subprocess.Popen(words, cwd=ROOT, stdout=sink, stderr=sink, env=os.environ | {"CI": "1"})
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, child.returncode


def measure(words: list[str], runs: int) -> dict[str, Any]:
    """Return medians over ``runs`` runs, after one that fills the file cache."""
    once(words)
    taken = [once(words) for _ in range(runs)]
    wall, cpu, memory, codes = zip(*taken, strict=True)
    return {
        "wall_s": round(statistics.median(wall), 2),
        "cpu_s": round(statistics.median(cpu), 2),
        "peak_mb": round(max(memory)),
        "exit": codes[0],
    }


def main() -> None:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tools", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    repo = options.folder.resolve()
    figures = {name: measure(words, options.runs) for name, words in commands(repo, options.tools).items()}
    load = round(os.getloadavg()[0], 1)
    installed = (repo / "node_modules").is_dir()
    found = {"repository": repo.name, "installed": installed, "runs": options.runs, "load": load, "tools": figures}
    text = json.dumps(found, indent=2) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
