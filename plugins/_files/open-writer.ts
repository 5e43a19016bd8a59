import { DrayError, type PluginContext, type Writer } from 'dray/sdk';
import { writingCodecs } from './codec-options.ts';
import { openFileWriter } from './file-writer.ts';
import { copy } from './formats/copy.ts';
import { checkMarks } from './formats/delimited/marks.ts';
import { delimited } from './formats/delimited.ts';
import type { WritingFormat } from './formats/format.ts';
import { jsonLines } from './formats/json-lines.ts';
import { parquet } from './formats/parquet.ts';
import { encodingCalled } from './formats/text/encodings.ts';
import { inForms, writtenForms } from './formats/text/written-forms.ts';
import { signingKey } from './set/signature.ts';
import type { Storage } from './storage/storage.ts';
import type { FileWriterOptions } from './writer-options.ts';

/** Opens the writer that the options of a plugin ask for, over its storage. */
export async function openWriterOver(
  storage: Storage,
  folder: string,
  options: FileWriterOptions,
  context: PluginContext,
): Promise<Writer> {
  const { fileName, writeMode, fileFormat, compressLevel, sidecar, signatureKey, maxFileSize } = options;
  const compress = options.compress === '' ? 'none' : options.compress;
  if (compress === 'gzip' && compressLevel > 9)
    throw new DrayError('JOB_INVALID', `"compressLevel" ${compressLevel} is more than gzip has, which is 9`);
  if (signatureKey !== undefined && !sidecar)
    throw new DrayError('JOB_INVALID', '"signatureKey" signs the manifest, which "sidecar": false leaves out');
  if (writeMode === 'overwrite-atomically' && !sidecar)
    throw new DrayError('JOB_INVALID', '"overwrite-atomically" needs _SUCCESS, which "sidecar": false leaves out');
  const { codecs, keyId } = writingCodecs({
    compress: fileFormat === 'parquet' ? 'none' : compress,
    compressLevel,
    encryptionKey: options.encryptionKey,
  });
  if (fileFormat === 'parquet' && (compress !== 'none' || keyId !== null)) {
    throw new DrayError(
      'JOB_INVALID',
      'parquet files are packed in themselves, and are read here and there: neither "compress" nor "encryptionKey" goes with them',
    );
  }
  return openFileWriter(
    {
      storage,
      folder,
      fileName,
      writeMode,
      format: await formatOf(options, context),
      formatName: fileFormat,
      compression: compress,
      encryptionKey: keyId,
      codecs,
      signatureKey: signatureKey === undefined ? undefined : signingKey(signatureKey),
      hasSidecars: sidecar,
      maxFileBytes: maxFileSize === undefined ? undefined : maxFileSize * 1_000_000,
    },
    context,
  );
}

async function formatOf(options: FileWriterOptions, context: PluginContext): Promise<WritingFormat> {
  const {
    fieldDelimiter: delimiter,
    nullFormat: nullText,
    fileFormat,
    lineDelimiter,
    header = false,
    suffix,
    csvWriterConfig: csv,
  } = options;
  const forms = writtenForms(options);
  if (forms !== undefined && fileFormat !== 'csv' && fileFormat !== 'text') {
    context.warn(`"dateFormat", "byteEncoding" and "columnForms" have no effect on ${fileFormat}: its values have one form`);
  }
  const named = suffix === undefined ? {} : { suffix };
  if (fileFormat === 'jsonl') return jsonLines(named);
  if (fileFormat === 'parquet') return parquet(named);
  if (fileFormat === 'copy') return copy(named);
  const quote = fileFormat === 'csv' ? csv.textQualifier : undefined;
  checkMarks({ fieldDelimiter: delimiter, nullFormat: nullText, quote }, 'write');
  const format = delimited({
    suffix: suffix ?? (fileFormat === 'csv' ? '.csv' : '.txt'),
    delimiter,
    quote,
    nullText,
    encoding: await encodingCalled(options.encoding),
    header,
    lineDelimiter,
    quotesAll: csv.forceQualifier,
  });
  return forms === undefined ? format : inForms(format, forms);
}
