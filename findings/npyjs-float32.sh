#!/bin/sh
# npyjs writes numbers with fractions as float32, so what numpy reads is not what JavaScript had.
#
# npyjs 1.2.0, numpy 2.2.6. All numbers of JavaScript are doubles. dump() of an array of them picks the type from the
# values: 0.1 is stored as float32, which numpy reads as 0.10000000149011612, and 1e-300 is stored as 0. One number
# past 3.4e38 in the array and all are stored as doubles, exactly. Where all are whole, -0 becomes the unsigned 0. A
# Float64Array, or {dtype: "f8"}, is stored as it is.
. "$(dirname "$0")/support"
npm_packages npyjs@1.2.0
pip_packages numpy==2.2.6

cat >probe.js <<'END'
import { writeFileSync } from "node:fs";
import { dump } from "npyjs";

const arrays = [[0.1, 1e-300], [0.1, 1e-300, 1e39], [-0, 1], Float64Array.of(0.1, 1e-300, -0)];
arrays.forEach((array, index) => writeFileSync(`${index}.npy`, Buffer.from(dump(array))));
END
node probe.js
python -c '
import numpy
for index in range(4):
    array = numpy.load(f"{index}.npy")
    print(array.dtype, array.tolist())
' >seen
expect <<'END'
float32 [0.10000000149011612, 0.0]
float64 [0.1, 1e-300, 1e+39]
uint8 [0, 1]
float64 [0.1, 1e-300, -0.0]
END
