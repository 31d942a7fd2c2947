"""What is told of a release that somebody sent holds no value of the host, wherever the sender put it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host import envfile
from agent.host.paths import TargetPaths
from agent.model.secret import MASK
from agent.releases import values


@pytest.fixture
def home(tmp_path: Path) -> TargetPaths:
    home = TargetPaths(tmp_path)
    envfile.write(home.app_env, {"TOKEN": 'Zebra77/Quilted:Thing"x', "MODE": "production", "PORT": "3000", "ON": "1"})
    return home


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ('bind /Zebra77/Quilted:Thing"x is refused', f"bind /{MASK} is refused"),
        ("invalid port Quilted", f"invalid port {MASK}"),
        ("service name zebra77", f"service name {MASK}"),
        ({"a": ["Thing", {"b": 'Quilted:Thing\\"x'}]}, {"a": [MASK, {"b": f'{MASK}:{MASK}\\"x'}]}),
        ("port 3000 is held", "port 3000 is held"),
        (7, 7),
    ],
)
def test_a_value_and_its_parts_are_hidden(home: TargetPaths, told: object, shown: object) -> None:
    assert values.veil(home, "nothing of it")(told) == shown


def test_what_the_sender_wrote_himself_stays_readable(home: TargetPaths) -> None:
    assert values.veil(home, '{"environment": "production"}')("shop in production") == "shop in production"
    assert values.veil(home, "")("shop in production") == f"shop in {MASK}"
