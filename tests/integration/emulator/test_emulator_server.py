from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from deploy.emulator import AccountsFileError, EmulatorStartError, load_accounts, run_emulator
from deploy.emulator.pictures import look_into_picture

EXAMPLES = Path(__file__).parents[3] / "examples"
HEADER = "username,instagram_user_id,access_token,token_expires_at,tags\n"


@asynccontextmanager
async def _running(**arguments):
    ready = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(run_emulator(port=0, stop=stop, on_ready=ready.set_result, **arguments))
    await asyncio.wait({ready, task}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    try:
        yield ready.result() if ready.done() else None
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def test_accounts_of_the_file_survive_restart_and_reset():
    """With an accounts file the same tokens open the same accounts after every start and every reset."""
    token = "EMULATOR-TOKEN-07-not-a-real-token"
    seen = []
    for _ in range(2):
        async with _running(accounts_file=EXAMPLES / "accounts.csv") as url, aiohttp.ClientSession() as session:
            await session.post(f"{url}/_emulator/reset")
            async with session.get(f"{url}/me?fields=id,user_id,username&access_token={token}") as response:
                seen.append(await response.json())

    assert seen[0] == seen[1]
    assert seen[0]["username"] == "demo_account_07"
    assert seen[0]["user_id"] == "17841499000000007"


async def test_stop_ends_the_server_though_a_call_hangs():
    """Being told to stop ends the server in time, with a call that would never be answered."""
    async with _running() as url, aiohttp.ClientSession() as session:
        async with session.post(f"{url}/_emulator/accounts", json={"count": 1}) as response:
            [account] = await response.json()
        await session.post(f"{url}/_emulator/faults", json={"endpoint": "any", "kind": "timeout"})
        hanging = asyncio.create_task(session.get(f"{url}/me?access_token={account['access_token']}"))
        async with asyncio.timeout(10):
            while not await (await session.get(f"{url}/_emulator/calls")).json():
                pass

    with pytest.raises(aiohttp.ClientError):
        await hanging


async def test_taken_port_is_one_clear_error():
    """A port in use is told in one sentence with its number."""
    async with _running() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(EmulatorStartError, match=str(port)):
            await run_emulator(port=port)


def test_example_accounts():
    """The example file holds 25 accounts whose tokens cannot be taken for real ones."""
    accounts = load_accounts(EXAMPLES / "accounts.csv")

    assert len(accounts) == 25
    assert all("not-a-real-token" in account.access_token for account in accounts)


def test_example_picture():
    """The example picture passes the platform's rules and is small."""
    picture = EXAMPLES / "picture.jpg"

    with picture.open("rb") as file:
        width, height, _ = look_into_picture(file)

    assert (width, height) == (1080, 1350)
    assert picture.stat().st_size < 400_000


def test_every_bad_row_is_named(tmp_path):
    """All faults of a file are told at once, each with its line and column."""
    file = tmp_path / "accounts.csv"
    file.write_text(
        HEADER
        + "good,1001,T1,2099-01-01T00:00:00Z,a;b\n"
        + "bad name,abc,,2099-01-01T00:00:00,\n"
        + "other,1001,T1,2099-13-01T00:00:00Z,\n"
        + "short,1003\n"
        + "\n"
        + "long,1004,T4,2099-01-01T00:00:00Z,,more\n"
    )

    with pytest.raises(AccountsFileError) as caught:
        load_accounts(file)

    assert [fault.partition(" must")[0] for fault in caught.value.faults] == [
        "line 3: username",
        "line 3: instagram_user_id",
        "line 3: access_token",
        "line 3: token_expires_at",
        "line 4: token_expires_at",
        "line 5: has not 5 columns",
        "line 7: has not 5 columns",
        "line 4: instagram_user_id is the same as in line 2",
        "line 4: access_token is the same as in line 2",
    ]
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    "content", [None, b"", b"username,token\n", b"\xff\xfe\x00", HEADER.encode() + b'"open,1,T,2099-01-01T00:00:00Z,\n']
)
def test_file_that_is_no_accounts_file(tmp_path, content):
    """A missing file, a foreign one and one that is no text are one clear error."""
    file = tmp_path / "accounts.csv"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(AccountsFileError) as caught:
        load_accounts(file)

    assert len(caught.value.faults) == 1
