import { z } from 'zod';
import { type Approvals, GATEWAY, requestShape } from '../../helpers/people/approvals.ts';
import { jsonOf } from '../../helpers/program/cli.ts';

export const JSON_OUT = ['-o', 'json'];
export const SERVICE = 'tenants/acme/production/services/api-gateway/service.yaml';
export const back = (...more: string[]) => [
  'rollback',
  GATEWAY,
  '--yes',
  '--reason',
  'It answers 500',
  ...more,
];
export const approve = (id: string, ...more: string[]) => ['request', 'approve', id, '--yes', ...more];
export const listShape = z.object({ requests: z.array(requestShape) });

export async function show({ as }: Approvals, id: string) {
  return jsonOf(await as('carol', ['request', 'show', id, ...JSON_OUT]), requestShape);
}
