import type { ByteSink, Codec, Place, ReadFrom } from './codec.ts';

/** Behind the suffix of the format: `.zst.enc`. */
export function suffixOf(codecs: readonly Codec[]): string {
  return codecs.map((codec) => codec.suffix).join('');
}

/**
 * A sink whose bytes pass through the codecs, first to last, and then go on; ending or destroying it does so with all of them. Its
 * `frameIndex` is that of the codec that has one, counted in the bytes that this codec wrote: `plainToStored` leads through an
 * encryption behind it.
 */
export function chain(codecs: readonly Codec[], into: ByteSink): ByteSink {
  let sink = into;
  let indexed: ByteSink | undefined;
  for (const codec of codecs.toReversed()) {
    sink = codec.writer(sink);
    if (sink.frameIndex !== undefined) indexed = sink;
  }
  const first = sink;
  return {
    write: (bytes) => first.write(bytes),
    end: () => first.end(),
    destroy: () => first.destroy(),
    ...(indexed?.frameIndex === undefined ? {} : { frameIndex: indexed.frameIndex }),
  };
}

/** The way back: the bytes of a file through the codecs, last to first. `maxBytes` and `onFrame` go to the first one. */
export function unchain(
  codecs: readonly Codec[],
  source: AsyncIterable<Buffer>,
  file: string,
  { maxBytes, onFrame }: { readonly maxBytes?: number; readonly onFrame?: (place: Place) => void } = {},
): AsyncIterable<Buffer> {
  return codecs.reduceRight(
    (bytes, codec, at) => (at === 0 ? codec.reader(bytes, file, maxBytes, onFrame) : codec.reader(bytes, file)),
    source,
  );
}

/** The same from a place on; each of the codecs must have a `readerAt`. */
export function unchainAt(codecs: readonly Codec[], read: ReadFrom, place: Place, file: string): AsyncIterable<Buffer> {
  const [first, ...others] = codecs;
  if (first === undefined) return read(place.plain);
  const inner = others.reduceRight<ReadFrom>((source, codec) => (plain) => codec.readerAt!(source, { stored: plain, plain }, file), read);
  return first.readerAt!(inner, place, file);
}

/** Exactly so many bytes behind the first ones. */
export async function* stretch(bytes: AsyncIterable<Buffer>, skip: number, length: number): AsyncGenerator<Buffer> {
  let left = length;
  for await (const chunk of bytes) {
    const part = chunk.subarray(Math.min(skip, chunk.length), Math.min(chunk.length, skip + left));
    skip -= Math.min(skip, chunk.length);
    left -= part.length;
    if (part.length > 0) yield part;
    if (left === 0) return;
  }
}
