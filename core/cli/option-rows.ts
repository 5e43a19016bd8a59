import { z } from '../sdk/index.ts';

/** One option as documentation shows it. */
export interface OptionRow {
  /** `connection[].jdbcUrl` */
  readonly key: string;
  readonly type: string;
  readonly isRequired: boolean;
  /** The default as JSON. */
  readonly fallback: string | undefined;
  readonly text: string;
}

interface Node {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly ignored?: string;
  readonly refused?: string;
}

/** The options of a plugin, nested ones behind their parent, from the schema that also validates them. */
export function optionRows(options: z.ZodObject): OptionRow[] {
  return rowsOf(z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as Node, '');
}

function rowsOf(object: Node, prefix: string): OptionRow[] {
  return Object.entries(object.properties ?? {}).flatMap(([name, node]) => {
    const key = `${prefix}${name}`;
    const row: OptionRow = {
      key,
      type: typeOf(node),
      isRequired: object.required?.includes(name) === true,
      fallback: node.default === undefined ? undefined : JSON.stringify(node.default),
      text: node.description ?? '',
    };
    return [row, ...nested(node, key)];
  });
}

function nested(node: Node, key: string): OptionRow[] {
  if (node.anyOf !== undefined) return node.anyOf.flatMap((branch) => nested(branch, key));
  if (node.items !== undefined) return nested(node.items, `${key}[]`);
  return node.properties === undefined ? [] : rowsOf(node, `${key}.`);
}

function typeOf(node: Node): string {
  if (node.ignored !== undefined) return 'no effect';
  if (node.refused !== undefined) return 'refused';
  if (node.enum !== undefined) return node.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(' or ');
  if (node.type === 'array') return `list of ${node.items === undefined ? 'anything' : typeOf(node.items)}`;
  return [node.type ?? 'anything'].flat().join(' or ');
}
