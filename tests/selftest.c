/* selftest.c: the harness tests itself. What these tests cannot see, no other test will notice. */
#include "test.h"
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- the runner: a table of bad tests, and what must be said about each ---- */

static void inner_pass(struct t *t) {
    CHECK(!access(t->dir, W_OK), "%s", t->dir);
    file_write(print("%s/file", t->dir), "removed later");
}
static void inner_check(struct t *t) {
    (void)t;
    CHECK(1 + 1 == 3, "the reason is %s", "arithmetic");
}
static void inner_expect(struct t *t) {
    (void)t;
    EXPECT(false, "first");
    EXPECT(false, "second");
}
static void inner_child(struct t *t) {
    (void)t;
    pid_t child = fork();
    if (child == 0) CHECK(false, "in a child");
    waitpid(child, NULL, 0);
}
static void inner_crash(struct t *t) {
    (void)t;
    raise(SIGKILL);
}
static void inner_exit(struct t *t) {
    (void)t;
    _exit(3);
}
static void inner_hang(struct t *t) {
    (void)t;
    signal(SIGTERM, SIG_IGN);
    for (;;) pause();
}
static void inner_skip(struct t *t) {
    (void)t;
    SKIP("weather", "it rains");
}
/* As a daemon does: two forks and a session of its own. */
static void inner_process(struct t *t) {
    (void)t;
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0)
            for (;;) pause();
        _exit(0);
    }
    waitpid(child, NULL, 0);
}
static void inner_mount(struct t *t) {
    char *path = print("%s/a b", t->dir);
    CHECK_SYS(mkdir(path, 0755));
    CHECK_SYS(mount("tmpfs", path, "tmpfs", 0, NULL));
    CHECK_SYS(mount("tmpfs", path, "tmpfs", 0, NULL));
}
static void inner_cgroup(struct t *t) {
    CHECK_SYS(mkdir(print("%s/%s", cgroup_mount(), t->tag), 0755));
    CHECK_SYS(mkdir(print("%s/%s/below", cgroup_mount(), t->tag), 0755));
}

static const struct test inner_tests[] = {
    {"pass", inner_pass, 0, 0},
    {"check", inner_check, 0, 0},
    {"expect", inner_expect, 0, 0},
    {"child", inner_child, 0, 0},
    {"crash", inner_crash, 0, 0},
    {"exit", inner_exit, 0, 0},
    {"hang", inner_hang, 0, 1},
    {"skip", inner_skip, 0, 0},
    {"process", inner_process, 0, 0},
    {"mount", inner_mount, 0, 0},
    {"cgroup", inner_cgroup, 0, 0},
    {"allowed", inner_process, TEST_LEAVES, 0},
    {0},
};

/* Runs one of the above; the text is what the runner printed. */
static char *run_inner(const char *name, unsigned jobs, struct totals *totals) {
    const struct test *const tables[] = {inner_tests, NULL};
    char *patterns[] = {print("%s", name), NULL}, *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    CHECK_OK(out != NULL);
    *totals = run_tables(tables, &(struct run_options){.patterns = patterns, .jobs = jobs}, out);
    fclose(out);
    char *copy = print("%s", text);
    free(text);
    return copy;
}

static void expect_failure(const char *name, const char *part) {
    struct totals totals;
    char *text = run_inner(name, 1, &totals);
    EXPECT(totals.failed == 1 && totals.passed == 0, "%s: %s", name, text);
    EXPECT(strstr(text, "not ok 1 - ") && strstr(text, part), "%s: wanted \"%s\" in: %s", name,
           part, text);
}

static void failures_are_reported(struct t *t) {
    (void)t;
    expect_failure("check", "1 + 1 == 3: the reason is arithmetic");
    expect_failure("expect", "second");
    expect_failure("child", "in a child");
    expect_failure("crash", "died of signal 9");
    expect_failure("exit", "exit code 3");
}

static void passes_are_reported(struct t *t) {
    struct totals totals;
    (void)t;
    char *text = run_inner("pass", 1, &totals);
    CHECK(totals.passed == 1 && totals.failed == 0, "%s", text);
    CHECK_HAS(text, "ok 1 - pass");
    CHECK_HAS(text, "1..1");
}

static void a_hang_is_ended(struct t *t) {
    double start = now();
    (void)t;
    expect_failure("hang", "did not end within");
    CHECK(now() - start < 5 * time_scale(), "took %.1f s", now() - start);
}

static void skips_need_leave(struct t *t) {
    struct totals totals;
    (void)t;
    unsetenv("OCIRT_CI");
    char *text = run_inner("skip", 1, &totals);
    CHECK(totals.skipped == 1 && totals.failed == 0, "%s", text);
    CHECK_HAS(text, "ok 1 - skip # SKIP weather: it rains");
    setenv("OCIRT_CI", "1", 1);
    setenv("OCIRT_SKIP_OK", "sun,weathers", 1);
    expect_failure("skip", "weather");
    setenv("OCIRT_SKIP_OK", "sun,weather,moon", 1);
    text = run_inner("skip", 1, &totals);
    CHECK(totals.skipped == 1 && totals.failed == 0, "%s", text);
}

static void leftovers_are_failures(struct t *t) {
    struct totals totals;
    (void)t;
    expect_failure("process", "left process");
    char *text = run_inner("allowed", 1, &totals);
    CHECK(totals.passed == 1, "%s", text);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "something came to us");
}

static void left_mounts_are_failures(struct t *t) {
    (void)t;
    char *before = file_read("/proc/self/mountinfo", NULL);
    expect_failure("mount", "left mount");
    CHECK_TEXT(file_read("/proc/self/mountinfo", NULL), before);
}

static void left_cgroups_are_failures(struct t *t) {
    (void)t;
    if (!cgroup_mount() || access(cgroup_mount(), W_OK)) SKIP("cgroup", "no cgroup2 to write in");
    expect_failure("cgroup", "left cgroup");
}

static void jobs_run_beside(struct t *t) {
    struct totals totals;
    unsetenv("OCIRT_CI");
    (void)t;
    char *text = run_inner("*", 8, &totals);
    CHECK_INT(totals.passed + totals.failed + totals.skipped, 12);
    CHECK(totals.passed >= 2 && totals.skipped == 1, "%s", text);
    text = run_inner("[pc]*s*", 2, &totals); /* pass, process, crash */
    CHECK_INT(totals.passed + totals.failed, 3);
}

/* ---- text and files ---- */

static void texts(struct t *t) {
    struct text text = {0};
    (void)t;
    text_add_json(&text, "a\"b\\c\n");
    CHECK_TEXT(text.at, "\"a\\\"b\\\\c\\u000a\"");
    text_free(&text);
    text_add_escaped(&text, "a\n\t\\b", 5);
    CHECK_TEXT(text.at, "a\\n\\x09\\\\b");
    CHECK_OK(word_in_list("b", "a,b,c") && !word_in_list("b", "ab,bc") && !word_in_list("b", NULL));
    CHECK_TEXT(errno_name(ENOENT), "ENOENT");
}

static void trees_are_removed(struct t *t) {
    char *path = print("%s/tree", t->dir);
    make_dirs(print("%s/a/b/c", path), 0755);
    file_write(print("%s/a/file", path), "x");
    file_write(print("%s/kept", t->dir), "x");
    CHECK_SYS(symlink("../../kept", print("%s/a/link", path)));
    CHECK_SYS(chmod(print("%s/a/b", path), 0));
    CHECK_OK(remove_tree(path));
    CHECK_OK(access(path, F_OK) && errno == ENOENT);
    CHECK_SYS(access(print("%s/kept", t->dir), F_OK));
}

/* ---- configs ---- */

static void configs_replace_members(struct t *t) {
    (void)t;
    char *text = config_text(NULL);
    CHECK_HAS(text, "\"args\":[\"/payload\",\"payload-report\"]");
    CHECK_HAS(text, "{\"type\":\"pid\"},{\"type\":\"mount\"}");
    text = config_text(&(struct config){.args = "payload-exit 3",
                                        .process = "\"cwd\":\"/x\",\"user\":{\"uid\":1,\"env\":2}",
                                        .top = "\"hostname\":\"h\"",
                                        .namespaces = "pid net",
                                        .mounts = "{\"destination\":\"/m\"}",
                                        .root = "\"readonly\":true"});
    CHECK_HAS(text, "\"args\":[\"/payload\",\"payload-exit\",\"3\"]");
    CHECK_HAS(text, "\"env\":[\"PATH"); /* the env inside user is another member */
    CHECK_HAS(text, "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"}]");
    CHECK_HAS(text, "\"root\":{\"path\":\"rootfs\",\"readonly\":true}");
    CHECK_HAS(text, "},{\"destination\":\"/m\"}]");
    CHECK_OK(!strstr(text, "\"cwd\":\"/\"") && !strstr(text, "\"box\""));
    text =
        config_text(&(struct config){.no_mounts = true, .args = "[\"/x\"]", .namespaces = "user"});
    CHECK_HAS(text, "\"mounts\":[]");
    CHECK_HAS(text, "\"uidMappings\":[{\"containerID\":0,");
    CHECK_HAS(text, "\"args\":[\"/x\"]");
}

/* ---- commands and the payload ---- */

#define PAYLOAD(out, ...) \
    command_run(&(struct command){.argv = (const char *const[]){"test", __VA_ARGS__, NULL}}, out)

static void commands_are_caught(struct t *t) {
    struct outcome out;
    (void)t;
    PAYLOAD(&out, "payload-script", "echo", "to out", "--", "error", "to err", "--", "exit", "7");
    CHECK_INT(out.code, 7);
    CHECK_TEXT(out.out, "to out\n");
    CHECK_TEXT(out.err, "to err\n");
    outcome_free(&out);
    PAYLOAD(&out, "payload-signal", "9");
    CHECK_INT(out.code, 137);
    command_run(
        &(struct command){.argv = (const char *const[]){"test", "payload-sleep", "60", NULL},
                          .seconds = 0.1},
        &out);
    CHECK_OK(out.timed_out);
    command_run(&(struct command){.argv = (const char *const[]){"test", "payload-copy", NULL},
                                  .input = "some\ntext"},
                &out);
    CHECK_TEXT(out.out, "some\ntext");
    command_run(
        &(struct command){.exe = "/does/not/exist", .argv = (const char *const[]){"x", NULL}},
        &out);
    CHECK_INT(out.code, 124);
}

static void payload_reports(struct t *t) {
    struct outcome out;
    (void)t;
    const char *const env[] = {"A=1", "A=2", "B=x\ny", "odd", NULL};
    command_run(
        &(struct command){.argv = (const char *const[]){"test", "payload-report", "arg", NULL},
                          .env = env},
        &out);
    CHECK(out.code == 0, "%s%s", out.out, out.err);
    CHECK_REPORT(&out, "end", "1");
    CHECK_REPORT(&out, "env.A", "1");
    CHECK_TEXT(report_nth(&out, "env.A", 1), "2");
    CHECK_REPORT(&out, "env.B", "x\\ny");
    CHECK_REPORT(&out, "environ.3", "odd");
    CHECK_REPORT(&out, "env.count", "4");
    CHECK_REPORT(&out, "argv.1", "arg");
    CHECK_REPORT(&out, "fd.count", "3");
    CHECK_REPORT(&out, "ppid", print("%d", getpid()));
    CHECK_REPORT(&out, "uid", print("%u %u %u %u", getuid(), getuid(), getuid(), getuid()));
    CHECK_REPORT(&out, "no_new_privs", "0");
    CHECK_REPORT(&out, "umask", "0022");
    CHECK_REPORT(&out, "sig.blocked", "0000000000000000");
    CHECK_HAS(report_get(&out, "fd.0"), "/dev/null type=chr");
    CHECK_OK(report_get(&out, "nothing") == NULL);
    CHECK_HAS(report_mount(&out, "/proc"), " - proc ");
    CHECK_TEXT(report_get(&out, "status.CapEff"), report_get(&out, "cap.effective"));
    CHECK_TEXT(report_get(&out, "status.CapBnd"), report_get(&out, "cap.bounding"));
}

static void hide_proc(void *user) {
    (void)user;
    if (unshare(CLONE_NEWNS) || mount("none", "/proc", "tmpfs", 0, NULL) ||
        mount("none", "/dev", "tmpfs", 0, NULL))
        _exit(99);
}

static void payload_without_proc(struct t *t) {
    struct outcome out;
    (void)t;
    char *self = print("%s/payload", t->dir);
    CHECK_OK(copy_file(test_exe(), self, 0755));
    command_run(&(struct command){.exe = self,
                                  .argv = (const char *const[]){"test", "payload-report", NULL},
                                  .child = hide_proc},
                &out);
    CHECK(out.code == 0, "%d %s%s", out.code, out.out, out.err);
    CHECK_REPORT(&out, "end", "1");
    CHECK_OK(!report_get(&out, "cgroup") && !report_get(&out, "dev.null") &&
             report_get(&out, "cap.bounding"));
    CHECK_HAS(report_get(&out, "fd.0"), "?");
}

static void payload_verbs(struct t *t) {
    struct outcome out;
    char *file = print("%s/file", t->dir);
    PAYLOAD(&out, "payload-script", "write", file, "text", "--", "cat", file, "--", "cat", "/none");
    CHECK_INT(out.code, 1);
    CHECK_TEXT(out.out, print("write %s: ok\ntextcat /none: ENOENT\n", file));
    PAYLOAD(&out, "payload-script", "fork", "exit", "5", "--", "fork", "signal", "15");
    CHECK_HAS(out.out, ": exit 5\n");
    CHECK_HAS(out.out, ": signal 15\n");
    PAYLOAD(&out, "payload-syscall", print("%ld", (long)SYS_getppid));
    CHECK_TEXT(out.out, print("syscall %ld: ok %d\n", (long)SYS_getppid, getpid()));
    PAYLOAD(&out, "payload-flood", "100");
    CHECK_INT(out.out_n, 100);
    PAYLOAD(&out, "payload-nonsense");
    CHECK_INT(out.code, 64);
}

/* They are ours afterwards, who are the subreaper. */
static void payload_leaves_orphans(struct t *t) {
    struct outcome out;
    struct text diff = {0};
    struct snap *before = snap_take(t, 0);
    PAYLOAD(&out, "payload-fork-bomb-ish", "5");
    CHECK_TEXT(out.out, "forked 5\n");
    outcome_free(&out);
    int found = 0;
    for (int tries = 0; tries < 100 && found != 5; tries++) {
        struct snap *after = snap_take(t, 0);
        diff.n = 0;
        snap_diff(before, after, &diff);
        found = 0;
        for (char *at = diff.at; (at = strstr(at, "+ process ")); at++) found++;
        snap_free(after);
        nap(0.01);
    }
    CHECK(found == 5, "%s", diff.at);
}

static void trapped_signals(struct t *t) {
    struct outcome out;
    (void)t;
    pid_t pid = command_start(
        &(struct command){.argv = (const char *const[]){"test", "payload-trap", "15", "10", NULL}},
        &out);
    for (outcome_refresh(&out); !strstr(out.out, "ready"); outcome_refresh(&out)) nap(0.005);
    kill(pid, SIGUSR1);
    command_wait(pid, 0, &out);
    CHECK_TEXT(out.out, "ready\ngot 10\n");
    CHECK_INT(out.code, 10);
}

static void bundles_are_made(struct t *t) {
    struct bundle bundle;
    struct stat info;
    bundle_make(t, &bundle, "b");
    bundle_config(&bundle, NULL);
    CHECK_SYS(stat(print("%s/payload", bundle.rootfs), &info));
    CHECK_INT(info.st_mode & 07777, 0755);
    CHECK_HAS(file_read(bundle.config, NULL), "\"ociVersion\"");
    bundle_write(&bundle, "{%d}", 1);
    CHECK_TEXT(file_read(bundle.config, NULL), "{1}");
}

/* ---- SNAP ---- */

static char *snap_changes(struct t *t, const struct snap *before) {
    struct text text = {0};
    struct snap *after = snap_take(t, 0);
    snap_diff(before, after, &text);
    snap_free(after);
    return text.at;
}

static void snap_is_stable(struct t *t) {
    struct snap *before = snap_take(t, 0);
    for (int i = 0; i < 5; i++) CHECK_TEXT(snap_changes(t, before), "");
    CHECK_SNAP(t, before);
}

static void snap_sees_self(struct t *t) {
    struct snap *before = snap_take(t, 0);
    umask(077);
    CHECK_HAS(snap_changes(t, before), "self Umask:");
    umask(022);
    int fd = open("/dev/null", O_RDONLY);
    CHECK_HAS(snap_changes(t, before), print("+ fd %d -> /dev/null", fd));
    close(fd);
    signal(SIGUSR1, SIG_IGN);
    CHECK_HAS(snap_changes(t, before), "+ self signal 10 handler 0x1");
    signal(SIGUSR1, SIG_DFL);
    CHECK_SYS(chdir(t->dir));
    setenv("NEW", "1", 1);
    alarm(100);
    char *changes = snap_changes(t, before);
    CHECK_HAS(changes, print("+ self cwd %s", t->dir));
    CHECK_HAS(changes, "+ self environ at");
    CHECK_HAS(changes, "+ self timer 0: armed");
}

static void snap_sees_files(struct t *t) {
    make_dirs(print("%s/b/rootfs", t->dir), 0755);
    struct snap *before = snap_take(t, 0);
    file_write(print("%s/b/rootfs/inside", t->dir), "x");
    CHECK_TEXT(snap_changes(t, before), "");
    file_write(print("%s/new\nline", t->dir), "x");
    CHECK_HAS(snap_changes(t, before), "/new\\nline mode 100644");
}

static void snap_sees_processes(struct t *t) {
    struct snap *before = snap_take(t, 0);
    pid_t child = fork();
    if (child == 0) {
        unshare(CLONE_NEWUSER | CLONE_NEWNET);
        for (;;) pause();
    }
    nap(0.05 * time_scale());
    char *changes = snap_changes(t, before);
    CHECK_HAS(changes, print("+ process %d ", child));
    kill(child, SIGKILL);
    siginfo_t info;
    CHECK_SYS(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    CHECK_HAS(snap_changes(t, before), ", zombie");
    waitpid(child, NULL, 0);
    CHECK_SNAP(t, before);
}

static void snap_sees_mounts(struct t *t) {
    char *path = print("%s/m", t->dir);
    CHECK_SYS(mkdir(path, 0755));
    struct snap *before = snap_take(t, 0);
    CHECK_SYS(mount("tmpfs", path, "tmpfs", 0, NULL));
    CHECK_HAS(snap_changes(t, before), "+ mount ");
    CHECK_SYS(umount(path));
    CHECK_SNAP(t, before);
    CHECK_SYS(mount("none", "/", "none", MS_SHARED, NULL));
    CHECK_HAS(snap_changes(t, before), "shared:");
    CHECK_SYS(mount("none", "/", "none", MS_PRIVATE, NULL));
    CHECK_SYS(unshare(CLONE_NEWUTS));
    CHECK_HAS(snap_changes(t, before), "+ self namespace uts");
}

static void snap_sees_cgroups(struct t *t) {
    if (!cgroup_mount() || access(cgroup_mount(), W_OK)) SKIP("cgroup", "no cgroup2 to write in");
    char *path = print("%s/%s", cgroup_mount(), t->tag);
    struct snap *before = snap_take(t, 0);
    CHECK_SYS(mkdir(path, 0755));
    CHECK_HAS(snap_changes(t, before), print("+ cgroup %s owner", path));
    CHECK_SYS(rmdir(path));
    CHECK_SNAP(t, before);
}

/* ---- TRIP ---- */

static char *trip_changes(struct trip *trip) {
    struct text text = {0};
    bool untouched = trip_check(trip, &text);
    CHECK(untouched == (text.n == 0), "%s", text.at);
    return text.at;
}

static void trip_sees_touches(struct t *t) {
    struct trip trip;
    trip_make(t, &trip, "trip");
    for (int i = 0; i < 3; i++) CHECK_TEXT(trip_changes(&trip), "");
    close(open(print("%s/secret", trip.path), O_RDONLY | O_CLOEXEC));
    CHECK_HAS(trip_changes(&trip), "opened");
    CHECK_TEXT(trip_changes(&trip), "");
    close(open(print("%s/fifo", trip.path), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    CHECK_HAS(trip_changes(&trip), "opened");
    file_write(print("%s/sub/other", trip.path), "x");
    CHECK_HAS(trip_changes(&trip), "created");
    CHECK_SYS(chmod(print("%s/sub/file", trip.path), 0600));
    char *text = trip_changes(&trip);
    CHECK_HAS(text, "attributes");
    CHECK_HAS(text, "after:");
}

/* ---- the driver ---- */

/* The payload is let go of by the driver when it is execed, so it is given another name here. */
#define SCRIPT(drive, ...)                                                                         \
    drive_start((drive), (const char *const[]){"ocirt-test", "payload-script", __VA_ARGS__, NULL}, \
                NULL)

static const struct call *find_call(const struct drive *drive, const char *name, const char *path) {
    for (size_t i = 0; i < drive->n_calls; i++) {
        const struct call *call = &drive->calls[i];
        if (call->nr == call_number(name) && (!path || (call->path && !strcmp(call->path, path))))
            return call;
    }
    return NULL;
}

static void dump(const struct drive *drive) {
    struct text text = {0};
    drive_print(drive, &text);
    fputs(text.at, stderr);
    text_free(&text);
}

/* libc and machine choose between open and openat. */
static const char *open_name(void) {
#ifdef SYS_open
    static const char *name;
    if (!name) {
        struct drive drive = {0};
        SCRIPT(&drive, "cat", "/none");
        drive_run(&drive);
        name = find_call(&drive, "open", "/none") ? "open" : "openat";
        drive_free(&drive);
    }
    return name;
#else
    return "openat";
#endif
}

static void drive_records(struct t *t) {
    struct drive drive = {0};
    char *file = print("%s/file", t->dir);
    file_write(file, "content");
    SCRIPT(&drive, "cat", file, "--", "exit", "4");
    drive_run(&drive);
    dump(&drive);
    CHECK_TEXT(drive.outcome.out, "content");
    CHECK_INT(drive.outcome.code, 4);
    const struct call *call = find_call(&drive, open_name(), file);
    CHECK_OK(call && call->done && call->result >= 3 && call->role == 0 && !call->forced);
    call = &drive.calls[drive.n_calls - 1];
    CHECK_TEXT(call_name(call->nr), "exit_group");
    CHECK_OK(!call->done);
    for (size_t i = 0; i < drive.n_calls; i++) CHECK_INT(drive.calls[i].n, i + 1);
    CHECK_INT(call_number("read"), SYS_read);
    CHECK_INT(call_number("openat2"), 437);
    CHECK_TEXT(call_name(SYS_openat), "openat");
}

static void drive_injects(struct t *t) {
    char *file = print("%s/file", t->dir);
    file_write(file, "content");
    struct aim aim = {.nr = call_number(open_name()), .path = file, .action = {DRIVE_FAIL, EMFILE}};
    struct drive drive = {.decide = drive_aim, .user = &aim};
    SCRIPT(&drive, "cat", file, "--", "cat", file);
    drive_run(&drive);
    CHECK_INT(aim.hits, 2);
    CHECK_TEXT(drive.outcome.out, print("cat %s: EMFILE\ncat %s: EMFILE\n", file, file));
    CHECK_OK(find_call(&drive, open_name(), file)->forced);
    drive_free(&drive);
    aim.action.what = DRIVE_GO;
    SCRIPT(&drive, "cat", file);
    drive_run(&drive);
    CHECK_TEXT(drive.outcome.out, "content");
    unsigned nth = find_call(&drive, open_name(), file)->nth;
    drive_free(&drive);
    aim = (struct aim){.nr = call_number(open_name()), .nth = nth, .action = {DRIVE_FAIL, EIO}};
    SCRIPT(&drive, "cat", file, "--", "cat", file); /* the first only */
    drive_run(&drive);
    CHECK_INT(aim.hits, 1);
    CHECK_TEXT(drive.outcome.out, print("cat %s: EIO\ncontent", file));
}

static void drive_lies(struct t *t) {
    char *file = print("%s/file", t->dir);
    struct aim aim = {.nr = call_number("unlink") >= 0 ? call_number("unlink")
                                                       : call_number("unlinkat"),
                      .path = file,
                      .action = {DRIVE_LIE, 0}};
    struct drive drive = {.decide = drive_aim, .user = &aim};
    file_write(file, "x");
    SCRIPT(&drive, "unlink", file);
    drive_run(&drive);
    CHECK_TEXT(drive.outcome.out, print("unlink %s: ok\n", file));
    CHECK_SYS(access(file, F_OK));
}

static void alter_read(void *user, struct call *call) {
    (void)user;
    char buffer[64] = "";
    if (call->nr != SYS_read || call->result != 7 || !drive_peek(call, call->args[1], buffer, 7))
        return;
    if (!memcmp(buffer, "content", 7)) drive_poke(call, call->args[1] + 1, "OUR", 3);
}

static void drive_alters_memory(struct t *t) {
    char *file = print("%s/file", t->dir);
    struct drive drive = {.after = alter_read};
    file_write(file, "content");
    SCRIPT(&drive, "cat", file);
    drive_run(&drive);
    CHECK_TEXT(drive.outcome.out, "cOURent");
}

static void drive_kills(struct t *t) {
    (void)t;
    struct aim aim = {.nr = SYS_setuid, .action = {DRIVE_KILL, DRIVE_SELF}};
    struct drive drive = {.decide = drive_aim, .user = &aim};
    SCRIPT(&drive, "setuid", "0", "--", "echo", "not reached");
    drive_run(&drive);
    CHECK_INT(drive.outcome.code, 137);
    CHECK_TEXT(drive.outcome.out, "");
    drive_free(&drive);
    aim.role = 1; /* the child is killed, the parent sees it */
    SCRIPT(&drive, "fork", "setuid", "0", "--", "echo", "reached");
    drive_run(&drive);
    CHECK_HAS(drive.outcome.out, ": signal 9\nreached\n");
    CHECK_INT(drive.n_tracees, 2);
    drive_free(&drive);
    aim.action.value = DRIVE_ROLE(0); /* the parent is killed by what the child does */
    SCRIPT(&drive, "fork", "script", "setuid", "0", "--", "echo", "reached");
    drive_run(&drive);
    CHECK_INT(drive.outcome.code, 137);
    CHECK_OK(!drive.tracees[1].alive && WIFEXITED(drive.tracees[1].status));
    drive_free(&drive);
    aim.action.value = DRIVE_ALL;
    SCRIPT(&drive, "fork", "script", "setuid", "0", "--", "sleep", "100");
    drive_run(&drive);
    CHECK_INT(drive.outcome.code, 137);
    CHECK_OK(!drive.tracees[1].alive && WIFSIGNALED(drive.tracees[1].status));
}

/* STOP: swaps the file just before it is opened. */
static struct drive_action swap_file(void *user, struct call *call) {
    const char *file = user;
    if (call->path && !strcmp(call->path, file) && call->nr == call_number(open_name())) {
        unlink(file);
        file_write(file, "swapped");
    }
    return (struct drive_action){DRIVE_GO, 0};
}

static void drive_stops(struct t *t) {
    char *file = print("%s/file", t->dir);
    struct drive drive = {.decide = swap_file, .user = file};
    open_name();
    file_write(file, "content");
    SCRIPT(&drive, "cat", file);
    drive_run(&drive);
    CHECK_TEXT(drive.outcome.out, "swapped");
}

static void drive_holds(struct t *t) {
    (void)t;
    struct aim aim = {.nr = SYS_setuid, .role = 0, .action = {DRIVE_HOLD, 300}};
    struct drive drive = {.decide = drive_aim, .user = &aim};
    SCRIPT(&drive, "setuid", print("%d", getuid()));
    drive_run(&drive);
    CHECK_TEXT(drive.outcome.out, print("setuid %d: ok\n", getuid()));
    CHECK(drive.outcome.seconds > 0.29, "%.3f s", drive.outcome.seconds);
}

/* A child that outlives role 0 and is blocked is let go, and lives on untraced. */
static void drive_lets_go(struct t *t) {
    struct drive drive = {0};
    (void)t;
    SCRIPT(&drive, "fork-bomb-ish", "3");
    drive_run(&drive);
    CHECK_TEXT(drive.outcome.out, "forked 3\n");
    CHECK_INT(drive.n_tracees, 7);
    unsigned alive = 0;
    for (unsigned i = 0; i < drive.n_tracees; i++) {
        if (!drive.tracees[i].alive) continue;
        char *status = file_read(print("/proc/%d/status", drive.tracees[i].pid), NULL);
        CHECK_HAS(status, "TracerPid:\t0\n");
        kill(drive.tracees[i].pid, SIGKILL);
        alive++;
    }
    CHECK_INT(alive, 3);
}

static void drive_lets_payload_go(struct t *t) {
    struct drive drive = {0};
    (void)t;
    SCRIPT(&drive, "fork", "exec", "/proc/self/exe", "payload-exit", "6");
    drive_run(&drive);
    CHECK_HAS(drive.outcome.out, ": exit 6\n");
    const struct call *call = find_call(&drive, "execve", "/proc/self/exe");
    CHECK_OK(call && call->done && call->result == 0 && call->role == 1);
    CHECK(call->n == drive.n_calls || drive.calls[call->n].role == 0, "the payload was traced");
    for (size_t i = call->n; i < drive.n_calls; i++) CHECK_INT(drive.calls[i].role, 0);
}

static void drive_ends_hangs(struct t *t) {
    struct drive drive = {.seconds = 0.3};
    (void)t;
    SCRIPT(&drive, "fork", "sleep", "100");
    drive_run(&drive);
    CHECK_OK(drive.timed_out && !drive.tracees[0].alive && !drive.tracees[1].alive);
    CHECK_INT(drive.outcome.code, 137);
}

static void drive_attaches(struct t *t) {
    struct outcome out;
    struct aim aim = {.nr = SYS_rt_sigaction, .action = {DRIVE_GO, 0}};
    struct drive drive = {.decide = drive_aim, .user = &aim, .follow = true};
    (void)t;
    pid_t pid = command_start(
        &(struct command){.argv = (const char *const[]){"test", "payload-trap", "15", NULL}}, &out);
    for (outcome_refresh(&out); !strstr(out.out, "ready"); outcome_refresh(&out)) nap(0.005);
    drive_attach(&drive, pid);
    kill(pid, SIGTERM);
    drive.outcome = out;
    drive_run(&drive);
    CHECK_TEXT(drive.outcome.out, "ready\ngot 15\n");
    CHECK_INT(drive.outcome.code, 15);
    CHECK_OK(find_call(&drive, "exit_group", NULL) != NULL);
}

static void body(void *user) {
    (void)user;
    mkdir("/dev/null/body", 0);
    _exit(chdir("/dev/null") ? 3 : 0);
}

static struct drive_action deny_chdir(void *user, struct call *call) {
    (void)user;
    if (call->nr == SYS_chdir) return (struct drive_action){DRIVE_LIE, 0};
    return (struct drive_action){DRIVE_GO, 0};
}

static void drive_traces_functions(struct t *t) {
    struct drive drive = {.body = body, .decide = deny_chdir};
    (void)t;
    drive_start(&drive, NULL, NULL);
    drive_run(&drive);
    dump(&drive);
    CHECK_INT(drive.outcome.code, 0);
    CHECK(drive.n_calls >= 3, "%zu calls", drive.n_calls);
    const struct call *call = find_call(&drive, "mkdir", "/dev/null/body");
    if (!call) call = find_call(&drive, "mkdirat", "/dev/null/body");
    CHECK_OK(call && call->result == -ENOTDIR);
}

/* The smallest runtime there is: new namespaces, another root, the payload as process 1. */
static void tiny_runtime(void *user) {
    const char *rootfs = user;
    unsigned long flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET;
    int status = 0;
    long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        char *argv[] = {"payload", "payload-report", NULL};
        if (sethostname("tiny", 4) || chroot(rootfs) || chdir("/")) _exit(9);
        execve("/payload", argv, argv + 2);
        _exit(8);
    }
    if (child < 0) _exit(7);
    waitpid((pid_t)child, &status, 0);
    _exit(WEXITSTATUS(status));
}

static void drive_follows_containers(struct t *t) {
    struct bundle bundle;
    need_userns();
    bundle_make(t, &bundle, "b");
    CHECK_SYS(chmod(t->dir, 0755));
    struct drive drive = {.body = tiny_runtime, .user = bundle.rootfs};
    drive_start(&drive, NULL, NULL);
    drive_run(&drive);
    dump(&drive);
    CHECK_INT(drive.outcome.code, 0);
    CHECK_REPORT(&drive.outcome, "pid", "1");
    CHECK_REPORT(&drive.outcome, "ppid", "0");
    CHECK_REPORT(&drive.outcome, "hostname", "tiny");
    CHECK_REPORT(&drive.outcome, "cwd", "/");
    CHECK_REPORT(&drive.outcome, "env.count", "0");
    CHECK_REPORT(&drive.outcome, "fd.count", "3");
    CHECK_REPORT(&drive.outcome, "lo.up", "0");
    CHECK_REPORT(&drive.outcome, "top.payload",
                 "file 0755 65534 65534"); /* nobody's: the user namespace has no map */
    CHECK_INT(drive.n_tracees, 2);
    const struct call *last = NULL;
    for (size_t i = 0; i < drive.n_calls; i++)
        if (drive.calls[i].role == 1) last = &drive.calls[i];
    CHECK_OK(last && !strcmp(call_name(last->nr), "execve") && last->done && last->result == 0);
    CHECK_TEXT(last->path, "/payload");
}

/* The test's other children keep their status, and signals stay as they were. */
static void drive_is_polite(struct t *t) {
    struct drive drive = {0};
    pid_t other = fork();
    if (other == 0) _exit(42);
    siginfo_t info;
    waitid(P_PID, (id_t)other, &info, WEXITED | WNOWAIT);
    struct snap *before = snap_take(t, 0);
    SCRIPT(&drive, "fork", "exit", "1");
    drive_run(&drive);
    drive_free(&drive);
    CHECK_SNAP(t, before);
    int status = 0;
    CHECK_INT(waitpid(other, &status, 0), other);
    CHECK_INT(WEXITSTATUS(status), 42);
}

static void drive_sweeps_fast(struct t *t) {
    (void)t;
    double start = now();
    int runs = 0;
    unsigned calls = 0;
    for (; runs < 20; runs++) {
        struct drive drive = {0};
        SCRIPT(&drive, "fork", "exit", "0");
        drive_run(&drive);
        calls += (unsigned)drive.n_calls;
        drive_free(&drive);
    }
    fprintf(stderr, "%.2f ms a run, %u calls\n", (now() - start) / runs * 1000,
            calls / (unsigned)runs);
}

const struct test selftest_tests[] = {
    {"self.passes_are_reported", passes_are_reported, 0, 0},
    {"self.failures_are_reported", failures_are_reported, 0, 0},
    {"self.a_hang_is_ended", a_hang_is_ended, 0, 0},
    {"self.skips_need_leave", skips_need_leave, 0, 0},
    {"self.leftovers_are_failures", leftovers_are_failures, 0, 0},
    {"self.left_mounts_are_failures", left_mounts_are_failures, TEST_ROOT, 0},
    {"self.left_cgroups_are_failures", left_cgroups_are_failures, TEST_ROOT, 0},
    {"self.jobs_run_beside", jobs_run_beside, 0, 0},
    {"self.texts", texts, 0, 0},
    {"self.trees_are_removed", trees_are_removed, 0, 0},
    {"self.configs_replace_members", configs_replace_members, 0, 0},
    {"self.commands_are_caught", commands_are_caught, 0, 0},
    {"self.payload_reports", payload_reports, 0, 0},
    {"self.payload_without_proc", payload_without_proc, TEST_ROOT, 0},
    {"self.payload_verbs", payload_verbs, 0, 0},
    {"self.payload_leaves_orphans", payload_leaves_orphans, TEST_LEAVES, 0},
    {"self.trapped_signals", trapped_signals, 0, 0},
    {"self.bundles_are_made", bundles_are_made, 0, 0},
    {"self.snap_is_stable", snap_is_stable, 0, 0},
    {"self.snap_sees_self", snap_sees_self, 0, 0},
    {"self.snap_sees_files", snap_sees_files, 0, 0},
    {"self.snap_sees_processes", snap_sees_processes, 0, 0},
    {"self.snap_sees_mounts", snap_sees_mounts, TEST_ROOT, 0},
    {"self.snap_sees_cgroups", snap_sees_cgroups, TEST_ROOT, 0},
    {"self.trip_sees_touches", trip_sees_touches, 0, 0},
    {"self.drive_records", drive_records, 0, 0},
    {"self.drive_injects", drive_injects, 0, 0},
    {"self.drive_lies", drive_lies, 0, 0},
    {"self.drive_alters_memory", drive_alters_memory, 0, 0},
    {"self.drive_kills", drive_kills, 0, 0},
    {"self.drive_stops", drive_stops, 0, 0},
    {"self.drive_holds", drive_holds, 0, 0},
    {"self.drive_lets_go", drive_lets_go, TEST_LEAVES, 0},
    {"self.drive_lets_payload_go", drive_lets_payload_go, 0, 0},
    {"self.drive_ends_hangs", drive_ends_hangs, 0, 0},
    {"self.drive_attaches", drive_attaches, 0, 0},
    {"self.drive_traces_functions", drive_traces_functions, 0, 0},
    {"self.drive_follows_containers", drive_follows_containers, 0, 0},
    {"self.drive_is_polite", drive_is_polite, 0, 0},
    {"self.drive_sweeps_fast", drive_sweeps_fast, 0, 0},
    {0},
};
