#!/bin/sh
# Installs the Debian packages that mmu86 is built with and that are missing here.
# As root, or through sudo; where neither is possible it prints what to install.
set -eu

packages="cmake make gcc g++ gcc-multilib pkg-config check libzydis-dev libzstd-dev libjansson-dev zlib1g-dev
          verilator yosys qemu-system-x86 seabios memtest86+ clang-format python3 gdb clang-14
          libclang-rt-14-dev dpkg-dev file groff-base man-db lintian gtkwave xvfb imagemagick chromium chromium-driver libsystemc-dev
          doxygen ccache"

missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
  run=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  run="sudo"
elif command -v sudo >/dev/null && [ -t 0 ]; then
  run="sudo"
else
  echo "mmu86: packages are missing and cannot be installed without root; ask for: $install" >&2
  exit 2
fi
echo "mmu86: installing$missing" >&2
$run apt-get update -q >&2
$run env DEBIAN_FRONTEND=noninteractive $install >&2
