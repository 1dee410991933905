import { z } from 'zod';
import { person, time } from './names.ts';

export const sessionId = z.string().regex(/^bgs-[0-9A-HJKMNP-TV-Z]{26}$/, 'It is not the id of a session.');

/** A break-glass session as the ledger has it. */
export const openSession = z.object({
  id: sessionId,
  scope: z.string(),
  holder: person,
  justification: z.string(),
  ticket: z.string().nullable(),
  openedAt: time,
  expiresAt: time,
  place: z.object({ repository: z.string(), branch: z.string() }).optional(),
  closed: z.object({ at: time, actor: person }).nullable(),
});
