from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from aiohttp.abc import AbstractResolver
from yarl import URL

from shared.security import GuardedResolver, Origin, UnsafeUrlError
from shared.security.addresses import is_public
from shared.security.urls import check_url, parse_url

OWN = Origin.of("http://127.0.0.1:8080")


@pytest.mark.parametrize(
    "address",
    [
        str(IPv4Address(0)),
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2606:4700::5efe:10.0.0.1",
        "::5efe:8.8.8.8",
        "fd00::5efe:8.8.8.8",
        "fe80::200:5efe:8.8.8.8",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "no address",
        "127.1",
        "2130706433",
    ],
)
def test_addresses_inside_are_not_public(address):
    """No address that leads to a host, a link, a private or a special network passes, nor one that embeds such."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "157.240.1.35",
        "2606:4700:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "2606:4700::5efe:8.8.8.8",
    ],
)
def test_addresses_of_the_internet_are_public(address):
    """Ordinary addresses pass, also by way of a translation prefix."""
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://127.0.0.1./x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://0x7f.0.0.1/x",
        "https://0177.0.0.1/x",
        "https://127.1/x",
        "https://127.0.0.01/x",
        "https://0/x",
        "https://１２７.0.0.1/x",
        "https://①②⑦.0.0.1/x",
        "https://134744072/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[::ffff:7f00:1]/x",
        "https://[64:ff9b::127.0.0.1]/x",
        "https://[fe80::1%25eth0]/x",
        "https://169.254.169.254/latest/meta-data",
        "http://example.test/x",
        "http://8.8.8.8/x",
        "https://example.test:22/x",
        "https://example.test:8443/x",
        "https://user@example.test/x",
        "https://user:word@example.test/x",
        "https://:word@example.test/x",
        "http://127.0.0.1:8081/x",
        "https://127.0.0.1:8080/x",
        "http://user@127.0.0.1:8080/x",
        "ftp://example.test/x",
        "file:///etc/passwd",
        "gopher://example.test/",
        "//example.test/x",
        "/x",
        "",
        "https://",
        "https:///x",
        "https://[::1/x",
        "https://example.test:99999/x",
        "https://example.test:0/x",
        "javascript:alert(1)",
        "unix:///var/run/docker.sock",
    ],
)
def test_a_url_whose_form_shows_that_it_is_unsafe_is_refused(url):
    """Every spelling of an inner address, every other scheme or port and every login has the same stable code."""
    with pytest.raises(UnsafeUrlError) as refused:
        check_url(parse_url(url), exempt=[OWN])

    assert refused.value.code == "media_url_forbidden"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.test/picture.jpg?size=1#top",
        "https://example.test:443/",
        "https://example.test:80/",
        "https://8.8.8.8/x",
        "https://[2606:4700:4700::1111]/x",
        "https://bücher.example/x",
        "https://1.example.test/x",
        "https://face.b00c/x",
        "http://127.0.0.1:8080/media/x",
        "HTTP://127.0.0.1:8080/media/x",
    ],
)
def test_ordinary_urls_and_ones_own_are_allowed(url):
    """A public https URL passes, and so does the exempt origin however private and plain it is."""
    check_url(parse_url(url), exempt=[OWN])


class Answers(AbstractResolver):
    """A name server whose answers change from one question to the next."""

    def __init__(self, *answers):
        self.answers = list(answers)

    async def resolve(self, host, port=0, family=0):
        return [
            {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}
            for address in self.answers.pop(0)
        ]

    async def close(self):
        self.answers.clear()


async def test_a_name_that_changes_its_answer_is_refused():
    """A name that was public a moment ago is checked again for each connection."""
    resolver = GuardedResolver(Answers(["8.8.8.8"], ["127.0.0.1"]), exempt=[])

    first = await resolver.resolve("rebind.example.test", 443)

    assert [answer["host"] for answer in first] == ["8.8.8.8"]
    with pytest.raises(UnsafeUrlError, match=r"rebind\.example\.test"):
        await resolver.resolve("rebind.example.test", 443)


async def test_one_inner_address_among_public_ones_is_refused():
    """A name is refused when any of its addresses is not public."""
    resolver = GuardedResolver(Answers(["8.8.8.8", "::ffff:10.0.0.1"]), exempt=[])

    with pytest.raises(UnsafeUrlError):
        await resolver.resolve("mixed.example.test", 443)


async def test_only_the_exempt_host_and_port_may_be_private():
    """The same host on another port is held to the rule."""
    inner = ["10.0.0.1"]
    resolver = GuardedResolver(Answers(inner, inner), exempt=[Origin.of("http://Own.test:8080/")])

    assert await resolver.resolve("own.test", 8080)
    with pytest.raises(UnsafeUrlError):
        await resolver.resolve("own.test", 443)


def test_an_origin_is_compared_without_regard_to_spelling():
    """Capitals, a trailing dot and the scheme's own port make no difference."""
    assert Origin.of("HTTPS://Own.Test./x") == Origin.of(URL("https://own.test:443"))
