/** Entry module of the thread of a lane. */
import { useCodeCache } from '../start/code-cache.ts';
import type { Answer, Assignment } from './messages.ts';

useCodeCache();
const assignments = import('./lane-assignments.ts');

export default async function assigned(assignment: Assignment): Promise<Answer> {
  return (await assignments).assigned(assignment);
}
