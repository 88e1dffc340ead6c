/* Any bytes: the parser takes them or says where not, and every place it can be asked for is there. */
#define OCIRT_IMPLEMENTATION
#include "../../ocirt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ocirt_arena       arena = {0};
    const ocirt_json *doc   = NULL;
    ocirt_error       error;
    char              pointer[64];
    int               line, column;
    if (ocirt__json_parse(&arena, (const char *)data, size, NULL, &doc, &error) == 0)
        for (uint32_t i = 1; i < doc->count && i < 50; i++) {
            ocirt__json_place(doc, i, &line, &column);
            if (line < 1 || column < 1) __builtin_trap();
            if (ocirt__json_type(doc, i) == OCIRT__JSON_STRING) (void)ocirt__json_text(&arena, doc, i);
        }
    else if (error.line < 1 || !error.message[0]) __builtin_trap();
    if (doc) (void)ocirt__json_pointer(doc, doc->count - 1, pointer, sizeof pointer);
    ocirt_arena_free(&arena);
    return 0;
}
