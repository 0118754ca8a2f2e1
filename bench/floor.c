/* What the JSON library alone takes to read a document and to write it again: what no pipeline can go below.
 *
 *   bench_floor ITEMS FILE...     "FILE nanoseconds-an-item" */
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "bench/support.h"

int main(int argc, char **argv)
{
    const double items = argc > 1 ? strtod(argv[1], NULL) : 0;
    for (int i = 2; i < argc; i++) {
        size_t size = 0, length = 0;
        char *text = NULL, *written = NULL;
        int rc = bench_read_file(argv[i], &text, &size);
        const int64_t started = bench_now();
        yyjson_doc *document = rc == RM_OK ? yyjson_read(text, size, YYJSON_READ_NOFLAG) : NULL;
        written = yyjson_write(document, YYJSON_WRITE_NOFLAG, &length);
        const double took = (double)(bench_now() - started);
        if (written != NULL)
            printf("%s %.3f\n", argv[i], took / items);
        else
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
        rc = written != NULL ? RM_OK : RM_E_IO;
        free(written);
        yyjson_doc_free(document);
        free(text);
        if (rc != RM_OK)
            return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
