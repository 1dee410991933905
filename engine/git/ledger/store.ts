import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BacktrailError, shellWord } from '../../model/index.ts';
import type {
  LedgerStore,
  NewEvent,
  NewEvents,
  ObjectId,
  PreparedEvents,
  RefMove,
} from '../../model/index.ts';
import type { ConfigEntry } from '../process/config.ts';
import { printable, shownAddress } from '../process/failure.ts';
import { writeChains } from '../store/import.ts';
import { beginChainAt } from '../store/import-chain.ts';
import { indexIn } from './index-cache.ts';
import { seenByRoot, seenByAddress } from './last-seen.ts';
import type { SeenRecord, SeenTip } from './last-seen.ts';
import { withLock } from '../remote/lock.ts';
import { usableCache } from '../remote/mirror-cache.ts';
import type { NativeObjects } from '../store/objects.ts';
import { descends, isBranchName, nearLine, readRef, updateRefs } from '../store/refs.ts';
import type { RefEdit } from '../store/refs.ts';
import type { Runner } from '../process/runner.ts';
import { readSignatures } from '../signing/signatures.ts';
import { commitTree, signingOf } from '../signing/signing.ts';
import type { Signing } from '../signing/signing.ts';
import { ledgerStaging, stagingFolder, sweepEvents } from '../store/staging.ts';

/** Objects of the ledger are here; its ref is where the repository lives. */
export interface LedgerContext {
  readonly runner: Runner;
  readonly objects: NativeObjects;
  /** The whole configuration of the repository that the user named. */
  readonly entries: readonly ConfigEntry[];
  readonly cacheFolder: string;
  /** Of where the repository lives, without credentials: a git directory, or what git fetches from. */
  readonly address: string;
  /** What `git push` names it, run in the git directory of `runner`. */
  readonly target: string;
  readonly refs: LedgerRefs;
}

/** Refs where the repository lives. */
export interface LedgerRefs {
  /** Reads (for a mirror: fetches) the ref anew. */
  read(ref: string): Promise<ObjectId | null>;
  /** What the last refresh of the repository brought; absent where `read` asks nobody else, null where a refresh does not bring it. */
  readonly brought?: (ref: string) => Promise<ObjectId | null>;
  /** The ref here that holds what was read last. */
  readonly here: (ref: string) => string;
  /** Moves it by compare-and-swap, as `publish` does; `staged` may go then. */
  move(edit: RefMove, staged: readonly RefEdit[]): Promise<void>;
}

export function createLedgerStore(context: LedgerContext): LedgerStore {
  const { runner, objects, cacheFolder, address } = context;
  const signing = signingOf(context.entries);
  const seenAt = (ref: string) =>
    seenByAddress({ cacheFolder, address, ref: checkedRef(ref), signal: runner.signal });
  const rootAt = (ref: string, root: ObjectId) =>
    seenByRoot({ cacheFolder, root, ref, signal: runner.signal });
  const record = async (ref: string, tip: ObjectId) => {
    const [seen, root] = [seenAt(ref), await rootOf(tip)];
    const after = (before: ObjectId) => follows(context, tip, before);
    await usableCache(cacheFolder, () =>
      Promise.all([seen, rootAt(ref, root)].map((each) => each.record({ tip, root }, after))),
    );
  };
  let latest: { readonly tip: ObjectId; readonly root: ObjectId } | null = null;
  /** A ledger that goes on from one whose root is known has the same. */
  const rootOf = async (tip: ObjectId) => {
    const root =
      latest !== null && (await follows(context, tip, latest.tip))
        ? latest.root
        : await readRoot(context, tip);
    latest = { tip, root };
    return root;
  };
  const filesOf = (ref: string, { root }: SeenTip) => [
    seenAt(ref).file,
    ...(root === null ? [] : [rootAt(ref, root).file]),
  ];
  const rewindOf = async (ref: string, tip: ObjectId, seen: SeenRecord) => {
    const before = await usableCache(cacheFolder, () => seen.read());
    const isFollowed = before === null || before.tip === tip || (await follows(context, tip, before.tip));
    return isFollowed ? null : rewound(context, { ref, tip, before: before.tip, files: [seen.file] });
  };
  const dropStaged = (staged: PreparedEvents['staged']) =>
    updateRefs(runner, deletions(staged)).catch(() => undefined);
  /** Best effort: the next event tries again. */
  const sweep = () => sweepEvents(runner).catch(() => undefined);
  const prepare = async (input: NewEvents): Promise<PreparedEvents> => {
    const { ref, parent, events } = input;
    checkedRef(ref);
    if (events.length === 0) throw new BacktrailError('INTERNAL', 'There is no event to prepare.');
    const { requestId } = input;
    const staging = requestId === undefined ? ledgerStaging() : `${stagingFolder(requestId)}${randomUUID()}`;
    const written = await write(context, staging, input);
    const staged = written.refs;
    try {
      const commits = await signed(context, signing, { ...input, written: written.ids });
      return { commits, move: { ref, expected: parent, next: commits.at(-1) ?? '' }, staged };
    } catch (error) {
      await dropStaged(staged);
      throw error;
    }
  };
  /** What a refresh brought, where it follows what was seen last: others may have appended, and recorded, since it was fetched. */
  const broughtAfter = async (ref: string, before: SeenTip | null) => {
    const tip = (await context.refs.brought?.(ref)) ?? null;
    return tip === null || (before !== null && !(await follows(context, tip, before.tip))) ? null : tip;
  };
  return {
    async tip(ref, { refreshed = false } = {}) {
      const seen = seenAt(ref);
      // Before the ref is read: what others append, and record, in between must not look like a rewind.
      const before = await usableCache(cacheFolder, () => seen.read());
      if (before?.root) latest ??= { tip: before.tip, root: before.root };
      const brought = refreshed ? await broughtAfter(ref, before) : null;
      const tip = brought ?? (await context.refs.read(ref));
      if (
        before !== null &&
        tip !== before.tip &&
        (tip === null || !(await follows(context, tip, before.tip)))
      )
        throw await rewound(context, { ref, tip, before: before.tip, files: filesOf(ref, before) });
      if (tip === null) return tip;
      // The same ledger may have been seen under another address. A tip recorded concurrently needs a second read.
      const other = rootAt(ref, await rootOf(tip));
      if ((await rewindOf(ref, tip, other)) === null) {
        if (tip !== before?.tip || before.root === null) await record(ref, tip);
        return tip;
      }
      const again = await context.refs.read(ref);
      const rewind = again === null ? null : await rewindOf(ref, again, other);
      if (again === null || rewind !== null)
        throw rewind ?? (await rewound(context, { ref, tip: null, before: tip, files: [seen.file] }));
      await record(ref, again);
      return again;
    },
    peek: (ref) => readRef({ runner, objects, ref: context.refs.here(checkedRef(ref)) }),
    async append(input) {
      checkedRef(input.ref);
      if (input.events.length === 0) return [];
      const prepared = await prepare(input);
      try {
        await context.refs.move(prepared.move, deletions(prepared.staged));
      } catch (error) {
        await dropStaged(prepared.staged);
        throw error;
      }
      // The events are published: the next read of the tip reports what is wrong with the cache folder.
      await Promise.all([sweep(), record(input.ref, prepared.move.next).catch(() => undefined)]);
      return prepared.commits;
    },
    prepare,
    begin({ ref, parent, committer }) {
      checkedRef(ref);
      const chain = beginChainAt(runner, { parent, ref: `${ledgerStaging()}/1` });
      const commits: ObjectId[] = [];
      let isOver = false;
      return {
        async add(event) {
          const id = await chain.add({ ...event, committer, sign: false });
          commits.push(id);
          return id;
        },
        async end() {
          isOver = true;
          await chain.end();
          return {
            commits,
            move: { ref, expected: parent, next: commits.at(-1) ?? '' },
            staged: chain.staged(),
          };
        },
        drop: async () => {
          if (!isOver) await chain.drop();
          isOver = true;
        },
      };
    },
    async finish({ move, staged }, outcome) {
      const isMoved = outcome === 'moved';
      await Promise.all([
        dropStaged(staged).then(sweep),
        isMoved && record(move.ref, move.next).catch(() => undefined),
      ]);
    },
    async inTurn(ref, use) {
      const { file } = seenAt(ref);
      let begun = false;
      const once = () => {
        begun = true;
        return use();
      };
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        return await withLock(`${file}.turn`, { waitMs: TURN_MS, signal: runner.signal }, once);
      } catch (error) {
        if (begun) throw error;
        return use();
      }
    },
    index: indexIn((ref) => `${seenAt(ref).file}.index`),
    arrivals: indexIn((ref) => `${seenAt(ref).file}.arrivals`),
    signs: () => Promise.resolve(signing.own !== null),
    signatures: (ids, allowedSigners, times) =>
      readSignatures({ runner, objects, signing }, ids, { file: allowedSigners, ...(times && { times }) }),
  };
}

/** The root commit of a ledger, along first parents. */
async function readRoot({ runner, objects }: LedgerContext, tip: ObjectId): Promise<ObjectId> {
  const { line: near, isWhole } = await nearLine(objects, tip);
  if (isWhole) return near.at(-1) ?? tip;
  const line = await runner.text(['rev-list', '--first-parent', '--max-parents=0', tip]);
  return line.split('\n').at(-1) ?? tip;
}

const TURN_MS = 20_000;

/** The name comes from the configuration of the branch. Staging refs and a mirror's tracking refs cannot hold one. */
function checkedRef(ref: string): string {
  const [, space, name = ''] = /^refs\/(backtrail|heads)\/(.+)$/s.exec(ref) ?? [];
  const taken = space === 'backtrail' && /^(staging|remote)(\/|$)/i.test(name);
  if (isBranchName(name) && !taken && name.length <= 200) return ref;
  const shown = printable(JSON.stringify(ref.slice(0, 100)));
  throw new BacktrailError('CONFIG_INVALID', `${shown} cannot hold a ledger.`, {
    hint: 'Set `ledger.ref` to refs/backtrail/ledger, or to a branch of its own: refs/heads/NAME.',
  });
}

const deletions = (staged: PreparedEvents['staged']) =>
  staged.map(({ ref, id }) => ({ ref, expected: id, next: null }));

/** Objects only; one chain of commits that are not signed. */
function write({ runner }: LedgerContext, staging: string, { parent, events, committer }: NewEvents) {
  const commits = events.map((event, index) => ({
    ...event,
    parent: index === 0 ? parent : null,
    committer,
  }));
  return writeChains(runner, staging, commits);
}

/** A signature changes the commit's id, so that all commits from the first signed one on are written anew. */
async function signed(
  { runner, objects }: LedgerContext,
  signing: Signing,
  { events, committer, parent, written }: NewEvents & { readonly written: readonly ObjectId[] },
): Promise<ObjectId[]> {
  const signs = ({ sign }: NewEvent) => sign && signing.own !== null;
  const ids: ObjectId[] = [];
  for (const [index, event] of events.entries()) {
    const plain = written[index] ?? '';
    const before = ids.at(-1) ?? parent;
    const isUnchanged = !signs(event) && (index === 0 || before === written[index - 1]);
    if (isUnchanged) ids.push(plain);
    else {
      const { tree } = await objects.commit(plain);
      ids.push(
        await commitTree(runner, signing, { ...event, tree, parent: before, committer, sign: signs(event) }),
      );
    }
  }
  return ids;
}

/** A ledger is fetched whole: a commit that is not here is not an ancestor of one that is. */
async function follows(context: LedgerContext, tip: ObjectId, before: ObjectId): Promise<boolean> {
  if (tip === before) return true;
  return (await context.objects.type(before)) === 'commit' && descends(context, before, tip);
}

async function rewound(
  { runner, objects, address, target }: LedgerContext,
  state: { ref: string; tip: ObjectId | null; before: ObjectId; files: readonly string[] },
): Promise<BacktrailError> {
  const { ref, tip, before, files } = state;
  const [shown, short] = [shownAddress(address), (id: ObjectId) => id.slice(0, 12)];
  const is =
    tip === null
      ? `is gone; it was at ${short(before)}`
      : `is at ${short(tip)}, which does not follow ${short(before)}, where it was`;
  const push = `push ${shellWord(shownAddress(target))} ${before}:${shellWord(ref)}`;
  const isHere = (await objects.type(before)) === 'commit';
  const again = isHere
    ? `\`git -C ${shellWord(runner.directory)} ${push}\``
    : `from a copy that has it, \`git ${push}\``;
  return new BacktrailError(
    'LEDGER_REWOUND',
    printable(`The ledger ${ref} of ${shown} ${is} when it was last seen here.`),
    {
      hint: printable(
        `Bring the commit seen back: ${again}; if it was meant to go, remove ${files.join(' and ')}.`,
      ),
      details: { ref, tip, seen: before, files },
    },
  );
}
