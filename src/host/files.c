/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input files: read whole, once, with one clear sentence about what is wrong with them. */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/alloc.h"

#define LARGEST_FILE (UINT64_C(2) << 30)

bool host_file_exists(const char *path) { return access(path, F_OK) == 0; }

static bool read_all(int fd, const char *role, const char *path, struct host_file *f, struct error *err)
{
    for (size_t done = 0; done < f->size;) {
        ssize_t n = read(fd, f->data + done, f->size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, "cannot read the %s '%s': %s", role, path, strerror(errno));
        if (n == 0)
            return error_set(err, "the %s '%s' became shorter while it was being read", role, path);
        done += (size_t)n;
    }
    return true;
}

static bool check_kind(int fd, const char *role, const char *path, size_t *size, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_set(err, "cannot examine the %s '%s': %s", role, path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(err, "the %s '%s' is a directory", role, path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "the %s '%s' is not a regular file", role, path);
    if (st.st_size == 0)
        return error_set(err, "the %s '%s' is empty", role, path);
    if ((uint64_t)st.st_size > LARGEST_FILE)
        return error_set(err, "the %s '%s' is larger than 2 GiB", role, path);
    *size = (size_t)st.st_size;
    return true;
}

bool host_file_read(const char *role, const char *path, struct host_file *out, struct error *err)
{
    /* O_NONBLOCK: opening a FIFO by mistake must not hang. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, "cannot open the %s '%s': %s", role, path, strerror(errno));
    struct host_file f = { 0 };
    bool ok = check_kind(fd, role, path, &f.size, err);
    if (ok) {
        f.data = alloc_zero(f.size);
        ok = read_all(fd, role, path, &f, err);
    }
    close(fd);
    if (!ok) {
        free(f.data);
        return false;
    }
    char *absolute = realpath(path, NULL);
    f.path = absolute ? absolute : alloc_string(path);
    f.hash = XXH3_64bits(f.data, f.size);
    *out = f;
    return true;
}

void host_file_free(struct host_file *f)
{
    free(f->path);
    free(f->data);
    *f = (struct host_file){ 0 };
}
