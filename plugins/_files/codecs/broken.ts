import { DrayError } from 'dray/sdk';

/** What is wrong with a packed file; `offset` is a position in the bytes that this codec reads. */
export function broken(file: string, sentence: string, offset: number, cause?: unknown): DrayError {
  return new DrayError('FILE_BROKEN', `${file} ${sentence}`, {
    place: `${file}, offset ${offset}`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A small file can unpack to more than any disk holds. */
export function tooLong(file: string, maxBytes: number, offset: number): DrayError {
  return broken(file, `unpacks to more than the ${maxBytes} bytes that are expected`, offset);
}
