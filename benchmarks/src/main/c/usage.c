// SPDX-License-Identifier: Apache-2.0
// What a snapshot of a cgroup costs in plain reads: the files that Usage reads, without making anything of them.
// Usage: usage ROUNDS open|kept FILE...; prints microseconds, a round a line. Files that are not there cost their open.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: usage ROUNDS open|kept FILE...\n");
        return 2;
    }
    int rounds = atoi(argv[1]), kept = strcmp(argv[2], "kept") == 0, files = argc - 3;
    static char text[1 << 16];
    int *fds = calloc(files, sizeof *fds);
    for (int f = 0; f < files; f++) {
        fds[f] = kept ? open(argv[3 + f], O_RDONLY | O_CLOEXEC) : -1;
    }
    for (int i = 0; i < rounds; i++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        for (int f = 0; f < files; f++) {
            int fd = kept ? fds[f] : open(argv[3 + f], O_RDONLY | O_CLOEXEC);
            if (fd >= 0 && pread(fd, text, sizeof text, 0) < 0) {
                perror(argv[3 + f]);
                return 1;
            }
            if (fd >= 0 && !kept) {
                close(fd);
            }
        }
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("%.3f\n", (end.tv_sec - begin.tv_sec) * 1e6 + (end.tv_nsec - begin.tv_nsec) / 1e3);
    }
    return 0;
}
