"""Hunts one mutant: the table of hunters, and what each of them says."""
import json
import pathlib
import re
import subprocess
import tempfile

KNOBS = pathlib.Path(__file__).resolve().parent.parent / "knobs"

# (name, program, arguments): tried in turn until one kills. Random stimulus in lockstep is told by how it is checked.
HUNTS = [
    ("exact", "mmu86", ["fuzz", "--seed", "1", "--count", "30000"]),
    ("exact, slow memory", "mmu86", ["fuzz", "--seed", "2", "--count", "30000", "--mem-latency", "5"]),
    ("overlap", "mmu86", ["fuzz", "--overlap", "--seed", "3", "--count", "30000"]),
    ("port bench", "ports", []),
    ("exact, long", "mmu86", ["fuzz", "--seed", "1", "--count", "300000"]),
    ("exact, tables", "mmu86", ["fuzz", "--knobs", f"{KNOBS}/tables.json", "--seed", "5", "--count", "300000"]),
    ("race sweep", "mmu86", ["sweep"]),
    ("exact, slow memory, long", "mmu86", ["fuzz", "--seed", "2", "--count", "300000", "--mem-latency", "5"]),
    ("overlap, slow memory", "mmu86",
     ["fuzz", "--overlap", "--seed", "4", "--count", "300000", "--mem-latency", "5"]),
    ("overlap, long", "mmu86", ["fuzz", "--overlap", "--seed", "3", "--count", "300000"]),
    ("overlap, segments, slow memory", "mmu86",
     ["fuzz", "--knobs", f"{KNOBS}/segments.json", "--overlap", "--seed", "3", "--count", "300000", "--mem-latency", "5"]),
    ("race sweep, slow memory", "mmu86", ["sweep", "--mem-latency", "4", "--seed", "2"]),
]
QUICK = [name for name, _, _ in HUNTS[:3]]  # these come before an attempt to prove that there is nothing to find
SLOW = [name for name, _, _ in HUNTS[3:]]
TIMEOUT = 600  # seconds; only a mutant that hangs a program gets there
SIGABRT = -6  # a Verilated model ends so if its combinational logic does not settle


class HunterFailed(Exception):
    """A hunter ended as it must not, whatever the design does."""


def found(checker, transactions=None):
    return {"checker": checker, "transactions": transactions}


def mmu86(program, arguments, number):
    """Returns None if nothing is found, else what differed, and after how many transactions."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        waves = ["--no-failure-wave"] if arguments[0] == "fuzz" else []
        command = [program, *arguments, *waves, "--quiet", "--json", result.name, "--dut-args", f"+mutant={number}"]
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
        if done.returncode == 0:
            return None
        if done.returncode == SIGABRT:
            return found("the design does not settle")
        if done.returncode != 1:
            raise HunterFailed(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.decode()[-200:]}")
        report = json.loads(pathlib.Path(result.name).read_text())
        return found(", ".join(report["differences"]) or report["stop"], report["transactions"])


def ports(program, arguments, number):
    """The port-level bench. Returns None, or the first line that it complains with."""
    try:
        done = subprocess.run([program, *arguments, f"+mutant={number}"], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return found("hang")
    if done.returncode == 0:
        return None
    if done.returncode == SIGABRT:
        return found("the design does not settle")
    complaint = re.search(r"^FAILED (\w+), cycle \d+, request (\d+): (.*)", done.stderr, re.M)
    if not complaint:
        raise HunterFailed(f"{program} +mutant={number}: exit status {done.returncode}: {done.stderr[-200:]}")
    return found(f"{complaint[1]}: {complaint[3][:60]}", int(complaint[2]))


HUNTERS = {"mmu86": mmu86, "ports": ports}


def hunt(programs, number, names):
    """Returns what found mutant number, as a dict with by, checker, transactions; or None. programs: paths by name."""
    for name, program, arguments in HUNTS:
        if name in names:
            complaint = HUNTERS[program](programs[program], arguments, number)
            if complaint:
                return {"by": name, **complaint}
    return None
