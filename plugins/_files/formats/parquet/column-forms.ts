import { type Column, DrayError } from 'dray/sdk';
import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import type { Leaf } from './chunk-pages.ts';
import { type LeafValue, leafType } from './leaf-types.ts';
import { isList, nestedJson } from './nested-json.ts';

/** How a column of a file is delivered. */
export interface ColumnForm {
  readonly column: Column;
  /** Its place in the schema of the file. */
  readonly node: SchemaTree;
  readonly leaves: readonly (Leaf & { readonly path: readonly SchemaTree[] })[];
  readonly copies: 'text' | 'hex' | undefined;
  readonly text: (value: unknown) => string | undefined;
  /** Why a value may have no text. */
  readonly words: string;
}

/**
 * @param wanted names of columns, or their numbers, counted from 0; undefined: all
 * @throws DrayError COLUMN_MISSING, or TYPE_UNSUPPORTED for values that have no canonical text
 */
export function columnForms({ schema }: FileMetaData, file: string, wanted: readonly (string | number)[] | undefined): ColumnForm[] {
  // The library knows lists only by their old mark.
  const root = parquetSchema({
    schema: schema.map((element) => (element.type === undefined && isList(element) ? { ...element, converted_type: 'LIST' } : element)),
  });
  const names = root.children.map(({ element }) => element.name);
  return (wanted ?? names.map((_, index) => index)).map((key) => {
    const node = root.children[typeof key === 'number' ? key : names.indexOf(key)];
    if (node === undefined) {
      const what = typeof key === 'number' ? `column number ${key}, counted from 0` : `column "${key}"`;
      throw new DrayError('COLUMN_MISSING', `${file} has no ${what}; it has ${names.join(', ')}`, { place: file });
    }
    if (names.indexOf(node.element.name) === names.lastIndexOf(node.element.name)) return columnForm(root, node, file);
    throw new DrayError('FILE_BROKEN', `${file} has two columns called ${node.element.name}`, { place: file });
  });
}

function columnForm(root: SchemaTree, node: SchemaTree, file: string): ColumnForm {
  const { element, children } = node;
  const { name } = element;
  const isNullable = element.repetition_type !== 'REQUIRED';
  const leaves = leavesOf([root, node]);
  if (children.length === 0 && element.repetition_type !== 'REPEATED') {
    const type = leafType(element);
    if (type === undefined) throw unsupported(element, file);
    const { column, copies, text, words } = type;
    return { column: { name, isNullable, ...column }, node, leaves, copies, text: (value) => text(value as LeafValue), words };
  }
  const text = nestedJson(node);
  if (text === undefined) throw unsupported(element, file);
  const words = 'a list or struct with a value that has no text';
  return { column: { name, isNullable, type: 'json' }, node, leaves, copies: undefined, text, words };
}

/** @param path from the root to a node */
function leavesOf(path: readonly SchemaTree[]): ColumnForm['leaves'] {
  const { element, children } = path.at(-1)!;
  if (children.length > 0) return children.flatMap((child) => leavesOf([...path, child]));
  const inner = path.slice(1).map((node) => node.element.repetition_type);
  return [
    {
      element,
      path,
      maxDefinition: inner.filter((repetition) => repetition !== 'REQUIRED').length,
      maxRepetition: inner.filter((repetition) => repetition === 'REPEATED').length,
    },
  ];
}

function unsupported({ name, type, converted_type, logical_type }: SchemaElement, file: string): DrayError {
  const words = [logical_type?.type ?? converted_type, type].filter((word) => word !== undefined).join(' in ') || 'group';
  return new DrayError('TYPE_UNSUPPORTED', `${file}: the column ${name} has the type ${words}, which is not supported`, {
    place: file,
    remedy: 'List the other columns by name in "column", or write the file again with another type.',
  });
}
