"""Entities as documents: read from NGSI-LD's representations, changed, and written again.

Inside, names are IRIs and every attribute is a list of instances, one for each datasetId. Outside
there are three representations, normalised, concise and simplified (`keyValues`), and GeoJSON.
"""

from onsil.hub.documents.changing import (
    Changed,
    append,
    create,
    delete_attribute,
    live,
    merge_entity,
    replace_attribute,
    replace_entity,
    update,
    update_attribute,
)
from onsil.hub.documents.geometry import GEOMETRIES, looks_like_geometry, read_geometry
from onsil.hub.documents.parse import parse_attribute, parse_entity, parse_fragment
from onsil.hub.documents.render import (
    feature_collection,
    render,
    render_feature,
    render_instances,
)
from onsil.hub.documents.selection import (
    ALL,
    Selection,
    choose_language,
    parse_languages,
    parse_selection,
)
from onsil.hub.documents.terms import (
    DEFAULT_DATASET,
    NULL,
    VALUE_KEYS,
    AttributeChange,
    AttributeMissing,
    Document,
    DocumentError,
    Instance,
    Representation,
    default_instances,
    value_of,
)
from onsil.hub.documents.values import (
    check_date_time,
    check_name,
    check_scopes,
    is_uri,
    parse_time,
    time_text,
)

__all__ = [
    "ALL",
    "DEFAULT_DATASET",
    "GEOMETRIES",
    "NULL",
    "VALUE_KEYS",
    "AttributeChange",
    "AttributeMissing",
    "Changed",
    "Document",
    "DocumentError",
    "Instance",
    "Representation",
    "Selection",
    "append",
    "check_date_time",
    "check_name",
    "check_scopes",
    "choose_language",
    "create",
    "default_instances",
    "delete_attribute",
    "feature_collection",
    "is_uri",
    "live",
    "looks_like_geometry",
    "merge_entity",
    "parse_attribute",
    "parse_entity",
    "parse_fragment",
    "parse_languages",
    "parse_selection",
    "parse_time",
    "read_geometry",
    "render",
    "render_feature",
    "render_instances",
    "replace_attribute",
    "replace_entity",
    "time_text",
    "update",
    "update_attribute",
    "value_of",
]
