"""Pipelines in your own Python."""
from . import _runtime

WAITS, GOES_ON, ENDED = _runtime.WAITS, _runtime.GOES_ON, _runtime.ENDED


class Pipeline(_runtime.Pipeline):
    """A pipeline: a manifest that was checked, ready to run any number of times, in any number of threads."""

    __slots__ = ()

    async def arun(self, items=None, *, timeout=None, metrics=False):
        """Runs to the end on the caller's event loop and returns {node id: [results]}.

        items: as for run(), or an asynchronous iterable. Coroutines of nodes are tasks of the caller's loop.
        """
        from ._guest import Guest

        guest = Guest(self, items, timeout, metrics)
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

    def astream(self, items=None, *, timeout=None, metrics=False):
        """Gives the results as they come, on the caller's event loop.

        items: as for stream(), or an asynchronous iterable; it is read as far ahead as the first nodes have room.
        """
        place = []
        return _runtime.AsyncResults(self._results(items, timeout, metrics, place), place)

    async def _results(self, items, timeout, metrics, place):
        from ._guest import Guest

        guest = Guest(self, items, timeout, metrics)
        try:
            await guest.open()
            place.append(guest.run)
            take = guest.run._take
            while (value := take()) is not ENDED:
                if value is WAITS or value is GOES_ON:
                    await guest.wait(value)
                else:
                    yield value
        except BaseException:
            await guest.close(failed=True)
            raise
        await guest.close()
