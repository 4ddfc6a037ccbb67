/* Makes the n-th allocation fail that respan._core asks for: its own malloc, calloc and realloc, and those of the interpreter
 * on its behalf (an object that it makes). What Python code allocates, also when respan._core calls it, is left alone.
 *
 * Preloaded (LD_PRELOAD), for malloc; and loaded by the test with ctypes. Only the thread that armed it is concerned. */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <unwind.h>

typedef struct range {
    uintptr_t begin, end;
} range;

static range ours;       /* the code of respan._core */
static range python[16]; /* the code that calls Python functions, and runs them */
static __thread bool armed, looking;
static __thread long countdown, failed_count;
static __thread bool for_good; /* every malloc from the n-th on fails, and none of the interpreter's */
static long live;              /* blocks that respan._core has of malloc now */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);

static bool within(const range *r, const void *address) {
    return (uintptr_t)address >= r->begin && (uintptr_t)address < r->end;
}

static bool is_due(void) {
    if (countdown > 0) countdown--;
    if (countdown > 0 || (failed_count > 0 && !for_good)) return false;
    failed_count++;
    return true;
}

typedef enum verdict { NEITHER, OURS, PYTHON } verdict;

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *out) {
    const void *address = (const void *)_Unwind_GetIP(context);
    if (within(&ours, address)) *(verdict *)out = OURS;
    for (size_t i = 0; i < sizeof python / sizeof *python; i++)
        if (within(&python[i], address)) *(verdict *)out = PYTHON;
    return *(verdict *)out == NEITHER ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* Whether the innermost of both on the stack is respan._core. */
static bool asked_by_us(void) {
    if (looking || for_good) return false; /* CPython's own PyContextVar_Set does not survive two in a row */
    looking = true;
    verdict who = NEITHER;
    (void)_Unwind_Backtrace(look, &who);
    looking = false;
    return who == OURS;
}

/* ---- malloc ------------------------------------------------------------------------------------------------ */

static void *counted(void *block, const void *caller) {
    if (block != NULL && within(&ours, caller)) __atomic_add_fetch(&live, 1, __ATOMIC_RELAXED);
    return block;
}

void *malloc(size_t size) {
    const void *caller = __builtin_return_address(0);
    return armed && within(&ours, caller) && is_due() ? NULL : counted(__libc_malloc(size), caller);
}

void *calloc(size_t count, size_t size) {
    const void *caller = __builtin_return_address(0);
    return armed && within(&ours, caller) && is_due() ? NULL : counted(__libc_calloc(count, size), caller);
}

void *realloc(void *block, size_t size) {
    const void *caller = __builtin_return_address(0);
    if (armed && within(&ours, caller) && is_due()) return NULL;
    void *grown = __libc_realloc(block, size);
    return block == NULL ? counted(grown, caller) : grown;
}

void free(void *block) {
    if (block != NULL && within(&ours, __builtin_return_address(0)))
        __atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
    __libc_free(block);
}

/* ---- the interpreter's --------------------------------------------------------------------------------------- */

static PyMemAllocatorEx below[3];

static void *py_malloc(void *ctx, size_t size) {
    PyMemAllocatorEx *to = ctx;
    return armed && asked_by_us() && is_due() ? NULL : to->malloc(to->ctx, size);
}

static void *py_calloc(void *ctx, size_t count, size_t size) {
    PyMemAllocatorEx *to = ctx;
    return armed && asked_by_us() && is_due() ? NULL : to->calloc(to->ctx, count, size);
}

static void *py_realloc(void *ctx, void *block, size_t size) {
    PyMemAllocatorEx *to = ctx;
    return armed && asked_by_us() && is_due() ? NULL : to->realloc(to->ctx, block, size);
}

static void py_free(void *ctx, void *block) {
    PyMemAllocatorEx *to = ctx;
    to->free(to->ctx, block);
}

/* ---- for the test ---------------------------------------------------------------------------------------------- */

static int find_extension(struct dl_phdr_info *info, size_t size, void *path) {
    (void)size;
    if (strcmp(info->dlpi_name, path) != 0) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
        ours.begin = info->dlpi_addr + segment->p_vaddr;
        ours.end = ours.begin + segment->p_memsz;
    }
    return 1;
}

static void *loop(void) { return dlsym(RTLD_DEFAULT, "_PyEval_EvalFrameDefault"); }

/* The file that has the interpreter's loop. */
const char *failing_interpreter(void) {
    static Dl_info info;
    return loop() != NULL && dladdr(loop(), &info) ? info.dli_fname : "";
}

/* The n-th piece of code that calls or runs Python functions: from the loop's start on. */
void failing_python(size_t n, long at, long size) {
    uintptr_t begin = (uintptr_t)loop() + (uintptr_t)at;
    if (n < sizeof python / sizeof *python) python[n] = (range){begin, begin + (uintptr_t)size};
}

/* path: of the extension's file. False: it is not loaded. */
int failing_install(char *path) {
    if (!dl_iterate_phdr(find_extension, path)) return 0;
    static const PyMemAllocatorDomain domains[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
    for (size_t i = 0; i < 3; i++) {
        PyMem_GetAllocator(domains[i], &below[i]);
        PyMemAllocatorEx hook = {&below[i], py_malloc, py_calloc, py_realloc, py_free};
        PyMem_SetAllocator(domains[i], &hook);
    }
    return 1;
}

void failing_arm(long n, int every_malloc_from_then_on) {
    countdown = n;
    failed_count = 0;
    for_good = every_malloc_from_then_on;
    armed = true;
}

/* How many failed. */
long failing_disarm(void) {
    armed = false;
    return failed_count;
}

long failing_live(void) { return __atomic_load_n(&live, __ATOMIC_RELAXED); }
