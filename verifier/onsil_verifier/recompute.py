"""Calculating again, in the form in which the run was written."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any

from onsil_verifier.archive import Bundle
from onsil_verifier.canonical import canonical
from onsil_verifier.given import given
from onsil_verifier.methods import NotMeasurable, known

FIFTY = Context(prec=50, rounding=ROUND_HALF_EVEN)
FORM_1, FORM_2 = "onsil-run-1", "onsil-run-2"


class NotCovered(Exception):
    """A methodology, or a form of run, that this program does not know."""


def recompute(bundle: Bundle) -> bytes:
    """The bytes of the outputs as this program finds them. Raises NotCovered, and Refused where
    the methodology would have said no."""
    stated = bundle.inputs["methodology"]
    method = known().get((stated["id"], stated["version"]))
    form = bundle.inputs["format"]
    if method is None or form not in (FORM_1, FORM_2):
        raise NotCovered(f"{stated['id']} {stated['version']} ({form})")
    with localcontext(FIFTY):
        found = method(given(bundle))
        if isinstance(found, NotMeasurable):
            return canonical(_not_measurable(found, form))
        return canonical(_quantified(found, form))


def _quantified(found: dict[str, Any], form: str) -> dict[str, Any]:
    said = {"format": form, "status": "quantified", **found}
    if form == FORM_2:
        return said
    lines = [
        {"meter": one["meter"], "quantity": one["quantity"], "amount_wh": one["amount"]}
        for one in found["lines"]
    ]
    whole = sum((one["amount_wh"] for one in lines), Decimal(0))
    return {**said, "lines": lines, "energy_wh": whole}


def _not_measurable(found: NotMeasurable, form: str) -> dict[str, Any]:
    nothing = None if form == FORM_2 else Decimal(0)
    said = {
        "format": form, "status": "not-yet-measurable", "co2e_t": nothing, "gases_kg": None,
        "lines": [],
        "refusal": {
            "code": "not-yet-measurable", "ko": found.ko, "en": found.en, "facts": found.facts,
        },
    }  # fmt: skip
    return said if form == FORM_2 else {**said, "energy_wh": Decimal(0)}
