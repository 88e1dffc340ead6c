/* ===========================================================================================
   >>network   linux.netDevices: a device of the host's moves into the container's network namespace
   and keeps its permanent global addresses (rtnetlink(7), 4.16 for the index it gets there). All is
   done by the host, so that what it read before can take the device back: a socket stays in the
   namespace it was opened in, so a child in the host's memory and table of descriptors enters the
   container's and opens one there; no thread of the caller ever changes its namespaces, and the
   socket keeps the namespace, with its devices, alive until they are back.
   Routes and sysctls of a device are not kept, neither there nor when it comes back.
   =========================================================================================== */

struct ocirt__network_device { /* what takes one back */
    struct ocirt__network_device *next;
    ocirt__buffer addresses;      /* requests that set them, one behind the other */
    char          name[16];
    int32_t       outside, inside; /* its indices; inside 0: it has not moved */
    uint32_t      flags;
    bool          torn;            /* the list of addresses changed while it was read */
};

struct ocirt__network {
    ocirt_arena *arena;
    int          outside, inside; /* sockets, -1: none yet */
    struct ocirt__network_device *moved;
};

enum {
    OCIRT__NETWORK_ERROR = 2, OCIRT__NETWORK_DONE = 3, OCIRT__NETWORK_NEW_LINK = 16, OCIRT__NETWORK_DELETE_LINK = 17, OCIRT__NETWORK_GET_LINK = 18,
    OCIRT__NETWORK_SET_LINK = 19, OCIRT__NETWORK_NEW_ADDRESS = 20, OCIRT__NETWORK_GET_ADDRESS = 22
};
#define OCIRT__NETWORK_REQUEST 0x001u
#define OCIRT__NETWORK_TORN    0x010u
#define OCIRT__NETWORK_ASK     0x005u /* request, acknowledge */
#define OCIRT__NETWORK_LIST    0x301u /* request, dump        */
#define OCIRT__NETWORK_MAKE    0x605u /* request, acknowledge, create, exclusively */
#define OCIRT__NETWORK_UP      1u

struct ocirt__network_head {
    uint32_t size;
    uint16_t type, flags;
    uint32_t sequence, port;
};
struct ocirt__network_attribute {
    uint16_t size, type;
};
struct ocirt__network_link {
    struct ocirt__network_head head;
    uint8_t  family, pad;
    uint16_t type;
    int32_t  index;
    uint32_t flags, change;
    union {
        struct ocirt__network_attribute first;
        char                            room[40];
    } more;
};
struct ocirt__network_address {
    struct ocirt__network_head head;
    uint8_t family, prefix, flags, scope;
    int32_t index;
};
struct ocirt__network_peer {
    uint16_t family, pad;
    uint32_t port, groups;
};

static int ocirt__network_socket(uint32_t groups) {
    struct ocirt__network_peer name = {.family = 16 /* AF_NETLINK */, .groups = groups};
    int fd = (int)OCIRT__SYS3(SYS_socket, 16, SOCK_RAW | SOCK_CLOEXEC, 0), r = fd < 0 ? fd : (int)OCIRT__SYS3(SYS_bind, fd, &name, sizeof name);
    if (r < 0) ocirt__sys_close(&fd);
    return r < 0 ? r : fd;
}

struct ocirt__network_entry {
    int pidfd, socket;
};

static int ocirt__network_enter(void *argument) {
    struct ocirt__network_entry *e = argument;
    e->socket = (int)OCIRT__SYS2(SYS_setns, e->pidfd, OCIRT__CLONE_NEWNET); /* pidfd: 5.8 */
    if (e->socket >= 0) e->socket = ocirt__network_socket(0);
    OCIRT__SYS1(SYS_exit, 0);
    return 0;
}

/* A socket in the network namespace of a process. */
static int ocirt__network_socket_of(int process, void *stack, size_t size) {
    struct ocirt__network_entry entry = {process, -ESRCH};
    uint64_t  all[2] = {~0ull, ~0ull}, old[2];
    siginfo_t end;
    bool      outside;
    int       pidfd = -1, pid;
    OCIRT__SYS4(SYS_rt_sigprocmask, SIG_SETMASK, all, old, 8);
    pid = ocirt__process_clone_shared(0x400 /* CLONE_FILES */, -1, ocirt__network_enter, &entry, stack, size, &pidfd, &outside);
    OCIRT__SYS4(SYS_rt_sigprocmask, SIG_SETMASK, old, NULL, 8);
    if (pid < 0) return pid;
    ocirt__sys_reap(pidfd, &end);
    ocirt__sys_close(&pidfd);
    return entry.socket;
}

/* ----- what the kernel tells ----- */

static const struct ocirt__network_attribute *ocirt__network_find(const struct ocirt__network_head *head, size_t at, unsigned type) {
    while (at + sizeof(struct ocirt__network_attribute) <= head->size) {
        const struct ocirt__network_attribute *a = (const void *)((const char *)head + at);
        if (a->size < sizeof *a || at + a->size > head->size) return NULL;
        if ((a->type & 0x3fff) == type) return a;
        at += (a->size + 3u) & ~3u;
    }
    return NULL;
}

static void ocirt__network_take_link(struct ocirt__network_device *d, const struct ocirt__network_link *m) {
    size_t at = offsetof(struct ocirt__network_link, more);
    const struct ocirt__network_attribute *name = ocirt__network_find(&m->head, at, 3), *index = ocirt__network_find(&m->head, at, 49 /* IFLA_NEW_IFINDEX */);
    if (m->head.type == OCIRT__NETWORK_DELETE_LINK) {
        if (m->index == d->outside && index && index->size >= 8) memcpy(&d->inside, index + 1, 4);
        return;
    }
    if (d->outside) return; /* somebody else's news */
    d->outside = m->index, d->flags = m->flags;
    if (name && name->size > 4 && name->size <= 4 + sizeof d->name) memcpy(d->name, name + 1, name->size - 4u);
}

/* Kept as the request that sets it: with all the kernel told, but for what it found out itself (tentative,
   secondary, ...) and a label that is the old name. */
static void ocirt__network_take_address(struct ocirt__network_device *d, const struct ocirt__network_address *m) {
    struct ocirt__network_address to = *m;
    const struct ocirt__network_attribute *a = ocirt__network_find(&m->head, sizeof *m, 8 /* IFA_FLAGS */);
    uint32_t flags = m->flags;
    size_t   start = d->addresses.size;
    if (a && a->size >= 8) memcpy(&flags, a + 1, 4);
    if (m->index != d->outside || m->scope != 0 || !(flags & 0x80) /* IFA_F_PERMANENT */) return;
    flags &= 0x782; /* NODAD, PERMANENT, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN */
    to.flags = (uint8_t)flags;
    ocirt__buffer_put(&d->addresses, &to, sizeof to);
    for (size_t at = sizeof *m; at + sizeof *a <= m->head.size; at += (a->size + 3u) & ~3u) {
        a = (const void *)((const char *)m + at);
        if (a->size < sizeof *a || at + a->size > m->head.size) break;
        if (a->type == 3 && strncmp((const char *)(a + 1), d->name, a->size - 4u) == 0) continue;
        ocirt__buffer_put(&d->addresses, a, sizeof *a);
        if (a->type == 8) ocirt__buffer_put(&d->addresses, &flags, 4);
        else ocirt__buffer_put(&d->addresses, a + 1, ((a->size + 3u) & ~3u) - 4u);
    }
    if (d->addresses.failed) return;
    to.head = (struct ocirt__network_head){.size = (uint32_t)(d->addresses.size - start), .type = OCIRT__NETWORK_NEW_ADDRESS, .flags = OCIRT__NETWORK_MAKE};
    memcpy(d->addresses.data + start, &to, sizeof to);
}

/* Only the kernel is listened to: who administers the namespace could write to our socket. */
static long ocirt__network_receive(int fd, void *room, size_t size) {
    struct ocirt__network_peer from;
    struct iovec  space   = {.iov_base = room, .iov_len = size};
    struct msghdr message = {.msg_name = &from, .msg_iov = &space, .msg_iovlen = 1};
    for (;;) {
        message.msg_namelen = sizeof from;
        long n = OCIRT__SYS3(SYS_recvmsg, fd, &message, MSG_TRUNC);
        if (n == -EINTR || (n >= 0 && from.port != 0)) continue;
        return n > (long)size ? -EMSGSIZE : n;
    }
}

/* Sends one request; what is told until its answer goes to `d`. */
static int ocirt__network_ask(int fd, const void *request, struct ocirt__network_device *d) {
    union {
        struct ocirt__network_head first;
        char                       room[8192]; /* the kernel fills no more than is asked for at a time */
    } answer;
    long n = OCIRT__SYS5(SYS_sendto, fd, request, ((const struct ocirt__network_head *)request)->size, 0, NULL);
    while (n >= 0 && (n = ocirt__network_receive(fd, &answer, sizeof answer)) >= 0)
        for (size_t at = 0; at + sizeof answer.first <= (size_t)n;) {
            const struct ocirt__network_head *m = (const void *)(answer.room + at);
            int error = 0;
            if (m->size < sizeof *m || at + m->size > (size_t)n) return -EPROTO;
            if ((m->type == OCIRT__NETWORK_ERROR || m->type == OCIRT__NETWORK_DONE) && m->size >= sizeof *m + 4) return memcpy(&error, m + 1, 4), error;
            if (m->flags & OCIRT__NETWORK_TORN) d->torn = true;
            if ((m->type == OCIRT__NETWORK_NEW_LINK || m->type == OCIRT__NETWORK_DELETE_LINK) && m->size >= offsetof(struct ocirt__network_link, more)) ocirt__network_take_link(d, (const void *)m);
            if (m->type == OCIRT__NETWORK_NEW_ADDRESS && m->size >= sizeof(struct ocirt__network_address)) ocirt__network_take_address(d, (const void *)m);
            at += (m->size + 3u) & ~3u;
        }
    return (int)n;
}

/* ----- requests ----- */

static void ocirt__network_add(struct ocirt__network_link *m, unsigned type, const void *data, size_t size) {
    struct ocirt__network_attribute a = {(uint16_t)(sizeof a + size), (uint16_t)type};
    memcpy((char *)m + m->head.size, &a, sizeof a);
    memcpy((char *)m + m->head.size + sizeof a, data, size);
    m->head.size += (uint32_t)((a.size + 3u) & ~3u);
}

static struct ocirt__network_link ocirt__network_request(unsigned type, int32_t index, const char *name) {
    struct ocirt__network_link m;
    memset(&m, 0, sizeof m);
    m.head.size = offsetof(struct ocirt__network_link, more), m.head.type = (uint16_t)type, m.head.flags = OCIRT__NETWORK_ASK, m.index = index;
    if (name) ocirt__network_add(&m, 3 /* IFLA_IFNAME */, name, strlen(name) + 1);
    return m;
}

/* Reads index, name, flags of the device of this name. */
static int ocirt__network_look(int fd, const char *name, struct ocirt__network_device *d) {
    struct ocirt__network_link m = ocirt__network_request(OCIRT__NETWORK_GET_LINK, 0, name);
    return ocirt__network_ask(fd, &m, d);
}

static int ocirt__network_read_addresses(int fd, struct ocirt__network_device *d) {
    struct ocirt__network_address m = {.head = {.size = sizeof m, .type = OCIRT__NETWORK_GET_ADDRESS, .flags = OCIRT__NETWORK_LIST}};
    int r = 0;
    for (int tries = 0; r == 0 && tries < 10 && (tries == 0 || d->torn); tries++) {
        d->torn = false, d->addresses.size = 0;
        r = ocirt__network_ask(fd, &m, d);
    }
    if (r == 0) r = d->torn ? -EAGAIN : d->addresses.failed ? -ENOMEM : 0;
    return r;
}

/* To the network namespace of a process (or thread). The kernel takes the device down and moves it, and renames
   it then: when the name is refused, it has moved all the same. */
static int ocirt__network_send(int fd, int32_t index, int pid, const char *name, struct ocirt__network_device *d) {
    struct ocirt__network_link m = ocirt__network_request(OCIRT__NETWORK_SET_LINK, index, name);
    uint32_t to = (uint32_t)pid;
    ocirt__network_add(&m, 19 /* IFLA_NET_NS_PID */, &to, sizeof to);
    return ocirt__network_ask(fd, &m, d);
}

/* Addresses first: a device that is up could be used before it has them. */
static int ocirt__network_dress(int fd, struct ocirt__network_device *d, int32_t index, bool up) {
    struct ocirt__network_link m = ocirt__network_request(OCIRT__NETWORK_SET_LINK, index, NULL);
    struct ocirt__network_device none = {.outside = -1};
    int r = 0;
    for (size_t at = 0; r == 0 && at < d->addresses.size;) {
        struct ocirt__network_address *a = (void *)(d->addresses.data + at);
        a->index = index;
        r = ocirt__network_ask(fd, a, &none);
        at += a->head.size;
    }
    m.flags = m.change = OCIRT__NETWORK_UP;
    return r == 0 && up ? ocirt__network_ask(fd, &m, &none) : r;
}

/* The device `key` of the caller's namespace moves to that of process `pid`, in which `inside` is, as `name`
   (NULL: as it is called; with %d the kernel picks a number). *out_detail: what is wrong, if it is known. */
static int ocirt__network_move(struct ocirt__network *n, int pid, const char *key, const char *name, const char **out_detail) {
    struct ocirt__network_device *d = ocirt__mem_alloc(n->arena, sizeof *d), taken = {.inside = 0};
    int news, r;
    *out_detail = "";
    if (!d) return -ENOMEM;
    d->addresses.arena = n->arena;
    if ((r = ocirt__network_look(n->outside, key, d)) < 0) return *out_detail = "there is no such device", r;
    r = strchr(name ? name : "", '%') ? -ENODEV : ocirt__network_look(n->inside, name ? name : d->name, &taken);
    if (r == 0) return *out_detail = "the container has a device of this name", -EEXIST;
    r = r == -ENODEV ? ocirt__network_read_addresses(n->outside, d) : r;
    if (r < 0) return r;
    if ((news = r = ocirt__network_socket(1 /* RTMGRP_LINK */)) < 0) return r; /* its own, so that no answer above is taken for news */
    d->next = n->moved, n->moved = d;
    r = ocirt__network_send(news, d->outside, pid, name, d);
    ocirt__sys_close(&news);
    if (r == -EINVAL && !d->inside) *out_detail = "a device of this kind cannot leave its network namespace";
    if (r == -EPERM) *out_detail = "moving a device takes CAP_NET_ADMIN where it is";
    if (r == 0 && !d->inside) r = -EPROTO;
    return r < 0 ? r : ocirt__network_dress(n->inside, d, d->inside, true);
}

/* All that have moved come back, as they were. The first failure is returned, the rest is tried. */
static int ocirt__network_undo(struct ocirt__network *n) {
    int first = 0, thread = (int)OCIRT__SYS0(SYS_gettid);
    for (struct ocirt__network_device *d = n->moved; d; d = d->next) {
        struct ocirt__network_device back = {.inside = 0}, none = {.outside = -1};
        int r = d->inside ? ocirt__network_send(n->inside, d->inside, thread, d->name, &none) : 0;
        if (r == 0 && d->inside) r = ocirt__network_look(n->outside, d->name, &back);
        if (r == 0 && d->inside) r = ocirt__network_dress(n->outside, d, back.outside, d->flags & OCIRT__NETWORK_UP);
        if (first == 0) first = r;
    }
    n->moved = NULL;
    return first;
}

