/** A request that was opened. */
import { z } from 'zod';
import type { Requested } from '../../engine/index.ts';
import { commitId, mode } from './names.ts';
import { finding } from './plan.ts';

export const opened = z
  .object({
    requestId: z.string(),
    status: z.string(),
    mode,
    scope: z.string(),
    base: commitId,
    target: commitId,
    commit: commitId.nullable(),
    deliveryCommit: commitId.nullable(),
    digest: z.string(),
    findings: z.array(finding),
    request: z.looseObject({ id: z.string() }).nullable(),
  })
  .meta({ id: 'Opened' });

/** 201: it waits for approval; 202: it is executed next; 200: nothing is left to do. */
export function statusOf({ status }: Requested): 200 | 201 | 202 {
  if (status === 'pending') return 201;
  return status === 'approved' || status === 'executing' ? 202 : 200;
}
