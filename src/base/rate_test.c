/* What is left of a limit a second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rate.h"

static void a_new_second_has_all_again(void **unused)
{
    const int64_t second = 1000000000;
    rmi_rate rate = {0};
    (void)unused;
    assert_int_equal(rmi_rate_left(&rate, 10, 5 * second), 10);
    rate.used += 4;
    assert_int_equal(rmi_rate_left(&rate, 10, 6 * second - 1), 6);
    assert_int_equal(rmi_rate_left(&rate, 3, 6 * second - 1), 0);
    rate.used += 7;
    rate.lost++;
    assert_int_equal(rmi_rate_left(&rate, 10, 6 * second - 1), 0);
    assert_int_equal(rmi_rate_left(&rate, 0, 6 * second - 1), UINT64_MAX);
    assert_int_equal(rmi_rate_left(&rate, 10, 6 * second), 10);
    assert_int_equal(rate.used, 0);
    assert_int_equal(rate.lost, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_second_has_all_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
