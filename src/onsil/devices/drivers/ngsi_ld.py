"""NGSI-LD entities as messages: every numeric Property with a value becomes a reading."""

from collections.abc import Iterator

from onsil.devices.drivers.json_payload import malformed, parse_json
from onsil.devices.terms import Frame
from onsil.hub import DocumentError, Reading
from onsil.hub.contexts import CORE, ContextError, compile_context
from onsil.hub.documents import Document, parse_entity, parse_time


class NgsiLdPayload:
    """`ngsi-ld`: one entity or a list of them, in any of NGSI-LD's representations."""

    name = "ngsi-ld"
    title_ko = "NGSI-LD 개체"
    title_en = "NGSI-LD entities"

    def decode(self, frame: Frame) -> list[Reading]:
        """The numeric values; times come from `observedAt`, or else from the arrival."""
        body = parse_json(frame.payload)
        try:
            parsed = [
                parse_entity(raw, compile_context(raw.get("@context")))
                if isinstance(raw, dict)
                else parse_entity(raw)
                for raw in (body if isinstance(body, list) else [body])
            ]
        except (DocumentError, ContextError) as error:
            raise malformed(str(error)) from None
        made = [reading for document in parsed for reading in self._readings(frame, document)]
        if not made:
            raise malformed("no Property with a number in it")
        return made

    def _readings(self, frame: Frame, document: Document) -> Iterator[Reading]:
        for iri, instances in document.attrs.items():
            for one in instances:
                value = one.get("value")
                if "datasetId" in one or isinstance(value, bool):
                    continue
                if one["type"] != "Property" or not isinstance(value, int | float):
                    continue
                at = parse_time(one["observedAt"]) if "observedAt" in one else frame.received_at
                unit = str(one.get("unitCode", ""))
                yield Reading(document.uri, CORE.term(iri), at, value, unit, frame.received_at)
