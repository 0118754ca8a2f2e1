/* The line of --progress. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/program.h"

typedef struct rmi_progress {
    bool wanted, in_place; /* in_place: standard error is a terminal */
    bool shown;            /* the terminal shows a line */
    int64_t started, next; /* monotonic ns */
} rmi_progress;

void rmi_progress_start(rmi_progress *progress, bool wanted);
/* Shows the counts when it is time for that. */
void rmi_progress_tick(rmi_progress *progress, int64_t now, int64_t items, int64_t results);
/* Shows the last line. Call it once. */
void rmi_progress_end(rmi_progress *progress, int64_t items, int64_t results);

#endif
