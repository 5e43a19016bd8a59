import { resolvePlugin } from '../../registry/registry.ts';
import { Screen } from '../screen.ts';

export interface TemplateOptions {
  readonly reader: string;
  readonly writer: string;
  readonly transformer: readonly string[];
}

/** `dray template`: a job file of the plugins' own examples. */
export async function printTemplate({ reader, writer, transformer }: TemplateOptions): Promise<void> {
  const source = await resolvePlugin('reader', reader, '.');
  const target = await resolvePlugin('writer', writer, '.');
  const between = await Promise.all(transformer.map((name) => resolvePlugin('transformer', name, '.')));
  const transformers = between.map(({ plugin }, index) => ({ name: transformer[index], parameter: plugin.example ?? {} }));
  const job = {
    job: {
      setting: { speed: { channel: 2 }, errorLimit: { record: 0 } },
      content: [
        {
          reader: { name: reader, parameter: source.plugin.example ?? {} },
          ...(transformers.length === 0 ? {} : { transformer: transformers }),
          writer: { name: writer, parameter: target.plugin.example ?? {} },
        },
      ],
    },
  };
  new Screen().result(`${JSON.stringify(job, null, 2)}\n`);
}
