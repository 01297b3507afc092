/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the operating system gives to a machine: time and waiting, memory,
 * files, the log's file, threads, signals and the terminal.  Each part
 * implements an interface that a lower folder declares; only cli/ and tests
 * use this header.  Character devices are in host/chardev.h.
 *
 * The terminal's mode and the signal disposition belong to the process, so
 * they are the only globals here.
 */
#ifndef REPRISE_HOST_HOST_H
#define REPRISE_HOST_HOST_H

#include <pthread.h>

#include "base/error.h"
#include "engine/engine.h"
#include "mem/ram.h"
#include "rr/rr.h"
#include "sim/completion.h"
#include "sim/input.h"

/* ---- clock.c: time, waiting, entropy ------------------------------------------ */

struct host_clock;

/* local_time: SIM_CLOCK_HOST runs in the host's time zone as of now (-rtc base=localtime) instead of UTC. */
struct host_clock *host_clock_new(bool local_time, struct error *err);
void host_clock_free(struct host_clock *c);
const struct sim_host *host_clock_sim(const struct host_clock *c);
uint64_t host_monotonic_ns(void);
uint64_t host_seconds_since_1970(void);

/* ---- memory.c ----------------------------------------------------------------- */

extern const struct host_memory host_memory;

/*
 * size bytes at p, which is page-aligned, are about to be written: one call in place of a fault for each page.  Shared
 * pages that are there the host then maps some at a time in their other mappings, too.  Hosts that do not know it
 * (Linux before 5.14) give pages as they are touched.  opaque is not looked at.
 */
void host_prepare(void *opaque, void *p, uint64_t size);

/* ---- code_memory.c ------------------------------------------------------------ */

extern const struct host_code host_code;

/* ---- files.c ------------------------------------------------------------------ */

/* A whole input file in memory, with what identifies it in a log. */
struct host_file {
    char *path;      /* absolute */
    uint8_t *data;
    size_t size;
    uint64_t hash;   /* XXH3-64 of the contents */
};

/*
 * Reads the regular file at path.  role ("kernel", "initrd") is for messages.
 * An empty file is an error: no input of ours may be.
 */
bool host_file_read(const char *role, const char *path, struct host_file *out, struct error *err);
void host_file_free(struct host_file *f);
bool host_file_exists(const char *path);

/* ---- output.c ------------------------------------------------------------------- */

/* A file that a run writes, through fd. */
struct host_output {
    int fd;
    char *path;      /* NULL: not open */
    bool append, created, started;
};

/* Nothing changes on disk, but that a missing file is made. */
bool host_output_open(struct host_output *o, const char *path, bool append, struct error *err);
/* The run has started: what was in the file goes (unless append).  May be called again. */
void host_output_start(struct host_output *o);
/* Removes the file again if it was made and the run never started.  No-op when not open. */
void host_output_close(struct host_output *o);

/* Do two paths name one regular file, there or yet to be made? */
bool host_same_file(const char *a, const char *b);

/* ---- perf_map.c ---------------------------------------------------------------- */

/* Names of translated code for `perf report`: /tmp/perf-PID.map. */
struct host_perf_map;
struct host_perf_map *host_perf_map_new(struct error *err);
void host_perf_map_add(struct host_perf_map *m, uint64_t address, size_t size, const char *name);
/* keep: the run started, so the file stays.  No-op for NULL. */
void host_perf_map_close(struct host_perf_map *m, bool keep);

/* ---- log_file.c --------------------------------------------------------------- */

struct host_log;

/*
 * A log to record into.  A file that is there is replaced only if it is a log
 * or empty.  Until host_log_commit() nothing on disk changes: what is appended
 * waits in memory, so that a run that fails to start destroys no older
 * recording.  close() without commit leaves the disk as it was.
 */
struct host_log *host_log_create(const char *path, struct log_file *out, struct error *err);
bool host_log_commit(struct host_log *log, struct error *err);

/*
 * Where the sentence of a failed append also goes (lifetime: beyond close), so
 * that a failure of the very last one, while closing, is seen.  Text is empty
 * until then.
 */
void host_log_report(struct host_log *log, struct error *failure);

/* A log to read. */
bool host_log_open(const char *path, struct log_file *out, struct error *err);

/* ---- workpool.c --------------------------------------------------------------- */

struct host_pool;
struct host_pool *host_pool_new(unsigned threads, struct error *err);
const struct work_pool *host_pool_work(const struct host_pool *p);
void host_pool_free(struct host_pool *p);   /* waits for what is queued */

/* ---- thread.c: threads that feed a machine -------------------------------------- */

/* A thread that waits in poll() and can be told to end. */
struct host_thread {
    pthread_t thread;
    int stop_fd;      /* readable: end now */
    bool running;
    void (*run)(void *opaque);
    void *opaque;
};

bool host_thread_start(struct host_thread *t, void (*run)(void *opaque), void *opaque, struct error *err);
void host_thread_stop(struct host_thread *t);   /* tells it to end, waits; no-op when it does not run */

/* Waits until fd has one of events (POLLIN, ..): true; false when the thread is to end. */
bool host_thread_poll(const struct host_thread *t, int fd, short events);

/* Sleeps for ms; false when the thread is to end. */
bool host_thread_sleep(const struct host_thread *t, int ms);

/* Posts everything to the source (NULL: discards), waiting while its queue is full; false when the thread is to end. */
bool host_thread_post(const struct host_thread *t, struct input_source *source, const void *data, size_t len);

/* ---- signals.c ---------------------------------------------------------------- */

/*
 * SIGINT, SIGTERM and SIGHUP: the first asks the target port to quit, a second
 * one ends the process.  Before a port is set, the first one ends it.  Call
 * before any other thread is made.
 */
bool host_signals_start(struct error *err);
void host_signals_set_port(struct input_port *port);   /* NULL: none */

/* The user asked to stop (Ctrl-A x): as the first signal.  Any thread. */
void host_quit(void);

/* True once somebody asked to stop: whoever waits for a slow peer gives up. */
bool host_quitting(void);

/* The signal that asked first, 0: none did. */
int host_quit_signal(void);

/* ---- terminal.c --------------------------------------------------------------- */

/*
 * Raw mode for the terminal on fd: no echo, no line editing; output processing
 * stays.  signals: Ctrl-C and friends still raise signals.  Restored at exit
 * and when the process dies of a signal, and while it is stopped.  No-op when fd is no terminal.
 */
void host_terminal_raw(int fd, bool signals);
void host_terminal_restore(void);   /* async-signal-safe */

/* ---- progress.c --------------------------------------------------------------- */

/* A bar on stderr, drawn at most ten times a second, only if stderr is a terminal. */
struct host_progress {
    const char *what;
    uint64_t total, last_ns, start_ns;
    bool shown, active;
};

void host_progress_begin(struct host_progress *p, const char *what, uint64_t total);
void host_progress_update(struct host_progress *p, uint64_t done);
void host_progress_end(struct host_progress *p);   /* wipes the bar */

#endif
