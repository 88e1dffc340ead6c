#!/bin/sh
# vm-kernel.sh VERSION...: put Debian's newest cloud kernel of each VERSION (5.10, 7, 6.12.90)
# into build/vm/VERSION/: vmlinuz, config, version, modules.cpio.
# A kernel that is there already is kept; remove build/vm to get newer ones.
set -eu
cd "$(dirname "$0")/.."
vm=$PWD/build/vm
apt=$vm/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# Wanted in the guest where they are not built in. Missing ones are no error: what needs them skips.
modules="overlay fuse binfmt_misc dummy veth loop brd bfq"

die() { echo "vm-kernel: $*" >&2; exit 1; }

# An apt of our own, beside the machine's: its lists and cache stay below build/vm/.
own() {
    tool=$1; shift
    "$tool" -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$apt" -o Dir::State::status=/dev/null -o Dir::Cache="$apt" \
        -o Dir::Cache::pkgcache=pkg.bin -o Dir::Cache::srcpkgcache=src.bin \
        -o APT::Architecture=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o Acquire::Retries=3 "$@"
}

lists() {
    [ ! -e "$apt/ready" ] || return 0
    # The mirror is the one that this machine's apt is set up with, whichever that is.
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
        'Label: Debian' 'Component: main' | head -n 1)
    [ -n "$mirror" ] || die "apt knows no Debian mirror (run apt-get update first)"
    [ -e $keyring ] || die "no $keyring (package debian-archive-keyring)"
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    for suite in bullseye bookworm trixie trixie-backports sid; do
        echo "deb [signed-by=$keyring] $mirror $suite main"
    done > "$apt/sources.list"
    # A suite that has left the mirror only costs the kernels that were in it.
    own apt-get update || echo "vm-kernel: some suites could not be read" >&2
    touch "$apt/ready"
}

unpacked() {
    case $1 in
    *.xz) xz -dc "$1" ;;
    *.zst) zstd -dcq "$1" ;;
    *) cat "$1" ;;
    esac
}

# Add module $1 and, before it, what it depends on.
add_module() {
    ! grep -qx "$1.ko" "$out/modules/order" || return 0
    # Files spell a name with - or _ as they like.
    file=$(find "$tmp" -name "$(echo "$1" | sed 's/[-_]/[-_]/g').ko*" | head -n 1)
    [ -n "$file" ] || return 0
    unpacked "$file" > "$out/modules/$1.ko"
    for dep in $(tr '\0' '\n' < "$out/modules/$1.ko" | sed -n 's/^depends=//p' | tr , ' '); do
        add_module "$dep"
    done
    echo "$1.ko" >> "$out/modules/order"
}

fetch() {
    out=$vm/$1
    [ ! -e "$out/modules.cpio" ] || return 0
    lists
    name=$(own apt-cache search --names-only '^linux-image-[0-9].*-cloud-amd64$' | cut -d' ' -f1 |
        grep -E "^linux-image-$(echo "$1" | sed 's/\./\\./g')([.+-].*)?-cloud-amd64$" |
        sort -V | tail -n 1)
    [ -n "$name" ] || die "no kernel $1 on the mirror"
    version=${name#linux-image-}
    rm -rf "$out"
    tmp=$out/deb
    mkdir -p "$tmp" "$out/modules"
    : > "$out/modules/order"
    # Newer packages are split into image, binary and modules.
    packages=$(own apt-cache search --names-only \
        "^linux-(image|binary|modules|base)-$(echo "$version" | sed 's/[.+]/\\&/g')\$" | cut -d' ' -f1)
    # shellcheck disable=SC2086
    (cd "$tmp" && own apt-get download $packages) || die "download of $packages failed"
    for deb in "$tmp"/*.deb; do dpkg-deb -x "$deb" "$tmp"; done
    cp "$(find "$tmp" -name 'vmlinuz*' -type f | head -n 1)" "$out/vmlinuz"
    cp "$(find "$tmp" \( -name "config-$version" -o -path "*/$version/config" \) -type f |
        head -n 1)" "$out/config"
    for module in $modules; do add_module "$module"; done
    echo "$version" > "$out/version"
    (cd "$out" && find modules | cpio -o -H newc --quiet > modules.tmp)
    rm -rf "$tmp"
    mv "$out/modules.tmp" "$out/modules.cpio"
}

bad=0
for kernel; do
    (set -e; fetch "$kernel") || bad=1
done
exit $bad
