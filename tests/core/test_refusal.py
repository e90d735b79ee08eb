"""A refusal is a value that speaks the reader's language."""

from onsil.core.refusal import Refusal

NO = Refusal("budget-empty", ko="예산이 모두 쓰였어요.", en="The budget is used up.")


def test_it_speaks_korean_first():
    assert NO.text() == "예산이 모두 쓰였어요."
    assert NO.text("en-GB") == "The budget is used up."


def test_it_is_false_so_that_success_reads_naturally():
    assert not NO
