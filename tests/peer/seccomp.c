/* seccomp.c: our compiler beside libseccomp, which runc and crun use: a tool for the build machine,
 * built by ./build.sh seccomp [PROFILE...] against libseccomp-dev.
 *
 * Each profile is given to both as runc would, for each family of architectures, and both programs
 * are run for all numbers with many arguments. Where they differ by intent, that is done to libseccomp's
 * answer here, exactly: newer calls are ENOSYS as runc's stub has it. What libseccomp refuses to add
 * (-EEXIST: it then has neither the rule nor a sound tree) and names it does not know are left out
 * and counted. 2.5 errs where LT or LE and GT or GE look at one argument; so when all entries that fit
 * say the same, they and not libseccomp are right, and that is counted. */
#define OCIRT_STATIC
#define OCIRT_IMPLEMENTATION
#pragma GCC diagnostic ignored "-Wunused-function"
#include "../../ocirt.h"
#include <seccomp.h>

enum { MOST_NAMES = 4096, MOST_RULES = 2048 };

struct counts {
    unsigned profiles, compared, questions, differences, mistakes, contradictions, unknown;
};

static uint64_t seed = 88172645463325252;
static unsigned below(unsigned n) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)((seed >> 33) % n);
}

/* ---- libseccomp's program ---- */

struct program {
    struct ocirt__seccomp_insn code[8192];
    unsigned count;
};

static unsigned swap16(unsigned x) { return (x >> 8 & 0xff) | (x & 0xff) << 8; }
static uint32_t swap32(uint32_t x) { return swap16(x >> 16) | swap16(x & 0xffff) << 16; }

static bool known_action(uint32_t k) {
    return ocirt__name_of(ocirt__names_seccomp_actions, k & 0xffff0000)[0] != '?' && (k >> 16 || k == 0);
}

/* It is written in the byte order of its architecture, but for some returns, which 2.5 forgets. */
static bool export_program(scmp_filter_ctx context, bool little, struct program *out) {
    int  fd = (int)syscall(SYS_memfd_create, "program", 0u);
    long n;
    bool good = fd >= 0 && seccomp_export_bpf(context, fd) == 0 && lseek(fd, 0, SEEK_SET) == 0 && (n = read(fd, out->code, sizeof out->code)) > 0;
    if (fd >= 0) close(fd);
    if (!good) return false;
    out->count = (unsigned)(n / 8);
    for (unsigned i = 0; !little && i < out->count; i++) out->code[i].code = (uint16_t)swap16(out->code[i].code), out->code[i].k = out->code[i].code == 0x06 && known_action(out->code[i].k) ? out->code[i].k : swap32(out->code[i].k);
    return true;
}

/* An interpreter of its own. */
static uint32_t run(const struct program *p, uint32_t arch, uint32_t number, const uint64_t args[6]) {
    uint32_t data[16] = {number, arch, 0, 0}, a = 0;
    bool little = arch >> 30 & 1;
    for (unsigned i = 0; i < 6; i++) data[4 + 2 * i] = (uint32_t)(little ? args[i] : args[i] >> 32), data[5 + 2 * i] = (uint32_t)(little ? args[i] >> 32 : args[i]);
    for (unsigned at = 0; at < p->count; at++) {
        const struct ocirt__seccomp_insn *i = &p->code[at];
        switch (i->code) {
        case 0x20: a = data[i->k / 4]; break;
        case 0x54: a &= i->k; break;
        case 0x05: at += i->k; break;
        case 0x15: at += a == i->k ? i->yes : i->no; break;
        case 0x25: at += a > i->k ? i->yes : i->no; break;
        case 0x35: at += a >= i->k ? i->yes : i->no; break;
        case 0x45: at += a & i->k ? i->yes : i->no; break;
        case 0x06: return i->k;
        default: printf("# unknown instruction %#x\n", i->code); return 0xdead;
        }
    }
    return 0xdead;
}

/* ---- the same profile for libseccomp ---- */

static const struct token {
    const char *name;
    uint32_t token;
} tokens[] = {{"SCMP_ARCH_X86", SCMP_ARCH_X86}, {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64}, {"SCMP_ARCH_X32", SCMP_ARCH_X32}, {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64}, {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS}, {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64}, {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
    {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL}, {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64}, {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32}, {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
    {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64}, {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE}, {"SCMP_ARCH_S390", SCMP_ARCH_S390}, {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
    {"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC}, {"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64}, {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64}};

static uint32_t token_of(const char *name) {
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        if (strcmp(tokens[i].name, name) == 0) return tokens[i].token;
    return 0;
}

static uint32_t value(uint32_t action, ocirt_opt_uint data) {
    if (action != 0x50000 && action != 0x7ff00000) return action;
    return action | (data.set ? (uint32_t)data.value & 0xffff : EPERM);
}

struct peer {
    const char *contradicted[MOST_NAMES]; /* names whose rules it refused, with all that follows */
    unsigned contradicted_count;
    struct program program;
};

static struct scmp_arg_cmp condition(const ocirt_seccomp_arg *a) {
    return (struct scmp_arg_cmp){a->index, (enum scmp_compare)a->op, a->value, a->value_two};
}

static void add(struct peer *p, scmp_filter_ctx context, const char *name, const ocirt_syscall *s, uint32_t action) {
    struct scmp_arg_cmp args[6];
    unsigned seen = 0, repeated = 0;
    int number = seccomp_syscall_resolve_name(name), r = 0;
    if (number == __NR_SCMP_ERROR) return;
    for (size_t i = 0; i < s->args_count; i++) repeated |= seen >> s->args[i].index & 1, seen |= 1u << s->args[i].index;
    for (size_t i = 0; i < s->args_count && repeated; i++) args[0] = condition(&s->args[i]), r = r < 0 ? r : seccomp_rule_add_array(context, action, number, 1, args);
    for (size_t i = 0; i < s->args_count && !repeated; i++) args[i] = condition(&s->args[i]);
    if (!repeated) r = seccomp_rule_add_array(context, action, number, (unsigned)s->args_count, args);
    if (r < 0 && r != -EEXIST) printf("# %s: %d\n", name, r);
    if (r < 0 && p->contradicted_count < MOST_NAMES) p->contradicted[p->contradicted_count++] = name;
}

static bool build(struct peer *p, const ocirt_seccomp *s, const char *const *archs, unsigned count) {
    uint32_t standard = value(s->default_action, s->default_errno_ret);
    scmp_filter_ctx context = seccomp_init(standard);
    bool good, little = token_of(archs[0]) >> 30 & 1;
    p->contradicted_count = 0;
    seccomp_arch_remove(context, SCMP_ARCH_NATIVE);
    for (unsigned i = 0; i < count; i++) seccomp_arch_add(context, token_of(archs[i]));
    for (size_t i = 0; i < s->syscalls_count; i++) {
        uint32_t action = value(s->syscalls[i].action, s->syscalls[i].errno_ret);
        for (size_t j = 0; j < s->syscalls[i].names.count && action != standard; j++) add(p, context, s->syscalls[i].names.items[j], &s->syscalls[i], action);
    }
    good = export_program(context, little, &p->program);
    seccomp_release(context);
    return good;
}

/* ---- comparing ---- */

struct place { /* what the comparison knows of a number */
    bool left_out; /* libseccomp has another idea of the call, or none */
    bool asks;     /* conditions look at arguments */
    bool own;      /* one of ARM's own calls, socketcall or ipc, with a rule: not newer than anything */
};

static int row_of(const char *arch) {
    for (int i = 0; i < OCIRT__SECCOMP_ARCHS; i++)
        if (strcmp(ocirt__names_seccomp_archs[i].name, arch) == 0) return i;
    return -1;
}

/* Numbers of a row: those of which both know the same; the newest that the profile names. */
static uint32_t places(const struct peer *p, const ocirt_seccomp *s, const char *arch, struct place *out, struct counts *counts) {
    uint16_t numbers[OCIRT__CALLS];
    unsigned port = ocirt__seccomp_archs[row_of(arch)].port, newest = 0, through;
    bool muxed = ocirt__seccomp_ports[port].muxed;
    memset(out, 0, OCIRT__SECCOMP_SLOTS * sizeof *out);
    ocirt__seccomp_numbers(port, numbers);
    for (unsigned call = 0; call < OCIRT__CALLS; call++) {
        const char *name = ocirt__seccomp_call_name(call);
        int theirs = seccomp_syscall_resolve_name_arch(token_of(arch), name);
        if (numbers[call] == OCIRT__SECCOMP_NONE) continue;
        /* Calls of socketcall and ipc have a number of their own kind there. */
        if (muxed && ocirt__seccomp_muxed(call, &through) && theirs < 0 && seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR) continue;
        if (theirs != (int)ocirt__seccomp_real(port, numbers[call]) || seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR) out[numbers[call]].left_out = true, counts->unknown++;
    }
    for (unsigned i = 0; i < p->contradicted_count; i++) {
        unsigned call = ocirt__seccomp_call_find(p->contradicted[i]);
        if (call == OCIRT__CALLS) continue;
        if (numbers[call] != OCIRT__SECCOMP_NONE) out[numbers[call]].left_out = true;
        if (muxed && ocirt__seccomp_muxed(call, &through)) out[numbers[through]].left_out = true;
    }
    for (size_t i = 0; i < s->syscalls_count; i++)
        for (size_t j = 0; j < s->syscalls[i].names.count; j++) {
            unsigned call = ocirt__seccomp_call_find(s->syscalls[i].names.items[j]), slot = call == OCIRT__CALLS ? OCIRT__SECCOMP_NONE : numbers[call];
            if (slot < OCIRT__SECCOMP_SLOTS && s->syscalls[i].args_count) out[slot].asks = true;
            bool ruled = value(s->syscalls[i].action, s->syscalls[i].errno_ret) != value(s->default_action, s->default_errno_ret);
            if (call != OCIRT__CALLS && muxed && ocirt__seccomp_muxed(call, &through)) out[numbers[through]].asks = true, out[numbers[through]].own |= ruled;
            if (slot > OCIRT__SECCOMP_PRIVATE && slot < OCIRT__SECCOMP_SLOTS) out[slot].own |= ruled;
            if (slot < OCIRT__SECCOMP_PRIVATE && slot + 1 > newest) newest = slot + 1;
        }
    return newest;
}

static uint64_t some_value(const ocirt_seccomp *s) {
    static const uint64_t often[] = {0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x8000000000000000, UINT64_MAX};
    const ocirt_syscall *c = s->syscalls_count ? &s->syscalls[below((unsigned)s->syscalls_count)] : NULL;
    uint64_t near = below(3) - 1ull, high = below(4) ? 0 : (uint64_t)below(3) << 32;
    if (below(8) == 0) return below(25);
    if (!c || !c->args_count || below(3) == 0) return often[below(10)] + near;
    return (below(2) ? c->args[below((unsigned)c->args_count)].value : c->args[below((unsigned)c->args_count)].value_two) + near + high;
}

static uint32_t expected(const ocirt_seccomp *s, const struct peer *p, const char *arch, uint32_t audit, uint32_t number, uint32_t newest, bool own, const uint64_t args[6], bool *stubbed) {
    uint32_t action = s->default_action, first = ocirt__seccomp_ports[ocirt__seccomp_archs[row_of(arch)].port].first;
    bool     stub = newest && action != SCMP_ACT_ALLOW && action != SCMP_ACT_LOG && action != 0x7ff00000, s390 = strncmp(arch, "SCMP_ARCH_S390", 14) == 0;
    /* x32, when it is not asked for; of what no call has for a number the stub is not needed. */
    bool     x32 = s->architectures.count == 3 && row_of(s->architectures.items[2]) == OCIRT__SECCOMP_X32_ROW;
    bool     skipped = strcmp(arch, "SCMP_ARCH_X86_64") == 0 && number >= 0x40000000 && (!x32 || number & 0x40000000);
    *stubbed = stub && !skipped && !own && (number >= first + newest || (s390 && number == 0));
    if (*stubbed) return 0x50000 | ENOSYS;
    return run(&p->program, audit, number, args);
}

static bool holds(const ocirt_seccomp_arg *a, uint64_t have, uint64_t seen) {
    uint64_t want = a->value & seen;
    have &= seen;
    switch (a->op) {
    case 1: return have != want;
    case 2: return have < want;
    case 3: return have <= want;
    case 4: return have == want;
    case 5: return have >= want;
    case 6: return have > want;
    default: return (have & want) == (a->value_two & want);
    }
}

/* Does an entry fit, if this is its call (through: behind which number of socketcall or ipc)? */
static bool entry_holds(const ocirt_syscall *c, unsigned through, const uint64_t args[6], uint64_t seen) {
    unsigned seen_index = 0, repeated = 0, all = 1, any = 0;
    if (through && (args[0] & seen) != through) return false;
    for (size_t i = 0; i < c->args_count; i++) repeated |= seen_index >> c->args[i].index & 1, seen_index |= 1u << c->args[i].index;
    for (size_t i = 0; i < c->args_count; i++) {
        bool yes = (through && c->args[i].index == 0) || holds(&c->args[i], args[c->args[i].index], seen);
        all &= yes, any |= yes;
    }
    return repeated ? any : all;
}

/* The judge: the action of all entries that fit, or the default. False: they differ, and an order decides. */
static bool judge(const ocirt_seccomp *s, const char *arch, uint32_t number, const uint64_t args[6], uint32_t *out) {
    uint16_t numbers[OCIRT__CALLS];
    unsigned port = ocirt__seccomp_archs[row_of(arch)].port, found = 0;
    uint64_t seen = ocirt__seccomp_ports[port].wide ? UINT64_MAX : UINT32_MAX;
    ocirt__seccomp_numbers(port, numbers);
    *out = value(s->default_action, s->default_errno_ret);
    for (size_t i = 0; i < s->syscalls_count; i++) {
        uint32_t action = value(s->syscalls[i].action, s->syscalls[i].errno_ret);
        for (size_t j = 0; j < s->syscalls[i].names.count && action != value(s->default_action, s->default_errno_ret); j++) {
            unsigned call = ocirt__seccomp_call_find(s->syscalls[i].names.items[j]), through = 0, n;
            bool fits;
            if (call == OCIRT__CALLS) continue;
            n = ocirt__seccomp_ports[port].muxed ? ocirt__seccomp_muxed(call, &through) : 0;
            fits = numbers[call] != OCIRT__SECCOMP_NONE && ocirt__seccomp_real(port, numbers[call]) == number && entry_holds(&s->syscalls[i], 0, args, seen);
            fits |= n && ocirt__seccomp_real(port, numbers[through]) == number && entry_holds(&s->syscalls[i], n, args, seen);
            if (fits && found++ && action != *out) return false;
            if (fits) *out = action;
        }
    }
    return true;
}

static void print_entries(const ocirt_seccomp *s, const char *name) {
    for (size_t i = 0; i < s->syscalls_count; i++) {
        bool names = false;
        for (size_t j = 0; j < s->syscalls[i].names.count; j++) names |= strcmp(s->syscalls[i].names.items[j], name) == 0;
        if (names) printf("#   entry %zu: %s %#x", i, name, value(s->syscalls[i].action, s->syscalls[i].errno_ret));
        for (size_t j = 0; j < s->syscalls[i].args_count && names; j++) {
            const ocirt_seccomp_arg *a = &s->syscalls[i].args[j];
            printf(", a%u %s %#llx %#llx", a->index, ocirt__name_of(ocirt__names_seccomp_ops, a->op), (unsigned long long)a->value, (unsigned long long)a->value_two);
        }
        if (names) printf("\n");
    }
}

/* The part of argument 0 that the kernel does not look at, 0: none. libseccomp does look at it. */
static uint64_t unseen(const char *arch, uint32_t number) {
    unsigned row = (unsigned)row_of(arch);
    const char *name = ocirt__seccomp_ports[ocirt__seccomp_archs[row].port].muxed ? ocirt__seccomp_number_name(row, number) : "";
    return !strcmp(name, "ipc") ? ~0xffffull : !strcmp(name, "socketcall") ? ~0xffffffffull : 0;
}

static void compare_number(const ocirt_seccomp *s, const struct peer *p, const struct ocirt__seccomp_filter *f, const char *arch, uint32_t number, uint32_t newest, const struct place *place, struct counts *counts) {
    uint32_t audit = ocirt__seccomp_audit(row_of(arch));
    uint64_t blind = unseen(arch, number);
    for (unsigned n = 0; n < (place->asks ? 400 : 2); n++) {
        uint64_t args[6];
        uint32_t theirs, ours, truth;
        bool     stubbed;
        for (unsigned i = 0; i < 6; i++) args[i] = some_value(s);
        args[0] &= ~blind;
        theirs = expected(s, p, arch, audit, number, newest, place->own, args, &stubbed);
        ours   = ocirt__seccomp_eval(f->program, f->count, audit, number, args, NULL);
        counts->questions++;
        if (ours == theirs) continue;
        if (!stubbed && judge(s, arch, number, args, &truth) && truth == ours) {
            counts->mistakes++;
            continue;
        }
        if (counts->differences++ > 20) return;
        printf("# %s call %#x (%#llx %#llx %#llx %#llx %#llx %#llx): libseccomp %#x, ours %#x\n", arch, number, (unsigned long long)args[0], (unsigned long long)args[1],
               (unsigned long long)args[2], (unsigned long long)args[3], (unsigned long long)args[4], (unsigned long long)args[5], theirs, ours);
        print_entries(s, ocirt__seccomp_number_name((unsigned)row_of(arch), number));
        return;
    }
}

static void compare_arch(const ocirt_seccomp *s, const struct peer *p, const struct ocirt__seccomp_filter *f, const char *arch, bool x32, struct counts *counts) {
    static struct place known[OCIRT__SECCOMP_SLOTS];
    static const struct place plain;
    unsigned port = ocirt__seccomp_archs[row_of(arch)].port;
    uint32_t newest = places(p, s, arch, known, counts);
    for (unsigned slot = 0; slot < OCIRT__SECCOMP_SLOTS; slot++)
        if (!known[slot].left_out) compare_number(s, p, f, arch, ocirt__seccomp_real(port, slot), newest, &known[slot], counts);
    /* Beyond: other offsets, the bits at the top, and what libseccomp uses for calls without a number. */
    for (unsigned i = 0; i < 300; i++) {
        uint32_t number = below(2) ? (uint32_t)below(1u << 30) * 4 + below(4) : 0xffffffff - below(2) * 0x8000 - below(300), first = ocirt__seccomp_ports[port].first;
        if (number >= 0xffffff00 && number != 0xffffffff && number > 0xffffff00) number = 0x7fffffff;
        if (port == OCIRT__PORT_ARM && (number & 0xffff0000) == 0xf0000) continue;
        if (port == OCIRT__PORT_X32) number |= 0x40000000;
        if (port == OCIRT__PORT_X86_64 && x32) number &= ~0x40000000u;
        if (number - first < OCIRT__SECCOMP_SLOTS || number >> 16 == 0xffff) continue;
        compare_number(s, p, f, arch, number, newest, &plain, counts);
    }
}

static const struct family {
    const char *archs[4]; /* the first is the machine's own */
} families[] = {{{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}}, {{"SCMP_ARCH_X86_64"}}, {{"SCMP_ARCH_X86"}}, {{"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}}, {{"SCMP_ARCH_ARM"}},
    {{"SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPS"}}, {{"SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32"}},
    {{"SCMP_ARCH_PPC64", "SCMP_ARCH_PPC"}}, {{"SCMP_ARCH_PPC64LE"}}, {{"SCMP_ARCH_S390X", "SCMP_ARCH_S390"}}, {{"SCMP_ARCH_PARISC64", "SCMP_ARCH_PARISC"}}, {{"SCMP_ARCH_RISCV64"}}};
enum { FAMILIES = sizeof families / sizeof families[0] };

static void compare_family(ocirt_seccomp *s, const struct family *family, struct counts *counts) {
    static struct peer p;
    struct ocirt__seccomp_filter f;
    ocirt_arena arena = {0};
    ocirt_error error = {0};
    unsigned n = 0;
    int r;
    while (n < 4 && family->archs[n]) n++;
    s->architectures.items = (const char **)(uintptr_t)family->archs, s->architectures.count = n;
    r = ocirt__seccomp_compile(&arena, NULL, s, ocirt__seccomp_audit(row_of(family->archs[0])), &f, &error);
    if (build(&p, s, family->archs, n) && r == 0) {
        counts->compared++, counts->contradictions += p.contradicted_count;
        for (unsigned i = 0; i < n; i++) compare_arch(s, &p, &f, family->archs[i], n == 3, counts); /* n == 3: with x32, where there is one */
    } else if (r < 0 && !(p.contradicted_count && strstr(error.message, "a different action"))) {
        printf("# %s: refused by us alone: %s\n", family->archs[0], error.message);
        counts->differences++;
    }
    ocirt_arena_free(&arena);
}

/* ---- profiles: of files, and at random ---- */

static bool empty(const ocirt_json *doc, uint32_t object, const char *member, const char *of) {
    uint32_t token = ocirt__json_member(doc, object, member);
    token = token ? ocirt__json_member(doc, token, of) : 0;
    return token == 0 || doc->tokens[token].count == 0;
}

/* Entries as the engine would choose them for a container without capabilities, or with all. */
static void drop_entries(const ocirt_json *doc, ocirt_seccomp *s, bool capable) {
    size_t kept = 0;
    for (size_t i = 0; i < s->syscalls_count; i++) {
        uint32_t token = s->syscalls[i].token;
        bool keep = empty(doc, token, "includes", "arches") && (capable ? empty(doc, token, "excludes", "caps") : empty(doc, token, "includes", "caps"));
        if (keep) s->syscalls[kept++] = s->syscalls[i];
    }
    s->syscalls_count = kept;
}

/* A config.json, or what engines install: the seccomp object itself, with conditions of their own. */
static ocirt_seccomp *load(ocirt_arena *arena, const char *path) {
    ocirt__buffer text = {.arena = arena};
    ocirt_error error;
    ocirt_spec *spec = NULL;
    char part[4096];
    size_t n;
    FILE *in = fopen(path, "r");
    bool config;
    if (!in) return NULL;
    while ((n = fread(part, 1, sizeof part, in)) > 0) ocirt__buffer_put(&text, part, n);
    fclose(in);
    config = strstr(text.data, "\"ociVersion\"") != NULL;
    if (!config) {
        ocirt__buffer whole = {.arena = arena};
        ocirt__buffer_text(&whole, "{\"ociVersion\":\"1.0.0\",\"linux\":{\"seccomp\":");
        ocirt__buffer_put(&whole, text.data, text.size);
        ocirt__buffer_text(&whole, "}}");
        text = whole;
    }
    if (ocirt_spec_load(arena, text.data, text.size, path, &spec, &error) < 0) printf("# %s\n", error.message);
    else if (spec->linux_ && spec->linux_->seccomp) {
        struct { ocirt_seccomp s; const ocirt_json *doc; } *both = ocirt__mem_alloc(arena, sizeof *both);
        both->s = *spec->linux_->seccomp, both->doc = spec->document;
        return &both->s;
    }
    return NULL;
}

static bool compare_file(const char *path, struct counts *counts) {
    for (unsigned variant = 0; variant < 2; variant++) {
        ocirt_arena arena = {0};
        ocirt_seccomp *s = load(&arena, path);
        if (!s) return printf("not ok - %s cannot be read\n", path), false;
        drop_entries(*(const ocirt_json **)(s + 1), s, variant);
        counts->profiles++;
        for (unsigned i = 0; i < FAMILIES; i++) compare_family(s, &families[i], counts);
        ocirt_arena_free(&arena);
    }
    return true;
}

/* One action beside the default, or several, where the order counts; then only with EQ: of two NE, GT or masks that
   share a half, libseccomp 2.5 keeps what came first for one half and its order for the other. */
static void compare_random(bool mixed, struct counts *counts) {
    static const uint32_t actions[] = {0, 0x80000000, 0x30000, 0x50000, 0x7ff00000, 0x7ffc0000, 0x7fff0000};
    static const char *const often[] = {"read", "socket", "semop", "connect", "mmap", "openat"};
    static ocirt_syscall entries[12];
    static ocirt_seccomp_arg args[12][3];
    static const char *names[12][3];
    unsigned chosen = below(7);
    ocirt_seccomp s = {.default_action = actions[below(7)], .syscalls = entries, .syscalls_count = below(13)};
    for (size_t i = 0; i < s.syscalls_count; i++) {
        ocirt_syscall *c = &entries[i];
        *c = (ocirt_syscall){.names = {names[i], 1 + below(3)}, .action = actions[mixed ? below(7) : chosen], .args = args[i], .args_count = below(4)};
        for (size_t j = 0; j < c->names.count; j++) names[i][j] = below(2) ? often[below(6)] : ocirt__seccomp_call_name(below(OCIRT__CALLS));
        for (size_t j = 0; j < c->args_count; j++)
            args[i][j] = (ocirt_seccomp_arg){.index = below(3), .op = mixed ? 4 : 1 + below(7), .value = some_value(&(ocirt_seccomp){0}), .value_two = some_value(&(ocirt_seccomp){0})};
    }
    counts->profiles++;
    compare_family(&s, &families[below(FAMILIES)], counts);
}

static unsigned report(const char *name, const struct counts *c) {
    printf("%s - %s: %u profiles, %u programs, %u questions, %u differences (%u wrong answers of libseccomp; left out: %u names that libseccomp knows otherwise or not, %u rules it refused)\n",
           c->differences ? "not ok" : "ok", name, c->profiles, c->compared, c->questions, c->differences, c->mistakes, c->unknown, c->contradictions);
    return c->differences > 0;
}

int main(int argc, char **argv) {
    unsigned failed = 0, passed = 0, mixed;
    for (int i = 1; i < argc; i++) {
        struct counts counts = {0};
        if (!compare_file(argv[i], &counts)) failed++;
        else if (report(argv[i], &counts)) failed++;
        else passed++;
    }
    for (mixed = 0; mixed < 2; mixed++) {
        struct counts counts = {0};
        for (unsigned i = 0; i < 1000; i++) compare_random(mixed, &counts);
        if (report(mixed ? "random, several actions" : "random, one action", &counts)) failed++;
        else passed++;
    }
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
