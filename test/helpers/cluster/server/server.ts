import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AccessRule, reviewAccess, reviewRules, ruleMatches } from './access.ts';
import { discover } from './discovery.ts';
import { type Faults, instead, sendReply } from './faults.ts';
import { getObject, listObjects } from './read.ts';
import { qualifiedName } from './resources.ts';
import { readRequest } from './route.ts';
import { forbidden, notFound, unauthorized, unsupported } from './status.ts';
import type { Store } from './store.ts';
import type { ApiRequest, Reply, ResourceType } from './types.ts';
import { watchObjects } from './watch.ts';
import { writeObject } from './write.ts';

export interface LoggedRequest extends ApiRequest {
  /** `list deployments.apps shop`, `get deployments.apps shop/web`; `get /version` for what is no resource. */
  readonly line: string;
}

/** What the server looks at anew for each request. */
export interface ServerState {
  readonly store: Store;
  readonly faults: Faults;
  readonly resources: readonly ResourceType[];
  readonly aggregated: boolean;
  readonly requests: LoggedRequest[];
  /** User names by bearer token. */
  readonly users: Map<string, string>;
  /** Null: everything is allowed. */
  allowed: readonly AccessRule[] | null;
}

export const createApiServer = (tls: { readonly key: string; readonly cert: string }, state: ServerState) =>
  createServer(tls, (message, response) => {
    answer(state, message, response).catch((error: unknown) => {
      process.emitWarning(`The cluster of the tests failed: ${String(error)}`);
      response.destroy();
    });
  });

async function answer(state: ServerState, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const request = readRequest(message, state.resources);
  state.requests.push({ ...request, line: lineOf(request) });
  const body = await readBody(message);
  const user = state.users.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
  if (user === undefined) return sendReply(response, unauthorized(), false);
  const fault = state.faults.find(request);
  if (fault?.answer === 'slow') await (typeof fault.until === 'function' ? fault.until() : fault.until);
  const other = instead(fault, request, user);
  if (other === 'never') return;
  const isCut = fault?.answer === 'cut';
  if (other !== null) return sendReply(response, other, isCut);
  if (!mayDo(state, request)) return sendReply(response, forbidden(request, user), isCut);
  if (request.type === null || request.verb !== 'watch')
    return sendReply(response, reply(state, request, body), isCut);
  watchObjects(state.store, { ...request, type: request.type }, response);
  if (isCut) response.write('{"type":"MODIF', () => response.destroy());
}

function reply(state: ServerState, request: ApiRequest, body: Buffer): Reply {
  const { type, verb } = request;
  const { store, faults, resources, aggregated, allowed } = state;
  if (type === null) return discover(request, resources, aggregated) ?? notFound(request);
  if (type.kind === 'SelfSubjectAccessReview')
    return reviewAccess(body, (asked) => {
      const isForbidden = faults.forbidding().some((rule) => ruleMatches(rule, asked));
      return !isForbidden && (allowed === null || allowed.some((rule) => ruleMatches(rule, asked)));
    });
  if (type.kind === 'SelfSubjectRulesReview') return reviewRules(allowed ?? [{}]);
  if (verb === 'get') return getObject(store, request);
  if (verb === 'list') return listObjects(store, { ...request, type });
  if (['create', 'update', 'patch', 'delete'].includes(verb))
    return writeObject(store, { ...request, type }, String(body));
  return unsupported('the server does not allow this method on the requested resource');
}

/** Everybody may discover, and ask what he may. */
function mayDo({ allowed }: ServerState, request: ApiRequest): boolean {
  if (allowed === null || request.type === null || request.type.group === 'authorization.k8s.io') return true;
  return allowed.some((rule) => ruleMatches(rule, request));
}

function lineOf({ verb, type, namespace, name, subresource, path }: ApiRequest): string {
  if (type === null) return `${verb} ${path}`;
  const place = [namespace, name, subresource].filter((part) => part !== '').join('/');
  return [verb, qualifiedName(type), place].filter((part) => part !== '').join(' ');
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}
