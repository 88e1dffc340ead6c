/* attack.c: hostile root file systems (threats.md T01 to T03), made from the rows of a plan: the audit of every path
 * that init gives to the kernel, a swap before each of its calls, and the lattice of everything that an image may
 * have where a row expects something else. By default a sample; OCIRT_SWEEP=full takes every point in every form. */
#include "runs.h"
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { NR_OPEN_TREE = 428, NR_MOVE_MOUNT = 429, NR_OPENAT2 = 437, NR_MOUNT_SETATTR = 442 };
#define PROC_MAGIC 0x9fa0

/* ---- scenes: one fat container in many shapes ---- */

#define CREATES 1u        /* create, start and delete instead of run */
#define READ_ONLY 2u      /* root.readonly */
#define DEV_MOUNTED 4u    /* a tmpfs on /dev */
#define DEV_COPIED 8u     /* and it takes up what the image has there */
#define USERNS 16u        /* nodes are refused, sysfs is a stand-in */
#define WITHOUT_OPENAT2 32u
#define WITHOUT_SETATTR 64u
#define SHAPES 128u

struct row { /* of a plan, as `ocirt plan --json` prints it */
    char *actor, *verb, *target, *source, *text;
    bool alternate;
};

struct scene {
    struct t *t;
    unsigned shape;
    struct bundle b;
    struct trip trip;
    struct row rows[256];
    size_t n_rows;
    const char *places[256]; /* every prefix of every target: what an attacker may exchange */
    size_t n_places;
    struct snap *before;
    char *identity, *mounts; /* of the payload, undisturbed */
};

static const char *shape_text(unsigned shape) {
    return print("%s%s%s%s%s%s", shape & CREATES ? "create" : "run", shape & READ_ONLY ? ", read-only" : "",
                 shape & DEV_COPIED ? ", copied /dev" : shape & DEV_MOUNTED ? ", tmpfs on /dev" : "", shape & USERNS ? ", user namespace" : "",
                 shape & WITHOUT_OPENAT2 ? ", without openat2" : "", shape & WITHOUT_SETATTR ? ", without mount_setattr" : "");
}

/* In a user namespace the host's /sys stands in, whose mounts below get flags with mount_setattr (5.12) only. */
static bool sysfs_takes_flags(const struct scene *s) {
    bool user = s->shape & USERNS || geteuid();
    return !user || (!(s->shape & WITHOUT_SETATTR) && (!syscall(NR_MOUNT_SETATTR, -1, "", 0, NULL, (size_t)0) || errno != ENOSYS));
}

static char *fat_mounts(const struct scene *s) {
    const char *source = print("%s/source", s->t->dir);
    struct text m = {0};
    text_add(&m, "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}");
    if (s->shape & (DEV_MOUNTED | DEV_COPIED))
        text_add(&m, ",{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"%s]}",
                 s->shape & DEV_COPIED ? ",\"tmpcopyup\"" : "");
    text_add(&m, ",{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\"]}"
                 ",{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"mode=1777\",\"size=64k\"]}"
                 ",{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\"}"
                 ",{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[%s]}", sysfs_takes_flags(s) ? "\"nosuid\",\"ro\"" : "");
    text_add(&m, ",{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"%s\",\"options\":[\"rbind\",\"ro\"]}"
                 ",{\"destination\":\"/file\",\"type\":\"bind\",\"source\":\"%s/file\",\"options\":[\"bind\",\"nosuid\"]}"
                 ",{\"destination\":\"/deep/a/b/c\",\"type\":\"bind\",\"source\":\"%s\",\"options\":[\"bind\"]}"
                 ",{\"destination\":\"/deep/a/file\",\"type\":\"bind\",\"source\":\"%s/file\",\"options\":[\"bind\"]}", source, source, source, source);
    text_add(&m, ",{\"destination\":\"/etc/zone\",\"type\":\"bind\",\"source\":\"%s/link\",\"options\":[\"bind\",\"copy-symlink\"]}"
                 ",{\"destination\":\"/proc/cpuinfo\",\"type\":\"bind\",\"source\":\"%s/file\",\"options\":[\"bind\"]}"
                 ",{\"destination\":\"/copy\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"tmpcopyup\",\"ro\"]}"
                 ",{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"%s\",\"options\":[\"remount\",\"bind\",\"ro\",\"noexec\"]}", source, source, source);
    return m.at;
}

static char *fat_config(const struct scene *s) {
    bool user = s->shape & USERNS || geteuid();
    struct config c = {
        .no_mounts = true,
        .mounts = fat_mounts(s),
        .namespaces = user ? DEFAULT_NAMESPACES " cgroup user" : DEFAULT_NAMESPACES " cgroup",
        .root = s->shape & READ_ONLY ? "\"readonly\":true" : NULL,
        /* HOME is missing: it is looked up in the image's /etc/passwd */
        .process = "\"cwd\":\"/work/here\",\"noNewPrivileges\":true,\"env\":[\"PATH=/\"],"
                   "\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}",
        .linux_ = print("\"maskedPaths\":[\"/proc/kcore\",\"/proc/keys\",\"/sys/firmware\",\"/etc/secret\",\"/etc/secrets\"],"
                        "\"readonlyPaths\":[\"/proc/sys\",\"/etc/fixed\"],\"devices\":[{\"path\":\"/pipes/one\",\"type\":\"p\",\"fileMode\":384}%s]%s",
                        user ? "" : ",{\"path\":\"/dev/extra/null\",\"type\":\"c\",\"major\":1,\"minor\":3,\"uid\":3,\"gid\":4}",
                        user ? "" : ",\"sysctl\":{\"kernel.msgmax\":\"9000\"}"),
        .top = print("\"hooks\":{\"createContainer\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-exit\",\"0\"]}],"
                     "\"startContainer\":[{\"path\":\"/payload\",\"args\":[\"hook\",\"payload-exit\",\"0\"]}]}", test_exe())};
    return config_text(&c);
}

static char *below_root(const struct scene *s, const char *place) { return print("%s%s", s->b.rootfs, place); }

/* The root of a user namespace makes mount points in folders of its own only. */
static void own_folders(const struct scene *s, const char *place) {
    char *path = print("%s", place), *slash = path;
    while (s->shape & USERNS && !geteuid() && slash) {
        CHECK_SYS(lchown(below_root(s, path), TEST_FIRST_ID, TEST_FIRST_ID));
        if ((slash = strrchr(path, '/'))) *slash = 0;
    }
    free(path);
}

/* The image, made anew: some targets are there, some are missing. */
static void image_make(struct scene *s) {
    static const char *const folders[] = {"/proc", "/sys", "/dev", "/data", "/work/here", "/etc/fixed", "/etc/secrets", "/copy/sub", NULL};
    static const char *const files[] = {"/etc/secret", "/etc/secrets/key", "/etc/passwd", "/copy/sub/file", NULL};
    CHECK(remove_tree(s->b.rootfs), "%s: %s", s->b.rootfs, strerror(errno));
    CHECK_SYS(mkdir(s->b.rootfs, 0755));
    CHECK_SYS(link(print("%s/keep/payload", s->b.path), below_root(s, "/payload"))); /* nobody opens it for writing */
    for (int i = 0; folders[i]; i++) make_dirs(below_root(s, folders[i]), 0755);
    for (int i = 0; files[i]; i++) file_write(below_root(s, files[i]), "x:x:7:7::/home:\n");
    for (int i = 0; folders[i]; i++) own_folders(s, folders[i]);
}

/* ---- rows ---- */

static const struct {
    const char *verb, *between; /* the target is the first word, or the one behind `between` */
} targets[] = {{"mount", " on "}, {"bind", " on "}, {"copy-link", " on "}, {"remount", " on "}, {"mknod", NULL}, {"bind-device", NULL}, {"link", NULL},
               {"mask", NULL},    {"read-only", NULL}, {"cwd", NULL},     {"find-program", NULL}, {"sysctl", NULL}};

static char *word_at(const char *at) { return print("%.*s", (int)strcspn(at, " "), at); }

static void read_row(struct scene *s, const char *line) {
    struct row *row = &s->rows[s->n_rows++];
    CHECK_OK(s->n_rows < sizeof s->rows / sizeof *s->rows);
    *row = (struct row){.actor = json_get(line, "actor"), .text = json_get(line, "text"), .alternate = strstr(line, "\"alternate\": true") != NULL};
    const char *object = row->text + strcspn(row->text, " ");
    row->verb = word_at(row->text);
    object += *object == ' ';
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        if (strcmp(row->verb, targets[i].verb)) continue;
        const char *between = targets[i].between ? strstr(object, targets[i].between) : NULL;
        row->target = word_at(between ? between + strlen(targets[i].between) : object);
        row->source = word_at(object);
        if (!strcmp(row->verb, "sysctl")) row->target = print("/proc/%s", row->source);
    }
}

static bool has_verb(const struct scene *s, const char *verb) {
    for (size_t i = 0; i < s->n_rows; i++)
        if (!strcmp(s->rows[i].verb, verb)) return true;
    return false;
}

static void add_place(struct scene *s, const char *place) {
    for (size_t i = 0; i < s->n_places; i++)
        if (!strcmp(s->places[i], place)) return;
    CHECK_OK(s->n_places < sizeof s->places / sizeof *s->places);
    s->places[s->n_places++] = print("%s", place);
}

static void add_places(struct scene *s, const char *path) {
    for (const char *end = path; *end;) {
        end += 1 + strcspn(end + 1, "/");
        if (end > path + 1) add_place(s, print("%.*s", (int)(end - path), path));
    }
}

static void read_plan(struct scene *s) {
    struct outcome out;
    run_ocirt(s->t, &out, "plan", "--json", s->b.path);
    CHECK(out.code == 0, "plan: %s", out.err);
    s->n_rows = s->n_places = 0;
    for (char *line = strtok(out.out, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, "\"row\": ")) read_row(s, line);
    outcome_free(&out);
    CHECK_OK(s->n_rows > 40 && has_verb(s, "root"));
    for (size_t i = 0; i < s->n_rows; i++)
        if (s->rows[i].target && s->rows[i].target[0] == '/') add_places(s, s->rows[i].target);
    add_places(s, "/etc/passwd");    /* what find-program reads when HOME is missing */
    add_places(s, "/copy/sub/file"); /* what the row of /copy takes up */
}

/* ---- what a payload said of itself ---- */

static char *identity_of(const char *report) {
    static const char *const keys[] = {"pid=", "uid=", "gid=", "groups=", "umask=", "cap.", "securebits=", "no_new_privs=", "hostname=", "sig.", "rlimit.",
                                       "fd.count=", "argc=", "argv.", "personality=", "root.mode=", NULL};
    struct text to = {0};
    char *text = print("%s", report);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        for (int i = 0; keys[i]; i++)
            if (starts(line, keys[i])) text_add(&to, "%s\n", line);
    text_add(&to, "%s", "");
    free(text);
    return to.at;
}

struct seen { /* a line of mountinfo */
    int id, parent;
    char root[2048], at[2048], type[64];
};

static bool see_mount(const char *line, struct seen *seen) {
    const char *dash = strstr(line, " - ");
    return dash && sscanf(line, "%d %d %*s %2047s %2047s", &seen->id, &seen->parent, seen->root, seen->at) == 4 && sscanf(dash + 3, "%63s", seen->type) == 1;
}

static int compare_texts(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Whole file systems and our own binds, wherever they lie: neither covers nor the root. */
static char *mounts_of(const struct scene *s, const struct outcome *out) {
    char *lines[512];
    size_t n = 0;
    struct text to = {0};
    const char *line;
    struct seen seen;
    for (unsigned i = 0; (line = report_nth(out, "mount", i)) && n < 512; i++) {
        bool ours = see_mount(line, &seen) && (!strcmp(seen.root, "/") || strstr(seen.root, print("%s/source", strrchr(s->t->dir, '/'))));
        if (!ours || strstr(line, "nr_inodes=1") || !strcmp(seen.type, "devtmpfs")) continue;
        lines[n++] = print("%s %s\n", seen.type, strstr(seen.root, "/source") ? strstr(seen.root, "/source") : seen.root);
    }
    qsort(lines, n, sizeof *lines, compare_texts);
    for (size_t i = 0; i < n; i++) text_add(&to, "%s", lines[i]);
    text_add(&to, "%s", "");
    return to.at;
}

/* A whole procfs, under whatever name, has its read-only /sys. `lines` are mountinfo. */
static void expect_covers(const char *lines, const char *where) {
    char *text = print("%s", lines);
    struct seen seen;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (starts(line, "mount=")) line += 6;
        if (!see_mount(line, &seen) || strcmp(seen.type, "proc") || strcmp(seen.root, "/")) continue;
        EXPECT(strstr(lines, print(" /sys %s/sys ", seen.at)) != NULL, "%s: a procfs without its covers: %s", where, line);
    }
    free(text);
}

/* Nothing of the tripwire is mounted, and the root is as writable as asked. */
static void judge_report(const struct scene *s, const struct outcome *out, const char *where) {
    const char *line, *cwd = report_get(out, "cwd"), *end = report_get(out, "end");
    char *trip = print("%s/trip", strrchr(s->t->dir, '/')), *identity = identity_of(out->out);
    struct mount_line root;
    struct seen seen;
    CHECK(end != NULL, "%s: no report: %.300s", where, out->out);
    EXPECT(!strcmp(identity, s->identity), "%s: who it is: %s, not %s", where, identity, s->identity);
    EXPECT(cwd && (cwd[0] == '/' || !strcmp(cwd, "ENOENT")), "%s: working directory %s", where, cwd); /* it may be deleted, not elsewhere */
    for (unsigned i = 0; (line = report_nth(out, "mount", i)); i++) {
        if (!see_mount(line, &seen)) continue;
        const char *hit = strstr(seen.root, trip);
        EXPECT(!hit || strstr(seen.root, "/rootfs/"), "%s: the host's folder is mounted: %s", where, line);
    }
    if (mount_get(out, "/", &root)) EXPECT(has_word(root.flags, s->shape & READ_ONLY ? "ro" : "rw"), "%s: the root is %s", where, root.flags);
    free(identity);
}

/* An error that names a row's target which the place is on the way to. */
static void judge_error(const struct scene *s, const struct outcome *out, const char *place, const char *where) {
    bool named = false;
    bool code = s->shape & CREATES ? out->code == 1 : out->code >= 125 && out->code <= 127;
    for (size_t i = 0; i < s->n_rows && place; i++) {
        const char *target = s->rows[i].target;
        if (!target || !(strstr(out->err, target) || strstr(out->err, s->rows[i].text))) continue;
        size_t n = strlen(place), m = strlen(target);
        named = named || !strncmp(place, target, n < m ? n : m);
    }
    EXPECT(code && good_text(out->err), "%s: %d %s", where, out->code, out->err);
    EXPECT(!place || named || strstr(out->err, "Container hook"), "%s: the error does not name the place: %s", where, out->err);
    EXPECT(!strstr(out->out, "end="), "%s: it failed with %s, but the program ran", where, out->err);
}

/* ---- forms: what an attacker puts in a place ---- */

enum form {
    LINK_FOLDER, LINK_FILE, LINK_UP, LINK_SELF_ROOT, LINK_INIT_ROOT, LINK_FD, LINK_CWD, LINK_NOWHERE, LINK_LOOP, LINK_CHAIN, LINK_FIFO, LINK_SOCKET, LINK_NODE,
    PLAIN_FILE, FOLDER, FIFO, SOCKET, NODE, FORMS,
    DELETED = FORMS, COVERED, UNCOVERED, SWAPS /* only while it runs */
};
static const char *const form_names[] = {
    "a link to a folder of the host", "a link to a file of the host", "a link up and out", "a link to /proc/self/root/...", "a link to /proc/1/root/...",
    "a link to /proc/self/fd/N", "a link to /proc/self/cwd", "a link to nowhere", "a link to itself", "a chain of 41 links", "a link to a FIFO", "a link to a socket",
    "a link to a node", "a plain file", "a folder", "a FIFO", "a socket", "a node", "nothing", "a mount over it", "its mount taken off"};

static const char *link_text(const struct scene *s, const char *path, enum form form, unsigned number) {
    const char *trip = s->trip.path, *leaf = strrchr(path, '/') + 1;
    switch (form) {
    case LINK_FOLDER: return trip;
    case LINK_FILE: return print("%s/secret", trip);
    case LINK_UP: return print("../../../../../../../../../../../..%s/sub", trip);
    case LINK_SELF_ROOT: return print("/proc/self/root%s", trip);
    case LINK_INIT_ROOT: return print("/proc/1/root%s", trip);
    case LINK_FD: return print("/proc/self/fd/%u", 3 + number % 16);
    case LINK_CWD: return "/proc/self/cwd";
    case LINK_NOWHERE: return "/no/where/at/all";
    case LINK_LOOP: return leaf;
    case LINK_CHAIN: return print("%s.chain.0", leaf);
    case LINK_FIFO: return print("%s/fifo", trip);
    case LINK_SOCKET: return print("%s/socket", trip);
    case LINK_NODE: return print("%s/node", trip);
    default: return NULL;
    }
}

static int make_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(print("%.*s", (int)(strrchr(path, '/') - path), path), O_PATH | O_CLOEXEC), fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, strrchr(path, '/') + 1);
    int r = bind(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    close(dir);
    return r;
}

/* Makes it; what was there is gone already. False: this file system, or this user, cannot. */
static bool put(const struct scene *s, const char *path, enum form form, unsigned number) {
    const char *text = link_text(s, path, form, number);
    for (int i = 0; form == LINK_CHAIN && i < 41; i++)
        if (symlink(i < 40 ? print("%s.chain.%d", strrchr(path, '/') + 1, i + 1) : s->trip.path, print("%s.chain.%d", path, i)) && errno != EEXIST) return false;
    if (text) return !symlink(text, path);
    if (form == FOLDER) return !mkdir(path, 0755);
    if (form == SOCKET) return !make_socket(path);
    if (form == DELETED) return true;
    return !mknod(path, form == FIFO ? S_IFIFO | 0666 : form == NODE ? S_IFCHR | 0666 : S_IFREG | 0644, form == NODE ? makedev(1, 5) : 0);
}

/* ---- one container ---- */

/* An outer filter that knows no openat2, or no mount_setattr. */
static void filter_calls(void *user) {
    const struct scene *s = user;
    const struct {
        uint16_t code;
        uint8_t yes, no;
        uint32_t k;
    } program[] = {{0x20, 0, 0, 0}, /* number; then: equal to it? */
                   {0x15, s->shape & WITHOUT_OPENAT2 ? 2 : 0, 0, NR_OPENAT2}, {0x15, s->shape & WITHOUT_SETATTR ? 1 : 0, 0, NR_MOUNT_SETATTR},
                   {0x06, 0, 0, 0x7fff0000u}, {0x06, 0, 0, 0x00050000u | ENOSYS}};
    const struct {
        unsigned short count;
        const void *program;
    } filter = {5, program};
    if (!(s->shape & (WITHOUT_OPENAT2 | WITHOUT_SETATTR))) return;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &filter, 0, 0)) _exit(125);
}

/* After create: start, wait for the payload, delete. `out` has what it said then. */
static void finish_created(struct scene *s, struct outcome *out, const char *where) {
    struct outcome next;
    run_ocirt(s->t, &next, "start", s->t->tag);
    EXPECT(next.code == 0 || good_text(next.err), "%s: then start: %d %s", where, next.code, next.err);
    if (next.code == 0) await_status(s->t, "stopped");
    outcome_free(&next);
    outcome_refresh(out);
    run_ocirt(s->t, &next, "delete", "--force", s->t->tag);
    EXPECT(next.code == 0, "%s: then delete: %s", where, next.err);
    outcome_free(&next);
}

static void run_scene(struct scene *s, struct outcome *out, const char *where) {
    const char **argv = ocirt_argv(s->t, (const char *const[]){s->shape & CREATES ? "create" : "run", "-b", s->b.path, s->t->tag, NULL});
    command_run(&(struct command){.argv = argv, .child = filter_calls, .user = s, .seconds = 15}, out);
    free(argv);
    EXPECT(!out->timed_out, "%s: no end", where);
    if (s->shape & CREATES && out->code == 0) finish_created(s, out, where);
}

/* A snapshot reads the tripwire's folder as well. */
static void forget_events(struct scene *s) {
    struct text events = {0};
    trip_check(&s->trip, &events);
    text_free(&events);
}

static void expect_world(struct scene *s, const char *where) {
    struct text touched = {0}, changed = {0};
    reap_all();
    bool untouched = trip_check(&s->trip, &touched), same = snap_same(s->t, s->before, &changed);
    forget_events(s);
    EXPECT(untouched, "%s: the host was touched: %s", where, touched.at);
    EXPECT(same, "%s: the world has changed: %.900s", where, changed.at);
    text_free(&touched);
    text_free(&changed);
    if (same) return;
    delete_all(s->t);
    snap_free(s->before);
    s->before = snap_take(s->t, 0);
}

/* A shape of the scene: its plan, and how its payload is when nobody attacks. */
static void shape_make(struct scene *s, unsigned shape) {
    struct outcome out;
    s->shape = shape;
    image_make(s);
    bundle_write(&s->b, "%s", fat_config(s));
    read_plan(s);
    run_scene(s, &out, "undisturbed");
    CHECK(out.code == 0, "%s, undisturbed: %d %s%.300s", shape_text(shape), out.code, out.err, out.out);
    s->identity = identity_of(out.out);
    s->mounts = mounts_of(s, &out);
    judge_report(s, &out, "undisturbed");
    outcome_free(&out);
    reap_all();
    snap_free(s->before);
    s->before = snap_take(s->t, 0);
    forget_events(s);
}

static void scene_make(struct t *t, struct scene *s) {
    need_ocirt();
    if (geteuid()) need_userns();
    *s = (struct scene){.t = t};
    const char *source = print("%s/source", t->dir), *keep = print("%s/" BUNDLE "/keep", t->dir);
    make_dirs(source, 0755);
    file_write(print("%s/file", source), "a volume\n");
    CHECK_SYS(symlink("file", print("%s/link", source)));
    make_dirs(print("%s/" BUNDLE, t->dir), 0755);
    if (!geteuid()) CHECK_SYS(mount("bundle", print("%s/" BUNDLE, t->dir), "tmpfs", 0, "mode=755")); /* it is made anew many times */
    root_make(t, &s->b);
    make_dirs(keep, 0755);
    CHECK_SYS(rename(below_root(s, "/payload"), print("%s/payload", keep)));
    trip_make(t, &s->trip, "trip");
}

static void scene_end(struct scene *s) {
    if (!geteuid()) CHECK_SYS(umount2(s->b.path, MNT_DETACH));
}

/* ---- T03: the lattice ---- */

/* Does an earlier mount hide what the image has there? */
static bool hidden(const struct scene *s, const char *place) {
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct row *row = &s->rows[i];
        size_t n = row->target ? strlen(row->target) : 0;
        bool mounts = !strcmp(row->verb, "mount") || !strcmp(row->verb, "bind");
        bool copies = n && (!strcmp(row->target, "/copy") || (s->shape & DEV_COPIED && !strcmp(row->target, "/dev")));
        if (mounts && !copies && !strncmp(place, row->target, n) && place[n] == '/') return true;
    }
    return false;
}

static void one_lattice(struct scene *s, const char *place, enum form form, unsigned number) {
    const char *path = below_root(s, place), *where = print("%s is %s (%s)", place, form_names[form], shape_text(s->shape));
    struct outcome out;
    image_make(s);
    make_dirs(print("%.*s", (int)(strrchr(path, '/') - path), path), 0755);
    own_folders(s, print("%.*s", (int)(strrchr(place, '/') - place), place));
    CHECK(remove_tree(path), "%s: %s", path, strerror(errno));
    if (!put(s, path, form, number)) return;
    run_scene(s, &out, where);
    if (out.code == 0) {
        char *mounts = mounts_of(s, &out);
        judge_report(s, &out, where);
        expect_covers(out.out, where);
        EXPECT(!strcmp(mounts, s->mounts), "%s: it said 0, but has these mounts: %s not these: %s", where, mounts, s->mounts);
        free(mounts);
    } else
        judge_error(s, &out, place, where);
    outcome_free(&out);
    expect_world(s, where);
}

/* The shapes in an order in which neighbours differ in much, so that a sample of every seventh has all. */
static const unsigned lattice_shapes[] = {
    0, READ_ONLY | DEV_MOUNTED | WITHOUT_OPENAT2, CREATES | DEV_COPIED, READ_ONLY | USERNS, WITHOUT_OPENAT2 | CREATES | READ_ONLY,
    DEV_MOUNTED | WITHOUT_SETATTR, DEV_COPIED | READ_ONLY | WITHOUT_OPENAT2, CREATES | DEV_MOUNTED, WITHOUT_OPENAT2 | USERNS | DEV_MOUNTED, READ_ONLY | WITHOUT_SETATTR};
enum { LATTICE_SHAPES = sizeof lattice_shapes / sizeof *lattice_shapes };

/* A sample gets thinner on a machine that is said to be slow (OCIRT_TIME). */
static unsigned thinner(void) { return sweeps_full() ? 1 : (unsigned)time_scale(); }

/* Each place in each form once, and over the forms in every shape; full: all of them. */
static void lattice(struct t *t) {
    struct scene s;
    unsigned done = 0, met = 0, every = geteuid() ? 3 * thinner() : thinner(); /* a user's image is made anew on a disk */
    scene_make(t, &s);
    for (unsigned k = 0; k < LATTICE_SHAPES; k++) {
        shape_make(&s, lattice_shapes[k]);
        for (unsigned p = 0; p < s.n_places; p++)
            for (unsigned form = 0; form < FORMS; form++) {
                if (hidden(&s, s.places[p])) continue;
                if (!sweeps_full() && (p + form) % LATTICE_SHAPES != k) continue;
                if (met++ % every) continue;
                one_lattice(&s, s.places[p], (enum form)form, p + form);
                done++;
            }
    }
    printf("# %u containers\n", done);
    CHECK_OK(done * every > 400);
    scene_end(&s);
}

static void root_no_folder(struct t *t) {
    static const enum form forms[] = {LINK_NOWHERE, LINK_LOOP, LINK_CHAIN, LINK_FILE, LINK_FIFO, LINK_SOCKET, LINK_NODE, PLAIN_FILE, FIFO, SOCKET, NODE};
    struct scene s;
    struct outcome out;
    scene_make(t, &s);
    for (size_t i = 0; i < sizeof forms / sizeof *forms * 2; i++) {
        const char *where = print("the root is %s", form_names[forms[i / 2]]);
        shape_make(&s, i % 2 ? CREATES | WITHOUT_OPENAT2 : 0);
        CHECK_OK(remove_tree(s.b.rootfs));
        if (!put(&s, s.b.rootfs, forms[i / 2], 0)) continue;
        run_scene(&s, &out, where);
        CHECK_OK(!unlink(s.b.rootfs));
        judge_error(&s, &out, NULL, where);
        EXPECT(strstr(out.err, "/root/path") && strstr(out.err, s.b.rootfs), "%s: %s", where, out.err);
        outcome_free(&out);
        for (int n = 0; n < 41; n++) unlink(print("%s.chain.%d", s.b.rootfs, n));
        image_make(&s);
        expect_world(&s, where);
    }
    scene_end(&s);
}

/* What genuine images have: links that stay inside, also those that only do when read inside. */
static void links_inside(struct t *t) {
    static const struct {
        const char *link, *text, *target, *is; /* a mount on `target` is seen on `is` */
    } links[] = {{"/var/run", "/run", "/var/run/lock", "/run/lock"},
                 {"/lib64", "usr/lib64", "/lib64/deep/er", "/usr/lib64/deep/er"},
                 {"/etc/alternative", "../run/made/here", "/etc/alternative", "/run/made/here"},
                 {"/data", "/srv/./a/../b//c/", "/data", "/srv/b/c"},
                 {"/up", "../../../../../etc", "/up/x", "/etc/x"},
                 {"/one", "two", "/one/m", "/three/m"},
                 {"/two", "/three", "/two/n", "/three/n"},
                 {"/dev", "system/dev", "/dev/shm", "/system/dev/shm"}};
    enum { LINKS = sizeof links / sizeof *links };
    struct scene s;
    struct outcome out;
    scene_make(t, &s);
    static const unsigned shapes[] = {0, READ_ONLY, WITHOUT_OPENAT2, WITHOUT_OPENAT2 | READ_ONLY};
    for (unsigned k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        unsigned shape = shapes[k];
        struct text mounts = {0};
        s.shape = shape;
        image_make(&s);
        CHECK_OK(!rmdir(below_root(&s, "/dev")) && !rmdir(below_root(&s, "/data")));
        make_dirs(below_root(&s, "/srv/a"), 0755);
        make_dirs(below_root(&s, "/home/real"), 0755);
        root_link(&s.b, "/home/real", "home/user");
        root_link(&s.b, "../payload", "bin/program");
        root_link(&s.b, "/etc/secret", "var/secret");
        for (unsigned i = 0; i < LINKS; i++) {
            root_link(&s.b, links[i].text, links[i].link + 1);
            text_add(&mounts, ",{\"destination\":\"%s\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\"]}", links[i].target);
        }
        bundle_config(&s.b, &(struct config){.no_mounts = true, .root = shape & READ_ONLY ? "\"readonly\":true" : NULL,
            .mounts = print("{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}%s", mounts.at), .linux_ = "\"maskedPaths\":[\"/var/secret\"]",
            .process = "\"cwd\":\"/home/user\",\"args\":[\"/bin/program\",\"payload-report\"]"});
        run_scene(&s, &out, shape_text(shape));
        CHECK(out.code == 0, "%s: %d %s", shape_text(shape), out.code, out.err);
        for (unsigned i = 0; i < LINKS; i++) EXPECT(report_mount(&out, links[i].is) != NULL, "%s: no mount on %s in %s", shape_text(shape), links[i].is, out.out);
        EXPECT(report_mount(&out, "/etc/secret") != NULL, "%s: the mask", shape_text(shape));
        CHECK_REPORT(&out, "cwd", "/home/real");
        struct stat info;
        CHECK_OK(!lstat(below_root(&s, "/system/dev/stdin"), &info) && S_ISLNK(info.st_mode));
    }
    scene_end(&s);
}

/* ---- watching init ---- */

enum where { HOST_TREE, INSIDE, PROC, OURS }; /* OURS: detached, or opened by the host beforehand */
static const char *const where_names[] = {"the host's tree", "the container's root", "our procfs", "a mount of ours"};

struct swap {
    long nr; /* before this call of init */
    unsigned nth;
    size_t first, step; /* places first, first + step, ... */
    enum form form;
    bool root; /* the root itself instead */
};

struct watch { /* of one traced container: until its root is pinned we only look for that */
    struct scene *s;
    bool candidate, pinned, pivoted, waits;
    unsigned init; /* its role */
    pid_t pid;
    int root_fd, root_id;
    int known[512]; /* mounts that were there when the root was pinned */
    size_t n_known, first, last; /* of the trace: init's calls with the root pinned, up to exec */
    bool audits, swapped;
    const struct swap *swap; /* NULL: none */
    unsigned used[16]; /* by rule: paths that it allows */
};

struct object { /* what a descriptor, or cwd, of a stopped process is */
    bool known;
    int mount;
    long magic;
    struct stat info;
};

static struct object object_of(pid_t pid, const char *name) {
    struct object o = {.mount = -1};
    struct statfs fs;
    int fd = open(print("/proc/%d/%s", (int)pid, name), O_PATH | O_CLOEXEC);
    if (fd < 0) return o;
    char *text = file_read(print("/proc/self/fdinfo/%d", fd), NULL), *id = text ? strstr(text, "mnt_id:") : NULL;
    o.known = id && !fstat(fd, &o.info) && !fstatfs(fd, &fs);
    if (o.known) o.mount = atoi(id + 7), o.magic = (long)fs.f_type;
    free(text);
    close(fd);
    return o;
}

struct tree {
    int id[512], parent[512];
    size_t n;
};

static void tree_read(struct tree *tree, pid_t pid) {
    char *text = file_read(print("/proc/%d/mountinfo", (int)pid), NULL);
    tree->n = 0;
    for (char *line = text ? strtok(text, "\n") : NULL; line && tree->n < 512; line = strtok(NULL, "\n"))
        if (sscanf(line, "%d %d", &tree->id[tree->n], &tree->parent[tree->n]) == 2) tree->n++;
    free(text);
}

static bool tree_has(const struct tree *tree, int id) {
    for (size_t i = 0; i < tree->n; i++)
        if (tree->id[i] == id) return true;
    return false;
}

static bool tree_below(const struct tree *tree, int id, int root) {
    for (size_t steps = 0; id != root && steps <= tree->n; steps++) {
        size_t i = 0;
        while (i < tree->n && tree->id[i] != id) i++;
        if (i == tree->n) return false;
        id = tree->parent[i];
    }
    return id == root;
}

static enum where where_is(const struct watch *w, const struct object *o) {
    static struct tree tree;
    tree_read(&tree, w->pid);
    if (tree_below(&tree, o->mount, w->root_id)) return INSIDE;
    if (o->magic == PROC_MAGIC && o->info.st_ino == 1) return PROC;
    return tree_has(&tree, o->mount) ? HOST_TREE : OURS;
}

static bool is_root_of(const struct scene *s, const struct object *o) {
    struct stat root;
    return o->known && !stat(s->b.rootfs, &root) && root.st_dev == o->info.st_dev && root.st_ino == o->info.st_ino;
}

/* The row `root` ends with the root's own mount attached: from then on the tree is hostile. */
static void look_for_pin(struct watch *w, const struct call *call) {
    if (w->pinned || call->nr != NR_MOVE_MOUNT || call->role == 0) return;
    struct object o = object_of(call->pid, print("fd/%d", (int)call->args[0]));
    if (!is_root_of(w->s, &o)) return;
    w->candidate = true, w->init = call->role, w->pid = call->pid, w->root_fd = (int)call->args[0];
}

static void pin(struct watch *w, const struct call *call) {
    struct tree tree;
    w->pinned = true;
    w->first = w->last = call->n; /* the next one's index */
    w->root_id = object_of(w->pid, print("fd/%d", w->root_fd)).mount;
    tree_read(&tree, w->pid);
    memcpy(w->known, tree.id, sizeof tree.id);
    w->n_known = tree.n;
    CHECK_OK(tree_has(&tree, w->root_id));
}

/* Before the old root goes: all that was mounted since is in the new one. */
static void expect_mounts_inside(struct watch *w, const char *where) {
    struct tree tree;
    tree_read(&tree, w->pid);
    for (size_t i = 0; i < tree.n; i++) {
        bool known = tree_below(&tree, tree.id[i], w->root_id);
        for (size_t k = 0; k < w->n_known && !known; k++) known = w->known[k] == tree.id[i];
        EXPECT(known, "%s: a mount outside the root:\n%s", where, file_read(print("/proc/%d/mountinfo", (int)w->pid), NULL));
    }
}

static void look_after(void *user, struct call *call) {
    struct watch *w = user;
    if (w->candidate && !w->pinned && call->role == w->init && call->nr == NR_MOVE_MOUNT && call->result == 0) pin(w, call);
    if (w->pinned && call->role == w->init && (call->nr == call_number("pivot_root") || call->nr == call_number("chroot"))) w->pivoted |= call->result == 0;
}

/* ---- T01: the audit ---- */

struct sight { /* one path of one call */
    const struct watch *w;
    const struct call *call;
    const char *name, *path;
    int dirfd;
    enum where where; /* of dirfd, or of cwd */
    bool inits;       /* init's own call, not of a hook that it starts */
};

static bool is_call(const struct sight *s, const char *names) { return has_word(names, s->name); }
static bool no_component(const char *path) { return !path[strspn(path, "/")] || !strcmp(path, "."); }
static bool one_component(const char *path) { return !strchr(path, '/') && strcmp(path, ".."); }

/* The last component is never followed: by nature, or because a flag says so. */
static bool not_followed(const struct sight *s) {
    static const struct {
        const char *name;
        int arg;
        uint64_t any;
    } flags[] = {{"openat", 2, O_NOFOLLOW}, {"statx", 2, 0x100}, {"newfstatat", 3, 0x100}, {"fchownat", 4, 0x100}, {"open_tree", 2, 0x100}, {"utimensat", 3, 0x100}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (is_call(s, flags[i].name)) return s->call->args[flags[i].arg] & flags[i].any;
    return is_call(s, "mkdirat,mknodat,symlinkat,unlinkat,readlinkat,renameat2");
}

static bool empty_path(const struct sight *s) { return !*s->path; }
static bool bare_root_or_dot(const struct sight *s) { return no_component(s->path); }
static bool in_root_call(const struct sight *s) {
    uint64_t resolve = s->call->how[2];
    return is_call(s, "openat2") && s->dirfd >= 0 && resolve & 0x02 && ((resolve & 0x10 && s->where == INSIDE) || (resolve & 0x08 && resolve & 0x04 && resolve & 0x01));
}
static bool one_not_followed(const struct sight *s) { return s->dirfd >= 0 && one_component(s->path) && not_followed(s) && s->where != HOST_TREE; }
static bool in_our_new_tree(const struct sight *s) { return s->dirfd >= 0 && one_component(s->path) && s->where == OURS && is_call(s, "fchmodat"); }
static bool own_descriptor(const struct sight *s) {
    return is_call(s, "mount") && s->where == PROC && starts(s->path, "self/fd/") && strspn(s->path + 8, "0123456789") == strlen(s->path + 8);
}
static bool source_of_row(const struct sight *s) {
    if (!s->inits || s->w->pivoted || s->dirfd != AT_FDCWD || !is_call(s, "open_tree,readlinkat")) return false;
    for (size_t i = 0; i < s->w->s->n_rows; i++)
        if (s->w->s->rows[i].source && !strcmp(s->w->s->rows[i].source, s->path)) return true;
    return false;
}
static bool above_root(const struct sight *s) { return s->w->pivoted && is_call(s, "statx,openat") && !strcmp(s->path, ".."); }
static bool old_root_leaves(const struct sight *s) { return has_verb(s->w->s, "move-root") && !s->w->pivoted && is_call(s, "statx,mount,umount2") && s->path[0] == '/'; }
static bool hook_of_row(const struct sight *s) { return !s->inits && is_call(s, "execveat,chdir") && (!strcmp(s->path, test_exe()) || !strcmp(s->path, "/payload")); }
static bool program_of_row(const struct sight *s) { return s->inits && s->w->pivoted && is_call(s, "openat,execve") && !strcmp(s->path, "/payload"); }

static const struct rule {
    const char *why;
    bool (*fits)(const struct sight *);
} rules[] = {
    {"nothing is looked up: the descriptor itself", empty_path},
    {"nothing is looked up: where the process, or the descriptor, is already", bare_root_or_dot},
    {"the kernel keeps it inside", in_root_call},
    {"one component below a descriptor, not followed", one_not_followed},
    {"a file that we have just made in a mount that nobody else can reach yet (chmod has no flag against following)", in_our_new_tree},
    {"a descriptor of our own by way of the procfs that was checked (mount(2) takes no descriptor)", own_descriptor},
    {"a source on the host, as the caller wrote it, while / is still the host's", source_of_row},
    {"what lies on top of the new root: it is looked at, and unmounted", above_root},
    {"the host's mounts, as mountinfo names them, while / is still the host's (initial ramfs)", old_root_leaves},
    {"a hook's program, as the caller wrote it", hook_of_row},
    {"the program, as the config names it, looked up in the container", program_of_row},
};
enum { RULES = sizeof rules / sizeof *rules, RULE_OPENAT2 = 2, RULE_ONE = 3 };

static void audit_path(struct watch *w, const struct call *call, bool inits, const char *path, int dirfd) {
    if (!path) return;
    struct object o = object_of(call->pid, dirfd == AT_FDCWD ? "cwd" : print("fd/%d", dirfd));
    struct sight s = {.w = w, .call = call, .name = call_name(call->nr), .path = path, .dirfd = dirfd, .where = where_is(w, &o), .inits = inits};
    struct text line = {0};
    for (size_t i = 0; i < RULES; i++)
        if (rules[i].fits(&s)) {
            w->used[i]++;
            return;
        }
    call_print(call, &line);
    EXPECT(false, "%s: a path that no rule allows, from %s: %s", shape_text(w->s->shape), where_names[s.where], line.at);
    text_free(&line);
}

/* Calls whose paths are no arguments of their own, and calls that make a file of any kind by opening it. */
static void audit_call(struct watch *w, const struct call *call, const char *name) {
    static const char paths_elsewhere[] = "bind,connect,open_by_handle_at,name_to_handle_at,mq_open,mq_unlink,io_uring_setup,fspick,swapon,acct,quotactl";
    bool creates = !strcmp(name, "openat") && call->args[2] & O_CREAT;
    uint64_t sure = O_EXCL | O_NOFOLLOW;
    EXPECT(!has_word(paths_elsewhere, name), "%s: init calls %s", shape_text(w->s->shape), name);
    EXPECT(strcmp(name, "fsconfig") || (call->args[1] != 3 && call->args[1] != 4), "%s: fsconfig is given a path", shape_text(w->s->shape));
    EXPECT(!creates || ((call->args[2] & sure) == sure && !(call->args[2] & O_TRUNC)), "%s: opens and makes %s with flags %#llx", shape_text(w->s->shape), call->path,
           (unsigned long long)call->args[2]);
}

pid_t parent_of(pid_t pid) {
    char *text = file_read(print("/proc/%d/stat", (int)pid), NULL), *end = text ? strrchr(text, ')') : NULL;
    pid_t parent = end ? (pid_t)atoi(end + 4) : 0;
    free(text);
    return parent;
}

static void audit(struct watch *w, const struct call *call) {
    const char *name = call_name(call->nr), *paths[2] = {call->path, call->path2};
    bool inits = call->role == w->init, hooks = !inits && parent_of(call->pid) == w->pid;
    if (!inits && !hooks) { /* of the host, or the stage */
        for (int i = 0; i < 2; i++)
            EXPECT(!paths[i] || !strstr(paths[i], w->s->b.rootfs), "%s: the host looks into the root: %s", shape_text(w->s->shape), paths[i]);
        return;
    }
    audit_call(w, call, name);
    if (!strcmp(name, "mount") && !(call->args[3] & (MS_BIND | MS_MOVE))) paths[0] = NULL; /* a name, not a path */
    if (!strcmp(name, "symlinkat")) paths[1] = NULL;                                       /* the text of the link */
    audit_path(w, call, inits, paths[0], call->dirfd);
    audit_path(w, call, inits, paths[1], call->dirfd2);
}

/* ---- T02: swaps ---- */

/* Mounts over the place, or takes off what is mounted there, in init's own mount namespace: as one that shares it. */
static bool change_mount(const struct watch *w, const char *path, enum form form) {
    int place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), space = open(print("/proc/%d/ns/mnt", (int)w->pid), O_RDONLY | O_CLOEXEC), status = 1;
    pid_t child = place < 0 || space < 0 ? -1 : fork();
    if (child == 0) {
        if (setns(space, CLONE_NEWNS)) _exit(1);
        int folder = !fchdir(place);
        if (form == UNCOVERED) _exit(!folder || umount2(".", MNT_DETACH) ? 1 : 0);
        if (folder) _exit(mount("cover", ".", "tmpfs", 0, NULL) ? 1 : 0);
        long own = syscall(NR_OPEN_TREE, place, "", 0x1001 /* clone, empty path */);
        _exit(own < 0 || syscall(NR_MOVE_MOUNT, own, "", place, "", 0x44) ? 1 : 0);
    }
    if (child > 0) waitpid(child, &status, 0);
    if (place >= 0) close(place);
    if (space >= 0) close(space);
    return status == 0;
}

/* The folder of a place, as the container sees it; never through what has been swapped before. */
static int folder_of(const struct watch *w, const char *place) {
    const uint64_t how[3] = {O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 0x14 /* in the root, no links */};
    int root = open(print("/proc/%d/fd/%d", (int)w->pid, w->root_fd), O_PATH | O_CLOEXEC);
    if (root < 0) root = open(w->s->b.rootfs, O_PATH | O_CLOEXEC);
    int folder = (int)syscall(NR_OPENAT2, root, print("%.*s", (int)(strrchr(place, '/') - place + 1), place), how, sizeof how);
    close(root);
    return folder;
}

/* As one who may write where the place is: what was there lives on under another name. */
static bool swap_place(const struct watch *w, const char *place, enum form form, unsigned number) {
    struct stat info;
    int folder = folder_of(w, place);
    bool swapped = false;
    if (folder < 0) return false;
    char *path = print("/proc/self/fd/%d%s", folder, strrchr(place, '/')), *aside = print("%s.aside", path);
    bool there = !lstat(path, &info);
    if (form == COVERED || form == UNCOVERED) swapped = change_mount(w, path, form);
    else if (form == DELETED && there) swapped = S_ISDIR(info.st_mode) ? !rmdir(path) || !rename(path, aside) : !unlink(path);
    else if (!there || !rename(path, aside)) swapped = put(w->s, path, form, number);
    close(folder);
    return swapped;
}

static const char *swap_text(const struct watch *w) {
    const struct swap *swap = w->swap;
    if (!swap) return shape_text(w->s->shape);
    if (swap->root) return print("before %s#%u the root becomes %s", call_name(swap->nr), swap->nth, form_names[swap->form]);
    const char *places = swap->step < w->s->n_places ? print(" and every %zuth place", swap->step) : "";
    return print("before %s#%u %s%s becomes %s (%s)", call_name(swap->nr), swap->nth, w->s->places[swap->first], places, form_names[swap->form], shape_text(w->s->shape));
}

static void swap_now(struct watch *w) {
    const char *root = w->s->b.rootfs;
    if (w->swap->root) {
        w->swapped = !rename(root, print("%s.aside", root)) && put(w->s, root, w->swap->form, 0);
        return;
    }
    for (size_t i = w->swap->first; i < w->s->n_places; i += w->swap->step) w->swapped |= swap_place(w, w->s->places[i], w->swap->form, (unsigned)i);
}

static struct drive_action look(void *user, struct call *call) {
    struct watch *w = user;
    struct drive_action go = {DRIVE_GO, 0};
    bool filtered = (call->nr == NR_OPENAT2 && w->s->shape & WITHOUT_OPENAT2) || (call->nr == NR_MOUNT_SETATTR && w->s->shape & WITHOUT_SETATTR);
    look_for_pin(w, call);
    if (!w->pinned) return filtered ? (struct drive_action){DRIVE_FAIL, ENOSYS} : go;
    bool inits = call->role == w->init;
    if (inits) w->last = call->n;
    if (inits && w->swap && call->nr == w->swap->nr && call->nth == w->swap->nth) swap_now(w);
    if (inits && !w->pivoted && (call->nr == call_number("pivot_root") || call->nr == call_number("chroot")))
        expect_mounts_inside(w, swap_text(w));
    if (inits && call->nr == call_number("execve") && !(w->swap && w->swap->form == UNCOVERED))
        expect_covers(file_read(print("/proc/%d/mountinfo", (int)w->pid), NULL), swap_text(w));
    if (w->audits) audit(w, call);
    if (inits && call->nr == call_number("signalfd4")) w->waits = true;
    if (inits && w->waits && (call->nr == call_number("poll") || call->nr == call_number("ppoll"))) return (struct drive_action){DRIVE_LEAVE, 0};
    return filtered ? (struct drive_action){DRIVE_FAIL, ENOSYS} : go;
}

static void watch_scene(struct scene *s, struct watch *w, struct drive *drive) {
    w->s = s;
    *drive = (struct drive){.decide = look, .after = look_after, .user = w, .seconds = 15};
    drive_ocirt(s->t, drive, s->shape & CREATES ? "create" : "run", "-b", s->b.path, s->t->tag);
}

static void one_swap(struct scene *s, const struct swap *swap, const char *place, unsigned *done) {
    struct watch w = {.s = s, .swap = swap};
    struct drive drive;
    const char *where = swap_text(&w);
    image_make(s);
    watch_scene(s, &w, &drive);
    struct outcome *out = &drive.outcome;
    EXPECT(!drive.timed_out, "%s: no end", where);
    if (out->code == 0 && s->shape & CREATES) finish_created(s, out, where);
    if (out->code == 0 && strstr(out->out, "end=")) judge_report(s, out, where);
    else if (out->code) judge_error(s, out, place, where);
    done[0]++, done[1] += w.swapped, done[2] += out->code != 0;
    drive_free(&drive);
    expect_world(s, where);
}

/* Has the path of the call a component of this name? */
static bool mentions(const struct call *call, const char *place) {
    const char *leaf = strrchr(place, '/') + 1;
    size_t n = strlen(leaf);
    for (const char *at = call->path; at && *at; at += strcspn(at, "/"), at += *at == '/')
        if (strcspn(at, "/") == n && !memcmp(at, leaf, n)) return true;
    return false;
}

/* A call that makes the place: in front of it stands the one window in which nothing was there when it was looked at. */
static bool makes(const struct call *call, const char *place, enum form form) {
    const char *name = call_name(call->nr);
    if (!call->path || strcmp(call->path, strrchr(place, '/') + 1)) return false;
    return form == LINK_FILE ? !strcmp(name, "openat") && call->args[2] & O_CREAT : form == LINK_FOLDER && has_word("mkdirat,mknodat,symlinkat", name);
}

/* The calls in which a place matters: from the first that names it to a few behind the last. */
static void swap_around(struct scene *s, const struct watch *w, const struct drive *trace, size_t p, size_t share, unsigned *done) {
    size_t first = trace->n_calls, last = 0, k = p;
    for (size_t i = w->first; i < w->last; i++) {
        if (trace->calls[i].role != w->init || !mentions(&trace->calls[i], s->places[p])) continue;
        if (first > i) first = i;
        last = i;
    }
    for (size_t i = first; i < w->last && i <= last + 6; i++, k++) {
        if (trace->calls[i].role != w->init) continue;
        for (unsigned form = 0; form < SWAPS; form++) {
            struct swap swap = {.nr = trace->calls[i].nr, .nth = trace->calls[i].nth, .first = p, .step = s->n_places, .form = (enum form)form};
            bool sampled = k % share == 0 && form == k / share % SWAPS;
            if (sweeps_full() || sampled || makes(&trace->calls[i], s->places[p], (enum form)form)) one_swap(s, &swap, s->places[p], done);
        }
    }
}

/* Before every call a part of all places, and each place around the calls that are about it. */
static void sweep_swaps(struct t *t, unsigned shape, size_t share) {
    enum { PARTS = 5 };
    struct scene s;
    struct watch w = {.audits = false};
    struct drive trace;
    unsigned done[3] = {0};
    share *= thinner();
    scene_make(t, &s);
    shape_make(&s, shape);
    image_make(&s);
    watch_scene(&s, &w, &trace);
    CHECK(trace.outcome.code == 0 && w.pinned, "%s: %d %s", shape_text(shape), trace.outcome.code, trace.outcome.err);
    if (shape & CREATES) finish_created(&s, &trace.outcome, "undisturbed");
    CHECK_OK(w.last > w.first + 100);
    close(trace.outcome.out_fd), close(trace.outcome.err_fd);
    trace.outcome.out_fd = trace.outcome.err_fd = 0;
    size_t k = 0;
    for (size_t i = w.first; i < w.last; i++) {
        if (trace.calls[i].role != w.init) continue;
        for (size_t part = 0; part < PARTS * SWAPS; part++) {
            struct swap swap = {.nr = trace.calls[i].nr, .nth = trace.calls[i].nth, .first = part % PARTS, .step = PARTS, .form = (enum form)(part / PARTS)};
            if (sweeps_full() || (k % share == 0 && part == k / share * 23 % (PARTS * SWAPS))) one_swap(&s, &swap, NULL, done);
        }
        k++;
    }
    for (size_t p = 0; p < s.n_places; p++) swap_around(&s, &w, &trace, p, share * 2, done);
    printf("# %u containers, %u met a swap, %u failed; %zu calls, %zu places\n", done[0], done[1], done[2], k, s.n_places);
    CHECK(done[1] * 3 > done[0], "only %u of %u were swapped", done[1], done[0]);
    scene_end(&s);
}

static void swaps_run(struct t *t) { sweep_swaps(t, READ_ONLY, 11); }
static void swaps_run_walk(struct t *t) { sweep_swaps(t, DEV_MOUNTED | WITHOUT_OPENAT2, 17); }
static void swaps_create(struct t *t) { sweep_swaps(t, CREATES | DEV_COPIED | USERNS | READ_ONLY, 29); }

/* Once it is pinned, what bears the root's name means nothing: every container is as if nothing had been. */
static void swaps_root(struct t *t) {
    struct scene s;
    struct watch w = {.audits = false};
    struct drive trace;
    unsigned done = 0;
    scene_make(t, &s);
    shape_make(&s, 0);
    image_make(&s);
    watch_scene(&s, &w, &trace);
    const char *aside = print("%s.aside", s.b.rootfs);
    for (size_t i = w.first; i < w.last; i += sweeps_full() ? 1 : 17 * thinner(), done++) {
        if (trace.calls[i].role != w.init) continue;
        struct swap swap = {.nr = trace.calls[i].nr, .nth = trace.calls[i].nth, .form = done % 2 ? LINK_FOLDER : PLAIN_FILE, .root = true};
        struct watch again = {.s = &s, .swap = &swap};
        struct drive drive;
        image_make(&s);
        watch_scene(&s, &again, &drive);
        EXPECT(again.swapped, "%s: not swapped", swap_text(&again));
        EXPECT(drive.outcome.code == 0, "%s: %d %s", swap_text(&again), drive.outcome.code, drive.outcome.err);
        if (drive.outcome.code == 0) judge_report(&s, &drive.outcome, swap_text(&again));
        drive_free(&drive);
        CHECK_OK(!unlink(s.b.rootfs) && !rename(aside, s.b.rootfs));
    }
    drive_free(&trace);
    expect_world(&s, "the root under another name");
    scene_end(&s);
}

/* ---- T01: the audit of shapes ---- */

/* Does a call of init end in the target's last component? */
static bool is_resolved(const struct watch *w, const struct drive *drive, const char *target) {
    const char *leaf = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
    for (size_t i = w->first; i < drive->n_calls; i++) {
        const char *path = drive->calls[i].role == w->init ? drive->calls[i].path : NULL;
        size_t n = path ? strlen(path) : 0, m = strlen(leaf);
        if (n >= m && !strcmp(path + n - m, leaf)) return true;
    }
    return false;
}

static void audit_shape(struct scene *s, unsigned shape, unsigned *used) {
    struct watch w = {.audits = true};
    struct drive drive;
    const char *where = shape_text(shape);
    shape_make(s, shape);
    image_make(s);
    watch_scene(s, &w, &drive);
    CHECK(drive.outcome.code == 0 && w.pinned, "%s: %d %s", where, drive.outcome.code, drive.outcome.err);
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct row *row = &s->rows[i];
        if (row->target && !row->alternate && !strcmp(row->actor, "init") && strcmp(row->verb, "find-program"))
            EXPECT(is_resolved(&w, &drive, row->target), "%s: no call of init is about %s", where, row->text);
    }
    EXPECT(shape & WITHOUT_OPENAT2 || w.used[RULE_OPENAT2] > 10, "%s: only %u times openat2", where, w.used[RULE_OPENAT2]);
    EXPECT(w.used[RULE_ONE] > 20, "%s: only %u single components", where, w.used[RULE_ONE]);
    for (size_t i = 0; i < RULES; i++) used[i] += w.used[i];
    if (shape & CREATES) finish_created(s, &drive.outcome, where);
    judge_report(s, &drive.outcome, where);
    drive_free(&drive);
    expect_world(s, where);
}

static void audits(struct t *t) {
    struct scene s;
    unsigned used[RULES] = {0};
    scene_make(t, &s);
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        if (shape & DEV_MOUNTED && shape & DEV_COPIED) continue;
        if (sweeps_full() || shape % 5 == 0) audit_shape(&s, shape, used);
    }
    for (size_t i = 0; i < RULES; i++) printf("# %6u paths: %s\n", used[i], rules[i].why);
    scene_end(&s);
}

const struct test attack_tests[] = {
    {"attack.audit", audits, TEST_ROOT, 600},
    {"attack.swaps_run", swaps_run, TEST_ROOT, 3600},
    {"attack.swaps_run_walk", swaps_run_walk, TEST_ROOT, 3600},
    {"attack.swaps_create", swaps_create, TEST_ROOT, 3600},
    {"attack.swaps_root", swaps_root, TEST_ROOT, 60},
    {"attack.lattice", lattice, 0, 600},
    {"attack.root_no_folder", root_no_folder, 0, 0},
    {"attack.links_inside", links_inside, 0, 0},
    {0},
};
