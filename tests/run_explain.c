/* run_explain.c: what went wrong, why, and what helps: the errors that people meet most. */
#include "runs.h"
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define USERNS DEFAULT_NAMESPACES " user"
#define MOUNT(target, type) "{\"destination\":\"" target "\",\"type\":\"" type "\",\"source\":\"" type "\"}"
#define BIND(source, target) "{\"destination\":\"" target "\",\"source\":\"" source "\",\"options\":[\"bind\"]}"

/* The code, and each of the words that stand between bars. */
static void check_words(const char *name, const struct outcome *out, int code, const char *words) {
    EXPECT(out->code == code, "%s: code %d, not %d: %.300s", name, out->code, code, out->err);
    for (char *word = strtok(print("%s", words), "|"); word; word = strtok(NULL, "|"))
        EXPECT(strstr(out->err, word), "%s: no \"%s\" in: %s", name, word, out->err);
    EXPECT(!out->out_n, "%s: the program ran: %.100s", name, out->out);
}

static void explained(struct t *t, const struct config *config, int code, const char *words) {
    struct outcome *out = ran(t, config);
    check_words(words, out, code, words);
    run_ocirt(t, out, "list", "-q");
    CHECK_TEXT(out->out, "");
}

/* The same with something done in the process that becomes the command. */
static void explained_in(struct t *t, void (*child)(void *user), void *user, const struct config *config, int code, const char *words) {
    struct bundle b;
    struct outcome out;
    need_ocirt();
    root_make(t, &b);
    bundle_config(&b, config);
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL}), .child = child, .user = user}, &out);
    if (out.code == 99) SKIP("userns", "the place for this could not be made: %s", out.err);
    check_words(words, &out, code, words);
    outcome_free(&out);
}

/* ---- calls that something around the runtime refuses ---- */

struct refusal {
    const char *calls, *path; /* words between commas; NULL: any path */
    int error;
    unsigned hits;
};

/* Whichever of the runtime's processes makes the call. */
static struct drive_action refuse(void *user, struct call *call) {
    struct refusal *r = user;
    if (!word_in_list(call_name(call->nr), r->calls) || (r->path && (!call->path || strcmp(call->path, r->path)))) return (struct drive_action){DRIVE_GO, 0};
    r->hits++;
    return (struct drive_action){DRIVE_FAIL, r->error};
}

static void with_failure(struct t *t, struct refusal refusal, const struct config *config, const char *words) {
    struct bundle b;
    struct drive drive = {.decide = refuse, .user = &refusal};
    root_make(t, &b);
    bundle_config(&b, config);
    drive_ocirt(t, &drive, "run", "-b", b.path, t->tag);
    if (!refusal.hits) SKIP("kernel", "the runtime does not call %s here", refusal.calls);
    check_words(words, &drive.outcome, 125, words);
    drive_free(&drive);
}

/* ---- procfs and sysfs in a user namespace ---- */

/* As root, who may trace them all. Without a pid namespace the caller's own procfs stands in; the same for sysfs. Where that is not there
 * either, it is told what the fresh one needs. */
static void fresh_needs(struct t *t) {
    need_userns();
    with_failure(t, (struct refusal){"open_tree", "/proc", ENOENT, 0}, &(struct config){.namespaces = "mount ipc uts user"},
                 "on /proc|no such file or directory|/mounts/0|needs a new pid namespace (and so a fork): add {\"type\": \"pid\"}");
    with_failure(t, (struct refusal){"open_tree", "/sys", ENOENT, 0}, &(struct config){.namespaces = USERNS, .mounts = MOUNT("/sys", "sysfs")},
                 "on /sys|no such file or directory|/mounts/2|needs a new network namespace: add {\"type\": \"network\"}, or bind /sys");
}

/* A mount of the caller's over a part of the file system that is to be made afresh. */
static void cover(void *user) {
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) _exit(99);
    if (mount("cover", user, "tmpfs", 0, NULL)) _exit(99);
}

static void covered(struct t *t) {
    char *place = print("%s", "/proc/tty");
    explained_in(t, cover, place, &(struct config){.namespaces = USERNS}, 125,
                 "mount proc on /proc: |operation not permitted|/mounts/0|the caller's own /proc is partly covered (by a mount on /proc/tty)|or bind /proc instead");
}

/* ---- user namespaces ---- */

/* In a user namespace of its own, so that the machine's switch stays as it is. */
static void switch_off(void *user) {
    const char *switched = user;
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) _exit(99);
    if (!file_put("/proc/self/setgroups", "deny") || !file_put("/proc/self/uid_map", print("0 %u 1", uid)) || !file_put("/proc/self/gid_map", print("0 %u 1", gid))) _exit(99);
    if (!file_put(print("/proc/sys/user/max_%s_namespaces", switched), "0")) _exit(99);
    prctl(PR_SET_DUMPABLE, 1);
}

static void namespaces_off(struct t *t) {
    static const char *const kinds[] = {"user", "pid", "net", "ipc", "uts"};
    need_userns();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        explained_in(t, switch_off, (void *)(uintptr_t)kinds[i],
            &(struct config){.namespaces = DEFAULT_NAMESPACES " network user", .linux_ = "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}],"
                                                                                         "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]"},
            125, print("no space left on device|%s namespaces are switched off: sysctl -w user.max_%s_namespaces=", kinds[i], kinds[i]));
}

static void ordinary(struct t *t, const struct config *config, const char *words) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, config);
    CHECK_SYS(chown(b.rootfs, ORDINARY, ORDINARY));
    run_ordinary(t, &out, (const char *const[]){"run", "-b", b.path, t->tag, NULL});
    check_words(words, &out, 125, words);
}

/* What an ordinary user may not. */
static void ordinary_user(struct t *t) {
#define MAPS(uid, size) "\"uidMappings\":[{\"containerID\":0,\"hostID\":" uid ",\"size\":" size "}],\"gidMappings\":[{\"containerID\":0,\"hostID\":65534,\"size\":1}]"
    ordinary(t, &(struct config){.namespaces = DEFAULT_NAMESPACES}, "namespaces need CAP_SYS_ADMIN, which the caller lacks|run as root, or add a user namespace: `ocirt spec --rootless`");
    ordinary(t, &(struct config){.namespaces = USERNS, .linux_ = MAPS("100000", "65536")}, "/linux/uidMappings|or map only the own id");
    ordinary(t, &(struct config){.namespaces = USERNS, .linux_ = MAPS("0", "1")}, "/linux/uidMappings|or map only the own id");
    ordinary(t, &(struct config){.namespaces = USERNS, .linux_ = MAPS("65534", "1"), .process = "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0},"
                                                                                     "{\"type\":\"RLIMIT_NOFILE\",\"soft\":9000000,\"hard\":9000000}]"},
             "operation not permitted|/process/rlimits/1|raising a hard limit needs CAP_SYS_RESOURCE");
#undef MAPS
}

static void clone_refused(struct t *t) {
    static const struct {
        int error;
        const char *words;
    } cases[] = {{EPERM, "operation not permitted|a seccomp filter or LSM around the runtime forbids new user namespaces"},
                 {EAGAIN, "a limit of processes is reached: RLIMIT_NPROC, pids.max"}, {EUSERS, "a limit of namespaces is reached"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        with_failure(t, (struct refusal){"clone3,clone", NULL, cases[i].error, 0}, &(struct config){.namespaces = USERNS}, cases[i].words);
}

static void stage_refused(struct t *t) {
    static const struct {
        int error;
        const char *words;
    } cases[] = {{EPERM, "operation not permitted|a seccomp filter or LSM around the runtime forbids it to start a process"},
                 {EAGAIN, "a limit of processes is reached: RLIMIT_NPROC, pids.max"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        with_failure(t, (struct refusal){"clone3,clone", NULL, cases[i].error, 0}, &(struct config){.namespaces = DEFAULT_NAMESPACES " time"}, cases[i].words);
}

static void pivot_refused(struct t *t) {
    static const struct {
        int error;
        const char *words;
    } cases[] = {{EINVAL, "invalid argument|the root is an initial ramfs|--no-pivot"}, {EPERM, "operation not permitted|CAP_SYS_ADMIN|or a filter forbids it"},
                 {EBUSY, "device or resource busy|not a mount point or lies on the old root"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) with_failure(t, (struct refusal){"pivot_root", NULL, cases[i].error, 0}, NULL, cases[i].words);
}

static void devices_refused(struct t *t) {
    static const struct {
        int error;
        const char *words;
    } cases[] = {{EINVAL, "attach-devices|invalid argument|/linux/resources/devices|CONFIG_CGROUP_BPF"}, {ENOSYS, "attach-devices|CONFIG_BPF_SYSCALL|no filter around the runtime that hides bpf(2)"},
                 {EPERM, "attach-devices|operation not permitted|/linux/resources/devices|CAP_BPF"}, {E2BIG, "attach-devices|too many for this kernel's verifier"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        with_failure(t, (struct refusal){"bpf", NULL, cases[i].error, 0}, &(struct config){.linux_ = "\"resources\":{\"devices\":[{\"allow\":false}]}"}, cases[i].words);
}

/* ---- the root file system, mounts ---- */

static void root_missing(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    file_write(print("%s/plain", b.path), "x");
    CHECK_SYS(symlink("nowhere", print("%s/dangling", b.path)));
    explained(t, &(struct config){.root = "\"path\":\"none\""}, 125,
              print("root file system %s/none: no such file or directory|/root/path|root.path starts at the bundle unless it is absolute", b.path));
    explained(t, &(struct config){.root = "\"path\":\"/none/at/all\""}, 125, "root file system /none/at/all: no such file or directory");
    explained(t, &(struct config){.root = "\"path\":\"plain\""}, 125, print("root file system %s/plain: not a directory|/root/path", b.path));
    explained(t, &(struct config){.root = "\"path\":\"dangling\""}, 125, "dangling: no such file or directory|/root/path");
}

static void bind_sources(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    explained(t, &(struct config){.mounts = BIND("/none/at/all", "/x")}, 125,
              "bind source /none/at/all: no such file or directory|/mounts/2|the source is never created|relative ones start at the bundle");
    explained(t, &(struct config){.mounts = BIND("none", "/x")}, 125, print("bind source %s/none: no such file or directory", b.path));
    CHECK(access(print("%s/x", b.rootfs), F_OK), "%s", "the target of a mount that failed was made");
}

static void mount_failures(struct t *t) {
    explained(t, &(struct config){.mounts = MOUNT("/x", "nosuchfs")}, 125, "no such device|/mounts/2|this kernel has no file system of type nosuchfs");
    explained(t, &(struct config){.mounts = MOUNT("/x", "bind")}, 125, "/mounts/2|asked for with the option bind or rbind");
    make_dirs(print("%s/folder", t->dir), 0755);
    explained(t, &(struct config){.mounts = print("{\"destination\":\"/ro\",\"source\":\"%s/folder\",\"options\":[\"bind\",\"ro\"]}," MOUNT("/ro/x", "tmpfs"), t->dir)}, 125,
              "read-only file system|/mounts/3|the target is missing and the file system it should be made in is read-only");
    need_userns();
    explained(t, &(struct config){.namespaces = USERNS, .mounts = "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"gid=4000000\"]}"}, 125,
              "/mounts/2|must be mapped in the user namespace: drop the option gid=");
}

/* Files of somebody whom the user namespace does not know. */
static void copies_refused(struct t *t) {
    static const struct {
        mode_t mode;
        const char *size; /* of the map: with all of 16 bits the stranger is its nobody, who can own a copy */
    } cases[] = {{0644, "1"}, {0600, "1"}, {0600, "65536"}};
    struct bundle b;
    need_userns();
    root_make(t, &b);
    root_file(&b, "data/sub/foreign", "x");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *map = print("[{\"containerID\":0,\"hostID\":%u,\"size\":%s}]", TEST_FIRST_ID, cases[i].size);
        CHECK_SYS(chmod(print("%s/data/sub/foreign", b.rootfs), cases[i].mode));
        explained(t, &(struct config){.namespaces = USERNS, .linux_ = print("\"uidMappings\":%s,\"gidMappings\":%s", map, map), .mounts = "{\"destination\":\"/data\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"tmpcopyup\"]}"}, 125,
                  "mount tmpfs on /data|/mounts/2|tmpcopyup: something below the target may not be read here, or belongs to an id");
    }
}

static void small_things(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "node", "x");
    explained(t, &(struct config){.namespaces = geteuid() ? USERNS " network" : DEFAULT_NAMESPACES " network",
                                  .linux_ = "\"sysctl\":{\"net.nothing\":\"1\"}"}, 125, "/linux/sysctl|no such sysctl in the container's namespaces");
    explained(t, &(struct config){.process = "\"cwd\":\"/node\""}, 126, "/process/cwd|not a directory");
    if (!geteuid())
        explained(t, &(struct config){.linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"/node\",\"major\":1,\"minor\":3}]"}, 125,
                  "file exists|/linux/devices/0|the image has another file at this path: remove it, or mount a tmpfs on /dev");
}

/* ---- cgroups ---- */

static void controller_missing(struct t *t) {
    static const char *const limits[][2] = {{"memory", "\"limit\":100000000"}, {"pids", "\"limit\":100"}, {"cpu", "\"shares\":512"}};
    bool any = false;
    const char *mounted = cgroup_mount();
    char *there = mounted ? file_read(print("%s/cgroup.controllers", mounted), NULL) : NULL;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (there && has_word(strtok(print("%s ", there), "\n"), limits[i][0])) continue;
        any = true;
        explained(t, &(struct config){.linux_ = print("\"resources\":{\"%s\":{%s}}", limits[i][0], limits[i][1])}, 125,
                  mounted ? print("has no controller \"%s\"|/linux/resources/%s|  hint: ", limits[i][0], limits[i][0]) : "no cgroup2 is mounted|mount -t cgroup2");
    }
    if (!any) SKIP("controller", "this machine has them all");
}

static void limits_switched_off(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.linux_ = "\"resources\":{\"pids\":{\"limit\":100}}"});
    expect(t, 125, "limits are asked for, but cgroups are switched off", "--cgroup-manager", "disabled", "run", "-b", b.path, t->tag);
    expect(t, 125, "/linux/resources", "--cgroup-manager=disabled", "run", "-b", b.path, t->tag);
}

static void memory_too_small(struct t *t) {
    need_root();
    need_controller("memory");
    explained(t, &(struct config){.linux_ = "\"resources\":{\"memory\":{\"limit\":4096,\"swap\":4096}}"}, 125,
              " by the container's memory limit during|linux.resources.memory.limit is too small to start a process: raise it");
}

/* ---- exec ---- */

static void executable(struct bundle *b, const char *name, const char *bytes, size_t n) {
    char *path = print("%s/bin/%s", b->rootfs, name);
    make_dirs(print("%s/bin", b->rootfs), 0755);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    CHECK_SYS(fd);
    CHECK_INT(write(fd, bytes, n), n);
    close(fd);
    CHECK_SYS(chmod(path, 0755));
}

/* A dynamic program: this one's header, with a program header that names its loader. */
static void with_loader(struct bundle *b, const char *name, const char *loader) {
    char elf[256] = {0};
    int own = open(test_exe(), O_RDONLY | O_CLOEXEC);
    const uint32_t interpreter[2] = {3, 4}; /* PT_INTERP, readable */
    const uint64_t at[5] = {120, 120, 120, strlen(loader) + 1, strlen(loader) + 1}, offset = 64;
    if (sizeof(void *) != 8) SKIP("kernel", "only the 64-bit form is written down here");
    CHECK_INT(read(own, elf, 64), 64);
    close(own);
    memcpy(elf + 32, &offset, 8);    /* e_phoff */
    memset(elf + 40, 0, 8);          /* e_shoff */
    elf[54] = 56, elf[56] = 1;       /* e_phentsize, e_phnum */
    elf[57] = elf[60] = elf[61] = 0; /* e_shnum */
    memcpy(elf + 64, interpreter, sizeof interpreter);
    memcpy(elf + 72, at, sizeof at);
    memcpy(elf + 120, loader, strlen(loader));
    executable(b, name, elf, 120 + strlen(loader) + 1);
}

static void exec_says_why(struct t *t) {
    static const struct {
        const char *name, *bytes;
        int code;
        const char *words;
    } cases[] = {
        {"script", "#!/bin/none -x\n", 126, "no such file or directory|it is a script, and its interpreter /bin/none is not in the container"},
        {"plain", "#!/plain\n", 126, "permission denied|interpreter /plain is not executable in the container"},
        {"return", "#!/payload\r\necho\r\n", 126, "no such file or directory|ends in a carriage return|\"/payload\\r\" is not found: save it with Unix line ends"},
        {"bare", "echo x\n", 126, "exec format error|neither an ELF file nor a script: a script must begin with #!"},
        {"empty", "", 126, "exec format error|it is an empty file"},
        {"short", "\177ELF", 126, "exec format error"},
    };
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "plain", "not executable");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        executable(&b, cases[i].name, cases[i].bytes, strlen(cases[i].bytes));
        explained(t, &(struct config){.args = print("[\"/bin/%s\"]", cases[i].name)}, cases[i].code, cases[i].words);
    }
    char mips[128] = "\177ELF\2\1\1";
    mips[16] = 2, mips[18] = 8, mips[20] = 1, mips[52] = 64;
    executable(&b, "mips", mips, sizeof mips);
    explained(t, &(struct config){.args = "[\"/bin/mips\"]"}, 126, "exec format error|it is an ELF file for another architecture (machine 8)");
    with_loader(&b, "dynamic", "/lib/ld-none.so.1");
    explained(t, &(struct config){.args = "[\"/bin/dynamic\"]"}, 126,
              "no such file or directory|it needs the dynamic loader /lib/ld-none.so.1, which is not in the container|or link statically");
    explained(t, &(struct config){.args = "[\"/plain\"]"}, 126, "permission denied|not executable for the container's user: check its mode, and noexec of its mount");
    explained(t, &(struct config){.args = "[\"/bin/nothing\"]"}, 127, "/process/args|there is no such file in the container's root file system");
    explained(t, &(struct config){.args = "[\"nothing\"]", .process = "\"env\":[\"PATH=/bin:/sbin\"]"}, 127, "PATH in process.env is /bin:/sbin");
    explained(t, &(struct config){.args = "[\"nothing\"]", .process = "\"env\":[]"}, 127, "process.env has no PATH, so process.args[0] must be a path");
}

/* ---- the state folder ---- */

static void state_folder(struct t *t) {
    struct bundle b;
    struct outcome out;
    const char *const none[] = {"PATH=/", NULL};
    need_ocirt();
    root_make(t, &b);
    bundle_config(&b, NULL);
    if (geteuid()) {
        command_run(&(struct command){.argv = (const char *const[]){"ocirt", "state", t->tag, NULL}, .env = none}, &out);
        check_words("no XDG_RUNTIME_DIR", &out, 1, "no state folder: XDG_RUNTIME_DIR is not set|or pass --root DIR");
    }
    make_dirs(t->state, 0700);
    CHECK_SYS(chmod(t->state, 0777));
    expect(t, 1, "or pass another --root", "create", "-b", b.path, t->tag);
}

const struct test run_explain_tests[] = {
    {"explain.fresh_needs", fresh_needs, TEST_ROOT, 0},
    {"explain.covered", covered, TEST_ROOT, 0},
    {"explain.namespaces_off", namespaces_off, 0, 0},
    {"explain.ordinary_user", ordinary_user, TEST_ROOT, 0},
    {"explain.clone_refused", clone_refused, TEST_ROOT, 0}, /* an ordinary user's own image is started as a stage */
    {"explain.stage_refused", stage_refused, TEST_ROOT, 0},
    {"explain.devices_refused", devices_refused, TEST_ROOT, 0},
    {"explain.pivot_refused", pivot_refused, 0, 0},
    {"explain.root_missing", root_missing, 0, 0},
    {"explain.bind_sources", bind_sources, 0, 0},
    {"explain.mount_failures", mount_failures, 0, 0},
    {"explain.copies_refused", copies_refused, TEST_ROOT, 0},
    {"explain.small_things", small_things, 0, 0},
    {"explain.controller_missing", controller_missing, 0, 0},
    {"explain.limits_switched_off", limits_switched_off, 0, 0},
    {"explain.memory_too_small", memory_too_small, TEST_ROOT, 0},
    {"explain.exec_says_why", exec_says_why, 0, 0},
    {"explain.state_folder", state_folder, 0, 0},
    {0}};
