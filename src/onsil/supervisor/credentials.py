"""What an installation must know and nobody else: made once, kept below the data folder.

A secret set by the operator (environment or `onsil.toml`) always wins.
"""

import os
import secrets
from dataclasses import replace
from pathlib import Path

from onsil.configuration import Configuration, configuration

PLATFORM_USER = "onsil"


def kept(path: Path) -> str:
    """The secret in the file; a fresh one is put there when there is none yet."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(staging, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(staging, path)  # two commands at once: the first one's secret stays
        except FileExistsError:
            pass
        finally:
            staging.unlink()
    return path.read_text().strip()


def prepared(conf: Configuration) -> Configuration:
    """The settings with every secret filled in, and told to this process and its children.

    Called once by each entry (supervisor, role, command) before Django or a room asks for settings.
    """
    folder = conf.data_folder / "secrets"
    (conf.data_folder / "static").mkdir(parents=True, exist_ok=True)
    filled = replace(
        conf,
        secret_key=conf.secret_key or kept(folder / "secret-key"),
        mqtt_username=conf.mqtt_username or PLATFORM_USER,
        mqtt_password=conf.mqtt_password or kept(folder / "mqtt-password"),
    )
    for name in ("secret_key", "mqtt_username", "mqtt_password"):
        os.environ[f"ONSIL_{name.upper()}"] = getattr(filled, name)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onsil.web.settings")
    configuration.cache_clear()
    return filled
