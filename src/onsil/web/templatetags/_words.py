"""Words that screens share: the eight stations of the loop and the seven greens."""

from django.utils.translation import gettext_lazy as _

# In the loop's order, clockwise from the top.
STATIONS = {
    "measure": _("측정"),
    "quantify": _("산정"),
    "claim": _("등록"),
    "credit": _("크레딧"),
    "sell": _("판매"),
    "fund": _("기금"),
    "reward": _("보상"),
    "spend": _("사용"),
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
