"""The methodologies' pages say what the code says."""

from pathlib import Path

from onsil.footprint.methodologies import pages

FOLDER = Path(__file__).parents[2] / "docs" / "methodologies"


def test_the_pages_in_the_documentation_are_current():
    assert pages.main([str(FOLDER), "--check"]) == 0


def test_a_stale_page_is_told(tmp_path: Path, capsys):
    assert pages.main([str(tmp_path)]) == 0
    assert pages.main([str(tmp_path), "--check"]) == 0
    (tmp_path / "index.md").write_text("old", "utf-8")
    assert pages.main([str(tmp_path), "--check"]) == 1
    assert "index.md" in capsys.readouterr().err


def test_a_page_shows_formula_sources_and_the_calculated_example():
    text = pages.pages()["solar-self-consumption-1.md"]
    for part in ("AMS-I.F", "0.00356043215 tCO2e", "| `capacity_kw` |", "태양광 자가소비"):
        assert part in text
