"""The temporal evolution as it goes out: normalised, simplified, aggregated; cut into pages.

Pure. GS CIM 009 V1.9.1 §4.5.6-9 (representations), §6.3.10 (206 and Content-Range).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from onsil.hub.arrays import instant
from onsil.hub.contexts import Context
from onsil.hub.documents import (
    ALL,
    NULL,
    VALUE_KEYS,
    Instance,
    Representation,
    Selection,
    choose_language,
    render_instances,
    time_text,
)
from onsil.hub.temporal.asking import TemporalQuery
from onsil.hub.temporal.instances import SCOPE
from onsil.hub.temporal.reading import Evolution, Known, Seen

# What a page holds of one entity: so many instances of each attribute, or so many in all.
EACH = 10
_WRAPPED = frozenset(("languageMap", "vocab", "json"))


@dataclass(frozen=True)
class Form:
    """How the answer is wanted."""

    context: Context
    representation: Representation = "normalized"
    values: bool = False
    system: bool = False
    languages: Sequence[str] = ()
    selection: Selection = ALL


class Page(NamedTuple):
    """Evolutions cut to a page; `cut` is None when they are whole, else where the page ends."""

    evolutions: list[Evolution]
    cut: int | None


def cut(evolutions: Sequence[Evolution], query: TemporalQuery, room: int, most: int) -> Page:
    """What fits on a page: the earliest instances, with lastN the latest, up to one common time.

    `room` is the least number of instances an entity has room for, `most` the greatest. What lies
    at the time of the cut itself is on the page.
    """
    backward = bool(query.last)
    bounds = []
    for evolution in evolutions:
        limit = min(max(room, EACH * len(evolution)), most)
        times = sorted((seen.at for series in evolution.values() for seen in series),
                       reverse=backward)  # fmt: skip
        if len(times) > limit:
            bounds.append(times[limit - 1])
    if not bounds:
        return Page(list(evolutions), None)
    bound = max(bounds) if backward else min(bounds)
    return Page([_within(one, bound, backward=backward) for one in evolutions], bound)


def _within(evolution: Evolution, bound: int, *, backward: bool) -> Evolution:
    """An evolution up to a time; series of which nothing is left stay, empty."""
    return {
        key: [seen for seen in series if (seen.at >= bound if backward else seen.at <= bound)]
        for key, series in evolution.items()
    }


def content_range(page: Page, query: TemporalQuery) -> str:
    """The Content-Range of a page that is not the whole (§6.3.10)."""
    times = [seen.at for one in page.evolutions for series in one.values() for seen in series]
    assert times, "a page holds at least the instances at its cut"
    first, last = instant(min(times)), instant(max(times))
    if query.last:
        start = query.end if query.relation in ("before", "between") else last
        return f"date-time {_stamp(start)}-{_stamp(first)}/{query.last}"
    start = query.at if query.relation in ("after", "between") else first
    return f"date-time {_stamp(start)}-{_stamp(last)}/*"


def _stamp(moment: datetime) -> str:
    return time_text(moment)


def render_known(known: Known, members: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """An entity's own members with its attributes, as far as they are selected."""
    shows, every = form.selection.shows, form.selection is ALL
    made: dict[str, Any] = {}
    if every or shows("id"):
        made["id"] = known.uri
    if every or shows("type"):
        types = [form.context.term(iri) for iri in known.types]
        made["type"] = types[0] if len(types) == 1 else types
    if form.system:
        for name, moment in (
            ("createdAt", known.created_at), ("modifiedAt", known.modified_at),
            ("deletedAt", known.deleted_at), ("expiresAt", known.expires_at),
        ):  # fmt: skip
            if moment is not None and (every or shows(name)):
                made[name] = time_text(moment)
    for iri, value in members.items():
        if every or shows("scope" if iri == SCOPE else iri):
            made["scope" if iri == SCOPE else form.context.term(iri)] = value
    return made


def render_evolution(
    known: Known, evolution: Evolution, query: TemporalQuery, form: Form
) -> dict[str, Any]:
    """An entity with its instances, or with `[value, time]` pairs (§4.5.7, §4.5.9)."""
    members: dict[str, Any] = {}
    if form.values:
        for (iri, dataset), series in evolution.items():
            for made in _simplified(dataset, series, query, form):
                members.setdefault(iri, []).append(made)
        members = {iri: made[0] if len(made) == 1 else made for iri, made in members.items()}
        return render_known(known, members, form)
    merged: dict[str, list[Seen]] = {}
    for (iri, _), series in evolution.items():
        merged.setdefault(iri, []).extend(series)
    for iri, series in merged.items():
        series.sort(key=lambda seen: seen.at)
        members[iri] = [_normalised(seen.instance, form, iri) for seen in series]
    return render_known(known, members, form)


def _normalised(instance: Instance, form: Form, iri: str) -> Any:
    made = render_instances(
        [instance], form.context, form.representation, system=form.system,
        languages=form.languages,
    )  # fmt: skip
    if not isinstance(made, dict):  # concise, where a value stands alone
        made = {"value": made}
    made["instanceId"] = instance["instanceId"]
    if "deletedAt" in instance:
        made["deletedAt"] = instance["deletedAt"]
    return made


def _simplified(
    dataset: str, series: Sequence[Seen], query: TemporalQuery, form: Form
) -> list[dict[str, Any]]:
    """The pairs of one attribute instance, by kind: it may have been another one before."""
    kinds: dict[str, list[list[Any]]] = {}
    for seen in series:
        instance = seen.instance
        at = instance.get(query.timeproperty) or instance.get("modifiedAt")
        kinds.setdefault(instance["type"], []).append([_value(instance, form), at])
    if not series:
        kinds["Property"] = []
    made = []
    for kind, pairs in kinds.items():
        plural = "languageMaps" if kind == "LanguageProperty" else f"{VALUE_KEYS[kind]}s"
        one: dict[str, Any] = {"type": kind}
        if form.languages and kind == "LanguageProperty":
            one, plural = {"type": "Property"}, "values"
        if dataset:
            one["datasetId"] = dataset
        made.append({**one, plural: pairs})
    return made


def _value(instance: Instance, form: Form) -> Any:
    key = VALUE_KEYS[instance["type"]]
    value: Any = instance[key]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if value == NULL:
        return (
            {key: {"@none": NULL}}
            if key == "languageMap"
            else ({key: NULL} if key in _WRAPPED else NULL)
        )
    if key == "languageMap" and form.languages:
        tags: dict[str, Any] = instance[key]
        return tags[choose_language(tags, form.languages)]
    if key == "vocab":
        value = _shortened(value, form.context.term)
    return {key: value} if key in _WRAPPED else value


def _shortened(value: Any, term: Callable[[str], str]) -> Any:
    return [term(one) for one in value] if isinstance(value, list) else term(value)
