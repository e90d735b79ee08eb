"""Scope queries (GS CIM 009 §4.19) and type selection (§4.17) on entities in memory."""

import pytest

from onsil.hub.query.scanner import QueryError
from onsil.hub.query.scopes import parse_scope_q, scope_matches
from onsil.hub.query.type_selection import parse_type_selection, types_match

IRI = "https://uri.etsi.org/ngsi-ld/default-context/"


@pytest.mark.parametrize(
    ("scope_q", "scopes", "meets"),
    [
        ("/Madrid", ["/Madrid"], True),
        ("/Madrid", ["/Madrid/Gardens"], False),
        ("Madrid", ["/Madrid"], True),
        ("/Madrid/#", ["/Madrid/Gardens/Norte"], True),
        ("/Madrid/#", ["/Madrid"], True),
        ("/Madrid/#", ["/Madridejos"], False),
        ("/Madrid/+/Norte", ["/Madrid/Gardens/Norte"], True),
        ("/Madrid/+", ["/Madrid/Gardens/Norte"], False),
        ("/Madrid/+/#", ["/Madrid/Gardens/Norte"], True),
        ("/#", ["/a"], True),
        ("/#", [], False),
        ("/a,/b", ["/b"], True),
        ("/a|/b", ["/c"], False),
        ("/a;/b", ["/a", "/b"], True),
        ("/a;/b", ["/a"], False),
        ("(/a;/b)|/c", ["/c"], True),
        ("/a;(/b,/c)", ["/a", "/c"], True),
        ("/a;(/b,/c)", ["/c"], False),
    ],
)
def test_scopes(scope_q, scopes, meets):
    assert scope_matches(parse_scope_q(scope_q), scopes) is meets


@pytest.mark.parametrize("scope_q", ["", "/a;", "(/a", "/a)", "/a/#/b", "//", "/a||/b"])
def test_scope_queries_that_cannot_be_read(scope_q):
    with pytest.raises(QueryError):
        parse_scope_q(scope_q)


@pytest.mark.parametrize(
    ("selection", "types", "meets"),
    [
        ("Building", ["Building"], True),
        ("Building,Vehicle", ["Vehicle"], True),
        ("Building|Vehicle", ["Home"], False),
        ("Building;Hotel", ["Building"], False),
        ("Building;Hotel", ["Building", "Hotel"], True),
        ("(Building;Hotel)|Home", ["Home"], True),
        ("Building;(Hotel,Home)", ["Building", "Home"], True),
        ("*", ["whatever"], True),
    ],
)
def test_types(selection, types, meets):
    tree = parse_type_selection(selection)
    assert types_match(tree, [IRI + t for t in types]) is meets


@pytest.mark.parametrize("selection", ["", ",", "a;", "(a", "a b", "a)", "<x>", "5"])
def test_type_selections_that_cannot_be_read(selection):
    with pytest.raises(QueryError):
        parse_type_selection(selection)
