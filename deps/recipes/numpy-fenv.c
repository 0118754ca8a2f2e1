/* A floating-point status word. WASM has none; numpy raises and tests flags through these functions, so that an
 * integer division by zero warns and a singular matrix is an error. Arithmetic itself sets nothing. */
#include <fenv.h>

static int status;

int feclearexcept(int mask)
{
    status &= ~mask;
    return 0;
}

int feraiseexcept(int mask)
{
    status |= mask;
    return 0;
}

int fetestexcept(int mask)
{
    return status & mask;
}

int fegetexceptflag(fexcept_t *flags, int mask)
{
    *flags = (fexcept_t)(status & mask);
    return 0;
}

int fesetexceptflag(const fexcept_t *flags, int mask)
{
    status = (status & ~mask) | ((int)*flags & mask);
    return 0;
}

int fegetround(void)
{
    return FE_TONEAREST;
}

int fesetround(int mode)
{
    return mode != FE_TONEAREST;
}

int fegetenv(fenv_t *environment)
{
    environment->__cw = (unsigned long)status;
    return 0;
}

int fesetenv(const fenv_t *environment)
{
    status = environment == FE_DFL_ENV ? 0 : (int)environment->__cw;
    return 0;
}

int feholdexcept(fenv_t *environment)
{
    fegetenv(environment);
    status = 0;
    return 0;
}

int feupdateenv(const fenv_t *environment)
{
    const int raised = status;
    fesetenv(environment);
    status |= raised;
    return 0;
}
