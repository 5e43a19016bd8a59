import { DrayError, type ErrorWire } from '../sdk/index.ts';
import type { FeedEvent } from '../serve/event-feed.ts';
import { type ServerFacts, serverOf } from '../serve/server-file.ts';
import { type StateOptions, stateOf } from './state.ts';

/** An event as the server sends it. */
export type ServerEvent = FeedEvent & { readonly run: string; readonly job: string; readonly at: string };

/** The server of a state folder, as commands talk to it. */
export class ServerClient {
  readonly #facts: ServerFacts;
  readonly #state: string;

  private constructor(facts: ServerFacts, state: string) {
    this.#facts = facts;
    this.#state = state;
  }

  /** undefined: there is none. */
  static async ifAny(options: StateOptions): Promise<ServerClient | undefined> {
    const state = stateOf(options);
    const facts = await serverOf(state);
    return facts === undefined ? undefined : new ServerClient(facts, state);
  }

  /** @throws DrayError NO_SERVER */
  static async find(options: StateOptions): Promise<ServerClient> {
    const client = await ServerClient.ifAny(options);
    if (client === undefined) throw noServer(stateOf(options));
    return client;
  }

  /** @returns what the server answers. @throws DrayError NO_SERVER, and what the server refuses */
  async ask<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    const response = await this.#fetch(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const answer = (await response.json()) as T & { readonly error?: ErrorWire };
    if (!response.ok) throw DrayError.fromWire(answer.error!);
    return answer;
  }

  /** What happens to a run, from its beginning to its end. Ends early if the server does. */
  async *events(run: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const response = await this.#fetch(`/runs/${encodeURIComponent(run)}/events`, { signal });
    if (!response.ok) throw DrayError.fromWire(((await response.json()) as { error: ErrorWire }).error);
    let text = '';
    const decoder = new TextDecoder();
    try {
      for await (const piece of response.body!) {
        text += decoder.decode(piece, { stream: true });
        const messages = text.split('\n\n');
        text = messages.pop()!;
        for (const message of messages) {
          const line = message.split('\n').find((one) => one.startsWith('data: '));
          if (line !== undefined) yield JSON.parse(line.slice(6)) as ServerEvent;
        }
      }
    } catch (cause) {
      throw signal.aborted ? signal.reason : noServer(this.#state, cause);
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const { port, token } = this.#facts;
    try {
      return await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });
    } catch (cause) {
      throw init.signal?.aborted === true ? init.signal.reason : noServer(this.#state, cause);
    }
  }
}

function noServer(state: string, cause?: unknown): DrayError {
  return new DrayError('NO_SERVER', `no dray server is at work on the state folder ${state}`, cause === undefined ? {} : { cause });
}
