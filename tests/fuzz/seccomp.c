/* Any text as a profile, for several machines: what compiles is a program that the kernel would take and that ends
   with an answer. */
#define OCIRT_IMPLEMENTATION
#include "../../ocirt.h"

static void check(const struct ocirt__seccomp_filter *f) {
    if (f->count == 0 || f->count > 4096) __builtin_trap();
    for (uint32_t at = 0; at < f->count; at++) {
        const struct ocirt__seccomp_insn *i = &f->program[at];
        bool last = i->code == OCIRT__BPF_RETURN;
        if (i->code == OCIRT__BPF_JUMP ? i->k >= f->count - at - 1 : !last && at + 1 + (i->yes > i->no ? i->yes : i->no) >= f->count) __builtin_trap();
    }
}

static void compile(ocirt_arena *arena, const ocirt_spec *spec, uint32_t native) {
    struct ocirt__seccomp_filter f;
    ocirt_error   error = {0};
    uint64_t      args[6] = {0, 1, UINT64_MAX, 1ull << 32, 5, 40};
    int r = ocirt__seccomp_compile(arena, spec->document, spec->linux_->seccomp, native, &f, &error);
    if (r < 0 && !error.message[0]) __builtin_trap();
    if (r < 0) return;
    check(&f);
    for (uint32_t number = 0; number < 1024; number += 7)
        if (ocirt__seccomp_eval(f.program, f.count, native, number, args, NULL) == UINT32_MAX - 1) __builtin_trap();
}

static int nowhere(void *user, const char *text, size_t size) {
    (void)user, (void)text, (void)size;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ocirt_arena   arena = {0};
    ocirt__buffer text = {.arena = &arena};
    ocirt_spec   *spec;
    ocirt_error   error;
    ocirt__buffer_text(&text, "{\"ociVersion\":\"1.0.0\",\"linux\":{\"seccomp\":");
    ocirt__buffer_put(&text, data, size);
    ocirt__buffer_text(&text, "}}");
    if (ocirt_spec_load(&arena, text.data, text.size, NULL, &spec, &error) == 0 && spec->linux_ && spec->linux_->seccomp) {
        for (int row = 0; row < OCIRT__SECCOMP_ARCHS; row += 4) compile(&arena, spec, ocirt__seccomp_audit(row));
        ocirt_seccomp_print(spec, NULL, nowhere, NULL, &error);
    }
    ocirt_arena_free(&arena);
    return 0;
}
