import type { Schema } from 'dray/sdk';
import { CopyCounter } from './copy/copy-counter.ts';
import { CopyDecoder } from './copy/copy-decoder.ts';
import { CopyEncoder } from './copy/copy-encoder.ts';
import { CopyScanner } from './copy/copy-scanner.ts';
import type { FileFormat } from './format.ts';
import { type ColumnSource, schemaOf, textColumns } from './text/columns.ts';

/**
 * COPY text, as `COPY … TO` and `\copy` of PostgreSQL write it and as batches are packed: https://www.postgresql.org/docs/current/sql-copy.html.
 * Writing costs next to nothing, reading little more than looking for the row ends.
 * @param columns what a reader delivers; undefined: all cells as texts
 */
export function copy({ suffix = '.copy', columns }: { suffix?: string; columns?: readonly ColumnSource[] | undefined } = {}): FileFormat {
  return {
    suffix,
    schema: columns === undefined ? undefined : schemaOf(columns),
    finder(file) {
      const scanner = new CopyScanner(file);
      const found = (): Schema | undefined =>
        scanner.next() ? schemaOf(textColumns(Array.from({ length: scanner.cellCount }, (_, index) => `c${index}`))) : undefined;
      return {
        push(chunk) {
          scanner.push(chunk);
          return found();
        },
        end() {
          scanner.end();
          return found();
        },
      };
    },
    encoder: () => new CopyEncoder(),
    decoder: (out, file, from) => new CopyDecoder(out, file, columns?.map(withShortBooleans), from),
    counter: () => new CopyCounter(),
  };
}

/** PostgreSQL's COPY writes `t` and `f`. */
function withShortBooleans(source: ColumnSource): ColumnSource {
  const { type } = source;
  if (type?.logical !== 'boolean') return source;
  const canonical = (text: string) => (text === 't' ? 'true' : text === 'f' ? 'false' : type.canonical(text));
  return { ...source, type: { ...type, canonical } };
}
