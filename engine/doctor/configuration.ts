/** The configuration at the tip, against the tip. */
import { type Check, CHECKS, formatCoordinates, type RepositoryReader } from '../model/index.ts';
import { checkConfiguration } from './tree/index.ts';
import { discover } from '../layout/discover.ts';
import { endOf, freezesAt } from '../policy/windows.ts';
import { fitsSource } from '../history/describe.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { attempt, settled } from './attempt.ts';

/** `now`: milliseconds since 1970. */
export async function checkTip(git: RepositoryReader, snapshot: Snapshot, now: number): Promise<Check[]> {
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
    ...(await attempt('configuration', 'windows', () => checkWindows(snapshot, now))),
  ];
}

/** Which environments are frozen now. */
async function checkWindows(snapshot: Snapshot, now: number): Promise<Check[]> {
  const { base, layout } = snapshot;
  const { policy } = layout.config;
  if (!policy.windows) return [];
  const scopes = await discover(await snapshot.view(base), layout);
  const environments = new Map(
    scopes.map(({ tenant, environment }) => {
      const names = { ...(tenant !== undefined && { tenant }), environment };
      return [formatCoordinates(names), names] as const;
    }),
  );
  const frozen = [...environments].flatMap(([name, environment]) => {
    const [freeze] = freezesAt(policy, environment, now);
    return freeze ? [{ name, freeze, isBound: freeze.window.rollbacks === 'bound' }] : [];
  });
  const common = { area: 'configuration', name: 'windows' } as const;
  if (frozen.length === 0)
    return [{ ...common, status: 'ok', message: 'No freeze covers any environment now.' }];
  const named = frozen
    .slice(0, MOST_FROZEN)
    .map(({ name, freeze, isBound }) => `${name} ${endOf(freeze)}, rollbacks ${isBound ? 'too' : 'exempt'}`);
  const more = frozen.length > MOST_FROZEN ? `; and ${frozen.length - MOST_FROZEN} more` : '';
  const message = `Changes are frozen: ${named.join('; ')}${more}.`;
  if (!frozen.some(({ isBound }) => isBound)) return [{ ...common, status: 'ok', message }];
  return [{ ...common, status: 'warn', message, hint: CHECKS.WINDOW_CLOSED.next }];
}

const MOST_FROZEN = 10;

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
