/* run_seccomp.c: linux.seccomp as the program meets it. unit/seccomp.inc has the compiler; here the
 * filter is in place, at the right moment, once, and its listener reaches the agent. */
#include "runs.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

/* What the payload needs to start, with either libc, to say something and to end. */
#define NEEDED "execve arch_prctl set_tid_address set_robust_list rseq prlimit64 readlinkat getrandom mprotect uname brk mmap munmap madvise write exit_group"
#define STATUS "payload-script cat /proc/self/status -- syscall %ld"

/* ---- profiles as text ---- */

/* `names`: words. `more`: members, each with its comma before it. */
static char *rule(const char *names, const char *action, const char *more) {
    struct text text = {0};
    char *words = print("%s", names);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) text_add(&text, "%s\"%s\"", text.n ? "," : "", word);
    return print("{\"names\":[%s],\"action\":\"SCMP_ACT_%s\"%s}", text.at, action, more);
}

static char *profile(const char *action, const char *more, const char *rules) {
    return print("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_%s\"%s,\"syscalls\":[%s]}", action, more, rules);
}

static const char *privs(bool none_new) { return none_new ? "\"noNewPrivileges\":true" : "\"noNewPrivileges\":false"; }

/* ---- what a call meets ---- */

struct meeting {
    const char *action, *data, *answer; /* NULL: the end, by SIGSYS */
};
static const struct meeting meetings[] = {
    {"ERRNO", NULL, "EPERM -1"}, {"ERRNO", "18", "EXDEV -1"}, {"ERRNO", "0", "ok 0"}, {"ERRNO", "65535", "E4095 -1"}, {"ALLOW", NULL, "ok 1"}, {"LOG", NULL, "ok 1"},
    {"TRACE", NULL, "ENOSYS -1"}, {"TRACE", "18", "ENOSYS -1"}, {"TRAP", NULL, NULL}, {"KILL", NULL, NULL}, {"KILL_THREAD", NULL, NULL}, {"KILL_PROCESS", NULL, NULL}};
#define MEETINGS (sizeof meetings / sizeof *meetings)

static void meet(struct t *t, const struct meeting *m, const char *process, const char *linux_) {
    struct outcome *out = ran(t, &(struct config){.args = print("payload-script syscall %ld -- echo after", (long)SYS_gettid), .process = process, .linux_ = linux_});
    const char *want = m->answer ? print("syscall %ld: %s\nafter\n", (long)SYS_gettid, m->answer) : "";
    EXPECT(!strcmp(out->out, want), "%s: \"%s\"%s", linux_, out->out, out->err);
    EXPECT(out->code == (m->answer ? 0 : 128 + SIGSYS), "%s: %d %s", linux_, out->code, out->err);
}

static void actions(struct t *t) {
    for (size_t i = 0; i < MEETINGS; i++) {
        const struct meeting *m = &meetings[i];
        char *rules = rule("gettid no_such_call", m->action, m->data ? print(",\"errnoRet\":%s", m->data) : "");
        meet(t, m, privs(true), profile(strcmp(m->action, "ALLOW") ? "ALLOW" : "ERRNO", "", print("%s,%s", rules, rule(NEEDED, "ALLOW", ""))));
        meet(t, m, privs(false), profile(strcmp(m->action, "ALLOW") ? "ALLOW" : "LOG", "", rules));
    }
}

/* All that the payload does not need meets the default. The runtime's own calls would, too. */
static void default_actions(struct t *t) {
    for (size_t i = 0; i < MEETINGS; i++) {
        const struct meeting *m = &meetings[i];
        char *more = m->data ? print(",\"defaultErrnoRet\":%s", m->data) : print("%s", "");
        meet(t, m, privs(true), profile(m->action, more, print("%s,%s", rule(NEEDED, "ALLOW", ""), rule("file_setattr", "LOG", ""))));
    }
}

static void threads(struct t *t) {
    static const char *const rows[][2] = {{"KILL", "thread: killed\n"}, {"KILL_THREAD", "thread: killed\n"}, {"ERRNO", "thread: EPERM\n"}, {"KILL_PROCESS", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome *out = ran(t, &(struct config){.args = print("payload-thread %ld", (long)SYS_getppid), .linux_ = profile("ALLOW", "", rule("getppid", rows[i][0], ""))});
        CHECK(out->code == (rows[i][1] ? 0 : 128 + SIGSYS), "%s: %d %s%s", rows[i][0], out->code, out->err, out->out);
        CHECK_TEXT(out->out, rows[i][1] ? rows[i][1] : "");
    }
}

static void trap_is_told(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.args = print("payload-script sigsys -- syscall %ld -- echo after", (long)SYS_getppid),
                                                       .linux_ = profile("ALLOW", "", rule("getppid", "TRAP", ""))});
    CHECK_HAS(out->out, print("sigsys: code 1, errno 0, call %ld, arch ", (long)SYS_getppid));
    CHECK_HAS(out->out, "after\n");
}

/* The tracer is told the rule's number, and what it puts in the place of the call is done. */
static void trace_reaches_tracer(struct t *t) {
    struct bundle b;
    unsigned long data = 0;
    int status = 0;
    need_root();
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = print("payload-syscall %ld", (long)SYS_getppid), .linux_ = profile("ALLOW", "", rule("getppid", "TRACE", ",\"errnoRet\":1234"))});
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    pid_t pid = atoi(state_get(t, t->tag, "pid"));
    CHECK_SYS(ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACESECCOMP));
    expect(t, 0, "", "start", t->tag);
    CHECK_INT(waitpid(pid, &status, __WALL), pid);
    CHECK(status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8), "%#x", (unsigned)status);
    CHECK_SYS(ptrace(PTRACE_GETEVENTMSG, pid, NULL, &data));
    CHECK_INT(data, 1234);
    CHECK_SYS(ptrace(PTRACE_DETACH, pid, NULL, NULL));
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
    delete_all(t);
}

/* ---- in place ---- */

struct place {
    const char *process, *namespaces;
};

static void check_place(const struct outcome *out, bool none_new, const char *what) {
    CHECK(out->code == 0 || out->code == 1, "%s: %d %s", what, out->code, out->err); /* 1: the last call failed */
    CHECK(strstr(out->out, "\nSeccomp:\t2\n"), "%s: %s", what, out->out);
    CHECK(strstr(out->out, "\nSeccomp_filters:\t1\n"), "%s: %s", what, out->out);
    CHECK(strstr(out->out, print("\nNoNewPrivs:\t%d\n", none_new)), "%s: %s", what, out->out);
    CHECK(strstr(out->out, print("syscall %ld: EXDEV -1\n", (long)SYS_getppid)), "%s: %s", what, out->out);
}

static char *denies_getppid(void) { return profile("ALLOW", "", rule("getppid", "ERRNO", ",\"errnoRet\":18")); }

/* One filter, whoever the program is; without noNewPrivileges it takes a right that the program may not have. */
static void in_place(struct t *t) {
    static const struct place places[] = {{"", NULL}, {",\"user\":{\"uid\":1000,\"gid\":1000}", NULL}, {"", DEFAULT_NAMESPACES " user"},
                                          {",\"user\":{\"uid\":1000,\"gid\":1000}", DEFAULT_NAMESPACES " user"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (geteuid() && *places[i].process) continue;
        if (i == 2) need_userns();
        for (int none_new = 0; none_new < 2; none_new++) {
            struct outcome *out = ran(t, &(struct config){.args = print(STATUS, (long)SYS_getppid), .process = print("%s%s", privs(none_new), places[i].process),
                                                          .namespaces = places[i].namespaces, .linux_ = denies_getppid()});
            check_place(out, none_new, print("%s %s", places[i].process, places[i].namespaces));
        }
    }
}

static void in_place_rootless(struct t *t) {
    struct bundle b;
    struct outcome out;
    need_root();
    root_make(t, &b);
    for (int none_new = 0; none_new < 2; none_new++) {
        bundle_config(&b, &(struct config){.args = print(STATUS, (long)SYS_getppid), .process = privs(none_new),
            .linux_ = print("\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"user\"}],"
                            "\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],%s", ORDINARY, ORDINARY, denies_getppid())});
        CHECK_SYS(chown(b.rootfs, ORDINARY, ORDINARY));
        run_ordinary(t, &out, (const char *const[]){"run", "-b", b.path, t->tag, NULL});
        check_place(&out, none_new, "rootless");
    }
}

/* The host's processes have no filter, before and after `start`. */
static void created_and_started(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    for (int none_new = 0; none_new < 2; none_new++) {
        bundle_config(&b, &(struct config){.args = print(STATUS, (long)SYS_getppid), .process = privs(none_new), .linux_ = denies_getppid()});
        run_ocirt(t, &out, "create", "-b", b.path, t->tag);
        CHECK(out.code == 0, "%s", out.err);
        char *status = file_read(print("/proc/%s/status", state_get(t, t->tag, "pid")), NULL);
        CHECK_HAS(status, none_new ? "\nSeccomp:\t0\n" : "\nSeccomp:\t2\n");
        expect(t, 0, "", "start", t->tag);
        await_text(&out, print("syscall %ld", (long)SYS_getppid));
        check_place(&out, none_new, "create, start");
        await_status(t, "stopped");
        delete_all(t);
    }
    CHECK_INT(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
}

/* ---- conditions ---- */

#define ARG(index, op, value, two) "{\"index\":" #index ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #value ",\"valueTwo\":" #two "}"

/* Calls that look at none of their arguments. */
static void conditions(struct t *t) {
    static const struct {
        const char *name;
        long number;
        const char *args;
        struct {
            const char *args;
            bool hit;
        } calls[5];
    } rows[] = {
        {"getppid", SYS_getppid, ARG(0, "EQ", 4294967297, 0), {{"0x100000001", true}, {"1", false}, {"0x100000000", false}}},
        {"gettid", SYS_gettid, ARG(1, "GT", 9223372036854775808, 0), {{"0 -1", true}, {"0 -9223372036854775808", false}, {"0 9223372036854775807", false}}},
        {"getuid", SYS_getuid, ARG(2, "LT", 4294967296, 0), {{"0 0 0xffffffff", true}, {"0 0 0x100000000", false}, {"0 0 -1", false}}},
        {"geteuid", SYS_geteuid, ARG(3, "MASKED_EQ", 1095216660480, 77309411328), {{"0 0 0 0x1212345678", true}, {"0 0 0 0x1312345678", false}, {"0 0 0 0x12", false}}},
        {"getgid", SYS_getgid, ARG(4, "NE", 7, 0), {{"0 0 0 0 0x100000007", true}, {"0 0 0 0 7", false}}},
        {"getegid", SYS_getegid, ARG(5, "GE", 5, 0), {{"0 0 0 0 0 5", true}, {"0 0 0 0 0 4", false}, {"0 0 0 0 0 -1", true}}},
        {"getpid", SYS_getpid, ARG(0, "LE", 3, 0) "," ARG(5, "EQ", 9, 0), {{"3 0 0 0 0 9", true}, {"4 0 0 0 0 9", false}, {"3 0 0 0 0 8", false}}}, /* both */
        {"sched_yield", SYS_sched_yield, ARG(0, "EQ", 1, 0) "," ARG(0, "EQ", 2, 0), {{"1", true}, {"2", true}, {"3", false}}}, /* one of them */
    };
    struct text rules = {0}, script = {0}, want = {0};
    text_add(&script, "payload-script");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        text_add(&rules, "%s%s", i ? "," : "", rule(rows[i].name, "ERRNO", print(",\"errnoRet\":18,\"args\":[%s]", rows[i].args)));
        for (size_t j = 0; rows[i].calls[j].args; j++) {
            text_add(&script, "%s syscall %ld %s", script.n > 14 ? " --" : "", rows[i].number, rows[i].calls[j].args);
            text_add(&want, "%s(%s) %d\n", rows[i].name, rows[i].calls[j].args, rows[i].calls[j].hit);
        }
    }
    text_add(&rules, ",%s,%s", rule("getsid", "ERRNO", ",\"errnoRet\":18,\"args\":[" ARG(1, "EQ", 1, 0) "]"), rule("getsid", "ERRNO", ",\"errnoRet\":18,\"args\":[" ARG(2, "EQ", 2, 0) "]"));
    text_add(&script, " -- syscall %ld 0 1 0 -- syscall %ld 0 0 2 -- syscall %ld 0 2 1 -- echo", (long)SYS_getsid, (long)SYS_getsid, (long)SYS_getsid);
    text_add(&want, "getsid(0 1 0) 1\ngetsid(0 0 2) 1\ngetsid(0 2 1) 0\n");
    struct outcome *out = ran_well(t, &(struct config){.args = script.at, .linux_ = profile("ALLOW", "", rules.at)});
    char *line = strtok(out->out, "\n");
    for (const char *at = want.at; *at; at += strcspn(at, "\n") + 1, line = strtok(NULL, "\n")) {
        bool hit = at[strcspn(at, "\n") - 1] == '1';
        CHECK(line != NULL, "no line for %.40s", at);
        EXPECT((strstr(line, "EXDEV -1") != NULL) == hit, "%.*s: %s", (int)strcspn(at, "\n"), at, line);
    }
}

/* ---- calls that the profile does not know; other tables ---- */

static void newer_calls(struct t *t) {
    static const struct {
        const char *action, *more, *newer, *older;
    } rows[] = {{"ERRNO", "", "ENOSYS", "EPERM"}, {"ERRNO", ",\"defaultErrnoRet\":18", "ENOSYS", "EXDEV"}, {"KILL_PROCESS", "", "ENOSYS", NULL}, {"TRAP", "", "ENOSYS", NULL}, {"LOG", "", "ENOSYS", "EBADF"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *linux_ = profile(rows[i].action, rows[i].more, print("%s,%s", rule(NEEDED, "ALLOW", ""), rule("openat2", "ALLOW", "")));
        struct outcome *out = ran(t, &(struct config){.args = print("payload-script syscall 999 -- syscall %ld -1", (long)SYS_fchdir), .process = privs(true), .linux_ = linux_});
        EXPECT(strstr(out->out, print("syscall 999: %s -1", rows[i].newer)), "%s: %d %s%s", linux_, out->code, out->out, out->err);
        if (rows[i].older) EXPECT(strstr(out->out, print("syscall %ld: %s -1", (long)SYS_fchdir, rows[i].older)), "%s: %s", linux_, out->out);
        else EXPECT(out->code == 128 + SIGSYS, "%s: %d", linux_, out->code);
    }
}

#if defined(__x86_64__)
static bool has_i386(void) {
    int status = 0;
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        int result = 64; /* getppid */
        __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
        _exit(result == (int)getppid() ? 0 : 1);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    return status == 0;
}

/* getppid is 64 there and 110 here, getegid 50 and 108. */
static void other_tables(struct t *t) {
    static const struct {
        const char *archs, *script, *out; /* NULL: killed */
    } rows[] = {{"\"SCMP_ARCH_X86\"", "syscall32 64 -- syscall32 50 -- syscall 110", "syscall32 64: EXDEV -1\nsyscall32 50: ok 0\nsyscall 110: EXDEV -1\n"},
        {"\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"", "syscall 64 -1 -- syscall 50 -1", "syscall 64: ENOENT -1\nsyscall 50: EBADF -1\n"}, /* semget, listen */
        {"\"SCMP_ARCH_X86\"", "syscall32 199 0x12345 -- syscall32 24 5", "syscall32 199: ok 0\nsyscall32 24: EXDEV -1\n"},
        {"\"SCMP_ARCH_X86_64\"", "syscall 110", "syscall 110: EXDEV -1\n"}, {"\"SCMP_ARCH_X86_64\"", "syscall32 50", NULL}, {"", "syscall32 50", NULL},
        {"\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\",\"SCMP_ARCH_S390X\"", "syscall 110", "syscall 110: EXDEV -1\n"}, {"\"SCMP_ARCH_AARCH64\"", "syscall32 50", NULL},
        {"\"SCMP_ARCH_X86\"", "syscall 0x4000006c", NULL}, {"\"SCMP_ARCH_X32\"", "syscall 0x4000006e", "syscall 0x4000006e: EXDEV -1\n"}};
    if (!has_i386()) SKIP("kernel", "no 32-bit calls on this kernel");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *more = print(",\"architectures\":[%s]", rows[i].archs);
        char *rules = print("%s,%s", rule("getppid", "ERRNO", ",\"errnoRet\":18"), rule("getuid", "ERRNO", ",\"errnoRet\":18,\"args\":[" ARG(0, "EQ", 5, 0) "]"));
        struct outcome *out = ran(t, &(struct config){.args = print("payload-script %s -- echo", rows[i].script), .linux_ = profile("ALLOW", more, rules)});
        if (rows[i].out) EXPECT(!strcmp(out->out, print("%s\n", rows[i].out)), "%s: %d %s%s", more, out->code, out->out, out->err);
        else EXPECT(out->code == 128 + SIGSYS, "%s %s: %d %s%s", more, rows[i].script, out->code, out->out, out->err);
    }
}
#else
static void other_tables(struct t *t) {
    (void)t;
    SKIP("machine", "only x86-64 has a second table for any program");
}
#endif

/* ---- the runtime under the filter ---- */

/* With noNewPrivileges nothing but exec is left to do; with hooks before it. */
static void loaded_last(struct t *t) {
    static const char *const actions_of_rest[] = {"KILL_PROCESS", "ERRNO", "TRAP"};
    struct bundle b;
    root_make(t, &b);
    for (size_t i = 0; i < sizeof actions_of_rest / sizeof *actions_of_rest; i++) {
        char *log = print("%s/log", b.rootfs);
        unlink(log);
        struct outcome *out = ran(t, &(struct config){.args = "payload-echo alive", .process = privs(true), .linux_ = profile(actions_of_rest[i], "", rule(NEEDED, "ALLOW", "")),
            .top = "\"hooks\":{\"startContainer\":[{\"path\":\"/payload\",\"args\":[\"hook\",\"payload-hook\",\"/log\",\"first\",\"0\"]}]}"});
        CHECK(out->code == 0, "%s: %d %s", actions_of_rest[i], out->code, out->err);
        CHECK_TEXT(out->out, "alive\n");
        CHECK_HAS(file_read(log, NULL), "first");
    }
}

/* Without it the runtime still has to cut capabilities, to run hooks. The error tells which step met the filter. */
static void loaded_early(struct t *t) {
    static const char hooks[] = "\"hooks\":{\"startContainer\":[{\"path\":\"/payload\",\"args\":[\"hook\",\"payload-exit\",\"0\"]}]}";
    static const char held[] = "\"noNewPrivileges\":false,\"capabilities\":{\"bounding\":[],\"permitted\":[],\"effective\":[]}";
    static const struct {
        const char *names, *action, *top, *word;
    } rows[] = {{"capset", "ERRNO", NULL, "/process/capabilities"}, {"capset", "KILL_PROCESS", NULL, "/process/capabilities"},
                {"clone clone3 fork vfork", "ERRNO", hooks, "/hooks/startContainer"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome *out = ran(t, &(struct config){.args = "payload-echo alive", .process = held, .top = rows[i].top, .linux_ = profile("ALLOW", "", rule(rows[i].names, rows[i].action, ""))});
        EXPECT(out->code != 0 && !out->out_n, "%s: %d %s", rows[i].names, out->code, out->out);
        EXPECT(!strcmp(rows[i].action, "ERRNO") || strstr(out->err, "signal 31"), "%s", out->err);
        EXPECT(strstr(out->err, rows[i].word) && strstr(out->err, "since noNewPrivileges is not set: allow the call") && good_text(out->err), "%s %s: %d %s", rows[i].names, rows[i].action, out->code, out->err);
    }
    struct outcome *out = ran(t, &(struct config){.args = "payload-echo alive", .process = privs(true), .top = hooks, .linux_ = profile("ALLOW", "", rule("clone clone3 fork vfork capset setresuid setgroups prctl openat2 mount", "KILL_PROCESS", ""))});
    CHECK(out->code == 0, "%s", out->err);
    CHECK_TEXT(out->out, "alive\n");
}

static void no_exec(struct t *t) {
    static const struct {
        const char *action;
        int code;
        const char *word;
    } rows[] = {{"ERRNO", 126, "exec: \"/payload\": operation not permitted"}, {"KILL_PROCESS", 159, ""}, {"KILL_THREAD", 159, ""}, {"TRAP", 159, ""}};
    for (int none_new = 0; none_new < 2; none_new++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct outcome *out = ran(t, &(struct config){.process = privs(none_new), .linux_ = profile("ALLOW", "", rule("execve execveat", rows[i].action, ""))}), list;
            EXPECT(out->code == rows[i].code && !out->out_n, "%s %d: %d %s%s", rows[i].action, none_new, out->code, out->err, out->out);
            EXPECT(strstr(out->err, rows[i].word), "%s %d: %s", rows[i].action, none_new, out->err);
            run_ocirt(t, &list, "list", "-q");
            EXPECT(!list.out_n, "%s: left %s", rows[i].action, list.out);
        }
}

/* ---- wrong profiles ---- */

static char *long_rules(unsigned n) {
    struct text text = {0};
    for (unsigned i = 0; i < n; i++) text_add(&text, "%s%s", i ? "," : "", rule("getppid", "ERRNO", print(",\"errnoRet\":%u,\"args\":[{\"index\":%u,\"value\":%u,\"op\":\"SCMP_CMP_EQ\"}]", i % 4000 + 1, i % 6, i)));
    return text.at;
}

static void wrong_profiles(struct t *t) {
    const struct {
        const char *profile, *place, *word;
    } rows[] = {
        {profile("NOTIFY", ",\"listenerPath\":\"/x\"", ""), "/linux/seccomp/defaultAction", "cannot be the default"},
        {profile("ALLOW", "", rule("read", "NOTIFY", "")), "/linux/seccomp", "needs listenerPath"},
        {profile("ALLOW", ",\"listenerPath\":\"\"", rule("read", "NOTIFY", "")), "/linux/seccomp", "needs listenerPath"},
        {profile("ALLOW", ",\"listenerPath\":\"/x\"", print("%s,%s", rule("sendmsg", "ERRNO", ""), rule("read", "NOTIFY", ""))), "/linux/seccomp", "sendmsg"},
        {profile("ALLOW", ",\"listenerPath\":\"/x\"", rule("sendmsg", "NOTIFY", "")), "/linux/seccomp", "sendmsg"},
        {profile("ERRNO", ",\"listenerPath\":\"/x\"", print("%s,%s", rule(NEEDED, "ALLOW", ""), rule("read", "NOTIFY", ""))), "/linux/seccomp", "sendmsg"},
        {profile("ALLOW", ",\"listenerPath\":\"/x\"", print("%s,%s", rule("close", "KILL", ""), rule("read", "NOTIFY", ""))), "/linux/seccomp", "close"},
        {profile("ALLOW", "", rule("read", "ERRNO", ",\"errnoRet\":65536")), "/linux/seccomp/syscalls/0/errnoRet", "65535"},
        {profile("ERRNO", ",\"defaultErrnoRet\":65536", ""), "/linux/seccomp/defaultErrnoRet", "65535"},
        {profile("ALLOW", "", print("%s,%s", rule("read", "ERRNO", ",\"args\":[" ARG(0, "EQ", 1, 0) "]"), rule("read", "KILL", ",\"args\":[" ARG(0, "EQ", 1, 0) "]"))), "/linux/seccomp/syscalls/1/action", "different action"},
        {profile("ALLOW", "", long_rules(2000)), "/linux/seccomp/syscalls", "4096 instructions"},
        {profile("ALLOW", "", long_rules(5000)), "/linux/seccomp/syscalls", "too many conditions"},
    };
    struct bundle b;
    root_make(t, &b);
    bundle_config(&b, NULL);
    struct snap *before = snap_take(t, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome out;
        bundle_config(&b, &(struct config){.linux_ = rows[i].profile});
        run_ocirt(t, &out, "run", "-b", b.path, t->tag);
        EXPECT(out.code == 125 && !out.out_n && strstr(out.err, rows[i].place) && strstr(out.err, rows[i].word), "%s: %d %s", rows[i].place, out.code, out.err);
        outcome_free(&out);
        bundle_config(&b, NULL);
        CHECK_SNAP(t, before);
    }
}

/* ---- seccomp(2) itself ---- */

static void watched(struct t *t, struct drive *drive, const struct config *config) {
    struct bundle b;
    root_make(t, &b);
    bundle_config(&b, config);
    drive_ocirt(t, drive, "run", "-b", b.path, t->tag);
    CHECK(!drive->timed_out, "%s", drive->outcome.err);
}

static void flags(struct t *t) {
    static const struct {
        const char *flags;
        uint64_t want;
    } rows[] = {{"", 4}, {",\"flags\":[]", 0}, {",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\"]", 1}, {",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]", 2}, {",\"flags\":[\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]", 4},
                {",\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]", 0}, {",\"flags\":[\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\",\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"]", 7}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct drive drive = {0};
        unsigned loads = 0;
        watched(t, &drive, &(struct config){.args = print(STATUS, (long)SYS_getppid), .linux_ = profile("ALLOW", rows[i].flags, rule("getppid", "ERRNO", ",\"errnoRet\":18"))});
        check_place(&drive.outcome, false, rows[i].flags);
        for (size_t j = 0; j < drive.n_calls; j++)
            if (drive.calls[j].nr == SYS_seccomp) loads++, CHECK(drive.calls[j].args[0] == 1 && drive.calls[j].args[1] == rows[i].want, "%s: flags %#llx", rows[i].flags, (unsigned long long)drive.calls[j].args[1]);
        CHECK_INT(loads, 1);
        drive_free(&drive);
    }
}

/* It says that it has worked, or fails: the program is not started. */
struct refusal {
    struct drive_action action;
    unsigned hits;
};

static struct drive_action refuse(void *user, struct call *call) {
    struct refusal *r = user;
    if (call->nr != SYS_seccomp) return (struct drive_action){DRIVE_GO, 0};
    r->hits++;
    return r->action;
}

static void refusals_of_kernel(struct t *t) {
    static const struct {
        struct drive_action action;
        const char *word;
    } rows[] = {{{DRIVE_LIE, 0}, ""}, {{DRIVE_FAIL, EINVAL}, "flags"}, {{DRIVE_FAIL, EACCES}, "CAP_SYS_ADMIN"}, {{DRIVE_FAIL, ENOSYS}, "no such call"}, {{DRIVE_FAIL, ENOMEM}, "memory"}, {{DRIVE_LIE, 1234}, ""}};
    for (int none_new = 0; none_new < 2; none_new++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct refusal refusal = {rows[i].action, 0};
            struct drive drive = {.decide = refuse, .user = &refusal};
            struct outcome list;
            watched(t, &drive, &(struct config){.process = privs(none_new), .linux_ = denies_getppid()});
            EXPECT(refusal.hits == 1, "%u calls", refusal.hits);
            EXPECT(drive.outcome.code > 0 && !drive.outcome.out_n, "%zu: %d %s%.200s", i, drive.outcome.code, drive.outcome.err, drive.outcome.out);
            EXPECT(strstr(drive.outcome.err, "/linux/seccomp") && strstr(drive.outcome.err, rows[i].word) && good_text(drive.outcome.err), "%zu: %s", i, drive.outcome.err);
            run_ocirt(t, &list, "list", "-q");
            EXPECT(!list.out_n, "%zu: left %s", i, list.out);
            drive_free(&drive);
        }
}

/* ---- the agent of SCMP_ACT_NOTIFY ---- */

struct notification { /* struct seccomp_notif */
    uint64_t id;
    uint32_t pid, flags;
    int nr;
    uint32_t arch;
    uint64_t ip, args[6];
};
struct answer { /* struct seccomp_notif_resp */
    uint64_t id;
    int64_t value;
    int32_t error;
    uint32_t flags;
};
#define NOTIFY_RECEIVE _IOWR('!', 0, struct notification)
#define NOTIFY_SEND _IOWR('!', 1, struct answer)

void agent_listen(struct t *t, struct agent *a, const char *file) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    *a = (struct agent){.fd = -1};
    snprintf(a->path, sizeof a->path, "%s/%s", t->dir, file);
    CHECK_OK(strlen(a->path) < sizeof name.sun_path);
    strcpy(name.sun_path, a->path);
    unlink(a->path);
    CHECK_SYS(a->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    CHECK_SYS(bind(a->socket, (struct sockaddr *)&name, sizeof name));
    CHECK_SYS(listen(a->socket, 4));
}

void await_input(int fd, const char *what) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    CHECK(poll(&wait, 1, (int)(8000 * time_scale())) == 1, "%s: nothing came", what);
}

bool agent_called(const struct agent *a) {
    int peer = accept4(a->socket, NULL, NULL, SOCK_CLOEXEC);
    if (peer >= 0) close(peer);
    return peer >= 0;
}

void agent_take(struct agent *a) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control;
    char data[8192];
    int peer;
    await_input(a->socket, "connection");
    CHECK_SYS(peer = accept4(a->socket, NULL, NULL, SOCK_CLOEXEC));
    for (;;) {
        struct iovec part = {data, sizeof data};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
        await_input(peer, a->message.n ? "its end" : "message");
        ssize_t n = recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
        CHECK_SYS(n);
        if (n == 0) break;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        CHECK((header != NULL) == (a->message.n == 0), "%s", a->message.n ? "more descriptors" : "no descriptor");
        if (header) {
            CHECK_OK(header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)) && message.msg_controllen <= CMSG_SPACE(sizeof(int)));
            memcpy(&a->fd, CMSG_DATA(header), sizeof(int));
        }
        text_add_bytes(&a->message, data, (size_t)n);
    }
    close(peer);
    CHECK(!agent_called(a), "%s", "a second connection");
    CHECK_OK(a->fd >= 0);
}

static struct notification agent_receive(const struct agent *a) {
    struct notification got = {0};
    await_input(a->fd, "notification");
    CHECK_SYS(syscall(SYS_ioctl, a->fd, NOTIFY_RECEIVE, &got));
    return got;
}

static void agent_answer(const struct agent *a, uint64_t id, long value, int error, unsigned flags) {
    struct answer answer = {id, value, -error, flags};
    CHECK_SYS(syscall(SYS_ioctl, a->fd, NOTIFY_SEND, &answer));
}

void agent_end(struct agent *a) {
    if (a->fd >= 0) close(a->fd);
    close(a->socket);
    unlink(a->path);
}

static char *notifies(const struct agent *a, const char *more) {
    return profile("ALLOW", print(",\"listenerPath\":\"%s\"%s", a->path, more), rule("getppid", "NOTIFY", ""));
}

static char *notified_script(void) {
    return print("payload-script syscall %ld 11 22 33 -- syscall %ld -- syscall %ld -- cat /proc/self/status", (long)SYS_getppid, (long)SYS_getppid, (long)SYS_getppid);
}

/* Refused, given a value, let through. */
static void agent_answers_three(const struct agent *a, pid_t pid) {
    struct notification first = agent_receive(a);
    CHECK_INT(first.pid, pid);
    CHECK_INT(first.nr, SYS_getppid);
    CHECK_OK(first.args[0] == 11 && first.args[1] == 22 && first.args[2] == 33);
    agent_answer(a, first.id, 0, EXDEV, 0);
    agent_answer(a, agent_receive(a).id, 77, 0, 0);
    agent_answer(a, agent_receive(a).id, 0, 0, 1 /* CONTINUE */);
}

static void check_answered(const struct outcome *out) {
    CHECK_HAS(out->out, print("syscall %ld: EXDEV -1\nsyscall %ld: ok 77\nsyscall %ld: ok 0\n", (long)SYS_getppid, (long)SYS_getppid, (long)SYS_getppid));
    CHECK_HAS(out->out, "\nSeccomp_filters:\t1\n");
}

static void check_message(struct t *t, const struct agent *a, const struct bundle *b, const char *status, pid_t *out_pid) {
    const char *text = a->message.at;
    CHECK(is_json(text) && strlen(text) == a->message.n, "%s", text);
    CHECK_TEXT(json_value(text, "ociVersion"), "1.3.0");
    CHECK_TEXT(json_words(text, "fds"), "seccompFd");
    CHECK_TEXT(json_value(text, "metadata"), "some \\\"words\\\"");
    CHECK_TEXT(json_value(text, "state/id"), t->tag);
    CHECK_TEXT(json_value(text, "state/status"), status);
    CHECK_TEXT(json_value(text, "state/bundle"), b->path);
    CHECK_TEXT(json_value(text, "state/annotations/key"), "value");
    CHECK_TEXT(json_value(text, "state/pid"), json_value(text, "pid"));
    *out_pid = atoi(json_value(text, "pid"));
}

/* With and without noNewPrivileges, where it is loaded by another process state. */
static void notify_run_in(struct t *t, const char *namespaces) {
    struct bundle b;
    struct agent a;
    pid_t pid;
    root_make(t, &b);
    for (int none_new = 0; none_new < 2; none_new++) {
        struct outcome out;
        agent_listen(t, &a, "agent");
        bundle_config(&b, &(struct config){.args = notified_script(), .process = privs(none_new), .namespaces = namespaces, .top = "\"annotations\":{\"key\":\"value\"}",
                                           .linux_ = notifies(&a, ",\"listenerMetadata\":\"some \\\"words\\\"\"")});
        pid_t command = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL})}, &out);
        agent_take(&a);
        check_message(t, &a, &b, none_new ? "created" : "creating", &pid);
        char *told = state_get(t, t->tag, "pid"); /* while it is being created the record may still be on its way */
        CHECK((!none_new && !strcmp(told, "0")) || atoi(told) == pid, "%s, not %d", told, (int)pid);
        agent_answers_three(&a, pid);
        command_wait(command, 10, &out);
        CHECK(out.code == 0, "%d %s", out.code, out.err);
        check_answered(&out);
        CHECK(!agent_called(&a), "%s", "called again");
        agent_end(&a);
    }
}

static void notify_run(struct t *t) { notify_run_in(t, NULL); }

static void notify_run_user_namespace(struct t *t) {
    need_root();
    need_userns();
    notify_run_in(t, DEFAULT_NAMESPACES " user");
}

static void notify_create_start(struct t *t) {
    struct bundle b;
    struct agent a;
    pid_t pid;
    root_make(t, &b);
    for (int none_new = 0; none_new < 2; none_new++) {
        struct outcome out;
        agent_listen(t, &a, "agent");
        bundle_config(&b, &(struct config){.args = notified_script(), .process = privs(none_new), .top = "\"annotations\":{\"key\":\"value\"}",
                                           .linux_ = notifies(&a, ",\"listenerMetadata\":\"some \\\"words\\\"\"")});
        run_ocirt(t, &out, "create", "-b", b.path, t->tag);
        CHECK(out.code == 0, "%s", out.err);
        char *created = state_get(t, t->tag, "pid");
        if (!none_new) agent_take(&a);
        expect(t, 0, "", "start", t->tag);
        if (none_new) agent_take(&a);
        check_message(t, &a, &b, none_new ? "created" : "creating", &pid);
        CHECK_INT(pid, atoi(created));
        agent_answers_three(&a, pid);
        await_text(&out, "Seccomp_filters");
        check_answered(&out);
        await_status(t, "stopped");
        delete_all(t);
        agent_end(&a);
    }
}

/* A further process has a filter of its own, which is sent as init's was. */
static void notify_by_exec(struct t *t) {
    struct agent a;
    struct box x;
    struct outcome out;
    agent_listen(t, &a, "agent");
    box_begin(t, &x, &(struct config){.linux_ = notifies(&a, ",\"listenerMetadata\":\"words\"")});
    agent_take(&a);
    for (int privs = 0; privs < 2; privs++) {
        close(a.fd);
        text_free(&a.message);
        a.fd = -1;
        pid_t command = command_start(&(struct command){.argv = exec_argv(t, privs ? "--no-new-privs" : "", print("/payload payload-syscall %ld", (long)SYS_getppid))}, &out);
        agent_take(&a);
        CHECK(is_json(a.message.at), "%s", a.message.at);
        CHECK_TEXT(json_value(a.message.at, "state/id"), t->tag);
        CHECK_TEXT(json_value(a.message.at, "metadata"), "words");
        CHECK_INT(parent_of(atoi(json_value(a.message.at, "pid"))), command);
        CHECK_INT(atoi(json_value(a.message.at, "state/pid")), x.l.pid);
        agent_answer(&a, agent_receive(&a).id, 77, 0, 0);
        command_wait(command, 10, &out);
        CHECK(out.code == 0 && strstr(out.out, "ok 77"), "%d %s%s", out.code, out.out, out.err);
        outcome_free(&out);
    }
    close(a.fd);
    a.fd = -1;
    /* without one who listens it is not run without the filter */
    agent_end(&a);
    not_executed(t, "", "/payload payload-echo ran", 0, "has to listen on listenerPath");
    live_end(t, &x.l);
}

/* What exec says of the container has its root file system; crun's agents look there. */
static void notify_exec(struct t *t) {
    struct bundle b;
    struct agent a;
    struct outcome out;
    agent_listen(t, &a, "agent");
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep", .process = privs(true), .linux_ = notifies(&a, "")});
    run_ocirt(t, &out, "run", "-d", "-b", b.path, t->tag);
    CHECK(out.code == 0, "%s", out.err);
    agent_take(&a);
    const char *first = print("%s", a.message.at);
    a.message.n = 0;
    close(a.fd);
    run_ocirt(t, &out, "exec", t->tag, "/payload", "payload-echo", "ran");
    CHECK(out.code == 0, "%s", out.err);
    agent_take(&a);
    CHECK_TEXT(json_value(a.message.at, "state/root"), b.rootfs);
    CHECK_TEXT(json_value(a.message.at, "state/root"), json_value(first, "state/root"));
    CHECK_TEXT(json_value(a.message.at, "state/status"), "running");
    delete_all(t);
    agent_end(&a);
}

/* Nobody's listener: the agent ends, and the call fails as seccomp_unotify(2) says. */
static void notify_agent_ends(struct t *t) {
    struct bundle b;
    struct agent a;
    struct outcome out;
    root_make(t, &b);
    agent_listen(t, &a, "agent");
    bundle_config(&b, &(struct config){.args = print("payload-syscall %ld", (long)SYS_getppid), .linux_ = notifies(&a, "")});
    pid_t command = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL})}, &out);
    agent_take(&a);
    CHECK_OK(!json_value(a.message.at, "metadata"));
    agent_receive(&a);
    agent_end(&a);
    command_wait(command, 10, &out);
    CHECK_HAS(out.out, print("syscall %ld: ENOSYS -1\n", (long)SYS_getppid));
}

/* The calls that a filter with TSYNC, WAIT_KILLABLE_RECV is loaded with; both need the listener's own flag. */
static void notify_flags(struct t *t) {
    static const struct {
        const char *flags;
        uint64_t want;
        int minor; /* of Linux 5 or 6, which knows it */
        int major;
    } rows[] = {{"", 0xc, 0, 5}, {",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\"]", 0x19, 7, 5}, {",\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]", 0x28, 0, 6}};
    struct bundle b;
    struct agent a;
    struct outcome out;
    root_make(t, &b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool known = syscall(SYS_seccomp, 1, rows[i].want, NULL) && errno == EFAULT;
        agent_listen(t, &a, "agent");
        bundle_config(&b, &(struct config){.args = print("payload-syscall %ld", (long)SYS_getppid), .process = privs(true), .linux_ = notifies(&a, rows[i].flags)});
        pid_t command = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL})}, &out);
        if (known) {
            agent_take(&a);
            agent_answer(&a, agent_receive(&a).id, 77, 0, 0);
        }
        command_wait(command, 10, &out);
        if (known) CHECK(strstr(out.out, "ok 77"), "%s: %d %s%s", rows[i].flags, out.code, out.out, out.err);
        else CHECK(out.code && strstr(out.err, "/linux/seccomp") && strstr(out.err, "flags"), "%s: %d %s", rows[i].flags, out.code, out.err);
        agent_end(&a);
    }
}

/* A kernel that takes 40 bytes at a time. */
static struct drive_action shorten(void *user, struct call *call) {
    struct msghdr message;
    struct iovec part;
    unsigned *n = user;
    if (call->nr != SYS_sendmsg || !call->role) return (struct drive_action){DRIVE_GO, 0};
    if (!drive_peek(call, call->args[1], &message, sizeof message) || !drive_peek(call, (uintptr_t)message.msg_iov, &part, sizeof part)) return (struct drive_action){DRIVE_GO, 0};
    if (part.iov_len > 40) part.iov_len = 40, *n += drive_poke(call, (uintptr_t)message.msg_iov, &part, sizeof part);
    return (struct drive_action){DRIVE_GO, 0};
}

static void notify_in_parts(struct t *t) {
    struct agent a;
    unsigned n = 0;
    struct drive drive = {.decide = shorten, .user = &n};
    need_root(); /* the memory of an init whose ids have changed is not for others */
    agent_listen(t, &a, "agent");
    watched(t, &drive, &(struct config){.args = "payload-echo alive", .linux_ = notifies(&a, "")});
    CHECK(drive.outcome.code == 0 && n > 2, "%u parts: %d %s", n, drive.outcome.code, drive.outcome.err);
    agent_take(&a);
    CHECK(is_json(a.message.at), "%s", a.message.at);
    CHECK_TEXT(json_value(a.message.at, "state/id"), t->tag);
    agent_end(&a);
}

/* What the runtime itself does between loading and exec is to send and to close. */
static void notify_nearly_all(struct t *t) {
    struct bundle b;
    struct agent a;
    struct outcome out;
    root_make(t, &b);
    agent_listen(t, &a, "agent");
    bundle_config(&b, &(struct config){.args = "payload-echo alive", .process = privs(true),
        .linux_ = profile("KILL_PROCESS", print(",\"listenerPath\":\"%s\"", a.path), print("%s,%s,%s", rule(NEEDED, "ALLOW", ""), rule("sendmsg close", "ALLOW", ""), rule("read", "NOTIFY", "")))});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    CHECK_TEXT(out.out, "alive\n");
    agent_take(&a);
    agent_end(&a);
}

static void listener_unused(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.linux_ = profile("ALLOW", ",\"listenerPath\":\"/nonexistent/agent\",\"listenerMetadata\":\"x\"", rule("getppid", "ERRNO", ""))});
    CHECK_REPORT(out, "seccomp", "2");
}

/* Before anything is made: no process, no folder. */
static void agent_missing(struct t *t) {
    struct agent a;
    struct bundle b;
    agent_listen(t, &a, "agent");
    root_make(t, &b);
    close(a.socket); /* its name is left, and nobody behind it */
    file_write(print("%s/file", t->dir), "%s", "");
    const char *rows[][2] = {{"/nonexistent/agent", "has to listen on listenerPath"}, {print("%s", a.path), "has to listen on listenerPath"}, {print("%s/file", t->dir), "connection refused"}, {print("/%0120d", 0), "has to listen on listenerPath"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct drive drive = {0};
        snprintf(a.path, sizeof a.path, "%s", rows[i][0]);
        struct config config = {.linux_ = notifies(&a, "")};
        refused(t, &config, 125, "/linux/seccomp/listenerPath");
        watched(t, &drive, &config);
        EXPECT(strstr(drive.outcome.err, rows[i][1]) && good_text(drive.outcome.err), "%s: %s", rows[i][0], drive.outcome.err);
        EXPECT(drive.n_tracees == 1, "%s: %u processes", rows[i][0], drive.n_tracees);
        drive_free(&drive);
    }
}

/* It closes the connection just before it is sent what it waited for. */
static struct drive_action close_then_go(void *user, struct call *call) {
    struct agent *a = user;
    if (call->nr == SYS_sendmsg && call->role && a->fd < 0) a->fd = agent_called(a) ? -1 : -2;
    return (struct drive_action){DRIVE_GO, 0};
}

static void agent_closes(struct t *t) {
    for (int none_new = 0; none_new < 2; none_new++) {
        struct agent a;
        struct outcome list;
        struct drive drive = {.decide = close_then_go, .user = &a};
        agent_listen(t, &a, "agent");
        watched(t, &drive, &(struct config){.process = privs(none_new), .linux_ = notifies(&a, "")});
        EXPECT(drive.outcome.code > 0 && !drive.outcome.out_n, "%d: %d %s", none_new, drive.outcome.code, drive.outcome.out);
        EXPECT(strstr(drive.outcome.err, "sending the listener") && strstr(drive.outcome.err, "/linux/seccomp"), "%d: %s", none_new, drive.outcome.err);
        run_ocirt(t, &list, "list", "-q");
        EXPECT(!list.out_n, "left %s", list.out);
        drive_free(&drive);
        a.fd = -1;
        agent_end(&a);
    }
}

const struct test run_seccomp_tests[] = {
    {"seccomp.actions", actions, 0, 0},
    {"seccomp.default_actions", default_actions, 0, 0},
    {"seccomp.threads", threads, 0, 0},
    {"seccomp.trap_is_told", trap_is_told, 0, 0},
    {"seccomp.trace_reaches_tracer", trace_reaches_tracer, 0, 0},
    {"seccomp.in_place", in_place, 0, 0},
    {"seccomp.in_place_rootless", in_place_rootless, 0, 0},
    {"seccomp.created_and_started", created_and_started, 0, 0},
    {"seccomp.conditions", conditions, 0, 0},
    {"seccomp.newer_calls", newer_calls, 0, 0},
    {"seccomp.other_tables", other_tables, 0, 0},
    {"seccomp.loaded_last", loaded_last, 0, 0},
    {"seccomp.loaded_early", loaded_early, 0, 0},
    {"seccomp.no_exec", no_exec, 0, 0},
    {"seccomp.wrong_profiles", wrong_profiles, 0, 40},
    {"seccomp.flags", flags, 0, 40},
    {"seccomp.refusals_of_kernel", refusals_of_kernel, 0, 40},
    {"seccomp.notify_run", notify_run, 0, 0},
    {"seccomp.notify_run_user_namespace", notify_run_user_namespace, 0, 0},
    {"seccomp.notify_create_start", notify_create_start, 0, 0},
    {"seccomp.notify_exec", notify_exec, 0, 0},
    {"seccomp.notify_agent_ends", notify_agent_ends, 0, 0},
    {"seccomp.notify_flags", notify_flags, 0, 0},
    {"seccomp.notify_in_parts", notify_in_parts, 0, 0},
    {"seccomp.notify_nearly_all", notify_nearly_all, 0, 0},
    {"seccomp.notify_by_exec", notify_by_exec, 0, 0},
    {"seccomp.listener_unused", listener_unused, 0, 0},
    {"seccomp.agent_missing", agent_missing, 0, 40},
    {"seccomp.agent_closes", agent_closes, 0, 0},
    {0}};
