/* Matrix products in blocks that stay in the cache, four rows by four vectors' halves at a time. Each element is the sum
 * in the order in which the plain loop adds, so the bits are the same. They answer 0 where the plain loop is as good. */
#include <stdlib.h>
#include <string.h>

enum { RM_GEMM_DEPTH = 256, RM_GEMM_WIDTH = 512, RM_GEMM_ROWS = 4, RM_GEMM_LEAST = 4096 };

#define RM_GEMM(T)                                                                                           \
    typedef T rm_vector_##T __attribute__((vector_size(16), aligned(1)));                                    \
    enum { RM_LANES_##T = 16 / sizeof(T), RM_COLUMNS_##T = 2 * RM_LANES_##T };                               \
                                                                                                             \
    static void rm_gemm_tile_##T(const T *a, const T *b, T *c, npy_intp depth)                               \
    {                                                                                                        \
        rm_vector_##T sum[RM_GEMM_ROWS][2];                                                                  \
        memcpy(sum, c, sizeof sum);                                                                          \
        for (npy_intp k = 0; k < depth; k++) {                                                               \
            const rm_vector_##T left = *(const rm_vector_##T *)b;                                            \
            const rm_vector_##T right = *(const rm_vector_##T *)(b + RM_LANES_##T);                          \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < RM_GEMM_ROWS; i++)                        \
            {                                                                                                \
                sum[i][0] += a[i] * left;                                                                    \
                sum[i][1] += a[i] * right;                                                                   \
            }                                                                                                \
            a += RM_GEMM_ROWS;                                                                               \
            b += RM_COLUMNS_##T;                                                                             \
        }                                                                                                    \
        memcpy(c, sum, sizeof sum);                                                                          \
    }                                                                                                        \
                                                                                                             \
    /* `count` rows of `depth` elements, as strips of `width` rows; rows that are missing are zeros. */      \
    static void rm_gemm_pack_##T(T *to, const char *from, npy_intp row, npy_intp step, npy_intp count,       \
                                 npy_intp depth, npy_intp width)                                             \
    {                                                                                                        \
        for (npy_intp strip = 0; strip < count; strip += width)                                              \
            for (npy_intp k = 0; k < depth; k++)                                                             \
                for (npy_intp i = strip; i < strip + width; i++)                                             \
                    *to++ = i < count ? *(const T *)(from + i * row + k * step) : 0;                         \
    }                                                                                                        \
                                                                                                             \
    /* One tile of the result, taken out, added to, put back; `first` starts it with zeros. */               \
    static void rm_gemm_add_##T(const T *a, const T *b, char *c, npy_intp c_row, npy_intp c_column,          \
                                npy_intp rows, npy_intp columns, npy_intp depth, int first)                  \
    {                                                                                                        \
        T tile[RM_GEMM_ROWS * RM_COLUMNS_##T] = {0};                                                         \
        for (npy_intp i = 0; !first && i < rows; i++)                                                        \
            for (npy_intp j = 0; j < columns; j++)                                                           \
                tile[i * RM_COLUMNS_##T + j] = *(const T *)(c + i * c_row + j * c_column);                   \
        rm_gemm_tile_##T(a, b, tile, depth);                                                                 \
        for (npy_intp i = 0; i < rows; i++)                                                                  \
            for (npy_intp j = 0; j < columns; j++)                                                           \
                *(T *)(c + i * c_row + j * c_column) = tile[i * RM_COLUMNS_##T + j];                         \
    }                                                                                                        \
                                                                                                             \
    static int rm_gemm_##T(const char *a, npy_intp a_row, npy_intp a_step, const char *b, npy_intp b_step,   \
                           npy_intp b_column, char *c, npy_intp c_row, npy_intp c_column, npy_intp rows,     \
                           npy_intp depth, npy_intp columns)                                                 \
    {                                                                                                        \
        if (rows < RM_GEMM_ROWS || columns < RM_LANES_##T || (double)rows * depth * columns < RM_GEMM_LEAST) \
            return 0;                                                                                        \
        T *packed_a = malloc(sizeof(T) * RM_GEMM_DEPTH * (RM_GEMM_ROWS + RM_GEMM_WIDTH));                    \
        T *packed_b = packed_a + RM_GEMM_DEPTH * RM_GEMM_ROWS;                                               \
        if (packed_a == NULL)                                                                                \
            return 0;                                                                                        \
        for (npy_intp j0 = 0; j0 < columns; j0 += RM_GEMM_WIDTH)                                             \
            for (npy_intp k0 = 0; k0 < depth; k0 += RM_GEMM_DEPTH) {                                         \
                const npy_intp wide = columns - j0 < RM_GEMM_WIDTH ? columns - j0 : RM_GEMM_WIDTH;           \
                const npy_intp deep = depth - k0 < RM_GEMM_DEPTH ? depth - k0 : RM_GEMM_DEPTH;               \
                rm_gemm_pack_##T(packed_b, b + j0 * b_column + k0 * b_step, b_column, b_step, wide, deep,    \
                                 RM_COLUMNS_##T);                                                            \
                for (npy_intp i = 0; i < rows; i += RM_GEMM_ROWS) {                                          \
                    const npy_intp high = rows - i < RM_GEMM_ROWS ? rows - i : RM_GEMM_ROWS;                 \
                    rm_gemm_pack_##T(packed_a, a + i * a_row + k0 * a_step, a_row, a_step, high, deep,       \
                                     RM_GEMM_ROWS);                                                          \
                    for (npy_intp j = 0; j < wide; j += RM_COLUMNS_##T)                                      \
                        rm_gemm_add_##T(packed_a, packed_b + j * deep, c + i * c_row + (j0 + j) * c_column,  \
                                        c_row, c_column, high,                                               \
                                        wide - j < RM_COLUMNS_##T ? wide - j : RM_COLUMNS_##T, deep,         \
                                        k0 == 0);                                                            \
                }                                                                                            \
            }                                                                                                \
        free(packed_a);                                                                                      \
        return 1;                                                                                            \
    }

RM_GEMM(npy_float)
RM_GEMM(npy_double)
