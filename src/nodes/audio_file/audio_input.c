#include "nodes/audio_file/audio_input.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nodes/open_file.h"

struct rmi_audio_input {
    const rm_allocator *allocator;
    rm_node *node; /* of a file; may be NULL */
    rmi_audio_fill *fill;
    void *context; /* of `fill` */
    rmi_open_file file;
    bool seeks; /* it is a regular file */
    bool ended;
    uint64_t size;     /* of the file, or RMI_AUDIO_UNKNOWN */
    uint64_t offset;   /* of the byte at buffer[end] */
    size_t start, end; /* the bytes ahead */
    rm_error failure;  /* the first one */
    size_t name_size;
    uint8_t buffer[RMI_AUDIO_AHEAD];
    char name[];
};

static int out_of_memory(rm_error *err)
{
    return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
}

static rmi_audio_input *input_new(const rm_allocator *allocator, const char *name)
{
    const size_t size = strlen(name) + 1;
    rmi_audio_input *input = allocator->resize(allocator->context, NULL, 0, sizeof *input + size);
    if (input == NULL)
        return NULL;
    memset(input, 0, offsetof(rmi_audio_input, buffer));
    input->allocator = allocator;
    input->file.descriptor = -1;
    input->size = RMI_AUDIO_UNKNOWN;
    input->name_size = size;
    memcpy(input->name, name, size);
    return input;
}

static int fill_from_file(void *context, uint8_t *bytes, size_t wanted, size_t *got, rm_error *err)
{
    rmi_audio_input *input = context;
    return rmi_file_read(input->node, &input->file, input->name, bytes, wanted, got, err);
}

int rmi_audio_input_open(const rm_allocator *allocator, rm_node *node, const char *path,
                         rmi_audio_input **out, rm_error *err)
{
    rmi_audio_input *input =
        input_new(allocator, rm_is_standard_stream(path, false) ? "standard input" : path);
    struct stat status;
    *out = NULL;
    if (input == NULL)
        return out_of_memory(err);
    input->node = node;
    input->fill = fill_from_file;
    input->context = input;
    const int rc = rmi_file_open_to_read(node, path, &input->file, err);
    if (rc != RM_OK) {
        rmi_audio_input_close(input);
        return rc;
    }
    if (fstat(input->file.descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
        const off_t at = lseek(input->file.descriptor, 0, SEEK_CUR); /* standard input may be in mid-file */
        input->seeks = at == 0;
        input->size = at == 0 ? (uint64_t)status.st_size : RMI_AUDIO_UNKNOWN;
    }
    *out = input;
    return RM_OK;
}

int rmi_audio_input_over(const rm_allocator *allocator, const char *name, rmi_audio_fill *fill, void *context,
                         rmi_audio_input **out, rm_error *err)
{
    *out = input_new(allocator, name);
    if (*out == NULL)
        return out_of_memory(err);
    (*out)->fill = fill;
    (*out)->context = context;
    return RM_OK;
}

void rmi_audio_input_close(rmi_audio_input *input)
{
    if (input == NULL)
        return;
    const rm_allocator *allocator = input->allocator;
    (void)rmi_file_close(&input->file); /* only read: nothing can be lost */
    rm_error_clear(&input->failure);
    allocator->resize(allocator->context, input, sizeof *input + input->name_size, 0);
}

const char *rmi_audio_input_name(const rmi_audio_input *input)
{
    return input->name;
}

const rm_allocator *rmi_audio_input_allocator(const rmi_audio_input *input)
{
    return input->allocator;
}

/* Reads once into the free part of the buffer. */
static void fill_more(rmi_audio_input *input)
{
    size_t got = 0;
    const int rc = input->fill(input->context, input->buffer + input->end, sizeof input->buffer - input->end,
                               &got, &input->failure);
    input->ended = rc != RM_OK || got == 0;
    if (rc != RM_OK)
        return;
    input->end += got;
    input->offset += got;
}

size_t rmi_audio_input_peek(rmi_audio_input *input, size_t wanted, const uint8_t **bytes)
{
    if (wanted > sizeof input->buffer)
        wanted = sizeof input->buffer;
    if (wanted > sizeof input->buffer - input->start) {
        memmove(input->buffer, input->buffer + input->start, input->end - input->start);
        input->end -= input->start;
        input->start = 0;
    }
    while (input->end - input->start < wanted && !input->ended)
        fill_more(input);
    *bytes = input->buffer + input->start;
    return input->end - input->start;
}

void rmi_audio_input_take(rmi_audio_input *input, size_t count)
{
    input->start += count;
    if (input->start == input->end)
        input->start = input->end = 0;
}

size_t rmi_audio_input_read(rmi_audio_input *input, void *bytes, size_t wanted)
{
    uint8_t *to = bytes;
    size_t done = 0;
    while (done < wanted) {
        const uint8_t *from = NULL;
        size_t count = rmi_audio_input_peek(input, 1, &from);
        if (count == 0)
            break;
        count = count < wanted - done ? count : wanted - done;
        memcpy(to + done, from, count);
        rmi_audio_input_take(input, count);
        done += count;
    }
    return done;
}

bool rmi_audio_input_seek(rmi_audio_input *input, uint64_t offset)
{
    const uint64_t here = rmi_audio_input_position(input);
    if (offset <= input->offset && input->offset - offset <= input->end) {
        input->start = input->end - (size_t)(input->offset - offset);
        return true;
    }
    if (!input->seeks || offset > input->size)
        return offset == here;
    if (lseek(input->file.descriptor, (off_t)offset, SEEK_SET) != (off_t)offset)
        return false;
    input->offset = offset;
    input->start = input->end = 0;
    input->ended = input->failure.code != RM_OK;
    return true;
}

uint64_t rmi_audio_input_skip(rmi_audio_input *input, uint64_t count)
{
    const uint64_t here = rmi_audio_input_position(input), left = rmi_audio_input_left(input);
    const uint64_t there = left < count ? left : count; /* also where the size is not known */
    if (there > RMI_AUDIO_AHEAD && there <= UINT64_MAX - here && rmi_audio_input_seek(input, here + there))
        return there;
    uint64_t done = 0;
    while (done < count) {
        const uint8_t *bytes = NULL;
        size_t step = rmi_audio_input_peek(input, 1, &bytes);
        if (step == 0)
            break;
        step = step < count - done ? step : (size_t)(count - done);
        rmi_audio_input_take(input, step);
        done += step;
    }
    return done;
}

uint64_t rmi_audio_input_position(const rmi_audio_input *input)
{
    return input->offset - (input->end - input->start);
}

uint64_t rmi_audio_input_size(const rmi_audio_input *input)
{
    return input->size;
}

uint64_t rmi_audio_input_left(const rmi_audio_input *input)
{
    const uint64_t here = rmi_audio_input_position(input);
    if (input->size == RMI_AUDIO_UNKNOWN)
        return RMI_AUDIO_UNKNOWN;
    return input->size > here ? input->size - here : 0;
}

int rmi_audio_input_failure(const rmi_audio_input *input, rm_error *err)
{
    const rm_error *failure = &input->failure;
    return failure->code == RM_OK ? RM_OK : rm_error_set(err, failure->code, "%s", failure->message);
}
