/* Ogg: the first stream of audio in each link of the chain (RFC 3533), cut to what the granule positions say. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nodes/audio_file/ogg/ogg_stream.h"

/* Bytes that are kept of a comment header, or of what stands in its place; missing pages that make a file a recording of a
 * broadcast, whose headers were sent anew. */
enum { COMMENT = 8192, BROADCAST = 64 };

typedef struct ogg_decoder {
    rmi_audio_decoder base;
    rmi_ogg_stream stream;
    const rmi_ogg_codec *codec; /* NULL: FLAC */
    void *state;
    rmi_ogg_format format;
    rmi_audio_input *flac_input; /* FLAC, as a file of its own inside the pages */
    rmi_audio_decoder *flac;
    uint8_t first[1024];       /* its first packet */
    const uint8_t *flac_bytes; /* the rest of it, or of the page */
    size_t flac_left;
    rmi_ogg_event event;  /* what comes behind the page */
    bool fresh;           /* no page of audio has been entered in this link */
    bool placed;          /* `position` is known */
    uint64_t position;    /* the granule position of the page's end */
    uint64_t skip;        /* frames to leave out */
    uint64_t limit;       /* frames that the page may give, before those left out */
    const uint8_t *early; /* the first packet of audio, where a header should be; or NULL */
    size_t early_length;
    uint64_t frames;           /* given so far, of all links */
    bool end_missing, several; /* of which a warning was given */
    uint64_t first_damage;     /* frames given before it */
    bool damaged, disordered;
    float *samples; /* one packet's frames */
    size_t samples_size, next, count;
} ogg_decoder;

/* ---- Which stream ------------------------------------------------------------------------------------------ */

typedef struct kind {
    const char *name;
    const rmi_ogg_codec *codec; /* NULL, unless it is FLAC: not read */
    bool is_audio, is_flac;
    size_t size;
    const char *magic;
} kind;

static const kind kinds[] = {
    {"Vorbis", &rmi_ogg_vorbis, true, false, 7, "\x01vorbis"},
    {"Opus", &rmi_ogg_opus, true, false, 8, "OpusHead"},
    {"FLAC", NULL, true, true, 5,
     "\x7f"
     "FLAC"},
    {"FLAC", NULL, true, true, 4, "fLaC"},
    {"Speex in Ogg", NULL, true, false, 8, "Speex   "},
    {"CELT in Ogg", NULL, true, false, 8, "CELT    "},
    {"PCM in Ogg", NULL, true, false, 8, "PCM     "},
    {"MIDI in Ogg", NULL, true, false, 8, "OggMIDI\0"},
    {"Theora in Ogg without audio", NULL, false, false, 7, "\x80theora"},
    {"VP8 in Ogg without audio", NULL, false, false, 5, "OVP80"},
    {"Dirac in Ogg without audio", NULL, false, false, 5, "BBCD\0"},
    {"Daala in Ogg without audio", NULL, false, false, 6,
     "\x80"
     "daala"},
    {"Kate (text) in Ogg without audio", NULL, false, false, 5, "\x80kate"},
    {"CMML (text) in Ogg without audio", NULL, false, false, 8, "CMML\0\0\0\0"},
    {"Skeleton in Ogg without audio", NULL, false, false, 8, "fishead\0"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool is_read(const kind *which)
{
    return which != NULL && (which->codec != NULL || which->is_flac);
}

/* The kind of the stream that begins with the page; NULL: unknown. */
static const kind *kind_of(const ogg_page *page)
{
    for (size_t i = 0; i < KINDS; i++)
        if ((size_t)page->body_len >= kinds[i].size && memcmp(page->body, kinds[i].magic, kinds[i].size) == 0)
            return &kinds[i];
    return NULL;
}

static int end_in_headers(const ogg_decoder *ogg, rm_error *err)
{
    const int rc = rmi_audio_input_failure(ogg->base.input, err);
    return rc != RM_OK
               ? rc
               : rmi_audio_damaged(ogg->base.input, err, "is cut off: it ends before its samples begin");
}

static int open_stream(ogg_decoder *ogg, const kind *which, rm_error *err);

/* Looks through the pages that begin the streams of a link, and opens the first that is read. The first of
 * them is held. */
static int choose_stream(ogg_decoder *ogg, rm_error *err)
{
    rmi_ogg_stream *stream = &ogg->stream;
    const kind *refused = NULL;
    bool any = false, chosen = false;
    int rc = RM_OK;
    rmi_ogg_stream_forget(stream);
    while (rc == RM_OK && (stream->held || rmi_ogg_pages_next(&stream->pages, &stream->page))) {
        if (ogg_page_bos(&stream->page) == 0) {
            stream->held = true; /* the first page behind them */
            break;
        }
        const kind *found = kind_of(&stream->page);
        stream->held = false;
        if (rmi_ogg_stream_noted(stream)) {
            stream->disordered = true;
            continue;
        }
        rmi_ogg_stream_note(stream);
        if (is_read(found) && !chosen) {
            rmi_ogg_stream_follow(stream);
            rc = open_stream(ogg, found, err);
            chosen = true;
        } else if (is_read(found) && !ogg->several) {
            ogg->several = true;
            (void)snprintf(ogg->base.warning, sizeof ogg->base.warning,
                           "has several streams of audio; the first one is read");
        } else if (found != NULL && (refused == NULL || (found->is_audio && !refused->is_audio))) {
            refused = found;
        }
        any = true;
    }
    rmi_ogg_stream_leave(stream);
    if (rc != RM_OK || chosen)
        return rc;
    if (!any && stream->pages.cut_start)
        return end_in_headers(ogg, err);
    if (!any)
        return rmi_audio_damaged(ogg->base.input, err, "is not a sound Ogg file: no stream begins in it");
    return rmi_audio_unsupported(ogg->base.input, refused != NULL ? refused->name : "an unknown codec in Ogg",
                                 err);
}

/* `what` is `damaged` or `disordered`. */
static void note(ogg_decoder *ogg, bool *what)
{
    if (!ogg->damaged && !ogg->disordered)
        ogg->first_damage = ogg->frames;
    *what = true;
}

static void note_disorder(ogg_decoder *ogg)
{
    if (ogg->stream.disordered)
        note(ogg, &ogg->disordered);
    ogg->stream.disordered = false;
}

/* Pages may be missing before this one: between headers and audio that is how a broadcast begins for who comes later. */
static void check_gap(ogg_decoder *ogg)
{
    const rmi_ogg_stream *stream = &ogg->stream;
    note_disorder(ogg);
    if (stream->gap == 0)
        return;
    if (ogg->fresh && stream->gap >= BROADCAST && !stream->torn)
        (void)snprintf(ogg->base.warning, sizeof ogg->base.warning,
                       "begins in the middle of a broadcast: %" PRIu32 " pages before that are not in it",
                       stream->gap);
    else
        note(ogg, &ogg->damaged);
}

/* ---- Headers ----------------------------------------------------------------------------------------------- */

/* The next packet, from this page or a later one; RM_DONE: the link has ended (`event`). */
static int next_packet(ogg_decoder *ogg, const uint8_t **packet, size_t *length, rm_error *err)
{
    for (;;) {
        const int rc = rmi_ogg_stream_packet(&ogg->stream, packet, length, err);
        if (rc != RM_DONE)
            return rc;
        ogg->event = rmi_ogg_stream_page(&ogg->stream);
        if (ogg->event != RMI_OGG_PAGE)
            return RM_DONE;
        check_gap(ogg);
    }
}

static void close_link(ogg_decoder *ogg)
{
    if (ogg->flac != NULL)
        ogg->flac->type->close(ogg->flac);
    rmi_audio_input_close(ogg->flac_input);
    if (ogg->codec != NULL && ogg->state != NULL)
        ogg->codec->close(ogg->state);
    ogg->flac = NULL;
    ogg->flac_input = NULL;
    ogg->state = NULL;
    ogg->codec = NULL;
}

static int make_room(ogg_decoder *ogg, rm_error *err)
{
    const rm_allocator *allocator = rmi_audio_input_allocator(ogg->base.input);
    const size_t size = ogg->codec->most_frames * (size_t)ogg->format.channels * sizeof *ogg->samples;
    if (size <= ogg->samples_size)
        return RM_OK;
    float *samples = allocator->resize(allocator->context, ogg->samples, ogg->samples_size, size);
    if (samples == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    ogg->samples = samples;
    ogg->samples_size = size;
    return RM_OK;
}

static void place_page(ogg_decoder *ogg);

/* Reads the headers behind the first one. That with the comments may be lost: then what stands there is read as what it
 * is. */
static int read_headers(ogg_decoder *ogg, rm_error *err)
{
    const rmi_ogg_codec *codec = ogg->codec;
    const uint8_t *packet = NULL;
    size_t length = 0;
    ogg->stream.keep = COMMENT;
    int rc = next_packet(ogg, &packet, &length, err);
    const size_t size = strlen(codec->comment);
    const bool present = rc == RM_OK && length >= size && memcmp(packet, codec->comment, size) == 0;
    ogg->stream.keep = SIZE_MAX;
    if (rc == RM_OK && !present)
        note(ogg, &ogg->damaged);
    if (rc == RM_OK && codec->headers == 3) {
        if (present)
            rc = next_packet(ogg, &packet, &length, err);
        if (rc == RM_OK)
            rc = codec->setup(ogg->base.input, ogg->state, packet, length, err);
    } else if (rc == RM_OK && !present) {
        ogg->early = packet;
        ogg->early_length = length;
    }
    if (rc == RM_DONE)
        return end_in_headers(ogg, err);
    rc = rc == RM_OK ? make_room(ogg, err) : rc;
    if (rc == RM_OK && ogg->early != NULL)
        place_page(ogg);
    return rc;
}

/* Gives the bytes of a FLAC stream, as a file has them, to its decoder. */
static int fill_flac(void *context, uint8_t *bytes, size_t wanted, size_t *got, rm_error *err)
{
    ogg_decoder *ogg = context;
    (void)err;
    *got = 0;
    while (ogg->flac_left == 0) {
        ogg->event = rmi_ogg_stream_page(&ogg->stream);
        if (ogg->event != RMI_OGG_PAGE)
            return RM_OK;
        check_gap(ogg);
        ogg->fresh = ogg->fresh && ogg_page_granulepos(&ogg->stream.page) <= 0;
        ogg->flac_left = rmi_ogg_stream_bytes(&ogg->stream, &ogg->flac_bytes);
    }
    *got = wanted < ogg->flac_left ? wanted : ogg->flac_left;
    memcpy(bytes, ogg->flac_bytes, *got);
    ogg->flac_bytes += *got;
    ogg->flac_left -= *got;
    return RM_OK;
}

/* The first packet of the stream, whose page is the current one. */
static int open_stream(ogg_decoder *ogg, const kind *which, rm_error *err)
{
    const rm_allocator *allocator = rmi_audio_input_allocator(ogg->base.input);
    const uint8_t *packet = NULL;
    size_t length = 0;
    ogg->format = (rmi_ogg_format){0};
    ogg->codec = which->codec;
    ogg->fresh = true;
    ogg->placed = false;
    ogg->skip = 0;
    ogg->early = NULL;
    ogg->stream.keep = SIZE_MAX;
    int rc = rmi_ogg_stream_packet(&ogg->stream, &packet, &length, err);
    if (rc != RM_OK)
        return rc == RM_DONE ? end_in_headers(ogg, err) : rc;
    if (ogg->codec == NULL) {
        const size_t head = packet[0] == 0x7f ? 9 : 0; /* the mapping's own head */
        if (length < head)
            return end_in_headers(ogg, err);
        rc = rmi_audio_input_over(allocator, rmi_audio_input_name(ogg->base.input), fill_flac, ogg,
                                  &ogg->flac_input, err);
        ogg->flac_left = length - head < sizeof ogg->first ? length - head : sizeof ogg->first;
        memcpy(ogg->first, packet + head, ogg->flac_left);
        ogg->flac_bytes = ogg->first;
        return rc;
    }
    rc = ogg->codec->open(ogg->base.input, packet, length, &ogg->state, &ogg->format, err);
    ogg->skip = ogg->format.pre_skip;
    return rc;
}

/* Opens the link whose first page is held, up to its first samples, and fills in its format. */
static int open_link(ogg_decoder *ogg, rm_error *err)
{
    int rc = choose_stream(ogg, err);
    if (rc != RM_OK)
        return rc;
    if (ogg->codec == NULL) {
        rc = rmi_audio_flac.open(ogg->flac_input, &ogg->flac, err);
        if (rc != RM_OK)
            return rc;
        ogg->format.channels = ogg->flac->channels;
        ogg->format.sample_rate = ogg->flac->sample_rate;
        ogg->format.channel_layout = ogg->flac->channel_layout;
    } else {
        rc = read_headers(ogg, err);
    }
    ogg->base.channels = ogg->format.channels;
    ogg->base.sample_rate = ogg->format.sample_rate;
    ogg->base.channel_layout = ogg->format.channel_layout;
    return rc;
}

/* ---- Samples ----------------------------------------------------------------------------------------------- */

/* Compares the page's granule position with the frames of its packets. In a link's first page the position
 * tells how many frames to leave out at the start; in its last page, how many at the end. */
static void place_page(ogg_decoder *ogg)
{
    rmi_ogg_stream *stream = &ogg->stream;
    const int64_t granule = ogg_page_granulepos(&stream->page);
    check_gap(ogg);
    if (stream->jump && !ogg->fresh) {
        ogg->codec->reset(ogg->state);
        ogg->placed = false;
    }
    uint64_t frames = ogg->early != NULL ? ogg->codec->measure(ogg->state, ogg->early, ogg->early_length) : 0;
    frames += rmi_ogg_stream_measure(stream, ogg->codec, ogg->state);
    ogg->limit = UINT64_MAX;
    if (granule < 0) {
        ogg->position += frames;
        return;
    }
    const uint64_t end = (uint64_t)granule;
    if (ogg->placed) {
        if (stream->ended && end < ogg->position + frames)
            ogg->limit = end > ogg->position ? end - ogg->position : 0;
    } else if (ogg->fresh && end < frames) {
        if (stream->ended)
            ogg->limit = end;
        else
            ogg->skip += frames - end;
    }
    ogg->fresh = false;
    ogg->placed = true;
    ogg->position = end;
}

/* Decodes the next packet; RM_DONE: the link has ended. */
static int decode_packet(ogg_decoder *ogg, rm_error *err)
{
    const uint8_t *packet = ogg->early;
    size_t length = ogg->early_length, frames = 0;
    int rc = RM_OK;
    ogg->early = NULL;
    if (packet == NULL)
        rc = rmi_ogg_stream_packet(&ogg->stream, &packet, &length, err);
    if (ogg->stream.damaged)
        note(ogg, &ogg->damaged);
    if (rc == RM_DONE) {
        ogg->event = rmi_ogg_stream_page(&ogg->stream);
        if (ogg->event != RMI_OGG_PAGE)
            return RM_DONE;
        place_page(ogg);
        return RM_OK;
    }
    if (rc != RM_OK)
        return rc;
    if (!ogg->codec->decode(ogg->state, &ogg->format, packet, length, ogg->samples, &frames))
        note(ogg, &ogg->damaged);
    const uint64_t allowed = frames < ogg->limit ? frames : ogg->limit;
    ogg->limit -= ogg->limit == UINT64_MAX ? 0 : allowed;
    const uint64_t skip = ogg->skip < allowed ? ogg->skip : allowed;
    ogg->skip -= skip;
    ogg->next = (size_t)skip;
    ogg->count = (size_t)(allowed - skip);
    return RM_OK;
}

/* The link has ended: RM_OK at the sound end of the file; RM_AGAIN: another link follows, and is open. */
static int end_link(ogg_decoder *ogg, rm_error *err)
{
    int rc = rmi_audio_input_failure(ogg->base.input, err);
    if (rc != RM_OK)
        return rc;
    note_disorder(ogg);
    if (ogg->stream.damaged)
        note(ogg, &ogg->damaged);
    if (!ogg->stream.ended || (ogg->event == RMI_OGG_END && ogg->stream.pages.cut_start)) {
        ogg->end_missing = true;
        note(ogg, &ogg->damaged);
    }
    if (ogg->event == RMI_OGG_LINK) {
        close_link(ogg);
        rc = open_link(ogg, err);
        return rc == RM_OK ? RM_AGAIN : rc;
    }
    if (ogg->end_missing)
        return rmi_audio_damaged(ogg->base.input, err, "is cut off: its last page is missing");
    if (ogg->damaged || ogg->disordered)
        return rmi_audio_damaged(ogg->base.input, err, "is damaged: %s, the first after %.3f s",
                                 ogg->damaged ? "parts are missing" : "pages are doubled or out of order",
                                 (double)ogg->first_damage / ogg->format.sample_rate);
    if (ogg->stream.pages.passed)
        (void)snprintf(ogg->base.warning, sizeof ogg->base.warning,
                       "has bytes that are no page of Ogg: they are passed over");
    return RM_OK;
}

static int read_flac(ogg_decoder *ogg, float *samples, size_t frames, size_t *got, rm_error *err)
{
    int rc = ogg->flac->type->read(ogg->flac, samples, frames, got, err);
    if (ogg->flac->warning[0] != '\0')
        memcpy(ogg->base.warning, ogg->flac->warning, sizeof ogg->base.warning);
    ogg->flac->warning[0] = '\0';
    if (rc == RM_OK && *got == 0) {
        (void)rmi_audio_input_skip(ogg->flac_input, UINT64_MAX); /* what may stand behind the last frame */
        rc = RM_DONE;
    }
    return rc;
}

static int read_packets(ogg_decoder *ogg, float *samples, size_t frames, size_t *got, rm_error *err)
{
    const size_t channels = (size_t)ogg->format.channels;
    while (ogg->count == 0) {
        const int rc = decode_packet(ogg, err);
        if (rc != RM_OK)
            return rc;
    }
    *got = frames < ogg->count ? frames : ogg->count;
    memcpy(samples, ogg->samples + ogg->next * channels, *got * channels * sizeof *samples);
    ogg->next += *got;
    ogg->count -= *got;
    return RM_OK;
}

static int ogg_read(rmi_audio_decoder *decoder, float *samples, size_t frames, size_t *got, rm_error *err)
{
    ogg_decoder *ogg = (ogg_decoder *)decoder;
    *got = 0;
    if (ogg->state == NULL && ogg->flac == NULL) /* the last link could not be opened */
        return RM_OK;
    for (;;) {
        int rc = ogg->codec == NULL ? read_flac(ogg, samples, frames, got, err)
                                    : read_packets(ogg, samples, frames, got, err);
        ogg->frames += *got;
        if (rc != RM_DONE)
            return rc;
        const rmi_audio_decoder was = ogg->base;
        rc = end_link(ogg, err);
        const bool same = was.channels == ogg->base.channels && was.sample_rate == ogg->base.sample_rate &&
                          was.channel_layout == ogg->base.channel_layout;
        if (rc != RM_AGAIN || !same)
            return rc;
    }
}

/* ---- Opening ----------------------------------------------------------------------------------------------- */

static bool ogg_recognises(const uint8_t *head, size_t length)
{
    return length >= 4 && memcmp(head, "OggS", 4) == 0;
}

static void ogg_close(rmi_audio_decoder *decoder)
{
    ogg_decoder *ogg = (ogg_decoder *)decoder;
    const rm_allocator *allocator = rmi_audio_input_allocator(decoder->input);
    close_link(ogg);
    rmi_ogg_stream_close(&ogg->stream);
    if (ogg->samples != NULL)
        allocator->resize(allocator->context, ogg->samples, ogg->samples_size, 0);
    rmi_audio_decoder_delete(decoder, sizeof *ogg);
}

static int ogg_open(rmi_audio_input *input, rmi_audio_decoder **out, rm_error *err)
{
    ogg_decoder *ogg = rmi_audio_decoder_new(&rmi_audio_ogg, sizeof *ogg, input);
    *out = NULL;
    if (ogg == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    int rc = rmi_ogg_pages_open(input, &ogg->stream.pages, err);
    if (rc == RM_OK)
        rc = open_link(ogg, err);
    if (rc == RM_OK)
        *out = &ogg->base;
    else
        ogg_close(&ogg->base);
    return rc;
}

const rmi_audio_decoder_type rmi_audio_ogg = {
    .recognises = ogg_recognises, .open = ogg_open, .read = ogg_read, .close = ogg_close};
