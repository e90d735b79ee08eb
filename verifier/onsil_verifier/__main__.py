"""`python -m onsil_verifier BUNDLE.zip …`: 0 verified, 1 broken, 2 unreadable, 3 not covered."""

import argparse
import sys
from pathlib import Path

from onsil_verifier.archive import Unreadable, hash_findings, read
from onsil_verifier.methods import Refused
from onsil_verifier.recompute import NotCovered, recompute
from onsil_verifier.terms import findings as findings_of_terms

VERIFIED, BROKEN, UNREADABLE, NOT_COVERED = 0, 1, 2, 3
_WORDS = {
    "ko": {
        "ok": "확인됨: 모든 해시가 맞고, 다시 계산한 결과가 한 글자도 다르지 않습니다.",
        "hash": "해시가 다릅니다", "bytes": "다시 계산한 결과가 다릅니다.",
        "refused": "방법론이 받아들이지 않는 자료입니다", "unreadable": "읽을 수 없습니다",
        "limits": "방법론이 허용하지 않는 값입니다",
        "not-covered": "이 프로그램이 모르는 방법론입니다",
    },
    "en": {
        "ok": "verified: every hash fits, and the calculation gives the very same bytes.",
        "hash": "a hash does not fit", "bytes": "the calculation gives other outputs.",
        "refused": "the methodology does not accept these data", "unreadable": "unreadable",
        "limits": "a value that the methodology does not allow",
        "not-covered": "a methodology this program does not know",
    },
}  # fmt: skip


def verify(path: Path, words: dict[str, str]) -> tuple[int, list[str]]:
    """The verdict on one file and what to say of it."""
    try:
        bundle = read(path)
        findings = [f"{words['hash']}: {one}" for one in hash_findings(bundle)]
        findings += [f"{words['limits']}: {one}" for one in findings_of_terms(bundle)]
        if findings:
            return BROKEN, findings
        again = recompute(bundle)
    except (Unreadable, OSError, MemoryError, RecursionError) as error:
        return UNREADABLE, [f"{words['unreadable']}: {error}"]
    except NotCovered as error:
        return NOT_COVERED, [f"{words['not-covered']}: {error}"]
    except Refused as error:
        return BROKEN, [f"{words['refused']}: {error}"]
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        return BROKEN, [f"{words['unreadable']}: {error!r}"]
    if again != bundle.members["outputs.json"]:
        return BROKEN, [words["bytes"]]
    return VERIFIED, [words["ok"]]


def main(arguments: list[str]) -> int:
    """Check every file; the worst verdict is the exit code."""
    parser = argparse.ArgumentParser(prog="onsil_verifier", description=__doc__)
    parser.add_argument("bundle", nargs="+", type=Path)
    parser.add_argument("--language", choices=("ko", "en"), default="ko")
    asked = parser.parse_args(arguments)
    worst = VERIFIED
    for path in asked.bundle:
        code, said = verify(path, _WORDS[asked.language])
        for line in said:
            print(f"{path.name}: {line}")
        worst = max(worst, code)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
