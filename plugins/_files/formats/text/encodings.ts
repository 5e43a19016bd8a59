import { DrayError } from 'dray/sdk';

/** DataX's way to say UTF-8 differs from file to file. */
const isUtf8Name = (encoding: string) => /^utf-?8$/i.test(encoding);

/** Bytes below are characters of their own in all encodings of several bytes: blanks, line ends, commas. */
const firstInner = 0x30;
/** So many bytes wait for one of them, at most. */
const maxHeldBytes = 1024 * 1024;

/** Turns the bytes of a file into UTF-8. Characters may be cut anywhere between two calls. */
export interface CharacterDecoder {
  write(chunk: Buffer): Buffer;
  end(): Buffer;
}

/** An encoding other than UTF-8. */
export interface Encoding {
  readonly name: string;
  readonly decoder: () => CharacterDecoder;
  /** The bytes, or undefined if the encoding lacks a character of the text. */
  readonly encode: (text: string) => Buffer | undefined;
  /** What a file starts with. */
  readonly mark: Buffer;
  /** Every byte is a character of its own, and those of ASCII are ASCII, so that line ends and quotes can be found without decoding. */
  readonly isBytewise: () => boolean;
}

/**
 * Undefined for UTF-8, which needs no conversion.
 * @throws DrayError JOB_INVALID for an encoding that iconv-lite does not know
 */
export async function encodingCalled(name: string): Promise<Encoding | undefined> {
  if (isUtf8Name(name)) return undefined;
  const { default: iconv } = await import('iconv-lite');
  const isKnown: boolean = iconv.encodingExists(name);
  if (!isKnown) {
    throw new DrayError('JOB_INVALID', `there is no encoding "${name}"`, {
      remedy: 'Use a name like UTF-8, GBK, ISO-8859-1, windows-1252 or UTF-16LE.',
    });
  }
  // Without a byte order in its name, an encoding marks the order at the start of the file.
  const width = /^utf-?(16|32)$/i.exec(name)?.[1];
  const codec = width === '16' ? 'utf-16le' : width === '32' ? 'utf-32le' : name;
  return {
    name,
    decoder: () => wholeCharacters(iconv.getDecoder(name)),
    encode: (text) => {
      const bytes = iconv.encode(text, codec);
      return iconv.decode(bytes, codec, { stripBOM: false }) === text ? bytes : undefined;
    },
    mark: width === undefined ? Buffer.alloc(0) : iconv.encode('\ufeff', codec),
    isBytewise: () => isBytewise((bytes) => iconv.decode(bytes, codec)),
  };
}

/**
 * Decides by what comes of all bytes, in both orders: in an encoding of several bytes some of them join, and one that knows the mark of UTF-8 takes it away at the
 * start.
 */
function isBytewise(decode: (bytes: Buffer) => string): boolean {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const mark = Buffer.from('\ufeff');
  const text = decode(Buffer.concat([mark, all]));
  const backwards = decode(Buffer.from(all).reverse());
  const isAscii = text.slice(mark.length, mark.length + 128) === all.toString('latin1', 0, 128);
  return isAscii && text.length === mark.length + all.length && backwards === [...text.slice(mark.length)].reverse().join('');
}

/**
 * Goes around three habits of iconv-lite's decoders: their texts may end between the halves of a surrogate pair, which are no characters by
 * themselves; they keep the first chunks until they know the order of the bytes; and a character that two chunks share may cost the last one
 * of the second (they make room for one UTF-16 unit per byte), so chunks are cut where none is shared.
 */
function wholeCharacters(decoder: { write(chunk: Buffer): string; end(): string | undefined }): CharacterDecoder {
  let held: Buffer = Buffer.alloc(0);
  let half = '';
  return {
    write(chunk) {
      const bytes = Buffer.concat([held, chunk]);
      let end = bytes.length;
      while (end > 0 && bytes[end - 1]! >= firstInner) end--;
      if (end === 0 && bytes.length > maxHeldBytes) end = bytes.length;
      held = bytes.subarray(end);
      if (end === 0) return Buffer.alloc(0);
      const text = half + decoder.write(bytes.subarray(0, end));
      half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? '';
      return Buffer.from(half === '' ? text : text.slice(0, -1));
    },
    end: () => Buffer.from(half + decoder.write(held) + (decoder.end() ?? '')),
  };
}
