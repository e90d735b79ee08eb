"""Measured readings that any machine can get: sample files inside two published wheels.

The wheels are fetched by pip as data, without their dependencies, pinned by hash, and never
imported. `pvanalytics` carries measured output of real solar plants, `opendsm` measured hourly
household meters (its `uk-*` samples; the `il-*` ones are made up and left alone).
"""

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from onsil.core.refusal import OperationError


@dataclass(frozen=True)
class Wheel:
    """A published package fetched for the data inside it."""

    name: str
    version: str
    sha256: str
    licence: str
    attribution: str

    @property
    def pinned(self) -> str:
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


PVANALYTICS = Wheel(
    "pvanalytics",
    "0.2.2",
    "4e5022f60aecb5948148d0ca72ca7bf849e5468c78da572e1af17bf944cf44f6",
    "MIT",
    "pvanalytics contributors; PVDAQ system 50, National Renewable Energy Laboratory",
)
OPENDSM = Wheel(
    "opendsm",
    "1.2.7",
    "3c4637bdefb2b40b4d1ec6ae6308c42b03e491769e93cb5ee397ef2b86856780",
    "Apache-2.0",
    "OpenDSM contributors; measured United Kingdom household meters (uk-* samples)",
)


def fetch(wheel: Wheel, folder: Path) -> Path:
    """The wheel's file in `folder`, downloaded unless it is there already.

    Raises OperationError (retry) when pip cannot reach the package index.
    """
    folder.mkdir(parents=True, exist_ok=True)
    present = sorted(folder.glob(f"{wheel.name}-{wheel.version}-*.whl"))
    if present:
        return present[0]
    requirement = folder / f"{wheel.name}.txt"
    requirement.write_text(wheel.pinned + "\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--only-binary", ":all:", "--require-hashes",
         "--dest", str(folder), "--requirement", str(requirement)],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    found = sorted(folder.glob(f"{wheel.name}-{wheel.version}-*.whl"))
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OperationError(f"{wheel.name} {wheel.version} cannot be fetched: {last}", retry=True)
    return found[0]


def member(archive: Path, name: str, folder: Path) -> Path:
    """One file of a wheel, unpacked into `folder` under its own base name.

    Raises OperationError when the wheel does not hold it.
    """
    target = folder / Path(name).name
    if not target.exists():
        try:
            with zipfile.ZipFile(archive) as opened:
                content = opened.read(name)
        except (KeyError, zipfile.BadZipFile) as error:
            raise OperationError(f"{archive.name} does not hold {name}", retry=False) from error
        partial = target.with_suffix(".partial")
        partial.write_bytes(content)
        partial.rename(target)
    return target
