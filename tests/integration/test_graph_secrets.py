"""No token and no secret is in what an error, a log or a metric shows."""

from __future__ import annotations

import asyncio
import logging

import aiohttp.client_proto
import pytest
from aiohttp.http_parser import HttpResponseParserPy

from shared.instagram import GraphClient, GraphUnclearError, InstagramError, open_graph_session
from tests.platforms import (
    ACCOUNT,
    BREAKS_AFTER_SENDING,
    CONTAINER,
    TOKEN,
    bare_server,
    client_of,
    everything_said,
    platform,
    publish,
    read_request,
    refuses,
    says,
    says_text,
)


async def test_the_token_is_in_no_error_and_no_log(caplog):
    """However a call fails, not even a message that quotes the token lets it out."""
    caplog.set_level(logging.DEBUG)
    errors: list[InstagramError] = []

    async def collect(client: GraphClient) -> None:
        for call in (publish(client), client.container_status(ACCOUNT, CONTAINER)):
            try:
                await call
            except InstagramError as error:
                errors.append(error)

    answers = [
        refuses(code=190, message=f"Malformed access token {TOKEN}", fbtrace_id=TOKEN),
        says_text(TOKEN, 502),
        says_text(TOKEN, 403),
        says({"id": f"/{TOKEN}", "data": TOKEN}),
    ]
    for answer in answers:
        async with platform(answer) as (client, _):
            await collect(client)
    for breaks in BREAKS_AFTER_SENDING:
        async with bare_server(breaks) as address, open_graph_session() as session:
            await collect(client_of(session, f"http://{address}", deadline_s=0.2))
    async with open_graph_session() as session:
        await collect(client_of(session, "http://127.0.0.1:1"))

    assert len(errors) == 2 * (len(answers) + len(BREAKS_AFTER_SENDING) + 1)
    assert not [text for text in map(everything_said, errors) if TOKEN in text]
    assert TOKEN not in caplog.text


async def test_the_token_is_not_in_a_containers_words():
    """A status text that quotes the token is cleaned like a message."""
    async with platform(says({"status_code": "ERROR", "status": f"Error: {TOKEN}"})) as (client, _):
        status = await client.container_status(ACCOUNT, CONTAINER)

    assert status.detail == "Error: [secret]"


async def test_a_signed_address_is_not_in_a_containers_words():
    """What opens the file for a day is cleaned like a token."""
    quoted = "Error: cannot fetch https://example.com/media/a.jpg?expires=1&signature=0123abcd"
    async with platform(says({"status_code": "ERROR", "status": quoted})) as (client, _):
        status = await client.container_status(ACCOUNT, CONTAINER)

    assert status.detail == quoted.replace("0123abcd", "[secret]")


@pytest.mark.parametrize("body", ["ZZ{}\r\n", "1\r\nx\r\n{}\r\n"], ids=["first piece", "later piece"])
async def test_a_token_in_a_broken_answer_is_in_no_error(body, monkeypatch):
    """The parser that aiohttp has without its C part quotes what it cannot read; nothing of that is passed on."""
    granted, head_read = "a-token-that-nobody-knows-yet", asyncio.Event()

    class Parser(HttpResponseParserPy):
        def feed_data(self, *args, **kwargs):
            read = super().feed_data(*args, **kwargs)
            head_read.set()
            return read

    async def break_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await head_read.wait()
        writer.write(body.format(granted).encode())

    monkeypatch.setattr(aiohttp.client_proto, "HttpResponseParser", Parser)
    async with bare_server(break_the_body) as address, open_graph_session() as session:
        with pytest.raises(GraphUnclearError) as caught:
            await client_of(session, f"http://{address}").refresh_token(ACCOUNT)

    assert granted not in everything_said(caught.value)
