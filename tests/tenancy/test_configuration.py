"""Settings: defaults, then the file, then the environment; mistakes are named."""

from pathlib import Path

import pytest

from onsil.configuration import load
from onsil.core.refusal import OperationError


def test_the_environment_wins_over_the_file(tmp_path: Path):
    path = tmp_path / "onsil.toml"
    path.write_text("web_port = 9000\nhub_port = 9001\n")
    read = load({"ONSIL_CONFIG": str(path), "ONSIL_HUB_PORT": "9101"})
    assert (read.web_port, read.hub_port, read.live_port) == (9000, 9101, 8402)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("web_prot = 9000", "unknown settings web_prot"),
        ("web_port = 'many'", "web_port: 'many' is not a whole number"),
        ("web_port = ", "onsil.toml: Invalid value"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, complaint: str):
    path = tmp_path / "onsil.toml"
    path.write_text(text)
    with pytest.raises(OperationError, match=complaint):
        load({"ONSIL_CONFIG": str(path)})


def test_a_file_that_was_named_must_be_there(tmp_path: Path):
    with pytest.raises(OperationError, match="no such file"):
        load({"ONSIL_CONFIG": str(tmp_path / "absent.toml")})


def test_a_database_url_replaces_the_embedded_server():
    assert load({"ONSIL_DATABASE_URL": "postgresql://a@b/c"}).dsn == "postgresql://a@b/c"
    assert "host=" in load({}).dsn
