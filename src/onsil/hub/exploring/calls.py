"""A call of the NGSI-LD interface, written out: address, curl, body. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import orjson

from onsil.hub.http.gate import Problem, bad_request

PREFIX = "/ngsi-ld/v1"
ENTITIES = f"{PREFIX}/entities"
EVOLUTIONS = f"{PREFIX}/temporal/entities"
QUERY = f"{PREFIX}/entityOperations/query"
EVOLUTION_QUERY = f"{PREFIX}/temporal/entityOperations/query"
TARGET_MAX = 8000
BODY_MAX = 64_000
_ENTITY_PARTS = ("id", "type", "idPattern")
_GEO_PARTS = ("georel", "geometry", "coordinates", "geoproperty")
_TEMPORAL_PARTS = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN")
_AGGREGATION_PARTS = ("aggrMethods", "aggrPeriodDuration")
_LISTS = ("attrs", "pick", "omit", "datasetId")
_OF_THE_ADDRESS = ("limit", "offset", "count", "options", "format", "timezone", "instanceLimit")


@dataclass(frozen=True)
class Call:
    """A GET with parameters in their order, or a POST with a Query as its body."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()
    body: dict[str, Any] | None = None

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"

    @property
    def target(self) -> str:
        """Path and parameters as they go out, readable where an address may be."""
        query = urlencode(self.parameters, quote_via=quote, safe=":;,/~!*()")
        return f"{self.path}?{query}" if query else self.path

    @property
    def said(self) -> str:
        """The same to be read and changed by hand: only what would end a value is encoded."""
        query = "&".join(f"{name}={_spoken(value)}" for name, value in self.parameters)
        return f"{self.path}?{query}" if query else self.path

    @property
    def given(self) -> dict[str, str]:
        return dict(self.parameters)

    @property
    def body_text(self) -> str:
        if self.body is None:
            return ""
        return orjson.dumps(self.body, option=orjson.OPT_INDENT_2).decode()

    def curl(self, broker: str, tenant: str) -> str:
        """The call as one command of a shell."""
        target = f"{broker}{self.target}".replace("'", "%27")
        lines = [f"curl '{target}'", f"-H 'NGSILD-Tenant: {tenant}'"]
        if self.body is not None:
            body = orjson.dumps(self.body).decode().replace("'", "'\\''")
            lines += ["-H 'Content-Type: application/json'", f"-d '{body}'"]
        return " \\\n  ".join(lines)

    def as_query(self) -> "Call":
        """The same as a POST with a Query (§5.2.23)."""
        temporal = self.path == EVOLUTIONS
        given = self.given
        body: dict[str, Any] = {"type": "Query"}
        selector: dict[str, Any] = {n: given[n] for n in _ENTITY_PARTS if n in given}
        if selector:
            if "," in selector.get("id", ""):
                selector["id"] = selector["id"].split(",")
            body["entities"] = [selector]
        body |= {name: given[name].split(",") for name in _LISTS if name in given}
        body |= {name: given[name] for name in ("q", "scopeQ", "lang") if name in given}
        geo: dict[str, Any] = {name: given[name] for name in _GEO_PARTS if name in given}
        if geo:
            body["geoQ"] = geo | {"coordinates": orjson.loads(geo["coordinates"])}
        if temporal:
            asked: dict[str, Any] = {n: given[n] for n in _TEMPORAL_PARTS if n in given}
            if "lastN" in asked:
                asked["lastN"] = int(asked["lastN"])
            body["temporalQ"] = asked
            cut: dict[str, Any] = {n: given[n] for n in _AGGREGATION_PARTS if n in given}
            if cut:
                body["aggrParams"] = cut | {"aggrMethods": cut["aggrMethods"].split(",")}
        rest = tuple((n, v) for n, v in self.parameters if n in _OF_THE_ADDRESS)
        return Call(EVOLUTION_QUERY if temporal else QUERY, rest, body)


def _spoken(value: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in "%&+#" else c for c in value)


def call_of(method: str, target: str, body: str = "") -> Call:
    """A call as somebody typed it; a whole address is taken, too. Raises Problem."""
    if len(target) > TARGET_MAX or len(body) > BODY_MAX:
        raise bad_request("the call is too long")
    parts = urlsplit(target.strip())
    if not parts.path.startswith(f"{PREFIX}/"):
        raise bad_request(f"a call begins with {PREFIX}/")
    parameters = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if method == "GET":
        return Call(parts.path, parameters)
    if method != "POST":
        raise Problem(405, "OperationNotSupported", "GET and POST only")
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"the body is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise bad_request("the body is an object of type Query")
    return Call(parts.path, parameters, given)


def without_empty(parameters: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in parameters if value)
