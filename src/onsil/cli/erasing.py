"""`onsil erase`: a person's right to be erased, and what has become due since."""

from typing import TYPE_CHECKING

import typer

from onsil.cli.frame import BadInput, CityOption, accepted, as_uuid, installation, out
from onsil.cli.words import text
from onsil.core.refusal import Refusal

if TYPE_CHECKING:
    from onsil.citizen.models import User

erase = typer.Typer(
    no_args_is_help=True,
    help=text("개인의 기록을 법이 허락하는 만큼 지웁니다.",
              "Erase what the law lets be erased of a person."),
)  # fmt: skip
_Basis = typer.Option("", "--basis", help=text("지우는 근거", "the ground of the erasure"))
_Actor = typer.Option("operator", "--by", help=text("누가 지우는지", "who erases"))


@erase.command(
    "person", help=text("한 사람을 지웁니다: 신원은 지금, 거래는 보존 기간이 지나면.",
                        "Erase a person: who they are now, their records in time."),
)  # fmt: skip
def person(
    email: str = typer.Argument(..., help=text("전자우편", "e-mail address")),
    basis: str = _Basis,
    actor: str = _Actor,
    city: str = CityOption,
) -> None:
    with installation() as conf:
        from onsil.citizen.services import erasure
        from onsil.tenancy import city_scope
        from onsil.tenancy.cities import city as known_city

        with city_scope(known_city(city or conf.default_city).code):
            done = accepted(
                erasure.erase_person(_known(email), actor=actor, basis=basis or erasure.BASIS)
            )
    out.print(text(f"지운 기록 {done.erased}건, 보존 기간이 남은 기록 {done.staying}건",
                   f"{done.erased} records erased, {done.staying} kept by law"))  # fmt: skip
    if done.free_from:
        out.print(text(f"{done.free_from}부터 모두 지울 수 있습니다",
                       f"all of them may go from {done.free_from} on"))  # fmt: skip


@erase.command("record", help=text("한 사람의 기록 하나를 지웁니다.",
                                   "Erase one record of a person."))  # fmt: skip
def record(
    email: str = typer.Argument(..., help=text("전자우편", "e-mail address")),
    kind: str = typer.Argument(..., help=text("종류: transfer, award", "kind: transfer, award")),
    identifier: str = typer.Argument(..., help=text("식별자", "identifier")),
    basis: str = _Basis,
    actor: str = _Actor,
    city: str = CityOption,
) -> None:
    subject_id = as_uuid(identifier)
    with installation() as conf:
        from onsil.citizen.services import erasure
        from onsil.tenancy import city_scope
        from onsil.tenancy.cities import city as known_city

        with city_scope(known_city(city or conf.default_city).code):
            done = accepted(
                erasure.erase_record(
                    kind, subject_id, _known(email), actor=actor, basis=basis or erasure.BASIS
                )
            )
    assert not isinstance(done, Refusal)
    out.print(text("지웠습니다", "erased") if done.now
              else text("이미 지워져 있습니다", "was erased before"))  # fmt: skip


@erase.command("due", help=text("지워진 사람들의 기록 가운데 기한이 된 것을 지웁니다.",
                                "Erase what has become due of people erased before."))  # fmt: skip
def due(actor: str = _Actor, city: str = CityOption) -> None:
    with installation():
        from onsil.citizen.services import erasure
        from onsil.tenancy import city_scope
        from onsil.tenancy.cities import all_cities
        from onsil.tenancy.cities import city as known_city

        for code in [known_city(city).code] if city else list(all_cities()):
            with city_scope(code):
                count = erasure.erase_due(actor=actor)
            out.print(text(f"{code}: {count}건 지움", f"{code}: {count} erased"))


def _known(email: str) -> "User":
    from onsil.citizen.models import User

    found = User.objects.filter(email=email.lower()).first()
    if found is None:
        raise BadInput(text(f"{email}: 그런 사람이 없습니다", f"{email}: nobody of that address"))
    return found


def add_to(app: typer.Typer) -> None:
    app.add_typer(erase, name="erase")
