import pg from 'pg';

/** Where a connection breaks: when a statement has been sent, or when it has been answered and nobody has heard it. */
export type CrashMoment = 'sent' | 'answered';

export interface CrashPoint {
  /** Number of the statement, from 0, over all connections of dray. */
  readonly statement: number;
  readonly moment: CrashMoment;
}

type Query = (this: pg.Client, ...given: unknown[]) => unknown;

/**
 * Runs something while each statement that dray sends is listened to, and at one of them, if it is given, cuts the connection.
 * @returns the statements that were sent, with spaces made one
 */
export async function withCrash(point: CrashPoint | undefined, work: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const original = prototype.query;
  prototype.query = function query(this: pg.Client, ...given) {
    const facts = this as unknown as { connectionParameters: { application_name?: string }; connection: { stream: { destroy(): void } } };
    // Only the first form of the call counts: the driver calls itself in others.
    if (facts.connectionParameters.application_name !== 'dray') return original.apply(this, given);
    const [first] = given as [string | { text: string }];
    const number = statements.push((typeof first === 'string' ? first : first.text).replaceAll(/\s+/g, ' ')) - 1;
    const result = original.apply(this, given);
    if (number !== point?.statement) return result;
    const cut = () => facts.connection.stream.destroy();
    if (point.moment === 'sent') {
      setImmediate(cut);
      return result;
    }
    if (!(result instanceof Promise)) {
      // COPY, which hears of its answer by itself.
      const copy = result as { handleReadyForQuery(): void; handleError(error: Error): void };
      copy.handleReadyForQuery = () => {
        cut();
        copy.handleError(new Error('Connection terminated unexpectedly'));
      };
      return result;
    }
    return result.then(() => {
      cut();
      throw new Error('Connection terminated unexpectedly');
    });
  };
  try {
    await work();
  } finally {
    prototype.query = original;
  }
  return statements;
}
