import { type BareForm, bareCell, type Column, DrayError } from 'dray/sdk';
import type { CellForm } from './types.ts';

/** Whether cells of MySQL's text protocol can be written bare in this form. */
export function isDeliveredBare(column: Column, form: BareForm): boolean {
  const cell = bareCell(column, form);
  // Of a text nobody knows whether it has an offset.
  return cell === 'same' || cell === 'raw' || (cell === 'utc' && column.type === 'timestamptz');
}

/** How cells are written that the target takes bare. @param form of their text: how the server sends them, which for the same type may be in several ways. @throws DrayError NOT_STRAIGHT */
export function bareCellForm(column: Column, bare: BareForm, form: CellForm): CellForm {
  const cell = bareCell(column, bare);
  if (cell === 'same') return form;
  if (cell === 'utc' && form === 'utc') return 'plain';
  if (cell === 'raw' && form === 'hex') return 'text';
  throw new DrayError('NOT_STRAIGHT', `the column ${column.name} has another type than was planned`);
}
