import { defineWriter, z } from 'dray/sdk';

/** A writer that never returns from `write`, and does not heed the cancellation: how the worst plugin behaves. */
export default defineWriter({
  name: 'hanging',
  summary: 'Hangs',
  options: z.strictObject({}),
  open: (_options, context) => ({
    inspect: (source) => ({ schema: source }),
    openTask: async () => ({
      write: () => {
        context.warn('the writer hangs now');
        setInterval(() => undefined, 1000);
        return new Promise(() => undefined);
      },
      commit: async () => undefined,
      abort: async () => undefined,
    }),
  }),
});
