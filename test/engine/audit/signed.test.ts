import { expect, it } from 'vitest';
import { ask, configOf, createTeam, stageOf } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { rewrite } from './scene.ts';

const team = createTeam();

it('finds commits that the configuration wanted signed by their committer: signed by another, unsigned, or changed under their signature', async () => {
  const policy = configOf({ environments: [{ match: 'prod', quorum: 1 }] });
  const signing = `${policy.trimEnd().replace(/\}$/, '')}, "commit": { "sign": true } }\n`;
  const { repo, jane, bob, janes, bobs, worker } = await stageOf(team, signing);
  const asked = await ask(janes, jane);
  await bobs.requests.approve({ id: asked.id, actor: bob });
  const { commit } = await janes.requests.executeRequest(asked.id);
  const said = async (engine: typeof worker) =>
    (await engine.audit.verify()).rows
      .flatMap(({ problems }) => problems)
      .filter(({ code }) => code.startsWith('SIGNATURE'))
      .map(({ code, message }) => `${code} ${message}`);
  expect(await said(worker)).toEqual([
    expect.stringMatching(/^SIGNATURE_MISSING .* is signed by a key of jane@example\.com\.$/),
  ]);
  const header = /\ngpgsig [^\n]*(?:\n [^\n]*)*/;
  const unsigned = await rewrite(repo, commit ?? '', { text: (text) => text.replace(header, '') });
  expect(await said(await engineOf(unsigned.repo))).toEqual([
    expect.stringMatching(/^SIGNATURE_MISSING .* is not signed: /),
  ]);
  const reworded = { text: (text: string) => text.replace('\nAuthor: ', '\nAuthor:  ') };
  const changed = await rewrite(repo, commit ?? '', reworded);
  expect(await said(await engineOf(changed.repo))).toEqual([expect.stringMatching(/^SIGNATURE_BAD /)]);
});
