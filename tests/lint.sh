#!/bin/sh
# lint.sh: the header, the command line and the examples through each compiler, libc, language and
# switch; and the examples run.
# What is compiled is optimised too: some warnings come only then.
set -u
cd "$(dirname "$0")/.."
dir=build/lint
rm -rf $dir
mkdir -p $dir
warn="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I."
passed=0 failed=0 skipped=0

have() { command -v "$1" > /dev/null 2>&1; }
skip() {
    if [ -n "${OCIRT_CI:-}" ]; then
        failed=$((failed + 1)); echo "not ok - no $1"
    else
        skipped=$((skipped + 1)); echo "ok - $1 # SKIP not installed"
    fi
}
# check NAME COMMAND...
check() {
    name=$1; shift
    if "$@" > $dir/log 2>&1; then
        passed=$((passed + 1)); echo "ok - $name"
    else
        failed=$((failed + 1)); echo "not ok - $name"; sed 's/^/    /' $dir/log | head -n 20
    fi
}
# file NAME LINE...: a source file of these lines
file() { out=$dir/$1; shift; printf '%s\n' "$@" > "$out"; }

impl='#define OCIRT_IMPLEMENTATION'
incl='#include "ocirt.h"'
file impl.c "$impl" "$incl"
file decl.c "$incl" "$incl" 'int main(void) { return 0; }'
file later.c "$incl" '#include <stdio.h>' "$impl" "$incl" 'int main(void) { return puts(""); }'
cp $dir/decl.c $dir/decl.cpp
file static.c '#define OCIRT_STATIC' "$impl" "$incl" 'int main(void) { return 0; }'
file static2.c '#define OCIRT_STATIC' "$impl" "$incl" 'int other(void); int other(void) { return 0; }'

# Debian has no musl-clang: clang with musl's headers in place of glibc's.
musl_include=/usr/include/$(uname -m)-linux-musl
clang_musl="clang -nostdinc -isystem $musl_include -isystem $(clang -print-resource-dir 2> /dev/null)/include"

compilers() {
    for c in gcc clang musl-gcc; do
        if have $c; then echo "$c"; else echo "skip $c"; fi
    done
    if have clang && [ -d "$musl_include" ]; then echo "$clang_musl"; else echo "skip clang-musl"; fi
}
compilers > $dir/compilers
switches=$(grep -oE '\bOCIRT_NO_[A-Z0-9_]+' ocirt.h | sort -u)
all=
for s in $switches; do all="$all -D$s=1"; done

# shellcheck disable=SC2086
while read -r c; do
    label=${c%% -nostdinc*}
    [ "$label" = "$c" ] || label=clang-musl
    case $c in skip*) skip "${c#skip }"; continue ;; esac
    for source in ocirt.c $dir/impl.c $dir/static.c; do
        for opt in -O0 -O2; do
            check "$label $opt $(basename $source)" $c -std=c11 $warn $opt -c -o $dir/o.o $source
        done
    done
    for source in examples/*.c; do
        check "$label $source" $c -std=c11 $warn -O1 -c -o $dir/o.o $source
    done
    for dialect in c99 c11 c17 c2x; do
        check "$label -std=$dialect declarations" $c -std=$dialect $warn -c -o $dir/o.o $dir/decl.c
    done
    for s in $switches; do
        check "$label $s" $c -std=c11 $warn -O1 -D$s -c -o $dir/o.o $dir/impl.c
    done
    check "$label all OCIRT_NO_*" $c -std=c11 $warn -O1 $all -c -o $dir/o.o $dir/impl.c
done < $dir/compilers

# Included too late, glibc has fixed its feature set: one clear error instead of twenty.
too_late() { ! gcc -std=c11 -I. -c -o $dir/o.o $dir/later.c 2> $dir/late && grep -q 'before every system header' $dir/late; }
check "included late: one #error" too_late

for c in g++ clang++; do
    have $c || { skip $c; continue; }
    for dialect in c++11 c++17; do
        # shellcheck disable=SC2086
        check "$c -std=$dialect declarations" $c -std=$dialect $warn -c -o $dir/o.o $dir/decl.cpp
    done
done

check "two files, one implementation" cc -I. -o $dir/two $dir/impl.c $dir/decl.c
check "two files, both OCIRT_STATIC" cc -I. -o $dir/two $dir/static.c $dir/static2.c
only_ours() {
    cc -I. -c -o $dir/impl.o $dir/impl.c || return
    ! nm -g --defined-only $dir/impl.o | grep -v ' ocirt_'
}
check "no symbols but ocirt_*" only_ours
# Not position-independent, or constant tables of pointers would count as data.
no_data() {
    cc -I. -fno-pic -c -o $dir/impl.o $dir/impl.c || return
    ! nm $dir/impl.o | grep -E ' [BbCDd] '
}
check "no global variables" no_data

# The examples do what they say, as they are told to be built, as root and as an ordinary user.
# says LINE COMMAND...: it succeeds and prints this line
says() { line=$1; shift; "$@" > $dir/said 2>&1 && grep -qx -- "$line" $dir/said || { cat $dir/said; return 1; }; }
ordinary() {
    if [ "$(id -u)" != 0 ]; then "$@"; else setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; fi
}
leaves_nothing() { [ -z "$(find /tmp -maxdepth 1 -name 'by-hand-*' -newer $dir/compilers)" ]; }
run_examples() { # WHO COMMAND...
    who=$1 at=$place/$1; shift
    mkdir -p "$at/bundle/rootfs" && cp $dir/hello "$at/bundle/rootfs/" && cp $dir/no_json $dir/run_bundle $dir/by_hand "$at"
    sed -e 's/"terminal": *true/"terminal": false/' -e 's/"sh"/"\/hello"/' "$place/$who.json" > "$at/bundle/config.json"
    [ "$who" = root ] || [ "$(id -u)" != 0 ] || chown -R 65534:65534 "$at"
    check "hello of no_json as $who" says "process:  1, child of 0" "$@" "$at/no_json" "$at/bundle/rootfs" /hello
    check "hello of run_bundle as $who" says "ids:      user 0, group 0" "$@" "$at/run_bundle" "$at/bundle"
    check "by_hand as $who" says "readlink /proc/self: 1" "$@" "$at/by_hand"
    check "by_hand as $who leaves nothing" leaves_nothing
}
place=$(mktemp -d)
chmod 755 "$place"
for example in hello no_json run_bundle by_hand; do
    check "build $example" cc -static -I. -o $dir/$example examples/$example.c
done
check "build ocirt" cc -static -I. -o "$place/ocirt" ocirt.c
"$place/ocirt" spec -f - > "$place/root.json"
export XDG_RUNTIME_DIR="$place/ordinary" # of those who have no /run
ordinary "$place/ocirt" spec --rootless -f - > "$place/ordinary.json"
check "hello" says "hello from a container" $dir/hello
if [ "$(id -u)" = 0 ]; then run_examples root env; fi
if have setpriv || [ "$(id -u)" != 0 ]; then run_examples ordinary ordinary; else skip setpriv; fi
rm -rf "$place"

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
