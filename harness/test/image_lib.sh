# What the whole-image tests share. Sourced with CASE, MMU86 and QEMU set; $DIR is a scratch directory.
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT

# The interpreter itself: what is called so may be a script that looks for it, at each call.
PYTHON3=$(command python3 -c 'import sys; print(sys.executable)')
python3() { "$PYTHON3" "$@"; }

fail() {
  echo "FAILED: $*" >&2
  for f in "$DIR"/out "$DIR"/err; do [ -f "$f" ] && { echo "--- $f"; tail -n 40 "$f"; } >&2; done
  exit 1
}

# expect STATUS ARGUMENT ...: runs mmu86, output in $DIR/out and $DIR/err.
expect() {
  local want=$1; shift
  "$MMU86" "$@" >"$DIR/out" 2>"$DIR/err" </dev/null
  local got=$?
  [ $got = "$want" ] || fail "mmu86 $*: exit status $got, expected $want"
}

# json KEY: the value of a key of $DIR/result.json.
json() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$DIR/result.json" "$1"; }

# one_line PATTERN: standard error is one line that matches.
one_line() {
  [ "$(wc -l <"$DIR/err")" = 1 ] || fail "not one line on standard error ($CASE)"
  grep -q -- "$1" "$DIR/err" || fail "standard error does not say: $1"
}

qemu() {
  timeout 300 "$QEMU" -kernel "$KERNEL" -m "$1" -append "$2" -display none -serial "file:$DIR/qemu" -no-reboot \
    -device isa-debug-exit,iobase=0xf4,iosize=4 </dev/null >"$DIR/out" 2>"$DIR/err"
}

jq_key() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
