/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output into files. Lines are taken apart here; what is longer than LONGEST_LINE is split as Docker splits it. A file that
 * has reached its size is renamed to NAME.1, that one to NAME.2 and so on; a record is never split between two. What cannot
 * be written, because the disk is full, is counted and left out: the container goes on.
 */
#include "shim.h"

enum { OUT_SIZE = 16384, ROUNDS = 4 };

enum { PAGE = 4096 };
struct source { u32 used; u8 swollen; char *bytes; };
struct sink { i32 fd; u8 torn; u64 size; };

/* Of each, a page is enough but for bursts. */
static struct { char in[2][LONGEST_LINE], out[OUT_SIZE]; } buffers __attribute__((aligned(PAGE)));
static struct source sources[2];
static struct sink sinks[2];
static u32 out_used;
static u8 out_swollen;
static u32 target;

static const struct sink_config *about(u32 sink) {
    return &config.head.sinks[sink];
}

static void file_name(char *name, u64 size, u32 sink, u32 number) {
    struct text text = {name, name + size - 1};
    put(&text, config_text(about(sink)->name));
    if (number) {
        put(&text, ".");
        put_number(&text, number);
    }
    *text.at = 0;
}

static void open_sink(u32 sink) {
    char name[272];
    file_name(name, sizeof name, sink, 0);
    i32 fd = own(CALL4(SYS_openat, shim.own[FIRST_SINK + sink], name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    sinks[sink].fd = fd;
    sinks[sink].torn = 0;
    i64 size = fd < 0 ? 0 : CALL3(SYS_lseek, fd, 0, 2);
    sinks[sink].size = size < 0 ? 0 : (u64)size;
}

void open_logs(void) {
    sources[0].bytes = buffers.in[0];
    sources[1].bytes = buffers.in[1];
    for (u32 sink = 0; sink < 2; sink++) {
        sinks[sink].fd = -1;
        if (shim.own[FIRST_SINK + sink] >= 0) {
            open_sink(sink);
        }
    }
}

static void rotate(u32 sink) {
    char from[272], to[272];
    CALL1(SYS_close, sinks[sink].fd);
    i32 directory = shim.own[FIRST_SINK + sink];
    for (u32 number = about(sink)->files - 1; number > 0; number--) {
        file_name(from, sizeof from, sink, number - 1);
        file_name(to, sizeof to, sink, number);
        CALL4(SYS_renameat, directory, from, directory, to);
    }
    if (about(sink)->files == 1) {
        file_name(from, sizeof from, sink, 0);
        CALL3(SYS_unlinkat, directory, from, 0);
    }
    open_sink(sink);
}

void flush_log(void) {
    struct sink *sink = &sinks[target];
    u32 done = 0;
    if (out_used && sink->fd < 0) {
        open_sink(target); /* There was no room for a new file when the last one was full. */
    }
    if (out_used && sink->torn && CALL3(SYS_write, sink->fd, "\n", 1) == 1) {
        sink->torn = 0; /* What was written in part spoils itself alone. */
        sink->size++;
    }
    while (done < out_used) {
        i64 count = CALL3(SYS_write, sink->fd, buffers.out + done, out_used - done);
        if (count == -EINTR) {
            continue;
        }
        if (count <= 0) {
            shim.dropped += out_used - done;
            sink->torn |= done > 0;
            break;
        }
        done += (u32)count;
    }
    out_swollen |= out_used > PAGE;
    sink->size += done;
    out_used = 0;
}

void put_byte(char byte) {
    if (out_used == OUT_SIZE) {
        flush_log();
    }
    buffers.out[out_used++] = byte;
}

void write_log(const char *bytes, u64 count) {
    while (count) {
        if (out_used == OUT_SIZE) {
            flush_log();
        }
        u64 some = OUT_SIZE - out_used < count ? OUT_SIZE - out_used : count;
        memcpy(buffers.out + out_used, bytes, some);
        out_used += (u32)some;
        bytes += some;
        count -= some;
    }
}

static void emit(u32 stream, const char *line, u64 count, int whole) {
    const struct sink_config *to = about(target);
    if (to->most_bytes && sinks[target].size + out_used >= to->most_bytes) {
        flush_log();
        rotate(target);
    }
    put_record(to->format, stream, line, count, whole);
}

/* How much of a line that is too long can be split off without splitting a character. */
static u32 before_character(const char *bytes, u32 count) {
    for (u32 back = 1; back <= 3 && back < count; back++) {
        u8 byte = (u8)bytes[count - back];
        if (byte >= 0xc0) {
            u32 length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
            return length > back ? count - back : count;
        }
        if (byte < 0x80) {
            break;
        }
    }
    return count;
}

/* The next end of a line, or the end of what there is; eight bytes at a time, a byte of zero standing for an end of line. */
static u32 line_end(const char *bytes, u32 at, u32 end) {
    const u64 ones = 0x0101010101010101, ends = ones * '\n', tops = ones << 7;
    for (; at + sizeof(word) <= end; at += sizeof(word)) {
        u64 marked = *(const word *)(bytes + at) ^ ends;
        if ((marked - ones) & ~marked & tops) {
            break;
        }
    }
    while (at < end && bytes[at] != '\n') {
        at++;
    }
    return at;
}

static void take(u32 stream, u32 scanned) {
    struct source *source = &sources[stream];
    u32 begin = 0, at = scanned;
    while ((at = line_end(source->bytes, at, source->used)) < source->used) {
        at++;
        emit(stream, source->bytes + begin, at - begin, 1);
        begin = at;
    }
    u32 left = source->used - begin;
    if (left == LONGEST_LINE) {
        u32 part = before_character(source->bytes, left);
        emit(stream, source->bytes, part, 0);
        begin = part;
        left -= part;
    }
    if (begin) {
        memcpy(source->bytes, source->bytes + begin, left);
    }
    source->used = left;
}

/* Gives back the memory of a burst; where pages are larger, the kernel refuses. */
static void give_back(char *bytes, u64 size) {
    CALL3(SYS_madvise, bytes + PAGE, size - PAGE, MADV_DONTNEED);
}

/* Reads once. 1 if there was something, 0 if there is nothing now, -1 at the end. */
static int drain_once(u32 stream) {
    struct source *source = &sources[stream];
    i32 fd = shim.own[OUTPUT + stream];
    if (fd < 0) {
        return -1;
    }
    u32 used = source->used;
    i64 count = CALL3(SYS_read, fd, source->bytes + used, LONGEST_LINE - used);
    if (count == -EAGAIN || count == -EINTR) {
        return 0;
    }
    if (count <= 0) {
        CALL1(SYS_close, fd);
        shim.own[OUTPUT + stream] = -1;
        return -1;
    }
    source->used += (u32)count;
    shim.log_bytes += (u64)count;
    target = config.head.sink_of[stream] - 1;
    stamp(stream);
    source->swollen |= source->used > PAGE;
    int all = source->used < LONGEST_LINE;
    take(stream, used);
    flush_log();
    if (all && source->swollen && source->used <= PAGE) {
        give_back(source->bytes, LONGEST_LINE);
        source->swollen = 0;
    }
    if (all && out_swollen) {
        give_back(buffers.out, OUT_SIZE);
        out_swollen = 0;
    }
    return 1;
}

/* Reads a few times. Whether there was something. */
int drain(u32 stream) {
    u32 rounds = 0;
    while (rounds < ROUNDS && drain_once(stream) > 0) {
        rounds++;
    }
    return rounds > 0;
}

/* The command has ended: the rest of what it said. The pipes stay, for whoever is started again. */
void finish_logs(void) {
    for (u32 stream = 0; stream < 2; stream++) {
        while (drain(stream)) {}
        struct source *source = &sources[stream];
        if (source->used) {
            target = config.head.sink_of[stream] - 1;
            stamp(stream);
            emit(stream, source->bytes, source->used, 0);
            source->used = 0;
            flush_log();
        }
    }
}
