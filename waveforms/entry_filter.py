#!/usr/bin/env python3
"""A page-directory or page-table entry, for GTKWave (signal, Data Format, Translate Filter Process): frame and flags."""
import sys

FLAGS = ["P", "W", "U", "PWT", "PCD", "A", "D", "PS/PAT", "G"]

for line in sys.stdin:
    try:
        entry = int(line, 16)
        text = "%05x %s" % (entry >> 12, " ".join(name for bit, name in enumerate(FLAGS) if entry >> bit & 1))
    except ValueError:  # x, z
        text = line.strip()
    print(text, flush=True)
