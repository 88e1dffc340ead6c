/* runs.h: what the files run_*.c share: running one container and asking what its payload said. */
#ifndef RUNS_H
#define RUNS_H
#include "test.h"
#include <termios.h>

/* Every run uses the bundle dir/bundle, so its rootfs can be prepared before: bundle_make again
 * leaves what is there. */
#define BUNDLE "bundle"
void root_make(struct t *t, struct bundle *b);
/* A file below the rootfs, with its folders. */
void root_file(struct bundle *b, const char *name, const char *text);
void root_dir(struct bundle *b, const char *name);
void root_link(struct bundle *b, const char *target, const char *name);

/* `run` of this config. The code is not looked at / must be 0. */
struct outcome *ran(struct t *t, const struct config *config);
struct outcome *ran_well(struct t *t, const struct config *config);
/* `run` of a config.json given as text. */
struct outcome *ran_text(struct t *t, const char *text);
/* The run is refused: exit code, a word of the error; nothing is left of it. It only notes failures. */
void refused(struct t *t, const struct config *config, int code, const char *word);
/* Replaces the first `part` in text; CHECKs that it is there. */
char *replaced(const char *text, const char *part, const char *by);

/* ocirt ARGS: code and a word of standard error are checked. */
void expect_list(struct t *t, int code, const char *word, const char *const *args);
#define expect(t, code, word, ...) \
    expect_list((t), (code), (word), (const char *const[]){__VA_ARGS__, NULL})
/* Of `ocirt state`: the text of a string member, the digits of a number; NULL when it has none. */
char *state_get(struct t *t, const char *id, const char *member);
const char *status_of(struct t *t); /* of the container named after the tag */
void await_status(struct t *t, const char *status);
/* Kills and deletes it, whatever it is. */
void delete_all(struct t *t);
void await_text(struct outcome *out, const char *word); /* until a command that runs has printed it */

/* A container that has said "ready", by `run` in the foreground. */
struct live {
    struct bundle b;
    pid_t runtime, pid;
    struct outcome out;
    char *cgroup; /* its folder, NULL when it has none of its own */
};
char *cgroup_of(struct t *t, pid_t pid);
void live_begin(struct t *t, struct live *l, const struct config *config);
void begin_in_cgroup(struct t *t, struct live *l, const struct config *config); /* what needs the container's cgroup */
void live_end(struct t *t, struct live *l);
char *in_cgroup(const struct live *l, const char *file); /* the first line */
/* ocirt ARGS succeeds and says nothing: engines take what is said for a failure or for the container's. */
void quiet_list(struct t *t, const char *const *args);
#define quiet(t, ...) quiet_list((t), (const char *const[]){__VA_ARGS__, NULL})
/* The files that limits are written to, as far as the kernel has them; what they say, as lines "FILE = VALUE". */
extern const char *const limit_files[];
char *limits_of(const struct live *l);
/* update, with resources by FILE or stdin. form: "--resources=FILE", "-r -", ... */
void update_with(struct t *t, struct outcome *out, const char *form, const char *resources);

/* JSON as text. A path is names and indices: "linux/seccomp/actions/0". */
char *json_get(const char *text, const char *member); /* the first of that name, wherever it is */
const char *json_space(const char *at);
const char *json_skip(const char *at); /* behind one value, NULL when there is none */
bool is_json(const char *text);
char *json_value(const char *text, const char *path); /* of a string without its quotes; NULL: not there */
char *json_words(const char *text, const char *path); /* names of an object's members, or strings of an array */

/* Words of the report: does a list between commas or spaces hold the word? */
bool has_word(const char *list, const char *word);
bool starts(const char *line, const char *with);
/* An error that a user can do something with: long enough, ours, and no word of success. */
bool good_text(const char *text);
bool sweeps_full(void); /* OCIRT_SWEEP=full: every point of a sweep, not a sample */
/* The per-mount flags, the optional fields, the type and the super block's flags of a mount. */
struct mount_line {
    char flags[256], fields[256], type[64], source[512], super[512], root[512];
};
bool mount_get(const struct outcome *out, const char *target, struct mount_line *line);
bool has_super(const struct mount_line *line, const char *word);
void need_idmap(struct t *t); /* can the file system of t->dir be mounted with an id map? */
pid_t parent_of(pid_t pid); /* (attack.c) */
/* Runs a command as an ordinary user, from root. */
#define ORDINARY 65534u
void become_ordinary(void *user);
void run_ordinary(struct t *t, struct outcome *out, const char *const *args);
/* A process that holds namespaces until the test ends. Not a child of ours if CLONE_NEWPID. */
pid_t holder(int flags, void (*prepare)(void));
void holders_end(void);
unsigned long long ns_of(pid_t pid, const char *name); /* 0: us */
const char *ns_path(pid_t pid, const char *name);
/* A device "ocitest0" with addresses, made afresh in this network namespace; false: this kernel has no kind for it. Is
 * it here, as it was made? (run_net.c) */
bool net_device_make(void);
void net_device_kept(const char *why);
/* A unix socket that a descriptor is to be sent to. Taking it: one connection, which ends; on it one message with one
 * descriptor, at its first byte. (run_seccomp.c) */
struct agent {
    char path[400];
    int socket, fd;
    struct text message;
};
void agent_listen(struct t *t, struct agent *a, const char *file);
void agent_take(struct agent *a);
bool agent_called(const struct agent *a); /* takes and closes a connection, if there is one */
void agent_end(struct agent *a);
void await_input(int fd, const char *what);
/* A container that lives while others join it. At its end the world, but for itself, must be as when it had begun. It
 * says "ready" first if it has arguments of its own. (run_exec.c) */
struct box {
    struct live l;
    struct snap *before;
};
void box_begin(struct t *t, struct box *x, const struct config *config);
void box_end(struct t *t, struct box *x);
/* exec OPTIONS ID COMMAND, words between spaces. The outcome's descriptors are closed again. */
const char **exec_argv(struct t *t, const char *options, const char *command);
struct outcome *execed(struct t *t, const char *options, const char *command);
struct outcome *execed_well(struct t *t, const char *options, const char *command);
/* Nothing is executed: the code (0: 1 or 255), a word of the error. It only notes failures. */
void not_executed(struct t *t, const char *options, const char *command, int code, const char *word);
/* `exec -d`: the outcome is the caller's to free. The program, as it is known outside. */
pid_t exec_detached(struct t *t, const char *options, const char *command, struct outcome *out);
/* Files that come and go with a box, or until files_end: a name for a pid; "-p FILE" with the process of this config; with a process given as text. */
const char *pid_path(struct t *t);
void files_end(struct t *t);
const char *process_option(struct t *t, const struct config *config);
const char *process_text(struct t *t, const char *text);
/* Terminals. (run_tty.c) */
#define DEVPTS "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]}"
#define TERMINAL "\"terminal\":true"
/* The user's terminal, and the command that runs on it. */
struct tty {
    int master, slave;
    int fds[3];           /* standard descriptors of the command: the slave, or what it is redirected to */
    struct termios modes; /* before */
    struct text seen;     /* on the screen */
    struct bundle b;
    const char **argv;
    pid_t pid;
    struct outcome out; /* out.out: what was seen, without the carriage returns */
};
void tty_make(struct tty *y, int rows, int columns);
void take_terminal(void *user); /* in the child: the leader of a session that has the terminal, as a shell would be */
bool tty_look(struct tty *y, int milliseconds); /* reads what is there, or comes within that time */
void tty_await(struct tty *y, const char *word);
void tty_type(struct tty *y, const char *bytes);
int tty_end(struct tty *y); /* looks on until the command has ended; its code */
bool tty_is_as_before(const struct tty *y);
size_t flood_length(const char *bytes, size_t n); /* byte i of a flood is 'a' + i % 26 */
/* In the child, before it is the command: descriptors 3, 10, 17, .. and 1000; without those of 0 to 2 in a mask. (run_process.c) */
void open_strays(void *user);
void close_some(void *user);
/* Capabilities: a member of process.capabilities, what we may give, what a report has. (run_process.c) */
char *cap_list(const char *name, unsigned long long set);
unsigned long long our_bounding(void);
unsigned long long told_set(const struct outcome *out, const char *name);
#endif
