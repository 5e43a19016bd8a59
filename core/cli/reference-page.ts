import type { ReaderPlugin, TransformerPlugin, WriterPlugin } from '../sdk/index.ts';
import { optionRows } from './option-rows.ts';

export type AnyPlugin = ReaderPlugin | WriterPlugin | TransformerPlugin;

/** docs/plugins.md: the options of plugins, from the schemas that validate them. */
export function referencePage(plugins: readonly AnyPlugin[]): string {
  const sections = plugins.map(({ kind, name, aliases = [], summary, options, example }) =>
    [
      `## ${name} ${kind}`,
      `${summary}. In job files: ${[...aliases, name].map((one) => `\`${one}\``).join(', ')}.`,
      `| option | type | default | meaning |\n| --- | --- | --- | --- |\n${optionRows(options).map(tableRow).join('\n')}`,
      ...(example === undefined
        ? []
        : [`\`\`\`json\n${JSON.stringify({ name: aliases[0] ?? name, parameter: example }, null, 2)}\n\`\`\``]),
    ].join('\n\n'),
  );
  return `# Options of the plugins\n\nMade by \`npx dray plugins --markdown\`.\n\n${sections.join('\n\n')}\n`;
}

function tableRow({ key, type, isRequired, fallback, text }: ReturnType<typeof optionRows>[number]): string {
  const cells = [`\`${key}\``, type, isRequired ? 'required' : fallback === undefined ? '' : `\`${fallback}\``, text];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
