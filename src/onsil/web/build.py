"""Makes what the screens serve from npm's packages, and compiles the translations.

    python -m onsil.web.build [--force]

Only the files that a page asks for are copied, into `static/vendor` (never committed). Nothing is
done when nothing has changed since the last time.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from onsil.core.refusal import OperationError

PACKAGE = Path(__file__).parents[1]
CHECKOUT = PACKAGE.parents[1]
MODULES = CHECKOUT / "node_modules"
VENDOR = Path(__file__).parent / "static" / "vendor"
STAMP = VENDOR / ".stamp"

_ENTRY = Path(__file__).with_name("echarts_entry.js")
_FONT_FACES = {400: "Regular", 500: "Medium", 700: "Bold"}
_COPIES = {
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "maplibre-gl/dist/maplibre-gl.mjs": "maplibre/maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs": "maplibre/maplibre-gl-worker.mjs",
    "maplibre-gl/dist/maplibre-gl.css": "maplibre/maplibre-gl.css",
    "krds-uiux/resources/cdn/krds.min.js": "krds/krds.js",
    "krds-uiux/resources/css/token/krds_tokens.css": "krds/tokens.css",
    **{
        f"krds-uiux/resources/fonts/PretendardGOV-{name}.subset.woff2":
            f"krds/fonts/PretendardGOV-{name}.woff2"
        for name in _FONT_FACES.values()
    },
    "htmx.org/LICENSE": "licences/htmx.txt",
    "echarts/LICENSE": "licences/echarts.txt",
    "echarts/NOTICE": "licences/echarts-notice.txt",
    "zrender/LICENSE": "licences/zrender.txt",
    "maplibre-gl/LICENSE.txt": "licences/maplibre-gl.txt",
    "jsqr/LICENSE": "licences/jsqr.txt",
}  # fmt: skip


def _digest(paths: list[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _esbuild(*arguments: str, text: str | None = None) -> str:
    done = subprocess.run(
        [str(MODULES / ".bin" / "esbuild"), "--log-level=warning", "--legal-comments=none",
         "--minify", *arguments],
        input=text, cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise OperationError(f"esbuild failed: {done.stderr.strip()}", retry=False)
    return done.stdout


def _krds_stylesheet() -> str:
    """KRDS' components in one sheet with the fonts they name but do not declare."""
    resources = MODULES / "krds-uiux" / "resources"
    faces = "".join(
        "@font-face{font-family:'Pretendard GOV';font-style:normal;font-display:swap;"
        f"font-weight:{weight};src:url(fonts/PretendardGOV-{name}.woff2) format('woff2')}}"
        for weight, name in _FONT_FACES.items()
    )
    tokens = (resources / "css/token/krds_tokens.css").read_text("utf-8")
    components = (resources / "css/component/output.css").read_text("utf-8")
    joined = re.sub(r"@(charset|import)[^;]*;", "", tokens + components)
    return faces + joined.replace("../../img/component/icon/", "img/")


def build_vendor(*, force: bool = False) -> bool:
    """Fill `static/vendor`; False when it was up to date.

    Raises OperationError when npm's packages are missing or do not hold what is expected.
    """
    lock = CHECKOUT / "package-lock.json"
    if not (MODULES / "krds-uiux").is_dir():
        raise OperationError(f"{MODULES} is missing: run `npm ci` in {CHECKOUT}", retry=False)
    mark = _digest([lock, Path(__file__), _ENTRY])
    if not force and STAMP.exists() and STAMP.read_text() == mark:
        return False
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, target in _COPIES.items():
        path = VENDOR / target
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(MODULES / source, path)
        except FileNotFoundError as error:
            raise OperationError(f"npm package without {source}", retry=False) from error
    shutil.copytree(MODULES / "krds-uiux/resources/img/component/icon", VENDOR / "krds" / "img")
    sheet = _esbuild("--loader=css", text=_krds_stylesheet())
    (VENDOR / "krds" / "krds.css").write_text(sheet, "utf-8")
    _esbuild("--bundle", "--format=esm", "--target=es2022", str(_ENTRY),
             f"--outfile={VENDOR / 'echarts.mjs'}")  # fmt: skip
    _esbuild("--bundle", "--format=esm", "--target=es2022",
             f"--outfile={VENDOR / 'jsqr.mjs'}", "--loader=js",
             text='import scan from "jsqr"; export default scan;')  # fmt: skip
    STAMP.write_text(mark)
    return True


def catalogues() -> Iterator[Path]:
    """Every message catalogue of the rooms."""
    return iter(sorted(PACKAGE.glob("**/locale/*/LC_MESSAGES/*.po")))


def compile_messages() -> int:
    """Compile the catalogues that changed; how many. Raises OperationError for a broken one."""
    compiled = 0
    for source in catalogues():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            try:
                catalogue = read_po(file, locale=source.parts[-3], abort_invalid=True)
            except Exception as error:  # Babel's own error types are not public
                raise OperationError(f"{source}: {error}", retry=False) from error
        with target.open("wb") as file:
            write_mo(file, catalogue)
        compiled += 1
    return compiled


def main() -> int:
    try:
        vendor = build_vendor(force="--force" in sys.argv[1:])
        messages = compile_messages()
    except OperationError as error:
        print(f"onsil.web.build: {error}", file=sys.stderr)
        return 1
    print(f"static files {'built' if vendor else 'up to date'}, {messages} catalogues compiled")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
