// Results as pictures: audio as a waveform with segments, arrays as a spectrogram, numbers as lines.
const MOST_SECONDS = 30, MOST_COLUMNS = 2000, MOST_POINTS = 2000;
const LEFT = 44, BOTTOM = 22, TOP = 12, RIGHT = 12;

const isTensor = (value) => ArrayBuffer.isView(value?.data) && Array.isArray(value.shape);
const isSegment = (value) => typeof value?.start === 'number' && typeof value?.end === 'number';
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Peaks of audio as it comes, and segments over it. */
class Waveform {
    peaks = []; // {at, length, low, high}, in seconds
    segments = [];
    seconds = 0;

    add(value) {
        if (isSegment(value))
            return this.segments.push(value);
        const { data, shape: [frames, channels], sampleRate } = value;
        let low = 0, high = 0;
        for (let i = 0; i < data.length; i += channels) {
            low = Math.min(low, data[i]);
            high = Math.max(high, data[i]);
        }
        const length = frames / sampleRate;
        this.peaks.push({ at: this.seconds, length, low, high });
        this.seconds += length;
    }

    draw(pen, { x, y, width, height }) {
        const first = Math.max(0, this.seconds - MOST_SECONDS), span = Math.max(this.seconds - first, 0.1);
        const place = (seconds) => x + ((seconds - first) / span) * width, middle = y + height / 2;
        const loudest = Math.max(0.05, ...this.peaks.slice(-4000).map(({ low, high }) => Math.max(-low, high)));
        pen.fillStyle = colour('segment');
        for (const { start, end } of this.segments)
            if (end > first)
                pen.fillRect(place(Math.max(start, first)), y, place(end) - place(Math.max(start, first)), height);
        pen.fillStyle = colour('wave');
        for (const { at, length, low, high } of this.peaks)
            if (at >= first)
                pen.fillRect(place(at), middle - (high / loudest) * height / 2, Math.max((length / span) * width, 1), Math.max(((high - low) / loudest) * height / 2, 1));
        axis(pen, { x, y, width, height }, [first, first + span], [-loudest, loudest], 's');
        while (this.peaks.length > 0 && this.peaks[0].at + 2 * MOST_SECONDS < this.seconds)
            this.peaks.splice(0, this.peaks.length >> 1);
    }

    get words() {
        return `${this.seconds.toFixed(1)} s of audio, ${this.segments.length} segments`;
    }
}

/** A colour for 0 to 1: dark to light over blue, red and yellow. */
function heat(level) {
    const t = Math.max(0, Math.min(1, level));
    return [255 * Math.min(1, Math.max(0, 2.4 * t - 0.5)), 255 * Math.max(0, 1.9 * t - 0.85), 255 * (t < 0.4 ? 0.15 + 1.6 * t : Math.max(0, 1.35 - 1.6 * t) + Math.max(0, 3 * t - 2.1))];
}

/** One column for each array. */
class Spectrogram {
    columns = [];

    add({ data }) {
        this.columns.push(Float32Array.from(data, Number));
        if (this.columns.length > MOST_COLUMNS)
            this.columns.shift();
    }

    draw(pen, { x, y, width, height }) {
        const rows = Math.max(...this.columns.map(({ length }) => length)), count = this.columns.length;
        let high = -Infinity;
        for (const column of this.columns)
            for (const value of column)
                high = Math.max(high, value);
        const range = 80, image = new ImageData(count, rows);
        this.columns.forEach((column, i) => column.forEach((value, row) => {
            image.data.set([...heat((value - high + range) / range), 255], ((rows - 1 - row) * count + i) * 4);
        }));
        const sheet = new OffscreenCanvas(count, rows);
        sheet.getContext('2d').putImageData(image, 0, 0);
        pen.imageSmoothingEnabled = count > width;
        pen.drawImage(sheet, x, y, width, height);
        axis(pen, { x, y, width, height }, [0, count], [0, rows], '');
    }

    get words() {
        return `${this.columns.length} arrays as columns`;
    }
}

/** A line for each name. */
class Lines {
    lines = new Map();

    add(value, sink) {
        const named = isNumber(value) ? [[sink, value]] : Object.entries(value).filter(([, one]) => isNumber(one));
        for (const [name, number] of named) {
            const line = this.lines.get(name) ?? [];
            this.lines.set(name, line);
            line.push(number);
            if (line.length > MOST_POINTS)
                line.shift();
        }
    }

    draw(pen, box) {
        const all = [...this.lines.values()].flat(), low = Math.min(...all), high = Math.max(...all, low + 1e-9);
        const most = Math.max(...[...this.lines.values()].map(({ length }) => length));
        const at = (value) => box.y + 3 + (box.height - 6) * (1 - (value - low) / (high - low));
        let left = box.x + 10;
        [...this.lines].forEach(([name, line], i) => {
            pen.strokeStyle = pen.fillStyle = colour(['mark', 'good', 'word', 'bad', 'number'][i % 5]);
            pen.lineWidth = 2;
            pen.lineJoin = 'round';
            pen.beginPath();
            line.forEach((value, k) => pen.lineTo(box.x + (box.width * (k + 0.5)) / most, at(value)));
            pen.stroke();
            if (line.length === 1)
                pen.fillRect(box.x + box.width / 2 - 2, at(line[0]) - 2, 4, 4);
            pen.fillText(name, left, box.y + 14);
            left += pen.measureText(name).width + 16;
        });
        axis(pen, box, [0, most], [low, high], '');
    }

    get words() {
        return `lines of ${[...this.lines.keys()].join(', ')}`;
    }
}

const figure = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, useGrouping: false });

function axis(pen, { x, y, width, height }, [left, right], [low, high], unit) {
    pen.strokeStyle = colour('line');
    pen.lineWidth = 1;
    pen.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    pen.fillStyle = colour('soft');
    for (const [text, side, at] of [[`${figure.format(left)}`, 'left', x], [`${figure.format(right)} ${unit}`.trim(), 'right', x + width]]) {
        pen.textAlign = side;
        pen.fillText(text, at, y + height + 15);
    }
    pen.textAlign = 'right';
    pen.fillText(figure.format(high), x - 5, y + 9);
    pen.fillText(figure.format(low), x - 5, y + height);
    pen.textAlign = 'left';
}

/** What can draw a value, or null. */
function kindOf(value) {
    if (isTensor(value))
        return value.sampleRate !== undefined ? Waveform : value.shape.length === 1 && value.data.length >= 16 ? Spectrogram : null;
    if (isSegment(value))
        return Waveform;
    if (isNumber(value) || (value !== null && typeof value === 'object' && !Array.isArray(value) && Object.values(value).some(isNumber)))
        return Lines;
    return null;
}

export class Plot {
    #plots = new Map(); // by class

    add(sink, value) {
        const Kind = kindOf(value);
        if (Kind === null)
            return;
        if (!this.#plots.has(Kind))
            this.#plots.set(Kind, new Kind());
        this.#plots.get(Kind).add(value, sink);
    }

    get empty() {
        return this.#plots.size === 0;
    }

    draw(canvas) {
        const { clientWidth: width, clientHeight: height } = canvas, scale = devicePixelRatio;
        if (width === 0)
            return;
        Object.assign(canvas, { width: width * scale, height: height * scale });
        const pen = canvas.getContext('2d');
        pen.scale(scale, scale);
        pen.font = '11px system-ui, sans-serif';
        const plots = [...this.#plots.values()], each = height / plots.length;
        plots.forEach((plot, i) => plot.draw(pen, { x: LEFT, y: i * each + TOP, width: width - LEFT - RIGHT, height: each - TOP - BOTTOM }));
        canvas.setAttribute('aria-label', plots.map(({ words }) => words).join('; '));
    }
}
