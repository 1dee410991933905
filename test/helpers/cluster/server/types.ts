import type { IncomingHttpHeaders } from 'node:http';

interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly uid?: string;
  readonly creationTimestamp?: string;
  readonly [field: string]: unknown;
}

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** What names an object of a cluster; without a namespace where its kind has none. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface ResourceType {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** The plural that paths name. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly subresources: readonly string[];
  /** Defined by a CustomResourceDefinition. */
  readonly custom: boolean;
}

/** A request as the authorizer of an API server sees it. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** `get` for whatever is no resource. */
  readonly verb: string;
  /** Null: discovery, version, or a path that means nothing. */
  readonly type: ResourceType | null;
  /** '' for all of them. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

export interface Reply {
  readonly status: number;
  /** Sent as JSON; text is sent as it is. */
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}
