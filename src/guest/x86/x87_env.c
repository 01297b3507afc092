/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x87 environment in memory: FNSTENV, FLDENV, FNSAVE, FRSTOR (SDM vol. 1,
 * 8.1.10).  FCS and FDS are the deprecated ones that always read as zero
 * (CPUID.7:EBX[13]).
 */
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"
#include "guest/x86/x87_impl.h"

enum { STATE = HELPER_READS | HELPER_WRITES | HELPER_MAY_EXIT | HELPER_MEMORY };
enum { ENV_32 = 1, ENV_PROTECTED = 2, ENV_REGISTERS = 4 };   /* the helpers' constant */

uint16_t x87_tag_word(const struct x86_x87 *x)
{
    uint16_t tags = 0;
    for (unsigned p = 0; p < 8; p++) {
        unsigned exp = x->st[p].se & 0x7fff, tag;
        if (x->empty >> p & 1)
            tag = 3;
        else if (exp == 0 && !x->st[p].mant)
            tag = 1;
        else
            tag = exp == 0 || exp == 0x7fff || !(x->st[p].mant >> 63) ? 2 : 0;
        tags |= (uint16_t)(tag << (2 * p));
    }
    return tags;
}

static unsigned env_size(uint64_t kind) { return kind & ENV_32 ? 28 : 14; }

static void put_env(const struct x86_x87 *x, uint64_t kind, uint8_t *m)
{
    unsigned w = kind & ENV_32 ? 4 : 2;
    uint64_t high = kind & ENV_32 ? 0xffff0000 : 0;
    store_le(m, w, high | x->cw);
    store_le(m + w, w, high | x->sw | (uint64_t)x->top << 11);
    store_le(m + 2 * w, w, high | x87_tag_word(x));
    uint32_t ip = (uint32_t)x->fip, dp = (uint32_t)x->fdp;
    if (kind & ENV_PROTECTED) {
        store_le(m + 3 * w, w, ip);
        store_le(m + 4 * w, w, kind & ENV_32 ? (uint32_t)x->fop << 16 | x->fcs : x->fcs);
        store_le(m + 5 * w, w, dp);
        store_le(m + 6 * w, w, high | x->fds);
    } else {
        ip += (uint32_t)x->fcs << 4;
        dp += (uint32_t)x->fds << 4;
        store_le(m + 3 * w, w, high | (ip & 0xffff));
        store_le(m + 4 * w, w, (ip >> 16 << 12 | x->fop) & mask64(8 * w));
        store_le(m + 5 * w, w, high | (dp & 0xffff));
        store_le(m + 6 * w, w, dp >> 16 << 12 & mask64(8 * w));
    }
}

static void get_env(struct x86_x87 *x, uint64_t kind, const uint8_t *m)
{
    unsigned w = kind & ENV_32 ? 4 : 2;
    uint16_t sw = (uint16_t)load_le(m + w, 2), tags = (uint16_t)load_le(m + 2 * w, 2);
    uint32_t word4 = (uint32_t)load_le(m + 4 * w, w), word6 = (uint32_t)load_le(m + 6 * w, w);
    x->cw = (uint16_t)((load_le(m, 2) & 0x1f3f) | 0x40);
    x->sw = sw & (uint16_t)~0x3800;
    x->top = sw >> 11 & 7;
    x->empty = 0;
    for (unsigned p = 0; p < 8; p++)
        x->empty |= (uint8_t)((tags >> (2 * p) & 3) == 3 ? 1u << p : 0);
    x->fcs = x->fds = 0;
    if (kind & ENV_PROTECTED) {
        x->fip = load_le(m + 3 * w, w);
        x->fdp = load_le(m + 5 * w, w);
        if (kind & ENV_32)
            x->fop = word4 >> 16 & 0x7ff;
    } else {
        x->fip = load_le(m + 3 * w, 2) | (uint64_t)(word4 >> 12) << 16;
        x->fdp = load_le(m + 5 * w, 2) | (uint64_t)(word6 >> 12) << 16;
        x->fop = word4 & 0x7ff;
    }
}

static uint64_t do_store_env(struct vcpu *v, uint64_t kind, uint64_t at)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    uint8_t m[108];
    unsigned n = env_size(kind), mode = x86_data_mode(c);
    put_env(x, kind, m);
    if (kind & ENV_REGISTERS) {
        for (unsigned i = 0; i < 8; i++) {
            f80 r = x87_get(x, i);
            store_le(m + n + 10 * i, 8, r.mant);
            store_le(m + n + 10 * i + 8, 2, r.se);
        }
        n += 80;
    }
    if (!vcpu_store_bytes(v, at, m, n, mode))
        return 0;
    if (kind & ENV_REGISTERS) {
        x86_x87_init(c);
    } else {
        x->cw |= FP_ALL;
        x86_x87_update_env(c);
    }
    return 0;
}

static uint64_t do_load_env(struct vcpu *v, uint64_t kind, uint64_t at)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    uint8_t m[108];
    unsigned n = env_size(kind);
    if (!vcpu_load_bytes(v, at, m, kind & ENV_REGISTERS ? n + 80 : n, x86_data_mode(c)))
        return 0;
    get_env(x, kind, m);
    for (unsigned i = 0; kind & ENV_REGISTERS && i < 8; i++) {
        x->st[x87_phys(x, i)].mant = load_le(m + n + 10 * i, 8);
        x->st[x87_phys(x, i)].se = load_le(m + n + 10 * i + 8, 2);
    }
    x86_x87_update_env(c);
    return 0;
}

const struct ir_helper x86_helper_x87_store_env = { "x87_store_env", 2, STATE, IR_VOID, { IR_X, IR_X },
                                                    { .f2 = do_store_env } };
const struct ir_helper x86_helper_x87_load_env = { "x87_load_env", 2, STATE, IR_VOID, { IR_X, IR_X },
                                                   { .f2 = do_load_env } };
