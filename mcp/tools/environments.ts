/** `environments`: what there is. */
import { z } from 'zod';
import { formatCoordinates } from '../../engine/index.ts';
import { answer } from '../data.ts';
import { type AddTool, answering, counted, READS } from './tool.ts';

export const addEnvironments: AddTool = (server, input) =>
  void server.registerTool(
    'environments',
    {
      title: 'List environments',
      description:
        'Lists tenants, environments and their services: the scopes that the other tools take. Narrow it in large repositories.',
      inputSchema: z.strictObject({
        tenant: z.string().min(1).max(255).optional(),
        environment: z.string().min(1).max(255).optional(),
        limit: z.int().min(1).max(200).default(50),
        offset: z.int().min(0).max(100_000).default(0),
      }),
      annotations: READS,
    },
    ({ tenant, environment, limit, offset }) =>
      answering(input, async () => {
        const { environments, tenants, findings } = await input.engine.survey({ reader: input.actor });
        const found = environments.filter(
          (each) =>
            (tenant === undefined || each.tenant === tenant) &&
            (environment === undefined || each.environment === environment),
        );
        const shown = found.slice(offset, offset + limit);
        const rest = found.length - offset - shown.length;
        const said = `${counted(found.length, 'environment')} found, ${shown.length} listed.`;
        return answer([said], {
          tenants,
          total: found.length,
          environments: shown.map((each) => ({ scope: formatCoordinates(each), services: each.services })),
          ...(findings.length > 0 && { findings }),
          next: rest > 0 ? { offset: offset + shown.length } : null,
        });
      }),
  );
