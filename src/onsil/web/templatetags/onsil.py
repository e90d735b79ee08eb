"""`{% load onsil %}`: the design system's filters and parts. See docs/design-system.md."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.core.paginator import Page
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from onsil import footprint
from onsil.core.quantities import unit_sign
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.web.templatetags import _figures as figures
from onsil.web.templatetags import _flow, _plot
from onsil.web.templatetags._icons import path_of
from onsil.web.templatetags._words import GREENS, ORIGINS, SCHEMES, STATIONS, STATUSES

register = template.Library()
_FORMULA = re.compile("CO[₂2](?![0-9])")
_LOW_TWO = mark_safe("CO<sub>2</sub>")


def _language() -> str:
    return get_language() or "ko"


# ---------------------------------------------------------------- filters
@register.filter
def won(value: object) -> str:
    return figures.won(value, _language())


@register.filter
def won_short(value: object) -> str:
    return figures.won_short(value, _language())


@register.filter
def points(value: object) -> str:
    return figures.points(value, _language())


@register.filter
def co2(value: object) -> SafeString:
    """A text with the 2 of CO2 set low by markup, since few Korean fonts have the sign for it."""
    if isinstance(value, SafeString):
        return value
    return format_html_join(_LOW_TWO, "{}", ((part,) for part in _FORMULA.split(str(value))))


@register.filter
def tonnes(value: object) -> SafeString:
    return co2(figures.tonnes(value))


@register.filter
def tonnes4(value: object) -> SafeString:
    """Four significant digits, for pages that give the exact figure beside it."""
    return co2(figures.tonnes(value, 4))


@register.filter
def kwh(value: object) -> str:
    return figures.kwh(value)


@register.filter
def wh(value: object) -> str:
    """Watt-hours (the unit of the engine rooms) shown in kWh and its multiples."""
    number = figures.as_decimal(value)
    return figures.DASH if number is None else figures.kwh(number / 1000)


@register.filter
def percent(value: object, places: int = 1) -> str:
    return figures.percent(value, places)


@register.filter
def exact(value: object) -> str:
    return figures.exact(value)


@register.filter
def short_number(value: object) -> str:
    return figures.short(value, _language())


@register.filter
def korean_number(value: object) -> str:
    return figures.korean_number(value, _language())


@register.filter
def ago(value: datetime | None) -> str:
    return figures.ago(value, language=_language())


@register.filter
def unit_word(unit: str) -> str:
    """A unit as people write it."""
    return unit_sign(unit)


@register.filter
def short_hash(value: object) -> str:
    return figures.short_hash(value)


@register.filter
def said(words: Any) -> str:
    """A text kept in both languages (Refusal, Words, {"ko", "en"}) in the reader's."""
    if words is None:
        return ""
    if hasattr(words, "text"):
        return words.text(_language())
    if isinstance(words, Mapping):
        return str(words.get("en" if _language().startswith("en") else "ko", ""))
    return str(words)


@register.filter
def station_word(key: str) -> str:
    return str(STATIONS.get(key, key))


@register.filter
def origin_word(key: str) -> str:
    return str(ORIGINS.get(key, key))


@register.filter
def method_word(key: str) -> str:
    """A methodology's name; its code when none of that name is installed."""
    made = footprint.methodology(str(key))
    if isinstance(made, Refusal):
        return str(key)
    return made.TITLE_EN if _language().startswith("en") else made.TITLE_KO


@register.simple_tag(takes_context=True)
def scheme(context: template.Context, code: str) -> str:
    """What a claim is for: a credit scheme or a reward programme of the city, by its name."""
    city = context.get("city")
    if code in SCHEMES or city is None:
        return str(SCHEMES.get(code, code))
    known = (t.name for t in rewards.programmes(city.code) if t.code == code)
    return next((name.text(_language()) for name in known), code)


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    return mapping.get(key) if mapping else None


def _local(context: template.Context, when: datetime) -> datetime:
    city = context.get("city")
    return when.astimezone(city.zone) if city else timezone.localtime(when)


# ---------------------------------------------------------------- small parts
@register.simple_tag
def icon(name: str, label: str = "", css: str = "icon") -> SafeString:
    """A line icon; silent to screen readers unless it has a label."""
    said_as = format_html('role="img" aria-label="{}"' if label else 'aria-hidden="true"', label)
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        ' stroke-linecap="round" stroke-linejoin="round" {}><path d="{}"/></svg>',
        css, said_as, path_of(name),
    )  # fmt: skip


@register.simple_tag
def badge(status: str, word: str = "") -> SafeString:
    """good, watch, bad, info (icon and word) or any other word plainly."""
    known = status in STATUSES
    sign = icon(status) if known else ""
    return format_html(
        '<span class="badge badge--{}">{}{}</span>', status, sign, word or STATUSES.get(status, "")
    )


@register.simple_tag
def origin(source: str) -> SafeString:
    """How a series came to be: measured, replayed, modelled or simulated, as a badge."""
    return format_html(
        '<span class="badge badge--{}">{}</span>', source, ORIGINS.get(source, source)
    )


@register.simple_tag
def green(key: str) -> SafeString:
    """One of the seven greens: its icon, its word, its hue."""
    return format_html(
        '<span class="green green--{}">{}{}</span>', key, icon(key), GREENS.get(key, key)
    )


@register.simple_tag(takes_context=True)
def age(context: template.Context, when: datetime | None) -> SafeString | str:
    """How old something is, exact local time on hover and for machines."""
    if when is None:
        return figures.DASH
    local = _local(context, when)
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        when.isoformat(), local.strftime("%Y-%m-%d %H:%M:%S"),
        figures.ago(when, language=_language()),
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def moment(context: template.Context, when: datetime | None, form: str = "%Y-%m-%d %H:%M") -> Any:
    """A local time of the city, for machines too."""
    if when is None:
        return figures.DASH
    return format_html(
        '<time datetime="{}">{}</time>', when.isoformat(), _local(context, when).strftime(form)
    )


@register.simple_tag(takes_context=True)
def days(context: template.Context, period: Any) -> str:
    """A half-open period as its first and last local day: 2025-06-01 – 2025-06-30."""
    first = _local(context, period.start).date()
    last = _local(context, period.end - timedelta(microseconds=1)).date()
    return f"{first} – {last}" if first != last else str(first)


@register.simple_tag(name="hash")
def hash_(digest: object, label: str = "") -> SafeString:
    """A digest in short form, whole on hover."""
    return format_html(
        '<code class="hash" title="{}">{}{}</code>',
        digest, f"{label} " if label else "", figures.short_hash(digest),
    )  # fmt: skip


@register.simple_tag
def sparkline(values: Sequence[object], label: str = "") -> SafeString | str:
    """A line without axes beside a figure; gaps stay gaps. Nothing for fewer than two values."""
    paths = _plot.spark(values or [])
    if not paths:
        return ""
    drawn = format_html_join("", '<path class="plot__line" d="{}"/>', ((d,) for d in paths))
    return format_html(
        '<svg class="sparkline series-0" viewBox="0 0 96 28" role="img" aria-label="{}">{}</svg>',
        label or figures.DASH, drawn,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: object) -> str:
    """The request's query string with some values changed (None removes one)."""
    params = context["request"].GET.copy()
    for key, value in changes.items():
        if value is None:
            params.pop(key, None)
        else:
            params[key] = str(value)
    return "?" + params.urlencode()


# ---------------------------------------------------------------- composed parts
@register.inclusion_tag("onsil/components/stat.html", takes_context=True)
def stat(
    context: template.Context,
    label: str,
    value: object,
    unit: str = "",
    note: str = "",
    at: datetime | None = None,
    href: str = "",
    target: str = "",
) -> dict[str, Any]:
    """A figure: its label, value (ready to show), unit, note, age, link and target."""
    return {
        "label": label, "value": value, "unit": unit, "note": note, "at": at, "href": href,
        "target": target, "city": context.get("city"),
    }  # fmt: skip


@register.inclusion_tag("onsil/components/kpi.html", takes_context=True)
def kpi(context: template.Context, item: Any) -> dict[str, Any]:
    """One of the plan's figures; see docs/design-system.md for the attributes of `item`."""
    return {"item": item, "city": context.get("city")}


@register.inclusion_tag("onsil/components/ring.html")
def ring(
    size: str = "large",
    stations: Mapping[str, Mapping[str, Any]] | None = None,
    lit: str | Iterable[str] | None = None,
    value: object = "",
    unit: str = "",
    title: str = "",
    label: str = "",
) -> dict[str, Any]:
    """The loop. `stations`: key → {"figure": text, "href": url}; `lit`: keys passed (default all).

    `value`, `unit`, `title` stand in the middle of the large one; `label` names it aloud.
    """
    if lit is None:
        bright = set(STATIONS)
    else:
        bright = {k.strip() for k in lit.split(",")} if isinstance(lit, str) else set(lit)
    nodes = []
    for index, (key, word) in enumerate(STATIONS.items()):
        angle = math.radians(index * 45 - 90)
        more = (stations or {}).get(key, {})
        nodes.append(
            {
                "key": key, "word": word, "lit": key in bright, "path": path_of(key),
                "figure": more.get("figure", ""), "href": more.get("href", ""),
                "x": round(220 + 166 * math.cos(angle), 1),
                "y": round(220 + 166 * math.sin(angle), 1),
                "small_x": round(40 + 30 * math.cos(angle), 1),
                "small_y": round(40 + 30 * math.sin(angle), 1),
            }
        )  # fmt: skip
    return {
        "size": size, "nodes": nodes, "value": _lowered(value), "unit": _lowered(unit),
        "title": title, "label": label,
    }  # fmt: skip


def _lowered(value: object) -> SafeString:
    """The same as `co2`, for SVG, which knows no <sub>: down for the 2, and up again behind it."""
    first, *more = _FORMULA.split(str(value).replace(_LOW_TWO, "CO2"))
    low = 'CO<tspan class="ring__low" dy=".3em">2</tspan><tspan dy="-.2em">{}</tspan>'
    return format_html("{}{}", first, format_html_join("", low, ((part,) for part in more)))


@register.inclusion_tag("onsil/components/chart.html")
def chart(spec: Mapping[str, Any], live: bool = True, compact: bool = False) -> dict[str, Any]:
    """A chart with its description and its table; see docs/design-system.md for `spec`.

    Lines and bars are drawn here as SVG; `live` lets charts.js take over where it is loaded.
    """
    spec = {**spec, "unit": unit_sign(spec.get("unit") or "")}
    labels = [str(label) for label in spec.get("labels") or []]
    series = spec.get("series") or []
    rows = [
        (label, [s["values"][i] if i < len(s.get("values", [])) else None for s in series])
        for i, label in enumerate(labels)
    ]
    return {
        "spec": spec, "plot": _plot.plot(spec, _language()), "series": series, "rows": rows,
        "flow": _flow.flow(spec, _language()), "links": spec.get("links") or [],
        "compact": compact, "live": live,
        "data": json.dumps(_plain(spec), ensure_ascii=False) if live else "",
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """What JSON can carry: Decimals as numbers (a picture needs no more), times as ISO text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value if value is None or isinstance(value, int | float | bool) else str(value)


@register.inclusion_tag("onsil/components/map.html")
def map(
    places: Sequence[Mapping[str, Any]],
    boundary: str = "",
    districts: str = "",
    label: str = "",
    beside: bool = True,
    layers: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """The city and its places. `places`: dicts of id, name, lon, lat, and optionally href, kind
    (a green's key), status (good, watch, bad), note; `boundary` and `districts`: GeoJSON URLs."""
    return {
        "places": places, "label": label, "beside": beside, "layers": layers,
        "data": json.dumps(
            _plain({"places": places, "boundary": boundary, "districts": districts}),
            ensure_ascii=False,
        ),
    }  # fmt: skip


@register.inclusion_tag("onsil/trace.html", takes_context=True)
def trace(context: template.Context, trace: Any, detail: bool = False) -> dict[str, Any]:
    """A journey through the loop (portal.terms.Trace); `detail` shows every number and digest."""
    steps = [{"step": s, "chart": _day_chart(context, s.chart) if s.chart else None}
             for s in trace.steps]  # fmt: skip
    return {
        "trace": trace, "steps": steps, "detail": detail, "city": context.get("city"),
        "user": context.get("user"),
    }  # fmt: skip


def _day_chart(context: template.Context, day: Any) -> dict[str, Any]:
    series = [{"name": str(ORIGINS.get(day.source, day.source)), "kind": day.source,
               "values": list(day.values)}]  # fmt: skip
    if day.expected is not None:
        series.append(
            {"name": str(ORIGINS["modelled"]), "kind": "modelled", "values": list(day.expected)}
        )
    return {
        "title": said(day.title), "description": day.note, "kind": "line", "unit": day.unit,
        "labels": [_local(context, t).strftime("%H:%M") for t in day.times],
        "series": series, "shaded": [list(pair) for pair in day.shaded],
    }  # fmt: skip


@register.inclusion_tag("onsil/components/pages.html", takes_context=True)
def pages(context: RequestContext, page: Page) -> dict[str, Any]:
    """Links to a paginator's pages, keeping the rest of the query."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return {"page": page, "numbers": numbers, "request": context["request"]}


@register.inclusion_tag("onsil/components/stepper.html")
def stepper(steps: Sequence[object], current: int) -> dict[str, Any]:
    """Steps of a task; `current` counts from 1."""
    states = [(s, "done" if i < current else "now" if i == current else "todo")
              for i, s in enumerate(steps, 1)]  # fmt: skip
    return {"steps": states}


@register.inclusion_tag("onsil/components/field.html")
def field(bound: Any, hint: str = "") -> dict[str, Any]:
    """A form field with its label, hint and errors tied to it for screen readers."""
    described = []
    if hint or bound.help_text:
        described.append(f"{bound.auto_id}_hint")
    if bound.errors:
        described.append(f"{bound.auto_id}_error")
    attributes: dict[str, str] = {}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    kind = getattr(bound.field.widget, "input_type", "")
    return {
        "bound": bound, "widget": bound.as_widget(attrs=attributes),
        "hint": hint or bound.help_text, "check": kind == "checkbox",
    }  # fmt: skip


@register.inclusion_tag("onsil/components/empty.html", name="empty")
@register.inclusion_tag("onsil/components/empty.html", name="nothing")  # directly inside a `for`
def empty(title: str, text: str = "", href: str = "", action: str = "", sign: str = "leaf") -> Any:
    """Nothing here yet, and what to do first."""
    return {"title": title, "text": text, "href": href, "action": action, "sign": sign}


@register.inclusion_tag("onsil/components/notice.html")
def notice(text: Any, status: str = "info", title: str = "") -> dict[str, Any]:
    """A message of any status; `text` may be a Refusal or a text in both languages."""
    signs = {"success": "good", "warning": "watch", "error": "bad", "debug": "info"}
    return {"text": said(text), "status": status, "title": title, "sign": signs.get(status, status)}


@register.inclusion_tag("onsil/components/progress.html")
def progress(value: object, maximum: object, label: str, note: str = "", status: str = "") -> Any:
    """How much is done or used, in words and as a bar."""
    return {"value": value, "maximum": maximum, "label": label, "note": note, "status": status}


@register.inclusion_tag("onsil/components/skeleton.html")
def skeleton(lines: int = 3) -> dict[str, Any]:
    """Shapes where lines are about to appear."""
    return {"lines": range(lines)}
