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

    async def _make_subprocess_transport(self, *arguments, **options):
        raise OSError(errno.ENOTSUP, "processes are not available in WebAssembly")

    async def create_server(self, *arguments, **options):
        raise OSError(errno.ENOTSUP, "sockets are not available in WebAssembly")

    create_datagram_endpoint = create_server

    def add_reader(self, *arguments, **options):
        raise NotImplementedError("a loop in WebAssembly waits for no descriptors, sockets, pipes or signals")

    add_writer = add_signal_handler = connect_read_pipe = connect_write_pipe = add_reader

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


class DefaultEventLoopPolicy(_UnixDefaultEventLoopPolicy):
    _loop_factory = SelectorEventLoop


EventLoop = SelectorEventLoop
