"""What commands.py runs instead of a command that a test cannot run as it stands, and why.

A row: a regular expression that the whole command matches; why; what is run instead ("\\g<0>": the command; None: the checks
of commands.py alone); and its exit status, None for the document's. The first row that matches holds. A row that no document
needs is an error.
"""
LONG = "takes minutes, or has no end"
TOUR = "the kernel's whole tour takes half a minute"
STIMULUS = "a million transactions"
FAILING = "--dut ./my_mmu.so --dut-args '+sin=7 +after=40'"  # a device that is wrong once: harness/test/foreign_dut.c

ROWS = [
    (r"make\b.*", "builds, tests or measures for minutes, or installs: make -n, and its targets are there", None, None),
    (r"gtkwave .*", "wants a display: the waveform has the signals of the set-up", None, None),
    (r"(?:build/mmu86 gdb|mmu86 gdb) .*&", "the port may be taken: a free one", None, None),
    (r"gdb .*", "wants a person: in batch mode, with the (gdb) lines that follow", None, None),
    (r"cmake --build build --target mmu86_mutants", "others build there", "test -x build/harness/mutants/mmu86_mutants", None),
    (r"ctest .*", LONG, r"\g<0> -N | grep 'Total Tests: [1-9]'", None),
    (r"build/mmu86 run /boot/memtest86.*", LONG, r"\g<0> --max-insns 1000000", 4),
    (r"build/mmu86 run --bios .*", LONG, r"\g<0> --max-insns 1000000", 4),
    (r"build/mmu86 run build/sw/kernel.elf (?!.*(?:quick|--max-insns)).*", TOUR, r"\g<0> --max-insns 1500000", 4),
    (r"build/mmu86 run build/sw/kernel.elf --append quick (?!.*--max-insns).*", "takes 12 seconds", r"\g<0> --max-insns 1500000", 4),
    (r'build/mmu86 run build/sw/kernel.elf --append "quick workload=paging"(?! --wave swap).*', "takes ten seconds",
     r"\g<0> --max-insns 1500000", 4),
    (r"build/mmu86 fuzz --suite all", "takes minutes", r"\g<0> --every 5000", None),
    (r"build/mmu86 fuzz (?!.*--suite)(.*?) ?--count \d+(.*)", STIMULUS, r"build/mmu86 fuzz \1 --count 20000 \2", None),
    (r"build/mmu86 fuzz (?!.*--suite).*", STIMULUS, r"\g<0> --count 20000", None),
    (r"build/mmu86 shrink fuzz.trace", "this RTL does not fail: a device that does",
     f"build/mmu86 fuzz {FAILING} --count 300 --trace fuzz.trace --quiet; build/mmu86 shrink fuzz.trace {FAILING}", None),
    (r"build/mmu86 diff a.json b.json", "of two results that are here",
     r"[ -f a.json ] || { build/mmu86 fuzz --count 2000 --json a.json && cp a.json b.json; }; \g<0>", None),
    (r"build/mmu86 report run.json --baseline before.json --coverage build/coverage.json -o page.html",
     "of another result that is here; make coverage takes minutes",
     "cp run.json before.json; build/mmu86 report run.json --baseline before.json -o page.html", None),
    (r"verilator --binary bench.sv .*", "the reader's own; the example's is built by install_example_dpi: reads it",
     "verilator --lint-only --timing harness/examples/dpi/bench.sv harness/examples/pager/pager.sv "
     "$(pkg-config --cflags mmu86-dpi)", None),
    (r"build/mmu86-sc run build/sw/kernel.elf", TOUR, r"\g<0> --max-insns 200000", 4),
    (r"build/mmu86-sc replay boot.trace .*", "of a trace that is here",
     r"build/mmu86 fuzz --count 2000 --trace boot.trace --quiet; \g<0>", None),
    (r"build/mmu86 sweep(?! --scene).*", "takes half a minute: one of its races",
     r"\g<0> --scene small-new/fetch/moves-invlpg/taken/4", None),
    (r"build/harness/test/silicon_test", "asks 106,000 cases: one in 100; skipped where the host cannot",
     r"\g<0> 100 || test $? = 77", None),
]

# Files that documents take for the reader's own.
MINE = '#include <mmu86/mmu.h>\nint main(void) { return mmu_abi_version() != MMU_ABI_VERSION; }\n'
