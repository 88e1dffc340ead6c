/* A container without any JSON: no_json ROOTFS PROGRAM [ARGS...]. The structs have the names of the
   runtime specification, and zero means absent.
   cc -I. -o no_json examples/no_json.c */
#define OCIRT_IMPLEMENTATION
#include "ocirt.h"

static int print(void *user, const char *text, size_t size) {
    return fwrite(text, 1, size, user) == size ? 0 : -1;
}

int main(int argc, char **argv) {
    ocirt_options options = {.stage = ocirt_stage(argc, argv)};
    const char   *env[]   = {"PATH=/usr/bin:/bin:/"}, *words[] = {"nosuid", "mode=755"};
    ocirt_mount   mounts[] = {{.destination = "/proc", .type = "proc", .source = "proc"},
                              {.destination = "/dev", .type = "tmpfs", .source = "tmpfs", .options = {words, 2}}};
    ocirt_namespace namespaces[] = {{.type = OCIRT_NS_PID}, {.type = OCIRT_NS_MOUNT}, {.type = OCIRT_NS_IPC},
                                    {.type = OCIRT_NS_UTS}, {.type = OCIRT_NS_USER}};
    ocirt_linux   on      = {.namespaces = namespaces, .namespaces_count = geteuid() ? 5 : 4}; /* root needs no user namespace */
    ocirt_root    root    = {.path = argc > 2 ? argv[1] : ""};
    ocirt_process process = {.args = {(const char **)(argv + 2), (size_t)argc - 2}, .env = {env, 1}, .cwd = "/"};
    ocirt_spec    spec    = {.oci_version = "1.3.0", .root = &root, .mounts = mounts, .mounts_count = 2, .process = &process,
                             .hostname = "no-json", .linux_ = &on};
    ocirt_error   error;
    ocirt_exit    end;
    char          id[32];
    if (argc < 3) return fputs("usage: no_json ROOTFS PROGRAM [ARGS...]\n", stderr), 2;
    ocirt_make_id(id);
    if (ocirt_run(&spec, ".", id, &options, &end, &error) == 0) return end.code;
    ocirt_error_print(&error, OCIRT_ERROR_FULL, print, stderr);
    return 125;
}
