/* test.h: what the files of the test program share.
 *
 * One static program is the tester, the command under test and the payload of every container:
 *   argv[0] is "ocirt"          it is the command line of ../ocirt.c        (cli.c)
 *   argv[1] is "payload-..."    it is what runs inside a container          (payload.c)
 *   argv[0] is "criu"           it plays the criu of a test                 (run_checkpoint.c)
 *   argv[1] is "embed"          it is a program that includes the header    (secure.c)
 *   process 1                   it is the init of a test machine            (init.c)
 *   otherwise                   it runs tests                               (main.c, runner.c)
 *
 * A test is a function. It runs in a process of its own, below a keeper that limits its time, and
 * that fails it when it leaves a process, a mount, a cgroup behind. So tests allocate and do not
 * free, and a failed CHECK simply ends the process.
 */
#ifndef TEST_H
#define TEST_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__GNUC__)
#define TEST_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#define TEST_NORETURN __attribute__((__noreturn__))
#else
#define TEST_PRINTF(text, first)
#define TEST_NORETURN
#endif

/* ---- a test and its table ----------------------------------------------------------------- */

#define TEST_ROOT 1u       /* only as root; as a user it is skipped, key "root" */
#define TEST_USER 2u       /* only as an ordinary user; as root it is skipped, key "user" */
#define TEST_HOST_MOUNT 4u /* runs in the mount namespace of the runner, not in one of its own */
#define TEST_ALONE 8u      /* never beside another test, whatever -j says */
#define TEST_LEAVES 16u    /* what it leaves behind is cleared away without being a failure */

struct t {
    const char *name; /* of the running test */
    char dir[320];    /* its temporary folder, mode 0755, empty at the start */
    char state[340];  /* dir/state, given to ocirt as --root; not made by the harness */
    char tag[64];     /* unique on this machine; container ids and cgroup names must contain it */
    bool alone;       /* nothing else makes objects on this machine now: SNAP looks at everything */
};

struct test {
    const char *name;
    void (*run)(struct t *t);
    unsigned flags;
    unsigned seconds; /* time limit, 0: 20; multiplied by OCIRT_TIME (slow machines) */
};

/* Each file of tests defines one table, ended by a null row, and main.c lists it:
 *   const struct test thing_tests[] = {
 *       {"thing.does_this", does_this, 0, 0},
 *       {0},
 *   };                                                                                          */

/* ---- checks ------------------------------------------------------------------------------- */

/* CHECK ends the test, EXPECT notes the failure and goes on (for sweeps). Both work in forked
 * children of the test as well, where CHECK ends that child. */
#define CHECK(cond, ...) ((cond) ? (void)0 : test_fatal(__FILE__, __LINE__, #cond, __VA_ARGS__))
#define EXPECT(cond, ...) ((cond) ? (void)0 : test_failed(__FILE__, __LINE__, #cond, __VA_ARGS__))
#define CHECK_OK(cond) ((cond) ? (void)0 : test_fatal(__FILE__, __LINE__, #cond, "%s", ""))
#define CHECK_SYS(call) \
    ((call) >= 0 ? (void)0 : test_fatal(__FILE__, __LINE__, #call, "%s", strerror(errno)))
#define CHECK_INT(got, want) \
    test_check_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))
#define CHECK_TEXT(got, want) test_check_text(__FILE__, __LINE__, #got, (got), (want))
#define CHECK_HAS(got, part) test_check_has(__FILE__, __LINE__, #got, (got), (part))

/* A skip has a key, a word for what the machine lacks: "root", "user", "kernel", "cgroup",
 * "controller", "userns", "tool", "ocirt", ... With OCIRT_CI=1 in the environment a skip fails,
 * unless its key is listed in OCIRT_SKIP_OK (words between commas). */
#define SKIP(key, ...) test_skip((key), __VA_ARGS__)

TEST_NORETURN void test_fatal(const char *file, int line, const char *what, const char *format, ...)
    TEST_PRINTF(4, 5);
void test_failed(const char *file, int line, const char *what, const char *format, ...)
    TEST_PRINTF(4, 5);
TEST_NORETURN void test_skip(const char *key, const char *format, ...) TEST_PRINTF(2, 3);
void test_check_int(const char *file, int line, const char *what, long long got, long long want);
void test_check_text(const char *file, int line, const char *what, const char *got,
                     const char *want);
void test_check_has(const char *file, int line, const char *what, const char *got,
                    const char *part);

void need_root(void);
void need_ocirt(void); /* skips while ../ocirt.c is not compiled in */
void need_kernel(int major, int minor);
void need_userns(void);                 /* may this process make a user namespace? */
void need_controller(const char *name); /* in the cgroup2 hierarchy, for our own use */

/* ---- runner ------------------------------------------------------------------------------- */

struct totals {
    unsigned passed, failed, skipped;
};
struct run_options {
    char *const *patterns; /* globs over test names; ended by NULL */
    unsigned jobs;
    unsigned seconds;   /* when not 0: the limit of every test */
    bool verbose, keep; /* show output of passing tests; leave the temporary folders */
};
/* `tables` is ended by NULL. Used with tables of their own by the tests of the harness. */
struct totals run_tables(const struct test *const *tables, const struct run_options *options,
                         FILE *out);
void totals_print(struct totals totals, FILE *out); /* "N passed, N failed, N skipped" */
extern const struct test *const test_tables[];      /* main.c: all of them */

/* ---- text, files, time (util.c) ------------------------------------------------------------ */

struct text { /* grows, always ended by a zero byte; {0} is the empty text */
    char *at;
    size_t n, room;
};
void text_add(struct text *text, const char *format, ...) TEST_PRINTF(2, 3);
void text_add_bytes(struct text *text, const char *bytes, size_t n);
void text_add_escaped(struct text *text, const char *bytes, size_t n); /* one line: \n \\ \xNN */
void text_add_json(struct text *text, const char *string);             /* quoted */
void text_free(struct text *text);

void *remember(void *block); /* a block that nobody frees: keeps leak checkers quiet */
char *print(const char *format, ...) TEST_PRINTF(1, 2); /* into fresh memory */
char *file_read(const char *path, size_t *out_n);       /* whole; NULL and errno on failure */
char *fd_read_all(int fd, size_t *out_n);               /* from offset 0 if it can seek */
void file_write(const char *path, const char *format, ...) TEST_PRINTF(2, 3); /* CHECKed, 0644 */
bool file_put(const char *path, const char *text); /* no O_CREAT: for /proc and cgroups */
void make_dirs(const char *path, mode_t mode);     /* like mkdir -p, CHECKed */
bool remove_tree(const char *path);                /* does not follow links or cross mounts */
bool copy_file(const char *from, const char *to, mode_t mode);
double now(void);        /* seconds, monotonic */
double time_scale(void); /* OCIRT_TIME, at least 1 */
void nap(double seconds);
bool word_in_list(const char *word, const char *list); /* words between commas */
const char *cgroup_mount(void);                        /* of cgroup2, or NULL */
char *cgroup_own(void);                                /* own path in it: "/user/run" */
const char *errno_name(int error);                     /* "ENOENT" */

/* ---- running commands (run.c) --------------------------------------------------------------- */

struct outcome {
    int status;     /* as wait gives it */
    int code;       /* exit code, 128+N after signal N, -1 while it runs */
    bool timed_out; /* it was killed by the harness */
    double seconds;
    char *out, *err; /* captured; never NULL */
    size_t out_n, err_n;
    int out_fd, err_fd; /* memory files, so that a container which outlives the command can go on */
};

struct command {
    const char *exe;           /* NULL: this program itself */
    const char *const *argv;   /* ended by NULL */
    const char *const *env;    /* NULL: our own */
    const char *cwd;           /* NULL: stay */
    const char *input;         /* text on stdin; NULL: /dev/null */
    double seconds;            /* limit, 0: 10, scaled */
    void (*child)(void *user); /* called in the child just before exec */
    void *user;
    int out_fd, err_fd; /* when above 0: used instead of capturing */
};
pid_t command_start(const struct command *command, struct outcome *out); /* does not wait */
void command_wait(pid_t pid, double seconds, struct outcome *out);       /* kills it when late */
void command_run(const struct command *command, struct outcome *out);
void outcome_refresh(struct outcome *out); /* reads again what came since */
void outcome_free(struct outcome *out);
bool wait_until(pid_t pid, double seconds, int *status); /* reaps; false when time is over */
void reap_all(void);        /* zombies that were handed to us as the subreaper */
const char *test_exe(void); /* this program; OCIRT_TEST_EXE names another */

/* ---- bundles and the command under test (bundle.c) ------------------------------------------ */

struct bundle {
    char path[360], rootfs[380], config[380];
};

/* What differs from the default config. A fragment is the inside of a JSON object ("\"a\":1") or
 * array; a member that a fragment sets replaces the default one of that name. The default: root
 * in new pid, mount, ipc, uts namespaces (and a user namespace that maps the caller to 0 when the
 * caller is not root), proc on /proc, /dev as tmpfs, args payload-report, cwd "/", no capability. */
struct config {
    const char *args;       /* words after /payload: "payload-exit 3"; or a JSON array: "[...]" */
    const char *process;    /* members of process */
    const char *root;       /* members of root */
    const char *mounts;     /* elements, after the default ones */
    const char *linux_;     /* members of linux */
    const char *namespaces; /* words: "pid mount user"; or a JSON array. NULL: the default */
    const char *top;        /* members of the whole: "\"hostname\":\"x\"" */
    bool no_mounts;         /* without the default mounts */
};
#define DEFAULT_NAMESPACES "pid mount ipc uts"
/* Root in a user namespace is this id outside, when root runs the tests. */
#define TEST_FIRST_ID 100000u

const char *payload_exe(void); /* what is copied into root file systems */
void bundle_make(struct t *t, struct bundle *bundle,
                 const char *name); /* dir/name with rootfs/payload */
void bundle_config(struct bundle *bundle, const struct config *config); /* NULL: all default */
void bundle_write(struct bundle *bundle, const char *format, ...) TEST_PRINTF(2, 3);
char *config_text(const struct config *config);

/* The command line with --root t->state before `args`. */
void run_ocirt_list(struct t *t, struct outcome *out, const char *const *args);
#define run_ocirt(t, out, ...) run_ocirt_list((t), (out), (const char *const[]){__VA_ARGS__, NULL})
const char **ocirt_argv(struct t *t, const char *const *args); /* fresh: ocirt --root STATE args */

/* bundle, config, `ocirt run`, exit code 0 checked: the report of a container in one line. */
void run_report(struct t *t, const struct config *config, struct outcome *out);

/* The payload's report is lines of key=value. Values are in fresh memory and still
 * escaped (\n, \xNN). */
const char *report_get(const struct outcome *out, const char *key); /* first, or NULL */
const char *report_nth(const struct outcome *out, const char *key, unsigned index); /* from 0 */
const char *report_mount(const struct outcome *out, const char *target); /* last mountinfo line */
#define CHECK_REPORT(out, key, want) \
    test_check_text(__FILE__, __LINE__, key, report_get((out), (key)), (want))

/* ---- SNAP: what the world looks like (snap.c) ------------------------------------------------ */

/* A snapshot is lines of text, sorted; a difference is the lines that only one of two has. It
 * holds: descendants of the test with start time, and their namespaces; processes in cgroups with
 * the test's tag; own descriptors; own mountinfo; cgroups; the state root and the test's folder
 * (not what is inside a rootfs); IPC; network devices; tagged names in /tmp, /run, /dev/shm; and
 * the process-wide state of this process. With t->alone also all cgroups, keys, BPF programs and
 * the top of /tmp, /run, /dev/shm, whoever made them. */
#define SNAP_ROOTFS 1u /* what is inside the rootfs folders too */
#define SNAP_HOST 2u   /* mountinfo of process 1 too */
struct snap;
struct snap *snap_take(struct t *t, unsigned flags);
bool snap_diff(const struct snap *before, const struct snap *after,
               struct text *out); /* true: equal */
void snap_free(struct snap *snap);
/* Compares with now, for up to 1 s until equal. Does not reap: see reap_all. */
bool snap_same(struct t *t, const struct snap *before, struct text *out);
#define CHECK_SNAP(t, before)                                          \
    do {                                                               \
        struct text snap_text = {0};                                   \
        bool snap_equal = snap_same((t), (before), &snap_text);        \
        CHECK(snap_equal, "the world has changed:\n%s", snap_text.at); \
        text_free(&snap_text);                                         \
    } while (0)

/* ---- TRIP: a tripwire beside the rootfs (trip.c) ---------------------------------------------- */

/* A folder of the host with a secret file, a subfolder, a FIFO, a socket, a link, and a device
 * node if this process may make one. Each is watched: opening one is an event, and so is all else. */
struct trip {
    char path[400]; /* dir/NAME; in it: secret sub sub/file fifo socket link node */
    int watch_fd;
    struct text before;
};
void trip_make(struct t *t, struct trip *trip, const char *name);
bool trip_check(struct trip *trip,
                struct text *out); /* true: untouched since made or last checked */
#define CHECK_TRIP(trip)                                                  \
    do {                                                                  \
        struct text trip_text = {0};                                      \
        bool trip_untouched = trip_check((trip), &trip_text);             \
        CHECK(trip_untouched, "the host was touched:\n%s", trip_text.at); \
        text_free(&trip_text);                                            \
    } while (0)

/* ---- the ptrace driver: STOP, INJ, KILL, LIE, AUDIT (drive.c) ---------------------------------- */

/* A system call of a traced process. Roles are numbered in the order of birth: 0 is the command,
 * 1 its first child (or thread), ... Roles run beside each other, so only (role, in_role) and
 * (role, nr, nth) name the same call in each run; the global number n does not always. */
struct call {
    struct drive *drive;
    unsigned n; /* among all, from 1 */
    unsigned role;
    unsigned in_role; /* among the calls of its role, from 1 */
    unsigned nth;     /* among the calls of its role with this nr, from 1 */
    pid_t pid;
    long nr;
    uint64_t args[6];
    const char *path, *path2; /* strings that path arguments point to, NULL when there is none */
    int dirfd, dirfd2;        /* what they are relative to, AT_FDCWD for calls without one */
    uint64_t how[3];          /* of openat2: flags, mode, resolve */
    bool forced;              /* not carried out: by decide */
    bool done;                /* result is known (never for exit, or when killed in the call) */
    long long result;         /* as the kernel returns it, errors are negative */
};

enum drive_what {
    DRIVE_GO,    /* carry the call out */
    DRIVE_FAIL,  /* do not; it returns -value, an errno */
    DRIVE_LIE,   /* do not; it returns value */
    DRIVE_KILL,  /* SIGKILL to the roles in the mask `value`, before the call; then go on */
    DRIVE_HOLD,  /* keep this process stopped for `value` milliseconds; the others run on */
    DRIVE_LEAVE, /* trace this process no more */
};
#define DRIVE_SELF (1ll << 62)     /* in a DRIVE_KILL mask: the role that makes the call */
#define DRIVE_ROLE(r) (1ll << (r)) /* roles 0 to 59 */
#define DRIVE_ALL ((1ll << 60) - 1)
struct drive_action {
    enum drive_what what;
    long long value;
};

struct tracee {
    pid_t pid;
    unsigned role;
    bool alive, traced; /* alive and not traced: it became the payload, or was let go */
    int status;         /* as wait gives it, once it is not alive */
    bool in_call, forced;
    struct drive_action action; /* of the call that it is in */
    size_t index;               /* of that call in drive.calls */
    double hold;                /* time of going on, 0: not held */
    unsigned calls, counts[512];
};

struct drive {
    /* Set by the test; all may be zero. */
    struct drive_action (*decide)(void *user,
                                  struct call *call); /* before each call; may do anything */
    void (*after)(void *user, struct call *call);     /* after each call that returned */
    void *user;
    void (*body)(void *user); /* traced in a forked child, instead of a command; user as above */
    double seconds;           /* limit, 0: 10, scaled */
    bool follow; /* go on until all roles ended, not only until role 0 ended and all is quiet */
    /* Results. */
    struct outcome outcome; /* of role 0 */
    struct call *calls;     /* the trace; path strings live as long as it */
    size_t n_calls;
    struct tracee *tracees; /* by role */
    unsigned n_tracees;
    bool timed_out;
    /* Private. */
    bool counting;
    double last_event;
};
/* Starts `argv` (NULL: drive->body) stopped; counting begins after its exec. A process that execs
 * a program whose argv[1] begins with "payload-" is let go. */
void drive_start(struct drive *drive, const char *const *argv, const char *const *env);
void drive_attach(struct drive *drive, pid_t pid); /* one more role: a process that runs already */
void drive_run(struct drive *drive);
void drive_free(struct drive *drive);
/* drive_start with ocirt --root t->state ARGS, and drive_run. */
void drive_ocirt_list(struct t *t, struct drive *drive, const char *const *args);
#define drive_ocirt(t, drive, ...) \
    drive_ocirt_list((t), (drive), (const char *const[]){__VA_ARGS__, NULL})
/* A ready-made decide: one action at the calls that match. For sweeps: run once with {0}, then once
 * for each of drive.calls with its role, nr, and nth. */
struct aim {
    unsigned role;
    long nr;          /* -1: any */
    const char *path; /* NULL: any */
    unsigned nth;     /* 0: any */
    bool always;      /* from nth on */
    struct drive_action action;
    unsigned hits; /* counts */
};
struct drive_action drive_aim(void *user, struct call *call); /* user is a struct aim */
/* Inside decide and after: memory of the caller. */
bool drive_peek(const struct call *call, uint64_t address, void *buffer, size_t n);
bool drive_poke(const struct call *call, uint64_t address, const void *buffer, size_t n);
const char *call_name(long nr);     /* "openat", or "call_999" */
long call_number(const char *name); /* -1 when unknown on this architecture */
void call_print(const struct call *call, struct text *out);    /* one line */
void drive_print(const struct drive *drive, struct text *out); /* the whole trace */

/* ---- the payload (payload.c), the machine's init (init.c), the command (cli.c) --------------- */

int payload_main(int argc, char **argv); /* argv[0] is the verb */
int init_main(char **argv);
void selinux_load_policy(void); /* the machine's, where it has none (run_lsm.c) */
int ocirt_cli_main(int argc, char **argv);
int embed_main(int argc, char **argv);
int criu_main(int argc, char **argv); /* run_checkpoint.c */
extern const bool have_ocirt;

#endif
