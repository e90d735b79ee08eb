"""A person's right to be erased, against the duty to keep records of money: both, one by one.

What says who somebody is goes at once: name, address, residence, how they sign in. What happened
stays as long as the law wants it, under an identifier that leads to nobody any more; when its time
is over, the salts of its leaves and what tells the rows apart go too (`erase_due`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from onsil import ledger, proof
from onsil.citizen.models import Member, Membership, Residency, User
from onsil.citizen.retention import FILE, Kept, kept, read_retention
from onsil.citizen.services.postings import SYSTEM, wallet_account
from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import Refusal
from onsil.rewards.models import Award, CapCounter, Enrolment
from onsil.tenancy import ALL_CITIES, city_scope, current_city, transaction
from onsil.tenancy.cities import city as city_profile

BASIS = "개인정보 보호법 제36조"
_NOBODY = "erased.invalid"
_PAGE = 500


@dataclass(frozen=True)
class PersonalLeaf:
    """A logged record that names a person, and until when it is kept."""

    kind: str
    subject_id: UUID
    at: datetime
    kept: Kept


@dataclass(frozen=True)
class PersonErasure:
    """What was erased now, what stays under an identifier of nobody, and until when the last of
    it does (None when nothing stays, or a record has no rule by which it may go)."""

    erased: int
    staying: int
    free_from: date | None


def leaves_of(tx: Connection, city: str, person: UUID) -> list[PersonalLeaf]:
    """Every leaf that names a person: awards, and transfers from or to an account of theirs."""
    profile = city_profile(city)
    rules = read_retention(profile.folder / FILE)
    found = [("award", pk, at) for pk, at in _awards(city, person)]
    found += [("transfer", pk, at) for pk, at in _transfers(tx, city, person)]
    return [
        PersonalLeaf(kind, pk, at, kept(rules, kind, at.astimezone(profile.zone).date()))
        for kind, pk, at in found
    ]


def _awards(city: str, person: UUID) -> Iterator[tuple[UUID, datetime]]:
    yield from Award.objects.filter(city=city, person=person).values_list("pk", "awarded_at")


def _transfers(tx: Connection, city: str, person: UUID) -> Iterator[tuple[UUID, datetime]]:
    seen: set[UUID] = set()
    code = wallet_account(person)
    for account in ledger.accounts(tx, city, prefix=code):
        before: UUID | None = None
        while page := ledger.statement(tx, city, code, account.asset, _PAGE, before):
            for entry in page:
                if entry.transfer_id not in seen:
                    seen.add(entry.transfer_id)
                    yield entry.transfer_id, entry.at
            before = page[-1].transfer_id


def erase_person(
    person: User, *, actor: str, basis: str = BASIS, clock: Clock = SYSTEM
) -> PersonErasure | Refusal:
    """Erase what may be erased of a person in the city at work, and hide who they were.

    Doing it again erases what has become due since. Refuses with `wallet-not-empty`: the money has
    to be spent, given or refunded first.
    """
    city = current_city()
    with transaction() as tx:
        no = _money_left(tx, city, person.pk)
        if no is not None:
            return no
        done = _erase_due(tx, city, person.pk, actor, basis, clock)
        _hide(city, person)
        proof.audit(
            tx, city, actor, "person.erased", "user", str(person.pk), None,
            {"basis": basis, "erased": done.erased, "staying": done.staying,
             "free_from": done.free_from},
        )  # fmt: skip
    return done


def erase_record(
    kind: str, subject_id: UUID, person: User, *, actor: str, basis: str = BASIS,
    clock: Clock = SYSTEM,
) -> proof.Erased | Refusal:  # fmt: skip
    """Erase one record of a person. Refuses with `not-theirs`, or `must-be-kept` with the date
    from which it is possible."""
    city = current_city()
    with transaction() as tx:
        found = [
            leaf
            for leaf in leaves_of(tx, city, person.pk)
            if (leaf.kind, leaf.subject_id) == (kind, subject_id)
        ]
        if not found:
            return Refusal(
                "not-theirs",
                "이 사람의 기록이 아닙니다. 식별자를 확인해 주세요.",
                "This is no record of that person. Please check the identifier.",
                {"kind": kind, "id": str(subject_id)},
            )
        today = clock.now().astimezone(city_profile(city).zone).date()
        if not found[0].kept.over(today):
            return _must_be_kept(found[0].kept)
        done = proof.erase(tx, city, kind, subject_id, actor=actor, basis=basis, clock=clock)
        if not isinstance(done, Refusal):
            _forget(tx, city, kind, subject_id)
        return done


def _must_be_kept(held: Kept) -> Refusal:
    rule = held.rule
    if rule is None:
        return Refusal(
            "must-be-kept",
            "이 종류의 기록을 언제 지울 수 있는지 정해진 바가 없어 지우지 않습니다.",
            "No rule says when records of this kind may be erased, so it is not.",
        )
    return Refusal(
        "must-be-kept",
        f"법에 따라 {held.free_from}부터 지울 수 있습니다. 근거: {rule.basis_ko}",
        f"By law it can be erased from {held.free_from} on. Ground: {rule.basis_en}",
        {"free_from": str(held.free_from), "years": rule.years, "confirmed": rule.confirmed},
    )


def _money_left(tx: Connection, city: str, person: UUID) -> Refusal | None:
    held = {
        account.asset: account.balance
        for account in ledger.accounts(tx, city, prefix=wallet_account(person))
        if account.balance and not account.asset.startswith("quota:")
    }
    if not held:
        return None
    return Refusal(
        "wallet-not-empty",
        "지갑에 남은 것이 있습니다. 쓰거나 선물하거나 환불받은 뒤에 지울 수 있습니다.",
        "There is something left in the wallet. Spend it, give it or have it refunded first.",
        {"held": held},
    )


def _erase_due(
    tx: Connection, city: str, person: UUID, actor: str, basis: str, clock: Clock
) -> PersonErasure:
    today = clock.now().astimezone(city_profile(city).zone).date()
    leaves = leaves_of(tx, city, person)
    due = [leaf for leaf in leaves if leaf.kept.over(today)]
    staying = [leaf for leaf in leaves if not leaf.kept.over(today)]
    done = proof.erase_many(
        tx, city, [(leaf.kind, leaf.subject_id) for leaf in due],
        actor=actor, basis=basis, clock=clock,
    )  # fmt: skip
    assert not isinstance(done, Refusal), done  # what names a person has been logged
    for leaf in due:
        _forget(tx, city, leaf.kind, leaf.subject_id)
    dates = [leaf.kept.free_from for leaf in staying]
    known = [day for day in dates if day is not None]
    last = max(known) if known and len(known) == len(dates) else None
    return PersonErasure(sum(one.now for one in done), len(staying), last)


def _forget(tx: Connection, city: str, kind: str, subject_id: UUID) -> None:
    """Blank what a row says of the person. A transfer says no more than an account of nobody."""
    if kind == "award":
        with cursor(tx) as run:
            run.execute("SELECT rewards_forget(%s, %s)", (city, subject_id))


def _hide(city: str, person: User) -> None:
    """Take away who somebody is here; and everywhere, when no other city knows them."""
    Residency.objects.filter(city=city, user=person).delete()
    Member.objects.filter(city=city, user=person).delete()
    Membership.objects.filter(city=city, user=person).delete()
    Enrolment.objects.filter(city=city, person=person.pk).delete()
    CapCounter.objects.filter(city=city, person=person.pk).delete()
    with city_scope(ALL_CITIES):
        elsewhere = Membership.objects.filter(user=person).exists()
    if elsewhere:
        return
    EmailAddress.objects.filter(user=person).delete()
    Authenticator.objects.filter(user=person).delete()
    person.email = f"{person.pk}@{_NOBODY}"
    person.name = ""
    person.is_active = False
    person.set_unusable_password()
    person.save()


def erase_due(*, actor: str = "system", basis: str = BASIS, clock: Clock = SYSTEM) -> int:
    """Go on with the people who were erased before: what has become due goes. How many leaves."""
    city, total = current_city(), 0
    hidden = User.objects.filter(email__endswith=f"@{_NOBODY}", is_active=False)
    for person in hidden.iterator():
        with transaction() as tx:
            total += _erase_due(tx, city, person.pk, actor, basis, clock).erased
    return total
