"""What Prometheus may know: how many calls, how long they took, what runs. No app, key or address is a label."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

import agent
from agent.host.paths import Paths
from agent.operations.journal import Journal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics:
    """The figures of one door."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        labels = ("capability", "status")
        self._calls = Counter("ikoma_http_calls", "Answers given.", labels, registry=self.registry)
        self._seconds = Histogram(
            "ikoma_http_seconds", "How long answers took.", ("capability",), buckets=_SECONDS, registry=self.registry
        )
        self._running = Gauge("ikoma_operations_unfinished", "Operations that have not ended.", registry=self.registry)
        info = Gauge("ikoma_agent_info", "The agent's version.", ("version",), registry=self.registry)
        info.labels(agent.__version__).set(1)

    def answered(self, capability: str, status: int, seconds: float) -> None:
        """Count one answer. ``capability`` is a name of the index or of an address of ours."""
        self._calls.labels(capability, str(status)).inc()
        self._seconds.labels(capability).observe(seconds)

    def text(self, paths: Paths) -> bytes:
        """Return all figures as Prometheus reads them. Asks the journal."""
        if paths.journal.exists():
            with Journal(paths) as journal:
                self._running.set(len(journal.unfinished()))
        return generate_latest(self.registry)
