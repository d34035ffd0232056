#!/usr/bin/env python3
"""Proves mutants equivalent to the design without a bug, with the SAT solver of Yosys' abc.

Usage: prove.py YOSYS GENERATED_DIR [NUMBER ...]   proves the lemmas, then tries the mutants and explains what fails

The registers are cut out of the netlist that is simulated, memories become registers: what is left is one step, from a
state and inputs to outputs and the next state. registers.txt says when a register matters (live), what holds of every
state (invariant), of registers that do not matter too (kept), what the contract forbids (assume), and when an output is
looked at (output). Two states are alike if the same registers matter in both, and those are equal. Then:

  lemma 1  the invariants hold after a reset from any state, and after a step from a state where they hold
  lemma 2  alike states have the same outputs and alike next states, invariants too (shown for one rule's registers at a
           time: between two alike states there is a chain of states that differ in one rule's registers)
  mutant   from the same state (with the invariants, or in reset), design and mutant have the same outputs and alike
           next states; where that fails, it may do for states with what is kept, if the mutant's next state keeps it

By induction over the steps, no sequence of inputs that begins with a reset tells the mutant from the design, whatever
the registers hold before. A mutant for which the last does not hold may be equivalent nevertheless; it is then only not
proven.
"""
import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

from aig import Circuit, Graph, Undecided
from rules import OFFER, Rules, RulesModule

REGISTERS = """
read_rtlil netlist.il
memory_map
opt_expr
dffunmap
opt_expr
opt_clean
check -assert
write_json registers.json
"""
GATES = """
{read}
hierarchy -check -top {top}
proc
flatten
opt_clean
check -assert
techmap
opt -fast
aigmap
opt_clean
write_aiger -ascii -symbols {top}.aag
"""
TIMEOUT = 600  # seconds a run of a tool; a proof takes a few


class Step:
    """The netlist with its registers cut out: ports s and n for the state and the next."""

    def __init__(self, design):
        self.module = design["modules"]["mmu_top"]
        self.cells = self.module["cells"]
        bits = itertools.chain.from_iterable(net["bits"] for net in self.module["netnames"].values())
        self.fresh = itertools.count(max(bit for bit in bits if isinstance(bit, int)) + 1)
        self.names = {}  # of a bit: (register, index)
        for name, net in self.module["netnames"].items():
            if not net["hide_name"] and name.startswith("i_mmu"):
                for index, bit in enumerate(net["bits"]):
                    known = self.names.get(bit)
                    if not known or not re.search(r"_q(\[\d+\])?$", known[0]):
                        self.names[bit] = (name, index)
        self.state = []  # (register, index) of each bit of s
        self.cut()

    def cut(self):
        # A mutation of a register's output leaves the name behind a multiplexer.
        behind = {}
        for name, cell in self.cells.items():
            if "mutate" in name and cell["type"] == "$mux":
                for a, y in zip(cell["connections"]["A"], cell["connections"]["Y"]):
                    behind.setdefault(a, y)
        s, n = [], []
        for name in [name for name, cell in self.cells.items() if cell["type"] in ("$dff", "$adff")]:
            cell = self.cells.pop(name)
            if cell["connections"]["CLK"] != self.module["ports"]["clk_i"]["bits"]:
                raise RuntimeError(f"{name} has another clock than clk_i")
            for index, (d, q) in enumerate(zip(cell["connections"]["D"], cell["connections"]["Q"])):
                bit = q
                while bit in behind and bit not in self.names:
                    bit = behind[bit]
                self.state.append(self.names.get(bit, (name, index)))
                if cell["type"] == "$adff":
                    value = cell["parameters"]["ARST_VALUE"][::-1][index]
                    arst = cell["connections"]["ARST"]
                    low = int(cell["parameters"]["ARST_POLARITY"], 2) == 0
                    held, following = next(self.fresh), next(self.fresh)
                    self.mux(f"{name}$q{index}", held, value, arst, low, q)
                    self.mux(f"{name}$d{index}", d, value, arst, low, following)
                    s.append(held)
                    n.append(following)
                else:
                    s.append(q)
                    n.append(d)
        selector = self.cells.pop("i_selector")
        for cell in self.cells.values():
            if re.search(r"ff|latch|mem|\$sr\b", cell["type"]) or not cell["type"].startswith("$"):
                raise RuntimeError(f"a {cell['type']} is left, which holds state")
        ports = self.module["ports"]
        ports["mutant"] = {"direction": "input", "bits": selector["connections"]["number_o"]}
        ports["s"] = {"direction": "input", "bits": s}
        ports["n"] = {"direction": "output", "bits": n}

    def mux(self, name, normal, value, select, low, y):
        """y is value while in reset, else normal."""
        a, b = (value, normal) if low else (normal, value)
        self.cells[name] = {
            "hide_name": 1,
            "type": "$mux",
            "parameters": {"WIDTH": f"{1:032b}"},
            "attributes": {},
            "port_directions": {"A": "input", "B": "input", "S": "input", "Y": "output"},
            "connections": {"A": [a], "B": [b], "S": select, "Y": [y]},
        }

    def ports(self, direction):
        return {n: len(p["bits"]) for n, p in self.module["ports"].items() if p["direction"] == direction}


class Prover:
    """The design's step, what the rules say of it, and the graph in which a mutant's step is put beside it."""

    def __init__(self, yosys, directory, rules):
        self.yosys, self.directory = yosys, pathlib.Path(directory).resolve()
        self.abc = str(pathlib.Path(yosys).with_name("yosys-abc")) if "/" in yosys else "yosys-abc"
        self.lock = threading.Lock()
        if self.older("registers.json", "netlist.il"):
            self.run(REGISTERS)
        self.names = Step(json.loads((self.directory / "registers.json").read_text()))
        if self.older("step.aag", "registers.json"):
            (self.directory / "step.json").write_text(json.dumps({"modules": {"step": self.names.module}}))
            self.run(GATES.format(read="read_json step.json", top="step"))
        self.rules_of = RulesModule(self.names, rules)
        (self.directory / "rules.v").write_text(self.rules_of.text)
        self.run(GATES.format(read="read_verilog rules.v", top="rules"))
        self.step, self.rules = (Circuit(self.directory / f"{name}.aag") for name in ("step", "rules"))

        g = self.graph = Graph()
        self.inputs = {f"{n}[{i}]": g.input() for n, w in self.rules_of.inputs.items() for i in range(w)}
        self.s = [g.input() for _ in self.names.state]
        self.keep_contract(rules.assumptions)
        self.n, self.o = self.place(self.s, 0)
        self.now, self.next = self.judge(self.s, self.o), self.judge(self.n, self.o)
        holds, reset = g.conjunction(g.all(self.now["invariant"]), g.all(self.now["assume"])), self.inputs["rst_ni[0]"] ^ 1
        self.assumed = g.disjunction(holds, reset)
        self.assumed_kept = g.disjunction(g.conjunction(holds, g.all(self.now["kept"])), reset)
        self.size = len(g.fanins)

    def keep_contract(self, assumptions):
        """Makes what is offered against the contract not offered, at the inputs: the solver finds points within the
        design where two steps agree, and they would not agree for what is assumed away only at the end."""
        offers = {f"{re.match(OFFER, text)[1]}[0]" for text in assumptions}
        unknown = {f"{n}[{i}]": 0 for n, w in self.rules_of.outputs.items() for i in range(w)}
        kept = self.graph.all(self.judge(self.s, unknown)["assume"])
        self.inputs |= {name: self.graph.conjunction(self.inputs[name], kept) for name in offers}

    def older(self, made, source):
        """Whether a file has to be made anew."""
        made, source = self.directory / made, self.directory / source
        return not made.exists() or made.stat().st_mtime < source.stat().st_mtime

    def run(self, script):
        done = subprocess.run([self.yosys, "-p", script.replace("\n", "; ").strip("; ")], cwd=self.directory,
                              capture_output=True, text=True, timeout=TIMEOUT, check=False)
        if done.returncode:
            raise RuntimeError(f"yosys: {(done.stdout + done.stderr)[-400:]}")

    def place(self, state, mutant):
        """A step: the literals of the next state, and of the outputs by name."""
        literals = {**self.inputs, **{f"s[{i}]": bit for i, bit in enumerate(state)},
                    **{f"mutant[{i}]": mutant >> i & 1 for i in range(16)}}
        outputs = self.step.place(self.graph, literals)
        return [outputs.pop(f"n[{i}]") for i in range(len(state))], outputs

    def judge(self, state, outputs):
        """What the rules say of a state."""
        literals = {**self.inputs, **outputs, **{f"s[{i}]": bit for i, bit in enumerate(state)}}
        verdicts = self.rules.place(self.graph, literals)
        return {kind: [verdicts[f"{kind}[{i}]"] for i in range(sum(n.startswith(kind + "[") for n in verdicts))]
                for kind in ("live", "invariant", "kept", "assume", "visible")}

    def differences(self, s, t, live):
        """Where two states are not alike: literals by what they are about. live: of s."""
        g, found = self.graph, {}
        for position, (a, b) in enumerate(zip(s, t)):
            if a != b:
                condition = self.rules_of.live[position]
                matters = 1 if condition is None else live[condition]
                found["{}[{}]".format(*self.names.state[position])] = g.conjunction(matters, g.difference(a, b))
        return found

    def output_differences(self, other):
        """Where outputs differ that are looked at."""
        g, found = self.graph, {}
        for name, literal in self.o.items():
            if literal != other[name]:
                at = self.rules_of.visible.get(name.partition("[")[0])
                visible = 1 if at is None else self.now["visible"][at]
                found[name] = g.conjunction(visible, g.difference(literal, other[name]))
        return found

    def refute(self, claim, assumed=None):
        """Nothing if no state and input that are assumed make one of the claim's literals 1; else an explanation."""
        g = self.graph
        bad = g.conjunction(self.assumed if assumed is None else assumed, g.any(claim.values()))
        with tempfile.TemporaryDirectory() as name:
            try:
                ones = g.satisfied(self.abc, pathlib.Path(name) / "miter.aig", bad, TIMEOUT)
            except subprocess.TimeoutExpired:
                return "  timeout"
            except Undecided as complaint:
                return f"  {complaint}"
        return None if ones is None else self.explain(claim, ones)

    def mutant_claim(self, number):
        """How a mutant may differ from the design, and how its next state may not have what is kept."""
        n, o = self.place(self.s, number)
        judged = self.judge(n, self.o)
        g = self.graph
        live = zip(self.next["live"], judged["live"])
        changed = {f"live {i}": g.difference(a, b) for i, (a, b) in enumerate(live) if a != b}
        differences = {**self.differences(self.n, n, self.next["live"]), **changed, **self.output_differences(o)}
        return differences, {f"kept {i}": literal ^ 1 for i, literal in enumerate(judged["kept"])}

    def lemmas(self):
        """Raises RuntimeError if the rules do not hold of the design."""
        g = self.graph
        self.require("an invariant", {text: literal ^ 1 for text, literal in
                                      zip(self.rules_of.invariants, self.next["invariant"])})
        for rule, positions in self.rules_of.groups.items():
            t = list(self.s)
            for position in positions:
                t[position] = g.choice(self.now["live"][self.rules_of.live[position]], self.s[position], g.input())
            n, o = self.place(t, 0)
            then, later = self.judge(t, o), self.judge(n, o)
            claim = {**self.differences(self.n, n, self.next["live"]), **self.output_differences(o)}
            for what, one, two in (("now", self.now, then), ("next", self.next, later)):
                claim |= {f"{what} live {i}": g.difference(a, b) for i, (a, b) in enumerate(zip(one["live"], two["live"]))}
            claim["invariants"] = g.conjunction(g.all(self.now["invariant"]), g.all(then["invariant"]) ^ 1)
            claim["assumptions"] = g.conjunction(g.all(self.now["assume"]), g.all(then["assume"]) ^ 1)
            self.require(f"the rule of line {rule}", claim)
            g.forget(self.size)

    def require(self, what, claim):
        complaint = self.refute(claim)
        if complaint:
            raise RuntimeError(f"registers.txt: {what} does not hold:\n{complaint}")

    def refuted(self, number):
        """Nothing if mutant number is proven equivalent, else where and with what it differs."""
        with self.lock:
            try:
                differences, unkept = self.mutant_claim(number)
                complaint = self.refute(differences)
                return complaint and self.refute({**differences, **unkept}, self.assumed_kept)
            finally:
                self.graph.forget(self.size)

    def equivalent(self, number):
        return self.refuted(number) is None

    def explain(self, claim, ones):
        """The counterexample, by names."""
        bits = self.graph.values(ones)

        def words(names, literals):
            values = {}
            for name, literal in zip(names, literals):
                register, _, index = name.rpartition("[")
                values[register] = values.get(register, 0) | bits[literal] << int(index.rstrip("]"))
            return ", ".join(f"{name}={value:x}" for name, value in values.items() if value)

        wrong = [name for name, literal in claim.items() if bits[literal]]
        return "\n".join(["  differ: " + ", ".join(wrong),
                          "  inputs: " + words(self.inputs, self.inputs.values()),
                          "  state:  " + words(("{}[{}]".format(*bit) for bit in self.names.state), self.s)])


def main():
    yosys, directory, *numbers = sys.argv[1:]
    prover = Prover(yosys, directory, Rules((pathlib.Path(__file__).parent / "registers.txt").read_text()))
    if not numbers:
        prover.lemmas()
        print("the lemmas hold")
    mutants = json.loads((pathlib.Path(directory) / "generated.json").read_text())
    for number in map(int, numbers):
        print(number, mutants[number - 1], prover.refuted(number) or "equivalent", flush=True)


if __name__ == "__main__":
    main()
