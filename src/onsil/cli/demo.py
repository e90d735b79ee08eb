"""`onsil demo`: the whole loop on real readings, the summary, and then the city stays served."""

import signal
import threading
import time

import typer
from rich.console import Group
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from onsil.cli.frame import err, out, prepared_configuration
from onsil.cli.words import text
from onsil.configuration import Configuration
from onsil.core.canonical import decimal_text
from onsil.supervisor.service import running


def demo(
    stop: bool = typer.Option(
        False, "--exit",
        help=text("요약 뒤에 끝냅니다", "stop after the summary"),
    ),
) -> None:  # fmt: skip
    began = time.monotonic()
    conf = prepared_configuration()
    err.print(text("데이터베이스, 중개기, 서비스를 시작합니다 …", "starting the services …"))
    halted = threading.Event()
    with _stopped_by_signals(halted), running(conf, simulate=True, echo=False):
        import django

        django.setup()
        from onsil.demonstration import stages

        with Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=err
        ) as bar:
            outcome = stages.run(conf, conf.default_city, _stage_bars(bar))
        out.print(_summary(conf, outcome, time.monotonic() - began), soft_wrap=False)
        for failure in outcome.failures:
            err.print(f"✗ {failure}", markup=False)
        if not stop and not halted.is_set():
            out.print(text("Ctrl-C로 끝냅니다.", "Ctrl-C stops everything."))
            halted.wait()
    if outcome.failures:
        raise typer.Exit(1)


class _stopped_by_signals:
    """While the block runs, Ctrl-C and SIGTERM set the event instead of killing the process."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._heard)

    def _heard(self, *_: object) -> None:
        if self._event.is_set():
            raise KeyboardInterrupt
        self._event.set()

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]


def _stage_bars(bar: Progress):
    from onsil.demonstration.stages import STAGES

    words = {code: text(ko, en) for code, ko, en in STAGES}
    finished: list[TaskID] = []

    def begin(stage: str):
        for task in finished:
            bar.update(task, completed=1, total=1)
        task = bar.add_task(words[stage], total=None)
        finished.append(task)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=max(total, 1))

        return tell

    return begin


def _summary(conf: Configuration, outcome, seconds: float) -> Panel:
    from onsil.demonstration.cast import PASSWORD
    from onsil.demonstration.stages import demo_logins

    figures = Table.grid(padding=(0, 2))
    for name, value in _figures(outcome):
        figures.add_row(name, value)
    places = Table.grid(padding=(0, 2))
    for name, url in (
        (text("시민이 보는 화면", "public page"), f"{conf.web_address}/"),
        (text("로그인", "sign in"), f"{conf.web_address}/accounts/login/"),
        (text("데이터 허브", "data hub"), f"{conf.hub_address}/ngsi-ld/v1/entities?type=Building"),
    ):
        places.add_row(name, url)
    for role, address in demo_logins():
        places.add_row(role, address)
    places.add_row(text("비밀번호 (모두)", "password (all)"), PASSWORD)
    note = text(
        "태양광은 2011–2013년 미국, 가구는 2012–2022년 영국의 실측값을 2024–2026년으로 옮겨"
        " 재생한 것이고, 업무 건물(2012–2015년)과 교육 건물(2020–2021년)의 실측도 그렇습니다. 버스"
        " 이용과 실시간 기기는 시뮬레이션입니다.",
        "Solar readings were measured in the United States 2011-2013 and household readings in the"
        " United Kingdom 2012-2022, replayed as 2024-2026, as are an office of 2012-2015 and a"
        " college of 2020-2021; bus rides and live devices are simulated.",
    )
    verdict = text("모두 확인됨", "all checks hold") if not outcome.failures else "✗"
    return Panel(
        Group(figures, "", places, "", note),
        title=text(f"온실 · {verdict} · {seconds:.0f}초", f"Onsil · {verdict} · {seconds:.0f} s"),
    )


def _figures(outcome) -> list[tuple[str, str]]:
    tonnes = [decimal_text(round(run.co2e_t, 4)) for run in outcome.runs
              if run.id != outcome.superseded]  # fmt: skip
    batch = outcome.batch
    spent = sum(payment.amount for payment in outcome.payments)
    return [
        (text("들어온 실측값", "readings in"),
         f"{outcome.readings:,} ({text('새로', 'new')} {outcome.imported:,})"),
        (text("산정한 감축량 (tCO2e)", "tonnes out (tCO2e)"), " + ".join(tonnes)),
        (text("주장", "claims"), f"{len(outcome.claims)}"),
        (text("크레딧", "credits"),
         f"{batch.tonnes if batch else 0} t, {text('상쇄', 'retired')} {outcome.retired} t"),
        *_carbon(outcome),
        (text("지급한 포인트", "points paid"), f"{outcome.points:,}"),
        (text("결제", "payments"), f"{len(outcome.payments)}, {spent:,}{text('원', ' KRW')}"),
        (text("증명", "proof"),
         text(f"잎 {outcome.leaves:,}개 확인, 추적 {outcome.trace_steps}단계",
              f"{outcome.leaves:,} leaves checked, {outcome.trace_steps} steps traced")
         + ("  ✓" if outcome.verified else "  ✗")),
        (text("체인 기록", "anchor"), _anchor(outcome)),
    ]  # fmt: skip


def _carbon(outcome) -> list[tuple[str, str]]:
    """The project on the whole route, its market, the inventories, and what was refused."""
    if outcome.certified is None or outcome.traded is None:
        return []
    from onsil.demonstration.inventories import YEARS

    issued = sum(batch.tonnes for batch in outcome.certified.batches)
    sold = sum(order.tonnes for order in outcome.traded.orders)
    totals = [f"{round(one.co2e_kg / 1000, 1):,}" for one in outcome.inventories]
    pairs = " · ".join(
        f"{year}: {city} / {operator}"
        for year, city, operator in zip(YEARS, totals[::2], totals[1::2], strict=True)
    )
    return [
        (text("외부사업 전 절차", "full offset route"),
         text(f"{issued} t 인증·발행, 주문 {sold} t 정산", f"{issued} t certified and issued, "
              f"orders of {sold} t settled")),
        (text("인벤토리 (잰 것만, 도시 / 건물)", "inventories (what was metered, city / operator)"),
         f"{pairs} tCO2e"),
        (text("거절된 이중 청구", "second claims refused"), f"{outcome.refused}"),
        (text("다른 프로그램이 확인한 증거", "evidence accepted by the second program"),
         f"{outcome.accepted}"),
    ]  # fmt: skip


def _anchor(outcome) -> str:
    held = outcome.anchored
    if held is None:
        return text("없음 (EVM 노드 없음)", "none (no EVM node)")
    words = text(
        f"크기 {held.size:,}, 체인 {held.chain_id}의 블록 {held.block_number}",
        f"size {held.size:,} in block {held.block_number} of chain {held.chain_id}",
    )
    if held.development:
        words += text(" (개발용 체인: 바깥에는 증명이 아님)",
                      " (local development chain: proves nothing to outsiders)")  # fmt: skip
    return words + ("  ✓" if outcome.anchor_held else "  ✗")
