import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonScanner, numberEnd } from '../../../../../plugins/_files/formats/json-lines/json-scanner.ts';

const scanner = new JsonScanner();

/** True if the whole text is one JSON value for the scanner. */
function isValue(text: string): boolean {
  // Something stands behind, as in a window.
  const bytes = Buffer.from(`${text}"}]0`);
  const length = Buffer.byteLength(text);
  return scanner.valueEnd(bytes, 0, length) === length;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the JSON scanner', () => {
  test('takes every JSON text, whatever its depth', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 0, max: 2 }), (json, indent) => {
        expect(isValue(JSON.stringify(JSON.parse(json), undefined, indent).trim())).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect(isValue(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toBe(true);
  });

  test('takes exactly what JSON.parse takes, of texts that are nearly JSON', () => {
    const near = fc.string({
      unit: fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ':',
        ',',
        '\\',
        'u',
        'n',
        '0',
        '1',
        '-',
        '.',
        'e',
        '+',
        ' ',
        'true',
        'null',
        'fals',
        '\t',
        '\n',
        '"a"',
        '\\u12aF',
        'é',
      ),
      maxLength: 12,
    });
    let [right, wrong] = [0, 0];
    fc.assert(
      fc.property(near, (text) => {
        // JSON.parse also takes blanks at both ends.
        const trimmed = text.replace(/^[ \t\n]+|[ \t\n]+$/g, '');
        expect({ trimmed, isValue: isValue(trimmed) }).toEqual({ trimmed, isValue: isJson(trimmed) });
        if (isJson(trimmed)) right++;
        else wrong++;
      }),
      { numRuns: 30_000 },
    );
    expect(Math.min(right, wrong)).toBeGreaterThan(500);
  });

  test('takes no text that lost or changed a character, unless that is JSON, too', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.constantFrom('', '"', '\\', ',', ':', '}', ']', '1', '\u0001'),
        (json, place, by) => {
          const at = place % json.length;
          const changed = `${json.slice(0, at)}${by}${json.slice(at + 1)}`.trim();
          expect({ changed, isValue: isValue(changed) }).toEqual({ changed, isValue: isJson(changed) });
        },
      ),
      { numRuns: 10_000 },
    );
  });

  test('finds where a number ends', () => {
    const end = (text: string) => numberEnd(Buffer.from(text), 0, Buffer.byteLength(text));
    expect(['0', '-0', '12\t', '1.50,', '1e5', '-1.5E-07]', '0.0'].map(end)).toEqual([1, 2, 2, 4, 3, 8, 3]);
    expect(['', '-', '01', '.5', '5.', '1e', '1e+', '+1', 'NaN'].map(end)).toEqual([-1, -1, -1, -1, -1, -1, -1, -1, -1]);
  });
});
