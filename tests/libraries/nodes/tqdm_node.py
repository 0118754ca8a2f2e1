"""A progress bar on standard error over the items, and one over a loop."""
from tqdm import tqdm

LIBRARY = "tqdm"
INPUT = [3, 4]
OUTPUT = [3, 6]
STDERR = ["items: 2it", "loop: 100%"]
WASM = True


class Node:
    def initialize(self):
        self.bar = tqdm(desc="items", mininterval=0)

    def process(self, count):
        total = sum(tqdm(range(count), desc="loop", mininterval=0))
        self.bar.update()
        return total

    def cleanup(self):
        self.bar.close()
