/* run_console.c: descriptors that are handed over. Terminals and pidfds through sockets, those that are kept, those
 * that are listened on. The test is the engine at the other end. */
#include "runs.h"
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#define SIZED TERMINAL ",\"consoleSize\":{\"height\":50,\"width\":132}"

/* Who sends. EXEC has the terminal from -t, EXEC_FILE from a file. */
enum way { CREATE, RUN, EXEC, EXEC_FILE, WAYS };
static const char *const way_names[] = {"create", "run -d", "exec -d", "exec -d -p"};

/* A program that is started one of these ways. */
struct sent {
    enum way way;
    struct box x; /* of an exec */
    struct bundle b;
    struct snap *before;
    struct outcome out;
    pid_t pid;
};

static bool is_exec(enum way way) { return way >= EXEC; }

/* What has to be there before the sockets are. */
static void sent_prepare(struct t *t, struct sent *s, enum way way, const struct config *config) {
    *s = (struct sent){.way = way};
    root_make(t, &s->b);
    if (is_exec(way)) {
        box_begin(t, &s->x, &(struct config){.mounts = config->mounts, .namespaces = config->namespaces, .linux_ = config->linux_});
    } else {
        bundle_config(&s->b, config);
        if (access(t->state, F_OK)) CHECK_SYS(mkdir(t->state, 0700));
        s->before = snap_take(t, 0);
    }
}

static const char **sent_argv(struct t *t, const struct sent *s, const struct config *config, const char *options) {
    struct text args = {0};
    if (s->way == EXEC) text_add(&args, "-d %s %s%s", options, config->process && strstr(config->process, TERMINAL) ? "-t " : "", config->process && strstr(config->process, "1000") ? "-u 1000:1000" : "");
    if (s->way == EXEC) return exec_argv(t, args.at, print("/payload %s", config->args));
    if (s->way == EXEC_FILE) return exec_argv(t, print("-d %s %s", options, process_option(t, config)), "");
    text_add(&args, "%s%s", s->way == CREATE ? "create" : "run -d", *options ? " " : "");
    text_add(&args, "%s -b %s %s", options, s->b.path, t->tag);
    const char *words[32] = {NULL};
    size_t n = 0;
    for (char *word = strtok(args.at, " "); word; word = strtok(NULL, " ")) words[n++] = word;
    return ocirt_argv(t, words);
}

static void sent_command(struct t *t, struct sent *s, const struct config *config, const char *options) {
    need_ocirt();
    command_run(&(struct command){.argv = sent_argv(t, s, config, options), .seconds = 20}, &s->out);
    CHECK(!s->out.timed_out, "%s: no end", way_names[s->way]);
}

/* All went well; the program of `create` starts now. */
static void sent_start(struct t *t, struct sent *s, const struct config *config, const char *options) {
    sent_command(t, s, config, print("--pid-file %s %s", pid_path(t), options));
    CHECK(s->out.code == 0 && !s->out.err_n, "%s: %d %s", way_names[s->way], s->out.code, s->out.err);
    s->pid = atoi(file_read(pid_path(t), NULL));
    CHECK_OK(s->pid > 1);
}

static void sent_end(struct t *t, struct sent *s) {
    int status;
    if (is_exec(s->way)) {
        if (s->pid) kill(s->pid, SIGKILL), wait_until(s->pid, 5 * time_scale(), &status);
    } else {
        struct outcome out;
        run_ocirt(t, &out, "delete", "--force", t->tag);
        CHECK(out.code == 0, "%s", out.err);
        outcome_free(&out);
        reap_all();
    }
    outcome_free(&s->out);
    files_end(t);
    if (is_exec(s->way)) box_end(t, &s->x);
    else CHECK_SNAP(t, s->before);
}

/* ---- terminals ---- */

/* What was seen as lines of a report. */
static struct outcome lines_of(const struct tty *y) {
    struct text plain = {0};
    text_add(&plain, "%s", "");
    for (size_t i = 0; i < y->seen.n; i++)
        if (y->seen.at[i] != '\r') text_add_bytes(&plain, y->seen.at + i, 1);
    return (struct outcome){.out = plain.at, .out_n = plain.n};
}

/* The descriptor is a terminal's master, and nobody else has it. */
static void take_master(struct agent *a, struct tty *y) {
    struct stat info;
    agent_take(a);
    *y = (struct tty){.master = a->fd};
    text_add(&y->seen, "%s", "");
    CHECK_OK(a->message.n >= 1 && a->message.n < 4096);
    CHECK_SYS(fstat(a->fd, &info));
    CHECK(S_ISCHR(info.st_mode) && major(info.st_rdev) == 5 && minor(info.st_rdev) == 2, "%o %u:%u", info.st_mode, major(info.st_rdev), minor(info.st_rdev));
    CHECK_SYS(fcntl(a->fd, F_SETFL, fcntl(a->fd, F_GETFL) | O_NONBLOCK));
}

static void expect_hung_up(struct tty *y) {
    struct pollfd poll_for = {.fd = y->master};
    CHECK(poll(&poll_for, 1, (int)(5000 * time_scale())) == 1 && poll_for.revents & POLLHUP, "%s", "somebody has the terminal still");
}

static void terminal_of(struct t *t, enum way way, const struct config *given) {
    struct agent a;
    struct sent s;
    struct tty y;
    struct config c = *given;
    c.args = "payload-script report -- stat /dev/console /dev/pts/0 -- try-open-write /dev/tty -- window 1 -- copy -- exit 6";
    c.mounts = DEVPTS;
    sent_prepare(t, &s, way, &c);
    agent_listen(t, &a, "console");
    sent_start(t, &s, &c, print("--console-socket %s", a.path));
    take_master(&a, &y);
    if (way == CREATE) expect(t, 0, "", "start", t->tag);
    tty_await(&y, way == EXEC ? "window 0 0\r\n" : "window 50 132\r\n");
    CHECK_SYS(ioctl(y.master, TIOCSWINSZ, &(struct winsize){.ws_row = 40, .ws_col = 122}));
    tty_await(&y, "window 40 122\r\n");
    tty_type(&y, "typed\r");
    tty_await(&y, "typed\r\ntyped\r\n");
    tty_type(&y, "\x04");
    expect_hung_up(&y);
    struct outcome seen = lines_of(&y);
    CHECK_REPORT(&seen, "isatty", "1 1 1");
    CHECK_REPORT(&seen, "tty.controlling", "1");
    CHECK_REPORT(&seen, "tty", "/dev/pts/0");
    CHECK_REPORT(&seen, "sid", report_get(&seen, "pid"));
    CHECK_REPORT(&seen, "tty.pgrp", report_get(&seen, "pid"));
    CHECK_REPORT(&seen, "fd.count", "3");
    CHECK_HAS(seen.out, "open-write /dev/tty: ok");
    const char *uid = report_get(&seen, "uid");
    CHECK_HAS(report_get(&seen, "/dev/pts/0"), print("chr 136:0 0620 %.*s ", (int)strcspn(uid, " "), uid));
    if (!is_exec(way)) CHECK_TEXT(report_get(&seen, "/dev/console.dev"), report_get(&seen, "/dev/pts/0.dev"));
    else CHECK_TEXT(report_get(&seen, "/dev/console"), "ENOENT");
    CHECK_OK(!s.out.out_n);
    if (is_exec(way)) {
        int status = 0;
        CHECK_OK(wait_until(s.pid, 5 * time_scale(), &status));
        CHECK_INT(WEXITSTATUS(status), 6);
        s.pid = 0;
    }
    agent_end(&a);
    sent_end(t, &s);
}

static void terminals(struct t *t) {
    for (int way = 0; way < WAYS; way++) terminal_of(t, (enum way)way, &(struct config){.process = SIZED});
}

/* On one processor what is said of a row is read after the row is known to be done. */
static void terminals_one_cpu(struct t *t) {
    cpu_set_t all, one;
    CHECK_SYS(sched_getaffinity(0, sizeof all, &all));
    CPU_ZERO(&one);
    for (size_t cpu = 0; !CPU_COUNT(&one); cpu++)
        if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    CHECK_SYS(sched_setaffinity(0, sizeof one, &one));
    for (int i = 0; i < 3; i++)
        for (int way = 0; way < WAYS; way++) terminal_of(t, (enum way)way, &(struct config){.process = SIZED});
    CHECK_SYS(sched_setaffinity(0, sizeof all, &all));
}

static void terminals_of_users(struct t *t) {
    for (int way = 0; way < WAYS; way++) terminal_of(t, (enum way)way, &(struct config){.process = SIZED ",\"user\":{\"uid\":1000,\"gid\":1000}"});
}

static void terminals_mapped(struct t *t) {
    need_userns();
    for (int way = 0; way < WAYS; way++) terminal_of(t, (enum way)way, &(struct config){.process = SIZED, .namespaces = DEFAULT_NAMESPACES " user"});
}

/* containerd reads the runtime's output to its end: with a terminal nobody else has it. */
static void output_ends(struct t *t) {
    for (int way = 0; way < WAYS; way++) {
        struct agent a;
        struct sent s;
        struct tty y;
        struct outcome out;
        int ends[2];
        char byte;
        struct config c = {.args = "payload-sleep", .process = SIZED, .mounts = DEVPTS};
        sent_prepare(t, &s, (enum way)way, &c);
        agent_listen(t, &a, "console");
        CHECK_SYS(pipe2(ends, O_CLOEXEC));
        command_run(&(struct command){.argv = sent_argv(t, &s, &c, print("--pid-file %s --console-socket %s", pid_path(t), a.path)), .out_fd = ends[1], .err_fd = ends[1]}, &out);
        close(ends[1]);
        CHECK(out.code == 0, "%s: %d %s", way_names[way], out.code, fd_read_all(ends[0], NULL));
        await_input(ends[0], way_names[way]);
        CHECK_INT(read(ends[0], &byte, 1), 0);
        close(ends[0]);
        s.pid = atoi(file_read(pid_path(t), NULL));
        take_master(&a, &y);
        agent_end(&a);
        sent_end(t, &s);
    }
}

/* ---- peers that are none ---- */

static void refuse_each(struct t *t, const struct config *config, const char *options, const char *word) {
    for (int way = 0; way < WAYS; way++) {
        struct sent s;
        sent_prepare(t, &s, (enum way)way, config);
        sent_command(t, &s, config, options);
        EXPECT(s.out.code > 0 && good_text(s.out.err) && strstr(s.out.err, word) && !s.out.out_n, "%s %s: %d %s%s", way_names[way], options, s.out.code, s.out.err, s.out.out);
        sent_end(t, &s);
    }
}

static void no_peers(struct t *t) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const char *file = print("%s/file", t->dir), *gone = print("%s/gone", t->dir), *datagrams = print("%s/datagrams", t->dir);
    struct agent a;
    file_write(file, "%s", "");
    agent_listen(t, &a, "gone");
    close(a.socket); /* its name is left */
    int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    strcpy(name.sun_path, datagrams);
    CHECK_SYS(bind(other, (struct sockaddr *)&name, sizeof name));
    const char *const paths[] = {"/nonexistent/socket", file, gone, datagrams, t->dir, "/dev/null"};
    struct config with = {.args = "payload-sleep", .process = TERMINAL, .mounts = DEVPTS}, without = {.args = "payload-sleep"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        refuse_each(t, &with, print("--console-socket %s", paths[i]), paths[i]);
        refuse_each(t, &without, print("--pidfd-socket %s", paths[i]), paths[i]);
    }
    close(other);
}

/* Its backlog is full: after at most 10 s of waiting there is an error, and no hang. */
static void full_backlog(struct t *t) {
    struct agent a;
    struct sent s;
    struct outcome out[2];
    struct config c = {.args = "payload-sleep", .process = TERMINAL, .mounts = DEVPTS}, plain = {.args = "payload-sleep"};
    int fds[8], n = 0;
    sent_prepare(t, &s, EXEC, &c);
    agent_listen(t, &a, "console");
    CHECK_SYS(listen(a.socket, 0));
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, a.path);
    for (bool took = true; took && n < 8;) {
        CHECK_SYS(fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        took = !connect(fds[n++], (struct sockaddr *)&name, sizeof name);
    }
    CHECK(n < 8, "%s", "the backlog has no end");
    pid_t pids[2];
    for (int i = 0; i < 2; i++) pids[i] = command_start(&(struct command){.argv = sent_argv(t, &s, i ? &plain : &c, print("--%s-socket %s", i ? "pidfd" : "console", a.path))}, &out[i]);
    for (int i = 0; i < 2; i++) {
        command_wait(pids[i], 25, &out[i]);
        EXPECT(!out[i].timed_out && out[i].code > 0 && good_text(out[i].err) && strstr(out[i].err, a.path), "%d: %d %s", i, out[i].code, out[i].err);
        outcome_free(&out[i]);
    }
    while (n) close(fds[--n]);
    agent_end(&a);
    sent_end(t, &s);
}

struct closing {
    struct agent *a;
    bool closed;
};

/* The first thing that is sent by anybody after the connection was made. */
static struct drive_action close_before_sending(void *user, struct call *call) {
    struct closing *c = user;
    if (!c->closed && (call->nr == SYS_sendmsg || call->nr == SYS_sendto)) c->closed = agent_called(c->a);
    return (struct drive_action){DRIVE_GO, 0};
}

/* The engine ends while it is waited for: an error, and nothing runs that nobody can talk to. */
static void peer_closes(struct t *t) {
    static const char *const sockets[] = {"console", "pidfd"};
    for (int way = 0; way < 2 * WAYS; way++) {
        struct agent a;
        struct sent s;
        struct closing closing = {.a = &a};
        struct drive drive = {.decide = close_before_sending, .user = &closing, .seconds = 15};
        const char *kind = sockets[way / WAYS];
        struct config c = {.args = "payload-sleep", .process = way < WAYS ? TERMINAL : NULL, .mounts = DEVPTS};
        sent_prepare(t, &s, (enum way)(way % WAYS), &c);
        agent_listen(t, &a, kind);
        drive_start(&drive, sent_argv(t, &s, &c, print("--%s-socket %s", kind, a.path)), NULL);
        drive_run(&drive);
        const struct outcome *out = &drive.outcome;
        EXPECT(closing.closed, "%s %s: it did not connect first", way_names[way % WAYS], kind);
        EXPECT(!drive.timed_out && out->code > 0 && out->code < 128 + 1 + (out->code == 255) * 255 && good_text(out->err), "%s %s: %d %s", way_names[way % WAYS], kind, out->code, out->err);
        outcome_free(&drive.outcome);
        drive_free(&drive);
        agent_end(&a);
        sent_end(t, &s);
    }
}

/* Longer than a socket's address: it is that socket, and never one whose name is a part of it. */
static void long_path(struct t *t) {
    char here[4096];
    struct agent a = {.fd = -1}, part = {.fd = -1};
    const char *folder = print("%s/%060d", t->dir, 0), *path = print("%s/%0100d", folder, 1);
    make_dirs(folder, 0755);
    CHECK_OK(strlen(path) < sizeof a.path);
    strcpy(a.path, path);
    memcpy(part.path, path, 107);
    CHECK_OK(getcwd(here, sizeof here) != NULL && chdir(folder) == 0);
    struct agent *const both[] = {&a, &part};
    for (int i = 0; i < 2; i++) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        strcpy(name.sun_path, strrchr(both[i]->path, '/') + 1);
        CHECK_SYS(both[i]->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        CHECK_SYS(bind(both[i]->socket, (struct sockaddr *)&name, sizeof name));
        CHECK_SYS(listen(both[i]->socket, 4));
    }
    CHECK_SYS(chdir(here));
    for (int way = 0; way < WAYS; way++) {
        struct sent s;
        struct tty y;
        struct config c = {.args = "payload-sleep", .process = TERMINAL, .mounts = DEVPTS};
        sent_prepare(t, &s, (enum way)way, &c);
        sent_start(t, &s, &c, print("--console-socket %s", a.path));
        a.message.n = 0;
        take_master(&a, &y);
        close(a.fd);
        CHECK(!agent_called(&part), "%s connects to a part of the name", way_names[way]);
        sent_end(t, &s);
    }
    close(a.socket);
    close(part.socket);
}

/* ---- terminal or not ---- */

static void without_socket(struct t *t) {
    refuse_each(t, &(struct config){.args = "payload-sleep", .process = TERMINAL, .mounts = DEVPTS}, "", "--console-socket");
}

/* Nothing is sent; the engine sees the connection end. */
static void without_terminal(struct t *t) {
    struct agent a;
    agent_listen(t, &a, "console");
    refuse_each(t, &(struct config){.args = "payload-sleep"}, print("--console-socket %s", a.path), "the process has no terminal");
    agent_end(&a);
}

/* conmon takes a master that came for a program that runs: what can't be executed must be known before. */
static void program_missing(struct t *t) {
    for (int way = 0; way < WAYS; way++) {
        struct agent a;
        struct sent s;
        char byte;
        union {
            struct cmsghdr header;
            char room[CMSG_SPACE(sizeof(int))];
        } control;
        struct config c = {.args = "[\"/nothing\"]", .process = TERMINAL, .mounts = DEVPTS};
        sent_prepare(t, &s, (enum way)way, &c);
        agent_listen(t, &a, "console");
        if (way == EXEC) c.args = "payload-none"; /* sent_argv puts /payload before it */
        const char **argv = way == EXEC ? exec_argv(t, print("-d -t --console-socket %s", a.path), "/nothing") : sent_argv(t, &s, &c, print("--console-socket %s", a.path));
        command_run(&(struct command){.argv = argv}, &s.out);
        EXPECT(s.out.code > 0 && strstr(s.out.err, "executable file not found in $PATH"), "%s: %d %s", way_names[way], s.out.code, s.out.err);
        int peer = accept4(a.socket, NULL, NULL, SOCK_CLOEXEC);
        if (peer >= 0) {
            struct iovec part = {&byte, 1};
            struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
            ssize_t n = recvmsg(peer, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
            EXPECT(n <= 0, "%s: something was sent", way_names[way]);
            close(peer);
        }
        agent_end(&a);
        s.pid = 0;
        sent_end(t, &s);
    }
}

/* ---- exec -t in the foreground ---- */

struct at_terminal {
    struct box x;
    struct tty y;
};

static void at_begin(struct t *t, struct at_terminal *e) { box_begin(t, &e->x, &(struct config){.mounts = DEVPTS}); }

static void at_run(struct t *t, struct at_terminal *e, int rows, int columns, const char *command) {
    tty_make(&e->y, rows, columns);
    e->y.argv = exec_argv(t, "-t", command);
    e->y.pid = command_start(&(struct command){.argv = e->y.argv, .child = take_terminal, .user = &e->y}, &e->y.out);
}

static int at_end(struct at_terminal *e) {
    int code = tty_end(&e->y);
    CHECK_OK(tty_is_as_before(&e->y));
    close(e->y.master);
    close(e->y.slave);
    close(e->y.out.out_fd);
    close(e->y.out.err_fd);
    return code;
}

static void at_terminal(struct t *t) {
    enum { N = 400000 };
    struct at_terminal e;
    at_begin(t, &e);
    at_run(t, &e, 37, 121, "/payload payload-script report -- window 1 -- copy -- exit 5");
    tty_await(&e.y, "window 37 121\r\n");
    CHECK_OK(!tty_is_as_before(&e.y));
    CHECK_SYS(ioctl(e.y.master, TIOCSWINSZ, &(struct winsize){.ws_row = 40, .ws_col = 122}));
    tty_await(&e.y, "window 40 122\r\n");
    tty_type(&e.y, "first\r");
    tty_await(&e.y, "first\r\nfirst\r\n");
    tty_type(&e.y, "\x04");
    CHECK_INT(at_end(&e), 5);
    CHECK_REPORT(&e.y.out, "isatty", "1 1 1");
    CHECK_REPORT(&e.y.out, "tty.controlling", "1");
    CHECK_REPORT(&e.y.out, "tty", "/dev/pts/0");
    CHECK_REPORT(&e.y.out, "fd.count", "3");
    /* all of what was written before the end */
    at_run(t, &e, 24, 80, print("/payload payload-flood %d", N));
    CHECK_INT(at_end(&e), 0);
    CHECK_INT(e.y.seen.n, N);
    CHECK_INT(flood_length(e.y.seen.at, N), N);
    /* keys are the program's, and a signal's end is told */
    at_run(t, &e, 24, 80, "/payload payload-trap 2");
    tty_await(&e.y, "ready\r\n");
    tty_type(&e.y, "\x03");
    CHECK_INT(at_end(&e), 2);
    at_run(t, &e, 24, 80, "/payload payload-signal 9");
    CHECK_INT(at_end(&e), 128 + 9);
    /* failures leave the terminal as it was */
    at_run(t, &e, 24, 80, "/nothing");
    CHECK_INT(at_end(&e), 127);
    CHECK_HAS(e.y.out.out, "executable file not found in $PATH");
    box_end(t, &e.x);
}

/* The window is closed: the program's terminal hangs up, and exec ends. */
static void at_terminal_hangs_up(struct t *t) {
    struct at_terminal e;
    at_begin(t, &e);
    at_run(t, &e, 24, 80, "/payload payload-script ignore 1 -- echo ready -- copy -- exit 9");
    tty_await(&e.y, "ready\r\n");
    close(e.y.slave);
    close(e.y.master);
    command_wait(e.y.pid, 10, &e.y.out);
    CHECK(!e.y.out.timed_out, "%s", "it goes on without its terminal");
    CHECK_INT(e.y.out.code, 9);
    outcome_free(&e.y.out);
    box_end(t, &e.x);
}

/* Without one of one's own (a pipe, as kubectl exec -t has it): the program has a terminal all the same. */
static void terminal_for_pipes(struct t *t) {
    struct at_terminal e;
    struct outcome out;
    at_begin(t, &e);
    command_run(&(struct command){.argv = exec_argv(t, "-t", "/payload payload-script window -- copy -- echo end"), .input = "text\n\x04"}, &out);
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    CHECK_HAS(out.out, "window 0 0");
    CHECK_HAS(out.out, "text\r\n");
    CHECK_HAS(out.out, "end\r\n");
    outcome_free(&out);
    box_end(t, &e.x);
}

/* ---- a container that lays traps where a terminal is looked for ---- */

enum trap { NOTHING, A_FILE, A_FOLDER, A_FIFO, A_SOCKET, A_NULL, A_TTY, A_PTMX, A_LINK_OUT, A_LINK_UP, A_LINK_TO_NULL, A_LOOP, TRAPS };

static void lay_trap(const char *place, enum trap trap, const struct trip *trip) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd;
    remove_tree(place);
    unlink(place);
    switch (trap) {
    case A_FILE: file_write(place, "%s", "text"); break;
    case A_FOLDER: CHECK_SYS(mkdir(place, 0777)); break;
    case A_FIFO: CHECK_SYS(mkfifo(place, 0666)); break;
    case A_SOCKET:
        CHECK_OK(strlen(place) < sizeof name.sun_path);
        strcpy(name.sun_path, place);
        CHECK_SYS(fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        CHECK_SYS(bind(fd, (struct sockaddr *)&name, sizeof name));
        close(fd);
        break;
    case A_NULL: CHECK_SYS(mknod(place, S_IFCHR | 0666, makedev(1, 3))); break;
    case A_TTY: CHECK_SYS(mknod(place, S_IFCHR | 0666, makedev(5, 0))); break;
    case A_PTMX: CHECK_SYS(mknod(place, S_IFCHR | 0666, makedev(5, 2))); break; /* of no devpts */
    case A_LINK_OUT: CHECK_SYS(symlink(print("%s/fifo", trip->path), place)); break;
    case A_LINK_UP: CHECK_SYS(symlink("../../../../../../../dev/ptmx", place)); break;
    case A_LINK_TO_NULL: CHECK_SYS(symlink("/dev/null", place)); break;
    case A_LOOP: CHECK_SYS(symlink(strrchr(place, '/') + 1, place)); break;
    default: break;
    }
}

/* Has something in the folder been opened since it was watched? */
static bool was_opened(int watch) {
    char room[4096];
    ssize_t n = read(watch, room, sizeof room);
    for (ssize_t at = 0; at < n;) {
        struct inotify_event event;
        memcpy(&event, room + at, sizeof event);
        if (!(event.mask & IN_ISDIR)) return true;
        at += (ssize_t)(sizeof event + event.len);
    }
    return false;
}

/* There is no devpts: an error, soon, and neither the trap nor anything of the host's is opened. */
static void traps(struct t *t) {
    static const char *const places[] = {"dev/pts", "dev/ptmx", "dev/pts/ptmx", "dev/pts/0"};
    struct at_terminal e;
    struct trip trip;
    struct text looks = {0};
    trip_make(t, &trip, "trip");
    box_begin(t, &e.x, &(struct config){.no_mounts = true, .mounts = "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"});
    trip_check(&trip, &looks); /* of the snapshot */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (int trap = NOTHING; trap < TRAPS; trap++) {
            const char *place = print("%s/%s", e.x.l.b.rootfs, places[i]);
            lay_trap(print("%s/dev/pts", e.x.l.b.rootfs), i < 2 ? NOTHING : A_FOLDER, &trip);
            lay_trap(place, (enum trap)trap, &trip);
            int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
            CHECK_SYS(watch);
            inotify_add_watch(watch, print("%s/dev/pts", e.x.l.b.rootfs), IN_OPEN | IN_ONLYDIR | IN_DONT_FOLLOW);
            struct outcome *out = execed(t, "-t", "/payload payload-echo ran");
            EXPECT(!was_opened(watch), "%s, %d: it was opened", places[i], trap);
            close(watch);
            EXPECT(out->code == 255 && !out->out_n && good_text(out->err), "%s, %d: %d %s%s", places[i], trap, out->code, out->out, out->err);
            CHECK_TRIP(&trip);
        }
    box_end(t, &e.x);
}

/* One that lies on the devpts's own is none. */
static void fifo_on_ptmx(struct t *t) {
    struct at_terminal e;
    struct trip trip;
    struct text looks = {0};
    trip_make(t, &trip, "trip");
    box_begin(t, &e.x, &(struct config){.mounts = print(DEVPTS ",{\"destination\":\"/dev/pts/ptmx\",\"type\":\"bind\",\"source\":\"%s/fifo\",\"options\":[\"bind\"]}", trip.path)});
    trip_check(&trip, &looks);
    struct outcome *out = execed(t, "-t", "/payload payload-echo ran");
    EXPECT(out->code == 255 && !out->out_n && good_text(out->err), "%d %s%s", out->code, out->out, out->err);
    CHECK_TRIP(&trip);
    box_end(t, &e.x);
}

static void close_all(void *user) {
    (void)user;
    for (int fd = 0; fd < 3; fd++) close(fd);
}

/* Numbers that are free are taken by what is opened first: not by the socket of the terminal. */
static void without_streams(struct t *t) {
    struct at_terminal e;
    struct agent a;
    struct tty y;
    struct outcome out;
    at_begin(t, &e);
    agent_listen(t, &a, "console");
    command_run(&(struct command){.argv = exec_argv(t, print("-d -t --console-socket %s --pid-file %s", a.path, pid_path(t)), "/payload payload-script report -- copy"), .child = close_all}, &out);
    CHECK(out.code == 0, "%d", out.code);
    take_master(&a, &y);
    tty_await(&y, "end=1\r\n");
    tty_type(&y, "typed\r");
    tty_await(&y, "typed\r\ntyped\r\n");
    struct outcome seen = lines_of(&y);
    CHECK_REPORT(&seen, "isatty", "1 1 1");
    CHECK_REPORT(&seen, "fd.count", "3");
    tty_type(&y, "\x04");
    expect_hung_up(&y);
    CHECK_OK(wait_until(atoi(file_read(pid_path(t), NULL)), 5 * time_scale(), &(int){0}));
    agent_end(&a);
    unlink(a.path);
    outcome_free(&out);
    box_end(t, &e.x);
}

/* ---- pidfds ---- */

static void pidfds(struct t *t) {
    for (int way = 0; way < WAYS; way++) {
        struct agent a, console;
        struct sent s;
        struct tty y;
        bool both = way & 1;
        struct config c = {.args = "payload-sleep", .process = both ? TERMINAL : NULL, .mounts = DEVPTS};
        sent_prepare(t, &s, (enum way)way, &c);
        agent_listen(t, &a, "pidfd");
        agent_listen(t, &console, "console");
        sent_start(t, &s, &c, both ? print("--pidfd-socket %s --console-socket %s", a.path, console.path) : print("--pidfd-socket=%s", a.path));
        agent_take(&a);
        if (both) take_master(&console, &y);
        char *info = file_read(print("/proc/self/fdinfo/%d", a.fd), NULL);
        CHECK_HAS(info, print("\nPid:\t%d\n", (int)s.pid));
        struct pollfd end = {.fd = a.fd, .events = POLLIN};
        CHECK_INT(poll(&end, 1, 0), 0);
        CHECK_SYS(syscall(SYS_pidfd_send_signal, a.fd, SIGKILL, NULL, 0));
        await_input(a.fd, "the end of the process");
        agent_end(&a);
        agent_end(&console);
        sent_end(t, &s);
    }
}

/* ---- descriptors that are kept ---- */

struct held {
    const char *listen_fds, *listen_pid; /* NULL: not set; "own": the runtime's */
};

/* 3, 4, 5, 10 and 12. */
static void hold(void *user) {
    static const int numbers[] = {3, 4, 5, 10, 12};
    const struct held *held = user;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (dup2(0, numbers[i]) < 0) _exit(120);
    for (int fd = 6; fd < 30; fd++)
        if (fd != 10 && fd != 12) close(fd);
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    if (held->listen_fds) setenv("LISTEN_FDS", held->listen_fds, 1);
    if (held->listen_pid) setenv("LISTEN_PID", strcmp(held->listen_pid, "own") ? held->listen_pid : print("%d", (int)getpid()), 1);
}

/* The report of a program that was started with these. */
static struct outcome holding(struct t *t, enum way way, const struct held *held, const char *options) {
    struct sent s;
    struct outcome out;
    struct config c = {.args = "payload-report"};
    sent_prepare(t, &s, way, &c);
    options = print("--pid-file %s %s", pid_path(t), options);
    command_run(&(struct command){.argv = sent_argv(t, &s, &c, options), .child = hold, .user = (void *)(uintptr_t)held}, &s.out);
    CHECK(s.out.code == 0, "%s %s: %d %s", way_names[way], options, s.out.code, s.out.err);
    if (way == CREATE) expect(t, 0, "", "start", t->tag);
    await_text(&s.out, "end=1");
    s.pid = atoi(file_read(pid_path(t), NULL));
    out = (struct outcome){.out = print("%s", s.out.out), .out_n = s.out.out_n};
    sent_end(t, &s);
    return out;
}

static char *numbers_of(const struct outcome *out) {
    struct text text = {0};
    text_add(&text, "%s", "");
    for (int fd = 3; fd < 1000; fd++)
        if (report_get(out, print("fd.%d", fd))) text_add(&text, "%d ", fd);
    return text.at;
}

/* podman gives the highest number, and leaves out those between. */
static void kept_with_holes(struct t *t) {
    static const char *const rows[][2] = {{"--preserve-fds 0", ""}, {"--preserve-fds 2", "3 4 "}, {"--preserve-fds=7", "3 4 5 "}, {"--preserve-fds 8", "3 4 5 10 "}, {"--preserve-fds 100", "3 4 5 10 12 "}};
    for (int way = 0; way < WAYS; way++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct outcome out = holding(t, (enum way)way, &(struct held){0}, rows[i][0]);
            EXPECT(!strcmp(numbers_of(&out), rows[i][1]), "%s %s: %s", way_names[way], rows[i][0], numbers_of(&out));
        }
}

/* sd_listen_fds(3): only if they are meant for this process. They are init's: of an exec the pid inside is not known before. */
static void listened_on(struct t *t) {
    static const struct {
        struct held held;
        const char *options, *numbers, *told; /* LISTEN_FDS inside */
    } rows[] = {{{"2", "own"}, "", "3 4 ", "2"}, {{"1", "own"}, "--preserve-fds 0", "3 ", "1"}, {{"2", "own"}, "--preserve-fds 1", "3 4 5 ", "2"}, {{"3", "own"}, "--preserve-fds 5", "3 4 5 10 ", "3"},
                {{"2", "1"}, "", "", NULL}, {{"2", NULL}, "", "", NULL}, {{NULL, "own"}, "", "", NULL}, {{"0", "own"}, "", "", NULL},
                {{"2", "1"}, "--preserve-fds 1", "3 ", NULL}, {{"x", "own"}, "", "", NULL}, {{"-1", "own"}, "", "", NULL}, {{"2x", "own"}, "", "", NULL}, {{"", "own"}, "", "", NULL}};
    for (int way = 0; way < EXEC; way++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct outcome out = holding(t, (enum way)way, &rows[i].held, rows[i].options);
            const char *where = print("%s LISTEN_FDS=%s LISTEN_PID=%s %s", way_names[way], rows[i].held.listen_fds ? rows[i].held.listen_fds : "", rows[i].held.listen_pid ? rows[i].held.listen_pid : "", rows[i].options);
            const char *told = report_get(&out, "env.LISTEN_FDS"), *pid = report_get(&out, "env.LISTEN_PID");
            EXPECT(!strcmp(numbers_of(&out), rows[i].numbers), "%s: %s", where, numbers_of(&out));
            EXPECT(rows[i].told ? told && !strcmp(told, rows[i].told) : !told && !pid, "%s: told %s for %s", where, told ? told : "", pid ? pid : "");
            if (rows[i].told) EXPECT(pid && !strcmp(pid, "1"), "%s: for %s", where, pid);
        }
}

const struct test run_console_tests[] = {
    {"console.terminals", terminals, 0, 0},
    {"console.terminals_one_cpu", terminals_one_cpu, 0, 40},
    {"console.terminals_of_users", terminals_of_users, TEST_ROOT, 0},
    {"console.terminals_mapped", terminals_mapped, 0, 0},
    {"console.output_ends", output_ends, 0, 0},
    {"console.no_peers", no_peers, 0, 40},
    {"console.full_backlog", full_backlog, 0, 60},
    {"console.peer_closes", peer_closes, 0, 60},
    {"console.long_path", long_path, 0, 0},
    {"console.without_socket", without_socket, 0, 0},
    {"console.without_terminal", without_terminal, 0, 0},
    {"console.program_missing", program_missing, 0, 0},
    {"console.at_terminal", at_terminal, 0, 30},
    {"console.at_terminal_hangs_up", at_terminal_hangs_up, 0, 0},
    {"console.terminal_for_pipes", terminal_for_pipes, 0, 0},
    {"console.traps", traps, TEST_ROOT, 30},
    {"console.fifo_on_ptmx", fifo_on_ptmx, TEST_ROOT, 0},
    {"console.without_streams", without_streams, 0, 0},
    {"console.pidfds", pidfds, 0, 0},
    {"console.kept_with_holes", kept_with_holes, 0, 30},
    {"console.listened_on", listened_on, 0, 40},
    {0}};
