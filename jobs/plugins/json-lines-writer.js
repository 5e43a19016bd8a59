// A writer: one JSON object per row, one file per task. Files are renamed into place when the whole job is done.
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { defineWriter, z } from 'dray/sdk';

export default defineWriter({
  name: 'jsonlines',
  summary: 'Writes JSON lines',
  options: z.strictObject({
    path: z.string().describe('Folder of the files; it is made if it is missing'),
  }),
  example: { path: '/tmp/rows' },

  open: ({ path }, { run }) => ({
    // Any column fits, so the target looks like the source.
    inspect: (source) => ({ schema: source }),

    async openTask({ id, source }) {
      await mkdir(path, { recursive: true });
      const names = source.columns.map(({ name }) => name);
      const final = join(path, `${run}-${id}.jsonl`);
      const unfinished = `${final}.unfinished`;
      const file = await open(unfinished, 'w');
      return {
        async write(batch) {
          let lines = '';
          for (const row of batch.rows()) lines += `${JSON.stringify(Object.fromEntries(row.map((cell, i) => [names[i], cell])))}\n`;
          await file.write(lines);
        },
        async commit() {
          await file.sync();
          await file.close();
          return { unfinished, final };
        },
        async abort() {
          await file.close();
          await rm(unfinished, { force: true });
        },
      };
    },

    async publish(commits) {
      for (const { unfinished, final } of commits) await rename(unfinished, final);
    },

    // Another task of the job has failed: what is finished here must not be left lying about.
    async discard() {
      const left = (await readdir(path)).filter((name) => name.startsWith(`${run}-`) && name.endsWith('.unfinished'));
      for (const name of left) await rm(join(path, name), { force: true });
    },
  }),
});
