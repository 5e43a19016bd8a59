import { expect, test } from 'vitest';
import { LoadSensor } from '../../../core/load/load-sensor.ts';
import { fakeMachine, type KernelFiles, procStat } from '../../support/machine-files.ts';

const MB = 2 ** 20;
const meminfo = 'MemTotal:       24684092 kB\nMemFree:        23180400 kB\nMemAvailable:    2048000 kB\nBuffers:            7360 kB\n';
const status = (list: string) => `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nMems_allowed_list:\t0\n`;
const pressure = (percent: number) =>
  `some avg10=${percent.toFixed(2)} avg60=0.00 avg300=0.00 total=4711\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`;

/** Four CPUs, no control groups. */
const plain: KernelFiles = {
  'proc/stat': procStat([1, 1, 1, 1].map((busy) => ({ busy, idle: 100 }))),
  'proc/self/status': status('0-3'),
  'proc/meminfo': meminfo,
};

/** A container of Docker or Kubernetes on a host of version 2: the own group is the root of what is seen. */
const container: KernelFiles = {
  ...plain,
  'proc/self/cgroup': '0::/\n',
  'sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
  'sys/fs/cgroup/cpu.max': '200000 100000\n',
  'sys/fs/cgroup/cpu.stat': 'usage_usec 5000000\nuser_usec 4000000\nsystem_usec 1000000\nnr_periods 10\nnr_throttled 0\nthrottled_usec 0\n',
  'sys/fs/cgroup/cpu.pressure': pressure(12.5),
  'sys/fs/cgroup/memory.pressure': pressure(0),
  'sys/fs/cgroup/memory.max': `${1000 * MB}\n`,
  'sys/fs/cgroup/memory.high': 'max\n',
  'sys/fs/cgroup/memory.current': `${700 * MB}\n`,
  'sys/fs/cgroup/memory.stat': `anon 400000000\nfile 300000000\ninactive_anon 1\nactive_anon 2\ninactive_file ${200 * MB}\nactive_file 5\n`,
};

test('without control groups cores are those that the process may run on, and others are what is busy and not ours', () => {
  const machine = fakeMachine({ ...plain, 'proc/self/status': status('0,2-3') });
  const sensor = new LoadSensor(machine);
  // CPU 1 is busy all the time, and is none of ours; the others are busy for 4, 2 and 1 of 4 seconds.
  const after = [5, 5, 3, 2].map((busy, cpu) => ({ busy, idle: [100, 100, 102, 103][cpu]! }));
  machine.pass(4, { 'proc/stat': procStat(after) }, 3);
  const sample = sensor.sample();
  expect(sample.cores).toBe(3);
  expect(sample.ours).toBeCloseTo(0.75);
  expect(sample.busyOthers).toBeCloseTo(7 / 4 - 0.75);
  expect(sample.memoryAvailableBytes).toBe(2_048_000 * 1024);
  expect(sample.rssBytes).toBe(100 * MB);
  expect(sample.loopUtilisation).toBe(0.25);
  expect(sample.pressure).toEqual({ cpu: undefined, memory: undefined });
});

test('time that the hypervisor gives away is busy, and waiting for a disk is not', () => {
  const machine = fakeMachine(plain);
  const sensor = new LoadSensor(machine);
  const after = [0, 1, 2, 3].map((cpu) => ({ busy: 1, idle: cpu < 2 ? 100 : 104, ...[{ steal: 4 }, { ioWait: 4 }][cpu] }));
  machine.pass(4, { 'proc/stat': procStat(after) });
  expect(sensor.sample().busyOthers).toBeCloseTo(1);
});

test('a container has the cores of its quota, and others are what its other processes use of it', () => {
  const machine = fakeMachine(container);
  const sensor = new LoadSensor(machine);
  // Our container used 6 s of CPU in 4 s, 2 of them we; the machine around it is busy on one more CPU.
  const after = [5, 5, 3, 1].map((busy, cpu) => ({ busy, idle: [100, 100, 102, 104][cpu]! }));
  machine.pass(4, { 'proc/stat': procStat(after), 'sys/fs/cgroup/cpu.stat': 'usage_usec 11000000\nuser_usec 1\n' }, 2);
  const sample = sensor.sample();
  expect(sample.cores).toBe(2);
  expect(sample.busyOthers).toBeCloseTo(1);
  expect(sample.memoryAvailableBytes).toBe(500 * MB);
  expect(sample.pressure).toEqual({ cpu: 0.125, memory: 0 });
});

test('a machine that is busy outside of the container leaves less of the quota', () => {
  const machine = fakeMachine(container);
  const sensor = new LoadSensor(machine);
  const after = [5, 5, 5, 2].map((busy, cpu) => ({ busy, idle: cpu < 3 ? 100 : 103 }));
  machine.pass(4, { 'proc/stat': procStat(after) });
  // 3.25 of 4 CPUs are busy: of our 2 there are 0.75 left.
  expect(sensor.sample().busyOthers).toBeCloseTo(1.25);
});

test('of groups within groups the tightest one holds', () => {
  const machine = fakeMachine({
    ...plain,
    'proc/self/cgroup': '0::/user.slice/user-1000.slice/job.scope\n',
    'sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
    'sys/fs/cgroup/user.slice/cpu.max': '150000 100000\n',
    'sys/fs/cgroup/user.slice/cpu.stat': 'usage_usec 0\n',
    'sys/fs/cgroup/user.slice/user-1000.slice/memory.max': `${300 * MB}\n`,
    'sys/fs/cgroup/user.slice/user-1000.slice/memory.current': `${100 * MB}\n`,
    'sys/fs/cgroup/user.slice/user-1000.slice/job.scope/cpu.max': 'max 100000\n',
    'sys/fs/cgroup/user.slice/user-1000.slice/job.scope/memory.max': `${900 * MB}\n`,
    'sys/fs/cgroup/user.slice/user-1000.slice/job.scope/memory.high': `${800 * MB}\n`,
    'sys/fs/cgroup/user.slice/user-1000.slice/job.scope/memory.current': `${90 * MB}\n`,
  });
  const sensor = new LoadSensor(machine);
  const sample = sensor.sample();
  expect(sample.cores).toBe(1.5);
  expect(sample.memoryAvailableBytes).toBe(200 * MB);
});

test('control groups of version 1 are understood, also where the path of the group is one of the host', () => {
  const machine = fakeMachine({
    ...plain,
    'proc/self/cgroup': '9:name=systemd:/docker/4c5\n4:memory:/docker/4c5\n2:cpu,cpuacct:/docker/4c5\n0::/\n',
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '300000\n',
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/cpu,cpuacct/cpuacct.usage': '41844360369194\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': `${800 * MB}\n`,
    'sys/fs/cgroup/memory/memory.usage_in_bytes': `${500 * MB}\n`,
    'sys/fs/cgroup/memory/memory.stat': `cache 10211328\nrss 8077312\ninactive_file 20480\ntotal_inactive_file ${100 * MB}\n`,
    'sys/fs/cgroup/unified/cgroup.controllers': '\n',
    'sys/fs/cgroup/unified/cpu.pressure': pressure(50),
  });
  const sensor = new LoadSensor(machine);
  machine.pass(2, { ...plain, 'sys/fs/cgroup/cpu,cpuacct/cpuacct.usage': String(41844360369194 + 5e9) }, 1);
  const sample = sensor.sample();
  expect(sample.cores).toBe(3);
  expect(sample.busyOthers).toBeCloseTo(2);
  expect(sample.memoryAvailableBytes).toBe(400 * MB);
  expect(sample.pressure.cpu).toBe(0.5);
});

test('groups of version 1 without limits are none', () => {
  const machine = fakeMachine({
    ...plain,
    'proc/self/cgroup': '4:memory:/process_api/94e4\n2:cpuacct:/\n1:cpu:/\n0::/\n',
    'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/memory/process_api/94e4/memory.limit_in_bytes': '9223372036854771712\n',
    'sys/fs/cgroup/memory/process_api/94e4/memory.usage_in_bytes': '21975040\n',
  });
  const sample = new LoadSensor(machine).sample();
  expect(sample.cores).toBe(4);
  expect(sample.memoryAvailableBytes).toBe(2_048_000 * 1024);
});

test('what others use is unknown before any time has passed, and asked again too soon the answer is the same', () => {
  const machine = fakeMachine(plain);
  const sensor = new LoadSensor(machine);
  expect(sensor.sample()).toMatchObject({ cores: 4, busyOthers: undefined, ours: undefined });
  machine.pass(1, { 'proc/stat': procStat([2, 1, 1, 1].map((busy, cpu) => ({ busy, idle: cpu === 0 ? 100 : 101 }))) });
  const sample = sensor.sample();
  expect(sample.busyOthers).toBeCloseTo(1);
  machine.pass(0.1, {});
  expect(sensor.sample()).toBe(sample);
});

test('a system without such files still has cores and memory', () => {
  const machine = fakeMachine({});
  const sensor = new LoadSensor(machine);
  machine.pass(1, {});
  const sample = sensor.sample();
  expect(sample.cores).toBeGreaterThanOrEqual(1);
  expect(sample.busyOthers).toBeUndefined();
  expect(sample.memoryAvailableBytes).toBeGreaterThan(0);
});
