"""The core @context (GS CIM 009 V1.9.1 annex B): its terms, and what of it names no attribute."""

import re
from importlib.resources import files

import orjson

NGSI_LD = "https://uri.etsi.org/ngsi-ld/"
DEFAULT_VOCABULARY = NGSI_LD + "default-context/"
CORE_CONTEXT = NGSI_LD + "v1/ngsi-ld-core-context-v1.9.jsonld"
IS_CORE = re.compile(re.escape(NGSI_LD) + r"v1/ngsi-ld-core-context(-v\d+\.\d+)?\.jsonld").fullmatch
BUNDLED = files("onsil.hub.contexts") / "bundled"


def _terms() -> dict[str, str]:
    raw = orjson.loads((BUNDLED / CORE_CONTEXT.rsplit("/", 1)[1]).read_bytes())["@context"]
    prefixes = {"ngsi-ld": NGSI_LD, "geojson": raw["geojson"]}
    made: dict[str, str] = dict(prefixes)
    for name, meaning in raw.items():
        iri = meaning["@id"] if isinstance(meaning, dict) else meaning
        if name.startswith("@") or not isinstance(iri, str) or iri.startswith("@"):
            continue
        prefix, colon, rest = iri.partition(":")
        if colon:
            made[name] = prefixes[prefix] + rest if prefix in prefixes else iri
        else:
            made[name] = DEFAULT_VOCABULARY + iri
    return made


CORE_TERMS = _terms()
CORE_PREFIXES = {"ngsi-ld": NGSI_LD, "geojson": CORE_TERMS["geojson"]}
