#include "measure.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __APPLE__
enum { UNIT = 1 /* of ru_maxrss */ };
#else
enum { UNIT = 1024 };
#endif

/* Opening it takes five times as long as reading it. What has its number may not be it any more: a program may close what
 * it did not open. A child of fork has the parent's. */
static bool is_open(const core_statm *statm) {
    struct stat there;
    return statm->fd >= 0 && statm->pid == getpid() && fstat(statm->fd, &there) == 0 &&
           there.st_dev == statm->device && there.st_ino == statm->inode;
}

void core_statm_close(core_statm *statm) {
    if (is_open(statm)) (void)close(statm->fd);
    statm->fd = -1;
}

static bool open_statm(core_statm *statm) {
    struct stat there;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    if (fstat(fd, &there) != 0) {
        (void)close(fd);
        return false;
    }
    *statm = (core_statm){fd, getpid(), there.st_dev, there.st_ino};
    return true;
}

/* Bytes; 0 where there is no /proc. */
static unsigned long long resident(core_statm *statm) {
    char text[128], *at;
    ssize_t n = is_open(statm) || open_statm(statm) ? pread(statm->fd, text, sizeof text - 1, 0) : -1;
    if (n <= 0) return 0;
    text[n] = '\0';
    (void)strtoull(text, &at, 10); /* the address space; what is resident follows, in pages */
    return strtoull(at, NULL, 10) * (unsigned long long)sysconf(_SC_PAGESIZE);
}

PyObject *core_highest_memory(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    struct rusage usage;
    bool known = getrusage(RUSAGE_SELF, &usage) == 0;
    return PyLong_FromUnsignedLongLong(known ? (unsigned long long)usage.ru_maxrss * UNIT : 0);
}

PyObject *core_resident_memory(PyObject *module, PyObject *Py_UNUSED(ignored)) {
    core_state *state = PyModule_GetState(module);
    CORE_LOCK(state);
    unsigned long long bytes = resident(&state->statm);
    CORE_UNLOCK(state);
    return PyLong_FromUnsignedLongLong(bytes);
}
