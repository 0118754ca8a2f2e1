#include <string.h>

#include "cli/python.h"
#include "cli/report.h"
#include "wasm/reactor.h"

static int set_seed(rmi_python_options *into, rm_value value, rm_error *err)
{
    if (value.kind != RM_INT)
        return rm_error_set(err, RM_E_TYPE, "option 'seed' is a whole number");
    into->config.seed = value.i;
    into->config.has_seed = true;
    return RM_OK;
}

static int set_paths(rmi_python_options *into, rm_value value, rm_error *err)
{
    const size_t count = value.kind == RM_LIST ? rm_list_length(value) : RMI_MOST_PATHS + 1;
    if (count > RMI_MOST_PATHS)
        return rm_error_set(err, RM_E_TYPE, "option 'paths' is a list of up to %d directories",
                            RMI_MOST_PATHS);
    for (size_t i = 0; i < count; i++) {
        const rm_value path = rm_list_get(value, i);
        if (path.kind != RM_STRING)
            return rm_error_set(err, RM_E_TYPE, "option 'paths' is a list of strings");
        into->paths[i] = rm_string_text(path, NULL);
    }
    return RM_OK;
}

int rmi_arrays_option(rm_arrays *into, const char *name, rm_value value, rm_error *err)
{
    const char *text = value.kind == RM_STRING ? rm_string_text(value, NULL) : "";
    *into = strcmp(text, "numpy") == 0    ? RM_ARRAYS_NUMPY
            : strcmp(text, "tensor") == 0 ? RM_ARRAYS_TENSOR
                                          : RM_ARRAYS_UNSAID;
    return *into != RM_ARRAYS_UNSAID
               ? RM_OK
               : rm_error_set(err, RM_E_VALUE, "option '%s' is \"numpy\" or \"tensor\"", name);
}

bool rmi_python_option(rmi_python_options *into, const char *name, rm_value value, int *rc, rm_error *err)
{
    bool is_one = true;
    if (strcmp(name, "seed") == 0)
        *rc = set_seed(into, value, err);
    else if (strcmp(name, "paths") == 0)
        *rc = set_paths(into, value, err);
    else if (strcmp(name, "arrays") == 0)
        *rc = rmi_arrays_option(&into->config.arrays, name, value, err);
    else
        is_one = false;
    return is_one;
}

void rmi_reactor_log(void *context, rm_log_level level, const char *node, const char *text)
{
    (void)context;
    const rmi_program program = {0};
    if (level <= RM_LOG_WARNING)
        rmi_report_log(&program, level, node, text);
}

int rmi_reactor_runtime(const rmi_python_options *python, rm_log_function *log, rm_runtime **out,
                        rm_error *err)
{
    const rm_config config = {.size = sizeof config, .log = log};
    rm_python_config chosen = python->config;
    chosen.size = sizeof chosen;
    chosen.paths = python->paths[0] != NULL ? python->paths : NULL;
    int rc = rm_runtime_new(&config, out, err);
    if (rc == RM_OK)
        rc = rmi_program_python(*out, &chosen, err);
    return rc;
}
