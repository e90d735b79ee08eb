"""The sentences people read: why paid, why only in part, why not. Korean and English, one place."""

from onsil.rewards.terms import CapRoom, ProgrammeTerms, Reason, Window

# Decisions for these reasons are looked at again when there may be money.
WANTING_MONEY = ("no-budget", "budget-exhausted", "ledger-refused")


def grouped(number: int) -> str:
    """A whole number with commas between thousands, as both languages write it."""
    return f"{number:,}"


def cap_reached(terms: ProgrammeTerms, room: CapRoom) -> Reason:
    """The person already has all that the cap allows in its window."""
    limit = grouped(room.limit)
    return Reason(
        f"cap-{room.window.cut}",
        f"{room.window.name.ko}에 받을 수 있는 {limit}포인트를 이미 모두 받아 "
        "더 지급되지 않았습니다.",
        f"Not paid: the {limit} points allowed in {room.window.name.en} were already awarded.",
        {"limit": room.limit, "used": room.used, "window": room.window.key},
    )


def cap_cut(terms: ProgrammeTerms, room: CapRoom, granted: int, due: int) -> Reason:
    """Only what the cap had left was paid."""
    limit = grouped(room.limit)
    return Reason(
        f"cap-{room.window.cut}",
        f"{grouped(due)}포인트 가운데 {room.window.name.ko} 한도 {limit}포인트까지 남은 "
        f"{grouped(granted)}포인트만 지급되었습니다.",
        f"{grouped(granted)} of {grouped(due)} points paid: {room.window.name.en} allows "
        f"{limit} points.",
        {
            "limit": room.limit,
            "used": room.used,
            "due": due,
            "granted": granted,
            "window": room.window.key,
        },
    )


def no_budget(terms: ProgrammeTerms, year: int) -> Reason:
    return Reason(
        "no-budget",
        f"{year}년 예산이 편성되지 않아 지급되지 않았습니다. 예산이 편성되면 다시 심사합니다.",
        f"Not paid: no budget has been set for {year}. It is decided again once there is one.",
        {"year": year},
    )


def budget_empty(terms: ProgrammeTerms, year: int) -> Reason:
    return Reason(
        "budget-exhausted",
        f"{year}년 예산이 모두 소진되어 지급되지 않았습니다. 예산이 늘어나면 다시 심사합니다.",
        f"Not paid: the budget of {year} is used up. It is decided again when more is granted.",
        {"year": year},
    )


def budget_ran_out(terms: ProgrammeTerms, year: int, granted: int, due: int) -> Reason:
    return Reason(
        "budget-exhausted",
        f"{year}년 예산이 소진되어 {grouped(due)}포인트 가운데 남은 {grouped(granted)}포인트만 "
        "지급되었습니다.",
        f"{grouped(granted)} of {grouped(due)} points paid: the budget of {year} ran out.",
        {"year": year, "due": due, "granted": granted},
    )


def difference(basis: Reason, already: int, granted: int) -> Reason:
    """A later look at the same window found more than was paid before."""
    return Reason(
        basis.code,
        f"{basis.ko} 나중에 도착한 자료까지 다시 계산하여, 이미 지급된 {grouped(already)}포인트에 "
        f"{grouped(granted)}포인트를 더 지급했습니다.",
        f"{basis.en} Counted again with data that arrived later: {grouped(granted)} points on top "
        f"of the {grouped(already)} paid before.",
        {**basis.facts, "already": already, "granted": granted},
    )


def nothing_more(window: Window, already: int) -> Reason:
    """Counted again with late data, the window is worth no more than was paid for it."""
    return Reason(
        "nothing-more",
        f"나중에 도착한 자료까지 {window.name.ko}을(를) 다시 계산했으나, 이미 지급된 "
        f"{grouped(already)}포인트보다 더 드릴 것이 없습니다.",
        f"Counted again with data that arrived later, {window.name.en} earns no more than the "
        f"{grouped(already)} points already paid.",
        {"already": already},
    )


def ledger_refused(code: str, ko: str, en: str) -> Reason:
    """The ledger itself said no to an award that had been decided."""
    return Reason(
        "ledger-refused",
        f"결정되었으나 원장에서 지급이 거절되었습니다. {ko}",
        f"Awarded, but the ledger refused the transfer. {en}",
        {"ledger_code": code},
    )
