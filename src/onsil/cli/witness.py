"""`onsil witness`: a witness of transparency logs, run by whoever wants to keep a city honest.

It needs no installation, no database and no settings: a folder holds all it has.
"""

from datetime import UTC, datetime
from pathlib import Path

import typer

from onsil.cli.frame import BadInput, existing_file, out, show
from onsil.cli.words import text

witness_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
FolderOption = typer.Option(
    Path("witness"), "--folder", help=text("키와 기억을 두는 폴더", "folder of keys and memory")
)


@witness_app.command(
    "key", help=text("증인의 공개키를 보여 줍니다 (처음이면 만듭니다)",
                     "show the witness's public keys, made at the first call"),
)  # fmt: skip
def key(
    folder: Path = FolderOption,
    name: str = typer.Option(
        "", "--name", help=text("예: example.org/witness", "such as example.org/witness")
    ),
) -> None:
    from onsil.proof.witness.serving import open_witness

    cosigner, _ = open_witness(folder, name)
    for public in cosigner.keys:
        out.print(public.text, markup=False)


@witness_app.command("add-log", help=text("공동 서명할 로그를 등록합니다", "add a log to cosign"))
def add_log(
    vkey: str = typer.Argument(
        help=text("로그의 공개키 글 또는 그 파일", "the log's verifier key, or a file of it")
    ),
    folder: Path = FolderOption,
    every_year: bool = typer.Option(
        False, "--every-year",
        help=text("이름이 연도로 끝나는 로그의 다른 해도", "also its logs of other years"),
    ),
) -> None:  # fmt: skip
    from onsil.proof import NoteError, VerifierKey
    from onsil.proof.keys import ED25519, MLDSA44
    from onsil.proof.witness.serving import open_witness

    if "+" not in vkey:
        vkey = existing_file(Path(vkey)).read_text("utf-8")
    _, memory = open_witness(folder)
    try:
        public = VerifierKey.parse(vkey)
        if public.kind not in (ED25519, MLDSA44):
            raise NoteError(f"type 0x{public.kind:02x}")
        memory.add_log(public, every_year=every_year)
    except NoteError as error:
        raise BadInput(
            text(f"로그의 공개키가 아닙니다: {error}", f"not a log's verifier key: {error}")
        ) from None
    out.print(text(f"{public.name} 등록함", f"{public.name} added"), markup=False)


@witness_app.command(
    "status", help=text("로그마다 마지막으로 공동 서명한 크기", "what was cosigned last")
)
def status(folder: Path = FolderOption) -> None:
    from onsil.proof.witness.serving import open_witness

    _, memory = open_witness(folder)
    trees = {tree.origin: tree for tree in memory.trees()}
    names = sorted({*trees, *(public.name for public, _ in memory.logs())})
    rows = []
    for name in names:
        tree = trees.get(name)
        at = datetime.fromtimestamp(tree.cosigned_at, UTC) if tree else None
        rows.append([name, tree.size if tree else 0, f"{at:%Y-%m-%d %H:%M:%S}Z" if at else "–"])
    show([text("로그", "log"), text("잎", "leaves"), text("시각", "at")], rows)


@witness_app.command("run", help=text("증인 서비스를 실행합니다", "serve until stopped"))
def run(
    folder: Path = FolderOption,
    host: str = typer.Option("127.0.0.1", "--host", help=text("여는 주소", "address to open")),
    port: int = typer.Option(8405, "--port", help=text("포트", "port")),
) -> None:
    from onsil.proof.witness.serving import open_witness, serve

    cosigner, memory = open_witness(folder)
    count = len(memory.logs())
    out.print(
        text(f"{cosigner.name}: http://{host}:{port}/ (로그 {count}개)",
             f"{cosigner.name}: http://{host}:{port}/ ({count} logs)"),
        markup=False,
    )  # fmt: skip
    serve(folder, host, port)


def add_to(app: typer.Typer) -> None:
    app.add_typer(
        witness_app, name="witness",
        help=text("투명성 로그의 증인을 운영합니다.", "Run a witness of transparency logs."),
    )  # fmt: skip
