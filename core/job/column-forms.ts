import type { z } from '../sdk/index.ts';
import type { ColumnForms } from './datax-schema.ts';

/** The option in which a plugin takes `common.column`; see `columnForms` of the SDK. */
const option = 'columnForms';

/** Hands `common.column` of a job file to the plugins that turn texts into dates. */
export function columnFormsFor(forms: ColumnForms | undefined) {
  const { datetimeFormat, dateFormat, extraFormats, timeZone } = forms ?? {};
  const given = Object.entries({ datetimeFormat, dateFormat, extraFormats, timeZone }).filter(([, value]) => value !== undefined);
  let isUnused = given.length > 0;
  return {
    /** There is something to hand over, and nobody has taken it so far. */
    get isUnused() {
      return isUnused;
    },
    /** The parameter of a plugin, with the forms if it takes them and has none of its own. */
    into(parameter: Record<string, unknown>, options: z.ZodObject): Record<string, unknown> {
      if (given.length === 0 || !(option in options.shape)) return parameter;
      isUnused = false;
      return { [option]: Object.fromEntries(given), ...parameter };
    },
  };
}
