/* run_exec.c: exec. What a program that joins a container is given, what it is kept from, and what it leaves. */
#include "runs.h"
#include "../ocirt.h"
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ALL_PRIVATE "pid mount ipc uts net cgroup"
#define SHARED_PID "mount ipc uts"

/* ---- helpers of runs.h ---- */

static const char *files_of(struct t *t) { return print("%s/files", t->dir); }

void files_end(struct t *t) { remove_tree(files_of(t)); }

void box_begin(struct t *t, struct box *x, const struct config *config) {
    struct config c = config ? *config : (struct config){0};
    if (!c.args) c.args = "payload-script echo ready -- sleep";
    live_begin(t, &x->l, &c);
    x->before = snap_take(t, 0);
}

void box_end(struct t *t, struct box *x) {
    files_end(t);
    reap_all();
    CHECK_SNAP(t, x->before);
    live_end(t, &x->l);
}

const char **exec_argv(struct t *t, const char *options, const char *command) {
    const char *words[64] = {"exec"};
    char *text[2] = {print("%s", options), print("%s", command)};
    size_t n = 1;
    for (int i = 0; i < 2; i++) {
        for (char *word = strtok(text[i], " "); word; word = strtok(NULL, " ")) words[n++] = word;
        if (i == 0) words[n++] = t->tag;
        CHECK_OK(n < 60);
    }
    words[n] = NULL;
    return ocirt_argv(t, words);
}

static void without_descriptors(struct outcome *out) {
    close(out->out_fd);
    close(out->err_fd);
    out->out_fd = out->err_fd = 0;
}

static struct outcome *finished(const struct command *command) {
    struct outcome *out = remember(calloc(1, sizeof *out));
    CHECK_OK(out != NULL);
    need_ocirt();
    command_run(command, out);
    CHECK(!out->timed_out, "exec has no end; it said: %s%s", out->out, out->err);
    without_descriptors(out);
    return out;
}

struct outcome *execed(struct t *t, const char *options, const char *command) {
    return finished(&(struct command){.argv = exec_argv(t, options, command)});
}

struct outcome *execed_well(struct t *t, const char *options, const char *command) {
    struct outcome *out = execed(t, options, command);
    CHECK(out->code == 0, "exec %s ... %s: %d %s%.300s", options, command, out->code, out->err, out->out);
    CHECK(!out->err_n, "exec %s ... %s: %s", options, command, out->err);
    return out;
}

static void expect_refusal(const struct outcome *out, const char *where, int code, const char *word) {
    EXPECT(code ? out->code == code : out->code == 1 || out->code == 255, "%s: code %d: %s", where, out->code, out->err);
    EXPECT(!out->out_n, "%s: it ran: %.200s", where, out->out);
    EXPECT(strstr(out->err, word) && good_text(out->err), "%s: no \"%s\" in: %s", where, word, out->err);
}

void not_executed(struct t *t, const char *options, const char *command, int code, const char *word) {
    expect_refusal(execed(t, options, command), print("exec %s ... %s", options, command), code, word);
}

const char *pid_path(struct t *t) {
    make_dirs(files_of(t), 0755);
    return print("%s/pid", files_of(t));
}

pid_t exec_detached(struct t *t, const char *options, const char *command, struct outcome *out) {
    const char *path = pid_path(t);
    unlink(path);
    command_run(&(struct command){.argv = exec_argv(t, print("-d --pid-file %s %s", path, options), command)}, out);
    CHECK(!out->timed_out, "%s", "exec -d does not return");
    CHECK(out->code == 0 && !out->err_n, "exec -d %s ... %s: %d %s", options, command, out->code, out->err);
    char *text = file_read(path, NULL);
    CHECK(text && atoi(text) > 1, "pid file: %s", text);
    return atoi(text);
}

const char *process_text(struct t *t, const char *text) {
    static unsigned n;
    make_dirs(files_of(t), 0755);
    const char *path = print("%s/process-%u.json", files_of(t), n++);
    file_write(path, "%s", text);
    return print("-p %s", path);
}

/* Not json_value: a text may hold what its braces must not be counted in. */
const char *process_option(struct t *t, const struct config *config) {
    char *text = json_value(config_text(config), "process");
    CHECK_OK(text != NULL);
    return process_text(t, text);
}

/* Ends all in the container but its init and the one that does it. */
static void end_others(struct t *t) { execed(t, "", "/payload payload-kill -1 9"); }

/* The end of a process that was handed to us, as wait tells it. */
static int end_of(pid_t pid) {
    int status = 0;
    CHECK(wait_until(pid, 5 * time_scale(), &status), "%d has not become our child, or has not ended", (int)pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- output and end ---- */

static void codes(struct t *t) {
    struct box x;
    static const int signals[] = {1, 2, 3, 6, 9, 11, 13, 14, 15, 34};
    box_begin(t, &x, NULL);
    for (int code = 0; code < 256; code += sweeps_full() ? 1 : 17) {
        struct outcome *out = execed(t, "", print("/payload payload-exit %d", code));
        EXPECT(out->code == code && !out->err_n && !out->out_n, "%d: %d %s", code, out->code, out->err);
    }
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct outcome *out = execed(t, "", print("/payload payload-signal %d", signals[i]));
        EXPECT(out->code == 128 + signals[i] && !out->err_n, "signal %d: %d %s", signals[i], out->code, out->err);
    }
    box_end(t, &x);
}

static void output(struct t *t) {
    struct box x;
    struct outcome *out;
    enum { N = 1 << 20 };
    box_begin(t, &x, NULL);
    out = execed(t, "", "/payload payload-script echo one -- error two -- exit 3");
    CHECK_INT(out->code, 3);
    CHECK_TEXT(out->out, "one\n");
    CHECK_TEXT(out->err, "two\n");
    out = execed_well(t, "", print("/payload payload-flood %d", N));
    CHECK_INT(out->out_n, N);
    for (size_t i = 0; i < N; i++) CHECK(out->out[i] == 'a' + (char)(i % 26), "at %zu", i);
    out = finished(&(struct command){.argv = exec_argv(t, "", "/payload payload-copy"), .input = "what it is given"});
    CHECK_TEXT(out->out, "what it is given");
    box_end(t, &x);
}

/* What follows the id is the command's, whatever it looks like; words are passed as they are. */
static void words(struct t *t) {
    struct box x;
    struct outcome out;
    box_begin(t, &x, NULL);
    CHECK_TEXT(execed_well(t, "", "/payload payload-echo -d --help -- --pid-file x -e")->out, "-d --help -- --pid-file x -e\n");
    run_ocirt(t, &out, "exec", t->tag, "/payload", "payload-report", "", "a b", "\xc3\xa9\n", "--");
    CHECK(out.code == 0, "%s", out.err);
    CHECK_REPORT(&out, "argc", "5");
    CHECK_REPORT(&out, "argv.0", "payload-report");
    CHECK_REPORT(&out, "argv.1", "");
    CHECK_REPORT(&out, "argv.2", "a b");
    CHECK_REPORT(&out, "argv.3", "\xc3\xa9\\n");
    CHECK_REPORT(&out, "argv.4", "--");
    outcome_free(&out);
    /* what is before the id only ends the options */
    run_ocirt(t, &out, "exec", "--cwd", "/", "--", t->tag, "/payload", "payload-echo", "--", "-d");
    CHECK(out.code == 0 && !strcmp(out.out, "-- -d\n"), "%d %s%s", out.code, out.err, out.out);
    outcome_free(&out);
    run_ocirt(t, &out, "exec", "--");
    expect_refusal(&out, "exec --", 0, "");
    outcome_free(&out);
    box_end(t, &x);
}

static void broken_reader(void *user) {
    int ends[2];
    (void)user;
    if (pipe(ends) || dup2(ends[1], 1) != 1) _exit(120);
    close(ends[0]);
    close(ends[1]);
    signal(SIGPIPE, SIG_IGN); /* as conmon has it */
}

static void reader_is_gone(struct t *t) {
    struct box x;
    box_begin(t, &x, NULL);
    struct outcome *out = finished(&(struct command){.argv = exec_argv(t, "", "/payload payload-flood 100000"), .child = broken_reader});
    CHECK(out->code == 128 + SIGPIPE, "%d %s", out->code, out->err);
    box_end(t, &x);
}

/* None is lost, none comes twice: a program that has ended before one looks. */
static void many(struct t *t) {
    struct box x;
    int n = sweeps_full() ? 20000 : 150;
    box_begin(t, &x, NULL);
    for (int i = 0; i < n; i++) {
        struct outcome *out = execed(t, "", print("/payload payload-script echo %d -- exit %d", i, i & 127));
        CHECK(out->code == (i & 127) && !strcmp(out->out, print("%d\n", i)), "%d: %d %s%s", i, out->code, out->out, out->err);
    }
    box_end(t, &x);
}

static void signals_are_forwarded(struct t *t) {
    struct box x;
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGWINCH, SIGCONT};
    box_begin(t, &x, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct outcome out;
        pid_t pid = command_start(&(struct command){.argv = exec_argv(t, "", print("/payload payload-trap %d", signals[i]))}, &out);
        await_text(&out, "ready");
        kill(pid, signals[i]);
        command_wait(pid, 5, &out);
        EXPECT(out.code == signals[i] && strstr(out.out, print("got %d\n", signals[i])), "signal %d: %d %s%s", signals[i], out.code, out.out, out.err);
        outcome_free(&out);
        if (out.timed_out) end_others(t);
    }
    box_end(t, &x);
}

static void hostile_caller(void *user) {
    sigset_t all;
    (void)user;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 1; i <= 64; i++) signal(i, SIG_IGN);
    umask(077);
    setenv("SECRET", "outside", 1);
    setenv("LD_PRELOAD", "/nothing.so", 1);
    setpriority(PRIO_PROCESS, 0, 7);
}

/* As after `run`: nothing of the caller's but its descriptors. A leader, so that an engine can kill the group. */
static void nothing_of_the_caller(struct t *t) {
    struct box x;
    box_begin(t, &x, NULL);
    struct outcome *out = finished(&(struct command){.argv = exec_argv(t, "", "/payload payload-report"), .child = hostile_caller});
    CHECK(out->code == 0, "%d %s", out->code, out->err);
    static const char *const none[] = {"sig.blocked", "sig.ignored", "sig.caught", "sig.pending"};
    for (int i = 0; i < 4; i++) CHECK_REPORT(out, none[i], "0000000000000000");
    CHECK_REPORT(out, "umask", "0022");
    CHECK_REPORT(out, "env.PATH", "/");
    CHECK_REPORT(out, "env.HOME", "/");
    CHECK_REPORT(out, "env.count", "2");
    CHECK_REPORT(out, "cwd", "/");
    CHECK_REPORT(out, "sid", report_get(out, "pid"));
    CHECK_REPORT(out, "pgrp", report_get(out, "pid"));
    CHECK_REPORT(out, "ppid", "0"); /* its parent is outside */
    CHECK_REPORT(out, "comm", "payload");
    CHECK_REPORT(out, "exe", "/payload");
    CHECK_REPORT(out, "pdeathsig", "0");
    CHECK_REPORT(out, "subreaper", "0");
    CHECK_REPORT(out, "dumpable", "1");
    CHECK_REPORT(out, "tty.controlling", "0");
    CHECK_REPORT(out, "isatty", "0 0 0");
    CHECK_REPORT(out, "fd.count", "3");
    CHECK_REPORT(out, "securebits", "0");
    box_end(t, &x);
}

/* ---- the process: from the container's own, and flags ---- */

#define OWN                                                                                                                    \
    "\"env\":[\"PATH=/bin:/\",\"A=own\",\"HOME=/h\"],\"cwd\":\"/own/place\",\"oomScoreAdj\":321,\"noNewPrivileges\":false,"    \
    "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":5},\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":5},"                           \
    "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":200},{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}],"   \
    "\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_CHOWN\"],\"permitted\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"]}"

static void as_the_container(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.process = OWN});
    struct outcome *out = execed_well(t, "", "payload payload-report");
    CHECK_REPORT(out, "exe", "/payload");
    CHECK_REPORT(out, "env.A", "own");
    CHECK_REPORT(out, "env.HOME", "/h");
    CHECK_REPORT(out, "env.count", "3");
    CHECK_REPORT(out, "cwd", "/own/place");
    CHECK_REPORT(out, "oom_score_adj", "321");
    CHECK_REPORT(out, "rlimit.nofile", "100 200");
    CHECK_REPORT(out, "rlimit.core", "0 0");
    CHECK_REPORT(out, "sched", "3 0");
    CHECK_REPORT(out, "nice", "5");
    CHECK_REPORT(out, "ioprio", "2 5");
    CHECK_REPORT(out, "no_new_privs", "0");
    CHECK_REPORT(out, "cap.bounding", "0000000000000021");
    CHECK_REPORT(out, "cap.inheritable", "0000000000000000");
    CHECK_REPORT(out, "cap.ambient", "0000000000000000");
    CHECK_REPORT(out, "hostname", "box");
    box_end(t, &x);
}

/* The config is read once, by create: a bundle that has gone or has changed is of no matter. */
static void config_has_changed(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.process = OWN});
    char *text = file_read(x.l.b.config, NULL);
    bundle_config(&x.l.b, &(struct config){.process = "\"env\":[\"PATH=/\",\"A=changed\"],\"capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\"]}"});
    struct outcome *out = execed_well(t, "", "/payload payload-report");
    CHECK_REPORT(out, "env.A", "own");
    CHECK_REPORT(out, "cap.bounding", "0000000000000021");
    CHECK_SYS(unlink(x.l.b.config));
    out = execed_well(t, "", "/payload payload-report");
    CHECK_REPORT(out, "env.A", "own");
    file_write(x.l.b.config, "%s", text);
    box_end(t, &x);
}

static void flags(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.process = OWN});
    setenv("TAKEN", "from outside", 1);
    unsetenv("NOT_THERE");
    struct outcome *out = execed_well(t, "--cwd / -e A=changed --env=B=x=y -e EMPTY= -e TAKEN --env NOT_THERE --no-new-privs", "/payload payload-report");
    CHECK_REPORT(out, "cwd", "/");
    CHECK_REPORT(out, "env.A", "changed");
    CHECK_OK(!report_nth(out, "env.A", 1));
    CHECK_REPORT(out, "env.B", "x=y");
    CHECK_REPORT(out, "env.EMPTY", "");
    CHECK_REPORT(out, "env.TAKEN", "from outside");
    CHECK_OK(!report_get(out, "env.NOT_THERE"));
    CHECK_REPORT(out, "env.PATH", "/bin:/");
    CHECK_REPORT(out, "no_new_privs", "1");
    out = execed_well(t, "-cwd=/ --no-new-privs=false -tty=false", "/payload payload-report");
    CHECK_REPORT(out, "cwd", "/");
    CHECK_REPORT(out, "no_new_privs", "0");
    not_executed(t, "-e =x", "/payload payload-echo ran", 0, "");
    not_executed(t, "--cwd relative", "/payload payload-echo ran", 0, "");
    not_executed(t, "--nonsense", "/payload payload-echo ran", 0, "unknown option");
    not_executed(t, "", "", 0, "");
    unsetenv("TAKEN");
    struct outcome usage;
    run_ocirt(t, &usage, "exec", "--cwd");
    expect_refusal(&usage, "exec --cwd", 0, "requires an argument");
    run_ocirt(t, &usage, "exec");
    expect_refusal(&usage, "exec", 0, "");
    remove_tree(files_of(t));
    live_end(t, &x.l);
}

/* V24: whole strings of digits, nothing else, and no 0 for what could not be read. Where a leading zero is taken, it is decimal. */
static void users(struct t *t) {
    static const char *const bad[] = {"", ":", "1:", ":1", "-1", "+1", " 1", "1 ", "\t1", "1\n", "0x10", "1:2:3", "root", "1:root", "root:0", "4294967295", "0:4294967295",
        "4294967296", "0:4294967296", "8589934592", "18446744073709551615", "18446744073709551616", "99999999999999999999999", "1,2", "1.0", "1e3", "1 :2", "1: 2", "1:-1", "1:+1",
        "0:", "0:x", "x:0", "0b1", "0o7", "1_000", "1'000", "%31", "\xd9\xa1", "\xc2\xb9", "\xef\xbc\x91", "-0", "0-", "--", "1:0x0", "1:1 ", ":0", "::", "0:0:", "0:0:0"};
    static const struct {
        const char *text;
        unsigned uid, gid;
        bool leading;
    } good[] = {{"0", 0, 0, 0}, {"0:0", 0, 0, 0}, {"1", 1, 0, 0}, {"1000:2000", 1000, 2000, 0}, {"0:7", 0, 7, 0}, {"65535", 65535, 0, 0}, {"65536:65537", 65536, 65537, 0},
                {"2147483647:2147483648", 2147483647u, 2147483648u, 0}, {"4294967294:4294967294", 4294967294u, 4294967294u, 0}, {"010:011", 10, 11, 1}, {"00", 0, 0, 1}};
    struct box x;
    box_begin(t, &x, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct outcome out;
        run_ocirt(t, &out, "exec", "-u", bad[i], t->tag, "/payload", "payload-report");
        expect_refusal(&out, print("-u \"%s\"", bad[i]), 0, "user");
        outcome_free(&out);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (geteuid() && (good[i].uid || good[i].gid)) continue;
        struct outcome *out = execed(t, print("--user=%s", good[i].text), "/payload payload-report");
        if (good[i].leading && out->code) continue;
        unsigned uid = good[i].uid, gid = good[i].gid;
        const char *got = print("%s, %s, %s", report_get(out, "uid"), report_get(out, "gid"), report_get(out, "groups")),
                   *want = print("%u %u %u %u, %u %u %u %u, %s", uid, uid, uid, uid, gid, gid, gid, gid, geteuid() ? report_get(out, "groups") : ""); /* which an ordinary user may not set */
        EXPECT(out->code == 0 && !strcmp(got, want), "-u %s: %d %s %s", good[i].text, out->code, got, out->err);
    }
    box_end(t, &x);
}

static void additional_groups(struct t *t) {
    static const char *const bad[] = {"", "-1", "x", "4294967295", "4294967296", "0x1", "1 ", "5,", ":"};
    struct box x;
    box_begin(t, &x, NULL);
    struct outcome *out = execed_well(t, "-u 1000:2000 -g 5 --additional-gids 70000", "/payload payload-report");
    CHECK_REPORT(out, "uid", "1000 1000 1000 1000");
    CHECK_REPORT(out, "gid", "2000 2000 2000 2000");
    CHECK_REPORT(out, "groups", "5 70000");
    CHECK_REPORT(out, "cap.effective", "0000000000000000");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct outcome refusal;
        run_ocirt(t, &refusal, "exec", "-g", bad[i], t->tag, "/payload", "payload-report");
        expect_refusal(&refusal, print("-g \"%s\"", bad[i]), 0, "");
        outcome_free(&refusal);
    }
    box_end(t, &x);
}

/* HOME is that of the user, if the container has none in its environment. */
static void home(struct t *t) {
    struct bundle b;
    struct box x;
    root_make(t, &b);
    root_file(&b, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n");
    box_begin(t, &x, &(struct config){.process = "\"env\":[\"PATH=/\"]"});
    CHECK_REPORT(execed_well(t, "", "/payload payload-report"), "env.HOME", "/root");
    CHECK_REPORT(execed_well(t, "-e HOME=/mine", "/payload payload-report"), "env.HOME", "/mine");
    if (!geteuid()) CHECK_REPORT(execed_well(t, "-u 1000", "/payload payload-report"), "env.HOME", "/home/user");
    box_end(t, &x);
}

/* ---- the process: from a file ---- */

static void file_fields(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.process = OWN});
    const char *file = process_option(t, &(struct config){.process =
        "\"user\":{\"uid\":1000,\"gid\":2000,\"additionalGids\":[5,70000],\"umask\":63},\"env\":[\"PATH=/\",\"B=2\"],\"cwd\":\"/proc\",\"noNewPrivileges\":true,\"oomScoreAdj\":400,"
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":50,\"hard\":60}],\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":7},"
        "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":6},"
        "\"capabilities\":{\"bounding\":[\"CAP_SETUID\",\"CAP_SETGID\"],\"permitted\":[\"CAP_SETUID\"],\"inheritable\":[\"CAP_SETUID\"],\"effective\":[],\"ambient\":[\"CAP_SETUID\"]}"});
    struct outcome *out = execed_well(t, file, "");
    CHECK_REPORT(out, "uid", "1000 1000 1000 1000");
    CHECK_REPORT(out, "gid", "2000 2000 2000 2000");
    CHECK_REPORT(out, "groups", "5 70000");
    CHECK_REPORT(out, "umask", "0077");
    CHECK_REPORT(out, "env.B", "2");
    CHECK_OK(!report_get(out, "env.A"));
    CHECK_REPORT(out, "cwd", "/proc");
    CHECK_REPORT(out, "no_new_privs", "1");
    CHECK_REPORT(out, "oom_score_adj", "400");
    CHECK_REPORT(out, "rlimit.nofile", "50 60");
    CHECK_REPORT(out, "sched", "3 0");
    CHECK_REPORT(out, "nice", "7");
    CHECK_REPORT(out, "ioprio", "2 6");
    static const char *const sets[] = {"bounding", "permitted", "effective", "inheritable", "ambient"};
    for (int i = 0; i < 5; i++) CHECK_REPORT(out, print("cap.%s", sets[i]), i ? "0000000000000080" : "00000000000000c0");
    box_end(t, &x);
}

/* What the file leaves out: capabilities, limits and score are the container's, the rest is as in a config. */
static void file_defaults(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.process = OWN});
    struct outcome *out = execed_well(t, process_text(t, "{\"args\":[\"/payload\",\"payload-report\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}}"), "");
    CHECK_REPORT(out, "cap.bounding", "0000000000000021");
    CHECK_REPORT(out, "cap.inheritable", "0000000000000000");
    CHECK_REPORT(out, "cap.ambient", "0000000000000000");
    CHECK_REPORT(out, "rlimit.nofile", "100 200");
    CHECK_REPORT(out, "oom_score_adj", "321");
    CHECK_REPORT(out, "no_new_privs", "0");
    CHECK_OK(!report_get(out, "env.A"));
    /* null and unknown members, as Go programs write them */
    out = execed_well(t, process_text(t, "{\"terminal\":false,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/payload\",\"payload-report\",\"\\u003c\\ud83d\\ude00\"],\"env\":null,\"cwd\":\"/\","
                                         "\"capabilities\":null,\"rlimits\":null,\"x-new\":{\"a\":[1]}}"), "");
    CHECK_REPORT(out, "argv.1", "<\xf0\x9f\x98\x80");
    CHECK_REPORT(out, "cap.bounding", "0000000000000021");
    /* an empty object is the empty set, and no absent one */
    out = execed_well(t, process_text(t, "{\"args\":[\"/payload\",\"payload-report\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":{},\"rlimits\":[]}"), "");
    CHECK_REPORT(out, "cap.bounding", "0000000000000000");
    CHECK_REPORT(out, "cap.permitted", "0000000000000000");
    box_end(t, &x);
}

/* How it is scheduled is the container's too, each of them unless the file has its own. */
static void file_without_scheduling(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.process = "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":7},\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":6},"
                                                 "\"execCPUAffinity\":{\"initial\":\"0\",\"final\":\"0\"}"});
    for (int own = 0; own < 2; own++) {
        struct outcome *out = execed_well(t, process_option(t, &(struct config){.process = own ? "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":0}" : NULL}), "");
        CHECK_REPORT(out, "sched", "3 0");
        CHECK_REPORT(out, "nice", "7");
        CHECK_REPORT(out, "ioprio", own ? "3 0" : "2 6");
        CHECK_REPORT(out, "affinity", "0");
    }
    box_end(t, &x);
}

/* The place in the file is told: its name, line and column, and the pointer. */
static void bad_files(struct t *t) {
#define GOOD "\"args\":[\"/payload\",\"payload-echo\",\"ran\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}"
    static const char *const rows[][3] = { /* text, place, word */
        {"{" GOOD ",\n  \"env\":[\"A=1\",\n    7]}", ":3:5", "/env/1"},
        {"{" GOOD ",\n\"env\":[\"NOEQUALS\"]}", ":2:8", "/env/0"},
        {"{\"args\":[],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}}", ":1:9", "/args"},
        {"{\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}}", "", "args"},
        {"{\"args\":[\"/payload\"],\"user\":{\"uid\":0,\"gid\":0}}", "", "cwd"},
        {"{\"args\":[\"/payload\",\"payload-echo\"],\"cwd\":\"x\",\"user\":{\"uid\":0,\"gid\":0}}", "", "/cwd"},
        {"{\"args\":[\"/payload\",\"payload-echo\"],\"cwd\":\"/\",\n\"user\":{\"uid\":4294967295,\"gid\":0}}", ":2:15", "/user/uid"},
        {"{\"args\":[\"/payload\",\"payload-echo\"],\"cwd\":\"/\",\n\"user\":{\"uid\":\"0\",\"gid\":0}}", ":2:15", "/user/uid"},
        {"{\"args\":[\"/payload\",\"payload-echo\"],\"cwd\":\"/\",\n\"user\":{\"uid\":0,\"gid\":-1}}", ":2:23", "/user/gid"},
        {"{" GOOD ",\n\"rlimits\":[{\"type\":\"RLIMIT_NONE\",\"soft\":1,\"hard\":1}]}", ":2:", "/rlimits/0/type"},
        {"{" GOOD ",\n\"scheduler\":{\"policy\":\"SCHED_NONE\"}}", ":2:", "/scheduler/policy"},
        {"{" GOOD ",\n\"oomScoreAdj\":1001}", ":2:", "/oomScoreAdj"},
        {"{" GOOD ",\n\"terminal\":1}", ":2:", "/terminal"},
        {"{" GOOD ",\n\"args\":[\"x\"]}", ":2:1", "duplicate key"},
        {"{" GOOD "", "", "line 1"},
        {"{" GOOD "}\n}", "", "line 2"},
        {"", "", "line 1"},
        {"[]", "", ""},
        {"null", "", ""},
        {"{\"ociVersion\":\"1.0.2\",\"process\":{" GOOD "}}", "", "args"}, /* a whole config is no process */
    };
    struct box x;
    box_begin(t, &x, NULL);
    CHECK_TEXT(execed_well(t, process_text(t, "{" GOOD "}"), "")->out, "ran\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *option = process_text(t, rows[i][0]);
        struct outcome *out = execed(t, option, "");
        expect_refusal(out, rows[i][0], 0, rows[i][2]);
        EXPECT(strstr(out->err, print("%s%s", option + 3, rows[i][1])), "%s: no %s in: %s", rows[i][0], rows[i][1], out->err);
    }
    not_executed(t, "-p /nonexistent/process.json", "", 0, "/nonexistent/process.json");
    not_executed(t, print("-p %s", t->dir), "", 0, t->dir);
    not_executed(t, process_text(t, "{" GOOD "}"), "/payload payload-echo ran", 0, "");
    box_end(t, &x);
}

/* ---- capabilities ---- */

static void caps_of_flags(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.process = OWN});
    static const char *const options[] = {"--cap CAP_NET_RAW", "--cap=CAP_NET_RAW -u 1000:1000", "-c CAP_NET_RAW -c CAP_CHOWN --no-new-privs"};
    static const unsigned long long permitted[] = {0x2021, 0, 0x2021};
    for (int i = 0; i < 3; i++) {
        if (geteuid() && i == 1) continue;
        struct outcome *out = execed(t, options[i], "/payload payload-report");
        EXPECT(out->code == 0, "%s: %s", options[i], out->err);
        if (out->code) continue;
        EXPECT(told_set(out, "bounding") == 0x2021, "%s: bounding %llx", options[i], told_set(out, "bounding"));
        EXPECT(!told_set(out, "inheritable") && !told_set(out, "ambient"), "%s: inheritable %llx, ambient %llx", options[i], told_set(out, "inheritable"), told_set(out, "ambient"));
        /* With no_new_privs only what was permitted before stays, and that is what the set of the config has and --cap adds. */
        unsigned long long want = i == 2 ? 0x2021 : permitted[i];
        EXPECT(told_set(out, "permitted") == want && told_set(out, "effective") == want, "%s: permitted %llx, effective %llx", options[i], told_set(out, "permitted"), told_set(out, "effective"));
    }
    struct outcome *out = execed(t, "--cap CAP_FLY", "/payload payload-report");
    CHECK_HAS(out->err, "CAP_FLY");
    CHECK(out->code || told_set(out, "bounding") == 0x21, "%s", out->out);
    not_executed(t, "--cap=", "/payload payload-echo ran", 0, "");
    box_end(t, &x);
}

/* ---- where it is ---- */

static const char *const spaces[] = {"user", "mnt", "pid", "uts", "ipc", "net", "cgroup", "time"};

static void expect_inside(struct box *x, const struct outcome *out, const char *where) {
    struct stat root, inits;
    EXPECT(out->code == 0, "%s: %d %s", where, out->code, out->err);
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces && out->code == 0; i++) {
        unsigned long long want = ns_of(x->l.pid, spaces[i]);
        const char *got = report_get(out, print("ns.%s", spaces[i]));
        EXPECT(want ? got && strtoull(got, NULL, 10) == want : !got, "%s: %s is %s, not %llu (ours %llu)", where, spaces[i], got, want, ns_of(0, spaces[i]));
    }
    CHECK_SYS(stat(x->l.b.rootfs, &root));
    CHECK_SYS(stat(print("/proc/%d/root/", (int)x->l.pid), &inits));
    const char *got = report_get(out, "root");
    EXPECT(got && strtoull(strchr(got, ' '), NULL, 10) == inits.st_ino && inits.st_ino == root.st_ino, "%s: / is %s, init's %llu", where, got, (unsigned long long)inits.st_ino);
    CHECK_TEXT(report_get(out, "root.parent"), got);
}

static void namespaces(struct t *t) {
    bool root = !geteuid(), time = !access("/proc/self/ns/time", F_OK);
    const char *const rows[][2] = {{NULL, ""}, {"pid mount", ""}, {ALL_PRIVATE " user", ""}, {root ? ALL_PRIVATE : NULL, ""}, {root ? SHARED_PID : NULL, ""}, {root ? "mount" : NULL, ""},
        {time ? (root ? ALL_PRIVATE " time" : ALL_PRIVATE " user time") : NULL, ",\"timeOffsets\":{\"monotonic\":{\"secs\":1000},\"boottime\":{\"secs\":2000}}"}};
    need_userns();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct box x;
        const char *names = rows[i][0];
        if (!names && i) continue;
        if (names && !root && !strstr(names, "user")) names = print("%s user", names);
        box_begin(t, &x, &(struct config){.namespaces = names, .linux_ = *rows[i][1] ? rows[i][1] + 1 : NULL, .top = names && !strstr(names, "uts") ? "\"hostname\":null" : NULL});
        struct outcome *out = execed(t, "", "/payload payload-report");
        expect_inside(&x, out, names ? names : "");
        if (*rows[i][1]) CHECK_HAS(report_get(out, "timens"), "1000");
        out = execed(t, process_option(t, NULL), "");
        expect_inside(&x, out, print("%s, by a file", names ? names : ""));
        box_end(t, &x);
    }
}

/* Without a mount namespace of its own there is only its root that keeps it. */
static void no_mount_namespace(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.namespaces = geteuid() ? "pid ipc uts user" : "pid ipc uts", .no_mounts = true});
    CHECK_TEXT(execed_well(t, "", "/payload payload-try-read /payload")->out, "read /payload: ok 64\n");
    struct outcome *out = execed(t, "", print("/payload payload-try-read %s/config.json", x.l.b.path));
    CHECK_HAS(out->out, "ENOENT");
    out = execed_well(t, "--cwd /", "/payload payload-report");
    CHECK_REPORT(out, "cwd", "/");
    CHECK_REPORT(out, "root.parent", report_get(out, "root"));
    box_end(t, &x);
}

/* A user namespace: the ids outside are the mapped ones, and those that are not mapped can't be had. */
static void mapped(struct t *t) {
    struct box x;
    struct outcome out;
    struct stat info;
    need_userns();
    box_begin(t, &x, &(struct config){.namespaces = DEFAULT_NAMESPACES " user"});
    pid_t pid = exec_detached(t, "", "/payload payload-sleep", &out);
    CHECK_SYS(stat(print("/proc/%d", (int)pid), &info));
    CHECK_INT(info.st_uid, geteuid() ? geteuid() : TEST_FIRST_ID);
    kill(pid, SIGKILL);
    CHECK_INT(end_of(pid), 137);
    outcome_free(&out);
    struct outcome *inside = execed_well(t, "", "/payload payload-report");
    CHECK_REPORT(inside, "uid", "0 0 0 0");
    CHECK_REPORT(inside, "uid_map", geteuid() ? print("0 %u 1", geteuid()) : print("0 %u 65536", TEST_FIRST_ID));
    not_executed(t, "-u 65536:0", "/payload payload-echo ran", 0, "65536");
    not_executed(t, "-u 0:65536", "/payload payload-echo ran", 0, "65536");
    not_executed(t, process_option(t, &(struct config){.process = "\"user\":{\"uid\":70000,\"gid\":0}"}), "", 0, "/user");
    box_end(t, &x);
}

static void by_ordinary_user(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    char *text = replaced(replaced(config_text(&(struct config){.args = "payload-sleep", .namespaces = DEFAULT_NAMESPACES " user"}),
        "\"hostID\":100000,\"size\":65536", print("\"hostID\":%u,\"size\":1", ORDINARY)), "\"hostID\":100000,\"size\":65536", print("\"hostID\":%u,\"size\":1", ORDINARY));
    bundle_write(&b, "%s", text);
    CHECK_SYS(chown(b.rootfs, ORDINARY, ORDINARY));
    run_ordinary(t, &out, (const char *const[]){"run", "-d", "-b", b.path, t->tag, NULL});
    CHECK(out.code == 0, "%s", out.err);
    struct outcome in;
    run_ordinary(t, &in, (const char *const[]){"exec", t->tag, "/payload", "payload-report", NULL});
    CHECK(in.code == 0, "%d %s", in.code, in.err);
    CHECK_REPORT(&in, "uid", "0 0 0 0");
    CHECK_REPORT(&in, "uid_map", print("0 %u 1", ORDINARY));
    run_ordinary(t, &out, (const char *const[]){"state", t->tag, NULL});
    CHECK_OK(strtoull(report_get(&in, "ns.user"), NULL, 10) == ns_of(atoi(json_get(out.out, "pid")), "user"));
    run_ordinary(t, &out, (const char *const[]){"delete", "-f", t->tag, NULL});
    CHECK(out.code == 0, "%s", out.err);
    reap_all();
}

/* Joined by path: the namespaces are another's, and one has gone with its first process. */
static void joined(struct t *t) {
    struct box x;
    pid_t other = holder(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID, NULL);
    box_begin(t, &x, &(struct config){.namespaces = print("[{\"type\":\"mount\"},{\"type\":\"network\",\"path\":\"%s\"},{\"type\":\"ipc\",\"path\":\"%s\"},"
        "{\"type\":\"uts\",\"path\":\"%s\"},{\"type\":\"pid\",\"path\":\"%s\"}]", ns_path(other, "net"), ns_path(other, "ipc"), ns_path(other, "uts"), ns_path(other, "pid")),
        .top = "\"hostname\":null"});
    struct outcome *out = execed(t, "", "/payload payload-report");
    expect_inside(&x, out, "joined");
    CHECK_OK(strtoull(report_get(out, "ns.net"), NULL, 10) == ns_of(other, "net"));
    box_end(t, &x);
    holders_end();
}

/* The init that waits is hidden, from the ordinary user who made it too: there it is told why. */
static void into_created(struct t *t) {
    struct bundle b;
    struct outcome made;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-report"});
    run_ocirt(t, &made, "create", "-b", b.path, t->tag);
    CHECK(made.code == 0, "%s", made.err);
    if (geteuid()) {
        not_executed(t, "", "/payload payload-report", 0, "waits for start");
        delete_all(t);
        return;
    }
    struct outcome *out = execed_well(t, "", "/payload payload-report");
    CHECK_TEXT(status_of(t), "created");
    CHECK_REPORT(out, "hostname", "box");
    expect(t, 0, "", "start", t->tag);
    await_text(&made, "end=1");
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        const char *want = report_get(&made, print("ns.%s", spaces[i])), *got = report_get(out, print("ns.%s", spaces[i]));
        CHECK(want ? got && !strcmp(want, got) : !got, "%s is %s, not %s", spaces[i], got, want);
    }
    CHECK_REPORT(out, "root", report_get(&made, "root"));
    CHECK_REPORT(out, "label", report_get(&made, "label"));
    delete_all(t);
}

/* Where it has all rights, over what joins it too. */
static void init_went_elsewhere(struct t *t) {
    struct box x;
    need_userns();
    box_begin(t, &x, &(struct config){.args = "[\"/payload\",\"payload-script\",\"unshare\",\"0x10000000\",\"--\",\"append\",\"/proc/self/setgroups\",\"deny\",\"--\",\"append\",\"/proc/self/uid_map\",\"0 1000 1\",\"--\","
                                              "\"append\",\"/proc/self/gid_map\",\"0 1000 1\",\"--\",\"echo\",\"ready\",\"--\",\"sleep\"]",
                                 .process = "\"user\":{\"uid\":1000,\"gid\":1000}"});
    CHECK_HAS(file_read(print("/proc/%d/uid_map", (int)x.l.pid), NULL), " 1\n");
    CHECK_OK(ns_of(x.l.pid, "user") != ns_of(0, "user"));
    not_executed(t, "-u 0:0", "/payload payload-echo ran", 0, "that the config does not have");
    not_executed(t, print("-d -u 0:0 --pid-file %s", pid_path(t)), "/payload payload-echo ran", 0, "that the config does not have");
    box_end(t, &x);
}

/* ---- cgroup ---- */

static const char *cgroup_while(struct t *t, const char *options) {
    struct outcome out;
    pid_t pid = exec_detached(t, options, "/payload payload-sleep", &out);
    char *cgroup = cgroup_of(t, pid);
    outcome_free(&out);
    kill(pid, SIGKILL);
    CHECK_INT(end_of(pid), 137);
    return cgroup ? cgroup : "none";
}

static void cgroups(struct t *t) {
    static const char *const outside[] = {"..", "../x", "/..", "sub/../..", "sub/../../x", "/sub/path/../../../x", "sub//../..", "none", "/none/x", "link"};
    static const char *const same[] = {"sub/path", "/sub/path", "sub/path/"};
    struct box x;
    begin_in_cgroup(t, &x.l, &(struct config){.args = "payload-script echo ready -- sleep"});
    x.before = snap_take(t, 0);
    CHECK_TEXT(cgroup_while(t, ""), x.l.cgroup);
    make_dirs(print("%s/sub/path", x.l.cgroup), 0755);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) CHECK_TEXT(cgroup_while(t, print("--cgroup %s", same[i])), print("%s/sub/path", x.l.cgroup));
    CHECK_TEXT(cgroup_while(t, "--cgroup=/"), x.l.cgroup);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) not_executed(t, print("--cgroup %s", outside[i]), "/payload payload-echo ran", 0, outside[i]);
    CHECK_SYS(rmdir(print("%s/sub/path", x.l.cgroup)));
    CHECK_SYS(rmdir(print("%s/sub", x.l.cgroup)));
    box_end(t, &x);
}

/* Engines kill by cgroup.kill: what comes into the cgroup after that is not dead. */
static void killed_cgroup(struct t *t) {
    struct box x;
    struct outcome out;
    begin_in_cgroup(t, &x.l, &(struct config){.args = "payload-script echo ready -- sleep"});
    x.before = snap_take(t, 0);
    const char *sub = print("%s/sub", x.l.cgroup);
    CHECK_SYS(mkdir(sub, 0755));
    if (access(print("%s/cgroup.kill", sub), W_OK)) {
        rmdir(sub);
        live_end(t, &x.l);
        need_kernel(5, 14);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_OK(file_put(print("%s/cgroup.kill", sub), "1"));
        CHECK_TEXT(execed_well(t, "--cgroup sub", "/payload payload-echo alive")->out, "alive\n");
        pid_t pid = exec_detached(t, "--cgroup sub", "/payload payload-sleep", &out);
        CHECK_TEXT(cgroup_of(t, pid), sub);
        CHECK_OK(file_put(print("%s/cgroup.kill", sub), "1"));
        CHECK_INT(end_of(pid), 137);
        outcome_free(&out);
    }
    CHECK_SYS(rmdir(sub));
    box_end(t, &x);
}

/* Of a container that has none, its first CPUs are no reason to look for one. */
static void first_cpus_without_cgroup(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep", .process = "\"execCPUAffinity\":{\"initial\":\"0\",\"final\":\"0\"}"});
    run_ocirt(t, &out, "--cgroup-manager", "disabled", "run", "-d", "-b", b.path, t->tag);
    CHECK(out.code == 0, "%s", out.err);
    for (int disabled = 0; disabled < 2; disabled++) {
        run_ocirt(t, &out, "--cgroup-manager", disabled ? "disabled" : "cgroupfs", "exec", t->tag, "/payload", "payload-report");
        CHECK(out.code == 0, "%d %s", out.code, out.err);
        CHECK_REPORT(&out, "affinity", "0");
    }
    delete_all(t);
}

/* ---- confinement ---- */

static void seccomp(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":33}]}"});
    for (int privs = 0; privs < 2; privs++) {
        struct outcome *out = execed(t, privs ? "--no-new-privs" : "", "/payload payload-script report -- mkdir /x");
        CHECK_HAS(out->out, "mkdir /x: EDOM");
        CHECK_REPORT(out, "seccomp", "2");
        CHECK_REPORT(out, "status.Seccomp_filters", report_get(out, "status.Seccomp_filters") ? "1" : NULL);
    }
    struct outcome *out = execed(t, process_option(t, &(struct config){.args = "payload-mkdir /x"}), "");
    CHECK_HAS(out->out, "mkdir /x: EDOM");
    box_end(t, &x);
}

static void landlock(struct t *t) {
    struct box x;
    if (syscall(444 /* landlock_create_ruleset */, NULL, 0ul, 1u) < 0) SKIP("landlock", "%s", strerror(errno));
    box_begin(t, &x, &(struct config){.top = "\"annotations\":{\"io.ocirt.landlock.read\":\"/\",\"io.ocirt.landlock.write\":\"/dev\"}"});
    struct outcome *out = execed(t, "", "/payload payload-script write /dev/x y -- write /x y");
    CHECK_HAS(out->out, "write /dev/x: ok\n");
    CHECK_HAS(out->out, "write /x: EACCES\n");
    box_end(t, &x);
}

static void keyring(struct t *t) {
    struct box x;
    box_begin(t, &x, NULL);
    struct outcome *out = execed_well(t, "", "/payload payload-report");
    const char *ring = report_get(out, "keyring");
    if (!ring || *ring == 'E') SKIP("kernel", "no keyrings here: %s", ring);
    CHECK_HAS(report_get(out, "keyring.description"), print("_ses.%s", t->tag));
    box_end(t, &x);
}

/* A container that was created without one has none by exec either. */
static void no_keyring(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep"});
    run_ocirt(t, &out, "run", "-d", "--no-new-keyring", "-b", b.path, t->tag);
    CHECK(out.code == 0, "%s", out.err);
    struct outcome *in = execed_well(t, "", "/payload payload-report");
    const char *ring = report_get(in, "keyring");
    if (!ring || *ring == 'E') delete_all(t), SKIP("kernel", "no keyrings here: %s", ring);
    CHECK(!strstr(report_get(in, "keyring.description"), t->tag), "%s", report_get(in, "keyring.description"));
    delete_all(t);
}

/* ---- when not ---- */

static void paused(struct t *t) {
    struct box x;
    struct outcome out;
    begin_in_cgroup(t, &x.l, &(struct config){.args = "payload-script echo ready -- sleep"});
    x.before = snap_take(t, 0);
    quiet(t, "pause", t->tag);
    not_executed(t, "", "/payload payload-echo ran", 0, "cannot exec in a paused container (use --ignore-paused to override)");
    not_executed(t, print("-d --pid-file %s", pid_path(t)), "/payload payload-echo ran", 0, "cannot exec in a paused container");
    CHECK_OK(access(pid_path(t), F_OK));
    pid_t pid = command_start(&(struct command){.argv = exec_argv(t, "--ignore-paused", "/payload payload-echo ran")}, &out);
    nap(0.1);
    outcome_refresh(&out);
    CHECK(!out.out_n && kill(pid, 0) == 0, "%s%s", out.out, out.err);
    quiet(t, "resume", t->tag);
    command_wait(pid, 10, &out);
    CHECK(out.code == 0 && !strcmp(out.out, "ran\n"), "%d %s%s", out.code, out.out, out.err);
    outcome_free(&out);
    CHECK_TEXT(execed_well(t, "", "/payload payload-echo again")->out, "again\n");
    box_end(t, &x);
}

static void not_there(struct t *t) {
    struct bundle b;
    not_executed(t, "", "/payload payload-echo ran", 0, "container does not exist");
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-exit 0"});
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    expect(t, 0, "", "start", t->tag);
    await_status(t, "stopped");
    not_executed(t, "", "/payload payload-echo ran", 0, "cannot exec in a stopped container: container not running: no such process");
    reap_all();
    not_executed(t, print("-d --pid-file %s/pid", t->dir), "/payload payload-echo ran", 0, "cannot exec in a stopped container: container not running: no such process");
    CHECK_OK(access(print("%s/pid", t->dir), F_OK));
    expect(t, 0, "", "delete", t->tag);
}

/* A hook holds create up, which has got half of the way: nothing runs in half a container. */
static void being_created(struct t *t) {
    struct bundle b;
    struct outcome made;
    const char *fifo = print("%s/fifo", t->dir);
    root_make(t, &b);
    CHECK_SYS(mkfifo(fifo, 0600));
    bundle_config(&b, &(struct config){.args = "payload-sleep", .top = print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\",\"args\":[\"payload\",\"payload-cat\",\"%s\"]}]}", test_exe(), fifo)});
    pid_t pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"create", "-b", b.path, t->tag, NULL})}, &made);
    int fd = open(fifo, O_WRONLY | O_CLOEXEC); /* waits for the hook */
    CHECK_SYS(fd);
    not_executed(t, "", "/payload payload-echo ran", 0, "");
    close(fd);
    command_wait(pid, 10, &made);
    CHECK(made.code == 0, "%s", made.err);
    expect(t, 0, "", "start", t->tag);
    CHECK_TEXT(execed_well(t, "", "/payload payload-echo ran")->out, "ran\n");
    delete_all(t);
}

/* ---- failures ---- */

static void failures(struct t *t) {
    struct box x;
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "bin/plain", "text\n");
    root_file(&b, "bin/script", "#!/bin/none\n");
    root_file(&b, "bin/bare", "echo x\n");
    CHECK_SYS(chmod(print("%s/bin/script", b.rootfs), 0755));
    CHECK_SYS(chmod(print("%s/bin/bare", b.rootfs), 0755));
    box_begin(t, &x, &(struct config){.process = "\"env\":[\"PATH=/bin:/sbin\"]"});
    static const char *const missing = "executable file not found in $PATH: no such file or directory";
    const struct {
        const char *options, *command;
        int code;
        const char *word;
    } rows[] = {{"", "nothing", 127, print("exec: \"nothing\": %s", missing)}, {"", "/x/foo", 127, print("exec: \"/x/foo\": %s", missing)},
                {"", "/bin/plain", 126, "exec: \"/bin/plain\": permission denied"}, {"", "plain", 126, "exec: \"plain\": permission denied"},
                {"", "/bin", 126, "exec: \"/bin\": is a directory: permission denied: the path `/bin` is not a regular file: Operation not permitted"},
                {"", "/bin/bare", 126, "exec format error"}, {"", "/bin/script", 0, "/bin/none"},
                {"--cwd /missing", "/payload payload-echo ran", 0, "chdir to cwd (\"/missing\") no such file or directory: chdir to `/missing`: No such file or directory"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int detach = 0; detach < 2; detach++) {
            const char *options = detach ? print("-d --pid-file %s %s", pid_path(t), rows[i].options) : rows[i].options;
            struct outcome *out = execed(t, options, rows[i].command);
            const char *where = print("exec %s ID %s", options, rows[i].command);
            EXPECT(out->code > 0 && (detach || !rows[i].code || out->code == rows[i].code), "%s: %d %s", where, out->code, out->err);
            EXPECT(!out->out_n && strstr(out->err, rows[i].word), "%s: %s%s", where, out->out, out->err);
            EXPECT(access(pid_path(t), F_OK), "%s: there is a pid file", where);
        }
    char *words = execed(t, "", "nothing")->err;
    CHECK(!strstr(words, "permission denied") && !strstr(words, "not permitted"), "%s", words); /* engines look for these first */
    box_end(t, &x);
}

/* One line in the log for one failure, none for success. (The rest of the log is in run_cli.c.) */
static void failure_is_logged(struct t *t) {
    struct box x;
    struct outcome out;
    box_begin(t, &x, NULL);
    const char *log = print("%s/log.json", files_of(t));
    make_dirs(files_of(t), 0755);
    run_ocirt(t, &out, "--log", log, "--log-format", "json", "exec", t->tag, "/payload", "payload-exit", "3");
    CHECK_INT(out.code, 3);
    CHECK_OK(access(log, F_OK));
    outcome_free(&out);
    for (int n = 1; n <= 2; n++) {
        run_ocirt(t, &out, "--log", log, "--log-format", "json", "exec", "-d", t->tag, "nothing");
        CHECK_OK(out.code > 0);
        char *text = file_read(log, NULL), *line = text ? strtok(text, "\n") : NULL;
        for (int i = 0; i < n; i++, line = strtok(NULL, "\n")) {
            CHECK(line && is_json(line), "line %d: %s", i, line);
            CHECK_TEXT(json_value(line, "level"), "error");
            CHECK_HAS(json_value(line, "msg"), "executable file not found in $PATH");
            CHECK_HAS(json_value(line, "time"), "T");
        }
        CHECK(!line, "one more line: %s", line);
        CHECK_HAS(out.err, "executable file not found in $PATH");
        outcome_free(&out);
    }
    run_ocirt(t, &out, "--log", print("%s/none/log", files_of(t)), "--log-format", "json", "exec", t->tag, "/payload", "payload-echo", "goes on");
    CHECK_TEXT(out.out, "goes on\n");
    outcome_free(&out);
    box_end(t, &x);
}

/* ---- detached ---- */

/* The program is there when exec returns, is ours now (the test is the subreaper), and its end comes to us. */
static void detaches(struct t *t) {
    static const char *const rows[] = {NULL, "pid mount ipc uts user", SHARED_PID};
    need_userns();
    for (size_t i = 0; i < (geteuid() ? 2 : 3); i++) {
        struct box x;
        struct outcome out;
        box_begin(t, &x, &(struct config){.namespaces = rows[i]});
        pid_t pid = exec_detached(t, "", "/payload payload-trap 10", &out);
        CHECK_HAS(file_read(print("/proc/%d/cmdline", (int)pid), NULL), "/payload");
        CHECK_INT(parent_of(pid), getpid());
        CHECK_INT(getsid(pid), pid);
        CHECK_INT(getpgid(pid), pid);
        await_text(&out, "ready");
        kill(pid, SIGUSR1);
        CHECK_INT(end_of(pid), 10);
        outcome_free(&out);
        pid = exec_detached(t, "", "/payload payload-exit 7", &out);
        CHECK_INT(end_of(pid), 7);
        outcome_free(&out);
        pid = exec_detached(t, "", "/payload payload-signal 11", &out);
        CHECK_INT(end_of(pid), 128 + 11);
        outcome_free(&out);
        box_end(t, &x);
    }
}

/* Digits and nothing else; in place of what was there; and soon, for the foreground too. */
static void pid_files(struct t *t) {
    struct box x;
    struct outcome out;
    size_t n = 0;
    box_begin(t, &x, NULL);
    const char *path = pid_path(t);
    for (int before = 0; before < 3; before++) {
        if (before) file_write(path, "%s", before == 1 ? "" : "99999999999999999999\nmore\n");
        command_run(&(struct command){.argv = exec_argv(t, print("-d --pid-file %s", path), "/payload payload-sleep")}, &out);
        CHECK(out.code == 0, "%s", out.err);
        char *text = file_read(path, &n);
        CHECK(text && n && strspn(text, "0123456789") == n, "%zu bytes: %s", n, text);
        pid_t pid = atoi(text);
        CHECK_HAS(file_read(print("/proc/%d/cmdline", (int)pid), NULL), "/payload");
        kill(pid, SIGKILL);
        CHECK_INT(end_of(pid), 137);
        outcome_free(&out);
        CHECK_SYS(unlink(path));
    }
    file_write(path, "%s", "");
    CHECK_OK(execed(t, print("-d --pid-file %s", path), "nothing")->code > 0);
    CHECK(!(file_read(path, &n) && n), "%s", file_read(path, &n));
    unlink(path);
    pid_t runtime = command_start(&(struct command){.argv = exec_argv(t, print("--pid-file %s", path), "/payload payload-script echo ready -- sleep")}, &out);
    await_text(&out, "ready");
    char *text = NULL;
    for (double end = now() + 3 * time_scale(); now() < end && !(text = file_read(path, &n)); nap(0.005)) {
    }
    CHECK_OK(text != NULL);
    kill(atoi(text), SIGTERM);
    command_wait(runtime, 5, &out);
    CHECK_INT(out.code, 128 + SIGTERM);
    outcome_free(&out);
    not_executed(t, print("-d --pid-file %s/no/such", files_of(t)), "/payload payload-sleep", 0, "no/such");
    box_end(t, &x);
}

/* The runtime's standard streams are the program's and nobody else's: once it has let go of them, they end. */
static void streams_are_let_go(struct t *t) {
    struct box x;
    struct outcome out;
    int ends[2];
    char byte;
    box_begin(t, &x, NULL);
    CHECK_SYS(pipe2(ends, O_CLOEXEC));
    command_run(&(struct command){.argv = exec_argv(t, print("-d --pid-file %s", pid_path(t)), "/payload payload-script reopen /payload -- sleep"), .out_fd = ends[1], .err_fd = ends[1]}, &out);
    CHECK(out.code == 0, "code %d", out.code);
    close(ends[1]);
    await_input(ends[0], "the end of the output");
    CHECK_INT(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    pid_t pid = atoi(file_read(pid_path(t), NULL));
    kill(pid, SIGKILL);
    end_of(pid);
    box_end(t, &x);
}

/* What a program leaves behind is the container's; exec does not wait for it. */
static void leaves_others(struct t *t) {
    struct live l;
    struct outcome ps;
    live_begin(t, &l, &(struct config){.args = "payload-script echo ready -- sleep"});
    CHECK_TEXT(execed_well(t, "", "/payload payload-script background sleep -- echo done")->out, "done\n");
    run_ocirt(t, &ps, "ps", "-f", "json", t->tag);
    CHECK(ps.code || strchr(ps.out, ','), "one process only: %s", ps.out);
    live_end(t, &l);
}

/* ---- descriptors ---- */

static void strays_are_closed(struct t *t) {
    struct box x;
    box_begin(t, &x, NULL);
    static const char *const options[] = {"", "--preserve-fds 1", "--preserve-fds 8", "--preserve-fds 5"};
    static const char *const counts[] = {"3", "4", "5", "4"}; /* 3 and 10: the numbers between are holes */
    for (int i = 0; i < 4; i++) {
        struct outcome *out = finished(&(struct command){.argv = exec_argv(t, options[i], "/payload payload-report"), .child = open_strays});
        CHECK(out->code == 0, "%s: %s", options[i], out->err);
        CHECK_REPORT(out, "fd.count", counts[i]);
        if (i) CHECK_HAS(report_get(out, "fd.3"), "/dev/null");
        if (i == 2) CHECK_HAS(report_get(out, "fd.10"), "/dev/null");
    }
    box_end(t, &x);
}

/* In each combination: where one is closed there is nothing, or /dev/null, and never a file of the runtime's. */
static void closed_stdio(struct t *t) {
    struct box x;
    box_begin(t, &x, NULL);
    for (unsigned which = 0; which < 8; which++) {
        struct outcome *out = finished(&(struct command){.argv = exec_argv(t, "", "/payload payload-script append /dev/ran x -- report"), .child = close_some, .user = &which});
        EXPECT(out->code == 0, "%u: %d %s", which, out->code, out->err);
        EXPECT(!strstr(out->err, "fd."), "%u: the report went to standard error", which);
        for (int fd = 0; fd < 4 && !(which & 2); fd++) {
            const char *got = report_get(out, print("fd.%d", fd));
            if (fd == 3 || which >> fd & 1) EXPECT(!got || (fd < 3 && !strncmp(got, "/dev/null ", 10)), "%u: fd %d is %s", which, fd, got);
        }
    }
    CHECK_TEXT(execed_well(t, "", "/payload payload-cat /dev/ran")->out, "xxxxxxxx");
    box_end(t, &x);
}

/* Where one is closed the program has the null device: else what it opens next would be its standard error. */
static void closed_stdio_is_null(struct t *t) {
    struct box x;
    box_begin(t, &x, NULL);
    for (unsigned which = 1; which < 8; which++) {
        const char *path = pid_path(t);
        unlink(path);
        finished(&(struct command){.argv = exec_argv(t, print("-d --pid-file %s", path), "/payload payload-sleep"), .child = close_some, .user = &which});
        char *text = file_read(path, NULL);
        CHECK(text != NULL, "%u: it does not run", which);
        pid_t pid = atoi(text);
        for (int fd = 0; fd < 3; fd++) {
            struct stat info = {0};
            int r = stat(print("/proc/%d/fd/%d", (int)pid, fd), &info);
            if (which >> fd & 1) EXPECT(!r && S_ISCHR(info.st_mode) && info.st_rdev == 0x103, "%u: %d is %s", which, fd, r ? strerror(errno) : "something else");
        }
        kill(pid, SIGKILL);
        end_of(pid);
    }
    box_end(t, &x);
}

/* CVE-2024-21626 by exec: also through a link, a file, and the program's name. */
static void cwd_through_descriptor(struct t *t) {
    struct box x;
    struct bundle b;
    root_make(t, &b);
    for (int fd = 3; fd < 20; fd++) root_link(&b, print("/proc/self/fd/%d", fd), print("links/%d", fd));
    box_begin(t, &x, NULL);
    for (int fd = 3; fd < 20; fd++) {
        const char *const places[] = {print("/proc/self/fd/%d", fd), print("/proc/thread-self/fd/%d", fd), print("/links/%d", fd), print("/proc/self/fd/%d/../../..", fd), print("/proc/1/fd/%d", fd)};
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            struct outcome *out = i & 1 ? execed(t, process_option(t, &(struct config){.process = print("\"cwd\":\"%s\"", places[i])}), "")
                                        : execed(t, print("--cwd %s", places[i]), "/payload payload-report");
            const char *cwd = report_get(out, "cwd");
            EXPECT(out->code || (cwd && !strcmp(cwd, "/")), "%s: it ran in %s", places[i], cwd);
            EXPECT(i == 3 || out->code, "%s: it ran in %s", places[i], cwd);
        }
        struct outcome *out = execed(t, "", print("/proc/self/fd/%d/payload payload-report", fd));
        EXPECT(out->code || !strcmp(report_get(out, "exe"), "/payload"), "program below %d: %s", fd, report_get(out, "exe"));
    }
    box_end(t, &x);
}

/* ---- init ends meanwhile ---- */

struct death {
    pid_t init;
    unsigned role, at;
    bool done;
};

static struct drive_action kill_init(void *user, struct call *call) {
    struct death *d = user;
    if (!d->done && d->init && call->role == d->role && call->in_role == d->at) d->done = !kill(d->init, SIGKILL);
    return (struct drive_action){DRIVE_GO, 0};
}

static void exec_driven(struct t *t, struct drive *drive, struct death *death) {
    *drive = (struct drive){.decide = kill_init, .user = death, .seconds = 8};
    const char **argv = exec_argv(t, "", "/payload payload-report");
    drive_start(drive, argv, NULL);
    drive_run(drive);
    free(argv);
}

/* Without a runtime that waits and then deletes it. */
static pid_t start_alone(struct t *t, const struct config *config) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, config);
    run_ocirt(t, &out, "run", "-d", "-b", b.path, t->tag);
    CHECK(out.code == 0, "%s", out.err);
    outcome_free(&out);
    return atoi(state_get(t, t->tag, "pid"));
}

static void end_alone(struct t *t) {
    struct outcome out;
    run_ocirt(t, &out, "delete", "--force", t->tag);
    CHECK(out.code == 0, "%s", out.err);
    outcome_free(&out);
    reap_all();
    rmdir(t->state);
    unlink(print("%s/" BUNDLE "/config.json", t->dir));
}

static const char *name_of_call(const struct drive *drive, unsigned role, unsigned at) {
    for (size_t i = 0; i < drive->n_calls; i++)
        if (drive->calls[i].role == role && drive->calls[i].in_role == at) return call_name(drive->calls[i].nr);
    return "?";
}

static void die_at(struct t *t, const struct config *config, unsigned role, unsigned at) {
    struct drive drive;
    pid_t init = start_alone(t, config);
    unsigned long long mnt = ns_of(init, "mnt");
    struct death death = {.init = init, .role = role, .at = at};
    exec_driven(t, &drive, &death);
    const struct outcome *out = &drive.outcome;
    const char *where = print("init ends at call %u of role %u (%s)", at, role, name_of_call(&drive, role, at));
    const char *got = report_get(out, "ns.mnt");
    EXPECT(!drive.timed_out, "%s: no end", where);
    EXPECT(!got || strtoull(got, NULL, 10) == mnt, "%s: it ran elsewhere: %s", where, got);
    EXPECT(out->code != 0 || strstr(out->out, "end=1"), "%s: 0, but it said %.100s", where, out->out);
    if (out->code != 0 && out->code != 137) EXPECT(good_text(out->err) && (strstr(out->err, "container not running: no such process")), "%s: %d %s", where, out->code, out->err);
    outcome_free(&drive.outcome);
    drive_free(&drive);
    end_alone(t);
}

static void die_at_each_call(struct t *t, const struct config *config) {
    struct drive drive;
    struct death none = {.init = 0};
    root_make(t, &(struct bundle){0});
    struct snap *before = snap_take(t, 0);
    start_alone(t, config);
    exec_driven(t, &drive, &none);
    CHECK(drive.outcome.code == 0, "%d %s", drive.outcome.code, drive.outcome.err);
    unsigned n = drive.n_tracees, calls[8] = {0};
    for (unsigned i = 0; i < n && i < 8; i++) calls[i] = drive.tracees[i].calls;
    outcome_free(&drive.outcome);
    drive_free(&drive);
    end_alone(t);
    unsigned step = sweeps_full() ? 1 : 5 * (unsigned)time_scale();
    for (unsigned role = 0; role < n && role < 8; role++)
        for (unsigned at = 1 + role % step; at <= calls[role]; at += step) die_at(t, config, role, at);
    CHECK_SNAP(t, before);
}

static void init_ends(struct t *t) {
    die_at_each_call(t, &(struct config){.args = "payload-sleep"});
}

static void init_ends_shared_pid(struct t *t) {
    die_at_each_call(t, &(struct config){.args = "payload-sleep", .namespaces = SHARED_PID});
}

/* ---- it is paused meanwhile ---- */

struct pausing {
    struct t *t;
    unsigned role, at;
    pid_t resumes;
};

/* Stopped for 20 ms, wherever the exec is. */
static struct drive_action pause_once(void *user, struct call *call) {
    struct pausing *p = user;
    if (p->resumes || call->role != p->role || call->in_role != p->at) return (struct drive_action){DRIVE_GO, 0};
    expect(p->t, 0, "", "pause", p->t->tag);
    p->resumes = fork();
    if (p->resumes == 0) {
        struct outcome out;
        nap(0.02);
        run_ocirt(p->t, &out, "resume", p->t->tag);
        _exit(out.code);
    }
    return (struct drive_action){DRIVE_GO, 0};
}

/* Refused, if it had not begun; or it waits, and goes on. */
static void paused_meanwhile(struct t *t) {
    struct box x;
    unsigned calls[8] = {0}, roles = 1, step = sweeps_full() ? 1 : 17 * (unsigned)time_scale();
    begin_in_cgroup(t, &x.l, &(struct config){.args = "payload-script echo ready -- sleep"});
    x.before = snap_take(t, 0);
    for (unsigned role = 0, at = 0; role < roles; at += step) {
        if (at > calls[role] && at) role++, at = 1;
        if (role == roles) break;
        struct pausing p = {.t = t, .role = role, .at = at}; /* at 0 it is only watched */
        struct drive drive = {.decide = pause_once, .user = &p, .seconds = 8};
        const char **argv = exec_argv(t, "", "/payload payload-report");
        int status = 0;
        drive_start(&drive, argv, NULL);
        drive_run(&drive);
        const struct outcome *out = &drive.outcome;
        const char *where = print("paused at call %u of role %u (%s)", at, role, name_of_call(&drive, role, at));
        EXPECT(!drive.timed_out, "%s: no end", where);
        EXPECT(out->code == 0 ? strstr(out->out, "end=1") != NULL : out->code == 255 && strstr(out->err, "cannot exec in a paused container"), "%s: %d %s", where, out->code, out->err);
        if (p.resumes) waitpid(p.resumes, &status, 0);
        CHECK(!status, "%s: it can't be resumed", where);
        if (!at && !role) {
            roles = drive.n_tracees < 8 ? drive.n_tracees : 8;
            for (unsigned i = 0; i < roles; i++) calls[i] = drive.tracees[i].calls;
        }
        outcome_free(&drive.outcome);
        drive_free(&drive);
        free(argv);
    }
    box_end(t, &x);
}

/* ---- T11: nobody looks into it before it is the program ---- */

struct watch {
    struct box *x;
    int ask, answers;
    unsigned looks;
    bool shared; /* its pid outside is its pid inside */
    const char *mounts; /* mountinfo of the host */
    bool found;
};

/* Its number in the container's pid namespace; 0: it is not there. */
static int inner_pid(const struct watch *w, pid_t pid) {
    char *text = file_read(print("/proc/%d/status", (int)pid), NULL), *at = text ? strstr(text, "NSpid:") : NULL;
    if (!at) return 0;
    at[strcspn(at, "\n")] = 0;
    char *last = strrchr(at, '\t');
    return w->shared || strchr(at + 7, '\t') ? atoi(last) : 0;
}

/* What init gets when it tries all that could be got of process `pid`. */
static char *looked(struct watch *w, int pid) {
    char line[2048];
    const char *text = print("%d\n", pid);
    CHECK_INT(write(w->ask, text, strlen(text)), strlen(text));
    await_input(w->answers, "init's answer");
    ssize_t n = read(w->answers, line, sizeof line - 1);
    CHECK_OK(n > 0);
    line[n - 1] = 0;
    return print("%s", line);
}

static struct drive_action look_into(void *user, struct call *call) {
    struct watch *w = user;
    int inside = call->role ? inner_pid(w, call->pid) : 0;
    if (!inside) return (struct drive_action){DRIVE_GO, 0};
    char *got = looked(w, inside);
    EXPECT(!*got, "at %s, call %u: init gets its %s", call_name(call->nr), call->in_role, got);
    w->looks++;
    return (struct drive_action){DRIVE_GO, 0};
}

static void hidden_from(struct t *t, const struct config *config, bool shared) {
    struct box x;
    struct watch w = {.x = &x, .shared = shared};
    struct drive drive = {.decide = look_into, .user = &w};
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    static const char *const names[] = {"ask", "answers"};
    for (int i = 0; i < 2; i++) {
        unlink(print("%s/%s", b.rootfs, names[i]));
        CHECK_SYS(mkfifo(print("%s/%s", b.rootfs, names[i]), 0666));
        CHECK_SYS(chmod(print("%s/%s", b.rootfs, names[i]), 0666));
    }
    CHECK_SYS(w.ask = open(print("%s/ask", b.rootfs), O_RDWR | O_CLOEXEC));
    CHECK_SYS(w.answers = open(print("%s/answers", b.rootfs), O_RDWR | O_CLOEXEC));
    box_begin(t, &x, config);
    /* One that has come to be the program is there to be seen. */
    pid_t pid = exec_detached(t, "", "/payload payload-sleep", &out);
    char *seen = looked(&w, inner_pid(&w, pid));
    CHECK(strstr(seen, "mem") && strstr(seen, "root") && strstr(seen, "fd/0"), "init sees of a program only: %s", seen);
    kill(pid, SIGKILL);
    end_of(pid);
    outcome_free(&out);
    const char **argv = exec_argv(t, "", "/payload payload-echo ran");
    drive_start(&drive, argv, NULL);
    drive_run(&drive);
    CHECK(drive.outcome.code == 0, "%d %s", drive.outcome.code, drive.outcome.err);
    CHECK_OK(w.looks > 0);
    outcome_free(&drive.outcome);
    drive_free(&drive);
    box_end(t, &x);
    close(w.ask);
    close(w.answers);
}

static char *all_sets(void) {
    unsigned long long all = our_bounding();
    return print("\"capabilities\":{%s,%s,%s,%s,%s}", cap_list("bounding", all), cap_list("permitted", all), cap_list("effective", all), cap_list("inheritable", all), cap_list("ambient", all));
}

#define WATCHING "payload-script echo ready -- look-into /ask /answers"

static void hidden_mapped(struct t *t) {
    need_userns();
    hidden_from(t, &(struct config){.args = WATCHING, .namespaces = ALL_PRIVATE " user", .process = all_sets()}, false);
}

/* All of the host's processes are seen. */
static void hidden_shared_pid(struct t *t) {
    need_userns();
    hidden_from(t, &(struct config){.args = WATCHING, .namespaces = "mount ipc uts user", .process = all_sets(), .no_mounts = true,
        .mounts = "{\"destination\":\"/proc\",\"source\":\"/proc\",\"options\":[\"rbind\"]}"}, true);
}

/* Root without CAP_SYS_PTRACE, against one that has more than it. */
static void hidden_from_root(struct t *t) {
    hidden_from(t, &(struct config){.args = WATCHING}, false);
}

/* ---- by a program that includes the header ---- */

static void by_api(struct t *t) {
    static const char *const missing[] = {"/nothing"}, *const relative = "x";
    char *own[] = {(char[]){"program"}, NULL};
    ocirt_options options = {.state_root = t->state, .stage = ocirt_stage(1, own)};
    ocirt_arena arena = {0};
    ocirt_container container = {0};
    ocirt_error error;
    ocirt_spec *spec;
    ocirt_exit end;
    struct box x;
    box_begin(t, &x, &(struct config){.process = OWN});
    CHECK(ocirt_process_get(&arena, t->tag, &options, &spec, &error) == 0, "%s", error.message);
    CHECK_TEXT(spec->process->cwd, "/own/place");
    spec->process->args = (ocirt_strings){(const char *[]){"/payload", "payload-exit", "7"}, 3};
    CHECK(ocirt_exec(spec, t->tag, &options, NULL, &end, &error) == 0, "%s", error.message);
    CHECK_INT(end.code, 7);
    CHECK_INT(end.signal, 0);
    spec->process->args = (ocirt_strings){(const char *[]){"/payload", "payload-signal", "9"}, 3};
    CHECK(ocirt_exec(spec, t->tag, &options, NULL, &end, &error) == 0, "%s", error.message);
    CHECK_INT(end.code, 137);
    CHECK_INT(end.signal, 9);
    spec->process->args = (ocirt_strings){(const char *[]){"/payload", "payload-sleep"}, 2};
    options.flags = OCIRT_DETACH;
    CHECK(ocirt_exec(spec, t->tag, &options, &container, NULL, &error) == 0, "%s", error.message);
    CHECK_INT(parent_of(container.pid), getpid());
    CHECK_SYS(syscall(SYS_pidfd_send_signal, container.pidfd, SIGTERM, NULL, 0));
    CHECK_INT(end_of(container.pid), 128 + SIGTERM);
    close(container.pidfd);
    options.flags = 0;
    spec->process->args = (ocirt_strings){(const char **)(uintptr_t)missing, 1};
    CHECK_INT(ocirt_exec(spec, t->tag, &options, NULL, &end, &error), -OCIRT_E_EXEC_NOT_FOUND);
    CHECK_HAS(error.message, "executable file not found in $PATH");
    CHECK_INT(ocirt_exec(spec, "no-such-container", &options, NULL, &end, &error), -OCIRT_E_NOT_FOUND);
    CHECK_INT(ocirt_process_get(&arena, "no-such-container", &options, &spec, &error), -OCIRT_E_NOT_FOUND);
    spec->process->cwd = relative;
    CHECK_OK(ocirt_exec(spec, t->tag, &options, NULL, &end, &error) < 0);
    static const char bad[] = "{\"args\":[\"/payload\"],\n\"cwd\":7,\"user\":{\"uid\":0,\"gid\":0}}", good[] = "{\"args\":[\"/payload\",\"payload-exit\",\"4\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}}";
    CHECK_INT(ocirt_process_load(&arena, bad, sizeof bad - 1, "a file", &spec, &error), -OCIRT_E_SPEC);
    CHECK_INT(error.line, 2);
    CHECK_INT(error.column, 7);
    CHECK_TEXT(error.pointer, "/cwd");
    CHECK_TEXT(error.file, "a file");
    CHECK(ocirt_process_load(&arena, good, sizeof good - 1, NULL, &spec, &error) == 0, "%s", error.message);
    CHECK(ocirt_exec(spec, t->tag, &options, NULL, &end, &error) == 0, "%s", error.message);
    CHECK_INT(end.code, 4);
    ocirt_arena_free(&arena);
    box_end(t, &x);
}

/* ---- CVE-2024-21626: what it has open when it can be seen inside ---- */

static bool is_mount_of_ours(const char *mounts, int id) {
    const char *line = print("\n%d ", id);
    return !strncmp(mounts, line + 1, strlen(line + 1)) || strstr(mounts, line) != NULL;
}

/* No folder of a mount of the host's: `..` of it is a way out. */
static struct drive_action look_for_ways(void *user, struct call *call) {
    struct watch *w = user;
    struct stat info;
    if (!call->role || call->in_role == 1 || !inner_pid(w, call->pid)) return (struct drive_action){DRIVE_GO, 0}; /* the first call closes what it was born by */
    for (int fd = 0; fd < 40; fd++) {
        const char *path = print("/proc/%d/fd/%d", (int)call->pid, fd);
        char *text = file_read(print("/proc/%d/fdinfo/%d", (int)call->pid, fd), NULL), *at = text ? strstr(text, "mnt_id:") : NULL, target[256] = "";
        if (!at || stat(path, &info) || !S_ISDIR(info.st_mode)) continue;
        (void)!readlink(path, target, sizeof target - 1);
        bool ours = is_mount_of_ours(w->mounts, atoi(at + 7));
        EXPECT(!ours || w->found, "at %s, call %u: %d is %s", call_name(call->nr), call->in_role, fd, target);
        w->found |= ours;
    }
    w->looks++;
    return (struct drive_action){DRIVE_GO, 0};
}

static void leads_nowhere_in(struct t *t, const struct config *config) {
    struct box x;
    struct watch w = {.x = &x, .mounts = file_read("/proc/self/mountinfo", NULL)};
    struct drive drive = {.decide = look_for_ways, .user = &w};
    box_begin(t, &x, config);
    const char **argv = exec_argv(t, "", "/payload payload-echo ran");
    drive_start(&drive, argv, NULL);
    drive_run(&drive);
    CHECK(drive.outcome.code == 0 && w.looks, "%d %s", drive.outcome.code, drive.outcome.err);
    outcome_free(&drive.outcome);
    drive_free(&drive);
    box_end(t, &x);
}

/* One inside may trace all processes that it sees. */
static void leads_nowhere(struct t *t) {
    leads_nowhere_in(t, NULL);
    leads_nowhere_in(t, &(struct config){.namespaces = ALL_PRIVATE});
    if (!access("/proc/self/attr/apparmor/exec", F_OK)) leads_nowhere_in(t, &(struct config){.process = "\"apparmorProfile\":\"unconfined\""});
}

const struct test run_exec_tests[] = {
    {"exec.codes", codes, 0, 0},
    {"exec.output", output, 0, 0},
    {"exec.words", words, 0, 0},
    {"exec.reader_is_gone", reader_is_gone, 0, 0},
    {"exec.many", many, 0, 30},
    {"exec.signals_are_forwarded", signals_are_forwarded, 0, 0},
    {"exec.nothing_of_the_caller", nothing_of_the_caller, 0, 0},
    {"exec.as_the_container", as_the_container, 0, 0},
    {"exec.config_has_changed", config_has_changed, 0, 0},
    {"exec.flags", flags, 0, 0},
    {"exec.users", users, 0, 0},
    {"exec.additional_groups", additional_groups, TEST_ROOT, 0},
    {"exec.home", home, 0, 0},
    {"exec.file_fields", file_fields, TEST_ROOT, 0},
    {"exec.file_defaults", file_defaults, 0, 0},
    {"exec.bad_files", bad_files, 0, 0},
    {"exec.caps_of_flags", caps_of_flags, 0, 0},
    {"exec.namespaces", namespaces, 0, 0},
    {"exec.no_mount_namespace", no_mount_namespace, 0, 0},
    {"exec.mapped", mapped, 0, 0},
    {"exec.by_ordinary_user", by_ordinary_user, TEST_ROOT, 0},
    {"exec.joined", joined, TEST_ROOT, 0},
    {"exec.into_created", into_created, 0, 0},
    {"exec.cgroups", cgroups, 0, 0},
    {"exec.killed_cgroup", killed_cgroup, 0, 0},
    {"exec.seccomp", seccomp, 0, 0},
    {"exec.landlock", landlock, 0, 0},
    {"exec.keyring", keyring, 0, 0},
    {"exec.paused", paused, 0, 0},
    {"exec.not_there", not_there, 0, 0},
    {"exec.being_created", being_created, 0, 0},
    {"exec.failures", failures, 0, 0},
    {"exec.failure_is_logged", failure_is_logged, 0, 0},
    {"exec.detaches", detaches, 0, 0},
    {"exec.pid_files", pid_files, 0, 0},
    {"exec.streams_are_let_go", streams_are_let_go, 0, 0},
    {"exec.leaves_others", leaves_others, 0, 0},
    {"exec.strays_are_closed", strays_are_closed, 0, 0},
    {"exec.closed_stdio", closed_stdio, 0, 0},
    {"exec.cwd_through_descriptor", cwd_through_descriptor, 0, 40},
    {"exec.init_ends", init_ends, 0, 60},
    {"exec.init_ends_shared_pid", init_ends_shared_pid, TEST_ROOT, 60},
    {"exec.paused_meanwhile", paused_meanwhile, 0, 60},
    {"exec.by_api", by_api, 0, 0},
    {"exec.hidden_mapped", hidden_mapped, 0, 0},
    {"exec.hidden_shared_pid", hidden_shared_pid, TEST_ROOT, 0},
    {"exec.hidden_from_root", hidden_from_root, TEST_ROOT, 0},
    {"exec.init_went_elsewhere", init_went_elsewhere, TEST_ROOT, 0},
    {"exec.first_cpus_without_cgroup", first_cpus_without_cgroup, 0, 0},
    {"exec.file_without_scheduling", file_without_scheduling, 0, 0},
    {"exec.no_keyring", no_keyring, 0, 0},
    {"exec.closed_stdio_is_null", closed_stdio_is_null, 0, 0},
    {"exec.leads_nowhere", leads_nowhere, TEST_ROOT, 0},
    {0}};
