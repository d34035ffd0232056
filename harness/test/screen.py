"""Shows what a terminal of 80 x 25 characters shows after the bytes of a file: screen.py FILE"""

import re
import sys

COLUMNS, LINES = 80, 25


def screen(data):
    """The lines of the screen. Cursor addressing, erasing and text are obeyed, everything else is dropped."""
    cells = [[" "] * COLUMNS for _ in range(LINES)]
    line = column = 0
    for sequence, arguments, command, byte in re.findall(r"(\x1b\[([0-9;?]*)([A-Za-z]))|([^\x1b])", data):
        if sequence:
            if command == "H":
                at = [int(n or 1) for n in (arguments or "1;1").split(";")]
                line, column = min(at[0], LINES) - 1, min(at[-1], COLUMNS) - 1
            elif command == "J":
                cells = [[" "] * COLUMNS for _ in range(LINES)]
        elif byte == "\r":
            column = 0
        elif byte == "\n":
            line = min(line + 1, LINES - 1)
        elif byte >= " ":
            if column < COLUMNS:
                cells[line][column] = byte
            column += 1
    return ["".join(row).rstrip() for row in cells]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="latin-1") as file:
        print("\n".join(screen(file.read())))
