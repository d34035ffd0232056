#!/usr/bin/env python3
"""Has Yosys change the elaborated RTL in many random places, each change behind a number.

Usage: generate.py YOSYS RTL_DIR OUT_DIR COUNT SEED PARAMETER=VALUE ...

Writes to OUT_DIR:
  netlist.v       the changed design, for Verilator with selector.sv: +mutant=N chooses a change (0 or none: no change)
  netlist.il      the same for Yosys, for the proofs of equivalence
  generated.json  the changes, in the order of their numbers: name, file, line, module, cell, port, bit, mode, signal

The design is changed at word level, after flattening: each instance by itself, where source locations and the names of
registers are known and a simulation is still fast. Yosys' modes: inv (a bit inverted), const0, const1 (a bit stuck),
cnot0, cnot1 (a bit inverted while another bit of the same port is 0 or 1).
"""
import json
import pathlib
import re
import shlex
import subprocess
import sys

SELECTOR = """
  logic [15:0] mutant;
  (* keep *) mutant_selector i_selector (.number_o(mutant));

endmodule"""

# -nordff: a register in a memory's read port could not be cut out for the proofs.
# pmuxtree, chtype, setundef: no cell and no constant is left whose value a simulator and a solver may choose for
# themselves, so that both see the same design.
ELABORATE = """
read_verilog -sv -lib selector.sv
read_verilog -sv {files}
chparam {parameters} mmu_top
hierarchy -check -top mmu_top
proc -norom
write_json hierarchy.json
flatten
opt -fast
memory -norom -nomap -nordff
pmuxtree
chtype -set $shift t:$shiftx
setundef -zero
opt -fast
clean
check -assert
select -assert-none t:$pmux t:$shiftx
mutate -list {count} -seed {seed} -ctrl mutant 16 1 -o candidates.txt t:* t:mutant_selector %d
write_rtlil elaborated.il
"""

MUTATE = """
read_rtlil elaborated.il
script mutations.txt
clean
check -assert
write_rtlil netlist.il
splitnets -driver
clean
write_verilog -noattr netlist.v
"""

CLOCKS = 20  # more candidates than are wanted: some are of clocks

PLACE = re.compile(r"(?P<file>[\w.]+):(?P<line>\d+)\.(?P<column>\d+)-(?P<last>\d+)\.(?P<end>\d+)$")


def instances(hierarchy):
    """The places of all instances: a flattened cell carries those of the modules that it came from as well."""
    modules = hierarchy["modules"]
    return {
        place
        for module in modules.values()
        for cell in module["cells"].values()
        if cell["type"] in modules
        for place in cell["attributes"].get("src", "").split("|")
    }


def location(places, excluded):
    """(file, line) of the narrowest place that is not an instance's."""
    found = []
    for place in places:
        match = PLACE.match(place)
        if match and place not in excluded and match["line"] != "0":
            lines = int(match["last"]) - int(match["line"])
            columns = int(match["end"]) - int(match["column"])
            found.append((lines, columns if lines == 0 else 0, match["file"], int(match["line"])))
    return min(found)[2:] if found else ("mmu_top.sv", 0)


def describe(line, number, excluded):
    """One line of mutate -list as a dict."""
    words = shlex.split(line, posix=False)
    options, places = {}, []
    for option, value in zip(words[1:], words[2:]):
        if option == "-src":
            places.append(value)
        elif option.startswith("-"):
            options[option] = value
    file, source_line = location(places, excluded)
    mutant = {
        "name": f"generated-{number}",
        "file": file,
        "line": source_line,
        "module": file.removesuffix(".sv"),
        "cell": options["-cell"].lstrip("\\"),
        "port": options["-port"].lstrip("\\"),
        "bit": int(options["-portbit"]),
        "mode": options["-mode"],
    }
    if "-ctrlbit" in options:
        mutant["control_bit"] = int(options["-ctrlbit"])
    if "-wire" in options:
        mutant["signal"] = f"{options['-wire'].lstrip(chr(92))}[{options['-wirebit']}]"
    return mutant


def chosen(candidates, count):
    """The first count of them that leave clocks alone, with numbers from 1.

    A simulator sees a clock behind a multiplexer later than the others: registers would take what their inputs become
    at the edge, with no mutant awake.
    """
    kept = [line for line in candidates if " -port CLK " not in line and " -port WR_CLK " not in line][:count]
    if len(kept) < count:
        sys.exit(f"generate.py: only {len(kept)} places to change, {count} wanted")
    return [re.sub(r"-ctrl mutant 16 \d+", f"-ctrl mutant 16 {number}", line) for number, line in enumerate(kept, 1)]


def run(yosys, out, name, script):
    (out / f"{name}.ys").write_text(script)
    subprocess.run([yosys, "-q", f"{name}.ys"], cwd=out, check=True)


def main():
    yosys, rtl, out, count, seed, *parameters = sys.argv[1:]
    rtl, out = pathlib.Path(rtl), pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    # Yosys reads copies by their bare names: what it chooses must not depend on where the tree stands.
    files = (rtl / "rtl.f").read_text().split()
    for name in files:
        (out / name).write_text((rtl / name).read_text())
    top = (rtl / "mmu_top.sv").read_text()
    (out / "mmu_top.sv").write_text(SELECTOR.join(top.rsplit("\nendmodule", 1)))
    (out / "selector.sv").write_text((pathlib.Path(__file__).parent / "selector.sv").read_text())
    settings = " ".join(f"-set {name} {value}" for name, value in (p.split("=") for p in parameters))
    files = " ".join(files)
    elaborate = ELABORATE.format(files=files, parameters=settings, count=int(count) + CLOCKS, seed=seed)
    run(yosys, out, "elaborate", elaborate)
    lines = chosen((out / "candidates.txt").read_text().splitlines(), int(count))
    (out / "mutations.txt").write_text("\n".join(lines) + "\n")
    run(yosys, out, "mutate", MUTATE)

    excluded = instances(json.loads((out / "hierarchy.json").read_text()))
    mutants = [describe(line, number, excluded) for number, line in enumerate(lines, 1)]
    (out / "generated.json").write_text(json.dumps(mutants, indent=1) + "\n")


if __name__ == "__main__":
    main()
