import type { ServerResponse } from 'node:http';
import { apiVersionOf } from './resources.ts';
import { type Matches, selectorOf } from './selectors.ts';
import { tooOld } from './status.ts';
import type { Change, Store } from './store.ts';
import type { ApiRequest, ResourceType } from './types.ts';

/** Streams what happens, from a version on or from the objects that there are, until whoever asked has gone or `timeoutSeconds` have passed. */
export function watchObjects(
  store: Store,
  request: ApiRequest & { readonly type: ResourceType },
  response: ServerResponse,
): void {
  const { type, namespace, name, query } = request;
  const selector = selectorOf(query);
  const matches: Matches = (object) =>
    (namespace === '' || object.metadata.namespace === namespace) &&
    (name === '' || object.metadata.name === name) &&
    selector(object);
  response.writeHead(200, { 'content-type': 'application/json' });
  const send = (event: string, object: object) =>
    response.write(`${JSON.stringify({ type: event, object })}\n`);
  const pass = (change: Change) => {
    if (change.resource === type && matches(change.object)) send(change.type, change.object);
  };
  const from = Number(query.get('resourceVersion') ?? '0');
  const isInitial = query.get('sendInitialEvents') === 'true';
  const missed = from === 0 || isInitial ? [] : store.changesAfter(from);
  if (missed === null) {
    send('ERROR', tooOld(`too old resource version: ${from} (${store.compacted})`));
    return void response.end();
  }
  for (const change of missed) pass(change);
  if (from === 0 || isInitial)
    for (const object of store.list(type, namespace).filter(matches)) send('ADDED', object);
  if (isInitial) send('BOOKMARK', bookmark(type, store.version));
  const stop = store.follow(pass);
  const seconds = Number(query.get('timeoutSeconds') ?? '0');
  const timer = seconds > 0 ? setTimeout(() => response.end(), seconds * 1000) : undefined;
  response.on('close', () => {
    stop();
    clearTimeout(timer);
  });
}

/** Where the initial objects end. */
const bookmark = (type: ResourceType, version: number) => ({
  kind: type.kind,
  apiVersion: apiVersionOf(type),
  metadata: {
    resourceVersion: String(version),
    creationTimestamp: null,
    annotations: { 'k8s.io/initial-events-end': 'true' },
  },
});
