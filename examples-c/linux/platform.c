#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int write_all(int file, const uint8_t *value, size_t len)
{
    while (len > 0) {
        ssize_t put = write(file, value, len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return -1;
        }
        value += put;
        len -= (size_t)put;
    }
    return 0;
}

static int32_t random_bytes(void *user, uint8_t *out, size_t len)
{
    const store_t *store = (const store_t *)user;
    uint8_t *begin = out;
    size_t all = len;
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return IOTEDGE_E_PLATFORM;
        }
        out += got;
        len -= (size_t)got;
    }
    if (store->keeps_draws && write_all(store->draws, begin, all) != 0) {
        return IOTEDGE_E_PLATFORM;
    }
    return IOTEDGE_OK;
}

/* One file per key, named by the key in hex. */
static int path_of(const store_t *store, uint32_t key, const char *suffix, char *path, size_t capacity)
{
    int len = snprintf(path, capacity, "%s/%04x%s", store->folder, (unsigned)key, suffix);
    return len > 0 && (size_t)len < capacity ? 0 : -1;
}

static int32_t store_get(void *user, uint32_t key, uint8_t *out, size_t capacity, size_t *len)
{
    const store_t *store = (const store_t *)user;
    char path[560];
    size_t total = 0;
    int file;
    if (path_of(store, key, "", path, sizeof path) != 0) {
        return IOTEDGE_E_PLATFORM;
    }
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return errno == ENOENT ? IOTEDGE_E_NONE : IOTEDGE_E_PLATFORM;
    }
    for (;;) {
        uint8_t extra;
        uint8_t *to = total < capacity ? out + total : &extra;
        ssize_t got = read(file, to, total < capacity ? capacity - total : 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 || (got > 0 && total == capacity)) {
            close(file);
            return IOTEDGE_E_PLATFORM; /* Unreadable, or longer than there is room for. */
        }
        if (got == 0) {
            break;
        }
        total += (size_t)got;
    }
    close(file);
    *len = total;
    return IOTEDGE_OK;
}

/* The names in the folder are durable only once the folder itself is. */
static int sync_folder(const store_t *store)
{
    int folder = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result;
    if (folder < 0) {
        return -1;
    }
    result = fsync(folder);
    close(folder);
    return result;
}

/* Atomic and durable: a whole new file first, then its name, then the folder. A power cut leaves the old value or the new. */
static int32_t store_put(void *user, uint32_t key, const uint8_t *value, size_t len)
{
    const store_t *store = (const store_t *)user;
    char path[560];
    char fresh[560];
    int file;
    if (path_of(store, key, "", path, sizeof path) != 0 || path_of(store, key, ".new", fresh, sizeof fresh) != 0) {
        return IOTEDGE_E_PLATFORM;
    }
    file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        return IOTEDGE_E_PLATFORM;
    }
    if (write_all(file, value, len) != 0 || fsync(file) != 0) {
        close(file);
        return IOTEDGE_E_PLATFORM;
    }
    if (close(file) != 0 || rename(fresh, path) != 0 || sync_folder(store) != 0) {
        return IOTEDGE_E_PLATFORM;
    }
    return IOTEDGE_OK;
}

static int32_t store_remove(void *user, uint32_t key)
{
    const store_t *store = (const store_t *)user;
    char path[560];
    if (path_of(store, key, "", path, sizeof path) != 0) {
        return IOTEDGE_E_PLATFORM;
    }
    if (unlink(path) != 0) {
        return errno == ENOENT ? IOTEDGE_OK : IOTEDGE_E_PLATFORM;
    }
    return sync_folder(store) == 0 ? IOTEDGE_OK : IOTEDGE_E_PLATFORM;
}

int store_keep_draws(store_t *store, const char *file)
{
    store->draws = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    store->keeps_draws = store->draws >= 0;
    return store->keeps_draws ? 0 : -1;
}

int store_open(store_t *store, const char *folder)
{
    size_t len = strlen(folder);
    memset(store, 0, sizeof *store);
    if (len == 0 || len >= sizeof store->folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(store->folder, folder, len);
    return mkdir(folder, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

iotedge_platform_t platform_of(store_t *store)
{
    iotedge_platform_t platform;
    memset(&platform, 0, sizeof platform);
    platform.size = (uint32_t)sizeof platform;
    platform.user = store;
    platform.random = random_bytes;
    platform.store_get = store_get;
    platform.store_put = store_put;
    platform.store_remove = store_remove;
    return platform;
}

static uint64_t milliseconds(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

uint64_t clock_now(void)
{
    return milliseconds(CLOCK_MONOTONIC);
}

int64_t clock_offset(void)
{
    return (int64_t)milliseconds(CLOCK_REALTIME) - (int64_t)milliseconds(CLOCK_MONOTONIC);
}
