/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controlling terminal's mode: set raw once, given back whatever way the
 * process ends, and while it is stopped.
 */
#include "host/host.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>


static struct termios before, raw;
static atomic_int raw_fd = -1;

void host_terminal_restore(void)
{
    int fd = atomic_exchange(&raw_fd, -1);
    if (fd >= 0)
        tcsetattr(fd, TCSANOW, &before);
}

/* SA_RESETHAND: raising again ends the process as the signal would have. */
static void dying(int sig)
{
    host_terminal_restore();
    raise(sig);
}

static void stopping(int sig)
{
    int fd = atomic_load(&raw_fd);
    if (fd >= 0)
        tcsetattr(fd, TCSANOW, &before);
    raise(SIGSTOP);
}

/* In the background the terminal is somebody else's; coming to the foreground is another SIGCONT. */
static void continued(int sig)
{
    int fd = atomic_load(&raw_fd), e = errno;
    pid_t foreground = fd >= 0 ? tcgetpgrp(fd) : 0;
    if (fd >= 0 && (foreground < 0 || foreground == getpgrp()))
        tcsetattr(fd, TCSANOW, &raw);
    errno = e;
}

static void on_signal(int sig, void (*handler)(int), int flags)
{
    struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };
    sigaction(sig, &sa, NULL);
}

void host_terminal_raw(int fd, bool signals)
{
    static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGQUIT };
    if (atomic_load(&raw_fd) >= 0 || tcgetattr(fd, &before) < 0)
        return;
    raw = before;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals)
        raw.c_lflag &= ~(tcflag_t)ISIG;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    atomic_store(&raw_fd, fd);
    atexit(host_terminal_restore);
    for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
        on_signal(deadly[i], dying, SA_RESETHAND | SA_NODEFER);
    on_signal(SIGTSTP, stopping, SA_RESTART);
    on_signal(SIGCONT, continued, SA_RESTART);
    tcsetattr(fd, TCSANOW, &raw);
}
