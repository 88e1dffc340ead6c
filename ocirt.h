/* ocirt.h - v0.1.0 - an OCI container runtime for Linux in one header; MIT or public domain

   Turns a folder with a config.json and a root file system (a bundle) into a running container, as
   runtime-spec 1.3 says: namespaces, id maps, mounts, pivot_root, cgroup v2, hooks, life cycle.
   libc only, glibc or musl, Linux 5.10 or newer.

   DO THIS
   =======
   In ONE C file, before every system header:
       #define OCIRT_IMPLEMENTATION
       #include "ocirt.h"
   In all others only the include. The declarations are clean as C++11; the implementation is C11.

       int main(int argc, char **argv) {
           ocirt_options options = {.stage = ocirt_stage(argc, argv), .flags = OCIRT_FORWARD};
           ocirt_error error;
           ocirt_exit end;
           if (ocirt_run_bundle("bundle", NULL, &options, &end, &error) < 0) return puts(error.message), 125;
           return end.code;
       }

   Without JSON: fill ocirt_spec and its structs by hand (examples/no_json.c), and call ocirt_run.

   BUILD
   =====
       cc -O2 program.c                         glibc
       musl-gcc -Os -static -s program.c        static with musl: about 310 KiB with everything
   In C++ projects compile the implementation as a C file of its own.

   WHAT IT DOES NOT DO
   ===================
   Images, networks beyond the loopback device and devices that are handed in, cgroup v1. The names with two
   underscores are private.

   CONTENTS (search for the tag)
   =============================
     >>config    version and build switches
     >>api       public types and functions
   with OCIRT_IMPLEMENTATION:
     >>platform  libc headers, kernel constants
     >>sys       system calls that return a negative errno
     >>mem       arena and growing text
     >>error     the error record, texts of errno
     >>json      strict parser, places, writer
     >>names     words and numbers: capabilities, limits, signals, mount options
     >>spec      one table of fields: load, check, write, features
     >>path      resolving and creating below a hostile directory
     >>probe     what this machine offers
     >>idmap     id ranges and how a map is written
     >>cgroup    place, limits, kill, removal
     >>systemd   the scope of a container, asked for on the bus
     >>device    device rules to eBPF
     >>resctrl   groups of resctrl
     >>seccomp   the seccomp profile to classic BPF
     >>process   what a process changes about itself: ids, capabilities, limits, descriptors
     >>network   devices that move into a network namespace
     >>program   finding an executable, starting a helper, why an exec failed
     >>mount     mounts, nodes, links, and the ways into a root
     >>landlock  a program kept to some folders
     >>plan      (spec, options, probe) -> rows
     >>hooks     running hooks
     >>step      the executor: what runs between clone and exec
     >>spawn     the host's rows, birth and conversation
     >>notify    a service manager is told that the container is ready
     >>console   foreground: signals and terminal
     >>state     the container's folder
     >>stats     what the kernel counts for a container
     >>explain   cause and remedy of a failure
     >>ops       the public operations
     >>checkpoint  dumping and restoring a container by the criu program

   THE WAY OF THE DATA
   ===================
   config.json -> tokens -> ocirt_spec -> plan -> { host | stage | init } -> kernel. Each section uses only
   those above it. Everything that parses, allocates, chooses or looks at the host happens before the first
   clone. The plan is one block without pointers: rows with a verb, an actor, the place in the config it
   comes from, the errnos it tolerates, and at most alternates that an errno chooses. Three actors walk the
   same list and wait where the actor changes:
     host   the calling process: cgroup, sources of mounts, birth, id maps, record, hooks
     stage  a short-lived process between, when namespaces are joined, a time namespace is made, or a user
            namespace's root could write to the caller's program
     init   the container: mounts, devices, pivot_root, identity, and at last the program
   A further process (ocirt_exec) is a plan as well, in which stage enters all of the container's namespaces by the
   pidfd of its init, and the part of init is that process.
   Where the container's root could write to the caller's program (CVE-2019-5736), stage or init executes
   options.stage anew, through a read-only clone of its mount or from a sealed copy in memory: that file nobody
   can write, and nothing of the caller's memory is in it.
   ocirt_plan_print shows the rows; OCIRT__VERBS in >>plan lists all verbs.

   THE LIFE OF A CONTAINER
   =======================
   ocirt_create makes everything and leaves init waiting on a socket in the state folder; ocirt_start lets it
   execute the program; ocirt_kill signals it, through a pidfd that was proven to be the recorded process
   (start time and boot); ocirt_delete takes back what create made. ocirt_run is all of it. The record is on
   disk before the first lasting effect: after SIGKILL of the caller at any moment, delete with OCIRT_FORCE
   removes what is left. Statuses: creating, created, running, paused, stopped. ocirt_pause and ocirt_resume,
   ocirt_update, ocirt_processes, ocirt_stats_get and ocirt_events work on what is created or running.

   TERMINALS
   =========
   With process.terminal a pty of the container's devpts is stdin, stdout, stderr and the controlling terminal, and
   for init /dev/console. In the foreground OCIRT_FORWARD relays it to the caller's. Detached, its master is sent
   to options.console_socket once all has succeeded, before the pid file is written. Without a terminal the caller's
   descriptors 0 to 2 are the program's; pipes and sockets among them become the property of an ordinary user who
   could not open /dev/stdout otherwise.

   THREADS, FORK, SIGNALS
   ======================
   No globals, no locks, no signal handlers, nothing printed. An operation belongs to the calling thread;
   different operations may run in different threads. The caller's working directory, umask, environment,
   signal dispositions, descriptors are left alone; all of ours are close-on-exec. Signals are blocked in
   the calling thread around a clone, and with OCIRT_FORWARD during all of ocirt_run. Children are awaited by
   pidfd: a program that reaps with wait(-1) steals their status. Not async-signal-safe, not
   cancellation-safe. XDG_RUNTIME_DIR is read when options.state_root is not set.

   MEMORY
   ======
   All memory lies in arenas; an arena is freed in one call and belongs to one thread at a time. What
   ocirt_spec_load returns lives as long as its arena; the text given to it must live as long.

   ERRORS
   ======
   0 or a negative OCIRT_E_ code; the ocirt_error of the caller says the rest: message, errno, place in the
   config (file, line, column, JSON pointer), row of the plan, hint. The texts that engines match on are kept.

   LIMITS (define before including)                              default
   ======
     OCIRT_MAX_CONFIG   bytes of a config.json                   16 MiB
     OCIRT_MAX_DEPTH    nesting of the JSON text                 64
     OCIRT_MAX_ROWS     rows of a plan                           8192
   Device rules: 9000 to 23000 by their kind, the reach of a jump in their eBPF program.

   SWITCHES                                     must agree everywhere?
   ========
     OCIRT_IMPLEMENTATION                       one file only
     OCIRT_STATIC     all functions static      everywhere
     OCIRT_DEF        prefix of declarations    everywhere
     OCIRT_MALLOC(size), OCIRT_FREE(pointer)    implementation only; both or neither
     OCIRT_SYSCALL(number, a, b, c, d, e, f)    implementation only; for tests: every kernel call

   ANNOTATIONS
   ===========
     run.oci.keep_original_groups     not "0": the caller's supplementary groups are kept
     run.oci.mount_context_type       context, fscontext, defcontext, rootcontext: the word for linux.mountLabel
     run.oci.pidfd_receiver           a socket that gets init's pidfd, as options.pidfd_socket
     run.oci.systemd.subgroup         with the systemd driver, the cgroup below the scope; "": none. Otherwise "container"
     org.systemd.property.NAME        a property of the scope in the text form of GVariant, with the systemd driver
     org.criu.config                  a file of options for criu instead of /etc/criu/ocirt.conf or runc.conf; "": none
     io.ocirt.landlock.read, .write   paths of the container with : between, see >>landlock

   KERNELS
   =======
   5.10 is the floor. Used where they exist: mount_setattr (5.12; before: remount right after attaching, and
   no recursive attributes or id-mapped mounts), cgroup.kill (5.14; before: freeze, kill, thaw), a mount namespace
   made of the root alone (7.0, for a privileged caller whose config needs nothing of the host's tree later; before:
   a copy of the host's, left by pivot_root). Where a filter hides them: openat2 (a walk by hand, as safe), clone3 (clone, and
   the pid is written to cgroup.procs), close_range (a loop). A root on an initial ramfs is left by moving
   the root where pivot_root refuses it.

   UPDATING A COPY
   ===============
   Replace the file. OCIRT_VERSION_MAJOR, _MINOR and _PATCH can be checked by the preprocessor; security fixes
   are listed under SECURITY at the end of the file. Containers that an earlier version created can be listed,
   killed, deleted, paused, updated and entered; one that still waits for start is deleted and created again.
*/

#ifndef OCIRT_H
#define OCIRT_H

/* ===========================================================================================
   >>config   version and build switches. All have defaults; the manual lists them.
   =========================================================================================== */

#define OCIRT_VERSION_MAJOR 0
#define OCIRT_VERSION_MINOR 1
#define OCIRT_VERSION_PATCH 0
#define OCIRT_VERSION "0.1.0"
#define OCIRT_SPEC_VERSION "1.3.0"

/* glibc fixes its feature set at the first include, so this must come before it. */
#if defined(OCIRT_IMPLEMENTATION) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef OCIRT_DEF
#if defined(OCIRT_STATIC) && defined(__GNUC__)
#define OCIRT_DEF static __attribute__((unused))
#elif defined(OCIRT_STATIC)
#define OCIRT_DEF static
#else
#define OCIRT_DEF extern
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ===========================================================================================
   >>api   public types and functions.
   Every function that can fail returns 0 or a negative OCIRT_E_ code and fills the caller's
   ocirt_error. None prints, none touches the calling process beyond its own descriptors and
   children. A handle or an arena belongs to one thread at a time; different ones are independent.
   =========================================================================================== */

/* Memory: everything loaded or built lives in an arena of the caller's, freed in one call. */
typedef struct ocirt_arena {
    void  *blocks; /* private */
    size_t used;   /* bytes handed out so far */
} ocirt_arena;

/* Receives text. Returns 0, or a negative number to stop the writer. */
typedef int (*ocirt_write_fn)(void *user, const char *data, size_t size);

OCIRT_DEF void        ocirt_arena_free(ocirt_arena *arena);
/* Memory that lives as long as the arena, aligned to 16 bytes, not zeroed; NULL when there is no more. */
OCIRT_DEF void       *ocirt_allocate(ocirt_arena *arena, size_t size);
OCIRT_DEF const char *ocirt_version(void); /* of the compiled implementation, like "0.1.0" */

/* Error codes: stable numbers, returned negative. */
#define OCIRT_ERRORS(E)                                                                            \
    E(MEMORY, 1, "out of memory")                                                                  \
    E(JSON, 2, "the text is not valid JSON")                                                       \
    E(SPEC, 3, "a value of the config is wrong")                                                   \
    E(UNSUPPORTED, 4, "valid, but not carried out by this version")                                \
    E(ARGUMENT, 5, "an argument is wrong")                                                         \
    E(EXISTS, 6, "the container exists already")                                                   \
    E(NOT_FOUND, 7, "the container does not exist")                                                \
    E(STATE, 8, "the container is in the wrong state")                                             \
    E(SYSTEM, 9, "a system call failed")                                                           \
    E(KERNEL, 10, "the kernel lacks a feature")                                                    \
    E(PERMISSION, 11, "not permitted")                                                             \
    E(EXEC_NOT_FOUND, 12, "the program is not in the container")                                   \
    E(EXEC, 13, "the program cannot be executed")                                                  \
    E(CGROUP, 14, "the cgroup refused")                                                            \
    E(MOUNT, 15, "a mount failed")                                                                 \
    E(NAMESPACE, 16, "a namespace could not be made or joined")                                    \
    E(IDMAP, 17, "ids could not be mapped")                                                        \
    E(HOOK, 18, "a hook failed")                                                                   \
    E(TIMEOUT, 19, "it took too long")                                                             \
    E(LOST, 20, "the container's process ended before its time")                                   \
    E(LIMIT, 21, "a limit is reached")                                                             \
    E(IO, 22, "a file could not be read or written")                                               \
    E(BUSY, 23, "something is still in use")

#define OCIRT__ERROR_ENUM(name, number, text) OCIRT_E_##name = number,
enum { OCIRT_ERRORS(OCIRT__ERROR_ENUM) OCIRT_E_COUNT };
#undef OCIRT__ERROR_ENUM

/* Filled where it happens, owned by the caller, valid after everything else is freed. */
typedef struct ocirt_error {
    int  code;         /* OCIRT_E_..., 0: none                                                  */
    int  sys;          /* errno, or 0                                                           */
    int  row, actor;   /* of the plan; -1 when no plan was running                              */
    int  line, column; /* of the config's value, from 1; 0: none                                */
    char pointer[160]; /* JSON pointer of it, "" when none                                      */
    char file[256];    /* the file that line belongs to                                         */
    char object[256];  /* path, cgroup file, container                                          */
    char message[512]; /* one line, complete                                                    */
    char hint[512];    /* cause and remedy, "" when unknown                                     */
} ocirt_error;

/* ----- the config as plain structs: names of the specification in snake_case -----
   Every object begins with its JSON token (0: made by hand), by which a failure finds its line.
   Absent objects are NULL, absent texts NULL, absent numbers have set == false. Programs without
   JSON fill the same structs; zero is absent. `linux` is a macro in gnu11, hence linux_. */

typedef struct ocirt_json ocirt_json; /* private: a parsed document */

typedef struct ocirt_strings { const char **items; size_t count; } ocirt_strings;
typedef struct ocirt_pair { const char *key, *value; } ocirt_pair;
typedef struct ocirt_opt_int { bool set; int64_t value; } ocirt_opt_int;
typedef struct ocirt_opt_uint { bool set; uint64_t value; } ocirt_opt_uint;
typedef struct ocirt_opt_bool { bool set; bool value; } ocirt_opt_bool;

typedef struct ocirt_root { uint32_t token; const char *path; bool readonly; } ocirt_root;
typedef struct ocirt_id_mapping { uint32_t token; uint32_t container_id, host_id, size; } ocirt_id_mapping;
typedef struct ocirt_mount {
    uint32_t token;
    const char *destination, *source, *type;
    ocirt_strings options;
    ocirt_id_mapping *uid_mappings, *gid_mappings;
    size_t uid_mappings_count, gid_mappings_count;
} ocirt_mount;

typedef struct ocirt_console_size { uint32_t token; uint64_t height, width; } ocirt_console_size;
typedef struct ocirt_user {
    uint32_t token;
    uint32_t uid, gid;
    ocirt_opt_uint umask;
    uint32_t *additional_gids;
    size_t additional_gids_count;
    const char *username; /* Windows only, ignored */
} ocirt_user;
typedef struct ocirt_capabilities { /* masks of 1 << CAP_ */
    uint32_t token;
    ocirt_opt_uint bounding, effective, inheritable, permitted, ambient;
} ocirt_capabilities;
typedef struct ocirt_rlimit { uint32_t token; uint32_t type; uint64_t soft, hard; } ocirt_rlimit;
typedef struct ocirt_scheduler {
    uint32_t token;
    uint32_t policy; /* SCHED_ number */
    ocirt_opt_int nice, priority;
    uint64_t flags;
    ocirt_opt_uint runtime, deadline, period; /* nanoseconds */
} ocirt_scheduler;
typedef struct ocirt_io_priority { uint32_t token; uint32_t io_class; ocirt_opt_int priority; } ocirt_io_priority;
typedef struct ocirt_exec_cpu_affinity { uint32_t token; const char *initial, *final; } ocirt_exec_cpu_affinity;
typedef struct ocirt_process {
    uint32_t token;
    bool terminal, no_new_privileges;
    ocirt_console_size *console_size;
    ocirt_user user;
    ocirt_strings args, env;
    const char *command_line; /* Windows only, ignored */
    const char *cwd;
    ocirt_capabilities *capabilities;
    ocirt_rlimit *rlimits;
    size_t rlimits_count;
    const char *apparmor_profile, *selinux_label;
    ocirt_opt_int oom_score_adj;
    ocirt_scheduler *scheduler;
    ocirt_io_priority *io_priority;
    ocirt_exec_cpu_affinity *exec_cpu_affinity;
} ocirt_process;

typedef struct ocirt_hook {
    uint32_t token;
    const char *path;
    ocirt_strings args, env;
    ocirt_opt_int timeout; /* seconds */
} ocirt_hook;
typedef struct ocirt_hooks {
    uint32_t token;
    ocirt_hook *prestart, *create_runtime, *create_container, *start_container, *poststart, *poststop;
    size_t prestart_count, create_runtime_count, create_container_count, start_container_count, poststart_count,
        poststop_count;
} ocirt_hooks;

typedef struct ocirt_namespace { uint32_t token; uint64_t type; const char *path; } ocirt_namespace; /* type: CLONE_NEW flag */
typedef struct ocirt_device {
    uint32_t token;
    const char *path;
    char type; /* c, b, p; u is c */
    ocirt_opt_int major, minor;
    ocirt_opt_uint file_mode, uid, gid;
} ocirt_device;
typedef struct ocirt_time_offset { uint32_t token; int64_t secs; uint32_t nanosecs; } ocirt_time_offset;
typedef struct ocirt_time_offsets { uint32_t token; ocirt_time_offset *monotonic, *boottime; } ocirt_time_offsets;
typedef struct ocirt_net_device { uint32_t token; const char *key, *name; } ocirt_net_device; /* key: name on the host */

typedef struct ocirt_device_rule {
    uint32_t token;
    bool allow;
    char type; /* a, b, c; 0: a */
    ocirt_opt_int major, minor;
    const char *access;
} ocirt_device_rule;
typedef struct ocirt_memory {
    uint32_t token;
    ocirt_opt_int limit, reservation, swap, kernel, kernel_tcp; /* bytes, -1 unlimited */
    ocirt_opt_uint swappiness;
    ocirt_opt_bool disable_oom_killer, use_hierarchy, check_before_update;
} ocirt_memory;
typedef struct ocirt_cpu {
    uint32_t token;
    ocirt_opt_uint shares, burst, period, realtime_period; /* microseconds but shares */
    ocirt_opt_int quota, realtime_runtime, idle;
    const char *cpus, *mems;
} ocirt_cpu;
typedef struct ocirt_pids { uint32_t token; ocirt_opt_int limit; } ocirt_pids;
typedef struct ocirt_weight_device { uint32_t token; int64_t major, minor; ocirt_opt_uint weight, leaf_weight; } ocirt_weight_device;
typedef struct ocirt_throttle_device { uint32_t token; int64_t major, minor; uint64_t rate; } ocirt_throttle_device;
typedef struct ocirt_block_io {
    uint32_t token;
    ocirt_opt_uint weight, leaf_weight;
    ocirt_weight_device *weight_device;
    size_t weight_device_count;
    ocirt_throttle_device *throttle_read_bps, *throttle_write_bps, *throttle_read_iops, *throttle_write_iops;
    size_t throttle_read_bps_count, throttle_write_bps_count, throttle_read_iops_count, throttle_write_iops_count;
} ocirt_block_io;
typedef struct ocirt_hugepage_limit { uint32_t token; const char *page_size; uint64_t limit; } ocirt_hugepage_limit;
typedef struct ocirt_interface_priority { uint32_t token; const char *name; uint32_t priority; } ocirt_interface_priority;
typedef struct ocirt_network {
    uint32_t token;
    ocirt_opt_uint class_id;
    ocirt_interface_priority *priorities;
    size_t priorities_count;
} ocirt_network;
typedef struct ocirt_rdma { uint32_t token; const char *key; ocirt_opt_uint hca_handles, hca_objects; } ocirt_rdma;
typedef struct ocirt_resources {
    uint32_t token;
    ocirt_device_rule *devices;
    size_t devices_count;
    ocirt_memory *memory;
    ocirt_cpu *cpu;
    ocirt_pids *pids;
    ocirt_block_io *block_io;
    ocirt_hugepage_limit *hugepage_limits;
    size_t hugepage_limits_count;
    ocirt_network *network;
    ocirt_rdma *rdma;
    size_t rdma_count;
    ocirt_pair *unified;
    size_t unified_count;
} ocirt_resources;

typedef struct ocirt_seccomp_arg { uint32_t token; uint32_t index; uint64_t value, value_two; uint32_t op; } ocirt_seccomp_arg;
typedef struct ocirt_syscall {
    uint32_t token;
    ocirt_strings names;
    uint32_t action;
    ocirt_opt_uint errno_ret;
    ocirt_seccomp_arg *args;
    size_t args_count;
} ocirt_syscall;
typedef struct ocirt_seccomp {
    uint32_t token;
    uint32_t default_action;
    ocirt_opt_uint default_errno_ret;
    ocirt_strings architectures;
    ocirt_opt_uint flags; /* set: given, even if empty */
    const char *listener_path, *listener_metadata;
    ocirt_syscall *syscalls;
    size_t syscalls_count;
} ocirt_seccomp;

typedef struct ocirt_intel_rdt {
    uint32_t token;
    const char *clos_id, *l3_cache_schema, *mem_bw_schema;
    ocirt_strings schemata;
    bool enable_monitoring;
} ocirt_intel_rdt;
typedef struct ocirt_memory_policy { uint32_t token; uint32_t mode; const char *nodes; uint64_t flags; } ocirt_memory_policy;
typedef struct ocirt_personality { uint32_t token; uint32_t domain; ocirt_strings flags; } ocirt_personality;

typedef struct ocirt_linux {
    uint32_t token;
    ocirt_namespace *namespaces;
    size_t namespaces_count;
    ocirt_id_mapping *uid_mappings, *gid_mappings;
    size_t uid_mappings_count, gid_mappings_count;
    ocirt_time_offsets *time_offsets;
    ocirt_device *devices;
    size_t devices_count;
    ocirt_net_device *net_devices;
    size_t net_devices_count;
    const char *cgroups_path;
    ocirt_resources *resources;
    uint32_t rootfs_propagation; /* MS_ flags, 0: absent */
    ocirt_seccomp *seccomp;
    ocirt_pair *sysctl;
    size_t sysctl_count;
    ocirt_strings masked_paths, readonly_paths;
    const char *mount_label;
    ocirt_intel_rdt *intel_rdt;
    ocirt_memory_policy *memory_policy;
    ocirt_personality *personality;
} ocirt_linux;

typedef struct ocirt_spec {
    uint32_t token;
    const ocirt_json *document; /* NULL: made by hand. A program that changes what it has loaded sets NULL: else
                                   its text is what is recorded with the container, and what exec goes by */
    const char *oci_version;
    ocirt_root *root;
    ocirt_mount *mounts;
    size_t mounts_count;
    ocirt_process *process;
    const char *hostname, *domainname;
    ocirt_hooks *hooks;
    ocirt_pair *annotations;
    size_t annotations_count;
    ocirt_linux *linux_;
} ocirt_spec;

/* Types of namespaces, for ocirt_namespace.type. */
#define OCIRT_NS_TIME    0x00000080u
#define OCIRT_NS_MOUNT   0x00020000u
#define OCIRT_NS_CGROUP  0x02000000u
#define OCIRT_NS_UTS     0x04000000u
#define OCIRT_NS_IPC     0x08000000u
#define OCIRT_NS_USER    0x10000000u
#define OCIRT_NS_PID     0x20000000u
#define OCIRT_NS_NETWORK 0x40000000u

/* ----- reading, checking and writing a config.json (runtime-spec config.md) ----- */

/* Loads a config from memory. `text` is borrowed until the arena is freed. `file_name` is used in
   errors and may be NULL. Fails with OCIRT_E_JSON, _SPEC or _MEMORY, with line, column and pointer. */
OCIRT_DEF int ocirt_spec_load(ocirt_arena *arena, const char *text, size_t size, const char *file_name,
                              ocirt_spec **out_spec, ocirt_error *error);

/* Loads a regular file of at most OCIRT_MAX_CONFIG bytes. Also fails with OCIRT_E_IO. */
OCIRT_DEF int ocirt_spec_load_file(ocirt_arena *arena, const char *path, ocirt_spec **out_spec,
                                   ocirt_error *error);

#define OCIRT_SPEC_ROOTLESS 1u /* a user namespace with the caller's ids, no network, no limits */

/* The default config that `ocirt spec` prints. */
OCIRT_DEF int ocirt_spec_default(ocirt_arena *arena, unsigned flags, ocirt_spec **out_spec,
                                 ocirt_error *error);

typedef struct ocirt_finding {
    bool        fatal; /* true: create would refuse it; false: a warning */
    ocirt_error what;
} ocirt_finding;
typedef void (*ocirt_finding_fn)(void *user, const ocirt_finding *finding);

/* Reports everything that is wrong or suspicious (unknown properties with the nearest known name,
   unknown capabilities, deprecated forms, what cgroup v2 does not have).
   Returns the number of fatal findings, or a negative code. */
OCIRT_DEF int ocirt_spec_check(ocirt_arena *arena, const ocirt_spec *spec, ocirt_finding_fn report,
                               void *user, ocirt_error *error);

/* Writes the config as JSON; loading it again gives an equal spec. */
OCIRT_DEF int ocirt_spec_write(const ocirt_spec *spec, ocirt_write_fn write, void *user,
                               ocirt_error *error);

/* Writes the features document (runtime-spec features.md): what this build does, less what this kernel lacks. */
OCIRT_DEF int ocirt_features_write(ocirt_write_fn write, void *user, ocirt_error *error);

/* Signal number of "9", "KILL", "sigkill", "RTMIN+3"; -1 when there is no such signal. */
OCIRT_DEF int ocirt_signal_number(const char *name);
/* Number of the capability "CAP_CHOWN", in any case and with or without CAP_; -1 when there is none of that name. */
OCIRT_DEF int ocirt_capability_number(const char *name);

/* Prints an error. */
#define OCIRT_ERROR_LINE 0u /* message on one line, no newline          */
#define OCIRT_ERROR_FULL 1u /* message, place, hint: a line each        */
#define OCIRT_ERROR_JSON 2u /* one JSON object on one line, no newline  */
#define OCIRT_ERROR_LOG  3u /* a line of a log as engines read it: time=... level=... msg=... */
#define OCIRT_ERROR_LOG_JSON 4u    /* the same as one JSON object       */
#define OCIRT_ERROR_WARNING  0x10u /* added to the last two: its level  */
OCIRT_DEF int ocirt_error_print(const ocirt_error *error, unsigned format, ocirt_write_fn write,
                                void *user);
/* The words for an errno as messages here have them: "no such file or directory". */
OCIRT_DEF const char *ocirt_errno_text(int number);

/* ----- what this machine offers, and the plan made from it ----- */

#define OCIRT_ID_RANGES 8
typedef struct ocirt_id_range {
    uint32_t first, count;
} ocirt_id_range;

/* The facts about kernel, host and caller that decisions depend on: plain data, so that it can be
   recorded on one machine and used on another. ocirt_probe_host fills it. */
typedef struct ocirt_probe {
    char           kernel[65];          /* uname release                                        */
    uint32_t       kernel_version;      /* major << 16 | minor                                  */
    uint32_t       euid, egid;          /* of the caller, in its own user namespace             */
    uint64_t       capabilities;        /* effective                                            */
    bool           initial_userns;      /* the caller is in the initial user namespace          */
    bool           setgroups_denied;    /* /proc/self/setgroups says deny                       */
    bool           root_is_initramfs;   /* the caller's / cannot be pivoted away from           */
    bool           tree_namespaces;     /* open_tree makes a mount namespace of a folder (7.0)  */
    bool           image_known;         /* the next three describe the caller's own binary      */
    uint32_t       image_uid, image_gid, image_mode;
    bool           image_read_only;     /* it lies on a read-only mount                         */
    char           cgroup_mount[256];   /* where cgroup2 is mounted; "" when it is not          */
    char           cgroup_own[512];     /* an ordinary caller's own cgroup below it, "/..."     */
    char           cgroup_base[512];    /* where the caller may make cgroups: "" is the top      */
    char           cgroup_controllers[256]; /* of the root of that hierarchy                    */
    ocirt_id_range subuids[OCIRT_ID_RANGES], subgids[OCIRT_ID_RANGES];
    uint32_t       subuids_count, subgids_count;
    char           newuidmap[64], newgidmap[64]; /* paths, "" when absent                       */
    bool           selinux;             /* SELinux is enabled                                   */
    uint64_t       nofile_hard;         /* RLIMIT_NOFILE of the caller                          */
    uint64_t       open_fds;            /* bit n: descriptor n is open at probe time (0 to 63)  */
} ocirt_probe;

OCIRT_DEF int ocirt_probe_host(ocirt_probe *out_probe, ocirt_error *error);

#define OCIRT_WITHOUT_PIVOT     1u   /* move the root and chroot instead of pivot_root: less safe    */
#define OCIRT_WITHOUT_KEYRING   2u   /* keep the caller's session keyring                            */
#define OCIRT_KEEP         4u   /* run: do not delete afterwards                                */
#define OCIRT_DETACH       8u   /* run, exec: return when the program has started               */
#define OCIRT_FORCE        16u  /* delete: kill first; an unknown id is no error                */
#define OCIRT_ALL          32u  /* kill: every process of the container                         */
#define OCIRT_WITHOUT_CGROUPS   64u  /* make and join no cgroup; limits are then an error            */
#define OCIRT_FORWARD      128u /* run, exec: pass the caller's signals and terminal on (blocks signals
                                   in the calling thread while it runs)                         */
#define OCIRT_WITHOUT_STAGE     256u /* never execute the stage, even if the container's root could
                                   then reach the caller's binary (CVE-2019-5736)               */
#define OCIRT_SYSTEMD           1024u /* create, run: the cgroup lies in a scope of systemd's; cgroupsPath is then
                                   slice:prefix:name. What is recorded with the container is enough for the rest */
#define OCIRT_IGNORE_PAUSED     512u /* exec: into a paused container too; it runs when that is resumed */

#define OCIRT_OF_RUN    0x80000000u  /* ocirt_plan_build: the plan of a run, whose program waits for no start */

/* One carried-out row, given to the trace callback after the fact, in the caller's thread. */
typedef struct ocirt_trace {
    int         row, actor; /* actor: OCIRT_ACTOR_ */
    int         result;     /* 0 or negative errno */
    uint64_t    nanoseconds;
    const char *text;       /* the row as `plan` prints it */
} ocirt_trace;

typedef struct ocirt_options { /* zero means default */
    const char *state_root;     /* folder of all containers; NULL: /run/ocirt or $XDG_RUNTIME_DIR/ocirt */
    const char *stage;          /* what ocirt_stage() returned                                   */
    const char *pid_file;       /* gets the pid, digits only, when create, run or exec has succeeded */
    const char *console_socket; /* create, detached run and exec: a unix stream socket that gets the terminal's
                                   master (SCM_RIGHTS with one byte); reached before anything is made */
    const char *pidfd_socket;   /* the same for a pidfd of the process                           */
    const char *exec_cgroup;    /* exec: a cgroup below the container's, "sub" or "/sub"; NULL: the container's */
    const char *notify_socket;  /* create, start, run: of the service manager that is told when the program says READY=1
                                   (sd_notify(3)); start and a detached run wait for that. NULL: none */
    unsigned    preserve_fds;   /* descriptors 3 .. 2+N, but those close-on-exec, stay open in the container */
    unsigned    listen_fds;     /* N more, before those, that LISTEN_FDS=N tells of (sd_listen_fds(3)) */
    unsigned    flags;          /* OCIRT_WITHOUT_PIVOT | ...                                          */
    unsigned    kill_after_ms;  /* delete with OCIRT_FORCE: how long to wait; 0: 10 s            */
    void      (*trace)(void *user, const ocirt_trace *event);
    ocirt_finding_fn warn;      /* told, before anything is made, what will be left out that peers
                                   leave out as well: capabilities nobody knows or may grant     */
    void       *user;
} ocirt_options;

#define OCIRT_ACTOR_HOST  0
#define OCIRT_ACTOR_STAGE 1
#define OCIRT_ACTOR_INIT  2

/* A plan: rows, texts and binary programs in one block without pointers. */
typedef struct ocirt_plan ocirt_plan;

/* Decides everything. Pure: looks at nothing but its arguments. `bundle` is the absolute path that
   relative paths of the spec start from; `id` the container's id. */
OCIRT_DEF int ocirt_plan_build(ocirt_arena *arena, const ocirt_spec *spec, const char *bundle,
                               const char *id, const ocirt_options *options, const ocirt_probe *probe,
                               ocirt_plan **out_plan, ocirt_error *error);

#define OCIRT_PLAN_TEXT 0u
#define OCIRT_PLAN_JSON 1u
OCIRT_DEF int ocirt_plan_print(const ocirt_plan *plan, unsigned format, ocirt_write_fn write, void *user);

/* ----- the seccomp profile, compiled ----- */

/* Prints the program that linux.seccomp of the config becomes, one instruction a line. `arch` is a name like "x86_64"
   or "SCMP_ARCH_X86_64", NULL: this machine's. */
OCIRT_DEF int ocirt_seccomp_print(const ocirt_spec *spec, const char *arch, ocirt_write_fn write, void *user,
                                  ocirt_error *error);

typedef struct ocirt_seccomp_answer {
    uint32_t action;   /* SECCOMP_RET_ value with its data                             */
    uint32_t number;   /* of the call                                                  */
    uint32_t steps;    /* instructions that the kernel runs to find out                */
    char     arch[24]; /* "x86_64"                                                     */
    char     text[64]; /* "ALLOW", "ERRNO 1, operation not permitted"                  */
} ocirt_seccomp_answer;

/* What a call by name or number with these arguments would meet. */
OCIRT_DEF int ocirt_seccomp_ask(const ocirt_spec *spec, const char *arch, const char *call, const uint64_t args[6],
                                ocirt_seccomp_answer *out_answer, ocirt_error *error);

/* ----- containers (runtime-spec runtime.md) ----- */

typedef struct ocirt_exit {
    int      code;        /* exit status, or 128 + signal                                        */
    int      signal;      /* 0, or the signal that ended it                                      */
    bool     oom_killed;  /* the container's memory limit killed a process                       */
    uint64_t memory_peak; /* bytes, 0 when unknown                                               */
} ocirt_exit;

typedef struct ocirt_container { /* filled by create and exec; the caller closes pidfd */
    int pid;
    int pidfd;
} ocirt_container;

typedef struct ocirt_state { /* strings live in the arena given to ocirt_state_get */
    const char *id, *status; /* creating, created, running, paused, stopped                      */
    const char *bundle, *rootfs, *created, *owner, *oci_version, *cgroup;
    int         pid;         /* 0 when stopped */
    ocirt_pair *annotations;
    size_t      annotations_count;
} ocirt_state;

/* Must be the first call of a main() that wants the container's init to be a small fresh process
   instead of a copy of the calling one: returns the value for options.stage; in the fresh process
   it does that process's work and does not return. */
OCIRT_DEF const char *ocirt_stage(int argc, char **argv);

OCIRT_DEF int ocirt_create(const ocirt_spec *spec, const char *bundle, const char *id,
                           const ocirt_options *options, ocirt_container *out_container,
                           ocirt_error *error);
OCIRT_DEF int ocirt_start(const char *id, const ocirt_options *options, ocirt_error *error);
/* create, start, wait and delete. With OCIRT_DETACH it returns once the program runs. If the program ran
   but something of the container could not be removed, that is the error, and out_exit is valid. */
OCIRT_DEF int ocirt_run(const ocirt_spec *spec, const char *bundle, const char *id,
                        const ocirt_options *options, ocirt_exit *out_exit, ocirt_error *error);
/* The five-line program: loads bundle/config.json and runs it. id NULL: one is made up. */
OCIRT_DEF int ocirt_run_bundle(const char *bundle, const char *id, const ocirt_options *options,
                               ocirt_exit *out_exit, ocirt_error *error);
/* Waits for a container that this process created. timeout_ms < 0: for ever. */
OCIRT_DEF int ocirt_wait(const ocirt_container *container, int timeout_ms, ocirt_exit *out_exit,
                         ocirt_error *error);
OCIRT_DEF int ocirt_kill(const char *id, int signal, const ocirt_options *options, ocirt_error *error);
OCIRT_DEF int ocirt_delete(const char *id, const ocirt_options *options, ocirt_error *error);
OCIRT_DEF int ocirt_state_get(ocirt_arena *arena, const char *id, const ocirt_options *options,
                              ocirt_state *out_state, ocirt_error *error);
OCIRT_DEF int ocirt_state_write(const ocirt_state *state, ocirt_write_fn write, void *user);

/* Stops every process of the container, and lets them go on (cgroup v2's freezer). Pausing needs status created
   or running. SIGKILL and delete reach a paused container too; other signals wait for resume. Fails with
   OCIRT_E_STATE, and with _CGROUP where the container has no cgroup of its own. */
OCIRT_DEF int ocirt_pause(const char *id, const ocirt_options *options, ocirt_error *error);
OCIRT_DEF int ocirt_resume(const char *id, const ocirt_options *options, ocirt_error *error);

/* Loads a linux.resources object (runtime-spec config-linux.md, what `update --resources` gets) for ocirt_update:
   a spec that has linux_->resources and nothing else. As ocirt_spec_load otherwise. */
OCIRT_DEF int ocirt_resources_load(ocirt_arena *arena, const char *text, size_t size, const char *file_name,
                                   ocirt_spec **out_changes, ocirt_error *error);

/* The same from a file or a pipe; "-" is standard input. Also fails with OCIRT_E_IO. */
OCIRT_DEF int ocirt_resources_load_file(ocirt_arena *arena, const char *path, ocirt_spec **out_changes, ocirt_error *error);

/* Loads a process object (runtime-spec config.md, what `exec --process` gets) for ocirt_exec: a spec that has process
   and nothing else. As ocirt_spec_load otherwise. */
OCIRT_DEF int ocirt_process_load(ocirt_arena *arena, const char *text, size_t size, const char *file_name,
                                 ocirt_spec **out_spec, ocirt_error *error);

/* The same from a file or a pipe; "-" is standard input. Also fails with OCIRT_E_IO. */
OCIRT_DEF int ocirt_process_load_file(ocirt_arena *arena, const char *path, ocirt_spec **out_spec, ocirt_error *error);

/* The process of the config that the container was created from, to be changed and given to ocirt_exec. */
OCIRT_DEF int ocirt_process_get(ocirt_arena *arena, const char *id, const ocirt_options *options, ocirt_spec **out_spec,
                                ocirt_error *error);

/* Runs spec->process in a created or running container: in the namespaces of its init, its cgroup, under its seccomp
   profile, personality, memory policy and Landlock; absent capabilities, rlimits, apparmorProfile, selinuxLabel and
   oomScoreAdj are those of its config. Nothing else of `spec` is looked at. With OCIRT_DETACH it returns when the
   program has been executed, and out_container, which may be NULL, has the process, a child of the caller; else it
   waits and fills out_exit, which may be NULL. Fails with OCIRT_E_STATE where the container is paused or stopped;
   with _EXEC_NOT_FOUND, _EXEC and all that ocirt_create can fail with. Nothing is left of a failed one. */
OCIRT_DEF int ocirt_exec(const ocirt_spec *spec, const char *id, const ocirt_options *options,
                         ocirt_container *out_container, ocirt_exit *out_exit, ocirt_error *error);

/* Changes the limits of a created or running container to linux_->resources of `changes`, and its resctrl
   schemata to linux_->intel_rdt; what is absent stays. Either all is changed, or after a refusal all is as
   before, and the error says which limit it was. Nothing else of `changes` is looked at. */
OCIRT_DEF int ocirt_update(const char *id, const ocirt_spec *changes, const ocirt_options *options, ocirt_error *error);

/* Checkpoints a running or paused container by the program criu (3.15 or newer) into a folder of images, and restores
   it from them; nothing is changed where criu is not installed. After a checkpoint the container has stopped, unless
   it is left running or it was a pre-dump: pages only, for a later checkpoint whose parent_path names it. Mounts,
   joined namespaces and standard descriptors that come from outside are those of `spec` and of the caller at restore.
   Fail with OCIRT_E_UNSUPPORTED without criu, _SYSTEM with what criu says, _STATE; restore with all that create fails
   with, and then nothing is left of it. */
#define OCIRT_CHECKPOINT_LEAVE_RUNNING       1u
#define OCIRT_CHECKPOINT_TCP_ESTABLISHED     2u
#define OCIRT_CHECKPOINT_TCP_SKIP_IN_FLIGHT  4u
#define OCIRT_CHECKPOINT_TCP_CLOSE           8u  /* restore: connections come back closed              */
#define OCIRT_CHECKPOINT_EXT_UNIX_SK        16u
#define OCIRT_CHECKPOINT_SHELL_JOB          32u
#define OCIRT_CHECKPOINT_FILE_LOCKS         64u
#define OCIRT_CHECKPOINT_PRE_DUMP          128u
#define OCIRT_CHECKPOINT_AUTO_DEDUP        256u
#define OCIRT_CHECKPOINT_LINK_REMAP        512u
#define OCIRT_CHECKPOINT_LAZY_PAGES       1024u /* not in this version: refused                        */

typedef struct ocirt_checkpoint_options { /* zero means default; names as the flags of runc and criu */
    const char *image_path;    /* folder of the images, made if missing; needed                 */
    const char *work_path;     /* folder of criu's log; NULL: image_path                        */
    const char *parent_path;   /* folder of an earlier pre-dump, relative to image_path         */
    const char *criu;          /* the program; NULL: criu in the folders of the system          */
    const char *lsm_profile;   /* restore: "selinux:LABEL" or "apparmor:PROFILE" instead of that of the images */
    const char *lsm_mount_context;
    const char *manage_cgroups; /* criu(8): soft, full, strict, ignore; NULL: soft              */
    const char *network_lock;   /* iptables, nftables, skip (criu 4.0); NULL: as criu likes     */
    const char *empty_namespace; /* network: the devices in it are somebody else's; NULL: none  */
    const char *page_server;    /* not in this version: refused                                 */
    unsigned    flags;          /* OCIRT_CHECKPOINT_...                                         */
} ocirt_checkpoint_options;

OCIRT_DEF int ocirt_checkpoint(const char *id, const ocirt_checkpoint_options *how, const ocirt_options *options,
                               ocirt_error *error);
/* As ocirt_run otherwise: with OCIRT_DETACH out_container, which may be NULL, gets the process, a child of the caller;
   else it waits, fills out_exit, which may be NULL, and deletes. The hooks of create run once its namespaces are there. */
OCIRT_DEF int ocirt_restore(const ocirt_spec *spec, const char *bundle, const char *id, const ocirt_checkpoint_options *how,
                            const ocirt_options *options, ocirt_container *out_container, ocirt_exit *out_exit,
                            ocirt_error *error);

typedef struct ocirt_process_info {
    int         pid, ppid;  /* as the caller's procfs numbers them */
    uint32_t    uid;        /* real, of the host                  */
    uint64_t    age;        /* seconds since it began             */
    uint64_t    cpu;        /* nanoseconds, user and kernel       */
    const char *command;    /* arguments, or the name in brackets; valid during the call */
} ocirt_process_info;
typedef int (*ocirt_process_fn)(void *user, const ocirt_process_info *process); /* negative stops it */

/* Every process of the container's cgroup and of those below it. */
OCIRT_DEF int ocirt_processes(const char *id, const ocirt_options *options, ocirt_process_fn each, void *user,
                              ocirt_error *error);

typedef struct ocirt_pressure_line { uint32_t avg10, avg60, avg300; uint64_t total; } ocirt_pressure_line; /* 1/100 %, microseconds */
typedef struct ocirt_pressure { bool set; ocirt_pressure_line some, full; } ocirt_pressure; /* kernel: accounting/psi */
typedef struct ocirt_io_stat { uint32_t major, minor; uint64_t read_bytes, write_bytes, reads, writes; } ocirt_io_stat;
typedef struct ocirt_huge_stat { const char *size; uint64_t usage, failures; } ocirt_huge_stat;

/* What the kernel counts for a container's cgroup (cgroup-v2, interface files). No limit: UINT64_MAX. Zero where
   the kernel or the hierarchy lacks the controller. */
typedef struct ocirt_stats {
    uint64_t cpu_total, cpu_user, cpu_kernel;                     /* nanoseconds */
    uint64_t cpu_periods, cpu_throttled_periods, cpu_throttled;   /* number, number, nanoseconds */
    uint64_t memory, memory_limit, memory_peak, memory_failures, memory_cache; /* bytes; failures: times at the limit */
    uint64_t swap, swap_limit;                                    /* bytes, of swap alone */
    uint64_t oom_kills, pids, pids_limit;
    ocirt_pair      *memory_raw; /* every line of memory.stat */
    ocirt_io_stat   *io;
    ocirt_huge_stat *huge;
    size_t           memory_raw_count, io_count, huge_count;
    ocirt_pressure   cpu_pressure, memory_pressure, io_pressure;
} ocirt_stats;

OCIRT_DEF int ocirt_stats_get(ocirt_arena *arena, const char *id, const ocirt_options *options, ocirt_stats *out_stats,
                              ocirt_error *error);
/* The same as one line of JSON, in the form of `runc events`. */
OCIRT_DEF int ocirt_stats_write(const ocirt_stats *stats, const char *id, ocirt_write_fn write, void *user);

/* `stats` NULL: a process of the container was killed for want of memory. Negative stops it. */
typedef int (*ocirt_event_fn)(void *user, const ocirt_stats *stats);
/* Reports figures now and every interval_ms, and each kill for want of memory, until the container has ended. */
OCIRT_DEF int ocirt_events(const char *id, const ocirt_options *options, unsigned interval_ms, ocirt_event_fn each,
                           void *user, ocirt_error *error);

typedef int (*ocirt_state_fn)(void *user, const ocirt_state *state); /* negative stops the listing */
/* Every container of the state root; foreign and broken entries are passed over. */
OCIRT_DEF int ocirt_list(const ocirt_options *options, ocirt_state_fn each, void *user,
                         ocirt_error *error);
/* An unused id for a container nobody has named: "ocirt-" and 12 hex digits. */
OCIRT_DEF void ocirt_make_id(char out_id[32]);

#ifdef __cplusplus
}
#endif
#endif /* OCIRT_H */

#ifdef OCIRT_IMPLEMENTATION
#ifndef OCIRT__IMPLEMENTED
#define OCIRT__IMPLEMENTED

/* ===========================================================================================
   >>platform   feature macros, libc headers, and what the kernel's ABI needs and libc may lack.
   Numbers from 403 up are the same on every port but alpha (+110) and mips (by ABI), so that a
   build against old headers still uses new calls.
   =========================================================================================== */

#if defined(__GLIBC__) && !defined(__USE_GNU)
#error "include ocirt.h with OCIRT_IMPLEMENTATION before every system header (or define _GNU_SOURCE)"
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#if defined(__alpha__)
#define OCIRT__NR(n) ((n) + 110)
#elif defined(__mips__) && _MIPS_SIM == _ABIO32
#define OCIRT__NR(n) ((n) + 4000)
#elif defined(__mips__) && _MIPS_SIM == _ABI64
#define OCIRT__NR(n) ((n) + 5000)
#elif defined(__mips__) && _MIPS_SIM == _ABIN32
#define OCIRT__NR(n) ((n) + 6000)
#else
#define OCIRT__NR(n) (n)
#endif

#define OCIRT__NR_pidfd_send_signal OCIRT__NR(424)
#define OCIRT__NR_open_tree         OCIRT__NR(428)
#define OCIRT__NR_move_mount        OCIRT__NR(429)
#define OCIRT__NR_fsopen            OCIRT__NR(430)
#define OCIRT__NR_fsconfig          OCIRT__NR(431)
#define OCIRT__NR_fsmount           OCIRT__NR(432)
#define OCIRT__NR_pidfd_open        OCIRT__NR(434)
#define OCIRT__NR_clone3            OCIRT__NR(435)
#define OCIRT__NR_close_range       OCIRT__NR(436)
#define OCIRT__NR_openat2           OCIRT__NR(437)
#define OCIRT__NR_mount_setattr     OCIRT__NR(442)
#define OCIRT__NR_landlock_create   OCIRT__NR(444)
#define OCIRT__NR_landlock_add_rule OCIRT__NR(445)
#define OCIRT__NR_landlock_restrict OCIRT__NR(446)

struct ocirt__open_how {
    uint64_t flags, mode, resolve;
};
#define OCIRT__RESOLVE_NO_XDEV       0x01u
#define OCIRT__RESOLVE_NO_MAGICLINKS 0x02u
#define OCIRT__RESOLVE_NO_SYMLINKS   0x04u
#define OCIRT__RESOLVE_BENEATH       0x08u
#define OCIRT__RESOLVE_IN_ROOT       0x10u

struct ocirt__mount_attr {
    uint64_t attr_set, attr_clr, propagation, userns_fd;
};

struct ocirt__clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size, cgroup;
};

struct ocirt__sched_attr { /* with the clamps of 5.3 */
    uint32_t size, policy;
    uint64_t flags;
    int32_t  nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};
#define OCIRT__SCHED_DEADLINE 6u

struct ocirt__cap_header {
    uint32_t version;
    int32_t  pid;
};
struct ocirt__cap_data {
    uint32_t effective, permitted, inheritable;
};
#define OCIRT__CAP_VERSION_3 0x20080522u
#define OCIRT__CAP_LAST      40

/* Values that old headers lack or that collide between libc and kernel headers. */
#define OCIRT__CLONE_NEWTIME          0x00000080ull
#define OCIRT__CLONE_NEWNS            0x00020000ull
#define OCIRT__CLONE_NEWCGROUP        0x02000000ull
#define OCIRT__CLONE_NEWUTS           0x04000000ull
#define OCIRT__CLONE_NEWIPC           0x08000000ull
#define OCIRT__CLONE_NEWUSER          0x10000000ull
#define OCIRT__CLONE_NEWPID           0x20000000ull
#define OCIRT__CLONE_NEWNET           0x40000000ull
#define OCIRT__CLONE_VM               0x00000100ull
#define OCIRT__CLONE_PIDFD            0x00001000ull
#define OCIRT__CLONE_VFORK            0x00004000ull
#define OCIRT__CLONE_PARENT           0x00008000ull
#define OCIRT__CLONE_CLEAR_SIGHAND   0x100000000ull
#define OCIRT__CLONE_INTO_CGROUP     0x200000000ull
#define OCIRT__OPEN_TREE_CLONE        1u
#define OCIRT__OPEN_TREE_NAMESPACE    2u /* 7.0 */
#define OCIRT__OPEN_TREE_CLOEXEC      ((unsigned)O_CLOEXEC)
#define OCIRT__AT_RECURSIVE           0x8000u
#define OCIRT__AT_EMPTY_PATH          0x1000u
#define OCIRT__AT_NO_AUTOMOUNT        0x800u
#define OCIRT__AT_SYMLINK_NOFOLLOW    0x100u
#define OCIRT__MOVE_MOUNT_F_EMPTY     0x04u
#define OCIRT__MOVE_MOUNT_T_EMPTY     0x40u
#define OCIRT__FSOPEN_CLOEXEC         1u
#define OCIRT__FSMOUNT_CLOEXEC        1u
#define OCIRT__FSCONFIG_SET_FLAG      0u
#define OCIRT__FSCONFIG_SET_STRING    1u
#define OCIRT__FSCONFIG_CREATE        6u
#define OCIRT__PIDFD_P                3
#define OCIRT__CLOSE_RANGE_CLOEXEC    4u
#define OCIRT__NS_GET_NSTYPE          0xb703u
#define OCIRT__PR_CAP_AMBIENT         47
#define OCIRT__PR_CAP_AMBIENT_IS_SET  1
#define OCIRT__PR_CAP_AMBIENT_RAISE   2
#define OCIRT__PR_CAP_AMBIENT_CLEAR   4
#define OCIRT__KEYCTL_GET_KEYRING_ID  0
#define OCIRT__KEYCTL_JOIN_SESSION    1
#define OCIRT__PROC_MAGIC             0x9fa0
#define OCIRT__CGROUP2_MAGIC          0x63677270
#define OCIRT__RESCTRL_MAGIC          0x07655821u
#define OCIRT__RAMFS_MAGIC            0x858458f6u
#define OCIRT__TMPFS_MAGIC            0x01021994u

/* ===========================================================================================
   >>sys   system calls that return a negative errno.
   Every kernel call of this header goes through OCIRT_SYSCALL, which tests replace to fail, lie
   or stop. libc's wrappers are avoided where they do more than the call: its set*id functions
   broadcast to all threads, and in a raw clone those threads do not exist.
   =========================================================================================== */

#ifndef OCIRT_SYSCALL
#define OCIRT_SYSCALL syscall
#endif

/* libc's syscall() reports through errno, which in a child with CLONE_VM is the host's own. */
static long ocirt__sys6(long number, long a, long b, long c, long d, long e, long f) {
    int  saved  = errno;
    long result = OCIRT_SYSCALL(number, a, b, c, d, e, f);
    if (result == -1) result = -(long)errno;
    errno = saved;
    return result;
}

#define OCIRT__ARG(x)                    ((long)(x))
#define OCIRT__SYS0(n)                   ocirt__sys6(n, 0, 0, 0, 0, 0, 0)
#define OCIRT__SYS1(n, a)                ocirt__sys6(n, OCIRT__ARG(a), 0, 0, 0, 0, 0)
#define OCIRT__SYS2(n, a, b)             ocirt__sys6(n, OCIRT__ARG(a), OCIRT__ARG(b), 0, 0, 0, 0)
#define OCIRT__SYS3(n, a, b, c)          ocirt__sys6(n, OCIRT__ARG(a), OCIRT__ARG(b), OCIRT__ARG(c), 0, 0, 0)
#define OCIRT__SYS4(n, a, b, c, d)       ocirt__sys6(n, OCIRT__ARG(a), OCIRT__ARG(b), OCIRT__ARG(c), OCIRT__ARG(d), 0, 0)
#define OCIRT__SYS5(n, a, b, c, d, e)    ocirt__sys6(n, OCIRT__ARG(a), OCIRT__ARG(b), OCIRT__ARG(c), OCIRT__ARG(d), OCIRT__ARG(e), 0)

static int ocirt__sys_openat(int dir, const char *path, int flags, unsigned mode) {
    return (int)OCIRT__SYS4(SYS_openat, dir, path, flags | O_CLOEXEC, mode);
}
static int ocirt__sys_openat2(int dir, const char *path, int flags, unsigned mode, unsigned resolve) {
    struct ocirt__open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .mode = mode,
                                  .resolve = resolve};
    return (int)OCIRT__SYS4(OCIRT__NR_openat2, dir, path, &how, sizeof how);
}
/* Closes once and marks as closed: a second close could hit another thread's file. Not retried
   on EINTR, because Linux has freed the descriptor by then. */
static void ocirt__sys_close(int *fd) {
    if (*fd >= 0) OCIRT__SYS1(SYS_close, *fd);
    *fd = -1;
}
static long ocirt__sys_read(int fd, void *data, size_t size) {
    long n;
    do n = OCIRT__SYS3(SYS_read, fd, data, size);
    while (n == -EINTR);
    return n;
}
static long ocirt__sys_write(int fd, const void *data, size_t size) {
    long n;
    do n = OCIRT__SYS3(SYS_write, fd, data, size);
    while (n == -EINTR);
    return n;
}
static int ocirt__sys_write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        long n = ocirt__sys_write(fd, data, size);
        if (n < 0) return (int)n;
        if (n == 0) return -EIO;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}
static long ocirt__sys_read_all(int fd, char *data, size_t size) {
    size_t have = 0;
    while (have < size) {
        long n = ocirt__sys_read(fd, data + have, size - have);
        if (n < 0) return n;
        if (n == 0) break;
        have += (size_t)n;
    }
    return (long)have;
}

/* The part of struct statx that we use, as the kernel lays it out (statx(2)). */
struct ocirt__statx {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, spare0;
    uint64_t ino, size, blocks, attributes_mask;
    struct {
        int64_t  sec;
        uint32_t nsec;
        int32_t  pad;
    } times[4];
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t mnt_id, spare[30];
};
static int ocirt__sys_statx(int dir, const char *path, unsigned flags, struct ocirt__statx *out) {
    return (int)OCIRT__SYS5(SYS_statx, dir, path, flags | OCIRT__AT_NO_AUTOMOUNT, 0x17ffu, out);
}
static int ocirt__sys_fstatx(int fd, struct ocirt__statx *out) {
    return ocirt__sys_statx(fd, "", OCIRT__AT_EMPTY_PATH, out);
}
static int ocirt__sys_fstatfs(int fd, struct statfs *out) {
#ifdef SYS_fstatfs64
    return (int)OCIRT__SYS3(SYS_fstatfs64, fd, sizeof *out, out);
#else
    return (int)OCIRT__SYS2(SYS_fstatfs, fd, out);
#endif
}
static int ocirt__sys_mkdirat(int dir, const char *path, unsigned mode) {
    return (int)OCIRT__SYS3(SYS_mkdirat, dir, path, mode);
}
static int ocirt__sys_mknodat(int dir, const char *path, unsigned mode, uint64_t device) {
    return (int)OCIRT__SYS4(SYS_mknodat, dir, path, mode, device);
}
static int ocirt__sys_symlinkat(const char *target, int dir, const char *path) {
    return (int)OCIRT__SYS3(SYS_symlinkat, target, dir, path);
}
static long ocirt__sys_readlinkat(int dir, const char *path, char *out, size_t size) {
    long n = OCIRT__SYS4(SYS_readlinkat, dir, path, out, size - 1);
    if (n >= 0) out[n] = 0;
    return n;
}
static int ocirt__sys_unlinkat(int dir, const char *path, int flags) {
    return (int)OCIRT__SYS3(SYS_unlinkat, dir, path, flags);
}
static int ocirt__sys_renameat(int dir, const char *from, const char *to) {
    return (int)OCIRT__SYS5(SYS_renameat2, dir, from, dir, to, 0);
}
static int ocirt__sys_fchmodat(int dir, const char *path, unsigned mode) {
    return (int)OCIRT__SYS3(SYS_fchmodat, dir, path, mode);
}
static int ocirt__sys_fchownat(int dir, const char *path, uint32_t uid, uint32_t gid, unsigned flags) {
    return (int)OCIRT__SYS5(SYS_fchownat, dir, path, uid, gid, flags);
}
static long ocirt__sys_getdents(int fd, void *buffer, size_t size) {
    return OCIRT__SYS3(SYS_getdents64, fd, buffer, size);
}
static int ocirt__sys_ioctl(int fd, unsigned long request, void *argument) {
    return (int)OCIRT__SYS3(SYS_ioctl, fd, request, argument);
}
static int ocirt__sys_flock(int fd, int operation) {
    long r;
    do r = OCIRT__SYS2(SYS_flock, fd, operation);
    while (r == -EINTR);
    return (int)r;
}

/* By the call and not through the vDSO, whose pages a short-lived program would map for one question. */
struct ocirt__clock {
    int64_t sec, nsec;
};
static struct ocirt__clock ocirt__sys_clock(int clock) {
    struct ocirt__clock now = {0, 0};
#ifdef SYS_clock_gettime64
    OCIRT__SYS2(SYS_clock_gettime64, clock, &now);
#else
    OCIRT__SYS2(SYS_clock_gettime, clock, &now);
#endif
    return now;
}

/* poll with a limit in milliseconds that survives EINTR; negative: none. */
static int64_t ocirt__sys_now_ms(void) {
    struct ocirt__clock now = ocirt__sys_clock(CLOCK_MONOTONIC);
    return now.sec * 1000 + now.nsec / 1000000;
}
static int ocirt__sys_poll_once(struct pollfd *fds, unsigned count, int64_t ms) {
    struct {
        int64_t sec, nsec;
    } wait = {ms / 1000, (ms % 1000) * 1000000};
    void *limit = ms < 0 ? NULL : &wait;
#ifdef SYS_ppoll_time64
    return (int)OCIRT__SYS5(SYS_ppoll_time64, fds, count, limit, NULL, 8);
#else
    return (int)OCIRT__SYS5(SYS_ppoll, fds, count, limit, NULL, 8);
#endif
}
static int ocirt__sys_poll(struct pollfd *fds, unsigned count, int64_t ms) {
    int64_t end = ms < 0 ? 0 : ocirt__sys_now_ms() + ms;
    for (;;) {
        int ready = ocirt__sys_poll_once(fds, count, ms);
        if (ready != -EINTR) return ready;
        if (ms >= 0 && (ms = end - ocirt__sys_now_ms()) < 0) ms = 0;
    }
}

static int ocirt__sys_pidfd_open(int pid) {
    return (int)OCIRT__SYS2(OCIRT__NR_pidfd_open, pid, 0);
}
static int ocirt__sys_pidfd_signal(int pidfd, int signal) {
    return (int)OCIRT__SYS4(OCIRT__NR_pidfd_send_signal, pidfd, signal, NULL, 0);
}
/* Reaps exactly one child; __WALL because helpers have no exit signal. */
static int ocirt__sys_await_end(int pidfd, siginfo_t *out, int how) {
    long r;
    memset(out, 0, sizeof *out);
    do r = OCIRT__SYS5(SYS_waitid, OCIRT__PIDFD_P, pidfd, out, WEXITED | __WALL | how, NULL);
    while (r == -EINTR);
    return (int)r;
}
static int ocirt__sys_reap(int pidfd, siginfo_t *out) { return ocirt__sys_await_end(pidfd, out, 0); }

/* Text, and at its first byte a descriptor (SCM_RIGHTS); -1: none. */
static long ocirt__sys_send(int socket, int fd, const char *text, size_t size) {
    struct iovec data = {(void *)(uintptr_t)text, size};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control, message.msg_controllen = sizeof control.room;
        control.header.cmsg_len = CMSG_LEN(sizeof fd), control.header.cmsg_level = SOL_SOCKET, control.header.cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    }
    return OCIRT__SYS3(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
}

static int ocirt__sys_open_tree(int dir, const char *path, unsigned flags) {
    return (int)OCIRT__SYS3(OCIRT__NR_open_tree, dir, path, flags | OCIRT__OPEN_TREE_CLOEXEC);
}
static int ocirt__sys_move_mount(int from, int to) {
    return (int)OCIRT__SYS5(OCIRT__NR_move_mount, from, "", to, "",
                            OCIRT__MOVE_MOUNT_F_EMPTY | OCIRT__MOVE_MOUNT_T_EMPTY);
}
static int ocirt__sys_mount_setattr(int fd, unsigned flags, const struct ocirt__mount_attr *attr) {
    return (int)OCIRT__SYS5(OCIRT__NR_mount_setattr, fd, "", flags | OCIRT__AT_EMPTY_PATH, attr, sizeof *attr);
}
static int ocirt__sys_fsopen(const char *type) {
    return (int)OCIRT__SYS2(OCIRT__NR_fsopen, type, OCIRT__FSOPEN_CLOEXEC);
}
static int ocirt__sys_fsconfig(int fd, unsigned command, const char *key, const char *value) {
    return (int)OCIRT__SYS5(OCIRT__NR_fsconfig, fd, command, key, value, 0);
}
static int ocirt__sys_fsmount(int fd, unsigned attributes) {
    return (int)OCIRT__SYS3(OCIRT__NR_fsmount, fd, OCIRT__FSMOUNT_CLOEXEC, attributes);
}
static int ocirt__sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
                            const char *data) {
    return (int)OCIRT__SYS5(SYS_mount, source, target, type, flags, data);
}
static int ocirt__sys_umount(const char *path, int flags) {
    return (int)OCIRT__SYS2(SYS_umount2, path, flags);
}
static int ocirt__sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c) {
    return (int)OCIRT__SYS5(SYS_prctl, option, a, b, c, 0);
}

/* The 16-bit calls keep the plain name on 32-bit ports. */
#ifdef SYS_setresuid32
#define OCIRT__NR_setresuid SYS_setresuid32
#define OCIRT__NR_setresgid SYS_setresgid32
#define OCIRT__NR_getresuid SYS_getresuid32
#define OCIRT__NR_getresgid SYS_getresgid32
#define OCIRT__NR_setgroups SYS_setgroups32
#define OCIRT__NR_getgroups SYS_getgroups32
#else
#define OCIRT__NR_setresuid SYS_setresuid
#define OCIRT__NR_setresgid SYS_setresgid
#define OCIRT__NR_getresuid SYS_getresuid
#define OCIRT__NR_getresgid SYS_getresgid
#define OCIRT__NR_setgroups SYS_setgroups
#define OCIRT__NR_getgroups SYS_getgroups
#endif

/* ===========================================================================================
   >>mem   an arena and a growing text in it. All memory of the header comes through here, so that
   there is one free per operation and one place that can run out.
   =========================================================================================== */

#if defined(OCIRT_MALLOC) != defined(OCIRT_FREE)
#error "define both OCIRT_MALLOC(size) and OCIRT_FREE(pointer), or neither"
#endif
#ifndef OCIRT_MALLOC
#define OCIRT_MALLOC(size)  malloc(size)
#define OCIRT_FREE(pointer) free(pointer)
#endif

#ifndef OCIRT_MAX_CONFIG
#define OCIRT_MAX_CONFIG (16u << 20) /* bytes of a config.json */
#endif
#ifndef OCIRT_MAX_DEPTH
#define OCIRT_MAX_DEPTH 64 /* of nested arrays and objects */
#endif
#ifndef OCIRT_MAX_ROWS
#define OCIRT_MAX_ROWS 8192 /* of a plan */
#endif

typedef struct ocirt__block {
    struct ocirt__block *next;
    size_t               size, used;
} ocirt__block;

/* Few and large: a page that nothing is put on costs nothing, another block costs calls and page faults. */
enum { OCIRT__MEM_BLOCK = 65536 - 256 };
#define OCIRT__MEM_HEAD ((sizeof(ocirt__block) + 15u) & ~(size_t)15u)

static ocirt__block *ocirt__mem_block(ocirt_arena *arena, size_t size) {
    size_t room = size < OCIRT__MEM_BLOCK ? OCIRT__MEM_BLOCK : size;
    ocirt__block *block = OCIRT_MALLOC(OCIRT__MEM_HEAD + room);
    if (!block) return NULL;
    *block = (ocirt__block){.next = arena->blocks, .size = room};
    arena->blocks = block;
    return block;
}

/* Aligned to 16, not zeroed. NULL when there is no more. */
static void *ocirt__mem_take(ocirt_arena *arena, size_t size) {
    ocirt__block *block = arena->blocks;
    void *result;
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + 15u) & ~(size_t)15u;
    if (!block || block->size - block->used < size) block = ocirt__mem_block(arena, size);
    if (!block) return NULL;
    result = (char *)block + OCIRT__MEM_HEAD + block->used;
    block->used += size;
    arena->used += size;
    return result;
}

static void *ocirt__mem_alloc(ocirt_arena *arena, size_t size) {
    void *result = ocirt__mem_take(arena, size);
    return result ? memset(result, 0, size) : NULL;
}

static void *ocirt__mem_array(ocirt_arena *arena, size_t count, size_t size) {
    if (size && count > SIZE_MAX / 2 / size) return NULL;
    return ocirt__mem_alloc(arena, count * size);
}

static char *ocirt__mem_text(ocirt_arena *arena, const char *text, size_t size) {
    char *copy = ocirt__mem_take(arena, size + 1);
    if (!copy) return NULL;
    copy[size] = 0;
    return memcpy(copy, text, size);
}

static char *ocirt__mem_format(ocirt_arena *arena, const char *format, ...) {
    va_list list;
    char *text;
    int   n;
    va_start(list, format);
    n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    text = n < 0 ? NULL : ocirt__mem_alloc(arena, (size_t)n + 1);
    if (!text) return NULL;
    va_start(list, format);
    vsnprintf(text, (size_t)n + 1, format, list);
    va_end(list);
    return text;
}

/* Decimal digits without stdio. Returns the length. */
static size_t ocirt__mem_decimal(char *out, uint64_t number) {
    char   digits[20];
    size_t n = 0, i;
    do digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    for (i = 0; i < n; i++) out[i] = digits[n - 1 - i];
    out[n] = 0;
    return n;
}

/* The blocks of `from` become `to`'s. */
static void ocirt__mem_adopt(ocirt_arena *to, ocirt_arena *from) {
    ocirt__block *last = from->blocks;
    if (!last) return;
    while (last->next) last = last->next;
    last->next = to->blocks;
    to->blocks = from->blocks;
    to->used += from->used;
    *from = (ocirt_arena){0};
}

OCIRT_DEF void *ocirt_allocate(ocirt_arena *arena, size_t size) {
    return ocirt__mem_take(arena, size);
}

OCIRT_DEF void ocirt_arena_free(ocirt_arena *arena) {
    ocirt__block *block = arena->blocks;
    while (block) {
        ocirt__block *next = block->next;
        OCIRT_FREE(block);
        block = next;
    }
    *arena = (ocirt_arena){0};
}

/* Growing bytes, always NUL-terminated. Failure is remembered, so that writers need no checks. */
typedef struct ocirt__buffer {
    ocirt_arena *arena;
    char        *data;
    size_t       size, capacity;
    bool         failed;
} ocirt__buffer;

static bool ocirt__buffer_room(ocirt__buffer *b, size_t more) {
    size_t capacity = b->capacity ? b->capacity : 256;
    char *data;
    if (more >= SIZE_MAX / 4 - b->size) b->failed = true;
    if (b->failed) return false;
    if (b->data && b->size + more + 1 <= b->capacity) return true;
    while (capacity < b->size + more + 1) capacity *= 2;
    data = ocirt__mem_take(b->arena, capacity);
    if (!data) return b->failed = true, false;
    if (b->size) memcpy(data, b->data, b->size);
    b->data = data, b->capacity = capacity;
    return true;
}

static void ocirt__buffer_put(ocirt__buffer *b, const void *data, size_t size) {
    if (!ocirt__buffer_room(b, size)) return;
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = 0;
}

static void ocirt__buffer_text(ocirt__buffer *b, const char *text) {
    ocirt__buffer_put(b, text, strlen(text));
}

static void ocirt__buffer_format(ocirt__buffer *b, const char *format, ...) {
    va_list list;
    int n;
    va_start(list, format);
    n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (n < 0 || !ocirt__buffer_room(b, (size_t)n)) return;
    va_start(list, format);
    vsnprintf(b->data + b->size, (size_t)n + 1, format, list);
    va_end(list);
    b->size += (size_t)n;
}

/* ===========================================================================================
   >>error   the error record and the texts of errno. Texts are our own: strerror depends on the
   locale and is not safe in threads, and callers match on lower case.
   =========================================================================================== */

OCIRT_DEF const char *ocirt_errno_text(int number) {
    static const struct {
        int         number;
        const char *text;
    } texts[] = {{EPERM, "operation not permitted"}, {ENOENT, "no such file or directory"}, {ESRCH, "no such process"}, {EINTR, "interrupted"},
        {EIO, "input/output error"}, {ENXIO, "no such device or address"}, {E2BIG, "argument list too long"}, {ENOEXEC, "exec format error"},
        {EBADF, "bad file descriptor"}, {ECHILD, "no child processes"}, {EAGAIN, "resource temporarily unavailable"}, {ENOMEM, "cannot allocate memory"},
        {EACCES, "permission denied"}, {EFAULT, "bad address"}, {ENOTBLK, "block device required"}, {EBUSY, "device or resource busy"},
        {EEXIST, "file exists"}, {EXDEV, "invalid cross-device link"}, {ENODEV, "no such device"}, {ENOTDIR, "not a directory"},
        {EISDIR, "is a directory"}, {EINVAL, "invalid argument"}, {ENFILE, "too many open files in system"}, {EMFILE, "too many open files"},
        {ENOTTY, "inappropriate ioctl for device"}, {ETXTBSY, "text file busy"}, {EFBIG, "file too large"}, {ENOSPC, "no space left on device"},
        {ESPIPE, "illegal seek"}, {EROFS, "read-only file system"}, {EMLINK, "too many links"}, {EPIPE, "broken pipe"},
        {ERANGE, "numerical result out of range"}, {EDEADLK, "resource deadlock avoided"}, {ENAMETOOLONG, "file name too long"},
        {ENOLCK, "no locks available"}, {ENOSYS, "the kernel has no such call"}, {ENOTEMPTY, "directory not empty"}, {ELOOP, "too many levels of symbolic links"},
        {EOVERFLOW, "value too large"}, {EUSERS, "too many users"}, {ENOTSOCK, "not a socket"}, {EOPNOTSUPP, "operation not supported"},
        {EADDRINUSE, "address already in use"}, {ECONNRESET, "connection reset"}, {ETIMEDOUT, "timed out"}, {ECONNREFUSED, "connection refused"}, {ENOTCONN, "not connected"}, {ENOBUFS, "no buffer space"},
        {ESTALE, "stale file handle"}, {EDQUOT, "disk quota exceeded"}, {ECANCELED, "canceled"}, {EUCLEAN, "structure needs cleaning"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].number == number) return texts[i].text;
    return "unknown error";
}

static int ocirt__error_set(ocirt_error *e, int code, int sys, const char *object, const char *format, ...) {
    va_list list;
    int n;
    if (!e) return -code;
    memset(e, 0, sizeof *e);
    e->code = code, e->sys = sys, e->row = e->actor = -1;
    snprintf(e->object, sizeof e->object, "%s", object);
    va_start(list, format);
    n = vsnprintf(e->message, sizeof e->message, format, list);
    va_end(list);
    if (sys && n >= 0 && (size_t)n < sizeof e->message) snprintf(e->message + n, sizeof e->message - (size_t)n, ": %s", ocirt_errno_text(sys));
    return -code;
}

static void ocirt__error_hint(ocirt_error *e, const char *format, ...) {
    va_list list;
    if (!e) return;
    va_start(list, format);
    vsnprintf(e->hint, sizeof e->hint, format, list);
    va_end(list);
}

/* ===========================================================================================
   >>json   strict RFC 8259 to tokens: duplicate keys, lone surrogates, bad UTF-8, NUL, a byte order
   mark and anything behind the document are refused, with their place. No recursion, no floating
   point. Tokens point into the text; strings are decoded when a value is taken. Members of an object
   are its tokens in the order key, value, key, value.
   =========================================================================================== */

enum { OCIRT__JSON_NULL = 1, OCIRT__JSON_FALSE, OCIRT__JSON_TRUE, OCIRT__JSON_NUMBER, OCIRT__JSON_STRING, OCIRT__JSON_ARRAY, OCIRT__JSON_OBJECT };

struct ocirt__token {
    uint16_t type, escaped;       /* a string with a backslash */
    uint32_t start, end;          /* of a string: without its quotes */
    uint32_t parent, next, count; /* next: the token behind the whole value; count: elements or members */
    uint32_t line, line_start;    /* where the line begins */
};

struct ocirt_json { /* token 0 stands for "absent", token 1 is the document */
    const char          *text, *file;
    size_t               size;
    struct ocirt__token *tokens;
    uint32_t             count;
};

struct ocirt__reader {
    ocirt_arena         *arena;
    ocirt_error         *error;
    const unsigned char *text;
    size_t               size, at, line_start;
    uint32_t             line;
    ocirt_json          *doc;
    uint32_t             room, stack[OCIRT_MAX_DEPTH + 1], depth;
};

/* Lines and columns count from 1, columns in characters and not bytes. A newline can only stand between tokens, so
   the reader and each token know their line. */
struct ocirt__place { /* on a line, and how far its columns are counted */
    size_t line_start, at;
    int    column;
};

/* Goes on from where it is on the same line. */
static int ocirt__json_column(const char *text, size_t line_start, size_t offset, struct ocirt__place *place) {
    if (place->column == 0 || place->line_start != line_start || offset < place->at) *place = (struct ocirt__place){line_start, line_start, 1};
    for (; place->at < offset; place->at++) place->column += ((unsigned char)text[place->at] & 0xc0) != 0x80;
    return place->column;
}

static int ocirt__json_fail_on(struct ocirt__reader *r, uint32_t on, size_t line_start, size_t at, const char *what) {
    struct ocirt__place place = {0, 0, 0};
    int line = (int)on, column = ocirt__json_column((const char *)r->text, line_start, at, &place);
    ocirt__error_set(r->error, OCIRT_E_JSON, 0, r->doc->file ? r->doc->file : "", "%s%sline %d, column %d: %s", r->doc->file ? r->doc->file : "",
                     r->doc->file ? ": " : "", line, column, what);
    if (r->error) {
        r->error->line = line, r->error->column = column;
        snprintf(r->error->file, sizeof r->error->file, "%s", r->doc->file ? r->doc->file : "");
    }
    return -OCIRT_E_JSON;
}

/* On the line that is being read. */
static int ocirt__json_fail(struct ocirt__reader *r, size_t at, const char *what) {
    return ocirt__json_fail_on(r, r->line, r->line_start, at, what);
}

static uint32_t ocirt__json_token(struct ocirt__reader *r, uint32_t type, size_t start) {
    ocirt_json *doc = r->doc;
    if (doc->count == r->room) {
        uint32_t room = r->room * 2;
        struct ocirt__token *more = ocirt__mem_take(r->arena, room * sizeof *more);
        if (!more) return 0;
        memcpy(more, doc->tokens, doc->count * sizeof *more);
        doc->tokens = more, r->room = room;
    }
    doc->tokens[doc->count] = (struct ocirt__token){.type = (uint16_t)type, .start = (uint32_t)start, .parent = r->depth ? r->stack[r->depth - 1] : 0,
                                                     .line = r->line, .line_start = (uint32_t)r->line_start};
    return doc->count++;
}

static void ocirt__json_space(struct ocirt__reader *r) {
    const unsigned char *s = r->text + r->at, *end = r->text + r->size;
    for (; s < end && (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r'); s++)
        if (*s == '\n') r->line++, r->line_start = (size_t)(s - r->text) + 1;
    r->at = (size_t)(s - r->text);
}

/* Length of a valid UTF-8 sequence at s (Unicode table 3-7), 0 if there is none. */
static size_t ocirt__json_utf8(const unsigned char *s, size_t left) {
    unsigned char low = 0x80, high = 0xbf;
    size_t n;
    if (s[0] < 0x80) return 1;
    n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
    if (n == 0 || n > left) return 0;
    if (s[0] == 0xe0) low = 0xa0;
    if (s[0] == 0xed) high = 0x9f;
    if (s[0] == 0xf0) low = 0x90;
    if (s[0] == 0xf4) high = 0x8f;
    if (s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return n;
}

static int ocirt__json_hex4(const unsigned char *s, size_t left) {
    int value = 0;
    if (left < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int c = s[i], digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* An escape at r->at (the backslash). NUL is refused: strings become C strings. */
static int ocirt__json_escape(struct ocirt__reader *r) {
    size_t begin = r->at++;
    int    unit, low;
    if (r->at < r->size && r->text[r->at] && strchr("\"\\/bfnrt", r->text[r->at])) return r->at++, 0;
    if (r->at >= r->size || r->text[r->at] != 'u') return ocirt__json_fail(r, begin, "unknown escape in a string");
    unit = ocirt__json_hex4(r->text + r->at + 1, r->size - r->at - 1);
    if (unit < 0) return ocirt__json_fail(r, begin, "\\u needs four hexadecimal digits");
    if (unit == 0) return ocirt__json_fail(r, begin, "NUL is not allowed in a string");
    r->at += 5;
    if (unit < 0xd800 || unit > 0xdfff) return 0;
    low = unit < 0xdc00 && r->at + 1 < r->size && r->text[r->at] == '\\' && r->text[r->at + 1] == 'u'
              ? ocirt__json_hex4(r->text + r->at + 2, r->size - r->at - 2) : -1;
    if (low < 0xdc00 || low > 0xdfff) return ocirt__json_fail(r, begin, "half of a surrogate pair without the other");
    r->at += 6;
    return 0;
}

/* Eight bytes without an end: no quote, backslash, control character or byte of a longer character. */
static bool ocirt__json_plain_word(const unsigned char *s) {
    const uint64_t each = 0x0101010101010101u;
    uint64_t word;
    memcpy(&word, s, sizeof word);
    return !((word | (word - each * 0x20) | ((word ^ each * '"') - each) | ((word ^ each * '\\') - each)) & each * 0x80);
}

static int ocirt__json_string(struct ocirt__reader *r) {
    size_t   begin = r->at++;
    uint32_t token = ocirt__json_token(r, OCIRT__JSON_STRING, r->at);
    if (!token) return ocirt__error_set(r->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    for (;;) {
        const unsigned char *s = r->text + r->at, *end = r->text + r->size;
        size_t n;
        while (end - s >= 8 && ocirt__json_plain_word(s)) s += 8;
        while (s < end && *s >= 0x20 && *s < 0x80 && *s != '\\' && *s != '"') s++;
        r->at = (size_t)(s - r->text);
        if (s == end || *s == '"') break;
        if (r->text[r->at] == '\\') {
            int e = ocirt__json_escape(r);
            if (e < 0) return e;
            r->doc->tokens[token].escaped = true;
            continue;
        }
        if (r->text[r->at] < 0x20) return ocirt__json_fail(r, r->at, "control character in a string (write it as \\u00XX)");
        n = ocirt__json_utf8(r->text + r->at, r->size - r->at);
        if (n == 0) return ocirt__json_fail(r, r->at, "invalid UTF-8");
        r->at += n;
    }
    if (r->at >= r->size) return ocirt__json_fail(r, begin, "string without end");
    r->doc->tokens[token].end = (uint32_t)r->at++;
    r->doc->tokens[token].next = r->doc->count;
    return 0;
}

static bool ocirt__json_digits(struct ocirt__reader *r) {
    size_t begin = r->at;
    while (r->at < r->size && r->text[r->at] >= '0' && r->text[r->at] <= '9') r->at++;
    return r->at > begin;
}

static int ocirt__json_number(struct ocirt__reader *r) {
    size_t   begin = r->at;
    uint32_t token = ocirt__json_token(r, OCIRT__JSON_NUMBER, begin);
    bool     good;
    if (!token) return ocirt__error_set(r->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (r->text[r->at] == '-') r->at++;
    if (r->at < r->size && r->text[r->at] == '0') good = true, r->at++;
    else good = ocirt__json_digits(r);
    if (good && r->at < r->size && r->text[r->at] == '.') r->at++, good = ocirt__json_digits(r);
    if (good && r->at < r->size && (r->text[r->at] | 32) == 'e') {
        r->at++;
        if (r->at < r->size && (r->text[r->at] == '+' || r->text[r->at] == '-')) r->at++;
        good = ocirt__json_digits(r);
    }
    if (good && r->at < r->size && r->text[r->at] >= '0' && r->text[r->at] <= '9') good = false; /* 00 */
    if (!good) return ocirt__json_fail(r, begin, "malformed number");
    r->doc->tokens[token].end = (uint32_t)r->at;
    r->doc->tokens[token].next = r->doc->count;
    return 0;
}

static int ocirt__json_word(struct ocirt__reader *r) {
    static const char *const words[] = {"null", "false", "true"};
    for (uint32_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (r->size - r->at < n || memcmp(r->text + r->at, words[i], n) != 0) continue;
        uint32_t token = ocirt__json_token(r, OCIRT__JSON_NULL + i, r->at);
        if (!token) return ocirt__error_set(r->error, OCIRT_E_MEMORY, 0, "", "out of memory");
        r->at += n;
        r->doc->tokens[token].end = (uint32_t)r->at;
        r->doc->tokens[token].next = r->doc->count;
        return 0;
    }
    return ocirt__json_fail(r, r->at, "a value is expected here");
}

/* ----- decoding ----- */

static size_t ocirt__json_put_utf8(char *out, unsigned code) {
    if (code < 0x80) return out[0] = (char)code, 1;
    if (code < 0x800) return out[0] = (char)(0xc0 | code >> 6), out[1] = (char)(0x80 | (code & 0x3f)), 2;
    if (code < 0x10000)
        return out[0] = (char)(0xe0 | code >> 12), out[1] = (char)(0x80 | (code >> 6 & 0x3f)), out[2] = (char)(0x80 | (code & 0x3f)), 3;
    out[0] = (char)(0xf0 | code >> 18), out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f)), out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* `out` has room for as many bytes as the escaped text has. Returns the length. */
static size_t ocirt__json_decode(const ocirt_json *doc, uint32_t token, char *out) {
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const unsigned char *s = (const unsigned char *)doc->text + doc->tokens[token].start, *end = (const unsigned char *)doc->text + doc->tokens[token].end;
    size_t n = 0;
    while (s < end) {
        unsigned code;
        if (*s != '\\') { out[n++] = (char)*s++; continue; }
        if (s[1] != 'u') { out[n++] = meant[strchr(plain, s[1]) - plain]; s += 2; continue; }
        code = (unsigned)ocirt__json_hex4(s + 2, 4);
        s += 6;
        if (code >= 0xd800 && code < 0xdc00) code = 0x10000 + ((code - 0xd800) << 10) + (unsigned)ocirt__json_hex4(s + 2, 4) - 0xdc00, s += 6;
        n += ocirt__json_put_utf8(out + n, code);
    }
    out[n] = 0;
    return n;
}

static char *ocirt__json_text(ocirt_arena *arena, const ocirt_json *doc, uint32_t token) {
    char *out;
    if (doc->tokens[token].type != OCIRT__JSON_STRING) return NULL;
    if (!doc->tokens[token].escaped)
        return ocirt__mem_text(arena, doc->text + doc->tokens[token].start, doc->tokens[token].end - doc->tokens[token].start);
    out = ocirt__mem_alloc(arena, doc->tokens[token].end - doc->tokens[token].start + 1);
    if (out) ocirt__json_decode(doc, token, out);
    return out;
}

/* Compares a string token with a name without decoding the common case. */
static bool ocirt__json_equals(const ocirt_json *doc, uint32_t token, const char *name, size_t n) {
    const struct ocirt__token *t = &doc->tokens[token];
    char decoded[256];
    if (t->end - t->start < n || (n && doc->text[t->start] != name[0] && doc->text[t->start] != '\\')) return false; /* decoding only makes it shorter */
    if (!t->escaped) return t->end - t->start == n && memcmp(doc->text + t->start, name, n) == 0;
    if (t->end - t->start >= sizeof decoded) return false;
    return ocirt__json_decode(doc, token, decoded) == n && memcmp(decoded, name, n) == 0;
}

/* ----- duplicate keys ----- */

/* Two keys are the same if their decoded texts are; a hash table per large object keeps it linear. */
static uint64_t ocirt__json_hash(const char *text, size_t n) {
    uint64_t h = 1469598103934665603ull;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)text[i]) * 1099511628211ull;
    return h;
}

static int ocirt__json_duplicate(struct ocirt__reader *r, uint32_t first, uint32_t second) {
    const struct ocirt__token *one = &r->doc->tokens[first], *two = &r->doc->tokens[second];
    struct ocirt__place place = {0, 0, 0};
    char what[120];
    snprintf(what, sizeof what, "duplicate key; it stands first in line %u, column %d", (unsigned)one->line,
             ocirt__json_column(r->doc->text, one->line_start, one->start - 1, &place));
    return ocirt__json_fail_on(r, two->line, two->line_start, two->start - 1, what);
}

static int ocirt__json_check_keys(struct ocirt__reader *r, uint32_t object) {
    const ocirt_json *doc = r->doc;
    ocirt_arena scratch = {0};
    uint32_t    count = doc->tokens[object].count, room = 4, end = doc->count, *slots;
    char      **names;
    int         result = 0;
    if (count < 2) return 0;
    while (room < count * 2) room *= 2;
    slots = ocirt__mem_array(&scratch, room, sizeof *slots);
    names = ocirt__mem_array(&scratch, room, sizeof *names);
    if (!slots || !names) result = ocirt__error_set(r->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    for (uint32_t key = object + 1; result == 0 && key < end; key = doc->tokens[doc->tokens[key].next].next) {
        char *name = ocirt__json_text(&scratch, doc, key);
        uint32_t at = name ? (uint32_t)ocirt__json_hash(name, strlen(name)) & (room - 1) : 0;
        if (!name) result = ocirt__error_set(r->error, OCIRT_E_MEMORY, 0, "", "out of memory");
        while (result == 0 && slots[at]) {
            if (strcmp(names[at], name) == 0) result = ocirt__json_duplicate(r, slots[at], key);
            at = (at + 1) & (room - 1);
        }
        slots[at] = key, names[at] = name;
    }
    ocirt_arena_free(&scratch);
    return result;
}

/* Small objects, which is nearly all: pairwise on the raw text where nothing is escaped. */
static int ocirt__json_check_small(struct ocirt__reader *r, uint32_t object) {
    const ocirt_json *doc = r->doc;
    uint32_t keys[16], n = 0;
    for (uint32_t key = object + 1; key < doc->count; key = doc->tokens[doc->tokens[key].next].next) {
        if (n == 16 || doc->tokens[key].escaped) return ocirt__json_check_keys(r, object);
        for (uint32_t i = 0; i < n; i++)
            if (ocirt__json_equals(doc, keys[i], doc->text + doc->tokens[key].start, doc->tokens[key].end - doc->tokens[key].start))
                return ocirt__json_duplicate(r, keys[i], key);
        keys[n++] = key;
    }
    return 0;
}

/* ----- the parser: one value at a time, an explicit stack ----- */

static int ocirt__json_key(struct ocirt__reader *r) {
    int e;
    ocirt__json_space(r);
    if (r->at >= r->size || r->text[r->at] != '"') return ocirt__json_fail(r, r->at, "a key in quotes is expected here");
    e = ocirt__json_string(r);
    ocirt__json_space(r);
    if (e == 0 && (r->at >= r->size || r->text[r->at] != ':')) return ocirt__json_fail(r, r->at, "a colon is expected after a key");
    r->at++;
    return e;
}

static int ocirt__json_open(struct ocirt__reader *r, uint32_t type) {
    uint32_t token = ocirt__json_token(r, type, r->at);
    if (!token) return ocirt__error_set(r->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (r->depth == OCIRT_MAX_DEPTH) return ocirt__json_fail(r, r->at, "nested too deeply");
    r->stack[r->depth++] = token;
    r->at++;
    return 0;
}

static int ocirt__json_close(struct ocirt__reader *r) {
    uint32_t token = r->stack[r->depth - 1];
    struct ocirt__token *t = &r->doc->tokens[token];
    t->end  = (uint32_t)++r->at;
    t->next = r->doc->count;
    r->depth--;
    return t->type == OCIRT__JSON_OBJECT ? ocirt__json_check_small(r, token) : 0;
}

/* A value begins here. *out_opened: it is an array or object, whose content comes next. */
static int ocirt__json_value(struct ocirt__reader *r, bool *out_opened) {
    unsigned char c;
    ocirt__json_space(r);
    *out_opened = false;
    if (r->at >= r->size) return ocirt__json_fail(r, r->at, "the text ends where a value is expected");
    c = r->text[r->at];
    if (c == '"') return ocirt__json_string(r);
    if (c == '-' || (c >= '0' && c <= '9')) return ocirt__json_number(r);
    if (c != '{' && c != '[') return ocirt__json_word(r);
    *out_opened = true;
    return ocirt__json_open(r, c == '{' ? OCIRT__JSON_OBJECT : OCIRT__JSON_ARRAY);
}

/* After a value: a comma, or the end of what is open. Returns 1 when another element comes. */
static int ocirt__json_after(struct ocirt__reader *r) {
    while (r->depth) {
        struct ocirt__token *open = &r->doc->tokens[r->stack[r->depth - 1]];
        unsigned char close = open->type == OCIRT__JSON_OBJECT ? '}' : ']';
        int e;
        ocirt__json_space(r);
        if (r->at < r->size && r->text[r->at] == ',' && open->count) return r->at++, 1;
        if (r->at >= r->size || r->text[r->at] != close)
            return ocirt__json_fail(r, r->at, r->at >= r->size ? "the text ends inside an array or object" : close == '}' ? "a comma or } is expected here" : "a comma or ] is expected here");
        e = ocirt__json_close(r);
        if (e < 0) return e;
    }
    return 0;
}

static int ocirt__json_read(struct ocirt__reader *r) {
    for (;;) {
        bool opened = false;
        int  e = 0;
        struct ocirt__token *in = r->depth ? &r->doc->tokens[r->stack[r->depth - 1]] : NULL;
        if (in) in->count++;
        if (in && in->type == OCIRT__JSON_OBJECT) e = ocirt__json_key(r);
        if (e == 0) e = ocirt__json_value(r, &opened);
        if (e < 0) return e;
        if (opened) {
            unsigned char close = r->doc->tokens[r->stack[r->depth - 1]].type == OCIRT__JSON_OBJECT ? '}' : ']';
            ocirt__json_space(r);
            if (r->at >= r->size || r->text[r->at] != close) continue;
            e = ocirt__json_close(r);
        }
        if (e == 0) e = ocirt__json_after(r);
        if (e <= 0) return e;
    }
}

static int ocirt__json_parse(ocirt_arena *arena, const char *text, size_t size, const char *file, const ocirt_json **out, ocirt_error *error) {
    struct ocirt__reader r = {.arena = arena, .error = error, .text = (const unsigned char *)text, .size = size, .line = 1, .room = 64 + (uint32_t)(size < OCIRT_MAX_CONFIG ? size / 8 : 0)};
    int e;
    r.doc = ocirt__mem_alloc(arena, sizeof *r.doc);
    if (r.doc) *r.doc = (ocirt_json){.text = text, .size = size, .file = file, .count = 1, .tokens = ocirt__mem_take(arena, r.room * sizeof(struct ocirt__token))};
    if (!r.doc || !r.doc->tokens) return ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory");
    r.doc->tokens[0] = (struct ocirt__token){0};
    if (size > OCIRT_MAX_CONFIG) return ocirt__error_set(error, OCIRT_E_LIMIT, 0, file ? file : "", "the text is longer than %u bytes", OCIRT_MAX_CONFIG);
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        e = ocirt__json_fail(&r, 0, "the text begins with a byte order mark");
        ocirt__error_hint(error, "save the file as UTF-8 without BOM");
        return e;
    }
    e = ocirt__json_read(&r);
    if (e < 0) return e;
    ocirt__json_space(&r);
    if (r.at < size) return ocirt__json_fail(&r, r.at, "something follows the document");
    *out = r.doc;
    return 0;
}

/* ----- reading tokens ----- */

static uint32_t ocirt__json_type(const ocirt_json *doc, uint32_t token) {
    return token ? doc->tokens[token].type : 0;
}

static uint32_t ocirt__json_member(const ocirt_json *doc, uint32_t object, const char *name) {
    size_t n = strlen(name);
    if (ocirt__json_type(doc, object) != OCIRT__JSON_OBJECT) return 0;
    for (uint32_t key = object + 1; key < doc->tokens[object].next; key = doc->tokens[doc->tokens[key].next].next)
        if (ocirt__json_equals(doc, key, name, n)) return doc->tokens[key].next;
    return 0;
}

static uint32_t ocirt__json_item(const ocirt_json *doc, uint32_t array, size_t index) {
    uint32_t at = array + 1;
    if (ocirt__json_type(doc, array) != OCIRT__JSON_ARRAY) return 0;
    while (index-- > 0 && at < doc->tokens[array].next) at = doc->tokens[at].next;
    return at < doc->tokens[array].next ? at : 0;
}

static size_t ocirt__json_begin(const ocirt_json *doc, uint32_t token) {
    const struct ocirt__token *t = &doc->tokens[token];
    return t->type == OCIRT__JSON_STRING ? t->start - 1 : t->start;
}

static void ocirt__json_place(const ocirt_json *doc, uint32_t token, int *line, int *column) {
    struct ocirt__place place = {0, 0, 0};
    *line   = (int)doc->tokens[token].line;
    *column = ocirt__json_column(doc->text, doc->tokens[token].line_start, ocirt__json_begin(doc, token), &place);
}

/* One step of a JSON pointer (RFC 6901), written from the end of `out` to the front. What does not fit is
   "...", for which room is kept: the end of a pointer says more than its beginning. */
static size_t ocirt__json_pointer_step(const ocirt_json *doc, uint32_t parent, uint32_t token, char *out, size_t room) {
    char   name[1024];
    size_t n = 0, at = room, index = 0;
    bool   whole = true;
    if (doc->tokens[parent].type == OCIRT__JSON_ARRAY) {
        for (uint32_t i = parent + 1; i < token; i = doc->tokens[i].next) index++;
        n = ocirt__mem_decimal(name, index);
    } else {
        uint32_t key = parent + 1;
        while (doc->tokens[key].next != token && key < token) key = doc->tokens[doc->tokens[key].next].next;
        whole = doc->tokens[key].end - doc->tokens[key].start < sizeof name;
        if (whole) n = ocirt__json_decode(doc, key, name);
    }
    while (n > 0 && at >= 6) {
        char c = name[--n];
        if (c == '~') out[--at] = '0', out[--at] = '~';
        else if (c == '/') out[--at] = '1', out[--at] = '~';
        else out[--at] = c;
    }
    if (n == 0 && whole && at >= 4) return out[--at] = '/', at;
    while (((unsigned char)out[at] & 0xc0) == 0x80) at++; /* no half characters */
    return memcpy(out + at - 3, "...", 3), at - 3;
}

/* `size` is at least 4. Returns the length. */
static size_t ocirt__json_pointer(const ocirt_json *doc, uint32_t token, char *out, size_t size) {
    size_t at = size - 1;
    out[at] = 0;
    while (token > 1 && out[at] != '.') {
        uint32_t parent = doc->tokens[token].parent;
        at = ocirt__json_pointer_step(doc, parent, token, out, at);
        token = parent;
    }
    memmove(out, out + at, size - at);
    return size - 1 - at;
}

static int ocirt__error_place(ocirt_error *e, const ocirt_json *doc, uint32_t token) {
    if (!e || !doc || !token) return e ? -e->code : -OCIRT_E_SPEC;
    ocirt__json_place(doc, token, &e->line, &e->column);
    ocirt__json_pointer(doc, token, e->pointer, sizeof e->pointer);
    snprintf(e->file, sizeof e->file, "%s", doc->file ? doc->file : "");
    return -e->code;
}

/* Exact 64-bit integers. A fraction or exponent is valid JSON and no integer. */
static bool ocirt__json_digits_value(const ocirt_json *doc, uint32_t token, bool *out_negative, uint64_t *out) {
    const struct ocirt__token *t = &doc->tokens[token];
    uint64_t value = 0;
    uint32_t at = t->start;
    if (ocirt__json_type(doc, token) != OCIRT__JSON_NUMBER) return false;
    *out_negative = doc->text[at] == '-';
    for (at += *out_negative; at < t->end; at++) {
        unsigned digit = (unsigned)(doc->text[at] - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}
static bool ocirt__json_uint(const ocirt_json *doc, uint32_t token, uint64_t *out) {
    bool negative;
    return ocirt__json_digits_value(doc, token, &negative, out) && (!negative || *out == 0);
}
static bool ocirt__json_int(const ocirt_json *doc, uint32_t token, int64_t *out) {
    uint64_t value;
    bool     negative;
    if (!ocirt__json_digits_value(doc, token, &negative, &value) || value > (uint64_t)INT64_MAX + negative) return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool ocirt__json_is_true(const ocirt_json *doc, uint32_t token) {
    return ocirt__json_type(doc, token) == OCIRT__JSON_TRUE;
}

/* An object of strings. Absent and null are empty. */
static bool ocirt__json_pairs(ocirt_arena *arena, const ocirt_json *doc, uint32_t object, ocirt_pair **out, size_t *out_count) {
    uint32_t type = ocirt__json_type(doc, object);
    *out = NULL, *out_count = 0;
    if (type == 0 || type == OCIRT__JSON_NULL) return true;
    if (type != OCIRT__JSON_OBJECT) return false;
    *out = ocirt__mem_array(arena, doc->tokens[object].count + 1u, sizeof **out);
    if (!*out) return false;
    for (uint32_t key = object + 1; key < doc->tokens[object].next; key = doc->tokens[doc->tokens[key].next].next) {
        ocirt_pair *p = &(*out)[(*out_count)++];
        p->key = ocirt__json_text(arena, doc, key), p->value = ocirt__json_text(arena, doc, doc->tokens[key].next);
        if (!p->key || !p->value) return false;
    }
    return true;
}

/* ----- writing ----- */

/* Names of the host's files are bytes: those that are no UTF-8 become U+FFFD, as Go programs write them. */
static void ocirt__json_write_string(ocirt__buffer *b, const char *text) {
    const unsigned char *s = (const unsigned char *)(text ? text : "");
    size_t left = strlen((const char *)s), n;
    ocirt__buffer_put(b, "\"", 1);
    for (; left > 0; s += n, left -= n) {
        n = ocirt__json_utf8(s, left);
        if (n == 0) n = 1, ocirt__buffer_text(b, "\xef\xbf\xbd");
        else if (*s == '"' || *s == '\\') ocirt__buffer_format(b, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f) ocirt__buffer_format(b, "\\u%04x", *s);
        else ocirt__buffer_put(b, s, n);
    }
    ocirt__buffer_put(b, "\"", 1);
}

static void ocirt__error_json(ocirt__buffer *b, const ocirt_error *e) {
    ocirt__buffer_format(b, "{\"code\": %d, \"errno\": %d, \"row\": %d, \"line\": %d, \"column\": %d, \"pointer\": ", e->code, e->sys, e->row, e->line, e->column);
    ocirt__json_write_string(b, e->pointer);
    ocirt__buffer_text(b, ", \"file\": ");
    ocirt__json_write_string(b, e->file);
    ocirt__buffer_text(b, ", \"object\": ");
    ocirt__json_write_string(b, e->object);
    ocirt__buffer_text(b, ", \"message\": ");
    ocirt__json_write_string(b, e->message);
    ocirt__buffer_text(b, ", \"hint\": ");
    ocirt__json_write_string(b, e->hint);
    ocirt__buffer_text(b, "}");
}

/* RFC 3339 in UTC. gmtime would read the time zone files in some libcs. The civil date of a day number
   counts in eras of 400 years that begin on the first of March, so that leap days come last. */
static void ocirt__error_time(char out[96]) {
    struct ocirt__clock now = ocirt__sys_clock(CLOCK_REALTIME);
    int64_t  days, era, day_of_era, year, day_of_year, month;
    unsigned second;
    days = now.sec / 86400 + 719468, second = (unsigned)(now.sec % 86400);
    era  = days / 146097, day_of_era = days % 146097;
    year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    month = (5 * day_of_year + 2) / 153;
    snprintf(out, 96, "%04d-%02d-%02dT%02u:%02u:%02u.%09ldZ", (int)(year + era * 400 + (month >= 10)), (int)(month < 10 ? month + 3 : month - 9),
             (int)(day_of_year - (153 * month + 2) / 5 + 1), second / 3600, second / 60 % 60, second % 60, (long)now.nsec);
}

/* client-contract: one object with level, msg and time, on one line. */
static void ocirt__error_log(ocirt__buffer *b, const ocirt_error *e, unsigned format) {
    const char *level = format & OCIRT_ERROR_WARNING ? "warning" : "error";
    bool json = (format & 15u) == OCIRT_ERROR_LOG_JSON;
    char time[96];
    ocirt__error_time(time);
    ocirt__buffer_format(b, json ? "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":" : "time=\"%s\" level=%s msg=", time, level);
    ocirt__json_write_string(b, e->message);
    ocirt__buffer_text(b, json ? "}\n" : "\n");
}

OCIRT_DEF int ocirt_error_print(const ocirt_error *e, unsigned format, ocirt_write_fn write, void *user) {
    ocirt_arena   arena = {0};
    ocirt__buffer b = {.arena = &arena};
    int r;
    if (format == OCIRT_ERROR_JSON) ocirt__error_json(&b, e);
    else if ((format & 15u) >= OCIRT_ERROR_LOG) ocirt__error_log(&b, e, format);
    else ocirt__buffer_text(&b, e->message);
    if (format == OCIRT_ERROR_FULL && (e->pointer[0] || e->line))
        ocirt__buffer_format(&b, "\n  at %s%s%d:%d %s", e->file, e->file[0] ? ":" : "", e->line, e->column, e->pointer);
    if (format == OCIRT_ERROR_FULL && e->hint[0]) ocirt__buffer_format(&b, "\n  hint: %s", e->hint);
    if (format == OCIRT_ERROR_FULL) ocirt__buffer_text(&b, "\n");
    /* Out of memory, the message alone is there already. */
    r = b.failed ? write(user, e->message, strlen(e->message)) : write(user, b.data, b.size);
    ocirt_arena_free(&arena);
    return r;
}

/* ===========================================================================================
   >>names   words of the specification and the kernel's numbers for them. const tables only.
   =========================================================================================== */

struct ocirt__name {
    const char *name;
    uint64_t    value;
};

static const struct ocirt__name *ocirt__name_find(const struct ocirt__name *table, const char *name) {
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0) return table;
    return NULL;
}

static const char *ocirt__name_of(const struct ocirt__name *table, uint64_t value) {
    for (; table->name; table++)
        if (table->value == value) return table->name;
    return "?";
}

static const struct ocirt__name ocirt__names_capabilities[] = {
    {"CAP_CHOWN", 0}, {"CAP_DAC_OVERRIDE", 1}, {"CAP_DAC_READ_SEARCH", 2}, {"CAP_FOWNER", 3}, {"CAP_FSETID", 4}, {"CAP_KILL", 5},
    {"CAP_SETGID", 6}, {"CAP_SETUID", 7}, {"CAP_SETPCAP", 8}, {"CAP_LINUX_IMMUTABLE", 9}, {"CAP_NET_BIND_SERVICE", 10},
    {"CAP_NET_BROADCAST", 11}, {"CAP_NET_ADMIN", 12}, {"CAP_NET_RAW", 13}, {"CAP_IPC_LOCK", 14}, {"CAP_IPC_OWNER", 15},
    {"CAP_SYS_MODULE", 16}, {"CAP_SYS_RAWIO", 17}, {"CAP_SYS_CHROOT", 18}, {"CAP_SYS_PTRACE", 19}, {"CAP_SYS_PACCT", 20},
    {"CAP_SYS_ADMIN", 21}, {"CAP_SYS_BOOT", 22}, {"CAP_SYS_NICE", 23}, {"CAP_SYS_RESOURCE", 24}, {"CAP_SYS_TIME", 25},
    {"CAP_SYS_TTY_CONFIG", 26}, {"CAP_MKNOD", 27}, {"CAP_LEASE", 28}, {"CAP_AUDIT_WRITE", 29}, {"CAP_AUDIT_CONTROL", 30},
    {"CAP_SETFCAP", 31}, {"CAP_MAC_OVERRIDE", 32}, {"CAP_MAC_ADMIN", 33}, {"CAP_SYSLOG", 34}, {"CAP_WAKE_ALARM", 35},
    {"CAP_BLOCK_SUSPEND", 36}, {"CAP_AUDIT_READ", 37}, {"CAP_PERFMON", 38}, {"CAP_BPF", 39}, {"CAP_CHECKPOINT_RESTORE", 40}, {NULL, 0}};

static const struct ocirt__name ocirt__names_rlimits[] = {
    {"RLIMIT_CPU", RLIMIT_CPU}, {"RLIMIT_FSIZE", RLIMIT_FSIZE}, {"RLIMIT_DATA", RLIMIT_DATA}, {"RLIMIT_STACK", RLIMIT_STACK},
    {"RLIMIT_CORE", RLIMIT_CORE}, {"RLIMIT_RSS", RLIMIT_RSS}, {"RLIMIT_NPROC", RLIMIT_NPROC}, {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_AS", RLIMIT_AS}, {"RLIMIT_LOCKS", 10}, {"RLIMIT_SIGPENDING", 11},
    {"RLIMIT_MSGQUEUE", 12}, {"RLIMIT_NICE", 13}, {"RLIMIT_RTPRIO", 14}, {"RLIMIT_RTTIME", 15}, {NULL, 0}};

static const struct ocirt__name ocirt__names_namespaces[] = {
    {"pid", OCIRT__CLONE_NEWPID}, {"network", OCIRT__CLONE_NEWNET}, {"mount", OCIRT__CLONE_NEWNS}, {"ipc", OCIRT__CLONE_NEWIPC},
    {"uts", OCIRT__CLONE_NEWUTS}, {"user", OCIRT__CLONE_NEWUSER}, {"cgroup", OCIRT__CLONE_NEWCGROUP}, {"time", OCIRT__CLONE_NEWTIME}, {NULL, 0}};

static const struct ocirt__name ocirt__names_propagation[] = {
    {"shared", MS_SHARED}, {"slave", MS_SLAVE}, {"private", MS_PRIVATE}, {"unbindable", MS_UNBINDABLE},
    {"rshared", MS_SHARED | MS_REC}, {"rslave", MS_SLAVE | MS_REC}, {"rprivate", MS_PRIVATE | MS_REC}, {"runbindable", MS_UNBINDABLE | MS_REC}, {NULL, 0}};

static const struct ocirt__name ocirt__names_personality[] = {{"LINUX", 0}, {"LINUX32", 8}, {NULL, 0}};

static const struct ocirt__name ocirt__names_scheduler[] = {
    {"SCHED_OTHER", 0}, {"SCHED_FIFO", 1}, {"SCHED_RR", 2}, {"SCHED_BATCH", 3}, {"SCHED_ISO", 4}, {"SCHED_IDLE", 5}, {"SCHED_DEADLINE", 6}, {NULL, 0}};
static const struct ocirt__name ocirt__names_scheduler_flags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", 1}, {"SCHED_FLAG_RECLAIM", 2}, {"SCHED_FLAG_DL_OVERRUN", 4}, {"SCHED_FLAG_KEEP_POLICY", 8},
    {"SCHED_FLAG_KEEP_PARAMS", 0x10}, {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20}, {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}, {NULL, 0}};
static const struct ocirt__name ocirt__names_io_class[] = {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}, {NULL, 0}};
static const struct ocirt__name ocirt__names_memory_modes[] = {
    {"MPOL_DEFAULT", 0}, {"MPOL_PREFERRED", 1}, {"MPOL_BIND", 2}, {"MPOL_INTERLEAVE", 3}, {"MPOL_LOCAL", 4}, {"MPOL_PREFERRED_MANY", 5},
    {"MPOL_WEIGHTED_INTERLEAVE", 6}, {NULL, 0}};
static const struct ocirt__name ocirt__names_memory_flags[] = {
    {"MPOL_F_STATIC_NODES", 1u << 15}, {"MPOL_F_RELATIVE_NODES", 1u << 14}, {"MPOL_F_NUMA_BALANCING", 1u << 13}, {NULL, 0}};
static const struct ocirt__name ocirt__names_seccomp_actions[] = {
    {"SCMP_ACT_KILL", 0}, {"SCMP_ACT_KILL_THREAD", 0}, {"SCMP_ACT_KILL_PROCESS", 0x80000000u}, {"SCMP_ACT_TRAP", 0x30000}, {"SCMP_ACT_ERRNO", 0x50000},
    {"SCMP_ACT_NOTIFY", 0x7fc00000}, {"SCMP_ACT_TRACE", 0x7ff00000}, {"SCMP_ACT_LOG", 0x7ffc0000}, {"SCMP_ACT_ALLOW", 0x7fff0000}, {NULL, 0}};
static const struct ocirt__name ocirt__names_seccomp_flags[] = {
    {"SECCOMP_FILTER_FLAG_TSYNC", 1}, {"SECCOMP_FILTER_FLAG_LOG", 2}, {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0x20}, {NULL, 0}};
static const struct ocirt__name ocirt__names_seccomp_ops[] = {
    {"SCMP_CMP_NE", 1}, {"SCMP_CMP_LT", 2}, {"SCMP_CMP_LE", 3}, {"SCMP_CMP_EQ", 4}, {"SCMP_CMP_GE", 5}, {"SCMP_CMP_GT", 6}, {"SCMP_CMP_MASKED_EQ", 7}, {NULL, 0}};
static const struct ocirt__name ocirt__names_seccomp_archs[] = { /* AUDIT_ARCH_ */
    {"SCMP_ARCH_X86", 0x40000003}, {"SCMP_ARCH_X86_64", 0xc000003e}, {"SCMP_ARCH_X32", 0x14000003e}, {"SCMP_ARCH_ARM", 0x40000028},
    {"SCMP_ARCH_AARCH64", 0xc00000b7}, {"SCMP_ARCH_MIPS", 8}, {"SCMP_ARCH_MIPS64", 0x80000008}, {"SCMP_ARCH_MIPS64N32", 0xa0000008},
    {"SCMP_ARCH_MIPSEL", 0x40000008}, {"SCMP_ARCH_MIPSEL64", 0xc0000008}, {"SCMP_ARCH_MIPSEL64N32", 0xe0000008}, {"SCMP_ARCH_PPC", 0x14},
    {"SCMP_ARCH_PPC64", 0x80000015}, {"SCMP_ARCH_PPC64LE", 0xc0000015}, {"SCMP_ARCH_S390", 0x16}, {"SCMP_ARCH_S390X", 0x80000016},
    {"SCMP_ARCH_PARISC", 0xf}, {"SCMP_ARCH_PARISC64", 0x8000000f}, {"SCMP_ARCH_RISCV64", 0xc00000f3}, {"SCMP_ARCH_LOONGARCH64", 0xc0000102},
    {"SCMP_ARCH_M68K", 4}, {"SCMP_ARCH_SH", 0x4000002a}, {"SCMP_ARCH_SHEB", 0x2a}, {NULL, 0}};

/* Files of /proc/PID that lead to the namespaces a process is in, and those its children will be in. */
static const struct {
    uint64_t    type;
    const char *file, *children;
} ocirt__names_ns_files[] = {
    {OCIRT__CLONE_NEWUSER, "ns/user", "ns/user"}, {OCIRT__CLONE_NEWNET, "ns/net", "ns/net"}, {OCIRT__CLONE_NEWIPC, "ns/ipc", "ns/ipc"},
    {OCIRT__CLONE_NEWUTS, "ns/uts", "ns/uts"}, {OCIRT__CLONE_NEWCGROUP, "ns/cgroup", "ns/cgroup"}, {OCIRT__CLONE_NEWNS, "ns/mnt", "ns/mnt"},
    {OCIRT__CLONE_NEWPID, "ns/pid", "ns/pid_for_children"}, {OCIRT__CLONE_NEWTIME, "ns/time", "ns/time_for_children"}};
enum { OCIRT__NS_FILES = sizeof ocirt__names_ns_files / sizeof ocirt__names_ns_files[0] };

/* A list of numbers below `limit`, such as "0-3,5". bits: where they are set, or NULL. */
static bool ocirt__names_list(const char *text, uint64_t *bits, unsigned limit) {
    for (const char *at = text; *at; at += *at == ',' && at[1]) {
        char *end;
        unsigned long first, last;
        if (*at < '0' || *at > '9') return false;
        first = last = strtoul(at, &end, 10);
        if (*end == '-' && end[1] >= '0' && end[1] <= '9') last = strtoul(end + 1, &end, 10);
        if (last < first || last >= limit || (*end && (*end != ',' || !end[1]))) return false;
        for (unsigned long n = first; bits && n <= last; n++) bits[n / 64] |= 1ull << n % 64;
        at = end;
    }
    return *text != 0;
}

OCIRT_DEF int ocirt_capability_number(const char *name) {
    const struct ocirt__name *n = ocirt__names_capabilities;
    if (strncasecmp(name, "CAP_", 4) == 0) name += 4;
    while (n->name && strcasecmp(n->name + 4, name) != 0) n++;
    return n->name ? (int)n->value : -1;
}

/* ----- signals ----- */

static const struct ocirt__name ocirt__names_signals[] = {
    {"HUP", SIGHUP}, {"INT", SIGINT}, {"QUIT", SIGQUIT}, {"ILL", SIGILL}, {"TRAP", SIGTRAP}, {"ABRT", SIGABRT}, {"IOT", SIGABRT}, {"BUS", SIGBUS},
    {"FPE", SIGFPE}, {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},
    {"TERM", SIGTERM}, {"CHLD", SIGCHLD}, {"CLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU}, {"URG", SIGURG}, {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
    {"IO", SIGIO}, {"POLL", SIGIO}, {"PWR", SIGPWR}, {"SYS", SIGSYS},
#ifdef SIGSTKFLT
    {"STKFLT", SIGSTKFLT},
#endif
    {NULL, 0}};

/* Decimal digits and nothing else, below `limit`. */
static int ocirt__names_number(const char *text, int limit) {
    int value = 0;
    if (!*text) return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > 1000) return -1;
        value = value * 10 + (*text - '0');
    }
    return value <= limit ? value : -1;
}

OCIRT_DEF int ocirt_signal_number(const char *name) {
    char upper[16];
    size_t n = strlen(name);
    const struct ocirt__name *found;
    int offset;
    if (n == 0 || n >= sizeof upper) return -1;
    for (size_t i = 0; i <= n; i++) upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
    name = strncmp(upper, "SIG", 3) == 0 ? upper + 3 : upper;
    if (name == upper && upper[0] >= '0' && upper[0] <= '9') return ocirt__names_number(upper, 64) > 0 ? ocirt__names_number(upper, 64) : -1;
    if (strncmp(name, "RTMIN", 5) == 0 || strncmp(name, "RTMAX", 5) == 0) {
        int base = name[4] == 'N' ? 34 : 64, sign = name[4] == 'N' ? 1 : -1;
        if (!name[5]) return base;
        offset = name[5] == (sign > 0 ? '+' : '-') ? ocirt__names_number(name + 6, 30) : -1;
        return offset < 0 ? -1 : base + sign * offset;
    }
    found = ocirt__name_find(ocirt__names_signals, name);
    return found ? (int)found->value : -1;
}

/* ----- mount options (config.md, Linux mount options) ----- */

enum { OCIRT__OPTION_FLAG, OCIRT__OPTION_PROPAGATION, OCIRT__OPTION_DEEP, OCIRT__OPTION_WORD };
enum { OCIRT__WORD_NONE, OCIRT__WORD_COPY_UP, OCIRT__WORD_IDMAP, OCIRT__WORD_RIDMAP, OCIRT__WORD_COPY_LINK, OCIRT__WORD_SRC_LINK, OCIRT__WORD_DST_LINK };

struct ocirt__option {
    const char *name;
    uint8_t     kind;
    bool        clears;
    uint64_t    value; /* MS_ flags, MOUNT_ATTR_ bits for DEEP, or OCIRT__WORD_ */
};

static const struct ocirt__option ocirt__options[] = {
    {"async", 0, true, MS_SYNCHRONOUS}, {"atime", 0, true, MS_NOATIME}, {"bind", 0, false, MS_BIND},
    {"copy-symlink", OCIRT__OPTION_WORD, false, OCIRT__WORD_COPY_LINK}, {"defaults", OCIRT__OPTION_WORD, false, OCIRT__WORD_NONE},
    {"dest-nofollow", OCIRT__OPTION_WORD, false, OCIRT__WORD_DST_LINK}, {"dev", 0, true, MS_NODEV}, {"diratime", 0, true, MS_NODIRATIME},
    {"dirsync", 0, false, MS_DIRSYNC}, {"exec", 0, true, MS_NOEXEC}, {"idmap", OCIRT__OPTION_WORD, false, OCIRT__WORD_IDMAP},
    {"iversion", 0, false, 1u << 23}, {"lazytime", 0, false, 1u << 25}, {"loud", 0, true, MS_SILENT}, {"mand", 0, false, MS_MANDLOCK},
    {"noatime", 0, false, MS_NOATIME}, {"nodev", 0, false, MS_NODEV}, {"nodiratime", 0, false, MS_NODIRATIME}, {"noexec", 0, false, MS_NOEXEC},
    {"noiversion", 0, true, 1u << 23}, {"nolazytime", 0, true, 1u << 25}, {"nomand", 0, true, MS_MANDLOCK}, {"norelatime", 0, true, MS_RELATIME},
    {"nostrictatime", 0, true, MS_STRICTATIME}, {"nosuid", 0, false, MS_NOSUID}, {"nosymfollow", 0, false, 0x100},
    {"private", OCIRT__OPTION_PROPAGATION, false, MS_PRIVATE}, {"ratime", OCIRT__OPTION_DEEP, true, 0x10}, {"rbind", 0, false, MS_BIND | MS_REC},
    {"rdev", OCIRT__OPTION_DEEP, true, 4}, {"rdiratime", OCIRT__OPTION_DEEP, true, 0x80}, {"relatime", 0, false, MS_RELATIME}, {"remount", 0, false, MS_REMOUNT},
    {"rexec", OCIRT__OPTION_DEEP, true, 8}, {"ridmap", OCIRT__OPTION_WORD, false, OCIRT__WORD_RIDMAP}, {"rnoatime", OCIRT__OPTION_DEEP, false, 0x10},
    {"rnodev", OCIRT__OPTION_DEEP, false, 4}, {"rnodiratime", OCIRT__OPTION_DEEP, false, 0x80}, {"rnoexec", OCIRT__OPTION_DEEP, false, 8},
    {"rnorelatime", OCIRT__OPTION_DEEP, true, 0}, {"rnostrictatime", OCIRT__OPTION_DEEP, true, 0x20}, {"rnosuid", OCIRT__OPTION_DEEP, false, 2},
    {"rnosymfollow", OCIRT__OPTION_DEEP, false, 0x200000}, {"ro", 0, false, MS_RDONLY}, {"rprivate", OCIRT__OPTION_PROPAGATION, false, MS_PRIVATE | MS_REC},
    {"rrelatime", OCIRT__OPTION_DEEP, false, 0}, {"rro", OCIRT__OPTION_DEEP, false, 1}, {"rrw", OCIRT__OPTION_DEEP, true, 1},
    {"rshared", OCIRT__OPTION_PROPAGATION, false, MS_SHARED | MS_REC}, {"rslave", OCIRT__OPTION_PROPAGATION, false, MS_SLAVE | MS_REC},
    {"rstrictatime", OCIRT__OPTION_DEEP, false, 0x20}, {"rsuid", OCIRT__OPTION_DEEP, true, 2}, {"rsymfollow", OCIRT__OPTION_DEEP, true, 0x200000},
    {"runbindable", OCIRT__OPTION_PROPAGATION, false, MS_UNBINDABLE | MS_REC}, {"rw", 0, true, MS_RDONLY}, {"shared", OCIRT__OPTION_PROPAGATION, false, MS_SHARED},
    {"silent", 0, false, MS_SILENT}, {"slave", OCIRT__OPTION_PROPAGATION, false, MS_SLAVE}, {"src-nofollow", OCIRT__OPTION_WORD, false, OCIRT__WORD_SRC_LINK},
    {"strictatime", 0, false, MS_STRICTATIME}, {"suid", 0, true, MS_NOSUID}, {"symfollow", 0, true, 0x100}, {"sync", 0, false, MS_SYNCHRONOUS},
    {"tmpcopyup", OCIRT__OPTION_WORD, false, OCIRT__WORD_COPY_UP}, {"unbindable", OCIRT__OPTION_PROPAGATION, false, MS_UNBINDABLE}};

typedef struct ocirt__mount_options {
    uint64_t     flags, cleared; /* MS_; the last word wins */
    uint32_t     propagation[4]; /* in order */
    size_t       propagation_count;
    uint64_t     attr_set, attr_clr; /* recursive MOUNT_ATTR_; the atime bits are one field */
    bool         tmpcopyup, copy_symlink, src_nofollow, dest_nofollow, idmap, ridmap;
    const char **data_items;
    size_t       data_items_count;
} ocirt__mount_options;

static const struct ocirt__option *ocirt__options_find(const char *name) {
    size_t low = 0, high = sizeof ocirt__options / sizeof ocirt__options[0];
    while (low < high) { /* sorted */
        size_t middle = (low + high) / 2;
        int order = strcmp(name, ocirt__options[middle].name);
        if (order == 0) return &ocirt__options[middle];
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

#define OCIRT__MS_ATIME (MS_NOATIME | MS_RELATIME | MS_STRICTATIME)

static void ocirt__options_flag(ocirt__mount_options *o, const struct ocirt__option *word) {
    uint64_t value = word->value;
    if (value & OCIRT__MS_ATIME) o->flags &= ~(uint64_t)OCIRT__MS_ATIME; /* one of a kind */
    if (word->clears) o->flags &= ~value, o->cleared |= value;
    else o->flags |= value, o->cleared &= ~value;
}

static void ocirt__options_deep(ocirt__mount_options *o, const struct ocirt__option *word) {
    bool atime = word->value == 0x10 || word->value == 0x20 || word->value == 0;
    if (atime) {
        o->attr_set &= ~0x70ull;
        o->attr_clr |= 0x70;
        if (!word->clears) o->attr_set |= word->value;
    } else if (word->clears) {
        o->attr_set &= ~word->value, o->attr_clr |= word->value;
    } else {
        o->attr_set |= word->value, o->attr_clr &= ~word->value;
    }
}

static void ocirt__options_word(ocirt__mount_options *o, uint64_t word) {
    if (word == OCIRT__WORD_COPY_UP) o->tmpcopyup = true;
    if (word == OCIRT__WORD_IDMAP) o->idmap = true;
    if (word == OCIRT__WORD_RIDMAP) o->ridmap = true;
    if (word == OCIRT__WORD_COPY_LINK) o->copy_symlink = true;
    if (word == OCIRT__WORD_SRC_LINK) o->src_nofollow = true;
    if (word == OCIRT__WORD_DST_LINK) o->dest_nofollow = true;
}

/* Unknown words belong to the file system. A bind mount has none, so there they are mistakes. */
static int ocirt__options_data(const ocirt_json *doc, const ocirt_mount *m, size_t index, ocirt__mount_options *o, ocirt_error *error) {
    o->data_items[o->data_items_count++] = m->options.items[index];
    if (!(o->flags & MS_BIND)) return 0;
    ocirt__error_set(error, OCIRT_E_SPEC, 0, m->destination, "unknown option \"%.100s\" of a bind mount", m->options.items[index]);
    if (doc && m->token) ocirt__error_place(error, doc, ocirt__json_item(doc, ocirt__json_member(doc, m->token, "options"), index));
    return -OCIRT_E_SPEC;
}

static int ocirt__mount_options_parse(ocirt_arena *arena, const ocirt_json *doc, const ocirt_mount *m, ocirt__mount_options *o, ocirt_error *error) {
    int r = 0;
    memset(o, 0, sizeof *o);
    o->data_items = ocirt__mem_array(arena, m->options.count + 2, sizeof *o->data_items); /* and a label */
    if (!o->data_items) return ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory");
    for (size_t i = 0; i < m->options.count; i++) { /* bind first: it decides what the others may be */
        const struct ocirt__option *word = ocirt__options_find(m->options.items[i]);
        if (word && word->kind == OCIRT__OPTION_FLAG && word->value & MS_BIND) o->flags |= word->value;
    }
    for (size_t i = 0; r == 0 && i < m->options.count; i++) {
        const struct ocirt__option *word = ocirt__options_find(m->options.items[i]);
        if (!m->options.items[i][0]) continue; /* buildah writes such, and peers pass over it */
        if (!word) r = ocirt__options_data(doc, m, i, o, error);
        else if (word->kind == OCIRT__OPTION_FLAG) ocirt__options_flag(o, word);
        else if (word->kind == OCIRT__OPTION_DEEP) ocirt__options_deep(o, word);
        else if (word->kind == OCIRT__OPTION_WORD) ocirt__options_word(o, word->value);
        else if (o->propagation_count < 4) o->propagation[o->propagation_count++] = (uint32_t)word->value;
    }
    return r;
}

/* ===========================================================================================
   >>spec   one table of fields drives loading, checking, writing back and the features document.
   A property of the specification is one row: name, kind, place in its struct, what is allowed.
   No recursion: nested objects wait on a list (loading) or on a short stack (writing).
   =========================================================================================== */

enum {
    OCIRT__TEXT, OCIRT__TEXTS, OCIRT__BOOL, OCIRT__OPT_BOOL, OCIRT__OPT_INT, OCIRT__OPT_UINT, OCIRT__U32, OCIRT__U64, OCIRT__I64, OCIRT__NAME32,
    OCIRT__NAME64, OCIRT__CAPS, OCIRT__OBJECT, OCIRT__INLINE, OCIRT__OBJECTS, OCIRT__MAP, OCIRT__PAIRS, OCIRT__NUMBERS, OCIRT__LETTER, OCIRT__FLAGS,
    OCIRT__OPT_FLAGS, OCIRT__SKIP
};

#define OCIRT__REQUIRED 1u /* must be there                                              */
#define OCIRT__ABSOLUTE 2u /* begins with /                                              */
#define OCIRT__NONEMPTY 4u
#define OCIRT__ONE_LINE 16u

struct ocirt__object;
struct ocirt__field {
    const char *name;
    uint8_t     kind, flags;
    uint16_t    at, count_at; /* offsets in the struct: of the value, of the count of an array */
    union { /* by kind */
        const struct ocirt__object *of;
        const struct ocirt__name   *names;
    };
    int64_t     min;
    uint64_t    max; /* 0: no limit but the kind's */
};
struct ocirt__object {
    const char                *name;
    uint16_t                   size, key_at; /* key_at: of a map's element, where its key goes */
    uint16_t                   count;
    const struct ocirt__field *fields;
};

#define OCIRT__F(T, member, json, form, ...) {.name = json, .kind = form, .at = offsetof(T, member), __VA_ARGS__}
#define OCIRT__L(T, member, json, form, ...) {.name = json, .kind = form, .at = offsetof(T, member), .count_at = offsetof(T, member##_count), __VA_ARGS__}
#define OCIRT__OBJECT_OF(id, T, words)                                                                                         \
    static const struct ocirt__object ocirt__object_##id = {words, sizeof(T), 0, sizeof ocirt__fields_##id / sizeof ocirt__fields_##id[0], ocirt__fields_##id}
#define OCIRT__MAP_OF(id, T, words)                                                                                            \
    static const struct ocirt__object ocirt__object_##id = {words, sizeof(T), offsetof(T, key), sizeof ocirt__fields_##id / sizeof ocirt__fields_##id[0], ocirt__fields_##id}

static const struct ocirt__field ocirt__fields_root[] = {
    OCIRT__F(ocirt_root, path, "path", OCIRT__TEXT, .flags = OCIRT__REQUIRED | OCIRT__NONEMPTY), OCIRT__F(ocirt_root, readonly, "readonly", OCIRT__BOOL, .flags = 0)};
OCIRT__OBJECT_OF(root, ocirt_root, "root");

static const struct ocirt__field ocirt__fields_mapping[] = {
    OCIRT__F(ocirt_id_mapping, container_id, "containerID", OCIRT__U32, .flags = OCIRT__REQUIRED), OCIRT__F(ocirt_id_mapping, host_id, "hostID", OCIRT__U32, .flags = OCIRT__REQUIRED),
    OCIRT__F(ocirt_id_mapping, size, "size", OCIRT__U32, .flags = OCIRT__REQUIRED, .min = 1, .max = UINT32_MAX)};
OCIRT__OBJECT_OF(mapping, ocirt_id_mapping, "id mapping");

static const struct ocirt__field ocirt__fields_mount[] = {
    OCIRT__F(ocirt_mount, destination, "destination", OCIRT__TEXT, .flags = OCIRT__REQUIRED | OCIRT__NONEMPTY), OCIRT__F(ocirt_mount, source, "source", OCIRT__TEXT, .flags = 0),
    OCIRT__F(ocirt_mount, type, "type", OCIRT__TEXT, .flags = 0), OCIRT__F(ocirt_mount, options, "options", OCIRT__TEXTS, .flags = 0),
    OCIRT__L(ocirt_mount, uid_mappings, "uidMappings", OCIRT__OBJECTS, .of = &ocirt__object_mapping), OCIRT__L(ocirt_mount, gid_mappings, "gidMappings", OCIRT__OBJECTS, .of = &ocirt__object_mapping)};
OCIRT__OBJECT_OF(mount, ocirt_mount, "mount");

static const struct ocirt__field ocirt__fields_console_size[] = {
    OCIRT__F(ocirt_console_size, height, "height", OCIRT__U64, .flags = OCIRT__REQUIRED, .max = 65535), OCIRT__F(ocirt_console_size, width, "width", OCIRT__U64, .flags = OCIRT__REQUIRED, .max = 65535)};
OCIRT__OBJECT_OF(console_size, ocirt_console_size, "console size");

static const struct ocirt__field ocirt__fields_user[] = {
    OCIRT__F(ocirt_user, uid, "uid", OCIRT__U32, .flags = OCIRT__REQUIRED, .max = UINT32_MAX - 1u), OCIRT__F(ocirt_user, gid, "gid", OCIRT__U32, .flags = OCIRT__REQUIRED, .max = UINT32_MAX - 1u),
    OCIRT__F(ocirt_user, umask, "umask", OCIRT__OPT_UINT, .max = 0777), OCIRT__L(ocirt_user, additional_gids, "additionalGids", OCIRT__NUMBERS, .max = UINT32_MAX - 1u),
    OCIRT__F(ocirt_user, username, "username", OCIRT__TEXT, .flags = 0)};
OCIRT__OBJECT_OF(user, ocirt_user, "user");

static const struct ocirt__field ocirt__fields_capabilities[] = {
    OCIRT__F(ocirt_capabilities, bounding, "bounding", OCIRT__CAPS, .flags = 0), OCIRT__F(ocirt_capabilities, effective, "effective", OCIRT__CAPS, .flags = 0),
    OCIRT__F(ocirt_capabilities, inheritable, "inheritable", OCIRT__CAPS, .flags = 0), OCIRT__F(ocirt_capabilities, permitted, "permitted", OCIRT__CAPS, .flags = 0),
    OCIRT__F(ocirt_capabilities, ambient, "ambient", OCIRT__CAPS, .flags = 0)};
OCIRT__OBJECT_OF(capabilities, ocirt_capabilities, "capabilities");

static const struct ocirt__field ocirt__fields_rlimit[] = {
    OCIRT__F(ocirt_rlimit, type, "type", OCIRT__NAME32, .flags = OCIRT__REQUIRED, .names = ocirt__names_rlimits),
    OCIRT__F(ocirt_rlimit, soft, "soft", OCIRT__U64, .flags = OCIRT__REQUIRED), OCIRT__F(ocirt_rlimit, hard, "hard", OCIRT__U64, .flags = OCIRT__REQUIRED)};
OCIRT__OBJECT_OF(rlimit, ocirt_rlimit, "rlimit");

static const struct ocirt__field ocirt__fields_scheduler[] = {
    OCIRT__F(ocirt_scheduler, policy, "policy", OCIRT__NAME32, .flags = OCIRT__REQUIRED, .names = ocirt__names_scheduler),
    OCIRT__F(ocirt_scheduler, nice, "nice", OCIRT__OPT_INT, .min = -20, .max = 19), OCIRT__F(ocirt_scheduler, priority, "priority", OCIRT__OPT_INT, .min = 0, .max = 99),
    OCIRT__F(ocirt_scheduler, flags, "flags", OCIRT__FLAGS, .names = ocirt__names_scheduler_flags), OCIRT__F(ocirt_scheduler, runtime, "runtime", OCIRT__OPT_UINT, .flags = 0),
    OCIRT__F(ocirt_scheduler, deadline, "deadline", OCIRT__OPT_UINT, .flags = 0), OCIRT__F(ocirt_scheduler, period, "period", OCIRT__OPT_UINT, .flags = 0)};
OCIRT__OBJECT_OF(scheduler, ocirt_scheduler, "scheduler");

static const struct ocirt__field ocirt__fields_io_priority[] = {
    OCIRT__F(ocirt_io_priority, io_class, "class", OCIRT__NAME32, .flags = OCIRT__REQUIRED, .names = ocirt__names_io_class),
    OCIRT__F(ocirt_io_priority, priority, "priority", OCIRT__OPT_INT, .min = 0, .max = 7)};
OCIRT__OBJECT_OF(io_priority, ocirt_io_priority, "I/O priority");

static const struct ocirt__field ocirt__fields_affinity[] = {
    OCIRT__F(ocirt_exec_cpu_affinity, initial, "initial", OCIRT__TEXT, .flags = 0), OCIRT__F(ocirt_exec_cpu_affinity, final, "final", OCIRT__TEXT, .flags = 0)};
OCIRT__OBJECT_OF(affinity, ocirt_exec_cpu_affinity, "CPU affinity");

static const struct ocirt__field ocirt__fields_process[] = {
    OCIRT__F(ocirt_process, terminal, "terminal", OCIRT__BOOL, .flags = 0), OCIRT__F(ocirt_process, console_size, "consoleSize", OCIRT__OBJECT, .of = &ocirt__object_console_size),
    OCIRT__F(ocirt_process, user, "user", OCIRT__INLINE, .of = &ocirt__object_user), OCIRT__F(ocirt_process, args, "args", OCIRT__TEXTS, .flags = OCIRT__REQUIRED | OCIRT__NONEMPTY),
    OCIRT__F(ocirt_process, env, "env", OCIRT__TEXTS, .flags = 0), OCIRT__F(ocirt_process, command_line, "commandLine", OCIRT__TEXT, .flags = 0),
    OCIRT__F(ocirt_process, cwd, "cwd", OCIRT__TEXT, .flags = OCIRT__REQUIRED | OCIRT__ABSOLUTE), OCIRT__F(ocirt_process, capabilities, "capabilities", OCIRT__OBJECT, .of = &ocirt__object_capabilities),
    OCIRT__L(ocirt_process, rlimits, "rlimits", OCIRT__OBJECTS, .of = &ocirt__object_rlimit), OCIRT__F(ocirt_process, no_new_privileges, "noNewPrivileges", OCIRT__BOOL, .flags = 0),
    OCIRT__F(ocirt_process, apparmor_profile, "apparmorProfile", OCIRT__TEXT, .flags = OCIRT__ONE_LINE), OCIRT__F(ocirt_process, selinux_label, "selinuxLabel", OCIRT__TEXT, .flags = OCIRT__ONE_LINE),
    OCIRT__F(ocirt_process, oom_score_adj, "oomScoreAdj", OCIRT__OPT_INT, .min = -1000, .max = 1000), OCIRT__F(ocirt_process, scheduler, "scheduler", OCIRT__OBJECT, .of = &ocirt__object_scheduler),
    OCIRT__F(ocirt_process, io_priority, "ioPriority", OCIRT__OBJECT, .of = &ocirt__object_io_priority),
    OCIRT__F(ocirt_process, exec_cpu_affinity, "execCPUAffinity", OCIRT__OBJECT, .of = &ocirt__object_affinity)};
OCIRT__OBJECT_OF(process, ocirt_process, "process");

static const struct ocirt__field ocirt__fields_hook[] = {
    OCIRT__F(ocirt_hook, path, "path", OCIRT__TEXT, .flags = OCIRT__REQUIRED | OCIRT__ABSOLUTE | OCIRT__NONEMPTY), OCIRT__F(ocirt_hook, args, "args", OCIRT__TEXTS, .flags = 0),
    OCIRT__F(ocirt_hook, env, "env", OCIRT__TEXTS, .flags = 0), OCIRT__F(ocirt_hook, timeout, "timeout", OCIRT__OPT_INT, .min = 1, .max = INT32_MAX)};
OCIRT__OBJECT_OF(hook, ocirt_hook, "hook");

static const struct ocirt__field ocirt__fields_hooks[] = {
    OCIRT__L(ocirt_hooks, prestart, "prestart", OCIRT__OBJECTS, .of = &ocirt__object_hook), OCIRT__L(ocirt_hooks, create_runtime, "createRuntime", OCIRT__OBJECTS, .of = &ocirt__object_hook),
    OCIRT__L(ocirt_hooks, create_container, "createContainer", OCIRT__OBJECTS, .of = &ocirt__object_hook), OCIRT__L(ocirt_hooks, start_container, "startContainer", OCIRT__OBJECTS, .of = &ocirt__object_hook),
    OCIRT__L(ocirt_hooks, poststart, "poststart", OCIRT__OBJECTS, .of = &ocirt__object_hook), OCIRT__L(ocirt_hooks, poststop, "poststop", OCIRT__OBJECTS, .of = &ocirt__object_hook)};
OCIRT__OBJECT_OF(hooks, ocirt_hooks, "hooks");

static const struct ocirt__field ocirt__fields_namespace[] = {
    OCIRT__F(ocirt_namespace, type, "type", OCIRT__NAME64, .flags = OCIRT__REQUIRED, .names = ocirt__names_namespaces), OCIRT__F(ocirt_namespace, path, "path", OCIRT__TEXT, .flags = OCIRT__ABSOLUTE)};
OCIRT__OBJECT_OF(namespace, ocirt_namespace, "namespace");

static const struct ocirt__field ocirt__fields_device[] = {
    OCIRT__F(ocirt_device, path, "path", OCIRT__TEXT, .flags = OCIRT__REQUIRED | OCIRT__ABSOLUTE | OCIRT__NONEMPTY), OCIRT__F(ocirt_device, type, "type", OCIRT__LETTER, .flags = OCIRT__REQUIRED),
    OCIRT__F(ocirt_device, major, "major", OCIRT__OPT_INT, .min = 0, .max = 0xfff), OCIRT__F(ocirt_device, minor, "minor", OCIRT__OPT_INT, .min = 0, .max = 0xfffff),
    OCIRT__F(ocirt_device, file_mode, "fileMode", OCIRT__OPT_UINT, .flags = 0), OCIRT__F(ocirt_device, uid, "uid", OCIRT__OPT_UINT, .max = UINT32_MAX - 1u),
    OCIRT__F(ocirt_device, gid, "gid", OCIRT__OPT_UINT, .max = UINT32_MAX - 1u)};
OCIRT__OBJECT_OF(device, ocirt_device, "device");

static const struct ocirt__field ocirt__fields_time_offset[] = {
    OCIRT__F(ocirt_time_offset, secs, "secs", OCIRT__I64, .flags = 0), OCIRT__F(ocirt_time_offset, nanosecs, "nanosecs", OCIRT__U32, .max = 999999999)};
OCIRT__OBJECT_OF(time_offset, ocirt_time_offset, "time offset");
static const struct ocirt__field ocirt__fields_time_offsets[] = {
    OCIRT__F(ocirt_time_offsets, monotonic, "monotonic", OCIRT__OBJECT, .of = &ocirt__object_time_offset), OCIRT__F(ocirt_time_offsets, boottime, "boottime", OCIRT__OBJECT, .of = &ocirt__object_time_offset)};
OCIRT__OBJECT_OF(time_offsets, ocirt_time_offsets, "time offsets");

static const struct ocirt__field ocirt__fields_net_device[] = {OCIRT__F(ocirt_net_device, name, "name", OCIRT__TEXT, .flags = 0)};
OCIRT__MAP_OF(net_device, ocirt_net_device, "network device");

static const struct ocirt__field ocirt__fields_device_rule[] = {
    OCIRT__F(ocirt_device_rule, allow, "allow", OCIRT__BOOL, .flags = OCIRT__REQUIRED), OCIRT__F(ocirt_device_rule, type, "type", OCIRT__LETTER, .flags = 0),
    OCIRT__F(ocirt_device_rule, major, "major", OCIRT__OPT_INT, .min = -1, .max = UINT32_MAX), OCIRT__F(ocirt_device_rule, minor, "minor", OCIRT__OPT_INT, .min = -1, .max = UINT32_MAX),
    OCIRT__F(ocirt_device_rule, access, "access", OCIRT__TEXT, .flags = 0)};
OCIRT__OBJECT_OF(device_rule, ocirt_device_rule, "device rule");

static const struct ocirt__field ocirt__fields_memory[] = {
    OCIRT__F(ocirt_memory, limit, "limit", OCIRT__OPT_INT, .min = -1, .max = INT64_MAX), OCIRT__F(ocirt_memory, reservation, "reservation", OCIRT__OPT_INT, .min = -1, .max = INT64_MAX),
    OCIRT__F(ocirt_memory, swap, "swap", OCIRT__OPT_INT, .min = -1, .max = INT64_MAX), OCIRT__F(ocirt_memory, kernel, "kernel", OCIRT__OPT_INT, .min = -1, .max = INT64_MAX),
    OCIRT__F(ocirt_memory, kernel_tcp, "kernelTCP", OCIRT__OPT_INT, .min = -1, .max = INT64_MAX), OCIRT__F(ocirt_memory, swappiness, "swappiness", OCIRT__OPT_UINT, .max = 100),
    OCIRT__F(ocirt_memory, disable_oom_killer, "disableOOMKiller", OCIRT__OPT_BOOL, .flags = 0), OCIRT__F(ocirt_memory, use_hierarchy, "useHierarchy", OCIRT__OPT_BOOL, .flags = 0),
    OCIRT__F(ocirt_memory, check_before_update, "checkBeforeUpdate", OCIRT__OPT_BOOL, .flags = 0)};
OCIRT__OBJECT_OF(memory, ocirt_memory, "memory");

static const struct ocirt__field ocirt__fields_cpu[] = {
    OCIRT__F(ocirt_cpu, shares, "shares", OCIRT__OPT_UINT, .flags = 0), OCIRT__F(ocirt_cpu, quota, "quota", OCIRT__OPT_INT, .min = INT64_MIN, .max = INT64_MAX),
    OCIRT__F(ocirt_cpu, burst, "burst", OCIRT__OPT_UINT, .flags = 0), OCIRT__F(ocirt_cpu, period, "period", OCIRT__OPT_UINT, .flags = 0),
    OCIRT__F(ocirt_cpu, realtime_runtime, "realtimeRuntime", OCIRT__OPT_INT, .min = INT64_MIN, .max = INT64_MAX), OCIRT__F(ocirt_cpu, realtime_period, "realtimePeriod", OCIRT__OPT_UINT, .flags = 0),
    OCIRT__F(ocirt_cpu, cpus, "cpus", OCIRT__TEXT, .flags = OCIRT__ONE_LINE), OCIRT__F(ocirt_cpu, mems, "mems", OCIRT__TEXT, .flags = OCIRT__ONE_LINE),
    OCIRT__F(ocirt_cpu, idle, "idle", OCIRT__OPT_INT, .min = 0, .max = 1)};
OCIRT__OBJECT_OF(cpu, ocirt_cpu, "cpu");

static const struct ocirt__field ocirt__fields_pids[] = {OCIRT__F(ocirt_pids, limit, "limit", OCIRT__OPT_INT, .min = INT64_MIN, .max = INT64_MAX)};
OCIRT__OBJECT_OF(pids, ocirt_pids, "pids");

static const struct ocirt__field ocirt__fields_weight[] = {
    OCIRT__F(ocirt_weight_device, major, "major", OCIRT__I64, .flags = OCIRT__REQUIRED, .max = 0xfff), OCIRT__F(ocirt_weight_device, minor, "minor", OCIRT__I64, .flags = OCIRT__REQUIRED, .max = 0xfffff),
    OCIRT__F(ocirt_weight_device, weight, "weight", OCIRT__OPT_UINT, .max = 1000), OCIRT__F(ocirt_weight_device, leaf_weight, "leafWeight", OCIRT__OPT_UINT, .max = 65535)};
OCIRT__OBJECT_OF(weight, ocirt_weight_device, "weight device");
static const struct ocirt__field ocirt__fields_throttle[] = {
    OCIRT__F(ocirt_throttle_device, major, "major", OCIRT__I64, .flags = OCIRT__REQUIRED, .max = 0xfff), OCIRT__F(ocirt_throttle_device, minor, "minor", OCIRT__I64, .flags = OCIRT__REQUIRED, .max = 0xfffff),
    OCIRT__F(ocirt_throttle_device, rate, "rate", OCIRT__U64, .flags = OCIRT__REQUIRED)};
OCIRT__OBJECT_OF(throttle, ocirt_throttle_device, "throttle device");
static const struct ocirt__field ocirt__fields_block_io[] = {
    OCIRT__F(ocirt_block_io, weight, "weight", OCIRT__OPT_UINT, .max = 1000), OCIRT__F(ocirt_block_io, leaf_weight, "leafWeight", OCIRT__OPT_UINT, .max = 65535),
    OCIRT__L(ocirt_block_io, weight_device, "weightDevice", OCIRT__OBJECTS, .of = &ocirt__object_weight), OCIRT__L(ocirt_block_io, throttle_read_bps, "throttleReadBpsDevice", OCIRT__OBJECTS, .of = &ocirt__object_throttle),
    OCIRT__L(ocirt_block_io, throttle_write_bps, "throttleWriteBpsDevice", OCIRT__OBJECTS, .of = &ocirt__object_throttle), OCIRT__L(ocirt_block_io, throttle_read_iops, "throttleReadIOPSDevice", OCIRT__OBJECTS, .of = &ocirt__object_throttle),
    OCIRT__L(ocirt_block_io, throttle_write_iops, "throttleWriteIOPSDevice", OCIRT__OBJECTS, .of = &ocirt__object_throttle)};
OCIRT__OBJECT_OF(block_io, ocirt_block_io, "block I/O");

static const struct ocirt__field ocirt__fields_hugepage[] = {
    OCIRT__F(ocirt_hugepage_limit, page_size, "pageSize", OCIRT__TEXT, .flags = OCIRT__REQUIRED | OCIRT__NONEMPTY), OCIRT__F(ocirt_hugepage_limit, limit, "limit", OCIRT__U64, .flags = OCIRT__REQUIRED)};
OCIRT__OBJECT_OF(hugepage, ocirt_hugepage_limit, "huge page limit");
static const struct ocirt__field ocirt__fields_priority[] = {
    OCIRT__F(ocirt_interface_priority, name, "name", OCIRT__TEXT, .flags = OCIRT__REQUIRED), OCIRT__F(ocirt_interface_priority, priority, "priority", OCIRT__U32, .flags = OCIRT__REQUIRED)};
OCIRT__OBJECT_OF(priority, ocirt_interface_priority, "interface priority");
static const struct ocirt__field ocirt__fields_network[] = {
    OCIRT__F(ocirt_network, class_id, "classID", OCIRT__OPT_UINT, .max = UINT32_MAX), OCIRT__L(ocirt_network, priorities, "priorities", OCIRT__OBJECTS, .of = &ocirt__object_priority)};
OCIRT__OBJECT_OF(network, ocirt_network, "network");
static const struct ocirt__field ocirt__fields_rdma[] = {
    OCIRT__F(ocirt_rdma, hca_handles, "hcaHandles", OCIRT__OPT_UINT, .max = UINT32_MAX), OCIRT__F(ocirt_rdma, hca_objects, "hcaObjects", OCIRT__OPT_UINT, .max = UINT32_MAX)};
OCIRT__MAP_OF(rdma, ocirt_rdma, "rdma");

static const struct ocirt__field ocirt__fields_resources[] = {
    OCIRT__L(ocirt_resources, devices, "devices", OCIRT__OBJECTS, .of = &ocirt__object_device_rule), OCIRT__F(ocirt_resources, memory, "memory", OCIRT__OBJECT, .of = &ocirt__object_memory),
    OCIRT__F(ocirt_resources, cpu, "cpu", OCIRT__OBJECT, .of = &ocirt__object_cpu), OCIRT__F(ocirt_resources, pids, "pids", OCIRT__OBJECT, .of = &ocirt__object_pids),
    OCIRT__F(ocirt_resources, block_io, "blockIO", OCIRT__OBJECT, .of = &ocirt__object_block_io),
    OCIRT__L(ocirt_resources, hugepage_limits, "hugepageLimits", OCIRT__OBJECTS, .of = &ocirt__object_hugepage),
    OCIRT__F(ocirt_resources, network, "network", OCIRT__OBJECT, .of = &ocirt__object_network), OCIRT__L(ocirt_resources, rdma, "rdma", OCIRT__MAP, .of = &ocirt__object_rdma),
    OCIRT__L(ocirt_resources, unified, "unified", OCIRT__PAIRS, .flags = 0)};
OCIRT__OBJECT_OF(resources, ocirt_resources, "resources");

static const struct ocirt__field ocirt__fields_seccomp_arg[] = {
    OCIRT__F(ocirt_seccomp_arg, index, "index", OCIRT__U32, .flags = OCIRT__REQUIRED, .max = 5), OCIRT__F(ocirt_seccomp_arg, value, "value", OCIRT__U64, .flags = OCIRT__REQUIRED),
    OCIRT__F(ocirt_seccomp_arg, value_two, "valueTwo", OCIRT__U64, .flags = 0), OCIRT__F(ocirt_seccomp_arg, op, "op", OCIRT__NAME32, .flags = OCIRT__REQUIRED, .names = ocirt__names_seccomp_ops)};
OCIRT__OBJECT_OF(seccomp_arg, ocirt_seccomp_arg, "seccomp argument");
static const struct ocirt__field ocirt__fields_syscall[] = {
    OCIRT__F(ocirt_syscall, names, "names", OCIRT__TEXTS, .flags = OCIRT__REQUIRED | OCIRT__NONEMPTY), OCIRT__F(ocirt_syscall, action, "action", OCIRT__NAME32, .flags = OCIRT__REQUIRED, .names = ocirt__names_seccomp_actions),
    OCIRT__F(ocirt_syscall, errno_ret, "errnoRet", OCIRT__OPT_UINT, .max = UINT32_MAX), OCIRT__L(ocirt_syscall, args, "args", OCIRT__OBJECTS, .of = &ocirt__object_seccomp_arg)};
OCIRT__OBJECT_OF(syscall, ocirt_syscall, "system call rule");
static const struct ocirt__field ocirt__fields_seccomp[] = {
    OCIRT__F(ocirt_seccomp, default_action, "defaultAction", OCIRT__NAME32, .flags = OCIRT__REQUIRED, .names = ocirt__names_seccomp_actions),
    OCIRT__F(ocirt_seccomp, default_errno_ret, "defaultErrnoRet", OCIRT__OPT_UINT, .max = UINT32_MAX), OCIRT__F(ocirt_seccomp, architectures, "architectures", OCIRT__TEXTS, .names = ocirt__names_seccomp_archs),
    OCIRT__F(ocirt_seccomp, flags, "flags", OCIRT__OPT_FLAGS, .names = ocirt__names_seccomp_flags), OCIRT__F(ocirt_seccomp, listener_path, "listenerPath", OCIRT__TEXT, .flags = 0),
    OCIRT__F(ocirt_seccomp, listener_metadata, "listenerMetadata", OCIRT__TEXT, .flags = 0), OCIRT__L(ocirt_seccomp, syscalls, "syscalls", OCIRT__OBJECTS, .of = &ocirt__object_syscall)};
OCIRT__OBJECT_OF(seccomp, ocirt_seccomp, "seccomp");

static const struct ocirt__field ocirt__fields_intel_rdt[] = {
    OCIRT__F(ocirt_intel_rdt, clos_id, "closID", OCIRT__TEXT, .flags = 0), OCIRT__F(ocirt_intel_rdt, l3_cache_schema, "l3CacheSchema", OCIRT__TEXT, .flags = 0),
    OCIRT__F(ocirt_intel_rdt, mem_bw_schema, "memBwSchema", OCIRT__TEXT, .flags = OCIRT__ONE_LINE), OCIRT__F(ocirt_intel_rdt, schemata, "schemata", OCIRT__TEXTS, .flags = OCIRT__ONE_LINE),
    OCIRT__F(ocirt_intel_rdt, enable_monitoring, "enableMonitoring", OCIRT__BOOL, .flags = 0)};
OCIRT__OBJECT_OF(intel_rdt, ocirt_intel_rdt, "Intel RDT");
static const struct ocirt__field ocirt__fields_memory_policy[] = {
    OCIRT__F(ocirt_memory_policy, mode, "mode", OCIRT__NAME32, .flags = OCIRT__REQUIRED, .names = ocirt__names_memory_modes), OCIRT__F(ocirt_memory_policy, nodes, "nodes", OCIRT__TEXT, .flags = OCIRT__ONE_LINE),
    OCIRT__F(ocirt_memory_policy, flags, "flags", OCIRT__FLAGS, .names = ocirt__names_memory_flags)};
OCIRT__OBJECT_OF(memory_policy, ocirt_memory_policy, "memory policy");
static const struct ocirt__field ocirt__fields_personality[] = {
    OCIRT__F(ocirt_personality, domain, "domain", OCIRT__NAME32, .flags = OCIRT__REQUIRED, .names = ocirt__names_personality), OCIRT__F(ocirt_personality, flags, "flags", OCIRT__TEXTS, .flags = 0)};
OCIRT__OBJECT_OF(personality, ocirt_personality, "personality");

static const struct ocirt__field ocirt__fields_linux[] = {
    OCIRT__L(ocirt_linux, namespaces, "namespaces", OCIRT__OBJECTS, .of = &ocirt__object_namespace), OCIRT__L(ocirt_linux, uid_mappings, "uidMappings", OCIRT__OBJECTS, .of = &ocirt__object_mapping),
    OCIRT__L(ocirt_linux, gid_mappings, "gidMappings", OCIRT__OBJECTS, .of = &ocirt__object_mapping), OCIRT__F(ocirt_linux, time_offsets, "timeOffsets", OCIRT__OBJECT, .of = &ocirt__object_time_offsets),
    OCIRT__L(ocirt_linux, devices, "devices", OCIRT__OBJECTS, .of = &ocirt__object_device), OCIRT__L(ocirt_linux, net_devices, "netDevices", OCIRT__MAP, .of = &ocirt__object_net_device),
    OCIRT__F(ocirt_linux, cgroups_path, "cgroupsPath", OCIRT__TEXT, .flags = OCIRT__ONE_LINE), OCIRT__F(ocirt_linux, resources, "resources", OCIRT__OBJECT, .of = &ocirt__object_resources),
    OCIRT__F(ocirt_linux, rootfs_propagation, "rootfsPropagation", OCIRT__NAME32, .names = ocirt__names_propagation), OCIRT__F(ocirt_linux, seccomp, "seccomp", OCIRT__OBJECT, .of = &ocirt__object_seccomp),
    OCIRT__L(ocirt_linux, sysctl, "sysctl", OCIRT__PAIRS, .flags = 0), OCIRT__F(ocirt_linux, masked_paths, "maskedPaths", OCIRT__TEXTS, .flags = OCIRT__ABSOLUTE),
    OCIRT__F(ocirt_linux, readonly_paths, "readonlyPaths", OCIRT__TEXTS, .flags = OCIRT__ABSOLUTE), OCIRT__F(ocirt_linux, mount_label, "mountLabel", OCIRT__TEXT, .flags = OCIRT__ONE_LINE),
    OCIRT__F(ocirt_linux, intel_rdt, "intelRdt", OCIRT__OBJECT, .of = &ocirt__object_intel_rdt), OCIRT__F(ocirt_linux, memory_policy, "memoryPolicy", OCIRT__OBJECT, .of = &ocirt__object_memory_policy),
    OCIRT__F(ocirt_linux, personality, "personality", OCIRT__OBJECT, .of = &ocirt__object_personality)};
OCIRT__OBJECT_OF(linux, ocirt_linux, "linux");

static const struct ocirt__field ocirt__fields_spec[] = {
    OCIRT__F(ocirt_spec, oci_version, "ociVersion", OCIRT__TEXT, .flags = OCIRT__REQUIRED), OCIRT__F(ocirt_spec, process, "process", OCIRT__OBJECT, .of = &ocirt__object_process),
    OCIRT__F(ocirt_spec, root, "root", OCIRT__OBJECT, .of = &ocirt__object_root), OCIRT__F(ocirt_spec, hostname, "hostname", OCIRT__TEXT, .flags = OCIRT__ONE_LINE),
    OCIRT__F(ocirt_spec, domainname, "domainname", OCIRT__TEXT, .flags = OCIRT__ONE_LINE), OCIRT__L(ocirt_spec, mounts, "mounts", OCIRT__OBJECTS, .of = &ocirt__object_mount),
    OCIRT__F(ocirt_spec, hooks, "hooks", OCIRT__OBJECT, .of = &ocirt__object_hooks), OCIRT__L(ocirt_spec, annotations, "annotations", OCIRT__PAIRS, .flags = 0),
    OCIRT__F(ocirt_spec, linux_, "linux", OCIRT__OBJECT, .of = &ocirt__object_linux), OCIRT__F(ocirt_spec, token, "windows", OCIRT__SKIP, .flags = 0),
    OCIRT__F(ocirt_spec, token, "solaris", OCIRT__SKIP, .flags = 0), OCIRT__F(ocirt_spec, token, "vm", OCIRT__SKIP, .flags = 0),
    OCIRT__F(ocirt_spec, token, "zos", OCIRT__SKIP, .flags = 0), OCIRT__F(ocirt_spec, token, "freebsd", OCIRT__SKIP, .flags = 0)};
OCIRT__OBJECT_OF(spec, ocirt_spec, "config");

/* ----- loading ----- */

struct ocirt__pending { /* an object that waits to be filled */
    const struct ocirt__object *of;
    char    *at;
    uint32_t token;
};

struct ocirt__loader {
    ocirt_arena           *arena;
    const ocirt_json      *doc;
    ocirt_error           *error;
    ocirt_finding_fn       report; /* NULL: findings are not wanted */
    void                  *user;
    struct ocirt__pending *pending;
    size_t                 count, room;
};

static int ocirt__spec_fail(struct ocirt__loader *l, uint32_t token, const char *format, ...) {
    char text[300], pointer[160];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    ocirt__json_pointer(l->doc, token, pointer, sizeof pointer);
    ocirt__error_set(l->error, OCIRT_E_SPEC, 0, pointer, "%s: %s", pointer[0] ? pointer : "config", text);
    return ocirt__error_place(l->error, l->doc, token);
}

static const char *ocirt__spec_type_word(uint32_t type) {
    static const char *const words[] = {"nothing", "null", "false", "true", "a number", "a string", "an array", "an object"};
    return words[type < 8 ? type : 0];
}

static int ocirt__spec_wrong_type(struct ocirt__loader *l, uint32_t token, const char *wanted) {
    uint32_t type = ocirt__json_type(l->doc, token);
    if (type == OCIRT__JSON_NUMBER && (strstr(wanted, "integer") != NULL))
        return ocirt__spec_fail(l, token, "%s is expected; fractions, exponents and larger numbers are not", wanted);
    return ocirt__spec_fail(l, token, "%s is expected, but this is %s", wanted, ocirt__spec_type_word(type));
}

/* Number of single edits between two words, capped; enough to guess what was meant. */
static unsigned ocirt__spec_distance(const char *a, size_t n, const char *b) {
    unsigned row[40];
    size_t m = strlen(b);
    if (n >= 40 || m >= 40) return 99;
    for (size_t j = 0; j <= m; j++) row[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned change = corner + ((a[i - 1] | 32) != (b[j - 1] | 32)), least = row[j] + 1;
            corner = row[j];
            if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[m];
}

static void ocirt__spec_warn(struct ocirt__loader *l, uint32_t token, bool fatal, const char *hint, const char *format, ...) {
    ocirt_finding f = {.fatal = fatal};
    va_list list;
    if (!l->report) return;
    ocirt__error_set(&f.what, fatal ? OCIRT_E_UNSUPPORTED : OCIRT_E_SPEC, 0, "", "%s", "");
    va_start(list, format);
    vsnprintf(f.what.message, sizeof f.what.message, format, list);
    va_end(list);
    if (hint) ocirt__error_hint(&f.what, "did you mean \"%s\"?", hint);
    ocirt__error_place(&f.what, l->doc, token);
    l->report(l->user, &f);
}

static void ocirt__spec_unknown(struct ocirt__loader *l, const struct ocirt__object *of, uint32_t key) {
    const struct ocirt__token *t = &l->doc->tokens[key];
    const char *best = NULL;
    unsigned    least = 4;
    if (!l->report) return;
    for (uint16_t i = 0; i < of->count; i++) {
        unsigned d = ocirt__spec_distance(l->doc->text + t->start, t->end - t->start, of->fields[i].name);
        if (d < least) least = d, best = of->fields[i].name;
    }
    ocirt__spec_warn(l, t->next, false, best, "unknown property \"%.*s\" of %s is ignored", (int)(t->end - t->start), l->doc->text + t->start, of->name);
}

static int ocirt__spec_later(struct ocirt__loader *l, const struct ocirt__object *of, char *at, uint32_t token) {
    if (l->count == l->room) {
        size_t room = l->room ? l->room * 2 : 64;
        struct ocirt__pending *more = ocirt__mem_array(l->arena, room, sizeof *more);
        if (!more) return ocirt__error_set(l->error, OCIRT_E_MEMORY, 0, "", "out of memory");
        if (l->count) memcpy(more, l->pending, l->count * sizeof *more);
        l->pending = more, l->room = room;
    }
    l->pending[l->count++] = (struct ocirt__pending){.of = of, .at = at, .token = token};
    return 0;
}

static int ocirt__spec_text(struct ocirt__loader *l, const struct ocirt__field *f, uint32_t token, const char **out) {
    if (ocirt__json_type(l->doc, token) != OCIRT__JSON_STRING) return ocirt__spec_wrong_type(l, token, "a string");
    *out = ocirt__json_text(l->arena, l->doc, token);
    if (!*out) return ocirt__error_set(l->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (f->flags & OCIRT__NONEMPTY && !(*out)[0]) return ocirt__spec_fail(l, token, "must not be empty");
    if (f->flags & OCIRT__ABSOLUTE && (*out)[0] && (*out)[0] != '/') return ocirt__spec_fail(l, token, "an absolute path is expected, not \"%.80s\"", *out);
    if (f->flags & OCIRT__ONE_LINE && strchr(*out, '\n')) return ocirt__spec_fail(l, token, "must be a single line");
    return 0;
}

static int ocirt__spec_name(struct ocirt__loader *l, const struct ocirt__field *f, uint32_t token, uint64_t *out) {
    static const struct ocirt__field plain = {.flags = 0};
    const struct ocirt__name *found;
    const char *text, *best = NULL;
    unsigned    least = 4;
    int r = ocirt__spec_text(l, &plain, token, &text);
    if (r < 0) return r;
    found = ocirt__name_find(f->names, text);
    if (found) return *out = found->value, 0;
    for (const struct ocirt__name *n = f->names; n->name; n++) {
        unsigned d = ocirt__spec_distance(text, strlen(text), n->name);
        if (d < least) least = d, best = n->name;
    }
    r = ocirt__spec_fail(l, token, "unknown value \"%.80s\"", text);
    if (best) ocirt__error_hint(l->error, "did you mean \"%s\"?", best);
    return r;
}

static int ocirt__spec_elements(struct ocirt__loader *l, uint32_t token) {
    return ocirt__json_type(l->doc, token) == OCIRT__JSON_ARRAY ? 0 : ocirt__spec_wrong_type(l, token, "an array");
}

static int ocirt__spec_texts(struct ocirt__loader *l, const struct ocirt__field *f, uint32_t token, ocirt_strings *out) {
    struct ocirt__field one = *f;
    int r = ocirt__spec_elements(l, token);
    one.flags &= OCIRT__ABSOLUTE | OCIRT__ONE_LINE;
    if (one.flags & OCIRT__ABSOLUTE) one.flags |= OCIRT__NONEMPTY;
    if (r < 0) return r;
    out->items = ocirt__mem_array(l->arena, l->doc->tokens[token].count + 1u, sizeof *out->items);
    if (!out->items) return ocirt__error_set(l->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    for (uint32_t i = token + 1; r == 0 && i < l->doc->tokens[token].next; i = l->doc->tokens[i].next) {
        uint64_t ignored;
        r = ocirt__spec_text(l, &one, i, &out->items[out->count++]);
        if (r == 0 && f->names) r = ocirt__spec_name(l, f, i, &ignored);
    }
    if (r == 0 && f->flags & OCIRT__NONEMPTY && out->count == 0) return ocirt__spec_fail(l, token, "must have at least one element");
    return r;
}

static int ocirt__spec_flags(struct ocirt__loader *l, const struct ocirt__field *f, uint32_t token, uint64_t *out) {
    int r = ocirt__spec_elements(l, token);
    for (uint32_t i = token + 1; r == 0 && i < l->doc->tokens[token].next; i = l->doc->tokens[i].next) {
        uint64_t one = 0;
        r = ocirt__spec_name(l, f, i, &one);
        *out |= one;
    }
    return r;
}

/* Unknown capabilities warn and are left out (config.md: SHOULD log, and not fail). */
static int ocirt__spec_caps(struct ocirt__loader *l, uint32_t token, ocirt_opt_uint *out) {
    static const struct ocirt__field plain = {.flags = 0};
    int r = ocirt__spec_elements(l, token);
    out->set = true;
    for (uint32_t i = token + 1; r == 0 && i < l->doc->tokens[token].next; i = l->doc->tokens[i].next) {
        const struct ocirt__name *cap;
        const char *text;
        r = ocirt__spec_text(l, &plain, i, &text);
        if (r < 0) break;
        cap = ocirt__name_find(ocirt__names_capabilities, text);
        if (cap) out->value |= 1ull << cap->value;
        else ocirt__spec_warn(l, i, false, NULL, "unknown capability \"%.60s\" is left out", text);
    }
    return r;
}

static int ocirt__spec_uint(struct ocirt__loader *l, const struct ocirt__field *f, uint32_t token, uint64_t limit, uint64_t *out) {
    uint64_t least = f->min > 0 ? (uint64_t)f->min : 0;
    if (!ocirt__json_uint(l->doc, token, out)) return ocirt__spec_wrong_type(l, token, "an integer from 0 to 18446744073709551615");
    if (f->max && f->max < limit) limit = f->max;
    if (*out > limit || *out < least)
        return ocirt__spec_fail(l, token, "%llu is out of range, %llu to %llu", (unsigned long long)*out, (unsigned long long)least, (unsigned long long)limit);
    return 0;
}

static int ocirt__spec_int(struct ocirt__loader *l, const struct ocirt__field *f, uint32_t token, int64_t *out) {
    if (!ocirt__json_int(l->doc, token, out)) return ocirt__spec_wrong_type(l, token, "an integer of 64 bits");
    if (f->max && (*out < f->min || (*out > 0 && (uint64_t)*out > f->max)))
        return ocirt__spec_fail(l, token, "%lld is out of range, %lld to %llu", (long long)*out, (long long)f->min, (unsigned long long)f->max);
    return 0;
}

static int ocirt__spec_numbers(struct ocirt__loader *l, const struct ocirt__field *f, uint32_t token, uint32_t **out, size_t *out_count) {
    int r = ocirt__spec_elements(l, token);
    if (r < 0) return r;
    *out = ocirt__mem_array(l->arena, l->doc->tokens[token].count + 1u, sizeof **out);
    if (!*out) return ocirt__error_set(l->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    for (uint32_t i = token + 1; r == 0 && i < l->doc->tokens[token].next; i = l->doc->tokens[i].next) {
        uint64_t value = 0;
        r = ocirt__spec_uint(l, f, i, UINT32_MAX, &value);
        (*out)[(*out_count)++] = (uint32_t)value;
    }
    return r;
}

/* An array, or a map whose keys go into the elements. */
static int ocirt__spec_objects(struct ocirt__loader *l, const struct ocirt__field *f, uint32_t token, char **out, size_t *out_count) {
    bool     map = f->kind == OCIRT__MAP;
    uint32_t count, i = token + 1;
    if (ocirt__json_type(l->doc, token) != (uint32_t)(map ? OCIRT__JSON_OBJECT : OCIRT__JSON_ARRAY)) return ocirt__spec_wrong_type(l, token, map ? "an object" : "an array");
    count = l->doc->tokens[token].count;
    *out  = ocirt__mem_array(l->arena, count + 1u, f->of->size);
    if (!*out) return ocirt__error_set(l->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    for (; i < l->doc->tokens[token].next; i = l->doc->tokens[i].next) {
        char *element = *out + (*out_count)++ * f->of->size;
        if (map) {
            const char *key = ocirt__json_text(l->arena, l->doc, i);
            memcpy(element + f->of->key_at, &key, sizeof key);
            i = l->doc->tokens[i].next;
        }
        int r = ocirt__spec_later(l, f->of, element, i);
        if (r < 0) return r;
    }
    return 0;
}

static int ocirt__spec_letter(struct ocirt__loader *l, uint32_t token, char *out) {
    static const struct ocirt__field plain = {.flags = 0};
    const char *text;
    int r = ocirt__spec_text(l, &plain, token, &text);
    if (r < 0) return r;
    if (text[0] == 0) return 0;
    if (text[1] || !strchr("abcup", text[0])) return ocirt__spec_fail(l, token, "unknown device type \"%.20s\"", text);
    *out = text[0] == 'u' ? 'c' : text[0];
    return 0;
}

static int ocirt__spec_number_field(struct ocirt__loader *l, const struct ocirt__field *f, char *at, uint32_t token) {
    uint64_t value = 0;
    int64_t  number = 0;
    int r = 0;
    if (f->kind == OCIRT__OPT_INT || f->kind == OCIRT__I64) r = ocirt__spec_int(l, f, token, &number);
    else if (f->kind == OCIRT__NAME32 || f->kind == OCIRT__NAME64) r = ocirt__spec_name(l, f, token, &value);
    else if (f->kind == OCIRT__FLAGS || f->kind == OCIRT__OPT_FLAGS) r = ocirt__spec_flags(l, f, token, &value);
    else r = ocirt__spec_uint(l, f, token, f->kind == OCIRT__U32 ? UINT32_MAX : UINT64_MAX, &value);
    if (r < 0) return r;
    switch (f->kind) {
    case OCIRT__OPT_INT: *(ocirt_opt_int *)(void *)at = (ocirt_opt_int){true, number}; break;
    case OCIRT__I64: *(int64_t *)(void *)at = number; break;
    case OCIRT__OPT_FLAGS:
    case OCIRT__OPT_UINT: *(ocirt_opt_uint *)(void *)at = (ocirt_opt_uint){true, value}; break;
    case OCIRT__NAME32:
    case OCIRT__U32: *(uint32_t *)(void *)at = (uint32_t)value; break;
    default: *(uint64_t *)(void *)at = value; break;
    }
    return 0;
}

static int ocirt__spec_field(struct ocirt__loader *l, const struct ocirt__field *f, char *base, uint32_t token) {
    char    *at = base + f->at;
    size_t  *count = (size_t *)(void *)(base + f->count_at);
    uint32_t type = ocirt__json_type(l->doc, token);
    char    *object;
    switch (f->kind) {
    case OCIRT__SKIP: return 0;
    case OCIRT__TEXT: return ocirt__spec_text(l, f, token, (const char **)(void *)at);
    case OCIRT__TEXTS: return ocirt__spec_texts(l, f, token, (ocirt_strings *)(void *)at);
    case OCIRT__CAPS: return ocirt__spec_caps(l, token, (ocirt_opt_uint *)(void *)at);
    case OCIRT__LETTER: return ocirt__spec_letter(l, token, at);
    case OCIRT__NUMBERS: return ocirt__spec_numbers(l, f, token, (uint32_t **)(void *)at, count);
    case OCIRT__MAP:
    case OCIRT__OBJECTS: return ocirt__spec_objects(l, f, token, (char **)(void *)at, count);
    case OCIRT__INLINE: return ocirt__spec_later(l, f->of, at, token);
    case OCIRT__PAIRS:
        if (type != OCIRT__JSON_OBJECT) return ocirt__spec_wrong_type(l, token, "an object of strings");
        for (uint32_t key = token + 1; key < l->doc->tokens[token].next; key = l->doc->tokens[l->doc->tokens[key].next].next)
            if (ocirt__json_type(l->doc, l->doc->tokens[key].next) != OCIRT__JSON_STRING) return ocirt__spec_wrong_type(l, l->doc->tokens[key].next, "a string");
        return ocirt__json_pairs(l->arena, l->doc, token, (ocirt_pair **)(void *)at, count) ? 0 : ocirt__error_set(l->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    case OCIRT__OBJECT:
        object = ocirt__mem_alloc(l->arena, f->of->size);
        if (!object) return ocirt__error_set(l->error, OCIRT_E_MEMORY, 0, "", "out of memory");
        memcpy(at, &object, sizeof object);
        return ocirt__spec_later(l, f->of, object, token);
    case OCIRT__BOOL:
    case OCIRT__OPT_BOOL:
        if (type != OCIRT__JSON_TRUE && type != OCIRT__JSON_FALSE) return ocirt__spec_wrong_type(l, token, "true or false");
        if (f->kind == OCIRT__BOOL) *(bool *)(void *)at = type == OCIRT__JSON_TRUE;
        else *(ocirt_opt_bool *)(void *)at = (ocirt_opt_bool){true, type == OCIRT__JSON_TRUE};
        return 0;
    default: return ocirt__spec_number_field(l, f, at, token);
    }
}

static int ocirt__spec_required(struct ocirt__loader *l, const struct ocirt__pending *p, uint32_t seen) {
    for (uint16_t i = 0; i < p->of->count; i++)
        if (p->of->fields[i].flags & OCIRT__REQUIRED && !(seen >> i & 1)) return ocirt__spec_fail(l, p->token, "%s needs \"%s\"", p->of->name, p->of->fields[i].name);
    return 0;
}

/* Members in the order of the text; null stands for absent, as Go programs write it. */
static int ocirt__spec_object(struct ocirt__loader *l, struct ocirt__pending p) {
    uint32_t seen = 0, value;
    int r = 0;
    if (ocirt__json_type(l->doc, p.token) != OCIRT__JSON_OBJECT) return ocirt__spec_wrong_type(l, p.token, "an object");
    memcpy(p.at, &p.token, sizeof p.token);
    for (uint32_t key = p.token + 1; r == 0 && key < l->doc->tokens[p.token].next; key = l->doc->tokens[value].next) {
        uint16_t i = 0;
        value = l->doc->tokens[key].next;
        while (i < p.of->count && !ocirt__json_equals(l->doc, key, p.of->fields[i].name, strlen(p.of->fields[i].name))) i++;
        if (i == p.of->count && p.of == &ocirt__object_time_offsets && ocirt__json_type(l->doc, value) != OCIRT__JSON_NULL)
            r = ocirt__spec_fail(l, value, "a time namespace has no such clock: monotonic and boottime");
        else if (i == p.of->count) ocirt__spec_unknown(l, p.of, key);
        else if (ocirt__json_type(l->doc, value) != OCIRT__JSON_NULL) {
            seen |= 1u << i;
            r = ocirt__spec_field(l, &p.of->fields[i], p.at, value);
        }
    }
    return r < 0 ? r : ocirt__spec_required(l, &p, seen);
}

static int ocirt__spec_fill(struct ocirt__loader *l, const struct ocirt__object *of, void *top) {
    int r = ocirt__spec_later(l, of, top, 1);
    while (r == 0 && l->count > 0) r = ocirt__spec_object(l, l->pending[--l->count]);
    return r;
}

/* ----- rules that span several fields ----- */

static uint32_t ocirt__spec_at(const struct ocirt__loader *l, uint32_t object, const char *name) {
    uint32_t token = ocirt__json_member(l->doc, object, name);
    return token ? token : object;
}

static bool ocirt__spec_has_namespace(const ocirt_linux *on, uint64_t type, bool fresh_only) {
    for (size_t i = 0; on && i < on->namespaces_count; i++)
        if (on->namespaces[i].type == type && !(fresh_only && on->namespaces[i].path && on->namespaces[i].path[0])) return true;
    return false;
}

static int ocirt__spec_rule_version(struct ocirt__loader *l, const ocirt_spec *s) {
    const char *v = s->oci_version;
    bool good = (v[0] == '0' || v[0] == '1') && v[1] == '.' && /* 0.x: drafts of 1.0 */ strspn(v + 2, "0123456789") > 0 && v[2 + strspn(v + 2, "0123456789")] == '.';
    if (good) v += 3 + strspn(v + 2, "0123456789");
    good = good && strspn(v, "0123456789") > 0;
    if (good) v += strspn(v, "0123456789");
    good = good && (!*v || ((*v == '-' || *v == '+') && v[1]));
    return good ? 0 : ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "ociVersion"), "version \"%.40s\" is not supported: 1.x.y is", s->oci_version);
}

static int ocirt__spec_rule_namespaces(struct ocirt__loader *l, const ocirt_spec *s) {
    uint64_t seen = 0;
    for (size_t i = 0; s->linux_ && i < s->linux_->namespaces_count; i++) {
        const ocirt_namespace *ns = &s->linux_->namespaces[i];
        if (seen & ns->type) return ocirt__spec_fail(l, ns->token, "namespace %s is listed twice", ocirt__name_of(ocirt__names_namespaces, ns->type));
        seen |= ns->type;
    }
    return 0;
}

static int ocirt__spec_rule_names(struct ocirt__loader *l, const ocirt_spec *s) {
    bool uts = ocirt__spec_has_namespace(s->linux_, OCIRT__CLONE_NEWUTS, false);
    if (s->hostname && s->hostname[0] && !uts) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "hostname"), "hostname needs a uts namespace");
    if (s->domainname && s->domainname[0] && !uts) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "domainname"), "domainname needs a uts namespace");
    if (s->hostname && strlen(s->hostname) > 64) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "hostname"), "hostname is longer than 64 bytes");
    if (s->domainname && strlen(s->domainname) > 64) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "domainname"), "domainname is longer than 64 bytes");
    return 0;
}

static int ocirt__spec_rule_maps(struct ocirt__loader *l, const ocirt_spec *s) {
    const ocirt_linux *on = s->linux_;
    bool user = ocirt__spec_has_namespace(on, OCIRT__CLONE_NEWUSER, false), fresh = ocirt__spec_has_namespace(on, OCIRT__CLONE_NEWUSER, true);
    for (size_t i = 0; i < s->mounts_count; i++)
        if (!s->mounts[i].uid_mappings_count != !s->mounts[i].gid_mappings_count)
            return ocirt__spec_fail(l, s->mounts[i].token, "uidMappings and gidMappings of a mount go together");
    if (!on) return 0;
    if (!user && (on->uid_mappings_count || on->gid_mappings_count))
        return ocirt__spec_fail(l, ocirt__spec_at(l, on->token, on->uid_mappings_count ? "uidMappings" : "gidMappings"), "id mappings need a user namespace");
    if (fresh && !on->uid_mappings_count != !on->gid_mappings_count) /* neither: the caller's own ids, as in crun */
        return ocirt__spec_fail(l, ocirt__spec_at(l, on->token, on->uid_mappings_count ? "uidMappings" : "gidMappings"), "uidMappings and gidMappings go together");
    return 0;
}

static int ocirt__spec_rule_time(struct ocirt__loader *l, const ocirt_spec *s) {
    if (!s->linux_ || !s->linux_->time_offsets || ocirt__spec_has_namespace(s->linux_, OCIRT__CLONE_NEWTIME, true)) return 0;
    return ocirt__spec_fail(l, ocirt__spec_at(l, s->linux_->token, "timeOffsets"), "timeOffsets need a new time namespace");
}

static int ocirt__spec_rule_process(struct ocirt__loader *l, const ocirt_spec *s) {
    const ocirt_process *p = s->process;
    if (!p) return 0;
    if (p->user.token == 0) return ocirt__spec_fail(l, p->token, "process needs \"user\"");
    if (!p->cwd[0]) return ocirt__spec_fail(l, ocirt__spec_at(l, p->token, "cwd"), "must not be empty");
    for (size_t i = 0; i < p->env.count; i++)
        if (!strchr(p->env.items[i], '=') || p->env.items[i][0] == '=')
            return ocirt__spec_fail(l, ocirt__json_item(l->doc, ocirt__spec_at(l, p->token, "env"), i), "an entry of env is NAME=VALUE");
    for (size_t i = 0; i < p->rlimits_count; i++)
        for (size_t k = 0; k < i; k++)
            if (p->rlimits[i].type == p->rlimits[k].type)
                return ocirt__spec_fail(l, p->rlimits[i].token, "%s is listed twice", ocirt__name_of(ocirt__names_rlimits, p->rlimits[i].type));
    for (size_t i = 0; i < p->rlimits_count; i++)
        if (p->rlimits[i].soft > p->rlimits[i].hard) return ocirt__spec_fail(l, p->rlimits[i].token, "the soft limit is above the hard limit");
    return 0;
}

/* sched_setattr(2): which of the values belong to which policy. 0 is absent, as Go programs write it. */
static int ocirt__spec_rule_scheduler(struct ocirt__loader *l, const ocirt_spec *spec) {
    const ocirt_scheduler *s = spec->process ? spec->process->scheduler : NULL;
    if (!s) return 0;
    bool other = s->policy == 0 || s->policy == 3, realtime = s->policy == 1 || s->policy == 2, deadline = s->policy == OCIRT__SCHED_DEADLINE;
    if (s->policy == 4) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "policy"), "no kernel has SCHED_ISO");
    if (s->nice.value && !other) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "nice"), "nice is for SCHED_OTHER and SCHED_BATCH");
    if (s->priority.value && !realtime) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "priority"), "priority is for SCHED_FIFO and SCHED_RR");
    if (realtime && s->priority.value < 1) return ocirt__spec_fail(l, s->token, "SCHED_FIFO and SCHED_RR need a priority, 1 to 99");
    if (!deadline && (s->runtime.value || s->deadline.value || s->period.value))
        return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, s->runtime.value ? "runtime" : s->deadline.value ? "deadline" : "period"), "runtime, deadline and period are for SCHED_DEADLINE");
    if (!deadline) return 0;
    if (s->runtime.value < 1024) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "runtime"), "SCHED_DEADLINE needs a runtime of at least 1024 ns");
    if (s->deadline.value < s->runtime.value) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "deadline"), "the deadline cannot be shorter than the runtime");
    if (s->period.value && s->period.value < s->deadline.value) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "period"), "the period cannot be shorter than the deadline");
    return 0;
}

enum { OCIRT__NODES = 1024, OCIRT__CPUS = 1 << 20, OCIRT__MASK_CPUS = 8192 /* CONFIG_NR_CPUS at most */ };

/* set_mempolicy(2): which modes go with nodes, and which flags with which mode. */
static int ocirt__spec_rule_memory_policy(struct ocirt__loader *l, const ocirt_spec *s) {
    const ocirt_memory_policy *m = s->linux_ ? s->linux_->memory_policy : NULL;
    if (!m) return 0;
    bool nodes = m->nodes && m->nodes[0], none = m->mode == 0 || m->mode == 4, any = m->mode == 1;
    uint32_t at = ocirt__spec_at(l, m->token, "nodes"), flags = ocirt__spec_at(l, m->token, "flags");
    if (nodes && none) return ocirt__spec_fail(l, at, "%s takes no nodes", ocirt__name_of(ocirt__names_memory_modes, m->mode));
    if (!nodes && !none && !any) return ocirt__spec_fail(l, at, "%s needs nodes", ocirt__name_of(ocirt__names_memory_modes, m->mode));
    if (nodes && !ocirt__names_list(m->nodes, NULL, OCIRT__NODES)) return ocirt__spec_fail(l, at, "\"%.60s\" is not a list of memory nodes such as 0-1,3", m->nodes);
    if ((m->flags & 3u << 14) == 3u << 14) return ocirt__spec_fail(l, flags, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
    if (m->flags & 3u << 14 && !nodes) return ocirt__spec_fail(l, flags, "these flags need nodes");
    if (m->flags & 1u << 13 && m->mode != 2 && m->mode != 5) return ocirt__spec_fail(l, flags, "MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY");
    return 0;
}

static int ocirt__spec_rule_intel_rdt(struct ocirt__loader *l, const ocirt_spec *s) {
    const ocirt_intel_rdt *r = s->linux_ ? s->linux_->intel_rdt : NULL;
    if (!r) return 0;
    if (r->clos_id && strcmp(r->clos_id, "/") != 0 && (strpbrk(r->clos_id, "/\n") || strcmp(r->clos_id, ".") == 0 || strcmp(r->clos_id, "..") == 0 ||
                       strlen(r->clos_id) > 255 || strcmp(r->clos_id, "info") == 0 || strcmp(r->clos_id, "mon_groups") == 0 || strcmp(r->clos_id, "mon_data") == 0))
        return ocirt__spec_fail(l, ocirt__spec_at(l, r->token, "closID"), "\"%.60s\" is not a name of a resctrl group", r->clos_id);
    if (r->mem_bw_schema && r->mem_bw_schema[0] && strncmp(r->mem_bw_schema, "MB:", 3) != 0)
        return ocirt__spec_fail(l, ocirt__spec_at(l, r->token, "memBwSchema"), "memBwSchema begins with MB:");
    return 0;
}

static int ocirt__spec_rule_affinity(struct ocirt__loader *l, const ocirt_spec *s) {
    const ocirt_exec_cpu_affinity *a = s->process ? s->process->exec_cpu_affinity : NULL;
    if (a && a->initial && a->initial[0] && !ocirt__names_list(a->initial, NULL, OCIRT__CPUS))
        return ocirt__spec_fail(l, ocirt__spec_at(l, a->token, "initial"), "\"%.60s\" is not a list of CPUs such as 0-3,5", a->initial);
    if (a && a->final && a->final[0] && !ocirt__names_list(a->final, NULL, OCIRT__CPUS))
        return ocirt__spec_fail(l, ocirt__spec_at(l, a->token, "final"), "\"%.60s\" is not a list of CPUs such as 0-3,5", a->final);
    return 0;
}

static int ocirt__spec_rule_devices(struct ocirt__loader *l, const ocirt_spec *s) {
    const ocirt_linux *on = s->linux_;
    for (size_t i = 0; on && i < on->devices_count; i++) {
        const ocirt_device *d = &on->devices[i];
        if (d->type == 'a' || !d->type) return ocirt__spec_fail(l, ocirt__spec_at(l, d->token, "type"), "a device is of type c, b, u or p");
        if (d->type != 'p' && (!d->major.set || !d->minor.set)) return ocirt__spec_fail(l, d->token, "a device of type %c needs major and minor", d->type);
        if (d->file_mode.set && (d->file_mode.value & ~(uint64_t)(S_IFMT | 07777)))
            return ocirt__spec_fail(l, ocirt__spec_at(l, d->token, "fileMode"), "%llu is not a file mode", (unsigned long long)d->file_mode.value);
    }
    for (size_t i = 0; on && on->resources && i < on->resources->devices_count; i++) {
        const ocirt_device_rule *r = &on->resources->devices[i];
        if (r->type == 'p') return ocirt__spec_fail(l, ocirt__spec_at(l, r->token, "type"), "a device rule is of type a, c or b");
        if (r->access && r->access[strspn(r->access, "rwm")]) return ocirt__spec_fail(l, ocirt__spec_at(l, r->token, "access"), "access is made of r, w and m");
    }
    return 0;
}

static int ocirt__spec_rule_block_io(struct ocirt__loader *l, const ocirt_block_io *b) {
    if (b->weight.value && b->weight.value < 10) /* 0: not set, as Go programs write it */
        return ocirt__spec_fail(l, ocirt__spec_at(l, b->token, "weight"), "%llu is out of range, 10 to 1000", (unsigned long long)b->weight.value);
    for (size_t i = 0; i < b->weight_device_count; i++) {
        const ocirt_weight_device *d = &b->weight_device[i];
        if (!d->weight.set && !d->leaf_weight.set) return ocirt__spec_fail(l, d->token, "at least one of weight and leafWeight is needed");
        if (d->weight.value && d->weight.value < 10)
            return ocirt__spec_fail(l, ocirt__spec_at(l, d->token, "weight"), "%llu is out of range, 10 to 1000", (unsigned long long)d->weight.value);
    }
    return 0;
}

static int ocirt__spec_rule_unified(struct ocirt__loader *l, const ocirt_resources *r) {
    uint32_t token = r->unified_count ? ocirt__json_member(l->doc, r->token, "unified") : 0;
    for (size_t i = 0; i < r->unified_count; i++) {
        const char *key = r->unified[i].key;
        token = i ? l->doc->tokens[token].next + 1 : token + 2; /* the value: behind its key */
        if (strncmp(key, "cgroup.", 7) == 0 && strncmp(key, "cgroup.max.", 11) != 0 && strcmp(key, "cgroup.pressure") != 0)
            return ocirt__spec_fail(l, token, "%.60s is the runtime's, not a limit", key);
        if (strcspn(key, ".") == 0 || !strchr(key, '.') || strpbrk(key, "/ \t\n")) return ocirt__spec_fail(l, token, "\"%.60s\" is not a file of a cgroup, such as memory.high", key);
    }
    return 0;
}

static int ocirt__spec_rule_resources(struct ocirt__loader *l, const ocirt_resources *r) {
    int result = 0;
    for (size_t i = 0; i < r->hugepage_limits_count; i++) {
        const char *size = r->hugepage_limits[i].page_size;
        size_t n = strspn(size, "0123456789");
        if (n == 0 || n > 20 || size[0] == '0' || !strchr("KMG", size[n]) || !size[n] || strcmp(size + n + 1, "B") != 0)
            return ocirt__spec_fail(l, ocirt__spec_at(l, r->hugepage_limits[i].token, "pageSize"), "\"%.40s\" is not a page size such as 2MB", size);
    }
    for (size_t i = 0; i < r->rdma_count; i++) {
        if (!r->rdma[i].hca_handles.set && !r->rdma[i].hca_objects.set) return ocirt__spec_fail(l, r->rdma[i].token, "at least one of hcaHandles and hcaObjects is needed");
        if (!r->rdma[i].key[0] || strlen(r->rdma[i].key) > 64 || strpbrk(r->rdma[i].key, " =\t\n"))
            return ocirt__spec_fail(l, r->rdma[i].token, "\"%.40s\" is not a name of an RDMA device", r->rdma[i].key);
    }
    if (r->block_io) result = ocirt__spec_rule_block_io(l, r->block_io);
    return result < 0 ? result : ocirt__spec_rule_unified(l, r);
}

static int ocirt__spec_rule_limits(struct ocirt__loader *l, const ocirt_spec *s) {
    const ocirt_resources *r = s->linux_ ? s->linux_->resources : NULL;
    int result = r ? ocirt__spec_rule_resources(l, r) : 0;
    if (result < 0 || !r || !r->memory || !r->memory->swap.set || r->memory->swap.value <= 0) return result;
    if (!r->memory->limit.set || r->memory->limit.value == 0)
        return ocirt__spec_fail(l, ocirt__spec_at(l, r->memory->token, "swap"), "swap counts memory too, so it needs a memory limit");
    if (r->memory->swap.value < r->memory->limit.value)
        return ocirt__spec_fail(l, ocirt__spec_at(l, r->memory->token, "swap"), "swap counts memory too, so it cannot be below the memory limit");
    return 0;
}

/* "%d" in a new name is a number that the kernel picks. */
static bool ocirt__spec_is_interface(const char *name, bool pattern) {
    const char *percent = pattern ? strchr(name, '%') : NULL;
    return name[0] && strlen(name) <= 15 && !strpbrk(name, "/ :\t\n\v\f\r") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           (!percent || (percent[1] == 'd' && !strchr(percent + 1, '%')));
}

static int ocirt__spec_rule_net_devices(struct ocirt__loader *l, const ocirt_spec *s) {
    for (size_t i = 0; s->linux_ && i < s->linux_->net_devices_count; i++) {
        const ocirt_net_device *d = &s->linux_->net_devices[i];
        const char *name = d->name ? d->name : d->key;
        if (!ocirt__spec_is_interface(d->key, false)) return ocirt__spec_fail(l, d->token, "\"%.40s\" is not a name of a network interface", d->key);
        if (!ocirt__spec_is_interface(name, name != d->key)) return ocirt__spec_fail(l, d->token, "\"%.40s\" is not a name of a network interface", name);
    }
    if (s->linux_ && s->linux_->net_devices_count && !ocirt__spec_has_namespace(s->linux_, OCIRT__CLONE_NEWNET, false))
        return ocirt__spec_fail(l, ocirt__spec_at(l, s->linux_->token, "netDevices"), "netDevices needs a network namespace");
    return 0;
}

/* "net.ipv4.x" and "net/ipv4/x" are one key; without empty or dot components. */
static bool ocirt__spec_sysctl_begins(const char *key, const char *prefix) {
    for (; *prefix; key++, prefix++)
        if (*key != *prefix && !(*prefix == '.' && *key == '/')) return false;
    return true;
}

static bool ocirt__spec_sysctl_equals(const char *key, const char *name) {
    return strlen(key) == strlen(name) && ocirt__spec_sysctl_begins(key, name);
}

static int ocirt__spec_sysctl_namespace(const char *key, uint64_t *out) {
    static const char *const ipc[] = {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};
    *out = 0;
    for (size_t i = 0; i < sizeof ipc / sizeof ipc[0]; i++)
        if (ocirt__spec_sysctl_equals(key, ipc[i])) *out = OCIRT__CLONE_NEWIPC;
    if (ocirt__spec_sysctl_begins(key, "fs.mqueue.")) *out = OCIRT__CLONE_NEWIPC;
    if (ocirt__spec_sysctl_begins(key, "net.")) *out = OCIRT__CLONE_NEWNET;
    if (ocirt__spec_sysctl_equals(key, "kernel.domainname")) *out = OCIRT__CLONE_NEWUTS;
    if (ocirt__spec_sysctl_begins(key, "user.")) *out = OCIRT__CLONE_NEWUSER;
    return *out ? 0 : -1;
}

static int ocirt__spec_rule_sysctl(struct ocirt__loader *l, const ocirt_spec *s) {
    uint32_t token = s->linux_ && s->linux_->sysctl_count ? ocirt__json_member(l->doc, s->linux_->token, "sysctl") : 0;
    for (size_t i = 0; s->linux_ && i < s->linux_->sysctl_count; i++) {
        const ocirt_pair *p = &s->linux_->sysctl[i];
        uint64_t type;
        token = i ? l->doc->tokens[token].next + 1 : token + 2; /* the value: behind its key */
        if (strstr(p->key, "..") || strstr(p->key, "//") || strpbrk(p->key, " \t\n") || !p->key[0] || strchr("./", p->key[strlen(p->key) - 1]))
            return ocirt__spec_fail(l, token, "\"%.60s\" is not a sysctl", p->key);
        if (ocirt__spec_sysctl_equals(p->key, "kernel.hostname")) return ocirt__spec_fail(l, token, "use the property hostname instead of sysctl kernel.hostname");
        if (ocirt__spec_sysctl_namespace(p->key, &type) < 0) return ocirt__spec_fail(l, token, "sysctl \"%.60s\" belongs to the host, not to a namespace", p->key);
        if (!ocirt__spec_has_namespace(s->linux_, type, false))
            return ocirt__spec_fail(l, token, "sysctl \"%.60s\" needs a %s namespace", p->key, ocirt__name_of(ocirt__names_namespaces, type));
        if (strchr(p->value, '\n')) return ocirt__spec_fail(l, token, "a sysctl value is a single line");
    }
    return 0;
}

static int ocirt__spec_rule_seccomp(struct ocirt__loader *l, const ocirt_spec *s) {
    const ocirt_seccomp *c = s->linux_ ? s->linux_->seccomp : NULL;
    if (!c) return 0;
    if (c->listener_metadata && c->listener_metadata[0] && (!c->listener_path || !c->listener_path[0]))
        return ocirt__spec_fail(l, ocirt__spec_at(l, c->token, "listenerMetadata"), "listenerMetadata needs listenerPath");
    if (c->default_errno_ret.set && c->default_action != 0x50000 && c->default_action != 0x7ff00000)
        return ocirt__spec_fail(l, ocirt__spec_at(l, c->token, "defaultErrnoRet"), "the default action has no errno");
    for (size_t i = 0; i < c->syscalls_count; i++)
        if (c->syscalls[i].errno_ret.set && c->syscalls[i].action != 0x50000 && c->syscalls[i].action != 0x7ff00000)
            return ocirt__spec_fail(l, ocirt__spec_at(l, c->syscalls[i].token, "errnoRet"), "this action has no errno");
    return 0;
}

static int ocirt__spec_rule_annotations(struct ocirt__loader *l, const ocirt_spec *s) {
    for (size_t i = 0; i < s->annotations_count; i++) {
        const char *key = s->annotations[i].key;
        if (!key[0]) return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "annotations"), "a key of annotations is empty");
        if (strncmp(key, "io.ocirt.landlock", 17) == 0 && strcmp(key + 17, ".read") != 0 && strcmp(key + 17, ".write") != 0) /* misspelt it would confine nothing */
            return ocirt__spec_fail(l, ocirt__spec_at(l, s->token, "annotations"), "there is no annotation %.60s: io.ocirt.landlock.read and .write are", key);
    }
    return 0;
}

static int ocirt__spec_rules(struct ocirt__loader *l, const ocirt_spec *s) {
    static int (*const rules[])(struct ocirt__loader *, const ocirt_spec *) = {
        ocirt__spec_rule_version, ocirt__spec_rule_namespaces, ocirt__spec_rule_names, ocirt__spec_rule_maps, ocirt__spec_rule_time, ocirt__spec_rule_process,
        ocirt__spec_rule_scheduler, ocirt__spec_rule_memory_policy, ocirt__spec_rule_intel_rdt, ocirt__spec_rule_affinity,
        ocirt__spec_rule_devices, ocirt__spec_rule_limits, ocirt__spec_rule_sysctl, ocirt__spec_rule_net_devices, ocirt__spec_rule_seccomp, ocirt__spec_rule_annotations};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof rules / sizeof rules[0]; i++) r = rules[i](l, s);
    return r;
}

static int ocirt__spec_load_with(struct ocirt__loader *l, const char *text, size_t size, const char *file, ocirt_spec **out) {
    ocirt_spec *spec = ocirt__mem_alloc(l->arena, sizeof *spec);
    int r = spec ? ocirt__json_parse(l->arena, text, size, file, &l->doc, l->error) : ocirt__error_set(l->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (r < 0) return r;
    r = ocirt__spec_fill(l, &ocirt__object_spec, spec);
    spec->document = l->doc;
    if (r == 0) r = ocirt__spec_rules(l, spec);
    if (r == 0) *out = spec;
    return r;
}

OCIRT_DEF int ocirt_spec_load(ocirt_arena *arena, const char *text, size_t size, const char *file_name, ocirt_spec **out_spec, ocirt_error *error) {
    struct ocirt__loader l = {.arena = arena, .error = error};
    return ocirt__spec_load_with(&l, text, size, file_name, out_spec);
}

OCIRT_DEF int ocirt_resources_load(ocirt_arena *arena, const char *text, size_t size, const char *file_name, ocirt_spec **out_changes, ocirt_error *error) {
    struct ocirt__loader l = {.arena = arena, .error = error};
    ocirt_spec  *spec = ocirt__mem_alloc(arena, sizeof *spec);
    ocirt_linux *on = ocirt__mem_alloc(arena, sizeof *on);
    ocirt_resources *limits = ocirt__mem_alloc(arena, sizeof *limits);
    int r = spec && on && limits ? ocirt__json_parse(arena, text, size, file_name, &l.doc, error) : ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (r < 0) return r;
    spec->document = l.doc, spec->linux_ = on, on->resources = limits;
    r = ocirt__spec_fill(&l, &ocirt__object_resources, limits);
    if (r == 0) r = ocirt__spec_rule_resources(&l, limits);
    if (r == 0) r = ocirt__spec_rule_devices(&l, spec);
    if (r == 0) *out_changes = spec;
    return r;
}

OCIRT_DEF int ocirt_process_load(ocirt_arena *arena, const char *text, size_t size, const char *file_name, ocirt_spec **out_spec, ocirt_error *error) {
    struct ocirt__loader l = {.arena = arena, .error = error};
    ocirt_spec    *spec = ocirt__mem_alloc(arena, sizeof *spec);
    ocirt_process *process = ocirt__mem_alloc(arena, sizeof *process);
    int r = spec && process ? ocirt__json_parse(arena, text, size, file_name, &l.doc, error) : ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (r < 0) return r;
    spec->document = l.doc, spec->process = process;
    r = ocirt__spec_fill(&l, &ocirt__object_process, process);
    if (r == 0) r = ocirt__spec_rule_process(&l, spec);
    if (r == 0) r = ocirt__spec_rule_scheduler(&l, spec);
    if (r == 0) r = ocirt__spec_rule_affinity(&l, spec);
    if (r == 0) *out_spec = spec;
    return r;
}

OCIRT_DEF int ocirt_spec_load_file(ocirt_arena *arena, const char *path, ocirt_spec **out_spec, ocirt_error *error) {
    struct ocirt__statx st;
    char *text = NULL;
    long  n = 0;
    int   fd = ocirt__sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0), r = fd < 0 ? fd : ocirt__sys_fstatx(fd, &st);
    if (r >= 0 && S_ISDIR(st.mode)) r = -EISDIR;
    if (r >= 0 && !S_ISREG(st.mode)) r = -EINVAL;
    if (r >= 0 && st.size > OCIRT_MAX_CONFIG) r = -EFBIG;
    if (r >= 0) text = ocirt__mem_alloc(arena, (size_t)st.size + 1);
    if (r >= 0 && !text) r = -ENOMEM;
    if (r >= 0) n = ocirt__sys_read_all(fd, text, (size_t)st.size);
    if (fd >= 0) ocirt__sys_close(&fd);
    if (r >= 0 && n < 0) r = (int)n;
    if (r < 0) {
        ocirt__error_set(error, OCIRT_E_IO, -r, path, "%s", path);
        if (r == -ENOENT) ocirt__error_hint(error, "a bundle is a folder with config.json and a root file system; `ocirt spec` writes a config.json to begin with");
        return -OCIRT_E_IO;
    }
    return ocirt_spec_load(arena, text, (size_t)n, ocirt__mem_text(arena, path, strlen(path)), out_spec, error);
}

/* From whatever can be read to its end. */
static int ocirt__spec_load_stream(ocirt_arena *arena, const char *path, int (*load)(ocirt_arena *, const char *, size_t, const char *, ocirt_spec **, ocirt_error *),
                                   ocirt_spec **out, ocirt_error *error) {
    bool  standard = strcmp(path, "-") == 0;
    char *text = ocirt__mem_take(arena, OCIRT_MAX_CONFIG + 1); /* what is not written to takes no memory */
    int   fd = standard ? 0 : ocirt__sys_openat(AT_FDCWD, path, O_RDONLY | O_NOCTTY, 0);
    long  n = fd < 0 ? fd : !text ? -ENOMEM : ocirt__sys_read_all(fd, text, OCIRT_MAX_CONFIG + 1);
    if (!standard) ocirt__sys_close(&fd);
    if (n > (long)OCIRT_MAX_CONFIG) n = -EFBIG;
    if (n < 0) return ocirt__error_set(error, OCIRT_E_IO, (int)-n, path, "%s", standard ? "standard input" : path);
    return load(arena, text, (size_t)n, standard ? "standard input" : ocirt__mem_text(arena, path, strlen(path)), out, error);
}

OCIRT_DEF int ocirt_resources_load_file(ocirt_arena *arena, const char *path, ocirt_spec **out_changes, ocirt_error *error) {
    return ocirt__spec_load_stream(arena, path, ocirt_resources_load, out_changes, error);
}

OCIRT_DEF int ocirt_process_load_file(ocirt_arena *arena, const char *path, ocirt_spec **out_spec, ocirt_error *error) {
    return ocirt__spec_load_stream(arena, path, ocirt_process_load, out_spec, error);
}

/* ----- what cgroup v2 has no file for ----- */

/* The first property that asks for something of v1's, and the object it is in; NULL: none does. */
static const char *ocirt__spec_v1_only(const ocirt_resources *r, uint32_t *out_object) {
    static const ocirt_memory   no_memory;
    static const ocirt_cpu      no_cpu;
    static const ocirt_block_io no_io;
    static const ocirt_network  no_network;
    const ocirt_memory   *m = r->memory ? r->memory : &no_memory;
    const ocirt_cpu      *c = r->cpu ? r->cpu : &no_cpu;
    const ocirt_block_io *b = r->block_io ? r->block_io : &no_io;
    const ocirt_network  *n = r->network ? r->network : &no_network;
    *out_object = m->token;
    if (m->kernel.value != 0 && m->kernel.value != -1) return "kernel";
    if (m->kernel_tcp.value != 0 && m->kernel_tcp.value != -1) return "kernelTCP";
    if (m->swappiness.set) return "swappiness";
    if (m->disable_oom_killer.value) return "disableOOMKiller";
    *out_object = c->token;
    if (c->realtime_runtime.value != 0) return "realtimeRuntime";
    if (c->realtime_period.value != 0) return "realtimePeriod";
    *out_object = b->token;
    if (b->leaf_weight.value != 0) return "leafWeight";
    for (size_t i = 0; i < b->weight_device_count; i++)
        if (b->weight_device[i].leaf_weight.value != 0) return *out_object = b->weight_device[i].token, "leafWeight";
    *out_object = n->token;
    return n->class_id.value != 0 ? "classID" : n->priorities_count ? "priorities" : NULL;
}

/* ----- checking ----- */

struct ocirt__check {
    ocirt_finding_fn report;
    void *user;
    int   fatal;
};
static void ocirt__spec_count(void *user, const ocirt_finding *finding) {
    struct ocirt__check *c = user;
    c->fatal += finding->fatal;
    if (c->report) c->report(c->user, finding);
}

#define OCIRT__V1_ONLY "%s exists in cgroup v1 only, and ocirt is for cgroup v2"

static void ocirt__spec_check_limits(struct ocirt__loader *l, const ocirt_spec *s) {
    uint32_t object = 0;
    const char *name = s->linux_ && s->linux_->resources ? ocirt__spec_v1_only(s->linux_->resources, &object) : NULL;
    if (name) ocirt__spec_warn(l, ocirt__spec_at(l, object, name), true, NULL, OCIRT__V1_ONLY, name);
}

static void ocirt__spec_check_styles(struct ocirt__loader *l, const ocirt_spec *s) {
    for (size_t i = 0; i < s->mounts_count; i++)
        if (s->mounts[i].destination[0] != '/')
            ocirt__spec_warn(l, ocirt__spec_at(l, s->mounts[i].token, "destination"), false, NULL, "a relative destination is deprecated and is taken from /");
    if (s->linux_ && s->linux_->personality && s->linux_->personality->flags.count)
        ocirt__spec_warn(l, ocirt__spec_at(l, s->linux_->personality->token, "flags"), false, NULL, "the specification defines no flags of personality: they are ignored");
    if (s->hooks && s->hooks->prestart_count)
        ocirt__spec_warn(l, ocirt__spec_at(l, s->hooks->token, "prestart"), false, NULL, "prestart hooks are deprecated: use createRuntime");
}

static int ocirt__spec_collect(void *user, const char *data, size_t size) {
    ocirt__buffer_put(user, data, size);
    return 0;
}

/* ----- writing ----- */

struct ocirt__writing { /* one object being written */
    const struct ocirt__object *of;
    const char *base;
    uint16_t    field;
    size_t      element, count; /* of the array that is open */
    bool        open, any;
};

static void ocirt__spec_indent(ocirt__buffer *b, unsigned depth) {
    ocirt__buffer_text(b, "\n");
    for (unsigned i = 0; i < depth; i++) ocirt__buffer_text(b, "  ");
}

static void ocirt__spec_write_texts(ocirt__buffer *b, const ocirt_strings *list) {
    ocirt__buffer_text(b, "[");
    for (size_t i = 0; i < list->count; i++) {
        if (i) ocirt__buffer_text(b, ", ");
        ocirt__json_write_string(b, list->items[i]);
    }
    ocirt__buffer_text(b, "]");
}

static void ocirt__spec_write_flags(ocirt__buffer *b, const struct ocirt__name *names, uint64_t value, bool bits) {
    bool any = false;
    ocirt__buffer_text(b, "[");
    for (; names->name; names++) {
        if (!(bits ? value >> names->value & 1 : value & names->value)) continue;
        ocirt__buffer_text(b, any ? ", " : "");
        ocirt__json_write_string(b, names->name);
        any = true;
    }
    ocirt__buffer_text(b, "]");
}

static void ocirt__spec_write_pairs(ocirt__buffer *b, const ocirt_pair *pairs, size_t count) {
    ocirt__buffer_text(b, "{");
    for (size_t i = 0; i < count; i++) {
        if (i) ocirt__buffer_text(b, ", ");
        ocirt__json_write_string(b, pairs[i].key);
        ocirt__buffer_text(b, ": ");
        ocirt__json_write_string(b, pairs[i].value);
    }
    ocirt__buffer_text(b, "}");
}

/* Is there something to write? Required fields always. */
static bool ocirt__spec_present(const struct ocirt__field *f, const char *base) {
    const char *at = base + f->at, *pointer;
    size_t count;
    switch (f->kind) {
    case OCIRT__SKIP: return false;
    case OCIRT__INLINE: return true;
    case OCIRT__TEXT:
    case OCIRT__OBJECT:
        memcpy(&pointer, at, sizeof pointer);
        return pointer != NULL;
    case OCIRT__TEXTS: return f->flags & OCIRT__REQUIRED || ((const ocirt_strings *)(const void *)at)->count > 0;
    case OCIRT__OPT_BOOL: return ((const ocirt_opt_bool *)(const void *)at)->set;
    case OCIRT__OPT_INT: return ((const ocirt_opt_int *)(const void *)at)->set;
    case OCIRT__OPT_UINT:
    case OCIRT__OPT_FLAGS:
    case OCIRT__CAPS: return ((const ocirt_opt_uint *)(const void *)at)->set;
    case OCIRT__BOOL: return f->flags & OCIRT__REQUIRED || *(const bool *)(const void *)at;
    case OCIRT__LETTER: return *at != 0;
    case OCIRT__FLAGS: return *(const uint64_t *)(const void *)at != 0;
    case OCIRT__NAME32: return f->flags & OCIRT__REQUIRED || *(const uint32_t *)(const void *)at != 0;
    case OCIRT__OBJECTS:
    case OCIRT__MAP:
    case OCIRT__PAIRS:
    case OCIRT__NUMBERS:
        memcpy(&count, base + f->count_at, sizeof count);
        return count > 0;
    default: return true;
    }
}

static void ocirt__spec_write_scalar(ocirt__buffer *b, const struct ocirt__field *f, const char *base) {
    const char *at = base + f->at, *text;
    size_t count = 0;
    if (f->count_at) memcpy(&count, base + f->count_at, sizeof count);
    switch (f->kind) {
    case OCIRT__TEXT: memcpy(&text, at, sizeof text); ocirt__json_write_string(b, text); break;
    case OCIRT__TEXTS: ocirt__spec_write_texts(b, (const ocirt_strings *)(const void *)at); break;
    case OCIRT__BOOL: ocirt__buffer_text(b, *(const bool *)(const void *)at ? "true" : "false"); break;
    case OCIRT__OPT_BOOL: ocirt__buffer_text(b, ((const ocirt_opt_bool *)(const void *)at)->value ? "true" : "false"); break;
    case OCIRT__OPT_INT: ocirt__buffer_format(b, "%lld", (long long)((const ocirt_opt_int *)(const void *)at)->value); break;
    case OCIRT__OPT_UINT: ocirt__buffer_format(b, "%llu", (unsigned long long)((const ocirt_opt_uint *)(const void *)at)->value); break;
    case OCIRT__U32: ocirt__buffer_format(b, "%u", *(const uint32_t *)(const void *)at); break;
    case OCIRT__U64: ocirt__buffer_format(b, "%llu", (unsigned long long)*(const uint64_t *)(const void *)at); break;
    case OCIRT__I64: ocirt__buffer_format(b, "%lld", (long long)*(const int64_t *)(const void *)at); break;
    case OCIRT__NAME32: ocirt__json_write_string(b, ocirt__name_of(f->names, *(const uint32_t *)(const void *)at)); break;
    case OCIRT__NAME64: ocirt__json_write_string(b, ocirt__name_of(f->names, *(const uint64_t *)(const void *)at)); break;
    case OCIRT__CAPS: ocirt__spec_write_flags(b, ocirt__names_capabilities, ((const ocirt_opt_uint *)(const void *)at)->value, true); break;
    case OCIRT__FLAGS: ocirt__spec_write_flags(b, f->names, *(const uint64_t *)(const void *)at, false); break;
    case OCIRT__OPT_FLAGS: ocirt__spec_write_flags(b, f->names, ((const ocirt_opt_uint *)(const void *)at)->value, false); break;
    case OCIRT__LETTER: ocirt__buffer_format(b, "\"%c\"", *at); break;
    case OCIRT__PAIRS: memcpy(&text, at, sizeof text); ocirt__spec_write_pairs(b, (const ocirt_pair *)(const void *)text, count); break;
    default:
        memcpy(&text, at, sizeof text);
        ocirt__buffer_text(b, "[");
        for (size_t i = 0; i < count; i++) ocirt__buffer_format(b, "%s%u", i ? ", " : "", ((const uint32_t *)(const void *)text)[i]);
        ocirt__buffer_text(b, "]");
        break;
    }
}

/* Starts the next element of an array or map, or closes it. Returns the element or NULL. */
static const char *ocirt__spec_write_element(ocirt__buffer *b, struct ocirt__writing *w, const struct ocirt__field *f, unsigned depth) {
    const char *list, *element, *key;
    memcpy(&list, w->base + f->at, sizeof list);
    if (w->element == w->count) {
        ocirt__spec_indent(b, depth + 1);
        ocirt__buffer_text(b, f->kind == OCIRT__MAP ? "}" : "]");
        w->open = false, w->field++;
        return NULL;
    }
    if (w->element) ocirt__buffer_text(b, ",");
    ocirt__spec_indent(b, depth + 2);
    element = list + w->element++ * f->of->size;
    if (f->kind == OCIRT__MAP) {
        memcpy(&key, element + f->of->key_at, sizeof key);
        ocirt__json_write_string(b, key);
        ocirt__buffer_text(b, ": ");
    }
    return element;
}

/* One field of the object on top. Returns an object to descend into, or NULL. */
static const char *ocirt__spec_write_field(ocirt__buffer *b, struct ocirt__writing *w, unsigned depth) {
    const struct ocirt__field *f = &w->of->fields[w->field];
    const char *inner = NULL;
    if (w->open) return ocirt__spec_write_element(b, w, f, depth);
    if (!ocirt__spec_present(f, w->base)) return w->field++, NULL;
    if (w->any) ocirt__buffer_text(b, ",");
    w->any = true;
    ocirt__spec_indent(b, depth + 1);
    ocirt__json_write_string(b, f->name);
    ocirt__buffer_text(b, ": ");
    if (f->kind == OCIRT__OBJECTS || f->kind == OCIRT__MAP) {
        ocirt__buffer_text(b, f->kind == OCIRT__MAP ? "{" : "[");
        w->open = true, w->element = 0;
        memcpy(&w->count, w->base + f->count_at, sizeof w->count);
        return NULL;
    }
    w->field++;
    if (f->kind == OCIRT__INLINE) return w->base + f->at;
    if (f->kind != OCIRT__OBJECT) return ocirt__spec_write_scalar(b, f, w->base), NULL;
    memcpy(&inner, w->base + f->at, sizeof inner);
    return inner;
}

static void ocirt__spec_write_all(ocirt__buffer *b, const ocirt_spec *spec) {
    struct ocirt__writing stack[12] = {{.of = &ocirt__object_spec, .base = (const char *)spec}};
    unsigned depth = 0;
    ocirt__buffer_text(b, "{");
    for (;;) {
        struct ocirt__writing *w = &stack[depth];
        const struct ocirt__field *f = &w->of->fields[w->field];
        const char *inner;
        if (w->field == w->of->count) {
            if (w->any) ocirt__spec_indent(b, depth);
            ocirt__buffer_text(b, "}");
            if (depth-- == 0) return;
            continue;
        }
        inner = ocirt__spec_write_field(b, w, depth);
        if (!inner) continue;
        ocirt__buffer_text(b, "{");
        stack[++depth] = (struct ocirt__writing){.of = f->of, .base = inner};
    }
}

static int ocirt__spec_put(const ocirt__buffer *b, ocirt_write_fn write, void *user, ocirt_error *error) {
    if (b->failed) return ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory");
    return write(user, b->data, b->size) >= 0 ? 0 : ocirt__error_set(error, OCIRT_E_IO, 0, "", "the text could not be written");
}

OCIRT_DEF int ocirt_spec_write(const ocirt_spec *spec, ocirt_write_fn write, void *user, ocirt_error *error) {
    ocirt_arena   arena = {0};
    ocirt__buffer b = {.arena = &arena};
    int r;
    ocirt__spec_write_all(&b, spec);
    ocirt__buffer_text(&b, "\n");
    r = ocirt__spec_put(&b, write, user, error);
    ocirt_arena_free(&arena);
    return r;
}

OCIRT_DEF int ocirt_spec_check(ocirt_arena *arena, const ocirt_spec *spec, ocirt_finding_fn report, void *user, ocirt_error *error) {
    struct ocirt__check c = {.report = report, .user = user};
    struct ocirt__loader l = {.arena = arena, .error = error, .report = ocirt__spec_count, .user = &c};
    ocirt__buffer text = {.arena = arena};
    ocirt_spec *again;
    int r;
    if (!spec->document) {
        r = ocirt_spec_write(spec, ocirt__spec_collect, &text, error);
        if (r < 0) return r;
    }
    r = spec->document ? ocirt__spec_load_with(&l, spec->document->text, spec->document->size, spec->document->file, &again)
                       : ocirt__spec_load_with(&l, text.data, text.size, NULL, &again);
    if (r < 0) return r;
    ocirt__spec_check_styles(&l, again);
    ocirt__spec_check_limits(&l, again);
    return c.fatal;
}

/* ----- the default config and the features document ----- */

static const char ocirt__spec_template[] =
    "{\"ociVersion\":\"" OCIRT_SPEC_VERSION "\",\"process\":{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"sh\"],"
    "\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"TERM=xterm\"],\"cwd\":\"/\",\"capabilities\":{"
    "\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
    "\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],"
    "\"noNewPrivileges\":true},\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"ocirt\",\"mounts\":["
    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"%s]},"
    "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
    "%s{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]}],"
    "\"linux\":{%s\"namespaces\":[{\"type\":\"pid\"},%s{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"cgroup\"}%s],"
    "\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\",\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\","
    "\"/proc/sched_debug\",\"/sys/firmware\",\"/proc/scsi\"],"
    "\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]}}";

OCIRT_DEF int ocirt_spec_default(ocirt_arena *arena, unsigned flags, ocirt_spec **out_spec, ocirt_error *error) {
    static const char sysfs[] = "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},";
    static const char bound[] = "{\"destination\":\"/sys\",\"type\":\"none\",\"source\":\"/sys\",\"options\":[\"rbind\",\"nosuid\",\"noexec\",\"nodev\",\"%s\"]},";
    bool  rootless = (flags & OCIRT_SPEC_ROOTLESS) != 0;
    bool  deep     = OCIRT__SYS5(OCIRT__NR_mount_setattr, -1, "", 0, NULL, 0) != -ENOSYS; /* Linux 5.12: all of /sys can be read-only, not its top alone */
    char *sys      = rootless ? ocirt__mem_format(arena, bound, deep ? "rro" : "ro") : ocirt__mem_format(arena, "%s", sysfs);
    char *maps = ocirt__mem_format(arena, "\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],",
                                   (unsigned)geteuid(), (unsigned)getegid());
    char *text = ocirt__mem_format(arena, ocirt__spec_template, rootless ? "" : ",\"gid=5\"", sys ? sys : "",
                                   rootless ? maps : "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},", rootless ? "" : "{\"type\":\"network\"},",
                                   rootless ? ",{\"type\":\"user\"}" : "");
    if (!maps || !sys || !text) return ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory");
    return ocirt_spec_load(arena, text, strlen(text), NULL, out_spec, error);
}

static void ocirt__features_names(ocirt__buffer *b, const char *key, const struct ocirt__name *names) {
    ocirt__buffer_format(b, "\"%s\": [", key);
    for (const struct ocirt__name *n = names; n->name; n++) ocirt__buffer_format(b, "%s\"%s\"", n == names ? "" : ", ", n->name);
    ocirt__buffer_text(b, "]");
}

/* Recursive attributes and id maps need mount_setattr (5.12): an engine that reads `rro` here uses it everywhere. */
static void ocirt__features_options(ocirt__buffer *b, bool setattr) {
    bool any = false;
    ocirt__buffer_text(b, "\"mountOptions\": [");
    for (size_t i = 0; i < sizeof ocirt__options / sizeof ocirt__options[0]; i++) {
        const struct ocirt__option *o = &ocirt__options[i];
        bool needs = o->kind == OCIRT__OPTION_DEEP || (o->kind == OCIRT__OPTION_WORD && (o->value == OCIRT__WORD_IDMAP || o->value == OCIRT__WORD_RIDMAP));
        if (needs && !setattr) continue;
        ocirt__buffer_format(b, "%s\"%s\"", any ? ", " : "", o->name);
        any = true;
    }
    ocirt__buffer_text(b, "]");
}

/* A flag that the kernel knows gets as far as the missing program (seccomp(2)). */
static void ocirt__features_seccomp_flags(ocirt__buffer *b) {
    bool any = false;
    ocirt__buffer_text(b, "\"supportedFlags\": [");
    for (const struct ocirt__name *n = ocirt__names_seccomp_flags; n->name; n++) {
        if (OCIRT__SYS3(SYS_seccomp, 1 /* SET_MODE_FILTER */, n->value == 0x20 ? n->value | 8 /* NEW_LISTENER */ : n->value, NULL) != -EFAULT) continue;
        ocirt__buffer_format(b, "%s\"%s\"", any ? ", " : "", n->name);
        any = true;
    }
    ocirt__buffer_text(b, "]");
}

static void ocirt__features_linux(ocirt__buffer *b, bool setattr) {
    ocirt__buffer_text(b, "\"linux\": {\n    ");
    ocirt__features_names(b, "namespaces", ocirt__names_namespaces);
    ocirt__buffer_text(b, ",\n    ");
    ocirt__features_names(b, "capabilities", ocirt__names_capabilities);
    ocirt__buffer_text(b, ",\n    \"cgroup\": {\"v1\": false, \"v2\": true, \"systemd\": true, \"systemdUser\": true, \"rdma\": true},\n    \"seccomp\": {\"enabled\": true, ");
    ocirt__features_names(b, "actions", ocirt__names_seccomp_actions);
    ocirt__buffer_text(b, ", ");
    ocirt__features_names(b, "operators", ocirt__names_seccomp_ops);
    ocirt__buffer_text(b, ", ");
    ocirt__features_names(b, "archs", ocirt__names_seccomp_archs);
    ocirt__buffer_text(b, ", ");
    ocirt__features_names(b, "knownFlags", ocirt__names_seccomp_flags);
    ocirt__buffer_text(b, ", ");
    ocirt__features_seccomp_flags(b);
    ocirt__buffer_text(b, "},\n    \"apparmor\": {\"enabled\": true},\n    \"selinux\": {\"enabled\": true},\n"
                          "    \"intelRdt\": {\"enabled\": true, \"schemata\": true, \"monitoring\": true},\n    \"memoryPolicy\": {");
    ocirt__features_names(b, "modes", ocirt__names_memory_modes);
    ocirt__buffer_text(b, ", ");
    ocirt__features_names(b, "flags", ocirt__names_memory_flags);
    ocirt__buffer_format(b, "},\n    \"mountExtensions\": {\"idmap\": {\"enabled\": %s}},\n    \"netDevices\": {\"enabled\": true}\n  }", setattr ? "true" : "false");
}

OCIRT_DEF int ocirt_features_write(ocirt_write_fn write, void *user, ocirt_error *error) {
    ocirt_arena   arena = {0};
    ocirt__buffer b = {.arena = &arena};
    bool setattr = OCIRT__SYS5(OCIRT__NR_mount_setattr, -1, "", 0, NULL, 0) != -ENOSYS;
    int  r;
    ocirt__buffer_text(&b, "{\n  \"ociVersionMin\": \"1.0.0\",\n  \"ociVersionMax\": \"" OCIRT_SPEC_VERSION "\",\n  \"hooks\": [");
    for (uint16_t i = 0; i < ocirt__object_hooks.count; i++) ocirt__buffer_format(&b, "%s\"%s\"", i ? ", " : "", ocirt__fields_hooks[i].name);
    ocirt__buffer_text(&b, "],\n  ");
    ocirt__features_options(&b, setattr);
    ocirt__buffer_text(&b, ",\n  ");
    ocirt__features_linux(&b, setattr);
    ocirt__buffer_text(&b, ",\n  \"annotations\": {\"io.ocirt.version\": \"" OCIRT_VERSION "\"},\n"
                           "  \"potentiallyUnsafeConfigAnnotations\": [\"io.ocirt.landlock.\", \"org.criu.\", \"org.systemd.property.\", \"run.oci.keep_original_groups\", \"run.oci.mount_context_type\", \"run.oci.pidfd_receiver\", \"run.oci.systemd.subgroup\"]\n}\n");
    r = ocirt__spec_put(&b, write, user, error);
    ocirt_arena_free(&arena);
    return r;
}

/* ===========================================================================================
   >>path   resolving and creating below a directory that may be hostile.
   openat2 with RESOLVE_IN_ROOT (5.6) answers in one call. Where it is filtered out, and where
   components are missing, a walk does the same by hand: one component at a time, O_PATH and
   O_NOFOLLOW, symlinks expanded as text, `..` taken from a stack of the descriptors passed on the
   way down and never from the file system, so that a rename cannot lead it out. Nothing here
   allocates; descriptors are O_PATH unless asked otherwise.
   =========================================================================================== */

enum { OCIRT__WALK_DEPTH = 128, OCIRT__WALK_LINKS = 40 };

#define OCIRT__PATH_EXISTING 0u /* must be there                                     */
#define OCIRT__PATH_DIR      1u /* missing components are made, as directories 0755  */
#define OCIRT__PATH_FILE     2u /* the same, but the last one as an empty file 0644  */
#define OCIRT__PATH_PARENT   3u /* stop at the folder of the last component          */
#define OCIRT__PATH_NOFOLLOW 8u /* a link as the last component is the result itself */

struct ocirt__walk {
    int      stack[OCIRT__WALK_DEPTH];
    unsigned depth, links, what;
    bool     slash; /* at the end of the path: only a folder will do */
    char     rest[PATH_MAX];
    char     name[NAME_MAX + 1]; /* the component being looked at */
};

static void ocirt__walk_pop(struct ocirt__walk *w, unsigned depth) {
    while (w->depth > depth) {
        w->depth--;
        if (w->depth > 0) ocirt__sys_close(&w->stack[w->depth]);
    }
    if (w->depth == 0) w->depth = 1;
}

/* Takes the next component off `rest` into `name`. Returns its length, 0 at the end. */
static long ocirt__walk_next(struct ocirt__walk *w) {
    const char *p = w->rest;
    size_t      n;
    while (*p == '/') p++;
    n = strcspn(p, "/");
    if (n > NAME_MAX) return -ENAMETOOLONG;
    memcpy(w->name, p, n);
    w->name[n] = 0;
    p += n;
    while (*p == '/') p++;
    memmove(w->rest, p, strlen(p) + 1);
    return (long)n;
}

/* The links of procfs that jump to an object (fd, root, exe, ns) show an absolute path or "type:[number]";
   its ordinary ones are relative. */
static bool ocirt__walk_is_magic(int link, const char *text) {
    struct statfs fs;
    if (text[0] != '/' && !strchr(text, ':')) return false;
    return ocirt__sys_fstatfs(link, &fs) == 0 && (unsigned long)fs.f_type == OCIRT__PROC_MAGIC;
}

/* Puts the text of the link before what is left to walk. */
static int ocirt__walk_expand(struct ocirt__walk *w, int link) {
    char   text[PATH_MAX];
    size_t left = strlen(w->rest);
    long   n    = ocirt__sys_readlinkat(link, "", text, sizeof text);
    if (n < 0) return (int)n;
    if (++w->links > OCIRT__WALK_LINKS || ocirt__walk_is_magic(link, text)) return -ELOOP;
    if ((size_t)n + 1 + left + 1 > sizeof w->rest) return -ENAMETOOLONG;
    memmove(w->rest + n + 1, w->rest, left + 1);
    memcpy(w->rest, text, (size_t)n);
    w->rest[n] = '/';
    if (text[0] == '/') ocirt__walk_pop(w, 1);
    return 0;
}

/* Makes the missing component. One who was faster is fine: what is there is looked at again. */
static int ocirt__walk_make(struct ocirt__walk *w) {
    int dir = w->stack[w->depth - 1], r;
    if (w->rest[0] != 0 || (w->what & 3u) == OCIRT__PATH_DIR) {
        r = ocirt__sys_mkdirat(dir, w->name, 0755);
    } else {
        int fd = ocirt__sys_openat(dir, w->name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0644);
        r = fd < 0 ? fd : 0;
        ocirt__sys_close(&fd);
    }
    return r == -EEXIST ? 0 : r;
}

static int ocirt__walk_open(struct ocirt__walk *w) {
    int dir = w->stack[w->depth - 1];
    int fd  = ocirt__sys_openat(dir, w->name, O_PATH | O_NOFOLLOW, 0);
    int makes = (w->what & 3u) == OCIRT__PATH_DIR || (w->what & 3u) == OCIRT__PATH_FILE ||
                ((w->what & 3u) == OCIRT__PATH_PARENT && w->rest[0] != 0);
    if (fd != -ENOENT || !makes) return fd;
    fd = ocirt__walk_make(w);
    return fd < 0 ? fd : ocirt__sys_openat(dir, w->name, O_PATH | O_NOFOLLOW, 0);
}

static int ocirt__walk_push(struct ocirt__walk *w, int fd, bool is_dir) {
    if ((w->rest[0] != 0 || w->slash) && !is_dir) return -ENOTDIR;
    if (w->depth == OCIRT__WALK_DEPTH) return -ENAMETOOLONG;
    w->stack[w->depth++] = fd;
    return 0;
}

/* One component. On success the descriptor is on the stack, or the link is expanded. */
static int ocirt__walk_step(struct ocirt__walk *w) {
    struct ocirt__statx st;
    int fd, r;
    if (strcmp(w->name, ".") == 0) return 0;
    if (strcmp(w->name, "..") == 0) return ocirt__walk_pop(w, w->depth - 1), 0;
    if ((fd = ocirt__walk_open(w)) < 0) return fd;
    r = ocirt__sys_fstatx(fd, &st);
    if (r == 0 && S_ISLNK(st.mode) && !(w->rest[0] == 0 && (w->what & OCIRT__PATH_NOFOLLOW))) {
        r = ocirt__walk_expand(w, fd);
        ocirt__sys_close(&fd);
        return r;
    }
    if (r == 0) r = ocirt__walk_push(w, fd, S_ISDIR(st.mode));
    if (r < 0) ocirt__sys_close(&fd);
    return r;
}

/* Walks `path` below `root`. `leaf` (NAME_MAX + 1 bytes) gets the last component with
   OCIRT__PATH_PARENT, and on failure the component that stopped the walk. */
static int ocirt__path_walk(int root, const char *path, unsigned what, char *leaf) {
    struct ocirt__walk w;
    long n;
    int  r = 0, fd;
    if (strlen(path) >= sizeof w.rest) return -ENAMETOOLONG;
    w.depth = 1, w.links = 0, w.stack[0] = root, w.name[0] = 0;
    w.slash = path[0] && path[strlen(path) - 1] == '/';
    w.what  = w.slash ? what & ~OCIRT__PATH_NOFOLLOW : what;
    memcpy(w.rest, path, strlen(path) + 1);
    while (r == 0 && (n = ocirt__walk_next(&w)) != 0) {
        if (n < 0) r = (int)n;
        else if ((what & 3u) == OCIRT__PATH_PARENT && w.rest[0] == 0) break;
        else r = ocirt__walk_step(&w);
    }
    if (leaf) memcpy(leaf, w.name, sizeof w.name);
    fd = r < 0 ? r : (int)OCIRT__SYS3(SYS_fcntl, w.stack[w.depth - 1], F_DUPFD_CLOEXEC, 3);
    ocirt__walk_pop(&w, 1);
    return fd;
}

/* A rename anywhere makes openat2 give EAGAIN on a `..`; after a bounded number of tries the walk,
   which is as safe, takes over. */
static int ocirt__path_openat2(int root, const char *path, int flags) {
    unsigned tries = 64;
    int      fd;
    do fd = ocirt__sys_openat2(root, path, flags, 0, OCIRT__RESOLVE_IN_ROOT | OCIRT__RESOLVE_NO_MAGICLINKS);
    while ((fd == -EAGAIN || fd == -EINTR) && tries-- > 0);
    return fd;
}

/* Mostly nothing is missing but the last component: its folder in one call, and a new directory in it. All that is
   not as simple as that fails here, and is the walk's. */
static int ocirt__path_make_leaf(int root, const char *path) {
    const char *leaf = strrchr(path, '/');
    char folder[PATH_MAX];
    int  dir, r;
    if (!leaf || !leaf[1] || leaf[1] == '.' || (size_t)(leaf - path) + 2 > sizeof folder) return -ENOENT;
    memcpy(folder, path, (size_t)(leaf - path) + 1);
    folder[leaf - path + 1] = 0;
    dir = ocirt__path_openat2(root, folder, O_PATH | O_DIRECTORY);
    if (dir < 0) return dir;
    r = ocirt__sys_mkdirat(dir, leaf + 1, 0755);
    if (r == 0) r = ocirt__sys_openat(dir, leaf + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    ocirt__sys_close(&dir);
    return r;
}

/* What openat2 refuses but the walk may still answer. ELOOP because the kernel, when a mount elsewhere makes it start
   over, goes on counting links where it was (path_openat, up to 6.18 at least). */
static bool ocirt__path_walk_decides(int error) {
    return error == -ENOENT || error == -ENOSYS || error == -EPERM || error == -EAGAIN || error == -EINTR || error == -ELOOP;
}

/* Opens `path` inside `root` as O_PATH; `what` says what may be missing. */
static int ocirt__path_open(int root, const char *path, unsigned what, char *leaf) {
    int follow = what & OCIRT__PATH_NOFOLLOW ? O_NOFOLLOW : 0, fd;
    if ((what & 3u) == OCIRT__PATH_PARENT) return ocirt__path_walk(root, path, what, leaf);
    fd = ocirt__path_openat2(root, path, O_PATH | follow);
    if (fd >= 0) return fd;
    if (fd == -ENOENT && (what & 3u) == OCIRT__PATH_EXISTING) return fd;
    if (!ocirt__path_walk_decides(fd)) return fd;
    if (fd == -ENOENT && (what & 3u) == OCIRT__PATH_DIR && (fd = ocirt__path_make_leaf(root, path)) >= 0) return fd;
    return ocirt__path_walk(root, path, what, leaf);
}

static int ocirt__path_mount_id(int fd, uint64_t *out) {
    struct ocirt__statx st;
    int r = ocirt__sys_fstatx(fd, &st);
    *out = st.mnt_id;
    return r;
}

/* /proc, proven to be the root of a procfs: everything the runtime asks of or tells procfs goes
   through a descriptor made here or by fsmount. */
static int ocirt__path_proc(void) {
    struct ocirt__statx st;
    struct statfs fs;
    int fd = ocirt__sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0), r;
    if (fd < 0) return fd;
    r = ocirt__sys_fstatfs(fd, &fs);
    if (r == 0) r = ocirt__sys_fstatx(fd, &st);
    if (r == 0 && ((unsigned long)fs.f_type != OCIRT__PROC_MAGIC || st.ino != 1)) r = -EXDEV;
    if (r < 0) ocirt__sys_close(&fd);
    return r < 0 ? r : fd;
}

/* Without openat2: each component O_NOFOLLOW, and all on the mount that `base` is on. */
static int ocirt__path_exact_walk(int base, const char *path, int flags) {
    char     name[NAME_MAX + 1];
    uint64_t home, here;
    int      fd = base, next, r = ocirt__path_mount_id(base, &home);
    while (r == 0 && *path) {
        size_t n = strcspn(path, "/");
        bool   last = path[n] == 0;
        r = n > NAME_MAX ? -ENAMETOOLONG : n == 0 || (n == 2 && memcmp(path, "..", 2) == 0) ? -EXDEV : 0;
        if (r < 0) break;
        memcpy(name, path, n);
        name[n] = 0;
        next = ocirt__sys_openat(fd, name, (last ? flags : O_PATH) | O_NOFOLLOW, 0);
        if (fd != base) ocirt__sys_close(&fd);
        if (next < 0) return next;
        fd = next;
        r  = ocirt__path_mount_id(fd, &here);
        if (r == 0 && here != home) r = -EXDEV;
        path += last ? n : n + 1;
    }
    if (r < 0 && fd != base) ocirt__sys_close(&fd);
    return r < 0 ? r : fd;
}

/* Opens exactly this file of a kernel file system: no link, no other mount on the way (a container
   that shares mounts could have put one there). */
static int ocirt__path_exact(int base, const char *path, int flags) {
    int fd = ocirt__sys_openat2(base, path, flags, 0,
                                OCIRT__RESOLVE_BENEATH | OCIRT__RESOLVE_NO_XDEV |
                                    OCIRT__RESOLVE_NO_SYMLINKS | OCIRT__RESOLVE_NO_MAGICLINKS);
    if (fd != -ENOSYS && fd != -EPERM) return fd;
    return ocirt__path_exact_walk(base, path, flags);
}

/* Writes a kernel file in one write, as most of them demand. */
static int ocirt__path_write(int base, const char *path, const char *text, size_t size) {
    int  fd = ocirt__path_exact(base, path, O_WRONLY | O_NOCTTY);
    long n;
    if (fd < 0) return fd;
    n = ocirt__sys_write(fd, text, size);
    ocirt__sys_close(&fd);
    if (n < 0) return (int)n;
    return (size_t)n == size ? 0 : -EIO;
}

/* Reads at most size - 1 bytes of a kernel file as text. Returns the length. */
static long ocirt__path_read(int base, const char *path, char *out, size_t size) {
    int  fd = ocirt__path_exact(base, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    long n;
    out[0] = 0;
    if (fd < 0) return fd;
    n = ocirt__sys_read_all(fd, out, size - 1);
    ocirt__sys_close(&fd);
    if (n >= 0) out[n] = 0;
    return n;
}

/* A stream socket that is connected to the one at `path`: by a descriptor of it where the path is too long for an
   address. A peer that takes nothing must not hold us: 10 s at most. */
static int ocirt__path_connect(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/proc/self/fd/"};
    struct timeval limit = {10, 0};
    int  at = -1, r, to = (int)OCIRT__SYS3(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (to < 0) return to;
    r = (int)OCIRT__SYS5(SYS_setsockopt, to, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (strlen(path) < sizeof name.sun_path) memcpy(name.sun_path, path, strlen(path) + 1);
    else if ((at = ocirt__sys_openat(AT_FDCWD, path, O_PATH, 0)) < 0) r = at;
    else ocirt__mem_decimal(name.sun_path + 14, (uint64_t)at);
    if (r == 0) r = (int)OCIRT__SYS3(SYS_connect, to, &name, sizeof name);
    ocirt__sys_close(&at);
    if (r < 0) ocirt__sys_close(&to);
    return r < 0 ? r : to;
}

/* Decimal numbers that blanks, colons or dots divide. Returns how many of `count` there were. */
static unsigned ocirt__path_numbers(const char *text, uint64_t *out, unsigned count) {
    unsigned n = 0;
    char *end;
    for (; n < count; n++, text = end) {
        text += strspn(text, " \t:.");
        out[n] = strtoull(text, &end, 10);
        if (end == text) break;
    }
    return n;
}

/* tmpcopyup: the content of a directory into a new file system, without following anything. A stack
   of descriptor pairs replaces recursion; the directory's own read position marks where to go on. */
enum { OCIRT__COPY_DEPTH = 32 };

struct ocirt__dirent64 { /* getdents64(2) */
    uint64_t       ino;
    int64_t        next;
    unsigned short size;
    unsigned char  type;
    char           name[];
};

static int ocirt__path_copy_data(int from, int to) {
    char buffer[4096];
    long n;
    while ((n = ocirt__sys_read(from, buffer, sizeof buffer)) > 0) {
        int r = ocirt__sys_write_all(to, buffer, (size_t)n);
        if (r < 0) return r;
    }
    return (int)n;
}

static int ocirt__path_copy_file(int from, int to, const char *name, const struct ocirt__statx *st) {
    int in = ocirt__sys_openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0), out, r;
    if (in < 0) return in;
    out = ocirt__sys_openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, st->mode & 07777u);
    r   = out < 0 ? out : ocirt__path_copy_data(in, out);
    ocirt__sys_close(&in);
    ocirt__sys_close(&out);
    return r;
}

static int ocirt__path_copy_link(int from, int to, const char *name) {
    char text[PATH_MAX];
    long n = ocirt__sys_readlinkat(from, name, text, sizeof text);
    return n < 0 ? (int)n : ocirt__sys_symlinkat(text, to, name);
}

/* One entry. A directory is made and its descriptors are returned for the stack. */
static int ocirt__path_copy_entry(int from, int to, const char *name, int out_pair[2]) {
    struct ocirt__statx st;
    int r = ocirt__sys_statx(from, name, OCIRT__AT_SYMLINK_NOFOLLOW, &st);
    out_pair[0] = out_pair[1] = -1;
    if (r < 0) return r;
    if (S_ISLNK(st.mode)) r = ocirt__path_copy_link(from, to, name);
    else if (S_ISREG(st.mode)) r = ocirt__path_copy_file(from, to, name, &st);
    else if (S_ISDIR(st.mode)) r = ocirt__sys_mkdirat(to, name, st.mode & 07777u);
    else r = ocirt__sys_mknodat(to, name, st.mode, makedev(st.rdev_major, st.rdev_minor));
    if (r == 0) r = ocirt__sys_fchownat(to, name, st.uid, st.gid, OCIRT__AT_SYMLINK_NOFOLLOW);
    if (r == 0 && (S_ISREG(st.mode) || S_ISDIR(st.mode))) r = ocirt__sys_fchmodat(to, name, st.mode & 07777u); /* chown and mkdir drop set-id bits */
    if (r < 0 || !S_ISDIR(st.mode)) return r;
    out_pair[0] = ocirt__sys_openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    out_pair[1] = ocirt__sys_openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return out_pair[0] < 0 ? out_pair[0] : out_pair[1] < 0 ? out_pair[1] : 0;
}

/* Copies entries of the top pair until one is a directory (pushed) or there are none (popped). */
static int ocirt__path_copy_level(int stack[][2], unsigned *depth) {
    union {
        char     bytes[2048];
        uint64_t aligned;
    } buffer;
    int *top = stack[*depth - 1];
    long n   = ocirt__sys_getdents(top[0], buffer.bytes, sizeof buffer.bytes);
    if (n <= 0) {
        ocirt__sys_close(&top[0]);
        ocirt__sys_close(&top[1]);
        (*depth)--;
        return (int)n;
    }
    for (long at = 0; at < n;) {
        const struct ocirt__dirent64 *e = (const void *)(buffer.bytes + at);
        int pair[2], r;
        at += e->size;
        if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0) continue;
        r = ocirt__path_copy_entry(top[0], top[1], e->name, pair);
        if (pair[0] < 0 && r == 0) continue;
        if (r == 0 && *depth == OCIRT__COPY_DEPTH) r = -ENAMETOOLONG;
        /* The position is an opaque number of 64 bits, not a size: only its sign says anything. */
        if (r == 0 && OCIRT__SYS3(SYS_lseek, top[0], e->next, SEEK_SET) < 0) r = -EIO;
        if (pair[0] < 0 || r < 0) {
            ocirt__sys_close(&pair[0]);
            ocirt__sys_close(&pair[1]);
            return r;
        }
        memcpy(stack[(*depth)++], pair, sizeof pair);
        return 0;
    }
    return 0;
}

/* `from` may be O_PATH, `to` is a mount of ours. */
static int ocirt__path_copy_tree(int from, int to) {
    int      stack[OCIRT__COPY_DEPTH][2], r = 0;
    unsigned depth = 1;
    stack[0][0] = ocirt__sys_openat(from, ".", O_RDONLY | O_DIRECTORY, 0);
    stack[0][1] = ocirt__sys_openat(to, ".", O_RDONLY | O_DIRECTORY, 0);
    if (stack[0][0] < 0) r = stack[0][0];
    else if (stack[0][1] < 0) r = stack[0][1];
    while (r == 0 && depth > 0) r = ocirt__path_copy_level(stack, &depth);
    while (depth > 0) {
        ocirt__sys_close(&stack[--depth][0]);
        ocirt__sys_close(&stack[depth][1]);
    }
    return r;
}

/* ===========================================================================================
   >>probe   what this kernel, machine and caller offer, as one plain struct. Missing things are
   facts, not errors. Runs before every plan, so it asks only what decisions need.
   =========================================================================================== */

static long ocirt__probe_self(int proc, const char *file, char *out, size_t size) {
    char   path[64];
    size_t n = ocirt__mem_decimal(path, (uint64_t)OCIRT__SYS0(SYS_getpid));
    path[n] = '/';
    memcpy(path + n + 1, file, strlen(file) + 1);
    return ocirt__path_read(proc, path, out, size);
}

/* The first user namespace has this inode since 3.8 (linux/nsfs.h); a map of everything onto itself others can
   have as well. */
static bool ocirt__probe_is_first_userns(int proc) {
    struct ocirt__statx st;
    return ocirt__sys_statx(proc, "self/ns/user", 0, &st) == 0 && st.ino == 0xeffffffdu;
}

static bool ocirt__probe_first_userns(void) {
    int  proc  = ocirt__path_proc();
    bool first = proc >= 0 && ocirt__probe_is_first_userns(proc);
    ocirt__sys_close(&proc);
    return first;
}

/* ----- files of the host ----- */

enum { OCIRT__PROBE_FILE_LIMIT = 4 << 20 };

/* Read in pieces, since those of procfs have no size. */
static char *ocirt__probe_file(ocirt_arena *arena, const char *path) {
    ocirt__buffer text = {.arena = arena};
    struct ocirt__statx st;
    char piece[4096];
    long n = 0;
    int  fd = ocirt__sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd >= 0 && ocirt__sys_fstatx(fd, &st) == 0 && S_ISREG(st.mode))
        while (text.size < OCIRT__PROBE_FILE_LIMIT && (n = ocirt__sys_read(fd, piece, sizeof piece)) > 0) ocirt__buffer_put(&text, piece, (size_t)n);
    ocirt__sys_close(&fd);
    return text.failed ? NULL : text.data;
}

/* The user's name in the host's /etc/passwd: /etc/subuid may use names. */
static void ocirt__probe_user_name(ocirt_arena *arena, uint32_t uid, char *out, size_t size) {
    char *text = ocirt__probe_file(arena, "/etc/passwd"), *rest = NULL;
    out[0] = 0;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        char *colon = strchr(line, ':'), *number = colon ? strchr(colon + 1, ':') : NULL;
        if (!number || strtoul(number + 1, NULL, 10) != uid || (size_t)(colon - line) >= size) continue;
        memcpy(out, line, (size_t)(colon - line));
        out[colon - line] = 0;
        return;
    }
}

static uint32_t ocirt__probe_ranges(ocirt_arena *arena, const char *path, uint32_t uid, const char *name, ocirt_id_range *out) {
    char *text = ocirt__probe_file(arena, path), *rest = NULL, number[24];
    uint32_t count = 0;
    ocirt__mem_decimal(number, uid);
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && count < OCIRT_ID_RANGES; line = strtok_r(NULL, "\n", &rest)) {
        uint64_t range[2];
        char *colon = strchr(line, ':');
        if (!colon || ocirt__path_numbers(colon + 1, range, 2) != 2 || range[0] > UINT32_MAX || range[1] > UINT32_MAX) continue;
        *colon = 0;
        if (strcmp(line, number) == 0 || (name[0] && strcmp(line, name) == 0)) out[count++] = (ocirt_id_range){(uint32_t)range[0], (uint32_t)range[1]};
    }
    return count;
}

/* Helpers come from fixed folders, never through PATH, and must not be writable by others. */
static void ocirt__probe_helper(const char *name, char *out, size_t size) {
    static const char *const folders[] = {"/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin"};
    struct ocirt__statx st;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(out, size, "%s/%s", folders[i], name);
        if (ocirt__sys_statx(AT_FDCWD, out, 0, &st) == 0 && S_ISREG(st.mode) && !(st.mode & 022)) return;
    }
    out[0] = 0;
}

static void ocirt__probe_ids(ocirt_probe *p) {
    ocirt_arena arena = {0};
    char name[64];
    ocirt__probe_helper("newuidmap", p->newuidmap, sizeof p->newuidmap);
    ocirt__probe_helper("newgidmap", p->newgidmap, sizeof p->newgidmap);
    ocirt__probe_user_name(&arena, p->euid, name, sizeof name);
    p->subuids_count = ocirt__probe_ranges(&arena, "/etc/subuid", p->euid, name, p->subuids);
    p->subgids_count = ocirt__probe_ranges(&arena, "/etc/subgid", p->euid, name, p->subgids);
    ocirt_arena_free(&arena);
}

/* ----- cgroups ----- */

static bool ocirt__probe_is_cgroup2(const char *path) {
    struct statfs fs;
    return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == OCIRT__CGROUP2_MAGIC;
}

/* A line of mountinfo: "id parent device root target options ... - type source data". */
static bool ocirt__probe_mount_target(const char *line, char *out, size_t size) {
    size_t n;
    for (int i = 0; i < 4; i++) {
        line = strchr(line, ' ');
        if (!line++) return false;
    }
    n = strcspn(line, " ");
    if (n >= size) return false;
    memcpy(out, line, n);
    out[n] = 0;
    return true;
}

static bool ocirt__probe_mount_line(const char *line, const char *type, char *out, size_t size) {
    const char *dash = strstr(line, " - ");
    size_t n = strlen(type);
    return dash && strncmp(dash + 3, type, n) == 0 && dash[3 + n] == ' ' && ocirt__probe_mount_target(line, out, size);
}

static bool ocirt__probe_find_mount(const char *type, const char *target, char *out, size_t size) {
    ocirt_arena arena = {0};
    char *text = ocirt__probe_file(&arena, "/proc/self/mountinfo"), *rest = NULL;
    bool  found = false;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && !found; line = strtok_r(NULL, "\n", &rest))
        found = ocirt__probe_mount_line(line, type, out, size) && (!target || strcmp(out, target) == 0);
    ocirt_arena_free(&arena);
    if (!found) out[0] = 0;
    return found;
}

/* An ordinary user's own cgroup holds processes, so no controller can be enabled below it (cgroup-v2,
   no internal processes): a sibling is better, where the parent was delegated too. */
static void ocirt__probe_cgroup_base(ocirt_probe *p, int dir) {
    char *slash;
    int   r;
    snprintf(p->cgroup_base, sizeof p->cgroup_base, "%s", p->cgroup_own);
    if (!(slash = strrchr(p->cgroup_base, '/'))) return;
    *slash = 0;
    r = (int)OCIRT__SYS3(SYS_faccessat, dir, p->cgroup_base[0] ? p->cgroup_base + 1 : ".", W_OK);
    if (r < 0) *slash = '/';
    if (strcmp(p->cgroup_base, "/") == 0) p->cgroup_base[0] = 0;
}

static void ocirt__probe_cgroups(ocirt_probe *p, int proc) {
    char text[2048], *line;
    int  dir;
    if (ocirt__probe_is_cgroup2("/sys/fs/cgroup")) strcpy(p->cgroup_mount, "/sys/fs/cgroup");
    else if (ocirt__probe_is_cgroup2("/sys/fs/cgroup/unified")) strcpy(p->cgroup_mount, "/sys/fs/cgroup/unified");
    else (void)ocirt__probe_find_mount("cgroup2", NULL, p->cgroup_mount, sizeof p->cgroup_mount);
    if (!p->cgroup_mount[0]) return;
    if (p->euid != 0 && ocirt__probe_self(proc, "cgroup", text, sizeof text) > 0 && (line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::"))) {
        line += line[0] == '\n' ? 4 : 3;
        line[strcspn(line, "\n")] = 0;
        snprintf(p->cgroup_own, sizeof p->cgroup_own, "%.500s", line);
    }
    dir = ocirt__sys_openat(AT_FDCWD, p->cgroup_mount, O_PATH | O_DIRECTORY, 0);
    if (dir >= 0) (void)ocirt__path_read(dir, "cgroup.controllers", p->cgroup_controllers, sizeof p->cgroup_controllers);
    p->cgroup_controllers[strcspn(p->cgroup_controllers, "\n")] = 0;
    if (dir >= 0 && p->euid != 0) ocirt__probe_cgroup_base(p, dir);
    if (dir >= 0) ocirt__sys_close(&dir);
}

/* ----- the rest ----- */

static void ocirt__probe_image(ocirt_probe *p) {
    struct ocirt__statx st;
    struct statfs fs;
    if (ocirt__sys_statx(AT_FDCWD, "/proc/self/exe", 0, &st) < 0 || statfs("/proc/self/exe", &fs) < 0) return;
    p->image_known = true;
    p->image_uid = st.uid, p->image_gid = st.gid, p->image_mode = st.mode & 07777u;
    p->image_read_only = (fs.f_flags & 1 /* ST_RDONLY */) != 0;
}

/* pivot_root needs a root whose mount has a parent; the initial ramfs has none and is called rootfs. */
static void ocirt__probe_root(ocirt_probe *p) {
    struct statfs fs;
    char target[16];
    if (statfs("/", &fs) < 0) return;
    if ((unsigned long)fs.f_type != OCIRT__RAMFS_MAGIC && (unsigned long)fs.f_type != OCIRT__TMPFS_MAGIC) return;
    p->root_is_initramfs = ocirt__probe_find_mount("rootfs", "/", target, sizeof target);
}

/* Older kernels refuse the flag before they look at the path, which is none. */
static bool ocirt__probe_tree_namespaces(void) {
    return ocirt__sys_open_tree(-1, "", OCIRT__OPEN_TREE_NAMESPACE) == -ENOENT;
}

static void ocirt__probe_with(int proc, ocirt_probe *p) {
    struct ocirt__cap_header header = {OCIRT__CAP_VERSION_3, 0};
    struct ocirt__cap_data   caps[2];
    struct utsname name;
    struct rlimit  files;
    struct ocirt__statx st;
    uint64_t version[2];
    char text[128];
    memset(p, 0, sizeof *p);
    if (uname(&name) == 0) snprintf(p->kernel, sizeof p->kernel, "%.64s", name.release);
    if (ocirt__path_numbers(p->kernel, version, 2) == 2) p->kernel_version = (uint32_t)(version[0] << 16 | version[1]);
    p->euid = geteuid(), p->egid = getegid();
    if (OCIRT__SYS2(SYS_capget, &header, caps) == 0) p->capabilities = caps[0].effective | (uint64_t)caps[1].effective << 32;
    p->initial_userns = ocirt__probe_is_first_userns(proc);
    if (!p->initial_userns) p->setgroups_denied = ocirt__probe_self(proc, "setgroups", text, sizeof text) > 0 && strncmp(text, "deny", 4) == 0;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) p->nofile_hard = files.rlim_max;
    p->selinux = ocirt__sys_statx(AT_FDCWD, "/sys/fs/selinux/enforce", 0, &st) == 0;
    ocirt__probe_cgroups(p, proc);
    ocirt__probe_image(p);
    ocirt__probe_root(p);
    p->tree_namespaces = ocirt__probe_tree_namespaces();
    if (p->euid != 0 || !p->initial_userns) ocirt__probe_ids(p);
}

/* A procfs that was checked, or the error. */
static int ocirt__probe_proc(ocirt_error *error) {
    int proc = ocirt__path_proc();
    if (proc >= 0) return proc;
    ocirt__error_set(error, OCIRT_E_IO, -proc, "/proc", "/proc is not a procfs");
    ocirt__error_hint(error, "mount it first: mount -t proc proc /proc");
    return -OCIRT_E_IO;
}

OCIRT_DEF int ocirt_probe_host(ocirt_probe *p, ocirt_error *error) {
    int proc = ocirt__probe_proc(error);
    if (proc < 0) return proc;
    ocirt__probe_with(proc, p);
    ocirt__sys_close(&proc);
    return 0;
}

/* ===========================================================================================
   >>idmap   arithmetic on id ranges, and how a map must be written (user_namespaces(7)): directly
   with privilege; one's own single id after setgroups is denied; everything else through newuidmap
   and newgidmap, which check /etc/subuid and /etc/subgid.
   =========================================================================================== */

enum { OCIRT__IDMAP_DIRECT = 1, OCIRT__IDMAP_SINGLE, OCIRT__IDMAP_HELPER, OCIRT__IDMAP_LINES = 340 };

static bool ocirt__idmap_contains(const ocirt_id_mapping *maps, size_t count, uint32_t id) {
    for (size_t i = 0; i < count; i++)
        if (id >= maps[i].container_id && id - maps[i].container_id < maps[i].size) return true;
    return false;
}

static bool ocirt__idmap_maps_host(const ocirt_id_mapping *maps, size_t count, uint32_t host) {
    for (size_t i = 0; i < count; i++)
        if (host >= maps[i].host_id && host - maps[i].host_id < maps[i].size) return true;
    return false;
}

/* The host's id of a container id; false if it is not mapped. */
static bool ocirt__idmap_to_host(const ocirt_id_mapping *maps, size_t count, uint32_t id, uint32_t *out) {
    for (size_t i = 0; i < count; i++) {
        if (id < maps[i].container_id || id - maps[i].container_id >= maps[i].size) continue;
        *out = maps[i].host_id + (id - maps[i].container_id);
        return true;
    }
    return false;
}

static void ocirt__idmap_text(ocirt__buffer *out, const ocirt_id_mapping *maps, size_t count) {
    for (size_t i = 0; i < count; i++) ocirt__buffer_format(out, "%u %u %u\n", maps[i].container_id, maps[i].host_id, maps[i].size);
}

static bool ocirt__idmap_overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size) {
    return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

static int ocirt__idmap_refuse(const ocirt_json *doc, uint32_t token, ocirt_error *e, const char *message) {
    ocirt__error_set(e, OCIRT_E_IDMAP, 0, "", "%s", message);
    if (doc && token) ocirt__error_place(e, doc, token);
    return -OCIRT_E_IDMAP;
}

static int ocirt__idmap_check(const ocirt_json *doc, const ocirt_id_mapping *maps, size_t count, ocirt_error *e) {
    if (count > OCIRT__IDMAP_LINES) return ocirt__idmap_refuse(doc, maps[OCIRT__IDMAP_LINES].token, e, "the kernel takes at most 340 lines of id mappings");
    for (size_t i = 0; i < count; i++) {
        if ((uint64_t)maps[i].container_id + maps[i].size > UINT32_MAX || (uint64_t)maps[i].host_id + maps[i].size > UINT32_MAX)
            return ocirt__idmap_refuse(doc, maps[i].token, e, "the id mapping goes past the last id, 4294967294");
        for (size_t k = 0; k < i; k++)
            if (ocirt__idmap_overlap(maps[i].container_id, maps[i].size, maps[k].container_id, maps[k].size) ||
                ocirt__idmap_overlap(maps[i].host_id, maps[i].size, maps[k].host_id, maps[k].size))
                return ocirt__idmap_refuse(doc, maps[i].token, e, "the id mapping overlaps another one");
    }
    return 0;
}

static bool ocirt__idmap_single(const ocirt_id_mapping *maps, size_t count, uint32_t own) {
    return count == 1 && maps[0].size == 1 && maps[0].host_id == own;
}

/* A line that maps the own id is allowed to anyone; others must lie in one of the ranges. */
static bool ocirt__idmap_owned(const ocirt_id_mapping *m, uint32_t own, const ocirt_id_range *ranges, uint32_t count) {
    if (m->size == 1 && m->host_id == own) return true;
    for (uint32_t i = 0; i < count; i++)
        if (m->host_id >= ranges[i].first && (uint64_t)m->host_id + m->size <= (uint64_t)ranges[i].first + ranges[i].count) return true;
    return false;
}

/* The lines of both files begin with the user (subgid(5)). */
static int ocirt__idmap_ranges(const ocirt_json *doc, const ocirt_id_mapping *maps, size_t count, uint32_t user, uint32_t own, const ocirt_id_range *ranges,
                               uint32_t ranges_count, const char *file, const char *helper, ocirt_error *e) {
    for (size_t i = 0; i < count; i++) {
        if (ocirt__idmap_owned(&maps[i], own, ranges, ranges_count)) continue;
        ocirt__error_set(e, OCIRT_E_IDMAP, 0, file, "host ids %u to %llu do not belong to the caller", maps[i].host_id, (unsigned long long)maps[i].host_id + maps[i].size - 1);
        ocirt__error_hint(e, "add the line %u:%u:%u to %s, or map only the own id, %u", user, maps[i].host_id, maps[i].size, file, own);
        if (doc && maps[i].token) ocirt__error_place(e, doc, maps[i].token);
        return -OCIRT_E_IDMAP;
    }
    if (helper[0]) return 0;
    ocirt__error_set(e, OCIRT_E_IDMAP, 0, "newuidmap", "mapping more than the own id needs newuidmap and newgidmap, which are not installed");
    ocirt__error_hint(e, "install them (package uidmap or shadow-utils), or map only the own id: `ocirt spec --rootless`");
    return -OCIRT_E_IDMAP;
}

/* *out_way is the same for both maps: the helpers deny or allow setgroups as they see fit. */
static int ocirt__idmap_decide(const ocirt_probe *p, const ocirt_json *doc, const ocirt_linux *on, unsigned *out_way, ocirt_error *e) {
    uint64_t needed = 1ull << 6 | 1ull << 7; /* CAP_SETGID, CAP_SETUID */
    int r = ocirt__idmap_check(doc, on->uid_mappings, on->uid_mappings_count, e);
    if (r == 0) r = ocirt__idmap_check(doc, on->gid_mappings, on->gid_mappings_count, e);
    if (r < 0) return r;
    *out_way = OCIRT__IDMAP_DIRECT;
    if ((p->capabilities & needed) == needed) return 0;
    *out_way = OCIRT__IDMAP_SINGLE;
    if (ocirt__idmap_single(on->uid_mappings, on->uid_mappings_count, p->euid) && ocirt__idmap_single(on->gid_mappings, on->gid_mappings_count, p->egid)) return 0;
    *out_way = OCIRT__IDMAP_HELPER;
    r = ocirt__idmap_ranges(doc, on->uid_mappings, on->uid_mappings_count, p->euid, p->euid, p->subuids, p->subuids_count, "/etc/subuid", p->newuidmap, e);
    return r < 0 ? r : ocirt__idmap_ranges(doc, on->gid_mappings, on->gid_mappings_count, p->euid, p->egid, p->subgids, p->subgids_count, "/etc/subgid", p->newgidmap, e);
}

/* ===========================================================================================
   >>cgroup   cgroup v2: place, limits, kill, removal (Documentation/admin-guide/cgroup-v2.rst).
   Everything is reached from a descriptor of the hierarchy's root, component by component and
   through no link. cgroup.kill is 5.14; before it: freeze, kill each, thaw.
   =========================================================================================== */

/* ----- which cgroup ----- */

static int ocirt__cgroup_choose(ocirt_arena *arena, const ocirt_probe *p, const char *wanted, const char *id, const char **out, ocirt_error *e) {
    const char *base = p->cgroup_base;
    const char *colon = wanted ? strchr(wanted, ':') : NULL;
    if (colon && strchr(colon + 1, ':') && (colon == wanted || (colon - wanted > 6 && strncmp(colon - 6, ".slice", 6) == 0))) {
        ocirt__error_set(e, OCIRT_E_SPEC, 0, wanted, "cgroupsPath %s is meant for systemd", wanted);
        ocirt__error_hint(e, "pass --systemd-cgroup, or give a path");
        return -OCIRT_E_SPEC;
    }
    if (!wanted || !wanted[0]) *out = ocirt__mem_format(arena, "%s/ocirt-%.249s", base, id); /* with "ocirt-" 255 bytes, the most for a name */
    else if (wanted[0] == '/') *out = ocirt__mem_format(arena, "%s", wanted);
    else *out = ocirt__mem_format(arena, "%s/%s", base, wanted);
    if (!*out) return ocirt__error_set(e, OCIRT_E_MEMORY, 0, "", "out of memory");
    for (const char *s = *out; *s; s += strcspn(s, "/")) {
        while (*s == '/') s++;
        if (strcspn(s, "/") == 2 && s[0] == '.' && s[1] == '.') return ocirt__error_set(e, OCIRT_E_SPEC, 0, *out, "cgroupsPath %s must not contain ..", *out);
        if (strcspn(s, "/") > NAME_MAX) return ocirt__error_set(e, OCIRT_E_SPEC, 0, *out, "a component of cgroupsPath is longer than 255 bytes: %.40s...", s);
    }
    return 0;
}

static bool ocirt__cgroup_word(const char *list, const char *word, size_t n) {
    for (const char *s = list; *s; s += strcspn(s, " \n")) {
        while (*s == ' ' || *s == '\n') s++;
        if (strcspn(s, " \n") == n && memcmp(s, word, n) == 0) return true;
    }
    return false;
}

/* The next component of a path: its length, with *path moved onto it. */
static size_t ocirt__cgroup_component(const char **path, char name[NAME_MAX + 1]) {
    size_t n;
    while (**path == '/') (*path)++;
    n = strcspn(*path, "/");
    if (n > NAME_MAX) return 0;
    memcpy(name, *path, n);
    name[n] = 0;
    *path += n;
    return n;
}

static int ocirt__cgroup_enter(int *dir, int root, const char *name) {
    int next = ocirt__sys_openat(*dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (*dir != root) ocirt__sys_close(dir);
    *dir = next;
    return next < 0 ? next : 0;
}

/* How many components of `path` are not there yet. */
static int ocirt__cgroup_levels_missing(int root, const char *path) {
    char name[NAME_MAX + 1];
    int  dir = root, missing = 0, r = 0;
    while (ocirt__cgroup_component(&path, name) > 0) {
        if (missing == 0) r = ocirt__cgroup_enter(&dir, root, name);
        if (r == -ENOENT || missing) missing++, r = 0;
        if (r < 0) return r;
    }
    if (dir != root && dir >= 0) ocirt__sys_close(&dir);
    return missing;
}

static void ocirt__cgroup_tell(char *detail, size_t size, const char *what, const char *controller, size_t n, const char *where) {
    snprintf(detail, size, "%s %.*s in %s", what, (int)n, controller, where);
}

/* The first of all cgroups may (it has no type). For pids and cpu the kernel would make it a thread root
   instead of saying EBUSY, and no cgroup below could hold a process from then on. */
static bool ocirt__cgroup_holds_processes(int dir) {
    char first[2];
    return ocirt__path_read(dir, "cgroup.type", first, sizeof first) >= 0 && ocirt__path_read(dir, "cgroup.procs", first, sizeof first) > 0;
}

static int ocirt__cgroup_enable_one(int dir, const char *enabled, const char *controller, size_t n) {
    char word[80] = "+";
    if (n == 0 || n > 64 || ocirt__cgroup_word(enabled, controller, n)) return 0;
    memcpy(word + 1, controller, n);
    return ocirt__path_write(dir, "cgroup.subtree_control", word, n + 1);
}

/* Enables in `dir` what its children need and it has not enabled yet. */
static int ocirt__cgroup_enable(int dir, const char *wanted, const char *where, char *detail, size_t size) {
    char have[256];
    int  r = 0;
    if (!*wanted) return 0;
    if (ocirt__cgroup_holds_processes(dir)) {
        snprintf(detail, size, "cgroup v2 gives no limits below a cgroup that holds processes: move them to a sub-cgroup first");
        return -EBUSY;
    }
    if (ocirt__path_read(dir, "cgroup.subtree_control", have, sizeof have) < 0) have[0] = 0;
    for (const char *s = wanted; r == 0 && *s; s += strcspn(s, " ")) {
        size_t n;
        while (*s == ' ') s++;
        n = strcspn(s, " ");
        r = ocirt__cgroup_enable_one(dir, have, s, n);
        if (r < 0) ocirt__cgroup_tell(detail, size, "cannot enable controller", s, n, where);
    }
    return r;
}

/* What no limit asks for is wanted for the accounts (memory.current) and for cgroups that the container makes itself.
   Where the kernel refuses one (cpu while real-time processes run, what is another's), nothing else is missed. */
static void ocirt__cgroup_enable_rest(int dir) {
    char there[256], have[256];
    int  r = 0;
    if (ocirt__path_read(dir, "cgroup.controllers", there, sizeof there) <= 0) return;
    if (ocirt__path_read(dir, "cgroup.subtree_control", have, sizeof have) < 0 || strcmp(there, have) == 0 || ocirt__cgroup_holds_processes(dir)) return;
    for (const char *s = there; *s && r != -EACCES && r != -EPERM && r != -EROFS; s += strcspn(s, " \n"), s += *s != 0)
        r = ocirt__cgroup_enable_one(dir, have, s, strcspn(s, " \n"));
}

static int ocirt__cgroup_read_number(int dir, const char *file, uint64_t *out) {
    char text[64];
    long n = ocirt__path_read(dir, file, text, sizeof text);
    if (n < 0) return (int)n;
    *out = strtoull(text, NULL, 10);
    return 0;
}

/* A line "key number" of a flat keyed file. */
static int ocirt__cgroup_event(int dir, const char *file, const char *key, uint64_t *out) {
    char text[512], *line = text;
    size_t n = strlen(key);
    long r = ocirt__path_read(dir, file, text, sizeof text);
    if (r < 0) return (int)r;
    for (; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, key, n) == 0 && line[n] == ' ') return *out = strtoull(line + n, NULL, 10), 0;
    return -ENOENT;
}

/* One that holds processes or is frozen is somebody else's: a create into it would hang or mix. */
static int ocirt__cgroup_usable(int dir, char *detail, size_t size) {
    uint64_t populated = 0, frozen = 0;
    (void)ocirt__cgroup_event(dir, "cgroup.events", "populated", &populated);
    (void)ocirt__cgroup_event(dir, "cgroup.events", "frozen", &frozen);
    if (populated) snprintf(detail, size, "the cgroup exists and holds processes");
    else if (frozen) snprintf(detail, size, "the cgroup exists and is frozen");
    return populated || frozen ? -EBUSY : 0;
}

/* What is not there is removed. A read-only mount says that it is one before it looks. */
static int ocirt__cgroup_remove_level(int root, const char *path) {
    struct ocirt__statx st;
    int r = ocirt__sys_unlinkat(root, path, AT_REMOVEDIR);
    if (r == -EROFS) r = ocirt__sys_statx(root, path, OCIRT__AT_SYMLINK_NOFOLLOW, &st) == -ENOENT ? -ENOENT : r;
    return r == -ENOENT ? 0 : r;
}

/* rmdir from the deepest of the last `levels` components upwards. Parents that others use stay. */
static int ocirt__cgroup_remove_levels(int root, const char *path, unsigned levels) {
    char copy[PATH_MAX];
    int  r = 0, first = 0;
    size_t n = strlen(path);
    if (n >= sizeof copy) return -ENAMETOOLONG;
    memcpy(copy, path, n + 1);
    for (unsigned i = 0; i < levels; i++) {
        char *slash;
        while (n > 0 && copy[n - 1] == '/') copy[--n] = 0;
        r = ocirt__cgroup_remove_level(root, copy + strspn(copy, "/"));
        if (i == 0 || (r < 0 && r != -EBUSY && r != -ENOTEMPTY && first == 0)) first = r;
        if (r < 0 || !(slash = strrchr(copy, '/')) || slash == copy) break;
        *slash = 0, n = strlen(copy);
    }
    return first;
}

/* Goes down to the cgroup, enabling `controllers` above it (and with `all` what else can be), and making what is not there. */
static int ocirt__cgroup_descend(int root, const char *path, const char *controllers, bool all, int *dir, char *detail, size_t size) {
    const char *rest = path;
    char name[NAME_MAX + 1];
    int  r = 0;
    *dir = root;
    while (r == 0 && ocirt__cgroup_component(&rest, name) > 0) {
        if (all) ocirt__cgroup_enable_rest(*dir);
        r = ocirt__cgroup_enable(*dir, controllers, path, detail, size);
        if (r == 0) r = ocirt__sys_mkdirat(*dir, name, 0755);
        if (r == 0 || r == -EEXIST) r = ocirt__cgroup_enter(dir, root, name);
    }
    return r;
}

/* The container may nest no deeper than ocirt__cgroup_walk goes. In one that was only handed to us that is not ours. */
static int ocirt__cgroup_bound(int dir, bool old) {
    int r = ocirt__path_write(dir, "cgroup.max.depth", "60", 2);
    return old && (r == -EACCES || r == -EPERM) ? 0 : r;
}

/* On failure nothing made stays. */
static int ocirt__cgroup_make(int root, const char *path, unsigned missing, const char *controllers, int *out_dir, char *detail, size_t size) {
    int dir, r = ocirt__cgroup_descend(root, path, controllers, true, &dir, detail, size);
    if (r == 0 && missing == 0) r = ocirt__cgroup_usable(dir, detail, size);
    if (r == 0 && dir != root) r = ocirt__cgroup_bound(dir, missing == 0);
    if (r == 0 && dir != root) return *out_dir = dir, 0;
    if (dir >= 0 && dir != root) ocirt__sys_close(&dir);
    (void)ocirt__cgroup_remove_levels(root, path, missing);
    return r < 0 ? r : -EINVAL;
}

static int ocirt__cgroup_attach(int dir, int pid) {
    char text[24];
    if (pid <= 0) return -EINVAL; /* 0 would move the caller itself */
    return ocirt__path_write(dir, "cgroup.procs", text, ocirt__mem_decimal(text, (uint64_t)pid));
}

/* The container's user may manage its own subtree, and only these files of it (cgroup-v2, delegation). */
static int ocirt__cgroup_chown(int dir, uint32_t uid, uint32_t gid) {
    char  names[512], *rest = NULL;
    int   kernel = ocirt__sys_openat(AT_FDCWD, "/sys/kernel/cgroup", O_PATH | O_DIRECTORY, 0);
    int   r = ocirt__sys_fchownat(dir, "", uid, gid, OCIRT__AT_EMPTY_PATH);
    if (kernel < 0 || ocirt__path_read(kernel, "delegate", names, sizeof names) <= 0)
        strcpy(names, "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n");
    ocirt__sys_close(&kernel);
    for (char *name = strtok_r(names, "\n", &rest); r == 0 && name; name = strtok_r(NULL, "\n", &rest)) {
        r = ocirt__sys_fchownat(dir, name, uid, gid, OCIRT__AT_SYMLINK_NOFOLLOW);
        if (r == -ENOENT) r = 0; /* not on this kernel */
    }
    return r;
}

/* ----- the subtree: a stack of descriptors instead of recursion ----- */

enum { OCIRT__CGROUP_DEPTH = 64 };
typedef int (*ocirt__cgroup_visit)(int dir, int parent, const char *name, void *user); /* children before parents */

/* The next sub-cgroup of `dir` in directory order, or false. */
static bool ocirt__cgroup_next(int dir, char name[NAME_MAX + 1]) {
    union {
        char     bytes[1024];
        uint64_t aligned;
    } buffer;
    long n;
    while ((n = ocirt__sys_getdents(dir, buffer.bytes, sizeof buffer.bytes)) > 0) {
        for (long at = 0; at < n;) {
            const struct ocirt__dirent64 *e = (const void *)(buffer.bytes + at);
            at += e->size;
            if (e->type != DT_DIR || e->name[0] == '.') continue;
            snprintf(name, NAME_MAX + 1, "%s", e->name);
            (void)OCIRT__SYS3(SYS_lseek, dir, e->next, SEEK_SET);
            return true;
        }
    }
    return false;
}

static int ocirt__cgroup_walk(int top, ocirt__cgroup_visit visit, void *user) {
    int  stack[OCIRT__CGROUP_DEPTH], r = 0;
    char names[OCIRT__CGROUP_DEPTH][NAME_MAX + 1];
    unsigned depth = 1;
    stack[0] = ocirt__sys_openat(top, ".", O_RDONLY | O_DIRECTORY, 0);
    if (stack[0] < 0) return stack[0];
    while (depth > 0) {
        char name[NAME_MAX + 1];
        int  dir = stack[depth - 1];
        if (r == 0 && ocirt__cgroup_next(dir, name)) {
            if (depth == OCIRT__CGROUP_DEPTH) { r = -ELOOP; continue; }
            stack[depth] = ocirt__sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
            if (stack[depth] < 0) continue; /* gone meanwhile */
            memcpy(names[depth++], name, sizeof name);
            continue;
        }
        depth--;
        if (r == 0) r = visit(dir, depth ? stack[depth - 1] : -1, depth ? names[depth] : "", user);
        ocirt__sys_close(&stack[depth]);
    }
    return r;
}

typedef int (*ocirt__cgroup_each)(void *user, int pid);

/* A list of processes may be longer than any buffer, and a number may be cut by its end. */
static int ocirt__cgroup_pids(int dir, ocirt__cgroup_each each, void *user) {
    char text[1024];
    int  file = ocirt__path_exact(dir, "cgroup.procs", O_RDONLY), r = 0, pid = 0;
    long n = file;
    while (r == 0 && n >= 0 && (n = ocirt__sys_read(file, text, sizeof text)) > 0)
        for (long i = 0; r == 0 && i < n; i++) {
            if (text[i] != '\n') pid = pid * 10 + (text[i] - '0');
            else r = pid > 0 ? each(user, pid) : 0, pid = 0;
        }
    ocirt__sys_close(&file);
    if (n == -ENOENT || n == -ENODEV || n == -EOPNOTSUPP) return r; /* removed meanwhile; a threaded one's are listed above it */
    return n < 0 ? (int)n : r;
}

struct ocirt__cgroup_visit_pids {
    ocirt__cgroup_each each;
    void              *user;
};

static int ocirt__cgroup_pids_of(int dir, int parent, const char *name, void *user) {
    struct ocirt__cgroup_visit_pids *v = user;
    (void)parent, (void)name;
    return ocirt__cgroup_pids(dir, v->each, v->user);
}

/* Of the whole subtree. */
static int ocirt__cgroup_all_pids(int dir, ocirt__cgroup_each each, void *user) {
    struct ocirt__cgroup_visit_pids v = {.each = each, .user = user};
    return ocirt__cgroup_walk(dir, ocirt__cgroup_pids_of, &v);
}

static int ocirt__cgroup_signal_one(void *user, int pid) {
    int pidfd = ocirt__sys_pidfd_open(pid);
    if (pidfd >= 0) (void)ocirt__sys_pidfd_signal(pidfd, *(const int *)user);
    ocirt__sys_close(&pidfd);
    return 0;
}

static int ocirt__cgroup_signal_all(int dir, int signal) {
    return ocirt__cgroup_all_pids(dir, ocirt__cgroup_signal_one, &signal);
}

static bool ocirt__cgroup_is(int dir, const char *key) {
    uint64_t is = 0;
    return ocirt__cgroup_event(dir, "cgroup.events", key, &is) == 0 && is;
}

static bool ocirt__cgroup_populated(int dir) {
    return ocirt__cgroup_is(dir, "populated");
}

/* Waits until the cgroup is, or is not, populated or frozen: cgroup.events becomes readable (POLLPRI) when it changes. */
static int ocirt__cgroup_await(int dir, const char *key, bool want, int64_t limit_ms) {
    int64_t end = ocirt__sys_now_ms() + limit_ms;
    int     file = ocirt__path_exact(dir, "cgroup.events", O_RDONLY), r = 0;
    struct pollfd wait = {.fd = file, .events = POLLPRI};
    if (file < 0) return file;
    while (r == 0 && ocirt__cgroup_is(dir, key) != want) {
        int64_t left = end - ocirt__sys_now_ms();
        char    text[256];
        if (left <= 0) { r = -ETIMEDOUT; break; }
        (void)OCIRT__SYS3(SYS_lseek, file, 0, SEEK_SET);
        r = (int)ocirt__sys_read(file, text, sizeof text);
        if (r < 0) break; /* ENODEV: it is gone */
        r = ocirt__cgroup_is(dir, key) != want && ocirt__sys_poll(&wait, 1, left < 50 ? left : 50) < 0 ? -EIO : 0;
    }
    ocirt__sys_close(&file);
    return r;
}

static int ocirt__cgroup_empty_wait(int dir, int64_t limit_ms) {
    int r = ocirt__cgroup_await(dir, "populated", false, limit_ms);
    return r == -ENOENT || r == -ENODEV ? 0 : r;
}

static int ocirt__cgroup_frozen_one(int dir, int parent, const char *name, void *user) {
    int r = ocirt__cgroup_await(dir, "frozen", true, *(const int64_t *)user - ocirt__sys_now_ms());
    (void)parent, (void)name;
    return r == -ENOENT || r == -ENODEV ? 0 : r; /* removed meanwhile */
}

/* A process in uninterruptible sleep may take its time; what is half frozen is thawed again, and what could not be
   seen to go on is frozen again: after a failure all is as before. The kernel calls a cgroup frozen once its own processes are, so those below are asked one by one. */
static int ocirt__cgroup_freeze(int dir, bool on, int64_t limit_ms) {
    int64_t end = ocirt__sys_now_ms() + limit_ms;
    int     r = ocirt__path_write(dir, "cgroup.freeze", on ? "1" : "0", 1);
    if (r == 0) r = on ? ocirt__cgroup_walk(dir, ocirt__cgroup_frozen_one, &end) : ocirt__cgroup_await(dir, "frozen", false, limit_ms);
    if (r < 0) (void)ocirt__path_write(dir, "cgroup.freeze", on ? "0" : "1", 1);
    return r;
}

static bool ocirt__cgroup_is_paused(int dir) {
    char text[4];
    return dir >= 0 && ocirt__path_read(dir, "cgroup.freeze", text, sizeof text) > 0 && text[0] == '1';
}

/* Kills all, also those that fork meanwhile. A frozen process dies of SIGKILL too. */
static int ocirt__cgroup_kill(int dir) {
    int64_t end = ocirt__sys_now_ms() + 10000;
    int     r = ocirt__path_write(dir, "cgroup.kill", "1", 1);
    if (r == 0) return ocirt__cgroup_empty_wait(dir, 10000);
    if (r == -ENODEV) return 0; /* removed meanwhile */
    while (ocirt__cgroup_populated(dir)) {
        if (ocirt__sys_now_ms() > end) return -ETIMEDOUT;
        (void)ocirt__path_write(dir, "cgroup.freeze", "1", 1);
        (void)ocirt__cgroup_signal_all(dir, SIGKILL);
        (void)ocirt__path_write(dir, "cgroup.freeze", "0", 1);
        (void)ocirt__cgroup_empty_wait(dir, 20);
    }
    return 0;
}

static int ocirt__cgroup_remove_one(int dir, int parent, const char *name, void *user) {
    int r = parent < 0 ? 0 : ocirt__sys_unlinkat(parent, name, AT_REMOVEDIR);
    (void)dir, (void)user;
    return r == -ENOENT || r == -EBUSY ? 0 : r; /* what is busy shows when its parent is removed */
}

/* The container's cgroup with all below it, then the levels above that the runtime made. Just after
   the last process has died the kernel may still say EBUSY. */
static int ocirt__cgroup_remove(int root, const char *path, unsigned levels, int64_t limit_ms) {
    int64_t end = ocirt__sys_now_ms() + limit_ms, pause = 1;
    int     r;
    if (levels == 0) levels = 1; /* it was there before but empty: it is ours since, as with peers */
    for (;;) {
        r = ocirt__cgroup_remove_levels(root, path, levels);
        if (r != -EBUSY && r != -ENOTEMPTY) return r;
        int dir = ocirt__path_exact(root, path + strspn(path, "/"), O_RDONLY | O_DIRECTORY);
        if (dir >= 0) (void)ocirt__cgroup_walk(dir, ocirt__cgroup_remove_one, NULL);
        if (dir >= 0) ocirt__sys_close(&dir);
        r = ocirt__cgroup_remove_levels(root, path, levels);
        if ((r != -EBUSY && r != -ENOTEMPTY) || ocirt__sys_now_ms() >= end) return r;
        ocirt__sys_poll_once(NULL, 0, pause);
        if (pause < 64) pause *= 2;
    }
}

/* ----- limits ----- */

/* What one limit is written as. */
struct ocirt__limit {
    const char *file, *value;
    const char *other, *other_value; /* instead of them, where the kernel has no such file */
    uint32_t    token;
    bool        optional; /* nothing is lost where the kernel has no such file */
};
typedef void (*ocirt__cgroup_emit)(void *user, const struct ocirt__limit *limit);

struct ocirt__limits {
    const ocirt_json  *doc;
    ocirt__cgroup_emit emit;
    void              *user;
};

static uint32_t ocirt__limits_token(const struct ocirt__limits *l, uint32_t object, const char *name) {
    return l->doc && object ? ocirt__json_member(l->doc, object, name) : 0;
}

static void ocirt__limits_text(struct ocirt__limits *l, const char *file, const char *value, uint32_t token) {
    struct ocirt__limit limit = {.file = file, .value = value, .token = token};
    l->emit(l->user, &limit);
}

static void ocirt__limits_unsigned(struct ocirt__limits *l, const char *file, uint64_t value, uint32_t token) {
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    ocirt__limits_text(l, file, text, token);
}

static void ocirt__limits_number(struct ocirt__limits *l, const char *file, int64_t value, uint32_t token) {
    if (value < 0) ocirt__limits_text(l, file, "max", token);
    else ocirt__limits_unsigned(l, file, (uint64_t)value, token);
}

/* a * b >> shift with 128 bits between, for 64-bit results. */
static uint64_t ocirt__limits_scale(uint64_t a, uint64_t b, unsigned shift) {
    uint64_t low = (a & 0xffffffffu) * (b & 0xffffffffu), cross = (a >> 32) * (b & 0xffffffffu), other = (a & 0xffffffffu) * (b >> 32);
    uint64_t middle = (low >> 32) + (cross & 0xffffffffu) + (other & 0xffffffffu);
    uint64_t high = (a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32) + (middle >> 32);
    return high << (64 - shift) | (middle << 32 | (low & 0xffffffffu)) >> shift;
}

/* log2 in fixed point with 40 bits behind the point. */
static uint64_t ocirt__limits_log2(uint64_t x) {
    uint64_t whole = 0, result, value;
    while (x >> (whole + 1)) whole++;
    result = whole << 40;
    value  = x << (62 - whole); /* 1.0 to 2.0 with 62 bits */
    for (int bit = 39; bit >= 0; bit--) {
        value = ocirt__limits_scale(value, value, 62);
        if (value >> 63) result |= 1ull << bit, value >>= 1;
    }
    return result;
}

/* cpu.weight = ceil(10^((l^2 + 125 l) / 612 - 7/34)), l = log2(shares), as crun and runc have it now:
   2 is 1, 1024 is 100, 262144 is 10000. Found by bisection over the weights, in integers. */
static uint64_t ocirt__limits_weight(uint64_t shares) {
    uint64_t low = 1, high = 10000, l, wanted;
    if (shares <= 2) return 1;
    if (shares >= 262144) return 10000;
    l      = ocirt__limits_log2(shares);
    wanted = ocirt__limits_scale(l, l, 40) + 125 * l; /* 612 * (log10(weight) + 7/34) */
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        uint64_t reach  = ocirt__limits_scale(ocirt__limits_log2(middle), 330985980541u, 40); /* log10(2) * 2^40 */
        if (612 * (reach + 16) + (126ull << 40) >= wanted) high = middle; /* 16: what the shifts cut off */
        else low = middle + 1;
    }
    return low;
}

/* v1's swap counts memory too; memory.swap.max does not. -1 for memory alone opens swap as well. Where swap is
   not accounted for (swapaccount=0), only a limit of it is lost. */
static void ocirt__limits_swap(struct ocirt__limits *l, int64_t limit, int64_t swap, uint32_t token) {
    char text[32];
    struct ocirt__limit out = {.file = "memory.swap.max", .value = text, .token = token};
    int64_t alone = swap < 0 || limit <= 0 ? swap : swap - limit;
    if (alone < 0) snprintf(text, sizeof text, "max");
    else snprintf(text, sizeof text, "%lld", (long long)alone);
    out.optional = alone <= 0;
    l->emit(l->user, &out);
}

static void ocirt__limits_memory(struct ocirt__limits *l, const ocirt_memory *m) {
    int64_t  limit = m->limit.set ? m->limit.value : 0, swap = m->swap.set ? m->swap.value : 0;
    uint32_t token = ocirt__limits_token(l, m->token, "limit"), swap_token = ocirt__limits_token(l, m->token, "swap");
    if (limit == -1 && swap == 0) swap = -1;
    if (swap != 0) ocirt__limits_swap(l, limit, swap, swap_token ? swap_token : token);
    if (limit != 0) ocirt__limits_number(l, "memory.max", limit, token);
    if (m->reservation.set && m->reservation.value != 0) ocirt__limits_number(l, "memory.low", m->reservation.value, ocirt__limits_token(l, m->token, "reservation"));
}

static void ocirt__limits_cpu(struct ocirt__limits *l, const ocirt_cpu *c) {
    char text[64];
    bool quota = c->quota.set && c->quota.value > 0;
    /* idle first: with it set, the kernel refuses a weight. */
    if (c->idle.set) ocirt__limits_number(l, "cpu.idle", c->idle.value, ocirt__limits_token(l, c->token, "idle"));
    if (c->shares.set && c->shares.value && !(c->idle.set && c->idle.value == 1))
        ocirt__limits_unsigned(l, "cpu.weight", ocirt__limits_weight(c->shares.value), ocirt__limits_token(l, c->token, "shares"));
    if ((c->quota.set && c->quota.value != 0) || (c->period.set && c->period.value)) {
        uint64_t period = c->period.set && c->period.value ? c->period.value : 100000;
        if (quota) snprintf(text, sizeof text, "%lld %llu", (long long)c->quota.value, (unsigned long long)period);
        else snprintf(text, sizeof text, "max %llu", (unsigned long long)period);
        uint32_t token = ocirt__limits_token(l, c->token, "quota");
        ocirt__limits_text(l, "cpu.max", text, token ? token : ocirt__limits_token(l, c->token, "period"));
    }
    if (c->burst.set) ocirt__limits_unsigned(l, "cpu.max.burst", c->burst.value, ocirt__limits_token(l, c->token, "burst"));
    if (c->cpus && c->cpus[0]) ocirt__limits_text(l, "cpuset.cpus", c->cpus, ocirt__limits_token(l, c->token, "cpus"));
    if (c->mems && c->mems[0]) ocirt__limits_text(l, "cpuset.mems", c->mems, ocirt__limits_token(l, c->token, "mems"));
}

/* bfq takes the weight as it is, the cost model from 1 to 10000. device "": of all devices. */
static void ocirt__limits_io_weight(struct ocirt__limits *l, const char *device, uint64_t weight, uint32_t token) {
    char value[64], other[64];
    struct ocirt__limit limit = {.file = "io.bfq.weight", .value = value, .other = "io.weight", .other_value = other, .token = token};
    if (weight == 0) return;
    snprintf(value, sizeof value, "%s%llu", device, (unsigned long long)weight);
    snprintf(other, sizeof other, "%s%llu", device, 1 + (unsigned long long)(weight - 10) * 9999 / 990);
    l->emit(l->user, &limit);
}

/* 0 was v1's word for no limit; io.max refuses it. */
static void ocirt__limits_throttle(struct ocirt__limits *l, const char *key, const ocirt_throttle_device *devices, size_t count) {
    char text[96], rate[24];
    for (size_t i = 0; i < count; i++) {
        const ocirt_throttle_device *d = &devices[i];
        snprintf(rate, sizeof rate, d->rate ? "%llu" : "max", (unsigned long long)d->rate);
        snprintf(text, sizeof text, "%lld:%lld %s=%s", (long long)d->major, (long long)d->minor, key, rate);
        ocirt__limits_text(l, "io.max", text, d->token);
    }
}

static void ocirt__limits_io(struct ocirt__limits *l, const ocirt_block_io *b) {
    char device[48];
    ocirt__limits_io_weight(l, "", b->weight.value, ocirt__limits_token(l, b->token, "weight"));
    for (size_t i = 0; i < b->weight_device_count; i++) {
        const ocirt_weight_device *d = &b->weight_device[i];
        snprintf(device, sizeof device, "%lld:%lld ", (long long)d->major, (long long)d->minor);
        ocirt__limits_io_weight(l, device, d->weight.value, d->token);
    }
    ocirt__limits_throttle(l, "rbps", b->throttle_read_bps, b->throttle_read_bps_count);
    ocirt__limits_throttle(l, "wbps", b->throttle_write_bps, b->throttle_write_bps_count);
    ocirt__limits_throttle(l, "riops", b->throttle_read_iops, b->throttle_read_iops_count);
    ocirt__limits_throttle(l, "wiops", b->throttle_write_iops, b->throttle_write_iops_count);
}

/* By reservation, which never ends a process with SIGBUS, and by use, as runc. */
static void ocirt__limits_hugepages(struct ocirt__limits *l, const ocirt_hugepage_limit *h) {
    char file[80], value[24];
    struct ocirt__limit limit = {.file = file, .value = value, .token = h->token};
    snprintf(value, sizeof value, "%llu", (unsigned long long)h->limit);
    snprintf(file, sizeof file, "hugetlb.%.40s.rsvd.max", h->page_size);
    l->emit(l->user, &limit);
    snprintf(file, sizeof file, "hugetlb.%.40s.max", h->page_size);
    l->emit(l->user, &limit);
}

static void ocirt__limits_rdma(struct ocirt__limits *l, const ocirt_rdma *r) {
    char text[160];
    int  n = snprintf(text, sizeof text, "%.80s", r->key);
    if (r->hca_handles.set) n += snprintf(text + n, sizeof text - (size_t)n, " hca_handle=%llu", (unsigned long long)r->hca_handles.value);
    if (r->hca_objects.set) snprintf(text + n, sizeof text - (size_t)n, " hca_object=%llu", (unsigned long long)r->hca_objects.value);
    ocirt__limits_text(l, "rdma.max", text, r->token);
}

/* Files keyed by device take one line in one write. */
static void ocirt__limits_unified(struct ocirt__limits *l, const ocirt_pair *pair, uint32_t token) {
    char line[1024];
    for (const char *at = pair->value; *at; at += strspn(at, "\n")) {
        size_t n = strcspn(at, "\n");
        if (!at[n] || n >= sizeof line) {
            ocirt__limits_text(l, pair->key, at, token);
            return;
        }
        memcpy(line, at, n);
        line[n] = 0;
        if (n) ocirt__limits_text(l, pair->key, line, token);
        at += n;
    }
}

/* What v2 has no file for is an error when it asks for something (config-linux.md, resources). */
static int ocirt__limits_v1_only(const struct ocirt__limits *l, const ocirt_resources *r, ocirt_error *e) {
    uint32_t object;
    const char *name = ocirt__spec_v1_only(r, &object);
    if (!name) return 0;
    ocirt__error_set(e, OCIRT_E_UNSUPPORTED, 0, name, OCIRT__V1_ONLY, name);
    ocirt__error_hint(e, "remove it: v2 has no such control");
    if (l->doc && object) ocirt__error_place(e, l->doc, ocirt__limits_token(l, object, name));
    return -OCIRT_E_UNSUPPORTED;
}

/* In an order that the kernel takes; `unified` last, since it may set what others have set. */
static int ocirt__cgroup_limits(const ocirt_resources *r, const ocirt_json *doc, ocirt__cgroup_emit emit, void *user, ocirt_error *e) {
    struct ocirt__limits l = {.doc = doc, .emit = emit, .user = user};
    uint32_t unified = ocirt__limits_token(&l, r->token, "unified");
    int      result = ocirt__limits_v1_only(&l, r, e);
    if (result < 0) return result;
    if (r->pids && r->pids->limit.set) ocirt__limits_number(&l, "pids.max", r->pids->limit.value, ocirt__limits_token(&l, r->pids->token, "limit"));
    if (r->memory) ocirt__limits_memory(&l, r->memory);
    if (r->cpu) ocirt__limits_cpu(&l, r->cpu);
    if (r->block_io) ocirt__limits_io(&l, r->block_io);
    for (size_t i = 0; i < r->hugepage_limits_count; i++) ocirt__limits_hugepages(&l, &r->hugepage_limits[i]);
    for (size_t i = 0; i < r->rdma_count; i++) ocirt__limits_rdma(&l, &r->rdma[i]);
    for (size_t i = 0; i < r->unified_count; i++) ocirt__limits_unified(&l, &r->unified[i], ocirt__limits_token(&l, unified, r->unified[i].key));
    return 0;
}

/* Controllers are the first parts of the files that would be written; what begins with "cgroup." has none. */
static size_t ocirt__cgroup_controller(const char *file) {
    size_t n = strcspn(file, ".");
    return n == 6 && memcmp(file, "cgroup", 6) == 0 ? 0 : n;
}

/* The systemd driver's container lies in a cgroup below its scope (descriptors; scope -1: with another driver). A limit
   is written to both: only the scope has siblings, and is charged with what came before; a program finds it in its own.
   "cgroup." is about what the container makes, which is not of the scope; memory.reclaim is an order, given once. */
static bool ocirt__cgroup_limits_scope(int scope, const char *file) {
    return scope >= 0 && ocirt__cgroup_controller(file) != 0 && strcmp(file, "memory.reclaim") != 0;
}

/* Where all of the container is counted and frozen. */
static int ocirt__cgroup_outer(int scope, int dir) {
    return scope >= 0 ? scope : dir;
}

static void ocirt__cgroup_note(void *user, const struct ocirt__limit *limit) {
    ocirt__buffer *out = user;
    size_t n = ocirt__cgroup_controller(limit->file);
    if (n == 0 || (out->size && ocirt__cgroup_word(out->data, limit->file, n))) return;
    if (out->size) ocirt__buffer_text(out, " ");
    ocirt__buffer_put(out, limit->file, n);
}

static void ocirt__cgroup_controllers(const ocirt_resources *r, ocirt__buffer *out) {
    (void)ocirt__cgroup_limits(r, NULL, ocirt__cgroup_note, out, NULL);
}

struct ocirt__cgroup_lack {
    const ocirt_probe *probe;
    char     controller[32];
    uint32_t token;
};
static void ocirt__cgroup_find_lack(void *user, const struct ocirt__limit *limit) {
    struct ocirt__cgroup_lack *l = user;
    size_t n = ocirt__cgroup_controller(limit->file);
    if (n == 0 || l->controller[0] || ocirt__cgroup_word(l->probe->cgroup_controllers, limit->file, n)) return;
    snprintf(l->controller, sizeof l->controller, "%.*s", (int)n, limit->file);
    l->token = limit->token;
}

/* A controller that is asked for and not there: refused early, with the likely reason. */
static int ocirt__cgroup_check(const ocirt_probe *p, const ocirt_resources *r, const ocirt_json *doc, ocirt_error *e) {
    struct ocirt__cgroup_lack l = {.probe = p};
    int result = ocirt__cgroup_limits(r, doc, ocirt__cgroup_find_lack, &l, e);
    if (result < 0 || !l.controller[0]) return result;
    ocirt__error_set(e, OCIRT_E_CGROUP, 0, p->cgroup_mount, "the cgroup2 hierarchy on %s has no controller \"%s\"", p->cgroup_mount, l.controller);
    if (strcmp(p->cgroup_mount, "/sys/fs/cgroup") != 0)
        ocirt__error_hint(e, "this host is hybrid and cgroup v1 holds the controller: boot with systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=all");
    else if (strcmp(l.controller, "memory") == 0)
        ocirt__error_hint(e, "the kernel may have it switched off: add cgroup_enable=memory to its command line, or remove the limit");
    else
        ocirt__error_hint(e, "the kernel lacks it, or it was not delegated (see %s/cgroup.controllers); or remove the limit", p->cgroup_mount);
    if (doc && l.token) ocirt__error_place(e, doc, l.token);
    return -OCIRT_E_CGROUP;
}

/* ----- changing the limits of what runs ----- */

struct ocirt__change {
    int                 dir;
    struct ocirt__limit to;
    const char *before; /* NULL: the file cannot be read */
    const char *effect; /* of an empty cpuset: what it comes to */
    bool        done;
};

struct ocirt__changes {
    ocirt_arena          *arena;
    int                   scope, dir; /* see ocirt__cgroup_limits_scope; the container's */
    struct ocirt__change *items;
    size_t                count, room;
    bool                  failed; /* no memory */
};

/* What the file says now, in the form in which it is written: the first line, or that of the device. */
static char *ocirt__changes_before(struct ocirt__changes *c, const char *file, const char *value, const char *text) {
    static const struct {
        const char *file, *none;
    } keyed[] = {{"io.max", "rbps=max wbps=max riops=max wiops=max"}, {"io.weight", "default"}, {"io.bfq.weight", "default"}, {"io.latency", "target=0"}, {"misc.max", "max"}, {"dmem.max", "max"}, {"dmem.min", "0"}, {"dmem.low", "0"}, {"rdma.max", "hca_handle=max hca_object=max"}};
    size_t n = strcspn(value, " ");
    for (size_t i = 0; value[n] && i < sizeof keyed / sizeof keyed[0]; i++) {
        if (strcmp(file, keyed[i].file) != 0) continue;
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
            if (strncmp(line, value, n + 1) == 0) return ocirt__mem_text(c->arena, line, strcspn(line, "\n"));
        return ocirt__mem_format(c->arena, "%.*s %s", (int)n, value, keyed[i].none);
    }
    n = strcspn(text, "\n");
    return n ? ocirt__mem_text(c->arena, text, n) : ocirt__mem_text(c->arena, "\n", 1); /* an empty cpuset */
}

static struct ocirt__change *ocirt__changes_more(struct ocirt__changes *c) {
    if (c->count == c->room) {
        size_t room = c->room ? c->room * 2 : 32;
        struct ocirt__change *more = ocirt__mem_array(c->arena, room, sizeof *more);
        if (!more) return NULL;
        if (c->count) memcpy(more, c->items, c->count * sizeof *more);
        c->items = more, c->room = room;
    }
    return &c->items[c->count++];
}

/* One that becomes idle forgets its weight, one that is idle has none, and cpu.weight.nice tells it roughly: what the
   other file says is put back, and last, since undoing goes backwards. */
static void ocirt__changes_keep_weight(struct ocirt__changes *c, int dir) {
    char text[32];
    long n = ocirt__path_read(dir, "cpu.weight", text, sizeof text);
    bool idle = n > 0 && text[0] == '0';
    struct ocirt__change *change = ocirt__changes_more(c);
    if (!change) { c->failed = true; return; }
    *change = (struct ocirt__change){.dir = dir, .to = {.file = idle ? "cpu.idle" : "cpu.weight"}, .done = true,
                                     .before = n <= 0 ? NULL : idle ? "1" : ocirt__mem_text(c->arena, text, strcspn(text, "\n"))};
}

static void ocirt__changes_add_in(struct ocirt__changes *c, int dir, const struct ocirt__limit *limit) {
    const char *file = limit->file, *value = limit->value;
    char  text[4096], name[64];
    long  n = ocirt__path_read(dir, file, text, sizeof text);
    struct ocirt__change *change;
    if (n == -ENOENT && limit->other) file = limit->other, value = limit->other_value, n = ocirt__path_read(dir, file, text, sizeof text);
    if (n == -ENOENT && limit->optional) return;
    if (n > 0 && strcmp(file, "cpu.idle") == 0 && text[0] == '0') ocirt__changes_keep_weight(c, dir);
    if (n > 0 && (strcmp(file, "cpu.weight.nice") == 0 || (strcmp(file, "cpu.weight") == 0 && text[0] == '0'))) ocirt__changes_keep_weight(c, dir), n = -ENODATA;
    change = ocirt__changes_more(c);
    if (!change) { c->failed = true; return; }
    *change = (struct ocirt__change){.dir = dir, .to = *limit, .before = n < 0 ? NULL : ocirt__changes_before(c, file, value, text)};
    change->to.file = ocirt__mem_text(c->arena, file, strlen(file)), change->to.value = ocirt__mem_text(c->arena, value, strlen(value));
    if (!change->to.file || !change->to.value || (n >= 0 && !change->before)) c->failed = true;
    if (!change->before || change->before[0] != '\n' || strncmp(file, "cpuset.", 7) != 0) return;
    snprintf(name, sizeof name, "%.40s.effective", file);
    n = ocirt__path_read(dir, name, text, sizeof text);
    if (n > 0) change->effect = ocirt__mem_text(c->arena, text, strcspn(text, "\n"));
}

static void ocirt__changes_add(void *user, const struct ocirt__limit *limit) {
    struct ocirt__changes *c = user;
    if (ocirt__cgroup_limits_scope(c->scope, limit->file)) ocirt__changes_add_in(c, c->scope, limit);
    ocirt__changes_add_in(c, c->dir, limit);
}

/* Older kernels (6.1 is one) let no cpuset with processes in it be emptied again. */
static int ocirt__changes_back(const struct ocirt__change *change) {
    int r = ocirt__path_write(change->dir, change->to.file, change->before, strlen(change->before));
    return r < 0 && change->effect ? ocirt__path_write(change->dir, change->to.file, change->effect, strlen(change->effect)) : r;
}

/* Back to what was, the last first. What the kernel refuses at first it may take when others are back. */
static void ocirt__changes_undo(struct ocirt__changes *c) {
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = c->count; i-- > 0;)
            if (c->items[i].done && c->items[i].before && ocirt__changes_back(&c->items[i]) == 0) c->items[i].done = false;
}

/* All or nothing. A burst and its quota, say, are taken in one order when they grow and in the other when they
   shrink: what was refused is tried again after the rest. refused: the first that never was taken. */
static int ocirt__changes_apply(struct ocirt__changes *c, const struct ocirt__change **refused) {
    int r = 0;
    for (int pass = 0; pass < 2 && (pass == 0 || r < 0); pass++) {
        r = 0;
        for (size_t i = 0; i < c->count; i++) {
            struct ocirt__change *change = &c->items[i];
            int one = change->done ? 0 : ocirt__path_write(change->dir, change->to.file, change->to.value, strlen(change->to.value));
            if (one == 0) change->done = true;
            else if (r == 0) r = one, *refused = change;
        }
    }
    if (r < 0) ocirt__changes_undo(c);
    return r;
}

/* ===========================================================================================
   >>systemd   the systemd driver: a scope for the container, asked for on D-Bus without a library.
   First half, pure: names of slice and scope, and a scope's properties as the bytes of an a(sv), made from the same
   list of files and values that is written to the cgroups, so that systemd, which writes its own idea of the limits
   again at a daemon-reload, has the right one. It knows nothing of a device line (io.max) or a file that has no
   property; these are written by us alone. DevicePolicy and DeviceAllow are not told: without them systemd attaches no
   device program (peers' is gone for a moment at each reload, systemd#17489), and removes none but its own.
   Second half: the bus. Nothing that arrives is trusted to be well formed, every wait ends at a deadline, and the
   end of a job is believed only of who gave the job. Negative errno, and a text in bus.detail.
   Properties need systemd 244; those of 252 and 253 are the last ones, and left out when refused.
   The container lies in a cgroup below the scope, as with crun; limits are written to both. An oom kill is seen that
   way: what was charged before that cgroup was there stays with the scope, so that the limit is met in the
   scope, and without a memory.high the first change of memory.events below it is the kill. The kernel tells of a change at once if the last
   one was over 10 ms ago; of one that comes right behind others it would tell when systemd has removed the cgroup, and
   an engine that watches the file would never know (runc#5071).
   =========================================================================================== */

/* ----- names (systemd.unit(5), systemd.slice(5)) ----- */

#define OCIRT__SYSTEMD_BELOW "run.oci.systemd.subgroup"

struct ocirt__systemd_unit {
    const char *slice, *unit;
};

/* Characters of unit names; those of a container's id that are not are escaped, as systemd-escape does. */
static bool ocirt__systemd_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr(":-_.\\@", c));
}

static bool ocirt__systemd_is_name(const char *name, const char *suffix) {
    size_t n = strlen(name), end = strlen(suffix), i = 0;
    while (ocirt__systemd_plain(name[i])) i++;
    return i == n && n > end && n < 256 && strcmp(name + n - end, suffix) == 0;
}

/* "a-b.slice" lies in "a.slice"; "-.slice" is the root of them, and no other part may be empty. */
static bool ocirt__systemd_is_slice(const char *name) {
    return strcmp(name, "-.slice") == 0 || (ocirt__systemd_is_name(name, ".slice") && name[0] != '-' && !strstr(name, "--") && !strstr(name, "-."));
}

static const char *ocirt__systemd_default_unit(ocirt_arena *arena, const char *id) {
    ocirt__buffer name = {.arena = arena};
    ocirt__buffer_text(&name, "ocirt-");
    for (; *id; id++) ocirt__buffer_format(&name, ocirt__systemd_plain(*id) ? "%c" : "\\x%02x", (unsigned char)*id);
    ocirt__buffer_text(&name, ".scope");
    return name.failed ? NULL : name.data;
}

/* Empty, "slice" (buildah --cgroup-parent), "slice:name" or "slice:prefix:name". */
static int ocirt__systemd_name(ocirt_arena *arena, const char *path, const char *id, bool rootless, struct ocirt__systemd_unit *out, ocirt_error *e) {
    const char *given = path ? path : "", *name = strchr(given, ':');
    size_t      n = name ? (size_t)(name - given) : strlen(given), all = strlen(given);
    const char *colon = name ? strchr(name + 1, ':') : NULL, *wrong = NULL;
    out->slice = n ? ocirt__mem_text(arena, given, n) : rootless ? "user.slice" : "system.slice";
    if (!name) out->unit = ocirt__systemd_default_unit(arena, id);
    else if (!colon) out->unit = ocirt__mem_format(arena, "%s.scope", name + 1);
    else out->unit = ocirt__mem_format(arena, "%.*s-%s.scope", (int)(colon - name - 1), name + 1, colon + 1);
    if (!out->slice || !out->unit) return ocirt__error_set(e, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (!ocirt__systemd_is_slice(out->slice)) wrong = "does not begin with the name of a slice";
    else if (name && all > 6 && strcmp(given + all - 6, ".slice") == 0) wrong = "names a slice, which can hold no process of its own";
    else if (name && (!name[1] || (colon && (!colon[1] || strchr(colon + 1, ':'))))) wrong = "is not slice:prefix:name";
    else if (!ocirt__systemd_is_name(out->unit, ".scope")) wrong = "makes no name of a unit";
    if (!wrong) return 0;
    ocirt__error_set(e, OCIRT_E_SPEC, 0, given, "cgroupsPath %s %s", given, wrong);
    ocirt__error_hint(e, "with the systemd driver cgroupsPath is like machine.slice:prefix:name; a path needs the cgroupfs driver");
    return -OCIRT_E_SPEC;
}

/* Where a slice is below the manager's own cgroup: "a-b.slice" is "/a.slice/a-b.slice", "-.slice" is "". */
static const char *ocirt__systemd_expand(ocirt_arena *arena, const char *slice) {
    ocirt__buffer out = {.arena = arena};
    ocirt__buffer_text(&out, "");
    for (const char *end = slice; slice[0] != '-' && *end; end++)
        if (*end == '-' || strcmp(end, ".slice") == 0) ocirt__buffer_format(&out, "/%.*s.slice", (int)(end - slice), slice);
    return out.failed ? NULL : out.data;
}

/* ----- values as D-Bus lays them out (D-Bus specification, marshalling); always little-endian ----- */

struct ocirt__wire {
    ocirt__buffer out;
    size_t        start; /* of the message: alignment counts from here */
};

static void ocirt__wire_pad(struct ocirt__wire *w, size_t to) {
    ocirt__buffer_put(&w->out, "\0\0\0\0\0\0\0", (w->start - w->out.size) & (to - 1));
}

static void ocirt__wire_number(struct ocirt__wire *w, uint64_t value, unsigned size) {
    unsigned char bytes[8];
    for (unsigned i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> i * 8);
    ocirt__wire_pad(w, size);
    ocirt__buffer_put(&w->out, bytes, size);
}

static void ocirt__wire_patch(struct ocirt__wire *w, size_t at, size_t value) {
    for (unsigned i = 0; !w->out.failed && i < 4; i++) w->out.data[at + i] = (char)(value >> i * 8);
}

/* prefix: 4, or for signatures 1 */
static void ocirt__wire_text(struct ocirt__wire *w, const char *text, unsigned prefix) {
    size_t n = strlen(text);
    ocirt__wire_number(w, n, prefix);
    ocirt__buffer_put(&w->out, text, n + 1);
}

/* Returns the place of an array's length, which is known at its end. Padding before the first element would not count:
   those of structs that we write, fields of a header and IODeviceWeight, begin right behind it. */
static size_t ocirt__wire_open(struct ocirt__wire *w) {
    ocirt__wire_number(w, 0, 4);
    return w->out.size - 4;
}

static void ocirt__wire_close(struct ocirt__wire *w, size_t at) {
    ocirt__wire_patch(w, at, w->out.size - at - 4);
}

static void ocirt__wire_property(struct ocirt__wire *w, const char *name, const char *signature) {
    ocirt__wire_pad(w, 8);
    ocirt__wire_text(w, name, 4);
    ocirt__wire_text(w, signature, 1);
}

static void ocirt__wire_bool(struct ocirt__wire *w, const char *name, bool value) {
    ocirt__wire_property(w, name, "b");
    ocirt__wire_number(w, value, 4);
}

static void ocirt__wire_string(struct ocirt__wire *w, const char *name, const char *value) {
    ocirt__wire_property(w, name, "s");
    ocirt__wire_text(w, value, 4);
}

static void ocirt__wire_uint(struct ocirt__wire *w, const char *name, uint64_t value) {
    ocirt__wire_property(w, name, "t");
    ocirt__wire_number(w, value, 8);
}

/* ----- annotations org.systemd.property.NAME: a part of the text form of GVariant ----- */

struct ocirt__gvariant {
    const char         *at;
    struct ocirt__wire *out;
};

static bool ocirt__gvariant_word(struct ocirt__gvariant *v, const char *word) {
    size_t n = strlen(word);
    v->at += strspn(v->at, " ");
    if (strncmp(v->at, word, n) != 0 || ocirt__systemd_plain(v->at[n])) return false;
    return v->at += n, true;
}

static bool ocirt__gvariant_string(struct ocirt__gvariant *v) {
    static const char from[] = "ntrabfv\\'\"", to[] = "\n\t\r\a\b\f\v\\'\"";
    size_t at = ocirt__wire_open(v->out);
    char   quote = *v->at++;
    for (; *v->at && *v->at != quote; v->at++) {
        const char *escape = *v->at == '\\' ? v->at[1] ? strchr(from, v->at[1]) : NULL : v->at;
        if (!escape) return false;
        if (escape != v->at) v->at++, escape = to + (escape - from);
        ocirt__buffer_put(&v->out->out, escape, 1);
    }
    ocirt__wire_close(v->out, at);
    ocirt__buffer_put(&v->out->out, "", 1);
    return *v->at++ == quote;
}

static bool ocirt__gvariant_strings(struct ocirt__gvariant *v) {
    size_t at = ocirt__wire_open(v->out);
    v->at++;
    while (v->at += strspn(v->at, " "), *v->at != ']') {
        if ((*v->at != '\'' && *v->at != '"') || !ocirt__gvariant_string(v)) return false;
        v->at += strspn(v->at, " ");
        if (*v->at != ']' && *v->at++ != ',') return false;
    }
    v->at++;
    ocirt__wire_close(v->out, at);
    return true;
}

/* Digits as C has them, up to `most`, below zero down to -most - 1 where that is allowed. */
static bool ocirt__gvariant_number(struct ocirt__gvariant *v, bool sign, uint64_t most, uint64_t *out) {
    bool  minus;
    char *end;
    v->at += strspn(v->at, " ");
    minus = *v->at == '-';
    v->at += minus;
    if (*v->at < '0' || *v->at > '9' || (minus && !sign)) return false;
    errno = 0;
    *out = strtoull(v->at, &end, 0);
    v->at = end;
    if (errno || *out > most + minus) return false;
    if (minus) *out = 0 - *out;
    return true;
}

static const struct ocirt__gvariant_type {
    char word[8], name[4], signature[2];
    uint8_t  size;
    bool     sign;
    uint64_t most;
} ocirt__gvariant_types[] = {{"uint64", "@t", "t", 8, false, UINT64_MAX}, {"int64", "@x", "x", 8, true, INT64_MAX}, {"uint32", "@u", "u", 4, false, UINT32_MAX},
    {"int32", "@i", "i", 4, true, INT32_MAX}, {"uint16", "@q", "q", 2, false, UINT16_MAX}, {"byte", "@y", "y", 1, false, UINT8_MAX}, {"", "", "i", 4, true, INT32_MAX}};

/* A number, by the word before it; without one it is an int32. */
static const struct ocirt__gvariant_type *ocirt__gvariant_typed(struct ocirt__gvariant *v, uint64_t *out) {
    const struct ocirt__gvariant_type *t = ocirt__gvariant_types;
    while (t->word[0] && !ocirt__gvariant_word(v, t->word) && !ocirt__gvariant_word(v, t->name)) t++;
    return ocirt__gvariant_number(v, t->sign, t->most, out) ? t : NULL;
}

static bool ocirt__gvariant_value(struct ocirt__gvariant *v) {
    const struct ocirt__gvariant_type *type;
    uint64_t number;
    bool     is = ocirt__gvariant_word(v, "true");
    if (is || ocirt__gvariant_word(v, "false")) {
        ocirt__wire_text(v->out, "b", 1);
        return ocirt__wire_number(v->out, is, 4), true;
    }
    if (*v->at == '\'' || *v->at == '"') return ocirt__wire_text(v->out, "s", 1), ocirt__gvariant_string(v);
    if (ocirt__gvariant_word(v, "@as")) v->at += strspn(v->at, " ");
    if (*v->at == '[') return ocirt__wire_text(v->out, "as", 1), ocirt__gvariant_strings(v);
    type = ocirt__gvariant_typed(v, &number);
    if (!type) return false;
    ocirt__wire_text(v->out, type->signature, 1);
    return ocirt__wire_number(v->out, number, type->size), true;
}

/* Unit files say TimeoutStopSec=1.5, the bus TimeoutStopUSec and microseconds. */
static bool ocirt__gvariant_seconds(struct ocirt__gvariant *v) {
    uint64_t number, unit = 1000000;
    if (!ocirt__gvariant_typed(v, &number) || number > UINT64_MAX / 1000001) return false;
    number *= unit;
    if (*v->at == '.')
        for (v->at++; *v->at >= '0' && *v->at <= '9'; v->at++) number += (unit /= 10) * (uint64_t)(*v->at - '0');
    ocirt__wire_text(v->out, "t", 1);
    return ocirt__wire_number(v->out, number, 8), true;
}

static bool ocirt__systemd_annotation(struct ocirt__wire *w, const char *name, const char *text) {
    struct ocirt__gvariant v = {.at = text, .out = w};
    size_t n = strlen(name);
    bool   seconds = n > 3 && strcmp(name + n - 3, "Sec") == 0 && name[n - 4] >= 'a' && name[n - 4] <= 'z', good;
    size_t at;
    for (size_t i = 0; i < n; i++)
        if (!ocirt__systemd_plain(name[i]) || strchr(":-_.\\@", name[i])) return false;
    ocirt__wire_pad(w, 8);
    at = ocirt__wire_open(w);
    ocirt__buffer_put(&w->out, name, seconds ? n - 3 : n);
    if (seconds) ocirt__buffer_text(&w->out, "USec");
    ocirt__wire_close(w, at);
    ocirt__buffer_put(&w->out, "", 1);
    good = n > 0 && (seconds ? ocirt__gvariant_seconds(&v) : ocirt__gvariant_value(&v));
    return good && v.at[strspn(v.at, " ")] == 0;
}

static int ocirt__systemd_annotations(struct ocirt__wire *w, const ocirt_spec *s, ocirt_error *e) {
    static const char prefix[] = "org.systemd.property.";
    for (size_t i = 0; i < s->annotations_count; i++) {
        const ocirt_pair *p = &s->annotations[i];
        uint32_t all;
        if (strncmp(p->key, prefix, sizeof prefix - 1) != 0 || ocirt__systemd_annotation(w, p->key + sizeof prefix - 1, p->value)) continue;
        ocirt__error_set(e, OCIRT_E_SPEC, 0, p->key, "annotation %.80s: %.160s is not the value of a property of systemd", p->key, p->value);
        ocirt__error_hint(e, "true, 'text', ['a', 'b'], 7 (an int32), uint64 7 and the like; seconds for a name that ends in Sec");
        all = s->document && s->token ? ocirt__json_member(s->document, s->token, "annotations") : 0;
        if (all && (all = ocirt__json_member(s->document, all, p->key))) ocirt__error_place(e, s->document, all);
        return -OCIRT_E_SPEC;
    }
    return 0;
}

/* ----- limits: files of the cgroup and the properties that stand for them (systemd.resource-control(5)) ----- */

enum {
    OCIRT__PROPERTY_NUMBER, /* bytes or a weight, "max" */
    OCIRT__PROPERTY_SOME,   /* the same, but systemd refuses 0 */
    OCIRT__PROPERTY_CPU, OCIRT__PROPERTY_NICE, OCIRT__PROPERTY_IDLE, OCIRT__PROPERTY_MASK, OCIRT__PROPERTY_WEIGHT, OCIRT__PROPERTY_OOM,
    OCIRT__PROPERTY_CPUS = 65536 /* bits of a mask */
};

static const struct ocirt__property {
    char    file[17], name[19];
    uint8_t kind;
    bool    late; /* of systemd 252 or 253 */
} ocirt__properties[] = {{"memory.max", "MemoryMax", OCIRT__PROPERTY_SOME, false}, {"memory.high", "MemoryHigh", OCIRT__PROPERTY_SOME, false},
    {"memory.low", "MemoryLow", OCIRT__PROPERTY_NUMBER, false}, {"memory.min", "MemoryMin", OCIRT__PROPERTY_NUMBER, false},
    {"memory.swap.max", "MemorySwapMax", OCIRT__PROPERTY_NUMBER, false}, {"memory.zswap.max", "MemoryZSwapMax", OCIRT__PROPERTY_NUMBER, true},
    {"memory.oom.group", "OOMPolicy", OCIRT__PROPERTY_OOM, true}, {"pids.max", "TasksMax", OCIRT__PROPERTY_SOME, false},
    {"cpu.weight", "CPUWeight", OCIRT__PROPERTY_NUMBER, false}, {"cpu.weight.nice", "CPUWeight", OCIRT__PROPERTY_NICE, false}, {"cpu.idle", "CPUWeight", OCIRT__PROPERTY_IDLE, true}, {"cpu.max", "CPUQuotaPerSecUSec", OCIRT__PROPERTY_CPU, false},
    {"cpuset.cpus", "AllowedCPUs", OCIRT__PROPERTY_MASK, false}, {"cpuset.mems", "AllowedMemoryNodes", OCIRT__PROPERTY_MASK, false},
    {"io.weight", "IOWeight", OCIRT__PROPERTY_WEIGHT, false}};

struct ocirt__properties_writer {
    struct ocirt__wire wire, late;
    bool     update;
    char     refused[96]; /* a value that cannot be told */
    uint32_t token;
};

/* What the kernel takes: memory in K, M, G and so on too. */
static bool ocirt__systemd_amount(const char **text, uint64_t *out) {
    static const char units[] = "kmgtpe";
    const char *at = *text, *unit;
    char *end;
    if (strncmp(at, "max", 3) == 0) return *out = UINT64_MAX, *text = at + 3, true;
    if (*at < '0' || *at > '9') return false;
    errno = 0;
    *out = strtoull(at, &end, 10);
    if (errno) return false;
    unit = *end ? strchr(units, *end | 0x20) : NULL;
    if (unit && *out > UINT64_MAX >> 10 * (unit - units + 1)) return false;
    if (unit) *out <<= 10 * (unit - units + 1), end++;
    return *text = end, true;
}

/* systemd keeps whole percents; runc and kubelet round up as well. */
static bool ocirt__systemd_cpu(struct ocirt__wire *w, const char *value) {
    uint64_t quota, period = 0;
    if (!ocirt__systemd_amount(&value, &quota)) return false;
    value += strspn(value, " ");
    if (*value && (!ocirt__systemd_amount(&value, &period) || period == 0 || period > 1000000000)) return false;
    if (quota != UINT64_MAX) {
        uint64_t per = period ? period : 100000;
        if (quota == 0 || quota > UINT64_MAX / 2000000) return false;
        quota = ((quota * 1000000 + per - 1) / per + 9999) / 10000 * 10000;
    }
    ocirt__wire_uint(w, "CPUQuotaPerSecUSec", quota);
    if (period) ocirt__wire_uint(w, "CPUQuotaPeriodUSec", period);
    return *value == 0;
}

/* The other name of a weight: a step is a factor of 1.25 (sched(7)), and none is 100. systemd keeps whole weights, so
   that at a reload 15 becomes 14, and 17 becomes 18. */
static bool ocirt__systemd_nice(struct ocirt__wire *w, const char *name, const char *value) {
    char *end;
    long  nice = strtol(value, &end, 10);
    uint64_t weight = 100 << 16;
    if (end == value || *end || nice < -20 || nice > 19) return false;
    for (; nice < 0; nice++) weight = weight * 5 / 4;
    for (; nice > 0; nice--) weight = weight * 4 / 5;
    return ocirt__wire_uint(w, name, (weight + (1 << 15)) >> 16), true;
}

/* "0-3,5" as bits, the first in the lowest bit of the first byte; none takes the limit away. */
static bool ocirt__systemd_mask(struct ocirt__wire *w, const char *name, const char *value) {
    size_t at, first;
    ocirt__wire_property(w, name, "ay");
    at = ocirt__wire_open(w), first = w->out.size;
    while (*value) {
        uint64_t low, high;
        if (*value < '0' || *value > '9' || !ocirt__systemd_amount(&value, &low)) return false;
        high = low;
        if (*value == '-' && (*++value < '0' || *value > '9' || !ocirt__systemd_amount(&value, &high))) return false;
        if (low > high || high >= OCIRT__PROPERTY_CPUS || (*value && *value != ',')) return false;
        while (!w->out.failed && w->out.size <= first + high / 8) ocirt__buffer_put(&w->out, "", 1);
        for (; !w->out.failed && low <= high; low++) w->out.data[first + low / 8] = (char)(w->out.data[first + low / 8] | 1 << low % 8);
        value += *value == ',';
    }
    return ocirt__wire_close(w, at), true;
}

/* "100", "default 100", or "8:0 100" */
static bool ocirt__systemd_weight(struct ocirt__wire *w, const char *value) {
    const char *number = strchr(value, ' ');
    uint64_t weight;
    char     device[64];
    size_t   at;
    number = number ? number + strspn(number, " ") : value;
    snprintf(device, sizeof device, "/dev/block/%.*s", (int)strcspn(value, " "), value);
    if (!ocirt__systemd_amount(&number, &weight) || *number) return false;
    if (!strchr(value, ':')) return ocirt__wire_uint(w, "IOWeight", weight), true;
    ocirt__wire_property(w, "IODeviceWeight", "a(st)");
    at = ocirt__wire_open(w);
    ocirt__wire_text(w, device, 4);
    ocirt__wire_number(w, weight, 8);
    return ocirt__wire_close(w, at), true;
}

static bool ocirt__systemd_property(struct ocirt__wire *w, const struct ocirt__property *is, const char *value) {
    uint64_t number = 0;
    if (is->kind == OCIRT__PROPERTY_CPU) return ocirt__systemd_cpu(w, value);
    if (is->kind == OCIRT__PROPERTY_NICE) return ocirt__systemd_nice(w, is->name, value);
    if (is->kind == OCIRT__PROPERTY_MASK) return ocirt__systemd_mask(w, is->name, value);
    if (is->kind == OCIRT__PROPERTY_WEIGHT) return ocirt__systemd_weight(w, value);
    if (!ocirt__systemd_amount(&value, &number) || *value) return false;
    if (is->kind == OCIRT__PROPERTY_OOM) ocirt__wire_string(w, is->name, number ? "kill" : "continue");
    else if (is->kind == OCIRT__PROPERTY_IDLE) ocirt__wire_uint(w, is->name, number ? 0 : UINT64_MAX);
    else ocirt__wire_uint(w, is->name, is->kind == OCIRT__PROPERTY_SOME && number == 0 ? 1 : number);
    return true;
}

/* To be idle is late; no longer to be it is a weight that is not set, which every systemd knows. */
static void ocirt__systemd_limit(void *user, const struct ocirt__limit *limit) {
    struct ocirt__properties_writer *p = user;
    for (size_t i = 0; i < sizeof ocirt__properties / sizeof ocirt__properties[0]; i++) {
        const struct ocirt__property *is = &ocirt__properties[i];
        bool other = limit->other && strcmp(is->file, limit->other) == 0;
        const char *value = other ? limit->other_value : limit->value;
        if (!other && strcmp(is->file, limit->file) != 0) continue;
        if (p->refused[0] || (is->kind == OCIRT__PROPERTY_OOM && p->update)) continue; /* that is of the unit's birth */
        if (ocirt__systemd_property(is->late && (is->kind != OCIRT__PROPERTY_IDLE || value[0] != '0') ? &p->late : &p->wire, is, value)) continue;
        snprintf(p->refused, sizeof p->refused, "%.32s: \"%.40s\"", is->file, value);
        p->token = limit->token;
    }
}

/* a(sv) without its length. The first `common` bytes are for every systemd, all of them for a late one. */
struct ocirt__systemd_bytes {
    const char *data;
    size_t      size, common;
};

enum { OCIRT__SYSTEMD_PID = 20 }; /* where the pid is in the properties of a new scope: PIDs is the first */

static int ocirt__systemd_finish(struct ocirt__properties_writer *p, const ocirt_resources *r, const ocirt_json *doc, struct ocirt__systemd_bytes *out, ocirt_error *e) {
    int result;
    p->late.out.arena = p->wire.out.arena;
    result = r ? ocirt__cgroup_limits(r, doc, ocirt__systemd_limit, p, e) : 0;
    if (result < 0) return result;
    out->common = p->wire.out.size;
    if (p->late.out.size) ocirt__wire_pad(&p->wire, 8), ocirt__buffer_put(&p->wire.out, p->late.out.data, p->late.out.size);
    out->data = p->wire.out.data, out->size = p->wire.out.size;
    if (p->wire.out.failed || p->late.out.failed) return ocirt__error_set(e, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (!p->refused[0]) return 0;
    ocirt__error_set(e, OCIRT_E_SPEC, 0, p->refused, "systemd cannot be told %s", p->refused);
    if (doc && p->token) ocirt__error_place(e, doc, p->token);
    return -OCIRT_E_SPEC;
}

/* Those of a new scope. Annotations come behind what they may override, limits behind them. */
static int ocirt__systemd_properties(ocirt_arena *arena, const struct ocirt__systemd_unit *unit, const ocirt_spec *s, const char *id, struct ocirt__systemd_bytes *out, ocirt_error *e) {
    static const char accounting[4][20] = {"CPUAccounting", "MemoryAccounting", "IOAccounting", "TasksAccounting"};
    struct ocirt__properties_writer p = {.wire.out.arena = arena};
    const char *description = ocirt__mem_format(arena, "ocirt container %s", id);
    int result;
    ocirt__wire_property(&p.wire, "PIDs", "au");
    ocirt__wire_number(&p.wire, 4, 4);
    ocirt__wire_number(&p.wire, 0, 4);
    ocirt__wire_string(&p.wire, "Description", description ? description : "");
    ocirt__wire_string(&p.wire, "Slice", unit->slice);
    ocirt__wire_bool(&p.wire, "Delegate", true);
    ocirt__wire_bool(&p.wire, "DefaultDependencies", false);
    for (size_t i = 0; i < 4; i++) ocirt__wire_bool(&p.wire, accounting[i], true);
    result = ocirt__systemd_annotations(&p.wire, s, e);
    return result < 0 ? result : ocirt__systemd_finish(&p, s->linux_ ? s->linux_->resources : NULL, s->document, out, e);
}

/* Those of an update; none at all is size 0. */
static int ocirt__systemd_changes(ocirt_arena *arena, const ocirt_resources *r, const ocirt_json *doc, struct ocirt__systemd_bytes *out, ocirt_error *e) {
    struct ocirt__properties_writer p = {.wire.out.arena = arena, .update = true};
    return ocirt__systemd_finish(&p, r, doc, out, e);
}

/* ----- a message that came in ----- */

struct ocirt__bus_reader {
    const char *data;
    size_t at, size;
    bool   big, bad; /* bad: nothing more can be read, all is 0 and "" */
};

struct ocirt__bus_message {
    uint8_t  type; /* 2 return, 3 error, 4 signal */
    uint32_t reply;
    const char *field[10]; /* by the code of the header field, "" when absent */
    struct ocirt__bus_reader body;
};
enum { OCIRT__BUS_INTERFACE = 2, OCIRT__BUS_MEMBER = 3, OCIRT__BUS_ERROR = 4, OCIRT__BUS_SENDER = 7, OCIRT__BUS_SIGNATURE = 8 };
enum { OCIRT__BUS_MOST = 1 << 20 }; /* bytes of a message: ours have hundreds */

static void ocirt__bus_skip(struct ocirt__bus_reader *r, size_t align) {
    r->at = (r->at + align - 1) & ~(align - 1);
    if (r->at > r->size) r->bad = true;
}

static uint64_t ocirt__bus_number(struct ocirt__bus_reader *r, unsigned size) {
    uint64_t value = 0;
    ocirt__bus_skip(r, size);
    if (r->bad || r->size - r->at < size) return r->bad = true, 0;
    for (unsigned i = 0; i < size; i++) value = value << 8 | (unsigned char)r->data[r->at + (r->big ? i : size - 1 - i)];
    r->at += size;
    return value;
}

static const char *ocirt__bus_text(struct ocirt__bus_reader *r, unsigned prefix) {
    uint64_t n = ocirt__bus_number(r, prefix);
    const char *text = r->data + r->at;
    if (r->bad || n >= r->size - r->at || text[n] || memchr(text, 0, (size_t)n)) return r->bad = true, "";
    r->at += (size_t)n + 1;
    return text;
}

/* Unknown header fields are passed over, as the specification asks. */
static void ocirt__bus_field(struct ocirt__bus_reader *r, struct ocirt__bus_message *m) {
    static const char types[] = "ynqbiuhxtd";
    static const uint8_t sizes[] = {1, 2, 2, 4, 4, 4, 4, 8, 8, 8};
    const char *signature, *type, *text = NULL;
    uint64_t code, number = 0;
    ocirt__bus_skip(r, 8);
    code = ocirt__bus_number(r, 1);
    signature = ocirt__bus_text(r, 1);
    type = signature[0] ? strchr(types, signature[0]) : NULL;
    if (signature[0] == 's' || signature[0] == 'o') text = ocirt__bus_text(r, 4);
    else if (signature[0] == 'g') text = ocirt__bus_text(r, 1);
    else if (type) number = ocirt__bus_number(r, sizes[type - types]);
    if ((!text && !type) || signature[1]) r->bad = true;
    if (code == 5) m->reply = (uint32_t)number;
    if (code < 10 && text) m->field[code] = text;
}

/* The length of the message that begins here, of which 16 bytes are there; 0: it is none. */
static size_t ocirt__bus_length(const char *data) {
    struct ocirt__bus_reader r = {.data = data, .at = 4, .size = 16, .big = data[0] == 'B'};
    size_t body = (size_t)ocirt__bus_number(&r, 4), fields;
    r.at = 12;
    fields = (size_t)ocirt__bus_number(&r, 4);
    if ((data[0] != 'l' && data[0] != 'B') || data[3] != 1 || body > OCIRT__BUS_MOST || fields > OCIRT__BUS_MOST) return 0;
    body += 16 + ((fields + 7) & ~(size_t)7);
    return body > OCIRT__BUS_MOST ? 0 : body;
}

static bool ocirt__bus_parse(const char *data, size_t size, struct ocirt__bus_message *m) {
    struct ocirt__bus_reader r = {.data = data, .at = 12, .size = 16, .big = data[0] == 'B'};
    *m = (struct ocirt__bus_message){.type = (uint8_t)data[1]};
    for (size_t i = 0; i < 10; i++) m->field[i] = "";
    r.size = 16 + (size_t)ocirt__bus_number(&r, 4);
    while (r.at < r.size && !r.bad) ocirt__bus_field(&r, m);
    if (r.bad) return false;
    r.size = size;
    ocirt__bus_skip(&r, 8);
    m->body = r;
    return true;
}

/* ----- the connection ----- */

struct ocirt__bus { /* = {.fd = -1, .arena = ..., .detail = ..., .rootless = ...} */
    ocirt_arena *arena;
    char        *detail;   /* of 256 bytes: what failed */
    bool         rootless; /* the user's manager is meant */
    int          fd;
    int64_t      limit_ms; /* of each operation; 0: 30 s */
    int64_t      end;
    uint32_t     serial, first; /* of the last call; of the first one whose failure is that of the operation */
    size_t       body;
    struct ocirt__wire out;
    ocirt__buffer in;
    size_t        taken;
    int           error; /* with the detail */
    const char   *unit, *job, *result, *sender; /* the last job that was done for this unit */
};

static void ocirt__systemd_close(struct ocirt__bus *b) {
    ocirt__sys_close(&b->fd);
}

/* The first failure is told, and a stranger's text without what could upset a terminal or a line of log. */
static int ocirt__bus_fail(struct ocirt__bus *b, int error, const char *format, ...) {
    va_list list;
    if (!b->detail[0]) {
        va_start(list, format);
        vsnprintf(b->detail, 256, format, list);
        va_end(list);
        b->error = error;
    }
    for (char *s = b->detail; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f) *s = ' ';
    return error;
}

static int ocirt__bus_wait(struct ocirt__bus *b, short events) {
    struct pollfd fd = {.fd = b->fd, .events = events};
    int64_t left = b->end - ocirt__sys_now_ms();
    int     r = left <= 0 ? 0 : ocirt__sys_poll(&fd, 1, left);
    return r == 0 ? ocirt__bus_fail(b, -ETIMEDOUT, "systemd did not answer in time") : r < 0 ? r : 0;
}

static int ocirt__bus_send(struct ocirt__bus *b, const char *data, size_t size) {
    while (size > 0) {
        long n = OCIRT__SYS5(SYS_sendto, b->fd, data, size, MSG_NOSIGNAL, NULL);
        if (n == -EAGAIN) n = ocirt__bus_wait(b, POLLOUT);
        if (n < 0 && n != -EINTR) return ocirt__systemd_close(b), ocirt__bus_fail(b, (int)n, "the bus went away");
        if (n > 0) data += n, size -= (size_t)n;
    }
    return 0;
}

/* Until `need` bytes are there that were not taken. */
static int ocirt__bus_fill(struct ocirt__bus *b, size_t need) {
    if (b->in.size - b->taken >= need) return 0;
    if (b->taken) memmove(b->in.data, b->in.data + b->taken, b->in.size -= b->taken), b->taken = 0;
    while (b->in.size < need) {
        long n;
        if (!ocirt__buffer_room(&b->in, need < 2048 ? 2048 : need)) return -ENOMEM;
        n = ocirt__bus_wait(b, POLLIN); /* also when there is always more: somebody may flood us */
        if (n < 0) return (int)n;
        n = ocirt__sys_read(b->fd, b->in.data + b->in.size, b->in.capacity - b->in.size - 1);
        if (n == -EAGAIN) continue;
        if (n <= 0) return ocirt__bus_fail(b, n < 0 ? (int)n : -ECONNRESET, "the bus closed the connection");
        b->in.size += (size_t)n;
    }
    return 0;
}

/* Valid until the next one. A connection that cannot be read from is of no more use. */
static int ocirt__bus_next(struct ocirt__bus *b, struct ocirt__bus_message *m) {
    size_t size = 0;
    int    r = ocirt__bus_fill(b, 16);
    if (r == 0 && (size = ocirt__bus_length(b->in.data + b->taken)) == 0) r = -EBADMSG;
    if (r == 0) r = ocirt__bus_fill(b, size);
    if (r == 0 && !ocirt__bus_parse(b->in.data + b->taken, size, m)) r = -EBADMSG;
    b->taken += size;
    if (r == -EBADMSG) ocirt__bus_fail(b, r, "the bus sent what is no message of D-Bus");
    if (r < 0) ocirt__systemd_close(b);
    return r;
}

/* An empty AUTH EXTERNAL is answered with DATA and means whoever the kernel says we are: an id would be wrong in a user
   namespace. Lines are sent ahead of their turn, as sd-bus does. */
static int ocirt__bus_greet(struct ocirt__bus *b) {
    static const char hello[] = "\0AUTH EXTERNAL\r\nDATA\r\n";
    int r = ocirt__bus_send(b, hello, sizeof hello - 1);
    for (;;) {
        char   line[64];
        size_t n = 0;
        do {
            if (r == 0) r = ocirt__bus_fill(b, 1);
            if (r < 0) return r;
            line[n < sizeof line - 1 ? n++ : n] = b->in.data[b->taken++];
        } while (line[n - 1] != '\n' && n < sizeof line - 1);
        line[n] = 0;
        if (strncmp(line, "OK ", 3) == 0) return 0;
        if (strncmp(line, "DATA", 4) != 0) return ocirt__bus_fail(b, -EACCES, "the bus refused us: %.40s", line);
    }
}

static const struct ocirt__bus_object {
    const char *name, *path, *interface;
} ocirt__bus_daemon = {"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"},
  ocirt__bus_systemd = {"org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"};

static void ocirt__bus_head(struct ocirt__wire *w, unsigned code, const char *type, const char *text) {
    ocirt__wire_pad(w, 8);
    ocirt__wire_number(w, code, 1);
    ocirt__wire_text(w, type, 1);
    ocirt__wire_text(w, text, *type == 'g' ? 1 : 4);
}

/* The head of a call; its body follows, then ocirt__bus_done. */
static struct ocirt__wire *ocirt__bus_call(struct ocirt__bus *b, const struct ocirt__bus_object *to, const char *member, const char *signature) {
    struct ocirt__wire *w = &b->out;
    size_t fields;
    w->start = w->out.size;
    ocirt__buffer_put(&w->out, "l\1\0\1\0\0\0", 8);
    ocirt__wire_number(w, ++b->serial, 4);
    fields = ocirt__wire_open(w);
    ocirt__bus_head(w, 1, "o", to->path);
    ocirt__bus_head(w, 2, "s", to->interface);
    ocirt__bus_head(w, 3, "s", member);
    ocirt__bus_head(w, 6, "s", to->name);
    if (signature[0]) ocirt__bus_head(w, 8, "g", signature);
    ocirt__wire_close(w, fields);
    ocirt__wire_pad(w, 8);
    b->body = w->out.size;
    return w;
}

static void ocirt__bus_done(struct ocirt__bus *b) {
    ocirt__wire_patch(&b->out, b->out.start + 4, b->out.out.size - b->body);
}

/* A manager's private socket has no daemon to say hello to, and tells all its jobs. */
static int ocirt__bus_join(struct ocirt__bus *b, bool private) {
    int r = ocirt__bus_greet(b);
    if (r < 0) return r;
    b->out.out.size = 0, b->serial = 0, b->first = 1;
    ocirt__buffer_text(&b->out.out, "BEGIN\r\n");
    if (private) return 0;
    ocirt__bus_call(b, &ocirt__bus_daemon, "Hello", "");
    ocirt__wire_text(ocirt__bus_call(b, &ocirt__bus_daemon, "AddMatch", "s"),
                     "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'", 4);
    ocirt__bus_done(b);
    return 0;
}

/* A full backlog cannot be polled for. */
static int ocirt__bus_dial(struct ocirt__bus *b, const struct sockaddr_un *to, size_t size, bool private) {
    int r;
    b->fd = (int)OCIRT__SYS3(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (b->fd < 0) return b->fd;
    b->in = (ocirt__buffer){.arena = b->arena}, b->taken = 0;
    do r = (int)OCIRT__SYS3(SYS_connect, b->fd, to, offsetof(struct sockaddr_un, sun_path) + size);
    while (r == -EAGAIN && ocirt__sys_now_ms() < b->end && ocirt__sys_poll_once(NULL, 0, 10) == 0);
    if (r < 0) ocirt__bus_fail(b, r, "cannot reach systemd at %s%s", to->sun_path[0] ? "" : "@", to->sun_path + !to->sun_path[0]);
    else r = ocirt__bus_join(b, private);
    if (r < 0) ocirt__systemd_close(b);
    return r;
}

/* The value of one key of an address, where % and two hexadecimal digits are a byte. */
static size_t ocirt__bus_unescape(const char *from, size_t n, char *out, size_t room) {
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    for (size_t i = 0; i < n && used < room; i++) {
        const char *high = from[i] == '%' && n - i > 2 ? strchr(digits, from[i + 1] | 0x20) : NULL, *low = high ? strchr(digits, from[i + 2] | 0x20) : NULL;
        out[used++] = low ? (char)((high - digits) << 4 | (low - digits)) : from[i];
        if (low) i += 2;
    }
    return used;
}

/* "unix:path=/run/x,guid=1;unix:abstract=y": the first that answers. */
static int ocirt__bus_address(struct ocirt__bus *b, const char *list, bool private) {
    int r = -ENOENT;
    for (const char *at = list; r < 0 && *at; at += strcspn(at, ";"), at += *at == ';') {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        size_t key = strncmp(at, "unix:path=", 10) == 0 ? 10 : strncmp(at, "unix:abstract=", 14) == 0 ? 14 : 0, n;
        if (key == 0) continue;
        n = ocirt__bus_unescape(at + key, strcspn(at + key, ",;"), name.sun_path + (key == 14), sizeof name.sun_path - 2);
        r = ocirt__bus_dial(b, &name, n + 1, private);
    }
    return r;
}

/* As systemctl --user: a session's bus may be one that the user's manager is not on. */
static int ocirt__bus_user(struct ocirt__bus *b) {
    const char *session = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
    char private[256] = "", bus[256] = "";
    int  r;
    if (runtime && runtime[0] == '/') {
        snprintf(private, sizeof private, "unix:path=%.200s/systemd/private", runtime);
        snprintf(bus, sizeof bus, "unix:path=%.200s/bus", runtime);
    }
    r = ocirt__bus_address(b, private, true);
    if (r < 0 && session) r = ocirt__bus_address(b, session, false);
    return r < 0 ? ocirt__bus_address(b, bus, false) : r;
}

/* Root of a user namespace may have a systemd of its own around it: the system's is the last resort. */
static int ocirt__bus_open(struct ocirt__bus *b) {
    const char *address = getenv("DBUS_SYSTEM_BUS_ADDRESS");
    int r = -ENOENT;
    b->detail[0] = 0;
    b->end = ocirt__sys_now_ms() + (b->limit_ms ? b->limit_ms : 30000);
    if (b->fd >= 0) return 0;
    b->out = (struct ocirt__wire){.out.arena = b->arena};
    if (b->rootless) r = ocirt__bus_user(b);
    if (r < 0) r = ocirt__bus_address(b, address && address[0] ? address : "unix:path=/run/dbus/system_bus_socket", false);
    if (r < 0 && !b->rootless) r = ocirt__bus_address(b, "unix:path=/run/systemd/private", true);
    if (r < 0) return ocirt__bus_fail(b, r, "no bus to reach systemd by"), b->error;
    return b->detail[0] = 0;
}

/* ----- calls ----- */

static int ocirt__systemd_refused(struct ocirt__bus *b, struct ocirt__bus_message *m) {
    static const struct {
        const char *name;
        int         error;
    } known[] = {{"UnitExists", -EEXIST}, {"NoSuchUnit", -ENOENT}, {"PropertyReadOnly", -EINVAL}, {"InvalidArgs", -EINVAL}, {"AccessDenied", -EACCES},
        {"InteractiveAuthorizationRequired", -EACCES}, {"ServiceUnknown", -ENOTCONN}, {"NameHasNoOwner", -ENOTCONN}};
    const char *name = m->field[OCIRT__BUS_ERROR], *last = strrchr(name, '.'), *text = m->field[OCIRT__BUS_SIGNATURE][0] == 's' ? ocirt__bus_text(&m->body, 4) : "";
    int error = -EPROTO;
    for (size_t i = 0; last && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(last + 1, known[i].name) == 0) error = known[i].error;
    return ocirt__bus_fail(b, error, "systemd: %.90s: %.150s", name, text);
}

static const char *ocirt__bus_keep(struct ocirt__bus *b, const char *text) {
    const char *copy = ocirt__mem_text(b->arena, text, strlen(text));
    return copy ? copy : "";
}

/* JobRemoved may come before the answer that names the job. */
static void ocirt__bus_signal(struct ocirt__bus *b, struct ocirt__bus_message *m) {
    const char *job, *unit, *result;
    if (strcmp(m->field[OCIRT__BUS_MEMBER], "JobRemoved") != 0 || strcmp(m->field[OCIRT__BUS_INTERFACE], ocirt__bus_systemd.interface) != 0) return;
    if (strcmp(m->field[OCIRT__BUS_SIGNATURE], "uoss") != 0) return;
    ocirt__bus_number(&m->body, 4);
    job = ocirt__bus_text(&m->body, 4), unit = ocirt__bus_text(&m->body, 4), result = ocirt__bus_text(&m->body, 4);
    if (m->body.bad || strcmp(unit, b->unit) != 0) return;
    b->job = ocirt__bus_keep(b, job), b->result = ocirt__bus_keep(b, result), b->sender = ocirt__bus_keep(b, m->field[OCIRT__BUS_SENDER]);
}

/* Sends what was laid out and takes in what comes until the last call is answered, or one of those before it refused. */
static int ocirt__bus_answer(struct ocirt__bus *b, struct ocirt__bus_message *m) {
    int r;
    ocirt__bus_done(b);
    r = b->out.out.failed ? -ENOMEM : ocirt__bus_send(b, b->out.out.data, b->out.out.size);
    b->out.out.size = b->out.start = 0;
    while (r == 0 && (r = ocirt__bus_next(b, m)) == 0) {
        if (m->type == 4) ocirt__bus_signal(b, m);
        if (m->type == 3 && m->reply >= b->first && m->reply <= b->serial) { r = ocirt__systemd_refused(b, m); break; }
        if (m->type == 2 && m->reply == b->serial) break;
    }
    b->first = b->serial + 1;
    if (r < 0) ocirt__bus_fail(b, r, "the bus failed");
    return r;
}

/* Another client of the bus can send us a signal, but none in systemd's name. */
static int ocirt__systemd_await(struct ocirt__bus *b, struct ocirt__bus_message *m) {
    const char *job = strcmp(m->field[OCIRT__BUS_SIGNATURE], "o") == 0 ? ocirt__bus_text(&m->body, 4) : "", *sender;
    int r = 0;
    job = ocirt__bus_keep(b, job), sender = ocirt__bus_keep(b, m->field[OCIRT__BUS_SENDER]);
    if (m->body.bad || !job[0]) return ocirt__bus_fail(b, -EBADMSG, "systemd did not name a job for %.128s", b->unit);
    while (r == 0 && (!b->job || strcmp(b->job, job) != 0 || strcmp(b->sender, sender) != 0)) {
        r = ocirt__bus_next(b, m);
        if (r == 0 && m->type == 4) ocirt__bus_signal(b, m);
    }
    if (r == 0 && strcmp(b->result, "done") != 0) r = ocirt__bus_fail(b, -ECANCELED, "systemd's job for %.128s ended as \"%.40s\"", b->unit, b->result);
    return r;
}

static void ocirt__systemd_reset(struct ocirt__bus *b) {
    struct ocirt__bus_message m;
    char  kept[256], *detail = b->detail;
    b->detail = strcpy(kept, "-");
    ocirt__wire_text(ocirt__bus_call(b, &ocirt__bus_systemd, "ResetFailedUnit", "s"), b->unit, 4);
    (void)ocirt__bus_answer(b, &m);
    b->detail = detail;
}

static void ocirt__systemd_put(struct ocirt__wire *w, const char *data, size_t size) {
    ocirt__wire_number(w, size, 4);
    ocirt__wire_pad(w, 8);
    ocirt__buffer_put(&w->out, data, size);
}

static int ocirt__systemd_ask_start(struct ocirt__bus *b, const char *unit, const char *data, size_t size, int pid) {
    struct ocirt__bus_message m;
    struct ocirt__wire *w;
    int r = ocirt__bus_open(b);
    if (r < 0) return r;
    b->unit = unit, b->job = NULL;
    w = ocirt__bus_call(b, &ocirt__bus_systemd, "StartTransientUnit", "ssa(sv)a(sa(sv))");
    ocirt__wire_text(w, unit, 4);
    ocirt__wire_text(w, "replace", 4);
    ocirt__systemd_put(w, data, size);
    ocirt__wire_patch(w, w->out.size - size + OCIRT__SYSTEMD_PID, (size_t)pid);
    ocirt__systemd_put(w, "", 0);
    r = ocirt__bus_answer(b, &m);
    return r < 0 ? r : ocirt__systemd_await(b, &m);
}

/* A scope with this process in it. One of the same name that has failed is forgotten first. */
static int ocirt__systemd_start(struct ocirt__bus *b, const char *unit, const struct ocirt__systemd_bytes *properties, int pid) {
    size_t size = properties->size;
    int    r = ocirt__systemd_ask_start(b, unit, properties->data, size, pid);
    if (r == -EINVAL && properties->common < size) r = ocirt__systemd_ask_start(b, unit, properties->data, size = properties->common, pid);
    if (r != -EEXIST && r != -ECANCELED) return r;
    ocirt__systemd_reset(b);
    return r == -EEXIST ? ocirt__systemd_ask_start(b, unit, properties->data, size, pid) : r;
}

static int ocirt__systemd_ask_set(struct ocirt__bus *b, const char *unit, const char *data, size_t size) {
    struct ocirt__bus_message m;
    struct ocirt__wire *w;
    int r = size ? ocirt__bus_open(b) : 0;
    if (r < 0 || size == 0) return r;
    b->unit = unit, b->job = NULL;
    w = ocirt__bus_call(b, &ocirt__bus_systemd, "SetUnitProperties", "sba(sv)");
    ocirt__wire_text(w, unit, 4);
    ocirt__wire_number(w, 1, 4); /* until the next boot */
    ocirt__systemd_put(w, data, size);
    return ocirt__bus_answer(b, &m);
}

/* systemd changes all or nothing. */
static int ocirt__systemd_set(struct ocirt__bus *b, const char *unit, const struct ocirt__systemd_bytes *properties) {
    int r = ocirt__systemd_ask_set(b, unit, properties->data, properties->size);
    return r == -EINVAL && properties->common < properties->size ? ocirt__systemd_ask_set(b, unit, properties->data, properties->common) : r;
}

/* One that has failed is kept by systemd until somebody says this. */
static int ocirt__systemd_forget(struct ocirt__bus *b, const char *unit) {
    int r = ocirt__bus_open(b);
    b->unit = unit, b->job = NULL;
    if (r == 0) ocirt__systemd_reset(b);
    return r;
}

/* systemd remembers whom it has frozen, whatever the cgroup says by now, and stops none of them (EDEADLK inside: the
   job waits). What it has not frozen it leaves as it is. Of systemd 246. */
static int ocirt__systemd_thaw(struct ocirt__bus *b, const char *unit) {
    struct ocirt__bus_message m;
    int r = ocirt__bus_open(b);
    if (r < 0) return r;
    b->unit = unit, b->job = NULL;
    ocirt__wire_text(ocirt__bus_call(b, &ocirt__bus_systemd, "ThawUnit", "s"), unit, 4);
    return ocirt__bus_answer(b, &m);
}

/* One that is not there any more is stopped. */
static int ocirt__systemd_stop(struct ocirt__bus *b, const char *unit) {
    struct ocirt__bus_message m;
    struct ocirt__wire *w;
    int r = ocirt__bus_open(b);
    if (r < 0) return r;
    b->unit = unit, b->job = NULL;
    w = ocirt__bus_call(b, &ocirt__bus_systemd, "StopUnit", "ss");
    ocirt__wire_text(w, unit, 4);
    ocirt__wire_text(w, "replace", 4);
    r = ocirt__bus_answer(b, &m);
    if (r == -ENOENT) return b->detail[0] = 0;
    if (r == 0) r = ocirt__systemd_await(b, &m);
    if (r == 0 || r == -ECANCELED) ocirt__systemd_reset(b);
    return r;
}

/* ===========================================================================================
   >>device   the device rules of the config as an eBPF program of type CGROUP_DEVICE (4.15).
   Later rules override earlier ones, for each of the accesses they name (r, w, m) on its own, as in cgroup v1
   and runc: after "allow r" and "allow w" a program may open for both. (crun looks for one rule about all that
   is asked, so its "deny w" lets through who asks for rw.) Without a type a rule is about both, without numbers
   about all of them, without accesses about all three. What no rule allows is denied, except what every container
   needs: null, zero, full, random, urandom, tty, console, ptmx, pts, and making nodes.
   The program is a search tree over majors, in each one over minors, whose leaves are sets of accesses: short
   paths, however many rules (the verifier follows all of them, and what it takes is most of the time to load).
   =========================================================================================== */

struct ocirt__bpf_insn {
    uint8_t code, registers;
    int16_t offset;
    int32_t value;
};

enum { /* opcodes; W: of 32 bits */
    OCIRT__BPF_LOAD_W = 0x61, OCIRT__BPF_SET_W = 0xb4, OCIRT__BPF_GOTO = 0x05, OCIRT__BPF_EXIT = 0x95,
    OCIRT__BPF_IF_BITS = 0x45, OCIRT__BPF_IF_SAME_W = 0x16, OCIRT__BPF_IF_FROM_W = 0x36 /* not below */
};

enum {
    OCIRT__DEVICE_ALLOW = 7,   /* labels 0 to 7: this set of accesses is allowed */
    OCIRT__DEVICE_DENY,
    OCIRT__DEVICE_BLOCK,       /* the tree of block devices                  */
    OCIRT__DEVICE_LABELS,      /* the minors of a major that no rule names, and from here on one for each that has a name */
    OCIRT__DEVICE_FEW  = 16,   /* spans that are searched one by one         */
    OCIRT__DEVICE_MOST = 32000, /* instructions: a jump has 16 bits          */
    OCIRT__DEVICE_WORK = 200000000 /* looks at rules: they grow with majors times minors times rules */
};

struct ocirt__device_span { /* from here to the start of the next one, which behind the last is 0 */
    uint32_t start, leaf;   /* a label */
};

struct ocirt__device_spans {
    struct ocirt__device_span *at;
    size_t count;
};

struct ocirt__assembler {
    ocirt_arena             *arena;
    const ocirt_device_rule *rules;
    size_t                   count;
    ocirt__buffer            code;
    uint32_t                *last;    /* per label: the last jump to it, from 1; each holds the one before */
    const ocirt_device_rule **chosen; /* those about one major */
    size_t                   chosen_count;
    uint32_t                *numbers, *leaves; /* of its minors */
    size_t                   spans, work;
    char                     type;    /* whose tree is being built */
    bool                     too_many;
};

static size_t ocirt__device_at(const struct ocirt__assembler *a) {
    return a->code.size / sizeof(struct ocirt__bpf_insn);
}

static struct ocirt__bpf_insn *ocirt__device_insn(const struct ocirt__assembler *a, size_t at) {
    return (struct ocirt__bpf_insn *)(void *)a->code.data + at;
}

static void ocirt__device_many(struct ocirt__assembler *a) {
    a->too_many = a->code.failed = true;
}

/* Two fields of four bits each: the compiler's order of bit fields follows that of bytes. */
static uint8_t ocirt__device_registers(unsigned to, unsigned from) {
    const union {
        uint16_t number;
        uint8_t  bytes[2];
    } one = {1};
    return (uint8_t)(one.bytes[0] ? from << 4 | to : to << 4 | from);
}

static void ocirt__device_put(struct ocirt__assembler *a, unsigned code, unsigned to, unsigned from, int offset, uint32_t value) {
    struct ocirt__bpf_insn insn = {(uint8_t)code, ocirt__device_registers(to, from), (int16_t)offset, (int32_t)value};
    if (ocirt__device_at(a) < OCIRT__DEVICE_MOST) ocirt__buffer_put(&a->code, &insn, sizeof insn);
    else ocirt__device_many(a);
}

/* ----- what the rules say ----- */

static unsigned ocirt__device_access(const char *text) {
    unsigned bits = 0;
    if (!text || !text[0]) return 7;
    for (; *text; text++) bits |= *text == 'm' ? 1u : *text == 'r' ? 2u : 4u;
    return bits;
}

static unsigned ocirt__device_always(char type, int64_t major, int64_t minor) {
    bool needed = type == 'c' && (major == 136 || (major == 1 && (minor == 3 || minor == 5 || minor == 7 || minor == 8 || minor == 9)) || (major == 5 && minor >= 0 && minor <= 2));
    return needed ? 7 : 1; /* making nodes alone harms nobody */
}

/* -1: a number that no rule names. */
static bool ocirt__device_fits(ocirt_opt_int wanted, int64_t number) {
    return !wanted.set || wanted.value < 0 || wanted.value == number;
}

static bool ocirt__device_typed(const struct ocirt__assembler *a, const ocirt_device_rule *r) {
    return !r->type || r->type == 'a' || r->type == a->type;
}

static bool ocirt__device_work(struct ocirt__assembler *a, size_t rules) {
    a->work += rules;
    if (a->work > OCIRT__DEVICE_WORK) ocirt__device_many(a);
    return !a->code.failed;
}

/* The rules about this major; from here on only they are looked at. */
static void ocirt__device_choose(struct ocirt__assembler *a, int64_t major) {
    a->chosen_count = 0;
    if (!ocirt__device_work(a, a->count)) return;
    for (const ocirt_device_rule *r = a->rules; r < a->rules + a->count; r++)
        if (ocirt__device_typed(a, r) && ocirt__device_fits(r->major, major)) a->chosen[a->chosen_count++] = r;
}

static unsigned ocirt__device_mask(struct ocirt__assembler *a, int64_t major, int64_t minor) {
    unsigned mask = 0;
    if (!ocirt__device_work(a, a->chosen_count)) return 0;
    for (size_t i = 0; i < a->chosen_count; i++) {
        const ocirt_device_rule *r = a->chosen[i];
        if (!ocirt__device_fits(r->minor, minor)) continue;
        mask = r->allow ? mask | ocirt__device_access(r->access) : mask & ~ocirt__device_access(r->access);
    }
    return mask | ocirt__device_always(a->type, major, minor);
}

static int ocirt__device_order(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static size_t ocirt__device_sort(uint32_t *numbers, size_t n) {
    size_t unique = 0;
    qsort(numbers, n, sizeof *numbers, ocirt__device_order);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || numbers[i] != numbers[unique - 1]) numbers[unique++] = numbers[i];
    return unique;
}

/* The numbers that make a difference. */
static size_t ocirt__device_majors(const struct ocirt__assembler *a, uint32_t *out) {
    static const uint32_t always[] = {1, 5, 136};
    size_t n = 0;
    for (size_t i = 0; i < 3 && a->type == 'c'; i++) out[n++] = always[i];
    for (const ocirt_device_rule *r = a->rules; r < a->rules + a->count; r++)
        if (!ocirt__device_fits(r->major, -1) && ocirt__device_typed(a, r)) out[n++] = (uint32_t)r->major.value;
    return ocirt__device_sort(out, n);
}

static size_t ocirt__device_minors(const struct ocirt__assembler *a, int64_t major, uint32_t *out) {
    static const uint32_t of_memory[] = {3, 5, 7, 8, 9}, of_tty[] = {0, 1, 2};
    const uint32_t *always = major == 1 ? of_memory : of_tty;
    size_t n = 0, needed = a->type != 'c' ? 0 : major == 1 ? 5 : major == 5 ? 3 : 0;
    for (size_t i = 0; i < needed; i++) out[n++] = always[i];
    for (size_t i = 0; i < a->chosen_count; i++)
        if (!ocirt__device_fits(a->chosen[i]->minor, -1)) out[n++] = (uint32_t)a->chosen[i]->minor.value;
    return ocirt__device_sort(out, n);
}

/* ----- the tree ----- */

/* What is before, unless it is the same or empty, then this. */
static void ocirt__device_span(struct ocirt__device_spans *s, uint32_t start, uint32_t leaf) {
    if (s->count && s->at[s->count - 1].start == start) s->count--;
    if (s->count == 0 || s->at[s->count - 1].leaf != leaf) s->at[s->count++] = (struct ocirt__device_span){start, leaf};
}

/* Each of the n numbers has a leaf, and leaves[n] is that of all others. */
static struct ocirt__device_spans ocirt__device_divide(struct ocirt__assembler *a, const uint32_t *numbers, const uint32_t *leaves, size_t n) {
    struct ocirt__device_spans s = {a->code.failed ? NULL : ocirt__mem_array(a->arena, 2 * n + 2, sizeof *s.at), 0};
    if (!s.at) return a->code.failed = true, s;
    ocirt__device_span(&s, 0, leaves[n]);
    for (size_t i = 0; i < n; i++) {
        ocirt__device_span(&s, numbers[i], leaves[i]);
        if (numbers[i] != UINT32_MAX) ocirt__device_span(&s, numbers[i] + 1, leaves[n]);
    }
    s.at[s.count].start = 0;
    a->spans += s.count;
    if (a->spans > 2 * OCIRT__DEVICE_MOST) ocirt__device_many(a); /* each needs about one, or the rest is next to it */
    return s;
}

/* -1: of the majors that no rule names. */
static struct ocirt__device_spans ocirt__device_of_major(struct ocirt__assembler *a, int64_t major) {
    size_t n;
    ocirt__device_choose(a, major);
    n = ocirt__device_minors(a, major, a->numbers);
    for (size_t i = 0; i < n; i++) a->leaves[i] = ocirt__device_mask(a, major, a->numbers[i]);
    a->leaves[n] = ocirt__device_mask(a, major, -1);
    return ocirt__device_divide(a, a->numbers, a->leaves, n);
}

static void ocirt__device_jump(struct ocirt__assembler *a, unsigned code, unsigned reg, uint32_t number, uint32_t label) {
    ocirt__device_put(a, code, reg, 0, (int)a->last[label], number);
    a->last[label] = (uint32_t)ocirt__device_at(a);
}

static void ocirt__device_label(struct ocirt__assembler *a, uint32_t label) {
    size_t here = ocirt__device_at(a);
    for (size_t at = a->last[label], before; at && !a->code.failed; at = before) {
        before = (size_t)ocirt__device_insn(a, at - 1)->offset;
        ocirt__device_insn(a, at - 1)->offset = (int16_t)(here - at);
    }
    a->last[label] = 0;
}

/* From the top down. The leaf `rest` needs no question of its own: it is what is left in the end. */
static void ocirt__device_few(struct ocirt__assembler *a, unsigned reg, const struct ocirt__device_span *spans, size_t n, uint32_t rest) {
    bool below = true; /* what is left lies below the end of this span */
    for (size_t i = n; i-- > 0;) {
        const struct ocirt__device_span *s = &spans[i];
        bool last = i == 0 && below;
        if (s->leaf == rest) below = false;
        else if (!last && s[1].start - s->start == 1) ocirt__device_jump(a, OCIRT__BPF_IF_SAME_W, reg, s->start, s->leaf);
        else {
            if (!below) ocirt__device_jump(a, OCIRT__BPF_IF_FROM_W, reg, s[1].start, rest);
            below = true;
            if (i > 0) ocirt__device_jump(a, OCIRT__BPF_IF_FROM_W, reg, s->start, s->leaf);
            else rest = s->leaf;
        }
    }
    ocirt__device_jump(a, OCIRT__BPF_GOTO, 0, 0, rest);
}

/* Depth: the logarithm of the number of spans. */
static void ocirt__device_search(struct ocirt__assembler *a, unsigned reg, const struct ocirt__device_span *spans, size_t n, uint32_t rest) {
    size_t half = n / 2, jump = ocirt__device_at(a);
    if (a->code.failed) return;
    if (n <= OCIRT__DEVICE_FEW) {
        ocirt__device_few(a, reg, spans, n, rest);
        return;
    }
    ocirt__device_put(a, OCIRT__BPF_IF_FROM_W, reg, 0, 0, spans[half].start);
    ocirt__device_search(a, reg, spans, half, rest);
    if (!a->code.failed) ocirt__device_insn(a, jump)->offset = (int16_t)(ocirt__device_at(a) - jump - 1);
    ocirt__device_search(a, reg, spans + half, n - half, rest);
}

/* A single span needs no search. */
static uint32_t ocirt__device_leaf(const struct ocirt__device_spans *minors, size_t i) {
    return minors[i].count == 1 ? minors[i].at->leaf : OCIRT__DEVICE_LABELS + (uint32_t)i;
}

/* Registers 4 and 5 hold major and minor. */
static void ocirt__device_tree(struct ocirt__assembler *a, char type) {
    uint32_t *majors = ocirt__mem_array(a->arena, a->count + 3, sizeof *majors), *leaves = ocirt__mem_array(a->arena, a->count + 4, sizeof *leaves);
    struct ocirt__device_spans *minors = ocirt__mem_array(a->arena, a->count + 4, sizeof *minors), spans;
    size_t n;
    if (!majors || !leaves || !minors) { a->code.failed = true; return; }
    a->type = type, a->spans = 0;
    n = ocirt__device_majors(a, majors);
    for (size_t i = 0; i <= n && !a->code.failed; i++) minors[i] = ocirt__device_of_major(a, i ? (int64_t)majors[i - 1] : -1);
    if (a->code.failed) return;
    for (size_t i = 0; i < n; i++) leaves[i] = ocirt__device_leaf(minors, i + 1);
    leaves[n] = ocirt__device_leaf(minors, 0);
    spans = ocirt__device_divide(a, majors, leaves, n);
    if (a->code.failed) return;
    ocirt__device_search(a, 4, spans.at, spans.count, leaves[n]);
    for (size_t i = 0; i <= n && !a->code.failed; i++) {
        if (!a->last[OCIRT__DEVICE_LABELS + i]) continue;
        ocirt__device_label(a, OCIRT__DEVICE_LABELS + (uint32_t)i);
        ocirt__device_search(a, 5, minors[i].at, minors[i].count, minors[i].at[minors[i].count - 1].leaf);
    }
}

/* What cannot be reached is left out: the verifier refuses it. */
static void ocirt__device_leaves(struct ocirt__assembler *a) {
    for (uint32_t mask = 0; mask < OCIRT__DEVICE_ALLOW; mask++) {
        if (!a->last[mask]) continue;
        ocirt__device_label(a, mask);
        ocirt__device_jump(a, OCIRT__BPF_IF_BITS, 2, (~mask & 7u) << 16, OCIRT__DEVICE_DENY); /* what is asked beyond it */
        ocirt__device_jump(a, OCIRT__BPF_GOTO, 0, 0, OCIRT__DEVICE_ALLOW);
    }
    for (uint32_t label = OCIRT__DEVICE_ALLOW; label <= OCIRT__DEVICE_DENY; label++) {
        ocirt__device_label(a, label);
        ocirt__device_put(a, OCIRT__BPF_SET_W, 0, 0, 0, label == OCIRT__DEVICE_ALLOW);
        ocirt__device_put(a, OCIRT__BPF_EXIT, 0, 0, 0, 0);
    }
}

/* The instructions lie in the arena. None: everything is allowed, and no program is needed. */
static int ocirt__device_assemble(ocirt_arena *arena, const ocirt_device_rule *rules, size_t count, const struct ocirt__bpf_insn **out, size_t *out_count, ocirt_error *e) {
    struct ocirt__assembler a = {.arena = arena, .rules = rules, .count = count, .code = {.arena = arena}};
    bool denies = false;
    *out_count = 0;
    if (count == 0) return 0;
    if (count > OCIRT__DEVICE_MOST) return ocirt__error_set(e, OCIRT_E_LIMIT, 0, "", "too many device rules: %zu", count);
    a.last    = ocirt__mem_array(arena, OCIRT__DEVICE_LABELS + count + 4, sizeof *a.last);
    a.chosen  = ocirt__mem_array(arena, count, sizeof *a.chosen);
    a.numbers = ocirt__mem_array(arena, 2 * count + 11, sizeof *a.numbers);
    if (!a.last || !a.chosen || !a.numbers) return ocirt__error_set(e, OCIRT_E_MEMORY, 0, "", "out of memory");
    a.leaves = a.numbers + count + 5;
    ocirt__device_put(&a, OCIRT__BPF_LOAD_W, 2, 1, 0, 0); /* access << 16 | type: access 1 mknod, 2 read, 4 write */
    ocirt__device_put(&a, OCIRT__BPF_LOAD_W, 4, 1, 4, 0);
    ocirt__device_put(&a, OCIRT__BPF_LOAD_W, 5, 1, 8, 0);
    ocirt__device_jump(&a, OCIRT__BPF_IF_BITS, 2, 1, OCIRT__DEVICE_BLOCK); /* type 1 block, 2 character */
    ocirt__device_tree(&a, 'c');
    ocirt__device_label(&a, OCIRT__DEVICE_BLOCK);
    ocirt__device_tree(&a, 'b');
    for (unsigned mask = 0; mask < OCIRT__DEVICE_ALLOW; mask++) denies |= a.last[mask] != 0;
    ocirt__device_leaves(&a);
    if (a.too_many) return ocirt__error_set(e, OCIRT_E_LIMIT, 0, "", "too many device rules: %zu", count);
    if (a.code.failed) return ocirt__error_set(e, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (denies) *out = ocirt__device_insn(&a, 0), *out_count = ocirt__device_at(&a);
    return 0;
}

/* ----- in the kernel ----- */

/* bpf(2). The kernel may write beyond an attribute struct that it takes for a newer one (6.17 to 7.2,
   BPF_PROG_QUERY), so each call gets a full-size zeroed block. */
union ocirt__bpf_attr {
    struct {
        uint32_t type, count;
        uint64_t program, licence;
        uint32_t log_level, log_size;
        uint64_t log;
        uint32_t version, flags;
        char     name[16];
    } load;
    struct {
        uint32_t target, program, type, flags, replaced;
    } attach;
    struct {
        uint32_t target, type, query_flags, attach_flags;
        uint64_t ids;
        uint32_t count;
    } query;
    struct {
        uint32_t id;
    } get;
    struct {
        uint32_t program, size;
        uint64_t info;
    } info;
    uint64_t room[32];
};

static int ocirt__device_bpf(int command, union ocirt__bpf_attr *attr) {
    return (int)OCIRT__SYS3(SYS_bpf, command, attr, 128);
}

static const char ocirt__device_name[] = "ocirt_devices"; /* by which update knows it among others' */

/* Before 5.11 programs count against RLIMIT_MEMLOCK of all the user's processes, and EPERM may mean that: 64 KiB,
   as many machines have it, are 16 containers. The limit is the caller's own and is put back. */
static int ocirt__device_load(const void *program, uint32_t count) {
    union ocirt__bpf_attr attr = {.load = {.type = 15 /* CGROUP_DEVICE */, .count = count, .program = (uint64_t)(uintptr_t)program,
                                           .licence = (uint64_t)(uintptr_t) "GPL"}};
    uint64_t all[2] = {UINT64_MAX, UINT64_MAX}, before[2];
    int fd;
    memcpy(attr.load.name, ocirt__device_name, sizeof ocirt__device_name);
    fd = ocirt__device_bpf(5 /* PROG_LOAD */, &attr);
    if (fd != -EPERM || OCIRT__SYS4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, all, before) < 0) return fd;
    fd = ocirt__device_bpf(5, &attr);
    (void)OCIRT__SYS4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, before, NULL);
    return fd;
}

/* old: a descriptor of the program that this one takes the place of in one step (5.6), or -1. */
static int ocirt__device_put_on(int cgroup, int program, int old) {
    union ocirt__bpf_attr attr = {.attach = {.target = (uint32_t)cgroup, .program = (uint32_t)program, .type = 6 /* BPF_CGROUP_DEVICE */,
                                             .flags = old < 0 ? 2 : 2 | 4 /* ALLOW_MULTI, REPLACE */, .replaced = old < 0 ? 0 : (uint32_t)old}};
    return ocirt__device_bpf(8 /* PROG_ATTACH */, &attr);
}

/* The programs of the cgroup itself. EPERM: asking needs CAP_NET_ADMIN, attaching does not. */
static int ocirt__device_query(int cgroup, uint32_t *ids, uint32_t room) {
    union ocirt__bpf_attr attr = {.query = {.target = (uint32_t)cgroup, .type = 6, .ids = (uint64_t)(uintptr_t)ids, .count = room}};
    int r = ocirt__device_bpf(16 /* PROG_QUERY, 4.15 */, &attr);
    return r < 0 ? r : (int)attr.query.count;
}

static int ocirt__device_attach(int cgroup, const void *program, uint32_t count) {
    int fd = ocirt__device_load(program, count), r = fd < 0 ? fd : ocirt__device_put_on(cgroup, fd, -1);
    ocirt__sys_close(&fd);
    if (r < 0) return r;
    r = ocirt__device_query(cgroup, NULL, 0);
    return r == -EPERM ? 0 : r == 0 ? -EIO : r < 0 ? r : 0;
}

struct ocirt__device_info { /* struct bpf_prog_info, as far as it is looked at */
    uint32_t type, id;
    uint8_t  tag[8];  /* a digest of the instructions */
    uint32_t rest[12];
    char     name[16];
};

static int ocirt__device_info(int program, struct ocirt__device_info *out) {
    union ocirt__bpf_attr attr = {.info = {.program = (uint32_t)program, .size = sizeof *out, .info = (uint64_t)(uintptr_t)out}};
    memset(out, 0, sizeof *out);
    return ocirt__device_bpf(15 /* OBJ_GET_INFO_BY_FD */, &attr);
}

/* A descriptor of our program on the cgroup, -ENOENT: none. Others' stay as they are. */
static int ocirt__device_find(int cgroup, struct ocirt__device_info *info) {
    uint32_t ids[64];
    int n = ocirt__device_query(cgroup, ids, 64), fd, r;
    for (int i = 0; i < n && i < 64; i++) {
        union ocirt__bpf_attr attr = {.get = {.id = ids[i]}};
        fd = ocirt__device_bpf(13 /* PROG_GET_FD_BY_ID */, &attr);
        r  = fd < 0 ? fd : ocirt__device_info(fd, info);
        if (r == 0 && strcmp(info->name, ocirt__device_name) == 0) return fd;
        ocirt__sys_close(&fd);
        if (r < 0 && r != -ENOENT) return r;
    }
    return n < 0 ? n : -ENOENT;
}

/* Other rules for a running container, with no moment between; the same again change nothing. count 0: no rules.
   What is there in the end is looked at: a filter around us may answer for the kernel. */
static int ocirt__device_replace(int cgroup, const void *program, uint32_t count) {
    struct ocirt__device_info now = {0}, want = {0};
    union ocirt__bpf_attr gone = {.attach = {.target = (uint32_t)cgroup, .type = 6}};
    int old = ocirt__device_find(cgroup, &now), fd = -1, r = old == -ENOENT ? 0 : old;
    if (r >= 0 && count) r = fd = ocirt__device_load(program, count);
    if (r >= 0 && count) r = ocirt__device_info(fd, &want);
    bool change = r >= 0 && (count ? old < 0 || memcmp(now.tag, want.tag, sizeof now.tag) != 0 : old >= 0);
    if (change && count) r = ocirt__device_put_on(cgroup, fd, old);
    else if (change) gone.attach.program = (uint32_t)old, r = ocirt__device_bpf(9 /* PROG_DETACH */, &gone);
    ocirt__sys_close(&old);
    if (change && r >= 0) {
        old = ocirt__device_find(cgroup, &now);
        r   = old < 0 && old != -ENOENT ? old : (old >= 0) == (count > 0) && (!count || now.id == want.id) ? 0 : -EIO;
        ocirt__sys_close(&old);
    }
    ocirt__sys_close(&fd);
    return r < 0 ? r : 0;
}

/* ===========================================================================================
   >>resctrl   linux.intelRdt: groups of a mounted resctrl (kernel: filesystems/resctrl). A group is a folder
   with `schemata` and `tasks`; a monitoring group is a folder below mon_groups. rmdir of either sends its
   tasks back to the group above.
   =========================================================================================== */

/* The root of a resctrl, wherever it is mounted. ENODEV: nowhere. */
static int ocirt__resctrl_open(void) {
    char   path[256] = "/sys/fs/resctrl";
    struct statfs fs;
    for (int tries = 0; tries < 2; tries++) {
        int fd = tries && !ocirt__probe_find_mount("resctrl", NULL, path, sizeof path) ? -ENODEV : ocirt__sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
        int r = fd < 0 ? fd : ocirt__sys_fstatfs(fd, &fs);
        if (r == 0 && (unsigned long)fs.f_type == OCIRT__RESCTRL_MAGIC) return fd;
        ocirt__sys_close(&fd);
        if (r < 0 && r != -ENOENT && r != -ENODEV) return r;
    }
    return -ENODEV;
}

static int ocirt__resctrl_group(int root, const char *name) {
    return ocirt__sys_openat(root, name[0] && strcmp(name, "/") != 0 ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* The value of a domain in "L3:0=7ff;1=7ff", leading zeros left out; its length, 0: not there. */
static size_t ocirt__resctrl_value(const char *line, size_t length, const char *domain, size_t n, const char **out) {
    const char *end = line + length, *at = memchr(line, ':', length);
    for (at = at ? at + 1 : end; at < end; at += strcspn(at, ";\n"), at += *at == ';') {
        while (*at == ' ') at++;
        if (strncmp(at, domain, n) != 0 || at[n] != '=') continue;
        at += n + 1;
        at += strspn(at, " ");
        while (*at == '0' && strchr("0123456789abcdefABCDEF", at[1]) && at[1]) at++;
        *out = at;
        return strcspn(at, ";\n ");
    }
    return 0;
}

/* Whether what `have` (the kernel's schemata) says of each domain in the line is the same. */
static bool ocirt__resctrl_line_agrees(const char *have, const char *want, size_t length) {
    const char *colon = memchr(want, ':', length), *line = have;
    size_t name = colon ? (size_t)(colon - want) + 1 : length + 1, n;
    for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        line += strspn(line, " ");
        if (name <= length && strncmp(line, want, name) == 0) break;
    }
    if (!*line) return false;
    for (const char *at = want + name; at < want + length; at += strcspn(at, ";\n"), at += *at == ';') {
        const char *a = "", *b = "";
        at += strspn(at, " ");
        n = strcspn(at, "=;\n");
        size_t wanted = ocirt__resctrl_value(want, length, at, n, &a), is = ocirt__resctrl_value(line, strcspn(line, "\n"), at, n, &b);
        if (wanted == 0 || wanted != is || strncasecmp(a, b, is) != 0) return false;
    }
    return true;
}

/* Kernel and config may write the same in other orders, with zeros and blanks. */
static bool ocirt__resctrl_agrees(int group, const char *want) {
    char have[2048];
    if (ocirt__path_read(group, "schemata", have, sizeof have) < 0) return false;
    for (const char *line = want; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strcspn(line, "\n") && !ocirt__resctrl_line_agrees(have, line, strcspn(line, "\n"))) return false;
    return true;
}

static int ocirt__resctrl_write(int group, const char *line) {
    char   text[1024];
    size_t n = strlen(line);
    if (n + 2 > sizeof text) return -ENAMETOOLONG;
    memcpy(text, line, n);
    text[n] = '\n';
    return ocirt__path_write(group, "schemata", text, n + 1);
}

static int ocirt__resctrl_add(int group, int pid) {
    char text[24];
    if (pid <= 0) return -EINVAL; /* 0 would move the caller itself */
    return ocirt__path_write(group, "tasks", text, ocirt__mem_decimal(text, (uint64_t)pid));
}

/* A monitoring group of that name, and the process in it. */
static int ocirt__resctrl_monitor(int group, const char *name, int pid) {
    int folder = ocirt__sys_openat(group, "mon_groups", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0), own = -1, r = folder;
    if (r >= 0) r = ocirt__sys_mkdirat(folder, name, 0755);
    if (r == 0 || r == -EEXIST) r = own = ocirt__sys_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (r >= 0) r = ocirt__resctrl_add(own, pid);
    ocirt__sys_close(&own);
    ocirt__sys_close(&folder);
    return r;
}

/* What a container made: its monitoring group, and the group itself if it was not named by the config. */
/* A group goes with the monitoring groups in it. Those that are gone, or the whole resctrl, need not be removed. */
static int ocirt__resctrl_remove(const char *group, const char *id, bool monitored, bool own) {
    char first[2];
    int root = ocirt__resctrl_open(), dir = root < 0 ? root : ocirt__resctrl_group(root, group), r = dir;
    int folder = dir < 0 ? dir : ocirt__sys_openat(dir, "mon_groups", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    if (dir >= 0 && monitored) r = folder < 0 ? folder : ocirt__sys_unlinkat(folder, id, AT_REMOVEDIR);
    if (dir >= 0 && strcmp(group, id) != 0 && ocirt__path_read(dir, "tasks", first, sizeof first) > 0) own = false; /* others have joined */
    ocirt__sys_close(&folder);
    ocirt__sys_close(&dir);
    if (root >= 0 && own) r = ocirt__sys_unlinkat(root, group, AT_REMOVEDIR);
    ocirt__sys_close(&root);
    return r >= 0 || r == -ENOENT || r == -ENODEV ? 0 : r;
}

/* ===========================================================================================
   >>seccomp   the seccomp profile as classic BPF (seccomp(2)): names and numbers of calls up to Linux 7.2, whatever
   the headers. The program is a binary search over intervals of numbers that are treated alike: the kernel compiles
   it and (5.11) runs it for each number when it is loaded. Where entries meet, the order is libseccomp's: one
   without conditions wins, of two the first; conditions are tried from the highest argument down, EQ, NE, MASKED_EQ
   before LT, LE before GT, GE, then larger values first (LT, LE: smaller), fewer conditions first; the same ones with
   two actions are an error. 32-bit ports and x32 compare low halves. socketcall and ipc: the number of the call
   takes the place of argument 0, and entries that then look alike are not told apart: the first counts.
   Foreign architectures, and x32 numbers without X32: killed. As in runc, ENOSYS for calls newer than all that the
   profile names, where the default is a refusal.
   =========================================================================================== */

/* ----- the table of calls: made by tests/syscalls.sh ----- */

/* Number on i386, on x86_64, and by asm-generic (as aarch64 has it). Sorted. */
#define OCIRT__SECCOMP_CALLS(C, NO) \
    C(_llseek, 140, NO, NO) C(_newselect, 142, NO, NO) C(_sysctl, 149, 156, NO) C(accept, NO, 43, 202) \
    C(accept4, 364, 288, 242) C(access, 33, 21, NO) C(acct, 51, 163, 89) C(add_key, 286, 248, 217) \
    C(adjtimex, 124, 159, 171) C(afs_syscall, 137, 183, NO) C(alarm, 27, 37, NO) C(arch_prctl, 384, 158, NO) \
    C(arm_fadvise64_64, NO, NO, NO) C(arm_sync_file_range, NO, NO, NO) C(atomic_barrier, NO, NO, NO) \
    C(atomic_cmpxchg_32, NO, NO, NO) C(bdflush, 134, NO, NO) C(bind, 361, 49, 200) C(bpf, 357, 321, 280) \
    C(break, 17, NO, NO) C(breakpoint, NO, NO, NO) C(brk, 45, 12, 214) C(cachectl, NO, NO, NO) \
    C(cacheflush, NO, NO, NO) C(cachestat, 451, 451, 451) C(capget, 184, 125, 90) C(capset, 185, 126, 91) \
    C(chdir, 12, 80, 49) C(chmod, 15, 90, NO) C(chown, 182, 92, NO) C(chown32, 212, NO, NO) C(chroot, 61, 161, 51) \
    C(clock_adjtime, 343, 305, 266) C(clock_adjtime64, 405, NO, NO) C(clock_getres, 266, 229, 114) \
    C(clock_getres_time64, 406, NO, NO) C(clock_gettime, 265, 228, 113) C(clock_gettime64, 403, NO, NO) \
    C(clock_nanosleep, 267, 230, 115) C(clock_nanosleep_time64, 407, NO, NO) C(clock_settime, 264, 227, 112) \
    C(clock_settime64, 404, NO, NO) C(clone, 120, 56, 220) C(clone3, 435, 435, 435) C(close, 6, 3, 57) \
    C(close_range, 436, 436, 436) C(connect, 362, 42, 203) C(copy_file_range, 377, 326, 285) C(creat, 8, 85, NO) \
    C(create_module, 127, 174, NO) C(delete_module, 129, 176, 106) C(dup, 41, 32, 23) C(dup2, 63, 33, NO) \
    C(dup3, 330, 292, 24) C(epoll_create, 254, 213, NO) C(epoll_create1, 329, 291, 20) C(epoll_ctl, 255, 233, 21) \
    C(epoll_ctl_old, NO, 214, NO) C(epoll_pwait, 319, 281, 22) C(epoll_pwait2, 441, 441, 441) \
    C(epoll_wait, 256, 232, NO) C(epoll_wait_old, NO, 215, NO) C(eventfd, 323, 284, NO) C(eventfd2, 328, 290, 19) \
    C(execve, 11, 59, 221) C(execveat, 358, 322, 281) C(exit, 1, 60, 93) C(exit_group, 252, 231, 94) \
    C(faccessat, 307, 269, 48) C(faccessat2, 439, 439, 439) C(fadvise64, 250, 221, 223) C(fadvise64_64, 272, NO, NO) \
    C(fallocate, 324, 285, 47) C(fanotify_init, 338, 300, 262) C(fanotify_mark, 339, 301, 263) C(fchdir, 133, 81, 50) \
    C(fchmod, 94, 91, 52) C(fchmodat, 306, 268, 53) C(fchmodat2, 452, 452, 452) C(fchown, 95, 93, 55) \
    C(fchown32, 207, NO, NO) C(fchownat, 298, 260, 54) C(fcntl, 55, 72, 25) C(fcntl64, 221, NO, NO) \
    C(fdatasync, 148, 75, 83) C(fgetxattr, 231, 193, 10) C(file_getattr, 468, 468, 468) \
    C(file_setattr, 469, 469, 469) C(finit_module, 350, 313, 273) C(flistxattr, 234, 196, 13) C(flock, 143, 73, 32) \
    C(fork, 2, 57, NO) C(fremovexattr, 237, 199, 16) C(fsconfig, 431, 431, 431) C(fsetxattr, 228, 190, 7) \
    C(fsmount, 432, 432, 432) C(fsopen, 430, 430, 430) C(fspick, 433, 433, 433) C(fstat, 108, 5, 80) \
    C(fstat64, 197, NO, NO) C(fstatat64, 300, NO, NO) C(fstatfs, 100, 138, 44) C(fstatfs64, 269, NO, NO) \
    C(fsync, 118, 74, 82) C(ftime, 35, NO, NO) C(ftruncate, 93, 77, 46) C(ftruncate64, 194, NO, NO) \
    C(futex, 240, 202, 98) C(futex_requeue, 456, 456, 456) C(futex_time64, 422, NO, NO) C(futex_wait, 455, 455, 455) \
    C(futex_waitv, 449, 449, 449) C(futex_wake, 454, 454, 454) C(futimesat, 299, 261, NO) \
    C(get_kernel_syms, 130, 177, NO) C(get_mempolicy, 275, 239, 236) C(get_robust_list, 312, 274, 100) \
    C(get_thread_area, 244, 211, NO) C(get_tls, NO, NO, NO) C(getcpu, 318, 309, 168) C(getcwd, 183, 79, 17) \
    C(getdents, 141, 78, NO) C(getdents64, 220, 217, 61) C(getegid, 50, 108, 177) C(getegid32, 202, NO, NO) \
    C(geteuid, 49, 107, 175) C(geteuid32, 201, NO, NO) C(getgid, 47, 104, 176) C(getgid32, 200, NO, NO) \
    C(getgroups, 80, 115, 158) C(getgroups32, 205, NO, NO) C(getitimer, 105, 36, 102) C(getpagesize, NO, NO, NO) \
    C(getpeername, 368, 52, 205) C(getpgid, 132, 121, 155) C(getpgrp, 65, 111, NO) C(getpid, 20, 39, 172) \
    C(getpmsg, 188, 181, NO) C(getppid, 64, 110, 173) C(getpriority, 96, 140, 141) C(getrandom, 355, 318, 278) \
    C(getresgid, 171, 120, 150) C(getresgid32, 211, NO, NO) C(getresuid, 165, 118, 148) C(getresuid32, 209, NO, NO) \
    C(getrlimit, 76, 97, 163) C(getrusage, 77, 98, 165) C(getsid, 147, 124, 156) C(getsockname, 367, 51, 204) \
    C(getsockopt, 365, 55, 209) C(gettid, 224, 186, 178) C(gettimeofday, 78, 96, 169) C(getuid, 24, 102, 174) \
    C(getuid32, 199, NO, NO) C(getxattr, 229, 191, 8) C(getxattrat, 464, 464, 464) C(gtty, 32, NO, NO) \
    C(idle, 112, NO, NO) C(init_module, 128, 175, 105) C(inotify_add_watch, 292, 254, 27) \
    C(inotify_init, 291, 253, NO) C(inotify_init1, 332, 294, 26) C(inotify_rm_watch, 293, 255, 28) \
    C(io_cancel, 249, 210, 3) C(io_destroy, 246, 207, 1) C(io_getevents, 247, 208, 4) C(io_pgetevents, 385, 333, 292) \
    C(io_pgetevents_time64, 416, NO, NO) C(io_setup, 245, 206, 0) C(io_submit, 248, 209, 2) \
    C(io_uring_enter, 426, 426, 426) C(io_uring_register, 427, 427, 427) C(io_uring_setup, 425, 425, 425) \
    C(ioctl, 54, 16, 29) C(ioperm, 101, 173, NO) C(iopl, 110, 172, NO) C(ioprio_get, 290, 252, 31) \
    C(ioprio_set, 289, 251, 30) C(ipc, 117, NO, NO) C(kcmp, 349, 312, 272) C(kexec_file_load, NO, 320, 294) \
    C(kexec_load, 283, 246, 104) C(keyctl, 288, 250, 219) C(kill, 37, 62, 129) C(landlock_add_rule, 445, 445, 445) \
    C(landlock_create_ruleset, 444, 444, 444) C(landlock_restrict_self, 446, 446, 446) C(lchown, 16, 94, NO) \
    C(lchown32, 198, NO, NO) C(lgetxattr, 230, 192, 9) C(link, 9, 86, NO) C(linkat, 303, 265, 37) \
    C(listen, 363, 50, 201) C(listmount, 458, 458, 458) C(listns, 470, 470, 470) C(listxattr, 232, 194, 11) \
    C(listxattrat, 465, 465, 465) C(llistxattr, 233, 195, 12) C(lock, 53, NO, NO) C(lookup_dcookie, 253, 212, 18) \
    C(lremovexattr, 236, 198, 15) C(lseek, 19, 8, 62) C(lsetxattr, 227, 189, 6) C(lsm_get_self_attr, 459, 459, 459) \
    C(lsm_list_modules, 461, 461, 461) C(lsm_set_self_attr, 460, 460, 460) C(lstat, 107, 6, NO) \
    C(lstat64, 196, NO, NO) C(madvise, 219, 28, 233) C(map_shadow_stack, 453, 453, 453) C(mbind, 274, 237, 235) \
    C(membarrier, 375, 324, 283) C(memfd_create, 356, 319, 279) C(memfd_secret, 447, 447, 447) \
    C(migrate_pages, 294, 256, 238) C(mincore, 218, 27, 232) C(mkdir, 39, 83, NO) C(mkdirat, 296, 258, 34) \
    C(mknod, 14, 133, NO) C(mknodat, 297, 259, 33) C(mlock, 150, 149, 228) C(mlock2, 376, 325, 284) \
    C(mlockall, 152, 151, 230) C(mmap, 90, 9, 222) C(mmap2, 192, NO, NO) C(modify_ldt, 123, 154, NO) \
    C(mount, 21, 165, 40) C(mount_setattr, 442, 442, 442) C(move_mount, 429, 429, 429) C(move_pages, 317, 279, 239) \
    C(mprotect, 125, 10, 226) C(mpx, 56, NO, NO) C(mq_getsetattr, 282, 245, 185) C(mq_notify, 281, 244, 184) \
    C(mq_open, 277, 240, 180) C(mq_timedreceive, 280, 243, 183) C(mq_timedreceive_time64, 419, NO, NO) \
    C(mq_timedsend, 279, 242, 182) C(mq_timedsend_time64, 418, NO, NO) C(mq_unlink, 278, 241, 181) \
    C(mremap, 163, 25, 216) C(mseal, 462, 462, 462) C(msgctl, 402, 71, 187) C(msgget, 399, 68, 186) \
    C(msgrcv, 401, 70, 188) C(msgsnd, 400, 69, 189) C(msync, 144, 26, 227) C(multiplexer, NO, NO, NO) \
    C(munlock, 151, 150, 229) C(munlockall, 153, 152, 231) C(munmap, 91, 11, 215) C(name_to_handle_at, 341, 303, 264) \
    C(nanosleep, 162, 35, 101) C(newfstatat, NO, 262, 79) C(nfsservctl, 169, 180, 42) C(nice, 34, NO, NO) \
    C(oldfstat, 28, NO, NO) C(oldlstat, 84, NO, NO) C(oldolduname, 59, NO, NO) C(oldstat, 18, NO, NO) \
    C(olduname, 109, NO, NO) C(open, 5, 2, NO) C(open_by_handle_at, 342, 304, 265) C(open_tree, 428, 428, 428) \
    C(open_tree_attr, 467, 467, 467) C(openat, 295, 257, 56) C(openat2, 437, 437, 437) C(pause, 29, 34, NO) \
    C(pciconfig_iobase, NO, NO, NO) C(pciconfig_read, NO, NO, NO) C(pciconfig_write, NO, NO, NO) \
    C(perf_event_open, 336, 298, 241) C(personality, 136, 135, 92) C(pidfd_getfd, 438, 438, 438) \
    C(pidfd_open, 434, 434, 434) C(pidfd_send_signal, 424, 424, 424) C(pipe, 42, 22, NO) C(pipe2, 331, 293, 59) \
    C(pivot_root, 217, 155, 41) C(pkey_alloc, 381, 330, 289) C(pkey_free, 382, 331, 290) \
    C(pkey_mprotect, 380, 329, 288) C(poll, 168, 7, NO) C(ppoll, 309, 271, 73) C(ppoll_time64, 414, NO, NO) \
    C(prctl, 172, 157, 167) C(pread64, 180, 17, 67) C(preadv, 333, 295, 69) C(preadv2, 378, 327, 286) \
    C(prlimit64, 340, 302, 261) C(process_madvise, 440, 440, 440) C(process_mrelease, 448, 448, 448) \
    C(process_vm_readv, 347, 310, 270) C(process_vm_writev, 348, 311, 271) C(prof, 44, NO, NO) C(profil, 98, NO, NO) \
    C(pselect6, 308, 270, 72) C(pselect6_time64, 413, NO, NO) C(ptrace, 26, 101, 117) C(putpmsg, 189, 182, NO) \
    C(pwrite64, 181, 18, 68) C(pwritev, 334, 296, 70) C(pwritev2, 379, 328, 287) C(query_module, 167, 178, NO) \
    C(quotactl, 131, 179, 60) C(quotactl_fd, 443, 443, 443) C(read, 3, 0, 63) C(readahead, 225, 187, 213) \
    C(readdir, 89, NO, NO) C(readlink, 85, 89, NO) C(readlinkat, 305, 267, 78) C(readv, 145, 19, 65) \
    C(reboot, 88, 169, 142) C(recv, NO, NO, NO) C(recvfrom, 371, 45, 207) C(recvmmsg, 337, 299, 243) \
    C(recvmmsg_time64, 417, NO, NO) C(recvmsg, 372, 47, 212) C(remap_file_pages, 257, 216, 234) \
    C(removexattr, 235, 197, 14) C(removexattrat, 466, 466, 466) C(rename, 38, 82, NO) C(renameat, 302, 264, 38) \
    C(renameat2, 353, 316, 276) C(request_key, 287, 249, 218) C(reserved177, NO, NO, NO) C(reserved193, NO, NO, NO) \
    C(reserved221, NO, NO, NO) C(reserved82, NO, NO, NO) C(restart_syscall, 0, 219, 128) \
    C(riscv_flush_icache, NO, NO, NO) C(riscv_hwprobe, NO, NO, NO) C(rmdir, 40, 84, NO) C(rseq, 386, 334, 293) \
    C(rseq_slice_yield, 471, 471, 471) C(rt_sigaction, 174, 13, 134) C(rt_sigpending, 176, 127, 136) \
    C(rt_sigprocmask, 175, 14, 135) C(rt_sigqueueinfo, 178, 129, 138) C(rt_sigreturn, 173, 15, 139) \
    C(rt_sigsuspend, 179, 130, 133) C(rt_sigtimedwait, 177, 128, 137) C(rt_sigtimedwait_time64, 421, NO, NO) \
    C(rt_tgsigqueueinfo, 335, 297, 240) C(rtas, NO, NO, NO) C(s390_guarded_storage, NO, NO, NO) \
    C(s390_pci_mmio_read, NO, NO, NO) C(s390_pci_mmio_write, NO, NO, NO) C(s390_runtime_instr, NO, NO, NO) \
    C(s390_sthyi, NO, NO, NO) C(sched_get_priority_max, 159, 146, 125) C(sched_get_priority_min, 160, 147, 126) \
    C(sched_getaffinity, 242, 204, 123) C(sched_getattr, 352, 315, 275) C(sched_getparam, 155, 143, 121) \
    C(sched_getscheduler, 157, 145, 120) C(sched_rr_get_interval, 161, 148, 127) \
    C(sched_rr_get_interval_time64, 423, NO, NO) C(sched_setaffinity, 241, 203, 122) C(sched_setattr, 351, 314, 274) \
    C(sched_setparam, 154, 142, 118) C(sched_setscheduler, 156, 144, 119) C(sched_yield, 158, 24, 124) \
    C(seccomp, 354, 317, 277) C(security, NO, 185, NO) C(select, 82, 23, NO) C(semctl, 394, 66, 191) \
    C(semget, 393, 64, 190) C(semop, NO, 65, 193) C(semtimedop, NO, 220, 192) C(semtimedop_time64, 420, NO, NO) \
    C(send, NO, NO, NO) C(sendfile, 187, 40, 71) C(sendfile64, 239, NO, NO) C(sendmmsg, 345, 307, 269) \
    C(sendmsg, 370, 46, 211) C(sendto, 369, 44, 206) C(set_mempolicy, 276, 238, 237) \
    C(set_mempolicy_home_node, 450, 450, 450) C(set_robust_list, 311, 273, 99) C(set_thread_area, 243, 205, NO) \
    C(set_tid_address, 258, 218, 96) C(set_tls, NO, NO, NO) C(setdomainname, 121, 171, 162) \
    C(setfsgid, 139, 123, 152) C(setfsgid32, 216, NO, NO) C(setfsuid, 138, 122, 151) C(setfsuid32, 215, NO, NO) \
    C(setgid, 46, 106, 144) C(setgid32, 214, NO, NO) C(setgroups, 81, 116, 159) C(setgroups32, 206, NO, NO) \
    C(sethostname, 74, 170, 161) C(setitimer, 104, 38, 103) C(setns, 346, 308, 268) C(setpgid, 57, 109, 154) \
    C(setpriority, 97, 141, 140) C(setregid, 71, 114, 143) C(setregid32, 204, NO, NO) C(setresgid, 170, 119, 149) \
    C(setresgid32, 210, NO, NO) C(setresuid, 164, 117, 147) C(setresuid32, 208, NO, NO) C(setreuid, 70, 113, 145) \
    C(setreuid32, 203, NO, NO) C(setrlimit, 75, 160, 164) C(setsid, 66, 112, 157) C(setsockopt, 366, 54, 208) \
    C(settimeofday, 79, 164, 170) C(setuid, 23, 105, 146) C(setuid32, 213, NO, NO) C(setxattr, 226, 188, 5) \
    C(setxattrat, 463, 463, 463) C(sgetmask, 68, NO, NO) C(shmat, 397, 30, 196) C(shmctl, 396, 31, 195) \
    C(shmdt, 398, 67, 197) C(shmget, 395, 29, 194) C(shutdown, 373, 48, 210) C(sigaction, 67, NO, NO) \
    C(sigaltstack, 186, 131, 132) C(signal, 48, NO, NO) C(signalfd, 321, 282, NO) C(signalfd4, 327, 289, 74) \
    C(sigpending, 73, NO, NO) C(sigprocmask, 126, NO, NO) C(sigreturn, 119, NO, NO) C(sigsuspend, 72, NO, NO) \
    C(socket, 359, 41, 198) C(socketcall, 102, NO, NO) C(socketpair, 360, 53, 199) C(splice, 313, 275, 76) \
    C(spu_create, NO, NO, NO) C(spu_run, NO, NO, NO) C(ssetmask, 69, NO, NO) C(stat, 106, 4, NO) \
    C(stat64, 195, NO, NO) C(statfs, 99, 137, 43) C(statfs64, 268, NO, NO) C(statmount, 457, 457, 457) \
    C(statx, 383, 332, 291) C(stime, 25, NO, NO) C(stty, 31, NO, NO) C(subpage_prot, NO, NO, NO) \
    C(swapcontext, NO, NO, NO) C(swapoff, 115, 168, 225) C(swapon, 87, 167, 224) C(switch_endian, NO, NO, NO) \
    C(symlink, 83, 88, NO) C(symlinkat, 304, 266, 36) C(sync, 36, 162, 81) C(sync_file_range, 314, 277, 84) \
    C(sync_file_range2, NO, NO, NO) C(syncfs, 344, 306, 267) C(sys_debug_setcontext, NO, NO, NO) \
    C(syscall, NO, NO, NO) C(sysfs, 135, 139, NO) C(sysinfo, 116, 99, 179) C(syslog, 103, 103, 116) \
    C(sysmips, NO, NO, NO) C(tee, 315, 276, 77) C(tgkill, 270, 234, 131) C(time, 13, 201, NO) \
    C(timer_create, 259, 222, 107) C(timer_delete, 263, 226, 111) C(timer_getoverrun, 262, 225, 109) \
    C(timer_gettime, 261, 224, 108) C(timer_gettime64, 408, NO, NO) C(timer_settime, 260, 223, 110) \
    C(timer_settime64, 409, NO, NO) C(timerfd, NO, NO, NO) C(timerfd_create, 322, 283, 85) \
    C(timerfd_gettime, 326, 287, 87) C(timerfd_gettime64, 410, NO, NO) C(timerfd_settime, 325, 286, 86) \
    C(timerfd_settime64, 411, NO, NO) C(times, 43, 100, 153) C(tkill, 238, 200, 130) C(truncate, 92, 76, 45) \
    C(truncate64, 193, NO, NO) C(tuxcall, NO, 184, NO) C(ugetrlimit, 191, NO, NO) C(ulimit, 58, NO, NO) \
    C(umask, 60, 95, 166) C(umount, 22, NO, NO) C(umount2, 52, 166, 39) C(uname, 122, 63, 160) C(unlink, 10, 87, NO) \
    C(unlinkat, 301, 263, 35) C(unshare, 310, 272, 97) C(unused109, NO, NO, NO) C(unused150, NO, NO, NO) \
    C(unused18, NO, NO, NO) C(unused28, NO, NO, NO) C(unused59, NO, NO, NO) C(unused84, NO, NO, NO) \
    C(uprobe, NO, 336, NO) C(uretprobe, NO, 335, NO) C(uselib, 86, 134, NO) C(userfaultfd, 374, 323, 282) \
    C(usr26, NO, NO, NO) C(usr32, NO, NO, NO) C(ustat, 62, 136, NO) C(utime, 30, 132, NO) C(utimensat, 320, 280, 88) \
    C(utimensat_time64, 412, NO, NO) C(utimes, 271, 235, NO) C(vfork, 190, 58, NO) C(vhangup, 111, 153, 58) \
    C(vm86, 166, NO, NO) C(vm86old, 113, NO, NO) C(vmsplice, 316, 278, 75) C(vserver, 273, 236, NO) \
    C(wait4, 114, 61, 260) C(waitid, 284, 247, 95) C(waitpid, 7, NO, NO) C(write, 4, 1, 64) C(writev, 146, 20, 66)

enum { OCIRT__SECCOMP_NONE = 0xffff, OCIRT__SECCOMP_SLOTS = 1024, OCIRT__SECCOMP_PRIVATE = 1000 };

/* The names in one piece, as char arrays of a struct: an offset takes two bytes, a pointer eight and a relocation. */
#define OCIRT__SECCOMP_MEMBER(name, i386, x86_64, generic) char n_##name[sizeof #name];
#define OCIRT__SECCOMP_TEXT(name, i386, x86_64, generic)   #name,
#define OCIRT__SECCOMP_ID(name, i386, x86_64, generic)     OCIRT__CALL_##name,
#define OCIRT__SECCOMP_NAME(name, i386, x86_64, generic)   offsetof(struct ocirt__seccomp_texts, n_##name),
#define OCIRT__SECCOMP_ROW(name, i386, x86_64, generic)    {i386, x86_64, generic},
struct ocirt__seccomp_texts {
    OCIRT__SECCOMP_CALLS(OCIRT__SECCOMP_MEMBER, 0)
};
static const struct ocirt__seccomp_texts ocirt__seccomp_texts = {OCIRT__SECCOMP_CALLS(OCIRT__SECCOMP_TEXT, 0)};
enum { OCIRT__SECCOMP_CALLS(OCIRT__SECCOMP_ID, 0) OCIRT__CALLS };
static const uint16_t ocirt__seccomp_names[] = {OCIRT__SECCOMP_CALLS(OCIRT__SECCOMP_NAME, 0)};
static const struct ocirt__seccomp_call {
    unsigned i386 : 10, x86_64 : 10, generic : 10;
} ocirt__seccomp_calls[] = {OCIRT__SECCOMP_CALLS(OCIRT__SECCOMP_ROW, 0x3ff)};

/* The other ports, each after one above it: from `number` on, `count` calls in the order that the other has them in,
   beginning with `call`. What ARM alone has (__ARM_NR_) is 1000 and more. */
struct ocirt__seccomp_run {
    unsigned number : 11, call : 12, count : 9;
};
#define OCIRT__R(number, name, count) {number, OCIRT__CALL_##name, count}
static const struct ocirt__seccomp_run ocirt__seccomp_x32[] = { /* after x86_64 */
    OCIRT__R(0, read, 13), OCIRT__R(14, rt_sigprocmask, 1), OCIRT__R(17, pread64, 2), OCIRT__R(21, access, 24),
    OCIRT__R(48, shutdown, 6), OCIRT__R(56, clone, 3), OCIRT__R(60, exit, 41), OCIRT__R(102, getuid, 25),
    OCIRT__R(130, rt_sigsuspend, 1), OCIRT__R(132, utime, 2), OCIRT__R(135, personality, 21),
    OCIRT__R(157, prctl, 17), OCIRT__R(175, init_module, 2), OCIRT__R(179, quotactl, 1), OCIRT__R(181, getpmsg, 24),
    OCIRT__R(207, io_destroy, 2), OCIRT__R(210, io_cancel, 1), OCIRT__R(212, lookup_dcookie, 2),
    OCIRT__R(216, remap_file_pages, 6), OCIRT__R(223, timer_settime, 13), OCIRT__R(237, mbind, 7),
    OCIRT__R(245, mq_getsetattr, 1), OCIRT__R(248, add_key, 25), OCIRT__R(275, splice, 3),
    OCIRT__R(280, utimensat, 15), OCIRT__R(298, perf_event_open, 1), OCIRT__R(300, fanotify_init, 7),
    OCIRT__R(308, setns, 2), OCIRT__R(312, kcmp, 10), OCIRT__R(323, userfaultfd, 4),
    OCIRT__R(329, pkey_mprotect, 56), OCIRT__R(512, rt_sigaction, 1), OCIRT__R(513, rt_sigreturn, 2),
    OCIRT__R(515, readv, 2), OCIRT__R(517, recvfrom, 3), OCIRT__R(520, execve, 1), OCIRT__R(521, ptrace, 1),
    OCIRT__R(522, rt_sigpending, 3), OCIRT__R(525, sigaltstack, 1), OCIRT__R(526, timer_create, 1),
    OCIRT__R(527, mq_notify, 1), OCIRT__R(528, kexec_load, 2), OCIRT__R(530, set_robust_list, 2),
    OCIRT__R(532, vmsplice, 2), OCIRT__R(534, preadv, 3), OCIRT__R(537, recvmmsg, 1), OCIRT__R(538, sendmmsg, 1),
    OCIRT__R(539, process_vm_readv, 2), OCIRT__R(541, setsockopt, 2), OCIRT__R(543, io_setup, 1),
    OCIRT__R(544, io_submit, 1), OCIRT__R(545, execveat, 1), OCIRT__R(546, preadv2, 2)};
static const struct ocirt__seccomp_run ocirt__seccomp_n64[] = { /* after x86_64 */
    OCIRT__R(0, read, 15), OCIRT__R(15, ioctl, 7), OCIRT__R(22, _newselect, 1), OCIRT__R(23, sched_yield, 13),
    OCIRT__R(36, setitimer, 1), OCIRT__R(37, alarm, 1), OCIRT__R(38, getpid, 19), OCIRT__R(57, execve, 75),
    OCIRT__R(132, personality, 19), OCIRT__R(151, pivot_root, 3), OCIRT__R(154, adjtimex, 13),
    OCIRT__R(167, create_module, 10), OCIRT__R(177, reserved177, 1), OCIRT__R(178, gettid, 15),
    OCIRT__R(193, reserved193, 1), OCIRT__R(194, futex, 3), OCIRT__R(197, cacheflush, 1), OCIRT__R(198, cachectl, 1),
    OCIRT__R(199, sysmips, 1), OCIRT__R(200, io_setup, 5), OCIRT__R(205, exit_group, 1),
    OCIRT__R(206, lookup_dcookie, 2), OCIRT__R(208, epoll_ctl, 1), OCIRT__R(209, epoll_wait, 1),
    OCIRT__R(210, remap_file_pages, 1), OCIRT__R(211, rt_sigreturn, 1), OCIRT__R(212, set_tid_address, 13),
    OCIRT__R(225, tgkill, 2), OCIRT__R(227, mbind, 1), OCIRT__R(228, get_mempolicy, 1),
    OCIRT__R(229, set_mempolicy, 1), OCIRT__R(230, mq_open, 6), OCIRT__R(236, vserver, 1), OCIRT__R(237, waitid, 1),
    OCIRT__R(239, add_key, 3), OCIRT__R(242, set_thread_area, 1), OCIRT__R(243, inotify_init, 20),
    OCIRT__R(263, splice, 1), OCIRT__R(264, sync_file_range, 1), OCIRT__R(265, tee, 1), OCIRT__R(266, vmsplice, 2),
    OCIRT__R(268, set_robust_list, 2), OCIRT__R(270, kexec_load, 1), OCIRT__R(271, getcpu, 1),
    OCIRT__R(272, epoll_pwait, 1), OCIRT__R(273, ioprio_set, 2), OCIRT__R(275, utimensat, 1),
    OCIRT__R(276, signalfd, 1), OCIRT__R(277, timerfd, 1), OCIRT__R(278, eventfd, 2),
    OCIRT__R(280, timerfd_create, 1), OCIRT__R(281, timerfd_gettime, 1), OCIRT__R(282, timerfd_settime, 1),
    OCIRT__R(283, signalfd4, 10), OCIRT__R(293, accept4, 1), OCIRT__R(294, recvmmsg, 10),
    OCIRT__R(304, process_vm_readv, 4), OCIRT__R(308, getdents64, 1), OCIRT__R(309, sched_setattr, 6),
    OCIRT__R(315, bpf, 12), OCIRT__R(327, rseq, 1), OCIRT__R(328, io_pgetevents, 1),
    OCIRT__R(424, pidfd_send_signal, 23), OCIRT__R(448, process_mrelease, 24)};
static const struct ocirt__seccomp_run ocirt__seccomp_n32[] = { /* after n64 */
    OCIRT__R(0, read, 212), OCIRT__R(212, fcntl64, 1), OCIRT__R(213, set_tid_address, 4), OCIRT__R(217, statfs64, 1),
    OCIRT__R(218, fstatfs64, 1), OCIRT__R(219, sendfile64, 1), OCIRT__R(220, timer_create, 78),
    OCIRT__R(299, getdents64, 1), OCIRT__R(300, fanotify_init, 13), OCIRT__R(313, sched_setattr, 20),
    OCIRT__R(403, clock_gettime64, 1), OCIRT__R(404, clock_settime64, 1), OCIRT__R(405, clock_adjtime64, 1),
    OCIRT__R(406, clock_getres_time64, 1), OCIRT__R(407, clock_nanosleep_time64, 1),
    OCIRT__R(408, timer_gettime64, 1), OCIRT__R(409, timer_settime64, 1), OCIRT__R(410, timerfd_gettime64, 1),
    OCIRT__R(411, timerfd_settime64, 1), OCIRT__R(412, utimensat_time64, 1), OCIRT__R(413, pselect6_time64, 1),
    OCIRT__R(414, ppoll_time64, 1), OCIRT__R(416, io_pgetevents_time64, 1), OCIRT__R(417, recvmmsg_time64, 1),
    OCIRT__R(418, mq_timedsend_time64, 1), OCIRT__R(419, mq_timedreceive_time64, 1),
    OCIRT__R(420, semtimedop_time64, 1), OCIRT__R(421, rt_sigtimedwait_time64, 1), OCIRT__R(422, futex_time64, 1),
    OCIRT__R(423, sched_rr_get_interval_time64, 1), OCIRT__R(424, pidfd_send_signal, 47)};
static const struct ocirt__seccomp_run ocirt__seccomp_riscv[] = { /* after generic */
    OCIRT__R(0, io_setup, 38), OCIRT__R(39, umount2, 205), OCIRT__R(258, riscv_hwprobe, 1),
    OCIRT__R(259, riscv_flush_icache, 1), OCIRT__R(260, wait4, 83)};
static const struct ocirt__seccomp_run ocirt__seccomp_loongarch[] = { /* after generic */
    OCIRT__R(0, io_setup, 38), OCIRT__R(39, umount2, 124), OCIRT__R(165, getrusage, 162)};
static const struct ocirt__seccomp_run ocirt__seccomp_sh[] = { /* after i386 */
    OCIRT__R(0, restart_syscall, 17), OCIRT__R(18, oldstat, 13), OCIRT__R(33, access, 2), OCIRT__R(36, sync, 8),
    OCIRT__R(45, brk, 8), OCIRT__R(54, ioctl, 2), OCIRT__R(57, setpgid, 1), OCIRT__R(60, umask, 22),
    OCIRT__R(83, symlink, 15), OCIRT__R(99, statfs, 2), OCIRT__R(102, socketcall, 8), OCIRT__R(111, vhangup, 1),
    OCIRT__R(114, wait4, 9), OCIRT__R(123, cacheflush, 1), OCIRT__R(124, adjtimex, 3), OCIRT__R(128, init_module, 2),
    OCIRT__R(131, quotactl, 6), OCIRT__R(138, setfsuid, 28), OCIRT__R(168, poll, 20), OCIRT__R(190, vfork, 51),
    OCIRT__R(245, io_setup, 27), OCIRT__R(274, mbind, 11), OCIRT__R(285, add_key, 8),
    OCIRT__R(294, migrate_pages, 43), OCIRT__R(337, fanotify_init, 3), OCIRT__R(340, socket, 1),
    OCIRT__R(341, bind, 3), OCIRT__R(344, accept, 1), OCIRT__R(345, getsockname, 2), OCIRT__R(347, socketpair, 1),
    OCIRT__R(348, send, 1), OCIRT__R(349, sendto, 1), OCIRT__R(350, recv, 1), OCIRT__R(351, recvfrom, 1),
    OCIRT__R(352, shutdown, 1), OCIRT__R(353, setsockopt, 1), OCIRT__R(354, getsockopt, 1),
    OCIRT__R(355, sendmsg, 1), OCIRT__R(356, recvmsg, 1), OCIRT__R(357, recvmmsg, 1), OCIRT__R(358, accept4, 1),
    OCIRT__R(359, name_to_handle_at, 10), OCIRT__R(369, sched_getattr, 1), OCIRT__R(370, sched_setattr, 1),
    OCIRT__R(371, renameat2, 6), OCIRT__R(377, userfaultfd, 6), OCIRT__R(383, statx, 1),
    OCIRT__R(384, pkey_mprotect, 3), OCIRT__R(387, rseq, 1), OCIRT__R(388, sync_file_range2, 1),
    OCIRT__R(393, semget, 41), OCIRT__R(436, close_range, 11), OCIRT__R(448, process_mrelease, 24)};
static const struct ocirt__seccomp_run ocirt__seccomp_arm[] = { /* after sh */
    OCIRT__R(0, restart_syscall, 7), OCIRT__R(8, creat, 5), OCIRT__R(14, mknod, 3), OCIRT__R(19, lseek, 3),
    OCIRT__R(23, setuid, 2), OCIRT__R(26, ptrace, 1), OCIRT__R(29, pause, 1), OCIRT__R(33, access, 13),
    OCIRT__R(49, geteuid, 15), OCIRT__R(70, setreuid, 6), OCIRT__R(77, getrusage, 6), OCIRT__R(85, readlink, 4),
    OCIRT__R(91, munmap, 9), OCIRT__R(103, syslog, 6), OCIRT__R(111, vhangup, 4), OCIRT__R(118, fsync, 5),
    OCIRT__R(124, adjtimex, 86), OCIRT__R(217, getdents64, 1), OCIRT__R(218, pivot_root, 3),
    OCIRT__R(221, fcntl64, 20), OCIRT__R(243, io_setup, 5), OCIRT__R(248, exit_group, 6),
    OCIRT__R(256, set_tid_address, 14), OCIRT__R(270, arm_fadvise64_64, 1), OCIRT__R(271, pciconfig_iobase, 1),
    OCIRT__R(272, pciconfig_read, 1), OCIRT__R(273, pciconfig_write, 1), OCIRT__R(274, mq_open, 6),
    OCIRT__R(280, waitid, 1), OCIRT__R(281, socket, 17), OCIRT__R(298, semop, 1), OCIRT__R(299, semget, 2),
    OCIRT__R(301, msgsnd, 2), OCIRT__R(303, msgget, 1), OCIRT__R(304, msgctl, 1), OCIRT__R(305, shmat, 2),
    OCIRT__R(307, shmget, 2), OCIRT__R(309, add_key, 3), OCIRT__R(312, semtimedop, 1), OCIRT__R(313, vserver, 1),
    OCIRT__R(314, ioprio_set, 5), OCIRT__R(319, mbind, 3), OCIRT__R(322, openat, 19),
    OCIRT__R(341, sync_file_range2, 1), OCIRT__R(342, tee, 5), OCIRT__R(347, kexec_load, 1),
    OCIRT__R(348, utimensat, 17), OCIRT__R(365, recvmmsg, 2), OCIRT__R(367, fanotify_init, 3),
    OCIRT__R(370, name_to_handle_at, 10), OCIRT__R(380, sched_setattr, 1), OCIRT__R(381, sched_getattr, 1),
    OCIRT__R(382, renameat2, 12), OCIRT__R(394, pkey_mprotect, 3), OCIRT__R(397, statx, 1), OCIRT__R(398, rseq, 1),
    OCIRT__R(399, io_pgetevents, 1), OCIRT__R(400, migrate_pages, 1), OCIRT__R(401, kexec_file_load, 1),
    OCIRT__R(403, clock_gettime64, 31), OCIRT__R(435, clone3, 1), OCIRT__R(436, close_range, 35),
    OCIRT__R(1001, breakpoint, 1), OCIRT__R(1002, cacheflush, 1), OCIRT__R(1003, usr26, 1), OCIRT__R(1004, usr32, 1),
    OCIRT__R(1005, set_tls, 1), OCIRT__R(1006, get_tls, 1), OCIRT__R(341, arm_sync_file_range, 1)};
static const struct ocirt__seccomp_run ocirt__seccomp_ppc[] = { /* after i386 */
    OCIRT__R(0, restart_syscall, 113), OCIRT__R(113, vm86, 1), OCIRT__R(114, wait4, 52),
    OCIRT__R(166, query_module, 25), OCIRT__R(191, readahead, 1), OCIRT__R(192, mmap2, 6),
    OCIRT__R(198, pciconfig_read, 1), OCIRT__R(199, pciconfig_write, 1), OCIRT__R(200, pciconfig_iobase, 1),
    OCIRT__R(201, multiplexer, 1), OCIRT__R(202, getdents64, 1), OCIRT__R(203, pivot_root, 1),
    OCIRT__R(204, fcntl64, 1), OCIRT__R(205, madvise, 1), OCIRT__R(206, mincore, 1), OCIRT__R(207, gettid, 1),
    OCIRT__R(208, tkill, 1), OCIRT__R(209, setxattr, 12), OCIRT__R(221, futex, 3), OCIRT__R(225, tuxcall, 1),
    OCIRT__R(226, sendfile64, 1), OCIRT__R(227, io_setup, 5), OCIRT__R(232, set_tid_address, 1),
    OCIRT__R(233, fadvise64, 1), OCIRT__R(234, exit_group, 6), OCIRT__R(240, timer_create, 9),
    OCIRT__R(249, swapcontext, 1), OCIRT__R(250, tgkill, 2), OCIRT__R(252, statfs64, 2),
    OCIRT__R(254, fadvise64_64, 1), OCIRT__R(255, rtas, 1), OCIRT__R(256, sys_debug_setcontext, 1),
    OCIRT__R(258, migrate_pages, 1), OCIRT__R(259, mbind, 10), OCIRT__R(269, add_key, 3), OCIRT__R(272, waitid, 1),
    OCIRT__R(273, ioprio_set, 5), OCIRT__R(278, spu_run, 1), OCIRT__R(279, spu_create, 1),
    OCIRT__R(280, pselect6, 3), OCIRT__R(283, splice, 1), OCIRT__R(284, tee, 2), OCIRT__R(286, openat, 13),
    OCIRT__R(299, get_robust_list, 1), OCIRT__R(300, set_robust_list, 1), OCIRT__R(301, move_pages, 7),
    OCIRT__R(308, sync_file_range2, 1), OCIRT__R(309, fallocate, 1), OCIRT__R(310, subpage_prot, 1),
    OCIRT__R(311, timerfd_settime, 8), OCIRT__R(319, perf_event_open, 1), OCIRT__R(320, preadv, 3),
    OCIRT__R(323, fanotify_init, 3), OCIRT__R(326, socket, 1), OCIRT__R(327, bind, 3), OCIRT__R(330, accept, 1),
    OCIRT__R(331, getsockname, 2), OCIRT__R(333, socketpair, 1), OCIRT__R(334, send, 1), OCIRT__R(335, sendto, 1),
    OCIRT__R(336, recv, 1), OCIRT__R(337, recvfrom, 1), OCIRT__R(338, shutdown, 1), OCIRT__R(339, setsockopt, 1),
    OCIRT__R(340, getsockopt, 1), OCIRT__R(341, sendmsg, 1), OCIRT__R(342, recvmsg, 1), OCIRT__R(343, recvmmsg, 1),
    OCIRT__R(344, accept4, 1), OCIRT__R(345, name_to_handle_at, 8), OCIRT__R(353, finit_module, 1),
    OCIRT__R(354, kcmp, 1), OCIRT__R(355, sched_setattr, 8), OCIRT__R(363, switch_endian, 1),
    OCIRT__R(364, userfaultfd, 2), OCIRT__R(378, mlock2, 4), OCIRT__R(382, kexec_file_load, 1),
    OCIRT__R(383, statx, 1), OCIRT__R(384, pkey_alloc, 2), OCIRT__R(386, pkey_mprotect, 1), OCIRT__R(387, rseq, 1),
    OCIRT__R(388, io_pgetevents, 1), OCIRT__R(393, semget, 53), OCIRT__R(448, process_mrelease, 24)};
static const struct ocirt__seccomp_run ocirt__seccomp_ppc64[] = { /* after ppc */
    OCIRT__R(0, restart_syscall, 192), OCIRT__R(198, pciconfig_read, 6), OCIRT__R(205, madvise, 20),
    OCIRT__R(227, io_setup, 27), OCIRT__R(255, rtas, 35), OCIRT__R(291, newfstatat, 1), OCIRT__R(292, unlinkat, 85),
    OCIRT__R(392, semtimedop, 1), OCIRT__R(393, semget, 10), OCIRT__R(424, pidfd_send_signal, 47)};
static const struct ocirt__seccomp_run ocirt__seccomp_s390[] = { /* after i386 */
    OCIRT__R(1, exit, 6), OCIRT__R(7, restart_syscall, 1), OCIRT__R(8, creat, 9), OCIRT__R(19, lseek, 9),
    OCIRT__R(29, pause, 2), OCIRT__R(33, access, 2), OCIRT__R(36, sync, 8), OCIRT__R(45, brk, 8),
    OCIRT__R(54, ioctl, 2), OCIRT__R(57, setpgid, 1), OCIRT__R(60, umask, 8), OCIRT__R(70, setreuid, 12),
    OCIRT__R(83, symlink, 1), OCIRT__R(85, readlink, 13), OCIRT__R(99, statfs, 10), OCIRT__R(110, lookup_dcookie, 1),
    OCIRT__R(111, vhangup, 2), OCIRT__R(114, wait4, 9), OCIRT__R(124, adjtimex, 42), OCIRT__R(167, query_module, 55),
    OCIRT__R(222, readahead, 1), OCIRT__R(223, sendfile64, 1), OCIRT__R(224, setxattr, 12), OCIRT__R(236, gettid, 1),
    OCIRT__R(237, tkill, 1), OCIRT__R(238, futex, 3), OCIRT__R(241, tgkill, 1), OCIRT__R(243, io_setup, 5),
    OCIRT__R(248, exit_group, 1), OCIRT__R(249, epoll_create, 3), OCIRT__R(252, set_tid_address, 1),
    OCIRT__R(253, fadvise64, 1), OCIRT__R(254, timer_create, 9), OCIRT__R(264, fadvise64_64, 1),
    OCIRT__R(265, statfs64, 2), OCIRT__R(267, remap_file_pages, 1), OCIRT__R(268, mbind, 10),
    OCIRT__R(278, add_key, 3), OCIRT__R(281, waitid, 1), OCIRT__R(282, ioprio_set, 31), OCIRT__R(313, utimes, 1),
    OCIRT__R(314, fallocate, 1), OCIRT__R(315, utimensat, 2), OCIRT__R(317, timerfd, 1), OCIRT__R(318, eventfd, 1),
    OCIRT__R(319, timerfd_create, 1), OCIRT__R(320, timerfd_settime, 4), OCIRT__R(324, inotify_init1, 1),
    OCIRT__R(325, pipe2, 1), OCIRT__R(326, dup3, 1), OCIRT__R(327, epoll_create1, 1), OCIRT__R(328, preadv, 4),
    OCIRT__R(332, fanotify_init, 7), OCIRT__R(339, setns, 3), OCIRT__R(342, s390_runtime_instr, 1),
    OCIRT__R(343, kcmp, 9), OCIRT__R(352, s390_pci_mmio_write, 1), OCIRT__R(353, s390_pci_mmio_read, 1),
    OCIRT__R(354, execveat, 1), OCIRT__R(355, userfaultfd, 2), OCIRT__R(357, recvmmsg, 1),
    OCIRT__R(358, sendmmsg, 1), OCIRT__R(359, socket, 15), OCIRT__R(374, mlock2, 4),
    OCIRT__R(378, s390_guarded_storage, 1), OCIRT__R(379, statx, 1), OCIRT__R(380, s390_sthyi, 1),
    OCIRT__R(381, kexec_file_load, 1), OCIRT__R(382, io_pgetevents, 2), OCIRT__R(384, pkey_mprotect, 3),
    OCIRT__R(393, semget, 69)};
static const struct ocirt__seccomp_run ocirt__seccomp_s390x[] = { /* after s390 */
    OCIRT__R(1, exit, 12), OCIRT__R(14, mknod, 2), OCIRT__R(19, lseek, 4), OCIRT__R(26, ptrace, 15),
    OCIRT__R(48, signal, 1), OCIRT__R(51, acct, 13), OCIRT__R(72, sigsuspend, 4), OCIRT__R(77, getrusage, 3),
    OCIRT__R(83, symlink, 11), OCIRT__R(96, getpriority, 4), OCIRT__R(102, socketcall, 33),
    OCIRT__R(141, getdents, 1), OCIRT__R(142, select, 1), OCIRT__R(143, flock, 21), OCIRT__R(167, query_module, 3),
    OCIRT__R(172, prctl, 10), OCIRT__R(183, getcwd, 8), OCIRT__R(191, getrlimit, 1), OCIRT__R(198, lchown, 1),
    OCIRT__R(199, getuid, 1), OCIRT__R(200, getgid, 1), OCIRT__R(201, geteuid, 2), OCIRT__R(203, setreuid, 2),
    OCIRT__R(205, getgroups, 2), OCIRT__R(207, fchown, 1), OCIRT__R(208, setresuid, 2), OCIRT__R(210, setresgid, 2),
    OCIRT__R(212, chown, 1), OCIRT__R(213, setuid, 1), OCIRT__R(214, setgid, 1), OCIRT__R(215, setfsuid, 2),
    OCIRT__R(217, pivot_root, 4), OCIRT__R(222, readahead, 1), OCIRT__R(224, setxattr, 38),
    OCIRT__R(265, statfs64, 28), OCIRT__R(293, newfstatat, 1), OCIRT__R(294, unlinkat, 93),
    OCIRT__R(392, semtimedop, 1), OCIRT__R(393, semget, 10), OCIRT__R(424, pidfd_send_signal, 39),
    OCIRT__R(463, setxattrat, 1), OCIRT__R(464, getxattrat, 1), OCIRT__R(465, listxattrat, 1),
    OCIRT__R(466, removexattrat, 1), OCIRT__R(467, open_tree_attr, 1), OCIRT__R(468, file_getattr, 1),
    OCIRT__R(469, file_setattr, 1), OCIRT__R(470, listns, 1), OCIRT__R(471, rseq_slice_yield, 1)};
static const struct ocirt__seccomp_run ocirt__seccomp_mips[] = { /* after i386 */
    OCIRT__R(0, syscall, 1), OCIRT__R(1, exit, 17), OCIRT__R(18, unused18, 1), OCIRT__R(19, lseek, 9),
    OCIRT__R(28, unused28, 1), OCIRT__R(29, pause, 30), OCIRT__R(59, unused59, 1), OCIRT__R(60, umask, 22),
    OCIRT__R(82, reserved82, 1), OCIRT__R(83, symlink, 1), OCIRT__R(84, unused84, 1), OCIRT__R(85, readlink, 24),
    OCIRT__R(109, unused109, 1), OCIRT__R(110, iopl, 3), OCIRT__R(113, vm86, 1), OCIRT__R(114, wait4, 33),
    OCIRT__R(147, cacheflush, 1), OCIRT__R(148, cachectl, 1), OCIRT__R(149, sysmips, 1), OCIRT__R(150, unused150, 1),
    OCIRT__R(151, getsid, 17), OCIRT__R(168, accept, 1), OCIRT__R(169, bind, 2), OCIRT__R(171, getpeername, 1),
    OCIRT__R(172, getsockname, 1), OCIRT__R(173, getsockopt, 1), OCIRT__R(174, listen, 1), OCIRT__R(175, recv, 1),
    OCIRT__R(176, recvfrom, 2), OCIRT__R(178, send, 1), OCIRT__R(179, sendmsg, 1), OCIRT__R(180, sendto, 1),
    OCIRT__R(181, setsockopt, 1), OCIRT__R(182, shutdown, 1), OCIRT__R(183, socket, 2), OCIRT__R(185, setresuid, 2),
    OCIRT__R(187, query_module, 23), OCIRT__R(210, mmap2, 6), OCIRT__R(216, pivot_root, 5),
    OCIRT__R(221, reserved221, 1), OCIRT__R(222, gettid, 19), OCIRT__R(241, io_setup, 5),
    OCIRT__R(246, exit_group, 7), OCIRT__R(253, restart_syscall, 1), OCIRT__R(254, fadvise64, 1),
    OCIRT__R(255, statfs64, 2), OCIRT__R(257, timer_create, 9), OCIRT__R(266, tgkill, 2), OCIRT__R(268, mbind, 9),
    OCIRT__R(277, vserver, 1), OCIRT__R(278, waitid, 4), OCIRT__R(283, set_thread_area, 1),
    OCIRT__R(284, inotify_init, 20), OCIRT__R(304, splice, 5), OCIRT__R(309, set_robust_list, 2),
    OCIRT__R(311, kexec_load, 1), OCIRT__R(312, getcpu, 2), OCIRT__R(314, ioprio_set, 2),
    OCIRT__R(316, utimensat, 2), OCIRT__R(318, timerfd, 1), OCIRT__R(319, eventfd, 2),
    OCIRT__R(321, timerfd_create, 1), OCIRT__R(322, timerfd_gettime, 1), OCIRT__R(323, timerfd_settime, 1),
    OCIRT__R(324, signalfd4, 10), OCIRT__R(334, accept4, 1), OCIRT__R(335, recvmmsg, 22),
    OCIRT__R(357, userfaultfd, 10), OCIRT__R(367, rseq, 1), OCIRT__R(368, io_pgetevents, 1),
    OCIRT__R(393, semget, 53), OCIRT__R(448, process_mrelease, 24)};
static const struct ocirt__seccomp_run ocirt__seccomp_parisc[] = { /* after sh */
    OCIRT__R(0, restart_syscall, 17), OCIRT__R(17, socket, 1), OCIRT__R(18, stat, 1), OCIRT__R(19, lseek, 3),
    OCIRT__R(22, bind, 1), OCIRT__R(23, setuid, 5), OCIRT__R(28, fstat, 1), OCIRT__R(29, pause, 2),
    OCIRT__R(31, connect, 2), OCIRT__R(33, access, 2), OCIRT__R(35, accept, 1), OCIRT__R(36, sync, 8),
    OCIRT__R(44, getsockname, 1), OCIRT__R(45, brk, 8), OCIRT__R(53, getpeername, 1), OCIRT__R(54, ioctl, 2),
    OCIRT__R(56, socketpair, 1), OCIRT__R(57, setpgid, 1), OCIRT__R(58, send, 1), OCIRT__R(59, uname, 1),
    OCIRT__R(60, umask, 7), OCIRT__R(67, pivot_root, 1), OCIRT__R(68, sgetmask, 4), OCIRT__R(72, mincore, 1),
    OCIRT__R(73, sigpending, 9), OCIRT__R(82, sendto, 1), OCIRT__R(83, symlink, 1), OCIRT__R(84, lstat, 1),
    OCIRT__R(85, readlink, 4), OCIRT__R(89, mmap2, 1), OCIRT__R(90, mmap, 8), OCIRT__R(98, recv, 1),
    OCIRT__R(99, statfs, 2), OCIRT__R(101, stat64, 1), OCIRT__R(103, syslog, 3), OCIRT__R(106, capget, 2),
    OCIRT__R(108, pread64, 2), OCIRT__R(110, getcwd, 1), OCIRT__R(111, vhangup, 1), OCIRT__R(112, fstat64, 1),
    OCIRT__R(113, vfork, 1), OCIRT__R(114, wait4, 3), OCIRT__R(117, shutdown, 1), OCIRT__R(118, fsync, 1),
    OCIRT__R(119, madvise, 1), OCIRT__R(120, clone, 2), OCIRT__R(122, sendfile, 1), OCIRT__R(123, recvfrom, 1),
    OCIRT__R(124, adjtimex, 39), OCIRT__R(166, sigaltstack, 1), OCIRT__R(168, poll, 1), OCIRT__R(170, setresgid, 10),
    OCIRT__R(180, chown, 1), OCIRT__R(181, setsockopt, 4), OCIRT__R(185, semop, 1), OCIRT__R(186, semget, 2),
    OCIRT__R(188, msgsnd, 2), OCIRT__R(190, msgget, 1), OCIRT__R(191, msgctl, 1), OCIRT__R(192, shmat, 2),
    OCIRT__R(194, shmget, 2), OCIRT__R(198, lstat64, 1), OCIRT__R(199, truncate64, 2), OCIRT__R(201, getdents64, 2),
    OCIRT__R(206, gettid, 2), OCIRT__R(208, tkill, 10), OCIRT__R(222, exit_group, 6), OCIRT__R(228, semtimedop, 1),
    OCIRT__R(229, mq_open, 6), OCIRT__R(235, waitid, 1), OCIRT__R(236, fadvise64_64, 1),
    OCIRT__R(237, set_tid_address, 1), OCIRT__R(238, setxattr, 12), OCIRT__R(250, timer_create, 9),
    OCIRT__R(259, tgkill, 1), OCIRT__R(260, mbind, 3), OCIRT__R(264, add_key, 8), OCIRT__R(272, migrate_pages, 1),
    OCIRT__R(273, pselect6, 2), OCIRT__R(275, openat, 13), OCIRT__R(288, unshare, 10), OCIRT__R(298, statfs64, 2),
    OCIRT__R(300, kexec_load, 1), OCIRT__R(301, utimensat, 2), OCIRT__R(304, eventfd, 2),
    OCIRT__R(306, timerfd_create, 1), OCIRT__R(307, timerfd_settime, 12), OCIRT__R(319, recvmmsg, 2),
    OCIRT__R(321, prlimit64, 1), OCIRT__R(322, fanotify_init, 2), OCIRT__R(324, clock_adjtime, 1),
    OCIRT__R(325, name_to_handle_at, 2), OCIRT__R(327, syncfs, 1), OCIRT__R(328, setns, 1),
    OCIRT__R(329, sendmmsg, 1), OCIRT__R(330, process_vm_readv, 4), OCIRT__R(334, sched_setattr, 1),
    OCIRT__R(335, sched_getattr, 1), OCIRT__R(336, utimes, 1), OCIRT__R(337, renameat2, 6),
    OCIRT__R(343, membarrier, 1), OCIRT__R(344, userfaultfd, 1), OCIRT__R(345, mlock2, 5),
    OCIRT__R(350, io_pgetevents, 1), OCIRT__R(351, pkey_mprotect, 4), OCIRT__R(355, kexec_file_load, 1),
    OCIRT__R(356, cacheflush, 1), OCIRT__R(403, clock_gettime64, 31), OCIRT__R(435, clone3, 1),
    OCIRT__R(436, close_range, 35)};
static const struct ocirt__seccomp_run ocirt__seccomp_parisc64[] = { /* after parisc */
    OCIRT__R(0, restart_syscall, 136), OCIRT__R(141, getdents, 203), OCIRT__R(424, pidfd_send_signal, 47)};
static const struct ocirt__seccomp_run ocirt__seccomp_m68k[] = { /* after i386 */
    OCIRT__R(0, restart_syscall, 16), OCIRT__R(16, chown, 1), OCIRT__R(18, oldstat, 13), OCIRT__R(33, access, 2),
    OCIRT__R(36, sync, 8), OCIRT__R(45, brk, 8), OCIRT__R(54, ioctl, 2), OCIRT__R(57, setpgid, 1),
    OCIRT__R(60, umask, 38), OCIRT__R(99, statfs, 2), OCIRT__R(102, socketcall, 7), OCIRT__R(111, vhangup, 1),
    OCIRT__R(114, wait4, 9), OCIRT__R(123, cacheflush, 1), OCIRT__R(124, adjtimex, 13), OCIRT__R(138, setfsuid, 28),
    OCIRT__R(166, getpagesize, 1), OCIRT__R(167, query_module, 15), OCIRT__R(182, lchown, 1),
    OCIRT__R(183, getcwd, 15), OCIRT__R(198, chown32, 1), OCIRT__R(199, getuid32, 13), OCIRT__R(212, lchown32, 1),
    OCIRT__R(213, setuid32, 5), OCIRT__R(220, getdents64, 1), OCIRT__R(221, gettid, 1), OCIRT__R(222, tkill, 1),
    OCIRT__R(223, setxattr, 12), OCIRT__R(235, futex, 1), OCIRT__R(236, sendfile64, 1), OCIRT__R(237, mincore, 2),
    OCIRT__R(239, fcntl64, 1), OCIRT__R(240, readahead, 1), OCIRT__R(241, io_setup, 6),
    OCIRT__R(247, exit_group, 21), OCIRT__R(268, mbind, 9), OCIRT__R(277, waitid, 33),
    OCIRT__R(311, sched_setaffinity, 2), OCIRT__R(313, kexec_load, 1), OCIRT__R(314, getcpu, 19),
    OCIRT__R(333, get_thread_area, 1), OCIRT__R(334, set_thread_area, 1), OCIRT__R(335, atomic_cmpxchg_32, 1),
    OCIRT__R(336, atomic_barrier, 1), OCIRT__R(337, fanotify_init, 7), OCIRT__R(344, setns, 8),
    OCIRT__R(352, getrandom, 19), OCIRT__R(371, recvmmsg, 1), OCIRT__R(372, sendmmsg, 1),
    OCIRT__R(373, userfaultfd, 6), OCIRT__R(379, statx, 1), OCIRT__R(380, seccomp, 1),
    OCIRT__R(381, pkey_mprotect, 3), OCIRT__R(384, rseq, 1), OCIRT__R(393, semget, 53),
    OCIRT__R(448, process_mrelease, 24)};
#undef OCIRT__R

enum {
    OCIRT__PORT_I386, OCIRT__PORT_X86_64, OCIRT__PORT_GENERIC, OCIRT__PORT_X32, OCIRT__PORT_N64, OCIRT__PORT_N32, OCIRT__PORT_RISCV,
    OCIRT__PORT_LOONGARCH, OCIRT__PORT_SH, OCIRT__PORT_ARM, OCIRT__PORT_PPC, OCIRT__PORT_PPC64, OCIRT__PORT_S390, OCIRT__PORT_S390X,
    OCIRT__PORT_MIPS, OCIRT__PORT_PARISC, OCIRT__PORT_PARISC64, OCIRT__PORT_M68K
};

#define OCIRT__SECCOMP_X32 0x40000000u /* bit in the number */
#define OCIRT__SECCOMP_ARM 0xf0000u    /* of ARM's own calls */

static const struct ocirt__seccomp_port {
    const struct ocirt__seccomp_run *runs;
    uint8_t  count, like; /* of runs; the port they follow */
    bool     wide, muxed; /* 64-bit arguments; has socketcall and ipc */
    uint32_t first;       /* number of call 0 */
} ocirt__seccomp_ports[] = {
#define OCIRT__RUNS(port) .runs = ocirt__seccomp_##port, .count = sizeof ocirt__seccomp_##port / sizeof ocirt__seccomp_##port[0]
    [OCIRT__PORT_I386]      = {.muxed = true},
    [OCIRT__PORT_X86_64]    = {.like = 1, .wide = true},
    [OCIRT__PORT_GENERIC]   = {.like = 2, .wide = true},
    [OCIRT__PORT_X32]       = {OCIRT__RUNS(x32), .like = OCIRT__PORT_X86_64, .first = OCIRT__SECCOMP_X32},
    [OCIRT__PORT_N64]       = {OCIRT__RUNS(n64), .like = OCIRT__PORT_X86_64, .wide = true, .first = 5000},
    [OCIRT__PORT_N32]       = {OCIRT__RUNS(n32), .like = OCIRT__PORT_N64, .first = 6000},
    [OCIRT__PORT_RISCV]     = {OCIRT__RUNS(riscv), .like = OCIRT__PORT_GENERIC, .wide = true},
    [OCIRT__PORT_LOONGARCH] = {OCIRT__RUNS(loongarch), .like = OCIRT__PORT_GENERIC, .wide = true},
    [OCIRT__PORT_SH]        = {OCIRT__RUNS(sh), .like = OCIRT__PORT_I386, .muxed = true},
    [OCIRT__PORT_ARM]       = {OCIRT__RUNS(arm), .like = OCIRT__PORT_SH},
    [OCIRT__PORT_PPC]       = {OCIRT__RUNS(ppc), .like = OCIRT__PORT_I386, .muxed = true},
    [OCIRT__PORT_PPC64]     = {OCIRT__RUNS(ppc64), .like = OCIRT__PORT_PPC, .wide = true, .muxed = true},
    [OCIRT__PORT_S390]      = {OCIRT__RUNS(s390), .like = OCIRT__PORT_I386, .muxed = true},
    [OCIRT__PORT_S390X]     = {OCIRT__RUNS(s390x), .like = OCIRT__PORT_S390, .wide = true, .muxed = true},
    [OCIRT__PORT_MIPS]      = {OCIRT__RUNS(mips), .like = OCIRT__PORT_I386, .muxed = true, .first = 4000},
    [OCIRT__PORT_PARISC]    = {OCIRT__RUNS(parisc), .like = OCIRT__PORT_SH},
    [OCIRT__PORT_PARISC64]  = {OCIRT__RUNS(parisc64), .like = OCIRT__PORT_PARISC, .wide = true},
    [OCIRT__PORT_M68K]      = {OCIRT__RUNS(m68k), .like = OCIRT__PORT_I386, .muxed = true}};
#undef OCIRT__RUNS

/* A kernel reports only architectures of its own family. Rows are in the order of ocirt__names_seccomp_archs. */
static const struct ocirt__seccomp_arch {
    uint8_t port, family;
} ocirt__seccomp_archs[] = {
    {OCIRT__PORT_I386, 1}, {OCIRT__PORT_X86_64, 1}, {OCIRT__PORT_X32, 1}, {OCIRT__PORT_ARM, 2}, {OCIRT__PORT_GENERIC, 2}, {OCIRT__PORT_MIPS, 3},
    {OCIRT__PORT_N64, 3}, {OCIRT__PORT_N32, 3}, {OCIRT__PORT_MIPS, 4}, {OCIRT__PORT_N64, 4}, {OCIRT__PORT_N32, 4}, {OCIRT__PORT_PPC, 5},
    {OCIRT__PORT_PPC64, 5}, {OCIRT__PORT_PPC64, 6}, {OCIRT__PORT_S390, 7}, {OCIRT__PORT_S390X, 7}, {OCIRT__PORT_PARISC, 8},
    {OCIRT__PORT_PARISC64, 8}, {OCIRT__PORT_RISCV, 9}, {OCIRT__PORT_LOONGARCH, 10}, {OCIRT__PORT_M68K, 11}, {OCIRT__PORT_SH, 12},
    {OCIRT__PORT_SH, 13}};
enum { OCIRT__SECCOMP_ARCHS = sizeof ocirt__seccomp_archs / sizeof ocirt__seccomp_archs[0], OCIRT__SECCOMP_X32_ROW = 2 };

/* What this build runs on, as AUDIT_ARCH_. */
static uint32_t ocirt__seccomp_native(void) {
#if defined(__x86_64__)
    return 0xc000003e;
#elif defined(__i386__)
    return 0x40000003;
#elif defined(__aarch64__)
    return 0xc00000b7;
#elif defined(__arm__)
    return 0x40000028;
#elif defined(__riscv)
    return 0xc00000f3;
#elif defined(__loongarch__)
    return 0xc0000102;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
    return 0xc0000015;
#elif defined(__powerpc64__)
    return 0x80000015;
#elif defined(__powerpc__)
    return 0x14;
#elif defined(__s390x__)
    return 0x80000016;
#elif defined(__s390__)
    return 0x16;
#elif defined(__mips__)
    return 8u | (_MIPS_SIM == _ABIO32 ? 0 : 0x80000000u) | (_MIPS_SIM == _ABIN32 ? 0x20000000u : 0) | (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0x40000000u : 0);
#elif defined(__hppa__)
    return 0xf;
#elif defined(__m68k__)
    return 4;
#elif defined(__sh__)
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0x4000002a : 0x2a;
#else
    return 0; /* no table: a profile is refused */
#endif
}

/* Row of an AUDIT_ARCH_ value, -1: unknown. */
static int ocirt__seccomp_arch_row(uint64_t audit) {
    for (int i = 0; i < OCIRT__SECCOMP_ARCHS; i++)
        if (ocirt__names_seccomp_archs[i].value == audit) return i;
    return -1;
}

/* What the kernel reports for a row: x32 is told by the number. */
static uint32_t ocirt__seccomp_audit(int row) {
    return (uint32_t)ocirt__names_seccomp_archs[row == OCIRT__SECCOMP_X32_ROW ? OCIRT__SECCOMP_X32_ROW - 1 : row].value;
}

static const char *ocirt__seccomp_call_name(unsigned call) {
    return (const char *)&ocirt__seccomp_texts + ocirt__seccomp_names[call];
}

/* OCIRT__CALLS: unknown. */
static unsigned ocirt__seccomp_call_find(const char *name) {
    unsigned low = 0, high = OCIRT__CALLS;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = strcmp(name, ocirt__seccomp_call_name(middle));
        if (order == 0) return middle;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return OCIRT__CALLS;
}

/* Profiles list their names in order: the next one is mostly one of the next. */
static unsigned ocirt__seccomp_call_after(unsigned last, const char *name) {
    for (unsigned i = last + 1; i < last + 4 && i < OCIRT__CALLS; i++)
        if (strcmp(name, ocirt__seccomp_call_name(i)) == 0) return i;
    return ocirt__seccomp_call_find(name);
}

static void ocirt__seccomp_follow(const struct ocirt__seccomp_run *run, const uint16_t *base, const uint16_t *order, uint16_t *numbers) {
    unsigned first = base[run->call], left = run->count;
    if (first == OCIRT__SECCOMP_NONE) numbers[run->call] = (uint16_t)run->number;
    else
        for (unsigned n = first; left > 0 && n < OCIRT__SECCOMP_SLOTS; n++)
            if (order[n] != OCIRT__SECCOMP_NONE) numbers[order[n]] = (uint16_t)(run->number + n - first), left--;
}

/* The number of each call on a port, without its offset; OCIRT__SECCOMP_NONE where it has none. */
static void ocirt__seccomp_numbers(unsigned port, uint16_t *numbers) {
    const struct ocirt__seccomp_port *p = &ocirt__seccomp_ports[port];
    uint16_t base[OCIRT__CALLS], order[OCIRT__SECCOMP_SLOTS];
    if (!p->runs) {
        for (unsigned i = 0; i < OCIRT__CALLS; i++) {
            const struct ocirt__seccomp_call *c = &ocirt__seccomp_calls[i];
            unsigned n = p->like == 0 ? c->i386 : p->like == 1 ? c->x86_64 : c->generic;
            numbers[i] = (uint16_t)(n == 0x3ff ? OCIRT__SECCOMP_NONE : n);
        }
        return;
    }
    ocirt__seccomp_numbers(p->like, base);
    memset(numbers, 0xff, OCIRT__CALLS * sizeof *numbers);
    memset(order, 0xff, sizeof order);
    for (unsigned i = 0; i < OCIRT__CALLS; i++)
        if (base[i] < OCIRT__SECCOMP_SLOTS) order[base[i]] = (uint16_t)i;
    for (unsigned i = 0; i < p->count; i++) ocirt__seccomp_follow(&p->runs[i], base, order, numbers);
}

/* As the kernel counts, from a place in the table of a port. */
static uint32_t ocirt__seccomp_real(unsigned port, unsigned slot) {
    if (port == OCIRT__PORT_ARM && slot > OCIRT__SECCOMP_PRIVATE) return OCIRT__SECCOMP_ARM + slot - OCIRT__SECCOMP_PRIVATE;
    return ocirt__seccomp_ports[port].first + slot;
}

/* socketcall(2) and ipc(2): which of their calls this is, 0: none. */
static unsigned ocirt__seccomp_muxed(unsigned call, unsigned *out_through) {
    static const struct {
        uint16_t call, number, through;
    } calls[] = { /* sorted */
        {OCIRT__CALL_accept, 5, OCIRT__CALL_socketcall}, {OCIRT__CALL_accept4, 18, OCIRT__CALL_socketcall},
        {OCIRT__CALL_bind, 2, OCIRT__CALL_socketcall}, {OCIRT__CALL_connect, 3, OCIRT__CALL_socketcall},
        {OCIRT__CALL_getpeername, 7, OCIRT__CALL_socketcall}, {OCIRT__CALL_getsockname, 6, OCIRT__CALL_socketcall},
        {OCIRT__CALL_getsockopt, 15, OCIRT__CALL_socketcall}, {OCIRT__CALL_listen, 4, OCIRT__CALL_socketcall},
        {OCIRT__CALL_msgctl, 14, OCIRT__CALL_ipc}, {OCIRT__CALL_msgget, 13, OCIRT__CALL_ipc}, {OCIRT__CALL_msgrcv, 12, OCIRT__CALL_ipc},
        {OCIRT__CALL_msgsnd, 11, OCIRT__CALL_ipc}, {OCIRT__CALL_recv, 10, OCIRT__CALL_socketcall}, {OCIRT__CALL_recvfrom, 12, OCIRT__CALL_socketcall},
        {OCIRT__CALL_recvmmsg, 19, OCIRT__CALL_socketcall}, {OCIRT__CALL_recvmsg, 17, OCIRT__CALL_socketcall},
        {OCIRT__CALL_semctl, 3, OCIRT__CALL_ipc}, {OCIRT__CALL_semget, 2, OCIRT__CALL_ipc}, {OCIRT__CALL_semop, 1, OCIRT__CALL_ipc},
        {OCIRT__CALL_semtimedop, 4, OCIRT__CALL_ipc}, {OCIRT__CALL_send, 9, OCIRT__CALL_socketcall},
        {OCIRT__CALL_sendmmsg, 20, OCIRT__CALL_socketcall}, {OCIRT__CALL_sendmsg, 16, OCIRT__CALL_socketcall},
        {OCIRT__CALL_sendto, 11, OCIRT__CALL_socketcall}, {OCIRT__CALL_setsockopt, 14, OCIRT__CALL_socketcall},
        {OCIRT__CALL_shmat, 21, OCIRT__CALL_ipc}, {OCIRT__CALL_shmctl, 24, OCIRT__CALL_ipc}, {OCIRT__CALL_shmdt, 22, OCIRT__CALL_ipc},
        {OCIRT__CALL_shmget, 23, OCIRT__CALL_ipc}, {OCIRT__CALL_shutdown, 13, OCIRT__CALL_socketcall}, {OCIRT__CALL_socket, 1, OCIRT__CALL_socketcall},
        {OCIRT__CALL_socketpair, 8, OCIRT__CALL_socketcall}};
    unsigned low = 0, high = sizeof calls / sizeof calls[0];
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (calls[middle].call == call) return *out_through = calls[middle].through, calls[middle].number;
        if (calls[middle].call < call) low = middle + 1;
        else high = middle;
    }
    return 0;
}

/* ----- rules ----- */

#define OCIRT__SECCOMP_KILL   0u
#define OCIRT__SECCOMP_ERRNO  0x00050000u
#define OCIRT__SECCOMP_NOTIFY 0x7fc00000u
#define OCIRT__SECCOMP_TRACE  0x7ff00000u
#define OCIRT__SECCOMP_LOG    0x7ffc0000u
#define OCIRT__SECCOMP_ALLOW  0x7fff0000u
enum { OCIRT__CMP_NE = 1, OCIRT__CMP_LT, OCIRT__CMP_LE, OCIRT__CMP_EQ, OCIRT__CMP_GE, OCIRT__CMP_GT, OCIRT__CMP_MASKED };

struct ocirt__seccomp_insn { /* struct sock_filter */
    uint16_t code;
    uint8_t  yes, no; /* instructions to skip */
    uint32_t k;
};

struct ocirt__seccomp_filter {
    struct ocirt__seccomp_insn *program;
    uint32_t count, flags; /* of seccomp(2) */
    bool     listener;     /* a call can be answered by NOTIFY: loading gives a descriptor */
    bool     provable;     /* prctl(PR_GET_SECCOMP) may be asked under it */
    struct ocirt__seccomp_tree {
        uint32_t start; /* of an architecture's part */
        uint8_t  row;   /* of ocirt__seccomp_archs */
    } trees[3];
    uint32_t trees_count;
};

struct ocirt__seccomp_test {
    uint32_t index, op;
    uint64_t mask, value;
};

struct ocirt__seccomp_rule { /* all tests hold: the action */
    struct ocirt__seccomp_rule *next;
    struct ocirt__seccomp_test *tests;
    uint32_t count, action;
};

struct ocirt__seccomp_interval { /* of numbers, up to the next one's start: the action, or the rules and else the action */
    uint32_t start, action;
    const struct ocirt__seccomp_rule *rules;
};

enum { OCIRT__SECCOMP_MAX = 4096, OCIRT__SECCOMP_INTERVALS = 4 * OCIRT__CALLS + 16, OCIRT__SECCOMP_REUSE = 16 };

struct ocirt__seccomp_maker {
    ocirt_arena         *arena;
    const ocirt_json    *doc;
    const ocirt_seccomp *of;
    ocirt_error         *error;
    uint32_t             action; /* default */
    bool                 stub;   /* newer calls are ENOSYS */
    bool                 through_ipc; /* the rule at hand is about a call of ipc(2), else of socketcall(2) */
    uint32_t             tries;  /* rules made, kept or not */
    uint16_t            *calls;  /* of each name, in the order of the config */
    unsigned             port, max, rules;
    struct ocirt__seccomp_rule    **slots; /* of the port at hand; the last to be tried first */
    struct ocirt__seccomp_rule     *plain; /* the last without a test: it is the same for all calls */
    struct ocirt__seccomp_interval *intervals;
    size_t                          intervals_count;
    uint16_t                       *groups; /* where each leaf of the search begins */
    struct ocirt__seccomp_insn     *end;   /* the program is written from its end: jumps only go forward */
    uint32_t                        count;
    bool                            full, notifies;
    struct {
        uint32_t action, label;
    } answers[OCIRT__SECCOMP_REUSE]; /* where a return with that action is */
    struct ocirt__seccomp_tree trees[3];
    uint32_t trees_count;
};

static int ocirt__seccomp_fail(const struct ocirt__seccomp_maker *m, int code, uint32_t token, const char *member, const char *text) {
    ocirt__error_set(m->error, code, 0, "", "linux.seccomp: %s", text);
    if (!m->doc || !token) return -code;
    return ocirt__error_place(m->error, m->doc, member && ocirt__json_member(m->doc, token, member) ? ocirt__json_member(m->doc, token, member) : token), -code;
}

/* What the kernel is given for an action: its data in the low half. */
static int ocirt__seccomp_action(const struct ocirt__seccomp_maker *m, uint32_t action, const ocirt_opt_uint *data, uint32_t token, const char *member, uint32_t *out) {
    bool takes = action == OCIRT__SECCOMP_ERRNO || action == OCIRT__SECCOMP_TRACE;
    if (data->set && !takes) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, token, member, "this action has no errno");
    /* The kernel cuts to 16 bits, and 65536 would mean success. */
    if (data->set && data->value > 0xffff) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, token, member, "an errno is at most 65535");
    *out = !takes ? action : action | (data->set ? (uint32_t)data->value : EPERM);
    return 0;
}

/* By libseccomp's order of tests on one level. Negative: `a` is tried before `b`; 0: the same test; 1: later, or as they come. */
static int ocirt__seccomp_test_order(const struct ocirt__seccomp_test *a, const struct ocirt__seccomp_test *b) {
    static const uint8_t ranks[] = {0, 3, 2, 2, 3, 1, 1, 3};
    uint32_t x = a->index * 2 + (a->mask >> 32 != 0), y = b->index * 2 + (b->mask >> 32 != 0);
    bool     less = a->op == OCIRT__CMP_LT || a->op == OCIRT__CMP_LE;
    if (x != y) return x > y ? -1 : 1;
    if (ranks[a->op] != ranks[b->op]) return ranks[a->op] > ranks[b->op] ? -1 : 1;
    if ((a->value ^ b->value) >> 32) return (a->value > b->value) != less ? -1 : 1;
    if (a->mask >> 32 && ((a->op == OCIRT__CMP_MASKED) != (b->op == OCIRT__CMP_MASKED) || (a->mask ^ b->mask) >> 32)) return 1;
    if (a->value != b->value) return (a->value > b->value) != less ? -1 : 1;
    return a->op != b->op || a->mask != b->mask;
}

static int ocirt__seccomp_order(const struct ocirt__seccomp_rule *a, const struct ocirt__seccomp_rule *b) {
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        int order = ocirt__seccomp_test_order(&a->tests[i], &b->tests[i]);
        if (order) return order;
    }
    return a->count < b->count ? -1 : a->count > b->count;
}

/* One more rule of a number, at its place. Entries that only differ in what cannot be seen (behind a pointer) are
   no contradiction: the first counts. */
static int ocirt__seccomp_add(struct ocirt__seccomp_maker *m, unsigned slot, struct ocirt__seccomp_test *tests, uint32_t count, const ocirt_syscall *s, uint32_t action, bool blind) {
    struct ocirt__seccomp_rule **at = &m->slots[slot], *rule, new = {.tests = tests, .count = count, .action = action};
    if (*at && (*at)->count == 0) return 0;
    if (count == 0 && m->plain && m->plain->action == action) return *at = m->plain, 0;
    if (count == 0) *at = NULL;
    for (struct ocirt__seccomp_rule *other = *at; other; other = other->next) { /* before the first that it precedes; the list is last first */
        int order = ocirt__seccomp_order(&new, other);
        if (order == 0 && other->action != action && !blind)
            return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->token, "action", "another entry has a different action for the same call under the same conditions");
        if (order == 0) return 0;
        if (order < 0) at = &other->next;
    }
    rule = ++m->rules > OCIRT__SECCOMP_MAX ? NULL : ocirt__mem_take(m->arena, sizeof *rule);
    if (!rule && m->rules > OCIRT__SECCOMP_MAX) return ocirt__seccomp_fail(m, OCIRT_E_LIMIT, m->of->token, "syscalls", "too many conditions for one filter");
    if (!rule) return ocirt__error_set(m->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    new.next = *at;
    *rule = new;
    *at = rule;
    if (count == 0) m->plain = rule;
    return 0;
}

/* As libseccomp reads an argument: half of it on 32-bit ports, and of MASKED_EQ only bits that the mask has. False:
   nothing is asked. */
static bool ocirt__seccomp_test_of(const struct ocirt__seccomp_maker *m, const ocirt_seccomp_arg *a, struct ocirt__seccomp_test *out) {
    uint64_t seen = ocirt__seccomp_ports[m->port].wide ? UINT64_MAX : UINT32_MAX;
    bool     masked = a->op == OCIRT__CMP_MASKED;
    out->index = a->index, out->op = a->op;
    out->mask  = masked ? a->value & seen : seen;
    out->value = (masked ? a->value_two : a->value) & out->mask;
    return out->mask != 0;
}

static bool ocirt__seccomp_repeats(const ocirt_syscall *s) {
    unsigned seen = 0;
    for (size_t i = 0; i < s->args_count; i++) {
        if (seen >> s->args[i].index & 1) return true;
        seen |= 1u << s->args[i].index;
    }
    return false;
}

/* Arguments from..to as one rule, ordered by index. `through`: the number of a muxed call, which takes the place of
   argument 0. */
static int ocirt__seccomp_entry_rule(struct ocirt__seccomp_maker *m, const ocirt_syscall *s, size_t from, size_t to, unsigned slot, unsigned through, uint32_t action) {
    struct ocirt__seccomp_test *tests;
    uint32_t count = 0;
    if (to == from && !through) return ocirt__seccomp_add(m, slot, NULL, 0, s, action, false);
    if (++m->tries > 16 * OCIRT__SECCOMP_MAX) return ocirt__seccomp_fail(m, OCIRT_E_LIMIT, m->of->token, "syscalls", "too many conditions for one filter");
    tests = ocirt__mem_array(m->arena, 7, sizeof *tests);
    if (!tests) return ocirt__error_set(m->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    /* socketcall takes an int, ipc a short: what is above it the kernel does not look at. */
    if (through) ocirt__seccomp_test_of(m, &(ocirt_seccomp_arg){.op = OCIRT__CMP_MASKED, .value = m->through_ipc ? 0xffff : UINT32_MAX, .value_two = through}, &tests[count++]);
    for (uint32_t index = through > 0; index < 6; index++)
        for (size_t i = from; i < to; i++)
            if (s->args[i].index == index) count += ocirt__seccomp_test_of(m, &s->args[i], &tests[count]);
    return ocirt__seccomp_add(m, slot, tests, count, s, action, through > 0);
}

static int ocirt__seccomp_entry_call(struct ocirt__seccomp_maker *m, const ocirt_syscall *s, unsigned slot, unsigned through, uint32_t action) {
    int r = 0;
    if (s->args_count < 2 || !ocirt__seccomp_repeats(s)) return ocirt__seccomp_entry_rule(m, s, 0, s->args_count, slot, through, action);
    for (size_t i = 0; r == 0 && i < s->args_count; i++) r = ocirt__seccomp_entry_rule(m, s, i, i + 1, slot, through, action);
    return r;
}

static int ocirt__seccomp_entry(struct ocirt__seccomp_maker *m, const ocirt_syscall *s, const uint16_t *calls, const uint16_t *numbers) {
    uint32_t action = 0;
    bool     muxed = ocirt__seccomp_ports[m->port].muxed;
    int r = ocirt__seccomp_action(m, s->action, &s->errno_ret, s->token, "errnoRet", &action);
    for (size_t i = 0; r == 0 && i < s->names.count; i++) {
        unsigned slot = calls[i] < OCIRT__CALLS ? numbers[calls[i]] : OCIRT__SECCOMP_NONE, through = 0, number;
        if (slot < OCIRT__SECCOMP_PRIVATE && slot + 1 > m->max) m->max = slot + 1;
        if (action == m->action || calls[i] >= OCIRT__CALLS) continue;
        if (slot != OCIRT__SECCOMP_NONE) r = ocirt__seccomp_entry_call(m, s, slot, 0, action);
        number = r == 0 && muxed ? ocirt__seccomp_muxed(calls[i], &through) : 0;
        m->through_ipc = through == OCIRT__CALL_ipc;
        if (number) r = ocirt__seccomp_entry_call(m, s, numbers[through], number, action);
    }
    return r;
}

/* All rules of a port into its slots. */
static int ocirt__seccomp_entries(struct ocirt__seccomp_maker *m) {
    uint16_t numbers[OCIRT__CALLS];
    const uint16_t *calls = m->calls;
    int r = 0;
    ocirt__seccomp_numbers(m->port, numbers);
    memset(m->slots, 0, OCIRT__SECCOMP_SLOTS * sizeof *m->slots);
    m->max = 0;
    for (size_t i = 0; r == 0 && i < m->of->syscalls_count; calls += m->of->syscalls[i++].names.count)
        r = ocirt__seccomp_entry(m, &m->of->syscalls[i], calls, numbers);
    return r;
}

/* ----- intervals ----- */

static void ocirt__seccomp_from(struct ocirt__seccomp_maker *m, uint32_t start, uint32_t action, const struct ocirt__seccomp_rule *rules) {
    struct ocirt__seccomp_interval *last = m->intervals_count ? &m->intervals[m->intervals_count - 1] : NULL;
    if (rules && rules->count == 0) action = rules->action, rules = NULL;
    if (last && last->start == start) m->intervals_count--, last = m->intervals_count ? last - 1 : NULL;
    if (last && last->action == action && !last->rules && !rules) return;
    m->intervals[m->intervals_count++] = (struct ocirt__seccomp_interval){start, action, rules};
}

/* The numbers of a port, from its first on. */
static int ocirt__seccomp_intervals(struct ocirt__seccomp_maker *m) {
    bool     s390 = m->port == OCIRT__PORT_S390 || m->port == OCIRT__PORT_S390X;
    uint32_t newer; /* what calls that are newer than the profile meet */
    int r = ocirt__seccomp_entries(m);
    if (r < 0) return r;
    newer = m->stub && m->max ? OCIRT__SECCOMP_ERRNO | ENOSYS : m->action;
    for (unsigned slot = 0; slot < OCIRT__SECCOMP_SLOTS; slot++) {
        if (!m->slots[slot] && slot && slot != m->max) continue;
        uint32_t number = ocirt__seccomp_real(m->port, slot);
        /* On s390 a number that came in a register and that the kernel does not know is reported as 0. */
        bool     unknown = (slot >= m->max && !m->slots[slot]) || (s390 && slot == 0 && newer != m->action);
        ocirt__seccomp_from(m, number, unknown ? newer : m->action, unknown && slot == 0 ? NULL : m->slots[slot]);
        ocirt__seccomp_from(m, number + 1, slot + 1 < m->max ? m->action : newer, NULL);
    }
    return 0;
}

/* x86-64 and x32 share an architecture. Number -1 is what a tracer leaves behind of a call it answered itself. */
static int ocirt__seccomp_arch_intervals(struct ocirt__seccomp_maker *m, int row, bool x32) {
    int r;
    m->intervals_count = 0;
    m->port = ocirt__seccomp_archs[row].port;
    if (ocirt__seccomp_ports[m->port].first) ocirt__seccomp_from(m, 0, m->action, NULL);
    r = ocirt__seccomp_intervals(m);
    if (r < 0 || m->port != OCIRT__PORT_X86_64) return r;
    if (x32) return m->port = OCIRT__PORT_X32, ocirt__seccomp_intervals(m);
    ocirt__seccomp_from(m, OCIRT__SECCOMP_X32, OCIRT__SECCOMP_KILL, NULL);
    ocirt__seccomp_from(m, UINT32_MAX, m->action, NULL);
    return 0;
}

/* ----- the program, written from its end, since jumps only go forward -----
   A label is how many instructions there were when it was written, or a return that is not written yet. */

enum { OCIRT__BPF_LOAD = 0x20, OCIRT__BPF_AND = 0x54, OCIRT__BPF_JUMP = 0x05, OCIRT__BPF_EQ = 0x15, OCIRT__BPF_GT = 0x25, OCIRT__BPF_GE = 0x35, OCIRT__BPF_RETURN = 0x06 };

#define OCIRT__SECCOMP_ANSWER(action) (1ull << 32 | (action))

static uint64_t ocirt__seccomp_put(struct ocirt__seccomp_maker *m, unsigned code, uint32_t k, uint64_t yes, uint64_t no) {
    if (m->count == OCIRT__SECCOMP_MAX) m->full = true;
    if (m->full) return m->count;
    m->count++;
    m->end[-(ptrdiff_t)m->count] = (struct ocirt__seccomp_insn){(uint16_t)code, (uint8_t)yes, (uint8_t)no, k};
    return m->count;
}

static uint64_t ocirt__seccomp_return(struct ocirt__seccomp_maker *m, uint32_t action, uint32_t reach) {
    uint32_t i = 0;
    while (i < OCIRT__SECCOMP_REUSE - 1 && m->answers[i].label && m->answers[i].action != action) i++;
    if (m->answers[i].label && m->answers[i].action == action && m->count - m->answers[i].label < reach) return m->answers[i].label;
    if (action == OCIRT__SECCOMP_NOTIFY) m->notifies = true;
    m->answers[i].action = action, m->answers[i].label = (uint32_t)ocirt__seccomp_put(m, OCIRT__BPF_RETURN, action, 0, 0);
    return m->answers[i].label;
}

/* The eight bits of a conditional jump reach 255 instructions, one of which the other branch may need. */
static uint64_t ocirt__seccomp_near(struct ocirt__seccomp_maker *m, uint64_t label) {
    if (label >> 32) return ocirt__seccomp_return(m, (uint32_t)label, 255);
    return m->count - label < 255 ? label : ocirt__seccomp_put(m, OCIRT__BPF_JUMP, m->count - (uint32_t)label, 0, 0);
}

static uint64_t ocirt__seccomp_branch(struct ocirt__seccomp_maker *m, unsigned code, uint32_t k, uint64_t yes, uint64_t no) {
    if (yes == no) return yes;
    no  = ocirt__seccomp_near(m, no);
    yes = ocirt__seccomp_near(m, yes);
    return ocirt__seccomp_put(m, code, k, m->count - yes, m->count - no);
}

/* What is written next falls through to this label. */
static void ocirt__seccomp_here(struct ocirt__seccomp_maker *m, uint64_t label) {
    if (label >> 32) ocirt__seccomp_return(m, (uint32_t)label, 0);
    else if (label != m->count) ocirt__seccomp_put(m, OCIRT__BPF_JUMP, m->count - (uint32_t)label, 0, 0);
}

static uint64_t ocirt__seccomp_load_half(struct ocirt__seccomp_maker *m, const struct ocirt__seccomp_test *t, bool high, bool little) {
    uint32_t mask = (uint32_t)(high ? t->mask >> 32 : t->mask);
    if (mask != UINT32_MAX) ocirt__seccomp_put(m, OCIRT__BPF_AND, mask, 0, 0);
    return ocirt__seccomp_put(m, OCIRT__BPF_LOAD, 16 + 8 * t->index + (high == little ? 4 : 0), 0, 0);
}

/* One condition. The halves of 64 bits are compared one after the other, the high one first. */
static uint64_t ocirt__seccomp_condition(struct ocirt__seccomp_maker *m, const struct ocirt__seccomp_test *t, bool little, uint64_t yes, uint64_t no) {
    bool     inverse = t->op == OCIRT__CMP_NE || t->op == OCIRT__CMP_LT || t->op == OCIRT__CMP_LE;
    bool     equal = t->op == OCIRT__CMP_EQ || t->op == OCIRT__CMP_NE || t->op == OCIRT__CMP_MASKED;
    unsigned code = equal ? OCIRT__BPF_EQ : t->op == OCIRT__CMP_GE || t->op == OCIRT__CMP_LT ? OCIRT__BPF_GE : OCIRT__BPF_GT;
    uint64_t holds = inverse ? no : yes, fails = inverse ? yes : no, at = holds;
    if (t->mask & UINT32_MAX) {
        ocirt__seccomp_branch(m, code, (uint32_t)t->value, holds, fails);
        at = ocirt__seccomp_load_half(m, t, false, little);
    }
    if (t->mask >> 32 == 0) return at;
    at = ocirt__seccomp_branch(m, OCIRT__BPF_EQ, (uint32_t)(t->value >> 32), at, fails);
    if (!equal) ocirt__seccomp_branch(m, OCIRT__BPF_GT, (uint32_t)(t->value >> 32), holds, at);
    return ocirt__seccomp_load_half(m, t, true, little);
}

static uint64_t ocirt__seccomp_rule(struct ocirt__seccomp_maker *m, const struct ocirt__seccomp_rule *rule, bool little, uint64_t next) {
    uint64_t at = OCIRT__SECCOMP_ANSWER(rule->action);
    if (at == next) return next;
    for (uint32_t t = rule->count; t-- > 0;) at = ocirt__seccomp_condition(m, &rule->tests[t], little, at, next);
    return at;
}

static uint64_t ocirt__seccomp_leaf(struct ocirt__seccomp_maker *m, const struct ocirt__seccomp_interval *i, bool little) {
    uint64_t next = OCIRT__SECCOMP_ANSWER(i->action);
    for (const struct ocirt__seccomp_rule *rule = i->rules; rule; rule = rule->next) next = ocirt__seccomp_rule(m, rule, little, next);
    return next;
}

/* Intervals from `at` on that are one leaf of the search: one; or, when all but single numbers between are alike, up to
   nine, since a single number takes one comparison and not two. What loading costs is counted in instructions. */
static size_t ocirt__seccomp_group(const struct ocirt__seccomp_maker *m, size_t at) {
    const struct ocirt__seccomp_interval *i = &m->intervals[at];
    size_t n = 1;
    while (n < 9 && at + n + 1 < m->intervals_count && !i->rules && !i[n + 1].rules && i[n + 1].action == i->action && i[n].start + 1 == i[n + 1].start) n += 2;
    return n;
}

static uint64_t ocirt__seccomp_group_leaf(struct ocirt__seccomp_maker *m, size_t at, size_t end, bool little) {
    const struct ocirt__seccomp_interval *i = m->intervals;
    uint64_t label = ocirt__seccomp_leaf(m, &i[at], little);
    for (at++; at < end; at += 2) label = ocirt__seccomp_branch(m, OCIRT__BPF_EQ, i[at].start, ocirt__seccomp_leaf(m, &i[at], little), label);
    return label;
}

/* Where to divide low..high: as many of a port's numbers on the one side as on the other, since the kernel asks for each
   of them when it loads a filter, and at a quarter at the outermost, so that it is as deep as the logarithm. */
static size_t ocirt__seccomp_middle(const struct ocirt__seccomp_maker *m, size_t low, size_t high) {
    uint32_t first = m->intervals[m->groups[low]].start, last = first + OCIRT__SECCOMP_SLOTS / 2, end = m->intervals[m->groups[high - 1]].start;
    uint32_t half = first + ((end < last ? end : last) - first) / 2;
    size_t   least = low + (high - low + 3) / 4, most = high - (high - low + 3) / 4, middle = least;
    while (middle < most && m->intervals[m->groups[middle]].start < half) middle++;
    return middle;
}

/* Binary search over groups. */
static uint64_t ocirt__seccomp_tree(struct ocirt__seccomp_maker *m, size_t low, size_t high, bool little) {
    size_t   middle;
    uint64_t less, more;
    if (high - low == 1) return ocirt__seccomp_group_leaf(m, m->groups[low], m->groups[high], little);
    middle = ocirt__seccomp_middle(m, low, high);
    more = ocirt__seccomp_tree(m, middle, high, little);
    less = ocirt__seccomp_tree(m, low, middle, little);
    return ocirt__seccomp_branch(m, OCIRT__BPF_GE, m->intervals[m->groups[middle]].start, more, less);
}

static uint64_t ocirt__seccomp_search(struct ocirt__seccomp_maker *m, bool little) {
    size_t count = 0, at = 0;
    for (; at < m->intervals_count; at += ocirt__seccomp_group(m, at)) m->groups[count++] = (uint16_t)at;
    m->groups[count] = (uint16_t)at;
    return ocirt__seccomp_tree(m, 0, count, little);
}

static bool ocirt__seccomp_lists(const struct ocirt__seccomp_maker *m, int row) {
    for (size_t i = 0; i < m->of->architectures.count; i++)
        if (strcmp(m->of->architectures.items[i], ocirt__names_seccomp_archs[row].name) == 0) return true;
    return false;
}

static int ocirt__seccomp_check(const struct ocirt__seccomp_maker *m) {
    const ocirt_seccomp *s = m->of;
    bool notify = false;
    for (size_t i = 0; i < s->architectures.count; i++)
        if (!ocirt__name_find(ocirt__names_seccomp_archs, s->architectures.items[i])) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->token, "architectures", "unknown architecture");
    if (s->default_action == OCIRT__SECCOMP_NOTIFY) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->token, "defaultAction", "SCMP_ACT_NOTIFY cannot be the default: starting the program would wait for an answer");
    for (size_t i = 0; i < s->syscalls_count; i++) {
        notify |= s->syscalls[i].action == OCIRT__SECCOMP_NOTIFY;
        for (size_t j = 0; j < s->syscalls[i].args_count; j++)
            if (s->syscalls[i].args[j].index > 5 || s->syscalls[i].args[j].op - 1 > 6) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->syscalls[i].token, "args", "no such argument or operator");
    }
    if (notify && (!s->listener_path || !s->listener_path[0])) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->token, NULL, "SCMP_ACT_NOTIFY needs listenerPath");
    return 0;
}

static int ocirt__seccomp_prepare(struct ocirt__seccomp_maker *m) {
    struct ocirt__seccomp_insn *program = ocirt__mem_take(m->arena, OCIRT__SECCOMP_MAX * sizeof *program);
    size_t count = 0, n = 0;
    for (size_t i = 0; i < m->of->syscalls_count; i++) count += m->of->syscalls[i].names.count;
    m->calls     = ocirt__mem_take(m->arena, count * sizeof *m->calls + 1);
    m->slots     = ocirt__mem_take(m->arena, OCIRT__SECCOMP_SLOTS * sizeof *m->slots);
    m->intervals = ocirt__mem_take(m->arena, OCIRT__SECCOMP_INTERVALS * sizeof *m->intervals);
    m->groups    = ocirt__mem_take(m->arena, OCIRT__SECCOMP_INTERVALS * sizeof *m->groups);
    if (!program || !m->calls || !m->slots || !m->intervals || !m->groups) return ocirt__error_set(m->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    m->end = program + OCIRT__SECCOMP_MAX;
    for (size_t i = 0; i < m->of->syscalls_count; i++)
        for (size_t j = 0; j < m->of->syscalls[i].names.count; j++, n++)
            m->calls[n] = (uint16_t)ocirt__seccomp_call_after(n ? m->calls[n - 1] : 0, m->of->syscalls[i].names.items[j]);
    return 0;
}

/* The tree of one architecture before what there is already. */
static int ocirt__seccomp_arch_tree(struct ocirt__seccomp_maker *m, int row, bool x32, uint64_t *else_) {
    uint32_t audit = ocirt__seccomp_audit(row);
    uint64_t at;
    int r = ocirt__seccomp_arch_intervals(m, row, x32);
    if (r < 0) return r;
    ocirt__seccomp_here(m, ocirt__seccomp_search(m, audit >> 30 & 1));
    at     = ocirt__seccomp_put(m, OCIRT__BPF_LOAD, 0, 0, 0);
    m->trees[m->trees_count].row = (uint8_t)row, m->trees[m->trees_count++].start = (uint32_t)at;
    *else_ = ocirt__seccomp_branch(m, OCIRT__BPF_EQ, audit, at, *else_);
    return 0;
}

static uint32_t ocirt__seccomp_flags(const ocirt_seccomp *s, bool listener) {
    uint32_t flags = s->flags.set ? (uint32_t)s->flags.value : 4 /* SPEC_ALLOW, as runc and crun */;
    if (!listener) return flags & ~0x20u /* WAIT_KILLABLE_RECV */;
    return flags | 8 /* NEW_LISTENER */ | (flags & 1 ? 0x10 /* TSYNC_ESRCH */ : 0);
}

/* What the program answers, or UINT32_MAX - 1 if it is none. `out_steps`, if given: instructions on the way. */
static uint32_t ocirt__seccomp_eval(const struct ocirt__seccomp_insn *program, uint32_t count, uint32_t arch, uint32_t number, const uint64_t args[6], uint32_t *out_steps) {
    uint32_t a = 0, steps = 0;
    for (uint32_t at = 0; at < count; at++) {
        const struct ocirt__seccomp_insn *i = &program[at];
        uint64_t wide = i->k >= 16 && i->k < 64 && i->code == OCIRT__BPF_LOAD ? args[i->k / 8 - 2] : 0;
        bool     high = ((i->k & 4) != 0) == (arch >> 30 & 1), yes;
        if (out_steps) *out_steps = ++steps;
        switch (i->code) {
        case OCIRT__BPF_LOAD: a = i->k == 0 ? number : i->k == 4 ? arch : (uint32_t)(high ? wide >> 32 : wide); continue;
        case OCIRT__BPF_AND: a &= i->k; continue;
        case OCIRT__BPF_JUMP: at += i->k; continue;
        case OCIRT__BPF_EQ: yes = a == i->k; break;
        case OCIRT__BPF_GT: yes = a > i->k; break;
        case OCIRT__BPF_GE: yes = a >= i->k; break;
        case OCIRT__BPF_RETURN: return i->k;
        default: return UINT32_MAX - 1;
        }
        at += yes ? i->yes : i->no;
    }
    return UINT32_MAX - 1;
}

/* May the process that loads the filter ask under it whether it is there? Only if that call is answered at once, and
   differently from how a process without a filter hears it. */
static bool ocirt__seccomp_provable(const struct ocirt__seccomp_filter *f, uint32_t native) {
    static const uint64_t args[6] = {PR_GET_SECCOMP, 0, 0, 0, 0, 0};
    uint32_t action = ocirt__seccomp_eval(f->program, f->count, native, SYS_prctl, args, NULL);
    if (native != ocirt__seccomp_native()) return false;
    return action == OCIRT__SECCOMP_ALLOW || action == OCIRT__SECCOMP_LOG || (action >> 16 == OCIRT__SECCOMP_ERRNO >> 16 && (action & 0xffff));
}

/* `native` is an AUDIT_ARCH_. The program lies in the arena. Fails with OCIRT_E_SPEC, _LIMIT, _UNSUPPORTED, _MEMORY. */
static int ocirt__seccomp_compile(ocirt_arena *arena, const ocirt_json *doc, const ocirt_seccomp *s, uint32_t native, struct ocirt__seccomp_filter *out, ocirt_error *error) {
    struct ocirt__seccomp_maker m = {.arena = arena, .doc = doc, .of = s, .error = error};
    int own = ocirt__seccomp_arch_row(native), r = ocirt__seccomp_check(&m);
    uint64_t else_ = OCIRT__SECCOMP_ANSWER(OCIRT__SECCOMP_KILL);
    bool x32;
    if (r == 0 && own < 0) r = ocirt__seccomp_fail(&m, OCIRT_E_UNSUPPORTED, s->token, NULL, "this version has no table of calls for this machine");
    if (r == 0) r = ocirt__seccomp_action(&m, s->default_action, &s->default_errno_ret, s->token, "defaultErrnoRet", &m.action);
    if (r == 0) r = ocirt__seccomp_prepare(&m);
    if (r < 0) return r;
    m.stub = s->default_action != OCIRT__SECCOMP_ALLOW && s->default_action != OCIRT__SECCOMP_LOG && s->default_action != OCIRT__SECCOMP_TRACE;
    x32    = ocirt__seccomp_lists(&m, OCIRT__SECCOMP_X32_ROW);
    for (int row = 0; r == 0 && row < OCIRT__SECCOMP_ARCHS; row++) {
        bool mine = row != own && row != OCIRT__SECCOMP_X32_ROW && ocirt__seccomp_archs[row].family == ocirt__seccomp_archs[own].family;
        if (mine && ocirt__seccomp_lists(&m, row)) r = ocirt__seccomp_arch_tree(&m, row, x32, &else_);
    }
    if (r == 0) r = ocirt__seccomp_arch_tree(&m, own, x32, &else_); /* last written: first asked */
    if (r < 0) return r;
    ocirt__seccomp_here(&m, else_);
    ocirt__seccomp_put(&m, OCIRT__BPF_LOAD, 4, 0, 0);
    if (m.full) return ocirt__seccomp_fail(&m, OCIRT_E_LIMIT, s->token, "syscalls", "the profile needs more than the 4096 instructions that the kernel takes");
    *out = (struct ocirt__seccomp_filter){.program = m.end - m.count, .count = m.count, .flags = ocirt__seccomp_flags(s, m.notifies), .listener = m.notifies};
    for (uint32_t i = m.trees_count; i-- > 0; out->trees_count++)
        out->trees[out->trees_count] = (struct ocirt__seccomp_tree){m.count - m.trees[i].start, m.trees[i].row};
    out->provable = ocirt__seccomp_provable(out, native);
    return 0;
}

/* ----- loading: no allocation, no stdio ----- */

/* Returns the listener's descriptor, 0, or a negative errno. After it the profile holds for all that the caller does. */
static int ocirt__seccomp_load(const struct ocirt__seccomp_insn *program, uint32_t count, uint32_t flags, bool provable) {
    struct {
        unsigned short length;
        const struct ocirt__seccomp_insn *filter;
    } of = {(unsigned short)count, program};
    int r = (int)OCIRT__SYS3(SYS_seccomp, 1 /* SET_MODE_FILTER */, flags, &of);
    if (r < 0) return r;
    if (r > 0 && !(flags & 8)) return -ESRCH; /* TSYNC: the thread that could not follow */
    /* Told that it worked, a process without a filter hears 0; under one 2, or the errno that the filter answers. */
    if (provable && ocirt__sys_prctl(PR_GET_SECCOMP, 0, 0, 0) == 0) return -EIO;
    return r;
}

/* ----- the listener: container process state (runtime-spec config-linux.md) ----- */

/* `state` is the container's state as JSON. The pid is filled in later, over the blanks. */
static void ocirt__seccomp_state(ocirt__buffer *b, const char *metadata, const char *state) {
    ocirt__buffer_text(b, "{\"ociVersion\":\"" OCIRT_SPEC_VERSION "\",\"fds\":[\"seccompFd\"],\"pid\":                    ,");
    if (metadata && metadata[0]) {
        ocirt__buffer_text(b, "\"metadata\":");
        ocirt__json_write_string(b, metadata);
        ocirt__buffer_text(b, ",");
    }
    ocirt__buffer_text(b, "\"state\":");
    ocirt__buffer_text(b, state);
    ocirt__buffer_text(b, "}");
}

/* Sends the text, with the descriptor at its first byte. */
static int ocirt__seccomp_send(int socket, int fd, const char *text, size_t size) {
    while (size > 0) {
        long n = ocirt__sys_send(socket, fd, text, size);
        if (n < 0 && n != -EINTR) return (int)n;
        if (n > 0) text += n, size -= (size_t)n, fd = -1;
    }
    return 0;
}

/* What init does between loading and exec must be answered at once; what it sends the listener with, above all. */
static int ocirt__seccomp_check_start(const struct ocirt__seccomp_filter *f, const ocirt_json *doc, const ocirt_seccomp *of, ocirt_error *error) {
    static const uint64_t args[6];
    static const int calls[] = {SYS_sendmsg, SYS_close};
    bool allowed = true;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        uint32_t action = ocirt__seccomp_eval(f->program, f->count, ocirt__seccomp_native(), (uint32_t)calls[i], args, NULL);
        allowed &= action == OCIRT__SECCOMP_ALLOW || action == OCIRT__SECCOMP_LOG;
    }
    for (size_t i = 0; i < of->syscalls_count; i++) /* whatever its conditions are */
        for (size_t j = 0; j < of->syscalls[i].names.count && of->syscalls[i].action == OCIRT__SECCOMP_NOTIFY; j++) allowed &= strcmp(of->syscalls[i].names.items[j], "sendmsg") != 0;
    if (!f->listener || allowed) return 0;
    ocirt__error_set(error, OCIRT_E_SPEC, 0, "", "SCMP_ACT_NOTIFY needs sendmsg and close to be allowed: the listener is sent with them");
    if (doc && of->token) ocirt__error_place(error, doc, of->token);
    return -OCIRT_E_SPEC;
}

/* ----- for people ----- */

struct ocirt__seccomp_view { /* a profile compiled for an architecture that somebody asks about */
    struct ocirt__seccomp_filter filter;
    unsigned row;
};

static int ocirt__seccomp_view(ocirt_arena *arena, const ocirt_spec *spec, const char *arch, struct ocirt__seccomp_view *out, ocirt_error *error) {
    uint32_t native = ocirt__seccomp_native();
    int own = ocirt__seccomp_arch_row(native), row = own;
    if (!spec->linux_ || !spec->linux_->seccomp) return ocirt__error_set(error, OCIRT_E_NOT_FOUND, 0, "", "the config has no linux.seccomp");
    if (arch)
        for (row = OCIRT__SECCOMP_ARCHS - 1; row >= 0; row--)
            if (strcasecmp(ocirt__names_seccomp_archs[row].name + (strncasecmp(arch, "SCMP_ARCH_", 10) == 0 ? 0 : 10), arch) == 0) break;
    if (arch && row < 0) return ocirt__error_set(error, OCIRT_E_ARGUMENT, 0, arch, "unknown architecture \"%.40s\"", arch);
    if (row >= 0 && (own < 0 || ocirt__seccomp_archs[row].family != ocirt__seccomp_archs[own].family)) native = ocirt__seccomp_audit(row);
    out->row = row < 0 ? 0 : (unsigned)row;
    return ocirt__seccomp_compile(arena, spec->document, spec->linux_->seccomp, native, &out->filter, error);
}

static const char *ocirt__seccomp_arch_name(unsigned row, char out[24]) {
    size_t n = 0;
    for (const char *s = ocirt__names_seccomp_archs[row].name + 10; *s; s++) out[n++] = (char)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s);
    out[n] = 0;
    return out;
}

static const char *ocirt__seccomp_action_text(uint32_t action, char out[64]) {
    uint32_t data = action & 0xffff;
    const char *name = ocirt__name_of(ocirt__names_seccomp_actions, action & 0xffff0000u);
    bool error = action >> 16 == OCIRT__SECCOMP_ERRNO >> 16;
    if (name[0] == 'S') name += 9; /* SCMP_ACT_ */
    if (data) snprintf(out, 64, "%s %u%s%.40s", name, data, error ? ", " : "", error ? ocirt_errno_text((int)data) : "");
    else snprintf(out, 64, "%s", name);
    return out;
}

/* Name of a number, "" when there is none. */
static const char *ocirt__seccomp_number_name(unsigned row, uint32_t number) {
    uint16_t numbers[OCIRT__CALLS];
    unsigned port = ocirt__seccomp_archs[row].port;
    if (port == OCIRT__PORT_X86_64 && number & OCIRT__SECCOMP_X32) port = OCIRT__PORT_X32;
    ocirt__seccomp_numbers(port, numbers);
    for (unsigned i = 0; i < OCIRT__CALLS; i++)
        if (numbers[i] != OCIRT__SECCOMP_NONE && ocirt__seccomp_real(port, numbers[i]) == number) return ocirt__seccomp_call_name(i);
    return "";
}

static void ocirt__seccomp_print_branch(ocirt__buffer *b, uint32_t at, const struct ocirt__seccomp_insn *i, int row, bool of_arch, bool of_number) {
    const char *sign = i->code == OCIRT__BPF_EQ ? "==" : i->code == OCIRT__BPF_GT ? ">" : ">=", *name = "";
    char arch[24];
    int  known = of_arch ? ocirt__seccomp_arch_row(i->k) : -1;
    if (known >= 0) name = ocirt__seccomp_arch_name((unsigned)known, arch);
    else if (of_number && row >= 0) name = ocirt__seccomp_number_name((unsigned)row, i->k);
    ocirt__buffer_format(b, of_number && i->k < OCIRT__SECCOMP_X32 ? "if %s %u" : "if %s %#x", sign, i->k);
    ocirt__buffer_format(b, "%s%s: %u, else %u", name[0] ? " " : "", name, at + 1 + i->yes, at + 1 + i->no);
}

/* `loaded`, one per instruction, zeroed: what the accumulator holds there, passed on to where it can go next. */
static void ocirt__seccomp_print_program(ocirt__buffer *b, const struct ocirt__seccomp_filter *f, uint8_t *loaded) {
    bool little = ocirt__names_seccomp_archs[f->trees[0].row].value >> 30 & 1;
    uint32_t tree = 0;
    int  row = -1;
    char text[64];
    for (uint32_t at = 0; at < f->count; at++) {
        const struct ocirt__seccomp_insn *i = &f->program[at];
        uint32_t holds = i->code == OCIRT__BPF_LOAD ? i->k : loaded[at], skip = i->code == OCIRT__BPF_JUMP ? i->k : i->yes;
        if (i->code != OCIRT__BPF_RETURN) loaded[at + 1 + skip] = loaded[at + 1 + (i->code == OCIRT__BPF_JUMP ? skip : i->no)] = (uint8_t)holds;
        if (tree < f->trees_count && at == f->trees[tree].start) row = f->trees[tree++].row;
        ocirt__buffer_format(b, "%5u  ", at);
        switch (i->code) {
        case OCIRT__BPF_LOAD:
            if (holds < 8) ocirt__buffer_text(b, holds ? "load architecture" : "load number");
            else ocirt__buffer_format(b, "load argument %u, %s half", holds / 8 - 2, ((holds & 4) != 0) == little ? "high" : "low");
            break;
        case OCIRT__BPF_AND: ocirt__buffer_format(b, "and %#x", i->k); break;
        case OCIRT__BPF_JUMP: ocirt__buffer_format(b, "go to %u", at + 1 + i->k); break;
        case OCIRT__BPF_RETURN: ocirt__buffer_format(b, "return %s", ocirt__seccomp_action_text(i->k, text)); break;
        default: ocirt__seccomp_print_branch(b, at, i, row, holds == 4, holds == 0); break;
        }
        ocirt__buffer_text(b, "\n");
    }
}

OCIRT_DEF int ocirt_seccomp_print(const ocirt_spec *spec, const char *arch, ocirt_write_fn write, void *user, ocirt_error *error) {
    ocirt_arena   arena = {0};
    ocirt__buffer b = {.arena = &arena};
    struct ocirt__seccomp_view view;
    uint8_t *loaded;
    char name[24];
    int  r = ocirt__seccomp_view(&arena, spec, arch, &view, error);
    if (r == 0) {
        ocirt__buffer_format(&b, "# %u instructions; flags %#x%s;", view.filter.count, view.filter.flags, view.filter.listener ? ", with a listener" : "");
        for (uint32_t i = 0; i < view.filter.trees_count; i++) ocirt__buffer_format(&b, " %s from %u%s", ocirt__seccomp_arch_name(view.filter.trees[i].row, name), view.filter.trees[i].start, i + 1 < view.filter.trees_count ? "," : "\n");
        loaded = ocirt__mem_alloc(&arena, view.filter.count);
        if (loaded) ocirt__seccomp_print_program(&b, &view.filter, loaded);
        r = b.failed || !loaded ? ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory") : 0;
    }
    if (r == 0 && write(user, b.data, b.size) < 0) r = ocirt__error_set(error, OCIRT_E_IO, 0, "", "the text could not be written");
    ocirt_arena_free(&arena);
    return r;
}

/* A number as it is, or a name's. False: `call` is neither. */
static bool ocirt__seccomp_call_number(unsigned row, const char *call, uint32_t *out) {
    uint16_t numbers[OCIRT__CALLS];
    unsigned port = ocirt__seccomp_archs[row].port, found = ocirt__seccomp_call_find(call);
    char *end;
    unsigned long long number = strtoull(call, &end, 0);
    *out = (uint32_t)number;
    if (*call >= '0' && *call <= '9' && !*end && number <= UINT32_MAX) return true;
    ocirt__seccomp_numbers(port, numbers);
    if (found == OCIRT__CALLS || numbers[found] == OCIRT__SECCOMP_NONE) return false;
    *out = ocirt__seccomp_real(port, numbers[found]);
    return true;
}

OCIRT_DEF int ocirt_seccomp_ask(const ocirt_spec *spec, const char *arch, const char *call, const uint64_t args[6], ocirt_seccomp_answer *out, ocirt_error *error) {
    ocirt_arena arena = {0};
    struct ocirt__seccomp_view view;
    char name[24];
    int  r = ocirt__seccomp_view(&arena, spec, arch, &view, error);
    memset(out, 0, sizeof *out);
    if (r == 0 && !ocirt__seccomp_call_number(view.row, call, &out->number))
        r = ocirt__error_set(error, OCIRT_E_ARGUMENT, 0, call, "%s has no call \"%.60s\"", ocirt__seccomp_arch_name(view.row, name), call);
    if (r == 0) out->action = ocirt__seccomp_eval(view.filter.program, view.filter.count, ocirt__seccomp_audit((int)view.row), out->number, args, &out->steps);
    if (r == 0) ocirt__seccomp_arch_name(view.row, out->arch), ocirt__seccomp_action_text(out->action, out->text);
    ocirt_arena_free(&arena);
    return r;
}

/* ===========================================================================================
   >>process   what a process changes about itself between clone and exec: ids, groups, capabilities,
   limits, signals, descriptors. Each change is read back where the kernel could have left it undone.
   Here and in >>mount: no allocation, no stdio, no locks, stack below 8 KiB, negative errno.
   =========================================================================================== */

/* clone3, or clone(2) where a filter hides it; that one cannot place the child in a cgroup. */
static int ocirt__process_clone(uint64_t flags, int cgroup, uint64_t exit_signal, int *out_pidfd,
                             bool *out_outside) {
    struct ocirt__clone_args args = {.flags = flags, .exit_signal = exit_signal};
    long r;
    if (out_pidfd) args.flags |= OCIRT__CLONE_PIDFD, args.pidfd = (uint64_t)(uintptr_t)out_pidfd;
    if (cgroup >= 0) args.flags |= OCIRT__CLONE_INTO_CGROUP, args.cgroup = (uint64_t)cgroup;
    *out_outside = false;
    r = OCIRT__SYS2(OCIRT__NR_clone3, &args, sizeof args);
    if (r != -ENOSYS && r != -EPERM) return (int)r;
    *out_outside = cgroup >= 0;
    flags = (args.flags & 0xffffffffu) | exit_signal;
#ifdef __s390__
    return (int)OCIRT__SYS3(SYS_clone, 0, flags, out_pidfd);
#else
    return (int)OCIRT__SYS3(SYS_clone, flags, 0, out_pidfd);
#endif
}

#if defined(__x86_64__)
/* clone3 with a stack: the child never returns through the frames of its parent. */
static long ocirt__process_clone3_on(struct ocirt__clone_args *args, int (*entry)(void *), void *argument) {
    long result;
    register int (*to)(void *) __asm__("r12") = entry;
    register void *with __asm__("r13") = argument;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r13, %%rdi\n\t"
                     "call *%%r12\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "a"((long)OCIRT__NR_clone3), "D"(args), "S"(sizeof *args), "r"(to), "r"(with)
                     : "rcx", "r11", "memory");
    return result;
}
#else
static long ocirt__process_clone3_on(struct ocirt__clone_args *args, int (*entry)(void *), void *argument) {
    (void)args, (void)entry, (void)argument;
    return -ENOSYS;
}
#endif

/* A child in the memory of the caller, which sleeps until the child has executed a program or ended: no page
   table is copied, and the cost does not grow with the caller. `entry` runs on `stack`, makes raw calls only and
   does not return. Only clone3 places it in a cgroup, and libc does not wrap that: where a filter hides it, or
   its few instructions are not written for the machine, the child is born outside. */
static int ocirt__process_clone_shared(uint64_t flags, int cgroup, int (*entry)(void *), void *argument, void *stack, size_t size,
                                       int *out_pidfd, bool *out_outside) {
    struct ocirt__clone_args args = {.flags = flags | OCIRT__CLONE_VM | OCIRT__CLONE_VFORK | OCIRT__CLONE_PIDFD, .exit_signal = SIGCHLD,
                                     .pidfd = (uint64_t)(uintptr_t)out_pidfd, .stack = (uint64_t)(uintptr_t)stack, .stack_size = size};
    int  saved = errno, legacy = (int)args.flags | SIGCHLD;
    long r = -ENOSYS;
    if (cgroup >= 0) args.flags |= OCIRT__CLONE_INTO_CGROUP, args.cgroup = (uint64_t)cgroup, r = ocirt__process_clone3_on(&args, entry, argument);
    *out_outside = cgroup >= 0 && (r == -ENOSYS || r == -EPERM);
    if (r != -ENOSYS && r != -EPERM) return (int)r;
    r = clone(entry, (char *)stack + size, legacy, argument, out_pidfd);
    if (r < 0) r = -errno;
    errno = saved;
    return (int)r;
}

/* Dispositions to default: exec keeps ignored signals ignored. */
static void ocirt__process_default_signals(void) {
    struct {
        void         *handler;
        unsigned long flags, restorer, mask[2];
    } action;
    memset(&action, 0, sizeof action);
    for (int n = 1; n <= 64; n++)
        if (n != SIGKILL && n != SIGSTOP) OCIRT__SYS4(SYS_rt_sigaction, n, &action, NULL, 8);
}

static bool ocirt__process_keeps(const int *keep, unsigned count, unsigned fd) {
    for (unsigned i = 0; i < count; i++)
        if (keep[i] >= 0 && (unsigned)keep[i] == fd) return true;
    return false;
}

/* Where a filter hides close_range (5.9): what procfs lists. */
static int ocirt__process_close_listed(unsigned first, const int *keep, unsigned count) {
    union {
        struct ocirt__dirent64 first;
        char                   room[1024];
    } entries;
    struct statfs fs;
    long n = 0;
    int  dir = ocirt__sys_openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0), r = dir < 0 ? dir : ocirt__sys_fstatfs(dir, &fs);
    if (r == 0 && (unsigned long)fs.f_type != OCIRT__PROC_MAGIC) r = -ENOSYS;
    while (r == 0 && (n = ocirt__sys_getdents(dir, &entries, sizeof entries)) > 0)
        for (const char *at = entries.room; at < entries.room + n; at += ((const struct ocirt__dirent64 *)(const void *)at)->size) {
            const char *name = ((const struct ocirt__dirent64 *)(const void *)at)->name;
            unsigned fd = 0;
            while (*name >= '0' && *name <= '9') fd = fd * 10 + (unsigned)(*name++ - '0');
            if (*name == 0 && fd >= first && fd != (unsigned)dir && !ocirt__process_keeps(keep, count, fd)) OCIRT__SYS1(SYS_close, fd);
        }
    ocirt__sys_close(&dir);
    return r < 0 ? r : (int)n;
}

/* Closes all descriptors from `first` on but those of the list (entries below 0 are none). */
static int ocirt__process_close_others(unsigned first, const int *keep, unsigned count) {
    unsigned from = first;
    for (;;) {
        unsigned next = UINT_MAX;
        long     r    = 0;
        for (unsigned i = 0; i < count; i++)
            if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next) next = (unsigned)keep[i];
        if (from < next) r = OCIRT__SYS3(OCIRT__NR_close_range, from, next == UINT_MAX ? UINT_MAX : next - 1, 0);
        if (r == -ENOSYS || r == -EPERM) return ocirt__process_close_listed(first, keep, count);
        if (r < 0 || next == UINT_MAX) return (int)r;
        from = next + 1;
    }
}

/* A change of effective ids sets the flag from fs.suid_dumpable, so this is said again after each. */
static int ocirt__process_hide(void) {
    return ocirt__sys_prctl(PR_SET_DUMPABLE, 0, 0, 0);
}

static int ocirt__process_set_ids(uint32_t uid, uint32_t gid) {
    uint32_t have[6];
    long r = OCIRT__SYS3(OCIRT__NR_setresgid, gid, gid, gid);
    if (r == 0) r = OCIRT__SYS3(OCIRT__NR_setresuid, uid, uid, uid);
    if (r == 0) r = ocirt__process_hide();
    if (r == 0) r = OCIRT__SYS3(OCIRT__NR_getresuid, &have[0], &have[1], &have[2]);
    if (r == 0) r = OCIRT__SYS3(OCIRT__NR_getresgid, &have[3], &have[4], &have[5]);
    for (int i = 0; r == 0 && i < 6; i++)
        if (have[i] != (i < 3 ? uid : gid)) r = -EPERM; /* a call that lied */
    return (int)r;
}

/* Else an ordinary user's program could not open /dev/stdout. Files and devices stay the caller's. */
static int ocirt__process_own_streams(uint32_t uid) {
    struct ocirt__statx st;
    for (int fd = 0; fd < 3; fd++) {
        int r = ocirt__sys_fstatx(fd, &st);
        if (r < 0 || (!S_ISFIFO(st.mode) && !S_ISSOCK(st.mode)) || st.uid == uid) continue;
        r = ocirt__sys_fchownat(fd, "", uid, (uint32_t)-1, OCIRT__AT_EMPTY_PATH);
        if (r < 0 && r != -EPERM && r != -EROFS && r != -EINVAL && r != -EOVERFLOW) return r; /* of a user that is not mapped here */
    }
    return 0;
}

static int ocirt__process_become_root(bool keep_groups) {
    long r = keep_groups ? 0 : OCIRT__SYS2(OCIRT__NR_setgroups, 0, NULL);
    if (r < 0 && r != -EPERM) return (int)r; /* EPERM: setgroups is denied in this namespace */
    return ocirt__process_set_ids(0, 0);
}

static int ocirt__process_set_groups(const uint32_t *want, uint32_t count) {
    uint32_t have[64];
    long     r = OCIRT__SYS2(OCIRT__NR_setgroups, count, want), n;
    if (r < 0) return (int)r;
    if (count > 64) return 0;
    n = OCIRT__SYS2(OCIRT__NR_getgroups, 64, have);
    if (n != (long)count) return -EPERM;
    for (uint32_t i = 0; i < count; i++) { /* the kernel sorts them */
        bool found = false;
        for (uint32_t k = 0; k < count; k++) found |= have[k] == want[i];
        if (!found) return -EPERM;
    }
    return 0;
}

static int ocirt__process_bound(uint64_t keep) {
    for (unsigned long cap = 0; cap < 64; cap++) {
        int r = keep >> cap & 1 ? 0 : ocirt__sys_prctl(PR_CAPBSET_DROP, cap, 0, 0);
        if (r == -EINVAL && cap > 0) break; /* past the last one this kernel knows */
        if (r < 0 && r != -EPERM) return r; /* refused is fine if it is not there anyway */
        if (!(keep >> cap & 1) && ocirt__sys_prctl(PR_CAPBSET_READ, cap, 0, 0) != 0) return -EPERM;
    }
    int r = ocirt__sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0); /* over the change of ids */
    return r < 0 ? r : ocirt__sys_prctl(PR_GET_KEEPCAPS, 0, 0, 0) == 1 ? 0 : -EIO;
}

static int ocirt__process_capget(struct ocirt__cap_data out[2]) {
    struct ocirt__cap_header header = {OCIRT__CAP_VERSION_3, 0};
    return (int)OCIRT__SYS2(SYS_capget, &header, out);
}

/* Capabilities that cannot be granted are left out (config.md: SHOULD NOT fail), never widened.
   sets: effective, permitted, inheritable, ambient. */
static int ocirt__process_raise_ambient(unsigned long cap) {
    int r = ocirt__sys_prctl(OCIRT__PR_CAP_AMBIENT, OCIRT__PR_CAP_AMBIENT_RAISE, cap, 0);
    return r < 0 ? r : ocirt__sys_prctl(OCIRT__PR_CAP_AMBIENT, OCIRT__PR_CAP_AMBIENT_IS_SET, cap, 0) == 1 ? 0 : -EPERM;
}

static int ocirt__process_set_capabilities(const uint64_t sets[4]) {
    struct ocirt__cap_header header = {OCIRT__CAP_VERSION_3, 0};
    struct ocirt__cap_data   have[2], want[2], now[2];
    int r = ocirt__process_capget(have);
    for (int i = 0; r == 0 && i < 2; i++) {
        want[i].permitted   = (uint32_t)(sets[1] >> 32 * i) & have[i].permitted;
        want[i].effective   = (uint32_t)(sets[0] >> 32 * i) & want[i].permitted;
        want[i].inheritable = (uint32_t)(sets[2] >> 32 * i) & (have[i].permitted | have[i].inheritable);
    }
    if (r == 0) r = ocirt__sys_prctl(OCIRT__PR_CAP_AMBIENT, OCIRT__PR_CAP_AMBIENT_CLEAR, 0, 0);
    if (r == 0) r = (int)OCIRT__SYS2(SYS_capset, &header, want);
    if (r == 0) r = ocirt__process_capget(now);
    if (r == 0 && memcmp(now, want, sizeof now) != 0) r = -EPERM;
    for (unsigned long cap = 0; r == 0 && cap < 64; cap++) /* needs permitted and inheritable */
        if (sets[3] >> cap & 1 && (now[cap / 32].permitted & now[cap / 32].inheritable) >> cap % 32 & 1)
            r = ocirt__process_raise_ambient(cap);
    return r;
}

/* All that is permitted becomes effective again. */
static int ocirt__process_regain(void) {
    struct ocirt__cap_header header = {OCIRT__CAP_VERSION_3, 0};
    struct ocirt__cap_data   caps[2];
    int r = ocirt__process_capget(caps);
    for (int i = 0; i < 2; i++) caps[i].effective = caps[i].permitted;
    return r < 0 ? r : (int)OCIRT__SYS2(SYS_capset, &header, caps);
}

static int ocirt__process_no_new_privs(void) {
    int r = ocirt__sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0);
    if (r == 0 && ocirt__sys_prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0) != 1) r = -EPERM;
    return r;
}

/* The last of them. All was made under 0, which it returns, or some modes are not as asked; and again, for itself. */
static int ocirt__process_set_umask(unsigned mask) {
    long before = OCIRT__SYS1(SYS_umask, mask);
    return before == 0 && OCIRT__SYS1(SYS_umask, mask) == (long)mask ? 0 : -EIO;
}

static int ocirt__process_new_session(void) {
    long r = OCIRT__SYS0(SYS_setsid);
    if (r == -EPERM && OCIRT__SYS1(SYS_getsid, 0) == OCIRT__SYS0(SYS_getpid)) return 0; /* it leads one already */
    return r < 0 ? (int)r : OCIRT__SYS1(SYS_getsid, 0) == OCIRT__SYS0(SYS_getpid) ? 0 : -EIO;
}

/* keyctl(2) itself never says EPERM here: that is a filter of an outer container. */
static int ocirt__process_join_keyring(const char *name) {
    long r = OCIRT__SYS2(SYS_keyctl, OCIRT__KEYCTL_JOIN_SESSION, name);
    return r < 0 ? (int)r : OCIRT__SYS3(SYS_keyctl, OCIRT__KEYCTL_GET_KEYRING_ID, -3 /* of the session */, 0) == r ? 0 : -EIO;
}

/* pid 0: the caller. */
static int ocirt__process_set_rlimit(int pid, unsigned resource, uint64_t soft, uint64_t hard) {
    uint64_t want[2] = {soft, hard}, have[2] = {0, 0}; /* struct rlimit64 */
    long r = OCIRT__SYS4(SYS_prlimit64, pid, resource, want, NULL);
    if (r == 0) r = OCIRT__SYS4(SYS_prlimit64, pid, resource, NULL, have);
    if (r == 0 && (have[0] != soft || have[1] != hard)) r = -EPERM;
    return (int)r;
}

/* pid 0: the caller, here and below. */
static int ocirt__process_set_scheduler(int pid, const struct ocirt__sched_attr *want) {
    struct ocirt__sched_attr have;
    unsigned char all[1024];
    long r = 0;
    memset(all, 0xff, sizeof all);
    /* A deadline is accepted only where the process may use all CPUs of its root domain. */
    if (want->policy == OCIRT__SCHED_DEADLINE) r = OCIRT__SYS3(SYS_sched_setaffinity, pid, sizeof all, all);
    if (r >= 0) r = OCIRT__SYS3(SYS_sched_setattr, pid, want, 0);
    if (r >= 0) r = OCIRT__SYS4(SYS_sched_getattr, pid, &have, sizeof have, 0);
    if (r < 0) return (int)r;
    if (want->policy == OCIRT__SCHED_DEADLINE && have.runtime != want->runtime) return -EIO; /* else it is a slice (6.12) */
    if (have.policy != want->policy || have.priority != want->priority) return -EIO;
    return have.nice == want->nice || want->policy == 5 /* SCHED_IDLE keeps what was there */ ? 0 : -EIO;
}

/* Of the whole process group, as config.md wants it; ioprio_set(2). */
static int ocirt__process_set_io_priority(int pid, unsigned value) {
    long r = OCIRT__SYS3(SYS_ioprio_set, 2 /* IOPRIO_WHO_PGRP */, pid, value);
    if (r == 0) r = OCIRT__SYS2(SYS_ioprio_get, 2, pid);
    return r < 0 ? (int)r : (unsigned)r == value ? 0 : -EIO;
}

/* The kernel takes one off the number of bits (set_mempolicy(2)). */
static int ocirt__process_set_memory_policy(unsigned mode, const unsigned long *nodes) {
    int  have = 0;
    long r = OCIRT__SYS3(SYS_set_mempolicy, mode, nodes, nodes ? OCIRT__NODES + 1 : 0);
    if (r == 0) r = OCIRT__SYS5(SYS_get_mempolicy, &have, NULL, 0, NULL, 0);
    if (r == 0 && !nodes && (mode == 1 || mode == 4) && (have == 1 || have == 4)) return 0; /* PREFERRED without nodes is LOCAL, by either name */
    return r < 0 ? (int)r : (unsigned)have == mode ? 0 : -EIO;
}

static int ocirt__process_use_cpus(const uint64_t mask[OCIRT__MASK_CPUS / 64]) {
    return (int)OCIRT__SYS3(SYS_sched_setaffinity, 0, OCIRT__MASK_CPUS / 8, mask);
}

/* CPUs that the caller was kept from, and the config gives (from 6.2 on the kernel remembers the former). */
static int ocirt__process_use_all_cpus(void) {
    unsigned char all[1024];
    memset(all, 0xff, sizeof all);
    return (int)OCIRT__SYS3(SYS_sched_setaffinity, 0, sizeof all, all);
}

/* A file of /proc/self, of a procfs in which the caller has another number than its own. */
static int ocirt__process_write_own(int proc, const char *file, const char *text) {
    char path[64];
    long n = ocirt__sys_readlinkat(proc, "self", path, 16);
    if (n < 0) return (int)n;
    path[n] = '/';
    memcpy(path + n + 1, file, strlen(file) + 1);
    return ocirt__path_write(proc, path, text, strlen(text));
}

static bool ocirt__process_is_confined(int proc) {
    char path[64], text[16];
    long n = ocirt__sys_readlinkat(proc, "self", path, 16);
    if (n < 0) return false;
    memcpy(path + n, "/attr/apparmor/current", 23);
    return ocirt__path_read(proc, path, text, sizeof text) > 0 && strncmp(text, "unconfined", 10) != 0;
}

/* For the next exec. A confined caller that may gain no privileges can only add a profile to its own. AppArmor has a
   file of its own since 5.8; attr/exec belongs to whichever module comes first. */
static int ocirt__process_apparmor(int proc, const char *profile, bool no_new_privs) {
    char   text[4096];
    size_t n = strlen(profile), at = no_new_privs && ocirt__process_is_confined(proc) ? 6 : 5;
    if (at + n >= sizeof text) return -ENAMETOOLONG;
    memcpy(text, at == 6 ? "stack " : "exec ", at);
    memcpy(text + at, profile, n + 1);
    return ocirt__process_write_own(proc, "attr/apparmor/exec", text);
}

/* A number of /proc/PID/stat. The name in field 2 may hold anything, but ends with the last ')'. */
static uint64_t ocirt__process_stat_field(const char *text, int wanted) {
    const char *at = strrchr(text, ')');
    for (int field = 2; at && field < wanted; field++) at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* netdevice(7): any socket of the namespace will do for the ioctl. A new lo has no flag but this one. */
static int ocirt__process_loopback_up(void) {
    struct {
        char  name[16];
        short flags;
        char  rest[22];
    } request = {.name = "lo", .flags = 1 /* IFF_UP */};
    int fd = (int)OCIRT__SYS3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;
    if (fd < 0) return fd;
    r = ocirt__sys_ioctl(fd, 0x8914 /* SIOCSIFFLAGS */, &request);
    ocirt__sys_close(&fd);
    return r;
}

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

/* Addresses first: a device that is up could be used before it has them. The first failure is returned, the rest is
   done all the same: it may be on its way back. */
static int ocirt__network_dress(int fd, struct ocirt__network_device *d, int32_t index, bool up) {
    struct ocirt__network_link m = ocirt__network_request(OCIRT__NETWORK_SET_LINK, index, NULL);
    struct ocirt__network_device none = {.outside = -1};
    int r = 0, one;
    for (size_t at = 0; at < d->addresses.size;) {
        struct ocirt__network_address *a = (void *)(d->addresses.data + at);
        a->index = index;
        one = ocirt__network_ask(fd, a, &none);
        if (r == 0) r = one;
        at += a->head.size;
    }
    m.flags = m.change = OCIRT__NETWORK_UP;
    one = up ? ocirt__network_ask(fd, &m, &none) : 0;
    return r < 0 ? r : one;
}

/* The device `key` of the caller's namespace moves to that of process `pid`, in which `inside` is, as `name`
   (NULL: as it is called; with %d the kernel picks a number). *out_detail: what is wrong, if it is known. */
static int ocirt__network_move(struct ocirt__network *n, int pid, const char *key, const char *name, const char **out_detail) {
    struct ocirt__network_device *d = ocirt__mem_alloc(n->arena, sizeof *d), taken = {.inside = 0};
    int news, r;
    *out_detail = "";
    if (!d) return -ENOMEM;
    d->addresses.arena = n->arena;
    if ((r = ocirt__network_look(n->outside, key, d)) < 0) return r;
    r = strchr(name ? name : "", '%') ? -ENODEV : ocirt__network_look(n->inside, name ? name : d->name, &taken);
    if (r == 0) return *out_detail = "the container has a device of this name", -EEXIST;
    r = r == -ENODEV ? ocirt__network_read_addresses(n->outside, d) : r;
    if (r < 0) return r;
    if ((news = r = ocirt__network_socket(1 /* RTMGRP_LINK */)) < 0) return r; /* its own, so that no answer above is taken for news */
    d->next = n->moved, n->moved = d;
    r = ocirt__network_send(news, d->outside, pid, name, d);
    ocirt__sys_close(&news);
    if (r == -EINVAL && !d->inside) *out_detail = "a device of this kind cannot leave its network namespace";
    if ((r == 0 || r == -ENOBUFS) && !d->inside && !strchr(name ? name : "", '%')) { /* the news was lost, but not the device */
        struct ocirt__network_device there = {.inside = 0};
        r = ocirt__network_look(n->inside, name ? name : d->name, &there);
        d->inside = there.outside;
    }
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

/* ===========================================================================================
   >>program   the executable: finding it as execvp would, starting a helper, HOME, and why an
   exec failed. Used by host and init alike: raw calls, no allocation. execve(2), elf(5).
   =========================================================================================== */

/* 0, or why the file at `path` cannot be executed by the calling credentials. */
static int ocirt__program_usable(const char *path) {
    struct ocirt__statx st;
    int r, fd = ocirt__sys_openat(AT_FDCWD, path, O_PATH, 0);
    if (fd < 0) return fd;
    r = ocirt__sys_fstatx(fd, &st);
    if (r == 0 && S_ISDIR(st.mode)) r = -EISDIR;
    if (r == 0 && !S_ISREG(st.mode)) r = -EACCES;
    /* faccessat2 (5.8); where it is filtered the exec itself will tell */
    if (r == 0) r = (int)OCIRT__SYS4(OCIRT__NR(439), fd, "", X_OK, AT_EACCESS | (int)OCIRT__AT_EMPTY_PATH);
    if (r == -ENOSYS || r == -EPERM) r = 0;
    ocirt__sys_close(&fd);
    return r;
}

/* execvp's search: a name with a slash stands for itself, others are tried in each folder of PATH.
   There is no default PATH, as runc and crun have none. */
static int ocirt__program_find(const char *name, const char *search, char out[PATH_MAX]) {
    int    worst = -ENOENT;
    size_t length = strlen(name);
    if (length == 0 || length >= PATH_MAX) return -ENOENT;
    memcpy(out, name, length + 1);
    if (strchr(name, '/')) return ocirt__program_usable(out);
    while (*search) {
        size_t n = strcspn(search, ":");
        int    r = -ENOENT;
        if (n + 1 + length < PATH_MAX) {
            memcpy(out, n ? search : ".", n ? n : 1);
            out[n ? n : 1] = '/';
            memcpy(out + (n ? n : 1) + 1, name, length + 1);
            r = ocirt__program_usable(out);
        }
        if (r == 0) return 0;
        if (r != -ENOENT && r != -ENOTDIR) worst = r;
        search += n + (search[n] == ':');
    }
    return worst;
}

/* What execve's errno does not say, as "kind:text" for the host to explain:
   script:/bin/foo (its interpreter), loader:/lib/ld.so (of an ELF), machine:183, return, empty. */
static void ocirt__program_fault(const char *path, char *out, size_t size) {
    unsigned char h[512];
    size_t at, end;
    int fd = ocirt__sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    long n = fd < 0 ? fd : ocirt__sys_read_all(fd, (char *)h, sizeof h - 1);
    out[0] = 0;
    if (n == 0) memcpy(out, "empty:", 7);
    if (n > 2 && h[0] == '#' && h[1] == '!') {
        h[n] = 0;
        for (at = 2; h[at] == ' ' || h[at] == '\t'; at++) {}
        end = at + strcspn((char *)h + at, " \t\n\r");
        memcpy(out, h[end] == '\r' ? "return:" : "script:", 8);
        if (end - at < size - 8) memcpy(out + 7, h + at, end - at), out[7 + end - at] = 0;
    } else if (n >= 64 && memcmp(h, "\177ELF", 4) == 0) {
        uint64_t table, place, length;
        uint16_t machine;
        memcpy(&machine, h + 18, 2);
        memcpy(out, "machine:", 9);
        ocirt__mem_decimal(out + 8, machine);
        memcpy(&table, h + 32, 8);
        for (unsigned i = 0; h[4] == 2 && i < 8 && table + (i + 1) * 56 <= (uint64_t)n; i++) {
            uint32_t type;
            memcpy(&type, h + table + i * 56, 4);
            memcpy(&place, h + table + i * 56 + 8, 8);
            memcpy(&length, h + table + i * 56 + 32, 8);
            if (type != 3 /* PT_INTERP */ || length >= size - 8) continue;
            if (OCIRT__SYS3(SYS_lseek, fd, place, SEEK_SET) < 0) continue;
            memcpy(out, "loader:", 8);
            if (ocirt__sys_read_all(fd, out + 7, length) > 0) out[7 + length] = 0;
        }
    }
    if (fd >= 0) ocirt__sys_close(&fd);
}

/* The sixth field of the line of `uid` in the container's /etc/passwd, read as hostile data: a
   regular file inside the root, at most 1 MiB, lines over 1 KiB passed over. */
struct ocirt__passwd {
    char     line[1024];
    size_t   size;
    uint32_t uid;
};
static bool ocirt__program_passwd_line(struct ocirt__passwd *p, char *out, size_t size) {
    char  *field[7], *s = p->line;
    char   number[24];
    size_t count = 0;
    ocirt__mem_decimal(number, p->uid);
    for (field[count++] = s; *s && count < 7; s++)
        if (*s == ':') *s = 0, field[count++] = s + 1;
    if (count < 7 || strcmp(field[2], number) != 0 || field[5][0] != '/' || strlen(field[5]) >= size) return false;
    memcpy(out, field[5], strlen(field[5]) + 1);
    return true;
}

static bool ocirt__program_passwd_scan(int fd, uint32_t uid, char *out, size_t size) {
    struct ocirt__passwd p = {.uid = uid};
    char   chunk[1024];
    bool   over = false;
    size_t total = 0;
    long   n;
    while ((n = ocirt__sys_read(fd, chunk, sizeof chunk)) > 0 && (total += (size_t)n) <= 1048576) {
        for (long i = 0; i < n; i++) {
            if (chunk[i] != '\n') {
                if (p.size + 1 < sizeof p.line) p.line[p.size++] = chunk[i];
                else over = true;
                continue;
            }
            p.line[p.size] = 0;
            if (!over && ocirt__program_passwd_line(&p, out, size)) return true;
            p.size = 0, over = false;
        }
    }
    p.line[p.size] = 0;
    return !over && p.size > 0 && ocirt__program_passwd_line(&p, out, size);
}

static void ocirt__program_home(int root, uint32_t uid, char *out, size_t size) {
    struct ocirt__statx st;
    int fd = ocirt__path_openat2(root, "etc/passwd", O_PATH);
    memcpy(out, "/", 2);
    if (fd >= 0 && ocirt__sys_fstatx(fd, &st) == 0 && S_ISREG(st.mode)) {
        ocirt__sys_close(&fd);
        fd = ocirt__path_openat2(root, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd >= 0 && ocirt__sys_fstatx(fd, &st) == 0 && S_ISREG(st.mode))
            (void)ocirt__program_passwd_scan(fd, uid, out, size);
    }
    if (fd >= 0) ocirt__sys_close(&fd);
}

/* ----- starting a helper: a child that shares our memory only until it execs ----- */

struct ocirt__launch {
    const char        *path;      /* a program that leads a process group; NULL: `image`, with signals blocked */
    int                image;
    char *const       *argv, *const *env;
    const char        *cwd;       /* NULL: stay */
    int                input, output; /* become 0, and 1 and 2; -1: stay */
    unsigned           preserve;  /* 3 .. 2 + preserve survive as well where they are not close-on-exec: ours, in the holes, are */
    const int         *keep;      /* descriptors that survive; `image` among them, but not into the program */
    unsigned           keep_count;
    uint64_t           namespaces; /* new ones: CLONE_NEW flags                                               */
    const char        *root;      /* a folder that is made a mount in the new mount namespace; "": none; NULL: there is no new one */
    int                cgroup;    /* to be born in; -1: the caller's                                          */
    bool               outside;   /* out: it was not born there                                               */
    int                error;     /* out: negative errno of the exec */
};

static int ocirt__program_keep_only(const struct ocirt__launch *l) {
    int r = ocirt__process_close_others(3 + l->preserve, l->keep, l->keep_count);
    for (unsigned i = 0; r >= 0 && i < l->keep_count; i++)
        if (l->keep[i] != l->image) r = (int)OCIRT__SYS3(SYS_fcntl, l->keep[i], F_SETFD, 0);
    return r;
}

/* Runs on its own stack in the memory of the caller, which sleeps: nothing but calls. */
static int ocirt__program_child(void *argument) {
    struct ocirt__launch *l = argument;
    uint64_t none[2] = {0, 0};
    if (l->path) ocirt__process_default_signals(); /* the image does this by a row of its own */
    if (l->path) OCIRT__SYS2(SYS_setpgid, 0, 0);
    l->error = 0;
    if (l->input >= 0) l->error = (int)OCIRT__SYS3(SYS_dup3, l->input, 0, 0);
    if (l->error >= 0 && l->output >= 0) l->error = (int)OCIRT__SYS3(SYS_dup3, l->output, 1, 0);
    if (l->error >= 0 && l->output >= 0) l->error = (int)OCIRT__SYS3(SYS_dup3, l->output, 2, 0);
    if (l->error >= 0 && l->cwd) l->error = (int)OCIRT__SYS1(SYS_chdir, l->cwd);
    if (l->error >= 0 && l->root) l->error = ocirt__sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
    if (l->error >= 0 && l->root && l->root[0]) l->error = ocirt__sys_mount(l->root, l->root, NULL, MS_REC | MS_BIND, NULL);
    if (l->error >= 0) l->error = ocirt__program_keep_only(l);
    if (l->error >= 0 && l->path) l->error = (int)OCIRT__SYS4(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, 8);
    if (l->error >= 0)
        l->error = (int)OCIRT__SYS5(SYS_execveat, l->path ? AT_FDCWD : l->image, l->path ? l->path : "", l->argv, l->env,
                                    l->path ? 0 : OCIRT__AT_EMPTY_PATH);
    OCIRT__SYS1(SYS_exit, 127);
    return 0;
}

/* Starts it and returns its pidfd; the pid goes to *out_pid. The cost does not grow with the memory
   of the caller (CLONE_VM), and all signals are blocked meanwhile. */
static int ocirt__program_launch(struct ocirt__launch *l, void *stack, size_t stack_size, int *out_pid) {
    uint64_t all[2] = {~0ull, ~0ull}, old[2];
    int      pidfd = -1, pid;
    siginfo_t info;
    OCIRT__SYS4(SYS_rt_sigprocmask, SIG_SETMASK, all, old, 8);
    pid = ocirt__process_clone_shared(l->namespaces, l->cgroup, ocirt__program_child, l, stack, stack_size, &pidfd, &l->outside);
    OCIRT__SYS4(SYS_rt_sigprocmask, SIG_SETMASK, old, NULL, 8);
    if (pid < 0) return pid;
    if (out_pid) *out_pid = pid;
    if (l->error >= 0) return pidfd;
    ocirt__sys_reap(pidfd, &info);
    ocirt__sys_close(&pidfd);
    return l->error;
}

/* ===========================================================================================
   >>mount   mounts, nodes and links in a container's root, and the ways into that root. Sources
   are descriptors; every target is resolved inside the root.
   =========================================================================================== */

struct ocirt__ground {
    int         root;           /* paths are resolved in it */
    int         proc;           /* a procfs that the host has checked, borrowed */
    int         container_proc; /* the container's own, -1: none */
    int         container_sys;  /* the one on /sys, -1: none */
    int         null, mask;     /* a mount of the host's /dev/null, and the empty read-only tmpfs; */
    bool        null_lies;      /* the first of them once it lies somewhere, the other only then   */
    int         folder;         /* of the last node or link made, with the text of its path: */
    const char *folder_path;    /* most lie in /dev, and need not find it again */
    size_t      folder_size;
    char       *detail;         /* 256 bytes for what was in the way */
};

#define OCIRT__MOUNT_RECURSIVE   0x001u
#define OCIRT__MOUNT_COPY_UP     0x002u
#define OCIRT__MOUNT_NO_LINKS    0x004u /* no link anywhere on the way to the target (proc, sysfs)   */
#define OCIRT__MOUNT_DST_LINK    0x008u /* onto the link itself                                      */
#define OCIRT__MOUNT_SRC_LINK    0x010u /* the source link itself                                    */
#define OCIRT__MOUNT_KEEP_MODE   0x020u /* new tmpfs takes the mode of the directory it covers       */
#define OCIRT__MOUNT_OVER_PROC   0x040u /* may be put over a file of procfs                          */
#define OCIRT__MOUNT_NEW_ROOT    0x080u /* destination / : what follows happens inside it            */
#define OCIRT__MOUNT_IS_PROC     0x100u /* later rows write through this instance                    */
#define OCIRT__MOUNT_IS_SYS      0x400u /* later rows cover what lies in this instance               */
#define OCIRT__MOUNT_IDMAP       0x200u /* with the user namespace `userns`                          */

struct ocirt__mount {
    const char     *target, *source, *type;
    const char     *label;        /* SELinux' attribute of its root, or NULL */
    const char     *words;        /* `words_count` NUL-ended key=value or flag words for the file system */
    const uint32_t *propagation;  /* MS_ flags, in order */
    uint32_t        words_count, propagation_count, flags;
    uint32_t        set, clear;           /* MOUNT_ATTR_ of this mount */
    uint32_t        deep_set, deep_clear; /* the same for the whole tree */
    int             userns;
};

static int ocirt__mount_detail(const struct ocirt__ground *g, const char *text, int result) {
    size_t n = strlen(text);
    if (n > 255) n = 255;
    memcpy(g->detail, text, n);
    g->detail[n] = 0;
    return result;
}

/* Mounts change what a path means. */
static void ocirt__mount_forget_folder(struct ocirt__ground *g) {
    ocirt__sys_close(&g->folder);
}

static int ocirt__mount_open(const struct ocirt__ground *g, const char *path, unsigned what) {
    return ocirt__path_open(g->root, path, what, NULL);
}

/* ----- attributes ----- */

static unsigned long ocirt__mount_ms_flags(uint32_t attr) {
    static const struct {
        uint32_t      attr;
        unsigned long ms;
    } map[] = {{1, MS_RDONLY}, {2, MS_NOSUID}, {4, MS_NODEV}, {8, MS_NOEXEC}, {0x10, MS_NOATIME},
               {0x20, MS_STRICTATIME}, {0x80, MS_NODIRATIME}, {0x200000, 256 /* NOSYMFOLLOW */}};
    unsigned long flags = 0;
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (attr & map[i].attr) flags |= map[i].ms;
    return flags;
}

/* mount(2) on a descriptor: by way of /proc/self/fd of the checked procfs. */
static int ocirt__mount_change(const struct ocirt__ground *g, int fd, unsigned long flags) {
    char path[40] = "self/fd/";
    long r = OCIRT__SYS1(SYS_fchdir, g->proc);
    ocirt__mem_decimal(path + 8, (uint64_t)fd);
    return r < 0 ? (int)r : ocirt__sys_mount(NULL, path, NULL, flags, NULL);
}

/* Before mount_setattr (5.12): remount what has just been attached, keeping what it has, because in
   a user namespace flags of the original are locked. */
static int ocirt__mount_remount(const struct ocirt__ground *g, int fd, uint32_t set, uint32_t clear) {
    struct statfs fs;
    unsigned long have;
    int r = ocirt__sys_fstatfs(fd, &fs);
    if (r < 0) return r;
    have = (unsigned long)fs.f_flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
    have |= (unsigned long)fs.f_flags & 4096 /* ST_RELATIME */ ? MS_RELATIME : 0;
    have &= ~ocirt__mount_ms_flags(clear);
    return ocirt__mount_change(g, fd, MS_REMOUNT | MS_BIND | have | ocirt__mount_ms_flags(set));
}

/* Attributes go onto the detached mount, so that it is never visible without them. Returns ENOSYS
   on kernels that can only do it afterwards. */
static int ocirt__mount_attributes(int fd, uint32_t set, uint32_t clear, bool deep) {
    struct ocirt__mount_attr attr = {.attr_set = set, .attr_clr = clear};
    struct statfs fs;
    int r;
    if (set == 0 && clear == 0) return 0;
    if (set & 0x70u || clear & 0x70u) attr.attr_clr |= 0x70u; /* atime is one field */
    r = ocirt__sys_mount_setattr(fd, deep ? OCIRT__AT_RECURSIVE : 0, &attr);
    if (r == 0) r = ocirt__sys_fstatfs(fd, &fs);
    return r == 0 && set & 0xfu & ~(uint32_t)fs.f_flags ? -EPERM : r; /* ST_RDONLY to ST_NOEXEC are the same bits */
}

static int ocirt__mount_set_read_only(const struct ocirt__ground *g, int fd) {
    int r = ocirt__mount_attributes(fd, 1, 0, false);
    return r == -ENOSYS ? ocirt__mount_remount(g, fd, 1, 0) : r;
}

static int ocirt__mount_map_ids(const struct ocirt__ground *g, int fd, int userns, bool deep) {
    struct ocirt__mount_attr attr = {.attr_set = 0x100000u, .userns_fd = (uint64_t)userns};
    int r = ocirt__sys_mount_setattr(fd, deep ? OCIRT__AT_RECURSIVE : 0, &attr);
    return r < 0 ? ocirt__mount_detail(g, "this file system or kernel cannot map ids here", r) : 0;
}

/* Option remount: new attributes for what is mounted there already. */
static int ocirt__mount_change_existing(const struct ocirt__ground *g, const struct ocirt__mount *m) {
    int r, fd = ocirt__mount_open(g, m->target, OCIRT__PATH_EXISTING);
    if (fd < 0) return fd;
    r = ocirt__mount_attributes(fd, m->set, m->clear, false);
    if (r == -ENOSYS) r = ocirt__mount_remount(g, fd, m->set, m->clear);
    if (r == 0) r = ocirt__mount_attributes(fd, m->deep_set, m->deep_clear, true);
    ocirt__sys_close(&fd);
    return r;
}

/* ----- targets ----- */

/* Opens, and if missing makes, the target inside the root. Nothing is put over a procfs but what the
   plan allows there (CVE-2019-16884 and its kin). */
static int ocirt__mount_target(const struct ocirt__ground *g, const struct ocirt__mount *m, bool file, unsigned *out_mode) {
    char leaf[NAME_MAX + 1] = "";
    struct statfs fs;
    struct ocirt__statx st;
    unsigned what = file ? OCIRT__PATH_FILE : OCIRT__PATH_DIR;
    int fd, r = 0;
    if (m->flags & OCIRT__MOUNT_DST_LINK) what = OCIRT__PATH_EXISTING | OCIRT__PATH_NOFOLLOW;
    if (m->flags & OCIRT__MOUNT_NO_LINKS) what |= OCIRT__PATH_NOFOLLOW;
    fd = ocirt__path_open(g->root, m->target, what, leaf);
    if (fd < 0) return ocirt__mount_detail(g, leaf[0] ? leaf : m->target, fd);
    if (!(m->flags & OCIRT__MOUNT_OVER_PROC) && ocirt__sys_fstatfs(fd, &fs) == 0 &&
        (unsigned long)fs.f_type == OCIRT__PROC_MAGIC)
        r = ocirt__mount_detail(g, "the target lies on a procfs", -EPERM);
    if (r == 0) r = ocirt__sys_fstatx(fd, &st);
    if (r == 0 && !file && !S_ISDIR(st.mode)) r = ocirt__mount_detail(g, "the target is not a directory", -ENOTDIR);
    if (r == 0 && file && S_ISDIR(st.mode)) r = ocirt__mount_detail(g, "the target is a directory, the source is none", -EISDIR);
    if (r < 0) ocirt__sys_close(&fd);
    else *out_mode = st.mode & 07777u;
    return r < 0 ? r : fd;
}

/* Puts the detached mount `from` onto `to` with everything the record asks for, but the attributes
   `done` that it has already. */
static int ocirt__mount_attach(const struct ocirt__ground *g, const struct ocirt__mount *m, int from, int to, uint32_t done) {
    uint32_t set = m->set & ~done;
    int r = m->flags & OCIRT__MOUNT_IDMAP ? ocirt__mount_map_ids(g, from, m->userns, m->flags & OCIRT__MOUNT_RECURSIVE) : 0, late, deep;
    if (r < 0) return r;
    late = ocirt__mount_attributes(from, set, m->clear, false);
    deep = ocirt__mount_attributes(from, m->deep_set, m->deep_clear, true);
    if (late < 0 && late != -ENOSYS) return late;
    if (deep < 0) return ocirt__mount_detail(g, "recursive attributes need mount_setattr, Linux 5.12", deep);
    r = ocirt__sys_move_mount(from, to);
    if (r == 0 && late == -ENOSYS) r = ocirt__mount_remount(g, from, set, m->clear);
    for (uint32_t i = 0; r == 0 && i < m->propagation_count; i++)
        r = ocirt__mount_change(g, from, m->propagation[i]);
    return r;
}

/* ----- new file systems ----- */

static int ocirt__mount_word(int fs, const char *word) {
    char key[64];
    const char *value = strchr(word, '=');
    size_t n = value ? (size_t)(value - word) : strlen(word);
    if (n >= sizeof key) return -ENAMETOOLONG;
    memcpy(key, word, n);
    key[n] = 0;
    return ocirt__sys_fsconfig(fs, value ? OCIRT__FSCONFIG_SET_STRING : OCIRT__FSCONFIG_SET_FLAG, key,
                               value ? value + 1 : NULL);
}

/* "mode=0755" of the directory that a tmpfs covers. */
static void ocirt__mount_mode_word(char out[10], unsigned mode) {
    memcpy(out, "mode=", 5);
    for (int i = 0; i < 4; i++) out[5 + i] = (char)('0' + (mode >> (9 - 3 * i) & 7));
    out[9] = 0;
}

/* The file system's own words about a refusal, "e tmpfs: Bad value for 'size'". */
static void ocirt__mount_complaint(const struct ocirt__ground *g, int fs) {
    char text[200];
    long n = ocirt__sys_read(fs, text, sizeof text - 1);
    if (n <= 2) return;
    text[n] = 0;
    text[strcspn(text, "\n")] = 0;
    ocirt__mount_detail(g, text + 2, 0);
}

/* A new file system as a detached mount. */
static int ocirt__mount_make(const struct ocirt__ground *g, const struct ocirt__mount *m, unsigned mode) {
    const char *word = m->words;
    char text[10];
    int  fs = ocirt__sys_fsopen(m->type), r = 0, fd;
    if (fs < 0) return fs;
    if (m->source) r = ocirt__sys_fsconfig(fs, OCIRT__FSCONFIG_SET_STRING, "source", m->source);
    if (r == 0 && m->flags & OCIRT__MOUNT_KEEP_MODE) {
        ocirt__mount_mode_word(text, mode);
        r = ocirt__mount_word(fs, text);
    }
    for (uint32_t i = 0; r == 0 && i < m->words_count; i++, word += strlen(word) + 1) r = ocirt__mount_word(fs, word);
    if (r == 0) r = ocirt__sys_fsconfig(fs, OCIRT__FSCONFIG_CREATE, NULL, NULL);
    fd = r < 0 ? r : ocirt__sys_fsmount(fs, m->set);
    if (fd < 0) ocirt__mount_complaint(g, fs);
    ocirt__sys_close(&fs);
    return fd;
}

/* The words as the one text of mount(2), whose commas cannot be escaped and which is one page long. */
static bool ocirt__mount_join_words(const struct ocirt__mount *m, unsigned mode, char *out, size_t room) {
    const char *word = m->words;
    size_t n = 0;
    out[0] = 0;
    if (m->flags & OCIRT__MOUNT_KEEP_MODE) ocirt__mount_mode_word(out, mode), n = 9;
    for (uint32_t i = 0; i < m->words_count; i++, word += strlen(word) + 1) {
        size_t size = strlen(word);
        if (strchr(word, ',') || n + size + 2 > room) return false;
        if (n) out[n++] = ',';
        memcpy(out + n, word, size + 1);
        n += size;
    }
    return true;
}

/* One call where that says the same: no one needs the mount's descriptor, and read-only would be the
   file system's and not the mount's. The folder is the working directory, and no path. */
static int ocirt__mount_directly(const struct ocirt__ground *g, const struct ocirt__mount *m, int to, unsigned mode) {
    char words[1024];
    long r;
    (void)g;
    if (m->set & 1 || m->clear || m->deep_set || m->deep_clear || m->propagation_count) return -ENOSYS;
    if (m->flags & (OCIRT__MOUNT_IDMAP | OCIRT__MOUNT_COPY_UP | OCIRT__MOUNT_IS_PROC | OCIRT__MOUNT_IS_SYS | OCIRT__MOUNT_NEW_ROOT)) return -ENOSYS;
    if (!ocirt__mount_join_words(m, mode, words, sizeof words)) return -ENOSYS;
    r = OCIRT__SYS1(SYS_fchdir, to);
    return r < 0 ? (int)r : ocirt__sys_mount(m->source ? m->source : "none", ".", m->type, ocirt__mount_ms_flags(m->set), words);
}

static int ocirt__mount_set_label(int mount, const char *label) {
    int fd = ocirt__sys_openat(mount, ".", O_RDONLY | O_DIRECTORY, 0), r = fd;
    if (fd >= 0) r = (int)OCIRT__SYS5(SYS_fsetxattr, fd, "security.selinux", label, strlen(label) + 1, 0);
    ocirt__sys_close(&fd);
    return r;
}

/* Mounts a new file system. out_fd: the mount, -1 if it has been made without one. */
static int ocirt__mount_new(const struct ocirt__ground *g, const struct ocirt__mount *m, bool direct, int *out_fd) {
    unsigned mode;
    int to = ocirt__mount_target(g, m, false, &mode), fd = -1, r;
    if (to < 0) return to;
    r = direct && !m->label ? ocirt__mount_directly(g, m, to, mode) : -ENOSYS;
    if (r < 0) { /* also for the file system's own words about it */
        r = fd = ocirt__mount_make(g, m, mode);
        if (r >= 0 && m->label) r = ocirt__mount_set_label(fd, m->label);
        if (r >= 0 && m->flags & OCIRT__MOUNT_COPY_UP) r = ocirt__path_copy_tree(to, fd);
        if (r >= 0) r = ocirt__mount_attach(g, m, fd, to, m->set);
        if (r < 0) ocirt__sys_close(&fd);
    }
    ocirt__sys_close(&to);
    *out_fd = fd;
    return r < 0 ? r : 0;
}

/* ----- binds ----- */

/* Mounts the detached tree `from`, which stays the caller's. */
static int ocirt__mount_bind(const struct ocirt__ground *g, const struct ocirt__mount *m, int from) {
    struct ocirt__statx st;
    unsigned mode;
    int r = ocirt__sys_fstatx(from, &st), to = r < 0 ? r : ocirt__mount_target(g, m, !S_ISDIR(st.mode), &mode);
    if (to < 0) return to;
    r = ocirt__mount_attach(g, m, from, to, 0);
    ocirt__sys_close(&to);
    return r;
}

/* copy-symlink: the source is a link, and the container gets the same link. EINVAL: it is none. */
static int ocirt__mount_copy_link(const struct ocirt__ground *g, const struct ocirt__mount *m) {
    char want[PATH_MAX], have[PATH_MAX / 2], leaf[NAME_MAX + 1];
    long n = ocirt__sys_readlinkat(AT_FDCWD, m->source, want, sizeof want);
    int  dir, r;
    if (n < 0) return n == -EINVAL ? (int)n : ocirt__mount_detail(g, m->source, (int)n);
    dir = ocirt__path_open(g->root, m->target, OCIRT__PATH_PARENT, leaf);
    if (dir < 0) return dir;
    r = ocirt__sys_symlinkat(want, dir, leaf);
    if (r == -EEXIST && ocirt__sys_readlinkat(dir, leaf, have, sizeof have) == n && strcmp(have, want) == 0) r = 0;
    ocirt__sys_close(&dir);
    return r == -EINVAL ? -EIO : r;
}

/* Attaches a clone of `from` on `to`, with the attributes `set`. */
static int ocirt__mount_cover(const struct ocirt__ground *g, int from, int to, bool deep, uint32_t set) {
    unsigned flags = OCIRT__OPEN_TREE_CLONE | OCIRT__AT_EMPTY_PATH | (deep ? OCIRT__AT_RECURSIVE : 0);
    int fd = ocirt__sys_open_tree(from, "", flags), r, late;
    if (fd < 0) return fd;
    late = ocirt__mount_attributes(fd, set, 0, deep);
    r    = late < 0 && late != -ENOSYS ? late : ocirt__sys_move_mount(fd, to);
    if (r == 0 && late == -ENOSYS) r = ocirt__mount_remount(g, fd, set, 0);
    ocirt__sys_close(&fd);
    return r;
}

/* A read-only empty tmpfs for directories: made once, attached on the first, cloned for the rest
   (before 6.15 only an attached mount can be cloned). */
static int ocirt__mount_mask_dir(struct ocirt__ground *g, int to) {
    static const struct ocirt__mount empty = {.type = "tmpfs", .words = "nr_blocks=1\0nr_inodes=1\0mode=555", .words_count = 3, .set = 1 | 2 | 4 | 8};
    int r, fd;
    if (g->mask >= 0) return ocirt__mount_cover(g, g->mask, to, false, 0);
    fd = ocirt__mount_make(g, &empty, 0);
    r  = fd < 0 ? fd : ocirt__sys_move_mount(fd, to);
    if (r < 0) ocirt__sys_close(&fd);
    g->mask = fd;
    return r;
}

/* The host's own /dev/null, as a mount that was cloned while the host's mounts were at hand. */
static int ocirt__mount_mask_file(struct ocirt__ground *g, int to) {
    int r;
    if (g->null_lies) return ocirt__mount_cover(g, g->null, to, false, 0);
    r = ocirt__sys_move_mount(g->null, to);
    g->null_lies = r == 0;
    return r;
}

/* What is to be covered. In a procfs or sysfs that we mounted it is found from there: the image may have
   moved the folder that it lies on, or put another in its place, and must not get it uncovered for that. */
static int ocirt__mount_open_covered(const struct ocirt__ground *g, const char *path) {
    int base = strstr(path, "..") ? -1 : strncmp(path, "/proc/", 6) == 0 ? g->container_proc : strncmp(path, "/sys/", 5) == 0 ? g->container_sys : -1;
    return ocirt__path_open(base < 0 ? g->root : base, base < 0 ? path : strchr(path + 1, '/'), OCIRT__PATH_EXISTING, NULL);
}

static int ocirt__mount_mask(struct ocirt__ground *g, const char *path) {
    struct ocirt__statx st;
    int r, to = ocirt__mount_open_covered(g, path);
    if (to < 0) return to;
    r = ocirt__sys_fstatx(to, &st);
    if (r == 0) r = S_ISDIR(st.mode) ? ocirt__mount_mask_dir(g, to) : ocirt__mount_mask_file(g, to);
    ocirt__sys_close(&to);
    return r;
}

static int ocirt__mount_read_only(const struct ocirt__ground *g, const char *path) {
    int r, to = ocirt__mount_open_covered(g, path);
    if (to < 0) return to;
    r = ocirt__mount_cover(g, to, to, true, 1);
    ocirt__sys_close(&to);
    return r;
}

/* ----- nodes and links ----- */

/* A stranger's null would be a door to whatever it is (CVE-2025-31133): 1:3 or nothing. `shared`: it is cloned among
   the host's own mounts, and what is mounted on it in the container must not come back there. */
static int ocirt__mount_open_null(struct ocirt__ground *g, bool shared) {
    struct ocirt__mount_attr alone = {.propagation = MS_PRIVATE};
    struct ocirt__statx st;
    int fd = ocirt__sys_open_tree(AT_FDCWD, "/dev/null", OCIRT__OPEN_TREE_CLONE | OCIRT__AT_SYMLINK_NOFOLLOW), r;
    if (fd < 0) return fd;
    r = ocirt__sys_fstatx(fd, &st);
    if (r == 0 && (!S_ISCHR(st.mode) || st.rdev_major != 1 || st.rdev_minor != 3)) r = -ENXIO;
    if (r == 0 && shared) r = ocirt__sys_mount_setattr(fd, 0, &alone);
    if (r < 0) ocirt__sys_close(&fd);
    g->null = fd;
    return r;
}

/* The folder that a node or link goes into, and its name there. Borrowed. */
static int ocirt__mount_folder(struct ocirt__ground *g, const char *path, char leaf[NAME_MAX + 1]) {
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (slash && g->folder >= 0 && n == g->folder_size && memcmp(path, g->folder_path, n) == 0 && slash[1] && strlen(slash + 1) <= NAME_MAX) {
        memcpy(leaf, slash + 1, strlen(slash + 1) + 1);
        return g->folder;
    }
    ocirt__mount_forget_folder(g);
    g->folder = ocirt__path_open(g->root, path, OCIRT__PATH_PARENT, leaf);
    g->folder_path = path, g->folder_size = n;
    return g->folder;
}

struct ocirt__node {
    const char *path;
    unsigned    mode, major, minor; /* with the type bits */
    uint32_t    uid, gid;
};

static bool ocirt__mount_is_node(const struct ocirt__statx *st, const struct ocirt__node *node) {
    return (st->mode & S_IFMT) == (node->mode & S_IFMT) &&
           (S_ISFIFO(st->mode) || (st->rdev_major == node->major && st->rdev_minor == node->minor));
}

/* A node that is there already must be the same one (runtime-spec config-linux.md). */
static int ocirt__mount_node(struct ocirt__ground *g, const struct ocirt__node *node) {
    char leaf[NAME_MAX + 1];
    struct ocirt__statx st;
    int  r, folder = ocirt__mount_folder(g, node->path, leaf);
    if (folder < 0) return folder;
    r = ocirt__sys_mknodat(folder, leaf, node->mode, makedev(node->major, node->minor));
    if (r == 0 && (node->uid || node->gid)) r = ocirt__sys_fchownat(folder, leaf, node->uid, node->gid, OCIRT__AT_SYMLINK_NOFOLLOW);
    if (r != -EEXIST) return r;
    if (ocirt__sys_statx(folder, leaf, OCIRT__AT_SYMLINK_NOFOLLOW, &st) == 0 && ocirt__mount_is_node(&st, node)) return 0;
    return ocirt__mount_detail(g, "another file is there already", -EEXIST);
}

/* Where nodes are refused (a user namespace): the host's node, if it is the one that was asked for. */
static int ocirt__mount_host_node(const struct ocirt__ground *g, const struct ocirt__node *node) {
    struct ocirt__statx st;
    int to, r, fd = ocirt__sys_open_tree(AT_FDCWD, node->path, OCIRT__OPEN_TREE_CLONE);
    if (fd == -ENOENT) ocirt__mount_detail(g, "a user namespace can make no nodes, and the host has none of this name to bind", fd);
    if (fd < 0) return fd;
    r = ocirt__sys_fstatx(fd, &st);
    if (r == 0 && !ocirt__mount_is_node(&st, node)) r = ocirt__mount_detail(g, "the host's file of this name is another one", -ENXIO);
    to = r < 0 ? r : ocirt__mount_open(g, node->path, OCIRT__PATH_FILE);
    r  = to < 0 ? to : ocirt__sys_move_mount(fd, to);
    ocirt__sys_close(&to);
    ocirt__sys_close(&fd);
    return r;
}

static int ocirt__mount_link(struct ocirt__ground *g, const char *path, const char *text, bool replace) {
    char leaf[NAME_MAX + 1];
    int r, folder = ocirt__mount_folder(g, path, leaf);
    if (folder < 0) return folder;
    if (replace) (void)ocirt__sys_unlinkat(folder, leaf, 0);
    r = ocirt__sys_symlinkat(text, folder, leaf);
    return r == -EEXIST ? 0 : r;
}

/* ----- the root ----- */

/* Not the root of the runtime itself, and a directory. */
static int ocirt__mount_check_root(const struct ocirt__ground *g, int fd) {
    struct ocirt__statx root, here;
    int r = ocirt__sys_fstatx(fd, &root);
    if (r == 0 && !S_ISDIR(root.mode)) return -ENOTDIR;
    if (r == 0) r = ocirt__sys_statx(AT_FDCWD, "/", 0, &here);
    if (r == 0 && here.ino == root.ino && here.dev_major == root.dev_major && here.dev_minor == root.dev_minor)
        r = ocirt__mount_detail(g, "it is the root of the runtime itself", -EBUSY);
    return r;
}

/* The new root is a mount of its own, attached on top of / of this mount namespace: on several kernels
   nothing can be mounted into a tree that is not attached. Takes `tree` over. */
static int ocirt__mount_root(struct ocirt__ground *g, int tree, unsigned long propagation) {
    int r = ocirt__mount_check_root(g, tree), at = -1;
    if (r == 0) r = at = ocirt__sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    if (r >= 0) r = ocirt__sys_move_mount(tree, at);
    if (r == 0 && propagation) r = ocirt__mount_change(g, tree, propagation);
    ocirt__mount_forget_folder(g);
    ocirt__sys_close(&at);
    if (r < 0) ocirt__sys_close(&tree);
    g->root = tree;
    return r;
}

/* A mount namespace made of the root alone: nothing of the host is copied into it, and nothing has to be taken out
   again. What is mounted inside from now on must not reach the host through a shared root. */
static int ocirt__mount_enter_root(struct ocirt__ground *g, const char *path) {
    unsigned flags = OCIRT__OPEN_TREE_NAMESPACE | OCIRT__AT_RECURSIVE | OCIRT__AT_EMPTY_PATH;
    int fd = -1, root = ocirt__sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0), r = root < 0 ? root : ocirt__mount_check_root(g, root);
    if (r == 0) r = fd = ocirt__sys_open_tree(root, "", flags);
    if (r >= 0) r = (int)OCIRT__SYS2(SYS_setns, fd, OCIRT__CLONE_NEWNS);
    ocirt__sys_close(&fd);
    ocirt__sys_close(&root);
    if (r == 0) r = g->root = ocirt__sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    return r < 0 ? r : ocirt__mount_change(g, g->root, MS_PRIVATE | MS_REC);
}

static int ocirt__mount_change_root(int root) {
    long r = OCIRT__SYS1(SYS_fchdir, root);
    if (r == 0) r = OCIRT__SYS1(SYS_chroot, ".");
    return (int)(r == 0 ? OCIRT__SYS1(SYS_chdir, "/") : r);
}

/* Without a new mount namespace the container gets a root, but no mounts; in a joined one the root's
   path is looked up there. */
/* The path may lie in a namespace that others have, and may be a link there to what we hold open of the host. */
static int ocirt__mount_plain_root(struct ocirt__ground *g, const char *path) {
    int top = ocirt__sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    g->root = top < 0 ? top : ocirt__path_open(top, path, OCIRT__PATH_EXISTING, NULL);
    ocirt__sys_close(&top);
    return g->root < 0 ? g->root : ocirt__mount_change_root(g->root);
}

/* A procfs of this pid namespace: the container's, if that is one and not something with such files in it, or a new
   one. Whatever namespace it is of, "self" in it is us. */
static int ocirt__mount_own_proc(void) {
    int fs, proc = ocirt__path_proc(), r = proc;
    if (proc >= 0) return proc;
    r = fs = ocirt__sys_fsopen("proc");
    if (r >= 0) r = ocirt__sys_fsconfig(fs, OCIRT__FSCONFIG_CREATE, NULL, NULL);
    if (r >= 0) r = ocirt__sys_fsmount(fs, 0);
    ocirt__sys_close(&fs);
    return r;
}

/* Whether something still lies on top of /: what `..` of the root leads to. */
static int ocirt__mount_is_covered(void) {
    struct ocirt__statx root = {.mnt_id = 0}, above = {.mnt_id = 0};
    int r = ocirt__sys_statx(AT_FDCWD, ".", 0, &root);
    if (r == 0) r = ocirt__sys_statx(AT_FDCWD, "..", 0, &above);
    if (r == 0 && (root.mnt_id == 0 || above.mnt_id == 0)) r = -EIO; /* on a wrong answer the root itself would go */
    return r < 0 ? r : above.mnt_id != root.mnt_id;
}

/* What lies on top of the root, which is also the working directory: `..` leads onto it, and "." would be what is
   below. */
static int ocirt__mount_drop_cover(bool shared) {
    int top = ocirt__sys_openat(AT_FDCWD, "..", O_PATH | O_DIRECTORY, 0), r = top < 0 ? top : (int)OCIRT__SYS1(SYS_fchdir, top);
    if (r == 0 && shared) r = ocirt__sys_mount(NULL, ".", NULL, MS_REC | MS_SLAVE, NULL);
    if (r == 0) r = ocirt__sys_umount(".", MNT_DETACH);
    ocirt__sys_close(&top);
    return r;
}

/* pivot_root(2): old and new root may be the same place; the old one then lies on top, and on it each root that a
   mount on / has covered: each is unmounted for itself. It is cut off from propagation first, or the unmount would
   reach the host through a shared root. */
static int ocirt__mount_pivot(struct ocirt__ground *g, bool shared) {
    long r = OCIRT__SYS1(SYS_fchdir, g->root);
    ocirt__mount_forget_folder(g);
    if (r == 0) r = OCIRT__SYS2(SYS_pivot_root, ".", ".");
    if (r == 0) r = 1;
    for (int most = 64; r == 1 && most > 0; most--) {
        r = ocirt__mount_drop_cover(shared);
        if (r == 0) r = OCIRT__SYS1(SYS_chdir, "/");
        if (r == 0) r = ocirt__mount_is_covered();
    }
    return (int)(r == 1 ? -EBUSY : r);
}

static bool ocirt__mount_is_id(const char *text, uint64_t id) {
    char   number[24];
    size_t n = ocirt__mem_decimal(number, id);
    return strlen(text) == n && memcmp(text, number, n) == 0;
}

/* One line of mountinfo: "id parent major:minor root target ...". Returns the target, cut out, if it
   hangs directly on the mount `parent` and is not the root itself. The line then starts with the id. */
static char *ocirt__mount_below(char *line, uint64_t parent) {
    char *field[5], *s = line;
    for (int i = 0; i < 5; i++) {
        field[i] = s;
        s += strcspn(s, " ");
        if (*s) *s++ = 0;
    }
    return ocirt__mount_is_id(field[1], parent) && strcmp(field[4], "/") != 0 ? field[4] : NULL;
}

/* Detaches one mount of the old root but the new root. What is shared is cut off from propagation first,
   or what lies below would be unmounted on the host as well; a mount under another cannot be reached for
   that. Returns 1 if there was one. */
static int ocirt__mount_detach_one(struct ocirt__ground *g, int mountinfo, uint64_t parent, uint64_t keep, bool shared) {
    char line[PATH_MAX + 512], *target;
    size_t used = 0;
    struct ocirt__statx st;
    while (ocirt__sys_read(mountinfo, line + used, 1) == 1) {
        if (line[used] != '\n' && used + 1 < sizeof line) {
            used++;
            continue;
        }
        line[used] = 0, used = 0;
        target = ocirt__mount_below(line, parent);
        if (!target || ocirt__sys_statx(AT_FDCWD, target, OCIRT__AT_SYMLINK_NOFOLLOW, &st) < 0 || st.mnt_id == keep) continue;
        if (shared && !ocirt__mount_is_id(line, st.mnt_id))
            return ocirt__mount_detail(g, "the host's mounts lie on top of one another; a shared root leaves them in place only with pivot_root", -EBUSY);
        if (shared && ocirt__sys_mount(NULL, target, NULL, MS_REC | MS_SLAVE, NULL) < 0) continue;
        if (ocirt__sys_umount(target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return 1;
    }
    return 0;
}

/* On an initial ramfs pivot_root is impossible: its root has no parent mount. Everything else is
   detached first, so that nothing of the host is left behind the new root. pid: the caller's in the
   pid namespace of g->proc. */
static int ocirt__mount_move_root(struct ocirt__ground *g, int pid, bool shared) {
    char path[40];
    struct ocirt__statx root, keep;
    int  found = 1, file, r = ocirt__sys_statx(AT_FDCWD, "/", 0, &root);
    size_t n = ocirt__mem_decimal(path, (uint64_t)pid);
    memcpy(path + n, "/mountinfo", 11);
    if (r == 0) r = ocirt__sys_fstatx(g->root, &keep);
    for (int limit = 0; r == 0 && found > 0 && limit < 1000; limit++) {
        file = ocirt__path_exact(g->proc, path, O_RDONLY);
        if (file < 0) return file;
        found = ocirt__mount_detach_one(g, file, root.mnt_id, keep.mnt_id, shared);
        ocirt__sys_close(&file);
    }
    if (r == 0 && found < 0) r = found;
    return r < 0 ? r : ocirt__mount_change_root(g->root); /* it lies on / already */
}

/* ----- the terminal ----- */

/* The pair comes from the container's own devpts, the slave from the master and not from a path
   (TIOCGPTPEER, 4.13). */
static int ocirt__mount_open_pty(const struct ocirt__ground *g, int *out_master, int *out_slave) {
    struct statfs fs;
    char leaf[NAME_MAX + 1];
    int  zero = 0, r, dir = ocirt__path_open(g->root, "/dev/pts/ptmx", OCIRT__PATH_PARENT, leaf);
    if (dir < 0) return dir;
    r = ocirt__sys_fstatfs(dir, &fs);
    if (r == 0) r = (unsigned long)fs.f_type != 0x1cd1 ? -ENODEV : ocirt__path_exact(dir, "ptmx", O_RDWR | O_NOCTTY); /* and not what lies on it */
    ocirt__sys_close(&dir);
    if (r < 0) return ocirt__mount_detail(g, "a terminal needs a devpts on /dev/pts", r);
    *out_master = r;
    r = ocirt__sys_ioctl(*out_master, 0x40045431ul /* TIOCSPTLCK */, &zero);
    if (r == 0) r = *out_slave = (int)OCIRT__SYS3(SYS_ioctl, *out_master, 0x5441 /* TIOCGPTPEER */, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return r < 0 ? r : 0;
}

/* The slave becomes stdin, stdout, stderr and the controlling terminal. */
static int ocirt__mount_use_pty(int slave, uint32_t uid) {
    int r = ocirt__sys_fchownat(slave, "", uid, (uint32_t)-1, OCIRT__AT_EMPTY_PATH);
    if (r == 0) r = (int)OCIRT__SYS3(SYS_ioctl, slave, TIOCSCTTY, 0);
    for (int n = 0; r >= 0 && n < 3; n++) r = (int)OCIRT__SYS3(SYS_dup3, slave, n, 0);
    return r < 0 ? r : 0;
}

static int ocirt__mount_console(const struct ocirt__ground *g, int slave, const char *path) {
    int to = ocirt__mount_open(g, path, OCIRT__PATH_FILE), r = to < 0 ? to : ocirt__mount_cover(g, slave, to, false, 0);
    ocirt__sys_close(&to);
    return r;
}

/* ===========================================================================================
   >>landlock   landlock(7), Linux 5.13: the program may use only what lies below the folders it was given,
   for reading and executing or for everything. Rights that the kernel does not know yet (moving between
   folders 5.19, truncating 6.2, ioctl of devices 6.10) it cannot take away. Needs CAP_SYS_ADMIN or no_new_privs.
   =========================================================================================== */

enum {
    OCIRT__LANDLOCK_READ = 1u | 4u | 8u,                    /* execute, read files, read folders */
    OCIRT__LANDLOCK_FILE = 1u | 2u | 4u | 1u << 14 | 1u << 15 /* what a single file can be given */
};

static uint64_t ocirt__landlock_handled(long version) {
    uint64_t all = (1u << 13) - 1;
    if (version >= 2) all |= 1u << 13;
    if (version >= 3) all |= 1u << 14;
    if (version >= 5) all |= 1u << 15;
    return all;
}

static int ocirt__landlock_allow(int rules, int root, const char *path, uint64_t rights) {
    struct {
        uint64_t rights;
        int32_t  parent; /* packed in the kernel: 12 bytes of this are read */
    } rule = {.rights = rights};
    struct ocirt__statx st;
    int r = rule.parent = ocirt__path_open(root, path, OCIRT__PATH_EXISTING, NULL);
    if (r >= 0) r = ocirt__sys_fstatx(rule.parent, &st);
    if (r >= 0 && !S_ISDIR(st.mode)) rule.rights &= OCIRT__LANDLOCK_FILE;
    if (r >= 0) r = (int)OCIRT__SYS4(OCIRT__NR_landlock_add_rule, rules, 1 /* PATH_BENEATH */, &rule, 0);
    ocirt__sys_close(&rule.parent);
    return r;
}

/* paths: separated by NUL, and one more at the end. failed: the path that could not be allowed. */
static int ocirt__landlock_restrict(int root, const char *read, const char *write, const char **failed) {
    uint64_t handled[2] = {0, 0};
    long     r = OCIRT__SYS3(OCIRT__NR_landlock_create, NULL, 0, 1 /* VERSION */), kept;
    int      rules = -1;
    *failed = "";
    if (r >= 0) handled[0] = ocirt__landlock_handled(r), r = rules = (int)OCIRT__SYS3(OCIRT__NR_landlock_create, handled, 8, 0);
    for (const char *at = read; r >= 0 && *at; at += strlen(at) + 1) r = ocirt__landlock_allow(rules, root, *failed = at, OCIRT__LANDLOCK_READ);
    for (const char *at = write; r >= 0 && *at; at += strlen(at) + 1) r = ocirt__landlock_allow(rules, root, *failed = at, handled[0]);
    if (r >= 0) *failed = "", r = OCIRT__SYS2(OCIRT__NR_landlock_restrict, rules, 0);
    /* Who is restricted may not mount at all, else a mount of nothing is invalid: then a filter around us has lied. */
    if (r >= 0 && ((kept = OCIRT__SYS5(SYS_mount, NULL, "/", NULL, 0, NULL)) == 0 || kept == -EINVAL)) r = -EPERM;
    ocirt__sys_close(&rules);
    return (int)r;
}

/* ===========================================================================================
   >>plan   (spec, options, probe) -> flat ordered rows. Pure: no system call, no clock, nothing
   but its arguments, so that a plan can be printed, compared and tested without root.
   One block, offsets instead of pointers: header, texts, rows. Each row has a verb, the actor that
   carries it out, the place in the config it comes from, and what failure means. Three actors walk
   the same list; exactly one of them is active at a time, and hand-offs follow from the order.
   =========================================================================================== */

/* errno sets of a row: tolerated (the row then did nothing), or choosing the alternate behind it */
#define OCIRT__ON_ENOSYS     0x001u
#define OCIRT__ON_EPERM      0x002u
#define OCIRT__ON_EINVAL     0x004u
#define OCIRT__ON_EBUSY      0x008u
#define OCIRT__ON_ENOENT     0x010u
#define OCIRT__ON_EACCES     0x020u
#define OCIRT__ON_EEXIST     0x040u
#define OCIRT__ON_ENODEV     0x080u
#define OCIRT__ON_ENOTDIR    0x100u
#define OCIRT__ON_EDQUOT     0x200u
#define OCIRT__ON_EOPNOTSUPP 0x400u
#define OCIRT__ON_ENXIO      0x800u
#define OCIRT__ON_EROFS      0x1000u

/* verb, its word in a printed plan, the form of its operands: a b c texts, n x y numbers (x octal o),
   m a mount record, h a hook record, s a slot */
#define OCIRT__VERBS(V)                                                                            \
    V(NONE, "none", "")                                                                            \
    V(CGROUP_MAKE, "make-cgroup", "%a, controllers: %b")                                           \
    V(CGROUP_WRITE, "write-cgroup", "%a = %b")                                                     \
    V(START_SCOPE, "start-scope", "%a in %b")                                                      \
    V(CGROUP_DEVICES, "attach-devices", "%n eBPF instructions")                                    \
    V(CGROUP_OWNER, "own-cgroup", "%x:%y")                                                         \
    V(RESCTRL_GROUP, "resctrl-group", "%a")                                                        \
    V(RESCTRL_WRITE, "resctrl-schemata", "%a")                                                     \
    V(RESCTRL_JOIN, "resctrl-join", "%a")                                                          \
    V(OPEN_NAMESPACE, "open-namespace", "%b %a")                                                   \
    V(OPEN_TREE, "open-tree", "%a")                                                                \
    V(IDMAP_NAMESPACE, "make-idmap", "uids %a gids %b")                                            \
    V(IDMAP_TREE, "idmap-tree", "%a")                                                              \
    V(LISTEN, "listen", "start socket")                                                            \
    V(CLONE, "clone", "%a")                                                                        \
    V(CLONE_EXECUTE, "clone-execute", "%a, %b")                                                    \
    V(RECORD, "record-process", "")                                                                \
    V(ADOPT, "adopt-process", "")                                                                  \
    V(STAGE, "start-stage", "a copy of the caller")                                                \
    V(STAGE_EXECUTE, "execute-stage", "%b")                                                        \
    V(DENY_SETGROUPS, "deny-setgroups", "")                                                        \
    V(WRITE_MAP, "write-map", "%a: %b")                                                            \
    V(RUN_MAPPER, "run-mapper", "%a")                                                              \
    V(OOM_SCORE, "oom-score-adj", "%a")                                                            \
    V(MOVE_DEVICE, "move-device", "%a as %b")                                                      \
    V(HOOKS, "hooks", "%a, %n of them")                                                            \
    V(JOIN, "join-namespace", "%b %a")                                                             \
    V(ENTER, "enter-container", "%a")                                                              \
    V(UNSHARE, "unshare", "%a")                                                                    \
    V(TIME_OFFSETS, "time-offsets", "%a")                                                          \
    V(FORK, "fork", "%a")                                                                          \
    V(RESET, "reset-process", "signals to default, close descriptors from 3 on, umask 0")          \
    V(HIDE, "hide-process", "not dumpable")                                                        \
    V(BECOME_ROOT, "become-root", "of the user namespace")                                         \
    V(OWN_PROC, "open-procfs", "of the container")                                                 \
    V(SESSION, "new-session", "")                                                                  \
    V(KEYRING, "join-keyring", "%a")                                                               \
    V(LOOPBACK, "loopback-up", "")                                                                 \
    V(PROPAGATION, "propagation", "%a")                                                            \
    V(OPEN_NULL, "open-null", "/dev/null of the host")                                             \
    V(ROOT, "root", "%a")                                                                          \
    V(PLAIN_ROOT, "plain-root", "%a")                                                              \
    V(ENTER_ROOT, "enter-root", "%a, as a mount namespace of its own")                             \
    V(MOUNT, "mount", "%m")                                                                        \
    V(BIND, "bind", "%m")                                                                          \
    V(COPY_LINK, "copy-link", "%m")                                                                \
    V(REMOUNT, "remount", "%m")                                                                    \
    V(READ_ONLY_LATE, "read-only", "%a")                                                           \
    V(MKNOD, "mknod", "%a %b %d mode %o")                                                     \
    V(BIND_DEVICE, "bind-device", "%a")                                                            \
    V(LINK, "link", "%a -> %b")                                                                    \
    V(MASK, "mask", "%a")                                                                          \
    V(READ_ONLY, "read-only", "%a")                                                                \
    V(TERMINAL, "terminal", "%a")                                                                  \
    V(PIVOT, "pivot-root", "")                                                                     \
    V(MOVE_ROOT, "move-root", "")                                                                  \
    V(ROOT_READ_ONLY, "root-read-only", "")                                                        \
    V(ROOT_PROPAGATION, "root-propagation", "%a")                                                  \
    V(SYSCTL, "sysctl", "%a = %b")                                                                 \
    V(HOSTNAME, "hostname", "%a")                                                                  \
    V(DOMAINNAME, "domainname", "%a")                                                              \
    V(RLIMIT, "rlimit", "%a soft %x hard %y")                                                      \
    V(PERSONALITY, "personality", "%x")                                                            \
    V(ALL_CPUS, "use-all-cpus", "that the cgroup gives")                                           \
    V(AFFINITY, "use-cpus", "%a")                                                                  \
    V(SCHEDULER, "scheduler", "%a")                                                                \
    V(IO_PRIORITY, "io-priority", "%a")                                                            \
    V(MEMORY_POLICY, "memory-policy", "%a")                                                        \
    V(APPARMOR, "apparmor", "%a")                                                                  \
    V(LABEL, "selinux-label", "%b: %a")                                                            \
    V(LANDLOCK, "landlock", "%a")                                                                  \
    V(LISTENER, "connect-listener", "%a")                                                          \
    V(SECCOMP, "seccomp", "%n instructions")                                                       \
    V(CWD, "cwd", "%a")                                                                            \
    V(BOUNDING, "bounding-set", "%h")                                                              \
    V(GROUPS, "groups", "%a")                                                                      \
    V(OWN_STREAMS, "own-streams", "pipes and sockets, %x")                                         \
    V(IDS, "ids", "%x:%y")                                                                         \
    V(CAPABILITIES, "capabilities", "%a")                                                          \
    V(NO_NEW_PRIVS, "no-new-privileges", "")                                                       \
    V(UMASK, "umask", "%o")                                                                        \
    V(FIND_PROGRAM, "find-program", "%a")                                                          \
    V(AWAIT_START, "await-start", "")                                                              \
    V(EXEC, "exec", "%a")

#define OCIRT__VERB_ENUM(name, word, form) OCIRT__VERB_##name,
enum { OCIRT__VERBS(OCIRT__VERB_ENUM) OCIRT__VERB_COUNT };
#undef OCIRT__VERB_ENUM

/* Descriptors that rows share. */
enum {
    OCIRT__SLOT_NONE, OCIRT__SLOT_PROC, OCIRT__SLOT_CONVERSATION, OCIRT__SLOT_CGROUP, OCIRT__SLOT_START,
    OCIRT__SLOT_INIT, /* pidfd of the container's init, for an exec */
    OCIRT__SLOT_FREE
};

#define OCIRT__ROW_ALTERNATE 1u /* carried out only if the row before failed with an errno of `when` */
#define OCIRT__ROW_BESIDE    4u /* the host carries it out while others go on; who needs it has it in `after` */
#define OCIRT__ROW_UNDO      2u /* has a lasting effect on the host that delete takes back           */

struct ocirt__row {
    uint8_t  verb, actor, flags, slot;
    uint16_t tolerate, when; /* OCIRT__ON_ sets */
    uint32_t origin;         /* offset of an ocirt__origin, 0: none */
    uint32_t a, b, c, n;     /* offsets of texts or records; small numbers */
    uint32_t after;          /* waits for the beside row of index after - 1, 0: for none */
    uint64_t x, y;
};

/* Where in the config a row comes from. */
struct ocirt__origin {
    uint32_t line, column;
    char     pointer[]; /* NUL-terminated */
};

struct ocirt__mount_row {
    uint32_t target, source, type; /* texts; source 0: taken from the row's slot           */
    uint32_t words, words_count;   /* NUL-separated key=value or flag words for the fs     */
    uint32_t label;                /* SELinux' attribute of it, 0: none                    */
    uint32_t set, clear;           /* MOUNT_ATTR_ of this mount                            */
    uint32_t deep_set, deep_clear; /* the same for the whole tree                          */
    uint32_t propagation[5], propagation_count;
    uint32_t flags;
    uint8_t  keep;   /* slot that keeps the mount for a later row, 0: none                 */
    uint8_t  userns; /* slot                                                               */
    uint8_t  spare[2];
};

struct ocirt__hook_row { /* one program to run */
    uint32_t path, argv, argv_count, env, env_count; /* argv, env: offsets of arrays of offsets */
    uint32_t timeout;                                /* seconds, 0: none */
    uint32_t origin;
};

#define OCIRT__PLAN_MAGIC 0x3150434fu /* "OCP1" */

enum { OCIRT__PLAN_STACK = 16384, OCIRT__PLAN_SLOTS = 128 };

/* Init is a copy of the caller; or a stage, a copy of the caller or executed afresh, starts it; or it
   executes the runtime's image itself. */
enum { OCIRT__STAGE_NONE, OCIRT__STAGE_FORKED, OCIRT__STAGE_EXECUTED, OCIRT__STAGE_INIT };

struct ocirt_plan {
    uint32_t magic, size;
    uint32_t rows_at, rows_count, walk_count; /* rows from walk_count on run at start and delete */
    uint32_t await_row, poststart_row, poststop_row; /* 0: none */
    uint32_t id, bundle, rootfs, cgroup; /* texts; cgroup 0: none */
    uint32_t scope, below_scope, user_manager; /* texts: unit of systemd, 0 none; the cgroup in it; whose systemd it is */
    uint32_t args, args_count, env, env_count; /* arrays of offsets of texts */
    uint32_t vectors_at;  /* room for the pointers of argv and envp, 16-aligned */
    uint32_t scratch_at;  /* OCIRT__PLAN_STACK bytes behind `size`: stack of a program started by init */
    uint32_t state_at, state_size; /* text of the container's state, for hooks */
    uint32_t path;        /* value of PATH in env or 0 */
    uint32_t add_home;    /* HOME is missing from env */
    uint32_t preserve;    /* descriptors 3 .. 2 + preserve stay */
    uint32_t terminal, tty_rows, tty_columns;
    uint32_t program_uid, program_gid;
    uint32_t own_types; /* CLONE_NEW flags of the namespaces that must not be the caller's: sysctls are written in them, devices moved to them */
    uint32_t userns, private_net, layout; /* layout: sizes of the structs, so that a stored plan is not misread */
    uint32_t private_pids; /* a new pid namespace: its end is the end of all processes */
    uint32_t resctrl, resctrl_made, resctrl_monitor; /* text: the group, 0: none; it is ours alone; flags */
    uint32_t file;         /* name of the config file, for errors; 0: none */
    uint32_t stage;        /* OCIRT__STAGE_: how init is started */
    uint32_t stage_inside; /* the stage is born in the cgroup, and what it starts is there too */
    int32_t  container_pid; /* of the init that an exec joins; 0: this is the plan of an init */
    int32_t  slots[OCIRT__PLAN_SLOTS];
};

static const char *ocirt__plan_text(const ocirt_plan *plan, uint32_t at) {
    return at ? (const char *)plan + at : "";
}
static const void *ocirt__plan_data(const ocirt_plan *plan, uint32_t at) {
    return (const char *)plan + at;
}
static const struct ocirt__row *ocirt__plan_row(const ocirt_plan *plan, uint32_t index) {
    return (const struct ocirt__row *)ocirt__plan_data(plan, plan->rows_at) + index;
}

static uint32_t ocirt__plan_errno_set(int negative) {
    static const struct {
        int      number;
        uint32_t bit;
    } map[] = {{ENOSYS, OCIRT__ON_ENOSYS}, {EPERM, OCIRT__ON_EPERM},     {EINVAL, OCIRT__ON_EINVAL},
               {EBUSY, OCIRT__ON_EBUSY},   {ENOENT, OCIRT__ON_ENOENT},   {EACCES, OCIRT__ON_EACCES},
               {EEXIST, OCIRT__ON_EEXIST}, {ENODEV, OCIRT__ON_ENODEV},   {ENOTDIR, OCIRT__ON_ENOTDIR},
               {EDQUOT, OCIRT__ON_EDQUOT}, {ENXIO, OCIRT__ON_ENXIO},     {EOPNOTSUPP, OCIRT__ON_EOPNOTSUPP},
               {EROFS, OCIRT__ON_EROFS}};
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (map[i].number == -negative) return map[i].bit;
    return 0;
}

/* ----- the builder ----- */

/* The container that a further process is to join, as the host has found it. */
struct ocirt__plan_target {
    uint64_t    joined;                  /* CLONE_NEW flags of the namespaces that its init has and the caller has not */
    uint64_t    inodes[OCIRT__NS_FILES]; /* of those */
    const char *root, *resctrl;          /* path of its root in its mount namespace; its group, "": none */
    int         pid;
    bool        monitored;               /* in a monitoring group of its own */
};

struct ocirt__planner {
    ocirt_arena         *arena;
    const struct ocirt__plan_target *target; /* NULL: the plan of a new container */
    bool                 burst_set; /* by this config */
    const ocirt_spec    *spec;
    const ocirt_linux   *on;      /* spec->linux_ or an empty one */
    const ocirt_options *options;
    const ocirt_probe   *probe;
    ocirt_error         *error;
    const char          *bundle, *id;
    ocirt__buffer        block;   /* header and texts */
    struct ocirt__row   *rows;
    uint32_t             rows_count, rows_room, origin, slots;
    uint64_t             fresh, joined; /* CLONE_NEW flags of new and of joined namespaces */
    uint8_t             *sources, *idmaps; /* per mount: slot of its tree, of its user namespace     */
    uint8_t              root_slot;        /* the root, when the host opened it                      */
    uint32_t             stage;            /* OCIRT__STAGE_                                          */
    uint32_t             propagation;      /* of the host's tree in the new mount namespace          */
    struct ocirt__place  place;            /* of the last origin: of a file in one line they come mostly in order */
    size_t               vectors;          /* longest argv plus env of program and hooks             */
    struct ocirt__seccomp_filter filter;   /* count 0: none                                          */
    uint8_t              listener;         /* slot of a connection to it                             */
    struct ocirt__systemd_unit  unit;      /* NULL: none                                             */
    struct ocirt__systemd_bytes scope;     /* its properties                                         */
    uint32_t             controllers;      /* that it needs                                          */
    uint8_t              late;             /* OCIRT__ROW_BESIDE: limits follow the birth             */
    bool                 userns, privileged, mounts, detached, foreign_dev, failed;
};

static ocirt_plan *ocirt__plan_head(struct ocirt__planner *p) {
    return (ocirt_plan *)(void *)p->block.data;
}

static uint32_t ocirt__plan_put(struct ocirt__planner *p, const void *data, size_t size) {
    static const char zeros[16] = {0};
    uint32_t at;
    ocirt__buffer_put(&p->block, zeros, -p->block.size & 7u);
    at = (uint32_t)p->block.size;
    ocirt__buffer_put(&p->block, data, size);
    return at;
}

static uint32_t ocirt__plan_put_text(struct ocirt__planner *p, const char *text) {
    uint32_t at = (uint32_t)p->block.size;
    if (text == NULL) return 0;
    ocirt__buffer_put(&p->block, text, strlen(text) + 1);
    return at;
}

static uint32_t ocirt__plan_put_texts(struct ocirt__planner *p, const ocirt_strings *list) {
    uint32_t *offsets = ocirt__mem_array(p->arena, list->count + 1, sizeof *offsets);
    if (!offsets) return p->failed = true, 0;
    for (size_t i = 0; i < list->count; i++) offsets[i] = ocirt__plan_put_text(p, list->items[i]);
    return ocirt__plan_put(p, offsets, list->count * sizeof *offsets);
}

/* The rows added from now on come from this place of the config. */
static void ocirt__plan_from(struct ocirt__planner *p, uint32_t token) {
    const ocirt_json *doc = p->spec->document;
    char   pointer[160];
    int    place[2];
    size_t n;
    p->origin = 0;
    if (!doc || token == 0) return;
    place[0] = (int)doc->tokens[token].line;
    place[1] = ocirt__json_column(doc->text, doc->tokens[token].line_start, ocirt__json_begin(doc, token), &p->place);
    n = ocirt__json_pointer(p->spec->document, token, pointer, sizeof pointer);
    if (n >= sizeof pointer) n = sizeof pointer - 1;
    p->origin = ocirt__plan_put(p, place, sizeof place);
    ocirt__buffer_put(&p->block, pointer, n + 1);
}

static uint32_t ocirt__plan_member(const struct ocirt__planner *p, uint32_t object, const char *name) {
    return p->spec->document && object ? ocirt__json_member(p->spec->document, object, name) : 0;
}

static const char *ocirt__plan_annotation(const struct ocirt__planner *p, const char *key) {
    for (size_t i = 0; i < p->spec->annotations_count; i++)
        if (strcmp(p->spec->annotations[i].key, key) == 0) return p->spec->annotations[i].value;
    return NULL;
}

/* As crun has it; podman's --group-add keep-groups. */
static bool ocirt__plan_keeps_groups(const struct ocirt__planner *p) {
    const char *keep = ocirt__plan_annotation(p, "run.oci.keep_original_groups");
    return keep && strcmp(keep, "0") != 0;
}

static int ocirt__plan_refuse(struct ocirt__planner *p, int code, uint32_t token, const char *hint, const char *message) {
    ocirt__error_set(p->error, code, 0, "", "%s", message);
    if (hint) ocirt__error_hint(p->error, "%s", hint);
    if (p->spec->document && token) ocirt__error_place(p->error, p->spec->document, token);
    return -code;
}

static struct ocirt__row *ocirt__plan_add(struct ocirt__planner *p, unsigned verb, unsigned actor) {
    static struct ocirt__row *const none = NULL;
    struct ocirt__row *row;
    if (p->rows_count == p->rows_room) {
        uint32_t room = p->rows_room ? p->rows_room * 2 : 128;
        struct ocirt__row *more = room > OCIRT_MAX_ROWS * 2 ? none : ocirt__mem_array(p->arena, room, sizeof *more);
        if (!more) {
            p->failed = true;
            return p->rows; /* keeps the caller simple; the plan is thrown away */
        }
        if (p->rows_count) memcpy(more, p->rows, p->rows_count * sizeof *more);
        p->rows = more, p->rows_room = room;
    }
    row = &p->rows[p->rows_count++];
    memset(row, 0, sizeof *row);
    row->verb = (uint8_t)verb, row->actor = (uint8_t)actor, row->origin = p->origin;
    return row;
}

static struct ocirt__row *ocirt__plan_add_text(struct ocirt__planner *p, unsigned verb, unsigned actor, const char *a) {
    uint32_t at = ocirt__plan_put_text(p, a);
    struct ocirt__row *row = ocirt__plan_add(p, verb, actor);
    row->a = at;
    return row;
}

static struct ocirt__row *ocirt__plan_alternate(struct ocirt__planner *p, unsigned verb, unsigned actor, unsigned when) {
    struct ocirt__row *row = ocirt__plan_add(p, verb, actor);
    row->flags = OCIRT__ROW_ALTERNATE;
    row->when  = (uint16_t)when;
    return row;
}

static uint8_t ocirt__plan_slot(struct ocirt__planner *p) {
    if (p->slots == OCIRT__PLAN_SLOTS) {
        p->failed = true;
        return 0;
    }
    return (uint8_t)p->slots++;
}

/* "/a//b/../c" -> "/a/c": what the config says, before any link is looked at. */
static char *ocirt__plan_clean(struct ocirt__planner *p, const char *path) {
    char  *out = ocirt__mem_alloc(p->arena, strlen(path) + 2), *w = out;
    size_t n;
    if (!out) { p->failed = true; return NULL; }
    for (const char *s = path; *s; s += n) {
        while (*s == '/') s++;
        n = strcspn(s, "/");
        if (n == 0 || (n == 1 && s[0] == '.')) continue;
        if (n == 2 && s[0] == '.' && s[1] == '.') {
            while (w > out && *--w != '/') {}
            continue;
        }
        *w++ = '/';
        memmove(w, s, n);
        w += n;
    }
    if (w == out) *w++ = '/';
    *w = 0;
    return out;
}

/* A path of the spec that is relative to the bundle. */
static const char *ocirt__plan_host_path(struct ocirt__planner *p, const char *path) {
    if (path[0] == '/') return path;
    return ocirt__mem_format(p->arena, "%s/%s", p->bundle, path);
}

/* ----- namespaces and identity ----- */

static const char *ocirt__plan_namespace_words(struct ocirt__planner *p, uint64_t flags) {
    static const struct {
        uint64_t    flag;
        const char *word;
    } words[] = {{OCIRT__CLONE_NEWUSER, "user"}, {OCIRT__CLONE_NEWNS, "mount"},   {OCIRT__CLONE_NEWPID, "pid"},
                 {OCIRT__CLONE_NEWNET, "network"}, {OCIRT__CLONE_NEWIPC, "ipc"}, {OCIRT__CLONE_NEWUTS, "uts"},
                 {OCIRT__CLONE_NEWCGROUP, "cgroup"}, {OCIRT__CLONE_NEWTIME, "time"}};
    ocirt__buffer text = {.arena = p->arena};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (flags & words[i].flag) ocirt__buffer_format(&text, "%s%s", text.size ? " " : "", words[i].word);
    return text.size ? text.data : "";
}

/* A mount that becomes the root, copies a link of the host's, or names a path of the host's for its file system. */
static bool ocirt__plan_needs_host_tree(struct ocirt__planner *p, const ocirt_mount *m) {
    const char *target = ocirt__plan_clean(p, m->destination);
    bool bind = false, path = m->source && strchr(m->source, '/');
    if (!target || strcmp(target, "/") == 0) return true;
    for (size_t k = 0; k < m->options.count; k++) {
        const char *option = m->options.items[k];
        if (strcmp(option, "copy-symlink") == 0) return true;
        bind |= strcmp(option, "bind") == 0 || strcmp(option, "rbind") == 0;
        path |= strchr(option, '/') != NULL;
    }
    return path && !bind;
}

/* Whether the root can be entered as a mount namespace of its own (7.0), instead of a copy of the host's that is
   left by pivot_root. Sources of mounts are then opened beforehand by the host, so nothing may need the host's
   tree later (in a user namespace the kernel itself does, which then gives no procfs where it sees none): no hook before pivot_root, no alternate that binds from there. The kernel puts the root on a copy of
   its first root file system: whoever could unmount (CAP_SYS_ADMIN) would see what is left of it. */
static bool ocirt__plan_may_detach(struct ocirt__planner *p) {
    const ocirt_capabilities *caps = p->spec->process ? p->spec->process->capabilities : NULL;
    uint64_t admin = 1ull << 21, needed = admin | 1ull << 18 /* CAP_SYS_CHROOT */ | 1ull << 27 /* CAP_MKNOD */;
    if (!p->probe->tree_namespaces || !p->probe->initial_userns || !p->mounts || p->userns || p->joined || (p->probe->capabilities & needed) != needed) return false;
    if (p->propagation != MS_PRIVATE || p->options->flags & OCIRT_WITHOUT_PIVOT || p->probe->root_is_initramfs) return false;
    if (caps && (caps->bounding.value | caps->permitted.value | caps->inheritable.value) & admin) return false;
    for (size_t i = 0; i < p->spec->mounts_count; i++)
        if (ocirt__plan_needs_host_tree(p, &p->spec->mounts[i])) return false;
    return !p->spec->hooks || p->spec->hooks->create_container_count == 0;
}

static int ocirt__plan_survey(struct ocirt__planner *p) {
    uint64_t admin = 1ull << 21; /* CAP_SYS_ADMIN */
    for (size_t i = 0; i < p->on->namespaces_count; i++) {
        const ocirt_namespace *ns = &p->on->namespaces[i];
        *(ns->path && ns->path[0] ? &p->joined : &p->fresh) |= ns->type;
    }
    p->userns     = ((p->fresh | p->joined) & OCIRT__CLONE_NEWUSER) != 0;
    p->privileged = (p->probe->capabilities & admin) != 0;
    p->mounts     = (p->fresh & OCIRT__CLONE_NEWNS) != 0;
    p->propagation = p->on->rootfs_propagation ? p->on->rootfs_propagation & ~(uint32_t)MS_REC : MS_PRIVATE;
    if (p->propagation & MS_UNBINDABLE) p->propagation = MS_PRIVATE;
    p->detached = ocirt__plan_may_detach(p);
    if (!p->privileged && !p->userns)
        return ocirt__plan_refuse(p, OCIRT_E_PERMISSION, 0,
            "run as root, or add a user namespace: `ocirt spec --rootless` writes such a config",
            "namespaces need CAP_SYS_ADMIN, which the caller lacks, and the config has no user namespace");
    return 0;
}

/* The container's root could reach the file of the program that calls us through /proc/self/exe and
   rewrite it later (CVE-2019-5736), if it owns that file or overrides its permissions. Without a user
   namespace it does, whoever the caller is, and makes a read-only file system writable. The group's bits
   are also the mask of an access list, which may name any id. */
static bool ocirt__plan_image_exposed(const struct ocirt__planner *p) {
    const ocirt_probe *probe = p->probe;
    if (!probe->image_known || !p->userns) return true;
    if (probe->image_read_only) return false;
    return (p->joined & OCIRT__CLONE_NEWUSER) || (probe->image_mode & 0022) != 0 ||
           ocirt__idmap_maps_host(p->on->uid_mappings, p->on->uid_mappings_count, probe->image_uid);
}

/* CPUs of an exec before it is in the container's cgroup. */
static const char *ocirt__plan_first_cpus(const struct ocirt__planner *p) {
    const ocirt_exec_cpu_affinity *cpus = p->target ? p->spec->process->exec_cpu_affinity : NULL;
    return cpus && cpus->initial && cpus->initial[0] ? cpus->initial : NULL;
}

/* Init can be the executed image itself, unless it has to be born of a stage that joins or unshares first, or
   of one that has become root in the new user namespace: an exec before the maps stand loses all capabilities. */
static bool ocirt__plan_needs_stage(const struct ocirt__planner *p) {
    return p->joined || p->fresh & (OCIRT__CLONE_NEWUSER | OCIRT__CLONE_NEWTIME) || ocirt__plan_first_cpus(p);
}

/* A read-only clone of the image's mount costs next to nothing, but through it whoever may open files by their
   handles (CAP_DAC_READ_SEARCH outside user namespaces) could read all of its file system: then it is a copy. */
static void ocirt__plan_image(struct ocirt__planner *p, struct ocirt__row *row) {
    const ocirt_capabilities *caps = p->spec->process ? p->spec->process->capabilities : NULL;
    row->n = !p->userns && caps && (caps->bounding.value | caps->permitted.value | caps->ambient.value) >> 2 & 1;
    row->b = ocirt__plan_put_text(p, row->n ? "a sealed copy of the image" : "the image, read-only");
}

static int ocirt__plan_choose_stage(struct ocirt__planner *p) {
    bool exposed = ocirt__plan_image_exposed(p) && !(p->options->flags & OCIRT_WITHOUT_STAGE);
    if (exposed && !p->options->stage)
        return ocirt__plan_refuse(p, OCIRT_E_PERMISSION, 0,
            "call `options.stage = ocirt_stage(argc, argv)` first in main(), or accept the risk with OCIRT_WITHOUT_STAGE",
            "the container's root could rewrite the file of the calling program (CVE-2019-5736)");
    p->stage = exposed ? ocirt__plan_needs_stage(p) ? OCIRT__STAGE_EXECUTED : OCIRT__STAGE_INIT
             : p->joined || p->fresh & OCIRT__CLONE_NEWTIME || ocirt__plan_first_cpus(p) ? OCIRT__STAGE_FORKED : OCIRT__STAGE_NONE;
    ocirt__plan_head(p)->stage = p->stage, ocirt__plan_head(p)->stage_inside = (p->joined & OCIRT__CLONE_NEWCGROUP) != 0;
    return 0;
}

/* ----- cgroup ----- */

/* A cgroup that was there before may have a burst above the new quota, which would be refused (5.14). */
static void ocirt__plan_forget_burst(struct ocirt__planner *p, uint32_t token) {
    uint32_t none = ocirt__plan_put_text(p, "0");
    struct ocirt__row *row;
    ocirt__plan_from(p, token);
    row = ocirt__plan_add_text(p, OCIRT__VERB_CGROUP_WRITE, OCIRT_ACTOR_HOST, "cpu.max.burst");
    row->b = none, row->flags = p->late, row->tolerate = OCIRT__ON_ENOENT;
}

static void ocirt__plan_emit_limit(void *user, const struct ocirt__limit *limit) {
    struct ocirt__planner *p = user;
    uint32_t value, other, other_value;
    struct ocirt__row *row;
    if (strcmp(limit->file, "cpu.max") == 0 && limit->value[0] != 'm' && !p->burst_set) ocirt__plan_forget_burst(p, limit->token);
    p->burst_set = p->burst_set || strncmp(limit->file, "cpu.max", 7) == 0;
    value = ocirt__plan_put_text(p, limit->value), other = ocirt__plan_put_text(p, limit->other), other_value = ocirt__plan_put_text(p, limit->other_value);
    ocirt__plan_from(p, limit->token);
    row = ocirt__plan_add_text(p, OCIRT__VERB_CGROUP_WRITE, OCIRT_ACTOR_HOST, limit->file);
    row->b = value, row->flags = p->late;
    if (limit->optional) row->tolerate = OCIRT__ON_ENOENT;
    if (!limit->other) return;
    row = ocirt__plan_alternate(p, OCIRT__VERB_CGROUP_WRITE, OCIRT_ACTOR_HOST, OCIRT__ON_ENOENT);
    row->a = other, row->b = other_value, row->flags |= p->late;
}

static int ocirt__plan_device_rows(struct ocirt__planner *p, const ocirt_resources *limits) {
    const struct ocirt__bpf_insn *program = NULL;
    size_t   count = 0;
    uint32_t at;
    struct ocirt__row *row;
    int      r = ocirt__device_assemble(p->arena, limits->devices, limits->devices_count, &program, &count, p->error);
    if (r < 0 && limits->token && p->spec->document) ocirt__error_place(p->error, p->spec->document, ocirt__plan_member(p, limits->token, "devices"));
    if (r < 0 || count == 0) return r;
    ocirt__plan_from(p, ocirt__plan_member(p, limits->token, "devices"));
    at     = ocirt__plan_put(p, program, count * sizeof *program);
    row    = ocirt__plan_add(p, OCIRT__VERB_CGROUP_DEVICES, OCIRT_ACTOR_HOST);
    row->a = at, row->n = (uint32_t)count, row->flags = OCIRT__ROW_BESIDE;
    /* Loading needs CAP_BPF or CAP_SYS_ADMIN in the first user namespace; peers skip it likewise. */
    if (!p->privileged || !p->probe->initial_userns) row->tolerate = OCIRT__ON_EPERM;
    return 0;
}

/* The container manages its own cgroup if it has a cgroup namespace and sees its cgroup writable
   (config-linux.md, cgroup ownership): then it belongs to the container's user. */
static void ocirt__plan_cgroup_owner(struct ocirt__planner *p) {
    const ocirt_process *run = p->spec->process;
    bool writable = false;
    uint32_t uid, gid;
    struct ocirt__row *row;
    for (size_t i = 0; i < p->spec->mounts_count; i++) {
        const ocirt_mount *m = &p->spec->mounts[i];
        bool ro = false;
        if (!m->type || strncmp(m->type, "cgroup", 6) != 0 || strcmp(m->destination, "/sys/fs/cgroup") != 0) continue;
        for (size_t k = 0; k < m->options.count; k++) ro = strcmp(m->options.items[k], "ro") == 0 || (ro && strcmp(m->options.items[k], "rw") != 0);
        writable = !ro;
    }
    if (!writable || !run || !(p->fresh & OCIRT__CLONE_NEWCGROUP) || !(p->fresh & OCIRT__CLONE_NEWUSER)) return;
    if (!ocirt__idmap_to_host(p->on->uid_mappings, p->on->uid_mappings_count, run->user.uid, &uid)) return;
    if (!ocirt__idmap_to_host(p->on->gid_mappings, p->on->gid_mappings_count, run->user.gid, &gid)) return;
    row = ocirt__plan_add(p, OCIRT__VERB_CGROUP_OWNER, OCIRT_ACTOR_HOST);
    row->x = uid, row->y = gid, row->flags = p->late;
    if (!p->privileged) row->tolerate = OCIRT__ON_EPERM;
}

static int ocirt__plan_below_scope(struct ocirt__planner *p, const char **out) {
    const char *name = ocirt__plan_annotation(p, OCIRT__SYSTEMD_BELOW);
    *out = name ? name : "container";
    if (!(*out)[strcspn(*out, "/.\n")] && strlen(*out) <= NAME_MAX) return 0; /* with a dot it could take the name of a file of the cgroup */
    return ocirt__plan_refuse(p, OCIRT_E_SPEC, ocirt__plan_member(p, ocirt__plan_member(p, p->spec->token, "annotations"), OCIRT__SYSTEMD_BELOW),
        "it is one component, as \"container\", or nothing for none", "annotation " OCIRT__SYSTEMD_BELOW " is not the name of a cgroup");
}

/* A scope of systemd's is asked for with a process to put into it, and so after the birth: see ocirt__plan_in_scope.
   Where it lies is known of root's; that of a user's manager the host finds out. */
static int ocirt__plan_scope(struct ocirt__planner *p, const char *controllers) {
    bool user = p->probe->euid != 0 || !p->probe->initial_userns;
    const char *below = "";
    uint32_t unit, path;
    int r = ocirt__systemd_name(p->arena, p->on->cgroups_path, p->id, user, &p->unit, p->error);
    if (r < 0 && p->spec->document) ocirt__error_place(p->error, p->spec->document, ocirt__plan_member(p, p->on->token, "cgroupsPath"));
    if (r == 0) r = ocirt__systemd_properties(p->arena, &p->unit, p->spec, p->id, &p->scope, p->error);
    if (r == 0) r = ocirt__plan_below_scope(p, &below);
    if (r < 0) return r;
    unit = ocirt__plan_put_text(p, p->unit.unit);
    path = ocirt__plan_put_text(p, ocirt__mem_format(p->arena, "%s/%s%s%s", ocirt__systemd_expand(p->arena, p->unit.slice), p->unit.unit, below[0] ? "/" : "", below));
    ocirt__plan_head(p)->below_scope = ocirt__plan_put_text(p, below);
    p->controllers = ocirt__plan_put_text(p, controllers);
    if (!path) return p->failed = true, 0;
    ocirt__plan_head(p)->scope = unit, ocirt__plan_head(p)->user_manager = user, ocirt__plan_head(p)->cgroup = path;
    return 0;
}

/* Init goes on until it has to be in its cgroup. systemd writes the limits too, as far as it knows them. */
static int ocirt__plan_in_scope(struct ocirt__planner *p) {
    static const ocirt_resources nothing;
    uint32_t slice = ocirt__plan_put_text(p, p->unit.slice), at = ocirt__plan_put(p, p->scope.data, p->scope.size);
    struct ocirt__row *row;
    int r;
    ocirt__plan_from(p, ocirt__plan_member(p, p->on->token, "cgroupsPath"));
    row = ocirt__plan_add_text(p, OCIRT__VERB_START_SCOPE, OCIRT_ACTOR_HOST, p->unit.unit);
    row->b = slice, row->c = at, row->n = (uint32_t)p->scope.size, row->x = p->scope.common, row->y = p->controllers;
    row->slot = OCIRT__SLOT_CGROUP, row->flags = OCIRT__ROW_BESIDE | OCIRT__ROW_UNDO;
    p->late = OCIRT__ROW_BESIDE;
    r = ocirt__cgroup_limits(p->on->resources ? p->on->resources : &nothing, p->spec->document, ocirt__plan_emit_limit, p, p->error);
    ocirt__plan_cgroup_owner(p);
    p->late = 0;
    return r;
}

/* The container's cgroup. Without privilege or without a writable hierarchy a config that asks for
   no limit runs without one, as peers do; one that asks is refused. */
static int ocirt__plan_cgroup(struct ocirt__planner *p) {
    static const ocirt_resources nothing;
    const ocirt_resources *limits = p->on->resources ? p->on->resources : &nothing;
    ocirt__buffer controllers = {.arena = p->arena};
    const char *path = NULL;
    bool        without = (p->options->flags & OCIRT_WITHOUT_CGROUPS) != 0;
    struct ocirt__row *row;
    uint32_t    text;
    int         r;
    r = ocirt__cgroup_limits(limits, p->spec->document, ocirt__cgroup_note, &controllers, p->error);
    if (r < 0) return r;
    if (without || !p->probe->cgroup_mount[0]) {
        if (controllers.size == 0) return 0;
        return ocirt__plan_refuse(p, OCIRT_E_CGROUP, limits->token, without ? NULL : "mount one: mount -t cgroup2 none /sys/fs/cgroup",
            without ? "limits are asked for, but cgroups are switched off" : "limits are asked for, but no cgroup2 is mounted");
    }
    r = ocirt__cgroup_check(p->probe, limits, p->spec->document, p->error);
    if (r == 0 && p->options->flags & OCIRT_SYSTEMD) return ocirt__plan_scope(p, controllers.size ? controllers.data : NULL);
    if (r == 0 && (r = ocirt__cgroup_choose(p->arena, p->probe, p->on->cgroups_path, p->id, &path, p->error)) < 0 && p->spec->document)
        ocirt__error_place(p->error, p->spec->document, ocirt__plan_member(p, p->on->token, "cgroupsPath"));
    if (r < 0) return r;
    ocirt__plan_from(p, ocirt__plan_member(p, p->on->token, "cgroupsPath"));
    text = ocirt__plan_put_text(p, controllers.size ? controllers.data : NULL);
    row  = ocirt__plan_add_text(p, OCIRT__VERB_CGROUP_MAKE, OCIRT_ACTOR_HOST, path);
    row->b = text, row->slot = OCIRT__SLOT_CGROUP, row->flags = OCIRT__ROW_UNDO;
    ocirt__plan_head(p)->cgroup = row->a;
    if (controllers.size == 0) row->tolerate = OCIRT__ON_EROFS;
    if (controllers.size == 0 && (!p->privileged || !p->probe->initial_userns)) row->tolerate |= OCIRT__ON_EACCES | OCIRT__ON_EPERM | OCIRT__ON_EBUSY;
    r = ocirt__cgroup_limits(limits, p->spec->document, ocirt__plan_emit_limit, p, p->error);
    if (r < 0) return r;
    ocirt__plan_cgroup_owner(p);
    return 0;
}

/* ----- resctrl ----- */

static void ocirt__plan_schemata(struct ocirt__planner *p, const char *member, const char *line) {
    if (!line || !line[0]) return;
    ocirt__plan_from(p, ocirt__plan_member(p, p->on->intel_rdt->token, member));
    ocirt__plan_add_text(p, OCIRT__VERB_RESCTRL_WRITE, OCIRT_ACTOR_HOST, line);
}

/* A group that the config names is shared with others: found, or made and kept; without any schema it must be
   there (config-linux.md, intelRdt). */
static void ocirt__plan_resctrl(struct ocirt__planner *p) {
    const ocirt_intel_rdt *r = p->on->intel_rdt;
    bool     named, schema;
    uint32_t l3, bandwidth;
    struct ocirt__row *row;
    if (!r) return;
    named  = r->clos_id && r->clos_id[0];
    schema = (r->l3_cache_schema && r->l3_cache_schema[0]) || (r->mem_bw_schema && r->mem_bw_schema[0]) || r->schemata.count;
    ocirt__plan_from(p, r->token);
    l3 = ocirt__plan_put_text(p, r->l3_cache_schema ? r->l3_cache_schema : ""), bandwidth = ocirt__plan_put_text(p, r->mem_bw_schema ? r->mem_bw_schema : "");
    row = ocirt__plan_add_text(p, OCIRT__VERB_RESCTRL_GROUP, OCIRT_ACTOR_HOST, named ? r->clos_id : p->id);
    row->b = l3, row->c = bandwidth, row->n = !named || schema;
    ocirt__plan_head(p)->resctrl = row->a, ocirt__plan_head(p)->resctrl_made = !named, ocirt__plan_head(p)->resctrl_monitor = r->enable_monitoring;
    ocirt__plan_schemata(p, "l3CacheSchema", r->l3_cache_schema);
    ocirt__plan_schemata(p, "memBwSchema", r->mem_bw_schema);
    for (size_t i = 0; i < r->schemata.count; i++) ocirt__plan_schemata(p, "schemata", r->schemata.items[i]);
}

/* ----- birth ----- */

static void ocirt__plan_open_namespaces(struct ocirt__planner *p, uint8_t slots[8]) {
    for (size_t i = 0; i < p->on->namespaces_count && i < 8; i++) {
        const ocirt_namespace *ns = &p->on->namespaces[i];
        uint32_t word;
        struct ocirt__row *row;
        slots[i] = 0;
        if (!ns->path || !ns->path[0]) continue;
        ocirt__plan_from(p, ns->token);
        word = ocirt__plan_put_text(p, ocirt__plan_namespace_words(p, ns->type));
        row  = ocirt__plan_add_text(p, OCIRT__VERB_OPEN_NAMESPACE, OCIRT_ACTOR_HOST, ns->path);
        row->b = word, row->n = (uint32_t)ns->type, row->slot = slots[i] = ocirt__plan_slot(p);
    }
}

/* Others before the user namespace with the caller's rights; what was refused there, after it. The
   mount namespace last: it changes the root. */
static void ocirt__plan_join(struct ocirt__planner *p, const uint8_t slots[8], uint64_t which, bool may_fail) {
    for (size_t i = 0; i < p->on->namespaces_count && i < 8; i++) {
        const ocirt_namespace *ns = &p->on->namespaces[i];
        struct ocirt__row *row;
        uint32_t word;
        if (!slots[i] || !(ns->type & which)) continue;
        ocirt__plan_from(p, ns->token);
        word = ocirt__plan_put_text(p, ocirt__plan_namespace_words(p, ns->type));
        row  = ocirt__plan_add_text(p, OCIRT__VERB_JOIN, OCIRT_ACTOR_STAGE, ns->path);
        row->b = word, row->n = (uint32_t)ns->type, row->slot = slots[i];
        if (may_fail) row->tolerate = OCIRT__ON_EPERM;
    }
}

static int ocirt__plan_map(struct ocirt__planner *p, const char *file, const ocirt_id_mapping *maps, size_t count,
                           unsigned way, unsigned whose) {
    ocirt__buffer text = {.arena = p->arena};
    uint32_t at;
    struct ocirt__row *row;
    bool users = strcmp(file, "uid_map") == 0;
    ocirt__plan_from(p, ocirt__plan_member(p, p->on->token, users ? "uidMappings" : "gidMappings"));
    if (way == OCIRT__IDMAP_HELPER) {
        row = ocirt__plan_add_text(p, OCIRT__VERB_RUN_MAPPER, OCIRT_ACTOR_HOST, users ? p->probe->newuidmap : p->probe->newgidmap);
    } else {
        if (way == OCIRT__IDMAP_SINGLE && !users)
            ocirt__plan_add(p, OCIRT__VERB_DENY_SETGROUPS, OCIRT_ACTOR_HOST)->n = whose;
        row = ocirt__plan_add_text(p, OCIRT__VERB_WRITE_MAP, OCIRT_ACTOR_HOST, file);
    }
    ocirt__idmap_text(&text, maps, count);
    at     = ocirt__plan_put_text(p, text.data);
    row->b = at, row->n = whose;
    return 0;
}

static int ocirt__plan_maps(struct ocirt__planner *p, unsigned whose, bool *out_deny) {
    unsigned way = 0;
    int r = ocirt__idmap_decide(p->probe, p->spec->document, p->on, &way, p->error);
    if (r == 0) r = ocirt__plan_map(p, "uid_map", p->on->uid_mappings, p->on->uid_mappings_count, way, whose);
    if (r == 0) r = ocirt__plan_map(p, "gid_map", p->on->gid_mappings, p->on->gid_mappings_count, way, whose);
    /* newgidmap denies setgroups too when all it maps is the caller's own gid */
    *out_deny = way == OCIRT__IDMAP_SINGLE || (way == OCIRT__IDMAP_HELPER && ocirt__idmap_single(p->on->gid_mappings, p->on->gid_mappings_count, p->probe->egid));
    return r;
}

static void ocirt__plan_time(struct ocirt__planner *p) {
    const ocirt_time_offsets *t = p->on->time_offsets;
    ocirt__buffer text = {.arena = p->arena};
    if (!(p->fresh & OCIRT__CLONE_NEWTIME)) return;
    p->origin = 0;
    ocirt__plan_add_text(p, OCIRT__VERB_UNSHARE, OCIRT_ACTOR_STAGE, "time")->x = OCIRT__CLONE_NEWTIME;
    if (!t) return;
    ocirt__plan_from(p, ocirt__plan_member(p, p->on->token, "timeOffsets"));
    if (t->monotonic) ocirt__buffer_format(&text, "monotonic %lld %u\n", (long long)t->monotonic->secs, (unsigned)t->monotonic->nanosecs);
    if (t->boottime) ocirt__buffer_format(&text, "boottime %lld %u\n", (long long)t->boottime->secs, (unsigned)t->boottime->nanosecs);
    if (text.size) ocirt__plan_add_text(p, OCIRT__VERB_TIME_OFFSETS, OCIRT_ACTOR_STAGE, text.data);
}

static void ocirt__plan_oom_score(struct ocirt__planner *p, unsigned actor) {
    const ocirt_process *run = p->spec->process;
    if (!run->oom_score_adj.set) return;
    ocirt__plan_from(p, ocirt__plan_member(p, run->token, "oomScoreAdj"));
    ocirt__plan_add_text(p, OCIRT__VERB_OOM_SCORE, actor, ocirt__mem_format(p->arena, "%lld", (long long)run->oom_score_adj.value));
}

/* What the host does right after the birth of `whose`, while that one waits, or beside it. */
static int ocirt__plan_after_birth(struct ocirt__planner *p, unsigned whose, bool *out_deny) {
    const ocirt_process *run = p->spec->process;
    struct ocirt__row *row;
    int r = 0;
    if (whose == OCIRT_ACTOR_INIT) {
        row        = ocirt__plan_add(p, p->target ? OCIRT__VERB_ADOPT : OCIRT__VERB_RECORD, OCIRT_ACTOR_HOST);
        row->flags = OCIRT__ROW_BESIDE, row->slot = p->listener;
    }
    if (p->fresh & OCIRT__CLONE_NEWUSER && (whose == OCIRT_ACTOR_STAGE || !(p->fresh & OCIRT__CLONE_NEWTIME)))
        r = ocirt__plan_maps(p, whose, out_deny);
    if (whose == OCIRT_ACTOR_INIT && run && !(p->target && p->target->joined)) ocirt__plan_oom_score(p, OCIRT_ACTOR_HOST);
    if (whose == OCIRT_ACTOR_INIT && p->on->intel_rdt) {
        ocirt__plan_from(p, p->on->intel_rdt->token);
        ocirt__plan_add(p, OCIRT__VERB_RESCTRL_JOIN, OCIRT_ACTOR_HOST)->a = ocirt__plan_head(p)->resctrl;
    }
    for (size_t i = 0; whose == OCIRT_ACTOR_INIT && i < p->on->net_devices_count; i++) {
        const ocirt_net_device *d = &p->on->net_devices[i];
        uint32_t name = ocirt__plan_put_text(p, d->name && d->name[0] ? d->name : d->key);
        ocirt__plan_from(p, d->token);
        ocirt__plan_add_text(p, OCIRT__VERB_MOVE_DEVICE, OCIRT_ACTOR_HOST, d->key)->b = name;
        ocirt__plan_head(p)->own_types |= (uint32_t)OCIRT__CLONE_NEWNET;
    }
    if (r == 0 && whose == OCIRT_ACTOR_INIT && p->unit.unit) r = ocirt__plan_in_scope(p);
    if (r == 0 && whose == OCIRT_ACTOR_INIT && ocirt__plan_head(p)->cgroup && p->on->resources) r = ocirt__plan_device_rows(p, p->on->resources);
    return r;
}

/* The host's own child: init with its new namespaces, or the stage. Returns whether it is init. */
static bool ocirt__plan_start(struct ocirt__planner *p, uint64_t flags) {
    bool executed = p->stage >= OCIRT__STAGE_EXECUTED, init = p->stage == OCIRT__STAGE_NONE || p->stage == OCIRT__STAGE_INIT;
    unsigned verb = init ? executed ? OCIRT__VERB_CLONE_EXECUTE : OCIRT__VERB_CLONE : executed ? OCIRT__VERB_STAGE_EXECUTE : OCIRT__VERB_STAGE;
    struct ocirt__row *row;
    p->origin = 0;
    row = ocirt__plan_add_text(p, verb, OCIRT_ACTOR_HOST, init ? ocirt__plan_namespace_words(p, flags) : NULL);
    if (init) row->x = flags;
    if (executed) ocirt__plan_image(p, row);
    return init;
}

static int ocirt__plan_birth(struct ocirt__planner *p, bool *out_deny) {
    uint64_t flags = p->fresh & ~(OCIRT__CLONE_NEWCGROUP | OCIRT__CLONE_NEWTIME | (p->detached ? OCIRT__CLONE_NEWNS : 0));
    uint8_t  slots[8] = {0};
    bool     early_user = (p->fresh & OCIRT__CLONE_NEWTIME) && (p->fresh & OCIRT__CLONE_NEWUSER);
    uint64_t others = ~(OCIRT__CLONE_NEWUSER | OCIRT__CLONE_NEWNS);
    int      r = 0;
    ocirt__plan_open_namespaces(p, slots);
    if (ocirt__plan_start(p, flags)) return ocirt__plan_after_birth(p, OCIRT_ACTOR_INIT, out_deny);
    if (p->joined && !early_user) /* seen by whoever is in there already; but a hidden one's maps belong to root */
        ocirt__plan_add(p, OCIRT__VERB_HIDE, OCIRT_ACTOR_STAGE);
    ocirt__plan_join(p, slots, others, (p->joined & OCIRT__CLONE_NEWUSER) != 0);
    ocirt__plan_join(p, slots, OCIRT__CLONE_NEWUSER, false);
    if (p->joined & OCIRT__CLONE_NEWUSER) ocirt__plan_join(p, slots, others, false);
    p->origin = 0;
    if (early_user) {
        ocirt__plan_add_text(p, OCIRT__VERB_UNSHARE, OCIRT_ACTOR_STAGE, "user")->x = OCIRT__CLONE_NEWUSER;
        r = ocirt__plan_after_birth(p, OCIRT_ACTOR_STAGE, out_deny);
        flags &= ~OCIRT__CLONE_NEWUSER;
    }
    ocirt__plan_time(p);
    ocirt__plan_join(p, slots, OCIRT__CLONE_NEWNS, false);
    p->origin = 0;
    ocirt__plan_add_text(p, OCIRT__VERB_FORK, OCIRT_ACTOR_STAGE, ocirt__plan_namespace_words(p, flags))->x = flags;
    return r < 0 ? r : ocirt__plan_after_birth(p, OCIRT_ACTOR_INIT, out_deny);
}

/* ----- init: process ----- */

/* Whether a security module is to be told something through procfs. */
static bool ocirt__plan_has_label(const struct ocirt__planner *p) {
    const ocirt_process *run = p->spec->process;
    return run && ((run->apparmor_profile && run->apparmor_profile[0]) || (run->selinux_label && run->selinux_label[0]));
}

static void ocirt__plan_init(struct ocirt__planner *p) {
    bool root_mapped = p->on->uid_mappings_count ? ocirt__idmap_contains(p->on->uid_mappings, p->on->uid_mappings_count, 0)
                                                 : (p->joined & OCIRT__CLONE_NEWUSER) != 0;
    p->origin = 0;
    ocirt__plan_add(p, OCIRT__VERB_RESET, OCIRT_ACTOR_INIT)->n = p->target != NULL;
    if (p->userns && root_mapped) ocirt__plan_add(p, OCIRT__VERB_BECOME_ROOT, OCIRT_ACTOR_INIT)->n = ocirt__plan_keeps_groups(p);
    ocirt__plan_add(p, OCIRT__VERB_HIDE, OCIRT_ACTOR_INIT);
    if (p->target && ocirt__plan_has_label(p)) ocirt__plan_add(p, OCIRT__VERB_OWN_PROC, OCIRT_ACTOR_INIT);
    ocirt__plan_add(p, OCIRT__VERB_SESSION, OCIRT_ACTOR_INIT);
    if (!(p->options->flags & OCIRT_WITHOUT_KEYRING) && p->spec->process && p->spec->process->selinux_label && p->spec->process->selinux_label[0]) {
        uint32_t file = ocirt__plan_put_text(p, "attr/keycreate"); /* exec resets it */
        ocirt__plan_from(p, ocirt__plan_member(p, p->spec->process->token, "selinuxLabel"));
        ocirt__plan_add_text(p, OCIRT__VERB_LABEL, OCIRT_ACTOR_INIT, p->spec->process->selinux_label)->b = file;
        p->origin = 0;
    }
    if (!(p->options->flags & OCIRT_WITHOUT_KEYRING))
        ocirt__plan_add_text(p, OCIRT__VERB_KEYRING, OCIRT_ACTOR_INIT, ocirt__mem_format(p->arena, "_ses.%s", p->id))->tolerate =
            OCIRT__ON_ENOSYS | OCIRT__ON_EPERM;
    if (p->fresh & OCIRT__CLONE_NEWNET) ocirt__plan_add(p, OCIRT__VERB_LOOPBACK, OCIRT_ACTOR_INIT);
    if (p->fresh & OCIRT__CLONE_NEWCGROUP)
        ocirt__plan_add_text(p, OCIRT__VERB_UNSHARE, OCIRT_ACTOR_INIT, "cgroup")->x = OCIRT__CLONE_NEWCGROUP;
}

static void ocirt__plan_names(struct ocirt__planner *p) {
    if (p->spec->hostname) {
        ocirt__plan_from(p, ocirt__plan_member(p, p->spec->token, "hostname"));
        ocirt__plan_add_text(p, OCIRT__VERB_HOSTNAME, OCIRT_ACTOR_INIT, p->spec->hostname);
    }
    if (p->spec->domainname) {
        ocirt__plan_from(p, ocirt__plan_member(p, p->spec->token, "domainname"));
        ocirt__plan_add_text(p, OCIRT__VERB_DOMAINNAME, OCIRT_ACTOR_INIT, p->spec->domainname);
    }
}

/* "net.ipv4.ip_forward" or with slashes, where dots belong to the names: the first separator decides. */
static void ocirt__plan_sysctls(struct ocirt__planner *p) {
    for (size_t i = 0; i < p->on->sysctl_count; i++) {
        const char *key = p->on->sysctl[i].key;
        bool   dotted = key[strcspn(key, "./")] == '.';
        char  *path = ocirt__mem_format(p->arena, "sys/%s", key);
        uint32_t value;
        if (!path) { p->failed = true; return; }
        uint64_t type = 0;
        for (char *s = path + 4; dotted && *s; s++) *s = *s == '.' ? '/' : *s == '/' ? '.' : *s;
        if (ocirt__spec_sysctl_namespace(key, &type) == 0) ocirt__plan_head(p)->own_types |= (uint32_t)type;
        ocirt__plan_from(p, ocirt__plan_member(p, ocirt__plan_member(p, p->on->token, "sysctl"), key));
        value = ocirt__plan_put_text(p, p->on->sysctl[i].value);
        ocirt__plan_add_text(p, OCIRT__VERB_SYSCTL, OCIRT_ACTOR_INIT, path)->b = value;
    }
}

/* Raising a hard limit or a priority needs capabilities of the first user namespace, which only the host has. */
static unsigned ocirt__plan_privileged_actor(const struct ocirt__planner *p) {
    return p->userns && p->privileged ? OCIRT_ACTOR_HOST : OCIRT_ACTOR_INIT;
}

static void ocirt__plan_rlimits(struct ocirt__planner *p) {
    const ocirt_process *run = p->spec->process;
    unsigned actor = ocirt__plan_privileged_actor(p);
    for (size_t i = 0; run && i < run->rlimits_count; i++) {
        struct ocirt__row *row;
        ocirt__plan_from(p, run->rlimits[i].token);
        row = ocirt__plan_add_text(p, OCIRT__VERB_RLIMIT, actor, ocirt__name_of(ocirt__names_rlimits, run->rlimits[i].type));
        row->n = (uint32_t)run->rlimits[i].type, row->x = run->rlimits[i].soft, row->y = run->rlimits[i].hard;
    }
}

static void ocirt__plan_scheduler(struct ocirt__planner *p, const ocirt_scheduler *s) {
    struct ocirt__sched_attr attr = {.size = sizeof attr, .policy = s->policy, .flags = s->flags, .nice = (int32_t)s->nice.value, .priority = (uint32_t)s->priority.value,
                                     .runtime = s->runtime.value, .deadline = s->deadline.value, .period = s->period.value};
    ocirt__buffer text = {.arena = p->arena};
    uint32_t at;
    ocirt__buffer_text(&text, ocirt__name_of(ocirt__names_scheduler, s->policy));
    if (s->nice.value) ocirt__buffer_format(&text, " nice %d", (int)s->nice.value);
    if (s->priority.value) ocirt__buffer_format(&text, " priority %d", (int)s->priority.value);
    if (s->runtime.value) ocirt__buffer_format(&text, " runtime %llu deadline %llu period %llu", (unsigned long long)attr.runtime, (unsigned long long)attr.deadline, (unsigned long long)attr.period);
    ocirt__plan_from(p, s->token);
    at = ocirt__plan_put(p, &attr, sizeof attr);
    ocirt__plan_add_text(p, OCIRT__VERB_SCHEDULER, ocirt__plan_privileged_actor(p), text.data)->b = at;
}

static void ocirt__plan_io_priority(struct ocirt__planner *p, const ocirt_io_priority *io) {
    char text[48];
    snprintf(text, sizeof text, "%s %d", ocirt__name_of(ocirt__names_io_class, io->io_class), (int)io->priority.value);
    ocirt__plan_from(p, io->token);
    ocirt__plan_add_text(p, OCIRT__VERB_IO_PRIORITY, ocirt__plan_privileged_actor(p), text)->n = io->io_class << 13 | (uint32_t)io->priority.value;
}

/* The kernel's masks are of unsigned longs. */
static void ocirt__plan_memory_policy(struct ocirt__planner *p, const ocirt_memory_policy *m) {
    uint64_t bits[OCIRT__NODES / 64] = {0};
    unsigned long mask[OCIRT__NODES / (8 * sizeof(long))] = {0};
    bool nodes = m->nodes && m->nodes[0];
    struct ocirt__row *row;
    uint32_t at;
    if (nodes) (void)ocirt__names_list(m->nodes, bits, OCIRT__NODES);
    for (size_t i = 0; i < OCIRT__NODES; i++)
        if (bits[i / 64] >> i % 64 & 1) mask[i / (8 * sizeof(long))] |= 1ul << i % (8 * sizeof(long));
    ocirt__plan_from(p, m->token);
    at  = nodes ? ocirt__plan_put(p, mask, sizeof mask) : 0;
    row = ocirt__plan_add_text(p, OCIRT__VERB_MEMORY_POLICY, OCIRT_ACTOR_INIT,
                               ocirt__mem_format(p->arena, "%s %s", ocirt__name_of(ocirt__names_memory_modes, m->mode), nodes ? m->nodes : ""));
    row->b = at, row->n = m->mode | (uint32_t)m->flags;
}

/* "/a:/b" as texts one behind the other, and an empty one. */
static uint32_t ocirt__plan_put_paths(struct ocirt__planner *p, const char *list) {
    ocirt__buffer paths = {.arena = p->arena};
    for (size_t n; list && *list; list += n + (list[n] == ':')) {
        n = strcspn(list, ":");
        if (n) ocirt__buffer_put(&paths, list, n), ocirt__buffer_put(&paths, "", 1);
    }
    ocirt__buffer_put(&paths, "", 1);
    return ocirt__plan_put(p, paths.data, paths.size);
}

#define OCIRT__LANDLOCK_READABLE "io.ocirt.landlock.read"
#define OCIRT__LANDLOCK_WRITABLE "io.ocirt.landlock.write"

static void ocirt__plan_landlock(struct ocirt__planner *p) {
    const char *read = ocirt__plan_annotation(p, OCIRT__LANDLOCK_READABLE), *write = ocirt__plan_annotation(p, OCIRT__LANDLOCK_WRITABLE);
    uint32_t readable, writable;
    struct ocirt__row *row;
    if (!read && !write) return;
    ocirt__plan_from(p, ocirt__plan_member(p, ocirt__plan_member(p, p->spec->token, "annotations"), read ? OCIRT__LANDLOCK_READABLE : OCIRT__LANDLOCK_WRITABLE));
    readable = ocirt__plan_put_paths(p, read), writable = ocirt__plan_put_paths(p, write);
    row = ocirt__plan_add_text(p, OCIRT__VERB_LANDLOCK, OCIRT_ACTOR_INIT, ocirt__mem_format(p->arena, "read %s write %s", read ? read : "nothing", write ? write : "nothing"));
    row->b = readable, row->c = writable;
}

/* Without SELinux nothing would carry a label, and another module may take it for a word to itself. */
static int ocirt__plan_labels(struct ocirt__planner *p) {
    const ocirt_process *run = p->spec->process;
    bool process = run && run->selinux_label && run->selinux_label[0], mounts = p->on->mount_label && p->on->mount_label[0];
    uint32_t token = process ? ocirt__plan_member(p, run->token, "selinuxLabel") : ocirt__plan_member(p, p->on->token, "mountLabel");
    if (p->probe->selinux || (!process && !mounts)) return 0;
    return ocirt__plan_refuse(p, OCIRT_E_UNSUPPORTED, token, "boot with security=selinux, or leave the label out", "SELinux is not enabled on this machine");
}

/* What the security modules and Landlock do at exec or from now on, while all rights are still there. */
static void ocirt__plan_confinement(struct ocirt__planner *p) {
    const ocirt_process *run = p->spec->process;
    uint32_t file;
    if (run->apparmor_profile && run->apparmor_profile[0]) {
        ocirt__plan_from(p, ocirt__plan_member(p, run->token, "apparmorProfile"));
        ocirt__plan_add_text(p, OCIRT__VERB_APPARMOR, OCIRT_ACTOR_INIT, run->apparmor_profile)->n = run->no_new_privileges;
    }
    if (run->selinux_label && run->selinux_label[0]) {
        ocirt__plan_from(p, ocirt__plan_member(p, run->token, "selinuxLabel"));
        file = ocirt__plan_put_text(p, "attr/exec");
        ocirt__plan_add_text(p, OCIRT__VERB_LABEL, OCIRT_ACTOR_INIT, run->selinux_label)->b = file;
    }
    ocirt__plan_landlock(p);
}

static void ocirt__plan_warn(struct ocirt__planner *p, uint32_t token, const char *format, const char *name) {
    ocirt_finding f = {.fatal = false};
    ocirt__error_set(&f.what, OCIRT_E_SPEC, 0, name, format, name);
    ocirt__error_place(&f.what, p->spec->document, token);
    p->options->warn(p->options->user, &f);
}

/* Where all that is not named is allowed, a misspelt denial denies nothing. */
static void ocirt__plan_warn_calls(struct ocirt__planner *p, const ocirt_seccomp *s) {
    for (size_t i = 0; i < s->syscalls_count; i++)
        for (size_t k = 0; k < s->syscalls[i].names.count; k++)
            if (ocirt__seccomp_call_find(s->syscalls[i].names.items[k]) == OCIRT__CALLS) ocirt__plan_warn(p, s->syscalls[i].token, "unknown call \"%.60s\" is left out", s->syscalls[i].names.items[k]);
}

/* Compiled, and the agent's socket reached, before anything is made. */
static int ocirt__plan_compile_seccomp(struct ocirt__planner *p) {
    const ocirt_seccomp *s = p->on->seccomp;
    const ocirt_json *doc = s && s->token ? p->spec->document : NULL;
    int r = s && p->spec->process ? ocirt__seccomp_compile(p->arena, doc, s, ocirt__seccomp_native(), &p->filter, p->error) : 0;
    if (r == 0 && p->filter.count && p->options->warn && (s->default_action == OCIRT__SECCOMP_ALLOW || s->default_action == OCIRT__SECCOMP_LOG)) ocirt__plan_warn_calls(p, s);
    if (r == 0 && p->filter.count) r = ocirt__seccomp_check_start(&p->filter, doc, s, p->error);
    if (r < 0 || !p->filter.listener) return r;
    ocirt__plan_from(p, ocirt__plan_member(p, s->token, "listenerPath"));
    p->listener = ocirt__plan_slot(p);
    ocirt__plan_add_text(p, OCIRT__VERB_LISTENER, OCIRT_ACTOR_HOST, s->listener_path)->slot = p->listener;
    return 0;
}

/* As late as it can be: just before exec; without no_new_privs it takes CAP_SYS_ADMIN, and so comes before the
   capabilities are cut, and all that is left to do happens under it. */
static void ocirt__plan_seccomp(struct ocirt__planner *p, bool last) {
    const struct ocirt__seccomp_filter *f = &p->filter;
    ocirt__buffer text = {.arena = p->arena};
    uint32_t at, message = 0;
    struct ocirt__row *row;
    if (!f->count || last != p->spec->process->no_new_privileges) return;
    if (f->listener) {
        ocirt__seccomp_state(&text, p->on->seccomp->listener_metadata, ocirt__plan_text(ocirt__plan_head(p), ocirt__plan_head(p)->state_at));
        message = ocirt__plan_put_text(p, text.data);
    }
    ocirt__plan_from(p, p->on->seccomp->token);
    at  = ocirt__plan_put(p, f->program, f->count * sizeof *f->program);
    row = ocirt__plan_add(p, OCIRT__VERB_SECCOMP, OCIRT_ACTOR_INIT);
    row->a = at, row->n = f->count, row->x = f->flags, row->y = (last ? 2u : 0) | f->provable;
    row->c = message, row->slot = p->listener;
}

static int ocirt__plan_identity(struct ocirt__planner *p, bool groups_denied) {
    const ocirt_process *run = p->spec->process;
    const ocirt_user *user = &run->user;
    ocirt__buffer words = {.arena = p->arena};
    struct ocirt__row *row;
    uint32_t at;
    if (p->fresh & OCIRT__CLONE_NEWUSER && (!ocirt__idmap_contains(p->on->uid_mappings, p->on->uid_mappings_count, user->uid) ||
                                            !ocirt__idmap_contains(p->on->gid_mappings, p->on->gid_mappings_count, user->gid)))
        return ocirt__plan_refuse(p, OCIRT_E_IDMAP, user->token, "add a mapping that contains it, or run as an id that is mapped",
                                  "process.user is not mapped in the user namespace");
    if (groups_denied && user->additional_gids_count)
        return ocirt__plan_refuse(p, OCIRT_E_IDMAP, ocirt__plan_member(p, user->token, "additionalGids"),
                                  "map more than one gid (newgidmap and /etc/subgid), or leave additionalGids out",
                                  "additional groups cannot be set in a user namespace with setgroups denied");
    ocirt__plan_from(p, user->token);
    for (size_t i = 0; i < user->additional_gids_count; i++) ocirt__buffer_format(&words, "%s%u", i ? " " : "", user->additional_gids[i]);
    if (!groups_denied && !p->probe->setgroups_denied && !ocirt__plan_keeps_groups(p)) {
        at  = ocirt__plan_put(p, user->additional_gids, user->additional_gids_count * sizeof(uint32_t));
        row = ocirt__plan_add_text(p, OCIRT__VERB_GROUPS, OCIRT_ACTOR_INIT, words.size ? words.data : "none");
        row->b = at, row->n = (uint32_t)user->additional_gids_count;
        if (p->joined & OCIRT__CLONE_NEWUSER && row->n == 0) row->tolerate = OCIRT__ON_EPERM;
    }
    if (user->uid && !ocirt__plan_head(p)->terminal) ocirt__plan_add(p, OCIRT__VERB_OWN_STREAMS, OCIRT_ACTOR_INIT)->x = user->uid;
    row = ocirt__plan_add(p, OCIRT__VERB_IDS, OCIRT_ACTOR_INIT);
    row->x = user->uid, row->y = user->gid;
    return 0;
}

/* config.md: what cannot be granted SHOULD be logged and SHOULD NOT fail. */
static void ocirt__plan_warn_capabilities(struct ocirt__planner *p, const ocirt_capabilities *caps) {
    static const char *const lists[] = {"bounding", "effective", "inheritable", "permitted", "ambient"};
    const ocirt_json *doc = p->spec->document;
    uint64_t lost = (caps->bounding.value | caps->effective.value | caps->permitted.value) & ~p->probe->capabilities;
    for (size_t i = 0; doc && i < sizeof lists / sizeof lists[0]; i++) {
        uint32_t list = ocirt__plan_member(p, caps->token, lists[i]), item;
        for (size_t k = 0; list && (item = ocirt__json_item(doc, list, k)) != 0; k++) {
            const char *name = ocirt__json_text(p->arena, doc, item);
            if (name && !ocirt__name_find(ocirt__names_capabilities, name)) ocirt__plan_warn(p, item, "unknown capability \"%.60s\" is left out", name);
        }
    }
    for (const struct ocirt__name *n = ocirt__names_capabilities; !p->userns && n->name; n++)
        if (lost >> n->value & 1) ocirt__plan_warn(p, caps->token, "%s is left out: the caller does not have it", n->name);
}

static void ocirt__plan_capabilities(struct ocirt__planner *p) {
    const ocirt_capabilities *caps = p->spec->process->capabilities;
    uint64_t sets[4] = {0, 0, 0, 0};
    uint32_t at;
    struct ocirt__row *row;
    p->origin = 0;
    if (caps) {
        sets[0] = caps->effective.value, sets[1] = caps->permitted.value;
        sets[2] = caps->inheritable.value, sets[3] = caps->ambient.value;
        if (p->options->warn) ocirt__plan_warn_capabilities(p, caps);
        ocirt__plan_from(p, caps->token);
    }
    at  = ocirt__plan_put(p, sets, sizeof sets);
    row = ocirt__plan_add_text(p, OCIRT__VERB_CAPABILITIES, OCIRT_ACTOR_INIT,
                               ocirt__mem_format(p->arena, "effective %llx permitted %llx inheritable %llx ambient %llx", (unsigned long long)sets[0],
                                                 (unsigned long long)sets[1], (unsigned long long)sets[2], (unsigned long long)sets[3]));
    row->b = at;
}

static int ocirt__plan_affinity(struct ocirt__planner *p, unsigned actor, const char *member, const char *list) {
    uint64_t bits[OCIRT__MASK_CPUS / 64] = {0};
    uint32_t token = ocirt__plan_member(p, p->spec->process->exec_cpu_affinity->token, member), at;
    if (!ocirt__names_list(list, bits, OCIRT__MASK_CPUS)) return ocirt__plan_refuse(p, OCIRT_E_SPEC, token, NULL, "execCPUAffinity names a CPU that no kernel has");
    ocirt__plan_from(p, token);
    at = ocirt__plan_put(p, bits, sizeof bits);
    ocirt__plan_add_text(p, OCIRT__VERB_AFFINITY, actor, list)->b = at;
    return 0;
}

/* An exec may choose its CPUs. Else all that the cgroup gives are used, if the config gives any. */
static int ocirt__plan_cpus(struct ocirt__planner *p) {
    const ocirt_exec_cpu_affinity *cpus = p->target ? p->spec->process->exec_cpu_affinity : NULL;
    const ocirt_cpu *given = p->on->resources ? p->on->resources->cpu : NULL;
    if (cpus && cpus->final && cpus->final[0]) return ocirt__plan_affinity(p, OCIRT_ACTOR_INIT, "final", cpus->final);
    if (!given || !given->cpus || !given->cpus[0] || ocirt__plan_first_cpus(p)) return 0;
    ocirt__plan_from(p, ocirt__plan_member(p, given->token, "cpus"));
    ocirt__plan_add(p, OCIRT__VERB_ALL_CPUS, OCIRT_ACTOR_INIT);
    return 0;
}

/* From the mounts to the last row before exec. Bounding set, groups and ids need privilege and so
   come before the capabilities are cut; the program is looked up with the rights it will have. */
static int ocirt__plan_process(struct ocirt__planner *p, bool groups_denied) {
    const ocirt_process *run = p->spec->process;
    struct ocirt__row *row;
    int r;
    if (!run) return 0;
    ocirt__plan_rlimits(p);
    if (p->on->personality) {
        ocirt__plan_from(p, p->on->personality->token);
        ocirt__plan_add(p, OCIRT__VERB_PERSONALITY, OCIRT_ACTOR_INIT)->x = p->on->personality->domain;
        if (p->on->personality->flags.count && p->options->warn) ocirt__plan_warn(p, ocirt__plan_member(p, p->on->personality->token, "flags"), "the specification defines no flag of personality such as \"%.40s\": it is ignored", p->on->personality->flags.items[0]);
    }
    r = ocirt__plan_cpus(p);
    if (r < 0) return r;
    if (run->scheduler) ocirt__plan_scheduler(p, run->scheduler);
    if (run->io_priority) ocirt__plan_io_priority(p, run->io_priority);
    if (p->on->memory_policy) ocirt__plan_memory_policy(p, p->on->memory_policy);
    ocirt__plan_from(p, ocirt__plan_member(p, run->token, "cwd"));
    row = ocirt__plan_add_text(p, OCIRT__VERB_CWD, OCIRT_ACTOR_INIT, run->cwd);
    row->n = !p->target, row->tolerate = OCIRT__ON_EACCES | OCIRT__ON_EPERM; /* made for init only */
    ocirt__plan_confinement(p);
    ocirt__plan_from(p, ocirt__plan_member(p, run->token, "capabilities"));
    row = ocirt__plan_add_text(p, OCIRT__VERB_BOUNDING, OCIRT_ACTOR_INIT, NULL);
    row->x = run->capabilities ? run->capabilities->bounding.value : 0;
    r = ocirt__plan_identity(p, groups_denied);
    if (r < 0) return r;
    ocirt__plan_from(p, ocirt__plan_member(p, run->token, "cwd"));
    ocirt__plan_add_text(p, OCIRT__VERB_CWD, OCIRT_ACTOR_INIT, run->cwd);
    ocirt__plan_seccomp(p, false);
    ocirt__plan_capabilities(p);
    ocirt__plan_from(p, ocirt__plan_member(p, run->token, "noNewPrivileges"));
    if (run->no_new_privileges) ocirt__plan_add(p, OCIRT__VERB_NO_NEW_PRIVS, OCIRT_ACTOR_INIT);
    /* Absent: 0022, which images rely on and peers use, though the spec says unchanged. */
    ocirt__plan_from(p, ocirt__plan_member(p, run->user.token, "umask"));
    ocirt__plan_add(p, OCIRT__VERB_UMASK, OCIRT_ACTOR_INIT)->n = run->user.umask.set ? (uint32_t)run->user.umask.value : 022u;
    ocirt__plan_from(p, ocirt__plan_member(p, run->token, "args"));
    ocirt__plan_add_text(p, OCIRT__VERB_FIND_PROGRAM, OCIRT_ACTOR_INIT, run->args.items[0])->slot = p->listener;
    return 0;
}

/* ----- hooks ----- */

static void ocirt__plan_hooks(struct ocirt__planner *p, unsigned actor, const char *name, const char *status,
                              const ocirt_hook *hooks, size_t count) {
    struct ocirt__hook_row *records = ocirt__mem_array(p->arena, count + 1, sizeof *records);
    uint32_t at, word, member = p->spec->hooks ? ocirt__plan_member(p, p->spec->hooks->token, name) : 0;
    struct ocirt__row *row;
    if (count == 0) return;
    if (!records) { p->failed = true; return; }
    for (size_t i = 0; i < count; i++) {
        const ocirt_hook *h = &hooks[i];
        ocirt_strings self = {.items = (const char **)(uintptr_t)&h->path, .count = 1};
        const ocirt_strings *argv = h->args.count ? &h->args : &self;
        records[i].path = ocirt__plan_put_text(p, h->path);
        records[i].argv = ocirt__plan_put_texts(p, argv), records[i].argv_count = (uint32_t)argv->count;
        records[i].env  = ocirt__plan_put_texts(p, &h->env), records[i].env_count = (uint32_t)h->env.count;
        records[i].timeout = h->timeout.set ? (uint32_t)h->timeout.value : 0;
        if (argv->count + h->env.count > p->vectors) p->vectors = argv->count + h->env.count;
    }
    ocirt__plan_from(p, member);
    at   = ocirt__plan_put(p, records, count * sizeof *records);
    word = ocirt__plan_put_text(p, status);
    row  = ocirt__plan_add_text(p, OCIRT__VERB_HOOKS, actor, name);
    row->b = at, row->n = (uint32_t)count, row->c = word;
    row->x = actor == OCIRT_ACTOR_HOST ? ocirt__plan_head(p)->bundle : 0; /* cwd; in the container: / */
}

/* What hooks get on stdin (runtime-spec runtime.md, state); status and pid are filled in later, over
   the blanks that JSON allows before a value. */
static void ocirt__plan_state_text(struct ocirt__planner *p) {
    ocirt__buffer t = {.arena = p->arena};
    ocirt_plan *head;
    uint32_t at;
    ocirt__buffer_text(&t, "{\"ociVersion\":\"" OCIRT_SPEC_VERSION "\",\"id\":");
    ocirt__json_write_string(&t, p->id);
    ocirt__buffer_text(&t, ",\"status\":                    ,\"pid\":                    ,\"bundle\":");
    ocirt__json_write_string(&t, p->bundle);
    ocirt__buffer_text(&t, ",\"root\":");
    ocirt__json_write_string(&t, p->spec->root ? ocirt__plan_host_path(p, p->spec->root->path) : "");
    ocirt__buffer_text(&t, ",\"annotations\":{");
    for (size_t i = 0; i < p->spec->annotations_count; i++) {
        if (i) ocirt__buffer_text(&t, ",");
        ocirt__json_write_string(&t, p->spec->annotations[i].key);
        ocirt__buffer_text(&t, ":");
        ocirt__json_write_string(&t, p->spec->annotations[i].value);
    }
    ocirt__buffer_text(&t, "}}\n");
    if (t.failed) { p->failed = true; return; }
    at   = ocirt__plan_put(p, t.data, t.size + 1);
    head = ocirt__plan_head(p);
    head->state_at = at, head->state_size = (uint32_t)t.size;
}

/* ----- mounts ----- */

/* MS_ flags of mount(2) to MOUNT_ATTR_ of a mount, and the words of those that belong to the file
   system instead. Relatime is 0 in a field of its own (mount_setattr(2)). */
static uint32_t ocirt__plan_attributes(uint64_t ms) {
    static const struct {
        uint64_t ms;
        uint32_t attr;
    } map[] = {{MS_RDONLY, 1}, {MS_NOSUID, 2}, {MS_NODEV, 4}, {MS_NOEXEC, 8}, {MS_NOATIME, 0x10},
               {MS_STRICTATIME, 0x20}, {MS_NODIRATIME, 0x80}, {0x100, 0x200000}};
    uint32_t attr = 0;
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (ms & map[i].ms) attr |= map[i].attr;
    return attr;
}

static void ocirt__plan_words(struct ocirt__planner *p, const ocirt__mount_options *o, struct ocirt__mount_row *m) {
    static const struct {
        uint64_t    ms;
        const char *word;
    } map[] = {{MS_SYNCHRONOUS, "sync"}, {MS_DIRSYNC, "dirsync"}, {MS_MANDLOCK, "mand"}, {1u << 25, "lazytime"}, {1u << 23, "iversion"}};
    ocirt__buffer words = {.arena = p->arena};
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (o->flags & map[i].ms) ocirt__buffer_put(&words, map[i].word, strlen(map[i].word) + 1), m->words_count++;
    for (size_t i = 0; i < o->data_items_count; i++)
        ocirt__buffer_put(&words, o->data_items[i], strlen(o->data_items[i]) + 1), m->words_count++;
    m->words = words.size ? ocirt__plan_put(p, words.data, words.size) : 0;
}

static bool ocirt__plan_has_word(const ocirt__mount_options *o, const char *prefix) {
    for (size_t i = 0; i < o->data_items_count; i++)
        if (strncmp(o->data_items[i], prefix, strlen(prefix)) == 0) return true;
    return false;
}

/* Files of /proc that programs like lxcfs replace; nothing else may be put there. */
static bool ocirt__plan_proc_target(const char *target) {
    static const char *const allowed[] = {"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps",
        "/proc/uptime", "/proc/loadavg", "/proc/slabinfo", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled"};
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (strcmp(target, allowed[i]) == 0) return true;
    return false;
}

static bool ocirt__plan_is_cgroup(const char *type) {
    return strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0;
}

struct ocirt__mount_plan { /* one mount on its way into rows */
    const ocirt_mount   *from;
    ocirt__mount_options o;
    struct ocirt__mount_row m;
    const char          *target, *type;
    bool                 bind;
};

static int ocirt__plan_mount_fill(struct ocirt__planner *p, struct ocirt__mount_plan *t) {
    const ocirt_mount *from = t->from;
    int r = ocirt__mount_options_parse(p->arena, p->spec->document, from, &t->o, p->error);
    if (r < 0) return r;
    t->bind   = (t->o.flags & MS_BIND) != 0;
    t->type   = from->type && from->type[0] ? from->type : "";
    t->target = ocirt__plan_clean(p, from->destination);
    if (!t->target) return 0;
    if (!t->bind && !t->type[0])
        return ocirt__plan_refuse(p, OCIRT_E_SPEC, from->token, "name the file system type, or add the option bind or rbind",
                                  "a mount without type must be a bind mount");
    if (t->bind && (!from->source || !from->source[0]))
        return ocirt__plan_refuse(p, OCIRT_E_SPEC, from->token, NULL, "a bind mount needs a source");
    t->m.target = ocirt__plan_put_text(p, t->target);
    t->m.set    = ocirt__plan_attributes(t->o.flags);
    t->m.clear  = ocirt__plan_attributes(t->o.cleared);
    t->m.deep_set = (uint32_t)t->o.attr_set, t->m.deep_clear = (uint32_t)t->o.attr_clr;
    if (t->bind && t->o.flags & (MS_RELATIME | MS_NOATIME | MS_STRICTATIME)) t->m.clear |= 0x70u;
    for (size_t i = 0; i < t->o.propagation_count && i < 4; i++) t->m.propagation[t->m.propagation_count++] = t->o.propagation[i];
    if (t->o.flags & MS_REC) t->m.flags |= OCIRT__MOUNT_RECURSIVE;
    if (t->o.tmpcopyup) t->m.flags |= OCIRT__MOUNT_COPY_UP;
    if (t->o.src_nofollow || t->o.copy_symlink) t->m.flags |= OCIRT__MOUNT_SRC_LINK;
    if (t->o.dest_nofollow) t->m.flags |= OCIRT__MOUNT_DST_LINK;
    if (strcmp(t->target, "/") == 0) t->m.flags |= OCIRT__MOUNT_NEW_ROOT;
    return 0;
}

/* The rules for what may lie over /proc (CVE-2019-16884, CVE-2019-19921). */
static int ocirt__plan_mount_proc(struct ocirt__planner *p, struct ocirt__mount_plan *t) {
    bool below = strncmp(t->target, "/proc/", 6) == 0, is = strcmp(t->target, "/proc") == 0;
    bool proc  = !t->bind && strcmp(t->type, "proc") == 0, sysfs = !t->bind && strcmp(t->type, "sysfs") == 0;
    if (below && !ocirt__plan_proc_target(t->target) && !(proc && is))
        return ocirt__plan_refuse(p, OCIRT_E_MOUNT, t->from->token, "only single files such as /proc/cpuinfo may be covered",
                                  "nothing may be mounted inside /proc");
    if (is && !proc && !t->bind)
        return ocirt__plan_refuse(p, OCIRT_E_MOUNT, t->from->token, "use type proc", "only a procfs may be mounted on /proc");
    if (below || is) t->m.flags |= OCIRT__MOUNT_OVER_PROC;
    if ((proc && is) || sysfs) t->m.flags |= OCIRT__MOUNT_NO_LINKS;
    if (sysfs && strcmp(t->target, "/sys") == 0) t->m.flags |= OCIRT__MOUNT_IS_SYS;
    if (proc && is) t->m.flags |= OCIRT__MOUNT_IS_PROC;
    return 0;
}

/* Refused by the kernel in a user namespace whose /proc or /sys is partly covered, or that does not
   own its network namespace; then the host's own tree stands in, with the same flags everywhere. */
static void ocirt__plan_stand_in(struct ocirt__planner *p, const struct ocirt__mount_plan *t, const char *source, unsigned when) {
    struct ocirt__mount_row m = t->m;
    uint32_t at;
    m.source = ocirt__plan_put_text(p, source);
    m.type = m.words = m.words_count = 0;
    m.deep_set |= m.set;
    m.flags |= OCIRT__MOUNT_RECURSIVE;
    at = ocirt__plan_put(p, &m, sizeof m);
    ocirt__plan_alternate(p, OCIRT__VERB_BIND, OCIRT_ACTOR_INIT, when)->a = at;
}

static void ocirt__plan_stand_ins(struct ocirt__planner *p, const struct ocirt__mount_plan *t) {
    bool own_pids = (p->fresh & OCIRT__CLONE_NEWPID) != 0;
    const char *own = ocirt__plan_text(ocirt__plan_head(p), ocirt__plan_head(p)->cgroup), *path = p->probe->cgroup_mount;
    if (p->detached) return; /* the host's tree is out of reach by then */
    if (p->userns && strcmp(t->type, "proc") == 0 && !own_pids) ocirt__plan_stand_in(p, t, "/proc", OCIRT__ON_EPERM);
    if (p->userns && strcmp(t->type, "sysfs") == 0) ocirt__plan_stand_in(p, t, "/sys", OCIRT__ON_EPERM);
    if (!ocirt__plan_is_cgroup(t->type) || !path[0]) return;
    if (p->fresh & OCIRT__CLONE_NEWCGROUP && own[0])
        path = ocirt__mem_format(p->arena, "%s%s", path, own);
    ocirt__plan_stand_in(p, t, path, OCIRT__ON_EPERM | OCIRT__ON_EBUSY | OCIRT__ON_ENODEV);
}

/* procfs and sysfs have labels of their own; a queue's is set as an attribute (mqueue takes no context). Which of
   SELinux' words, podman says in an annotation. */
static void ocirt__plan_mount_label(struct ocirt__planner *p, struct ocirt__mount_plan *t, const char *type) {
    const char *label = p->on->mount_label, *word = ocirt__plan_annotation(p, "run.oci.mount_context_type");
    if (!label || !label[0] || strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0 || strcmp(type, "cgroup2") == 0) return;
    if (strcmp(type, "mqueue") == 0) t->m.label = ocirt__plan_put_text(p, label);
    else t->o.data_items[t->o.data_items_count++] = ocirt__mem_format(p->arena, "%s=%s", word && word[0] ? word : "context", label);
}

static void ocirt__plan_mount_new(struct ocirt__planner *p, struct ocirt__mount_plan *t) {
    const char *type = ocirt__plan_is_cgroup(t->type) ? "cgroup2" : t->type;
    bool tmpfs = strcmp(type, "tmpfs") == 0;
    uint32_t at;
    t->m.type   = ocirt__plan_put_text(p, type);
    t->m.source = ocirt__plan_put_text(p, t->from->source && t->from->source[0] ? t->from->source : type);
    ocirt__plan_mount_label(p, t, type);
    ocirt__plan_words(p, &t->o, &t->m);
    if (tmpfs && !ocirt__plan_has_word(&t->o, "mode=")) t->m.flags |= OCIRT__MOUNT_KEEP_MODE;
    /* Later mounts and the devices must still find or make their places in it. */
    if (t->m.set & 1 && (tmpfs || strcmp(t->target, "/dev") == 0)) {
        t->m.set &= ~1u;
        t->m.keep = ocirt__plan_slot(p);
    }
    at = ocirt__plan_put(p, &t->m, sizeof t->m);
    ocirt__plan_add(p, OCIRT__VERB_MOUNT, OCIRT_ACTOR_INIT)->a = at;
    ocirt__plan_stand_ins(p, t);
}

static void ocirt__plan_mount_bind(struct ocirt__planner *p, struct ocirt__mount_plan *t, uint8_t slot) {
    uint32_t at, kept = p->propagation;
    struct ocirt__row *row;
    if (strcmp(t->target, "/dev") == 0) p->foreign_dev = true;
    t->m.source = ocirt__plan_put_text(p, ocirt__plan_host_path(p, t->from->source));
    if (slot && !(kept & MS_SHARED)) { /* a clone of the host's mount is still its peer */
        memmove(t->m.propagation + 1, t->m.propagation, sizeof t->m.propagation - sizeof t->m.propagation[0]);
        t->m.propagation[0] = kept | MS_REC;
        t->m.propagation_count++;
    }
    at  = ocirt__plan_put(p, &t->m, sizeof t->m);
    row = ocirt__plan_add(p, t->o.copy_symlink ? OCIRT__VERB_COPY_LINK : OCIRT__VERB_BIND, OCIRT_ACTOR_INIT);
    row->a = at, row->slot = slot;
}

static int ocirt__plan_mount(struct ocirt__planner *p, size_t index) {
    struct ocirt__mount_plan t = {.from = &p->spec->mounts[index]};
    int r = ocirt__plan_mount_fill(p, &t);
    if (r == 0) r = ocirt__plan_mount_proc(p, &t);
    if (r < 0 || p->failed) return r;
    ocirt__plan_from(p, t.from->token);
    if (t.o.flags & MS_REMOUNT) {
        uint32_t at = ocirt__plan_put(p, &t.m, sizeof t.m);
        ocirt__plan_add(p, OCIRT__VERB_REMOUNT, OCIRT_ACTOR_INIT)->a = at;
    } else if (t.bind) {
        ocirt__plan_mount_bind(p, &t, p->sources[index]);
    } else {
        if (p->idmaps[index]) t.m.flags |= OCIRT__MOUNT_IDMAP, t.m.userns = p->idmaps[index];
        ocirt__plan_mount_new(p, &t);
    }
    return 0;
}

/* ----- what the host prepares for mounts, before there is a child ----- */

static int ocirt__plan_idmap(struct ocirt__planner *p, const ocirt_mount *m, uint8_t *out_slot) {
    const ocirt_id_mapping *uids = m->uid_mappings, *gids = m->gid_mappings;
    size_t   uids_count = m->uid_mappings_count, gids_count = m->gid_mappings_count;
    ocirt__buffer text = {.arena = p->arena}, other = {.arena = p->arena};
    struct ocirt__row *row;
    uint32_t at;
    if (uids_count == 0) {
        uids = p->on->uid_mappings, uids_count = p->on->uid_mappings_count;
        gids = p->on->gid_mappings, gids_count = p->on->gid_mappings_count;
    }
    if (uids_count == 0 || gids_count == 0)
        return ocirt__plan_refuse(p, OCIRT_E_IDMAP, m->token, "give the mount uidMappings and gidMappings, or the container a user namespace",
                                  "an id-mapped mount needs mappings");
    if (!p->privileged)
        return ocirt__plan_refuse(p, OCIRT_E_PERMISSION, m->token, "run as root", "an id-mapped mount needs CAP_SYS_ADMIN over its file system");
    ocirt__idmap_text(&text, uids, uids_count);
    ocirt__idmap_text(&other, gids, gids_count);
    at  = ocirt__plan_put_text(p, other.data);
    row = ocirt__plan_add_text(p, OCIRT__VERB_IDMAP_NAMESPACE, OCIRT_ACTOR_HOST, text.data);
    row->b = at, row->slot = *out_slot = ocirt__plan_slot(p);
    return 0;
}

/* A source is cloned by the host where the container's ids could not reach it (a user namespace),
   where it is id-mapped, and where it must stay a peer of the host's mount. */
static int ocirt__plan_source(struct ocirt__planner *p, size_t index) {
    const ocirt_mount *m = &p->spec->mounts[index];
    ocirt__mount_options o;
    struct ocirt__row *row;
    bool idmapped;
    int  r = ocirt__mount_options_parse(p->arena, p->spec->document, m, &o, p->error);
    if (r < 0) return r;
    idmapped = o.idmap || o.ridmap || m->uid_mappings_count;
    ocirt__plan_from(p, m->token);
    if (idmapped) r = ocirt__plan_idmap(p, m, &p->idmaps[index]);
    if (r < 0 || !(o.flags & MS_BIND) || o.flags & MS_REMOUNT || !m->source || !p->privileged || o.copy_symlink) return r;
    if (!idmapped && !p->userns && !p->detached && (p->propagation & MS_PRIVATE)) return 0;
    row = ocirt__plan_add_text(p, OCIRT__VERB_OPEN_TREE, OCIRT_ACTOR_HOST, ocirt__plan_host_path(p, m->source));
    row->slot = p->sources[index] = ocirt__plan_slot(p);
    row->x = (o.flags & MS_REC ? OCIRT__AT_RECURSIVE : 0) | (o.src_nofollow ? OCIRT__AT_SYMLINK_NOFOLLOW : 0);
    if (!idmapped) return 0;
    row = ocirt__plan_add_text(p, OCIRT__VERB_IDMAP_TREE, OCIRT_ACTOR_HOST, m->source);
    row->slot = p->sources[index], row->n = p->idmaps[index], row->x = o.ridmap ? OCIRT__AT_RECURSIVE : 0;
    return 0;
}

static int ocirt__plan_sources(struct ocirt__planner *p) {
    struct ocirt__row *row;
    int r = 0;
    p->sources = ocirt__mem_array(p->arena, p->spec->mounts_count + 1, 1);
    p->idmaps  = ocirt__mem_array(p->arena, p->spec->mounts_count + 1, 1);
    if (!p->sources || !p->idmaps) return p->failed = true, 0;
    if (!p->mounts) return 0;
    for (size_t i = 0; r == 0 && i < p->spec->mounts_count; i++) r = ocirt__plan_source(p, i);
    if (r < 0 || !p->userns || !p->privileged) return r;
    ocirt__plan_from(p, ocirt__plan_member(p, p->spec->root->token, "path"));
    row = ocirt__plan_add_text(p, OCIRT__VERB_OPEN_TREE, OCIRT_ACTOR_HOST, ocirt__plan_host_path(p, p->spec->root->path));
    row->slot = p->root_slot = ocirt__plan_slot(p);
    row->x = OCIRT__AT_RECURSIVE;
    return 0;
}

/* ----- init: root, mounts, devices ----- */

static void ocirt__plan_root(struct ocirt__planner *p) {
    struct ocirt__row *row;
    if (p->detached) {
        if (p->on->masked_paths.count) ocirt__plan_add(p, OCIRT__VERB_OPEN_NULL, OCIRT_ACTOR_INIT)->x = 1;
        ocirt__plan_from(p, ocirt__plan_member(p, p->spec->root->token, "path"));
        ocirt__plan_add_text(p, OCIRT__VERB_ENTER_ROOT, OCIRT_ACTOR_INIT, ocirt__plan_host_path(p, p->spec->root->path));
        return;
    }
    ocirt__plan_from(p, ocirt__plan_member(p, p->on->token, "rootfsPropagation"));
    row = ocirt__plan_add_text(p, OCIRT__VERB_PROPAGATION, OCIRT_ACTOR_INIT,
                               p->propagation & MS_SHARED ? "/ shared" : p->propagation & MS_SLAVE ? "/ slave" : "/ private");
    row->x = p->propagation | MS_REC;
    if (!(p->propagation & MS_PRIVATE)) { /* pivot_root refuses a shared parent */
        row = ocirt__plan_add_text(p, OCIRT__VERB_PROPAGATION, OCIRT_ACTOR_INIT, "/ alone private");
        row->x = MS_PRIVATE;
    }
    ocirt__plan_from(p, ocirt__plan_member(p, p->spec->root->token, "path"));
    row = ocirt__plan_add_text(p, OCIRT__VERB_ROOT, OCIRT_ACTOR_INIT, ocirt__plan_host_path(p, p->spec->root->path));
    row->slot = p->root_slot;
    /* pivot_root refuses a shared new root as well; the propagation asked for is set after it, but a
       slave would have lost its master by then. */
    if (p->propagation & MS_SLAVE) row->x = MS_SLAVE | MS_REC;
    else if (p->propagation & MS_PRIVATE) row->x = p->root_slot ? MS_PRIVATE | MS_REC : 0;
    else row->x = MS_PRIVATE;
    p->origin = 0;
    if (p->on->masked_paths.count) ocirt__plan_add(p, OCIRT__VERB_OPEN_NULL, OCIRT_ACTOR_INIT);
}

static void ocirt__plan_device(struct ocirt__planner *p, const char *path, char type, uint32_t major, uint32_t minor,
                               uint32_t mode, uint64_t owner) {
    uint32_t word = ocirt__plan_put_text(p, type == 'b' ? "b" : type == 'p' ? "p" : "c"), at;
    struct ocirt__row *row = ocirt__plan_add_text(p, OCIRT__VERB_MKNOD, OCIRT_ACTOR_INIT, path);
    at = row->a;
    row->b = word, row->x = (uint64_t)major << 32 | minor, row->y = owner;
    row->n = mode | (type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR);
    if (type == 'p' || p->detached) return;
    /* In a user namespace an empty file that an earlier bind was put on is as good as nothing. */
    row = ocirt__plan_alternate(p, OCIRT__VERB_BIND_DEVICE, OCIRT_ACTOR_INIT, OCIRT__ON_EPERM | (p->userns ? OCIRT__ON_EEXIST : 0));
    row->a = at, row->x = (uint64_t)major << 32 | minor;
    row->n = type == 'b' ? S_IFBLK : S_IFCHR;
}

static void ocirt__plan_link(struct ocirt__planner *p, const char *path, const char *target, bool replace) {
    uint32_t to = ocirt__plan_put_text(p, target);
    struct ocirt__row *row = ocirt__plan_add_text(p, OCIRT__VERB_LINK, OCIRT_ACTOR_INIT, path);
    row->b = to, row->n = replace;
}

static bool ocirt__plan_device_given(const struct ocirt__planner *p, const char *path) {
    for (size_t i = 0; i < p->on->devices_count; i++)
        if (strcmp(p->on->devices[i].path, path) == 0) return true;
    return false;
}

/* Default devices and links (config-linux.md), unless /dev is somebody else's; those of the config. */
static void ocirt__plan_devices(struct ocirt__planner *p) {
    static const struct {
        const char *path;
        uint32_t    major, minor;
    } nodes[] = {{"/dev/null", 1, 3}, {"/dev/zero", 1, 5}, {"/dev/full", 1, 7}, {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
    p->origin = 0;
    for (size_t i = 0; !p->foreign_dev && i < sizeof nodes / sizeof nodes[0]; i++)
        if (!ocirt__plan_device_given(p, nodes[i].path))
            ocirt__plan_device(p, nodes[i].path, 'c', nodes[i].major, nodes[i].minor, 0666, 0);
    for (size_t i = 0; i < p->on->devices_count; i++) {
        const ocirt_device *d = &p->on->devices[i];
        uint64_t owner = (uint64_t)(d->uid.set ? d->uid.value : 0) << 32 | (d->gid.set ? d->gid.value : 0);
        ocirt__plan_from(p, d->token);
        ocirt__plan_device(p, d->path, d->type, (uint32_t)d->major.value, (uint32_t)d->minor.value,
                           d->file_mode.set ? (uint32_t)d->file_mode.value : 0666u, owner);
    }
    if (p->foreign_dev) return;
    p->origin = 0;
    ocirt__plan_link(p, "/dev/fd", "/proc/self/fd", false);
    ocirt__plan_link(p, "/dev/stdin", "/proc/self/fd/0", false);
    ocirt__plan_link(p, "/dev/stdout", "/proc/self/fd/1", false);
    ocirt__plan_link(p, "/dev/stderr", "/proc/self/fd/2", false);
    ocirt__plan_link(p, "/dev/core", "/proc/kcore", false);
    ocirt__plan_link(p, "/dev/ptmx", "pts/ptmx", true);
}

static void ocirt__plan_covers(struct ocirt__planner *p, const char *name, const ocirt_strings *paths, unsigned verb) {
    uint32_t list = ocirt__plan_member(p, p->on->token, name);
    for (size_t i = 0; i < paths->count; i++) {
        ocirt__plan_from(p, p->spec->document && list ? ocirt__json_item(p->spec->document, list, i) : 0);
        ocirt__plan_add_text(p, verb, OCIRT_ACTOR_INIT, paths->items[i])->tolerate = OCIRT__ON_ENOENT | OCIRT__ON_ENOTDIR | OCIRT__ON_EACCES;
    }
}

static void ocirt__plan_enter_root(struct ocirt__planner *p) {
    bool move = (p->options->flags & OCIRT_WITHOUT_PIVOT) != 0;
    struct ocirt__row *row;
    for (uint32_t i = 0, end = p->rows_count; i < end; i++) {
        const struct ocirt__mount_row *m;
        if (p->rows[i].verb != OCIRT__VERB_MOUNT) continue;
        m = ocirt__plan_data(ocirt__plan_head(p), p->rows[i].a);
        if (!m->keep) continue;
        p->origin = p->rows[i].origin;
        row = ocirt__plan_add(p, OCIRT__VERB_READ_ONLY_LATE, OCIRT_ACTOR_INIT);
        row->a = m->target, row->slot = m->keep;
    }
    ocirt__plan_from(p, ocirt__plan_member(p, p->spec->root->token, "readonly"));
    if (p->spec->root->readonly) ocirt__plan_add(p, OCIRT__VERB_ROOT_READ_ONLY, OCIRT_ACTOR_INIT);
    p->origin = 0;
    if (!p->detached) ocirt__plan_add(p, move ? OCIRT__VERB_MOVE_ROOT : OCIRT__VERB_PIVOT, OCIRT_ACTOR_INIT)->x = !(p->propagation & MS_PRIVATE);
    /* Proven by the probe, and not by the kernel's version: 7.x can pivot away from an initial ramfs. */
    if (!move && p->probe->root_is_initramfs)
        ocirt__plan_alternate(p, OCIRT__VERB_MOVE_ROOT, OCIRT_ACTOR_INIT, OCIRT__ON_EINVAL)->x = !(p->propagation & MS_PRIVATE);
    if (!p->on->rootfs_propagation) return;
    ocirt__plan_from(p, ocirt__plan_member(p, p->on->token, "rootfsPropagation"));
    ocirt__plan_add_text(p, OCIRT__VERB_ROOT_PROPAGATION, OCIRT_ACTOR_INIT, "/")->x = p->on->rootfs_propagation;
}

static int ocirt__plan_no_mounts(struct ocirt__planner *p) {
    uint32_t token = p->spec->mounts_count ? ocirt__plan_member(p, p->spec->token, "mounts")
                     : p->on->masked_paths.count ? ocirt__plan_member(p, p->on->token, "maskedPaths")
                     : p->on->readonly_paths.count ? ocirt__plan_member(p, p->on->token, "readonlyPaths")
                     : p->spec->root->readonly ? ocirt__plan_member(p, p->spec->root->token, "readonly") : 0;
    bool any = p->spec->mounts_count || p->on->masked_paths.count || p->on->readonly_paths.count || p->spec->root->readonly;
    if (any)
        return ocirt__plan_refuse(p, OCIRT_E_MOUNT, token, "add {\"type\": \"mount\"} to linux.namespaces",
                                  "mounts would change those of the host or of another container: a new mount namespace is needed");
    ocirt__plan_from(p, p->spec->root->token);
    ocirt__plan_add_text(p, OCIRT__VERB_PLAIN_ROOT, OCIRT_ACTOR_INIT, ocirt__plan_host_path(p, p->spec->root->path));
    return 0;
}

static int ocirt__plan_file_system(struct ocirt__planner *p) {
    const ocirt_hooks *hooks = p->spec->hooks;
    int r = 0;
    if (!p->mounts) r = ocirt__plan_no_mounts(p);
    if (p->mounts) {
        ocirt__plan_root(p);
        for (size_t i = 0; r == 0 && i < p->spec->mounts_count; i++) r = ocirt__plan_mount(p, i);
        if (r < 0) return r;
        ocirt__plan_devices(p);
        if (ocirt__plan_head(p)->terminal) {
            ocirt__plan_from(p, ocirt__plan_member(p, p->spec->process->token, "terminal"));
            ocirt__plan_add_text(p, OCIRT__VERB_TERMINAL, OCIRT_ACTOR_INIT, "/dev/console");
        }
    }
    ocirt__plan_sysctls(p);
    if (hooks) ocirt__plan_hooks(p, OCIRT_ACTOR_HOST, "prestart", "creating", hooks->prestart, hooks->prestart_count);
    if (hooks) ocirt__plan_hooks(p, OCIRT_ACTOR_HOST, "createRuntime", "creating", hooks->create_runtime, hooks->create_runtime_count);
    if (hooks) ocirt__plan_hooks(p, OCIRT_ACTOR_INIT, "createContainer", "creating", hooks->create_container, hooks->create_container_count);
    if (!p->mounts) return r;
    ocirt__plan_covers(p, "readonlyPaths", &p->on->readonly_paths, OCIRT__VERB_READ_ONLY);
    ocirt__plan_covers(p, "maskedPaths", &p->on->masked_paths, OCIRT__VERB_MASK);
    ocirt__plan_enter_root(p);
    return r;
}

/* ----- putting it together ----- */

static int ocirt__plan_terminal(struct ocirt__planner *p) {
    const ocirt_process *run = p->spec->process;
    uint32_t token = run ? ocirt__plan_member(p, run->token, "terminal") : 0;
    bool detached = !(p->options->flags & OCIRT_OF_RUN) || p->options->flags & OCIRT_DETACH, socket = p->options->console_socket != NULL;
    if (socket && (!detached || !run || !run->terminal))
        return ocirt__plan_refuse(p, OCIRT_E_ARGUMENT, token, "leave --console-socket out, or set process.terminal to true and detach",
                                  detached ? "a console socket is given, but the process has no terminal" : "a console socket is given, but in the foreground the terminal is the caller's");
    if (!run || !run->terminal) return 0;
    if (detached && !socket)
        return ocirt__plan_refuse(p, OCIRT_E_ARGUMENT, token, "pass --console-socket SOCKET, run in the foreground, or set process.terminal to false",
                                  "a detached process with a terminal needs a console socket, to which the terminal is given");
    if (!detached && !(p->options->flags & OCIRT_FORWARD))
        return ocirt__plan_refuse(p, OCIRT_E_ARGUMENT, token, "set options.flags = OCIRT_FORWARD, or process.terminal to false",
                                  "process.terminal is true, and without OCIRT_FORWARD nobody would pass the terminal on");
    if (!p->target && !p->mounts)
        return ocirt__plan_refuse(p, OCIRT_E_SPEC, token, NULL, "a terminal needs a new mount namespace with a devpts on /dev/pts");
    ocirt__plan_head(p)->terminal = 1;
    if (run->console_size && (run->console_size->height > 65535 || run->console_size->width > 65535))
        return ocirt__plan_refuse(p, OCIRT_E_SPEC, run->console_size->token, NULL, "a terminal has at most 65535 rows and columns");
    if (run->console_size) {
        ocirt__plan_head(p)->tty_rows    = (uint32_t)run->console_size->height;
        ocirt__plan_head(p)->tty_columns = (uint32_t)run->console_size->width;
    }
    return 0;
}

static const char *ocirt__plan_environment(const ocirt_process *run, const char *name) {
    size_t n = strlen(name);
    for (size_t i = run->env.count; i-- > 0;)
        if (strncmp(run->env.items[i], name, n) == 0 && run->env.items[i][n] == '=') return run->env.items[i] + n + 1;
    return NULL;
}

/* Of entries with one name the last counts, as in runc. */
static ocirt_strings ocirt__plan_unique_env(struct ocirt__planner *p, const ocirt_strings *env) {
    ocirt_strings out = {.items = ocirt__mem_array(p->arena, env->count + 3, sizeof *out.items)};
    for (size_t i = 0; out.items && i < env->count; i++) {
        size_t n = strcspn(env->items[i], "=") + 1, k = i + 1;
        while (k < env->count && strncmp(env->items[k], env->items[i], n) != 0) k++;
        if (k == env->count) out.items[out.count++] = env->items[i];
    }
    if (!out.items) p->failed = true;
    return out;
}

/* sd_listen_fds(3): the descriptors come first, and the container's init is 1. There is room for two. */
static void ocirt__plan_listen_env(struct ocirt__planner *p, ocirt_strings *env) {
    size_t kept = 0;
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->items[i], "LISTEN_FDS=", 11) != 0 && strncmp(env->items[i], "LISTEN_PID=", 11) != 0) env->items[kept++] = env->items[i];
    env->items[kept++] = ocirt__mem_format(p->arena, "LISTEN_FDS=%u", p->options->listen_fds);
    env->items[kept++] = "LISTEN_PID=1";
    env->count = kept;
    if (!env->items[kept - 2]) p->failed = true;
}

static void ocirt__plan_program(struct ocirt__planner *p) {
    const ocirt_process *run = p->spec->process;
    ocirt_strings env;
    const char *home, *path;
    uint32_t args, vars, search;
    ocirt_plan *head;
    if (!run) return;
    env  = ocirt__plan_unique_env(p, &run->env);
    if (p->options->listen_fds) ocirt__plan_listen_env(p, &env);
    home = ocirt__plan_environment(run, "HOME"), path = ocirt__plan_environment(run, "PATH");
    args = ocirt__plan_put_texts(p, &run->args);
    vars = ocirt__plan_put_texts(p, &env);
    search = path ? ocirt__plan_put_text(p, path) : 0;
    head = ocirt__plan_head(p);
    head->args = args, head->args_count = (uint32_t)run->args.count;
    head->env = vars, head->env_count = (uint32_t)env.count;
    head->path = search, head->add_home = !home || !home[0];
    head->program_uid = run->user.uid, head->program_gid = run->user.gid;
    if (run->args.count + env.count > p->vectors) p->vectors = run->args.count + env.count;
}

/* Behind exec: what `start` and `delete` carry out, from the plan stored with the container. */
static void ocirt__plan_after(struct ocirt__planner *p) {
    const ocirt_hooks *hooks = p->spec->hooks;
    ocirt__plan_head(p)->walk_count = p->rows_count;
    if (!hooks) return;
    if (hooks->poststart_count) ocirt__plan_head(p)->poststart_row = p->rows_count;
    ocirt__plan_hooks(p, OCIRT_ACTOR_HOST, "poststart", "running", hooks->poststart, hooks->poststart_count);
    if (hooks->poststop_count) ocirt__plan_head(p)->poststop_row = p->rows_count;
    ocirt__plan_hooks(p, OCIRT_ACTOR_HOST, "poststop", "stopped", hooks->poststop, hooks->poststop_count);
}

/* A new user namespace without mappings: the caller's own ids are its root, as in crun. */
static void ocirt__plan_default_maps(struct ocirt__planner *p) {
    ocirt_linux      *on   = ocirt__mem_alloc(p->arena, sizeof *on);
    ocirt_id_mapping *maps = ocirt__mem_array(p->arena, 2, sizeof *maps);
    if (!on || !maps) { p->failed = true; return; }
    maps[0] = (ocirt_id_mapping){.host_id = p->probe->euid, .size = 1};
    maps[1] = (ocirt_id_mapping){.host_id = p->probe->egid, .size = 1};
    *on = *p->on;
    on->uid_mappings = &maps[0], on->gid_mappings = &maps[1];
    on->uid_mappings_count = on->gid_mappings_count = 1;
    p->on = on;
}

/* Code of the image runs, and create ends, only after all that the host does beside. Once its record is made, init
   is in its cgroup, which becomes the root of a cgroup namespace, and its pid is known. */
static void ocirt__plan_waits(struct ocirt__planner *p) {
    uint32_t last = 0, record = 0;
    for (uint32_t i = 0; i < p->rows_count; i++) {
        struct ocirt__row *row = &p->rows[i];
        if (row->flags & OCIRT__ROW_BESIDE) last = i + 1;
        if (row->verb == OCIRT__VERB_RECORD || row->verb == OCIRT__VERB_ADOPT || row->verb == OCIRT__VERB_START_SCOPE) record = i + 1;
        if (row->actor != OCIRT_ACTOR_INIT) continue;
        if (row->verb == OCIRT__VERB_HOOKS || row->verb == OCIRT__VERB_AWAIT_START || row->verb == OCIRT__VERB_SECCOMP || row->verb == OCIRT__VERB_EXEC) row->after = last;
        if (row->verb == OCIRT__VERB_UNSHARE || row->verb == OCIRT__VERB_MOVE_ROOT || row->verb == OCIRT__VERB_AFFINITY) row->after = record;
        if (row->flags & OCIRT__ROW_ALTERNATE) row[-1].after = row->after > row[-1].after ? row->after : row[-1].after; /* they wait as one */
    }
}

/* The order of a create. Read it as the story of a container's start. */
static int ocirt__plan_story(struct ocirt__planner *p) {
    const ocirt_hooks *hooks = p->spec->hooks;
    bool waits = !(p->options->flags & OCIRT_OF_RUN), groups_denied = false;
    int  r = ocirt__plan_survey(p);
    if (r == 0 && p->fresh & OCIRT__CLONE_NEWUSER && p->on->uid_mappings_count == 0) ocirt__plan_default_maps(p);
    if (r == 0) r = ocirt__plan_choose_stage(p);
    if (r == 0) r = ocirt__plan_terminal(p);
    if (r == 0) r = ocirt__plan_compile_seccomp(p);
    if (r == 0) r = ocirt__plan_sources(p);
    if (r == 0) r = ocirt__plan_cgroup(p);
    if (r < 0) return r;
    ocirt__plan_resctrl(p);
    p->origin = 0;
    if (waits) ocirt__plan_add(p, OCIRT__VERB_LISTEN, OCIRT_ACTOR_HOST)->slot = OCIRT__SLOT_START;
    r = ocirt__plan_birth(p, &groups_denied);
    if (r < 0) return r;
    ocirt__plan_init(p);
    ocirt__plan_names(p);
    r = ocirt__plan_file_system(p);
    if (r == 0) r = ocirt__plan_process(p, groups_denied);
    if (r < 0) return r;
    p->origin = 0;
    if (waits) {
        ocirt__plan_head(p)->await_row = p->rows_count;
        ocirt__plan_add(p, OCIRT__VERB_AWAIT_START, OCIRT_ACTOR_INIT);
    }
    if (hooks) ocirt__plan_hooks(p, OCIRT_ACTOR_INIT, "startContainer", "created", hooks->start_container, hooks->start_container_count);
    if (p->spec->process) ocirt__plan_seccomp(p, true);
    ocirt__plan_from(p, p->spec->process ? ocirt__plan_member(p, p->spec->process->token, "args") : 0);
    ocirt__plan_add_text(p, OCIRT__VERB_EXEC, OCIRT_ACTOR_INIT, p->spec->process ? p->spec->process->args.items[0] : NULL);
    ocirt__plan_after(p);
    ocirt__plan_waits(p);
    return 0;
}

/* ----- a further process ----- */

/* Where exec's own process is silent, and in what is not of a process. Tokens are those of another document, and go. */
struct ocirt__plan_merged {
    ocirt_spec          spec;
    ocirt_process       process;
    ocirt_root          root;
    ocirt_capabilities  caps;
    ocirt_scheduler     scheduler;
    ocirt_io_priority   io_priority;
    ocirt_exec_cpu_affinity affinity;
    ocirt_linux         on;
    ocirt_seccomp       seccomp;
    ocirt_personality   personality;
    ocirt_memory_policy memory_policy;
    ocirt_resources     resources;
    ocirt_cpu           cpu;
    ocirt_intel_rdt     rdt;
};

static void ocirt__plan_merge_process(ocirt_arena *arena, struct ocirt__plan_merged *m, const ocirt_process *own) {
    ocirt_process *run = &m->process;
    if (!run->capabilities && own->capabilities) m->caps = *own->capabilities, m->caps.token = 0, run->capabilities = &m->caps;
    if (!run->apparmor_profile) run->apparmor_profile = own->apparmor_profile;
    if (!run->selinux_label) run->selinux_label = own->selinux_label;
    if (!run->oom_score_adj.set) run->oom_score_adj = own->oom_score_adj;
    if (!run->scheduler && own->scheduler) m->scheduler = *own->scheduler, m->scheduler.token = 0, run->scheduler = &m->scheduler;
    if (!run->io_priority && own->io_priority) m->io_priority = *own->io_priority, m->io_priority.token = 0, run->io_priority = &m->io_priority;
    if (!run->exec_cpu_affinity && own->exec_cpu_affinity) m->affinity = *own->exec_cpu_affinity, m->affinity.token = 0, run->exec_cpu_affinity = &m->affinity;
    if (run->rlimits_count || !own->rlimits_count) return;
    run->rlimits = ocirt__mem_array(arena, own->rlimits_count, sizeof *run->rlimits);
    run->rlimits_count = run->rlimits ? own->rlimits_count : 0;
    for (size_t i = 0; i < run->rlimits_count; i++) run->rlimits[i] = own->rlimits[i], run->rlimits[i].token = 0;
}

static void ocirt__plan_merge_linux(struct ocirt__plan_merged *m, const ocirt_linux *own) {
    const ocirt_cpu *cpu = own->resources ? own->resources->cpu : NULL;
    m->on.uid_mappings = own->uid_mappings, m->on.uid_mappings_count = own->uid_mappings_count;
    m->on.gid_mappings = own->gid_mappings, m->on.gid_mappings_count = own->gid_mappings_count;
    if (own->seccomp) m->seccomp = *own->seccomp, m->seccomp.token = 0, m->on.seccomp = &m->seccomp;
    if (own->personality) m->personality = *own->personality, m->personality.token = 0, m->personality.flags.count = 0, m->on.personality = &m->personality;
    if (own->memory_policy) m->memory_policy = *own->memory_policy, m->memory_policy.token = 0, m->on.memory_policy = &m->memory_policy;
    if (own->intel_rdt) m->rdt = *own->intel_rdt, m->rdt.token = 0, m->on.intel_rdt = &m->rdt;
    if (cpu) m->cpu.cpus = cpu->cpus, m->resources.cpu = &m->cpu, m->on.resources = &m->resources;
}

/* config: the container's, whose root file system is at `rootfs`. */
static const ocirt_spec *ocirt__plan_merge(ocirt_arena *arena, const ocirt_spec *config, const ocirt_spec *given, const char *rootfs) {
    struct ocirt__plan_merged *m = ocirt__mem_alloc(arena, sizeof *m);
    if (!m) return NULL;
    m->process = *given->process, m->root.path = rootfs;
    m->spec = (ocirt_spec){.document = given->document, .root = &m->root, .process = &m->process, .linux_ = &m->on, .annotations = config->annotations, .annotations_count = config->annotations_count};
    if (config->process) ocirt__plan_merge_process(arena, m, config->process);
    if (config->linux_) ocirt__plan_merge_linux(m, config->linux_);
    return &m->spec;
}

/* All namespaces in one call, by the pidfd of init, so that they are of one process, and the user namespace comes
   first. Joining lets whoever is in there see the one that joins, and a change of rights makes it visible again. */
static int ocirt__plan_enter(struct ocirt__planner *p) {
    const struct ocirt__plan_target *t = p->target;
    const char *cpus = ocirt__plan_first_cpus(p);
    bool     ignored;
    uint32_t at;
    int      r = 0;
    struct ocirt__row *row;
    if (ocirt__plan_start(p, 0)) return ocirt__plan_after_birth(p, OCIRT_ACTOR_INIT, &ignored);
    if (p->stage == OCIRT__STAGE_FORKED) ocirt__plan_add(p, OCIRT__VERB_RESET, OCIRT_ACTOR_STAGE); /* it has all that the caller has open */
    if (cpus) r = ocirt__plan_affinity(p, OCIRT_ACTOR_STAGE, "initial", cpus);
    if (t->joined) ocirt__plan_oom_score(p, OCIRT_ACTOR_STAGE); /* to be inherited: the files of one that is hidden are root's */
    p->origin = 0;
    if (t->joined) {
        ocirt__plan_add(p, OCIRT__VERB_HIDE, OCIRT_ACTOR_STAGE);
        at  = ocirt__plan_put(p, t->inodes, sizeof t->inodes);
        row = ocirt__plan_add_text(p, OCIRT__VERB_ENTER, OCIRT_ACTOR_STAGE, ocirt__plan_namespace_words(p, t->joined));
        row->b = at, row->n = (uint32_t)t->joined, row->slot = OCIRT__SLOT_INIT;
        ocirt__plan_add(p, OCIRT__VERB_HIDE, OCIRT_ACTOR_STAGE);
    }
    ocirt__plan_add(p, OCIRT__VERB_FORK, OCIRT_ACTOR_STAGE);
    return r < 0 ? r : ocirt__plan_after_birth(p, OCIRT_ACTOR_INIT, &ignored);
}

/* The order of an exec. */
static int ocirt__plan_exec_story(struct ocirt__planner *p) {
    const struct ocirt__plan_target *t = p->target;
    int r;
    p->joined     = t->joined;
    p->userns     = (t->joined & OCIRT__CLONE_NEWUSER) != 0;
    p->privileged = (p->probe->capabilities & 1ull << 21) != 0;
    ocirt__plan_head(p)->resctrl = ocirt__plan_put_text(p, t->resctrl);
    ocirt__plan_head(p)->resctrl_monitor = t->monitored;
    r = ocirt__plan_choose_stage(p);
    if (r == 0) r = ocirt__plan_terminal(p);
    if (r == 0) r = ocirt__plan_compile_seccomp(p);
    if (r == 0) r = ocirt__plan_enter(p);
    if (r < 0) return r;
    ocirt__plan_init(p);
    p->origin = 0;
    ocirt__plan_add_text(p, OCIRT__VERB_PLAIN_ROOT, OCIRT_ACTOR_INIT, t->root);
    ocirt__plan_from(p, ocirt__plan_member(p, p->spec->process->token, "terminal"));
    if (ocirt__plan_head(p)->terminal) ocirt__plan_add(p, OCIRT__VERB_TERMINAL, OCIRT_ACTOR_INIT);
    r = ocirt__plan_process(p, false);
    if (r < 0) return r;
    ocirt__plan_seccomp(p, true);
    ocirt__plan_from(p, ocirt__plan_member(p, p->spec->process->token, "args"));
    ocirt__plan_add_text(p, OCIRT__VERB_EXEC, OCIRT_ACTOR_INIT, p->spec->process->args.items[0]);
    ocirt__plan_head(p)->walk_count = p->rows_count;
    ocirt__plan_waits(p);
    return 0;
}

/* ----- the whole ----- */

static void ocirt__plan_begin(struct ocirt__planner *p) {
    static const ocirt_plan blank;
    uint32_t id, bundle, rootfs, file;
    ocirt__buffer_put(&p->block, &blank, sizeof blank);
    id     = ocirt__plan_put_text(p, p->id);
    bundle = ocirt__plan_put_text(p, p->bundle);
    rootfs = ocirt__plan_put_text(p, p->spec->root ? ocirt__plan_host_path(p, p->spec->root->path) : "");
    file   = ocirt__plan_put_text(p, p->spec->document ? p->spec->document->file : NULL);
    if (p->block.failed) return;
    *ocirt__plan_head(p) = (ocirt_plan){.magic = OCIRT__PLAN_MAGIC, .id = id, .bundle = bundle, .rootfs = rootfs, .file = file,
                                        .preserve = p->options->listen_fds + p->options->preserve_fds, .container_pid = p->target ? p->target->pid : 0};
    for (size_t i = 0; i < OCIRT__PLAN_SLOTS; i++) ocirt__plan_head(p)->slots[i] = -1;
}

/* Rows, room for pointers, and behind the stored part the stack of hooks. */
static void ocirt__plan_end(struct ocirt__planner *p) {
    static const char zeros[16] = {0};
    size_t   vectors = (p->vectors + 4) * sizeof(char *);
    void    *room = ocirt__mem_alloc(p->arena, vectors);
    uint32_t at, rows;
    ocirt_plan *head;
    if (!room) { p->failed = true; return; }
    rows = ocirt__plan_put(p, p->rows, p->rows_count * sizeof *p->rows);
    at   = ocirt__plan_put(p, room, vectors);
    ocirt__buffer_put(&p->block, zeros, -p->block.size & 15u);
    if (!ocirt__buffer_room(&p->block, OCIRT__PLAN_STACK)) return;
    head = ocirt__plan_head(p);
    head->vectors_at = at, head->scratch_at = head->size = (uint32_t)p->block.size;
    head->rows_at = rows, head->rows_count = p->rows_count;
    head->layout = sizeof(struct ocirt__row) + sizeof *head;
    head->userns = p->userns, head->private_net = (p->fresh & OCIRT__CLONE_NEWNET) != 0;
    head->private_pids = (p->fresh & OCIRT__CLONE_NEWPID) != 0;
}

static int ocirt__plan_compose(struct ocirt__planner *p, ocirt_plan **out_plan) {
    static const ocirt_linux   empty;
    static const ocirt_options defaults;
    int r;
    p->on = p->spec->linux_ ? p->spec->linux_ : &empty;
    if (!p->options) p->options = &defaults;
    p->slots = OCIRT__SLOT_FREE;
    p->block = (ocirt__buffer){.arena = p->arena, .capacity = 32768};
    r = ocirt__plan_labels(p);
    if (r < 0) return r;
    ocirt__plan_begin(p);
    if (!p->block.failed) {
        ocirt__plan_state_text(p);
        ocirt__plan_program(p);
        r = p->target ? ocirt__plan_exec_story(p) : ocirt__plan_story(p);
    }
    if (r == 0) ocirt__plan_end(p);
    if (r < 0) return r;
    if (p->failed || p->block.failed)
        return ocirt__error_set(p->error, p->rows_count > OCIRT_MAX_ROWS ? OCIRT_E_LIMIT : OCIRT_E_MEMORY, 0, "", "the plan does not fit");
    if (p->rows_count > OCIRT_MAX_ROWS)
        return ocirt__error_set(p->error, OCIRT_E_LIMIT, 0, "", "the plan has more than %d rows", OCIRT_MAX_ROWS);
    *out_plan = ocirt__plan_head(p);
    return 0;
}

OCIRT_DEF int ocirt_plan_build(ocirt_arena *arena, const ocirt_spec *spec, const char *bundle, const char *id,
                               const ocirt_options *options, const ocirt_probe *probe, ocirt_plan **out_plan,
                               ocirt_error *error) {
    struct ocirt__planner p = {.arena = arena, .spec = spec, .options = options, .probe = probe, .error = error, .bundle = bundle, .id = id};
    if (!spec->root) return ocirt__plan_refuse(&p, OCIRT_E_SPEC, spec->token, NULL, "root is missing");
    return ocirt__plan_compose(&p, out_plan);
}

/* ----- printing ----- */

static void ocirt__plan_print_mount(ocirt__buffer *t, const ocirt_plan *plan, const struct ocirt__mount_row *m) {
    const char *word = ocirt__plan_text(plan, m->words);
    static const char *const names[] = {"ro", "nosuid", "nodev", "noexec"};
    ocirt__buffer_format(t, "%s on %s", ocirt__plan_text(plan, m->type ? m->type : m->source), ocirt__plan_text(plan, m->target));
    for (unsigned i = 0; i < 4; i++)
        if (m->set & 1u << i) ocirt__buffer_format(t, " %s", names[i]);
    for (unsigned i = 0; i < 4; i++)
        if (m->deep_set & 1u << i) ocirt__buffer_format(t, " r%s", names[i]);
    if (m->set & 0x10) ocirt__buffer_text(t, " noatime");
    if (m->set & 0x20) ocirt__buffer_text(t, " strictatime");
    for (uint32_t i = 0; i < m->words_count; i++, word += strlen(word) + 1) ocirt__buffer_format(t, " %s", word);
}

/* One row as text without its number, for `plan`, errors and traces. */
static void ocirt__plan_row_text(ocirt__buffer *t, const ocirt_plan *plan, const struct ocirt__row *row) {
#define OCIRT__VERB_FORM(name, word, form) {word, form},
    static const struct {
        const char *word, *form;
    } verbs[] = {OCIRT__VERBS(OCIRT__VERB_FORM)};
#undef OCIRT__VERB_FORM
    const char *f = verbs[row->verb].form;
    ocirt__buffer_text(t, verbs[row->verb].word);
    if (*f) ocirt__buffer_text(t, " ");
    for (; *f; f++) {
        if (*f != '%') ocirt__buffer_put(t, f, 1);
        else switch (*++f) {
            case 'a': ocirt__buffer_text(t, ocirt__plan_text(plan, row->a)); break;
            case 'b': ocirt__buffer_text(t, ocirt__plan_text(plan, row->b)); break;
            case 'n': ocirt__buffer_format(t, "%u", row->n); break;
            case 'o': ocirt__buffer_format(t, "%04o", row->n & 07777u); break;
            case 'd': ocirt__buffer_format(t, "%u:%u", (unsigned)(row->x >> 32), (unsigned)row->x); break;
            case 'x': ocirt__buffer_format(t, "%llu", (unsigned long long)row->x); break;
            case 'h': ocirt__buffer_format(t, "%llx", (unsigned long long)row->x); break;
            case 'y': ocirt__buffer_format(t, "%llu", (unsigned long long)row->y); break;
            default: ocirt__plan_print_mount(t, plan, ocirt__plan_data(plan, row->a)); break;
        }
    }
    while (t->size && (t->data[t->size - 1] == '\n' || t->data[t->size - 1] == ' ')) t->data[--t->size] = 0;
    for (size_t i = 0; i < t->size; i++)
        if (t->data[i] == '\n') t->data[i] = ',';
}

static void ocirt__plan_print_text(ocirt__buffer *t, const ocirt_plan *plan, uint32_t index) {
    static const char *const actors[] = {"host", "stage", "init"};
    const struct ocirt__row *row = ocirt__plan_row(plan, index);
    const struct ocirt__origin *from = row->origin ? ocirt__plan_data(plan, row->origin) : NULL;
    ocirt__buffer text = {.arena = t->arena};
    ocirt__plan_row_text(&text, plan, row);
    ocirt__buffer_format(t, "%3u %-5s %s%s", index, actors[row->actor], row->flags & OCIRT__ROW_ALTERNATE ? "  or else: " : row->flags & OCIRT__ROW_BESIDE ? "  beside: " : "", text.size ? text.data : "");
    if (from) ocirt__buffer_format(t, "   <- %s", from->pointer[0] ? from->pointer : "/");
    ocirt__buffer_text(t, "\n");
}

static void ocirt__plan_print_json(ocirt__buffer *t, const ocirt_plan *plan, uint32_t index) {
    static const char *const actors[] = {"host", "stage", "init"};
    const struct ocirt__row *row = ocirt__plan_row(plan, index);
    const struct ocirt__origin *from = row->origin ? ocirt__plan_data(plan, row->origin) : NULL;
    ocirt__buffer text = {.arena = t->arena};
    ocirt__plan_row_text(&text, plan, row);
    ocirt__buffer_format(t, "%s    {\"row\": %u, \"actor\": \"%s\", \"alternate\": %s, \"beside\": %s, \"text\": ", index ? ",\n" : "\n", index,
                         actors[row->actor], row->flags & OCIRT__ROW_ALTERNATE ? "true" : "false", row->flags & OCIRT__ROW_BESIDE ? "true" : "false");
    ocirt__json_write_string(t, text.size ? text.data : "");
    if (from) {
        ocirt__buffer_format(t, ", \"line\": %u, \"column\": %u, \"pointer\": ", from->line, from->column);
        ocirt__json_write_string(t, from->pointer);
    }
    ocirt__buffer_text(t, "}");
}

OCIRT_DEF int ocirt_plan_print(const ocirt_plan *plan, unsigned format, ocirt_write_fn write, void *user) {
    ocirt_arena arena = {0};
    ocirt__buffer t = {.arena = &arena};
    int r;
    if (format == OCIRT_PLAN_JSON) {
        ocirt__buffer_text(&t, "{\n  \"id\": ");
        ocirt__json_write_string(&t, ocirt__plan_text(plan, plan->id));
        ocirt__buffer_text(&t, ",\n  \"rows\": [");
    }
    for (uint32_t i = 0; i < plan->rows_count; i++)
        (format == OCIRT_PLAN_JSON ? ocirt__plan_print_json : ocirt__plan_print_text)(&t, plan, i);
    if (format == OCIRT_PLAN_JSON) ocirt__buffer_text(&t, "\n  ]\n}\n");
    r = t.failed ? -OCIRT_E_MEMORY : t.size ? write(user, t.data, t.size) : 0;
    ocirt_arena_free(&arena);
    return r;
}

/* ===========================================================================================
   >>hooks   running the programs of one hook kind, by host or init (runtime-spec config.md, POSIX
   platform hooks). The state goes in as a memory file on stdin and output comes back in another, so
   that nothing blocks on a hook that does not read, and a daemon it leaves behind holds no pipe of
   ours. env is exactly the hook's own; descriptors above 2 are closed; no PATH search.
   =========================================================================================== */

static int ocirt__hooks_memory(const char *name) {
    return (int)OCIRT__SYS2(SYS_memfd_create, name, 1 /* MFD_CLOEXEC */);
}

/* Fills in status and pid over the blanks left in the text. Returns the end of the latter. */
static char *ocirt__hooks_pid(char *text, int pid) {
    char   number[24], *at = strstr(text, "\"pid\":") + 6;
    size_t n = ocirt__mem_decimal(number, (uint64_t)pid);
    memset(at, ' ', 20);
    memcpy(at, number, n);
    return at + 20;
}

static void ocirt__hooks_state(char *text, const char *status, int pid) {
    char *at = strstr(text, "\"status\":") + 9;
    size_t n = strlen(status);
    memset(at, ' ', 20);
    at[0] = '"';
    memcpy(at + 1, status, n);
    at[n + 1] = '"';
    (void)ocirt__hooks_pid(at, pid);
}

/* "hook 2, /bin/x: exit status 3: last words" */
static void ocirt__hooks_tell(char *out, size_t size, uint32_t index, const char *path, const char *what, unsigned number, int output) {
    char   digits[24], tail[120];
    const char *parts[] = {"hook ", NULL, " (", path, ") ", what, NULL, ": ", tail};
    size_t n = 0;
    long   length = output < 0 ? 0 : OCIRT__SYS3(SYS_lseek, output, 0, SEEK_END);
    if (length > (long)sizeof tail - 1) OCIRT__SYS3(SYS_lseek, output, -(long)(sizeof tail - 1), SEEK_END);
    else if (output >= 0) OCIRT__SYS3(SYS_lseek, output, 0, SEEK_SET);
    length = output < 0 ? 0 : ocirt__sys_read_all(output, tail, sizeof tail - 1);
    while (length > 0 && (tail[length - 1] == '\n' || tail[length - 1] == ' ')) length--;
    tail[length > 0 ? length : 0] = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *text = parts[i];
        size_t left = size - 1 - n, k;
        if (i == 7 && !tail[0]) break;
        if (!text) ocirt__mem_decimal(digits, i == 1 ? index : number), text = digits;
        k = strlen(text) < left ? strlen(text) : left;
        memcpy(out + n, text, k);
        n += k;
    }
    out[n] = 0;
    for (char *s = out; *s; s++)
        if (*s == '\n') *s = ' ';
}

static int ocirt__hooks_wait(int pidfd, int pid, uint32_t seconds, siginfo_t *out) {
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    int ready = ocirt__sys_poll(&wait, 1, seconds ? (int64_t)seconds * 1000 : -1);
    if (ready == 0) OCIRT__SYS2(SYS_kill, -pid, SIGKILL); /* the whole group it leads */
    if (ready == 0) ocirt__sys_pidfd_signal(pidfd, SIGKILL);
    int reaped = ocirt__sys_reap(pidfd, out);
    return ready == 0 ? -ETIMEDOUT : reaped;
}

static int ocirt__hooks_judge(const siginfo_t *end, int waited, uint32_t index, const char *path, uint32_t timeout,
                              int output, char *detail, size_t size) {
    if (waited == -ECHILD) ocirt__hooks_tell(detail, size, index, path, "ended unseen: the caller ignores SIGCHLD, signal ", SIGCHLD, output);
    else if (waited < 0) ocirt__hooks_tell(detail, size, index, path, "was killed after its timeout in seconds, ", timeout, output);
    else if (end->si_code != CLD_EXITED) ocirt__hooks_tell(detail, size, index, path, "was ended by signal ", (unsigned)end->si_status, output);
    else if (end->si_status != 0) ocirt__hooks_tell(detail, size, index, path, "ended with exit status ", (unsigned)end->si_status, output);
    else return 0;
    return waited < 0 ? waited : -ECANCELED;
}

static int ocirt__hooks_one(ocirt_plan *plan, const struct ocirt__hook_row *h, uint32_t index, const char *cwd, char *detail, size_t size) {
    char **argv = (char **)(void *)((char *)plan + plan->vectors_at), **env = argv + h->argv_count + 1;
    const uint32_t *args = ocirt__plan_data(plan, h->argv), *vars = ocirt__plan_data(plan, h->env);
    const char *path = ocirt__plan_text(plan, h->path);
    int in = ocirt__hooks_memory("ocirt-state"), out = ocirt__hooks_memory("ocirt-hook-output"), pid = 0, pidfd = -1, r;
    siginfo_t end;
    struct ocirt__launch launch = {.path = path, .argv = argv, .env = env, .cwd = cwd, .input = in, .output = out, .image = -1, .cgroup = -1};
    for (uint32_t i = 0; i < h->argv_count; i++) argv[i] = (char *)plan + args[i];
    argv[h->argv_count] = NULL;
    for (uint32_t i = 0; i < h->env_count; i++) env[i] = (char *)plan + vars[i];
    env[h->env_count] = NULL;
    r = in < 0 ? in : out < 0 ? out : ocirt__sys_write_all(in, ocirt__plan_text(plan, plan->state_at), plan->state_size);
    if (r == 0) r = (int)OCIRT__SYS3(SYS_lseek, in, 0, SEEK_SET);
    if (r == 0) r = pidfd = ocirt__program_launch(&launch, (char *)plan + plan->scratch_at, OCIRT__PLAN_STACK, &pid);
    if (r < 0) {
        ocirt__hooks_tell(detail, size, index, path, "could not be started, errno ", (unsigned)-r, -1);
    } else {
        int waited = ocirt__hooks_wait(pidfd, pid, h->timeout, &end);
        r = ocirt__hooks_judge(&end, waited, index, path, h->timeout, out, detail, size);
        ocirt__sys_close(&pidfd);
    }
    ocirt__sys_close(&in);
    ocirt__sys_close(&out);
    return r;
}

/* In order, each awaited; the first failure ends it. */
static int ocirt__hooks_run(ocirt_plan *plan, const struct ocirt__row *row, int pid, char *detail, size_t size) {
    const struct ocirt__hook_row *hooks = ocirt__plan_data(plan, row->b);
    int r = 0;
    ocirt__hooks_state((char *)plan + plan->state_at, ocirt__plan_text(plan, row->c), pid);
    for (uint32_t i = 0; r == 0 && i < row->n; i++)
        r = ocirt__hooks_one(plan, &hooks[i], i, row->x ? ocirt__plan_text(plan, (uint32_t)row->x) : "/", detail, size);
    return r;
}

/* ===========================================================================================
   >>step   the executor: what stage and init do between clone and exec.
   Contract: no allocation, no stdio, no locks, no libc but memory and string functions and
   syscall(2); bounded loops; stack below 16 KiB; every refusal is a negative errno that belongs
   to one row. It may run in the copy of a process whose other threads held any lock.
   =========================================================================================== */

/* How a row failed; what the host gets from init, and a start connection when the program could not
   be started. */
struct ocirt__report {
    int32_t row, error; /* -1: none; negative errno */
    char    detail[256];
};

enum { OCIRT__CREATED_YES = 1, OCIRT__CREATED_NEVER = 2 }; /* says the host; says init */

/* Shared between the actors, by mapping and not by descriptor: readable by the host after a filter,
   a signal or the out-of-memory killer ended the child. The host trusts none of it for more than a
   text once code of the image has run. */
struct ocirt__page {
    uint32_t next;   /* rows before this one are done, but those beside; only the active actor writes it */
    uint32_t beside; /* beside rows before this one are done; only the host writes it */
    int32_t  init_pid;
    uint32_t outside_cgroup; /* the child was not born in its cgroup, and is moved there */
    uint32_t old_cgroup;     /* it was there before us, or is no place for a birth: it is entered from outside */
    uint32_t created;        /* OCIRT__CREATED_: whether init may outlive the host; who sets it first decides */
    uint32_t current[3];     /* row each actor is at */
    struct ocirt__report reports[3];
    uint32_t timed;
    uint64_t spent[OCIRT_MAX_ROWS]; /* nanoseconds, with trace only */
};

/* Room for it in a file that others map, and that goes on with the plan: pages have up to 64 KiB. */
#define OCIRT__PAGE_ROOM ((sizeof(struct ocirt__page) + 65535u) & ~(size_t)65535u)

#define OCIRT__STEP_BORN 1

/* One process walking the list. */
struct ocirt__actor {
    ocirt_plan         *plan;
    struct ocirt__page *page;
    int                *slots; /* of the plan */
    unsigned            who;
    int                 talk;  /* this side of the conversation */
    bool                cwd_done, ready;
    struct ocirt__ground ground; /* init's */
    int (*carry_out)(struct ocirt__actor *, const struct ocirt__row *);
    int (*await)(struct ocirt__actor *, uint32_t next, uint32_t beside);
    char program[PATH_MAX]; /* what FIND_PROGRAM found */
    char home[PATH_MAX];    /* HOME=... */
};

static const char *ocirt__step_text(const struct ocirt__actor *a, uint32_t at) {
    return ocirt__plan_text(a->plan, at);
}

static struct ocirt__report *ocirt__step_report(const struct ocirt__actor *a) {
    return &a->page->reports[a->who];
}

/* The cause: the host may have failed because a child did. */
static struct ocirt__report *ocirt__step_failure(struct ocirt__page *page) {
    for (unsigned who = 3; who-- > 0;)
        if (page->reports[who].row >= 0) return &page->reports[who];
    return NULL;
}

static int ocirt__step_detail(const struct ocirt__actor *a, const char *text, int result) {
    return ocirt__mount_detail(&(struct ocirt__ground){.detail = ocirt__step_report(a)->detail}, text, result);
}

/* ----- hand-offs ----- */

/* That the other side is gone shows where it is awaited. With any other failure (no memory, say) it
   would wait for ever, so that is tried for a while. */
static int ocirt__step_kick(struct ocirt__actor *a) {
    long r = 0;
    for (int tries = 0; tries < 100; tries++) {
        r = OCIRT__SYS5(SYS_sendto, a->talk, "k", 1, MSG_NOSIGNAL, NULL);
        if (r == 1 || r == -EPIPE || r == -ECONNRESET || r == -ECONNREFUSED || r == -ENOTCONN) return 0; /* the last two: Linux 5.10 */
        ocirt__sys_poll_once(NULL, 0, 1);
    }
    return r < 0 ? (int)r : -EIO;
}

static void ocirt__step_publish(struct ocirt__actor *a, uint32_t next) {
    __atomic_store_n(&a->page->next, next, __ATOMIC_RELEASE);
}

static bool ocirt__step_ready(const struct ocirt__page *page, uint32_t next, uint32_t beside) {
    return __atomic_load_n(&page->next, __ATOMIC_ACQUIRE) >= next && __atomic_load_n(&page->beside, __ATOMIC_ACQUIRE) >= beside;
}

/* Whether create is complete or not is decided once, for host and init alike. */
static bool ocirt__step_decide(struct ocirt__page *page, uint32_t created) {
    uint32_t open = 0;
    return __atomic_compare_exchange_n(&page->created, &open, created, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* A filter of the config may refuse each call, but not the signal of an invalid instruction. */
static void ocirt__step_end(int code) {
    OCIRT__SYS1(SYS_exit_group, code);
    OCIRT__SYS1(SYS_exit, code);
    for (;;) __builtin_trap();
}

/* Stage and init end when the host is gone: nothing they made may outlive an unfinished create. */
static int ocirt__step_await(struct ocirt__actor *a, uint32_t next, uint32_t beside) {
    char byte;
    while (!ocirt__step_ready(a->page, next, beside))
        if (ocirt__sys_read(a->talk, &byte, 1) <= 0)
            ocirt__step_end(1);
    return 0;
}

static uint64_t ocirt__step_clock(void) {
    struct ocirt__clock now = ocirt__sys_clock(CLOCK_MONOTONIC);
    return (uint64_t)now.sec * 1000000000u + (uint64_t)now.nsec;
}

/* A row, and behind it the alternate that its errno chooses. */
static int ocirt__step_row(struct ocirt__actor *a, uint32_t index) {
    const struct ocirt__row *row = ocirt__plan_row(a->plan, index), *other = row + 1;
    uint64_t begin = a->page->timed ? ocirt__step_clock() : 0;
    int      r;
    a->page->current[a->who] = index;
    ocirt__step_report(a)->detail[0] = 0;
    r = a->carry_out(a, row);
    if (r < 0 && (row->tolerate & ocirt__plan_errno_set(r))) r = 0;
    while (r < 0 && ++index < a->plan->walk_count && (other->flags & OCIRT__ROW_ALTERNATE)) {
        if (other->when & ocirt__plan_errno_set(r)) r = a->carry_out(a, other);
        other++;
    }
    if (a->page->timed) a->page->spent[row - ocirt__plan_row(a->plan, 0)] = ocirt__step_clock() - begin;
    return r;
}

static bool ocirt__step_mine(const struct ocirt__actor *a, uint32_t index) {
    return index < a->plan->walk_count && ocirt__plan_row(a->plan, index)->actor == a->who;
}

static int ocirt__step_failed(struct ocirt__actor *a, uint32_t index, int result) {
    ocirt__step_report(a)->row   = (int32_t)index;
    ocirt__step_report(a)->error = result;
    return result;
}

/* The row before, without those beside; -1: none. */
static int64_t ocirt__step_before(const struct ocirt__actor *a, uint32_t index) {
    int64_t before = (int64_t)index - 1;
    while (before >= 0 && ocirt__plan_row(a->plan, (uint32_t)before)->flags & OCIRT__ROW_BESIDE) before--;
    return before;
}

/* What a row waits for: the one before it, if another actor's, and a beside row that it names. */
static int ocirt__step_wait(struct ocirt__actor *a, uint32_t index) {
    int64_t  before = ocirt__step_before(a, index);
    uint32_t after  = ocirt__plan_row(a->plan, index)->after;
    bool     other  = before >= 0 && !ocirt__step_mine(a, (uint32_t)before);
    return other || after ? a->await(a, other ? (uint32_t)before + 1 : 0, after) : 0;
}

/* Makes known that rows up to `index` are done, and wakes who waits for that. */
static int ocirt__step_hand_over(struct ocirt__actor *a, uint32_t index) {
    uint32_t next = index + 1;
    if (ocirt__plan_row(a->plan, index)->flags & OCIRT__ROW_BESIDE) {
        __atomic_store_n(&a->page->beside, next, __ATOMIC_RELEASE);
        return ocirt__step_kick(a);
    }
    ocirt__step_publish(a, next);
    while (next < a->plan->walk_count && ocirt__plan_row(a->plan, next)->flags & OCIRT__ROW_BESIDE) next++;
    return next < a->plan->walk_count && (next > index + 1 || !ocirt__step_mine(a, next)) ? ocirt__step_kick(a) : 0;
}

/* Walks the list from `from`, carries out this actor's rows, waits and hands over where it changes. */
static int ocirt__step_walk(struct ocirt__actor *a, uint32_t from) {
    for (uint32_t i = from; i < a->plan->walk_count; i++) {
        int r = 0;
        if (!ocirt__step_mine(a, i)) continue;
        if (ocirt__plan_row(a->plan, i)->flags & OCIRT__ROW_ALTERNATE) continue;
        r = ocirt__step_wait(a, i);
        if (r < 0) return r; /* the other one has said why, or is gone */
        r = ocirt__step_row(a, i);
        if (r < 0) return ocirt__step_failed(a, i, r);
        while (i + 1 < a->plan->walk_count &&
               (ocirt__plan_row(a->plan, i + 1)->flags & OCIRT__ROW_ALTERNATE)) i++;
        if (r == OCIRT__STEP_BORN) continue; /* what comes next was published before the birth */
        r = ocirt__step_hand_over(a, i);
        if (r < 0) return ocirt__step_failed(a, i, ocirt__step_detail(a, "handing over to the next row", r));
    }
    return 0;
}

/* ----- process ----- */

static bool ocirt__step_is_slot(const struct ocirt__actor *a, int fd) {
    for (unsigned i = 0; i < OCIRT__PLAN_SLOTS; i++)
        if (a->slots[i] == fd) return true;
    return false;
}

/* What was copied from the host program goes: dispositions, umask, descriptors but 0-2, those that the
   caller preserves, and the plan's; the host's procfs where others can reach into it already (row->n), as what is in
   it leads to every root. Signals stay blocked until exec. */
static int ocirt__step_reset(struct ocirt__actor *a, const struct ocirt__row *row) {
    ocirt__process_default_signals();
    if (a->who == OCIRT_ACTOR_INIT) ocirt__sys_close(&a->slots[OCIRT__SLOT_CGROUP]); /* it is in there */
    if (row->n) ocirt__sys_close(&a->slots[OCIRT__SLOT_PROC]), a->ground.proc = -1;
    for (int fd = 3; fd < 3 + (int)a->plan->preserve; fd++) /* numbers that the caller left free may have been taken by ours */
        if (OCIRT__SYS3(SYS_fcntl, fd, F_GETFD, 0) > 0 && !ocirt__step_is_slot(a, fd)) OCIRT__SYS1(SYS_close, fd);
    (void)OCIRT__SYS1(SYS_umask, 0); /* seen by the call that sets the last one */
    return ocirt__process_close_others(3 + a->plan->preserve, a->slots, OCIRT__PLAN_SLOTS);
}

/* ----- namespaces ----- */

/* Whether the process is in these namespaces now; of pid and time namespaces only its children are. */
static int ocirt__step_joined(struct ocirt__actor *a, uint64_t types, const uint64_t inodes[OCIRT__NS_FILES]) {
    struct ocirt__statx is;
    char   path[48];
    size_t n = ocirt__mem_decimal(path, (uint64_t)OCIRT__SYS0(SYS_getpid));
    int    r = 0;
    path[n++] = '/';
    for (unsigned i = 0; r == 0 && i < OCIRT__NS_FILES; i++) {
        if (!(ocirt__names_ns_files[i].type & types)) continue;
        memcpy(path + n, ocirt__names_ns_files[i].children, strlen(ocirt__names_ns_files[i].children) + 1);
        r = ocirt__sys_statx(a->slots[OCIRT__SLOT_PROC], path, 0, &is);
        if (r == 0 && is.ino != inodes[i]) r = -EPERM;
    }
    return r;
}

/* Joining before the user namespace works with the caller's privileges, after it with those inside:
   the row stands on both sides, and the second one does nothing if the first did it. */
static int ocirt__step_join(struct ocirt__actor *a, const struct ocirt__row *row) {
    struct ocirt__statx st;
    uint64_t inodes[OCIRT__NS_FILES];
    int      r;
    if (a->slots[row->slot] < 0) return 0;
    r = (int)OCIRT__SYS2(SYS_setns, a->slots[row->slot], row->n);
    if (r == 0) r = ocirt__sys_fstatx(a->slots[row->slot], &st);
    for (unsigned i = 0; i < OCIRT__NS_FILES; i++) inodes[i] = st.ino;
    if (r == 0) r = ocirt__step_joined(a, row->n, inodes);
    if (r == 0) ocirt__sys_close(&a->slots[row->slot]);
    return r;
}

static int ocirt__step_enter(struct ocirt__actor *a, const struct ocirt__row *row) {
    int r = (int)OCIRT__SYS2(SYS_setns, a->slots[row->slot], row->n);
    if (r == 0) r = ocirt__step_joined(a, row->n, ocirt__plan_data(a->plan, row->b));
    if (r == 0) ocirt__sys_close(&a->slots[row->slot]);
    return r;
}

static int ocirt__step_proc_write(struct ocirt__actor *a, const char *file, const char *text) {
    char   path[64];
    size_t n = ocirt__mem_decimal(path, (uint64_t)OCIRT__SYS0(SYS_getpid));
    memcpy(path + n, file, strlen(file) + 1);
    return ocirt__path_write(a->slots[OCIRT__SLOT_PROC], path, text, strlen(text));
}

/* The cgroup to be born in. Up to 6.18 at least a child that is born into a cgroup in which cgroup.kill
   has ever been written dies at once, so an old cgroup is entered from outside; as is one with pids.max 0, and
   one with memory nodes of its own: before 6.4 a child that is born there has its parent's. */
static int ocirt__step_cgroup(const struct ocirt__actor *a) {
    return a->page->old_cgroup ? -1 : a->slots[OCIRT__SLOT_CGROUP];
}

/* From a joined cgroup namespace the stage's own cgroup is out of sight, and a birth in another one then refused where
   cgroup2 is mounted with nsdelegate, as systemd does: there the stage itself is born inside. */
static bool ocirt__step_is_inside(const struct ocirt__actor *a) {
    return a->plan->stage_inside != 0;
}

/* The stage's last row. Init becomes a child of the host (CLONE_PARENT), which must be able to reap it. Where others are
   in its namespaces already they see what it has open from birth on: not the host's procfs, and the cgroup no longer
   than the birth takes. */
static int ocirt__step_fork(struct ocirt__actor *a, const struct ocirt__row *row) {
    bool outside;
    bool inside = ocirt__step_is_inside(a);
    int  cgroup = inside ? -1 : ocirt__step_cgroup(a), pid;
    if (a->plan->container_pid) ocirt__sys_close(&a->slots[OCIRT__SLOT_PROC]), a->ground.proc = -1;
    pid = ocirt__process_clone(row->x | OCIRT__CLONE_PARENT, cgroup, 0, NULL, &outside);
    if (pid < 0) return pid;
    if (pid == 0) {
        ocirt__sys_close(&a->slots[OCIRT__SLOT_CGROUP]);
        a->who = OCIRT_ACTOR_INIT;
        a->ground.detail = ocirt__step_report(a)->detail;
        return OCIRT__STEP_BORN;
    }
    if (!inside) a->page->outside_cgroup = outside || cgroup != a->slots[OCIRT__SLOT_CGROUP];
    a->page->init_pid = pid;
    return 0;
}

/* ----- mounts ----- */

static struct ocirt__mount ocirt__step_mount_of(const struct ocirt__actor *a, const struct ocirt__row *row) {
    const struct ocirt__mount_row *m = ocirt__plan_data(a->plan, row->a);
    return (struct ocirt__mount){.target = ocirt__step_text(a, m->target), .source = m->source ? ocirt__step_text(a, m->source) : NULL,
                                 .type = ocirt__step_text(a, m->type), .label = m->label ? ocirt__step_text(a, m->label) : NULL, .words = ocirt__step_text(a, m->words), .words_count = m->words_count,
                                 .propagation = m->propagation, .propagation_count = m->propagation_count, .flags = m->flags, .set = m->set,
                                 .clear = m->clear, .deep_set = m->deep_set, .deep_clear = m->deep_clear, .userns = m->userns ? a->slots[m->userns] : -1};
}

/* The mount is kept for later rows, becomes the root, or is let go. */
static int ocirt__step_settle(struct ocirt__actor *a, const struct ocirt__row *row, int fd, int result) {
    const struct ocirt__mount_row *m = ocirt__plan_data(a->plan, row->a);
    int *to = m->flags & OCIRT__MOUNT_NEW_ROOT ? &a->ground.root : m->flags & OCIRT__MOUNT_IS_PROC ? &a->ground.container_proc
              : m->flags & OCIRT__MOUNT_IS_SYS ? &a->ground.container_sys : m->keep ? &a->slots[m->keep] : NULL;
    const char *target = ocirt__step_text(a, m->target);
    if (result >= 0 && strcmp(target, "/proc") == 0) ocirt__sys_close(&a->ground.container_proc); /* one under another is out of sight */
    if (result >= 0 && strcmp(target, "/sys") == 0) ocirt__sys_close(&a->ground.container_sys);
    if (result < 0 || !to) ocirt__sys_close(&fd);
    if (result < 0 || !to) return result;
    ocirt__sys_close(to);
    *to = fd;
    return 0;
}

static int ocirt__step_mount(struct ocirt__actor *a, const struct ocirt__row *row) {
    const struct ocirt__mount_row *m = ocirt__plan_data(a->plan, row->a);
    struct ocirt__mount mount = ocirt__step_mount_of(a, row);
    int fd = -1, r = ocirt__mount_new(&a->ground, &mount, m->keep == OCIRT__SLOT_NONE, &fd);
    return ocirt__step_settle(a, row, fd, r);
}

/* The tree to bind: opened by the host into the row's slot, or cloned here while / is still the host's. */
static int ocirt__step_tree(struct ocirt__actor *a, const struct ocirt__row *row, const char *path, unsigned flags) {
    int fd = row->slot ? a->slots[row->slot] : ocirt__sys_open_tree(AT_FDCWD, path, OCIRT__OPEN_TREE_CLONE | flags);
    if (row->slot) a->slots[row->slot] = -1;
    return fd < 0 ? ocirt__step_detail(a, path, fd) : fd;
}

static int ocirt__step_bind(struct ocirt__actor *a, const struct ocirt__row *row) {
    struct ocirt__mount m = ocirt__step_mount_of(a, row);
    int fd = ocirt__step_tree(a, row, m.source ? m.source : "", (m.flags & OCIRT__MOUNT_RECURSIVE ? OCIRT__AT_RECURSIVE : 0) |
                              (m.flags & OCIRT__MOUNT_SRC_LINK ? OCIRT__AT_SYMLINK_NOFOLLOW : 0));
    return fd < 0 ? fd : ocirt__step_settle(a, row, fd, ocirt__mount_bind(&a->ground, &m, fd));
}

static int ocirt__step_copy_link(struct ocirt__actor *a, const struct ocirt__row *row) {
    struct ocirt__mount m = ocirt__step_mount_of(a, row);
    int r = ocirt__mount_copy_link(&a->ground, &m);
    return r == -EINVAL ? ocirt__step_bind(a, row) : r; /* not a link after all */
}

static int ocirt__step_remount(struct ocirt__actor *a, const struct ocirt__row *row) {
    struct ocirt__mount m = ocirt__step_mount_of(a, row);
    return ocirt__mount_change_existing(&a->ground, &m);
}

static int ocirt__step_root(struct ocirt__actor *a, const struct ocirt__row *row) {
    int fd = ocirt__step_tree(a, row, ocirt__step_text(a, row->a), OCIRT__AT_RECURSIVE);
    return fd < 0 ? fd : ocirt__mount_root(&a->ground, fd, row->x);
}

static int ocirt__step_node(struct ocirt__actor *a, const struct ocirt__row *row) {
    struct ocirt__node node = {.path = ocirt__step_text(a, row->a), .mode = row->n, .major = (unsigned)(row->x >> 32), .minor = (unsigned)row->x,
                               .uid = (uint32_t)(row->y >> 32), .gid = (uint32_t)row->y};
    return row->verb == OCIRT__VERB_MKNOD ? ocirt__mount_node(&a->ground, &node) : ocirt__mount_host_node(&a->ground, &node);
}

/* A terminal's master, to whoever relays it, or a pidfd. */
static int ocirt__step_send_fd(int socket, int fd) {
    return ocirt__sys_send(socket, fd, "t", 1) < 0 ? -EPIPE : 0;
}

static int ocirt__step_terminal(struct ocirt__actor *a, const struct ocirt__row *row) {
    struct winsize size = {.ws_row = (unsigned short)a->plan->tty_rows, .ws_col = (unsigned short)a->plan->tty_columns};
    int master = -1, slave = -1, r = ocirt__mount_open_pty(&a->ground, &master, &slave);
    if (r == 0 && (size.ws_row || size.ws_col)) r = ocirt__sys_ioctl(master, TIOCSWINSZ, &size);
    if (r == 0) r = ocirt__step_send_fd(a->talk, master);
    if (r == 0) r = ocirt__mount_use_pty(slave, a->plan->program_uid);
    if (r == 0 && row->a) r = ocirt__mount_console(&a->ground, slave, ocirt__step_text(a, row->a));
    ocirt__sys_close(&master);
    ocirt__sys_close(&slave);
    return r;
}

/* ----- the program ----- */

/* By descriptor and without magic links, so that /proc/self/fd/N leads nowhere (CVE-2024-21626);
   made if missing, as peers do. A folder closed to root (NFS) is tried again as the final user. */
static int ocirt__step_cwd(struct ocirt__actor *a, const struct ocirt__row *row) {
    char here[PATH_MAX];
    int  fd, r;
    if (a->cwd_done) return 0;
    fd = ocirt__path_open(a->ground.root, ocirt__step_text(a, row->a), row->n ? OCIRT__PATH_DIR : OCIRT__PATH_EXISTING, NULL);
    if (fd < 0) return fd;
    r = (int)OCIRT__SYS1(SYS_fchdir, fd);
    ocirt__sys_close(&fd);
    if (r == 0) r = (int)OCIRT__SYS2(SYS_getcwd, here, sizeof here);
    if (r < 0) return r;
    if (here[0] != '/') return ocirt__step_detail(a, "the folder is outside the container's root", -EXDEV);
    a->cwd_done = true;
    return 0;
}

static int ocirt__step_landlock(struct ocirt__actor *a, const struct ocirt__row *row) {
    const char *failed;
    int r = ocirt__landlock_restrict(a->ground.root, ocirt__step_text(a, row->b), ocirt__step_text(a, row->c), &failed);
    return r < 0 && *failed ? ocirt__step_detail(a, failed, r) : r;
}

static void ocirt__step_vector(const struct ocirt__actor *a, uint32_t at, uint32_t count, char **out) {
    const uint32_t *offsets = ocirt__plan_data(a->plan, at);
    for (uint32_t i = 0; i < count; i++) out[i] = (char *)a->plan + offsets[i];
    out[count] = NULL;
}

/* The program, its interpreter and its loader may be named /proc/self/fd/N/../x: when they are looked up nothing is open
   that leads out of the container (CVE-2024-21626). */
static void ocirt__step_leave_host(struct ocirt__actor *a, unsigned listener) {
    for (unsigned i = 0; i < OCIRT__PLAN_SLOTS; i++)
        if (i != OCIRT__SLOT_CONVERSATION && i != OCIRT__SLOT_START && (!listener || i != listener)) ocirt__sys_close(&a->slots[i]);
    a->ground.proc = -1;
}

static int ocirt__step_find(struct ocirt__actor *a, const struct ocirt__row *row) {
    ocirt__step_leave_host(a, row->slot);
    memcpy(a->home, "HOME=", 6);
    if (a->plan->add_home)
        ocirt__program_home(a->ground.root, a->plan->program_uid, a->home + 5, sizeof a->home - 5);
    return ocirt__program_find(ocirt__step_text(a, row->a), ocirt__step_text(a, a->plan->path), a->program);
}

/* What the program is not to be started under, and `start` is to know: that what ends now ends by exec. */
static int ocirt__step_get_ready(struct ocirt__actor *a) {
    uint64_t none[2] = {0, 0};
    int r = a->plan->await_row && !a->ready ? ocirt__step_kick(a) : 0;
    if (r == 0 && !a->ready) r = (int)OCIRT__SYS4(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, 8);
    if (r == 0) a->ready = true;
    return r;
}

/* From here on only what the profile allows. Without no_new_privs it takes CAP_SYS_ADMIN, which a change of ids has
   made ineffective. */
static int ocirt__step_seccomp(struct ocirt__actor *a, const struct ocirt__row *row) {
    bool  last = (row->y & 2) != 0, exec = a->plan->container_pid != 0;
    char *text = (char *)a->plan + row->c;
    int   fd = -1, r = last ? ocirt__step_get_ready(a) : ocirt__process_regain();
    if (row->c) ocirt__hooks_state(ocirt__hooks_pid(text, a->page->init_pid), exec ? "running" : last ? "created" : "creating", exec ? a->plan->container_pid : a->page->init_pid);
    if (r == 0) r = fd = ocirt__seccomp_load(ocirt__plan_data(a->plan, row->a), row->n, (uint32_t)row->x, row->y & 1);
    if (r < 0 || !row->c) return r;
    r = ocirt__seccomp_send(a->slots[row->slot], fd, text, strlen(text));
    ocirt__sys_close(&fd);
    ocirt__sys_close(&a->slots[row->slot]);
    return r < 0 ? ocirt__step_detail(a, "sending the listener", r) : 0;
}

static int ocirt__step_exec(struct ocirt__actor *a) {
    char **argv = (char **)(void *)((char *)a->plan + a->plan->vectors_at), **env = argv + a->plan->args_count + 1;
    long r;
    ocirt__step_vector(a, a->plan->args, a->plan->args_count, argv);
    ocirt__step_vector(a, a->plan->env, a->plan->env_count, env);
    if (a->plan->add_home) env[a->plan->env_count] = a->home, env[a->plan->env_count + 1] = NULL;
    r = ocirt__step_get_ready(a);
    if (r < 0) return (int)r;
    r = OCIRT__SYS3(SYS_execve, a->program, argv, env);
    ocirt__program_fault(a->program, ocirt__step_report(a)->detail, sizeof ocirt__step_report(a)->detail);
    return (int)r;
}

/* Waits for `start` on the socket, and ends on each signal whose default is to end: as pid 1 it
   would otherwise ignore them. Blocked signals reach a signalfd even there (signalfd(2)). */
static int ocirt__step_await_start(struct ocirt__actor *a) {
    uint64_t mask = ~(1ull << (SIGCHLD - 1) | 1ull << (SIGURG - 1) | 1ull << (SIGWINCH - 1) | 1ull << (SIGCONT - 1) |
                      1ull << (SIGTSTP - 1) | 1ull << (SIGTTIN - 1) | 1ull << (SIGTTOU - 1));
    struct {
        uint32_t number;
        char     rest[124];
    } signal;
    struct pollfd wait[2] = {{.fd = a->slots[OCIRT__SLOT_START], .events = POLLIN}, {.events = POLLIN}};
    char byte = 0;
    int  talk = -1, ready;
    wait[1].fd = (int)OCIRT__SYS4(SYS_signalfd4, -1, &mask, 8, O_CLOEXEC);
    if (wait[1].fd < 0) return wait[1].fd;
    ocirt__step_publish(a, a->page->current[a->who]);
    long n = ocirt__step_kick(a);
    while (!__atomic_load_n(&a->page->created, __ATOMIC_ACQUIRE)) { /* what is read may be an older kick */
        if (n < 0 && ocirt__step_decide(a->page, OCIRT__CREATED_NEVER)) return (int)n;
        n = ocirt__sys_read(a->talk, &byte, 1);
        if (n == 0) n = -EPIPE; /* the host is gone */
    }
    ocirt__sys_close(&a->slots[OCIRT__SLOT_CONVERSATION]);
    while (byte != 'g') {
        ocirt__sys_close(&talk);
        ready = ocirt__sys_poll_once(wait, 2, -1);
        if (ready < 0 && ready != -EINTR) wait[0].revents = POLLIN; /* accept4 waits too, if not for signals */
        if (wait[1].revents && ocirt__sys_read(wait[1].fd, &signal, sizeof signal) > 0)
            ocirt__step_end(128 + (int)signal.number);
        talk = wait[0].revents ? (int)OCIRT__SYS4(SYS_accept4, wait[0].fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (wait[0].revents && talk < 0 && talk != -EINTR && talk != -EAGAIN && talk != -ECONNABORTED) return talk; /* refused for good, by a filter */
        if (talk >= 0) ocirt__sys_read(talk, &byte, 1);
    }
    ocirt__sys_close(&wait[1].fd);
    ocirt__sys_close(&a->slots[OCIRT__SLOT_START]);
    a->slots[OCIRT__SLOT_CONVERSATION] = a->talk = talk;
    return 0;
}

/* ----- the list of verbs ----- */

static int ocirt__step_init_fs(struct ocirt__actor *a, const struct ocirt__row *row) {
    const char *text = ocirt__step_text(a, row->a);
    switch (row->verb) {
    case OCIRT__VERB_PROPAGATION: return ocirt__sys_mount(NULL, "/", NULL, (unsigned long)row->x, NULL);
    case OCIRT__VERB_OPEN_NULL: return ocirt__mount_open_null(&a->ground, row->x != 0);
    case OCIRT__VERB_ROOT: return ocirt__step_root(a, row);
    case OCIRT__VERB_PLAIN_ROOT: return ocirt__mount_plain_root(&a->ground, text);
    case OCIRT__VERB_ENTER_ROOT: return ocirt__mount_enter_root(&a->ground, text);
    case OCIRT__VERB_MOUNT: return ocirt__step_mount(a, row);
    case OCIRT__VERB_BIND: return ocirt__step_bind(a, row);
    case OCIRT__VERB_REMOUNT: return ocirt__step_remount(a, row);
    case OCIRT__VERB_COPY_LINK: return ocirt__step_copy_link(a, row);
    case OCIRT__VERB_READ_ONLY_LATE: return ocirt__mount_set_read_only(&a->ground, a->slots[row->slot]);
    case OCIRT__VERB_MKNOD:
    case OCIRT__VERB_BIND_DEVICE: return ocirt__step_node(a, row);
    case OCIRT__VERB_LINK: return ocirt__mount_link(&a->ground, text, ocirt__step_text(a, row->b), row->n != 0);
    case OCIRT__VERB_MASK: return ocirt__mount_mask(&a->ground, text);
    case OCIRT__VERB_READ_ONLY: return ocirt__mount_read_only(&a->ground, text);
    case OCIRT__VERB_TERMINAL: return ocirt__step_terminal(a, row);
    case OCIRT__VERB_PIVOT: return ocirt__mount_pivot(&a->ground, row->x != 0);
    case OCIRT__VERB_MOVE_ROOT: return ocirt__mount_move_root(&a->ground, a->page->init_pid, row->x != 0);
    case OCIRT__VERB_ROOT_READ_ONLY: return ocirt__mount_set_read_only(&a->ground, a->ground.root);
    case OCIRT__VERB_ROOT_PROPAGATION: return ocirt__sys_mount(NULL, "/", NULL, (unsigned long)row->x, NULL);
    case OCIRT__VERB_SYSCTL:
        return ocirt__path_write(a->ground.container_proc >= 0 ? a->ground.container_proc : a->ground.proc, text, ocirt__step_text(a, row->b), strlen(ocirt__step_text(a, row->b)));
    case OCIRT__VERB_CWD: return ocirt__step_cwd(a, row);
    default: return -ENOSYS;
    }
}

static int ocirt__step_carry_out(struct ocirt__actor *a, const struct ocirt__row *row) {
    const char *text = ocirt__step_text(a, row->a);
    switch (row->verb) {
    case OCIRT__VERB_JOIN: return ocirt__step_join(a, row);
    case OCIRT__VERB_ENTER: return ocirt__step_enter(a, row);
    case OCIRT__VERB_UNSHARE: return (int)OCIRT__SYS1(SYS_unshare, row->x);
    case OCIRT__VERB_FORK: return ocirt__step_fork(a, row);
    case OCIRT__VERB_TIME_OFFSETS: return ocirt__step_proc_write(a, "/timens_offsets", text);
    case OCIRT__VERB_OOM_SCORE: return ocirt__step_proc_write(a, "/oom_score_adj", text);
    case OCIRT__VERB_RESET: return ocirt__step_reset(a, row);
    case OCIRT__VERB_HIDE: return ocirt__process_hide();
    case OCIRT__VERB_BECOME_ROOT: return ocirt__process_become_root(row->n != 0);
    case OCIRT__VERB_OWN_PROC: return a->slots[OCIRT__SLOT_PROC] = a->ground.proc = ocirt__mount_own_proc();
    case OCIRT__VERB_SESSION: return ocirt__process_new_session();
    case OCIRT__VERB_KEYRING: return ocirt__process_join_keyring(text);
    case OCIRT__VERB_LOOPBACK: return ocirt__process_loopback_up();
    case OCIRT__VERB_HOSTNAME: return (int)OCIRT__SYS2(SYS_sethostname, text, strlen(text));
    case OCIRT__VERB_DOMAINNAME: return (int)OCIRT__SYS2(SYS_setdomainname, text, strlen(text));
    case OCIRT__VERB_RLIMIT: return ocirt__process_set_rlimit(0, row->n, row->x, row->y);
    case OCIRT__VERB_PERSONALITY: return (int)(OCIRT__SYS1(SYS_personality, row->x) < 0 ? -EINVAL : 0);
    case OCIRT__VERB_ALL_CPUS: return ocirt__process_use_all_cpus();
    case OCIRT__VERB_AFFINITY: return ocirt__process_use_cpus(ocirt__plan_data(a->plan, row->b));
    case OCIRT__VERB_SCHEDULER: return ocirt__process_set_scheduler(0, ocirt__plan_data(a->plan, row->b));
    case OCIRT__VERB_IO_PRIORITY: return ocirt__process_set_io_priority(0, row->n);
    case OCIRT__VERB_MEMORY_POLICY: return ocirt__process_set_memory_policy(row->n, row->b ? ocirt__plan_data(a->plan, row->b) : NULL);
    case OCIRT__VERB_APPARMOR: return ocirt__process_apparmor(a->ground.proc, text, row->n != 0);
    case OCIRT__VERB_LABEL: return ocirt__process_write_own(a->ground.proc, ocirt__step_text(a, row->b), text);
    case OCIRT__VERB_LANDLOCK: return ocirt__step_landlock(a, row);
    case OCIRT__VERB_SECCOMP: return ocirt__step_seccomp(a, row);
    case OCIRT__VERB_BOUNDING: return ocirt__process_bound(row->x);
    case OCIRT__VERB_GROUPS: return ocirt__process_set_groups(ocirt__plan_data(a->plan, row->b), row->n);
    case OCIRT__VERB_OWN_STREAMS: return ocirt__process_own_streams((uint32_t)row->x);
    case OCIRT__VERB_IDS: return ocirt__process_set_ids((uint32_t)row->x, (uint32_t)row->y);
    case OCIRT__VERB_CAPABILITIES: return ocirt__process_set_capabilities(ocirt__plan_data(a->plan, row->b));
    case OCIRT__VERB_NO_NEW_PRIVS: return ocirt__process_no_new_privs();
    case OCIRT__VERB_UMASK: return ocirt__process_set_umask(row->n);
    case OCIRT__VERB_HOOKS: return ocirt__hooks_run(a->plan, row, (int)OCIRT__SYS0(SYS_getpid), ocirt__step_report(a)->detail, sizeof ocirt__step_report(a)->detail);
    case OCIRT__VERB_FIND_PROGRAM: return ocirt__step_find(a, row);
    case OCIRT__VERB_AWAIT_START: return ocirt__step_await_start(a);
    case OCIRT__VERB_EXEC: return ocirt__step_exec(a);
    default: return ocirt__step_init_fs(a, row);
    }
}

/* What a child does from its first row to exec. Returns only by ending the process. */
static void ocirt__step_child(struct ocirt__actor *a, uint32_t from) {
    a->carry_out = ocirt__step_carry_out;
    a->await     = ocirt__step_await;
    a->talk      = a->slots[OCIRT__SLOT_CONVERSATION];
    a->ground    = (struct ocirt__ground){.root = -1, .proc = a->slots[OCIRT__SLOT_PROC], .container_proc = -1, .container_sys = -1, .null = -1, .mask = -1, .folder = -1,
                                          .detail = ocirt__step_report(a)->detail};
    int r = ocirt__step_walk(a, from);
    if (r < 0) OCIRT__SYS5(SYS_sendto, a->talk, ocirt__step_report(a), sizeof(struct ocirt__report), MSG_NOSIGNAL, NULL);
    ocirt__step_end(r < 0);
}

/* ===========================================================================================
   >>spawn   the host's side: its rows, the birth of stage and init, and the conversation with them.
   Children are awaited by pidfd, never by wait(-1). The end of the conversation is a message or a
   pidfd event, never end-of-file alone: another thread's fork may hold a copy of a socket.
   =========================================================================================== */

struct ocirt__host {
    struct ocirt__actor actor; /* first, so that the executor's callbacks find the rest */
    ocirt_arena        *arena;
    const ocirt_probe  *probe;
    const char         *stage_image; /* options.stage */
    int                 page_file;   /* -1: nobody executes */
    int                 image;       /* what is executed; closed last: the end of a mount clone waits for RCU, and
                                        while init works or ends, it would wait with it */
    int                 state_dir, cgroup_root;
    unsigned            cgroup_missing; /* levels of the cgroup that are to be made */
    char                cgroup[512];    /* where init is in the scope, "": in none   */
    int                 scope;          /* descriptor, if init is in a cgroup below it */
    bool                scoped;         /* the scope may be there, and is ours      */
    int                 conversation; /* the host's end */
    int                 pidfd, pid;   /* of init */
    int                 stage_pidfd;
    int                 terminal;     /* master of the container's terminal, -1: none came */
    bool                told;         /* a child has reported its failure */
    bool                devices_lost; /* a network device could not be given back */
    int                 resctrl;      /* the group */
    bool                resctrl_old;  /* it was there before us */
    struct ocirt__network network;    /* devices of the host's that have moved */
    siginfo_t           end;          /* of the child that died before its time */
    bool                dead;
};

static struct ocirt__host *ocirt__spawn_host(struct ocirt__actor *a) {
    return (struct ocirt__host *)(void *)a;
}

/* ----- the conversation ----- */

/* One message: a kick, a report of failure, or a kick with the terminal's master. Returns its size. */
static long ocirt__spawn_receive(struct ocirt__host *h) {
    union {
        struct cmsghdr header;
        char           room[CMSG_SPACE(sizeof(int))];
    } control;
    struct ocirt__report report;
    struct iovec  space   = {.iov_base = &report, .iov_len = sizeof report};
    struct msghdr message = {.msg_iov = &space, .msg_iovlen = 1};
    long n;
    message.msg_control = &control, message.msg_controllen = sizeof control.room;
    /* ECONNRESET tells, once, that the other side ended with a kick of ours unread; what it sent before
       is still there (unix(7)). */
    do n = OCIRT__SYS3(SYS_recvmsg, h->conversation, &message, MSG_CMSG_CLOEXEC);
    while (n == -ECONNRESET || n == -EINTR);
    if (n > 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)) && control.header.cmsg_type == SCM_RIGHTS) {
        ocirt__sys_close(&h->terminal);
        memcpy(&h->terminal, CMSG_DATA(&control.header), sizeof(int));
    }
    if (n == (long)sizeof report) h->told = true;
    return n;
}

/* The stage has done its work when it ends after init was born; then init is the one to watch. Init is looked at and
   not reaped: a program that has ended already is the caller's subreaper's, who waits for its status. */
static int ocirt__spawn_child_ended(struct ocirt__host *h) {
    int *who = h->stage_pidfd >= 0 ? &h->stage_pidfd : &h->pidfd;
    bool was_stage = who == &h->stage_pidfd;
    int  r   = ocirt__sys_await_end(*who, &h->end, was_stage ? 0 : WNOWAIT);
    if (r == -ECHILD) h->end.si_code = was_stage ? CLD_EXITED : 0, h->end.si_status = 0, r = 0; /* a caller that ignores SIGCHLD */
    if (r < 0) return r;
    if (was_stage) ocirt__sys_close(who); /* init's stays: it is ready to read, and signals nobody */
    h->dead = !was_stage || h->end.si_code != CLD_EXITED || h->end.si_status != 0 || h->actor.page->init_pid <= 0;
    if (h->dead || h->pidfd >= 0) return 0;
    h->pid   = h->actor.page->init_pid;
    h->pidfd = ocirt__sys_pidfd_open(h->pid);
    return h->pidfd < 0 ? h->pidfd : 0;
}

/* Waits until the rows before `row` are done. With row UINT32_MAX: until the conversation ends, which
   is what a successful exec looks like. */
static int ocirt__spawn_await(struct ocirt__actor *a, uint32_t row, uint32_t beside) {
    struct ocirt__host *h = ocirt__spawn_host(a);
    bool over = false;
    (void)beside; /* they are the host's own */
    while (!h->told && !over && __atomic_load_n(&a->page->next, __ATOMIC_ACQUIRE) < row) {
        struct pollfd wait[2] = {{.fd = h->conversation, .events = POLLIN},
                                 {.fd = h->stage_pidfd >= 0 ? h->stage_pidfd : h->pidfd, .events = POLLIN}};
        int r = ocirt__sys_poll(wait, 2, -1);
        if (r < 0) return r;
        if (wait[0].revents && ocirt__spawn_receive(h) > 0) continue;
        if (wait[1].revents || (wait[0].revents && h->stage_pidfd >= 0)) { /* a stage that let go is ending */
            r = ocirt__spawn_child_ended(h);
            if (r < 0) return r;
            if (h->dead) break;
        } else if (wait[0].revents) {
            over = true;
        }
    }
    /* An end without a word is a successful exec only if exec was all that was left to do. */
    if (row == UINT32_MAX && !h->told && !ocirt__step_failure(a->page)) row = a->plan->walk_count - 1;
    return !h->told && __atomic_load_n(&a->page->next, __ATOMIC_ACQUIRE) >= row ? 0 : -ECHILD;
}

/* ----- birth ----- */

/* All signals stay blocked in the child until its exec; here only around the clone, so that no
   handler of the host runs in the copy. */
static void ocirt__spawn_block(uint64_t old[2]) {
    uint64_t all[2] = {~0ull, ~0ull};
    OCIRT__SYS4(SYS_rt_sigprocmask, SIG_SETMASK, all, old, 8);
}
static void ocirt__spawn_unblock(const uint64_t old[2]) {
    OCIRT__SYS4(SYS_rt_sigprocmask, SIG_SETMASK, old, NULL, 8);
}

static int ocirt__spawn_pair(struct ocirt__host *h, int *out_child_end) {
    int pair[2] = {-1, -1};
    int r = (int)OCIRT__SYS4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
    h->conversation = h->actor.talk = pair[0], *out_child_end = pair[1];
    return r;
}

static void ocirt__spawn_born(struct ocirt__host *h, int pid, int pidfd, bool outside) {
    h->pidfd = pidfd, h->pid = h->actor.page->init_pid = pid;
    h->actor.page->outside_cgroup = outside;
}

static void ocirt__spawn_staged(struct ocirt__host *h, int pidfd, bool outside) {
    h->stage_pidfd = pidfd;
    if (ocirt__step_is_inside(&h->actor)) h->actor.page->outside_cgroup = outside;
}

static uint32_t ocirt__spawn_next(const struct ocirt__host *h, const struct ocirt__row *row) {
    return (uint32_t)(row - ocirt__plan_row(h->actor.plan, 0)) + 1;
}

/* The image as a file that nobody can write through /proc/PID/exe: below a read-only clone of its mount (needs
   privilege and 5.12), or a sealed copy in memory. */
static int ocirt__spawn_copy_image(const char *path) {
    struct ocirt__statx st;
    int from = ocirt__sys_openat(AT_FDCWD, path, O_RDONLY, 0), to = -1, r = from < 0 ? from : ocirt__sys_fstatx(from, &st);
    if (r == 0) r = to = (int)OCIRT__SYS2(SYS_memfd_create, "ocirt-stage", 1 | 2 | 0x10 /* CLOEXEC, ALLOW_SEALING, EXEC (6.3) */);
    if (r == -EINVAL) r = to = (int)OCIRT__SYS2(SYS_memfd_create, "ocirt-stage", 1 | 2);
    if (r >= 0) { /* one write from a mapping; sendfile goes page by page and takes four times as long */
        void *map = mmap(NULL, st.size, PROT_READ, MAP_PRIVATE, from, 0);
        r = map == MAP_FAILED ? -ENOMEM : ocirt__sys_write_all(to, map, st.size);
        if (map != MAP_FAILED) munmap(map, st.size);
    }
    if (r >= 0) r = (int)OCIRT__SYS3(SYS_fcntl, to, 1033 /* F_ADD_SEALS */, 1 | 2 | 4 | 8);
    ocirt__sys_close(&from);
    if (r < 0) ocirt__sys_close(&to);
    return r < 0 ? r : to;
}

static int ocirt__spawn_clone_image(const char *path) {
    struct ocirt__mount_attr read_only = {.attr_set = 1};
    int fd = ocirt__sys_open_tree(AT_FDCWD, path, OCIRT__OPEN_TREE_CLONE), r = fd < 0 ? fd : ocirt__sys_mount_setattr(fd, 0, &read_only);
    if (r < 0) ocirt__sys_close(&fd);
    return r < 0 ? r : fd;
}

static int ocirt__spawn_image(struct ocirt__host *h, bool copy) {
    int r = h->image = copy ? -EPERM : ocirt__spawn_clone_image(h->stage_image);
    if (r < 0) r = h->image = ocirt__spawn_copy_image(h->stage_image);
    return r < 0 ? ocirt__step_detail(&h->actor, h->stage_image, r) : 0;
}

/* The plan travels behind the page, in the same memory file, with room for the stack of hooks: the image starts
   from a small fresh process whatever the size of the caller, with nothing of the caller's memory in it. */
static int ocirt__spawn_store_plan(struct ocirt__host *h) {
    long r = OCIRT__SYS3(SYS_lseek, h->page_file, OCIRT__PAGE_ROOM, SEEK_SET);
    if (r >= 0) r = ocirt__sys_write_all(h->page_file, (const char *)h->actor.plan, h->actor.plan->size);
    if (r >= 0) r = OCIRT__SYS2(SYS_ftruncate, h->page_file, OCIRT__PAGE_ROOM + h->actor.plan->size + OCIRT__PLAN_STACK);
    return (int)r;
}

/* What passes an exec on purpose: slots, page and image. Returns how many. */
static unsigned ocirt__spawn_kept(const struct ocirt__host *h, int out[OCIRT__PLAN_SLOTS + 2]) {
    unsigned n = 0;
    for (unsigned i = 0; i < OCIRT__PLAN_SLOTS; i++)
        if (h->actor.slots[i] >= 0) out[n++] = h->actor.slots[i];
    out[n++] = h->page_file, out[n++] = h->image;
    return n;
}

/* The image, executed in a child that has nothing of our memory: the stage, or init itself. */
static int ocirt__spawn_execute(struct ocirt__host *h, const struct ocirt__row *row) {
    bool  init = row->verb == OCIRT__VERB_CLONE_EXECUTE;
    int   keep[OCIRT__PLAN_SLOTS + 2], pid = 0, pidfd;
    char  page[24], *argv[] = {(char[]){"ocirt-stage"}, page, NULL}, *env[] = {NULL};
    struct ocirt__launch launch = {.image = h->image, .argv = argv, .env = env, .input = -1, .output = -1, .preserve = h->actor.plan->preserve, .keep = keep,
                                   .keep_count = ocirt__spawn_kept(h, keep), .namespaces = init ? row->x : 0,
                                   .cgroup = init || ocirt__step_is_inside(&h->actor) ? ocirt__step_cgroup(&h->actor) : -1};
    page[ocirt__mem_decimal(page, (uint64_t)h->page_file)] = 0;
    pidfd = ocirt__program_launch(&launch, (char *)h->actor.plan + h->actor.plan->scratch_at, OCIRT__PLAN_STACK, &pid);
    if (pidfd < 0) return pidfd;
    if (init) ocirt__spawn_born(h, pid, pidfd, launch.outside || launch.cgroup != h->actor.slots[OCIRT__SLOT_CGROUP]);
    else ocirt__spawn_staged(h, pidfd, launch.outside || launch.cgroup != h->actor.slots[OCIRT__SLOT_CGROUP]);
    return OCIRT__STEP_BORN;
}

static int ocirt__spawn_anew(struct ocirt__host *h, const struct ocirt__row *row) {
    int r = ocirt__spawn_image(h, row->n != 0);
    if (r == 0) r = ocirt__spawn_pair(h, &h->actor.slots[OCIRT__SLOT_CONVERSATION]);
    if (r == 0) r = ocirt__spawn_store_plan(h);
    if (r == 0) {
        ocirt__step_publish(&h->actor, ocirt__spawn_next(h, row)); /* before there is anyone who goes on from here */
        r = ocirt__spawn_execute(h, row);
    }
    ocirt__sys_close(&h->image); /* or its mount would live as long as we, to be made writable by the container's root (mount_setattr) */
    ocirt__sys_close(&h->actor.slots[OCIRT__SLOT_CONVERSATION]);
    return r;
}

/* In the child: the copies of what only the host may hold are dropped with RESET, which keeps slots. */
static void ocirt__spawn_child(struct ocirt__host *h, const struct ocirt__row *row, int conversation) {
    h->actor.who = row->verb == OCIRT__VERB_STAGE ? OCIRT_ACTOR_STAGE : OCIRT_ACTOR_INIT;
    h->actor.slots[OCIRT__SLOT_CONVERSATION] = conversation;
    ocirt__sys_close(&h->conversation);
    ocirt__step_child(&h->actor, ocirt__spawn_next(h, row));
}

/* A child that is a copy of the caller. */
static int ocirt__spawn_copy(struct ocirt__host *h, const struct ocirt__row *row) {
    uint64_t old[2];
    bool     stage = row->verb == OCIRT__VERB_STAGE, outside = false;
    int      other = -1, pidfd = -1, pid, r = ocirt__spawn_pair(h, &other), cgroup = ocirt__step_cgroup(&h->actor);
    if (r < 0) return r;
    ocirt__step_publish(&h->actor, ocirt__spawn_next(h, row)); /* before there is anyone who goes on from here */
    ocirt__spawn_block(old);
    pid = ocirt__process_clone(row->x, stage && !ocirt__step_is_inside(&h->actor) ? -1 : cgroup, SIGCHLD, &pidfd, &outside);
    if (pid == 0) ocirt__spawn_child(h, row, other);
    ocirt__spawn_unblock(old);
    ocirt__sys_close(&other);
    if (pid < 0) return pid;
    if (stage) ocirt__spawn_staged(h, pidfd, outside || cgroup != h->actor.slots[OCIRT__SLOT_CGROUP]);
    else ocirt__spawn_born(h, pid, pidfd, outside || cgroup != h->actor.slots[OCIRT__SLOT_CGROUP]);
    return OCIRT__STEP_BORN;
}

OCIRT_DEF const char *ocirt_stage(int argc, char **argv) {
    struct ocirt__actor actor;
    struct ocirt__statx st;
    void    *page, *plan;
    uint32_t first = 0;
    int      file, r;
    if (argc != 2 || strcmp(argv[0], "ocirt-stage") != 0) return "/proc/self/exe";
    file = atoi(argv[1]);
    memset(&actor, 0, offsetof(struct ocirt__actor, program));
    r    = ocirt__sys_fstatx(file, &st);
    page = r < 0 ? MAP_FAILED : mmap(NULL, sizeof *actor.page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    plan = r < 0 ? MAP_FAILED : mmap(NULL, st.size - OCIRT__PAGE_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, OCIRT__PAGE_ROOM);
    if (page == MAP_FAILED || plan == MAP_FAILED || ((ocirt_plan *)plan)->magic != OCIRT__PLAN_MAGIC) _exit(127);
    actor.plan = plan, actor.page = page, actor.slots = actor.plan->slots;
    ocirt__sys_close(&file);
    for (unsigned i = 0; i < OCIRT__PLAN_SLOTS; i++) /* inherited over the exec on purpose, but not over the next */
        if (actor.slots[i] >= 0 && OCIRT__SYS3(SYS_fcntl, actor.slots[i], F_SETFD, FD_CLOEXEC) < 0) _exit(127);
    while ((r = ocirt__plan_row(plan, first)->verb) != OCIRT__VERB_STAGE_EXECUTE && r != OCIRT__VERB_CLONE_EXECUTE) first++;
    actor.who = r == OCIRT__VERB_CLONE_EXECUTE ? OCIRT_ACTOR_INIT : OCIRT_ACTOR_STAGE;
    ocirt__step_child(&actor, first + 1);
    return NULL;
}

/* ----- the host's rows ----- */

/* A namespace of the host's that is "joined" shares its sysctls. */
static bool ocirt__spawn_is_own(struct ocirt__host *h, int fd, uint32_t type) {
    const char *name = type == OCIRT_NS_NETWORK ? "/ns/net" : type == OCIRT_NS_IPC ? "/ns/ipc" : type == OCIRT_NS_UTS ? "/ns/uts" : "/ns/user";
    struct ocirt__statx mine, theirs;
    char   path[48];
    size_t n = ocirt__mem_decimal(path, (uint64_t)OCIRT__SYS0(SYS_getpid));
    memcpy(path + n, name, strlen(name) + 1);
    return ocirt__sys_statx(h->actor.slots[OCIRT__SLOT_PROC], path, 0, &mine) < 0 || ocirt__sys_fstatx(fd, &theirs) < 0 ||
           (mine.ino == theirs.ino && mine.dev_major == theirs.dev_major && mine.dev_minor == theirs.dev_minor);
}

static int ocirt__spawn_open_namespace(struct ocirt__host *h, const struct ocirt__row *row) {
    const char *path = ocirt__plan_text(h->actor.plan, row->a);
    int fd = ocirt__sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0), type;
    if (fd < 0) return fd;
    type = ocirt__sys_ioctl(fd, OCIRT__NS_GET_NSTYPE, NULL);
    h->actor.slots[row->slot] = fd;
    if (type == (int)row->n && h->actor.plan->own_types & row->n && ocirt__spawn_is_own(h, fd, row->n))
        return ocirt__step_detail(&h->actor, "it is the caller's own, and linux.sysctl or linux.netDevices would change the host", -EPERM);
    if (type == (int)row->n) return 0;
    return ocirt__step_detail(&h->actor, type < 0 ? "the file is not a namespace" : "the namespace is of another type", -EINVAL);
}

/* A user namespace with these maps, held by nothing but the descriptor: a helper is born in it, waits
   until the maps stand, and is gone. */
static int ocirt__spawn_idmap_namespace(struct ocirt__host *h, const struct ocirt__row *row) {
    char     path[48];
    uint64_t old[2];
    size_t   n;
    bool     outside;
    siginfo_t end;
    int      pidfd = -1, pid, r, proc = h->actor.slots[OCIRT__SLOT_PROC];
    ocirt__spawn_block(old);
    pid = ocirt__process_clone(OCIRT__CLONE_NEWUSER, -1, 0, &pidfd, &outside);
    if (pid == 0)
        for (;;) OCIRT__SYS0(SYS_sched_yield), ocirt__sys_poll_once(NULL, 0, -1);
    ocirt__spawn_unblock(old);
    if (pid < 0) return pid;
    n = ocirt__mem_decimal(path, (uint64_t)pid);
    memcpy(path + n, "/uid_map", 9);
    r = ocirt__path_write(proc, path, ocirt__plan_text(h->actor.plan, row->a), strlen(ocirt__plan_text(h->actor.plan, row->a)));
    path[n + 1] = 'g';
    if (r == 0) r = ocirt__path_write(proc, path, ocirt__plan_text(h->actor.plan, row->b), strlen(ocirt__plan_text(h->actor.plan, row->b)));
    memcpy(path + n, "/ns/user", 9);
    if (r == 0) r = h->actor.slots[row->slot] = ocirt__sys_openat(proc, path, O_RDONLY, 0);
    ocirt__sys_pidfd_signal(pidfd, SIGKILL);
    ocirt__sys_reap(pidfd, &end);
    ocirt__sys_close(&pidfd);
    return r < 0 ? r : 0;
}

static int ocirt__spawn_idmap_tree(struct ocirt__host *h, const struct ocirt__row *row) {
    struct ocirt__ground g = {.detail = ocirt__step_report(&h->actor)->detail};
    return ocirt__mount_map_ids(&g, h->actor.slots[row->slot], h->actor.slots[row->n], row->x != 0);
}

/* Bound below the state directory through its descriptor: sun_path has room for 107 bytes only. */
static int ocirt__spawn_listen(struct ocirt__host *h, const struct ocirt__row *row) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t n = strlen("/proc/self/fd/");
    int    fd = (int)OCIRT__SYS3(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), r;
    if (fd < 0) return fd;
    memcpy(name.sun_path, "/proc/self/fd/", n);
    n += ocirt__mem_decimal(name.sun_path + n, (uint64_t)h->state_dir);
    memcpy(name.sun_path + n, "/start", 7);
    r = (int)OCIRT__SYS3(SYS_bind, fd, &name, sizeof name);
    if (r == 0) r = (int)OCIRT__SYS2(SYS_listen, fd, 8);
    if (r < 0) ocirt__sys_close(&fd);
    h->actor.slots[row->slot] = fd;
    return r;
}

static int ocirt__spawn_proc_write(struct ocirt__host *h, int pid, const char *file, const char *text) {
    char   path[64];
    size_t n = ocirt__mem_decimal(path, (uint64_t)pid);
    path[n] = '/';
    memcpy(path + n + 1, file, strlen(file) + 1);
    return ocirt__path_write(h->actor.slots[OCIRT__SLOT_PROC], path, text, strlen(text));
}

/* The pid of the actor whose maps are to be written. The stage's is asked of its pidfd. */
static int ocirt__spawn_pid_of(struct ocirt__host *h, unsigned whose) {
    char path[48], text[512], *at;
    size_t n;
    if (whose == OCIRT_ACTOR_INIT) return h->actor.page->init_pid;
    n = ocirt__mem_decimal(path, (uint64_t)OCIRT__SYS0(SYS_getpid));
    memcpy(path + n, "/fdinfo/", 8);
    ocirt__mem_decimal(path + n + 8, (uint64_t)h->stage_pidfd);
    if (ocirt__path_read(h->actor.slots[OCIRT__SLOT_PROC], path, text, sizeof text) < 0) return -1;
    at = strstr(text, "Pid:");
    return at ? atoi(at + 4) : -1;
}

/* newuidmap PID inside outside count ...: the numbers of the map, one argument each. */
static int ocirt__spawn_mapper(struct ocirt__host *h, const struct ocirt__row *row) {
    char *text = (char *)h->actor.plan + row->b, *argv[3 + 3 * 340 + 1], *env[] = {NULL}, pid[24];
    char *path = (char *)h->actor.plan + row->a;
    unsigned count = 0;
    int  pidfd, out = ocirt__hooks_memory("ocirt-mapper-output"), child;
    siginfo_t end;
    struct ocirt__launch launch = {.path = path, .argv = argv, .env = env, .input = -1, .output = out, .image = -1, .cgroup = -1};
    char *copy = ocirt__mem_text(h->arena, text, strlen(text));
    if (!copy) return -ENOMEM;
    argv[count++] = path, argv[count++] = pid;
    ocirt__mem_decimal(pid, (uint64_t)ocirt__spawn_pid_of(h, row->n));
    for (char *s = strtok_r(copy, " \n", &text); s && count < 3 + 3 * 340; s = strtok_r(NULL, " \n", &text)) argv[count++] = s;
    argv[count] = NULL;
    pidfd = ocirt__program_launch(&launch, (char *)h->actor.plan + h->actor.plan->scratch_at, OCIRT__PLAN_STACK, &child);
    if (pidfd < 0) return ocirt__sys_close(&out), pidfd;
    if (ocirt__hooks_wait(pidfd, child, 30, &end) == -ECHILD) ocirt__step_detail(&h->actor, "its exit status is lost, since the caller ignores SIGCHLD", 0);
    else if (end.si_code != CLD_EXITED || end.si_status != 0)
        ocirt__hooks_tell(ocirt__step_report(&h->actor)->detail, sizeof ocirt__step_report(&h->actor)->detail, 0, path, "ended with exit status ", (unsigned)end.si_status, out);
    ocirt__sys_close(&pidfd);
    ocirt__sys_close(&out);
    return end.si_code == CLD_EXITED && end.si_status == 0 ? 0 : -EPERM;
}

static int ocirt__spawn_start_time(int proc, int pid, uint64_t *out) {
    char  path[48], text[1024], *at;
    size_t n = ocirt__mem_decimal(path, (uint64_t)pid);
    long  r;
    memcpy(path + n, "/stat", 6);
    r = ocirt__path_read(proc, path, text, sizeof text);
    if (r < 0) return (int)r;
    at = strrchr(text, ')');
    if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X') return -ESRCH; /* dead, only not reaped */
    *out = ocirt__process_stat_field(text, 22);
    return 0;
}

/* A child that was born of the stage, which may not have ended yet. */
static int ocirt__spawn_adopt(struct ocirt__host *h) {
    if (h->pidfd < 0) {
        h->pid   = h->actor.page->init_pid;
        h->pidfd = ocirt__sys_pidfd_open(h->pid);
        if (h->pidfd < 0) return h->pidfd;
    }
    return h->actor.page->outside_cgroup ? ocirt__cgroup_attach(h->actor.slots[OCIRT__SLOT_CGROUP], h->pid) : 0;
}

/* "PID:START:BOOT" as the text of a link: made in one call, so never half there, and complete in itself,
   so that a damaged state.json does not hide a living process. */
static int ocirt__spawn_record(struct ocirt__host *h) {
    char     text[128];
    uint64_t start = 0;
    size_t   n;
    int      r = ocirt__spawn_adopt(h);
    if (r == 0) r = ocirt__spawn_start_time(h->actor.slots[OCIRT__SLOT_PROC], h->pid, &start);
    if (r < 0) return r;
    n = ocirt__mem_decimal(text, (uint64_t)h->pid);
    text[n++] = ':';
    n += ocirt__mem_decimal(text + n, start);
    text[n++] = ':';
    if (ocirt__path_read(h->actor.slots[OCIRT__SLOT_PROC], "sys/kernel/random/boot_id", text + n, sizeof text - n) < 0) text[n] = 0;
    text[n + strcspn(text + n, "\n")] = 0;
    return ocirt__sys_symlinkat(text, h->state_dir, "creating");
}

static int ocirt__spawn_cgroup(struct ocirt__host *h, const struct ocirt__row *row) {
    const char *text = ocirt__plan_text(h->actor.plan, row->a);
    const char *value = ocirt__plan_text(h->actor.plan, row->b);
    int dir = h->actor.slots[OCIRT__SLOT_CGROUP], r = 0;
    if (row->verb == OCIRT__VERB_CGROUP_MAKE)
        return ocirt__cgroup_make(h->cgroup_root, text, h->cgroup_missing, value, &h->actor.slots[OCIRT__SLOT_CGROUP],
                                  ocirt__step_report(&h->actor)->detail, sizeof ocirt__step_report(&h->actor)->detail);
    if (dir < 0) return 0; /* none could be made, and none was needed */
    if (row->verb == OCIRT__VERB_CGROUP_DEVICES)
        return ocirt__device_attach(dir, ocirt__plan_data(h->actor.plan, row->a), row->n);
    if (row->verb == OCIRT__VERB_CGROUP_OWNER) return ocirt__cgroup_chown(dir, (uint32_t)row->x, (uint32_t)row->y);
    if (ocirt__cgroup_limits_scope(h->scope, text)) r = ocirt__path_write(h->scope, text, value, strlen(value));
    if (r < 0 && r != -ENOENT) return ocirt__step_detail(&h->actor, "on the scope", r);
    if (strcmp(text, "cpuset.mems") == 0 || (strcmp(text, "pids.max") == 0 && strcmp(value, "0") == 0)) h->actor.page->old_cgroup = 1;
    return r < 0 ? r : ocirt__path_write(dir, text, value, strlen(value));
}

/* Where init is now: the kernel knows, whichever systemd it was and wherever that has its slices. */
static int ocirt__spawn_find_cgroup(struct ocirt__host *h, const char *unit) {
    char   path[48], text[2048], *line, *name;
    size_t n = ocirt__mem_decimal(path, (uint64_t)h->pid);
    memcpy(path + n, "/cgroup", 8);
    if (ocirt__path_read(h->actor.slots[OCIRT__SLOT_PROC], path, text, sizeof text) <= 0) return -ESRCH;
    line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
    if (!line) return -ENODEV;
    line += *line == '\n' ? 4 : 3;
    line[n = strcspn(line, "\n")] = 0;
    name = strrchr(line, '/') + 1;
    name += name[0] == '_'; /* one like "io.x.scope" would be a file of the cgroup */
    if (n >= sizeof h->cgroup || strcmp(name, unit + (unit[0] == '_')) != 0) return ocirt__step_detail(&h->actor, "systemd has put the process elsewhere", -EXDEV);
    memcpy(h->cgroup, line, n + 1);
    return 0;
}

/* Moves init on from the scope, in which controllers can be enabled once it holds no process itself. */
static int ocirt__spawn_below_scope(struct ocirt__host *h, const char *name) {
    size_t n = strlen(h->cgroup);
    int below = -1, r;
    if (!name[0]) return 0;
    if (n + 1 + strlen(name) >= sizeof h->cgroup) return -ENAMETOOLONG;
    r = h->scope = ocirt__path_exact(h->cgroup_root, h->cgroup + 1, O_PATH | O_DIRECTORY);
    if (r >= 0) r = ocirt__sys_mkdirat(h->scope, name, 0755);
    if (r == 0) r = below = ocirt__sys_openat(h->scope, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    if (r >= 0) r = ocirt__cgroup_attach(below, h->pid);
    if (r == 0) ocirt__cgroup_enable_rest(h->scope);
    if (r == 0) h->cgroup[n] = '/', strcpy(h->cgroup + n + 1, name);
    ocirt__sys_close(&below);
    return r < 0 ? ocirt__step_detail(&h->actor, "the cgroup below the scope", r) : 0;
}

static int ocirt__spawn_scope(struct ocirt__host *h, const struct ocirt__row *row) {
    const ocirt_plan *plan = h->actor.plan;
    struct ocirt__bus bus = {.fd = -1, .arena = h->arena, .detail = ocirt__step_report(&h->actor)->detail, .rootless = plan->user_manager};
    struct ocirt__systemd_bytes properties = {.data = ocirt__plan_data(plan, row->c), .size = row->n, .common = (size_t)row->x};
    int dir = -1, r = ocirt__systemd_start(&bus, ocirt__plan_text(plan, row->a), &properties, h->pid);
    ocirt__systemd_close(&bus);
    h->scoped = r != -EEXIST;
    if (r == 0) r = ocirt__spawn_find_cgroup(h, ocirt__plan_text(plan, row->a));
    if (r == 0) r = ocirt__spawn_below_scope(h, ocirt__plan_text(plan, plan->below_scope));
    /* systemd knows nothing of hugetlb, rdma and misc, and so has not enabled them on the way. */
    if (r == 0) r = ocirt__cgroup_descend(h->cgroup_root, h->cgroup, ocirt__plan_text(plan, (uint32_t)row->y), false, &dir, ocirt__step_report(&h->actor)->detail, sizeof ocirt__step_report(&h->actor)->detail);
    if (dir >= 0 && dir != h->cgroup_root) h->actor.slots[OCIRT__SLOT_CGROUP] = dir;
    return r < 0 ? r : ocirt__cgroup_bound(dir, false);
}

/* One that is there already is taken as it is, if it says what the config says. */
static int ocirt__spawn_resctrl_group(struct ocirt__host *h, const struct ocirt__row *row) {
    const ocirt_plan *plan = h->actor.plan;
    const char *name = ocirt__plan_text(plan, row->a);
    int root = ocirt__resctrl_open(), r = root, made = -EEXIST;
    if (r >= 0 && row->n && strcmp(name, "/") != 0) made = ocirt__sys_mkdirat(root, name, 0755);
    if (r >= 0 && made < 0 && made != -EEXIST) r = made;
    if (r >= 0) r = h->resctrl = ocirt__resctrl_group(root, name);
    ocirt__sys_close(&root);
    if (r < 0) return r == -ENODEV ? ocirt__step_detail(&h->actor, "no resctrl is mounted", r) : r;
    h->resctrl_old = made < 0;
    if (!h->resctrl_old || (ocirt__resctrl_agrees(h->resctrl, ocirt__plan_text(plan, row->b)) && ocirt__resctrl_agrees(h->resctrl, ocirt__plan_text(plan, row->c)))) return 0;
    return ocirt__step_detail(&h->actor, "the group exists with other schemata", -EEXIST);
}

static int ocirt__spawn_resctrl(struct ocirt__host *h, const struct ocirt__row *row) {
    const ocirt_plan *plan = h->actor.plan;
    int r;
    if (row->verb == OCIRT__VERB_RESCTRL_GROUP) return ocirt__spawn_resctrl_group(h, row);
    if (row->verb == OCIRT__VERB_RESCTRL_WRITE)
        return h->resctrl_old && ocirt__resctrl_agrees(h->resctrl, ocirt__plan_text(plan, row->a)) ? 0 : ocirt__resctrl_write(h->resctrl, ocirt__plan_text(plan, row->a));
    r = ocirt__resctrl_add(h->resctrl, h->actor.page->init_pid);
    if (r == 0 && plan->resctrl_monitor) r = ocirt__resctrl_monitor(h->resctrl, ocirt__plan_text(plan, plan->id), h->actor.page->init_pid);
    return r;
}

static int ocirt__spawn_move_device(struct ocirt__host *h, const struct ocirt__row *row) {
    struct ocirt__network *n = &h->network;
    const char *detail = "", *key = ocirt__plan_text(h->actor.plan, row->a), *name = ocirt__plan_text(h->actor.plan, row->b);
    int r = 0;
    n->arena = h->arena;
    if (n->outside < 0) r = n->outside = ocirt__network_socket(0);
    if (r >= 0 && n->inside < 0) r = n->inside = ocirt__network_socket_of(h->pidfd, (char *)h->actor.plan + h->actor.plan->scratch_at, OCIRT__PLAN_STACK);
    if (r >= 0) r = ocirt__network_move(n, h->pid, key, strcmp(key, name) == 0 ? NULL : name, &detail);
    if (r == -EPERM) detail = "moving a device takes CAP_NET_ADMIN and CAP_SYS_ADMIN where it is"; /* the latter to enter the other namespace */
    return r < 0 ? ocirt__step_detail(&h->actor, detail, r) : 0;
}

static void ocirt__spawn_end_network(struct ocirt__host *h) {
    h->network.moved = NULL;
    ocirt__sys_close(&h->network.outside);
    ocirt__sys_close(&h->network.inside);
}

static int ocirt__spawn_carry_out(struct ocirt__actor *a, const struct ocirt__row *row) {
    struct ocirt__host *h = ocirt__spawn_host(a);
    const char *text = ocirt__plan_text(a->plan, row->a);
    switch (row->verb) {
    case OCIRT__VERB_CGROUP_MAKE:
    case OCIRT__VERB_CGROUP_WRITE:
    case OCIRT__VERB_CGROUP_DEVICES:
    case OCIRT__VERB_CGROUP_OWNER: return ocirt__spawn_cgroup(h, row);
    case OCIRT__VERB_START_SCOPE: return ocirt__spawn_scope(h, row);
    case OCIRT__VERB_RESCTRL_GROUP:
    case OCIRT__VERB_RESCTRL_WRITE:
    case OCIRT__VERB_RESCTRL_JOIN: return ocirt__spawn_resctrl(h, row);
    case OCIRT__VERB_OPEN_NAMESPACE: return ocirt__spawn_open_namespace(h, row);
    case OCIRT__VERB_OPEN_TREE:
        a->slots[row->slot] = ocirt__sys_open_tree(AT_FDCWD, text, OCIRT__OPEN_TREE_CLONE | (unsigned)row->x);
        return a->slots[row->slot] < 0 ? ocirt__step_detail(a, text, a->slots[row->slot]) : 0;
    case OCIRT__VERB_IDMAP_NAMESPACE: return ocirt__spawn_idmap_namespace(h, row);
    case OCIRT__VERB_IDMAP_TREE: return ocirt__spawn_idmap_tree(h, row);
    case OCIRT__VERB_LISTEN: return ocirt__spawn_listen(h, row);
    case OCIRT__VERB_STAGE:
    case OCIRT__VERB_CLONE: return ocirt__spawn_copy(h, row);
    case OCIRT__VERB_STAGE_EXECUTE:
    case OCIRT__VERB_CLONE_EXECUTE: return ocirt__spawn_anew(h, row);
    case OCIRT__VERB_LISTENER:
        a->slots[row->slot] = ocirt__path_connect(text);
        return a->slots[row->slot] < 0 ? a->slots[row->slot] : 0;
    case OCIRT__VERB_RECORD:
    case OCIRT__VERB_ADOPT:
        ocirt__sys_close(&a->slots[row->slot]); /* of the listener's agent, who reads to the end: init has its own */
        return row->verb == OCIRT__VERB_RECORD ? ocirt__spawn_record(h) : ocirt__spawn_adopt(h);
    case OCIRT__VERB_DENY_SETGROUPS: return ocirt__spawn_proc_write(h, ocirt__spawn_pid_of(h, row->n), "setgroups", "deny");
    case OCIRT__VERB_WRITE_MAP:
        return ocirt__spawn_proc_write(h, ocirt__spawn_pid_of(h, row->n), text, ocirt__plan_text(a->plan, row->b));
    case OCIRT__VERB_RUN_MAPPER: return ocirt__spawn_mapper(h, row);
    case OCIRT__VERB_MOVE_DEVICE: return ocirt__spawn_move_device(h, row);
    case OCIRT__VERB_OOM_SCORE: return ocirt__spawn_proc_write(h, h->pid, "oom_score_adj", text);
    case OCIRT__VERB_RLIMIT: return ocirt__process_set_rlimit(h->pid, row->n, row->x, row->y);
    case OCIRT__VERB_SCHEDULER: return ocirt__process_set_scheduler(h->pid, ocirt__plan_data(a->plan, row->b));
    case OCIRT__VERB_IO_PRIORITY: return ocirt__process_set_io_priority(h->pid, row->n);
    case OCIRT__VERB_HOOKS: return ocirt__hooks_run(a->plan, row, h->pid, ocirt__step_report(a)->detail, sizeof ocirt__step_report(a)->detail);
    default: return -ENOSYS;
    }
}

/* That a row is done may be known before what was sent by it is read. */
static void ocirt__spawn_take_terminal(struct ocirt__host *h) {
    struct pollfd wait = {.fd = h->conversation, .events = POLLIN};
    while (h->actor.plan->terminal && h->terminal < 0 && ocirt__sys_poll(&wait, 1, 0) > 0 && wait.revents & POLLIN)
        if (ocirt__spawn_receive(h) <= 0) break;
}

/* Carries the plan out up to exec or to the wait for start. */
static int ocirt__spawn_run(struct ocirt__host *h) {
    struct ocirt__actor *a = &h->actor;
    int r;
    a->carry_out = ocirt__spawn_carry_out;
    a->await     = ocirt__spawn_await;
    r = ocirt__step_walk(a, 0);
    if (r == 0) r = ocirt__spawn_await(a, a->plan->await_row ? a->plan->await_row : UINT32_MAX, 0);
    ocirt__spawn_take_terminal(h);
    if (r == 0 && h->stage_pidfd >= 0) r = ocirt__spawn_child_ended(h); /* it has let go, and is not left a zombie */
    return r;
}

/* Nobody is left behind: stage and init are killed and reaped, devices come back. */
static void ocirt__spawn_kill(struct ocirt__host *h) {
    int *who[] = {&h->stage_pidfd, &h->pidfd};
    siginfo_t end;
    if (h->pidfd < 0 && h->actor.page && h->actor.page->init_pid > 0 && !h->dead)
        h->pidfd = ocirt__sys_pidfd_open(h->actor.page->init_pid);
    for (size_t i = 0; i < 2; i++) {
        if (*who[i] < 0) continue;
        ocirt__sys_pidfd_signal(*who[i], SIGKILL);
        if (ocirt__sys_reap(*who[i], &end) == 0) {}
        ocirt__sys_close(who[i]);
    }
    h->devices_lost = ocirt__network_undo(&h->network) < 0;
    ocirt__spawn_end_network(h);
}

/* Nothing of a walk that failed is left in the way of another one. */
static void ocirt__spawn_forget(struct ocirt__host *h) {
    struct ocirt__page *page = h->actor.page;
    ocirt__spawn_kill(h);
    ocirt__sys_close(&h->conversation);
    ocirt__sys_close(&h->terminal);
    ocirt__sys_close(&h->image);
    for (unsigned i = OCIRT__SLOT_FREE; i < OCIRT__PLAN_SLOTS; i++) ocirt__sys_close(&h->actor.slots[i]); /* opened by rows, which open them again */
    h->told = h->dead = false;
    memset(page, 0, offsetof(struct ocirt__page, timed));
    for (unsigned who = 0; who < 3; who++) page->reports[who].row = -1;
}

/* ===========================================================================================
   >>notify   sd_notify(3) from inside the container to the service manager outside. The program finds a socket of
   ours at /run/notify/notify.sock (a folder of the state folder is mounted there); its READY=1 is passed on with the
   pid that it has outside. The barrier keeps us alive until the manager has seen who sent it. Nothing else of what
   the container says goes on: it could claim another main process.
   =========================================================================================== */

#define OCIRT__NOTIFY_FOLDER "/run/notify"

/* The program may be anyone. A container with CAP_SYS_ADMIN can write to the folder, and put a link there. */
static int ocirt__notify_open_to_all(int state_dir) {
    struct ocirt__statx st;
    char path[40] = "/proc/self/fd/";
    int  r, fd = ocirt__sys_openat(state_dir, "notify/notify.sock", O_PATH | O_NOFOLLOW, 0);
    if (fd < 0) return fd;
    ocirt__mem_decimal(path + 14, (uint64_t)fd);
    r = ocirt__sys_fstatx(fd, &st);
    if (r == 0) r = S_ISSOCK(st.mode) ? (int)OCIRT__SYS3(SYS_fchmodat, AT_FDCWD, path, 0777) : -EXDEV;
    ocirt__sys_close(&fd);
    return r;
}

/* The socket that the program writes to, in the folder that is mounted in the container. */
static int ocirt__notify_bind(int state_dir) {
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/proc/self/fd/"};
    size_t n = 14 + ocirt__mem_decimal(name.sun_path + 14, (uint64_t)state_dir);
    int    r, fd = (int)OCIRT__SYS3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fd;
    memcpy(name.sun_path + n, "/notify/notify.sock", 20);
    (void)ocirt__sys_unlinkat(state_dir, "notify/notify.sock", 0);
    r = (int)OCIRT__SYS3(SYS_bind, fd, &name, sizeof name);
    if (r == 0) r = ocirt__notify_open_to_all(state_dir);
    if (r < 0) ocirt__sys_close(&fd);
    return r < 0 ? r : fd;
}

/* "@name" is abstract. The manager closes its copy of the pipe when it has read all that came before. */
static void ocirt__notify_manager(const char *path, int pid) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    struct timeval limit = {5, 0};
    int    pipe[2] = {-1, -1}, fd = (int)OCIRT__SYS3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char   text[48] = "READY=1\nMAINPID=";
    struct pollfd wait = {.events = POLLIN};
    ocirt__mem_decimal(text + 16, (uint64_t)pid);
    if (n < sizeof name.sun_path) memcpy(name.sun_path, path, n);
    if (path[0] == '@') name.sun_path[0] = 0;
    if (fd >= 0) OCIRT__SYS5(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (fd >= 0 && n < sizeof name.sun_path && OCIRT__SYS3(SYS_connect, fd, &name, offsetof(struct sockaddr_un, sun_path) + n) == 0 && ocirt__sys_send(fd, -1, text, strlen(text)) > 0 &&
        OCIRT__SYS2(SYS_pipe2, pipe, O_CLOEXEC) == 0 && ocirt__sys_send(fd, pipe[1], "BARRIER=1", 9) > 0) {
        ocirt__sys_close(&pipe[1]);
        wait.fd = pipe[0];
        ocirt__sys_poll(&wait, 1, 5000);
    }
    ocirt__sys_close(&pipe[0]);
    ocirt__sys_close(&pipe[1]);
    ocirt__sys_close(&fd);
}

/* What has come. Once that is READY=1 the manager is told, and the socket closed. */
static void ocirt__notify_take(int *from, const char *manager, int pid) {
    char text[4096];
    long n;
    while (*from >= 0 && (n = ocirt__sys_read(*from, text, sizeof text - 1)) >= 0) {
        bool ready = false;
        text[n] = 0;
        for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line && !ready; line = strtok_r(NULL, "\n", &rest)) ready = strcmp(line, "READY=1") == 0;
        if (!ready) continue;
        ocirt__notify_manager(manager, pid);
        ocirt__sys_close(from);
    }
}

/* Until the program is ready, or its container has ended. */
static void ocirt__notify_await(int *from, const char *manager, int pidfd, int pid) {
    while (*from >= 0) {
        struct pollfd wait[2] = {{.fd = *from, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
        if (ocirt__sys_poll(wait, 2, -1) < 0) break;
        ocirt__notify_take(from, manager, pid);
        if (wait[1].revents) break;
    }
    ocirt__sys_close(from);
}

/* ===========================================================================================
   >>console   run and exec in the foreground: signals passed on, the terminal relayed and restored.
   Everything happens in the calling thread with its signals blocked and read from a signalfd; no
   handler is installed. SIGTTOU is among the blocked, so setting the terminal cannot stop us.
   =========================================================================================== */

struct ocirt__console {
    int            master, signals, pidfd, outer;
    int            notify, pid; /* the socket of >>notify, -1: none or done */
    const char    *manager;
    bool           raw, input_open, quiet; /* quiet: no process has the container's terminal open */
    struct termios saved;
    char           in[4096], out[4096]; /* to the container, from it */
    size_t         in_size, out_size;
};

/* The caller's terminal: any of the three, as the others may be redirected. Its size counts if it has one. */
static int ocirt__console_outer(struct winsize *out_size) {
    for (int fd = 0; fd < 3; fd++)
        if (ocirt__sys_ioctl(fd, TIOCGWINSZ, out_size) == 0) return fd;
    memset(out_size, 0, sizeof *out_size);
    return -1;
}

static void ocirt__console_resize(struct ocirt__console *c) {
    struct winsize size;
    c->outer = ocirt__console_outer(&size);
    if (size.ws_row && size.ws_col) ocirt__sys_ioctl(c->master, TIOCSWINSZ, &size);
}

/* The container's terminal has done the output's work already; that of the input only if it is relayed. */
static void ocirt__console_raw(struct ocirt__console *c) {
    struct termios raw;
    if (c->outer > 1 || tcgetattr(c->outer, &c->saved) < 0) return;
    raw = c->saved;
    raw.c_oflag &= (tcflag_t)~OPOST;
    if (c->outer == 1) {
        c->raw = tcsetattr(1, TCSANOW, &raw) == 0;
        return;
    }
    raw.c_iflag &= (tcflag_t)~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_lflag &= (tcflag_t)~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cflag = (raw.c_cflag & (tcflag_t)~(CSIZE | PARENB)) | CS8;
    c->raw = tcsetattr(0, TCSANOW, &raw) == 0;
}

static void ocirt__console_signals(struct ocirt__console *c) {
    struct {
        uint32_t number;
        char     rest[124];
    } signal;
    while (ocirt__sys_read(c->signals, &signal, sizeof signal) == (long)sizeof signal) {
        if (signal.number == SIGWINCH && c->master >= 0) ocirt__console_resize(c);
        else if (signal.number != SIGCHLD && signal.number != SIGURG) ocirt__sys_pidfd_signal(c->pidfd, (int)signal.number);
    }
}

/* Moves what can be moved in one direction, and waits for nobody. Returns 1 at the end of the source,
   or why nothing more can be written. */
static int ocirt__console_move(int from, int to, char *buffer, size_t room, size_t *size, short readable, short writable) {
    if (*size && writable) {
        long n = ocirt__sys_write(to, buffer, *size);
        if (n < 0 && n != -EAGAIN) return (int)n;
        if (n > 0) memmove(buffer, buffer + n, *size -= (size_t)n);
    }
    if (readable && *size < room) {
        long n = ocirt__sys_read(from, buffer + *size, room - *size);
        if (n <= 0 && n != -EAGAIN) return 1; /* EIO: the last slave was closed */
        if (n > 0) *size += (size_t)n;
    }
    return 0;
}

static void ocirt__console_drain(struct ocirt__console *c) {
    struct pollfd wait = {.fd = c->master, .events = POLLIN};
    if (c->out_size) ocirt__sys_write_all(1, c->out, c->out_size);
    c->out_size = 0;
    while (ocirt__sys_poll(&wait, 1, 0) > 0) {
        long n = ocirt__sys_read(c->master, c->out, sizeof c->out);
        if (n <= 0 || ocirt__sys_write_all(1, c->out, (size_t)n) < 0) break;
    }
}

/* One round of both directions. Where the caller's terminal hangs up or nobody takes the output, the
   container's terminal hangs up. Has nobody opened that one, somebody may do so later (getty, systemd). */
static void ocirt__console_relay(struct ocirt__console *c, const struct pollfd wait[5]) {
    bool hung_up = c->outer == 0 && wait[2].revents & POLLHUP;
    int  r;
    if (ocirt__console_move(0, c->master, c->in, sizeof c->in, &c->in_size, wait[2].revents, wait[3].revents & POLLOUT)) c->input_open = false;
    r = ocirt__console_move(c->master, 1, c->out, sizeof c->out, &c->out_size, wait[3].revents & (POLLIN | POLLHUP), wait[4].revents);
    c->quiet = r > 0;
    if (r < 0 || hung_up) ocirt__sys_close(&c->master);
}

/* Until the container's init has ended. */
static void ocirt__console_loop(struct ocirt__console *c) {
    for (;;) {
        bool want_in = c->input_open && c->in_size < sizeof c->in, want_out = c->out_size < sizeof c->out;
        struct pollfd wait[6] = {{.fd = c->pidfd, .events = POLLIN}, {.fd = c->signals, .events = POLLIN},
                                 {.fd = c->master >= 0 && want_in ? 0 : -1, .events = POLLIN},
                                 {.fd = c->quiet ? -1 : c->master, .events = (short)((want_out ? POLLIN : 0) | (c->in_size ? POLLOUT : 0))},
                                 {.fd = c->master >= 0 && c->out_size ? 1 : -1, .events = POLLOUT}, {.fd = c->notify, .events = POLLIN}};
        if (ocirt__sys_poll(wait, 6, c->quiet ? 50 : -1) < 0) return;
        if (wait[1].revents) ocirt__console_signals(c);
        if (wait[5].revents) ocirt__notify_take(&c->notify, c->manager, c->pid);
        if (c->master >= 0) ocirt__console_relay(c, wait);
        if (wait[0].revents) break;
    }
    if (c->master >= 0) ocirt__console_drain(c);
}

/* Waits for init, passing on signals and, with a terminal, bytes both ways. The caller has blocked the
   signals since before the container was made: what came meanwhile is passed on now. Was init quicker
   and has ended, they are taken all the same: they were meant for it and must not end the caller. */
static void ocirt__console_wait(struct ocirt__host *h, int *notify, const char *manager) {
    struct ocirt__console c = {.master = h->terminal, .pidfd = h->pidfd, .pid = h->pid, .notify = *notify, .manager = manager, .input_open = true};
    uint64_t all = ~0ull;
    c.signals = (int)OCIRT__SYS4(SYS_signalfd4, -1, &all, 8, O_CLOEXEC | O_NONBLOCK);
    if (c.master >= 0) {
        OCIRT__SYS3(SYS_fcntl, c.master, F_SETFL, O_RDWR | O_NONBLOCK); /* ours alone: init has closed its copy */
        ocirt__console_resize(&c);
        ocirt__console_raw(&c);
    }
    ocirt__console_loop(&c);
    if (c.raw) tcsetattr(c.outer, TCSANOW, &c.saved);
    ocirt__sys_close(&c.signals);
    h->terminal = c.master, *notify = c.notify;
}

/* ===========================================================================================
   >>state   one folder per container below the state root, 0700 and the caller's own:
     state.json  what delete needs, written before the first lasting effect, replaced as a whole
     config.json the config, for exec; it outlives an update of ocirt, which the plan does not
     plan        the plan's bytes: undo, hooks after exec, and error texts for `start`
     creating    link to PID:STARTTIME:BOOT while create works; renamed to `init` when it is done
     start       socket the waiting init listens on; gone once started
     notify/     the folder of >>notify
   The lock is flock on the folder itself: the kernel drops it when its holder dies.
   =========================================================================================== */

struct ocirt__record { /* state.json */
    uint64_t    version, owner, cgroup_levels;
    uint64_t    cgroup_inode; /* of one in a scope, 0: not known; with 64 bits none comes twice in a boot */
    const char *id, *oci_version, *bundle, *rootfs, *created, *cgroup, *cgroup_mount;
    const char *resctrl; /* group of resctrl, "": none */
    const char *scope;   /* unit of systemd, "": none */
    bool        user_manager; /* it is the user's systemd */
    bool        old_keyring;  /* the caller's session keyring was kept */
    bool        scope_gone;   /* not in the file: see ocirt__state_own_scope */
    bool        private_pids, resctrl_made, resctrl_monitor;
    ocirt_pair *annotations;
    size_t      annotations_count;
};
#define OCIRT__STATE_VERSION 1u

static int ocirt__state_check_id(const char *id, ocirt_error *error) {
    size_t n = id ? strlen(id) : 0;
    bool   fine = n > 0 && n <= 255 && strcmp(id, ".") != 0 && strcmp(id, "..") != 0 && id[0] != '-';
    for (size_t i = 0; i < n && fine; i++)
        fine = (id[i] >= 'a' && id[i] <= 'z') || (id[i] >= 'A' && id[i] <= 'Z') || (id[i] >= '0' && id[i] <= '9') ||
               id[i] == '_' || id[i] == '+' || id[i] == '-' || id[i] == '.';
    if (fine) return 0;
    ocirt__error_hint(error, "letters, digits, and _ + - . are allowed, at most 255 of them");
    ocirt__error_set(error, OCIRT_E_ARGUMENT, 0, id ? id : "", "invalid container id \"%.80s\"", id ? id : "");
    ocirt__error_hint(error, "letters, digits, and _ + - . are allowed, at most 255 of them, no leading dash");
    return -OCIRT_E_ARGUMENT;
}

/* Root in the first user namespace has /run/ocirt whatever XDG_RUNTIME_DIR says: engines set it to
   an empty string or to a login's folder, and must find the same containers with every command. */
static int ocirt__state_path(const ocirt_options *options, char out[PATH_MAX], ocirt_error *error) {
    const char *base = getenv("XDG_RUNTIME_DIR");
    int n;
    if (options && options->state_root) n = snprintf(out, PATH_MAX, "%s", options->state_root);
    else if (geteuid() == 0 && ocirt__probe_first_userns()) n = snprintf(out, PATH_MAX, "/run/ocirt");
    else if (base && base[0]) n = snprintf(out, PATH_MAX, "%s/ocirt", base);
    else {
        ocirt__error_set(error, OCIRT_E_ARGUMENT, 0, "", "no state folder: XDG_RUNTIME_DIR is not set");
        ocirt__error_hint(error, "set XDG_RUNTIME_DIR to a folder of yours, or pass --root DIR");
        return -OCIRT_E_ARGUMENT;
    }
    return n > 0 && n < PATH_MAX ? 0 : ocirt__error_set(error, OCIRT_E_ARGUMENT, ENAMETOOLONG, "", "state root");
}

static int ocirt__state_make_path(char *path) {
    int r = 0;
    for (char *s = path + 1; r == 0 && *s; s++) {
        if (*s != '/') continue;
        *s = 0;
        r = ocirt__sys_mkdirat(AT_FDCWD, path, 0755);
        *s = '/';
        if (r == -EEXIST) r = 0;
    }
    if (r == 0) r = ocirt__sys_mkdirat(AT_FDCWD, path, 0700);
    return r == -EEXIST ? 0 : r;
}

/* Opens the state root. Others must not be able to put anything into it. */
static int ocirt__state_root(const ocirt_options *options, bool make, ocirt_error *error) {
    char path[PATH_MAX];
    struct ocirt__statx st;
    int fd, r = ocirt__state_path(options, path, error);
    if (r < 0) return r;
    fd = ocirt__sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd == -ENOENT && make) {
        r = ocirt__state_make_path(path);
        if (r < 0) return ocirt__error_set(error, OCIRT_E_IO, -r, path, "state root %s", path);
        fd = ocirt__sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    }
    if (fd == -ENOENT) return ocirt__error_set(error, OCIRT_E_NOT_FOUND, 0, path, "container does not exist");
    if (fd < 0) return ocirt__error_set(error, OCIRT_E_IO, -fd, path, "state root %s", path);
    r = ocirt__sys_fstatx(fd, &st);
    if (r == 0 && st.uid == geteuid() && !(st.mode & 022)) return fd;
    ocirt__sys_close(&fd);
    ocirt__error_set(error, OCIRT_E_PERMISSION, 0, path, "state root %s belongs to another user or is writable by others", path);
    ocirt__error_hint(error, "chown it to uid %u and chmod 0700 it, or pass another --root", (unsigned)geteuid());
    return -OCIRT_E_PERMISSION;
}

/* True if the folder that was opened is still the one of that name. */
/* 0: the id still means this folder; -ENOENT: a delete was faster. */
static int ocirt__state_same(int root, const char *id, int dir) {
    struct ocirt__statx a, b;
    int r = ocirt__sys_statx(root, id, OCIRT__AT_SYMLINK_NOFOLLOW, &a);
    if (r == 0) r = ocirt__sys_fstatx(dir, &b);
    if (r < 0) return r;
    return a.ino == b.ino && a.dev_major == b.dev_major && a.dev_minor == b.dev_minor ? 0 : -ENOENT;
}

/* Of concurrent creates of one id mkdir lets one win. */
static int ocirt__state_create(int root, const char *id, ocirt_error *error) {
    int dir, r = ocirt__sys_mkdirat(root, id, 0700);
    if (r == -EEXIST) {
        ocirt__error_set(error, OCIRT_E_EXISTS, 0, id, "container with given ID already exists: %s", id);
        ocirt__error_hint(error, "`ocirt delete --force %s` removes it", id);
        return -OCIRT_E_EXISTS;
    }
    dir = r < 0 ? r : ocirt__sys_openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    r   = dir < 0 ? dir : ocirt__sys_flock(dir, LOCK_EX | LOCK_NB);
    if (r == 0) r = ocirt__state_same(root, id, dir);
    if (r == 0) return dir;
    /* An empty folder is nobody's: a delete that came between has found nothing either. */
    (void)ocirt__sys_unlinkat(root, id, AT_REMOVEDIR);
    if (dir >= 0) ocirt__sys_close(&dir);
    return ocirt__error_set(error, OCIRT_E_IO, -r, id, "state folder of %s", id);
}

static int ocirt__state_open(int root, const char *id, bool lock, ocirt_error *error) {
    int dir = ocirt__sys_openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    int r   = dir < 0 ? dir : lock ? ocirt__sys_flock(dir, LOCK_EX) : 0;
    if (r == 0 && lock) r = ocirt__state_same(root, id, dir);
    if (r == 0) return dir;
    if (dir >= 0) ocirt__sys_close(&dir);
    if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
        return ocirt__error_set(error, OCIRT_E_NOT_FOUND, 0, id, "container does not exist: %s", id);
    return ocirt__error_set(error, OCIRT_E_IO, -r, id, "state folder of %s", id);
}

/* Written once, before there is anything to find: half of it is as good as none of it. */
static int ocirt__state_put(int dir, const char *name, const void *data, size_t size) {
    int fd = ocirt__sys_openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    int r  = fd < 0 ? fd : ocirt__sys_write_all(fd, data, size);
    if (fd >= 0) ocirt__sys_close(&fd);
    return r;
}

static int ocirt__state_replace(int dir, const char *name, const char *by, const void *data, size_t size) {
    int r = ocirt__state_put(dir, by, data, size);
    return r < 0 ? r : ocirt__sys_renameat(dir, by, name);
}

static char *ocirt__state_get(ocirt_arena *arena, int dir, const char *name, size_t extra, size_t *out_size) {
    struct ocirt__statx st;
    char *text = NULL;
    int fd = ocirt__sys_openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd >= 0 && ocirt__sys_fstatx(fd, &st) == 0 && S_ISREG(st.mode) && st.size <= OCIRT_MAX_CONFIG) {
        text = ocirt__mem_alloc(arena, (size_t)st.size + extra + 1);
        if (text && ocirt__sys_read_all(fd, text, (size_t)st.size) != (long)st.size) text = NULL;
        *out_size = (size_t)st.size;
    }
    if (fd >= 0) ocirt__sys_close(&fd);
    return text;
}

/* The stored plan, with room for the stack of hooks. NULL when there is none or it is another version's. */
static ocirt_plan *ocirt__state_plan(ocirt_arena *arena, int dir) {
    size_t size = 0;
    ocirt_plan *plan = (ocirt_plan *)(void *)ocirt__state_get(arena, dir, "plan", OCIRT__PLAN_STACK, &size);
    if (!plan || size < sizeof *plan || plan->magic != OCIRT__PLAN_MAGIC || plan->size != size || plan->layout != sizeof(struct ocirt__row) + sizeof *plan)
        return NULL;
    return plan;
}

static int ocirt__state_collect(void *user, const char *data, size_t size) {
    ocirt__buffer_put(user, data, size);
    return 0;
}

static int ocirt__state_put_config(ocirt_arena *arena, int dir, const ocirt_spec *spec) {
    ocirt__buffer text = {.arena = arena};
    if (spec->document) return ocirt__state_put(dir, "config.json", spec->document->text, spec->document->size);
    if (ocirt_spec_write(spec, ocirt__state_collect, &text, NULL) < 0 || text.failed) return -ENOMEM;
    return ocirt__state_put(dir, "config.json", text.data, text.size);
}

static int ocirt__state_config(ocirt_arena *arena, int dir, const char *id, ocirt_spec **out, ocirt_error *error) {
    size_t size = 0;
    char  *text = ocirt__state_get(arena, dir, "config.json", 0, &size);
    if (text) return ocirt_spec_load(arena, text, size, "the recorded config.json", out, error);
    return ocirt__error_set(error, OCIRT_E_STATE, 0, id, "container %s has no recorded config.json: it is broken, or of an older version", id);
}

static void ocirt__state_text_member(ocirt__buffer *t, const char *name, const char *value) {
    ocirt__buffer_format(t, ",\n  \"%s\": ", name);
    ocirt__json_write_string(t, value);
}

static void ocirt__state_text(ocirt__buffer *t, const struct ocirt__record *r) {
    ocirt__buffer_format(t, "{\n  \"version\": %u", OCIRT__STATE_VERSION);
    ocirt__state_text_member(t, "ociVersion", OCIRT_SPEC_VERSION);
    ocirt__state_text_member(t, "id", r->id);
    ocirt__state_text_member(t, "bundle", r->bundle);
    ocirt__state_text_member(t, "rootfs", r->rootfs);
    ocirt__state_text_member(t, "created", r->created);
    ocirt__state_text_member(t, "cgroup", r->cgroup);
    ocirt__state_text_member(t, "cgroupMount", r->cgroup_mount);
    ocirt__state_text_member(t, "resctrl", r->resctrl);
    ocirt__state_text_member(t, "systemdScope", r->scope);
    ocirt__buffer_format(t, ",\n  \"userManager\": %s,\n  \"oldKeyring\": %s", r->user_manager ? "true" : "false", r->old_keyring ? "true" : "false");
    ocirt__buffer_format(t, ",\n  \"resctrlMade\": %s,\n  \"resctrlMonitor\": %s", r->resctrl_made ? "true" : "false", r->resctrl_monitor ? "true" : "false");
    ocirt__buffer_format(t, ",\n  \"cgroupLevels\": %llu,\n  \"cgroupInode\": %llu,\n  \"owner\": %llu,\n  \"privatePids\": %s,\n  \"annotations\": {",
                         (unsigned long long)r->cgroup_levels, (unsigned long long)r->cgroup_inode, (unsigned long long)r->owner, r->private_pids ? "true" : "false");
    for (size_t i = 0; i < r->annotations_count; i++) {
        ocirt__buffer_text(t, i ? ",\n    " : "\n    ");
        ocirt__json_write_string(t, r->annotations[i].key);
        ocirt__buffer_text(t, ": ");
        ocirt__json_write_string(t, r->annotations[i].value);
    }
    ocirt__buffer_text(t, r->annotations_count ? "\n  }\n}\n" : "}\n}\n");
}

/* Any damage makes the container "broken, deletable" and never hides another one. */
static bool ocirt__state_load(ocirt_arena *arena, int dir, struct ocirt__record *out) {
    size_t size = 0;
    const ocirt_json *doc;
    char *text = ocirt__state_get(arena, dir, "state.json", 0, &size);
    memset(out, 0, sizeof *out);
    out->id = out->oci_version = out->bundle = out->rootfs = out->created = out->cgroup = out->cgroup_mount = out->resctrl = out->scope = "";
    if (!text || ocirt__json_parse(arena, text, size, "state.json", &doc, NULL) < 0) return false;
    struct {
        const char  *name;
        const char **to;
    } texts[] = {{"id", &out->id}, {"ociVersion", &out->oci_version}, {"bundle", &out->bundle}, {"rootfs", &out->rootfs}, {"created", &out->created},
                 {"cgroup", &out->cgroup}, {"cgroupMount", &out->cgroup_mount}, {"resctrl", &out->resctrl}, {"systemdScope", &out->scope}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *value = ocirt__json_text(arena, doc, ocirt__json_member(doc, 1, texts[i].name));
        if (!value && texts[i].to == &out->scope) continue; /* of an earlier version */
        if (!value) return false;
        *texts[i].to = value;
    }
    if (!ocirt__json_uint(doc, ocirt__json_member(doc, 1, "version"), &out->version)) return false;
    if (!ocirt__json_uint(doc, ocirt__json_member(doc, 1, "cgroupLevels"), &out->cgroup_levels)) return false;
    if (!ocirt__json_uint(doc, ocirt__json_member(doc, 1, "owner"), &out->owner)) return false;
    (void)ocirt__json_uint(doc, ocirt__json_member(doc, 1, "cgroupInode"), &out->cgroup_inode); /* later than version 1 */
    out->private_pids = ocirt__json_is_true(doc, ocirt__json_member(doc, 1, "privatePids"));
    out->old_keyring = ocirt__json_is_true(doc, ocirt__json_member(doc, 1, "oldKeyring"));
    out->user_manager = ocirt__json_is_true(doc, ocirt__json_member(doc, 1, "userManager"));
    out->resctrl_made = ocirt__json_is_true(doc, ocirt__json_member(doc, 1, "resctrlMade"));
    out->resctrl_monitor = ocirt__json_is_true(doc, ocirt__json_member(doc, 1, "resctrlMonitor"));
    return ocirt__json_pairs(arena, doc, ocirt__json_member(doc, 1, "annotations"), &out->annotations, &out->annotations_count);
}

/* ----- the container's process ----- */

struct ocirt__process {
    int  pid, pidfd; /* of the living init; 0 and -1 otherwise */
    bool recorded;   /* there is a record, of whatever age     */
    bool complete;   /* create has finished                    */
    bool waiting;    /* the start socket is there              */
};

static void ocirt__state_boot(int proc, char out[64]) {
    if (ocirt__path_read(proc, "sys/kernel/random/boot_id", out, 64) < 0) out[0] = 0;
    out[strcspn(out, "\n")] = 0;
}

/* A number alone proves nothing: pids are used again. The pidfd is opened first; if the start time
   still is the recorded one, and the boot the same, the pidfd holds the right process. */
static int ocirt__state_process(int proc, int dir, struct ocirt__process *out) {
    char     text[128], now[64], *colon, *boot;
    uint64_t start = 0, recorded;
    struct ocirt__statx st;
    long r = ocirt__sys_readlinkat(dir, "init", text, sizeof text);
    *out = (struct ocirt__process){.pidfd = -1, .complete = r > 0};
    if (r == -ENOENT) r = ocirt__sys_readlinkat(dir, "creating", text, sizeof text);
    out->recorded = r > 0;
    if (r < 0) return r == -ENOENT || r == -EINVAL ? 0 : (int)r;
    r = ocirt__sys_statx(dir, "start", OCIRT__AT_SYMLINK_NOFOLLOW, &st);
    if (r < 0 && r != -ENOENT) return (int)r;
    out->waiting = r == 0;
    if (!(colon = strchr(text, ':')) || (out->pid = atoi(text)) <= 0) return out->pid = 0;
    recorded = strtoull(colon + 1, &boot, 10);
    boot += *boot == ':';
    ocirt__state_boot(proc, now);
    r = now[0] && boot[0] && strcmp(now, boot) != 0 ? -ESRCH : ocirt__sys_pidfd_open(out->pid);
    if (r >= 0) out->pidfd = (int)r, r = ocirt__spawn_start_time(proc, out->pid, &start);
    if (r == -EINVAL) r = -ESRCH; /* the number is that of a thread, or still names a group or session that it left behind */
    if (r == 0 && start == recorded) return 0;
    ocirt__sys_close(&out->pidfd);
    out->pid = 0;
    return r == 0 || r == -ESRCH || r == -ENOENT ? 0 : (int)r;
}

static const char *ocirt__state_status(const struct ocirt__process *p) {
    if (p->pid == 0) return p->recorded ? "stopped" : "creating";
    return !p->complete ? "creating" : p->waiting ? "created" : "running";
}

/* A container's cgroup, as its record has it, by way of the root of its hierarchy. */
static int ocirt__state_cgroup(const char *mount, const char *cgroup, int *out_root) {
    *out_root = -1;
    if (!cgroup[0] || !mount[0]) return -ENOENT;
    *out_root = ocirt__sys_openat(AT_FDCWD, mount, O_PATH | O_DIRECTORY, 0);
    if (*out_root < 0) return *out_root;
    return ocirt__path_exact(*out_root, cgroup + strspn(cgroup, "/"), O_RDONLY | O_DIRECTORY);
}

/* How much of the cgroup's path is the scope's, if the container lies in a cgroup below it; else 0. */
static int ocirt__state_scope_length(const struct ocirt__record *record) {
    const char *end = strrchr(record->cgroup, '/');
    return record->scope[0] && record->cgroup_levels > 1 && end ? (int)(end - record->cgroup) : 0;
}

/* That scope, or -1. */
static int ocirt__state_scope(const struct ocirt__record *record, int root) {
    char path[PATH_MAX];
    int  n = ocirt__state_scope_length(record);
    if (root < 0 || n == 0 || snprintf(path, sizeof path, "%.*s", n, record->cgroup) >= (int)sizeof path) return -1;
    return ocirt__path_exact(root, path + strspn(path, "/"), O_RDONLY | O_DIRECTORY);
}

/* systemd removes a scope when its last process has ended, and the next container may get one of the same name before
   this one is deleted. Then nothing there is this container's any more. */
static void ocirt__state_own_scope(struct ocirt__record *record) {
    struct ocirt__statx st;
    int root, dir, r;
    if (record->cgroup_inode == 0) return;
    r = dir = ocirt__state_cgroup(record->cgroup_mount, record->cgroup, &root);
    if (r >= 0) r = ocirt__sys_fstatx(dir, &st);
    record->scope_gone = root >= 0 && (r == -ENOENT || (r >= 0 && st.ino != record->cgroup_inode));
    if (record->scope_gone) record->cgroup = "";
    ocirt__sys_close(&dir);
    ocirt__sys_close(&root);
}

/* The scope is what we freeze, so that systemctl and we speak of the same; a container may freeze its own cgroup. */
static bool ocirt__state_is_paused(const struct ocirt__record *record) {
    int  root, dir = ocirt__state_cgroup(record->cgroup_mount, record->cgroup, &root), scope = ocirt__state_scope(record, root);
    bool paused = ocirt__cgroup_is_paused(scope) || ocirt__cgroup_is_paused(dir);
    ocirt__sys_close(&scope);
    ocirt__sys_close(&dir);
    ocirt__sys_close(&root);
    return paused;
}

/* A container with CAP_SYS_ADMIN may have put something into the folder of its socket. */
static int ocirt__state_remove_notify(int dir) {
    union {
        char     bytes[1024];
        uint64_t aligned;
    } buffer;
    long n = 0;
    int  fd = ocirt__sys_openat(dir, "notify", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0) return fd == -ENOENT ? 0 : fd;
    while ((n = ocirt__sys_getdents(fd, buffer.bytes, sizeof buffer.bytes)) > 0)
        for (long at = 0; at < n; at += ((const struct ocirt__dirent64 *)(const void *)(buffer.bytes + at))->size) {
            const char *name = ((const struct ocirt__dirent64 *)(const void *)(buffer.bytes + at))->name;
            if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && ocirt__sys_unlinkat(fd, name, 0) < 0) (void)ocirt__sys_unlinkat(fd, name, AT_REMOVEDIR);
        }
    ocirt__sys_close(&fd);
    return n < 0 ? (int)n : ocirt__sys_unlinkat(dir, "notify", AT_REMOVEDIR);
}

/* Everything we put there, and nothing else: a folder with foreign files stays. */
static int ocirt__state_remove(int root, const char *id, int dir) {
    static const char *const names[] = {"start", "init", "creating", "plan", "config.json", "state.new", "state.json"};
    int r = ocirt__state_remove_notify(dir); /* first: delete can be tried again as long as there is a record */
    if (r < 0) return r;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) (void)ocirt__sys_unlinkat(dir, names[i], 0);
    return ocirt__sys_unlinkat(root, id, AT_REMOVEDIR);
}

/* ===========================================================================================
   >>stats   what the kernel counts for a cgroup (cgroup-v2, interface files), as numbers and as the JSON of
   `runc events`. A file that is missing leaves its numbers at zero: the controller is not there.
   =========================================================================================== */

static char *ocirt__stats_file(ocirt_arena *arena, int dir, const char *name) {
    char *text = ocirt__mem_alloc(arena, 16384), *end;
    long  n = text ? ocirt__path_read(dir, name, text, 16384) : 0;
    if (n == 16383 && (end = strrchr(text, '\n'))) *end = 0; /* rather a line less than half a number */
    return n > 0 ? text : NULL;
}

/* A line "key number" of a text that is kept. */
static uint64_t ocirt__stats_key(const char *text, const char *key) {
    size_t n = strlen(key);
    for (const char *line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, key, n) == 0 && line[n] == ' ') return strtoull(line + n, NULL, 10);
    return 0;
}

/* "max" is no limit. */
static uint64_t ocirt__stats_number(int dir, const char *name) {
    char text[32];
    if (ocirt__path_read(dir, name, text, sizeof text) <= 0) return 0;
    return text[0] == 'm' ? UINT64_MAX : strtoull(text, NULL, 10);
}

static void ocirt__stats_cpu(ocirt_arena *arena, int dir, ocirt_stats *s) {
    const char *text = ocirt__stats_file(arena, dir, "cpu.stat");
    s->cpu_total = ocirt__stats_key(text, "usage_usec") * 1000;
    s->cpu_user = ocirt__stats_key(text, "user_usec") * 1000, s->cpu_kernel = ocirt__stats_key(text, "system_usec") * 1000;
    s->cpu_periods = ocirt__stats_key(text, "nr_periods"), s->cpu_throttled_periods = ocirt__stats_key(text, "nr_throttled");
    s->cpu_throttled = ocirt__stats_key(text, "throttled_usec") * 1000;
}

static void ocirt__stats_raw(ocirt_arena *arena, char *text, ocirt_stats *s) {
    char *rest = NULL;
    size_t lines = 1;
    for (const char *at = text; at && *at; at++) lines += *at == '\n';
    s->memory_raw = ocirt__mem_array(arena, lines, sizeof *s->memory_raw);
    for (char *line = text && s->memory_raw ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        char *blank = strchr(line, ' ');
        if (!blank) continue;
        *blank = 0;
        s->memory_raw[s->memory_raw_count++] = (ocirt_pair){line, blank + 1};
    }
}

static void ocirt__stats_memory(ocirt_arena *arena, int dir, ocirt_stats *s) {
    char *text = ocirt__stats_file(arena, dir, "memory.stat"), *events = ocirt__stats_file(arena, dir, "memory.events");
    s->memory = ocirt__stats_number(dir, "memory.current"), s->memory_limit = ocirt__stats_number(dir, "memory.max");
    s->memory_peak = ocirt__stats_number(dir, "memory.peak"); /* 5.19 */
    s->memory_cache = ocirt__stats_key(text, "file");
    s->memory_failures = ocirt__stats_key(events, "max"), s->oom_kills = ocirt__stats_key(events, "oom_kill");
    s->swap = ocirt__stats_number(dir, "memory.swap.current"), s->swap_limit = ocirt__stats_number(dir, "memory.swap.max");
    ocirt__stats_raw(arena, text, s);
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6", a line for each device. */
static uint64_t ocirt__stats_io_number(const char *line, const char *key) {
    size_t n = strlen(key), end = strcspn(line, "\n");
    for (const char *at = strchr(line, ' '); at && at < line + end; at = strchr(at + 1, ' '))
        if (strncmp(at + 1, key, n) == 0 && at[1 + n] == '=') return strtoull(at + 2 + n, NULL, 10);
    return 0;
}

static void ocirt__stats_io(ocirt_arena *arena, int dir, ocirt_stats *s) {
    const char *text = ocirt__stats_file(arena, dir, "io.stat");
    size_t lines = 1;
    for (const char *at = text; at && *at; at++) lines += *at == '\n';
    s->io = ocirt__mem_array(arena, lines, sizeof *s->io);
    for (const char *line = s->io ? text : NULL; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
        uint64_t device[2];
        if (ocirt__path_numbers(line, device, 2) != 2) continue;
        s->io[s->io_count++] = (ocirt_io_stat){.major = (uint32_t)device[0], .minor = (uint32_t)device[1],
            .read_bytes = ocirt__stats_io_number(line, "rbytes"), .write_bytes = ocirt__stats_io_number(line, "wbytes"),
            .reads = ocirt__stats_io_number(line, "rios"), .writes = ocirt__stats_io_number(line, "wios")};
    }
}

/* The sizes are those of the files hugetlb.SIZE.max. */
static void ocirt__stats_huge_of(ocirt_arena *arena, int dir, const char *name, ocirt_stats *s) {
    size_t n = strlen(name);
    char   file[NAME_MAX + 16], size[32];
    ocirt_huge_stat *h = &s->huge[s->huge_count];
    if (s->huge_count == 16 || strncmp(name, "hugetlb.", 8) != 0 || n < 13 || n > 40 || strcmp(name + n - 4, ".max") != 0 || strchr(name + 8, '.') != name + n - 4) return;
    snprintf(size, sizeof size, "%.*s", (int)(n - 12), name + 8);
    *h = (ocirt_huge_stat){.size = ocirt__mem_text(arena, size, strlen(size))};
    snprintf(file, sizeof file, "hugetlb.%s.rsvd.current", size);
    h->usage = ocirt__stats_number(dir, file);
    snprintf(file, sizeof file, "hugetlb.%s.current", size);
    if (h->usage == 0) h->usage = ocirt__stats_number(dir, file);
    snprintf(file, sizeof file, "hugetlb.%s.events", size);
    h->failures = ocirt__stats_key(ocirt__stats_file(arena, dir, file), "max");
    s->huge_count += h->size != NULL;
}

static void ocirt__stats_huge(ocirt_arena *arena, int dir, ocirt_stats *s) {
    union {
        char     bytes[2048];
        uint64_t aligned;
    } buffer;
    long n;
    int  list = ocirt__sys_openat(dir, ".", O_RDONLY | O_DIRECTORY, 0);
    s->huge = ocirt__mem_array(arena, 17, sizeof *s->huge);
    while (s->huge && list >= 0 && (n = ocirt__sys_getdents(list, buffer.bytes, sizeof buffer.bytes)) > 0)
        for (long at = 0; at < n;) {
            const struct ocirt__dirent64 *e = (const void *)(buffer.bytes + at);
            at += e->size;
            ocirt__stats_huge_of(arena, dir, e->name, s);
        }
    ocirt__sys_close(&list);
}

/* "some avg10=0.12 avg60=0.00 avg300=0.00 total=42" */
static void ocirt__stats_pressure_line(const char *text, const char *word, ocirt_pressure_line *out) {
    uint64_t n[8];
    const char *line = text ? strstr(text, word) : NULL;
    if (!line || !(line = strstr(line, "avg10=")) || ocirt__path_numbers(line + 6, n, 2) != 2) return;
    out->avg10 = (uint32_t)(n[0] * 100 + n[1]);
    if ((line = strstr(line, "avg60=")) && ocirt__path_numbers(line + 6, n, 2) == 2) out->avg60 = (uint32_t)(n[0] * 100 + n[1]);
    if (line && (line = strstr(line, "avg300=")) && ocirt__path_numbers(line + 7, n, 2) == 2) out->avg300 = (uint32_t)(n[0] * 100 + n[1]);
    if (line && (line = strstr(line, "total="))) out->total = strtoull(line + 6, NULL, 10);
}

static void ocirt__stats_pressure(int dir, const char *file, ocirt_pressure *out) {
    char text[256];
    if (ocirt__path_read(dir, file, text, sizeof text) <= 0) return; /* CONFIG_PSI, or switched off */
    out->set = true;
    ocirt__stats_pressure_line(text, "some", &out->some);
    ocirt__stats_pressure_line(text, "full", &out->full);
}

static void ocirt__stats_read(ocirt_arena *arena, int dir, ocirt_stats *s) {
    memset(s, 0, sizeof *s);
    ocirt__stats_cpu(arena, dir, s);
    ocirt__stats_memory(arena, dir, s);
    ocirt__stats_io(arena, dir, s);
    ocirt__stats_huge(arena, dir, s);
    s->pids = ocirt__stats_number(dir, "pids.current"), s->pids_limit = ocirt__stats_number(dir, "pids.max");
    ocirt__stats_pressure(dir, "cpu.pressure", &s->cpu_pressure);
    ocirt__stats_pressure(dir, "memory.pressure", &s->memory_pressure);
    ocirt__stats_pressure(dir, "io.pressure", &s->io_pressure);
}

/* ----- as JSON: the members that runc writes, though v2 leaves many of them at zero ----- */

static void ocirt__stats_put_psi(ocirt__buffer *t, const ocirt_pressure *p) {
    const ocirt_pressure_line *lines[] = {&p->some, &p->full};
    if (!p->set) return;
    ocirt__buffer_text(t, ",\"psi\":{");
    for (int i = 0; i < 2; i++)
        ocirt__buffer_format(t, "%s\"%s\":{\"avg10\":%u.%02u,\"avg60\":%u.%02u,\"avg300\":%u.%02u,\"total\":%llu}", i ? "," : "", i ? "full" : "some",
                             lines[i]->avg10 / 100, lines[i]->avg10 % 100, lines[i]->avg60 / 100, lines[i]->avg60 % 100, lines[i]->avg300 / 100, lines[i]->avg300 % 100,
                             (unsigned long long)lines[i]->total);
    ocirt__buffer_text(t, "}");
}

static void ocirt__stats_put_usage(ocirt__buffer *t, const char *name, uint64_t limit, uint64_t usage, uint64_t peak, uint64_t failures) {
    ocirt__buffer_format(t, "\"%s\":{\"limit\":%llu,\"usage\":%llu,\"max\":%llu,\"failcnt\":%llu},", name, (unsigned long long)limit, (unsigned long long)usage,
                         (unsigned long long)peak, (unsigned long long)failures);
}

static void ocirt__stats_put_memory(ocirt__buffer *t, const ocirt_stats *s) {
    bool open = s->memory_limit == UINT64_MAX || s->swap_limit == UINT64_MAX;
    ocirt__buffer_format(t, ",\"memory\":{\"cache\":%llu,", (unsigned long long)s->memory_cache);
    ocirt__stats_put_usage(t, "usage", s->memory_limit, s->memory, s->memory_peak, s->memory_failures);
    ocirt__stats_put_usage(t, "swap", open ? UINT64_MAX : s->memory_limit + s->swap_limit, s->memory + s->swap, 0, 0); /* v1's: both */
    ocirt__stats_put_usage(t, "kernel", 0, 0, 0, 0);
    ocirt__stats_put_usage(t, "kernelTCP", 0, 0, 0, 0);
    ocirt__buffer_text(t, "\"raw\":{");
    for (size_t i = 0; i < s->memory_raw_count; i++) {
        if (i) ocirt__buffer_text(t, ",");
        ocirt__json_write_string(t, s->memory_raw[i].key);
        ocirt__buffer_format(t, ":%llu", strtoull(s->memory_raw[i].value, NULL, 10));
    }
    ocirt__buffer_text(t, "}");
    ocirt__stats_put_psi(t, &s->memory_pressure);
    ocirt__buffer_text(t, "}");
}

static void ocirt__stats_put_io(ocirt__buffer *t, const ocirt_stats *s) {
    static const char *const empty[] = {"ioQueueRecursive", "ioServiceTimeRecursive", "ioWaitTimeRecursive", "ioMergedRecursive", "ioTimeRecursive", "sectorsRecursive"};
    static const char *const names[] = {"ioServiceBytesRecursive", "ioServicedRecursive"};
    ocirt__buffer_text(t, ",\"blkio\":{");
    for (int k = 0; k < 2; k++) {
        ocirt__buffer_format(t, "%s\"%s\":[", k ? "," : "", names[k]);
        for (size_t i = 0; i < s->io_count; i++) {
            const ocirt_io_stat *d = &s->io[i];
            ocirt__buffer_format(t, "%s{\"major\":%u,\"minor\":%u,\"op\":\"Read\",\"value\":%llu},{\"major\":%u,\"minor\":%u,\"op\":\"Write\",\"value\":%llu}", i ? "," : "",
                                 d->major, d->minor, (unsigned long long)(k ? d->reads : d->read_bytes), d->major, d->minor, (unsigned long long)(k ? d->writes : d->write_bytes));
        }
        ocirt__buffer_text(t, "]");
    }
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) ocirt__buffer_format(t, ",\"%s\":[]", empty[i]);
    ocirt__stats_put_psi(t, &s->io_pressure);
    ocirt__buffer_text(t, "}");
}

static void ocirt__stats_put(ocirt__buffer *t, const ocirt_stats *s) {
    ocirt__buffer_format(t, "{\"cpu\":{\"usage\":{\"total\":%llu,\"percpu\":[],\"percpu_kernel\":[],\"percpu_user\":[],\"kernel\":%llu,\"user\":%llu},"
                            "\"throttling\":{\"periods\":%llu,\"throttledPeriods\":%llu,\"throttledTime\":%llu}",
                         (unsigned long long)s->cpu_total, (unsigned long long)s->cpu_kernel, (unsigned long long)s->cpu_user, (unsigned long long)s->cpu_periods,
                         (unsigned long long)s->cpu_throttled_periods, (unsigned long long)s->cpu_throttled);
    ocirt__stats_put_psi(t, &s->cpu_pressure);
    ocirt__buffer_text(t, "},\"cpuset\":{\"cpus\":[],\"cpu_exclusive\":0,\"mems\":[],\"mem_hardwall\":0,\"mem_exclusive\":0,\"memory_migrate\":0,"
                          "\"memory_spread_page\":0,\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_balance\":0,\"sched_relax_domain_level\":0}");
    ocirt__stats_put_memory(t, s);
    ocirt__buffer_format(t, ",\"pids\":{\"current\":%llu,\"limit\":%llu}", (unsigned long long)s->pids, (unsigned long long)(s->pids_limit == UINT64_MAX ? 0 : s->pids_limit));
    ocirt__stats_put_io(t, s);
    ocirt__buffer_text(t, ",\"hugetlb\":{");
    for (size_t i = 0; i < s->huge_count; i++)
        ocirt__buffer_format(t, "%s\"%s\":{\"usage\":%llu,\"max\":0,\"failcnt\":%llu}", i ? "," : "", s->huge[i].size, (unsigned long long)s->huge[i].usage,
                             (unsigned long long)s->huge[i].failures);
    ocirt__buffer_text(t, "},\"intel_rdt\":{},\"network_interfaces\":null}");
}

OCIRT_DEF int ocirt_stats_write(const ocirt_stats *stats, const char *id, ocirt_write_fn write, void *user) {
    ocirt_arena   arena = {0};
    ocirt__buffer t = {.arena = &arena};
    int r;
    ocirt__buffer_text(&t, "{\"type\":\"stats\",\"id\":");
    ocirt__json_write_string(&t, id);
    ocirt__buffer_text(&t, ",\"data\":");
    ocirt__stats_put(&t, stats);
    ocirt__buffer_text(&t, "}\n");
    r = t.failed ? -OCIRT_E_MEMORY : write(user, t.data, t.size);
    ocirt_arena_free(&arena);
    return r;
}

/* ===========================================================================================
   >>explain   after a failure: the message, its place in the config, the cause and the remedy.
   Looks at whatever it needs, changes nothing, and nothing depends on it. Texts that callers match
   on (podman, Docker, containerd, CRI-O) are exact and stand here alone.
   =========================================================================================== */

static void ocirt__explain_place(const ocirt_plan *plan, const struct ocirt__row *row, ocirt_error *e) {
    const struct ocirt__origin *from = row->origin ? ocirt__plan_data(plan, row->origin) : NULL;
    if (!from) return;
    e->line = (int)from->line, e->column = (int)from->column;
    snprintf(e->pointer, sizeof e->pointer, "%s", from->pointer);
    snprintf(e->file, sizeof e->file, "%s", ocirt__plan_text(plan, plan->file));
}

static void ocirt__explain_say(ocirt_error *e, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(e->message, sizeof e->message, format, list);
    va_end(list);
}

static long ocirt__explain_number(const char *path) {
    char text[32] = "";
    int  fd = ocirt__sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0) return -1;
    (void)ocirt__sys_read_all(fd, text, sizeof text - 1);
    ocirt__sys_close(&fd);
    return strtol(text, NULL, 10);
}

/* Which of the switches that forbid new namespaces is set. */
static void ocirt__explain_clone(ocirt_error *e, const struct ocirt__row *row) {
    static const struct {
        uint64_t    flag;
        const char *sysctl;
    } limits[] = {{OCIRT__CLONE_NEWUSER, "user"}, {OCIRT__CLONE_NEWNS, "mnt"}, {OCIRT__CLONE_NEWPID, "pid"}, {OCIRT__CLONE_NEWNET, "net"},
                  {OCIRT__CLONE_NEWIPC, "ipc"}, {OCIRT__CLONE_NEWUTS, "uts"}, {OCIRT__CLONE_NEWCGROUP, "cgroup"}, {OCIRT__CLONE_NEWTIME, "time"}};
    char path[80];
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        snprintf(path, sizeof path, "/proc/sys/user/max_%s_namespaces", limits[i].sysctl);
        if (row->x & limits[i].flag && ocirt__explain_number(path) == 0) {
            ocirt__error_hint(e, "%s namespaces are switched off: sysctl -w user.max_%s_namespaces=10000", limits[i].sysctl, limits[i].sysctl);
            return;
        }
    }
    if (row->x & OCIRT__CLONE_NEWUSER && ocirt__explain_number("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        ocirt__error_hint(e, "this kernel lets only root make user namespaces: sysctl -w kernel.unprivileged_userns_clone=1");
    else if (row->x & OCIRT__CLONE_NEWUSER && ocirt__explain_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        ocirt__error_hint(e, "AppArmor forbids user namespaces to unconfined programs: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give ocirt a profile");
    else if (e->sys == ENOSPC || e->sys == EUSERS)
        ocirt__error_hint(e, "a limit of namespaces is reached: see /proc/sys/user/max_*_namespaces and their nesting depth of 32");
    else if (e->sys == EAGAIN)
        ocirt__error_hint(e, "a limit of processes is reached: RLIMIT_NPROC, pids.max of a cgroup above, or kernel.pid_max");
    else if (e->sys == EPERM && row->x & OCIRT__CLONE_NEWUSER)
        ocirt__error_hint(e, "a seccomp filter or LSM around the runtime forbids new user namespaces, or the caller is chrooted");
    else if (e->sys == EPERM)
        ocirt__error_hint(e, "run as root, or add a user namespace to linux.namespaces");
}

/* A new procfs or sysfs in a user namespace needs the caller's own to be fully visible: names the mount
   that covers part of it (the kernel's mount_too_revealing). */
static bool ocirt__explain_covers(const char *target, const char *top) {
    size_t n = strlen(top);
    return strncmp(target, top, n) == 0 && target[n] == '/' && strncmp(target, "/sys/fs/", 8) != 0 && strncmp(target, "/sys/kernel/", 12) != 0 &&
           strcmp(target, "/proc/sys/fs/binfmt_misc") != 0;
}

static bool ocirt__explain_cover(ocirt_error *e, const char *top) {
    ocirt_arena arena = {0};
    char *text = ocirt__probe_file(&arena, "/proc/self/mountinfo"), *rest = NULL, target[256];
    bool  found = false;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && !found; line = strtok_r(NULL, "\n", &rest))
        found = ocirt__probe_mount_target(line, target, sizeof target) && ocirt__explain_covers(target, top);
    if (found) ocirt__error_hint(e, "the caller's own %s is partly covered (by a mount on %s), so the kernel refuses a fresh one in a user namespace; start the outer container with unmasked paths, or bind %s instead", top, target, top);
    ocirt_arena_free(&arena);
    return found;
}

/* The errno may be that of what stood in for the mount. */
static void ocirt__explain_source(ocirt_error *e, const char *source) {
    ocirt__explain_say(e, "bind source %s: no such file or directory", source);
    ocirt__error_hint(e, "the source is never created: make it, or correct the path (relative ones start at the bundle)");
}

static void ocirt__explain_root(ocirt_error *e, const char *path) {
    if (e->sys == ENOENT) ocirt__explain_say(e, "root file system %s: no such file or directory", path);
    if (e->sys == ENOTDIR) ocirt__explain_say(e, "root file system %s: not a directory", path);
    if (e->sys == ENOENT) ocirt__error_hint(e, "root.path starts at the bundle unless it is absolute; unpack or mount an image there");
}

static void ocirt__explain_mount(ocirt_error *e, const ocirt_plan *plan, const struct ocirt__row *row) {
    const struct ocirt__mount_row *m = ocirt__plan_data(plan, row->a);
    const char *type = ocirt__plan_text(plan, m->type), *source = ocirt__plan_text(plan, m->source);
    bool userns = plan->userns != 0, refused = userns && row->verb == OCIRT__VERB_MOUNT && (e->sys == EPERM || (e->sys == ENOENT && row[1].flags & OCIRT__ROW_ALTERNATE));
    if (refused && strcmp(type, "proc") == 0) {
        if (!plan->private_pids) ocirt__error_hint(e, "in a user namespace a procfs needs a new pid namespace (and so a fork): add {\"type\": \"pid\"} to linux.namespaces");
        else if (!ocirt__explain_cover(e, "/proc")) ocirt__error_hint(e, "the kernel refuses a fresh procfs in this user namespace, though nothing covers the caller's /proc: an LSM or an outer filter is likely");
    } else if (refused && strcmp(type, "sysfs") == 0) {
        if (!plan->private_net) ocirt__error_hint(e, "in a user namespace a sysfs needs a new network namespace: add {\"type\": \"network\"}, or bind /sys");
        else ocirt__explain_cover(e, "/sys");
    } else if (row->verb == OCIRT__VERB_BIND && e->sys == ENOENT && strcmp(e->object, source) == 0) {
        ocirt__explain_source(e, source);
    } else if (row->verb == OCIRT__VERB_MOUNT && strcmp(type, "devpts") == 0 && e->sys == EINVAL) {
        ocirt__error_hint(e, "gid=5 must be mapped in the user namespace: drop the option gid=, or map the gid");
    } else if (e->sys == ENODEV) {
        ocirt__error_hint(e, "this kernel has no file system of type %s (or its module is not loaded)%s", type,
                          strcmp(type, "bind") == 0 ? "; a bind mount is asked for with the option bind or rbind" : "");
    } else if (e->sys == EPERM && userns && row->verb == OCIRT__VERB_BIND) {
        ocirt__error_hint(e, "in a user namespace the flags of the source's mount are locked: do not clear ro, nosuid, nodev or noexec, and use rbind where the source has submounts");
    } else if (m->flags & OCIRT__MOUNT_COPY_UP && !e->object[0] && (e->sys == EACCES || e->sys == EINVAL)) {
        ocirt__error_hint(e, "tmpcopyup: something below the target may not be read here, or belongs to an id that the user namespace does not map");
    } else if (e->sys == EROFS) {
        ocirt__error_hint(e, "the target is missing and the file system it should be made in is read-only");
    }
}

/* The kernel gives one errno for six reasons (pivot_root(2)). */
static void ocirt__explain_pivot(ocirt_error *e) {
    if (e->sys == EINVAL) ocirt__error_hint(e, "the root is an initial ramfs, which cannot be pivoted away from: pass --no-pivot, or start from a tmpfs");
    else if (e->sys == EPERM) ocirt__error_hint(e, "pivot_root needs CAP_SYS_ADMIN in the user namespace that owns the mount namespace, or a filter forbids it");
    else ocirt__error_hint(e, "pivot_root refuses a root that is not a mount point or lies on the old root");
}

static void ocirt__explain_exec(ocirt_error *e, const char *name, const char *detail) {
    const char *text = strchr(detail, ':') ? strchr(detail, ':') + 1 : "";
    e->code = OCIRT_E_EXEC;
    if (strncmp(detail, "return:", 7) == 0 && e->sys == ENOENT) {
        ocirt__explain_say(e, "exec: \"%s\": no such file or directory", name);
        ocirt__error_hint(e, "the first line of the script ends in a carriage return, so its interpreter \"%s\\r\" is not found: save it with Unix line ends", text);
    } else if (strncmp(detail, "script:", 7) == 0 && (e->sys == ENOENT || e->sys == EACCES)) {
        ocirt__explain_say(e, "exec: \"%s\": %s", name, ocirt_errno_text(e->sys));
        ocirt__error_hint(e, "it is a script, and its interpreter %s is %s the container", text, e->sys == ENOENT ? "not in" : "not executable in");
    } else if (strncmp(detail, "loader:", 7) == 0 && e->sys == ENOENT) {
        ocirt__explain_say(e, "exec: \"%s\": no such file or directory", name);
        ocirt__error_hint(e, "it needs the dynamic loader %s, which is not in the container: add it and its libraries, or link statically", text);
    } else if (e->sys == ENOEXEC) {
        ocirt__explain_say(e, "exec %s: exec format error", name);
        if (strncmp(detail, "machine:", 8) == 0) ocirt__error_hint(e, "it is an ELF file for another architecture (machine %s)", text);
        else if (strncmp(detail, "loader:", 7) == 0) ocirt__error_hint(e, "it is an ELF file for another architecture");
        else ocirt__error_hint(e, "it is %s: a script must begin with #! and its interpreter", strncmp(detail, "empty:", 6) == 0 ? "an empty file" : "neither an ELF file nor a script");
    } else {
        ocirt__explain_say(e, "exec: \"%s\": %s", name, ocirt_errno_text(e->sys));
        if (e->sys == EACCES) ocirt__error_hint(e, "the file, or its file system (noexec), does not allow execution to this user");
        if (e->sys == E2BIG) ocirt__error_hint(e, "process.args and process.env together are too long");
    }
}

static void ocirt__explain_find(ocirt_error *e, const char *name, const char *search) {
    e->code = e->sys == ENOENT || e->sys == ENOTDIR ? OCIRT_E_EXEC_NOT_FOUND : OCIRT_E_EXEC;
    if (e->code == OCIRT_E_EXEC_NOT_FOUND) {
        ocirt__explain_say(e, "exec: \"%s\": executable file not found in $PATH: no such file or directory", name);
        if (strchr(name, '/')) ocirt__error_hint(e, "there is no such file in the container's root file system");
        else if (!search[0]) ocirt__error_hint(e, "process.env has no PATH, so process.args[0] must be a path");
        else ocirt__error_hint(e, "PATH in process.env is %.200s", search);
    } else if (e->sys == EISDIR) {
        ocirt__explain_say(e, "exec: \"%s\": is a directory: permission denied: the path `%s` is not a regular file: Operation not permitted", name, name);
    } else {
        ocirt__explain_say(e, "exec: \"%s\": permission denied", name);
        ocirt__error_hint(e, "the file is not executable for the container's user: check its mode, and noexec of its mount");
    }
}

static void ocirt__explain_map(ocirt_error *e) {
    if (e->sys != EPERM) return;
    ocirt__error_hint(e, "an ordinary user may map only the own id, and gid_map only after setgroups is denied; wider maps need newuidmap and newgidmap and ranges in /etc/subuid and /etc/subgid");
}

static void ocirt__explain_limit(ocirt_error *e, const char *file) {
    if (e->sys != ENOENT && strcmp(file, "rdma.max") == 0) ocirt__error_hint(e, "there is no such RDMA device: see /sys/class/infiniband");
    else if (e->sys == ENOENT && strncmp(file, "io.", 3) == 0) ocirt__error_hint(e, "no weights for block devices in this kernel: load the module bfq, or build it with CONFIG_BLK_CGROUP_IOCOST");
    else if (e->sys == ENOENT && strncmp(file, "hugetlb.", 8) == 0) ocirt__error_hint(e, "this machine has no pages of that size: see /sys/kernel/mm/hugepages");
    else if (e->sys == ENOENT) ocirt__error_hint(e, "this kernel has no such file in a cgroup");
    else if (e->sys == ENODEV || e->sys == ENXIO) ocirt__error_hint(e, "there is no such block device");
    else if (e->sys == EOPNOTSUPP && strncmp(file, "io.", 3) == 0) ocirt__error_hint(e, "the device has a scheduler without weights: write bfq to /sys/block/DEVICE/queue/scheduler");
    else if (e->sys == EINVAL && strcmp(file, "cpu.weight") == 0) ocirt__error_hint(e, "an idle cgroup has no weight: set cpu.idle to 0");
    else if (e->sys == EINVAL && strcmp(file, "cpu.max.burst") == 0) ocirt__error_hint(e, "the burst cannot be larger than the quota");
}

static void ocirt__explain_devices(ocirt_error *e) {
    if (e->sys == EINVAL || e->sys == ENOSYS) ocirt__error_hint(e, "device rules need a kernel with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF, and no filter around the runtime that hides bpf(2)");
    else if (e->sys == EPERM) ocirt__error_hint(e, "device rules need CAP_BPF (before 5.8 CAP_SYS_ADMIN) and CAP_NET_ADMIN in the first user namespace, no filter around the runtime that refuses bpf(2), and no program on a cgroup above that forbids more of them");
    else if (e->sys == E2BIG || e->sys == ENOSPC) ocirt__error_hint(e, "the rules are too many for this kernel's verifier");
}

static void ocirt__explain_apparmor(ocirt_error *e, const char *profile) {
    char enabled[8] = "";
    int  fd = ocirt__sys_openat(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", O_RDONLY, 0);
    if (fd >= 0) (void)ocirt__sys_read_all(fd, enabled, sizeof enabled - 1);
    ocirt__sys_close(&fd);
    if (enabled[0] != 'Y') ocirt__error_hint(e, "AppArmor is not enabled on this machine: leave apparmorProfile out, or boot with security=apparmor");
    else if (e->sys == ENOENT) ocirt__error_hint(e, "profile %s is not loaded: see /sys/kernel/security/apparmor/profiles, and load it with apparmor_parser", profile);
    else if (e->sys == EACCES || e->sys == EPERM) ocirt__error_hint(e, "the runtime is confined itself, and its profile may not change to %s", profile);
}

static void ocirt__explain_scope(ocirt_error *e, bool user) {
    if (e->sys == EACCES || e->sys == EPERM) ocirt__error_hint(e, "the bus or polkit does not let the caller start units of this systemd");
    else if (e->sys == EEXIST) ocirt__error_hint(e, "a unit of this name is active: `systemctl %sstop` it, or use another id", user ? "--user " : "");
    else if (e->sys == ENOENT || e->sys == ECONNREFUSED || e->sys == ENOTCONN)
        ocirt__error_hint(e, user ? "the user's systemd has to run (loginctl enable-linger), and XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS lead to its bus; else use the cgroupfs driver"
                                  : "systemd and its bus have to run; else use the cgroupfs driver");
}

static void ocirt__explain_enter(ocirt_error *e) {
    e->code = e->sys == ESRCH ? OCIRT_E_STATE : OCIRT_E_NAMESPACE;
    if (e->sys == ESRCH) ocirt__explain_say(e, "container not running: no such process");
    if (e->sys == EPERM) ocirt__error_hint(e, "the container is another user's, or it was made in another user namespace: exec from there");
}

/* The part that depends on the verb. */
static void ocirt__explain_row(ocirt_error *e, const ocirt_plan *plan, const struct ocirt__row *row, const char *detail) {
    const char *text = ocirt__plan_text(plan, row->a);
    switch (row->verb) {
    case OCIRT__VERB_CLONE:
    case OCIRT__VERB_CLONE_EXECUTE:
    case OCIRT__VERB_FORK:
    case OCIRT__VERB_UNSHARE: e->code = OCIRT_E_NAMESPACE; ocirt__explain_clone(e, row); break;
    case OCIRT__VERB_STAGE:
    case OCIRT__VERB_STAGE_EXECUTE:
        if (e->sys == EAGAIN) ocirt__error_hint(e, "a limit of processes is reached: RLIMIT_NPROC, pids.max of a cgroup above, or kernel.pid_max");
        if (e->sys == EPERM) ocirt__error_hint(e, "a seccomp filter or LSM around the runtime forbids it to start a process");
        break;
    case OCIRT__VERB_JOIN:
    case OCIRT__VERB_OPEN_NAMESPACE: e->code = OCIRT_E_NAMESPACE; break;
    case OCIRT__VERB_ENTER: ocirt__explain_enter(e); break;
    case OCIRT__VERB_IDS:
    case OCIRT__VERB_GROUPS:
        if (e->sys == EINVAL && plan->userns) ocirt__error_hint(e, "the container's user namespace does not map these ids: see /proc/self/uid_map and gid_map in it");
        break;
    case OCIRT__VERB_AFFINITY:
        if (e->sys == EINVAL) ocirt__error_hint(e, "none of these CPUs is there, or the container's cpuset has none of them");
        break;
    case OCIRT__VERB_WRITE_MAP:
    case OCIRT__VERB_RUN_MAPPER:
    case OCIRT__VERB_DENY_SETGROUPS: e->code = OCIRT_E_IDMAP; ocirt__explain_map(e); break;
    case OCIRT__VERB_CGROUP_MAKE:
    case OCIRT__VERB_CGROUP_WRITE:
    case OCIRT__VERB_CGROUP_DEVICES:
    case OCIRT__VERB_START_SCOPE:
        e->code = OCIRT_E_CGROUP;
        if (row->verb == OCIRT__VERB_START_SCOPE) ocirt__explain_scope(e, plan->user_manager);
        if (row->verb == OCIRT__VERB_CGROUP_WRITE) ocirt__explain_limit(e, text);
        if (row->verb == OCIRT__VERB_CGROUP_DEVICES) ocirt__explain_devices(e);
        break;
    case OCIRT__VERB_MOUNT:
    case OCIRT__VERB_BIND: e->code = OCIRT_E_MOUNT; ocirt__explain_mount(e, plan, row); break;
    case OCIRT__VERB_MOVE_ROOT: e->code = OCIRT_E_MOUNT; break;
    case OCIRT__VERB_PIVOT: e->code = OCIRT_E_MOUNT; ocirt__explain_pivot(e); break;
    case OCIRT__VERB_OPEN_TREE:
        e->code = OCIRT_E_MOUNT;
        if (strcmp(text, ocirt__plan_text(plan, plan->rootfs)) == 0) ocirt__explain_root(e, text);
        else if (e->sys == ENOENT) ocirt__explain_source(e, text);
        break;
    case OCIRT__VERB_ROOT:
    case OCIRT__VERB_ENTER_ROOT:
    case OCIRT__VERB_PLAIN_ROOT:
        e->code = OCIRT_E_MOUNT;
        ocirt__explain_root(e, text);
        break;
    case OCIRT__VERB_HOOKS:
        e->code = row->x && e->sys == ETIMEDOUT ? OCIRT_E_TIMEOUT : OCIRT_E_HOOK;
        ocirt__explain_say(e, "%s %s", text, detail);
        break;
    case OCIRT__VERB_CWD:
        e->code = OCIRT_E_EXEC;
        if (e->sys == EROFS) {
            e->code = OCIRT_E_SPEC;
            ocirt__explain_say(e, "cwd %s is not in the container and cannot be made: read-only file system", text);
            ocirt__error_hint(e, "make the folder in the root file system, or set root.readonly to false");
        }
        if (e->sys == ENOENT) ocirt__explain_say(e, "chdir to cwd (\"%s\") no such file or directory: chdir to `%s`: No such file or directory", text, text);
        break;
    case OCIRT__VERB_FIND_PROGRAM: ocirt__explain_find(e, text, ocirt__plan_text(plan, plan->path)); break;
    case OCIRT__VERB_EXEC: ocirt__explain_exec(e, text, detail); break;
    case OCIRT__VERB_MKNOD:
        if (e->sys == EEXIST) ocirt__error_hint(e, "the image has another file at this path: remove it, or mount a tmpfs on /dev");
        break;
    case OCIRT__VERB_SYSCTL:
        if (e->sys == ENOENT) ocirt__error_hint(e, "this kernel has no such sysctl in the container's namespaces");
        break;
    case OCIRT__VERB_RESCTRL_GROUP:
        if (e->sys == ENODEV) ocirt__error_hint(e, "mount it (mount -t resctrl resctrl /sys/fs/resctrl); the processor must have RDT, and the kernel CONFIG_X86_CPU_RESCTRL");
        if (e->sys == ENOENT) ocirt__error_hint(e, "a closID without schemata names a group that is there already");
        if (e->sys == EEXIST) ocirt__error_hint(e, "make its schemata and the config's the same, or use another closID");
        if (e->sys == ENOSPC) ocirt__error_hint(e, "the processor has no more classes of service (info/*/num_closids)");
        break;
    case OCIRT__VERB_RESCTRL_WRITE:
        if (e->sys == EINVAL) ocirt__error_hint(e, "the kernel's words are in info/last_cmd_status of the resctrl");
        break;
    case OCIRT__VERB_MOVE_DEVICE:
        if (e->sys == ENODEV) ocirt__error_hint(e, "the caller's network namespace has no device of this name: see `ip link`");
        break;
    case OCIRT__VERB_APPARMOR: ocirt__explain_apparmor(e, text); break;
    case OCIRT__VERB_LABEL:
        if (e->sys == EINVAL) ocirt__error_hint(e, "the loaded policy does not know this label");
        if (e->sys == EACCES) ocirt__error_hint(e, "the policy forbids the runtime's own domain to set this label");
        break;
    case OCIRT__VERB_LISTENER:
        if (e->sys == ENOENT || e->sys == ECONNREFUSED) ocirt__error_hint(e, "the agent that answers SCMP_ACT_NOTIFY has to listen on listenerPath (a stream socket) before the container is created");
        break;
    case OCIRT__VERB_SECCOMP:
        if (e->sys == EACCES) ocirt__error_hint(e, "without noNewPrivileges a filter takes CAP_SYS_ADMIN, which the caller lacks");
        if (e->sys == EINVAL) ocirt__error_hint(e, "this kernel does not know one of linux.seccomp.flags (`ocirt features` names those it does), or was built without seccomp filters");
        if (e->sys == EBUSY) ocirt__error_hint(e, "there is a listener already, of a filter around the runtime");
        break;
    case OCIRT__VERB_LANDLOCK:
        if (e->sys == ENOSYS || e->sys == EOPNOTSUPP) ocirt__error_hint(e, "this kernel has no Landlock, or it is not among its security modules (lsm=landlock,...): leave the annotations out");
        if (e->sys == ENOENT) ocirt__error_hint(e, "there is no such path in the container: correct the annotation");
        break;
    case OCIRT__VERB_SCHEDULER:
        if (e->sys == EPERM) ocirt__error_hint(e, "a real-time or deadline policy, or a lower nice value, needs CAP_SYS_NICE; a deadline needs all CPUs of the machine too (no cpuset)");
        if (e->sys == EBUSY) ocirt__error_hint(e, "the machine has no bandwidth left for this deadline: see /proc/sys/kernel/sched_rt_runtime_us");
        break;
    case OCIRT__VERB_IO_PRIORITY:
        if (e->sys == EPERM) ocirt__error_hint(e, "IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN");
        break;
    case OCIRT__VERB_MEMORY_POLICY:
        if (e->sys == EINVAL) ocirt__error_hint(e, "a node of the list has no memory or is not allowed here (/sys/devices/system/node/has_memory), or this kernel lacks the mode");
        if (e->sys == ENOSYS) ocirt__error_hint(e, "this kernel was built without NUMA: leave memoryPolicy out");
        break;
    case OCIRT__VERB_RLIMIT:
        if (e->sys == EPERM) ocirt__error_hint(e, "raising a hard limit needs CAP_SYS_RESOURCE: the caller's own hard limit is the most it can give");
        break;
    default: break;
    }
}

/* What init does behind that row, it does under the profile. */
static void ocirt__explain_filter(const ocirt_plan *plan, uint32_t index, ocirt_error *e) {
    for (uint32_t i = 0; i < index && !e->hint[0]; i++)
        if (ocirt__plan_row(plan, i)->verb == OCIRT__VERB_SECCOMP && ocirt__plan_row(plan, index)->actor == OCIRT_ACTOR_INIT)
            ocirt__error_hint(e, "the filter of linux.seccomp is in force before this step%s: allow the call", ocirt__plan_row(plan, i)->y & 2 ? "" : ", since noNewPrivileges is not set");
}

/* A failure of row `index`: negative errno and the words the actor left. */
static int ocirt__explain(const ocirt_plan *plan, int index, int error, const char *detail, ocirt_error *e) {
    const struct ocirt__row *row = ocirt__plan_row(plan, (uint32_t)index);
    ocirt_arena   arena = {0};
    ocirt__buffer text  = {.arena = &arena};
    bool told;
    if (!e) return -OCIRT_E_SYSTEM;
    ocirt__plan_row_text(&text, plan, row);
    ocirt__error_set(e, OCIRT_E_SYSTEM, 0, detail, "%s", text.size ? text.data : "");
    told = detail[0] && row->verb != OCIRT__VERB_EXEC;
    ocirt__explain_say(e, "%s: %s%s%s", text.size ? text.data : "", told ? detail : "", told ? ": " : "", ocirt_errno_text(-error));
    e->sys = -error, e->row = index, e->actor = row->actor;
    ocirt__explain_place(plan, row, e);
    ocirt__explain_row(e, plan, row, detail);
    ocirt__explain_filter(plan, (uint32_t)index, e);
    ocirt_arena_free(&arena);
    return -e->code;
}

/* If the container's memory limit was met, it is the cause. `event`: of memory.events. */
static void ocirt__explain_memory(struct ocirt__host *h, ocirt_error *e, const char *event, const char *what, uint32_t row) {
    ocirt__buffer text = {.arena = h->arena};
    uint64_t times = 0;
    int      cgroup = ocirt__cgroup_outer(h->scope, h->actor.slots[OCIRT__SLOT_CGROUP]);
    if (!e || cgroup < 0 || ocirt__cgroup_event(cgroup, "memory.events", event, &times) < 0 || times == 0) return;
    e->code = OCIRT_E_LIMIT;
    ocirt__plan_row_text(&text, h->actor.plan, ocirt__plan_row(h->actor.plan, row));
    ocirt__explain_say(e, "%s by the container's memory limit during: %s", what, text.size ? text.data : "");
    ocirt__error_hint(e, "linux.resources.memory.limit is too small to start a process: raise it");
}

/* A child that ended without a word: signal or status, the row it was at, and the likely hand. */
static int ocirt__explain_lost(struct ocirt__host *h, ocirt_error *e) {
    unsigned who = h->actor.page->init_pid > 0 ? OCIRT_ACTOR_INIT : OCIRT_ACTOR_STAGE;
    uint32_t index = h->actor.page->current[who] < h->actor.plan->rows_count ? h->actor.page->current[who] : 0;
    ocirt__buffer text = {.arena = h->arena};
    char     gone[2];
    ocirt__plan_row_text(&text, h->actor.plan, ocirt__plan_row(h->actor.plan, index));
    if (!e) return -OCIRT_E_LOST;
    if (!h->dead && h->pidfd >= 0) { /* its descriptors are closed a little before its end can be waited for */
        ocirt__sys_pidfd_signal(h->pidfd, SIGKILL);
        h->dead = ocirt__sys_reap(h->pidfd, &h->end) == 0;
    }
    ocirt__error_set(e, OCIRT_E_LOST, 0, "", "%s was ended by %s %d during: %s", who != OCIRT_ACTOR_INIT ? "the stage" : h->actor.plan->container_pid ? "the new process" : "the container's init",
                     h->end.si_code == CLD_EXITED ? "exit status" : "signal", h->end.si_status, text.size ? text.data : "");
    e->row = (int)index, e->actor = (int)who;
    ocirt__explain_place(h->actor.plan, ocirt__plan_row(h->actor.plan, index), e);
    if (h->end.si_status == SIGSYS) ocirt__explain_filter(h->actor.plan, index, e);
    ocirt__explain_memory(h, e, "oom_kill", "killed", index);
    if (h->end.si_status == SIGKILL && h->scoped && ocirt__path_read(h->actor.slots[OCIRT__SLOT_CGROUP], "cgroup.events", gone, sizeof gone) < 0)
        ocirt__error_hint(e, "systemd has removed its cgroup and what was counted there, so the cause can be a linux.resources.memory.limit that is too small: see the kernel's log");
    return -e->code;
}

/* ===========================================================================================
   >>ops   the public operations on containers.
   What create makes is undone by one routine, whichever step failed; delete is the same routine,
   fed from the stored state, so that it works after a SIGKILL of the runtime at any moment.
   =========================================================================================== */

struct ocirt__job { /* one create, run, exec or restore */
    ocirt_arena          arena;
    ocirt_probe          probe;
    struct ocirt__host   host;
    struct ocirt__record record;
    const ocirt_options *options;
    const char          *id;
    int                  root, proc;
    int                  console, watcher; /* connections that get the terminal, and the pidfd */
    const char          *pidfd_socket;     /* where the watcher listens */
    int                  notify;           /* socket of >>notify */
    bool                 notifies;         /* the container has its folder */
    unsigned             filled; /* bit n: descriptor n is our stand-in */
    ocirt_error         *error;
};

static const ocirt_options ocirt__ops_defaults;

static const ocirt_options *ocirt__ops_options(const ocirt_options *options) {
    return options ? options : &ocirt__ops_defaults;
}

/* ----- undo ----- */

/* What has to be taken back, from memory or from the stored state. */
struct ocirt__undo {
    int         proc, root, dir;
    const char *id, *cgroup_mount, *cgroup, *resctrl, *scope;
    uint64_t    levels;
    bool        resctrl_made, resctrl_monitor, user_manager, scope_gone;
    int         pidfd; /* of init, borrowed */
    bool        ours;  /* init is our child and reaped by the caller */
    bool        ended; /* with it ended all processes of its pid namespace */
    int64_t     limit_ms;
    ocirt_plan *plan;  /* for the poststop hooks, or NULL */
};

/* Every process of the container: by its cgroup if it has one of its own, else by its init. */
static int ocirt__ops_kill_all(const struct ocirt__undo *u) {
    struct pollfd gone = {.fd = u->pidfd, .events = POLLIN};
    int root, dir = ocirt__state_cgroup(u->cgroup_mount, u->cgroup, &root), r = 0;
    if (dir >= 0) r = ocirt__cgroup_kill(dir);
    if (u->pidfd >= 0) (void)ocirt__sys_pidfd_signal(u->pidfd, SIGKILL);
    if (u->pidfd >= 0 && !u->ours && ocirt__sys_poll(&gone, 1, u->limit_ms) == 0) r = -ETIMEDOUT;
    ocirt__sys_close(&dir);
    ocirt__sys_close(&root);
    return r == -ENOENT || r == -ENODEV ? 0 : r;
}

static int ocirt__ops_remove_cgroup(const struct ocirt__undo *u, int64_t limit_ms) {
    int r, root;
    if (!u->cgroup[0] || !u->cgroup_mount[0]) return 0;
    root = ocirt__sys_openat(AT_FDCWD, u->cgroup_mount, O_PATH | O_DIRECTORY, 0);
    r = root < 0 ? root : ocirt__cgroup_remove(root, u->cgroup, (unsigned)u->levels, limit_ms);
    ocirt__sys_close(&root);
    return r;
}

/* A failing poststop hook is logged by nobody and stops nobody: the container is gone (runtime.md). */
static void ocirt__ops_poststop(const struct ocirt__undo *u) {
    char detail[256];
    const struct ocirt__row *row;
    if (!u->plan || !u->plan->poststop_row) return;
    row = ocirt__plan_row(u->plan, u->plan->poststop_row);
    for (uint32_t i = 0; i < row->n; i++) {
        struct ocirt__row one = *row;
        one.b += i * (uint32_t)sizeof(struct ocirt__hook_row), one.n = 1;
        (void)ocirt__hooks_run(u->plan, &one, 0, detail, sizeof detail);
    }
}

/* Before its cgroup is removed, or systemd would not learn that it is thawed. If systemd cannot be asked it forgets the
   scope by itself sooner or later, and one that has failed is reset when it is needed again. */
static void ocirt__ops_stop_scope(const struct ocirt__undo *u) {
    ocirt_arena arena = {0};
    char   detail[256] = "";
    struct ocirt__bus bus = {.fd = -1, .arena = &arena, .detail = detail, .rootless = u->user_manager, .limit_ms = u->limit_ms};
    if (u->scope[0] && !u->scope_gone) (void)ocirt__systemd_thaw(&bus, u->scope);
    if (u->scope[0]) (void)(u->scope_gone ? ocirt__systemd_forget : ocirt__systemd_stop)(&bus, u->scope);
    ocirt__systemd_close(&bus);
    ocirt_arena_free(&arena);
}

static int ocirt__ops_undo(const struct ocirt__undo *u, ocirt_error *error) {
    int r = u->ended && !u->scope[0] ? ocirt__ops_remove_cgroup(u, 0) : -EBUSY;
    if (r < 0 && (r = ocirt__ops_kill_all(u)) != -ETIMEDOUT) {
        ocirt__ops_stop_scope(u);
        r = ocirt__ops_remove_cgroup(u, u->limit_ms);
    }
    if (r < 0) {
        ocirt__error_set(error, r == -ETIMEDOUT || r == -EBUSY ? OCIRT_E_BUSY : OCIRT_E_CGROUP, -r, u->cgroup, "cannot remove container %s (cgroup %s)", u->id,
                         u->cgroup[0] ? u->cgroup : "none");
        ocirt__error_hint(error, "a process in uninterruptible sleep can hold it: see cgroup.procs there; delete --force again goes on from here");
        return error ? -error->code : -OCIRT_E_BUSY;
    }
    if (u->resctrl[0] && (r = ocirt__resctrl_remove(u->resctrl, u->id, u->resctrl_monitor, u->resctrl_made)) < 0)
        return ocirt__error_set(error, OCIRT_E_SYSTEM, -r, u->resctrl, "cannot remove the resctrl group of container %s", u->id);
    r = ocirt__state_remove(u->root, u->id, u->dir);
    ocirt__ops_poststop(u);
    return r == 0 || r == -ENOENT ? 0 : ocirt__error_set(error, OCIRT_E_IO, -r, u->id, "state folder of %s", u->id);
}

/* ----- create and run ----- */

static void ocirt__ops_close(struct ocirt__job *job) {
    struct ocirt__host *h = &job->host;
    int *fds[] = {&h->state_dir, &h->cgroup_root, &h->scope, &h->conversation, &h->pidfd, &h->stage_pidfd, &h->terminal, &h->page_file, &h->image, &h->resctrl, &h->network.outside, &h->network.inside, &job->console, &job->watcher, &job->notify, &job->root, &job->proc};
    if (h->actor.plan)
        for (unsigned i = 0; i < OCIRT__PLAN_SLOTS; i++)
            if (i != OCIRT__SLOT_PROC) ocirt__sys_close(&h->actor.slots[i]);
    if (h->state_dir >= 0) ocirt__sys_flock(h->state_dir, LOCK_UN); /* a forked copy of the caller may hold it open */
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) ocirt__sys_close(fds[i]);
    for (int n = 0; n < 3; n++)
        if (job->filled >> n & 1) OCIRT__SYS1(SYS_close, n);
    if (h->actor.page) munmap(h->actor.page, sizeof *h->actor.page);
    ocirt_arena_free(&job->arena);
}

static struct ocirt__undo ocirt__ops_undo_of(struct ocirt__job *job) {
    const ocirt_plan *plan = job->host.actor.plan;
    bool entered = job->host.actor.slots[OCIRT__SLOT_CGROUP] >= 0; /* else it is somebody else's, or was not made */
    ocirt__state_own_scope(&job->record);
    return (struct ocirt__undo){.proc = job->proc, .root = job->root, .dir = job->host.state_dir, .id = job->id, .pidfd = -1, .ours = true,
                                .cgroup_mount = job->probe.cgroup_mount, .cgroup = !entered || job->record.scope_gone ? "" : plan->scope ? job->host.cgroup : ocirt__plan_text(plan, plan->cgroup),
                                .scope = job->host.scoped ? ocirt__plan_text(plan, plan->scope) : "", .scope_gone = job->record.scope_gone, .user_manager = job->record.user_manager,
                                .resctrl = job->record.resctrl, .resctrl_made = job->record.resctrl_made, .resctrl_monitor = job->record.resctrl_monitor,
                                .levels = job->record.cgroup_levels, .limit_ms = 10000, .plan = job->host.actor.plan, .ended = job->host.dead && plan->private_pids};
}

/* A failure goes to `error`, NULL where another one is on its way to the caller. */
static int ocirt__ops_take_back(struct ocirt__job *job, ocirt_error *error) {
    struct ocirt__undo u = ocirt__ops_undo_of(job);
    ocirt__spawn_kill(&job->host);
    for (unsigned i = OCIRT__SLOT_CGROUP; i < OCIRT__PLAN_SLOTS; i++) ocirt__sys_close(&job->host.actor.slots[i]);
    return ocirt__ops_undo(&u, error);
}

/* By `start`, and by a `delete` that finds hooks to run. */
static bool ocirt__ops_plan_is_needed(const struct ocirt__job *job) {
    const ocirt_plan *plan = job->host.actor.plan;
    return plan->await_row || plan->poststop_row || job->options->flags & (OCIRT_DETACH | OCIRT_KEEP);
}

/* One of our name that is not ours must not be removed by delete. */
static bool ocirt__ops_resctrl_exists(const char *name, const char *monitored) {
    int  root = ocirt__resctrl_open(), group = root < 0 ? root : ocirt__resctrl_group(root, name);
    int  folder = group < 0 || !monitored ? -1 : ocirt__sys_openat(group, "mon_groups", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    int  own = folder < 0 ? -1 : ocirt__sys_openat(folder, monitored, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    bool exists = (monitored ? own : group) >= 0;
    ocirt__sys_close(&own);
    ocirt__sys_close(&folder);
    ocirt__sys_close(&group);
    ocirt__sys_close(&root);
    return exists;
}

/* A stopped container's cgroup is still its own: its delete would kill who came into it. */
static int ocirt__ops_has_cgroup(void *user, const ocirt_state *other) {
    const struct ocirt__record *r = user;
    return strcmp(other->id, r->id) != 0 && strcmp(other->cgroup, r->cgroup) == 0 ? -EBUSY : 0;
}

static int ocirt__ops_cgroup_in_use(struct ocirt__job *job, const ocirt_spec *spec) {
    char detail[96];
    int  dir = ocirt__path_exact(job->host.cgroup_root, job->record.cgroup + strspn(job->record.cgroup, "/"), O_RDONLY | O_DIRECTORY);
    int  r = dir < 0 ? 0 : ocirt__cgroup_usable(dir, detail, sizeof detail);
    ocirt__sys_close(&dir);
    if (r == 0 && (r = ocirt_list(job->options, ocirt__ops_has_cgroup, &job->record, NULL)) == -EBUSY) snprintf(detail, sizeof detail, "another container has it: delete that one first");
    if (r != -EBUSY) return 0;
    ocirt__error_set(job->error, OCIRT_E_CGROUP, -r, job->record.cgroup, "make-cgroup %s: %s", job->record.cgroup, detail);
    if (spec->document && spec->linux_) ocirt__error_place(job->error, spec->document, ocirt__json_member(spec->document, spec->linux_->token, "cgroupsPath"));
    return r;
}

/* Levels of the cgroup that are the container's: the scope, and the one below it. */
static unsigned ocirt__ops_levels(const ocirt_plan *plan) {
    return 1u + (ocirt__plan_text(plan, plan->below_scope)[0] != 0);
}

/* State first, on disk, so that a killed create can be taken back by delete. */
static int ocirt__ops_write_state(struct ocirt__job *job, const ocirt_spec *spec) {
    const ocirt_plan *plan = job->host.actor.plan;
    ocirt__buffer text = {.arena = &job->arena};
    char *now = ocirt__mem_alloc(&job->arena, 96);
    int   r;
    if (!now) return ocirt__error_set(job->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    ocirt__error_time(now);
    job->record = (struct ocirt__record){.id = job->id, .bundle = ocirt__plan_text(plan, plan->bundle), .rootfs = ocirt__plan_text(plan, plan->rootfs),
        .created = now, .scope = "", .user_manager = plan->user_manager, .old_keyring = job->options->flags & OCIRT_WITHOUT_KEYRING, .cgroup = ocirt__plan_text(plan, plan->cgroup), .cgroup_mount = plan->cgroup ? job->probe.cgroup_mount : "",
        .resctrl = ocirt__plan_text(plan, plan->resctrl), .resctrl_made = plan->resctrl_made, .resctrl_monitor = plan->resctrl_monitor,
        .owner = geteuid(), .private_pids = plan->private_pids, .annotations = spec->annotations, .annotations_count = spec->annotations_count};
    if (plan->cgroup) {
        job->host.cgroup_root = ocirt__sys_openat(AT_FDCWD, job->probe.cgroup_mount, O_PATH | O_DIRECTORY, 0);
        r = job->host.cgroup_root < 0 ? job->host.cgroup_root : ocirt__cgroup_levels_missing(job->host.cgroup_root, job->record.cgroup);
        if (r == 0 && ocirt__ops_cgroup_in_use(job, spec) < 0) return -OCIRT_E_CGROUP; /* before it is on record as ours */
        if (r < 0) return ocirt__error_set(job->error, OCIRT_E_CGROUP, -r, job->record.cgroup, "cgroup %s", job->record.cgroup);
        job->record.cgroup_levels = job->host.cgroup_missing = plan->scope ? ocirt__ops_levels(plan) : (unsigned)r;
        job->host.actor.page->old_cgroup = r == 0;
    }
    if ((plan->resctrl_made && ocirt__ops_resctrl_exists(job->id, NULL)) || (plan->resctrl_monitor && ocirt__ops_resctrl_exists(job->record.resctrl, job->id)))
        return ocirt__error_set(job->error, OCIRT_E_EXISTS, 0, job->id, "a resctrl group named %s exists already", job->id);
    if (plan->scope) job->record.cgroup = ""; /* a guess, and nothing there is ours yet */
    ocirt__state_text(&text, &job->record);
    r = text.failed ? -ENOMEM : ocirt__state_put(job->host.state_dir, "state.json", text.data, text.size);
    if (r == 0) r = ocirt__state_put_config(&job->arena, job->host.state_dir, spec);
    if (r == 0 && job->notifies) r = ocirt__sys_mkdirat(job->host.state_dir, "notify", 0755);
    if (r == 0 && job->notifies) r = (int)OCIRT__SYS3(SYS_fchmodat, job->host.state_dir, "notify", 0755); /* whatever the umask is */
    if (r == 0 && job->notifies && job->options->flags & OCIRT_OF_RUN) r = job->notify = ocirt__notify_bind(job->host.state_dir);
    if (r > 0) r = 0;
    if (r == 0 && ocirt__ops_plan_is_needed(job)) r = ocirt__state_put(job->host.state_dir, "plan", plan, plan->size);
    return r == 0 ? 0 : ocirt__error_set(job->error, OCIRT_E_IO, -r, "state.json", "writing the state of %s", job->id);
}

static int ocirt__ops_prepare_host(struct ocirt__job *job, ocirt_plan *plan) {
    struct ocirt__host *h = &job->host;
    int r = 0;
    struct winsize size;
    h->arena = &job->arena, h->probe = &job->probe, h->stage_image = job->options->stage;
    h->actor.plan = plan, h->actor.slots = plan->slots, h->actor.who = OCIRT_ACTOR_HOST;
    h->actor.slots[OCIRT__SLOT_PROC] = job->proc;
    if (plan->stage >= OCIRT__STAGE_EXECUTED) r = h->page_file = ocirt__hooks_memory("ocirt-page");
    if (r >= 0 && h->page_file >= 0) r = (int)OCIRT__SYS2(SYS_ftruncate, h->page_file, sizeof *h->actor.page);
    h->actor.page = r < 0 ? MAP_FAILED
                          : mmap(NULL, sizeof *h->actor.page, PROT_READ | PROT_WRITE, h->page_file < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, h->page_file, 0);
    if (h->actor.page == MAP_FAILED) {
        h->actor.page = NULL;
        return ocirt__error_set(job->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    }
    for (unsigned who = 0; who < 3; who++) h->actor.page->reports[who].row = -1;
    h->actor.page->timed  = job->options->trace != NULL;
    if (plan->terminal && job->options->flags & OCIRT_FORWARD && ocirt__console_outer(&size) >= 0 && size.ws_row && size.ws_col)
        plan->tty_rows = size.ws_row, plan->tty_columns = size.ws_col; /* from the program's first instruction on */
    return 0;
}

/* A standard descriptor that the caller has closed would be taken by one of ours: the null device,
   and only the real one, stands in, for the container too. */
static int ocirt__ops_fill_standard(struct ocirt__job *job) {
    struct ocirt__statx st;
    for (int n = 0; n < 3; n++) {
        int fd;
        if (OCIRT__SYS3(SYS_fcntl, n, F_GETFD, 0) != -EBADF) continue;
        fd = ocirt__sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_NOFOLLOW | O_NOCTTY, 0);
        if (fd != n || ocirt__sys_fstatx(fd, &st) < 0 || !S_ISCHR(st.mode) || st.rdev_major != 1 || st.rdev_minor != 3) {
            ocirt__sys_close(&fd);
            return ocirt__error_set(job->error, OCIRT_E_IO, ENXIO, "/dev/null", "descriptor %d is closed, and /dev/null is not the null device", n);
        }
        OCIRT__SYS3(SYS_fcntl, n, F_SETFD, 0);
        job->filled |= 1u << n;
    }
    return 0;
}

static int ocirt__ops_reach_one(struct ocirt__job *job, const char *path, const char *option, int *out) {
    int r = path ? *out = ocirt__path_connect(path) : 0;
    if (r >= 0) return 0;
    ocirt__error_set(job->error, OCIRT_E_IO, -r, path, "%s %s", option, path);
    ocirt__error_hint(job->error, "the caller has to listen there, on a stream socket, before ocirt is called");
    return -OCIRT_E_IO;
}

/* Whoever is to have the terminal or the pidfd is asked first: nothing is made for one that is not there. */
static int ocirt__ops_reach(struct ocirt__job *job, const ocirt_spec *spec) {
    int r = ocirt__ops_reach_one(job, job->options->console_socket, "console socket", &job->console);
    job->pidfd_socket = job->options->pidfd_socket;
    for (size_t i = 0; spec && !job->pidfd_socket && i < spec->annotations_count; i++)
        if (strcmp(spec->annotations[i].key, "run.oci.pidfd_receiver") == 0) job->pidfd_socket = spec->annotations[i].value;
    return r < 0 ? r : ocirt__ops_reach_one(job, job->pidfd_socket, "pidfd socket", &job->watcher);
}

/* The folder of the socket among the mounts, and where it is in the environment. */
static int ocirt__ops_add_notify(struct ocirt__job *job, const ocirt_spec **spec) {
    static const char *const options[] = {"bind", "nosuid", "nodev", "noexec", "ro"};
    char path[PATH_MAX], here[PATH_MAX] = "";
    struct {
        ocirt_spec    spec;
        ocirt_process process;
    } *own = ocirt__mem_alloc(&job->arena, sizeof *own);
    const ocirt_spec *from = *spec;
    ocirt_mount *mounts = ocirt__mem_array(&job->arena, from->mounts_count + 1, sizeof *mounts);
    const char **env = from->process ? ocirt__mem_array(&job->arena, from->process->env.count + 1, sizeof *env) : NULL;
    int r = ocirt__state_path(job->options, path, job->error);
    if (r < 0 || !from->process || !from->linux_ || !ocirt__spec_has_namespace(from->linux_, OCIRT__CLONE_NEWNS, true)) return r;
    if (path[0] != '/' && OCIRT__SYS2(SYS_getcwd, here, sizeof here - 1) > 0) strcat(here, "/");
    if (!own || !mounts || !env) return ocirt__error_set(job->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    for (size_t i = 0; i < from->mounts_count; i++) mounts[i] = from->mounts[i];
    for (size_t i = 0; i < from->process->env.count; i++) env[i] = from->process->env.items[i];
    own->spec = *from, own->process = *from->process, own->spec.process = &own->process, own->spec.mounts = mounts;
    mounts[own->spec.mounts_count++] = (ocirt_mount){.destination = OCIRT__NOTIFY_FOLDER, .type = "bind", .source = ocirt__mem_format(&job->arena, "%s%s/%s/notify", here, path, job->id),
                                                     .options = {.items = (const char **)(uintptr_t)options, .count = 5}};
    env[own->process.env.count++] = "NOTIFY_SOCKET=" OCIRT__NOTIFY_FOLDER "/notify.sock";
    own->process.env.items = env;
    *spec = &own->spec, job->notifies = true;
    return 0;
}

static int ocirt__ops_begin(struct ocirt__job *job, const ocirt_spec *spec, const char *bundle) {
    ocirt_plan *plan = NULL;
    int r = ocirt__state_check_id(job->id, job->error);
    if (r == 0) r = ocirt__ops_fill_standard(job);
    if (r == 0) r = job->proc = ocirt__probe_proc(job->error);
    if (r < 0) return r;
    ocirt__probe_with(job->proc, &job->probe);
    if (job->options->notify_socket) r = ocirt__ops_add_notify(job, &spec);
    if (r >= 0) r = ocirt_plan_build(&job->arena, spec, bundle, job->id, job->options, &job->probe, &plan, job->error);
    if (r == 0) r = ocirt__ops_prepare_host(job, plan);
    if (r == 0) r = ocirt__ops_reach(job, spec);
    if (r < 0) return r;
    job->root = ocirt__state_root(job->options, true, job->error);
    if (job->root < 0) return job->root;
    job->host.state_dir = ocirt__state_create(job->root, job->id, job->error);
    if (job->host.state_dir < 0) return job->host.state_dir;
    r = ocirt__ops_write_state(job, spec);
    if (r < 0) (void)ocirt__state_remove(job->root, job->id, job->host.state_dir);
    return r;
}

static void ocirt__ops_trace(struct ocirt__job *job) {
    const struct ocirt__page *page = job->host.actor.page;
    const ocirt_plan *plan = job->host.actor.plan;
    const struct ocirt__report *failure = ocirt__step_failure(job->host.actor.page);
    if (!job->options->trace) return;
    for (uint32_t i = 0; i < plan->walk_count; i++) {
        const struct ocirt__row *row = ocirt__plan_row(plan, i);
        ocirt__buffer text = {.arena = &job->arena};
        ocirt_trace event = {.row = (int)i, .actor = row->actor, .nanoseconds = page->spent[i], .result = failure && failure->row == (int32_t)i ? failure->error : 0};
        if (row->flags & OCIRT__ROW_ALTERNATE || (failure && (int32_t)i > failure->row)) continue;
        ocirt__plan_row_text(&text, plan, row);
        event.text = text.size ? text.data : "";
        job->options->trace(job->options->user, &event);
    }
}

static int ocirt__ops_failed(struct ocirt__job *job) {
    const struct ocirt__report *failure = ocirt__step_failure(job->host.actor.page);
    char detail[sizeof failure->detail];
    if (failure && (uint32_t)failure->row < job->host.actor.plan->rows_count) {
        memcpy(detail, failure->detail, sizeof detail);
        detail[sizeof detail - 1] = 0;
        (void)ocirt__explain(job->host.actor.plan, failure->row, failure->error, detail, job->error);
        if (failure->error == -ENOMEM || failure->error == -E2BIG) /* the latter: no page for the arguments of an exec */
            ocirt__explain_memory(&job->host, job->error, "max", "refused memory", (uint32_t)failure->row);
        return job->error ? -job->error->code : -OCIRT_E_SYSTEM;
    }
    return ocirt__explain_lost(&job->host, job->error);
}

/* Digits only, and whole: the name is put in place by a rename. */
static int ocirt__ops_pid_file(struct ocirt__job *job) {
    const char *path = job->options->pid_file;
    char  temporary[PATH_MAX], text[24];
    size_t n = ocirt__mem_decimal(text, (uint64_t)job->host.pid);
    int   fd, r;
    if (!path) return 0;
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.%d", path, job->host.pid) >= sizeof temporary)
        return ocirt__error_set(job->error, OCIRT_E_IO, ENAMETOOLONG, path, "pid file");
    fd = ocirt__sys_openat(AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
    r  = fd < 0 ? fd : ocirt__sys_write_all(fd, text, n);
    if (fd >= 0) ocirt__sys_close(&fd);
    if (r == 0) r = ocirt__sys_renameat(AT_FDCWD, temporary, path);
    if (r < 0) (void)ocirt__sys_unlinkat(AT_FDCWD, temporary, 0);
    return r == 0 ? 0 : ocirt__error_set(job->error, OCIRT_E_IO, -r, path, "pid file %s", path);
}

/* The terminal, the pidfd and the pid go to whom they are for. The pid last: it says that all is well. */
static int ocirt__ops_hand_over(struct ocirt__job *job) {
    struct ocirt__host *h = &job->host;
    int r = job->console < 0 ? 0 : h->terminal < 0 ? -ENOTTY : ocirt__step_send_fd(job->console, h->terminal);
    if (job->console >= 0) ocirt__sys_close(&h->terminal);
    if (r < 0) return ocirt__error_set(job->error, OCIRT_E_IO, -r, job->options->console_socket, "sending the terminal to console socket %s", job->options->console_socket);
    if (job->watcher >= 0) r = ocirt__step_send_fd(job->watcher, h->pidfd);
    if (r < 0) return ocirt__error_set(job->error, OCIRT_E_IO, -r, job->pidfd_socket, "sending the pidfd to %s", job->pidfd_socket);
    ocirt__sys_close(&job->console);
    ocirt__sys_close(&job->watcher);
    return ocirt__ops_pid_file(job);
}

/* The scope comes on record when it is known to be ours, and where it is: until then delete could stop another's of
   that name. Init ends with us before that, and systemd drops a scope that is empty. */
static int ocirt__ops_note_cgroup(struct ocirt__job *job) {
    ocirt__buffer text = {.arena = &job->arena};
    struct ocirt__statx st;
    int r;
    if (!job->host.cgroup[0]) return 0;
    if (ocirt__sys_fstatx(job->host.actor.slots[OCIRT__SLOT_CGROUP], &st) == 0) job->record.cgroup_inode = st.ino;
    job->record.cgroup = job->host.cgroup, job->record.scope = ocirt__plan_text(job->host.actor.plan, job->host.actor.plan->scope);
    ocirt__state_text(&text, &job->record);
    r = text.failed ? -ENOMEM : ocirt__state_replace(job->host.state_dir, "state.json", "state.new", text.data, text.size);
    return r == 0 ? 0 : ocirt__error_set(job->error, OCIRT_E_IO, -r, "state.json", "writing the state of %s", job->id);
}

static int ocirt__ops_make_known(struct ocirt__job *job) {
    int r = ocirt__ops_note_cgroup(job);
    if (r == 0) r = ocirt__ops_hand_over(job);
    if (r < 0) return r;
    r = ocirt__sys_renameat(job->host.state_dir, "creating", "init");
    return r < 0 ? ocirt__error_set(job->error, OCIRT_E_IO, -r, "init", "writing the state of %s", job->id) : 0;
}

/* A group that the config names goes too, if it came with this container. */
static void ocirt__ops_give_up(struct ocirt__job *job) {
    job->record.resctrl_made = job->record.resctrl_made || (job->host.resctrl >= 0 && !job->host.resctrl_old);
    (void)ocirt__ops_take_back(job, NULL);
}

/* Carries the plan out and makes the result known: pid file, `init`. On any failure all is undone. */
static int ocirt__ops_carry_out(struct ocirt__job *job) {
    int r = ocirt__spawn_run(&job->host);
    ocirt__ops_trace(job);
    if (r < 0) r = ocirt__ops_failed(job);
    if (r == 0) r = ocirt__ops_make_known(job);
    if (r == 0 && job->host.actor.plan->await_row) { /* create is complete: go and wait for start */
        if (!ocirt__step_decide(job->host.actor.page, OCIRT__CREATED_YES)) r = ocirt__ops_failed(job);
        else if ((r = ocirt__step_kick(&job->host.actor)) < 0) r = ocirt__error_set(job->error, OCIRT_E_SYSTEM, -r, job->id, "telling the container's init that it is created");
    }
    if (r < 0) {
        ocirt__ops_give_up(job);
        if (job->host.devices_lost) ocirt__error_hint(job->error, "and a network device could not be given back as it was: see `ip link` and `ip address`");
    } else {
        ocirt__spawn_end_network(&job->host); /* the container's from now on */
    }
    return r;
}

static void ocirt__ops_open(struct ocirt__job *job, const char *id, const ocirt_options *options, ocirt_error *error) {
    memset(job, 0, sizeof *job);
    job->options = options, job->id = id, job->error = error;
    job->root = job->proc = job->console = job->watcher = job->notify = -1;
    job->host.state_dir = job->host.cgroup_root = job->host.scope = job->host.conversation = job->host.pidfd = job->host.stage_pidfd = job->host.terminal = job->host.page_file = job->host.image = job->host.resctrl = job->host.network.outside = job->host.network.inside = -1;
    if (error) memset(error, 0, sizeof *error), error->row = error->actor = -1;
}

static int ocirt__ops_bundle(ocirt_arena *arena, const char *bundle, const char **out, ocirt_error *error) {
    char here[PATH_MAX];
    if (!bundle || bundle[0] != '/') {
        if (OCIRT__SYS2(SYS_getcwd, here, sizeof here) < 0 || here[0] != '/')
            return ocirt__error_set(error, OCIRT_E_ARGUMENT, errno, ".", "the working directory");
        *out = !bundle || strcmp(bundle, ".") == 0 ? ocirt__mem_format(arena, "%s", here) : ocirt__mem_format(arena, "%s/%s", here, bundle);
    } else {
        *out = ocirt__mem_format(arena, "%s", bundle);
    }
    return *out ? 0 : ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory");
}

OCIRT_DEF int ocirt_create(const ocirt_spec *spec, const char *bundle, const char *id, const ocirt_options *options,
                           ocirt_container *out_container, ocirt_error *error) {
    struct ocirt__job job;
    int r;
    ocirt__ops_open(&job, id, ocirt__ops_options(options), error);
    r = ocirt__ops_bundle(&job.arena, bundle, &bundle, error);
    if (r == 0) r = ocirt__ops_begin(&job, spec, bundle);
    if (r == 0) r = ocirt__ops_carry_out(&job);
    if (r == 0 && out_container) {
        *out_container = (ocirt_container){.pid = job.host.pid, .pidfd = job.host.pidfd};
        job.host.pidfd = -1;
    }
    ocirt__ops_close(&job);
    return r;
}

static void ocirt__ops_exit_of(const siginfo_t *end, ocirt_exit *out) {
    bool exited = end->si_code == CLD_EXITED;
    out->signal = exited ? 0 : end->si_status;
    out->code   = exited ? end->si_status : 128 + end->si_status;
}

static int ocirt__ops_wait(struct ocirt__job *job, ocirt_exit *out) {
    siginfo_t end;
    int r;
    if (job->options->flags & OCIRT_FORWARD) ocirt__console_wait(&job->host, &job->notify, job->options->notify_socket);
    else ocirt__notify_await(&job->notify, job->options->notify_socket, job->host.pidfd, job->host.pid);
    r = ocirt__sys_reap(job->host.pidfd, &end);
    if (r < 0) {
        r = ocirt__error_set(job->error, OCIRT_E_SYSTEM, -r, job->id, "waiting for %s", job->id);
        ocirt__error_hint(job->error, "the exit status of a child is lost if the caller ignores SIGCHLD, or reaps with wait(-1) in another thread");
        return r;
    }
    ocirt__sys_close(&job->host.pidfd);
    job->host.dead = true; /* its pid may be somebody else's now */
    ocirt__ops_exit_of(&end, out);
    return 0;
}

static void ocirt__ops_memory_of(const struct ocirt__job *job, ocirt_exit *out) {
    uint64_t kills = 0;
    int      cgroup = ocirt__cgroup_outer(job->host.scope, job->host.actor.slots[OCIRT__SLOT_CGROUP]);
    if (cgroup < 0 || ocirt__cgroup_event(cgroup, "memory.events", "oom_kill", &kills) < 0) return; /* no memory controller */
    out->oom_killed = kills > 0;
    (void)ocirt__cgroup_read_number(cgroup, "memory.peak", &out->memory_peak);
}

static int ocirt__ops_poststart(ocirt_plan *plan, int pid, ocirt_error *error) {
    char detail[256] = "";
    int  r = plan->poststart_row ? ocirt__hooks_run(plan, ocirt__plan_row(plan, plan->poststart_row), pid, detail, sizeof detail) : 0;
    return r < 0 ? ocirt__explain(plan, (int)plan->poststart_row, r, detail, error) : 0;
}

/* Nothing is left of a run, unless somebody else has deleted it already. */
static int ocirt__ops_end_run(struct ocirt__job *job, int result) {
    int r = ocirt__sys_flock(job->host.state_dir, LOCK_EX);
    if (r == 0) r = ocirt__state_same(job->root, job->id, job->host.state_dir);
    if (r == 0) r = ocirt__ops_take_back(job, result == 0 ? job->error : NULL);
    else if (r != -ENOENT) r = ocirt__error_set(result == 0 ? job->error : NULL, OCIRT_E_IO, -r, job->id, "the state of %s", job->id);
    return result < 0 || r == -ENOENT ? result : r;
}

/* What runs is let go of, or waited for and deleted. */
static int ocirt__ops_see_through(struct ocirt__job *job, ocirt_container *out_container, ocirt_exit *out_exit) {
    int r;
    ocirt__sys_flock(job->host.state_dir, LOCK_UN); /* others may now kill and delete it */
    if (job->options->flags & OCIRT_DETACH) {
        if (out_container) *out_container = (ocirt_container){.pid = job->host.pid, .pidfd = job->host.pidfd}, job->host.pidfd = -1;
        return 0;
    }
    r = ocirt__ops_wait(job, out_exit);
    if (r == 0) ocirt__ops_memory_of(job, out_exit);
    return job->options->flags & OCIRT_KEEP ? r : ocirt__ops_end_run(job, r);
}

OCIRT_DEF int ocirt_run(const ocirt_spec *spec, const char *bundle, const char *id, const ocirt_options *options, ocirt_exit *out_exit,
                        ocirt_error *error) {
    struct ocirt__job job;
    ocirt_options own = *ocirt__ops_options(options);
    ocirt_exit ignored;
    uint64_t   mask[2];
    bool       forward = (own.flags & OCIRT_FORWARD) != 0; /* no signal ends us with the container half made or half removed */
    int        r;
    own.flags |= OCIRT_OF_RUN;
    if (forward) ocirt__spawn_block(mask);
    ocirt__ops_open(&job, id, &own, error);
    if (!out_exit) out_exit = &ignored;
    memset(out_exit, 0, sizeof *out_exit);
    r = ocirt__ops_bundle(&job.arena, bundle, &bundle, error);
    if (r == 0) r = ocirt__ops_begin(&job, spec, bundle);
    if (r == 0) r = ocirt__ops_carry_out(&job);
    if (r == 0) {
        r = ocirt__ops_poststart(job.host.actor.plan, job.host.pid, error);
        if (r < 0) (void)ocirt__ops_take_back(&job, NULL);
    }
    if (r == 0) r = ocirt__ops_see_through(&job, NULL, out_exit);
    if (r == 0 && own.flags & OCIRT_DETACH) ocirt__notify_await(&job.notify, own.notify_socket, job.host.pidfd, job.host.pid);
    ocirt__ops_close(&job);
    if (forward) ocirt__spawn_unblock(mask);
    return r;
}

OCIRT_DEF int ocirt_run_bundle(const char *bundle, const char *id, const ocirt_options *options, ocirt_exit *out_exit, ocirt_error *error) {
    ocirt_arena arena = {0};
    ocirt_spec *spec;
    char made[32], path[PATH_MAX];
    int  r;
    if (!id) ocirt_make_id(made), id = made;
    if (snprintf(path, sizeof path, "%s/config.json", bundle) >= (int)sizeof path)
        return ocirt__error_set(error, OCIRT_E_ARGUMENT, ENAMETOOLONG, bundle, "bundle");
    r = ocirt_spec_load_file(&arena, path, &spec, error);
    if (r == 0) r = ocirt_run(spec, bundle, id, options, out_exit, error);
    ocirt_arena_free(&arena);
    return r;
}

OCIRT_DEF int ocirt_wait(const ocirt_container *container, int timeout_ms, ocirt_exit *out_exit, ocirt_error *error) {
    struct pollfd wait = {.fd = container->pidfd, .events = POLLIN};
    siginfo_t end;
    int r = ocirt__sys_poll(&wait, 1, timeout_ms);
    if (r == 0) return ocirt__error_set(error, OCIRT_E_TIMEOUT, 0, "", "the container still runs after %d ms", timeout_ms);
    if (r > 0) r = ocirt__sys_reap(container->pidfd, &end);
    if (r < 0) return ocirt__error_set(error, OCIRT_E_SYSTEM, -r, "", "waiting for process %d", container->pid);
    memset(out_exit, 0, sizeof *out_exit);
    ocirt__ops_exit_of(&end, out_exit);
    return 0;
}

/* ----- commands on what exists ----- */

struct ocirt__found { /* an existing container */
    ocirt_arena           arena;
    int                   root, dir, proc;
    bool                  whole; /* its record could be read */
    struct ocirt__record  record;
    struct ocirt__process process;
};

static void ocirt__ops_let_go(struct ocirt__found *f) {
    if (f->dir >= 0) ocirt__sys_flock(f->dir, LOCK_UN);
    ocirt__sys_close(&f->process.pidfd);
    ocirt__sys_close(&f->dir);
    ocirt__sys_close(&f->root);
    ocirt__sys_close(&f->proc);
    ocirt_arena_free(&f->arena);
}

static int ocirt__ops_find(struct ocirt__found *f, const char *id, const ocirt_options *options, bool lock, ocirt_error *error) {
    int r;
    memset(f, 0, sizeof *f);
    f->root = f->dir = f->process.pidfd = -1;
    if (error) memset(error, 0, sizeof *error), error->row = error->actor = -1;
    r = f->proc = ocirt__probe_proc(error);
    if (r >= 0) r = ocirt__state_check_id(id, error);
    if (r == 0) r = f->root = ocirt__state_root(options, false, error);
    if (r >= 0) r = f->dir = ocirt__state_open(f->root, id, lock, error);
    if (r >= 0) {
        f->whole = ocirt__state_load(&f->arena, f->dir, &f->record);
        r = ocirt__state_process(f->proc, f->dir, &f->process);
        if (r == 0 && f->process.pid == 0) ocirt__state_own_scope(&f->record); /* a living init keeps its scope */
        if (r == 0) return 0;
        r = ocirt__error_set(error, OCIRT_E_IO, -r, id, "looking for the process of %s", id);
    }
    ocirt__ops_let_go(f);
    return r;
}

static int ocirt__ops_broken(const char *id, ocirt_error *error) {
    ocirt__error_set(error, OCIRT_E_STATE, 0, id, "the state of container %s is incomplete or damaged", id);
    ocirt__error_hint(error, "`ocirt delete --force %s` removes what is left of it", id);
    return -OCIRT_E_STATE;
}

static int ocirt__ops_start_refused(const struct ocirt__found *f, const ocirt_plan *plan, const char *id, ocirt_error *error) {
    const char *status = ocirt__state_status(&f->process);
    if (!f->whole || !plan) return ocirt__ops_broken(id, error);
    if (f->process.pid && ocirt__state_is_paused(&f->record)) return ocirt__error_set(error, OCIRT_E_STATE, 0, id, "cannot start a paused container: resume it first");
    if (strcmp(status, "running") == 0) return ocirt__error_set(error, OCIRT_E_STATE, 0, id, "cannot start an already running container");
    if (strcmp(status, "stopped") == 0) return ocirt__error_set(error, OCIRT_E_STATE, 0, id, "cannot start a container that has stopped");
    if (strcmp(status, "created") != 0) return ocirt__error_set(error, OCIRT_E_STATE, 0, id, "cannot start a container that is still being created");
    if (plan->args_count == 0) {
        ocirt__error_set(error, OCIRT_E_SPEC, 0, id, "cannot start %s: its config has no process", id);
        ocirt__error_hint(error, "add a process object with args to config.json and create the container again");
        return -OCIRT_E_SPEC;
    }
    return 0;
}

static int ocirt__ops_connect(int dir) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t n = 14;
    int r, fd = (int)OCIRT__SYS3(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return fd;
    memcpy(name.sun_path, "/proc/self/fd/", n);
    n += ocirt__mem_decimal(name.sun_path + n, (uint64_t)dir);
    memcpy(name.sun_path + n, "/start", 7);
    r = (int)OCIRT__SYS3(SYS_connect, fd, &name, sizeof name);
    if (r < 0) ocirt__sys_close(&fd);
    return r < 0 ? r : fd;
}

/* Says go; the end of the conversation after a kick and without a report is a successful exec. */
static int ocirt__ops_go(struct ocirt__found *f, ocirt_plan *plan, ocirt_error *error) {
    struct ocirt__report report;
    long n;
    int  talk = ocirt__ops_connect(f->dir), r = 0;
    bool ready = false;
    if (talk < 0) return ocirt__error_set(error, OCIRT_E_SYSTEM, -talk, "start", "reaching the container's init");
    n = OCIRT__SYS5(SYS_sendto, talk, "g", 1, MSG_NOSIGNAL, NULL);
    while (n == 1 || n == -ECONNRESET) {
        n = ocirt__sys_read(talk, &report, sizeof report);
        ready |= n == 1;
    }
    ocirt__sys_close(&talk);
    if (n == (long)sizeof report && report.row >= 0 && (uint32_t)report.row < plan->rows_count) {
        report.detail[sizeof report.detail - 1] = 0;
        r = ocirt__explain(plan, report.row, report.error, report.detail, error);
    } else if (n == 0 && !ready) {
        r = ocirt__error_set(error, OCIRT_E_SYSTEM, 0, "start", "the container's init ended before it could execute the program");
        ocirt__error_hint(error, "it was killed, or ran out of memory; `ocirt delete` removes the container");
    } else if (n < 0) {
        r = ocirt__error_set(error, OCIRT_E_SYSTEM, (int)-n, "start", "starting the container");
    }
    return r;
}

static struct ocirt__undo ocirt__ops_undo_found(struct ocirt__found *f, const char *id, const ocirt_options *options) {
    unsigned ms = ocirt__ops_options(options)->kill_after_ms;
    ocirt_plan *plan = ocirt__state_plan(&f->arena, f->dir);
    if (!f->whole && plan && (!plan->scope || f->process.complete)) { /* the plan knows the cgroup too; but before the end of create a scope could be another's */
        f->record.cgroup = ocirt__plan_text(plan, plan->cgroup), f->record.cgroup_levels = ocirt__ops_levels(plan), f->record.cgroup_inode = 0;
        f->record.scope = ocirt__plan_text(plan, plan->scope), f->record.user_manager = plan->user_manager;
        f->record.cgroup_mount = ocirt__probe_is_cgroup2("/sys/fs/cgroup") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
    }
    if (f->record.scope[0] && f->record.cgroup_inode == 0 && f->process.pid == 0 && (f->record.private_pids || (plan && plan->private_pids)))
        f->record.cgroup = "", f->record.scope_gone = true; /* damaged, or of an earlier version: what has the name now could be another's, and nothing of this one lives */
    return (struct ocirt__undo){.proc = f->proc, .root = f->root, .dir = f->dir, .id = id, .cgroup_mount = f->record.cgroup_mount, .cgroup = f->record.cgroup,
                                .scope = f->record.scope, .scope_gone = f->record.scope_gone, .user_manager = f->record.user_manager,
                                .resctrl = f->record.resctrl, .resctrl_made = f->record.resctrl_made, .resctrl_monitor = f->record.resctrl_monitor,
                                .levels = f->record.cgroup_levels, .pidfd = f->process.pidfd, .limit_ms = ms ? ms : 10000,
                                .plan = plan};
}

OCIRT_DEF int ocirt_start(const char *id, const ocirt_options *options, ocirt_error *error) {
    const char *manager = ocirt__ops_options(options)->notify_socket;
    struct ocirt__found f;
    ocirt_plan *plan;
    int notify = -1;
    int r = ocirt__ops_find(&f, id, options, true, error);
    if (r < 0) return r;
    plan = ocirt__state_plan(&f.arena, f.dir);
    r = ocirt__ops_start_refused(&f, plan, id, error);
    if (r == 0 && manager && (notify = ocirt__notify_bind(f.dir)) < 0 && notify != -ENOENT) /* else it was made without one */
        r = ocirt__error_set(error, OCIRT_E_IO, -notify, id, "the socket for readiness of %s", id);
    if (r == 0) {
        r = ocirt__ops_go(&f, plan, error);
        (void)ocirt__sys_unlinkat(f.dir, "start", 0);
        if (r == 0) r = ocirt__ops_poststart(plan, f.process.pid, error);
        if (r < 0 && error && error->code == OCIRT_E_HOOK) { /* a failed startContainer or poststart hook ends the container */
            struct ocirt__undo u = ocirt__ops_undo_found(&f, id, options);
            (void)ocirt__ops_undo(&u, NULL);
        }
    }
    if (r == 0 && notify >= 0) { /* meanwhile others may kill and delete it */
        ocirt__sys_flock(f.dir, LOCK_UN);
        ocirt__notify_await(&notify, manager, f.process.pidfd, f.process.pid);
    }
    ocirt__sys_close(&notify);
    ocirt__ops_let_go(&f);
    return r;
}

static int ocirt__ops_signal(struct ocirt__found *f, const char *id, int signal, bool all, ocirt_error *error) {
    int root = -1, dir = -1, r;
    /* Without a pid namespace of its own the end of init is not the end of the others. */
    if (all || (signal == SIGKILL && f->whole && !f->record.private_pids)) dir = ocirt__state_cgroup(f->record.cgroup_mount, f->record.cgroup, &root);
    if (dir >= 0) r = signal == SIGKILL ? ocirt__cgroup_kill(dir) : ocirt__cgroup_signal_all(dir, signal);
    else if (f->process.pidfd < 0) r = all ? 0 : -ESRCH;
    else r = ocirt__sys_pidfd_signal(f->process.pidfd, signal);
    ocirt__sys_close(&dir);
    ocirt__sys_close(&root);
    if (r == -ESRCH) return ocirt__error_set(error, OCIRT_E_STATE, 0, id, "container not running: no such process");
    return r == 0 ? 0 : ocirt__error_set(error, OCIRT_E_SYSTEM, -r, id, "sending signal %d to %s", signal, id);
}

OCIRT_DEF int ocirt_kill(const char *id, int signal, const ocirt_options *options, ocirt_error *error) {
    struct ocirt__found f;
    bool all = (ocirt__ops_options(options)->flags & OCIRT_ALL) != 0;
    int  r = ocirt__ops_find(&f, id, options, false, error);
    if (r < 0) return r;
    if (f.process.pid == 0 && !all) r = ocirt__error_set(error, OCIRT_E_STATE, 0, id, "container not running: no such process");
    else r = ocirt__ops_signal(&f, id, signal, all, error);
    ocirt__ops_let_go(&f);
    return r;
}

OCIRT_DEF int ocirt_delete(const char *id, const ocirt_options *options, ocirt_error *error) {
    struct ocirt__found f;
    struct ocirt__undo  u;
    bool force = (ocirt__ops_options(options)->flags & OCIRT_FORCE) != 0;
    int  r = ocirt__ops_find(&f, id, options, true, error);
    if (r == -OCIRT_E_NOT_FOUND && force) {
        if (error) memset(error, 0, sizeof *error);
        return 0;
    }
    if (r < 0) return r;
    /* `created` may be deleted without force: engines abandon containers that way. */
    if (!force && f.process.pid != 0 && strcmp(ocirt__state_status(&f.process), "created") != 0) {
        r = ocirt__error_set(error, OCIRT_E_STATE, 0, id, "cannot delete container that is not stopped: %s", id);
        ocirt__error_hint(error, "kill it first, or use --force");
    } else if (!force && !f.whole) {
        r = ocirt__ops_broken(id, error);
    } else {
        u = ocirt__ops_undo_found(&f, id, options);
        r = ocirt__ops_undo(&u, error);
    }
    ocirt__ops_let_go(&f);
    return r;
}

/* ----- on what runs ----- */

/* A living container with its cgroup. */
struct ocirt__live {
    struct ocirt__found found;
    int root, cgroup, scope; /* descriptors: of the hierarchy; the container's; the scope it lies in, or -1 */
};

static void ocirt__ops_leave(struct ocirt__live *l) {
    ocirt__sys_close(&l->scope);
    ocirt__sys_close(&l->cgroup);
    ocirt__sys_close(&l->root);
    ocirt__ops_let_go(&l->found);
}

static int ocirt__ops_no_cgroup(const struct ocirt__found *f, const char *id, int reason, ocirt_error *error) {
    ocirt__error_set(error, OCIRT_E_CGROUP, -reason, f->record.cgroup, "container %s has no cgroup of its own", id);
    ocirt__error_hint(error, "it was made without one, since none is mounted or none was delegated to the caller: see the line 0:: of /proc/self/cgroup, and run below a cgroup that is yours");
    return -OCIRT_E_CGROUP;
}

static int ocirt__ops_enter(struct ocirt__live *l, const char *id, const ocirt_options *options, bool lock, bool needs_cgroup, ocirt_error *error) {
    struct ocirt__found *f = &l->found;
    int r = ocirt__ops_find(f, id, options, lock, error);
    l->root = l->cgroup = l->scope = -1;
    if (r < 0) return r;
    if (!f->whole) r = ocirt__ops_broken(id, error);
    else if (f->process.pid == 0 && f->process.recorded) r = ocirt__error_set(error, OCIRT_E_STATE, 0, id, "container not running: no such process");
    else if (!f->process.complete) r = ocirt__error_set(error, OCIRT_E_STATE, 0, id, "container %s is still being created", id);
    else l->cgroup = ocirt__state_cgroup(f->record.cgroup_mount, f->record.cgroup, &l->root);
    if (r == 0 && l->cgroup >= 0) l->scope = ocirt__state_scope(&f->record, l->root);
    if (r == 0 && l->cgroup < 0 && needs_cgroup) r = ocirt__ops_no_cgroup(f, id, l->cgroup, error);
    if (r < 0) ocirt__ops_leave(l);
    return r;
}

/* scope, own: which of them says that it is frozen. */
static int ocirt__ops_thaw(struct ocirt__live *l, bool scope, bool own) {
    char detail[256] = "";
    struct ocirt__bus bus = {.fd = -1, .arena = &l->found.arena, .detail = detail, .rootless = l->found.record.user_manager};
    int r = scope ? ocirt__cgroup_freeze(l->scope, false, 10000) : 0;
    if (r == 0) r = own ? ocirt__cgroup_freeze(l->cgroup, false, 10000) : ocirt__cgroup_await(l->cgroup, "frozen", false, 10000);
    if (r < 0 && scope) (void)ocirt__path_write(l->scope, "cgroup.freeze", "1", 1);
    if (r == 0 && scope) (void)ocirt__systemd_thaw(&bus, l->found.record.scope);
    ocirt__systemd_close(&bus);
    return r;
}

static int ocirt__ops_freeze(const char *id, const ocirt_options *options, bool on, ocirt_error *error) {
    struct ocirt__live l;
    bool scope, own;
    int  r = ocirt__ops_enter(&l, id, options, true, true, error);
    if (r < 0) return r;
    scope = ocirt__cgroup_is_paused(l.scope), own = ocirt__cgroup_is_paused(l.cgroup);
    if ((scope || own) == on) {
        r = ocirt__error_set(error, OCIRT_E_STATE, 0, id, on ? "container is paused already" : "container not paused");
    } else if ((r = on ? ocirt__cgroup_freeze(ocirt__cgroup_outer(l.scope, l.cgroup), true, 10000) : ocirt__ops_thaw(&l, scope, own)) < 0) {
        r = ocirt__error_set(error, r == -ETIMEDOUT ? OCIRT_E_TIMEOUT : OCIRT_E_CGROUP, -r, l.found.record.cgroup, "%s %s", on ? "pausing" : "resuming", id);
        if (error && error->sys == ETIMEDOUT) ocirt__error_hint(error, on ? "a process in uninterruptible sleep cannot be stopped; all go on" : "a cgroup above is frozen");
    }
    ocirt__ops_leave(&l);
    return r;
}

OCIRT_DEF int ocirt_pause(const char *id, const ocirt_options *options, ocirt_error *error) {
    return ocirt__ops_freeze(id, options, true, error);
}

OCIRT_DEF int ocirt_resume(const char *id, const ocirt_options *options, ocirt_error *error) {
    return ocirt__ops_freeze(id, options, false, error);
}

/* ----- exec ----- */

static const char ocirt__ops_stopped[] = "cannot exec in a stopped container: container not running: no such process";

static int ocirt__ops_exec_refused(const struct ocirt__found *f, const char *id, const ocirt_options *options, ocirt_error *error) {
    if (!f->whole) return ocirt__ops_broken(id, error);
    if (f->process.pid == 0 && f->process.recorded) return ocirt__error_set(error, OCIRT_E_STATE, 0, id, ocirt__ops_stopped);
    if (!f->process.complete) return ocirt__error_set(error, OCIRT_E_STATE, 0, id, "cannot exec in a container that is still being created");
    if (!(options->flags & OCIRT_IGNORE_PAUSED) && ocirt__state_is_paused(&f->record))
        return ocirt__error_set(error, OCIRT_E_STATE, 0, id, "cannot exec in a paused container (use --ignore-paused to override)");
    return 0;
}

static int ocirt__ops_inode(int proc, int pid, const char *file, uint64_t *out) {
    struct ocirt__statx st;
    char   path[48];
    size_t n = ocirt__mem_decimal(path, (uint64_t)pid);
    int    r;
    path[n] = '/';
    memcpy(path + n + 1, file, strlen(file) + 1);
    r = ocirt__sys_statx(proc, path, 0, &st);
    if (r == 0) *out = st.ino;
    return r;
}

/* Which namespaces init has and the caller has not. One that only the caller has tells of an init that has ended:
   nothing may then be taken for shared with the host. */
static int ocirt__ops_compare(const struct ocirt__found *f, struct ocirt__plan_target *out) {
    int r = 0, self = (int)OCIRT__SYS0(SYS_getpid);
    for (unsigned i = 0; r == 0 && i < OCIRT__NS_FILES; i++) {
        uint64_t own, theirs;
        if (ocirt__ops_inode(f->proc, self, ocirt__names_ns_files[i].file, &own) < 0) continue; /* not in this kernel */
        r = ocirt__ops_inode(f->proc, f->process.pid, ocirt__names_ns_files[i].file, &theirs);
        if (r == 0 && own != theirs) out->joined |= ocirt__names_ns_files[i].type, out->inodes[i] = theirs;
    }
    if (r == 0) r = ocirt__sys_pidfd_signal(f->process.pidfd, 0);
    return r == -ENOENT ? -ESRCH : r;
}

static int ocirt__ops_target(const struct ocirt__found *f, const char *id, const ocirt_spec *config, struct ocirt__plan_target *out, ocirt_error *error) {
    bool own = config->linux_ && ocirt__spec_has_namespace(config->linux_, OCIRT__CLONE_NEWNS, true);
    int  r;
    *out = (struct ocirt__plan_target){.root = own ? "/" : f->record.rootfs, .resctrl = f->record.resctrl, .pid = f->process.pid, .monitored = f->record.resctrl_monitor};
    r = ocirt__ops_compare(f, out);
    if (r == 0 && out->joined & OCIRT__CLONE_NEWUSER && !(config->linux_ && ocirt__spec_has_namespace(config->linux_, OCIRT__CLONE_NEWUSER, false)))
        return ocirt__error_set(error, OCIRT_E_NAMESPACE, 0, id, "the init of %s is in a user namespace that the config does not have: it went there by itself, and a process of ours would be at its mercy", id);
    if (r == -ESRCH) return ocirt__error_set(error, OCIRT_E_STATE, 0, id, "cannot exec in a stopped container: container not running: no such process");
    if (r == 0) return 0;
    ocirt__error_set(error, OCIRT_E_NAMESPACE, -r, id, "looking at the namespaces of %s", id);
    if (r == -EACCES) ocirt__error_hint(error, "the container is another user's, or waits for start, or its program may not be read by its user");
    return -OCIRT_E_NAMESPACE;
}

/* A cgroup with controllers enabled for those below it holds no processes (cgroup-v2, no internal processes): the
   container's init has moved on into one below, and so does this one. */
static int ocirt__ops_leaf(int proc, const struct ocirt__found *f, int dir) {
    char   path[48], text[2048], *line;
    size_t n = strlen(f->record.cgroup), k = ocirt__mem_decimal(path, (uint64_t)f->process.pid);
    memcpy(path + k, "/cgroup", 8);
    if (ocirt__path_read(dir, "cgroup.subtree_control", text, sizeof text) <= 1 || ocirt__path_read(proc, path, text, sizeof text) <= 0) return -1;
    line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!line) return -1;
    line += *line == '\n' ? 4 : 3;
    line[strcspn(line, "\n")] = 0;
    return strncmp(line, f->record.cgroup, n) == 0 && line[n] == '/' ? ocirt__path_exact(dir, line + n + 1, O_RDONLY | O_DIRECTORY) : -1;
}

/* The container's cgroup, or the one below it that the caller names. */
static int ocirt__ops_exec_cgroup(struct ocirt__job *job, const struct ocirt__found *f, int *out) {
    const char *below = job->options->exec_cgroup ? job->options->exec_cgroup + strspn(job->options->exec_cgroup, "/") : "";
    int root, leaf, r = *out = ocirt__state_cgroup(f->record.cgroup_mount, f->record.cgroup, &root);
    job->host.scope = ocirt__state_scope(&f->record, root);
    ocirt__sys_close(&root);
    if (r == -ENOENT && !below[0]) return *out = -1, 0; /* there is none, and none could be made */
    if (r >= 0) r = leaf = below[0] ? ocirt__path_exact(*out, below, O_RDONLY | O_DIRECTORY) : ocirt__ops_leaf(job->proc, f, *out);
    if (r < 0 && *out >= 0 && !below[0]) return 0;
    if (r < 0) ocirt__sys_close(out);
    if (r < 0) return ocirt__error_set(job->error, OCIRT_E_CGROUP, -r, below, "cgroup %s%s%s of container %s", f->record.cgroup, below[0] ? "/" : "", below, job->id);
    ocirt__sys_close(out);
    *out = leaf;
    return 0;
}

/* A child can be born in most cgroups (see ocirt__step_cgroup), but not where its own CPUs come first. */
static bool ocirt__ops_enters_late(const struct ocirt__job *job, const ocirt_spec *config, const ocirt_process *run) {
    const ocirt_cpu *cpu = config->linux_ && config->linux_->resources ? config->linux_->resources->cpu : NULL;
    bool mems = cpu && cpu->mems && cpu->mems[0] && job->probe.kernel_version < (6u << 16 | 4);
    return mems || (run->exec_cpu_affinity && run->exec_cpu_affinity->initial && run->exec_cpu_affinity->initial[0]);
}

static int ocirt__ops_exec_group(struct ocirt__job *job, const struct ocirt__found *f) {
    int root = f->record.resctrl[0] ? ocirt__resctrl_open() : -1, r = 0;
    if (f->record.resctrl[0]) r = job->host.resctrl = root < 0 ? root : ocirt__resctrl_group(root, f->record.resctrl);
    ocirt__sys_close(&root);
    return r < 0 ? ocirt__error_set(job->error, OCIRT_E_SYSTEM, -r, f->record.resctrl, "resctrl group %s", f->record.resctrl) : 0;
}

static int ocirt__ops_exec_begin(struct ocirt__job *job, const ocirt_spec *given, struct ocirt__found *f) {
    struct ocirt__planner p = {.arena = &job->arena, .options = job->options, .probe = &job->probe, .error = job->error, .bundle = f->record.bundle, .id = job->id};
    struct ocirt__plan_target target;
    ocirt_spec *config;
    ocirt_plan *plan = NULL;
    int cgroup = -1, r = ocirt__state_config(&job->arena, f->dir, job->id, &config, job->error);
    if (r == 0) r = ocirt__ops_target(f, job->id, config, &target, job->error);
    if (r < 0) return r;
    job->proc = f->proc, f->proc = -1;
    ocirt__probe_with(job->proc, &job->probe);
    p.target = &target, p.spec = ocirt__plan_merge(&job->arena, config, given, f->record.rootfs);
    r = p.spec ? ocirt__plan_compose(&p, &plan) : ocirt__error_set(job->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (r == 0) r = ocirt__ops_prepare_host(job, plan);
    if (r == 0) r = ocirt__ops_reach(job, NULL);
    if (r == 0) r = ocirt__ops_exec_group(job, f);
    if (r == 0) r = ocirt__ops_exec_cgroup(job, f, &cgroup);
    if (r < 0) return r;
    plan->slots[OCIRT__SLOT_CGROUP] = cgroup;
    plan->slots[OCIRT__SLOT_INIT] = f->process.pidfd, f->process.pidfd = -1;
    job->host.actor.page->old_cgroup = ocirt__ops_enters_late(job, config, p.spec->process);
    return 0;
}

/* The kernel kills at birth in a cgroup in which cgroup.kill was once written, and allows none where pids.max is
   reached; entering such a one from outside is possible. */
static bool ocirt__ops_stillborn(struct ocirt__host *h) {
    const struct ocirt__report *failure = ocirt__step_failure(h->actor.page);
    unsigned verb = failure ? ocirt__plan_row(h->actor.plan, (uint32_t)failure->row)->verb : OCIRT__VERB_NONE;
    if (h->actor.page->old_cgroup || h->actor.slots[OCIRT__SLOT_CGROUP] < 0) return false;
    if (failure) return failure->error == -EAGAIN && (verb == OCIRT__VERB_FORK || verb == OCIRT__VERB_CLONE || verb == OCIRT__VERB_CLONE_EXECUTE || verb == OCIRT__VERB_STAGE || verb == OCIRT__VERB_STAGE_EXECUTE);
    if (!h->dead && !h->told && h->pidfd >= 0 && h->actor.page->current[OCIRT_ACTOR_INIT] == 0) h->dead = ocirt__sys_reap(h->pidfd, &h->end) == 0; /* see explain_lost */
    return h->dead && h->end.si_code == CLD_KILLED && h->end.si_status == SIGKILL && h->actor.page->current[OCIRT_ACTOR_INIT] == 0;
}

/* Init has ended meanwhile: the kernel then kills all in its pid namespace, and has no memory for more. Init's own
   end comes after ours has been waited for. */
static int ocirt__ops_exec_failed(struct ocirt__job *job, int failure) {
    struct ocirt__host *h = &job->host;
    struct pollfd init = {.fd = h->actor.slots[OCIRT__SLOT_INIT], .events = POLLIN};
    const struct ocirt__report *report = ocirt__step_failure(h->actor.page);
    bool perhaps = report ? report->error == -ENOMEM : h->end.si_status == SIGKILL;
    ocirt__spawn_kill(h);
    if (ocirt__sys_poll(&init, 1, perhaps ? 200 : 0) <= 0) return failure;
    return ocirt__error_set(job->error, OCIRT_E_STATE, 0, job->id, ocirt__ops_stopped);
}

static int ocirt__ops_exec_run(struct ocirt__job *job) {
    struct ocirt__host *h = &job->host;
    int r = ocirt__spawn_run(h);
    if (r < 0 && ocirt__ops_stillborn(h)) {
        ocirt__spawn_forget(h);
        h->actor.page->old_cgroup = 1;
        r = ocirt__spawn_run(h);
    }
    ocirt__ops_trace(job);
    if (r < 0) r = ocirt__ops_failed(job);
    if (r == 0) r = ocirt__ops_hand_over(job);
    return r < 0 ? ocirt__ops_exec_failed(job, r) : 0;
}

OCIRT_DEF int ocirt_process_get(ocirt_arena *arena, const char *id, const ocirt_options *options, ocirt_spec **out_spec, ocirt_error *error) {
    struct ocirt__found f;
    ocirt_spec *config;
    int r = ocirt__ops_find(&f, id, options, false, error);
    if (r < 0) return r;
    r = ocirt__state_config(arena, f.dir, id, &config, error);
    ocirt__ops_let_go(&f);
    if (r < 0) return r;
    if (!config->process) return ocirt__error_set(error, OCIRT_E_SPEC, 0, id, "the config of %s has no process", id);
    *out_spec = ocirt__mem_alloc(arena, sizeof **out_spec);
    if (!*out_spec) return ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory");
    (*out_spec)->process = config->process;
    return 0;
}

OCIRT_DEF int ocirt_exec(const ocirt_spec *spec, const char *id, const ocirt_options *options, ocirt_container *out_container, ocirt_exit *out_exit,
                         ocirt_error *error) {
    struct ocirt__found f;
    struct ocirt__job   job;
    ocirt_options own = *ocirt__ops_options(options);
    ocirt_exit ignored;
    uint64_t   mask[2];
    bool       detach = (own.flags & OCIRT_DETACH) != 0, forward = (own.flags & OCIRT_FORWARD) != 0 && !detach;
    int        r;
    own.flags |= OCIRT_OF_RUN;
    if (!out_exit) out_exit = &ignored;
    memset(out_exit, 0, sizeof *out_exit);
    ocirt__ops_open(&job, id, &own, error);
    if (!spec->process || !spec->process->args.count || !spec->process->cwd) return ocirt__error_set(error, OCIRT_E_ARGUMENT, 0, id, "exec needs a process with args and cwd");
    if (spec->process->cwd[0] != '/') return ocirt__error_set(error, OCIRT_E_ARGUMENT, 0, spec->process->cwd, "cwd %s of exec is not an absolute path", spec->process->cwd);
    r = ocirt__ops_fill_standard(&job);
    if (r == 0) r = ocirt__ops_find(&f, id, &own, false, error);
    if (r < 0) return ocirt__ops_close(&job), r;
    if (forward) ocirt__spawn_block(mask);
    r = ocirt__ops_exec_refused(&f, id, &own, error);
    if (f.record.old_keyring) own.flags |= OCIRT_WITHOUT_KEYRING;
    if (r == 0) r = ocirt__ops_exec_begin(&job, spec, &f);
    if (r == 0) r = ocirt__ops_exec_run(&job);
    if (r == 0 && !detach) r = ocirt__ops_wait(&job, out_exit);
    else if (r == 0 && out_container) *out_container = (ocirt_container){.pid = job.host.pid, .pidfd = job.host.pidfd}, job.host.pidfd = -1;
    ocirt__ops_close(&job);
    ocirt__ops_let_go(&f);
    if (forward) ocirt__spawn_unblock(mask);
    return r;
}

/* ----- update ----- */

struct ocirt__update { /* on its way */
    struct ocirt__live     live;
    const ocirt_spec      *spec;
    const ocirt_resources *limits;
    ocirt_memory           memory; /* of it, with what follows from the limits in force */
    ocirt_cpu              cpu;
    struct ocirt__changes  changes;
    bool                   told;           /* systemd has the new limits */
    int                    group;          /* of resctrl, whose schemata are changed; -1: none */
    char                   schemata[4096]; /* as they were */
    ocirt_error           *error;
};

static int ocirt__ops_update_refuse(struct ocirt__update *u, const char *member, const char *message) {
    uint32_t memory = u->spec->document ? ocirt__json_member(u->spec->document, u->limits->token, "memory") : 0;
    ocirt__error_set(u->error, OCIRT_E_SPEC, 0, member, "%s", message);
    if (memory) ocirt__error_place(u->error, u->spec->document, ocirt__json_member(u->spec->document, memory, member));
    return -OCIRT_E_SPEC;
}

/* A limit of memory and swap together needs to know that of memory. */
static int ocirt__ops_update_memory(struct ocirt__update *u, ocirt_resources *out) {
    uint64_t used = ocirt__stats_number(ocirt__cgroup_outer(u->live.scope, u->live.cgroup), "memory.current"), swapped = ocirt__stats_number(ocirt__cgroup_outer(u->live.scope, u->live.cgroup), "memory.swap.current"), limit;
    if (!u->limits->memory) return 0;
    u->memory = *u->limits->memory, out->memory = &u->memory;
    limit = u->memory.limit.set && u->memory.limit.value ? (uint64_t)u->memory.limit.value : ocirt__stats_number(ocirt__cgroup_outer(u->live.scope, u->live.cgroup), "memory.max");
    if (u->memory.swap.set && u->memory.swap.value > 0) {
        if ((int64_t)limit > u->memory.swap.value) return ocirt__ops_update_refuse(u, "swap", "swap counts memory too, so it cannot be below the memory limit");
        u->memory.limit = (ocirt_opt_int){true, (int64_t)limit};
    }
    if (!u->memory.check_before_update.value) return 0;
    if (u->memory.limit.set && u->memory.limit.value > 0 && (uint64_t)u->memory.limit.value <= used)
        return ocirt__ops_update_refuse(u, "limit", "the container uses as much memory as the new limit, or more");
    if (u->memory.swap.set && u->memory.swap.value > 0 && (uint64_t)u->memory.swap.value <= used + swapped)
        return ocirt__ops_update_refuse(u, "swap", "the container uses as much memory and swap as the new limit, or more");
    return 0;
}

/* Quota and period are one file: what is not given stays as it is. */
static void ocirt__ops_update_cpu(struct ocirt__update *u, ocirt_resources *out) {
    char  text[64];
    char *period;
    if (!u->limits->cpu || ocirt__path_read(ocirt__cgroup_outer(u->live.scope, u->live.cgroup), "cpu.max", text, sizeof text) <= 0 || !(period = strchr(text, ' '))) return;
    u->cpu = *u->limits->cpu, out->cpu = &u->cpu;
    bool quota_given = u->cpu.quota.set && u->cpu.quota.value, period_given = u->cpu.period.set && u->cpu.period.value;
    if (period_given && !quota_given) u->cpu.quota = (ocirt_opt_int){true, text[0] == 'm' ? -1 : strtoll(text, NULL, 10)};
    if (quota_given && !period_given) u->cpu.period = (ocirt_opt_uint){true, strtoull(period, NULL, 10)};
}

static int ocirt__ops_update_refused(struct ocirt__update *u, const struct ocirt__change *refused, int reason) {
    size_t stuck = 0;
    for (size_t i = 0; i < u->changes.count; i++) stuck += u->changes.items[i].done && u->changes.items[i].before;
    ocirt__error_set(u->error, OCIRT_E_CGROUP, -reason, refused->to.file, "write-cgroup %s = %s%s%s", refused->to.file, refused->to.value,
                     refused->dir == u->live.scope ? " on the scope" : "", stuck ? "; and some limits could not be put back" : "");
    ocirt__explain_limit(u->error, refused->to.file);
    if (u->spec->document && refused->to.token) ocirt__error_place(u->error, u->spec->document, refused->to.token);
    return -OCIRT_E_CGROUP;
}

/* A controller that no limit needed so far has to be enabled in the cgroups above. */
static int ocirt__ops_update_enable(struct ocirt__update *u, const ocirt_resources *limits) {
    ocirt__buffer controllers = {.arena = &u->live.found.arena};
    char detail[256] = "";
    int  dir = -1, r;
    ocirt__cgroup_controllers(limits, &controllers);
    if (controllers.size == 0) return 0;
    r = ocirt__cgroup_descend(u->live.root, u->live.found.record.cgroup, controllers.data, false, &dir, detail, sizeof detail);
    if (dir != u->live.root) ocirt__sys_close(&dir);
    return r < 0 ? ocirt__error_set(u->error, OCIRT_E_CGROUP, -r, u->live.found.record.cgroup, "%s", detail[0] ? detail : "enabling controllers") : 0;
}

/* systemd would write its own idea of the limits again at the next reload. It is asked first, as it may refuse. */
static int ocirt__ops_update_scope(struct ocirt__update *u, const struct ocirt__systemd_bytes *properties) {
    const struct ocirt__record *record = &u->live.found.record;
    char   detail[256] = "";
    struct ocirt__bus bus = {.fd = -1, .arena = &u->live.found.arena, .detail = detail, .rootless = record->user_manager};
    int r = ocirt__systemd_set(&bus, record->scope, properties);
    ocirt__systemd_close(&bus);
    return r < 0 ? ocirt__error_set(u->error, OCIRT_E_CGROUP, -r, record->scope, "changing %s: %s", record->scope, detail) : 0;
}

static void ocirt__ops_update_scope_back(struct ocirt__update *u) {
    ocirt_arena *arena = &u->live.found.arena;
    struct ocirt__properties_writer p = {.wire.out.arena = arena, .late.out.arena = arena, .update = true};
    struct ocirt__systemd_bytes before;
    ocirt_error *told = u->error;
    for (size_t i = 0; i < u->changes.count; i++) {
        const char *was = u->changes.items[i].before;
        if (was && u->changes.items[i].dir == ocirt__cgroup_outer(u->live.scope, u->live.cgroup)) ocirt__systemd_limit(&p, &(struct ocirt__limit){.file = u->changes.items[i].to.file, .value = was[0] == '\n' ? "" : was}); /* of an empty cpuset */
        p.refused[0] = 0;
    }
    u->error = NULL;
    if (ocirt__systemd_finish(&p, NULL, NULL, &before, NULL) == 0) (void)ocirt__ops_update_scope(u, &before);
    u->error = told;
}

static int ocirt__ops_update_limits(struct ocirt__update *u) {
    bool scope = u->live.found.record.scope[0] != 0;
    struct ocirt__systemd_bytes properties;
    const struct ocirt__change *refused = NULL;
    ocirt_resources limits = *u->limits;
    ocirt_probe probe;
    int r = ocirt__ops_update_memory(u, &limits);
    if (r < 0) return r;
    ocirt__ops_update_cpu(u, &limits);
    ocirt__probe_with(u->live.found.proc, &probe);
    r = ocirt__cgroup_check(&probe, &limits, u->spec->document, u->error);
    if (r == 0) r = ocirt__ops_update_enable(u, &limits);
    if (r == 0) r = ocirt__cgroup_limits(&limits, u->spec->document, ocirt__changes_add, &u->changes, u->error);
    if (r == 0 && u->changes.failed) r = ocirt__error_set(u->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    if (r < 0) return r;
    if (scope) r = ocirt__systemd_changes(&u->live.found.arena, &limits, u->spec->document, &properties, u->error);
    if (scope && r == 0) r = ocirt__ops_update_scope(u, &properties);
    if (r < 0) return r;
    u->told = scope;
    r = ocirt__changes_apply(&u->changes, &refused);
    return r < 0 ? ocirt__ops_update_refused(u, refused, r) : 0;
}

/* A caller who may load no program has none on the container either, and create has said nothing of it. */
static int ocirt__ops_update_devices(struct ocirt__update *u) {
    const ocirt_resources *l = u->limits;
    const struct ocirt__bpf_insn *program = NULL;
    size_t count = 0;
    ocirt_probe probe;
    int    r = ocirt__device_assemble(&u->live.found.arena, l->devices, l->devices_count, &program, &count, u->error), code = r;
    if (r == 0) r = ocirt__device_replace(u->live.cgroup, program, (uint32_t)count);
    if (r == 0) return 0;
    ocirt__probe_with(u->live.found.proc, &probe);
    if (code == 0 && r == -EPERM && (!(probe.capabilities >> 21 & 1 /* CAP_SYS_ADMIN */) || !probe.initial_userns)) return 0;
    if (code == 0) code = ocirt__error_set(u->error, OCIRT_E_CGROUP, -r, "devices", "attach-devices %zu eBPF instructions", count), ocirt__explain_devices(u->error);
    if (u->spec->document) ocirt__error_place(u->error, u->spec->document, ocirt__json_member(u->spec->document, l->token, "devices"));
    return code;
}

/* The kernel takes back what it printed. */
static int ocirt__ops_update_schemata(struct ocirt__update *u, const ocirt_intel_rdt *rdt) {
    const char *lines[] = {rdt->l3_cache_schema, rdt->mem_bw_schema}, *group = u->live.found.record.resctrl;
    int root, dir, r;
    if (!group[0]) return ocirt__error_set(u->error, OCIRT_E_STATE, 0, "intelRdt", "l3-cache-schema and mem-bw-schema are for containers created with linux.intelRdt");
    root = ocirt__resctrl_open(), r = dir = root < 0 ? root : ocirt__resctrl_group(root, group);
    if (r >= 0) r = (int)ocirt__path_read(dir, "schemata", u->schemata, sizeof u->schemata);
    if (r == (int)sizeof u->schemata - 1) r = -EFBIG; /* half a mask must not be written back */
    if (r >= 0) u->group = dir;
    if (r < 0) ocirt__error_set(u->error, OCIRT_E_SYSTEM, -r, group, "resctrl group %s", group);
    for (size_t i = 0; r >= 0 && i < 2; i++) {
        if (!lines[i] || !lines[i][0]) continue;
        r = ocirt__resctrl_write(dir, lines[i]);
        if (r < 0) ocirt__error_set(u->error, OCIRT_E_SYSTEM, -r, lines[i], "resctrl-schemata %s", lines[i]);
    }
    if (u->group < 0) ocirt__sys_close(&dir);
    ocirt__sys_close(&root);
    return r < 0 ? -OCIRT_E_SYSTEM : 0;
}

/* Whether the changes have anything to do with a cgroup. */
static bool ocirt__ops_asks(const ocirt_resources *l) {
    return l->devices_count || l->memory || l->cpu || l->pids || l->block_io || l->hugepage_limits_count || l->network || l->rdma_count || l->unified_count;
}

OCIRT_DEF int ocirt_update(const char *id, const ocirt_spec *changes, const ocirt_options *options, ocirt_error *error) {
    struct ocirt__update u = {.spec = changes, .limits = changes->linux_ ? changes->linux_->resources : NULL, .group = -1, .error = error};
    int r = ocirt__ops_enter(&u.live, id, options, true, u.limits != NULL && ocirt__ops_asks(u.limits), error);
    if (r < 0) return r;
    u.changes = (struct ocirt__changes){.arena = &u.live.found.arena, .scope = u.live.scope, .dir = u.live.cgroup};
    if (u.limits && u.live.cgroup >= 0) r = ocirt__ops_update_limits(&u);
    if (r == 0 && changes->linux_ && changes->linux_->intel_rdt) r = ocirt__ops_update_schemata(&u, changes->linux_->intel_rdt);
    if (r == 0 && u.limits && u.limits->devices_count) r = ocirt__ops_update_devices(&u); /* last: it is not taken back */
    if (r < 0) ocirt__changes_undo(&u.changes);
    if (r < 0 && u.told) ocirt__ops_update_scope_back(&u);
    if (r < 0 && u.group >= 0) (void)ocirt__path_write(u.group, "schemata", u.schemata, strlen(u.schemata));
    ocirt__sys_close(&u.group);
    ocirt__ops_leave(&u.live);
    return r;
}

/* ----- processes, figures, events ----- */

struct ocirt__listing {
    int              proc;
    ocirt_process_fn each;
    void            *user;
};

/* Arguments with blanks between, or the name in brackets of a process that has none. */
static void ocirt__ops_command(int proc, const char *path, char *status, char *out, size_t size) {
    long  n = ocirt__path_read(proc, path, out, size);
    char *name = strstr(status, "Name:\t");
    while (n > 0 && out[n - 1] == 0) n--;
    if (n <= 0) n = snprintf(out, size, "[%.*s]", name ? (int)strcspn(name + 6, "\n") : 0, name ? name + 6 : "");
    out[n] = 0;
    for (long i = 0; i < n; i++) { /* a container chooses them: no orders to a terminal, which reads UTF-8 */
        unsigned char byte = (unsigned char)out[i], next = (unsigned char)out[i + 1];
        bool two = byte == 0xc2 && next >= 0x80 && next < 0xa0;
        if (byte < ' ' || byte == 127 || two) out[i] = ' ';
        if (two) out[++i] = ' ';
    }
}

static int ocirt__ops_list_process(void *user, int pid) {
    struct ocirt__listing *l = user;
    char path[48], stat[1024], status[1024], command[4096], *uid;
    struct ocirt__clock up = ocirt__sys_clock(CLOCK_BOOTTIME);
    uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
    size_t n = ocirt__mem_decimal(path, (uint64_t)pid);
    ocirt_process_info info = {.pid = pid, .command = command};
    long r;
    strcpy(path + n, "/stat");
    r = ocirt__path_read(l->proc, path, stat, sizeof stat);
    strcpy(path + n, "/status");
    if (r > 0) r = ocirt__path_read(l->proc, path, status, sizeof status);
    if (r <= 0) return r == -ENOENT || r == -ESRCH ? 0 : (int)r; /* gone meanwhile */
    strcpy(path + n, "/cmdline");
    ocirt__ops_command(l->proc, path, status, command, sizeof command);
    uid = strstr(status, "\nUid:");
    info.uid  = uid ? (uint32_t)strtoul(uid + 5, NULL, 10) : 0;
    info.ppid = (int)ocirt__process_stat_field(stat, 4);
    info.cpu  = (ocirt__process_stat_field(stat, 14) + ocirt__process_stat_field(stat, 15)) * (1000000000 / ticks);
    info.age  = (uint64_t)up.sec - ocirt__process_stat_field(stat, 22) / ticks;
    return l->each(l->user, &info);
}

OCIRT_DEF int ocirt_processes(const char *id, const ocirt_options *options, ocirt_process_fn each, void *user, ocirt_error *error) {
    struct ocirt__live l;
    int r = ocirt__ops_enter(&l, id, options, false, true, error);
    if (r < 0) return r;
    struct ocirt__listing list = {.proc = l.found.proc, .each = each, .user = user};
    r = ocirt__cgroup_all_pids(l.cgroup, ocirt__ops_list_process, &list);
    ocirt__ops_leave(&l);
    return r < 0 ? ocirt__error_set(error, OCIRT_E_CGROUP, -r, id, "listing the processes of %s", id) : 0;
}

OCIRT_DEF int ocirt_stats_get(ocirt_arena *arena, const char *id, const ocirt_options *options, ocirt_stats *out_stats, ocirt_error *error) {
    struct ocirt__live l;
    int r = ocirt__ops_enter(&l, id, options, false, true, error);
    if (r < 0) return r;
    ocirt__stats_read(arena, ocirt__cgroup_outer(l.scope, l.cgroup), out_stats);
    ocirt__ops_leave(&l);
    return 0;
}

static int ocirt__ops_report(int cgroup, ocirt_event_fn each, void *user) {
    ocirt_arena arena = {0};
    ocirt_stats stats;
    int r;
    ocirt__stats_read(&arena, cgroup, &stats);
    r = each(user, &stats);
    ocirt_arena_free(&arena);
    return r;
}

/* memory.events becomes readable (POLLPRI) when it changes; init's pidfd when init has ended. */
static int ocirt__ops_watch(struct ocirt__live *l, unsigned interval_ms, ocirt_event_fn each, void *user) {
    char     text[512];
    int      file = ocirt__path_exact(l->cgroup, "memory.events", O_RDONLY), r = ocirt__ops_report(ocirt__cgroup_outer(l->scope, l->cgroup), each, user);
    uint64_t kills = 0, now = 0;
    int64_t  next = ocirt__sys_now_ms() + interval_ms;
    struct pollfd wait[2] = {{.fd = l->found.process.pidfd, .events = POLLIN}, {.fd = file, .events = POLLPRI}};
    (void)ocirt__cgroup_event(l->cgroup, "memory.events", "oom_kill", &kills);
    while (r >= 0 && !wait[0].revents) {
        int64_t left = next - ocirt__sys_now_ms();
        if (file >= 0) (void)OCIRT__SYS3(SYS_lseek, file, 0, SEEK_SET), (void)ocirt__sys_read(file, text, sizeof text);
        r = ocirt__cgroup_event(l->cgroup, "memory.events", "oom_kill", &now) == 0 && now > kills ? each(user, NULL) : 0;
        if (now > kills) kills = now;
        if (r >= 0 && left <= 0) r = ocirt__ops_report(ocirt__cgroup_outer(l->scope, l->cgroup), each, user), next = ocirt__sys_now_ms() + interval_ms;
        if (r >= 0 && ocirt__sys_poll(wait, 2, left > 0 ? left : 0) < 0) r = -EIO;
    }
    if (r >= 0 && ocirt__cgroup_event(l->cgroup, "memory.events", "oom_kill", &now) == 0 && now > kills) r = each(user, NULL); /* it was init */
    ocirt__sys_close(&file);
    return r;
}

OCIRT_DEF int ocirt_events(const char *id, const ocirt_options *options, unsigned interval_ms, ocirt_event_fn each, void *user, ocirt_error *error) {
    struct ocirt__live l;
    int r = ocirt__ops_enter(&l, id, options, false, true, error);
    if (r < 0) return r;
    r = ocirt__ops_watch(&l, interval_ms ? interval_ms : 1000, each, user);
    ocirt__ops_leave(&l);
    return r < 0 ? ocirt__error_set(error, OCIRT_E_IO, 0, id, "the events of %s", id) : 0;
}

static void ocirt__ops_fill_state(const struct ocirt__found *f, const char *id, ocirt_state *out) {
    const struct ocirt__record *r = &f->record;
    bool paused = f->process.pid && f->process.complete && ocirt__state_is_paused(r);
    *out = (ocirt_state){.id = id, .status = paused ? "paused" : ocirt__state_status(&f->process), .bundle = r->bundle, .rootfs = r->rootfs, .created = r->created,
                         .owner = r->owner == 0 ? "root" : "", .oci_version = OCIRT_SPEC_VERSION, .cgroup = r->cgroup, .pid = f->process.pid,
                         .annotations = r->annotations, .annotations_count = r->annotations_count};
}

OCIRT_DEF int ocirt_state_get(ocirt_arena *arena, const char *id, const ocirt_options *options, ocirt_state *out_state, ocirt_error *error) {
    struct ocirt__found f;
    int r = ocirt__ops_find(&f, id, options, false, error);
    if (r < 0) return r;
    if (!f.whole) r = ocirt__ops_broken(id, error);
    else ocirt__ops_fill_state(&f, ocirt__mem_format(&f.arena, "%s", id), out_state);
    /* The strings outlive the descriptors: the arena changes hands. */
    if (r == 0) ocirt__mem_adopt(arena, &f.arena);
    ocirt__ops_let_go(&f);
    return r;
}

OCIRT_DEF int ocirt_state_write(const ocirt_state *s, ocirt_write_fn write, void *user) {
    ocirt_arena   arena = {0};
    ocirt__buffer t = {.arena = &arena};
    int r;
    ocirt__buffer_text(&t, "{\n  \"ociVersion\": ");
    ocirt__json_write_string(&t, s->oci_version);
    ocirt__state_text_member(&t, "id", s->id);
    ocirt__buffer_format(&t, ",\n  \"pid\": %d", s->pid);
    ocirt__state_text_member(&t, "status", s->status);
    ocirt__state_text_member(&t, "bundle", s->bundle);
    ocirt__state_text_member(&t, "rootfs", s->rootfs);
    ocirt__state_text_member(&t, "created", s->created);
    if (s->annotations_count) ocirt__buffer_text(&t, ",\n  \"annotations\": {");
    for (size_t i = 0; i < s->annotations_count; i++) {
        ocirt__buffer_text(&t, i ? ",\n    " : "\n    ");
        ocirt__json_write_string(&t, s->annotations[i].key);
        ocirt__buffer_text(&t, ": ");
        ocirt__json_write_string(&t, s->annotations[i].value);
    }
    if (s->annotations_count) ocirt__buffer_text(&t, "\n  }");
    ocirt__state_text_member(&t, "owner", s->owner);
    ocirt__buffer_text(&t, "\n}\n");
    r = t.failed ? -OCIRT_E_MEMORY : write(user, t.data, t.size);
    ocirt_arena_free(&arena);
    return r;
}

/* One entry of the state root. What is not ours or cannot be read is passed over. */
static int ocirt__ops_list_one(const ocirt_options *options, const char *name, ocirt_state_fn each, void *user) {
    ocirt_arena arena = {0};
    ocirt_state state;
    ocirt_error ignored;
    int r = 0;
    if (ocirt_state_get(&arena, name, options, &state, &ignored) == 0) r = each(user, &state);
    ocirt_arena_free(&arena);
    return r;
}

OCIRT_DEF int ocirt_list(const ocirt_options *options, ocirt_state_fn each, void *user, ocirt_error *error) {
    union {
        char     bytes[4096];
        uint64_t aligned;
    } buffer;
    int  r = 0, root;
    long n = 0;
    if (error) memset(error, 0, sizeof *error);
    root = ocirt__state_root(options, false, error);
    if (root == -OCIRT_E_NOT_FOUND) {
        if (error) memset(error, 0, sizeof *error);
        return 0;
    }
    if (root < 0) return root;
    while (r >= 0 && (n = ocirt__sys_getdents(root, buffer.bytes, sizeof buffer.bytes)) > 0) {
        for (long at = 0; r >= 0 && at < n;) {
            const struct ocirt__dirent64 *e = (const void *)(buffer.bytes + at);
            at += e->size;
            if (e->name[0] != '.' && ocirt__state_check_id(e->name, NULL) == 0) r = ocirt__ops_list_one(options, e->name, each, user);
        }
    }
    ocirt__sys_close(&root);
    if (n < 0) return ocirt__error_set(error, OCIRT_E_IO, (int)-n, "", "reading the state root");
    return r;
}

OCIRT_DEF void ocirt_make_id(char out_id[32]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char random[6];
    memcpy(out_id, "ocirt-", 6);
    if (OCIRT__SYS3(SYS_getrandom, random, sizeof random, 1 /* GRND_NONBLOCK */) != (long)sizeof random) {
        uint64_t now = (uint64_t)ocirt__sys_clock(CLOCK_REALTIME).nsec;
        for (int i = 0; i < 6; i++) random[i] = (unsigned char)(now >> (i * 5));
    }
    for (int i = 0; i < 6; i++) {
        out_id[6 + 2 * i] = digits[random[i] >> 4];
        out_id[7 + 2 * i] = digits[random[i] & 15];
    }
    out_id[18] = 0;
}

OCIRT_DEF const char *ocirt_version(void) {
    return OCIRT_VERSION;
}

/* ===========================================================================================
   >>checkpoint   checkpoint and restore by the criu program, which is started as `criu swrk FD` and spoken to over
   a SOCK_SEQPACKET pair: one protobuf message of its rpc.proto each way, and between them notices, which it waits
   to have answered. Needs criu 3.15. Fields that an older one does not know it passes over.
   A restored container is made by criu, below the cgroup, the limits and the state folder that create makes for it;
   its init is a child of the caller. criu works in a mount namespace of its own, where the root is a mount: nothing
   is mounted among the host's. What comes from outside is named at both ends: bind mounts by their destination in
   the config, masked files as /dev/null, joined namespaces, and init's standard descriptors (descriptors.json).
   The images are the caller's, trusted as the config is; criu's answers are read with bounds all the same.
   =========================================================================================== */

/* ----- protobuf, as much as there is need of (protobuf.dev, encoding) ----- */

enum { OCIRT__PROTO_NUMBER, OCIRT__PROTO_EIGHT, OCIRT__PROTO_BYTES, OCIRT__PROTO_FOUR = 5 };

static void ocirt__checkpoint_put(ocirt__buffer *b, uint64_t number) {
    do {
        char byte = (char)((number & 127) | (number > 127 ? 128 : 0));
        ocirt__buffer_put(b, &byte, 1);
    } while (number >>= 7);
}

static void ocirt__checkpoint_put_number(ocirt__buffer *b, unsigned field, uint64_t number) {
    ocirt__checkpoint_put(b, field << 3 | OCIRT__PROTO_NUMBER);
    ocirt__checkpoint_put(b, number);
}

static void ocirt__checkpoint_put_bytes(ocirt__buffer *b, unsigned field, const char *data, size_t size) {
    ocirt__checkpoint_put(b, field << 3 | OCIRT__PROTO_BYTES);
    ocirt__checkpoint_put(b, size);
    ocirt__buffer_put(b, data, size);
}

static void ocirt__checkpoint_put_text(ocirt__buffer *b, unsigned field, const char *text) {
    ocirt__checkpoint_put_bytes(b, field, text, strlen(text));
}

/* A message of a text, and behind it another one, or a number. */
static void ocirt__checkpoint_put_pair(ocirt__buffer *b, unsigned field, const char *first, const char *second, int number) {
    ocirt__buffer pair = {.arena = b->arena};
    ocirt__checkpoint_put_text(&pair, 1, first);
    if (second) ocirt__checkpoint_put_text(&pair, 2, second);
    else ocirt__checkpoint_put_number(&pair, 2, (uint64_t)number);
    b->failed |= pair.failed;
    if (!pair.failed) ocirt__checkpoint_put_bytes(b, field, pair.data, pair.size);
}

struct ocirt__proto { /* what is left of a message, and the field that was taken off its front */
    const unsigned char *at, *end, *data;
    unsigned             field, kind;
    uint64_t             number; /* of BYTES: how many */
};

static int ocirt__checkpoint_take_number(struct ocirt__proto *w, uint64_t *out) {
    *out = 0;
    for (unsigned shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        unsigned byte = *w->at++;
        if (shift == 63 && byte > 1) return -EBADMSG;
        *out |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return 0;
    }
    return -EBADMSG;
}

/* 1: a field; 0: the end. */
static int ocirt__checkpoint_take(struct ocirt__proto *w) {
    uint64_t key;
    if (w->at == w->end) return 0;
    if (ocirt__checkpoint_take_number(w, &key) < 0 || key >> 3 == 0 || key >> 32) return -EBADMSG;
    w->field = (unsigned)(key >> 3), w->kind = (unsigned)(key & 7);
    if (w->kind == OCIRT__PROTO_NUMBER) return ocirt__checkpoint_take_number(w, &w->number) < 0 ? -EBADMSG : 1;
    if (w->kind == OCIRT__PROTO_EIGHT || w->kind == OCIRT__PROTO_FOUR) w->number = w->kind == OCIRT__PROTO_EIGHT ? 8 : 4;
    else if (w->kind != OCIRT__PROTO_BYTES || ocirt__checkpoint_take_number(w, &w->number) < 0) return -EBADMSG;
    if (w->number > (uint64_t)(w->end - w->at)) return -EBADMSG;
    w->data = w->at;
    w->at += w->number;
    return 1;
}

/* ----- the messages of rpc.proto ----- */

enum { OCIRT__CRIU_DUMP = 1, OCIRT__CRIU_RESTORE = 2, OCIRT__CRIU_PRE_DUMP = 4, OCIRT__CRIU_NOTIFY = 6, OCIRT__CRIU_VERSION = 10, OCIRT__CRIU_SINGLE_PRE_DUMP = 13 };

/* Beside the flags of ocirt_checkpoint_options. */
#define OCIRT__CHECKPOINT_TRACK   0x10000u /* pages that change, for the next dump */
#define OCIRT__CHECKPOINT_ORPHANS 0x20000u /* terminals whose master is held outside */
#define OCIRT__CHECKPOINT_RESTORE 0x40000u

struct ocirt__criu_options { /* 0 and NULL: left out */
    int         images, work, pid, level, cgroups, empty, lock;
    unsigned    flags;
    const char *log, *root, *parent, *freeze, *config, *profile, *context;
};

enum { OCIRT__CRIU_INT, OCIRT__CRIU_FLAG, OCIRT__CRIU_TEXT };

#define OCIRT__INT(field, member)  {field, OCIRT__CRIU_INT, offsetof(struct ocirt__criu_options, member)}
#define OCIRT__TEXT(field, member) {field, OCIRT__CRIU_TEXT, offsetof(struct ocirt__criu_options, member)}
#define OCIRT__FLAG(field, flag)   {field, OCIRT__CRIU_FLAG, flag}
static const struct {
    uint8_t  field, kind;
    uint32_t at; /* in the struct; of a flag: its bit */
} ocirt__checkpoint_fields[] = {
    OCIRT__INT(1, images), OCIRT__INT(2, pid), OCIRT__FLAG(3, OCIRT_CHECKPOINT_LEAVE_RUNNING), OCIRT__FLAG(4, OCIRT_CHECKPOINT_EXT_UNIX_SK),
    OCIRT__FLAG(5, OCIRT_CHECKPOINT_TCP_ESTABLISHED), OCIRT__FLAG(6 /* evasive_devices */, OCIRT__CHECKPOINT_RESTORE), OCIRT__FLAG(7, OCIRT_CHECKPOINT_SHELL_JOB),
    OCIRT__FLAG(8, OCIRT_CHECKPOINT_FILE_LOCKS), OCIRT__INT(9, level), OCIRT__TEXT(10, log), OCIRT__FLAG(12 /* notify_scripts */, OCIRT__CHECKPOINT_RESTORE),
    OCIRT__TEXT(13, root), OCIRT__TEXT(14, parent), OCIRT__FLAG(15, OCIRT__CHECKPOINT_TRACK), OCIRT__FLAG(16, OCIRT_CHECKPOINT_AUTO_DEDUP), OCIRT__INT(17, work),
    OCIRT__FLAG(18, OCIRT_CHECKPOINT_LINK_REMAP), OCIRT__FLAG(26 /* rst_sibling */, OCIRT__CHECKPOINT_RESTORE), OCIRT__INT(38, empty), OCIRT__TEXT(44, freeze),
    OCIRT__FLAG(46, OCIRT_CHECKPOINT_TCP_SKIP_IN_FLIGHT), OCIRT__FLAG(50, OCIRT__CHECKPOINT_ORPHANS), OCIRT__TEXT(51, config), OCIRT__FLAG(52, OCIRT_CHECKPOINT_TCP_CLOSE),
    OCIRT__TEXT(53, profile), OCIRT__TEXT(63, context), OCIRT__INT(64, lock)};
#undef OCIRT__INT
#undef OCIRT__TEXT
#undef OCIRT__FLAG

static void ocirt__checkpoint_write_options(ocirt__buffer *b, const struct ocirt__criu_options *o) {
    for (size_t i = 0; i < sizeof ocirt__checkpoint_fields / sizeof ocirt__checkpoint_fields[0]; i++) {
        unsigned    field = ocirt__checkpoint_fields[i].field, kind = ocirt__checkpoint_fields[i].kind, at = ocirt__checkpoint_fields[i].at;
        int         number = 0;
        const char *text = NULL;
        if (kind == OCIRT__CRIU_INT) memcpy(&number, (const char *)o + at, sizeof number);
        else if (kind == OCIRT__CRIU_TEXT) memcpy(&text, (const char *)o + at, sizeof text);
        else number = (o->flags & at) != 0;
        if (text) ocirt__checkpoint_put_text(b, field, text);
        else if (number) ocirt__checkpoint_put_number(b, field, (uint64_t)number);
    }
    ocirt__checkpoint_put_number(b, 34, (uint64_t)o->cgroups); /* 0 is a mode */
}

struct ocirt__criu_reply {
    uint32_t type, success, sys, pid, major, minor; /* type 0: none came */
    char     script[32], message[320];
};

/* Where a number or a text of a reply goes: by its field, and by that of the message in which it is. */
static const struct {
    uint8_t  outer, field, kind;
    uint16_t at, size;
} ocirt__checkpoint_answers[] = {
#define OCIRT__AT(outer, field, kind, member) {outer, field, kind, offsetof(struct ocirt__criu_reply, member), sizeof((struct ocirt__criu_reply *)0)->member}
    OCIRT__AT(0, 1, OCIRT__PROTO_NUMBER, type), OCIRT__AT(0, 2, OCIRT__PROTO_NUMBER, success), OCIRT__AT(0, 7, OCIRT__PROTO_NUMBER, sys),
    OCIRT__AT(0, 9, OCIRT__PROTO_BYTES, message), OCIRT__AT(4, 1, OCIRT__PROTO_NUMBER, pid), OCIRT__AT(5, 1, OCIRT__PROTO_BYTES, script),
    OCIRT__AT(5, 2, OCIRT__PROTO_NUMBER, pid), OCIRT__AT(10, 1, OCIRT__PROTO_NUMBER, major), OCIRT__AT(10, 2, OCIRT__PROTO_NUMBER, minor)};
#undef OCIRT__AT

/* On one line, and without orders to a terminal. */
static void ocirt__checkpoint_copy_text(char *out, size_t size, const unsigned char *data, uint64_t n) {
    size_t kept = n < size - 1 ? (size_t)n : size - 1;
    for (size_t i = 0; i < kept; i++) out[i] = (char)(data[i] < ' ' || data[i] == 127 ? ' ' : data[i]);
    while (kept > 0 && out[kept - 1] == ' ') kept--;
    out[kept] = 0;
}

static int ocirt__checkpoint_read(struct ocirt__criu_reply *out, unsigned outer, const unsigned char *data, size_t size) {
    struct ocirt__proto w = {.at = data, .end = data + size};
    int r;
    while ((r = ocirt__checkpoint_take(&w)) > 0) {
        bool inside = outer == 0 && w.kind == OCIRT__PROTO_BYTES && (w.field == 4 || w.field == 5 || w.field == 10);
        if (inside && ocirt__checkpoint_read(out, w.field, w.data, (size_t)w.number) < 0) return -EBADMSG;
        for (size_t i = 0; i < sizeof ocirt__checkpoint_answers / sizeof ocirt__checkpoint_answers[0]; i++) {
            char    *to = (char *)out + ocirt__checkpoint_answers[i].at;
            uint32_t number = (uint32_t)w.number;
            if (ocirt__checkpoint_answers[i].outer != outer || ocirt__checkpoint_answers[i].field != w.field || ocirt__checkpoint_answers[i].kind != w.kind) continue;
            if (w.kind == OCIRT__PROTO_NUMBER) memcpy(to, &number, sizeof number);
            else ocirt__checkpoint_copy_text(to, ocirt__checkpoint_answers[i].size, w.data, w.number);
        }
    }
    return r;
}

/* ----- a checkpoint or restore on its way ----- */

struct ocirt__checkpoint {
    struct ocirt__job          *job;
    const ocirt_checkpoint_options *how;
    struct ocirt__criu_options  ask;
    ocirt__buffer               more; /* of criu_opts: what there may be any number of */
    struct ocirt__criu_reply    reply;
    char                        program[PATH_MAX], root[PATH_MAX]; /* root: of a restore */
    char                       *message; /* room for one */
    const char                 *folder;  /* where the log is */
    int                         talk, pidfd, pid, kept[8]; /* kept: descriptors that criu gets, its socket first */
    unsigned                    kept_count;
    bool                        restore, mounted, told; /* mounted: the root is a mount; told: the error is set */
    siginfo_t                   end;
};
enum { OCIRT__CHECKPOINT_ROOM = 32768 };
#define OCIRT__CHECKPOINT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int ocirt__checkpoint_refuse(struct ocirt__checkpoint *c, int code, int sys, const char *object, const char *what) {
    c->told = true;
    return ocirt__error_set(c->job->error, code, sys, object, "cannot %s %s: %s%s%s", c->restore ? "restore" : "checkpoint", c->job->id, what, object[0] ? " " : "", object);
}

/* The path of a descriptor. */
static int ocirt__checkpoint_path(const struct ocirt__checkpoint *c, int fd, char out[PATH_MAX]) {
    char link[40] = "self/fd/";
    if (fd < 0) return fd;
    ocirt__mem_decimal(link + 8, (uint64_t)fd);
    return (int)ocirt__sys_readlinkat(c->job->proc, link, out, PATH_MAX);
}

/* A folder once more, as criu's mount namespace has it: criu works in it, and makes mounts there. */
static int ocirt__checkpoint_open_inside(const struct ocirt__checkpoint *c, int *fd) {
    char path[PATH_MAX], link[40];
    int  root, inside, r = ocirt__checkpoint_path(c, *fd, path);
    snprintf(link, sizeof link, "%d/root", c->pid);
    root   = r < 0 ? r : ocirt__sys_openat(c->job->proc, link, O_PATH | O_DIRECTORY, 0);
    inside = root < 0 ? root : ocirt__sys_openat(root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0);
    ocirt__sys_close(&root);
    if (inside < 0) return inside == -ENOENT ? -ECHILD : inside; /* it has ended */
    ocirt__sys_close(fd);
    *fd = inside;
    return 0;
}

/* ----- what criu gives notice of ----- */

/* The host's rows with these verbs. */
static int ocirt__checkpoint_rows(struct ocirt__checkpoint *c, unsigned first, unsigned last) {
    struct ocirt__actor *a = &c->job->host.actor;
    int r = 0;
    a->carry_out = ocirt__spawn_carry_out;
    for (uint32_t i = 0; r == 0 && i < a->plan->walk_count; i++) {
        const struct ocirt__row *row = ocirt__plan_row(a->plan, i);
        if (row->actor != OCIRT_ACTOR_HOST || row->flags & OCIRT__ROW_ALTERNATE || row->verb < first || row->verb > last) continue;
        if ((r = ocirt__step_row(a, i)) < 0) ocirt__step_failed(a, i, r);
    }
    c->told |= r < 0;
    return r < 0 ? ocirt__ops_failed(c->job) : 0;
}

/* Init, as soon as it is there: it must be a child of ours before it is believed to be the container's. Its own
   children are not born yet, so that one move puts all of them into the cgroup. */
static int ocirt__checkpoint_adopt(struct ocirt__checkpoint *c) {
    struct ocirt__host *h = &c->job->host;
    siginfo_t end;
    int r = h->pidfd = c->reply.pid > INT_MAX ? -ESRCH : ocirt__sys_pidfd_open((int)c->reply.pid);
    if (r >= 0) r = (int)OCIRT__SYS5(SYS_waitid, OCIRT__PIDFD_P, h->pidfd, &end, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);
    if (r < 0) {
        ocirt__sys_close(&h->pidfd);
        return ocirt__checkpoint_refuse(c, OCIRT_E_SYSTEM, -r, "", "criu names a process that is not its work");
    }
    h->pid = h->actor.page->init_pid = (int)c->reply.pid;
    h->actor.page->outside_cgroup = h->actor.slots[OCIRT__SLOT_CGROUP] >= 0;
    r = ocirt__spawn_record(h);
    return r < 0 ? ocirt__checkpoint_refuse(c, OCIRT_E_SYSTEM, -r, "", "recording its process") : 0;
}

/* The hooks of the host run once the namespaces are there, as at create. A failure is criu's to take back. */
static int ocirt__checkpoint_notice(struct ocirt__checkpoint *c) {
    int r;
    if (!c->restore || c->job->host.pidfd >= 0 || c->reply.pid == 0) return 0;
    r = ocirt__checkpoint_adopt(c);
    if (r == 0) r = ocirt__checkpoint_rows(c, OCIRT__VERB_RESCTRL_JOIN, OCIRT__VERB_RESCTRL_JOIN);
    return r < 0 ? r : ocirt__checkpoint_rows(c, OCIRT__VERB_HOOKS, OCIRT__VERB_HOOKS);
}

/* ----- the conversation ----- */

static int ocirt__checkpoint_launch(struct ocirt__checkpoint *c) {
    char  number[24], *argv[] = {(char[]){"criu"}, (char[]){"swrk"}, number, NULL};
    char *env[] = {(char[]){"PATH=" OCIRT__CHECKPOINT_PATH}, NULL};
    int   pair[2], r = (int)OCIRT__SYS4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
    char *stack = ocirt__mem_take(&c->job->arena, OCIRT__PLAN_STACK);
    struct ocirt__launch launch = {.path = c->program, .image = -1, .argv = argv, .env = env, .input = -1, .output = -1, .cgroup = -1, .keep = c->kept,
                                   .keep_count = c->kept_count, .namespaces = c->restore ? OCIRT__CLONE_NEWNS : 0, .root = !c->restore ? NULL : c->mounted ? "" : c->root};
    if (r < 0 || !stack) return r < 0 ? r : -ENOMEM;
    c->talk = pair[0], c->kept[0] = pair[1];
    number[ocirt__mem_decimal(number, (uint64_t)pair[1])] = 0;
    r = c->pidfd = ocirt__program_launch(&launch, stack, OCIRT__PLAN_STACK, &c->pid);
    ocirt__sys_close(&pair[1]);
    return r < 0 ? r : 0;
}

/* That criu is gone shows where its answer is awaited. */
static int ocirt__checkpoint_say(struct ocirt__checkpoint *c, const char *data, size_t size) {
    long n = OCIRT__SYS5(SYS_sendto, c->talk, data, size, MSG_NOSIGNAL, NULL);
    return n < 0 && n != -EPIPE && n != -ECONNRESET && n != -ENOTCONN && n != -ECONNREFUSED ? (int)n : 0;
}

/* A message, and with it perhaps a descriptor, the master of a terminal. 0: the end. */
static long ocirt__checkpoint_hear(struct ocirt__checkpoint *c) {
    union {
        struct cmsghdr header;
        char           room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec  space   = {.iov_base = c->message, .iov_len = OCIRT__CHECKPOINT_ROOM};
    struct msghdr message = {.msg_iov = &space, .msg_iovlen = 1, .msg_control = &control};
    long n;
    message.msg_controllen = sizeof control.room;
    do n = OCIRT__SYS3(SYS_recvmsg, c->talk, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n == -ECONNRESET || n == -EINTR); /* the first: it ended with something of ours unread */
    if (n > 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)) && control.header.cmsg_type == SCM_RIGHTS) {
        ocirt__sys_close(&c->job->host.terminal);
        memcpy(&c->job->host.terminal, CMSG_DATA(&control.header), sizeof(int));
    }
    return n > 0 && message.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

/* The next message. -ECHILD: criu has ended without one. What it leaves behind may hold its socket open, so the end
   is that of the process. */
static int ocirt__checkpoint_receive(struct ocirt__checkpoint *c) {
    struct pollfd wait[2] = {{.fd = c->talk, .events = POLLIN}, {.fd = c->pidfd, .events = POLLIN}};
    for (;;) {
        int  r = ocirt__sys_poll(wait, 2, -1);
        long n = r < 0 ? r : ocirt__checkpoint_hear(c);
        memset(&c->reply, 0, sizeof c->reply);
        if (n > 0) return ocirt__checkpoint_read(&c->reply, 0, (const unsigned char *)c->message, (size_t)n);
        if (n < 0 && n != -EAGAIN) return (int)n;
        if (wait[1].revents) return -ECHILD;
        if (n == 0) wait[0].fd = -1;
    }
}

/* criu is told to end, and awaited. One that does not speak its own protocol is none. What a failed restore has left
   is of criu's process group: an init of which nothing was said yet, and that is a child of ours. */
static void ocirt__checkpoint_end(struct ocirt__checkpoint *c, int result) {
    struct pollfd gone = {.fd = c->pidfd, .events = POLLIN};
    siginfo_t other;
    if (result < 0 && result != -ECHILD && result != -ECANCELED) (void)ocirt__sys_pidfd_signal(c->pidfd, SIGKILL);
    ocirt__sys_close(&c->talk);
    (void)ocirt__sys_poll(&gone, 1, -1);
    if (result < 0 && c->restore) OCIRT__SYS2(SYS_kill, -c->pid, SIGKILL);
    if (ocirt__sys_reap(c->pidfd, &c->end) < 0) memset(&c->end, 0, sizeof c->end);
    while (result < 0 && c->restore && OCIRT__SYS5(SYS_waitid, P_PGID, c->pid, &other, WEXITED | __WALL, NULL) == 0) {}
    ocirt__sys_close(&c->pidfd);
}

/* Of criu's log what tells of errors; its answer has at most the first, which is not always the one. */
static void ocirt__checkpoint_quote(struct ocirt__checkpoint *c) {
    size_t size = 0, n = 0;
    char  *line = ocirt__state_get(&c->job->arena, c->ask.work ? c->ask.work : c->ask.images, c->ask.log, 0, &size);
    ocirt_error *e = c->job->error;
    for (; e && line && n + 2 < sizeof e->hint && (line = strstr(line, "Error (")); line += size) {
        size = strcspn(line, "\n");
        if (n) memcpy(e->hint + n, "; ", 2), n += 2;
        ocirt__checkpoint_copy_text(e->hint + n, sizeof e->hint - n, (const unsigned char *)line, size);
        n += strlen(e->hint + n);
    }
    if (!n) ocirt__error_hint(e, "`criu check` tells what this kernel lacks; it has to be root's");
}

static int ocirt__checkpoint_failed(struct ocirt__checkpoint *c, int result) {
    const char *message = c->reply.message;
    char text[64] = "";
    if (c->told) return c->job->error ? -c->job->error->code : -OCIRT_E_SYSTEM;
    c->told = true;
    if (result == -ECHILD && c->end.si_code == CLD_EXITED) snprintf(text, sizeof text, "it ended with exit status %d and without an answer", c->end.si_status);
    else if (result == -ECHILD) snprintf(text, sizeof text, "it was ended by signal %d before it answered", c->end.si_status);
    else if (result == -EBADMSG || result == -EMSGSIZE) snprintf(text, sizeof text, "its answer is none of its protocol");
    else if (result != -ECANCELED) snprintf(text, sizeof text, "%s", ocirt_errno_text(-result));
    else if (!message[0] && c->reply.sys == EBADRQC) snprintf(text, sizeof text, "it does not know one of the options");
    else if (!message[0]) snprintf(text, sizeof text, "it does not say why (%s)", c->reply.sys ? ocirt_errno_text((int)c->reply.sys) : "no errno");
    ocirt__error_set(c->job->error, OCIRT_E_SYSTEM, 0, c->program, "cannot %s %s: criu failed: %s, see %s/%s", c->restore ? "restore" : "checkpoint", c->job->id,
                     text[0] ? text : message, c->folder, c->ask.log);
    ocirt__checkpoint_quote(c);
    return -OCIRT_E_SYSTEM;
}

/* A pre-dump that waits for another one, and calls it a failure that none comes, is all that criu has before 3.17. */
static int ocirt__checkpoint_known(struct ocirt__checkpoint *c, unsigned *type) {
    static const char question[] = {1 << 3, OCIRT__CRIU_VERSION, 4 << 3, 1}; /* and the connection stays */
    char text[64];
    int  r = ocirt__checkpoint_say(c, question, sizeof question);
    if (r == 0) r = ocirt__checkpoint_receive(c);
    if (r < 0) return r;
    if (*type == OCIRT__CRIU_PRE_DUMP && (c->reply.major > 3 || c->reply.minor >= 17)) *type = OCIRT__CRIU_SINGLE_PRE_DUMP;
    if (c->reply.type == OCIRT__CRIU_VERSION && (c->reply.major > 3 || (c->reply.major == 3 && c->reply.minor >= 15))) return 0;
    snprintf(text, sizeof text, "criu %u.%u is too old", c->reply.major, c->reply.minor);
    ocirt__checkpoint_refuse(c, OCIRT_E_UNSUPPORTED, 0, "", text);
    ocirt__error_hint(c->job->error, "install criu 3.15 or newer");
    return -ECANCELED;
}

static int ocirt__checkpoint_converse(struct ocirt__checkpoint *c, unsigned *type) {
    static const char answers[2][4] = {{1 << 3, OCIRT__CRIU_NOTIFY, 3 << 3, 0}, {1 << 3, OCIRT__CRIU_NOTIFY, 3 << 3, 1}};
    ocirt__buffer request = {.arena = &c->job->arena};
    int r = ocirt__checkpoint_known(c, type);
    ocirt__checkpoint_put_number(&request, 1, *type);
    ocirt__checkpoint_put_bytes(&request, 2, c->more.data, c->more.size);
    if (r == 0) r = request.failed ? -ENOMEM : ocirt__checkpoint_say(c, request.data, request.size);
    while (r == 0 && (r = ocirt__checkpoint_receive(c)) == 0 && c->reply.type == OCIRT__CRIU_NOTIFY)
        r = ocirt__checkpoint_say(c, answers[ocirt__checkpoint_notice(c) == 0], sizeof answers[0]);
    return r < 0 ? r : c->reply.success && c->reply.type == *type && !c->told ? 0 : -ECANCELED;
}

/* What a restore needs beside the request: the cgroup with its limits, which as a scope of systemd needs a process to
   begin with, and the folders as criu has them. */
static int ocirt__checkpoint_prepare(struct ocirt__checkpoint *c) {
    struct ocirt__host *h = &c->job->host;
    const ocirt_plan *plan = h->actor.plan;
    int r;
    if (!c->restore) return 0;
    h->pid = c->pid;
    r = ocirt__checkpoint_rows(c, OCIRT__VERB_CGROUP_MAKE, OCIRT__VERB_RESCTRL_WRITE);
    h->pid = 0;
    if (h->actor.slots[OCIRT__SLOT_CGROUP] >= 0) ocirt__checkpoint_put_pair(&c->more, 25, "", plan->scope ? h->cgroup : ocirt__plan_text(plan, plan->cgroup), 0);
    if (r == 0) r = ocirt__checkpoint_open_inside(c, &c->ask.images);
    return r == 0 && c->ask.work ? ocirt__checkpoint_open_inside(c, &c->ask.work) : r;
}

static int ocirt__checkpoint_talk(struct ocirt__checkpoint *c, unsigned type) {
    int r = ocirt__checkpoint_launch(c);
    if (r < 0) return ocirt__checkpoint_refuse(c, OCIRT_E_SYSTEM, -r, c->program, "starting");
    r = ocirt__checkpoint_prepare(c);
    ocirt__checkpoint_write_options(&c->more, &c->ask);
    c->message = ocirt__mem_take(&c->job->arena, OCIRT__CHECKPOINT_ROOM);
    if (r == 0 && (c->more.failed || !c->message)) r = -ENOMEM;
    if (r == 0) r = ocirt__checkpoint_converse(c, &type);
    ocirt__checkpoint_end(c, r);
    if (r == 0 && type != OCIRT__CRIU_PRE_DUMP && (c->end.si_code != CLD_EXITED || c->end.si_status != 0)) r = -ECHILD;
    return r == 0 ? 0 : ocirt__checkpoint_failed(c, r);
}

/* ----- what is asked for ----- */

static int ocirt__checkpoint_folder(struct ocirt__checkpoint *c, const char *path, bool make, int *out) {
    char *copy = ocirt__mem_format(&c->job->arena, "%s", path);
    int   r = !copy ? -ENOMEM : make ? ocirt__state_make_path(copy) : 0;
    if (r == 0) r = *out = ocirt__sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    return r < 0 ? ocirt__checkpoint_refuse(c, OCIRT_E_IO, -r, path, "folder") : 0;
}

/* A file of options for criu, as runc and crun know it: the one of the annotation, none if that is empty. */
static const char *ocirt__checkpoint_config(const ocirt_pair *annotations, size_t count) {
    static const char *const usual[] = {"/etc/criu/ocirt.conf", "/etc/criu/runc.conf"};
    for (size_t i = 0; i < count; i++)
        if (strcmp(annotations[i].key, "org.criu.config") == 0) return annotations[i].value[0] ? annotations[i].value : NULL;
    for (size_t i = 0; i < 2; i++)
        if (OCIRT__SYS3(SYS_faccessat, AT_FDCWD, usual[i], F_OK) == 0) return usual[i];
    return NULL;
}

/* NULL leaves what is there. */
static int ocirt__checkpoint_word(struct ocirt__checkpoint *c, const struct ocirt__name *words, const char *word, const char *what, int *out) {
    const struct ocirt__name *is = word ? ocirt__name_find(words, word) : NULL;
    if (is) *out = (int)is->value;
    return is || !word ? 0 : ocirt__checkpoint_refuse(c, OCIRT_E_ARGUMENT, 0, word, what);
}

static int ocirt__checkpoint_words(struct ocirt__checkpoint *c) {
    static const struct ocirt__name modes[] = {{"soft", 3}, {"full", 4}, {"strict", 5}, {"ignore", 0}, {NULL, 0}}, /* rpc.proto */
                                    locks[] = {{"iptables", 1}, {"nftables", 2}, {"skip", 3}, {NULL, 0}}, empty[] = {{"network", OCIRT_NS_NETWORK}, {NULL, 0}};
    int r = ocirt__checkpoint_word(c, modes, c->how->manage_cgroups, "manage-cgroups-mode is soft, full, strict or ignore, not", &c->ask.cgroups);
    if (r == 0) r = ocirt__checkpoint_word(c, locks, c->how->network_lock, "network-lock is iptables, nftables or skip, not", &c->ask.lock);
    return r < 0 ? r : ocirt__checkpoint_word(c, empty, c->how->empty_namespace, "empty-ns is network, not", &c->ask.empty);
}

/* criu is looked for in the folders of the system, whatever PATH the caller has. */
static int ocirt__checkpoint_options(struct ocirt__checkpoint *c, const ocirt_pair *annotations, size_t count) {
    const ocirt_checkpoint_options *how = c->how;
    const char *program = how->criu ? how->criu : "criu";
    int r;
    c->ask = (struct ocirt__criu_options){.level = 4, .flags = (how->flags & 0xffffu) | OCIRT__CHECKPOINT_ORPHANS | (c->restore ? OCIRT__CHECKPOINT_RESTORE : 0),
                                          .cgroups = 3, .log = c->restore ? "restore.log" : "dump.log", .parent = how->parent_path,
                                          .config = ocirt__checkpoint_config(annotations, count), .profile = how->lsm_profile, .context = how->lsm_mount_context};
    if (!c->restore && (how->parent_path || how->flags & OCIRT_CHECKPOINT_PRE_DUMP)) c->ask.flags |= OCIRT__CHECKPOINT_TRACK;
    c->folder = how->work_path ? how->work_path : how->image_path;
    if (!how->image_path) return ocirt__checkpoint_refuse(c, OCIRT_E_ARGUMENT, 0, "", "no folder for its images is given");
    if (how->flags & OCIRT_CHECKPOINT_LAZY_PAGES || how->page_server) return ocirt__checkpoint_refuse(c, OCIRT_E_UNSUPPORTED, 0, "", "this version has no lazy pages and no page server");
    if (how->parent_path && how->parent_path[0] == '/') return ocirt__checkpoint_refuse(c, OCIRT_E_ARGUMENT, 0, how->parent_path, "the parent path is relative to the folder of the images:");
    if ((r = ocirt__checkpoint_words(c)) < 0) return r;
    if ((r = ocirt__ops_fill_standard(c->job)) < 0) return c->told = true, r;
    if ((r = ocirt__program_find(program, OCIRT__CHECKPOINT_PATH, c->program)) < 0) {
        ocirt__checkpoint_refuse(c, OCIRT_E_UNSUPPORTED, -r, program, "this takes the program");
        ocirt__error_hint(c->job->error, "install the package criu, version 3.15 or newer");
        return -OCIRT_E_UNSUPPORTED;
    }
    r = ocirt__checkpoint_folder(c, how->image_path, !c->restore, &c->ask.images);
    return r == 0 && how->work_path ? ocirt__checkpoint_folder(c, how->work_path, true, &c->ask.work) : r;
}

/* A mount that comes from outside: its place in the container, by way of its links, stands for `name`. What is a
   folder is not masked by one. */
static void ocirt__checkpoint_outside(struct ocirt__checkpoint *c, int root, const char *place, const char *name) {
    struct ocirt__statx st;
    char real[PATH_MAX];
    int  fd = ocirt__path_open(root, place, OCIRT__PATH_EXISTING, NULL);
    if (ocirt__checkpoint_path(c, fd, real) > 0 && ocirt__sys_fstatx(fd, &st) == 0 && !(S_ISDIR(st.mode) && strcmp(name, "/dev/null") == 0))
        ocirt__checkpoint_put_pair(&c->more, 23, real, name, 0);
    ocirt__sys_close(&fd);
}

/* Where the root lacks the place of a mount, it is made as at create; what lies below another mount comes with that. */
static int ocirt__checkpoint_place(struct ocirt__checkpoint *c, const ocirt_spec *spec, int root, const char *place, const char *source) {
    struct ocirt__statx st;
    bool file = source && ocirt__sys_statx(AT_FDCWD, source, 0, &st) == 0 && !S_ISDIR(st.mode);
    int  fd;
    for (size_t i = 0; i < spec->mounts_count; i++) {
        size_t n = strlen(spec->mounts[i].destination);
        if (n > 1 && strncmp(place, spec->mounts[i].destination, n) == 0 && place[n] == '/') return 0;
    }
    fd = ocirt__path_open(root, place, file ? OCIRT__PATH_FILE : OCIRT__PATH_DIR, NULL);
    if (fd < 0) return ocirt__checkpoint_refuse(c, OCIRT_E_MOUNT, -fd, place, "the place of the mount");
    ocirt__sys_close(&fd);
    return 0;
}

static int ocirt__checkpoint_mount(struct ocirt__checkpoint *c, const ocirt_spec *spec, const ocirt_mount *m, const char *bundle, int root) {
    struct ocirt__planner p = {.arena = &c->job->arena, .bundle = bundle};
    const char *name = ocirt__plan_clean(&p, m->destination), *source = NULL;
    ocirt__mount_options o;
    int         r = ocirt__mount_options_parse(p.arena, spec->document, m, &o, c->job->error);
    c->told |= r < 0;
    if (r < 0 || !name || o.flags & MS_REMOUNT || o.copy_symlink) return r;
    if (o.flags & MS_BIND && m->source) source = ocirt__plan_host_path(&p, m->source);
    if (c->restore) r = ocirt__checkpoint_place(c, spec, root, name, source);
    if (source && c->restore) ocirt__checkpoint_put_pair(&c->more, 23, name, source, 0);
    else if (source) ocirt__checkpoint_outside(c, root, name, name);
    return r;
}

/* By these names joined namespaces are asked for at restore. The others of init's criu makes anew, or joins by path. */
static int ocirt__checkpoint_namespace(struct ocirt__checkpoint *c, const ocirt_namespace *n) {
    static const struct {
        uint32_t    type;
        const char *file, *word, *key;
    } kinds[] = {{OCIRT_NS_NETWORK, "ns/net", "net", "extRootNetNS"}, {OCIRT_NS_PID, "ns/pid", "pid", "extRootPidNS"}, {OCIRT_NS_IPC, NULL, "ipc", NULL},
                 {OCIRT_NS_UTS, NULL, "uts", NULL}, {OCIRT_NS_TIME, NULL, "time", NULL}, {OCIRT_NS_USER, NULL, "user", NULL}, {OCIRT_NS_MOUNT, NULL, "mnt", NULL}};
    uint64_t inode = 0;
    size_t   i = 0;
    int      r = 0;
    if (!n->path || !n->path[0]) return 0;
    while (i < sizeof kinds / sizeof kinds[0] && kinds[i].type != n->type) i++;
    if (i == sizeof kinds / sizeof kinds[0]) return ocirt__checkpoint_refuse(c, OCIRT_E_UNSUPPORTED, 0, n->path, "criu cannot join the namespace");
    if (c->ask.pid && kinds[i].key) {
        r = ocirt__ops_inode(c->job->proc, c->ask.pid, kinds[i].file, &inode);
        ocirt__checkpoint_put_text(&c->more, 37, ocirt__mem_format(&c->job->arena, "%s[%llu]:%s", kinds[i].word, (unsigned long long)inode, kinds[i].key));
    } else if (kinds[i].key && c->kept_count < sizeof c->kept / sizeof c->kept[0]) {
        r = c->kept[c->kept_count++] = ocirt__sys_openat(AT_FDCWD, n->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        ocirt__checkpoint_put_pair(&c->more, 27, kinds[i].key, NULL, r);
    } else if (!c->ask.pid) {
        ocirt__checkpoint_put_pair(&c->more, 39, kinds[i].word, n->path, 0);
    }
    return r < 0 ? ocirt__checkpoint_refuse(c, OCIRT_E_NAMESPACE, -r, n->path, "namespace") : 0;
}

/* All that comes from outside. root: of the living container, or of the one to be. */
static int ocirt__checkpoint_surroundings(struct ocirt__checkpoint *c, const ocirt_spec *spec, const char *bundle, int root) {
    static const char *const nodes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"};
    const ocirt_linux *on = spec->linux_;
    int r = 0;
    for (size_t i = 0; r == 0 && i < spec->mounts_count; i++) r = ocirt__checkpoint_mount(c, spec, &spec->mounts[i], bundle, root);
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) ocirt__checkpoint_put_pair(&c->more, 23, nodes[i], nodes[i], 0); /* bound where they can't be made */
    for (size_t i = 0; on && i < on->devices_count; i++) ocirt__checkpoint_put_pair(&c->more, 23, on->devices[i].path, on->devices[i].path, 0);
    for (size_t i = 0; on && !c->restore && i < on->masked_paths.count; i++) ocirt__checkpoint_outside(c, root, on->masked_paths.items[i], "/dev/null");
    for (size_t i = 0; on && r == 0 && i < on->namespaces_count; i++) r = ocirt__checkpoint_namespace(c, &on->namespaces[i]);
    return r;
}

/* ----- checkpoint ----- */

static bool ocirt__checkpoint_has_mount(const char *lines, uint64_t id) {
    for (const char *line = lines; line && *line; line = strchr(line, '\n'), line += line != NULL)
        if (strtoull(line, NULL, 10) == id) return true;
    return false;
}

/* One of init's standard descriptors: a pipe by its name; a file of which the container has no mount (a log, the
   host's /dev/null) as criu calls it, and left out of the images. */
static void ocirt__checkpoint_descriptor(struct ocirt__checkpoint *c, const char *link, const char *mounts, char out[PATH_MAX]) {
    struct ocirt__statx st;
    if (ocirt__sys_readlinkat(c->job->proc, link, out, PATH_MAX) <= 0) out[0] = 0;
    if (out[0] != '/' || ocirt__sys_statx(c->job->proc, link, 0, &st) < 0 || ocirt__checkpoint_has_mount(mounts, st.mnt_id)) return;
    snprintf(out, PATH_MAX, "file[%llx:%llx]", (unsigned long long)st.mnt_id, (unsigned long long)st.ino);
    ocirt__checkpoint_put_text(&c->more, 37, out);
}

static int ocirt__checkpoint_descriptors(struct ocirt__checkpoint *c) {
    enum { ROOM = 1 << 18 };
    ocirt__buffer text = {.arena = &c->job->arena};
    char  path[48], name[PATH_MAX], *mounts = ocirt__mem_take(text.arena, ROOM);
    int   fd, r;
    if (!mounts) return ocirt__checkpoint_refuse(c, OCIRT_E_MEMORY, 0, "", "out of memory");
    snprintf(path, sizeof path, "%d/mountinfo", c->ask.pid);
    if (ocirt__path_read(c->job->proc, path, mounts, ROOM) < 0) mounts[0] = 0;
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%d/fd/%d", c->ask.pid, i);
        ocirt__checkpoint_descriptor(c, path, mounts, name);
        ocirt__buffer_text(&text, i ? "," : "[");
        ocirt__json_write_string(&text, name);
    }
    ocirt__buffer_text(&text, "]");
    r = fd = ocirt__sys_openat(c->ask.images, "descriptors.json", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (r >= 0) r = text.failed ? -ENOMEM : ocirt__sys_write_all(fd, text.data, text.size);
    ocirt__sys_close(&fd);
    return r < 0 ? ocirt__checkpoint_refuse(c, OCIRT_E_IO, -r, "descriptors.json", "writing") : 0;
}

/* What a dump says beside the options. A pre-dump takes pages and nothing else. */
static int ocirt__checkpoint_describe(struct ocirt__checkpoint *c, struct ocirt__found *f) {
    ocirt_spec *spec;
    char path[48];
    int  root, r = ocirt__state_config(&c->job->arena, f->dir, c->job->id, &spec, c->job->error);
    if (r < 0) return c->told = true, r;
    snprintf(path, sizeof path, "%d/root", c->ask.pid);
    root = ocirt__sys_openat(c->job->proc, path, O_PATH | O_DIRECTORY, 0);
    r = root < 0 ? ocirt__checkpoint_refuse(c, OCIRT_E_SYSTEM, -root, "", "looking at its root") : ocirt__checkpoint_surroundings(c, spec, f->record.bundle, root);
    ocirt__sys_close(&root);
    return r < 0 ? r : ocirt__checkpoint_descriptors(c);
}

static int ocirt__checkpoint_dump(struct ocirt__checkpoint *c, struct ocirt__found *f) {
    struct pollfd gone = {.fd = f->process.pidfd, .events = POLLIN};
    int  scope = ocirt__state_scope_length(&f->record);
    bool pre = (c->how->flags & OCIRT_CHECKPOINT_PRE_DUMP) != 0;
    int  r = ocirt__checkpoint_options(c, f->record.annotations, f->record.annotations_count);
    c->ask.pid = f->process.pid;
    if (r == 0 && f->record.cgroup[0]) c->ask.freeze = ocirt__mem_format(&c->job->arena, "%s%.*s", f->record.cgroup_mount, scope ? scope : INT_MAX, f->record.cgroup);
    if (r == 0 && !pre) r = ocirt__checkpoint_describe(c, f);
    if (r == 0 && ocirt__sys_poll(&gone, 1, 0) != 0) r = ocirt__checkpoint_refuse(c, OCIRT_E_STATE, ESRCH, "", "container not running");
    if (r == 0) r = ocirt__checkpoint_talk(c, pre ? OCIRT__CRIU_PRE_DUMP : OCIRT__CRIU_DUMP);
    /* Whoever asks now finds it stopped. */
    if (r == 0 && !pre && !(c->how->flags & OCIRT_CHECKPOINT_LEAVE_RUNNING)) (void)ocirt__sys_poll(&gone, 1, 10000);
    return r;
}

static void ocirt__checkpoint_close(struct ocirt__checkpoint *c) {
    ocirt__sys_close(&c->talk);
    for (unsigned i = 1; i < c->kept_count; i++) ocirt__sys_close(&c->kept[i]);
    if (c->ask.images > 0) ocirt__sys_close(&c->ask.images);
    if (c->ask.work > 0) ocirt__sys_close(&c->ask.work);
}

static void ocirt__checkpoint_open(struct ocirt__checkpoint *c, struct ocirt__job *job, const ocirt_checkpoint_options *how, bool restore) {
    static const ocirt_checkpoint_options none;
    memset(c, 0, sizeof *c);
    c->job = job, c->how = how ? how : &none, c->restore = restore, c->kept_count = 1, c->talk = c->pidfd = -1;
    c->more.arena = &job->arena;
}

OCIRT_DEF int ocirt_checkpoint(const char *id, const ocirt_checkpoint_options *how, const ocirt_options *options, ocirt_error *error) {
    struct ocirt__live l;
    struct ocirt__job  job;
    struct ocirt__checkpoint c;
    int r;
    ocirt__ops_open(&job, id, ocirt__ops_options(options), error);
    ocirt__checkpoint_open(&c, &job, how, false);
    r = ocirt__ops_enter(&l, id, options, true, false, error);
    if (r < 0) return r;
    job.proc = l.found.proc, l.found.proc = -1;
    if (l.found.process.waiting) r = ocirt__checkpoint_refuse(&c, OCIRT_E_STATE, 0, "", "it waits for start");
    if (r == 0) r = ocirt__checkpoint_dump(&c, &l.found);
    ocirt__checkpoint_close(&c);
    ocirt__ops_close(&job);
    ocirt__ops_leave(&l);
    return r;
}

/* ----- restore ----- */

/* The caller's standard descriptors take the place of those that came from outside. */
static int ocirt__checkpoint_inherit(struct ocirt__checkpoint *c) {
    size_t size = 0;
    const ocirt_json *doc;
    char *text = ocirt__state_get(&c->job->arena, c->ask.images, "descriptors.json", 0, &size);
    if (!text || ocirt__json_parse(&c->job->arena, text, size, "descriptors.json", &doc, NULL) < 0)
        return ocirt__checkpoint_refuse(c, OCIRT_E_IO, 0, "", "the folder of its images has no descriptors.json, or a damaged one");
    for (int i = 0; i < 3; i++) {
        const char *name = ocirt__json_text(&c->job->arena, doc, ocirt__json_item(doc, 1, (size_t)i));
        if (name && (strncmp(name, "pipe:", 5) == 0 || strncmp(name, "file[", 5) == 0)) ocirt__checkpoint_put_pair(&c->more, 27, name, NULL, i);
    }
    return 0;
}

static int ocirt__checkpoint_root(struct ocirt__checkpoint *c, const ocirt_spec *spec, const char *bundle) {
    const char *path = ocirt__plan_text(c->job->host.actor.plan, c->job->host.actor.plan->rootfs);
    struct ocirt__statx st;
    int fd = ocirt__sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0), r = ocirt__checkpoint_path(c, fd, c->root);
    if (r >= 0) r = ocirt__sys_fstatx(fd, &st);
    c->mounted  = r == 0 && st.attributes & 0x2000; /* STATX_ATTR_MOUNT_ROOT */
    c->ask.root = c->root;
    r = r < 0 ? ocirt__checkpoint_refuse(c, OCIRT_E_IO, -r, path, "root") : ocirt__checkpoint_surroundings(c, spec, bundle, fd);
    ocirt__sys_close(&fd);
    return r;
}

static int ocirt__checkpoint_bring_back(struct ocirt__checkpoint *c, const ocirt_spec *spec, const char *bundle) {
    int r = ocirt__checkpoint_root(c, spec, bundle);
    if (r == 0) r = ocirt__checkpoint_inherit(c);
    if (r == 0) r = ocirt__checkpoint_talk(c, OCIRT__CRIU_RESTORE);
    if (r == 0) r = ocirt__checkpoint_notice(c); /* where none has told of init, the answer has */
    if (r == 0 && c->job->host.pidfd < 0) r = ocirt__checkpoint_refuse(c, OCIRT_E_SYSTEM, 0, "", "criu names no process");
    if (r == 0) r = ocirt__ops_make_known(c->job);
    if (r < 0) ocirt__ops_give_up(c->job);
    return r;
}

OCIRT_DEF int ocirt_restore(const ocirt_spec *spec, const char *bundle, const char *id, const ocirt_checkpoint_options *how, const ocirt_options *options,
                            ocirt_container *out_container, ocirt_exit *out_exit, ocirt_error *error) {
    struct ocirt__job job;
    struct ocirt__checkpoint c;
    ocirt_options own = *ocirt__ops_options(options);
    ocirt_exit ignored;
    uint64_t   mask[2];
    bool       forward = (own.flags & OCIRT_FORWARD) != 0;
    int        r;
    own.flags |= OCIRT_OF_RUN, own.notify_socket = NULL; /* the program has long told that it is ready */
    if (!out_exit) out_exit = &ignored;
    memset(out_exit, 0, sizeof *out_exit);
    if (forward) ocirt__spawn_block(mask);
    ocirt__ops_open(&job, id, &own, error);
    ocirt__checkpoint_open(&c, &job, how, true);
    r = ocirt__ops_bundle(&job.arena, bundle, &bundle, error);
    if (r == 0) r = ocirt__state_check_id(id, error);
    if (r == 0) r = ocirt__checkpoint_options(&c, spec->annotations, spec->annotations_count);
    if (r == 0) r = ocirt__ops_begin(&job, spec, bundle);
    if (r == 0) r = ocirt__checkpoint_bring_back(&c, spec, bundle);
    if (r == 0) r = ocirt__ops_see_through(&job, out_container, out_exit);
    ocirt__checkpoint_close(&c);
    ocirt__ops_close(&job);
    if (forward) ocirt__spawn_unblock(mask);
    return r;
}

#endif /* OCIRT__IMPLEMENTED */
#endif /* OCIRT_IMPLEMENTATION */

/* ===========================================================================================
   CHANGES
     0.1.0   the main job: run and the life cycle, all of config.json, exec, both cgroup drivers, checkpoint
   SECURITY
     none yet in a release

   LICENCE
   ocirt is available under two licences; choose the one you prefer.

   ------------------------------------------------------------------------------
   ALTERNATIVE A - MIT License

   Copyright (c) 2026 the ocirt authors

   Permission is hereby granted, free of charge, to any person obtaining a copy of
   this software and associated documentation files (the "Software"), to deal in
   the Software without restriction, including without limitation the rights to
   use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies
   of the Software, and to permit persons to whom the Software is furnished to do
   so, subject to the following conditions:

   The above copyright notice and this permission notice shall be included in all
   copies or substantial portions of the Software.

   THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
   IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
   FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
   AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
   LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
   OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
   SOFTWARE.

   ------------------------------------------------------------------------------
   ALTERNATIVE B - Public Domain (www.unlicense.org)

   This is free and unencumbered software released into the public domain.

   Anyone is free to copy, modify, publish, use, compile, sell, or distribute this
   software, either in source code form or as a compiled binary, for any purpose,
   commercial or non-commercial, and by any means.

   In jurisdictions that recognize copyright laws, the author or authors of this
   software dedicate any and all copyright interest in the software to the public
   domain. We make this dedication for the benefit of the public at large and to
   the detriment of our heirs and successors. We intend this dedication to be an
   overt act of relinquishment in perpetuity of all present and future rights to
   this software under copyright law.

   THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
   IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
   FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
   AUTHORS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN
   ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
   WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
   =========================================================================================== */
