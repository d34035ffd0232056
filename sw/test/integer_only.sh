#!/bin/sh
# integer_only.sh OBJDUMP IMAGE: fails if the image contains an x87, MMX or SSE instruction.
set -u
code=$("$1" -d "$2") || exit 1
if printf '%s\n' "$code" | grep -E '%(st|mm[0-7]|xmm)|[[:space:]](f(ld|st|add|init|wait|nop)|emms|ldmxcsr)'; then exit 1; fi
