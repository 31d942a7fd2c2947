"""What each capability takes and returns, as types. Imported by the doors that need them and by the reference.

A capability that is one file has its types there: dataclasses ``Args`` and ``Result``. Otherwise
a family of capabilities has a module here (``apps.env.example`` → ``apps``), and a capability up to two classes in
it: ``EnvExampleArgs`` for its arguments (left out when it takes none) and ``EnvExampleResult`` for what a read returns.
The index stays plain data, and the fast path imports nothing of this.
"""

from __future__ import annotations

import dataclasses
import importlib
import typing
from functools import cache
from typing import Any

from pydantic import TypeAdapter, create_model

from agent.capabilities import SINGLE
from agent.capabilities.index import Capability
from agent.capabilities.models.base import Args, OperationResult, Result


def arguments(capability: Capability) -> type[Args]:
    """Return the model of what ``capability`` takes; without one, its names with any value."""
    found = _declared(capability, "Args")
    if found is not None:
        model: type[Args] = found if issubclass(found, Args) else _from_dataclass(capability.name, found)
        return model
    return _untyped(capability.name, capability.takes)


def result(capability: Capability) -> Any:
    """Return the type of what it answers: a model, or ``str``; of a change what its operation ends with."""
    found = _declared(capability, "Result")
    if found is not None:
        return found
    return OperationResult if capability.changes else Result


def is_typed(capability: Capability) -> bool:
    """Say whether it has its own models wherever it needs them."""
    takes_nothing = capability.takes == ()
    has_args = takes_nothing or _declared(capability, "Args") is not None
    return has_args and (capability.changes or _declared(capability, "Result") is not None)


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the validator of a type."""
    return TypeAdapter(kind)


def _declared(capability: Capability, ending: str) -> Any:
    if capability.module.startswith(f"{SINGLE}."):
        return getattr(importlib.import_module(capability.module), ending, None)
    return _named(capability.name, ending)


@cache
def _from_dataclass(name: str, kind: Any) -> type[Args]:
    """Return the model of a dataclass's fields: the index must not pay for pydantic, so such a file does not use it."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields: dict[str, Any] = {
        one.name: (hints[one.name], ... if one.default is dataclasses.MISSING else one.default)
        for one in dataclasses.fields(kind)
    }
    return create_model(name, __base__=Args, __doc__=kind.__doc__, **fields)


def _named(name: str, ending: str) -> Any:
    family, _, rest = name.partition(".")
    try:
        module = importlib.import_module(f"{__name__}.{family}")
    except ModuleNotFoundError:
        return None
    words = rest.replace("_", ".").split(".")
    return getattr(module, "".join(word.title() for word in words) + ending, None)


@cache
def _untyped(name: str, takes: tuple[str, ...] | None) -> type[Args]:
    if takes is None:
        return create_model(name, __base__=Args, __cls_kwargs__={"extra": "allow"})
    fields: dict[str, Any] = dict.fromkeys(takes, (Any, None))
    return create_model(name, __base__=Args, **fields)
