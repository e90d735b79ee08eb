"""`onsil user`: who can sign in, and what they are in a city."""

import secrets

import typer

from onsil.cli.frame import BadInput, CityOption, installation, out, refuse, show
from onsil.cli.words import text

people_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
EmailArgument = typer.Argument(help=text("전자우편 주소", "e-mail address"))


def _role(name: str) -> str:
    from onsil.citizen.models import Role

    if name not in Role.values:
        known = ", ".join(Role.values)
        raise BadInput(text(f"모르는 역할 {name!r}: {known} 중 하나",
                            f"unknown role {name!r}: one of {known}"))  # fmt: skip
    return name


@people_app.command("add", help=text("사람을 더합니다", "add somebody"))
def add(
    email: str = EmailArgument,
    name: str = typer.Option("", help=text("이름", "name")),
    role: list[str] = typer.Option([], help=text("역할 (여러 번)", "role (repeatable)")),
    city: str = CityOption,
    staff: bool = typer.Option(
        False,
        help=text("운영 화면(/operator/) 허용", "may use /operator/"),
    ),
) -> None:
    """The password is asked for on a terminal; elsewhere one is made and printed once."""
    import sys

    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email

    with installation() as conf:
        from onsil import tenancy
        from onsil.citizen.models import Membership, User
        from onsil.tenancy.cities import city as known_city

        try:
            validate_email(email)
        except ValidationError:
            raise BadInput(text(f"전자우편 주소가 아닙니다: {email!r}",
                                f"not an e-mail address: {email!r}")) from None  # fmt: skip
        roles = [_role(one) for one in role]
        code = known_city(city or conf.default_city).code
        with tenancy.transaction(code):
            if User.objects.filter(email=email.lower()).exists():
                refuse(text(f"{email}은(는) 이미 있습니다.", f"{email} exists already."))
            made = "" if sys.stdin.isatty() else secrets.token_urlsafe(12)
            password = made or _ask_password()
            create = User.objects.create_superuser if staff else User.objects.create_user
            user = create(email, password, name=name)
            for one in roles:
                Membership.objects.create(city=code, user=user, role=one)
        out.print(f"{user.email}  {', '.join(roles)}")
        if made:
            out.print(text(f"비밀번호: {made}", f"password: {made}"))


def _ask_password() -> str:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    while True:
        typed = typer.prompt(text("비밀번호", "password"), hide_input=True,
                             confirmation_prompt=True)  # fmt: skip
        try:
            validate_password(typed)
        except ValidationError as error:
            typer.echo(" ".join(error.messages), err=True)
        else:
            return typed


@people_app.command("list", help=text("사람 목록", "list people"))
def list_people(city: str = CityOption) -> None:
    with installation() as conf:
        from onsil import tenancy
        from onsil.citizen.models import Membership
        from onsil.tenancy.cities import city as known_city

        with tenancy.transaction(known_city(city or conf.default_city).code):
            rows: dict[str, list[str]] = {}
            query = Membership.objects.select_related("user").order_by("user__email", "role")
            for membership in query:
                rows.setdefault(membership.user.email, [membership.user.name]).append(
                    membership.role
                )
        show(
            [text("전자우편", "e-mail"), text("이름", "name"), text("역할", "roles")],
            [[email, name, ", ".join(roles)] for email, (name, *roles) in rows.items()],
        )


@people_app.command("role", help=text("역할을 주거나 거둡니다", "give or take away a role"))
def role(
    email: str = EmailArgument,
    name: str = typer.Argument(help=text("역할", "role")),
    remove: bool = typer.Option(False, "--remove", help=text("거두기", "take it away")),
    city: str = CityOption,
) -> None:
    with installation() as conf:
        from onsil import proof, tenancy
        from onsil.citizen.models import Membership, User
        from onsil.tenancy.cities import city as known_city

        role_name = _role(name)
        code = known_city(city or conf.default_city).code
        with tenancy.transaction(code) as conn:
            user = User.objects.filter(email=email.lower()).first()
            if user is None:
                refuse(text(f"{email}을(를) 찾을 수 없습니다.", f"there is no {email}."))
            before = sorted(user.roles(code))
            if remove:
                Membership.objects.filter(city=code, user=user, role=role_name).delete()
            else:
                Membership.objects.get_or_create(
                    city=code, user=user, role=role_name, organisation=None
                )
            after = sorted(user.roles(code))
            proof.audit(conn, code, "operator", "user.role", "user", str(user.id),
                        {"roles": before}, {"roles": after})  # fmt: skip
        out.print(f"{user.email}  {', '.join(after)}")


def add_to(app: typer.Typer) -> None:
    app.add_typer(people_app, name="user", help=text("사람과 역할", "people and their roles"))
