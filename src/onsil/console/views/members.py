"""The desk: noting a telephone number that somebody was seen to answer."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from onsil.citizen.models import Role, User
from onsil.citizen.services import members
from onsil.console.frame import Request, needs, page
from onsil.core.refusal import Refusal


class PhoneForm(forms.Form):
    """Whose number it is, by member code or e-mail address, and the number."""

    who = forms.CharField(label=gettext_lazy("회원번호나 전자우편"), max_length=120)
    phone = forms.CharField(
        label=gettext_lazy("휴대전화 번호"), max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )  # fmt: skip


@never_cache
@needs(Role.OFFICIAL, Role.APPROVER)
def desk(request: Request) -> HttpResponse:
    """Confirm a citizen's telephone number after seeing it at the counter."""
    form = PhoneForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        answer: object = _whose(request, said["who"])
        if isinstance(answer, User):
            answer = members.confirm_phone(answer, said["phone"], actor=f"user:{request.user.pk}")
        if isinstance(answer, Refusal):
            messages.error(request, answer.text(get_language() or "ko"))
        else:
            messages.success(request, _("번호를 확인한 것으로 적었습니다."))
            return redirect("console-members")
    return page(request, "console/members.html", section="people", form=form)


def _whose(request: Request, who: str) -> User | Refusal:
    if "@" not in who:
        found = members.find(who, asked_by=request.user)
        return found if isinstance(found, Refusal) else found.user
    user = User.objects.filter(email=who.strip().lower()).first()
    if user is None or Role.CITIZEN not in user.roles(request.city.code):
        return members.unknown()
    return user
