"""The pipeline with somebody who is told when the host gets the release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.pipeline.bundles import Bundle
from bridge.pipeline.host import Host
from bridge.pipeline.run import Pipeline
from bridge.reports.model import DeploymentReport


class Reported(Pipeline):
    """Calls ``on_start`` with operation and bundle when the deployment begins."""

    def __init__(self, *args: Any, on_start: Callable[[str, Bundle], None]) -> None:
        super().__init__(*args)
        self._on_start = on_start

    def deploy(self, host: Host, bundle: Bundle) -> DeploymentReport:
        host.wait()
        self._on_start(self.operation, bundle)
        return super().deploy(host, bundle)
