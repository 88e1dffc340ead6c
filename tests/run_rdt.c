/* run_rdt.c: linux.intelRdt. No machine here has resctrl, so there is a folder in its place, and the
 * ptrace driver plays the kernel: statfs of it answers resctrl's number, a folder made in it gets its
 * files, and what is written to `schemata` and `tasks` is taken word for word, and noted. */
#include "runs.h"
#include <sys/mount.h>
#include <sys/syscall.h>

#define ROOT "/sys/fs/resctrl"
#define LINES "L3:0=ff;1=ff\nMB:0=100;1=100\n"

static struct text noted; /* "schemata box L3:0=f\n", "mkdir box\n" */

/* ---- the place ---- */

/* sysfs takes no folders: a tmpfs on it, with all else bound as it was. */
static void place_make(struct t *t) {
    static const char *const others[] = {"cgroup", "bpf", "fuse", "selinux", "pstore"};
    char *keep = print("%s/keep", t->dir);
    need_root();
    need_ocirt();
    char *mounts = file_read("/proc/self/mountinfo", NULL);
    if (mounts && strstr(mounts, " - resctrl ")) SKIP("resctrl", "this machine has one");
    make_dirs(keep, 0755);
    CHECK_SYS(mount("/sys/fs", keep, NULL, MS_BIND | MS_REC, NULL));
    CHECK_SYS(mount("tmpfs", "/sys/fs", "tmpfs", 0, "mode=755"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char *from = print("%s/%s", keep, others[i]), *to = print("/sys/fs/%s", others[i]);
        if (access(from, F_OK)) continue;
        CHECK_SYS(mkdir(to, 0755));
        CHECK_SYS(mount(from, to, NULL, MS_BIND | MS_REC, NULL));
    }
    make_dirs(ROOT "/info", 0755);
    make_dirs(ROOT "/mon_groups", 0755);
    file_write(ROOT "/schemata", "%s", LINES);
    file_write(ROOT "/tasks", "%s", "");
    noted = (struct text){0};
}

static void place_end(struct t *t) {
    delete_all(t);
    CHECK_SYS(umount2("/sys/fs", MNT_DETACH));
    CHECK_SYS(umount2(print("%s/keep", t->dir), MNT_DETACH));
}

static void group_fill(const char *path) {
    bool monitors = strstr(path, "/mon_groups/") != NULL;
    file_write(print("%s/tasks", path), "%s", "");
    if (monitors) return;
    file_write(print("%s/schemata", path), "%s", LINES);
    make_dirs(print("%s/mon_groups", path), 0755);
}

static void group_make(const char *name) {
    make_dirs(print(ROOT "/%s", name), 0755);
    group_fill(print(ROOT "/%s", name));
}

/* ---- the kernel's part ---- */

static char *fd_path(const struct call *call, int fd) {
    char target[4096];
    ssize_t n = readlink(print("/proc/%d/fd/%d", (int)call->pid, fd), target, sizeof target - 1);
    return n > 0 ? print("%.*s", (int)n, target) : NULL;
}

/* What a call with a path is about, if it lies in our place. */
static char *inside(const struct call *call) {
    char *base = !call->path || *call->path == '/' ? NULL : fd_path(call, call->dirfd);
    char *path = call->path ? base ? print("%s/%s", base, call->path) : print("%s", call->path) : NULL;
    return path && starts(path, ROOT "/") ? path : NULL;
}

/* One line, of a resource and domains that are there, with its own mask or number for each. */
static bool merge(const char *file, const char *line) {
    char *text = file_read(file, NULL), *rest = text, *name = print("%.*s", (int)(strcspn(line, ":") + 1), line);
    struct text merged = {0};
    bool found = false;
    for (char *old; (old = strsep(&rest, "\n"));) {
        bool same = starts(old, name);
        found |= same;
        if (*old) text_add(&merged, "%.*s\n", (int)(same ? strcspn(line, "\n") : strlen(old)), same ? line : old);
    }
    if (found) file_write(file, "%s", merged.at);
    return found;
}

static struct drive_action play_write(struct call *call, const char *path) {
    size_t n = (size_t)call->args[2];
    char line[2048] = "";
    const char *file = strrchr(path, '/') + 1;
    if (n >= sizeof line || !drive_peek(call, call->args[1], line, n)) return (struct drive_action){DRIVE_FAIL, EFAULT};
    char *group = print("%.*s", (int)(file - path - (long)strlen(ROOT)), path + strlen(ROOT));
    text_add(&noted, "%s%s %s%s", group, file, line, n && line[n - 1] == '\n' ? "" : "\n");
    if (!strcmp(file, "schemata") && !merge(path, line)) return (struct drive_action){DRIVE_FAIL, EINVAL};
    if (!strcmp(file, "tasks")) file_write(path, "%s%s\n", file_read(path, NULL), line);
    return (struct drive_action){DRIVE_LIE, (long long)n};
}

/* Groups are removed with the files that they have. */
static struct drive_action play(void *user, struct call *call) {
    (void)user;
    char *path;
    if (call->nr == SYS_write && (path = fd_path(call, (int)call->args[0])) && starts(path, ROOT "/")) return play_write(call, path);
    if (call->nr == SYS_unlinkat && call->args[2] & AT_REMOVEDIR && (path = inside(call))) {
        text_add(&noted, "rmdir %s\n", path + strlen(ROOT));
        remove_tree(path);
        return (struct drive_action){DRIVE_LIE, 0};
    }
    return (struct drive_action){DRIVE_GO, 0};
}

static void played(void *user, struct call *call) {
    (void)user;
    char *path;
    long magic = 0x7655821;
    if (call->nr == SYS_fstatfs && call->result == 0 && (path = fd_path(call, (int)call->args[0])) && !strcmp(path, ROOT)) drive_poke(call, call->args[1], &magic, sizeof magic);
    if (call->nr == SYS_mkdirat && call->result == 0 && (path = inside(call))) {
        text_add(&noted, "mkdir %s\n", path + strlen(ROOT));
        group_fill(path);
    }
}

static struct outcome *with_resctrl(struct t *t, const char *const *args) {
    struct drive *drive = remember(calloc(1, sizeof *drive));
    drive->decide = play, drive->after = played, drive->seconds = 20;
    drive_ocirt_list(t, drive, args);
    CHECK(!drive->timed_out, "%s", drive->outcome.err);
    return &drive->outcome;
}

static struct outcome *created(struct t *t, const char *rdt) {
    struct bundle b;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-exit 0", .linux_ = rdt ? print("\"intelRdt\":{%s}", rdt) : NULL});
    if (noted.n) noted.n = 0, *noted.at = 0;
    return with_resctrl(t, (const char *const[]){"create", "-b", b.path, t->tag, NULL});
}

static void deleted(struct t *t) {
    struct outcome *out = with_resctrl(t, (const char *const[]){"delete", "--force", t->tag, NULL});
    CHECK(out->code == 0, "%s", out->err);
    reap_all();
}

static bool exists(const char *group) { return !access(print(ROOT "/%s", group), F_OK); }
static const char *notes(void) { return noted.at ? noted.at : ""; }

static bool refused_well(const struct outcome *out, const char *pointer) {
    return out->code == 1 && strstr(out->err, pointer) && good_text(out->err);
}

/* ---- tests ---- */

static void own_group(struct t *t) {
    static const char *const schemas[] = {"", "\"l3CacheSchema\":\"L3:0=f;1=f\"", "\"enableMonitoring\":true"};
    place_make(t);
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        struct outcome *out = created(t, schemas[i]);
        CHECK(out->code == 0, "%s", out->err);
        const char *pid = state_get(t, t->tag, "pid");
        CHECK_TEXT(file_read(print(ROOT "/%s/tasks", t->tag), NULL), print("%s\n", pid));
        if (i == 1) CHECK_TEXT(file_read(print(ROOT "/%s/schemata", t->tag), NULL), "L3:0=f;1=f\nMB:0=100;1=100\n");
        if (i == 2) CHECK_TEXT(file_read(print(ROOT "/%s/mon_groups/%s/tasks", t->tag, t->tag), NULL), print("%s\n", pid));
        else CHECK_OK(!exists(print("%s/mon_groups/%s", t->tag, t->tag)));
        deleted(t);
        CHECK_OK(!exists(t->tag));
        CHECK_TEXT(file_read(ROOT "/tasks", NULL), "");
    }
    place_end(t);
}

/* The order of the specification; each line in a write of its own, as the kernel needs it. */
static void schemata_in_order(struct t *t) {
    place_make(t);
    struct outcome *out = created(t, "\"closID\":\"gold\",\"schemata\":[\"MB:0=30;1=30\",\"L3:0=3;1=3\"],\"memBwSchema\":\"MB:0=20;1=20\",\"l3CacheSchema\":\"L3:0=f;1=f\"");
    CHECK(out->code == 0, "%s", out->err);
    CHECK_TEXT(notes(), print("mkdir /gold\n/gold/schemata L3:0=f;1=f\n/gold/schemata MB:0=20;1=20\n/gold/schemata MB:0=30;1=30\n/gold/schemata L3:0=3;1=3\n/gold/tasks %s\n",
                              state_get(t, t->tag, "pid")));
    deleted(t);
    CHECK_OK(exists("gold")); /* who names it, keeps it */
    place_end(t);
}

static void named_group(struct t *t) {
    place_make(t);
    struct outcome *out = created(t, "\"closID\":\"silver\"");
    CHECK(refused_well(out, "/linux/intelRdt"), "%d %s", out->code, out->err);
    CHECK_OK(!exists("silver"));
    group_make("silver");
    static const char *const ways[] = {"silver", "/"};
    for (int i = 0; i < 2; i++) {
        out = created(t, print("\"closID\":\"%s\",\"enableMonitoring\":true", ways[i]));
        CHECK(out->code == 0, "%s", out->err);
        const char *pid = state_get(t, t->tag, "pid"), *group = i ? "" : "/silver";
        CHECK_TEXT(file_read(print(ROOT "%s/tasks", group), NULL), print("%s\n", pid));
        CHECK_TEXT(file_read(print(ROOT "%s/mon_groups/%s/tasks", group, t->tag), NULL), print("%s\n", pid));
        CHECK_TEXT(file_read(print(ROOT "%s/schemata", group), NULL), LINES);
        deleted(t);
        CHECK_OK(exists("silver"));
        CHECK_OK(!exists(print("%s/mon_groups/%s", group, t->tag)));
    }
    place_end(t);
}

/* A group that is there must say what the config says, however it says it. */
static void group_is_compared(struct t *t) {
    static const struct {
        const char *have, *rdt;
        bool same;
    } rows[] = {{"    L3:0=00f;1=0ff\n    MB:0= 20;1=100\n", "\"l3CacheSchema\":\"L3:1=ff;0=f\",\"memBwSchema\":\"MB:1=100;0=20\"", true},
                {"L3:0=F;1=ff\n", "\"l3CacheSchema\":\"L3:0=f\"", true},
                {"L3:0=f;1=ff\n", "\"l3CacheSchema\":\"L3:0=f;1=f\"", false},
                {"L3:0=f;1=ff\n", "\"l3CacheSchema\":\"L3:0=f;1=ff;2=f\"", false},
                {"L3:0=f0;1=ff\n", "\"l3CacheSchema\":\"L3:0=f\"", false},
                {"L3:0=f\nMB:0=10\n", "\"memBwSchema\":\"MB:0=100\"", false},
                {"L3:0=f\n", "\"memBwSchema\":\"MB:0=100\"", false},
                {"L3:10=f;0=3\n", "\"l3CacheSchema\":\"L3:0=f\"", false},
                {"L3CODE:0=f\nL3:0=3\n", "\"l3CacheSchema\":\"L3:0=f\"", false}};
    place_make(t);
    group_make("there");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        file_write(ROOT "/there/schemata", "%s", rows[i].have);
        file_write(ROOT "/there/tasks", "%s", "");
        struct outcome *out = created(t, print("\"closID\":\"there\",%s", rows[i].rdt));
        if (rows[i].same) {
            EXPECT(out->code == 0, "%s for %s: %s", rows[i].rdt, rows[i].have, out->err);
            if (out->code == 0) deleted(t);
        } else {
            EXPECT(refused_well(out, "/linux/intelRdt"), "%s for %s: %d %s", rows[i].rdt, rows[i].have, out->code, out->err);
            EXPECT(!strcmp(file_read(ROOT "/there/schemata", NULL), rows[i].have), "%s: it was changed", rows[i].rdt);
            EXPECT(!strcmp(file_read(ROOT "/there/tasks", NULL), ""), "%s: it was joined", rows[i].rdt);
            if (out->code == 0) deleted(t);
        }
        EXPECT(exists("there"), "%s: it was removed", rows[i].rdt);
    }
    place_end(t);
}

/* The kernel takes no such line; monitoring cannot be had: nothing of the container is left. */
static void failures_are_undone(struct t *t) {
    static const char *const rows[][2] = {{"\"schemata\":[\"L3:0=f\",\"L9:0=f\"]", "/linux/intelRdt"}, {"\"closID\":\"fresh\",\"l3CacheSchema\":\"L9:0=f\"", "/linux/intelRdt"},
                                          {"\"closID\":\"fresh\",\"schemata\":[\"L3:0=f\"],\"enableMonitoring\":true", "/linux/intelRdt"}};
    place_make(t);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (i == 2) { /* a file where the folder should be */
            group_make("fresh");
            CHECK_OK(remove_tree(ROOT "/fresh/mon_groups"));
            file_write(ROOT "/fresh/schemata", "%s", "L3:0=f\n");
        }
        struct outcome *out = created(t, rows[i][0]);
        EXPECT(refused_well(out, rows[i][1]), "%s: %d %s", rows[i][0], out->code, out->err);
        EXPECT(!exists(t->tag), "%s: the group is left", rows[i][0]);
        EXPECT(exists("fresh") == (i == 2), "%s: the named group %s", rows[i][0], i == 2 ? "is gone" : "is left");
        struct outcome list;
        run_ocirt(t, &list, "list", "-q");
        EXPECT(!list.out_n, "%s: left %s", rows[i][0], list.out);
    }
    place_end(t);
}

static void untouched_without(struct t *t) {
    place_make(t);
    struct outcome *out = created(t, NULL);
    CHECK(out->code == 0, "%s", out->err);
    deleted(t);
    CHECK_TEXT(notes(), "");
    place_end(t);
}

static void not_mounted(struct t *t) {
    char *mounts = file_read("/proc/self/mountinfo", NULL);
    if (mounts && strstr(mounts, " - resctrl ")) SKIP("resctrl", "this machine has one");
    static const char *const rows[] = {"", "\"closID\":\"/\"", "\"enableMonitoring\":true", "\"closID\":\"x\",\"schemata\":[\"L3:0=f\"]"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        refused(t, &(struct config){.linux_ = print("\"intelRdt\":{%s}", rows[i])}, 125, "/linux/intelRdt");
        refused(t, &(struct config){.linux_ = print("\"intelRdt\":{%s}", rows[i])}, 125, "resctrl");
    }
}

static void bad_words(struct t *t) {
    static const char *const rows[][2] = {
        {"\"closID\":\".\"", "closID"}, {"\"closID\":\"..\"", "closID"}, {"\"closID\":\"a/b\"", "closID"}, {"\"closID\":\"/a\"", "closID"}, {"\"closID\":\"../x\"", "closID"},
        {"\"closID\":\"a\\nb\"", "closID"}, {"\"closID\":\"info\"", "closID"}, {"\"closID\":\"mon_groups\"", "closID"},
        {"\"memBwSchema\":\"L3:0=f\"", "memBwSchema"}, {"\"memBwSchema\":\"0=10\"", "memBwSchema"}, {"\"memBwSchema\":\"MB:0=10\\nL3:0=1\"", "memBwSchema"},
        {"\"schemata\":[\"L3:0=f\",\"MB:0=10\\nL3:0=1\"]", "schemata/1"}, {"\"enableMonitoring\":\"yes\"", "enableMonitoring"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refused(t, &(struct config){.linux_ = print("\"intelRdt\":{%s}", rows[i][0])}, 125, print("/linux/intelRdt/%s", rows[i][1]));
}

/* ---- each call on resctrl fails once ---- */

struct spot {
    unsigned role, nth;
    long nr;
};
static struct spot spots[256];
static unsigned n_spots;

static struct drive_action play_noting(void *user, struct call *call) {
    char *path = inside(call), *of = path ? NULL : fd_path(call, (int)call->args[0]);
    if (n_spots < 256 && (path || (of && starts(of, ROOT)))) spots[n_spots++] = (struct spot){call->role, call->nth, call->nr};
    return play(user, call);
}

static struct drive_action play_aimed(void *user, struct call *call) {
    struct drive_action action = drive_aim(user, call);
    return action.what == DRIVE_GO ? play(NULL, call) : action;
}

static const char *const wanted_rdt = "\"l3CacheSchema\":\"L3:0=f;1=f\",\"memBwSchema\":\"MB:0=20;1=20\",\"enableMonitoring\":true";

static void expect_group(struct t *t, const char *where) {
    const char *pid = print("%s\n", state_get(t, t->tag, "pid"));
    char *tasks = file_read(print(ROOT "/%s/tasks", t->tag), NULL), *monitored = file_read(print(ROOT "/%s/mon_groups/%s/tasks", t->tag, t->tag), NULL);
    char *schemata = file_read(print(ROOT "/%s/schemata", t->tag), NULL);
    EXPECT(tasks && !strcmp(tasks, pid) && monitored && !strcmp(monitored, pid), "%s: it said 0, but its tasks are %s, %s", where, tasks, monitored);
    EXPECT(schemata && !strcmp(schemata, "L3:0=f;1=f\nMB:0=20;1=20\n"), "%s: it said 0, but: %s", where, schemata);
}

static void expect_no_group(struct t *t, const char *where, const char *said) {
    struct outcome list;
    run_ocirt(t, &list, "list", "-q");
    EXPECT(!exists(t->tag) && !list.out_n && !strcmp(file_read(ROOT "/tasks", NULL), ""), "%s: left: %s%s (it said %s)", where, exists(t->tag) ? "the group " : "", list.out, said);
    if (list.out_n) deleted(t);
    if (exists(t->tag)) remove_tree(print(ROOT "/%s", t->tag));
    outcome_free(&list);
}

static struct drive *driven(struct t *t, struct drive_action (*decide)(void *, struct call *), void *user, const char *const *args) {
    struct drive *drive = remember(calloc(1, sizeof *drive));
    drive->decide = decide, drive->after = played, drive->user = user, drive->seconds = 20;
    drive_ocirt_list(t, drive, args);
    EXPECT(!drive->timed_out, "%s: no end", args[0]);
    return drive;
}

static void disturbed(struct t *t, bool deletes) {
    static const int errnos[] = {EPERM, EIO, ENOSPC, EINTR, ENOMEM, EBUSY};
    struct bundle b;
    place_make(t);
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-exit 0", .linux_ = print("\"intelRdt\":{%s}", wanted_rdt)});
    const char *const create[] = {"create", "-b", b.path, t->tag, NULL}, *const delete[] = {"delete", "--force", t->tag, NULL};
    n_spots = 0;
    CHECK_INT(driven(t, deletes ? play : play_noting, NULL, create)->outcome.code, 0);
    expect_group(t, "undisturbed");
    CHECK_INT(driven(t, deletes ? play_noting : play, NULL, delete)->outcome.code, 0);
    expect_no_group(t, "undisturbed", "");
    CHECK(n_spots > 3, "%u calls", n_spots);
    for (size_t i = 0; i < n_spots * 6; i += sweeps_full() ? 1 : 5) {
        const struct spot *spot = &spots[i / 6];
        struct aim aim = {.role = spot->role, .nr = spot->nr, .nth = spot->nth, .action = {DRIVE_FAIL, errnos[i % 6]}};
        const char *where = print("%s: role %u %s#%u %s", deletes ? "delete" : "create", spot->role, call_name(spot->nr), spot->nth, errno_name(errnos[i % 6]));
        if (deletes) CHECK_INT(driven(t, play, NULL, create)->outcome.code, 0);
        struct outcome *out = &driven(t, play_aimed, &aim, deletes ? delete : create)->outcome;
        EXPECT(out->code == 0 || (out->code == 1 && good_text(out->err)), "%s: %d %s", where, out->code, out->err);
        if (deletes && out->code) deleted(t);
        if (!deletes && out->code == 0) {
            expect_group(t, where);
            deleted(t);
        }
        reap_all();
        expect_no_group(t, where, out->err);
    }
    place_end(t);
}

static void create_disturbed(struct t *t) { disturbed(t, false); }
static void delete_disturbed(struct t *t) { disturbed(t, true); }

const struct test run_rdt_tests[] = {
    {"rdt.own_group", own_group, 0, 40},
    {"rdt.schemata_in_order", schemata_in_order, 0, 0},
    {"rdt.named_group", named_group, 0, 40},
    {"rdt.group_is_compared", group_is_compared, 0, 60},
    {"rdt.failures_are_undone", failures_are_undone, 0, 40},
    {"rdt.create_disturbed", create_disturbed, 0, 600},
    {"rdt.delete_disturbed", delete_disturbed, 0, 600},
    {"rdt.untouched_without", untouched_without, 0, 0},
    {"rdt.not_mounted", not_mounted, 0, 0},
    {"rdt.bad_words", bad_words, 0, 0},
    {0}};
