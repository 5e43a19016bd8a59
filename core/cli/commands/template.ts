import { resolvePlugin } from '../../registry/registry.ts';
import { Screen } from '../screen.ts';

/** `dray template`: a job file of the two plugins' own examples. */
export async function printTemplate({ reader, writer }: { reader: string; writer: string }): Promise<void> {
  const source = await resolvePlugin('reader', reader, '.');
  const target = await resolvePlugin('writer', writer, '.');
  const job = {
    job: {
      setting: { speed: { channel: 2 }, errorLimit: { record: 0 } },
      content: [
        {
          reader: { name: reader, parameter: source.plugin.example ?? {} },
          writer: { name: writer, parameter: target.plugin.example ?? {} },
        },
      ],
    },
  };
  new Screen().result(`${JSON.stringify(job, null, 2)}\n`);
}
