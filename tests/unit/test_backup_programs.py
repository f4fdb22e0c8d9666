"""How pg_dump and pg_restore are told where the database is."""

import pytest

from deploy.backup.programs import read_output

_TELL = ("/bin/sh", "-c", 'echo "$@"; echo "$PGPASSWORD"', "sh")


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:s%20e@h:5/db?sslmode=disable", "postgresql://u@h:5/db?sslmode=disable&password=s%20e"],
    ids=["login", "query"],
)
async def test_a_password_is_on_no_command_line(url):
    """Wherever the address has it, the program finds it in its environment."""
    said = b"".join([piece async for piece in read_output(_TELL, url)]).decode()

    arguments, password = said.splitlines()
    assert arguments == "--dbname=postgresql://u@h:5/db?sslmode=disable"
    assert password == "s e"
