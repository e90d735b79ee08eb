"""Bundles made to pass: every hash fits again, and the second program still says no."""

import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from onsil.core.canonical import canonical_bytes, digest
from onsil.footprint.archive import pack, unpack
from onsil.footprint.factors import GWP_SETS, Factor, gwp, gwp_gases
from onsil.footprint.methodologies import methodologies
from onsil.footprint.rows import sha256_of
from second_program import (
    RUN,
    VERIFIER,
    by_engine,
    compare,
    every_terms,
    evidence,
    example,
    packed,
    second,
)

Members = dict[str, bytes]
SOLAR = ("solar-self-consumption", "2")
LAMPS = ("led-replacement", "1")


def whole(name: str, version: str) -> Members:
    members = evidence(name, version, example(name, version))
    outputs = by_engine(members)
    assert isinstance(outputs, bytes)
    return unpack(packed(members, outputs))


def verdict(data: bytes, folder: Path) -> tuple[int, str]:
    path = folder / "bundle.zip"
    path.write_bytes(data)
    program = second("__main__")
    code, said = program.verify(path, program._WORDS["en"])
    return code, " ".join(said)


def resealed(members: Members) -> bytes:
    """A ZIP of the members in which every hash fits again, as a forger would have it."""
    members.pop("manifest.json", None)
    run, entry = json.loads(members["run.json"]), json.loads(members["log_entry.json"])
    for part in ("inputs", "outputs"):
        run[f"{part}_sha256"] = entry[part] = sha256_of(members[f"{part}.json"])
    members["run.json"], members["log_entry.json"] = canonical_bytes(run), canonical_bytes(entry)
    return pack("pyeongtaek", RUN, members)


def with_inputs(members: Members, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Altered inputs with their digests, and the outputs that the engine finds for them."""
    inputs = json.loads(members["inputs.json"])
    change(inputs)
    taken = inputs["snapshot"]
    taken["digest"] = digest(taken["manifest"])
    members["inputs.json"] = canonical_bytes(inputs)
    return resealed(members)


def with_readings(members: Members, change: Callable[[list[str]], list[str]]) -> bytes:
    """Altered readings of the first series; count, sum and hash are made to fit where they can."""
    inputs = json.loads(members["inputs.json"])
    described = inputs["snapshot"]["manifest"]["series"][0]
    lines = members.pop(f"readings/{described['sha256']}.txt").decode().splitlines()
    data = "".join(f"{line}\n" for line in change(lines)).encode()
    described["sha256"] = sha256_of(data)
    members[f"readings/{described['sha256']}.txt"] = data
    inputs["snapshot"]["digest"] = digest(inputs["snapshot"]["manifest"])
    members["inputs.json"] = canonical_bytes(inputs)
    return resealed(members)


def with_table(members: Members, change: Callable[[bytes], bytes]) -> bytes:
    inputs = json.loads(members["inputs.json"])
    (described,) = inputs["tables"].values()
    data = change(members.pop(f"tables/{described['sha256']}.jsonl"))
    described["sha256"] = sha256_of(data)
    members[f"tables/{described['sha256']}.jsonl"] = data
    members["inputs.json"] = canonical_bytes(inputs)
    return resealed(members)


@pytest.mark.parametrize("named", [SOLAR, LAMPS])
def test_what_is_honest_passes_and_resealing_alone_changes_nothing(
    named: tuple[str, str], tmp_path: Path
) -> None:
    members = whole(*named)
    assert verdict(resealed(members), tmp_path)[0] == 0


def rezipped(
    members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED, **more: bytes
) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as made:
        for path, data in members.items():
            made.writestr(zipfile.ZipInfo(path), data, compression)
        made.comment = more.get("comment", b"")
    return held.getvalue()


class TestTheFile:
    def test_a_plain_zip_of_the_same_members_passes(self, tmp_path: Path) -> None:
        assert verdict(rezipped(unpack(resealed(whole(*SOLAR)))), tmp_path)[0] == 0

    def test_a_path_twice(self, tmp_path: Path) -> None:
        members = unpack(resealed(whole(*SOLAR)))
        held = io.BytesIO(rezipped(members))
        with zipfile.ZipFile(held, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
            made.writestr(zipfile.ZipInfo("outputs.json"), b"{}")
        code, said = verdict(held.getvalue(), tmp_path)
        assert (code, "twice" in said) == (2, True), said

    def test_a_compressed_member_which_could_swell_without_end(self, tmp_path: Path) -> None:
        members = {**unpack(resealed(whole(*SOLAR))), "README.txt": b"0" * 10_000_000}
        code, said = verdict(rezipped(members, zipfile.ZIP_DEFLATED), tmp_path)
        assert (code, "compressed" in said) == (2, True), said

    def test_a_stated_size_beyond_all_bounds_is_refused_before_reading(
        self, tmp_path: Path
    ) -> None:
        data = bytearray(rezipped(unpack(resealed(whole(*SOLAR)))))
        entry = data.rindex(b"PK\x01\x02")
        data[entry + 20 : entry + 28] = struct.pack("<II", 2**31 + 1, 2**31 + 1)
        code, said = verdict(bytes(data), tmp_path)
        assert (code, "larger" in said) == (2, True), said

    @pytest.mark.parametrize(
        "path",
        ["../evil.json", "/etc/passwd", "readings/../../x.txt", "factors\\x.json", "extra.json",
         "readings/", "Inputs.json", "factors/..json", "tables/1.jsonl"],
    )  # fmt: skip
    def test_a_path_that_leads_elsewhere_or_is_of_no_bundle(
        self, path: str, tmp_path: Path
    ) -> None:
        members = whole(*SOLAR)
        members[path] = b"{}"
        assert verdict(resealed(members), tmp_path)[0] == 2

    def test_bytes_that_belong_to_no_member(self, tmp_path: Path) -> None:
        honest = resealed(whole(*SOLAR))
        members = unpack(honest)
        for data in (b"junk" + honest, honest + b"junk", rezipped(members, comment=b"note")):
            assert verdict(data, tmp_path)[0] == 2

    def test_a_second_file_hidden_before_the_directory(self, tmp_path: Path) -> None:
        """A reader from the front sees other members than one who reads the directory."""
        honest = unpack(resealed(whole(*SOLAR)))
        front = rezipped({"outputs.json": b"{}"})
        shadow = front[: front.index(b"PK\x01\x02")]
        data = shadow + rezipped(honest)
        assert verdict(data, tmp_path)[0] == 2

    def test_every_member_that_is_left_out_is_missed(self, tmp_path: Path) -> None:
        members = whole(*SOLAR)
        for path in sorted(members.keys() - {"manifest.json"}):
            less = {name: data for name, data in members.items() if name != path}
            less.pop("manifest.json")
            code, said = verdict(pack("pyeongtaek", RUN, less), tmp_path)
            assert code in (1, 2), (path, said)


class TestTheTexts:
    def test_a_name_twice_in_one_object(self, tmp_path: Path) -> None:
        for path in ("inputs.json", "outputs.json", "log_entry.json"):
            members = whole(*SOLAR)
            name, value = sorted(json.loads(members[path]).items())[0]
            doubled = canonical_bytes({name: value})[:-1] + b","
            members[path] = doubled + members[path][1:]
            members.pop("manifest.json")
            assert verdict(pack("pyeongtaek", RUN, members), tmp_path)[0] == 2, path

    def test_a_name_twice_in_a_row(self, tmp_path: Path) -> None:
        data = with_table(whole(*LAMPS), lambda text: b'{"count":"9",' + text[1:])
        code, said = verdict(data, tmp_path)
        assert (code, "twice" in said) == (1, True), said

    @pytest.mark.parametrize(
        "value",
        ["4e3", "4000.0", "+4000", " 4000", "4_000", "４０００", "NaN", "Infinity", "-0", ""],
    )
    def test_a_number_written_otherwise(self, value: str, tmp_path: Path) -> None:
        def first(lines: list[str]) -> list[str]:
            return [f"{lines[0].split(' ')[0]} {value}", *lines[1:]]

        try:
            data = with_readings(whole(*SOLAR), first)
        except UnicodeEncodeError:
            return
        assert verdict(data, tmp_path)[0] == 1
        stated = with_inputs(
            whole(*SOLAR), lambda inputs: inputs["parameters"].update(capacity_kw=value)
        )
        assert verdict(stated, tmp_path)[0] == 1

    def test_numbers_that_are_no_texts(self, tmp_path: Path) -> None:
        members = whole(*SOLAR)
        text = members["inputs.json"].decode()
        assert '"capacity_kw":"5"' in text
        for other in ("5.0", "5e0", "NaN", "true", "null"):
            made = dict(members)
            made["inputs.json"] = text.replace(
                '"capacity_kw":"5"', f'"capacity_kw":{other}'
            ).encode()
            assert verdict(resealed(made), tmp_path)[0] in (1, 2), other

    def test_json_nested_without_end(self, tmp_path: Path) -> None:
        members = whole(*SOLAR)
        members["inputs.json"] = b"[" * 200_000
        members.pop("manifest.json")
        (tmp_path / "bundle.zip").write_bytes(pack("pyeongtaek", RUN, members))
        program = f"import sys; sys.path.insert(0, {str(VERIFIER)!r}); "
        program += "from onsil_verifier.__main__ import main; sys.exit(main(sys.argv[1:]))"
        # By itself: others in this process may have raised how deep Python may go.
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program, str(tmp_path / "bundle.zip")],
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2


class TestTheReadings:
    @pytest.mark.parametrize(
        "change",
        [
            lambda lines: lines[:-1],
            lambda lines: [*lines, lines[-1]],
            lambda lines: [lines[1], lines[0], *lines[2:]],
            lambda lines: [*lines[:-1], "2031-01-01T00:00:00Z 6000"],
            lambda lines: [lines[0].replace("4000", "5000"), *lines[1:]],
            lambda lines: [lines[0].replace("Z", "+00:00"), *lines[1:]],
        ],
        ids=["one less", "one twice", "out of order", "of another year", "other sum", "other zone"],
    )
    def test_readings_that_the_manifest_does_not_describe(
        self, change: Callable[[list[str]], list[str]], tmp_path: Path
    ) -> None:
        assert verdict(with_readings(whole(*SOLAR), change), tmp_path)[0] == 1

    def test_readings_of_many_digits_are_summed_as_snapshots_sum_them(self) -> None:
        values = [Decimal("123456789012345.6789"), *[Decimal("0.12345678901234567")] * 3]
        assert sum(values, Decimal(0)) in second("archive")._sums(values)

    def test_a_manifest_that_omits_a_series(self, tmp_path: Path) -> None:
        """The export left out of the snapshot, though a role still names it."""

        def without(inputs: dict[str, Any]) -> None:
            series = inputs["snapshot"]["manifest"]["series"]
            series[:] = [one for one in series if "export" not in one["entity"]]

        code, said = verdict(with_inputs(whole(*SOLAR), without), tmp_path)
        assert (code, "other series" in said) == (1, True), said

    def test_a_role_left_out_leaves_its_readings_behind(self, tmp_path: Path) -> None:
        def quiet(inputs: dict[str, Any]) -> None:
            inputs["series"].pop("export")
            inputs["parameters"]["no_export"] = True
            series = inputs["snapshot"]["manifest"]["series"]
            series[:] = [one for one in series if "export" not in one["entity"]]

        code, said = verdict(with_inputs(whole(*SOLAR), quiet), tmp_path)
        assert (code, "named by nothing" in said) == (1, True), said

    def test_a_snapshot_of_another_city_or_time(self, tmp_path: Path) -> None:
        for name, value in (("city", "elsewhere"), ("end", "2025-06-01T04:00:00Z")):
            data = with_inputs(
                whole(*SOLAR),
                lambda inputs, n=name, v=value: inputs["snapshot"]["manifest"].update({n: v}),
            )
            assert verdict(data, tmp_path)[0] == 1

    def test_rows_out_of_order_twice_or_not_counted(self, tmp_path: Path) -> None:
        for change in (
            lambda text: b"\n".join([*reversed(text.splitlines()), b""]) + text,
            lambda text: text + text,
            lambda text: text[:-1],
            lambda text: text.replace(b'{"', b'{ "', 1),
        ):
            assert verdict(with_table(whole(*LAMPS), change), tmp_path)[0] == 1


class TestTheFactors:
    def test_a_factor_of_another_set_with_the_same_id(self, tmp_path: Path) -> None:
        members = whole(*SOLAR)
        other = json.loads(members["factors/kr-grid-2018.json"])
        better = json.loads(json.dumps(other["factors"][0]))
        better["gases_kg"]["co2"] = "900"
        members["factors/better.json"] = canonical_bytes({"id": "better", "factors": [better]})

        def swapped(inputs: dict[str, Any]) -> None:
            inputs["factors"]["electricity"] = better
            inputs["factor_sets"]["better"] = sha256_of(members["factors/better.json"])

        code, said = verdict(with_inputs(members, swapped), tmp_path)
        assert (code, "not in its set" in said) == (1, True), said

    def test_a_set_under_another_name(self, tmp_path: Path) -> None:
        members = whole(*SOLAR)
        held = json.loads(members["factors/kr-grid-2018.json"])
        members["factors/kr-grid-2018.json"] = canonical_bytes({**held, "id": "kr-grid-2021"})

        def fit(inputs: dict[str, Any]) -> None:
            inputs["factor_sets"]["kr-grid-2018"] = sha256_of(members["factors/kr-grid-2018.json"])

        code, said = verdict(with_inputs(members, fit), tmp_path)
        assert (code, "is another one" in said) == (1, True), said

    def test_a_factor_on_nobodys_word_or_of_another_commodity(self, tmp_path: Path) -> None:
        def unsaid(inputs: dict[str, Any]) -> None:
            inputs["authorities"] = []

        def of_gas(inputs: dict[str, Any]) -> None:
            inputs["factors"]["city-gas"] = inputs["factors"].pop("electricity")

        def other_gwp(inputs: dict[str, Any]) -> None:
            inputs["gwp_set"] = "AR5"

        for change in (unsaid, of_gas, other_gwp):
            assert verdict(with_inputs(whole(*SOLAR), change), tmp_path)[0] == 1


class TestTheRun:
    @pytest.mark.parametrize(
        ("member", "name", "value"),
        [
            ("run.json", "status", "not-yet-measurable"),
            ("run.json", "format", "onsil-run-1"),
            ("run.json", "snapshot_sha256", "0" * 64),
            ("run.json", "city", "elsewhere"),
            ("run.json", "run", "00000000-0000-4000-8000-000000000001"),
            ("log_entry.json", "version", "1"),
            ("log_entry.json", "methodology", "grid-solar"),
            ("log_entry.json", "status", "not-yet-measurable"),
            ("log_entry.json", "co2e_t", "9"),
        ],
    )
    def test_what_the_run_and_the_log_say_agrees_with_what_was_done(
        self, member: str, name: str, value: str, tmp_path: Path
    ) -> None:
        members = whole(*SOLAR)
        members[member] = canonical_bytes({**json.loads(members[member]), name: value})
        assert verdict(resealed(members), tmp_path)[0] == 1

    def test_the_codes_hash_is_a_statement_and_nothing_rests_on_it(self, tmp_path: Path) -> None:
        """Another code hash neither helps nor hurts: what counts is that the bytes come out."""
        members = whole(*SOLAR)
        run = json.loads(members["run.json"])
        members["run.json"] = canonical_bytes({**run, "code_sha256": "0" * 64})
        assert verdict(resealed(members), tmp_path)[0] == 0
        text = members["outputs.json"].replace(b'"co2e_t":"0.003', b'"co2e_t":"0.004')
        assert text != members["outputs.json"]
        assert verdict(resealed({**members, "outputs.json": text}), tmp_path)[0] == 1


class TestTheLimits:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("capacity_kw", "0"), ("capacity_kw", "15000.5"), ("meter_class", "3"),
            ("meter_uncertainty_pct", "5.01"), ("coverage_min_pct", "79"), ("no_export", "no"),
            ("colour", "red"), ("commissioned", "2025-02-30"), ("capacity_kw", None),
            ("meter_class", None),
        ],
    )  # fmt: skip
    def test_a_parameter_beyond_its_limits(self, name: str, value: Any, tmp_path: Path) -> None:
        def change(inputs: dict[str, Any]) -> None:
            if value is None:
                inputs["parameters"].pop(name)
            else:
                inputs["parameters"][name] = value

        members = whole(*SOLAR)
        assert verdict(with_inputs(members, change), tmp_path)[0] == 1

    def test_limits_are_inside(self) -> None:
        terms = second("terms")
        one = {"kind": "decimal", "minimum": "0.01", "maximum": "5"}
        assert [terms._wrong(v, one) is None for v in ("0.01", "5", "0.009", "5.1")] == [
            True, True, False, False,
        ]  # fmt: skip
        whole_number = {"kind": "integer", "minimum": "0"}
        assert [terms._wrong(v, whole_number) is None for v in (3, "3", "3.5", -1)] == [
            True, True, False, False,
        ]  # fmt: skip

    def test_a_column_beyond_its_limits(self, tmp_path: Path) -> None:
        for old, new in ((b'"before_w":"', b'"before_w":"-'), (b'"before_w"', b'"colour"')):
            data = with_table(whole(*LAMPS), lambda text, o=old, n=new: text.replace(o, n, 1))
            code, said = verdict(data, tmp_path)
            assert (code, "does not allow" in said or "canonical" in said) == (1, True), said

    def test_the_program_has_every_page_as_it_is(self) -> None:
        """After a new version: `python tests/second_program.py` writes the file anew."""
        held = (Path(VERIFIER) / "onsil_verifier" / "terms.json").read_text("utf-8")
        assert held == every_terms()
        assert len(json.loads(held)) == len(methodologies())


class TestTheGases:
    def test_every_potential_of_every_set_is_the_reports(self) -> None:
        held = second("potentials").GWP
        for name in GWP_SETS:
            assert set(held[name]) == set(gwp_gases(name))
            for gas, value in held[name].items():
                assert Decimal(value) == gwp(name, gas), (name, gas)

    @pytest.mark.parametrize("gwp_set", ["SAR", "AR4", "AR5", "AR6"])
    def test_a_factor_of_many_gases_has_the_same_bytes(self, gwp_set: str) -> None:
        inputs = example(*SOLAR)
        own = inputs.factors["electricity"]
        assert own.gases_kg is not None
        rare = {"sf6", "nf3", "hfc134a", "cf4", "c2f6"} & set(gwp_gases(gwp_set))
        traces = {gas: Decimal(n) / 10**6 for n, gas in enumerate(sorted(rare), 1)}
        gases = {**own.gases_kg, **traces}
        factor: Factor = replace(own, gases_kg=gases)
        outputs = compare(*SOLAR, replace(inputs, factors={"electricity": factor}, gwp_set=gwp_set))
        assert isinstance(outputs, dict)
        assert rare < set(outputs["gases_kg"])
