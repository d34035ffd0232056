"""What make regress runs: one table of suites. A new suite is a function and a line in SUITES.

A test is a list of steps (commands, each with the exit status that means success), run one after the other until one
fails; afterwards each pair of `same` must hold the same bytes (but for carriage returns). `result` is the JSON that one of
the steps writes: its figures go into the report, and into the baseline if the test is of the short form.
"""
import dataclasses
import json
import pathlib
import shutil
import subprocess

QEMU = "qemu-system-i386"
SOURCE = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Step:
    argv: list
    status: int = 0


@dataclasses.dataclass
class Test:
    name: str                # SUITE.WHAT, also the name of its log
    steps: list
    timeout: float           # seconds, for all steps together
    same: list = dataclasses.field(default_factory=list)    # pairs of files
    result: pathlib.Path | None = None
    skip_status: int | None = None    # the exit status that means: cannot be run here
    directory: pathlib.Path | None = None    # where it runs
    inputs: list = dataclasses.field(default_factory=list)  # files that it needs and its commands do not name
    baseline: bool = False   # its figures are deterministic and short: they stand in the baseline


@dataclasses.dataclass
class Context:
    build: pathlib.Path
    out: pathlib.Path

    @property
    def mmu86(self):
        return self.build / "mmu86"

    @property
    def kernel(self):
        return self.build / "sw" / "kernel.elf"


# The short forms: what each prints is in sw/workload/NAME.expected. As in sw/test/CMakeLists.txt.
SHORT = ("boot buddy gfp slab kmalloc vmalloc highmem percpu stacks kernels straddle churn rights bits large global "
         "permission segment segmatrix limits user fork paging abuse malloc mmz").split()

# The long ones: name, factor (scale=N) and words. QEMU does not enforce segment limits: that one runs here alone.
LONG = [
    ("malloc", 2, ""), ("fork", 4, ""), ("paging", 3, ""), ("user", 4, ""), ("segmatrix", 1, ""), ("permission", 1, ""),
    ("segmatrix", 1, "limits"), ("permission", 1, "limits"), ("buddy", 5, ""), ("slab", 5, ""), ("kernels", 4, ""),
    ("vmalloc", 5, ""), ("kmalloc", 5, ""), ("churn", 5, ""), ("mmz", 6, ""), ("highmem", 5, ""), ("percpu", 6, ""),
    ("gfp", 1, ""), ("stacks", 5, ""), ("straddle", 3, ""), ("rights", 4, ""), ("bits", 4, ""), ("large", 4, ""),
    ("global", 4, ""), ("segment", 4, ""), ("limits", 1, "limits"), ("boot", 1, ""), ("", 1, "stack=4k cpus=4 seed=2"),
    ("", 1, "mem=24 dma=4 highmem=8"),
]
LONG_INSTRUCTIONS = 500_000_000    # the long forms together execute at least as many

# TLB geometries: the program of each (harness/test/CMakeLists.txt).
GEOMETRIES = {"default": "mmu86"} | {name: f"harness/test/mmu86_{name}" for name in ("small", "direct", "associative", "no")}
CHECKS = {
    "exact": ["--check", "exact"],
    "exact_slow": ["--check", "exact", "--mem-latency", "9"],
    "architectural": ["--check", "architectural", "--mem-latency", "2"],
    "overlap": ["--overlap"],
    "overlap_slow": ["--overlap", "--mem-latency", "7"],
}


def booted(context, name, line):
    """The step that boots the kernel in lockstep, and its serial output and result. The image's path is part of the guest's
    command line, so it is the same in any build directory: the step runs there."""
    serial, result = context.out / f"{name}.serial", context.out / f"{name}.json"
    argv = [context.mmu86, "run", context.kernel.relative_to(context.build), "--append", line, "--serial", serial, "--json", result]
    return Step(argv), serial, result


def workload(context):
    """The kernel's workloads in their short forms, in lockstep."""
    for what in SHORT:
        name = f"workload.{what}"
        step, serial, result = booted(context, name, f"workload={what} quick" + (" limits" if what == "limits" else ""))
        yield Test(name, [step], 300, same=[(serial, SOURCE / "sw" / "workload" / f"{what}.expected")], result=result,
                   directory=context.build, baseline=True)


def workload_long(context):
    """Their long forms, and the same on QEMU, which has to print the same bytes."""
    for what, scale, words in LONG:
        name = "long." + "-".join(filter(None, [what or "tour", words.split()[0] if words else ""])).replace("=", "")
        line = " ".join(filter(None, [f"workload={what}" if what else "", f"scale={scale}", words]))
        step, serial, result = booted(context, name, line)
        test = Test(name, [step], 2400, result=result, directory=context.build)
        if "limits" not in words and shutil.which(QEMU):
            qemu = context.out / f"{name}.qemu"
            test.steps.append(Step([QEMU, "-kernel", context.kernel, "-append", line, "-m", "128", "-display", "none",
                                    "-serial", f"file:{qemu}", "-monitor", "none", "-device",
                                    "isa-debug-exit,iobase=0xf4,iosize=4", "-no-reboot"], status=1))
            test.same.append((serial, qemu))
        yield test


def campaign(context, name, program, check, seed, count, **fields):
    result = context.out / f"{name}.json"
    argv = [context.build / program, "fuzz", *CHECKS[check], "--seed", seed, "--count", count, "--json", result]
    return Test(name, [Step(argv)], 900, result=result, **fields)


def fuzz(context):
    """Random stimulus: every geometry at every check level, short."""
    for geometry, program in GEOMETRIES.items():
        for check in CHECKS:
            yield campaign(context, f"fuzz.{geometry}.{check}", program, check, 4, 50_000, baseline=True)


def fuzz_long(context):
    """The same with several seeds, and long."""
    for geometry, program in GEOMETRIES.items():
        for check in CHECKS:
            for seed in range(11, 15):
                yield campaign(context, f"fuzzlong.{geometry}.{check}.{seed}", program, check, seed, 500_000)


def sweep(context):
    """The race sweep at every geometry and several latencies."""
    for geometry, program in GEOMETRIES.items():
        for latency in (0, 1, 2, 3, 5, 9):
            name = f"sweep.{geometry}.{latency}"
            result = context.out / f"{name}.json"
            argv = [context.build / program, "sweep", "--mem-latency", latency, "--seed", latency + 1, "--json", result]
            yield Test(name, [Step(argv)], 600, result=result)


def targets(context):
    """make coverage and make mutants, against their goals; one after the other, since they build. The parsers' fuzzing, in
    a build of its own."""
    build = ["cmake", "--build", context.build, "-j", "2", "--target"]
    yield Test("targets.coverage_mutants", [Step([*build, "coverage"]), Step([*build, "mutants"])], 10800)
    yield Test("targets.fuzz_parsers", [Step(["make", "-C", SOURCE, "fuzz-parsers", f"BUILD={context.build}", "SECONDS=12"])], 3600)


def from_ctest(context, prefix, *selection):
    """Tests of CTest as ours. Those that build something have no program of ours, and are not kept between runs."""
    command = ["ctest", "--test-dir", str(context.build), "--show-only=json-v1", *selection]
    listing = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    for test in json.loads(listing)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        argv = test.get("command") or [context.build / f"not-built/{test['name']}"]
        yield Test(f"{prefix}.{test['name'].removeprefix(prefix + '.')}", [Step(argv)], properties.get("TIMEOUT", 1500),
                   skip_status=properties.get("SKIP_RETURN_CODE"),
                   directory=pathlib.Path(properties.get("WORKING_DIRECTORY", context.build)),
                   inputs=list(pathlib.Path(argv[0]).parent.glob("*_native")))    # the silicon oracles' other half


def ports(context):
    """The port-level bench, its waveform, and lint of the RTL at all geometries."""
    yield from from_ctest(context, "rtl", "-R", r"^rtl\.(ports|trace|lint)")


def unit(context):
    """The unit suites."""
    yield from from_ctest(context, "unit", "-L", "^unit$")


# Name, function, whether the short form has it.
SUITES = [
    ("workload", workload, True),
    ("fuzz", fuzz, True),
    ("rtl", ports, False),
    ("unit", unit, False),
    ("sweep", sweep, False),
    ("fuzzlong", fuzz_long, False),
    ("long", workload_long, False),
    ("targets", targets, False),
]

# Sums over a suite that has run as a whole: suite, figure, the least.
LEAST = [("long", "instructions", LONG_INSTRUCTIONS)]
