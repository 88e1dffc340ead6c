#!/bin/sh
# vm.sh [KERNEL...]: the test program as init of small virtual machines, on each kernel and with
# each kind of root. Kernels are version prefixes of Debian's packages.
#   OCIRT_TESTS=PATTERN    only these tests
#   OCIRT_VM_MODES=...     of: initramfs tmpfs
#   OCIRT_VM_INIT=FILE     the test program (build/ocirt-test)
#   OCIRT_VM_ADD=FOLDER    what is in there is in the machine's root too (tests/criu.sh)
#   OCIRT_VM_TIMEOUT=900   seconds for one machine
#   OCIRT_VM_ACCEL=kvm     instead of emulation, where that works
#   OCIRT_VM_ARGS=...      further kernel arguments (security=selinux)
# Consoles are kept in build/vm/KERNEL-MODE.log.
set -eu
cd "$(dirname "$0")/.."
. tests/qemu.sh
vm=$PWD/build/vm
limit=${OCIRT_VM_TIMEOUT:-900}
closing='^[0-9][0-9]* passed, [0-9][0-9]* failed, [0-9][0-9]* skipped$'

one() {
    name=$1-$2
    log=$vm/$name.log
    args="console=ttyS0 panic=-1 quiet loglevel=1 ocirt.root=$2"
    [ -z "${OCIRT_TESTS:-}" ] || args="$args ocirt.tests=$OCIRT_TESTS"
    [ -z "${OCIRT_TIME:-}" ] || args="$args ocirt.time=$OCIRT_TIME"
    [ -z "${OCIRT_CI:-}" ] || args="$args ocirt.ci=$OCIRT_CI"
    [ -z "${OCIRT_SKIP_OK:-}" ] || args="$args ocirt.skip_ok=$OCIRT_SKIP_OK"
    cat "$vm/init.cpio" "$vm/$1/modules.cpio" > "$vm/$name.initrd"
    [ -z "${OCIRT_VM_ADD:-}" ] || (cd "$OCIRT_VM_ADD" && find . | cpio -o -H newc --quiet) >> "$vm/$name.initrd"
    # Two memory nodes with a processor each: there is something to choose from.
    numa=
    for node in 0 1; do
        numa="$numa -object memory-backend-ram,id=m$node,size=256M -numa node,nodeid=$node,cpus=$node,memdev=m$node"
    done
    started=$(date +%s)
    code=0
    # shellcheck disable=SC2086 # words
    machine "$log" "$limit" -smp 2 -m 512M $numa -kernel "$vm/$1/vmlinuz" -initrd "$vm/$name.initrd" \
        -append "$args ${OCIRT_VM_ARGS:-}" || code=$?
    took=$(($(date +%s) - started))
    rm -f "$vm/$name.initrd"
    counts=$(grep "$closing" "$log" | tail -n 1) || true
    if [ -z "$counts" ]; then
        case $code in
        124 | 137) why="no end after $limit s" ;;
        *) why="no closing line, qemu's exit code is $code" ;;
        esac
        counts=$(awk '/^ok/ { p++ } /^not ok/ { f++ }
            END { printf "%d passed, %d failed, 0 skipped\n", p, f + 1 }' "$log")
    else
        why=
    fi
    echo "$counts" > "$vm/$name.counts"
    {
        echo "$(cat "$vm/$1/version") $2: $counts, $took s${why:+ ($why)}"
        # Failures with the first of what they say.
        awk '/^not ok/ { n = 6 } /^ok/ { n = 0 } n-- > 0 { print "    " $0 }' "$log"
        [ -z "$why" ] || { grep -E -m 3 'panic|Oops|BUG:' "$log"; tail -n 5 "$log"; } | sed 's/^/    | /'
    } > "$vm/$name.report"
    cat "$vm/$name.report" # in one go, so that two machines' reports don't mix
}

if [ "${1:-}" = --one ]; then
    one "$2" "$3"
    exit
fi

[ $# -gt 0 ] || set -- 5.10 6.1 6.12 7
for tool in qemu-system-x86_64 cpio xz; do
    command -v $tool > /dev/null || { echo "vm: needs $tool (Debian: qemu-system-x86 cpio xz-utils)" >&2; exit 1; }
done
init=${OCIRT_VM_INIT:-build/ocirt-test}
mkdir -p "$vm/init"
cp "$init" "$vm/init/init"
(cd "$vm/init" && echo init | cpio -o -H newc --quiet > ../init.cpio)
rm -f "$vm"/*.counts "$vm"/*.report
for kernel; do
    if sh tests/vm-kernel.sh "$kernel"; then
        for mode in ${OCIRT_VM_MODES:-initramfs tmpfs}; do echo "$kernel $mode"; done
    else
        echo "$kernel: no kernel" >&2
        echo "0 passed, 1 failed, 0 skipped" > "$vm/$kernel.counts"
    fi
done > "$vm/jobs"
# Software emulation keeps a core busy for each machine.
xargs -r -n 2 -P 2 sh tests/vm.sh --one < "$vm/jobs" || echo "vm: a run broke off" >&2
while read -r kernel mode; do
    [ -e "$vm/$kernel-$mode.counts" ] ||
        echo "0 passed, 1 failed, 0 skipped" > "$vm/$kernel-$mode.counts"
done < "$vm/jobs"
cat "$vm"/*.counts | awk '{ p += $1; f += $3; s += $5 }
    END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }'
