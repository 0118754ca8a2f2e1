/* "did you mean ...?": the nearest of some known words. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

typedef struct rmi_suggestion {
    const char *word; /* what was written */
    const char *best; /* the nearest candidate so far, or NULL */
    size_t distance;
} rmi_suggestion;

rmi_suggestion rmi_suggest_for(const char *word);
/* Offers a candidate (borrowed as long as the suggestion is used). Case counts little; far words are
 * ignored. */
void rmi_suggest_offer(rmi_suggestion *suggestion, const char *candidate);

#endif
