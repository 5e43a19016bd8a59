import { type FileHandle, open, readFile } from 'node:fs/promises';
import { unusable } from './state-folder.ts';

/**
 * A file of JSON lines that only grows. A line that `append` was awaited for survives a crash of the machine; of a line that was being written a torn end may
 * remain, which reading ignores and the next writer cuts off.
 */
export class Journal<E extends object> {
  readonly #path: string;
  readonly #file: FileHandle;
  #queue: Promise<void> = Promise.resolve();
  #pending: string[] = [];

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async open<E extends object>(path: string): Promise<Journal<E>> {
    try {
      const file = await open(path, 'a+', 0o600);
      const whole = wholeLines(await readFile(path, 'utf8'));
      await file.truncate(Buffer.byteLength(whole));
      return new Journal<E>(path, file);
    } catch (cause) {
      throw unusable(path, cause);
    }
  }

  /** All events so far; none if there is no such file. */
  static async read<E extends object>(path: string): Promise<E[]> {
    const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return '';
      throw unusable(path, cause);
    });
    return wholeLines(text)
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as E]));
  }

  /** Resolves when the event is on the disk. Events that come together share one write. @throws DrayError STATE_UNUSABLE */
  append(event: E): Promise<void> {
    this.note(event);
    return this.flush();
  }

  /** Resolves when all events so far are on the disk. A failure is told by every later call, too. */
  flush(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#flush());
    return this.#queue;
  }

  /** Writes the event with the next one that is appended: for what may be lost in a crash. */
  note(event: E): void {
    this.#pending.push(`${JSON.stringify(event)}\n`);
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }

  async #flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const text = this.#pending.join('');
    this.#pending = [];
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
    } catch (cause) {
      throw unusable(this.#path, cause);
    }
  }
}

function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}
