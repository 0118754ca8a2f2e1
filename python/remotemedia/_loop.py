"""The event loops of asynchronous nodes. The runtime drives them from outside: one short step at a time, between packets."""
import asyncio
import signal
from asyncio import CancelledError  # noqa: F401  (the runtime takes it from here)

import _remotemedia  # type: ignore[import-not-found]


TYPE_CHECKING = False
if TYPE_CHECKING:
    import collections
    from collections.abc import Awaitable, Callable
    from typing import Any

KEPT = 8  # loops
idle: "list[Loop]" = []  # what no run has, the one that was used last at the end


class Loop(asyncio.SelectorEventLoop):
    """Never runs by itself, and counts as running whenever the code of a node runs."""

    _ready: "collections.deque[asyncio.Handle]"
    _scheduled: "list[asyncio.TimerHandle]"
    _signal_handlers: "dict[int, asyncio.Handle]"
    driven = False  # the base class' constructor must see a loop that does not run
    outer_wakeup: "int | None" = None  # of the application, while a node has signal handlers

    def __init__(self) -> None:
        super().__init__()
        self.driven = True
        self.outer_handlers: "dict[int, Any]" = {}
        self.hooks = self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook  # type: ignore[attr-defined]

    def is_running(self) -> bool:
        return self.driven

    def call_exception_handler(self, context: "dict[str, Any]") -> None:
        """These two left their task through the loop: somebody has got them."""
        if "task" in context or not isinstance(context.get("exception"), (SystemExit, KeyboardInterrupt)):
            super().call_exception_handler(context)

    def add_signal_handler(self, sig: int, callback: "Callable[..., object]", *args: "Any") -> None:  # type: ignore[override]
        """The application's handlers come back when the node's are removed."""
        before = signal.getsignal(sig) if sig not in self._signal_handlers else None
        wakeup = None if self._signal_handlers else wakeup_descriptor()
        super().add_signal_handler(sig, callback, *args)
        if before is not None:
            self.outer_handlers[sig] = before
        if wakeup is not None:
            self.outer_wakeup = wakeup

    def remove_signal_handler(self, sig: int) -> bool:
        removed = super().remove_signal_handler(sig)
        if sig in self.outer_handlers:
            signal.signal(sig, self.outer_handlers.pop(sig))
        if not self._signal_handlers and self.outer_wakeup is not None:
            signal.set_wakeup_fd(self.outer_wakeup)
            self.outer_wakeup = None
        return removed

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
        """Runs until the task is done; for the coroutine of an asynchronous iterator: until it has something."""
        while not task.done():
            self._turn()

    def finish_soon(self, *tasks: asyncio.Task) -> None:
        """Runs until the tasks are done, or a second has passed."""
        over: list = []  # a timer, not the clock: without a timer an iteration could wait for ever
        timer = self.call_later(1.0, over.append, True)
        try:
            while not over and not all(task.done() for task in tasks):
                self._turn()
        finally:
            timer.cancel()

    def end(self, tasks: list) -> None:
        """Waits for tasks that were told to end; all of them together have a second."""
        self.finish_soon(*tasks)
        for task in failed(tasks):
            raise task.exception()

    def leave(self, waker: object) -> None:
        """Cancels the tasks that a node leaves behind, after callbacks that are due; they have a second."""
        self.step()
        tasks = [task for task in asyncio.all_tasks(self) if task.get_context().get(_remotemedia.node) is waker]
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        self.finish_soon(*tasks)
        for task in failed(tasks):
            message = "unhandled exception in a task that its node has left behind"
            self.call_exception_handler({"message": message, "exception": task.exception(), "task": task})

    def settle(self) -> None:
        """Runs the callbacks that are left at the end of a run, and closes generators that have been dropped; a second.

        Handlers of signals and settings of the loop end with the run.
        """
        if self._ready:
            before = asyncio.all_tasks(self)
            self.step()
            self.finish_soon(*(asyncio.all_tasks(self) - before))
        for sig in list(self._signal_handlers):
            self.remove_signal_handler(sig)
        self._task_factory = self._exception_handler = None
        if self.get_debug():
            self.set_debug(asyncio.coroutines._is_debug_mode())  # type: ignore[attr-defined]

    def _turn(self) -> None:
        try:
            self._run_once()  # type: ignore[attr-defined]
        except (SystemExit, KeyboardInterrupt) as error:  # asyncio lets these leave the loop
            if self._tell_node(error):
                raise

    def _tell_node(self, error: BaseException) -> bool:
        """Tells the node whose callback has failed. True: it waits here, or is not known."""
        place = error.__traceback__
        while place is not None:
            handle = place.tb_frame.f_locals.get("self")
            if isinstance(handle, asyncio.Handle):
                waker = handle._context.get(_remotemedia.node)  # type: ignore[attr-defined]
                return waker is None or waker.fail(error, getattr(handle._callback, "__self__", None))  # type: ignore[attr-defined]
            place = place.tb_next
        return True  # in code of ours, such as the wait for descriptors

    def deadline(self) -> "float | None":
        """When there is something to do: 0 for now, None for when a descriptor is ready."""
        if self._ready:
            return 0.0
        return self._scheduled[0].when() if self._scheduled else None

    def descriptor(self) -> int:
        return self._selector.fileno()  # type: ignore[attr-defined, no-any-return]

    def wake(self) -> None:
        self._write_to_self()  # type: ignore[attr-defined]


def wakeup_descriptor() -> "int | None":
    """Where signals are told; None in other threads than the main one, which get none."""
    try:
        descriptor = signal.set_wakeup_fd(-1)
    except ValueError:
        return None
    signal.set_wakeup_fd(descriptor)
    return descriptor


async def await_one(awaitable: "Awaitable[object]") -> object:
    return await awaitable


def failed(tasks: list) -> list:
    return [task for task in tasks if task.done() and not task.cancelled() and task.exception() is not None]


def take() -> Loop:
    """A loop for a run."""
    if idle:
        return idle.pop()
    outer = asyncio._get_running_loop()  # an application's, or another run's
    asyncio._set_running_loop(None)
    try:
        return Loop()
    finally:
        asyncio._set_running_loop(outer)


def give(loop: Loop) -> None:
    """Its run has ended."""
    if len(idle) < KEPT:
        idle.append(loop)
    else:
        loop.driven = False
        loop.close()


def shut_down() -> None:
    """At the end of the program: closes the asynchronous generators that are left, within a second."""
    for loop in idle:
        asyncio._set_running_loop(loop)
        loop.finish_soon(loop.create_task(loop.shutdown_asyncgens()))
    asyncio._set_running_loop(None)
