"""Draws, resizes, writes and reads images; arrays of them."""
import io

from PIL import Image, ImageDraw

LIBRARY = "pillow"
INPUT = ["RGB", "L"]
OUTPUT = [["RGB", [16, 16], [255, 0, 0]], ["L", [16, 16], 76]]


class Node:
    def process(self, mode):
        image = Image.new(mode, (32, 32))
        ImageDraw.Draw(image).rectangle([8, 8, 24, 24], fill="red")
        buffer = io.BytesIO()
        image.resize((16, 16), Image.Resampling.NEAREST).save(buffer, "PNG")
        back = Image.open(io.BytesIO(buffer.getvalue()))
        return [back.mode, list(back.size), back.getpixel((8, 8))]
