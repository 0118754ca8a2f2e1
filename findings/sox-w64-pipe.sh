#!/bin/sh
# SoX writes a Wave64 file with three headers when it writes into a pipe, and reads two of them back as sound.
#
# SoX 14.4.2 (Debian 12: 14.4.2+git20190427-3.5). A file that can be sought gets its header again at the end, when the
# sizes are known. A pipe cannot go back, so the header stands there twice at the start and once behind the samples, 104
# bytes each, with sizes that are not those of the sound. SoX itself reads 104 more samples of 16 bits than were written.
. "$(dirname "$0")/support"
debian_packages sox=14.4.2+git20190427-3.5 libsox3=14.4.2+git20190427-3.5 libltdl7 libgsm1 libmagic1 libpng16-16 libgomp1
libraries=$(find "$work/debian" -name 'lib*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')
sox() {
    LD_LIBRARY_PATH="$libraries" "$work/debian/usr/bin/sox" -q "$@"
}

sox -n -r 8000 -c 1 -b 16 tone.w64 synth 1 sine 400
sox tone.w64 -t w64 - | cat >pipe.w64
for file in tone pipe; do
    echo "$file: $(wc -c <$file.w64) bytes, $(grep -a -o riff $file.w64 | wc -l) headers, $(sox $file.w64 -t s16 - | wc -c) bytes of samples"
done >seen
expect <<'END'
tone: 16104 bytes, 1 headers, 16000 bytes of samples
pipe: 16312 bytes, 3 headers, 16208 bytes of samples
END
