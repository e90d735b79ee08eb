"""Line icons on a 24-unit square, drawn for this product; every one is a list of path data."""

from onsil.web.templatetags._words import STATIONS

# Stations of the loop, then the seven greens, then what the screens need.
ICONS: dict[str, str] = {
    "measure": "M4 17a8 8 0 1 1 16 0M12 17l4-6M4 17h2M18 17h2M12 9v1",
    "quantify": "M5 4h14v16H5zM8 8h8M8 12h2M12 12h4M8 16h2M12 16h4",
    "claim": "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2 2 4-4",
    "credit": "M4 7h16v8H4zM8 15v5l4-2 4 2v-5M9 11h6",
    "sell": "M4 8h12l-3-3M20 16H8l3 3",
    "fund": "M4 10l8-5 8 5zM6 10v8M10 10v8M14 10v8M18 10v8M4 20h16",
    "reward": (
        "M4 9h16v4H4zM6 13v7h12v-7M12 9v11M12 9c-5 0-5-5-2-5 2 0 2 5 2 5s0-5 2-5c3 0 3 5-2 5"
    ),
    "spend": (
        "M4 9l1-5h14l1 5M5 9v11h14V9M4 9c0 3 4 3 4 0 0 3 4 3 4 0 0 3 4 3 4 0 0 3 4 3 4 0"
        "M10 20v-6h4v6"
    ),
    "building": "M5 21V5l8-2v18M13 9h6v12M3 21h18M8 8h2M8 12h2M8 16h2M16 13h1M16 17h1",
    "water": "M12 3c4 5 6 8 6 11a6 6 0 0 1-12 0c0-3 2-6 6-11zM9 15a3 3 0 0 0 3 3",
    "forest": "M12 21v-6M12 3l5 7h-3l4 5H6l4-5H7z",
    "reuse": "M9 5l3-2 3 5M12 3l-4 7M18 12l2 5h-7M20 17l-3 4M4 17l3-5 2 3M4 17h6",
    "citizen": "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-5 4-7 8-7s8 2 8 7",
    "footprint": (
        "M8 4c3 0 4 3 4 6s-1 5-3 5-4-2-4-6 1-5 3-5z"
        "M9 18c1.5 0 2 1 2 2s-1 1-2 1-2 0-2-1 .5-2 2-2zM17 8c2 0 3 2 3 4s-1 4-2 4-3-2-3-4 .5-4 2-4z"
    ),
    "hub": (
        "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 9V4M14.5 13.5l4 3M9.5 13.5l-4 3M12 4h.01"
        "M19 17h.01M5 17h.01"
    ),
    "home": "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
    "leaf": "M5 19c0-9 5-14 14-14 0 9-5 14-12 13M5 21c1-5 4-8 9-10",
    "wallet": "M4 7h14a2 2 0 0 1 2 2v9H4zM4 7V5h12v2M16 13h1",
    "qr": "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2",
    "scan": "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16",
    "gift": "M4 9h16v4H4zM6 13v7h12v-7M12 9v11",
    "bus": "M5 5h14v12H5zM5 11h14M8 17v2M16 17v2M8 14h.01M16 14h.01",
    "shop": "M4 9l1-5h14l1 5v2H4zM5 11v9h14v-9M10 20v-5h4v5",
    "people": (
        "M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3 20c0-4 3-6 6-6s6 2 6 6"
        "M16 5.5a3 3 0 0 1 0 5.5M17 14c3 .5 4 3 4 6"
    ),
    "map": "M4 6l5-2 6 2 5-2v14l-5 2-6-2-5 2zM9 4v14M15 6v14",
    "meter": "M5 4h14v16H5zM8 8h8v4H8zM9 16h.01M12 16h.01M15 16h.01",
    "chart": "M4 20h16M7 20v-7M12 20V6M17 20v-10",
    "list": "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
    "bell": "M6 17V11a6 6 0 0 1 12 0v6zM4 17h16M10 20h4",
    "search": "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4 4",
    "download": "M12 4v11M8 11l4 4 4-4M5 20h14",
    "external": "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
    "back": "M15 5l-7 7 7 7",
    "forward": "M9 5l7 7-7 7",
    "close": "M6 6l12 12M18 6L6 18",
    "plus": "M12 5v14M5 12h14",
    "check": "M5 13l4 4 10-11",
    "good": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12l3 3 5-6",
    "watch": "M12 4l9 16H3zM12 10v4M12 17h.01",
    "bad": "M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 8v5M12 16h.01",
    "info": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v6M12 8h.01",
    "clock": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
    "key": "M8 15a4 4 0 1 1 3.5-6H21v3h-2v3h-3v-3h-4.5A4 4 0 0 1 8 15zM8 11h.01",
    "seal": (
        "M12 3l2.5 2 3-.5 1 3 2.5 2-1.5 2.5 1 3-3 1-1 3-3-.5-2.5 2-2.5-2-3 .5-1-3-3-1"
        " 1-3L2 9.5l2.5-2 1-3 3 .5zM8 12l3 3 5-6"
    ),
    "sensor": (
        "M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7.5 16.5a6 6 0 0 1 0-9"
        "M16.5 7.5a6 6 0 0 1 0 9M4.5 19a10 10 0 0 1 0-14M19.5 5a10 10 0 0 1 0 14"
    ),
    "print": "M7 9V4h10v5M5 9h14v8h-3M8 14h8v6H8zM5 17h3V9",
    "wall": "M3 5h18v12H3zM9 21h6M12 17v4",
    "language": (
        "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"
    ),
    "exit": "M10 4H4v16h6M10 12h11M17 8l4 4-4 4",
    "settings": "M4 7h10M18 7h2M14 5v4h4V5zM4 17h2M10 17h10M6 15v4h4v-4z",
    "flag": "M6 21V4M6 5h11l-2 4 2 4H6",
    "city": "M3 21h18M5 21V10h5v11M10 21V4h6v17M16 21v-9h3v9M12.5 8h1M12.5 12h1M12.5 16h1M7 14h1",
    "evidence": "M6 3h8l4 4v4M14 3v4h4M6 3v18h5M9 9h3M9 13h2M14 19l2 2 5-6",
    "refund": "M8 5L4 9l4 4M4 9h10a5 5 0 0 1 0 10H8",
    "ring": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
}
assert set(STATIONS) <= set(ICONS)


def path_of(name: str) -> str:
    """The path data of an icon. Raises KeyError for one that does not exist."""
    return ICONS[name]
