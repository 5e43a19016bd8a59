import type { BareForm } from './bare-rows.ts';
import type { BinaryForm } from './binary-rows.ts';

/** In the order of its columns, how a target takes cells in the rows that cost it less than canonical text: PostgreSQL's binary ones (see binary-rows.ts), or bare ones (see bare-rows.ts). */
export type TargetForms =
  | { readonly layout: 'binary'; readonly forms: readonly BinaryForm[] }
  | { readonly layout: 'bare'; readonly forms: readonly BareForm[] };

/** How rows are packed: `text` is COPY text, which everything can read and write; the others go only to a writer that has said in which form it takes each cell. */
export type Layout = 'text' | TargetForms['layout'];
