"""Strongly connected parts of a graph: what imports itself in the end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

Edges = Mapping[str, Iterable[str]]


def components(edges: Edges) -> list[list[str]]:
    """Return the groups of nodes that reach each other, larger than one, each sorted (Tarjan, without recursion)."""
    search = _Search(edges)
    for start in edges:
        if start not in search.order:
            search.visit(start)
    return sorted(search.found)


class _Search:
    """One depth-first search with its own stack."""

    def __init__(self, edges: Edges) -> None:
        self.edges = edges
        self.order: dict[str, int] = {}
        self.low: dict[str, int] = {}
        self.stack: list[str] = []
        self.on_stack: set[str] = set()
        self.found: list[list[str]] = []

    def visit(self, start: str) -> None:
        work = [self._enter(start)]
        while work:
            node, targets = work[-1]
            target = self._next(node, targets)
            if target is not None:
                work.append(self._enter(target))
                continue
            work.pop()
            if work:
                self.low[work[-1][0]] = min(self.low[work[-1][0]], self.low[node])
            if self.low[node] == self.order[node]:
                self._leave(node)

    def _next(self, node: str, targets: Iterator[str]) -> str | None:
        """Return the next target that nobody has seen; note those that close a circle."""
        for target in targets:
            if target in self.edges and target not in self.order:
                return target
            if target in self.on_stack:
                self.low[node] = min(self.low[node], self.order[target])
        return None

    def _enter(self, node: str) -> tuple[str, Iterator[str]]:
        self.order[node] = self.low[node] = len(self.order)
        self.stack.append(node)
        self.on_stack.add(node)
        return node, iter(self.edges[node])

    def _leave(self, node: str) -> None:
        group: list[str] = []
        while not group or group[-1] != node:
            group.append(self.stack.pop())
        self.on_stack.difference_update(group)
        if len(group) > 1:
            self.found.append(sorted(group))


def shortest(edges: Edges, start: str, group: set[str]) -> list[str]:
    """Return a shortest way inside ``group`` from ``start`` back to itself, both ends included."""
    before: dict[str, str] = {}
    queue = [start]
    for node in queue:
        for target in edges[node]:
            if target == start:
                way = [node]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return [*reversed(way), start]
            if target in group and target not in before:
                before[target] = node
                queue.append(target)
    return [start]
