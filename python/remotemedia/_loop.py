"""The event loop of asynchronous nodes. The runtime drives it from outside: one short step at a time, between packets."""
import asyncio
import sys

END = object()  # what next_one returns at the end


class Loop(asyncio.SelectorEventLoop):
    """Never runs by itself, and counts as running whenever the code of a node runs."""

    driven = False  # the base class' constructor must see a loop that does not run

    def is_running(self) -> bool:
        return self.driven

    def step(self) -> None:
        """Runs the callbacks that are ready, without waiting."""
        self._stopping = True  # makes an iteration look at descriptors and timers without waiting for them
        try:
            for _ in range(16):
                self._turn()
                if not self._ready:
                    break
        finally:
            self._stopping = False

    def finish(self, task: asyncio.Task) -> None:
        """Runs until the task is done."""
        while not task.done():
            self._turn()

    def finish_soon(self, task: asyncio.Task) -> None:
        """Runs until the task is done, or a second has passed."""
        over: list = []  # a timer, not the clock: without a timer an iteration could wait for ever
        timer = self.call_later(1.0, over.append, True)
        self._finish_until([task], over)
        timer.cancel()

    def cancel(self, works: list) -> None:
        """Ends pairs of a task and an asynchronous generator (or None); all of them together have a second."""
        over: list = []
        timer = self.call_later(1.0, over.append, True)
        try:
            ending = [task for task, _ in works if task is not None and not task.done()]
            for task in ending:
                task.cancel()
            self._finish_until(ending, over)
            for task, iterator in works:
                if iterator is not None and (task is None or task.done()):
                    ending.append(self.create_task(close_one(iterator)))
            self._finish_until(ending, over)
            for task in ending:
                if task.done() and not task.cancelled() and task.exception() is not None:
                    raise task.exception()
        finally:
            timer.cancel()

    def shut_down(self) -> None:
        """Ends what is left at the end of the program, as asyncio.run does, within a second."""
        over: list = []
        timer = self.call_later(1.0, over.append, True)
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        self._finish_until([*tasks], over)
        self._finish_until([self.create_task(self.shutdown_asyncgens())], over)
        timer.cancel()

    def _finish_until(self, tasks: list, over: list) -> None:
        while not over and not all(task.done() for task in tasks):
            self._turn()

    def _turn(self) -> None:
        try:
            self._run_once()
        except (SystemExit, KeyboardInterrupt):
            pass  # asyncio raises these again in the loop's caller; here the task that raised them has failed already

    def deadline(self) -> "float | None":
        """When there is something to do: 0 for now, None for when a descriptor is ready."""
        if self._ready:
            return 0.0
        return self._scheduled[0].when() if self._scheduled else None

    def descriptor(self) -> int:
        return self._selector.fileno()

    def wake(self) -> None:
        self._write_to_self()


async def await_one(awaitable: object) -> object:
    return await awaitable


async def next_one(iterator: object) -> object:
    try:
        return await iterator.__anext__()
    except StopAsyncIteration:
        return END


async def close_one(iterator: object) -> None:
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()


loop = Loop()
loop.driven = True
sys.set_asyncgen_hooks(firstiter=loop._asyncgen_firstiter_hook, finalizer=loop._asyncgen_finalizer_hook)
