import { DrayError, type Schema } from 'dray/sdk';
import type { FileFormat, SchemaFinder } from './format.ts';
import type { JsonColumn } from './json-lines/json-columns.ts';
import { JsonDecoder } from './json-lines/json-decoder.ts';
import { JsonEncoder } from './json-lines/json-encoder.ts';
import { keysOf } from './json-lines/json-line.ts';
import { LineCounter } from './json-lines/line-counter.ts';
import { LineScanner } from './json-lines/line-scanner.ts';

export interface JsonLinesOptions {
  readonly suffix?: string;
  /** What a reader delivers, by `jsonColumns`; undefined: the keys of the first row, as texts. */
  readonly columns?: readonly JsonColumn[] | undefined;
  /** Reading: keys that are no columns are left out, instead of making their row wrong. */
  readonly ignoresOtherKeys?: boolean;
}

/**
 * One JSON object per line, its keys in the order of the columns. Numbers have all their digits, in both directions; JSON is embedded; NULL is
 * null; what JSON has no form for (dates, bytes, NaN) is a string with the canonical text. A key that is missing reads as NULL.
 */
export function jsonLines({ suffix = '.jsonl', columns, ignoresOtherKeys = false }: JsonLinesOptions = {}): FileFormat {
  return {
    suffix,
    schema: columns === undefined ? undefined : schemaOf(columns),
    finder: keyFinder,
    encoder(schema) {
      checkNames(schema);
      return new JsonEncoder(schema);
    },
    decoder: (out, file, from) => {
      const wanted = columns ?? out.schema.columns.map(({ name }) => ({ name, key: name, type: undefined }));
      return new JsonDecoder(out, file, { columns: wanted, ignoresOtherKeys }, from);
    },
    // Columns that are numbers mean keys of the first row.
    counter: () => (columns?.some(({ key }) => typeof key === 'number') ? undefined : new LineCounter()),
  };
}

function schemaOf(columns: readonly JsonColumn[]): Schema {
  return { columns: columns.map(({ name, type }) => ({ name, type: type?.logical ?? 'string', isNullable: true })) };
}

function checkNames({ columns }: Schema): void {
  const names = columns.map(({ name }) => name);
  if (names.length === 0) throw new DrayError('JOB_INVALID', 'rows without columns cannot be written as JSON lines');
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new DrayError('JOB_INVALID', `two columns are called ${twice}, which are one key in JSON lines`, {
    remedy: 'Give one of them another name in "column" of the reader.',
  });
}

function keyFinder(file: string): SchemaFinder {
  const lines = new LineScanner(file);
  const found = (): Schema | undefined => {
    if (!lines.next()) return undefined;
    const keys = keysOf(lines.bytes, lines.from, lines.to);
    const twice = keys?.some((key, index) => keys.indexOf(key) !== index);
    if (keys !== undefined && keys.length > 0 && !twice) return schemaOf(keys.map((name) => ({ name, key: name, type: undefined })));
    throw new DrayError('FILE_BROKEN', `${file}: line ${lines.line} is no JSON object with keys that differ, so it names no columns`, {
      place: file,
      remedy: 'Each row is a JSON object on a line of its own; or list the columns by name in "column".',
    });
  };
  return {
    push(chunk) {
      lines.push(chunk);
      return found();
    },
    end() {
      lines.end();
      return found();
    },
  };
}
