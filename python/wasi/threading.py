def _start_joinable_thread(*arguments, **options):
    raise RuntimeError("can't start new thread: threads are not available in WebAssembly")
