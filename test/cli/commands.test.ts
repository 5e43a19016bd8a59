import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtInPlugins } from '../../core/registry/registry.ts';
import { runDray, writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('help', () => {
  test('dray --help lists the commands, examples and exit codes on stdout', async () => {
    const { exitCode, stdout, stderr } = await runDray(['--help']);
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const word of ['run', 'check', 'plugins', 'template', 'schema', 'Examples:', 'dray run orders.json', 'Exit codes:', '130']) {
      expect(stdout).toContain(word);
    }
  });

  test.each(['run', 'check', 'plugins', 'template', 'schema'])('dray %s --help has an example of its own', async (command) => {
    const { exitCode, stdout } = await runDray([command, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Examples:');
    expect(stdout).toContain(`dray ${command}`);
  });

  test('dray --version prints the version of the package', async () => {
    const { exitCode, stdout } = await runDray(['--version']);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });
});

test.each([
  [['rnu', 'job.json'], 'rnu'],
  [['run'], 'file'],
  [['run', '--chanels', '2', 'job.json'], '--channels'],
  [['run', 'job.json', '-p', 'novalue'], 'name=value'],
  [['run', 'job.json', '--channels', '0'], 'from 1 to 1000'],
  [['template', '-r', 'mysqlreader'], '--writer'],
])('dray %j is refused with exit code 2 and says what is wrong', async (args, hint) => {
  const { exitCode, stdout, stderr } = await runDray(args);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(hint);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test('dray without a command prints the help and exits with 2', async () => {
  const { exitCode, stderr } = await runDray([]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Usage: dray');
});

describe('plugins', () => {
  test('lists every built-in plugin with its DataX name and what it does', async () => {
    const { exitCode, stdout } = await runDray(['plugins']);
    expect(exitCode).toBe(0);
    for (const kind of ['reader', 'writer'] as const) {
      for (const { plugin } of await builtInPlugins(kind)) {
        expect(stdout).toContain(plugin.aliases!.at(-1));
        expect(stdout).toContain(plugin.summary);
      }
    }
  });

  test('shows the options of one, each with its meaning', async () => {
    const { exitCode, stdout } = await runDray(['plugins', 'mysqlwriter']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/connection\[\]\.jdbcUrl +text|connection\[\]\.jdbcUrl/);
    expect(stdout).toContain('"insert" | "replace" | "update", default "insert"');
    expect(stdout).not.toMatch(/\n {29}\n/);
  });

  test('as JSON they come with their option schemas', async () => {
    const { stdout } = await runDray(['plugins', 'stream', '--json']);
    const found = JSON.parse(stdout) as { kind: string; name: string; options: { properties: object } }[];
    expect(found.map(({ kind, name }) => [kind, name])).toEqual([
      ['reader', 'stream'],
      ['writer', 'stream'],
    ]);
    expect(found[0]!.options.properties).toHaveProperty('sliceRecordCount');
  });

  test('an unknown one is answered with the nearest, exit code 2', async () => {
    const { exitCode, stderr } = await runDray(['plugins', 'mysqlwritr']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('error PLUGIN_UNKNOWN');
  });
});

test('the template of every pair of built-in plugins is a job that check --offline accepts', async () => {
  const folder = tempFolder();
  const [readers, writers] = [await builtInPlugins('reader'), await builtInPlugins('writer')];
  const files: string[] = [];
  const environment: Record<string, string> = {};
  // Every reader and every writer at least once, in the pairs that a table of both makes.
  for (const { plugin: reader } of readers) {
    for (const { plugin: writer } of writers) {
      const { exitCode, stdout, stderr } = await runDray(['template', '-r', reader.aliases!.at(-1)!, '-w', writer.name]);
      expect([exitCode, stderr]).toEqual([0, '']);
      for (const [, name] of stdout.matchAll(/\$\{env:(\w+)\}/g)) environment[name!] = 'x';
      files.push(writeJob(folder, stdout, `${reader.name}-${writer.name}.json`));
    }
  }
  const { exitCode, stdout, stderr } = await runDray(['check', '--offline', ...files], { env: environment });
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout.match(/: ok, 1 content\n/g)).toHaveLength(files.length);
});

describe('schema', () => {
  interface Schema {
    readonly $schema?: string;
    readonly type?: string;
    readonly properties?: Record<string, Schema>;
    readonly additionalProperties?: boolean | Schema;
    readonly required?: string[];
    readonly items?: Schema;
    readonly allOf?: { if: { properties: { name: { enum: string[] } } }; then: { properties: { parameter: Schema } } }[];
  }

  test('is a JSON Schema of the job file that knows the options of every built-in plugin', async () => {
    const { exitCode, stdout } = await runDray(['schema']);
    expect(exitCode).toBe(0);
    const schema = JSON.parse(stdout) as Schema;
    expect(schema.$schema).toMatch(/^https:\/\/json-schema\.org\/draft\//);
    expect(schema).toMatchObject({ type: 'object', required: ['job'], additionalProperties: false });
    const { reader, writer } = schema.properties!.job!.properties!.content!.items!.properties as Record<'reader' | 'writer', Schema>;
    for (const [kind, end] of Object.entries({ reader: reader!, writer: writer! })) {
      for (const { plugin } of await builtInPlugins(kind as 'reader' | 'writer')) {
        const rule = end.allOf!.find((one) => one.if.properties.name.enum.includes(plugin.name))!;
        expect(rule.if.properties.name.enum).toContain(plugin.aliases![0]);
        const { parameter } = rule.then.properties;
        expect(Object.keys(parameter.properties!)).toEqual(Object.keys(plugin.options.shape));
        expect(parameter.additionalProperties).toBe(false);
      }
    }
  });

  test('a job file may name its schema', async () => {
    const folder = tempFolder();
    const path = writeJob(folder, { $schema: './job.schema.json', ...streamJob() });
    expect((await runDray(['check', '--offline', path])).exitCode).toBe(0);
  });
});

describe('check', () => {
  test('looks at the source and target, moves nothing, and says what would happen', async () => {
    const path = writeJob(tempFolder(), streamJob({ rows: 5, print: true }));
    const { exitCode, stdout } = await runDray(['check', path, '--channels', '2']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('content 1: stream → stream, about 10 rows in 2 tasks');
    expect(stdout).toContain('column id integer');
    expect(stdout).toContain('job.json: ok, 1 content');
    expect(stdout).not.toContain('1\thello');
  });

  test('looks at every file, and its exit code is that of the first mistake', async () => {
    const folder = tempFolder();
    const good = writeJob(folder, streamJob(), 'good.json');
    const bad = writeJob(folder, '{"job": 1}', 'bad.json');
    const { exitCode, stdout, stderr } = await runDray(['check', '--json', bad, good]);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject([
      { file: bad, isValid: false, error: { code: 'JOB_INVALID', place: `${bad}:1:2` } },
      { file: good, isValid: true, contents: [{ tasks: expect.any(Number) }] },
    ]);
    expect(stderr).toContain('JOB_INVALID');
  });

  test('dryRun in the job file is the same as check', async () => {
    const job = streamJob({ rows: 5, print: true, setting: { dryRun: true } });
    const { exitCode, stdout } = await runDray(['run', writeJob(tempFolder(), job)]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('ok, 1 content');
    expect(stdout).not.toContain('hello');
  });
});

test('a reader of the output that closes early is no error', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'head.sh'), 'node "$1" schema | head -c 10');
  const main = join(import.meta.dirname, '..', '..', 'dist', 'bundle', 'core', 'cli', 'main.js');
  expect(execFileSync('bash', ['-o', 'pipefail', join(folder, 'head.sh'), main], { encoding: 'utf8' })).toBe('{\n  "$sche');
});
