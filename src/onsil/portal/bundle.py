"""A trace as one file that is checked offline, by our command or by anybody's own program."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onsil import proof
from onsil.core.canonical import instant_text, plain
from onsil.portal.terms import Chart, Figure, Step, Trace, Words

FORMAT = "onsil-trace-bundle@v1"


def to_json(trace: Trace) -> dict[str, Any]:
    """The trace as JSON values: steps, links, and under `proofs` one proof bundle a sealed step.

    Each proof bundle stands alone: entry, salt, inclusion proof, signed checkpoint, public key.
    """
    return {
        "format": FORMAT,
        "city": trace.city,
        "direction": "back" if trace.backward else "forward",
        "subject": trace.subject,
        "stations": list(trace.stations),
        "steps": [_step(step) for step in trace.steps],
        "links": [
            {"later": x.later, "earlier": x.earlier, "amount": plain(x.amount), "unit": x.unit}
            for x in trace.links
        ],
        "proofs": [dict(s.proof.bundle) for s in trace.steps if s.proof.bundle is not None],
    }


def to_bytes(trace: Trace) -> bytes:
    """The bundle as the file that readers download."""
    return json.dumps(to_json(trace), ensure_ascii=False, indent=1).encode()


def _step(step: Step) -> dict[str, Any]:
    bundle = step.proof.bundle
    return {
        "key": step.key,
        "kind": str(step.kind),
        "id": step.id,
        "at": instant_text(step.at),
        "station": step.station,
        "title": _words(step.title),
        "words": _words(step.words),
        "figures": [_figure(figure) for figure in step.figures],
        "digest": step.digest,
        "state": str(step.proof.state),
        "leaf": None if bundle is None else {"kind": bundle["kind"], "id": bundle["id"]},
        "chart": None if step.chart is None else _chart(step.chart),
    }


def _words(words: Words) -> dict[str, str]:
    return {"ko": words.ko, "en": words.en}


def _figure(figure: Figure) -> dict[str, Any]:
    return {"name": _words(figure.name), "value": plain(figure.value), "unit": figure.unit}


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "title": _words(chart.title),
        "times": [instant_text(time) for time in chart.times],
        "values": plain(list(chart.values)),
        "unit": chart.unit,
        "shaded": plain(list(chart.shaded)),
        "source": chart.source,
        "note": chart.note,
    }


@dataclass(frozen=True)
class BundleCheck:
    """What an offline check of a trace bundle found; `findings` name the step and what is wrong."""

    ok: bool
    checked: int
    findings: tuple[str, ...]


def verify_trace_bundle(content: Mapping[str, Any], public_key: bytes | None = None) -> BundleCheck:
    """Check every proof of a trace bundle, and that no step lost its proof or its neighbour.

    Without `public_key` each proof is held against the key it carries. Never raises for bad input.
    """
    try:
        steps, links, proofs = content["steps"], content["links"], content["proofs"]
        if content["format"] != FORMAT:
            raise ValueError
        findings: list[str] = []
        seen = set()
        for bundle in proofs:
            check = proof.verify_bundle(bundle, public_key)
            seen.add((str(bundle.get("kind")), str(bundle.get("id"))))
            where = f"{bundle.get('kind')} {bundle.get('id')}"
            findings += [f"{where}: {finding}" for finding in check.findings]
        for step in steps:
            leaf = step["leaf"]
            if step["state"] == "sealed" and (
                leaf is None or (leaf["kind"], leaf["id"]) not in seen
            ):
                findings.append(f"{step['kind']} {step['id']}: its proof is missing")
            if step["state"] == "failed":
                findings.append(f"{step['kind']} {step['id']}: the row is not what was sealed")
        findings += _dangling(steps, links)
    except (KeyError, TypeError, ValueError, AttributeError):
        return BundleCheck(False, 0, ("not a trace bundle of this format",))
    return BundleCheck(not findings, len(proofs), tuple(findings))


def _dangling(steps: list[Any], links: list[Any]) -> list[str]:
    keys = {step["key"] for step in steps}
    return [
        f"link {link['later']} ← {link['earlier']}: a step of it is missing"
        for link in links
        if link["later"] not in keys or link["earlier"] not in keys
    ]
