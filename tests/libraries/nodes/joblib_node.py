"""Functions of the node in joblib's processes (loky), in threads, and in a cache on disk."""
import os
import tempfile

import joblib

LIBRARY = "joblib"
INPUT = [2, 3]
OUTPUT = [[[0, 1, 4], True, [0, 1, 4]], [[0, 1, 8], True, [0, 1, 8]], "once"]
WASM = "No module named 'multiprocessing'"


def power(x, exponent):
    return x ** exponent, os.getpid()


class Node:
    def process(self, exponent):
        jobs = [joblib.delayed(power)(x, exponent) for x in range(3)]
        results = joblib.Parallel(n_jobs=2)(jobs)
        threads = joblib.Parallel(n_jobs=2, prefer="threads")(jobs)
        return [[x for x, _ in results], os.getpid() not in {pid for _, pid in results}, [x for x, _ in threads]]

    def flush(self):
        calls = []

        def slow(x):
            calls.append(x)
            return x

        with tempfile.TemporaryDirectory() as folder:
            cached = joblib.Memory(folder, verbose=0).cache(slow)
            cached(1)
            cached(1)
        return "once" if calls == [1] else f"called {len(calls)} times"

    def cleanup(self):
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)
