import { expect, test } from 'vitest';
import { allLanes, defaultGroups, groups, lanesNamed } from '../../../benchmarks/lanes.ts';
import { laneList, parseBenchOptions, usage } from '../../../benchmarks/options.ts';

const parsed = (...args: string[]) => {
  const options = parseBenchOptions(args);
  if (typeof options === 'string') throw new Error(`options are ${options}`);
  return options;
};
const namesOf = (...args: string[]) => parsed(...args).lanes?.map(({ name }) => name);

test('every lane has a name of its own, which is no name of a group', () => {
  const names = [...allLanes.map(({ name }) => name), ...Object.keys(groups)];
  expect(names.length).toBeGreaterThan(80);
  expect(new Set(names).size).toBe(names.length);
});

test('lanes are taken by name and by group, each once', () => {
  expect(namesOf('--lanes', 'help,latency')).toEqual(['help', 'small-mysql-postgres', 'small-postgres-postgres']);
  expect(namesOf('--lanes', '')).toEqual([]);
  expect(() => parsed('--lanes', 'latency,nothing')).toThrow('There is no lane and no group "nothing": --list shows them.');
});

test('without names there are none, and --memory and --grow add to the usual lanes or to those that are named', () => {
  expect(parsed().lanes).toBeUndefined();
  const usual = lanesNamed(defaultGroups).map(({ name }) => name);
  expect(namesOf('--memory')).toEqual([...usual, ...groups.memory.map(({ name }) => name)]);
  expect(namesOf('--lanes', 'help', '--grow')).toEqual(['help', ...groups.growth.map(({ name }) => name)]);
});

test('rows, runs and channels are whole numbers', () => {
  expect(parsed('--rows', '2_000', '--runs', '3', '--channels', '1,2,4')).toMatchObject({ rows: 2000, runs: 3, channels: [1, 2, 4] });
  expect(parsed()).toMatchObject({ rows: 1_000_000, runs: 5, channels: [1, 2], baseline: 'none' });
  expect(() => parsed('--runs', '0')).toThrow('--runs must be a whole number, at least 1.');
  expect(() => parsed('--channels', '1,x')).toThrow('--channels must be a whole number');
});

test('the baseline is checked or written, not both', () => {
  expect(parsed('--check').baseline).toBe('check');
  expect(parsed('--write-baseline').baseline).toBe('write');
  expect(() => parsed('--check', '--write-baseline')).toThrow('do not go together');
});

test('help and list come first, and name what there is', () => {
  expect(parseBenchOptions(['--help'])).toBe('help');
  expect(parseBenchOptions(['--list', '--lanes', 'help'])).toBe('list');
  for (const group of Object.keys(groups)) expect(usage).toContain(group);
  for (const { name } of allLanes) expect(laneList()).toContain(`  ${name}\n`);
});
