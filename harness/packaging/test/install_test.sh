#!/bin/bash
# shellcheck disable=SC2046,SC2086 # lists of options are meant to be split
# Tests of what is installed. Usage: install_test.sh CASE BUILD SOURCE. The case stage installs into BUILD/harness/packaging/stage,
# below a prefix that nothing was configured with; the others look at it. Each case is a function below.
set -u
CASE=$1 BUILD=$2 SOURCE=$3
HERE=$(cd "$(dirname "$0")" && pwd)
PREFIX=$BUILD/harness/packaging/stage/opt/mmu86
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT

fail() {
  echo "FAILED: $*" >&2
  [ -s "$DIR/log" ] && tail -n 40 "$DIR/log" >&2
  exit 1
}

# quietly COMMAND ...: its output is shown if it fails.
quietly() { "$@" >"$DIR/log" 2>&1 || fail "$*"; }

libraries() { dirname "$(find "$PREFIX" -name libmmu86.so)"; }

case_stage() {
  rm -rf "$BUILD/harness/packaging/stage"
  DESTDIR=$BUILD/harness/packaging/stage quietly cmake --install "$BUILD" --prefix /opt/mmu86
  for file in bin/mmu86 bin/mmu86-sc include/mmu86/mmu.h include/mmu86/dut.h include/mmu86/mmu86_tlm.h share/mmu86/kernel.elf share/mmu86/loop.rom share/mmu86/knobs/recursive.json \
    share/mmu86/waveforms/lockstep.gtkw share/mmu86/sv/mmu86_dpi.svh share/man/man1/mmu86-run.1.gz share/man/man1/mmu86-sc.1.gz \
    share/bash-completion/completions/mmu86 share/bash-completion/completions/mmu86-sc; do
    [ -f "$PREFIX/$file" ] || fail "$file is not installed"
  done
  # What is text, and the library, knows neither the sources nor the build. (The program's debugging information does.)
  grep -rIl -e "$BUILD" -e "$SOURCE" "$PREFIX" >"$DIR/log" && fail "these name the place of the build"
  grep -l -e "$BUILD" -e "$SOURCE" "$(libraries)"/libmmu86* >"$DIR/log" && fail "these name the place of the build"
  return 0
}

# What the documents link to is installed with them.
case_documents() {
  local doc=$PREFIX/share/doc/mmu86 links=0
  for document in $(cd "$doc" && find . -name '*.md'); do
    while IFS= read -r link; do
      links=$((links + 1))
      [ -e "$(dirname "$doc/$document")/${link%%#*}" ] || fail "$document: no $link"
    done < <(grep -oP '\]\(\K[^)#:]+(?=[)#])' "$doc/$document")
  done
  [ $links -ge 15 ] || fail "only $links links"
}

# Each header by itself, in C and C++.
case_headers() {
  local strict="-Wall -Wextra -Wpedantic -Werror -fsyntax-only"
  for header in "$PREFIX"/include/mmu86/*.h; do
    echo "#include <mmu86/$(basename "$header")>" >"$DIR/one.c"
    [ "$(basename "$header")" = mmu86_tlm.h ] || quietly gcc -std=c11 $strict -I"$PREFIX/include" -x c "$DIR/one.c"
    quietly g++ -std=c++17 $strict -I"$PREFIX/include" -x c++ "$DIR/one.c"
    grep -q 'dut_rtl *(' "$header" && fail "$header declares the program's own device"
  done
  return 0
}

# The shared library exports the functions that mmu.h declares and no others, and needs libc alone.
case_library() {
  local so
  so=$(libraries)/libmmu86.so
  gcc -fpreprocessed -dD -E -P "$PREFIX/include/mmu86/mmu.h" | grep -oP '^\w.*?\bmmu_\w+(?=\()' | grep -oP '\w+$' |
    sort >"$DIR/declared"
  nm -D --defined-only "$so" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort >"$DIR/exported"
  [ "$(wc -l <"$DIR/declared")" -ge 10 ] || fail "mmu.h declares only $(cat "$DIR/declared")"
  diff "$DIR/declared" "$DIR/exported" >"$DIR/log" || fail "declared (<) and exported (>) differ"
  local abi
  abi=$(awk '$2 == "MMU_ABI_VERSION" { print $3 + 0 }' "$PREFIX/include/mmu86/mmu.h")
  readelf -dW "$so" | grep -q "(SONAME).*\[libmmu86.so.$abi\]" || fail "SONAME is not libmmu86.so.$abi"
  nm -D "$so" | grep -q "mmu_init@@MMU86_$abi\$" || fail "the symbols' version is not MMU86_$abi"
  [ "$(readelf -dW "$so" | awk '/NEEDED/ { print $NF }')" = "[libc.so.6]" ] || fail "it needs more than libc"
  # The archive: no member is for one compiler alone; what it lacks is libc's, all of it.
  local archive=${so%.so}.a
  objdump -h "$archive" | grep -q gnu.lto && fail "the archive has code for one compiler alone"
  nm --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u >"$DIR/defined"
  nm --undefined-only "$archive" | awk 'NF == 2 { print $2 }' | sort -u >"$DIR/undefined"
  for symbol in $(comm -13 "$DIR/defined" "$DIR/undefined"); do
    case $symbol in
    __assert_fail | mem* | str* | __stack_chk_fail | __mem*_chk | _GLOBAL_OFFSET_TABLE_) ;;
    *) fail "the archive needs $symbol" ;;
    esac
  done
}

# What a simulator is given: no name but those that the package imports, and nothing needed but libc.
case_dpi() {
  local so
  so=$(libraries)/libmmu86_dpi.so
  grep -oP 'import "DPI-C" function \w+ \K\w+' "$PREFIX/share/mmu86/sv/mmu86_dpi.svh" | sort >"$DIR/imported"
  [ "$(wc -l <"$DIR/imported")" -ge 8 ] || fail "the package imports only $(cat "$DIR/imported")"
  nm -D --defined-only "$so" | awk '{ print $3 }' | sort >"$DIR/exported"
  diff "$DIR/imported" "$DIR/exported" >"$DIR/log" || fail "imported (<) and exported (>) differ"
  nm --defined-only -g "${so%.so}.a" | awk 'NF == 3 { print $3 }' | sort >"$DIR/exported"
  diff "$DIR/imported" "$DIR/exported" >"$DIR/log" || fail "the archive: imported (<) and exported (>) differ"
  [ "$(readelf -dW "$so" | awk '/NEEDED/ { print $NF }')" = "[libc.so.6]" ] || fail "it needs more than libc"
}

# is_right COMMAND: the consumer's answer is the reset vector.
is_right() { [ "$("$@")" = fffffff0 ] || fail "$1 says something else"; }

case_cmake() {
  local version minor
  version=$("$PREFIX/bin/mmu86" --version | cut -d' ' -f2)
  minor=$(cut -d. -f2 <<<"$version")
  local configure=(cmake -S "$HERE/consumer" -DCMAKE_PREFIX_PATH="$PREFIX" -DCMAKE_BUILD_TYPE=)
  quietly "${configure[@]}" -B "$DIR/build" -DWANTED="${version%.*}"
  quietly cmake --build "$DIR/build"
  for program in c_mmu86 c_mmu86-static cpp_mmu86 cpp_mmu86-static; do is_right "$DIR/build/$program"; done
  for program in c_mmu86 cpp_mmu86; do
    readelf -dW "$DIR/build/$program" | grep -q 'NEEDED.*libmmu86' || fail "$program is not linked with the shared library"
    readelf -dW "$DIR/build/$program-static" | grep -q 'NEEDED.*libmmu86' && fail "$program-static is"
  done
  nm -D "$DIR/build/libdevice.so" | grep -q device_ops || fail "the device has no table"
  # Another minor version is refused.
  "${configure[@]}" -B "$DIR/build" -DWANTED="${version%%.*}.$((minor + 1))" >"$DIR/log" 2>&1 && fail "any version passes"
  grep -q "mmu86Config.cmake, version: $version" "$DIR/log" || fail "the refusal does not name the version"
}

case_pkgconfig() {
  local so
  so=$(libraries)
  export PKG_CONFIG_PATH=$so/pkgconfig
  quietly gcc -std=c11 "$HERE/consumer/consumer.c" -o "$DIR/shared" $(pkg-config --cflags --libs mmu86)
  LD_LIBRARY_PATH=$so is_right "$DIR/shared"
  readelf -dW "$DIR/shared" | grep -q 'NEEDED.*libmmu86' || fail "not linked with the shared library"
  quietly gcc -std=c11 -static "$HERE/consumer/consumer.c" -o "$DIR/static" $(pkg-config --static --cflags --libs mmu86)
  is_right "$DIR/static"
  quietly g++ -std=c++17 "$HERE/consumer/consumer.cpp" -o "$DIR/cpp" $(pkg-config --cflags --libs mmu86)
  LD_LIBRARY_PATH=$so is_right "$DIR/cpp"
  [ -f "$(pkg-config --variable=datadir mmu86)/kernel.elf" ] || fail "datadir does not hold the kernel"
}

# The example, as it is installed: find_package, mmu86::systemc, a virtual platform that runs; and behind an include of
# SystemC that has not asked for dynamic processes.
case_systemc() {
  local example
  example=$(dirname "$(find "$PREFIX/share/doc" -name platform.cpp)")
  quietly cmake -S "$example" -B "$DIR/build" -DCMAKE_PREFIX_PATH="$PREFIX" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Werror"
  quietly cmake --build "$DIR/build"
  quietly "$DIR/build/platform"
  grep -qx 'sum 8386560, 4 page faults, 8187 accesses by pointer, unmapped, [0-9]* ns' "$DIR/log" || fail "the platform says something else"
  grep -q '^wrong' "$DIR/log" && fail "the platform finds itself wrong"
  readelf -dW "$DIR/build/platform" | grep -q 'NEEDED.*libmmu86' || fail "not linked with the shared library"
  printf '#include <systemc>\n#include <mmu86/mmu86_tlm.h>\nint sc_main(int, char **) { mmu86::Mmu mmu("mmu"); return 0; }\n' \
    >"$DIR/behind.cpp"
  quietly g++ -std=c++17 -Wall -Wextra -Werror -I"$PREFIX/include" "$DIR/behind.cpp" -o "$DIR/behind" -L"$(libraries)" -lmmu86 -lsystemc
  LD_LIBRARY_PATH=$(libraries) quietly "$DIR/behind"
  # The program over SystemC has its data too.
  cd / && quietly "$PREFIX/bin/mmu86-sc" fuzz --knobs recursive --count 2000
}

# Where there is no SystemC all else is as it was, and who asks for it is told.
case_no_systemc() {
  local version example hidden
  hidden="-DCMAKE_IGNORE_PATH=$(pkg-config --variable=includedir systemc);$(pkg-config --variable=libarchdir systemc)"
  example=$(dirname "$(find "$PREFIX/share/doc" -name platform.cpp)")
  version=$("$PREFIX/bin/mmu86" --version | cut -d' ' -f2)
  quietly cmake -S "$HERE/consumer" -B "$DIR/build" -DCMAKE_PREFIX_PATH="$PREFIX" -DWANTED="${version%.*}" $hidden
  quietly cmake --build "$DIR/build" --target c_mmu86
  is_right "$DIR/build/c_mmu86"
  printf 'cmake_minimum_required(VERSION 3.16)\nproject(any LANGUAGES C)\nfind_package(mmu86 REQUIRED)\n%s\n' \
    'if(TARGET mmu86::systemc OR mmu86_systemc_FOUND)
  message(FATAL_ERROR "there is SystemC")
endif()' >"$DIR/CMakeLists.txt"
  quietly cmake -S "$DIR" -B "$DIR/any" -DCMAKE_PREFIX_PATH="$PREFIX" $hidden
  cmake -S "$DIR" -B "$DIR/any2" -DCMAKE_PREFIX_PATH="$PREFIX" >"$DIR/log" 2>&1 && fail "SystemC is not found where it is"
  grep -q 'there is SystemC' "$DIR/log" || fail "SystemC is not found where it is"
  cmake -S "$example" -B "$DIR/refused" -DCMAKE_PREFIX_PATH="$PREFIX" $hidden >"$DIR/log" 2>&1 && fail "mmu86::systemc without SystemC"
  grep -q 'libsystemc-dev' "$DIR/log" || fail "the refusal does not say what is missing"
}

# runs DIRECTORY: the program there boots its own kernel from wherever it is called.
runs() {
  cd / || exit 1
  "$1/bin/mmu86" run --max-insns 200000 --no-failure-wave --json "$DIR/result" >"$DIR/log" 2>&1
  [ $? = 4 ] || fail "the limit does not end the run"
  grep -q '"instructions": 200000' "$DIR/result" || fail "another number of instructions"
  quietly "$1/bin/mmu86" fuzz --knobs recursive --count 2000
}

# A copy elsewhere: it has its own files, and none when those are gone, though the build directory is there.
case_run() {
  cp -a "$PREFIX" "$DIR/moved"
  runs "$DIR/moved"
  ln -s "$DIR/moved/bin/mmu86" "$DIR/link"
  quietly "$DIR/link" fuzz --knobs recursive --count 2000
  # bench measures its own loop.
  printf 'no ROM' >"$DIR/moved/share/mmu86/loop.rom"
  "$DIR/moved/bin/mmu86" bench >"$DIR/log" 2>&1
  [ $? = 2 ] && grep -q "$DIR/moved/share/mmu86/loop.rom: " "$DIR/log" || fail "bench takes another loop"
  rm -r "$DIR/moved/share/mmu86"
  "$DIR/moved/bin/mmu86" run >"$DIR/log" 2>&1
  [ $? = 2 ] || fail "a kernel from elsewhere"
  grep -q 'no default kernel: .*moved/bin/.*/kernel.elf$' "$DIR/log" || fail "it does not say where the kernel is not"
}

case_manual() {
  local pages=("$PREFIX"/share/man/man1/*) command page version
  version=$("$PREFIX/bin/mmu86" --version)
  [ ${#pages[@]} = $((2 + $(commands | wc -l))) ] || fail "pages of other commands than there are: ${pages[*]}"
  for command in "" sc $(commands); do
    page=$PREFIX/share/man/man1/mmu86${command:+-$command}.1.gz
    [ -f "$page" ] || fail "$command has no page"
    gzip -dc "$page" >"$DIR/page" || fail "$page is not compressed"
    gzip -9n <"$DIR/page" | cmp -n 9 - "$page" >"$DIR/log" || fail "$page is not compressed as gzip -9n does"
    for section in NAME SYNOPSIS DESCRIPTION OPTIONS "EXIT STATUS" EXAMPLES "SEE ALSO"; do
      grep -qx "\.SH $section" "$DIR/page" || fail "$page: no $section"
    done
    grep -q "^\.TH .*\"$version\"" "$DIR/page" || fail "$page is not of $version"
    groff -ww -man -Tascii -P-cbou "$DIR/page" >"$DIR/text" 2>"$DIR/log" || fail "$page"
    [ -s "$DIR/log" ] && fail "$page has warnings"
    [ "$command" = sc ] && continue
    for option in $(options $command); do
      grep -qE -- "^ *$option( |$)" "$DIR/text" || fail "$page: $option is missing"
    done
  done
  # Where a reader looks; and what a page refers to is there.
  for command in "" fuzz sc; do MANPATH=$PREFIX/share/man quietly man -w "mmu86${command:+-$command}"; done
  for page in $(zcat "${pages[@]}" | sed 's/\\f.//g; s/\\-/-/g' | grep -oE '\bmmu86(-[a-z]+)?[" ]*\(1\)' | tr -d '" ()' | sed 's/1$//' | sort -u); do
    [ -f "$PREFIX/share/man/man1/$page.1.gz" ] || fail "pages refer to $page(1), which is not there"
  done
}

# What --help names, taken from it by other means than those that the pages and the completion are made with.
commands() { "$PREFIX/bin/mmu86" --help | sed -n '/^Usage/,/--help/s/^  \([a-z]*\) .*/\1/p' | grep -v '^mmu86$'; }
options() { "$PREFIX/bin/mmu86" "$@" --help | grep -oP '^  (mmu86 )?(COMMAND )?\K--[a-z-]+'; }

# completes EXPECTED WORD ...: what is offered for the last word, after $program.
program=mmu86
completes() {
  local want=$1; shift
  COMP_WORDS=($program "$@") COMP_CWORD=$#
  COMPREPLY=()
  _mmu86
  local got want_sorted
  got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | xargs)
  want_sorted=$(printf '%s\n' $want | sort | xargs)
  [ "$got" = "$want_sorted" ] || fail "$program $*: offers \"$got\", not \"$want_sorted\""
}

case_completion() {
  . "$PREFIX/share/bash-completion/completions/mmu86"
  complete -p mmu86 | grep -q -- '-F _mmu86' || fail "not registered"
  [ "$(commands | wc -l)" -ge 10 ] || fail "--help names only $(commands)"
  completes "$(commands) --help --version" ""
  completes "replay report" re
  for command in $(commands); do completes "$(options "$command")" "$command" --; done
  cd "$DIR" && touch boot.trace boot.fst
  completes "386 486 pentium ppro" run --cpu ""
  completes "pentium ppro" run --cpu = p
  completes "architectural" fuzz --check a
  completes "rtl" sweep --dut r
  completes "restart" run --on-reset re
  completes "boot.trace boot.fst" replay b
  completes "boot.trace boot.fst" run --wave b
  completes "merge" coverage m
  completes "" fuzz --seed ""
  completes "$("$PREFIX/bin/mmu86" fuzz --help | sed -n '/^Suites/,/^$/s/^  \([a-z]*\).*/\1/p')" fuzz --suite ""
  completes "recursive" fuzz --knobs rec
  # The program over SystemC, by the file that bash looks for; it measures nothing.
  unset -f _mmu86; complete -r mmu86 mmu86-sc
  . "$PREFIX/share/bash-completion/completions/mmu86-sc"
  complete -p mmu86-sc | grep -q -- '-F _mmu86' || fail "mmu86-sc is not registered"
  for program in mmu86-sc "$PREFIX/bin/mmu86-sc"; do
    completes "$(commands | grep -vx bench) --help --version" ""
    completes "replay report" re
    completes "$(options replay)" replay --
    completes "boot.trace boot.fst" run --wave b
  done
  "$PREFIX/bin/mmu86-sc" bench >"$DIR/log" 2>&1 && fail "mmu86-sc has a bench"
  program=mmu86
  completes "bench" be
}

case_deb() {
  quietly cpack --config "$BUILD/CPackConfig.cmake" -B "$DIR/out"
  local deb
  deb=$(find "$DIR/out" -maxdepth 1 -name 'mmu86_*.deb')
  dpkg-deb --info "$deb" >"$DIR/log" || fail "no package"
  for field in "Package: mmu86" "Version: " "Maintainer: " "Architecture: $(dpkg --print-architecture)"; do
    grep -q "^ $field" "$DIR/log" || fail "the control file lacks $field"
  done
  # Each library that the program needs is of a package that it depends on.
  for library in libjansson.so.4 libzstd.so.1 libc.so.6; do
    readelf -dW "$PREFIX/bin/mmu86" | grep -q "NEEDED.*$library" || fail "$library is not needed"
  done
  for package in libc6 libjansson4 libzstd1 libstdc++6 libsystemc zlib1g; do
    grep "^ Depends: " "$DIR/log" | grep -qF "$package (" || fail "it does not depend on $package"
  done
  # What is installed is in it, and nothing else.
  (cd "$PREFIX" && find . ! -type d | sort) >"$DIR/installed"
  dpkg -x "$deb" "$DIR/root"
  (cd "$DIR/root/usr" && find . ! -type d | sort) >"$DIR/packed"
  printf '%s\n' ./share/doc/mmu86/changelog.gz ./share/lintian/overrides/mmu86 | sort - "$DIR/installed" >"$DIR/expected"
  diff "$DIR/expected" "$DIR/packed" >"$DIR/log" || fail "what is installed (<) and packed (>) differ"
  # Manual pages are as Debian wants them.
  for page in "$DIR"/root/usr/share/man/man1/*; do
    gzip -dc "$page" 2>"$DIR/log" | gzip -9n | cmp -n 9 - "$page" >"$DIR/log" || fail "$page is not compressed by gzip -9n"
  done
  [ "$(ls "$DIR/root")" = usr ] || fail "files outside /usr"
  readelf -SW "$DIR/root/usr/bin/mmu86" | grep -q '\.debug_info' && fail "it is not stripped"
  readelf -SW "$DIR/root/usr/share/mmu86/kernel.elf" | grep -q '\.symtab' || fail "the kernel's symbols are gone"
  find "$DIR/root" ! -type l -perm /022 >"$DIR/log"
  [ -s "$DIR/log" ] && fail "others may write these"
  runs "$DIR/root/usr"
  policy "$deb"
}

# policy DEB: lintian finds nothing in it but what is meant: the owners choose a licence, a packager his address and libdir; there is
# one package for program and library, a library for simulators has no version, and CPack's scripts call ldconfig.
policy() {
  lintian --allow-root --tag-display-limit 0 "$1" >"$DIR/lint" 2>&1
  sed -n 's/^[EW]: mmu86: \([a-z0-9-]*\).*/\1/p' "$DIR/lint" | sort -u | grep -vx -e no-copyright-file -e 'bogus-mail-host.*' \
    -e pkg-config-unavailable-for-cross-compilation -e package-name-doesnt-match-sonames -e shared-library-lacks-version \
    -e link-to-shared-library-in-wrong-package -e maintscript-calls-ldconfig >"$DIR/log" && fail "lintian: $(cat "$DIR/log")"
  grep -q 'no-copyright-file' "$DIR/lint" || fail "lintian says something else: $(cat "$DIR/lint")"
}

"case_$CASE"
