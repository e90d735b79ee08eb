"""Commands speak the reader's language, and say in one line what is wrong with the input."""

from pathlib import Path

import pytest

from onsil.cli.frame import BadInput, as_pairs, as_period, as_uuid
from onsil.cli.main import run
from onsil.cli.words import language
from onsil.configuration import configuration
from onsil.ledger.rules import read_rules
from onsil.tenancy.cities import all_cities

_LOCALES = ("ONSIL_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture
def cities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty cities folder and an empty data folder."""
    monkeypatch.setenv("ONSIL_CITIES_FOLDER", str(tmp_path / "cities"))
    monkeypatch.setenv("ONSIL_DATA_FOLDER", str(tmp_path / "data"))
    for name in ("SECRET_KEY", "MQTT_USERNAME", "MQTT_PASSWORD"):
        monkeypatch.setenv(f"ONSIL_{name}", "x")
    configuration.cache_clear()
    all_cities.cache_clear()
    yield tmp_path / "cities"
    monkeypatch.undo()
    configuration.cache_clear()
    all_cities.cache_clear()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "ONSIL_LANGUAGE": "ko"}, "ko"),
        ({"LANG": "", "LC_MESSAGES": "ko"}, "ko"),
    ],
)
def test_the_locale_decides(
    settings: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in _LOCALES:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing-of-that-name"],
        ["trace", "nothing", "1"],
        ["role", "nobody"],
        ["ingest", "/nowhere.csv", "--mapping", "/nowhere.toml"],
        ["verify", "/nowhere.json"],
        ["verify", "--key", "xyz", __file__],
        ["city", "add", "Not A Code", "--name-ko", "가", "--name-en", "A"],
        ["quantify", "x"],
        ["user", "list"],
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], cities: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1, told.err
    assert told.err.startswith("onsil: ")


def test_a_city_is_added_once_and_can_be_read(
    cities: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["city", "add", "hanbit", "--name-ko", "한빛 “시”", "--name-en", 'The "H"']
    assert run(arguments) == 0
    profile = all_cities()["hanbit"]
    assert (profile.name_ko, profile.name_en) == ("한빛 “시”", 'The "H"')
    assert (cities / "hanbit" / "programmes").is_dir()
    assert read_rules(cities / "hanbit" / "currency.toml").begins.year == 2020
    assert run(["city", "list"]) == 0
    assert "hanbit" in capsys.readouterr().out
    assert run(arguments) == 2
    assert "exists already" in capsys.readouterr().err or language() == "ko"


def test_a_boundary_sets_the_maps_centre(cities: Path, tmp_path: Path) -> None:
    outline = tmp_path / "outline.geojson"
    outline.write_text(
        '{"type": "Polygon", "coordinates": [[[126, 36], [128, 36], [128, 38], [126, 36]]]}'
    )
    named = ["--name-ko", "가", "--name-en", "A"]
    assert run(["city", "add", "first", *named, "--boundary", str(outline)]) == 0
    assert all_cities()["first"].data["map"]["centre"] == [127, 37]
    outline.write_text("{}")
    assert run(["city", "add", "second", *named, "--boundary", str(outline)]) == 2
    assert not (cities / "second").exists()


def test_input_is_read_strictly() -> None:
    from zoneinfo import ZoneInfo

    seoul = ZoneInfo("Asia/Seoul")
    period = as_period("2025-01-01", "2025-02-01", seoul)
    assert period.start.utcoffset() is not None
    assert period.start.astimezone(seoul).hour == 0
    assert as_pairs(["a=1", "b=x=y"], "--set") == {"a": "1", "b": "x=y"}
    for wrong in (["a"], ["=1"], ["a="]):
        with pytest.raises(BadInput):
            as_pairs(wrong, "--set")
    for start, end in (("2025-02-01", "2025-01-01"), ("x", "2025-01-01")):
        with pytest.raises(BadInput):
            as_period(start, end, seoul)
    with pytest.raises(BadInput):
        as_uuid("17")
