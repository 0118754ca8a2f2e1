/* What help() shows of the compiled types; a signature comes before "--". */
#ifndef DOCUMENTATION_H
#define DOCUMENTATION_H

#define RMI_FROM_JSON_DOC                                                                            \
    "from_json($type, text, *, arrays='tensor', sandbox=None)\n--\n\n"                               \
    "Makes a pipeline of a manifest in JSON, a str or bytes (UTF-8).\n\n"                            \
    "arrays: what arrays are for Python nodes and in results: 'tensor', remotemedia.Tensor; or\n"    \
    "    'numpy', numpy's own over the same memory.\n"                                               \
    "Raises ManifestError, with .code, .pointer and .hint, where the manifest is wrong. Nodes are\n" \
    "found and their parameters checked, but nothing is opened before a run."
#define RMI_FROM_FILE_DOC                                                                               \
    "from_file($type, path, *, arrays='tensor', sandbox=None)\n--\n\n"                                  \
    "Makes a pipeline of the manifest in a file, a str or a path object.\n\n"                           \
    "Modules beside the file can be imported by its nodes. Relative paths in parameters are relative\n" \
    "to the current directory. arrays, errors: as for from_json()."
#define RMI_FROM_DICT_DOC                                                    \
    "from_dict($type, manifest, *, arrays='tensor', sandbox=None)\n--\n\n"   \
    "Makes a pipeline of a manifest as a dict, as json.load() gives it.\n\n" \
    "arrays, errors: as for from_json()."
#define RMI_RUN_DOC                                                                                      \
    "run($self, input=None, *, timeout=None, metrics=False, progress=None)\n--\n\n"                      \
    "Runs to the end and returns {node id: [results]} of the output nodes.\n\n"                          \
    "input: any iterable; a dict from a source's id to an iterable; or None: the items beside the\n"     \
    "    manifest, and without those the sources generate.\n"                                            \
    "timeout: seconds for the whole run; None: any.\n"                                                   \
    "metrics: True fills .metrics and .graph_info.\n"                                                    \
    "progress: True shows a bar by tqdm, which counts items that are done; a class or function that\n"   \
    "    makes bars as tqdm does, called with total=, is taken as it is.\n"                              \
    "Raises NodeError where a node fails: an exception of its code is the __cause__, and .results has\n" \
    "what came before. Timeout, Cancelled, KeyboardInterrupt, and an exception of the iterable as it\n"  \
    "is. Every node is closed before anything is raised.\n"                                              \
    "The GIL is free while native nodes work, so several threads can run pipelines, also the same one."
#define RMI_STREAM_DOC                                                                                 \
    "stream($self, input=None, *, timeout=None, metrics=False, ahead=0, progress=None)\n--\n\n"        \
    "Returns a Run: an iterator over the results, as they come.\n\n"                                   \
    "An item is read when a result is asked for, not before; of a list, tuple or range up to 64 are\n" \
    "read ahead, and of any iterable `ahead` items. With several output nodes a result is a pair\n"    \
    "(node id, value). close(), or the end of a `with` block, ends the run early.\n"                   \
    "input, timeout, metrics, progress, errors: as for run()."
#define RMI_DIAGRAM_DOC                           \
    "diagram($self, format='mermaid', /)\n--\n\n" \
    "Draws the graph as text: 'mermaid', or 'dot' for Graphviz. Notebooks show a picture of the pipeline itself."

#define RMI_METRICS_DOC                                                                                           \
    "{node id: {'in', 'out', 'dropped', 'failed', 'ns'}} of the last run that ended and had metrics=True, else\n" \
    "None. Numbers of packets; 'ns' is the time inside the node, in nanoseconds."
#define RMI_GRAPH_INFO_DOC                                                                                     \
    "{'node_count', 'source_count', 'sink_count', 'execution_order'} of the last run that had metrics=True.\n" \
    "execution_order is a list of node ids."
#define RMI_FAILURES_DOC                                                                                      \
    "The items that failed under on_error 'collect' in the run that ended last: a list of dicts with code,\n" \
    "message, node and item."

#define RMI_RUN_TYPE_DOC                                                                           \
    "One run of a pipeline: an iterator over its results, and a context manager that ends it.\n\n" \
    "Pipeline.stream() makes it. Only one thread at a time may ask for results; cancel() is for any thread."
#define RMI_CLOSE_DOC         \
    "close($self, /)\n--\n\n" \
    "Ends the run: closes every node, and drops results that were not taken. Again it does nothing."
#define RMI_CANCEL_DOC         \
    "cancel($self, /)\n--\n\n" \
    "Makes a call in progress in another thread end with Cancelled. It may come from any thread."
#endif
