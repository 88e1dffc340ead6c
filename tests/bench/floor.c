/* floor.c: the kernel's floor. A program that makes only the kernel calls which the default spec of
 * crun and runc needs, each in the cheapest way we know, and that reads no configuration. It is what
 * a container runtime's time is measured against, and not one itself: it checks nothing that a
 * runtime has to check, and its root file system is trusted.
 *
 *   floor ROOTFS [N]                         make, run and remove a container, N times
 *   floor -t ROOTFS [N]                      the same, and print where the time goes
 *   floor create DIR ROOTFS PIDFILE          the three commands of an engine; DIR is the state
 *   floor start DIR
 *   floor delete DIR
 *
 * In the container: /payload-true. What the default spec asks for, and where it is done:
 *
 *   cgroup, namespaces pid network ipc uts mount     make_cgroup, spawn (clone3 INTO_CGROUP)
 *   device rules: deny all but the default devices   restrict_devices
 *   cgroup namespace                                 unshare: the clone's would be the parent's
 *   root, pivot, read-only root                      child, first and last
 *   mounts proc dev devpts shm mqueue sysfs cgroup   child
 *   default devices and links                        child
 *   masked and read-only paths                       child
 *   hostname, rlimit, capabilities, no_new_privs     child
 *   only the descriptors 0, 1, 2                     child
 *   loopback up, session keyring                     child; no word of the spec, but all peers do it
 *
 * What makes it fast, apart from doing nothing twice:
 *   - The child shares our memory (CLONE_VM) until it executes the program: no page table is copied.
 *   - We load the device program while the child mounts (not with -t: one thing after the other).
 *   - pivot_root comes first. Then each path is one short walk, and no mount needs a descriptor.
 *   - Mounts by mount(2), one call each: with fsopen and move_mount it is four or five.
 *   - One umount only, that of the old root, and no mount that fails: each of them waits for RCU.
 *   - All masked directories are one empty, deleted directory of /dev: no file system of their own.
 *   - Into the cgroup by clone3: a write to cgroup.procs waits for RCU.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define INTO_CGROUP 0x200000000ULL
#define CGROUPS "/sys/fs/cgroup"
#define PAYLOAD "/payload-true"

struct clone_args3 {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
        set_tid_size, cgroup;
};

/* All of this is shared with the child until it executes the program. */
static struct {
    const char *root;
    const char *failed; /* the step that failed */
    int error;
    int fifo;       /* -1: do not wait for start */
    int restricted; /* the device program is in place: 0, 1, or 2: the child waits for it */
    int ready;      /* create: 0 in the making, 1 waits for start, 2 failed */
    char stack[64 * 1024] __attribute__((aligned(64)));
} box;

/* ---- where the time goes ---- */

enum {
    T_START,
    T_MKDIR,
    T_BPF_LOAD,
    T_BPF_ATTACH,
    T_CLONE,
    T_CGROUP_NS,
    T_KEYRING,
    T_LOOPBACK,
    T_PRIVATE,
    T_BIND,
    T_PIVOT,
    T_UMOUNT,
    T_PROC,
    T_DEV,
    T_DEVPTS,
    T_SHM,
    T_MQUEUE,
    T_SYSFS,
    T_CGROUP2,
    T_NODES,
    T_MASK,
    T_READONLY,
    T_ROOT_RO,
    T_IDENTITY,
    T_EXEC,
    T_EXIT,
    T_RMDIR,
    T_COUNT
};
/* clang-format off */
static const char *const step_name[T_COUNT] = {
    "", "cgroup: mkdir, open", "device program: load", "device program: attach",
    "clone3 (until the child runs)", "cgroup namespace", "session keyring", "loopback up",
    "mounts made private", "root bound", "pivot_root", "umount of the old root", "mount proc",
    "mount tmpfs /dev", "mount devpts", "mount tmpfs /dev/shm", "mount mqueue", "mount sysfs",
    "mount cgroup2", "devices and links", "masked paths", "read-only paths", "root read-only",
    "hostname, rlimit, capabilities", "exec (until the parent runs)",
    "exit: namespaces torn down", "cgroup: rmdir",
};
/* clang-format on */
static uint64_t stamp[T_COUNT];
static int timing;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static void done(int step) {
    if (timing) stamp[step] = now();
}

static void die(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}
static void wake(int *word, int value) {
    if (__atomic_exchange_n(word, value, __ATOMIC_SEQ_CST) != 0 || word == &box.ready)
        syscall(SYS_futex, word, 1 /* WAKE */, 1, NULL, NULL, 0);
}
static void wait_while(int *word, int value) {
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value)
        syscall(SYS_futex, word, 0 /* WAIT */, value, NULL, NULL, 0);
}

/* Nothing may fail in the child. It has our errno too, but we make no call that can fail beside it. */
static void must(long result, const char *what) {
    if (result >= 0) return;
    box.error = errno;
    box.failed = what;
    wake(&box.ready, 2);
    _exit(1);
}

/* ---- cgroup and device program ---- */

/* Rules as all peers have them: any mknod, and the use of the default devices. */
static int device_program(void) {
    struct insn {
        uint8_t code;
        uint8_t regs;
        int16_t off;
        int32_t imm;
    };
    /* clang-format off */
#define LOAD(reg, offset) {0x61, (reg) | 1 << 4, offset, 0}
#define JUMP_EQ(reg, value, to) {0x15, reg, to, value}
#define JUMP_NE(reg, value, to) {0x55, reg, to, value}
    static const struct insn program[] = {
        LOAD(2, 0), /* access << 16 | type */
        LOAD(4, 4), LOAD(5, 8),
        {0xbc, 3 | 2 << 4, 0, 0},    /* w3 = w2 */
        {0x54, 3, 0, 0xffff},        /* type: 1 block, 2 character */
        {0x74, 2, 0, 16},            /* access: 1 mknod, 2 read, 4 write */
        JUMP_EQ(2, 1, 15),           /* mknod alone */
        JUMP_NE(3, 2, 16),           /* not a character device */
        JUMP_EQ(4, 136, 13),         /* pts */
        JUMP_NE(4, 1, 5),            /* major 1: */
        JUMP_EQ(5, 3, 11),           /* null */
        JUMP_EQ(5, 5, 10),           /* zero */
        JUMP_EQ(5, 7, 9),            /* full */
        JUMP_EQ(5, 8, 8),            /* random */
        JUMP_EQ(5, 9, 7),            /* urandom */
        JUMP_NE(4, 5, 4),            /* major 5: */
        JUMP_EQ(5, 0, 5),            /* tty */
        JUMP_EQ(5, 1, 4),            /* console */
        JUMP_EQ(5, 2, 3),            /* ptmx */
        {0x05, 0, 4, 0},             /* deny */
        JUMP_NE(4, 10, 3),           /* major 10: */
        JUMP_NE(5, 200, 2),          /* tun */
        {0xb7, 0, 0, 1},             /* allow */
        {0x95, 0, 0, 0},
        {0xb7, 0, 0, 0},             /* deny */
        {0x95, 0, 0, 0},
    };
    /* clang-format on */
    struct {
        uint32_t type, count;
        uint64_t insns, license;
        uint32_t log_level, log_size;
        uint64_t log;
        uint32_t version, flags;
        char name[16];
        uint32_t ifindex, attach_type;
    } load = {.type = 15, .count = sizeof program / sizeof program[0]};
    load.insns = (uint64_t)(uintptr_t)program;
    load.license = (uint64_t)(uintptr_t) "";
    return (int)syscall(SYS_bpf, 5, &load, sizeof load);
}

static int make_cgroup(const char *path) {
    if (mkdir(path, 0755) != 0) die(path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) die(path);
    done(T_MKDIR);
    return fd;
}

static void restrict_devices(int cgroup) {
    int program = device_program();
    if (program < 0) die("device program");
    done(T_BPF_LOAD);
    struct {
        uint32_t target, program, type, flags, replaced;
    } attach = {(uint32_t)cgroup, (uint32_t)program, 6, 2 /* ALLOW_MULTI */, 0};
    if (syscall(SYS_bpf, 8, &attach, sizeof attach) != 0) die("attaching the device program");
    close(program);
    done(T_BPF_ATTACH);
    wake(&box.restricted, 1);
}

/* ---- the container ---- */

/* A masked file is /dev/null. A masked directory is an empty one of /dev, whose name goes when all are
 * done; from then on nothing can be made in it. To ask first which of the two it is costs less than
 * to try: a bind that fails waits for RCU when it is taken back. */
static void mask(const char *path, const char **empty) {
    struct stat s;
    if (stat(path, &s) != 0) {
        must(errno == ENOENT ? 0 : -1, path);
    } else if (!S_ISDIR(s.st_mode)) {
        must(mount("/dev/null", path, NULL, MS_BIND, NULL), path);
    } else if (*empty) { /* a bind of the first one, and read-only as that is */
        must(mount(*empty, path, NULL, MS_BIND, NULL), path);
    } else {
        must(mkdir("/dev/.mask", 0555), "/dev/.mask");
        must(mount("/dev/.mask", path, NULL, MS_BIND, NULL), path);
        must(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL), path);
        *empty = path;
    }
}

static int child(void *unused) {
    (void)unused;
    const unsigned long sd = MS_NOSUID | MS_NODEV, sde = sd | MS_NOEXEC;
    done(T_CLONE);
    must(unshare(CLONE_NEWCGROUP), "cgroup namespace");
    done(T_CGROUP_NS);
    must(syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, "_ses.floor"), "keyring");
    done(T_KEYRING);
    int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(s, "socket");
    struct ifreq lo = {.ifr_name = "lo"};
    lo.ifr_flags = IFF_UP;
    must(ioctl(s, SIOCSIFFLAGS, &lo), "loopback");
    done(T_LOOPBACK);

    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
    done(T_PRIVATE);
    must(mount(box.root, box.root, NULL, MS_BIND | MS_REC, NULL), "root");
    must(chdir(box.root), "root");
    done(T_BIND);
    must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    done(T_PIVOT);
    must(umount2(".", MNT_DETACH), "old root");
    must(chdir("/"), "/");
    done(T_UMOUNT);

    umask(0);
    must(mount("proc", "/proc", "proc", 0, NULL), "/proc");
    done(T_PROC);
    must(mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"),
         "/dev");
    done(T_DEV);
    must(mkdir("/dev/pts", 0755), "/dev/pts");
    must(mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
               "newinstance,ptmxmode=0666,mode=0620,gid=5"),
         "/dev/pts");
    done(T_DEVPTS);
    must(mkdir("/dev/shm", 0755), "/dev/shm");
    must(mount("shm", "/dev/shm", "tmpfs", sde, "mode=1777,size=65536k"), "/dev/shm");
    done(T_SHM);
    must(mkdir("/dev/mqueue", 0755), "/dev/mqueue");
    must(mount("mqueue", "/dev/mqueue", "mqueue", sde, NULL), "/dev/mqueue");
    done(T_MQUEUE);
    must(mount("sysfs", "/sys", "sysfs", sde | MS_RDONLY, NULL), "/sys");
    done(T_SYSFS);
    must(mount("cgroup", CGROUPS, "cgroup2", sde | MS_RELATIME | MS_RDONLY, NULL), CGROUPS);
    done(T_CGROUP2);

    static const struct {
        const char *path;
        unsigned major, minor;
    } nodes[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                 {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
    for (unsigned i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        must(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)), "node");
    must(symlink("/proc/self/fd", "/dev/fd"), "link");
    must(symlink("/proc/self/fd/0", "/dev/stdin"), "link");
    must(symlink("/proc/self/fd/1", "/dev/stdout"), "link");
    must(symlink("/proc/self/fd/2", "/dev/stderr"), "link");
    must(symlink("/proc/kcore", "/dev/core"), "link");
    must(symlink("pts/ptmx", "/dev/ptmx"), "link");
    done(T_NODES);

    static const char *const masked[] = {
        "/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
        "/sys/firmware",       "/proc/scsi"};
    const char *empty = NULL;
    for (unsigned i = 0; i < sizeof masked / sizeof masked[0]; i++) mask(masked[i], &empty);
    if (empty) must(rmdir("/dev/.mask"), "/dev/.mask");
    done(T_MASK);
    static const char *const readonly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                           "/proc/sysrq-trigger"};
    for (unsigned i = 0; i < sizeof readonly / sizeof readonly[0]; i++) {
        const char *path = readonly[i];
        if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) != 0) {
            must(errno == ENOENT ? 0 : -1, path);
            continue;
        }
        must(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), path);
    }
    done(T_READONLY);
    must(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), "read-only root");
    done(T_ROOT_RO);

    must(sethostname("floor", 5), "hostname");
    const struct rlimit files = {1024, 1024};
    must(setrlimit(RLIMIT_NOFILE, &files), "rlimit");
    umask(022);
    /* CAP_KILL 5, CAP_NET_BIND_SERVICE 10, CAP_AUDIT_WRITE 29 */
    const uint32_t kept = 1u << 5 | 1u << 10 | 1u << 29;
    for (unsigned cap = 0; cap < 64; cap++) {
        if (cap < 32 && (kept >> cap & 1)) continue;
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) break; /* the last one of this kernel */
    }
    must(syscall(SYS_setgroups, 0, NULL), "setgroups");
    must(syscall(SYS_setresgid, 0, 0, 0), "setresgid");
    must(syscall(SYS_setresuid, 0, 0, 0), "setresuid");
    struct {
        uint32_t version, pid;
    } head = {0x20080522, 0};
    const struct {
        uint32_t effective, permitted, inheritable;
    } caps[2] = {{kept, kept, 0}, {0, 0, 0}};
    must(syscall(SYS_capset, &head, caps), "capset");
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    must(syscall(SYS_close_range, 3, ~0u, 4 /* CLOEXEC */), "close_range");
    done(T_IDENTITY);

    int none = 0;
    if (__atomic_compare_exchange_n(&box.restricted, &none, 2, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        wait_while(&box.restricted, 2);
    if (box.fifo >= 0) {
        wake(&box.ready, 1);
        char c;
        if (read(box.fifo, &c, 1) != 1) _exit(1);
    }
    char *argv[] = {(char *)(uintptr_t)PAYLOAD, NULL};
    char *envp[] = {
        (char *)(uintptr_t) "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        (char *)(uintptr_t) "TERM=xterm", NULL};
    execve(PAYLOAD, argv, envp);
    must(-1, PAYLOAD);
    return 1;
}

/* The child runs in our memory, on a stack of its own. */
static pid_t spawn(int cgroup, unsigned more) {
    struct clone_args3 a = {.exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup};
    a.flags = INTO_CGROUP | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
              CLONE_NEWNET | CLONE_VM | more;
    a.stack = (uint64_t)(uintptr_t)box.stack;
    a.stack_size = sizeof box.stack;
    long pid;
#if defined(__x86_64__)
    register int (*entry)(void *) __asm__("r12") = child;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call *%%r12\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(pid)
                     : "a"(SYS_clone3), "D"(&a), "S"(sizeof a), "r"(entry)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long nr __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = (long)&a;
    register long x1 __asm__("x1") = sizeof a;
    register int (*entry)(void *) __asm__("x9") = child;
    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "blr x9\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(nr), "r"(x1), "r"(entry)
                     : "memory");
    pid = x0;
#else
#error "write the clone of this machine here: a child on a stack of its own"
#endif
    if (pid < 0) {
        errno = (int)-pid;
        die("clone3");
    }
    return (pid_t)pid;
}

static void failed(const char *path) {
    rmdir(path);
    errno = box.error;
    die(box.failed ? box.failed : "the container");
}

static void run(void) {
    char path[64];
    snprintf(path, sizeof path, CGROUPS "/floor-%d", (int)getpid());
    done(T_START);
    box.restricted = 0;
    int cgroup = make_cgroup(path);
    if (timing) restrict_devices(cgroup);
    pid_t pid = spawn(cgroup, timing ? CLONE_VFORK : 0);
    if (!timing) restrict_devices(cgroup);
    close(cgroup);
    done(T_EXEC);
    int status;
    if (waitpid(pid, &status, 0) != pid) die("waitpid");
    done(T_EXIT);
    if (box.failed || status != 0) failed(path);
    if (rmdir(path) != 0) die(path);
    done(T_RMDIR);
}

/* ---- as three commands ---- */

/* The container's cgroup is named after its state directory. */
static void names(const char *dir, char *cgroup, char *fifo, size_t size) {
    const char *slash = strrchr(dir, '/');
    snprintf(cgroup, size, CGROUPS "/%s", slash ? slash + 1 : dir);
    snprintf(fifo, size, "%s/fifo", dir);
}

static int create(const char *dir, const char *pid_file) {
    char path[512], fifo[512], text[16];
    names(dir, path, fifo, sizeof path);
    if (mkdir(dir, 0700) != 0 || mkfifo(fifo, 0600) != 0) die(dir);
    box.fifo = open(fifo, O_RDWR | O_CLOEXEC);
    if (box.fifo < 0) die(fifo);
    int cgroup = make_cgroup(path);
    pid_t pid = spawn(cgroup, 0);
    restrict_devices(cgroup);
    wait_while(&box.ready, 0);
    if (box.ready != 1) failed(path);
    int fd = open(pid_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int n = snprintf(text, sizeof text, "%d", (int)pid);
    if (fd < 0 || write(fd, text, (size_t)n) != n) die(pid_file);
    return 0;
}

static int start(const char *dir) {
    char path[512], fifo[512];
    names(dir, path, fifo, sizeof path);
    int fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || write(fd, "", 1) != 1) die(fifo);
    return 0;
}

static int delete_container(const char *dir) {
    char path[512], fifo[512];
    names(dir, path, fifo, sizeof path);
    if (rmdir(path) != 0) die(path);
    if (unlink(fifo) != 0 || rmdir(dir) != 0) die(dir);
    return 0;
}

/* ---- main ---- */

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    box.fifo = -1;
    if (argc == 5 && strcmp(argv[1], "create") == 0) {
        box.root = argv[3];
        return create(argv[2], argv[4]);
    }
    if (argc == 3 && strcmp(argv[1], "start") == 0) return start(argv[2]);
    if (argc == 3 && strcmp(argv[1], "delete") == 0) return delete_container(argv[2]);
    if (argc > 1 && strcmp(argv[1], "-t") == 0) timing = 1, argc--, argv++;
    if (argc < 2) {
        fputs("usage: floor [-t] ROOTFS [N]\n", stderr);
        return 2;
    }
    box.root = argv[1];
    int n = argc > 2 ? atoi(argv[2]) : 1;
    if (n < 1) n = 1;
    if (!timing) {
        while (n-- > 0) run();
        return 0;
    }
    uint64_t *took[T_COUNT], sum = 0;
    for (int t = 0; t < T_COUNT; t++)
        if (!(took[t] = malloc((size_t)n * sizeof **took))) die("memory");
    for (int i = 0; i < n; i++) {
        run();
        for (int t = 1; t < T_COUNT; t++) took[t][i] = stamp[t] - stamp[t - 1];
        took[0][i] = stamp[T_RMDIR] - stamp[T_START];
        usleep(20000); /* the kernel tears down in the background */
    }
    for (int t = 0; t < T_COUNT; t++) qsort(took[t], (size_t)n, sizeof **took, by_value);
    printf("%-32s %8s %8s %8s   us\n", "step", "median", "p10", "p90");
    for (int t = 1; t <= T_COUNT; t++) {
        uint64_t *v = took[t % T_COUNT];
        if (t == T_COUNT) printf("%-32s %8.0f\n", "sum of medians", (double)sum / 1e3);
        printf("%-32s %8.0f %8.0f %8.0f\n", t == T_COUNT ? "whole" : step_name[t],
               (double)v[n / 2] / 1e3, (double)v[n / 10] / 1e3, (double)v[n * 9 / 10] / 1e3);
        sum += v[n / 2];
    }
    return 0;
}
