/* What a machine can do to the server, on command: the n-th call of a kind fails, or the wall clock jumps. Preloaded (LD_PRELOAD) into
 * `respan serve`; FAULT_CONTROL names a file of one page which both map: faults.py writes what is to happen into it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { NONE, WRITE, SYNC, MEMORY, OPEN };

static struct control {
    int64_t kind;      /* what is to fail */
    int64_t countdown; /* the n-th call from now on */
    int64_t times;     /* and so many from then on */
    int64_t error;     /* errno */
    int64_t failed;    /* so many did */
    int64_t shift_ns;  /* of the wall clock */
    int64_t sync_ns;   /* how long the disk takes */
} * control;

__attribute__((constructor)) static void map_control(void) {
    const char *path = getenv("FAULT_CONTROL");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) control = at;
    if (fd >= 0) close(fd);
}

static int is_due(int64_t kind) {
    if (!control || __atomic_load_n(&control->kind, __ATOMIC_ACQUIRE) != kind) return 0;
    int64_t left = __atomic_sub_fetch(&control->countdown, 1, __ATOMIC_RELAXED);
    if (left > 0 || left <= -control->times) return 0;
    __atomic_add_fetch(&control->failed, 1, __ATOMIC_RELAXED);
    errno = (int)control->error;
    return 1;
}

static int is_file(int fd) {
    struct stat st;
    return fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* ---- files --------------------------------------------------------------------------------------------- */

#define REAL(name) ((__typeof__(&name))real(&at, #name))
static void *real(void **at, const char *name) {
    if (!*at) *at = dlsym(RTLD_NEXT, name);
    return *at;
}

ssize_t write(int fd, const void *p, size_t n) {
    static void *at;
    return is_file(fd) && is_due(WRITE) ? -1 : REAL(write)(fd, p, n);
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t where) {
    static void *at;
    return is_file(fd) && is_due(WRITE) ? -1 : REAL(pwrite)(fd, p, n, where);
}
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t where) {
    static void *at;
    return is_file(fd) && is_due(WRITE) ? -1 : REAL(pwrite64)(fd, p, n, where);
}
int ftruncate(int fd, off_t n) {
    static void *at;
    return is_due(WRITE) ? -1 : REAL(ftruncate)(fd, n);
}
int ftruncate64(int fd, off64_t n) {
    static void *at;
    return is_due(WRITE) ? -1 : REAL(ftruncate64)(fd, n);
}
static void wait_for_disk(void) {
    int64_t ns = control ? __atomic_load_n(&control->sync_ns, __ATOMIC_RELAXED) : 0;
    if (ns) nanosleep(&(struct timespec){ns / 1000000000, ns % 1000000000}, NULL);
}

int fsync(int fd) {
    static void *at;
    wait_for_disk();
    return is_due(SYNC) ? -1 : REAL(fsync)(fd);
}
int fdatasync(int fd) {
    static void *at;
    wait_for_disk();
    return is_due(SYNC) ? -1 : REAL(fdatasync)(fd);
}

#define OPEN_BODY(name)                                                                                      \
    static void *at;                                                                                         \
    va_list ap;                                                                                              \
    va_start(ap, flags);                                                                                     \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;                                    \
    va_end(ap);                                                                                              \
    return is_due(OPEN) ? -1 : REAL(name)(path, flags, mode)
int open(const char *path, int flags, ...) { OPEN_BODY(open); }
int open64(const char *path, int flags, ...) { OPEN_BODY(open64); }

/* ---- memory -------------------------------------------------------------------------------------------- */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

void *malloc(size_t n) { return is_due(MEMORY) ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return is_due(MEMORY) ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return is_due(MEMORY) ? NULL : __libc_realloc(p, n); }

/* ---- the clock ----------------------------------------------------------------------------------------- */

static void shift(struct timespec *t) {
    int64_t by = control ? __atomic_load_n(&control->shift_ns, __ATOMIC_RELAXED) : 0;
    int64_t ns = t->tv_nsec + by % 1000000000;
    t->tv_sec += by / 1000000000;
    if (ns < 0) ns += 1000000000, t->tv_sec--;
    if (ns >= 1000000000) ns -= 1000000000, t->tv_sec++;
    t->tv_nsec = ns;
}

int clock_gettime(clockid_t clock, struct timespec *t) {
    int failed = (int)syscall(SYS_clock_gettime, clock, t);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shift(t);
    return failed;
}

time_t time(time_t *out) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *out = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}
