"""`onsil units`: every batch counted three ways, and an exit status for who watches."""

import pytest

from onsil.cli.main import run


@pytest.fixture(autouse=True)
def beside(fresh_database, monkeypatch):
    from onsil.configuration import configuration

    monkeypatch.setenv("ONSIL_DATABASE_URL", fresh_database)
    monkeypatch.setenv("ONSIL_LANGUAGE", "en")
    configuration.cache_clear()
    yield
    configuration.cache_clear()


def test_a_city_without_credits_adds_up(capsys):
    assert run(["units", "--city", "pyeongtaek"]) == 0
    assert "0 batches, all true" in capsys.readouterr().out


def test_a_ledger_that_moved_alone_is_told(fresh_database, capsys):
    from footprint_world import CITY, World

    from onsil import ledger
    from onsil.core.database import connect

    with connect(fresh_database, CITY) as conn:
        world = World(conn)
        made = world.issued("10", buffer_bp=5000)
        conn.commit()
        assert run(["units", "--city", CITY]) == 0
        assert "4 = held 2, buffer 2" in capsys.readouterr().out
        request = ledger.TransferRequest(
            "x", "x", (ledger.Leg("buffer", f"project:{made.project_id}", made.asset, 1),)
        )
        ledger.post(conn, CITY, [request], world.clock)
        conn.commit()
    assert run(["units", "--city", CITY]) == 1
    told = capsys.readouterr()
    assert "✗ ledger-differs" in told.out
    assert "1 batches do not add up" in told.err
