#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/report.h"
#include "platform/platform.h"

/* A terminal's line is redrawn often; a log gets a line from time to time. */
static const int64_t redraw = 100000000, log_every = 5000000000;

void rmi_progress_start(rmi_progress *progress, bool wanted)
{
    int64_t now = rmi_platform_now();
    bool in_place = rmi_platform_is_terminal(STDERR_FILENO);
    *progress = (rmi_progress){.wanted = wanted,
                               .in_place = in_place,
                               .started = now,
                               .next = now + (in_place ? redraw : log_every)};
}

static void show(rmi_progress *progress, int64_t now, int64_t items, int64_t results, const char *end)
{
    char line[160];
    double seconds = (double)(now - progress->started) / 1e9;
    double rate = seconds > 0 ? (double)(items > results ? items : results) / seconds : 0;
    int length = snprintf(line, sizeof line, "%s%lld items in, %lld results out, %.1f s, %.0f/s%s%s",
                          progress->in_place ? "\r" : "", (long long)items, (long long)results, seconds, rate,
                          progress->in_place ? "\033[K" : "", end);
    rmi_report_raw(line, (size_t)length);
    progress->shown = true;
}

void rmi_progress_tick(rmi_progress *progress, int64_t now, int64_t items, int64_t results)
{
    if (!progress->wanted || now < progress->next)
        return;
    progress->next = now + (progress->in_place ? redraw : log_every);
    show(progress, now, items, results, progress->in_place ? "" : "\n");
}

void rmi_progress_end(rmi_progress *progress, int64_t items, int64_t results)
{
    if (progress->wanted)
        show(progress, rmi_platform_now(), items, results, "\n");
    progress->wanted = false;
}
