#!/bin/sh
# Build, test and install ocirt: ./build.sh help
# Needs a C compiler. CC, CFLAGS and DESTDIR are honoured; cross-compile by setting CC.
set -eu
cd "$(dirname "$0")"
mkdir -p build

std="-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion"
cc=${CC:-cc}
flags=${CFLAGS--O2}

die() { echo "build.sh: $*" >&2; exit 1; }
have() { command -v "$1" > /dev/null 2>&1; }
# links COMPILER FLAG...: does a program get built with these?
links() {
    case $* in # libFuzzer brings its own main
    *fuzzer*) echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' ;;
    *) echo 'int main(void) { return 0; }' ;;
    esac > build/probe.c
    # shellcheck disable=SC2068
    $@ -o build/probe build/probe.c > /dev/null 2>&1
}
static_flag() { if links "$1" -static; then echo -static; fi; }

# The functions below rely on words being split.
# shellcheck disable=SC2086,SC2046
{
build_cli() { $cc $std $flags $(static_flag "$cc") -o ocirt ocirt.c; }

build_static() {
    cc=${CC:-musl-gcc}
    have "$cc" || die "no $cc (Debian: musl-tools); ./build.sh alone links statically to glibc"
    small=-Os
    if links "$cc" -Oz; then small=-Oz; fi # gcc 12, any clang
    $cc $std ${CFLAGS-$small -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-stack-protector -fmerge-all-constants -fno-jump-tables -fno-pie -no-pie -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,--build-id=none} -static -s \
        -o ocirt ocirt.c
    echo "ocirt: $(wc -c < ocirt) bytes, static, stripped"
}

# The test program is tester and payload in one file, so it is static where that can be had.
build_test() {
    [ -n "${CC:-}" ] || ! have musl-gcc || cc=musl-gcc
    $cc $std $flags -g -pthread -I. $(static_flag "$cc") -o build/ocirt-test tests/*.c
}

sanitizer() {
    for c in ${CC:-clang gcc}; do
        if links "$c" "-fsanitize=$1"; then echo "$c"; return; fi
    done
    die "no compiler links with -fsanitize=$1 (Debian: clang and libclang-rt-14-dev)"
}

test_asan() {
    (build_test) # its static form is the payload: a container has no loader and no sanitizer
    cc=$(sanitizer address,undefined)
    $cc $std -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
        -fno-sanitize-recover=undefined -pthread -I. -o build/ocirt-asan tests/*.c
    OCIRT_TIME=${OCIRT_TIME:-3} OCIRT_TEST_PAYLOAD=$PWD/build/ocirt-test exec build/ocirt-asan "$@"
}

# Valgrind 3.19 knows no pidfd_open, so what makes containers can't run under it.
test_valgrind() {
    have valgrind || die "no valgrind"
    $cc $std -O1 -g -pthread -I. -o build/ocirt-valgrind tests/*.c # dynamic: malloc is replaced
    [ $# -gt 0 ] || set -- 'unit.*'
    OCIRT_TIME=${OCIRT_TIME:-10} exec valgrind -q --error-exitcode=99 build/ocirt-valgrind "$@"
}

demo() {
    build_cli
    rm -rf build/demo
    mkdir -p build/demo/rootfs
    links "$cc" -static || die "the demo's rootfs is one static program, and $cc finds no static libc
  (Debian: libc6-dev; Fedora: glibc-static; or CC=musl-gcc)"
    $cc $std $flags -static -o build/demo/rootfs/hello examples/hello.c
    rootless=
    [ "$(id -u)" = 0 ] || rootless=--rootless
    (cd build/demo && ../../ocirt spec $rootless)
    sed -e 's/"terminal": *true/"terminal": false/' -e 's/"sh"/"\/hello"/' \
        build/demo/config.json > build/demo/config.new
    mv build/demo/config.new build/demo/config.json
    echo "+ ./ocirt run --bundle build/demo demo-$$"
    ./ocirt run --bundle build/demo "demo-$$"
}

fuzz() {
    cc=$(sanitizer fuzzer,address,undefined)
    passed=0 failed=0
    for source in tests/fuzz/*.c; do
        name=$(basename "$source" .c)
        seeds=
        [ ! -d "tests/fuzz/$name" ] || seeds=tests/fuzz/$name
        mkdir -p "build/fuzz/$name"
        echo "# $name"
        if $cc -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -I. \
            -o "build/fuzz-$name" "$source" && "build/fuzz-$name" -max_total_time="${1:-60}" \
            -print_final_stats=1 -artifact_prefix="build/fuzz/$name-" "build/fuzz/$name" $seeds
        then
            passed=$((passed + 1))
            echo "ok - fuzz $name"
        else
            failed=$((failed + 1))
            echo "not ok - fuzz $name"
        fi
    done 2>&1
    echo "$passed passed, $failed failed, 0 skipped"
    [ "$failed" = 0 ]
}

# Our seccomp programs beside libseccomp's: profiles named here, those of installed engines, and random ones.
seccomp() {
    cc=${CC:-gcc}
    echo '#include <seccomp.h>' | $cc -E - > /dev/null 2>&1 || die "no seccomp.h (Debian: libseccomp-dev)"
    $cc $std $flags -I. -o build/seccomp-peer tests/peer/seccomp.c -lseccomp
    [ $# -gt 0 ] || set -- $(ls /usr/share/containers/seccomp.json 2> /dev/null)
    exec build/seccomp-peer "$@"
}

vm() {
    build_test
    [ -n "$(static_flag "$cc")" ] || die "the machine's only program must be static (musl-tools)"
    exec sh tests/vm.sh "$@"
}

# Engines of Debian's packages with ocirt, crun and runc below them.
clients() {
    (build_static)
    exec sh tests/clients.sh "$@"
}

install_to() {
    [ ocirt -nt ocirt.h ] && [ ocirt -nt ocirt.c ] || build_cli
    to=${DESTDIR:-}${1:-/usr/local}
    mkdir -p "$to/bin" "$to/include"
    cp ocirt "$to/bin/ocirt"
    cp ocirt.h "$to/include/ocirt.h"
    chmod 755 "$to/bin/ocirt"
    chmod 644 "$to/include/ocirt.h"
}
}

usage() {
    cat << EOF
./build.sh                  build ./ocirt
./build.sh static           build ./ocirt small and static with musl
./build.sh demo             build, make a bundle from one static program, run it
./build.sh test [ARG...]    build and run the test program
./build.sh test-asan        the same with address and undefined behaviour sanitizers
./build.sh valgrind         its unit tests under valgrind
./build.sh vm [KERNEL...]   the same as init of virtual machines (5.10 6.1 6.12 7)
./build.sh clients [GLOB..] podman, buildah, containerd and Docker over it, in virtual machines
./build.sh fuzz [SECONDS]   each fuzz target for so long (60)
./build.sh seccomp [FILE..] compare with libseccomp: config.json or an engine's profile
./build.sh lint             all compilers, libcs, switches, C++; and the examples run
./build.sh bench [ARG...]   measure
./build.sh install [PREFIX] bin/ocirt and include/ocirt.h below PREFIX (/usr/local)
EOF
}

command=${1:-build}
[ $# = 0 ] || shift
case $command in
build) build_cli ;;
static) build_static ;;
demo) demo ;;
test) build_test && exec build/ocirt-test "$@" ;;
test-asan) test_asan "$@" ;;
valgrind) test_valgrind "$@" ;;
vm) vm "$@" ;;
clients) clients "$@" ;;
fuzz) fuzz "$@" ;;
seccomp) seccomp "$@" ;;
lint) exec sh tests/lint.sh ;;
bench) exec sh tests/bench.sh "$@" ;;
install) install_to "$@" ;;
help | -h | --help) usage ;;
*) usage >&2; exit 2 ;;
esac
