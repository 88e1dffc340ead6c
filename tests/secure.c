/* secure.c: what was asked for is there, or nothing runs. T16: a call that only says it has succeeded;
 * T08: the runtime's own image; T12: capabilities; T09: descriptors. */
#include "sweep.h"
#include "../ocirt.h"
#include <elf.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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
    /* Known and left: the first costs two looks at /proc, of the second init's own close_range is the second line. */
    {"unshare", 0, CLONE_NEWCGROUP, "ns.cgroup|7|max", EACH, "the host's namespace: compare /proc/self/ns with the host's"},
    {"fcntl", 1, F_SETFD, "fd.", ONCE, "close_range with CLOSE_RANGE_CLOEXEC before exec is a second line, 5.11"},
    /* Nothing is weaker: what is missing is missed. */
    {"mount", -1, 0, "dev.|top.|mount=|cwd=|root.fs|cat|ls|" OF_PROC, EACH, "a new file system that is not there"},
    {"fchdir", -1, 0, "dev.|top.|mount=|cwd=|root.mode|cat|ls|" OF_PROC, ONCE, "the mount is lost, or lies elsewhere below the same root"},
    {"fchdir", -1, 0, "cwd=", EACH, "an exec begins in / of the container"},
    {"fsconfig", 1, 1 /* SET_STRING */, "mount=", EACH, "options of a new file system; its mount's flags are not among them"},
    {"fsconfig", 1, 0 /* SET_FLAG */, "mount=", EACH, "the same"},
    {"mknodat", -1, 0, "dev.", EACH, "no node"},
    {"fchownat", -1, 0, "dev.", EACH, "the node stays root's"},
    {"symlinkat", -1, 0, "dev.", EACH, "no link"},
    {"sethostname", -1, 0, "hostname=", EACH, "a name"},
    {"setdomainname", -1, 0, "domainname=", EACH, "a name"},
    {"ioctl", 1, 0x8914 /* SIOCSIFFLAGS */, "lo|netdev", EACH, "lo is down"},
    {"personality", -1, 0, "personality=|machine=", EACH, "how the kernel answers, not what one may do"},
    {"sendmsg", -1, 0, "sethostname x: E", ONCE, "no agent: what it would have been asked for is refused"},
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
    scene_renew(s);
}

/* A disturbed run: either nothing of the container ran, or it is as it was asked for. */
static void go_once(struct scene *s, struct drive *drive, const char *effects, const char *where) {
    struct text why = {0}, more = {0};
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
    drive->seconds = 4; /* what waits for what was not done waits for ever */
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
    static const char *const repeats[] = {"close", "statx", "fstatfs", "openat", "openat2", "read", "recvfrom", NULL};
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
    struct places p = scene_places(s);
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
        bool seen = !scene_sweeps(s, call) || !worth_a_lie(&s->trace, call) || is_one_of(call_name(call->nr), waits);
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
    scene_begin(t, s, RUN, FAT, false);
    set_looks(s, false);
    scene_watch(s);
}

static void begin_mapped(struct t *t, struct scene *s) {
    scene_begin(t, s, RUN, FAT, false);
    set_looks(s, true);
    CHECK_SYS(chown(s->b.rootfs, TEST_FIRST_ID, TEST_FIRST_ID));
    scene_watch(s);
}

static void begin_user(struct t *t, struct scene *s) {
    scene_begin(t, s, RUN, FAT, true);
    set_looks(s, true);
    scene_watch(s);
}

/* Through a stage: namespaces of others, and a new time namespace. */
static void begin_joined(struct t *t, struct scene *s) {
    pid_t other = holder(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID, NULL);
    scene_begin(t, s, RUN, SMALL, false);
    bundle_config(&s->b, &(struct config){.namespaces = print("[{\"type\":\"mount\"},{\"type\":\"time\"},{\"type\":\"network\",\"path\":\"%s\"},"
        "{\"type\":\"ipc\",\"path\":\"%s\"},{\"type\":\"uts\",\"path\":\"%s\"},{\"type\":\"pid\",\"path\":\"%s\"}]", ns_path(other, "net"), ns_path(other, "ipc"),
        ns_path(other, "uts"), ns_path(other, "pid")), .linux_ = "\"timeOffsets\":{\"monotonic\":{\"secs\":1000,\"nanosecs\":0}}", .process = "\"noNewPrivileges\":true"});
    scene_watch(s);
}

/* What their own report and what the program then can't do tell of all that confines it. */
static void begin_whole(struct t *t, struct scene *s) {
    scene_begin(t, s, RUN, WHOLE, false);
    scene_watch(s);
}

static void begin_other(struct t *t, struct scene *s) {
    scene_begin(t, s, RUN, OTHER, false);
    scene_watch(s);
}

static void begin_exec(struct t *t, struct scene *s) {
    scene_begin(t, s, EXEC, FAT, false);
    set_looks(s, false);
    scene_watch(s);
}

static void begin_exec_other(struct t *t, struct scene *s) {
    scene_begin(t, s, EXEC, OTHER, false);
    scene_watch(s);
}

static void lies(struct t *t, void (*begin)(struct t *, struct scene *)) {
    struct scene s;
    begin(t, &s);
    sweep_lies(&s);
    sweep_fakes(&s);
    scene_end(&s);
    holders_end();
}

static void lies_root(struct t *t) { lies(t, begin_root); }
static void lies_mapped(struct t *t) { lies(t, begin_mapped); }
static void lies_user(struct t *t) { lies(t, begin_user); }
static void lies_whole(struct t *t) { lies(t, begin_whole); }
static void lies_other(struct t *t) { lies(t, begin_other); }
static void lies_exec(struct t *t) { lies(t, begin_exec); }
static void lies_exec_other(struct t *t) { lies(t, begin_exec_other); }
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

/* ---- T08: the runtime's own image ------------------------------------------------------------------- */

/* embed STATE BUNDLE ID with|without: creates the container as an embedding program would. */
int embed_main(int argc, char **argv) {
    const char *stage = ocirt_stage(argc, argv);
    if (argc != 6) return 2;
    ocirt_options options = {.state_root = argv[2], .stage = !strcmp(argv[5], "with") ? stage : NULL};
    ocirt_arena arena = {0};
    ocirt_container made;
    ocirt_error error;
    ocirt_spec *spec;
    int r = ocirt_spec_load_file(&arena, print("%s/config.json", argv[3]), &spec, &error);
    if (r == 0) r = ocirt_create(spec, argv[3], argv[4], &options, &made, &error);
    if (r < 0) fprintf(stderr, "%s (%s)\n", error.message, error.hint);
    return r < 0 ? -r : 0;
}

/* Where the image lies, whose it is, and who the container's root is to it. */
enum lies { WRITABLE, MOUNT_READ_ONLY, SYSTEM_READ_ONLY };
struct image_case {
    const char *name;
    enum lies lies;
    unsigned uid, gid, mode;
    bool acl;             /* that lets the container's root write */
    bool userns;
    unsigned first;       /* the container's root outside */
    bool unprivileged_id; /* the caller is no root, but has all capabilities */
};
static const struct image_case image_cases[] = {
    {.name = "root's", .mode = 0755},
    {.name = "another's", .uid = 1000, .gid = 1000, .mode = 0755},
    {.name = "root's, the caller another with all capabilities", .mode = 0755, .unprivileged_id = true},
    {.name = "on a read-only mount", .lies = MOUNT_READ_ONLY, .mode = 0755},
    {.name = "on a read-only file system, as the rootfs is", .lies = SYSTEM_READ_ONLY, .mode = 0755},
    {.name = "root's, who is mapped", .mode = 0755, .userns = true},
    {.name = "root's, who is mapped, on a read-only mount", .lies = MOUNT_READ_ONLY, .mode = 0755, .userns = true},
    {.name = "root's, who is not mapped", .mode = 0755, .userns = true, .first = TEST_FIRST_ID},
    {.name = "the container root's", .uid = TEST_FIRST_ID, .mode = 0755, .userns = true, .first = TEST_FIRST_ID},
    {.name = "everyone's", .mode = 0757, .userns = true, .first = TEST_FIRST_ID},
    {.name = "the container's group's", .gid = TEST_FIRST_ID + 5, .mode = 0775, .userns = true, .first = TEST_FIRST_ID},
    {.name = "the container root's by an access list", .mode = 0755, .acl = true, .userns = true, .first = TEST_FIRST_ID},
};

/* How the container comes to the image: as its program, through #!, through links, as the loader of a
 * program, by a loader that the image itself names; or another process of the container does, while init waits; or it
 * is the program of an exec; or of a run, whose runtime goes on. */
enum vector { DIRECTLY, SCRIPT, LINKS, AS_LOADER, BY_LOADER, WAITING, EXECED, FOREGROUND, VECTORS };
static const char *const vector_names[] = {"directly", "as a script", "through links", "as a loader", "by its loader", "while init waits", "by exec", "while run waits"};

struct target { /* one case */
    struct t *t;
    const struct image_case *what;
    struct bundle b;
    bool may_fail;
    const char *top, *image, *loaded; /* loaded names a loader, which is in the rootfs by the same name */
};

/* A copy of the program whose header names a loader: the one that says how the stack is becomes that. */
static void copy_with_loader(const char *from, const char *to, const char *loader) {
    size_t n;
    char *text = file_read(from, &n);
    CHECK_OK(text != NULL);
    Elf64_Ehdr *head = (Elf64_Ehdr *)(void *)text;
    Elf64_Phdr *part = (Elf64_Phdr *)(void *)(text + head->e_phoff), *found = NULL;
    for (int i = 0; i < head->e_phnum; i++)
        if (part[i].p_type == PT_GNU_STACK) found = &part[i];
    CHECK_OK(found != NULL);
    *found = (Elf64_Phdr){.p_type = PT_INTERP, .p_flags = PF_R, .p_offset = n, .p_filesz = strlen(loader) + 1, .p_memsz = strlen(loader) + 1, .p_align = 1};
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    CHECK_OK(fd >= 0 && write(fd, text, n) == (ssize_t)n && write(fd, loader, strlen(loader) + 1) == (ssize_t)strlen(loader) + 1);
    close(fd);
    free(text);
}

/* user::rwx, user:FIRST:rwx, group::r-x, mask::rwx, other::r-x (posix_acl_xattr.h) */
static void give_access(const char *path) {
    struct {
        uint32_t version;
        struct {
            uint16_t tag, perm;
            uint32_t id;
        } entry[5];
    } acl = {2, {{1, 7, ~0u}, {2, 7, TEST_FIRST_ID}, {4, 5, ~0u}, {0x10, 7, ~0u}, {0x20, 5, ~0u}}};
    if (syscall(SYS_setxattr, path, "system.posix_acl_access", &acl, sizeof acl, 0)) SKIP("fs", "no access lists here: %s", strerror(errno));
}

static void set_owner(const char *path, const struct image_case *what) {
    CHECK_SYS(chown(path, what->uid, what->gid));
    CHECK_SYS(chmod(path, what->mode));
    if (what->acl) give_access(path);
}

static char *all_capabilities(void) {
    unsigned long long all = our_bounding();
    return print("{%s,%s,%s,%s,%s}", cap_list("bounding", all), cap_list("permitted", all), cap_list("effective", all), cap_list("inheritable", all),
                 cap_list("ambient", all));
}

static void target_config(struct target *g, enum vector vector) {
    static const char *const words[] = {
        "\"/proc/self/exe\",\"payload-overwrite\",\"/proc/self/exe\"", "\"/script\"", "\"/link1\",\"payload-overwrite\",\"/proc/self/exe\"",
        "\"/evil\",\"payload-overwrite\",\"/proc/self/exe\"", "\"/proc/self/exe\",\"payload-overwrite\",\"/proc/self/exe\"", "\"/payload\",\"payload-sleep\",\"100\"",
        "\"/payload\",\"payload-sleep\",\"100\"", "\"/proc/self/exe\",\"payload-overwrite\",\"/proc/self/exe\""};
    const char *more = g->what->lies == SYSTEM_READ_ONLY && vector != WAITING && vector != EXECED ? ",\"-r\"" : "";
    struct config c = {.args = print("[%s%s]", words[vector], more), .process = print("\"capabilities\":%s", all_capabilities()),
                       .root = print("\"path\":\"%s\"", g->b.rootfs),
                       .mounts = print("{\"destination\":\"/signal\",\"source\":\"%s/signal\",\"options\":[\"bind\"]}", g->t->dir)};
    if (g->what->userns) {
        c.namespaces = DEFAULT_NAMESPACES " user";
        c.linux_ = print("\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":65536}],\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":65536}]", g->what->first,
                         g->what->first);
    }
    bundle_write(&g->b, "%s", config_text(&c));
}

/* The rootfs and two copies of this program, in folders below `top`. */
static void target_make(struct t *t, struct target *g, const struct image_case *what, const char *name) {
    *g = (struct target){.t = t, .what = what, .top = print("%s/%s", t->dir, name)};
    const char *images = print("%s/images", g->top), *loader = print("%s/loader", g->top);
    make_dirs(g->top, 0755);
    make_dirs(print("%s/signal", t->dir), 0755);
    if (what->lies == SYSTEM_READ_ONLY) CHECK_SYS(mount("tmpfs", g->top, "tmpfs", 0, NULL));
    make_dirs(images, 0755);
    bundle_make(t, &g->b, print("%s/bundle", name));
    const char *payload = print("%s/payload", g->b.rootfs);
    for (const char *const *dir = (const char *const[]){"proc", "dev", "signal", g->top + 1, NULL}; *dir; dir++) root_dir(&g->b, *dir);
    root_file(&g->b, "script", "#!/proc/self/exe payload-overwrite\n");
    CHECK_SYS(chmod(print("%s/script", g->b.rootfs), 0755));
    root_link(&g->b, "link2", "link1");
    root_link(&g->b, "/proc/self/exe", "link2");
    g->image = print("%s/image", images), g->loaded = print("%s/loaded", images);
    CHECK_OK(copy_file(test_exe(), g->image, 0755) && copy_file(test_exe(), loader, 0755));
    copy_with_loader(test_exe(), g->loaded, loader);
    CHECK_OK(copy_file(payload, print("%s%s", g->b.rootfs, loader), 0755));
    copy_with_loader(payload, print("%s/evil", g->b.rootfs), "/proc/self/exe");
    set_owner(g->image, what);
    set_owner(g->loaded, what);
    CHECK_SYS(chown(g->b.rootfs, what->first, what->first));
    snprintf(g->b.path, sizeof g->b.path, "%s/%s-bundle", t->dir, name); /* stays writable */
    snprintf(g->b.config, sizeof g->b.config, "%s/config.json", g->b.path);
    make_dirs(g->b.path, 0755);
    if (what->lies != MOUNT_READ_ONLY) return;
    CHECK_SYS(mount(images, images, NULL, MS_BIND, NULL));
    CHECK_SYS(mount(NULL, images, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

/* The file system and not the mount: what a container has made writable is not so again. */
static void make_system_read_only(struct target *g) {
    CHECK_SYS(mount(NULL, g->top, NULL, MS_REMOUNT | MS_RDONLY, NULL));
    CHECK_SYS(mount(NULL, g->top, NULL, MS_REMOUNT | MS_BIND, NULL));
}

struct witness { /* of one file */
    const char *path;
    struct stat info;
    char *bytes;
    size_t n;
};

static void witness(struct witness *w, const char *path) {
    w->path = path;
    w->bytes = file_read(path, &w->n);
    CHECK_OK(w->bytes && !stat(path, &w->info));
}

/* Not a byte, and no attribute either: each change sets the time of change. */
static void expect_untouched(struct witness *w, const char *output, const char *where) {
    struct witness now = {0};
    witness(&now, w->path);
    EXPECT(now.n == w->n && !memcmp(now.bytes, w->bytes, w->n), "%s: the image has other bytes", where);
    bool same = now.info.st_mode == w->info.st_mode && now.info.st_uid == w->info.st_uid && now.info.st_gid == w->info.st_gid &&
                now.info.st_ctim.tv_sec == w->info.st_ctim.tv_sec && now.info.st_ctim.tv_nsec == w->info.st_ctim.tv_nsec;
    EXPECT(same, "%s: attributes of the image have changed", where);
    const char *inode = print(" %llu ", (unsigned long long)w->info.st_ino);
    char *text = print("%s", output);
    char *line = strtok(text, "\n");
    while (line && !(strstr(line, ": opened ") && strstr(line, inode))) line = strtok(NULL, "\n");
    EXPECT(!line, "%s: it was opened for writing: %s", where, line);
    free(text);
    free(now.bytes);
}

static void all_but_root(void *user) {
    (void)user;
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2] = {{0, 0, 0}, {0, 0, 0}};
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setresgid(ORDINARY, ORDINARY, ORDINARY) || setresuid(ORDINARY, ORDINARY, ORDINARY)) _exit(121);
    if (syscall(SYS_capget, &head, data)) _exit(122);
    for (int i = 0; i < 2; i++) data[i].effective = data[i].inheritable = data[i].permitted;
    if (syscall(SYS_capset, &head, data)) _exit(123);
    for (int cap = 0; cap < 64; cap++)
        if (data[cap / 32].permitted >> cap % 32 & 1) prctl(47 /* PR_CAP_AMBIENT */, 2, cap, 0, 0);
}

/* The command, from the same caller as create's. */
static void from_caller(struct target *g, struct outcome *out, const char *verb, const char *option) {
    const char **argv = ocirt_argv(g->t, (const char *const[]){verb, option ? option : g->t->tag, option ? g->t->tag : NULL, NULL});
    command_run(&(struct command){.argv = argv, .child = g->what->unprivileged_id ? all_but_root : NULL}, out);
    EXPECT(out->code == 0 || g->may_fail, "%s: %s", verb, out->err);
}

static void create_from(struct target *g, const char *image, bool embedded, struct outcome *out) {
    const char **argv = embedded ? (const char *[]){"program", "embed", g->t->state, g->b.path, g->t->tag, "with", NULL}
                                 : ocirt_argv(g->t, (const char *const[]){"create", "-b", g->b.path, g->t->tag, NULL});
    command_run(&(struct command){.exe = image, .argv = argv, .child = g->what->unprivileged_id ? all_but_root : NULL}, out);
}

/* A process of ours that enters the container, and has all capabilities that it can have there. */
static pid_t enter_and_overwrite(pid_t init, int out_fd) {
    pid_t middle = fork();
    if (middle) return middle;
    int pidfd = (int)syscall(SYS_pidfd_open, init, 0), flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
    if (pidfd < 0 || setns(pidfd, flags | (ns_of(init, "user") != ns_of(0, "user") ? CLONE_NEWUSER : 0))) _exit(111);
    pid_t inside = fork(); /* reaped at once, or the pid namespace could not end */
    if (inside) _exit(waitpid(inside, NULL, 0) != inside);
    dup2(out_fd, 1);
    execl("/payload", "payload", "payload-overwrite", "/proc/1/exe", (char *)NULL);
    _exit(112);
}

static pid_t run_and_overwrite(struct target *g, const char *image, struct outcome *out) {
    const char **argv = ocirt_argv(g->t, (const char *const[]){"run", "-b", g->b.path, g->t->tag, NULL});
    return command_start(&(struct command){.exe = image, .argv = argv, .child = g->what->unprivileged_id ? all_but_root : NULL}, out);
}

static pid_t exec_and_overwrite(struct target *g, const char *image, struct outcome *out) {
    const char **argv = ocirt_argv(g->t, (const char *const[]){"exec", g->t->tag, "/proc/self/exe", "payload-overwrite", "/proc/self/exe", g->what->lies == SYSTEM_READ_ONLY ? "-r" : NULL, NULL});
    return command_start(&(struct command){.exe = image, .argv = argv, .child = g->what->unprivileged_id ? all_but_root : NULL}, out);
}

static bool said(struct outcome *out, const char *word) {
    for (double end = now() + 3 * time_scale(); now() < end; nap(0.003)) {
        outcome_refresh(out);
        if (strstr(out->out, word)) return true;
    }
    return false;
}

static void attack(struct target *g, enum vector vector, bool embedded) {
    const char *where = print("%s, %s, %s", g->what->name, vector_names[vector], embedded ? "embedded" : "command"), *go = print("%s/signal/go", g->t->dir);
    struct witness image;
    struct outcome made, out;
    target_config(g, vector);
    if (g->what->lies == SYSTEM_READ_ONLY) make_system_read_only(g);
    witness(&image, vector == BY_LOADER ? g->loaded : g->image);
    pid_t other = 0, waits = 0;
    if (vector == FOREGROUND) {
        waits = run_and_overwrite(g, image.path, &made);
        EXPECT(said(&made, "ready=1"), "%s: it does not run: %s%s", where, made.out, made.err);
        made.code = 0;
    } else {
        create_from(g, image.path, embedded, &made);
        EXPECT(made.code == 0, "%s: create: %d %s", where, made.code, made.err);
    }
    g->may_fail = vector == AS_LOADER || made.code; /* a program that its own runtime is to load may not start */
    if (vector == WAITING && made.code == 0) {
        from_caller(g, &out, "state", NULL);
        other = enter_and_overwrite((pid_t)strtol(json_get(out.out, "pid"), NULL, 10), made.out_fd);
        EXPECT(said(&made, "ready=1"), "%s: nobody came in: %s", where, made.out);
        expect_untouched(&image, made.out, where);
    }
    if (!waits) from_caller(g, &out, "start", NULL);
    if (vector == EXECED && made.code == 0) {
        outcome_free(&made);
        waits = exec_and_overwrite(g, image.path, &made);
        EXPECT(said(&made, "ready=1"), "%s: it does not run: %s%s", where, made.out, made.err);
    }
    file_write(go, "x");
    EXPECT(g->may_fail || said(&made, "end=1"), "%s: it did not get to the end: %s%s", where, made.out, made.err);
    if (waits) command_wait(waits, 10, &made);
    from_caller(g, &out, "delete", "--force");
    outcome_refresh(&made);
    expect_untouched(&image, made.out, where);
    EXPECT(vector == AS_LOADER || vector == BY_LOADER || !strstr(made.out, " written"), "%s: it has written: %s", where, made.out);
    reap_all();
    if (other) waitpid(other, NULL, 0);
    CHECK_SYS(unlink(go));
    outcome_free(&made);
    free(image.bytes);
}

static void own_image(struct t *t, bool embedded) {
    need_ocirt();
    CHECK_SYS(mkdir(t->state, 0777));
    for (size_t i = 0; i < sizeof image_cases / sizeof *image_cases; i++) {
        struct target g;
        if (image_cases[i].unprivileged_id && embedded) continue;
        target_make(t, &g, &image_cases[i], print("case%zu", i));
        CHECK_SYS(chown(t->state, image_cases[i].unprivileged_id ? ORDINARY : 0, 0));
        for (int vector = 0; vector < VECTORS; vector++)
            if (vector < EXECED || !embedded) attack(&g, (enum vector)vector, embedded);
        umount2(print("%s/images", g.top), MNT_DETACH);
        umount2(g.top, MNT_DETACH);
        CHECK_OK(remove_tree(g.top)); /* five copies of this program: a small /tmp has no room for all cases */
    }
}

/* One that has no such stage is told what to do, whatever it asks for. */
static void no_image_to_run_from(struct t *t) {
    struct target g;
    struct outcome out;
    need_ocirt();
    target_make(t, &g, &image_cases[0], "case");
    target_config(&g, DIRECTLY);
    command_run(&(struct command){.exe = g.image, .argv = (const char *[]){"program", "embed", t->state, g.b.path, t->tag, "without", NULL}}, &out);
    CHECK_INT(out.code, OCIRT_E_PERMISSION);
    CHECK_HAS(out.err, "could rewrite the file of the calling program");
    CHECK_HAS(out.err, "options.stage = ocirt_stage(argc, argv)");
    CHECK_OK(access(t->state, F_OK) || rmdir(t->state) == 0);
}

static void own_image_of_command(struct t *t) { own_image(t, false); }
static void own_image_of_program(struct t *t) { own_image(t, true); }

/* ---- CVE-2024-21626: what is open when the program is looked up ------------------------------------------------ */

/* How the container comes to a program of the host's by a descriptor of ours and `..` of it. */
enum named { AS_PROGRAM, AS_LINK, AS_INTERPRETER, AS_LOADER_OF, IN_PATH, AS_CWD, AS_HOOK, NAMED };
static const char *const named_names[] = {"args", "a link", "the #! of a script", "the loader of a program", "PATH", "cwd", "a hook"};
enum started { BY_CREATE, BY_RUN, BY_EXEC, STARTED };
static const char *const started_names[] = {"create and start", "run", "exec"};

#define UP "../../../../../../../../../../../.."
enum { ITS_ROOT = -2, ITS_CWD, FDS = 41 };

struct climb {
    struct t *t;
    struct bundle b;
    struct config c;
    struct agent agent;
    const char *host; /* the folder of the program */
    int watch;        /* tells when that is opened */
};

static char *climbed(const struct climb *c, int fd) {
    return print("/proc/self/%s/" UP "%s", fd == ITS_ROOT ? "root" : fd == ITS_CWD ? "cwd" : print("fd/%d", fd), c->host);
}

static void climb_make(struct t *t, struct climb *c) {
    root_make(t, &c->b);
    c->t = t, c->host = print("%s/host", t->dir);
    make_dirs(c->host, 0755);
    CHECK_OK(copy_file(payload_exe(), print("%s/program", c->host), 0755));
    for (int fd = ITS_ROOT; fd < FDS; fd++) {
        root_link(&c->b, print("%s/program", climbed(c, fd)), print("links/%d", fd));
        root_file(&c->b, print("scripts/%d", fd), print("#!%s/program payload-echo\n", climbed(c, fd)));
        CHECK_SYS(chmod(print("%s/scripts/%d", c->b.rootfs, fd), 0755));
    }
    CHECK_SYS(c->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    CHECK_SYS(inotify_add_watch(c->watch, print("%s/program", c->host), IN_OPEN | IN_ACCESS | IN_ATTRIB | IN_MODIFY));
}

static void climb_by_create(struct climb *c, struct outcome *out) {
    struct outcome made;
    run_ocirt(c->t, &made, "create", "-b", c->b.path, c->t->tag);
    if (made.code == 0) {
        run_ocirt(c->t, out, "start", c->t->tag);
        made.code = out->code;
        outcome_free(out);
        delete_all(c->t);
        outcome_refresh(&made);
    }
    *out = made;
}

static void climb_once(struct climb *c, enum started started, enum named named, int fd) {
    const char *where = print("fd %d, %s by %s", fd, started_names[started], named_names[named]), *cwd = named == AS_CWD ? climbed(c, fd) : "/", *path = named == IN_PATH ? climbed(c, fd) : "/";
    const char *const words[] = {print("%s/program", climbed(c, fd)), print("/links/%d", fd), print("/scripts/%d", fd), "/loaded", "program", "/payload", "/payload"};
    struct outcome out;
    char event[512];
    if (named == AS_LOADER_OF) copy_with_loader(print("%s/payload", c->b.rootfs), print("%s/loaded", c->b.rootfs), words[AS_PROGRAM]);
    if (started == BY_EXEC) {
        out = *execed(c->t, print("--cwd %s -e PATH=%s", cwd, path), print("%s payload-echo escaped", words[named]));
    } else {
        struct config config = c->c;
        config.args = print("[\"%s\",\"payload-echo\",\"escaped\"]", words[named]);
        config.process = print("\"cwd\":\"%s\",\"env\":[\"PATH=%s\"],\"noNewPrivileges\":true", cwd, path);
        if (named == AS_HOOK) config.top = print("\"hooks\":{\"startContainer\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-write\",\"/hooked\",\"x\"]}]}", words[AS_PROGRAM]);
        bundle_config(&c->b, &config);
        if (started == BY_CREATE) climb_by_create(c, &out);
        else run_ocirt(c->t, &out, "run", "-b", c->b.path, c->t->tag);
    }
    EXPECT(out.code && !out.out_n, "%s: %d %s%s", where, out.code, out.out, out.err);
    EXPECT(access(print("%s/hooked", c->b.rootfs), F_OK) || unlink(print("%s/hooked", c->b.rootfs)), "%s: it ran", where);
    EXPECT(read(c->watch, event, sizeof event) < 0, "%s: the host's file was opened", where);
    while (c->agent.path[0] && agent_called(&c->agent)) {
    }
    if (started != BY_EXEC) outcome_free(&out);
}

static void climb_in(struct t *t, struct climb *c) {
    climb_make(t, c);
    int end = sweeps_full() ? FDS : 20, step = sweeps_full() || time_scale() < 3 ? 1 : 3;
    for (int started = 0; started < STARTED; started++) {
        struct box x;
        if (started == BY_EXEC) box_begin(t, &x, &c->c);
        for (int named = 0; named < (started == BY_EXEC ? AS_HOOK : NAMED); named++)
            for (int fd = ITS_ROOT + named % step; fd < end; fd += step) climb_once(c, (enum started)started, (enum named)named, fd);
        if (started == BY_EXEC) box_end(t, &x);
    }
    close(c->watch);
}

static void climbs(struct t *t) { climb_in(t, &(struct climb){.c = {.args = NULL}}); }

static void climbs_mapped(struct t *t) {
    need_userns();
    climb_in(t, &(struct climb){.c = {.namespaces = DEFAULT_NAMESPACES " user"}});
}

static void climbs_with_listener(struct t *t) {
    struct climb c = {.c = {.process = "\"noNewPrivileges\":true"}};
    agent_listen(t, &c.agent, "agent");
    c.c.linux_ = print("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"%s\",\"syscalls\":[{\"names\":[\"mknodat\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}", c.agent.path);
    climb_in(t, &c);
    agent_end(&c.agent);
}

/* ---- T12: capabilities after exec, from capabilities(7) ------------------------------------------------ */

struct sets {
    unsigned long long bounding, permitted, effective, inheritable, ambient;
};

/* The program has no capabilities of its own; securebits are 0. */
static struct sets after_exec(const struct sets *want, bool root, bool no_new_privs) {
    struct sets s = *want;
    unsigned long long had = want->permitted;
    s.ambient &= s.permitted & s.inheritable;
    s.permitted = s.ambient | (root ? s.bounding | s.inheritable : 0);
    if (no_new_privs && s.permitted & ~had) s.permitted &= had;
    s.effective = s.permitted;
    return s;
}

static struct config config_of_sets(const struct sets *ask, bool root, bool no_new_privs, bool userns) {
    unsigned id = root ? 0 : 1000;
    return (struct config){
        .namespaces = userns ? DEFAULT_NAMESPACES " user" : NULL,
        .process = print("\"noNewPrivileges\":%s,\"user\":{\"uid\":%u,\"gid\":%u},\"capabilities\":{%s,%s,%s,%s,%s}", no_new_privs ? "true" : "false", id, id,
                         cap_list("bounding", ask->bounding), cap_list("permitted", ask->permitted), cap_list("effective", ask->effective),
                         cap_list("inheritable", ask->inheritable), cap_list("ambient", ask->ambient))};
}

static void expect_sets(struct outcome *out, const struct sets *ask, bool root, bool no_new_privs, const char *how) {
    struct sets want = after_exec(ask, root, no_new_privs);
    const char *where = print("%s, %s, no_new_privs %d, asked for %llx %llx %llx %llx %llx", how, root ? "root" : "a user", no_new_privs, ask->bounding, ask->permitted,
                              ask->effective, ask->inheritable, ask->ambient);
    CHECK(out->code == 0, "%s: %s", where, out->err);
    const unsigned long long wanted[] = {want.bounding, want.permitted, want.effective, want.inheritable, want.ambient};
    static const char *const names[] = {"bounding", "permitted", "effective", "inheritable", "ambient"};
    for (int i = 0; i < 5; i++) EXPECT(told_set(out, names[i]) == wanted[i], "%s: %s is %llx, not %llx", where, names[i], told_set(out, names[i]), wanted[i]);
}

/* Sets over four capabilities, each within what the kernel lets it be. */
static struct sets random_sets(uint32_t *random) {
    static const unsigned bits[] = {0 /* CHOWN */, 5 /* KILL */, 10 /* NET_BIND_SERVICE */, 18 /* SYS_CHROOT */};
    unsigned long long ours = our_bounding(), mask[5] = {0, 0, 0, 0, 0};
    for (int set = 0; set < 5; set++)
        for (int i = 0; i < 4; i++) {
            *random = *random * 1103515245u + 12345u;
            if (*random >> 16 & (set ? 1 : 3)) mask[set] |= 1ull << bits[i] & ours;
        }
    return (struct sets){mask[0], mask[1], mask[2] & mask[1], mask[3] & mask[0], mask[4] & mask[3] & mask[1] & mask[0]};
}

/* All eight circumstances in turn. */
static void capability_model(struct t *t) {
    uint32_t random = 1;
    for (unsigned n = 0; n < 64; n++) {
        struct sets ask = random_sets(&random);
        struct config config = config_of_sets(&ask, n & 1, n & 2, n & 4);
        struct outcome *out = ran(t, &config);
        expect_sets(out, &ask, n & 1, n & 2, n & 4 ? "in a user namespace" : "");
        outcome_free(out);
    }
}

/* The same by exec, whatever the container's own are. */
static void capability_model_of_exec(struct t *t) {
    uint32_t random = 7;
    for (int userns = 0; userns < 2; userns++) {
        struct box x;
        struct sets own = random_sets(&random);
        struct config config = config_of_sets(&own, true, false, userns);
        box_begin(t, &x, &config);
        for (unsigned n = 0; n < 40; n++) {
            struct sets ask = random_sets(&random);
            config = config_of_sets(&ask, n & 1, n & 2, userns);
            expect_sets(execed(t, process_option(t, &config), ""), &ask, n & 1, n & 2, userns ? "exec in a user namespace" : "exec");
        }
        box_end(t, &x);
    }
}

/* ---- T09: descriptors -------------------------------------------------------------------------------------- */

/* Strays below and above 1024; from 7 on every second one is closed by exec. */
static void hold_strays(void *path) {
    static const int strays[] = {4, 5, 7, 20, 21, 300, 1023, 1024, 1025, 1500, 1501};
    int fd = open(path, O_RDONLY);
    if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){2000, 2000}) || (fd != 3 && dup3(fd, 3, 0) != 3)) _exit(120);
    if (fd != 3) close(fd), fd = 3;
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++)
        if (dup3(fd, strays[i], strays[i] > 5 && strays[i] & 1 ? O_CLOEXEC : 0) < 0) _exit(121);
}

static const char *fds_hook(const char *kind, const char *program, const char *file) {
    return print("\"%s\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-hook-fds\",\"%s\",\"%s\"]}]", kind, program, file, kind);
}

/* Those of a process that lead to the stray: each number once. */
static char *strays_of(pid_t pid, const char *stray) {
    struct text out = {0};
    for (int fd = 0; fd < 2000; fd++) {
        char target[512];
        ssize_t n = readlink(print("/proc/%d/fd/%d", (int)pid, fd), target, sizeof target);
        if (n > 0 && (size_t)n == strlen(stray) && !memcmp(target, stray, (size_t)n)) text_add(&out, "%d ", fd);
    }
    text_add(&out, "%s", "");
    return out.at;
}

static unsigned open_count(void) {
    unsigned n = 0;
    for (int fd = 0; fd < 1000; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* With `--preserve-fds N` the program has 3 to 2+N, but no hook has. 6 is open nowhere. */
static void descriptors_with(struct t *t, int preserve) {
    static const char *const kept[] = {"", "3 ", "3 4 ", "3 4 5 "};
    const char *stray = print("%s/stray", t->dir), *file = print("%s/listing", t->dir), *program = test_exe();
    struct bundle b;
    struct outcome made, out;
    root_make(t, &b);
    unlink(file);
    unlink(print("%s/listing", b.rootfs));
    file_write(stray, "x");
    bundle_config(&b, &(struct config){.args = "payload-report",
        .top = print("\"hooks\":{%s,%s,%s,%s,%s,%s}", fds_hook("prestart", program, file), fds_hook("createRuntime", program, file), fds_hook("createContainer", program, file),
                     fds_hook("startContainer", "/payload", "/listing"), fds_hook("poststart", program, file), fds_hook("poststop", program, file))});
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"create", "-b", b.path, "--preserve-fds", print("%d", preserve), t->tag, NULL}),
                                  .child = hold_strays, .user = (void *)(uintptr_t)stray}, &made);
    CHECK(made.code == 0, "%s", made.err);
    /* init is hidden, from ordinary users too */
    char *held = geteuid() ? print("%s", kept[preserve]) : strays_of((pid_t)strtol(state_get(t, t->tag, "pid"), NULL, 10), stray);
    EXPECT(!strcmp(held, kept[preserve]), "preserve %d: the waiting init holds %s", preserve, held);
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"start", t->tag, NULL}), .child = hold_strays, .user = (void *)(uintptr_t)stray}, &out);
    CHECK(out.code == 0, "%s", out.err);
    await_status(t, "stopped");
    run_ocirt(t, &out, "delete", t->tag);
    outcome_refresh(&made);
    CHECK_REPORT(&made, "fd.count", print("%d", 3 + preserve));
    for (int fd = 3; fd < 3 + preserve; fd++) CHECK_HAS(report_get(&made, print("fd.%d", fd)), "/stray");
    char *said_out = file_read(file, NULL), *said_in = file_read(print("%s/listing", b.rootfs), NULL);
    CHECK_TEXT(said_out, "prestart 0 1 2\ncreateRuntime 0 1 2\ncreateContainer 0 1 2\npoststart 0 1 2\npoststop 0 1 2\n");
    CHECK_TEXT(said_in, "startContainer 0 1 2\n");
    reap_all();
}

static void descriptors(struct t *t) {
    need_ocirt();
    for (int preserve = 0; preserve <= 3; preserve++) descriptors_with(t, preserve);
}

/* The program of an exec has those of its caller that are to be kept, and no other. */
static void descriptors_of_exec(struct t *t) {
    struct box x;
    struct outcome out;
    const char *stray = print("%s/stray", t->dir);
    file_write(stray, "x");
    box_begin(t, &x, NULL);
    for (int preserve = 0; preserve <= 3; preserve++) {
        command_run(&(struct command){.argv = exec_argv(t, print("--preserve-fds %d", preserve), "/payload payload-report"), .child = hold_strays, .user = (void *)(uintptr_t)stray}, &out);
        CHECK(out.code == 0, "%s", out.err);
        CHECK_REPORT(&out, "fd.count", print("%d", 3 + preserve));
        for (int fd = 3; fd < 3 + preserve; fd++) CHECK_HAS(report_get(&out, print("fd.%d", fd)), "/stray");
        outcome_free(&out);
    }
    box_end(t, &x);
}

/* Of a program that calls exec itself: as many afterwards, whatever came of it. */
static void descriptors_of_caller(struct t *t) {
    const char *words[] = {"/payload", "payload-exit", "3", NULL}, *missing[] = {"/missing", NULL};
    static const struct {
        const char *cgroup;
        bool missing, paused;
        int result;
    } rows[] = {{NULL, false, false, 0}, {"sub", false, false, -OCIRT_E_CGROUP}, {"..", false, false, -OCIRT_E_CGROUP}, {NULL, true, false, -OCIRT_E_EXEC_NOT_FOUND}, {NULL, false, true, -OCIRT_E_STATE}};
    struct live l;
    begin_in_cgroup(t, &l, &(struct config){.args = "payload-script echo ready -- sleep"});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ocirt_process process = {.args = {rows[i].missing ? missing : words, rows[i].missing ? 1 : 3}, .cwd = "/"};
        ocirt_spec spec = {.process = &process};
        ocirt_options options = {.state_root = t->state, .stage = ocirt_stage(1, (char *[]){print("program"), NULL}), .exec_cgroup = rows[i].cgroup};
        ocirt_exit end = {0};
        ocirt_error error;
        if (rows[i].paused) quiet(t, "pause", t->tag);
        unsigned before = open_count();
        int r = ocirt_exec(&spec, t->tag, &options, NULL, &end, &error);
        unsigned after = open_count();
        EXPECT(r == rows[i].result && (r || end.code == 3), "row %zu: %d %s", i, r, r ? error.message : "");
        EXPECT(before == after, "row %zu: %u descriptors, %u before", i, after, before);
        if (rows[i].paused) quiet(t, "resume", t->tag);
    }
    live_end(t, &l);
}

const struct test secure_tests[] = {
    {"secure.lies_root", lies_root, TEST_ROOT, 120},
    {"secure.lies_mapped", lies_mapped, TEST_ROOT, 120},
    {"secure.lies_user", lies_user, 0, 120},
    {"secure.lies_whole", lies_whole, TEST_ROOT, 120},
    {"secure.lies_other", lies_other, TEST_ROOT, 120},
    {"secure.lies_joined", lies_joined, TEST_ROOT, 120},
    {"secure.lies_exec", lies_exec, TEST_ROOT, 120},
    {"secure.lies_exec_other", lies_exec_other, TEST_ROOT, 120},
    {"secure.no_path_instead", no_path_instead, TEST_ROOT, 120},
    {"secure.no_path_instead_mapped", no_path_instead_mapped, TEST_ROOT, 120},
    {"secure.no_path_instead_joined", no_path_instead_joined, TEST_ROOT, 120},
    {"secure.no_image_to_run_from", no_image_to_run_from, TEST_ROOT, 0},
    {"secure.own_image_of_command", own_image_of_command, TEST_ROOT, 60},
    {"secure.own_image_of_program", own_image_of_program, TEST_ROOT, 60},
    {"secure.climbs", climbs, 0, 120},
    {"secure.climbs_mapped", climbs_mapped, TEST_ROOT, 120},
    {"secure.climbs_with_listener", climbs_with_listener, 0, 120},
    {"secure.capability_model", capability_model, TEST_ROOT, 60},
    {"secure.capability_model_of_exec", capability_model_of_exec, TEST_ROOT, 60},
    {"secure.descriptors", descriptors, 0, 0},
    {"secure.descriptors_of_exec", descriptors_of_exec, 0, 0},
    {"secure.descriptors_of_caller", descriptors_of_caller, 0, 0},
    {0},
};
