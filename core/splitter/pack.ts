import type { Split } from '../sdk/index.ts';
import { costOf, type SplitSizes } from './size.ts';

/** Names of a pack's members that are told before the rest is counted. */
const toldNames = 2;

/** Joins neighbours that are small to tasks of about the wanted size; order is kept. What does not say how big it is stays alone. */
export function packSmall(splits: readonly Split[], { bytesPerTask }: SplitSizes): Split[] {
  const packed: Split[] = [];
  let open: Split[] = [];
  let size = 0;
  const close = () => {
    if (open.length > 0) packed.push(open.length === 1 ? open[0]! : packOf(open));
    open = [];
    size = 0;
  };
  for (const split of splits) {
    const cost = split.range === undefined ? costOf(split) : undefined;
    if (cost === undefined || split.estimatedBytes === undefined || cost > bytesPerTask) {
      close();
      packed.push(split);
      continue;
    }
    if (size + cost > bytesPerTask) close();
    open.push(split);
    size += cost;
  }
  close();
  return packed;
}

function packOf(members: readonly Split[]): Split {
  const names = members.slice(0, toldNames).map(({ name }) => name);
  const rest = members.length - names.length;
  const rows = members.map(({ estimatedRows }) => estimatedRows);
  return {
    name: rest === 0 ? names.join(' and ') : `${names.join(', ')} and ${rest} more`,
    ...(rows.includes(undefined) ? {} : { estimatedRows: rows.reduce<number>((sum, count) => sum + count!, 0) }),
    estimatedBytes: members.reduce((sum, { estimatedBytes }) => sum + estimatedBytes!, 0),
    members,
  };
}
