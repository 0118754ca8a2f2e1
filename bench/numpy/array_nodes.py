"""The nodes that an array is sent through."""


class AsItIs:
    def process(self, item):
        return item


class AsArray:
    def initialize(self):
        import numpy

        self.asarray = numpy.asarray

    def process(self, item):
        return self.asarray(item)
