# Made by tools/node-stubs from the descriptions of the nodes.
from typing import Any, Literal

from .. import Step
from .arithmetic import AddNode as AddNode, CalculatorNode as CalculatorNode, MultiplyNode as MultiplyNode
from .basic import BufferNode as BufferNode, DataTransform as DataTransform, PassThroughNode as PassThroughNode
from .text import TextProcessorNode as TextProcessorNode

__all__ = [
    "PassThroughNode",
    "DataTransform",
    "BufferNode",
    "CalculatorNode",
    "MultiplyNode",
    "AddNode",
    "TextProcessorNode",
]

def Add(
    *,
    addend: float = 0,
) -> Step:
    """Adds a fixed number to numbers, also those in lists and arrays.

    Takes a number, an array of numbers, or a list: the numbers in it are changed, the rest passes (one
    level). Every other item, true and false and numeric strings too, passes unchanged. Arithmetic is
    Python's: integers stay exact at any size, a float stays a float.  With arrays (and audio) it is
    numpy's with a number of Python's: the dtype stays, integers wrap around at their width, and
    float16, bfloat16 and float32 round the number first; only integers and a float give float64. A
    whole number that an array of integers cannot hold (300 in uint8) is an error. Arrays of bool pass
    unchanged; those of other elements (texts, dates, records, the other byte order) are an error. Shape
    and sample rate stay.

    Parameters:
        addend: What is added to each number

    Ports:
        in (input): any item
        out (output): any item
    """

def AudioBuffer(
    *,
    frames: int,
    remainder: Literal["emit", "pad", "drop"] = "emit",
) -> Step:
    """Cuts audio into packets of a fixed number of frames.

    Timestamps are computed anew from the frame count, so that they do not drift; a stream without
    timestamps counts from 0. Where the input jumps (flagged as a discontinuity, or a timestamp that is
    off by more than one frame) the frames in hand are treated as at the end, and counting starts again
    at the new timestamp. A change of sample rate or channels is an error.

    Parameters:
        frames: Frames in each packet (one frame has a sample of every channel); 1 to 16777216
        remainder: What becomes of the frames left at the end: sent as a shorter packet, filled up with
            silence, dropped; 'emit' or 'pad' or 'drop'

    Ports:
        in (input): Audio in packets of any length; audio, dtype float32
        out (output): The same audio in packets of one length; audio, dtype float32
    """

def AudioChannels(
    *,
    channels: int = 0,
    layout: str | None = None,
    select: Any = None,
    matrix: Any = None,
    normalize: bool = False,
    input_layout: str | None = None,
) -> Step:
    """Mixes, selects and reorders the channels of audio.

    `channels` and `layout` mix by loudspeakers as ITU-R BS.775-3 says: front centre, back and side
    channels go to the front at 0.707 where the output has no place for them, LFE goes nowhere, and
    channels that the input does not have are silent. To mono, everything lies 3 dB lower, so that it is
    the mean of left and right; mono goes to left and right unchanged. Loud input may exceed full scale;
    `normalize` prevents it. `select` takes channels by number or name, `matrix` mixes by any gains;
    both give the channels the usual places of their number, but selected ones that stand in the order
    of a WAV file keep theirs.

    Parameters:
        channels: Mixes to the usual layout of this many channels (1: mono, 2: stereo, 6: 5.1, 8: 7.1);
            0: not given; 0 to 254
        layout: Mixes to this layout: its name (mono, stereo, 5.1 ...) or its channels in the order of a
            WAV file, each once (FL+FR+LFE)
        select: Takes these channels, in this order: numbers from 0, or names (FL, FR, FC, LFE, BL, BR,
            SL, SR ...)
        matrix: Mixes by these gains: a list for each output channel, with a number for each input
            channel
        normalize: With channels or layout: lowers all gains so that full-scale channels cannot add up
            to more
        input_layout: What the channels of the input are, where the audio does not say it or says it
            wrongly

    Ports:
        in (input): Audio; audio, dtype float32
        out (output): The same frames with other channels; audio, dtype float32
    """

def AudioFileSink(
    *,
    path: str,
    format: Literal["pcm16", "pcm24", "float32"] = "pcm16",
) -> Step:
    """Writes audio into a WAV file.

    The first packet with frames decides sample rate and channels; the file is created then and
    completed when the run ends, also when it fails. Nothing is emitted. Gaps in the timestamps are not
    filled. Samples that were clipped, and NaN, are counted in a warning at the end.

    Parameters:
        path: The WAV file, which is replaced if it is there; relative to the current directory. "-":
            standard output, where the results have a file of their own
        format: How samples are stored; pcm16 and pcm24 clip at full scale; 'pcm16' or 'pcm24' or
            'float32'

    Ports:
        in (input): Audio of one sample rate and number of channels; audio, dtype float32
    """

def AudioFileSource(
    *,
    path: str,
    chunk_frames: int = 1024,
    sample_rate: int = 0,
    channels: int = 0,
) -> Step:
    """Reads an audio file (WAV, AIFF, FLAC, MP3, Ogg) in chunks.

    Each packet is a float32 tensor (frames, channels) whose full scale is 1.0, with sample rate,
    channel layout, timestamp and duration. The format is told by the file's content, not by its name. A
    file that is cut off or damaged gives what can be read, then fails; a codec that is not read is an
    error with its name. Pipes and standard input can be read too.

    Parameters:
        path: The file, WAV, AIFF, FLAC, MP3 or Ogg; relative to the current directory. "-": standard
            input
        chunk_frames: Frames in each packet; the last one has what is left; 1 to 16777216
        sample_rate: Converts to this rate, 1000 to 384000 Hz; 0: as the file has it; 0 to 384000
        channels: Mixes to this many channels; 0: as the file has them; 0 to 8

    Ports:
        out (output): The file's audio, with timestamps from 0; audio, dtype float32
    """

def AudioFormat(
    *,
    format: Literal["int16", "int24", "int32", "float32"],
    dither: Literal["none", "triangular"] = "none",
    seed: int = 0,
) -> Step:
    """Converts samples between int16, int24, int32 and float32.

    Full scale is 1.0, and 32768 in int16, 2^31 in int32. int24 is an int32 whose lowest 8 bits are 0:
    its full scale is that of int32, so that nobody needs to know its bits. Integers become floats
    exactly; only int32 with more than 24 bits is rounded. Floats become the nearest integer, of two
    equally near ones the even one, and are clipped at full scale, never wrapped; NaN becomes silence.
    What was clipped is counted in the packet's metadata under "clipped", and in a warning at the end.
    Dither is added only where bits are lost.

    Parameters:
        format: The samples to make; int24 is an int32 whose lowest 8 bits are 0; 'int16' or 'int24' or
            'int32' or 'float32'
        dither: Noise that is added before rounding to integers: none, or triangular (two steps wide);
            'none' or 'triangular'
        seed: The seed of the noise; the same one gives the same samples everywhere

    Ports:
        in (input): Audio of int16, int32 or float32 samples; audio
        out (output): The same audio in the other format; metadata "clipped" counts samples that did not
            fit; audio
    """

def AudioLevel(
    *,
    pass_audio: bool = False,
) -> Step:
    """Measures RMS and peak level of each audio packet in dBFS.

    Gives {"rms_dbfs", "peak_dbfs", "channels": [{"rms_dbfs", "peak_dbfs"}, ...]} for each packet: over
    all channels, then for each one. 0 dBFS is full scale (a sample of 1.0), so a sine at full scale has
    an RMS of -3.01. Levels have two decimals and end at -120, which silence has too.

    Parameters:
        pass_audio: Pass the audio on, with the level in its metadata under "level"

    Ports:
        in (input): Audio; audio, dtype float32
        out (output): A level for each packet, or with pass_audio the packet itself; map, audio
    """

def AudioResample(
    *,
    sample_rate: int,
    quality: Literal["fast", "standard", "best"] = "standard",
) -> Step:
    """Converts the sample rate of audio.

    Linear-phase filters whose delay is taken out again: a frame of the output is what the input has at
    its time, and n frames become exactly ceil(n * new rate / old rate). The first frames come out some
    milliseconds of audio later than they went in, the last ones at the end. Where the input jumps
    (flagged as a discontinuity, or a timestamp that is off by more than one frame) the old audio is
    completed and the filter begins anew. A change of sample rate or channels is an error. NaN and
    infinite samples count as silence.

    Parameters:
        sample_rate: The rate to convert to, Hz; audio that has it passes through unchanged; 1000 to
            384000
        quality: How much of the band is kept, and how deep the rest is suppressed: fast (to 0.40 of the
            lower rate, 75 dB), standard (0.45, 100 dB) or best (0.475, 125 dB); 'fast' or 'standard' or
            'best'

    Ports:
        in (input): Audio of one sample rate and number of channels, in packets of any length; audio,
            dtype float32
        out (output): The same audio at the other rate; audio, dtype float32
    """

def Batch(
    *,
    size: int,
    drop_remainder: bool = False,
) -> Step:
    """Collects items into lists of a fixed size.

    A list is emitted with its last item; what is left at the end comes as a shorter list unless
    drop_remainder is set. Its timestamp is the first item's, its duration reaches to the end of the
    last.

    Parameters:
        size: Items in a list; 1 to 2147483647
        drop_remainder: Drop what is left at the end instead of emitting a shorter list

    Ports:
        in (input): Any item; any item
        out (output): Lists of `size` items; list
    """

def Calculator(
    *,
    operation: Literal["add", "subtract", "multiply", "divide", "power", "modulo"] = "add",
    operand: float = 0,
) -> Step:
    """Calculates with numbers, or answers {"operation", "args"} items.

    A number becomes `number operation operand`. A map with "operation" and "args" (an array of numbers,
    taken from left to right) becomes {"operation", "args", "result", "processed_by":
    "CalculatorNode[<id>]", "node_config"}, where node_config is what the manifest gives as params.
    Every other item passes unchanged.  Arithmetic is Python's: integers stay exact at any size,
    dividing integers gives an integer when it comes out even and a float otherwise, modulo has the sign
    of the divisor. Division by zero is an error.

    Parameters:
        operation: What is done to an item that is a number; 'add' or 'subtract' or 'multiply' or
            'divide' or 'power' or 'modulo'
        operand: The right-hand side of the operation

    Ports:
        in (input): any item
        out (output): any item
    """

def Echo() -> Step:
    """Wraps each item: {"input": item, "counter": n, "node": "Echo"}.

    `counter` counts the items of the run from 1; `node` is always "Echo".

    Ports:
        in (input): any item
        out (output): any item
    """

def EchoNode() -> Step:
    """Wraps each item: {"input": item, "counter": n, "node": "Echo"}.

    `counter` counts the items of the run from 1; `node` is always "Echo".

    Ports:
        in (input): any item
        out (output): any item
    """

def FileLines(
    *,
    path: str,
    crlf: bool = True,
    max_line_bytes: int = 16777216,
) -> Step:
    """Generates the lines of a text file.

    One string a line, without the newline; a last line without a newline counts. The file must be
    UTF-8: anything else is an error that names the line. Memory does not grow with the file. The path
    is relative to the folder the program runs in; a pipe and standard input can be read too.

    Parameters:
        path: The file to read, UTF-8; "-": standard input
        crlf: A carriage return before the newline belongs to the line's end
        max_line_bytes: Longest line in bytes; a longer one is an error; 1 to 1073741824

    Ports:
        out (output): A line without its end; string
    """

def Filter(
    *,
    pointer: str = "",
    operation: Literal["eq", "ne", "lt", "le", "gt", "ge", "exists", "contains", "truthy"],
    value: Any = None,
) -> Step:
    """Keeps the items that match a comparison.

    eq and ne compare any values: 1 equals 1.0, the order of keys does not count, values of different
    kinds differ. lt, le, gt and ge compare two numbers or two strings (by code point); anything else is
    an error. contains looks for a value in a list, a part in a string or a key in a map. truthy keeps
    what Python takes for true. An item in which the pointer finds nothing is dropped, except by ne.

    Parameters:
        pointer: JSON pointer to what is compared ("/user/age"); empty: the item itself
        operation: The comparison that must hold; 'eq' or 'ne' or 'lt' or 'le' or 'gt' or 'ge' or
            'exists' or 'contains' or 'truthy'
        value: The right-hand side; not used by exists and truthy

    Ports:
        in (input): Any item; any item
        out (output): The items that match, unchanged; any item
    """

def JsonlSink(
    *,
    path: str,
    append: bool = False,
) -> Step:
    """Writes each item as a line of JSON to a file.

    The file is created, or emptied unless `append` is set, when the run starts; its folder must exist.
    Lines are written as items come, none is held back. JsonlSink emits nothing; connect the node before
    it to others as well to go on with its items. NaN and infinities become null.

    Parameters:
        path: The file to write; "-": standard output, where the results have a file of their own
        append: Write behind what the file holds instead of replacing it

    Ports:
        in (input): Any item that JSON can express; any item
    """

def Merge(
    *,
    several: Literal["error", "list", "first", "last"] = "error",
) -> Step:
    """Joins what several nodes made of the same item: {node id: value}.

    For each input item, one map from the id of each connected node to the value that it made of the
    item, in the order of the connections. A node that dropped the item is absent; an item that all
    dropped gives nothing. The map leaves as soon as no connected node can add to it.  A node may give
    several values for one item. By default that is an error, so that nothing is lost unnoticed; with
    "several": "list" every value in the map is a list of all that the node gave; "first" and "last"
    keep one. What nodes emit when the stream ends (the remainder of a Batch) is joined into one last
    map.

    Parameters:
        several: What to do when a node gave several values for one input item; 'error' or 'list' or
            'first' or 'last'

    Ports:
        in (input): Any item; each connection is an input of its own; any item, any number of
            connections
        out (output): One map an item: node id to value; map
    """

def Multiply(
    *,
    factor: float = 2,
) -> Step:
    """Multiplies numbers, also those in lists and arrays, by a factor.

    Takes a number, an array of numbers, or a list: the numbers in it are changed, the rest passes (one
    level). Every other item, true and false and numeric strings too, passes unchanged. Arithmetic is
    Python's: integers stay exact at any size, a float stays a float.  With arrays (and audio) it is
    numpy's with a number of Python's: the dtype stays, integers wrap around at their width, and
    float16, bfloat16 and float32 round the number first; only integers and a float give float64. A
    whole number that an array of integers cannot hold (300 in uint8) is an error. Arrays of bool pass
    unchanged; those of other elements (texts, dates, records, the other byte order) are an error. Shape
    and sample rate stay.

    Parameters:
        factor: What each number is multiplied by

    Ports:
        in (input): any item
        out (output): any item
    """

def PassThrough() -> Step:
    """Hands every item on unchanged.

    Every item leaves as it came, Python objects and null too. Useful as a named point to branch from or
    to report results at.

    Ports:
        in (input): Any item; any item
        out (output): The same item; any item
    """

def Select(
    *,
    pointer: str | None = None,
    fields: Any = None,
    missing: Literal["error", "null", "drop"] = "error",
) -> Step:
    """Emits a part of each item, or a map of its parts.

    Parts are named by JSON pointers (RFC 6901): "/user/name" is a key of a key, "/tags/0" the first of
    a list, "" the item itself; '/' and '~' in a key are written ~1 and ~0. With `pointer` the part
    itself is emitted, with `fields` a map {name: part}.

    Parameters:
        pointer: JSON pointer to the part to emit ("/user/name"); not with fields
        fields: Map from name to JSON pointer: the map to emit; not with pointer
        missing: Where there is no such part: an error, null in its place, or the item is dropped;
            'error' or 'null' or 'drop'

    Ports:
        in (input): Any item, usually a map or list; any item
        out (output): The part, or a map of the parts; any item
    """

def SimpleSource(
    *,
    count: int = 1,
    value: Any = None,
) -> Step:
    """Generates a value a number of times.

    Generates `value` `count` times. It takes no input.

    Parameters:
        count: How many times the value is generated; at least 0
        value: The value, of any kind

    Ports:
        out (output): The value; any item
    """

def Skip(
    *,
    count: int,
) -> Step:
    """Drops the first items and keeps the rest.

    Parameters:
        count: How many items are dropped; at least 0

    Ports:
        in (input): Any item; any item
        out (output): The items that are kept, unchanged; any item
    """

def Take(
    *,
    count: int,
) -> Step:
    """Keeps the first items and ends the stream after them.

    After `count` items nothing more is asked of the nodes before it: Take after an endless source ends
    the run.

    Parameters:
        count: How many items are kept; at least 0

    Ports:
        in (input): Any item; any item
        out (output): The items that are kept, unchanged; any item
    """

def UppercaseTransform() -> Step:
    """Turns text into capitals.

    Every script that has capitals is covered, as by Python's str.upper(): one character may become
    several. An item that is not a string is an error.

    Ports:
        in (input): Text; string
        out (output): The text in capitals; string
    """

def VoiceActivity(
    *,
    threshold_db: float = 10.0,
    min_level_db: float = -55.0,
    start_floor_db: float = -40.0,
    floor_rise_db: float = 2.0,
    min_speech_ms: int = 100,
    min_silence_ms: int = 300,
    hangover_ms: int = 100,
) -> Step:
    """Finds the segments of audio in which someone speaks.

    Gives {"start", "end", "level_db"} for each segment: times in seconds, the level of its loud part in
    dBFS. A packet is speech when it is louder than the background by threshold_db and not below
    min_level_db; the background is the lowest level lately, which may rise by floor_rise_db a second.
    Each packet is judged as a whole, so put an AudioBuffer of 10 to 30 ms before this node. A segment
    comes out min_silence_ms (or hangover_ms, if longer) after its end; one that is open when the audio
    ends, or jumps, ends there.

    Parameters:
        threshold_db: Speech is louder than the background by this, dB; 0 to 120
        min_level_db: Nothing below this level is speech, dBFS; -120 to 0
        start_floor_db: The background is taken to be at most this loud at the start, dBFS; -120 to 0
        floor_rise_db: How fast the estimate of the background may rise, dB a second; 0 to 1000
        min_speech_ms: Less sound than this is no segment (clicks), ms; 0 to 3600000
        min_silence_ms: A pause shorter than this does not end a segment, ms; 0 to 3600000
        hangover_ms: How long a segment goes on after the last loud packet, ms; 0 to 3600000

    Ports:
        in (input): Audio in packets of 10 to 30 ms: each is judged as a whole; audio, dtype float32
        out (output): {"start", "end", "level_db"} for each segment of speech, when it has ended; map
    """

def Window(
    *,
    size: int,
    hop: int = 1,
    partial: bool = False,
) -> Step:
    """Emits the last `size` items as a list, every `hop` items.

    With a hop below the size windows overlap, with a larger one items between windows are left out.
    Only complete windows are emitted; with `partial` the end of the stream gives a shorter one if an
    item would otherwise be missed. A window's timestamp is its first item's.

    Parameters:
        size: Items in a window; 1 to 1048576
        hop: Items from the start of one window to the start of the next; 1 to 2147483647
        partial: At the end, emit the items that no window has shown as a shorter window

    Ports:
        in (input): Any item; any item
        out (output): Lists of `size` items; list
    """
