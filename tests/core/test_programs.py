import sys

import pytest

from onsil.core.programs import run_program
from onsil.core.refusal import OperationError


def test_what_a_program_writes_is_given_back():
    echo = "import sys; print(sys.stdin.read().upper())"
    assert run_program([sys.executable, "-c", echo], given="한 won") == "한 WON\n"


def test_a_program_that_fails_is_named_with_its_own_words():
    wrong = "import sys; print('began'); sys.exit('no room on the disk')"
    with pytest.raises(OperationError, match=r"(?s)python.* failed \(1\): began.no room on the"):
        run_program([sys.executable, "-c", wrong])


def test_one_that_is_not_there_or_never_ends_is_named(tmp_path):
    with pytest.raises(OperationError, match="nowhere cannot be started"):
        run_program([tmp_path / "nowhere"])
    slow = "import time; print('waiting', flush=True); time.sleep(60)"
    with pytest.raises(OperationError, match=r"took longer than 0\.5 s: waiting") as caught:
        run_program([sys.executable, "-c", slow], wait_s=0.5)
    assert caught.value.retry
