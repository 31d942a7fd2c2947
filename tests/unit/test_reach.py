"""Where a key may send the agent for a database: it must not become a way into the host's network."""

import pytest

from agent.database import reach
from agent.host.keys import Grant
from agent.host.settings import Settings
from agent.model import dsn as dsns
from agent.model.errors import Misuse
from agent.model.secret import Secret

SHOPPER = Grant("shopper", "builder", apps=("shop",))
LIST = Settings(database_hosts=("db.example", "Other.example:6000"), admin_dsn=Secret("postgresql://a:b@10.0.0.1/x"))


@pytest.mark.parametrize("place", ["db.example", "db.example:5433", "other.example:6000", "10.0.0.1", "DB.example"])
def test_a_limited_key_may_name_the_servers_on_the_list(place: str) -> None:
    reach.check(SHOPPER, LIST, dsns.parse(f"postgresql://u:p@{place}/shop"), None)


@pytest.mark.parametrize(
    "place", ["169.254.169.254", "localhost", "other.example", "10.0.0.1:22", "db.example.evil.example", "%2Frun%2Fx"]
)
def test_a_limited_key_may_name_no_other(place: str) -> None:
    with pytest.raises(Misuse) as caught:
        reach.check(SHOPPER, LIST, dsns.parse(f"postgresql://u:p@{place}/shop"), None)
    assert caught.value.id == "env.database_host"
    assert "u:p" not in caught.value.message("en")


@pytest.mark.parametrize("option", ["hostaddr=10.9.9.9", "sslkey=/etc/ssl/private/x", "options=-cfoo"])
def test_an_option_that_names_another_place_or_a_file_is_refused(option: str) -> None:
    with pytest.raises(Misuse) as caught:
        reach.check(SHOPPER, LIST, dsns.parse(f"postgresql://u:p@db.example/shop?{option}"), None)
    assert caught.value.id == "env.database_option"


def test_the_password_of_the_connection_that_is_there_can_be_changed() -> None:
    present = dsns.parse("postgresql://u:old@elsewhere.example/shop")
    reach.check(SHOPPER, Settings(), dsns.parse("postgresql://u:new@elsewhere.example/shop"), present)


def test_a_key_that_builds_everything_may_name_any_server() -> None:
    reach.check(Grant("root", "builder"), Settings(), dsns.parse("postgresql://u:p@anywhere/shop"), None)
