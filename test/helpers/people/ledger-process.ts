/**
 * Appends one signed event to a ledger, in a process of its own, for tests that kill it. Argument: JSON {location,
 * cacheFolder}; its environment is that of git.
 */
import { z } from 'zod';
import { openGit } from '../../../engine/git/open.ts';

const { location, cacheFolder } = z
  .object({ location: z.string(), cacheFolder: z.string() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const git = await openGit({ location, cacheFolder, env: process.env });
const ref = 'refs/backtrail/ledger';
const person = { name: 'Jane Doe', email: 'jane@example.com' };
const content = Buffer.from('{}\n');
const writes = [{ path: 'killed.json', after: { mode: '100644', id: '', content } }];
const time = '2026-03-04T05:06:07Z';
await git.ledger.append({
  ref,
  parent: await git.ledger.tip(ref),
  events: [{ author: person, time, message: 'Killed\n', writes, sign: true }],
  committer: person,
});
await git.close();
