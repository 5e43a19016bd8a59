import { choice, z } from 'dray/sdk';

/** `shards` of the readers of SQL databases: what holds where many tables are read as one. */
export function shardOptions() {
  return z
    .strictObject({
      missing: choice(['fail', 'skip'])
        .prefault('fail')
        .describe(
          'A table or database that is named and not there, or a regular expression that matches nothing; skip says what was left out',
        ),
      columns: choice(['fail', 'common', 'fill-null'])
        .prefault('fail')
        .describe(
          'Tables whose columns have other names than those of the first one; common: "*" is what all have; fill-null: it is what any has, NULL where it is not. Their order never counts; a column of another type is an error',
        ),
      collisions: choice(['ignore', 'fail', 'keep-first', 'add-shard'])
        .prefault('ignore')
        .describe(
          'Rows of several tables with the same primary key; ignore: the target tells; fail: keys are compared before anything is loaded (by their ranges, where these overlap one by one); keep-first: they are compared so, and the row of the table that the job file names first is read, the others are not; add-shard: _shard and _table are delivered as last columns, for the key of the target',
        ),
    })
    .prefault({})
    .describe('What holds where many tables are read as one');
}

export type ShardPolicy = z.output<ReturnType<typeof shardOptions>>;
