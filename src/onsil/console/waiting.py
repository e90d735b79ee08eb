"""What waits for whom: the numbers beside the menu's entries."""

from collections.abc import Callable, Iterable

from onsil.citizen.models import Merchant, Refund, Role, Settlement
from onsil.footprint.waiting import waiting_work
from onsil.tenancy import transaction

# Kind of work: the entry it stands at, and who may do it. Others see no number.
_DOERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "monitoring": ("projects", (Role.APPROVER,)),
    "registry_action": ("registry-desk", (Role.APPROVER,)),
    "factor_import": ("factors", (Role.OFFICIAL, Role.APPROVER)),
    "offer": ("market", (Role.OFFICIAL,)),
    "escrowed_order": ("market", (Role.APPROVER,)),
    "review": ("targets", (Role.APPROVER,)),
    "inventory": ("inventory", (Role.APPROVER,)),
    "merchant": ("shops", (Role.OFFICIAL, Role.APPROVER)),
    "settlement": ("shops", (Role.APPROVER,)),
    "refund_asked": ("refunds", (Role.OFFICIAL, Role.APPROVER)),
    "refund_approved": ("refunds", (Role.APPROVER,)),
}
_CITIZEN: dict[str, Callable[[str], int]] = {
    "merchant": lambda city: Merchant.objects.filter(
        city=city, state=Merchant.State.APPLIED
    ).count(),
    "settlement": lambda city: Settlement.objects.filter(
        city=city, released_at__isnull=True
    ).count(),
    "refund_asked": lambda city: Refund.objects.filter(city=city, stage=Refund.Stage.ASKED).count(),
    "refund_approved": lambda city: Refund.objects.filter(
        city=city, stage=Refund.Stage.APPROVED
    ).count(),
}


def counts(city: str, roles: Iterable[str]) -> dict[str, int]:
    """By entry, how much waits for somebody of these roles; nothing is asked for the others."""
    mine = {kind: entry for kind, (entry, who) in _DOERS.items() if set(roles) & set(who)}
    if not mine:
        return {}
    with transaction(city) as conn:
        found = waiting_work(conn, city)
    found |= {kind: count(city) for kind, count in _CITIZEN.items() if kind in mine}
    made: dict[str, int] = {}
    for kind, entry in mine.items():
        made[entry] = made.get(entry, 0) + found[kind]
    return made
