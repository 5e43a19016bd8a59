import { jobFileSchema } from '../../job/job-schema.ts';
import { builtInPlugins, type Found, type Kind } from '../../registry/registry.ts';
import { z } from '../../sdk/index.ts';
import { Screen } from '../screen.ts';

/** `dray schema`: the job file's JSON Schema, with the options of every built-in plugin under its names. */
export async function printSchema(): Promise<void> {
  new Screen().result(`${JSON.stringify(await jobJsonSchema(), null, 2)}\n`);
}

interface EndSchema {
  allOf?: object[];
}

interface TargetSchema extends EndSchema {
  properties: { transformer: { items: EndSchema } };
}

/** The schema as a value. Plugins of the user's own are allowed, and their options left open. */
export async function jobJsonSchema(): Promise<object> {
  const schema = z.toJSONSchema(jobFileSchema, { io: 'input', unrepresentable: 'any' }) as unknown as {
    properties: {
      job: {
        properties: {
          content: {
            items: {
              properties: Record<'reader' | 'writer', EndSchema> & { transformer: { items: EndSchema }; writers: { items: TargetSchema } };
            };
          };
        };
      };
    };
  };
  const ends = schema.properties.job.properties.content.items.properties;
  ends.reader.allOf = (await builtInPlugins('reader')).map(whenNamed);
  ends.writer.allOf = (await builtInPlugins('writer')).map(whenNamed);
  const transformers = (await builtInPlugins('transformer')).map(whenNamed);
  const target = ends.writers.items;
  target.allOf = ends.writer.allOf;
  for (const { items } of [ends.transformer, target.properties.transformer]) items.allOf = transformers;
  return schema;
}

function whenNamed({ plugin }: Found<Kind>): object {
  const { $schema: _, ...parameter } = z.toJSONSchema(plugin.options, { io: 'input', unrepresentable: 'any' });
  return {
    if: { properties: { name: { enum: [plugin.name, ...(plugin.aliases ?? [])] } }, required: ['name'] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: { properties: { parameter } },
  };
}
