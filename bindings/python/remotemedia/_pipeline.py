"""Pipelines in your own Python."""
import sys

from . import _runtime

WAITS, GOES_ON, ENDED = _runtime.WAITS, _runtime.GOES_ON, _runtime.ENDED


class Pipeline(_runtime.Pipeline):
    """A pipeline: a manifest that was checked, ready to run any number of times, in any number of threads.

    from_json, from_file, from_dict and Graph.pipeline make one. run and stream work in the calling thread, arun and astream on
    the caller's event loop. Every run opens the nodes and closes them, however it ends.
    """

    __slots__ = ()

    def arun(self, input=None, *, timeout=None, metrics=False, progress=None):
        """Runs to the end on the caller's event loop and returns {node id: [results]}; a coroutine.

        input: as for run(), or an asynchronous iterable. Coroutines of nodes are tasks of the caller's loop.
        timeout, metrics, progress and errors: as for run(). Cancelling the task ends the run and closes every node.
        """
        return _runtime.coroutine(_arun(self, input, timeout, metrics, progress))

    def astream(self, input=None, *, timeout=None, metrics=False, progress=None):
        """Gives the results as they come, on the caller's event loop; an asynchronous iterator.

        input: as for stream(), or an asynchronous iterable; it is read as far ahead as the first nodes have room.
        timeout, metrics, progress and errors: as for run(). aclose() ends the run early and closes every node.
        """
        place = []
        return _runtime.AsyncResults(_astream(self, input, timeout, metrics, progress, place), place)

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The picture of the graph, in notebooks."""
        from ._picture import of_pipeline

        return of_pipeline(self).bundle()

    def __repr__(self):
        name, nodes, _ = self._graph()
        return f"<remotemedia.Pipeline {name!r}, {len(nodes)} node{'s' * (len(nodes) != 1)}>"


Pipeline.__module__ = "remotemedia"  # where users find it


async def _arun(pipeline, items, timeout, metrics, progress):
    from ._guest import Guest

    guest = Guest(pipeline, items, timeout, metrics, progress)
    try:
        await guest.open()
        results, collect = guest.run._results(), guest.run._collect
        while (mark := collect(results)) is not ENDED:
            await guest.wait(mark)
    except BaseException:
        await guest.close(failed=True)
        raise
    await guest.close()
    return results


async def _astream(pipeline, items, timeout, metrics, progress, place):
    from ._guest import LONG, Guest

    guest = Guest(pipeline, items, timeout, metrics, progress)
    try:
        await guest.open()
        place.append(guest.run)
        take, time = guest.run._take, guest.loop.time
        while (value := take()) is not ENDED:
            if value is WAITS or value is GOES_ON:
                await guest.wait(value)
            else:
                if time() - guest.rested > LONG:
                    await guest.rest()
                yield value
    except BaseException:
        await guest.close(failed=True)
        raise
    await guest.close()


def mark():
    """Lets inspect.iscoroutinefunction() know arun(): once inspect is loaded, which asyncio does, and which takes long."""
    if "inspect" in sys.modules:
        sys.modules["inspect"].markcoroutinefunction(Pipeline.arun)


mark()
_arun.__qualname__, _astream.__qualname__ = "Pipeline.arun", "Pipeline.astream"  # in messages of asyncio's
