/* bundle.c: bundles, their configs, and running the command under test on them. */
#include "test.h"

/* ---- the default config, with members replaced by fragments ---- */

static const char *skip_string(const char *at) {
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1]) at++;
    return *at ? at + 1 : at;
}

/* Does the inside of an object set this member? Looks at depth 0 only. */
static bool sets(const char *fragment, const char *name) {
    int depth = 0;
    size_t n = strlen(name);
    for (const char *at = fragment; at && *at;) {
        if (*at == '"') {
            const char *end = skip_string(at);
            const char *next = end + strspn(end, " \t\r\n");
            bool same = (size_t)(end - at) == n + 2 && !memcmp(at + 1, name, n);
            if (depth == 0 && *next == ':' && same) return true;
            at = end;
            continue;
        }
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') depth--;
        at++;
    }
    return false;
}

static void add_comma(struct text *text) {
    char last = text->n ? text->at[text->n - 1] : '{';
    if (last != '{' && last != '[') text_add(text, ",");
}

static void add_default(struct text *text, const char *fragment, const char *name,
                        const char *value) {
    if (sets(fragment, name)) return;
    add_comma(text);
    text_add(text, "\"%s\":%s", name, value);
}

static void add_fragment(struct text *text, const char *fragment) {
    if (!fragment || !*fragment) return;
    add_comma(text);
    text_add(text, "%s", fragment);
}

static char *args_array(const char *args) {
    struct text text = {0};
    if (!args) args = "payload-report";
    if (*args == '[') return print("%s", args);
    text_add(&text, "[\"/payload\"");
    char *words = print("%s", args);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        text_add(&text, ",");
        text_add_json(&text, word);
    }
    text_add(&text, "]");
    free(words);
    return text.at;
}

static bool names_user(const char *namespaces) { return strstr(namespaces, "user") != NULL; }

static char *namespaces_array(const char *namespaces) {
    struct text text = {0};
    if (*namespaces == '[') return print("%s", namespaces);
    text_add(&text, "[");
    char *words = print("%s", namespaces);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        if (!strcmp(word, "net")) word = print("network");
        add_comma(&text);
        text_add(&text, "{\"type\":\"%s\"}", word);
    }
    text_add(&text, "]");
    free(words);
    return text.at;
}

static void add_process(struct text *text, const struct config *config) {
    text_add(text, "\"process\":{");
    if (!sets(config->process, "args")) {
        char *args = args_array(config->args);
        text_add(text, "\"args\":%s", args);
        free(args);
    }
    add_default(text, config->process, "cwd", "\"/\"");
    add_default(text, config->process, "user", "{\"uid\":0,\"gid\":0}");
    add_default(text, config->process, "env", "[\"PATH=/\",\"HOME=/\"]");
    add_fragment(text, config->process);
    text_add(text, "}");
}

static void add_mounts(struct text *text, const struct config *config) {
    text_add(text, "\"mounts\":[");
    if (!config->no_mounts)
        text_add(text, "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
                       "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
                       "\"options\":[\"nosuid\",\"mode=755\",\"size=65536k\"]}");
    add_fragment(text, config->mounts);
    text_add(text, "]");
}

static char *id_map(unsigned host, unsigned size) {
    return print("[{\"containerID\":0,\"hostID\":%u,\"size\":%u}]", host, size);
}

/* A caller who is not root needs a user namespace, whatever the test is about. */
static void add_linux(struct text *text, const struct config *config) {
    const char *namespaces = config->namespaces;
    bool ordinary = geteuid() != 0;
    if (!namespaces) namespaces = ordinary ? DEFAULT_NAMESPACES " user" : DEFAULT_NAMESPACES;
    text_add(text, "\"linux\":{");
    if (!sets(config->linux_, "namespaces")) {
        char *array = namespaces_array(namespaces);
        text_add(text, "\"namespaces\":%s", array);
        free(array);
    }
    if (names_user(namespaces)) {
        char *ids = id_map(ordinary ? geteuid() : TEST_FIRST_ID, ordinary ? 1 : 65536);
        char *groups = id_map(ordinary ? getegid() : TEST_FIRST_ID, ordinary ? 1 : 65536);
        add_default(text, config->linux_, "uidMappings", ids);
        add_default(text, config->linux_, "gidMappings", groups);
        free(ids);
        free(groups);
    }
    add_fragment(text, config->linux_);
    text_add(text, "}");
}

char *config_text(const struct config *config) {
    static const struct config none = {0};
    struct text text = {0};
    if (!config) config = &none;
    text_add(&text, "{");
    add_default(&text, config->top, "ociVersion", "\"1.3.0\"");
    if (!sets(config->top, "root")) {
        add_comma(&text);
        text_add(&text, "\"root\":{");
        add_default(&text, config->root, "path", "\"rootfs\"");
        add_fragment(&text, config->root);
        text_add(&text, "}");
    }
    if (!sets(config->top, "process")) {
        add_comma(&text);
        add_process(&text, config);
    }
    add_default(&text, config->top, "hostname", "\"box\"");
    if (!sets(config->top, "mounts")) {
        add_comma(&text);
        add_mounts(&text, config);
    }
    if (!sets(config->top, "linux")) {
        add_comma(&text);
        add_linux(&text, config);
    }
    add_fragment(&text, config->top);
    text_add(&text, "}\n");
    return text.at;
}

/* ---- bundles ---- */

/* A build with sanitizers is not static; it names a static build of this program as the payload. */
const char *payload_exe(void) {
    const char *other = getenv("OCIRT_TEST_PAYLOAD");
    return other ? other : test_exe();
}

/* A copy, never a link: a container may attack the file that it runs from. */
void bundle_make(struct t *t, struct bundle *bundle, const char *name) {
    snprintf(bundle->path, sizeof bundle->path, "%s/%s", t->dir, name);
    snprintf(bundle->rootfs, sizeof bundle->rootfs, "%s/rootfs", bundle->path);
    snprintf(bundle->config, sizeof bundle->config, "%s/config.json", bundle->path);
    make_dirs(bundle->rootfs, 0755);
    char *payload = print("%s/payload", bundle->rootfs);
    CHECK(copy_file(payload_exe(), payload, 0755), "%s: %s", payload, strerror(errno));
    free(payload);
}

void bundle_config(struct bundle *bundle, const struct config *config) {
    char *text = config_text(config);
    file_write(bundle->config, "%s", text);
    /* Mount points are made by the container's root, who must own the folder that they go into. */
    if (!geteuid() && strstr(text, "\"uidMappings\""))
        CHECK_SYS(chown(bundle->rootfs, TEST_FIRST_ID, TEST_FIRST_ID));
    free(text);
}

void bundle_write(struct bundle *bundle, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    CHECK_OK(n >= 0);
    file_write(bundle->config, "%s", text);
    free(text);
}

/* ---- the command ---- */

const char **ocirt_argv(struct t *t, const char *const *args) {
    size_t n = 0;
    while (args[n]) n++;
    const char **argv = remember(calloc(n + 4, sizeof *argv));
    CHECK_OK(argv != NULL);
    argv[0] = "ocirt";
    argv[1] = "--root";
    argv[2] = t->state;
    memcpy(argv + 3, args, (n + 1) * sizeof *argv);
    return argv;
}

void run_ocirt_list(struct t *t, struct outcome *out, const char *const *args) {
    need_ocirt();
    const char **argv = ocirt_argv(t, args);
    command_run(&(struct command){.argv = argv}, out);
    CHECK(!out->timed_out, "ocirt %s: no end; it said: %s", args[0], out->err);
    free(argv);
}

void run_report(struct t *t, const struct config *config, struct outcome *out) {
    struct bundle bundle;
    bundle_make(t, &bundle, "bundle");
    bundle_config(&bundle, config);
    run_ocirt(t, out, "run", "--bundle", bundle.path, t->tag);
    CHECK(out->code == 0, "run ended with %d: %s%s", out->code, out->err, out->out);
}

/* ---- reports ---- */

static const char *find_line(const char *text, const char *key, unsigned index) {
    size_t n = strlen(key);
    while (text && *text) {
        if (!strncmp(text, key, n) && text[n] == '=' && index-- == 0) return text + n + 1;
        text = strchr(text, '\n');
        if (text) text++;
    }
    return NULL;
}

static char *line_copy(const char *line) {
    return line ? print("%.*s", (int)strcspn(line, "\n"), line) : NULL;
}

const char *report_nth(const struct outcome *out, const char *key, unsigned index) {
    return line_copy(find_line(out->out, key, index));
}

const char *report_get(const struct outcome *out, const char *key) {
    return report_nth(out, key, 0);
}

const char *report_mount(const struct outcome *out, const char *target) {
    const char *last = NULL, *line;
    char at[4096];
    for (unsigned i = 0; (line = find_line(out->out, "mount", i)); i++)
        if (sscanf(line, "%*d %*d %*s %*s %4095s", at) == 1 && !strcmp(at, target)) last = line;
    return line_copy(last);
}
