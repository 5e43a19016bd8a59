export interface StreamJobFacts {
  /** Rows per slice; there are as many slices as channels. */
  readonly rows?: number;
  readonly print?: boolean;
  readonly setting?: object;
}

/** A job that generates rows and prints them or throws them away. */
export function streamJob({ rows = 10, print = false, setting = {} }: StreamJobFacts = {}) {
  return {
    job: {
      setting: { speed: { channel: 1 }, ...setting },
      content: [
        {
          reader: {
            name: 'streamreader',
            parameter: {
              column: [
                { name: 'id', type: 'long', sequence: 1 },
                { name: 'word', value: 'hello' },
              ],
              sliceRecordCount: rows,
            },
          },
          writer: { name: 'streamwriter', parameter: { print } },
        },
      ],
    },
  };
}
