import { getNodeValue, type Node, type ParseError, parseTree } from 'jsonc-parser';
import { DrayError } from '../sdk/index.ts';
import { restoreTexts, strictJson } from './json-dialect.ts';
import { mistakeIn } from './json-mistakes.ts';
import { placeOf } from './variables.ts';

/** A parsed job file and what is needed to say where in it something stands. */
export interface JobText {
  readonly file: string;
  readonly text: string;
  readonly root: Node;
}

/**
 * Parses the text of a job file: JSON with comments and trailing commas, and what DataX's parser takes beside.
 * @throws DrayError JOB_SYNTAX with the place of the first mistake
 */
export function parseJobText(file: string, text: string): JobText {
  const errors: ParseError[] = [];
  const root = parseTree(strictJson(text), errors, { allowTrailingComma: true, disallowComments: false });
  const [error] = errors;
  if (error !== undefined || root === undefined) {
    const { what, offset } = text.trim() === '' || error === undefined ? { what: 'it is empty', offset: 0 } : mistakeIn(text, error);
    throw new DrayError('JOB_SYNTAX', `the job file is not JSON: ${what}`, { place: placeOf(file, text, offset) });
  }
  restoreTexts(root);
  if (root.type !== 'object') {
    throw new DrayError('JOB_SYNTAX', 'the job file must be a JSON object: {"job": …}', { place: placeOf(file, text, root.offset) });
  }
  const job = { file, text, root };
  refuseOddKeys(root, job);
  return job;
}

/** The value of a node. A whole number with more digits than a double holds stays the text it is, which all options take as well. */
export function plainValueOf(node: Node, text: string): unknown {
  if (node.type === 'array') return (node.children ?? []).map((child) => plainValueOf(child, text));
  if (node.type === 'object') {
    return Object.fromEntries(
      (node.children ?? []).map(({ children: [key, value] = [] }) => [
        String(key!.value),
        value === undefined ? undefined : plainValueOf(value, text),
      ]),
    );
  }
  const value: unknown = getNodeValue(node);
  if (typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  const digits = text.slice(node.offset, node.offset + node.length);
  return /^-?\d+$/.test(digits) ? digits : value;
}

/** JSON parsers keep the last of two equal keys; the user has lost track of one of them. */
function refuseOddKeys(node: Node, job: JobText): void {
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    if (child.type === 'property') {
      const key = String(child.children?.[0]?.value);
      const place = placeOf(job.file, job.text, child.offset);
      if (seen.has(key)) throw new DrayError('JOB_SYNTAX', `the key "${key}" stands twice in the same object`, { place });
      if (/^\*[A-Za-z]/.test(key)) throw encryptedKey(key, place);
      seen.add(key);
    }
    refuseOddKeys(child, job);
  }
}

/** @see DataX's SecretUtil.decryptSecretKey: what stands under a key that begins with a star is decrypted with keys of its installation */
function encryptedKey(key: string, place: string): DrayError {
  const name = key.slice(1);
  return new DrayError('JOB_INVALID', `"${key}" holds a text that DataX has encrypted, which dray cannot read`, {
    place,
    remedy: `Write "${name}": "\${env:NAME}" or "\${file:path}" instead, and take "keyVersion" out of job.setting.`,
  });
}
