/* A FILE over a descriptor that stays open, and keeps its one position, when the FILE is closed: what dup would be for. */
#ifndef RM_FILE_H
#define RM_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static inline ssize_t rm_file_read(void *descriptor, char *to, size_t size)
{
    return read((int)(intptr_t)descriptor, to, size);
}

/* All of it or an error: the C library takes a short count for the end. */
static inline ssize_t rm_file_write(void *descriptor, const char *from, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t written = write((int)(intptr_t)descriptor, from + done, size - done);
        if (written <= 0)
            return -1;
        done += (size_t)written;
    }
    return (ssize_t)size;
}

static inline int rm_file_seek(void *descriptor, off_t *offset, int whence)
{
    const off_t place = lseek((int)(intptr_t)descriptor, *offset, whence);
    if (place < 0)
        return -1;
    *offset = place;
    return 0;
}

static inline FILE *rm_file_over(int descriptor, const char *mode)
{
    const cookie_io_functions_t functions = {rm_file_read, rm_file_write, rm_file_seek, NULL};
    return fopencookie((void *)(intptr_t)descriptor, mode, functions);
}

#endif
