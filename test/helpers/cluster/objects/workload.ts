/** What the controllers read of a workload. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { KubernetesObject } from '../server/types.ts';

const Template = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).default({}) }).default({ labels: {} }),
  spec: z.looseObject({ containers: z.array(z.looseObject({ name: z.string(), image: z.string() })).min(1) }),
});
const Spec = z.looseObject({ replicas: z.number().default(1), template: Template });

export type PodTemplate = z.infer<typeof Template>;

export interface Workload {
  readonly object: KubernetesObject;
  readonly name: string;
  readonly namespace: string;
  readonly generation: number;
  readonly replicas: number;
  readonly template: PodTemplate;
  /** Of its template: names its pods and revisions. */
  readonly hash: string;
}

export function readWorkload(object: KubernetesObject): Workload {
  const { replicas, template } = Spec.parse(object['spec']);
  const { name, namespace = 'default', generation = 1 } = object.metadata;
  return { object, name, namespace, generation, replicas, template, hash: hashOf(template, 10) };
}

/** A bare pod is its own template. */
export const readTemplate = (object: KubernetesObject): PodTemplate =>
  Template.parse({ metadata: object.metadata, spec: object['spec'] });

/** Letters and digits that Kubernetes uses for names that it makes. */
export function hashOf(value: unknown, length: number): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  const digest = createHash('sha256').update(JSON.stringify(value)).digest();
  return [...digest.subarray(0, length)].map((byte) => letters[byte % letters.length]).join('');
}

export const ownerOf = ({ apiVersion, kind, metadata }: KubernetesObject) => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

/** A number of the status that its controller wrote last; 0: none. */
export function statusNumber(object: KubernetesObject | null, field: string): number {
  const value = z.looseObject({}).safeParse(object?.['status']).data?.[field];
  return typeof value === 'number' ? value : 0;
}

/** API servers leave out a number that is zero, but for some. */
export const omitZeros = (status: object, always: readonly string[] = []): object =>
  Object.fromEntries(
    Object.entries(status).filter(([field, value]) => value !== 0 || always.includes(field)),
  );
