import pc from 'picocolors';

/** Says how far a step is: "120,000 rows". May be called often; it is shown a few times per second at most. */
export type Tell = (detail: string) => void;

const isTerminal = process.stderr.isTTY;
const intervalMs = isTerminal ? 150 : 2000;

/** Runs `work`, says on stderr how far it is, and at the end how long it took. */
export async function step<T>(title: string, work: (tell: Tell) => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const seconds = () => secondsSince(startedAt);
  let detail = '';
  const show = () => {
    const text = `  ${[title, detail, seconds()].filter((part) => part !== '').join(', ')}`;
    process.stderr.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`);
  };
  const timer = setInterval(show, intervalMs);
  const clear = isTerminal ? '\r\x1b[K' : '';
  try {
    const result = await work((text) => {
      detail = text;
    });
    process.stderr.write(`${clear}${pc.green('✓')} ${title} (${seconds()})\n`);
    return result;
  } catch (error) {
    process.stderr.write(`${clear}${pc.red('✗')} ${title} (${seconds()})\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** `200,000` */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1.4 s` since a `performance.now()`. */
export function secondsSince(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}
