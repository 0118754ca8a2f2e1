"""`remotemedia serve` as a process of a test."""
import json
import os
import signal
import subprocess
import tempfile

LIMIT = 60 * float(os.environ.get("RM_SLOWNESS", "1"))


class Server:
    """`remotemedia serve` on a free port."""

    def __init__(self, *options, address="127.0.0.1:0", begin=None):
        self.log = ""
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([os.environ["RM_PROGRAM"], "serve", "--grpc", address, *map(str, options)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        preexec_fn=begin)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"serve has ended: {self.end_of_log()}")
        self.said = json.loads(line)
        if self.said["status"] != "serving":
            raise AssertionError(f"serve has ended: {self.said}")
        self.address = self.said["grpc"]

    def end_of_log(self):
        if not self.errors.closed:
            self.errors.seek(0)
            self.log = self.errors.read()
        return self.log

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def stop(self):
        """The exit code after SIGTERM."""
        if self.process.poll() is None:
            self.signal()
        try:
            return self.process.wait(LIMIT)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.end_of_log()
            self.errors.close()
