import { DrayError } from '../../sdk/index.ts';
import { dataxPage } from '../datax-page.ts';
import { referencePage } from '../reference-page.ts';
import { Screen } from '../screen.ts';
import { allPlugins } from './plugins.ts';

const topics = { datax: dataxPage, plugins: referencePage } as const;

/** `dray docs TOPIC`: a page of the documentation that is made from what the code says. */
export async function printDocs(topic: string): Promise<void> {
  if (!Object.hasOwn(topics, topic)) {
    throw new DrayError('USAGE', `there is no page "${topic}"; the pages are ${Object.keys(topics).join(' and ')}`);
  }
  new Screen().result(topics[topic as keyof typeof topics](await allPlugins()));
}
