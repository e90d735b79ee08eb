"""Routes read from their files, checked on loading, and rebuilt from what is sealed."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from onsil.footprint.projects.terms import (
    Crediting,
    DocumentKind,
    Limit,
    Route,
    SizeClass,
    State,
    Transition,
    Workflow,
)
from onsil.footprint.projects.validation import problems

INTERNAL = "internal"


class RouteError(ValueError):
    """A route file that contradicts itself: it must not be used until it is mended."""


@cache
def routes() -> Mapping[str, Route]:
    """Every route that is shipped, by id, in its newest version. Raises RouteError."""
    folder = files("onsil.footprint.projects") / "routes"
    found: dict[str, Route] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        route = from_content(tomllib.loads(file.read_text("utf-8")))
        wrong = problems(route)
        if wrong or route.id in found:
            raise RouteError(f"{file.name}: {'; '.join(wrong) or 'its id is taken'}")
        found[route.id] = route
    return found


def from_content(content: Mapping[str, Any]) -> Route:
    """A route from its file's or its sealed content.

    Raises RouteError where a field is missing or unknown.
    """
    try:
        return Route(
            id=content["id"],
            version=content["version"],
            ko=content["ko"],
            en=content["en"],
            programmes=tuple(content["programmes"]),
            maturity=content["maturity"],
            basis=content["basis"],
            project=_workflow(content["project"]),
            period=_workflow(content["period"]),
            documents=tuple(DocumentKind(**one) for one in content.get("document", ())),
            crediting=Crediting(**content.get("crediting", {})),
            sizes=tuple(_size(one) for one in content.get("size", ())),
            content=content,
        )
    except (KeyError, TypeError) as error:
        raise RouteError(f"{content.get('id', 'a route')}: {error}") from error


def _size(one: Mapping[str, Any]) -> SizeClass:
    return SizeClass(**{"up_to_t": None, **one})


def _workflow(content: Mapping[str, Any]) -> Workflow:
    return Workflow(
        states=tuple(State(**one) for one in content["state"]),
        transitions=tuple(_transition(one) for one in content["transition"]),
        limits=tuple(Limit(**_tuples(one, "after", "before")) for one in content.get("limit", ())),
    )


def _transition(one: Mapping[str, Any]) -> Transition:
    fields = _tuples(one, "from", "documents", "gates", "apart_from")
    return Transition(sources=fields.pop("from"), target=fields.pop("to"), **fields)


def _tuples(one: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**one, **{name: tuple(one[name]) for name in names if name in one}}
