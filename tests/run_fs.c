/* run_fs.c: the root, mounts, devices, and paths that are masked or read-only. */
#include "runs.h"
#include <sys/statvfs.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* ---- bind mounts ---- */

static const struct {
    const char *options, *has, *hasnt; /* words between commas */
    int minor;                         /* kernel 5.x that it needs */
} binds[] = {
    {"", "rw,relatime", "nosuid,nodev,noexec", 0},
    {"\"ro\"", "ro", "rw", 0},
    {"\"ro\",\"rw\"", "rw", "ro", 0},
    {"\"rw\",\"ro\"", "ro", "rw", 0},
    {"\"nosuid\"", "nosuid", "nodev", 0},
    {"\"nosuid\",\"suid\"", "rw", "nosuid", 0},
    {"\"nodev\"", "nodev", "nosuid", 0},
    {"\"nodev\",\"dev\"", "rw", "nodev", 0},
    {"\"noexec\"", "noexec", "nosuid", 0},
    {"\"noexec\",\"exec\"", "rw", "noexec", 0},
    {"\"exec\",\"noexec\"", "noexec", "", 0},
    {"\"ro\",\"nosuid\",\"nodev\",\"noexec\"", "ro,nosuid,nodev,noexec", "rw", 0},
    {"\"noatime\"", "noatime", "relatime", 0},
    {"\"noatime\",\"atime\"", "", "noatime", 0},
    {"\"noatime\",\"relatime\"", "relatime", "noatime", 0},
    {"\"relatime\",\"noatime\"", "noatime", "relatime", 0},
    {"\"strictatime\"", "", "noatime,relatime", 0},
    {"\"strictatime\",\"noatime\"", "noatime", "relatime", 0},
    {"\"nodiratime\"", "nodiratime", "", 0},
    {"\"nodiratime\",\"diratime\"", "rw", "nodiratime", 0},
    {"\"nosymfollow\"", "nosymfollow", "", 14},
    {"\"nosymfollow\",\"symfollow\"", "rw", "nosymfollow", 14},
    {"\"rro\"", "ro", "rw", 12},
    {"\"rro\",\"rrw\"", "rw", "ro", 12},
    {"\"rnosuid\",\"rnodev\",\"rnoexec\"", "nosuid,nodev,noexec", "", 12},
    {"\"rnosuid\",\"rsuid\"", "rw", "nosuid", 12},
    {"\"rnoatime\"", "noatime", "relatime", 12},
    {"\"rstrictatime\"", "", "noatime,relatime", 12},
    {"\"rnodiratime\"", "nodiratime", "", 12},
    {"\"rnosymfollow\"", "nosymfollow", "", 14},
    {"\"defaults\"", "rw", "ro", 0},
    {"\"silent\",\"loud\",\"nomand\",\"async\",\"norelatime\",\"nostrictatime\",\"noiversion\",\"nolazytime\"", "rw", "ro", 0},
};
#define BINDS (sizeof binds / sizeof *binds)

static bool kernel_has(int minor) {
    int major = 0, own = 0;
    char *text = file_read("/proc/sys/kernel/osrelease", NULL);
    sscanf(text, "%d.%d", &major, &own);
    return major > 5 || own >= minor;
}

/* An ordinary user may not change how access times are kept: that is locked. */
static bool bind_possible(unsigned i) {
    return kernel_has(binds[i].minor) && (!geteuid() || !strstr(binds[i].options, "atime"));
}

static unsigned long flag_of(const char *word) {
    return !strcmp(word, "nosuid") ? ST_NOSUID : !strcmp(word, "nodev") ? ST_NODEV : !strcmp(word, "noexec") ? ST_NOEXEC : 0;
}

static void bind_options(struct t *t) {
    struct text mounts = {0};
    make_dirs(print("%s/source", t->dir), 0755);
    for (unsigned i = 0; i < BINDS; i++)
        if (bind_possible(i))
            text_add(&mounts, "%s{\"destination\":\"/m%u\",\"type\":\"none\",\"source\":\"%s/source\",\"options\":[\"bind\"%s%s]}",
                     mounts.n ? "," : "", i, t->dir, *binds[i].options ? "," : "", binds[i].options);
    struct outcome *out = ran_well(t, &(struct config){.mounts = mounts.at});
    for (unsigned i = 0; i < BINDS; i++) {
        struct mount_line line;
        if (!bind_possible(i)) continue;
        if (!mount_get(out, print("/m%u", i), &line)) {
            EXPECT(false, "%s: not mounted", binds[i].options);
            continue;
        }
        char *has = print("%s", binds[i].has), *hasnt = print("%s", binds[i].hasnt);
        struct statvfs own; /* what the source's mount has already, the bind has as well */
        CHECK_SYS(statvfs(t->dir, &own));
        for (char *word = strtok(has, ","); word; word = strtok(NULL, ",")) EXPECT(has_word(line.flags, word), "[%s]: no %s in %s", binds[i].options, word, line.flags);
        for (char *word = strtok(hasnt, ","); word; word = strtok(NULL, ","))
            EXPECT(!has_word(line.flags, word) || (own.f_flag & flag_of(word)), "[%s]: %s in %s", binds[i].options, word, line.flags);
    }
}

/* A tree of two mounts bound in every way. */
static void trees(struct t *t) {
    char *source = print("%s/tree", t->dir);
    struct mount_line line;
    make_dirs(print("%s/sub", source), 0755);
    CHECK_SYS(mount(source, source, NULL, MS_BIND, NULL));
    CHECK_SYS(mount("tmpfs", print("%s/sub", source), "tmpfs", 0, NULL));
    file_write(print("%s/sub/file", source), "x");
#define M(to, options) "{\"destination\":\"" to "\",\"source\":\"%s\",\"options\":[" options "]}"
    struct outcome *out = ran_well(t, &(struct config){.mounts = print(M("/one", "\"bind\"") "," M("/all", "\"rbind\"") "," M("/ro", "\"rbind\",\"ro\""),
                                                                       source, source, source)});
    CHECK_OK(!mount_get(out, "/one/sub", &line));
    CHECK_OK(mount_get(out, "/all/sub", &line) && has_word(line.flags, "rw"));
    CHECK_OK(mount_get(out, "/ro", &line) && has_word(line.flags, "ro"));
    CHECK_OK(mount_get(out, "/ro/sub", &line) && has_word(line.flags, "rw"));
    if (kernel_has(12)) {
        out = ran_well(t, &(struct config){.mounts = print(M("/rro", "\"rbind\",\"rro\"") "," M("/mix", "\"rbind\",\"rro\",\"rw\"") "," M("/rn", "\"rbind\",\"rnoexec\",\"rnosuid\",\"rnodev\",\"rnoatime\""),
                                                           source, source, source)});
        CHECK_OK(mount_get(out, "/rro", &line) && has_word(line.flags, "ro"));
        CHECK_OK(mount_get(out, "/rro/sub", &line) && has_word(line.flags, "ro"));
        CHECK_OK(mount_get(out, "/mix/sub", &line) && has_word(line.flags, "ro"));
        CHECK_OK(mount_get(out, "/rn/sub", &line) && has_word(line.flags, "noexec") && has_word(line.flags, "nosuid") && has_word(line.flags, "nodev") && has_word(line.flags, "noatime"));
    }
    /* what was there is as it was */
    char *host = file_read("/proc/self/mountinfo", NULL);
    CHECK_OK(!strstr(host, "/sub ro"));
    CHECK_SYS(umount2(print("%s/sub", source), 0));
    CHECK_SYS(umount2(source, 0));
}

/* The default: a word of a mount takes effect without rootfsPropagation, as far as it can. */
static void propagation_alone(struct t *t) {
    struct mount_line line;
    make_dirs(print("%s/plain", t->dir), 0755);
    struct outcome *out = ran_well(t, &(struct config){.mounts =
        "{\"destination\":\"/s\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"shared\"]},"
        "{\"destination\":\"/p\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"shared\",\"private\"]},"
        "{\"destination\":\"/l\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"rshared\",\"rslave\"]},"
        "{\"destination\":\"/u\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"unbindable\"]}"});
    CHECK_OK(mount_get(out, "/s", &line) && strstr(line.fields, "shared:"));
    CHECK_OK(mount_get(out, "/p", &line) && !strstr(line.fields, "shared:"));
    CHECK_OK(mount_get(out, "/l", &line) && !strstr(line.fields, "shared:"));
    CHECK_OK(mount_get(out, "/u", &line) && strstr(line.fields, "unbindable"));
}

static void propagation(struct t *t) {
    char *source = print("%s/shared", t->dir);
    struct mount_line line;
    make_dirs(source, 0755);
    CHECK_SYS(mount("tmpfs", source, "tmpfs", 0, NULL));
    make_dirs(print("%s/sub", source), 0755);
    CHECK_SYS(mount(NULL, source, NULL, MS_SHARED, NULL));
    CHECK_SYS(mount("tmpfs", print("%s/sub", source), "tmpfs", 0, NULL));
    static const char *const words[] = {"shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"};
    struct text mounts = {0};
    for (int i = 0; i < 8; i++)
        text_add(&mounts, "%s{\"destination\":\"/%s\",\"source\":\"%s\",\"options\":[\"rbind\",\"%s\"]}", i ? "," : "", words[i], source, words[i]);
    /* engines set it so that the words below can take effect */
    struct outcome *out = ran_well(t, &(struct config){.mounts = mounts.at, .linux_ = "\"rootfsPropagation\":\"rslave\""});
    for (int i = 0; i < 8; i++) {
        CHECK_OK(mount_get(out, print("/%s", words[i]), &line));
        bool shared = strstr(line.fields, "shared:"), master = strstr(line.fields, "master:"), unbindable = strstr(line.fields, "unbindable");
        int kind = i % 4;
        if (kind) EXPECT(!shared, "%s: %s", words[i], line.fields);
        EXPECT(kind == 0 || master == (kind == 1), "%s: %s", words[i], line.fields);
        EXPECT(unbindable == (kind == 3), "%s: %s", words[i], line.fields);
        CHECK_OK(mount_get(out, print("/%s/sub", words[i]), &line));
        if (i > 4) EXPECT(!strstr(line.fields, "shared:"), "%s/sub: %s", words[i], line.fields);
    }
    CHECK_SYS(umount2(print("%s/sub", source), 0));
    CHECK_SYS(umount2(source, 0));
}

/* What is shared stays so over the change of roots: a mount made inside is there outside. */
static void shared_goes_out(struct t *t) {
    const char *source = print("%s/source", t->dir), *back = print("%s/back", source);
    make_dirs(source, 0755);
    CHECK_SYS(mount("tmpfs", source, "tmpfs", 0, NULL));
    make_dirs(back, 0755);
    CHECK_SYS(mount(NULL, source, NULL, MS_SHARED, NULL));
    struct outcome *out = ran_well(t, &(struct config){
        .args = "payload-script mount tmpfs /shared/back tmpfs -- mkdir /shared/back/inside",
        .process = print("\"capabilities\":{%s,%s,%s}", cap_list("bounding", 1ull << 21), cap_list("effective", 1ull << 21), cap_list("permitted", 1ull << 21)),
        .mounts = print("{\"destination\":\"/shared\",\"source\":\"%s\",\"options\":[\"rbind\",\"\",\"rshared\"]}", source), .linux_ = "\"rootfsPropagation\":\"shared\""}); /* the empty one is of buildah */
    EXPECT(!access(print("%s/inside", back), F_OK), "it did not come out: %s", out->out);
    CHECK_SYS(umount2(back, 0));
    CHECK_SYS(umount2(source, 0));
}

/* Where two texts part, at the start of a line. */
static size_t common(const char *a, const char *b) {
    size_t n = 0;
    while (a[n] && a[n] == b[n]) n++;
    while (n > 0 && b[n - 1] != '\n') n--;
    return n;
}

/* With everything above the bundle shared, nothing that the container mounts comes back. */
static void shared_host(struct t *t) {
    struct bundle b;
    CHECK_SYS(mount(t->dir, t->dir, NULL, MS_BIND, NULL));
    CHECK_SYS(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL));
    root_make(t, &b);
    char *before = file_read("/proc/self/mountinfo", NULL);
    static const char *const kinds[] = {NULL, "private", "slave", "shared", "unbindable", "rprivate", "rslave", "rshared"};
    for (int i = 0; i < 8; i++) {
        struct outcome *out = ran(t, &(struct config){.mounts = "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}",
            .root = "\"readonly\":true", .linux_ = kinds[i] ? print("\"rootfsPropagation\":\"%s\"", kinds[i]) : NULL});
        EXPECT(out->code == 0, "%s: %s", kinds[i] ? kinds[i] : "none", out->err);
        struct mount_line line;
        EXPECT(mount_get(out, "/", &line) && has_word(line.flags, "ro"), "%s: %s", kinds[i], line.flags);
        if (kinds[i] && strstr(kinds[i], "shared")) EXPECT(strstr(line.fields, "shared:"), "%s: %s", kinds[i], line.fields);
        if (kinds[i] && strstr(kinds[i], "slave")) EXPECT(strstr(line.fields, "master:") && !strstr(line.fields, "shared:"), "%s: %s", kinds[i], line.fields);
        if (kinds[i] && strstr(kinds[i], "private")) EXPECT(!strstr(line.fields, "master:") && !strstr(line.fields, "shared:"), "%s: %s", kinds[i], line.fields);
        if (kinds[i] && strstr(kinds[i], "unbindable")) EXPECT(strstr(line.fields, "unbindable"), "%s: %s", kinds[i], line.fields);
        char *after = file_read("/proc/self/mountinfo", NULL);
        EXPECT(!strcmp(after, before), "%s: the host had %sand has %s", kinds[i] ? kinds[i] : "none", before + common(after, before), after + common(before, after));
    }
    refused(t, &(struct config){.linux_ = "\"rootfsPropagation\":\"sideways\""}, 125, "/linux/rootfsPropagation");
    CHECK_SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    CHECK_SYS(umount2(t->dir, MNT_DETACH));
}

static void sources(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    make_dirs(print("%s/beside", b.path), 0755);
    file_write(print("%s/beside/file", b.path), "relative");
    file_write(print("%s/plain", t->dir), "plain");
    CHECK_SYS(symlink("plain", print("%s/link", t->dir)));
    struct outcome *out = ran(t, &(struct config){.args = "payload-cat /a/file /b /c",
        .mounts = print("{\"destination\":\"/a\",\"source\":\"beside\",\"options\":[\"bind\"]},"
                        "{\"destination\":\"/b\",\"source\":\"%s/plain\",\"options\":[\"bind\",\"ro\"]},"
                        "{\"destination\":\"/c\",\"source\":\"%s/link\",\"options\":[\"bind\"]}", t->dir, t->dir)});
    CHECK_TEXT(out->out, "relativeplainplain");
    refused(t, &(struct config){.mounts = "{\"destination\":\"/a\",\"options\":[\"bind\"]}"}, 125, "/mounts/2");
    refused(t, &(struct config){.mounts = "{\"destination\":\"/a\",\"source\":\"gone\",\"options\":[\"bind\"]}"}, 125, "/mounts/2");
    CHECK_OK(access(print("%s/gone", b.path), F_OK));
    refused(t, &(struct config){.mounts = "{\"destination\":\"/a\",\"source\":\"bogus\",\"type\":\"nosuchfs\"}"}, 125, "nosuchfs");
    refused(t, &(struct config){.mounts = "{\"destination\":\"/a\",\"source\":\"tmpfs\",\"type\":\"tmpfs\",\"options\":[\"nosuchoption=1\"]}"}, 125, "nosuchoption");
}

/* ---- targets ---- */

static void targets_are_made(struct t *t) {
    struct bundle b;
    struct stat info;
    umask(077);
    file_write(print("%s/plain", t->dir), "x");
    struct outcome *out = ran_well(t, &(struct config){.args = "payload-cat /p/q/file",
        .mounts = print("{\"destination\":\"/d/e/f\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
                        "{\"destination\":\"/p/q/file\",\"source\":\"%s/plain\",\"options\":[\"bind\"]}", t->dir)});
    CHECK_TEXT(out->out, "x");
    umask(022);
    root_make(t, &b);
    CHECK_SYS(stat(print("%s/d/e/f", b.rootfs), &info));
    CHECK_INT(info.st_mode & 07777, 0755);
    CHECK_SYS(stat(print("%s/p/q", b.rootfs), &info));
    CHECK_INT(info.st_mode & 07777, 0755);
    CHECK_SYS(stat(print("%s/p/q/file", b.rootfs), &info));
    CHECK(S_ISREG(info.st_mode) && info.st_size == 0 && (info.st_mode & 0777) == 0644, "%o", info.st_mode);
}

static void targets_over_what_is_there(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "etc/hosts", "old");
    root_dir(&b, "dir");
    file_write(print("%s/plain", t->dir), "new");
    make_dirs(print("%s/folder", t->dir), 0755);
    struct outcome *out = ran_well(t, &(struct config){.args = "payload-cat /etc/hosts",
        .mounts = print("{\"destination\":\"/etc/hosts\",\"source\":\"%s/plain\",\"options\":[\"bind\"]}", t->dir)});
    CHECK_TEXT(out->out, "new");
    CHECK_TEXT(file_read(print("%s/etc/hosts", b.rootfs), NULL), "old");
    refused(t, &(struct config){.mounts = print("{\"destination\":\"/dir\",\"source\":\"%s/plain\",\"options\":[\"bind\"]}", t->dir)}, 125, "/mounts/2");
    refused(t, &(struct config){.mounts = print("{\"destination\":\"/etc/hosts\",\"source\":\"%s/folder\",\"options\":[\"bind\"]}", t->dir)}, 125, "not a directory");
    refused(t, &(struct config){.mounts = "{\"destination\":\"/etc/hosts/x\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"}, 125, "not a directory");
    /* in an earlier mount; relative; with dots */
    out = ran_well(t, &(struct config){.mounts =
        "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"ro\"]},{\"destination\":\"/m/in/ner\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
        "{\"destination\":\"rel/ative\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},{\"destination\":\"/x/../../../y/./z/\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"});
    struct mount_line line;
    CHECK_OK(mount_get(out, "/m/in/ner", &line));
    CHECK_OK(mount_get(out, "/m", &line) && has_word(line.flags, "ro"));
    CHECK_OK(mount_get(out, "/rel/ative", &line));
    CHECK_OK(mount_get(out, "/y/z", &line));
    CHECK_OK(access(print("%s/in", b.rootfs), F_OK));
    refused(t, &(struct config){.mounts = "{\"destination\":\"\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"}, 125, "/mounts/2");
}

/* Links in a hostile image lead to places inside the root, and nowhere else. */
static void targets_through_links(struct t *t) {
    struct bundle b;
    struct trip trip;
    struct mount_line line;
    root_make(t, &b);
    root_dir(&b, "real");
    root_link(&b, "/real", "absolute");
    root_link(&b, "real", "relative");
    root_link(&b, "../../../../../../real", "above");
    root_link(&b, "/new/place", "dangling");
    root_link(&b, "loop", "loop");
    trip_make(t, &trip, "trip");
    root_link(&b, trip.path, "host");
    file_write(print("%s/plain", t->dir), "x");
    struct outcome *out = ran_well(t, &(struct config){.mounts = print(
        "{\"destination\":\"/absolute/a\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},{\"destination\":\"/relative/b\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
        "{\"destination\":\"/above/c\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},{\"destination\":\"/dangling\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
        "{\"destination\":\"/host/sub\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},{\"destination\":\"/host/secret\",\"source\":\"%s/plain\",\"options\":[\"bind\"]}", t->dir)});
    CHECK_OK(mount_get(out, "/real/a", &line));
    CHECK_OK(mount_get(out, "/real/b", &line));
    CHECK_OK(mount_get(out, "/real/c", &line));
    CHECK_OK(mount_get(out, "/new/place", &line));
    CHECK_OK(mount_get(out, print("%s/sub", trip.path), &line));
    CHECK_OK(!access(print("%s%s/secret", b.rootfs, trip.path), F_OK));
    CHECK_TRIP(&trip);
    refused(t, &(struct config){.mounts = "{\"destination\":\"/loop/x\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"}, 125, "/mounts/2");
}

static void mount_on_root(struct t *t) {
    struct bundle b, other;
    root_make(t, &b);
    bundle_make(t, &other, "other");
    file_write(print("%s/mark", other.rootfs), "x");
    struct outcome *out = ran(t, &(struct config){.args = "payload-ls /", .no_mounts = true,
        .mounts = print("{\"destination\":\"/\",\"source\":\"%s\",\"options\":[\"bind\"]},{\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}", other.rootfs)});
    CHECK(out->code == 0, "%s", out->err);
    CHECK_HAS(out->out, "mark=file");
    CHECK_OK(!access(print("%s/t", other.rootfs), F_OK) && access(print("%s/t", b.rootfs), F_OK));
    /* The roots that were covered are gone with the host's: they lay on top of / and were what /.. leads to. */
    for (int twice = 0; twice < 2; twice++) {
        const char *mount = print("{\"destination\":\"/\",\"source\":\"%s\",\"options\":[\"bind\"]}", other.rootfs);
        out = ran(t, &(struct config){.args = "payload-ls /..", .no_mounts = true, .mounts = twice ? print("%s,%s", mount, mount) : mount});
        CHECK(out->code == 0, "%s", out->err);
        CHECK_HAS(out->out, "mark=file");
        CHECK_OK(!strstr(out->out, "boot=") && !strstr(out->out, "etc="));
    }
}

static void proc_is_guarded(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_link(&b, "proc", "alias");
    file_write(print("%s/plain", t->dir), "fake\n");
    make_dirs(print("%s/folder", t->dir), 0755);
    static const char *const folders[] = {"/proc/self", "/proc/sys", "/proc/1", "/proc/self/attr", "/proc/thread-self", "/alias/sys", "/proc/../proc/sys", "proc/sys", "/proc/self/fd", "/proc/net", "/proc/bus"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        refused(t, &(struct config){.mounts = print("{\"destination\":\"%s\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}", folders[i])}, 125, "/mounts/2");
        refused(t, &(struct config){.mounts = print("{\"destination\":\"%s\",\"source\":\"%s/folder\",\"options\":[\"bind\"]}", folders[i], t->dir)}, 125, "/mounts/2");
    }
    static const char *const files[] = {"/proc/self/exe", "/proc/sysrq-trigger", "/proc/1/attr/exec", "/proc/kcore", "/proc/sys/kernel/core_pattern", "/proc/self/environ"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        refused(t, &(struct config){.mounts = print("{\"destination\":\"%s\",\"source\":\"%s/plain\",\"options\":[\"bind\"]}", files[i], t->dir)}, 125, "/mounts/2");
    static const char *const allowed[] = {"cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg"};
    struct text mounts = {0};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        text_add(&mounts, "%s{\"destination\":\"/proc/%s\",\"source\":\"%s/plain\",\"options\":[\"bind\"]}", i ? "," : "", allowed[i], t->dir);
    struct outcome *out = ran_well(t, &(struct config){.mounts = mounts.at, .args = "payload-cat /proc/uptime /proc/meminfo"});
    CHECK_TEXT(out->out, "fake\nfake\n");
}

/* An image whose /proc is a link or a file must not get the runtime to write elsewhere. */
static void proc_is_a_link(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_dir(&b, "elsewhere");
    root_link(&b, "elsewhere", "proc");
    struct outcome *out = ran(t, &(struct config){.linux_ = "\"maskedPaths\":[\"/proc/kcore\"]", .args = "payload-script stat /elsewhere/self /proc -- try-read /proc/kcore"});
    CHECK(out->code != 0 || !strstr(out->out, "read /proc/kcore: ok 64"), "%s", out->out);
}

/* ---- file systems ---- */

static void tmpfs_options(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){
        .args = "payload-script statfs /m -- stat /m /n /covered /plain",
        .mounts = "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"name\",\"options\":[\"size=1m\",\"nr_inodes=77\",\"mode=1750\",\"nosuid\"]},"
                  "{\"destination\":\"/n\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=700\",\"mode=0711\"]}"});
    CHECK_HAS(out->out, "type=0x1021994");
    CHECK_HAS(out->out, "blocks=256 bsize=4096 files=77");
    CHECK_HAS(out->out, "/m=dir 1750 0 0");
    CHECK_HAS(out->out, "/n=dir 0711 0 0");
    if (!geteuid()) {
        out = ran_well(t, &(struct config){.args = "payload-stat /m", .mounts =
            "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"uid=12\",\"gid=34\"]}"});
        CHECK_HAS(out->out, " 12 34");
    }
    struct bundle b;
    root_make(t, &b);
    root_dir(&b, "covered");
    CHECK_SYS(chmod(print("%s/covered", b.rootfs), 0705));
    out = ran_well(t, &(struct config){.args = "payload-stat /covered /made", .mounts =
        "{\"destination\":\"/covered\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},{\"destination\":\"/made\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"});
    CHECK_HAS(out->out, "/covered=dir 0705");
}

static void tmpcopyup(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "data/file", "content");
    root_file(&b, "data/sub/deep/er", "deep");
    root_file(&b, "data/empty", "");
    root_link(&b, "/nowhere", "data/link");
    CHECK_SYS(chmod(print("%s/data/file", b.rootfs), 0640));
    CHECK_SYS(chmod(print("%s/data/sub", b.rootfs), 0711));
    CHECK_SYS(chmod(print("%s/data", b.rootfs), 0751));
    if (!geteuid()) {
        CHECK_SYS(chown(print("%s/data/empty", b.rootfs), 7, 8));
        CHECK_SYS(chmod(print("%s/data/empty", b.rootfs), 04755));
    }
    struct text big = {0};
    for (int i = 0; i < 30000; i++) text_add(&big, "0123456789");
    root_file(&b, "data/big", big.at);
    struct outcome *out = ran(t, &(struct config){
        .args = "payload-script ls /data -- cat /data/file /data/sub/deep/er -- stat /data /data/sub -- write /data/file changed -- mkdir /data/new",
        .mounts = "{\"destination\":\"/data\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"tmpcopyup\",\"nodev\"]}"});
    CHECK_HAS(out->out, "contentdeep");
    CHECK_HAS(out->out, "link=link /nowhere");
    CHECK_HAS(out->out, "file=file 0640");
    CHECK_HAS(out->out, "/data=dir 0751");
    CHECK_HAS(out->out, "/data/sub=dir 0711");
    if (!geteuid()) CHECK_HAS(out->out, "empty=file 4755 7 8");
    CHECK_HAS(out->out, "write /data/file: ok");
    CHECK_TEXT(file_read(print("%s/data/file", b.rootfs), NULL), "content");
    CHECK_OK(access(print("%s/data/new", b.rootfs), F_OK));
    out = ran(t, &(struct config){.args = "payload-cat /data/big", .mounts =
        "{\"destination\":\"/data\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"ro\",\"tmpcopyup\"]}"});
    CHECK_TEXT(out->out, big.at);
}

static void kernel_file_systems(struct t *t) {
    struct mount_line line;
    struct outcome *out = ran_well(t, &(struct config){
        .namespaces = geteuid() ? DEFAULT_NAMESPACES " network user" : DEFAULT_NAMESPACES " network",
        .mounts = "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
                  "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]},"
                  "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
                  "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]}"});
    CHECK_OK(mount_get(out, "/proc", &line) && !strcmp(line.type, "proc"));
    CHECK_OK(mount_get(out, "/sys", &line) && !strcmp(line.type, "sysfs") && has_word(line.flags, "ro") && has_word(line.flags, "noexec"));
    CHECK_OK(mount_get(out, "/dev/pts", &line) && !strcmp(line.type, "devpts") && has_super(&line, "ptmxmode=666") && has_super(&line, "mode=620"));
    CHECK_OK(mount_get(out, "/dev/mqueue", &line) && !strcmp(line.type, "mqueue"));
    CHECK_OK(mount_get(out, "/dev/shm", &line) && !strcmp(line.source, "shm") && has_word(line.flags, "nodev"));
    CHECK_REPORT(out, "dev.ptmx", "link pts/ptmx 0 0");
    out = ran_well(t, &(struct config){.args = "payload-script stat /dev/pts/ptmx -- try-open-write /dev/ptmx",
        .mounts = "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]}"});
    CHECK_HAS(out->out, "/dev/pts/ptmx=chr 5:2 0666");
    CHECK_HAS(out->out, "open-write /dev/ptmx: ok");
}

static void proc_options(struct t *t) {
    struct outcome *out = ran_text(t, replaced(config_text(NULL), "\"type\":\"proc\",\"source\":\"proc\"",
                                               "\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"hidepid=2\"]"));
    struct mount_line line;
    CHECK(out->code == 0, "%s", out->err);
    CHECK_OK(mount_get(out, "/proc", &line) && has_word(line.flags, "nosuid") && has_word(line.flags, "noexec"));
    CHECK(strstr(line.super, "hidepid="), "%s", line.super);
}

static void cgroup_mounts(struct t *t) {
    if (!cgroup_mount()) SKIP("cgroup", "no cgroup2");
    static const char *const types[] = {"cgroup", "cgroup2"};
    for (int i = 0; i < 2; i++) {
        struct outcome *out = ran(t, &(struct config){.namespaces = "pid mount ipc uts network cgroup", .args = "payload-script report -- cat /sys/fs/cgroup/cgroup.procs -- mkdir /sys/fs/cgroup/x",
            .mounts = print("{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\"},{\"destination\":\"/sys/fs/cgroup\",\"type\":\"%s\",\"source\":\"cgroup\",\"options\":[\"ro\",\"nosuid\",\"noexec\",\"nodev\"]}", types[i])});
        struct mount_line line;
        CHECK_OK(mount_get(out, "/sys/fs/cgroup", &line) && !strcmp(line.type, "cgroup2") && has_word(line.flags, "ro"));
        CHECK_HAS(out->out, "end=1\n1\n");
        CHECK_HAS(out->out, "mkdir /sys/fs/cgroup/x: EROFS");
    }
}

static void overlay(struct t *t) {
    struct bundle b;
    const char *const parts[] = {"low", "up", "work", "probe"};
    for (int i = 0; i < 4; i++) make_dirs(print("%s/%s", t->dir, parts[i]), 0755);
    file_write(print("%s/low/file", t->dir), "low");
    char *data = print("lowerdir=%s/low,upperdir=%s/up,workdir=%s/work", t->dir, t->dir, t->dir);
    if (mount("overlay", print("%s/probe", t->dir), "overlay", 0, data)) SKIP("fs", "no overlay here: %s", strerror(errno));
    CHECK_SYS(umount2(print("%s/probe", t->dir), 0));
    root_make(t, &b);
    struct outcome *out = ran_well(t, &(struct config){.args = "payload-script cat /o/file -- write /o/new x",
        .mounts = print("{\"destination\":\"/o\",\"type\":\"overlay\",\"source\":\"overlay\",\"options\":[\"lowerdir=%s/low\",\"upperdir=%s/up\",\"workdir=%s/work\"]}", t->dir, t->dir, t->dir)});
    CHECK_HAS(out->out, "low");
    CHECK_TEXT(file_read(print("%s/up/new", t->dir), NULL), "x");
}

/* ---- id-mapped mounts ---- */

#define ONE_MAP(c, h, n) "[{\"containerID\":" #c ",\"hostID\":" #h ",\"size\":" #n "}]"

static void idmapped(struct t *t) {
    need_idmap(t);
    char *source = print("%s/source", t->dir);
    make_dirs(source, 0777);
    file_write(print("%s/zero", source), "x");
    file_write(print("%s/five", source), "x");
    CHECK_SYS(chown(print("%s/five", source), 5, 6));
    struct outcome *out = ran(t, &(struct config){.args = "payload-script ls /m -- write /m/made x",
        .mounts = print("{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[\"bind\",\"idmap\"],\"uidMappings\":" ONE_MAP(0, 7000, 10) ",\"gidMappings\":" ONE_MAP(0, 8000, 10) "}", source)});
    CHECK_HAS(out->out, "five=file 0644 7005 8006");
    CHECK_HAS(out->out, "zero=file 0644 7000 8000");
    CHECK_HAS(out->out, "write /m/made: EOVERFLOW"); /* nobody in the map's range */
    /* only one of the two; and a request with nothing to go by */
    refused(t, &(struct config){.mounts = print("{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[\"bind\"],\"uidMappings\":" ONE_MAP(0, 7000, 10) "}", source)}, 125, "/mounts/2");
    refused(t, &(struct config){.mounts = print("{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[\"bind\",\"idmap\"]}", source)}, 125, "/mounts/2");
    /* without the word */
    out = ran(t, &(struct config){.args = "payload-ls /m",
        .mounts = print("{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[\"bind\"],\"uidMappings\":" ONE_MAP(0, 7000, 10) ",\"gidMappings\":" ONE_MAP(0, 8000, 10) "}", source)});
    CHECK_HAS(out->out, "five=file 0644 7005 8006");
}

/* With a user namespace, files of the host's root are the container's root's. */
static void idmapped_in_user_namespace(struct t *t) {
    need_idmap(t);
    char *source = print("%s/source", t->dir);
    make_dirs(source, 0755);
    file_write(print("%s/zero", source), "x");
    struct outcome *out = ran_well(t, &(struct config){.args = "payload-script ls /m -- ls /plain -- write /m/made x",
        .namespaces = DEFAULT_NAMESPACES " user",
        .mounts = print("{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[\"bind\",\"idmap\"]},{\"destination\":\"/plain\",\"source\":\"%s\",\"options\":[\"bind\"]}", source, source)});
    CHECK_HAS(out->out, "zero=file 0644 0 0\nzero=file 0644 65534 65534");
    CHECK_HAS(out->out, "write /m/made: ok");
    struct stat info;
    CHECK_SYS(stat(print("%s/made", source), &info));
    CHECK_INT(info.st_uid, 0);
}

static void ridmapped(struct t *t) {
    need_idmap(t);
    char *source = print("%s/source", t->dir);
    make_dirs(print("%s/sub", source), 0755);
    CHECK_SYS(mount(source, source, NULL, MS_BIND, NULL));
    make_dirs(print("%s/other", t->dir), 0755);
    file_write(print("%s/other/file", t->dir), "x");
    CHECK_SYS(mount(print("%s/other", t->dir), print("%s/sub", source), NULL, MS_BIND, NULL));
    static const struct {
        const char *word, *want;
    } cases[] = {{"ridmap", "file=file 0644 7000 7000"}, {"idmap", "file=file 0644 0 0"}};
    for (int i = 0; i < 2; i++) {
        struct outcome *out = ran_well(t, &(struct config){.args = "payload-ls /m/sub",
            .mounts = print("{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[\"rbind\",\"%s\"],\"uidMappings\":" ONE_MAP(0, 7000, 10) ",\"gidMappings\":" ONE_MAP(0, 7000, 10) "}", source, cases[i].word)});
        CHECK_HAS(out->out, cases[i].want);
    }
    CHECK_SYS(umount2(print("%s/sub", source), 0));
    CHECK_SYS(umount2(source, 0));
}

/* ---- masked and read-only ---- */

static void masked(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "secret", "hidden words");
    root_file(&b, "folder/file", "hidden words");
    root_link(&b, "/secret", "to-secret");
    struct outcome *out = ran(t, &(struct config){
        .args = "payload-script try-read /secret /proc/keys -- ls /folder -- write /folder/x y -- write /secret y -- cat /folder/file -- umount /secret -- try-read /to-secret",
        .linux_ = "\"maskedPaths\":[\"/secret\",\"/folder\",\"/proc/kcore\",\"/proc/keys\",\"/missing\",\"/proc/missing/x\",\"/secret/below\"]"});
    CHECK_HAS(out->out, "read /secret: ok 0\nread /proc/keys: ok 0\n");
    CHECK_HAS(out->out, "write /folder/x: EROFS");
    CHECK_HAS(out->out, "cat /folder/file: ENOENT");
    CHECK_HAS(out->out, "umount /secret: EPERM");
    CHECK_OK(!strstr(out->out, "hidden"));
    CHECK_HAS(out->out, "read /to-secret: ok 0");
    CHECK_TEXT(file_read(print("%s/secret", b.rootfs), NULL), "hidden words");
    refused(t, &(struct config){.linux_ = "\"maskedPaths\":[\"secret\"]"}, 125, "/linux/maskedPaths/0");
    refused(t, &(struct config){.linux_ = "\"readonlyPaths\":[\"secret\"]"}, 125, "/linux/readonlyPaths/0");
}

/* A trap: /dev/null of the image is a link to a file of the image (CVE-2025-31133). */
static void masked_with_false_null(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_link(&b, "/payload", "dev/null");
    root_file(&b, "secret", "hidden words");
    root_file(&b, "target", "x");
    struct outcome *out = ran(t, &(struct config){.args = "payload-script try-read /secret -- stat /secret", .no_mounts = true,
        .linux_ = "\"maskedPaths\":[\"/secret\"]"});
    if (out->code == 0) {
        CHECK_HAS(out->out, "read /secret: ok 0");
        CHECK_HAS(out->out, "/secret=chr 1:3");
    } else
        CHECK_OK(out->code == 125 || out->code == 126);
    CHECK_OK(!strstr(out->out, "hidden"));
}

static void read_only_paths(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "ro/file", "x");
    root_file(&b, "single", "x");
    struct outcome *out = ran(t, &(struct config){
        .args = "payload-script report -- write /ro/file y -- write /ro/sub/x y -- write /single y -- cat /ro/file -- write /free ok -- write /proc/sys/kernel/msgmax 1",
        .mounts = "{\"destination\":\"/ro/sub\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"noexec\"]}",
        .linux_ = "\"readonlyPaths\":[\"/ro\",\"/single\",\"/missing\",\"/proc/sys\"]"});
    struct mount_line line;
    CHECK_HAS(out->out, "write /ro/file: EROFS");
    if (kernel_has(12)) CHECK_HAS(out->out, "write /ro/sub/x: EROFS"); /* mount_setattr */
    CHECK_HAS(out->out, "write /single: EROFS");
    CHECK_HAS(out->out, "write /proc/sys/kernel/msgmax: E");
    CHECK_OK(mount_get(out, "/proc/sys", &line) && has_word(line.flags, "ro"));
    CHECK_HAS(out->out, "write /free: ok");
    CHECK_OK(mount_get(out, "/ro/sub", &line) && has_word(line.flags, "nosuid") && has_word(line.flags, "noexec"));
    CHECK_OK(has_word(line.flags, "ro") == kernel_has(12));
    CHECK_OK(mount_get(out, "/ro", &line) && !has_word(line.flags, "noexec"));
}

static void read_only_root(struct t *t) {
    struct bundle b;
    struct outcome *out = ran(t, &(struct config){
        .args = "payload-script write /x y -- write /m/x y -- mkdir /d -- chmod 777 /payload", .root = "\"readonly\":true",
        .mounts = "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"});
    CHECK_HAS(out->out, "write /x: EROFS\nwrite /m/x: ok\nmkdir /d: EROFS\nchmod /payload: EROFS");
    root_make(t, &b);
    file_write(print("%s/x", b.rootfs), "the host may");
    out = ran(t, &(struct config){.args = "payload-script write /y y", .root = "\"readonly\":false"});
    CHECK_HAS(out->out, "write /y: ok");
}

static void roots(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    file_write(print("%s/file", b.path), "x");
    CHECK_SYS(symlink("rootfs", print("%s/link", b.path)));
    refused(t, &(struct config){.root = "\"path\":\"nothing\""}, 125, "/root/path");
    refused(t, &(struct config){.root = "\"path\":\"file\""}, 125, "/root/path");
    refused(t, &(struct config){.root = "\"path\":\"\""}, 125, "/root/path");
    struct outcome *out = ran_well(t, &(struct config){.root = print("\"path\":\"%s\"", b.rootfs)});
    CHECK_REPORT(out, "root.parent", report_get(out, "root"));
    out = ran(t, &(struct config){.root = "\"path\":\"link\""});
    CHECK_OK(out->code == 0 || out->code == 125);
    /* the root is the root: nothing above it */
    out = ran(t, &(struct config){.args = "payload-script ls /.. -- ls /../../.. -- chroot /.. -- ls /"});
    CHECK_OK(!strstr(out->out, "usr="));
}

/* ---- devices ---- */

static void default_devices(struct t *t) {
    umask(077);
    struct outcome *out = ran(t, NULL);
    static const char *const want[][2] = {{"null", "chr 1:3 0666"}, {"zero", "chr 1:5 0666"}, {"full", "chr 1:7 0666"}, {"random", "chr 1:8 0666"},
        {"urandom", "chr 1:9 0666"}, {"tty", "chr 5:0 0666"}, {"fd", "link /proc/self/fd"}, {"stdin", "link /proc/self/fd/0"},
        {"stdout", "link /proc/self/fd/1"}, {"stderr", "link /proc/self/fd/2"}, {"core", "link /proc/kcore"}, {"ptmx", "link pts/ptmx"}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const char *got = report_get(out, print("dev.%s", want[i][0]));
        EXPECT(got && !strncmp(got, want[i][1], strlen(want[i][1])), "%s: %s, not %s", want[i][0], got ? got : "nothing", want[i][1]);
        if (!geteuid()) EXPECT(got && strstr(got, " 0 0"), "%s: %s", want[i][0], got);
    }
    CHECK_OK(!report_get(out, "dev.console"));
    out = ran(t, &(struct config){.args = "payload-script write /dev/null x -- try-read /dev/zero /dev/urandom -- write /dev/full x"});
    CHECK_HAS(out->out, "write /dev/null: ok\nread /dev/zero: ok 64\nread /dev/urandom: ok 64\nwrite /dev/full: ENOSPC");
    umask(022);
    /* without a /dev of the config they are in the rootfs; /dev of the host is left alone */
    out = ran(t, &(struct config){.no_mounts = true});
    CHECK_HAS(report_get(out, "dev.null"), "chr 1:3 0666");
    char *listing = file_read("/proc/self/mountinfo", NULL);
    out = ran(t, &(struct config){.no_mounts = true, .mounts = "{\"destination\":\"/dev\",\"source\":\"/dev\",\"options\":[\"rbind\"]}"});
    CHECK_TEXT(file_read("/proc/self/mountinfo", NULL), listing);
}

static void read_only_dev(struct t *t) {
    struct outcome *out = ran_text(t, replaced(config_text(&(struct config){.args = "payload-script stat /dev/null /dev/fd -- mkdir /dev/x"}), "\"nosuid\",\"mode=755\"", "\"nosuid\",\"ro\",\"mode=755\""));
    CHECK_HAS(out->out, "/dev/null=chr 1:3");
    CHECK_HAS(out->out, "mkdir /dev/x: EROFS");
}

static void own_devices(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    umask(077);
    const char *list = "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/one\",\"major\":1,\"minor\":3},"
        "{\"type\":\"u\",\"path\":\"/dev/two\",\"major\":1,\"minor\":5,\"fileMode\":384,\"uid\":7,\"gid\":8},"
        "{\"type\":\"b\",\"path\":\"/dev/sub/folder/blk\",\"major\":7,\"minor\":0,\"fileMode\":432},"
        "{\"type\":\"p\",\"path\":\"/dev/pipe\",\"fileMode\":511},"
        "{\"type\":\"c\",\"path\":\"/outside/dev\",\"major\":1,\"minor\":7,\"fileMode\":0},"
        "{\"type\":\"c\",\"path\":\"/dev/null\",\"major\":1,\"minor\":3,\"fileMode\":438}]";
    struct outcome *out = ran_well(t, &(struct config){.args = "payload-stat /dev/one /dev/two /dev/sub/folder/blk /dev/pipe /outside/dev /dev/null", .linux_ = list});
    CHECK_HAS(out->out, "/dev/one=chr 1:3 0666 0 0");
    CHECK_HAS(out->out, "/dev/two=chr 1:5 0600 7 8");
    CHECK_HAS(out->out, "/dev/sub/folder/blk=blk 7:0 0660 0 0");
    CHECK_HAS(out->out, "/dev/pipe=fifo 0777 0 0");
    CHECK_HAS(out->out, "/outside/dev=chr 1:7 0000 0 0");
    CHECK_HAS(out->out, "/dev/null=chr 1:3 0666 0 0");
    umask(022);
    /* again: what is there is the same */
    out = ran(t, &(struct config){.linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"/outside/dev\",\"major\":1,\"minor\":7,\"fileMode\":0}]"});
    CHECK(out->code == 0, "%s", out->err);
    /* a different thing is an error */
    refused(t, &(struct config){.linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"/outside/dev\",\"major\":1,\"minor\":8}]"}, 125, "/linux/devices/0");
    refused(t, &(struct config){.linux_ = "\"devices\":[{\"type\":\"b\",\"path\":\"/outside/dev\",\"major\":1,\"minor\":7}]"}, 125, "/linux/devices/0");
    root_file(&b, "plain", "x");
    refused(t, &(struct config){.linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"/plain\",\"major\":1,\"minor\":7}]"}, 125, "/linux/devices/0");
    refused(t, &(struct config){.linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/x\"}]"}, 125, "/linux/devices/0");
    refused(t, &(struct config){.linux_ = "\"devices\":[{\"type\":\"x\",\"path\":\"/dev/x\",\"major\":1,\"minor\":3}]"}, 125, "/linux/devices/0");
    refused(t, &(struct config){.linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"dev/x\",\"major\":1,\"minor\":3}]"}, 125, "/linux/devices/0");
    CHECK_TEXT(file_read(print("%s/plain", b.rootfs), NULL), "x");
}

/* Nodes cannot be made there: the host's of the same name and number is bound, as all peers do. */
static void devices_in_user_namespace(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.namespaces = DEFAULT_NAMESPACES " user",
        .args = "payload-script stat /dev/kmsg /dev/null -- try-read /dev/zero -- write /dev/null x",
        .linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/kmsg\",\"major\":1,\"minor\":11}]"});
    CHECK_HAS(out->out, "/dev/kmsg=chr 1:11");
    CHECK_HAS(out->out, "read /dev/zero: ok 64");
    CHECK_HAS(out->out, "write /dev/null: ok");
    refused(t, &(struct config){.namespaces = DEFAULT_NAMESPACES " user",
        .linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/mine\",\"major\":1,\"minor\":5}]"}, 125, "the host has none of this name");
    refused(t, &(struct config){.namespaces = DEFAULT_NAMESPACES " user",
        .linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/kmsg\",\"major\":1,\"minor\":5}]"}, 125, "/linux/devices/0");
}

/* Flags of the source that a user namespace may not drop are kept; asking to drop them is an error. */
static void locked_flags(struct t *t) {
    char *source = print("%s/locked", t->dir);
    make_dirs(source, 0755);
    CHECK_SYS(mount("tmpfs", source, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    struct mount_line line;
    struct outcome *out = ran_well(t, &(struct config){.namespaces = DEFAULT_NAMESPACES " user",
        .mounts = print("{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[\"bind\",\"ro\"]}", source)});
    CHECK_OK(mount_get(out, "/m", &line) && has_word(line.flags, "ro") && has_word(line.flags, "nosuid") && has_word(line.flags, "nodev") && has_word(line.flags, "noexec"));
    CHECK_SYS(umount2(source, 0));
}

const struct test run_fs_tests[] = {
    {"fs.shared_goes_out", shared_goes_out, TEST_ROOT, 0},
    {"fs.bind_options", bind_options, TEST_ROOT, 0},
    {"fs.trees", trees, TEST_ROOT, 0},
    {"fs.propagation_alone", propagation_alone, 0, 0},
    {"fs.propagation", propagation, TEST_ROOT, 0},
    {"fs.shared_host", shared_host, TEST_ROOT, 0},
    {"fs.sources", sources, 0, 0},
    {"fs.targets_are_made", targets_are_made, 0, 0},
    {"fs.targets_over_what_is_there", targets_over_what_is_there, 0, 0},
    {"fs.targets_through_links", targets_through_links, 0, 0},
    {"fs.mount_on_root", mount_on_root, 0, 0},
    {"fs.proc_is_guarded", proc_is_guarded, 0, 30},
    {"fs.proc_is_a_link", proc_is_a_link, 0, 0},
    {"fs.tmpfs_options", tmpfs_options, 0, 0},
    {"fs.tmpcopyup", tmpcopyup, 0, 0},
    {"fs.kernel_file_systems", kernel_file_systems, 0, 0},
    {"fs.proc_options", proc_options, 0, 0},
    {"fs.cgroup_mounts", cgroup_mounts, TEST_ROOT, 0},
    {"fs.overlay", overlay, TEST_ROOT, 0},
    {"fs.idmapped", idmapped, TEST_ROOT, 0},
    {"fs.idmapped_in_user_namespace", idmapped_in_user_namespace, TEST_ROOT, 0},
    {"fs.ridmapped", ridmapped, TEST_ROOT, 0},
    {"fs.masked", masked, 0, 0},
    {"fs.masked_with_false_null", masked_with_false_null, TEST_ROOT, 0},
    {"fs.read_only_paths", read_only_paths, 0, 0},
    {"fs.read_only_root", read_only_root, 0, 0},
    {"fs.roots", roots, 0, 0},
    {"fs.default_devices", default_devices, 0, 0},
    {"fs.read_only_dev", read_only_dev, 0, 0},
    {"fs.own_devices", own_devices, TEST_ROOT, 0},
    {"fs.devices_in_user_namespace", devices_in_user_namespace, TEST_ROOT, 0},
    {"fs.locked_flags", locked_flags, TEST_ROOT, 0},
    {0}};
