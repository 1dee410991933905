/** Everything that may go wrong between us and a cluster, for some requests or for all of them. */
import type { ServerResponse } from 'node:http';
import { type AccessRule, ruleMatches } from './access.ts';
import { forbidden, internalError, tooManyRequests, unauthorized } from './status.ts';
import type { ApiRequest, Reply } from './types.ts';

export type Fault = AccessRule & {
  /** Discovery as well; else only resources, where nothing else says which. */
  readonly everything?: boolean;
  /** For so many requests; else until it is ended. */
  readonly times?: number;
} & FaultAnswer;

type FaultAnswer =
  | { readonly answer: 'unauthorized' | 'forbidden' | 'error' }
  /** Seconds; kubectl asks ten times more. */
  | { readonly answer: 'too-many-requests'; readonly retryAfter?: number }
  /** The connection goes in the middle of the body. */
  | { readonly answer: 'cut' }
  /** Nothing ever comes. */
  | { readonly answer: 'hang' }
  | { readonly answer: 'nonsense'; readonly body: Nonsense }
  /** The answer waits for it; a function is called for each request. */
  | { readonly answer: 'slow'; readonly until: Promise<unknown> | (() => unknown) };

/** Text, a page of a proxy, an object of another kind, fields of other types, or a body of your own. */
type Nonsense = 'text' | 'html' | 'another-kind' | 'other-types' | { readonly json: unknown };

const PAGE =
  '<!doctype html>\n<html><head><title>Sign in</title></head><body>Sign in to continue.</body></html>\n';

export interface Faults {
  /** Gives what ends it. */
  add(fault: Fault): () => void;
  /** Counts as one of its `times`. */
  find(request: ApiRequest): Fault | null;
  readonly forbidding: () => readonly AccessRule[];
  clear(): void;
}

export function createFaults(): Faults {
  let faults: { fault: Fault; left: number }[] = [];
  return {
    add(fault) {
      const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
      faults.push(entry);
      return () => {
        faults = faults.filter((each) => each !== entry);
      };
    },
    find(request) {
      const found = faults.find(({ fault, left }) => left > 0 && faultMatches(fault, request));
      if (found === undefined) return null;
      found.left -= 1;
      return found.fault;
    },
    forbidding: () =>
      faults.flatMap(({ fault, left }) => (fault.answer === 'forbidden' && left > 0 ? [fault] : [])),
    clear() {
      faults = [];
    },
  };
}

/** What is answered instead; null: what else would be, perhaps spoilt by `sendReply`. */
export function instead(fault: Fault | null, request: ApiRequest, user: string): Reply | 'never' | null {
  if (fault === null) return null;
  if (fault.answer === 'unauthorized') return unauthorized();
  if (fault.answer === 'forbidden') return forbidden(request, user);
  if (fault.answer === 'error') return internalError();
  if (fault.answer === 'too-many-requests') return tooManyRequests(fault.retryAfter ?? 1);
  if (fault.answer === 'hang') return 'never';
  return fault.answer === 'nonsense' ? nonsense(fault.body, request) : null;
}

export function sendReply(response: ServerResponse, { status, body, headers }: Reply, isCut: boolean): void {
  const bytes = Buffer.from(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...headers,
  });
  if (!isCut) return void response.end(bytes);
  response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => response.destroy());
}

function faultMatches(fault: Fault, request: ApiRequest): boolean {
  const isAny = fault.everything ?? (fault.answer === 'unauthorized' || fault.answer === 'hang');
  const isReview = request.type?.group === 'authorization.k8s.io';
  return ((request.type !== null && !isReview) || isAny) && ruleMatches(fault, request);
}

function nonsense(body: Nonsense, { type }: ApiRequest): Reply {
  if (body === 'text')
    return { status: 200, body: 'upstream connect error', headers: { 'content-type': 'text/plain' } };
  if (body === 'html') return { status: 200, body: PAGE, headers: { 'content-type': 'text/html' } };
  if (body === 'another-kind')
    return { status: 200, body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'x' } } };
  if (body === 'other-types') return { status: 200, body: otherTypes(type?.kind ?? 'Pod') };
  return { status: 200, body: typeof body.json === 'string' ? body.json : Object(body.json) };
}

/** Names of the fields as they are, values as no API server would give them. */
const otherTypes = (kind: string) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'web', namespace: 'shop', generation: 'one', labels: ['none'] },
  spec: { replicas: 'three', template: 7 },
  status: { conditions: { Ready: 'True' }, observedGeneration: null, sync: 'Synced', health: [] },
});
