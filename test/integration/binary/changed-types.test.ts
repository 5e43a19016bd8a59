import { expect, onTestFinished, test } from 'vitest';
import { RecordBatch, type Schema } from '../../../core/sdk/index.ts';
import plugin from '../../../plugins/postgres/writer.ts';
import { providedPostgres } from '../../support/provided-servers.ts';
import { postgresDatabase } from '../../support/sql.ts';
import { attemptsOf } from '../../support/writer-attempts.ts';

const schema: Schema = { columns: [{ name: 'id', type: 'integer', isNullable: true, nativeType: 'integer' }] };
/** The int4 of 7, in a row of its own. */
const seven = new RecordBatch(schema, Buffer.from('640000000e000100000004' + '00000007', 'hex'), 1, 'binary');

test.each([
  ['insert', true],
  ['insert', false],
  ['update', true],
] as const)(
  'bytes that are a value of the type that a column has now are not taken for one (%s, straight: %s)',
  async (writeMode, isStraight) => {
    const server = providedPostgres();
    const name = `changed_types_${writeMode}_${isStraight}`;
    await server.createDatabase(name);
    const database = postgresDatabase(server, name);
    await database.sql('CREATE TABLE target (id int PRIMARY KEY)');
    const parameter = {
      ...{ username: database.user, password: database.password, writeMode },
      connection: [{ jdbcUrl: [database.jdbcUrl], table: ['target'] }],
    };
    const { writer, prepare } = await attemptsOf(plugin, parameter, { run: name, schema, guarantee: 'at-least-once' });
    onTestFinished(async () => writer.close?.());
    const target = await prepare();
    expect(target.forms).toEqual({ layout: 'binary', forms: ['int4'] });
    const load = async () => {
      const task = await writer.openTask({ id: 1, attempt: 1, guarantee: 'at-least-once', isStraight, source: schema, target });
      try {
        await task.write(seven);
        await task.finish?.();
        await task.commit(null);
      } catch (error) {
        await task.abort();
        throw error;
      }
    };
    await load();
    expect(await database.sql('SELECT id FROM target')).toEqual([['7']]);
    // A date has four bytes, too.
    await database.sql('DROP TABLE target', 'CREATE TABLE target (id date PRIMARY KEY)');
    await expect(load()).rejects.toMatchObject({ code: 'SCHEMA_CHANGED', message: expect.stringContaining('target') as string });
    expect(await database.sql('SELECT id FROM target')).toEqual([]);
  },
);
