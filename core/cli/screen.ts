import pc from 'picocolors';
import { SecretMask } from '../job/secret-mask.ts';
import type { ErrorWire } from '../sdk/index.ts';

const colors = pc.createColors(process.stderr.isTTY === true && pc.isColorSupported);

/** Everything dray says to a person goes through here: stderr, secrets masked, each warning once. */
export class Screen {
  readonly mask: SecretMask;
  readonly #warned = new Set<string>();
  #beforeText: (() => void) | undefined;

  constructor(mask = new SecretMask()) {
    this.mask = mask;
  }

  /** Called before a line is written, so that a progress bar can clear its own. */
  set beforeText(clear: (() => void) | undefined) {
    this.#beforeText = clear;
  }

  /** A result, on stdout. */
  result(text: string): void {
    process.stdout.write(this.mask.apply(text));
  }

  /** A result as one line of JSON, on stdout. */
  json(value: unknown): void {
    process.stdout.write(`${this.mask.json(value)}\n`);
  }

  /** A line for people, on stderr. */
  line(text: string): void {
    this.#beforeText?.();
    process.stderr.write(`${this.mask.apply(text)}\n`);
  }

  /** Something worth knowing that is no reason to worry; once per text. */
  note(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.line(`${colors.cyan('note')} ${message}`);
  }

  warn(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.line(`${colors.yellow('warning')} ${message}`);
  }

  /** One sentence with a code, where, and what to do. */
  error({ code, message, place, remedy, stack }: ErrorWire): void {
    this.line(`${colors.red('error')} ${colors.bold(code)}: ${message}`);
    if (place !== undefined) this.line(`  where:      ${place}`);
    this.line(`  what to do: ${remedy}`);
    if (process.env.DRAY_DEBUG === '1' && stack !== undefined) this.line(stack);
  }
}
