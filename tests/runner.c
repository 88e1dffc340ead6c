/* runner.c: runs each test below a keeper.
 *
 *   runner ── keeper (subreaper, own mount namespace) ── test (subreaper) ── what the test makes
 *
 * The keeper outlives the test whatever happens to it, so nothing that the test made can escape:
 * it is found, reported, and cleared away. Failures travel in a page shared by all of them, which
 * needs no descriptor and survives every kind of death.
 */
#include "test.h"
#include <dirent.h>
#include <fnmatch.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* ---- the shared page ---- */

enum { NOTE_ROOM = 60000 };
struct notes { /* of one test; written by it, its children, and its keeper */
    unsigned used, failures, skipped;
    char key[32];
    char text[NOTE_ROOM];
};
static struct notes *the_notes; /* of the test that this process belongs to */

/* Reserves its place first, so that writers in several processes do not mix. */
static void note(const char *format, ...) TEST_PRINTF(1, 2);
static void note(const char *format, ...) {
    char line[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (n < 0) return;
    size_t size = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    line[size++] = '\n';
    if (!the_notes) {
        fwrite(line, 1, size, stderr);
        return;
    }
    unsigned at = __atomic_fetch_add(&the_notes->used, (unsigned)size, __ATOMIC_RELAXED);
    if (at + size < NOTE_ROOM) memcpy(the_notes->text + at, line, size);
}

static void count_failure(void) {
    if (the_notes) __atomic_fetch_add(&the_notes->failures, 1, __ATOMIC_RELAXED);
}

/* ---- checks ---- */

static void fail_list(const char *file, int line, const char *what, const char *format,
                      va_list args) {
    char text[3000];
    const char *slash = strrchr(file, '/');
    vsnprintf(text, sizeof text, format, args);
    note("%s:%d: %s%s%s", slash ? slash + 1 : file, line, what, *text ? ": " : "", text);
    count_failure();
}

void test_failed(const char *file, int line, const char *what, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_list(file, line, what, format, args);
    va_end(args);
}

void test_fatal(const char *file, int line, const char *what, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_list(file, line, what, format, args);
    va_end(args);
    fflush(NULL);
    _exit(1);
}

void test_skip(const char *key, const char *format, ...) {
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    note("%s", text);
    if (the_notes) {
        snprintf(the_notes->key, sizeof the_notes->key, "%s", key);
        the_notes->skipped = 1;
    }
    fflush(NULL);
    _exit(0);
}

void test_check_int(const char *file, int line, const char *what, long long got, long long want) {
    if (got != want) test_fatal(file, line, what, "is %lld, expected %lld", got, want);
}

void test_check_text(const char *file, int line, const char *what, const char *got,
                     const char *want) {
    if (got == want || (got && want && !strcmp(got, want))) return;
    test_fatal(file, line, what, "is \"%s\", expected \"%s\"", got ? got : "(null)",
               want ? want : "(null)");
}

void test_check_has(const char *file, int line, const char *what, const char *got,
                    const char *part) {
    if (got && strstr(got, part)) return;
    test_fatal(file, line, what, "\"%s\" does not contain \"%s\"", got ? got : "(null)", part);
}

/* ---- what a test needs ---- */

void need_root(void) {
    if (geteuid()) SKIP("root", "needs root");
}

void need_ocirt(void) {
    if (!have_ocirt) SKIP("ocirt", "ocirt.c is not compiled in");
}

void need_kernel(int major, int minor) {
    struct utsname name;
    int have[2] = {0, 0};
    uname(&name);
    sscanf(name.release, "%d.%d", &have[0], &have[1]);
    if (have[0] < major || (have[0] == major && have[1] < minor))
        SKIP("kernel", "needs Linux %d.%d, this is %s", major, minor, name.release);
}

void need_userns(void) {
    pid_t child = fork();
    if (child == 0) _exit(unshare(CLONE_NEWUSER) ? errno : 0);
    int status = 0;
    waitpid(child, &status, 0);
    int error = WEXITSTATUS(status);
    if (error) SKIP("userns", "no user namespaces here: %s", strerror(error));
}

void need_controller(const char *name) {
    const char *mount = cgroup_mount();
    if (!mount) SKIP("cgroup", "no cgroup2 mount");
    char *own = geteuid() ? print("%s%s/..", mount, cgroup_own()) : print("%s", mount);
    char *list = file_read(print("%s/cgroup.controllers", own), NULL);
    for (char *at = list; at && *at; at++)
        if (*at == ' ' || *at == '\n') *at = ',';
    if (!word_in_list(name, list)) SKIP("controller", "cgroup2 has no %s controller here", name);
}

/* ---- the keeper: what is left behind ---- */

/* Calls back for each process whose parent is `parent`. */
static void each_child(pid_t parent,
                       void (*call)(pid_t pid, char state, const char *comm, void *user),
                       void *user) {
    DIR *dir = opendir("/proc");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[300], comm[64] = "", state = 0;
        int pid = 0, of = 0;
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        char *text = file_read(path, NULL);
        char *end = text ? strrchr(text, ')') : NULL;
        if (end && sscanf(text, "%d (%63[^)]", &pid, comm) >= 1 &&
            sscanf(end + 1, " %c %d", &state, &of) == 2 && of == parent)
            call(pid, state, comm, user);
        free(text);
    }
    if (dir) closedir(dir);
}

struct kill_state {
    unsigned alive;
    bool report;
};

static void kill_one(pid_t pid, char state, const char *comm, void *user) {
    struct kill_state *kills = user;
    if (state == 'Z' || state == 'X') return;
    kills->alive++;
    if (kills->report) {
        char *command = file_read(print("/proc/%d/cmdline", pid), NULL);
        note("left process %d (%s) %s, state %c", pid, comm, command ? command : "", state);
    }
    kill(pid, SIGKILL);
}

static unsigned kill_children(bool report) {
    struct kill_state kills = {.report = report};
    each_child(getpid(), kill_one, &kills);
    return kills.alive;
}

static bool has_children(void) {
    while (waitpid(-1, NULL, WNOHANG | __WALL) > 0) {
    }
    return !(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD);
}

/* Children of killed children come to us, the subreaper, so this ends when nothing is left. After
 * a pass there is some grace for what is about to end. */
static unsigned clear_processes(bool report) {
    for (int i = 0; report && i < 25 && has_children(); i++) nap(0.02);
    unsigned found = has_children() ? kill_children(report) : 0;
    double end = now() + 10;
    while (has_children() && now() < end) {
        kill_children(false);
        nap(0.005);
    }
    if (now() >= end) note("a process that was left behind does not die");
    return found;
}

static void unescape_octal(char *text) {
    char *to = text;
    for (char *from = text; *from; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3') {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else
            *to = *from++;
    }
    *to = 0;
}

/* Looks for lines of `after` that are not in `before`; the newest mount is undone first. */
static unsigned clear_mounts(const char *before, bool report) {
    unsigned found = 0;
    for (int round = 0; round < 200; round++) {
        char *after = file_read("/proc/self/mountinfo", NULL);
        char *newest = NULL;
        for (char *line = after ? strtok(after, "\n") : NULL; line; line = strtok(NULL, "\n"))
            if (!strstr(before, line)) newest = line;
        if (!newest) return found;
        if (report) note("left mount %s", newest);
        char target[4096];
        if (sscanf(newest, "%*d %*d %*s %*s %4095s", target) != 1) return found + 1;
        unescape_octal(target);
        found++;
        if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW)) {
            note("cannot unmount %s: %s", target, strerror(errno));
            return found;
        }
    }
    return found;
}

static void remove_cgroup_tree(const char *path) {
    file_put(print("%s/cgroup.freeze", path), "0");
    file_put(print("%s/cgroup.kill", path), "1");
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            remove_cgroup_tree(print("%s/%s", path, entry->d_name));
    if (dir) closedir(dir);
    for (int i = 0; i < 50 && rmdir(path) && errno == EBUSY; i++) nap(0.01);
}

static unsigned clear_cgroups(const char *path, const char *tag, bool report) {
    unsigned found = 0;
    DIR *dir = path ? opendir(path) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        char *below = print("%s/%s", path, entry->d_name);
        if (!strstr(entry->d_name, tag))
            found += clear_cgroups(below, tag, report);
        else {
            if (report) note("left cgroup %s", below);
            remove_cgroup_tree(below);
            found++;
        }
    }
    if (dir) closedir(dir);
    return found;
}

/* ---- the keeper: one test ---- */

static volatile sig_atomic_t told_to_stop;

static void on_stop(int number) {
    (void)number;
    told_to_stop = 1;
}

/* True when the child ended in time; then it has been reaped. */
bool wait_until(pid_t pid, double seconds, int *status) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    double end = now() + seconds;
    for (;;) {
        pid_t done = waitpid(pid, status, WNOHANG);
        if (done == pid || (done < 0 && errno == ECHILD)) break;
        double left = end - now();
        if (left <= 0 || told_to_stop) {
            if (fd >= 0) close(fd);
            return false;
        }
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int most = fd < 0 ? 5 : left > 1 ? 1000 : (int)(left * 1000) + 1;
        poll(&wait, fd >= 0, most);
    }
    if (fd >= 0) close(fd);
    return true;
}

void reap_all(void) {
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

static unsigned test_seconds(const struct test *test, const struct run_options *options) {
    unsigned seconds = options->seconds ? options->seconds : test->seconds ? test->seconds : 20;
    return (unsigned)(seconds * time_scale());
}

static void make_own_mounts(const struct test *test) {
    if (test->flags & TEST_HOST_MOUNT || geteuid()) return;
    if (unshare(CLONE_NEWNS)) return;
    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL); /* valgrind wants a type */
}

static void run_test(const struct test *test, struct t *t) {
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    setpgid(0, 0);
    setenv("TMPDIR", t->dir, 1); /* what makes temporary files makes them where they are noticed */
    test->run(t);
    fflush(NULL);
    _exit(0);
}

static void describe_end(bool ended, int status, unsigned seconds) {
    if (told_to_stop)
        note("stopped");
    else if (!ended)
        note("did not end within %u s", seconds);
    else if (WIFSIGNALED(status))
        note("died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) && !the_notes->failures)
        note("ended with exit code %d", WEXITSTATUS(status));
    else
        return;
    count_failure();
}

/* Leftovers count only after a pass; after a failure they are its consequence. */
static void clear_leftovers(const struct test *test, struct t *t, const char *mounts, bool keep) {
    bool passed = !the_notes->failures && !the_notes->skipped && !(test->flags & TEST_LEAVES);
    unsigned found = clear_processes(passed);
    found += clear_mounts(mounts, passed);
    found += clear_cgroups(cgroup_mount(), t->tag, passed);
    if (passed && found) count_failure();
    if (!keep && !remove_tree(t->dir)) note("cannot remove %s: %s", t->dir, strerror(errno));
}

static void prepare(struct t *t, const struct test *test, unsigned number, bool alone) {
    const char *base = getenv("TMPDIR");
    t->name = test->name;
    t->alone = alone;
    snprintf(t->tag, sizeof t->tag, "ot%d-%u", (int)getppid(), number);
    snprintf(t->dir, sizeof t->dir, "%.200s/%s", base ? base : "/tmp", t->tag);
    snprintf(t->state, sizeof t->state, "%s/state", t->dir);
    remove_tree(t->dir);
    if (mkdir(t->dir, 0755)) {
        note("%s: %s", t->dir, strerror(errno));
        count_failure();
    }
}

/* The keeper's whole life, in a process of its own. */
TEST_NORETURN static void keep_test(const struct test *test, const struct run_options *options,
                                    unsigned number, int log_fd) {
    static struct t t;
    signal(SIGTERM, on_stop); /* also comes when the runner dies, of ^C for one */
    signal(SIGINT, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    make_own_mounts(test);
    prepare(&t, test, number, options->jobs <= 1 && getenv("OCIRT_ALONE"));
    char *mounts = file_read("/proc/self/mountinfo", NULL);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(log_fd, 1);
    dup2(log_fd, 2);
    if (null > 2) close(null);
    pid_t child = fork();
    if (child == 0) run_test(test, &t);
    int status = 0;
    unsigned seconds = test_seconds(test, options);
    bool ended = wait_until(child, seconds, &status);
    describe_end(ended, status, seconds);
    clear_leftovers(test, &t, mounts ? mounts : "", options->keep);
    _exit(0);
}

/* ---- the runner ---- */

struct slot {
    const struct test *test; /* NULL: free */
    struct notes *notes;
    pid_t pid;
    int log_fd;
    double start;
};

struct runner {
    const struct run_options *options;
    struct slot slots[64];
    struct totals totals;
    unsigned number;
    FILE *out;
};

static const char *why_not(const struct test *test) {
    if (test->flags & TEST_ROOT && geteuid()) return "root";
    if (test->flags & TEST_USER && !geteuid()) return "user";
    return NULL;
}

static void print_indented(FILE *out, const char *text) {
    while (text && *text) {
        size_t n = strcspn(text, "\n");
        fprintf(out, "#   %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static bool skip_is_fine(const char *key) {
    const char *strict = getenv("OCIRT_CI");
    return !strict || strcmp(strict, "1") || word_in_list(key, getenv("OCIRT_SKIP_OK"));
}

static void report_skip(struct runner *runner, const char *name, const char *key, const char *why) {
    unsigned number = ++runner->number;
    if (skip_is_fine(key)) {
        runner->totals.skipped++;
        fprintf(runner->out, "ok %u - %s # SKIP %s: %s\n", number, name, key, why);
    } else {
        runner->totals.failed++;
        fprintf(runner->out,
                "not ok %u - %s\n#   skips for want of \"%s\" (%s), not in OCIRT_SKIP_OK\n", number,
                name, key, why);
    }
    fflush(runner->out);
}

static void report_result(struct runner *runner, const struct slot *slot, const char *log) {
    const struct notes *notes = slot->notes;
    bool good = !notes->failures;
    if (good)
        runner->totals.passed++;
    else
        runner->totals.failed++;
    fprintf(runner->out, "%s %u - %s (%.2f s)\n", good ? "ok" : "not ok", ++runner->number,
            slot->test->name, now() - slot->start);
    print_indented(runner->out, notes->text);
    if (!good || runner->options->verbose) print_indented(runner->out, log);
    fflush(runner->out);
}

static void finish(struct runner *runner, struct slot *slot, int status) {
    struct notes *outer = the_notes; /* a test of the harness runs a runner of its own */
    the_notes = slot->notes;
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        note("the keeper died, status %x", (unsigned)status);
        count_failure();
    }
    the_notes = outer;
    char *log = fd_read_all(slot->log_fd, NULL);
    slot->notes->text[NOTE_ROOM - 1] = 0;
    if (slot->notes->skipped && !slot->notes->failures) {
        slot->notes->text[strcspn(slot->notes->text, "\n")] = 0;
        report_skip(runner, slot->test->name, slot->notes->key, slot->notes->text);
    } else
        report_result(runner, slot, log);
    free(log);
    close(slot->log_fd);
    munmap(slot->notes, sizeof *slot->notes);
    slot->test = NULL;
}

static void start(struct runner *runner, struct slot *slot, const struct test *test) {
    static unsigned number; /* folders of one runner never share a name */
    number++;
    slot->test = test;
    slot->start = now();
    slot->log_fd = memfd_create("test-log", MFD_CLOEXEC);
    slot->notes =
        mmap(NULL, sizeof *slot->notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (slot->notes == MAP_FAILED || slot->log_fd < 0) abort();
    fflush(NULL);
    slot->pid = fork();
    if (slot->pid == 0) {
        the_notes = slot->notes;
        keep_test(test, runner->options, number, slot->log_fd);
    }
}

/* Waits for one keeper of ours, and for no other child of this process. */
static void wait_for_one(struct runner *runner) {
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT)) return;
        for (unsigned i = 0; i < 64; i++) {
            struct slot *slot = &runner->slots[i];
            int status;
            if (!slot->test || slot->pid != info.si_pid) continue;
            waitpid(slot->pid, &status, 0);
            finish(runner, slot, status);
            return;
        }
        waitpid(info.si_pid, NULL, 0);
    }
}

static struct slot *free_slot(struct runner *runner, unsigned jobs) {
    for (;;) {
        for (unsigned i = 0; i < jobs; i++)
            if (!runner->slots[i].test) return &runner->slots[i];
        wait_for_one(runner);
    }
}

static void drain(struct runner *runner) {
    for (unsigned i = 0; i < 64; i++)
        while (runner->slots[i].test) wait_for_one(runner);
}

/* Globs over names; those behind an exclamation mark take away. */
static bool wanted(const struct test *test, char *const *patterns) {
    bool is = !patterns || !*patterns;
    for (; patterns && *patterns; patterns++) {
        if (**patterns == '!' && !fnmatch(*patterns + 1, test->name, 0)) return false;
        is |= **patterns != '!' && !fnmatch(*patterns, test->name, 0);
    }
    return is;
}

static void run_pass(struct runner *runner, const struct test *const *tables, unsigned jobs,
                     bool alone) {
    for (; *tables; tables++)
        for (const struct test *test = *tables; test->name; test++) {
            if (!wanted(test, runner->options->patterns)) continue;
            if (!!(test->flags & TEST_ALONE) != alone) continue;
            const char *why = why_not(test);
            if (why)
                report_skip(runner, test->name, why, "not run as this user");
            else
                start(runner, free_slot(runner, jobs), test);
        }
    drain(runner);
}

struct totals run_tables(const struct test *const *tables, const struct run_options *options,
                         FILE *out) {
    static struct runner runner; /* too large for a stack */
    unsigned jobs = options->jobs < 1 ? 1 : options->jobs > 64 ? 64 : options->jobs;
    runner = (struct runner){.options = options, .out = out};
    umask(022);
    run_pass(&runner, tables, jobs, false);
    run_pass(&runner, tables, 1, true);
    fprintf(out, "1..%u\n", runner.number);
    fflush(out);
    return runner.totals;
}

void totals_print(struct totals totals, FILE *out) {
    fprintf(out, "%u passed, %u failed, %u skipped\n", totals.passed, totals.failed,
            totals.skipped);
    fflush(out);
}
