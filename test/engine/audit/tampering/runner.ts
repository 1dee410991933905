/** Tells each story once, and audits what somebody makes of it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditReport } from '../../../../engine/audit/types.ts';
import { LEDGER } from '../../../helpers/people/scene.ts';
import { engineOf } from '../../../helpers/repositories/engine.ts';
import { type Repo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import type { Case, Honest, Story } from './case.ts';
import { readObjects } from './objects.ts';
import { type Given, given, type Kind, type Tampered } from './tampering.ts';

type World = Pick<Tampered, 'main' | 'ledger'>;

export interface Stage {
  readonly repo: Repo;
  readonly given: (of: Case) => Given;
  /** Keys of the trailers of its commit, each once. */
  readonly keys: (of: Case) => readonly string[];
  /** All of the branch, as it was told. */
  readonly whole: () => Promise<AuditReport>;
  readonly audit: (world: World, how: AuditHow) => Promise<AuditReport>;
}

interface AuditHow {
  readonly range?: string;
  readonly render?: boolean;
  /** The ledger that was seen before; nothing where absent. */
  readonly seen?: string;
}

export async function tell(story: Story): Promise<Stage> {
  const { done, ...told } = await story.build();
  const objects = await readObjects(told.repo);
  const scene = { ...told, objects };
  const cacheFolder = join(await temporaryFolder(), 'cache');
  const { signers: allowed } = told;
  const engine = await engineOf(told.repo, { allowedSigners: allowed, cacheFolder, lives: 'file' });
  const point = async ({ main, ledger }: World) => {
    await objects.point('refs/heads/main', main);
    await objects.point(LEDGER, ledger);
  };
  const honestOf = (of: Case): Honest => {
    const own = done.get(of.name);
    if (own === undefined) throw new Error(`${of.name} was not told.`);
    return { ...own, of, scene };
  };
  const audit: Stage['audit'] = async (world, { seen, ...how }) => {
    // What a ledger was like before is remembered there.
    await rm(join(cacheFolder, 'ledgers'), { recursive: true, force: true });
    if (seen !== undefined) {
      await point({ ...world, ledger: seen });
      await engine.audit.verify({ range: world.main });
    }
    await point(world);
    return engine.audit.verify(how);
  };
  const last = [...done.values()].at(-1) ?? { main: '', ledger: null };
  return {
    repo: told.repo,
    given: (of) => given(honestOf(of)),
    keys: (of) => {
      const lines = objects.text(honestOf(of).commit).trimEnd().split('\n\n').at(-1)?.split('\n') ?? [];
      return [...new Set(lines.map((line) => line.slice(0, line.indexOf(':'))))];
    },
    whole: async () => {
      const report = await audit(last, {});
      await point(last);
      return report;
    },
    audit,
  };
}

/** What an audit says otherwise than expected; nothing where all is as it should be. */
export async function wrongIn(stage: Stage, kind: Kind, of: Case): Promise<readonly object[]> {
  const honest = stage.given(of);
  const world = await kind.tamper(honest);
  const expected = kind.expected(of);
  const { in: where, codes } = expected;
  const isWhole = where === 'ledger' || where === 'gone' || kind.isWhole === true;
  const report = await stage.audit(world, {
    ...(!isWhole && { range: `${honest.base}..` }),
    ...(kind.hasSeen && { seen: honest.honest.ledger ?? '' }),
    render: kind.renders === true,
  });
  const { commit } = honest.honest;
  const said = saidBy(report, world.at, { was: commit, isGone: where === 'gone' });
  const { row, ledger, isOutside, isQuiet } = said;
  const hasAll = (found: readonly string[]) =>
    codes.length > 0 && codes.every((code) => found.includes(code));
  const isFound = {
    row: hasAll(row),
    gone: hasAll(row),
    ledger: hasAll(ledger),
    outside: isOutside,
    hidden: isQuiet,
  }[where];
  return isFound ? [] : [{ kind: kind.name, of: of.name, expected, said }];
}

interface Was {
  /** The commit that was tampered with. */
  readonly was: string;
  readonly isGone: boolean;
}

function saidBy({ rows, ledger, outside }: AuditReport, at: string, { was, isGone }: Was) {
  const commit = isGone ? was : at;
  const own = rows.filter((row) => row.commit === commit && row.verdict !== 'honest');
  return {
    row: own.flatMap(({ problems }) => problems.map(({ code }) => code)),
    ledger: ledger.problems
      .filter((problem) => at === '' || at === was || problem.commit === undefined || problem.commit === at)
      .map(({ code }) => code),
    isOutside: outside.some((each) => each.commit === at && each.kind === 'imitation'),
    isQuiet:
      rows.every(({ verdict }) => verdict === 'honest') &&
      outside.length === 0 &&
      ledger.problems.length === 0,
  };
}
