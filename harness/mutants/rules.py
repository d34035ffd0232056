"""registers.txt, and what it says of a design as a Verilog module."""
import fnmatch
import re

SIGNAL = re.compile(r"(i_mmu\.[\w.]+)((?:\[\d+(?::\d+)?\])*)")
OFFER = r"!(\w+) \|\| "  # so does an assumption begin: that nothing is offered


class Rules:
    """registers.txt."""

    def __init__(self, text):
        self.live, self.outputs, self.invariants, self.kept, self.assumptions = [], [], [], [], []
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            head, separator, condition = line.partition(": ")
            kind, _, pattern = head.partition(" ")
            if not separator or (kind in ("live", "output")) != bool(pattern):
                raise ValueError(f"registers.txt, line {number}: {line}")
            if kind == "live":
                self.live += [(name, condition, number) for name in alternatives(pattern)]
            elif kind == "output":
                self.outputs.append((pattern, condition))
            elif kind == "invariant":
                self.invariants += alternatives(condition)
            elif kind == "kept":
                self.kept += alternatives(condition)
            elif kind == "assume" and re.match(OFFER, condition):
                self.assumptions.append(condition)
            else:
                raise ValueError(f"registers.txt, line {number}: {line}")


def alternatives(pattern):
    """a.{b,c} as [a.b, a.c]; the same braces again stand for the same name."""
    match = re.search(r"\{[\w:]+(?:,[\w:]+)+\}", pattern)
    return [pattern.replace(match[0], name) for name in match[0][1:-1].split(",")] if match else [pattern]


class RulesModule:
    """The rules as a Verilog module over a state s, the inputs and the outputs; and which bit obeys which."""

    def __init__(self, step, rules):
        self.index = {}
        for position, (name, index) in enumerate(step.state):
            self.index.setdefault(name, {})[index] = position
        self.inputs = {n: w for n, w in step.ports("input").items() if n not in ("s", "mutant")}
        self.outputs = {n: w for n, w in step.ports("output").items() if n != "n"}
        conditions = []  # in Verilog, each once
        self.live = []  # of each bit of the state: which condition, or None: it always matters
        groups = {}  # of a line: positions
        for position, (name, index) in enumerate(step.state):
            condition, rule = self.rule_of(rules, name, index)
            if condition and condition not in conditions:
                conditions.append(condition)
            self.live.append(conditions.index(condition) if condition else None)
            groups.setdefault(rule, []).append(position)
        groups.pop(None, None)
        self.groups = groups
        self.n_conditions = len(conditions)
        self.visible = {}  # of an output: which of the conditions of outputs
        for name in self.outputs:
            for at, (pattern, condition) in enumerate(rules.outputs):
                if fnmatch.fnmatch(name, pattern) and name != condition:
                    self.visible[name] = at
                    break
        lines = ["module rules("]
        lines += [f"  input [{w - 1}:0] {n}," for n, w in {**self.inputs, **self.outputs}.items()]
        lines += [f"  input [{len(step.state) - 1}:0] s,"]
        self.invariants = [each for text in rules.invariants for each in self.each_of(text)]
        bundles = {"live": conditions, "invariant": self.invariants, "kept": rules.kept, "assume": rules.assumptions,
                   "visible": [condition for _, condition in rules.outputs]}
        lines += [",\n".join(f"  output [{max(len(texts), 1) - 1}:0] {name}" for name, texts in bundles.items()) + ");"]
        for name, texts in bundles.items():
            lines += [f"  assign {name}[{i}] = ({self.expression(t)}) != 0;" for i, t in enumerate(texts or ["1"])]
        self.text = "\n".join(lines + ["endmodule"]) + "\n"

    @staticmethod
    def rule_of(rules, name, index):
        """The condition under which a bit of a register matters, and the line that says so; or None, None: always."""
        for pattern, condition, number in rules.live:
            bits = re.search(r"\[(\d+):(\d+)\]$", pattern)
            plain = pattern[: bits.start()] if bits else pattern
            expression = re.escape(plain).replace(re.escape("[*]"), r"\[(\d+)\]")
            match = re.fullmatch(expression, name) or re.fullmatch(expression, f"{name}[{index}]")
            if match and (not bits or int(bits[2]) <= index <= int(bits[1])):
                return condition.replace("[*]", f"[{match[1]}]") if match.groups() else condition, number
        return None, None

    def each_of(self, text):
        """A condition over NAME[*] as one for each register of an array."""
        arrays = re.findall(r"(i_mmu\.[\w.]+)\[\*\]", text)
        if not arrays:
            return [text]
        members = re.compile("(?:" + "|".join(map(re.escape, arrays)) + r")\[(\d+)\]")
        numbers = sorted({int(found[1]) for found in map(members.fullmatch, self.index) if found})
        if not numbers:
            raise ValueError(f"registers.txt: none of {', '.join(arrays)} is an array")
        return [text.replace("[*]", f"[{number}]") for number in numbers]

    def expression(self, text):
        """A condition over registers as one over the bits of s."""

        def signal(match):
            name, suffix = match[1], match[2]
            element = re.match(r"\[\d+\]", suffix)
            if element and name + element[0] in self.index:
                name, suffix = name + element[0], suffix[element.end():]
            if name not in self.index:
                raise ValueError(f"registers.txt: no register is named {name}")
            bits = self.index[name]
            first = re.fullmatch(r"\[(\d+)(?::(\d+))?\]", suffix)
            high = int(first[1]) if first else max(bits)
            low = int(first[2] or first[1]) if first else 0
            missing = [i for i in range(low, high + 1) if i not in bits]
            if missing:
                raise ValueError(f"registers.txt: {name} has no register for its bits {missing}")
            return "{" + ", ".join(f"s[{bits[i]}]" for i in range(high, low - 1, -1)) + "}"

        return SIGNAL.sub(signal, text)
