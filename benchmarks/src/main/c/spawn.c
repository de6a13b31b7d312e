// SPDX-License-Identifier: Apache-2.0
// For each line of standard input: microseconds from posix_spawn(3) to the exit of a program. Usage: spawn PROGRAM
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    char *args[] = {argv[1], NULL}, *env[] = {NULL};
    int c;
    while ((c = getchar()) != EOF) {
        if (c != '\n') continue;
        double before = now();
        pid_t pid;
        int status;
        if (posix_spawn(&pid, argv[1], NULL, NULL, args, env)) return 1;
        if (waitpid(pid, &status, 0) != pid || status) return 1;
        printf("%.1f\n", now() - before);
        fflush(stdout);
    }
    return 0;
}
