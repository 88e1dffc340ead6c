#!/bin/sh
# criu.sh [SUITE]: criu of a Debian suite (sid), with all it needs, into build/criu/: a root for OCIRT_VM_ADD.
#   OCIRT_VM_ADD=build/criu OCIRT_TESTS='checkpoint.*' ./build.sh vm 6.12
# build/criu/criu runs it here: OCIRT_TEST_CRIU=$PWD/build/criu/criu ./build.sh test 'checkpoint.*'
set -eu
cd "$(dirname "$0")/.."
. tests/apt.sh
to=$PWD/build/criu
suite=${1:-sid}
lists
rm -rf "$to"
mkdir -p "$to/deb"
# tar, and by a shell gzip, are what criu packs a tmpfs with; ip and iptables are for networks.
own apt-get -t "$suite" -s --no-install-recommends install criu tar gzip dash iproute2 iptables > "$to/plan"
packages=$(sed -n 's/^Inst \([^ ]*\).*/\1/p' "$to/plan" | sort -u)
# shellcheck disable=SC2086 # words
(cd "$to/deb" && own apt-get -t "$suite" download $packages)
for deb in "$to"/deb/*.deb; do dpkg-deb -x "$deb" "$to"; done
rm -rf "$to/deb" "$to/plan" "$to"/usr/share "$to"/usr/include "$to"/usr/lib/*/gconv "$to"/usr/lib/python3 "$to"/etc "$to"/var
shell=$(dirname "$(find "$to" -path '*bin/dash')")
[ -e "$shell/sh" ] || ln -s dash "$shell/sh"
# alternatives(1)
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    [ -e "$to/usr/sbin/$name" ] || ln -s xtables-nft-multi "$to/usr/sbin/$name"
done
# What is merged by a package that is not here.
for folder in bin sbin lib lib64; do [ -e "$to/$folder" ] || ln -s "usr/$folder" "$to/$folder"; done
loader=$(find "$to" -name 'ld-linux-*.so.*' -type f | head -n 1)
libraries=$(find "$to" -name '*-linux-gnu' -type d | tr '\n' :)
printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$loader" "$libraries" "$to/usr/sbin/criu" > "$to/criu"
chmod 755 "$to/criu"
"$to/criu" --version
