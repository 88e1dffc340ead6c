/* The walls that everyone meets who makes a container by hand, taken through the API, as an ordinary
   user: map the own id to root (setgroups must be denied first), be process 1 of a new pid namespace
   (which takes a fork), and only then mount an own /proc, in which /proc/self is 1.
   cc -static -I. -o by_hand examples/by_hand.c && ./by_hand
   With an argument it is the program inside; without, it makes the container. */
#define OCIRT_IMPLEMENTATION
#include "ocirt.h"

static int inside(void) {
    char self[32] = "", map[128] = "", groups[16] = "";
    int  fd;
    if (readlink("/proc/self", self, sizeof self - 1) < 0) return 1;
    if ((fd = open("/proc/self/uid_map", O_RDONLY)) < 0 || read(fd, map, sizeof map - 1) < 0) return 1;
    if ((fd = open("/proc/self/setgroups", O_RDONLY)) < 0 || read(fd, groups, sizeof groups - 1) < 0) return 1;
    printf("readlink /proc/self: %s\nuid: %d, mapped: %ssetgroups: %s", self, (int)getuid(), map, groups);
    return 0;
}

static int copy_self(const char *path) {
    char buffer[65536];
    int  from = open("/proc/self/exe", O_RDONLY), to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0755);
    ssize_t n = -1;
    while (from >= 0 && to >= 0 && (n = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, (size_t)n) != n) return -1;
    close(from);
    return close(to) == 0 && n == 0 ? 0 : -1;
}

static int print(void *user, const char *text, size_t size) {
    return fwrite(text, 1, size, user) == size ? 0 : -1;
}

int main(int argc, char **argv) {
    ocirt_options options = {.stage = ocirt_stage(argc, argv), .flags = OCIRT_WITHOUT_CGROUPS};
    ocirt_mount   proc    = {.destination = "/proc", .type = "proc", .source = "proc"};
    ocirt_namespace namespaces[] = {{.type = OCIRT_NS_USER}, {.type = OCIRT_NS_PID}, {.type = OCIRT_NS_MOUNT}};
    ocirt_id_mapping uid = {.host_id = geteuid(), .size = 1}, gid = {.host_id = getegid(), .size = 1};
    ocirt_linux   on      = {.namespaces = namespaces, .namespaces_count = 3, .uid_mappings = &uid, .uid_mappings_count = 1, .gid_mappings = &gid, .gid_mappings_count = 1};
    const char   *args[]  = {"/init", "inside"};
    ocirt_process process = {.args = {args, 2}, .cwd = "/"};
    ocirt_root    root    = {0};
    ocirt_spec    spec    = {.oci_version = "1.3.0", .root = &root, .mounts = &proc, .mounts_count = 1, .process = &process, .linux_ = &on};
    char folder[] = "/tmp/by-hand-XXXXXX", program[64], state[64], *made[] = {"dev/fd", "dev/stdin", "dev/stdout", "dev/stderr", "dev/core", "dev/ptmx",
        "dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom", "dev/tty", "dev", "proc", "init", "state", "."};
    ocirt_error error;
    ocirt_exit  end = {.code = 1};
    if (argc > 1) return inside();
    if (!mkdtemp(folder)) return perror(folder), 1;
    snprintf(program, sizeof program, "%s/init", folder);
    snprintf(state, sizeof state, "%s/state", folder);
    root.path = folder, options.state_root = state;
    if (copy_self(program) < 0) return perror(program), 1;
    if (ocirt_run(&spec, folder, "by-hand", &options, &end, &error) < 0) ocirt_error_print(&error, OCIRT_ERROR_FULL, print, stderr);
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) { /* mount points and links that the run has left in the folder */
        char path[96];
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        if (unlink(path) < 0) rmdir(i + 1 < sizeof made / sizeof made[0] ? path : folder);
    }
    return end.code;
}
