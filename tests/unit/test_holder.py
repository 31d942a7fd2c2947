"""Who holds a target, as those who wait or are refused are told."""

from __future__ import annotations

import pytest

from agent.model.errors import IkomaError
from agent.operations.lock import Holder

RUN = "https://github.com/acme/shop/actions/runs/12"


@pytest.mark.parametrize(
    ("client", "who"),
    [
        ({"actor": "ada", "run": RUN}, RUN),
        ({"actor": "ada"}, "ada"),
        ({"user": "root"}, "root"),
        ({}, "an-operation"),
    ],
)
def test_a_holder_is_named_by_its_run_where_there_is_one(client: dict[str, str], who: str) -> None:
    holder = Holder("an-operation", client=client)
    assert holder.who() == who
    busy = IkomaError("operation.busy", target="shop", holder=holder.operation, since="now", client=holder.who())
    assert who in busy.message("en")
    assert who in busy.message("fr")
