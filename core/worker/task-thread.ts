/** Entry module of the thread of a lane. */
import { useCodeCache } from '../start/code-cache.ts';
import type { Answer, Assignment } from './messages.ts';

useCodeCache();
const assignments = import('./lane-assignments.ts');
// Whoever assigns something is told. A thread that died of it would be replaced, again and again.
assignments.catch(() => undefined);

export default async function assigned(assignment: Assignment): Promise<Answer> {
  return (await assignments).assigned(assignment);
}
