/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/host.h"

static bool read_all(int fd, uint8_t *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

bool host_read_file(const char *role, const char *path, uint8_t **data, size_t *size, struct error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        error_set(err, "%s '%s' cannot be opened: %s", role, path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool ok = S_ISREG(st.st_mode);
    if (!ok)
        error_set(err, "%s '%s' is not a regular file", role, path);
    else if (!(ok = st.st_size > 0))
        error_set(err, "%s '%s' is empty", role, path);
    if (ok) {
        *size = (size_t)st.st_size;
        *data = alloc_zero(*size);
        ok = read_all(fd, *data, *size);
        if (!ok) {
            free(*data);
            error_set(err, "%s '%s' cannot be read: %s", role, path, strerror(errno));
        }
    }
    close(fd);
    return ok;
}
