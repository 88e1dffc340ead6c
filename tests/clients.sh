#!/bin/sh
# clients.sh [GLOB...]: real engines over ocirt, in a virtual machine of Debian's packages: once with systemd as init,
# once without. A case that fails is tried with crun and runc. GLOB chooses among ENGINE.CASE.RUNTIME.
#   OCIRT_CLIENTS=short    what CI has time for; long: the rest; peers: each case with crun and runc too
#   OCIRT_CLIENTS_BOOTS=.. of: systemd plain
#   OCIRT_CLIENTS_MANAGER= cgroupfs in both boots
#   OCIRT_CLIENTS_OCIRT=F  the program under test (built static with musl)
#   OCIRT_VM_TIMEOUT=3600  seconds for one machine
#   OCIRT_VM_ACCEL=kvm     instead of emulation, where that works
# The system is made once, below build/clients/; remove that folder to get newer packages.
set -eu
cd "$(dirname "$0")/.."
. tests/apt.sh
. tests/qemu.sh
here=$PWD/build/clients
root=$here/root
packages="podman conmon crun runc buildah containerd docker.io docker-cli criu libcriu2 netavark passt uidmap catatonit mount
    iptables nftables systemd systemd-sysv dbus dbus-user-session busybox-static base-passwd libc-bin liblzma5 kmod iproute2
    dash bash bsdutils coreutils findutils grep sed gawk procps util-linux tar gzip curl"

for tool in qemu-system-x86_64 mke2fs xz; do
    command -v $tool > /dev/null || die "needs $tool (Debian: qemu-system-x86 e2fsprogs xz-utils)"
done
[ "$(id -u)" = 0 ] || die "needs root, for the owners of the system's files"

download() {
    [ ! -e "$here/debs/ready" ] || return 0
    lists
    mkdir -p "$here/debs/partial"
    # No maintainer script will run, so what only they need can stay away.
    # shellcheck disable=SC2086
    own apt-get install -y --no-install-recommends --download-only -t sid -o Dir::Cache::archives="$here/debs" \
        $packages || die "download failed"
    version=$(kernel_version 7)
    [ -n "$version" ] || die "no kernel 7 on the mirror"
    mkdir -p "$here/debs/kernel"
    # shellcheck disable=SC2046
    (cd "$here/debs/kernel" && own apt-get download $(kernel_packages "$version")) || die "no kernel"
    touch "$here/debs/ready"
}

# Packages are unpacked, not installed: their scripts would want a machine that runs.
unpack() {
    rm -rf "$root"
    mkdir -p "$root"
    dpkg-deb -x "$here"/debs/base-files_*.deb "$root" # /bin -> usr/bin, before anything has a /bin
    for deb in "$here"/debs/*.deb "$here"/debs/kernel/*.deb; do
        dpkg-deb -x "$deb" "$root"
    done
    for place in doc man locale info lintian zoneinfo bash-completion zsh fish; do rm -rf "$root/usr/share/$place"; done
    # What a virtual machine without devices has no use for.
    (cd "$root"/usr/lib/modules/*/kernel && rm -rf sound arch/x86/kvm drivers/gpu drivers/infiniband drivers/scsi \
        drivers/net/ethernet drivers/hid drivers/usb drivers/hv drivers/xen)
    mv "$(find "$root/boot" "$root/usr/lib/modules" -name 'vmlinuz*' -type f | head -n 1)" "$here/vmlinuz"
    rm -rf "$root/boot"
}

# The little of the maintainer scripts' work that is needed.
configure() {
    cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
    printf '%s\n' user:x:1000:1000::/home/user:/bin/sh containers:x:999:999::/:/bin/false >> "$root/etc/passwd"
    echo "user:x:1000:" >> "$root/etc/group"
    for file in subuid subgid; do
        printf '%s\n' user:100000:65536 root:200000:65536 containers:1000000:1000000 > "$root/etc/$file"
    done
    mkdir -p "$root/home/user" "$root/root"
    chown 1000:1000 "$root/home/user"
    printf '%s required pam_permit.so\n' auth account password session > "$root/etc/pam.d/other"
    cp "$root/etc/pam.d/other" "$root/etc/pam.d/systemd-user"
    mkdir -p "$root/etc/systemd/system/user@.service.d" # pam_systemd's work
    printf '[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/%%i\n' > "$root/etc/systemd/system/user@.service.d/clients.conf"
    rm -rf "$root/var/run"
    ln -s /run "$root/var/run"
    # Nothing is left to do at the first boot.
    touch "$root/etc/.updated" "$root/var/.updated"
    ln -sf gawk "$root/usr/bin/awk"
    for tool in iptables ip6tables iptables-restore ip6tables-restore; do ln -sf xtables-nft-multi "$root/usr/sbin/$tool"; done
    chmod u+s "$root/usr/bin/newuidmap" "$root/usr/bin/newgidmap"
    echo clients > "$root/etc/hostname"
    echo "127.0.0.1 localhost clients" > "$root/etc/hosts"
    echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
    for file in fstab resolv.conf; do : > "$root/etc/$file"; done
    chroot "$root" ldconfig
    chroot "$root" systemd-sysusers 2> /dev/null || die "systemd-sysusers failed"
    chroot "$root" depmod "$(ls "$root/usr/lib/modules")" || die "depmod failed"
    box
    cat > "$root/usr/sbin/clients" << 'END'
#!/bin/sh
[ -c /dev/ttyS0 ] || mount -t devtmpfs devtmpfs /dev
mkdir -p /clients
tar -xf /clients.tar -C /clients
exec sh /clients/clients-guest.sh
END
    chmod 755 "$root/usr/sbin/clients"
    cat > "$root/etc/systemd/system/clients.target" << 'END'
[Unit]
Requires=basic.target dbus.socket clients.service
After=basic.target
AllowIsolate=yes
END
    cat > "$root/etc/systemd/system/clients.service" << 'END'
[Unit]
After=basic.target dbus.socket
[Service]
ExecStart=/usr/sbin/clients
Delegate=yes
TasksMax=infinity
OOMPolicy=continue
StandardOutput=journal+console
END
}

# An image for the engines, in the form that docker save writes: no registry is there.
box() {
    box=$here/box
    rm -rf "$box"
    mkdir -p "$box/root/bin" "$box/root/etc" "$box/root/tmp" "$box/root/root" "$root/usr/share/clients"
    cp "$root/usr/bin/busybox" "$box/root/bin/busybox"
    for applet in $(chroot "$root" busybox --list | grep -vx busybox); do ln -sf busybox "$box/root/bin/$applet"; done
    printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000::/tmp:/bin/sh > "$box/root/etc/passwd"
    printf '%s\n' root:x:0: user:x:1000: more:x:2000:user > "$box/root/etc/group"
    chmod 1777 "$box/root/tmp"
    tar -C "$box/root" --owner 0 --group 0 -cf "$box/layer.tar" .
    cp "$box/layer.tar" "$root/usr/share/clients/root.tar"
    sum=$(sha256sum "$box/layer.tar")
    cat > "$box/config.json" << END
{"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:${sum%% *}"]},
 "config": {"Env": ["PATH=/bin", "OF_IMAGE=yes"], "Cmd": ["/bin/sh"]}}
END
    echo '[{"Config": "config.json", "RepoTags": ["localhost/box:latest"], "Layers": ["layer.tar"]}]' > "$box/manifest.json"
    tar -C "$box" -cf "$root/usr/share/clients/box.tar" manifest.json config.json layer.tar
    sed -i 's|"/bin/sh"|"sleep", "1000000"|' "$box/config.json" # what holds a pod of CRI
    sed -i 's|/box:|/pause:|' "$box/manifest.json"
    tar -C "$box" -cf "$root/usr/share/clients/pause.tar" manifest.json config.json layer.tar
    rm -rf "$box"
}

# A file system without a journal: nobody boots it twice.
image() {
    rm -f "$here/image.tmp"
    truncate -s 4G "$here/image.tmp"
    mke2fs -q -t ext4 -O ^has_journal -m 0 -E lazy_itable_init=1 -d "$root" "$here/image.tmp"
    rm -rf "$root"
    mv "$here/image.tmp" "$here/image"
}

system() {
    [ ! -e "$here/image" ] || return 0
    download
    unpack
    configure
    image
}

boot() {
    name=$1
    shift
    case $name in
    systemd) init=systemd.unit=clients.target manager=systemd ;;
    plain) init=init=/usr/sbin/clients manager=cgroupfs ;;
    *) die "no boot $name" ;;
    esac
    rm -rf "$here/$name" "$here/$name.result"
    mkdir -p "$here/$name"
    cp "$ocirt" "$here/$name/ocirt"
    cp tests/clients-guest.sh tests/clients-cri.sh examples/podman-ocirt.conf examples/containerd-ocirt.toml examples/docker-daemon.json "$here/$name"
    printf '%s\n' "$@" > "$here/$name/globs"
    echo "boot=$name which='${OCIRT_CLIENTS:-}' manager=${OCIRT_CLIENTS_MANAGER:-$manager}" > "$here/$name/settings"
    tar -cf "$here/clients.tar" -C "$here/$name" .
    for request in "rm clients.tar" "write $here/clients.tar clients.tar"; do
        debugfs -w -R "$request" "$here/image" > "$here/debugfs.log" 2>&1
    done
    rm -rf "${here:?}/$name"
    code=0
    machine "$here/$name.log" "${OCIRT_VM_TIMEOUT:-3600}" -smp 1 -m 2G -kernel "$here/vmlinuz" \
        -serial "file:$here/$name.result" -snapshot \
        -drive "file=$here/image,format=raw,cache=unsafe,if=none,id=disk" -device nvme,serial=disk,drive=disk \
        -append "console=ttyS0 root=/dev/nvme0n1 rw panic=-1 quiet loglevel=4 mitigations=off $init" || code=$?
    rm -f "$here/clients.tar"
    tr -d '\r' < "$here/$name.result" > "$here/$name.txt"
    rm -f "$here/$name.result"
    if ! grep -q '^end$' "$here/$name.txt"; then
        echo "not ok - $name: the machine did not end by itself (exit code $code)"
        tail -n 5 "$here/$name.log" | sed 's/^/# /'
    fi
}

started=$(date +%s)
mkdir -p "$here"
system
echo "# system: $(($(date +%s) - started)) s"
ocirt=${OCIRT_CLIENTS_OCIRT:-./ocirt}
: > "$here/results"
for name in ${OCIRT_CLIENTS_BOOTS:-plain systemd}; do
    started=$(date +%s)
    boot "$name" "$@" > "$here/$name.broken"
    sed "s/^\(ok\|not ok\|skip\) - /&$name./; /^end$/d" "$here/$name.txt" | cat - "$here/$name.broken" | tee -a "$here/results"
    echo "# $name: $(($(date +%s) - started)) s"
done
awk '/^ok/ { p++ } /^not ok/ { f++ } /^skip/ { s++ }
    END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || !p }' "$here/results"
