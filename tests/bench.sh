#!/bin/sh
# bench.sh [ARG...]: measure ocirt against crun, runc and the kernel's floor (tests/bench/floor.c).
# ARGs go to build/bench: -h shows them. Needs root, a cgroup2 mount, a C compiler.
#
# The peers are those on PATH (or in $CRUN and $RUNC), else Debian's packages: sid's, or those of the
# suites in $PEERS. They are unpacked into build/peers/, never installed. What they need of newer
# libraries is put in place in a mount namespace of our own: the unpacked loader over the machine's,
# and a loader cache that lists the unpacked libraries first. So each program starts as an installed
# one would, without a wrapper, an environment variable or a patch.
#
# In that namespace /sys/fs/cgroup is the cgroup2 mount alone: on a hybrid host the peers would
# otherwise make v1 cgroups too. Every contender sees the same.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
peers=$top/build/peers
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "bench: $*" >&2; exit 1; }
have() { command -v "$1" > /dev/null 2>&1; }

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
    rm -rf "$peers/deb"
    echo "$1" > "$peers/suite"
}

fetch() {
    [ ! -e "$peers/suite" ] || return 0
    have apt-get && have dpkg-deb || die "no apt: give the programs in \$CRUN and \$RUNC"
    for suite in ${PEERS:-sid trixie bookworm}; do
        if unpack "$suite"; then return; fi
        echo "bench: no peers from $suite" >&2
    done
    die "no peers (CRUN=none RUNC=none measures without them)"
}
if [ "${1:-}" = fetch ]; then fetch; exit; fi
