import { type Column, DrayError, type LogicalType } from 'dray/sdk';
import { type CellType, cellType } from '../../_files/formats/text/cell-types.ts';
import { timestampText } from '../../_files/formats/text/times.ts';
import { textOf } from '../cell-text.ts';

/** Brings a cell into the canonical text of another type; undefined if it is none of that type. */
export type Convert = (cell: string) => string | undefined;

/** @throws DrayError JOB_INVALID for a format that cannot be read, or that does not go with the type */
export function converter(column: Column, { type, format }: { readonly type: LogicalType; readonly format?: string | undefined }): Convert {
  if (format !== undefined) return formatted(column, type, format);
  if (type === column.type) return (cell) => cell;
  if (column.type === 'bytes') {
    const read = textOf(column);
    const convert = converter({ ...column, type: 'string' }, { type });
    return (cell) => convert(read(cell));
  }
  switch (type) {
    case 'string':
      return (cell) => cell;
    case 'bytes':
      return (cell) => `\\x${Buffer.from(cell).toString('hex')}`;
    case 'boolean':
      return (cell) => truthValues.get(cell.trim().toLowerCase());
    case 'date':
      return dayOf;
    case 'timestamp':
      return (cell) => timestampText(column.type === 'timestamptz' ? cell.replace(/\+00(?= BC$|$)/, '') : cell);
    case 'timestamptz': {
      const { canonical } = canonicalOf('timestamptz');
      return column.type === 'date' || column.type === 'timestamp' ? (cell) => canonical(inUtc(cell)) : canonical;
    }
    case 'integer':
    case 'decimal':
    case 'double': {
      const { canonical } = canonicalOf(type);
      return column.type === 'boolean' ? (cell) => (cell === 'true' ? '1' : '0') : canonical;
    }
    case 'time':
    case 'json':
      return canonicalOf(type).canonical;
  }
}

const truthValues = new Map([
  ...['true', 't', 'yes', 'y', 'on', '1'].map((word) => [word, 'true'] as const),
  ...['false', 'f', 'no', 'n', 'off', '0'].map((word) => [word, 'false'] as const),
]);

function canonicalOf(type: Exclude<LogicalType, 'string' | 'date'>): CellType {
  return cellType({ type })!;
}

function inUtc(cell: string): string {
  if (cell.endsWith('infinity')) return cell;
  return cell.endsWith(' BC') ? `${cell.slice(0, -3)}+00 BC` : `${cell}+00`;
}

/** The day of a date or of a moment: who asks for a day does not want the time. */
function dayOf(cell: string): string | undefined {
  const text = timestampText(cell) ?? timestampText(cell.replace(/(?:Z|[+-]\d{2}(?::?\d{2})?)(?= BC$|$)/, ''));
  return text?.replace(/ \d{2}:\d{2}:\d{2}(?:\.\d+)?/, '');
}

function formatted(column: Column, type: LogicalType, format: string): Convert {
  if (column.type !== 'string')
    throw new DrayError('JOB_INVALID', `"format" says how a text is read, and the column "${column.name}" is of type ${column.type}`);
  const { canonical } = cellType({ type: 'timestamp', format })!;
  const moment: Convert = (cell) => {
    const text = canonical(cell);
    return text === undefined || text.length > 10 ? text : `${text} 00:00:00`;
  };
  if (type === 'date') return (cell) => canonical(cell)?.slice(0, 10);
  if (type === 'timestamp') return moment;
  if (type === 'timestamptz') {
    return (cell) => {
      const text = moment(cell);
      return text === undefined ? undefined : `${text}+00`;
    };
  }
  throw new DrayError('JOB_INVALID', `"format" goes with the types date, timestamp and timestamptz, and not with ${type}`);
}
