#!/usr/bin/env python3
"""Makes what the fuzzers' corpora begin with: small images of every kind, and traces that mmu86 records of them.

usage: seeds.py MMU86 DIRECTORY [IMAGE ...]     writes DIRECTORY/TARGET/NAME; IMAGE: recorded too, see SLICES
"""
import json
import pathlib
import struct
import subprocess
import sys

PROFILES = pathlib.Path(__file__).resolve().parent.parent / "knobs"
HALT = b"\xf4"
# out EAH, al (origin); mov ds, ax; lgdt-less far jump is in the BIOS; store, load, inc, then the debug exit.
CODE = bytes.fromhex("b007e6ea" "a300201000" "8b1d00201000" "ff0508201000" "31c0" "e7f4")
# Paging on over a directory at 110000H with one 4 MiB page, then a page fault and a triple fault.
PAGED = bytes.fromhex("c7050000110083000000" "b800001100" "0f22d8" "0f20e0" "83c810" "0f22e0" "0f20c0" "0d00000180"
                      "0f22c0" "a100201000" "a1000000c0")


def multiboot(flags):
    return struct.pack("<III", 0x1BADB002, flags, -(0x1BADB002 + flags) & 0xFFFFFFFF)


def elf(code, with_header=True, paddr=0x100000, entry=None):
    text = (multiboot(3) if with_header else b"\0" * 12) + code + HALT * 4
    data = b"data"
    at = 52 + 2 * 32
    entry = paddr + 12 if entry is None else entry
    head = b"\x7fELF\1\1\1" + b"\0" * 9 + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, entry, 52, 0, 0, 52, 32, 2, 0, 0, 0)
    segments = struct.pack("<8I", 1, at, paddr, paddr, len(text), len(text), 7, 4)
    segments += struct.pack("<8I", 1, at + len(text), paddr + 0x2000, paddr + 0x2000, len(data), 0x3000, 6, 4)
    return head + segments + text + data


def elf_of(segments):
    """An ELF file of that many segments of one byte."""
    at = 52 + 32 * segments
    head = b"\x7fELF\1\1\1" + b"\0" * 9 + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x100000, 52, 0, 0, 52, 32, segments,
                                                        0, 0, 0)
    return head + b"".join(struct.pack("<8I", 1, at, 0x100000 + 16 * i, 0x100000 + 16 * i, 1, 1, 7, 1)
                           for i in range(segments)) + HALT


def kludge(code):
    """A Multiboot image that says its own addresses."""
    text = multiboot(0x10003) + struct.pack("<5I", 0x100010, 0x100000, 0, 0x103000, 0x100030) + code + HALT
    return b"\0" * 16 + text


def linux(version=0x20C, loadflags=1, code=CODE, relocatable=1):
    """A bzImage or zImage."""
    b = bytearray(1024)
    b[0x1F1] = 1
    body = code + HALT * (32 - len(code) % 16)
    end = 0x264 if version >= 0x20A else 0x22C
    struct.pack_into("<I", b, 0x1F4, (len(body) + 15) // 16)
    struct.pack_into("<HBB4sH", b, 0x1FE, 0xAA55, 0xEB, end - 0x202, b"HdrS", version)
    b[0x211] = loadflags
    struct.pack_into("<I", b, 0x214, 0x100000)
    struct.pack_into("<IIB3xI", b, 0x22C, 0x7FFFFFFF, 0x1000, relocatable, 255)
    struct.pack_into("<QI", b, 0x258, 0x200000, 0x10000)
    return bytes(b) + body


def choices(ram, cmdline=0, extra=0, n=0):
    """The last four bytes of an image for fuzz_image: see there."""
    return bytes([ram, cmdline, extra, n])


IMAGES = {
    "multiboot": elf(CODE) + choices(2 | 2 << 2, 1, 1 | 2 << 2, 2),
    "paged": elf(PAGED) + choices(2 | 2 << 2),
    "kludge": kludge(CODE) + choices(1 | 1 << 2, 2, 1 | 4 << 2, 1),
    "vmlinux": elf(CODE, with_header=False) + choices(2 | 1 << 2, 4, 2 | 3 << 2),
    "low": elf(CODE, paddr=0x8000, entry=0x800C) + choices(0 | 1 << 2),
    "bzimage": linux() + choices(2 | 2 << 2, 3, 2 | 2 << 2),
    "bzimage200": linux(0x200) + choices(2, 1, 2 | 1 << 2),
    "bzimage205": linux(0x205, relocatable=0) + choices(3, 3, 2 | 5 << 2),
    "zimage": linux(0x204, 0) + choices(1 | 2 << 2, 0, 2),
    "most": elf_of(64) + choices(2),
    "many": elf_of(65) + choices(2),
    "empty": b"",
}

# At the reset vector a far jump to F000:FF00; there: an origin, writes to shadow RAM (PAM0), a GDT, protected mode, reset.
VECTOR = bytes.fromhex("ea00ff00f0")
REALMODE = bytes.fromhex("b003e6ea" "66b859000080" "baf80c" "66ef" "bafd0c" "b020" "ee" "2e0f0116" "40ff" "0f20c0"
                         "0c01" "0f22c0" "ea30ff0800")
PROTECTED = bytes.fromhex("b81000" "8ed8" "b0fe" "e664" "f4")


def bios():
    b = bytearray(HALT * 256)
    b[0xF0:0xF0 + len(VECTOR)] = VECTOR
    b[0:len(REALMODE)] = REALMODE
    b[0x30:0x30 + len(PROTECTED)] = PROTECTED
    b[0x40:0x46] = struct.pack("<HI", 23, 0xFFF48)
    b[0x48:0x60] = bytes(8) + bytes.fromhex("ffff00000f9b0000") + bytes.fromhex("ffff000000930000")
    return bytes(b)


# The first byte is for fuzz_run: see there.
RUNS = {"bios": b"\x90" + bios(), "restart": b"\xf3" + bios(), "image": b"\x10" + elf(CODE), "paged": b"\x10" + elf(PAGED),
        "bzimage": b"\x10" + linux(), "bad": b"\0" + elf(CODE, paddr=0xA0000)}

HEADER = {"ram_bytes": 8 << 20, "tlb_sets": 8, "tlb_ways": 4, "tlb_large": 8, "limit_wraps": False,
          "accessed_on_fault": False, "pat_reserved": True, "stale_faults": False,
          "upper_cached": False, "overlapped": False, "origin": "mmu86 fuzz"}
HEADERS = {"good": HEADER, "wide": {**HEADER, "ram_bytes": 3 << 30, "origin": "\u00e9\u20ac"},
           "wrong": {**HEADER, "tlb_sets": 3}, "huge": {**HEADER, "tlb_ways": (1 << 32) + 4}, "none": []}

OPTIONS = {
    "run": [0, "kernel.elf", "--ram", "64", "--cpu", "486", "--append", "a 'b'", "--module", "m", "--log-port", "0x80",
            "--max-insns=10"],
    "replay": [1, "--wave-window", "5:20", "--wave", "w.fst", "--", "a.trace"],
    "fuzz": [2, "--seed", "7", "--count", "0x10", "--mem-latency", "9", "--dut", "none", "--dut-args", ""],
    "bench": [3, "k.elf", "--loop", "l.rom", "--json", "-", "--quiet"],
    "gdb": [4, "--bios", "b.bin", "--port=0", "--on-reset", "restart", "--vga", "v", "--serial-input", "-"],
    "shrink": [5, "a.trace", "--out", "small", "--any-failure", "--check", "architectural", "--seed", "3"],
    "explain": [6, "--transaction", "12", "a.trace", "--html=why.html", "--mem-latency", "2"],
    "sweep": [7, "--scene", "small/fetch/invlpg/taken/3", "--coverage", "c.json", "--no-failure-wave"],
    "diff": [8, "a.json", "--json", "-", "b.json"], "diff-page": [8, "a.json", "b.json", "-o", "x"],
    "diff-one": [8, "a.json"], "diff-three": [8, "a", "b", "c"],
    "report": [9, "run.json", "-o", "page.html", "--baseline", "before.json", "--coverage=build/coverage.json"],
    "report-joined": [9, "-opage.html", "--", "-run.json"], "report-odd": [9, "run.json", "-ox", "-x", "-o"],
    "help": [0, "--help"], "short": [0, "-abc", "-", "--q=1", "--wave"],
}

KNOBS = {"none": b"{}", "unknown": b'{"bogus": 1}', "range": b'{"hot_pages": 65}', "real": b'{"hot": 1.5}',
         "least": json.dumps(dict.fromkeys(("hot_pages", "v86_every", "directories", "page_tables", "directory_entries",
                                            "alias_frames", "hot_sets"), 1)).encode(),
         "nothing": json.dumps(dict.fromkeys((f"{what}_weight" for what in (
             "read", "write", "execute", "system", "descriptor", "set_segment", "cr0", "cr3", "cr4", "load_table",
             "invlpg")), 0)).encode()}

# Two results each, with a NUL between.
RESULTS = [{"verdict": "pass", "transactions": 1000, "dut_cycles": 3000, "references": 2000, "tlb_hits": 900,
            "faults_by_vector": {"13": 1}, "origins": [{"name": "kernel", "references": 5}, {"name": "user"}]},
           {"verdict": "mismatch", "transactions": 1001, "dut_cycles": 0, "references": -1, "seconds": 1.5,
            "origins": [{"name": "user", "references": 1}, 2, []], "differences": ["fault"]}]
DIFFS = {"two": "\0".join(map(json.dumps, RESULTS)), "one": json.dumps(RESULTS[0]), "empty": "\0", "array": "[]\0{}",
         "arrays": '{"rounds": 1, "a": [[[1]], [{"id": ""}, {"id": ""}]]}\0{"rounds": 1, "a": [{"id": "x"}]}'}


def coverage(**head):
    groups = {"operation": {"real, paging off, read, fault": 6, "real, paging off, WRITE_CR 0, done": 1}}
    return json.dumps({"format": "mmu86 functional coverage 1", "transactions": 46,
                       "tlb": {"sets": 8, "ways": 4, "large": 8}, "groups": groups, **head}).encode()


COVERAGE = {"good": coverage(), "old": coverage(format="mmu86 functional coverage 0"),
            "least": coverage(tlb={"sets": 1, "ways": 1, "large": 1}), "odd": coverage(tlb={"sets": 3, "ways": 1, "large": 2}),
            "group": coverage(groups={"bogus": {}}), "bin": coverage(groups={"operation": {"bogus": 1}}),
            "count": coverage(groups={"operation": {"real, paging off, read, fault": 0}})}

# A result with all that a page shows; a baseline; coverage in its forms.
PICTURES = {"command": "mmu86 run 'a&b'", "verdict": "pass", "stop": "<done>", "dut": "rtl", "image": "k.elf", "check": "exact",
            "instructions": 9, "transactions": 20, "references": 18, "tlb_hits": 9, "tlb_misses": 3, "walks": 3, "faults": 2,
            "mismatches": 1, "dut_cycles": 41, "differences": ["fault"], "trace": None, "wave": "w.fst", "failure_wave": None,
            "faults_by_vector": {"#PF": 2, "#GP": 1}, "tlb": {"sets": 8, "ways": 4, "large": 8},
            "origins": {"slab": {"references": 9, "tlb_hits": 5, "tlb_misses": 2, "walks": 2, "faults": 1}, "user": {}},
            "timeline": {"transactions_per_point": 8, "tlb_hits": [4, 0, 5], "tlb_misses": [3, 0, 0], "walks": [3, 0, 0],
                         "faults": [0, 1, 1], "dut_cycles": [20, 10, 11], "entries_4k": [1, 2, 3], "entries_4m": [0, 0, 1]},
            "cycle_histogram": {"hit": {"transactions": 9, "cycles": 10, "counts": {"1": 8, "2": 1}},
                                "walk_2": {"transactions": 2, "cycles": 150, "counts": {"72-79": 2}}},
            "page_tables": {"paging": True, "directory": "00001000", "tables": 2, "pages_4k": 1025, "pages_4m": 1, "runs": [
                {"laddr": "00400000", "paddr": "00005000", "table": "00002000", "pages": 1, "pieces": 1, "page_size": "4K",
                 "user": True, "writable": False, "global": False},
                {"laddr": "00800000", "paddr": "00000000", "table": "00003000", "pages": 1024, "pieces": 3, "page_size": "4K"},
                {"laddr": "c0000000", "paddr": "00400000", "pages": 2, "pieces": 1, "page_size": "4M", "global": True}],
                            "runs_left_out": 5},
            "coverage": {"groups": [{"name": "walk", "bins": 9, "hit": 4, "unreachable_bins": 1}]}}
MERGED = {"functional": {"bins": 9, "hit": 4, "unreachable": 1}, "rtl_line": {"hit": 3, "total": 4}}
REPORTS = {"all": [PICTURES, {**PICTURES, "walks": 9, "verdict": "limit"}, MERGED], "alone": [PICTURES], "least": [RESULTS[1]],
           "compared": [RESULTS[0] | {"origins": {}}, RESULTS[1]], "text": [PICTURES | {"verdict": "<b>\u202e\u20ac"}],
           "sampled": [RESULTS[1], RESULTS[0], json.loads(coverage())],
           "untold": [PICTURES | {"tlb_hits": None, "tlb_misses": None, "walks": None, "dut_translations": 18,
                                  "tlb": {"sets": 1, "ways": 4, "large": 1, "own_caching": True},
                                  "timeline": PICTURES["timeline"] | {"tlb_hits": None, "tlb_misses": None},
                                  "origins": {"slab": {"references": 9, "tlb_misses": None, "walks": None, "faults": 1}},
                                  "skipped": [{"name": "TLB events", "reason": "<own>"}, {"name": "INVLPG"}],
                                  "mismatch": {"transaction": 19, "report": "fault differs", "request": "read",
                                               "model": "#PF", "dut": "0 -> 1", "verdict": "WRONG"}}]}


GDB = {
    "look": ["qSupported", "?", "g", "p8", "m100000,40", "qXfer:features:read:target.xml:0,fff", "H", "qC", "T1"],
    "write": ["M102000,2:0102", "X102000,2:ab", "P8=35001000", "G00", "m102000,8"],
    "go": ["Z0,100046,1", "c", "z0,100046,1", "Z2,102000,4", "Z3,102004,4", "Z4,0,ffffffff", "c", "s", "vCont;c"],
    "step": ["vCont?", "vCont;r100035,100047:1", "S05;100035", "C05", "QStartNoAckMode", "D"],
    "paging": ["M110000,4:83000000", "P22=00001100", "P23=10000000", "P20=11000080", "qRcmd,7061676573",
               "qRcmd,67647420", "qRcmd,6d6d752063303030", "qRcmd,747062", "c", "k"],
    "frames": ["\\$g#67+-", "\\\x03", "\\$c#00", "\\$m0,4#zz", "\\$}"],
}


def record(mmu86, path, *arguments):
    """Records a trace; the command line in its header has no paths."""
    done = subprocess.run(["mmu86", *arguments, "--quiet", "--trace", path.name], executable=mmu86,
                          cwd=path.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if not path.exists():
        sys.exit(f"seeds.py: {path.name}: mmu86 {arguments[0]} made no trace, status {done.returncode}")


SLICES = {"few": 300, "some": 3000, "many": 20000}


def traces(mmu86, directory, images):
    for image in images:
        for name, instructions in SLICES.items():
            (directory / "image").write_bytes(image.read_bytes())
            record(mmu86, directory / f"{image.stem}-{name}", "run", "image", "--max-insns", str(instructions),
                   "--dut", "none")
    for name, image in IMAGES.items():
        if name in ("empty", "most", "many"):
            continue
        (directory / "image").write_bytes(image)
        record(mmu86, directory / name, "run", "image", "--ram", "16", "--max-insns", "40", "--dut", "none")
    (directory / "image").write_bytes(HALT * (0x10000 - 256) + bios())
    record(mmu86, directory / "bios", "run", "--bios", "image", "--ram", "1", "--max-insns", "60", "--on-reset",
           "restart", "--dut", "none")
    record(mmu86, directory / "overlapped", "fuzz", "--overlap", "--count", "100")
    (directory / "image").unlink()


def main():
    mmu86, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    written = {
        "image": IMAGES,
        "run": RUNS,
        "header": {name: json.dumps(header).encode() for name, header in HEADERS.items()},
        "options": {name: bytes([line[0]]) + b"".join(word.encode() + b"\0" for word in line[1:])
                    for name, line in OPTIONS.items()},
        "knobs": KNOBS | {path.stem: path.read_bytes() for path in sorted(PROFILES.glob("*.json"))},
        "diff": {name: text.encode() for name, text in DIFFS.items()},
        "coverage": COVERAGE,
        "report": {name: "\0".join(map(json.dumps, files)).encode() for name, files in REPORTS.items()},
        "gdb": {name: "\n".join(lines).encode() for name, lines in GDB.items()},
    }
    for target, files in written.items():
        (out / target).mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (out / target / name).write_bytes(data)
    (out / "trace").mkdir(parents=True, exist_ok=True)
    traces(mmu86, out / "trace", [pathlib.Path(path) for path in sys.argv[3:]])


if __name__ == "__main__":
    main()
