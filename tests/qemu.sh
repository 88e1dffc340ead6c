# qemu.sh, to be sourced: machine LOG SECONDS QEMU-ARGUMENT...: runs one until it ends by itself; its first serial
# line becomes LOG. Returns qemu's exit code, 124 or 137 at the limit.
machine() {
    log=$1 limit=$2 code=0
    shift 2
    # With a thread for each processor, qemu 7.2 now and then runs code that the kernel has just
    # patched over: "Oops: int3" while booting.
    timeout --foreground -k 5 "$limit" qemu-system-x86_64 -accel "${OCIRT_VM_ACCEL:-tcg,thread=single}" -cpu max \
        -no-reboot -nodefaults -display none -serial stdio "$@" < /dev/null > "$log.raw" 2>&1 || code=$?
    tr -d '\r' < "$log.raw" > "$log"
    rm -f "$log.raw"
    return $code
}
