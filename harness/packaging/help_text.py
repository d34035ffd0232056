"""What `mmu86 --help` and `mmu86 COMMAND --help` say, taken apart: for manual.py and completion.py.

The form of a text: usage lines; paragraphs; options ("  --name ARGUMENT  meaning"); titled blocks ("Title:" and the
lines below it, or "Exit status: text"). "Title (--option):" lists the values of an option. What does not fit is an
error, so that a text which has changed its form fails the build.
"""
import re
import subprocess
import sys
from dataclasses import dataclass, field

OPTION = re.compile(r"  (--[a-z0-9-]+)(?: (\S+))?(?:\s+(\S.*))?$")
TITLE = re.compile(r"([A-Z][A-Za-z ]*)(?: \((--[a-z0-9-]+)\))?(?:, [^:]*)?:(?:$|(?<=^Exit status:) (.*))")


@dataclass
class Option:
    name: str
    argument: str  # "" if it takes none
    text: str


@dataclass
class Section:
    title: str
    option: str  # the one that it lists the values of, or ""
    lead: str    # all of the title's line
    lines: list


@dataclass
class Help:
    """One text. command: "" for the program's own."""
    command: str
    about: str
    usage: list = field(default_factory=list)
    description: list = field(default_factory=list)  # paragraphs
    options: list = field(default_factory=list)
    sections: list = field(default_factory=list)
    commands: list = field(default_factory=list)  # of the program: (name, about)

    def section(self, title):
        return next((s for s in self.sections if s.title == title), None)

    def values(self, option):
        """The values that a section lists for an option."""
        return [line.split()[0] for s in self.sections if s.option == option for line in s.lines]


class BadHelp(Exception):
    pass


def blocks(text):
    block = []
    for line in text.splitlines() + [""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def parse_options(block):
    options = []
    for line in block:
        match = OPTION.match(line)
        if match:
            options.append(Option(match[1], match[2] or "", match[3] or ""))
        elif options and line.startswith(" " * 20):
            options[-1].text = (options[-1].text + " " + line.strip()).strip()
        else:
            raise BadHelp(f"no option: {line!r}")
    for option in options:
        if not option.text:
            raise BadHelp(f"{option.name} has no text")
    return options


def parse(command, about, text):
    parsed = Help(command, about)
    start = ("mmu86 " + command).strip()
    for block in blocks(text):
        title = TITLE.match(block[0])
        if block[0].startswith("Usage: "):
            parsed.usage.append(block[0][len("Usage: "):])
        elif command and not parsed.usage:
            if not all(line.startswith(start) for line in block):
                raise BadHelp(f"usage: {block}")
            parsed.usage = block
        elif block[0].startswith("  --"):
            parsed.options += parse_options(block)
        elif title:
            lines = ([title[3]] if title[3] else []) + block[1:]
            parsed.sections.append(Section(title[1], title[2] or "", block[0], lines))
        elif not command and block[0].startswith("  mmu86 "):
            for line in block:
                words, text = re.match(r"  (.*?)  +(.*)$", line).groups()
                name = words.split()[-1]
                parsed.options.append(Option(name, "", text))
        elif not command and block[0].startswith("  "):
            parsed.commands = [tuple(line.split(None, 1)) for line in block]
        else:
            parsed.description.append(" ".join(line.strip() for line in block))
    if not parsed.usage or not parsed.description or not parsed.options:
        raise BadHelp("usage, description or options are missing")
    if not parsed.section("Examples"):
        raise BadHelp("there are no examples")
    if command and not parsed.section("Exit status"):
        raise BadHelp("the exit status is missing")
    return parsed


def ask(program, *words):
    return subprocess.run([program, *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def read(program):
    """The program's text and those of its commands, in its order."""
    try:
        command = ""
        main = parse("", "", ask(program, "--help"))
        texts = [main]
        for command, about in main.commands:
            texts.append(parse(command, about, ask(program, command, "--help")))
        return texts
    except BadHelp as why:
        sys.exit(f"mmu86 {command} --help: {why}")
