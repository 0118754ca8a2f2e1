/* The `remotemedia` program. */
#include "cli/program.h"

int main(int argc, char **argv)
{
    return rmi_program_main(NULL, argc, argv);
}
