"""The verifier's room: filters, recomputing, sampling, findings, the log, and who may do what."""

import json

import psycopg
import pytest
from django.test import Client
from django.urls import reverse
from portal_world import CITY, HOME, World

from onsil import footprint
from onsil.console.evidence import doubts, findings
from onsil.console.evidence.models import Finding
from onsil.console.evidence.sampling import draw, rank
from onsil.core.refusal import Refusal
from onsil.footprint.projects import Finding as ProjectFinding
from onsil.footprint.projects import findings as project_findings
from onsil.footprint.projects import raise_finding as raise_project_finding
from onsil.tenancy import transaction


def client(person) -> Client:
    made = Client()
    made.force_login(person)
    return made


def page(world: World, path: str, **query) -> str:
    answer = client(world.verifier).get(f"/console/evidence/{path}", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_roles(world: World):
    run = f"/console/evidence/runs/{world.home_run.id}/"
    for path in (
        "/console/evidence/",
        run,
        "/console/evidence/findings/",
        "/console/evidence/log/",
    ):
        assert client(world.verifier).get(path).status_code == 200
        assert client(world.official).get(path).status_code == 200
        assert client(world.saver).get(path).status_code == 403
        assert client(world.buyer).get(path).status_code == 403
        assert Client().get(path).status_code == 302
    assert client(world.official).post(f"{run}findings/").status_code == 403
    assert client(world.saver).post(f"{run}recompute/").status_code == 403


def test_runs_are_filtered(world: World):
    home, solar = str(world.home_run.id), str(world.solar_run.id)
    everything = page(world, "")
    assert home in everything
    assert solar in everything
    only = page(world, "", methodology="solar-self-consumption")
    assert solar in only
    assert home not in only
    assert home in page(world, "", meter="home-1")
    assert solar not in page(world, "", meter="home-1")
    assert home not in page(world, "", claimed="no")
    assert "맞는 산정이 없습니다" in page(world, "", status="not-yet-measurable")


def test_a_run_is_laid_open(world: World):
    text = page(world, f"runs/{world.home_run.id}/")
    for said in (
        world.home_run.inputs_digest, world.home_run.snapshot_digest, "kr-grid-2021", "8,760",
        "4,416", "온실가스종합정보센터", f"{HOME}#temperature", "household-saving",
    ):  # fmt: skip
        assert said in text, said


def test_recomputing_gives_the_same_bytes(world: World):
    path = f"/console/evidence/runs/{world.home_run.id}/recompute/"
    text = client(world.verifier).post(path).content.decode()
    assert "한 바이트도 다르지 않습니다" in text


def test_recomputing_finds_altered_outputs(world: World):
    """Even when the forger puts the right hash beside the forged figures."""
    statement = """UPDATE footprint_run r SET outputs = made.text,
          outputs_sha256 = encode(sha256(convert_to(made.text, 'UTF8')), 'hex')
        FROM (SELECT id, replace(outputs, %s, %s) AS text FROM footprint_run) made
        WHERE made.id = r.id AND r.id = %s"""
    change = ('"savings_pct":"25.06"', '"savings_pct":"35.06"')
    with psycopg.connect(world.dsn, autocommit=True) as owner:
        assert owner.execute(statement, (*change, world.home_run.id)).rowcount == 1
        try:
            path = f"/console/evidence/runs/{world.home_run.id}/recompute/"
            text = client(world.verifier).post(path).content.decode()
        finally:
            owner.execute(statement, (*reversed(change), world.home_run.id))
    assert "다시 계산한 결과가 다릅니다" in text


def test_the_bundle_is_checked_by_itself(world: World):
    answer = client(world.verifier).get(f"/console/evidence/runs/{world.solar_run.id}/bundle.json")
    assert footprint.verify_bundle(answer.content).ok
    assert client(world.saver).get(answer.request["PATH_INFO"]).status_code == 403


def test_the_archive_is_checked_by_itself(world: World):
    answer = client(world.verifier).get(f"/console/evidence/runs/{world.solar_run.id}/bundle.zip")
    assert answer["Content-Type"] == "application/zip"
    assert footprint.verify_archive(answer.content).ok
    assert client(world.saver).get(answer.request["PATH_INFO"]).status_code == 403


def test_data_are_inspected_again_and_recomputations_kept(world: World):
    address = reverse("evidence-run", args=[world.home_run.id])
    inspect = reverse("evidence-inspect", args=[world.home_run.id])
    again = client(world.verifier).post(inspect, follow=True).content.decode()
    assert "자료를 다시 검사했습니다" in again
    assert "자료 검사" in again
    client(world.verifier).post(f"{address}recompute/")
    assert "다시 계산한 기록" in client(world.verifier).get(address).content.decode()


def test_a_sample_is_the_same_for_everybody(world: World):
    with transaction(CITY) as tx:
        first = draw(tx, CITY, world.home_run.id, "seed", 12)
        again = draw(tx, CITY, world.home_run.id, "seed", 12)
        other = draw(tx, CITY, world.home_run.id, "another", 12)
        bundle = footprint.export_bundle(tx, CITY, world.home_run.id)
    assert isinstance(first, list)
    assert isinstance(bundle, bytes)
    assert first == again != other
    assert len(first) == 12
    assert all(one.same for one in first)
    readings = [
        (meter, line.split(" ")[0])
        for role, key in json.loads(bundle)["inputs"]["series"].items()
        for meter in [f"{key['entity']}#{key['attribute']}"]
        for line in json.loads(bundle)["readings"][_sha256(bundle, key)].splitlines()
        if role
    ]
    ranks = sorted(rank("seed", meter, instant) for meter, instant in readings)
    drawn = sorted(
        rank("seed", f"{one.entity}#{one.attribute}", one.at.isoformat().replace("+00:00", "Z"))
        for one in first
    )
    assert drawn == ranks[:12]


def _sha256(bundle: bytes, key: dict) -> str:
    described = json.loads(bundle)["inputs"]["snapshot"]["manifest"]["series"]
    return next(
        one["sha256"]
        for one in described
        if (one["entity"], one["attribute"]) == (key["entity"], key["attribute"])
    )


def test_the_sample_page(world: World):
    path = reverse("evidence-sample", kwargs={"run": world.home_run.id})
    text = client(world.verifier).get(path, {"seed": "2026", "size": 5}).content.decode()
    assert "모두 지금의 데이터와 같습니다." in text
    assert text.count("/trace/reading/?entity=") == 5
    assert "field--error" in page(world, f"runs/{world.home_run.id}/sample/", seed="", size=5)


def test_a_finding_is_raised_answered_and_closed_by_the_right_people(world: World):
    run, clock = world.home_run.id, world.clock
    refused = findings.raise_finding(CITY, run, world.official, "material", "t", "x", clock)
    assert isinstance(refused, Refusal)
    assert isinstance(
        findings.raise_finding(CITY, run, world.verifier, "material", " ", "x", clock), Refusal
    )
    found = findings.raise_finding(CITY, run, world.verifier, "material", "기온", "확인", clock)
    assert isinstance(found, Finding)
    early = findings.close_finding(CITY, found.pk, world.verifier, "됐습니다", clock)
    assert isinstance(early, Refusal)
    assert early.code == "finding-unanswered"
    own = findings.answer_finding(CITY, found.pk, world.verifier, "스스로", clock)
    assert isinstance(own, Refusal)
    answered = findings.answer_finding(CITY, found.pk, world.official, "같은 관측소", clock)
    assert isinstance(answered, Finding)
    assert isinstance(
        findings.close_finding(CITY, found.pk, world.official, "닫기", clock), Refusal
    )
    closed = findings.close_finding(CITY, found.pk, world.verifier, "확인함", clock)
    assert isinstance(closed, Finding)
    assert closed.state == Finding.State.CLOSED
    late = findings.answer_finding(CITY, found.pk, world.official, "더", clock)
    assert isinstance(late, Refusal)
    assert late.code == "finding-closed"
    assert [r.act for r in found.remarks.all()] == ["raised", "answered", "closed"]


def test_an_observation_may_be_closed_at_once(world: World):
    made = findings.raise_finding(
        CITY, world.home_run.id, world.verifier, "observation", "의견", "좋습니다", world.clock
    )
    assert isinstance(made, Finding)
    assert isinstance(
        findings.close_finding(CITY, made.pk, world.verifier, "끝", world.clock), Finding
    )


def test_findings_through_the_screen(world: World):
    raising = reverse("evidence-raise", kwargs={"run": world.home_run.id})
    form = {"severity": "correction", "title": "발전량", "text": "계량기 교정 기록을 보여 주세요."}
    assert client(world.verifier).post(raising, form).status_code == 302
    found = Finding.objects.get(title="발전량")
    answering, forgetting = (
        reverse("evidence-finding", kwargs={"finding": found.pk, "act": act})
        for act in ("answer", "forget")
    )
    client(world.official).post(answering, {"text": "첨부했습니다."})
    assert "첨부했습니다." in page(world, f"runs/{world.home_run.id}/")
    assert client(world.verifier).post(forgetting, {"text": "x"}).status_code == 404
    assert "발전량" in page(world, "findings/")


def test_a_doubt_about_a_projects_run_is_raised_once_and_stands_in_both_places(world: World):
    """In the evidence room and in the project's workspace, answered in either."""
    run = world.solar_run.id
    raising = reverse("evidence-raise", kwargs={"run": run})
    form = {"severity": "correction", "title": "인버터 교체", "text": "교체 기록을 보여 주세요."}
    assert "사업 화면에도 나옵니다" in page(world, f"runs/{run}/")
    assert client(world.verifier).post(raising, form).status_code == 302
    assert not Finding.objects.filter(title="인버터 교체").exists()
    with transaction(CITY) as tx:
        (served,) = doubts.serving(tx, CITY, run)
        (made,) = project_findings(tx, CITY, served.project_id)
    assert (made.kind, made.severity, made.run_id, made.monitoring_id) == (
        "CAR", "minor", run, served.monitoring_id
    )  # fmt: skip
    answering, closing = (
        reverse("evidence-finding", kwargs={"finding": made.id, "act": act})
        for act in ("answer", "close")
    )
    assert client(world.official).post(answering, {"text": "여기 있습니다."}).status_code == 302
    workspace = reverse("project-findings", args=[served.project_id])
    for text in (
        page(world, f"runs/{run}/"), client(world.verifier).get(workspace).content.decode(),
    ):  # fmt: skip
        assert "인버터 교체" in text
        assert "여기 있습니다." in text
        assert "자료 검사" in text
    assert f"{served.code} CAR 1" in page(world, f"runs/{run}/")
    assert "인버터 교체" in page(world, "findings/")
    client(world.verifier).post(closing, {"text": "확인했습니다."})
    with transaction(CITY) as tx:
        told = doubts.of_run(tx, CITY, run)
    assert [(one.origin, one.state) for one in told.raised] == [("project", "closed")]
    assert [one.text for one in told.raised[0].said] == [
        "교체 기록을 보여 주세요.", "여기 있습니다.", "확인했습니다.",
    ]  # fmt: skip
    assert told.open == 0
    assert told.checked


def test_what_a_project_says_of_its_period_stands_with_the_run(world: World):
    run = world.solar_run.id
    with transaction(CITY) as tx:
        (served,) = doubts.serving(tx, CITY, run)
        terms = ProjectFinding(
            "CL", "material", "기간 전체", "설명해 주세요.", monitoring_id=served.monitoring_id
        )
        made = raise_project_finding(
            tx, CITY, served.project_id, terms, str(world.verifier.pk), world.clock
        )
        assert isinstance(made, ProjectFinding)
    assert "기간 전체" in page(world, f"runs/{run}/")


def test_factors_lead_to_the_very_version_of_their_set(world: World):
    text = page(world, f"runs/{world.home_run.id}/")
    assert reverse("factor-set", args=["kr-grid-2021@1"]) in text
    assert "kr-grid-2021@1" in text


def test_the_log_is_verified_and_an_altered_row_is_named(world: World):
    verifier = client(world.verifier)
    assert "투명성 기록" in page(world, "log/")
    world.seal()
    text = verifier.post("/console/evidence/log/verify/").content.decode()
    assert "모든 잎이 지금의 행과 맞습니다" in text
    statement = "UPDATE footprint_claim SET co2e_t = co2e_t + %s WHERE id = %s"
    with psycopg.connect(world.dsn, autocommit=True) as owner:
        assert owner.execute(statement, (1, world.home_claim.id)).rowcount == 1
        try:
            text = verifier.post("/console/evidence/log/verify/").content.decode()
        finally:
            owner.execute(statement, (-1, world.home_claim.id))
    assert "기록과 다른 것이 있습니다" in text
    assert f"claim {world.home_claim.id}" in text


@pytest.mark.parametrize("act", ["recompute", "findings"])
def test_an_unknown_run_is_not_found(world: World, act: str):
    path = f"/console/evidence/runs/{world.batch.id}/{act}/"
    assert client(world.verifier).post(path).status_code == 404
