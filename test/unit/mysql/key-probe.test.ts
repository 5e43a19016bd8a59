import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Alphabet, middleOf } from '../../../plugins/mysql/key-probe.ts';

/** Characters in their order; those of one entry are equal, as they are under a collation that folds case. */
function alphabetOf(...ranks: string[]): Alphabet {
  const rankOf = new Map(ranks.flatMap((equal, index) => [...equal].map((character) => [character, index + 1] as const)));
  return { rankOf, characters: ['', ...ranks.map((equal) => [...equal][0]!)] };
}

const none = alphabetOf();
const folding = alphabetOf(...'0123456789', 'aA', 'bB', 'cC', 'oOöÖ', 'zZ', '漢', '😀');

/** Two of a kind of value, the smaller one first, as the column would print them; not equal. */
function pairs<T>(one: fc.Arbitrary<T>, order: (one: T, other: T) => number): fc.Arbitrary<readonly [T, T]> {
  return fc
    .tuple(one, one)
    .filter(([low, high]) => order(low, high) !== 0)
    .map(([low, high]) => (order(low, high) < 0 ? [low, high] : [high, low]));
}

function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

describe('between whole numbers', () => {
  const middle = (low: string, high: string) => middleOf('integer', low, high, none);

  test.each([
    ['1', '9', '5'],
    ['-9', '-1', '-5'],
    ['-1', '1', '0'],
    ['0', '18446744073709551615', '9223372036854775807'],
    ['-9223372036854775808', '9223372036854775807', '-1'],
    ['1901', '2155', '2028'],
  ])('%s and %s is %s', (low, high, expected) => {
    expect(middle(low, high)).toBe(expected);
  });

  test('it is the one in the middle, and none if they are neighbours', () => {
    const anyNumber = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(
        pairs(anyNumber, (one, other) => (one < other ? -1 : one > other ? 1 : 0)),
        ([low, high]) => {
          const found = middle(String(low), String(high));
          expect(found === undefined).toBe(high - low === 1n);
          if (found !== undefined) {
            expect([BigInt(found) > low, BigInt(found) < high]).toEqual([true, true]);
            expect(Math.abs(Number(high - BigInt(found) - (BigInt(found) - low)))).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
    expect(middle('7', '8')).toBeUndefined();
    expect(middle('7', '7')).toBeUndefined();
  });
});

describe('between decimals', () => {
  const middle = (low: string, high: string) => middleOf('decimal', low, high, none);

  test.each([
    ['0.00', '1.00', '0.50'],
    ['-0.50', '0.50', '0.00'],
    ['-0.09', '-0.01', '-0.05'],
    ['1.5', '1.55', '1.52'],
    ['-1', '0.5', '-0.3'],
    ['0.0000000001', '99999999999999999999.0000000001', '49999999999999999999.5000000001'],
  ])('%s and %s is %s', (low, high, expected) => {
    expect(middle(low, high)).toBe(expected);
  });

  test('it is strictly between, whatever their scales and signs, and none if no number of the longer scale is', () => {
    const anyDecimal = fc.record({ digits: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), scale: fc.integer({ min: 0, max: 6 }) });
    const print = ({ digits, scale }: { digits: bigint; scale: number }) => {
      const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
      const at = text.length - scale;
      return `${digits < 0n ? '-' : ''}${text.slice(0, at)}${scale === 0 ? '' : `.${text.slice(at)}`}`;
    };
    const scaled = (text: string) => {
      const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)!;
      return BigInt(`${sign}${whole}${fraction.padEnd(6, '0')}`);
    };
    const order = (one: string, other: string) => Number(scaled(one) - scaled(other));
    fc.assert(
      fc.property(pairs(anyDecimal.map(print), order), ([low, high]) => {
        const found = middle(low, high);
        const scale = Math.max(...[low, high].map((text) => text.split('.')[1]?.length ?? 0));
        expect(found === undefined).toBe(scaled(high) - scaled(low) === 10n ** BigInt(6 - scale));
        if (found !== undefined) expect([scaled(low) < scaled(found), scaled(found) < scaled(high)]).toEqual([true, true]);
      }),
    );
  });
});

describe('between dates', () => {
  const middle = (low: string, high: string) => middleOf('date', low, high, none);

  test.each([
    ['2026-01-01', '2026-01-31', '2026-01-16'],
    ['0000-00-00', '9999-12-31', '4999-12-31'],
    ['0000-00-00', '0000-01-03', '0000-01-02'],
    ['1969-12-01', '1970-02-01', '1970-01-01'],
    ['2024-02-28', '2024-03-01', '2024-02-29'],
    ['9999-12-29', '9999-12-31', '9999-12-30'],
    ['0001-01-01', '0099-12-31', '0050-07-02'],
  ])('%s and %s is %s', (low, high, expected) => {
    expect(middle(low, high)).toBe(expected);
  });

  test.each([
    ['2026-01-01', '2026-01-02'],
    ['9999-12-30', '9999-12-31'],
    ['0000-00-00', '0000-01-01'],
    ['2023-02-28', '2023-03-01'],
  ])('%s and %s is none', (low, high) => {
    expect(middle(low, high)).toBeUndefined();
  });

  test('it is strictly between, from the year 0 to 9999', () => {
    const anyDay = fc
      .date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((day) => day.toISOString().slice(0, 10));
    fc.assert(
      fc.property(pairs(anyDay, byText), ([low, high]) => {
        const found = middle(low, high);
        const days = (Date.parse(high) - Date.parse(low)) / 86_400_000;
        expect(found === undefined).toBe(days === 1);
        if (found !== undefined) expect([low < found, found < high]).toEqual([true, true]);
      }),
    );
  });
});

describe('between timestamps', () => {
  const middle = (low: string, high: string) => middleOf('timestamp', low, high, none);

  test.each([
    ['2026-01-01 00:00:00', '2026-01-01 00:00:02', '2026-01-01 00:00:01.000000'],
    ['0000-00-00 00:00:00', '0000-01-01 00:00:02', '0000-01-01 00:00:01.000000'],
    ['9999-12-31 23:59:57', '9999-12-31 23:59:59', '9999-12-31 23:59:58.000000'],
    ['1969-12-31 23:59:59.999999', '1970-01-01 00:00:00.000001', '1970-01-01 00:00:00.000000'],
    ['1969-12-31 23:59:59.999990', '1969-12-31 23:59:59.999996', '1969-12-31 23:59:59.999993'],
    ['2026-01-01 00:00:00.10', '2026-01-01 00:00:00.20', '2026-01-01 00:00:00.150000'],
  ])('%s and %s is %s', (low, high, expected) => {
    expect(middle(low, high)).toBe(expected);
  });

  test.each([
    ['2026-01-01 00:00:00.000001', '2026-01-01 00:00:00.000002'],
    ['2026-01-01 00:00:00', '2026-01-01 00:00:00'],
  ])('%s and %s is none', (low, high) => {
    expect(middle(low, high)).toBeUndefined();
  });

  test('it is strictly between, to the microsecond', () => {
    const anyTime = fc
      .tuple(
        fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        fc.integer({ min: 0, max: 999_999 }),
      )
      .map(([time, rest]) => `${time.toISOString().slice(0, 19).replace('T', ' ')}.${String(rest).padStart(6, '0')}`);
    fc.assert(
      fc.property(pairs(anyTime, byText), ([low, high]) => {
        const found = middle(low, high);
        if (found === undefined) expect(microseconds(high) - microseconds(low)).toBeLessThanOrEqual(1n);
        else expect([low < found, found < high]).toEqual([true, true]);
      }),
    );
  });
});

function microseconds(time: string): bigint {
  return 1000n * BigInt(Date.parse(`${time.slice(0, 10)}T${time.slice(11, 19)}Z`)) + BigInt(time.slice(20));
}

describe('between UUIDs', () => {
  const middle = (low: string, high: string) => middleOf('uuid', low, high, none);
  /** As MariaDB compares them: those of version 1 to 5 by their groups from the last to the first, behind or before all others. */
  const turned = (uuid: string) => uuid.split('-').reverse().join('-');

  const anyVersion = (versions: string) =>
    fc
      .tuple(
        fc.stringMatching(/^[0-9a-f]{12}$/),
        fc.constantFrom(...versions),
        fc.stringMatching(/^[0-9a-f]{3}$/),
        fc.constantFrom(...'89ab'),
        fc.stringMatching(/^[0-9a-f]{15}$/),
      )
      .map(
        ([start, version, middleDigits, variant, end]) =>
          `${start.slice(0, 8)}-${start.slice(8)}-${version}${middleDigits}-${variant}${end.slice(0, 3)}-${end.slice(3)}`,
      );

  test.each(['1', '4'])('of version %s it is strictly between in the order of their last groups, and of that version', (version) => {
    fc.assert(
      fc.property(
        pairs(anyVersion(version), (one, other) => byText(turned(one), turned(other))),
        ([low, high]) => {
          fc.pre(turned(low).slice(0, 10) !== turned(high).slice(0, 10));
          const found = middle(low, high)!;
          expect([turned(low) < turned(found), turned(found) < turned(high)]).toEqual([true, true]);
          expect(found).toMatch(new RegExp(`^[0-9a-f]{8}-[0-9a-f]{4}-${version}[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`));
        },
      ),
    );
  });

  test('of version 7 it is strictly between in the order of their texts, and of that version', () => {
    fc.assert(
      fc.property(pairs(anyVersion('7'), byText), ([low, high]) => {
        fc.pre(low.slice(0, 11) !== high.slice(0, 11));
        const found = middle(low, high)!;
        expect([low < found, found < high]).toEqual([true, true]);
        expect(found).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });
});

describe('between bytes', () => {
  const middle = (low: string, high: string) => middleOf('bytes', low, high, none);

  test.each([
    ['', 'FF', '7F80000000000000000000'.slice(0, 20)],
    ['00', '02', '01000000000000000000'],
    ['AABBCC00', 'AABBCC40', 'AABBCC20000000000000000000'],
  ])('%j and %s is %s', (low, high, expected) => {
    expect(middle(low, high)).toBe(expected);
  });

  test.each([
    ['AB', 'AB'],
    ['AB', 'AB00'],
    ['00FFFFFFFFFFFFFFFFFFFF', '01'],
  ])('%s and %s is none', (low, high) => {
    expect(middle(low, high)).toBeUndefined();
  });

  test('it is strictly between, and whole bytes; none only if they are close', () => {
    const anyBytes = fc.uint8Array({ maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex').toUpperCase());
    fc.assert(
      fc.property(pairs(anyBytes, byText), ([low, high]) => {
        const found = middle(low, high);
        const first = (hex: string) => BigInt(`0x${hex.slice(0, 20).padEnd(20, '0')}`);
        if (found === undefined) expect(first(high) - first(low)).toBeLessThanOrEqual(1n);
        else {
          expect([low < found, found < high]).toEqual([true, true]);
          expect(found).toMatch(/^([0-9A-F]{2})+$/);
        }
      }),
    );
  });
});

describe('between texts', () => {
  const middle = (low: string, high: string) => middleOf('string', low, high, folding);
  const ranks = (text: string) => [...text].map((character) => folding.rankOf.get(character)!);
  const order = (one: string, other: string) => {
    const [left, right] = [ranks(one), ranks(other)];
    const at = left.findIndex((rank, index) => rank !== right[index]);
    return at === -1 ? left.length - right.length : left[at]! - (right[at] ?? 0);
  };

  test('it follows the order of the collation, in which characters may be equal', () => {
    expect(middle('a', 'c')).toMatch(/^b/);
    expect(middle('A', 'c')).toMatch(/^b/);
    expect(middle('AAAA1', 'aaaa3')).toMatch(/^AAAA2/);
    expect(middle('漢0', '漢😀')).toMatch(/^漢/);
  });

  test.each([
    ['a', 'A'],
    ['abc', 'ABC'],
    ['o', 'Ö'],
    ['', ''],
  ])('%j and %j, which are equal, is none', (low, high) => {
    expect(middle(low, high)).toBeUndefined();
  });

  test('it is strictly between in that order, unless they are close', () => {
    const anyText = fc.string({ unit: fc.constantFrom(...folding.rankOf.keys()), maxLength: 16 });
    fc.assert(
      fc.property(pairs(anyText, order), ([low, high]) => {
        const found = middle(low, high);
        if (found !== undefined) expect([order(low, found) < 0, order(found, high) < 0]).toEqual([true, true]);
        else expect(Math.abs((ranks(high)[0] ?? 0) - (ranks(low)[0] ?? 0))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1000 },
    );
  });

  test('it is none where they differ only behind what a probe looks at', () => {
    expect(middle(`a${'😀'.repeat(15)}`, 'b')).toBeUndefined();
    expect(middle('a', 'a0')).toBeUndefined();
  });

  test('texts with one beginning have it in common with what is between', () => {
    const beginning = 'ab'.repeat(50);
    expect(middle(`${beginning}1`, `${beginning}9`)).toMatch(new RegExp(`^${beginning}5`));
  });

  test('a type of another name is searched like a text', () => {
    expect(middleOf('other', 'a', 'c', folding)).toBe(middle('a', 'c'));
  });
});
