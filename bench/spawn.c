/* Runs a program some times and prints a line "milliseconds KiB" for each: from fork to exit, and the most
 * memory that it had resident. Small on purpose: a child's figure starts at what its parent had.
 *
 *   bench_spawn TIMES PROGRAM [ARGUMENT...]     the program's input and output are /dev/null */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void become(char **argv)
{
    const int null = open("/dev/null", O_RDWR);
    if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1)
        (void)execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    const long times = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    int status = 0;
    if (times <= 0) {
        fprintf(stderr, "usage: bench_spawn TIMES PROGRAM [ARGUMENT...]\n");
        return EXIT_FAILURE;
    }
    for (long i = 0; i < times && status == 0; i++) {
        struct rusage usage;
        const double started = now_ms();
        const pid_t child = fork();
        if (child == 0)
            become(argv + 2);
        if (child < 0 || wait4(child, &status, 0, &usage) != child)
            status = -1;
        if (status == 0)
            printf("%.3f %ld\n", now_ms() - started, usage.ru_maxrss);
    }
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
