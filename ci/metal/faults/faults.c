/* Skips instructions of the library, one in each run, and says what came of it: see ci/faults and docs/decisions/0030.
 *
 * The calls run unprivileged and may write to one arena only, so that whatever a fault makes of them the harness goes on. QEMU's -icount makes each instruction take
 * 64 ns of SysTick's time (25 MHz): it interrupts after exactly so many instructions, and the handler moves the stacked program counter over the next one. That is the
 * fault of an attacker with a glitch: one instruction, once. With `static` the instruction is replaced in memory by one that does nothing: it is skipped each time. */
#include "faults.h"
#include <string.h>

enum { SHIFT_NS = 64, TICK_NS = 40, TRACE_MAX = 4000000, WINDOW = 0xFFFFF0 };
#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)
#define ICSR (*(volatile uint32_t *)0xE000ED04)
#define CCR (*(volatile uint32_t *)0xE000ED14)
#define MPU_CTRL (*(volatile uint32_t *)0xE000ED94)
#define MPU_RBAR (*(volatile uint32_t *)0xE000ED9C)
#define MPU_RASR (*(volatile uint32_t *)0xE000EDA0)

extern uint8_t library_start[], library_end[], bss_start[], bss_end[], stack_top[];

/* As faults.ld has it; hidden from the compiler, for which it is no object. */
static uint8_t *arena_at(size_t offset) {
    uint8_t *at = (uint8_t *)0x20000000;
    __asm__("" : "+r"(at));
    return at + offset;
}
#define arena_start arena_at(0)
#define arena_end arena_at(ARENA)

/* What an exception does not stack by itself. */
struct registers {
    uint32_t r4_r11[8], psp;
};
/* What it stacks. */
struct frame {
    uint32_t r0, r1, r2, r3, r12, lr, pc, psr;
};
struct snapshot {
    struct registers registers;
    uint8_t arena[ARENA];
};

enum mode { TRACE, UNTIL, SKIP, WATCH };
enum outcome { ACCEPTED, REFUSED, CRASHED, HUNG, REACHED, LOST };

static struct registers live;
uint32_t host_sp;
static enum mode mode;
static enum outcome outcome;
static uint32_t value, expected_pc, left;
static uint32_t *const trace = (uint32_t *)0x21000000;
static uint32_t traced;
static struct snapshot base, checkpoint;
static uint32_t executed[0x30000], seen[0x30000];

/* Semihosting. */
static int32_t service(uint32_t number, const void *with) {
    register int32_t r0 __asm__("r0") = (int32_t)number;
    register const void *r1 __asm__("r1") = with;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static char line[512];
static size_t line_len;

static void put(const char *text) {
    while (*text != 0 && line_len < sizeof line - 2) line[line_len++] = *text++;
}

static void put_number(uint32_t number) {
    char digits[12];
    size_t at = sizeof digits;
    digits[--at] = 0;
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    put(&digits[at]);
}

static void end_line(void) {
    line[line_len++] = '\n';
    line[line_len] = 0;
    (void)service(4, line);
    line_len = 0;
}

static _Noreturn void die(const char *text) {
    put("error: ");
    put(text);
    end_line();
    /* ADP_Stopped_RunTimeErrorUnknown. */
    (void)service(0x18, (const void *)0x20023);
    for (;;) {
    }
}

/* The clock: SysTick is stopped on entry and started as the last thing before the return from an exception. Between the start and the instruction that it
 * interrupts stand `lead` instructions of ours, and some ticks are lost: both found by calibrate(). */
static uint32_t lead, lost, reload;
/* Of the last call, about. */
static uint32_t elapsed;

static void after(uint32_t instructions) { reload = (instructions + lead) * (SHIFT_NS / 8) / (TICK_NS / 8) - lost; }

void finish_at(void);

/* Decides about an exception out of the calls: 0 to go on. */
__attribute__((used)) static int trapped(uint32_t exception) {
    /* Once it was at its end it begins anew. */
    elapsed += (exception == 15 ? reload : reload - SYST_CVR) * (TICK_NS / 8) / (SHIFT_NS / 8);
    SYST_CSR = 0;
    ICSR = 1u << 25;
    struct frame *frame = (struct frame *)live.psp;
    if (live.psp < (uint32_t)arena_start || live.psp > (uint32_t)arena_end - sizeof *frame || (live.psp & 3) != 0) {
        outcome = CRASHED;
        return 1;
    }
    if (exception == 11) {
        value = frame->r0;
        outcome = frame->pc != ((uint32_t)finish_at & ~1u) + 2 ? CRASHED : value == 0 ? ACCEPTED : REFUSED;
        return 1;
    }
    if (exception != 15) {
        outcome = CRASHED;
        return 1;
    }
    switch (mode) {
    case TRACE:
        if (traced == TRACE_MAX) {
            outcome = HUNG;
            return 1;
        }
        trace[traced++] = frame->pc;
        after(1);
        return 0;
    case UNTIL:
        outcome = REACHED;
        return 1;
    case SKIP: {
        if (frame->pc != expected_pc) {
            outcome = LOST;
            value = frame->pc;
            return 1;
        }
        uint32_t first = *(volatile uint16_t *)frame->pc >> 11;
        frame->pc += first >= 0x1d ? 4 : 2;
        /* In an IT block its state moves on too (ARMv7-M, ITAdvance). */
        uint32_t it = (frame->psr >> 10 & 0x3f) << 2 | (frame->psr >> 25 & 3);
        it = (it & 7) == 0 ? 0 : (it & 0xe0) | (it << 1 & 0x1f);
        frame->psr = (frame->psr & ~0x0600fc00u) | (it >> 2) << 10 | (it & 3) << 25;
        mode = WATCH;
        break;
    }
    case WATCH:
        if (left == 0) {
            outcome = HUNG;
            return 1;
        }
        break;
    }
    uint32_t step = left < 10000000 ? left : 10000000;
    left -= step;
    after(step);
    return 0;
}

/* Every exception. From the harness it can only be the SVC of enter(), which begins or goes on with a call. */
__attribute__((naked, used)) static void trap(void) {
    __asm__ volatile("tst lr, #4\n"
                     "beq 1f\n"
                     "ldr r2, =%c0\n"
                     "stmia r2!, {r4-r11}\n"
                     "mrs r3, psp\n"
                     "str r3, [r2]\n"
                     "mrs r0, ipsr\n"
                     "bl trapped\n"
                     "cmp r0, #0\n"
                     "beq 2f\n"
                     "movs r0, #0\n"
                     "msr control, r0\n"
                     "ldr r2, =host_sp\n"
                     "ldr r2, [r2]\n"
                     "mov sp, r2\n"
                     "pop {r3-r11, lr}\n"
                     "bx lr\n"
                     "1: push {r3-r11, lr}\n"
                     "ldr r2, =host_sp\n"
                     "mov r3, sp\n"
                     "str r3, [r2]\n"
                     "2: ldr r2, =%c0\n"
                     "ldmia r2!, {r4-r11}\n"
                     "ldr r3, [r2]\n"
                     "msr psp, r3\n"
                     "movs r3, #1\n"
                     "msr control, r3\n"
                     "isb\n"
                     "mvn lr, #2\n"
                     "ldr r3, =0xE000E010\n"
                     "ldr r2, =%c1\n"
                     "ldr r2, [r2]\n"
                     "str r2, [r3, #4]\n"
                     "str r2, [r3, #8]\n"
                     "movs r2, #7\n"
                     "str r2, [r3]\n"
                     "nop\n nop\n nop\n"
                     "bx lr\n"
                     ".ltorg\n" ::"i"(&live),
                     "i"(&reload));
}

/* Where a call returns to. */
__attribute__((naked)) void finish_at(void) { __asm__ volatile("svc 0\n b ."); }

static void enter(enum mode with) {
    mode = with;
    __asm__ volatile("svc 1" ::: "memory", "r0", "r1", "r2", "r3", "r12", "cc");
}

static void begin(int32_t (*call)(const void *), const void *input) {
    struct frame *frame = (struct frame *)(arena_end - sizeof *frame);
    *frame = (struct frame){.r0 = (uint32_t)input, .lr = (uint32_t)finish_at | 1, .pc = (uint32_t)call & ~1u, .psr = 1u << 24};
    live = (struct registers){.psp = (uint32_t)frame};
}

/* Whole lines of memory: the arena is most of what a run costs beside the call. */
static void move(uint8_t *to, const uint8_t *from) {
    for (size_t n = ARENA / 32; n > 0; n--)
        __asm__ volatile("ldmia %0!, {r2-r5}\n stmia %1!, {r2-r5}\n ldmia %0!, {r2-r5}\n stmia %1!, {r2-r5}"
                         : "+r"(from), "+r"(to)::"r2", "r3", "r4", "r5", "memory");
}

static void save(struct snapshot *to) {
    to->registers = live;
    move(to->arena, arena_start);
}

static void restore(const struct snapshot *from) {
    live = from->registers;
    move(arena_start, from->arena);
}

/* A call without a fault, of at most so many instructions. */
static enum outcome plain(int32_t (*call)(const void *), const void *input, uint32_t most) {
    begin(call, input);
    left = most;
    elapsed = 0;
    after(1);
    enter(WATCH);
    return outcome;
}

__attribute__((naked)) static int32_t sled(const void *input) {
    (void)input;
    __asm__ volatile(".rept 128\n nop\n .endr\n movs r0, #1\n bx lr");
}

static void calibrate(void) {
    for (lead = 1; lead < 12; lead++) {
        for (lost = 0; lost < 12; lost++) {
            int fits = lead * 8 / 5 > lost;
            for (uint32_t n = 0; fits && n < 120; n++) {
                begin(sled, NULL);
                after(n);
                enter(UNTIL);
                fits = outcome == REACHED && ((struct frame *)live.psp)->pc == ((uint32_t)sled & ~1u) + 2 * n;
            }
            if (fits) return;
        }
    }
    die("SysTick does not count instructions: QEMU needs -icount shift=6");
}

struct count {
    uint32_t of[LOST + 1], skips, sites;
};

static const char *kind;

static void judge(const struct test *test, struct count *count, uint32_t pc, uint32_t instance, uint32_t at) {
    count->of[outcome]++;
    count->skips++;
    if (outcome == LOST) die("another instruction than the trace's was interrupted");
    if (outcome != ACCEPTED) return;
    put("accepted ");
    put(kind);
    put(" ");
    put_number(pc);
    put(" ");
    put_number(instance);
    put(" ");
    put_number(at);
    put(" ");
    put_number(traced);
    put(" ");
    put(test->name);
    end_line();
}

static void tell(const struct test *test, const struct count *count) {
    put("done ");
    put(kind);
    put(" ");
    put_number(traced);
    put(" ");
    put_number(count->sites);
    put(" ");
    put_number(count->skips);
    for (size_t i = 0; i <= HUNG; i++) {
        put(" ");
        put_number(count->of[i]);
    }
    put(" ");
    put(test->name);
    end_line();
}

static int faulted(uint32_t pc) { return pc >= (uint32_t)library_start && pc < (uint32_t)library_end; }

static uint32_t place(uint32_t pc) { return (pc - (uint32_t)library_start) / 2; }

/* One instance of an instruction, once: the `most` first and the `most` last of each. */
static void dynamic(const struct test *test, uint32_t most, uint32_t budget) {
    struct count count = {0};
    kind = "once";
    memset(seen, 0, sizeof seen);
    checkpoint = base;
    uint32_t from = 0;
    for (uint32_t at = 0; at < traced; at++) {
        uint32_t pc = trace[at];
        if (!faulted(pc)) continue;
        uint32_t instance = seen[place(pc)]++;
        if (instance == 0) count.sites++;
        if (instance >= most && executed[place(pc)] - instance > most) continue;
        /* Not from the beginning each time. */
        if (at - from > 8 * ARENA / 32) {
            restore(&checkpoint);
            after(at - from);
            enter(UNTIL);
            if (outcome != REACHED) die("the trace cannot be followed");
            save(&checkpoint);
            from = at;
        }
        restore(&checkpoint);
        expected_pc = pc;
        left = budget;
        after(at - from);
        enter(SKIP);
        judge(test, &count, pc, instance, at);
    }
    tell(test, &count);
}

/* An instruction that is gone for good. */
static void permanent(const struct test *test, uint32_t budget) {
    struct count count = {0};
    kind = "always";
    for (uint32_t pc = (uint32_t)library_start; pc < (uint32_t)library_end; pc += 2) {
        if (executed[place(pc)] == 0) continue;
        count.sites++;
        volatile uint16_t *code = (volatile uint16_t *)pc;
        uint16_t first = code[0], second = code[1];
        int wide = first >> 11 >= 0x1d;
        code[0] = wide ? 0xf3af : 0xbf00;
        if (wide) code[1] = 0x8000;
        restore(&base);
        left = budget;
        after(1);
        enter(WATCH);
        code[0] = first;
        if (wide) code[1] = second;
        judge(test, &count, pc, 0, 0);
    }
    tell(test, &count);
}

static void one(const struct test *test, uint32_t most, int always) {
    static uint8_t clean[ARENA];
    move(clean, arena_start);
    if (test->good != NULL) {
        if (test->prepare != NULL && plain(test->prepare, test->good, 100000000) != ACCEPTED) {
            put(test->name);
            put(": ");
            put_number(value);
            end_line();
            die("the good input cannot be prepared");
        }
        if (plain(test->call, test->good, 100000000) != ACCEPTED) {
            put(test->name);
            put(": ");
            put_number(value);
            end_line();
            die("the good input is not accepted");
        }
        move(arena_start, clean);
    }
    if (test->prepare != NULL && plain(test->prepare, test->bad, 100000000) != ACCEPTED) die("the bad input cannot be prepared");
    begin(test->call, test->bad);
    save(&base);
    traced = 0;
    if (most == 0 && !always) {
        /* Only how long it is. */
        (void)plain(test->call, test->bad, 100000000);
        traced = elapsed;
    } else {
        after(0);
        enter(TRACE);
    }
    if (outcome != REFUSED) {
        put(test->name);
        end_line();
        die("not refused without a fault");
    }
    put("refused ");
    put_number(value);
    put(" ");
    put_number(traced);
    put(" ");
    put(test->name);
    end_line();
    memset(executed, 0, sizeof executed);
    for (uint32_t at = 0; at < traced; at++)
        if (faulted(trace[at])) executed[place(trace[at])]++;
    uint32_t budget = 2 * traced + 8000000;
    if (most > 0) dynamic(test, most, budget);
    if (always) permanent(test, budget);
    move(arena_start, clean);
}

static uint32_t number(const char **text) {
    uint32_t n = 0;
    while (**text == ' ') ++*text;
    while (**text >= '0' && **text <= '9') n = 10 * n + (uint32_t)(*(*text)++ - '0');
    return n;
}

/* Arguments: how many first and last instances of each instruction, whether to replace instructions too, and the numbers of the tests; none for a list of them. */
static void run(void) {
    static char command[4096];
    uint32_t block[2] = {(uint32_t)command, sizeof command};
    if (service(0x15, block) != 0) die("no command line");
    const char *at = command;
    while (*at != 0 && *at != ' ') at++;
    uint32_t most = number(&at), always = number(&at);
    if ((size_t)(library_end - library_start) / 2 > sizeof seen / sizeof *seen) die("the library is longer than the harness counts");
    calibrate();
    while (*at == ' ') at++;
    if (*at == 0) {
        for (size_t i = 0; i < tests_count(); i++) {
            put(test_at(i)->name);
            end_line();
        }
    }
    while (*at != 0) {
        uint32_t which = number(&at);
        while (*at == ' ') at++;
        if (which >= tests_count()) die("no test has that number");
        one(test_at(which), most, always != 0);
    }
    put("end");
    end_line();
}

void on_reset(void);
__attribute__((used)) void on_reset(void) {
    memset(bss_start, 0, (size_t)(bss_end - bss_start));
    memset(arena_start, 0, ARENA);
    /* Unprivileged: code can be read and run, the arena read and written; nothing else. */
    MPU_RBAR = 0x00000000 | 1 << 4 | 0;
    MPU_RASR = 2u << 24 | (22 - 1) << 1 | 1;
    MPU_RBAR = 0x20000000 | 1 << 4 | 1;
    MPU_RASR = 1u << 28 | 3u << 24 | (ARENA_BITS - 1) << 1 | 1;
    MPU_CTRL = 5;
    CCR |= 1;
    run();
    (void)service(0x18, (const void *)0x20026);
    for (;;) {
    }
}

typedef void (*handler_t)(void);
__attribute__((section(".vectors"), used)) static const struct {
    uint8_t *stack;
    handler_t handlers[15];
} vectors = {stack_top, {on_reset, trap, trap, trap, trap, trap, 0, 0, 0, 0, trap, trap, 0, trap, trap}};
