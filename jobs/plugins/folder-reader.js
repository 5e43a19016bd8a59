// A reader: the files below a folder, one row each. Each folder directly below it is a split of its own.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DrayError, defineReader, z } from 'dray/sdk';

export default defineReader({
  name: 'folder',
  summary: 'Lists the files below a folder',
  options: z.strictObject({
    path: z.string().describe('Folder to list'),
  }),
  example: { path: '/var/log' },

  open: ({ path }) => ({
    schema: () => ({
      columns: [
        { name: 'path', type: 'string', isNullable: false },
        { name: 'size', type: 'integer', isNullable: false },
        { name: 'modified', type: 'timestamptz', isNullable: false },
      ],
    }),

    async split() {
      const entries = await readdir(path, { withFileTypes: true }).catch((cause) => {
        throw new DrayError('PATH_MISSING', `cannot list the folder ${path}: ${cause.message}`, { cause });
      });
      const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => ({ name, part: name }));
      return [{ name: path, part: null }, ...folders];
    },

    async read({ part }, out, signal) {
      const folder = part === null ? path : join(path, part);
      for (const entry of await readdir(folder, { withFileTypes: true, recursive: part !== null })) {
        signal.throwIfAborted();
        if (!entry.isFile()) continue;
        const file = join(entry.path, entry.name);
        const { size, mtime } = await stat(file);
        const modified = mtime.toISOString().replace('T', ' ').replace('Z', '+00');
        if (!out.push([file, String(size), modified])) await out.drain();
      }
    },
  }),
});
