/* snap.c: SNAP, see test.h. Everything is a line; what is not worth a line is left out. */
#include "test.h"
#include <dirent.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>

#ifndef SYS_bpf
#define SYS_bpf 280 /* arm64 */
#endif

extern char **environ;

struct snap {
    unsigned flags;
    struct text text; /* lines, each ended by a zero byte */
    const char **lines;
    size_t n, room;
};

/* A line may hold names with any byte in them. */
static void add(struct text *text, const char *format, ...) TEST_PRINTF(2, 3);
static void add(struct text *text, const char *format, ...) {
    char line[8192];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    text_add_escaped(text, line, size);
    text_add_bytes(text, "", 1);
}

static void each_entry(const char *path,
                       void (*call)(const char *path, const char *name, void *user), void *user) {
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            call(path, entry->d_name, user);
    if (dir) closedir(dir);
}

static void each_line(const char *path, void (*call)(char *line, void *user), void *user) {
    char *text = file_read(path, NULL), *rest = text;
    for (char *line; rest && (line = strsep(&rest, "\n"));)
        if (*line) call(line, user);
    free(text);
}

/* ---- processes ---- */

struct process {
    int pid, parent;
    char state, comm[40];
    unsigned long long start;
    bool ours;
};
struct processes {
    struct process *at;
    size_t n, room;
};

static bool read_process(const char *name, struct process *process) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/stat", name);
    char *text = file_read(path, NULL);
    char *end = text ? strrchr(text, ')') : NULL;
    *process = (struct process){0};
    bool good =
        end && sscanf(text, "%d (%39[^)]", &process->pid, process->comm) >= 1 &&
        sscanf(end + 1,
               " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &process->state, &process->parent, &process->start) == 3;
    free(text);
    return good;
}

static void note_process(const char *path, const char *name, void *user) {
    struct processes *list = user;
    struct process process;
    (void)path;
    if (name[0] < '0' || name[0] > '9' || !read_process(name, &process)) return;
    if (list->n == list->room) {
        list->room = list->room * 2 + 64;
        list->at = realloc(list->at, list->room * sizeof *list->at);
        if (!list->at) abort();
    }
    list->at[list->n++] = process;
}

static bool in_tagged_cgroup(int pid, const char *tag) {
    char *text = file_read(print("/proc/%d/cgroup", pid), NULL);
    bool found = text && strstr(text, tag);
    free(text);
    return found;
}

/* Descendants of this process; until nothing changes, since the order of /proc means nothing. */
static void mark_descendants(struct processes *list) {
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < list->n; i++)
            for (size_t j = 0; !list->at[i].ours && j < list->n; j++)
                if (list->at[i].parent == getpid() ||
                    (list->at[j].ours && list->at[j].pid == list->at[i].parent))
                    list->at[i].ours = more = true;
    }
}

static const char *const namespace_names[] = {
    "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children",
    "user",   "uts"};

static void add_namespaces(struct text *text, const char *who, const char *process) {
    for (size_t i = 0; i < sizeof namespace_names / sizeof *namespace_names; i++) {
        struct stat info;
        char path[64];
        snprintf(path, sizeof path, "/proc/%s/ns/%s", process, namespace_names[i]);
        if (!stat(path, &info))
            add(text, "%s %s:%llu", who, namespace_names[i], (unsigned long long)info.st_ino);
    }
}

static void add_processes(struct text *text, const struct t *t) {
    struct processes list = {0};
    each_entry("/proc", note_process, &list);
    mark_descendants(&list);
    for (size_t i = 0; i < list.n; i++) {
        const struct process *process = &list.at[i];
        if (process->pid == getpid() || (!process->ours && !in_tagged_cgroup(process->pid, t->tag)))
            continue;
        add(text, "process %d (%s) started %llu, parent %d%s", process->pid, process->comm,
            process->start, process->parent, process->state == 'Z' ? ", zombie" : "");
        char name[16];
        snprintf(name, sizeof name, "%d", process->pid);
        add_namespaces(text, "namespace", name);
    }
    free(list.at);
}

/* ---- descriptors, mounts, interfaces ---- */

static void add_fd(const char *folder, const char *name, void *user) {
    char path[320], target[4096], ours[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(ours, sizeof ours, "/proc/%d/fd", getpid());
    ssize_t n = readlink(path, target, sizeof target - 1);
    target[n > 0 ? n : 0] = 0;
    if (!strcmp(target, ours)) return; /* what lists them is one of them */
    int fd = (int)strtol(name, NULL, 10), own = fcntl(fd, F_GETFD);
    add(user, "fd %d -> %s flags %#o%s", fd, target, (unsigned)fcntl(fd, F_GETFL),
        own & FD_CLOEXEC ? " cloexec" : "");
}

static void add_mount(char *line, void *user) { add(user, "mount %s", line); }

static void add_host_mount(char *line, void *user) { add(user, "host mount %s", line); }

static void add_interface(char *line, void *user) {
    char *colon = strchr(line, ':');
    if (!colon) return;
    *colon = 0;
    add(user, "interface %s", line + strspn(line, " "));
}

static void add_ipc(char *line, void *user) {
    long long key, id;
    if (sscanf(line, "%lld %lld", &key, &id) == 2)
        add(user, "sysv object key %lld id %lld", key, id);
}

/* ---- folders ---- */

struct walk {
    struct text *text;
    const char *what, *tag; /* tag: only names with it, NULL: all */
    bool deep, into_rootfs;
};

static void add_entry(const char *path, const char *name, void *user) {
    struct walk *walk = user;
    struct stat info;
    char below[4096];
    if (walk->tag && !strstr(name, walk->tag)) return;
    snprintf(below, sizeof below, "%s/%s", path, name);
    if (lstat(below, &info)) return;
    bool folder = S_ISDIR(info.st_mode);
    add(walk->text, "%s %s mode %o owner %u:%u device %u:%u size %lld", walk->what, below,
        info.st_mode, info.st_uid, info.st_gid, major(info.st_rdev), minor(info.st_rdev),
        folder ? 0ll : (long long)info.st_size);
    if (folder && walk->deep && (walk->into_rootfs || strcmp(name, "rootfs")))
        each_entry(below, add_entry, walk);
}

static void add_folders(struct text *text, struct t *t, unsigned flags) {
    const char *tag = t->alone ? NULL : t->tag;
    struct walk own = {
        .text = text, .what = "file", .deep = true, .into_rootfs = flags & SNAP_ROOTFS};
    struct walk top = {.text = text, .what = "file", .tag = tag};
    each_entry(t->dir, add_entry, &own);
    each_entry("/tmp", add_entry, &top);
    each_entry("/run", add_entry, &top);
    each_entry("/dev/shm", add_entry, &top);
    each_entry("/dev/mqueue", add_entry, &top);
}

/* ---- cgroups ---- */

static void add_cgroup_file(struct text *text, const char *path, const char *file) {
    char *value = file_read(print("%s/%s", path, file), NULL);
    if (value) add(text, "cgroup %s %s %s", path, file, value);
    free(value);
}

static void add_cgroup(const char *path, const char *name, void *user) {
    static const char *const files[] = {"cgroup.freeze", "cgroup.procs", "cgroup.subtree_control",
                                        "cgroup.type",   "cpu.max",      "cpu.weight",
                                        "cpuset.cpus",   "io.max",       "memory.high",
                                        "memory.low",    "memory.max",   "memory.swap.max",
                                        "pids.max"};
    struct walk *walk = user;
    struct stat info;
    char below[4096];
    snprintf(below, sizeof below, "%s/%s", path, name);
    if (lstat(below, &info) || !S_ISDIR(info.st_mode)) return;
    if (!walk->tag || strstr(below, walk->tag)) {
        add(walk->text, "cgroup %s owner %u:%u", below, info.st_uid, info.st_gid);
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
            add_cgroup_file(walk->text, below, files[i]);
    }
    each_entry(below, add_cgroup, walk);
}

/* ---- BPF programs and keys: of the whole machine, so only when we are alone ---- */

static void add_bpf(struct text *text) {
    struct {
        uint32_t start, next, flags;
    } attr = {0, 0, 0};
    while (!syscall(SYS_bpf, 11, &attr, sizeof attr)) { /* BPF_PROG_GET_NEXT_ID */
        add(text, "bpf program %u", attr.next);
        attr.start = attr.next;
    }
}

static void add_key(char *line, void *user) {
    char id[16], type[32], description[200] = "";
    if (sscanf(line, "%15s %*s %*s %*s %*s %*s %*s %31s %199[^\n]", id, type, description) >= 2)
        add(user, "key %s %s %s", id, type, description);
}

/* ---- this process ---- */

static void add_signals(struct text *text) {
    uint64_t blocked = 0;
    uintptr_t stack[3] = {0, 0, 0};
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof blocked);
    add(text, "self blocked signals %016llx", (unsigned long long)blocked);
    for (int i = 1; i <= 64; i++) {
        uintptr_t action[4] = {0, 0, 0,
                               0}; /* handler, flags, and two more that differ by machine */
        if (syscall(SYS_rt_sigaction, i, NULL, action, (size_t)8)) continue;
        bool unwaited = i == SIGCHLD && action[1] & (SA_NOCLDWAIT | SA_NOCLDSTOP);
        if (action[0] || unwaited) /* the default with other flags is the default */
            add(text, "self signal %d handler %#lx flags %#lx %#lx %#lx", i,
                (unsigned long)action[0], (unsigned long)action[1], (unsigned long)action[2],
                (unsigned long)action[3]);
    }
    if (!syscall(SYS_sigaltstack, NULL, stack))
        add(text, "self signal stack %#lx", (unsigned long)stack[0]);
}

static void add_limits(struct text *text) {
    for (unsigned i = 0; i < 16; i++) {
        uint64_t limit[2];
        if (!syscall(SYS_prlimit64, 0, i, NULL, limit))
            add(text, "self limit %u: %llx %llx", i, (unsigned long long)limit[0],
                (unsigned long long)limit[1]);
    }
    for (int i = 0; i < 3; i++) {
        struct itimerval timer;
        int which = i;
        if (!syscall(SYS_getitimer, which, &timer))
            add(text, "self timer %d: %s", i,
                timer.it_value.tv_sec || timer.it_value.tv_usec ? "armed" : "off");
    }
}

static unsigned long long environ_hash(void) {
    unsigned long long hash = 1469598103934665603ull;
    for (char **env = environ; env && *env; env++)
        for (const char *at = *env;; at++) {
            hash = (hash ^ (unsigned char)*at) * 1099511628211ull;
            if (!*at) break;
        }
    return hash;
}

static void add_prctl(struct text *text, const char *name, int value) {
    add(text, "self %s %d", name, value);
}

static void add_prctls(struct text *text) {
    int value = 0;
    char name[17] = "";
    add_prctl(text, "dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    add_prctl(text, "no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    add_prctl(text, "seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    add_prctl(text, "securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
    add_prctl(text, "timerslack", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
    add_prctl(text, "keepcaps", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
    add_prctl(text, "thp_disable", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    prctl(PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0);
    add_prctl(text, "subreaper", value);
    prctl(PR_GET_PDEATHSIG, &value, 0, 0, 0);
    add_prctl(text, "death signal", value);
    prctl(PR_GET_NAME, name, 0, 0, 0);
    add(text, "self name %s", name);
    add(text, "self personality %#x", (unsigned)personality(0xffffffff));
    add(text, "self session keyring %ld", syscall(SYS_keyctl, 0, -3, 0));
}

static void add_status(char *line, void *user) {
    static const char *const names[] = {
        "Uid:", "Gid:", "Groups:", "Threads:", "Cap", "Cpus_allowed_list:", "Umask:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(line, names[i], strlen(names[i]))) add(user, "self %s", line);
}

static void add_self(struct text *text) {
    char cwd[4096];
    struct stat info;
    const char *locale = setlocale(LC_ALL, NULL);
    add(text, "self cwd %s", getcwd(cwd, sizeof cwd) ? cwd : errno_name(errno));
    if (!stat(".", &info)) add(text, "self cwd is %llu", (unsigned long long)info.st_ino);
    if (!stat("/", &info)) add(text, "self root is %llu", (unsigned long long)info.st_ino);
    add(text, "self environ at %p, hash %llx", (void *)environ, environ_hash());
    add(text, "self session %d group %d parent %d", (int)getsid(0), (int)getpgrp(), (int)getppid());
    add(text, "self nice %d, scheduler %ld", getpriority(PRIO_PROCESS, 0),
        syscall(SYS_sched_getscheduler, 0));
    add(text, "self locale %s", locale ? locale : "?");
    char *cgroup = cgroup_own(), *score = file_read("/proc/self/oom_score_adj", NULL);
    add(text, "self cgroup %s", cgroup ? cgroup : "?");
    add(text, "self oom_score_adj %s", score ? score : "?");
    free(score);
    each_line("/proc/self/status", add_status, text);
    add_namespaces(text, "self namespace", "self");
    add_prctls(text);
    add_signals(text);
    add_limits(text);
}

/* ---- the whole ---- */

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_lines(struct snap *snap) {
    for (size_t i = 0; i < snap->text.n; i += strlen(snap->text.at + i) + 1) snap->n++;
    snap->lines = remember(calloc(snap->n + 1, sizeof *snap->lines));
    if (!snap->lines) abort();
    size_t n = 0;
    for (size_t i = 0; i < snap->text.n; i += strlen(snap->text.at + i) + 1)
        snap->lines[n++] = snap->text.at + i;
    qsort(snap->lines, n, sizeof *snap->lines, compare_lines);
}

struct snap *snap_take(struct t *t, unsigned flags) {
    struct snap *snap = remember(calloc(1, sizeof *snap));
    if (!snap) abort();
    struct text *text = &snap->text;
    struct walk cgroups = {.text = text, .tag = t->alone ? NULL : t->tag};
    snap->flags = flags;
    each_entry("/proc/self/fd", add_fd, text);
    add_self(text);
    add_processes(text, t);
    each_line("/proc/self/mountinfo", add_mount, text);
    if (flags & SNAP_HOST) each_line("/proc/1/mountinfo", add_host_mount, text);
    each_line("/proc/self/net/dev", add_interface, text);
    each_line("/proc/sysvipc/shm", add_ipc, text);
    each_line("/proc/sysvipc/sem", add_ipc, text);
    each_line("/proc/sysvipc/msg", add_ipc, text);
    add_folders(text, t, flags);
    if (cgroup_mount()) each_entry(cgroup_mount(), add_cgroup, &cgroups);
    if (t->alone) add_bpf(text);
    if (t->alone) each_line("/proc/keys", add_key, text);
    sort_lines(snap);
    return snap;
}

/* The kernel collects keys and programs when it likes: those of an earlier test may yet vanish. */
static bool may_vanish(const char *line) {
    return !strncmp(line, "key ", 4) || !strncmp(line, "bpf ", 4);
}

/* Both are sorted; a namespace that two processes share is two equal lines, and counts once. */
bool snap_diff(const struct snap *before, const struct snap *after, struct text *out) {
    size_t i = 0, j = 0;
    bool equal = true;
    while (i < before->n || j < after->n) {
        int order = i == before->n  ? 1
                    : j == after->n ? -1
                                    : strcmp(before->lines[i], after->lines[j]);
        const char *line = order <= 0 ? before->lines[i] : after->lines[j];
        if (order < 0 && may_vanish(line)) order = 0;
        if (order) equal = false;
        if (order) text_add(out, "%s %s\n", order < 0 ? "-" : "+", line);
        while (i < before->n && !strcmp(before->lines[i], line)) i++;
        while (j < after->n && !strcmp(after->lines[j], line)) j++;
    }
    text_add(out, "%s", "");
    return equal;
}

bool snap_same(struct t *t, const struct snap *before, struct text *out) {
    double end = now() + time_scale();
    for (;;) {
        struct snap *after = snap_take(t, before->flags);
        out->n = 0;
        bool equal = snap_diff(before, after, out);
        snap_free(after);
        if (equal || now() > end) return equal;
        nap(0.01);
    }
}

void snap_free(struct snap *snap) {
    if (!snap) return;
    text_free(&snap->text);
    free(snap->lines);
    free(snap);
}
