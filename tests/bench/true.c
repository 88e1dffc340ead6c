/* true.c: the program in the container: nothing but an exit, without a libc where that is easy.
 *
 * cc -Os -static -nostdlib -o true true.c        x86_64, aarch64, riscv64
 * cc -Os -static -DLIBC -o true true.c           elsewhere
 */
#if defined(LIBC)
int main(void) { return 0; }
#else
void _start(void);
void _start(void) {
#if defined(__x86_64__)
    __asm__ volatile("syscall" : : "a"(231), "D"(0) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long nr __asm__("x8") = 94;
    register long status __asm__("x0") = 0;
    __asm__ volatile("svc 0" : : "r"(nr), "r"(status) : "memory");
#elif defined(__riscv) && __riscv_xlen == 64
    register long nr __asm__("a7") = 94;
    register long status __asm__("a0") = 0;
    __asm__ volatile("ecall" : : "r"(nr), "r"(status) : "memory");
#else
#error "compile with -DLIBC"
#endif
    for (;;) {
    }
}
#endif
