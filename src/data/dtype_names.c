/* Names of element types: numpy's ("float32") and its letters ("<f4", ">i2", "M8[ns]"). Numbers in this
 * machine's byte order have an rm_dtype; all others are opaque. */
#include "data/dtype_names.h"

#include <string.h>

static const struct {
    char letter;
    uint8_t size;
    rm_dtype dtype;
} numbers[] = {
    {'b', 1, RM_BOOL8},     {'i', 1, RM_INT8},        {'i', 2, RM_INT16},   {'i', 4, RM_INT32},
    {'i', 8, RM_INT64},     {'u', 1, RM_UINT8},       {'u', 2, RM_UINT16},  {'u', 4, RM_UINT32},
    {'u', 8, RM_UINT64},    {'f', 2, RM_FLOAT16},     {'f', 4, RM_FLOAT32}, {'f', 8, RM_FLOAT64},
    {'c', 8, RM_COMPLEX64}, {'c', 16, RM_COMPLEX128},
};

/* Dtypes that numpy has from the package ml_dtypes, without letters of their own: the name says all. */
static const struct {
    const char *name;
    uint8_t size;
} named[] = {
    {"float8_e3m4", 1},
    {"float8_e4m3", 1},
    {"float8_e4m3b11fnuz", 1},
    {"float8_e4m3fn", 1},
    {"float8_e4m3fnuz", 1},
    {"float8_e5m2", 1},
    {"float8_e5m2fnuz", 1},
    {"float8_e8m0fnu", 1},
    {"float6_e2m3fn", 1},
    {"float6_e3m2fn", 1},
    {"float4_e2m1fn", 1},
    {"int1", 1},
    {"uint1", 1},
    {"int2", 1},
    {"uint2", 1},
    {"int4", 1},
    {"uint4", 1},
    {"complex32", 4},
    {"bcomplex32", 4},
};

rm_dtype rmi_element_number(char kind, size_t size)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].letter == kind && numbers[i].size == size)
            return numbers[i].dtype;
    return (rm_dtype)0;
}

static int fail_unknown(const char *name, rm_error *err)
{
    const char *letters = name + (*name == '|' || *name == '<' || *name == '>' || *name == '=' ? 1 : 0);
    const bool is_object = *letters == 'O' && letters[1 + strspn(letters + 1, "0123456789")] == '\0';
    if (is_object || strcmp(name, "object") == 0)
        return rm_error_set(err, RM_E_UNSUPPORTED,
                            "elements of dtype '%s' are references, which cannot be sent", name);
    (void)rm_error_set(err, RM_E_VALUE, "unknown dtype '%s'", name);
    rm_error_hint(
        err,
        "known are bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32, float64, "
        "complex64, complex128, ml_dtypes' names such as float8_e5m2, numpy's letters such as \"<f4\" or "
        "\"S10\", and lists of fields");
    return RM_E_VALUE;
}

/* Reads digits, up to a limit that no element reaches. */
static bool read_count(const char **at, size_t *count)
{
    const char *from = *at;
    uint64_t value = 0;
    while (**at >= '0' && **at <= '9' && value <= INT32_MAX)
        value = value * 10 + (uint64_t)(*(*at)++ - '0');
    *count = (size_t)value;
    return *at != from && value <= INT32_MAX;
}

/* Skips the unit of a date: "[ns]", "[10ms]"; it may be absent. */
static bool skip_unit(const char **at)
{
    static const char *const units[] = {"Y",  "M",  "W",  "D",  "h",  "m", "s",
                                        "ms", "us", "ns", "ps", "fs", "as"};
    size_t count = 0;
    if (**at != '[')
        return true;
    ++*at;
    (void)read_count(at, &count);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t length = strlen(units[i]);
        if (strncmp(*at, units[i], length) == 0 && (*at)[length] == ']') {
            *at += length + 1;
            return true;
        }
    }
    return false;
}

/* Reads numpy's letters: [order]kind size, as in dtype.str. */
static bool read_letters(const char *text, rmi_element *out)
{
    const bool ordered = *text != '\0' && strchr("<>=|", *text) != NULL;
    const bool swapped = *text == '>';
    const char *at = text + (ordered ? 1 : 0);
    const char kind = *at;
    size_t count = 0;
    if (kind == '\0')
        return false;
    at++;
    if (!read_count(&at, &count))
        return false;
    *out = (rmi_element){.kind = kind, .size = count, .dtype = RM_OPAQUE, .unit = at};
    out->swapped = swapped && (count > 1 || kind == 'U') && kind != 'S' && kind != 'V';
    const rm_dtype number = *at == '\0' ? rmi_element_number(kind, count) : (rm_dtype)0;
    if (number != 0) {
        out->dtype = out->swapped ? RM_OPAQUE : number;
        return true;
    }
    if (kind == 'U' && count > INT32_MAX / 4)
        return false;
    if (kind == 'U')
        out->size *= 4;
    if (kind == 'M' || kind == 'm')
        return count == 8 && skip_unit(&at) && *at == '\0';
    const bool extended = (kind == 'f' && count == 16) || (kind == 'c' && count == 32);
    return *at == '\0' && (extended || kind == 'S' || kind == 'U' || kind == 'V');
}

/* Reads the names that str(dtype) has for dtypes without an rm_dtype. */
static bool read_long_name(const char *name, rmi_element *out)
{
    static const struct {
        const char *name;
        char kind;
        size_t size;
    } known[] = {
        {"datetime64", 'M', 8}, {"timedelta64", 'm', 8}, {"float128", 'f', 16}, {"complex256", 'c', 32}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t length = strlen(known[i].name);
        const char *rest = name + length;
        if (strncmp(name, known[i].name, length) != 0)
            continue;
        *out = (rmi_element){.kind = known[i].kind, .size = known[i].size, .dtype = RM_OPAQUE, .unit = rest};
        return (*rest == '\0' || known[i].size == 8) && skip_unit(&rest) && *rest == '\0';
    }
    return false;
}

static bool read_named(const char *name, rmi_element *out)
{
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        if (strcmp(name, named[i].name) == 0) {
            *out = (rmi_element){.kind = 'E', .size = named[i].size, .dtype = RM_OPAQUE, .unit = ""};
            return true;
        }
    }
    return false;
}

rmi_element rmi_element_of(rm_dtype dtype)
{
    rmi_element element = {.kind = 'B', .size = rm_dtype_size(dtype), .dtype = dtype, .unit = ""};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].dtype == dtype)
            element.kind = numbers[i].letter;
    }
    return element;
}

int rmi_element_read(const char *name, rmi_element *out, rm_error *err)
{
    const rm_dtype dtype = rm_dtype_from_name(name);
    if (dtype != 0) {
        *out = rmi_element_of(dtype);
        return RM_OK;
    }
    if (read_letters(name, out) || read_long_name(name, out) || read_named(name, out))
        return RM_OK;
    return fail_unknown(name, err);
}

bool rmi_element_unit(const rmi_element *element, const char **letters, size_t *length, int64_t *count)
{
    const char *at = element->unit;
    size_t digits = 0;
    if (*at != '[')
        return false;
    at++;
    *count = read_count(&at, &digits) ? (int64_t)digits : 1;
    *letters = at;
    *length = strcspn(at, "]");
    return true;
}
