#!/usr/bin/env bash
# static_library.sh CC... IN.a OUT.a: the objects of IN.a as one, in which hidden symbols are local, so that a program that links
# OUT.a can have any names of its own but respan_*.
set -eu
out=${!#}
set -- "${@:1:$#-1}"
in=${!#}
set -- "${@:1:$#-1}"
"$@" -nostdlib -r -Wl,--whole-archive "$in" -Wl,--no-whole-archive -o "$out.o"
"${OBJCOPY:-objcopy}" --localize-hidden "$out.o"
rm -f "$out"
"${AR:-ar}" rcsD "$out" "$out.o"
rm -f "$out.o"
