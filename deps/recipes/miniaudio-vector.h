/* What the MP3 decoder takes for vectors of four floats: the compiler's own, which are the same additions and
 * multiplications in the same order on every processor, with or without such registers. */
#define MA_DR_MP3_HAVE_SSE 1 /* its branches are the ones that the recipe has made portable */
#define MA_DR_MP3_HAVE_SIMD 1
#define MA_DR_MP3_ONLY_SIMD
typedef float ma_dr_mp3_f4 __attribute__((vector_size(16)));
static inline ma_dr_mp3_f4 rm_load4(const float *from)
{
    ma_dr_mp3_f4 v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
static inline void rm_store4(float *to, ma_dr_mp3_f4 v)
{
    __builtin_memcpy(to, &v, sizeof v);
}
static inline ma_dr_mp3_f4 rm_all4(float x)
{
    return (ma_dr_mp3_f4){x, x, x, x};
}
static inline ma_dr_mp3_f4 rm_reverse4(ma_dr_mp3_f4 v)
{
    return (ma_dr_mp3_f4){v[3], v[2], v[1], v[0]};
}
#define MA_DR_MP3_VSTORE rm_store4
#define MA_DR_MP3_VLD rm_load4
#define MA_DR_MP3_VSET rm_all4
#define MA_DR_MP3_VADD(x, y) ((x) + (y))
#define MA_DR_MP3_VSUB(x, y) ((x) - (y))
#define MA_DR_MP3_VMUL(x, y) ((x) * (y))
#define MA_DR_MP3_VMAC(a, x, y) ((a) + (x) * (y))
#define MA_DR_MP3_VMSB(a, x, y) ((a) - (x) * (y))
#define MA_DR_MP3_VMUL_S(x, s) ((x) * rm_all4(s))
#define MA_DR_MP3_VREV(x) rm_reverse4(x)
static int ma_dr_mp3_have_simd(void)
{
    return 1;
}
