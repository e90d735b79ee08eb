"""Words that screens share: the eight stations of the loop and the seven greens."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# In the loop's order, clockwise from the top. Their words have a context of their own, since the
# same Korean word is another English one elsewhere (사용: spend here, consumption at a meter).
STATIONS = {
    "measure": pgettext_lazy("고리", "측정"),
    "quantify": pgettext_lazy("고리", "산정"),
    "claim": pgettext_lazy("고리", "등록"),
    "credit": pgettext_lazy("고리", "크레딧"),
    "sell": pgettext_lazy("고리", "판매"),
    "fund": pgettext_lazy("고리", "기금"),
    "reward": pgettext_lazy("고리", "보상"),
    "spend": pgettext_lazy("고리", "사용"),
}

GREENS = {
    "building": _("그린빌딩"),
    "water": _("그린워터"),
    "forest": _("그린포레스트"),
    "reuse": _("그린리유즈"),
    "citizen": _("그린시티즌"),
    "footprint": _("그린풋프린트"),
    "hub": _("그린허브"),
}

STATUSES = {
    "good": _("양호"),
    "watch": _("주의"),
    "bad": _("조치 필요"),
    "info": _("안내"),
}

# How a figure or a series came to be; drawn differently and always named.
ORIGINS = {
    "measured": _("실측"),
    "replayed": _("과거 실측 재생"),
    "modelled": _("모형 추정"),
    "simulated": _("모의"),
}

# Credit schemes a claim or a project can be for; reward programmes are named by the city's files.
SCHEMES = {
    "kr-offset": _("배출권거래제 외부사업"),
    "voluntary": _("자발적 크레딧 사업"),
}
