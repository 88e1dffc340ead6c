#!/bin/sh
# bench.sh [-n ROUNDS] [-w MS]: measure ocirt against crun, runc and the kernel's floor
# (tests/bench/floor.c), in paired rounds (tests/bench/bench.c). Needs root and a C compiler.
# bench.sh fetch: only fetch the peers. bench.sh steps [N]: where the floor's time goes.
# bench.sh seccomp [-n ROUNDS] [-w MS]: what an engine's default profile ($PROFILE) costs; needs jq.
#     On a busy machine the processor time tells more than the time.
#
# The peers are $CRUN and $RUNC (none: without it), else those on PATH, else Debian's packages: sid's,
# or of the suites in $PEERS. They are unpacked into build/peers/, never installed. The newer libraries
# they need are put in place in a mount namespace of our own: a loader cache that lists the unpacked
# libraries first, and the unpacked loader over the machine's. So each program starts as an installed
# one does, without a wrapper, an environment variable or a patch.
#
# In that namespace /sys/fs/cgroup is the cgroup2 mount alone: on a hybrid host the peers would
# otherwise make v1 cgroups too. Every contender sees the same, and has the same config.json.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
peers=$top/build/peers
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "bench: $*" >&2; exit 1; }
have() { command -v "$1" > /dev/null 2>&1; }

# ---- the peers ----

# An apt of our own, beside the machine's: its lists and cache stay below build/peers/.
own() {
    tool=$1; shift
    "$tool" -qq -o Dir::Etc::sourcelist="$peers/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$peers/apt" -o Dir::State::status="$peers/apt/status" \
        -o Dir::Cache="$peers/apt" -o Dir::Cache::pkgcache=pkg.bin -o Dir::Cache::srcpkgcache=src.bin \
        -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# unpack SUITE: crun, runc and all the libraries they need into build/peers/root
unpack() {
    # The mirror is the one that this machine's apt is set up with, whichever that is.
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
        'Label: Debian' 'Component: main' | head -n 1)
    [ -n "$mirror" ] || die "apt knows no Debian mirror (run apt-get update first)"
    [ -e $keyring ] || die "no $keyring (package debian-archive-keyring)"
    rm -rf "$peers"
    mkdir -p "$peers/apt/lists/partial" "$peers/apt/archives/partial" "$peers/deb" "$peers/root"
    : > "$peers/apt/status"
    echo "deb [signed-by=$keyring] $mirror $1 main" > "$peers/apt/sources.list"
    own apt-get update || return 1
    # With no package installed a simulated installation lists all that is needed.
    own apt-get -s --no-install-recommends install crun runc > "$peers/apt/plan" || return 1
    packages=$(sed -n 's/^Inst \([^ ]*\).*/\1/p' "$peers/apt/plan" | sort -u)
    # shellcheck disable=SC2086
    (cd "$peers/deb" && own apt-get download $packages) || return 1
    for deb in "$peers/deb"/*.deb; do dpkg-deb -x "$deb" "$peers/root" || return 1; done
    rm -rf "$peers/deb" "$peers/apt"
    echo "$1" > "$peers/suite"
}

fetch() {
    [ ! -e "$peers/suite" ] || return 0
    have apt-get || die "no apt: give the programs in \$CRUN and \$RUNC"
    for suite in ${PEERS:-sid trixie bookworm}; do
        if unpack "$suite"; then return; fi
        echo "bench: no peers from $suite" >&2
    done
    die "no peers (CRUN=none RUNC=none measures without them)"
}

# where NAME GIVEN: the program to measure: as given, on PATH, or from a package
where() {
    if [ -n "$2" ]; then
        [ "$2" = none ] || command -v "$2"
    elif have "$1"; then
        command -v "$1"
    else
        fetch >&2
        find "$peers/root" -path "*bin/$1" -type f
    fi
}

build() {
    flags="-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Os -static -s"
    cc=${CC:-cc}
    [ -n "${CC:-}" ] || ! have musl-gcc || cc=musl-gcc
    # shellcheck disable=SC2086
    {
        $cc $flags -o build/bench tests/bench/bench.c
        $cc $flags -o build/bench-floor tests/bench/floor.c
        $cc $flags -nostdlib -o build/bench-true tests/bench/true.c 2> /dev/null ||
            $cc $flags -DLIBC -o build/bench-true tests/bench/true.c
        # ./ocirt is as it was built; a second one with musl, since libc is a part of the time.
        [ ! -e ocirt.c ] || ! have musl-gcc ||
            musl-gcc $flags -w -ffunction-sections -fdata-sections -Wl,--gc-sections \
                -o build/ocirt-musl ocirt.c
    }
}

# ---- in a mount namespace of our own ----

private_mounts() {
    mount --make-rprivate /
    if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
        unified=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
        if [ -n "$unified" ]; then
            mount --bind "$unified" /sys/fs/cgroup
        else
            mount -t cgroup2 cgroup2 /sys/fs/cgroup
        fi
        echo "cgroups: not a cgroup2 host; all contenders saw its cgroup2 mount alone"
    fi
    case "$CRUN $RUNC" in *"$peers"*) ;; *) return 0 ;; esac
    loader=$(echo "$peers"/root/usr/lib/*/ld-linux-*.so.*)
    [ -e "$loader" ] || loader=$(echo "$peers"/root/lib/*/ld-linux-*.so.*) # before the merged /usr
    [ -e "$loader" ] || die "no loader in $peers"
    ours=/lib64/${loader##*/}
    [ -e "$ours" ] || ours=/lib/${loader##*/}
    { dirname "$loader"; ls -d "$peers"/root/usr/lib/*-linux-gnu; cat /etc/ld.so.conf.d/*.conf; } \
        > "$peers/ld.so.conf"
    ldconfig -X -f "$peers/ld.so.conf" -C "$peers/ld.so.cache" 2> /dev/null
    mount --bind "$peers/ld.so.cache" /etc/ld.so.cache
    # From here to the end of the next line the machine's own loader would find a libc not its own.
    "$loader" /bin/mount --bind "$loader" "$ours"
    echo "peers: Debian $(cat "$peers/suite"), with the libraries of that suite"
}

# size PROGRAM: of the stripped program, and of the libraries it needs but libc
size() {
    strip -o "$dir/stripped" "$1" 2> /dev/null || cp "$1" "$dir/stripped"
    bytes=$(wc -c < "$dir/stripped")
    rm -f "$dir/stripped"
    libs=$(ldd "$1" 2> /dev/null | awk '/=> \// && !/libc\.so/ { print $3 }' | xargs -r cat | wc -c)
    echo "$((bytes / 1024))$([ "$libs" = 0 ] || echo " + $((libs / 1024))")"
}

# contender NAME KIND PROGRAM [PROFILE]: its folder, and its words for bench
contender() {
    [ -x "$3" ] || return 0
    home=$dir/$(echo "$1" | tr -dc a-z0-9.)
    mkdir -p "$home/state" "$home/bundle/rootfs/proc" "$home/bundle/rootfs/sys" \
        "$home/bundle/rootfs/dev"
    mount -t tmpfs -o mode=700 state "$home/state" # as /run is on a host; gone with this namespace
    cp build/bench-true "$home/bundle/rootfs/payload-true"
    config "${4:-}" > "$home/bundle/config.json"
    printf '%s\n' "$1" "$2" "$3" "$home" "$(size "$3")" >> "$dir/words"
}

# peer PROGRAM: with its name and version as the contender's name
peer() {
    [ -z "$1" ] || contender "$(peer_name "$1")" oci "$1"
}
peer_name() { "$1" --version | sed 's/ version / /; s/[+-].*//; q'; }

# pair NAME PROGRAM: without the profile and with it
pair() {
    [ -x "$2" ] || return 0
    contender "$1" oci "$2"
    contender "$1, profile" oci "$2" "$dir/profile.json"
}

# profile FILE: linux.seccomp for this machine from an engine's own format, as an engine makes it for a
# container that has no capability but the usual ones: its rules for others are left out.
profile() {
    have jq || die "no jq"
    [ -e "$1" ] || die "no $1 (Debian: golang-github-containers-common; or name a profile in \$PROFILE)"
    case $(uname -m) in
    x86_64) name=amd64 arch=SCMP_ARCH_X86_64 ;;
    aarch64) name=arm64 arch=SCMP_ARCH_AARCH64 ;;
    *) die "no name for $(uname -m) in such a profile" ;;
    esac
    jq -c --arg name "$name" --arg arch "$arch" --argjson caps '["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]' '
        def fits: (.arches // []) as $a | ($a == [] or ($a | index($name)));
        {defaultAction, defaultErrnoRet,
         architectures: [.archMap[] | select(.architecture == $arch) | .architecture, .subArchitectures[]],
         syscalls: [.syscalls[]
            | select((.includes // {} | fits) and ((.includes.caps // []) - $caps == []))
            | select(((.excludes.arches // []) | index($name) | not) and ((.excludes.caps // []) - $caps == (.excludes.caps // [])))
            | {names, action, errnoRet, args} | with_entries(select(.value != null and .value != []))]}
        | with_entries(select(.value != null))' "$1"
}

leave() {
    for state in "$dir"/*/state; do
        for id in "$state"/bench-*; do
            [ -e "$id" ] || continue
            for program in "$top/ocirt" "$CRUN" "$RUNC"; do
                [ ! -x "$program" ] ||
                    "$program" --root "$state" delete -f "${id##*/}" > /dev/null 2>&1 || :
            done
        done
    done
    rmdir /sys/fs/cgroup/bench-[0-9]* /sys/fs/cgroup/floor-[0-9]* 2> /dev/null || :
    umount "$dir"/*/state 2> /dev/null || :
    rm -rf "$dir"
}

measure() {
    dir=$top/build/bench.d
    rm -rf "$dir"
    mkdir -p "$dir"
    trap leave EXIT
    trap 'exit 1' INT TERM
    private_mounts
    if [ "${1:-}" = steps ]; then
        contender floor floor "$top/build/bench-floor"
        build/bench-floor -t "$dir/floor/bundle/rootfs" "${2:-100}"
        return
    fi
    echo "kernel: $(uname -r), $(nproc) cpus, load $(cut -d' ' -f1-3 /proc/loadavg)"
    if [ "${1:-}" = seccomp ]; then
        shift
        profile "${PROFILE:-/usr/share/containers/seccomp.json}" > "$dir/profile.json"
        echo "profile: $(jq -r '"\(.syscalls | length) rules, \([.syscalls[].names[]] | length) names"' "$dir/profile.json")"
        pair ocirt "$top/ocirt"
        [ -z "$CRUN" ] || pair "$(peer_name "$CRUN")" "$CRUN"
        [ -z "$RUNC" ] || pair "$(peer_name "$RUNC")" "$RUNC"
        set -- -d "$@"
        compete "$@"
        return
    fi
    contender "bare process" bare "$top/build/bench-true"
    contender floor floor "$top/build/bench-floor"
    contender ocirt oci "$top/ocirt"
    contender "ocirt musl" oci "$top/build/ocirt-musl"
    peer "$CRUN"
    peer "$RUNC"
    echo "ratios: median of those within each round (in brackets: ratio of the medians)"
    compete "$@"
}

compete() {
    # shellcheck disable=SC2046
    (IFS='
'; set -f; build/bench "$@" $(cat "$dir/words"))
}

# config [PROFILE]: the default spec of crun 1.28 without a terminal (runc's has no ambient capabilities).
config() {
    if [ -n "${1:-}" ]; then
        config | jq -c --slurpfile profile "$1" '.linux.seccomp = $profile[0]'
        return
    fi
    cat << 'EOF'
{
    "ociVersion": "1.0.0",
    "process": {
        "terminal": false,
        "user": { "uid": 0, "gid": 0 },
        "args": [ "/payload-true" ],
        "env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "TERM=xterm"
        ],
        "cwd": "/",
        "capabilities": {
            "bounding": [ "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE" ],
            "effective": [ "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE" ],
            "inheritable": [],
            "permitted": [ "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE" ],
            "ambient": [ "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE" ]
        },
        "rlimits": [ { "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 } ],
        "noNewPrivileges": true
    },
    "root": { "path": "rootfs", "readonly": true },
    "hostname": "crun",
    "mounts": [
        { "destination": "/proc", "type": "proc", "source": "proc" },
        { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
          "options": [ "nosuid", "strictatime", "mode=755", "size=65536k" ] },
        { "destination": "/dev/pts", "type": "devpts", "source": "devpts",
          "options": [ "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" ] },
        { "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
          "options": [ "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" ] },
        { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
          "options": [ "nosuid", "noexec", "nodev" ] },
        { "destination": "/sys", "type": "sysfs", "source": "sysfs",
          "options": [ "nosuid", "noexec", "nodev", "ro" ] },
        { "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
          "options": [ "nosuid", "noexec", "nodev", "relatime", "ro" ] }
    ],
    "linux": {
        "resources": { "devices": [ { "allow": false, "access": "rwm" } ] },
        "namespaces": [
            { "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" },
            { "type": "cgroup" }, { "type": "mount" }
        ],
        "maskedPaths": [
            "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
            "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
            "/proc/scsi"
        ],
        "readonlyPaths": [
            "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"
        ]
    }
}
EOF
}

if [ -n "${BENCH_INSIDE:-}" ]; then
    measure "$@"
    exit
fi
[ "${1:-}" != fetch ] || { fetch; exit; }
[ "$(id -u)" = 0 ] || die "needs root"
mkdir -p build
build
CRUN=$(where crun "${CRUN:-}")
RUNC=$(where runc "${RUNC:-}")
export CRUN RUNC BENCH_INSIDE=1
# Two measurements at once would only measure each other: the second one waits.
exec flock -o build/bench.lock unshare -m sh tests/bench.sh "$@"
