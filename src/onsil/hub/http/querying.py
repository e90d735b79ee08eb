"""Querying entities: GS CIM 009 V1.9.1 §5.7.2, §6.4.3.2 (GET) and §6.23 (POST)."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.contexts import Context
from onsil.hub.documents import (
    Document,
    Selection,
    check_name,
    feature_collection,
    parse_languages,
    render,
    render_feature,
)
from onsil.hub.http.amending import answer_entities
from onsil.hub.http.asking import LIMIT_MAX, Asked, answer, is_counted, number
from onsil.hub.http.criteria import Criteria, from_parameters, from_query
from onsil.hub.http.distributing import Spread
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.entity_maps import (
    HEADER,
    PATH,
    Read,
    asks_for_map,
    made_answer,
    map_query,
    page_of,
    place,
    referenced,
)
from onsil.hub.http.gate import bad_data
from onsil.hub.http.gathering import Page, query_spread
from onsil.hub.http.rendered import Rendered, is_plain, rendered_page
from onsil.hub.query.filters import Filter
from onsil.hub.query.finding import Found, count, find
from onsil.hub.query.joining import flat, inline, linked_entities
from onsil.hub.query.q import parse_q
from onsil.hub.steps import Steps

LIMIT = 20
OFFSET_MAX = 10_000_000
_NONE = object()  # no body: what is looked for is in the parameters


def routes(door: Door) -> list[Route]:
    """The routes of queries."""
    own = _Querying(door)
    return [
        Route(f"{PREFIX}/entities", own.query, methods=["GET"]),
        Route(f"{PREFIX}/entityOperations/query", own.query_by_body, methods=["POST"]),
        Route(PATH, own.map, methods=["GET"]),
        Route(PATH, own.map_by_body, methods=["POST"]),
    ]


class _Querying:
    """Both ways to ask the same."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._rendered = Rendered()

    async def query(self, request: Request) -> Response:
        """GET /entities."""
        form = self.door.asked(request, geo=True)
        return await self._answer(request, self._criteria(request, form), form)

    async def query_by_body(self, request: Request) -> Response:
        """POST /entityOperations/query."""
        body, context = await self.door.body(request)
        form = self.door.asked(request, geo=True)._replace(context=context)
        return await self._answer(request, self._criteria(request, form, body), form, body)

    async def map(self, request: Request) -> Response:
        """GET /entityMaps: the map of a query (§5.14.4)."""
        form = self.door.asked(request)
        return await self._map(request, self._criteria(request, form), form)

    async def map_by_body(self, request: Request) -> Response:
        """POST /entityMaps: the map of a Query."""
        body, context = await self.door.body(request)
        form = self.door.asked(request)._replace(context=context)
        return await self._map(request, self._criteria(request, form, body), form, body)

    def _criteria(self, request: Request, form: Asked, body: Any = _NONE) -> Criteria:
        """What is looked for, by parameters or a Query. Raises Problem for what is too wide."""
        if body is not _NONE:
            criteria = from_query(body, form.context)
            if not criteria.narrow and request.query_params.get("local") != "true":
                raise bad_data("too wide: give entities, attrs, q or geoQ")
            return criteria
        criteria = from_parameters(request.query_params, form.context)
        local = request.query_params.get("local")
        if local not in (None, "true", "false"):
            raise bad_data("local is true or false")
        if criteria.every_type and local == "false":
            raise bad_data("type=* is for the local entities")
        if not criteria.narrow and local != "true":
            raise bad_data("too wide: give type, attrs, q or georel, or local=true")
        return criteria

    async def _map(
        self, request: Request, criteria: Criteria, form: Asked, body: Any = None
    ) -> Response:
        city = self.door.tenant(request)
        spread = await self._spread(request, city, form, body)
        read = self._reader(city, criteria, spread, body)
        one = await map_query(self.door, request, city, read, criteria.filter, spread)
        response = made_answer(one, form)
        return spread.warned(response) if spread else response

    def _reader(self, city: str, criteria: Criteria, spread: Spread | None, body: Any) -> Read:
        """Reads pages of the query with other filters: those of a map's entities."""

        async def read(wanted: Filter, limit: int, offset: int, counted: bool) -> Page:
            narrower = criteria._replace(filter=wanted)
            if spread is None:
                steps = self._page(city, narrower, limit, offset, counted=counted, joined=False)
                return (await self.door.db.read(city, steps))[0]
            return await query_spread(
                spread, narrower, limit, offset, counted=counted, known=self.door.terms, body=body
            )

        return read

    async def _answer(
        self, request: Request, criteria: Criteria, form: Asked, body: Any = None
    ) -> Response:
        limit = number(request, "limit", LIMIT, 0, LIMIT_MAX)
        offset = number(request, "offset", 0, 0, OFFSET_MAX)
        counted = is_counted(request)
        if limit == 0 and not counted:
            raise bad_data("limit=0 goes with count=true")
        geometry = geometry_of(request, form)
        city = self.door.tenant(request)

        spread = await self._spread(request, city, form, body)
        headers: dict[str, str] = {}
        status = 200
        if asks_for_map(request):
            read = self._reader(city, criteria, spread, body)
            one = await referenced(self.door, request, city)
            if one is None:
                status = 201
                one = await map_query(self.door, request, city, read, criteria.filter, spread)
            headers[HEADER] = place(one)
            page, total, more = await page_of(
                self.door, city, one, read, criteria.filter, limit, offset, counted=counted
            )
            linked = await self.door.db.read(city, self._linked(city, criteria, page))
        elif spread is None and is_plain(criteria, form) and "lang" not in request.query_params:
            texts, total, more = await self.door.db.read(city, rendered_page(
                self._rendered, city, criteria, form, limit, offset, counted=counted,
                known=self.door.terms, now=self.door.clock.now(),
            ))  # fmt: skip
            if body is None:
                headers = page_links(request, limit, offset, more=more, media=form.media)
            return answer(texts, form, headers=_counted(headers, total))
        elif spread is None:
            steps = self._page(city, criteria, limit, offset, counted=counted)
            (page, total, more), linked = await self.door.db.read(city, steps)
        else:
            page, total, more = await query_spread(
                spread, criteria, limit, offset, counted=counted, known=self.door.terms, body=body
            )
            linked = await self.door.db.read(city, self._linked(city, criteria, page))
        languages = parse_languages(criteria.lang or request.query_params.get("lang"))
        shown = show(page, linked, criteria, form, languages, geometry)
        if body is None:
            headers |= page_links(request, limit, offset, more=more, media=form.media)
        response = answer_entities(shown, form, status, _counted(headers, total))
        return spread.warned(response) if spread else response

    async def _spread(self, request: Request, city: str, form: Asked, body: Any) -> Spread | None:
        """The context sources to be asked, too (§5.7.2.4)."""
        given = request.query_params if body is None else body
        csf = parse_q(given["csf"], form.context) if given.get("csf") else None
        datasets = given.get("datasetId") or []
        names = datasets.split(",") if isinstance(datasets, str) else datasets
        return await self.door.sources.of(
            request, city, ("queryEntity", "queryBatch"), csf=csf, datasets=frozenset(names),
            context=form.context,
        )  # fmt: skip

    def _page(
        self,
        city: str,
        criteria: Criteria,
        limit: int,
        offset: int,
        *,
        counted: bool,
        joined: bool = True,
    ) -> Steps[tuple[Page, dict[str, Found]]]:
        """A page of the entities held here, and those linked to them."""
        now, known = self.door.clock.now(), self.door.terms
        # One more than the page tells whether there is a next one.
        found: list[Found] = []
        if limit:
            found = yield from find(city, criteria.filter, limit + 1, offset, known=known, now=now)
        total = None
        if counted:
            total = yield from count(city, criteria.filter, known=known, now=now)
        page = Page(found[:limit], total, len(found) > limit)
        return page, (yield from self._linked(city, criteria, page.found)) if joined else {}

    def _linked(
        self, city: str, criteria: Criteria, page: Sequence[Found]
    ) -> Steps[dict[str, Found]]:
        if not criteria.join:
            return {}
        return (
            yield from linked_entities(
                city, [one.document for one in page], criteria.selection, criteria.level,
                without=criteria.contained_by, known=self.door.terms,
            )
        )  # fmt: skip


def _counted(headers: dict[str, str], total: int | None) -> dict[str, str]:
    """The headers with how many entities fit in all, if that was asked for (§6.3.13)."""
    return headers if total is None else headers | {"NGSILD-Results-Count": str(total)}


def geometry_of(request: Request, form: Asked) -> str | None:
    """The IRI of the GeoProperty that is a Feature's geometry; None unless GeoJSON is wanted.

    Raises Problem (§5.7.2.4: geometryProperty goes with GeoJSON only).
    """
    name = request.query_params.get("geometryProperty")
    if form.geo_json:
        return check_name(name or "location", form.context)
    if name:
        raise bad_data("geometryProperty goes with Accept: application/geo+json")
    return None


def show(
    found: Sequence[Found], linked: dict[str, Found], criteria: Criteria, form: Asked,
    languages: Sequence[str], geometry: str | None,
) -> Any:  # fmt: skip
    """The entities in the form asked for."""
    documents = [one.document for one in found]
    if geometry is not None:
        return feature_collection(
            feature_of(document, criteria, form, languages, geometry) for document in documents
        )

    def rendered(document: Document, selection: Selection) -> dict[str, Any]:
        return render(
            document, form.context, form.representation, attrs=criteria.attrs,
            selection=selection, languages=languages, datasets=criteria.datasets,
            system=form.system,
        )  # fmt: skip

    if criteria.join == "flat":
        return flat(documents, linked, criteria.selection, criteria.level, rendered)
    if criteria.join == "inline":
        return [
            inline(
                document, linked, criteria.selection, criteria.level, rendered, form.context,
                simplified=form.representation == "simplified",
            )
            for document in documents
        ]  # fmt: skip
    return [rendered(document, criteria.selection) for document in documents]


def feature_of(
    document: Document, criteria: Criteria, form: Asked, languages: Sequence[str], geometry: str
) -> dict[str, Any]:
    """One entity as a GeoJSON Feature."""
    dataset = next(iter(criteria.datasets), None) if criteria.datasets else None
    return render_feature(
        document, geometry, form.context, form.representation, dataset_id=dataset,
        attrs=criteria.attrs, selection=criteria.selection, languages=languages,
        datasets=criteria.datasets, system=form.system,
    )  # fmt: skip


def page_links(
    request: Request, limit: int, offset: int, *, more: bool, media: str
) -> dict[str, str]:
    """The Link header to the pages before and after (§6.3.10)."""
    links = []
    path = request.scope.get("app_root_path", "") + request.scope["path"].rstrip("/")
    for rel, at, there in (
        ("prev", max(0, offset - limit), offset > 0 and limit > 0),
        ("next", offset + limit, more),
    ):
        if there:
            given = request.query_params.multi_items()
            held = [(n, v) for n, v in given if n not in ("limit", "offset", "entityMap")]
            held = sorted([*held, ("limit", str(limit)), ("offset", str(at))])
            query = "&".join(f"{name}={_kept(value)}" for name, value in held)
            links.append(f'<{path}?{query}>;rel="{rel}";type="{media}"')
    return {"Link": ", ".join(links)} if links else {}


def _kept(value: str) -> str:
    """A parameter's value in a link: readable, but for what would end it or the link."""
    from urllib.parse import quote

    return quote(value, safe=":/*.,;!$'()@~[]{}=|")


__all__ = ["Context", "routes", "show"]
