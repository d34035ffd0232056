#!/usr/bin/env python3
"""Copies the RTL with every bug of the gallery planted in it, each behind mutant_pkg::selected.

Usage: plant.py GALLERY RTL_DIR OUT_DIR

The simulated design chooses one by the plusarg +mutant=N (N from 1, in the gallery's order; 0 or none: no bug).
Planting fails if a record's text is not in its file exactly once, so that a bug cannot silently stop to apply.
"""
import pathlib
import re
import sys

PACKAGE = """/* Which bug of the gallery is awake: +mutant=N. */
package mutant_pkg;
  int unsigned selected = 0;
endpackage
"""

CHOOSER = """
  initial begin
    if (!$value$plusargs("mutant=%d", mutant_pkg::selected)) mutant_pkg::selected = 0;
  end

endmodule"""


def parse(text):
    """Returns a list of dicts: name, bug_class, file, original, mutant."""
    records = []
    for line in text.splitlines():
        if line.startswith("@ "):
            records.append({"name": line[2:].strip(), "head": [], "original": [], "mutant": []})
        elif not line.strip() or (line.startswith("#") and not records):
            continue
        elif line.startswith("-"):
            records[-1]["original"].append(line[1:])
        elif line.startswith("+"):
            records[-1]["mutant"].append(line[1:])
        else:
            records[-1]["head"].append(line.strip())
    for record in records:
        record["bug_class"], record["file"] = record.pop("head")
        record["original"] = "\n".join(record["original"])
        record["mutant"] = "\n".join(record["mutant"])
    return records


def split_common(original, mutant):
    """Takes the common head and tail lines off two blocks."""
    a, b = original.split("\n"), mutant.split("\n")
    head, tail = [], []
    while len(a) > 1 and len(b) > 1 and a[0] == b[0]:
        head.append(a.pop(0))
        b.pop(0)
    while len(a) > 1 and len(b) > 1 and a[-1] == b[-1]:
        tail.insert(0, a.pop())
        b.pop()
    return head, "\n".join(a), "\n".join(b), tail


def chosen(number, original, mutant):
    """An expression that is mutant if number is selected, else original."""
    return f"((mutant_pkg::selected == {number}) ? ({mutant.strip()}) : ({original.strip()}))"


ASSIGNMENT = re.compile(r"(?P<left>\s*(?:assign )?[\w.\[\]]+\s*(?:<=|=)\s*)(?P<right>[^=].*?)(?P<end>;?)$", re.S)
CONNECTION = re.compile(r"(?P<left>\s*\.\w+\s*\()(?P<right>.*)(?P<end>\),?)$", re.S)


def joined(number, original, mutant):
    """The text that behaves as mutant if number is selected, else as original."""
    for form in (CONNECTION, ASSIGNMENT):
        a, b = form.match(original), form.match(mutant)
        if a and b and a["left"] == b["left"]:
            return a["left"] + chosen(number, a["right"], b["right"]) + a["end"]
    return chosen(number, original, mutant)


def plant(number, record, source):
    original, mutant = record["original"], record["mutant"]
    count = source.count(original)
    if count != 1:
        sys.exit(f"plant.py: {record['name']}: its text is {count} times in {record['file']}, expected once")
    head, text, bug, tail = split_common(original, mutant)
    return source.replace(original, "\n".join(head + [joined(number, text, bug)] + tail))


def main():
    gallery, rtl, out = (pathlib.Path(p) for p in sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    files = [line.strip() for line in (rtl / "rtl.f").read_text().splitlines() if line.strip()]
    sources = {name: (rtl / name).read_text() for name in files}
    for number, record in enumerate(parse(gallery.read_text()), 1):
        sources[record["file"]] = plant(number, record, sources[record["file"]])
    top = sources["mmu_top.sv"]
    sources["mmu_top.sv"] = CHOOSER.join(top.rsplit("\nendmodule", 1))
    sources["mutant_pkg.sv"] = PACKAGE
    sources["rtl.f"] = "\n".join(["mutant_pkg.sv", *files]) + "\n"
    for name, text in sources.items():
        path = out / name
        if not path.exists() or path.read_text() != text:  # what is built of it stays as it is
            path.write_text(text)


if __name__ == "__main__":
    main()
