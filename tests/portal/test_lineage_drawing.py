"""A lineage drawn: stations in rows, no two on one another, lines from above to below."""

from dataclasses import replace
from itertools import combinations

from offering import FILE
from onsil.hub.datasets.lineage import lineage_of
from onsil.hub.datasets.registry import Said, read_datasets
from onsil.portal.lineage import Drawing, draw


def drawing(**made_of: tuple[str, ...]) -> Drawing:
    one = replace(read_datasets(FILE)[1][0], sources=(), method=Said("더함", "Added"))
    every = [replace(one, id=id, derived_from=origins) for id, origins in made_of.items()]
    focus = next(iter(made_of))
    made = draw(lineage_of(every[0], every), focus, "ko", "바깥")
    assert made is not None
    return made


def test_stations_stand_apart_within_the_drawing():
    made = drawing(here=("a", "b", "c"), a=("b",), b=(), c=(), next=("here",))
    assert len(made.boxes) == 5
    for one, other in combinations(made.boxes, 2):
        assert abs(one.x - other.x) >= made.box_width or abs(one.y - other.y) >= made.box_height
    for one in made.boxes:
        assert 0 <= one.x <= made.width - made.box_width
        assert 0 <= one.y <= made.height - made.box_height
    assert [one.node.key for one in made.boxes if one.here] == ["here"]


def test_two_beside_one_another_fit_a_phone():
    assert drawing(here=("a", "b"), a=(), b=()).drawn_width <= 358


def test_each_step_is_said_in_words_too():
    made = drawing(here=("a",), a=())
    assert [step["method"] for step in made.steps] == ["더함"]
    assert len(made.paths) == len(made.steps)


def test_a_data_set_of_nothing_has_no_drawing():
    one = replace(read_datasets(FILE)[1][0], sources=())
    assert draw(lineage_of(one, [one]), one.id, "en", "outside") is None


def test_long_titles_are_folded():
    one = replace(
        read_datasets(FILE)[1][0],
        title=Said("아주 길고 긴 이름을 가진 데이터 세트의 시간별 평균값", "x " * 60),
    )
    made = draw(lineage_of(one, [one]), one.id, "ko", "")
    assert made is not None
    here = next(box for box in made.boxes if box.here)
    assert len(here.lines) == 2
    assert here.lines[1].endswith("…")
