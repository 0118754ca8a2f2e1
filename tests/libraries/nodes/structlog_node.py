"""Events with context variables, as JSON on standard error."""
import sys

import structlog

LIBRARY = "structlog"
INPUT = [1, 2]
OUTPUT = [1, 2]
STDERR = ['{"run": "r", "item": 1, "level": "info", "event": "seen"}', '{"run": "r", "item": 2,']
WASM = True


class Node:
    def initialize(self):
        structlog.configure(
            processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
                        structlog.processors.EventRenamer("event"), self.in_order, structlog.processors.JSONRenderer()],
            logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        self.log = structlog.get_logger(run="r")

    @staticmethod
    def in_order(logger, method, event):
        return {key: event[key] for key in ("run", "item", "level", "event")}

    def process(self, item):
        with structlog.contextvars.bound_contextvars(item=item):
            self.log.info("seen")
        return item
