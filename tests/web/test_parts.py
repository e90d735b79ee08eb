"""The design system's parts say what they must, to eyes and to screen readers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.utils import translation

from onsil.core.refusal import Refusal
from onsil.tenancy.cities import city as city_profile
from onsil.web.templatetags import _flow, _plot


def render(text: str, **values: object) -> str:
    context = Context({"city": city_profile("pyeongtaek"), **values})
    return Template("{% load onsil %}" + text).render(context)


def test_the_ring_has_eight_stations_in_order_and_links():
    html = render(
        "{% ring stations=stations value='12' title='올해' %}",
        stations={"measure": {"figure": "3건", "href": "/sites/"}},
    )
    words = ["측정", "산정", "등록", "크레딧", "판매", "기금", "보상", "사용"]
    places = [html.index(f">{word}</text>") for word in words]
    assert places == sorted(places)
    assert 'href="/sites/"' in html
    assert "3건" in html


def test_the_small_ring_names_what_is_lit():
    html = render("{% ring size='small' lit='measure,claim' %}")
    label = html.split('aria-label="')[1].split('"')[0]
    assert "측정" in label
    assert "등록" in label
    assert "판매" not in label


def test_a_chart_keeps_gaps_and_carries_its_table():
    spec = {
        "title": "발전", "unit": "kWh", "kind": "line", "labels": ["1시", "2시", "3시", "4시"],
        "series": [{"name": "실측", "kind": "measured",
                    "values": [Decimal(1), None, Decimal(3), Decimal(4)]}],
    }  # fmt: skip
    html = render("{% chart spec live=False %}", spec=spec)
    assert html.count('class="plot__line plot__line--measured"') == 3  # legend, before, after
    assert '<td class="number">–</td>' in html
    assert "data-chart" not in html
    assert "data-chart" in render("{% chart spec %}", spec=spec)


def test_simulated_bars_are_hatched_and_named():
    spec = {
        "title": "발전", "kind": "bar", "labels": ["1월"],
        "series": [{"name": "옥상", "kind": "simulated", "values": [3]}],
    }  # fmt: skip
    html = render("{% chart spec live=False %}", spec=spec)
    assert "plot__bar--simulated" in html
    assert "url(#hatch-" in html
    assert "모의" in html


def test_a_chart_without_values_says_so():
    assert "그릴 값이 아직 없습니다" in render("{% chart spec %}", spec={"title": "없음"})


def test_bars_start_at_zero_and_fit():
    drawn = _plot.plot({"kind": "bar", "labels": ["a", "b"], "series": [{"values": [900, 1000]}]})
    assert drawn is not None
    assert [text for _, text in drawn.ticks] == ["0", "500", "1,000"]
    heights = [float(h) for _, _, _, h in drawn.marks[0].bars]
    assert heights[0] / heights[1] == pytest.approx(0.9, abs=0.01)


def test_stacked_bars_stand_on_one_another():
    drawn = _plot.plot(
        {"kind": "stacked", "labels": ["a"], "series": [{"values": [60]}, {"values": [40]}]}
    )
    assert drawn is not None
    (_, lower_top, _, lower_height), = drawn.marks[0].bars  # fmt: skip
    (_, upper_top, _, upper_height), = drawn.marks[1].bars  # fmt: skip
    assert float(upper_top) + float(upper_height) == pytest.approx(float(lower_top), abs=0.2)
    assert float(lower_height) > float(upper_height)


def test_a_kpi_not_measured_says_what_is_missing():
    item = SimpleNamespace(
        label="물이익 인증",
        measured=False,
        missing="계측이 없습니다",
        target="취득",
        owner="하수과",
    )
    html = render("{% kpi item %}", item=item)
    assert "아직 측정 전" in html
    assert "계측이 없습니다" in html


def test_a_refusal_is_shown_in_the_readers_language():
    refusal = Refusal("no", "안 됩니다.", "It cannot be done.")
    assert "안 됩니다." in render("{% notice refusal 'error' %}", refusal=refusal)
    with translation.override("en"):
        html = render("{% notice refusal 'error' %}", refusal=refusal)
    assert "It cannot be done." in html
    assert 'role="alert"' in html


def test_age_tells_the_citys_local_time():
    when = datetime.now(UTC) - timedelta(minutes=5)
    html = render("{% age when %}", when=when)
    assert "5분 전" in html
    local = when.astimezone(city_profile("pyeongtaek").zone)
    assert local.strftime("%H:%M:%S") in html


def test_texts_of_people_are_escaped():
    assert "<script>" not in render("{% badge 'x' word %}", word="<script>")
    assert "<script>" not in render("{% notice word %}", word="<script>")
    spec = {"title": "<script>", "labels": ["'\"><script>"], "series": [{"values": [1]}]}
    assert "<script>" not in render("{% chart spec %}", spec=spec)


def test_the_two_of_co2_is_set_low_and_the_rest_escaped():
    assert render("{{ t|tonnes }}", t=Decimal("0.34")) == "340 kgCO<sub>2</sub>e"
    assert render("{{ t|co2 }}", t="<b> 2 tCO2e") == "&lt;b&gt; 2 tCO<sub>2</sub>e"
    assert render("{{ t|tonnes|co2 }}", t=1) == "1 tCO<sub>2</sub>e"
    ring = render("{% ring value=t|tonnes %}", t=1)
    assert "<sub>" not in ring
    assert '1 tCO<tspan class="ring__low"' in ring


def test_codes_are_said_in_words():
    assert render("{{ 'solar-self-consumption'|method_word }}") == "태양광 자가소비"
    assert render("{{ 'not-installed'|method_word }}") == "not-installed"
    assert render("{% scheme 'kr-offset' %}") == "배출권거래제 외부사업"
    with translation.override("en"):
        assert render("{{ 'solar-self-consumption'|method_word }}").startswith("Self-consumed")


def test_a_flow_is_drawn_without_script_and_its_bands_add_up():
    links = [{"source": "햇빛", "target": "가정", "value": 30},
             {"source": "전력망", "target": "가정", "value": Decimal(10)}]  # fmt: skip
    spec = {"title": "흐름", "kind": "sankey", "unit": "kWh", "links": links}
    drawn = _flow.flow(spec)
    assert drawn is not None
    sun, grid, home = (float(node.height) for node in drawn.nodes)
    assert sun == pytest.approx(3 * grid)
    assert home == pytest.approx(sun + grid)
    assert render("{% chart spec live=False %}", spec=spec).count("flow__band") == 2
    assert _flow.flow({**spec, "links": []}) is None
    assert _flow.flow({**spec, "kind": "line"}) is None


def test_a_flow_through_the_middle_keeps_its_columns_and_its_sums():
    links = [{"source": "전력", "target": "건물", "value": 30},
             {"source": "도시가스", "target": "건물", "value": 10},
             {"source": "경유", "target": "수송", "value": 20},
             {"source": "건물", "target": "스코프 1", "value": 10},
             {"source": "건물", "target": "스코프 2", "value": 30},
             {"source": "수송", "target": "스코프 1", "value": 20}]  # fmt: skip
    spec = {"title": "흐름", "kind": "sankey", "unit": "tCO₂e", "links": links}
    drawn = _flow.flow(spec)
    assert drawn is not None
    heights = {node.text.rsplit(" ", 2)[0]: float(node.height) for node in drawn.nodes}
    assert heights["건물"] == pytest.approx(heights["전력"] + heights["도시가스"])
    assert heights["스코프 1"] == pytest.approx(heights["도시가스"] + heights["경유"])
    assert len({node.x for node in drawn.nodes}) == 3
    assert max(float(node.x) for node in drawn.nodes) < drawn.width
    html = render("{% chart spec live=False %}", spec=spec)
    assert html.count("flow__band") == len(links)
    for words in ("건물", "도시가스", "스코프 2"):  # the same figures as a table
        assert html.count(words) >= 2
    round_trip = [*links, {"source": "스코프 1", "target": "전력", "value": 1}]
    assert _flow.flow({**spec, "links": round_trip}) is None
