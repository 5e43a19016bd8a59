import { expect } from 'vitest';
import type { ErrorCode } from '../../core/sdk/index.ts';
import type { DrayResult } from './run-dray.ts';

export interface ExpectedFault {
  readonly exitCode: number;
  readonly code: ErrorCode;
  /** Part of the sentence. */
  readonly says?: string | RegExp;
  /** Part of the place. */
  readonly where?: string;
}

/** A run of `--json` must have failed like that: one sentence with a code, a place if one is expected, and what to do; no stack trace. */
export function expectFault({ exitCode, stderr, report }: DrayResult, expected: ExpectedFault): void {
  expect({ exitCode, code: report?.error?.code, stderr }).toMatchObject({ exitCode: expected.exitCode, code: expected.code });
  expect(stderr).toMatch(new RegExp(`^error ${expected.code}: \\S[^\\n]*\\n(  where: +\\S[^\\n]*\\n)?  what to do: \\S[^\\n]*\\n`, 'm'));
  expect(stderr.match(/^error /gm)).toHaveLength(1);
  expect(stderr).not.toMatch(/^\s+at .*[:(]/m);
  expect(report?.error?.message).not.toMatch(/undefined|\[object/);
  if (expected.says !== undefined) expect(report?.error?.message).toMatch(expected.says);
  if (expected.where !== undefined) expect(report?.error?.place).toContain(expected.where);
}
