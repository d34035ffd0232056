#!/bin/bash
# Tests of mmu86 explain, over the device of struck_dut.c. Usage: explain_test.sh CASE MMU86 KERNEL
# Each case is a function below; a failed expectation ends the test with a line that says which.
set -u
CASE=$1 MMU86=$2 KERNEL=$3
. "$(dirname "$0")/image_lib.sh"

says() { grep -q -e "$1" "$DIR/out" || fail "it does not say: $1"; }

# What a text may not be: wider than 120 columns, or with something else than printable characters.
is_plain() {
  python3 - "${1:-$DIR/out}" <<'END' || fail "the text"
import sys
for line in open(sys.argv[1], encoding="utf-8"):
    line = line.rstrip("\n")
    assert len(line) <= 120 and line.isprintable() and line == line.rstrip(), line
END
}

# A page: well-formed, nothing from elsewhere.
is_page() {
  python3 - "$1" <<'END' || fail "the page $1"
import sys, xml.etree.ElementTree as ET
from html.parser import HTMLParser
text = open(sys.argv[1], encoding="utf-8").read()
root = ET.fromstring(text)
names = [element.tag.split("}")[1] for element in root.iter()]
assert names.count("svg") == 1 and names.count("section") >= 4 and names.count("h1") == 1, names
for name in ("script", "link", "img", "iframe", "object"):
    assert name not in names, name
class Attributes(HTMLParser):
    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            assert name not in ("src", "href", "onload"), name
            assert name == "xmlns" or "http" not in value, value
Attributes().feed(text)
assert "url(" not in text and "@import" not in text and "prefers-color-scheme:dark" in text
END
}

fuzz() { expect "$1" fuzz --count 20000 --seed 3 --trace "$DIR/t" "${@:2}"; }

# Any transaction of a random stream and of a run of the kernel: both sides agree, so does the explainer.
case_agree() {
  fuzz 0
  for n in 0 1 2 30 77 500 $(seq 1007 397 20000); do
    expect 0 explain "$DIR/t" --transaction "$n"
    says "^Transaction $n of "
    says "agree"
    grep -q beware "$DIR/out" && fail "transaction $n: the explainer differs"
    cat "$DIR/out" >>"$DIR/all"
    expect 0 explain "$DIR/t" --transaction "$n" --dut none
    says "the reference alone"
    cat "$DIR/out" >>"$DIR/all"
  done
  is_plain "$DIR/all"
  expect 0 explain "$DIR/t"
  says "^Transaction 20010 of "
  expect 0 run "$KERNEL" --append "quick workload=user" --trace "$DIR/t" --max-insns 30000000
  for n in 5 70000 123457; do
    expect 0 explain "$DIR/t" --transaction "$n"
    is_plain
    says "Since when"
  done
}

# The transaction that differs is found, marked, and told of by the report's command.
case_differs() {
  for kind in address fault tlb; do
    fuzz 1 --dut-args "+$kind=4402"
    local command
    command=$(grep -A 1 '^See it explained' "$DIR/err" | tail -n 1)
    [ -n "$command" ] || fail "the report does not name the command"
    eval "$command" >"$DIR/out" 2>"$DIR/err"
    [ $? = 1 ] || fail "exit status"
    [ -s "$DIR/err" ] && fail "something on standard error"
    is_plain
    says '^Transaction 4402 of '
    says '^!!both sides  *THE DUT (rtl) DIFFERS: '
    says '^>> '
    expect 1 explain "$DIR/t" --dut-args "+$kind=4402" --transaction 4402 --html "$DIR/p"
    is_page "$DIR/p"
    grep -q 'THE DUT (rtl) DIFFERS' "$DIR/p" || fail "the page does not say so"
    expect 0 explain "$DIR/t" --dut-args "+$kind=4402" --transaction 4401
    says 'agree$'
    expect 0 explain "$DIR/t" --dut-args "+$kind=4402" --transaction 4402 --dut none
    expect 1 explain "$DIR/t" --dut-args "+$kind=1000" --transaction 4402
    one_line "differ at transaction 1000 already"
  done
  fuzz 1 --dut-args "+address=4402"
  expect 1 explain "$DIR/t" --dut-args "+address=4402"
  says '^>> physical address  *[0-9a-f]*  *[0-9a-f]*$'
  # What the response does not show, the memories do.
  fuzz 1 --dut-args +forget
  expect 1 explain "$DIR/t" --dut-args +forget
}

# Where an oracle judges: what is legal is explained by what the DUT used, what is not by the invalidation it forgot.
case_judged() {
  local judged=--check=architectural n
  expect 0 fuzz --count 20000 --seed 3 "$judged" --trace "$DIR/t"
  for n in 0 1 30 $(seq 1007 397 20000); do
    expect 0 explain "$DIR/t" "$judged" --transaction "$n"
    says "answer is legal"
    grep -q beware "$DIR/out" && fail "transaction $n: the explainer differs"
    cat "$DIR/out" >>"$DIR/all"
  done
  is_plain "$DIR/all"
  for what in "fresh: what memory holds" "stale but legal: " "it walked$" "a cached translation" \
              "a cached page-directory entry" "THE DUT USED THIS" "  ILLEGAL  *[0-9a-f]" "cached by the DUT"; do
    grep -q "$what" "$DIR/all" || fail "nothing says: $what"
  done
  expect 1 fuzz --count 100000 --seed 3 "$judged" --dut-args +sin=1 --trace "$DIR/t"
  local command
  command=$(grep -A 1 '^See it explained' "$DIR/err" | tail -n 1)
  eval "$command --html $DIR/p" >"$DIR/out" 2>"$DIR/err"
  [ $? = 1 ] || fail "exit status"
  is_plain
  is_page "$DIR/p"
  says "^!!verdict  *STALE, ILLEGAL"
  says "^!!the DUT used\|^!!  *page [0-9a-f]*: a cached"
  sed 's/^ *//' "$DIR/out" | tr '\n' ' ' | grep -q "INVLPG in transaction [0-9]* should have dropped it; THE DUT USED THIS" ||
    fail "the invalidation is not named"
  grep -q "^>> " "$DIR/out" || fail "no difference is shown"
  # Another page's translation: none that ever was.
  expect 1 fuzz --count 100000 --seed 3 "$judged" --dut-args +sin=6 --trace "$DIR/t"
  grep -q -e 'explain .*+sin=6 --check=architectural --seed 3$' "$DIR/err" || fail "the DUT has dice: they depend on the seed"
  expect 1 explain "$DIR/t" "$judged" --dut-args +sin=6 --seed 3
  says "^!!verdict  *WRONG"
  says "the DUT used  *not known"
  # At the exact level this DUT differs.
  expect 1 explain "$DIR/t" --dut-args +sin=6 --seed 3
}

case_hang() {
  fuzz 1 --dut-args +hang=4402 --mem-latency 5
  grep -q -e 'explain .*+hang=4402 --mem-latency 5 --seed 3$' "$DIR/err" || fail "the command lacks options"
  expect 1 explain "$DIR/t" --dut-args +hang=4402 --html "$DIR/p"
  says 'THE DUT DOES NOT ANSWER: fake: no answer'
  is_page "$DIR/p"
}

case_bad_input() {
  fuzz 0
  expect 2 explain; one_line "trace FILE is missing"
  expect 2 explain "$DIR/missing"; one_line "$DIR/missing"
  expect 2 explain "$KERNEL"; one_line "not an mmu86 trace"
  expect 2 explain "$DIR/t" --transaction 20011; one_line "ends after 20011 transactions"
  expect 2 explain "$DIR/t" --transaction -1; one_line "--transaction -1"
  expect 2 explain "$DIR/t" --transaction 1x; one_line "--transaction 1x"
  expect 2 explain "$DIR/t" --dut other; one_line "other"
  expect 2 explain "$DIR/t" --json "$DIR/j"; one_line "--json"
  expect 2 explain "$DIR/t" --html /nonexistent/p; one_line "/nonexistent/p"
  expect 2 explain "$DIR/t" --html "$DIR/t"; one_line "is the input"
  expect 2 explain "$DIR/t" --html "$DIR"; one_line "$DIR"
  expect 2 explain "$DIR/t" --html /dev/full; one_line "/dev/full"
  "$MMU86" explain "$DIR/t" >/dev/full 2>"$DIR/err"
  [ $? = 2 ] || fail "standard output on a full disk"
  # A page that is there survives what cannot be explained.
  echo kept >"$DIR/p"
  expect 2 explain "$DIR/t" --transaction 99999999 --html "$DIR/p"
  [ "$(cat "$DIR/p")" = kept ] || fail "a page is lost"
  ls "$DIR" | grep -q partial && fail "a partial file is left"
  # A trace that is cut, corrupt, or empty.
  head -c $(($(stat -c %s "$DIR/t") * 2 / 3)) "$DIR/t" >"$DIR/cut"
  expect 2 explain "$DIR/cut" --transaction 20010; one_line "ends after"
  expect 2 explain "$DIR/cut"; one_line "there is no transaction in it"
  expect 0 fuzz --count 300000 --seed 3 --trace "$DIR/long"
  head -c $(($(stat -c %s "$DIR/long") * 2 / 3)) "$DIR/long" >"$DIR/cut"
  expect 0 explain "$DIR/cut"; says "the trace was cut off after this transaction"
  expect 0 explain "$DIR/cut" --transaction 100; grep -q "cut off" "$DIR/out" && fail "transaction 100 is not at the cut"
  cp "$DIR/t" "$DIR/corrupt"
  printf '\377\377' | dd of="$DIR/corrupt" bs=1 seek=$(($(stat -c %s "$DIR/t") / 2)) conv=notrunc status=none
  expect 2 explain "$DIR/corrupt" --transaction 20010; one_line "$DIR/corrupt: block"
}

# One file, well-formed, the same bytes each time, hostile names escaped.
case_page() {
  fuzz 0
  for n in 0 30 $(seq 1007 1033 20000); do
    expect 0 explain "$DIR/t" --transaction "$n" --html "$DIR/p"
    is_page "$DIR/p"
    expect 0 explain "$DIR/t" --transaction "$n" --html -
    cmp -s "$DIR/p" "$DIR/out" || fail "transaction $n: other bytes the second time"
  done
  local name="<b>\"&'"$'\e[31m.trace'
  cp "$DIR/t" "$DIR/$name"
  expect 0 explain "$DIR/$name" --transaction 30 --html "$DIR/p"
  is_page "$DIR/p"
  is_plain
  grep -q '<b>&quot;' "$DIR/p" && fail "the trace's name is not escaped"
  grep -q '&lt;b&gt;&quot;&amp;' "$DIR/p" || fail "the trace's name is not there"
  ln -s real "$DIR/link"; : >"$DIR/real"
  expect 0 explain "$DIR/t" --transaction 30 --html "$DIR/link"
  [ -L "$DIR/link" ] && [ -s "$DIR/real" ] || fail "a symbolic link is replaced"
}

"case_$CASE"
