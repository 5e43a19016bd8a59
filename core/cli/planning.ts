import type { Screen } from './screen.ts';

/** Planning that is over by then says nothing. */
const patienceMs = 2000;

/** Says how far planning is, if it takes long: in place on a terminal, else a line every few seconds. */
export class Planning {
  readonly #screen: Screen;
  readonly #timer: NodeJS.Timeout;
  readonly #isTerminal = process.stderr.isTTY === true;
  #latest = 'planning: asking the source for its tables and keys';
  #told: string | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#timer = setInterval(() => this.#tell(), patienceMs).unref();
    if (this.#isTerminal) screen.beforeText = () => this.#clear();
  }

  /** What is being done now. */
  update(message: string): void {
    this.#latest = message;
    if (this.#told !== undefined && this.#isTerminal) this.#tell();
  }

  stop(): void {
    clearInterval(this.#timer);
    if (!this.#isTerminal) return;
    this.#clear();
    this.#screen.beforeText = undefined;
  }

  #tell(): void {
    if (this.#latest === this.#told) return;
    this.#told = this.#latest;
    if (this.#isTerminal) process.stderr.write(`\r\x1b[K${this.#screen.mask.apply(this.#latest)}`);
    else this.#screen.line(this.#latest);
  }

  #clear(): void {
    if (this.#told !== undefined) process.stderr.write('\r\x1b[K');
  }
}
