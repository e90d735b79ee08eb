"""The catalogue at CKAN's addresses: /catalog.ttl, /dataset/{id}.ttl, and the data sets' files.

Without an extension the Accept header chooses the form. These are for harvesters and for people
with curl; the tenant is chosen as in NGSI-LD.
"""

from datetime import date
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from onsil.hub.catalogue.formats import FORMATS
from onsil.hub.datasets.access import EVERYTHING
from onsil.hub.datasets.content import ENTITIES_MAX, Table, entities_of, table_of
from onsil.hub.datasets.downloads import FILES, FORMS, as_geojson
from onsil.hub.datasets.measuring import MEASURED_FOR, quality_by_day
from onsil.hub.datasets.registry import Dataset
from onsil.hub.datasets.store import Entry, catalogue_of, count_use, dataset, datasets_of
from onsil.hub.documents import Document
from onsil.hub.http.contexts import address_of
from onsil.hub.http.database import VIEW
from onsil.hub.http.door import Door
from onsil.hub.http.gate import Problem, not_found

if TYPE_CHECKING:
    from onsil.hub.catalogue.dcat import Addresses


def routes(door: Door) -> list[Route]:
    """The routes of the catalogue."""
    own = _Catalogue(door)
    return [
        Route("/catalog", own.catalogue, methods=["GET"]),
        *(Route(f"/catalog.{form}", own.catalogue, methods=["GET"]) for form in FORMATS),
        Route("/dataset/{id}", own.dataset, methods=["GET"]),
        *(Route(f"/dataset/{{id}}/data.{form}", own.download, methods=["GET"]) for form in FORMS),
    ]


class _Catalogue:
    def __init__(self, door: Door) -> None:
        self.door = door

    async def catalogue(self, request: Request) -> Response:
        """GET /catalog.{ttl,jsonld,rdf}."""
        from onsil.hub.catalogue.dcat import describe, serialize

        city = self.door.tenant(request)
        catalogue = await self.door.db.read(city, catalogue_of(city))
        entries = await self.door.db.read(city, datasets_of(city))
        measured = await self.door.db.read(city, quality_by_day(city, self._since()))
        at = _addresses(request, city)
        graph = await run_in_threadpool(describe, catalogue, entries, at, quality=measured)
        _, _, form = request.url.path.strip("/").partition(".")
        return _answer(*await run_in_threadpool(serialize, graph, form or _accepted(request)))

    async def dataset(self, request: Request) -> Response:
        """GET /dataset/{id}.{ttl,jsonld,rdf}."""
        from onsil.hub.catalogue.dcat import describe, serialize

        city = self.door.tenant(request)
        id, _, form = request.path_params["id"].partition(".")
        if form and form not in FORMATS:
            raise not_found(f"a description is one of {', '.join(FORMATS)}, not {form[:20]!r}")
        entry = await self._entry(city, id)
        catalogue = await self.door.db.read(city, catalogue_of(city))
        measured = await self.door.db.read(city, quality_by_day(city, self._since(), id))
        at = _addresses(request, city)
        graph = describe(catalogue, [entry], at, whole=False, quality=measured)
        return _answer(*serialize(graph, form or _accepted(request)))

    async def download(self, request: Request) -> Response:
        """GET /dataset/{id}/data.{csv,parquet,geojson,xlsx}: the newest values, bounded."""
        city, now = self.door.tenant(request), self.door.clock.now()
        form = request.url.path.rsplit(".", 1)[1].rstrip("/")
        entry = await self._entry(city, request.path_params["id"])
        one = entry.dataset
        if not one.open and VIEW.get() not in (one.id, EVERYTHING):
            raise _closed(one)
        headers = {"Content-Disposition": f'attachment; filename="{one.id}.{form}"'}
        media = FORMS[form].media
        if request.method == "HEAD":
            return Response(headers=headers, media_type=media)
        await self.door.db.write(city, lambda: count_use(city, one.id, form, now))
        if form == "geojson":
            steps = entities_of(city, one, ENTITIES_MAX, now)
            documents: list[Document] = await self.door.db.read(city, steps)
            made = await run_in_threadpool(as_geojson, one, documents)
            return Response(made, headers=headers, media_type=media)
        table = await self.door.db.read(city, table_of(city, one, now))
        if table.cut:
            headers["NGSILD-Warning"] = '199 onsil "cut to the newest values"'
        if form == "csv":
            return _streamed(table, one, headers, media)
        made = await run_in_threadpool(lambda: b"".join(FILES[form](table, one)))
        return Response(made, headers=headers, media_type=media)

    def _since(self) -> date:
        return self.door.clock.now().date() - MEASURED_FOR

    async def _entry(self, city: str, id: str) -> Entry:
        found = await self.door.db.read(city, dataset(city, id))
        if found is None:
            raise not_found(f"there is no data set {id[:60]!r}")
        return found


def _closed(one: Dataset) -> Problem:
    return Problem(
        401, "Unauthorized", "This data set is read with a key",
        f"이 데이터는 신청하고 승인받은 뒤 열쇠로 읽습니다. / Ask for {one.id} at /data/{one.id}/"
        " on the city's site, and send the key as Bearer.",
        WWW_Authenticate='Bearer realm="onsil"',
    )  # fmt: skip


def _streamed(table: Table, one: Dataset, headers: dict[str, str], media: str) -> Response:
    pieces = FILES["csv"](table, one)
    return StreamingResponse(pieces, headers=headers, media_type=media)


def _addresses(request: Request, city: str) -> "Addresses":
    from onsil.hub.catalogue.dcat import Addresses

    base = address_of(request)
    return Addresses(
        catalogue=f"{base}/catalog",
        dataset=lambda id: f"{base}/dataset/{id}",
        download=lambda id, form: f"{base}/dataset/{id}/data.{form}",
        broker=base,
        tenant=city,
    )


def _accepted(request: Request) -> str:
    accepted = request.headers.get("accept", "")
    return next((form for form, (media, _) in FORMATS.items() if media in accepted), "ttl")


def _answer(content: bytes, media: str) -> Response:
    return Response(content, media_type=media, headers={"Vary": "Accept"})
