"""Fetching contexts: allowed hosts, public addresses, size, time, redirects."""

import asyncio
import json

import httpx
import pytest

from asynchronous import in_a_loop
from onsil.hub.contexts import ContextError
from onsil.hub.contexts.fetching import Fetcher
from onsil.hub.contexts.library import SIZE_MAX

URL = "https://contexts.example/city.jsonld"
DOCUMENT = {"@context": {"tree": "https://city.example/tree"}}
PUBLIC = {"contexts.example": ["93.184.215.14"], "other.example": ["93.184.215.15"]}


def fetch(url=URL, answer=None, *, allowed=("contexts.example",), names=None, timeout_s=3.0):
    """What fetching gives, and the requests that were made."""
    asked: list[httpx.Request] = []

    async def addresses(host, _port):
        found = (PUBLIC if names is None else names).get(host)
        if found is None:
            raise OSError("no such name")
        return found

    async def handle(request):
        asked.append(request)
        return await answer(request) if answer else httpx.Response(200, json=DOCUMENT)

    fetcher = Fetcher(
        allowed, addresses=addresses, transport=httpx.MockTransport(handle), timeout_s=timeout_s
    )
    return in_a_loop(fetcher.fetch(url)), asked


def refused(*args, **how):
    with pytest.raises(ContextError) as caught:
        fetch(*args, **how)
    assert caught.value.unavailable
    return str(caught.value)


def answers(response):
    async def answer(_request):
        return response

    return answer


def test_the_checked_address_is_asked_by_its_name():
    found, [request] = fetch()
    assert found.document == DOCUMENT
    assert found.age_s == 86_400
    assert request.url.host == "93.184.215.14"
    assert request.headers["Host"] == "contexts.example"
    assert request.extensions["sni_hostname"] == "contexts.example"


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/x", "http://contexts.example/x", "ftp://contexts.example/x",
        "https://contexts.example:8443/x", "https://user@contexts.example/x", "https:///x",
        "https://contexts.example.evil.example/x", "file:///etc/passwd", "https://[::1/x",
        "http://169.254.169.254/latest/meta-data", "https://contexts.example:99999/x",
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_not_asked(url):
    refused(url)


def test_nothing_is_allowed_by_default():
    refused(allowed=())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "::ffff:127.0.0.1", "2002:7f00:1::", "::", "192.0.2.1", "64:ff9b:1::1",
    ],
)  # fmt: skip
def test_an_allowed_name_at_a_private_address_is_refused(address):
    refused(names={"contexts.example": [address]})
    refused(names={"contexts.example": ["93.184.215.14", address]})


def test_an_allowed_origin_may_be_anywhere():
    origin = "http://172.28.0.22:8087"
    found, [request] = fetch(
        f"{origin}/c.jsonld", allowed=(origin,), names={"172.28.0.22": ["172.28.0.22"]}
    )
    assert found.document == DOCUMENT
    assert str(request.url) == f"{origin}/c.jsonld"
    refused("http://172.28.0.22:8088/c", allowed=(origin,), names={"172.28.0.22": ["172.28.0.22"]})


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/x",
        "https://elsewhere.example/x",
        "http://contexts.example/x",
        "//10.0.0.1/x",
        URL,
    ],
)
def test_redirects_are_checked_like_first_requests(location):
    refused(answer=answers(httpx.Response(302, headers={"Location": location})))


def test_a_redirect_to_an_allowed_host_is_followed():
    async def answer(request):
        if request.headers["Host"] == "contexts.example":
            return httpx.Response(301, headers={"Location": "https://other.example/c"})
        return httpx.Response(200, json=DOCUMENT)

    found, asked = fetch(answer=answer, allowed=("contexts.example", "other.example"))
    assert found.document == DOCUMENT
    assert [r.headers["Host"] for r in asked] == ["contexts.example", "other.example"]


def test_limits_on_size():
    large = json.dumps({"@context": {"a": "x" * SIZE_MAX}}).encode()
    assert "larger" in refused(answer=answers(httpx.Response(200, content=large)))


def test_limits_on_time():
    async def slow(_request):
        await asyncio.sleep(5)

    async def drip(_request):
        async def chunks():
            while True:
                yield b" "
                await asyncio.sleep(0.02)

        return httpx.Response(200, content=chunks())

    for answer in (slow, drip):
        assert "within" in refused(answer=answer, timeout_s=0.1)


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(404), httpx.Response(500), httpx.Response(204),
        httpx.Response(200, content=b"x", headers={"Content-Encoding": "br"}),
    ],
)  # fmt: skip
def test_5_5_6_what_does_not_come_is_not_available(response):
    refused(answer=answers(response))


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, content=b"<html>"), httpx.Response(200, json=[1]),
        httpx.Response(200, json={"no": "context"}), httpx.Response(200, content=b""),
    ],
)  # fmt: skip
def test_5_5_6_what_comes_and_is_no_context_is_bad_data(response):
    with pytest.raises(ContextError) as caught:
        fetch(answer=answers(response))
    assert not caught.value.unavailable


@pytest.mark.parametrize(
    ("header", "age_s"),
    [("max-age=3600", 3600), ("max-age=1", 60), ("public, MAX-AGE=99999999", 604_800),
     ("no-store", 60), ("", 86_400)],
)  # fmt: skip
def test_5_13_1_a_servers_word_on_caching_counts(header, age_s):
    answer = answers(httpx.Response(200, json=DOCUMENT, headers={"Cache-Control": header}))
    assert fetch(answer=answer)[0].age_s == age_s


def test_a_name_without_an_address():
    refused(names={})
    refused(names={"contexts.example": []})


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "93.184.215.14", "fd00::1"])
def test_where_any_host_may_be_fetched_from_private_ones_may_be_too(address):
    fetched, asked = fetch(
        "http://contexts.example:8087/city.jsonld", allowed=("*",),
        names={"contexts.example": [address]},
    )  # fmt: skip
    assert fetched.document == DOCUMENT
    assert asked[0].headers["Host"] == "contexts.example:8087"


@pytest.mark.parametrize("address", ["169.254.169.254", "224.0.0.1", "0.0.0.0", "fe80::1"])  # noqa: S104
def test_link_local_addresses_are_never_fetched_from(address):
    refused(allowed=("*",), names={"contexts.example": [address]})


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "127.8.8.8"])
def test_what_this_machine_serves_may_be_allowed_alone(name):
    fetched, _ = fetch(
        f"http://{name}:8087/city.jsonld", allowed=("loopback",), names={name: ["127.0.0.1"]}
    )
    assert fetched.document == DOCUMENT
    refused(allowed=("loopback",))
    refused(f"http://{name}:8087/c", allowed=("loopback",), names={name: ["10.0.0.1"]})
