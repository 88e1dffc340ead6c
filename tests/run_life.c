/* run_life.c: the commands on a container's life, their words and codes, and what they leave. */
#include "runs.h"
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static void make(struct t *t, struct bundle *b, const char *args) {
    root_make(t, b);
    bundle_config(b, &(struct config){.args = args});
}

static void created(struct t *t, struct bundle *b, const char *args) {
    make(t, b, args);
    expect(t, 0, "", "create", "-b", b->path, t->tag);
}

static void statuses(struct t *t) {
    struct bundle b;
    created(t, &b, "payload-sleep 100");
    CHECK_TEXT(status_of(t), "created");
    CHECK_TEXT(state_get(t, t->tag, "id"), t->tag);
    CHECK_TEXT(state_get(t, t->tag, "bundle"), b.path);
    CHECK_HAS(state_get(t, t->tag, "ociVersion"), "1.");
    pid_t pid = atoi(state_get(t, t->tag, "pid"));
    CHECK_OK(pid > 1 && !kill(pid, 0));
    expect(t, 0, "", "start", t->tag);
    CHECK_TEXT(status_of(t), "running");
    CHECK_INT(atoi(state_get(t, t->tag, "pid")), pid);
    CHECK_HAS(file_read(print("/proc/%d/cmdline", (int)pid), NULL), "/payload");
    expect(t, 0, "", "kill", t->tag, "SIGKILL");
    await_status(t, "stopped");
    char *left = state_get(t, t->tag, "pid");
    CHECK(!left || !strcmp(left, "0"), "pid %s", left);
    reap_all();
    expect(t, 0, "", "delete", t->tag);
    expect(t, 1, "container does not exist", "state", t->tag);
}

/* A zombie (nobody has reaped it) is stopped as well. */
static void zombie_is_stopped(struct t *t) {
    struct bundle b;
    created(t, &b, "payload-exit 0");
    expect(t, 0, "", "start", t->tag);
    await_status(t, "stopped");
    expect(t, 1, "container not running: no such process", "kill", t->tag, "TERM");
    expect(t, 0, "", "delete", t->tag);
    reap_all();
}

static void refusals(struct t *t) {
    struct bundle b;
    struct outcome out;
    static const char *const commands[] = {"state", "start", "kill", "delete"};
    for (int i = 0; i < 4; i++) expect(t, 1, "container does not exist", commands[i], t->tag);
    expect(t, 0, "", "delete", "--force", t->tag);
    created(t, &b, "payload-sleep 100");
    expect(t, 1, "container with given ID already exists", "create", "-b", b.path, t->tag);
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK_INT(out.code, 125);
    CHECK_HAS(out.err, "container with given ID already exists");
    CHECK_TEXT(status_of(t), "created");
    expect(t, 0, "", "start", t->tag);
    expect(t, 1, "cannot start an already running container", "start", t->tag);
    expect(t, 1, "cannot delete container that is not stopped", "delete", t->tag);
    CHECK_TEXT(status_of(t), "running");
    expect(t, 1, "unknown signal", "kill", t->tag, "NONSENSE");
    expect(t, 1, "unknown signal", "kill", t->tag, "99");
    expect(t, 0, "", "kill", t->tag, "9");
    await_status(t, "stopped");
    expect(t, 1, "container not running: no such process", "kill", t->tag, "KILL");
    run_ocirt(t, &out, "start", t->tag);
    CHECK_INT(out.code, 1);
    CHECK_OK(!strstr(out.err, "does not exist"));
    reap_all();
    expect(t, 0, "", "delete", t->tag);
}

static void bad_ids(struct t *t) {
    struct bundle b;
    make(t, &b, "payload-exit 0");
    static const char *const ids[] = {"", ".", "..", "a/b", "../x", "a b", "a\nb", "\xc3\xa9", "a;b", "-", "$x", "a*"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct outcome out;
        run_ocirt(t, &out, "create", "-b", b.path, "--", ids[i]);
        EXPECT(out.code == 1, "%s: %d", ids[i], out.code);
        run_ocirt(t, &out, "create", "-b", b.path, ids[i]);
        EXPECT(out.code == 1, "%s: %d", ids[i], out.code);
        run_ocirt(t, &out, "delete", "--force", ids[i]);
        EXPECT(out.code == 1 || out.code == 0, "%s: %d", ids[i], out.code);
    }
    char *good = print("A-z_0.9+%s", t->tag);
    expect(t, 0, "", "create", "-b", b.path, good);
    expect(t, 0, "", "delete", "-f", good);
    reap_all();
}

static void delete_created(struct t *t) {
    struct bundle b;
    created(t, &b, "payload-sleep 100");
    pid_t pid = atoi(state_get(t, t->tag, "pid"));
    expect(t, 0, "", "delete", t->tag); /* engines abort so */
    reap_all();
    CHECK_OK(kill(pid, 0));
    created(t, &b, "payload-sleep 100"); /* the id is free again */
    expect(t, 0, "", "start", t->tag);
    pid = atoi(state_get(t, t->tag, "pid"));
    expect(t, 0, "", "delete", "--force", t->tag);
    reap_all();
    CHECK_OK(kill(pid, 0));
    expect(t, 1, "container does not exist", "state", t->tag);
}

static void pid_file(struct t *t) {
    struct bundle b;
    make(t, &b, "payload-sleep 100");
    char *path = print("%s/pid", t->dir);
    expect(t, 0, "", "create", "-b", b.path, "--pid-file", path, t->tag);
    size_t n = 0;
    char *text = file_read(path, &n);
    CHECK_TEXT(text, state_get(t, t->tag, "pid"));
    CHECK_INT(strspn(text, "0123456789"), n);
    struct stat info;
    CHECK_SYS(stat(path, &info));
    CHECK_OK((info.st_mode & 022) == 0);
    delete_all(t);
    struct outcome out;
    run_ocirt(t, &out, "create", "-b", b.path, "--pid-file", print("%s/no/such", t->dir), t->tag);
    CHECK_INT(out.code, 1);
    expect(t, 1, "container does not exist", "state", t->tag);
}

static void exit_codes(struct t *t) {
    struct bundle b;
    static const int codes[] = {0, 1, 2, 7, 124, 125, 126, 127, 128, 200, 255};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct outcome out;
        make(t, &b, print("payload-exit %d", codes[i]));
        run_ocirt(t, &out, "run", "-b", b.path, t->tag);
        EXPECT(out.code == codes[i], "%d: %d", codes[i], out.code);
        outcome_free(&out);
    }
    static const int signals[] = {1, 2, 3, 6, 9, 11, 13, 14, 15};
    const char *shared = geteuid() ? "mount ipc uts user" : "mount ipc uts";
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (geteuid()) break; /* proc needs a pid namespace */
        struct outcome *out = ran(t, &(struct config){.args = print("payload-signal %d", signals[i]), .namespaces = shared});
        EXPECT(out->code == 128 + signals[i], "signal %d: %d", signals[i], out->code);
    }
}

static void signals_are_forwarded(struct t *t) {
    struct bundle b;
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGWINCH, SIGCONT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct outcome out;
        make(t, &b, print("payload-trap %d", signals[i]));
        pid_t pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL})}, &out);
        await_text(&out, "ready");
        kill(pid, signals[i]);
        command_wait(pid, 5, &out);
        EXPECT(out.code == signals[i] && strstr(out.out, print("got %d\n", signals[i])), "signal %d: code %d, %s%s", signals[i], out.code, out.out, out.err);
        if (out.code != signals[i]) delete_all(t);
        outcome_free(&out);
    }
}

static struct drive_action signal_at_birth(void *user, struct call *call) {
    bool *sent = user;
    if (call->role == 0 && !*sent && !strncmp(call_name(call->nr), "clone", 5)) *sent = !kill(call->pid, SIGUSR1);
    return (struct drive_action){DRIVE_GO, 0};
}

/* One that comes before the container is there neither ends the runtime nor leaves anything. */
static void signals_come_early(struct t *t) {
    struct bundle b;
    bool sent = false;
    make(t, &b, "payload-exit 3");
    struct drive drive = {.decide = signal_at_birth, .user = &sent};
    drive_ocirt(t, &drive, "run", "-b", b.path, t->tag);
    CHECK_OK(sent);
    CHECK(drive.outcome.code == 3, "%d %s", drive.outcome.code, drive.outcome.err);
}

static void kill_takes_names(struct t *t) {
    struct bundle b;
    static const char *const names[] = {"USR1", "SIGUSR1", "sigusr1", "10"};
    for (int i = 0; i < 4; i++) {
        struct outcome out;
        make(t, &b, "payload-trap 10 15");
        pid_t pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL})}, &out);
        await_text(&out, "ready");
        expect(t, 0, "", "kill", t->tag, names[i]);
        command_wait(pid, 5, &out);
        CHECK_INT(out.code, 10);
        outcome_free(&out);
    }
}

static void run_leaves_nothing(struct t *t) {
    struct bundle b;
    make(t, &b, "payload-fork-bomb-ish 5");
    struct outcome out;
    run_ocirt(t, &out, "run", "-b", b.path, t->tag); /* the folders of the rootfs are made now */
    outcome_free(&out);
    rmdir(t->state);
    struct snap *before = snap_take(t, SNAP_ROOTFS | SNAP_HOST);
    static const char *const args[] = {"payload-exit 3", "payload-fork-bomb-ish 5", "payload-nonsense", "payload-eat 5"};
    for (int i = 0; i < 4; i++) {
        char *config = file_read(b.config, NULL);
        make(t, &b, args[i]);
        run_ocirt(t, &out, "run", "-b", b.path, t->tag);
        outcome_free(&out);
        file_write(b.config, "%s", config);
    }
    rmdir(t->state);
    CHECK_SNAP(t, before);
}

/* Without a pid namespace what the program left in its cgroup goes too. */
static void run_kills_the_rest(struct t *t) {
    if (!cgroup_mount()) SKIP("cgroup", "no cgroup2");
    struct outcome *out = ran(t, &(struct config){.args = "payload-fork-bomb-ish 5", .namespaces = "mount ipc uts"});
    CHECK(out->code == 0, "%s", out->err);
    outcome_free(out);
    reap_all();
}

static void run_forms(struct t *t) {
    struct bundle b;
    struct outcome out;
    make(t, &b, "payload-exit 3");
    run_ocirt(t, &out, "run", b.path);
    CHECK(out.code == 3, "%s", out.err);
    CHECK_TEXT(out.out, "");
    run_ocirt(t, &out, "run", "--bundle", b.path, t->tag);
    CHECK_INT(out.code, 3);
    run_ocirt(t, &out, "run", print("--bundle=%s", b.path), t->tag);
    CHECK_INT(out.code, 3);
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", t->tag, NULL}), .cwd = b.path}, &out);
    CHECK_INT(out.code, 3);
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", ".", NULL}), .cwd = b.path}, &out);
    CHECK_INT(out.code, 3);
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", BUNDLE, t->tag, NULL}), .cwd = t->dir}, &out);
    CHECK(out.code == 3, "%s", out.err);
    run_ocirt(t, &out, "run", "--rootfs", b.rootfs, "--", "/payload", "payload-exit", "4");
    CHECK(out.code == 4, "%s", out.err);
    run_ocirt(t, &out, "run", "--rootfs", b.rootfs, "--", "/nothing");
    CHECK_INT(out.code, 127);
    run_ocirt(t, &out, "run", "-b", print("%s/none", t->dir), t->tag);
    CHECK_INT(out.code, 125);
    run_ocirt(t, &out, "list", "-q");
    CHECK_TEXT(out.out, "");
}

static void one_winner(struct t *t) {
    struct bundle b;
    enum { N = 8 };
    make(t, &b, "payload-sleep 100");
    struct outcome outs[N];
    pid_t pids[N];
    int won = 0;
    for (int i = 0; i < N; i++)
        pids[i] = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"create", "-b", b.path, t->tag, NULL})}, &outs[i]);
    for (int i = 0; i < N; i++) {
        command_wait(pids[i], 10, &outs[i]);
        won += outs[i].code == 0;
        EXPECT(outs[i].code == 0 || (outs[i].code == 1 && strstr(outs[i].err, "already exists")), "%d: %s", outs[i].code, outs[i].err);
    }
    CHECK_INT(won, 1);
    CHECK_TEXT(status_of(t), "created");
    delete_all(t);
}

/* Several deletes at once: none hangs, afterwards it is gone. */
static void many_deletes(struct t *t) {
    struct bundle b;
    enum { N = 6 };
    struct outcome outs[N];
    pid_t pids[N];
    created(t, &b, "payload-sleep 100");
    expect(t, 0, "", "start", t->tag);
    for (int i = 0; i < N; i++)
        pids[i] = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"delete", "--force", t->tag, NULL})}, &outs[i]);
    for (int i = 0; i < N; i++) {
        command_wait(pids[i], 10, &outs[i]);
        EXPECT(outs[i].code == 0, "%d: %s", outs[i].code, outs[i].err);
    }
    reap_all();
    expect(t, 1, "container does not exist", "state", t->tag);
}

static void state_root(struct t *t) {
    struct bundle b;
    struct stat info;
    umask(0);
    created(t, &b, "payload-sleep 100");
    CHECK_SYS(stat(t->state, &info));
    CHECK_INT(info.st_mode & 07777, 0700);
    CHECK_SYS(stat(print("%s/%s", t->state, t->tag), &info));
    CHECK_OK((info.st_mode & 077) == 0);
    umask(022);
    delete_all(t);
}

static void damaged_state(struct t *t) {
    struct bundle b;
    static const char *const texts[] = {"", "{", "null", "{\"id\":5}", "[[[[[[[[", "{\"pid\":1,\"init\":1}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct outcome out;
        created(t, &b, "payload-sleep 100");
        pid_t pid = atoi(state_get(t, t->tag, "pid"));
        char *path = print("%s/%s/state.json", t->state, t->tag);
        if (access(path, F_OK)) SKIP("ocirt", "no state.json");
        chmod(path, 0600);
        file_write(path, "%s", texts[i]);
        run_ocirt(t, &out, "list");
        EXPECT(out.code == 0, "list with %s: %s", texts[i], out.err);
        run_ocirt(t, &out, "state", t->tag);
        EXPECT(out.code <= 1, "state with %s: %d", texts[i], out.code);
        run_ocirt(t, &out, "delete", "--force", t->tag);
        EXPECT(out.code == 0, "delete with %s: %s", texts[i], out.err);
        reap_all();
        EXPECT(kill(pid, 0), "with %s the process is there", texts[i]);
        if (!kill(pid, 0)) kill(pid, 9);
        expect(t, 1, "container does not exist", "state", t->tag);
    }
}

static void list_ignores_foreign(struct t *t) {
    struct bundle b;
    struct outcome out;
    created(t, &b, "payload-sleep 100");
    file_write(print("%s/file", t->state), "x");
    make_dirs(print("%s/empty", t->state), 0700);
    CHECK_SYS(symlink("/etc", print("%s/link", t->state)));
    CHECK_SYS(mkfifo(print("%s/fifo", t->state), 0600));
    make_dirs(print("%s/.hidden/x", t->state), 0700);
    make_dirs(print("%s/has space", t->state), 0700);
    run_ocirt(t, &out, "list", "-q");
    CHECK_INT(out.code, 0);
    CHECK_TEXT(out.out, print("%s\n", t->tag));
    run_ocirt(t, &out, "list", "--format", "json");
    CHECK_INT(out.code, 0);
    CHECK_TEXT(json_get(out.out, "id"), t->tag);
    CHECK_OK(out.out[0] == '[');
    expect(t, 0, "", "delete", "-f", "link"); /* unknown; nothing of /etc is touched */
    CHECK_OK(!access("/etc", F_OK));
    expect(t, 0, "", "delete", "-f", t->tag);
    reap_all();
    CHECK_OK(!access(print("%s/file", t->state), F_OK));
}

/* What create has read counts; edits and even a removal of the bundle's config change nothing. */
static void config_is_frozen(struct t *t) {
    struct bundle b;
    make(t, &b, "payload-exit 0");
    char *log = print("%s/log", t->dir);
    bundle_config(&b, &(struct config){.args = "payload-script write /one x -- exit 0",
        .top = print("\"hooks\":{\"poststop\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-hook\",\"%s\",\"old\"]}]}", test_exe(), log)});
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    bundle_config(&b, &(struct config){.args = "payload-script write /two x", .top = "\"hooks\":{}"});
    expect(t, 0, "", "start", t->tag);
    await_status(t, "stopped");
    CHECK_OK(!access(print("%s/one", b.rootfs), F_OK) && access(print("%s/two", b.rootfs), F_OK));
    CHECK_SYS(unlink(b.config));
    reap_all();
    expect(t, 0, "", "delete", t->tag);
    CHECK_HAS(file_read(log, NULL), "old ");
}

/* create without process: fine; start refuses and the container is as it was. */
static void no_process(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    char *text = config_text(NULL), *at = strstr(text, "\"process\":{"), *end = strstr(text, "},\"hostname\"");
    CHECK_OK(at && end);
    bundle_write(&b, "%.*s%s", (int)(at - text), text, end + 2);
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    expect(t, 1, "process", "start", t->tag);
    CHECK_TEXT(status_of(t), "created");
    delete_all(t);
}

/* The record of the init names another process: it is never signalled, whatever is asked. */
static void strangers_are_safe(struct t *t) {
    struct bundle b;
    pid_t stranger = fork();
    if (stranger == 0)
        for (;;) pause();
    nap(0.05); /* start times are counted in 10 ms */
    for (int form = 0; form < 3; form++) {
        struct outcome out;
        char *link = print("%s/%s/init", t->state, t->tag), text[128] = "";
        created(t, &b, "payload-sleep 100");
        expect(t, 0, "", "start", t->tag);
        pid_t pid = atoi(state_get(t, t->tag, "pid"));
        ssize_t n = readlink(link, text, sizeof text - 1);
        if (n <= 0) {
            delete_all(t);
            SKIP("ocirt", "no link init");
        }
        const char *start = strchr(text, ':');
        CHECK(start != NULL, "%s", text);
        char *other = form == 0 ? print("%d%s", (int)stranger, start) : form == 1 ? print("%d:1", (int)stranger) : print("%d", (int)stranger);
        CHECK_SYS(unlink(link));
        CHECK_SYS(symlink(other, link));
        run_ocirt(t, &out, "state", t->tag);
        EXPECT(!strstr(out.out, "running"), "%s: %s", other, out.out);
        run_ocirt(t, &out, "kill", t->tag, "KILL");
        EXPECT(out.code == 1, "%s: kill: %d", other, out.code);
        run_ocirt(t, &out, "kill", "--all", t->tag, "TERM");
        run_ocirt(t, &out, "delete", "--force", t->tag);
        EXPECT(out.code == 0, "%s: %s", other, out.err);
        nap(0.05);
        int status = 0;
        CHECK(waitpid(stranger, &status, WNOHANG) == 0, "%s: the stranger was ended, status %#x", other, (unsigned)status);
        kill(pid, SIGKILL);
        for (int i = 0; i < 500 && !kill(pid, 0); i++) {
            nap(0.01);
            if (waitpid(pid, &status, WNOHANG) == pid) break;
        }
    }
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
}

static void detached(struct t *t) {
    struct bundle b;
    make(t, &b, "payload-sleep 100");
    expect(t, 0, "", "run", "-d", "-b", b.path, t->tag);
    CHECK_TEXT(status_of(t), "running");
    expect(t, 0, "", "kill", t->tag, "KILL");
    await_status(t, "stopped");
    reap_all();
    expect(t, 0, "", "delete", t->tag);
    make(t, &b, "payload-exit 0");
    struct outcome out;
    run_ocirt(t, &out, "run", "--keep", "-b", b.path, t->tag);
    CHECK(out.code == 0, "%s", out.err);
    CHECK_TEXT(status_of(t), "stopped");
    expect(t, 0, "", "delete", t->tag);
}

/* The runtime of a foreground run is killed: the container can be deleted. */
static void run_is_killed(struct t *t) {
    struct bundle b;
    struct outcome out;
    make(t, &b, "payload-trap 10");
    pid_t pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL})}, &out);
    await_text(&out, "ready");
    kill(pid, SIGKILL);
    command_wait(pid, 5, &out);
    expect(t, 0, "", "delete", "--force", t->tag);
    reap_all();
    expect(t, 1, "container does not exist", "state", t->tag);
}

/* As an earlier version wrote it, which knew less. */
static void older_state(struct t *t) {
    static const char *const later[] = {"systemdScope", "userManager", "oldKeyring", "cgroupInode"};
    struct live l;
    struct outcome out;
    struct text text = {0};
    live_begin(t, &l, &(struct config){.args = "payload-script echo ready -- sleep"});
    const char *path = print("%s/%s/state.json", t->state, t->tag);
    char *now = file_read(path, NULL);
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) CHECK_HAS(now, later[i]);
    for (char *line = strtok(now, "\n"); line; line = strtok(NULL, "\n"))
        if (!strstr(line, later[0]) && !strstr(line, later[1]) && !strstr(line, later[2]) && !strstr(line, later[3])) text_add(&text, "%s\n", line);
    CHECK(is_json(text.at), "%s", text.at);
    file_write(path, "%s", text.at);
    run_ocirt(t, &out, "list", "-q");
    CHECK_TEXT(out.out, print("%s\n", t->tag));
    CHECK_TEXT(status_of(t), "running");
    run_ocirt(t, &out, "exec", t->tag, "/payload", "payload-echo", "ran");
    CHECK(out.code == 0 && !strcmp(out.out, "ran\n"), "%d %s", out.code, out.err);
    if (l.cgroup) {
        quiet(t, "pause", t->tag);
        CHECK_TEXT(status_of(t), "paused");
        quiet(t, "resume", t->tag);
    }
    quiet(t, "kill", t->tag, "KILL");
    live_end(t, &l);
    CHECK_OK(access(print("%s/%s", t->state, t->tag), F_OK));
}

/* ---- readiness: we are the service manager ---- */

static int manager_listen(struct t *t) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "%.90s/manager", t->dir);
    CHECK_OK(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    setenv("NOTIFY_SOCKET", name.sun_path, 1);
    return fd;
}

/* One message, and whether a descriptor came with it, which is closed: that is what a barrier waits for. */
static bool manager_take(int fd, char text[256]) {
    union {
        struct cmsghdr header;
        char           room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec  piece = {text, 255};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    CHECK_OK(poll(&wait, 1, (int)(10000 * time_scale())) == 1);
    ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    CHECK_OK(n > 0);
    text[n] = 0;
    if (message.msg_controllen == 0) return false;
    int passed;
    memcpy(&passed, CMSG_DATA(&control.header), sizeof passed);
    return close(passed) == 0;
}

static pid_t manager_hears(int fd) {
    char text[256];
    CHECK_OK(!manager_take(fd, text));
    CHECK_OK(!strncmp(text, "READY=1\nMAINPID=", 16));
    pid_t pid = atoi(text + 16);
    CHECK_OK(manager_take(fd, text));
    CHECK_TEXT(text, "BARRIER=1");
    return pid;
}

/* The container is ready when its program says so, and the manager hears that and no other word of it. */
static void readiness_is_told(struct t *t) {
    static const char *const forms[] = {"run", "run -d", "start"};
    struct bundle b;
    int manager = manager_listen(t);
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "[\"/payload\",\"payload-script\",\"notify\",\"STATUS=soon\",\"MAINPID=1\",\"--\",\"notify\",\"EXTEND_TIMEOUT_USEC=5\\nREADY=1\",\"--\",\"sleep\",\"100\"]"});
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        bool  foreground = i == 0, start = i == 2;
        struct outcome out;
        if (start) expect(t, 0, "", "create", "-b", b.path, t->tag);
        const char *const list[] = {start ? "start" : "run", start ? t->tag : "-b", start ? NULL : b.path, foreground ? t->tag : "-d", foreground ? NULL : t->tag, NULL};
        pid_t command = command_start(&(struct command){.argv = ocirt_argv(t, list)}, &out), pid = manager_hears(manager);
        EXPECT(pid > 1 && pid == atoi(state_get(t, t->tag, "pid")), "%s: MAINPID=%d", forms[i], (int)pid);
        if (foreground) expect(t, 0, "", "kill", t->tag, "KILL");
        command_wait(command, 10, &out);
        EXPECT(out.code == (foreground ? 137 : 0), "%s: %d %s", forms[i], out.code, out.err);
        expect(t, 0, "", "delete", "--force", t->tag);
        reap_all();
    }
    CHECK_INT(recv(manager, &(char){0}, 1, MSG_DONTWAIT), -1);
    close(manager);
}

static void narrow_umask(void *user) {
    (void)user;
    umask(077);
}

/* Whoever the program is it can say so, whatever the caller's umask; more than that it can't do there. */
static void readiness_folder(struct t *t) {
#define NOTIFY "/run/notify"
    struct bundle b;
    struct outcome out;
    int manager = manager_listen(t);
    const char *words[] = {"run", "-b", NULL, t->tag, NULL};
    root_make(t, &b);
    words[2] = b.path;
    for (int user = 0; user < (geteuid() ? 1 : 2); user++) {
        bundle_config(&b, &(struct config){.args = "payload-script mkdir " NOTIFY "/d -- symlink /x " NOTIFY "/l -- write " NOTIFY "/f x -- unlink " NOTIFY "/notify.sock -- chmod 0777 " NOTIFY " -- notify READY=1",
                                           .process = user ? "\"user\":{\"uid\":1000,\"gid\":1000}" : NULL});
        pid_t command = command_start(&(struct command){.argv = ocirt_argv(t, words), .child = narrow_umask}, &out);
        CHECK_OK(manager_hears(manager) > 1);
        command_wait(command, 10, &out);
        CHECK(out.code == 0, "%d %s", out.code, out.err);
        CHECK_TEXT(out.out, "mkdir " NOTIFY "/d: EROFS\nsymlink " NOTIFY "/l: EROFS\nwrite " NOTIFY "/f: EROFS\nunlink " NOTIFY "/notify.sock: EROFS\nchmod " NOTIFY ": EROFS\n");
        CHECK_OK(access(print("%s/%s", t->state, t->tag), F_OK));
        outcome_free(&out);
    }
    close(manager);
}

/* A manager that hears nothing keeps nobody waiting for ever. */
static void readiness_is_not_heard(struct t *t) {
    struct bundle b;
    int manager = manager_listen(t), other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), n = 0;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, getenv("NOTIFY_SOCKET"));
    while (n < 10000 && sendto(other, "x", 1, 0, (struct sockaddr *)&name, sizeof name) == 1) n++;
    CHECK_OK(n < 10000 && errno == EAGAIN);
    make(t, &b, "payload-script notify READY=1 -- sleep 100");
    const char *const list[] = {"run", "-d", "-b", b.path, t->tag, NULL};
    struct outcome out;
    command_run(&(struct command){.argv = ocirt_argv(t, list), .seconds = 30}, &out);
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    CHECK_TEXT(status_of(t), "running");
    expect(t, 0, "", "delete", "--force", t->tag);
    reap_all();
    close(other);
    close(manager);
}

struct swap {
    const char *place, *target;
    unsigned since, at; /* calls since the socket has its name */
    bool done;
};

static struct drive_action swap_for_link(void *user, struct call *call) {
    struct swap *s = user;
    if (call->role || (!s->since && call->nr != SYS_bind)) return (struct drive_action){DRIVE_GO, 0};
    if (s->since++ == s->at) s->done = !unlink(s->place) && !symlink(s->target, s->place);
    return (struct drive_action){DRIVE_GO, 0};
}

/* The same one puts a link there, while the socket is being made: what that leads to is not opened to all. */
static void readiness_link(struct t *t) {
    struct bundle b;
    struct trip trip;
    int manager = manager_listen(t);
    trip_make(t, &trip, "trip");
    make(t, &b, "payload-exit 0");
    for (unsigned at = 1; at < 7; at++) {
        struct swap swap = {.place = print("%s/%s/notify/notify.sock", t->state, t->tag), .target = print("%s/secret", trip.path), .at = at};
        struct drive drive = {.decide = swap_for_link, .user = &swap};
        expect(t, 0, "", "create", "-b", b.path, t->tag);
        drive_ocirt(t, &drive, "start", t->tag);
        CHECK(swap.done, "%u: no link", at);
        EXPECT(!drive.timed_out, "%u: no end", at);
        CHECK_TRIP(&trip);
        outcome_free(&drive.outcome);
        drive_free(&drive);
        expect(t, 0, "", "delete", "--force", t->tag);
        reap_all();
    }
    close(manager);
}

/* A program that ends without a word keeps nobody waiting. */
static void readiness_never_comes(struct t *t) {
    struct bundle b;
    int manager = manager_listen(t);
    make(t, &b, "payload-exit 3");
    expect(t, 0, "", "run", "-d", "-b", b.path, t->tag);
    expect(t, 0, "", "delete", "--force", t->tag);
    expect(t, 3, "", "run", "-b", b.path, t->tag);
    CHECK_INT(recv(manager, &(char){0}, 1, MSG_DONTWAIT), -1);
    close(manager);
    reap_all();
}

const struct test run_life_tests[] = {
    {"life.readiness_is_told", readiness_is_told, 0, 0},
    {"life.readiness_folder", readiness_folder, 0, 0},
    {"life.readiness_is_not_heard", readiness_is_not_heard, 0, 60},
    {"life.readiness_link", readiness_link, 0, 0},
    {"life.older_state", older_state, 0, 0},
    {"life.readiness_never_comes", readiness_never_comes, 0, 0},
    {"life.statuses", statuses, 0, 0},
    {"life.zombie_is_stopped", zombie_is_stopped, 0, 0},
    {"life.refusals", refusals, 0, 0},
    {"life.bad_ids", bad_ids, 0, 0},
    {"life.delete_created", delete_created, 0, 0},
    {"life.pid_file", pid_file, 0, 0},
    {"life.exit_codes", exit_codes, 0, 0},
    {"life.signals_are_forwarded", signals_are_forwarded, 0, 0},
    {"life.signals_come_early", signals_come_early, 0, 0},
    {"life.kill_takes_names", kill_takes_names, 0, 0},
    {"life.run_leaves_nothing", run_leaves_nothing, 0, 0},
    {"life.run_kills_the_rest", run_kills_the_rest, TEST_ROOT, 0},
    {"life.run_forms", run_forms, 0, 0},
    {"life.one_winner", one_winner, 0, 0},
    {"life.many_deletes", many_deletes, 0, 0},
    {"life.state_root", state_root, 0, 0},
    {"life.damaged_state", damaged_state, 0, 0},
    {"life.list_ignores_foreign", list_ignores_foreign, 0, 0},
    {"life.config_is_frozen", config_is_frozen, 0, 0},
    {"life.no_process", no_process, 0, 0},
    {"life.strangers_are_safe", strangers_are_safe, TEST_ROOT, 0},
    {"life.detached", detached, 0, 0},
    {"life.run_is_killed", run_is_killed, 0, 0},
    {0}};
