"""Runs tests, several at a time, each in a process group of its own: a hang is killed, a crash ends one test alone.

What has passed is kept in a journal under a digest of the commands and of every file of ours that they name.
"""
import ctypes
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time

TICK = 0.02    # seconds between two looks at what runs
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
CRASHES = {128 + s: s for s in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)}
FIGURES = ("verdict", "mismatches", "check", "instructions", "transactions", "references", "dut_cycles", "tlb_hits",
           "tlb_misses", "tlb_evictions", "walks", "faults", "faults_by_vector", "verdicts", "origins")


def die_with_parent():
    """In the child: what is killed takes its children along, so that none writes into the files of the next run."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Digests:
    """SHA-256 of files, each read once."""

    def __init__(self):
        self.known = {}

    def of_file(self, path):
        if path not in self.known:
            with open(path, "rb") as file:
                self.known[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self.known[path]

    def of_test(self, test, out):
        """None if the test names no file of ours: then nothing tells whether it would go as before."""
        digest, files = hashlib.sha256(), set(test.inputs)
        for step in test.steps:
            digest.update(json.dumps([step.status, *map(str, step.argv)]).encode())
            files.update(pathlib.Path(str(word)) for word in step.argv if "/" in str(word))
        files.update(pathlib.Path(path) for pair in test.same for path in pair)
        ours = set()
        for path in files:
            path = (test.directory or pathlib.Path()) / path
            if out in path.parents or str(path).startswith(("/usr/", "/bin/", "/dev/")) or not path.is_file():
                continue
            ours.add(path)
            if path.suffix in (".sh", ".py"):    # a script, and what it may include
                ours.update(p for p in path.parent.iterdir() if p.suffix in (".sh", ".py"))
        for path in sorted(ours):
            digest.update(f"{path}\0{self.of_file(path)}".encode())
        return digest.hexdigest() if ours else None


class Journal:
    """One line for each test that has passed; a line that was cut off is as if it were not there."""

    def __init__(self, path):
        self.rows = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    entry = json.loads(line)
                    self.rows[entry["key"]] = entry["row"]
                except (ValueError, KeyError, TypeError):
                    continue
        partial = path.with_suffix(".partial")
        partial.write_text("".join(self.line(key, row) for key, row in self.rows.items()), encoding="utf-8")
        partial.replace(path)
        self.file = open(path, "a", encoding="utf-8")

    @staticmethod
    def line(key, row):
        return json.dumps({"key": key, "row": row}) + "\n"

    def add(self, key, row):
        self.file.write(self.line(key, row))
        self.file.flush()


def crash(status):
    """What a status says of a signal, or None. Shells pass one on as 128 + its number."""
    number = -status if status < 0 else CRASHES.get(status)
    return f"crash: {signal.Signals(number).name}" if number else None


def figures(path):
    """The figures of a result; None if there is none, or it cannot be read."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        return {key: result[key] for key in FIGURES if result.get(key) is not None}
    except (OSError, ValueError, AttributeError):
        return None


def same_bytes(a, b):
    """None, or why not."""
    contents = []
    for path in (a, b):
        try:
            contents.append(pathlib.Path(path).read_bytes().replace(b"\r", b""))
        except OSError as error:
            return f"{path}: {error.strerror}"
    return None if contents[0] == contents[1] else f"{a} and {b} differ"


class Running:
    """A test under way."""

    def __init__(self, test, out):
        self.test, self.left = test, list(test.steps)
        self.began = time.monotonic()
        self.row = {"name": test.name, "verdict": "pass", "why": None}
        if test.result:
            test.result.unlink(missing_ok=True)
        self.log = open(out / f"{test.name}.log", "wb")
        self.process = None
        self.next_step()

    def next_step(self):
        step = self.left.pop(0)
        argv = [str(word) for word in step.argv]
        self.wanted = step.status
        try:
            # pylint: disable-next=consider-using-with,subprocess-popen-preexec-fn
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.test.directory,
                                            start_new_session=True, preexec_fn=die_with_parent)
        except OSError as error:
            self.process = None
            self.fail("fail", f"{argv[0]}: {error.strerror}")

    def fail(self, verdict, why):
        self.row["verdict"], self.row["why"] = verdict, why

    def kill(self):
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()

    def done(self):
        """Looks whether it has ended, and takes the next step. True: it has, and row is complete."""
        while self.row["verdict"] == "pass":
            status = self.process.poll()
            if status is None:
                if time.monotonic() - self.began < self.test.timeout:
                    return False
                self.fail("fail", f"timeout: not done after {self.test.timeout:g} s")
            elif status == self.test.skip_status:
                self.fail("skipped", self.last_line() or "no reason given")
            elif status != self.wanted:
                self.fail("fail", crash(status) or f"exit status {status}")
            elif self.left:
                self.next_step()
                continue
            break
        self.kill()    # what it has left behind, too
        self.log.close()
        self.finish()
        return True

    def finish(self):
        for a, b in self.test.same:
            if self.row["verdict"] == "pass" and (why := same_bytes(a, b)):
                self.fail("fail", why)
        if self.test.result:
            found = figures(self.test.result)
            if found is not None:
                self.row["figures"] = found
            elif self.row["verdict"] == "pass":
                self.fail("fail", f"{self.test.result}: no result")
        self.row["seconds"] = round(time.monotonic() - self.began, 1)

    def last_line(self):
        lines = pathlib.Path(self.log.name).read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def run(tests, out, jobs, journal, fresh, progress):
    """Runs all; fresh: what has passed before, too. Returns rows in the order of tests, and whether it was interrupted: then
    rows are what there is. progress(done, failed, names of what runs) is called now and then."""
    digests, rows, running, waiting, failed = Digests(), {}, [], list(tests), 0
    keys = {test.name: digests.of_test(test, out) for test in tests}
    interrupted = False
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                test = waiting.pop(0)
                kept = journal.rows.get(keys[test.name]) if keys[test.name] and not fresh else None
                if kept and kept["name"] == test.name:
                    rows[test.name] = kept | {"kept": True}
                else:
                    running.append(Running(test, out))
            for one in [one for one in running if one.done()]:
                running.remove(one)
                rows[one.test.name] = one.row
                failed += one.row["verdict"] == "fail"
                if one.row["verdict"] == "pass" and keys[one.test.name]:
                    journal.add(keys[one.test.name], one.row)
            progress(len(rows), failed, [one.test.name for one in running])
            if running:
                time.sleep(TICK)
    except KeyboardInterrupt:
        interrupted = True
        for one in running:
            one.kill()
    return [rows[test.name] for test in tests if test.name in rows], interrupted
