// SPDX-License-Identifier: Apache-2.0
// What a cgroup costs in plain file operations: the same files, values and order as Cgroup writes them.
// Usage: cgroup PID ROUNDS v1|v2; prints microseconds, a round a line.
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *v1[] = {"memory", "cpu", "pids", "freezer", "cpuacct", NULL};
static const char *v2[] = {"unified", NULL}; // Or the mount point itself, where version 2 is alone.

static const struct { const char *hierarchy, *file, *value; } limits[] = {
    {"memory", "memory.limit_in_bytes", "67108864"},
    {"cpu", "cpu.cfs_period_us", "100000"},
    {"cpu", "cpu.cfs_quota_us", "150000"},
    {"pids", "pids.max", "64"},
    {"unified", "cgroup.max.descendants", "10"},
};

static void fail(const char *what, const char *path) {
    fprintf(stderr, "%s ", what);
    perror(path);
    exit(1);
}

static void put(const char *path, const char *value) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0) {
        fail("write", path);
    }
    close(fd);
}

static void each(const char **hierarchies, const char *format, const char *name, void (*act)(const char *, const char *),
                 const char *value) {
    char path[256];
    for (const char **h = hierarchies; *h; h++) {
        snprintf(path, sizeof path, format, *h, name);
        act(path, value);
    }
}

static void make(const char *path, const char *unused) {
    (void) unused;
    if (mkdir(path, 0755) < 0) {
        fail("mkdir", path);
    }
}

static void removed(const char *path, const char *unused) {
    (void) unused;
    if (rmdir(path) < 0) {
        fail("rmdir", path);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        return 2;
    }
    const char **hierarchies = strcmp(argv[3], "v1") == 0 ? v1 : v2;
    char name[64];
    char path[256];
    bool alone = access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0;
    if (alone) {
        v2[0] = ".";
    }
    for (int i = 0; i < atoi(argv[2]); i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        snprintf(name, sizeof name, "caisson-bench-%d-%d", getpid(), i);
        each(hierarchies, "/sys/fs/cgroup/%s/%s", name, make, NULL);
        for (size_t l = 0; l < sizeof limits / sizeof limits[0]; l++) {
            for (const char **h = hierarchies; *h; h++) {
                if (strcmp(*h, limits[l].hierarchy) == 0 || (alone && strcmp("unified", limits[l].hierarchy) == 0)) {
                    snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s/%s", *h, name, limits[l].file);
                    put(path, limits[l].value);
                }
            }
        }
        each(hierarchies, "/sys/fs/cgroup/%s/%s/cgroup.procs", name, put, argv[1]);
        each(hierarchies, "/sys/fs/cgroup/%s/cgroup.procs", name, put, argv[1]);
        each(hierarchies, "/sys/fs/cgroup/%s/%s", name, removed, NULL);
        clock_gettime(CLOCK_MONOTONIC, &after);
        printf("%.1f\n", (after.tv_sec - before.tv_sec) * 1e6 + (after.tv_nsec - before.tv_nsec) / 1e3);
    }
    return 0;
}
