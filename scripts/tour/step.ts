/** One call of a server in a tour: made, held to what it has to answer, and shown as the line to type. */
import { setTimeout as sleep } from 'node:timers/promises';
import { say, title } from '../narrate.ts';
import { claim } from './run.ts';
import type { Scene, Served } from './served.ts';

export interface Step {
  /** Starts a part of its own. */
  readonly title?: string;
  /** What it is for, as the page says it. */
  readonly text: string;
  readonly who: 'JANE' | 'BOB' | null;
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the server's address; `$NAME` is what an earlier step kept. */
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Names of what the answer holds, for later steps: `{ ID: 'requestId' }`. */
  readonly keep?: Readonly<Record<string, string>>;
  /** What of the answer is shown, as paths with dots; all where absent. */
  readonly show?: readonly string[];
  /** What the answer has to hold: paths with dots. */
  readonly holds?: Readonly<Record<string, unknown>>;
  /** What happens before it, done by the tour itself. */
  readonly before?: (scene: Scene) => void;
  /** Asked again until the answer holds that. */
  readonly polls?: true;
  /** Server-sent events: so many are read. */
  readonly events?: number;
}

export interface Shown {
  readonly step: Step;
  readonly line: string;
  readonly status: number;
  /** JSON, or the text of events. */
  readonly answer: unknown;
}

export interface Taking extends Pick<Served, 'url' | 'tokens'> {
  readonly kept: Map<string, string>;
  readonly scene: Scene;
}

const STEP_MS = 120_000;

/** Makes the call, and prints it with its answer. @throws where the answer is not as the step says */
export async function take(step: Step, { url, tokens, kept, scene }: Taking): Promise<Shown> {
  if (step.title !== undefined) title(step.title);
  say(step.text);
  step.before?.(scene);
  const line = curlOf(step);
  say(`$ ${line}`);
  const filled = (text: string) => text.replace(/\$([A-Z]+)/g, (_, name: string) => kept.get(name) ?? '');
  const ask = () =>
    fetch(`${url}${filled(step.path)}`, {
      method: step.method ?? 'GET',
      signal: AbortSignal.timeout(STEP_MS),
      headers: {
        ...(step.who && { authorization: `Bearer ${tokens[step.who]}` }),
        ...(step.body && { 'content-type': 'application/json' }),
        ...step.headers,
      },
      ...(step.body && { body: filled(JSON.stringify(step.body)) }),
    });
  const meets = (body: unknown) =>
    Object.entries(step.holds ?? {}).every(([path, meant]) => at(body, path) === meant);
  let response = await ask();
  for (const deadline = Date.now() + STEP_MS; step.polls && !meets(await response.clone().json()); ) {
    claim(Date.now() < deadline, `${line} was never answered so`);
    await sleep(200);
    response = await ask();
  }
  if (step.events !== undefined) {
    const events = await readEvents(response, step.events);
    say(`${events}\n`);
    return { step, line, status: response.status, answer: events };
  }
  const text = await response.text();
  const body: unknown = text === '' ? null : JSON.parse(text);
  claim(
    response.status === step.status,
    `${line} was answered ${response.status}, not ${step.status}: ${text.slice(0, 2000)}`,
  );
  for (const [path, meant] of Object.entries(step.holds ?? {}))
    claim(
      at(body, path) === meant,
      `${path} is ${JSON.stringify(at(body, path))}, not ${JSON.stringify(meant)}: ${text.slice(0, 4000)}`,
    );
  for (const [name, path] of Object.entries(step.keep ?? {})) {
    const value = at(body, path);
    claim(typeof value === 'string', `The answer has no ${path}: ${text.slice(0, 500)}`);
    kept.set(name, value);
  }
  const answer = step.show === undefined ? body : shownOf(body, step.show);
  say(`${response.status} ${JSON.stringify(answer, null, 2)}\n`);
  return { step, line, status: response.status, answer };
}

/** The line to type. Values that earlier answers gave are variables of the shell. */
export function curlOf({
  who,
  method = 'GET',
  path,
  body,
  headers = {},
  events,
}: Pick<Step, 'who' | 'method' | 'path' | 'body' | 'headers' | 'events'>): string {
  const words = [
    'curl -sS',
    ...(events === undefined ? [] : ['-N']),
    ...(who === null ? [] : [`-H "Authorization: Bearer $${who}"`]),
    ...Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`),
    ...(method === 'GET' || (method === 'POST' && body !== undefined) ? [] : [`-X ${method}`]),
    ...(body === undefined ? [] : [`--json ${quoted(JSON.stringify(body))}`]),
    `"$SERVER${path}"`,
  ];
  return words.join(' ');
}

/** Variables are filled in between double quotes alone. */
function quoted(json: string): string {
  if (!json.includes('$')) return `'${json.replaceAll("'", `'\\''`)}'`;
  return `"${json.replace(/["\\`]/g, '\\$&')}"`;
}

/** As they arrive; the rest is not waited for. */
async function readEvents(response: Response, count: number): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true });
    const whole = text
      .split('\n\n')
      .slice(0, -1)
      .filter((each) => each.includes('data:'));
    if (whole.length >= count) return whole.slice(0, count).join('\n\n');
  }
  throw new Error(`The stream ended after: ${text}`);
}

/** `a.0.b` of a value. */
function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = new Map(Object.entries(found)).get(name);
  }
  return found;
}

/** Only these paths, in a value of the same form. */
function shownOf(value: unknown, paths: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const inner = new Map<string, string[]>();
  for (const path of paths) {
    const [name = '', ...rest] = path.split('.');
    inner.set(name, [...(inner.get(name) ?? []), ...(rest.length > 0 ? [rest.join('.')] : [])]);
  }
  const entries = new Map<string, unknown>(Object.entries(value));
  const kept = [...inner].map(([name, rest]): [string, unknown] => {
    const own = entries.get(name);
    return [name, rest.length === 0 ? own : shownOf(own, rest)];
  });
  return Array.isArray(value) ? kept.map(([, own]) => own) : Object.fromEntries(kept);
}
