import type { Column } from 'dray/sdk';

/** What the interpreter answers to a batch. */
export interface Answer {
  /** Rows that go no further. */
  readonly dropped: readonly number[];
  /** Rows of which the code has thrown: index, name and message of the error. */
  readonly failed: readonly (readonly [number, string, string])[];
  /** Cells of the columns that may be changed, as they are now. */
  readonly columns: readonly (readonly (string | null)[])[];
}

/**
 * The script around the code, in the interpreter: takes the cells of a batch as JSON and answers in JSON, so that one text crosses the border each way and not one
 * per cell (1.4 µs per row of two columns).
 * @param mayChange by place in `columns`
 */
export function driverFor(columns: readonly Column[], mayChange: readonly boolean[]): string {
  const keys = columns.map(({ name }) => (name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)));
  const row = keys.map((key, place) => `${key}: columns[${place}][index]`).join(', ');
  const back = columns.map(({ name }, place) => {
    const value = `row[${JSON.stringify(name)}]`;
    if (mayChange[place]) return `columns[${place}][index] = text(${value}, ${JSON.stringify(name)});`;
    return `if (${value} !== columns[${place}][index]) throw new TypeError(${JSON.stringify(`${name} is changed in a way that cannot be foreseen; assign to row.${name}`)});`;
  });
  const changed = mayChange.flatMap((may, place) => (may ? [`columns[${place}]`] : []));
  return `(decide) => {
    const { parse, stringify } = JSON;
    const { preventExtensions } = Object;
    const asText = String;
    const text = (value, name) => {
      if (value === null || typeof value === 'string') return value;
      if (value === undefined) return null;
      if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return asText(value);
      throw new TypeError(name + ' is given what is no text, number, truth value or null');
    };
    return (cells, count) => {
      const columns = parse(cells);
      const dropped = [];
      const failed = [];
      for (let index = 0; index < count; index++) {
        try {
          const row = preventExtensions({ ${row} });
          const fate = decide(row);
          if (fate === false || fate === null) { dropped.push(index); continue; }
          if (typeof fate === 'object' && fate !== row) throw new TypeError('the code returns another object than row; change row itself');
          ${back.join('\n          ')}
        } catch (error) {
          if (error instanceof InternalError && error.message === 'out of memory') throw error;
          failed.push([index, asText(error?.name ?? 'Error'), asText(error?.message ?? error)]);
        }
      }
      return stringify({ dropped, failed, columns: [${changed.join(', ')}] });
    };
  }`;
}
