#!/bin/sh
# libtommath's mp_get_double does not give the double next to an integer, which C's own conversion does.
#
# libtommath 1.2.0 (Debian 12: 1.2.0-6+deb12u1). 15842983794194627556 fits uint64_t, and (double) of it is
# 15842983794194626560, the nearest. mp_get_double gives 15842983794194628608, the one above: it adds up digits of 60
# bits and rounds on the way, so twice. Python's float() of an int rounds once. About one in thirty random integers of
# 64 bits differs.
. "$(dirname "$0")/support"
command -v cc >/dev/null || skip "there is no cc"
debian_packages libtommath1=1.2.0-6+deb12u1 libtommath-dev=1.2.0-6+deb12u1
library=$(find "$work/debian" -name libtommath.so.1)

cat >probe.c <<'END'
#include <stdint.h>
#include <stdio.h>
#include <tommath.h>

int main(void)
{
    const uint64_t values[] = {15842983794194627556u, UINT64_C(1) << 63};
    for (int i = 0; i < 2; i++) {
        mp_int big;
        if (mp_init_u64(&big, values[i]) != MP_OKAY)
            return 1;
        printf("%.0f %.0f\n", (double)values[i], mp_get_double(&big));
        mp_clear(&big);
    }
    return 0;
}
END
cc probe.c -I"$work/debian/usr/include" "$library" -o probe
LD_LIBRARY_PATH=${library%/*} ./probe >seen
expect <<'END'
15842983794194626560 15842983794194628608
9223372036854775808 9223372036854775808
END
