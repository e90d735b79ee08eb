"""Pulling from REST APIs: pages in order, politely, from where the last pull ended.

Options of the device beside `[mapping]` (see `drivers/rest.py`):

    url, headers, query        `{since}` and `{until}` in a query value or the url are filled in
    [auth]      kind = bearer | basic | header | query, secret (its name), name, user
    [paging]    kind = none | page | offset | cursor | link, parameter, size_parameter, size, start,
                next (path to the cursor or the next address), pages_max
    [watermark] start, overlap_s (3600), window_s (0: none), format = iso | unix | ms | strftime
"""

import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

import httpx
import orjson

from onsil.core.refusal import OperationError
from onsil.devices.collecting.faults import Fault
from onsil.devices.collecting.reach import Network, resolve
from onsil.devices.drivers import paths
from onsil.devices.drivers.rest import items_of, page_mapping
from onsil.devices.terms import Device

BODY_MAX_BYTES = 16 * 1024 * 1024
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
PAGES_MAX = 1_000
OVERLAP_S = 3_600
FIRST = timedelta(days=1)
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel\s*=\s*"?next"?', re.IGNORECASE)

Secrets = Callable[[str], str]
# Its lines hold whole addresses, and some services want their key in the query.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Window(NamedTuple):
    """The span asked for. `mark` is where the last pull ended; `since` lies an overlap before."""

    mark: datetime
    since: datetime
    until: datetime


def window(options: Mapping[str, Any], mark: str | None, now: datetime) -> Window:
    """What to ask for next. Raises OperationError for a start that is no time."""
    watermark = options.get("watermark", {})
    overlap = timedelta(seconds=int(watermark.get("overlap_s", OVERLAP_S)))
    start = mark or watermark.get("start")
    try:
        begun = datetime.fromisoformat(str(start)) if start else now - FIRST
    except ValueError as error:
        raise OperationError(f"[watermark]: {start!r} is not a time", retry=False) from error
    begun = begun if begun.tzinfo else begun.replace(tzinfo=UTC)
    size = int(watermark.get("window_s", 0))
    until = min(now, begun + timedelta(seconds=size)) if size else now
    return Window(begun, begun - overlap, until)


def moved(asked: Window, newest: datetime | None, now: datetime) -> datetime:
    """Where the next pull begins: at the newest reading; past a span that is over, at its end."""
    mark = max(asked.mark, min(newest, now)) if newest else asked.mark
    return max(mark, asked.until) if asked.until < now else mark


async def pages(
    device: Device, asked: Window, named: Sequence[Network], secrets: Secrets
) -> AsyncIterator[bytes]:
    """The pages of one pull, as they came. Raises Fault."""
    options = device.options
    paging = options.get("paging", {})
    kind = paging.get("kind", "none")
    mapping = page_mapping(options)
    url, query, headers = _request(options, asked, secrets)
    size, place = int(paging.get("size", 100)), int(paging.get("start", 1 if kind == "page" else 0))
    seen: set[str] = set()
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        for _ in range(int(paging.get("pages_max", PAGES_MAX))):
            if kind in ("page", "offset"):
                query[paging.get("parameter", kind)] = str(place)
                query[paging.get("size_parameter", "size")] = str(size)
            body, link = await _get(client, url, query, headers, named)
            yield body
            parsed = _json(body)
            if kind in ("page", "offset"):
                count = len(items_of(parsed, mapping))
                if count < size:
                    return
                place += 1 if kind == "page" else count
                continue
            following = _following(kind, paging, parsed, link)
            if not following or following in seen:
                return
            seen.add(following)
            if kind == "cursor":
                query[paging.get("parameter", "cursor")] = following
            else:
                url, query = _same_origin(url, following), {}
    raise Fault("too-many-pages", "쪽이 너무 많습니다. 기간(window_s)을 줄이세요.",
                "There are too many pages. Make window_s smaller.")  # fmt: skip


def _following(kind: str, paging: Mapping[str, Any], parsed: Any, link: str) -> str:
    if kind == "none":
        return ""
    if paging.get("next"):
        found = paths.first(parsed, str(paging["next"]))
        return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
    told = _NEXT.search(link)
    return told.group(1) if told and kind == "link" else ""


def _same_origin(url: str, following: str) -> str:
    """The next page's address, on the same host: our credentials go nowhere else. Raises Fault."""
    absolute = urljoin(url, following)
    if urlsplit(absolute)[:2] != urlsplit(url)[:2]:
        raise Fault("other-host",
                    "다음 쪽이 다른 서버를 가리킵니다. 인증 정보를 보내지 않았습니다.",
                    "The next page is on another server; no credentials were sent.")  # fmt: skip
    return absolute


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Fault("not-json", "답이 JSON이 아닙니다. 주소와 형식 매개변수를 확인하세요.",
                    f"The answer is not JSON ({str(error)[:60]}).") from error  # fmt: skip


def _request(
    options: Mapping[str, Any], asked: Window, secrets: Secrets
) -> tuple[str, dict[str, str], dict[str, str]]:
    form = options.get("watermark", {}).get("format", "iso")
    spans = {"{since}": _written(asked.since, form), "{until}": _written(asked.until, form)}

    def filled(text: Any, *, escape: bool = False) -> str:
        made = str(text)
        for mark, value in spans.items():
            made = made.replace(mark, quote(value, safe="") if escape else value)
        return made

    query = {str(k): filled(v) for k, v in options.get("query", {}).items()}
    headers = {"Accept": "application/json", "User-Agent": "onsil"}
    headers |= {str(k): str(v) for k, v in options.get("headers", {}).items()}
    auth = options.get("auth", {})
    if auth:
        _authorise(auth, secrets(str(auth.get("secret", ""))), query, headers)
    return filled(options["url"], escape=True), query, headers


def _authorise(
    auth: Mapping[str, Any], secret: str, query: dict[str, str], headers: dict[str, str]
) -> None:
    kind = auth.get("kind", "bearer")
    if kind == "bearer":
        headers["Authorization"] = f"Bearer {secret}"
    elif kind == "basic":
        pair = httpx.BasicAuth(str(auth.get("user", "")), secret)
        headers["Authorization"] = pair._auth_header
    elif kind == "header":
        headers[str(auth.get("name", "X-API-Key"))] = secret
    elif kind == "query":
        query[str(auth.get("name", "serviceKey"))] = secret
    else:
        raise Fault(
            "bad-auth", f"모르는 인증 방식입니다: {kind}.", f"Unknown kind of auth: {kind}."
        )


def _written(at: datetime, form: str) -> str:
    if form == "iso":
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if form in ("unix", "ms"):
        return str(int(at.timestamp() * (1000 if form == "ms" else 1)))
    return at.strftime(form)


async def _get(
    client: httpx.AsyncClient, url: str, query: Mapping[str, str], headers: Mapping[str, str],
    named: Sequence[Network],
) -> tuple[bytes, str]:  # fmt: skip
    """One answer's body and Link header, from an address that was judged. Raises Fault."""
    target = httpx.URL(url)
    target = target.copy_merge_params(dict(query)) if query else target
    port = target.port or (443 if target.scheme == "https" else 80)
    address = await resolve(target.host, port, named, public=True)
    host = target.netloc.decode("ascii")
    try:
        request = client.build_request(
            "GET", target.copy_with(host=address), headers={**headers, "Host": host},
            extensions={"sni_hostname": target.host},
        )  # fmt: skip
        answer = await client.send(request, stream=True)
        try:
            _check(answer)
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > BODY_MAX_BYTES:
                    raise _too_large()
            return body, answer.headers.get("Link", "")
        finally:
            await answer.aclose()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Fault(
            "no-answer", f"{target.host}이(가) 답하지 않습니다.",
            f"{target.host} does not answer ({type(error).__name__}).",
        ) from error  # fmt: skip


def _too_large() -> Fault:
    return Fault("too-large", "답이 16 MB를 넘습니다. 쪽 크기를 줄이세요.",
                 "The answer is larger than 16 MB. Ask for smaller pages.")  # fmt: skip


def _check(answer: httpx.Response) -> None:
    status = answer.status_code
    if status == 200:
        return
    wait = retry_after(answer.headers.get("Retry-After", ""), datetime.now(UTC))
    if status in (429, 503):
        raise Fault("told-to-wait", f"서버가 기다리라고 합니다({status}).",
                    f"The server asks us to wait ({status}).", wait)  # fmt: skip
    if 300 <= status < 400:
        raise Fault("redirected", "다른 주소로 옮겨졌습니다. 새 주소를 등록하세요.",
                    "It has moved. Register the new address.")  # fmt: skip
    raise Fault("http-error", f"서버가 {status}로 답했습니다. 주소와 인증을 확인하세요.",
                f"The server answers {status}. Check address and credentials.", wait)  # fmt: skip


def retry_after(text: str, now: datetime) -> timedelta | None:
    """RFC 9110 §10.2.3: seconds, or a date."""
    if text.strip().isdigit():
        return timedelta(seconds=int(text.strip()[:9]))
    try:
        told = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return max(told - now, timedelta(0)) if told.tzinfo else None
