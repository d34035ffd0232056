#!/usr/bin/env python3
"""The test of the API reference: Doxygen has no complaint, and the pages show what the public headers say of each function
and field. With a planted mistake it has a complaint, and without the filter the text is missing.

Usage: api_test.py DOXYGEN DOXYFILE SOURCES
"""
import html
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

DOXYGEN, DOXYFILE, SOURCES = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
del sys.argv[1:]
PUBLIC = [SOURCES / "model/mmu/mmu.h", SOURCES / "model/mmu/x86.h", SOURCES / "harness/dut.h"]
FIELDS = {"mmu_req_t", "mmu_rsp_t", "mmu_seg_t", "mmu_config_t", "dut_env_t", "dut_traits_t", "dut_ops_t"}
PLAIN = ["dut_ops_t: traits", "mmu_rsp_t: fault", "mmu_rsp_t: mem", "mmu_rsp_t: tlb"]  # the type says it


def run(directory, *settings):
    """Doxygen into DIRECTORY, with SETTINGS after the file's own. (exit status, what it says)."""
    text = DOXYFILE.read_text() + "\n".join([f"\nOUTPUT_DIRECTORY = {directory}", *settings]) + "\n"
    done = subprocess.run([DOXYGEN, "-"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def only(*files):
    return "INPUT = " + " ".join(map(str, files))


def words_of(page):
    """The text of an HTML page."""
    page = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def text_of(element):
    return " ".join("".join(element.itertext()).split())


class Reference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.where = pathlib.Path(cls.holder.name)
        cls.status, cls.said = run(cls.where, "GENERATE_XML = YES", "XML_PROGRAMLISTING = NO")

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def page(self, name):
        return words_of((self.where / "html" / name).read_text())

    def test_no_warning(self):
        self.assertEqual((self.status, self.said), (0, ""))

    def test_html(self):
        mmu, request = self.page("mmu_8h.html"), self.page("structmmu__req__t.html")
        self.assertIn("Performs one transaction. Parameters req checked with assert", mmu)
        self.assertIn("rsp overwritten. Effects registers, TLB, and memory through the port", mmu)
        self.assertIn("MMU_OP_CHECK_IO I/O permission bitmap: size ports from port offset", mmu)
        self.assertIn("offset ACCESS, SYSTEM: offset; INVLPG: linear address; LOAD_TABLE, SET_RAW: base", request)
        self.assertIn("performs paging_only: it makes the access, too", self.page("structdut__traits__t.html"))
        self.assertIn("One transaction, blocking. rsp: filled whole as mmu_rsp_t says", self.page("structdut__ops__t.html"))
        self.assertIn("The lockstep knows nothing of Verilator", self.page("dut_8h.html"))

    def test_every_function_and_field(self):
        seen, missing = set(), []
        for path in (self.where / "xml").glob("*.xml"):
            for compound in ElementTree.parse(path).getroot().iter("compounddef"):
                name = compound.findtext("compoundname")
                if name not in FIELDS | {"mmu.h", "dut.h"}:
                    continue
                seen.add(name)
                wanted = "function" if name.endswith(".h") else "variable"
                for member in compound.iter("memberdef"):
                    text = text_of(member.find("briefdescription")) + text_of(member.find("detaileddescription"))
                    if member.get("kind") == wanted and not text:
                        missing.append(f"{name}: {member.findtext('name')}")
        self.assertEqual(seen, FIELDS | {"mmu.h", "dut.h"})
        self.assertEqual(sorted(missing), PLAIN)

    def test_every_module_is_there(self):
        files = (self.where / "html/files.html").read_text()
        for name in ("lockstep.h", "oracle.h", "cpu.h", "machine.h", "mmu_priv.h", "dut_paging.h", "coverage.h"):
            self.assertIn(f">{name}</", files)

    def test_planted(self):
        with tempfile.TemporaryDirectory() as directory:
            header = pathlib.Path(directory, "planted.h")
            header.write_text("/** @file planted */\n/** @param nowhere it is none */\nvoid f(int a);\n")
            status, said = run(directory, only(header), "INPUT_FILTER =", "FILTER_PATTERNS =")
            self.assertNotEqual(status, 0)
            self.assertIn("nowhere", said)
            run(directory, only(*PUBLIC), "INPUT_FILTER =")
            page = words_of(pathlib.Path(directory, "html/mmu_8h.html").read_text())
            self.assertIn("mmu_transact", page)
            self.assertNotIn("Performs one transaction", page)


if __name__ == "__main__":
    unittest.main()
