#!/usr/bin/env python3
"""Reads a VCD of mmu86-sc as a viewer would: vcd_check.py FILE FIRST COUNT. FIRST:COUNT is the window of transactions.

At each rising edge: the handshakes at the ports, by the values before it. Each transaction of the window has one at a
request port and one at that port's response side; one is under way at a time; `lockstep.sequence` is its number.
"""
import re
import sys


def read(path):
    """Yields (time, values) for each time, values before it."""
    names, values, pending, time, scopes = {}, {}, {}, None, []
    for line in open(path):
        line = line.strip()
        var = re.match(r"\$var wire\s+\d+\s+(\S+)\s+(\S+?)(?:\s*\[[\d:]+\])?\s+\$end", line)
        if var:
            names[var[1]] = ".".join(scopes[1:] + [var[2]])
        elif line.startswith("$scope"):
            scopes.append(line.split()[2])
        elif line.startswith("$upscope"):
            scopes.pop()
        elif line.startswith("#"):
            if time is not None:
                yield time, values, pending
                values = {**values, **pending}
                pending = {}
            time = int(line[1:])
        elif re.match(r"[01]\S", line):
            pending[names[line[1:]]] = int(line[0])
        elif line.startswith("b"):
            bits, code = line[1:].split()
            pending[names[code]] = int(bits, 2)


def main():
    path, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    requests, responses, edges, numbers, references, answers = [], 0, [], [], 0, 0
    for time, before, changes in read(path):
        if changes.get("clk_i") != 1 or before.get("clk_i") != 0:
            continue
        edges.append(time)
        for port in "df":
            if before[f"{port}_req_valid_i"] and before[f"{port}_req_ready_o"]:
                requests.append(port)
                numbers.append(before["lockstep.sequence"])
            responses += before[f"{port}_rsp_valid_o"] and before[f"{port}_rsp_ready_i"]
        references += before["m_req_valid_o"] and before["m_req_ready_i"]
        answers += before["m_rsp_valid_i"] and before["m_rsp_ready_o"]
        assert not before["lockstep.mismatch"]
    assert numbers == list(range(first, first + count)), numbers[:5] + numbers[-5:]
    assert {"d", "f"} == set(requests)
    assert responses in (count, count - 1), responses  # the last one's is taken at an edge that is not shown
    assert references == answers and references > count / 4, (references, answers)
    assert {b - a for a, b in zip(edges, edges[1:])} == {10}, "the clock's period"


if __name__ == "__main__":
    main()
