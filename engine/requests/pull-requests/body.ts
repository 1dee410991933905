/** What people read of a pull request on their host: what would be merged, why, and how to verify it. */
import type {
  FieldChange,
  FileDifference,
  Finding,
  ObjectId,
  Person,
  ServiceDifference,
} from '../../model/index.ts';
import { quotePath } from '../../model/index.ts';
import { byteLength } from '../../record/text.ts';
import type { RollbackPlan } from '../../rollback/plan-value.ts';
import type { RequestView } from '../types.ts';
import { clip, code, fenced, fitLines, folded, titleOf } from './markdown.ts';

/** One rollback that the branch brings. */
export interface ProposedRollback {
  /** Its `revisions` are shown where it has them. */
  readonly plan: RollbackPlan;
  readonly request: Pick<
    RequestView,
    'id' | 'author' | 'createdAt' | 'justification' | 'incident' | 'reviews' | 'approval' | 'breakGlass'
  >;
  readonly commit: ObjectId;
  readonly deliveryCommit: ObjectId | null;
}

export interface PullRequestInput {
  /** Of the revert commit; of a group, what all of it is. */
  readonly subject: string;
  /** Short name of the branch that is merged: `backtrail/<id>`. */
  readonly branch: string;
  /** In the order in which they stand on the branch; more than one of a group. */
  readonly rollbacks: readonly ProposedRollback[];
}

/** Hosts take more: 65,536 characters (GitHub), 1 MiB (GitLab). */
const MOST_BYTES = 60_000;
/** Below this, a request of a group is one line. */
const LEAST_BYTES = 1500;

/** The title, and Markdown of at most 60 kB of UTF-8 that says what was left out. */
export function pullRequestText({ subject, branch, rollbacks }: PullRequestInput): {
  readonly title: string;
  readonly body: string;
} {
  const tail = ['---', ...rules(branch)].join('\n\n');
  const room = MOST_BYTES - byteLength(tail) - 400;
  const parts = rollbacks.length === 1 ? single(rollbacks, room, branch) : group(rollbacks, room, branch);
  return { title: titleOf(subject), body: `${[...parts, tail].join('\n\n')}\n` };
}

const single = (rollbacks: readonly ProposedRollback[], room: number, branch: string) =>
  rollbacks.map((rollback) => section(rollback, room, branch));

function group(rollbacks: readonly ProposedRollback[], room: number, branch: string): string[] {
  const head = `This pull request brings ${rollbacks.length} rollbacks together.`;
  let left = room - head.length;
  const parts: string[] = [];
  for (const [index, rollback] of rollbacks.entries()) {
    const share = left / (rollbacks.length - index) - 40;
    const title = `## ${index + 1}. ${code(rollback.plan.scope, 120)}`;
    const text =
      share < LEAST_BYTES
        ? `${index + 1}. ${brief(rollback)}`
        : `${title}\n\n${section(rollback, share - byteLength(title), branch)}`;
    if (byteLength(text) + 100 > left) break;
    left -= byteLength(text) + 2;
    parts.push(text);
  }
  const missing = rollbacks.length - parts.length;
  const more = missing > 0 ? [`${missing} more are left out here; the ledger holds all of them.`] : [];
  return [head, ...parts, ...more];
}

/** A request of a group that is too large for more. */
const brief = ({ plan, request }: ProposedRollback) =>
  `${code(plan.scope, 80)} to ${revision(plan.targetVersion, plan.target)}: ${code(request.justification, 80)}; ${code(request.id)}`;

/** A part of a section. The least important ones are left out where there is no room. */
interface Block {
  /** As it is named where it is left out. */
  readonly name: string;
  /** 1 is kept longest. */
  readonly rank: number;
  readonly text: string;
}

function section(rollback: ProposedRollback, room: number, branch: string): string {
  const { plan, request } = rollback;
  const all: readonly (Block | null)[] = [
    { name: 'what is rolled back', rank: 1, text: what(plan) },
    { name: 'the reason', rank: 2, text: why(request) },
    findingsBlock(plan, 'weighty', 4),
    findingsBlock(plan, 'other', 7),
    { name: 'the impact', rank: 6, text: impact(plan) },
    PLACE,
    listBlock('what is kept', 9, 'Kept as it is, by the configuration', keptLines(plan)),
    listBlock('holds', 8, 'Holds', holdLines(plan)),
    { name: 'who asked and approved', rank: 3, text: people(request) },
    { name: 'how to verify it', rank: 5, text: verify(rollback, branch) },
  ];
  const blocks = all.flatMap((block) => (block === null ? [] : [block]));
  const kept = chosen(blocks, room - 300);
  const used = [...kept].reduce((sum, { text }) => sum + byteLength(text) + 2, 0);
  const differences = serviceBlocks(plan.changes, room - used - 300);
  const spent = differences.texts.reduce((sum, text) => sum + byteLength(text) + 2, 0);
  const manifests = fileBlocks(plan.manifests, room - used - spent - 400);
  const shownManifests =
    manifests.texts.length > 0
      ? [`**Manifests**\n\n${folded('Differences of the manifests', manifests.texts.join('\n\n'))}`]
      : [];
  const left = [
    ...blocks.filter((block) => !kept.has(block)).map(({ name }) => name),
    ...(differences.left > 0 ? [`differences of ${files(differences.left)}`] : []),
    ...(manifests.left > 0 ? [`differences of ${files(manifests.left)} of manifests`] : []),
  ];
  const note =
    left.length === 0
      ? []
      : [
          `**Left out here because of its length:** ${left.join('; ')}. \`backtrail request show ${request.id} --full\` shows all of it.`,
        ];
  return blocks
    .filter((block) => kept.has(block))
    .flatMap((block) => (block === PLACE ? [...differences.texts, ...shownManifests, ...note] : [block.text]))
    .join('\n\n');
}

/** Where the differences come. */
const PLACE: Block = { name: 'the differences', rank: 0, text: '' };

function chosen(blocks: readonly Block[], room: number): ReadonlySet<Block> {
  const kept = new Set<Block>();
  let left = room;
  for (const block of [...blocks].sort((a, b) => a.rank - b.rank)) {
    const size = byteLength(block.text) + 2;
    if (size > left && block.rank > 1) continue;
    left -= size;
    kept.add(block);
  }
  return kept;
}

function what(plan: RollbackPlan): string {
  const { target, current } = plan.revisions ?? {};
  const details = (of: typeof target) =>
    of === undefined ? '' : `, ${code(of.time, 40)} by ${who(of.author)}: ${code(of.subject, 120)}`;
  const kind = plan.resumes ? 'Resume' : 'Rollback';
  const lines = [`**${kind} of** ${code(plan.scope)} (${plan.mode}) **on** ${code(plan.branch)}`];
  if (!plan.resumes)
    lines.push(
      [
        `- from ${revision(plan.currentVersion, plan.current)}${details(current)}`,
        `- to ${revision(plan.targetVersion, plan.target)}${details(target)}`,
      ].join('\n'),
    );
  const fields = plan.fields ?? [];
  if (fields.length > 0)
    lines.push(
      bullets(
        'Fields',
        fields.map((field) => code(field)),
      ),
    );
  const owners = plan.owners ?? [];
  if (owners.length > 0)
    lines.push(
      bullets(
        'It changes what belongs to',
        owners.map((owner) => code(owner)),
      ),
    );
  return lines.join('\n\n');
}

const revision = (version: number | null, commit: ObjectId) =>
  version === null ? code(commit) : `v${version} (${code(commit)})`;

const who = ({ name, email }: Person) => code(`${name} <${email}>`, 200);

function why({ justification, incident }: ProposedRollback['request']): string {
  const lines = justification.split(/\r\n|[\n\r\u2028\u2029\u0085]/);
  const { shown, left } = fitLines(
    lines.map((line) => clip(line, 400)),
    4000,
  );
  const more = left > 0 ? [`… ${left} more lines`] : [];
  const of = incident === undefined ? '' : `\n\n**Incident:** ${code(incident)}`;
  return `**Reason**\n\n${fenced([...shown, ...more], 'text')}${of}`;
}

/** Blocking and overridden ones first, and apart from the others. */
function findingsBlock({ findings }: RollbackPlan, which: 'weighty' | 'other', rank: number): Block | null {
  const isWeighty = ({ severity, overridden }: Finding) => severity === 'block' || overridden === true;
  const own = findings.filter((finding) => isWeighty(finding) === (which === 'weighty'));
  const lines = own.map(({ severity, code: name, message, overridden }) => {
    const sign = overridden ? '**OVERRIDDEN**' : severity === 'block' ? '**BLOCKED**' : severity;
    return `${sign} ${code(name, 60)} ${code(message, 400)}`;
  });
  const title = which === 'weighty' ? 'Findings that would block it' : 'Findings';
  return listBlock(title.toLowerCase(), rank, title, lines);
}

function impact({
  impact: { services, files: changed, fields, bindings, variables },
  unchanged,
}: RollbackPlan): string {
  if (unchanged) return '**Impact:** nothing would change.';
  const numbers = [
    count(services.length, 'service'),
    files(changed),
    count(fields, 'field'),
    ...(bindings.length > 0 ? [count(bindings.length, 'binding')] : []),
    ...(variables.length > 0 ? [`${variables.length} with variables`] : []),
  ];
  return `**Impact:** ${numbers.join(', ')}`;
}

const keptLines = ({ kept }: RollbackPlan) =>
  kept.map(
    ({ path, selector, by }) =>
      `${code(selector === undefined ? path : `${path}#${selector}`)} by ${code(by, 200)}`,
  );

function holdLines({ hold, replacesHolds = [], resumes = [] }: RollbackPlan): string[] {
  const placed = hold
    ? [
        `It places a hold, ${hold.for === null ? 'until it is resumed' : `for ${code(hold.for)}`}, on`,
        ...hold.fields.map(({ path, selector }) => code(`${path}#${selector}`)),
        ...hold.taken.map(
          ({ adapter, path, selector }) =>
            `taken away for it: ${code(`${path}#${selector}`)} (${code(adapter, 60)})`,
        ),
      ]
    : [];
  return [
    ...placed,
    ...replacesHolds.map((path) => `replaces the hold ${code(path)}`),
    ...resumes.map((path) => `lifts the hold ${code(path)}`),
  ];
}

function people(request: ProposedRollback['request']): string {
  const { author, createdAt, reviews, approval, breakGlass } = request;
  const approvals = reviews.filter(({ decision, counts }) => decision === 'approved' && counts);
  const lines = [
    `asked for by ${who(author)}, ${code(createdAt, 40)}`,
    ...approvals.slice(0, 20).map(({ actor, at }) => `approved by ${who(actor)}, ${code(at, 40)}`),
    ...(approvals.length > 20 ? [`and ${approvals.length - 20} more approvals`] : []),
    ...(breakGlass === null
      ? []
      : [
          `**BREAK-GLASS** session ${code(breakGlass.session)}: nobody has approved it, and another person reviews it afterwards`,
        ]),
    approval.need === 0 ? 'the policy asks for no approval' : `quorum: ${approval.have} of ${approval.need}`,
  ];
  return bullets('Who', lines);
}

function verify({ plan, request, commit, deliveryCommit }: ProposedRollback, branch: string): string {
  const shown = [commit, ...(deliveryCommit === null ? [] : [deliveryCommit])].join(' ');
  const lines = [`backtrail request show ${request.id}`, `git fetch origin ${branch} && git show ${shown}`];
  return `**To verify it:** the digest of the plan is ${code(plan.digest)}.\n\n${fenced(lines)}`;
}

function rules(branch: string): string[] {
  return [
    [
      '- Reviews on this host are shown in Backtrail, and never counted: people approve there with `backtrail request approve`.',
      `- Push nothing to ${code(branch)}: what somebody else pushes there makes the request void.`,
      '- Merge it as it is. Closing it ends the request as failed; `backtrail request retry` opens it again.',
    ].join('\n'),
  ];
}

function serviceBlocks(changes: readonly ServiceDifference[], room: number) {
  const texts: string[] = [];
  let left = 0;
  let space = room;
  for (const { service, files: changed } of changes) {
    const title = service === null ? '**The environment itself**' : `**Service** ${code(service)}`;
    const head = `${title}: ${files(changed.length)}`;
    const inner = fileBlocks(changed, space - byteLength(head) - 120);
    left += inner.left;
    if (inner.texts.length === 0) continue;
    const text = `${head}\n\n${folded('Differences', inner.texts.join('\n\n'))}`;
    space -= byteLength(text) + 2;
    texts.push(text);
  }
  return { texts, left };
}

/** Of one file at most. */
const FILE_BYTES = 12_000;

function fileBlocks(differences: readonly FileDifference[], room: number) {
  const texts: string[] = [];
  let space = room;
  for (const file of differences) {
    const text = fileBlock(file, Math.min(FILE_BYTES, space - 200));
    if (text === null || byteLength(text) + 2 > space) continue;
    space -= byteLength(text) + 2;
    texts.push(text);
  }
  return { texts, left: differences.length - texts.length };
}

function fileBlock({ path, change, fields = [], diff }: FileDifference, bytes: number): string | null {
  const head = `${code(quotePath(path))} (${change})`;
  const lines = [...fields.flatMap(fieldLines), ...(diff ?? '').replace(/\n$/, '').split('\n')];
  const bounded = lines.filter((line) => line !== '').map((line) => clip(line, 480));
  const { shown, left } = fitLines(bounded, bytes - byteLength(head));
  if (shown.length === 0) return bounded.length === 0 && bytes > byteLength(head) ? head : null;
  const more = left > 0 ? [`  … ${left} more lines are left out here`] : [];
  return `${head}\n\n${fenced([...shown, ...more], 'diff')}`;
}

function fieldLines({ selector, before, after, diff }: FieldChange): string[] {
  if (diff !== undefined) return [`@@ ${selector} @@`, ...diff.replace(/\n$/, '').split('\n')];
  const side = (sign: string, value: string | undefined) => {
    if (value === undefined) return [];
    const [first = '', ...rest] = value.split(/\r\n|[\n\r]/);
    return [`${sign} ${selector}: ${first}`, ...rest.map((line) => `${sign}   ${line}`)];
  };
  return [...side('-', before), ...side('+', after)];
}

/** Of one list. */
const MOST_ITEMS = 40;

function bullets(title: string, lines: readonly string[]): string {
  const { shown, left } = fitLines(lines.slice(0, MOST_ITEMS), 6000);
  const more = left + Math.max(0, lines.length - MOST_ITEMS);
  const items = [...shown, ...(more > 0 ? [`and ${more} more`] : [])];
  return `**${title}**\n\n${items.map((line) => `- ${line}`).join('\n')}`;
}

const listBlock = (name: string, rank: number, title: string, lines: readonly string[]): Block | null =>
  lines.length === 0 ? null : { name, rank, text: bullets(title, lines) };

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
const files = (number: number) => count(number, 'file');
