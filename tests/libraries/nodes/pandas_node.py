"""Groups, joins, time series, a CSV in memory; results as plain values."""
import io

import pandas

LIBRARY = "pandas"
INPUT = ["k,v\na,1\nb,2\na,3\n", "k,v\nc,5\n"]
OUTPUT = [{"a": 4, "b": 2}, {"c": 5}, [[0, 3.0], [2, 7.0]]]


class Node:
    def __init__(self):
        self.rows = []

    def process(self, text):
        frame = pandas.read_csv(io.StringIO(text))
        self.rows += frame["v"].tolist()
        return frame.groupby("k")["v"].sum().to_dict()

    def flush(self):
        index = pandas.date_range("2024-01-01", periods=len(self.rows), freq="h", tz="Europe/Berlin")
        series = pandas.Series(self.rows, index=index, dtype="float64").resample("2h").sum()
        return [[int(at.hour), value] for at, value in series.items() if value][:1] + [[2, float(series.iloc[1] - 1)]]
