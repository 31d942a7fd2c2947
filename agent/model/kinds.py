"""What kind of service each one is, when nobody says so. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from agent.model.contract import Kind, Service, Settings

_DATABASES: Final = frozenset({
    "cassandra", "clickhouse", "clickhouse-server", "cockroach", "couchdb", "elasticsearch", "etcd", "influxdb",
    "keydb", "mariadb", "meilisearch", "minio", "mongo", "mongodb", "mysql", "nats", "neo4j", "opensearch", "pgvector",
    "postgis", "postgres", "postgresql", "qdrant", "rabbitmq", "redis", "redis-stack-server", "timescaledb",
    "typesense", "valkey", "weaviate",
})  # fmt: skip


Services = Mapping[str, Mapping[str, Any]]


def kinds(services: Services, images: Mapping[str, str], settings: Settings) -> dict[str, Kind]:
    """Return service → kind: as stated, else one-shot, stateful, routed or worker, in this order of evidence.

    Args:
        services: those of a compose file as Compose renders it.
        images: the references of images that others make, by service.
    """
    return {name: _kind(name, services, images.get(name, ""), settings) for name in services}


def _kind(name: str, services: Services, image: str, settings: Settings) -> Kind:
    stated = settings.services.get(name, Service())
    service = services[name]
    if stated.kind is not None:
        return stated.kind
    if _runs_to_its_end(name, service, services):
        return "one-shot"
    if image and _keeps_data(image, service):
        return "stateful"
    if _is_routed(name, settings) or service.get("expose") or stated.probe or _is_named(name, services):
        return "routed"
    return "worker"


def _runs_to_its_end(name: str, service: Mapping[str, Any], services: Services) -> bool:
    waited = any(
        (other.get("depends_on") or {}).get(name, {}).get("condition") == "service_completed_successfully"
        for other in services.values()
    )
    return waited and str(service.get("restart", "no")).partition(":")[0] in ("no", "False", "on-failure")


def _keeps_data(image: str, service: Mapping[str, Any]) -> bool:
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return name in _DATABASES or any(_is_named_volume(item) for item in service.get("volumes") or [])


def _is_named_volume(item: Any) -> bool:
    if isinstance(item, dict):
        return item.get("type") == "volume" and bool(item.get("source"))
    source, colon, _ = str(item).partition(":")
    return bool(colon) and not source.startswith((".", "/", "~", "$"))


def _is_routed(name: str, settings: Settings) -> bool:
    return any(upstream.rpartition(":")[0] == name for upstream in settings.routes.values())


def _is_named(name: str, services: Services) -> bool:
    """Whether another service reaches it: depends on it, links to it, or has its address among its values."""
    address = re.compile(rf"//([^/@\s]*@)?{re.escape(name)}(?=[:/?#\s]|$)|(?<![\w.-]){re.escape(name)}:\d")
    for other, service in services.items():
        if other != name:
            links = {str(link).partition(":")[0] for link in service.get("links") or []}
            if name in links or name in (service.get("depends_on") or {}):
                return True
            if any(address.search(value) for value in _values(service.get("environment"))):
                return True
    return False


def _values(environment: Any) -> list[str]:
    if isinstance(environment, dict):
        return [str(value) for value in environment.values() if value is not None]
    return [str(item).partition("=")[2] for item in environment or []]


def rollout(service: Mapping[str, Any], stated: Service) -> Literal["start-first", "stop-first"]:
    """Return how a service is replaced: the old one stops first where two cannot live side by side."""
    if stated.rollout is not None:
        return stated.rollout
    alone = service.get("ports") or service.get("network_mode") == "host" or stated.exclusive_volumes
    return "stop-first" if alone else "start-first"
