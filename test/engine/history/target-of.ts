import { type Engine } from '../../../engine/internal.ts';

export const API = 'tenants/acme/prod/services/api/service.yaml';
export const scope = 'acme/prod/api';
export const spec = (tag: string | number, replicas = 1) => `image:\n  tag: ${tag}\nreplicas: ${replicas}\n`;
export const step = (message: string, tag: string | number, replicas = 1) => ({
  message,
  files: { [API]: spec(tag, replicas) },
});

export async function target(engine: Engine, to?: string, fields: string[] = []) {
  const { plan } = await engine.plan({ scope, fields, ...(to !== undefined && { to }) });
  return plan.target;
}
