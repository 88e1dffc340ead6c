/* runs.c: see runs.h. */
#include "runs.h"
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

void root_make(struct t *t, struct bundle *b) { bundle_make(t, b, BUNDLE); }

void root_dir(struct bundle *b, const char *name) {
    make_dirs(print("%s/%s", b->rootfs, name), 0755);
}

static void make_parent(const char *path) {
    char *parent = print("%s", path);
    *strrchr(parent, '/') = 0;
    make_dirs(parent, 0755);
}

void root_file(struct bundle *b, const char *name, const char *text) {
    char *path = print("%s/%s", b->rootfs, name);
    make_parent(path);
    file_write(path, "%s", text);
}

void root_link(struct bundle *b, const char *target, const char *name) {
    char *path = print("%s/%s", b->rootfs, name);
    make_parent(path);
    CHECK_SYS(symlink(target, path));
}

static struct outcome *fresh(void) {
    struct outcome *out = remember(calloc(1, sizeof *out));
    CHECK_OK(out != NULL);
    return out;
}

struct outcome *ran(struct t *t, const struct config *config) {
    struct bundle b;
    struct outcome *out = fresh();
    root_make(t, &b);
    bundle_config(&b, config);
    run_ocirt(t, out, "run", "--bundle", b.path, t->tag);
    return out;
}

struct outcome *ran_text(struct t *t, const char *text) {
    struct bundle b;
    struct outcome *out = fresh();
    root_make(t, &b);
    bundle_write(&b, "%s", text);
    run_ocirt(t, out, "run", "--bundle", b.path, t->tag);
    return out;
}

struct outcome *ran_well(struct t *t, const struct config *config) {
    struct outcome *out = ran(t, config);
    CHECK(out->code == 0, "run ended with %d: %s%.300s", out->code, out->err, out->out);
    return out;
}

void refused(struct t *t, const struct config *config, int code, const char *word) {
    struct outcome *out = ran(t, config), list;
    EXPECT(out->code == code, "code %d, not %d, for \"%s\": %s%.200s", out->code, code, word, out->err, out->out);
    EXPECT(strstr(out->err, word), "no \"%s\" in: %s", word, out->err);
    EXPECT(out->out_n == 0, "the program ran: %.200s", out->out);
    run_ocirt(t, &list, "list", "-q");
    EXPECT(list.out_n == 0, "left for \"%s\": %s", word, list.out);
    if (list.out_n) delete_all(t);
}

char *replaced(const char *text, const char *part, const char *by) {
    const char *at = strstr(text, part);
    CHECK(at != NULL, "no %s in %s", part, text);
    return print("%.*s%s%s", (int)(at - text), text, by, at + strlen(part));
}

void expect_list(struct t *t, int code, const char *word, const char *const *args) {
    struct outcome out;
    run_ocirt_list(t, &out, args);
    CHECK(out.code == code, "%s: code %d, not %d: %s", args[0], out.code, code, out.err);
    CHECK_HAS(out.err, word);
    outcome_free(&out);
}

char *json_get(const char *text, const char *member) {
    char *name = print("\"%s\"", member);
    const char *at = strstr(text, name);
    if (!at) return NULL;
    at += strlen(name);
    at += strspn(at, ": \t\n");
    if (*at == '"') return print("%.*s", (int)strcspn(at + 1, "\""), at + 1);
    return print("%.*s", (int)strcspn(at, ",}\n "), at);
}

const char *json_space(const char *at) { return at + strspn(at, " \t\r\n"); }

/* Accepts a little too much in numbers. */
const char *json_skip(const char *at) {
    at = json_space(at);
    if (*at == '"') {
        for (at++; *at && *at != '"'; at++) {
            if ((unsigned char)*at < 0x20) return NULL;
            if (*at == '\\' && !*++at) return NULL;
        }
        return *at ? at + 1 : NULL;
    }
    if (*at == '{' || *at == '[') {
        bool object = *at == '{';
        char close = object ? '}' : ']';
        at = json_space(at + 1);
        if (*at == close) return at + 1;
        for (;;) {
            if (object && (*at != '"' || !(at = json_skip(at)) || *(at = json_space(at)) != ':')) return NULL;
            at = json_skip(object ? at + 1 : at);
            if (!at) return NULL;
            at = json_space(at);
            if (*at == close) return at + 1;
            if (*at++ != ',') return NULL;
            at = json_space(at);
        }
    }
    size_t n = strspn(at, "-+.0123456789eE");
    if (!n && !strncmp(at, "null", 4)) n = 4;
    if (!n && !strncmp(at, "true", 4)) n = 4;
    if (!n && !strncmp(at, "false", 5)) n = 5;
    return n ? at + n : NULL;
}

bool is_json(const char *text) {
    const char *end = json_skip(text);
    return end && !*json_space(end);
}

static const char *json_child(const char *at, const char *name, size_t n) {
    bool object = *(at = json_space(at)) == '{';
    size_t index = strtoul(name, NULL, 10);
    if (!object && *at != '[') return NULL;
    at = json_space(at + 1);
    for (size_t i = 0; at && *at && *at != '}' && *at != ']'; i++) {
        const char *key = at;
        if (object && (at = json_skip(at))) at = json_space(json_space(at) + 1);
        if (!at || (object ? !strncmp(key + 1, name, n) && key[n + 1] == '"' : i == index)) return at;
        if ((at = json_skip(at))) at = json_space(at);
        if (at && *at == ',') at = json_space(at + 1);
    }
    return NULL;
}

static const char *json_place(const char *text, const char *path) {
    while (text && *path) {
        size_t n = strcspn(path, "/");
        text = json_child(text, path, n);
        path += n + (path[n] == '/');
    }
    return text ? json_space(text) : NULL;
}

char *json_value(const char *text, const char *path) {
    const char *at = json_place(text, path), *end = at ? json_skip(at) : NULL;
    if (!end) return NULL;
    return *at == '"' ? print("%.*s", (int)(end - at - 2), at + 1) : print("%.*s", (int)(end - at), at);
}

char *json_words(const char *text, const char *path) {
    struct text words = {0};
    const char *at = json_place(text, path);
    bool object = at && *at == '{';
    text_add(&words, "%s", "");
    if (!object && (!at || *at != '[')) return NULL;
    for (at = json_space(at + 1); *at == '"';) {
        const char *end = json_skip(at);
        text_add(&words, "%s%.*s", words.n ? " " : "", (int)(end - at - 2), at + 1);
        at = json_space(end);
        if (object) at = json_space(json_skip(at + 1));
        if (*at == ',') at = json_space(at + 1);
    }
    return words.at;
}

char *state_get(struct t *t, const char *id, const char *member) {
    struct outcome out;
    run_ocirt(t, &out, "state", id);
    CHECK(out.code == 0, "state %s: %s", id, out.err);
    char *value = json_get(out.out, member);
    outcome_free(&out);
    return value;
}

const char *status_of(struct t *t) { return state_get(t, t->tag, "status"); }

void await_status(struct t *t, const char *status) {
    for (double end = now() + 5 * time_scale(); now() < end && strcmp(status_of(t), status); nap(0.01)) {
    }
    CHECK_TEXT(status_of(t), status);
}

void await_text(struct outcome *out, const char *word) {
    for (double end = now() + 5 * time_scale(); now() < end; nap(0.005)) {
        outcome_refresh(out);
        if (strstr(out->out, word)) return;
    }
    CHECK(false, "no \"%s\" in: %s%s", word, out->out, out->err);
}

void delete_all(struct t *t) {
    struct outcome list, out;
    run_ocirt(t, &list, "list", "-q");
    for (char *id = strtok(list.out, "\n"); id; id = strtok(NULL, "\n")) run_ocirt(t, &out, "delete", "--force", id);
    reap_all();
}

char *cgroup_of(struct t *t, pid_t pid) {
    char *text = file_read(print("/proc/%d/cgroup", (int)pid), NULL), *line = text ? strstr(text, "0::/") : NULL;
    if (!line || !cgroup_mount()) return NULL;
    line[strcspn(line, "\n")] = 0;
    return strstr(line, t->tag) ? print("%s%s", cgroup_mount(), line + 3) : NULL;
}

void live_begin(struct t *t, struct live *l, const struct config *config) {
    root_make(t, &l->b);
    bundle_config(&l->b, config);
    need_ocirt();
    l->runtime = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", l->b.path, t->tag, NULL})}, &l->out);
    await_text(&l->out, "ready");
    await_status(t, "running"); /* the program may be faster than the record that it runs */
    l->pid = atoi(state_get(t, t->tag, "pid"));
    l->cgroup = cgroup_of(t, l->pid);
}

void live_end(struct t *t, struct live *l) {
    struct outcome out;
    run_ocirt(t, &out, "delete", "--force", t->tag);
    command_wait(l->runtime, 10, &l->out);
    CHECK(!l->out.timed_out, "run has no end: %s", l->out.err);
    outcome_free(&out);
    reap_all();
}

void begin_in_cgroup(struct t *t, struct live *l, const struct config *config) {
    live_begin(t, l, config);
    if (l->cgroup) return;
    live_end(t, l);
    SKIP("cgroup", "the container has no cgroup of its own");
}

void quiet_list(struct t *t, const char *const *args) {
    struct outcome out;
    run_ocirt_list(t, &out, args);
    CHECK(out.code == 0 && !out.out_n && !out.err_n, "%s: %d %s%s", args[0], out.code, out.out, out.err);
    outcome_free(&out);
}

char *in_cgroup(const struct live *l, const char *file) {
    char *text = file_read(print("%s/%s", l->cgroup, file), NULL);
    if (text) text[strcspn(text, "\n")] = 0;
    return text;
}

const char *const limit_files[] = {"memory.max", "memory.low", "memory.swap.max", "memory.high", "cpu.max", "cpu.max.burst", "cpu.weight", "cpu.idle",
                                   "cpuset.cpus", "cpuset.mems", "pids.max", "io.max", "io.weight", "io.bfq.weight", "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "rdma.max", NULL};

char *limits_of(const struct live *l) {
    struct text text = {0};
    for (size_t i = 0; limit_files[i]; i++) {
        char *value = file_read(print("%s/%s", l->cgroup, limit_files[i]), NULL);
        if (value) text_add(&text, "%s = %s", limit_files[i], value);
    }
    text_add(&text, "%s", "");
    return text.at;
}

void update_with(struct t *t, struct outcome *out, const char *form, const char *resources) {
    const char *file = print("%s/resources.json", t->dir);
    bool split = !strcmp(form, "-r -") || !strcmp(form, "--resources -");
    file_write(file, "%s", resources);
    const char *one = strchr(form, '-') && strstr(form, "FILE") ? print("%.*s%s", (int)(strstr(form, "FILE") - form), form, file) : form;
    const char *args[] = {"update", split ? print("%.*s", (int)strcspn(form, " "), form) : one, split ? "-" : t->tag, split ? t->tag : NULL, NULL};
    need_ocirt();
    command_run(&(struct command){.argv = ocirt_argv(t, args), .input = resources}, out);
}

bool has_word(const char *list, const char *word) {
    size_t n = strlen(word);
    for (const char *at = list; at && *at; at += strcspn(at, ", "), at += strspn(at, ", "))
        if (strcspn(at, ", ") == n && !strncmp(at, word, n)) return true;
    return false;
}

bool starts(const char *line, const char *with) { return !strncmp(line, with, strlen(with)); }

bool good_text(const char *text) {
    char *lower = print("%s", text);
    for (char *at = lower; *at; at++)
        if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + 32);
    bool good = strlen(text) > 10 && starts(text, "ocirt: ") && !strstr(lower, "success") && !strstr(lower, "errno 0") && !strstr(lower, "(null)");
    free(lower);
    return good;
}

bool sweeps_full(void) {
    const char *word = getenv("OCIRT_SWEEP");
    return word && !strcmp(word, "full");
}

bool mount_get(const struct outcome *out, const char *target, struct mount_line *line) {
    const char *text = report_mount(out, target), *dash;
    *line = (struct mount_line){.flags = ""};
    if (!text || !(dash = strstr(text, " - "))) return false;
    int n = 0;
    sscanf(text, "%*d %*d %*s %511s %*s %255s%n", line->root, line->flags, &n);
    if (text + n < dash) snprintf(line->fields, sizeof line->fields, "%.*s", (int)(dash - text - n), text + n);
    sscanf(dash + 3, "%63s %511s %511s", line->type, line->source, line->super);
    return true;
}

bool has_super(const struct mount_line *line, const char *word) { return has_word(line->super, word); }

void need_idmap(struct t *t) {
    struct statfs fs;
    need_kernel(5, 12);
    CHECK_SYS(statfs(t->dir, &fs));
    if (fs.f_type == 0x01021994 || fs.f_type == 0x858458f6) need_kernel(6, 3); /* tmpfs, ramfs */
    if (fs.f_type == 0x858458f6) SKIP("fs", "ramfs has no id maps");
    if (fs.f_type == 0x794c7630) need_kernel(6, 18); /* overlay */
}

void become_ordinary(void *user) {
    (void)user;
    if (setgroups(0, NULL) || setresgid(ORDINARY, ORDINARY, ORDINARY) || setresuid(ORDINARY, ORDINARY, ORDINARY)) _exit(123);
    prctl(PR_SET_DUMPABLE, 1);
    setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
}

void run_ordinary(struct t *t, struct outcome *out, const char *const *args) {
    need_root();
    need_ocirt();
    if (access(t->state, F_OK)) CHECK_SYS(mkdir(t->state, 0700));
    CHECK_SYS(chown(t->state, ORDINARY, ORDINARY));
    pid_t probe = fork();
    if (probe == 0) {
        become_ordinary(NULL);
        _exit(unshare(CLONE_NEWUSER) ? 1 : 0);
    }
    int status = 0;
    waitpid(probe, &status, 0);
    if (status) SKIP("userns", "an ordinary user may make no user namespace here");
    command_run(&(struct command){.argv = ocirt_argv(t, args), .child = become_ordinary}, out);
    CHECK(!out->timed_out, "ocirt %s: no end; it said: %s", args[0], out->err);
}

static pid_t middles[32], held[32]; /* the one that has unshared, and its child that is in the namespaces */
static unsigned n_middles;

void holders_end(void) {
    while (n_middles) {
        kill(middles[--n_middles], SIGKILL);
        waitpid(middles[n_middles], NULL, 0);
        kill(held[n_middles], SIGKILL);
        waitpid(held[n_middles], NULL, 0); /* ours since its parent has ended */
    }
    reap_all();
}

/* The one that has entered the namespaces says its pid through shared memory, since a pid
 * namespace is entered by a child only. */
pid_t holder(int flags, void (*prepare)(void)) {
    volatile pid_t *said = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(said != MAP_FAILED);
    int pipes[2];
    CHECK_SYS(pipe2(pipes, O_CLOEXEC));
    pid_t middle = fork();
    if (middle == 0) {
        if (unshare(flags)) _exit(1);
        if (prepare) prepare();
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (write(pipes[1], "x", 1) != 1) _exit(1);
            for (;;) pause();
        }
        *said = child;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) pause();
    }
    char byte;
    CHECK_OK(n_middles < 32);
    middles[n_middles++] = middle;
    close(pipes[1]);
    ssize_t n = read(pipes[0], &byte, 1);
    close(pipes[0]);
    CHECK(n == 1, "no namespaces %#x here", (unsigned)flags);
    for (int i = 0; i < 1000 && !*said; i++) nap(0.001);
    pid_t pid = *said;
    munmap((void *)(uintptr_t)said, 4096);
    return held[n_middles - 1] = pid;
}

const char *ns_path(pid_t pid, const char *name) {
    return pid ? print("/proc/%d/ns/%s", (int)pid, name) : print("/proc/self/ns/%s", name);
}

unsigned long long ns_of(pid_t pid, const char *name) {
    struct stat info;
    return stat(ns_path(pid, name), &info) ? 0 : (unsigned long long)info.st_ino;
}
