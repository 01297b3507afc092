/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A few threads that run queued work in any order (sim/completion.h's pool). */
#include "host/host.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

struct job {
    struct job *next;
    void (*run)(void *arg);
    void *arg;
};

struct host_pool {
    struct work_pool work;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job *first, **last;
    bool ending;
    unsigned n_threads;
    pthread_t *threads;
};

static void *worker(void *opaque)
{
    struct host_pool *p = opaque;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct job *j = p->first;
        if (!j && p->ending)
            break;
        if (!j) {
            pthread_cond_wait(&p->more, &p->lock);
            continue;
        }
        p->first = j->next;
        if (!p->first)
            p->last = &p->first;
        pthread_mutex_unlock(&p->lock);
        j->run(j->arg);
        free(j);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void queue(void *opaque, void (*run)(void *arg), void *arg)
{
    struct host_pool *p = opaque;
    struct job *j = NEW(struct job);
    *j = (struct job){ .run = run, .arg = arg };
    pthread_mutex_lock(&p->lock);
    *p->last = j;
    p->last = &j->next;
    pthread_cond_signal(&p->more);
    pthread_mutex_unlock(&p->lock);
}

struct host_pool *host_pool_new(unsigned threads, struct error *err)
{
    struct host_pool *p = NEW(struct host_pool);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    p->last = &p->first;
    p->threads = NEW_ARRAY(pthread_t, threads);
    p->work = (struct work_pool){ .run = queue, .opaque = p };
    while (p->n_threads < threads) {
        int e = pthread_create(&p->threads[p->n_threads], NULL, worker, p);
        if (e) {
            error_set(err, "cannot start a thread: %s", strerror(e));
            host_pool_free(p);
            return NULL;
        }
        p->n_threads++;
    }
    return p;
}

const struct work_pool *host_pool_work(const struct host_pool *p) { return &p->work; }

void host_pool_free(struct host_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p);
}
