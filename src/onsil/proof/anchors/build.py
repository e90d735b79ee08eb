"""Compiles `OnsilAnchor.vy` into `OnsilAnchor.json`, which is what is shipped and deployed.

    python -m onsil.proof.anchors.build [--check]

Needs the vyper named in the contract's first line (a development dependency). The same source and
compiler give the same bytes, so anyone can see that the contract at an address is this one.
"""

import json
import sys
from hashlib import sha256
from typing import Any

from onsil.proof.anchors.contract import ARTIFACT, SOURCE


def compiled() -> dict[str, Any]:
    """The artifact as the present source and compiler make it."""
    import vyper
    from vyper.compiler import compile_code

    text = SOURCE.read_text("utf-8")
    made = compile_code(text, output_formats=["abi", "bytecode", "bytecode_runtime"])
    return {
        "contract": SOURCE.stem,
        "compiler": f"vyper {vyper.__version__}",
        "source_sha256": sha256(text.encode()).hexdigest(),
        "abi": made["abi"],
        "bytecode": made["bytecode"],
        "runtime": made["bytecode_runtime"],
    }


def rendered(artifact: dict[str, Any]) -> str:
    """The artifact's file: a fact a line, so that a change can be read."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in artifact.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: list[str]) -> int:
    text = rendered(compiled())
    if "--check" in arguments:
        same = ARTIFACT.read_text("utf-8") == text
        print(f"{ARTIFACT.name}: {'as compiled' if same else 'not what the source compiles to'}")
        return 0 if same else 1
    ARTIFACT.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
