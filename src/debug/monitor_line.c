/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Editing a line on a raw terminal: backspace, Ctrl-W, Ctrl-U, Ctrl-C. */
#include "debug/monitor_impl.h"

enum { CTRL_C = 3, BACKSPACE = 8, CTRL_U = 21, CTRL_W = 23, ESC = 27, DELETE = 127 };

static void rub_out(struct monitor_line *l, struct buf *out)
{
    l->len--;
    buf_put(out, "\b \b", 3);
}

static void rub_out_word(struct monitor_line *l, struct buf *out)
{
    while (l->len && l->text[l->len - 1] == ' ')
        rub_out(l, out);
    while (l->len && l->text[l->len - 1] != ' ')
        rub_out(l, out);
}

/* True while c belongs to an escape sequence (a cursor key). */
static bool skip_escape(struct monitor_line *l, unsigned char c)
{
    if (!l->escape && c != ESC)
        return false;
    if (c == ESC)
        l->escape = 1;
    else if (l->escape == 1)
        l->escape = c == '[' || c == 'O' ? 2 : 0;
    else if (c >= 0x40 && c < 0x7f)      /* ECMA-48: the final byte */
        l->escape = 0;
    return true;
}

static bool complete(struct monitor_line *l, struct buf *out)
{
    buf_put(out, "\r\n", 2);
    l->text[l->len] = 0;
    l->len = 0;
    return true;
}

bool monitor_line_type(struct monitor_line *l, char key, struct buf *out)
{
    unsigned char c = (unsigned char)key;
    bool after_cr = l->after_cr;
    l->after_cr = c == '\r';
    if (skip_escape(l, c) || (c == '\n' && after_cr))
        return false;
    if (c == '\r' || c == '\n')
        return complete(l, out);
    if (c == CTRL_C) {
        l->len = 0;
        return complete(l, out);
    }
    if (c == CTRL_U)
        while (l->len)
            rub_out(l, out);
    else if (c == CTRL_W)
        rub_out_word(l, out);
    else if (c == BACKSPACE || c == DELETE) {
        if (l->len)
            rub_out(l, out);
    } else if (c >= ' ' && c < DELETE && l->len < sizeof l->text - 1) {
        l->text[l->len++] = key;
        buf_put(out, &key, 1);
    }
    return false;
}
