"""The city's carbon records as data sets of its catalogue (DCAT-AP 3.0.1, by rdflib). Pure.

Credits and retirements, factor sets, methodologies and sealed inventories are no data sets of hub
entities; here they are described in the same vocabulary and belong to the same dcat:Catalog. No
licence is stated for them: none has been given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, FOAF, RDF, RDFS, SKOS
from rdflib.term import IdentifiedNode

from onsil.hub.catalogue.dcat import DCAT
from onsil.hub.datasets.registry import Said

_EU = "http://publications.europa.eu/resource/authority/"
_IANA = "https://www.iana.org/assignments/media-types/"
# Media type → the European Union's file type.
_TYPES = {
    "application/json": "JSON", "text/csv": "CSV", "application/zip": "ZIP", "text/html": "HTML",
}  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """One data set: what it is called and where it can be had, media type by address."""

    id: str
    title: Said
    description: Said
    keywords: tuple[Said, ...]
    files: Mapping[str, str]
    page: str = ""
    conforms_to: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Whose records these are, and where: the catalogue they belong to, the publisher, the API."""

    catalogue: str
    records: str
    publisher: Said
    region: Said
    endpoint: str
    description: str


def add_records(graph: Graph, place: Place, offers: Sequence[Offer]) -> None:
    """Describe the data sets and their interface, and put them into the catalogue."""
    catalogue = URIRef(place.catalogue)
    publisher = graph.value(catalogue, DCTERMS.publisher)
    if not isinstance(publisher, IdentifiedNode):
        publisher = _agent(graph, place.publisher)
    service = URIRef(f"{place.records}#interface")
    for one in offers:
        node = _dataset(graph, place, one, publisher)
        graph.add((catalogue, DCAT.dataset, node))
        graph.add((service, DCAT.servesDataset, node))
    _say(graph, service, DCTERMS.title, Said("탄소 등록부 API", "Carbon registry API"))
    for predicate, value in (
        (RDF.type, DCAT.DataService),
        (DCAT.endpointURL, _typed(graph, place.endpoint, RDFS.Resource)),
        (DCAT.endpointDescription, _typed(graph, place.description, RDFS.Resource)),
        (DCTERMS.publisher, publisher),
    ):
        graph.add((service, predicate, value))
    graph.add((catalogue, DCAT.service, service))


def records_alone(place: Place, title: Said, description: Said, offers: Sequence[Offer]) -> Graph:
    """The same data sets as a catalogue by itself."""
    graph = Graph()
    for prefix, space in (("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF)):
        graph.bind(prefix, space)
    catalogue = _typed(graph, place.catalogue, DCAT.Catalog)
    _say(graph, catalogue, DCTERMS.title, title)
    _say(graph, catalogue, DCTERMS.description, description)
    graph.add((catalogue, DCTERMS.publisher, _agent(graph, place.publisher)))
    add_records(graph, place, offers)
    return graph


def _dataset(graph: Graph, place: Place, one: Offer, publisher: IdentifiedNode) -> URIRef:
    node = _typed(graph, f"{place.records}#{one.id}", DCAT.Dataset)
    _say(graph, node, DCTERMS.title, one.title)
    _say(graph, node, DCTERMS.description, one.description)
    for word in one.keywords:
        _say(graph, node, DCAT.keyword, word)
    theme = _typed(graph, f"{_EU}data-theme/ENVI", SKOS.Concept)
    where = BNode()
    _say(graph, where, SKOS.prefLabel, place.region)
    for subject, predicate, value in (
        (node, DCTERMS.identifier, Literal(one.id)),
        (node, DCTERMS.publisher, publisher),
        (node, DCAT.theme, theme),
        (theme, SKOS.prefLabel, Literal("ENVI", lang="en")),
        (node, DCTERMS.spatial, where),
        (where, RDF.type, DCTERMS.Location),
        (node, DCTERMS.accessRights,
         _typed(graph, f"{_EU}access-right/PUBLIC", DCTERMS.RightsStatement)),
    ):  # fmt: skip
        graph.add((subject, predicate, value))
    for uri, name in one.conforms_to.items():
        standard = _typed(graph, uri, DCTERMS.Standard)
        graph.add((standard, DCTERMS.title, Literal(name, lang="en")))
        graph.add((node, DCTERMS.conformsTo, standard))
    if one.page:
        graph.add((node, DCAT.landingPage, _typed(graph, one.page, FOAF.Document)))
    for address, media in one.files.items():
        graph.add((node, DCAT.distribution, _distribution(graph, one, address, media)))
    return node


def _distribution(graph: Graph, one: Offer, address: str, media: str) -> URIRef:
    node = _typed(graph, f"{address}#distribution", DCAT.Distribution)
    file = address.rstrip("/").rpartition("/")[2]
    _say(graph, node, DCTERMS.title, Said(f"{one.title.ko} ({file})", f"{one.title.en} ({file})"))
    where = _typed(graph, address, RDFS.Resource)
    for predicate, value in (
        (DCAT.accessURL, where),
        (DCAT.downloadURL, where),
        (DCAT.mediaType, _typed(graph, _IANA + media, DCTERMS.MediaType)),
        (DCTERMS["format"],
         _typed(graph, f"{_EU}file-type/{_TYPES[media]}", DCTERMS.MediaTypeOrExtent)),
    ):  # fmt: skip
        graph.add((node, predicate, value))
    return node


def _typed(graph: Graph, uri: str, kind: URIRef) -> URIRef:
    node = URIRef(uri)
    graph.add((node, RDF.type, kind))
    return node


def _agent(graph: Graph, said: Said) -> IdentifiedNode:
    agent = BNode()
    graph.add((agent, RDF.type, FOAF.Agent))
    _say(graph, agent, FOAF.name, said)
    return agent


def _say(graph: Graph, subject: IdentifiedNode, predicate: URIRef, said: Said) -> None:
    graph.add((subject, predicate, Literal(said.ko, lang="ko")))
    graph.add((subject, predicate, Literal(said.en, lang="en")))
