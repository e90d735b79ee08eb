"""The plan's figures against their targets: pure rules over what the rooms measured.

A figure is either measured, with its value and time, or not, with what is missing. Nothing is
guessed in between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

# Below the target but at least this share of it is "watch"; lower is "bad".
WATCH_FROM = Decimal("0.8")
# Figures that describe running operation can be bad today; the others grow towards their target.
OPERATING = frozenset({"linkage-rate", "app-use"})


@dataclass(frozen=True)
class Measured:
    """What a room found: value in the target's unit, when, its course, where its rows are."""

    value: Decimal
    at: datetime
    trend: tuple[Decimal | None, ...] = ()
    href: str = ""
    method_ko: str = ""
    method_en: str = ""


@dataclass(frozen=True)
class Missing:
    """Why a figure cannot be measured yet, and what would have to be there."""

    ko: str
    en: str


@dataclass(frozen=True)
class Kpi:
    """A figure of the plan as shown; `share` of the target reached, None when unmeasured."""

    measure: str
    green: str
    label: str
    unit: str
    target: Decimal
    target_text: str
    owner: str
    measured: bool
    value: str = ""
    exact: Decimal | None = None
    status: str = ""
    status_word: str = ""
    share: Decimal | None = None
    missing: str = ""
    method: str = ""
    at: datetime | None = None
    trend: tuple[Decimal | None, ...] = ()
    trend_label: str = ""
    href: str = ""

    @property
    def share_capped(self) -> str:
        """The share as a bar's length, 0 to 100."""
        return "0" if self.share is None else f"{min(max(self.share, Decimal(0)), 1) * 100:.1f}"


@dataclass(frozen=True)
class Words:
    """The page's words for figures, in one language."""

    language: str = "ko"
    reached: str = "달성"
    progress: str = "진행 {percent}%"
    below: str = "목표 미달"
    near: str = "목표 가까움"
    not_reached: str = "아직"
    owner: str = "{green} 담당"
    units: Mapping[str, str] = field(default_factory=dict)


KOREAN = Words(
    units={
        "percent": "%", "building": "동", "certificate": "건", "issuance": "건", "project": "건",
        "source": "개", "data-set": "개", "idea": "건", "tCO2e/year": "tCO₂e",
    }
)  # fmt: skip
ENGLISH = Words(
    language="en", reached="reached", progress="{percent}% of the way", below="below target",
    near="near target", not_reached="not yet", owner="{green} lead",
    units={
        "percent": "%", "building": "buildings", "certificate": "", "issuance": "", "project": "",
        "source": "", "data-set": "", "idea": "", "tCO2e/year": "tCO₂e",
    },
)  # fmt: skip
GREENS = {
    "building": ("그린빌딩", "Green Building"), "water": ("그린워터", "Green Water"),
    "forest": ("그린포레스트", "Green Forest"), "reuse": ("그린리유즈", "Green Reuse"),
    "citizen": ("그린시티즌", "Green Citizen"), "footprint": ("그린풋프린트", "Green Footprint"),
    "hub": ("그린허브", "Green Hub"),
}  # fmt: skip


def judge(measure: str, share: Decimal) -> str:
    """good, watch or bad for running operation; good or info (still growing) for the rest."""
    if share >= 1:
        return "good"
    if measure not in OPERATING:
        return "info"
    return "watch" if share >= WATCH_FROM else "bad"


def number(value: Decimal) -> str:
    """At most one place, grouped by thousands; parts of one keep three digits."""
    if 0 < value < Decimal("0.01"):
        return "< 0.01"
    if 0 < abs(value) < 1:
        return f"{value:.3g}"
    text = f"{value:,.1f}"
    return text.removesuffix(".0")


def read(
    plan: Sequence[Mapping[str, Any]],
    found: Mapping[str, Measured | Missing],
    language: str = "ko",
) -> list[Kpi]:
    """Every figure of the plan, in the plan's order; one that no room answers for is missing."""
    words = ENGLISH if language.startswith("en") else KOREAN
    silent = Missing("이 값을 재는 방이 아직 없습니다.", "No room measures this yet.")
    return [_one(line, found.get(line["measure"], silent), words) for line in plan]


def _one(line: Mapping[str, Any], result: Measured | Missing, words: Words) -> Kpi:
    english = words.language == "en"
    target = Decimal(str(line["target"]))
    unit = words.units.get(line["unit"], str(line["unit"]))
    green = GREENS.get(line["green"], (line["green"], line["green"]))[english]
    base = {
        "measure": line["measure"], "green": line["green"], "unit": unit, "target": target,
        "label": line["en" if english else "ko"], "target_text": _target(line, target, unit, words),
        "owner": line.get("owner_en" if english else "owner_ko") or words.owner.format(green=green),
    }  # fmt: skip
    if isinstance(result, Missing):
        return Kpi(**base, measured=False, missing=result.en if english else result.ko)
    share = result.value / target if target else Decimal(1)
    status = judge(line["measure"], share)
    return Kpi(
        **base, measured=True, value=number(result.value), exact=result.value, share=share,
        status=status, status_word=_status_word(status, share, line, words), at=result.at,
        method=result.method_en if english else result.method_ko, trend=result.trend,
        trend_label=" → ".join(number(v) for v in _ends(result.trend)), href=result.href,
    )  # fmt: skip


def _ends(trend: tuple[Decimal | None, ...]) -> list[Decimal]:
    known = [v for v in trend if v is not None]
    return [known[0], known[-1]] if known else []


def _status_word(status: str, share: Decimal, line: Mapping[str, Any], words: Words) -> str:
    if status == "good":
        return words.reached
    if status == "info":
        if line["direction"] == "reached":
            return words.not_reached
        return words.progress.format(percent=number((share * 100).quantize(Decimal("0.1"))))
    return words.near if status == "watch" else words.below


def _target(line: Mapping[str, Any], target: Decimal, unit: str, words: Words) -> str:
    amount = f"{number(target)}{'' if unit in ('%', '동', '건', '개') else ' '}{unit}".strip()
    if line["direction"] == "reduce-by":
        return f"−{amount}"
    if line["direction"] == "reached":
        return amount
    return f"≥ {amount}"
