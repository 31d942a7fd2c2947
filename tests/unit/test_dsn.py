"""Connection strings as people paste them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model import dsn
from agent.model.dsn import Dsn
from agent.model.errors import Misuse
from agent.model.secret import Secret

UNDERSTOOD = [
    # given, host, port, user, database, password
    ("postgresql://me:secret@db.example:6000/app", "db.example", 6000, "me", "app", "secret"),
    ("POSTGRES://me:secret@db.example/app", "db.example", 5432, "me", "app", "secret"),
    ("postgres://me@db.example", "db.example", 5432, "me", "me", ""),
    ("postgres://me:a%40b%25@h/app", "h", 5432, "me", "app", "a@b%"),
    ("postgres://me:a@b@h/app", "h", 5432, "me", "app", "a@b"),
    ("postgres://me:Hunter2%zz@h/app", "h", 5432, "me", "app", "Hunter2%zz"),
    ("postgres://me:100%25 of it@h/app", "h", 5432, "me", "app", "100%25 of it"),
    ("postgres://me:a/b?c#d@h/app", "h", 5432, "me", "app", "a/b?c#d"),
    ("postgres://me:q?x=1@h/app?sslmode=require", "h", 5432, "me", "app", "q?x=1"),
    ('postgres://me:it\'s "so"@[::1]:5433/app', "::1", 5433, "me", "app", 'it\'s "so"'),
    ("postgres://me:s:e:c@h/app", "h", 5432, "me", "app", "s:e:c"),
    ("postgres://me:x@%2Frun%2Fpostgresql/app", "/run/postgresql", 5432, "me", "app", "x"),
    ("  postgres://me:x@h/app\n", "h", 5432, "me", "app", "x"),
    ("host=h port=6000 user=me password=secret dbname=app", "h", 6000, "me", "app", "secret"),
    ("host=h user=me password='it\\'s a \\\\ b' dbname=app", "h", 5432, "me", "app", "it's a \\ b"),
    ("user = me  host = h", "h", 5432, "me", "me", ""),
]

REFUSED = [
    "", "Hunter2secret", "mysql://me:Hunter2secret@h/app", "postgres://h/app", "postgres://me:Hunter2secret@h:99999/app",
    "postgres://me:Hunter2secret@bad host/app", "postgres://me:Hunter2secret@h:port/app",
    "host=h user=me password=Hunter2 secret", "host=h user=me password='Hunter2secret", "user=me Hunter2secret=1",
    "host=h password=Hunter2secret", "postgres://me:Hunter2secret\0@h/app",
]  # fmt: skip


@pytest.mark.parametrize(("given", "host", "port", "user", "database", "password"), UNDERSTOOD)
def test_a_connection_is_understood(given: str, host: str, port: int, user: str, database: str, password: str) -> None:
    found = dsn.parse(given)
    assert (found.host, found.port, found.user, found.database) == (host, port, user, database)
    assert found.password.reveal() == password


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_no_connection_is_refused_without_showing_it(given: str) -> None:
    with pytest.raises(Misuse) as caught:
        dsn.parse(given)
    assert caught.value.id == "dsn.invalid"
    for lang in ("en", "fr"):
        assert "Hunter2" not in caught.value.message(lang) + caught.value.remedy(lang)
    assert "Hunter2" not in repr(caught.value.params)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_password_survives_the_url_we_write(password: str) -> None:
    whole = Dsn("h", "me", "app", Secret(password), 6000, (("sslmode", "require"),))
    assert dsn.parse(whole.url()) == whole


def test_a_connection_never_shows_its_password() -> None:
    found = dsn.parse("postgres://me:Hunter2secret@h/app?sslmode=require")
    assert "Hunter2" not in f"{found} {found!r} {found.where} {found.url()}"


@pytest.mark.parametrize(
    ("given", "pooled"),
    [
        ("postgres://me:x@aws-0-eu.pooler.supabase.com:6543/postgres", True),
        ("postgres://me:x@db.abc.supabase.co:6543/postgres", True),
        ("postgres://me:x@aws-0-eu.pooler.supabase.com:5432/postgres", False),
        ("postgres://me:x@h:5432/app?pgbouncer=true", True),
        ("postgres://me:x@h:6543/app", False),
    ],
)
def test_a_transaction_pooler_is_known_by_its_address_or_its_word(given: str, pooled: bool) -> None:
    assert dsn.parse(given).pooled is pooled


def test_words_of_other_clients_are_not_handed_to_libpq() -> None:
    words = dsn.parse("postgres://me:x@h/app?schema=public&connection_limit=3&sslmode=require").keywords()
    assert set(words) == {"host", "port", "user", "password", "dbname", "sslmode"}
