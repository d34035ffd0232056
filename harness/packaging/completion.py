#!/usr/bin/env python3
"""Writes the bash completion from the program's own help texts, and beside it the name by which bash looks for that of
mmu86-sc, which takes the same options. Usage: completion.py MMU86 MMU86-SC FILE.
"""
import pathlib
import subprocess
import sys

import help_text

HEAD = """\
# bash completion for mmu86 and mmu86-sc. Made from their help texts.

_mmu86() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  local words="" files="" options=""
  COMPREPLY=()
  # bash takes --option=value for three words.
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $before == "=" ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    words="@COMMANDS@"
    [[ ${COMP_WORDS[0]##*/} == mmu86-sc ]] && words="@SC_COMMANDS@"
  else
    case "$command $before" in
"""

MIDDLE = """\
    *)
      case $command in
"""

TAIL = """\
      esac
      # Options are offered where one is begun, or where nothing else can stand.
      [[ $current == -* || ! $words$files ]] && words=$options files=""
      ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -F _mmu86 mmu86 mmu86-sc
"""

FILES = {"FILE", "IMAGE", "IN", "OUT"}


def values(option, texts):
    """What may follow an option: words, and whether a file's name may."""
    if "|" in option.argument:
        return option.argument.split("|"), False
    listed = [value for text in texts for value in text.values(option.name)]
    return listed, option.argument in FILES


def after_options(text, texts):
    """The cases of a command's options that take an argument; those that may be followed by the same are one."""
    cases = {}
    for option in text.options:
        if option.argument:
            words, files = values(option, texts)
            cases.setdefault((" ".join(words), files), []).append(f'"{text.command} {option.name}"')
    for (words, files), patterns in cases.items():
        yield f"    {' | '.join(patterns)})"
        if words:
            yield f'      words="{words}"'
        if files:
            yield "      files=yes"
        yield "      ;;"


def in_command(text):
    """What may stand anywhere else: options, the words that the usage has as they are, files."""
    words, files = [], False
    for line in text.usage:
        for word in line.split()[2:]:
            bare = word.strip("[]")
            if bare.isalpha() and bare.islower() and bare not in words:
                words.append(bare)
            elif bare in FILES or bare.endswith(".json"):
                files = True
    yield f"      {text.command})"
    yield f'        options="{" ".join(option.name for option in text.options)}"'
    if words:
        yield f'        words="{" ".join(words)}"'
    if files:
        yield "        files=yes"
    yield "        ;;"


def takes(program, command):
    """Whether a program has a command; mmu86-sc refuses some."""
    return subprocess.run([program, command, "--help"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def main():
    program, over_systemc, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    texts = help_text.read(program)
    commands, options = [name for name, _ in texts[0].commands], [option.name for option in texts[0].options]
    lines = []
    for text in texts[1:]:
        lines += after_options(text, texts)
    lines.append(MIDDLE.rstrip("\n"))
    for text in texts[1:]:
        lines += in_command(text)
    head = HEAD.replace("@COMMANDS@", " ".join(commands + options))
    head = head.replace("@SC_COMMANDS@", " ".join([name for name in commands if takes(over_systemc, name)] + options))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(head + "\n".join(lines) + "\n" + TAIL)
    other = out.with_name("mmu86-sc")
    other.unlink(missing_ok=True)
    other.symlink_to(out.name)


if __name__ == "__main__":
    main()
