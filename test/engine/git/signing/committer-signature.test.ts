import { describe, expect, it } from 'vitest';
import { judgeCommitter } from '../../../../engine/git/signing/committer.ts';
import { MODE, type Signature } from '../../../../engine/model/index.ts';
import { allowedSigners, createIdentity } from '../../../helpers/people/signing.ts';
import { createRepo } from '../../../helpers/repositories/repo.ts';
import { open, PERSON, REQUEST, SERVICE } from '../open.ts';

const good = (...principals: string[]): Signature => ({ state: 'good', principals, key: 'SHA256:x' });
const verdictOf = (signature: Signature, email: string) => judgeCommitter(signature, { email }).verdict;

describe('the signature of a commit', () => {
  it.each<[string, Signature, string, string]>([
    ['of the committer', good('bot@acme.io'), 'bot@acme.io', 'signed'],
    ['in other letters', good('bot@acme.io'), 'Bot@Acme.IO', 'signed'],
    ['of one of several', good('jane@acme.io', 'bot@acme.io'), 'bot@acme.io', 'signed'],
    ['of another person', good('jane@acme.io'), 'bot@acme.io', 'other'],
    ['of a longer address', good('robot@acme.io'), 'bot@acme.io', 'other'],
    ['of nobody whom the list names', good(), 'bot@acme.io', 'other'],
    ['of a committer without an address', good(''), '', 'other'],
    ['of another key', { ...good(), state: 'unknown' }, 'bot@acme.io', 'unknown'],
    ['that does not fit', { ...good(), state: 'bad' }, 'bot@acme.io', 'bad'],
    ['that is not there', { ...good(), state: 'none', key: null }, 'bot@acme.io', 'none'],
  ])('%s', (_, signature, email, verdict) => expect(verdictOf(signature, email)).toBe(verdict));

  it('is judged by the list of whoever looks, for what Backtrail signs', async () => {
    const bot = await createIdentity(SERVICE);
    const repo = await createRepo({ bare: true });
    const [parent = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open({ ...repo, env: { ...repo.env, ...bot.env } });
    const [id = ''] = await git.writeCommits({
      requestId: REQUEST,
      commits: [
        {
          parent,
          author: PERSON,
          committer: SERVICE,
          time: '2026-03-04T05:06:07Z',
          message: 'x\n',
          writes: [{ path: 'b', after: { mode: MODE.file, id: '', content: Buffer.from('b') } }],
          sign: true,
        },
      ],
    });
    const judged = async (list: string | null, of: string) => {
      const found = (await git.ledger.signatures([of], list)).get(of);
      return found && judgeCommitter(found, SERVICE);
    };
    const key = bot.fingerprint;
    const by = [SERVICE.email];
    expect(await judged(await allowedSigners([bot]), id)).toEqual({ verdict: 'signed', by, key });
    const asJane = await allowedSigners([{ ...bot, email: PERSON.email }]);
    expect(await judged(asJane, id)).toEqual({ verdict: 'other', by: [PERSON.email], key });
    expect(await judged(null, id)).toMatchObject({ verdict: 'unknown' });
    expect(await judged(await allowedSigners([bot]), parent)).toMatchObject({ verdict: 'none' });
  });
});
