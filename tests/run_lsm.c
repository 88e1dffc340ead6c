/* run_lsm.c: labels of the security modules. The virtual machines boot with AppArmor; booted with
 * security=selinux they have SELinux instead, which then gets a policy from here. */
#include "runs.h"

/* ---- AppArmor ---- */

#define APPARMOR "/sys/kernel/security/apparmor"

static bool apparmor_is_on(void) {
    char *enabled = file_read("/sys/module/apparmor/parameters/enabled", NULL);
    return enabled && *enabled == 'Y';
}

static void need_apparmor(void) {
    need_ocirt();
    if (!apparmor_is_on()) SKIP("lsm", "AppArmor is not enabled here");
    if (access(APPARMOR "/.load", F_OK)) SKIP("lsm", "no " APPARMOR "/.load");
}

/* What apparmor_parser makes of a profile is tagged values (the kernel's policy_unpack.c). */
enum { TAG_U32 = 2, TAG_NAME = 4, TAG_STRING, TAG_STRUCT = 7, TAG_END };

static void put_bytes(struct text *blob, unsigned char tag, const char *string) {
    size_t n = strlen(string) + 1;
    char head[3] = {(char)tag, (char)n, (char)(n >> 8)};
    text_add_bytes(blob, head, 3);
    text_add_bytes(blob, string, n);
}

static void put_u32(struct text *blob, unsigned value) {
    char bytes[5] = {TAG_U32, (char)value, (char)(value >> 8), (char)(value >> 16), (char)(value >> 24)};
    text_add_bytes(blob, bytes, 5);
}

static void put_tag(struct text *blob, char tag) { text_add_bytes(blob, &tag, 1); }

/* A profile with no rules: it forbids all, or tells of all and forbids nothing. */
static void profile_load(const char *name, bool complain) {
    struct text blob = {0};
    put_bytes(&blob, TAG_NAME, "version");
    put_u32(&blob, 5);
    put_bytes(&blob, TAG_NAME, "profile");
    put_tag(&blob, TAG_STRUCT);
    put_bytes(&blob, TAG_STRING, name);
    put_bytes(&blob, TAG_NAME, "flags");
    put_tag(&blob, TAG_STRUCT);
    put_u32(&blob, 0); /* no hat */
    put_u32(&blob, complain);
    put_u32(&blob, 0); /* no audit */
    put_tag(&blob, TAG_END);
    put_bytes(&blob, TAG_NAME, "path_flags");
    put_u32(&blob, 4); /* attach_disconnected, as all have that runtimes run under */
    for (int i = 0; i < 4; i++) put_u32(&blob, 0); /* capabilities */
    put_tag(&blob, TAG_END);
    int fd = open(APPARMOR "/.load", O_WRONLY | O_CLOEXEC);
    CHECK_SYS(fd);
    ssize_t n = write(fd, blob.at, blob.n);
    CHECK(n == (ssize_t)blob.n, "load: %s", strerror(errno));
    close(fd);
}

static void profile_remove(const char *name) { CHECK_OK(file_put(APPARMOR "/.remove", name)); }

static struct outcome *confined(struct t *t, const char *profile, const char *args, const char *more, const char *namespaces) {
    return ran(t, &(struct config){.args = args, .namespaces = namespaces, .process = print("\"apparmorProfile\":\"%s\"%s", profile, more)});
}

static void apparmor_confines(struct t *t) {
    need_apparmor();
    need_root();
    struct bundle b;
    char *name = print("%s-box", t->tag), *told = print("%s (complain)", name);
    static const char *const more[] = {"", ",\"noNewPrivileges\":true"};
    const char *const spaces[] = {NULL, DEFAULT_NAMESPACES " user"};
    root_make(t, &b);
    profile_load(name, true);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            struct outcome *out = confined(t, name, "payload-fork report", more[i], spaces[k]);
            EXPECT(out->code == 0, "%d %d: %s", i, k, out->err);
            const char *got = report_get(out, "label");
            EXPECT(got && !strcmp(got, told), "%d %d: %s", i, k, got);
        }
    profile_remove(name);
    /* One that forbids all: not even the program's own pages can be mapped. */
    profile_load(name, false);
    struct outcome *out = confined(t, name, "payload-write /made x", "", NULL);
    EXPECT(out->code != 0, "it ran: %s", out->out);
    EXPECT(access(print("%s/made", b.rootfs), F_OK), "%s", "it wrote");
    profile_remove(name);
    out = confined(t, name, NULL, "", NULL);
    EXPECT(out->code == 125 && strstr(out->err, "/process/apparmorProfile") && strstr(out->err, "is not loaded"), "%d %s", out->code, out->err);
}

/* The name that stands for no profile is one like others. */
static void apparmor_unconfined(struct t *t) {
    need_apparmor();
    struct outcome *out = confined(t, "unconfined", NULL, "", NULL);
    CHECK(out->code == 0, "%s", out->err);
    CHECK_REPORT(out, "label", "unconfined");
    out = confined(t, "", NULL, "", NULL);
    CHECK(out->code == 0, "%s", out->err);
    CHECK_REPORT(out, "label", "unconfined");
}

static void apparmor_missing(struct t *t) {
    need_ocirt();
    char *name = print("%s-none", t->tag);
    struct outcome *out = confined(t, name, NULL, "", NULL);
    CHECK_INT(out->code, 125);
    CHECK_HAS(out->err, "/process/apparmorProfile");
    CHECK_HAS(out->err, name);
    CHECK_HAS(out->err, apparmor_is_on() ? "is not loaded" : "AppArmor is not enabled");
    refused(t, &(struct config){.process = "\"apparmorProfile\":\"a\\nb\""}, 125, "/process/apparmorProfile");
    CHECK_INT(confined(t, "a\\u0000b", NULL, "", NULL)->code, 125);
}

static void under_profile(void *user) {
    if (!file_put("/proc/self/attr/apparmor/exec", print("exec %s", (const char *)user))) _exit(99);
}

/* Who is confined and may gain no privileges can only be confined further. */
static void apparmor_stacks(struct t *t) {
    need_apparmor();
    need_root();
    struct bundle b;
    struct outcome out;
    char *outer = print("%s-outer", t->tag), *inner = print("%s-inner", t->tag);
    root_make(t, &b);
    profile_load(outer, true);
    profile_load(inner, true);
    bundle_config(&b, &(struct config){.process = print("\"apparmorProfile\":\"%s\",\"noNewPrivileges\":true", inner)});
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL}), .child = under_profile, .user = outer}, &out);
    EXPECT(out.code == 0, "%s", out.err);
    const char *label = report_get(&out, "label");
    EXPECT(label && strstr(label, outer) && strstr(label, inner), "%s", label);
    profile_remove(outer);
    profile_remove(inner);
}

/* A further process is confined as the container is, unless it is told otherwise. */
static void apparmor_by_exec(struct t *t) {
    need_apparmor();
    need_root();
    char *own = print("%s-own", t->tag), *other = print("%s-other", t->tag);
    struct box x;
    profile_load(own, true);
    profile_load(other, true);
    box_begin(t, &x, &(struct config){.process = print("\"apparmorProfile\":\"%s\"", own)});
    CHECK_REPORT(execed_well(t, "", "/payload payload-report"), "label", print("%s (complain)", own));
    CHECK_REPORT(execed_well(t, print("--apparmor %s", other), "/payload payload-report"), "label", print("%s (complain)", other));
    CHECK_REPORT(execed_well(t, process_option(t, NULL), ""), "label", print("%s (complain)", own));
    CHECK_REPORT(execed_well(t, process_option(t, &(struct config){.process = print("\"apparmorProfile\":\"%s\"", other)}), ""), "label", print("%s (complain)", other));
    not_executed(t, print("--apparmor %s-none", t->tag), "/payload payload-echo ran", 0, "is not loaded");
    box_end(t, &x);
    profile_remove(own);
    profile_remove(other);
}

/* ---- SELinux ---- */

#define SELINUX "/sys/fs/selinux"

/* In CIL (secilc -M false -c 30):
 *   (handleunknown allow) (policycap nnp_nosuid_transition)
 *   (class process (transition setexec setkeycreate dyntransition))
 *   (class process2 (nnp_transition nosuid_transition)) (class dir (relabelto))
 *   (classorder (process process2 dir))
 *   (sid kernel) (sid security) (sid unlabeled) (sidorder (kernel security unlabeled))
 *   (user u) (role r) (type host) (type box) (type data)
 *   (userrole u r) (roletype r host) (roletype r box) (roletype r data)
 *   kernel and security are u:r:host; unlabeled, tmpfs and mqueue (fsuse trans) u:r:data
 *   (allow host box (process (transition)))
 *   (allow host box (process2 (nnp_transition nosuid_transition)))                              */
static const char policy[] =
    "\214\377|\371\10\0\0\0SE Linux\36\0\0\0\4\0\0\0\10\0\0\0\7\0\0\0@\0\0\0@\0\0\0\1\0\0\0\0\0\0\0 \0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0"
    "\0\0\0\0\0\0\0\0\0\3\0\0\0\3\0\0\0\3\0\0\0\0\0\0\0\3\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0dir\11\0\0\0\1\0\0\0relabelto\0\0\0\0\0\0\0\0\0"
    "\0\0\0\0\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\1\0\0\0\4\0\0\0\4\0\0\0\0\0\0\0process\14\0\0\0\3\0\0\0setkeycreate\15\0\0\0\4\0\0\0dyntran"
    "sition\12\0\0\0\1\0\0\0transition\7\0\0\0\2\0\0\0setexec\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0"
    "\2\0\0\0\0\0\0\0process2\21\0\0\0\2\0\0\0nosuid_transition\16\0\0\0\1\0\0\0nnp_transition\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "\2\0\0\0\2\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0r@\0\0\0@\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0@\0\0\0@\0\0\0\1\0\0\0\0\0\0\0\7\0\0\0\0\0"
    "\0\0\10\0\0\0\1\0\0\0\0\0\0\0object_r@\0\0\0\0\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0\3\0\0\0\4\0\0\0\3\0\0\0\1\0\0\0\0\0\0"
    "\0data\4\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0host\3\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0box\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0u@\0\0\0@\0\0"
    "\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\1\0\2\0\1\0\1\0\1\0\0\0\1\0\2\0\2\0\1\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0\1\0\0\0\1\0"
    "\0\0\2\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0"
    "\3\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\1\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0\6\0\0\0mqu"
    "eue\1\0\0\0\2\0\0\0\3\0\0\0\1\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\5\0\0\0tmpfs\1\0\0\0\2\0\0\0\3\0\0\0\1\0\0\0\0\0\0\0@\0"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0@\0\0\0@\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0@\0\0\0@\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0"
    "\0\0\0@\0\0\0@\0\0\0\1\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0";

void selinux_load_policy(void) {
    int fd = open(SELINUX "/load", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, policy, sizeof policy - 1) < 0) fprintf(stderr, "# SELinux: %s\n", strerror(errno));
    if (fd >= 0) close(fd);
}

static bool selinux_is_on(void) { return !access(SELINUX "/enforce", F_OK); }

static void need_selinux(void) {
    need_ocirt();
    if (!selinux_is_on()) SKIP("lsm", "SELinux is not enabled here");
    char *label = file_read("/proc/self/attr/current", NULL);
    if (!label || strcmp(label, "u:r:host")) SKIP("lsm", "this machine has a policy of its own");
}

static void selinux_label(struct t *t) {
    need_selinux();
    static const char *const more[] = {"", ",\"noNewPrivileges\":true"};
    for (int i = 0; i < 2; i++) {
        struct outcome *out = ran(t, &(struct config){.args = "payload-fork report", .process = print("\"selinuxLabel\":\"u:r:box\"%s", more[i])});
        CHECK(out->code == 0, "%s", out->err);
        CHECK_REPORT(out, "label", "u:r:box");
    }
    struct outcome *out = ran_well(t, NULL);
    CHECK_REPORT(out, "label", "u:r:host");
    refused(t, &(struct config){.process = "\"selinuxLabel\":\"u:r:nobody\""}, 125, "/process/selinuxLabel");
    refused(t, &(struct config){.process = "\"selinuxLabel\":\"nonsense\""}, 125, "/process/selinuxLabel");
    refused(t, &(struct config){.process = "\"selinuxLabel\":\"u:r:box\\n\""}, 125, "/process/selinuxLabel");
}

static void selinux_by_exec(struct t *t) {
    need_selinux();
    struct box x;
    box_begin(t, &x, &(struct config){.process = "\"selinuxLabel\":\"u:r:box\""});
    CHECK_REPORT(execed_well(t, "", "/payload payload-report"), "label", "u:r:box");
    CHECK_REPORT(execed_well(t, process_option(t, NULL), ""), "label", "u:r:box");
    not_executed(t, "--process-label u:r:nobody", "/payload payload-echo ran", 0, "u:r:nobody");
    box_end(t, &x);
    box_begin(t, &x, NULL);
    CHECK_REPORT(execed_well(t, "--process-label u:r:box", "/payload payload-report"), "label", "u:r:box");
    CHECK_REPORT(execed_well(t, "", "/payload payload-report"), "label", "u:r:host");
    box_end(t, &x);
}

static void mount_label(struct t *t) {
    need_selinux();
    need_root();
    static const struct {
        const char *top, *word;
    } rows[] = {{"", "context"}, {",\"annotations\":{\"run.oci.mount_context_type\":\"rootcontext\"}", "rootcontext"},
                {",\"annotations\":{\"run.oci.mount_context_type\":\"fscontext\"}", "fscontext"}, {",\"annotations\":{\"run.oci.mount_context_type\":\"\"}", "context"}};
    struct mount_line line;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome *out = ran(t, &(struct config){.args = "payload-script report -- xattr /q security.selinux", .linux_ = "\"mountLabel\":\"u:r:box\"", .top = print("\"hostname\":\"x\"%s", rows[i].top),
            .mounts = "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=700\"]},{\"destination\":\"/q\",\"type\":\"mqueue\",\"source\":\"q\"},"
                      "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\"}"});
        EXPECT(out->code == 0, "%s: %s", rows[i].word, out->err);
        const char *want = print("%s=u:r:box", rows[i].word);
        EXPECT(mount_get(out, "/m", &line) && has_super(&line, want), "no %s in %s", want, line.super);
        EXPECT(mount_get(out, "/dev", &line) && has_super(&line, want), "no %s in %s", want, line.super);
        EXPECT(report_get(out, "xattr") && !strcmp(report_get(out, "xattr"), "u:r:box"), "%s", report_get(out, "xattr"));
        EXPECT(mount_get(out, "/sys", &line) && !strstr(line.super, "u:r:box"), "%s", line.super);
    }
    refused(t, &(struct config){.args = "payload-script report -- xattr /q security.selinux", .linux_ = "\"mountLabel\":\"u:r:nobody\""}, 125, "/mounts/1");
}

/* A label that nothing can carry is never passed over. */
static void labels_without_selinux(struct t *t) {
    struct box x;
    need_ocirt();
    if (selinux_is_on()) SKIP("lsm", "SELinux is enabled here");
    box_begin(t, &x, NULL);
    not_executed(t, "--process-label u:r:box", "/payload payload-echo ran", 0, "SELinux is not enabled");
    if (!apparmor_is_on()) not_executed(t, "--apparmor some", "/payload payload-echo ran", 0, "AppArmor is not enabled");
    box_end(t, &x);
    refused(t, &(struct config){.process = "\"selinuxLabel\":\"u:r:box\""}, 125, "/process/selinuxLabel");
    refused(t, &(struct config){.process = "\"selinuxLabel\":\"u:r:box\""}, 125, "SELinux is not enabled");
    refused(t, &(struct config){.linux_ = "\"mountLabel\":\"u:r:data\""}, 125, "SELinux is not enabled");
    /* one that another security module takes for a word to itself */
    struct bundle b;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.process = "\"selinuxLabel\":\"exec unconfined\""});
    expect(t, 125, "/process/selinuxLabel", "run", "--no-new-keyring", "-b", b.path, t->tag);
    refused(t, &(struct config){.linux_ = "\"mountLabel\":\"u:r:data\"", .no_mounts = true}, 125, "/linux/mountLabel");
    struct outcome *out = ran_well(t, &(struct config){.process = "\"selinuxLabel\":\"\"", .linux_ = "\"mountLabel\":\"\""});
    CHECK_REPORT(out, "pid", "1");
}

const struct test run_lsm_tests[] = {
    {"lsm.apparmor_confines", apparmor_confines, 0, 0},
    {"lsm.apparmor_unconfined", apparmor_unconfined, 0, 0},
    {"lsm.apparmor_missing", apparmor_missing, 0, 0},
    {"lsm.apparmor_stacks", apparmor_stacks, 0, 0},
    {"lsm.selinux_label", selinux_label, 0, 0},
    {"lsm.apparmor_by_exec", apparmor_by_exec, 0, 0},
    {"lsm.selinux_by_exec", selinux_by_exec, 0, 0},
    {"lsm.mount_label", mount_label, 0, 0},
    {"lsm.labels_without_selinux", labels_without_selinux, 0, 0},
    {0}};
