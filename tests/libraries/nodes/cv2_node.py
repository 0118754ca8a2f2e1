"""Resizes an image, encodes and decodes it as PNG, finds edges."""
import cv2
import numpy

LIBRARY = "opencv-python-headless"
INPUT = [64, 128]
OUTPUT = [[[32, 32, 3], True, 0, True], [[64, 64, 3], True, 0, True]]


class Node:
    def process(self, size):
        image = numpy.zeros((size, size, 3), numpy.uint8)
        cv2.rectangle(image, (size // 4, size // 4), (size // 2, size // 2), (0, 0, 255), -1)
        small = cv2.resize(image, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
        fine, png = cv2.imencode(".png", small)
        back = cv2.imdecode(png, cv2.IMREAD_COLOR)
        edges = cv2.Canny(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 50, 150)
        return [list(small.shape), fine, int(numpy.abs(back.astype(int) - small).max()), bool(edges.any())]
