import { newRunId } from '../../controller/run-job.ts';
import { SecretMask, secretsIn } from '../../job/secret-mask.ts';
import { substituteVariables } from '../../job/variables.ts';
import { builtInPlugins } from '../../registry/registry.ts';
import { reportedError } from '../../report/report.ts';
import { asDrayError, DrayError, type Reader, type ReaderPlugin, z } from '../../sdk/index.ts';
import { bytes, count, plural } from '../format.ts';
import { onInterrupt } from '../interrupt.ts';
import { Screen } from '../screen.ts';

export interface VerifyOptions {
  /** More options of the reader: `encryptionKey=${env:KEY}`. */
  readonly option: Record<string, string>;
  readonly json: boolean;
}

/** `dray files verify`: checks sets of files with all that stands beside them, reads no rows. Returns the exit code. */
export async function verifyFiles(address: string, { option, json }: VerifyOptions): Promise<number> {
  const screen = new Screen(new SecretMask());
  const interrupt = onInterrupt((message) => screen.line(message));
  let reader: Reader | undefined;
  try {
    const { plugin, parameter } = await readerFor(address);
    const given = { verify: 'require', ...parameter, ...withSecrets(option, screen) };
    screen.mask.add(...secretsIn(given, z.toJSONSchema(plugin.options, { io: 'input', unrepresentable: 'any' }) as object));
    const options = plugin.options.safeParse(given);
    if (!options.success)
      throw new DrayError('USAGE', `the options do not fit: ${z.prettifyError(options.error)}`, {
        remedy: `\`dray plugins ${plugin.name}\` lists them.`,
      });
    const context = {
      run: newRunId(),
      job: 'verify',
      warn: (text: string) => screen.warn(text),
      print: () => undefined,
      signal: interrupt.signal,
    };
    reader = await plugin.open(options.data, context);
    const files = (await reader.split?.({ channels: 1, bytesPerTask: (total) => total })) ?? [];
    await reader.verify?.(files);
    if (json)
      screen.json({
        address,
        isGenuine: true,
        files: files.map(({ name, estimatedBytes, estimatedRows }) => ({ name, bytes: estimatedBytes, rows: estimatedRows })),
      });
    else {
      for (const { name, estimatedBytes = 0, estimatedRows } of files) {
        screen.result(`ok  ${name}, ${bytes(estimatedBytes)}${estimatedRows === undefined ? '' : `, ${count(estimatedRows)} rows`}\n`);
      }
      screen.result(`${plural(files.length, 'file')} whole and genuine\n`);
    }
    return 0;
  } catch (thrown) {
    const error = asDrayError(interrupt.signal.aborted ? interrupt.signal.reason : thrown, { side: 'source' });
    if (json) screen.json({ address, isGenuine: false, error: reportedError(error) });
    screen.error(error.toWire());
    return interrupt.exitCode() ?? error.exitCode;
  } finally {
    await reader?.close?.().catch(() => undefined);
    interrupt.release();
  }
}

/** The built-in reader that understands an address: by its scheme, a path without one being a file of this machine. */
async function readerFor(address: string): Promise<{ plugin: ReaderPlugin; parameter: object }> {
  const [, scheme = 'file'] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address) ?? [];
  const readers = await builtInPlugins('reader');
  const found = readers.find(({ plugin }) => plugin.address?.scheme === scheme.toLowerCase());
  if (found === undefined) {
    const known = readers.flatMap(({ plugin }) => (plugin.address === undefined ? [] : [`${plugin.address.scheme}://`]));
    throw new DrayError('USAGE', `no reader understands addresses of ${scheme}://; known are ${known.join(', ')} and paths`);
  }
  return { plugin: found.plugin, parameter: found.plugin.address!.parameter(address) };
}

function withSecrets(option: Record<string, string>, screen: Screen): Record<string, unknown> {
  const { text, secrets } = substituteVariables(JSON.stringify(option), {
    parameters: {},
    environment: process.env,
    jobFile: 'command line',
  });
  screen.mask.add(...secrets);
  const values = JSON.parse(text) as Record<string, string>;
  // `hostKey={"fingerprint":"…"}`
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, /^[{[]/.test(value) ? (JSON.parse(value) as unknown) : value]),
  );
}
