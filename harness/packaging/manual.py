#!/usr/bin/env python3
"""Writes the manual pages, compressed: mmu86.1.gz and one for each command, from the program's own help texts; PAGE, which
is written by hand, as well.

Usage: manual.py MMU86 DIRECTORY PAGE ... The pages follow from the texts alone: no date, no path of the build.
"""
import gzip
import pathlib
import re
import sys

import help_text

PLACEHOLDER = re.compile(r"[A-Z][A-Za-z.:]*")
SPLIT = re.compile(r" {2,}")


def plain(text):
    """Text as roff takes it."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti")
    return "\\&" + text if text.startswith(".") else text


def fonts(text, base="R"):
    """Options and names of commands in bold."""
    out = []
    for part in re.split(r"(--[a-z][a-z0-9-]*|\bmmu86 [a-z]+\b)", text):
        marked = part.startswith("--") or part.startswith("mmu86 ")
        out.append(f"\\fB{plain(part)}\\f{base}" if marked and part else plain(part))
    line = "".join(out)
    return "\\&" + line if line.startswith((".", "\\(aq")) else line


def usage(line, words):
    """A usage line: what is typed as it stands in bold, what is replaced in italics."""
    out = [f"\\fB{plain(' '.join(line.split()[:words]))}\\fR"]
    for word in line.split()[words:]:
        out.append(re.sub(r"[A-Za-z.-]+|\.\.\.", lambda m: shape(m[0]), word))
    return " ".join(out)


def shape(word):
    if PLACEHOLDER.fullmatch(word):
        return f"\\fI{plain(word)}\\fR"
    return plain(word) if word == "..." else f"\\fB{plain(word)}\\fR"


def tagged(tag, text):
    return [".TP", tag, text]


def option(o):
    tag = f"\\fB{plain(o.name)}\\fR"
    if "|" in o.argument:
        tag += " " + "|".join(f"\\fB{plain(value)}\\fR" for value in o.argument.split("|"))
    elif o.argument:
        tag += f" \\fI{plain(o.argument)}\\fR"
    return tagged(tag, fonts("print a summary of this page" if o.text == "this text" else o.text))


def exit_status(section):
    text = " ".join(line.strip() for line in section.lines).rstrip(".")
    if not text[0].isdigit():
        return [fonts(text[0].upper() + text[1:] + ".")]
    out = []
    for part in re.split(r"; (?=\d)", text):
        number, _, meaning = part.partition(" ")
        out += tagged(f"\\fB{number}\\fR", fonts(meaning.strip() or "success"))
    return out


def listing(section):
    """Indented lines are a list, the others a paragraph."""
    out, prose = [], []
    for line in section.lines:
        if not line.startswith(" "):
            prose.append(line)
            continue
        name, *text = SPLIT.split(line.strip(), 1)
        out += tagged(f"\\fB{plain(name)}\\fR", fonts(text[0])) if text else [".PP", fonts(name)]
    return out + ([".PP", fonts(" ".join(prose))] if prose else [])


def names(section):
    """A list of mere names, on one line."""
    return [fonts(", ".join(line.strip() for line in section.lines) + ".")]


def examples(section):
    out = [".EX"]
    for line in section.lines:
        out.append(plain(line.strip()))
    return out + [".EE"]


def see_also(page, texts):
    pages = ["mmu86"] + [f"mmu86-{t.command}" for t in texts if t.command]
    others = [f"\\fB{plain(name)}\\fR(1)" for name in pages + ["mmu86-sc"] if name != page]
    extra = ["\\fBgdb\\fR(1)"] if page == "mmu86-gdb" else []
    return [", ".join(others + extra)]


def page_of(text, texts, version):
    page = "mmu86" + ("-" + text.command if text.command else "")
    about = text.about or "x86 software on a reference MMU and an RTL MMU, in lockstep"
    out = [f'.TH {page.upper()} 1 "" "{version}" "mmu86"', ".nh", ".SH NAME", f"{plain(page)} \\- {plain(about)}",
           ".SH SYNOPSIS"]
    for i, line in enumerate(text.usage):
        out += [".br"] if i else []
        out.append(usage(line, 2 if text.command else 1))
    out.append(".SH DESCRIPTION")
    for i, paragraph in enumerate(text.description):
        out += [".PP"] if i else []
        out.append(fonts(paragraph))
    if text.commands:
        out.append(".SH COMMANDS")
        for name, what in text.commands:
            out += tagged(f"\\fBmmu86\\-{name}\\fR(1)", fonts(what))
    out.append(".SH OPTIONS")
    for o in text.options:
        out += option(o)
    for section in text.sections:
        if section.title in ("Examples", "Exit status"):
            continue
        out.append(f".SH {plain(section.title.upper())}")
        if section.title == "Files":
            out += [plain(section.lead.rstrip(":").replace("Files, in", "In") + ":")]
        mere = all(line.startswith(" ") and len(line.split()) == 1 for line in section.lines)
        out += names(section) if mere else listing(section)
    if text.section("Exit status"):
        out += [".SH EXIT STATUS"] + exit_status(text.section("Exit status"))
    else:
        out += [".SH EXIT STATUS", "That of the command: its page has it. 2 if there is no such command."]
    out += [".SH EXAMPLES"] + examples(text.section("Examples"))
    out += [".SH SEE ALSO"] + see_also(page, texts)
    return page, "\n".join(out) + "\n"


def write(directory, name, page):
    """As gzip -9n does: the same page, the same bytes."""
    (directory / f"{name}.gz").write_bytes(gzip.compress(page.encode(), 9, mtime=0))


def main():
    program, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    texts = help_text.read(program)
    version = help_text.ask(program, "--version").strip()
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.1*"):
        old.unlink()  # a command that is gone
    for text in texts:
        name, page = page_of(text, texts, version)
        write(directory, f"{name}.1", page)
    for page in map(pathlib.Path, sys.argv[3:]):
        write(directory, page.name, page.read_text().replace("@VERSION@", version))


if __name__ == "__main__":
    main()
