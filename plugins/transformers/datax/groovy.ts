import { DrayError, defineTransformer, z } from 'dray/sdk';

const why =
  'dx_groovy cannot run here, because there is no Java; write the code in JavaScript: {"name": "dx_js", "parameter": {"code": "…"}}';

/** DataX's GroovyTransformer: known, so that its job files are told what to do. */
export default defineTransformer({
  name: 'dx_groovy',
  summary: 'Not run here: refused, with a hint at `dx_js`',
  options: z.looseObject({}).refine(() => false, { error: why }),
  open() {
    throw new DrayError('JOB_INVALID', why);
  },
});
