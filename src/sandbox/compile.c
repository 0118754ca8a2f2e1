#include "sandbox/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 20, ANSWER_SIZE = 512, NUMBERS = 4, NUMBER_SIZE = 32 };

typedef struct compiler {
    pid_t process;
    int answer; /* the pipe for its result; its end means that the compiler has ended */
    char text[ANSWER_SIZE];
    size_t length;
} compiler;

/* Starts the compiler with three open files: the module, the pipe for its result and the file for the
 * code. */
static int spawn(compiler *made, const char *program, char *const arguments[], int wasm, int pipe_end,
                 int code)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int failure = posix_spawn_file_actions_init(&files);
    if (failure != 0)
        return failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure == 0) {
        /* A process group of its own: Ctrl-C reaches only this process, which then ends the compiler. */
        failure = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        if (failure == 0)
            failure = posix_spawn_file_actions_adddup2(&files, wasm, STDIN_FILENO);
        if (failure == 0)
            failure = posix_spawn_file_actions_adddup2(&files, pipe_end, STDOUT_FILENO);
        if (failure == 0)
            failure = posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (failure == 0)
            failure = posix_spawn_file_actions_adddup2(&files, code, RMI_COMPILER_CODE);
        if (failure == 0)
            failure = posix_spawn_file_actions_addclosefrom_np(&files, RMI_COMPILER_CODE + 1);
        if (failure == 0)
            failure = posix_spawn(&made->process, program, &files, &attributes, arguments, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return failure;
}

static int start(compiler *made, const rm_sandbox *sandbox, const rmi_engine_config *config,
                 const char *engine_key, int wasm, int code, rm_error *err)
{
    char numbers[NUMBERS][NUMBER_SIZE];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return rm_error_set(err, RM_E_IO, "no pipe for the compiler: %s", strerror(errno));
    /* Copies the files to higher numbers first, so that moving one to its final number overwrites none. */
    const int from[] = {wasm, ends[1], code};
    int high[3] = {-1, -1, -1};
    int failure = 0;
    for (size_t i = 0; i < 3 && failure == 0; i++) {
        high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, RMI_COMPILER_CODE + 1);
        failure = high[i] < 0 ? errno : 0;
    }
    (void)snprintf(numbers[0], NUMBER_SIZE, "%ld", (long)getpid());
    (void)snprintf(numbers[1], NUMBER_SIZE, "%d", config->fuel);
    (void)snprintf(numbers[2], NUMBER_SIZE, "%zu", config->stack_size);
    (void)snprintf(numbers[3], NUMBER_SIZE, "%u", config->pool);
    char *const arguments[] = {(char *)sandbox->compiler, numbers[0], numbers[1], numbers[2], numbers[3],
                               (char *)engine_key,        NULL};
    if (failure == 0)
        failure = spawn(made, sandbox->compiler, arguments, high[0], high[1], high[2]);
    for (size_t i = 0; i < 3; i++)
        if (high[i] >= 0)
            (void)close(high[i]);
    (void)close(ends[1]);
    made->answer = ends[0];
    if (failure == 0)
        return RM_OK;
    (void)close(ends[0]);
    if (failure == ENOENT)
        return rm_error_set(err, RM_E_MISSING_FEATURE,
                            "a sandbox needs %s, which compiles modules; it is not there", sandbox->compiler);
    return rm_error_set(err, RM_E_IO, "cannot start %s: %s", sandbox->compiler, strerror(failure));
}

/* Reads what is there of its result; true at the end of the pipe. */
static bool take_answer(compiler *made)
{
    char rest[64];
    const size_t room = sizeof made->text - 1 - made->length;
    char *to = room > 0 ? made->text + made->length : rest;
    const ssize_t got = read(made->answer, to, room > 0 ? room : sizeof rest);
    if (got > 0 && room > 0)
        made->length += (size_t)got;
    return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

static int given_up(const rm_sandbox *sandbox, bool is_late, const char *name, rm_error *err)
{
    if (is_late) {
        (void)rm_error_set(err, RM_E_LIMIT, "%s was not compiled within %lld ms of processor time", name,
                           (long long)sandbox->compiling_ms);
        rm_error_hint(err, "a smaller module, or more time: --max-compile, rm_sandbox_config.compiling_ms");
        return RM_E_LIMIT;
    }
    (void)rm_error_set(err, RM_E_CANCELLED, "%s was still being compiled", name);
    rm_error_hint(err, "%.200s is compiled once, before it runs for the first time: give that run more time",
                  name);
    return RM_E_CANCELLED;
}

/* Processor time of the compiler in ms: other work of the machine does not count. */
static int64_t time_taken(const compiler *made)
{
    clockid_t clock;
    struct timespec taken = {0};
    if (clock_getcpuclockid(made->process, &clock) != 0 || clock_gettime(clock, &taken) != 0)
        return 0; /* the compiler has ended */
    return taken.tv_sec * 1000 + taken.tv_nsec / 1000000;
}

static int wait_for(compiler *made, const rm_sandbox *sandbox, const char *name, const rmi_patience *patience,
                    rm_error *err)
{
    for (;;) {
        struct pollfd polled = {.fd = made->answer, .events = POLLIN};
        if (poll(&polled, 1, LOOK_MS) > 0 && take_answer(made))
            return RM_OK;
        const bool is_late = time_taken(made) >= sandbox->compiling_ms;
        if (is_late || patience->lost(patience->context))
            return given_up(sandbox, is_late, name, err);
    }
}

/* Parses the result: "0", or a code and a message; empty after a crash. */
static int heed(compiler *made, const char *name, rm_error *err)
{
    char *message = NULL;
    while (made->length > 0 && made->text[made->length - 1] == '\n')
        made->length--;
    made->text[made->length] = '\0';
    const long code = strtol(made->text, &message, 10);
    if (message == made->text)
        return rm_error_set(err, RM_E_PARSE, "%.200s: the compiler fails on it", name);
    if (code >= 0)
        return RM_OK;
    return rm_error_set(err, (int)code, "%.200s: %.300s", name, message + (*message == ' '));
}

int rmi_compile_module(const rm_sandbox *sandbox, const rmi_engine_config *config, const char *engine_key,
                       const char *name, int wasm, int code, const rmi_patience *patience, rm_error *err)
{
    compiler made = {.process = -1};
    int rc = start(&made, sandbox, config, engine_key, wasm, code, err);
    if (rc != RM_OK)
        return rc;
    rc = wait_for(&made, sandbox, name, patience, err);
    if (rc != RM_OK)
        (void)kill(made.process, SIGKILL);
    (void)close(made.answer);
    while (waitpid(made.process, NULL, 0) < 0 && errno == EINTR)
        ; /* fails with ECHILD in a program that ignores SIGCHLD */
    return rc == RM_OK ? heed(&made, name, err) : rc;
}
