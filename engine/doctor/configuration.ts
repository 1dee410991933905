/** The configuration at the tip, against the tip. */
import type { Check, RepositoryReader } from '../model/index.ts';
import { checkConfiguration } from './tree/index.ts';
import { fitsSource } from '../history/describe.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { attempt, settled } from './attempt.ts';

export async function checkTip(git: RepositoryReader, snapshot: Snapshot): Promise<Check[]> {
  const { branch, base, layout } = snapshot;
  const head = (await git.checkedOut()) ?? (await git.head()).branch;
  return [
    {
      area: 'configuration',
      name: 'config',
      status: 'ok',
      message: `The configuration is valid; rollbacks go to ${branch}.`,
      details: { branch, tip: base },
    },
    ...(head === null || head === branch ? [] : [elsewhere(branch, head)]),
    ...(await attempt('configuration', 'layout', async () =>
      checkConfiguration(await snapshot.view(base), layout),
    )),
    ...(await attempt('configuration', 'source', () => checkSource(git, snapshot))),
  ];
}

/** A configuration that was written on another branch may name one that is dead. */
function elsewhere(branch: string, head: string): Check {
  return {
    area: 'configuration',
    name: 'branch',
    status: 'warn',
    message: `HEAD names ${head}, but rollbacks go to ${branch}, as \`branch\` of the configuration says.`,
    hint: `Is ${branch} what is delivered? If not, take \`branch\` out of the configuration of both branches, or name the right one.`,
    details: { branch, head },
  };
}

/** Commits looked at for the rules that say where a revision came from. */
const LOOKED_AT = 1000;

async function checkSource(git: RepositoryReader, { layout, base, history }: Snapshot): Promise<Check[]> {
  const { source } = layout.config;
  if (source.length === 0) return [];
  const ids = (await history.firstParents(base)).slice(0, LOOKED_AT);
  const looked = await settled(git.inspect(ids));
  // Only git reads so many commits at once, and the check of git says that it is missing.
  if ('error' in looked && looked.error.code === 'GIT_MISSING') return [];
  if ('error' in looked) throw looked.error;
  const commits = looked.value;
  const unused = source.filter((rule) => !commits.some((commit) => fitsSource(rule, commit)));
  const many = `the newest ${ids.length} commits`;
  if (unused.length === 0)
    return [
      {
        area: 'configuration',
        name: 'source',
        status: 'ok',
        message: `Each rule of \`source\` fits some of ${many}.`,
      },
    ];
  return unused.map((rule) => ({
    area: 'configuration',
    name: 'source',
    status: 'warn',
    message: `source: ${JSON.stringify(rule)} fits none of ${many}.`,
    hint: 'Compare it with `git log --first-parent --format="%an <%ae> %s"`, or take it out.',
    details: { rule },
  }));
}
