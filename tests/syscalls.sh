#!/bin/sh
# syscalls.sh [HEADERS OLD]: print the tables of calls for >>seccomp in ocirt.h, from the kernel's own headers.
# HEADERS and OLD are folders with Debian's linux-libc-dev unpacked: the newest, and one of at most 6.18,
# the last kernels with 31-bit s390. Without arguments both are fetched into build/syscalls/.
set -eu
cd "$(dirname "$0")/.."
dir=$PWD/build/syscalls
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# As tests/vm-kernel.sh does: an apt beside the machine's, with lists of its own.
own() {
    tool=$1; shift
    "$tool" -qq -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$dir" -o Dir::State::status=/dev/null -o Dir::Cache="$dir" \
        -o APT::Architecture=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

fetch() { # SUITE
    rm -rf "$dir"
    mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/$1"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
        'Label: Debian' 'Component: main' | head -n 1)
    echo "deb [signed-by=$keyring] $mirror $1 main" > "$dir/sources.list"
    own apt-get update
    (cd "$dir" && own apt-get download linux-libc-dev && dpkg-deb -x linux-libc-dev_*.deb "../syscalls-$1")
    rm -rf "$dir"
}

if [ $# = 2 ]; then
    new=$1 old=$2
else
    for suite in sid trixie; do [ -d "build/syscalls-$suite" ] || fetch $suite; done
    new=build/syscalls-sid old=build/syscalls-trixie
fi
new=$new/usr/lib/linux/uapi old=$old/usr/lib/linux/uapi

# Lines "PORT NAME NUMBER"; numbers without the ports' offsets.
numbers() { # PORT FILE
    sed -nE "s/^#define __NR_([a-z0-9_]+)[[:space:]]+\(?([A-Za-z0-9_]+ *\+ *)?([0-9]+)\)?[[:space:]]*$/$1 \1 \3/p" "$2"
}
{
    numbers i386 "$new/x86/asm/unistd_32.h"
    numbers x86_64 "$new/x86/asm/unistd_64.h"
    numbers generic "$new/arm64/asm/unistd_64.h"
    numbers x32 "$new/x86/asm/unistd_x32.h"
    numbers arm "$new/arm/asm/unistd-eabi.h"
    # The names of calls that exist on ARM alone (__ARM_NR_), as 1000 + number, and an alias of asm/unistd.h.
    sed -nE 's/^#define __ARM_NR_([a-z0-9_]+)[[:space:]]+\(__ARM_NR_BASE\+([0-9]+)\)/arm \1 100\2/p' "$new/arm/asm/unistd.h"
    numbers arm "$new/arm/asm/unistd-eabi.h" | sed -n 's/arm_sync_file_range /sync_file_range2 /p'
    numbers riscv "$new/riscv/asm/unistd_64.h"
    numbers loongarch "$new/loongarch/asm/unistd_64.h"
    numbers ppc "$new/powerpc/asm/unistd_32.h"
    numbers ppc64 "$new/powerpc/asm/unistd_64.h"
    numbers s390 "$old/s390/asm/unistd_32.h"
    numbers s390x "$new/s390/asm/unistd_64.h"
    numbers mips "$new/mips/asm/unistd_o32.h"
    numbers n64 "$new/mips/asm/unistd_n64.h"
    numbers n32 "$new/mips/asm/unistd_n32.h"
    numbers parisc "$new/parisc/asm/unistd_32.h"
    numbers parisc64 "$new/parisc/asm/unistd_64.h"
    numbers m68k "$new/m68k/asm/unistd_32.h"
    numbers sh "$new/sh/asm/unistd_32.h"
} | LC_ALL=C sort -k 2,2 | awk '
# A row of 118 columns at most, broken between items.
function put(item) {
    if (length(line) + length(item) > 116) { print line tail; line = "   " }
    line = line " " item
}
function flush_line(end) { print line end; line = "   " }
{ number[$1, $2] = $3; at[$1, $3] = $2; if (!($2 in seen)) { seen[$2] = 1; names[++count] = $2 } }
END {
    columns = split("i386 x86_64 generic", column)
    print "#define OCIRT__SECCOMP_CALLS(C, NO) \\"
    line = "   "; tail = " \\"
    for (i = 1; i <= count; i++) {
        item = "C(" names[i]
        for (c = 1; c <= columns; c++) item = item ", " ((column[c], names[i]) in number ? number[column[c], names[i]] : "NO")
        put(item ")")
    }
    flush_line("\n")
    ports = split("x32 n64 n32 riscv loongarch sh arm ppc ppc64 s390 s390x mips parisc parisc64 m68k", port)
    base["x32"] = base["n64"] = "x86_64"; base["n32"] = "n64"; base["riscv"] = base["loongarch"] = "generic"
    base["arm"] = base["parisc"] = "sh"; base["ppc64"] = "ppc"; base["s390x"] = "s390"; base["parisc64"] = "parisc"
    tail = ""
    for (p = 1; p <= ports; p++) {
        this = port[p]; like = base[this] ? base[this] : "i386"
        print "static const struct ocirt__seccomp_run ocirt__seccomp_" this "[] = { /* after " like " */"
        runs = open = 0
        for (n = 0; n < 1024; n++) {
            if (!((this, n) in at)) continue
            # Of two names for a number `at` has one.
            name = at[this, n]; has = (like, name) in number; d = has ? n - number[like, name] : 0
            follows = has && open && d == delta
            if (follows) for (b = number[like, last] + 1; b < number[like, name]; b++) if ((like, b) in at) follows = 0
            if (follows) length_of[runs]++
            else { runs++; first[runs] = n; call[runs] = name; length_of[runs] = 1 }
            open = has; delta = d; last = name
        }
        for (i = 1; i <= count; i++) # the other name
            if ((this, names[i]) in number && at[this, number[this, names[i]]] != names[i]) { runs++; first[runs] = number[this, names[i]]; call[runs] = names[i]; length_of[runs] = 1 }
        for (r = 1; r <= runs; r++) put("OCIRT__R(" first[r] ", " call[r] ", " length_of[r] ")" (r < runs ? "," : "};"))
        flush_line("")
        total += runs
    }
    printf "%d calls, %d runs\n", count, total > "/dev/stderr"
}'
