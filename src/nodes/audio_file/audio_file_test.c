#include "tests/support/node_test.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOURCE .type = "AudioFileSource"
#define DATA RMT_SOURCE_DIR "/tests/cases/data/"

/* All samples that a source emits, and the properties of its packets. */
struct audio {
    float samples[16384];
    size_t count, frames, packets, first_frames;
    int32_t channels, sample_rate;
    uint64_t layout;
};

/* `heap` must outlive the result. */
static rmt_result run_source(rmt_heap *heap, const char *params)
{
    const rmt_setup setup = {SOURCE, .params = params};
    rmt_heap_init(heap, 0);
    return rmt_run(heap, &setup);
}

/* Takes the audio out of `result`, which is cleared. */
static struct audio take_audio(rmt_result *result)
{
    struct audio all = {0};
    for (size_t i = 0; i < rm_list_length(result->values); i++) {
        rm_samples part = {0};
        assert_int_equal(rm_samples_of(rm_list_get(result->values, i), &part, NULL), RM_OK);
        assert_int_equal(part.dtype, RM_FLOAT32);
        assert_true(all.count + part.count <= RMT_COUNT(all.samples));
        memcpy(all.samples + all.count, part.f32, part.count * sizeof *part.f32);
        all.count += part.count;
        all.frames += part.frames;
        all.channels = part.channels;
        all.sample_rate = part.sample_rate;
        all.layout = part.channel_layout;
        all.first_frames = all.packets++ == 0 ? part.frames : all.first_frames;
    }
    rmt_result_clear(result);
    return all;
}

static struct audio read_audio(const char *params)
{
    rmt_heap heap;
    rmt_result result = run_source(&heap, params);
    if (result.rc != RM_OK)
        fail_msg("%s: %s", params, result.err.message);
    return take_audio(&result);
}

static double rms(const struct audio *audio, int32_t channel)
{
    double sum = 0.0;
    for (size_t i = 0; i < audio->frames; i++) {
        const double sample = audio->samples[i * (size_t)audio->channels + (size_t)channel];
        sum += sample * sample;
    }
    return sqrt(sum / (double)audio->frames);
}

/* The largest difference of `audio` from a 500 Hz sine of half scale, the content of tone.*. */
static double worst_error(const struct audio *audio, size_t margin)
{
    double worst = 0.0;
    for (size_t i = margin; i + margin < audio->frames; i++)
        for (int32_t c = 0; c < audio->channels; c++) {
            const double want =
                0.5 * sin(2.0 * 3.14159265358979323846 * 500.0 * (double)i / audio->sample_rate);
            const double off = fabs(audio->samples[i * (size_t)audio->channels + (size_t)c] - want);
            worst = off > worst ? off : worst;
        }
    return worst;
}

static void every_format_is_read(void **unused)
{
    static const struct {
        const char *params;
        double error;
    } cases[] = {
        {"{\"path\":\"" DATA "tone.wav\",\"chunk_frames\":300}", 0.5 / 32768.0 + 1e-7},
        {"{\"path\":\"" DATA "tone.flac\",\"chunk_frames\":300}", 0.5 / 32768.0 + 1e-7},
        {"{\"path\":\"" DATA "tone.mp3\",\"chunk_frames\":300}", 0.1},
        {"{\"path\":\"" DATA "tone.ogg\",\"chunk_frames\":300}", 0.05},
    };
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        const struct audio audio = read_audio(cases[i].params);
        assert_int_equal(audio.frames, 800);
        assert_int_equal(audio.packets, 3);
        assert_int_equal(audio.first_frames, 300);
        assert_int_equal(audio.channels, 1);
        assert_int_equal(audio.sample_rate, 8000);
        assert_true(audio.layout == RM_CHANNEL_FRONT_CENTER);
        if (worst_error(&audio, 80) > cases[i].error)
            fail_msg("%s: off by %g", cases[i].params, worst_error(&audio, 80));
    }
}

/* The channels of a Vorbis file, in its own order, become those of every other format: each has a size of its
 * own. */
static void surround_channels_keep_their_places(void **unused)
{
    static const double sizes[] = {0.5, 0.4, 0.3, 0.2, 0.1, 0.05};
    (void)unused;
    const struct audio audio = read_audio("{\"path\":\"" DATA "surround.ogg\"}");
    assert_int_equal(audio.channels, 6);
    assert_true(audio.layout == 0x3f);
    for (int32_t c = 0; c < 6; c++)
        assert_true(fabs(rms(&audio, c) / (sizes[c] / sqrt(2.0)) - 1.0) < 0.05);
}

static void rate_and_channels_are_converted(void **unused)
{
    static const struct {
        const char *params;
        size_t frames;
        int32_t channels, sample_rate;
        double error;
    } cases[] = {
        {"{\"path\":\"" DATA "tone.wav\",\"channels\":2}", 800, 2, 8000, 0.0001},
        {"{\"path\":\"" DATA "tone.wav\",\"sample_rate\":16000}", 1600, 1, 16000, 0.05},
        {"{\"path\":\"" DATA "tone.wav\",\"sample_rate\":44100,\"channels\":2}", 4410, 2, 44100, 0.05},
        {"{\"path\":\"" DATA "tone.wav\",\"sample_rate\":3001,\"chunk_frames\":7}", 301, 1, 3001, 0.25},
        {"{\"path\":\"" DATA "tone.wav\",\"sample_rate\":8000,\"channels\":1}", 800, 1, 8000, 0.0001},
    };
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        const struct audio audio = read_audio(cases[i].params);
        assert_int_equal(audio.frames, cases[i].frames);
        assert_int_equal(audio.channels, cases[i].channels);
        assert_int_equal(audio.sample_rate, cases[i].sample_rate);
        const double worst = worst_error(&audio, audio.frames / 10);
        if (worst > cases[i].error)
            fail_msg("%s: off by %g", cases[i].params, worst);
        assert_true(fabs(rms(&audio, 0) / (0.5 / sqrt(2.0)) - 1.0) < 0.1);
    }
}

static void copy_file(const char *from, const char *to, size_t bytes)
{
    static char content[65536];
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", DATA, from);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t length = fread(content, 1, sizeof content, file);
    assert_int_equal(fclose(file), 0);
    rmt_write(to, content, bytes < length ? bytes : length);
}

static size_t file_size(const char *name)
{
    char path[512];
    struct stat status;
    (void)snprintf(path, sizeof path, "%s/%s", rmt_directory(), name);
    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

static void what_cannot_be_read_is_named_with_its_reason(void **unused)
{
    static const struct {
        const char *name, *from;
        size_t bytes;
        int rc;
        size_t frames; /* before the failure */
        const char *message;
    } cases[] = {
        {"none.wav", NULL, 0, RM_E_NOT_FOUND, 0, "there is no file '/"},
        {".", NULL, 0, RM_E_IO, 0, "it is a directory"},
        {"empty.wav", "tone.wav", 0, RM_E_PARSE, 0, "is empty: it has no audio"},
        {"head.wav", "tone.wav", 20, RM_E_PARSE, 0,
         "is not a sound WAV file: it ends before its samples begin"},
        {"cut.wav", "tone.wav", 844, RM_E_PARSE, 400, "promises 1600 bytes of samples, it has 800"},
        {"cut.flac", "bursts.flac", 9000, RM_E_PARSE, 12288, "it has 20160 frames, of which"},
        {"cut.ogg", "tone.ogg", 2700, RM_E_PARSE, SIZE_MAX, "its last page is missing"},
        {"head.ogg", "tone.ogg", 40, RM_E_PARSE, 0, "is cut off: it ends before its samples begin"},
        {"head.flac", "tone.flac", 30, RM_E_PARSE, 0, "is not a sound FLAC file"},
        {"head.mp3", "tone.mp3", 40, RM_E_PARSE, 0, "is not a sound MP3 file"},
    };
    char params[512];
    rmt_heap heap;
    (void)unused;
    rmt_write("text.wav", "just text, whatever its name says", SIZE_MAX);
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        if (cases[i].from != NULL)
            copy_file(cases[i].from, cases[i].name, cases[i].bytes);
        (void)snprintf(params, sizeof params, "{\"path\":\"{DIR}/%s\"}", cases[i].name);
        rmt_result result = run_source(&heap, params);
        if (result.rc != cases[i].rc || strstr(result.err.message, cases[i].message) == NULL ||
            strstr(result.err.message, rmt_directory()) == NULL)
            fail_msg("%s: %s: %s", cases[i].name, rm_code_name(result.rc), result.err.message);
        rmt_result_clear(&result);
    }
    rmt_result result = run_source(&heap, "{\"path\":\"{DIR}/text.wav\"}");
    assert_int_equal(result.rc, RM_E_PARSE);
    rmt_result_clear(&result);
}

static void what_is_there_of_a_cut_file_comes_before_the_error(void **unused)
{
    rmt_heap heap;
    (void)unused;
    copy_file("tone.wav", "part.wav", 844);
    rmt_result result = run_source(&heap, "{\"path\":\"{DIR}/part.wav\",\"chunk_frames\":300}");
    assert_int_equal(result.rc, RM_E_PARSE);
    const struct audio audio = take_audio(&result);
    assert_int_equal(audio.frames, 400);
}

/* Every part of a file that lacks something at its end is told from the whole one. */
static void no_part_of_a_file_is_a_success(void **unused)
{
    static const char *const names[] = {"tone.wav", "tone.flac", "wide.flac", "tone.mp3", "checked.mp3"};
    rmt_heap heap;
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(names); i++) {
        copy_file(names[i], "whole", SIZE_MAX);
        rmt_result result = run_source(&heap, "{\"path\":\"{DIR}/whole\",\"chunk_frames\":8192}");
        assert_int_equal(result.rc, RM_OK);
        const struct audio whole = take_audio(&result);
        for (size_t bytes = 0;; bytes += 1 + bytes / 64) {
            copy_file(names[i], "part", bytes);
            if (file_size("part") == file_size("whole"))
                break;
            result = run_source(&heap, "{\"path\":\"{DIR}/part\",\"chunk_frames\":8192}");
            if (result.rc != RM_E_PARSE)
                fail_msg("%zu bytes of %s: %s %s", bytes, names[i], rm_code_name(result.rc),
                         result.err.message);
            const struct audio part = take_audio(&result);
            assert_true(part.count <= whole.count);
            assert_memory_equal(part.samples, whole.samples, part.count * sizeof *part.samples);
        }
    }
}

/* The checksums of FLAC find every bit that is wrong in its frames. */
static void a_wrong_bit_is_never_heard(void **unused)
{
    rmt_heap heap;
    (void)unused;
    copy_file("tone.flac", "whole", SIZE_MAX);
    char *bytes = rmt_read("whole");
    const size_t size = file_size("whole");
    rmt_result result = run_source(&heap, "{\"path\":\"{DIR}/whole\"}");
    const struct audio whole = take_audio(&result);
    for (size_t i = 4; i < size; i++) {
        bytes[i] ^= (char)(1 << i % 8);
        rmt_write("hurt", bytes, size);
        bytes[i] ^= (char)(1 << i % 8);
        result = run_source(&heap, "{\"path\":\"{DIR}/hurt\"}");
        if (result.rc == RM_OK && i > 42) { /* behind STREAMINFO, which has no checksum */
            const struct audio hurt = take_audio(&result);
            assert_int_equal(hurt.count, whole.count);
            assert_memory_equal(hurt.samples, whole.samples, whole.count * sizeof *whole.samples);
        }
        rmt_result_clear(&result);
        assert_int_equal(heap.live_blocks + heap.mistakes, 0);
    }
    free(bytes);
}

/* What comes through a pipe in odd pieces is read as from a file. */
static void a_pipe_is_read_as_a_file(void **unused)
{
    static const char *const names[] = {"tone.wav", "tone.flac", "wide.flac", "tone.mp3"};
    char path[512];
    rmt_heap heap;
    (void)unused;
    (void)snprintf(path, sizeof path, "%s/pipe", rmt_directory());
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < RMT_COUNT(names); i++) {
        copy_file(names[i], "whole", SIZE_MAX);
        char *bytes = rmt_read("whole");
        const size_t size = file_size("whole");
        rmt_result result = run_source(&heap, "{\"path\":\"{DIR}/whole\"}");
        const struct audio whole = take_audio(&result);
        const pid_t writer = fork();
        if (writer == 0) {
            const int pipe = open(path, O_WRONLY);
            bool good = pipe >= 0;
            for (size_t at = 0, step = 1; good && at < size; at += step, step = step * 3 % 97 + 1) {
                step = step < size - at ? step : size - at;
                good = write(pipe, bytes + at, step) == (ssize_t)step;
            }
            _exit(!good);
        }
        result = run_source(&heap, "{\"path\":\"{DIR}/pipe\"}");
        int status = -1;
        assert_int_equal(waitpid(writer, &status, 0), writer);
        assert_int_equal(status, 0);
        assert_int_equal(result.rc, RM_OK);
        const struct audio piped = take_audio(&result);
        assert_int_equal(piped.count, whole.count);
        assert_memory_equal(piped.samples, whole.samples, whole.count * sizeof *whole.samples);
        free(bytes);
    }
}

/* Writes `items` (audio) with the params and gives the file's bytes, freed by the caller. */
static char *write_audio(const char *format, rm_value list)
{
    char params[128];
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    (void)snprintf(params, sizeof params, "{\"path\":\"{DIR}/out.wav\",\"format\":\"%s\"}", format);
    const rmt_setup setup = {.type = "AudioFileSink", .params = params, .input = list};
    rmt_result result = rmt_run(&heap, &setup);
    if (result.rc != RM_OK)
        fail_msg("%s: %s", format, result.err.message);
    assert_string_equal(result.outputs, "[]");
    rmt_result_clear(&result);
    assert_int_equal(heap.live_blocks + heap.mistakes, 0);
    return rmt_read("out.wav");
}

static rm_value list_of(rm_value item)
{
    rm_value list = rm_null();
    assert_int_equal(rm_list_new(NULL, 1, &list, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, item, NULL), RM_OK);
    return list;
}

static void samples_are_rounded_and_clipped_never_wrapped(void **unused)
{
    static const float in[] = {0.0f,  0.5f,     -0.5f,     1.0f, -1.0f,       2.0f,
                               -2.0f, INFINITY, -INFINITY, NAN,  0.6f / 32768};
    static const int16_t want16[] = {0, 16384, -16384, 32767, -32768, 32767, -32768, 32767, -32768, 0, 1};
    static const int32_t want24[] = {0,        4194304, -4194304, 8388607, -8388608, 8388607,
                                     -8388608, 8388607, -8388608, 0,       154};
    (void)unused;
    rm_value list = list_of(rmt_audio(RM_FLOAT32, RMT_COUNT(in), 1, 8000, in));
    char *bytes = write_audio("pcm16", list);
    assert_memory_equal(
        bytes,
        "RIFF\x3a\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x16\0\0\0", 44);
    assert_memory_equal(bytes + 44, want16, sizeof want16);
    free(bytes);
    bytes = write_audio("pcm24", list);
    for (size_t i = 0; i < RMT_COUNT(want24); i++) {
        const unsigned char *at = (const unsigned char *)bytes + 68 + 3 * i;
        const int32_t sample =
            (int32_t)((uint32_t)at[0] << 8 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 24) >> 8;
        assert_int_equal(sample, want24[i]);
    }
    free(bytes);
    bytes = write_audio("float32", list);
    assert_memory_equal(bytes + 58, in, sizeof in);
    free(bytes);
    rm_value_clear(&list);
}

static void what_was_written_is_read_again(void **unused)
{
    static const char *const formats[] = {"pcm16", "pcm24", "float32"};
    static float in[2 * 5000];
    rmt_heap heap;
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(in); i++)
        in[i] =
            (float)((int)(i * 7919 % 65536) - 32768) / 32768.0f; /* all of 16 bits: exact in each format */
    rm_value list = list_of(rmt_audio(RM_FLOAT32, 3000, 2, 48000, in));
    for (size_t f = 0; f < RMT_COUNT(formats); f++) {
        free(write_audio(formats[f], list));
        rmt_result result = run_source(&heap, "{\"path\":\"{DIR}/out.wav\"}");
        assert_int_equal(result.rc, RM_OK);
        const struct audio audio = take_audio(&result);
        assert_int_equal(audio.frames, 3000);
        assert_int_equal(audio.channels, 2);
        assert_int_equal(audio.sample_rate, 48000);
        assert_memory_equal(audio.samples, in, 6000 * sizeof *in);
    }
    rm_value_clear(&list);
}

static void what_cannot_be_written_is_an_error(void **unused)
{
    static const float one[] = {0.5f}, two[] = {0.5f, 0.5f};
    static const int16_t whole[] = {5};
    (void)unused;
    rm_value good = list_of(rmt_audio(RM_FLOAT32, 1, 1, 8000, one));
    rm_value changing = list_of(rmt_audio(RM_FLOAT32, 1, 1, 8000, one));
    rm_value int16 = list_of(rmt_audio(RM_INT16, 1, 1, 8000, whole));
    assert_int_equal(rm_list_append(&changing, rmt_audio(RM_FLOAT32, 1, 2, 8000, two), NULL), RM_OK);
    const rmt_case cases[] = {
        {"a full disk shows when the file is completed", .type = "AudioFileSink",
         .params = "{\"path\":\"/dev/full\"}", .input = good, .rc = RM_E_IO,
         .message = "cannot write '/dev/full': No space left on device"},
        {"a folder that is not there", .type = "AudioFileSink", .params = "{\"path\":\"{DIR}/none/out.wav\"}",
         .input = good, .rc = RM_E_NOT_FOUND, .message = "cannot write '"},
        {"a folder", .type = "AudioFileSink", .params = "{\"path\":\"{DIR}\"}", .input = good, .rc = RM_E_IO,
         .message = "cannot write '"},
        {"another format in mid-stream", .type = "AudioFileSink", .params = "{\"path\":\"{DIR}/c.wav\"}",
         .input = changing, .rc = RM_E_VALUE, .message = "to 8000 Hz, 2 channel(s) in mid-stream"},
        {"int16 samples", .type = "AudioFileSink", .params = "{\"path\":\"{DIR}/c.wav\"}", .input = int16,
         .rc = RM_E_TYPE, .message = "int16"},
        {"numbers", .type = "AudioFileSink", .params = "{\"path\":\"{DIR}/c.wav\"}", .items = "[1]",
         .rc = RM_E_TYPE},
    };
    rmt_check(cases, RMT_COUNT(cases));
    rm_value_clear(&good);
    rm_value_clear(&changing);
    rm_value_clear(&int16);
}

static void no_audio_is_a_warning_and_no_file(void **unused)
{
    rmt_heap heap;
    char path[512];
    (void)unused;
    rmt_heap_init(&heap, 0);
    const rmt_setup setup = {
        .type = "AudioFileSink", .params = "{\"path\":\"{DIR}/unwritten.wav\"}", .items = "[]"};
    rmt_result result = rmt_run(&heap, &setup);
    assert_int_equal(result.rc, RM_OK);
    assert_non_null(strstr(result.log, "unwritten.wav' was not written"));
    rmt_result_clear(&result);
    (void)snprintf(path, sizeof path, "%s/unwritten.wav", rmt_directory());
    FILE *file = fopen(path, "rb");
    assert_null(file);
}

static void failed_allocations_are_reported(void **unused)
{
    static const float sample[] = {0.5f};
    (void)unused;
    rm_value good = list_of(rmt_audio(RM_FLOAT32, 1, 1, 8000, sample));
    const rmt_case cases[] = {
        {"WAV", SOURCE, .params = "{\"path\":\"" DATA "tone.wav\"}"},
        {"FLAC", SOURCE, .params = "{\"path\":\"" DATA "tone.flac\"}"},
        {"MP3", SOURCE, .params = "{\"path\":\"" DATA "tone.mp3\"}"},
        {"OGG", SOURCE, .params = "{\"path\":\"" DATA "tone.ogg\"}"},
        {"converted", SOURCE,
         .params = "{\"path\":\"" DATA "tone.wav\",\"sample_rate\":16000,\"channels\":2}"},
        {"a sample rate between", SOURCE, .params = "{\"path\":\"" DATA "tone.wav\",\"sample_rate\":999}",
         .rc = RM_E_VALUE, .message = "'sample_rate' is 999; it must be 0 or from 1000 to 384000"},
        {"no file", SOURCE, .params = "{\"path\":\"{DIR}/none\"}", .rc = RM_E_NOT_FOUND},
        {"written", .type = "AudioFileSink", .params = "{\"path\":\"{DIR}/w.wav\"}", .input = good,
         .outputs = "[]"},
    };
    rmt_check(cases, RMT_COUNT(cases));
    rm_value_clear(&good);
}

RMT_MAIN(every_format_is_read, surround_channels_keep_their_places, rate_and_channels_are_converted,
         what_cannot_be_read_is_named_with_its_reason, what_is_there_of_a_cut_file_comes_before_the_error,
         no_part_of_a_file_is_a_success, a_wrong_bit_is_never_heard, a_pipe_is_read_as_a_file,
         samples_are_rounded_and_clipped_never_wrapped, what_was_written_is_read_again,
         what_cannot_be_written_is_an_error, no_audio_is_a_warning_and_no_file,
         failed_allocations_are_reported)
