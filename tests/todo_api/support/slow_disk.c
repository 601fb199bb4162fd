/* Delays the reads of a SQLite file while the file SLOW_DISK exists, as a slow disk would. A read
 * first adds a byte to that file, so that a test can wait until reads are in progress. The tests
 * load this into the server with LD_PRELOAD. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void delay(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    if (!strstr(path, "todo.db")) return;
    int marker = open(getenv("SLOW_DISK"), O_WRONLY | O_APPEND);
    if (marker < 0) return;
    if (write(marker, "r", 1) == 1) usleep(200000);
    close(marker);
}

ssize_t pread64(int file, void *buffer, size_t size, off_t offset) {
    delay(file);
    return syscall(SYS_pread64, file, buffer, size, offset);
}

ssize_t pread(int file, void *buffer, size_t size, off_t offset) {
    return pread64(file, buffer, size, offset);
}
