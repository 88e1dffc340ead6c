/* drive.c: the ptrace driver, see test.h.
 *
 * Every process of the command is seized and stops before and after each system call. A call that
 * is not to be carried out gets the number -1 before it, and its result after it. Waiting is for
 * known processes one by one, since the test has other children whose status is not ours to take;
 * SIGCHLD, blocked meanwhile, says when to look.
 */
#include "test.h"
#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

/* The kernel's own, as musl and glibc differ in names. */
enum {
    TRACE_PEEKDATA = 2,
    TRACE_POKEDATA = 5,
    TRACE_SYSCALL = 24,
    TRACE_DETACH = 17,
    TRACE_GETEVENTMSG = 0x4201,
    TRACE_GETREGSET = 0x4204,
    TRACE_SETREGSET = 0x4205,
    TRACE_SEIZE = 0x4206,
    TRACE_INTERRUPT = 0x4207,
    TRACE_LISTEN = 0x4208,
    TRACE_GET_SYSCALL_INFO = 0x420e,
    EVENT_FORK = 1,
    EVENT_VFORK = 2,
    EVENT_CLONE = 3,
    EVENT_EXEC = 4,
    EVENT_STOPPED = 128,
    OPTION_SYSGOOD = 1,
    OPTION_FORK = 1 << EVENT_FORK,
    OPTION_VFORK = 1 << EVENT_VFORK,
    OPTION_CLONE = 1 << EVENT_CLONE,
    OPTION_EXEC = 1 << EVENT_EXEC,
    OPTION_EXITKILL = 1 << 20,
    STOP_AT_ENTRY = 1,
    STOP_AT_EXIT = 2
};

struct call_info { /* struct ptrace_syscall_info */
    uint8_t op, pad[3];
    uint32_t arch;
    uint64_t ip, sp;
    union {
        struct {
            uint64_t nr, args[6];
        } entry;
        struct {
            int64_t result;
            uint8_t is_error;
        } exit;
    } u;
};

static long trace(int request, pid_t pid, uintptr_t address, const void *data) {
    return syscall(SYS_ptrace, (long)request, (long)pid, address, data);
}

/* ---- names ---- */

struct call_row {
    const char *name;
    short x86_64, arm64;
    signed char dirfd, path, dirfd2, path2;
};
static const struct call_row call_rows[] = {
#define CALL(name, x86, arm) {#name, x86, arm, -1, -1, -1, -1},
#define PATH(name, x86, arm, dirfd, path, dirfd2, path2) \
    {#name, x86, arm, dirfd, path, dirfd2, path2},
#include "calls.inc"
#undef CALL
#undef PATH
};
enum { CALL_ROWS = sizeof call_rows / sizeof *call_rows };

static long row_number(const struct call_row *row) {
#if defined(__x86_64__)
    return row->x86_64;
#elif defined(__aarch64__)
    return row->arm64;
#else
#error "the driver knows the registers of x86-64 and arm64 only"
#endif
}

static const struct call_row *row_of(long nr) {
    for (size_t i = 0; nr >= 0 && i < CALL_ROWS; i++)
        if (row_number(&call_rows[i]) == nr) return &call_rows[i];
    return NULL;
}

const char *call_name(long nr) {
    static char other[32];
    const struct call_row *row = row_of(nr);
    if (row) return row->name;
    snprintf(other, sizeof other, "call_%ld", nr);
    return other;
}

long call_number(const char *name) {
    for (size_t i = 0; i < CALL_ROWS; i++)
        if (!strcmp(call_rows[i].name, name)) return row_number(&call_rows[i]);
    return -1;
}

/* ---- memory and registers of a stopped process ---- */

static bool peek(pid_t pid, uint64_t address, void *buffer, size_t n) {
    for (size_t done = 0; done < n;) {
        unsigned long word;
        uint64_t at = (address + done) & ~(uint64_t)(sizeof word - 1);
        size_t skip = (size_t)(address + done - at), part = sizeof word - skip;
        if (part > n - done) part = n - done;
        if (trace(TRACE_PEEKDATA, pid, (uintptr_t)at, &word) < 0) return false;
        memcpy((char *)buffer + done, (char *)&word + skip, part);
        done += part;
    }
    return true;
}

static bool poke(pid_t pid, uint64_t address, const void *buffer, size_t n) {
    for (size_t done = 0; done < n;) {
        unsigned long word;
        uint64_t at = (address + done) & ~(uint64_t)(sizeof word - 1);
        size_t skip = (size_t)(address + done - at), part = sizeof word - skip;
        if (part > n - done) part = n - done;
        if (trace(TRACE_PEEKDATA, pid, (uintptr_t)at, &word) < 0) return false;
        memcpy((char *)&word + skip, (const char *)buffer + done, part);
        if (trace(TRACE_POKEDATA, pid, (uintptr_t)at, (void *)(uintptr_t)word) < 0) return false;
        done += part;
    }
    return true;
}

bool drive_peek(const struct call *call, uint64_t address, void *buffer, size_t n) {
    return peek(call->pid, address, buffer, n);
}

bool drive_poke(const struct call *call, uint64_t address, const void *buffer, size_t n) {
    return poke(call->pid, address, buffer, n);
}

static char *peek_string(pid_t pid, uint64_t address) {
    struct text text = {0};
    char part[8];
    if (!address) return NULL;
    while (text.n < 4096) {
        size_t n = 8 - (size_t)(address & 7); /* never over the end of a page that is not needed */
        if (!peek(pid, address, part, n)) break;
        size_t length = strnlen(part, n);
        text_add_bytes(&text, part, length);
        if (length < n) return text.at;
        address += n;
    }
    text_free(&text);
    return NULL;
}

#if defined(__x86_64__)
enum { REG_COUNT = 27, REG_RESULT = 10, REG_NUMBER = 15 };
#else
enum { REG_COUNT = 34, REG_RESULT = 0 };
#endif

static bool set_register(pid_t pid, int index, uint64_t value) {
    uint64_t regs[REG_COUNT];
    struct iovec io = {regs, sizeof regs};
    if (trace(TRACE_GETREGSET, pid, 1, &io) < 0) return false;
    regs[index] = value;
    return trace(TRACE_SETREGSET, pid, 1, &io) >= 0;
}

static bool skip_call(pid_t pid) {
#if defined(__x86_64__)
    return set_register(pid, REG_NUMBER, (uint64_t)-1);
#else
    int none = -1;
    struct iovec io = {&none, sizeof none};
    return trace(TRACE_SETREGSET, pid, 0x404, &io) >= 0; /* NT_ARM_SYSTEM_CALL */
#endif
}

/* ---- the list of processes ---- */

static struct tracee *add_tracee(struct drive *drive, pid_t pid) {
    drive->tracees =
        remember(realloc(drive->tracees, (drive->n_tracees + 1) * sizeof *drive->tracees));
    if (!drive->tracees) abort();
    struct tracee *tracee = &drive->tracees[drive->n_tracees];
    *tracee =
        (struct tracee){.pid = pid, .role = drive->n_tracees++, .alive = true, .traced = true};
    return tracee;
}

static void resume(struct tracee *tracee, int signal_number) {
    trace(TRACE_SYSCALL, tracee->pid, 0, (void *)(intptr_t)signal_number);
}

/* One that is being killed can't be let go: its end is still ours to wait for before its parent sees it. */
static void let_go(struct tracee *tracee) {
    tracee->traced = trace(TRACE_DETACH, tracee->pid, 0, NULL) < 0;
}

static void kill_roles(struct drive *drive, unsigned self, long long mask) {
    for (unsigned i = 0; i < drive->n_tracees; i++) {
        bool wanted = (i < 60 && mask & DRIVE_ROLE(i)) || (i == self && mask & DRIVE_SELF);
        if (wanted && drive->tracees[i].alive) kill(drive->tracees[i].pid, SIGKILL);
    }
}

/* ---- calls ---- */

static void read_paths(struct call *call) {
    const struct call_row *row = row_of(call->nr);
    call->dirfd = call->dirfd2 = AT_FDCWD;
    if (!row) return;
    if (row->path >= 0) call->path = peek_string(call->pid, call->args[row->path]);
    if (row->path2 >= 0) call->path2 = peek_string(call->pid, call->args[row->path2]);
    if (row->dirfd >= 0) call->dirfd = (int)call->args[row->dirfd];
    if (row->dirfd2 >= 0) call->dirfd2 = (int)call->args[row->dirfd2];
    if (call->nr == call_number("openat2"))
        peek(call->pid, call->args[2], call->how, sizeof call->how);
}

static struct call *add_call(struct drive *drive, struct tracee *tracee,
                             const struct call_info *info) {
    if ((drive->n_calls & (drive->n_calls - 1)) == 0) { /* the room is a power of two */
        size_t room = drive->n_calls ? drive->n_calls * 2 : 1;
        drive->calls = remember(realloc(drive->calls, room * sizeof *drive->calls));
        if (!drive->calls) abort();
    }
    struct call *call = &drive->calls[drive->n_calls];
    long nr = (long)info->u.entry.nr;
    unsigned *count = &tracee->counts[nr >= 0 && nr < 511 ? nr : 511];
    *call = (struct call){.drive = drive,
                          .n = (unsigned)drive->n_calls + 1,
                          .role = tracee->role,
                          .in_role = ++tracee->calls,
                          .nth = ++*count,
                          .pid = tracee->pid,
                          .nr = nr};
    memcpy(call->args, info->u.entry.args, sizeof call->args);
    read_paths(call);
    tracee->index = drive->n_calls++;
    return call;
}

/* These do not return, or return elsewhere: they are always carried out. */
static bool cannot_be_skipped(long nr) {
    return nr == SYS_exit || nr == SYS_exit_group || nr == SYS_rt_sigreturn;
}

/* The callback gets a copy: it may run other things, even another drive, but the array may move. */
static struct drive_action ask(struct drive *drive, struct tracee *tracee) {
    struct call call = drive->calls[tracee->index];
    struct drive_action go = {DRIVE_GO, 0};
    if (!drive->decide) return go;
    struct drive_action action = drive->decide(drive->user, &call);
    bool skips = action.what == DRIVE_FAIL || action.what == DRIVE_LIE;
    return skips && cannot_be_skipped(call.nr) ? go : action;
}

static void on_entry(struct drive *drive, struct tracee *tracee, const struct call_info *info) {
    tracee->in_call = true;
    tracee->action = (struct drive_action){DRIVE_GO, 0};
    if (!drive->counting) {
        drive->counting = drive->body && info->u.entry.nr == SYS_getpid; /* see wait_at_gate */
        resume(tracee, 0);
        return;
    }
    add_call(drive, tracee, info);
    struct drive_action action = ask(drive, tracee);
    tracee->action = action;
    if (action.what == DRIVE_LEAVE) {
        let_go(tracee);
        return;
    }
    if (action.what == DRIVE_HOLD) {
        tracee->hold = now() + (double)action.value / 1000;
        return;
    }
    if (action.what == DRIVE_KILL) kill_roles(drive, tracee->role, action.value);
    if (action.what == DRIVE_FAIL || action.what == DRIVE_LIE)
        tracee->forced = drive->calls[tracee->index].forced = skip_call(tracee->pid);
    resume(tracee, 0);
}

static void on_exit_of_call(struct drive *drive, struct tracee *tracee,
                            const struct call_info *info) {
    long long result = info->u.exit.result;
    bool known = tracee->in_call && drive->counting && tracee->calls > 0;
    if (tracee->forced) {
        result = tracee->action.what == DRIVE_FAIL ? -tracee->action.value : tracee->action.value;
        set_register(tracee->pid, REG_RESULT, (uint64_t)result);
    }
    tracee->in_call = tracee->forced = false;
    if (known) {
        struct call *call = &drive->calls[tracee->index];
        call->done = true;
        call->result = result;
        struct call copy = *call;
        if (drive->after) drive->after(drive->user, &copy);
    }
    resume(tracee, 0);
}

/* ---- events ---- */

static bool became_payload(pid_t pid) {
    size_t n = 0;
    char *text = file_read(print("/proc/%d/cmdline", pid), &n);
    size_t first = text ? strlen(text) + 1 : 0;
    bool found = text && first < n && !strncmp(text + first, "payload-", 8);
    free(text);
    return found;
}

static void on_exec(struct drive *drive, struct tracee *tracee) {
    if (drive->counting && tracee->calls > 0) {
        drive->calls[tracee->index].done = true;
        drive->calls[tracee->index].result = 0;
    }
    if (drive->counting && became_payload(tracee->pid)) {
        let_go(tracee);
        return;
    }
    if (!drive->counting) tracee->in_call = false; /* the exit of this exec is not ours */
    drive->counting = true;
    resume(tracee, 0);
}

static void on_birth(struct drive *drive, struct tracee *tracee) {
    unsigned long pid = 0;
    unsigned role = tracee->role;
    if (trace(TRACE_GETEVENTMSG, tracee->pid, 0, &pid) >= 0 && pid) add_tracee(drive, (pid_t)pid);
    resume(&drive->tracees[role], 0); /* the array may have moved */
}

static void on_call_stop(struct drive *drive, struct tracee *tracee) {
    struct call_info info = {0};
    if (trace(TRACE_GET_SYSCALL_INFO, tracee->pid, sizeof info, &info) < 0)
        return; /* killed meanwhile */
    if (info.op == STOP_AT_ENTRY)
        on_entry(drive, tracee, &info);
    else if (info.op == STOP_AT_EXIT)
        on_exit_of_call(drive, tracee, &info);
    else
        resume(tracee, 0);
}

static bool stops_groups(int number) {
    return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

static void on_stop(struct drive *drive, struct tracee *tracee, int status) {
    int number = WSTOPSIG(status);
    switch (status >> 16) {
    case 0:
        if (number == (SIGTRAP | 0x80))
            on_call_stop(drive, tracee);
        else
            resume(tracee, number);
        break;
    case EVENT_FORK:
    case EVENT_VFORK:
    case EVENT_CLONE: on_birth(drive, tracee); break;
    case EVENT_EXEC: on_exec(drive, tracee); break;
    case EVENT_STOPPED:
        if (stops_groups(number))
            trace(TRACE_LISTEN, tracee->pid, 0, NULL);
        else
            resume(tracee, 0);
        break;
    default: resume(tracee, 0);
    }
}

/* ---- the loop ---- */

static bool look_at(struct drive *drive, unsigned role) {
    struct tracee *tracee = &drive->tracees[role];
    int status;
    if (!tracee->alive || !tracee->traced) return false;
    if (tracee->hold > 0 && now() >= tracee->hold) {
        tracee->hold = 0;
        resume(tracee, 0);
        return true;
    }
    pid_t pid = waitpid(tracee->pid, &status, WNOHANG | __WALL);
    if (pid == 0 || (pid < 0 && errno == EINTR)) return false;
    if (pid > 0 && WIFSTOPPED(status)) {
        on_stop(drive, tracee, status);
        return true;
    }
    tracee->alive = tracee->traced = false;
    tracee->status = pid > 0 ? status : 0;
    return true;
}

static unsigned count_traced(const struct drive *drive) {
    unsigned n = 0;
    for (unsigned i = 0; i < drive->n_tracees; i++)
        n += drive->tracees[i].alive && drive->tracees[i].traced;
    return n;
}

static bool any_held(const struct drive *drive) {
    for (unsigned i = 0; i < drive->n_tracees; i++)
        if (drive->tracees[i].alive && drive->tracees[i].hold > 0) return true;
    return false;
}

static void wait_for_sigchld(const sigset_t *set) {
    struct timespec time = {.tv_nsec = 5000000};
    sigtimedwait(set, NULL, &time);
}

/* Blocked ones have to be stopped before they can be let go; their call is then restarted. */
static void release_all(struct drive *drive) {
    for (unsigned i = 0; i < drive->n_tracees; i++)
        if (drive->tracees[i].alive && drive->tracees[i].traced)
            trace(TRACE_INTERRUPT, drive->tracees[i].pid, 0, NULL);
    for (unsigned i = 0; i < drive->n_tracees; i++) {
        struct tracee *tracee = &drive->tracees[i];
        if (!tracee->alive || !tracee->traced) continue;
        int status;
        bool stopped = waitpid(tracee->pid, &status, __WALL) > 0 && WIFSTOPPED(status);
        if (stopped) let_go(tracee);
        if (stopped && tracee->traced) waitpid(tracee->pid, &status, __WALL);
        if (!stopped || tracee->traced) tracee->alive = tracee->traced = false;
    }
}

static bool known(const struct drive *drive, pid_t pid) {
    for (unsigned i = 0; i < drive->n_tracees; i++)
        if (drive->tracees[i].pid == pid) return true;
    return false;
}

/* One that was born while its parent was being killed is traced, but nobody told us; until it is
   waited for, its parent, being process 1 of a namespace, cannot end. */
static void bury_strangers(const struct drive *drive) {
    DIR *proc = opendir("/proc");
    char *tracer = print("\nTracerPid:\t%d\n", (int)getpid());
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        char *status = pid > 0 && !known(drive, pid) ? file_read(print("/proc/%d/status", (int)pid), NULL) : NULL;
        if (!status || !strstr(status, tracer)) continue;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, WNOHANG | __WALL);
    }
    if (proc) closedir(proc);
}

static void kill_late(struct drive *drive) {
    drive->timed_out = true;
    for (unsigned left = 1; left;) {
        left = 0;
        bury_strangers(drive);
        for (unsigned i = 0; i < drive->n_tracees; i++) {
            struct tracee *tracee = &drive->tracees[i];
            if (!tracee->alive || !tracee->traced) continue;
            kill(tracee->pid, SIGKILL);
            int status, pid = waitpid(tracee->pid, &status, WNOHANG | __WALL);
            if (pid == 0 || (pid > 0 && WIFSTOPPED(status)))
                left++;
            else
                *tracee = (struct tracee){.pid = tracee->pid, .role = i, .status = SIGKILL};
        }
        nap(0.002);
    }
}

static bool settled(const struct drive *drive) {
    const struct tracee *first = &drive->tracees[0];
    if (drive->follow || (first->alive && first->traced) || any_held(drive)) return false;
    return now() - drive->last_event > 0.1 * time_scale();
}

static void loop(struct drive *drive, const sigset_t *sigchld) {
    double end = now() + (drive->seconds > 0 ? drive->seconds : 10) * time_scale();
    drive->last_event = now();
    while (count_traced(drive)) {
        bool any = false;
        for (unsigned i = 0; i < drive->n_tracees; i++) any = look_at(drive, i) || any;
        if (any)
            drive->last_event = now();
        else if (settled(drive))
            release_all(drive);
        else
            wait_for_sigchld(sigchld);
        if (now() - drive->last_event > 0.3) bury_strangers(drive);
        if (now() > end) kill_late(drive);
    }
}

/* ---- the face ---- */

struct drive_action drive_aim(void *user, struct call *call) {
    struct aim *aim = user;
    bool place = !aim->nth || call->nth == aim->nth || (aim->always && call->nth > aim->nth);
    bool kind = call->role == aim->role && (aim->nr < 0 || call->nr == aim->nr);
    bool path = !aim->path || (call->path && !strcmp(call->path, aim->path));
    if (!place || !kind || !path) return (struct drive_action){DRIVE_GO, 0};
    aim->hits++;
    return aim->action;
}

struct gate {
    int fds[2];
    struct drive *drive;
};

static void wait_at_gate(void *user) {
    struct gate *gate = user;
    char go;
    close(gate->fds[1]);
    if (read(gate->fds[0], &go, 1) != 1) _exit(124);
    setenv("LSAN_OPTIONS", "detect_leaks=0", 1); /* LeakSanitizer is a tracer too, and only one may be */
    if (!gate->drive->body) return;
    getpid(); /* counting starts here */
    gate->drive->body(gate->drive->user);
    fflush(NULL);
    _exit(0);
}

static bool seize(pid_t pid) {
    uintptr_t options =
        OPTION_SYSGOOD | OPTION_FORK | OPTION_VFORK | OPTION_CLONE | OPTION_EXEC | OPTION_EXITKILL;
    return trace(TRACE_SEIZE, pid, 0, (void *)options) >= 0;
}

void drive_start(struct drive *drive, const char *const *argv, const char *const *env) {
    static const char *const none[] = {"body", NULL};
    struct gate gate = {.drive = drive};
    CHECK_SYS(pipe2(gate.fds, O_CLOEXEC));
    struct command command = {
        .argv = argv ? argv : none, .env = env, .child = wait_at_gate, .user = &gate};
    pid_t pid = command_start(&command, &drive->outcome);
    close(gate.fds[0]);
    if (!seize(pid)) SKIP("ptrace", "cannot trace: %s", strerror(errno));
    trace(TRACE_INTERRUPT, pid, 0, NULL);
    add_tracee(drive, pid);
    CHECK_INT(write(gate.fds[1], "g", 1), 1);
    close(gate.fds[1]);
}

void drive_attach(struct drive *drive, pid_t pid) {
    CHECK(seize(pid), "seize %d: %s", pid, strerror(errno));
    trace(TRACE_INTERRUPT, pid, 0, NULL);
    if (!drive->n_tracees) drive->counting = true;
    add_tracee(drive, pid);
}

static void set_outcome(struct drive *drive, double seconds) {
    struct outcome *out = &drive->outcome;
    const struct tracee *first = &drive->tracees[0];
    out->status = first->status;
    out->timed_out = drive->timed_out;
    out->seconds = seconds;
    out->code = first->alive                 ? -1
                : WIFSIGNALED(first->status) ? 128 + WTERMSIG(first->status)
                                             : WEXITSTATUS(first->status);
    outcome_refresh(out);
}

void drive_run(struct drive *drive) {
    sigset_t sigchld, before;
    double start = now();
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &sigchld, &before);
    loop(drive, &sigchld);
    sigprocmask(SIG_SETMASK, &before, NULL);
    set_outcome(drive, now() - start);
}

void drive_ocirt_list(struct t *t, struct drive *drive, const char *const *args) {
    need_ocirt();
    const char **argv = ocirt_argv(t, args);
    drive_start(drive, argv, NULL);
    drive_run(drive);
    free(argv);
}

void drive_free(struct drive *drive) {
    for (size_t i = 0; i < drive->n_calls; i++) {
        free((char *)(uintptr_t)drive->calls[i].path);
        free((char *)(uintptr_t)drive->calls[i].path2);
    }
    free(drive->calls);
    free(drive->tracees);
    outcome_free(&drive->outcome);
    drive->calls = NULL;
    drive->tracees = NULL;
    drive->n_calls = drive->n_tracees = 0;
    drive->timed_out = drive->counting = false;
}

void call_print(const struct call *call, struct text *out) {
    const char *paths[2] = {call->path, call->path2};
    text_add(out, "%u role %u #%u %s(", call->n, call->role, call->in_role, call_name(call->nr));
    for (int i = 0; i < 6; i++)
        text_add(out, "%s%#llx", i ? ", " : "", (unsigned long long)call->args[i]);
    text_add(out, ")");
    for (int i = 0; i < 2; i++)
        if (paths[i]) {
            text_add(out, " ");
            text_add_json(out, paths[i]);
        }
    if (!call->done)
        text_add(out, " ...");
    else if (call->result < 0 && call->result > -4096)
        text_add(out, " = %s", errno_name((int)-call->result));
    else
        text_add(out, " = %lld", call->result);
    text_add(out, "%s\n", call->forced ? " (forced)" : "");
}

void drive_print(const struct drive *drive, struct text *out) {
    for (size_t i = 0; i < drive->n_calls; i++) call_print(&drive->calls[i], out);
    text_add(out, "%s", "");
}
