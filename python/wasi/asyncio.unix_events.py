import time


class _Timer:
    """The selector of a host without sockets: nothing but time can make something happen."""

    def fileno(self):
        return -1

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("every task waits for another one: nothing can ever happen, because there are no "
                               "threads and no sockets in WebAssembly")
        if timeout > 0:
            time.sleep(timeout)
        return ()


class SelectorEventLoop(base_events.BaseEventLoop):
    """asyncio without descriptors."""

    def __init__(self, selector=None):
        super().__init__()
        self._selector = _Timer()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


class DefaultEventLoopPolicy(_UnixDefaultEventLoopPolicy):
    _loop_factory = SelectorEventLoop


EventLoop = SelectorEventLoop
