"""`onsil evidence`: what a run, a claim or a monitoring period rests on, as files to hand over."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import typer

from onsil.cli.frame import (
    BadInput,
    CityOption,
    accepted,
    as_uuid,
    err,
    out,
    refuse,
    work_for,
)
from onsil.cli.words import language, text

PROGRAM = "onsil_verifier"
SETTING = "ONSIL_VERIFIER"
# Isolated and without site packages, hence without Onsil: the second program stands on its own.
_ALONE = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from onsil_verifier.__main__ import main; sys.exit(main(sys.argv[2:]))"
)
_NOT_COVERED = 3


def evidence(
    subject: str = typer.Argument(
        help=text("산정, 주장, 모니터링 기간의 id", "id of a run, a claim or a monitoring period")
    ),
    to: Path = typer.Option(
        ..., "-o", "--out",
        help=text("ZIP 파일; 산정이 여럿이면 폴더", "the ZIP file; a folder for several runs"),
    ),
    check: bool = typer.Option(
        False, "--check", help=text("두 번째 프로그램으로 확인", "let the second program check")
    ),
    city: str = CityOption,
) -> None:  # fmt: skip
    wanted = as_uuid(subject)
    folder = second_program() if check else None
    with work_for(city) as (conf, conn, code):
        from onsil import footprint

        runs = accepted(footprint.runs_behind(conn, code, wanted))
        places = _places(to, [str(run) for run in runs])
        for run, place in zip(runs, places, strict=True):
            made = accepted(footprint.export_archive(conn, code, run, conf.log_home))
            _write(place, made)
            receipt = footprint.has_receipt(made)
            out.print(f"{sha256(made).hexdigest()}  {place}", markup=False)
            if not receipt:
                err.print(text(f"{run}: 로그의 영수증은 아직 없습니다",
                               f"{run}: the log has no receipt of it yet"))  # fmt: skip
    if folder is not None:
        _check(folder, places)


def _places(to: Path, runs: Sequence[str]) -> list[Path]:
    """Where each run's file goes. Several runs want a folder, one run takes either."""
    if to.is_dir() or (len(runs) > 1 and to.suffix.lower() != ".zip"):
        return [to / f"onsil-evidence-{run}.zip" for run in runs]
    if len(runs) > 1:
        raise BadInput(
            text(f"산정이 {len(runs)}건이어서 폴더가 필요합니다: -o 폴더",
                 f"{len(runs)} runs want a folder: -o FOLDER")
        )  # fmt: skip
    return [to]


def _write(place: Path, content: bytes) -> None:
    """All of it or nothing: a file that is there is replaced in one step."""
    part = place.with_name(f".{place.name}.part")
    try:
        if not place.parent.exists():
            place.parent.mkdir()
        part.write_bytes(content)
        part.replace(place)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BadInput(
            text(f"{place}에 쓸 수 없습니다: {error.strerror}",
                 f"cannot write {place}: {error.strerror}")
        ) from error  # fmt: skip


def second_program() -> Path:
    """The folder that holds the second program: a setting, beside the source, or installed."""
    stated = os.environ.get(SETTING, "")
    found = importlib.util.find_spec(PROGRAM)
    places = [Path(stated)] if stated else [Path(__file__).parents[3] / "verifier"]
    if not stated and found is not None and found.origin is not None:
        places.append(Path(found.origin).parents[1])
    for place in places:
        if (place / PROGRAM / "__main__.py").is_file():
            return place
    raise BadInput(
        text(f"두 번째 프로그램이 없습니다: {SETTING}에 그 폴더를 적으세요",
             f"the second program is not here: name its folder in {SETTING}")
    )  # fmt: skip


def _check(folder: Path, places: Sequence[Path]) -> None:
    """Run the second program apart from this one; whatever it does not confirm is status 1."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _ALONE, str(folder.resolve()),
         *(str(place.resolve()) for place in places), "--language", language()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    out.print((done.stdout + done.stderr).rstrip(), markup=False)
    if done.returncode == _NOT_COVERED:
        refuse(text("두 번째 프로그램이 모르는 방법론이어서 확인하지 못했습니다.",
                    "not checked: the second program does not know this methodology."))  # fmt: skip
    if done.returncode:
        refuse(text("두 번째 프로그램이 확인하지 못했습니다.",
                    "the second program does not confirm it."))  # fmt: skip


def add_to(app: typer.Typer) -> None:
    app.command(
        help=text("산정의 증거 묶음(ZIP)을 내보냅니다.", "Write the evidence of a run as a ZIP.")
    )(evidence)
