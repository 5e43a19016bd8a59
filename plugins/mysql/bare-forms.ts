import type { BareForm, Column } from 'dray/sdk';
import { isFrom, type Session } from './connection.ts';

/** In which forms LOAD DATA takes cells of these columns without an expression; `text` where it needs one. */
export async function bareForms(session: Session, columns: readonly Column[]): Promise<BareForm[]> {
  // From this version on MariaDB looks at characters only to find where they end, and takes a byte that belongs to none as it is (READ_INFO::read_mbtail in sql/sql_load.cc). MySQL refuses texts
  // that are not UTF-8 for any column.
  const takesBytes = await isFrom(session, { mariadb: [10, 2] });
  return columns.map((column) => formOf(column, takesBytes));
}

function formOf({ type, mantissaBits, nativeType = '' }: Column, takesBytes: boolean): BareForm {
  if (type === 'timestamp' || type === 'timestamptz') return type;
  if (type === 'decimal' || (type === 'integer' && !nativeType.startsWith('year')) || (type === 'double' && mantissaBits !== 24))
    return 'number';
  return takesBytes && type === 'bytes' && /^(?:var)?binary|blob/.test(nativeType) ? 'bytes' : 'text';
}
