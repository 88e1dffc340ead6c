/* trip.c: TRIP, see test.h. Watching is by inotify, which sees an inode however it is reached. */
#include "test.h"
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static const char *const entries[] = {"",     "secret", "sub",  "sub/file",
                                      "fifo", "socket", "link", "node"};
enum { ENTRIES = sizeof entries / sizeof *entries };

static unsigned long long hash_file(const char *path) {
    size_t n = 0;
    char *text = file_read(path, &n);
    unsigned long long hash = 1469598103934665603ull;
    for (size_t i = 0; text && i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211ull;
    free(text);
    return hash;
}

static void describe(const struct trip *trip, struct text *out) {
    for (size_t i = 0; i < ENTRIES; i++) {
        struct stat info;
        char *path = print("%s/%s", trip->path, entries[i]);
        if (lstat(path, &info))
            text_add(out, "%s: %s\n", entries[i], errno_name(errno));
        else
            text_add(out,
                     "%s: mode %o owner %u:%u device %u:%u links %u size %lld mtime %lld ctime "
                     "%lld.%ld hash %llx\n",
                     entries[i], info.st_mode, info.st_uid, info.st_gid, major(info.st_rdev),
                     minor(info.st_rdev), (unsigned)info.st_nlink, (long long)info.st_size,
                     (long long)info.st_mtime, (long long)info.st_ctim.tv_sec, info.st_ctim.tv_nsec,
                     S_ISREG(info.st_mode) ? hash_file(path) : 0ull);
        free(path);
    }
}

static void make_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address), "%s: %s", path,
          strerror(errno));
    close(fd);
}

static void watch(struct trip *trip) {
    const uint32_t events = IN_ALL_EVENTS | IN_DONT_FOLLOW;
    trip->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    CHECK(trip->watch_fd >= 0, "inotify: %s", strerror(errno));
    for (size_t i = 0; i < ENTRIES; i++) {
        char *path = print("%s/%s", trip->path, entries[i]);
        CHECK(inotify_add_watch(trip->watch_fd, path, events) >= 0 || errno == ENOENT, "%s: %s",
              path, strerror(errno));
        free(path);
    }
}

void trip_make(struct t *t, struct trip *trip, const char *name) {
    const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    *trip = (struct trip){0};
    snprintf(trip->path, sizeof trip->path, "%s/%s", t->dir, name);
    make_dirs(print("%s/sub", trip->path), 0755);
    file_write(print("%s/secret", trip->path), "root:%s:a secret of the host\n", t->tag);
    file_write(print("%s/sub/file", trip->path), "a file of the host\n");
    CHECK_SYS(chmod(print("%s/secret", trip->path), 0600));
    CHECK_SYS(mkfifo(print("%s/fifo", trip->path), 0600));
    CHECK_SYS(symlink("secret", print("%s/link", trip->path)));
    make_socket(print("%s/socket", trip->path));
    (void)!mknod(print("%s/node", trip->path), S_IFCHR | 0600, makedev(1, 3)); /* users may not */
    for (size_t i = 1; i < ENTRIES; i++)
        utimensat(AT_FDCWD, print("%s/%s", trip->path, entries[i]), old, AT_SYMLINK_NOFOLLOW);
    describe(trip, &trip->before);
    watch(trip);
}

static void add_event(const struct inotify_event *event, struct text *out) {
    static const struct {
        uint32_t bit;
        const char *name;
    } bits[] = {{IN_ACCESS, "read"},
                {IN_MODIFY, "modified"},
                {IN_ATTRIB, "attributes"},
                {IN_CLOSE_WRITE, "closed after writing"},
                {IN_CLOSE_NOWRITE, "closed"},
                {IN_OPEN, "opened"},
                {IN_MOVED_FROM, "moved away"},
                {IN_MOVED_TO, "moved here"},
                {IN_CREATE, "created"},
                {IN_DELETE, "deleted"},
                {IN_DELETE_SELF, "deleted itself"},
                {IN_MOVE_SELF, "moved itself"},
                {IN_UNMOUNT, "unmounted"}};
    text_add(out, "event on watch %d %s:", event->wd, event->len ? event->name : "");
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (event->mask & bits[i].bit) text_add(out, " %s", bits[i].name);
    text_add(out, "\n");
}

static bool read_events(struct trip *trip, struct text *out) {
    _Alignas(struct inotify_event) char buffer[8192];
    bool none = true;
    for (ssize_t n; (n = read(trip->watch_fd, buffer, sizeof buffer)) > 0; none = false)
        for (char *at = buffer; out && at < buffer + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)at;
            add_event(event, out);
            at += sizeof *event + event->len;
        }
    return none;
}

bool trip_check(struct trip *trip, struct text *out) {
    struct text after = {0};
    bool untouched = read_events(trip, out);
    describe(trip, &after);
    read_events(trip, NULL); /* those that describing made */
    if (strcmp(trip->before.at, after.at)) {
        text_add(out, "before:\n%safter:\n%s", trip->before.at, after.at);
        untouched = false;
    }
    text_free(&after);
    text_add(out, "%s", "");
    return untouched;
}
