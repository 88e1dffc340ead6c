/* secure.c: what was asked for is there, or nothing runs. T16: a call that only says it has succeeded;
 * T08: the runtime's own image; T12: capabilities; T09: descriptors. */
#include "sweep.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* ---- T16: lies ------------------------------------------------------------------------------------ */

/* What the report cannot know is tried: what can be opened, and where the kernel's knobs stand. */
#define REPORT "[\"/payload\",\"payload-report\"]"
#define LOOKS                                                                                                       \
    "[\"/payload\",\"payload-script\",\"report\",\"--\",\"try-open-write\",\"/dev/extra/fuse\",\"/data/file\",\"/file\"," \
    "\"/payload\",\"/proc/sys/net/ipv4/ip_forward\",\"--\",\"try-read\",\"/proc/kcore\",\"/proc/keys\",\"--\",\"cat\"," \
    "\"/proc/sys/net/ipv4/ip_forward\",\"/proc/sys/kernel/msgmax\",\"--\",\"ls\",\"/sys/firmware\",\"--\",\"ls\","  \
    "\"/proc/acpi\",\"--\",\"exit\",\"0\"]"

/* The kernel does not lie. A filter around the runtime may (those that let an ordinary user play root
 * do), but then each time that a call is made. So what is not noticed if it happens ONCE needs no more
 * than a reason; what is not noticed if it happens EACH time has a read-back to come, or is nothing that
 * protects. What the report then says differently begins with one of `effects`. */
enum when { ONCE, EACH };
struct excuse {
    const char *call;
    int arg; /* that has `value`; -1: any */
    uint64_t value;
    const char *effects;
    enum when when;
    const char *why;
};

#define OF_PROC "ns.|oom_|uid_map|gid_map|setgroups|timens|loginuid|coredump|exe|status.|read|open-write|0|1|8|9"
static const struct excuse excuses[] = {
    /* A read-back is proposed for these. */
    {"setsid", -1, 0, "sid=|tty.", EACH, "it stays in the caller's session, whose terminal it may type into: the result is the caller's pid"},
    {"umount2", -1, 0, "root.parent|mount=", EACH, "the old root stays behind /..: compare the mount of .. with the root's"},
    {"setns", -1, 0, "ns.|lo|netdev", EACH, "the host's namespace: compare /proc/self/ns with the descriptor"},
    {"unshare", 0, CLONE_NEWCGROUP, "ns.cgroup", EACH, "the host's namespace: compare /proc/self/ns with the host's"},
    {"mount_setattr", -1, 0, "root.fs|mount=|open-write", EACH, "fstatfs says what a mount has, one call for each that protects"},
    {"prctl", 0, PR_CAPBSET_DROP, "cap.bounding|status.CapBnd", EACH, "PR_CAPBSET_READ after each drop"},
    {"prctl", 0, 47 /* PR_CAP_AMBIENT */, "cap.|status.Cap", EACH, "fewer than asked for, in silence: PR_CAP_AMBIENT_IS_SET"},
    {"prctl", 0, PR_SET_KEEPCAPS, "cap.|status.Cap", EACH, "fewer than asked for, in silence: what was had before is to be had after"},
    {"bpf", 0, 8 /* BPF_PROG_ATTACH */, "open-write", EACH, "BPF_PROG_QUERY, beside init's work"},
    {"keyctl", 0, 1 /* JOIN_SESSION_KEYRING */, "keyring", EACH, "the host's keys: its result is the serial that GET_KEYRING_ID must give"},
    {"umask", -1, 0, "umask=|dev.|top.|open-write", EACH, "the second one returns what the first one set; once more tells about the second"},
    {"fcntl", 1, F_SETFD, "fd.", ONCE, "close_range with CLOSE_RANGE_CLOEXEC before exec is a second line, 5.11"},
    /* Nothing is weaker: what is missing is missed. */
    {"mount", -1, 0, "dev.|top.|mount=|cwd=|root.fs", EACH, "a new file system that is not there"},
    {"fchdir", -1, 0, "dev.|top.|mount=|cwd=|root.mode", ONCE, "the mount is lost, or lies elsewhere below the same root"},
    {"fsconfig", 1, 1 /* SET_STRING */, "mount=", EACH, "options of a new file system; its mount's flags are not among them"},
    {"fsconfig", 1, 0 /* SET_FLAG */, "mount=", EACH, "the same"},
    {"mknodat", -1, 0, "dev.", EACH, "no node"},
    {"fchownat", -1, 0, "dev.", EACH, "the node stays root's"},
    {"symlinkat", -1, 0, "dev.", EACH, "no link"},
    {"sethostname", -1, 0, "hostname=", EACH, "a name"},
    {"setdomainname", -1, 0, "domainname=", EACH, "a name"},
    {"ioctl", 1, 0x8914 /* SIOCSIFFLAGS */, "lo|netdev", EACH, "lo is down"},
    {"rt_sigprocmask", 0, 2 /* SIG_SETMASK */, "sig.blocked", ONCE, "signals stay blocked"},
    /* Too dear, or no better than the call itself. */
    {"move_mount", -1, 0, "mount=|dev.|top.|ls|root.fs|acpi|memmap|cwd=|tty.|cat|" OF_PROC, ONCE, "to find each target again doubles the calls; with none attached there is no root"},
    {"capget", -1, 0, "cap.|status.Cap", ONCE, "it is the read-back"},
    {"write", -1, 0, "oom_score_adj=|timens=|0|1|8192|9000", ONCE, "procfs and sysctl take it or say why; sysctls read back differently than written"},
};
enum { EXCUSES = sizeof excuses / sizeof *excuses };

/* The path of a call, or of the call that opened its descriptor. */
static const char *object_of(const struct drive *drive, const struct call *call) {
    if (call->path && *call->path) return call->path;
    for (const struct call *c = call; c-- > drive->calls;)
        if (c->role == call->role && c->done && c->result == (long long)call->args[0] && c->path && *c->path && !strncmp(call_name(c->nr), "open", 4)) return c->path;
    return "";
}

static const char *excused(const struct call *call, enum when when) {
    for (size_t i = 0; i < EXCUSES; i++) {
        const struct excuse *e = &excuses[i];
        bool same = !strcmp(e->call, call_name(call->nr)) && (e->arg < 0 || call->args[e->arg] == e->value);
        if (same && when <= e->when) return e->effects;
    }
    return "";
}

static bool has_line(const char *text, const char *line) {
    size_t n = strlen(line);
    for (const char *at = strstr(text, line); at; at = strstr(at + 1, line))
        if ((at == text || at[-1] == '\n') && (at[n] == '\n' || !at[n])) return true;
    return false;
}

static bool begins_with_one_of(const char *line, const char *words) {
    for (const char *at = words; *at; at += strcspn(at, "|"), at += strspn(at, "|"))
        if (!strncmp(line, at, strcspn(at, "|"))) return true;
    return false;
}

/* Lines that only one of the two has, but those with an excuse. */
static void add_missing(struct text *to, const char *sign, const char *in, const char *from, const char *effects) {
    char *text = print("%s", in);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (!has_line(from, line) && !begins_with_one_of(line, effects)) text_add(to, "%s%.200s; ", sign, line);
    free(text);
}

static void clear(struct scene *s) {
    struct outcome out;
    UNTRACED(s, &out, "delete", "--force", s->t->tag);
    outcome_free(&out);
    remove_tree(s->t->state);
    mkdir(s->t->state, 0700);
    reap_all();
}

/* A disturbed run: either nothing of the container ran, or it is as it was asked for. */
static void go_once(struct scene *s, struct drive *drive, const char *effects, const char *where) {
    struct text why = {0}, more = {0};
    drive->seconds = 2;
    scene_go(s, drive);
    bool ran = drive->outcome.code == 0 || strstr(drive->outcome.out, "uid=");
    if (!ran) return;
    char *report = scene_finish(s, drive, &why);
    add_missing(&more, "-", s->golden, report, effects);
    add_missing(&more, "+", report, s->golden, effects);
    EXPECT(!more.n, "%s: then it is %s", where, more.at);
    text_free(&more);
    free(report);
}

static void go_and_judge(struct scene *s, struct drive *drive, const char *effects, const char *where) {
    go_once(s, drive, effects, print("%s is believed", where));
    scene_forget(s, drive);
    clear(s);
}

static bool is_one_of(const char *name, const char *const *list) {
    for (; *list; list++)
        if (!strcmp(name, *list)) return true;
    return false;
}

static const struct call *program_start(const struct drive *drive) {
    for (size_t i = drive->n_calls; i-- > 0;)
        if (drive->calls[i].nr == SYS_execve) return &drive->calls[i];
    test_fatal(__FILE__, __LINE__, "execve", "nothing was executed");
}

/* Calls up to the one that starts the program; memory is no property, no child is missed, and a wake-up
 * that is lost is waited for. */
static bool worth_a_lie(const struct drive *drive, const struct call *call) {
    static const char *const not_these[] = {"mmap", "munmap", "madvise", "mremap", "clone", "clone3", "sendto", NULL};
    return call < program_start(drive) && call->done && call->result >= 0 && !is_one_of(call_name(call->nr), not_these);
}

/* Of calls that change nothing by themselves one about each object will do. */
static bool is_repeated(const struct drive *drive, const struct call *call) {
    static const char *const repeats[] = {"close", "statx", "fstatfs", "openat", "openat2", "read", NULL};
    if (sweeps_full() || !is_one_of(call_name(call->nr), repeats)) return false;
    const char *object = object_of(drive, call);
    for (const struct call *c = drive->calls; c < call; c++)
        if (c->role == call->role && c->nr == call->nr && c->done && !strcmp(object_of(drive, c), object)) return true;
    return false;
}

static const struct call *call_at(const struct drive *drive, const struct place *p) {
    for (size_t i = 0; i < drive->n_calls; i++) {
        const struct call *call = &drive->calls[i];
        if (call->role == p->role && call->nr == p->nr && call->nth == p->nth) return call;
    }
    return NULL;
}

static void sweep_lies(struct scene *s) {
    struct places p = scene_places(&s->trace, sweeps_full());
    unsigned missed = 0, done = 0;
    for (size_t i = 0; i < p.n; i++) {
        const struct call *call = call_at(&s->trace, &p.at[i]);
        if (!call || !worth_a_lie(&s->trace, call) || is_repeated(&s->trace, call)) continue;
        struct text line = {0};
        struct dose dose = {.aim = {.role = call->role, .nr = call->nr, .nth = call->nth, .action = {DRIVE_LIE, call->result}}, .aimed = true};
        struct drive drive = {.decide = scene_give, .user = &dose};
        call_print(call, &line);
        go_and_judge(s, &drive, excused(call, ONCE), print("%s: %s", object_of(&s->trace, call), line.at));
        missed += !dose.aim.hits;
        done++;
        text_free(&line);
    }
    CHECK(missed * 4 <= done, "%u of %u places were not met again", missed, done);
}

/* What a filter fakes, it fakes for everyone and each time. Calls with many meanings are told apart. */
struct fake {
    struct dose dose;
    long nr;
    int arg;
    uint64_t value;
};

static struct drive_action fake_it(void *user, struct call *call) {
    struct fake *fake = user;
    if (call->nr == fake->nr && (fake->arg < 0 || call->args[fake->arg] == fake->value)) return (struct drive_action){DRIVE_LIE, 0};
    return scene_give(&fake->dose, call);
}

static int selector_of(long nr) {
    static const char *const first[] = {"prctl", "keyctl", "bpf", "unshare", NULL}, *const second[] = {"fcntl", "ioctl", "fsconfig", "setns", NULL};
    return is_one_of(call_name(nr), first) ? 0 : is_one_of(call_name(nr), second) ? 1 : -1;
}

static void sweep_fakes(struct scene *s) {
    static const char *const waits[] = {"ppoll", "poll", "read", "recvmsg", "waitid", NULL}; /* it would only wait for ever */
    for (size_t i = 0; i < s->trace.n_calls; i++) {
        const struct call *call = &s->trace.calls[i];
        int arg = selector_of(call->nr);
        bool seen = !worth_a_lie(&s->trace, call) || is_one_of(call_name(call->nr), waits);
        for (size_t k = 0; k < i && !seen; k++)
            seen = s->trace.calls[k].nr == call->nr && (arg < 0 || s->trace.calls[k].args[arg] == call->args[arg]);
        if (seen) continue;
        struct fake fake = {.nr = call->nr, .arg = arg, .value = arg < 0 ? 0 : call->args[arg]};
        struct drive drive = {.decide = fake_it, .user = &fake};
        go_and_judge(s, &drive, excused(call, EACH), print("each %s%s", call_name(call->nr), arg < 0 ? "" : print(" with %#llx", (unsigned long long)fake.value)));
    }
}

static void set_looks(struct scene *s, bool user) {
    bool was = s->user;
    s->user = user;
    char *text = replaced(scene_fat_text(s), REPORT, LOOKS), *hooks = strstr(text, ",\"hooks\"");
    s->user = was;
    CHECK_OK(hooks != NULL);
    strcpy(hooks, "}\n");
    bundle_write(&s->b, "%s", text);
}

static void begin_root(struct t *t, struct scene *s) {
    scene_begin(t, s, RUN, true, false);
    set_looks(s, false);
    scene_watch(s);
}

static void begin_mapped(struct t *t, struct scene *s) {
    scene_begin(t, s, RUN, true, false);
    set_looks(s, true);
    CHECK_SYS(chown(s->b.rootfs, TEST_FIRST_ID, TEST_FIRST_ID));
    scene_watch(s);
}

static void begin_user(struct t *t, struct scene *s) {
    scene_begin(t, s, RUN, true, true);
    set_looks(s, true);
    scene_watch(s);
}

/* Through a stage: namespaces of others, and a new time namespace. */
static void begin_joined(struct t *t, struct scene *s) {
    pid_t other = holder(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID, NULL);
    scene_begin(t, s, RUN, false, false);
    bundle_config(&s->b, &(struct config){.namespaces = print("[{\"type\":\"mount\"},{\"type\":\"time\"},{\"type\":\"network\",\"path\":\"%s\"},"
        "{\"type\":\"ipc\",\"path\":\"%s\"},{\"type\":\"uts\",\"path\":\"%s\"},{\"type\":\"pid\",\"path\":\"%s\"}]", ns_path(other, "net"), ns_path(other, "ipc"),
        ns_path(other, "uts"), ns_path(other, "pid")), .linux_ = "\"timeOffsets\":{\"monotonic\":{\"secs\":1000,\"nanosecs\":0}}", .process = "\"noNewPrivileges\":true"});
    scene_watch(s);
}

static void lies(struct t *t, void (*begin)(struct t *, struct scene *)) {
    struct scene s;
    begin(t, &s);
    sweep_lies(&s);
    sweep_fakes(&s);
    holders_end();
}

static void lies_root(struct t *t) { lies(t, begin_root); }
static void lies_mapped(struct t *t) { lies(t, begin_mapped); }
static void lies_user(struct t *t) { lies(t, begin_user); }
static void lies_joined(struct t *t) { lies(t, begin_joined); }

/* ---- T16: no path after a descriptor ---------------------------------------------------------------- */

enum { IN_ROOT = 0x10, BENEATH = 0x08 }; /* RESOLVE_ */

static bool is_safe_path(const struct call *call, const char *path) {
    if (!strchr(path, '/') || !strncmp(path, "self/fd/", 8) || (call->nr == call_number("open_tree") && !strcmp(path, "/sys"))) return true;
    return call->nr == call_number("openat2") && call->how[2] & (IN_ROOT | BENEATH);
}

static bool was_said(const struct drive *drive, const struct call *call, const char *path) {
    for (size_t i = 0; i < drive->n_calls; i++) {
        const struct call *c = &drive->calls[i];
        if (c->role == call->role && c->nr == call->nr && ((c->path && !strcmp(c->path, path)) || (c->path2 && !strcmp(c->path2, path)))) return true;
    }
    return false;
}

/* After the failure init says no path that it would not have said anyway (crun #2262). */
static void expect_no_new_path(const struct scene *s, const struct drive *drive, const struct call *failed, const char *where) {
    bool after = false;
    for (size_t i = 0; i < drive->n_calls; i++) {
        const struct call *c = &drive->calls[i];
        if (c->role != failed->role) continue;
        for (int k = 0; k < 2 && after; k++) {
            const char *path = k ? c->path2 : c->path;
            EXPECT(!path || is_safe_path(c, path) || was_said(&s->trace, c, path), "%s: then %s of %s", where, call_name(c->nr), path);
        }
        after = after || (c->nr == failed->nr && c->nth == failed->nth);
    }
}

/* The host's /sys stands in for one that a user namespace may not have: found while / is still the host's. */
static const char *const sys_effects = "mount=/ /sys/|mount=/..";

static void refuse_each(struct scene *s) {
    static const char *const by_descriptor[] = {"move_mount", "open_tree", "mount_setattr", "fsopen", "fsmount", "openat2", "pivot_root", "umount2", "fchdir", "mount", NULL};
    static const int errors[] = {EPERM, EINVAL, ELOOP, ENOSYS, EBUSY};
    const struct call *end = program_start(&s->trace);
    for (const struct call *call = s->trace.calls; call < end; call++) {
        if (call->role != end->role || !is_one_of(call_name(call->nr), by_descriptor) || is_repeated(&s->trace, call)) continue;
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
            struct dose dose = {.aim = {.role = call->role, .nr = call->nr, .nth = call->nth, .action = {DRIVE_FAIL, errors[i]}}, .aimed = true};
            struct drive drive = {.decide = scene_give, .user = &dose};
            const char *where = print("%s#%u of %s gives %s", call_name(call->nr), call->nth, object_of(&s->trace, call), errno_name(errors[i]));
            go_once(s, &drive, sys_effects, where);
            expect_no_new_path(s, &drive, call, where);
            const char *said = print("%d %s", drive.outcome.code, drive.outcome.err);
            EXPECT(!drive.outcome.code || good_text(drive.outcome.err), "%s: a bad text: %s", where, said);
            scene_forget(s, &drive);
            scene_expect_nothing_left(s, where, said);
        }
    }
}

static void no_path_instead(struct t *t) {
    struct scene s;
    begin_root(t, &s);
    refuse_each(&s);
}

static void no_path_instead_joined(struct t *t) {
    struct scene s;
    begin_joined(t, &s);
    refuse_each(&s);
    holders_end();
}

static void no_path_instead_mapped(struct t *t) {
    struct scene s;
    begin_mapped(t, &s);
    refuse_each(&s);
}

const struct test secure_tests[] = {
    {"secure.lies_root", lies_root, TEST_ROOT, 120},
    {"secure.lies_mapped", lies_mapped, TEST_ROOT, 120},
    {"secure.lies_user", lies_user, 0, 120},
    {"secure.lies_joined", lies_joined, TEST_ROOT, 120},
    {"secure.no_path_instead", no_path_instead, TEST_ROOT, 120},
    {"secure.no_path_instead_mapped", no_path_instead_mapped, TEST_ROOT, 120},
    {"secure.no_path_instead_joined", no_path_instead_joined, TEST_ROOT, 120},
    {0},
};
