#!/usr/bin/env python3
"""The test of commands.py: documents with a mistake each, which it has to find, and one without. Usage: commands_test.py BUILD."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD = sys.argv.pop(1)
COMMANDS = pathlib.Path(__file__).with_name("commands.py")
SERVER = "    build/mmu86 gdb build/sw/kernel.elf --port 1234 &\n    gdb build/sw/kernel.elf -ex 'target remote :1234'\n\n"


class Documents(unittest.TestCase):
    def said_of(self, text, name="document.md"):
        """(exit status, what is said) of a document."""
        with tempfile.TemporaryDirectory() as directory:
            document = pathlib.Path(directory, name)
            document.write_text(text)
            done = subprocess.run([sys.executable, "-B", COMMANDS, BUILD, document], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stderr

    def wrong(self, text, complaint):
        status, said = self.said_of(text)
        self.assertEqual(status, 1, text)
        self.assertIn(complaint, said)

    def test_right(self):
        self.assertEqual(self.said_of("""Text, `harness/dut.h`, `--wave FILE`:

    build/mmu86 fuzz --seed 2 --count 300 \\
      --wave here.fst   # exit 0
    gtkwave here.fst waveforms/lockstep.gtkw
    build/mmu86 fuzz --no-such-option --suite flags   # exit 2

```text
    build/mmu86 is not run here
```

    make build
"""), (0, ""))

    def test_option(self):
        self.wrong("    build/mmu86 fuzz --sed 2\n", "line 1: exit status 2, expected 0")
        self.wrong("    build/mmu86 run build/sw/kernel.elf --apend quick\n", "--apend: no such option")
        self.wrong("text\n\n    build/mmu86 run build/sw/kernel.elf --append quick --wavekind rtl\n", "line 3: exit status 2")

    def test_file(self):
        self.wrong("    build/mmu86 replay nowhere.trace\n", "nowhere.trace")
        self.wrong("    biuld/mmu86 --help\n", "exit status 127")

    def test_status(self):
        self.wrong("    true   # exit 1\n", "exit status 0, expected 1")

    def test_make(self):
        self.wrong("    make tset\n", "No rule to make target")
        self.wrong("    make regress REGRESSFLAG=--short\n", "the Makefile knows no REGRESSFLAG")
        self.wrong("    make regress REGRESSFLAGS=--shirt\n", "nothing has the option --shirt")

    def test_setup_of_another_waveform(self):
        self.wrong("    build/mmu86 fuzz --count 50 --wave a.fst\n    gtkwave a.fst waveforms/overlap.gtkw\n", "is not in a.fst")
        self.wrong("    gtkwave nowhere.fst\n", "nowhere.fst")

    def test_gdb(self):
        self.assertEqual(self.said_of(SERVER + "```gdb\n(gdb) monitor pages 0xc0100000   the walk\n```\n"), (0, ""))
        self.wrong(SERVER + "```gdb\n(gdb) monitor page 0\n```\n", "no such command")
        self.wrong(SERVER + "```gdb\n(gdb) break no_such_function\n```\n", "not defined")
        self.wrong("```gdb\n(gdb) info registers\n```\n", "no gdb was started")

    def test_fence(self):
        self.wrong("```sh\nmake run\n```\n", "commands are indented by four")
        self.wrong("```\nmake run\n```\n", "commands are indented by four")

    def test_text(self):
        self.wrong("See [that](nowhere.md).\n", "a link to nowhere.md")
        self.wrong("See `harness/nowhere.c`.\n", "there is no harness/nowhere.c")
        self.wrong("With `run --wavekind rtl`.\n", "nothing has the option --wavekind")

    def test_row_without_document(self):
        with tempfile.NamedTemporaryFile("w", suffix=".md") as document:
            document.write("    make run\n")
            document.flush()
            done = subprocess.run([sys.executable, "-B", COMMANDS, "--table", document.name], stderr=subprocess.PIPE, text=True,
                                  check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing matches gtkwave", done.stderr)
        self.assertNotIn("matches make", done.stderr)


if __name__ == "__main__":
    unittest.main()
