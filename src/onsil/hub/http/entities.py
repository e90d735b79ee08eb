"""Entities and their attributes: GS CIM 009 V1.9.1 §5.6.1-10, §6.4-6.7, §6.15."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.documents import Document, DocumentError, parse_entity, render
from onsil.hub.entities import delete_entity, upsert_documents
from onsil.hub.http.asking import Asked, answer, listed
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import (
    ERRORS,
    Problem,
    Writer,
    bad_data,
    bad_request,
    not_found,
)
from onsil.hub.query.finding import Found
from onsil.hub.query.finding import retrieve as retrieve_entity
from onsil.hub.writing import create, delete_attribute, patch, record_attributes

BATCH_MAX = 1000


def routes(door: Door) -> list[Route]:
    """The routes of entities, their attributes, batches and types."""
    own = _Entities(door)
    entity, attrs = f"{PREFIX}/entities/{{id}}", f"{PREFIX}/entities/{{id}}/attrs"
    return [
        Route(f"{PREFIX}/entities", own.create, methods=["POST"]),
        Route(entity, own.retrieve, methods=["GET"]),
        Route(entity, own.merge, methods=["PATCH"]),
        Route(entity, own.delete, methods=["DELETE"]),
        Route(attrs, own.append, methods=["POST"]),
        Route(attrs, own.update, methods=["PATCH"]),
        Route(attrs + "/{attribute}", own.update_one, methods=["PATCH"]),
        Route(attrs + "/{attribute}", own.delete_one, methods=["DELETE"]),
        Route(f"{PREFIX}/entityOperations/upsert", own.upsert, methods=["POST"]),
    ]


def shown(found: Found, form: Asked, attrs: list[str]) -> dict[str, Any]:
    """An entity the way it was asked for."""
    only = frozenset(form.context.iri(a) for a in attrs) if attrs else None
    return render(
        found.document, form.context, form.representation, attrs=only,
        system=form.system,
    )  # fmt: skip


def _allowed(writer: Writer, uri: str) -> None:
    if "*" not in writer.entities and uri not in writer.entities:
        raise Problem(
            403, "OperationNotSupported", "The token does not cover this entity",
            f"기기 {writer.device_id}은(는) 이 개체에 쓸 수 없습니다. /"
            f" The device {writer.device_id} may not write for {uri}.",
        )  # fmt: skip


class _Entities:
    """The entity operations, one method each."""

    def __init__(self, door: Door) -> None:
        self.door, self.gate, self.clock = door, door.gate, door.clock

    async def retrieve(self, request: Request) -> Response:
        """GET /entities/{id}."""
        form, city, uri = (
            self.door.asked(request),
            self.door.tenant(request),
            request.path_params["id"],
        )

        found = await self.door.db.read(
            city, retrieve_entity(city, uri, known=self.door.terms, now=self.clock.now())
        )
        if found is None:
            raise not_found(uri)
        attrs = listed(request, "attrs")
        body = shown(found, form, attrs)
        if attrs and not any(form.context.iri(a) in found.document.attrs for a in attrs):
            raise not_found(f"{uri} has none of {', '.join(attrs)}")
        return answer(body, form)

    async def _document(self, request: Request, uri: str = "") -> tuple[Writer, Document]:
        """Who writes, and what: the body as a document."""
        writer = await self.door.writer(request)
        body, context = await self.door.body(request)
        document = parse_entity(body, context, partial=bool(uri))
        if uri and document.uri and document.uri != uri:
            raise bad_data("the body's id is not the path's")
        document.uri = uri or document.uri
        _allowed(writer, document.uri)
        return writer, document

    async def create(self, request: Request) -> Response:
        """POST /entities: 201, or 409 when the id is taken."""
        writer, document = await self._document(request)

        def work() -> bool:
            with self.gate.connection(writer.city) as conn:
                return create(conn, writer.city, document, self.clock)

        if not await run_in_threadpool(work):
            raise Problem(409, "AlreadyExists", "There is an entity with this id", document.uri)
        return Response(status_code=201, headers={"Location": f"{PREFIX}/entities/{document.uri}"})

    async def _patch(self, request: Request, **how: bool) -> Response:
        uri = request.path_params["id"]
        writer, change = await self._document(request, uri)

        def work() -> tuple[list[str], list[str]] | None:
            with self.gate.connection(writer.city) as conn:
                return patch(conn, writer.city, change, self.clock, **how)

        done = await run_in_threadpool(work)
        if done is None:
            raise not_found(uri)
        updated, left = done
        if not left:
            return Response(status_code=204)
        term = self.door.asked(request).context.term
        reason = "it is not there" if how.get("only_existing") else "it is there already"
        body = {
            "updated": [term(iri) for iri in updated],
            "notUpdated": [{"attributeName": term(iri), "reason": reason} for iri in left],
        }
        return answer(body, self.door.asked(request), 207)

    async def merge(self, request: Request) -> Response:
        """PATCH /entities/{id}: merge; `urn:ngsi-ld:null` removes an attribute."""
        return await self._patch(request)

    async def append(self, request: Request) -> Response:
        """POST /entities/{id}/attrs: add, and overwrite unless options=noOverwrite."""
        options = request.query_params.get("options", "").split(",")
        return await self._patch(request, overwrite="noOverwrite" not in options)

    async def update(self, request: Request) -> Response:
        """PATCH /entities/{id}/attrs: only attributes that are there."""
        return await self._patch(request, only_existing=True)

    async def update_one(self, request: Request) -> Response:
        """PATCH /entities/{id}/attrs/{attribute}."""
        uri, name = request.path_params["id"], request.path_params["attribute"]
        writer = await self.door.writer(request)
        _allowed(writer, uri)
        body, context = await self.door.body(request)
        if isinstance(body, dict):
            body.pop("@context", None)
        change = parse_entity({name: body}, context, partial=True)
        change.uri = uri

        def work() -> tuple[list[str], list[str]] | None:
            with self.gate.connection(writer.city) as conn:
                return patch(conn, writer.city, change, self.clock, only_existing=True)

        done = await run_in_threadpool(work)
        if done is None or done[1]:
            raise not_found(f"{uri} {name}")
        return Response(status_code=204)

    async def delete_one(self, request: Request) -> Response:
        """DELETE /entities/{id}/attrs/{attribute}."""
        uri, name = request.path_params["id"], request.path_params["attribute"]
        writer = await self.door.writer(request)
        _allowed(writer, uri)
        iri = self.door.asked(request).context.iri(name)

        def work() -> bool:
            with self.gate.connection(writer.city) as conn:
                return delete_attribute(conn, writer.city, uri, iri, self.clock)

        if not await run_in_threadpool(work):
            raise not_found(f"{uri} {name}")
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """DELETE /entities/{id}: refused (409) for an entity that has measured series."""
        uri = request.path_params["id"]
        writer = await self.door.writer(request)
        _allowed(writer, uri)

        def work() -> bool:
            with self.gate.connection(writer.city) as conn:
                return delete_entity(conn, writer.city, uri)

        if not await run_in_threadpool(work):
            raise not_found(uri)
        return Response(status_code=204)

    async def upsert(self, request: Request) -> Response:
        """POST /entityOperations/upsert: 201 with the new ids, 204, or 207 with errors by item."""
        writer = await self.door.writer(request)
        body, _ = await self.door.body(request)
        if not isinstance(body, list) or not 0 < len(body) <= BATCH_MAX or None in body:
            raise bad_request(f"a list of 1 to {BATCH_MAX} entities is wanted")
        good, errors = await self._sorted_out(request, body, writer)
        replace = "update" not in request.query_params.get("options", "").split(",")

        def work() -> list[str]:
            with self.gate.connection(writer.city) as conn:
                done = upsert_documents(conn, writer.city, good, replace=replace, clock=self.clock)
                record_attributes(conn, writer.city, good, self.clock)
                return list(dict.fromkeys(one.uri for one in done if one.created))

        created = await run_in_threadpool(work) if good else []
        if errors:
            success = list(dict.fromkeys(d.uri for d in good))
            return answer({"success": success, "errors": errors}, self.door.asked(request), 207)
        return (
            answer(created, self.door.asked(request), 201) if created else Response(status_code=204)
        )

    async def _sorted_out(
        self, request: Request, body: list[Any], writer: Writer
    ) -> tuple[list[Document], list[dict[str, Any]]]:
        """A batch's readable entities, and an error for each of the others."""
        good: list[Document] = []
        errors: list[dict[str, Any]] = []
        for raw in body:
            try:
                document = parse_entity(raw, await self.door.context_of(request, raw))
                _allowed(writer, document.uri)
                good.append(document)
            except (DocumentError, Problem) as error:
                kind, detail = "BadRequestData", str(error)
                if isinstance(error, Problem):
                    kind, detail = error.kind, error.detail or error.title
                uri = raw.get("id", "") if isinstance(raw, dict) else ""
                errors.append(
                    {
                        "entityId": uri,
                        "error": {"type": ERRORS + kind, "title": detail, "status": 400},
                    }
                )
        return good, errors
