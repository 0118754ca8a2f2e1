#include "nodes/audio_file/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* The longest Ogg page: its head, 255 lengths, 255 segments of 255 bytes. */
enum { OGG_PAGE_HEAD = 27, OGG_PAGE_MAX = OGG_PAGE_HEAD + 255 + 255 * 255 };
/* Programs that write a WAV file into a pipe put about 2 or 4 GiB where the length belongs. */
#define WAV_LENGTH_UNKNOWN 0x7ffff000u

static uint32_t little32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Reads up to `wanted` bytes at `offset`; returns the number that there are. */
static size_t read_at(FILE *file, int64_t offset, void *bytes, size_t wanted)
{
    return fseeko(file, (off_t)offset, SEEK_SET) == 0 ? fread(bytes, 1, wanted, file) : 0;
}

static rmi_audio_container container_of(const uint8_t *head, size_t length)
{
    static const struct {
        const char *magic;
        rmi_audio_container container;
    } known[] = {{"RIFF", RMI_AUDIO_WAV}, {"RIFX", RMI_AUDIO_WAV}, {"RF64", RMI_AUDIO_WAV},
                 {"riff", RMI_AUDIO_WAV}, {"FORM", RMI_AUDIO_WAV}, {"fLaC", RMI_AUDIO_FLAC},
                 {"OggS", RMI_AUDIO_OGG}, {"ID3", RMI_AUDIO_MP3}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t size = strlen(known[i].magic);
        if (length >= size && memcmp(head, known[i].magic, size) == 0)
            return known[i].container;
    }
    /* Without a tag an MP3 file begins with a frame: 11 bits set, then a version and a layer that exist. */
    if (length >= 2 && head[0] == 0xff && (head[1] & 0xe0) == 0xe0 && (head[1] & 0x18) != 0x08 &&
        (head[1] & 0x06) != 0)
        return RMI_AUDIO_MP3;
    return RMI_AUDIO_UNKNOWN;
}

/* Checks that a RIFF file has as many bytes of samples as it says. */
static void probe_wav(FILE *file, int64_t size, rmi_audio_probe *out)
{
    uint8_t head[12];
    int64_t at = 12;
    if (read_at(file, 0, head, 4) != 4 || memcmp(head, "RIFF", 4) != 0)
        return;
    while (read_at(file, at, head, 8) == 8) {
        const uint32_t length = little32(head + 4);
        const int64_t there = size - at - 8;
        if (memcmp(head, "data", 4) != 0) {
            at += 8 + (int64_t)length + (length & 1);
            continue;
        }
        if (length < WAV_LENGTH_UNKNOWN && (int64_t)length > there)
            snprintf(out->missing, sizeof out->missing,
                     "its header promises %" PRIu32 " bytes of samples, it has %" PRId64, length, there);
        return;
    }
    snprintf(out->missing, sizeof out->missing, "it ends before its samples begin");
}

/* Checks that the last page of an Ogg file is whole and marked as the last. */
static int probe_ogg(const rm_allocator *allocator, FILE *file, int64_t size, rmi_audio_probe *out,
                     rm_error *err)
{
    const int64_t from = size > 2 * OGG_PAGE_MAX ? size - 2 * OGG_PAGE_MAX : 0;
    const size_t length = (size_t)(size - from);
    uint8_t *tail = allocator->resize(allocator->context, NULL, 0, length);
    if (tail == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    const size_t got = read_at(file, from, tail, length);
    bool whole = false;
    for (size_t i = got; i-- > 0 && !whole;) {
        const uint8_t *page = tail + i;
        if (got - i < OGG_PAGE_HEAD || memcmp(page, "OggS", 4) != 0)
            continue;
        size_t end = OGG_PAGE_HEAD + (size_t)page[26];
        for (size_t s = 0; s < page[26] && got - i >= OGG_PAGE_HEAD + (size_t)page[26]; s++)
            end += page[OGG_PAGE_HEAD + s];
        if (end > got - i)
            break;
        whole = (page[5] & 4) != 0;
        if (!whole)
            break;
    }
    if (!whole)
        snprintf(out->missing, sizeof out->missing, "its last page is missing");
    allocator->resize(allocator->context, tail, length, 0);
    return RM_OK;
}

/* Finds the length in the first frame named Xing or Info, which most encoders write. */
static void probe_mp3(FILE *file, rmi_audio_probe *out)
{
    uint8_t head[256];
    int64_t at = 0;
    if (read_at(file, 0, head, 10) == 10 &&
        memcmp(head, "ID3", 3) == 0) /* a tag: 28 bits of length, 7 a byte */
        at = 10 + ((int64_t)(head[6] & 127) << 21 | (head[7] & 127) << 14 | (head[8] & 127) << 7 |
                   (head[9] & 127));
    const size_t length = read_at(file, at, head, sizeof head);
    for (size_t i = 0; i + 4 <= length && !out->knows_length; i++)
        out->knows_length = memcmp(head + i, "Xing", 4) == 0 || memcmp(head + i, "Info", 4) == 0;
}

int rmi_audio_probe_file(const rm_allocator *allocator, FILE *file, const char *path, rmi_audio_probe *out,
                         rm_error *err)
{
    uint8_t head[12];
    struct stat status;
    int rc = RM_OK;
    *out = (rmi_audio_probe){0};
    if (fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) /* systems differ in a read's error */
        return rm_error_set(err, RM_E_IO, "cannot read '%s': %s", path, strerror(EISDIR));
    errno = 0;
    const size_t length = fread(head, 1, sizeof head, file);
    if (ferror(file) || fseeko(file, 0, SEEK_END) != 0)
        return rm_error_set(err, RM_E_IO, "cannot read '%s': %s", path, strerror(errno));
    const int64_t size = (int64_t)ftello(file);
    out->container = container_of(head, length);
    if (out->container == RMI_AUDIO_WAV)
        probe_wav(file, size, out);
    else if (out->container == RMI_AUDIO_OGG)
        rc = probe_ogg(allocator, file, size, out, err);
    else if (out->container == RMI_AUDIO_MP3)
        probe_mp3(file, out);
    if (rc == RM_OK && fseeko(file, 0, SEEK_SET) != 0)
        rc = rm_error_set(err, RM_E_IO, "cannot read '%s': %s", path, strerror(errno));
    return rc;
}
