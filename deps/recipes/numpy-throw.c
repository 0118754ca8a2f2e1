/* The C++ library for WASI has no exceptions. numpy's code throws when memory is out only; that ends the program. */
#include <stdio.h>
#include <stdlib.h>

void *__cxa_allocate_exception(size_t size);
_Noreturn void __cxa_throw(void *thrown, void *type, void *(*destroy)(void *));
_Noreturn void __cxa_rethrow(void);
void *__cxa_begin_catch(void *thrown);
void __cxa_end_catch(void);
void __cxa_free_exception(void *thrown);

void *__cxa_allocate_exception(size_t size)
{
    return malloc(size);
}

void __cxa_free_exception(void *thrown)
{
    free(thrown);
}

_Noreturn void __cxa_throw(void *thrown, void *type, void *(*destroy)(void *))
{
    (void)thrown, (void)type, (void)destroy;
    fputs("numpy: out of memory\n", stderr);
    abort();
}

_Noreturn void __cxa_rethrow(void)
{
    abort();
}

void *__cxa_begin_catch(void *thrown)
{
    return thrown;
}

void __cxa_end_catch(void)
{
}
