/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host side: a child process that loads a register state, jumps to one
 * instruction, and saves what became of it.
 *
 * The context page lies at a fixed low address, so that the trampolines need
 * no register of their own: every guest-visible register is the case's.
 * Faults arrive as signals on an alternate stack; the handler copies the
 * interrupted state out and resumes behind the trampoline.
 */
#define _GNU_SOURCE
#include "isa.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* Everything the trampolines touch, by absolute address.  Offsets are checked below. */
struct context {
    uint64_t gpr[16];         /* 0x000 in */
    uint64_t rflags;          /* 0x080 in */
    uint64_t code;            /* 0x088 where to jump */
    uint64_t host_rsp;        /* 0x090 */
    uint64_t exit0, exit1;    /* 0x098, 0x0a0: targets of the two stubs */
    uint64_t end;             /* 0x0a8 out: enum isa_end */
    uint64_t out_gpr[16];     /* 0x0b0 */
    uint64_t out_rflags;      /* 0x130 */
    uint64_t avx;             /* 0x138: load and save the upper halves */
    uint64_t pad[8];          /* 0x140 */
    uint8_t fx[512];          /* 0x180 */
    uint8_t out_fx[512];      /* 0x380 */
    uint8_t clean_fx[512];    /* 0x580 */
    uint64_t far_code;        /* 0x780: offset 4 bytes, selector 2 (for ljmp) */
    uint64_t far_exit[2];     /* 0x788: far pointers back to 64-bit code, one per stub */
    uint64_t pad2[13];        /* 0x798 */
    uint8_t high[16][16];     /* 0x800 */
    uint8_t out_high[16][16]; /* 0x900 */
};
_Static_assert(offsetof(struct context, fx) == 0x180, "trampoline offset");
_Static_assert(offsetof(struct context, out_gpr) == 0x0b0, "trampoline offset");
_Static_assert(offsetof(struct context, clean_fx) == 0x580, "trampoline offset");
_Static_assert(offsetof(struct context, far_code) == 0x780, "trampoline offset");
_Static_assert(offsetof(struct context, avx) == 0x138, "trampoline offset");
_Static_assert(offsetof(struct context, high) == 0x800, "trampoline offset");
_Static_assert(offsetof(struct context, out_high) == 0x900, "trampoline offset");

#define CTX "0x30000000"
#define LOAD(reg, n) "mov " CTX "+" #n "*8, %" #reg "\n"
#define SAVE(reg, n) "mov %" #reg ", " CTX "+0xb0+" #n "*8\n"
#define EACH_YMM(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD_HIGH(n) "vinsertf128 $1, " CTX "+0x800+" #n "*16, %ymm" #n ", %ymm" #n "\n"
#define SAVE_HIGH(n) "vextractf128 $1, %ymm" #n ", " CTX "+0x900+" #n "*16\n"
#define IF_AVX(text) "testb $1, " CTX "+0x138\n jz 9f\n" text "9:\n"
#define LOAD_ALL                                                                                                \
    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"                                        \
    "mov %rsp, " CTX "+0x90\n"                                                                                  \
    "fxrstor64 " CTX "+0x180\n"                                                                                 \
    IF_AVX(EACH_YMM(LOAD_HIGH))                                                                                 \
    "pushq " CTX "+0x80\n popfq\n"                                                                              \
    LOAD(rax, 0) LOAD(rcx, 1) LOAD(rdx, 2) LOAD(rbx, 3) LOAD(rsp, 4) LOAD(rbp, 5) LOAD(rsi, 6) LOAD(rdi, 7)

/* enter: 64-bit; enter32: leaves through a far jump to the compatibility segment. */
__asm__(".text\n"
        ".globl isa_enter, isa_enter32, isa_exit0, isa_exit1, isa_resume\n"
        "isa_enter:\n"
        LOAD_ALL
        LOAD(r8, 8) LOAD(r9, 9) LOAD(r10, 10) LOAD(r11, 11) LOAD(r12, 12) LOAD(r13, 13) LOAD(r14, 14) LOAD(r15, 15)
        "jmp *" CTX "+0x88\n"
        "isa_enter32:\n"
        LOAD_ALL
        "ljmp *" CTX "+0x780\n"
        "isa_exit0:\n"
        "movq $0, " CTX "+0xa8\n"
        "jmp 1f\n"
        "isa_exit1:\n"
        "movq $1, " CTX "+0xa8\n"
        "1:\n"
        SAVE(rax, 0) SAVE(rcx, 1) SAVE(rdx, 2) SAVE(rbx, 3) SAVE(rsp, 4) SAVE(rbp, 5) SAVE(rsi, 6) SAVE(rdi, 7)
        SAVE(r8, 8) SAVE(r9, 9) SAVE(r10, 10) SAVE(r11, 11) SAVE(r12, 12) SAVE(r13, 13) SAVE(r14, 14) SAVE(r15, 15)
        "mov " CTX "+0x90, %rsp\n"
        "pushfq\n popq " CTX "+0x130\n"
        "pushq $0x202\n popfq\n"
        "fxsave64 " CTX "+0x380\n"
        IF_AVX(EACH_YMM(SAVE_HIGH))
        "isa_resume:\n"
        IF_AVX("vzeroupper\n")
        "fxrstor64 " CTX "+0x580\n"
        "cld\n"
        "mov " CTX "+0x90, %rsp\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n");
void isa_enter(void);
void isa_enter32(void);
void isa_exit0(void);
void isa_exit1(void);
void isa_resume(void);

#define LINUX_TASK_SIZE UINT64_C(0x7ffffffff000)
enum { BATCH = 256, USER32_CS = 0x23, USER64_CS = 0x33, USER_DS = 0x2b };

struct shared {
    struct isa_case cases[BATCH];
    struct isa_result results[BATCH];
    size_t n;
};

static struct {
    pid_t pid;
    int go[2], done[2];
    struct shared *shared;
    bool mode32;
} host;

static struct isa_result *current;   /* in the child: the case being run */
static uint8_t current_len;

static struct context *ctx(void) { return (struct context *)(uintptr_t)ISA_CONTEXT; }

static int signal_vector(int sig, const siginfo_t *info, const ucontext_t *uc)
{
    (void)info;
    (void)sig;
    return (int)uc->uc_mcontext.gregs[REG_TRAPNO];
}

/* The signal frame has the registers as XSAVE leaves them: header at 512, upper halves at 576. */
static void save_high(struct isa_result *r, const uint8_t *area)
{
    uint64_t present;
    memcpy(&present, area + 512, sizeof present);
    if (ctx()->avx && present & 4)
        memcpy(r->out.high, area + 576, sizeof r->out.high);
}

static void on_signal(int sig, siginfo_t *info, void *opaque)
{
    static const int order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                   REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
    __asm__ volatile("lea -128(%%rsp), %%rsp\n pushfq\n andl $~0x40000, (%%rsp)\n popfq\n lea 128(%%rsp), %%rsp"
                     : : : "memory", "cc");     /* the case may have set AC */
    ucontext_t *uc = opaque;
    greg_t *g = uc->uc_mcontext.gregs;
    if (!current)
        _exit(3);
    current->vector = (uint8_t)signal_vector(sig, info, uc);
    current->end = ISA_FAULT;
    current->rip = (uint64_t)g[REG_RIP];
    if (current->vector == 1 && current->rip == ISA_CODE + 0x800)
        current->rip += current_len;           /* INT1: a hypervisor that intercepts it may forget to go on */
    current->error = (uint32_t)g[REG_ERR];
    current->has_cr2 = current->vector == 14;
    current->cr2 = (uint64_t)g[REG_CR2];
    if (current->has_cr2 && current->cr2 >= LINUX_TASK_SIZE)
        current->error &= ~(uint32_t)1;        /* whether a page of Linux's own is there is hidden: always 1 */
    for (int i = 0; i < 16; i++)
        current->out.gpr[i] = (uint64_t)g[order[i]];
    current->out.rflags = (uint64_t)g[REG_EFL];
    if (uc->uc_mcontext.fpregs) {
        memcpy(current->out.fx, uc->uc_mcontext.fpregs, 512);
        save_high(current, (const uint8_t *)uc->uc_mcontext.fpregs);
        memcpy(uc->uc_mcontext.fpregs, ctx()->clean_fx, 416);
    }
    ctx()->end = ISA_FAULT;
    g[REG_RIP] = (greg_t)(uintptr_t)isa_resume;
    g[REG_RSP] = (greg_t)ctx()->host_rsp;
    g[REG_EFL] = 0x202;
    g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffLL) | USER64_CS;
}

/* The instruction, then the fall-through stub, then the branch stub. */
static void place_code(const struct isa_case *c)
{
    uint8_t *page = (uint8_t *)(uintptr_t)ISA_CODE;
    uint8_t *at = page + 0x800;
    memset(page + 0x7c0, 0x90, 0x80);
    memcpy(at, c->code, c->len);
    for (int i = 0; i < 2; i++) {
        uint8_t *stub = at + c->len + i * ISA_STUB_GAP;
        if (c->mode32) {
            uint32_t far_ptr = ISA_CONTEXT + 0x788 + 8 * (uint32_t)i;
            memcpy(stub, "\xff\x2d", 2);           /* ljmp *[abs32] */
            memcpy(stub + 2, &far_ptr, 4);
        } else {
            uint32_t ptr = ISA_CONTEXT + 0x98 + 8 * (uint32_t)i;
            memcpy(stub, "\xff\x24\x25", 3);       /* jmp *[abs32] */
            memcpy(stub + 3, &ptr, 4);
        }
    }
}

static void run_case(const struct isa_case *c, struct isa_result *r)
{
    struct context *x = ctx();
    memset(r, 0, sizeof *r);
    place_code(c);
    isa_data_fill((uint8_t *)(uintptr_t)ISA_DATA, c);
    memcpy(x->gpr, c->in.gpr, sizeof x->gpr);
    memcpy(x->fx, c->in.fx, 512);
    memcpy(x->high, c->in.high, sizeof x->high);
    x->rflags = c->in.rflags | 0x202;
    x->code = ISA_CODE + 0x800;
    x->far_code = (ISA_CODE + 0x800) | (uint64_t)USER32_CS << 32;
    __asm__ volatile("mov %0, %%ds\n mov %0, %%es" : : "r"(USER_DS));   /* the case before may have changed them */
    current = r;
    current_len = c->len;
    if (c->mode32)
        isa_enter32();
    else
        isa_enter();
    current = NULL;
    if (x->end != ISA_FAULT) {
        r->end = (enum isa_end)x->end;
        memcpy(r->out.gpr, x->out_gpr, sizeof r->out.gpr);
        r->out.rflags = x->out_rflags;
        memcpy(r->out.fx, x->out_fx, 512);
        if (x->avx)
            memcpy(r->out.high, x->out_high, sizeof r->out.high);
    }
    isa_data_result((const uint8_t *)(uintptr_t)ISA_DATA, r);
}

static void *map_at(uintptr_t at, size_t size, int prot)
{
    void *p = mmap((void *)at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p == MAP_FAILED)
        _exit(2);
    return p;
}

static void child_setup(void)
{
    static uint8_t stack[65536];
    map_at(ISA_CODE, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC);
    map_at(ISA_DATA, ISA_DATA_SIZE, PROT_READ | PROT_WRITE);
    (void)*(const volatile uint8_t *)map_at(ISA_READ_ONLY, 0x1000, PROT_READ);     /* from here on it is present */
    struct context *x = map_at(ISA_CONTEXT, 0x1000, PROT_READ | PROT_WRITE);
    x->exit0 = (uintptr_t)isa_exit0;
    x->exit1 = (uintptr_t)isa_exit1;
    x->avx = isa_host_has_avx();
    __asm__ volatile("fxsave64 %0" : "=m"(x->clean_fx));

    /* Far pointers need a 32-bit offset: a copy of the exits' addresses via a low thunk page. */
    uint8_t *thunk = map_at(ISA_CONTEXT + 0x1000, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (int i = 0; i < 2; i++) {
        uint32_t ptr = ISA_CONTEXT + 0x98 + 8 * (uint32_t)i;
        memcpy(thunk + 16 * i, "\xff\x24\x25", 3);
        memcpy(thunk + 16 * i + 3, &ptr, 4);
        x->far_exit[i] = (ISA_CONTEXT + 0x1000 + 16 * (uint64_t)i) | (uint64_t)USER64_CS << 32;
    }

    stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
    sigaltstack(&ss, NULL);
    struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    const int signals[] = { SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &sa, NULL);
}

static _Noreturn void child_main(void)
{
    char byte;
    child_setup();
    while (read(host.go[0], &byte, 1) == 1) {
        for (size_t i = 0; i < host.shared->n; i++)
            run_case(&host.shared->cases[i], &host.shared->results[i]);
        if (write(host.done[1], &byte, 1) != 1)
            break;
    }
    _exit(0);
}

static bool run_batch(size_t n)
{
    char byte = 0;
    host.shared->n = n;
    if (write(host.go[1], &byte, 1) != 1 || read(host.done[0], &byte, 1) != 1) {
        int status = 0;
        waitpid(host.pid, &status, 0);
        fprintf(stderr, "isa: the child died, wait status 0x%x\n", status);
        return false;
    }
    return true;
}

bool isa_host_start(void)
{
    host.shared = mmap(NULL, sizeof *host.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (host.shared == MAP_FAILED || pipe(host.go) || pipe(host.done)) {
        perror("isa: setting up the child");
        return false;
    }
    host.pid = fork();
    if (host.pid == 0) {
        close(host.go[1]);
        close(host.done[0]);
        child_main();
    }
    close(host.go[0]);
    close(host.done[1]);
    return host.pid > 0;
}

bool isa_host_run(const struct isa_case *cases, struct isa_result *results, size_t n)
{
    while (n) {
        size_t k = n < BATCH ? n : BATCH;
        memcpy(host.shared->cases, cases, k * sizeof *cases);
        if (!run_batch(k))
            return false;
        memcpy(results, host.shared->results, k * sizeof *results);
        cases += k;
        results += k;
        n -= k;
    }
    return true;
}


bool isa_host_has_mode32(void)
{
    struct isa_case c = { .code = { 0x40 }, .len = 1, .mode32 = true };   /* INC EAX: a REX prefix in 64-bit mode */
    struct isa_result r;
    c.in.gpr[0] = 41;
    c.in.gpr[4] = ISA_WINDOW + 0x200;
    memset(c.in.fx, 0, sizeof c.in.fx);
    c.in.fx[0] = 0x7f;
    c.in.fx[1] = 3;
    c.in.fx[24] = 0x80;
    c.in.fx[25] = 0x1f;
    return isa_host_run(&c, &r, 1) && r.end == ISA_FELL_THROUGH && (uint32_t)r.out.gpr[0] == 42;
}

void isa_host_stop(void)
{
    close(host.go[1]);
    waitpid(host.pid, NULL, 0);
    munmap(host.shared, sizeof *host.shared);
}
