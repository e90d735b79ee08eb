"""What kind of programme a claim serves: decided by the database's function, told here too."""

from onsil.core.refusal import Refusal
from onsil.footprint.terms import Run

KINDS: dict[str, tuple[str, str]] = {
    "compliance": ("배출권거래제·외부사업", "Compliance market"),
    "voluntary": ("자발적 탄소시장", "Voluntary market"),
    "rec": ("재생에너지 인증", "Renewable energy certificates"),
    "citizen": ("시민 보상", "Citizens' rewards"),
    "dr": ("수요반응", "Demand response"),
    "contract": ("에너지 절약 계약", "Energy performance contract"),
    "inventory": ("온실가스 인벤토리", "Greenhouse-gas inventory"),
    "disclosure": ("공시", "Disclosure"),
    "other": ("도시 자체 사업", "The city's own programme"),
}
UNIT_KINDS = ("compliance", "voluntary", "rec")
_PROGRAMMES = {
    "kr-offset": "compliance", "kr-ets": "compliance", "koc": "compliance",
    "voluntary": "voluntary", "gold-standard": "voluntary", "forest-carbon": "voluntary",
    "vcm": "voluntary", "vm0047": "voluntary",
    "rec": "rec", "kr-rec": "rec", "re100": "rec",
    "citizen-reward": "citizen", "household-saving": "citizen", "household": "citizen",
    "dr": "dr", "kr-dr": "dr", "esco": "contract",
    "inventory": "inventory", "disclosure": "disclosure",
}  # fmt: skip


def known_programmes() -> list[str]:
    """The programmes whose kind is known by name."""
    return sorted(_PROGRAMMES)


def kind_of(programme: str) -> str:
    """The kind of a programme, one of `KINDS`; `other` for the city's own, which never sells units.

    The database decides by `footprint_programme_kind`, which a test holds against this.
    """
    return _PROGRAMMES.get(programme, "other")


def not_creditable(found: Run, programme: str) -> Refusal:
    """A refusal for tonnes that may be rewarded and never become units."""
    return Refusal(
        "not-creditable",
        f"{found.methodology} 방법론의 감축량은 보상에만 쓸 수 있고 {programme}의 배출권이 될 수 "
        "없습니다. 행동 변화와 단순한 사용량 감소는 외부사업에서 제외됩니다.",
        f"What {found.methodology} finds may be rewarded and never becomes units of {programme}: "
        "changes of behaviour and mere cuts of output are excluded there.",
        {"run": str(found.id), "methodology": found.methodology, "programme": programme,
         "kind": kind_of(programme)},
    )  # fmt: skip
