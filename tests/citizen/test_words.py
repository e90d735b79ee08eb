"""Every Korean text on the screens has its English, and every refusal says what it means."""

import inspect
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from babel.messages.pofile import read_po

from onsil.citizen import refusals
from onsil.core.refusal import Refusal

ROOM = Path(refusals.__file__).parents[1]
HANGUL = re.compile("[가-힣]")


def catalogue() -> dict[str, object]:
    with (ROOM / "locale/en/LC_MESSAGES/django.po").open("rb") as file:
        found = read_po(file, locale="en", abort_invalid=True)
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        for message in found
        if message.id
    }


def said_in_templates() -> set[str]:
    texts: set[str] = set()
    for path in ROOM.glob("templates/**/*.html"):
        text = path.read_text("utf-8")
        texts.update(re.findall(r'\{%\s*translate\s+"([^"]+)"', text))
        for block in re.findall(
            r"\{%\s*blocktranslate[^%]*%\}(.*?)\{%\s*(?:plural|endblocktranslate)", text, re.S
        ):
            texts.add(re.sub(r"\{\{\s*(\w+)\s*\}\}", r"%(\1)s", block))
    return texts


def test_every_text_of_the_templates_has_its_english():
    known = catalogue()
    texts = said_in_templates()
    assert len(texts) > 100
    assert sorted(text for text in texts if not known.get(text)) == []


def test_no_korean_is_left_in_the_english():
    for korean, english in catalogue().items():
        words = english if isinstance(english, tuple) else (english,)
        assert not any(HANGUL.search(word) for word in words), korean


def test_no_template_says_anything_outside_translation():
    for path in ROOM.glob("templates/**/*.html"):
        text = path.read_text("utf-8")
        text = re.sub(r"\{%\s*blocktranslate.*?endblocktranslate\s*%\}", "", text, flags=re.S)
        text = re.sub(r"\{%.*?%\}", "", text, flags=re.S).replace("한국어", "")
        assert not HANGUL.search(text), path.name


def test_every_refusal_is_whole_in_both_languages():
    sample = {
        "Mapping": {"day": "2025-07-01"}, "timedelta": timedelta(minutes=3),
        "datetime": datetime(2025, 7, 1, tzinfo=UTC), "int": 1000, "str": "x",
    }  # fmt: skip
    codes = set()
    for name, make in inspect.getmembers(refusals, inspect.isfunction):
        assert name in refusals.__all__
        kinds = [str(p.annotation) for p in inspect.signature(make).parameters.values()]
        wanted = [next(v for k, v in sample.items() if k in kind) for kind in kinds]
        refusal = make(*wanted)
        assert isinstance(refusal, Refusal)
        assert HANGUL.search(refusal.ko), name
        assert not HANGUL.search(refusal.en), name
        assert refusal.ko.rstrip().endswith("."), name
        assert refusal.en.rstrip().endswith("."), name
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", refusal.code), name
        codes.add(refusal.code)
    assert len(codes) > 50
