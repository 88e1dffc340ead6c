/* util.c: text, files, time. */
#include "test.h"
#include <dirent.h>
#include <sys/statfs.h>
#include <time.h>

/* ---- memory ---- */

/* Tests do not free. What they forget stays reachable from here, so that valgrind and sanitizers
 * only speak about the code under test. Freeing one of these after all is fine. */
void *remember(void *block) {
    static void **blocks;
    static size_t n, room;
    if (n == room) {
        room = room * 2 + 64;
        blocks = realloc(blocks, room * sizeof *blocks);
        if (!blocks) abort();
    }
    return blocks[n++] = block;
}

/* ---- text ---- */

static void text_reserve(struct text *text, size_t more) {
    if (text->n + more + 1 <= text->room) return;
    size_t room = (text->n + more + 1) * 2 + 64;
    text->at = remember(realloc(text->at, room));
    if (!text->at) abort();
    text->room = room;
}

void text_add_bytes(struct text *text, const char *bytes, size_t n) {
    text_reserve(text, n);
    if (n) memcpy(text->at + text->n, bytes, n);
    text->n += n;
    text->at[text->n] = 0;
}

static void text_add_list(struct text *text, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n < 0) abort();
    text_reserve(text, (size_t)n);
    vsnprintf(text->at + text->n, (size_t)n + 1, format, again);
    text->n += (size_t)n;
    va_end(again);
}

void text_add(struct text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_add_list(text, format, args);
    va_end(args);
}

void text_add_escaped(struct text *text, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\n')
            text_add(text, "\\n");
        else if (c == '\\')
            text_add(text, "\\\\");
        else if (c < 32 || c == 127)
            text_add(text, "\\x%02x", c);
        else
            text_add_bytes(text, bytes + i, 1);
    }
}

void text_add_json(struct text *text, const char *string) {
    text_add(text, "\"");
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        if (c == '"' || c == '\\')
            text_add(text, "\\%c", c);
        else if (c < 32)
            text_add(text, "\\u%04x", c);
        else
            text_add_bytes(text, string, 1);
    }
    text_add(text, "\"");
}

void text_free(struct text *text) {
    free(text->at);
    *text = (struct text){0};
}

char *print(const char *format, ...) {
    struct text text = {0};
    va_list args;
    va_start(args, format);
    text_add_list(&text, format, args);
    va_end(args);
    return text.at;
}

bool word_in_list(const char *word, const char *list) {
    size_t n = strlen(word);
    while (list && *list) {
        size_t length = strcspn(list, ",");
        if (length == n && !memcmp(list, word, n)) return true;
        list += length + (list[length] == ',');
    }
    return false;
}

/* ---- files ---- */

/* Reads by growing: files of /proc have no size. */
char *fd_read_all(int fd, size_t *out_n) {
    struct text text = {0};
    char buffer[16384];
    lseek(fd, 0, SEEK_SET);
    text_add_bytes(&text, "", 0);
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            text_free(&text);
            return NULL;
        }
        if (n == 0) break;
        text_add_bytes(&text, buffer, (size_t)n);
    }
    if (out_n) *out_n = text.n;
    return text.at;
}

char *file_read(const char *path, size_t *out_n) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    char *text = fd_read_all(fd, out_n);
    int error = errno;
    close(fd);
    errno = error;
    return text;
}

static bool write_all(int fd, const char *bytes, size_t n) {
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

void file_write(const char *path, const char *format, ...) {
    struct text text = {0};
    va_list args;
    va_start(args, format);
    text_add_list(&text, format, args);
    va_end(args);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    CHECK(write_all(fd, text.at, text.n), "%s: %s", path, strerror(errno));
    close(fd);
    text_free(&text);
}

bool file_put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return n == (ssize_t)strlen(text);
}

void make_dirs(const char *path, mode_t mode) {
    char part[512];
    CHECK(strlen(path) < sizeof part, "%s: too long", path);
    strcpy(part, path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(part, mode);
        *slash = '/';
    }
    CHECK(!mkdir(part, mode) || errno == EEXIST, "%s: %s", part, strerror(errno));
}

static bool remove_below(int dir_fd, dev_t device);

static bool remove_entry(int dir_fd, const char *name, dev_t device) {
    if (!unlinkat(dir_fd, name, 0) || errno == ENOENT) return true;
    if (errno != EISDIR && errno != EPERM) return false;
    fchmodat(dir_fd, name, 0700, 0);
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = remove_below(fd, device);
    close(fd);
    return !unlinkat(dir_fd, name, AT_REMOVEDIR) && good;
}

static bool remove_below(int dir_fd, dev_t device) {
    struct stat info;
    if (fstat(dir_fd, &info) || info.st_dev != device) return false;
    int copy = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) return false;
    bool good = true;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            good = remove_entry(dir_fd, entry->d_name, device) && good;
    closedir(dir);
    return good;
}

bool remove_tree(const char *path) {
    struct stat info;
    if (lstat(path, &info)) return errno == ENOENT;
    return remove_entry(AT_FDCWD, path, info.st_dev);
}

bool copy_file(const char *from, const char *to, mode_t mode) {
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    static char buffer[1 << 16];
    ssize_t n = -1;
    bool good = in >= 0 && out >= 0;
    while (good && (n = read(in, buffer, sizeof buffer)) > 0)
        good = write_all(out, buffer, (size_t)n);
    good = good && n == 0 && !fchmod(out, mode);
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    return good;
}

/* ---- time ---- */

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double time_scale(void) {
    const char *text = getenv("OCIRT_TIME");
    double scale = text ? strtod(text, NULL) : 1;
    return scale < 1 ? 1 : scale;
}

void nap(double seconds) {
    struct timespec time = {.tv_sec = (time_t)seconds};
    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    while (nanosleep(&time, &time) && errno == EINTR) {
    }
}

/* ---- cgroups ---- */

#define CGROUP2_MAGIC 0x63677270L

static bool is_cgroup2(const char *path) {
    struct statfs info;
    return !statfs(path, &info) && (long)info.f_type == CGROUP2_MAGIC;
}

const char *cgroup_mount(void) {
    if (is_cgroup2("/sys/fs/cgroup")) return "/sys/fs/cgroup";
    if (is_cgroup2("/sys/fs/cgroup/unified")) return "/sys/fs/cgroup/unified";
    return NULL;
}

char *cgroup_own(void) {
    char *text = file_read("/proc/self/cgroup", NULL);
    char *line = text ? strstr(text, "0::/") : NULL;
    if (!line) return NULL;
    line += 3;
    line[strcspn(line, "\n")] = 0;
    return line;
}

const char *errno_name(int error) {
    static const struct {
        int error;
        const char *name;
    } names[] = {
#define NAME(e) {e, #e}
        NAME(EPERM),        NAME(ENOENT),      NAME(ESRCH),        NAME(EINTR),
        NAME(EIO),          NAME(ENXIO),       NAME(E2BIG),        NAME(ENOEXEC),
        NAME(EBADF),        NAME(ECHILD),      NAME(EAGAIN),       NAME(ENOMEM),
        NAME(EACCES),       NAME(EFAULT),      NAME(EBUSY),        NAME(EEXIST),
        NAME(EXDEV),        NAME(ENODEV),      NAME(ENOTDIR),      NAME(EISDIR),
        NAME(EINVAL),       NAME(ENFILE),      NAME(EMFILE),       NAME(ENOTTY),
        NAME(ETXTBSY),      NAME(EFBIG),       NAME(ENOSPC),       NAME(ESPIPE),
        NAME(EROFS),        NAME(EMLINK),      NAME(EPIPE),        NAME(EDOM),
        NAME(ERANGE),       NAME(EDEADLK),     NAME(ENAMETOOLONG), NAME(ENOSYS),
        NAME(ENOTEMPTY),    NAME(ELOOP),       NAME(ENODATA),      NAME(ETIME),
        NAME(EOVERFLOW),    NAME(EUSERS),      NAME(ENOTSOCK),     NAME(EOPNOTSUPP),
        NAME(EADDRINUSE),   NAME(ENETUNREACH), NAME(ECONNRESET),   NAME(ETIMEDOUT),
        NAME(ECONNREFUSED), NAME(EALREADY),    NAME(ESTALE),       NAME(EDQUOT),
        NAME(ENOKEY),       NAME(EKEYREVOKED), NAME(EAFNOSUPPORT), NAME(EPROTONOSUPPORT),
#undef NAME
    };
    static char other[16];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error) return names[i].name;
    snprintf(other, sizeof other, "E%d", error);
    return other;
}
