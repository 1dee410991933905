/** `history`: what a scope was. */
import { z } from 'zod';
import { formatCoordinates } from '../../engine/index.ts';
import { answer } from '../data.ts';
import { type AddTool, answering, counted, fields, limit, READS, scope } from './tool.ts';

const MOST_FILES = 10;

export const addHistory: AddTool = (server, input) =>
  void server.registerTool(
    'history',
    {
      title: 'Show revisions',
      description:
        'Shows the revisions of a scope, newest first: version (v12), commit, author, images, and what is recorded of their deployment. `eligible`: whether a rollback to `previous` takes it.',
      inputSchema: z.strictObject({
        scope,
        fields,
        limit: limit(10),
        before: z
          .int()
          .min(2)
          .max(1e9)
          .optional()
          .describe('Only versions before this one: `next` of another page.'),
      }),
      annotations: READS,
    },
    ({ scope: asked, fields: named = [], limit: most, before }) =>
      answering(input, async () => {
        const {
          revisions,
          total,
          findings,
          scope: found,
        } = await input.engine.history({
          scope: asked,
          fields: named,
          limit: most,
          ...(before !== undefined && { before }),
          reader: input.actor,
        });
        const last = revisions.at(-1)?.version ?? 1;
        return answer([`The scope has ${counted(total, 'revision')}; ${revisions.length} listed.`], {
          scope: formatCoordinates(found),
          total,
          revisions: revisions.map(({ changes, identity, ...revision }) => {
            const files = changes.flatMap((each) => each.files);
            return {
              ...revision,
              images: identity.images,
              charts: identity.charts,
              services: changes.flatMap(({ service }) => (service === null ? [] : [service])),
              changedFiles: files.length,
              files: files.slice(0, MOST_FILES),
            };
          }),
          ...(findings.length > 0 && { findings }),
          next: revisions.length === most && last > 1 ? { before: last } : null,
        });
      }),
  );
