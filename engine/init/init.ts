/** The first configuration of a repository: proposed from its tree, and written as a commit of its own. */
import {
  BacktrailError,
  type Clock,
  type Finding,
  formatCoordinates,
  isFailure,
  MODE,
  type ObjectId,
  type Person,
  type RepositoryReader,
  type RequestId,
} from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { parseConfig } from '../layout/configuration/parse.ts';
import { CONFIG_PATH } from '../model/config.ts';
import { discover } from '../layout/discover.ts';
import { isFile, treeView } from '../snapshot/view.ts';
import type { Coverage } from './proposal/coverage.ts';
import type { Past } from './proposal/past.ts';
import { propose } from './proposal/propose.ts';
import { type Steering } from './proposal/types.ts';
import { decode } from '../yaml/core/text.ts';
import { describeShape, type ShapeName } from './proposal/shapes.ts';
import { sample } from './survey/survey.ts';
import { createObserve } from '../rollback/observe.ts';
import { planAsked } from '../rollback/plan.ts';
import type { Planned, PlanTools } from '../rollback/planning/planned.ts';
import { type EnvironmentEntry, toEntries } from '../layout/environments.ts';
import { requireWritten } from '../rollback/written.ts';

/** A layout that was tried on the tree. */
export interface ProposedLayout {
  /** A name of docs/layouts.md. */
  readonly shape: ShapeName;
  readonly description: string;
  /** The text of the configuration. */
  readonly config: string;
  /** What it finds. */
  readonly environments: readonly EnvironmentEntry[];
  /** Files that some scope holds, and those that none does, by kind. */
  readonly coverage: Coverage;
  readonly findings: readonly Finding[];
}

export interface Proposed {
  readonly branch: string;
  /** The best first, at most three. */
  readonly candidates: readonly ProposedLayout[];
  /** The first of them; null where none is clearly right. */
  readonly chosen: ProposedLayout | null;
  /** Where none is chosen: a template to start from, and LAYOUT_UNCLEAR. */
  readonly template: string;
  readonly findings: readonly Finding[];
  /** Does the branch hold a configuration already? */
  readonly present: boolean;
}

/** Names that branches have where each is an environment. */
const BRANCHES = [
  'production',
  'prod',
  'live',
  'preprod',
  'staging',
  'stage',
  'stg',
  'uat',
  'qa',
  'test',
  'dev',
];

export async function proposeConfig(git: GitRepository, steering: Steering): Promise<Proposed> {
  const { branch, tip } = await branchOf(git);
  const view = treeView(git.objects, (await git.objects.commit(tip)).tree);
  const branches: string[] = [];
  for (const name of BRANCHES) if ((await git.history.named(name)).branch !== null) branches.push(name);
  const { options, chosen, text, findings } = await propose(
    view,
    { ...steering, branches },
    pastOf(git, tip),
  );
  const candidates = options.map(({ shape, text: config, found, coverage, findings: own }) => ({
    shape,
    description: describeShape(shape),
    config,
    environments: toEntries(found),
    coverage,
    findings: own,
  }));
  return {
    branch,
    candidates,
    chosen: chosen ? (candidates[0] ?? null) : null,
    template: text,
    findings: chosen ? [] : findings,
    present: (await view.entry(CONFIG_PATH)) !== null,
  };
}

/** Commits that are looked at where the tree alone leaves open what its environments are. */
const COMMITS = 500;
/** Bytes of a file whose changes are compared. */
const LARGE = 256 * 1024;

function pastOf(git: GitRepository, tip: ObjectId): Past {
  const commits = async () => {
    const after = (await git.history.firstParents(tip))[COMMITS];
    const log = await git.history.log({ tip, path: '', ...(after !== undefined && { after }) });
    return log.toReversed();
  };
  let read: ReturnType<typeof commits> | undefined;
  return {
    commits: () => (read ??= commits()),
    text: async ({ id, mode }) => {
      if (!isFile(mode)) return null;
      try {
        const bytes = await git.objects.blob(id);
        return bytes.length > LARGE ? null : decode(bytes);
      } catch (error) {
        if (isFailure(error) && (error.code === 'FILE_TOO_LARGE' || error.code === 'OBJECT_MISSING'))
          return null;
        throw error;
      }
    },
  };
}

/** Scopes that are tried for a sample. */
const SAMPLED = 6;

/** What a rollback would look like under a configuration that stands nowhere yet: the first of some scopes that has an earlier revision. */
export async function samplePlan(
  git: RepositoryReader,
  { text, ...tools }: PlanTools & { readonly text: string },
): Promise<Planned | null> {
  const snapshot = await createObserve(git, { name: 'proposal', text })();
  const found = await discover(await snapshot.view(snapshot.base), snapshot.layout);
  const services = found.filter(({ service }) => service !== undefined);
  for (const scope of sample(services.length > 0 ? services : found, SAMPLED)) {
    try {
      const planned = await planAsked(
        snapshot,
        { scope: formatCoordinates(scope), fields: [], allowRemoval: true, wholeFile: false },
        tools,
      );
      if (planned.plan.files.length > 0) return planned;
    } catch (error) {
      if (!isFailure(error)) throw error;
    }
  }
  return null;
}

/** The branch that HEAD names, with a commit on it. */
async function branchOf(git: RepositoryReader): Promise<{ branch: string; tip: ObjectId }> {
  const branch = await git.defaultBranch();
  try {
    return { branch, tip: await git.tip(branch) };
  } catch (error) {
    if (!isFailure(error) || error.code !== 'BRANCH_UNKNOWN') throw error;
    throw new BacktrailError('BRANCH_UNKNOWN', `The branch ${branch} has no commit yet.`, {
      hint: 'Commit there what Backtrail is to roll back, or make HEAD name the branch that holds it (git symbolic-ref HEAD refs/heads/BRANCH).',
      cause: error,
    });
  }
}

export type { Like } from './proposal/like.ts';
export type { Steering } from './proposal/types.ts';
export type { Shape, ShapeName } from './proposal/shapes.ts';

export interface ConfigWrite {
  readonly branch: string;
  readonly text: string;
  readonly author: Person;
  /** Names the staging ref; stands nowhere else. */
  readonly id: RequestId;
}

interface WriteInput extends ConfigWrite {
  readonly git: GitRepository;
  readonly committer: Person;
  readonly clock: Clock;
}

export interface WrittenConfig {
  readonly commit: ObjectId;
  /** What did not follow: the local branch of a clone, say. */
  readonly findings: readonly Finding[];
}

const ATTEMPTS = 8;
const MESSAGE = `Add Backtrail's configuration

It says which paths are environments and services, and what no rollback touches.
`;

/** CONFIG_PRESENT, CONFIG_INVALID, and what `publish` of a repository fails with. */
export async function writeConfig(input: WriteInput): Promise<WrittenConfig> {
  const { git, branch, text, clock } = input;
  git.requireWriting();
  parseConfig(text, CONFIG_PATH);
  await git.requireKey(undefined);
  const commit = await publishConfig(input, clock);
  return { commit, findings: await git.followUp({ branch, next: commit }) };
}

async function publishConfig(input: WriteInput, clock: Clock): Promise<ObjectId> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writeOnce(input);
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (error.code === 'REMOTE_REJECTED') throw asRejected(error);
      if (error.code !== 'BRANCH_MOVED' || attempt === ATTEMPTS) throw error;
      await clock.sleep(20 * 2 ** attempt);
    } finally {
      await input.git.deleteStaging(input.id);
    }
  }
}

async function writeOnce({ git, branch, text, author, id, committer, clock }: WriteInput): Promise<ObjectId> {
  await git.refresh();
  const base = await git.tip(branch);
  await requireAbsent(git, branch, base);
  const content = new TextEncoder().encode(text);
  const after = { mode: MODE.file, id: git.hasher.blobId(content) };
  const time = new Date(clock.now()).toISOString();
  const [commit] = await git.writeCommits({
    requestId: id,
    commits: [
      {
        parent: base,
        author,
        committer,
        time,
        message: MESSAGE,
        writes: [{ path: CONFIG_PATH, after: { ...after, content } }],
      },
    ],
  });
  if (commit === undefined) throw new BacktrailError('GIT_FAILED', 'Git wrote no commit.');
  const files = [{ path: CONFIG_PATH, before: null, after }];
  await requireWritten(git, [{ commit, parent: base, trailers: [], message: MESSAGE, files }]);
  await git.publish({ branch, expected: base, next: commit, requestId: id });
  const tip = await git.readBack(branch);
  if (tip !== commit && !(await git.isAncestor(commit, tip)))
    throw new BacktrailError('VERIFY_FAILED', `Branch ${branch} does not contain commit ${commit}.`);
  return commit;
}

async function requireAbsent(git: RepositoryReader, branch: string, base: ObjectId): Promise<void> {
  const view = treeView(git.objects, (await git.objects.commit(base)).tree);
  if ((await view.entry(CONFIG_PATH)) !== null)
    throw new BacktrailError('CONFIG_PRESENT', `Branch ${branch} holds ${CONFIG_PATH} already.`);
  const folder = CONFIG_PATH.split('/')[0] ?? '';
  const inTheWay = await view.entry(folder);
  if (inTheWay !== null && inTheWay.mode !== MODE.tree)
    throw new BacktrailError('PATH_COLLISION', `${folder} is not a folder on branch ${branch}.`);
}

/** A branch that no one may push to is the rule in many places: configuration comes there as all else does. */
function asRejected({ message, details }: BacktrailError): BacktrailError {
  const signing = details['unsigned'] === true ? 'Sign it with --sign. Or: ' : '';
  return new BacktrailError('REMOTE_REJECTED', message, {
    details,
    hint: `${signing}Write it to a file instead (--file ${CONFIG_PATH} in the top folder of a clone) and open a pull request with it.`,
  });
}
