"""The devices' screens: the list with its filters, one device, an empty list to fill in."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil.citizen.models import Role
from onsil.console import people
from onsil.console.devices import fleet
from onsil.console.devices.forms import CalibrationForm, OrderForm, RotateForm, UploadForm
from onsil.console.export import csv_response
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.clock import SystemClock
from onsil.devices.provisioning import COLUMNS

CLOCK = SystemClock()
MAY_CHANGE = (Role.OFFICIAL, Role.OPERATOR)
_ROWS = 100
SPANS = ("day", "week", "month")


def in_korean() -> bool:
    return not (get_language() or "ko").startswith("en")


@require_safe
@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Every device with how it fares; `?state=`, `?driver=`, `?q=`, `?format=csv`."""
    return show_list(request, UploadForm())


def show_list(request: Request, form: UploadForm, status: int = 200) -> HttpResponse:
    """The list; also after an upload that could not be read."""
    state, driver, text = (request.GET.get(k, "") for k in ("state", "driver", "q"))
    found = fleet.fleet(request.city, CLOCK.now(), state, driver, text.strip()[:100])
    if request.GET.get("format") == "csv":
        return _csv(request, found)
    shown = Paginator(found.lines, _ROWS).get_page(request.GET.get("page"))
    return page(
        request, "console/devices/list.html", section="devices", status=status, shown=shown,
        fleet=found, state=state, driver=driver, text=text, form=form,
        matched=len(found.lines), may_change=_may_change(request),
    )  # fmt: skip


def _may_change(request: Request) -> bool:
    return bool(request.roles.intersection(MAY_CHANGE))


def _csv(request: Request, found: fleet.Fleet) -> HttpResponse:
    header = [_("기기"), _("이름"), _("드라이버"), _("상태"), _("언제부터"), _("근거"),
              _("마지막 소식"), _("배터리(%)"), _("펌웨어"), _("모의")]  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for line in found.lines:
        device, first = line.health.device, next(iter(line.health.symptoms), None)
        evidence = "" if first is None else (
            first.evidence_ko if in_korean() else first.evidence_en)  # fmt: skip
        rows.append((
            device.id, device.name, device.driver, line.word, first.since if first else None,
            evidence, line.health.last_seen, line.seen.battery_percent if line.seen else None,
            line.seen.firmware if line.seen else "", _("모의") if device.simulated else "",
        ))  # fmt: skip
    return csv_response(f"{request.city.code}-devices", header, rows)


@require_safe
@needs(*STAFF)
def template(request: Request) -> HttpResponse:
    """An empty list with the columns' names and one row as an example."""
    example = ("soil-001", "SoilProbe", "", "mqtt-json", "600", "", "",
               "soilMoisture=percent; soilTemperature=degC", "", "")  # fmt: skip
    return csv_response(f"{request.city.code}-devices-template", list(COLUMNS), [example])


@require_safe
@needs(*STAFF)
def detail(request: Request, device: str) -> HttpResponse:
    """One device over `?span=day|week|month`."""
    return show_device(request, device)


def show_device(
    request: Request, device: str, *, token: str = "", status: int = 200, **forms: Any
) -> HttpResponse:
    """A device's page; after a change with its outcome, and a new token the one time it is told."""
    span = request.GET.get("span", "week")
    span = span if span in SPANS else "week"
    view = fleet.device_view(request.city, device, span, CLOCK.now())
    if view is None:
        raise Http404
    words = fleet.command_words()
    makers = {c.made_by for c in view.commands} | {c.made_by for c in view.calibrations}
    names = people.names_of(makers)
    spans = (("day", _("하루")), ("week", _("일주일")), ("month", _("한 달")))
    return page(
        request, "console/devices/device.html", section="devices", status=status, view=view,
        device=view.line.health.device, line=view.line, span=span, spans=spans, token=token,
        now=CLOCK.now(), may_change=_may_change(request), korean=in_korean(),
        orders=[(c, *words[c.state], names.get(c.made_by, c.made_by)) for c in view.commands],
        calibrations=[(c, names.get(c.made_by, c.made_by)) for c in view.calibrations],
        rotate_form=forms.get("rotate_form") or RotateForm(),
        calibration_form=forms.get("calibration_form")
        or CalibrationForm(series=series_choices(view)),
        order_form=forms.get("order_form") or OrderForm(actuators=actuator_choices(view)),
    )  # fmt: skip


def series_choices(view: fleet.DeviceView) -> list[tuple[str, str]]:
    return [(f"{s.entity} {s.attribute}", f"{s.attribute} ({s.unit})") for s in view.series]


def actuator_choices(view: fleet.DeviceView) -> list[tuple[str, str]]:
    """Each actuator with what it takes."""
    made = []
    for one in view.actuators.values():
        takes = "true / false" if one.kind == "boolean" else ", ".join(one.values)
        if one.kind == "number":
            takes = f"{one.minimum:g} – {one.maximum:g} {one.unit}".strip()
        made.append((one.name, f"{one.name} ({takes})" if takes else one.name))
    return made
