/* A target made only of libraries needs a source. */
typedef int empty;
