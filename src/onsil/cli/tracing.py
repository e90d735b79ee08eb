"""`onsil trace`: where a value came from, or what became of a reading."""

import json

import typer

from onsil.cli.frame import BadInput, CityOption, accepted, as_instant, installation, out
from onsil.cli.words import language, text

KINDS = ("transfer", "payment", "conversion", "sale", "award", "credit", "retirement", "claim",
         "run", "reading")  # fmt: skip


def trace(
    kind: str = typer.Argument(help=", ".join(KINDS)),
    subject: str = typer.Argument(
        help=text("id, 또는 reading이면 개체#속성", "id; for a reading entity#attribute")
    ),
    at: str = typer.Option("", "--at", help=text("측정값의 때", "instant of the reading")),
    as_json: bool = typer.Option(
        False, "--json", help=text("검증용 묶음(JSON)", "the bundle for checking, as JSON")
    ),
    city: str = CityOption,
) -> None:
    if kind not in KINDS:
        raise BadInput(text(f"모르는 종류 {kind!r}: {', '.join(KINDS)} 중 하나",
                            f"unknown kind {kind!r}: one of {', '.join(KINDS)}"))  # fmt: skip
    with installation() as conf:
        from onsil.portal import bundle, narrate
        from onsil.portal import trace as tracer
        from onsil.tenancy.cities import city as known_city

        profile = known_city(city or conf.default_city)
        if kind == "reading":
            entity, sign, attribute = subject.rpartition("#")
            if not sign or not at:
                raise BadInput(text("reading에는 개체#속성과 --at이 필요합니다",
                                    "a reading wants entity#attribute and --at"))  # fmt: skip
            instant = as_instant(at, profile.zone)
            found = accepted(tracer.trace_forward(profile.code, entity, attribute, instant))
        else:
            found = accepted(tracer.trace_back(profile.code, kind, subject))
        if as_json:
            print(json.dumps(bundle.to_json(found), ensure_ascii=False, indent=2))
        else:
            for line in narrate.lines(found, language()):
                out.print(line, markup=False)


def add_to(app: typer.Typer) -> None:
    app.command(
        help=text("값의 출처를 측정값까지 거슬러 올라갑니다.", "Walk a value back to its readings.")
    )(trace)
