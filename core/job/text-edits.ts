import type { Node } from 'jsonc-parser';

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Changes to a JSON text that leave all else as it stands: values, and comments that say why. The result is JSON with comments and trailing commas. */
export class TextEdits {
  readonly #text: string;
  readonly #edits: Edit[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** Puts a comment in the place of a property, or of another node of a list. */
  remove(node: Node, comment: string): void {
    let to = node.offset + node.length;
    // A comma in front may stay: it trails.
    const comma = /^\s*,/.exec(this.#text.slice(to));
    if (comma !== null) to += comma[0].length;
    const isAlone = this.#indent(node.offset) !== undefined && /^[^\S\n]*(\n|$)/.test(this.#text.slice(to));
    this.#edits.push({ from: node.offset, to, text: isAlone ? `// ${comment}` : block(comment) });
  }

  /** Gives a node another text. */
  replace(node: Node, text: string): void {
    this.#edits.push({ from: node.offset, to: node.offset + node.length, text });
  }

  /** A comment above a node, or in front of it where it does not begin its line. */
  commentOn(node: Node, comment: string): void {
    const indent = this.#indent(node.offset);
    this.#edits.push({
      from: node.offset,
      to: node.offset,
      text: indent === undefined ? `${block(comment)} ` : `// ${comment}\n${indent}`,
    });
  }

  /** A comment at the start of an object. */
  commentIn(object: Node, comment: string): void {
    const first = object.children?.[0];
    if (first !== undefined) this.commentOn(first, comment);
    else this.#edits.push({ from: object.offset + 1, to: object.offset + 1, text: ` ${block(comment)} ` });
  }

  result(): string {
    let text = '';
    let at = 0;
    // Of edits at one place the insertions come first, in the order in which they were made.
    for (const edit of this.#edits.sort((a, b) => a.from - b.from || a.to - b.to)) {
      text += this.#text.slice(at, edit.from) + edit.text;
      at = edit.to;
    }
    return text + this.#text.slice(at);
  }

  /** The blanks before a place, if there is nothing else before it in its line. */
  #indent(offset: number): string | undefined {
    const before = this.#text.slice(this.#text.lastIndexOf('\n', offset - 1) + 1, offset);
    return before.trim() === '' ? before : undefined;
  }
}

function block(comment: string): string {
  return `/* ${comment.replaceAll('*/', '* /')} */`;
}
