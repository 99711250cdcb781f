/* Start of a hart in machine mode. */
    .section .vectors, "ax"
    .globl on_reset
on_reset:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, stack_top
    csrr t0, mhartid
    bnez t0, 2f
    la t0, on_trap
    csrw mtvec, t0
    la t0, bss_start
    la t1, bss_end
1:  bgeu t0, t1, 3f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 1b
3:  call main
2:  wfi
    j 2b
