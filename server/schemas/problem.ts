import { z } from 'zod';
import { FAILURES } from '../../engine/index.ts';

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().describe('One sentence.'),
    code: z.enum(Object.keys(FAILURES)).describe('Match on this.'),
    hint: z.string().describe('What can be done.'),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'Problem' });
