#!/usr/bin/env python3
"""The prover can fail: over a design so small that all its states are walked through, its proofs are put to the test.

Usage: test_prove.py YOSYS
"""
import collections
import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import prove

HERE = pathlib.Path(__file__).parent
YOSYS = sys.argv.pop(1)
COUNT = 100

# twin_q is always the contrary of valid_q, place_q always 1, so pairs_q[0] is neither written nor looked at.
TOP = """
module mmu_top (
  input logic clk_i, input logic rst_ni, input logic valid_i, input logic [1:0] data_i,
  output logic valid_o, output logic [1:0] data_o, output logic both_o, output logic pair_o
);
  toy i_mmu (.clk_i(clk_i), .rst_ni(rst_ni), .valid_i(valid_i), .data_i(data_i), .valid_o(valid_o), .data_o(data_o),
             .both_o(both_o), .pair_o(pair_o));
endmodule
"""
TOY = """
module toy (
  input logic clk_i, input logic rst_ni, input logic valid_i, input logic [1:0] data_i,
  output logic valid_o, output logic [1:0] data_o, output logic both_o, output logic pair_o
);
  logic valid_q, twin_q, place_q;
  logic [1:0] data_q, pair_q, pair_d;
  always_comb begin
    pair_d = pair_q;
    if (valid_i) pair_d[place_q] = data_i[0];
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      twin_q  <= 1'b1;
      place_q <= 1'b1;
      pair_q  <= 2'b00;
    end else begin
      valid_q <= valid_i;
      twin_q  <= !valid_i;
      place_q <= place_q || valid_i;
      pair_q  <= pair_d;
    end
  end
  always_ff @(posedge clk_i) if (valid_i) data_q <= data_i;
  assign valid_o = valid_q;
  assign data_o  = data_q;
  assign both_o  = valid_q && twin_q;
  assign pair_o  = pair_q[place_q];
endmodule
"""
RULES = """
assume: !valid_i || data_i != 0
live i_mmu.data_q: i_mmu.valid_q
live i_mmu.pair_q[0:0]: 1'b0
invariant: i_mmu.twin_q != i_mmu.valid_q
invariant: i_mmu.place_q
kept: !i_mmu.pair_q[0]
output data_o: valid_o
"""


class Prove(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.directory = pathlib.Path(cls.temporary.name)
        rtl = cls.directory / "rtl"
        rtl.mkdir()
        for name, text in (("rtl.f", "toy.sv\nmmu_top.sv\n"), ("toy.sv", TOY), ("mmu_top.sv", TOP)):
            (rtl / name).write_text(text)
        subprocess.run([sys.executable, HERE / "generate.py", YOSYS, rtl, cls.directory, str(COUNT), "1"], check=True)
        cls.prover = prove.Prover(YOSYS, cls.directory, prove.Rules(RULES))
        cls.mutants = json.loads((cls.directory / "generated.json").read_text())

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def step(self, state, inputs, mutant):
        """The next state and the outputs, of a state as a tuple of bits."""
        circuit = self.prover.step
        values = {0: 0, 1: 1}
        bits = {**inputs, **{f"s[{i}]": bit for i, bit in enumerate(state)},
                **{f"mutant[{i}]": mutant >> i & 1 for i in range(16)}}
        for name, literal in circuit.inputs.items():
            values[literal], values[literal ^ 1] = bits[name], bits[name] ^ 1
        for y, a, b in circuit.gates:
            values[y] = values[a] & values[b]
            values[y ^ 1] = values[y] ^ 1
        outputs = {name: values[literal] for name, literal in circuit.outputs.items()}
        return tuple(outputs.pop(f"n[{i}]") for i in range(len(state))), outputs

    def differs(self, mutant):
        """Whether any inputs after a reset tell the mutant from the design: by walking through all states."""
        reset = {"clk_i[0]": 0, "rst_ni[0]": 0, "valid_i[0]": 0, "data_i[0]": 0, "data_i[1]": 0}
        inputs = [{"clk_i[0]": 0, "rst_ni[0]": 1, "valid_i[0]": v, "data_i[0]": a, "data_i[1]": b}
                  for v, a, b in itertools.product((0, 1), repeat=3) if not v or a or b]
        states = itertools.product((0, 1), repeat=len(self.prover.names.state))
        seen = {(self.step(s, reset, 0)[0], self.step(s, reset, mutant)[0]) for s in states}
        waiting = collections.deque(seen)
        while waiting:
            one, other = waiting.popleft()
            for word in inputs + [reset]:
                (n, o), (m, p) = self.step(one, word, 0), self.step(other, word, mutant)
                if not o["valid_o[0]"]:  # what is not valid is not looked at
                    o["data_o[0]"] = o["data_o[1]"] = p["data_o[0]"] = p["data_o[1]"] = 0
                if o != p:
                    return True
                if (n, m) not in seen:
                    seen.add((n, m))
                    waiting.append((n, m))
        return False

    def test_the_rules_hold(self):
        self.prover.lemmas()

    def test_proofs(self):
        """What is proven differs nowhere; and few are left that are equivalent for reasons that no rule tells."""
        every = range(1, COUNT + 1)
        equivalent = {number for number in every if not self.differs(number)}
        proven = {number for number in every if self.prover.equivalent(number)}
        self.assertLessEqual(proven, equivalent)
        self.assertLessEqual(len(equivalent - proven), 5, equivalent - proven)
        self.assertTrue(5 < len(proven) < COUNT - 5, proven)
        for rule in ("kept", "live i_mmu.pair_q", "live i_mmu.data_q"):  # without it, some is not proven
            fewer = re.sub(f"^{re.escape(rule)}.*\n", "", RULES, flags=re.M)
            prover = prove.Prover(YOSYS, self.directory, prove.Rules(fewer))
            self.assertFalse(all(map(prover.equivalent, sorted(proven))), rule)

    def test_wrong_rules_are_refused(self):
        for wrong in ("live i_mmu.data_q: !i_mmu.valid_q", "invariant: !i_mmu.valid_q", "live i_mmu.twin_q: 1'b0",
                      "invariant: i_mmu.pair_q[1] == 0", "live i_mmu.pair_q[1:1]: i_mmu.valid_q"):
            with self.assertRaises(RuntimeError, msg=wrong) as refusal:
                prove.Prover(YOSYS, self.directory, prove.Rules(wrong + "\n" + RULES)).lemmas()
            self.assertIn("does not hold", str(refusal.exception))


if __name__ == "__main__":
    unittest.main()
