/* run.c: running a command with its output caught.
 *
 * Output goes to memory files, not pipes: a container that outlives the command keeps its output,
 * so the end of a pipe would never come, and a memory file can be read again later.
 */
#include "test.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

extern char **environ;

/* By its name: what is started through /proc/self/exe runs from a mount of the runner's namespace,
 * not of the test's, and cannot even clone the mount that it came from. */
const char *test_exe(void) {
    static char path[4096];
    const char *named = getenv("OCIRT_TEST_EXE"); /* valgrind, for one, is /proc/self/exe itself */
    if (named) return named;
    if (*path) return path;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    if (n <= 0 || access(path, X_OK)) strcpy(path, "/proc/self/exe");
    return path;
}

static int input_fd(const struct command *command) {
    if (!command->input) return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("input", MFD_CLOEXEC);
    CHECK_SYS(fd);
    size_t n = strlen(command->input);
    CHECK_INT(write(fd, command->input, n), n);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* In the child. dup2 clears close-on-exec; the descriptors given are all above 2. */
TEST_NORETURN static void become(const struct command *command, int in, int out, int err) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    if (command->cwd && chdir(command->cwd)) _exit(124);
    if (command->child) command->child(command->user);
    char *const *env = command->env ? (char *const *)(uintptr_t)command->env : environ;
    execve(command->exe ? command->exe : test_exe(), (char *const *)(uintptr_t)command->argv, env);
    dprintf(2, "exec: %s\n", strerror(errno));
    _exit(124);
}

static int above_stdio(int fd) {
    if (fd > 2 || fd < 0) return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return high;
}

pid_t command_start(const struct command *command, struct outcome *out) {
    *out = (struct outcome){.code = -1};
    out->out_fd =
        command->out_fd > 0 ? command->out_fd : above_stdio(memfd_create("stdout", MFD_CLOEXEC));
    out->err_fd =
        command->err_fd > 0 ? command->err_fd : above_stdio(memfd_create("stderr", MFD_CLOEXEC));
    int in = above_stdio(input_fd(command));
    CHECK(out->out_fd > 2 && out->err_fd > 2 && in > 2, "descriptors: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) become(command, in, out->out_fd, out->err_fd);
    close(in);
    return pid;
}

/* Reads without moving the offset, which the command may still write at. */
static char *read_captured(int fd, size_t *out_n) {
    struct text text = {0};
    char buffer[16384];
    text_add_bytes(&text, "", 0);
    for (ssize_t n; (n = pread(fd, buffer, sizeof buffer, (off_t)text.n)) > 0;)
        text_add_bytes(&text, buffer, (size_t)n);
    *out_n = text.n;
    return text.at;
}

void outcome_refresh(struct outcome *out) {
    free(out->out);
    free(out->err);
    out->out = read_captured(out->out_fd, &out->out_n);
    out->err = read_captured(out->err_fd, &out->err_n);
}

void outcome_free(struct outcome *out) {
    free(out->out);
    free(out->err);
    if (out->out_fd > 2) close(out->out_fd);
    if (out->err_fd > 2) close(out->err_fd);
    *out = (struct outcome){.code = -1};
}

static int code_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void command_wait(pid_t pid, double seconds, struct outcome *out) {
    double start = now();
    if (!wait_until(pid, (seconds > 0 ? seconds : 10) * time_scale(), &out->status)) {
        out->timed_out = true;
        kill(pid, SIGKILL);
        waitpid(pid, &out->status, 0);
    }
    out->seconds = now() - start;
    out->code = code_of(out->status);
    outcome_refresh(out);
}

void command_run(const struct command *command, struct outcome *out) {
    pid_t pid = command_start(command, out);
    command_wait(pid, command->seconds, out);
}
