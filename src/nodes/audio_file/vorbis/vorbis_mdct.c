/* The inverse transform (4.3.7), as a complex Fourier transform of a quarter of the block between two
 * rotations. Four lanes and a fixed order of sums: the same bits with and without vector instructions. */
#include "nodes/audio_file/vorbis/vorbis_parts.h"

#include <math.h>

#include "nodes/audio_support/lanes.h"

static const double pi = 3.14159265358979323846;

bool rmi_vorbis_mdct_init(rmi_vorbis *vorbis, rmi_vorbis_mdct *mdct, size_t half)
{
    const size_t points = half / 2;
    mdct->half = half;
    mdct->cosines = rmi_vorbis_new(vorbis, points, sizeof(float));
    mdct->sines = rmi_vorbis_new(vorbis, points, sizeof(float));
    mdct->turns = rmi_vorbis_new(vorbis, 2 * points, sizeof(float));
    mdct->window = rmi_vorbis_new(vorbis, half, sizeof(float));
    if (mdct->cosines == NULL || mdct->sines == NULL || mdct->turns == NULL || mdct->window == NULL)
        return false;
    for (size_t i = 0; i < points; i++) {
        const double angle = pi * ((double)i + 0.125) / (double)half;
        mdct->cosines[i] = (float)cos(angle);
        mdct->sines[i] = (float)sin(angle);
    }
    float *turns = mdct->turns;
    for (size_t n = points; n >= 4; n /= 4)
        for (int power = 1; power <= 3; power++, turns += n / 2)
            for (size_t p = 0; p < n / 4; p++) {
                const double angle = -2.0 * pi * (double)p * power / (double)n;
                turns[p] = (float)cos(angle);
                turns[n / 4 + p] = (float)sin(angle);
            }
    for (size_t i = 0; i < half; i++) {
        const double inner = sin(pi / 2.0 * ((double)i + 0.5) / (double)half);
        mdct->window[i] = (float)sin(pi / 2.0 * inner * inner);
    }
    return true;
}

typedef struct complex4 {
    lanes re, im;
} complex4;

static inline complex4 load2(const float *re, const float *im, size_t at)
{
    return (complex4){load(re + at), load(im + at)};
}

static inline complex4 turn(complex4 a, lanes re, lanes im)
{
    return (complex4){a.re * re - a.im * im, a.re * im + a.im * re};
}

/* The four sums of a butterfly of four, before their turns. */
static inline void butterfly(const complex4 in[4], complex4 out[4])
{
    const complex4 ac = {in[0].re + in[2].re, in[0].im + in[2].im};
    const complex4 a_c = {in[0].re - in[2].re, in[0].im - in[2].im};
    const complex4 bd = {in[1].re + in[3].re, in[1].im + in[3].im};
    const complex4 b_d = {in[1].re - in[3].re, in[1].im - in[3].im};
    out[0] = (complex4){ac.re + bd.re, ac.im + bd.im};
    out[1] = (complex4){a_c.re + b_d.im, a_c.im - b_d.re};
    out[2] = (complex4){ac.re - bd.re, ac.im - bd.im};
    out[3] = (complex4){a_c.re - b_d.im, a_c.im + b_d.re};
}

/* The first pass: the lanes are neighbouring points, whose results lie four apart. */
static void first_pass(size_t points, const float *turns, const float *re, const float *im, float *to_re,
                       float *to_im)
{
    const size_t m = points / 4;
    for (size_t p = 0; p < m; p += 4) {
        complex4 in[4], out[4];
        for (size_t j = 0; j < 4; j++)
            in[j] = load2(re, im, p + j * m);
        butterfly(in, out);
        for (size_t j = 1; j < 4; j++) {
            const float *angle = turns + (j - 1) * 2 * m + p;
            out[j] = turn(out[j], load(angle), load(angle + m));
        }
        transpose_store(out[0].re, out[1].re, out[2].re, out[3].re, to_re + 4 * p);
        transpose_store(out[0].im, out[1].im, out[2].im, out[3].im, to_im + 4 * p);
    }
}

static void later_pass(size_t n, size_t stride, const float *turns, const float *re, const float *im,
                       float *to_re, float *to_im)
{
    const size_t m = n / 4;
    for (size_t p = 0; p < m; p++) {
        lanes angle_re[3], angle_im[3];
        for (size_t j = 0; j < 3; j++) {
            angle_re[j] = all(turns[j * 2 * m + p]);
            angle_im[j] = all(turns[j * 2 * m + m + p]);
        }
        for (size_t q = 0; q < stride; q += 4) {
            complex4 in[4], out[4];
            for (size_t j = 0; j < 4; j++)
                in[j] = load2(re, im, q + stride * (p + j * m));
            butterfly(in, out);
            for (size_t j = 0; j < 4; j++) {
                if (j != 0 && p != 0)
                    out[j] = turn(out[j], angle_re[j - 1], angle_im[j - 1]);
                store(to_re + q + stride * (4 * p + j), out[j].re);
                store(to_im + q + stride * (4 * p + j), out[j].im);
            }
        }
    }
}

static void last_pair(size_t stride, const float *re, const float *im, float *to_re, float *to_im)
{
    for (size_t q = 0; q < stride; q += 4) {
        const complex4 a = load2(re, im, q), b = load2(re, im, q + stride);
        store(to_re + q, a.re + b.re);
        store(to_im + q, a.im + b.im);
        store(to_re + q + stride, a.re - b.re);
        store(to_im + q + stride, a.im - b.im);
    }
}

void rmi_vorbis_mdct_inverse(const rmi_vorbis_mdct *mdct, const float *lines, float *out, float *work)
{
    const size_t half = mdct->half, points = half / 2;
    float *re = work, *im = work + points, *to_re = work + half, *to_im = work + half + points;
    for (size_t i = 0; i < points; i += 4) { /* lines 2i and half - 1 - 2i make a point, which is turned */
        const lanes x = even(load(lines + 2 * i), load(lines + 2 * i + 4));
        const lanes y = backward(odd(load(lines + half - 8 - 2 * i), load(lines + half - 4 - 2 * i)));
        const lanes c = load(mdct->cosines + i), s = load(mdct->sines + i);
        store(re + i, x * c + y * s);
        store(im + i, y * c - x * s);
    }
    const float *turns = mdct->turns;
    size_t n = points, stride = 1;
    for (; n >= 4; turns += n / 4 * 6, n /= 4, stride *= 4) {
        if (stride == 1)
            first_pass(n, turns, re, im, to_re, to_im);
        else
            later_pass(n, stride, turns, re, im, to_re, to_im);
        float *swap = re;
        re = to_re;
        to_re = swap;
        swap = im;
        im = to_im;
        to_im = swap;
    }
    if (n == 2) {
        last_pair(stride, re, im, to_re, to_im);
        re = to_re;
        im = to_im;
    }
    for (size_t i = 0; i < points; i += 4) {
        const size_t mirror = points - 4 - i;
        const lanes x = load(re + i) * load(mdct->cosines + i) + load(im + i) * load(mdct->sines + i);
        const lanes y =
            load(re + mirror) * load(mdct->sines + mirror) - load(im + mirror) * load(mdct->cosines + mirror);
        store(out + 2 * i, zip_low(x, backward(y)));
        store(out + 2 * i + 4, zip_high(x, backward(y)));
    }
}
