import variant from '@jitl/quickjs-wasmfile-release-sync';
import { type Cell, type Column, DrayError } from 'dray/sdk';
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { type CodeShape, refuseUnclear } from './code-shape.ts';
import { type Answer, driverFor } from './driver.ts';

export interface SandboxLimits {
  /** For one batch. */
  readonly timeoutMs: number;
  readonly memoryMb: number;
}

/** One interpreter for all sandboxes of a thread; each has a runtime, with memory, of its own. */
let interpreter: Promise<QuickJSWASMModule> | undefined;

/** QuickJS in WebAssembly: the code has the language, and nothing of this program. */
export class Sandbox {
  readonly #context: QuickJSContext;
  readonly #timeoutMs: number;
  readonly #memoryMb: number;
  #run: QuickJSHandle | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  /** It was stopped in the middle. */
  #isBroken = false;

  private constructor(context: QuickJSContext, { timeoutMs, memoryMb }: SandboxLimits) {
    this.#context = context;
    this.#timeoutMs = timeoutMs;
    this.#memoryMb = memoryMb;
    context.runtime.setMemoryLimit(memoryMb << 20);
    context.runtime.setInterruptHandler(() => performance.now() > this.#deadline);
  }

  /**
   * @param mayChange by place in `columns`
   * @throws DrayError CODE_FAILED if the code is no JavaScript
   */
  static async open(
    { code, shape }: { readonly code: string; readonly shape: CodeShape },
    columns: readonly Column[],
    mayChange: readonly boolean[],
    limits: SandboxLimits,
  ): Promise<Sandbox> {
    // The types of the package are those of its CommonJS form, in which the variant is one step further in.
    interpreter ??= newQuickJSWASMModuleFromVariant(variant as unknown as QuickJSSyncVariant);
    const sandbox = new Sandbox((await interpreter).newContext(), limits);
    try {
      sandbox.#run = sandbox.#compiled(code, shape, driverFor(columns, mayChange));
      return sandbox;
    } catch (error) {
      sandbox.close();
      throw error;
    }
  }

  /** Sends the cells of a batch, column by column, through the code. @throws DrayError CODE_FAILED if time or memory runs out */
  run(columns: readonly (readonly Cell[])[], rowCount: number): Answer {
    const context = this.#context;
    const cells = context.newString(JSON.stringify(columns));
    const count = context.newNumber(rowCount);
    try {
      return JSON.parse(this.#take(this.#called(this.#run!, cells, count), (handle) => context.getString(handle))) as Answer;
    } finally {
      cells.dispose();
      count.dispose();
    }
  }

  close(): void {
    // What is stopped in the middle leaves values behind, and QuickJS ends the whole interpreter when a runtime with such is released: better to lose its memory.
    if (this.#isBroken) return;
    this.#run?.dispose();
    this.#context.dispose();
  }

  /** The function around an expression, or else around the body of a function. */
  #compiled(code: string, shape: CodeShape, driver: string): QuickJSHandle {
    // What closes one kind of bracket and opens it again is no expression.
    const isExpression = [`(\n${code}\n)`, `[\n${code}\n]`].every((text) => this.#faultOf(`(row) => ${text}`) === undefined);
    if (isExpression) refuseUnclear(shape);
    const isValue = isExpression && !shape.beginsWithChange;
    const fault = isValue ? undefined : this.#faultOf(`(row) => {\n${code}\n}`);
    if (fault !== undefined) throw new DrayError('CODE_FAILED', `"code" is no JavaScript: ${fault}`);
    const decide = this.#evaluated(isValue ? `(row) => (\n${code}\n)` : `(row) => {\n${code}\n}`);
    const made = this.#evaluated(driver);
    try {
      return this.#called(made, decide);
    } finally {
      made.dispose();
      decide.dispose();
    }
  }

  /** Why a script does not compile. It is a function that is not called. */
  #faultOf(script: string): string | undefined {
    const result = this.#context.evalCode(`'use strict'; ${script}`, 'code');
    if (result.error === undefined) {
      result.value.dispose();
      return undefined;
    }
    const { message, lineNumber } = this.#errorOf(result.error);
    return lineNumber === undefined ? message : `${message} (line ${lineNumber - 1})`;
  }

  #evaluated(script: string): QuickJSHandle {
    const result = this.#context.evalCode(`'use strict'; ${script}`, 'code');
    return this.#context.unwrapResult(result);
  }

  #called(callee: QuickJSHandle, ...given: QuickJSHandle[]): QuickJSHandle {
    this.#deadline = performance.now() + this.#timeoutMs;
    const result = this.#context.callFunction(callee, this.#context.undefined, ...given);
    if (result.error === undefined) return result.value;
    const { message } = this.#errorOf(result.error);
    this.#isBroken = true;
    if (message === 'interrupted')
      throw new DrayError('CODE_FAILED', `the code took longer than ${this.#timeoutMs} ms for one batch of rows, and was stopped`, {
        remedy: 'Look for a loop that does not end, or give it more time with "timeoutMs".',
      });
    if (message.includes('out of memory'))
      throw new DrayError('CODE_FAILED', `the code needs more than ${this.#memoryMb} MB of memory`, {
        remedy: 'Keep less between rows, or give it more with "memoryMb".',
      });
    throw new DrayError('CODE_FAILED', `the code failed as a whole: ${message}`);
  }

  #errorOf(handle: QuickJSHandle): { readonly message: string; readonly lineNumber: number | undefined } {
    const error = this.#take(handle, (one) => this.#context.dump(one) as unknown);
    const { message, stack } = (error ?? {}) as { message?: unknown; stack?: unknown };
    const line = /code:(\d+)/.exec(String(stack))?.[1];
    return { message: String(message ?? error), lineNumber: line === undefined ? undefined : Number(line) };
  }

  #take<T>(handle: QuickJSHandle, read: (handle: QuickJSHandle) => T): T {
    try {
      return read(handle);
    } finally {
      handle.dispose();
    }
  }
}
