/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entry and exception stubs of the bare-metal tests: a Multiboot image in 32-bit protected mode. */
    .section .multiboot, "a"
    .long 0x1badb002, 0, -0x1badb002

    .text
    .globl start
start:
    cli
    mov $stack_top, %esp
    call guest_setup
    call guest_main
    push %eax
    call guest_exit

    .bss
    .balign 16
    .space 16384
    .globl stack_top
stack_top:

/* One stub per vector.  The frame that C sees: struct frame in guest.h. */
    .text
.macro STUB vector, has_error
stub\vector:
    .if \has_error == 0
    push $0
    .endif
    push $\vector
    jmp common
.endm
.irp v, 0,1,2,3,4,5,6,7,9,15,16,18,19,20
    STUB \v, 0
.endr
.irp v, 8,10,11,12,13,14,17,21
    STUB \v, 1
.endr
.altmacro
.macro IRQ_STUBS
    .set i, 32
    .rept 32
    IRQ_STUB %i
    .set i, i + 1
    .endr
.endm
.macro IRQ_STUB n
stub\n:
    push $0
    push $\n
    jmp common
.endm
IRQ_STUBS

common:
    pusha
    push %ds
    push %es
    push %fs
    push %gs
    mov $0x18, %eax
    mov %eax, %ds
    mov %eax, %es
    cld
    push %esp
    call guest_exception
    add $4, %esp
    pop %gs
    pop %fs
    pop %es
    pop %ds
    popa
    add $8, %esp
    iret

    .section .rodata
    .globl stub_table
stub_table:
    .irp v, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21
    .long stub\v
    .endr
    .rept 10
    .long 0
    .endr
.macro IRQ_ADDR n
    .long stub\n
.endm
    .set i, 32
    .rept 32
    IRQ_ADDR %i
    .set i, i + 1
    .endr
