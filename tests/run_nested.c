/* run_nested.c: ocirt inside a container that ocirt has made. The program inside is this one again,
 * by the name of the command; its bundle is in the outer root file system. */
#include "runs.h"

#define ALL_CAPABILITIES                                                                                     \
    "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\",\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETPCAP\"," \
    "\"CAP_NET_ADMIN\",\"CAP_SYS_CHROOT\",\"CAP_SYS_ADMIN\",\"CAP_MKNOD\",\"CAP_SETFCAP\"]"
#define ALL_POWER                                                                             \
    "\"capabilities\":{\"bounding\":" ALL_CAPABILITIES ",\"permitted\":" ALL_CAPABILITIES "," \
    "\"effective\":" ALL_CAPABILITIES "}"
#define RUN "\"/ocirt\",\"--root\",\"/run/state\""
#define ONE_ID(id) "\"uidMappings\":[{\"containerID\":0,\"hostID\":" #id ",\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":" #id ",\"size\":1}]"

/* Who is outside, who inside. */
static const struct place {
    const char *name, *outer, *inner; /* namespaces */
    const char *process, *linux_;     /* of the outer, of the inner */
    unsigned owner;                   /* of the inner bundle, as the host sees it */
    bool root;                        /* takes root */
} places[] = {
    {"root in root", DEFAULT_NAMESPACES, DEFAULT_NAMESPACES, ALL_POWER, NULL, 0, true},
    {"root in a user namespace", DEFAULT_NAMESPACES " user", DEFAULT_NAMESPACES, ALL_POWER, NULL, TEST_FIRST_ID, false},
    {"user namespace in a user namespace", DEFAULT_NAMESPACES " user", DEFAULT_NAMESPACES " user", ALL_POWER, ONE_ID(0), TEST_FIRST_ID, false},
    {"user namespace in root", DEFAULT_NAMESPACES, DEFAULT_NAMESPACES " user", ALL_POWER, ONE_ID(0), 0, true},
    {"ordinary user in root", DEFAULT_NAMESPACES, DEFAULT_NAMESPACES " user", "\"user\":{\"uid\":1000,\"gid\":1000}", ONE_ID(1000), 1000, true},
    {"ordinary user in a user namespace", DEFAULT_NAMESPACES " user", DEFAULT_NAMESPACES " user", "\"user\":{\"uid\":1000,\"gid\":1000}", ONE_ID(1000),
     TEST_FIRST_ID + 1000, true},
};
enum { PLACES = sizeof places / sizeof *places };

static bool can_be_here(const struct place *place) { return !geteuid() || !place->root; }

/* Runs `args`, the rest of an array of JSON, in the outer container. */
static struct outcome *inside(struct t *t, const struct place *place, const char *args, const struct config *outer, const struct config *inner) {
    struct bundle b, in;
    struct config own = inner ? *inner : (struct config){.args = "payload-report"}, out = outer ? *outer : (struct config){.top = NULL};
    if (strstr(place->outer, "user") || strstr(place->inner, "user")) need_userns();
    root_make(t, &b);
    if (access(print("%s/ocirt", b.rootfs), F_OK)) root_link(&b, "payload", "ocirt");
    bundle_make(t, &in, BUNDLE "/rootfs/inner");
    if (!own.namespaces) own.namespaces = place->inner;
    if (!own.top) own.top = "\"hostname\":\"inner\"";
    own.linux_ = own.linux_ && place->linux_ ? print("%s,%s", own.linux_, place->linux_) : own.linux_ ? own.linux_ : place->linux_;
    bundle_config(&in, &own);
    own.args = "payload-echo free"; /* a second config, without what is tried */
    own.linux_ = place->linux_;
    file_write(print("%s/free.json", in.path), "%s", config_text(&own));
    if (!geteuid())
        for (int i = 0; i < 2; i++) CHECK_SYS(chown(i ? in.rootfs : in.path, place->owner, place->owner));
    out.args = args;
    out.namespaces = place->outer;
    out.process = place->process;
    out.mounts = print("{\"destination\":\"/run\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=1777\"]}%s%s", out.mounts ? "," : "",
                       out.mounts ? out.mounts : "");
    bundle_config(&b, &out);
    struct outcome *end = remember(calloc(1, sizeof *end));
    CHECK_OK(end != NULL);
    run_ocirt(t, end, "run", "-b", b.path, t->tag);
    return end;
}

static void runs(struct t *t) {
    for (size_t i = 0; i < PLACES; i++) {
        const struct place *p = &places[i];
        if (!can_be_here(p)) continue;
        struct outcome *out = inside(t, p, "[" RUN ",\"run\",\"-b\",\"/inner\",\"in\"]", NULL, NULL);
        CHECK(out->code == 0, "%s: %d %s", p->name, out->code, out->err);
        CHECK_TEXT(out->err, "");
        CHECK_REPORT(out, "pid", "1");
        CHECK_REPORT(out, "hostname", "inner");
        CHECK_REPORT(out, "uid", "0 0 0 0");
        CHECK_REPORT(out, "fd.count", "3");
        CHECK(!report_get(out, "top.inner") && !report_get(out, "top.run"), "%s: the outer root is seen", p->name);
        CHECK_HAS(report_mount(out, "/proc"), " - proc ");
    }
}

static void ends(struct t *t) {
    static const struct {
        const char *args, *word;
        int code;
    } cases[] = {{"payload-exit 7", "", 7}, {"[\"nothing\"]", "executable file not found in $PATH", 127}};
    for (size_t i = 0; i < PLACES; i++)
        for (size_t k = 0; k < sizeof cases / sizeof *cases && can_be_here(&places[i]); k++) {
            struct outcome *out = inside(t, &places[i], "[" RUN ",\"run\",\"-b\",\"/inner\",\"in\"]", NULL, &(struct config){.args = cases[k].args});
            EXPECT(out->code == cases[k].code && strstr(out->err, cases[k].word), "%s, %s: %d %s", places[i].name, cases[k].args, out->code, out->err);
            outcome_free(out);
        }
}

/* All commands, each a process of its own; what create leaves waiting is the outer init's orphan. */
static void lives(struct t *t) {
#define DO "\"--\",\"fork\",\"exec\"," RUN
    for (size_t i = 0; i < PLACES; i++) {
        const struct place *p = &places[i];
        if (!can_be_here(p)) continue;
        struct outcome *out = inside(t, p,
            "[\"/payload\",\"payload-script\",\"echo\",\"begin\"," DO ",\"create\",\"-b\",\"/inner\",\"in\"," DO ",\"state\",\"in\"," DO ",\"start\",\"in\"," DO
            ",\"list\",\"-q\"," DO ",\"kill\",\"in\",\"KILL\"," DO ",\"delete\",\"--force\",\"in\"," DO ",\"list\",\"-q\"]", NULL,
            &(struct config){.args = "payload-sleep 100"});
        EXPECT(out->code == 0, "%s: %d %s%s", p->name, out->code, out->err, out->out);
        EXPECT(strstr(out->out, "\"status\": \"created\"") && strstr(out->out, "\nin\n"), "%s: %s", p->name, out->out);
        EXPECT(!out->err_n && !strstr(out->out, "exit 1"), "%s: %s%s", p->name, out->err, out->out);
    }
#undef DO
}

/* A container in a container in a container. */
static void thrice(struct t *t) {
    const struct place *p = &places[geteuid() ? 1 : 0];
    struct bundle deep;
    struct config config = {.args = "[" RUN ",\"run\",\"-b\",\"/deep\",\"deep\"]", .process = ALL_POWER,
        .mounts = "{\"destination\":\"/run\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"};
    bundle_make(t, &deep, BUNDLE "/rootfs/inner/rootfs/deep");
    bundle_config(&deep, &(struct config){.args = "payload-exit 33", .namespaces = DEFAULT_NAMESPACES});
    CHECK_SYS(symlink("payload", print("%s/%s/rootfs/inner/rootfs/ocirt", t->dir, BUNDLE)));
    struct outcome *out = inside(t, p, "[" RUN ",\"run\",\"-b\",\"/inner\",\"in\"]", NULL, &config);
    CHECK(out->code == 33, "%d %s", out->code, out->err);
}

/* The outer container's masks keep a fresh procfs from a new user namespace: the error names one. Who is
 * root over the masks is not kept. */
static void masked(struct t *t) {
    for (size_t i = 0; i < PLACES; i++) {
        const struct place *p = &places[i];
        bool kept = strstr(p->inner, "user");
        if (!can_be_here(p)) continue;
        struct outcome *out = inside(t, p, "[" RUN ",\"run\",\"-b\",\"/inner\",\"in\"]", &(struct config){.linux_ = "\"maskedPaths\":[\"/proc/keys\"]"},
                                     &(struct config){.args = "payload-exit 4"});
        EXPECT(out->code == (kept ? 125 : 4), "%s: %d %s", p->name, out->code, out->err);
        if (!kept) continue;
        EXPECT(strstr(out->err, "/mounts/0") && strstr(out->err, "partly covered (by a mount on /proc/keys)"), "%s: %s", p->name, out->err);
        /* the remedy that it names */
        out = inside(t, p, "[" RUN ",\"run\",\"-b\",\"/inner\",\"in\"]", &(struct config){.linux_ = "\"maskedPaths\":[\"/proc/keys\"]"},
                     &(struct config){.args = "payload-exit 4", .no_mounts = true, .mounts = "{\"destination\":\"/proc\",\"source\":\"/proc\",\"options\":[\"rbind\"]},"
                                                                                                      "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"});
        EXPECT(out->code == 4, "%s, bound: %d %s", p->name, out->code, out->err);
    }
}

/* A limit holds or is refused in words, whatever the outer container has of the cgroups; and a refusal
 * has spoilt nothing for the next container. */
static void limits(struct t *t) {
#define DO(file) "\"fork\",\"exec\"," RUN ",\"run\",\"-b\",\"/inner\",\"-f\",\"" file "\",\"in\""
    static const char *const mounts[] = {NULL, "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\"}"};
    for (size_t i = 0; i < PLACES; i++)
        for (size_t k = 0; k < 2; k++) {
            struct place p = places[i];
            if (!can_be_here(&p) || (k && !cgroup_mount())) continue;
            if (k) p.outer = print("%s cgroup", p.outer);
            struct outcome *out = inside(t, &p, "[\"/payload\",\"payload-script\"," DO("config.json") ",\"--\"," DO("free.json") "]", &(struct config){.mounts = mounts[k]},
                &(struct config){.args = "payload-fork-bomb-ish 8", .linux_ = "\"resources\":{\"pids\":{\"limit\":4}}"});
            bool holds = strstr(out->out, "EAGAIN") && strstr(out->out, "exit 1\n"), refuses = strstr(out->out, "exit 125\n") && strstr(out->err, "cgroup");
            EXPECT(holds || refuses, "%s, %s cgroups: %d %s%s", p.name, k ? "with" : "without", out->code, out->err, out->out);
            EXPECT(out->code == 0 && strstr(out->out, "free\n"), "%s, %s cgroups: %d %s%s", p.name, k ? "with" : "without", out->code, out->err, out->out);
            outcome_free(out);
        }
#undef DO
}

/* Whatever the outer container has of the cgroups, what asks for no limit runs. */
static void cgroups(struct t *t) {
    static const char *const options[] = {"ro", "rw"};
    if (!cgroup_mount()) SKIP("cgroup", "no cgroup2");
    for (size_t i = 0; i < PLACES; i++)
        for (int k = 0; k < 4; k++) {
            struct place p = places[i];
            if (!can_be_here(&p)) continue;
            if (k & 2) p.outer = print("%s cgroup", p.outer);
            struct outcome *out = inside(t, &p, "[" RUN ",\"run\",\"-b\",\"/inner\",\"in\"]",
                &(struct config){.mounts = print("{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"%s\"]}", options[k & 1])},
                &(struct config){.args = "payload-exit 6"});
            if (strstr(out->err, "need mount_setattr, Linux 5.12")) continue; /* the outer one's bind of the host's */
            EXPECT(out->code == 6, "%s, %s cgroups %s: %d %s", p.name, k & 2 ? "own" : "the host's", options[k & 1], out->code, out->err);
            outcome_free(out);
        }
}

const struct test run_nested_tests[] = {
    {"nested.runs", runs, 0, 0},
    {"nested.ends", ends, 0, 0},
    {"nested.lives", lives, 0, 30},
    {"nested.thrice", thrice, 0, 0},
    {"nested.masked", masked, 0, 0},
    {"nested.cgroups", cgroups, 0, 30},
    {"nested.limits", limits, 0, 30},
    {0}};
