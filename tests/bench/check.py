"""How long a check takes, with which memory, beside other tools where they are installed, and how that grows.

    scripts/bench check FOLDER [--runs 5] [--tools DIR] [--output FILE]
    scripts/bench check --growth 1000 2000 4000 8000 [--runs 5] [--output FILE]

FOLDER is one repository. DIR holds ``node_modules/.bin`` with knip, depcheck, biome and turbo; a tool that is not there
is not measured. Each is run from outside, the same way, in turn: wall and CPU seconds with all that it starts (median),
and peak memory, summed over its processes, in a run of its own. ``--growth`` measures the check alone over made-up
monorepos of these sizes and tells the seconds per thousand files of each.
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

from bridge.checks.facts import Facts
from tests.bench import growth

ROOT = Path(__file__).parents[2]
_KILO = 1024


def ours(repo: Path) -> list[str]:
    """Return the command line of the check."""
    return [sys.executable, "-m", "bridge", "check", "--repo", str(repo), "--format", "json"]


def commands(repo: Path, tools: Path | None) -> dict[str, list[str]]:
    """Return tool → command line, of those that are installed."""
    found = {"bridge check": ours(repo)}
    binaries = tools / "node_modules" / ".bin" if tools else Path("/nonexistent")
    main = Facts(repo).main
    folders = [str(repo / folder) for folder in (main.members if main else ["."])]
    wanted = {
        "knip": ["knip", "--dependencies", "--no-exit-code", "--reporter", "json", "--directory", str(repo)],
        # It knows no workspaces: one run for each package.
        "depcheck": ["depcheck", *folders],
        "biome": ["biome", "lint", "--only=correctness/noUndeclaredDependencies", "--max-diagnostics=none", str(repo)],
        "turbo boundaries": ["turbo", "boundaries", "--cwd", str(repo)],
    }
    for name, words in wanted.items():
        program = shutil.which(words[0], path=str(binaries))
        if program is not None and name == "depcheck":
            found[name] = ["sh", "-c", 'tool=$1; shift; for d; do "$tool" "$d" --json; done', "sh", program, *words[1:]]
        elif program is not None:
            found[name] = [program, *words[1:]]
    return found


def _start(words: list[str], sink: Any) -> subprocess.Popen[bytes]:
    # Installed programs are compiled; a machine that forbids that for its own reasons would measure the compiler.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {"CI": "1"}
    return subprocess.Popen(words, cwd=ROOT, stdout=sink, stderr=sink, env=environment)


def once(words: list[str]) -> tuple[float, float, int]:
    """Run a command and return wall seconds, CPU seconds and the exit code."""
    with tempfile.TemporaryFile() as sink:
        began = time.monotonic()
        child = _start(words, sink)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, child.returncode


def peak(words: list[str]) -> float:
    """Run a command and return the most memory, in MB, that it and what it started held at one time.

    What processes share is counted once (proportional set size), looked at every twenty milliseconds.
    """
    most = 0.0
    with tempfile.TemporaryFile() as sink:
        child = _start(words, sink)
        while child.poll() is None:
            most = max(most, sum(_held(pid) for pid in _family(child.pid)))
            time.sleep(0.02)
    return most / _KILO


def _family(pid: int) -> list[int]:
    found, pending = [], [pid]
    while pending:
        found.append(current := pending.pop())
        for children in Path(f"/proc/{current}/task").glob("*/children"):
            try:
                pending += map(int, children.read_text().split())
            except OSError:  # it ended while we looked
                continue
    return found


def _held(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)


def measure(words: list[str], runs: int) -> dict[str, Any]:
    """Return medians over ``runs`` runs, after one that fills the file cache and tells the memory."""
    memory = peak(words)
    wall, cpu, codes = zip(*(once(words) for _ in range(runs)), strict=True)
    return {
        "wall_s": round(statistics.median(wall), 2),
        "cpu_s": round(statistics.median(cpu), 2),
        "peak_mb": round(memory),
        "exit": codes[0],
    }


def grown(sizes: list[int], runs: int) -> dict[str, Any]:
    """Return files → figures of the check, with CPU milliseconds for each further thousand files."""
    found: dict[str, Any] = {}
    before: tuple[int, float] | None = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            growth.make(Path(scratch), size)
            figures = measure(ours(Path(scratch)), runs)
        if before is not None:
            figures["cpu_ms_per_further_1000"] = round(1e6 * (figures["cpu_s"] - before[1]) / (size - before[0]))
        before = (size, figures["cpu_s"])
        found[str(size)] = figures
    return found


def main() -> None:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--growth", type=int, nargs="+", metavar="FILES")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tools", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if (options.folder is None) == (options.growth is None):
        parser.error("give a FOLDER, or --growth with sizes")
    if options.growth:
        found: dict[str, Any] = {"runs": options.runs, "files": grown(sorted(options.growth), options.runs)}
    else:
        repo = options.folder.resolve()
        figures = {name: measure(words, options.runs) for name, words in commands(repo, options.tools).items()}
        installed = (repo / "node_modules").is_dir()
        found = {"repository": repo.name, "installed": installed, "runs": options.runs, "tools": figures}
    found["cores"], found["load"] = len(os.sched_getaffinity(0)), round(os.getloadavg()[0], 1)
    text = json.dumps(found, indent=2) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
