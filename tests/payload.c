/* payload.c: what runs inside a container, alone in its root.
 *
 * It may be filtered, out of memory, without /proc and without most of /dev. So it uses raw system
 * calls where libc would hide or cache something, prints with write, and leaves out what it cannot
 * learn. Every fact is one line of key=value; bytes below space are escaped.
 */
#include "test.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>

extern char **environ;

/* ---- output ---- */

static struct text said; /* kept until flush, so that the report is few writes */

static void flush(void) {
    size_t done = 0;
    while (done < said.n) {
        ssize_t n = write(1, said.at + done, said.n - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += (size_t)n;
    }
    said.n = 0;
}

static void say_escaped(const char *key, const char *value) {
    text_add(&said, "%s=", key);
    text_add_escaped(&said, value, strlen(value));
    text_add(&said, "\n");
}

#define say(...) text_add(&said, __VA_ARGS__)

/* "verb path: ok" or "verb path: ENOENT"; the exit code of a verb is 1 when it failed. */
static int say_result(const char *verb, const char *object, long result) {
    int error = errno;
    say("%s %s: %s\n", verb, object, result < 0 ? errno_name(error) : "ok");
    return result < 0;
}

/* ---- report: who we are ---- */

static void report_ids(void) {
    unsigned r, e, s;
    say("pid=%d\nppid=%d\nsid=%d\npgrp=%d\n", (int)syscall(SYS_getpid), (int)getppid(),
        (int)getsid(0), (int)getpgrp());
    if (!syscall(SYS_getresuid, &r, &e, &s))
        say("uid=%u %u %u %u\n", r, e, s, (unsigned)setfsuid((uid_t)-1));
    if (!syscall(SYS_getresgid, &r, &e, &s))
        say("gid=%u %u %u %u\n", r, e, s, (unsigned)setfsgid((gid_t)-1));
    static gid_t groups[65536];
    int n = getgroups(65536, groups);
    say("groups=");
    for (int i = 0; i < n; i++) say("%s%u", i ? " " : "", groups[i]);
    mode_t mask = umask(0);
    umask(mask);
    say("\numask=%04o\n", mask);
}

static void report_capabilities(void) {
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2] = {{0, 0, 0}, {0, 0, 0}};
    unsigned long long bounding = 0, ambient = 0;
    if (!syscall(SYS_capget, &head, data)) {
#define SET(field) ((unsigned long long)data[1].field << 32 | data[0].field)
        say("cap.effective=%016llx\ncap.permitted=%016llx\ncap.inheritable=%016llx\n",
            SET(effective), SET(permitted), SET(inheritable));
#undef SET
    }
    for (int cap = 0; cap < 64; cap++) {
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) bounding |= 1ull << cap;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1) ambient |= 1ull << cap;
    }
    say("cap.bounding=%016llx\ncap.ambient=%016llx\n", bounding, ambient);
    say("securebits=%d\n", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
}

static void report_prctl(void) {
    int number = 0;
    say("no_new_privs=%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    say("seccomp=%d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    say("dumpable=%d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    if (!prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0)) say("pdeathsig=%d\n", number);
    if (!prctl(PR_GET_CHILD_SUBREAPER, &number, 0, 0, 0)) say("subreaper=%d\n", number);
    say("timerslack=%d\n", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
    say("thp_disable=%d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    char name[17] = "";
    if (!prctl(PR_GET_NAME, name, 0, 0, 0)) say_escaped("comm", name);
    say("personality=%#x\n", (unsigned)personality(0xffffffff));
}

static void report_signals(void) {
    uint64_t blocked = 0, pending = 0, ignored = 0, caught = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof blocked);
    syscall(SYS_rt_sigpending, &pending, sizeof pending);
    for (int i = 1; i <= 64; i++) {
        uintptr_t action[8] = {0}; /* the kernel's struct; the handler is its first word */
        if (syscall(SYS_rt_sigaction, i, NULL, action, (size_t)8)) continue;
        if (action[0] == 1)
            ignored |= 1ull << (i - 1);
        else if (action[0])
            caught |= 1ull << (i - 1);
    }
    say("sig.blocked=%016llx\nsig.pending=%016llx\nsig.ignored=%016llx\nsig.caught=%016llx\n",
        (unsigned long long)blocked, (unsigned long long)pending, (unsigned long long)ignored,
        (unsigned long long)caught);
}

static void say_limit(uint64_t limit) {
    if (limit == UINT64_MAX)
        say("unlimited");
    else
        say("%llu", (unsigned long long)limit);
}

static void report_limits(void) {
    static const char *const names[] = {
        "cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
        "memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"};
    for (unsigned i = 0; i < 16; i++) {
        uint64_t limit[2];
        if (syscall(SYS_prlimit64, 0, i, NULL, limit)) continue;
        say("rlimit.%s=", names[i]);
        say_limit(limit[0]);
        say(" ");
        say_limit(limit[1]);
        say("\n");
    }
}

static void report_scheduling(void) {
    cpu_set_t set;
    struct sched_param param = {0};
    errno = 0;
    say("nice=%d\n", getpriority(PRIO_PROCESS, 0));
    int policy = (int)syscall(SYS_sched_getscheduler, 0);
    syscall(SYS_sched_getparam, 0, &param);
    say("sched=%d %d\n", policy, param.sched_priority);
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
        uint32_t util_min, util_max;
    } attr = {.size = sizeof attr};
    if (!syscall(SYS_sched_getattr, 0, &attr, (unsigned)sizeof attr, 0))
        say("sched.flags=%#llx\nsched.runtime=%llu %llu %llu\nsched.util=%u %u\n",
            (unsigned long long)attr.flags, (unsigned long long)attr.runtime,
            (unsigned long long)attr.deadline, (unsigned long long)attr.period, attr.util_min,
            attr.util_max);
    CPU_ZERO(&set);
    if (!sched_getaffinity(0, sizeof set, &set)) {
        say("affinity=");
        for (unsigned i = 0, first = 1; i < CPU_SETSIZE; i++)
            if (CPU_ISSET(i, &set)) say("%s%u", first ? "" : ",", i), first = 0;
        say("\n");
    }
    long io = syscall(SYS_ioprio_get, 1, 0);
    if (io >= 0) say("ioprio=%ld %ld\n", io >> 13, io & 0x1fff);
#ifdef SYS_get_mempolicy
    int mode = 0;
    unsigned long nodes[16] = {0};
    if (!syscall(SYS_get_mempolicy, &mode, nodes, 1024ul, NULL, 0ul))
        say("mempolicy=%#x %#lx\n", (unsigned)mode, nodes[0]);
#endif
}

/* ---- report: what we were given ---- */

static void report_args(int argc, char **argv) {
    char key[300];
    say("argc=%d\n", argc);
    for (int i = 0; i < argc; i++) {
        snprintf(key, sizeof key, "argv.%d", i);
        say_escaped(key, argv[i]);
    }
    int n = 0;
    for (char **env = environ; env && *env; env++, n++) {
        char *equals = strchr(*env, '=');
        snprintf(key, sizeof key, "environ.%d", n);
        say_escaped(key, *env);
        if (!equals) continue;
        snprintf(key, sizeof key, "env.%.*s", (int)(equals - *env), *env);
        say_escaped(key, equals + 1);
    }
    say("env.count=%d\n", n);
}

static const char *type_name(mode_t mode) {
    return S_ISREG(mode)    ? "file"
           : S_ISDIR(mode)  ? "dir"
           : S_ISLNK(mode)  ? "link"
           : S_ISCHR(mode)  ? "chr"
           : S_ISBLK(mode)  ? "blk"
           : S_ISFIFO(mode) ? "fifo"
           : S_ISSOCK(mode) ? "socket"
                            : "anon";
}

static void report_fd(int fd) {
    struct stat info;
    char path[64], target[4096] = "?";
    int flags = fcntl(fd, F_GETFL), own = fcntl(fd, F_GETFD);
    if (own < 0 || fstat(fd, &info)) return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n > 0) target[n] = 0;
    say("fd.%d=", fd);
    text_add_escaped(&said, target, strlen(target));
    say(" type=%s flags=%#o cloexec=%d dev=%u:%u ino=%llu\n", type_name(info.st_mode),
        (unsigned)flags, own & FD_CLOEXEC, major(info.st_dev), minor(info.st_dev),
        (unsigned long long)info.st_ino);
}

/* By asking for each number: a directory of /proc may be missing, or a lie. */
static void report_fds(void) {
    struct rlimit limit = {1024, 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t most = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
    if (most < 4096) most = 4096; /* those above a lowered limit stay open */
    int n = 0;
    for (int fd = 0; (rlim_t)fd < most; fd++)
        if (fcntl(fd, F_GETFD) >= 0) report_fd(fd), n++;
    say("fd.count=%d\n", n);
}

static void report_tty(void) {
    struct winsize size = {0};
    struct termios modes;
    char path[256] = "";
    say("isatty=%d %d %d\n", isatty(0), isatty(1), isatty(2));
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    say("tty.controlling=%d\n", fd >= 0);
    if (fd >= 0) close(fd);
    if (!isatty(0)) return;
    ssize_t n = readlink("/proc/self/fd/0", path, sizeof path - 1);
    if (n > 0) say_escaped("tty", path);
    if (!ioctl(0, TIOCGWINSZ, &size)) say("tty.size=%u %u\n", size.ws_row, size.ws_col);
    if (!tcgetattr(0, &modes))
        say("tty.modes=%x %x %x %x\n", modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag);
    say("tty.pgrp=%d\n", (int)tcgetpgrp(0));
}

static void report_keyring(void) {
    char text[512] = "";
    long id =
        syscall(SYS_keyctl, 0, -3, 0); /* GET_KEYRING_ID of SPEC_SESSION_KEYRING, do not make one */
    if (id < 0) {
        say("keyring=%s\n", errno_name(errno));
        return;
    }
    if (syscall(SYS_keyctl, 6, id, text, sizeof text - 1) < 0) text[0] = 0; /* DESCRIBE */
    say("keyring=%ld\n", id);
    say_escaped("keyring.description", text);
}

/* ---- report: where we are ---- */

static void report_place(void) {
    char cwd[4096];
    struct utsname name;
    struct stat info;
    struct statfs fs;
    if (syscall(SYS_getcwd, cwd, sizeof cwd) > 0)
        say_escaped("cwd", cwd);
    else
        say("cwd=%s\n", errno_name(errno));
    if (!stat("/", &info)) {
        say("root=%u:%u %llu\n", major(info.st_dev), minor(info.st_dev),
            (unsigned long long)info.st_ino);
        say("root.mode=%04o %u %u\n", info.st_mode & 07777, info.st_uid, info.st_gid);
    }
    if (!stat("/..", &info))
        say("root.parent=%u:%u %llu\n", major(info.st_dev), minor(info.st_dev),
            (unsigned long long)info.st_ino);
    if (!statfs("/", &fs))
        say("root.fs=%#lx flags=%#lx\n", (unsigned long)fs.f_type, (unsigned long)fs.f_flags);
    if (uname(&name)) return;
    say_escaped("hostname", name.nodename);
    say_escaped("domainname", name.domainname);
    say_escaped("kernel", name.release);
    say_escaped("machine", name.machine);
}

static void report_namespaces(void) {
    static const char *const names[] = {
        "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children",
        "user",   "uts"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stat info;
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        if (!stat(path, &info)) say("ns.%s=%llu\n", names[i], (unsigned long long)info.st_ino);
    }
}

/* Each line of a file as one line of the report. */
static void report_lines(const char *key, const char *path) {
    char *text = file_read(path, NULL);
    if (!text) return;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        for (char *to = line, *from = line;; from++) { /* columns with one space between */
            if (*from == ' ' || *from == '\t') {
                if (to == line || to[-1] == ' ') continue;
                *to++ = ' ';
            } else if (!(*to++ = *from))
                break;
        }
        say_escaped(key, line);
    }
    free(text);
}

/* "Name:\tvalue" lines become status.Name=value. */
static void report_status(void) {
    char *text = file_read("/proc/self/status", NULL);
    for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n")) {
        char key[128];
        char *colon = strchr(line, ':');
        if (!colon) continue;
        snprintf(key, sizeof key, "status.%.*s", (int)(colon - line), line);
        say_escaped(key, colon + 1 + strspn(colon + 1, " \t"));
    }
    free(text);
}

static void report_proc(void) {
    static const struct {
        const char *key, *path;
    } files[] = {{"oom_score_adj", "/proc/self/oom_score_adj"},
                 {"uid_map", "/proc/self/uid_map"},
                 {"gid_map", "/proc/self/gid_map"},
                 {"setgroups", "/proc/self/setgroups"},
                 {"cgroup", "/proc/self/cgroup"},
                 {"timens", "/proc/self/timens_offsets"},
                 {"loginuid", "/proc/self/loginuid"},
                 {"label", "/proc/self/attr/current"},
                 {"label.exec", "/proc/self/attr/exec"},
                 {"coredump_filter", "/proc/self/coredump_filter"},
                 {"mount", "/proc/self/mountinfo"},
                 {"uptime", "/proc/uptime"}};
    char exe[4096];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        report_lines(files[i].key, files[i].path);
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0) return;
    exe[n] = 0;
    say_escaped("exe", exe);
}

static void report_interfaces(void) {
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        say("lo=%s\n", errno_name(errno));
        return;
    }
    strcpy(request.ifr_name, "lo");
    if (ioctl(fd, SIOCGIFFLAGS, &request))
        say("lo=%s\n", errno_name(errno));
    else
        say("lo=%#x\nlo.up=%d\n", (unsigned)(unsigned short)request.ifr_flags,
            !!(request.ifr_flags & IFF_UP));
    for (int i = 1; i < 64; i++) {
        request.ifr_ifindex = i;
        if (ioctl(fd, SIOCGIFNAME, &request)) continue;
        say("netdev=%.16s", request.ifr_name);
        say(" flags=%#x",
            ioctl(fd, SIOCGIFFLAGS, &request) ? 0u : (unsigned)(unsigned short)request.ifr_flags);
        if (i > 1 && !ioctl(fd, SIOCGIFMTU, &request)) say(" mtu=%d", request.ifr_mtu);
        say("\n");
    }
    close(fd);
}

/* Each address that the kernel lists: "device address/prefix flags scope label". */
static void report_addresses(void) {
    struct {
        uint32_t size;
        uint16_t type, flags;
        uint32_t rest[2], family, index;
    } request = {24, 22, 0x301, {0, 0}, 0, 0};
    static _Alignas(8) unsigned char answer[32768];
    int fd = socket(16, SOCK_RAW | SOCK_CLOEXEC, 0);
    ssize_t n = fd < 0 ? -1 : send(fd, &request, sizeof request, 0);
    while (n >= 0 && (n = recv(fd, answer, sizeof answer, 0)) > 0)
        for (uint32_t at = 0, size; at + 16 <= (size_t)n; at += (size + 3) & ~3u) {
            unsigned char *m = answer + at, *address = NULL;
            uint16_t type;
            uint32_t index, flags = m[18];
            const char *label = "";
            char text[64] = "", name[IF_NAMESIZE] = "";
            memcpy(&size, m, 4), memcpy(&type, m + 4, 2), memcpy(&index, m + 20, 4);
            if (type != 20 || size < 24) n = -1;
            if (n < 0) break;
            for (uint16_t a[2], k = 24; k + 4u <= size; k = (uint16_t)(k + ((a[0] + 3) & ~3))) {
                memcpy(a, m + k, 4);
                if (a[0] < 4) break;
                if (a[1] == 2 || (a[1] == 1 && !address)) address = m + k + 4;
                if (a[1] == 3) label = (const char *)m + k + 4;
                if (a[1] == 8) memcpy(&flags, m + k + 4, 4);
            }
            if (address && index != 1) say("address=%s %s/%u flags=%#x scope=%u label=%s\n", if_indextoname(index, name), inet_ntop(m[16], address, text, sizeof text), m[17], flags, m[19], label);
        }
    if (fd >= 0) close(fd);
}

/* "type rdev mode uid gid" or "link target uid gid". */
static void say_entry(const char *key, const char *path) {
    struct stat info;
    if (lstat(path, &info)) {
        say("%s=%s\n", key, errno_name(errno));
        return;
    }
    say("%s=%s", key, type_name(info.st_mode));
    if (S_ISLNK(info.st_mode)) {
        char target[4096];
        ssize_t n = readlink(path, target, sizeof target - 1);
        say(" ");
        text_add_escaped(&said, target, n > 0 ? (size_t)n : 0);
    }
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode))
        say(" %u:%u", major(info.st_rdev), minor(info.st_rdev));
    if (!S_ISLNK(info.st_mode)) say(" %04o", info.st_mode & 07777);
    say(" %u %u\n", info.st_uid, info.st_gid);
}

static void say_directory(const char *prefix, const char *path) {
    struct dirent **list = NULL;
    int n = scandir(path, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char key[600], entry[600];
        if (!strcmp(list[i]->d_name, ".") || !strcmp(list[i]->d_name, "..")) continue;
        snprintf(key, sizeof key, "%s%s", prefix, list[i]->d_name);
        snprintf(entry, sizeof entry, "%s/%s", path, list[i]->d_name);
        say_entry(key, entry);
    }
}

static int report(int argc, char **argv) {
    report_fds(); /* first: the others open files */
    report_ids();
    report_capabilities();
    report_prctl();
    report_signals();
    report_limits();
    report_scheduling();
    report_args(argc, argv);
    report_place();
    report_tty();
    report_keyring();
    report_namespaces();
    report_interfaces();
    report_addresses();
    say_directory("dev.", "/dev");
    say_directory("top.", "/");
    report_proc();
    report_status();
    say("end=1\n");
    return 0;
}

/* ---- verbs: process ---- */

static int number(const char *text) { return text ? (int)strtol(text, NULL, 0) : 0; }

static int do_exit(int argc, char **argv) { return argc > 1 ? number(argv[1]) : 0; }

static int do_signal(int argc, char **argv) {
    flush();
    return argc > 1 ? kill(getpid(), number(argv[1])) : 1;
}

static int do_sleep(int argc, char **argv) {
    flush();
    nap(argc > 1 ? strtod(argv[1], NULL) : 1e6);
    return 0;
}

/* DIR: counts there, and says so; until DIR/stop is there. */
static int do_count(int argc, char **argv) {
    const char *dir = argc > 1 ? argv[1] : ".";
    char *file = print("%s/count", dir), *temporary = print("%s/count.new", dir), *stop = print("%s/stop", dir);
    for (long n = 0; access(stop, F_OK); n++) {
        int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (fd < 0 || dprintf(fd, "%ld %d\n", n, (int)getpid()) < 0 || close(fd) || rename(temporary, file)) return 1;
        say("tick %ld\n", n);
        flush();
        nap(0.02);
    }
    return 7;
}

static volatile sig_atomic_t trapped;

static void on_trapped(int signal_number) { trapped = signal_number; }

/* Waits for one of the signals, says which, ends with its number: process 1 ignores the rest. */
TEST_NORETURN static int do_spin(int argc, char **argv) {
    (void)argc, (void)argv;
    flush();
    for (volatile unsigned i = 0;;) i++;
}

static int do_trap(int argc, char **argv) {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, NULL); /* they come in sigsuspend, and not just before it */
    for (int i = 1; i < argc; i++) signal(number(argv[i]), on_trapped);
    say("ready\n");
    flush();
    while (!trapped) sigsuspend(&none);
    say("got %d\n", (int)trapped);
    return (int)trapped;
}

static void say_window(void) {
    struct winsize size = {0};
    if (ioctl(0, TIOCGWINSZ, &size))
        say("window %s\n", errno_name(errno));
    else
        say("window %u %u\n", size.ws_row, size.ws_col);
    flush();
}

/* The size of the terminal, now and after each of N changes. */
static int do_window(int argc, char **argv) {
    sigset_t change;
    sigemptyset(&change);
    sigaddset(&change, SIGWINCH);
    sigprocmask(SIG_BLOCK, &change, NULL);
    say_window();
    for (int i = argc > 1 ? number(argv[1]) : 0; i > 0; i--) {
        sigwaitinfo(&change, NULL);
        say_window();
    }
    return 0;
}

/* No echo, no lines, no translation: bytes. */
static int do_raw(int argc, char **argv) {
    struct termios modes;
    (void)argc, (void)argv;
    if (tcgetattr(0, &modes)) return say_result("raw", "stdin", -1);
    cfmakeraw(&modes);
    return tcsetattr(0, TCSANOW, &modes) ? say_result("raw", "stdin", -1) : 0;
}

/* Lets go of the three standard descriptors for a while, and takes FILE for all of them. */
static int do_reopen(int argc, char **argv) {
    if (argc < 2) return 2;
    flush();
    for (int fd = 0; fd < 3; fd++) close(fd);
    nap(0.1);
    if (open(argv[1], O_RDWR) != 0) return 1;
    return dup2(0, 1) < 0 || dup2(0, 2) < 0;
}

static int do_ignore(int argc, char **argv) {
    for (int i = 1; i < argc; i++) signal(number(argv[i]), SIG_IGN);
    return 0;
}

static int do_fork_bomb_ish(int argc, char **argv) {
    int n = argc > 1 ? number(argv[1]) : 1, made = 0, error = 0;
    flush();
    for (int i = 0; i < n; i++) {
        pid_t child = fork();
        if (child == 0) {
            if (fork() == 0) {
                setsid();
                for (;;) pause();
            }
            _exit(0);
        }
        if (child < 0)
            error = errno;
        else
            made++, waitpid(child, NULL, 0);
    }
    say("forked %d%s%s\n", made, error ? " " : "", error ? errno_name(error) : "");
    return made != n;
}

static int do_eat(int argc, char **argv) {
    int n = argc > 1 ? number(argv[1]) : 1;
    for (int i = 0; i < n; i++) {
        char *block =
            mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) {
            say("eaten %d %s\n", i, errno_name(errno));
            return 1;
        }
        memset(block, i + 1, 1 << 20);
    }
    say("eaten %d\n", n);
    return 0;
}

/* Lives on with this name, and with no arguments to be seen: for a child, since the arguments are gone. */
static int do_disguise(int argc, char **argv) {
    char name[16] = "", *at = file_read("/proc/self/stat", NULL);
    unsigned long begin = 0, end = 0;
    if (argc < 2 || !at) return 2;
    snprintf(name, sizeof name, "%s", argv[1]);
    at = strrchr(at, ')');
    for (int field = 3; field <= 49 && *at; field++) {
        at += strcspn(at, " ") + 1;
        if (field == 48) begin = strtoul(at, NULL, 10);
        if (field == 49) end = strtoul(at, NULL, 10);
    }
    if (!begin || end <= begin) return 2;
    memset((char *)begin, 0, end - begin);
    prctl(PR_SET_NAME, name);
    for (;;) pause();
}

static int do_exec(int argc, char **argv) {
    if (argc < 2) return 2;
    char *rest = argv[argc]; /* of a script */
    flush();
    argv[argc] = NULL;
    execv(argv[1], argv + 1);
    argv[argc] = rest;
    return say_result("exec", argv[1], -1);
}

static int do_fork(int argc, char **argv);
static int do_foreground(int argc, char **argv);
static int do_background(int argc, char **argv);

static int do_kill(int argc, char **argv) {
    return argc < 3 ? 2 : say_result("kill", argv[1], kill(number(argv[1]), number(argv[2])));
}

/* Any call, by number: for seccomp. The arguments are numbers, or text after a colon. */
static int do_syscall(int argc, char **argv) {
    long args[6] = {0};
    for (int i = 2; i < argc && i < 8; i++)
        args[i - 2] =
            argv[i][0] == ':' ? (long)(intptr_t)(argv[i] + 1) : (long)strtoll(argv[i], NULL, 0);
    flush();
    long result =
        argc < 2 ? -1
                 : syscall(number(argv[1]), args[0], args[1], args[2], args[3], args[4], args[5]);
    say("syscall %s: %s %ld\n", argc < 2 ? "?" : argv[1], result < 0 ? errno_name(errno) : "ok",
        result);
    return result < 0;
}

/* The call in a thread of its own, which has no libc: did it come back from it? */
struct thread_call {
    long nr, result;
};

static int thread_main(void *user) {
    struct thread_call *call = user;
    call->result = syscall(call->nr) < 0 ? -(long)errno : 0;
    return 0;
}

static int do_thread(int argc, char **argv) {
    static _Alignas(16) char stack[65536];
    static volatile pid_t alive = 1; /* the kernel clears it at the end */
    struct thread_call call = {argc > 1 ? number(argv[1]) : -1, 1};
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
    if (clone(thread_main, stack + sizeof stack, flags, &call, NULL, NULL, (void *)(uintptr_t)&alive) < 0) return say_result("thread", argv[1], -1);
    while (alive) nap(0.001);
    say("thread: %s\n", call.result > 0 ? "killed" : call.result ? errno_name((int)-call.result) : "ok");
    return 0;
}

static void on_sigsys(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number, (void)context;
    say("sigsys: code %d, errno %d, call %d, arch %#x\n", info->si_code, info->si_errno, info->si_syscall, info->si_arch);
}

/* From here on SIGSYS is told, and the program goes on. */
static int do_sigsys(int argc, char **argv) {
    struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    (void)argc, (void)argv;
    return sigaction(SIGSYS, &action, NULL) < 0;
}

#if defined(__x86_64__)
/* A call of the i386 table, as any program on x86-64 can make it. */
static int do_syscall32(int argc, char **argv) {
    uint32_t args[3] = {0};
    int result = argc > 1 ? number(argv[1]) : -1;
    for (int i = 2; i < argc && i < 5; i++) args[i - 2] = (uint32_t)strtoul(argv[i], NULL, 0);
    flush();
    __asm__ volatile("int $0x80" : "+a"(result) : "b"(args[0]), "c"(args[1]), "d"(args[2]) : "memory", "r8", "r9", "r10", "r11");
    say("syscall32 %s: %s %d\n", argc > 1 ? argv[1] : "?", result < 0 ? errno_name(-result) : "ok", result < 0 ? -1 : result);
    return result < 0;
}
#endif

static int do_ptrace(int argc, char **argv) {
    return argc < 2
               ? 2
               : say_result("ptrace", argv[1], ptrace(PTRACE_ATTACH, number(argv[1]), NULL, NULL));
}

static int do_unshare(int argc, char **argv) {
    return argc < 2 ? 2 : say_result("unshare", argv[1], unshare(number(argv[1])));
}

static int do_setuid(int argc, char **argv) {
    return argc < 2 ? 2 : say_result("setuid", argv[1], setuid((uid_t)number(argv[1])));
}

static int do_sethostname(int argc, char **argv) {
    return argc < 2 ? 2 : say_result("sethostname", argv[1], sethostname(argv[1], strlen(argv[1])));
}

static int do_socket(int argc, char **argv) {
    if (argc < 4) return 2;
    return say_result("socket", argv[1], socket(number(argv[1]), number(argv[2]), number(argv[3])));
}

/* ---- verbs: others ---- */

/* What can be got of a process, a word each. */
static void say_what_can_be_got(int pid) {
    static const char *const files[] = {"mem", "environ", "auxv", "maps", "io", "exe", "cwd", "root"};
    char path[64], byte;
    const char *space = "";
    for (int i = -8; i < 24; i++) {
        char name[16];
        if (i < 0)
            snprintf(name, sizeof name, "%s", files[i + 8]);
        else
            snprintf(name, sizeof name, "fd/%d", i);
        snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
        int fd = open(path, i == -8 ? O_RDWR | O_CLOEXEC : i < -3 ? O_RDONLY | O_CLOEXEC : O_PATH | O_CLOEXEC);
        if (fd < 0) continue;
        if (i >= -3 || i == -8 || read(fd, &byte, 1) == 1) say("%s%s", space, name), space = " ";
        close(fd);
    }
    struct iovec here = {&byte, 1}, there = {(void *)(uintptr_t)say_what_can_be_got, 1};
    if (syscall(SYS_process_vm_readv, pid, &here, 1ul, &there, 1ul, 0ul) == 1) say("%smemory", space), space = " ";
    if (!ptrace(0x4206 /* PTRACE_SEIZE */, pid, NULL, NULL)) {
        say("%sptrace", space);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, __WALL); /* its parent sees it after us */
    }
    say("\n");
}

/* Reads pids, a line each, and answers with a line. */
static int do_look_into(int argc, char **argv) {
    char line[32];
    if (argc < 3) return 2;
    flush();
    int from = open(argv[1], O_RDWR | O_CLOEXEC), to = open(argv[2], O_RDWR | O_CLOEXEC);
    for (ssize_t n; (n = read(from, line, sizeof line - 1)) > 0;) {
        line[n] = 0;
        say_what_can_be_got(number(line));
        if (write(to, said.at, said.n) != (ssize_t)said.n) return 1;
        said.n = 0;
    }
    return 0;
}

/* ---- verbs: text ---- */

static int do_echo(int argc, char **argv) {
    for (int i = 1; i < argc; i++) say("%s%s", i > 1 ? " " : "", argv[i]);
    say("\n");
    return 0;
}

static int do_error(int argc, char **argv) {
    for (int i = 1; i < argc; i++) dprintf(2, "%s%s", i > 1 ? " " : "", argv[i]);
    dprintf(2, "\n");
    return 0;
}

/* stdin to stdout until its end. */
static int do_copy(int argc, char **argv) {
    char buffer[65536];
    (void)argc, (void)argv;
    flush();
    for (ssize_t n; (n = read(0, buffer, sizeof buffer)) > 0;) {
        text_add_bytes(&said, buffer, (size_t)n);
        flush();
    }
    return 0;
}

/* N bytes that any reader can check: byte i is 'a' + i % 26. */
static int do_flood(int argc, char **argv) {
    long long n = argc > 1 ? strtoll(argv[1], NULL, 0) : 0;
    for (long long i = 0; i < n; i++) {
        char c = (char)('a' + i % 26);
        text_add_bytes(&said, &c, 1);
        if (said.n >= 65536) flush();
    }
    return 0;
}

/* As a hook: "NAME pid=.. mnt=.. state=TEXT-OF-STDIN" appended to FILE. */
static int do_hook(int argc, char **argv) {
    if (argc < 3) return 2;
    struct stat mnt = {0}, pid = {0};
    char *input = fd_read_all(0, NULL);
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    stat("/proc/self/ns/mnt", &mnt);
    stat("/proc/self/ns/pid", &pid);
    char cwd[4096] = "?";
    if (!getcwd(cwd, sizeof cwd)) strcpy(cwd, errno_name(errno));
    struct text line = {0};
    text_add(&line, "%s mnt=%llu pid=%llu cwd=%s env=", argv[2], (unsigned long long)mnt.st_ino,
             (unsigned long long)pid.st_ino, cwd);
    for (char **env = environ; env && *env; env++)
        text_add(&line, "%s%s", env == environ ? "" : ",", *env);
    text_add(&line, " state=");
    if (input) text_add_escaped(&line, input, strlen(input));
    text_add(&line, "\n");
    bool good = fd >= 0 && write(fd, line.at, line.n) == (ssize_t)line.n;
    return good ? (argc > 3 ? number(argv[3]) : 0) : 99;
}

/* As a hook: "NAME 0 1 2" appended to FILE, all descriptors that are open. */
static int do_hook_fds(int argc, char **argv) {
    if (argc < 3) return 2;
    struct text line = {0};
    text_add(&line, "%s", argv[2]);
    for (int fd = 0; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0) text_add(&line, " %d", fd);
    text_add(&line, "\n");
    int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return file < 0 || write(file, line.at, line.n) != (ssize_t)line.n;
}

/* ---- verbs: files ---- */

static int do_cat(int argc, char **argv) {
    int bad = 0;
    for (int i = 1; i < argc; i++) {
        size_t n = 0;
        char *text = file_read(argv[i], &n);
        if (!text)
            bad |= say_result("cat", argv[i], -1);
        else
            text_add_bytes(&said, text, n);
        free(text);
    }
    return bad;
}

static int write_to(const char *verb, int flags, char **argv) {
    int fd = open(argv[1], flags | O_CLOEXEC, 0644);
    if (fd < 0) return say_result(verb, argv[1], -1);
    ssize_t n = write(fd, argv[2], strlen(argv[2]));
    int bad = say_result(verb, argv[1], n);
    close(fd);
    return bad;
}

static int do_write(int argc, char **argv) {
    return argc < 3 ? 2 : write_to("write", O_WRONLY | O_CREAT | O_TRUNC, argv);
}

static int do_append(int argc, char **argv) {
    return argc < 3 ? 2 : write_to("append", O_WRONLY | O_CREAT | O_APPEND, argv);
}

/* Opens an existing file for writing and writes nothing. */
static int do_try_open_write(int argc, char **argv) {
    int bad = 0;
    for (int i = 1; i < argc; i++) {
        int fd = open(argv[i], O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        bad |= say_result("open-write", argv[i], fd);
        if (fd >= 0) close(fd);
    }
    return bad;
}

static int do_try_read(int argc, char **argv) {
    int bad = 0;
    for (int i = 1; i < argc; i++) {
        char buffer[64];
        int fd = open(argv[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        ssize_t n = fd < 0 ? -1 : read(fd, buffer, sizeof buffer);
        int error = errno;
        say("read %s: %s", argv[i], n < 0 ? errno_name(error) : "ok");
        if (n >= 0) say(" %zd", n);
        say("\n");
        bad |= n < 0;
        if (fd >= 0) close(fd);
    }
    return bad;
}

static int do_stat(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct stat info;
        say_entry(argv[i], argv[i]);
        if (!lstat(argv[i], &info))
            say("%s.dev=%u:%u %llu\n", argv[i], major(info.st_dev), minor(info.st_dev),
                (unsigned long long)info.st_ino);
    }
    return 0;
}

static int do_xattr(int argc, char **argv) {
    char value[256] = "";
    if (argc < 3) return 2;
    if (getxattr(argv[1], argv[2], value, sizeof value - 1) < 0) return say_result("xattr", argv[1], -1);
    say_escaped("xattr", value);
    return 0;
}

static int do_statfs(int argc, char **argv) {
    struct statfs fs;
    if (argc < 2) return 2;
    if (statfs(argv[1], &fs)) return say_result("statfs", argv[1], -1);
    say("statfs %s: type=%#lx flags=%#lx blocks=%llu bsize=%lu files=%llu\n", argv[1],
        (unsigned long)fs.f_type, (unsigned long)fs.f_flags, (unsigned long long)fs.f_blocks,
        (unsigned long)fs.f_bsize, (unsigned long long)fs.f_files);
    return 0;
}

static int do_ls(int argc, char **argv) {
    if (argc < 2) return 2;
    DIR *dir = opendir(argv[1]);
    if (!dir) return say_result("ls", argv[1], -1);
    closedir(dir);
    say_directory("", argv[1]);
    return 0;
}

static int do_mkdir(int argc, char **argv) {
    return argc < 2 ? 2 : say_result("mkdir", argv[1], mkdir(argv[1], 0755));
}

static int do_unlink(int argc, char **argv) {
    return argc < 2 ? 2 : say_result("unlink", argv[1], unlink(argv[1]));
}

static int do_symlink(int argc, char **argv) {
    return argc < 3 ? 2 : say_result("symlink", argv[2], symlink(argv[1], argv[2]));
}

static int do_chmod(int argc, char **argv) {
    return argc < 3
               ? 2
               : say_result("chmod", argv[2], chmod(argv[2], (mode_t)strtoul(argv[1], NULL, 8)));
}

static int do_chown(int argc, char **argv) {
    if (argc < 4) return 2;
    return say_result("chown", argv[3],
                      chown(argv[3], (uid_t)number(argv[1]), (gid_t)number(argv[2])));
}

static int do_mknod(int argc, char **argv) {
    if (argc < 5) return 2;
    mode_t type = argv[2][0] == 'b' ? S_IFBLK : S_IFCHR;
    dev_t device = makedev((unsigned)number(argv[3]), (unsigned)number(argv[4]));
    return say_result("mknod", argv[1], mknod(argv[1], type | 0600, device));
}

static int do_chroot(int argc, char **argv) {
    return argc < 2 ? 2 : say_result("chroot", argv[1], chroot(argv[1]));
}

static int do_chdir(int argc, char **argv) {
    return argc < 2 ? 2 : say_result("chdir", argv[1], chdir(argv[1]));
}

/* ---- verbs: mounts ---- */

static int do_umount(int argc, char **argv) {
    return argc < 2
               ? 2
               : say_result("umount", argv[1], umount2(argv[1], argc > 2 ? number(argv[2]) : 0));
}

/* FLAGS are the number that mount(2) takes, besides MS_REMOUNT. */
static int do_remount(int argc, char **argv) {
    unsigned long flags = argc > 2 ? (unsigned long)number(argv[2]) : 0;
    return argc < 2 ? 2
                    : say_result("remount", argv[1],
                                 mount(NULL, argv[1], NULL, MS_REMOUNT | flags, NULL));
}

static int do_mount(int argc, char **argv) {
    if (argc < 4) return 2;
    unsigned long flags = argc > 4 ? (unsigned long)number(argv[4]) : 0;
    return say_result("mount", argv[2],
                      mount(argv[1], argv[2], argv[3], flags, argc > 5 ? argv[5] : NULL));
}

/* ---- verbs: the file that one was started from ---- */

static const int writing[] = {O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND};

static void tried(const char *how, long result) {
    say("tried %s: %s\n", how, result < 0 ? errno_name(errno) : "ok");
}

/* What has been opened for writing, and whether it can be written to. */
static void try_to_write(const char *how, int fd) {
    struct stat info;
    if (fd < 0 || fstat(fd, &info)) {
        tried(how, -1);
        return;
    }
    ssize_t n = write(fd, "HACKED", 6);
    say("tried %s: opened %u:%u %llu %s\n", how, major(info.st_dev), minor(info.st_dev),
        (unsigned long long)info.st_ino, n > 0 ? "written" : errno_name(errno));
    close(fd);
}

static void try_each_way(const char *how, const char *path) {
    for (size_t i = 0; i < sizeof writing / sizeof *writing; i++)
        try_to_write(print("%s %#o", how, (unsigned)writing[i]),
                     open(path, writing[i] | O_CLOEXEC | O_NONBLOCK));
}

static void try_descriptor(const char *how, int fd) {
    if (fd >= 0) try_each_way(how, print("/proc/self/fd/%d", fd));
}

static void try_attributes(const char *path, int fd) {
    struct timespec times[2] = {{1, 1}, {1, 1}};
    long flags = 0;
    tried("truncate", truncate(path, 1));
    tried("chmod", chmod(path, 06777));
    tried("chown", chown(path, 12, 34));
    tried("utimes", utimensat(AT_FDCWD, path, times, 0));
    tried("setxattr", syscall(SYS_setxattr, path, "user.hacked", "1", 1ul, 0));
    tried("setxattr trusted", syscall(SYS_setxattr, path, "trusted.hacked", "1", 1ul, 0));
    int linked = linkat(AT_FDCWD, path, AT_FDCWD, "/linked", AT_SYMLINK_FOLLOW);
    tried("link", linked);
    if (!linked) try_each_way("linked", "/linked");
    if (fd < 0) return;
    tried("ftruncate", ftruncate(fd, 1));
    tried("fchmod", fchmod(fd, 06777));
    tried("fchown", fchown(fd, 12, 34));
    tried("futimens", futimens(fd, times));
    tried("fsetxattr", syscall(SYS_fsetxattr, fd, "user.hacked", "1", 1ul, 0));
    void *map = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    tried("mmap", map == MAP_FAILED ? -1 : 0);
    if (map != MAP_FAILED) *(char *)map = 'H';
    if (!syscall(SYS_ioctl, fd, 0x80086601ul /* FS_IOC_GETFLAGS */, &flags)) {
        flags ^= 0x40; /* nodump */
        tried("flags", syscall(SYS_ioctl, fd, 0x40086602ul /* FS_IOC_SETFLAGS */, &flags));
    }
}

static void try_mounts(const char *path) {
    struct {
        uint64_t set, clear, propagation, userns;
    } writable = {0, 1, 0, 0};
    tried("remount", mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
    tried("mount_setattr", syscall(442, AT_FDCWD, path, 0, &writable, sizeof writable));
    try_each_way("remounted", path);
    close(open("/covered", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    int bound = mount(path, "/covered", NULL, MS_BIND, NULL);
    tried("bind", bound);
    if (!bound) {
        tried("remount of the bind", mount(NULL, "/covered", NULL, MS_REMOUNT | MS_BIND, NULL));
        try_each_way("bound", "/covered");
    }
    int tree = (int)syscall(428, AT_FDCWD, path, 1 /* OPEN_TREE_CLONE */);
    tried("open_tree", tree);
    if (tree < 0) return;
    tried("mount_setattr of the tree", syscall(442, tree, "", 0x1000, &writable, sizeof writable));
    try_descriptor("tree", tree);
}

/* What is mapped, even if /proc/self/exe is another file. Without O_TRUNC: it may be our own code. */
static void try_mapped(void) {
    struct dirent **list = NULL;
    int n = scandir("/proc/self/map_files", &list, NULL, alphasort);
    for (int i = 0; i < n; i++)
        if (list[i]->d_name[0] != '.')
            try_to_write("mapped", open(print("/proc/self/map_files/%s", list[i]->d_name), O_RDWR | O_CLOEXEC));
}

/* Every mount of this namespace becomes writable, with its file system. */
static void make_writable(void) {
    char *text = file_read("/proc/self/mountinfo", NULL), target[4096];
    for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n"))
        if (sscanf(line, "%*d %*d %*s %*s %4095s", target) == 1) {
            mount(NULL, target, NULL, MS_REMOUNT | MS_BIND, NULL);
            mount(NULL, target, NULL, MS_REMOUNT, NULL);
        }
}

/* PATH [-r]: tries all that could change that file. Then, when /signal/go is there, it is another program and
 * tries again with what it has kept. -r: makes file systems writable before. */
static int do_overwrite(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "/proc/self/exe";
    if (path[0] != '/' || strncmp(path, "/proc/", 6)) path = "/proc/self/exe"; /* as #! has it: the script's name */
    if (argc > 2 && !strcmp(argv[2], "-r")) make_writable();
    int kept = open(path, O_PATH), reading = open(path, O_RDONLY);
    tried("O_PATH", kept);
    tried("O_RDONLY", reading);
    try_each_way("open", path);
    try_descriptor("O_PATH descriptor", kept);
    try_descriptor("O_RDONLY descriptor", reading);
    try_attributes(path, reading);
    try_mounts(path);
    try_mapped();
    say("ready=1\n");
    flush();
    while (access("/signal/go", F_OK)) nap(0.002);
    execl("/payload", "payload", "payload-overwrite-kept", print("%d", kept), print("%d", reading), (char *)NULL);
    return 99;
}

static int do_overwrite_kept(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        try_descriptor("kept descriptor", number(argv[i]));
        try_attributes(print("/proc/self/fd/%s", argv[i]), number(argv[i]));
        try_mounts(print("/proc/self/fd/%s", argv[i]));
    }
    say("end=1\n");
    return 0;
}

/* ---- verbs: peers ---- */

static int do_listen(int argc, char **argv) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc < 2 || strlen(argv[1]) >= sizeof address.sun_path) return 2;
    strcpy(address.sun_path, argv[1]);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    long result = bind(fd, (struct sockaddr *)&address, sizeof address);
    if (!result) result = listen(fd, 4);
    int bad = say_result("listen", argv[1], result);
    flush();
    if (!bad) pause();
    return bad;
}

/* sd_notify(3) */
static int do_notify(int argc, char **argv) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), bad = !path || fd < 0;
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path ? path : "");
    for (int i = 1; i < argc && !bad; i++) bad = sendto(fd, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&name, sizeof name) < 0;
    return bad ? 3 : 0;
}

static int do_connect(int argc, char **argv) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc < 2 || strlen(argv[1]) >= sizeof address.sun_path) return 2;
    strcpy(address.sun_path, argv[1]);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return say_result("connect", argv[1], connect(fd, (struct sockaddr *)&address, sizeof address));
}

/* ---- the list ---- */

static int do_script(int argc, char **argv);

static const struct verb {
    const char *name;
    int (*call)(int argc, char **argv);
} verbs[] = {
    {"report", report},
    {"exit", do_exit},
    {"signal", do_signal},
    {"sleep", do_sleep},
    {"count", do_count},
    {"spin", do_spin},
    {"trap", do_trap},
    {"ignore", do_ignore},
    {"window", do_window},
    {"raw", do_raw},
    {"reopen", do_reopen},
    {"fork-bomb-ish", do_fork_bomb_ish},
    {"eat", do_eat},
    {"exec", do_exec},
    {"disguise", do_disguise},
    {"fork", do_fork},
    {"foreground", do_foreground},
    {"background", do_background},
    {"kill", do_kill},
    {"syscall", do_syscall},
#if defined(__x86_64__)
    {"syscall32", do_syscall32},
#endif
    {"thread", do_thread},
    {"sigsys", do_sigsys},
    {"ptrace", do_ptrace},
    {"look-into", do_look_into},
    {"unshare", do_unshare},
    {"setuid", do_setuid},
    {"sethostname", do_sethostname},
    {"socket", do_socket},
    {"echo", do_echo},
    {"error", do_error},
    {"copy", do_copy},
    {"flood", do_flood},
    {"hook", do_hook},
    {"hook-fds", do_hook_fds},
    {"cat", do_cat},
    {"write", do_write},
    {"append", do_append},
    {"try-open-write", do_try_open_write},
    {"try-read", do_try_read},
    {"stat", do_stat},
    {"xattr", do_xattr},
    {"statfs", do_statfs},
    {"ls", do_ls},
    {"mkdir", do_mkdir},
    {"unlink", do_unlink},
    {"symlink", do_symlink},
    {"chmod", do_chmod},
    {"chown", do_chown},
    {"mknod", do_mknod},
    {"chroot", do_chroot},
    {"chdir", do_chdir},
    {"umount", do_umount},
    {"remount", do_remount},
    {"mount", do_mount},
    {"overwrite", do_overwrite},
    {"overwrite-kept", do_overwrite_kept},
    {"listen", do_listen},
    {"connect", do_connect},
    {"notify", do_notify},
    {"script", do_script},
};

static int run_verb(int argc, char **argv) {
    const char *name = !strncmp(argv[0], "payload-", 8) ? argv[0] + 8 : argv[0];
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(verbs[i].name, name)) return verbs[i].call(argc, argv);
    dprintf(2, "payload: no verb %s\n", argv[0]);
    return 64;
}

/* VERB ARGS -- VERB ARGS ...: all are run; the exit code is the last one's. */
static int do_script(int argc, char **argv) {
    int code = 0;
    for (int i = 1; i < argc;) {
        int n = 0;
        while (i + n < argc && strcmp(argv[i + n], "--")) n++;
        if (n) code = run_verb(n, argv + i);
        i += n + 1;
    }
    return code;
}

static void take_foreground(void) {
    setpgid(0, 0);
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(0, getpid());
    signal(SIGTTOU, SIG_DFL);
}

static int in_child(int argc, char **argv, void (*first)(void)) {
    int status = 0;
    flush();
    pid_t child = fork();
    if (child == 0) {
        if (first) first();
        int code = argc > 1 ? run_verb(argc - 1, argv + 1) : 0;
        flush();
        _exit(code);
    }
    if (child < 0) return say_result("fork", "child", -1);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    say("child %d: %s %d\n", (int)child, WIFSIGNALED(status) ? "signal" : "exit",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The rest as a verb in a child; says how the child ended. */
static int do_fork(int argc, char **argv) { return in_child(argc, argv, NULL); }

/* The same in the foreground process group of the terminal, which we are not in. */
static int do_foreground(int argc, char **argv) { return in_child(argc, argv, take_foreground); }

/* The rest as a verb in a child of another process group, which nobody waits for. */
static int do_background(int argc, char **argv) {
    flush();
    pid_t child = fork();
    if (child != 0) return child < 0 ? say_result("fork", "child", -1) : 0;
    setpgid(0, 0);
    int code = argc > 1 ? run_verb(argc - 1, argv + 1) : 0;
    flush();
    _exit(code);
}

int payload_main(int argc, char **argv) {
    int code = run_verb(argc, argv);
    flush();
    _exit(code);
}
