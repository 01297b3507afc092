/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The controlling terminal's mode: set raw once, given back whatever way the process ends. */
#include "host/host.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>


static struct termios before;
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

void host_terminal_raw(int fd, bool signals)
{
    static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGQUIT };
    struct termios t;
    if (atomic_load(&raw_fd) >= 0 || tcgetattr(fd, &before) < 0)
        return;
    t = before;
    t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals)
        t.c_lflag &= ~(tcflag_t)ISIG;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    atomic_store(&raw_fd, fd);
    atexit(host_terminal_restore);
    struct sigaction sa = { .sa_handler = dying, .sa_flags = SA_RESETHAND | SA_NODEFER };
    for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
        sigaction(deadly[i], &sa, NULL);
    tcsetattr(fd, TCSANOW, &t);
}
