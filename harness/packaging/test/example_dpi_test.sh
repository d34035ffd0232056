#!/bin/bash
# The bench of examples/dpi, outside of the sources and against the installed mmu86: its README's commands one after the other,
# the same by CMake, and the installed checker. Usage: example_dpi_test.sh BUILD SOURCE
set -u
PREFIX=$1/harness/packaging/stage/opt/mmu86 SOURCE=$2
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
PKG_CONFIG_PATH=$(dirname "$(find "$PREFIX" -name mmu86-dpi.pc)")
export PKG_CONFIG_PATH
export CCACHE_DIR=$DIR/ccache OBJCACHE=ccache # Verilator's; it compiles the same three times
cd "$DIR" || exit 1
ulimit -c 0

fail() {
  echo "FAILED: $*" >&2
  tail -n 40 "$DIR/log" >&2
  exit 1
}

# expect STATUS COMMAND ...
expect() {
  local want=$1; shift
  "$@" >"$DIR/log" 2>&1 </dev/null
  local got=$?
  [ $got = "$want" ] || fail "$*: exit status $got, expected $want"
}

says() { grep -q -- "$1" "$DIR/log" || fail "it does not say: $1"; }

# The guide: each line that is indented by four is a command, "# exit N" its status; "$/" is where mmu86 is installed.
commands=0
while IFS= read -r line; do
  want=$(sed -n 's/.*# exit \([0-9]*\).*/\1/p' <<<"$line")
  command=${line%% #*}
  command=${command//\$\//$PREFIX/}
  echo "$command"
  case $command in
  "cd "*) eval "$command" || exit 1 ;;
  *) expect "${want:-0}" bash -c "$command; exit \$?" ;;
  esac
  case $command in *Vbench*) [ "${want:-0}" = 134 ] || says "^bench: [0-9]* accesses are the same, [1-9]" ;; esac
  commands=$((commands + 1))
done < <(sed -n 's/^    \(.*\)/\1/p' "$PREFIX/share/mmu86/examples/dpi/README.md")
[ $commands -ge 9 ] || fail "only $commands commands in the guide"
says "%Error: .*bench: fault 0, not 1; vector 0, not e"
says "^ACCESS write DS:"

# By CMake, with Verilator's function.
cp "$PREFIX"/share/mmu86/examples/pager/pager.sv .
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(bench LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(mmu86 0.1 REQUIRED COMPONENTS dpi)
find_package(verilator REQUIRED HINTS $ENV{VERILATOR_ROOT})
add_executable(bench main.cpp)
target_link_libraries(bench PRIVATE mmu86::dpi)
verilate(bench SOURCES bench.sv pager.sv TOP_MODULE bench INCLUDE_DIRS ${mmu86_SV_DIR} VERILATOR_ARGS --timing)
END
cp obj_dir/Vbench__main.cpp main.cpp
expect 0 cmake -B build -DCMAKE_PREFIX_PATH="$PREFIX" -DCMAKE_BUILD_TYPE=
expect 0 cmake --build build
expect 0 build/bench; says "^bench: 50000 accesses are the same"

# The checker finds its other file, and takes the ports of mmu_top.
echo 'bind mmu_top mmu86_port_checker i_checker (.*);' >bind.sv
checker=(verilator --lint-only --assert -Wno-SYNCASYNCNET --top-module mmu_top "$SOURCE/harness/dpi/test/bad_device.sv"
  "$(pkg-config --variable=svdir mmu86-dpi)/mmu86_port_checker.sv" bind.sv)
# shellcheck disable=SC2046 # a list of options
expect 0 "${checker[@]}" $(pkg-config --cflags mmu86-dpi)
sed -i 's/(\.\*)/(.clk_i, .rst_ni(1))/; s/i_checker/#(.NO_SUCH(1)) i_checker/' bind.sv
# shellcheck disable=SC2046
expect 1 "${checker[@]}" $(pkg-config --cflags mmu86-dpi)
exit 0
