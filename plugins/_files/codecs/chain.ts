import type { ByteSink, Codec } from './codec.ts';

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

/** The way back: the bytes of a file through the codecs, last to first. */
export function unchain(codecs: readonly Codec[], source: AsyncIterable<Buffer>, file: string, maxBytes?: number): AsyncIterable<Buffer> {
  return codecs.reduceRight((bytes, codec, at) => codec.reader(bytes, file, at === 0 ? maxBytes : undefined), source);
}
