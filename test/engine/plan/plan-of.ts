import type { Engine, Plan } from '../../../engine/internal.ts';

export const ENV = 'tenants/acme/prod';
export const API = `${ENV}/services/api`;
export const spec = (tag: number, replicas = 1) => `image:\n  tag: ${tag}\nreplicas: ${replicas}\n`;
export const variables = (api: number, web = 1) => `services:\n  api: {a: ${api}}\n  web: {a: ${web}}\n`;

export interface Ask {
  readonly scope?: string;
  readonly fields?: string[];
  readonly to?: string;
  readonly allowRemoval?: boolean;
}

export async function planOf(
  engine: Engine,
  { scope = 'acme/prod/api', to = 'v1', ...rest }: Ask = {},
): Promise<Plan> {
  return (await engine.plan({ scope, to, ...rest })).plan;
}
export const blocks = ({ findings }: Plan) =>
  findings.filter(({ severity }) => severity === 'block').map(({ code, message }) => `${code}: ${message}`);
export const changed = ({ files }: Plan) => files.map(({ path }) => path);
