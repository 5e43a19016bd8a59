import type { MysqlReaderOptions } from './reader.ts';

/** Connector/J 5 and 8 write it in different ways. */
const inAddress = /[?&]zeroDateTimeBehavior=(convertToNull|CONVERT_TO_NULL)(&|$)/i;

/** True if dates like 0000-00-00 are to be read as NULL: the option says so, or an address, as in DataX's jobs. */
export function zeroDatesAreNull({ zeroDate, connection }: Pick<MysqlReaderOptions, 'zeroDate' | 'connection'>): boolean {
  if (zeroDate !== undefined) return zeroDate === 'null';
  return connection.some(({ jdbcUrl }) => jdbcUrl.some((url) => inAddress.test(url)));
}
