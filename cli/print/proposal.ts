import {
  type Destination,
  type EnvironmentEntry,
  type Finding,
  formatCoordinates,
  KINDS,
  type Proposed,
  type ProposedLayout,
  quotePath,
} from '../../engine/index.ts';
import { destinationText } from './destination.ts';
import { environmentsText } from './history.ts';
import { printFindings } from './plan.ts';
import { short, type Style } from './style.ts';

export interface Written {
  readonly commit: string | null;
  /** Where that was published. */
  readonly destination: Destination | null;
  /** The remote whose ledger `git fetch` brings from now on. */
  readonly ledgerFetch: string | null;
  readonly file: string | null;
  /** What did not follow. */
  readonly findings: readonly Finding[];
}

export function proposalValue(
  { candidates, findings }: Proposed,
  chosen: ProposedLayout | null,
  { commit, destination, file, ledgerFetch, findings: after }: Written,
) {
  return {
    candidates: candidates.map(({ shape, config, environments, coverage }) => ({
      shape,
      config,
      environments: environments.map(nameOf),
      services: environments.flatMap(({ services, ...place }) =>
        services.map((service) => formatCoordinates({ ...place, service })),
      ),
      ...coverage,
    })),
    chosen: chosen?.shape ?? null,
    config: chosen?.config ?? null,
    environments: chosen?.environments ?? [],
    findings: [...findings, ...(chosen?.findings ?? []), ...after],
    commit,
    destination,
    file,
    ledgerFetch,
  };
}

/** The text of the file, what it finds, and what to know about it. */
export function proposalText(style: Style, branch: string, layout: ProposedLayout): string {
  return [
    style.paint('bold', `.backtrail/config.yaml for the branch ${branch}:`),
    '',
    style.paint('reset', layout.config),
    style.paint('bold', 'It finds:'),
    '',
    environmentsText(style, layout.environments),
    '',
    ...printFindings(style, layout.findings),
  ].join('\n');
}

/** If none is chosen: the nearest layouts, or a template. */
export function unclearText(style: Style, proposed: Proposed): string {
  return proposed.candidates.length === 0
    ? style.paint('reset', proposed.template)
    : candidatesText(style, proposed);
}

/** An entry is not a service: its children are services. */
const nameOf = ({ tenant, environment }: EnvironmentEntry) =>
  formatCoordinates({ ...(tenant !== undefined && { tenant }), environment });

const NAMED = 8;

export function candidatesText(style: Style, { candidates }: Proposed): string {
  const blocks = candidates.map((layout, index) => {
    const { shape, description, environments, coverage, config } = layout;
    const services = environments.flatMap((entry) => entry.services);
    const patterns = [...config.matchAll(/^ {4}- (".*")$/gm)].map(([, text = '']) => text);
    const { covered, uncovered } = coverage;
    return [
      style.paint('bold', `${index + 1}. ${shape}: ${description}`),
      ...patterns.slice(0, 6).map((text) => `     ${style.paint('cyan', text)}`),
      `   environments  ${listText(style, environments.map(nameOf))}`,
      `   services      ${listText(style, [...new Set(services)])}`,
      `   covers        ${filesText(covered)}`,
      ...uncovered.map(
        ({ kind, files, paths }) =>
          `   leaves out    ${filesText(files)}, ${KINDS[kind]}: ${style.paint('reset', paths.map(quotePath).join(', '))}`,
      ),
      '',
    ].join('\n');
  });
  return blocks.join('\n');
}

const filesText = (number: number) => `${number} ${number === 1 ? 'file' : 'files'}`;

function listText(style: Style, names: readonly string[]): string {
  if (names.length === 0) return style.paint('dim', 'none');
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${style.paint('reset', names.slice(0, NAMED).join(', '))}${more}`;
}

export function writtenText(
  style: Style,
  branch: string,
  { commit, destination, file, findings, ledgerFetch }: Written,
): string {
  if (file !== null)
    return `${style.paint('green', 'Written')} to ${style.paint('reset', file)}; try it with --config, then commit it as .backtrail/config.yaml.`;
  const place = destination === null ? branch : destinationText(destination);
  const done = `${style.paint('green', 'Committed and published')} to ${style.paint('reset', place)} as ${style.paint('yellow', short(commit ?? ''))}. Next: backtrail environments`;
  const fetched =
    ledgerFetch === null
      ? []
      : [
          style.paint(
            'reset',
            `\`git fetch ${ledgerFetch}\` brings the ledger too from now on: git log refs/backtrail/remote/ledger`,
          ),
        ];
  return [done, ...fetched, ...printFindings(style, findings)].join('\n');
}
