"""In which forms the catalogue is told, apart from the making, which takes long to load."""

from collections.abc import Mapping

# By extension: the media type, and what rdflib calls it.
FORMATS: Mapping[str, tuple[str, str]] = {
    "ttl": ("text/turtle", "turtle"),
    "jsonld": ("application/ld+json", "json-ld"),
    "rdf": ("application/rdf+xml", "pretty-xml"),
}
