import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { BatchBuilder, type BinaryForm, type Column, type LogicalType } from '../../../core/sdk/index.ts';
import { BatchPacker } from '../../../core/task/batch-packer.ts';
import { Fit } from '../../../core/task/fit.ts';
import plugin from '../../../plugins/postgres/writer.ts';
import { listenedDatabase } from '../../support/split-statements.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { attemptsOf } from '../../support/writer-attempts.ts';
import { type Database, postgresDatabase } from '../types/databases.ts';
import { runTrip, tableWriter } from '../types/trips.ts';

/** Texts that are values of a type, and the bytes that turn them into something next to one. */
const types: readonly { readonly from?: LogicalType; readonly to: string; readonly texts: readonly string[]; readonly bytes: string }[] = [
  { to: 'boolean', texts: ['true', 'f', '1', '0', 't', 'false', 'yes'], bytes: 'tfyn01TF ' },
  { to: 'smallint', texts: ['-32768', '7', '0'], bytes: '0123456789-+. ' },
  { to: 'integer', texts: ['2147483647', '-1'], bytes: '0123456789-+.e_ ' },
  { to: 'bigint', texts: ['9223372036854775807', '-9223372036854775808', '123456789012345'], bytes: '0123456789-+.x ' },
  { to: 'numeric', texts: ['12345.6789', '-0.00010', '100000000', '.5', '5.'], bytes: '0123456789-+.eN ' },
  { to: 'numeric(8,3)', texts: ['12345.678', '-0.5', '1.2000'], bytes: '0123456789-+.e ' },
  {
    to: 'double precision',
    texts: ['0.1', '-1.7976931348623157e308', '1e-320', '123456789012345678', 'NaN', '-Infinity'],
    bytes: '0123456789-+.eExN ',
  },
  { to: 'real', texts: ['0.1', '16777217', '3.4028235e38', '1e-45', '0.333333343'], bytes: '0123456789-+.e ' },
  { to: 'text', texts: ['a\\b', 'tab\tlf\n', '\\N', '', ' blank '], bytes: '\\\t\nN é' },
  { to: 'varchar(5)', texts: ['abcde', 'a    ', 'éé'], bytes: 'abé ' },
  { to: 'char(3)', texts: ['abc', 'a', 'a  '], bytes: 'a ' },
  { to: 'json', texts: ['{"a": 1}', '[1,null]', '"\\u00e9"'], bytes: '{}[]",:1 \\' },
  { to: 'jsonb', texts: ['{"a": 1.50}', '[]', '"x"'], bytes: '{}[]",:1 \\' },
  { from: 'bytes', to: 'bytea', texts: ['\\x00ff', '\\x', '\\xAB0f'], bytes: '\\x0aFg' },
  {
    to: 'uuid',
    texts: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11', 'ab-cd-ef-1234-1234-1234-123456789012'],
    bytes: '-0aFg{}',
  },
  { to: 'date', texts: ['2024-02-29', '1999-12-31', '2024-02-29 00:00:00', '0001-01-01'], bytes: '0123456789-/ :.' },
  { to: 'time', texts: ['23:59:59', '00:00:00.123456', '12:00:00+02'], bytes: '0123456789:.- +' },
  { to: 'time(2)', texts: ['23:59:59.99', '12:00:00'], bytes: '0123456789:.' },
  { to: 'timestamp', texts: ['2024-02-29 23:59:59.123456', '1969-12-31T00:00:00', '2024-02-29'], bytes: '0123456789:.- +TZ' },
  { to: 'timestamp(3)', texts: ['2024-02-29 23:59:59.123', '1969-12-31 00:00:00'], bytes: '0123456789:.-' },
  {
    to: 'timestamptz',
    texts: ['2024-02-29 23:59:59.1+00', '1969-12-31 23:59:59-03:30', '2024-01-01T00:00:00Z', '0001-01-01 00:00:00+15'],
    bytes: '0123456789:.- +TZ',
  },
];

/** The text itself, or with one byte put in, taken out or in the place of another, once or twice. */
function nextTo({ texts, bytes }: (typeof types)[number]): fc.Arbitrary<string> {
  const change = fc.tuple(fc.nat(40), fc.constantFrom(...bytes), fc.constantFrom('insert', 'remove', 'replace'));
  return fc.tuple(fc.constantFrom(...texts), fc.array(change, { maxLength: 2 })).map(([text, changes]) =>
    changes.reduce((now, [place, byte, how]) => {
      const at = place % (now.length + 1);
      return `${now.slice(0, at)}${how === 'remove' ? '' : byte}${now.slice(how === 'insert' ? at : at + 1)}`;
    }, text),
  );
}

/** Widths, and what is JSON. */
const isJudged = /^(?:numeric\(|varchar|char|json)/;

/** Whether the server reads each of these texts as a value of the type. */
async function validTexts(database: Database, texts: readonly (readonly string[])[]): Promise<boolean[][]> {
  const valid: boolean[][] = [];
  for (const [index, some] of texts.entries()) {
    const list = some.map((text) => `E'${text.replace(/[\\']/g, '\\$&')}'`).join(', ');
    const rows = await database.query(
      `SELECT pg_input_is_valid(one, '${types[index]!.to}')::int FROM unnest(ARRAY[${list}]) WITH ORDINALITY AS all_texts (one, place) ORDER BY place`,
    );
    valid.push(rows.map(([isValid]) => isValid === '1'));
  }
  return valid;
}

/** Whether the text goes binary into the column. */
function isPacked(text: string, { from = 'string' }: (typeof types)[number], to: Column, form: BinaryForm): boolean {
  const source = { columns: [{ name: 'c', type: from, isNullable: true }] };
  const builder = new BatchBuilder(source, { maxBytes: 1000, maxRows: 1 });
  builder.push([text]);
  return (
    new BatchPacker(source, { layout: 'binary', forms: [form] }, new Fit(source, { columns: [to] }), 1000).pack(builder.take()!) !==
    undefined
  );
}

const csv = (text: string | undefined) => (text === undefined ? '' : `"${text.replaceAll('"', '""')}"`);

test('texts next to a value are packed only if the server takes them, and for what it takes them', async () => {
  const database = await postgresDatabase();
  onTestFinished(() => database.end());
  const columns = types.map(({ to }, index) => `c${index} ${to}`);
  await database.execute(`CREATE TABLE as_packed (id int, ${columns.join(', ')}, more text)`);
  await database.execute(`CREATE TABLE as_text (id int, ${columns.join(', ')}, more text[])`);
  const names = ['id', ...types.map((_, index) => `c${index}`), 'more'];
  const schema = { columns: names.map((name, index) => ({ name, type: types[index - 1]?.from ?? ('string' as const), isNullable: true })) };
  const { parameter } = tableWriter(database, 'as_packed');
  const connection = [{ jdbcUrl: [database.login.jdbcUrl], table: ['as_packed'] }];
  const attempts = await attemptsOf(plugin, { ...parameter, connection }, { run: 'odd-texts', schema, guarantee: 'at-least-once' });
  onTestFinished(() => attempts.close());
  const target = await attempts.prepare();
  const taken = types.map((one, index) => {
    const all = [...new Set([...one.texts, ...fc.sample(nextTo(one), { numRuns: 1500, seed: index })])];
    const some = all.filter((text) => isPacked(text, one, target.schema.columns[index + 1]!, target.forms!.forms[index + 1] as BinaryForm));
    expect([one.to, some.length > 3, some.length < all.length || /^(?:text|json)/.test(one.to)]).toEqual([one.to, true, true]);
    return some;
  });
  const isValid = await validTexts(database, taken);
  const texts = taken.map((some, index) => some.filter((_, number) => isValid[index]![number]));
  const folder = tempFolder();
  const { database: listened, statements, close } = await listenedDatabase(database);
  onTestFinished(close);
  const load = (rows: readonly (readonly (string | undefined)[])[], table: string) => {
    const lines = rows.map((row, id) => [String(id), ...row, undefined].map(csv).join(','));
    writeFileSync(join(folder, 'in.csv'), `${lines.join('\n')}\n`);
    const column = names.map((_, index) => ({ index, type: types[index - 1]?.from ?? 'string' }));
    const parameter = { path: join(folder, 'in.csv'), fileFormat: 'csv', nullFormat: '', column };
    return runTrip(folder, { name: 'txtfilereader', parameter }, tableWriter(listened, table));
  };
  // Only what the server looks at in either form may be something that it does not take: it takes it in neither.
  const bent = types.filter(({ to }, index) => !isJudged.test(to) && isValid[index]!.includes(false)).map(({ to }) => to);
  expect(bent).toEqual([]);
  const refused = taken.flatMap((some, index) => {
    const bad = some.filter((_, number) => !isValid[index]![number]).slice(0, 2);
    return bad.map((text) => types.map((_, other) => (other === index ? text : undefined)));
  });
  expect(refused.length).toBeGreaterThan(5);
  for (const row of refused) {
    const { exitCode, report } = await load([row], 'as_packed');
    expect({ row, exitCode, code: report?.error?.code }).toEqual({ row, exitCode: 5, code: 'DIRTY_LIMIT' });
  }
  const most = Math.max(...texts.map(({ length }) => length));
  const rows = Array.from({ length: most }, (_, row) => texts.map((all) => all[row]));
  for (const table of ['as_packed', 'as_text']) {
    statements.length = 0;
    const { exitCode, report, stderr } = await load(rows, table);
    expect({ table, exitCode, rows: report?.rows.written, attempts: report?.tasks[0]?.attempts.length, stderr }).toEqual({
      ...{ table, exitCode: 0, rows: most, attempts: 1, stderr: '' },
    });
    const copies = statements.filter((sql) => /^COPY .* FROM STDIN/.test(sql));
    expect([table, copies.map((sql) => sql.endsWith(' (FORMAT binary)'))]).toEqual([table, [table === 'as_packed']]);
  }
  const differing: string[] = [];
  for (const [index, { to }] of types.entries()) {
    const cell = (table: string) => (to === 'bytea' ? `encode(${table}.c${index}, 'hex')` : `${table}.c${index}::text`);
    const found = await database.query(
      `SELECT id, ${cell('as_packed')}, ${cell('as_text')} FROM as_packed JOIN as_text USING (id) WHERE ${cell('as_packed')} IS DISTINCT FROM ${cell('as_text')} LIMIT 5`,
    );
    for (const [id, is, should] of found) differing.push(`${to}: ${JSON.stringify(texts[index]![Number(id)])} became ${is}, not ${should}`);
  }
  expect(differing).toEqual([]);
});
