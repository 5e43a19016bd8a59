import { defineReader, z } from 'dray/sdk';

/** A reader that throws where nobody can catch it, while its source is looked at. */
export default defineReader({
  name: 'throwing',
  summary: 'Throws',
  options: z.strictObject({ how: z.enum(['timer', 'promise']), secret: z.string().optional() }),
  open: ({ how, secret = '' }) => ({
    schema: () => {
      const failure = new Error(`nobody waits for this ${secret}`);
      if (how === 'promise') void Promise.reject(failure);
      else
        setTimeout(() => {
          throw failure;
        }, 10);
      return new Promise(() => undefined);
    },
    read: async () => undefined,
  }),
});
