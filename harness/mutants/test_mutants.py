#!/usr/bin/env python3
"""The mutants' flow can fail: what it does with hunters that find nothing, accuse the innocent, or break."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import generate
import kill
import prove

HERE = pathlib.Path(__file__).parent

# A hunter whose findings follow from the mutant's number: {found} die.
FUZZ = """#!/bin/sh
for word; do
  case $previous in --json) result=$word ;; --dut-args) number=${{word#+mutant=}} ;; esac
  previous=$word
done
case " {found} " in *" $number "*)
  echo '{{"differences": ["vector"], "stop": "mismatch", "transactions": 7}}' >"$result"
  exit 1 ;;
esac
exit {otherwise}
"""
GALLERY = "@ one\nclass\nmmu.sv\n-a\n+b\n@ two\nclass\nmmu.sv\n-c\n+d\n"
PORTS = "#!/bin/sh\nexit 0\n"
MUTATION = (
    "mutate -mode cnot0 -module mmu_top -cell $flatten\\i_mmu.\\i_walk.$procmux$7 -port Y -portbit 3 -ctrlbit 4 "
    "-wire i_mmu.i_walk.leaf -wirebit 3 -src mmu.sv:297.12-322.4 -src mmu_walk.sv:103.5-116.8 "
    "-src mmu_walk.sv:103.9-103.26 -ctrl mutant 16 9"
)


class Flow(unittest.TestCase):
    def kill(self, found, otherwise=0):
        """Runs kill.py over two bugs of a gallery with a fake fuzz. Returns (process, result or None)."""
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            for program, text in (("fuzz", FUZZ.format(found=found, otherwise=otherwise)), ("ports", PORTS)):
                (directory / program).write_text(text)
                (directory / program).chmod(0o755)
            (directory / "gallery.txt").write_text(GALLERY)
            result = directory / "result.json"
            done = subprocess.run(
                [sys.executable, HERE / "kill.py", result, "--named", directory / "gallery.txt", directory / "fuzz",
                 directory / "ports"], capture_output=True, text=True, check=False)
            return done, json.loads(result.read_text()) if result.exists() else None

    def test_all_die(self):
        done, result = self.kill("1 2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((result["total"], result["killed"], result["survived"]), (2, 2, 0))
        self.assertEqual(result["named"]["killed_by"], {"exact": 2})
        mutant = result["mutants"][0]
        self.assertEqual((mutant["by"], mutant["checker"], mutant["transactions"]), ("exact", "vector", 7))

    def test_a_survivor_fails_the_run(self):
        done, result = self.kill("1")
        self.assertEqual(done.returncode, 1)
        self.assertEqual((result["killed"], result["survived"]), (1, 1))
        self.assertEqual(result["mutants"][1]["verdict"], "survived")
        self.assertIn("SURVIVED", done.stdout)

    def test_an_accused_design_fails_the_run(self):
        done, result = self.kill("0 1 2")
        self.assertEqual(done.returncode, 1)
        self.assertIn("without a bug is accused", done.stderr)
        self.assertIsNone(result)

    def test_a_broken_hunter_is_no_verdict(self):
        done, result = self.kill("", otherwise=2)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("exit status 2", done.stderr)
        self.assertIsNone(result)

    def test_same_run_same_bytes(self):
        self.assertEqual(self.kill("1")[0].stdout, self.kill("1")[0].stdout)


class Parsing(unittest.TestCase):
    def test_description(self):
        mutant = generate.describe(MUTATION, 9, {"mmu.sv:297.12-322.4"})
        self.assertEqual((mutant["file"], mutant["line"], mutant["bit"], mutant["mode"], mutant["control_bit"]),
                         ("mmu_walk.sv", 103, 3, "cnot0", 4))
        self.assertEqual(mutant["signal"], "i_mmu.i_walk.leaf[3]")
        self.assertIn("i_mmu.i_walk.leaf[3]", kill.line({**mutant, "location": "x", **kill.verdict_of(None)}))

    def test_rules(self):
        rules = prove.Rules("# x\nlive a.{b,c}[3:1]: d != 0\ninvariant: {e,i} == j.{e,i}\nkept: k\nassume: !f || g\noutput g*: h\n")
        self.assertEqual(rules.live, [("a.b[3:1]", "d != 0", 2), ("a.c[3:1]", "d != 0", 2)])
        self.assertEqual((rules.invariants, rules.kept), (["e == j.e", "i == j.i"], ["k"]))
        self.assertEqual((rules.assumptions, rules.outputs), (["!f || g"], [("g*", "h")]))
        for wrong in ("live: x", "invariant x: y", "assume: f", "something", "lives a: b"):
            with self.assertRaises(ValueError):
                prove.Rules(wrong)


if __name__ == "__main__":
    unittest.main()
