/* host.c: T17, what a program that includes the header may rely on. The library runs inside this
 * process, which is looked at before and after; and in many threads at once. */
#include "runs.h"
#include "../ocirt.h"
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

extern char **environ;

/* ---- facts: what SNAP does not know of this process ------------------------------------------ */

static const char *const status_names[] = {
    "Name:",    "Umask:", "PPid:",      "TracerPid:", "Uid:",         "Gid:",          "Groups:",
    "SigPnd:",  "ShdPnd:", "SigBlk:",   "SigIgn:",    "SigCgt:",      "Cap",           "NoNewPrivs:",
    "Seccomp:", "Threads:", "Cpus_allowed:", "Mems_allowed:"};

static void add_status(struct text *out, const char *tid) {
    char *text = file_read(print("/proc/self/task/%s/status", tid), NULL);
    for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n"))
        for (size_t i = 0; i < sizeof status_names / sizeof *status_names; i++)
            if (!strncmp(line, status_names[i], strlen(status_names[i]))) text_add(out, "thread %s: %s\n", tid, line);
    free(text);
}

static void add_links(struct text *out, const char *tid) {
    static const char *const names[] = {"cwd", "root", "ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid", "ns/user", "ns/uts", "ns/time"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char target[4096];
        ssize_t n = readlink(print("/proc/self/task/%s/%s", tid, names[i]), target, sizeof target - 1);
        if (n > 0) text_add(out, "thread %s: %s is %.*s\n", tid, names[i], (int)n, target);
    }
}

static void add_scheduling(struct text *out, const char *tid) {
    int id = (int)strtol(tid, NULL, 10);
    text_add(out, "thread %s: nice %d, policy %ld, io priority %ld\n", tid, getpriority(PRIO_PROCESS, (id_t)id),
             syscall(SYS_sched_getscheduler, id), syscall(SYS_ioprio_get, 1, id));
}

static void add_threads(struct text *out) {
    struct dirent **list = NULL;
    int n = scandir("/proc/self/task", &list, NULL, alphasort);
    CHECK_OK(n > 2);
    for (int i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.') {
            add_status(out, list[i]->d_name);
            add_links(out, list[i]->d_name);
            add_scheduling(out, list[i]->d_name);
        }
        free(list[i]);
    }
    free(list);
}

static char *facts(void) {
    struct text out = {0};
    struct itimerval timer = {0};
    add_threads(&out);
    getitimer(ITIMER_REAL, &timer);
    text_add(&out, "timer every %ld s\n", (long)timer.it_interval.tv_sec);
    text_add(&out, "stdin at %lld\n", (long long)lseek(0, 0, SEEK_CUR));
    for (char **env = environ; *env; env++) text_add(&out, "environment %s\n", *env);
    return out.at;
}

/* ---- the world: SNAP and facts ---------------------------------------------------------------- */

struct world {
    struct snap *snap;
    char *facts;
};

static void world_see(struct t *t, struct world *world) {
    world->snap = snap_take(t, 0);
    world->facts = facts();
}

static void expect_facts(const struct world *before, const char *what) {
    char *after = facts(), *old = before->facts, *new = after;
    while (*old && *new && *old == *new) old++, new++;
    while (old > before->facts && old[-1] != '\n') old--, new--;
    EXPECT(!*old && !*new, "%s changed the host: \"%.*s\" became \"%.*s\"", what, (int)strcspn(old, "\n"), old, (int)strcspn(new, "\n"), new);
    free(after);
}

/* Nothing at all may be different. */
static void expect_same(struct t *t, const struct world *before, const char *what) {
    struct text out = {0};
    EXPECT(snap_same(t, before->snap, &out), "%s changed the world:\n%s", what, out.at);
    expect_facts(before, what);
    text_free(&out);
}

/* Is this line of a difference about the container, and not about us? */
static bool is_of_container(const char *line) {
    static const char *const kinds[] = {"process ", "namespace ", "file ", "cgroup "};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strncmp(line + 2, kinds[i], strlen(kinds[i]))) return true;
    return !strncmp(line + 2, "key ", 4) && strstr(line, " keyring _ses."); /* its session keyring has its id */
}

/* A container may be there, but we are the same. */
static void expect_same_self(struct t *t, const struct world *before, const char *what) {
    struct text out = {0};
    struct snap *after = snap_take(t, 0);
    snap_diff(before->snap, after, &out);
    for (char *line = strtok(out.at, "\n"); line; line = strtok(NULL, "\n"))
        EXPECT(is_of_container(line), "%s changed the host: %s", what, line);
    expect_facts(before, what);
    snap_free(after);
    text_free(&out);
}

/* ---- a host that has set everything it can ---------------------------------------------------- */

static void on_signal(int number) { (void)number; }

static void handle(int number, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    CHECK_SYS(sigaction(number, &action, NULL));
}

static void block(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

static void *stand_by(void *stood) {
    block(SIGHUP);
    block(SIGWINCH);
    syscall(SYS_setpriority, PRIO_PROCESS, 0, 7);
    pthread_barrier_wait(stood);
    for (;;) pause();
    return NULL;
}

/* Another thread, which has a mask and a nice value of its own. */
static void have_bystander(void) {
    static pthread_barrier_t stood;
    pthread_t thread;
    pthread_barrier_init(&stood, NULL, 2);
    CHECK_OK(pthread_create(&thread, NULL, stand_by, &stood) == 0);
    pthread_barrier_wait(&stood);
}

static void have_signals(void) {
    static char stack[65536];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    CHECK_SYS(sigaltstack(&other, NULL));
    handle(SIGUSR1, on_signal, SA_ONSTACK | SA_RESTART);
    handle(SIGALRM, on_signal, 0);
    handle(SIGPIPE, SIG_IGN, 0);
    handle(SIGTTOU, SIG_IGN, 0);
    block(SIGUSR2);
    block(SIGTERM);
    CHECK_SYS(kill(getpid(), SIGUSR2)); /* pending for the process */
    pthread_kill(pthread_self(), SIGTERM); /* pending for this thread */
}

static void have_limits(void) {
    struct rlimit core = {1 << 20, 1 << 20}, files = {200, 0};
    struct itimerval timer = {{5000, 0}, {5000, 0}};
    struct rlimit old;
    getrlimit(RLIMIT_NOFILE, &old);
    files.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_CORE, &core);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &files));
    CHECK_SYS(setitimer(ITIMER_REAL, &timer, NULL));
    CHECK_SYS(setpriority(PRIO_PROCESS, 0, 5));
    CHECK_SYS(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6));
    CHECK_SYS(prctl(PR_SET_TIMERSLACK, 123456, 0, 0, 0));
    personality(ADDR_NO_RANDOMIZE);
    syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, "host"); /* a kernel may have no keys */
}

static void have_descriptors(struct t *t) {
    char *path = print("%s/input", t->dir);
    int ends[2];
    file_write(path, "this is for the host alone");
    int input = open(path, O_RDONLY | O_CLOEXEC);
    CHECK_OK(lseek(input, 5, SEEK_SET) == 5);
    CHECK_SYS(dup2(input, 0));
    close(input);
    CHECK_SYS(pipe2(ends, O_NONBLOCK)); /* both will be inherited: the host did not think of it */
}

/* After the bundles are made: no folder is made with this mask. */
static void be_peculiar(struct t *t) {
    char *cwd = print("%s/elsewhere", t->dir);
    if (access(t->state, F_OK)) CHECK_SYS(mkdir(t->state, 0700));
    make_dirs(cwd, 0755);
    CHECK_SYS(chdir(cwd));
    have_descriptors(t);
    have_signals();
    have_limits();
    have_bystander();
    setenv("HOST_KEEPS", "this", 1);
    umask(0027);
}

/* ---- the library as this process calls it ------------------------------------------------------ */

/* Three ways from here to the container's init. */
enum way { DIRECT, FORKED, EXECUTED, WAYS };
static const char *const way_names[] = {"direct", "forked stage", "executed stage"};

static ocirt_options options_of(struct t *t, enum way way) {
    ocirt_options options = {.state_root = t->state, .stage = test_exe()};
    if (way != EXECUTED) options.flags = OCIRT_WITHOUT_STAGE;
    return options;
}

/* A new time namespace needs a stage. */
static const char *namespaces_of(enum way way) {
    if (way == FORKED) return geteuid() ? DEFAULT_NAMESPACES " time user" : DEFAULT_NAMESPACES " time";
    return NULL;
}

static int run_bundle(const struct bundle *b, const char *id, const ocirt_options *options, ocirt_exit *end, ocirt_error *error) {
    *end = (ocirt_exit){.code = -1};
    return ocirt_run_bundle(b->path, id, options, end, error);
}

static int create_bundle(const struct bundle *b, const char *id, const ocirt_options *options, ocirt_container *made, ocirt_error *error) {
    ocirt_arena arena = {0};
    ocirt_spec *spec;
    int r = ocirt_spec_load_file(&arena, b->config, &spec, error);
    if (r == 0) r = ocirt_create(spec, b->path, id, options, made, error);
    ocirt_arena_free(&arena);
    return r;
}

static void run_changes_nothing(struct t *t) {
    struct bundle bundles[WAYS];
    struct world before;
    need_ocirt();
    for (int way = 0; way < WAYS; way++) {
        bundle_make(t, &bundles[way], print("b%d", way));
        bundle_config(&bundles[way], &(struct config){.args = "payload-exit 7", .namespaces = namespaces_of((enum way)way)});
    }
    be_peculiar(t);
    world_see(t, &before);
    for (int way = 0; way < WAYS; way++) {
        ocirt_options options = options_of(t, (enum way)way);
        ocirt_error error;
        ocirt_exit end;
        int r = run_bundle(&bundles[way], t->tag, &options, &end, &error);
        EXPECT(r == 0 && end.code == 7, "%s: %d, code %d: %s", way_names[way], r, end.code, error.message);
        expect_same(t, &before, way_names[way]);
    }
}

/* In the foreground the host's signals are blocked and read; all is as before when it returns. */
static void foreground_changes_nothing(struct t *t) {
    struct bundle b;
    struct world before;
    ocirt_options options = options_of(t, EXECUTED);
    ocirt_error error;
    ocirt_exit end;
    need_ocirt();
    bundle_make(t, &b, "b");
    bundle_config(&b, &(struct config){.args = "payload-exit 7"});
    CHECK_SYS(mkdir(t->state, 0700));
    have_descriptors(t);
    have_bystander();
    handle(SIGUSR1, on_signal, 0);
    block(SIGUSR2);
    world_see(t, &before);
    options.flags |= OCIRT_FORWARD;
    int r = run_bundle(&b, t->tag, &options, &end, &error);
    EXPECT(r == 0 && end.code == 7, "%d, code %d: %s", r, end.code, r < 0 ? error.message : "");
    expect_same(t, &before, "run in the foreground");
}

/* ---- failures ----------------------------------------------------------------------------------- */

/* Each kind of failure at another depth: before the plan, in the host, in the stage, in the container. */
struct failure {
    const char *name;
    int code; /* OCIRT_E_ */
    struct config config;
    const char *text; /* instead of config */
    const char *hook; /* of this kind, fails */
    const char *pid_path; /* of the pid namespace to join */
    const char *id, *state_root, *pid_file; /* instead of the usual */
};

#define BIND(from, to) "{\"destination\":\"" to "\",\"source\":\"" from "\",\"options\":[\"bind\"]}"

static const struct failure failures[] = {
    {.name = "bad JSON", .code = OCIRT_E_JSON, .text = "{\"ociVersion\": }"},
    {.name = "no config", .code = OCIRT_E_IO, .text = ""},
    {.name = "bad value", .code = OCIRT_E_SPEC, .config = {.process = "\"cwd\":7"}},
    {.name = "label", .code = OCIRT_E_UNSUPPORTED, .config = {.process = "\"selinuxLabel\":\"no:such:label:s0\""}},
    {.name = "bad id", .code = OCIRT_E_ARGUMENT, .id = "../x"},
    {.name = "bad state root", .code = OCIRT_E_IO, .state_root = "/proc/version/x"},
    {.name = "missing rootfs", .code = OCIRT_E_MOUNT, .config = {.root = "\"path\":\"nothing\""}},
    {.name = "missing mount source", .code = OCIRT_E_MOUNT, .config = {.mounts = BIND("/nothing/here", "/v")}},
    {.name = "unknown file system", .code = OCIRT_E_MOUNT, .config = {.mounts = "{\"destination\":\"/v\",\"type\":\"nofs\",\"source\":\"x\"}"}},
    {.name = "folder over a file", .code = OCIRT_E_MOUNT, .config = {.mounts = "{\"destination\":\"/payload\",\"type\":\"tmpfs\",\"source\":\"x\"}"}},
    {.name = "missing namespace", .code = OCIRT_E_NAMESPACE, .pid_path = "/proc/nothing"},
    {.name = "not a namespace", .code = OCIRT_E_NAMESPACE, .pid_path = "/proc/version"},
    {.name = "missing program", .code = OCIRT_E_EXEC_NOT_FOUND, .config = {.args = "[\"/nothing\"]"}},
    {.name = "program is a folder", .code = OCIRT_E_EXEC, .config = {.args = "[\"/proc\"]"}},
    {.name = "cwd is a file", .code = OCIRT_E_EXEC, .config = {.process = "\"cwd\":\"/payload\""}},
    {.name = "failing host hook", .code = OCIRT_E_HOOK, .hook = "createRuntime"},
    {.name = "failing create hook", .code = OCIRT_E_HOOK, .hook = "createContainer"},
    {.name = "failing start hook", .code = OCIRT_E_HOOK, .hook = "startContainer"},
    {.name = "failing poststart hook", .code = OCIRT_E_HOOK, .hook = "poststart", .config = {.args = "payload-sleep 100"}},
    {.name = "missing hook", .code = OCIRT_E_HOOK, .config = {.top = "\"hooks\":{\"prestart\":[{\"path\":\"/nothing/hook\"}]}"}},
    {.name = "bad pid file", .code = OCIRT_E_IO, .config = {.args = "payload-sleep 100"}, .pid_file = "/proc/nothing/pid"},
};
enum { FAILURES = sizeof failures / sizeof *failures };

/* The payload is the hook: by its name inside or outside. A machine may have no other program. */
static const char *failing_hook(const struct bundle *b, const char *when) {
    const char *root = strcmp(when, "startContainer") ? b->rootfs : "";
    return print("\"hooks\":{\"%s\":[{\"path\":\"%s/payload\",\"args\":[\"hook\",\"payload-exit\",\"3\"]}]}", when, root);
}

static const char *joining(const char *path) {
    return print("[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"pid\",\"path\":\"%s\"}%s]", path, geteuid() ? ",{\"type\":\"user\"}" : "");
}

static void make_failure(struct t *t, struct bundle *b, const struct failure *failure) {
    struct config config = failure->config;
    bundle_make(t, b, print("f%d", (int)(failure - failures)));
    if (failure->pid_path) config.namespaces = joining(failure->pid_path);
    if (failure->hook) config.top = failing_hook(b, failure->hook);
    if (!failure->text) bundle_config(b, &config);
    else if (*failure->text) bundle_write(b, "%s", failure->text);
}

static ocirt_options options_for(struct t *t, const struct failure *failure, enum way way) {
    ocirt_options options = options_of(t, way);
    if (failure->state_root) options.state_root = failure->state_root;
    options.pid_file = failure->pid_file;
    return options;
}

/* As the code says; whichever call it is that fails. */
static void expect_failure(const struct failure *failure, const char *call, int r, const ocirt_error *error) {
    EXPECT(r == -failure->code, "%s, %s: %d, not %d: %s", call, failure->name, r, -failure->code, r < 0 ? error->message : "no error");
}

static void fail_to_run(struct t *t, const struct bundle *b, const struct failure *failure, enum way way) {
    ocirt_options options = options_for(t, failure, way);
    ocirt_error error;
    ocirt_exit end;
    int r = run_bundle(b, failure->id ? failure->id : t->tag, &options, &end, &error);
    expect_failure(failure, "run", r, &error);
}

/* Some failures come only when the program would start. */
static void fail_to_create(struct t *t, const struct bundle *b, const struct failure *failure, enum way way) {
    ocirt_options options = options_for(t, failure, way);
    ocirt_container made;
    ocirt_error error;
    ocirt_exit end;
    const char *id = failure->id ? failure->id : t->tag;
    int r = create_bundle(b, id, &options, &made, &error);
    if (r < 0) {
        expect_failure(failure, "create", r, &error);
        return;
    }
    r = ocirt_start(id, &options, &error);
    expect_failure(failure, "start", r, &error);
    options.flags |= OCIRT_FORCE;
    r = ocirt_delete(id, &options, &error);
    EXPECT(r == 0, "delete after %s: %s", failure->name, error.message);
    r = ocirt_wait(&made, -1, &end, &error);
    EXPECT(r == 0, "wait after %s: %s", failure->name, error.message);
    close(made.pidfd);
}

static void each_failure(struct t *t, const char *call, void (*fail)(struct t *, const struct bundle *, const struct failure *, enum way)) {
    static struct bundle bundles[FAILURES];
    struct world before;
    need_ocirt();
    for (size_t i = 0; i < FAILURES; i++) make_failure(t, &bundles[i], &failures[i]);
    be_peculiar(t);
    world_see(t, &before);
    for (size_t i = 0; i < FAILURES; i++)
        for (int way = DIRECT; way < WAYS; way += 2) {
            fail(t, &bundles[i], &failures[i], (enum way)way);
            expect_same(t, &before, print("%s with %s, %s,", call, failures[i].name, way_names[way]));
        }
}

static void failing_run_changes_nothing(struct t *t) { each_failure(t, "run", fail_to_run); }

static void failing_create_changes_nothing(struct t *t) { each_failure(t, "create", fail_to_create); }

/* ---- the life cycle ----------------------------------------------------------------------------- */

struct life {
    struct t *t;
    struct world before;
    ocirt_options options;
    ocirt_error error;
};

/* A call that is to give this code, and that leaves us as we were. */
static void lives(struct life *life, const char *call, int r, int code) {
    EXPECT(r == -code, "%s: %d, not %d: %s", call, r, -code, r < 0 ? life->error.message : "no error");
    expect_same_self(life->t, &life->before, call);
}

static int remember_status(void *user, const ocirt_state *state) {
    snprintf(user, 16, "%s", state->status);
    return 0;
}

static const char *listed(struct life *life) {
    static char status[16];
    status[0] = 0;
    lives(life, "list", ocirt_list(&life->options, remember_status, status, &life->error), 0);
    return status;
}

static void live(struct life *life, const struct bundle *b, const char *id) {
    const ocirt_options *options = &life->options;
    ocirt_container made;
    ocirt_error *error = &life->error;
    ocirt_exit end;
    lives(life, "start of nothing", ocirt_start(id, options, error), OCIRT_E_NOT_FOUND);
    lives(life, "kill of nothing", ocirt_kill(id, SIGKILL, options, error), OCIRT_E_NOT_FOUND);
    lives(life, "delete of nothing", ocirt_delete(id, options, error), OCIRT_E_NOT_FOUND);
    CHECK_TEXT(listed(life), "");
    int r = create_bundle(b, id, options, &made, error);
    CHECK(r == 0, "create: %s", error->message);
    int pidfd = made.pidfd; /* the one thing that create leaves here, so it is looked at apart */
    EXPECT(fcntl(pidfd, F_GETFD) == FD_CLOEXEC, "the pidfd has flags %d", fcntl(pidfd, F_GETFD));
    close(pidfd);
    lives(life, "create", r, 0);
    lives(life, "create of a used id", create_bundle(b, id, options, &made, error), OCIRT_E_EXISTS);
    lives(life, "run of a used id", run_bundle(b, id, options, &end, error), OCIRT_E_EXISTS);
    CHECK_TEXT(listed(life), "created");
    lives(life, "start", ocirt_start(id, options, error), 0);
    CHECK_TEXT(listed(life), "running");
    lives(life, "second start", ocirt_start(id, options, error), OCIRT_E_STATE);
    lives(life, "delete while it runs", ocirt_delete(id, options, error), OCIRT_E_STATE);
    lives(life, "kill", ocirt_kill(id, SIGKILL, options, error), 0);
    int status = 0; /* an ordinary child, that an ordinary wait finds */
    CHECK_INT(waitpid(made.pid, &status, 0), made.pid);
    CHECK_OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    lives(life, "kill when it has stopped", ocirt_kill(id, SIGKILL, options, error), OCIRT_E_STATE);
    CHECK_TEXT(listed(life), "stopped");
    lives(life, "delete", ocirt_delete(id, options, error), 0);
    expect_same(life->t, &life->before, "a whole life");
}

static void life_cycle_changes_nothing(struct t *t) {
    struct bundle bundles[WAYS];
    struct life life = {.t = t};
    need_ocirt();
    for (int way = 0; way < WAYS; way++) {
        bundle_make(t, &bundles[way], print("b%d", way));
        bundle_config(&bundles[way], &(struct config){.args = "payload-sleep 100", .namespaces = namespaces_of((enum way)way)});
    }
    be_peculiar(t);
    world_see(t, &life.before);
    for (int way = 0; way < WAYS; way++) {
        life.options = options_of(t, (enum way)way);
        live(&life, &bundles[way], t->tag);
    }
}

/* ---- children and SIGCHLD ---------------------------------------------------------------------- */

static void make_exit(struct t *t, struct bundle *b, const char *name, const char *args, enum way way) {
    bundle_make(t, b, name);
    bundle_config(b, &(struct config){.args = args, .namespaces = namespaces_of(way)});
}

static char *hooks_around(const struct bundle *b) {
    char *hook = print("{\"path\":\"%s/payload\",\"args\":[\"hook\",\"payload-exit\",\"0\"]}", b->rootfs);
    return print("\"hooks\":{\"createRuntime\":[%s],\"poststop\":[%s]}", hook, hook);
}

/* All ways: it works, or, when `excuse` is given, is refused with this word. */
static void run_all_ways(struct t *t, const char *what, bool hooks, const char *excuse) {
    for (int way = 0; way < WAYS; way++) {
        struct bundle b;
        ocirt_options options = options_of(t, (enum way)way);
        ocirt_error error;
        ocirt_exit end;
        bundle_make(t, &b, print("w%d", way));
        bundle_config(&b, &(struct config){.args = "payload-exit 7", .namespaces = namespaces_of((enum way)way),
                                           .top = hooks ? hooks_around(&b) : NULL});
        int r = run_bundle(&b, t->tag, &options, &end, &error);
        bool excused = r < 0 && excuse && (strstr(error.message, excuse) || strstr(error.hint, excuse));
        EXPECT(r == 0 || excused, "%s, %s: %s", what, way_names[way], error.message);
        EXPECT(r < 0 || end.code == 7, "%s, %s: code %d", what, way_names[way], end.code);
    }
}

/* A child of the host ends while the container runs, and is the host's to wait for. */
static void own_child_is_ours(struct t *t) {
    struct bundle b;
    struct snap *before;
    need_ocirt();
    for (int way = 0; way < WAYS; way++) {
        ocirt_options options = options_of(t, (enum way)way);
        ocirt_error error;
        ocirt_exit end;
        int ends[2], status = 0;
        make_exit(t, &b, print("b%d", way), "payload-exit 7", (enum way)way);
        CHECK_SYS(pipe2(ends, O_CLOEXEC));
        pid_t child = fork();
        if (child == 0) {
            close(ends[1]);
            char byte;
            _exit(read(ends[0], &byte, 1) == 0 ? 42 : 1);
        }
        close(ends[0]);
        close(ends[1]); /* it ends from now on */
        int r = run_bundle(&b, t->tag, &options, &end, &error);
        CHECK(r == 0 && end.code == 7, "%s: code %d: %s", way_names[way], end.code, error.message);
        CHECK_INT(waitpid(-1, &status, 0), child);
        CHECK_INT(WEXITSTATUS(status), 42);
        CHECK_INT(waitpid(-1, &status, WNOHANG), -1);
        CHECK_INT(errno, ECHILD);
    }
    before = snap_take(t, 0);
    CHECK_SNAP(t, before);
}

static volatile sig_atomic_t children_seen;

static void on_child(int number) {
    (void)number;
    children_seen++;
}

static void sigchld_handled(struct t *t) {
    need_ocirt();
    handle(SIGCHLD, on_child, 0);
    run_all_ways(t, "SIGCHLD handled", true, NULL);
    CHECK_OK(children_seen > 0);
    CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
}

static void sigchld_blocked(struct t *t) {
    need_ocirt();
    block(SIGCHLD);
    run_all_ways(t, "SIGCHLD blocked", true, NULL);
    CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
}

/* The kernel then reaps every child at once, and before 6.15 no one can learn how it ended: a
 * refusal that says why is as good. What happened must not be made up. */
static void without_status(struct t *t, const char *what) {
    need_ocirt();
    run_all_ways(t, print("%s, no hooks", what), false, "SIGCHLD");
    run_all_ways(t, print("%s, hooks", what), true, "SIGCHLD");
}

static void sigchld_ignored(struct t *t) {
    handle(SIGCHLD, SIG_IGN, 0);
    without_status(t, "SIGCHLD ignored");
}

static void sigchld_not_waited(struct t *t) {
    handle(SIGCHLD, on_child, SA_NOCLDWAIT);
    without_status(t, "SA_NOCLDWAIT");
}

/* A handler without SA_RESTART runs all the time: every slow call is interrupted. */
static void interruptions(struct t *t) {
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    need_ocirt();
    handle(SIGALRM, on_child, 0);
    CHECK_SYS(setitimer(ITIMER_REAL, &often, NULL));
    for (int i = 0; i < 5; i++) run_all_ways(t, "interrupted", true, NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK_OK(children_seen > 0);
}

/* ---- host and init at other speeds ------------------------------------------------------------- */

struct speeds {
    struct t *t;
    struct bundle bundle;
    enum way way;
};

static void live_once(void *user) {
    struct speeds *speeds = user;
    ocirt_options options = options_of(speeds->t, speeds->way);
    ocirt_container made;
    ocirt_error error;
    ocirt_exit end;
    CHECK(create_bundle(&speeds->bundle, speeds->t->tag, &options, &made, &error) == 0, "create: %s", error.message);
    CHECK(ocirt_start(speeds->t->tag, &options, &error) == 0, "start: %s", error.message);
    CHECK(ocirt_wait(&made, -1, &end, &error) == 0, "wait: %s", error.message);
    CHECK_INT(end.code, 7);
    CHECK(ocirt_delete(speeds->t->tag, &options, &error) == 0, "delete: %s", error.message);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1, "create has left another child");
    _exit(0);
}

/* Init is slow to begin, so it finds that its turn has come and need not wait. The host is slow to
 * say so, and finds in turn that init has done everything meanwhile. Then init is slow to listen: the
 * host is gone from the conversation when it does. */
static struct drive_action slow_to_listen(void *user, struct call *call) {
    static bool spoke;
    (void)user;
    if (call->role == 0 && call->nr == SYS_sendto && call->nth == 1) return (struct drive_action){DRIVE_HOLD, 400};
    if (call->role == 1 && call->in_role == 1) return (struct drive_action){DRIVE_HOLD, 100};
    if (call->role == 1 && call->nr == SYS_sendto) spoke = true;
    if (call->role == 1 && call->nr == SYS_read && spoke) {
        spoke = false;
        return (struct drive_action){DRIVE_HOLD, 800};
    }
    return (struct drive_action){DRIVE_GO, 0};
}

/* The stage has let its child go, and is slow to end. */
static struct drive_action slow_to_end(void *user, struct call *call) {
    (void)user;
    if (call->role == 1 && call->nr == SYS_exit_group) return (struct drive_action){DRIVE_HOLD, 600};
    return (struct drive_action){DRIVE_GO, 0};
}

static void other_speeds(struct t *t, enum way way, struct drive_action (*decide)(void *, struct call *)) {
    struct speeds speeds = {.t = t, .way = way};
    struct drive drive = {.decide = decide, .user = &speeds, .body = live_once};
    need_ocirt();
    make_exit(t, &speeds.bundle, "b", "payload-exit 7", way);
    drive_start(&drive, NULL, NULL);
    drive_run(&drive);
    CHECK_INT(drive.outcome.code, 0);
}

static void slow_init(struct t *t) { other_speeds(t, DIRECT, slow_to_listen); }

static void slow_forked_stage(struct t *t) { other_speeds(t, FORKED, slow_to_end); }

static void slow_executed_stage(struct t *t) { other_speeds(t, EXECUTED, slow_to_end); }

/* ---- memory ------------------------------------------------------------------------------------- */

static long memory_kib(void) {
    char *text = file_read("/proc/self/status", NULL), *at = text ? strstr(text, "VmSize:") : NULL;
    CHECK_OK(at != NULL);
    long size = strtol(at + 7, NULL, 10);
    free(text);
    return size;
}

/* Whatever happened, a call leaves no block and no mapping: the smallest leak is an arena's block, 16 KiB. */
static void memory_comes_back(struct t *t) {
    static struct bundle bundles[FAILURES];
    need_ocirt();
    enum { TIMES = 30, ALLOWED = TIMES * 16 / 2 };
    for (size_t i = 0; i < FAILURES; i++) {
        long before = 0;
        make_failure(t, &bundles[i], &failures[i]);
        for (int n = -3; n < TIMES; n++) {
            ocirt_options options = options_for(t, &failures[i], DIRECT);
            ocirt_error error;
            ocirt_exit end;
            if (n == 0) before = memory_kib();
            run_bundle(&bundles[i], failures[i].id ? failures[i].id : t->tag, &options, &end, &error);
        }
        EXPECT(memory_kib() - before < ALLOWED, "%s: %ld KiB more", failures[i].name, memory_kib() - before);
    }
}

/* ---- many threads --------------------------------------------------------------------------------- */

enum { RUNNERS = 8, ROUNDS = 5, LINGERERS = 20 };

struct runner {
    struct t *t;
    unsigned number;
    struct bundle bundles[ROUNDS];
    const char *id;
    pthread_t thread;
};

static const char *token_of(const struct runner *runner, int round) { return print("<%s.%d>", runner->id, round); }

static void make_runner(struct t *t, struct runner *runner, unsigned number) {
    *runner = (struct runner){.t = t, .number = number, .id = print("%s-%u", t->tag, number)};
    for (int round = 0; round < ROUNDS; round++) {
        const char *token = token_of(runner, round);
        make_exit(t, &runner->bundles[round], print("b%u-%d", number, round),
                  print("payload-script write /result %s -- echo %s -- exit %u", token, token, 10 + number), number % WAYS);
    }
}

static void *run_rounds(void *user) {
    struct runner *runner = user;
    for (int round = 0; round < ROUNDS; round++) {
        const struct bundle *b = &runner->bundles[round];
        ocirt_options options = options_of(runner->t, runner->number % WAYS);
        ocirt_error error;
        ocirt_exit end;
        int r = run_bundle(b, runner->id, &options, &end, &error);
        EXPECT(r == 0 && end.code == (int)(10 + runner->number), "%s, round %d: %d, code %d: %s", runner->id, round, r, end.code, r < 0 ? error.message : "");
        const char *result = file_read(print("%s/result", b->rootfs), NULL);
        EXPECT(result && !strcmp(result, token_of(runner, round)), "%s, round %d: wrote %s", runner->id, round, result ? result : "nothing");
    }
    return NULL;
}

/* Meanwhile this process starts others: some become a program, some stay copies of it to the end. */
struct spawner {
    pthread_t thread;
    bool over; /* atomic */
    pid_t lingerers[LINGERERS];
    int lingerers_count, programs;
};

static const char *const list_fds[] = {"test", "payload-ls", "/proc/self/fd", NULL};

static void look_into_program(struct spawner *spawner) {
    int out = memfd_create("listing", MFD_CLOEXEC), status = 0;
    pid_t child = fork();
    if (child == 0) {
        dup2(out, 1);
        execve(test_exe(), (char *const *)(uintptr_t)list_fds, environ);
        _exit(124);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    char *text = fd_read_all(out, NULL);
    CHECK(status == 0 && strstr(text, "0="), "status %x: %s", (unsigned)status, text);
    /* The folder that it lists is open while it lists, and gone when it looks closer. */
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
        EXPECT(!*line || strtol(line, NULL, 10) < 3 || strstr(line, "=ENOENT"), "a descriptor came along: %s", line);
    free(text);
    close(out);
    spawner->programs++;
}

static void leave_copy(struct spawner *spawner) {
    if (spawner->lingerers_count == LINGERERS) return;
    pid_t child = fork();
    if (child == 0)
        for (;;) pause();
    spawner->lingerers[spawner->lingerers_count++] = child;
}

static void *spawn(void *user) {
    struct spawner *spawner = user;
    while (!__atomic_load_n(&spawner->over, __ATOMIC_ACQUIRE)) {
        look_into_program(spawner);
        leave_copy(spawner);
    }
    return NULL;
}

static void spawner_end(struct spawner *spawner) {
    __atomic_store_n(&spawner->over, true, __ATOMIC_RELEASE);
    pthread_join(spawner->thread, NULL);
    for (int i = 0; i < spawner->lingerers_count; i++) {
        kill(spawner->lingerers[i], SIGKILL);
        CHECK_INT(waitpid(spawner->lingerers[i], NULL, 0), spawner->lingerers[i]);
    }
    CHECK_OK(spawner->programs > 0);
}

static unsigned count_of(const char *text, const char *part) {
    unsigned n = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) n++;
    return n;
}

static void many_threads(struct t *t) {
    static struct runner runners[RUNNERS];
    static struct spawner spawner;
    need_ocirt();
    for (unsigned i = 0; i < RUNNERS; i++) make_runner(t, &runners[i], i);
    int output = open(print("%s/output", t->dir), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644), old = dup(1);
    fcntl(old, F_SETFD, FD_CLOEXEC);
    CHECK_SYS(dup2(output, 1));
    CHECK_OK(pthread_create(&spawner.thread, NULL, spawn, &spawner) == 0);
    for (unsigned i = 0; i < RUNNERS; i++) CHECK_OK(pthread_create(&runners[i].thread, NULL, run_rounds, &runners[i]) == 0);
    for (unsigned i = 0; i < RUNNERS; i++) pthread_join(runners[i].thread, NULL);
    spawner_end(&spawner);
    dup2(old, 1);
    const char *text = fd_read_all(output, NULL);
    for (unsigned i = 0; i < RUNNERS; i++)
        for (int round = 0; round < ROUNDS; round++)
            EXPECT(count_of(text, print("%s\n", token_of(&runners[i], round))) == 1, "%s is not there once: %s", token_of(&runners[i], round), text);
    CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
}

/* One id, many threads: one of them gets it, the others hear that it is taken. */
static void *race_for_id(void *user) {
    struct runner *runner = user;
    ocirt_options options = options_of(runner->t, DIRECT);
    ocirt_container made;
    ocirt_error error;
    int r = create_bundle(&runner->bundles[0], runner->t->tag, &options, &made, &error);
    if (r == 0) close(made.pidfd);
    EXPECT(r == 0 || r == -OCIRT_E_EXISTS, "%d: %s", r, error.message);
    return r == 0 ? runner : NULL;
}

static void one_id_for_all(struct t *t) {
    static struct runner runners[RUNNERS];
    ocirt_options options = options_of(t, DIRECT);
    ocirt_error error;
    int winners = 0;
    need_ocirt();
    for (unsigned i = 0; i < RUNNERS; i++) {
        make_runner(t, &runners[i], i);
        CHECK_OK(pthread_create(&runners[i].thread, NULL, race_for_id, &runners[i]) == 0);
    }
    for (unsigned i = 0; i < RUNNERS; i++) {
        void *won;
        pthread_join(runners[i].thread, &won);
        winners += won != NULL;
    }
    CHECK_INT(winners, 1);
    options.flags |= OCIRT_FORCE;
    CHECK(ocirt_delete(t->tag, &options, &error) == 0, "%s", error.message);
    CHECK_OK(waitpid(-1, NULL, 0) > 0); /* the winner's init, and no other */
    CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
}

/* ---- a copy of the host ----------------------------------------------------------------------------- */

static void fork_once(void *user, const ocirt_trace *event) {
    pid_t *copy = user;
    (void)event;
    if (*copy) return;
    *copy = fork();
    if (*copy == 0)
        for (;;) pause();
}

/* The host forks in the middle of create, as another of its threads may, and the child lives on with
 * copies of all descriptors of that moment. No later call waits for them. */
static void copy_holds_nothing_up(struct t *t) {
    struct bundle b;
    ocirt_options options = options_of(t, DIRECT);
    ocirt_container made;
    ocirt_error error;
    ocirt_exit end;
    pid_t copy = 0;
    need_ocirt();
    make_exit(t, &b, "b", "payload-exit 7", DIRECT);
    options.trace = fork_once, options.user = &copy;
    CHECK(create_bundle(&b, t->tag, &options, &made, &error) == 0, "create: %s", error.message);
    CHECK_OK(copy > 0);
    CHECK(ocirt_start(t->tag, &options, &error) == 0, "start: %s", error.message);
    CHECK(ocirt_wait(&made, -1, &end, &error) == 0, "wait: %s", error.message);
    CHECK_INT(end.code, 7);
    CHECK(ocirt_delete(t->tag, &options, &error) == 0, "delete: %s", error.message);
    close(made.pidfd);
    kill(copy, SIGKILL);
    CHECK_INT(waitpid(copy, NULL, 0), copy);
}

/* ---- closed standard descriptors ---------------------------------------------------------------------- */

/* "0 -> TARGET\n..." of a process, its folder of descriptors itself left out. */
static char *descriptors(pid_t pid) {
    struct text out = {0};
    struct dirent **list = NULL;
    char *folder = print("/proc/%d/fd", (int)pid);
    int n = scandir(folder, &list, NULL, alphasort);
    CHECK(n >= 0, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        char target[4096];
        ssize_t length = readlink(print("%s/%s", folder, list[i]->d_name), target, sizeof target);
        if (length > 0) text_add(&out, "%s -> %.*s\n", list[i]->d_name, (int)length, target);
    }
    text_add(&out, "%s", "");
    return out.at;
}

/* What the container has: each closed one is the null device, the others are the host's. */
static char *filled(unsigned closed) {
    struct text out = {0};
    for (int n = 0; n < 3; n++) {
        char target[4096];
        ssize_t length = readlink(print("/proc/self/fd/%d", n), target, sizeof target);
        if (closed >> n & 1) text_add(&out, "%d -> /dev/null\n", n);
        else text_add(&out, "%d -> %.*s\n", n, (int)length, target);
    }
    return out.at;
}

struct closed_host {
    struct t *t;
    struct bundle sleeps, exits;
    const char *hooked; /* file that the poststart hook writes */
};

/* In a child of its own, which has these descriptors closed. */
static void live_with_closed(const struct closed_host *host, unsigned closed, enum way way) {
    ocirt_options options = options_of(host->t, way);
    ocirt_container made = {0};
    ocirt_error error;
    ocirt_exit end;
    const char *id = host->t->tag;
    for (int n = 0; n < 3; n++)
        if (closed >> n & 1) close(n);
    char *before = descriptors(getpid()), *want = filled(closed);
    CHECK(create_bundle(&host->sleeps, id, &options, &made, &error) == 0, "closed %u, %s: create: %s", closed, way_names[way], error.message);
    close(made.pidfd);
    CHECK_TEXT(descriptors(getpid()), before);
    CHECK(ocirt_start(id, &options, &error) == 0, "closed %u, %s: start: %s", closed, way_names[way], error.message);
    CHECK_TEXT(descriptors(made.pid), want);
    CHECK_TEXT(descriptors(getpid()), before);
    options.flags |= OCIRT_FORCE;
    CHECK(ocirt_delete(id, &options, &error) == 0, "closed %u, %s: delete: %s", closed, way_names[way], error.message);
    CHECK_INT(waitpid(made.pid, NULL, 0), made.pid);
    int r = run_bundle(&host->exits, id, &options, &end, &error);
    CHECK(r == 0 && end.code == 7, "closed %u, %s: run: code %d: %s", closed, way_names[way], end.code, r < 0 ? error.message : "");
    CHECK_TEXT(descriptors(getpid()), before);
    CHECK_HAS(file_read(host->hooked, NULL), "\"status\":\"running\"");
    CHECK_SYS(unlink(host->hooked));
}

static void closed_descriptors(struct t *t) {
    need_ocirt();
    for (int way = 0; way < WAYS; way++) {
        struct closed_host host = {.t = t, .hooked = print("%s/hooked%d", t->dir, way)};
        bundle_make(t, &host.sleeps, print("s%d", way));
        const char *hook = print("\"hooks\":{\"poststart\":[{\"path\":\"%s/payload\",\"args\":[\"hook\",\"payload-hook\",\"%s\",\"poststart\"]}]}",
                                 host.sleeps.rootfs, host.hooked);
        bundle_config(&host.sleeps, &(struct config){.args = "payload-sleep 100", .namespaces = namespaces_of((enum way)way), .top = hook});
        make_exit(t, &host.exits, print("e%d", way), "payload-exit 7", (enum way)way);
        for (unsigned closed = 0; closed < 8; closed++) {
            pid_t child = fork();
            if (child == 0) {
                live_with_closed(&host, closed, (enum way)way);
                _exit(0);
            }
            CHECK_INT(waitpid(child, NULL, 0), child);
        }
    }
}

const struct test host_tests[] = {
    {"host.run_changes_nothing", run_changes_nothing, 0, 0},
    {"host.foreground_changes_nothing", foreground_changes_nothing, 0, 0},
    {"host.failing_run_changes_nothing", failing_run_changes_nothing, 0, 60},
    {"host.failing_create_changes_nothing", failing_create_changes_nothing, 0, 60},
    {"host.life_cycle_changes_nothing", life_cycle_changes_nothing, 0, 60},
    {"host.own_child_is_ours", own_child_is_ours, 0, 0},
    {"host.sigchld_handled", sigchld_handled, 0, 0},
    {"host.sigchld_blocked", sigchld_blocked, 0, 0},
    {"host.sigchld_ignored", sigchld_ignored, 0, 0},
    {"host.sigchld_not_waited", sigchld_not_waited, 0, 0},
    {"host.interruptions", interruptions, 0, 0},
    {"host.slow_init", slow_init, 0, 0},
    {"host.slow_forked_stage", slow_forked_stage, 0, 0},
    {"host.slow_executed_stage", slow_executed_stage, 0, 0},
    {"host.memory_comes_back", memory_comes_back, 0, 60},
    {"host.many_threads", many_threads, 0, 60},
    {"host.one_id_for_all", one_id_for_all, 0, 0},
    {"host.copy_holds_nothing_up", copy_holds_nothing_up, 0, 5},
    {"host.closed_descriptors", closed_descriptors, 0, 30},
    {0},
};
