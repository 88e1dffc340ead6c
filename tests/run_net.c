/* run_net.c: netDevices. The test moves to a network namespace of its own, makes devices there, and asks the
 * kernel by netlink of its own; the payload says what the container has. */
#include "runs.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* ---- netlink of our own ---- */

struct request {
    uint32_t size;
    uint16_t type, flags;
    uint32_t sequence, port;
    unsigned char body[240];
};

static void put(struct request *r, const void *data, size_t n) {
    memcpy((char *)r + r->size, data, n);
    r->size += (uint32_t)((n + 3) & ~3u);
}

static void put_attribute(struct request *r, unsigned type, const void *data, size_t n) {
    uint16_t head[2] = {(uint16_t)(n + 4), (uint16_t)type};
    put(r, head, 4);
    put(r, data, n);
}

static int ask_kernel(struct request *r) {
    int fd = socket(16, SOCK_RAW | SOCK_CLOEXEC, 0), error = 0;
    char answer[8192];
    CHECK_SYS(fd);
    r->flags |= 5;
    CHECK_INT(send(fd, r, r->size, 0), r->size);
    CHECK_OK(recv(fd, answer, sizeof answer, 0) >= 20);
    memcpy(&error, answer + 16, 4);
    close(fd);
    return error;
}

#define DEVICE "ocitest0"

/* Ours has the same number each time: the payload asks for the first ones only. */
static int make_device(const char *name, const char *kind) {
    struct request r = {.size = 16, .type = 16, .flags = 0x600};
    const uint32_t head[4] = {0, strcmp(name, DEVICE) ? 0 : 40, 0, 0};
    put(&r, head, sizeof head);
    put_attribute(&r, 3, name, strlen(name) + 1);
    uint32_t mtu = 1400;
    put_attribute(&r, 4, &mtu, 4);
    uint16_t info[4] = {(uint16_t)(8 + ((strlen(kind) + 3) & ~3u)), 18, (uint16_t)(4 + strlen(kind)), 1};
    put(&r, info, 8);
    put(&r, kind, strlen(kind));
    return ask_kernel(&r);
}

/* Of a kind that this kernel has. */
static bool device_made(const char *name) {
    static const char *const kinds[] = {"dummy", "ifb", "veth"};
    for (size_t i = 0; i < 3; i++)
        if (!make_device(name, kinds[i])) return true;
    return false;
}

static void need_device(const char *name) {
    if (!device_made(name)) SKIP("kernel", "no dummy, ifb or veth devices in this kernel");
}

static int add_address(const char *device, const char *address, unsigned prefix, unsigned flags, unsigned scope, unsigned valid) {
    struct request r = {.size = 16, .type = 20, .flags = 0x600};
    bool six = strchr(address, ':') != NULL;
    unsigned char head[8] = {six ? AF_INET6 : AF_INET, (unsigned char)prefix, (unsigned char)flags, (unsigned char)scope}, bytes[16];
    uint32_t index = if_nametoindex(device), times[4] = {valid, valid, 0, 0}, wide = flags;
    memcpy(head + 4, &index, 4);
    CHECK_INT(inet_pton(head[0], address, bytes), 1);
    put(&r, head, 8);
    put_attribute(&r, 2, bytes, six ? 16 : 4);
    put_attribute(&r, 1, bytes, six ? 16 : 4);
    if (valid) put_attribute(&r, 6, times, 16);
    put_attribute(&r, 8, &wide, 4);
    return ask_kernel(&r);
}

static bool is_up(const char *name) {
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    strcpy(request.ifr_name, name);
    bool up = !ioctl(fd, SIOCGIFFLAGS, &request) && request.ifr_flags & IFF_UP;
    close(fd);
    return up;
}

static void set_up(const char *name) {
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    strcpy(request.ifr_name, name);
    request.ifr_flags = IFF_UP;
    CHECK_SYS(ioctl(fd, SIOCSIFFLAGS, &request));
    close(fd);
}

static bool has_six(void) { return access("/proc/sys/net/ipv6", F_OK) == 0 || access("/proc/net/if_inet6", F_OK) == 0; }

static void remove_device(const char *name) {
    struct request r = {.size = 16, .type = 17};
    const uint32_t head[4] = {0, if_nametoindex(name), 0, 0};
    put(&r, head, sizeof head);
    if (head[1]) CHECK_INT(ask_kernel(&r), 0);
}

/* One device, up, with addresses of both families. */
#define SIX "fd00:51::7"
bool net_device_make(void) {
    remove_device(DEVICE);
    if (!device_made(DEVICE)) return false;
    CHECK_INT(add_address("ocitest0", "10.51.0.7", 24, 0, 0, 0), 0);
    CHECK_INT(add_address("ocitest0", "10.51.0.8", 24, 0x200, 0, 0), 0);       /* secondary, without a route of its own */
    CHECK_INT(add_address("ocitest0", "10.52.0.9", 16, 0, 253, 0), 0);         /* of the link */
    CHECK_INT(add_address("ocitest0", "10.53.0.9", 16, 0, 0, 3600), 0);        /* for an hour */
    if (has_six()) CHECK_INT(add_address("ocitest0", SIX, 64, 2, 0, 0), 0);
    set_up("ocitest0");
    return true;
}

/* In a namespace of the test's. */
static void own_world(void) {
    need_root();
    need_ocirt();
    CHECK_SYS(unshare(CLONE_NEWNET));
    if (!net_device_make()) need_device(DEVICE);
}

#define NAMES "pid mount ipc uts network"
static struct outcome *moved(struct t *t, const char *devices) {
    return ran(t, &(struct config){.namespaces = NAMES, .linux_ = print("\"netDevices\":{%s}", devices)});
}

/* An address line of the payload: "name family/prefix address flags scope". */
static bool has_address(const struct outcome *out, const char *line) {
    const char *value;
    for (unsigned i = 0; (value = report_nth(out, "address", i)); i++)
        if (starts(value, line)) return true;
    return false;
}

static void all_addresses(const struct outcome *out, const char *name) {
    EXPECT(has_address(out, print("%s 10.51.0.7/24 flags=0x80 scope=0", name)), "%s", out->out);
    EXPECT(has_address(out, print("%s 10.51.0.8/24 flags=0x281 scope=0", name)), "%s", out->out);
    EXPECT(!has_address(out, print("%s 10.52", name)), "%s", out->out);
    EXPECT(!has_address(out, print("%s 10.53", name)), "%s", out->out);
    EXPECT(!has_six() || has_address(out, print("%s " SIX "/64 flags=0x82 scope=0", name)), "%s", out->out);
}

static const char *flags_of(const struct outcome *out, const char *name) {
    const char *value;
    for (unsigned i = 0; (value = report_nth(out, "netdev", i)); i++)
        if (starts(value, print("%s flags=", name))) return value;
    return NULL;
}

static void up_inside(const struct outcome *out, const char *name) {
    const char *value = flags_of(out, name);
    CHECK(value != NULL, "no %s: %d %s%s", name, out->code, out->err, out->out);
    EXPECT(strtoul(strchr(value, '=') + 1, NULL, 16) & IFF_UP, "%s", value);
    EXPECT(strstr(value, " mtu=1400"), "%s", value);
}

static void moves(struct t *t) {
    own_world();
    struct outcome *out = moved(t, "\"ocitest0\":{}");
    CHECK(out->code == 0, "%s", out->err);
    up_inside(out, "ocitest0");
    all_addresses(out, "ocitest0");
    CHECK_OK(!if_nametoindex("ocitest0"));
}

static void renames(struct t *t) {
    own_world();
    struct outcome *out = moved(t, "\"ocitest0\":{\"name\":\"eth7\"}");
    CHECK(out->code == 0, "%s", out->err);
    up_inside(out, "eth7");
    all_addresses(out, "eth7");
    EXPECT(!flags_of(out, "ocitest0"), "%s", out->out);
    EXPECT(has_address(out, "eth7 10.51.0.7/24 flags=0x80 scope=0 label=eth7"), "%s", out->out);
}

/* Two of one template: each gets the addresses that were its own. */
static void templates(struct t *t) {
    own_world();
    need_device("ocitest1");
    CHECK_INT(add_address("ocitest1", "10.61.0.7", 24, 0, 0, 0), 0);
    struct outcome *out = moved(t, "\"ocitest0\":{\"name\":\"eth%d\"},\"ocitest1\":{\"name\":\"eth%d\"}");
    CHECK(out->code == 0, "%s", out->err);
    up_inside(out, "eth0");
    up_inside(out, "eth1");
    all_addresses(out, "eth0");
    EXPECT(has_address(out, "eth1 10.61.0.7/24"), "%s", out->out);
    EXPECT(!has_address(out, "eth0 10.61"), "%s", out->out);
}

/* The device is where and as it was. */
void net_device_kept(const char *why) {
    char *route = file_read("/proc/net/fib_trie", NULL);
    EXPECT(if_nametoindex("ocitest0"), "%s: it is gone", why);
    EXPECT(is_up("ocitest0"), "%s: it is down", why);
    EXPECT(route && strstr(route, "10.51.0.7") && strstr(route, "10.51.0.8"), "%s: its addresses are gone", why);
    char *six = file_read("/proc/net/if_inet6", NULL);
    EXPECT(!has_six() || (six && strstr(six, "fd000051000000000000000000000007")), "%s: %s", why, six);
}

static void is_refused(struct t *t, const char *devices, const char *pointer, const char *word) {
    struct outcome *out = moved(t, devices);
    EXPECT(out->code == 125 && strstr(out->err, pointer) && strstr(out->err, word) && good_text(out->err), "%s: %d %s", devices, out->code, out->err);
    net_device_kept(devices);
}

static void refusals(struct t *t) {
    own_world();
    is_refused(t, "\"nosuch0\":{}", "/linux/netDevices/nosuch0", "no such device");
    is_refused(t, "\"ocitest0\":{\"name\":\"lo\"}", "/linux/netDevices/ocitest0", "a device of this name");
    is_refused(t, "\"lo\":{\"name\":\"lo7\"}", "/linux/netDevices/lo", "cannot leave");
    is_refused(t, "\"ocitest0\":{\"name\":\"a/b\"}", "/linux/netDevices/ocitest0", "not a name");
    is_refused(t, "\"ocitest0\":{\"name\":\"a b\"}", "/linux/netDevices/ocitest0", "not a name");
    is_refused(t, "\"ocitest0\":{\"name\":\"..\"}", "/linux/netDevices/ocitest0", "not a name");
    is_refused(t, "\"ocitest0\":{\"name\":\"sixteen-letters-\"}", "/linux/netDevices/ocitest0", "not a name");
    is_refused(t, "\"ocitest0\":{\"name\":\"a%s\"}", "/linux/netDevices/ocitest0", "not a name");
    is_refused(t, "\"ocitest0\":{\"name\":\"a%d%d\"}", "/linux/netDevices/ocitest0", "not a name");
    need_device("ocitest1");
    is_refused(t, "\"ocitest0\":{\"name\":\"x\"},\"ocitest1\":{\"name\":\"x\"}", "/linux/netDevices/ocitest1", "a device of this name");
    /* the first has moved when the second fails */
    is_refused(t, "\"ocitest0\":{\"name\":\"eth0\"},\"nosuch0\":{}", "/linux/netDevices/nosuch0", "no such device");
    refused(t, &(struct config){.linux_ = "\"netDevices\":{\"ocitest0\":{}}"}, 125, "needs a network namespace");
    net_device_kept("no namespace");
    refused(t, &(struct config){.namespaces = print("[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"/proc/%d/ns/net\"}]", (int)getpid()),
                                .linux_ = "\"netDevices\":{\"ocitest0\":{\"name\":\"eth0\"}}"}, 125, "caller's own");
    net_device_kept("our own namespace");
}

/* Whatever fails later: init's work, a hook, the program. */
static void comes_back(struct t *t) {
    own_world();
    const char *devices = "\"netDevices\":{\"ocitest0\":{\"name\":\"eth%d\"}}";
    struct config cases[] = {{.process = "\"cwd\":\"/payload/none\""},
                             {.args = "[\"/nosuch\"]"},
                             {.top = "\"hooks\":{\"createRuntime\":[{\"path\":\"/bin/false\"}]}"},
                             {.mounts = "{\"destination\":\"/x\",\"type\":\"nosuchfs\",\"source\":\"x\"}"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cases[i].namespaces = i == 1 ? "pid mount ipc uts network user" : NAMES, cases[i].linux_ = devices;
        if (i == 1) cases[i].linux_ = print("%s,\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":65536}],\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":65536}]", devices);
        struct outcome *out = ran(t, &cases[i]);
        EXPECT(out->code > 0, "%zu: %s", i, out->out);
        net_device_kept(print("case %zu: %s", i, out->err));
    }
}

/* An existing namespace, with a device in it already: the number is the next one. */
static void prepare_joined(void) {
    if (make_device("eth0", "dummy") && make_device("eth0", "ifb")) make_device("eth0", "veth");
}
static void joins(struct t *t) {
    own_world();
    pid_t pid = holder(CLONE_NEWNET, prepare_joined);
    const char *namespaces = print("[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"%s\"}]", ns_path(pid, "net"));
    struct outcome *out = ran(t, &(struct config){.namespaces = namespaces, .linux_ = "\"netDevices\":{\"ocitest0\":{\"name\":\"eth0\"}}"});
    EXPECT(out->code == 125 && strstr(out->err, "a device of this name"), "%d %s", out->code, out->err);
    net_device_kept("taken");
    out = ran(t, &(struct config){.namespaces = namespaces, .linux_ = "\"netDevices\":{\"ocitest0\":{\"name\":\"eth%d\"}}"});
    CHECK(out->code == 0, "%s", out->err);
    const char *name = flags_of(out, "eth2") ? "eth2" : "eth1"; /* a veth has taken two */
    up_inside(out, name);
    all_addresses(out, name);
    holders_end();
}

static void ordinary(struct t *t) {
    struct bundle b;
    struct outcome out;
    need_ocirt();
    need_userns();
    if (!geteuid()) SKIP("user", "for an ordinary user");
    root_make(t, &b);
    bundle_config(&b, &(struct config){.namespaces = NAMES " user", .linux_ = "\"netDevices\":{\"lo\":{\"name\":\"lo7\"}}"});
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    CHECK(out.code == 125 && strstr(out.err, "/linux/netDevices/lo") && strstr(out.err, "CAP_NET_ADMIN"), "%d %s", out.code, out.err);
}

const struct test run_net_tests[] = {
    {"net.moves", moves, 0, 0},         {"net.renames", renames, 0, 0},       {"net.templates", templates, 0, 0}, {"net.refusals", refusals, 0, 60},
    {"net.comes_back", comes_back, 0, 0}, {"net.joins", joins, 0, 0}, {"net.ordinary", ordinary, 0, 0},   {0},
};
