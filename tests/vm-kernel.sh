#!/bin/sh
# vm-kernel.sh VERSION...: put Debian's newest cloud kernel of each VERSION (5.10, 7, 6.12.90)
# into build/vm/VERSION/: vmlinuz, config, version, modules.cpio.
# A kernel that is there already is kept; remove build/vm to get newer ones.
set -eu
cd "$(dirname "$0")/.."
vm=$PWD/build/vm
. tests/apt.sh
# Wanted in the guest where they are not built in. Missing ones are no error: what needs them skips.
modules="overlay fuse binfmt_misc dummy veth loop brd bfq
    unix_diag tcp_diag udp_diag raw_diag af_packet_diag netlink_diag tun nf_tables nf_conntrack_netlink" # what criu asks, and nobody loads

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
    version=$(kernel_version "$1")
    [ -n "$version" ] || die "no kernel $1 on the mirror"
    rm -rf "$out"
    tmp=$out/deb
    mkdir -p "$tmp" "$out/modules"
    : > "$out/modules/order"
    packages=$(kernel_packages "$version")
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
