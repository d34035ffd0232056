"""And-inverter graphs: literals 2n and 2n + 1 are a node and its complement, 0 is false, 1 is true.

Graph builds with structural hashing; Circuit is what Yosys wrote, to be put into a graph with literals of one's choice.
"""
import re
import subprocess


# How abc is asked, in turn: what is quickly found out, then with equal points within the graph merged first.
WAYS = ("dsat -C 5000", "&get; &fraig -x -C 100; &put; iprove")


class Undecided(Exception):
    """The solver has ended without an answer."""


class Graph:
    """Nodes in the order of their making: inputs and ANDs. Equal ANDs are one node."""

    def __init__(self):
        self.fanins = [None]  # of a node: two literals, or None: an input
        self.known = {}

    def input(self):
        self.fanins.append(None)
        return 2 * (len(self.fanins) - 1)

    def conjunction(self, a, b):
        if a > b:
            a, b = b, a
        if a == 0 or a == b ^ 1:
            return 0
        if a == 1 or a == b:
            return b
        found = self.known.get((a, b))
        if found is None:
            found = self.known[a, b] = 2 * len(self.fanins)
            self.fanins.append((a, b))
        return found

    def disjunction(self, a, b):
        return self.conjunction(a ^ 1, b ^ 1) ^ 1

    def difference(self, a, b):
        return self.conjunction(self.conjunction(a, b ^ 1) ^ 1, self.conjunction(a ^ 1, b) ^ 1) ^ 1

    def choice(self, condition, yes, no):
        return self.disjunction(self.conjunction(condition, yes), self.conjunction(condition ^ 1, no))

    def all(self, literals):
        result = 1
        for literal in literals:
            result = self.conjunction(result, literal)
        return result

    def any(self, literals):
        return self.all(literal ^ 1 for literal in literals) ^ 1

    def forget(self, size):
        """Removes all nodes but the first size."""
        for fanins in self.fanins[size:]:
            if fanins:
                del self.known[fanins]
        del self.fanins[size:]

    def cone(self, literal):
        """The nodes that a literal depends on, in the order of their making."""
        seen, waiting = set(), [literal >> 1]
        while waiting:
            node = waiting.pop()
            if node and node not in seen:
                seen.add(node)
                waiting += [fanin >> 1 for fanin in self.fanins[node] or ()]
        return sorted(seen)

    def write(self, path, literal):
        """Writes binary AIGER of one output. Returns the literals of its inputs, in the file's order."""
        nodes = self.cone(literal)
        inputs = [node for node in nodes if self.fanins[node] is None]
        gates = [node for node in nodes if self.fanins[node] is not None]
        number = {0: 0} | {node: i for i, node in enumerate(inputs + gates, 1)}
        data = bytearray(f"aig {len(nodes)} {len(inputs)} 0 1 {len(gates)}\n".encode())
        data += f"{2 * number[literal >> 1] | literal & 1}\n".encode()
        for node in gates:
            low, high = sorted(2 * number[fanin >> 1] | fanin & 1 for fanin in self.fanins[node])
            for delta in (2 * number[node] - high, high - low):
                while delta > 127:
                    data.append(delta & 127 | 128)
                    delta >>= 7
                data.append(delta)
        path.write_bytes(data)
        return [2 * node for node in inputs]

    def satisfied(self, abc, path, literal, timeout):
        """An assignment, as the set of inputs that are 1, with which the literal is 1; None: there is none."""
        if literal <= 1:
            return set() if literal else None
        inputs = self.write(path, literal)
        cex = path.with_suffix(".cex")
        for way in WAYS:
            script = f"read_aiger {path}; &get; &syn3; &put; {way}; write_cex -n {cex}"
            done = subprocess.run([abc, "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=timeout, check=False)
            if "UNSATISFIABLE" in done.stdout:
                return None
            if "SATISFIABLE" in done.stdout:
                break
        else:
            raise Undecided(f"abc says neither yes nor no of {path}: {done.stdout[-300:]}{done.stderr[-300:]}")
        values = re.findall(r"=([01])", cex.read_text())
        ones = {literal for literal, value in zip(inputs, values) if value == "1"}
        if not self.values(ones)[literal]:
            raise Undecided(f"abc's counterexample of {path} is none")
        return ones

    def values(self, ones):
        """The values of all literals, in their order, when the inputs in ones are 1 and the others 0."""
        values = [False, True]
        for node, fanins in enumerate(self.fanins[1:], 1):
            value = 2 * node in ones if fanins is None else values[fanins[0]] and values[fanins[1]]
            values += (value, not value)
        return values


class Circuit:
    """Combinational, as Yosys' write_aiger -ascii -symbols has it: inputs and outputs by names such as s[3]."""

    def __init__(self, path):
        lines = path.read_text().splitlines()
        _, _, n_inputs, n_latches, n_outputs, n_gates = lines[0].split()[:6]
        n_inputs, n_outputs, n_gates = int(n_inputs), int(n_outputs), int(n_gates)
        if n_latches != "0":
            raise RuntimeError(f"{path}: a register was not cut out")
        at = 1 + n_inputs
        inputs = [int(line) for line in lines[1:at]]
        outputs = [int(line) for line in lines[at : at + n_outputs]]
        at += n_outputs
        self.gates = [tuple(map(int, line.split())) for line in lines[at : at + n_gates]]
        self.inputs, self.outputs = {}, {}
        for line in lines[at + n_gates :]:
            symbol = re.fullmatch(r"([io])(\d+) (.+)", line)
            if symbol and symbol[1] == "i":
                self.inputs[bit_name(symbol[3])] = inputs[int(symbol[2])]
            elif symbol:
                self.outputs[bit_name(symbol[3])] = outputs[int(symbol[2])]
        if len(self.inputs) != n_inputs or len(self.outputs) != n_outputs:
            raise RuntimeError(f"{path}: an input or output has no name")

    def place(self, graph, literals):
        """Puts it into a graph; literals: of the inputs, by name. Returns those of the outputs, by name."""
        at = {0: 0, 1: 1}
        for name, literal in self.inputs.items():
            at[literal], at[literal ^ 1] = literals[name], literals[name] ^ 1
        conjunction = graph.conjunction
        for y, a, b in self.gates:
            at[y] = conjunction(at[a], at[b])
            at[y ^ 1] = at[y] ^ 1
        return {name: at[literal] for name, literal in self.outputs.items()}


def bit_name(name):
    return name if name.endswith("]") else name + "[0]"
