/* run_tty.c: `run` in the foreground with process.terminal. The test holds the other end of the user's
 * terminal; what comes out of it is what the user would see. */
#include "runs.h"
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

void tty_make(struct tty *y, int rows, int columns) {
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    char name[64];
    memset(y, 0, sizeof *y);
    CHECK_SYS(y->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    CHECK_SYS(unlockpt(y->master));
    CHECK_OK(!ptsname_r(y->master, name, sizeof name));
    CHECK_SYS(y->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    CHECK_SYS(ioctl(y->master, TIOCSWINSZ, &size));
    CHECK_SYS(tcgetattr(y->slave, &y->modes));
    for (int i = 0; i < 3; i++) y->fds[i] = y->slave;
    text_add(&y->seen, "%s", "");
}

static void tty_open(struct t *t, struct tty *y, int rows, int columns) {
    tty_make(y, rows, columns);
    root_make(t, &y->b);
}

static void tty_config(struct tty *y, const struct config *config) {
    struct config full = *config;
    full.process = config->process ? config->process : TERMINAL;
    full.mounts = config->mounts ? config->mounts : DEVPTS;
    bundle_config(&y->b, &full);
}

void take_terminal(void *user) {
    const struct tty *y = user;
    if (setsid() < 0 || ioctl(y->slave, TIOCSCTTY, 0)) _exit(122);
    for (int i = 0; i < 3; i++) dup2(y->fds[i], i);
}

static void tty_run(struct t *t, struct tty *y, const struct config *config) {
    tty_config(y, config);
    y->argv = ocirt_argv(t, (const char *const[]){"run", "-b", y->b.path, t->tag, NULL});
    need_ocirt();
    y->pid = command_start(&(struct command){.argv = y->argv, .child = take_terminal, .user = y}, &y->out);
}

bool tty_look(struct tty *y, int milliseconds) {
    char bytes[16384];
    struct pollfd ready = {.fd = y->master, .events = POLLIN};
    if (poll(&ready, 1, milliseconds) <= 0) return false;
    ssize_t n = read(y->master, bytes, sizeof bytes);
    if (n > 0) text_add_bytes(&y->seen, bytes, (size_t)n);
    return n > 0;
}

void tty_await(struct tty *y, const char *word) {
    for (double end = now() + 10 * time_scale(); now() < end && !strstr(y->seen.at, word);) tty_look(y, 50);
    CHECK(strstr(y->seen.at, word), "no \"%s\" in: %s", word, y->seen.at);
}

void tty_type(struct tty *y, const char *bytes) {
    CHECK_INT(write(y->master, bytes, strlen(bytes)), strlen(bytes));
}

static bool has_ended(pid_t pid) {
    siginfo_t end = {0};
    return waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == pid;
}

int tty_end(struct tty *y) {
    for (double end = now() + 10 * time_scale(); now() < end && !has_ended(y->pid);) tty_look(y, 20);
    CHECK(has_ended(y->pid), "no end after: %.2000s", y->seen.at);
    while (tty_look(y, 0)) {
    }
    command_wait(y->pid, 1, &y->out);
    free(y->out.out);
    struct text plain = {0};
    text_add(&plain, "%s", "");
    for (size_t i = 0; i < y->seen.n; i++)
        if (y->seen.at[i] != '\r') text_add_bytes(&plain, y->seen.at + i, 1);
    y->out.out = plain.at;
    y->out.out_n = plain.n;
    return y->out.code;
}

bool tty_is_as_before(const struct tty *y) {
    struct termios now_modes = {0}; /* libc's has room that the kernel does not fill */
    CHECK_SYS(tcgetattr(y->slave, &now_modes));
    return now_modes.c_iflag == y->modes.c_iflag && now_modes.c_oflag == y->modes.c_oflag && now_modes.c_cflag == y->modes.c_cflag &&
           now_modes.c_lflag == y->modes.c_lflag && !memcmp(now_modes.c_cc, y->modes.c_cc, sizeof now_modes.c_cc);
}

size_t flood_length(const char *bytes, size_t n) {
    size_t i = 0;
    while (i < n && bytes[i] == 'a' + (char)(i % 26)) i++;
    return i;
}

/* ---- what the container has ---- */

static void controls(struct t *t) {
    struct tty y;
    tty_open(t, &y, 24, 80);
    tty_run(t, &y, &(struct config){.args = "payload-report"});
    CHECK_INT(tty_end(&y), 0);
    CHECK_REPORT(&y.out, "isatty", "1 1 1");
    CHECK_REPORT(&y.out, "tty.controlling", "1");
    CHECK_REPORT(&y.out, "tty", "/dev/pts/0");
    CHECK_REPORT(&y.out, "tty.pgrp", "1");
    CHECK_REPORT(&y.out, "sid", "1");
    CHECK_REPORT(&y.out, "pgrp", "1");
    CHECK_REPORT(&y.out, "fd.count", "3");
    CHECK_REPORT(&y.out, "dev.ptmx", "link pts/ptmx 0 0");
}

/* /dev/console is the same inode as the terminal, and both can be opened. */
static void is_the_console(struct t *t) {
    static const char *const users[] = {"0", "1000"};
    for (int i = 0; i < (geteuid() ? 1 : 2); i++) {
        struct tty y;
        tty_open(t, &y, 24, 80);
        tty_run(t, &y, &(struct config){.args = "payload-script stat /dev/console /dev/pts/0 -- try-open-write /dev/console /dev/pts/0 /dev/tty",
            .process = print(TERMINAL ",\"user\":{\"uid\":%s,\"gid\":%s}", users[i], users[i])});
        EXPECT(tty_end(&y) == 0, "user %s: %s", users[i], y.out.out);
        EXPECT(strstr(y.out.out, print("/dev/console=chr 136:0 0620 %s 0", users[i])), "user %s: %s", users[i], y.out.out);
        CHECK_TEXT(report_get(&y.out, "/dev/console.dev"), report_get(&y.out, "/dev/pts/0.dev"));
    }
}

/* A user namespace: the terminal is the mapped user's. */
static void in_user_namespace(struct t *t) {
    struct tty y;
    need_userns();
    tty_open(t, &y, 24, 80);
    tty_run(t, &y, &(struct config){.args = "payload-script report -- stat /dev/pts/0 -- try-open-write /dev/console /dev/tty",
        .namespaces = DEFAULT_NAMESPACES " user", .process = print(TERMINAL ",\"user\":{\"uid\":%s,\"gid\":0}", geteuid() ? "0" : "7")});
    CHECK(tty_end(&y) == 0, "%s", y.out.out);
    CHECK_REPORT(&y.out, "isatty", "1 1 1");
    CHECK_REPORT(&y.out, "tty.controlling", "1");
    CHECK_HAS(y.out.out, geteuid() ? "/dev/pts/0=chr 136:0 0620 0" : "/dev/pts/0=chr 136:0 0620 7");
    CHECK_OK(tty_is_as_before(&y));
}

/* ---- bytes ---- */

/* One echo, by the container's terminal and not by the user's; ^D is the end for the reader inside. */
static void relays(struct t *t) {
    struct tty y;
    tty_open(t, &y, 24, 80);
    tty_run(t, &y, &(struct config){.args = "payload-script echo ready -- copy -- exit 5"});
    tty_await(&y, "ready\r\n");
    CHECK_OK(!tty_is_as_before(&y));
    tty_type(&y, "first\r");
    tty_await(&y, "first\r\nfirst\r\n");
    tty_type(&y, "\xff\x80");
    tty_type(&y, "\r");
    tty_await(&y, "\xff\x80\r\n\xff\x80\r\n");
    tty_type(&y, "\x04");
    CHECK_INT(tty_end(&y), 5);
    CHECK_TEXT(y.seen.at, "ready\r\nfirst\r\nfirst\r\n\xff\x80\r\n\xff\x80\r\n");
    CHECK_OK(tty_is_as_before(&y));
}

/* All that was written before the end arrives. */
static void big_output(struct t *t) {
    enum { N = 400000 };
    struct tty y;
    tty_open(t, &y, 24, 80);
    tty_run(t, &y, &(struct config){.args = print("payload-flood %d", N)});
    CHECK_INT(tty_end(&y), 0);
    CHECK_INT(y.seen.n, N);
    CHECK_INT(flood_length(y.seen.at, N), N);
}

/* What was written while the runtime slept is not lost, though the program has ended meanwhile. */
static void late_output(struct t *t) {
    struct tty y;
    tty_open(t, &y, 24, 80);
    tty_run(t, &y, &(struct config){.args = "payload-script trap 10 -- flood 9000 -- exit 3"});
    tty_await(&y, "ready\r\n");
    pid_t pid = atoi(state_get(t, t->tag, "pid"));
    kill(y.pid, SIGSTOP);
    kill(pid, SIGUSR1);
    await_status(t, "stopped");
    kill(y.pid, SIGCONT);
    CHECK_INT(tty_end(&y), 3);
    const char *flood = strstr(y.seen.at, "got 10\r\n");
    CHECK_OK(flood != NULL);
    CHECK_INT(flood_length(flood + 8, 9000), 9000);
}

/* A program that says much before it listens, and a user who types much meanwhile. */
static void neither_way_waits(struct t *t) {
    enum { N = 150000 };
    struct tty y;
    size_t typed = 0;
    char line[1000];
    tty_open(t, &y, 24, 80);
    for (size_t i = 0; i < sizeof line; i++) line[i] = (char)('a' + i % 26);
    tty_run(t, &y, &(struct config){.args = print("payload-script raw -- flood %d -- copy", N)});
    tty_await(&y, "abc");
    for (double end = now() + 10 * time_scale(); now() < end && typed < N;) { /* types until it is taken, and only then looks */
        struct pollfd ready = {.fd = y.master, .events = POLLOUT};
        if (poll(&ready, 1, 20) > 0) {
            ssize_t n = write(y.master, line + typed % 26, sizeof line - 26);
            typed += n > 0 ? (size_t)n : 0;
        } else {
            tty_look(&y, 0);
        }
    }
    for (double end = now() + 10 * time_scale(); now() < end && y.seen.n < N + typed;) tty_look(&y, 20);
    CHECK(y.seen.n == N + typed, "%zu typed, %zu seen", typed, y.seen.n);
    CHECK_INT(flood_length(y.seen.at, N), N);
    CHECK_INT(flood_length(y.seen.at + N, typed), typed);
    expect(t, 0, "", "kill", t->tag, "KILL");
    CHECK_INT(tty_end(&y), 128 + SIGKILL);
}

/* ---- size ---- */

static void sizes_change(struct t *t) {
    struct tty y;
    tty_open(t, &y, 37, 121);
    tty_run(t, &y, &(struct config){.args = "payload-window 2"});
    tty_await(&y, "window 37 121\r\n");
    CHECK_SYS(ioctl(y.master, TIOCSWINSZ, &(struct winsize){.ws_row = 40, .ws_col = 122}));
    tty_await(&y, "window 40 122\r\n");
    CHECK_SYS(ioctl(y.master, TIOCSWINSZ, &(struct winsize){.ws_row = 50, .ws_col = 1}));
    CHECK_INT(tty_end(&y), 0);
    CHECK_TEXT(y.seen.at, "window 37 121\r\nwindow 40 122\r\nwindow 50 1\r\n");
}

/* Where the user's terminal has a size, it is that; else the config's. */
static void size_of_the_config(struct t *t) {
#define SIZED TERMINAL ",\"consoleSize\":{\"height\":50,\"width\":132}"
    static const struct {
        int rows, columns;
        const char *want;
    } cases[] = {{0, 0, "window 50 132\n"}, {30, 90, "window 30 90\n"}};
    struct outcome *out;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tty y;
        tty_open(t, &y, cases[i].rows, cases[i].columns);
        tty_run(t, &y, &(struct config){.args = "payload-window", .process = SIZED});
        CHECK_INT(tty_end(&y), 0);
        CHECK_TEXT(y.out.out, cases[i].want);
    }
    out = ran(t, &(struct config){.args = "payload-window", .process = SIZED, .mounts = DEVPTS});
    CHECK_INT(out->code, 0);
    CHECK_TEXT(out->out, "window 50 132\r\n");
    refused(t, &(struct config){.process = TERMINAL ",\"consoleSize\":{\"height\":70000,\"width\":80}", .mounts = DEVPTS}, 125, "/process/consoleSize");
#undef SIZED
}

/* The program's first look sees it, however late the runtime is after that. */
static struct drive_action hold_relay(void *user, struct call *call) {
    (void)user;
    bool relay = call->role == 0 && !strcmp(call_name(call->nr), "signalfd4");
    return (struct drive_action){relay ? DRIVE_HOLD : DRIVE_GO, relay ? 400 : 0};
}

static void become_run(void *user) {
    struct tty *y = user;
    take_terminal(y);
    execv(test_exe(), (char *const *)(uintptr_t)y->argv);
    _exit(121);
}

static void size_at_start(struct t *t) {
    struct tty y;
    need_ocirt();
    tty_open(t, &y, 37, 121);
    tty_config(&y, &(struct config){.args = "payload-window"});
    y.argv = ocirt_argv(t, (const char *const[]){"run", "-b", y.b.path, t->tag, NULL});
    struct drive drive = {.decide = hold_relay, .body = become_run, .user = &y};
    drive_start(&drive, NULL, NULL);
    drive_run(&drive);
    tty_look(&y, 1000);
    CHECK(drive.outcome.code == 0, "%d %s", drive.outcome.code, drive.outcome.err);
    CHECK_TEXT(y.seen.at, "window 37 121\r\n");
}

/* ---- keys and signals ---- */

/* They are the container's: its foreground process group gets the signal, nobody else. */
static void keys(struct t *t) {
    static const struct {
        const char *key;
        int signal;
    } cases[] = {{"\x03", SIGINT}, {"\x1c", SIGQUIT}, {"\x1a", SIGTSTP}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tty y;
        tty_open(t, &y, 24, 80);
        tty_run(t, &y, &(struct config){.args = print("payload-script background trap %d -- foreground trap %d -- echo end -- exit 7", cases[i].signal, cases[i].signal)});
        tty_await(&y, "ready\r\n");
        tty_await(&y, "ready\r\nready\r\n");
        tty_type(&y, cases[i].key);
        EXPECT(tty_end(&y) == 7, "%s", y.seen.at);
        char *got = strstr(y.seen.at, print("got %d\r\n", cases[i].signal));
        EXPECT(got && strstr(got, print("exit %d\r\nend\r\n", cases[i].signal)), "%s", y.seen.at);
        EXPECT(!got || !strstr(got + 1, "got "), "all of them: %s", y.seen.at);
        CHECK_OK(tty_is_as_before(&y));
    }
}

static void signals_pass(struct t *t) {
    static const int signals[] = {SIGTERM, SIGHUP, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct tty y;
        tty_open(t, &y, 24, 80);
        tty_run(t, &y, &(struct config){.args = print("payload-trap %d", signals[i])});
        tty_await(&y, "ready");
        kill(y.pid, signals[i]);
        EXPECT(tty_end(&y) == signals[i], "signal %d: %s", signals[i], y.seen.at);
        CHECK_OK(tty_is_as_before(&y));
    }
}

/* Nobody takes the output, and a signal passes all the same. */
static void signals_pass_a_full_pipe(struct t *t) {
    struct tty y;
    int ends[2];
    char byte[65536];
    size_t seen = 0;
    CHECK_SYS(pipe2(ends, O_CLOEXEC));
    tty_open(t, &y, 24, 80);
    y.fds[1] = ends[1];
    /* not process 1, so that the signal has its effect in the midst of a write */
    tty_run(t, &y, &(struct config){.args = "payload-flood 100000000", .namespaces = "mount ipc uts"});
    close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    CHECK_INT(poll(&ready, 1, (int)(10000 * time_scale())), 1);
    nap(0.2); /* more than the pipe and both terminals hold */
    pid_t pid = atoi(state_get(t, t->tag, "pid"));
    kill(y.pid, SIGTERM);
    for (double end = now() + 5 * time_scale(); now() < end && strcmp(status_of(t), "stopped");) nap(0.02);
    struct outcome out;
    run_ocirt(t, &out, "state", t->tag); /* gone, if the rest fitted into the pipe */
    EXPECT(out.code == 1 || strstr(out.out, "stopped"), "process %d goes on: %s", (int)pid, out.out);
    for (ssize_t n; (n = read(ends[0], byte, sizeof byte)) > 0;) seen += (size_t)n;
    CHECK_INT(tty_end(&y), 128 + SIGTERM);
    CHECK_OK(seen > 0 && tty_is_as_before(&y));
}

/* ---- the user's terminal afterwards ---- */

static void modes_return(struct t *t) {
    static const struct {
        const char *args, *mounts, *root;
        int code;
    } cases[] = {
        {"payload-exit 3", NULL, NULL, 3},
        {"payload-script raw -- exit 4", NULL, NULL, 4},
        {"[\"/nothing\"]", NULL, NULL, 127},
        {"payload-exit 0", "{\"destination\":\"/x\",\"type\":\"nosuchfs\",\"source\":\"x\"}," DEVPTS, NULL, 125},
        {"payload-exit 0", "{\"destination\":\"/x\",\"type\":\"tmpfs\",\"source\":\"x\"}", NULL, 125}, /* no devpts */
        {"payload-exit 0", NULL, "\"path\":\"none\"", 125},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tty y;
        tty_open(t, &y, 24, 80);
        tty_run(t, &y, &(struct config){.args = cases[i].args, .mounts = cases[i].mounts, .root = cases[i].root});
        EXPECT(tty_end(&y) == cases[i].code, "%s: %d, %s", cases[i].args, y.out.code, y.seen.at);
        EXPECT(tty_is_as_before(&y), "%s: the terminal's modes have changed", cases[i].args);
    }
    struct tty y;
    tty_open(t, &y, 24, 80);
    tty_run(t, &y, &(struct config){.args = "payload-trap 10"});
    tty_await(&y, "ready");
    expect(t, 0, "", "kill", t->tag, "KILL");
    CHECK_INT(tty_end(&y), 128 + SIGKILL);
    CHECK_OK(tty_is_as_before(&y));
}

/* ---- redirected ---- */

/* As with runc, the container has a terminal all the same. A stream that ends is no end of it. */
static void without_terminal(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-script window -- copy -- sleep 0.1 -- echo late", .process = TERMINAL, .mounts = DEVPTS});
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL}), .input = "text\n\x04"}, &out);
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    CHECK_HAS(out.out, "window 0 0"); /* the echo may come before its end of line */
    CHECK_HAS(out.out, "text\r\n");
    CHECK_HAS(out.out, "late\r\n");
    bundle_config(&b, &(struct config){.args = "payload-flood 200000", .process = TERMINAL, .mounts = DEVPTS});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK_INT(out.code, 0);
    CHECK_INT(flood_length(out.out, out.out_n), 200000);
}

/* Each of the three alone redirected. The rest is as with a terminal: size, keys, no second translation. */
static void redirected(struct t *t) {
    for (int which = 0; which < 3; which++) {
        struct tty y;
        int file = open(print("%s/file%d", t->dir, which), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        CHECK_SYS(file);
        tty_open(t, &y, 33, 99);
        y.fds[which] = file;
        tty_run(t, &y, &(struct config){.args = "payload-script window -- exit 6"});
        EXPECT(tty_end(&y) == 6, "%d redirected: %d", which, y.out.code);
        const char *said = which == 1 ? fd_read_all(file, NULL) : y.seen.at;
        EXPECT(!strcmp(said, "window 33 99\r\n"), "%d redirected: %s", which, said);
        EXPECT(tty_is_as_before(&y), "%d redirected: the terminal's modes have changed", which);
        close(file);
    }
}

/* The reader of the output goes: the container's terminal hangs up, and its writes fail. */
static void output_is_gone(struct t *t) {
    struct tty y;
    int ends[2];
    char bytes[100];
    CHECK_SYS(pipe2(ends, O_CLOEXEC));
    tty_open(t, &y, 24, 80);
    y.fds[1] = ends[1];
    tty_run(t, &y, &(struct config){.args = "payload-script flood 2000000 -- copy -- exit 8"});
    close(ends[1]);
    CHECK_OK(read(ends[0], bytes, sizeof bytes) > 0);
    close(ends[0]);
    CHECK_INT(tty_end(&y), 8);
    CHECK_OK(tty_is_as_before(&y));
}

/* The window is closed. The container's terminal hangs up too: what reads from it gets the end. */
static void hangs_up(struct t *t) {
    struct tty y;
    tty_open(t, &y, 24, 80);
    tty_run(t, &y, &(struct config){.args = "payload-script ignore 1 -- echo ready -- copy -- exit 9"});
    tty_await(&y, "ready");
    close(y.slave);
    close(y.master);
    command_wait(y.pid, 10, &y.out);
    CHECK(!y.out.timed_out, "%s", "it goes on without its terminal");
    CHECK_INT(y.out.code, 9);
}

/* For a while no process has the container's terminal open; then it is opened again (getty, systemd). */
static void opened_again(struct t *t) {
    struct tty y;
    tty_open(t, &y, 24, 80);
    tty_run(t, &y, &(struct config){.args = "payload-script echo before -- reopen /dev/console -- echo after -- copy"});
    tty_await(&y, "before\r\n");
    tty_await(&y, "after\r\n");
    tty_type(&y, "still\r\x04");
    tty_await(&y, "still\r\nstill\r\n");
    tty_type(&y, "\x04");
    CHECK_INT(tty_end(&y), 0);
}

/* ---- refused ---- */

static void needs_console_socket(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.process = TERMINAL, .mounts = DEVPTS});
    struct snap *before = snap_take(t, 0);
    expect(t, 125, "pass --console-socket SOCKET", "run", "-d", "-b", b.path, t->tag);
    expect(t, 1, "pass --console-socket SOCKET", "create", "-b", b.path, t->tag);
    expect(t, 125, "/process/terminal", "run", "-d", "-b", b.path, t->tag);
    rmdir(t->state);
    CHECK_SNAP(t, before);
    refused(t, &(struct config){.process = TERMINAL}, 125, "a terminal needs a devpts on /dev/pts");
}

const struct test run_tty_tests[] = {
    {"tty.controls", controls, 0, 0},
    {"tty.is_the_console", is_the_console, 0, 0},
    {"tty.in_user_namespace", in_user_namespace, 0, 0},
    {"tty.relays", relays, 0, 0},
    {"tty.big_output", big_output, 0, 0},
    {"tty.late_output", late_output, 0, 0},
    {"tty.neither_way_waits", neither_way_waits, 0, 30},
    {"tty.sizes_change", sizes_change, 0, 0},
    {"tty.size_of_the_config", size_of_the_config, 0, 0},
    {"tty.size_at_start", size_at_start, 0, 0},
    {"tty.keys", keys, 0, 0},
    {"tty.signals_pass", signals_pass, 0, 0},
    {"tty.signals_pass_a_full_pipe", signals_pass_a_full_pipe, TEST_ROOT, 0},
    {"tty.modes_return", modes_return, 0, 0},
    {"tty.without_terminal", without_terminal, 0, 0},
    {"tty.redirected", redirected, 0, 0},
    {"tty.output_is_gone", output_is_gone, 0, 0},
    {"tty.hangs_up", hangs_up, 0, 0},
    {"tty.opened_again", opened_again, 0, 0},
    {"tty.needs_console_socket", needs_console_socket, 0, 0},
    {0}};
