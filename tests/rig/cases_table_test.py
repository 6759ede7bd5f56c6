"""The table of cases: what it shows, and what it complains about."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "cases_table"
SUITE = '''
def test_T1_1_holds(): ...
def test_T1_2b_fails(): ...
def test_plain(): ...
def test_T1_4_not_run(): ...
'''
CASES = """# comment
T1.1 | One | = test_plain
T1.2b | Two | a part is missing
T1.3 [X] | Three | needs a second node
T1.4 | Four |
"""
REPORT = """<testsuites><testsuite>
<testcase classname="conformance.a_test" name="test_T1_1_holds[http]"/>
<testcase classname="conformance.a_test" name="test_T1_1_holds[h2]"/>
<testcase classname="conformance.a_test" name="test_T1_2b_fails"><failure/></testcase>
<testcase classname="conformance.a_test" name="test_T1_2b_fails"><error/></testcase>
<testcase classname="conformance.a_test" name="test_plain"><skipped/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def make_table(tmp_path):
    """`make_table(cases)`: the finished run and the rows of the table."""

    def run(cases: str):
        (tmp_path / "conformance").mkdir(exist_ok=True)
        (tmp_path / "conformance" / "a_test.py").write_text(SUITE)
        (tmp_path / "cases.txt").write_text(cases)
        (tmp_path / "report.xml").write_text(REPORT)
        done = subprocess.run(
            [SCRIPT, tmp_path / "report.xml", "--cases", tmp_path / "cases.txt", "--tests",
             tmp_path, "--output", tmp_path / "table.md"], capture_output=True, text=True)
        return done, (tmp_path / "table.md").read_text().splitlines()

    return run


def test_each_case_has_a_row_with_its_tests_and_its_result(make_table):
    done, lines = make_table(CASES)
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[-4:] == [
        "| T1.1 | One | `conformance/a_test.py`: `test_T1_1_holds`, `test_plain` "
        "| 2 passed, 1 skipped |",
        "| T1.2b | Two | `conformance/a_test.py`: `test_T1_2b_fails` "
        "| **1 failed**; a part is missing |",
        "| T1.3 | Three (extension) | - | no test: needs a second node |",
        "| T1.4 | Four | `conformance/a_test.py`: `test_T1_4_not_run` | 1 not run |",
    ]
    assert "4 cases: 1 passed, 1 failed, 1 not run, 1 without a test." in lines


def test_complains_about_cases_without_test_or_reason_and_about_unknown_numbers(make_table):
    done, _ = make_table("T1.1 | One | = test_gone\nT1.2b | Two |\nT9.9 | Nine |\n")
    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()) == [
        "T1.1: there is no test_gone",
        "T9.9: neither a test nor a reason",
        "conformance/a_test.py: test_T1_4_not_run carries no known case",
    ]
