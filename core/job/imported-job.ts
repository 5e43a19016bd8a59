import { findNodeAtLocation, type Node } from 'jsonc-parser';
import type { ReaderPlugin, WriterPlugin, z } from '../sdk/index.ts';
import { jobFileSchema } from './job-schema.ts';
import type { JobText } from './job-text.ts';
import type { Job } from './load-job.ts';
import { TextEdits } from './text-edits.ts';
import { children, unwrap } from './validate.ts';

/**
 * A job file of DataX as it would be written for dray: without what has no effect, with comments on what is different, and with variables in the place of secrets.
 * All else stays as it stands.
 * @param file as it is, variables and all
 * @param job what was loaded from it
 */
export function importedJob(file: JobText, job: Job): string {
  const edits = new TextEdits(file.text);
  clean(file.root, jobFileSchema, edits);
  cleanSetting(file.root, edits);
  for (const [number, { item: index, fanOut, reader, writer }] of job.contents.entries()) {
    if (fanOut !== undefined || job.contents[number - 1]?.item === index) continue;
    const node = findNodeAtLocation(file.root, ['job', 'content', index]);
    if (index === 1 && node !== undefined)
      edits.commentOn(node, 'DataX runs the first content only; here all of them run, one after the other');
    cleanEnd(file.root, edits, { plugin: reader.plugin, index });
    cleanEnd(file.root, edits, { plugin: writer.plugin, index });
  }
  return edits.result();
}

/** Takes out what a schema does not know, or says to have no effect. */
function clean(node: Node, schema: z.ZodType, edits: TextEdits): void {
  if (node.type === 'array') {
    for (const [index, child] of (node.children ?? []).entries()) for (const one of children(schema, index)) clean(child, one, edits);
  }
  if (node.type !== 'object') return;
  const isListed = unwrap(schema).some((one) => 'shape' in one);
  for (const property of isListed ? (node.children ?? []) : []) {
    const [key, value] = property.children ?? [];
    const name = String(key?.value);
    const known = children(schema, name);
    const reason = known.map((one) => one.meta()?.ignored).find((one) => typeof one === 'string');
    if (known.length === 0) edits.remove(property, `"${name}" is left out: there is no such key`);
    else if (reason !== undefined) edits.remove(property, `"${name}" is left out: ${String(reason)}`);
    else if (value !== undefined) for (const one of known) clean(value, one, edits);
  }
}

function cleanSetting(root: Node, edits: TextEdits): void {
  const at = (...path: (string | number)[]) => findNodeAtLocation(root, ['job', 'setting', ...path]);
  const speed = at('speed');
  if (speed !== undefined && speed.type !== 'object')
    edits.replace(speed, `{"byte": ${String(speed.value)}} /* DataX refuses a number here */`);
  const percentage = at('errorLimit', 'percentage');
  if (at('errorLimit', 'record') !== undefined && percentage?.parent !== undefined)
    edits.remove(percentage.parent, '"percentage" is left out: beside "record" it has no effect in DataX');
  if (at('errorLimit', 'record') !== undefined || percentage !== undefined) return;
  const inner = at();
  const job = findNodeAtLocation(root, ['job']);
  const place = inner?.type === 'object' ? inner : job;
  if (place !== undefined)
    edits.commentIn(place, 'without "errorLimit" DataX lets any number of rows fail; here none may, unless it says {"record": N}');
}

function cleanEnd(root: Node, edits: TextEdits, { plugin, index }: { plugin: ReaderPlugin | WriterPlugin; index: number }): void {
  const { kind, aliases = [] } = plugin;
  const name = findNodeAtLocation(root, ['job', 'content', index, kind, 'name']);
  const written = String(name?.value);
  const right = [plugin.name, ...aliases].find((one) => one.toLowerCase() === written.toLowerCase());
  if (name !== undefined && right !== undefined && right !== written) edits.replace(name, JSON.stringify(right));
  const parameter = findNodeAtLocation(root, ['job', 'content', index, kind, 'parameter']);
  if (parameter?.type !== 'object') return;
  for (const { what, datax, here, tell } of plugin.differences ?? []) {
    if (tell === undefined) continue;
    const isThere = findNodeAtLocation(parameter, [tell.option]) !== undefined;
    if (isThere === (tell.when === 'present')) edits.commentIn(parameter, `${what}: with DataX ${datax}; here ${here}`.replaceAll('`', ''));
  }
  clean(parameter, plugin.options, edits);
  hideSecrets(parameter, plugin.options, edits, [kind.toUpperCase(), ...(index === 0 ? [] : [String(index + 1)])]);
}

/** Secrets become variables, whose names are made of where they stand. */
function hideSecrets(node: Node, schema: z.ZodType, edits: TextEdits, words: readonly string[]): void {
  if (node.type === 'string' || node.type === 'number') {
    const isSecret = unwrap(schema).some((one) => one.meta()?.secret === true);
    const text = String(node.value);
    if (isSecret && text !== '' && !text.includes('${'))
      edits.replace(
        node,
        `"\${${words.join('_')}}" /* was in the file: give it with export, or better name it "\${env:…}" or "\${file:…}" */`,
      );
    return;
  }
  for (const [index, child] of (node.children ?? []).entries()) {
    const [key, value] = child.type === 'property' ? (child.children ?? []) : [];
    const step = key === undefined ? index : String(key.value);
    for (const one of children(schema, step))
      hideSecrets(value ?? child, one, edits, key === undefined ? words : [...words, shouted(String(step))]);
  }
}

/** `accessKey` → `ACCESS_KEY` */
function shouted(key: string): string {
  return key.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
}
