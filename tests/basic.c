/* basic.c: the main job, end to end, on every kernel and as every user: what must never break. */
#include "test.h"
#include <signal.h>
#include <sys/wait.h>

static void run_and_report(struct t *t) {
    struct snap *before = snap_take(t, 0);
    struct outcome out;
    run_report(t, NULL, &out);
    CHECK_REPORT(&out, "pid", "1");
    CHECK_REPORT(&out, "uid", "0 0 0 0");
    CHECK_REPORT(&out, "cwd", "/");
    CHECK_REPORT(&out, "end", "1");
    CHECK_TEXT(out.err, "");
    outcome_free(&out);
    remove_tree(print("%s/bundle", t->dir));
    rmdir(t->state);
    CHECK_SNAP(t, before);
}

static void exit_status(struct t *t) {
    struct bundle b;
    struct outcome out;
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){.args = "payload-exit 7"});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK_INT(out.code, 7);
    /* In a pid namespace of its own it would be process 1, which its own signals do not end. */
    bundle_config(&b, &(struct config){.args = "payload-signal 9", .namespaces = geteuid() ? "mount ipc uts user" : "mount ipc uts"});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK_INT(out.code, 137);
}

/* Runs the command; the exit code must be `code`, and standard error must hold `words`. */
static void expect_list(struct t *t, int code, const char *words, const char *const *args) {
    struct outcome out;
    run_ocirt_list(t, &out, args);
    CHECK(out.code == code, "%s: code %d: %s", args[0], out.code, out.err);
    CHECK_HAS(out.err, words);
    outcome_free(&out);
}
#define expect(t, code, words, ...) expect_list((t), (code), (words), (const char *const[]){__VA_ARGS__, NULL})

static const char *status_of(struct t *t) {
    struct outcome out;
    char *at;
    run_ocirt(t, &out, "state", t->tag);
    CHECK(out.code == 0, "state: %s", out.err);
    at = strstr(out.out, "\"status\": \"");
    CHECK(at != NULL, "no status in %s", out.out);
    at += strlen("\"status\": \"");
    at[strcspn(at, "\"")] = 0;
    at = strdup(at);
    outcome_free(&out);
    return at;
}

static void life_cycle(struct t *t) {
    struct bundle b;
    struct snap *before;
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){.args = "payload-sleep 100"});
    before = snap_take(t, 0);
    expect(t, 0, "", "create", "-b", b.path, "--pid-file", print("%s/pid", t->dir), t->tag);
    CHECK_TEXT(status_of(t), "created");
    expect(t, 1, "container with given ID already exists", "create", "-b", b.path, t->tag);
    expect(t, 0, "", "start", t->tag);
    CHECK_TEXT(status_of(t), "running");
    expect(t, 1, "cannot start an already running container", "start", t->tag);
    expect(t, 1, "cannot delete container that is not stopped", "delete", t->tag);
    expect(t, 0, "", "kill", t->tag, "KILL");
    for (int i = 0; i < 100 && strcmp(status_of(t), "stopped") != 0; i++) usleep(20000);
    CHECK_TEXT(status_of(t), "stopped");
    expect(t, 1, "container not running: no such process", "kill", t->tag);
    reap_all();
    expect(t, 0, "", "delete", t->tag);
    expect(t, 1, "container does not exist", "delete", t->tag);
    expect(t, 0, "", "delete", "--force", t->tag);
    unlink(print("%s/pid", t->dir));
    rmdir(t->state);
    CHECK_SNAP(t, before);
}

static void program_missing(struct t *t) {
    struct bundle b;
    struct outcome out;
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){.args = "[\"/nothing\"]"});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK_INT(out.code, 127);
    CHECK_HAS(out.err, "exec: \"/nothing\": executable file not found in $PATH: no such file or directory");
    CHECK_HAS(out.err, "/process/args");
    run_ocirt(t, &out, "state", t->tag);
    CHECK_HAS(out.err, "container does not exist");
}

static void bind_source_missing(struct t *t) {
    struct bundle b;
    struct outcome out;
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){.mounts = "{\"destination\":\"/v\",\"source\":\"/not/there\",\"options\":[\"bind\"]}"});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK_INT(out.code, 125);
    CHECK_HAS(out.err, "/not/there");
    CHECK_HAS(out.err, "no such file or directory");
    CHECK_HAS(out.err, "/mounts/");
}

/* Limits reach the kernel's own files: memory, cpu and pids, read from inside. */
static void limits(struct t *t) {
    struct outcome out;
    struct bundle b;
    need_controller("memory");
    need_controller("cpu");
    need_controller("pids");
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){
        .args = "payload-cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.weight /sys/fs/cgroup/pids.max",
        .mounts = "{\"destination\":\"/sys\",\"type\":\"tmpfs\"},{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"options\":[\"ro\"]}",
        .namespaces = geteuid() ? "pid mount ipc uts cgroup user" : "pid mount ipc uts cgroup",
        .linux_ = "\"resources\":{\"memory\":{\"limit\":33554432},\"cpu\":{\"shares\":1024,\"quota\":50000,\"period\":100000},\"pids\":{\"limit\":20}}"});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK(out.code == 0, "run: %s%s", out.out, out.err);
    CHECK_HAS(out.out, "33554432");
    CHECK_HAS(out.out, "50000 100000");
    CHECK_HAS(out.out, "100");
    CHECK_HAS(out.out, "20");
}

static void memory_limit_kills(struct t *t) {
    struct outcome out;
    struct bundle b;
    need_controller("memory");
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){.args = "payload-eat 200", .linux_ = "\"resources\":{\"memory\":{\"limit\":33554432,\"swap\":33554432}}"});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK_INT(out.code, 137);
    CHECK_HAS(out.err, "memory limit");
}

/* A controller that is asked for and absent is an error that names it and the place. */
static void controller_missing(struct t *t) {
    struct outcome out;
    struct bundle b;
    char controllers[512] = "";
    int  fd = open("/sys/fs/cgroup/cgroup.controllers", O_RDONLY);
    if (fd >= 0 && read(fd, controllers, sizeof controllers - 1) >= 0 && strstr(controllers, "memory")) SKIP("controller", "all are here");
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){.linux_ = "\"resources\":{\"memory\":{\"limit\":33554432}}"});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK_INT(out.code, 125);
    CHECK_HAS(out.err, "no controller \"memory\"");
    CHECK_HAS(out.err, "/linux/resources/memory/limit");
}

static void device_rules(struct t *t) {
    struct outcome out;
    struct bundle b;
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){
        .args = "payload-script cat /dev/kmsg-like -- cat /dev/null",
        .linux_ = "\"devices\":[{\"path\":\"/dev/kmsg-like\",\"type\":\"c\",\"major\":1,\"minor\":11}],"
                  "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}"});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK_HAS(out.out, "EPERM");
}

/* Everything at once in a user namespace with a range of ids. */
static void user_namespace(struct t *t) {
    struct outcome out;
    run_report(t, &(struct config){
        .namespaces = "pid mount ipc uts network user cgroup time",
        .linux_ = "\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"
                  "\"timeOffsets\":{\"boottime\":{\"secs\":1000}}",
        .top = "\"hostname\":\"inside\""}, &out);
    CHECK_REPORT(&out, "pid", "1");
    CHECK_REPORT(&out, "hostname", "inside");
}

static void nothing_after_kill(struct t *t) {
    struct outcome out;
    struct bundle b;
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){.args = "payload-sleep 100"});
    run_ocirt(t, &out, "run", "-d", "-b", b.path, t->tag);
    CHECK(out.code == 0, "run -d: %s", out.err);
    CHECK_TEXT(status_of(t), "running");
    run_ocirt(t, &out, "delete", "-f", t->tag);
    CHECK(out.code == 0, "delete -f: %s", out.err);
    reap_all();
    run_ocirt(t, &out, "list", "-q");
    CHECK_TEXT(out.out, "");
}

const struct test basic_tests[] = {
    {"basic.run", run_and_report, 0, 0},
    {"basic.exit_status", exit_status, 0, 0},
    {"basic.life_cycle", life_cycle, 0, 0},
    {"basic.program_missing", program_missing, 0, 0},
    {"basic.bind_source_missing", bind_source_missing, 0, 0},
    {"basic.limits", limits, 0, 0},
    {"basic.memory_limit_kills", memory_limit_kills, 0, 0},
    {"basic.controller_missing", controller_missing, 0, 0},
    {"basic.device_rules", device_rules, TEST_ROOT, 0},
    {"basic.user_namespace", user_namespace, TEST_ROOT, 0},
    {"basic.detached", nothing_after_kill, 0, 0},
    {0}};
