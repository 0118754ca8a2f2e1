"""dictConfig with a file and standard error, queues, exceptions, captured warnings."""
import logging
import logging.config
import logging.handlers
import os
import queue
import tempfile
import warnings

LIBRARY = "python"
INPUT = [1, 0]
OUTPUT = [1.0, "logged", ["INFO node: item 1", "ERROR node: item 0", "ZeroDivisionError: division by zero", "WARNING py.warnings: odd"]]
STDERR = ["to stderr: ERROR item 0", "to stderr: WARNING "]
WASM = True


class Node:
    def initialize(self):
        handle, self.file = tempfile.mkstemp(suffix=".log", dir=os.environ.get("TMPDIR"))
        os.close(handle)
        logging.config.dictConfig({
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"file": {"format": "%(levelname)s %(name)s: %(message)s"},
                           "short": {"format": "to stderr: %(levelname)s %(message)s"}},
            "handlers": {"file": {"class": "logging.FileHandler", "filename": self.file, "formatter": "file"},
                         "console": {"class": "logging.StreamHandler", "level": "WARNING", "formatter": "short"}},
            "root": {"level": "INFO", "handlers": ["file", "console"]},
        })
        logging.captureWarnings(True)
        self.log = logging.getLogger("node")

    def process(self, item):
        try:
            value = 1 / item
            self.log.info("item %s", item)
            return value
        except ZeroDivisionError:
            self.log.exception("item %s", item)
            return "logged"

    def flush(self):
        warnings.warn("odd")
        logging.captureWarnings(False)
        with open(self.file) as file:
            lines = file.read().splitlines()
        shown = [line for line in lines if line.startswith(("INFO", "ERROR", "Zero"))]
        warned = [line for line in lines if line.startswith("WARNING")]
        return shown + [warned[0].split(": ")[0] + ": " + warned[0].rsplit(" ", 1)[1]] if warned else shown

    def cleanup(self):
        logging.shutdown()
        os.unlink(self.file)
