"""What officials change about devices; every change is audited."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil import devices, proof
from onsil.console.devices import fleet
from onsil.console.devices.forms import CalibrationForm, OrderForm, RotateForm, UploadForm
from onsil.console.devices.views import (
    CLOCK,
    MAY_CHANGE,
    actuator_choices,
    in_korean,
    series_choices,
    show_device,
    show_list,
)
from onsil.console.forms import errors_of
from onsil.console.frame import Request, needs, page
from onsil.core.database import Connection
from onsil.core.refusal import OperationError, Refusal
from onsil.devices import calibration, commands, tokens
from onsil.devices.provisioning import provision
from onsil.tenancy import transaction


def _actor(request: Request) -> str:
    return str(request.user.pk)


def _audit(conn: Connection, request: Request, action: str, device: str, after: Any) -> None:
    proof.audit(conn, request.city.code, _actor(request), action, "device", device, {}, after)


def _device(conn: Connection, request: Request, number: str) -> devices.Device:
    found = fleet.device_of(conn, request.city.code, number)
    if found is None:
        raise Http404
    return found


def _tell(request: Request, outcome: object, done: str) -> None:
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
    else:
        messages.success(request, done)


@require_POST
@needs(*MAY_CHANGE)
def upload(request: Request) -> HttpResponse:
    """Register a list of devices; the answer shows every row, and the tokens this once."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return show_list(request, form, status=400)
    city = request.city.code
    try:
        with transaction(city) as conn:
            results = provision(conn, city, form.cleaned_data["file"].read(), CLOCK)
            taken = [r.device_id for r in results if r.taken]
            if taken:
                _audit(conn, request, "devices-registered", taken[0], {"devices": taken})
    except OperationError as error:
        form.add_error("file", _("읽을 수 없는 목록입니다: %(why)s") % {"why": error})
        return show_list(request, form, status=400)
    return page(
        request, "console/devices/upload.html", section="devices", results=results,
        taken=len(taken), refused=len(results) - len(taken), korean=in_korean(),
    )  # fmt: skip


@require_POST
@needs(*MAY_CHANGE)
def rotate(request: Request, device: str) -> HttpResponse:
    """Give a device a new token, shown this once."""
    form = RotateForm(request.POST)
    if not form.is_valid():
        return show_device(request, device, status=400, rotate_form=form)
    city = request.city.code
    with transaction(city) as conn:
        _device(conn, request, device)
        token = tokens.issue_token(
            conn, city, device, CLOCK, valid_for=form.valid_for, grace=form.grace
        )
        _audit(conn, request, "token-rotated", device,
               {"grace_hours": form.cleaned_data["grace_hours"]})  # fmt: skip
    return show_device(request, device, token=token)


@require_POST
@needs(*MAY_CHANGE)
def revoke(request: Request, device: str) -> HttpResponse:
    """Shut a device out: all its tokens end at once."""
    city = request.city.code
    with transaction(city) as conn:
        _device(conn, request, device)
        count = tokens.revoke_tokens(conn, city, device, CLOCK)
        _audit(conn, request, "tokens-revoked", device, {"tokens": count})
    messages.success(request, _("토큰을 모두 끝냈습니다. 이 기기는 더 보낼 수 없습니다."))
    return redirect("device", device=device)


@require_POST
@needs(*MAY_CHANGE)
def calibrate(request: Request, device: str) -> HttpResponse:
    """Write a calibration down; it counts for what arrives from now on."""
    view = fleet.device_view(request.city, device, "day", CLOCK.now())
    if view is None:
        raise Http404
    form = CalibrationForm(request.POST, series=series_choices(view))
    if not form.is_valid():
        return _wrong(request, device, form, calibration_form=form)
    data = form.cleaned_data
    entity, _space, attribute = data["series"].rpartition(" ")
    unit = next(s.unit for s in view.series if (s.entity, s.attribute) == (entity, attribute))
    zone = request.city.zone
    until = data["valid_until"]
    with transaction(request.city.code) as conn:
        made = calibration.calibrate(
            conn, _device(conn, request, device), entity, attribute, unit, data["scale"],
            data["shift"], datetime.combine(data["valid_from"], time(0), zone),
            datetime.combine(until + timedelta(days=1), time(0), zone) if until else None,
            _actor(request), data["certificate"], CLOCK,
        )  # fmt: skip
        if not isinstance(made, Refusal):
            after = {"attribute": attribute, "scale": str(made.scale), "shift": str(made.shift)}
            _audit(conn, request, "calibrated", device, after)
    _tell(request, made, _("교정값을 적었습니다. 앞으로 오는 값부터 적용합니다."))
    return redirect("device", device=device)


def _wrong(request: Request, device: str, form: Any, **forms: Any) -> HttpResponse:
    for line in errors_of(form):
        messages.error(request, line)
    return show_device(request, device, status=400, **forms)


@require_POST
@needs(*MAY_CHANGE)
def order(request: Request, device: str) -> HttpResponse:
    """Queue a command, once a form."""
    view = fleet.device_view(request.city, device, "day", CLOCK.now())
    if view is None:
        raise Http404
    form = OrderForm(request.POST, actuators=actuator_choices(view))
    if not form.is_valid():
        return _wrong(request, device, form, order_form=form)
    data = form.cleaned_data
    actuator = view.actuators[data["actuator"]]
    with transaction(request.city.code) as conn:
        made = commands.order(
            conn, _device(conn, request, device), actuator.name, _value(actuator, data["value"]),
            _actor(request), CLOCK, key=str(data["form_id"]),
            expires_after=timedelta(minutes=data["minutes"]),
        )  # fmt: skip
        if not isinstance(made, Refusal):
            after = {"command": str(made.id), "actuator": made.actuator, "value": made.value}
            _audit(conn, request, "ordered", device, after)
    _tell(request, made, _("명령을 넣었습니다. 기기의 답을 기다립니다."))
    return redirect("device", device=device)


def _value(actuator: commands.Actuator, text: str) -> Any:
    """What was typed, as the actuator's kind; what is none of it is refused by the room."""
    text = text.strip()
    if actuator.kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if actuator.kind == "number":
        try:
            return int(text) if text.lstrip("+-").isdigit() else float(text)
        except ValueError:
            return text
    return text


@require_POST
@needs(*MAY_CHANGE)
def cancel(request: Request, device: str, command: UUID) -> HttpResponse:
    """Take back a command that has not been sent yet."""
    city = request.city.code
    with transaction(city) as conn:
        _device(conn, request, device)
        if command not in {c.id for c in commands.commands(conn, city, device, limit=1000)}:
            raise Http404
        outcome = commands.cancel(conn, city, command, CLOCK)
        if not isinstance(outcome, Refusal):
            _audit(conn, request, "order-cancelled", device, {"command": str(command)})
    _tell(request, outcome, _("명령을 거두었습니다."))
    return redirect("device", device=device)
