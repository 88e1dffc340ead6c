# apt.sh, to be sourced at the top of the tree: an apt of our own, beside the machine's. Its lists and its cache stay
# below build/vm/apt/, so it may read other suites of Debian than the machine does.
apt=$PWD/build/vm/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "${0##*/}: $*" >&2; exit 1; }

# own TOOL ARG...
own() {
    tool=$1; shift
    "$tool" -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$apt" -o Dir::State::status=/dev/null -o Dir::Cache="$apt" \
        -o Dir::Cache::pkgcache=pkg.bin -o Dir::Cache::srcpkgcache=src.bin \
        -o APT::Architecture=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o Acquire::Retries=3 "$@"
}

# Reads the suites' lists, once.
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
    # A suite that has left the mirror only costs what was in it.
    own apt-get update || echo "${0##*/}: some suites could not be read" >&2
    touch "$apt/ready"
}

# The newest cloud kernel that VERSION, a prefix of it, means.
kernel_version() {
    own apt-cache search --names-only '^linux-image-[0-9].*-cloud-amd64$' | cut -d' ' -f1 |
        grep -E "^linux-image-$(echo "$1" | sed 's/\./\\./g')([.+-].*)?-cloud-amd64$" |
        sort -V | tail -n 1 | sed 's/^linux-image-//'
}
# Newer ones are split into image, binary and modules.
kernel_packages() {
    own apt-cache search --names-only \
        "^linux-(image|binary|modules|base)-$(echo "$1" | sed 's/[.+]/\\&/g')\$" | cut -d' ' -f1
}
