"""Retries of plain functions and of coroutines."""
import tenacity

LIBRARY = "tenacity"
INPUT = [2, 9]
OUTPUT = [["fine", 3], ["RetryError", 5]]
WASM = True


class Node:
    async def process(self, fails):
        calls = 0

        @tenacity.retry(stop=tenacity.stop_after_attempt(5), wait=tenacity.wait_fixed(0.001))
        async def flaky():
            nonlocal calls
            calls += 1
            if calls <= fails:
                raise OSError("not yet")
            return "fine"

        try:
            return [await flaky(), calls]
        except tenacity.RetryError as error:
            return [type(error).__name__, calls]
