"""Data sets as DCAT-AP 3.0.1 (https://semiceu.github.io/DCAT-AP/releases/3.0.1/), by rdflib. Pure.

The catalogue is a dcat:Catalog, each data set a dcat:Dataset with a distribution for every way to
get it, the broker a dcat:DataService. Themes, frequencies and file types are the European Union's
authority tables. Lineage is PROV-O's prov:wasDerivedFrom, quality the Data Quality Vocabulary's
measurements (https://www.w3.org/TR/vocab-dqv/).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from rdflib import BNode, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, FOAF, RDF, RDFS, SKOS, XSD
from rdflib.term import IdentifiedNode, Node

from onsil.hub.catalogue.formats import FORMATS
from onsil.hub.contexts import CORE_CONTEXT
from onsil.hub.datasets.downloads import FORMS, Form, forms_of
from onsil.hub.datasets.quality import Indicator
from onsil.hub.datasets.registry import Catalogue, Dataset, Said
from onsil.hub.datasets.store import Entry

DCAT = Namespace("http://www.w3.org/ns/dcat#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
DQV = Namespace("http://www.w3.org/ns/dqv#")
PROV = Namespace("http://www.w3.org/ns/prov#")
# An indicator's own address: the ISO standard's measures have none, so they are named, not linked.
_METRICS = "urn:onsil:quality:"
Quality = Mapping[str, Mapping[date, Sequence[Indicator]]]
_EU = "http://publications.europa.eu/resource/authority/"
_IANA = "https://www.iana.org/assignments/media-types/"
# What the broker's interface follows: ETSI GS CIM 009 V1.9.1.
NGSI_LD = "https://www.etsi.org/deliver/etsi_gs/CIM/001_099/009/01.09.01_60/gs_CIM009v010901p.pdf"
_RIGHTS = {"open": "access-right/PUBLIC", "request": "access-right/RESTRICTED"}
# Seconds of an interval and above → the frequency authority's name.
_FREQUENCIES = (
    (31_536_000, "ANNUAL"), (2_419_200, "MONTHLY"), (604_800, "WEEKLY"), (86_400, "DAILY"),
    (3600, "HOURLY"), (1, "UPDATE_CONT"),
)  # fmt: skip


@dataclass(frozen=True)
class Addresses:
    """Where things are: the catalogue, a data set's description, page and files, the broker."""

    catalogue: str
    dataset: Callable[[str], str]
    download: Callable[[str, str], str]
    broker: str
    tenant: str
    page: Callable[[str], str] | None = None

    def query(self, dataset: Dataset) -> str:
        """The NGSI-LD query that gives the data set's entities."""
        return f"{self.broker}/ngsi-ld/v1/entities?{urlencode(dataset.query())}"


def describe(
    catalogue: Catalogue, entries: Sequence[Entry], addresses: Addresses, *, whole: bool = True,
    quality: Quality | None = None,
) -> Graph:  # fmt: skip
    """The graph of a catalogue, or without `whole` of the data sets alone; with the newest day of
    what was measured of each, by id."""
    made = _Description(addresses)
    if whole:
        made.catalogue(catalogue, entries)
    for entry in entries:
        made.dataset(entry, catalogue)
        made.quality(entry.dataset, (quality or {}).get(entry.dataset.id, {}))
    if entries:
        made.service(catalogue, [entry.dataset for entry in entries])
    return made.graph


class _Description:
    """A graph as it is written."""

    def __init__(self, addresses: Addresses) -> None:
        self.at, self.graph = addresses, Graph()
        spaces = {
            "dcat": DCAT,
            "dct": DCTERMS,
            "foaf": FOAF,
            "adms": ADMS,
            "dqv": DQV,
            "prov": PROV,
        }
        for prefix, space in spaces.items():
            self.graph.bind(prefix, space)
        self._broker = URIRef(f"{addresses.broker}/ngsi-ld/v1#{addresses.tenant}")

    def _add(self, subject: IdentifiedNode, **values: Node | Sequence[Node]) -> None:
        for name, value in values.items():
            space, _, local = name.partition("_")
            predicate = {"dcat": DCAT, "dct": DCTERMS, "foaf": FOAF}[space][local]
            for one in [value] if isinstance(value, Node) else value:
                self.graph.add((subject, predicate, one))

    def _said(self, said: Said) -> list[Literal]:
        return [Literal(said.ko, lang="ko"), Literal(said.en, lang="en")]

    def _typed(self, uri: str, kind: URIRef) -> URIRef:
        node = URIRef(uri)
        self.graph.add((node, RDF.type, kind))
        return node

    def _agent(self, said: Said) -> IdentifiedNode:
        agent = BNode()
        self.graph.add((agent, RDF.type, FOAF.Agent))
        self._add(agent, foaf_name=self._said(said))
        return agent

    def _concept(self, uri: str, label: str) -> URIRef:
        node = self._typed(uri, SKOS.Concept)
        self.graph.add((node, SKOS.prefLabel, Literal(label, lang="en")))
        return node

    def catalogue(self, catalogue: Catalogue, entries: Sequence[Entry]) -> None:
        node = self._typed(self.at.catalogue, DCAT.Catalog)
        self._add(
            node,
            dct_title=self._said(catalogue.title),
            dct_description=self._said(catalogue.description),
            dct_publisher=self._agent(catalogue.publisher),
            dct_language=[self._typed(f"{_EU}language/KOR", DCTERMS.LinguisticSystem),
                          self._typed(f"{_EU}language/ENG", DCTERMS.LinguisticSystem)],
            dcat_dataset=[URIRef(self.at.dataset(entry.dataset.id)) for entry in entries],
            dcat_service=[self._broker] if entries else [],
        )  # fmt: skip
        if entries:
            newest = max(entry.modified_at for entry in entries)
            self._add(node, dct_modified=_instant(newest))

    def dataset(self, entry: Entry, catalogue: Catalogue) -> None:
        one = entry.dataset
        node = self._typed(self.at.dataset(one.id), DCAT.Dataset)
        theme = self._concept(f"{_EU}data-theme/{one.theme}", one.theme)
        self._add(
            node,
            dct_title=self._said(one.title),
            dct_description=self._said(one.description),
            dct_identifier=Literal(one.id),
            dct_publisher=self._agent(catalogue.publisher),
            dct_creator=self._agent(one.provider),
            dct_issued=_instant(entry.created_at),
            dct_modified=_instant(entry.modified_at),
            dcat_keyword=[*(Literal(word, lang="ko") for word in one.keywords_ko),
                          *(Literal(word, lang="en") for word in one.keywords_en)],
            dcat_theme=theme,
            dct_spatial=self._place(one.region),
            dct_accessRights=self._typed(_EU + _RIGHTS[one.access], DCTERMS.RightsStatement),
            dct_conformsTo=self._standard(one.data_model.iri, one.data_model.title_en),
            dct_provenance=self._provenance(one),
        )  # fmt: skip
        if one.interval_s:
            frequency = self._typed(f"{_EU}frequency/{_frequency(one)}", DCTERMS.Frequency)
            self._add(node, dct_accrualPeriodicity=frequency)
            interval = Literal(f"PT{one.interval_s}S", datatype=XSD.duration)
            self._add(node, dcat_temporalResolution=interval)
        self._lineage(node, one)
        if self.at.page:
            self._add(node, dcat_landingPage=self._typed(self.at.page(one.id), FOAF.Document))
        self._distribution(node, one, "ngsi-ld", Form("application/ld+json", "JSON_LD"),
                           self.at.query(one), download=False)  # fmt: skip
        for name in forms_of(one):
            self._distribution(node, one, name, FORMS[name], self.at.download(one.id, name))

    def _lineage(self, node: URIRef, one: Dataset) -> None:
        """What it is made of: data sets of this catalogue, and sources outside."""
        for origin in one.derived_from:
            self.graph.add((node, PROV.wasDerivedFrom, URIRef(self.at.dataset(origin))))
        for source in one.sources:
            origin = URIRef(source.url) if source.url else BNode()
            self.graph.add((node, PROV.wasDerivedFrom, origin))
            self.graph.add((origin, RDF.type, PROV.Entity))
            for text in self._said(source.title):
                self.graph.add((origin, RDFS.label, text))

    def quality(self, one: Dataset, days: Mapping[date, Sequence[Indicator]]) -> None:
        """The newest day's measurements; what could not be measured has none."""
        if not days:
            return
        day = max(days)
        for indicator in days[day]:
            if indicator.share is None:
                continue
            node, metric = BNode(), URIRef(_METRICS + indicator.name)
            for subject, predicate, value in (
                (URIRef(self.at.dataset(one.id)), DQV.hasQualityMeasurement, node),
                (node, RDF.type, DQV.QualityMeasurement),
                (node, DQV.isMeasurementOf, metric),
                (node, DQV.value, Literal(indicator.share, datatype=XSD.decimal)),
                (node, DCTERMS.date, Literal(day)),
                (metric, RDF.type, DQV.Metric),
                (metric, SKOS.prefLabel, Literal(indicator.name, lang="en")),
            ):
                self.graph.add((subject, predicate, value))

    def _distribution(
        self, dataset: URIRef, one: Dataset, name: str, form: Form, url: str, *,
        download: bool = True,
    ) -> None:  # fmt: skip
        node = self._typed(f"{self.at.dataset(one.id)}#{name}", DCAT.Distribution)
        self._add(dataset, dcat_distribution=node)
        address = self._typed(url, RDFS.Resource)
        self._add(
            node,
            dct_title=[Literal(f"{one.title.ko} ({name})", lang="ko"),
                       Literal(f"{one.title.en} ({name})", lang="en")],
            dcat_accessURL=address,
            dct_license=self._typed(one.licence_url, DCTERMS.LicenseDocument),
            dct_format=self._typed(f"{_EU}file-type/{form.file_type}", DCTERMS.MediaTypeOrExtent),
            dcat_mediaType=self._typed(_IANA + form.media, DCTERMS.MediaType),
            dct_rights=self._rights(one),
        )  # fmt: skip
        if download:
            self._add(node, dcat_downloadURL=address)
        else:
            self._add(node, dcat_accessService=self._broker)
            self._add(node, dct_conformsTo=self._standard(NGSI_LD, "NGSI-LD"))

    def service(self, catalogue: Catalogue, datasets: Sequence[Dataset]) -> None:
        self.graph.add((self._broker, RDF.type, DCAT.DataService))
        self._add(
            self._broker,
            dct_title=[Literal("NGSI-LD 데이터 허브", lang="ko"),
                       Literal("NGSI-LD data hub", lang="en")],
            dct_description=[
                Literal(f"도시는 헤더 NGSILD-Tenant: {self.at.tenant}(으)로 고릅니다.", lang="ko"),
                Literal(f"The header NGSILD-Tenant: {self.at.tenant} chooses the city.", lang="en"),
            ],
            dcat_endpointURL=self._typed(f"{self.at.broker}/ngsi-ld/v1", RDFS.Resource),
            dct_conformsTo=[self._standard(NGSI_LD, "ETSI GS CIM 009 V1.9.1"),
                            self._standard(CORE_CONTEXT, "NGSI-LD core context")],
            dct_publisher=self._agent(catalogue.publisher),
            dcat_servesDataset=[URIRef(self.at.dataset(one.id)) for one in datasets],
        )  # fmt: skip

    def _standard(self, uri: str, title: str) -> URIRef:
        node = self._typed(uri, DCTERMS.Standard)
        self._add(node, dct_title=Literal(title, lang="en"))
        return node

    def _place(self, region: Said) -> IdentifiedNode:
        place = BNode()
        self.graph.add((place, RDF.type, DCTERMS.Location))
        for text in self._said(region):
            self.graph.add((place, SKOS.prefLabel, text))
        return place

    def _provenance(self, one: Dataset) -> IdentifiedNode:
        node = BNode()
        self.graph.add((node, RDF.type, DCTERMS.ProvenanceStatement))
        for text in self._said(one.attribution):
            said = Literal(f"{one.origin}: {text}", lang=text.language)
            self.graph.add((node, RDFS.label, said))
        return node

    def _rights(self, one: Dataset) -> IdentifiedNode:
        node = BNode()
        self.graph.add((node, RDF.type, DCTERMS.RightsStatement))
        for text in self._said(one.attribution):
            self.graph.add((node, RDFS.label, text))
        return node


def _instant(at: datetime) -> Literal:
    return Literal(at.isoformat(), datatype=XSD.dateTime)


def _frequency(one: Dataset) -> str:
    return next(name for least, name in _FREQUENCIES if one.interval_s >= least)


def serialize(graph: Graph, form: str) -> tuple[bytes, str]:
    """The graph's text and media type. Raises KeyError for another form than `FORMATS`."""
    media, name = FORMATS[form]
    return graph.serialize(format=name, encoding="utf-8"), media
