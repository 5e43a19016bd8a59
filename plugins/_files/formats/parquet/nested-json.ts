import type { LogicalType } from 'dray/sdk';
import type { SchemaElement, SchemaTree } from 'hyparquet';
import { isJson } from '../text/is-json.ts';
import { type LeafType, type LeafValue, leafType } from './leaf-types.ts';

/** The JSON text of a value that is nested in lists and structs; undefined if some leaf has no canonical text. */
export type JsonText = (value: unknown) => string | undefined;

/** What columns of lists and structs become; undefined for maps (whose keys may occur twice), variants and old forms of lists. */
export function nestedJson(node: SchemaTree): JsonText | undefined {
  const { element, children } = node;
  if (element.repetition_type === 'REPEATED') return undefined;
  if (children.length === 0) {
    const type = leafType(element);
    return type === undefined ? undefined : leafJson(type);
  }
  if (isList(element)) return listJson(node);
  // Groups that mean something else: MAP, VARIANT.
  if (element.converted_type !== undefined || element.logical_type !== undefined) return undefined;
  return structJson(children);
}

export function isList({ converted_type, logical_type }: SchemaElement): boolean {
  return converted_type === 'LIST' || logical_type?.type === 'LIST';
}

/** Three levels, as the format wants it; others are guesses. https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists */
function listJson({ element, children }: SchemaTree): JsonText | undefined {
  const [repeated] = children;
  const [item] = repeated?.children ?? [];
  const isOld = repeated?.element.name === 'array' || repeated?.element.name === `${element.name}_tuple`;
  if (children.length !== 1 || repeated?.element.repetition_type !== 'REPEATED' || repeated.children.length !== 1 || isOld)
    return undefined;
  const json = nestedJson(item!);
  if (json === undefined) return undefined;
  return (value) => {
    const items = (value as unknown[]).map((one) => (isNull(one) ? 'null' : json(one)));
    return items.includes(undefined) ? undefined : `[${items.join(',')}]`;
  };
}

function structJson(children: readonly SchemaTree[]): JsonText | undefined {
  const fields: { name: string; key: string; json: JsonText }[] = [];
  for (const child of children) {
    const { name } = child.element;
    const json = nestedJson(child);
    // The library makes an object of each struct, where this name means something else.
    if (json === undefined || name === '__proto__' || fields.some((field) => field.name === name)) return undefined;
    fields.push({ name, key: JSON.stringify(name), json });
  }
  return (value) => {
    const struct = value as Record<string, unknown>;
    const members = fields.map(({ name, key, json }) => {
      const text = isNull(struct[name]) ? 'null' : json(struct[name]);
      return text === undefined ? undefined : `${key}:${text}`;
    });
    return members.includes(undefined) ? undefined : `{${members.join(',')}}`;
  };
}

/** Types whose canonical texts are JSON. */
const words = new Set<LogicalType>(['boolean', 'integer', 'decimal']);

function leafJson({ column, text }: LeafType): JsonText {
  return (value) => {
    const canonical = text(value as LeafValue);
    if (canonical === undefined) return undefined;
    if (column.type === 'json') return isJson(canonical) ? canonical : undefined;
    const isWord = column.type === 'double' ? Number.isFinite(value) : words.has(column.type);
    return isWord ? canonical : JSON.stringify(canonical);
  };
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined;
}
