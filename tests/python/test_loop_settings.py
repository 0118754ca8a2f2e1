"""What a node sets on the event loop of its run ends with the run; the application's handlers of signals come back."""
import asyncio
import os
import signal
import unittest

import remotemedia as rm


def run(function, items=(1,)):
    graph = rm.Graph("t")
    graph.add(function, id="n")
    return graph.pipeline().run(list(items))["n"]


class Signals(unittest.TestCase):
    def setUp(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.addCleanup(signal.signal, number, signal.getsignal(number))

    def test_a_handler_that_is_left(self):
        async def node(item):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
            return item

        run(node)
        with self.assertRaises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 10)  # the exception comes before

    def test_the_handlers_of_the_application_come_back(self):
        async def node(item):
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, lambda: None)
            loop.remove_signal_handler(signal.SIGTERM)
            return item

        seen = []
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        os.set_blocking(writer, False)
        signal.signal(signal.SIGTERM, lambda *_: seen.append("term"))
        self.addCleanup(signal.set_wakeup_fd, signal.set_wakeup_fd(writer))
        run(node)
        os.kill(os.getpid(), signal.SIGTERM)
        self.assertEqual((seen, os.read(reader, 10)), (["term"], bytes([signal.SIGTERM])))

    def test_an_interrupt_where_a_loop_is_taken(self):
        async def node(item):
            return item

        run(node)
        from remotemedia import _loop  # once the runtime is there

        def interrupted():
            _loop.take = take
            raise KeyboardInterrupt

        take, _loop.take = _loop.take, interrupted
        with self.assertRaises(KeyboardInterrupt):
            run(node, (1, 2))


class Settings(unittest.TestCase):
    def test_they_end_with_the_run(self):
        async def node(item):
            loop = asyncio.get_running_loop()
            before = loop.get_debug(), loop.get_task_factory(), loop.get_exception_handler()
            loop.set_debug(True)
            loop.set_task_factory(lambda loop, coroutine, **more: asyncio.Task(coroutine, loop=loop, **more))
            loop.set_exception_handler(lambda *_: None)
            return [repr(each) for each in before]

        for _ in range(3):
            self.assertEqual(run(node), [["False", "None", "None"]])


if __name__ == "__main__":
    unittest.main()
