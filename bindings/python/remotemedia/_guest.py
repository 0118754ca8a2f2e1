"""A run on its caller's event loop: the loop runs the tasks of nodes, and between them the run takes steps."""
import asyncio
import sys
from collections.abc import Mapping

from . import _runtime
from ._errors import Cancelled
from ._pipeline import mark

PATIENCE = 1.0  # seconds for what nodes do when they end
LONG = 0.005  # seconds that the run keeps the loop to itself

mark()


class Guest:
    """Stands for a run in the loop. The runtime calls wake, finish, finish_soon, end and leave."""

    def __init__(self, pipeline, items, timeout, metrics, progress):
        self.loop = asyncio.get_running_loop()
        self.pipeline, self.timeout, self.metrics, self.progress = pipeline, timeout, metrics, progress
        self.items = dict(items) if isinstance(items, Mapping) else items
        self.run = self.waiter = self.failure = None
        self.woken = self.stalled = self.opened = False
        self.tasks = []  # that nodes wait for: of initialize() until the run is open, of cleanup() at its end
        self.readers = []
        self.rooms = []  # what readers wait for
        self.rested = self.loop.time()

    # ---- For the runtime

    def wake(self):
        """A node has something to do."""
        self.woken = True
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def finish(self, task):
        """A node can do nothing before the task is done."""
        if self.opened:
            self.stalled = True
        else:
            self.tasks.append(task)

    def finish_soon(self, task):
        """The task of a cleanup()."""
        self.tasks.append(task)

    def end(self, tasks):
        """These tasks were told to end."""
        self.tasks += tasks

    def leave(self, waker):
        """Cancels the tasks that a node leaves behind."""
        import _remotemedia  # type: ignore[import-not-found]

        for task in asyncio.all_tasks(self.loop):
            if task.get_context().get(_remotemedia.node) is waker and task not in self.tasks:
                task.cancel()
                self.tasks.append(task)

    # ---- For the pipeline

    async def open(self):
        pushes = self.is_asynchronous()
        self.run = self.pipeline._start(self.items, pushes, self.timeout, self.metrics, self, self.progress)
        await self.initialized()
        self.opened = True
        if pushes:
            sources = self.items if isinstance(self.items, dict) else {None: self.items}
            self.readers = [self.loop.create_task(self.read(items, name)) for name, items in sources.items()]

    async def initialized(self):
        while self.tasks:
            tasks, self.tasks = self.tasks, []
            await asyncio.wait(tasks)
            for task in tasks:
                if (error := task.exception()) is not None:
                    raise _failed("initialize()", error)

    def is_asynchronous(self):
        items = self.items.values() if isinstance(self.items, dict) else [self.items]
        return any(hasattr(type(each), "__aiter__") for each in items)

    async def read(self, items, name):
        """Pushes the items of a source, as long as there is room."""
        try:
            if hasattr(type(items), "__aiter__"):
                async for item in items:
                    if not await self.push(item, name):
                        break
            else:
                for item in items:
                    if not await self.push(item, name):
                        break
        except BaseException as error:
            if asyncio.current_task().cancelling():  # the run ends
                raise
            self.failure = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
        self.readers.remove(asyncio.current_task())
        if not self.readers and self.failure is None:
            self.run._finish()
        self.wake()

    async def push(self, item, name):
        while (taken := self.run._push(item, name)) is False:
            self.wake()
            self.rooms.append(self.loop.create_future())
            await self.rooms[-1]
        if not self.woken:
            self.wake()
        return taken

    async def rest(self):
        """Lets the loop run what is due."""
        await asyncio.sleep(0)
        self.rested = self.loop.time()

    async def wait(self, mark):
        """Lets the loop run until the run may go on."""
        if self.failure is not None:
            raise self.failure
        rooms, self.rooms = self.rooms, []
        for room in rooms:
            if not room.done():
                room.set_result(None)
        if mark is _runtime.GOES_ON and not self.stalled:
            if self.loop.time() - self.rested > LONG:
                await self.rest()
            return
        self.stalled = False
        if not self.woken:
            due = self.run._due()
            self.waiter = self.loop.create_future()
            timer = self.loop.call_later(due, self.wake) if due is not None else None
            try:
                await self.waiter
            finally:
                self.waiter = None
                if timer is not None:
                    timer.cancel()
        self.woken = False
        self.rested = self.loop.time()
        if self.failure is not None:
            raise self.failure

    async def close(self, failed=False):
        """Ends the run, and what its nodes and its reader do, within a second."""
        if self.run is not None:
            self.run.close()
        for reader in self.readers:
            reader.cancel()
        if failed and isinstance(sys.exception(), Cancelled):
            await asyncio.sleep(0)  # after Ctrl-C the task is cancelled: its caller sees this
        tasks, self.tasks = [*self.tasks, *self.readers], []
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=PATIENCE)
        for task in tasks:
            if not task.done():
                task.cancel()
                error = TimeoutError(f"cleanup() did not end within {PATIENCE:g} s")
            else:
                error = None if task.cancelled() else task.exception()
            if error is not None and not failed:
                raise _failed("cleanup()", error)


def _failed(what, error):
    from ._errors import NodeError

    made = NodeError(f"{what}: {type(error).__name__}: {error}", {"code": "python", "message": str(error)})
    made.__cause__ = error
    return made
