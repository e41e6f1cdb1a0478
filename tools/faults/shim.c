/* Stands between a program and its files: LD_PRELOAD.
 *
 * Below one folder, every operation that a disk can fail at is numbered. At the
 * number that was asked for the process is killed before, in or after it, or the
 * operation fails; all are recorded, in order, with what the program acknowledged.
 * What is written through a mapping is not seen: SQLite maps its -shm file only,
 * which means nothing after a crash.
 *
 * A record: kind, number, length of path, of second path, offset, size; then these.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 1024
#define PATH 1024
enum mode { WATCH, KILL_BEFORE, KILL_IN, KILL_AFTER, FAIL, CUT };
enum verdict { GO, HALF_THEN_DIE, GO_THEN_DIE, REFUSE, HALF };

static char root[PATH], machine[PATH];
static char paths[FILES][PATH]; /* of each open file below the root; "" for others */
static char folder[FILES];
static int record_fd = -1, mode, error_number, lasting;
static long strike_at, number;

void faults_machine(const char *folder_of_it) {
    snprintf(machine, sizeof machine, "%s", folder_of_it);
}

void faults_arm(const char *below, const char *record, long at, int how, int error,
                int lasts) {
    memset(paths, 0, sizeof paths);
    snprintf(root, sizeof root, "%s", below);
    if (record_fd >= 0) syscall(SYS_close, record_fd);
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    int fd = syscall(SYS_openat, AT_FDCWD, record, flags, 0600);
    record_fd = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FILES);
    syscall(SYS_close, fd);
    strike_at = at, mode = how, error_number = error, lasting = lasts, number = 0;
}

static void note(char kind, const char *path, const char *other, uint64_t offset,
                 const void *data, uint32_t size) {
    struct __attribute__((packed)) {
        char kind;
        uint32_t number;
        uint16_t path, other;
        uint64_t offset;
        uint32_t size;
    } head = {kind, number, strlen(path), strlen(other), offset, size};
    struct iovec parts[] = {{&head, sizeof head}, {(char *)path, head.path},
                            {(char *)other, head.other}, {(void *)data, size}};
    if (record_fd >= 0) syscall(SYS_writev, record_fd, parts, 4);
}

void faults_mark(const char *text, uint32_t size) { note('A', "", "", 0, text, size); }

/* The same in every run, and nobody's. */
pid_t getpid(void) { return root[0] ? 999999999 : syscall(SYS_getpid); }

static void die(void) {
    for (;;) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

/* Counts an operation; says what is to become of it. */
static int strike(int divisible) {
    number++;
    int struck = strike_at > 0 && number == strike_at;
    int after = strike_at > 0 && number > strike_at && lasting;
    if (mode == FAIL && (struck || after)) return REFUSE;
    if (mode == CUT && after) return REFUSE;
    if (!struck) return GO;
    if (mode == KILL_BEFORE) die();
    if (mode == KILL_IN && !divisible) die();
    if (mode == KILL_IN) return HALF_THEN_DIE;
    if (mode == KILL_AFTER) return GO_THEN_DIE;
    return mode == CUT && divisible ? HALF : GO;
}

static int refused(void) {
    errno = error_number;
    return -1;
}

/* Finds the path below the root that a call means; NULL if it is none of ours. */
static const char *ours(int at, const char *path, char out[PATH]) {
    size_t length = strlen(root);
    if (length == 0) return NULL;
    if (path[0] != '/') {
        if (at < 0 || at >= FILES || !folder[at] || !paths[at][0]) return NULL;
        snprintf(out, PATH, "%.500s/%.500s", paths[at], path);
    } else if (strncmp(path, root, length) || path[length] != '/') {
        return NULL;
    } else {
        snprintf(out, PATH, "%s", path + length + 1);
    }
    length = strlen(out);
    if (length > 4 && !strcmp(out + length - 4, "-shm")) return NULL;
    return length ? out : NULL;
}

static const char *path_of(int fd) {
    return fd >= 0 && fd < FILES && paths[fd][0] ? paths[fd] : NULL;
}

static const char *of_machine(const char *path, char out[PATH]) {
    const char *name = NULL;
    if (machine[0] && !strcmp(path, "/proc/sys/kernel/random/boot_id")) name = "boot_id";
    if (machine[0] && root[0] && !strcmp(path, "/dev/urandom")) name = "urandom";
    if (!name) return path;
    snprintf(out, PATH, "%.900s/%s", machine, name);
    return out;
}

static int open_any(int at, const char *path, int flags, mode_t bits) {
    char buffer[PATH], instead[PATH];
    struct stat before, now;
    const char *name = ours(at, path, buffer);
    if (!name) path = of_machine(path, instead);
    int verdict = name ? strike(0) : GO;
    if (verdict == REFUSE) return refused();
    int there = name && syscall(SYS_newfstatat, at, path, &before, 0) == 0;
    int fd = syscall(SYS_openat, at, path, flags, bits);
    if (fd >= 0 && fd < FILES) {
        snprintf(paths[fd], PATH, "%s", name ? name : "");
        folder[fd] = name && fstat(fd, &now) == 0 && S_ISDIR(now.st_mode);
    }
    if (name && fd >= 0 && !there) note('C', name, "", 0, NULL, 0);
    else if (name && fd >= 0 && flags & O_TRUNC) note('T', name, "", 0, NULL, 0);
    else if (name && fd >= 0) note('O', name, "", 0, NULL, 0);
    if (verdict == GO_THEN_DIE) die();
    return fd;
}

#define OPEN(at)                                   \
    va_list rest;                                  \
    va_start(rest, flags);                         \
    int makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE; \
    mode_t bits = makes ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                  \
    return open_any(at, path, flags, bits);
int open(const char *path, int flags, ...) { OPEN(AT_FDCWD) }
int open64(const char *path, int flags, ...) { OPEN(AT_FDCWD) }
int openat(int at, const char *path, int flags, ...) { OPEN(at) }
int openat64(int at, const char *path, int flags, ...) { OPEN(at) }

int close(int fd) {
    if (path_of(fd)) paths[fd][0] = 0;
    return syscall(SYS_close, fd);
}

static ssize_t put(int fd, const void *data, size_t size, off_t offset, int seek) {
    const char *name = path_of(fd);
    int verdict = name ? strike(size > 1) : GO;
    if (verdict == REFUSE) return refused();
    if (verdict == HALF || verdict == HALF_THEN_DIE) size /= 2;
    if (name && seek) {
        int end = fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR;
        offset = lseek(fd, 0, end);
    }
    ssize_t done = seek ? syscall(SYS_write, fd, data, size)
                        : syscall(SYS_pwrite64, fd, data, size, offset);
    if (name && done > 0) note('W', name, "", offset, data, done);
    if (verdict == GO_THEN_DIE || verdict == HALF_THEN_DIE) die();
    return done;
}
ssize_t write(int fd, const void *data, size_t size) { return put(fd, data, size, 0, 1); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    return put(fd, data, size, offset, 0);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    return put(fd, data, size, offset, 0);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    size_t size = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    char *joined = malloc(size + 1), *end = joined;
    for (int i = 0; i < count; i++) end = mempcpy(end, parts[i].iov_base, parts[i].iov_len);
    ssize_t done = put(fd, joined, size, offset, 0);
    free(joined);
    return done;
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    return pwritev(fd, parts, count, offset);
}

/* What cannot be done by halves: the call, then its record if it succeeded. */
#define WHOLE(name, call, kind, second, offset)                    \
    int verdict = (name) ? strike(0) : GO;                         \
    if (verdict == REFUSE && (kind) == 'S') note('F', name, "", 0, NULL, 0); \
    if (verdict == REFUSE) return refused();                       \
    int result = call;                                             \
    if ((name) && result == 0) note(kind, name, second, offset, NULL, 0); \
    if (verdict == GO_THEN_DIE) die();                             \
    return result;

int fsync(int fd) {
    const char *name = path_of(fd);
    WHOLE(name, syscall(SYS_fsync, fd), 'S', "", 0)
}
int fdatasync(int fd) {
    const char *name = path_of(fd);
    WHOLE(name, syscall(SYS_fdatasync, fd), 'S', "", 0)
}
int ftruncate(int fd, off_t size) {
    const char *name = path_of(fd);
    WHOLE(name, syscall(SYS_ftruncate, fd, size), 'T', "", size)
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }
int unlinkat(int at, const char *path, int flags) {
    char buffer[PATH];
    const char *name = ours(at, path, buffer);
    WHOLE(name, syscall(SYS_unlinkat, at, path, flags), 'U', "", 0)
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int mkdir(const char *path, mode_t bits) {
    char buffer[PATH];
    const char *name = ours(AT_FDCWD, path, buffer);
    WHOLE(name, syscall(SYS_mkdirat, AT_FDCWD, path, bits), 'M', "", 0)
}
int rename(const char *from, const char *to) {
    char one[PATH], two[PATH];
    const char *name = ours(AT_FDCWD, from, one), *other = ours(AT_FDCWD, to, two);
    if (!other) name = NULL;
    WHOLE(name, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0), 'R', other, 0)
}
int link(const char *from, const char *to) {
    char one[PATH], two[PATH];
    const char *name = ours(AT_FDCWD, from, one), *other = ours(AT_FDCWD, to, two);
    if (!other) name = NULL;
    WHOLE(name, syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0), 'L', other, 0)
}
