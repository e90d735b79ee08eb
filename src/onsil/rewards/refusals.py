"""What the services of this room may refuse, in both languages."""

from datetime import date, datetime
from typing import Any

from onsil.core.refusal import Refusal
from onsil.rewards.terms import ProgrammeTerms


def unknown_programme(code: str) -> Refusal:
    return Refusal(
        "unknown-programme",
        f"이 도시에는 '{code}' 프로그램이 없습니다.",
        f"This city has no programme {code!r}.",
        {"programme": code},
    )


def not_in_force(terms: ProgrammeTerms | None, code: str, day: date) -> Refusal:
    name_ko, name_en = (terms.name.ko, terms.name.en) if terms else (code, code)
    return Refusal(
        "programme-not-in-force",
        f"'{name_ko}' 프로그램은 {day.isoformat()}에 시행되지 않았습니다.",
        f"The programme “{name_en}” was not in force on {day.isoformat()}.",
        {"programme": code, "day": day},
    )


def unknown_group(terms: ProgrammeTerms, group: str) -> Refusal:
    return Refusal(
        "unknown-group",
        f"'{terms.name.ko}' 프로그램에는 '{group}' 참여 구분이 없습니다.",
        f"The programme “{terms.name.en}” has no group {group!r}.",
        {"programme": terms.code, "group": group, "groups": sorted(terms.groups)},
    )


def not_eligible(terms: ProgrammeTerms, age: int | None) -> Refusal:
    return Refusal(
        "not-eligible",
        f"'{terms.name.ko}' 프로그램의 참여 나이가 아닙니다.",
        f"This age may not join the programme “{terms.name.en}”.",
        {"programme": terms.code, "age": age},
    )


def group_needed(terms: ProgrammeTerms) -> Refusal:
    return Refusal(
        "group-needed",
        f"'{terms.name.ko}' 프로그램은 참여 구분이나 나이를 알아야 참여할 수 있습니다.",
        f"To join the programme “{terms.name.en}”, say a group or an age.",
        {"programme": terms.code, "groups": sorted(terms.groups)},
    )


def not_enrolled(terms: ProgrammeTerms, at: datetime) -> Refusal:
    return Refusal(
        "not-enrolled",
        f"그때는 '{terms.name.ko}' 프로그램에 참여하고 있지 않았습니다. 참여 신청 뒤의 활동부터 "
        "인정됩니다.",
        f"Not taking part in “{terms.name.en}” at that time. What is done after joining counts.",
        {"programme": terms.code, "at": at},
    )


def wrong_kind(terms: ProgrammeTerms, kind: str) -> Refusal:
    return Refusal(
        "evidence-kind",
        f"'{terms.name.ko}' 프로그램은 '{kind}' 증빙을 받지 않습니다.",
        f"The programme “{terms.name.en}” takes no evidence of the kind {kind!r}.",
        {"programme": terms.code, "kind": kind, "kinds": list(terms.evidence_kinds)},
    )


def level_too_low(terms: ProgrammeTerms, level: str) -> Refusal:
    return Refusal(
        "evidence-level",
        f"'{terms.name.ko}' 프로그램에는 더 확실한 증빙이 필요합니다(최소: {terms.minimum_level}).",
        f"The programme “{terms.name.en}” needs better evidence (at least: {terms.minimum_level}).",
        {"programme": terms.code, "level": level, "minimum": terms.minimum_level},
    )


def bad_quantity(quantity: object) -> Refusal:
    return Refusal(
        "evidence-quantity",
        f"증빙의 양은 0보다 큰 유한한 수여야 합니다: {quantity}",
        f"The quantity of evidence must be a finite number above zero: {quantity}",
        {"quantity": str(quantity)},
    )


def from_the_future(occurred_at: datetime, now: datetime) -> Refusal:
    return Refusal(
        "evidence-future",
        "앞으로의 시각으로 된 증빙은 받을 수 없습니다. 기록한 기기의 시계를 확인하세요.",
        "Evidence cannot come from the future. Check the clock of the device that recorded it.",
        {"occurred_at": occurred_at, "now": now},
    )


def too_late(terms: ProgrammeTerms, occurred_at: datetime) -> Refusal:
    return Refusal(
        "evidence-too-late",
        f"'{terms.name.ko}' 프로그램은 활동 뒤 {terms.accept_days}일까지 도착한 증빙만 받습니다.",
        f"The programme “{terms.name.en}” takes evidence up to {terms.accept_days} days after "
        "the event.",
        {"occurred_at": occurred_at, "accept_days": terms.accept_days},
    )


def out_of_season(terms: ProgrammeTerms, day: date) -> Refusal:
    return Refusal(
        "out-of-season",
        f"{day.isoformat()}은(는) '{terms.name.ko}' 프로그램의 시행 기간이 아닙니다.",
        f"{day.isoformat()} lies outside the season of the programme “{terms.name.en}”.",
        {"programme": terms.code, "day": day},
    )


def claim_needed(terms: ProgrammeTerms) -> Refusal:
    return Refusal(
        "claim-needed",
        f"'{terms.name.ko}' 프로그램은 먼저 감축량이 확정(claim)된 증빙만 받습니다.",
        f"The programme “{terms.name.en}” takes only evidence whose reduction was claimed first.",
        {"programme": terms.code},
    )


def claim_unknown(claim_id: object, programme: str) -> Refusal:
    return Refusal(
        "claim-unknown",
        f"'{programme}' 프로그램을 위한 확정(claim) {claim_id}이(가) 이 도시에 없습니다.",
        f"This city has no claim {claim_id} for the programme {programme!r}.",
        {"claim": str(claim_id), "programme": programme},
    )


def key_reused(key: str) -> Refusal:
    return Refusal(
        "evidence-key-reused",
        "같은 번호의 다른 증빙이 이미 있습니다. 먼저 받은 것이 그대로 유효합니다.",
        "Other evidence already has this key. The one received first stands.",
        {"key": key},
    )


def reference_used(source: str, reference: str) -> Refusal:
    return Refusal(
        "evidence-used",
        "이 기록은 이미 다른 증빙으로 쓰였습니다. 한 번만 인정됩니다.",
        "This record has already served as evidence. It counts once.",
        {"source": source, "reference": reference},
    )


def budget_below_spent(code: str, year: int, source: str, wanted: int, used: int) -> Refusal:
    return Refusal(
        "budget-below-spent",
        f"'{code}' {year}년 예산({source})은 이미 쓴 {used:,}원보다 작게 줄일 수 없습니다.",
        f"The budget of {code!r} for {year} ({source}) cannot fall below the {used:,} won spent.",
        {"programme": code, "year": year, "source": source, "wanted": wanted, "used": used},
    )


def bad_amount(amount: int) -> Refusal:
    return Refusal(
        "amount-not-positive",
        f"예산에 더할 금액은 1원 이상이어야 합니다: {amount:,}원",
        f"The sum to put into a budget must be one won or more: {amount:,}",
        {"amount": amount},
    )


def windows_decided(terms: ProgrammeTerms, cut: str, day: date) -> Refusal:
    return Refusal(
        "windows-decided",
        f"'{terms.code}' 프로그램은 이미 {cut} 단위로 심사한 기간이 있어 심사 단위를 "
        f"{terms.cut}(으)로 바꿀 수 없습니다. {day.isoformat()} 이후에 시작하는 파일을 따로 "
        "만드세요.",
        f"{terms.code!r} has windows already decided by {cut}, so the cut cannot become "
        f"{terms.cut} for them. Write a file of its own that is effective from {day.isoformat()} "
        "or later.",
        {"programme": terms.code, "cut": terms.cut, "decided_cut": cut, "from": day},
    )


def unknown_award(award_id: Any) -> Refusal:
    return Refusal(
        "unknown-award",
        "이 도시에 그런 지급 결정이 없습니다.",
        "This city has no such award.",
        {"award": str(award_id)},
    )
