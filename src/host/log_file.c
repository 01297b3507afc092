/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log's file.
 *
 * Invariants
 *  1. append() has handed every byte to the kernel when it returns true: the
 *     death of the process loses nothing.
 *  2. After a failed append (disk full) the file ends where the last
 *     successful one ended, so no torn frame is left behind.
 *  3. An older recording of the same name is replaced at host_log_commit(),
 *     not before.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "rr/format.h"

struct host_log {
    int fd;
    char *path;
    uint64_t size;       /* bytes written for good (recording), or the file's size (reading) */
    bool regular, created, committed, writable;
    struct buf early;    /* appended before the commit */
    struct error *failure;
};

static bool write_all(struct host_log *log, const void *data, size_t len, struct error *err)
{
    const char *p = data;
    for (size_t done = 0; done < len;) {
        ssize_t n = write(log->fd, p + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int e = n < 0 ? errno : ENOSPC;
            if (log->regular && ftruncate(log->fd, (off_t)log->size) == 0)
                lseek(log->fd, (off_t)log->size, SEEK_SET);
            struct error why;
            error_set(&why, "cannot write the log '%s' beyond its first %llu bytes: %s", log->path,
                      (unsigned long long)log->size, strerror(e));
            if (log->failure && !log->failure->text[0])
                *log->failure = why;
            return error_set(err, "%s", why.text);
        }
        done += (size_t)n;
    }
    log->size += len;
    return true;
}

static bool append(void *opaque, const void *data, size_t len, struct error *err)
{
    struct host_log *log = opaque;
    if (!log->writable)
        return error_set(err, "the log '%s' was opened for reading", log->path);
    if (log->committed)
        return write_all(log, data, len, err);
    buf_put(&log->early, data, len);
    return true;
}

bool host_log_commit(struct host_log *log, struct error *err)
{
    if (log->committed)
        return true;
    if (log->regular && ftruncate(log->fd, 0) < 0)
        return error_set(err, "cannot replace the log '%s': %s", log->path, strerror(errno));
    log->committed = true;
    bool ok = write_all(log, log->early.data, log->early.len, err);
    buf_free(&log->early);
    log->early = (struct buf){ 0 };
    return ok;
}

void host_log_report(struct host_log *log, struct error *failure)
{
    failure->text[0] = 0;
    log->failure = failure;
}

static bool read_at(void *opaque, uint64_t offset, void *out, size_t len, struct error *err)
{
    struct host_log *log = opaque;
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(log->fd, (char *)out + done, len - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, "cannot read the log '%s': %s", log->path, strerror(errno));
        if (n == 0)
            return error_set(err, "the log '%s' ends early", log->path);
        done += (size_t)n;
    }
    return true;
}

static uint64_t size(void *opaque)
{
    struct host_log *log = opaque;
    return log->size + log->early.len;
}

static void close_log(void *opaque)
{
    struct host_log *log = opaque;
    if (log->writable && log->created && !log->committed)
        unlink(log->path);
    close(log->fd);
    buf_free(&log->early);
    free(log->path);
    free(log);
}

static struct host_log *open_log(const char *path, int flags, struct stat *st, struct error *err)
{
    int fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0) {
        error_set(err, "cannot open the log '%s': %s", path, strerror(errno));
        return NULL;
    }
    if (fstat(fd, st) < 0 || S_ISDIR(st->st_mode)) {
        error_set(err, "the log '%s' is a directory", path);
        close(fd);
        return NULL;
    }
    struct host_log *log = NEW(struct host_log);
    log->fd = fd;
    log->path = alloc_string(path);
    log->regular = S_ISREG(st->st_mode);
    return log;
}

static struct log_file interface(struct host_log *log)
{
    return (struct log_file){ .append = append, .read = read_at, .size = size, .close = close_log, .opaque = log };
}

/* A recording, or the beginning of one that was cut short: may be replaced. */
static bool is_log(int fd)
{
    char head[LOG_MAGIC_BYTES];
    ssize_t n = pread(fd, head, sizeof head, 0);
    return n >= 0 && !memcmp(head, LOG_MAGIC, (size_t)n);
}

struct host_log *host_log_create(const char *path, struct log_file *out, struct error *err)
{
    bool existed = host_file_exists(path);
    struct stat st;
    struct host_log *log = open_log(path, O_RDWR | O_CREAT, &st, err);
    if (!log)
        return NULL;
    log->created = !existed;
    if (log->regular && flock(log->fd, LOCK_EX | LOCK_NB) < 0) {
        error_set(err, "the log '%s' is being recorded by another run", path);
        close_log(log);
        return NULL;
    }
    if (log->regular && !is_log(log->fd)) {
        error_set(err, "'%s' is there already and not a recording, so it is not overwritten", path);
        close_log(log);
        return NULL;
    }
    log->writable = true;
    *out = interface(log);
    return log;
}

bool host_log_open(const char *path, struct log_file *out, struct error *err)
{
    struct stat st;
    struct host_log *log = open_log(path, O_RDONLY | O_NONBLOCK, &st, err);
    if (!log)
        return false;
    if (!log->regular) {
        error_set(err, "the log '%s' is not a regular file", path);
        close_log(log);
        return false;
    }
    log->size = (uint64_t)st.st_size;
    *out = interface(log);
    return true;
}
