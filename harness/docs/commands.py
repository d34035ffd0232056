#!/usr/bin/env python3
"""Runs every command of a document: what is indented by four, line by line, in a directory where build is BUILD and all else
is the repository's. "# exit N" behind a command is its exit status. What is no command stands in a fence that names what it
is; the lines "(gdb) ..." of a fence go to the gdb before it. Links, files and options that the text names have to be there.
What cannot run as it stands: substitutes.py.

Usage: commands.py BUILD DOCUMENT    commands.py --table DOCUMENT ...: each row of substitutes.py is needed
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

import substitutes

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCES = {"text", "gdb", "mermaid", "cmake", "c", "systemverilog", "diff"}
SECONDS = 150
FOREIGN_OPTIONS = {"--cflags", "--libs", "--static"}  # in a text, of other programs than ours


class Wrong(Exception):
    pass


def parse(text):
    """(commands, prose): each command with its line, exit status and the (gdb) lines behind it."""
    commands, prose, fence, pending, blank = [], [], None, "", True
    for number, line in enumerate(text.split("\n"), 1):
        mark = re.match(r" *```(.*)", line)
        if mark:
            if fence is None and mark[1] not in FENCES:
                raise Wrong(f"line {number}: a fence of {mark[1] or 'nothing'}: commands are indented by four, fences are of "
                            + ", ".join(sorted(FENCES)))
            fence = mark[1] if fence is None else None
        elif fence is not None:
            if fence == "gdb" and line.lstrip().startswith("(gdb) "):
                if not commands:
                    raise Wrong(f"line {number}: no gdb was started")
                commands[-1]["gdb"].append(re.split(r"  +", line.strip()[6:])[0])
        elif line.startswith("    ") and (blank or pending or commands and commands[-1]["last"] == number - 1):
            pending += line.strip()
            if pending.endswith("\\"):
                pending = pending[:-1]
                continue
            status = re.search(r"\s# exit (\d+)", pending)
            command = re.split(r"\s+# ", pending)[0]
            commands.append({"line": number, "last": number, "text": command, "gdb": [], "exit": int(status[1]) if status else 0})
            pending = ""
        else:
            prose.append((number, line))
        blank = not line.strip()
    return commands, prose


def row_of(command):
    for row in substitutes.ROWS:
        match = re.fullmatch(row[0], command)
        if match:
            return row, match
    return None, None


class Scratch:
    """Where commands run."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.holder = tempfile.TemporaryDirectory(prefix="mmu86-docs-")
        self.here = pathlib.Path(self.holder.name)
        self.server = None
        for name in os.listdir(ROOT):
            if name not in ("build", ".git"):
                (self.here / name).symlink_to(ROOT / name)
        (self.here / "build").symlink_to(self.build)
        (self.here / "my_mmu.so").symlink_to(self.build / "harness/test/foreign/libforeign_sound.so")
        (self.here / "mine.c").write_text(substitutes.MINE)
        self.environment = dict(os.environ, LC_ALL="C")

    def shell(self, command, seconds=SECONDS):
        """(exit status, output) of COMMAND."""
        with subprocess.Popen(["bash", "-c", command], cwd=self.here, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as job:
            try:
                out = job.communicate(timeout=seconds)[0]
            except subprocess.TimeoutExpired:
                os.killpg(job.pid, 9)
                raise Wrong(f"takes more than {seconds} seconds") from None
        return job.returncode, out.decode(errors="replace")

    def must(self, command, want=0):
        got, out = self.shell(command)
        if got != want:
            raise Wrong(f"exit status {got}, expected {want}: {command}\n" + "\n".join(out.split("\n")[-15:]))
        return out

    def installed(self):
        """What is installed is in usr, for pkg-config too."""
        if not (self.here / "usr").exists():
            self.must(f"cmake --install build --prefix {self.here}/usr")
            configs = next((self.here / "usr").rglob("pkgconfig"))
            self.environment |= {"PKG_CONFIG_PATH": str(configs), "LD_LIBRARY_PATH": str(configs.parent),
                                 "PATH": f"{self.here}/usr/bin:{os.environ['PATH']}"}

    def make(self, command):
        out = self.must(re.sub(r"^make", "make -n", command))
        makefile = (ROOT / "Makefile").read_text()
        for variable in re.findall(r"\b([A-Z]+)=", command):
            if variable not in re.findall(r"\$\((\w+)\)", makefile):
                raise Wrong(f"{command}: the Makefile knows no {variable}")
        for option in re.findall(r"--[a-z][a-z-]+", command):
            if option not in options_of(self):
                raise Wrong(f"{command}: nothing has the option {option}")
        targets = set(re.findall(r"\.\.\. (\S+)", self.must("cmake --build build --target help")))
        for target in re.findall(r"--target ([\w -]+?)(?: -|$|\n)", out):
            for one in target.split():
                if one not in targets:
                    raise Wrong(f"{command}: CMake has no target {one}")

    def gtkwave(self, command):
        """The signals that the set-up shows are in the waveform."""
        wave, *setup = shlex.split(command, comments=True)[1:]
        tool = "cat" if wave.endswith(".vcd") else "fst2vcd"
        header = self.must(f"set -o pipefail; {tool} {shlex.quote(wave)} | sed '/enddefinitions/q' || test $? = 141")
        scopes, signals = [], set()
        for line in header.split("\n"):
            words = line.split()
            if words[:1] == ["$scope"]:
                scopes.append(words[2])
            elif words[:1] == ["$upscope"]:
                scopes.pop()
            elif words[:1] == ["$var"]:
                signals.add(".".join(scopes + [words[4]]))
        if not signals:
            raise Wrong(f"{wave} has no signals")
        for line in pathlib.Path(self.here, setup[0]).read_text().split("\n") if setup else []:
            if re.match(r"[A-Za-z]", line) and re.sub(r"\[[\d:]+\]$", "", line) not in signals:
                raise Wrong(f"{setup[0]} shows {line}, which is not in {wave}")

    def serve(self, command):
        """mmu86 gdb in the background, at a free port."""
        command = re.sub(r" --port \d+", "", command.rstrip("& ")) + " --port 0"
        with open(self.here / "server.log", "w", encoding="utf-8") as log:
            self.server = subprocess.Popen(["bash", "-c", "exec " + command], cwd=self.here, env=self.environment,
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(600):
            said = (self.here / "server.log").read_text(errors="replace")
            port = re.search(r"waiting for GDB at 127\.0\.0\.1:(\d+)", said)
            if port:
                self.port = port[1]
                return
            if self.server.poll() is not None:
                raise Wrong(f"{command}: {said[-500:]}")
            time.sleep(0.1)
        raise Wrong(f"{command} does not wait for GDB")

    def gdb(self, command, lines):
        if not self.server:
            raise Wrong("nobody waits for GDB")
        words, script = shlex.split(command, comments=True), ["set pagination off", "set confirm off", "set width 0", "set breakpoint pending off"]
        while "-ex" in words:
            at = words.index("-ex")
            script.append(re.sub(r"(target remote ).*", rf"\g<1>127.0.0.1:{self.port}", words[at + 1]))
            del words[at : at + 2]
        script += lines + ["echo all was done\\n", "kill"]
        (self.here / "script.gdb").write_text("\n".join(script) + "\n")
        out = self.must(" ".join(map(shlex.quote, words)) + " -nx -batch -x script.gdb")
        trouble = re.search(r".*(?:Undefined|No symbol|not defined|unknown|no such command|Error in).*", out)
        if "all was done" not in out or trouble:
            raise Wrong(f"gdb: {trouble[0] if trouble else out[-500:]}")
        self.server.wait(60)
        self.server = None

    def run(self, command):
        text = command["text"]
        row, match = row_of(text)
        if "pkg-config" in text:
            self.installed()
        if row and row[2]:
            self.must(match.expand(row[2]), command["exit"] if row[3] is None else row[3])
        elif not row:
            self.must(text, command["exit"])
        elif text.startswith("make"):
            self.make(text)
        elif text.startswith("gtkwave"):
            self.gtkwave(text)
        elif text.endswith("&"):
            self.serve(text)
        else:
            self.gdb(text, command["gdb"])

    def close(self):
        if self.server:
            self.server.kill()
            self.server.wait()
        self.holder.cleanup()


def options_of(scratch):
    """All options of ours: of the program's commands and of the scripts."""
    texts = [scratch.shell("build/mmu86 --help")[1]]
    texts += [scratch.shell(f"build/mmu86 {name} --help")[1] for name in re.findall(r"^  (\w+)  ", texts[0], re.M)]
    texts += [path.read_text() for path in (ROOT / "harness/scripts").glob("*.py")] + [(ROOT / "Makefile").read_text()]
    return set(re.findall(r"--[a-z][a-z-]+", "\n".join(texts))) | FOREIGN_OPTIONS


def names_in(document, prose, scratch):
    """Complaints about links, files and options in the text that are not there."""
    options = None
    for number, line in prose:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", line):
            if not target.startswith("http") and not (document.parent / target).exists():
                yield f"line {number}: a link to {target}"
        for code in re.findall(r"`([^`]+)`", line):
            if (re.fullmatch(r"(?:harness|model|rtl|sw|waveforms)/[\w./-]+\.\w+", code)
                    and not re.search(r"_[A-Z]+\b", code) and not (ROOT / code).exists()):
                yield f"line {number}: there is no {code}"
            for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", code):
                options = options or options_of(scratch)
                if option not in options:
                    yield f"line {number}: nothing has the option {option}"


def check(build, document):
    """The complaints about DOCUMENT."""
    document = pathlib.Path(document).resolve()
    complaints, scratch = [], Scratch(build)
    try:
        commands, prose = parse(document.read_text())
        for command in commands:
            begin = time.monotonic()
            try:
                scratch.run(command)
            except Wrong as wrong:
                complaints.append(f"line {command['line']}: {wrong}")
            print(f"{time.monotonic() - begin:6.1f} s  {command['text']}", flush=True)
        complaints += names_in(document, prose, scratch)
    except Wrong as wrong:
        complaints.append(str(wrong))
    finally:
        scratch.close()
    return complaints


def table(documents):
    """The complaints about rows that no document needs."""
    texts = [c["text"] for document in documents for c in parse(pathlib.Path(document).read_text())[0]]
    used = [row_of(text)[0] for text in texts]
    return [f"substitutes.py: nothing matches {row[0]}" for row in substitutes.ROWS if row not in used]


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    complaints = table(sys.argv[2:]) if sys.argv[1] == "--table" else check(sys.argv[1], sys.argv[2])
    for complaint in complaints:
        print(f"{'' if sys.argv[1] == '--table' else sys.argv[2] + ': '}{complaint}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
