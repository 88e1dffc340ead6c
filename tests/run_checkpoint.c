/* run_checkpoint.c: checkpoint and restore, with a criu that is played by this program and says what a script has, and
 * with the real one where it is and can. */
#include "runs.h"
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

/* ---- the criu that is played: `criu swrk FD`, with these files beside it ---- */

#define BESIDE "/usr/local/sbin/"
#define SCRIPT BESIDE "script" /* lines: what to do next */
#define LET_GO BESIDE "let-go" /* once it is there, who was left ends */
#define HEARD BESIDE "heard"   /* the messages that came: their fields, a line each */

static size_t take_number(const unsigned char *at, size_t left, uint64_t *out) {
    size_t n = 0;
    for (*out = 0; n < left && n < 10; n++) {
        *out |= (uint64_t)(at[n] & 0x7f) << 7 * n;
        if (!(at[n] & 0x80)) return n + 1;
    }
    return left + 1;
}

/* "1=7 10:dump.log 23.1:/data 23.2:/data": with what is in criu_opts, and in the pairs in there. */
static void add_fields(struct text *out, const unsigned char *at, size_t left, const char *where, int depth) {
    uint64_t key, number;
    size_t   n;
    while (left > 0) {
        n = take_number(at, left, &key);
        if (n > left) return;
        at += n, left -= n;
        n = take_number(at, left, &number);
        if (n > left) return;
        at += n, left -= n;
        unsigned field = (unsigned)(key >> 3);
        if ((key & 7) == 0) {
            text_add(out, "%s%u=%llu ", where, field, (unsigned long long)number);
            continue;
        }
        if ((key & 7) != 2 || number > left) return;
        bool pair = depth == 1 && (field == 23 || field == 25 || field == 27 || field == 39);
        if (depth == 0 && field == 2) {
            add_fields(out, at, (size_t)number, "", 1);
        } else if (pair) {
            add_fields(out, at, (size_t)number, print("%u.", field), 2);
        } else {
            text_add(out, "%s%u:", where, field);
            text_add_escaped(out, (const char *)at, (size_t)number);
            text_add(out, " ");
        }
        at += number, left -= (size_t)number;
    }
}

static unsigned long long field_of(const char *fields, const char *name) {
    const char *at = strstr(fields, print(" %s", name));
    return at ? strtoull(at + 1 + strlen(name), NULL, 10) : 0;
}

static int link_fd;
static char *request; /* of the last message: its fields */

static void hear(void) {
    unsigned char bytes[65536];
    ssize_t n = recv(link_fd, bytes, sizeof bytes, 0);
    struct text line = {0};
    text_add(&line, " ");
    if (n > 0) add_fields(&line, bytes, (size_t)n, "", 0);
    if (n <= 0) text_add(&line, "end");
    request = line.at;
    int fd = open(HEARD, O_WRONLY | O_APPEND | O_CREAT, 0644);
    dprintf(fd, "%s\n", request);
    close(fd);
    if (n <= 0) _exit(5);
}

static void tell(const char *bytes, size_t n, int fd) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {(void *)(uintptr_t)bytes, n};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control.room;
        control.header.cmsg_level = SOL_SOCKET, control.header.cmsg_type = SCM_RIGHTS, control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    }
    if (sendmsg(link_fd, &message, MSG_NOSIGNAL) < 0) _exit(6);
}

static void add_number(struct text *out, unsigned field, uint64_t number) {
    char bytes[16];
    size_t n = 0;
    bytes[n++] = (char)(field << 3);
    for (; number > 127; number >>= 7) bytes[n++] = (char)(number | 128);
    bytes[n++] = (char)number;
    text_add_bytes(out, bytes, n);
}

static void add_part(struct text *out, unsigned field, const char *bytes, size_t n) {
    char head[2] = {(char)(field << 3 | 2), (char)n};
    text_add_bytes(out, head, 2);
    text_add_bytes(out, bytes, n);
}

static void tell_notice(const char *name, pid_t pid, int fd) {
    struct text inner = {0}, all = {0};
    add_part(&inner, 1, name, strlen(name));
    if (pid) add_number(&inner, 2, (uint64_t)pid);
    add_number(&all, 1, 6);
    add_number(&all, 2, 1);
    add_part(&all, 5, inner.at, inner.n);
    tell(all.at, all.n, fd);
    hear();
}

/* What stands for the container's init: a child of whoever started us. With a slave it has that as its output. */
static pid_t born(int slave) {
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, 0);
    close(link_fd);
    if (slave >= 0) dup2(slave, 1), write(1, "restored\n", 9);
    for (;;) pause();
}

static void tell_end(unsigned type, pid_t pid, int error, const char *why) {
    struct text inner = {0}, all = {0};
    add_number(&all, 1, type);
    add_number(&all, 2, !why);
    if (pid) add_number(&inner, 1, (uint64_t)pid), add_part(&all, 4, inner.at, inner.n);
    if (error) add_number(&all, 7, (uint64_t)error);
    if (why && *why) add_part(&all, 9, why, strlen(why));
    tell(all.at, all.n, -1);
}

static void write_log(const char *line) {
    unsigned long long dir = field_of(request, "17=") ? field_of(request, "17=") : field_of(strstr(request, " 1=") + 3, "1="); /* the first is the type */
    int fd = open(print("/proc/%d/fd/%llu/restore.log", (int)getppid(), dir), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) _exit(7);
    dprintf(fd, "%s\n", line);
}

int criu_main(int argc, char **argv) {
    char *lines = file_read(SCRIPT, NULL), name[64];
    pid_t pid = 0;
    if (argc != 3 || strcmp(argv[1], "swrk") || !lines || getenv("HOME") || !getenv("PATH")) return 8;
    link_fd = atoi(argv[2]);
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
        char *rest = strchr(line, ' ');
        rest = rest ? rest + 1 : line + strlen(line);
        if (!strncmp(line, "hear", 4)) hear();
        else if (!strncmp(line, "version", 7)) {
            struct text inner = {0}, all = {0};
            int major = atoi(rest), minor = atoi(strchr(rest, '.') + 1);
            add_number(&inner, 1, (uint64_t)major), add_number(&inner, 2, (uint64_t)minor);
            add_number(&all, 1, 10), add_number(&all, 2, 1);
            add_part(&all, 10, inner.at, inner.n);
            tell(all.at, all.n, -1);
        } else if (!strncmp(line, "notice", 6)) tell_notice(rest, 0, -1);
        else if (!strncmp(line, "born", 4)) tell_notice(rest, pid = born(-1), -1);
        else if (!strncmp(line, "again", 5)) tell_notice(rest, pid, -1);
        else if (!strncmp(line, "unborn", 6)) born(-1); /* and nothing is said of it */
        else if (!strncmp(line, "foreign", 7)) tell_notice(rest, 1, -1);
        else if (!strncmp(line, "terminal", 8)) {
            int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
            if (master < 0 || unlockpt(master) || ptsname_r(master, name, sizeof name) || (slave = open(name, O_RDWR | O_NOCTTY)) < 0) return 9;
            tell_notice("setup-namespaces", pid = born(slave), -1);
            tell_notice("orphan-pts-master", 0, master);
        } else if (!strncmp(line, "dumped", 6)) {
            kill((pid_t)field_of(request, "2="), SIGKILL);
            tell_end(1, 0, 0, NULL);
        } else if (!strncmp(line, "left", 4)) tell_end(1, 0, 0, NULL);
        else if (!strncmp(line, "pre-dumped", 10)) tell_end(13, 0, 0, NULL);
        else if (!strncmp(line, "old-pre-dumped", 14)) tell_end(4, 0, 0, NULL);
        else if (!strncmp(line, "restored", 8)) tell_end(2, pid ? pid : born(-1), 0, NULL);
        else if (!strncmp(line, "fail", 4)) tell_end((unsigned)field_of(request, "1=") ? 2 : 1, 0, 52, rest);
        else if (!strncmp(line, "log", 3)) write_log(rest);
        else if (!strncmp(line, "garbage", 7)) tell("\x0f\xff\xff", 3, -1);
        else if (!strncmp(line, "long", 4)) tell(memset(malloc(100000), 8, 100000), 100000, -1);
        else if (!strncmp(line, "wait", 4)) pause();
        else if (!strncmp(line, "leave", 5)) { /* somebody holds our socket when we are gone */
            if (fork() == 0)
                for (double end = now() + 60; now() < end; nap(0.02))
                    if (!access(LET_GO, F_OK)) _exit(0);
        } else if (!strncmp(line, "die", 3)) raise(SIGKILL);
        else if (!strncmp(line, "exit", 4)) return atoi(rest);
        else return 10;
    }
    return recv(link_fd, name, sizeof name, 0) > 0 ? 11 : 0;
}

/* ---- the tests' side ---- */

/* How the mounts of the caller propagate is left as it was. */
static void leave_beside(void) {
    char *text = file_read("/proc/self/mountinfo", NULL), *at = text ? strstr(text, " /usr/local/sbin ") : NULL;
    if (at) CHECK_HAS(print("%.*s", (int)strcspn(at, "\n"), at), " shared:");
    umount2(BESIDE, MNT_DETACH);
}

/* In the mount namespace of the test; "criu" there is a link to `exe`, or there is none. */
static void make_beside(const char *exe) {
    need_root();
    make_dirs(BESIDE, 0755);
    CHECK_SYS(mount("tmpfs", BESIDE, "tmpfs", 0, "mode=755"));
    CHECK_SYS(mount(NULL, BESIDE, NULL, MS_SHARED, NULL));
    CHECK_SYS(symlink(exe, BESIDE "criu"));
}

static void play(const char *script) {
    unlink(HEARD);
    unlink(LET_GO);
    file_write(SCRIPT, "%s", script);
}

static const char *heard(void) {
    char *text = file_read(HEARD, NULL);
    return text ? text : "";
}

#define BEGIN "hear\nversion 4.2\nhear\n"
static char *images(struct t *t) { return print("%s/images", t->dir); }

/* A container that counts in data/count, and says each number; until data/stop is there. */
struct counter {
    struct bundle b;
    char *data;
    struct outcome out;
};

static void counter_config(struct counter *c, const struct config *config) {
    struct config full = *config;
    full.mounts = print("{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"%s\",\"options\":[\"bind\"]}%s%s", c->data, config->mounts ? "," : "", config->mounts ? config->mounts : "");
    if (!full.args) full.args = "payload-count /data";
    bundle_config(&c->b, &full);
}

static void counter_make(struct t *t, struct counter *c, const struct config *config) {
    memset(c, 0, sizeof *c);
    root_make(t, &c->b);
    root_dir(&c->b, "data");
    root_dir(&c->b, "tmp"); /* criu turns the root over there */
    c->data = print("%s/host", c->b.rootfs); /* nobody looks in there for what is left */
    make_dirs(c->data, 0777);
    make_dirs(t->state, 0700);
    counter_config(c, config);
}

static long count_of(const struct counter *c, int *out_pid) {
    long n = -1;
    char *text = file_read(print("%s/count", c->data), NULL);
    if (!text || sscanf(text, "%ld %d", &n, out_pid) != 2) return -1;
    return n;
}

static long await_count(const struct counter *c, long above) {
    int  pid;
    long n = -1;
    for (double end = now() + 10 * time_scale(); now() < end && (n = count_of(c, &pid)) <= above;) nap(0.02);
    CHECK(n > above, "it does not count above %ld: %ld", above, n);
    CHECK_INT(pid, 1);
    return n;
}

/* Detached, with pipes as engines have them: the reading ends are ours. */
struct pipes {
    int out[2];
};

static void with_pipes(void *user) {
    const struct pipes *p = user;
    dup2(p->out[1], 1);
    dup2(p->out[1], 2);
}

static void detached(struct t *t, struct pipes *p, int code, const char *word, const char *const *args) {
    struct outcome out;
    CHECK_SYS(pipe2(p->out, O_CLOEXEC));
    need_ocirt();
    command_run(&(struct command){.argv = ocirt_argv(t, args), .child = with_pipes, .user = p, .seconds = 15}, &out);
    close(p->out[1]);
    int ended = out.code;
    outcome_free(&out);
    if (ended == code && !word) return;
    char text[4096] = "";
    struct pollfd ready = {.fd = p->out[0], .events = POLLIN};
    ssize_t n = poll(&ready, 1, 1000) > 0 ? read(p->out[0], text, sizeof text - 1) : 0;
    text[n > 0 ? n : 0] = 0;
    CHECK(ended == code, "%s: %d %s", args[0], ended, text);
    CHECK_HAS(text, word);
}

static void await_tick(const struct pipes *p, const char *word) {
    struct text seen = {0};
    char bytes[512];
    struct pollfd ready = {.fd = p->out[0], .events = POLLIN};
    text_add(&seen, "%s", "");
    for (double end = now() + 10 * time_scale(); now() < end && !strstr(seen.at, word);) {
        ssize_t n = poll(&ready, 1, 100) > 0 ? read(p->out[0], bytes, sizeof bytes) : 0;
        if (n > 0) text_add_bytes(&seen, bytes, (size_t)n);
        if (n == 0 && ready.revents & POLLHUP) nap(0.05);
    }
    CHECK(strstr(seen.at, word), "no \"%s\" in %s", word, seen.at);
}

static void await_container(struct t *t) {
    struct outcome out = {.code = 1};
    for (double end = now() + 10 * time_scale(); now() < end && (out.code || !strstr(out.out, "\"running\"")); nap(0.02)) {
        if (out.out) outcome_free(&out);
        run_ocirt(t, &out, "state", t->tag);
    }
    CHECK(out.out && strstr(out.out, "\"running\""), "%s", out.err);
    outcome_free(&out);
}

#define start(t, p, ...) detached((t), (p), 0, NULL, (const char *const[]){__VA_ARGS__, NULL})
static const char *pid_file(struct t *t) { return print("%s/pid", t->dir); }

static void end_counter(struct t *t, struct pipes *p) {
    delete_all(t);
    if (p) close(p->out[0]);
    reap_all();
    leave_beside();
}

/* ---- with the criu that is played ---- */

static void fake_checkpoint(struct t *t) {
    struct counter c;
    struct pipes p;
    make_beside(test_exe());
    counter_make(t, &c, &(struct config){.namespaces = "pid mount ipc uts network", .linux_ = "\"maskedPaths\":[\"/proc/version\",\"/proc/irq\",\"/nothing\"]"});
    start(t, &p, "run", "-d", "-b", c.b.path, t->tag);
    long n = await_count(&c, 0);
    char *pid = state_get(t, t->tag, "pid");
    play(BEGIN "left\n");
    quiet(t, "checkpoint", "--image-path", images(t), "--leave-running", "--tcp-established", "--file-locks", t->tag);
    CHECK_TEXT(status_of(t), "running");
    CHECK_HAS(heard(), " 1=10 4=1 \n 1=1 "); /* the version first, on a connection that stays */
    CHECK_HAS(heard(), " 3=1 5=1 8=1 9=4 10:dump.log ");
    CHECK_HAS(heard(), print(" 2=%s ", pid));
    CHECK_HAS(heard(), " 23.1:/data 23.2:/data ");
    CHECK_HAS(heard(), " 23.1:/proc/version 23.2:/dev/null ");
    CHECK_HAS(heard(), " 34=3 "); /* soft */
    CHECK_OK(!strstr(heard(), " 12=1 ") && !strstr(heard(), " 26=1 ") && !strstr(heard(), "/nothing") && !strstr(heard(), "/proc/irq"));
    CHECK_HAS(file_read(print("%s/descriptors.json", images(t)), NULL), "\"pipe:[");
    CHECK_HAS(heard(), "37:file[");
    await_count(&c, n);
    play(BEGIN "dumped\n");
    quiet(t, "checkpoint", "--image-path", images(t), "--work-path", print("%s/work/deep", t->dir), "--manage-cgroups-mode", "ignore", "--parent-path", "../before", t->tag);
    CHECK_TEXT(status_of(t), "stopped");
    CHECK_HAS(heard(), " 14:../before 15=1 17=");
    CHECK_HAS(heard(), " 34=0 ");
    expect(t, 1, "not running", "checkpoint", "--image-path", images(t), t->tag);
    quiet(t, "delete", t->tag);
    close(p.out[0]);
    reap_all();
    leave_beside();
}

static void fake_pre_dump(struct t *t) {
    struct counter c;
    struct pipes p;
    make_beside(test_exe());
    counter_make(t, &c, &(struct config){0});
    start(t, &p, "run", "-d", "-b", c.b.path, t->tag);
    await_count(&c, 0);
    play("hear\nversion 3.16\nhear\nold-pre-dumped\nhear\n"); /* it waits for more, and fails when none comes */
    quiet(t, "checkpoint", "--pre-dump", "--image-path", images(t), t->tag);
    CHECK_TEXT(status_of(t), "running");
    CHECK_HAS(heard(), "\n 1=4 ");
    play(BEGIN "pre-dumped\n");
    quiet(t, "checkpoint", "--pre-dump", "--image-path", images(t), t->tag);
    CHECK_TEXT(status_of(t), "running");
    CHECK_HAS(heard(), "\n 1=13 ");
    CHECK_HAS(heard(), " 15=1 ");
    CHECK(access(print("%s/descriptors.json", images(t)), F_OK), "%s", "a pre-dump has no descriptors");
    end_counter(t, &p);
}

/* Whatever criu does, the container goes on, and the error says what it was. */
static void fake_checkpoint_fails(struct t *t) {
    static const struct {
        const char *script, *word;
    } ways[] = {{"die\n", "ended by signal 9 before it answered"}, {"hear\ndie\n", "ended by signal 9"}, {"hear\nversion 4.2\ndie\n", "ended by signal 9"}, {BEGIN "die\n", "ended by signal 9"},
        {"exit 3\n", "exit status 3 and without an answer"}, {"hear\nexit 0\n", "exit status 0 and without an answer"}, {BEGIN "left\nexit 1\n", "exit status 1"},
        {BEGIN "leave\nexit 4\n", "exit status 4"}, {"hear\nversion 3.14\nhear\n", "criu 3.14 is too old"}, {"hear\nversion 2.99\nhear\n", "too old"}, {"hear\ngarbage\nwait\n", "none of its protocol"},
        {BEGIN "garbage\nwait\n", "none of its protocol"}, {BEGIN "long\nwait\n", "none of its protocol"}, {BEGIN "pre-dumped\n", "it does not say why"},
        {BEGIN "fail Error (x.c:3): no luck\n", "criu failed: Error (x.c:3): no luck, see"}, {BEGIN "fail\n", "it does not say why"}, {BEGIN "notice pre-dump\nfail no\n", "criu failed: no, see"}};
    struct counter c;
    struct pipes p;
    make_beside(test_exe());
    counter_make(t, &c, &(struct config){0});
    start(t, &p, "run", "-d", "-b", c.b.path, t->tag);
    struct snap *before = snap_take(t, 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct outcome out;
        long n = await_count(&c, 0);
        play(ways[i].script);
        run_ocirt(t, &out, "checkpoint", t->tag); /* its folder is named so too */
        CHECK(out.code == 1 && good_text(out.err), "%zu: %d %s", i, out.code, out.err);
        CHECK_HAS(out.err, ways[i].word);
        outcome_free(&out);
        file_write(LET_GO, "%s", "");
        CHECK_TEXT(status_of(t), "running");
        await_count(&c, n);
        reap_all();
        CHECK_SYS(access("checkpoint", F_OK));
        remove_tree("checkpoint");
    }
    nap(0.3);
    reap_all(); /* who held the socket */
    CHECK_SNAP(t, before);
    end_counter(t, &p);
}

/* What is refused before criu is asked; and where there is none. */
static void refusals(struct t *t) {
    struct counter c;
    struct pipes p;
    make_beside(test_exe());
    play("die\n");
    counter_make(t, &c, &(struct config){0});
    expect(t, 1, "does not exist", "checkpoint", "--image-path", images(t), t->tag);
    quiet(t, "create", "-b", c.b.path, t->tag);
    expect(t, 1, "it waits for start", "checkpoint", "--image-path", images(t), t->tag);
    expect(t, 1, "given ID already exists", "restore", "--image-path", t->dir, "-d", "-b", c.b.path, t->tag);
    delete_all(t);
    start(t, &p, "run", "-d", "-b", c.b.path, t->tag);
    expect(t, 1, "no lazy pages", "checkpoint", "--lazy-pages", "--image-path", images(t), t->tag);
    expect(t, 1, "no page server", "checkpoint", "--page-server", "h:1", "--status-fd", "1", "--image-path", images(t), t->tag);
    expect(t, 1, "is relative to", "checkpoint", "--parent-path", "/x", "--image-path", images(t), t->tag);
    expect(t, 1, "soft, full, strict or ignore, not some", "checkpoint", "--manage-cgroups-mode", "some", "--image-path", images(t), t->tag);
    expect(t, 1, "empty-ns is network, not ipc", "checkpoint", "--empty-ns", "ipc", "--image-path", images(t), t->tag);
    expect(t, 1, "not a directory", "checkpoint", "--image-path", print("%s/count", c.data), t->tag);
    CHECK(access(images(t), F_OK) && access(HEARD, F_OK), "%s", "criu was asked, or a folder made");
    expect(t, 1, "no such file or directory", "restore", "--image-path", images(t), "-d", "-b", c.b.path, print("%s-2", t->tag));
    expect(t, 1, "no descriptors.json", "restore", "--image-path", t->dir, "-d", "-b", c.b.path, print("%s-2", t->tag));
    CHECK_TEXT(status_of(t), "running");
    /* criu is not installed */
    static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"};
    bool covered[6] = {false};
    for (size_t i = 0; i < 6; i++)
        if (!access(folders[i], F_OK)) covered[i] = !mount("tmpfs", folders[i], "tmpfs", 0, NULL);
    expect(t, 1, "this takes the program criu", "checkpoint", "--image-path", images(t), t->tag);
    expect(t, 1, "install the package criu", "restore", "--image-path", t->dir, "-d", "-b", c.b.path, print("%s-2", t->tag));
    CHECK(access(images(t), F_OK), "%s", "a folder was made");
    CHECK_TEXT(status_of(t), "running");
    for (size_t i = 6; i-- > 0;)
        if (covered[i]) CHECK_SYS(umount2(folders[i], MNT_DETACH));
    end_counter(t, &p);
}

/* podman asks these to learn what is there. */
static void probes(struct t *t) {
    struct outcome out;
    run_ocirt(t, &out, "checkpoint", "--help");
    CHECK_INT(out.code, 0);
    run_ocirt(t, &out, "restore", "--lsm-mount-context");
    CHECK_OK(out.code == 1);
    CHECK_HAS(out.err, "requires an argument");
    expect(t, 1, "id is missing", "checkpoint");
    expect(t, 1, "id is missing", "restore");
}

static void make_images(struct t *t) {
    make_dirs(images(t), 0755);
    file_write(print("%s/descriptors.json", images(t)), "[\"/dev/null\",\"pipe:[77]\",\"file[3:4]\"]");
}

#define NEW BEGIN "notice pre-restore\nborn setup-namespaces\nagain post-restore\nrestored\n"

static void fake_restore(struct t *t) {
    struct counter c;
    struct pipes p;
    make_beside(test_exe());
    pid_t peer = holder(CLONE_NEWNET | CLONE_NEWIPC, NULL);
    counter_make(t, &c, &(struct config){.mounts = "{\"destination\":\"/made/here\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}",
        .namespaces = print("[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"%s\"},{\"type\":\"ipc\",\"path\":\"%s\"}]", ns_path(peer, "net"), ns_path(peer, "ipc"))});
    make_images(t);
    struct snap *before = snap_take(t, 0);
    play(NEW);
    start(t, &p, "restore", "-d", "--image-path", images(t), "--pid-file", pid_file(t), "--bundle", c.b.path, "-no-subreaper", "--tcp-close", "--lsm-profile=selinux:x", t->tag);
    CHECK_TEXT(status_of(t), "running");
    CHECK_TEXT(state_get(t, t->tag, "pid"), file_read(pid_file(t), NULL));
    CHECK_HAS(heard(), "\n 1=2 ");
    CHECK_HAS(heard(), " 6=1 9=4 10:restore.log 12=1 ");
    CHECK_HAS(heard(), print(" 13:%s ", c.b.rootfs));
    CHECK_HAS(heard(), print(" 23.1:/data 23.2:%s ", c.data));
    CHECK_HAS(heard(), " 26=1 50=1 52=1 53:selinux:x ");
    CHECK_HAS(heard(), " 27.1:extRootNetNS 27.2=");
    CHECK_HAS(heard(), print(" 39.1:ipc 39.2:%s ", ns_path(peer, "ipc")));
    CHECK_HAS(heard(), " 27.1:pipe:[77] 27.2=1 27.1:file[3:4] 27.2=2 ");
    CHECK_HAS(heard(), "\n 1=6 3=1 \n"); /* notices are answered */
    CHECK(!access(print("%s/made/here", c.b.rootfs), F_OK), "%s", "the place of a mount is missing");
    char *cgroup = cgroup_of(t, atoi(state_get(t, t->tag, "pid")));
    CHECK(!cgroup || strstr(heard(), " 25.1: 25.2:/"), "%s", heard());
    expect(t, 1, "not stopped", "delete", t->tag);
    quiet(t, "kill", t->tag, "KILL");
    await_status(t, "stopped");
    reap_all();
    quiet(t, "delete", t->tag);
    close(p.out[0]);
    unlink(pid_file(t));
    CHECK_SNAP(t, before);
    holders_end();
    leave_beside();
}

/* The answer alone names the process. In the foreground the status is that of init. */
static void fake_restore_foreground(struct t *t) {
    struct counter c;
    struct outcome out;
    make_beside(test_exe());
    counter_make(t, &c, &(struct config){0});
    make_images(t);
    struct snap *before = snap_take(t, 0);
    play(BEGIN "restored\n");
    pid_t pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"restore", "--image-path", images(t), "-b", c.b.path, t->tag, NULL})}, &out);
    await_container(t);
    quiet(t, "kill", t->tag, "USR1");
    command_wait(pid, 10, &out);
    CHECK_INT(out.code, 128 + SIGUSR1);
    outcome_free(&out);
    reap_all();
    CHECK_SNAP(t, before);
    leave_beside();
}

/* Each way ends with an error that says what it was, and with nothing left: not even a process of which criu had not
 * yet spoken. */
static void fake_restore_fails(struct t *t) {
    static const struct {
        const char *script, *word;
    } ways[] = {{"die\n", "ended by signal 9"}, {"hear\ndie\n", "ended by signal 9"}, {BEGIN "die\n", "ended by signal 9"}, {BEGIN "unborn\ndie\n", "ended by signal 9"},
        {BEGIN "born setup-namespaces\ndie\n", "ended by signal 9"}, {BEGIN "born setup-namespaces\nagain post-restore\nexit 1\n", "exit status 1"}, {BEGIN "unborn\ngarbage\nwait\n", "none of its protocol"},
        {BEGIN "born setup-namespaces\nfail Error (x.c:3): no luck\n", "no luck"}, {BEGIN "born setup-namespaces\nrestored\nexit 2\n", "exit status 2"}, {BEGIN "left\n", "it does not say why"},
        {BEGIN "foreign setup-namespaces\nfail script\n", "a process that is not its work"}, {BEGIN "log (00.1) Error (y.c:1): why\nfail\n", "hint: Error (y.c:1): why"}};
    struct counter c;
    struct pipes p;
    make_beside(test_exe());
    counter_make(t, &c, &(struct config){0});
    make_images(t);
    struct snap *before = snap_take(t, 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        play(ways[i].script);
        detached(t, &p, 1, ways[i].word, (const char *const[]){"restore", "-d", "--image-path", images(t), "--pid-file", pid_file(t), "-b", c.b.path, t->tag, NULL});
        close(p.out[0]);
        CHECK(access(pid_file(t), F_OK), "%zu: a pid file", i);
        reap_all();
        unlink(print("%s/restore.log", images(t)));
        struct text text = {0};
        CHECK(snap_same(t, before, &text), "%zu: %s", i, text.at);
    }
    leave_beside();
}

/* Hooks of the host run once there is an init, and one that fails is why the restore fails. */
static void fake_restore_hooks(struct t *t) {
    struct counter c;
    struct pipes p;
    make_beside(test_exe());
    const char *hook = print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\",\"args\":[\"payload\",\"payload-hook\",\"%s/hook\",\"one\"]}]}", test_exe(), t->dir);
    counter_make(t, &c, &(struct config){.top = hook});
    make_images(t);
    play(NEW);
    start(t, &p, "restore", "-d", "--image-path", images(t), "-b", c.b.path, t->tag);
    char *told = file_read(print("%s/hook", t->dir), NULL);
    CHECK(told, "%s", "the hook did not run");
    CHECK_HAS(told, state_get(t, t->tag, "pid"));
    end_counter(t, &p);
    make_beside(test_exe());
    counter_config(&c, &(struct config){.top = print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\",\"args\":[\"payload\",\"payload-exit\",\"3\"]}]}", test_exe())});
    play(BEGIN "born setup-namespaces\nfail script\n");
    detached(t, &p, 1, "exit status 3", (const char *const[]){"restore", "-d", "--image-path", images(t), "-b", c.b.path, t->tag, NULL});
    CHECK_HAS(heard(), "\n 1=6 3=0 \n"); /* criu is told, and takes back what it made */
    close(p.out[0]);
    reap_all();
    leave_beside();
}

/* ---- terminals ---- */

#define TTY "\"terminal\":true"
#define DEVPTS "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]}"

static int listen_at(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_OK(strlen(path) < sizeof name.sun_path);
    strcpy(name.sun_path, path);
    unlink(path);
    CHECK_SYS(bind(fd, (void *)&name, sizeof name));
    CHECK_SYS(listen(fd, 1));
    return fd;
}

static int take_master(int listener) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte[64];
    struct iovec part = {byte, sizeof byte};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    int fd, from;
    CHECK(poll(&ready, 1, (int)(5000 * time_scale())) == 1, "%s", "nobody has come");
    CHECK_SYS(from = accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    CHECK_OK(recvmsg(from, &message, MSG_CMSG_CLOEXEC) > 0 && message.msg_controllen && control.header.cmsg_len == CMSG_LEN(sizeof(int)));
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    close(from);
    return fd;
}

static void fake_restore_terminal(struct t *t) {
    struct counter c;
    struct pipes p;
    make_beside(test_exe());
    counter_make(t, &c, &(struct config){.process = TTY, .mounts = DEVPTS});
    make_images(t);
    char *path = print("%s/console", t->dir);
    int listener = listen_at(path);
    play(BEGIN "terminal\nrestored\n");
    detached(t, &p, 1, "pass --console-socket", (const char *const[]){"restore", "-d", "--image-path", images(t), "-b", c.b.path, t->tag, NULL});
    close(p.out[0]);
    CHECK(access(HEARD, F_OK), "%s", "criu was asked");
    start(t, &p, "restore", "-d", "--image-path", images(t), "--console-socket", path, "-b", c.b.path, t->tag);
    struct pipes master = {{take_master(listener), -1}};
    await_tick(&master, "restored");
    close(master.out[0]);
    end_counter(t, &p);
    /* criu has none to give */
    make_beside(test_exe());
    play(NEW);
    detached(t, &p, 1, "sending the terminal", (const char *const[]){"restore", "-d", "--image-path", images(t), "--console-socket", path, "-b", c.b.path, t->tag, NULL});
    close(p.out[0]);
    close(listener);
    unlink(path);
    reap_all();
    leave_beside();
}

/* ---- with the real one ---- */

static const char *lock; /* how the network is locked: not at all, where criu can leave that out */

static const char *need_criu(struct t *t) {
    static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"};
    const char *given = getenv("OCIRT_TEST_CRIU"), *exe = NULL;
    struct outcome out;
    (void)t;
    need_root();
    if (given) make_beside(given); /* a link to that one */
    for (size_t i = 0; i < 6 && !exe; i++)
        if (!access(print("%s/criu", folders[i]), X_OK)) exe = print("%s/criu", folders[i]);
    if (!exe) SKIP("criu", "there is no criu");
    command_run(&(struct command){.exe = exe, .argv = (const char *const[]){"criu", "check", NULL}}, &out);
    if (out.code) SKIP("criu", "criu check: %.600s", out.err);
    outcome_free(&out);
    command_run(&(struct command){.exe = exe, .argv = (const char *const[]){"criu", "--version", NULL}}, &out);
    lock = strstr(out.out, "Version: 3.") ? "nftables" : "skip";
    outcome_free(&out);
    return exe;
}

/* What was before each error, too. */
static void real_log(struct t *t) {
    for (int i = 0; i < 2; i++) {
        char *text = file_read(print("%s/%s.log", images(t), i ? "restore" : "dump"), NULL), *before[3] = {"", "", ""};
        for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n")) {
            if (strstr(line, "Error")) fprintf(stderr, "# %s\n# %s\n# %s\n# %s\n", before[0], before[1], before[2], line);
            before[0] = before[1], before[1] = before[2], before[2] = line;
        }
    }
}

static void real_checkpoint(struct t *t, const char *option) {
    struct outcome out;
    run_ocirt(t, &out, "checkpoint", "--network-lock", lock, "--image-path", images(t), option ? option : t->tag, option ? t->tag : NULL);
    if (out.code) real_log(t);
    CHECK(out.code == 0 && !out.out_n && !out.err_n, "%d %s%s", out.code, out.out, out.err);
    outcome_free(&out);
}

static void real_restore(struct t *t, struct counter *c, struct pipes *p, const char *socket) {
    struct outcome out;
    CHECK_SYS(pipe2(p->out, O_CLOEXEC));
    const char *args[] = {"restore", "-d", "--image-path", images(t), "--pid-file", pid_file(t), "-b", c->b.path, t->tag, socket ? "--console-socket" : NULL, socket, NULL};
    command_run(&(struct command){.argv = ocirt_argv(t, args), .child = with_pipes, .user = p, .seconds = 15}, &out);
    close(p->out[1]);
    if (out.code) {
        char text[4096] = "";
        (void)!read(p->out[0], text, sizeof text - 1);
        real_log(t);
        CHECK(out.code == 0, "%d %s", out.code, text);
    }
    outcome_free(&out);
}

/* It counts on from where it was, as process 1 of a pid namespace, says so on the new pipe, in the cgroup with its
 * limit; and all of it once more. */
static void real_cycle(struct t *t) {
    struct counter c;
    struct pipes p;
    need_criu(t);
    bool limited = false;
    char *controllers = cgroup_mount() ? file_read(print("%s/cgroup.controllers", cgroup_mount()), NULL) : NULL;
    limited = controllers && strstr(controllers, "pids");
    counter_make(t, &c, &(struct config){.namespaces = "pid mount ipc uts network cgroup",
        .linux_ = print("\"maskedPaths\":[\"/proc/kcore\",\"/proc/keys\",\"/sys/firmware\"],\"readonlyPaths\":[\"/proc/sys\"]%s", limited ? ",\"resources\":{\"pids\":{\"limit\":77}}" : "")});
    struct snap *before = snap_take(t, 0);
    start(t, &p, "run", "-d", "-b", c.b.path, t->tag);
    long n = await_count(&c, 5);
    for (int round = 0; round < 2; round++) {
        real_checkpoint(t, NULL);
        CHECK_TEXT(status_of(t), "stopped");
        close(p.out[0]);
        quiet(t, "delete", t->tag);
        reap_all();
        int pid;
        long stood = count_of(&c, &pid);
        CHECK(stood >= n, "%ld %ld", stood, n);
        real_restore(t, &c, &p, NULL);
        CHECK_TEXT(status_of(t), "running");
        CHECK_TEXT(state_get(t, t->tag, "pid"), file_read(pid_file(t), NULL));
        n = await_count(&c, stood);
        CHECK(n < stood + 2000, "%ld is not where it was, %ld", n, stood);
        await_tick(&p, print("tick %ld\n", n + 1));
        char *cgroup = cgroup_of(t, atoi(state_get(t, t->tag, "pid")));
        if (limited && cgroup) CHECK_TEXT(file_read(print("%s/pids.max", cgroup), NULL), "77\n");
    }
    quiet(t, "exec", t->tag, "/payload", "payload-exit", "0");
    quiet(t, "delete", "--force", t->tag);
    close(p.out[0]);
    reap_all();
    unlink(pid_file(t));
    remove_tree(images(t));
    CHECK_SNAP(t, before);
    leave_beside();
}

static void real_leave_running(struct t *t) {
    struct counter c;
    struct pipes p;
    need_criu(t);
    counter_make(t, &c, &(struct config){0});
    start(t, &p, "run", "-d", "-b", c.b.path, t->tag);
    long n = await_count(&c, 5);
    real_checkpoint(t, "--leave-running");
    CHECK_TEXT(status_of(t), "running");
    n = await_count(&c, n);
    await_tick(&p, print("tick %ld\n", n + 1));
    end_counter(t, &p);
}

/* Another folder takes the place of the bind mount's source, in the foreground; its end is the restore's. */
static void real_elsewhere(struct t *t) {
    struct counter c;
    struct pipes p;
    struct outcome out;
    need_criu(t);
    counter_make(t, &c, &(struct config){0});
    start(t, &p, "run", "-d", "-b", c.b.path, t->tag);
    await_count(&c, 5);
    real_checkpoint(t, NULL);
    quiet(t, "delete", t->tag);
    close(p.out[0]);
    const char *before = c.data;
    c.data = print("%s/other", c.b.rootfs);
    make_dirs(c.data, 0777);
    copy_file(print("%s/count.new", before), print("%s/count.new", c.data), 0644); /* it may have had that open */
    copy_file(print("%s/count", before), print("%s/count", c.data), 0644);
    counter_config(&c, &(struct config){0});
    CHECK_SYS(pipe2(p.out, O_CLOEXEC));
    pid_t pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"restore", "--image-path", images(t), "-b", c.b.path, t->tag, NULL}), .child = with_pipes, .user = &p}, &out);
    close(p.out[1]);
    int  pid_inside;
    await_count(&c, count_of(&c, &pid_inside));
    file_write(print("%s/stop", c.data), "%s", "");
    command_wait(pid, 10, &out);
    CHECK_INT(out.code, 7);
    expect(t, 1, "does not exist", "state", t->tag);
    close(p.out[0]);
    reap_all();
    leave_beside();
}

/* The pages of a pre-dump, while it counts, and what has changed since. */
static void real_pre_dump(struct t *t) {
    struct counter c;
    struct pipes p;
    struct outcome out;
    const char *exe = need_criu(t);
    command_run(&(struct command){.exe = exe, .argv = (const char *const[]){"criu", "check", "--feature", "mem_dirty_track", NULL}}, &out);
    if (out.code) leave_beside(), SKIP("kernel", "it does not tell which pages have changed: %.200s", out.err);
    counter_make(t, &c, &(struct config){0});
    start(t, &p, "run", "-d", "-b", c.b.path, t->tag);
    long n = await_count(&c, 5);
    quiet(t, "checkpoint", "--pre-dump", "--image-path", print("%s/before", t->dir), t->tag);
    CHECK_TEXT(status_of(t), "running");
    n = await_count(&c, n);
    quiet(t, "checkpoint", "--network-lock", lock, "--image-path", images(t), "--parent-path", "../before", t->tag);
    CHECK_TEXT(status_of(t), "stopped");
    char target[64] = "";
    CHECK_OK(readlink(print("%s/parent", images(t)), target, sizeof target - 1) > 0);
    CHECK_TEXT(target, "../before");
    quiet(t, "delete", t->tag);
    close(p.out[0]);
    real_restore(t, &c, &p, NULL);
    await_count(&c, n);
    end_counter(t, &p);
    unlink(pid_file(t));
}

static void real_joined_network(struct t *t) {
    struct counter c;
    struct pipes p;
    need_criu(t);
    pid_t peer = holder(CLONE_NEWNET, NULL);
    counter_make(t, &c, &(struct config){.namespaces = print("[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"%s\"}]", ns_path(peer, "net"))});
    start(t, &p, "run", "-d", "-b", c.b.path, t->tag);
    await_count(&c, 5);
    real_checkpoint(t, NULL);
    quiet(t, "delete", t->tag);
    close(p.out[0]);
    real_restore(t, &c, &p, NULL);
    await_count(&c, 5);
    CHECK_OK(ns_of(atoi(state_get(t, t->tag, "pid")), "net") == ns_of(peer, "net"));
    end_counter(t, &p);
    unlink(pid_file(t));
    holders_end();
}

static void real_terminal(struct t *t) {
    struct counter c;
    struct pipes p, master = {{-1, -1}};
    need_criu(t);
    counter_make(t, &c, &(struct config){.process = TTY, .mounts = DEVPTS});
    char *path = print("%s/console", t->dir);
    int listener = listen_at(path);
    start(t, &p, "run", "-d", "--console-socket", path, "-b", c.b.path, t->tag);
    master.out[0] = take_master(listener);
    long n = await_count(&c, 5);
    await_tick(&master, "tick ");
    real_checkpoint(t, NULL);
    quiet(t, "delete", t->tag);
    close(p.out[0]);
    close(master.out[0]);
    real_restore(t, &c, &p, path);
    master.out[0] = take_master(listener);
    n = await_count(&c, n);
    await_tick(&master, print("tick %ld\r\n", n + 2));
    close(master.out[0]);
    close(listener);
    unlink(path);
    end_counter(t, &p);
    unlink(pid_file(t));
}

const struct test run_checkpoint_tests[] = {
    {"checkpoint.asks", fake_checkpoint, TEST_ROOT, 0},
    {"checkpoint.pre_dump", fake_pre_dump, TEST_ROOT, 0},
    {"checkpoint.fails", fake_checkpoint_fails, TEST_ROOT, 60},
    {"checkpoint.refusals", refusals, TEST_ROOT, 0},
    {"checkpoint.probes", probes, 0, 0},
    {"checkpoint.restore_asks", fake_restore, TEST_ROOT, 0},
    {"checkpoint.restore_foreground", fake_restore_foreground, TEST_ROOT, 0},
    {"checkpoint.restore_fails", fake_restore_fails, TEST_ROOT, 60},
    {"checkpoint.restore_hooks", fake_restore_hooks, TEST_ROOT, 0},
    {"checkpoint.restore_terminal", fake_restore_terminal, TEST_ROOT, 0},
    {"checkpoint.real_cycle", real_cycle, TEST_ROOT, 60},
    {"checkpoint.real_leave_running", real_leave_running, TEST_ROOT, 60},
    {"checkpoint.real_elsewhere", real_elsewhere, TEST_ROOT, 60},
    {"checkpoint.real_pre_dump", real_pre_dump, TEST_ROOT, 60},
    {"checkpoint.real_joined_network", real_joined_network, TEST_ROOT, 60},
    {"checkpoint.real_terminal", real_terminal, TEST_ROOT, 60},
    {0},
};
