/** Somebody may push anything to the repository, and knows git: nothing that they write into the ledger is carried out. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isFailure, type RequestView } from '../../engine/internal.ts';
import { requestPath } from '../../engine/record/ledger-file.ts';
import {
  approvalBy,
  eventId,
  fileOf,
  forge,
  forgeEvent,
  type LedgerFile,
  messageOf,
  print,
  TIME,
} from '../helpers/forge.ts';
import { temporaryFolder } from '../helpers/repo.ts';
import { approve, LEDGER, policyOf, request, type Scene, scene, SCOPE, setPolicy } from '../helpers/scene.ts';
import { allowedSigners, createIdentity } from '../helpers/signing.ts';

const MALLORY = { name: 'Mallory', email: 'mallory@example.com' };
const mallory = () => createIdentity(MALLORY);

/** A request of Jane's that nobody has approved. */
async function pending(policy?: string): Promise<Scene & { asked: RequestView }> {
  const stage = await scene(policy === undefined ? {} : { policy });
  return { ...stage, asked: await request(stage.jane) };
}

/** The code with which a worker refuses to carry the request out, also when it has looked for work; the branch stays. */
async function refusal({ repo, worker }: Pick<Scene, 'repo' | 'worker'>, id: string): Promise<string> {
  const before = await repo.git('rev-parse', 'main');
  await codeOf(worker.requests.reconcile());
  const code = await codeOf(worker.requests.executeRequest(id));
  if (typeof code !== 'string') throw new Error(`It was carried out: ${JSON.stringify(code)}`);
  // What is asked about again is no work any more.
  const left = await codeOf(worker.requests.reconcile().then(({ waiting }) => waiting));
  expect(code === 'AWAITING_APPROVAL' && left.includes(id)).toBe(false);
  expect(await repo.git('rev-parse', 'main')).toBe(before);
  return code;
}

async function codeOf<T>(answer: Promise<T>): Promise<T | string> {
  return answer.catch((error: unknown) => {
    if (isFailure(error)) return error.code;
    throw error;
  });
}

describe('an approval that nobody gave', () => {
  it('does not count where it is not signed', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    await forgeEvent(repo, asked.id, approvalBy(bob.person, asked.digest), { status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
    const { reviews, approval } = await stage.worker.requests.show({ id: asked.id });
    expect(reviews).toMatchObject([{ identity: 'unverified', counts: false }]);
    expect(approval).toMatchObject({ have: 0, need: 1 });
  });

  it('does not count where a key signed it that nobody knows', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    const event = approvalBy(bob.person, asked.digest);
    await forgeEvent(repo, asked.id, event, { key: await mallory(), status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
  });

  it('does not count where the key is trusted by the repository alone', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    const key = await mallory();
    const list = await allowedSigners([{ ...key, email: bob.person.email }]);
    await repo.git('config', 'gpg.ssh.allowedSignersFile', list);
    await repo.replay([{ files: { '.backtrail/allowed_signers': `bob@example.com ${key.publicKey}\n` } }]);
    await forgeEvent(repo, asked.id, approvalBy(bob.person, asked.digest), { key, status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
    const trusting = await stage.open({ signers: null });
    expect(await refusal({ repo, worker: trusting }, asked.id)).toBe('AWAITING_APPROVAL');
  });

  it('does not count where a trusted key signed it for another person than it names', async () => {
    const stage = await pending(policyOf('quorum: 1, approvers: { users: [bob@example.com] }'));
    const { repo, asked, bob, carol } = stage;
    const event = approvalBy(bob.person, asked.digest);
    await forgeEvent(repo, asked.id, event, { key: carol.identity, status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
  });

  it('does not count where the right key signed it, and the author of the commit is somebody else', async () => {
    const stage = await pending();
    const { repo, asked, bob, carol } = stage;
    const event = approvalBy(bob.person, asked.digest);
    await forgeEvent(repo, asked.id, event, {
      key: bob.identity,
      author: carol.person,
      status: 'approved',
    });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
  });

  it('takes nobody’s vote away: once a worker has refused it, Bob approves, and that counts', async () => {
    const stage = await pending();
    const { repo, asked, bob, worker } = stage;
    await forgeEvent(repo, asked.id, approvalBy(bob.person, asked.digest), { status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
    expect((await approve(bob, asked)).status).toBe('approved');
    expect((await worker.requests.executeRequest(asked.id)).status).toBe('completed');
  });

  it('is no better as an event that says approvals suffice, or that opens the request without any', async () => {
    const stage = await pending();
    const { repo, asked } = stage;
    const settled = {
      id: eventId(),
      at: TIME,
      actor: MALLORY,
      type: 'settled',
      quorum: { have: 1, need: 1 },
      reason: 'The policy changed.',
    };
    await forgeEvent(repo, asked.id, settled, { status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
  });
});

describe('what somebody did sign', () => {
  /** Puts the signed commit on again, behind whatever is there now: its text with another parent and tree. */
  async function replay(stage: Scene, signed: string, files: Record<string, string>): Promise<void> {
    const { repo } = stage;
    const carrier = await forge(repo, { files, author: MALLORY, message: 'carrier' });
    const [tree, parent] = [
      await repo.git('rev-parse', `${carrier}^{tree}`),
      await repo.git('rev-parse', `${carrier}^`),
    ];
    const text = (await repo.git('cat-file', 'commit', signed))
      .replace(/^tree .*$/m, `tree ${tree}`)
      .replace(/^parent .*$/m, `parent ${parent}`);
    expect(text).toContain('BEGIN SSH SIGNATURE');
    const commit = await repo.gitWith({ input: `${text}\n` }, [
      'hash-object',
      '-t',
      'commit',
      '-w',
      '--stdin',
    ]);
    await repo.git('update-ref', LEDGER, commit);
  }

  it('does not count a second time, after the plan changed', async () => {
    const stage = await pending();
    const { repo, asked, bob, worker } = stage;
    await approve(bob, asked);
    const signed = await repo.git('rev-parse', LEDGER);
    const vote = (await fileOf(repo, asked.id)).events.at(-1);
    await repo.replay([
      { files: { 'tenants/acme/production/services/api-gateway/extra.yaml': 'another: plan\n' } },
    ]);
    expect(await codeOf(worker.requests.executeRequest(asked.id))).toBe('PLAN_CHANGED');
    const file = await fileOf(repo, asked.id);
    const again = { ...vote, digest: file.state.digest };
    await replay(stage, signed, {
      [requestPath(asked.id)]: print({ ...file, events: [...file.events, again] }),
    });
    expect(await refusal(stage, asked.id)).toMatch(/^(AWAITING_APPROVAL|LEDGER_TAMPERED)$/);
  });

  it('does not count for another request', async () => {
    const stage = await pending();
    const { repo, asked, bob, jane } = stage;
    const other = await request(jane, { scope: 'acme/production/billing' });
    await approve(bob, other);
    const signed = await repo.git('rev-parse', LEDGER);
    const vote = (await fileOf(repo, other.id)).events.at(-1);
    const file = await fileOf(repo, asked.id);
    await replay(stage, signed, {
      [requestPath(asked.id)]: print({
        ...file,
        events: [...file.events, { ...vote, digest: asked.digest }],
      }),
    });
    expect(await refusal(stage, asked.id)).toMatch(/^(AWAITING_APPROVAL|LEDGER_TAMPERED)$/);
  });
});

describe('a request that nobody could have opened', () => {
  it('is not carried out because it says that no policy asks for approval', async () => {
    const stage = await pending();
    const { repo, asked, jane } = stage;
    const id = await forgeRequest(stage, { gate: 'no-policy' });
    expect(await refusal(stage, id)).toBe('AWAITING_APPROVAL');
    expect(await repo.git('log', '-1', '--format=%ae', LEDGER)).not.toBe(jane.person.email);
    expect(asked.status).toBe('pending');
  });

  it('is not carried out because it names a break-glass session that was never opened', async () => {
    const stage = await pending();
    const session = { id: `bgs-${'0'.repeat(26)}`, ticket: null };
    const id = await forgeRequest(stage, { gate: 'break-glass', session });
    expect(await refusal(stage, id)).toMatch(/^(AWAITING_APPROVAL|LEDGER_TAMPERED)$/);
  });

  it('is not carried out because it uses the break-glass session of somebody else, in their name', async () => {
    const stage = await pending();
    const { bob } = stage;
    const opened = await bob.engine.requests.openSession({
      scope: 'acme/production',
      holder: bob.person,
      reason: 'Nobody else is awake',
    });
    const session = { id: opened.id, ticket: null };
    const id = await forgeRequest(stage, { gate: 'break-glass', session, author: bob.person });
    expect(await refusal(stage, id)).toMatch(/^(AWAITING_APPROVAL|IDENTITY_UNVERIFIED)$/);
  });

  /** The open request once more, by another id and with another gate; unsigned. */
  async function forgeRequest(
    { repo, asked, jane }: Scene & { asked: RequestView },
    {
      gate,
      session = null,
      author = jane.person,
    }: { gate: string; session?: unknown; author?: typeof MALLORY },
  ): Promise<string> {
    const file = await fileOf(repo, asked.id);
    const id = `${asked.id.slice(0, -6)}${asked.id.endsWith('000000') ? '111111' : '000000'}`;
    const opened = { ...file.events[0], id: eventId(), type: 'opened', actor: author, gate, session };
    const proposal = { ...file.events[0]?.proposal, id, author };
    const state = { ...file.state, id, status: 'approved', gate };
    const forged = { version: 1, state, events: [{ ...opened, proposal }] };
    await forge(repo, {
      files: { [requestPath(id)]: print(forged) },
      author: MALLORY,
      message: messageOf(opened, id),
    });
    return id;
  }
});

describe('a past that was changed', () => {
  it('is found where an event was taken out', async () => {
    const stage = await pending();
    const { repo, asked, bob, carol } = stage;
    await approve(bob, asked);
    await carol.engine.requests.note({
      id: asked.id,
      actor: carol.person,
      text: 'Wait: the database moved on',
    });
    const { events, ...file } = await fileOf(repo, asked.id);
    await forge(repo, {
      files: { [requestPath(asked.id)]: print({ ...file, events: events.slice(0, -1) }) },
      author: carol.person,
      message: 'Tidy up',
    });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it('is found where the state was edited without an event', async () => {
    const stage = await pending();
    const { repo, asked } = stage;
    const file = await fileOf(repo, asked.id);
    await forge(repo, {
      files: { [requestPath(asked.id)]: print({ ...file, state: { ...file.state, status: 'approved' } }) },
      author: MALLORY,
      message: 'Approved',
    });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it('is found where an earlier event was rewritten together with a new one', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    const file = await fileOf(repo, asked.id);
    const [opened] = file.events;
    const other = { ...opened, proposal: { ...opened?.proposal, allowRemoval: true } };
    const vote = approvalBy(bob.person, asked.digest);
    await forge(repo, {
      files: { [requestPath(asked.id)]: print({ ...file, events: [other, vote] }) },
      author: bob.person,
      message: messageOf(vote, asked.id),
    });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it('is found where a merge leaves out what came after the approval', async () => {
    const stage = await pending(policyOf('quorum: 2, rejections: 1'));
    const { repo, asked, bob, carol, jane } = stage;
    await approve(bob, asked);
    await approve(carol, asked);
    const approved = await repo.git('rev-parse', LEDGER);
    // Whatever a worker has seen since, the merge descends from it.
    await jane.engine.requests.note({ id: asked.id, actor: jane.person, text: 'Stop: this would lose data' });
    await stage.worker.requests.show({ id: asked.id });
    await forge(repo, {
      files: {},
      author: MALLORY,
      message: 'Merge',
      parents: [approved, await repo.git('rev-parse', LEDGER)],
    });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
    expect(await refusal({ repo, worker: await stage.open() }, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it('is found where a second history is merged in', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    await approve(bob, asked);
    const tip = await repo.git('rev-parse', LEDGER);
    const other = await forge(repo, { files: { 'a.txt': 'a' }, author: MALLORY, message: 'A', parents: [] });
    await forge(repo, { files: {}, author: MALLORY, message: 'Merge', parents: [tip, other] });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it('is found where the ledger was forced back, and nothing goes on until it is whole again', async () => {
    const stage = await pending();
    const { repo, asked, bob, worker } = stage;
    await approve(bob, asked);
    const before = await repo.git('rev-parse', LEDGER);
    await bob.engine.requests.note({ id: asked.id, actor: bob.person, text: 'I take that back' });
    const after = await repo.git('rev-parse', LEDGER);
    await worker.requests.show({ id: asked.id });
    await repo.git('update-ref', LEDGER, before);
    expect(await refusal(stage, asked.id)).toBe('LEDGER_REWOUND');
    await repo.git('update-ref', '-d', LEDGER);
    expect(await refusal(stage, asked.id)).toBe('LEDGER_REWOUND');
    await repo.git('update-ref', LEDGER, after);
    expect((await worker.requests.executeRequest(asked.id)).status).toBe('completed');
  });

  it('is not hidden by a replacement of the commit that says stop', async () => {
    const stage = await pending();
    const { repo, asked, bob, jane } = stage;
    await approve(bob, asked);
    const approved = await repo.git('rev-parse', LEDGER);
    await forgeEvent(
      repo,
      asked.id,
      { id: eventId(), at: TIME, actor: jane.person, type: 'noted', text: 'Wait', kind: 'note' },
      { key: jane.identity },
    );
    await jane.engine.requests.show({ id: asked.id });
    const noted = await repo.git('rev-parse', LEDGER);
    await repo.git('replace', noted, approved);
    expect(await repo.git('show', '--no-patch', '--format=%an', LEDGER)).toBe(bob.person.name);
    const { notes } = await (await stage.open()).requests.show({ id: asked.id });
    expect(notes).toMatchObject([{ text: 'Wait' }]);
  });

  it('is nothing that a new root could hide: signatures do not fit a history that was made again', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    await approve(bob, asked);
    await stage.worker.requests.show({ id: asked.id });
    const file = await fileOf(repo, asked.id);
    let parents: string[] = [];
    for (const [index, event] of file.events.entries()) {
      const made = { ...file, events: file.events.slice(0, index + 1) };
      parents = [
        await forge(repo, {
          files: { [requestPath(asked.id)]: print(made) },
          author: event.actor,
          message: messageOf(event, asked.id),
          parents,
        }),
      ];
    }
    expect(await refusal(stage, asked.id)).toBe('LEDGER_REWOUND');
    // Not even by a worker that never saw the ledger before.
    expect(await refusal({ repo, worker: await stage.open() }, asked.id)).toBe('AWAITING_APPROVAL');
  });
});

describe('a file that Backtrail never wrote', () => {
  const secret = async () => {
    const file = join(await temporaryFolder(), 'secret');
    await writeFile(file, 'secret');
    return file;
  };

  it.each([
    ['a link', async () => ({ link: await secret() })],
    ['no JSON', () => 'approved: yes\n'],
    ['nothing', () => ''],
    ['bytes that are no text', () => new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])],
    ['five megabytes', (file: LedgerFile) => print({ ...file, state: { text: 'x'.repeat(5_000_000) } })],
    [
      'a state a million levels deep',
      (file: LedgerFile) => {
        const depth = 1_000_000;
        return print(file).replace(
          '"version": 1',
          `"version": 1, "more": ${'['.repeat(depth)}${']'.repeat(depth)}`,
        );
      },
    ],
    [
      'an event a million levels deep',
      (file: LedgerFile) => {
        const depth = 1_000_000;
        return print(file).replace(
          '"justification":',
          `"config": ${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}, "justification":`,
        );
      },
    ],
    [
      'an event of a type that there is not',
      (file: LedgerFile) => print(withLast(file, { type: 'executed' })),
    ],
    ['a key besides those that there are', (file: LedgerFile) => print(withLast(file, { more: true }))],
    ['an earlier version', (file: LedgerFile) => print({ ...file, version: 0 })],
    ['a version that is no number', (file: LedgerFile) => print({ ...file, version: '2' })],
    [
      'the request of another id',
      (file: LedgerFile) => print(file).replaceAll(/rbk-.{20}/g, 'rbk-00000000000000000000'),
    ],
    [
      'a prototype beside its events',
      (file: LedgerFile) =>
        print(file).replace('"version"', '"__proto__": { "status": "approved" }, "version"'),
    ],
    [
      'a prototype in an event',
      (file: LedgerFile) =>
        print(file).replace('"type": "opened"', '"__proto__": { "gate": "no-policy" }, "type": "opened"'),
    ],
  ])('stops whoever reads it: %s', async (_, content) => {
    const stage = await pending();
    const { repo, asked } = stage;
    const path = requestPath(asked.id);
    const files = { [path]: await content(await fileOf(repo, asked.id)) };
    await forge(repo, { files, author: MALLORY, message: 'Approved' });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
    expect(await codeOf(stage.jane.engine.requests.list({ reader: stage.jane.person }))).toBe(
      'LEDGER_TAMPERED',
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('stops whoever reads it: a later version, which is for a newer program', async () => {
    const stage = await pending();
    const { repo, asked } = stage;
    const files = { [requestPath(asked.id)]: print({ ...(await fileOf(repo, asked.id)), version: 2 }) };
    await forge(repo, { files, author: MALLORY, message: 'Approved' });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_NEWER');
  });

  const withLast = (file: LedgerFile, more: Record<string, unknown>): LedgerFile => ({
    ...file,
    events: file.events.map((event) => ({ ...event, ...more })),
  });

  it.each([
    '../../../../escape.json',
    '.git/config',
    'requests/2026-11/../../escape.json',
    'requests/2026-11/00/not-an-id.json',
    'requests/1999-01/00/rbk-01KAJ000000000000000000000.json',
    'requests/a/b/c/d/e/f/g.json',
    'sessions/2026-11/00/bgs-01KAJ000000000000000000000.json',
  ])('takes no request along from %s', async (path) => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    await approve(bob, asked);
    const file = await fileOf(repo, asked.id);
    const forged = print(file).replaceAll(asked.id, 'rbk-01KAJ000000000000000000000');
    await forge(repo, { files: { [path]: forged }, author: MALLORY, message: 'Another' });
    const before = await repo.git('rev-parse', 'main');
    const code = await codeOf(stage.worker.requests.executeRequest('rbk-01KAJ000000000000000000000'));
    expect(code).toMatch(/^(REQUEST_UNKNOWN|LEDGER_TAMPERED)$/);
    expect(await repo.git('rev-parse', 'main')).toBe(before);
  });

  it('takes the place of no folder: a file where the requests are is refused', async () => {
    const stage = await pending();
    await forge(stage.repo, {
      files: { requests: 'a file\n' },
      author: MALLORY,
      message: 'No requests',
    });
    expect(await refusal(stage, stage.asked.id)).toMatch(/^(REQUEST_UNKNOWN|LEDGER_TAMPERED)$/);
  });
});

describe('trust', () => {
  it('in pushing alone is what a policy can say, and then unsigned approvals count', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    await forgeEvent(repo, asked.id, approvalBy(bob.person, asked.digest), { status: 'approved' });
    await setPolicy(repo, policyOf('quorum: 1, unsignedApprovals: true'));
    const { status, commit } = await stage.worker.requests.executeRequest(asked.id);
    expect(status).toBe('completed');
    expect(await repo.git('log', '-1', '--format=%(trailers:key=Approval)', commit ?? '')).toContain(
      'bob@example.com',
    );
    expect(asked.scopeName).toBe(SCOPE);
  });
});
