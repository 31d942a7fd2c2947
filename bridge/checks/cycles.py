"""Strongly connected parts of a graph: what imports itself in the end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Edges = Mapping[str, Iterable[str]]


def components(edges: Edges) -> list[list[str]]:
    """Return the groups of nodes that reach each other, larger than one, each sorted (Tarjan, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []
    for start in edges:
        if start in order:
            continue
        work = [(start, iter(edges[start]))]
        _enter(start, order, low, stack, on_stack)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in edges:
                    continue
                if target not in order:
                    _enter(target, order, low, stack, on_stack)
                    work.append((target, iter(edges[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], order[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    group = _leave(node, stack, on_stack)
                    if len(group) > 1:
                        found.append(sorted(group))
    return sorted(found)


def _enter(node: str, order: dict[str, int], low: dict[str, int], stack: list[str], on_stack: set[str]) -> None:
    order[node] = low[node] = len(order)
    stack.append(node)
    on_stack.add(node)


def _leave(node: str, stack: list[str], on_stack: set[str]) -> list[str]:
    group = []
    while True:
        other = stack.pop()
        on_stack.discard(other)
        group.append(other)
        if other == node:
            return group


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
