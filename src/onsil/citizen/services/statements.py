"""How a statement is written for a reader of this city: names, seal, labels."""

from collections.abc import Iterable
from typing import Any

from onsil import proof
from onsil.citizen.models import Merchant
from onsil.configuration import configuration
from onsil.core.database import Connection
from onsil.ledger import reconciliation
from onsil.ledger.statements import Paper, Seal
from onsil.rewards.models import Evidence
from onsil.tenancy.cities import city as city_profile


def paper(
    conn: Connection, city: str, reader: Any, language: str, holder: str, how_to_verify: str
) -> Paper:
    """The paper for one reader ("citizen", "merchant" or "official"). A shop is told of no other
    shop; simulated data are labelled on every page."""
    profile = city_profile(city)
    shops = [] if reader == "merchant" else Merchant.objects.filter(city=city)
    return Paper(
        reader, language, profile.zone, profile.name(language), profile.currency(language), holder,
        names_of(shops, reader), seal(conn, city), how_to_verify,
        _labels(conn, city, english=language.startswith("en")),
    )  # fmt: skip


def names_of(shops: Iterable[Merchant], reader: str) -> dict[str, str]:
    """Shops' names by account code; what they are owed by theirs for officials."""
    named = {f"merchant:{shop.pk}": shop.name for shop in shops}
    if reader == "official":
        named |= {code.replace("merchant:", "payable:"): name for code, name in named.items()}
    return named


def seal(conn: Connection, city: str) -> Seal | None:
    """The transparency log's newest checkpoint."""
    state = proof.status(conn, city, configuration().log_home)
    if state.checkpoint is None:
        return None
    point = state.checkpoint
    return Seal(point.origin, point.size, point.root.hex(), state.signed_at)


def _labels(conn: Connection, city: str, *, english: bool) -> tuple[str, ...]:
    simulated = (
        Evidence.objects.filter(city=city, simulated=True).exists()
        or reconciliation.has_simulated(conn, city)
    )  # fmt: skip
    if not simulated:
        return ()
    return (
        ("This city's books hold simulated data for demonstration.",)
        if english
        else ("이 도시의 장부에는 시연을 위해 모의로 만든 자료가 들어 있습니다.",)
    )
