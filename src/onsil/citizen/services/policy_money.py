"""Policy money in bulk: a list is uploaded and checked, a second person lets it go, all or none.

The rows that are good are posted as one chain, so a list is paid whole or not at all; asked again,
it is the same list.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from onsil import ledger, proof
from onsil.citizen import policy_list, refusals
from onsil.citizen.models import PolicyGrant, PolicyRow, Residency
from onsil.citizen.policy_list import Defaults
from onsil.citizen.services import postings, rulebook
from onsil.citizen.services.postings import SYSTEM, wallet_account
from onsil.core.canonical import digest
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.ledger.rules import names, policy_money
from onsil.ledger.rules.policy_money import PolicyRule, Row, RowResult
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

State = PolicyGrant.State
_PATIENCE_S = 60.0
_BATCH = 2000


def upload(
    form_id: UUID, title: str, file_name: str, content: bytes, defaults: Defaults, *,
    actor: str, clock: Clock = SYSTEM,
) -> PolicyGrant | Refusal:  # fmt: skip
    """Read a list and judge every row; nothing is paid. The same form again is the same list.

    Refusals: those of `policy_list.read`, `form-used`.
    """
    city = current_city()
    rule = _rule(clock)
    lines = policy_list.read(content, _filled(defaults, rule), rule.rows)
    if isinstance(lines, Refusal):
        return lines
    rows = [line.row for line in lines]
    listed = digest([[r.person, r.amount, r.fund, r.last_day, r.merchant_rule] for r in rows])
    results = _check(rows, rule, clock)
    with transaction() as tx:
        made, fresh = PolicyGrant.objects.get_or_create(
            pk=form_id,
            defaults={
                "city": city, "title": title[:120], "file_name": file_name[:200],
                "digest": listed, "rows": len(rows), "good": sum(r.good for r in results),
                "total": policy_money.total(results), "made_by": actor, "made_at": clock.now(),
            },
        )  # fmt: skip
        if not fresh:
            return made if (made.city, made.digest) == (city, listed) else refusals.form_used()
        PolicyRow.objects.bulk_create(
            [_row(made, line, result) for line, result in zip(lines, results, strict=True)],
            batch_size=_BATCH,
        )
        _audit(tx, made, actor, "policy-grant.uploaded")
    return made


def ask(grant_id: UUID, *, actor: str, clock: Clock = SYSTEM) -> PolicyGrant | Refusal:
    """Ask a second person to let a checked list go. Safe to repeat.

    Refusals: `policy-nobody-to-pay`, `policy-over-limit`, `policy-file-used`,
    `decision-out-of-turn`.
    """
    limit = _rule(clock).grant_krw
    with transaction() as tx:
        grant = _locked(grant_id)
        if grant.state == State.ASKED:
            return grant
        if grant.state != State.CHECKED:
            return refusals.decision_out_of_turn(grant.state)
        if not grant.good:
            return refusals.policy_nobody_to_pay()
        if grant.total > limit:
            return refusals.policy_over_limit(grant.total, limit)
        tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"grant:{grant.digest}",)
        )
        taken = (State.ASKED, State.APPROVED, State.PAID)
        twin = PolicyGrant.objects.filter(
            city=grant.city, digest=grant.digest, state__in=taken
        ).first()
        if twin is not None:
            return refusals.policy_file_used(twin.title)
        grant.state = State.ASKED
        grant.save(update_fields=["state"])
        _audit(tx, grant, actor, "policy-grant.asked")
    return grant


def decide(
    grant_id: UUID, approve: bool, *, actor: str, reason: str = "", clock: Clock = SYSTEM,
    patience_s: float = _PATIENCE_S,
) -> PolicyGrant | Refusal:  # fmt: skip
    """Let a list go or return it; not by who uploaded it. Safe to repeat.

    Refusals: `maker-is-checker`, `decision-out-of-turn`, `policy-reason-missing`,
    `policy-list-changed` when a row that was good is not any more.
    """
    now = clock.now()
    with transaction() as tx:
        grant = _locked(grant_id)
        if grant.made_by == actor:
            return refusals.maker_is_checker()
        if grant.state == State.ASKED:
            if not approve and not reason.strip():
                return refusals.policy_reason_missing()
            results = _results(grant)
            spoilt = _spoilt(results, clock) if approve else 0
            if spoilt:
                return refusals.policy_list_changed(spoilt)
            grant.state = State.APPROVED if approve else State.RETURNED
            grant.decided_by, grant.decided_at = actor, now
            grant.reason = "" if approve else reason.strip()[:300]
            grant.save(update_fields=["state", "decided_by", "decided_at", "reason"])
            _audit(tx, grant, actor, f"policy-grant.{grant.state}")
            if approve:
                _submit(tx, grant, results, now)
        elif grant.state not in (State.APPROVED, State.PAID, State.REFUSED) or not approve:
            return refusals.decision_out_of_turn(grant.state)
    return settle(grant, patience_s=patience_s)


def settle(grant: PolicyGrant, *, patience_s: float = 0) -> PolicyGrant:
    """Look for the ledger's answers to a list that was let go, and write them to its rows."""
    if grant.state != State.APPROVED:
        return grant
    rows = list(PolicyRow.objects.filter(grant=grant, problem="").order_by("number"))
    keys = [_cover_key(grant), *(_key(grant, row) for row in rows)]
    if patience_s:
        ledger.wait(postings.dsn(), grant.city, keys[-1:], patience_s)
    with transaction() as tx:
        fresh = _locked(grant.pk)
        if fresh.state != State.APPROVED:
            return fresh
        answers = ledger.answers(tx, fresh.city, keys)
        if any(key not in answers or answers[key].state == "pending" for key in keys):
            return fresh
        cover = answers[keys[0]]
        for row, key in zip(rows, keys[1:], strict=True):
            _note(row, answers[key])
        PolicyRow.objects.bulk_update(
            rows, ["transfer_id", "refusal_code", "refusal_ko", "refusal_en"], batch_size=_BATCH
        )
        fresh.state = State.PAID if cover else State.REFUSED
        if fresh.state == State.REFUSED:
            no = _blame(answers.values())
            fresh.refusal_ko, fresh.refusal_en = no.ko, no.en
        fresh.save(update_fields=["state", "refusal_ko", "refusal_en"])
        _audit(tx, fresh, fresh.decided_by, f"policy-grant.{fresh.state}")
    return fresh


def add_budget(
    form_id: UUID, fund: str, won: int, *, actor: str, clock: Clock = SYSTEM
) -> ledger.Answer | Refusal:
    """Bring won from the city's bank account to a fund's budget. The same form again is the same.

    Refusals: `policy-fund-malformed`, `policy-budget-amount`; the ledger's own in the answer.
    """
    if not re.fullmatch(policy_money.FUND, fund):
        return refusals.policy_fund_malformed()
    if won < 1:
        return refusals.policy_budget_amount()
    city, key = current_city(), f"policy-budget:{form_id}"
    account = names.policy_budget(fund)
    request = ledger.TransferRequest(
        key=key, kind="fund", memo=f"policy {fund}", origin_kind="policy-budget",
        legs=(ledger.Leg(names.BANK, account, names.KRW, won),), origin_id=str(form_id),
    )  # fmt: skip
    with transaction() as tx:
        ledger.open_accounts(tx, city, [*postings.city_accounts(city), _budget(fund)])
        told = ledger.submit(tx, city, [request])[key]
        if told.state == "pending":
            proof.audit(
                tx, city, actor, "policy-budget.added", "account", account, None, {"krw": won}
            )
    if told.state != "pending":
        return told
    return ledger.wait(postings.dsn(), city, [key], _PATIENCE_S).get(key, told)


def budgets() -> dict[str, int]:
    """Won left per fund of policy money, by the fund's code."""
    prefix = names.policy_budget("")
    with transaction() as tx:
        found = ledger.accounts(tx, current_city(), asset=names.KRW, prefix=prefix)
    return {account.code.removeprefix(prefix): account.balance for account in found}


def grants(limit: int = 100) -> list[PolicyGrant]:
    """The city's lists, newest first; those let go with their newest state."""
    found = PolicyGrant.objects.filter(city=current_city()).order_by("-made_at")[:limit]
    return [settle(grant) for grant in found]


def grant(grant_id: UUID) -> PolicyGrant | None:
    """One list with its newest state; None when the city has none such."""
    found = PolicyGrant.objects.filter(city=current_city(), pk=grant_id).first()
    return None if found is None else settle(found)


def _rule(clock: Clock) -> PolicyRule:
    return rulebook.rules_at(city_profile(current_city()), clock.now()).policy


def _filled(defaults: Defaults, rule: PolicyRule) -> Defaults:
    return Defaults(defaults.fund, defaults.last_day, defaults.merchant_rule or rule.merchant_rule)


def _check(rows: list[Row], rule: PolicyRule, clock: Clock) -> tuple[RowResult, ...]:
    today = local_day(clock.now(), city_profile(current_city()).zone)
    return policy_money.check(rows, _wallets(row.person for row in rows), rule, today)


def _wallets(people: Iterable[str]) -> dict[str, str]:
    """The wallets of those residents of the city that e-mail addresses or wallet ids name."""
    asked = sorted(set(people) - {""})
    ids = {one: _uuid(one) for one in asked}
    found: dict[str, str] = {}
    residents = Residency.objects.filter(city=current_city())
    for start in range(0, len(asked), _BATCH):
        part = asked[start : start + _BATCH]
        emails = [one for one in part if ids[one] is None]
        for email, user in residents.filter(user__email__in=emails).values_list(
            "user__email", "user_id"
        ):
            found[email] = wallet_account(user)
        wanted = {ids[one]: one for one in part if ids[one] is not None}
        for user in residents.filter(user_id__in=list(wanted)).values_list("user_id", flat=True):
            found[wanted[user]] = wallet_account(user)
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _row(grant: PolicyGrant, line: policy_list.Line, result: RowResult) -> PolicyRow:
    row = line.row
    return PolicyRow(
        id=new_id(), city=grant.city, grant=grant, number=row.number, person=row.person[:254],
        account=result.account, written_amount=line.written, amount=row.amount,
        fund=row.fund[:40], last_day=row.last_day, merchant_rule=row.merchant_rule[:40],
        problem=result.problem,
    )  # fmt: skip


def _results(grant: PolicyGrant) -> tuple[RowResult, ...]:
    rows = PolicyRow.objects.filter(grant=grant, problem="").order_by("number")
    return tuple(
        RowResult(Row(r.number, r.person, r.amount, r.fund, r.last_day, r.merchant_rule), r.account)
        for r in rows
    )


def _spoilt(results: tuple[RowResult, ...], clock: Clock) -> int:
    """How many rows could no longer be paid as they were checked."""
    again = _check([r.row for r in results], _rule(clock), clock)
    return sum(
        not now.good or now.account != before.account
        for before, now in zip(results, again, strict=True)
    )


def _submit(
    tx: Connection, grant: PolicyGrant, results: tuple[RowResult, ...], now: datetime
) -> None:
    city = grant.city
    funds = {_budget(r.row.fund) for r in results}
    ledger.open_accounts(tx, city, [*postings.city_accounts(city), *funds])
    requests = policy_money.requests(
        results=results, city=city, grant_id=str(grant.pk), at=now, zone=city_profile(city).zone
    )
    ledger.submit(tx, city, requests)


def _budget(fund: str) -> ledger.AccountSpec:
    return ledger.AccountSpec(names.policy_budget(fund), names.KRW, "budget")


def _cover_key(grant: PolicyGrant) -> str:
    return f"grant:{grant.pk}:cover"


def _key(grant: PolicyGrant, row: PolicyRow) -> str:
    return f"grant:{grant.pk}:{row.number}"


def _note(row: PolicyRow, answer: ledger.Answer) -> None:
    row.transfer_id = answer.transfer_id
    if answer.refusal is not None:
        no = answer.refusal
        row.refusal_code, row.refusal_ko, row.refusal_en = no.code, no.ko, no.en


def _blame(answers: Iterable[ledger.Answer]) -> Refusal:
    """Why the chain was refused: the refusal that does not merely follow from another."""
    found = [a.refusal for a in answers if a.refusal is not None]
    return next((no for no in found if no.code != "linked-failed"), found[0])


def _locked(grant_id: UUID) -> PolicyGrant:
    return PolicyGrant.objects.select_for_update().get(city=current_city(), pk=grant_id)


def _audit(tx: Connection, grant: PolicyGrant, actor: str, action: str) -> None:
    facts = {"title": grant.title, "rows": grant.good, "total_krw": grant.total,
             "sha256": grant.digest, "reason": grant.reason}  # fmt: skip
    proof.audit(tx, grant.city, actor, action, "policy-grant", str(grant.pk), None, facts)
