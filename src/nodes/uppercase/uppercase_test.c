#include "tests/support/node_test.h"

/* What Python's str.upper() gives. */
static const rmt_case cases[] = {
    {.label = "ASCII",
     .type = "UppercaseTransform",
     .items = "[\"abc XYZ 1[`{\",\"\"]",
     .outputs = "[\"ABC XYZ 1[`{\",\"\"]"},
    {.label = "other scripts",
     .type = "UppercaseTransform",
     .items = "[\"äöüÿ\",\"ёжик\",\"σς\",\"日本\",\"𐐨\",\"ა\"]",
     .outputs = "[\"ÄÖÜŸ\",\"ЁЖИК\",\"ΣΣ\",\"日本\",\"𐐀\",\"Ა\"]"},
    {.label = "one becomes several",
     .type = "UppercaseTransform",
     .items = "[\"straße\",\"ﬃ\",\"ΰ\",\"ŉ\",\"ᾳ\",\"և\"]",
     .outputs = "[\"STRASSE\",\"FFI\",\"Υ\xcc\x88\xcc\x81\",\"ʼN\",\"ΑΙ\",\"ԵՒ\"]"},
    {.label = "special singles",
     .type = "UppercaseTransform",
     .items = "[\"ıſµ\",\"ǅǆ\",\"ɐⱥ\",\"aʼn\"]",
     .outputs = "[\"ISΜ\",\"ǄǄ\",\"ⱯȺ\",\"AʼN\"]"},
    {.label = "NUL is a character",
     .type = "UppercaseTransform",
     .items = "[\"a\\u0000b\"]",
     .outputs = "[\"A\\u0000B\"]"},
    {.label = "only text",
     .type = "UppercaseTransform",
     .items = "[\"a\",1]",
     .rc = RM_E_TYPE,
     .outputs = "[\"A\"]"},
};

static void turns_into_capitals(void **state)
{
    (void)state;
    rmt_check(cases, RMT_COUNT(cases));
}
RMT_MAIN(turns_into_capitals)
