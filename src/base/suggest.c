#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

/* Costs of the edit distance: a letter's case is a quarter of an edit. */
enum { EDIT = 4, CASE = 1, LONGEST = 63 };

rmi_suggestion rmi_suggest_for(const char *word)
{
    return (rmi_suggestion){.word = word, .distance = (size_t)-1};
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t substitution(char a, char b)
{
    return a == b ? 0 : lower(a) == lower(b) ? CASE : EDIT;
}

/* Damerau's distance (insert, delete, replace, swap of neighbours) over three rows of the table. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LONGEST + 1] = {{0}};
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j * EDIT;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i * EDIT;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = smaller(above[j], row[j - 1]) + EDIT;
            row[j] = smaller(row[j], above[j - 1] + substitution(a[i - 1], b[j - 1]));
            bool swapped =
                i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped)
                row[j] = smaller(row[j], two_above[j - 2] + EDIT);
        }
    }
    return rows[a_length % 3][b_length];
}

/* Whether the shorter word begins the longer one, as "gain" does "gain_db". */
static bool begins(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t shared = smaller(a_length, b_length), i = 0;
    while (i < shared && lower(a[i]) == lower(b[i]))
        i++;
    return shared >= 3 && i == shared;
}

void rmi_suggest_offer(rmi_suggestion *suggestion, const char *candidate)
{
    const char *word = suggestion->word;
    size_t length = strlen(word), candidate_length = strlen(candidate);
    if (length == 0 || candidate_length == 0 || length > LONGEST || candidate_length > LONGEST)
        return;
    size_t far = distance(word, length, candidate, candidate_length);
    size_t limit = (length > candidate_length ? length : candidate_length) / 3 * EDIT;
    if (limit < EDIT)
        limit = EDIT;
    if (begins(word, length, candidate, candidate_length)) {
        limit = far; /* a shortened word is near, but nearer ones win */
    } else if (length <= 2 && far >= length * EDIT) {
        return; /* nothing in common */
    }
    if (far / EDIT <= limit / EDIT && far < suggestion->distance) {
        suggestion->best = candidate;
        suggestion->distance = far;
    }
}
