import { DrayError } from 'dray/sdk';

/** What can be told of code without running it. */
export interface CodeShape {
  /** Columns that it names as `row.name` or `row['name']`; undefined if it uses `row` in other ways, too. */
  readonly names: readonly string[] | undefined;
  /** Those that it may change; all of them where that cannot be told. */
  readonly changes: ReadonlySet<string> | 'all';
  /** It begins by changing the row: as an expression it decides nothing. */
  readonly beginsWithChange: boolean;
  /** It may change something, somewhere. */
  readonly hasChange: boolean;
}

const use =
  /(\+\+|--|\bdelete)?\s*(?<![\w$.])row(?![\w$])(?:\s*\??\.\s*([A-Za-z_$][\w$]*)|\s*(?:\?\.)?\[\s*(?:'([^'\\\n]*)'|"([^"\\\n]*)")\s*\])?/g;
const assigns = /^\s*(?:\+\+|--|(?:[-+*/%&|^]|\*\*|&&|\|\||\?\?|<<|>>>?)?=(?![=>]))/;
/** An assignment whose left side is no single name, so that nothing can be told of it. */
const unclear = /[\]})]\s*=(?![=>])|\bfor\s*(?:await\s*)?\(\s*row\b/;
const change = /(?<![=!<>])=(?![=>])|\+\+|--|\bdelete\b/;

/** Looks for the columns that code uses, so that only these need be decoded and packed. Strings and comments count as code: that only makes it careful. */
export function shapeOf(code: string): CodeShape {
  const names = new Set<string>();
  const changes = new Set<string>();
  let isClear = true;
  let beginsWithChange = false;
  for (const match of code.matchAll(use)) {
    const [whole, before, plain, single, double] = match;
    const name = plain ?? single ?? double;
    if (name === undefined || name in Object.prototype) {
      isClear = false;
      continue;
    }
    names.add(name);
    const isAssigned = before !== undefined || assigns.test(code.slice(match.index + whole.length));
    if (isAssigned) changes.add(name);
    if (isAssigned && code.slice(0, match.index).trim() === '') beginsWithChange = true;
  }
  const isKnown = isClear && !unclear.test(code);
  return { names: isClear ? [...names] : undefined, changes: isKnown ? changes : 'all', beginsWithChange, hasChange: change.test(code) };
}

/** @throws DrayError CODE_FAILED if nobody can tell whether an expression decides about the row or only changes it */
export function refuseUnclear({ beginsWithChange, hasChange }: CodeShape): void {
  if (!hasChange || beginsWithChange) return;
  throw new DrayError(
    'CODE_FAILED',
    'the code is an expression that may change something, and it is not clear whether its value decides about the row',
    {
      remedy: 'End it with a semicolon if it only changes the row, or write `return` in front if false and null are to drop the row.',
    },
  );
}
