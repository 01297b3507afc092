/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry and exception stubs of the 64-bit bare-metal tests: a Multiboot image that enters long mode by
 * itself, with the first 4 GiB mapped one to one by 2 MiB pages that every level may use.
 */
    .section .multiboot, "a"
    .long 0x1badb002, 0, -0x1badb002

    .text
    .code32
    .globl start
start:
    cli
    mov $stack_top, %esp
    mov $pml4, %edi
    movl $pdpt + 7, (%edi)
    mov $pdpt, %edi
    mov $4, %ecx
    mov $directories + 7, %eax
1:  mov %eax, (%edi)
    add $4096, %eax
    add $8, %edi
    loop 1b
    mov $directories, %edi
    mov $2048, %ecx
    mov $0x87, %eax
2:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 2b
    mov $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x901, %eax             /* SCE LME NXE */
    wrmsr
    mov $0x80010033, %eax       /* PG WP NE ET MP PE */
    mov %eax, %cr0
    lgdt gdtr
    ljmp $0x10, $long_start

    .code64
long_start:
    mov $0x18, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov $stack_top, %esp
    call guest_setup
    call guest_main
    mov %eax, %edi
    call guest_exit

    .data
    .balign 8
gdtr:
    .word 0xff
    .quad gdt

    .bss
    .balign 4096
    .globl pml4, pdpt, directories
pml4: .space 4096
pdpt: .space 4096
directories: .space 4 * 4096
    .space 16384
    .globl stack_top
stack_top:

    /* One stub per vector, 16 bytes each.  The frame that C sees: struct frame in guest64.h. */
    .text
    .globl stubs
    .balign 16
stubs:
    .set i, 0
    .rept 64
    .balign 16
    .if i == 8 || (i >= 10 && i <= 14) || i == 17 || i == 21
    .else
    push $0
    .endif
    push $i
    jmp common
    .set i, i + 1
    .endr

common:
    push %rax; push %rcx; push %rdx; push %rbx; push %rbp; push %rsi; push %rdi
    push %r8; push %r9; push %r10; push %r11; push %r12; push %r13; push %r14; push %r15
    cld
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    call guest_exception
    mov %rbx, %rsp
    pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9; pop %r8
    pop %rdi; pop %rsi; pop %rbp; pop %rbx; pop %rdx; pop %rcx; pop %rax
    add $16, %rsp
    iretq

    /* run_user_asm(rip, cs, arg): to ring 3, code and stack user_base higher; leave_user comes back with RAX. */
    .globl run_user_asm, leave_user
run_user_asm:
    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
    mov %rsp, user_return
    mov user_base, %rcx
    add %rcx, %rdi
    add $user_stack_top - 64, %rcx
    push $0x2b
    push %rcx
    pushf
    push %rsi
    push %rdi
    mov %rdx, %rax
    iretq
leave_user:
    mov $0x18, %ecx             /* the way through the gate left SS null */
    mov %ecx, %ss
    mov user_return, %rsp
    mov %rdi, %rax
    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
    ret

    .bss
    .balign 16
user_return: .space 8
    .space 4096
    .globl user_stack_top
user_stack_top:
