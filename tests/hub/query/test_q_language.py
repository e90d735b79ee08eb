"""The query language (GS CIM 009 §4.9): what is read, what is refused, where it says so."""

import contextlib
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.hub.contexts import CORE
from onsil.hub.query.jsonpath import tree_path
from onsil.hub.query.patterns import checked_pattern, compiled_pattern
from onsil.hub.query.q import (
    META,
    TIMES,
    Comparison,
    Junction,
    Link,
    Path,
    QueryError,
    Span,
    parse_q,
)

IRI = "https://uri.etsi.org/ngsi-ld/default-context/"


def written(tree, *, top=True):
    """A tree as text."""
    if isinstance(tree, Junction):
        sign = {"and": ";", "or": "|"}[tree.word]
        inside = sign.join(written(part, top=False) for part in tree.parts)
        return inside if top else f"({inside})"
    return path_text(tree.path) + tree.operator + ",".join(
        value_text(v, tree.operator) for v in tree.values)  # fmt: skip


def path_text(path):
    text = ".".join(name.removeprefix(IRI) for name in (path.attribute, *path.inner))
    if path.member:
        text += "[" + ".".join(path.member) + "]"
    if path.link:
        types = "|".join(t.removeprefix(IRI) for t in path.link.types)
        text += "{" + (types + ":" if types else "") + path_text(path.link.path) + "}"
    return text


def value_text(value, operator):
    if isinstance(value, Span):
        return f"{value_text(value.low, operator)}..{value_text(value.high, operator)}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


names = st.from_regex(r"[a-z][A-Za-z0-9_]{0,5}", fullmatch=True).filter(
    lambda n: (
        n not in (*META, "createdAt", "type", "id", "scope", "title", "description")
        and CORE.iri(n) == IRI + n
    )
)
iris = names.map(lambda n: IRI + n)
instants = st.integers(0, 7_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
clear_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
comparable = (
    st.floats(allow_nan=False, allow_infinity=False, width=32), clear_texts, instants, st.dates(),
    st.times().map(lambda t: t.replace(microsecond=0)),
)  # fmt: skip


@st.composite
def paths(draw, hops=2):
    inner = tuple(draw(st.lists(iris, max_size=2)))
    shape = draw(st.sampled_from(["plain", "member", "meta", "link" if hops else "plain"]))
    if shape == "meta":
        inner += (draw(st.sampled_from([m for m in META if m not in TIMES])),)
    member = tuple(draw(st.lists(names, min_size=1, max_size=2))) if shape == "member" else ()
    link = None
    if shape == "link":
        link = Link(draw(paths(hops=hops - 1)), tuple(draw(st.lists(iris, max_size=2))))
    return Path(draw(iris), inner, member, link)


@st.composite
def terms(draw):
    operator = draw(st.sampled_from(["", "==", "!=", "<", ">", "<=", ">=", "~=", "!~="]))
    if operator == "":
        values = ()
    elif operator in ("~=", "!~="):
        values = (draw(st.sampled_from(["^a.*", "b+", "[a-c]x", "a|b", r"\d\d", "(ab)?c"])),)
    elif operator in ("==", "!="):
        one = st.one_of(*comparable, st.booleans())
        spans = st.one_of(*(st.tuples(c, c).map(lambda p: Span(*p)) for c in comparable))
        values = tuple(draw(st.lists(one | spans, min_size=1, max_size=3)))
    else:
        values = (draw(st.one_of(*comparable)),)
    return Comparison(draw(paths()), operator, values)


@st.composite
def junctions(draw, inner):
    word = draw(st.sampled_from(["and", "or"]))
    return Junction(word, tuple(draw(st.lists(inner, min_size=2, max_size=3))))


trees = st.recursive(terms(), junctions, max_leaves=8)


@settings(max_examples=300, deadline=None)
@given(trees)
def test_what_is_written_is_read_again(tree):
    assert parse_q(written(tree)) == tree


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='ab.[]{}();|=<>!~," 01-:\\*TZ', max_size=40))
def test_no_text_breaks_the_parser(text):
    with contextlib.suppress(QueryError):
        parse_q(text)


def test_and_binds_closer_than_or():
    tree = parse_q("a;b|c;d")
    assert isinstance(tree, Junction)
    assert tree.word == "or"
    assert [part.word for part in tree.parts] == ["and", "and"]


@pytest.mark.parametrize(
    ("q", "place"),
    [
        ("a==", "end"), ("a==1;", "end"), ("(a==1", "end"), ("a==1)", "character 5"),
        ("==1", "character 1"), ("a;;b", "character 3"), ("a[b==1", "end"),
        ("a..b", "character 1"), ("a>1..2", "character 3"), ("a>1,2", "character 3"),
        ("a>true", "character 3"), ('a=="x"..5', "character 4"), ("a==1..true", "character 4"),
        ("a~=5", "character 4"), ('a=="open', "character 4"), ('a=="\\q"', "character 4"),
        ("a{b", "end"), ("a{}", "character 3"), ("a[b]{c}", "character 1"),
        ("a.observedAt.b", "character 1"), ("createdAt.a", "character 1"),
        ("a.observedAt>5x", "character 14"), ("a==1e999", "character 4"),
        ("a{b{c{d{e{f{g}}}}}}", "character"), ("(" * 40 + "a" + ")" * 40, "character"),
    ],
)  # fmt: skip
def test_errors_say_where(q, place):
    with pytest.raises(QueryError, match=place):
        parse_q(q)


def test_lengths_are_limited():
    with pytest.raises(QueryError, match="longer"):
        parse_q("a==" + '"' + "x" * 5000 + '"')
    with pytest.raises(QueryError, match="values"):
        parse_q("a==" + ",".join(["1"] * 300))
    with pytest.raises(QueryError, match="NUL"):
        parse_q("a==\0")


def test_values_expand_by_the_context_where_that_is_asked():
    assert parse_q("category==commercial").values == ("commercial",)
    expanded = parse_q("category==commercial", expand_values=["category"])
    assert expanded.values == (IRI + "commercial",)


def test_types_hint_at_what_is_linked():
    link = parse_q('managedBy{Building,Hotel:address[city]}=="Pisa"').path.link
    assert link.types == (IRI + "Building", IRI + "Hotel")
    assert link.path.member == ("city",)
    assert parse_q("a{https://x.org/T:b}").path.link.types == ("https://x.org/T",)


BOMBS = [
    "(a+)+b", "(a*)*b", "(a|a)*b", "(a|ab)*c", "(.*a){20}", r"(a)\1", "(?<=a)b", "((a?)+)+b",
    "a*a*a*a*a*b", "(?P<x>a)(?P=x)", "(?i:a)", "x" * 300, "a{300}", "(a{200}){200}",
    "(a{1,100}){1,100}", "[[:alpha:]]", "***=a", "(?#c)a", "a++", "(?>a)", "[", "(", "a{2,1}",
    r"\Aa", "(a?){30}(b*)*", "\0",
]  # fmt: skip


@pytest.mark.parametrize("pattern", BOMBS)
def test_patterns_that_could_take_for_ever_are_refused(pattern):
    with pytest.raises(QueryError):
        checked_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["^Eiffel", ".*Tower$", "a|b", "(ab|cd)+", r"\d{4}-\d\d", "[^a-z]+", "(?i)tower",
                "^urn:ngsi-ld:Building:.*", "a?b?c?", "x(?=y)", r"\bx\b"],
)  # fmt: skip
def test_ordinary_patterns_are_taken(pattern):
    compiled_pattern(checked_pattern(pattern))


@pytest.mark.parametrize(("one", "other"), [("a==true", "a==1"), ("a==0", "a==false")])
def test_truth_is_no_number_whatever_was_asked_before(one, other):
    first, second = parse_q(one), parse_q(other)
    assert first != second
    assert tree_path(first) != tree_path(second)
