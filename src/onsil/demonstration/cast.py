"""Who takes part in the demonstration: one account a role, all with one password, plainly named."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from onsil import ledger
from onsil.citizen import services as citizen
from onsil.citizen.models import Merchant, Role, User
from onsil.core.refusal import Refusal
from onsil.tenancy import current_city, transaction

PASSWORD = "onsil-demo-2025"  # noqa: S105 - printed for everybody to use
RESIDENCE_CODE = "DEMAX-23456"
_NAMESPACE = UUID("6f6e7369-6c00-5000-8000-64656d6f0000")
COMPANY = uuid5(_NAMESPACE, "buyer1")
COMPANY_KRW = 5_000_000


@dataclass(frozen=True)
class Cast:
    """The people of the demonstration, ready to act."""

    citizens: tuple[User, ...]
    official: User
    approver: User
    verifier: User
    buyer: User
    operator: User
    merchant_owner: User
    merchant: Merchant


_PEOPLE = (
    ("citizen1", "데모 시민 1"),
    ("citizen2", "데모 시민 2"),
    ("citizen3", "데모 시민 3"),
    ("merchant1", "데모 가맹점주"),
    ("official1", "데모 담당 공무원"),
    ("approver1", "데모 승인 공무원"),
    ("verifier1", "데모 검증인"),
    ("buyer1", "데모 구매 기업"),
    ("operator1", "데모 운영자"),
)


def email(name: str) -> str:
    return f"{name}@demo.invalid"


def _user(name: str, words: str) -> User:
    known = User.objects.filter(email=email(name)).first()
    return known or User.objects.create_user(email(name), PASSWORD, name=words)


def assemble() -> Cast:
    """Make everybody who is not there yet; harmless to repeat.

    Raises RuntimeError when a rule of the city's stands in the way of its own demonstration.
    """
    users = {name: _user(name, words) for name, words in _PEOPLE}
    citizens = tuple(users[f"citizen{n}"] for n in (1, 2, 3))
    for person in citizens:
        citizen.people.admit(person, "demonstration")
    for name, role in (("official1", Role.OFFICIAL), ("approver1", Role.APPROVER),
                       ("verifier1", Role.VERIFIER), ("operator1", Role.OPERATOR)):  # fmt: skip
        citizen.people.give_role(users[name], role)
    citizen.people.give_role(users["buyer1"], Role.BUYER, COMPANY)
    if not users["operator1"].is_staff:
        users["operator1"].is_staff = users["operator1"].is_superuser = True
        users["operator1"].save(update_fields=["is_staff", "is_superuser"])
    citizen.people.ensure_residence_code(RESIDENCE_CODE, uses=1000)
    _fund_company()
    return Cast(
        citizens=citizens, official=users["official1"], approver=users["approver1"],
        verifier=users["verifier1"], buyer=users["buyer1"], operator=users["operator1"],
        merchant_owner=users["merchant1"],
        merchant=_merchant(users["merchant1"], users["approver1"]),
    )  # fmt: skip


def _merchant(owner: User, approver: User) -> Merchant:
    shops = list(citizen.merchants.shops_of(owner))
    if shops:
        return shops[0]
    applied = citizen.merchants.apply(
        owner,
        citizen.Application(
            name="데모 가맹점", business_number="000-00-00000", kind="grocery",
            address="평택시 (데모 주소)", yearly_sales_krw=180_000_000,
        ),
    )  # fmt: skip
    if isinstance(applied, Refusal):
        raise RuntimeError(applied.en)
    decided = citizen.merchants.decide(applied.pk, True, actor=approver)
    if isinstance(decided, Refusal):
        raise RuntimeError(decided.en)
    return decided


def _fund_company() -> None:
    """The buying company's money on its account with the city, once."""
    from onsil.core.clock import SystemClock

    city, code = current_city(), f"company:{COMPANY}"
    request = ledger.TransferRequest(
        f"demo-deposit:{COMPANY}", "deposit",
        (ledger.Leg("external:bank", code, "KRW", COMPANY_KRW),),
        memo="demonstration deposit",
    )  # fmt: skip
    with transaction() as tx:
        ledger.open_accounts(
            tx, city,
            [ledger.AccountSpec("external:bank", "KRW", "external", minimum=None),
             ledger.AccountSpec(code, "KRW", "company")],
        )  # fmt: skip
        ledger.post(tx, city, [request], SystemClock())
