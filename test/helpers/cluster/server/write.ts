/** What changes objects through the API: kubectl annotate, patch, scale, create, delete. */
import jsonPatch from 'fast-json-patch';
import { scaleOf } from './read.ts';
import { apiVersionOf } from './resources.ts';
import { alreadyExists, badRequest, conflict, notFound, unsupported } from './status.ts';
import type { Store } from './store.ts';
import type { ApiRequest, KubernetesObject, Reply, ResourceType } from './types.ts';

const STRATEGIC = 'application/strategic-merge-patch+json';
const NOT_SUPPORTED =
  'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json';

type Writing = ApiRequest & { readonly type: ResourceType };

export function writeObject(store: Store, request: Writing, body: string): Reply {
  const { type, namespace, name, verb } = request;
  if (verb === 'create') return createObject(store, request, body);
  const former = store.get(type, namespace, name);
  if (former === null) return notFound(request);
  if (verb === 'delete')
    return { status: 200, body: store.remove({ kind: type.kind, namespace, name }) ?? former };
  if (type.custom && request.headers['content-type'] === STRATEGIC) return unsupported(NOT_SUPPORTED, 415);
  const next = verb === 'update' ? parse(body) : patched(former, body, request);
  if (next === null) return badRequest('the body of the request was in an unknown format');
  return replaceObject({ store, request, former, next });
}

/** A merge patch, which changes neither kind nor name. */
export function patchedObject(former: KubernetesObject, patch: object): KubernetesObject {
  const { apiVersion, kind, metadata } = former;
  const next = mergePatch(former, patch);
  return { ...next, apiVersion, kind, metadata: { ...record(next['metadata']), name: metadata.name } };
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: object): Record<string, unknown> {
  const merged = new Map(isRecord(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch))
    if (value === null) merged.delete(key);
    else merged.set(key, isRecord(value) ? mergePatch(merged.get(key), value) : value);
  return Object.fromEntries(merged);
}

function createObject(store: Store, request: Writing, body: string): Reply {
  const given = parse(body);
  if (given === null || !isRecord(given['metadata']))
    return badRequest('the object provided is unrecognized');
  const { name } = given['metadata'];
  if (typeof name !== 'string') return badRequest('name is required');
  const { type, namespace } = request;
  if (store.get(type, namespace, name) !== null) return alreadyExists({ ...request, name });
  return { status: 201, body: store.apply(asObject(given, { ...request, name })) };
}

function replaceObject(known: {
  store: Store;
  request: Writing;
  former: KubernetesObject;
  next: Record<string, unknown>;
}): Reply {
  const { store, request, former, next } = known;
  const expected = isRecord(next['metadata']) ? next['metadata']['resourceVersion'] : undefined;
  if (expected !== undefined && expected !== former.metadata.resourceVersion) return conflict(request);
  const { spec, status } = next;
  if (request.subresource === 'scale') {
    const replicas = isRecord(spec) ? spec['replicas'] : undefined;
    const scaled = store.apply({
      ...former,
      spec: { ...(isRecord(former['spec']) && former['spec']), replicas },
    });
    return { status: 200, body: scaleOf(scaled) };
  }
  const object = request.subresource === 'status' ? { ...former, status } : asObject(next, request);
  return { status: 200, body: store.apply(object) };
}

/** Null: it cannot be applied. */
function patched(
  former: KubernetesObject,
  body: string,
  { headers, subresource }: Writing,
): Record<string, unknown> | null {
  const target = structuredClone(subresource === 'scale' ? scaleOf(former) : former);
  if (headers['content-type'] !== 'application/json-patch+json') {
    const patch = parse(body);
    return patch === null ? null : mergePatch(target, patch);
  }
  try {
    return record(jsonPatch.applyPatch(target, JSON.parse(body), true).newDocument);
  } catch {
    return null;
  }
}

/** What a path says counts more than what a body says. */
const asObject = (given: Record<string, unknown>, { type, namespace, name }: Writing): KubernetesObject => ({
  ...given,
  apiVersion: apiVersionOf(type),
  kind: type.kind,
  metadata: { ...record(given['metadata']), name, ...(namespace !== '' && { namespace }) },
});

function parse(body: string): Record<string, unknown> | null {
  try {
    return record(JSON.parse(body));
  } catch {
    return null;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const record = (value: unknown) => (isRecord(value) ? value : null);
