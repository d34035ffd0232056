#!/usr/bin/env python3
"""Doxygen's input filter: a header with plain comments goes to standard output with such as Doxygen looks at.

A comment behind code is that code's; the file's first comment is the file's; one before a declaration is that
declaration's, and of those right below it too, which then name the first one. "name: ..." of a function's parameter becomes a
@param. What Doxygen would take for a command is escaped. Usage: doc_comments.py FILE.
"""
import re
import sys

TOKEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.S)
NAMES = (r"\(\*\s*(\w+)\)", r"(\w+)\s*\(", r"(\w+)\s*(?:\[[^]]*\]\s*)*[;,]")  # a pointer to a function, a function, others
FIELDS = re.compile(r"^( +(?:const |unsigned )*\w+ )(\w+(?:\[\w+\])*), (\w[^;()=]*;)([ \t]*/\*.*\*/)?$", re.M)  # several of a type
DECLARATION = re.compile(r"[A-Za-z_][^;{}#/]*;\s*$")


def escape(text):
    """Nothing in it is a command, an HTML tag or a link."""
    text = re.sub(r"([\\@<>&#$%])", r"\\\1", text)
    return text.replace("::", "\\::")


def parameters(text, declaration):
    """TEXT, with a @param before what is said of each parameter of the function that DECLARATION is."""
    head = re.match(r"[^;{}()=]*\w\s*\(([^*()][^()]*(?:\([^()]*\)[^()]*)*)\)\s*;", declaration)
    if not head:
        return text
    names = set(re.findall(r"(\w+)\s*(?:\[[^]]*\])?\s*(?:,|$)", head[1]))

    def one(match):
        return match[1] + "@param " + match[2] + " " if match[2] in names else match[0]

    text = re.sub(r"(^|\n[ *]*|\. )(\w+): ", one, text)
    return re.sub(r"(\n[ *]*|\. )Effects: ", r"\1@par Effects\n * ", text)


def name_of(declaration):
    line = declaration.split("\n", 1)[0]
    return next((found[1] for found in (re.search(form, line) for form in NAMES) if found), None)


def followers(code):
    """Where the declarations begin that stand right below the first one of CODE, without a comment of their own."""
    at, places = 0, []
    lines = code.split("\n")
    for number, line in enumerate(lines):
        if number and DECLARATION.match(line.strip()):
            places.append(at + len(line) - len(line.lstrip()))
        elif number or not DECLARATION.match(line.strip()):
            break
        at += len(line) + 1
    return places


def begins(token, place, first):
    """What TOKEN, a comment, begins with and ends with. PLACE: the line before it."""
    mark, end = ("/**", "*/") if token.startswith("/*") else ("///", "")
    if first:
        return mark + " @file\n" + ("" if end else mark), end
    behind = place.strip() and not place.rstrip().endswith(("{", "("))
    return mark + ("<" if behind else ""), end


def one_a_line(source):
    """Fields that share a type and a comment get one of each."""
    source, more = FIELDS.subn(lambda m: f"{m[1]}{m[2]};{m[4] or ''}\n{m[1]}{m[3]}{m[4] or ''}", source)
    return one_a_line(source) if more else source


def convert(source):
    out, at, first = [], 0, True
    source = one_a_line(source)
    for token in TOKEN.finditer(source):
        if not token[0].startswith(("/*", "//")) or token.start() < at:
            continue
        out.append(source[at : token.start()])
        at = token.end()
        start, end = begins(token[0], source[source.rfind("\n", 0, token.start()) + 1 : token.start()], first)
        body = escape(token[0][2 : -2 if end else None])
        declaration = source[at:].lstrip()
        if first or start.endswith("<") or not end:
            out.append(start + body.removeprefix("\n" if first else "") + end)
        else:
            out.append(start + parameters(body, declaration) + end)
            name = name_of(declaration)
            text = f"With {name}: " + " ".join(re.sub(r"\n *\*", "\n", body).split())
            for place in followers(declaration):
                upto = len(source) - len(declaration) + place
                out.append(source[at:upto] + f"/** {parameters(text, source[upto:])} */ ")
                at = upto
        first = False
    out.append(source[at:])
    return "".join(out)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(convert(file.read()))
