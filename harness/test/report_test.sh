#!/bin/bash
# Tests of mmu86 report but for its looks. Usage: report_test.sh CASE MMU86 KERNEL STRUCK
# STRUCK: the same program over a device that goes wrong once.
set -u
CASE=$1 MMU86=$2 KERNEL=$3 STRUCK=$4 QEMU=none
. "$(dirname "$0")/image_lib.sh"

# The same command gives the same page, of each kind of run.
case_same() {
  for i in 1 2; do
    mkdir "$DIR/$i"
    cd "$DIR/$i" || fail "cd"
    expect 0 run "$KERNEL" --append "workload=boot quick" --json run --trace trace
    expect 0 replay trace --json replay --mem-latency 5
    expect 0 fuzz --count 20000 --json exact --mem-latency 3 --coverage sampled
    expect 0 fuzz --count 20000 --json architectural --check architectural
    expect 0 fuzz --count 20000 --json overlap --overlap
    for what in run replay exact architectural overlap; do
      expect 0 report $what -o $what.html --coverage sampled --baseline exact
      [ -s "$DIR/out" ] && fail "$what: something on standard output"
    done
  done
  for what in run replay exact architectural overlap; do
    cmp "$DIR/1/$what.html" "$DIR/2/$what.html" || fail "$what: other bytes"
  done
  # Wall time is in the results, and differs.
  cmp -s "$DIR/1/run" "$DIR/2/run" && fail "two results with the same wall time"
  return 0
}

# Where the page goes: beside the result, to a name, to standard output; never half of it, never over an input.
case_outputs() {
  expect 0 fuzz --count 1000 --json "$DIR/run.json"
  expect 0 report "$DIR/run.json"
  grep -q '^</html>$' "$DIR/run.html" || fail "no page beside the result"
  expect 0 report "$DIR/run.json" --output -
  cmp "$DIR/out" "$DIR/run.html" || fail "standard output has another page"
  expect 0 report "$DIR/run.json" -o "$DIR/named"
  cmp "$DIR/named" "$DIR/run.html" || fail "-o"
  ln -s named "$DIR/link"
  expect 0 report "$DIR/run.json" --output="$DIR/link"
  [ -L "$DIR/link" ] || fail "the link is gone"
  mkdir "$DIR/a.b"
  cp "$DIR/run.json" "$DIR/a.b/run"
  expect 0 report "$DIR/a.b/run"
  [ -f "$DIR/a.b/run.html" ] || fail "a name without suffix"
  expect 0 report "$DIR/run.json" -o /dev/null
  expect 2 report "$DIR/run.json" -o /dev/full; one_line "/dev/full: cannot write the page: No space"
  expect 2 report "$DIR/run.json" -o /nonexistent/page; one_line "/nonexistent/page: cannot write"
  cp "$DIR/run.json" "$DIR/page.html"
  expect 2 report "$DIR/run.json" -o "$DIR/run.json"; one_line "run.json: is an input"
  expect 2 report "$DIR/run.json" --baseline "$DIR/page.html" -o "$DIR/page.html"; one_line "page.html: is an input"
  expect 2 report "$DIR/page.html"; one_line "page.html: is an input"
  cmp "$DIR/page.html" "$DIR/run.json" || fail "an input was written over"
  "$MMU86" report "$DIR/run.json" -o - >/dev/full 2>"$DIR/err"
  [ $? = 2 ] || fail "the page on a full disk"
  ls "$DIR" | grep -q partial && fail "half a page is left"
  return 0
}

# A run that has failed.
case_mismatch() {
  "$STRUCK" run "$KERNEL" --append quick --dut-args +address=5000 --max-insns 100000 --json "$DIR/run.json" >"$DIR/out" 2>"$DIR/err"
  [ $? = 1 ] || fail "the device did not differ"
  local request laddr model dut # as the report on standard error has them
  request=$(sed -n 's/^  request  //p' "$DIR/err") laddr=$(awk '$1 $2 == "linearaddress" {print $3}' "$DIR/err")
  read -r model dut < <(awk '$2 $3 == "physicaladdress" {print $4, $5}' "$DIR/err")
  [ ${#laddr} = 8 ] && [ ${#dut} = 8 ] && [ "$model" != "$dut" ] || fail "the report's addresses are $laddr, $model, $dut"
  expect 0 report "$DIR/run.json"
  for what in '&#x2717; mismatch</span>mismatch' '<dt>differs in</dt><dd class="bad">physical address</dd>' \
    '<dt>mismatch</dt><dd>transaction 5000: physical address differs</dd>' "<dt>request</dt><dd>$request</dd>" \
    "<dt>answer of the model</dt><dd>$laddr -&gt; $model</dd>" "<dt>answer of the device</dt><dd>$laddr -&gt; $dut</dd>" \
    '<dt>mismatches</dt><dd>1</dd>' '<dt>transactions</dt><dd>5,000</dd>' "run $KERNEL --append quick"; do
    grep -qF "$what" "$DIR/run.html" || fail "the page does not have $what"
  done
}

# refused TEXT LINE: a result of this text is none.
refused() {
  printf '%s' "$1" >"$DIR/bad"
  expect 2 report "$DIR/bad"; one_line "mmu86 report: $DIR/bad: $2"
  [ -e "$DIR/bad.html" ] && fail "a page of a bad result"
}

# with KEY VALUE LINE: it is refused for that key alone.
with() {
  refused "{\"verdict\": \"pass\", \"transactions\": 9, \"$1\": $2}" "\"$3\": $4"
}

case_bad_input() {
  local good='{"verdict": "pass", "transactions": 9}'
  printf '%s' "$good" >"$DIR/good"
  expect 0 report "$DIR/good"
  expect 2 report; one_line "a result FILE is missing"
  expect 2 report "$DIR/missing"; one_line "missing: cannot open: No such file"
  expect 2 report "$DIR"; one_line "directory"
  expect 2 report "$DIR/good" "$DIR/good"; one_line "unexpected argument"
  expect 2 report "$DIR/good" --json x; one_line "--json: no such option"
  expect 2 report "$DIR/good" -o; one_line "-o: needs an argument"
  expect 2 report "$DIR/good" -x; one_line "-x: no such option"
  refused '' "is empty"
  refused '{"a": ' "line 1: not JSON"
  refused '[1]' "is no result of mmu86"
  refused '{"a": 1, "a": 2}' "line 1: not JSON: duplicate"
  for none in '{}' '{"transactions": 9}' '{"verdict": 5, "transactions": 9}'; do
    refused "$none" "is no result of mmu86: it has neither"
    expect 2 report "$DIR/good" --baseline "$DIR/bad"; one_line "$DIR/bad: is no result of mmu86: it has neither"
  done
  refused '{"rounds": 5}' 'is no result of run, replay, fuzz or sweep: it has no "verdict"'
  refused '{"verdict": "pass"}' 'is no result of run, replay, fuzz or sweep: it has no "transactions"'
  truncate -s 65M "$DIR/bad"; expect 2 report "$DIR/bad"; one_line "bad: is larger than 64 MiB"
  with instructions -1 instructions "is not a count"
  with walks 1.5 walks "is not a count"
  with references '"9"' references "is not a count"
  with command 5 command "is not text"
  with tlb '[]' tlb "is not an object"
  with origins '{"slab": 5}' origins "has a member that is not an object"
  with origins '{"slab": {"walks": -5}}' walks "is not a count"
  with faults_by_vector '{"#PF": null, "#GP": "x"}' '#GP' "is not a count"
  with differences '{}' differences "is not a list"
  with skipped '{}' skipped "is not a list"
  with skipped '["x"]' skipped "has an element that is not an object"
  with skipped '[{"reason": "x"}]' skipped "has an element without a name"
  with skipped '[{"name": "x", "reason": 5}]' reason "is not text"
  with mismatch '"x"' mismatch "is not an object"
  with mismatch '{"request": 5}' request "is not text"
  with dut_translations -1 dut_translations "is not a count"
  with tlb '{"own_caching": 1}' own_caching "is neither true nor false"
  with differences '[1]' differences "has an element that is not text"
  with timeline '{"tlb_hits": [1, 2], "tlb_misses": [1]}' tlb_misses "is longer or shorter"
  with timeline '{"tlb_hits": [1, -2]}' tlb_hits "has an element that is not a count"
  with timeline '{"tlb_hits": [1, 2], "transactions_per_point": 9}' timeline "is longer than the transactions"
  with timeline "{\"tlb_hits\": [$(seq -s, 1025)]}" tlb_hits "has too many elements"
  with timeline '{"transactions_per_point": 9223372036854775807}' transactions_per_point "is too large"
  with cycle_histogram '{"hit": {"counts": {"x": 1}}}' x "is not a number of clock cycles"
  with cycle_histogram '{"hit": {"counts": {"5-4": 1}}}' 5-4 "is not a number of clock cycles"
  with cycle_histogram '{"hit": {"counts": {"5-7": 1, "6": 1}}}' counts "has bins that overlap"
  with cycle_histogram '{"hit": []}' cycle_histogram "has a member that is not an object"
  with page_tables '{"paging": 1}' paging "is neither true nor false"
  with page_tables '{"directory": "xyz"}' directory "is not an address"
  with page_tables '{"runs": [{"laddr": "fffff000", "pages": 2}]}' pages "is too large"
  with page_tables '{"runs": [{"laddr": "fffff000", "pages": 0}]}' pages "is zero"
  with page_tables '{"runs": [{"laddr": "00002000", "pages": 1}, {"laddr": "00001000", "pages": 1}]}' runs "are not in ascending"
  with page_tables '{"runs": [{"laddr": "00002000", "pages": 2}, {"laddr": "00003000", "pages": 1}]}' runs "are not in ascending"
  with coverage '{"groups": [{"name": "x", "bins": 1, "hit": 2}]}' hit "is more than there are bins"
  with coverage '{"groups": [{"bins": 1}]}' groups "has an element without a name"
  with coverage '{}' groups "is missing: this is no coverage"
  # The other two files.
  for option in --baseline --coverage; do
    expect 2 report "$DIR/good" $option "$DIR/missing"; one_line "missing: cannot open"
    printf '[]' >"$DIR/bad"
    expect 2 report "$DIR/good" $option "$DIR/bad"; one_line "bad: is no result of mmu86"
  done
  expect 2 report "$DIR/good" --coverage "$DIR/good"; one_line 'good: "groups": is missing: this is no coverage'
  printf '{"format": "mmu86 functional coverage 1", "groups": {"x": {}}, "tlb": {"sets": 8, "ways": 4, "large": 8}}' >"$DIR/bad"
  expect 2 report "$DIR/good" --coverage "$DIR/bad"; one_line 'bad: "x" is no group'
  printf '{"rtl_line": {"hit": 3, "total": 2}}' >"$DIR/bad"
  expect 2 report "$DIR/good" --coverage "$DIR/bad"; one_line 'has more hits than there are'
  # A file's text does not reach the terminal as it is.
  printf '{"verdict": "pass", "transactions": 9, "cycle_histogram": {"hit": {"counts": {"\\u001b[31m": 1}}}}' >"$DIR/bad"
  expect 2 report "$DIR/bad"; one_line '"?\[31m": is not a number'
}

# caught CASE COMPLAINT PLANT: the case finds it if "mmu86 report" does this instead of "$real" "$@".
caught() {
  printf '%s\n' '#!/bin/bash' "real=$(printf %q "$MMU86")" '[ "$1" = report ] || exec "$real" "$@"' "$3" >"$DIR/wrong"
  chmod +x "$DIR/wrong"
  "$0" "$1" "$DIR/wrong" "$KERNEL" "$STRUCK" >"$DIR/said" 2>&1 && fail "the case $1 passes in spite of: $3"
  grep -q "^FAILED: .*$2" "$DIR/said" || fail "the case $1 says something else of: $3: $(cat "$DIR/said")"
}

# afterwards PLANT: it does this when all is done.
afterwards() { printf '%s\n' '"$real" "$@" 2>"$0.err"; status=$?' "$1" 'cat "$0.err" >&2; exit $status'; }

# Each of the cases above fails when it should.
case_planted() {
  caught same "run: something on standard output" 'echo; exec "$real" "$@"'
  caught same "run: other bytes" "$(afterwards 'echo "<!-- $$ -->" >>"$4"')"
  caught outputs "no page beside the result" 'exec "$real" "$@" --output /dev/null'
  caught outputs "standard output has another page" '[ "$4" = - ] && echo; exec "$real" "$@"'
  caught outputs "the link is gone" "$(afterwards '[[ $3 = *=*link ]] && cp --remove-destination "${3#*=}" "$0.page" && mv "$0.page" "${3#*=}"')"
  caught outputs "expected 2" "$(afterwards 'status=0')"
  caught outputs "an input was written over" "$(afterwards '[ "$2 $#" = "${2%.html}.html 2" ] && echo >>"$2"')"
  caught outputs "the page on a full disk" '[ "$4" = - ] || exec "$real" "$@"; "$real" "$@" | cat 2>"$0.err"; exit 0'
  caught outputs "half a page is left" "$(afterwards '[ "$4" = - ] && touch "${2%.json}.partial"')"
  caught mismatch "the page does not have <dt>answer of the device" "$(afterwards 'sed -i "/answer of the device/d" "${2%.json}.html"')"
  caught mismatch "the page does not have <dt>request" "$(afterwards 'sed -i "s/ACCESS/access/" "${2%.json}.html"')"
  caught mismatch "the page does not have <dt>transactions" "$(afterwards 'sed -i "s/5,000/4,999/" "${2%.json}.html"')"
  STRUCK=$MMU86 caught mismatch "the device did not differ" 'exec "$real" "$@"'
  caught bad_input "does not say: .*is no result of mmu86" "$(afterwards 'sed -i "s/is no result of mmu86/is wrong/" "$0.err"')"
  caught bad_input "exit status 0, expected 2" "$(afterwards 'status=0')"
  caught bad_input "not one line" "$(afterwards '[ $status = 2 ] && echo >>"$0.err"')"
  caught bad_input "does not say: .*is not a count" "$(afterwards 'sed -i "s/is not a count/is odd/" "$0.err"')"
  caught bad_input "a page of a bad result" "$(afterwards '[ $# -gt 1 ] && touch "$2.html"')"
  caught bad_input "does not say: .*31m" "$(afterwards 'sed -i "s/?\[31m/\x1b[31m/" "$0.err"')"
}

"case_$CASE"
