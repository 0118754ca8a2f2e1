#include "nodes/audio_support/channel_layout.h"

#include <stdio.h>
#include <string.h>

#include "nodes/audio_support/channel_places.h"

/* The bits of a WAV file's mask, from 1 on. */
static const char *const channel_names[] = {"FL", "FR", "FC", "LFE", "BL",  "BR",  "FLC", "FRC", "BC",
                                            "SL", "SR", "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR"};
enum { CHANNEL_NAMES = sizeof channel_names / sizeof *channel_names };

/* Of several layouts with the same number of channels the first one is the usual one. */
static const struct {
    const char *name;
    uint64_t mask;
} layouts[] = {
    {"mono", FC},
    {"stereo", FL | FR},
    {"3.0", FL | FR | FC},
    {"2.1", FL | FR | LFE},
    {"quad", FL | FR | BL | BR},
    {"4.0", FL | FR | FC | BC},
    {"3.1", FL | FR | FC | LFE},
    {"quad(side)", FL | FR | SL | SR},
    {"5.0", FL | FR | FC | BL | BR},
    {"5.0(side)", FL | FR | FC | SL | SR},
    {"4.1", FL | FR | FC | LFE | BC},
    {"5.1", FL | FR | FC | LFE | BL | BR},
    {"5.1(side)", FL | FR | FC | LFE | SL | SR},
    {"6.1", FL | FR | FC | LFE | BC | SL | SR},
    {"7.0", FL | FR | FC | BL | BR | SL | SR},
    {"7.1", FL | FR | FC | LFE | BL | BR | SL | SR},
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

int32_t rmi_layout_channels(uint64_t mask)
{
    return __builtin_popcountll(mask);
}

uint64_t rmi_layout_usual(int32_t channels)
{
    for (size_t i = 0; i < LAYOUTS; i++)
        if (rmi_layout_channels(layouts[i].mask) == channels)
            return layouts[i].mask;
    return 0;
}

/* The bit of the name in text[0 .. length), or 0. */
static uint64_t channel_bit(const char *text, size_t length)
{
    for (size_t i = 0; i < CHANNEL_NAMES; i++)
        if (strlen(channel_names[i]) == length && memcmp(channel_names[i], text, length) == 0)
            return (uint64_t)1 << i;
    return 0;
}

uint64_t rmi_channel_parse(const char *name)
{
    return channel_bit(name, strlen(name));
}

const char *rmi_channel_name(uint64_t bit)
{
    for (size_t i = 0; i < CHANNEL_NAMES; i++)
        if (bit == (uint64_t)1 << i)
            return channel_names[i];
    return NULL;
}

/* The mask of "FL+FR+LFE"; 0 where a name is unknown. *twice: a name that comes twice, in `text`; *ordered: whether
 * the channels stand in the order of a WAV file. */
static uint64_t mask_of_list(const char *text, const char **twice, bool *ordered)
{
    uint64_t mask = 0;
    *twice = NULL;
    *ordered = true;
    for (;;) {
        const size_t length = strcspn(text, "+");
        const uint64_t bit = channel_bit(text, length);
        if (bit == 0)
            return 0;
        if (mask & bit && *twice == NULL)
            *twice = rmi_channel_name(bit);
        *ordered = *ordered && bit > mask; /* higher than all bits before it */
        mask |= bit;
        if (text[length] == '\0')
            return mask;
        text += length + 1;
    }
}

/* Writes "FL+FR+LFE"; returns `text`. */
static const char *list_channels(uint64_t mask, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < 64 && used < size; i++)
        if (mask >> i & 1)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "+" : "",
                                     i < CHANNEL_NAMES ? channel_names[i] : "?");
    return text;
}

static int unknown_layout(const char *name, rm_error *err)
{
    char known[200] = "";
    size_t used = 0;
    for (size_t i = 0; i < LAYOUTS; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", layouts[i].name);
    rm_error_set(err, RM_E_VALUE,
                 "there is no channel layout '%s'; it must be one of %s, or channels in the order of a "
                 "WAV file, as FL+FR+LFE",
                 name, known);
    rm_error_hint(err, "the channels are %s",
                  list_channels(((uint64_t)1 << CHANNEL_NAMES) - 1, known, sizeof known));
    return RM_E_VALUE;
}

int rmi_layout_parse(const char *name, uint64_t *mask, rm_error *err)
{
    char right[CHANNEL_NAMES * 4];
    const char *twice = NULL;
    bool ordered = true;
    for (size_t i = 0; i < LAYOUTS; i++)
        if (strcmp(layouts[i].name, name) == 0) {
            *mask = layouts[i].mask;
            return RM_OK;
        }
    *mask = mask_of_list(name, &twice, &ordered);
    if (*mask == 0)
        return unknown_layout(name, err);
    if (ordered)
        return RM_OK;
    if (twice != NULL)
        rm_error_set(err, RM_E_VALUE, "channel layout '%s' has %s twice", name, twice);
    else
        rm_error_set(err, RM_E_VALUE,
                     "channel layout '%s' does not have its channels in the order of a WAV file, which "
                     "is the order of every layout",
                     name);
    rm_error_hint(err, "write '%s'; AudioChannels brings channels into any order with 'select'",
                  list_channels(*mask, right, sizeof right));
    *mask = 0;
    return RM_E_VALUE;
}

const char *rmi_layout_name(uint64_t mask, char *text, size_t size)
{
    for (size_t i = 0; i < LAYOUTS; i++)
        if (layouts[i].mask == mask) {
            snprintf(text, size, "%s", layouts[i].name);
            return text;
        }
    if (mask != 0)
        return list_channels(mask, text, size);
    snprintf(text, size, "unknown");
    return text;
}
