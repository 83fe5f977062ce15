"""What is said of the database when a process starts."""

import pytest

from bessemer.server.foundation import shown


@pytest.mark.parametrize(
    ("connection", "told"),
    [
        ("postgresql://u:secret@h:5433/db", "postgresql://h:5433/db"),
        ("postgresql:///db?host=h&user=u&password=secret", "postgresql:///db"),
        ("postgresql:///db?password=a@secret", "postgresql:///db"),
        ("postgresql://u:secret?more@h/db?password=secret", "postgresql://h/db"),
        ("sqlite:////var/lib/bessemer.sqlite?synchronous=off", "sqlite:////var/lib/bessemer.sqlite"),
    ],
)
def test_the_database_is_named_without_its_password(connection: str, told: str) -> None:
    assert shown(connection) == told
