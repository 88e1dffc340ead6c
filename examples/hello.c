/* The only program of the demo's root file system: it prints what a container sees. */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

static void print_mounts(void) {
    char  line[1024], target[256];
    FILE *file = fopen("/proc/self/mounts", "r");
    printf("mounts:  ");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%*s %255s", target) == 1) printf(" %s", target);
    printf("\n");
    if (file) fclose(file);
}

int main(void) {
    char name[65] = "", folder[256] = "";
    gethostname(name, sizeof name - 1);
    printf("hello from a container\n");
    printf("process:  %d, child of %d\n", (int)getpid(), (int)getppid());
    printf("hostname: %s\n", name);
    printf("ids:      user %d, group %d\n", (int)getuid(), (int)getgid());
    printf("folder:   %s\n", getcwd(folder, sizeof folder) ? folder : "?");
    print_mounts();
    return 0;
}
