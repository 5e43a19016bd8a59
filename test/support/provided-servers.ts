import { inject } from 'vitest';
import { type MariadbAccess, type MariadbFacts, mariadbAccess } from './mariadb-server.ts';
import { type PostgresAccess, type PostgresFacts, postgresAccess } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: PostgresFacts;
    mariadb: MariadbFacts;
  }
}

/** The PostgreSQL that global-setup.ts started for the whole run; only in tests of the project "servers". */
export function providedPostgres(): PostgresAccess {
  return postgresAccess(inject('postgres'));
}

/** The MariaDB (or the server of DRAY_TEST_MYSQL_URL) of the whole run; only in tests of the project "servers". */
export function providedMariadb(): MariadbAccess {
  return mariadbAccess(inject('mariadb'));
}
