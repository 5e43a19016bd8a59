import { type BinaryForm, binaryEncoder, type CellEncoder, type Column, encodeBytes } from 'dray/sdk';

/** How cells of MySQL's text protocol are written in this form; undefined: values of this column cannot be brought into it, or only some of them. */
export function encoderOf(column: Column, form: BinaryForm): CellEncoder | undefined {
  const { type, nativeType = '' } = column;
  switch (form) {
    case 'bytea':
      // Bytes come as they are.
      return type === 'bytes' ? encodeBytes : undefined;
    case 'text':
      return type === 'json' || (type === 'string' && !nativeType.startsWith('bit')) ? encodeBytes : undefined;
    case 'date':
      return type === 'date' ? binaryEncoder(column, form) : undefined;
    case 'timestamp':
    case 'timestamptz':
      // Sessions on both sides are in UTC.
      return type === 'timestamp' || type === 'timestamptz' ? binaryEncoder({ ...column, type: 'timestamp' }, form) : undefined;
    case 'int2':
    case 'int4':
    case 'int8':
      return type === 'integer' ? binaryEncoder(column, form) : undefined;
    case 'float8':
      return type === 'double' ? binaryEncoder(column, form) : undefined;
    case 'numeric':
      return type === 'integer' || type === 'decimal' ? binaryEncoder(column, form) : undefined;
    case 'bool':
    case 'float4':
    case 'time':
      return type === 'string' ? undefined : binaryEncoder(column, form);
    case 'uuid':
    case 'jsonb':
      return undefined;
  }
}
