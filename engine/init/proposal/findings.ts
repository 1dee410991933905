/** What whoever confirms a proposal should know. */
import { type Coordinates, type Finding, quotePath } from '../../model/index.ts';
import type { Layout } from '../../layout/layout.ts';
import { overlapsIn } from '../../layout/overlaps.ts';
import type { Candidate } from '../candidates/candidate.ts';
import type { Coverage } from './coverage.ts';
import { join, type Survey } from '../survey/survey.ts';
import type { Draft } from './text.ts';

export const noServices = (): Finding => ({
  code: 'NO_SERVICES',
  severity: 'warn',
  message: 'The tree shows environments but no services in them: only whole environments can be rolled back.',
  hint: 'Add `service` patterns, if parts of an environment are services.',
});

export const onlyOne = (chosen: readonly Candidate[]): Finding[] =>
  chosen
    .filter(({ isOnly }) => isOnly)
    .map(({ names }) => ({
      code: 'ONE_ENVIRONMENT',
      severity: 'warn',
      message: `The tree names no environment: the folder ${[...names].join()} is taken as the only one.`,
      hint: 'Where that is wrong, change it in a file (--file FILE) and try that with --config FILE.',
    }));

export const sampled = (): Finding => ({
  code: 'TREE_SAMPLED',
  severity: 'info',
  message: 'The tree is large: samples of it were looked at, and counts are of the samples.',
  hint: 'Look through `backtrail environments` afterwards.',
});

/** Services that only one of several patterns of the same environments finds, where most are found by both. */
export function namesDiffer(chosen: readonly Candidate[], found: readonly Coordinates[]): Finding[] {
  const [first, ...others] = chosen
    .flatMap(({ services }) => services)
    .filter(({ names }) => [...names].some((name) => found.some(({ service }) => service === name)))
    .sort((a, b) => Number(b.pattern.includes('#')) - Number(a.pattern.includes('#')));
  if (!first) return [];
  return others.flatMap(({ pattern, names }) => {
    const odd = [...names].filter((name) => !first.names.has(name));
    if (odd.length === 0 || odd.length === names.size) return [];
    return [
      {
        code: 'NAMES_DIFFER',
        severity: 'info',
        message: `${pattern} names ${odd.length} of ${names.size} services otherwise than ${first.pattern}: ${some(odd)}.`,
        hint: 'They count as services of their own; rename them, or roll them back by themselves.',
      } as const,
    ];
  });
}

export function leftOut(
  { candidates, chosen }: { candidates: readonly Candidate[]; chosen: readonly Candidate[] },
  ignore: Draft['ignore'],
): Finding[] {
  const names = [...ignore.environment, ...ignore.service];
  const others = candidates.filter(
    (candidate) => !chosen.includes(candidate) && (candidate.isConvincing || candidate.isGenerated),
  );
  return [
    ...(names.length === 0
      ? []
      : [
          {
            code: 'NAMES_IGNORED',
            severity: 'info',
            message: `Taken for no environments or services: ${some(names)}.`,
            hint: 'Take a name out of `layout.ignore` where that is wrong.',
          } as const,
        ]),
    ...others.slice(0, 5).map((candidate) => ({
      code: 'PATTERN_LEFT_OUT' as const,
      severity: 'info' as const,
      message: candidate.isGenerated
        ? `${patternOf(candidate)} was left out: it looks generated.`
        : `${patternOf(candidate)} was left out: it does not go with the other patterns.`,
    })),
  ];
}

const patternOf = ({ environment, services }: Candidate) => environment ?? services[0]?.pattern ?? '';

/** Files that the proposal gives to several environments. */
export function overlapping(survey: Survey, layout: Layout, found: readonly Coordinates[]): Finding[] {
  const paths = [...survey.folders.values()].flatMap(({ path, files }) =>
    files.map((name) => join(path, name)),
  );
  const [first] = overlapsIn(layout, paths, found);
  if (first === undefined) return [];
  const message = `${quotePath(first.path)} would belong to ${first.environments.join(' and to ')}: the rules of each would apply.`;
  const hint = 'Narrow the patterns, or name what is not an environment in `layout.ignore`.';
  return [{ code: 'SCOPE_OVERLAP', severity: 'warn', message, hint }];
}

/** Files that a rollback never touches. */
export function uncovered({ covered, uncovered: groups }: Coverage): Finding[] {
  const none = groups.reduce((sum, { files }) => sum + files, 0);
  if (none === 0) return [];
  const places = groups.map(({ files, paths: [first = ''] }) => `${first} (${files})`);
  return [
    {
      code: 'PATHS_UNCOVERED',
      severity: 'info',
      message: `${none} of ${covered + none} files belong to no environment: ${some(places)}.`,
      hint: 'No rollback touches them; add a pattern where one should.',
    },
  ];
}

const some = (values: readonly string[]) =>
  `${values.slice(0, 6).join(', ')}${values.length > 6 ? ', …' : ''}`;
