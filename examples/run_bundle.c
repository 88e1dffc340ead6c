/* Runs a bundle: run_bundle FOLDER. The folder holds config.json and a root file system.
   cc -I. -o run_bundle examples/run_bundle.c */
#define OCIRT_IMPLEMENTATION
#include "ocirt.h"

static int print(void *user, const char *text, size_t size) {
    return fwrite(text, 1, size, user) == size ? 0 : -1;
}

int main(int argc, char **argv) {
    ocirt_options options = {.stage = ocirt_stage(argc, argv), .flags = OCIRT_FORWARD}; /* first of all: see the manual */
    ocirt_error   error;
    ocirt_exit    end;
    if (argc != 2) return fputs("usage: run_bundle FOLDER\n", stderr), 2;
    if (ocirt_run_bundle(argv[1], NULL, &options, &end, &error) == 0) return end.code;
    ocirt_error_print(&error, OCIRT_ERROR_FULL, print, stderr);
    return 125;
}
