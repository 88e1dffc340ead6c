/* Any text as a config: what loads is written and loads again as the same, and a plan can be made or is
   refused with a message. */
#define OCIRT_IMPLEMENTATION
#include "../../ocirt.h"

static int collect(void *user, const char *text, size_t size) {
    ocirt__buffer_put(user, text, size);
    return 0;
}

static void plan(ocirt_arena *arena, const ocirt_spec *spec) {
    static const ocirt_probe probe = {.kernel_version = 6u << 16, .capabilities = ~0ull, .initial_userns = true, .cgroup_mount = "/sys/fs/cgroup",
                                      .cgroup_own = "/", .cgroup_controllers = "cpu memory pids cpuset"};
    ocirt_plan   *made;
    ocirt_error   error;
    ocirt__buffer text = {.arena = arena};
    int r = ocirt_plan_build(arena, spec, "/bundle", "fuzz", NULL, &probe, &made, &error);
    if (r == 0) ocirt_plan_print(made, OCIRT_PLAN_JSON, collect, &text);
    else if (!error.message[0]) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ocirt_arena   arena = {0};
    ocirt_spec   *spec, *again;
    ocirt_error   error;
    ocirt__buffer first = {.arena = &arena}, second = {.arena = &arena};
    if (ocirt_spec_load(&arena, (const char *)data, size, NULL, &spec, &error) == 0) {
        ocirt_spec_write(spec, collect, &first, &error);
        if (ocirt_spec_load(&arena, first.data, first.size, NULL, &again, &error) < 0) __builtin_trap();
        ocirt_spec_write(again, collect, &second, &error);
        if (strcmp(first.data, second.data) != 0) __builtin_trap();
        plan(&arena, spec);
    } else if (!error.message[0]) {
        __builtin_trap();
    }
    ocirt_arena_free(&arena);
    return 0;
}
