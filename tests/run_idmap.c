/* run_idmap.c: mounts with id maps, beyond what fs.idmapped and its kin show; and annotations that
 * change what a program is given. */
#include "runs.h"
#include <grp.h>
#include <sys/mount.h>

#define MAP(c, h, n) "{\"containerID\":" #c ",\"hostID\":" #h ",\"size\":" #n "}"
#define BOTH(lines) "\"uidMappings\":[" lines "],\"gidMappings\":[" lines "]"
#define USERNS DEFAULT_NAMESPACES " user"

static char *source_make(struct t *t) {
    static const unsigned owners[] = {0, 5, 77};
    char *source = print("%s/source", t->dir);
    make_dirs(source, 0777);
    CHECK_SYS(chmod(source, 0777));
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
        char *file = print("%s/of-%u", source, owners[i]);
        file_write(file, "x");
        CHECK_SYS(chown(file, owners[i], owners[i]));
    }
    return source;
}

static char *bound(const char *source, const char *words, const char *maps) {
    return print("{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[%s]%s%s}", source, words, *maps ? "," : "", maps);
}

static void many_lines(struct t *t) {
    need_idmap(t);
    char *source = source_make(t);
    struct outcome *out = ran(t, &(struct config){.args = "payload-ls /m", .mounts = bound(source, "\"bind\",\"idmap\"", BOTH(MAP(77, 10, 1) "," MAP(0, 9000, 1) "," MAP(5, 100005, 3)))});
    CHECK(out->code == 0, "%s", out->err);
    CHECK_HAS(out->out, "of-0=file 0644 9000 9000\n");
    CHECK_HAS(out->out, "of-5=file 0644 100005 100005\n");
    CHECK_HAS(out->out, "of-77=file 0644 10 10\n");
    /* the files themselves stay whose they are, and users and groups have maps of their own */
    struct stat info;
    CHECK_SYS(stat(print("%s/of-5", source), &info));
    CHECK_INT(info.st_uid, 5);
    out = ran(t, &(struct config){.args = "payload-ls /m", .mounts = bound(source, "\"bind\",\"idmap\"", "\"uidMappings\":[" MAP(5, 6, 1) "],\"gidMappings\":[" MAP(5, 7, 1) "]")});
    CHECK_HAS(out->out, "of-0=file 0644 65534 65534\n");
    CHECK_HAS(out->out, "of-5=file 0644 6 7\n");
}

/* Both maps count: that of the mount ends in ids of the host, which are the container's others. */
static void maps_within_maps(struct t *t) {
    need_idmap(t);
    char *source = source_make(t);
    struct outcome *out = ran(t, &(struct config){.args = "payload-script ls /m -- write /m/made x", .namespaces = USERNS,
                                                  .mounts = bound(source, "\"bind\",\"idmap\"", BOTH(MAP(0, 100000, 10) "," MAP(77, 100100, 1)))});
    CHECK(out->code == 0, "%s", out->err);
    CHECK_HAS(out->out, "of-0=file 0644 0 0\n");
    CHECK_HAS(out->out, "of-5=file 0644 5 5\n");
    CHECK_HAS(out->out, "of-77=file 0644 100 100\n");
    struct stat info;
    CHECK_SYS(stat(print("%s/made", source), &info));
    CHECK_INT(info.st_uid, 0);
    CHECK_INT(info.st_gid, 0);
}

/* Without maps of its own a mount has the container's, with all below it or not. */
static void maps_of_the_container(struct t *t) {
    need_idmap(t);
    char *source = source_make(t), *below = print("%s/below", source), *other = print("%s/other", t->dir);
    static const char *const words[][2] = {{"ridmap", "of-5=file 0644 5 5"}, {"idmap", "of-5=file 0644 65534 65534"}};
    make_dirs(below, 0755);
    make_dirs(other, 0755);
    file_write(print("%s/of-5", other), "x");
    CHECK_SYS(chown(print("%s/of-5", other), 5, 5));
    CHECK_SYS(mount(other, below, NULL, MS_BIND, NULL));
    for (int i = 0; i < 2; i++) {
        struct outcome *out = ran(t, &(struct config){.args = "payload-ls /m/below", .namespaces = USERNS, .mounts = bound(source, print("\"rbind\",\"%s\"", words[i][0]), "")});
        EXPECT(out->code == 0 && strstr(out->out, words[i][1]), "%s: %s%s", words[i][0], out->out, out->err);
        refused(t, &(struct config){.mounts = bound(source, print("\"rbind\",\"%s\"", words[i][0]), "")}, 125, "/mounts/2");
    }
    CHECK_SYS(umount2(below, 0));
}

/* Not only binds: a new tmpfs, whose root is of 7000 in the file system. */
static void new_file_system(struct t *t) {
    char *mounts = "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"idmap\",\"uid=7000\",\"gid=7000\",\"mode=755\"]," BOTH(MAP(7000, 0, 10)) "}";
    struct outcome *out = ran(t, &(struct config){.args = "payload-script stat /m -- write /m/made x -- stat /m/made", .mounts = mounts});
    if (out->code) {
        CHECK(out->code == 125 && strstr(out->err, "/mounts/2"), "%d %s", out->code, out->err);
        need_kernel(6, 3);
    }
    CHECK(out->code == 0, "%s", out->err);
    CHECK_HAS(out->out, "/m=dir 0755 0 0\n");
    CHECK_HAS(out->out, "/m/made=file 0644 0 0\n");
    out = ran(t, &(struct config){.args = "payload-script stat /m -- write /m/made x", .mounts = replaced(mounts, "\"hostID\":0,", "\"hostID\":3,")});
    CHECK_HAS(out->out, "/m=dir 0755 3 0\n");
    CHECK_HAS(out->out, "write /m/made: EOVERFLOW");
}

/* What cannot be mapped is refused, never mounted as it is. */
static void not_to_be_mapped(struct t *t) {
    refused(t, &(struct config){.mounts = "{\"destination\":\"/m\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"idmap\"]," BOTH(MAP(0, 7000, 10)) "}"}, 125, "/mounts/2");
    refused(t, &(struct config){.mounts = "{\"destination\":\"/m\",\"type\":\"mqueue\",\"source\":\"mqueue\"," BOTH(MAP(0, 7000, 10)) "}"}, 125, "/mounts/2");
    char *source = source_make(t);
    refused(t, &(struct config){.mounts = bound(source, "\"bind\",\"idmap\"", "\"uidMappings\":[" MAP(0, 7000, 10) "]")}, 125, "/mounts/2");
    refused(t, &(struct config){.mounts = bound(source, "\"bind\",\"idmap\"", "\"gidMappings\":[" MAP(0, 7000, 10) "]")}, 125, "/mounts/2");
    refused(t, &(struct config){.mounts = bound(source, "\"bind\",\"idmap\"", BOTH(MAP(0, 7000, 10) "," MAP(5, 9000, 1)))}, 125, "/mounts/2");
    refused(t, &(struct config){.mounts = bound(source, "\"bind\",\"idmap\"", BOTH(MAP(0, 7000, 0)))}, 125, "idMappings/0/size");
    refused(t, &(struct config){.mounts = bound(source, "\"bind\",\"idmap\"", BOTH(MAP(4294967295, 0, 1)))}, 125, "/mounts/2");
    /* crun's maps in the option: done, or told to be unknown */
    struct outcome *out = ran(t, &(struct config){.args = "payload-ls /m", .mounts = bound(source, "\"bind\",\"idmap=uids=0-7000-10;gids=0-7000-10\"", "")});
    CHECK(out->code ? out->code == 125 && strstr(out->err, "/mounts/2") : strstr(out->out, "of-0=file 0644 7000 7000") != NULL, "%d %s%s", out->code, out->err, out->out);
}

static void older_kernel(struct t *t) {
    struct outcome *out = ran(t, &(struct config){.args = "payload-ls /m", .mounts = bound(source_make(t), "\"bind\",\"idmap\"", BOTH(MAP(0, 7000, 10)))});
    if (out->code == 0) SKIP("kernel", "this kernel maps the ids of mounts");
    CHECK_INT(out->code, 125);
    CHECK_HAS(out->err, "/mounts/2");
    CHECK_HAS(out->err, "cannot map ids");
}

static void ordinary_is_told(struct t *t) {
    refused(t, &(struct config){.mounts = bound(t->dir, "\"bind\",\"idmap\"", "")}, 125, "/mounts/2");
    refused(t, &(struct config){.mounts = bound(t->dir, "\"bind\",\"idmap\"", "")}, 125, "CAP_SYS_ADMIN");
}

/* ---- annotations ---- */

static void with_groups(void *user) {
    static const gid_t groups[] = {5, 77};
    (void)user;
    if (setgroups(2, groups)) _exit(99);
}

static struct outcome *in_groups(struct t *t, const char *annotations, const char *namespaces, const char *process) {
    struct bundle b;
    struct outcome *out = remember(calloc(1, sizeof *out));
    root_make(t, &b);
    bundle_config(&b, &(struct config){.namespaces = namespaces, .process = process, .args = "payload-script report -- cat /of-77", .top = print("\"hostname\":\"x\"%s", annotations)});
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL}), .child = with_groups}, out);
    CHECK(!out->timed_out, "%s", out->err);
    return out;
}

/* podman's --group-add keep-groups. */
static void original_groups(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    char *file = print("%s/of-77", b.rootfs);
    file_write(file, "for the group");
    CHECK_SYS(chown(file, 0, 77));
    CHECK_SYS(chmod(file, 0040));
    const char *user = "\"user\":{\"uid\":1000,\"gid\":1000}", *keep = ",\"annotations\":{\"run.oci.keep_original_groups\":\"1\"}";
    struct outcome *out = in_groups(t, keep, NULL, user);
    CHECK_REPORT(out, "groups", "5 77");
    CHECK_HAS(out->out, "for the group");
    out = in_groups(t, "", NULL, user);
    CHECK_REPORT(out, "groups", "");
    CHECK_OK(!strstr(out->out, "for the group"));
    out = in_groups(t, ",\"annotations\":{\"run.oci.keep_original_groups\":\"0\"}", NULL, user);
    CHECK_REPORT(out, "groups", "");
    if (access("/proc/self/ns/user", F_OK)) return;
    out = in_groups(t, keep, USERNS, user);
    CHECK_REPORT(out, "groups", "65534 65534");
    CHECK_HAS(out->out, "for the group");
}

/* Those that nobody knows are kept for others. */
static void unknown_annotations(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100",
        .top = "\"hostname\":\"x\",\"annotations\":{\"org.opencontainers.unheard.of\":\"\",\"a key\":\"a \\\"value\\\"\",\"run.oci.no_such\":\"1\",\"org.opencontainers.image.stopSignal\":\"SIGNONE\"}"});
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    run_ocirt(t, &out, "state", t->tag);
    CHECK_HAS(out.out, "\"org.opencontainers.unheard.of\": \"\"");
    CHECK_HAS(out.out, "\"a key\": \"a \\\"value\\\"\"");
    CHECK_HAS(out.out, "\"run.oci.no_such\": \"1\"");
    delete_all(t);
}

/* ---- what the specification leaves without meaning ---- */

/* Flags of personality: no value is defined, so none may be passed over in silence. */
static void personality_flags(struct t *t) {
    struct outcome *out = ran(t, &(struct config){.linux_ = "\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"ADDR_NO_RANDOMIZE\"]}"});
    CHECK(strstr(out->err, "personality"), "%d: nothing was said: %s", out->code, out->err);
    out = ran_well(t, &(struct config){.linux_ = "\"personality\":{\"domain\":\"LINUX\",\"flags\":[]}"});
    CHECK_REPORT(out, "personality", "0");
}

/* A clock that a time namespace has not. */
static void unknown_clock(struct t *t) {
    if (access("/proc/self/ns/time", F_OK)) SKIP("kernel", "no time namespaces");
    const char *namespaces = geteuid() ? DEFAULT_NAMESPACES " time user" : DEFAULT_NAMESPACES " time";
    refused(t, &(struct config){.namespaces = namespaces, .linux_ = "\"timeOffsets\":{\"realtime\":{\"secs\":1}}"}, 125, "/linux/timeOffsets/realtime");
    refused(t, &(struct config){.namespaces = namespaces, .linux_ = "\"timeOffsets\":{\"boottime\":{\"secs\":1,\"nanosecs\":1000000000}}"}, 125, "/linux/timeOffsets/boottime/nanosecs");
    /* before the machine began: the kernel refuses it */
    refused(t, &(struct config){.namespaces = namespaces, .linux_ = "\"timeOffsets\":{\"boottime\":{\"secs\":-9000000000}}"}, 125, "/linux/timeOffsets");
    refused(t, &(struct config){.namespaces = namespaces, .linux_ = "\"timeOffsets\":{\"monotonic\":{\"secs\":9223372036854775807}}"}, 125, "/linux/timeOffsets");
}

const struct test run_idmap_tests[] = {
    {"idmap.many_lines", many_lines, TEST_ROOT, 0},
    {"idmap.maps_within_maps", maps_within_maps, TEST_ROOT, 0},
    {"idmap.maps_of_the_container", maps_of_the_container, TEST_ROOT, 0},
    {"idmap.new_file_system", new_file_system, TEST_ROOT, 0},
    {"idmap.not_to_be_mapped", not_to_be_mapped, TEST_ROOT, 0},
    {"idmap.older_kernel", older_kernel, TEST_ROOT, 0},
    {"idmap.ordinary_is_told", ordinary_is_told, TEST_USER, 0},
    {"annotations.original_groups", original_groups, TEST_ROOT, 0},
    {"annotations.unknown", unknown_annotations, 0, 0},
    {"undefined.personality_flags", personality_flags, 0, 0},
    {"undefined.clock", unknown_clock, 0, 0},
    {0}};
