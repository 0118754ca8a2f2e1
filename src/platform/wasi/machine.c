#include "platform/platform.h"

void rmi_platform_use_large_pages(void *block, size_t size)
{
    (void)block, (void)size;
}

size_t rmi_platform_cpu_count(void)
{
    return 1;
}

double rmi_platform_memory_gb(void)
{
    return 4294967296.0 / 1e9; /* all that 32 bits address */
}

/* Global since exports have no context. A host with a limit sets it before the program starts. */
static uint64_t memory_limit;

__attribute__((export_name("rm_host_memory"), used)) void host_memory(uint64_t bytes);
void host_memory(uint64_t bytes)
{
    memory_limit = bytes;
}

uint64_t rmi_platform_memory_limit(void)
{
    return memory_limit;
}

const char *rmi_platform_architecture(void)
{
    return "wasm32";
}

bool rmi_platform_program_directory(char *buffer, size_t size)
{
    (void)buffer, (void)size;
    return false;
}
