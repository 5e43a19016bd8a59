/** A server (or the disks of this machine) that jobs read or write: what budgets and health are about, whichever job or table it is. */
export interface Resource {
  /** What it speaks, the same for the reader and the writer of a system: a word of the plugin's. */
  readonly kind: string;
  /** Name or address of the host, as the job file has it. Disks of this machine: `localhost`. */
  readonly host: string;
  /** Absent: it has none. */
  readonly port?: number;
}

/**
 * How a server is, as far as it tells. What it does not tell, or our user has no right to know, is undefined.
 * Figures are of the whole server, ours and others', as its monitoring shows them.
 */
export interface SourceHealth {
  /** Statements that are being executed. */
  readonly threadsRunning?: number | undefined;
  /** How far a replica is behind its primary: the server itself, or the last one of those that follow it. */
  readonly replicaLagSeconds?: number | undefined;
  /** How long a query takes that does nothing. */
  readonly canaryMs?: number | undefined;
  /** Connections that our user can have at all, with those that others have. */
  readonly maxConnections?: number | undefined;
  /** Those of them that are taken. */
  readonly usedConnections?: number | undefined;
}

/** `db.example.com:3306`, as people know it. */
export function resourceName({ host, port }: Resource): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}
