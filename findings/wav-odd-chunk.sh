#!/bin/sh
# An odd-sized chunk before the sound makes three WAV readers from npm lose it, each in its own way.
#
# node-wav 0.0.2, wav-decoder 1.3.0, audio-decode 3.12.0, wavefile 11.0.0. A RIFF chunk of odd size is followed by one
# byte of padding that its size does not count; a LIST chunk with a title of odd length is enough. wavefile reads such
# a file. node-wav returns undefined, wav-decoder throws a RangeError, audio-decode gives a result without channels
# and no error. With a LIST chunk of even size all four read it.
. "$(dirname "$0")/support"
npm_packages node-wav@0.0.2 wav-decoder@1.3.0 audio-decode@3.12.0 wavefile@11.0.0

cat >probe.js <<'END'
import audioDecode from "audio-decode";
import nodeWav from "node-wav";
import wavDecoder from "wav-decoder";
import wavefile from "wavefile";

function chunk(name, data) {
  const head = Buffer.alloc(8);
  head.write(name, "latin1");
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

const format = Buffer.from("01000100401f0000803e000002001000", "hex"); // PCM, 1 channel, 8000 Hz, 16 bits
for (const title of ["even", "odd"]) {
  const list = Buffer.from("INFO" + title, "latin1");
  const parts = [chunk("fmt ", format), chunk("LIST", list), chunk("data", Buffer.alloc(2000))];
  const body = Buffer.concat([Buffer.from("WAVE"), ...parts]);
  const file = new Uint8Array(chunk("RIFF", body)); // an array of its own, with its bytes at the front
  const readers = {
    "wavefile": () => new wavefile.WaveFile(file).getSamples().length,
    "node-wav": () => nodeWav.decode(file.buffer)?.channelData[0].length,
    "wav-decoder": async () => (await wavDecoder.decode(file.buffer)).channelData[0].length,
    "audio-decode": async () => (await audioDecode(file)).channelData[0]?.length ?? "no channels",
  };
  for (const [name, read] of Object.entries(readers))
    console.log(list.length, name, await Promise.resolve().then(read).catch((error) => error.name));
}
END
node probe.js >seen
expect <<'END'
8 wavefile 1000
8 node-wav 1000
8 wav-decoder 1000
8 audio-decode 1000
7 wavefile 1000
7 node-wav undefined
7 wav-decoder RangeError
7 audio-decode no channels
END
