#!/bin/sh
# ndjson puts a comma into texts that contain a line separator of Unicode.
#
# ndjson 0.3.1 from PyPI. JSON allows U+2028, U+2029 and U+0085 in a string as they are, and a line of NDJSON ends at
# "\n" alone. ndjson.loads cuts at whatever Python's splitlines() cuts at and joins the pieces with commas, to parse
# them as one list. Inside a string this is no error: it changes the text. jsonlines 4.0.0 leaves it alone. Python's
# json.dumps with ensure_ascii=False and JavaScript's JSON.stringify write such lines.
. "$(dirname "$0")/support"
pip_packages ndjson==0.3.1 jsonlines==4.0.0

cat >probe.py <<'END'
import io, json
import jsonlines, ndjson

for separator in ("\u2028", "\u2029", "\x85"):
    line = json.dumps(f"a{separator}b", ensure_ascii=False) + "\n"
    right = list(jsonlines.Reader(io.StringIO(line)))
    print("U+%04X" % ord(separator), "jsonlines", ascii(right), "ndjson", ascii(ndjson.loads(line)))
END
python probe.py >seen
expect <<'END'
U+2028 jsonlines ['a\u2028b'] ndjson ['a,b']
U+2029 jsonlines ['a\u2029b'] ndjson ['a,b']
U+0085 jsonlines ['a\x85b'] ndjson ['a,b']
END
