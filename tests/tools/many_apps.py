"""Multiplies the series of one app in blocks of Prometheus, without reading or writing a sample.

`multiply(FOLDER, NAMES)` gives each series with the label `cometchat_app` once for each name, all with
the same chunks: only the index is written anew. So a month of fifty apps is there in a minute, which
promtool would take half an hour to make. A query reads and decodes as many samples as if each app
had chunks of its own; only the disk is read less. The format is Prometheus'
tsdb/docs/format/index.md; what no reader of version 2 looks at (the tables of label names) is left out.
"""

import json
import struct
import sys
from pathlib import Path

LABEL = b"cometchat_app"


def table():
    rows = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        rows.append(value)
    return rows


CASTAGNOLI = table()


def checksum(data):
    value, rows = 0xFFFFFFFF, CASTAGNOLI
    for byte in data:
        value = value >> 8 ^ rows[(value ^ byte) & 255]
    return struct.pack(">I", value ^ 0xFFFFFFFF)


def uvarint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_uvarint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def text(data):
    return uvarint(len(data)) + data


def read_series(index):
    """The labels of each series, and the bytes that tell of its chunks."""
    symbols_at, series_at, labels_at, _, postings_at, _ = struct.unpack(">6Q", index[-52:-4])
    count, at, symbols = struct.unpack_from(">I", index, symbols_at + 4)[0], symbols_at + 8, []
    for _ in range(count):
        length, at = read_uvarint(index, at)
        symbols.append(index[at:at + length])
        at += length
    at, found = series_at, []
    end = labels_at if labels_at else postings_at
    while (at := (at + 15) // 16 * 16) < end:
        length, at = read_uvarint(index, at)
        stop = at + length
        n_labels, at = read_uvarint(index, at)
        labels = []
        for _ in range(n_labels):
            name, at = read_uvarint(index, at)
            value, at = read_uvarint(index, at)
            labels.append((symbols[name], symbols[value]))
        found.append((tuple(labels), index[at:stop]))
        at = stop + 4
    return found


def section(out, body):
    out += struct.pack(">I", len(body)) + body + checksum(body)


def write_index(series):
    series = sorted(series)
    symbols = sorted({word for labels, _ in series for pair in labels for word in pair} | {b""})
    numbers = {symbol: uvarint(number) for number, symbol in enumerate(symbols)}
    out = bytearray(struct.pack(">IB", 0xBAAAD700, 2))
    places = [len(out)]
    section(out, struct.pack(">I", len(symbols)) + b"".join(map(text, symbols)))
    out += bytes(-len(out) % 16)
    places.append(len(out))
    postings = {(b"", b""): []}
    for labels, chunks in series:
        out += bytes(-len(out) % 16)
        for pair in ((b"", b""), *labels):
            postings.setdefault(pair, []).append(len(out) // 16)
        body = uvarint(len(labels)) + b"".join(numbers[n] + numbers[v] for n, v in labels) + chunks
        out += uvarint(len(body)) + body + checksum(body)
    out += bytes(-len(out) % 4)
    places += [len(out), len(out), len(out)]
    offsets = struct.pack(">I", len(postings))
    for (name, value), refs in sorted(postings.items()):
        offsets += b"\x02" + text(name) + text(value) + uvarint(len(out))
        section(out, struct.pack(f">{len(refs) + 1}I", len(refs), *refs))
    places.append(len(out))
    section(out, offsets)
    toc = struct.pack(">6Q", *places)
    return bytes(out + toc + checksum(toc))


def multiply(folder, names):
    for path in sorted(Path(folder).glob("*/index")):
        copies = []
        for labels, chunks in read_series(path.read_bytes()):
            if LABEL not in dict(labels):
                copies.append((labels, chunks))
                continue
            for name in names:
                copies.append((tuple((n, name.encode() if n == LABEL else v) for n, v in labels), chunks))
        path.write_bytes(write_index(copies))
        meta_path = path.with_name("meta.json")
        meta = json.loads(meta_path.read_text())
        factor = len(copies) / meta["stats"]["numSeries"]
        meta["stats"] = {key: round(value * factor) for key, value in meta["stats"].items()}
        meta_path.write_text(json.dumps(meta))


if __name__ == "__main__":
    multiply(sys.argv[1], sys.argv[2:])
