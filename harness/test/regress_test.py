#!/usr/bin/env python3
"""Tests of harness/scripts/regress.py on a table of suites of its own: hangs, crashes, kills, the baseline, the reports.

Usage: regress_test.py (unittest's arguments)
"""
import json
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ET

SCRIPTS = pathlib.Path(__file__).resolve().parents[1] / "scripts"
PATIENCE = 60    # seconds until something that has to happen has not

TABLE = """
import json
from regress_suites import Context, Step, Test
import pathlib
SOURCE = pathlib.Path(__file__).parent
LEAST = json.loads((SOURCE / "least.json").read_text())

def suite(context, name):
    for fields in json.loads((SOURCE / "tests.json").read_text()):
        if fields["name"].split(".")[0] != name: continue
        steps = [Step(["/bin/sh", SOURCE / script], status) for script, status in fields.pop("steps")]
        if "result" in fields: fields["result"] = context.out / fields["result"]
        yield Test(steps=steps, directory=SOURCE, **fields)

SUITES = [("workload", lambda c: suite(c, "workload"), True), ("other", lambda c: suite(c, "other"), False)]
"""
FIGURES = {"verdict": "pass", "mismatches": 0, "instructions": 1000, "transactions": 200, "references": 190,
           "dut_cycles": 400, "tlb_hits": 90, "tlb_misses": 10, "tlb_evictions": 2, "walks": 11,
           "faults_by_vector": {"#PF": 3}, "seconds": 1.5}


def elf(payload):
    """An ELF image with one segment."""
    header = b"\x7fELF" + bytes(24) + struct.pack("<I", 52) + bytes(10) + struct.pack("<HH", 32, 1) + bytes(6)
    return header + struct.pack("<8I", 1, 84, 0x1000, 0x1000, len(payload), len(payload), 5, 4) + payload


class Regress(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        self.out = self.dir / "out"
        self.tests = []
        (self.dir / "suites.py").write_text(TABLE)
        (self.dir / "least.json").write_text("[]")
        (self.dir / "sw").mkdir()
        (self.dir / "sw" / "a.c").write_text("int a;\n")
        (self.dir / "sw" / "kernel.elf").write_bytes(elf(b"kernel"))

    def add(self, name, script, status=0, timeout=PATIENCE, **fields):
        (self.dir / f"{name}.script").write_text(script)
        self.tests.append({"name": name, "steps": [[f"{name}.script", status]], "timeout": timeout, **fields})

    def workload(self, name="workload.fork", **changed):
        """A test with figures, of which some are changed."""
        self.tests = [t for t in self.tests if t["name"] != name]
        figures = json.dumps(FIGURES | changed)
        self.add(name, f"cat >out/{name}.json <<'END'\n{figures}\nEND\n", result=f"{name}.json", baseline=True)

    def command(self, *arguments):
        (self.dir / "tests.json").write_text(json.dumps(self.tests))
        return [sys.executable, SCRIPTS / "regress.py", self.dir, "--suites", self.dir / "suites.py", "--out", self.out,
                "--baseline", self.dir / "baseline.json", *arguments]

    def run_it(self, status, *arguments):
        done = subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=5 * PATIENCE, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.text, self.errors = done.stdout, done.stderr
        return json.loads((self.out / "regress.json").read_text()) if (self.out / "regress.json").exists() else None

    def wait_for(self, condition):
        until = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), until, "it does not happen")
            time.sleep(0.02)

    def ran(self, name):
        path = self.dir / f"{name}.count"
        return len(path.read_text().split()) if path.exists() else 0

    # --- tests end in all ways ---

    def test_every_end(self):
        self.add("other.pass", "echo fine")
        self.add("other.fails", "echo 'bad \x1b[1m <&> \x01'; exit 3")
        self.add("other.crash", "kill -SEGV $$")
        self.add("other.child_crashes", "sh -c 'kill -ABRT $$'; exit $?")
        self.add("other.skipped", "echo 'no such thing here'; exit 77", skip_status=77)
        self.add("other.expected", "exit 1", status=1)
        self.add("other.hang", "sleep 1000 & echo $! >grandchild; wait", timeout=1)
        self.add("other.leaves", "sleep 1000 & echo $! >left")
        (self.dir / "one").write_bytes(b"a\r\nb\n")
        (self.dir / "two").write_bytes(b"a\nb\n")
        (self.dir / "three").write_bytes(b"a\nc\n")
        self.add("other.same", "true", same=[[str(self.dir / "one"), str(self.dir / "two")]])
        self.add("other.not_same", "true", same=[[str(self.dir / "one"), str(self.dir / "three")]])
        self.add("other.no_file", "true", same=[[str(self.dir / "one"), str(self.dir / "four")]])
        self.add("other.no_result", "true", result="nothing.json")
        self.tests.append({"name": "other.two_steps", "timeout": 9,
                           "steps": [["other.pass.script", 0], ["other.expected.script", 0]]})
        report = self.run_it(1)
        said = {name: (row["verdict"], row["why"]) for name, row in report["tests"].items()}
        self.assertEqual(said.pop("other.hang"), ("fail", "timeout: not done after 1 s"))
        self.assertEqual(said.pop("other.crash"), ("fail", "crash: SIGSEGV"))
        self.assertEqual(said.pop("other.child_crashes"), ("fail", "crash: SIGABRT"))
        self.assertEqual(said.pop("other.fails"), ("fail", "exit status 3"))
        self.assertEqual(said.pop("other.skipped"), ("skipped", "no such thing here"))
        self.assertEqual(said.pop("other.two_steps"), ("fail", "exit status 1"))
        self.assertRegex(said.pop("other.not_same")[1], "one and .*three differ")
        self.assertRegex(said.pop("other.no_file")[1], "four: No such file")
        self.assertRegex(said.pop("other.no_result")[1], "no result")
        for name in ("pass", "expected", "leaves", "same"):
            self.assertEqual(said.pop(f"other.{name}"), ("pass", None))
        self.assertEqual(said, {})
        self.assertEqual((report["failed"], report["skipped"], report["verdict"]), (8, 1, "fail"))
        self.assertIn("bad", (self.out / "other.fails.log").read_text())
        for pid in ("grandchild", "left"):    # the whole group is gone
            status = pathlib.Path(f"/proc/{(self.dir / pid).read_text().strip()}/stat")
            self.wait_for(lambda path=status: not path.exists() or path.read_text().split()[2] == "Z")
        self.junit(report)

    def junit(self, report):
        root = ET.parse(self.out / "junit.xml").getroot()
        cases = {case.get("name"): case for case in root.iter("testcase")}
        self.assertEqual(set(cases), set(report["tests"]))
        failed = {name for name, case in cases.items() if case.find("failure") is not None}
        self.assertEqual(failed, {name for name, row in report["tests"].items() if row["verdict"] == "fail"})
        self.assertEqual((root.get("tests"), root.get("failures"), root.get("skipped")), ("13", "8", "1"))
        self.assertEqual(cases["other.hang"].find("failure").get("type"), "timeout")
        self.assertEqual(cases["other.crash"].find("failure").get("message"), "crash: SIGSEGV")
        self.assertIn("bad ?[1m <&> ?", cases["other.fails"].find("failure").text)
        self.assertEqual(cases["other.skipped"].find("skipped").get("message"), "no such thing here")

    def test_program_that_is_not_there(self):
        (self.dir / "suites.py").write_text(TABLE.replace('"/bin/sh"', '"/nonexistent/sh"'))
        self.add("other.none", "true")
        report = self.run_it(1)
        self.assertRegex(report["tests"]["other.none"]["why"], "/nonexistent/sh: No such file")

    # --- what is kept between runs ---

    def test_what_passed_is_kept_until_it_changes(self):
        counting = "echo x >>{0}.count\n"
        self.add("other.a", counting.format("a"))
        self.add("other.b", counting.format("b") + "exit 1\n")
        self.run_it(1)
        self.run_it(1)
        self.assertEqual((self.ran("a"), self.ran("b")), (1, 2))    # what failed runs again
        self.assertIn("1 kept", self.text)
        self.run_it(1, "--fresh", "--only", "other.a", "--only", "other.b")
        self.assertEqual((self.ran("a"), self.ran("b")), (2, 3))
        (self.dir / "other.a.script").write_text(counting.format("a") + "# changed\n")
        self.run_it(1)
        self.assertEqual(self.ran("a"), 3)
        self.tests[0]["steps"][0][1] = 1    # another argument
        self.run_it(1)
        self.assertEqual(self.ran("a"), 4)

    def test_goes_on_after_a_kill(self):
        self.add("other.a", "echo x >>a.count")
        self.add("other.b", "echo x >>b.count; echo $$ >b.pid; while [ ! -e go ]; do sleep 0.1; done; echo late >>b.late")
        with subprocess.Popen(self.command("--jobs", "1"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            self.wait_for(lambda: (self.dir / "b.pid").exists() and (self.dir / "b.pid").read_text().strip())
            process.kill()
        child = pathlib.Path(f"/proc/{(self.dir / 'b.pid').read_text().strip()}")
        self.wait_for(lambda: not child.exists())    # it dies with the one that waits for it
        with open(self.out / "journal", "a", encoding="utf-8") as journal:
            journal.write('{"key": "torn')
        (self.dir / "go").touch()
        report = self.run_it(0)
        self.assertEqual((self.ran("a"), self.ran("b")), (1, 2))
        self.assertEqual([row["verdict"] for row in report["tests"].values()], ["pass", "pass"])
        self.assertEqual((self.dir / "b.late").read_text(), "late\n")

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.tests = []
            self.add("other.a", "true")
            self.add("other.b", "echo $$ >b.pid; sleep 1000")
            self.add("other.c", "true")
            (self.dir / "b.pid").unlink(missing_ok=True)
            with subprocess.Popen(self.command("--jobs", "1", "--fresh"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  text=True) as process:
                self.wait_for(lambda: (self.dir / "b.pid").exists() and (self.dir / "b.pid").read_text().strip())
                process.send_signal(number)
                text = process.communicate(timeout=PATIENCE)[0]
            self.assertEqual(process.returncode, 4, text)
            report = json.loads((self.out / "regress.json").read_text())
            self.assertEqual((report["verdict"], list(report["tests"])), ("interrupted", ["other.a"]))
            self.assertIn("INTERRUPTED (1 of 3", text)
            ET.parse(self.out / "junit.xml")
            child = pathlib.Path(f"/proc/{(self.dir / 'b.pid').read_text().strip()}")
            self.wait_for(lambda: not child.exists())    # init may still have to bury it

    # --- the baseline ---

    def accept(self):
        self.workload()
        self.run_it(0, "--accept")
        self.run_it(0)
        return json.loads((self.dir / "baseline.json").read_text())

    def edit_baseline(self, edit):
        baseline = json.loads((self.dir / "baseline.json").read_text())
        edit(baseline)
        (self.dir / "baseline.json").write_text(json.dumps(baseline))

    def test_each_figure_counts(self):
        self.accept()
        for key, value, said in (("instructions", 1001, "instructions 1000 -> 1001 (+0.1 %)"),
                                 ("references", 191, "references 190 -> 191"),
                                 ("transactions", 201, "transactions 200 -> 201"),
                                 ("mismatches", 1, "mismatches 0 -> 1"), ("verdict", "limit", "verdict pass -> limit"),
                                 ("faults_by_vector", {"#PF": 3, "#GP": 1}, "faults by vector"),
                                 ("dut_cycles", 426, "cycles per translation 2 -> 2.13 (+6.5 %)"),
                                 ("tlb_hits", 91, "tlb hit rate percent 90 -> 90.099"), ("walks", 10, "walks 11 -> 10 (-9.1 %)"),
                                 ("tlb_misses", 9, "tlb misses 10 -> 9"), ("tlb_evictions", 3, "tlb evictions 2 -> 3")):
            self.workload(**{key: value})
            report = self.run_it(1)
            self.assertIn(f"workload.fork: changed: {said}", self.text)
            self.assertEqual(report["verdict"], "fail")
            root = ET.parse(self.out / "junit.xml").getroot()
            self.assertIsNotNone(root.find("testsuite[@name='baseline']/testcase/failure"))
        self.workload(dut_cycles=426)
        self.run_it(0, "--accept")
        self.run_it(0)

    def test_tolerance(self):
        self.accept()
        self.edit_baseline(lambda b: b["tolerance_percent"].update(cycles_per_translation=7))
        self.workload(dut_cycles=426)
        self.run_it(0)
        self.workload(dut_cycles=429)
        self.run_it(1)
        self.run_it(0, "--accept")    # which keeps the tolerance
        self.assertEqual(json.loads((self.dir / "baseline.json").read_text())["tolerance_percent"]["cycles_per_translation"], 7)

    def test_coverage_must_not_fall(self):
        self.accept()
        coverage = self.dir / "coverage.json"
        coverage.write_text('{"functional_percent": 90, "rtl_line_percent": 80}')
        self.run_it(0)    # the baseline has none
        self.run_it(0, "--accept")
        coverage.write_text('{"functional_percent": 91, "rtl_line_percent": 80, "model_line_percent": 1}')
        self.run_it(0)
        coverage.write_text('{"functional_percent": 89.5, "rtl_line_percent": 80}')
        self.run_it(1)
        self.assertIn("coverage: changed: functional percent 90 -> 89.5", self.text)
        coverage.unlink()
        self.run_it(0)
        self.run_it(0, "--accept")
        self.assertEqual(json.loads((self.dir / "baseline.json").read_text())["coverage"]["functional_percent"], 90)

    def test_tests_come_and_go(self):
        self.accept()
        self.workload("workload.new")
        self.run_it(1)
        self.assertIn("workload.new: is not in the baseline", self.text)
        self.tests = [t for t in self.tests if t["name"] == "workload.new"]
        self.run_it(1)
        self.assertIn("workload.fork: is in the baseline, but there is no such test", self.text)
        self.workload()
        self.run_it(0, "--accept")
        self.run_it(0, "--only", "workload.fork")    # a part is compared with its part

    def test_result_of_an_earlier_run_does_not_count(self):
        self.accept()
        self.add("workload.fork", "true", result="workload.fork.json", baseline=True)
        self.tests = self.tests[1:]
        report = self.run_it(1, "--fresh")
        self.assertRegex(report["tests"]["workload.fork"]["why"], "no result")

    def test_another_kernel(self):
        self.accept()
        (self.dir / "sw" / "kernel.elf").write_bytes(elf(b"compiled"))
        self.workload(instructions=999)
        self.run_it(0)
        self.assertIn("another compiler", self.text)
        self.workload(instructions=999, mismatches=1)
        self.run_it(1)
        (self.dir / "sw" / "a.c").write_text("int b;\n")
        self.workload(instructions=999)
        self.run_it(1)
        self.assertIn("the kernel's sources are not the baseline's", self.text)

    def test_a_failure_is_not_accepted(self):
        self.accept()
        before = (self.dir / "baseline.json").read_bytes()
        self.add("other.bad", "exit 1")
        self.run_it(1, "--accept")
        self.assertIn("not written, for not all pass: other.bad", self.text)
        self.assertEqual((self.dir / "baseline.json").read_bytes(), before)

    # --- sums, wrong input, same bytes ---

    def test_sum_that_is_too_small(self):
        (self.dir / "least.json").write_text('[["workload", "instructions", 1001]]')
        self.workload()
        self.run_it(1, "--accept")
        self.assertIn("workload: 1,000 instructions, fewer than 1,001", self.text)

    def test_bad_input(self):
        self.workload()
        for arguments in (("--suite", "nonsense"), ("--only", "nonsense"), ("--jobs", "0"), ("--accept", "--only", "x")):
            self.run_it(2, *arguments)
            self.assertTrue(self.errors.strip())
        self.run_it(2)    # no baseline
        self.assertRegex(self.errors, "^regress: .*baseline.json: No such file or directory\n$")
        for text in ("", "{}", "[]", '{"tests": {"a": 1}}', '{"tests": {}, "tolerance_percent": {"walks": "x"}}'):
            (self.dir / "baseline.json").write_text(text)
            self.run_it(2)
            self.assertRegex(self.errors, "^regress: .*baseline.json: is no baseline: .*\n$")

    def test_same_bytes(self):
        self.accept()
        first = (self.out / "regress.json").read_text(), (self.dir / "baseline.json").read_text()
        self.run_it(0, "--accept", "--fresh")
        self.run_it(0, "--fresh")
        second = (self.out / "regress.json").read_text(), (self.dir / "baseline.json").read_text()
        def no_time(text):
            return [line for line in text.split("\n") if '"seconds"' not in line]
        self.assertEqual([no_time(t) for t in first], [no_time(t) for t in second])


if __name__ == "__main__":
    unittest.main()
