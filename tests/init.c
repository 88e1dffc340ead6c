/* init.c: the test program as process 1 of a machine made for it.
 *
 * On the kernel's command line:
 *   ocirt.root=tmpfs|initramfs   the root that tests see: a tmpfs (the default), which has
 *                                pivot_root, or the initramfs itself, which has not
 *   ocirt.tests=GLOB[,GLOB]      which tests
 *   ocirt.jobs=N  ocirt.time=N   how many at once; factor on all time limits (default 5)
 *   ocirt.user=0                 without the second run as an ordinary user
 *   ocirt.ci=1  ocirt.skip_ok=KEY,KEY   skips that are fine, see SKIP
 * /modules/order in the initramfs names modules to load first, one file a line.
 */
#include "test.h"
#include <dirent.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

enum { USER = 1000 };

/* ---- the command line ---- */

static char *kernel_words; /* of /proc/cmdline */

static const char *boot_option(const char *name) {
    char *words = print("%s", kernel_words ? kernel_words : "");
    size_t n = strlen(name);
    const char *found = NULL;
    for (char *word = strtok(words, " \n"); word; word = strtok(NULL, " \n"))
        if (!strncmp(word, "ocirt.", 6) && !strncmp(word + 6, name, n) && word[6 + n] == '=')
            found = word + 7 + n;
    return found;
}

/* ---- making a system ---- */

static void complain(const char *what, const char *object) {
    fprintf(stderr, "# init: %s %s: %s\n", what, object, strerror(errno));
}

static void mount_on(const char *type, const char *target, unsigned long flags, const char *data) {
    mkdir(target, 0755);
    if (mount(type, target, type, flags, data) && errno != EBUSY) complain("mount", target);
}

static void open_console(void) {
    int fd = open("/dev/console", O_RDWR | O_NOCTTY);
    if (fd < 0) return;
    for (int i = 0; i < 3; i++) dup2(fd, i);
    if (fd > 2) close(fd);
}

static void load_module(const char *name) {
    char *path = print("/modules/%s", name);
    size_t n = strlen(name);
    int plain = n > 3 && !strcmp(name + n - 3, ".ko");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", plain ? 0 : 4) && errno != EEXIST))
        complain("module", path);
    if (fd >= 0) close(fd);
}

static void load_modules(void) {
    char *order = file_read("/modules/order", NULL);
    char *rest = order;
    for (char *name; rest && (name = strsep(&rest, "\n"));)
        if (*name) load_module(name);
}

/* As every system has it; criu tries TCP over it. */
static void loopback_up(void) {
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo)) complain("loopback", "lo");
    if (fd >= 0) close(fd);
}

static void make_links(void) {
    if (symlink("/proc/self/fd", "/dev/fd")) return;
    (void)!symlink("/proc/self/fd/0", "/dev/stdin");
    (void)!symlink("/proc/self/fd/1", "/dev/stdout");
    (void)!symlink("/proc/self/fd/2", "/dev/stderr");
}

static void mount_all(void) {
    if (access("/proc/self", F_OK)) mount_on("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount_on("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount_on("devtmpfs", "/dev", MS_NOSUID, "mode=755");
    mount_on("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=620,gid=5,ptmxmode=666");
    mount_on("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
    mount_on("mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount_on("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
    mount_on("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755");
    mount_on("cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate"); /* as systemd does */
    if (!access("/sys/kernel/security", F_OK))
        mount_on("securityfs", "/sys/kernel/security", 0, NULL);
    if (!access("/sys/fs/selinux", F_OK)) {
        mount_on("selinuxfs", "/sys/fs/selinux", 0, NULL);
        selinux_load_policy();
    }
    make_links();
}

/* All controllers, one write each: one that refuses must not take the others with it. */
static void enable_controllers(const char *cgroup) {
    char *list = file_read(print("%s/cgroup.controllers", cgroup), NULL);
    for (char *word = list ? strtok(list, " \n") : NULL; word; word = strtok(NULL, " \n"))
        if (!file_put(print("%s/cgroup.subtree_control", cgroup), print("+%s", word)))
            complain("controller", word);
}

static void write_accounts(void) {
    make_dirs("/etc", 0755);
    file_write("/etc/passwd",
               "root:x:0:0:root:/root:/bin/sh\nuser:x:%d:%d:user:/home/user:/bin/sh\n"
               "nobody:x:65534:65534:nobody:/:/bin/false\n",
               USER, USER);
    file_write("/etc/group", "root:x:0:\ntty:x:5:\nuser:x:%d:\nnogroup:x:65534:\n", USER);
    file_write("/etc/subuid", "user:100000:65536\n");
    file_write("/etc/subgid", "user:100000:65536\n");
    file_write("/etc/hosts", "127.0.0.1 localhost\n");
    make_dirs("/root", 0700);
    make_dirs("/home/user", 0755);
    if (chown("/home/user", USER, USER)) complain("chown", "/home/user");
}

/* ---- moving to a tmpfs root ---- */

static void copy_tree(const char *from, const char *to, dev_t device);

static void copy_entry(const char *from, const char *to, dev_t device) {
    struct stat info;
    char target[4096];
    if (lstat(from, &info) || info.st_dev != device) return;
    if (S_ISDIR(info.st_mode)) {
        mkdir(to, info.st_mode & 07777);
        copy_tree(from, to, device);
    } else if (S_ISLNK(info.st_mode)) {
        ssize_t n = readlink(from, target, sizeof target - 1);
        if (n < 0) return;
        target[n] = 0;
        if (symlink(target, to)) complain("symlink", to);
    } else if (S_ISREG(info.st_mode)) {
        if (!copy_file(from, to, info.st_mode & 07777)) complain("copy", to);
        unlink(from); /* memory would hold it twice */
    } else if (mknod(to, info.st_mode, info.st_rdev))
        complain("mknod", to);
}

static void copy_tree(const char *from, const char *to, dev_t device) {
    DIR *dir = opendir(from);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "modules") ||
            !strcmp(name, ".root"))
            continue;
        copy_entry(print("%s/%s", strcmp(from, "/") ? from : "", name), print("%s/%s", to, name),
                   device);
    }
    if (dir) closedir(dir);
}

/* Leaves the initramfs, from which pivot_root cannot be used, as switch_root does. */
static void move_to_tmpfs(char **argv) {
    static const char *const folders[] = {"dev", "proc", "sys", "tmp", "run", "etc"};
    struct stat root;
    if (stat("/", &root)) return;
    mkdir("/.root", 0755);
    if (mount("tmpfs", "/.root", "tmpfs", 0, "mode=755")) {
        complain("mount", "/.root");
        return;
    }
    if (!copy_file("/proc/self/exe", "/.root/init", 0755)) complain("copy", "/init");
    copy_tree("/", "/.root", root.st_dev);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        mkdir(print("/.root/%s", folders[i]), 0755);
    umount2("/proc", MNT_DETACH);
    setenv("OCIRT_MOVED", "1", 1);
    if (chdir("/.root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/") ||
        execv("/init", argv))
        complain("move to", "/.root");
}

/* ---- the runs ---- */

static char **test_patterns(void) {
    const char *list = boot_option("tests");
    static char *patterns[64];
    char *words = print("%s", list ? list : "");
    size_t n = 0;
    for (char *word = strtok(words, ","); word && n < 63; word = strtok(NULL, ","))
        patterns[n++] = word;
    return patterns;
}

/* A row of /sys/fs/cgroup/user: "run" holds this run, its siblings are for containers. */
static void enter_user_cgroup(void) {
    static const char *const files[] = {"", "/cgroup.procs", "/cgroup.subtree_control",
                                        "/cgroup.threads"};
    const char *top = "/sys/fs/cgroup/user";
    mkdir(top, 0755);
    enable_controllers(top);
    mkdir(print("%s/run", top), 0755);
    for (size_t i = 0; i < 4; i++)
        if (chown(print("%s%s", top, files[i]), USER, USER) ||
            chown(print("%s/run%s", top, files[i]), USER, USER))
            complain("chown", files[i]);
    if (!file_put(print("%s/run/cgroup.procs", top), "0")) complain("enter", top);
}

static void become_user(void) {
    enter_user_cgroup();
    make_dirs("/run/user/1000", 0755);
    if (chown("/run/user/1000", USER, USER) || chmod("/run/user/1000", 0700))
        complain("chown", "/run/user");
    if (setgroups(0, NULL) || setresgid(USER, USER, USER) || setresuid(USER, USER, USER)) {
        complain("become", "user");
        _exit(99);
    }
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* as after an exec: else nothing of ours can be traced */
    setenv("HOME", "/home/user", 1);
    setenv("USER", "user", 1);
    setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
    if (chdir("/home/user")) complain("chdir", "/home/user");
}

TEST_NORETURN static void run_as(bool ordinary, int out_fd) {
    const char *jobs = boot_option("jobs");
    struct run_options options = {.patterns = test_patterns(),
                                  .jobs = jobs ? (unsigned)strtoul(jobs, NULL, 10) : 1};
    if (ordinary)
        become_user();
    else
        setenv("HOME", "/root", 1);
    struct totals totals = run_tables(test_tables, &options, stdout);
    fflush(stdout);
    bool good = write(out_fd, &totals, sizeof totals) == (ssize_t)sizeof totals;
    _exit(good ? 0 : 99);
}

static void add_run(struct totals *sum, bool ordinary) {
    int pipe_fds[2], status = 0;
    struct totals totals = {0};
    printf("# as %s\n", ordinary ? "an ordinary user" : "root");
    fflush(NULL);
    if (pipe2(pipe_fds, O_CLOEXEC)) abort();
    pid_t child = fork();
    if (child == 0) run_as(ordinary, pipe_fds[1]);
    close(pipe_fds[1]);
    /* Process 1 also inherits what escaped everybody else. */
    for (pid_t done; (done = waitpid(-1, &status, 0)) != child && done > 0;) {
    }
    if (read(pipe_fds[0], &totals, sizeof totals) != (ssize_t)sizeof totals) {
        printf("not ok - the run itself died, status %x\n", (unsigned)status);
        totals.failed++;
    }
    close(pipe_fds[0]);
    printf("# as %s: ", ordinary ? "an ordinary user" : "root");
    totals_print(totals, stdout);
    sum->passed += totals.passed;
    sum->failed += totals.failed;
    sum->skipped += totals.skipped;
}

/* Each of the two runs skips what is the other's. */
static void set_environment(void) {
    const char *ci = boot_option("ci"), *fine = boot_option("skip_ok"), *time = boot_option("time");
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    setenv("OCIRT_TIME", time ? time : "5", 1); /* emulated machines are slow */
    setenv("OCIRT_ALONE", "1", 1);
    setenv("OCIRT_CI", ci ? ci : "0", 1);
    setenv("OCIRT_SKIP_OK", print("root,user,%s", fine ? fine : ""), 1);
    unsetenv("OCIRT_MOVED");
}

TEST_NORETURN static void power_off(void) {
    fflush(NULL);
    sync();
    reboot(RB_POWER_OFF);
    reboot(RB_AUTOBOOT);
    for (;;) pause();
}

int init_main(char **argv) {
    struct totals sum = {0};
    const char *root, *user;
    mount_on("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    kernel_words = file_read("/proc/cmdline", NULL);
    root = boot_option("root");
    if (!getenv("OCIRT_MOVED")) {
        load_modules();
        if (!root || strcmp(root, "initramfs")) move_to_tmpfs(argv);
    }
    mount_all();
    open_console();
    loopback_up();
    enable_controllers("/sys/fs/cgroup");
    write_accounts();
    set_environment();
    add_run(&sum, false);
    user = boot_option("user");
    if (!user || strcmp(user, "0")) add_run(&sum, true);
    totals_print(sum, stdout);
    power_off();
}
